//! The text of a recipe: where its keys stand, and single values changed in place.

use std::ops::Range;
use toml::de::DeTable;

/// Where a key stands in a text, bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spot {
    /// Its name; of a section the name in its heading.
    pub key: Range<usize>,
    /// Its value; of a section its heading.
    pub value: Range<usize>,
    /// Whether it is a section or an inline table.
    pub is_table: bool,
}

/// The number of the line, from 1, that holds a byte.
pub(crate) fn line_of(text: &str, byte: usize) -> usize {
    let before = text.bytes().take(byte);
    before.filter(|&byte| byte == b'\n').count() + 1
}

/// Where a key with its sections, such as `data.mazes.file`, stands; `None` if it is not there, or
/// the text is no TOML.
pub(crate) fn spot_of(text: &str, key: &str) -> Option<Spot> {
    all_keys(text).find_map(|(path, spot)| (path == key).then_some(spot))
}

/// The key, with its sections, that has this place as its name or its value, or within its value;
/// `None` for a place that belongs to no key.
pub(crate) fn key_at(text: &str, place: &Range<usize>) -> Option<(String, Spot)> {
    let is_it = |spot: &Spot| spot.key == *place || spot.value == *place;
    let holds = |spot: &Spot| !spot.is_table && spot.value.contains(&place.start);
    all_keys(text)
        .find(|(_, spot)| is_it(spot))
        .or_else(|| all_keys(text).find(|(_, spot)| holds(spot)))
}

/// Every key with its sections, at any depth.
fn all_keys(text: &str) -> impl Iterator<Item = (String, Spot)> {
    let mut found = Vec::new();
    if let Ok(table) = DeTable::parse(text) {
        collect(table.get_ref(), "", &mut found);
    }
    found.into_iter()
}

fn collect(table: &DeTable<'_>, section: &str, found: &mut Vec<(String, Spot)>) {
    for (name, value) in table {
        let path = in_section(section, name.get_ref());
        let inner = value.get_ref().as_table();
        let spot = Spot {
            key: name.span(),
            value: value.span(),
            is_table: inner.is_some(),
        };
        found.push((path.clone(), spot));
        if let Some(inner) = inner {
            collect(inner, &path, found);
        }
    }
}

/// A key with the section it is in.
pub(crate) fn in_section(section: &str, key: &str) -> String {
    if section.is_empty() {
        key.to_owned()
    } else {
        format!("{section}.{key}")
    }
}

/// The text with what stands at a place replaced, and nothing else touched.
pub(crate) fn replaced(text: &str, place: &Range<usize>, value: &str) -> String {
    let (before, after) = (&text[..place.start], &text[place.end..]);
    format!("{before}{value}{after}")
}

/// The text with the value of a key (with its sections) replaced, and nothing else touched; `None`
/// if the key is not there.
pub(crate) fn with_value(text: &str, key: &str, value: u64) -> Option<String> {
    let spot = spot_of(text, key)?;
    Some(replaced(text, &spot.value, &value.to_string()))
}
