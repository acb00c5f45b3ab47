//! Asks oracle and planner about one case and compares what they say.

use std::time::Instant;

use super::case::{Asked, Case, OwnPlan, Score, Verdict};
use super::maze_hard::likeness;
use super::path_cost;
use crate::Result;
use crate::grid::{Cell, Costmap, Geometry, Pose2};
use crate::planner::{
    Expected, HaltReason, Outcome, Planner, Problem, Request, Snapshot, check, verify,
};
use crate::search::{self, Search, Termination};

/// Published lengths have six significant digits, and short ones eight decimals: what they may
/// differ from ours by, in cells and as a share.
const LENGTH_ROUNDING: (f64, f64) = (1e-3, 5e-6);

/// What one thread needs to judge.
#[derive(Debug)]
pub(super) struct Bench {
    pub planner: Planner,
    pub oracle: Search,
    /// Whether anybody wants to see where plans loop; finding out takes time.
    pub is_shown: bool,
}

/// The model's read-out of its last segment.
#[derive(Debug, Default)]
struct LastThought {
    plan: OwnPlan,
    arrived: bool,
    verified: bool,
}

impl Bench {
    /// Judges a case; also gives the model's own plan.
    ///
    /// # Errors
    /// An oracle that cannot be asked: a map of 2^32 cells or more.
    pub fn judge(&mut self, case: &Case) -> Result<(Verdict, OwnPlan)> {
        let snapshot = case.snapshot.as_ref();
        let request = Request {
            tolerance: Some(0.0),
            ..Request::new(
                centre(snapshot.geometry(), case.start),
                centre(snapshot.geometry(), case.goal),
            )
        };
        let problem = check(snapshot, &request, 0.0).ok();
        let begin = Instant::now();
        let oracle_cost = match &problem {
            Some(problem) => self.ask_oracle(problem)?,
            None => None,
        };
        let oracle_ms = begin.elapsed().as_secs_f64() * 1e3;
        let (absolute, relative) = LENGTH_ROUNDING;
        let mismatch = case.stored_length.map(|stored| {
            let limit = (relative * stored).max(absolute);
            oracle_cost.is_none_or(|ours| (ours - stored).abs() > limit)
        });
        let map = problem.as_ref().map_or(snapshot.inflated(), Problem::map);
        let (asked, own) = self.ask_planner(snapshot, map, &request, case, oracle_cost);
        let verdict = Verdict {
            oracle_cost,
            oracle_ms,
            mismatch,
            asked,
        };
        Ok((verdict, own))
    }

    fn ask_oracle(&mut self, problem: &Problem<'_>) -> Result<Option<f64>> {
        let outcome = self.oracle.path(
            problem.map(),
            problem.start_cell,
            problem.goal_cell,
            problem.snapshot().rules(),
            &Termination::never(),
        )?;
        Ok(match outcome {
            search::Outcome::Found(path) => Some(path.travel_cost),
            search::Outcome::Unreachable | search::Outcome::Stopped(_) => None,
        })
    }

    fn ask_planner(
        &mut self,
        snapshot: &Snapshot,
        map: &Costmap,
        request: &Request,
        case: &Case,
        oracle_cost: Option<f64>,
    ) -> (Asked, OwnPlan) {
        let is_shown = self.is_shown;
        let mut last = LastThought::default();
        let outcome = self
            .planner
            .plan(snapshot, request, &Termination::never(), &mut |segment| {
                last = LastThought {
                    plan: OwnPlan {
                        cells: segment.cells.to_vec(),
                        // A tensor that cannot be read is no loop; the planner says what failed.
                        returns_to: is_shown
                            .then(|| segment.returns_to(snapshot.rules()).unwrap_or_default())
                            .flatten(),
                    },
                    arrived: segment.arrived,
                    verified: segment.verified,
                };
            });
        let score = |cells: &[Cell], reached: bool, verified: bool| {
            let cost = path_cost(map, snapshot.rules(), cells);
            let connects = cells.first() == Some(&case.start) && cells.last() == Some(&case.goal);
            let valid = reached && verified && connects && cost.is_some();
            Score {
                reached,
                valid,
                ratio: cost
                    .zip(oracle_cost)
                    .filter(|_| valid)
                    .map(|(cost, best)| ratio(cost, best)),
                stored: case
                    .stored_way
                    .as_ref()
                    .map(|way| likeness(&as_set(map.geometry(), cells), way)),
            }
        };
        let published = outcome.plan.as_ref().map_or(Score::default(), |plan| {
            score(&plan.cells, true, passes(snapshot, request, &outcome))
        });
        let own_plan = match &outcome.own_cells {
            Some(cells) => OwnPlan {
                cells: cells.clone(),
                returns_to: None,
            },
            None => last.plan,
        };
        let holds = outcome.own_cells.is_some();
        let own = score(
            &own_plan.cells,
            holds || last.arrived,
            holds || last.verified,
        );
        let asked = Asked {
            // Where start and goal share a cell there is nothing to think about.
            has_model: !matches!(
                outcome.report.halt_reason,
                HaltReason::NoModel | HaltReason::NotAsked
            ),
            own,
            published,
            has_evaded: outcome.report.evaded,
            source: outcome.report.source,
            segments: outcome.report.segments,
            ms: outcome.report.time_ms.total,
        };
        (asked, own_plan)
    }
}

/// Whether the published poses pass the verifier, asked once more from outside the planner.
fn passes(snapshot: &Snapshot, request: &Request, outcome: &Outcome) -> bool {
    let expected = Expected {
        start: Some(request.start),
        goal: Some(request.goal),
        tolerance_m: 0.0,
    };
    let plan = outcome.plan.as_ref();
    plan.is_some_and(|plan| verify(snapshot, &plan.poses, &expected).is_empty())
}

/// The cells of a path as a set, row-major.
fn as_set(geometry: &Geometry, cells: &[Cell]) -> Vec<bool> {
    let mut set = vec![false; geometry.cells()];
    for &cell in cells {
        set[geometry.index(cell)] = true;
    }
    set
}

/// A travel cost over the best one; 1 where both are 0.
fn ratio(cost: f64, best: f64) -> f64 {
    if best > 0.0 || cost > 0.0 {
        cost / best
    } else {
        1.0
    }
}

fn centre(geometry: &Geometry, cell: Cell) -> Pose2 {
    let (x, y) = geometry.cell_to_world(cell);
    Pose2::new(x, y, 0.0)
}
