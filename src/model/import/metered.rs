//! A reader that stops after so many bytes.
//!
//! A zip archive's directory may claim anything; what it makes a program hold in memory grows with
//! what is read of it. So the directory is read on a budget, which is lifted afterwards, when the
//! sizes of all files are known and checked.

use std::cell::Cell;
use std::io::{self, Read, Seek, SeekFrom};
use std::rc::Rc;

/// A reader with a budget.
#[derive(Debug)]
pub struct Metered<R> {
    inner: R,
    budget: Budget,
}

/// The bytes that a [`Metered`] reader may still read.
#[derive(Debug, Clone)]
pub struct Budget(Rc<Cell<u64>>);

impl Budget {
    /// Lets the reader read as much as it likes from now on.
    pub fn lift(&self) {
        self.0.set(u64::MAX);
    }
}

impl<R> Metered<R> {
    /// A reader of at most `bytes`, and its budget.
    pub fn new(inner: R, bytes: u64) -> (Self, Budget) {
        let budget = Budget(Rc::new(Cell::new(bytes)));
        let reader = Self {
            inner,
            budget: budget.clone(),
        };
        (reader, budget)
    }
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.budget.0.get();
        if left == 0 && !buffer.is_empty() {
            return Err(io::Error::other("its directory is too large"));
        }
        let wanted = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let read = self.inner.read(&mut buffer[..wanted])?;
        self.budget.0.set(left.saturating_sub(read as u64));
        Ok(read)
    }
}

impl<R: Seek> Seek for Metered<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}
