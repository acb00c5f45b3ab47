//! A batch of planning problems as the grid HRM takes it.

use super::encode::{Encoding, Patches, encode};
use super::layout::{Layout, NOWHERE};
use crate::Result;
use crate::grid::{Cell, Costmap};
use crate::search::Rules;
use candle_core::{Device, Tensor};

/// Problems on maps of any sizes, without padding between them.
#[derive(Debug, Clone)]
pub struct GridProblems {
    /// (tokens, [`Patches::width`]): the input of [`encode`] of all maps. On any device: a model
    /// takes it to its own.
    pub input: Tensor,
    /// Where the tokens are.
    pub tokens: Layout,
    /// What they are of.
    pub maps: Maps,
}

/// The maps of a batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Maps {
    /// (rows, columns) of cells.
    pub sizes: Vec<(usize, usize)>,
    /// For each map the cell that a plan is asked for, row-major within the map: where halting is
    /// judged.
    pub starts: Vec<usize>,
}

impl Maps {
    /// Cells of all maps.
    pub fn cells(&self) -> usize {
        self.sizes.iter().map(|(rows, cols)| rows * cols).sum()
    }

    /// The cells of map `index`, as a range of the batch.
    pub fn range(&self, index: usize) -> std::ops::Range<usize> {
        let cells = |&(rows, cols): &(usize, usize)| rows * cols;
        let first: usize = self.sizes[..index].iter().map(cells).sum();
        first..first + cells(&self.sizes[index])
    }

    /// Where the read-out of each cell is among those of all tokens' cells, p x p of each token row
    /// by row; [`NOWHERE`] where there is no token.
    pub(super) fn places(&self, tokens: &Layout, side: usize) -> Vec<u32> {
        let mut places = Vec::with_capacity(self.cells());
        let mut first = 0;
        for (&(rows, cols), image) in self.sizes.iter().zip(tokens.images()) {
            for row in 0..rows {
                for col in 0..cols {
                    let token = image.at(row / side, col / side);
                    let within = (row % side * side + col % side) as u32;
                    places.push(if token == NOWHERE {
                        NOWHERE
                    } else {
                        (first + token) * (side * side) as u32 + within
                    });
                }
            }
            first += image.tokens() as u32;
        }
        places
    }
}

impl GridProblems {
    /// One problem, for models with these patches; its input is on the CPU.
    ///
    /// # Errors
    /// A tensor operation that fails.
    pub fn one(
        map: &Costmap,
        rules: &Rules,
        start: Cell,
        goal: Cell,
        patches: Patches,
    ) -> Result<Self> {
        let geometry = map.geometry();
        let Encoding { input, image } = encode(map, goal, rules, patches);
        let shape = (image.tokens(), patches.width());
        Ok(Self {
            input: Tensor::from_vec(input, shape, &Device::Cpu)?,
            tokens: Layout::of(vec![image]),
            maps: Maps {
                sizes: vec![(geometry.height(), geometry.width())],
                starts: vec![geometry.index(start)],
            },
        })
    }

    /// The problem of a batch of one with these of its tokens alone, which come in order.
    ///
    /// # Errors
    /// A tensor operation that fails, as for a token that is not there.
    pub fn part(&self, tokens: &[u32]) -> Result<Self> {
        let rows = Tensor::new(tokens, self.input.device())?;
        Ok(Self {
            input: self.input.index_select(&rows, 0)?,
            tokens: Layout::of(vec![self.tokens.images()[0].of_tokens(tokens)]),
            maps: self.maps.clone(),
        })
    }

    /// Problems of several batches as one batch, in order.
    ///
    /// # Errors
    /// A tensor operation that fails, as for inputs of other patches or on different devices.
    pub fn cat(batches: &[&Self]) -> Result<Self> {
        let inputs: Vec<&Tensor> = batches.iter().map(|batch| &batch.input).collect();
        let images = batches.iter().flat_map(|batch| batch.tokens.images());
        let maps = || batches.iter().map(|batch| &batch.maps);
        Ok(Self {
            input: Tensor::cat(&inputs, 0)?,
            tokens: Layout::of(images.cloned().collect()),
            maps: Maps {
                sizes: maps().flat_map(|maps| maps.sizes.clone()).collect(),
                starts: maps().flat_map(|maps| maps.starts.clone()).collect(),
            },
        })
    }
}

/// A batch as every segment reads it.
#[derive(Debug, Clone)]
pub struct GridEncoded {
    /// (tokens, C): e.
    pub e: Tensor,
    /// Where the tokens are.
    pub tokens: Layout,
    /// What they are of.
    pub maps: Maps,
    /// As [`Maps::places`] gives them; none where cells and tokens are the same.
    pub(super) places: Option<Tensor>,
}

impl GridEncoded {
    /// A batch with this e, (tokens, C), for a model whose patches have this side.
    ///
    /// # Errors
    /// A tensor operation that fails.
    pub fn new(e: Tensor, tokens: Layout, maps: Maps, side: usize) -> Result<Self> {
        let same = side == 1 && tokens.tokens() == maps.cells();
        let places = if same {
            None
        } else {
            Some(Tensor::new(maps.places(&tokens, side), e.device())?)
        };
        Ok(Self {
            e,
            tokens,
            maps,
            places,
        })
    }
}
