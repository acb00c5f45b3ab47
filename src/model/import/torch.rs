//! Storages and tensors, as a state dict's pickle describes them.
//!
//! Where PyTorch would call `torch._utils._rebuild_tensor_v2`, its arguments are read here: which
//! storage, and which of its elements.

use super::global::Global;
use super::limits;
use super::strided::{Storage, Strided};
use super::value::{Id, Value};

/// The storage that a persistent id names: `("storage", class, key, device, elements)`.
///
/// # Errors
/// What is wrong, for the reader of a message.
pub fn storage<'a>(id: &[Id], values: &[Value<'a>]) -> Result<Storage<'a>, String> {
    let wrong = || "a storage is not described as torch.save does it".to_owned();
    let &[kind, class, key, _device, elements] = id else {
        return Err(wrong());
    };
    let [kind, class, key, elements] = [kind, class, key, elements].map(|id| id.of(values));
    match (kind, class, key, elements) {
        (
            Value::Text("storage"),
            &Value::Global(Global::StorageClass(element)),
            &Value::Text(key),
            &Value::Int(elements),
        ) => Ok(Storage {
            key,
            element,
            elements: usize::try_from(elements).map_err(|_| wrong())?,
        }),
        _ => Err(wrong()),
    }
}

/// The tensor that these arguments describe: storage, offset, shape, strides, and what matters to
/// training only.
///
/// # Errors
/// What is wrong, for the reader of a message.
pub fn tensor<'a>(arguments: &[Id], values: &[Value<'a>]) -> Result<Strided<'a>, String> {
    let wrong = || "a tensor is not described as torch.save does it".to_owned();
    let &[storage, offset, shape, strides, ..] = arguments else {
        return Err(wrong());
    };
    let &Value::Storage(storage) = storage.of(values) else {
        return Err(wrong());
    };
    let count = |id: Id| match id.of(values) {
        &Value::Int(int) => usize::try_from(int).ok(),
        _ => None,
    };
    let counts = |id: Id| match id.of(values) {
        Value::Tuple(items) if items.len() <= limits::AXES => items
            .iter()
            .map(|&id| count(id))
            .collect::<Option<Vec<_>>>(),
        _ => None,
    };
    match (count(offset), counts(shape), counts(strides)) {
        (Some(offset), Some(shape), Some(strides)) => Strided::new(storage, offset, shape, strides),
        _ => Err(format!(
            "a tensor's offset, shape or strides are not counts of at most {} axes",
            limits::AXES
        )),
    }
}
