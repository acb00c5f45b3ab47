//! A pickle interpreter for untrusted state dicts.
//!
//! A pickle is a program for a small stack machine. Ours (`machine`) knows only the instructions by
//! which PyTorch writes state dicts, protocols 2 to 5, and each of them only makes plain values: a
//! global is a name on a short list (`global`), never something that runs. Everything else is
//! refused with what was asked for.
//!
//! Values live in one list and refer to each other by place in it. So a value that contains itself
//! costs nothing, no depth of nesting can exhaust the call stack (nothing is walked or dropped
//! recursively), a value that is repeated a million times by the memo is held once, and memory is
//! bounded by the number of instructions. Text is borrowed from the pickle.
//!
//! Format: Python's `pickletools`. candle's own reader (`candle_core::pickle`) does not fit: it
//! clones whole values from the memo and sets memory aside by lengths that the file claims.

use super::machine::Machine;
use super::value::{Id, Value};

/// What a pickle holds.
#[derive(Debug)]
pub struct Pickle<'a> {
    values: Vec<Value<'a>>,
    root: Id,
}

impl<'a> Pickle<'a> {
    /// Runs a pickle.
    ///
    /// # Errors
    /// What is wrong or refused, for the reader of a message.
    pub fn load(bytes: &'a [u8]) -> Result<Self, String> {
        let mut machine = Machine::new(bytes);
        let root = machine.run()?;
        let values = machine.values;
        Ok(Self { values, root })
    }

    /// The outermost value.
    pub fn root(&self) -> &Value<'a> {
        self.value(self.root)
    }

    /// The value at a place.
    pub fn value(&self, id: Id) -> &Value<'a> {
        id.of(&self.values)
    }
}
