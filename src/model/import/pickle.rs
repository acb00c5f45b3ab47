//! A pickle interpreter for untrusted state dicts.
//!
//! A pickle is a program for a small stack machine. This one knows only the instructions by which
//! PyTorch (protocols 2 to 5) writes state dicts, and each of them only makes plain values: a global
//! is a name on a short list (see [`Global`]), never something that runs. Everything else is refused
//! with what was asked for.
//!
//! Values live in one list and refer to each other by place in it. So a value that contains itself
//! costs nothing, no depth of nesting can exhaust the call stack (nothing is walked or dropped
//! recursively), a value that is repeated a million times by the memo is held once, and memory is
//! bounded by the number of instructions. Text is borrowed from the pickle.
//!
//! Format: Python's `pickletools`. candle's own reader (`candle_core::pickle`) does not fit: it
//! clones whole values from the memo and sets memory aside by lengths that the file claims.

use super::limits;
use super::strided::{Storage, Strided};
use super::torch::{self, Global};
use std::collections::HashMap;

/// The instructions, by the names of Python's `pickletools`.
mod op {
    pub const PROTO: u8 = 0x80;
    pub const FRAME: u8 = 0x95;
    pub const STOP: u8 = b'.';
    pub const MARK: u8 = b'(';
    pub const NONE: u8 = b'N';
    pub const NEWTRUE: u8 = 0x88;
    pub const NEWFALSE: u8 = 0x89;
    pub const BININT: u8 = b'J';
    pub const BININT1: u8 = b'K';
    pub const BININT2: u8 = b'M';
    pub const LONG1: u8 = 0x8a;
    pub const BINFLOAT: u8 = b'G';
    pub const SHORT_BINUNICODE: u8 = 0x8c;
    pub const BINUNICODE: u8 = b'X';
    pub const BINUNICODE8: u8 = 0x8d;
    pub const EMPTY_TUPLE: u8 = b')';
    pub const TUPLE1: u8 = 0x85;
    pub const TUPLE2: u8 = 0x86;
    pub const TUPLE3: u8 = 0x87;
    pub const TUPLE: u8 = b't';
    pub const EMPTY_LIST: u8 = b']';
    pub const APPEND: u8 = b'a';
    pub const APPENDS: u8 = b'e';
    pub const EMPTY_DICT: u8 = b'}';
    pub const SETITEM: u8 = b's';
    pub const SETITEMS: u8 = b'u';
    pub const BINPUT: u8 = b'q';
    pub const LONG_BINPUT: u8 = b'r';
    pub const MEMOIZE: u8 = 0x94;
    pub const BINGET: u8 = b'h';
    pub const LONG_BINGET: u8 = b'j';
    pub const GLOBAL: u8 = b'c';
    pub const STACK_GLOBAL: u8 = 0x93;
    pub const REDUCE: u8 = b'R';
    pub const BUILD: u8 = b'b';
    pub const BINPERSID: u8 = b'Q';
}

/// The place of a value in its [`Pickle`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Id(usize);

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

/// The stack machine.
struct Machine<'a> {
    /// What is left of the pickle.
    rest: &'a [u8],
    /// Its length, to tell places in it.
    length: usize,
    values: Vec<Value<'a>>,
    stack: Vec<Id>,
    /// Heights of the stack at the open marks.
    marks: Vec<usize>,
    memo: HashMap<u32, Id>,
    tensors: usize,
}

impl<'a> Machine<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            length: bytes.len(),
            values: Vec::new(),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: HashMap::new(),
            tensors: 0,
        }
    }

    /// Runs to the end; the value that is left.
    fn run(&mut self) -> Result<Id, String> {
        for _ in 0..limits::OPCODES {
            let at = self.length - self.rest.len();
            let [opcode] = self.array()?;
            if opcode == op::STOP {
                return self.finish();
            }
            self.step(opcode)
                .map_err(|reason| format!("its pickle, byte {at}: {reason}"))?;
        }
        Err(format!(
            "its pickle has more than {} instructions",
            limits::OPCODES
        ))
    }

    fn finish(&mut self) -> Result<Id, String> {
        let root = self.pop()?;
        if self.stack.is_empty() && self.marks.is_empty() && self.rest.is_empty() {
            Ok(root)
        } else {
            Err("its pickle is not one value".to_owned())
        }
    }

    fn step(&mut self, opcode: u8) -> Result<(), String> {
        match opcode {
            op::PROTO => self.check_protocol(),
            // How the rest is cut into frames is of no interest with all of it in memory.
            op::FRAME => self.array::<8>().map(drop),
            op::MARK => {
                self.marks.push(self.stack.len());
                Ok(())
            }
            op::NONE => self.push(Value::None),
            op::NEWTRUE => self.push(Value::Bool(true)),
            op::NEWFALSE => self.push(Value::Bool(false)),
            op::BININT | op::BININT1 | op::BININT2 | op::LONG1 => {
                let int = self.int(opcode)?;
                self.push(Value::Int(int))
            }
            op::BINFLOAT => {
                let float = f64::from_be_bytes(self.array()?);
                self.push(Value::Float(float))
            }
            op::SHORT_BINUNICODE | op::BINUNICODE | op::BINUNICODE8 => {
                let text = self.text(opcode)?;
                self.push(Value::Text(text))
            }
            op::EMPTY_TUPLE => self.push(Value::Tuple(Vec::new())),
            op::TUPLE1 | op::TUPLE2 | op::TUPLE3 => {
                let items = self.pop_many(usize::from(opcode - op::TUPLE1) + 1)?;
                self.push(Value::Tuple(items))
            }
            op::TUPLE => {
                let items = self.pop_to_mark()?;
                self.push(Value::Tuple(items))
            }
            op::EMPTY_LIST => self.push(Value::List(Vec::new())),
            op::APPEND => {
                let items = self.pop_many(1)?;
                self.extend_list(items)
            }
            op::APPENDS => {
                let items = self.pop_to_mark()?;
                self.extend_list(items)
            }
            op::EMPTY_DICT => self.push(Value::Dict(Vec::new())),
            op::SETITEM => {
                let items = self.pop_many(2)?;
                self.extend_dict(&items)
            }
            op::SETITEMS => {
                let items = self.pop_to_mark()?;
                self.extend_dict(&items)
            }
            op::BINPUT | op::LONG_BINPUT | op::MEMOIZE => self.remember(opcode),
            op::BINGET | op::LONG_BINGET => self.recall(opcode),
            op::GLOBAL => {
                let (module, name) = (self.line()?, self.line()?);
                self.push(Value::Global(Global::named(module, name)?))
            }
            op::STACK_GLOBAL => {
                let (name, module) = (self.pop()?, self.pop()?);
                let (Value::Text(module), Value::Text(name)) =
                    (self.value(module), self.value(name))
                else {
                    return Err("a global's name is not text".to_owned());
                };
                let global = Global::named(module, name)?;
                self.push(Value::Global(global))
            }
            op::REDUCE => self.call(),
            op::BUILD => self.set_attributes(),
            op::BINPERSID => {
                let id = self.pop()?;
                let storage = torch::storage(self.tuple(id)?, &self.values)?;
                self.push(Value::Storage(storage))
            }
            other => Err(format!(
                "instruction {other:#04x} makes what no state dict holds; save model.state_dict() \
                 alone with torch.save"
            )),
        }
    }

    fn check_protocol(&mut self) -> Result<(), String> {
        match self.array()? {
            [2..=5] => Ok(()),
            [protocol] => Err(format!(
                "protocol {protocol} is not one of 2 to 5; save it again with a current PyTorch"
            )),
        }
    }

    fn int(&mut self, opcode: u8) -> Result<i64, String> {
        Ok(match opcode {
            op::BININT => i64::from(i32::from_le_bytes(self.array()?)),
            op::BININT1 => i64::from(u8::from_le_bytes(self.array()?)),
            op::BININT2 => i64::from(u16::from_le_bytes(self.array()?)),
            _ => {
                let [length] = self.array()?;
                let bytes = self.take(usize::from(length))?;
                let sign = bytes
                    .last()
                    .map_or(0, |&byte| if byte < 0x80 { 0 } else { 0xff });
                let mut wide = [sign; 8];
                wide.get_mut(..bytes.len())
                    .ok_or_else(|| format!("an integer of {length} bytes is too large"))?
                    .copy_from_slice(bytes);
                i64::from_le_bytes(wide)
            }
        })
    }

    fn text(&mut self, opcode: u8) -> Result<&'a str, String> {
        let length = match opcode {
            op::SHORT_BINUNICODE => u64::from(u8::from_le_bytes(self.array()?)),
            op::BINUNICODE => u64::from(u32::from_le_bytes(self.array()?)),
            _ => u64::from_le_bytes(self.array()?),
        };
        let bytes = self.take(usize::try_from(length).unwrap_or(usize::MAX))?;
        std::str::from_utf8(bytes).map_err(|_| "a text is not UTF-8".to_owned())
    }

    /// A line of text, without its end.
    fn line(&mut self) -> Result<&'a str, String> {
        let end = self.rest.iter().position(|&byte| byte == b'\n');
        let bytes = self.take(end.ok_or_else(ends_early)?)?;
        self.array::<1>()?;
        std::str::from_utf8(bytes).map_err(|_| "a global's name is not UTF-8".to_owned())
    }

    fn extend_list(&mut self, items: Vec<Id>) -> Result<(), String> {
        match self.top_mut()? {
            Value::List(list) => list.extend(items),
            _ => return Err("an item is added to what is no list".to_owned()),
        }
        Ok(())
    }

    fn extend_dict(&mut self, items: &[Id]) -> Result<(), String> {
        let (pairs, odd) = items.as_chunks::<2>();
        if !odd.is_empty() {
            return Err("a dict's key has no value".to_owned());
        }
        match self.top_mut()? {
            Value::Dict(dict) => dict.extend(pairs.iter().map(|&[key, value]| (key, value))),
            _ => return Err("a key is set on what is no dict".to_owned()),
        }
        Ok(())
    }

    fn remember(&mut self, opcode: u8) -> Result<(), String> {
        let place = match opcode {
            op::BINPUT => u32::from(u8::from_le_bytes(self.array()?)),
            op::LONG_BINPUT => u32::from_le_bytes(self.array()?),
            _ => u32::try_from(self.memo.len()).unwrap_or(u32::MAX),
        };
        self.memo.insert(place, self.top()?);
        Ok(())
    }

    fn recall(&mut self, opcode: u8) -> Result<(), String> {
        let place = match opcode {
            op::BINGET => u32::from(u8::from_le_bytes(self.array()?)),
            _ => u32::from_le_bytes(self.array()?),
        };
        let id = self.memo.get(&place);
        let id = *id.ok_or_else(|| format!("nothing was remembered as number {place}"))?;
        self.stack.push(id);
        Ok(())
    }

    /// What Python would call, for the few globals that are allowed.
    fn call(&mut self) -> Result<(), String> {
        let (arguments, callee) = (self.pop()?, self.pop()?);
        let Value::Global(callee) = *self.value(callee) else {
            return Err("something is called that is not a global".to_owned());
        };
        let items = self.tuple(arguments)?;
        let made = match callee {
            Global::OrderedDict if items.is_empty() => Value::Dict(Vec::new()),
            Global::RebuildTensor => {
                let tensor = torch::tensor(items, &self.values)?;
                self.tensors += 1;
                if self.tensors > limits::TENSORS {
                    return Err(format!("there are more than {} tensors", limits::TENSORS));
                }
                Value::Tensor(tensor)
            }
            // These wrap one of their arguments, which is there already.
            Global::RebuildParameter | Global::Size => {
                let &id = items.first().ok_or("an argument is missing")?;
                let fits = matches!(
                    (callee, self.value(id)),
                    (Global::RebuildParameter, Value::Tensor(_)) | (Global::Size, Value::Tuple(_))
                );
                if !fits {
                    return Err(format!("{} is given what it does not take", callee.name()));
                }
                self.stack.push(id);
                return Ok(());
            }
            _ => {
                return Err(format!(
                    "{} is called so as torch.save never does",
                    callee.name()
                ));
            }
        };
        self.push(made)
    }

    /// State dicts carry an attribute with version numbers, of no use here.
    fn set_attributes(&mut self) -> Result<(), String> {
        self.pop()?;
        match self.top_mut()? {
            Value::Dict(_) => Ok(()),
            _ => Err("attributes are set on what is no state dict".to_owned()),
        }
    }

    fn value(&self, id: Id) -> &Value<'a> {
        id.of(&self.values)
    }

    fn tuple(&self, id: Id) -> Result<&[Id], String> {
        match self.value(id) {
            Value::Tuple(items) => Ok(items),
            _ => Err("arguments are no tuple".to_owned()),
        }
    }

    fn push(&mut self, value: Value<'a>) -> Result<(), String> {
        self.stack.push(Id(self.values.len()));
        self.values.push(value);
        Ok(())
    }

    /// The stack above the innermost mark; what lies below belongs to someone else.
    fn top(&self) -> Result<Id, String> {
        let floor = self.marks.last().copied().unwrap_or(0);
        let above = self.stack.get(floor..).unwrap_or_default();
        above
            .last()
            .copied()
            .ok_or_else(|| "the stack is empty".to_owned())
    }

    fn top_mut(&mut self) -> Result<&mut Value<'a>, String> {
        let Id(place) = self.top()?;
        Ok(&mut self.values[place])
    }

    fn pop(&mut self) -> Result<Id, String> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    /// The upper `count` values, in the order in which they came.
    fn pop_many(&mut self, count: usize) -> Result<Vec<Id>, String> {
        let mut items = (0..count)
            .map(|_| self.pop())
            .collect::<Result<Vec<_>, _>>()?;
        items.reverse();
        Ok(items)
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Id>, String> {
        let floor = self.marks.pop().ok_or("a mark is missing")?;
        // Nothing is popped below a mark, so the stack is at least as high.
        Ok(self.stack.split_off(floor.min(self.stack.len())))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or_else(ends_early)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or_else(ends_early)?;
        self.rest = rest;
        Ok(*taken)
    }
}

fn ends_early() -> String {
    "it ends too early; fetch the file again".to_owned()
}
