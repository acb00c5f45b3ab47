//! From a `torch.save` archive to named tensors.
//!
//! Storages are read one after the other, each once, so that no more than the result and one storage
//! is in memory.

use super::archive::Archive;
use super::element;
use super::limits::{self, quoted};
use super::names;
use super::pickle::Pickle;
use super::strided::Strided;
use super::value::Value;
use candle_core::Tensor;
use std::collections::BTreeMap;
use std::io::{Read, Seek};

/// Keys under which training programs keep a state dict beside other things, the best known first.
const KEYS: [&str; 3] = ["model", "state_dict", "model_state_dict"];

/// Reads all tensors of floats, as f32, and appends to the notes what was left out.
///
/// # Errors
/// What is wrong, for the reader of a message.
pub fn read(
    mut archive: Archive<impl Read + Seek>,
    notes: &mut Vec<String>,
) -> Result<BTreeMap<String, Tensor>, String> {
    let bytes = archive.pickle()?;
    let pickle = Pickle::load(&bytes)?;
    let views = floats(state_dict(&pickle, notes)?, notes)?;
    check_size(&views)?;

    let mut by_storage: BTreeMap<&str, Vec<(&str, &Strided<'_>)>> = BTreeMap::new();
    for (name, view) in views {
        by_storage
            .entry(view.storage.key)
            .or_default()
            .push((name, view));
    }
    let mut tensors = BTreeMap::new();
    for (key, views) in by_storage {
        let bytes = archive.storage(key)?;
        for (name, view) in views {
            let tensor = tensor(view, &bytes)
                .map_err(|reason| format!("tensor {}: {reason}", quoted(name)))?;
            tensors.insert(name.to_owned(), tensor);
        }
    }
    Ok(tensors)
}

type Entries<'p, 'a> = Vec<(&'a str, &'p Value<'a>)>;

/// The entries of the state dict: the whole file's, or those under a usual key.
fn state_dict<'p, 'a>(
    pickle: &'p Pickle<'a>,
    notes: &mut Vec<String>,
) -> Result<Entries<'p, 'a>, String> {
    let outer = entries(pickle.root(), pickle)
        .ok_or("it does not hold a dict of names; save model.state_dict() with torch.save")?;
    if holds_tensors(&outer) {
        return Ok(outer);
    }
    for wanted in KEYS {
        let inner = outer.iter().filter(|(key, _)| *key == wanted);
        let mut inner = inner.filter_map(|(_, value)| entries(value, pickle));
        if let Some(inner) = inner.next_back().filter(|inner| holds_tensors(inner)) {
            notes.push(format!(
                "the state dict is the file's `{wanted}`; the rest is left out"
            ));
            return Ok(inner);
        }
    }
    let keys: Vec<String> = outer
        .iter()
        .take(limits::LISTED)
        .map(|(key, _)| quoted(key))
        .collect();
    Err(format!(
        "it holds no tensors, neither itself nor under `{}`; it has {} keys: {}",
        KEYS.join("`, `"),
        outer.len(),
        keys.join(", ")
    ))
}

fn entries<'p, 'a>(value: &'p Value<'a>, pickle: &'p Pickle<'a>) -> Option<Entries<'p, 'a>> {
    let Value::Dict(pairs) = value else {
        return None;
    };
    let entry = |&(key, value)| match pickle.value(key) {
        &Value::Text(key) => Some((key, pickle.value(value))),
        _ => None,
    };
    pairs.iter().map(entry).collect()
}

fn holds_tensors(entries: &Entries<'_, '_>) -> bool {
    entries
        .iter()
        .any(|(_, value)| matches!(value, Value::Tensor(_)))
}

/// The tensors of floats; all else is noted.
fn floats<'p, 'a>(
    entries: Entries<'p, 'a>,
    notes: &mut Vec<String>,
) -> Result<BTreeMap<&'a str, &'p Strided<'a>>, String> {
    let mut views = BTreeMap::new();
    let mut others = Vec::new();
    for (name, value) in entries {
        match value {
            Value::Tensor(view) if view.storage.element.float().is_some() => {
                if views.insert(name, view).is_some() {
                    return Err(format!("two tensors are named {}", quoted(name)));
                }
            }
            Value::Tensor(view) => {
                others.push(format!("{} ({:?})", quoted(name), view.storage.element));
            }
            _ => others.push(format!("{} (no tensor)", quoted(name))),
        }
    }
    notes.extend(names::no_weights(&others));
    Ok(views)
}

/// Refuses tensors that are together much larger than what is stored.
fn check_size(views: &BTreeMap<&str, &Strided<'_>>) -> Result<(), String> {
    let mut stored: BTreeMap<&str, usize> = BTreeMap::new();
    let mut elements = 0_usize;
    for view in views.values() {
        stored.insert(view.storage.key, view.storage.elements);
        elements = elements.saturating_add(view.elements);
    }
    let stored = stored
        .values()
        .fold(0_usize, |sum, &n| sum.saturating_add(n));
    let most = stored
        .saturating_mul(limits::REPETITION)
        .saturating_add(limits::FREE_ELEMENTS)
        .min(limits::ELEMENTS);
    if elements > most {
        return Err(format!(
            "its tensors have {elements} elements, but {stored} are stored: over the limit of {most}"
        ));
    }
    Ok(())
}

fn tensor(view: &Strided<'_>, bytes: &[u8]) -> Result<Tensor, String> {
    let float = view
        .storage
        .element
        .float()
        .ok_or("its numbers are no floats")?;
    element::to_f32(&view.gather(bytes)?, float, &view.shape)
}
