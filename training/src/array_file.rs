//! Named arrays of numbers and a note in one safetensors file, guarded by a checksum.
//!
//! Safetensors itself notices a file that is cut off, but not a flipped bit, and a run that goes
//! on from a flipped bit is silently another run. The metadata holds `format`, `note` and
//! `checksum`, the CRC-32 of the note and of each array's name and bytes in the order of names.

use crate::{Error, Result};
use hrm_planner::model::write_atomically;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

/// An array: its values, row-major.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Array {
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

/// The contents of a file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ArrayFile {
    pub path: PathBuf,
    pub note: String,
    pub arrays: BTreeMap<String, Array>,
}

impl ArrayFile {
    /// Writes the file, atomically.
    pub(crate) fn write(&self, format: &str) -> Result<()> {
        let reason = |e: safetensors::SafeTensorError| self.wrong(e.to_string());
        let buffers: BTreeMap<&str, Vec<u8>> = self
            .arrays
            .iter()
            .map(|(name, array)| (name.as_str(), bytes_of(&array.values)))
            .collect();
        let checksum = checksum(&self.note, buffers.iter().map(|(name, b)| (*name, &b[..])));
        let mut views = Vec::new();
        for (name, array) in &self.arrays {
            let bytes = &buffers[name.as_str()];
            let view = TensorView::new(Dtype::F32, array.shape.clone(), bytes).map_err(reason)?;
            views.push((name, view));
        }
        let metadata = HashMap::from([
            ("format".to_owned(), format.to_owned()),
            ("note".to_owned(), self.note.clone()),
            ("checksum".to_owned(), checksum),
        ]);
        let bytes = safetensors::serialize(views, Some(metadata)).map_err(reason)?;
        Ok(write_atomically(&self.path, &bytes)?)
    }

    /// Reads and checks a file.
    pub(crate) fn read(path: &Path, format: &str) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|source| Error::Io {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(path, &bytes, format).map_err(|reason| wrong(path, reason))
    }

    fn parse(path: &Path, bytes: &[u8], format: &str) -> std::result::Result<Self, String> {
        let broken = |e| format!("it is cut off or no safetensors file ({e})");
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(broken)?;
        let metadata = header.metadata().clone().unwrap_or_default();
        let value = |key: &str| {
            metadata.get(key).ok_or_else(|| {
                format!("its metadata key `{key}` is missing, so hrm-train did not write it")
            })
        };
        let found = value("format")?;
        if found != format {
            return Err(format!(
                "its format is {found:?}, but this program reads {format:?}"
            ));
        }
        let note = value("note")?.clone();
        let file = SafeTensors::deserialize(bytes).map_err(broken)?;
        let views: BTreeMap<&str, TensorView<'_>> = file.iter().collect();
        let sum = checksum(&note, views.iter().map(|(name, view)| (*name, view.data())));
        if *value("checksum")? != sum {
            return Err("its checksum does not fit its contents, the file is damaged".to_owned());
        }
        let mut arrays = BTreeMap::new();
        for (name, view) in views {
            if view.dtype() != Dtype::F32 {
                let found = view.dtype();
                return Err(format!("array `{name}` is of type {found:?}, not F32"));
            }
            let array = Array {
                shape: view.shape().to_vec(),
                values: values_of(view.data()),
            };
            arrays.insert(name.to_owned(), array);
        }
        Ok(Self {
            path: path.to_owned(),
            note,
            arrays,
        })
    }

    /// Takes out an array that must be there with this shape and finite values.
    pub(crate) fn take(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        let Some(array) = self.arrays.remove(name) else {
            return Err(self.wrong(format!("array `{name}` is missing")));
        };
        if array.shape != shape {
            let found = array.shape;
            return Err(self.wrong(format!("array `{name}` is {found:?}, not {shape:?}")));
        }
        if let Some(value) = array.values.iter().find(|value| !value.is_finite()) {
            return Err(self.wrong(format!("array `{name}` holds {value}; all must be finite")));
        }
        Ok(array.values)
    }

    /// The error that this file is not what it should be.
    pub(crate) fn wrong(&self, reason: String) -> Error {
        wrong(&self.path, reason)
    }
}

fn wrong(path: &Path, reason: String) -> Error {
    Error::State {
        path: path.to_owned(),
        reason,
    }
}

fn bytes_of(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|x| x.to_le_bytes()).collect()
}

fn values_of(bytes: &[u8]) -> Vec<f32> {
    let (fours, _) = bytes.as_chunks::<4>();
    fours.iter().map(|four| f32::from_le_bytes(*four)).collect()
}

fn checksum<'a>(note: &str, arrays: impl Iterator<Item = (&'a str, &'a [u8])>) -> String {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(note.as_bytes());
    for (name, bytes) in arrays {
        hasher.update(name.as_bytes());
        hasher.update(bytes);
    }
    format!("{:08x}", hasher.finalize())
}
