use hrm_training::*;
fn main() -> anyhow::Result<()> {
    let (recipe, text) = Recipe::read(std::path::Path::new(&std::env::args().nth(1).unwrap()))?;
    let steps = recipe.run.steps;
    let mut trainer = Trainer::new(recipe, text)?;
    let t = std::time::Instant::now();
    let mut acc = (0.0, 0.0, 0.0, 0.0, 0.0);
    for i in 0..steps {
        let r = trainer.step()?;
        acc.0 += r.moves;
        acc.1 += r.value;
        acc.2 += r.halt;
        acc.3 += r.continuing;
        acc.4 += r.arrives;
        if (i + 1) % 50 == 0 {
            println!(
                "{:5} {:6.1}s moves {:.4} value {:.4} halt {:.4} cont {:.4} arrives {:.4} grad {:.3} n {} cells {} seg {:.1}",
                r.step,
                t.elapsed().as_secs_f64(),
                acc.0 / 50.,
                acc.1 / 50.,
                acc.2 / 50.,
                acc.3 / 50.,
                acc.4 / 50.,
                r.gradient,
                r.samples,
                r.cells,
                r.segment
            );
            acc = (0., 0., 0., 0., 0.);
        }
    }
    Ok(())
}
