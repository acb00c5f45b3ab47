//! Contact sheets of what a recipe trains on, for the eye: no loss says that a map is nonsense.

use super::pool::sample_seed;
use super::recipe::{MapsRecipe, PlanningRecipe};
use super::sample::Sample;
use super::source::Source;
use crate::Result;
use crate::recipe::Recipe;
use hrm_planner::grid::Cost;
use hrm_planner::grid::generate::Kind;
use hrm_planner::view::{Picture, Sheet, Tile};
use std::collections::BTreeMap;
use std::path::Path;

/// The longer side of a picture, pixels: strokes of moves can be told apart up to 60 cells.
const SIDE: usize = 340;
/// Samples side by side.
const COLUMNS: usize = 3;

/// The kinds that a recipe draws, in the order of reports.
pub fn kinds(recipe: &PlanningRecipe) -> impl Iterator<Item = Kind> {
    let kinds = &recipe.data.kinds;
    // Recorded mazes are of the kind maze.
    let recorded = recipe.data.mazes.is_some();
    let drawn = move |kind: &Kind| {
        kinds.get(kind).is_some_and(|&share| share > 0.0) || (recorded && *kind == Kind::Maze)
    };
    Kind::EVERY.into_iter().filter(drawn)
}

/// A sheet of `count` samples of one kind, from the sizes at the start of training to those at its
/// end. Of each sample the left picture is what the model is given, the right one what it should
/// say: cost-to-go as colours, optimal moves as strokes.
///
/// # Errors
/// [`Error::NoMaps`](crate::Error::NoMaps) for the recipe of another task.
pub fn preview(recipe: &Recipe, kind: Kind, count: usize) -> Result<Sheet> {
    let mut of_kind = recipe.planning()?.clone();
    of_kind.data.kinds = BTreeMap::from([(kind, 1.0)]);
    sheet(recipe, &of_kind, &kind.to_string(), count)
}

/// The same of windows of the user's own maps, as this recipe would draw them.
///
/// # Errors
/// As [`preview`], and as [`OwnMaps::read`](super::OwnMaps::read).
pub fn preview_own(recipe: &Recipe, folder: &Path, count: usize) -> Result<Sheet> {
    let mut own = recipe.planning()?.clone();
    own.data.mazes = None;
    own.data.maps = Some(MapsRecipe {
        folder: folder.to_owned(),
        share: 1.0,
    });
    sheet(recipe, &own, "own maps", count)
}

fn sheet(recipe: &Recipe, planning: &PlanningRecipe, of: &str, count: usize) -> Result<Sheet> {
    let source = Source::open(planning, recipe.seed)?;
    let mut tiles = Vec::with_capacity(count);
    for number in 0..count {
        let progress = number as f64 / count.saturating_sub(1).max(1) as f64;
        let seed = sample_seed(recipe.seed, number as u64);
        let sample = source.draw(seed, progress);
        tiles.push(tile(&sample, progress, planning.model.reach())?);
    }
    let title = format!("{}: {of}", recipe.name);
    let legend = "Left, what the model is given: obstacles dark, travel costs yellow to red, unknown space \
         grey, the goal. Right, what it should say: cost-to-go, bright near the goal, and each \
         cell's optimal moves; cells that reach the goal by no path have no label.";
    Ok(Sheet::new(&[&title, legend], &tiles, COLUMNS))
}

fn tile(sample: &Sample, progress: f64, reach: usize) -> Result<Tile> {
    let (x, y) = sample.map.geometry().cell_to_world(sample.goal);
    let mut given = Picture::sized(&sample.map, SIDE);
    let costs: Vec<f32> = sample.map.costs().iter().map(|&cost| heat(cost)).collect();
    // The darkest end of the scale would look like an obstacle.
    given.heat(&costs, 1.4 * f32::from(Cost::MAX_TRAVERSABLE.0))?;
    given.goal_point(x, y);
    let mut answer = Picture::sized(&sample.map, SIDE);
    answer.field(&sample.cost_to_go)?.moves(&sample.optimal)?;
    answer.goal_point(x, y);

    let (rows, cols) = sample.size();
    let labelled = sample.optimal.iter().filter(|&&set| set != 0).count();
    let farthest = sample.cost_to_go.iter().filter(|c| c.is_finite());
    let farthest = farthest.fold(0.0_f32, |most, &cost| most.max(cost));
    let mut rules = Vec::new();
    if costs.iter().any(|&cost| cost > 0.0) {
        rules.push(format!("cost weight {:.2}", sample.rules.cost_weight()));
    }
    if sample.map.costs().contains(&Cost::UNKNOWN) {
        let allowed = sample.rules.allow_unknown();
        rules.push(format!(
            "unknown space {}",
            if allowed { "allowed" } else { "forbidden" }
        ));
    }
    if rules.is_empty() {
        rules.push("shortest paths".to_owned());
    }
    let segments = sample.segments_needed(reach);
    Ok(Tile {
        pictures: vec![given, answer],
        lines: vec![
            format!(
                "{cols} x {rows} cells, {:.0} % into training",
                100.0 * progress
            ),
            format!("{labelled} labels, farthest {farthest:.1} cells, {segments} segments"),
            rules.join(", "),
        ],
    })
}

/// Costs as heat; 0 for cells that have their own colour.
fn heat(cost: Cost) -> f32 {
    if cost.0 <= Cost::MAX_TRAVERSABLE.0 {
        f32::from(cost.0)
    } else {
        0.0
    }
}
