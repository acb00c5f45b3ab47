//! The names of published tensors, without what wrapping a model put before them.
//!
//! The published programs wrap the network in a halting wrapper (`inner.`), that in a loss head
//! (`model.`), and often in `torch.compile` (`_orig_mod.`) or data parallelism (`module.`).

use super::limits::{LISTED, quoted};
use candle_core::Tensor;
use std::collections::BTreeMap;

/// What wrappers put before names, in any order and number.
const PREFIXES: [&str; 4] = ["_orig_mod.", "module.", "model.", "inner."];

/// Tensors that some versions save and no model needs: scratch memory of the puzzle embedding, and
/// tables that are computed from the configuration.
const NEEDLESS: [&str; 4] = [
    "puzzle_emb.local_weights",
    "puzzle_emb.local_ids",
    "rotary_emb.cos_cached",
    "rotary_emb.sin_cached",
];

/// A name without its wrappers' prefixes.
fn bare(name: &str) -> &str {
    let mut rest = name;
    while let Some(shorter) = PREFIXES.iter().find_map(|prefix| rest.strip_prefix(prefix)) {
        rest = shorter;
    }
    rest
}

/// Tensors by their bare names, without the needless ones; the notes say what was done.
///
/// # Errors
/// Two tensors with the same bare name, for the reader of a message.
pub fn unwrapped(
    tensors: BTreeMap<String, Tensor>,
    notes: &mut Vec<String>,
) -> Result<BTreeMap<String, Tensor>, String> {
    let mut stripped: BTreeMap<String, usize> = BTreeMap::new();
    let mut needless = Vec::new();
    let mut named = BTreeMap::new();
    for (name, tensor) in tensors {
        let bare = bare(&name);
        let prefix = name.strip_suffix(bare).unwrap_or_default();
        if !prefix.is_empty() {
            *stripped.entry(prefix.to_owned()).or_default() += 1;
        }
        if NEEDLESS.contains(&bare) {
            needless.push(quoted(bare));
        } else if named.insert(bare.to_owned(), tensor).is_some() {
            return Err(format!(
                "two tensors are named {} once the prefixes of wrappers are removed; it holds more \
                 than one model",
                quoted(bare)
            ));
        }
    }
    for (prefix, count) in stripped {
        notes.push(format!(
            "prefix {} removed from {count} names",
            quoted(&prefix)
        ));
    }
    if !needless.is_empty() {
        notes.push(format!("left out, not needed: {}", needless.join(", ")));
    }
    Ok(named)
}

/// The note on what was left out because it is no tensor of floats.
pub fn no_weights(names: &[String]) -> Option<String> {
    let listed = names.iter().take(LISTED).cloned().collect::<Vec<_>>();
    let more = match names.len() - listed.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    (!names.is_empty()).then(|| format!("left out, no weights: {}{more}", listed.join(", ")))
}
