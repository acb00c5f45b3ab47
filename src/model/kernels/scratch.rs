//! Buffers of each thread, kept from call to call.

use std::cell::RefCell;
use std::thread::LocalKey;

thread_local! {
    static SCRATCH: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
    static WORKSPACE: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
    static PAIRS: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
}

/// Lends `f` a buffer of this thread of `len` numbers with any contents, for one chunk.
pub(super) fn with_scratch<R>(len: usize, f: impl FnOnce(&mut [f32]) -> R) -> R {
    lend(&SCRATCH, len, f)
}

/// The same for a whole batch, by the thread that shares the work out.
pub(super) fn with_workspace<R>(len: usize, f: impl FnOnce(&mut [f32]) -> R) -> R {
    lend(&WORKSPACE, len, f)
}

/// Lends `f` a buffer of this thread of `len` pairs of bf16 numbers with any contents.
pub(super) fn with_pairs<R>(len: usize, f: impl FnOnce(&mut [u32]) -> R) -> R {
    lend(&PAIRS, len, f)
}

fn lend<T: Copy + Default, R>(
    of: &'static LocalKey<RefCell<Vec<T>>>,
    len: usize,
    f: impl FnOnce(&mut [T]) -> R,
) -> R {
    // Taken out, not borrowed: a rayon worker that steals work in here gets a buffer of its own.
    let mut buffer = of.take();
    if buffer.len() < len {
        buffer.resize(len, T::default());
    }
    let result = f(&mut buffer[..len]);
    of.set(buffer);
    result
}

/// Takes `N` buffers of the given lengths off the front of `scratch`.
#[inline(always)]
pub(super) fn carve<const N: usize>(scratch: &mut [f32], lengths: [usize; N]) -> [&mut [f32]; N] {
    let mut rest = scratch;
    let mut buffers = [(); N].map(|()| Default::default());
    for (buffer, len) in buffers.iter_mut().zip(lengths) {
        (*buffer, rest) = std::mem::take(&mut rest).split_at_mut(len);
    }
    buffers
}
