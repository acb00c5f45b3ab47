//! The names that a state dict's pickle may use. The list is closed, and none of them runs anything.

use super::element::Element;
use super::limits::quoted;

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
