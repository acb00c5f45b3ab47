//! Where only the four straight moves are made, nothing makes another: search, policy, model and
//! judge agree, and the recorded mazes' stored ways are as long as the oracle's.

// Helpers may panic as the tests they help; whole lengths and infinities are exact.
#![allow(clippy::unwrap_used, clippy::float_cmp)]

use std::collections::{BTreeMap, VecDeque};

use crate::common::{costmap, data};
use candle_core::{Device, Tensor};
use hrm_planner::grid::maze_hard::read_mazes;
use hrm_planner::grid::{Cell, Cost, Costmap, Geometry, Move, Moves};
use hrm_planner::judge::path_cost;
use hrm_planner::model::{Carry, Formulation, GridHrm, GridHrmConfig, GridProblems, Reasoner};
use hrm_planner::planner::Policy;
use hrm_planner::search::{Field, Outcome, Rules, Search, Termination};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn rules() -> Rules {
    Rules::shortest().with_moves(Moves::Four)
}

/// A map with a third of its cells blocked, its corners free.
fn clutter(rows: usize, cols: usize, dice: &mut ChaCha8Rng) -> Costmap {
    let geometry = Geometry::unit(cols, rows).unwrap();
    let mut map = Costmap::filled(geometry, Cost::FREE);
    for index in 1..geometry.cells() - 1 {
        if dice.random_bool(0.33) {
            map.set(geometry.cell(index), Cost::LETHAL);
        }
    }
    map
}

/// Steps to the goal by breadth-first search over straight neighbours.
fn steps_to(map: &Costmap, goal: Cell) -> Vec<f64> {
    let geometry = map.geometry();
    let mut steps = vec![f64::INFINITY; geometry.cells()];
    steps[geometry.index(goal)] = 0.0;
    let mut waiting = VecDeque::from([goal]);
    while let Some(cell) = waiting.pop_front() {
        for mv in Move::ALL.into_iter().filter(|mv| !mv.is_diagonal()) {
            let Some(next) = geometry.neighbour(cell, mv) else {
                continue;
            };
            let index = geometry.index(next);
            if map.cost(next) == Cost::FREE && steps[index].is_infinite() {
                steps[index] = steps[geometry.index(cell)] + 1.0;
                waiting.push_back(next);
            }
        }
    }
    steps
}

#[test]
fn fields_and_paths_are_those_of_breadth_first_search() {
    let mut dice = ChaCha8Rng::seed_from_u64(4);
    let mut search = Search::new();
    let mut found = 0;
    for _ in 0..200 {
        let (rows, cols) = (dice.random_range(2..20), dice.random_range(2..20));
        let map = clutter(rows, cols, &mut dice);
        let (start, goal) = (Cell::new(0, 0), Cell::new(rows - 1, cols - 1));
        let expected = steps_to(&map, goal);
        let field = Field::compute(&map, goal, &rules()).unwrap();
        assert_eq!(field.values(), expected);
        let outcome = search
            .path(&map, start, goal, &rules(), &Termination::never())
            .unwrap();
        let steps = expected[map.geometry().index(start)];
        match outcome {
            Outcome::Found(path) => {
                found += 1;
                assert_eq!(path.travel_cost, steps);
                assert_eq!(path_cost(&map, &rules(), &path.cells), Some(steps));
            }
            outcome => assert!(steps.is_infinite(), "{outcome:?}"),
        }
    }
    assert!(found > 30, "only {found} of the maps have a path");
}

#[test]
fn a_diagonal_is_no_path_where_only_straight_moves_are_made() {
    let map = costmap("..\n..\n");
    let cells = [Cell::new(0, 0), Cell::new(1, 1)];
    assert_eq!(path_cost(&map, &rules(), &cells), None);
    assert!(path_cost(&map, &Rules::shortest(), &cells).is_some());
}

#[test]
fn a_policy_keeps_to_the_moves_of_the_rules() {
    let map = costmap("...\n...\n...\n");
    // Everywhere north-east is the most likely move, and north the next.
    let logits: Vec<f32> = [0.0, 5.0, 4.0, 0.0, 0.0, 0.0, 0.0, 0.0].repeat(9);
    let (start, goal) = (Cell::new(0, 0), Cell::new(2, 2));
    let eight = Policy::new(&map, &logits, &Rules::shortest()).rollout(start, goal);
    assert_eq!(eight.cells, [start, Cell::new(1, 1), goal]);
    let four = Policy::new(&map, &logits, &rules()).rollout(start, goal);
    assert_eq!(four.cells[1], Cell::new(1, 0));
}

#[test]
fn a_model_made_for_four_moves_never_prefers_a_diagonal() {
    let config = GridHrmConfig {
        channels: 16,
        hidden: 16,
        h_blocks: 1,
        l_blocks: 1,
        h_cycles: 1,
        l_cycles: 1,
        moves: Moves::Four,
        ..GridHrmConfig::default()
    };
    let mut dice = ChaCha8Rng::seed_from_u64(1);
    let mut tensors = BTreeMap::new();
    for (name, shape) in config.tensors() {
        let count = shape.iter().product();
        let values: Vec<f32> = (0..count).map(|_| dice.random_range(-1.0..1.0)).collect();
        let tensor = Tensor::from_vec(values, shape, &Device::Cpu).unwrap();
        tensors.insert(name, tensor);
    }
    assert_eq!(tensors["head.moves.weight"].dims(), [16, 4]);
    let model = GridHrm::new(config, &tensors, Formulation::Fused).unwrap();
    let map = Costmap::filled(Geometry::unit(3, 2).unwrap(), Cost::FREE);
    let at = Cell::new(0, 0);
    let patches = model.config().patches();
    let problem = GridProblems::one(&map, &Rules::shortest(), at, at, patches).unwrap();
    let encoded = model.encode(&problem).unwrap();
    let mut carry = Carry::zeros((6, 16), &Device::Cpu).unwrap();
    carry.z_h = Tensor::rand(-1.0_f32, 1.0, (6, 16), &Device::Cpu).unwrap();
    let moves = model.read_out(&carry, &encoded).unwrap().moves;
    for logits in moves.to_vec2::<f32>().unwrap() {
        for mv in Move::ALL {
            let logit = logits[mv.index()];
            assert_eq!(logit < -1e6, mv.is_diagonal(), "{mv:?} has {logit}");
            assert!(logit.is_finite());
        }
    }
}

#[test]
fn stored_ways_of_recorded_mazes_are_as_long_as_the_oracles() {
    for file in ["train.csv.gz", "test.csv.gz"] {
        let Some(path) = data(&format!("maze-hard/{file}")) else {
            return;
        };
        let mazes = read_mazes(&path).unwrap();
        assert_eq!(mazes.len(), 1000);
        let mut field = Field::default();
        let mut search = Search::new();
        for maze in &mazes {
            search
                .field_into(&maze.map, maze.goal, &rules(), &mut field)
                .unwrap();
            let stored = maze.way.iter().filter(|&&on_way| on_way).count();
            assert_eq!(field.cost_to_go(maze.start), stored as f64 - 1.0);
        }
    }
}

#[test]
fn a_broken_file_of_mazes_is_named_with_its_line() {
    use std::io::Write;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mazes.csv.gz");
    let written = |text: &str| {
        let file = std::fs::File::create(&path).unwrap();
        let mut gzip = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
        gzip.write_all(text.as_bytes()).unwrap();
        gzip.finish().unwrap();
        read_mazes(&path).map(|mazes| mazes.len())
    };
    assert_eq!(written("source,question,answer,rating\n").unwrap(), 0);
    let short = written("source,question,answer,rating\nx,###,###,1\n");
    let message = short.unwrap_err().to_string();
    assert!(message.contains("line 2"), "{message}");
    std::fs::write(&path, "no gzip").unwrap();
    let message = read_mazes(&path).unwrap_err().to_string();
    assert!(message.contains("mazes.csv.gz"), "{message}");
}
