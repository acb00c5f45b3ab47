//! The verifier: whether a path may be driven. Nothing leaves the planner that did not pass here.
//!
//! In go a snapshot, a path of poses and what it should connect; out comes everything that is
//! wrong with it. It judges plan files of other planners as well as our own, and knows neither
//! model nor search: moves, lines of sight and decoding have code of their own, so that a mistake
//! there does not hide here. It looks at every cell that the straight lines between the poses
//! enter, not only at the poses. Times and dynamics are not its business.

use serde::Serialize;

use super::frame::Point;
use super::surroundings::relaxed_cells;
use super::{Problem, Snapshot};
use crate::grid::{Cell, Cost, Pose2};

/// What a path must not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ViolationKind {
    /// There are no poses.
    Empty,
    /// A number is NaN or infinite.
    NotFinite,
    /// The path leaves the map.
    Outside,
    /// Two poses are farther apart than a diagonal step.
    Discontinuity,
    /// The first pose is not the start.
    WrongStart,
    /// The last pose is not the goal, nor within the tolerance of it.
    WrongGoal,
    /// The path enters an obstacle.
    Lethal,
    /// The path enters a cell where the robot touches an obstacle.
    Inscribed,
    /// The path enters a cell that was never observed.
    Unknown,
    /// The path passes between two cells that touch by a corner, one of which is blocked.
    CornerCut,
    /// At a pose, an obstacle is under the robot's footprint.
    Footprint,
}

impl ViolationKind {
    /// The name, as in reports.
    pub const fn name(self) -> &'static str {
        match self {
            ViolationKind::Empty => "empty",
            ViolationKind::NotFinite => "not-finite",
            ViolationKind::Outside => "outside",
            ViolationKind::Discontinuity => "discontinuity",
            ViolationKind::WrongStart => "wrong-start",
            ViolationKind::WrongGoal => "wrong-goal",
            ViolationKind::Lethal => "lethal",
            ViolationKind::Inscribed => "inscribed",
            ViolationKind::Unknown => "unknown",
            ViolationKind::CornerCut => "corner-cut",
            ViolationKind::Footprint => "footprint",
        }
    }
}

/// One thing wrong with a path, and where.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Violation {
    /// What is wrong.
    pub kind: ViolationKind,
    /// Index of the pose, or of the first of the two poses between which it happens.
    pub index: usize,
    /// Where, metres in the map frame.
    pub x: f64,
    /// Where, metres in the map frame.
    pub y: f64,
}

/// What a path is expected to connect; what is `None` is not checked.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Expected {
    /// The first pose, exactly.
    pub start: Option<Pose2>,
    /// The last pose.
    pub goal: Option<Pose2>,
    /// How far the last pose may be from the goal, metres; 0: it is the goal exactly.
    pub tolerance_m: f64,
}

impl Expected {
    /// What the plan of a checked request must connect.
    pub(super) fn of(problem: &Problem<'_>) -> Self {
        Self {
            start: Some(problem.start),
            goal: Some(problem.goal),
            tolerance_m: 0.0,
        }
    }
}

/// Two crossings of cell borders closer than this, in cells, are one crossing of a corner.
const CORNER: f64 = 1e-6;

/// Everything wrong with a path, in its order; empty for a valid path.
///
/// The robot may cross its own surroundings: cells that its circle covers around the expected start
/// (or, if none is expected, the first pose), unless an obstacle is recorded in them. Its path may
/// not end there. Obstacles that its footprint covers at that pose do not count: they are where it is.
pub fn verify(snapshot: &Snapshot, poses: &[Pose2], expected: &Expected) -> Vec<Violation> {
    let (Some(first), Some(last)) = (poses.first(), poses.last()) else {
        return vec![Violation {
            kind: ViolationKind::Empty,
            index: 0,
            x: f64::NAN,
            y: f64::NAN,
        }];
    };
    let mut walk = Walk::new(snapshot, expected.start.as_ref().unwrap_or(first));
    if expected.start.is_some_and(|start| start != *first) {
        walk.report(ViolationKind::WrongStart, 0, (first.x, first.y));
    }
    walk.enter_first(first);
    for (index, pair) in poses.windows(2).enumerate() {
        walk.follow(index, &pair[0], &pair[1]);
    }
    walk.arrive(poses.len() - 1, last);
    walk.touch(poses, expected.start.as_ref().unwrap_or(first));
    if expected
        .goal
        .is_some_and(|goal| !is_at(last, &goal, expected.tolerance_m))
    {
        walk.report(ViolationKind::WrongGoal, poses.len() - 1, (last.x, last.y));
    }
    walk.violations
}

/// Whether a pose is the goal, or within the tolerance of it, if there is one.
fn is_at(pose: &Pose2, goal: &Pose2, tolerance_m: f64) -> bool {
    pose == goal || (tolerance_m > 0.0 && pose.distance(goal) <= tolerance_m)
}

/// The walk along a path.
struct Walk<'a> {
    snapshot: &'a Snapshot,
    /// Row-major, ascending.
    relaxed: Vec<usize>,
    /// The longest step, metres: a diagonal one, with room for rounding.
    longest_step_m: f64,
    violations: Vec<Violation>,
}

impl<'a> Walk<'a> {
    fn new(snapshot: &'a Snapshot, start: &Pose2) -> Self {
        let geometry = snapshot.geometry();
        let relaxed = geometry
            .world_to_cell(start.x, start.y)
            .map(|start| relaxed_cells(snapshot, start))
            .unwrap_or_default();
        Self {
            snapshot,
            relaxed,
            longest_step_m: geometry.resolution() * std::f64::consts::SQRT_2 * (1.0 + 1e-6),
            violations: Vec::new(),
        }
    }

    fn report(&mut self, kind: ViolationKind, index: usize, (x, y): (f64, f64)) {
        self.violations.push(Violation { kind, index, x, y });
    }

    /// Looks at the first pose and its cell.
    fn enter_first(&mut self, pose: &Pose2) {
        if let Some(cell) = self.locate(0, pose) {
            self.enter(0, cell);
        }
    }

    /// Looks at the way from pose `index` to the next one and at all cells it enters.
    fn follow(&mut self, index: usize, from: &Pose2, to: &Pose2) {
        let target = self.locate(index + 1, to);
        // A step to or from a pose that is not finite has no length; the pose was reported.
        let step_m = from.distance(to);
        if step_m > self.longest_step_m && from.is_finite() && to.is_finite() {
            self.report(ViolationKind::Discontinuity, index, (from.x, from.y));
        }
        let geometry = self.snapshot.geometry();
        // A way between two cells of the map stays on the map: it is convex.
        if let (Some(source), Some(target)) = (geometry.world_to_cell(from.x, from.y), target) {
            let from = Point::from_world(geometry, from.x, from.y);
            let to = Point::from_world(geometry, to.x, to.y);
            self.cross(index, (source, from), (target, to));
        }
    }

    /// A path may not end in relaxed cells: they are for leaving.
    fn arrive(&mut self, index: usize, pose: &Pose2) {
        let geometry = self.snapshot.geometry();
        let Some(cell) = geometry.world_to_cell(pose.x, pose.y) else {
            return; // reported when it was located
        };
        if self.relaxed.binary_search(&geometry.index(cell)).is_ok()
            && let Some(kind) = self.obstruction(cell)
        {
            self.report(kind, index, (pose.x, pose.y));
        }
    }

    /// What is under the footprint at each pose.
    fn touch(&mut self, poses: &[Pose2], start: &Pose2) {
        let Some(outline) = self.snapshot.outline() else {
            return;
        };
        let at_start = outline.touched(self.snapshot, start);
        let finite = poses
            .iter()
            .enumerate()
            .filter(|(_, pose)| pose.is_finite());
        for (index, pose) in finite {
            if let Some(place) = outline.touches(self.snapshot, pose, &at_start) {
                let geometry = self.snapshot.geometry();
                let place = geometry.cell_to_world(geometry.cell(place));
                self.report(ViolationKind::Footprint, index, place);
            }
        }
    }

    /// The cell of a pose; reports poses without one.
    fn locate(&mut self, index: usize, pose: &Pose2) -> Option<Cell> {
        let cell = self.snapshot.geometry().world_to_cell(pose.x, pose.y);
        if !pose.is_finite() {
            self.report(ViolationKind::NotFinite, index, (pose.x, pose.y));
            return None;
        }
        if cell.is_none() {
            self.report(ViolationKind::Outside, index, (pose.x, pose.y));
        }
        cell
    }

    /// Walks from cell to cell along a straight line, from border crossing to border crossing.
    ///
    /// The line crosses as many column borders as its ends are columns apart, and likewise rows;
    /// what is open is only their order, and whether two coincide in a corner.
    fn cross(&mut self, index: usize, (source, from): (Cell, Point), (target, to): (Cell, Point)) {
        let length = (to.u - from.u).hypot(to.v - from.v);
        let mut col = Axis::new(source.col, target.col, from.u, to.u);
        let mut row = Axis::new(source.row, target.row, from.v, to.v);
        while !(col.is_done() && row.is_done()) {
            let (at_col, at_row) = (col.next_crossing() * length, row.next_crossing() * length);
            if (at_col - at_row).abs() < CORNER {
                let sides = [
                    Cell::new(row.here, col.beyond()),
                    Cell::new(row.beyond(), col.here),
                ];
                for side in sides {
                    if self.blocks(side).is_some() {
                        let place = self.snapshot.geometry().cell_to_world(side);
                        self.report(ViolationKind::CornerCut, index, place);
                    }
                }
                col.step();
                row.step();
            } else if at_col < at_row {
                col.step();
            } else {
                row.step();
            }
            self.enter(index, Cell::new(row.here, col.here));
        }
    }

    fn enter(&mut self, index: usize, cell: Cell) {
        if let Some(kind) = self.blocks(cell) {
            let place = self.snapshot.geometry().cell_to_world(cell);
            self.report(kind, index, place);
        }
    }

    /// What keeps the robot out of a cell that is not relaxed for it.
    fn blocks(&self, cell: Cell) -> Option<ViolationKind> {
        let index = self.snapshot.geometry().index(cell);
        match self.relaxed.binary_search(&index) {
            Ok(_) => None,
            Err(_) => self.obstruction(cell),
        }
    }

    /// What the inflated map says against a cell.
    fn obstruction(&self, cell: Cell) -> Option<ViolationKind> {
        match self.snapshot.inflated().cost(cell) {
            Cost::LETHAL => Some(ViolationKind::Lethal),
            Cost::INSCRIBED => Some(ViolationKind::Inscribed),
            Cost::UNKNOWN if !self.snapshot.rules().allow_unknown() => Some(ViolationKind::Unknown),
            _ => None,
        }
    }
}

/// The borders that a line crosses along one axis.
struct Axis {
    here: usize,
    last: usize,
    from: f64,
    to: f64,
}

impl Axis {
    fn new(here: usize, last: usize, from: f64, to: f64) -> Self {
        Self {
            here,
            last,
            from,
            to,
        }
    }

    fn is_done(&self) -> bool {
        self.here == self.last
    }

    /// The row or column beyond the next border.
    fn beyond(&self) -> usize {
        if self.here < self.last {
            self.here + 1
        } else {
            self.here.saturating_sub(1)
        }
    }

    /// The share of the line before the next border; infinite if there is none.
    fn next_crossing(&self) -> f64 {
        if self.is_done() {
            return f64::INFINITY;
        }
        let border = self.here.max(self.beyond()) as f64;
        (border - self.from) / (self.to - self.from)
    }

    fn step(&mut self) {
        self.here = self.beyond();
    }
}
