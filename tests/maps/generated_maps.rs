//! Generated maps: what holds for every kind, size and seed, and what makes each kind what it is.

use std::collections::VecDeque;

use hrm_planner::grid::generate::{
    Components, Kind, NO_COMPONENT, Problem, generate, problem, reachable_pair,
};
use hrm_planner::grid::{Cell, Cost, Costmap, Geometry, Move};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Height and width.
const SIZES: [(usize, usize); 6] = [(8, 8), (9, 31), (16, 16), (48, 48), (33, 128), (100, 11)];
const SEEDS: std::ops::Range<u64> = 0..40;

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

fn every_kind_and_size() -> impl Iterator<Item = (Kind, usize, usize)> {
    Kind::ALL
        .into_iter()
        .flat_map(|kind| SIZES.map(|(height, width)| (kind, height, width)))
}

fn is_free(map: &Costmap, cell: Cell) -> bool {
    map.cost(cell) == Cost::FREE
}

fn free_share(map: &Costmap) -> f64 {
    let free = map.costs().iter().filter(|&&cost| cost == Cost::FREE);
    free.count() as f64 / map.costs().len() as f64
}

/// Legal moves from a cell to every other; `None` where no plan leads.
fn moves_from(map: &Costmap, start: Cell) -> Vec<Option<usize>> {
    let geometry = map.geometry();
    let mut moves = vec![None; geometry.cells()];
    moves[geometry.index(start)] = Some(0);
    let mut queue = VecDeque::from([(start, 0)]);
    while let Some((cell, steps)) = queue.pop_front() {
        for mv in Move::ALL {
            let Some(next) = map.legal_move(cell, mv, false) else {
                continue;
            };
            let known = &mut moves[geometry.index(next)];
            if known.is_none() {
                *known = Some(steps + 1);
                queue.push_back((next, steps + 1));
            }
        }
    }
    moves
}

fn moves_of_shortest_plan(problem: &Problem) -> Option<usize> {
    moves_from(&problem.map, problem.start)[problem.map.geometry().index(problem.goal)]
}

/// Straight neighbours that are both free, minus those a tree on the free cells would have.
fn loops(map: &Costmap) -> usize {
    let geometry = map.geometry();
    let cells = (0..geometry.cells()).map(|index| geometry.cell(index));
    let (mut free, mut passages) = (0, 0);
    for cell in cells.filter(|&cell| is_free(map, cell)) {
        free += 1;
        passages += [Move::from_index(0), Move::from_index(2)]
            .iter()
            .filter_map(|&mv| geometry.neighbour(cell, mv))
            .filter(|&next| is_free(map, next))
            .count();
    }
    passages + 1 - free
}

/// Whether no free cell has room for a robot of two by two cells.
fn has_only_one_cell_corridors(map: &Costmap) -> bool {
    let geometry = map.geometry();
    !(1..geometry.height()).any(|row| {
        (1..geometry.width()).any(|col| {
            let block = [
                (row, col),
                (row - 1, col),
                (row, col - 1),
                (row - 1, col - 1),
            ];
            block.iter().all(|&(r, c)| is_free(map, Cell::new(r, c)))
        })
    })
}

/// Mazes on which corridors and walls one cell wide leave no cell over.
fn narrow_mazes() -> Vec<Problem> {
    let mazes = (0..120).map(|seed| problem(Kind::Maze, 47, 47, &mut rng(seed)));
    mazes
        .filter(|problem| has_only_one_cell_corridors(&problem.map))
        .collect()
}

#[test]
fn maps_have_the_size_asked_for_and_only_free_and_lethal_cells() {
    for (kind, height, width) in every_kind_and_size() {
        for seed in SEEDS {
            let map = generate(kind, height, width, &mut rng(seed));
            assert_eq!(*map.geometry(), Geometry::unit(width, height).unwrap());
            let known = |cost: &Cost| *cost == Cost::FREE || *cost == Cost::LETHAL;
            assert!(
                map.costs().iter().all(known),
                "{kind} {height} x {width}, seed {seed}"
            );
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_map_and_another_seed_another() {
    for (kind, height, width) in every_kind_and_size().filter(|(_, height, _)| *height >= 16) {
        let first = problem(kind, height, width, &mut rng(7));
        assert_eq!(first, problem(kind, height, width, &mut rng(7)));
        let different = SEEDS.filter(|&seed| {
            seed != 7 && generate(kind, height, width, &mut rng(seed)) != first.map
        });
        assert_eq!(
            different.count(),
            SEEDS.count() - 1,
            "{kind} {height} x {width}"
        );
    }
}

#[test]
fn a_map_takes_the_same_part_of_the_stream_whatever_its_kind_and_size() {
    let mut streams = every_kind_and_size().map(|(kind, height, width)| {
        let mut rng = rng(3);
        generate(kind, height, width, &mut rng);
        rng
    });
    let first = streams.next().unwrap();
    assert!(streams.all(|rng| rng == first));
}

#[test]
fn start_and_goal_differ_and_reach_each_other_by_legal_moves() {
    for (kind, height, width) in every_kind_and_size() {
        for seed in SEEDS {
            let problem = problem(kind, height, width, &mut rng(seed));
            let context = format!("{kind} {height} x {width}, seed {seed}");
            assert_ne!(problem.start, problem.goal, "{context}");
            assert!(is_free(&problem.map, problem.start), "{context}");
            assert!(moves_of_shortest_plan(&problem).is_some(), "{context}");
        }
    }
}

#[test]
fn start_and_goal_are_nearly_always_a_quarter_of_the_longer_side_apart() {
    for kind in Kind::ALL {
        let apart = SEEDS.filter(|&seed| {
            let Problem { start, goal, .. } = problem(kind, 32, 48, &mut rng(seed));
            let (rows, cols) = (start.row.abs_diff(goal.row), start.col.abs_diff(goal.col));
            (rows as f64).hypot(cols as f64) >= 0.9 * 12.0
        });
        assert!(apart.count() >= SEEDS.count() * 9 / 10, "{kind}");
    }
}

#[test]
fn each_kind_keeps_within_its_share_of_free_cells_and_varies_within_it() {
    // Least, most, and the least spread between the emptiest and the fullest of the maps.
    let bounds = |kind| match kind {
        Kind::Maze => (0.35, 0.85, 0.15),
        Kind::Random => (0.50, 0.99, 0.25),
        Kind::Rooms => (0.40, 0.97, 0.15),
        Kind::Warehouse => (0.30, 0.97, 0.25),
        Kind::Cave => (0.15, 0.99, 0.30),
        Kind::Boxes => (0.40, 1.00, 0.25),
        Kind::Office => (0.35, 0.95, 0.20),
        Kind::Slices => (0.50, 1.00, 0.15),
    };
    for kind in Kind::EVERY {
        let (least, most, spread) = bounds(kind);
        let shares = (0..100).map(|seed| free_share(&generate(kind, 48, 48, &mut rng(seed))));
        let (low, high) = shares.fold((1.0_f64, 0.0_f64), |(low, high), share| {
            (low.min(share), high.max(share))
        });
        assert!(
            low >= least && high <= most,
            "{kind}: {low:.2} to {high:.2} free"
        );
        assert!(
            high - low >= spread,
            "{kind}: only {low:.2} to {high:.2} free"
        );
    }
}

#[test]
fn most_free_cells_of_most_maps_reach_each_other() {
    for kind in Kind::ALL {
        let connected = (0..100).filter(|&seed| {
            let map = generate(kind, 48, 48, &mut rng(seed));
            let components = Components::of(&map);
            let largest = components.cells(components.largest().unwrap()).len();
            largest as f64 >= 0.9 * free_share(&map) * map.costs().len() as f64
        });
        assert!(connected.count() >= 75, "{kind}");
    }
}

#[test]
fn mazes_and_warehouses_are_of_one_piece() {
    for (height, width) in SIZES {
        for seed in SEEDS {
            for kind in [Kind::Maze, Kind::Warehouse] {
                let map = generate(kind, height, width, &mut rng(seed));
                assert_eq!(
                    Components::of(&map).count(),
                    1,
                    "{kind} {height} x {width} {seed}"
                );
            }
        }
    }
}

#[test]
fn plans_through_narrow_mazes_are_long_detours() {
    let mazes = narrow_mazes();
    assert!(mazes.len() >= 40);
    let detour = |problem: &Problem| {
        let rows = problem.start.row.abs_diff(problem.goal.row);
        let cols = problem.start.col.abs_diff(problem.goal.col);
        moves_of_shortest_plan(problem).unwrap() as f64 / rows.max(cols) as f64
    };
    let mean = mazes.iter().map(detour).sum::<f64>() / mazes.len() as f64;
    assert!(
        mean > 3.0,
        "plans are {mean:.1} times as long as without walls"
    );
}

#[test]
fn there_are_mazes_that_are_trees_and_mazes_with_loops() {
    let mazes = narrow_mazes();
    let trees = mazes.iter().filter(|maze| loops(&maze.map) == 0).count();
    assert!(
        trees >= mazes.len() / 5,
        "{trees} trees among {}",
        mazes.len()
    );
    assert!(
        trees <= mazes.len() * 4 / 5,
        "{trees} trees among {}",
        mazes.len()
    );
}

#[test]
fn corridors_of_mazes_come_in_several_widths() {
    let narrow = narrow_mazes().len();
    assert!(
        (60..=110).contains(&narrow),
        "{narrow} of 120 mazes are narrow"
    );
}

#[test]
fn sides_outside_the_range_are_moved_to_its_end() {
    for kind in Kind::ALL {
        let map = generate(kind, 0, 40, &mut rng(1));
        assert_eq!((map.geometry().height(), map.geometry().width()), (8, 40));
    }
}

#[test]
fn kinds_have_lower_case_names_in_text_and_recipes() {
    let names = Kind::ALL.map(|kind| kind.to_string());
    assert_eq!(
        names,
        ["maze", "random", "rooms", "warehouse", "cave", "boxes"]
    );
    for kind in Kind::ALL {
        assert_eq!(kind.name().parse::<Kind>().unwrap(), kind);
        let json = serde_json::to_string(&kind).unwrap();
        assert_eq!(json, format!("\"{kind}\""));
        assert_eq!(serde_json::from_str::<Kind>(&json).unwrap(), kind);
    }
}

#[test]
fn an_unknown_kind_is_answered_with_the_choices() {
    let message = "labyrinth".parse::<Kind>().unwrap_err().to_string();
    assert!(message.contains("labyrinth"));
    assert!(
        Kind::ALL.iter().all(|kind| message.contains(kind.name())),
        "{message}"
    );
}

#[test]
fn cells_that_touch_by_a_corner_only_are_two_components() {
    let mut map = Costmap::filled(Geometry::unit(3, 2).unwrap(), Cost::LETHAL);
    for (row, col) in [(0, 0), (1, 1), (1, 2)] {
        map.set(Cell::new(row, col), Cost::FREE);
    }
    let components = Components::of(&map);
    assert_eq!(
        components.labels(),
        [0, NO_COMPONENT, NO_COMPONENT, NO_COMPONENT, 1, 1]
    );
    assert_eq!(components.largest(), Some(1));
    assert_eq!(components.cells(1), [4, 5]);
    assert_eq!(components.cells(2), [0_u32; 0]);
    let (start, goal) = reachable_pair(&map, &components, 100.0, &mut rng(0)).unwrap();
    assert_eq!((start.row, goal.row, start.col + goal.col), (1, 1, 3));
}

#[test]
fn a_map_without_a_move_has_no_pair() {
    let map = Costmap::filled(Geometry::unit(5, 5).unwrap(), Cost::UNKNOWN);
    let components = Components::of(&map);
    assert_eq!(reachable_pair(&map, &components, 1.0, &mut rng(0)), None);
    let larger = Costmap::filled(Geometry::unit(6, 5).unwrap(), Cost::FREE);
    assert_eq!(reachable_pair(&larger, &components, 1.0, &mut rng(0)), None);
}

#[test]
fn labels_do_not_depend_on_the_map_labelled_before() {
    let large = generate(Kind::Boxes, 40, 40, &mut rng(1));
    let small = generate(Kind::Cave, 20, 30, &mut rng(2));
    let mut reused = Components::of(&large);
    reused.label(&small);
    assert_eq!(reused.labels(), Components::of(&small).labels());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_kind_size_and_seed_gives_a_problem_with_a_plan(
        kind in 0..6_usize,
        height in 8..90_usize,
        width in 8..90_usize,
        seed: u64,
    ) {
        let problem = problem(Kind::ALL[kind], height, width, &mut rng(seed));
        prop_assert!(moves_of_shortest_plan(&problem).is_some_and(|moves| moves > 0));
    }
}
