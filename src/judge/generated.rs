//! The set `generated`: maps made for the occasion.

use std::sync::Arc;

use super::{Case, Judge, Row};
use crate::grid::Moves;
use crate::grid::generate::{Kind, SIDES, problem};
use crate::{Error, Result};

/// Which maps are generated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generated {
    /// Their kinds.
    pub kinds: Vec<Kind>,
    /// Their sides, cells, within [`SIDES`]; the maps are square.
    pub sides: Vec<usize>,
    /// Problems of each kind and side.
    pub n: usize,
}

impl Judge<'_> {
    /// Judges generated problems: one row per kind and side, named like `maze-32`. Start and goal
    /// are a quarter of the side apart if the map allows it; the robot is a point.
    ///
    /// # Errors
    /// [`Error::MapSide`] for a side outside [`SIDES`].
    pub fn generated(&self, set: &Generated) -> Result<Vec<Row>> {
        if let Some(&side) = set.sides.iter().find(|side| !SIDES.contains(side)) {
            return Err(Error::MapSide {
                side,
                least: *SIDES.start(),
                most: *SIDES.end(),
            });
        }
        let mut rows = Vec::new();
        for &side in &set.sides {
            for kind in &set.kinds {
                let name = format!("{kind}-{side}");
                rows.push(self.row("generated", &name, set.n, |number| {
                    let mut dice = self.dice(&format!("generated/{name}/{number}"));
                    let problem = problem(*kind, side, side, &mut dice);
                    Ok(Case {
                        snapshot: Arc::new(self.grid_snapshot(problem.map, Moves::Eight)?),
                        start: problem.start,
                        goal: problem.goal,
                        stored_length: None,
                        stored_way: None,
                    })
                })?);
            }
        }
        Ok(rows)
    }
}
