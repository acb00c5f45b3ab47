//! The values that a pickle makes. They refer to each other by place in one list; see `pickle`.

use super::global::Global;
use super::strided::{Storage, Strided};

/// The place of a value in its pickle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Id(pub(super) usize);

impl Id {
    /// The value at this place of the list it was made for.
    pub fn of<'v, 'a>(self, values: &'v [Value<'a>]) -> &'v Value<'a> {
        &values[self.0]
    }
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(&'a str),
    Tuple(Vec<Id>),
    List(Vec<Id>),
    /// A dict or an `OrderedDict`; keys may repeat.
    Dict(Vec<(Id, Id)>),
    Global(Global),
    Storage(Storage<'a>),
    Tensor(Strided<'a>),
}
