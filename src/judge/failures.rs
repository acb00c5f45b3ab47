//! The worst of a model's answers, as pictures: a table of shares does not say what went wrong.
//!
//! In go the answers that a [`Judge`](super::Judge) shows; out comes a PNG of each of
//! the worst and a sheet of all of them. Worst are plans that do not reach the goal, those first
//! that end farthest from it; then plans that reach it, by their travel cost over the oracle's.
//! Plans that are optimal are no failures.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Answer, OPTIMAL_WITHIN};
use crate::grid::{Cell, Geometry, Pose2};
use crate::planner::Snapshot;
use crate::search::{Outcome, Search, Termination};
use crate::view::{Picture, PlanStyle, Sheet, Tile};
use crate::{Error, Result};

/// Pictures at most: as many as one looks at.
const PICTURES: usize = 12;
/// The longer side of a picture of its own and of one on the sheet, pixels.
const SIDE: usize = 900;
const TILE_SIDE: usize = 380;
/// Pictures side by side on the sheet.
const COLUMNS: usize = 3;

/// The part of a rollout that it would repeat for ever.
const LOOP: PlanStyle = PlanStyle {
    colour: [150, 50, 190],
    width: 1.3,
    ..PlanStyle::ARRIVED
};
/// A rollout up to its loop.
const BEFORE_LOOP: PlanStyle = PlanStyle {
    crossed_end: false,
    ..PlanStyle::PARTIAL
};

/// What the pictures show.
const LEGEND: &str = "The model's own plan: blue if it arrives; red up to a cross where it does not; \
     purple where it goes round in a loop. Dashed: the oracle's plan. Green: start. Orange: goal.";

/// Collects the worst answers; from any thread and in any order, it keeps the same ones.
#[derive(Debug, Default)]
pub struct Failures(Mutex<Collected>);

#[derive(Debug, Default)]
struct Collected {
    counts: FailureCounts,
    /// The worst of each kind, worst first.
    by_kind: BTreeMap<String, Vec<Failure>>,
}

/// How many answers failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FailureCounts {
    /// Answers looked at.
    pub of: usize,
    /// Plans that do not reach the goal, or break a rule.
    pub unreached: usize,
    /// Plans that reach it at more than the oracle's travel cost.
    pub longer: usize,
}

/// An answer that failed.
#[derive(Debug, Clone)]
struct Failure {
    kind: String,
    number: usize,
    snapshot: Arc<Snapshot>,
    start: Cell,
    goal: Cell,
    cells: Vec<Cell>,
    returns_to: Option<Cell>,
    reached: bool,
    /// Travel cost over the oracle's, of a plan that reaches the goal.
    ratio: Option<f64>,
    oracle_cells: Vec<Cell>,
    oracle_cost: f64,
    /// Of a plan that does not reach the goal, the travel cost left over the oracle's of the whole.
    left: f64,
    segments: usize,
}

impl Failures {
    /// Looks at an answer.
    pub fn see(&self, answer: &Answer<'_>) {
        let failure = Failure::of(answer);
        let mut collected = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        collected.counts.of += 1;
        let Some(failure) = failure else { return };
        if failure.ratio.is_some() {
            collected.counts.longer += 1;
        } else {
            collected.counts.unreached += 1;
        }
        let worst = collected.by_kind.entry(failure.kind.clone()).or_default();
        let place = worst.partition_point(|other| other.order(&failure) == Ordering::Less);
        worst.insert(place, failure);
        worst.truncate(PICTURES);
    }

    /// How many answers failed.
    pub fn counts(&self) -> FailureCounts {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).counts
    }

    /// As [`Failures::save`], under a title that says what `name` names and how many answers failed;
    /// gives what there is to say about it.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn draw(&self, name: &str, folder: &Path) -> Result<String> {
        let FailureCounts {
            of,
            unreached,
            longer,
        } = self.counts();
        let title =
            format!("{name}: {unreached} of {of} not reached, {longer} dearer than the oracle's");
        let paths = self.save(&title, folder)?;
        Ok(match paths.split_first() {
            Some((sheet, pictures)) => format!(
                "{unreached} of {of} not reached, {longer} reached at more than the oracle's cost; \
                 the worst {} in {}",
                pictures.len(),
                sheet.display()
            ),
            None => format!("all {of} plans are optimal; nothing to draw"),
        })
    }

    /// Draws the worst: `worst-01.png` and so on, the worst first, and all of them on `worst.png`;
    /// gives their paths, the sheet first. The worst of every kind come before second ones. Pictures
    /// of these names that an earlier call left are removed.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn save(&self, title: &str, folder: &Path) -> Result<Vec<PathBuf>> {
        let io = |path: &Path, source| Error::Io {
            path: path.to_owned(),
            source,
        };
        std::fs::create_dir_all(folder).map_err(|e| io(folder, e))?;
        let worst = self.worst();
        let mut paths = vec![folder.join("worst.png")];
        paths.extend((1..=PICTURES).map(|place| folder.join(format!("worst-{place:02}.png"))));
        let drawn = if worst.is_empty() { 0 } else { worst.len() + 1 };
        for stale in paths.drain(drawn..) {
            match std::fs::remove_file(&stale) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(io(&stale, e)),
                _ => {}
            }
        }
        let Some((sheet_path, picture_paths)) = paths.split_first() else {
            return Ok(paths);
        };
        let mut tiles = Vec::new();
        for (index, (failure, path)) in worst.iter().zip(picture_paths).enumerate() {
            let lines = failure.lines(index + 1);
            let caption: Vec<&str> = lines.iter().map(String::as_str).collect();
            let caption = [&caption[..], &[LEGEND]].concat();
            failure.drawn(SIDE).caption(&caption).save_png(path)?;
            tiles.push(Tile {
                pictures: vec![failure.drawn(TILE_SIDE)],
                lines,
            });
        }
        Sheet::new(&[title, LEGEND], &tiles, COLUMNS).save_png(sheet_path)?;
        Ok(paths)
    }

    /// Those to draw, the worst first.
    fn worst(&self) -> Vec<Failure> {
        let collected = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kinds = collected.by_kind.values();
        let mut placed: Vec<(usize, &Failure)> = kinds.flat_map(|k| k.iter().enumerate()).collect();
        placed.sort_by(|one, other| one.0.cmp(&other.0).then_with(|| one.1.order(other.1)));
        placed.truncate(PICTURES);
        placed.sort_by(|one, other| one.1.order(other.1));
        placed
            .into_iter()
            .map(|(_, failure)| failure.clone())
            .collect()
    }
}

impl Failure {
    /// The failure of an answer; `None` if it is optimal, or if there is no plan at all.
    fn of(answer: &Answer<'_>) -> Option<Self> {
        let case = answer.case;
        let oracle_cost = answer.oracle_cost?;
        let ratio = answer.ratio.filter(|_| answer.valid);
        if ratio.is_some_and(|ratio| ratio <= 1.0 + OPTIMAL_WITHIN) {
            return None;
        }
        let path = |from: Cell| {
            let (map, rules) = (case.snapshot.inflated(), case.snapshot.rules());
            let outcome = Search::new().path(map, from, case.goal, rules, &Termination::never());
            match outcome {
                Ok(Outcome::Found(path)) => Some(path),
                _ => None,
            }
        };
        let last = answer.cells.last().copied().unwrap_or(case.start);
        let left = path(last).map_or(f64::INFINITY, |path| path.travel_cost);
        Some(Self {
            kind: answer.kind.to_owned(),
            number: answer.number,
            snapshot: Arc::clone(&case.snapshot),
            start: case.start,
            goal: case.goal,
            cells: answer.cells.to_vec(),
            returns_to: answer.returns_to,
            reached: answer.reached,
            ratio,
            oracle_cells: path(case.start).map(|path| path.cells).unwrap_or_default(),
            oracle_cost,
            left: left / oracle_cost.max(f64::MIN_POSITIVE),
            segments: answer.segments,
        })
    }

    /// Worse ones are less. The name comes last, so that the order is always the same.
    fn order(&self, other: &Self) -> Ordering {
        let badness = |failure: &Self| failure.ratio.unwrap_or(failure.left);
        let arrives = self.ratio.is_some().cmp(&other.ratio.is_some());
        arrives
            .then_with(|| badness(other).total_cmp(&badness(self)))
            .then_with(|| (&self.kind, self.number).cmp(&(&other.kind, other.number)))
    }

    /// The picture, its longer side about so many pixels.
    fn drawn(&self, side: usize) -> Picture {
        let geometry = *self.snapshot.geometry();
        let mut picture = Picture::sized(self.snapshot.inflated(), side);
        let own = poses(&geometry, &self.cells);
        if self.ratio.is_some() {
            picture.plan(&own, PlanStyle::ARRIVED);
        } else if let Some(first) = self.loop_start() {
            picture.plan(&own[..=first], BEFORE_LOOP);
            let round = [&own[first..], &own[first..=first]].concat();
            picture.plan(&round, LOOP);
            picture.plan(&own[own.len() - 1..], PlanStyle::PARTIAL);
        } else {
            picture.plan(&own, PlanStyle::PARTIAL);
        }
        picture.plan(&poses(&geometry, &self.oracle_cells), PlanStyle::REFERENCE);
        let (x, y) = geometry.cell_to_world(self.goal);
        picture.goal_point(x, y);
        let (x, y) = geometry.cell_to_world(self.start);
        picture.start_point(x, y);
        picture
    }

    /// Where in the plan the loop begins that it ends in.
    fn loop_start(&self) -> Option<usize> {
        let back = self.returns_to?;
        self.cells.iter().position(|&cell| cell == back)
    }

    fn lines(&self, place: usize) -> Vec<String> {
        let Self { kind, number, .. } = self;
        let title = format!("{place}. {kind}, problem {number}");
        let moves = self.cells.len().saturating_sub(1);
        let how = match (self.ratio, self.loop_start()) {
            (Some(ratio), _) => format!("reaches the goal at {ratio:.3} times the oracle's cost"),
            (None, _) if self.reached => "reaches the goal, but breaks a rule".to_owned(),
            (None, Some(first)) => format!(
                "not reached: {first} moves, then a loop of {} cells",
                self.cells.len() - first
            ),
            (None, None) => format!("not reached: ends after {moves} moves"),
        };
        let segments = self.segments;
        let cost = self.oracle_cost;
        vec![
            title,
            how,
            format!("oracle {cost:.1} cells, {segments} segments"),
        ]
    }
}

fn poses(geometry: &Geometry, cells: &[Cell]) -> Vec<Pose2> {
    let pose = |&cell: &Cell| {
        let (x, y) = geometry.cell_to_world(cell);
        Pose2::new(x, y, 0.0)
    };
    cells.iter().map(pose).collect()
}
