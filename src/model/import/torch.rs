//! What a state dict's pickle names, and what it builds from it.
//!
//! The list of globals is closed: containers, storages, tensors. None of them runs anything here;
//! a call of `torch._utils._rebuild_tensor_v2` is read as the description of a tensor, as PyTorch's
//! documentation of its serialisation has it.

use super::element::Element;
use super::limits::{self, quoted};
use super::pickle::{Id, Value};
use super::strided::{Storage, Strided};

/// A global that a state dict may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Global {
    /// `collections.OrderedDict`
    OrderedDict,
    /// `torch._utils._rebuild_tensor_v2`
    RebuildTensor,
    /// `torch._utils._rebuild_parameter`
    RebuildParameter,
    /// `torch.Size`
    Size,
    /// A class such as `torch.FloatStorage`
    StorageClass(Element),
    /// A dtype such as `torch.float32`
    Dtype(Element),
}

impl Global {
    /// The global of this name.
    ///
    /// # Errors
    /// One that is not on the list, by name.
    pub fn named(module: &str, name: &str) -> Result<Self, String> {
        let global = match (module, name) {
            ("collections", "OrderedDict") => Some(Self::OrderedDict),
            ("torch._utils", "_rebuild_tensor_v2") => Some(Self::RebuildTensor),
            ("torch._utils", "_rebuild_parameter") => Some(Self::RebuildParameter),
            ("torch", "Size") => Some(Self::Size),
            ("torch", name) => Element::of_storage(name)
                .map(Self::StorageClass)
                .or_else(|| Element::of_dtype(name).map(Self::Dtype)),
            _ => None,
        };
        global.ok_or_else(|| {
            format!(
                "it asks for {}, which no state dict needs, and was refused: nothing was run; if \
                 you trust the file, save model.state_dict() alone with torch.save",
                quoted(&format!("{module}.{name}"))
            )
        })
    }

    /// Its name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::OrderedDict => "collections.OrderedDict",
            Self::RebuildTensor => "torch._utils._rebuild_tensor_v2",
            Self::RebuildParameter => "torch._utils._rebuild_parameter",
            Self::Size => "torch.Size",
            Self::StorageClass(_) => "a storage's class",
            Self::Dtype(_) => "a dtype",
        }
    }
}

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
