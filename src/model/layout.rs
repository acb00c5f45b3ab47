//! How maps of different sizes share one batch.

/// The images of a batch: their cells follow each other, row-major, without padding.
///
/// A tensor of a batch has shape (cells, channels). Maps of any size mix freely, and a map that
/// is done leaves the batch by dropping its rows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Layout {
    images: Vec<(usize, usize)>,
}

impl Layout {
    /// A batch of images with these (rows, columns).
    pub fn new(images: Vec<(usize, usize)>) -> Self {
        Self { images }
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

    /// For each cell, the cell under tap `tap` of a 3 x 3 kernel centred on it (taps row by row
    /// from the lower left neighbour; 4 is the cell itself), or `cells()` outside the image.
    pub(crate) fn under_tap(&self, tap: usize) -> Vec<u32> {
        let (dr, dc) = (tap / 3, tap % 3);
        let outside = self.cells() as u32;
        let mut under = Vec::with_capacity(self.cells());
        for (first, &(rows, cols)) in self.offsets().zip(&self.images) {
            for row in 0..rows {
                for col in 0..cols {
                    let (r, c) = (row + dr, col + dc);
                    let inside = (1..=rows).contains(&r) && (1..=cols).contains(&c);
                    under.push(if inside {
                        (first + (r - 1) * cols + (c - 1)) as u32
                    } else {
                        outside
                    });
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
