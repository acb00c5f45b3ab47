//! What a recipe says of a planning task: the grid model, the maps, the weights of its losses.

use crate::Result;
use crate::recipe::{check, is_share};
use hrm_planner::grid::generate::Kind;
use hrm_planner::model::GridHrmConfig;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A grid model and the maps it learns from.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanningRecipe {
    /// The model's shape.
    pub model: GridHrmConfig,
    /// On which maps.
    pub data: DataRecipe,
    /// What each loss counts.
    pub losses: LossWeights,
}

/// The weights of the losses; that of the moves is 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LossWeights {
    /// Of the cost-to-go loss.
    pub value: f64,
    /// Of the two halting losses.
    pub halt: f64,
}

/// The maps of training.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataRecipe {
    /// The share of each kind of generated map, in any unit.
    pub kinds: BTreeMap<Kind, f64>,
    /// Recorded mazes, instead of some or all of the generated maps.
    pub mazes: Option<MazeRecipe>,
    /// The user's own maps, instead of some or all of the generated ones.
    pub maps: Option<MapsRecipe>,
    /// The shortest side of a map, cells.
    pub min_side: usize,
    /// The longest side of a map at the start of training, cells.
    pub first_max_side: usize,
    /// The longest side of a map once the sizes have grown, cells.
    pub max_side: usize,
    /// How sides are drawn from the shortest to the longest.
    #[serde(default)]
    pub sides: Sides,
    /// The share of training in which sizes grow from `first_max_side` to `max_side`.
    pub growth: f64,
    /// The share of maps with travel costs around obstacles.
    pub costs: f64,
    /// The share of maps with unknown space.
    pub unknown: f64,
    /// The share of maps as robots make them, with costs and unknown space of their own; see
    /// [`realistic`](hrm_planner::grid::generate::realistic).
    #[serde(default)]
    pub realistic: f64,
    /// The share of samples that are drawn again because the model failed on them.
    #[serde(default)]
    pub hard: f64,
    /// A move that loses at most this share of its own travel cost is as good as an optimal one;
    /// see [`Field::near_optimal_moves`](hrm_planner::search::Field::near_optimal_moves).
    #[serde(default)]
    pub slack: f64,
    /// Cells of all maps that think together; a step has at least so many.
    pub cells: usize,
    /// No sample thinks for more segments than this.
    pub max_segments: usize,
    /// The share of samples that think to their last segment even if they could halt.
    pub exploration: f64,
}

/// How the sides of maps are drawn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sides {
    /// Each length as often as any other.
    #[default]
    Even,
    /// From 10 to 20 cells as often as from 20 to 40: many small maps and few large ones.
    EvenInLog,
}

impl DataRecipe {
    /// The length of one side of a map, drawn as the recipe asks once `progress` (0..1) of training
    /// is done, cells.
    pub(super) fn draw_side(&self, progress: f64, rng: &mut ChaCha8Rng) -> usize {
        let (min, max) = (self.min_side, self.max_side_at(progress));
        match self.sides {
            Sides::Even => rng.random_range(min..=max),
            Sides::EvenInLog => {
                let (low, high) = ((min as f64).ln(), ((max + 1) as f64).ln());
                let side = (low + (high - low) * rng.random_range(0.0..1.0)).exp();
                (side as usize).clamp(min, max)
            }
        }
    }

    /// The longest side of a map once `progress` (0..1) of training is done, cells.
    pub fn max_side_at(&self, progress: f64) -> usize {
        let grown = if self.growth > 0.0 {
            (progress / self.growth).min(1.0)
        } else {
            1.0
        };
        let span = (self.max_side - self.first_max_side) as f64;
        self.first_max_side + (span * grown).round() as usize
    }
}

/// Recorded mazes; see [`read_mazes`](hrm_planner::grid::maze_hard::read_mazes).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MazeRecipe {
    /// The file, in the folder of data files.
    pub file: String,
    /// The share of samples that come from it; the others are generated.
    pub share: f64,
    /// Of these, once maps may be as large, the share of whole mazes; the others are pieces.
    pub whole: f64,
    /// So many mazes at the end of the file are kept for scores and never trained on.
    pub held_out: usize,
}

/// The user's own maps.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MapsRecipe {
    /// The folder of `map_server` YAML files, its subfolders included.
    pub folder: PathBuf,
    /// The share of samples that are windows of them, turned, enlarged, with new obstacles and the
    /// costs of random robots.
    pub share: f64,
}

impl PlanningRecipe {
    /// Checks ranges.
    ///
    /// # Errors
    /// The first value that is out of range, with its key.
    pub fn validate(&self) -> Result<()> {
        self.model.validate()?;
        let (data, losses) = (&self.data, &self.losses);
        let share = "from 0 to 1";
        // Unless all samples are recorded ones, generated maps are needed.
        let recorded = [
            data.mazes.as_ref().map(|mazes| mazes.share),
            data.maps.as_ref().map(|maps| maps.share),
        ];
        if recorded.into_iter().flatten().all(|share| share < 1.0) {
            let all = data.kinds.values().sum::<f64>();
            check("data.kinds", all, |x| x > 0.0, "shares above 0")?;
        }
        if let Some(mazes) = &data.mazes {
            check("data.mazes.share", mazes.share, is_share, share)?;
            check("data.mazes.whole", mazes.whole, is_share, share)?;
        }
        if let Some(maps) = &data.maps {
            check("data.maps.share", maps.share, is_share, share)?;
        }
        let is_weight = |x: f64| x >= 0.0 && x.is_finite();
        for &weight in data.kinds.values() {
            check("data.kinds", weight, is_weight, "shares of at least 0")?;
        }
        check(
            "data.min_side",
            data.min_side,
            |x| (8..=1024).contains(&x),
            "from 8 to 1024",
        )?;
        check(
            "data.first_max_side",
            data.first_max_side,
            |x| (data.min_side..=1024).contains(&x),
            "from min_side to 1024",
        )?;
        check(
            "data.max_side",
            data.max_side,
            |x| (data.first_max_side..=1024).contains(&x),
            "from first_max_side to 1024",
        )?;
        for (key, value) in [
            ("data.growth", data.growth),
            ("data.costs", data.costs),
            ("data.unknown", data.unknown),
            ("data.realistic", data.realistic),
            ("data.hard", data.hard),
            ("data.exploration", data.exploration),
        ] {
            check(key, value, is_share, share)?;
        }
        check(
            "data.slack",
            data.slack,
            |x| (0.0..=0.2).contains(&x),
            "from 0 to 0.2",
        )?;
        check(
            "data.cells",
            data.cells,
            |x| (64..=1 << 22).contains(&x),
            "from 64 to 4194304",
        )?;
        check(
            "data.max_segments",
            data.max_segments,
            |x| (1..=1024).contains(&x),
            "from 1 to 1024",
        )?;
        for (key, value) in [
            ("optimiser.value_loss", losses.value),
            ("optimiser.halt_loss", losses.halt),
        ] {
            check(key, value, is_weight, "at least 0")?;
        }
        Ok(())
    }
}
