//! The evaluator of a run under way: the live score of every kind, at a few sizes.

use crate::Result;
use crate::recipe::Recipe;
use crate::score::score;
use crate::scores::{Evaluator, ScoreRow};
use hrm_planner::grid::generate::Kind;
use hrm_planner::model::GridHrm;

/// Sides of the maps, cells, as far as the recipe trains on such sizes.
const SIDES: [usize; 3] = [16, 32, 48];
/// Problems per kind and size: a share is known to a few percent, in seconds.
const PROBLEMS: usize = 16;
/// No problem thinks for more segments.
const MAX_SEGMENTS: usize = 64;
/// The seed of the problems, the same for all runs so that these can be compared. Samples of
/// training come from seeds of their own, mixed over all 64 bits.
const SEED: u64 = 7_000_000;

/// Scores all kinds of map with [`score`].
#[derive(Debug, Clone)]
pub struct LiveScore {
    sides: Vec<usize>,
}

impl LiveScore {
    /// An evaluator of maps no larger than the recipe's largest.
    pub fn new(recipe: &Recipe) -> Self {
        let largest = recipe.data.max_side;
        let mut sides: Vec<usize> = SIDES.into_iter().filter(|&side| side <= largest).collect();
        if sides.is_empty() {
            sides.push(largest);
        }
        Self { sides }
    }
}

impl Evaluator for LiveScore {
    fn evaluate(&mut self, model: &GridHrm, step: u64) -> Result<Vec<ScoreRow>> {
        let mut rows = Vec::new();
        for &side in &self.sides {
            for kind in Kind::ALL {
                let score = score(model, kind, PROBLEMS, side..=side, SEED, MAX_SEGMENTS)?;
                let arrived = score.reached > 0.0;
                rows.push(ScoreRow {
                    step,
                    set: format!("{side} x {side}"),
                    kind: kind.name().to_owned(),
                    n: score.n,
                    reached: score.reached,
                    optimal: score.optimal,
                    cost_ratio_mean: arrived.then_some(score.cost_ratio),
                    segments_mean: arrived.then_some(score.segments),
                });
            }
        }
        Ok(rows)
    }
}
