//! Recorded mazes as training data: pieces and whole mazes, turned and mirrored, labelled anew; the
//! ones that are held out are never drawn.

use crate::common::tiny_with;
use hrm_planner::grid::maze_hard::{Maze, SIDE};
use hrm_planner::grid::{Cost, Costmap, Move};
use hrm_training::{Recipe, Sample, Source};
use std::path::Path;

const FILE: &str = "maze-hard/train.csv.gz";

/// A recipe with the recorded mazes alone, or `None` where the data is absent.
fn recipe(held_out: usize) -> Option<Recipe> {
    let folder = std::env::var("HRM_DATA").unwrap_or_else(|_| "../../shared/data".to_owned());
    let path = Path::new(&folder).join(FILE);
    let path = if path.is_absolute() {
        path
    } else {
        Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
    };
    if !path.exists() {
        println!("skipped: no {}", path.display());
        return None;
    }
    // An absolute path stays what it is when it is joined to the folder of data files.
    let mazes = format!(
        "max_side = 30\nmazes = {{ file = {:?}, share = 1.0, whole = 0.5, held_out = {held_out} }}",
        path.display().to_string()
    );
    let text = tiny_with(
        10,
        &[
            ("l_cycles = 1", "l_cycles = 1\nmoves = 4"),
            ("maze = 1.0, random = 1.0, boxes = 0.5", ""),
            ("max_side = 11", &mazes),
            ("growth = 0.7", "growth = 0.5"),
        ],
    );
    Some(
        Recipe::from_text(&text.replace("first_max_side = 8", "first_max_side = 9"))
            .expect("a good recipe"),
    )
}

/// The walls of a map under all eight symmetries.
fn turned(map: &Costmap) -> Vec<Vec<bool>> {
    let side = map.geometry().width();
    let wall = |row: usize, col: usize| map.costs()[row * side + col] == Cost::LETHAL;
    let mut all = Vec::new();
    for turn in 0..8 {
        let mut walls = Vec::with_capacity(side * side);
        for row in 0..side {
            for col in 0..side {
                let (mut r, mut c) = if turn & 1 == 0 {
                    (row, col)
                } else {
                    (col, row)
                };
                if turn & 2 != 0 {
                    r = side - 1 - r;
                }
                if turn & 4 != 0 {
                    c = side - 1 - c;
                }
                walls.push(wall(r, c));
            }
        }
        all.push(walls);
    }
    all
}

fn walls(map: &Costmap) -> Vec<bool> {
    map.costs()
        .iter()
        .map(|&cost| cost == Cost::LETHAL)
        .collect()
}

fn is_one_of(sample: &Sample, mazes: &[Maze]) -> bool {
    let own = walls(&sample.map);
    mazes.iter().any(|maze| turned(&maze.map).contains(&own))
}

#[test]
fn whole_mazes_are_those_of_the_file_and_never_the_ones_held_out() {
    // With all but one held out, every whole sample is the first maze.
    let Some(recipe) = recipe(999) else { return };
    let source = Source::open(recipe.planning().unwrap(), recipe.seed).unwrap();
    assert_eq!(source.held_out().len(), 999);
    let samples: Vec<Sample> = (0..60).map(|seed| source.draw(seed, 1.0)).collect();
    let whole: Vec<&Sample> = samples
        .iter()
        .filter(|s| s.size() == (SIDE, SIDE))
        .collect();
    assert!((15..=50).contains(&whole.len()), "{} of 60", whole.len());
    for sample in &whole {
        assert!(!is_one_of(sample, source.held_out()));
    }
    let first = walls(&whole[0].map);
    let same = whole.iter().filter(|s| walls(&s.map) == first).count();
    assert!(same < whole.len(), "all {same} are turned the same way");
    for sample in &whole {
        assert!(turned(&sample.map).contains(&first));
    }
}

#[test]
fn training_begins_with_small_pieces() {
    let Some(recipe) = recipe(50) else { return };
    let source = Source::open(recipe.planning().unwrap(), recipe.seed).unwrap();
    for seed in 0..50 {
        let (rows, cols) = source.draw(seed, 0.0).size();
        assert!((8..=9).contains(&rows) && (8..=9).contains(&cols));
    }
}

#[test]
fn labels_are_straight_moves_and_all_of_the_optimal_ones() {
    let Some(recipe) = recipe(50) else { return };
    let source = Source::open(recipe.planning().unwrap(), recipe.seed).unwrap();
    for seed in 0..30 {
        let sample = source.draw(seed, 1.0);
        let geometry = sample.map.geometry();
        for index in 0..geometry.cells() {
            let steps = sample.cost_to_go[index];
            if !steps.is_finite() || steps == 0.0 {
                assert_eq!(sample.optimal[index], 0);
                continue;
            }
            for mv in Move::ALL {
                let leads_on = !mv.is_diagonal()
                    && geometry
                        .neighbour(geometry.cell(index), mv)
                        .is_some_and(|next| {
                            (steps - sample.cost_to_go[geometry.index(next)] - 1.0).abs() < 0.5
                        });
                assert_eq!(sample.optimal[index] & (1 << mv.index()) != 0, leads_on);
            }
        }
    }
}

#[test]
fn a_missing_file_of_mazes_is_named_with_the_variable_that_finds_it() {
    let text = tiny_with(
        10,
        &[(
            "max_side = 11",
            "max_side = 11\nmazes = { file = \"none.csv.gz\", share = 1.0, whole = 1.0, held_out = 0 }",
        )],
    );
    let recipe = Recipe::from_text(&text).unwrap();
    let message = Source::open(recipe.planning().unwrap(), recipe.seed)
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("none.csv.gz") && message.contains("HRM_DATA"),
        "{message}"
    );
}
