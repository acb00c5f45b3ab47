//! The text of a recipe: what is wrong with it in one line, and single values changed in place.

use crate::similar::nearest;
use crate::{Error, Result};
use std::path::Path;
use toml::de::DeTable;

/// What is wrong with a text that is no recipe, with its line; a misspelt key or kind comes with
/// the nearest right one.
pub(crate) fn explain(text: &str, error: &toml::de::Error) -> String {
    let line = error.span().map(|span| line_of(text, span.start));
    let section = line.map_or("", |line| section_at(text, line));
    // Serde's messages quote what was found and then what was expected.
    let words: Vec<&str> = error.message().split('`').skip(1).step_by(2).collect();
    let message = match (error.message(), &words[..]) {
        (m, [found, known @ ..]) if m.starts_with("unknown field") => {
            let hint = hint(found, known);
            format!("unknown key `{}`{hint}", in_section(section, found))
        }
        (m, [found, known @ ..]) if m.starts_with("unknown variant") => {
            format!("unknown value `{found}`{}", hint(found, known))
        }
        (m, [missing]) if m.starts_with("missing field") => {
            format!("the key `{}` is missing", in_section(section, missing))
        }
        (m, _) => m.lines().collect::<Vec<_>>().join(", "),
    };
    match line {
        Some(line) => format!("line {line}: {message}"),
        None => message,
    }
}

fn hint(found: &str, known: &[&str]) -> String {
    match nearest(found, known.iter().copied()) {
        Some(near) => format!("; did you mean `{near}`?"),
        None if known.is_empty() => String::new(),
        None => format!("; there are {}", known.join(", ")),
    }
}

fn in_section(section: &str, key: &str) -> String {
    if section.is_empty() {
        key.to_owned()
    } else {
        format!("{section}.{key}")
    }
}

/// The number of the line, from 1, that holds a byte.
fn line_of(text: &str, byte: usize) -> usize {
    let before = text.bytes().take(byte);
    before.filter(|&byte| byte == b'\n').count() + 1
}

/// The section whose heading is the last one up to a line; empty above all headings.
fn section_at(text: &str, line: usize) -> &str {
    let headings = text.lines().take(line).filter_map(|line| {
        let (section, _) = line.trim().strip_prefix('[')?.split_once(']')?;
        Some(section.trim())
    });
    headings.last().unwrap_or("")
}

/// The text with the value of a key (with its section) replaced, and nothing else touched.
///
/// # Errors
/// [`Error::Recipe`] if the key is not there.
pub(crate) fn with_value(text: &str, path: &Path, keys: [&str; 2], value: u64) -> Result<String> {
    let bad = |reason| Error::Recipe {
        path: path.to_owned(),
        reason,
    };
    let table = DeTable::parse(text).map_err(|e| bad(explain(text, &e)))?;
    let [section, key] = keys;
    let found = if section.is_empty() {
        table.get_ref().get(key)
    } else {
        let section = table.get_ref().get(section);
        section.and_then(|section| section.get_ref().as_table()?.get(key))
    };
    let missing = || bad(format!("the key `{}` is missing", in_section(section, key)));
    let span = found.ok_or_else(missing)?.span();
    let (before, after) = (&text[..span.start], &text[span.end..]);
    Ok(format!("{before}{value}{after}"))
}
