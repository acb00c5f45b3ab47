//! The YAML half of a map, as typed keys.
//!
//! Text goes in; numbers, flags and poses come out, each with an error that names the file, the
//! key and what the key must be. Numbers may be written as numbers or as strings that hold one.
//! Unknown keys are tolerated, because tools add their own, but reported with the known key they
//! may be a misspelling of. Which keys a map needs is the business of `map_file`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use serde_saphyr::NonFiniteFloatPolicy;

use super::Pose2;
use crate::{Error, Result};

/// Keys with a meaning to `map_server`.
const KNOWN_KEYS: [&str; 7] = [
    "image",
    "resolution",
    "origin",
    "negate",
    "occupied_thresh",
    "free_thresh",
    "mode",
];

/// The keys and values of one YAML file.
pub(super) struct MapKeys {
    path: PathBuf,
    values: BTreeMap<String, Value>,
}

impl MapKeys {
    /// The keys in a YAML file's text. `path` is only named in errors.
    ///
    /// # Errors
    /// The text is not one YAML mapping, or a key is there twice.
    pub(super) fn parse(text: &str, path: &Path) -> Result<Self> {
        let options = serde_saphyr::options! {
            // `.nan` arrives as a string, so that the key it belongs to is named in the error.
            non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        };
        let values =
            serde_saphyr::from_str_with_options(text, options).map_err(|error| Error::MapYaml {
                path: path.to_owned(),
                reason: error.without_snippet().to_string(),
            })?;
        let keys = Self {
            path: path.to_owned(),
            values,
        };
        keys.warn_of_unknown();
        Ok(keys)
    }

    /// A string.
    pub(super) fn text(&self, key: &'static str) -> Result<Option<String>> {
        match self.values.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            // A file may well be called 7 or 2024.
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(_) => Err(self.wrong(key, "a string")),
        }
    }

    /// A finite number.
    pub(super) fn number(&self, key: &'static str) -> Result<Option<f64>> {
        let Some(value) = self.values.get(key) else {
            return Ok(None);
        };
        match finite(value) {
            Some(number) => Ok(Some(number)),
            None => Err(self.wrong(key, "a finite number")),
        }
    }

    /// A flag: a number (0 is false) or a boolean in any of YAML 1.1's words, as Nav2 takes them.
    pub(super) fn flag(&self, key: &'static str) -> Result<Option<bool>> {
        let Some(value) = self.values.get(key) else {
            return Ok(None);
        };
        let flag = match value {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) => match text.to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" | "y" => Some(true),
                "false" | "no" | "off" | "n" => Some(false),
                _ => finite(value).map(|number| number != 0.0),
            },
            _ => finite(value).map(|number| number != 0.0),
        };
        match flag {
            Some(flag) => Ok(Some(flag)),
            None => Err(self.wrong(key, "0, 1, true or false")),
        }
    }

    /// A pose written as [x, y, yaw].
    pub(super) fn pose(&self, key: &'static str) -> Result<Option<Pose2>> {
        let Some(value) = self.values.get(key) else {
            return Ok(None);
        };
        let numbers: Option<Vec<f64>> = value
            .as_array()
            .and_then(|entries| entries.iter().map(finite).collect());
        match numbers.as_deref() {
            Some(&[x, y, yaw]) => Ok(Some(Pose2::new(x, y, yaw))),
            _ => Err(self.wrong(key, "[x, y, yaw], three finite numbers")),
        }
    }

    /// The error for a key whose value is not what it must be.
    pub(super) fn wrong(&self, key: &'static str, must: &'static str) -> Error {
        Error::MapKey {
            path: self.path.clone(),
            key,
            value: self
                .values
                .get(key)
                .map(Value::to_string)
                .unwrap_or_default(),
            must,
        }
    }

    /// The error for a key that has to be there and is not.
    pub(super) fn missing(&self, key: &'static str) -> Error {
        Error::MapKeyMissing {
            path: self.path.clone(),
            key,
            nearest: self.misspelling_of(key),
        }
    }

    /// Nav2 demands this key, older tools do not write it: the default with a warning, unless the
    /// file holds what looks like a misspelling of it.
    pub(super) fn or_default<T: std::fmt::Debug>(
        &self,
        key: &'static str,
        value: Option<T>,
        default: T,
    ) -> Result<T> {
        if let Some(value) = value {
            return Ok(value);
        }
        if self.misspelling_of(key).is_some() {
            return Err(self.missing(key));
        }
        tracing::warn!("{}: no `{key}`, taking {default:?}", self.path.display());
        Ok(default)
    }

    /// The unknown key of this file that is most similar to a known one, if any is similar.
    pub(super) fn misspelling_of(&self, known: &str) -> Option<String> {
        let unknown = self.unknown().map(String::as_str);
        nearest(known, unknown).map(str::to_owned)
    }

    fn unknown(&self) -> impl Iterator<Item = &String> {
        self.values
            .keys()
            .filter(|key| !KNOWN_KEYS.contains(&key.as_str()))
    }

    fn warn_of_unknown(&self) {
        for key in self.unknown() {
            let path = self.path.display();
            if let Some(known) = nearest(key, KNOWN_KEYS.into_iter()) {
                tracing::warn!("{path}: unknown key `{key}`; did you mean `{known}`?");
            } else {
                tracing::warn!("{path}: unknown key `{key}` is not used");
            }
        }
    }
}

/// A finite number, written as such or inside a string.
fn finite(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    number.is_finite().then_some(number)
}

/// The candidate fewest edits away, if that is at most a third of the longer word.
fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .map(|candidate| (edits(word, candidate), candidate))
        .filter(|&(edits, candidate)| 3 * edits <= word.len().max(candidate.len()))
        .min()
        .map(|(_, candidate)| candidate)
}

/// Letters to insert, delete or replace to turn one word into the other (Levenshtein distance).
fn edits(from: &str, to: &str) -> usize {
    // row[j]: edits from the part of `from` read so far to the first j bytes of `to`.
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in to.bytes().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[to.len()]
}
