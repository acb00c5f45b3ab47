//! What a grid HRM is made of: sizes and the names and shapes of its tensors.

use super::block::Block;
use super::cycles::{Cycles, GradientReach};
use super::encode::Patches;
use crate::grid::Moves;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// What a grid HRM is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GridHrmConfig {
    /// C, channels of both states; a multiple of 16.
    pub channels: usize,
    /// E, hidden channels of the gated unit; a multiple of 16.
    pub hidden: usize,
    /// Blocks of the slow module H.
    pub h_blocks: usize,
    /// Blocks of the fast module L.
    pub l_blocks: usize,
    /// H updates per segment.
    pub h_cycles: usize,
    /// L updates per H update.
    pub l_cycles: usize,
    /// Side of the blocks' depthwise kernel, tokens: 3 or 5.
    #[serde(default = "three")]
    pub kernel: usize,
    /// Cells along each side of a token, 1 to 8.
    #[serde(default = "one")]
    pub patch: usize,
    /// Whether patches without a cell that can be entered have no token: they are not computed, and
    /// look like the outside of the map.
    #[serde(default)]
    pub sparse: bool,
    /// The moves it was made for.
    #[serde(default)]
    pub moves: Moves,
    /// Whether weights are tied so that the image of a map under a symmetry of the square has the image of
    /// its answer; see [`GridHrmConfig::ties`].
    #[serde(default)]
    pub tied: bool,
}

fn one() -> usize {
    1
}

fn three() -> usize {
    3
}

impl Default for GridHrmConfig {
    fn default() -> Self {
        Self {
            channels: 64,
            hidden: 128,
            h_blocks: 2,
            l_blocks: 2,
            h_cycles: 2,
            l_cycles: 2,
            kernel: 3,
            patch: 1,
            sparse: false,
            moves: Moves::Eight,
            tied: false,
        }
    }
}

impl GridHrmConfig {
    /// Checks that a model can be built.
    ///
    /// # Errors
    /// The key that is wrong, with its value and what it must be.
    pub fn validate(&self) -> Result<()> {
        let wrong = |key, value, must| Err(Error::ModelConfig { key, value, must });
        for (key, value) in [("channels", self.channels), ("hidden", self.hidden)] {
            if value == 0 || value % 16 != 0 || value > 1024 {
                return wrong(key, value, "a multiple of 16 from 16 to 1024");
            }
        }
        for (key, value) in [
            ("h_blocks", self.h_blocks),
            ("l_blocks", self.l_blocks),
            ("h_cycles", self.h_cycles),
            ("l_cycles", self.l_cycles),
        ] {
            if !(1..=64).contains(&value) {
                return wrong(key, value, "from 1 to 64");
            }
        }
        if ![3, 5].contains(&self.kernel) {
            return wrong("kernel", self.kernel, "3 or 5");
        }
        if !(1..=8).contains(&self.patch) {
            return wrong("patch", self.patch, "from 1 to 8");
        }
        Ok(())
    }

    /// How many cells information travels in one segment.
    pub fn reach(&self) -> usize {
        self.blocks() * (self.kernel / 2) * self.patch
    }

    /// How many blocks a segment goes through.
    pub fn blocks(&self) -> usize {
        self.h_cycles * (self.l_cycles * self.l_blocks + self.h_blocks)
    }

    /// How it cuts maps into tokens.
    pub fn patches(&self) -> Patches {
        Patches {
            side: self.patch,
            sparse: self.sparse,
        }
    }

    /// Names and shapes of all trainable tensors, in a fixed order.
    pub fn tensors(&self) -> Vec<(String, Vec<usize>)> {
        let mut tensors = vec![
            (
                "embed.weight".to_owned(),
                vec![self.patches().width(), self.channels],
            ),
            ("embed.bias".to_owned(), vec![self.channels]),
        ];
        for (module, blocks) in [("h", self.h_blocks), ("l", self.l_blocks)] {
            for block in 0..blocks {
                for (name, shape) in Block::tensors(self.channels, self.hidden, self.kernel) {
                    tensors.push((format!("{module}.{block}.{name}"), shape.to_vec()));
                }
            }
        }
        for (head, width) in self.heads() {
            tensors.push((format!("head.{head}.weight"), vec![self.channels, width]));
            tensors.push((format!("head.{head}.bias"), vec![width]));
        }
        tensors
    }

    /// The shape of a segment.
    pub(super) fn cycles(&self) -> Cycles {
        Cycles {
            h_cycles: self.h_cycles,
            l_cycles: self.l_cycles,
            gradient: GradientReach::LastCycle,
        }
    }

    /// Heads and their widths: of each cell of a token the moves, log cost-to-go, (`q_halt`,
    /// `q_continue`).
    pub(super) fn heads(&self) -> [(&'static str, usize); 3] {
        let per_cell = [("moves", self.moves.count()), ("value", 1), ("halt", 2)];
        per_cell.map(|(head, width)| (head, width * self.patch * self.patch))
    }

    /// Number of trainable values.
    pub fn parameters(&self) -> usize {
        self.tensors()
            .iter()
            .map(|(_, shape)| shape.iter().product::<usize>())
            .sum()
    }
}
