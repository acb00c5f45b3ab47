//! One map with a goal and the oracle's answer for every cell.

use super::recipe::DataRecipe;
use crate::Result;
use candle_core::Device;
use hrm_planner::grid::generate::{Components, Kind, generate, realistic};
use hrm_planner::grid::{Cell, Cost, Costmap, Geometry, Move, Moves};
use hrm_planner::model::{GridProblems, Patches};
use hrm_planner::search::{Field, Rules};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Goals in smaller regions teach nothing.
const MIN_REGION: usize = 8;

/// A map, a goal, and what the oracle says of each cell.
#[derive(Debug, Clone)]
pub struct Sample {
    /// The kind of map it was made as; recorded ones count as the kind they are most like.
    pub kind: Kind,
    /// What the model sees; see [`encode`](hrm_planner::model::encode).
    pub map: Costmap,
    /// Where all moves should lead.
    pub goal: Cell,
    /// How travel cost is counted.
    pub rules: Rules,
    /// Travel cost to the goal, cells; infinite where there is no path.
    pub cost_to_go: Vec<f32>,
    /// Bit i: move i lies on an optimal path. 0 for cells without a label.
    pub optimal: Vec<u8>,
    /// Bit i: move i is legal.
    pub legal: Vec<u8>,
}

impl Sample {
    /// A generated map with a goal, as the recipe draws it once `progress` (0..1) of training is
    /// done; `None` for a map that is too closed to teach anything.
    pub(crate) fn generated(
        recipe: &DataRecipe,
        moves: Moves,
        progress: f64,
        rng: &mut ChaCha8Rng,
    ) -> Option<Self> {
        let kind = draw_kind(recipe, rng);
        let height = recipe.draw_side(progress, rng);
        let width = recipe.draw_side(progress, rng);
        if rng.random_bool(recipe.realistic) {
            let map = cropped(&realistic(kind, height, width, rng)?)?;
            let rules = Rules::new(rng.random_range(0.0..=3.0), false).ok()?;
            let goal = draw_goal(&map, rng)?;
            return Self::label(kind, map, goal, rules.with_moves(moves), recipe.slack);
        }
        let mut map = generate(kind, height, width, rng);
        let mut rules = Rules::shortest();
        if rng.random_bool(recipe.costs) {
            add_costs(&mut map, rng);
            rules = Rules::new(rng.random_range(0.3..=3.0), false).ok()?;
        }
        if rng.random_bool(recipe.unknown) {
            let allow_unknown = rng.random_bool(0.5);
            add_unknown(&mut map, rng);
            rules = Rules::new(rules.cost_weight(), allow_unknown).ok()?;
        }
        let goal = draw_goal(&map, rng)?;
        Self::label(kind, map, goal, rules.with_moves(moves), recipe.slack)
    }

    /// Asks the oracle. `None` if the goal is blocked. Moves that lose at most `slack` of their own
    /// travel cost count as optimal.
    ///
    /// Cells that do not reach the goal are blocked in the sample's map: the planner shows a model
    /// only what its start reaches.
    pub fn label(
        kind: Kind,
        mut map: Costmap,
        goal: Cell,
        rules: Rules,
        slack: f64,
    ) -> Option<Self> {
        let field = Field::compute(&map, goal, &rules).ok()?;
        let cells = map.geometry().cells();
        let mut optimal = vec![0; cells];
        let mut legal = vec![0; cells];
        for index in 0..cells {
            if !field.values()[index].is_finite() {
                if rules.multiplier(map.costs()[index]).is_some() {
                    map.costs_mut()[index] = Cost::LETHAL;
                }
                continue;
            }
            let cell = map.geometry().cell(index);
            optimal[index] = field.near_optimal_moves(&map, &rules, cell, slack);
            for mv in Move::ALL {
                if rules.allow(&map, cell, mv) {
                    legal[index] |= 1 << mv.index();
                }
            }
        }
        let cost_to_go = field.values().iter().map(|&x| x as f32).collect();
        Some(Self {
            kind,
            map,
            goal,
            rules,
            cost_to_go,
            optimal,
            legal,
        })
    }

    /// (rows, columns).
    pub fn size(&self) -> (usize, usize) {
        (self.map.geometry().height(), self.map.geometry().width())
    }

    /// The problem as a model with these patches takes it, asked at the goal, with its input on a
    /// device.
    ///
    /// # Errors
    /// A tensor operation that fails.
    pub fn problem(&self, patches: Patches, device: &Device) -> Result<GridProblems> {
        let at = self.goal;
        let mut problem = GridProblems::one(&self.map, &self.rules, at, at, patches)?;
        problem.input = problem.input.to_device(device)?;
        Ok(problem)
    }

    /// The segments in which word of the goal can come to every cell at `reach` cells a segment,
    /// with half as many again and two to settle.
    pub fn segments_needed(&self, reach: usize) -> usize {
        let farthest = self
            .cost_to_go
            .iter()
            .copied()
            .filter(|c| c.is_finite())
            .fold(0.0, f32::max);
        (1.5 * farthest / reach as f32).ceil() as usize + 2
    }
}

/// A cell of the largest region of a map. `None` if that is a small pocket: goals there teach
/// nothing.
pub(super) fn draw_goal(map: &Costmap, rng: &mut ChaCha8Rng) -> Option<Cell> {
    let components = Components::of(map);
    let cells = components.cells(components.largest()?);
    if cells.len() < MIN_REGION {
        return None;
    }
    let index = cells[rng.random_range(0..cells.len())];
    Some(map.geometry().cell(index as usize))
}

/// The rectangle around the largest region of a map: what the planner would show a model of it.
pub(super) fn cropped(map: &Costmap) -> Option<Costmap> {
    let components = Components::of(map);
    let geometry = map.geometry();
    let cells = components.cells(components.largest()?);
    let cells = || cells.iter().map(|&index| geometry.cell(index as usize));
    let (bottom, top) = (cells().map(|c| c.row).min()?, cells().map(|c| c.row).max()?);
    let (left, right) = (cells().map(|c| c.col).min()?, cells().map(|c| c.col).max()?);
    let mut part = Costmap::filled(
        Geometry::unit(right - left + 1, top - bottom + 1).ok()?,
        Cost::FREE,
    );
    for row in bottom..=top {
        for col in left..=right {
            part.set(
                Cell::new(row - bottom, col - left),
                map.cost(Cell::new(row, col)),
            );
        }
    }
    Some(part)
}

fn draw_kind(recipe: &DataRecipe, rng: &mut ChaCha8Rng) -> Kind {
    let mut at = rng.random_range(0.0..1.0) * recipe.kinds.values().sum::<f64>();
    let mut drawn = Kind::Boxes;
    // Rounding can leave a rest after the last kind, which is then the one.
    for (&kind, &weight) in recipe.kinds.iter().filter(|(_, weight)| **weight > 0.0) {
        drawn = kind;
        if at < weight {
            break;
        }
        at -= weight;
    }
    drawn
}

/// Costs that fall with the distance from obstacles, as inflation makes them, for a radius of 1
/// to 5 cells and a random steepness.
fn add_costs(map: &mut Costmap, rng: &mut ChaCha8Rng) {
    let radius = rng.random_range(1.0..5.0_f64);
    let decay = rng.random_range(0.2..1.5_f64);
    let reach = radius.ceil() as isize;
    let geometry = *map.geometry();
    let lethal: Vec<bool> = map.costs().iter().map(|&c| c == Cost::LETHAL).collect();
    for index in 0..geometry.cells() {
        if lethal[index] {
            continue;
        }
        let cell = geometry.cell(index);
        let mut nearest = f64::INFINITY;
        for dr in -reach..=reach {
            for dc in -reach..=reach {
                let (Some(row), Some(col)) = (
                    cell.row.checked_add_signed(dr),
                    cell.col.checked_add_signed(dc),
                ) else {
                    continue;
                };
                if row < geometry.height()
                    && col < geometry.width()
                    && lethal[row * geometry.width() + col]
                {
                    nearest = nearest.min(((dr * dr + dc * dc) as f64).sqrt());
                }
            }
        }
        if nearest <= radius {
            map.costs_mut()[index] = Cost((252.0 * (-decay * (nearest - 1.0)).exp()) as u8);
        }
    }
}

/// Turns a few rectangles into unknown space.
fn add_unknown(map: &mut Costmap, rng: &mut ChaCha8Rng) {
    let geometry = *map.geometry();
    for _ in 0..rng.random_range(1..=3) {
        let height = rng.random_range(1..=geometry.height() / 2);
        let width = rng.random_range(1..=geometry.width() / 2);
        let row = rng.random_range(0..=geometry.height() - height);
        let col = rng.random_range(0..=geometry.width() - width);
        for r in row..row + height {
            for c in col..col + width {
                map.set(Cell::new(r, c), Cost::UNKNOWN);
            }
        }
    }
}
