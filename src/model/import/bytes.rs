//! The bytes of a pickle, taken off the front one piece at a time.

use super::op;

/// What is left of a pickle.
#[derive(Debug)]
pub struct Bytes<'a> {
    rest: &'a [u8],
    /// All of it, to tell places in it.
    length: usize,
}

impl<'a> Bytes<'a> {
    /// A pickle, from its start.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            length: bytes.len(),
        }
    }

    /// How many have been taken.
    pub fn taken(&self) -> usize {
        self.length - self.rest.len()
    }

    /// Whether all have been taken.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// So many bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or_else(ends_early)?;
        self.rest = rest;
        Ok(*taken)
    }

    /// So many bytes.
    fn take(&mut self, length: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or_else(ends_early)?;
        self.rest = rest;
        Ok(taken)
    }

    /// The integer of an instruction.
    pub fn int(&mut self, opcode: u8) -> Result<i64, String> {
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

    /// The text of an instruction.
    pub fn text(&mut self, opcode: u8) -> Result<&'a str, String> {
        let length = match opcode {
            op::SHORT_BINUNICODE => u64::from(u8::from_le_bytes(self.array()?)),
            op::BINUNICODE => u64::from(u32::from_le_bytes(self.array()?)),
            _ => u64::from_le_bytes(self.array()?),
        };
        let bytes = self.take(usize::try_from(length).unwrap_or(usize::MAX))?;
        std::str::from_utf8(bytes).map_err(|_| "a text is not UTF-8".to_owned())
    }

    /// A line of text, without its end.
    pub fn line(&mut self) -> Result<&'a str, String> {
        let end = self.rest.iter().position(|&byte| byte == b'\n');
        let bytes = self.take(end.ok_or_else(ends_early)?)?;
        self.array::<1>()?;
        std::str::from_utf8(bytes).map_err(|_| "a global's name is not UTF-8".to_owned())
    }
}

fn ends_early() -> String {
    "it ends too early; fetch the file again".to_owned()
}
