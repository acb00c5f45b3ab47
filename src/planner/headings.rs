//! Search through headings: for a robot whose outline sticks out of the circle that plans are made for.
//!
//! A plan for the inscribed circle mostly suits the whole outline, since costs keep it away from
//! obstacles where they can. Where it does not, this finds the best way through cells and eight
//! headings, on which nothing is under the outline: the robot drives ahead, or turns on the spot by an
//! eighth. So a long robot comes before a narrow door in time to go through it lengthwise. It does not
//! back up: a robot that would have to shunt gets no plan.

use std::collections::HashMap;

use super::Problem;
use super::footprint::Outline;
use super::least_first::LeastFirst;
use crate::grid::{Cell, Costmap, Move, Pose2};
use crate::search::{Stop, Termination};

/// What turning by an eighth costs, cells: less than any detour, and enough to drive straight.
const TURN: f64 = 0.25;

/// States looked at between two looks at the clock.
const STATES_PER_POLL: usize = 256;

/// The cells of the best way on which the outline stays clear; `None` if there is none.
///
/// # Errors
/// Why it was stopped.
pub(super) fn fitted(
    problem: &Problem<'_>,
    outline: &Outline,
    termination: &Termination,
) -> Result<Option<Vec<Cell>>, Stop> {
    let (map, rules) = (problem.map(), problem.snapshot().rules());
    let geometry = map.geometry();
    let mut fits = Fits::new(problem, outline);
    let mut known: HashMap<State, Known> = HashMap::new();
    let mut waiting = LeastFirst::new();
    let to_go = |state: State| state.cell.octile_distance(problem.goal_cell);
    for heading in Move::ALL {
        let state = State {
            cell: problem.start_cell,
            heading: heading.index() as u8,
        };
        if fits.at(map, state) {
            known.insert(state, Known::start());
            waiting.push(to_go(state), state);
        }
    }
    let mut looked_at = 0;
    while let Some((least, state)) = waiting.pop() {
        if state.cell == problem.goal_cell {
            return Ok(Some(way_to(state, &known)));
        }
        let Some(cost) = known.get(&state).map(|known| known.cost) else {
            continue;
        };
        if least > cost + to_go(state) {
            continue; // a better way to it was found since
        }
        looked_at += 1;
        if looked_at % STATES_PER_POLL == 0
            && let Some(stop) = termination.reason()
        {
            return Err(stop);
        }
        let turned = [1, 7].map(|eighths| {
            let heading = (state.heading + eighths) % 8;
            (State { heading, ..state }, TURN)
        });
        let mv = Move::from_index(usize::from(state.heading));
        let ahead = geometry
            .neighbour(state.cell, mv)
            .filter(|_| rules.allow(map, state.cell, mv) && fits.between(map, state, mv));
        let ahead = ahead.and_then(|cell| {
            let multiplier = rules.multiplier(map.cost(cell))?;
            Some((State { cell, ..state }, mv.length() * multiplier))
        });
        for (next, step) in turned.into_iter().chain(ahead) {
            let through = cost + step;
            let is_better = known.get(&next).is_none_or(|known| through < known.cost);
            if is_better && fits.at(map, next) {
                let from = Some(state);
                known.insert(
                    next,
                    Known {
                        cost: through,
                        from,
                    },
                );
                waiting.push(through + to_go(next), next);
            }
        }
    }
    Ok(None)
}

/// A cell and a heading, in eighths of a turn as [`Move::index`] counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct State {
    cell: Cell,
    heading: u8,
}

/// The best known way to a state.
struct Known {
    cost: f64,
    from: Option<State>,
}

impl Known {
    fn start() -> Self {
        Self {
            cost: 0.0,
            from: None,
        }
    }
}

/// The cells on the way to a state, each once.
fn way_to(last: State, known: &HashMap<State, Known>) -> Vec<Cell> {
    let before = |state: &State| known.get(state).and_then(|known| known.from);
    let states = std::iter::successors(Some(last), before);
    let mut cells: Vec<Cell> = states.map(|state| state.cell).collect();
    cells.dedup();
    cells.reverse();
    cells
}

/// Where the outline is clear, found out when it is asked for.
struct Fits<'a> {
    problem: &'a Problem<'a>,
    outline: &'a Outline,
    /// What is under the outline where the robot stands, which does not count.
    spared: Vec<usize>,
    /// Of each cell, row-major, at which headings it is known whether it fits, and at which it does.
    known: Vec<u8>,
    clear: Vec<u8>,
}

impl<'a> Fits<'a> {
    fn new(problem: &'a Problem<'a>, outline: &'a Outline) -> Self {
        let cells = problem.map().geometry().cells();
        Self {
            problem,
            outline,
            spared: outline.touched(problem.snapshot(), &problem.start),
            known: vec![0; cells],
            clear: vec![0; cells],
        }
    }

    fn is_clear(&self, pose: &Pose2) -> bool {
        let snapshot = self.problem.snapshot();
        self.outline.touches(snapshot, pose, &self.spared).is_none()
    }

    /// Whether the robot fits in a cell at a heading.
    fn at(&mut self, map: &Costmap, State { cell, heading }: State) -> bool {
        let geometry = map.geometry();
        let (index, bit) = (geometry.index(cell), 1 << heading);
        if self.known[index] & bit == 0 {
            self.known[index] |= bit;
            let (x, y) = geometry.cell_to_world(cell);
            if self.is_clear(&Pose2::new(x, y, yaw(map, heading))) {
                self.clear[index] |= bit;
            }
        }
        self.clear[index] & bit != 0
    }

    /// Whether it fits between this cell and the next one ahead; plans have a pose there where the move
    /// is longer than a cell.
    fn between(&self, map: &Costmap, state: State, mv: Move) -> bool {
        if !mv.is_diagonal() {
            return true;
        }
        let geometry = map.geometry();
        let (dr, dc) = mv.step();
        let (u, v) = (state.cell.col as f64 + 0.5, state.cell.row as f64 + 0.5);
        let (x, y) = geometry.grid_to_world(u + dc as f64 / 2.0, v + dr as f64 / 2.0);
        self.is_clear(&Pose2::new(x, y, yaw(map, state.heading)))
    }
}

/// A heading in the map frame, radians.
fn yaw(map: &Costmap, heading: u8) -> f64 {
    f64::from(heading) * std::f64::consts::FRAC_PI_4 + map.geometry().origin().yaw
}
