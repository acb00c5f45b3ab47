//! What a model is made of, in lines for a person.

use hrm_planner::model::{GridHrmConfig, ModelConfig, SequenceConfig, SequenceFamily};

/// Labels and values.
pub fn pairs(config: &ModelConfig) -> Vec<(&'static str, String)> {
    let mut pairs = vec![
        ("family", config.family().to_owned()),
        ("parameters", config.parameters().to_string()),
    ];
    match config {
        ModelConfig::Grid(config) => pairs.extend(grid(config)),
        ModelConfig::Sequence(config) => pairs.extend(sequence(config)),
    }
    pairs
}

fn grid(config: &GridHrmConfig) -> [(&'static str, String); 5] {
    let GridHrmConfig {
        channels,
        hidden,
        h_blocks,
        l_blocks,
        h_cycles,
        l_cycles,
        kernel,
        patch,
        sparse,
        moves,
        tied,
    } = config;
    let only = if *sparse {
        ", where there is a way in"
    } else {
        ""
    };
    let free = if *tied {
        format!(
            "; tied by symmetry, {} free weights",
            config.free_parameters()
        )
    } else {
        String::new()
    };
    [
        ("channels", format!("{channels}, hidden {hidden}{free}")),
        (
            "tokens",
            format!("patches of {patch} x {patch} cells{only}; kernels of {kernel} x {kernel}"),
        ),
        ("blocks", format!("H {h_blocks}, L {l_blocks}")),
        ("moves", moves.count().to_string()),
        (
            "cycles",
            format!(
                "H {h_cycles}, L {l_cycles}: a segment reaches {} cells far",
                config.reach()
            ),
        ),
    ]
}

fn sequence(config: &SequenceConfig) -> [(&'static str, String); 5] {
    let layers = match config.family {
        SequenceFamily::Hrm => format!("H {}, L {}", config.h_layers, config.l_layers),
        SequenceFamily::Trm => format!("{}, for H and L alike", config.l_layers),
    };
    let mixing = if config.mlp_t {
        "tokens mixed by an MLP".to_owned()
    } else {
        format!("attention of {} heads", config.num_heads)
    };
    [
        (
            "channels",
            format!("{}, expansion {}", config.hidden_size, config.expansion),
        ),
        ("layers", format!("{layers}; {mixing}")),
        (
            "cycles",
            format!("H {}, L {}", config.h_cycles, config.l_cycles),
        ),
        (
            "segments",
            format!("at most {} in training", config.halt_max_steps),
        ),
        (
            "problems",
            format!(
                "{} tokens of {} words, {} for the puzzle's embedding",
                config.seq_len,
                config.vocab_size,
                config.puzzle_tokens()
            ),
        ),
    ]
}
