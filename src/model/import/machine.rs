//! The stack machine that a pickle is a program for; see the module `pickle`.

use super::bytes::Bytes;
use super::global::Global;
use super::limits;
use super::op;
use super::torch;
use super::value::{Id, Value};
use std::collections::HashMap;

/// The machine. Values are made once and never removed; everything else refers to them by place.
pub struct Machine<'a> {
    bytes: Bytes<'a>,
    pub values: Vec<Value<'a>>,
    stack: Vec<Id>,
    /// Heights of the stack at the open marks.
    marks: Vec<usize>,
    memo: HashMap<u32, Id>,
    tensors: usize,
}

impl<'a> Machine<'a> {
    /// A machine about to run a pickle.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes: Bytes::new(bytes),
            values: Vec::new(),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: HashMap::new(),
            tensors: 0,
        }
    }

    /// Runs to the end; the value that is left.
    pub fn run(&mut self) -> Result<Id, String> {
        for _ in 0..limits::OPCODES {
            let at = self.bytes.taken();
            let [opcode] = self.bytes.array()?;
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
        if self.stack.is_empty() && self.marks.is_empty() && self.bytes.is_empty() {
            Ok(root)
        } else {
            Err("its pickle is not one value".to_owned())
        }
    }

    /// Carries out one instruction: it makes a value, or it rearranges what is there.
    fn step(&mut self, opcode: u8) -> Result<(), String> {
        let made = match opcode {
            op::NONE => Value::None,
            op::NEWTRUE => Value::Bool(true),
            op::NEWFALSE => Value::Bool(false),
            op::BININT | op::BININT1 | op::BININT2 | op::LONG1 => {
                Value::Int(self.bytes.int(opcode)?)
            }
            op::BINFLOAT => Value::Float(f64::from_be_bytes(self.bytes.array()?)),
            op::SHORT_BINUNICODE | op::BINUNICODE | op::BINUNICODE8 => {
                Value::Text(self.bytes.text(opcode)?)
            }
            op::EMPTY_TUPLE => Value::Tuple(Vec::new()),
            op::TUPLE1 => Value::Tuple(self.pop_many(1)?),
            op::TUPLE2 => Value::Tuple(self.pop_many(2)?),
            op::TUPLE3 => Value::Tuple(self.pop_many(3)?),
            op::TUPLE => Value::Tuple(self.pop_to_mark()?),
            op::EMPTY_LIST => Value::List(Vec::new()),
            op::EMPTY_DICT => Value::Dict(Vec::new()),
            op::GLOBAL => {
                let (module, name) = (self.bytes.line()?, self.bytes.line()?);
                Value::Global(Global::named(module, name)?)
            }
            op::STACK_GLOBAL => self.global_of_stack()?,
            op::BINPERSID => {
                let id = self.pop()?;
                Value::Storage(torch::storage(self.tuple(id)?, &self.values)?)
            }
            _ => return self.rearrange(opcode),
        };
        self.push(made);
        Ok(())
    }

    fn rearrange(&mut self, opcode: u8) -> Result<(), String> {
        match opcode {
            op::PROTO => self.check_protocol(),
            // How the rest is cut into frames is of no interest with all of it in memory.
            op::FRAME => self.bytes.array::<8>().map(drop),
            op::MARK => {
                self.marks.push(self.stack.len());
                Ok(())
            }
            op::APPEND => {
                let items = self.pop_many(1)?;
                self.extend_list(items)
            }
            op::APPENDS => {
                let items = self.pop_to_mark()?;
                self.extend_list(items)
            }
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
            op::REDUCE => self.call(),
            op::BUILD => self.set_attributes(),
            other => Err(format!(
                "instruction {other:#04x} makes what no state dict holds; save model.state_dict() \
                 alone with torch.save"
            )),
        }
    }

    fn global_of_stack(&mut self) -> Result<Value<'a>, String> {
        let (name, module) = (self.pop()?, self.pop()?);
        match (self.value(module), self.value(name)) {
            (Value::Text(module), Value::Text(name)) => {
                Ok(Value::Global(Global::named(module, name)?))
            }
            _ => Err("a global's name is not text".to_owned()),
        }
    }

    fn check_protocol(&mut self) -> Result<(), String> {
        match self.bytes.array()? {
            [2..=5] => Ok(()),
            [protocol] => Err(format!(
                "protocol {protocol} is not one of 2 to 5; save it again with a current PyTorch"
            )),
        }
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
            op::BINPUT => u32::from(u8::from_le_bytes(self.bytes.array()?)),
            op::LONG_BINPUT => u32::from_le_bytes(self.bytes.array()?),
            _ => u32::try_from(self.memo.len()).unwrap_or(u32::MAX),
        };
        self.memo.insert(place, self.top()?);
        Ok(())
    }

    fn recall(&mut self, opcode: u8) -> Result<(), String> {
        let place = match opcode {
            op::BINGET => u32::from(u8::from_le_bytes(self.bytes.array()?)),
            _ => u32::from_le_bytes(self.bytes.array()?),
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
        self.push(made);
        Ok(())
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

    fn push(&mut self, value: Value<'a>) {
        self.stack.push(Id(self.values.len()));
        self.values.push(value);
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
}
