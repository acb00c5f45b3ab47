//! The nearest right word for a wrong one.

/// Words less alike than this are no misspellings of each other (Jaro-Winkler, 0 to 1).
const ALIKE: f64 = 0.8;

/// The known word most like `word`, if any is alike.
pub(crate) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|candidate| (strsim::jaro_winkler(word, candidate), candidate))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}
