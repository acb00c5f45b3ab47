//! What is wrong with a recipe's text, in one line: where it stands, the key with its sections,
//! and what would be right there.

use crate::recipe_text::{in_section, key_at, line_of, spot_of};
use crate::similar::nearest;
use std::fmt;
use std::ops::Range;

/// Characters of a wrong value that are quoted.
const QUOTED: usize = 60;

/// A fault of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The line, from 1, where the text has one for it.
    line: Option<usize>,
    reason: String,
    /// Of a value of the wrong type: its key, its place, and what stands there.
    pub wrong_value: Option<WrongValue>,
}

/// A value of the wrong type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WrongValue {
    /// The key with its sections.
    pub key: String,
    /// Where the value stands, bytes.
    pub place: Range<usize>,
    /// The value as written.
    pub written: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        f.write_str(&self.reason)
    }
}

impl Fault {
    /// A fault of a key (with its sections), at the line where it stands if it does.
    pub(crate) fn of_key(text: &str, key: &str, reason: String) -> Self {
        let spot = spot_of(text, key);
        Self {
            line: spot.map(|spot| line_of(text, spot.key.start)),
            reason,
            wrong_value: None,
        }
    }

    /// A value that is not allowed; of a key that is not there, the default.
    pub(crate) fn of_value(text: &str, key: &str, value: &str, must: &str) -> Self {
        let spot = spot_of(text, key);
        // A section's keys are elsewhere in the text.
        let written = spot
            .map(|spot| (&text[spot.value], spot.is_table))
            .filter(|(written, is_table)| !is_table || written.starts_with('{'))
            .map(|(written, _)| quoted(written));
        let value = written.as_deref().unwrap_or(value);
        Self::of_key(text, key, value_reason(key, value, must))
    }

    /// A key that must be there and is not.
    pub(crate) fn missing(key: &str) -> Self {
        Self {
            line: None,
            reason: format!("the key `{key}` is missing"),
            wrong_value: None,
        }
    }

    /// A value of the wrong type, with the range that is known for it.
    pub(crate) fn with_range(mut self, must: &str) -> Self {
        if let Some(WrongValue { key, written, .. }) = &self.wrong_value {
            self.reason = value_reason(key, written, must);
        }
        self
    }

    /// What kept a text from being read.
    pub(crate) fn of_reading(text: &str, error: &toml::de::Error) -> Self {
        // An empty place at the very beginning stands for the whole text.
        let place = error.span().filter(|place| *place != (0..0));
        let at = place.as_ref().and_then(|place| key_at(text, place));
        let is_name = at
            .as_ref()
            .is_some_and(|(_, spot)| Some(&spot.key) == place.as_ref());
        let key = at.as_ref().map_or("", |(key, _)| key);
        let message = error.message();
        // Serde's messages quote what was found and then what was expected.
        let words: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
        let mut wrong_value = None;
        let reason = match &words[..] {
            [found, known @ ..] if message.starts_with("unknown field") => {
                // Of a section the value is its heading, of an inline table its braces.
                let is_section = at.as_ref().is_some_and(|(_, spot)| {
                    spot.is_table && text[spot.value.clone()].starts_with('[')
                });
                unknown(key, found, known, is_section)
            }
            // Of a table whose keys are words of a list, such as the kinds of maps.
            [found, known @ ..] if message.starts_with("unknown variant") && is_name => {
                unknown(key, found, known, false)
            }
            [found, known @ ..] if message.starts_with("unknown variant") => {
                format!("unknown value `{found}` of `{key}`{}", hint(found, known))
            }
            [missing] if message.starts_with("missing field") => {
                return Self {
                    line: place.map(|place| line_of(text, place.start)),
                    ..Self::missing(&in_section(key, missing))
                };
            }
            _ => match (expected(message), &place, &at) {
                (Some(expected), Some(place), Some((key, spot))) => {
                    let written = quoted(&text[place.clone()]);
                    let reason = value_reason(key, &written, &in_words(expected));
                    // Within a list the list is the key's value.
                    let place = spot.value.clone();
                    let written = quoted(&text[place.clone()]);
                    let key = key.clone();
                    wrong_value = Some(WrongValue {
                        key,
                        place,
                        written,
                    });
                    reason
                }
                _ => message.lines().collect::<Vec<_>>().join(", "),
            },
        };
        Self {
            line: place.map(|place| line_of(text, place.start)),
            reason,
            wrong_value,
        }
    }
}

fn value_reason(key: &str, value: &str, must: &str) -> String {
    format!("`{key}` is {value}; it must be {must}")
}

fn unknown(key: &str, found: &str, known: &[&str], is_section: bool) -> String {
    let what = if is_section { "section" } else { "key" };
    format!("unknown {what} `{key}`{}", hint(found, known))
}

fn hint(found: &str, known: &[&str]) -> String {
    match nearest(found, known.iter().copied()) {
        Some(near) => format!("; did you mean `{near}`?"),
        None if known.is_empty() => String::new(),
        None => format!("; there are {}", known.join(", ")),
    }
}

/// What a message of a wrong type says that it must be.
fn expected(message: &str) -> Option<&str> {
    let of_toml = message.strip_prefix("wanted ");
    let of_serde = message.strip_prefix("invalid ");
    of_toml.or_else(|| Some(of_serde?.split_once("expected ")?.1))
}

/// What Rust's words for a type mean.
fn in_words(expected: &str) -> String {
    let words = match expected {
        "f32" | "f64" => "a number",
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number of at least 0",
        "a boolean" => "true or false",
        "a string" | "string or table" => "a text in quotes",
        "a sequence" => "a list in brackets",
        "a map" => "a section of keys",
        other if other.starts_with("struct ") => "a section of keys",
        other => other,
    };
    words.to_owned()
}

/// A value as written, on one line and not too long.
fn quoted(written: &str) -> String {
    let line = written.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= QUOTED {
        return line;
    }
    line.chars().take(QUOTED).chain("...".chars()).collect()
}
