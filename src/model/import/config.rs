//! The configuration of a published model: what `all_config.yaml` says, and what the shapes of its
//! tensors tell.
//!
//! The published programs write `all_config.yaml` beside their checkpoints; the network is described
//! under `arch`, by keys that [`SequenceConfig`] has too. How many words there are, how long a
//! problem is and how many puzzles there are comes from the data set and is not in it: tensors tell,
//! or nothing does but the length of the data sets that were published.

use super::limits;
use crate::model::{PositionEncoding, SequenceConfig, SequenceFamily};
use crate::{Error, Result};
use candle_core::Tensor;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

/// Words of the published data sets and the length of their problems: mazes of 30 x 30 cells,
/// Sudoku, ARC on 30 x 30 cells.
const LENGTHS: [(usize, usize, &str); 3] =
    [(6, 900, "mazes"), (11, 81, "Sudoku"), (12, 900, "ARC")];

/// What a configuration says of the network; nothing needs to be there.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct Arch {
    /// `module@Class` of the published programs.
    name: Option<String>,
    #[serde(rename = "H_cycles")]
    h_cycles: Option<usize>,
    #[serde(rename = "L_cycles")]
    l_cycles: Option<usize>,
    #[serde(rename = "H_layers")]
    h_layers: Option<usize>,
    #[serde(rename = "L_layers")]
    l_layers: Option<usize>,
    hidden_size: Option<usize>,
    expansion: Option<f64>,
    num_heads: Option<usize>,
    puzzle_emb_ndim: Option<usize>,
    puzzle_emb_len: Option<usize>,
    pos_encodings: Option<PositionEncoding>,
    rope_theta: Option<f64>,
    rms_norm_eps: Option<f64>,
    mlp_t: Option<bool>,
    halt_max_steps: Option<usize>,
    halt_exploration_prob: Option<f64>,
    #[serde(rename = "no_ACT_continue")]
    no_act_continue: Option<bool>,
}

/// As much of `all_config.yaml` as matters.
#[derive(Deserialize)]
struct AllConfig {
    arch: Arch,
}

impl Arch {
    /// What the text of an `all_config.yaml` says; `path` only names it in messages.
    ///
    /// # Errors
    /// [`Error::ImportConfig`] with the place.
    pub fn parse(text: &str, path: &Path) -> Result<Self> {
        let parsed: std::result::Result<AllConfig, _> = serde_saphyr::from_str(text);
        let config = parsed.map_err(|error| Error::ImportConfig {
            path: path.to_owned(),
            reason: error.without_snippet().to_string(),
        })?;
        Ok(config.arch)
    }

    /// Whether it is of an HRM or a TRM: by name, else by the tensors.
    fn family(&self, tensors: &BTreeMap<String, Tensor>) -> Result<SequenceFamily> {
        let Some(name) = &self.name else {
            return Ok(if layers(tensors, "H_level") > 0 {
                SequenceFamily::Hrm
            } else {
                SequenceFamily::Trm
            });
        };
        let module = name.split('@').next().unwrap_or_default();
        match module.rsplit('.').next() {
            Some("hrm_act_v1" | "hrm") => Ok(SequenceFamily::Hrm),
            Some("trm") => Ok(SequenceFamily::Trm),
            _ => Err(Error::ImportFamily { name: name.clone() }),
        }
    }
}

/// The text of a configuration file.
///
/// # Errors
/// A file that cannot be read, or that is too large to be one.
pub fn read_text(path: &Path) -> Result<String> {
    let io = |source| Error::Io {
        path: path.to_owned(),
        source,
    };
    let file = std::fs::File::open(path).map_err(io)?;
    let mut text = String::new();
    let mut limited = file.take(limits::CONFIG_BYTES + 1);
    limited.read_to_string(&mut text).map_err(io)?;
    if text.len() as u64 > limits::CONFIG_BYTES {
        return Err(Error::ImportConfig {
            path: path.to_owned(),
            reason: format!("it has more than {} bytes", limits::CONFIG_BYTES),
        });
    }
    Ok(text)
}

/// The configuration of the model that these tensors are of. What `arch` says goes before what
/// shapes tell; `seq_len`, the tokens of a problem, goes before both. The notes say what was
/// concluded.
///
/// # Errors
/// [`Error::ImportKeys`] with every key that neither tells, [`Error::ImportLength`], or a
/// configuration that no model can have.
pub fn config(
    arch: &Arch,
    tensors: &BTreeMap<String, Tensor>,
    seq_len: Option<usize>,
    notes: &mut Vec<String>,
) -> Result<SequenceConfig> {
    let family = arch.family(tensors)?;
    let embedding = "embed_tokens.embedding_weight";
    let missing_embedding = || Error::MissingTensor {
        name: embedding.to_owned(),
    };
    let vocab_size = side(tensors, embedding, 0).ok_or_else(missing_embedding)?;
    let hidden_size = side(tensors, embedding, 1).ok_or_else(missing_embedding)?;
    let mlp = "L_level.layers.0.mlp_t.down_proj.weight";
    let learned = side(tensors, "embed_pos.embedding_weight", 0);

    let mut keys = Vec::new();
    let mut config = SequenceConfig {
        family,
        vocab_size,
        num_puzzle_identifiers: side(tensors, "puzzle_emb.weights", 0).unwrap_or(1),
        puzzle_emb_ndim: arch
            .puzzle_emb_ndim
            .or(side(tensors, "puzzle_emb.weights", 1))
            .unwrap_or(0),
        puzzle_emb_len: arch.puzzle_emb_len,
        h_cycles: needed("H_cycles", arch.h_cycles, &mut keys),
        l_cycles: needed("L_cycles", arch.l_cycles, &mut keys),
        h_layers: arch.h_layers.unwrap_or(layers(tensors, "H_level")),
        l_layers: arch.l_layers.unwrap_or(layers(tensors, "L_level")),
        hidden_size: arch.hidden_size.unwrap_or(hidden_size),
        expansion: needed("expansion", arch.expansion, &mut keys),
        num_heads: needed("num_heads", arch.num_heads, &mut keys),
        pos_encodings: match (arch.pos_encodings, learned) {
            (Some(given), _) => given,
            (None, Some(_)) => PositionEncoding::Learned,
            (None, None) => {
                keys.push("pos_encodings");
                PositionEncoding::None
            }
        },
        mlp_t: arch.mlp_t.unwrap_or(tensors.contains_key(mlp)),
        halt_max_steps: needed("halt_max_steps", arch.halt_max_steps, &mut keys),
        halt_exploration_prob: needed(
            "halt_exploration_prob",
            arch.halt_exploration_prob,
            &mut keys,
        ),
        no_act_continue: arch.no_act_continue,
        // The published code's defaults, and a length that is settled below.
        ..SequenceConfig::hrm(seq_len.unwrap_or(1), vocab_size)
    };
    if !keys.is_empty() {
        return Err(Error::ImportKeys { keys });
    }
    config.rope_theta = arch.rope_theta.unwrap_or(config.rope_theta);
    config.rms_norm_eps = arch.rms_norm_eps.unwrap_or(config.rms_norm_eps);
    config.validate()?;
    if seq_len.is_none() {
        let places = side(tensors, mlp, 0).or(learned);
        config.seq_len = match places {
            Some(places) => places.saturating_sub(config.puzzle_tokens()),
            None => usual_length(vocab_size, notes)?,
        };
        config.validate()?;
    }
    Ok(config)
}

/// The length of problems in the published data set with so many words.
fn usual_length(vocabulary: usize, notes: &mut Vec<String>) -> Result<usize> {
    let known = LENGTHS.iter().find(|(words, ..)| *words == vocabulary);
    let &(_, length, what) = known.ok_or(Error::ImportLength { vocabulary })?;
    notes.push(format!(
        "{vocabulary} words are those of {what}: {length} tokens a problem"
    ));
    Ok(length)
}

fn needed<T: Default>(key: &'static str, value: Option<T>, missing: &mut Vec<&'static str>) -> T {
    value.unwrap_or_else(|| {
        missing.push(key);
        T::default()
    })
}

/// How long a tensor is along an axis.
fn side(tensors: &BTreeMap<String, Tensor>, name: &str, axis: usize) -> Option<usize> {
    tensors.get(name)?.dims().get(axis).copied()
}

/// Layers of a module, by the names of its tensors.
fn layers(tensors: &BTreeMap<String, Tensor>, module: &str) -> usize {
    let start = format!("{module}.layers.");
    let numbers = tensors.keys().filter_map(|name| {
        let (number, _) = name.strip_prefix(&start)?.split_once('.')?;
        number.parse::<usize>().ok()
    });
    numbers.max().map_or(0, |last| last.saturating_add(1))
}
