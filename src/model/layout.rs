//! How maps of different sizes share one batch.

use crate::Result;
use candle_core::{Device, Tensor};
use std::sync::{Arc, OnceLock};

/// Taps of a 3 x 3 kernel.
pub(super) const TAPS: usize = 9;

/// The images of a batch: their cells follow each other, row-major, without padding.
///
/// A tensor of a batch has shape (cells, channels). Maps of any size mix freely, and a map that
/// is done leaves the batch by dropping its rows.
#[derive(Debug, Clone, Default)]
pub struct Layout {
    images: Vec<(usize, usize)>,
    /// What [`Layout::taps`] made first; copies of a layout share it.
    taps: Arc<OnceLock<Tensor>>,
}

impl PartialEq for Layout {
    fn eq(&self, other: &Self) -> bool {
        self.images == other.images
    }
}

impl Eq for Layout {}

impl Layout {
    /// A batch of images with these (rows, columns).
    pub fn new(images: Vec<(usize, usize)>) -> Self {
        Self {
            images,
            taps: Arc::default(),
        }
    }

    /// (rows, columns) of each image.
    pub fn images(&self) -> &[(usize, usize)] {
        &self.images
    }

    /// Cells of all images.
    pub fn cells(&self) -> usize {
        self.images.iter().map(|(rows, cols)| rows * cols).sum()
    }

    /// The first cell of each image.
    pub fn offsets(&self) -> impl Iterator<Item = usize> + '_ {
        self.images.iter().scan(0, |next, (rows, cols)| {
            let first = *next;
            *next += rows * cols;
            Some(first)
        })
    }

    /// For each cell, the cells under the nine taps of a 3 x 3 kernel centred on it: (9 cells),
    /// taps row by row from the lower left neighbour, so that 4 is the cell itself. Outside of an
    /// image it is `u32::MAX`, for which candle's gathers give zeros.
    ///
    /// They are made and brought to the device once, for all blocks and segments on this layout.
    ///
    /// # Errors
    /// A tensor operation that fails.
    pub(super) fn taps(&self, device: &Device) -> Result<Tensor> {
        if let Some(taps) = self.taps.get()
            && taps.device().same_device(device)
        {
            return Ok(taps.clone());
        }
        let taps = Tensor::new(self.under_taps(), device)?;
        // A layout that is used on two devices keeps those of the first.
        self.taps.get_or_init(|| taps.clone());
        Ok(taps)
    }

    fn under_taps(&self) -> Vec<u32> {
        let mut under = Vec::with_capacity(TAPS * self.cells());
        for (first, &(rows, cols)) in self.offsets().zip(&self.images) {
            for row in 0..rows {
                for col in 0..cols {
                    under.extend((0..TAPS).map(|tap| {
                        let (r, c) = (row + tap / 3, col + tap % 3);
                        let inside = (1..=rows).contains(&r) && (1..=cols).contains(&c);
                        if inside {
                            (first + (r - 1) * cols + (c - 1)) as u32
                        } else {
                            u32::MAX
                        }
                    }));
                }
            }
        }
        under
    }

    /// The cells of image `index`, as a range of the batch.
    pub fn range(&self, index: usize) -> std::ops::Range<usize> {
        let first: usize = self.images[..index].iter().map(|(r, c)| r * c).sum();
        let (rows, cols) = self.images[index];
        first..first + rows * cols
    }
}
