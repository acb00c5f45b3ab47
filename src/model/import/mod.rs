//! Checkpoints of the published models, read from files that nobody has to trust.
//!
//! The published programs are sapientinc/HRM (arXiv 2506.21734) and
//! SamsungSAILMontreal/TinyRecursiveModels (arXiv 2510.04871); they save the state dict of the
//! compiled, wrapped model by `torch.save`, as `step_N`, and `all_config.yaml` beside it.
//!
//! [`read`] takes what `torch.save` writes (a zip archive; PyTorch 1.6 and later) or a safetensors
//! file, and gives the tensors of floats by the published names, as f32, with notes on what was
//! renamed and left out. It runs nothing that a file asks for, and a small file cannot make it use
//! much memory or time: every length is checked against the file before memory is set aside, and
//! `limits` bounds everything else.
//!
//! [`Imported::checkpoint`] makes a checkpoint of ours of it: [`config`] finds out what the model is
//! made of, [`fit`] whether the tensors are those of such a model.

mod archive;
mod bytes;
mod config;
mod element;
mod fit;
mod global;
mod limits;
mod machine;
mod metered;
mod names;
mod op;
mod pickle;
mod safetensors_file;
mod state_dict;
mod strided;
mod torch;
mod value;

pub use config::{Arch, config, read_text};
pub use fit::fit;

use super::{Checkpoint, TrainingRecord};
use crate::{Error, Result};
use candle_core::Tensor;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;

/// What was read from a checkpoint.
#[derive(Debug, Clone)]
pub struct Imported {
    /// What kind of file it was.
    pub format: &'static str,
    /// Tensors of f32 by their published names, all of them finite.
    pub tensors: BTreeMap<String, Tensor>,
    /// What was renamed, chosen and left out, a sentence each.
    pub notes: Vec<String>,
}

impl Imported {
    /// A checkpoint of ours with these tensors; see [`config`] for where its configuration comes
    /// from. What was concluded is added to the notes.
    ///
    /// # Errors
    /// As [`config`] and [`fit`].
    pub fn checkpoint(
        &mut self,
        arch: &Arch,
        seq_len: Option<usize>,
        training: TrainingRecord,
    ) -> Result<Checkpoint> {
        let config = config(arch, &self.tensors, seq_len, &mut self.notes)?;
        fit(&self.tensors, &config.tensors())?;
        Ok(Checkpoint {
            config: config.into(),
            training,
            tensors: self.tensors.clone(),
        })
    }
}

/// Reads a checkpoint; its kind is told from its first bytes.
///
/// # Errors
/// [`Error::Import`] with what is wrong and what to do, or a file that cannot be read.
pub fn read(path: &Path) -> Result<Imported> {
    let io = |source| Error::Io {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(io)?;
    let length = file.metadata().map_err(io)?.len();
    if length > limits::FILE_BYTES {
        return Err(Error::Import {
            path: path.to_owned(),
            reason: format!(
                "its {length} bytes are over the limit of {}",
                limits::FILE_BYTES
            ),
        });
    }
    read_from(file, path)
}

/// As [`read`], from any source of bytes, such as a file in memory; `path` only names it in
/// messages.
///
/// # Errors
/// As [`read`].
pub fn read_from(mut source: impl Read + Seek, path: &Path) -> Result<Imported> {
    let io = |source| Error::Io {
        path: path.to_owned(),
        source,
    };
    let mut start = Vec::new();
    source
        .by_ref()
        .take(16)
        .read_to_end(&mut start)
        .map_err(io)?;
    source.rewind().map_err(io)?;
    contents(source, &start).map_err(|reason| Error::Import {
        path: path.to_owned(),
        reason,
    })
}

fn contents(source: impl Read + Seek, start: &[u8]) -> std::result::Result<Imported, String> {
    let mut notes = Vec::new();
    let (format, tensors) = match start {
        [b'P', b'K', 3, 4, ..] => {
            let archive = archive::Archive::open(source)?;
            ("PyTorch archive", state_dict::read(archive, &mut notes)?)
        }
        [_, _, _, _, _, _, _, _, b'{', ..] => {
            ("safetensors", safetensors_file::read(source, &mut notes)?)
        }
        // A bare pickle, protocol 2: the format of torch.save before 1.6.
        [0x80, 2, ..] => {
            return Err(
                "it was written by PyTorch before 1.6 or without its zip format; load it \
                        with a current PyTorch and save model.state_dict() again"
                    .to_owned(),
            );
        }
        _ => {
            return Err(
                "it is neither an archive of torch.save nor a safetensors file; pass a \
                        checkpoint of a published model"
                    .to_owned(),
            );
        }
    };
    let tensors = names::unwrapped(tensors, &mut notes)?;
    check_finite(&tensors)?;
    Ok(Imported {
        format,
        tensors,
        notes,
    })
}

fn check_finite(tensors: &BTreeMap<String, Tensor>) -> std::result::Result<(), String> {
    for (name, tensor) in tensors {
        let values = tensor.flatten_all().and_then(|flat| flat.to_vec1::<f32>());
        let values = values.map_err(|error| error.to_string())?;
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            return Err(format!(
                "tensor {} holds {} at {at}; all must be finite",
                limits::quoted(name),
                values[at]
            ));
        }
    }
    Ok(())
}
