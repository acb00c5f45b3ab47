//! How the tokens of maps of different sizes share one batch.

use crate::Result;
use candle_core::{Device, Tensor};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// Stands for a neighbour that does not exist: candle's gathers give zeros for it.
pub(super) const NOWHERE: u32 = u32::MAX;

/// The images of a batch: their tokens follow each other, row by row, without padding.
///
/// A tensor of a batch has shape (tokens, channels). Images of any size mix freely, an image that
/// is done leaves the batch by dropping its rows, and places of an image can be empty: they have no
/// token, and look to their neighbours like the outside.
#[derive(Debug, Clone, Default)]
pub struct Layout {
    images: Vec<Image>,
    /// What was made for all blocks and segments on this layout; its copies share it.
    made: Arc<Made>,
}

/// A rectangle of places, with a token at each of them or at some.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    rows: usize,
    cols: usize,
    /// The token at each place, counted within the image, or [`NOWHERE`]; none where all places
    /// have theirs.
    at: Option<Arc<[u32]>>,
    tokens: usize,
}

#[derive(Debug, Default)]
struct Made {
    /// Neighbours under kernels of 3 x 3 and of 5 x 5.
    under: [OnceLock<Vec<u32>>; 2],
    taps: [OnceLock<Tensor>; 2],
}

impl PartialEq for Layout {
    fn eq(&self, other: &Self) -> bool {
        self.images == other.images
    }
}

impl Eq for Layout {}

impl Image {
    /// A token at every place.
    pub fn full(rows: usize, cols: usize) -> Self {
        Self {
            rows,
            cols,
            at: None,
            tokens: rows * cols,
        }
    }

    /// A token at every place, row-major, that `is_there`; places are numbered row by row.
    pub fn sparse(rows: usize, cols: usize, is_there: impl Fn(usize) -> bool) -> Self {
        let mut tokens = 0;
        let number = |place| {
            if !is_there(place) {
                return NOWHERE;
            }
            tokens += 1;
            tokens - 1
        };
        let at = (0..rows * cols).map(number).collect();
        Self {
            rows,
            cols,
            at: Some(at),
            tokens: tokens as usize,
        }
    }

    /// The same image with these of its tokens alone; they come in order.
    #[must_use]
    pub fn of_tokens(&self, tokens: &[u32]) -> Self {
        let mut left = tokens.iter().copied().peekable();
        let there: Vec<bool> = (0..self.rows * self.cols)
            .map(|place| {
                let token = self.at(place / self.cols, place % self.cols);
                token != NOWHERE && left.next_if_eq(&token).is_some()
            })
            .collect();
        Self::sparse(self.rows, self.cols, |place| there[place])
    }

    /// (rows, columns) of places.
    pub fn size(&self) -> (usize, usize) {
        (self.rows, self.cols)
    }

    /// How many tokens there are.
    pub fn tokens(&self) -> usize {
        self.tokens
    }

    /// The token at a place, or [`NOWHERE`].
    pub(super) fn at(&self, row: usize, col: usize) -> u32 {
        let place = row * self.cols + col;
        match &self.at {
            Some(at) => at[place],
            None => place as u32,
        }
    }
}

impl Layout {
    /// A batch of full images with these (rows, columns).
    pub fn new(images: Vec<(usize, usize)>) -> Self {
        let full = |(rows, cols)| Image::full(rows, cols);
        Self::of(images.into_iter().map(full).collect())
    }

    /// A batch of these images.
    pub fn of(images: Vec<Image>) -> Self {
        Self {
            images,
            made: Arc::default(),
        }
    }

    /// The images.
    pub fn images(&self) -> &[Image] {
        &self.images
    }

    /// Tokens of all images.
    pub fn tokens(&self) -> usize {
        self.images.iter().map(Image::tokens).sum()
    }

    /// The first token of each image.
    fn offsets(&self) -> impl Iterator<Item = usize> + '_ {
        self.images.iter().scan(0, |next, image| {
            let first = *next;
            *next += image.tokens();
            Some(first)
        })
    }

    /// The tokens of image `index`, as a range of the batch.
    pub fn range(&self, index: usize) -> Range<usize> {
        let first: usize = self.images[..index].iter().map(Image::tokens).sum();
        first..first + self.images[index].tokens()
    }

    /// For each token, the tokens under the taps of a kernel of `side` x `side` (3 or 5) centred on
    /// it: (tokens x taps), taps row by row from the lower left neighbour, so that the middle one
    /// is the token itself; [`NOWHERE`] where there is none.
    ///
    /// They are made once, for all blocks and segments on this layout.
    pub(super) fn under(&self, side: usize) -> &[u32] {
        self.made.under[side / 2 - 1].get_or_init(|| self.make_under(side / 2))
    }

    /// The same as a tensor on a device, (tokens x taps).
    ///
    /// # Errors
    /// A tensor operation that fails.
    pub(super) fn taps(&self, side: usize, device: &Device) -> Result<Tensor> {
        let made = &self.made.taps[side / 2 - 1];
        if let Some(taps) = made.get()
            && taps.device().same_device(device)
        {
            return Ok(taps.clone());
        }
        let taps = Tensor::new(self.under(side), device)?;
        // A layout that is used on two devices keeps those of the first.
        made.get_or_init(|| taps.clone());
        Ok(taps)
    }

    fn make_under(&self, radius: usize) -> Vec<u32> {
        let side = 2 * radius + 1;
        let mut under = Vec::with_capacity(side * side * self.tokens());
        for (first, image) in self.offsets().zip(&self.images) {
            for row in 0..image.rows {
                for col in 0..image.cols {
                    if image.at(row, col) == NOWHERE {
                        continue;
                    }
                    for dr in 0..side {
                        // Wraps around to far outside where it would be negative.
                        let r = (row + dr).wrapping_sub(radius);
                        for dc in 0..side {
                            let c = (col + dc).wrapping_sub(radius);
                            let inside = r < image.rows && c < image.cols;
                            under.push(match inside.then(|| image.at(r, c)) {
                                Some(token) if token != NOWHERE => first as u32 + token,
                                _ => NOWHERE,
                            });
                        }
                    }
                }
            }
        }
        under
    }
}
