//! One problem and what became of it.

use std::sync::Arc;

use crate::grid::Cell;
use crate::planner::{Snapshot, Source};

/// A problem to be judged: cells, not poses, so that planner and oracle start from the same.
#[derive(Debug, Clone)]
pub struct Case {
    /// The map, ready for planning.
    pub snapshot: Arc<Snapshot>,
    /// Where the plan begins.
    pub start: Cell,
    /// Where it must end.
    pub goal: Cell,
    /// The length of a shortest plan that the data set states, cells.
    pub stored_length: Option<f64>,
    /// The cells of the plan that the data set states, row-major.
    pub stored_way: Option<Vec<bool>>,
}

/// The model's own answer to a problem, for who wants to look at it; see [`Judge::shown_to`].
///
/// [`Judge::shown_to`]: super::Judge::shown_to
#[derive(Debug, Clone)]
pub struct Answer<'a> {
    /// The kind of problem.
    pub kind: &'a str,
    /// The problem's number among those of its kind, from 0.
    pub number: usize,
    /// The problem.
    pub case: &'a Case,
    /// The oracle's travel cost, cells; `None` if there is no plan.
    pub oracle_cost: Option<f64>,
    /// The model's own plan, before repair and fallback, from the start as far as it leads.
    pub cells: &'a [Cell],
    /// Of a plan that ends in a loop, the cell in it that would come after the last one.
    pub returns_to: Option<Cell>,
    /// Whether the plan reaches the goal.
    pub reached: bool,
    /// Whether it does so without breaking a rule.
    pub valid: bool,
    /// If it is valid, its travel cost over the oracle's.
    pub ratio: Option<f64>,
    /// Segments of thinking.
    pub segments: usize,
}

/// The cells of the model's own plan, and where it goes back to if it ends in a loop.
#[derive(Debug, Clone, Default)]
pub(super) struct OwnPlan {
    pub cells: Vec<Cell>,
    pub returns_to: Option<Cell>,
}

/// What became of a [`Case`].
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Verdict {
    /// The oracle's travel cost, cells; `None` if there is no plan.
    pub oracle_cost: Option<f64>,
    /// Time of the oracle, milliseconds.
    pub oracle_ms: f64,
    /// Whether the oracle disagrees with the stored length; `None` without one.
    pub mismatch: Option<bool>,
    /// The planner's answers.
    pub asked: Asked,
}

/// What the planner made of a case.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Asked {
    /// Whether a model took part.
    pub has_model: bool,
    /// The model's own plan.
    pub own: Score,
    /// The published plan.
    pub published: Score,
    /// Whether the model's own plan holds only as an evading rollout.
    pub has_evaded: bool,
    /// Who made the published plan.
    pub source: Option<Source>,
    /// Segments of thinking.
    pub segments: usize,
    /// Time of the request, milliseconds.
    pub ms: f64,
}

/// How a plan compares with the stored answer of its data set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Likeness {
    /// Whether its cells are those of the answer.
    pub exact: bool,
    /// Share of the map's cells on which the two agree, on the way or off it.
    pub tokens: f64,
}

/// How good a plan is.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Score {
    /// Whether it reaches the goal.
    pub reached: bool,
    /// Whether it does so without breaking a rule.
    pub valid: bool,
    /// If it is valid, its travel cost over the oracle's.
    pub ratio: Option<f64>,
    /// How it compares with the stored answer; `None` without one.
    pub stored: Option<Likeness>,
}
