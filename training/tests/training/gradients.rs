//! Every trainable tensor learns: none is cut off from the loss, and none gets a NaN.

use crate::common::{steps, tiny_with, trainer};

#[test]
fn every_tensor_gets_a_finite_gradient_that_is_not_zero() {
    // Shaped as the default model. Without memory in the moments, the first one is the gradient
    // of the last step alone.
    let text = tiny_with(
        10,
        &[
            ("h_blocks = 1", "h_blocks = 2"),
            ("l_blocks = 1", "l_blocks = 2"),
            ("l_cycles = 1", "l_cycles = 2"),
            ("betas = [0.9, 0.95]", "betas = [0.0, 0.0]"),
            ("learning_rate = 5e-3", "learning_rate = 1e-4"),
            // `q_continue` learns from samples past their first segment only: let all live on.
            ("exploration = 0.5", "exploration = 1.0"),
        ],
    );
    let mut trainer = trainer(&text);
    let report = steps(&mut trainer, 3).pop().unwrap();
    assert!(report.number("segment") > Some(1.0));
    for (name, shape) in trainer.recipe().task.trainable() {
        let gradient = trainer.optimiser().first_moment(&name).expect("known");
        assert_eq!(gradient.len(), shape.iter().product::<usize>(), "{name}");
        assert!(
            gradient.iter().all(|g| g.is_finite()),
            "{name}: {gradient:?}"
        );
        assert!(gradient.iter().any(|&g| g != 0.0), "{name} does not learn");
    }
    // The two columns of the halting head are two heads: (q_halt, q_continue).
    let halt = trainer
        .optimiser()
        .first_moment("head.halt.weight")
        .unwrap();
    for head in 0..2 {
        let learns = halt.iter().skip(head).step_by(2).any(|&g| g != 0.0);
        assert!(learns, "column {head} of the halting head does not learn");
    }
}
