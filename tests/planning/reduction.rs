//! What the model sees of a map is conservative, and its plans come back as plans on the map.

use crate::common::planning::{self, centre, point_robot};
use crate::common::{costmap, toy_model};
use hrm_planner::grid::generate::{Components, Kind, generate, reachable_pair};
use hrm_planner::grid::{Cell, Cost, Costmap, Geometry, Move};
use hrm_planner::model::Patches;
use hrm_planner::planner::{
    HaltReason, PlannerConfig, Problem, Reduction, Request, Snapshot, Source, check,
};
use hrm_planner::search::{Field, Rules};
use proptest::prelude::*;
use rand::SeedableRng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

fn snapshot(map: Costmap) -> Snapshot {
    planning::snapshot(map, &point_robot())
}

fn problem(snapshot: &Snapshot, start: Cell, goal: Cell) -> Problem<'_> {
    let pose = |cell| centre(snapshot.raw(), cell);
    check(snapshot, &Request::new(pose(start), pose(goal)), 0.0).expect("the goal can be reached")
}

/// Every cell is a token.
const CELLS: Patches = Patches {
    side: 1,
    sparse: false,
};

const TWO_ROOMS: &str = "
    .....#...
    .....#...
    .........
    .....#..?
    #########
    .........";

#[test]
fn a_small_map_is_seen_as_it_is() {
    let snapshot = snapshot(costmap(TWO_ROOMS));
    let problem = problem(&snapshot, Cell::new(5, 0), Cell::new(5, 8));
    let reduction = Reduction::new(&problem, 100, CELLS).unwrap();
    assert_eq!(reduction.factor(), 1);
    // The rectangle around the two rooms; the room below them is another world.
    let expected = costmap(
        "
        .....#...
        .....#...
        .........
        .....#..?",
    );
    assert_eq!(reduction.map().costs(), expected.costs());
    assert_eq!(
        (reduction.start(), reduction.goal()),
        (Cell::new(3, 0), Cell::new(3, 8))
    );
}

#[test]
fn plans_on_a_small_map_come_back_unchanged() {
    let snapshot = snapshot(costmap(TWO_ROOMS));
    let problem = problem(&snapshot, Cell::new(5, 0), Cell::new(5, 8));
    let reduction = Reduction::new(&problem, 100, CELLS).unwrap();
    let plan = [Cell::new(3, 0), Cell::new(2, 0), Cell::new(1, 0)];
    let expected = [Cell::new(5, 0), Cell::new(4, 0), Cell::new(3, 0)];
    assert_eq!(reduction.expand(&problem, &plan), expected);
}

#[test]
fn free_space_that_cannot_be_reached_is_blocked() {
    let art = "
        .....
        .###.
        .#.#.
        .###.
        .....";
    let snapshot = snapshot(costmap(art));
    let problem = problem(&snapshot, Cell::new(0, 0), Cell::new(4, 4));
    let reduction = Reduction::new(&problem, 100, CELLS).unwrap();
    assert_eq!(reduction.map().cost(Cell::new(2, 2)), Cost::LETHAL);
}

#[test]
fn pooled_costs_are_means() {
    let mut map = costmap("....\n....");
    map.set(Cell::new(0, 0), Cost(100));
    map.set(Cell::new(1, 1), Cost(61));
    let snapshot = snapshot(map);
    let problem = problem(&snapshot, Cell::new(0, 0), Cell::new(1, 3));
    let reduction = Reduction::new(&problem, 2, CELLS).unwrap();
    assert_eq!(reduction.factor(), 2);
    assert_eq!(reduction.map().costs(), [Cost(40), Cost(0)]);
}

#[test]
fn blocks_are_laid_where_they_keep_passages_open() {
    // A passage of two cells that blocks of two, laid from the corner on, would close.
    let art = "
        ....####....
        ............
        ............
        ....####....";
    let snapshot = snapshot(costmap(art));
    let problem = problem(&snapshot, Cell::new(0, 0), Cell::new(3, 11));
    let reduction = Reduction::new(&problem, 12, CELLS).unwrap();
    assert_eq!(reduction.factor(), 2);
    let cells = best_plan(&problem, &reduction);
    assert_eq!(
        (cells[0], *cells.last().unwrap()),
        (Cell::new(0, 0), Cell::new(3, 11))
    );
    assert_legal(&problem, &cells);
}

/// Two halls and a door of one cell, far from their corners; 120 cells.
const ONE_DOOR: &str = "
    ............#...........
    ............#...........
    ........................
    ............#...........
    ............#...........";

/// The best plan over the blocks, as cells of the map.
fn best_plan(problem: &Problem<'_>, reduction: &Reduction) -> Vec<Cell> {
    let rules = Rules::shortest();
    let field =
        Field::compute(reduction.map(), reduction.goal(), &rules).expect("the goal is free");
    let path = field.path_from(reduction.map(), &rules, reduction.start());
    reduction.expand(problem, &path.expect("the blocks are connected"))
}

#[test]
fn doors_that_are_narrower_than_a_block_stay_open() {
    let snapshot = snapshot(costmap(ONE_DOOR));
    let problem = problem(&snapshot, Cell::new(0, 0), Cell::new(0, 23));
    for (max_cells, factor) in [(30, 2), (11, 3)] {
        let reduction = Reduction::new(&problem, max_cells, CELLS).unwrap();
        assert_eq!(reduction.factor(), factor);
        let cells = best_plan(&problem, &reduction);
        assert!(cells.contains(&Cell::new(2, 12)), "through the door");
        assert_legal(&problem, &cells);
    }
}

#[test]
fn walls_that_are_thinner_than_a_block_stay_closed() {
    // Two halls, one cell of wall between them, and a way around its upper end.
    let art = "
        ................
        ................
        ........#.......
        ........#.......
        ........#.......
        ........#.......
        ........#.......
        ........#.......";
    let snapshot = snapshot(costmap(art));
    let problem = problem(&snapshot, Cell::new(0, 0), Cell::new(0, 15));
    let reduction = Reduction::new(&problem, 32, CELLS).unwrap();
    assert_eq!(reduction.factor(), 2);
    let map = reduction.map();
    for row in 0..3 {
        let blocks = (0..8).filter(|&col| map.cost(Cell::new(row, col)) == Cost::LETHAL);
        assert_eq!(blocks.count(), 1, "row {row}");
    }
    assert_legal(&problem, &best_plan(&problem, &reduction));
}

#[test]
fn corridors_that_are_narrower_than_a_block_stay_open_beside_rooms() {
    // A corridor of one cell below a room; the two have nothing to do with each other for most of its length.
    let art = "
        ............
        ............
        ............
        ............
        ............
        ............
        ###########.
        ............";
    let snapshot = snapshot(costmap(art));
    let problem = problem(&snapshot, Cell::new(0, 0), Cell::new(7, 0));
    let reduction = Reduction::new(&problem, 40, CELLS).unwrap();
    assert_eq!(reduction.factor(), 2);
    let cells = best_plan(&problem, &reduction);
    assert_eq!(
        (cells[0], *cells.last().unwrap()),
        (Cell::new(0, 0), Cell::new(7, 0))
    );
    assert_legal(&problem, &cells);
}

#[test]
fn plans_over_blocks_make_no_detours_at_their_ends() {
    let map = Costmap::filled(Geometry::unit(40, 40).unwrap(), Cost::FREE);
    let snapshot = snapshot(map);
    for (start, goal) in [((5, 5), (5, 13)), ((30, 2), (9, 37)), ((0, 0), (39, 1))] {
        let (start, goal) = (Cell::new(start.0, start.1), Cell::new(goal.0, goal.1));
        let problem = problem(&snapshot, start, goal);
        let reduction = Reduction::new(&problem, 100, CELLS).unwrap();
        assert_eq!(reduction.factor(), 4);
        let cells = best_plan(&problem, &reduction);
        assert_legal(&problem, &cells);
        let (rows, cols) = (start.row.abs_diff(goal.row), start.col.abs_diff(goal.col));
        // Half a block more than needed at most.
        let needed = rows.max(cols) + 1;
        assert!(
            (needed..=needed + 2).contains(&cells.len()),
            "{start:?} to {goal:?}"
        );
    }
}

/// Corridors and walls of one cell each, there and back; 84 cells.
const SERPENTINE: &str = "
    ............
    ###########.
    ............
    .###########
    ............
    ###########.
    ............";

#[test]
fn finer_blocks_are_taken_where_coarse_ones_close_all_passages() {
    let snapshot = snapshot(costmap(SERPENTINE));
    let problem = problem(&snapshot, Cell::new(0, 0), Cell::new(6, 0));
    // Only the map itself will do: twice the cells wanted, but no more than that.
    assert_eq!(Reduction::new(&problem, 42, CELLS).unwrap().factor(), 1);
    assert!(Reduction::new(&problem, 41, CELLS).is_none());
}

#[test]
fn a_map_that_cannot_be_reduced_is_planned_on_by_the_search() {
    let config = PlannerConfig {
        max_tokens: 41,
        ..point_robot()
    };
    let map = costmap(SERPENTINE);
    let (start, goal) = (Cell::new(0, 0), Cell::new(6, 0));
    let request = Request::new(centre(&map, start), centre(&map, goal));
    let snapshot = planning::snapshot(map, &config);
    let model = Some(toy_model::untrained(1));
    let outcome = planning::plan(&snapshot, &config, model, &request);
    assert!(outcome.plan.is_some());
    assert_eq!(outcome.report.source, Some(Source::Search));
    assert_eq!(outcome.report.halt_reason, HaltReason::NotReducible);
    assert_eq!(outcome.report.reduction_factor, None);
}

#[test]
fn values_come_back_to_every_cell_that_was_seen() {
    let snapshot = snapshot(costmap("......\n......\n##....\n##...."));
    let problem = problem(&snapshot, Cell::new(2, 0), Cell::new(0, 5));
    let reduction = Reduction::new(&problem, 6, CELLS).unwrap();
    assert_eq!(reduction.factor(), 2);
    let values: Vec<f32> = (0..6_u8).map(f32::from).collect();
    let full = reduction.spread(&problem, &values);
    assert_eq!(full.len(), 24);
    assert!(full[0].is_nan() && full[7].is_nan(), "blocked");
    assert_eq!(full[2..4], [1.0, 1.0]);
    assert_eq!(full[22..24], [5.0, 5.0]);
}

/// Every move is legal and no cell comes twice.
fn assert_legal(problem: &Problem<'_>, cells: &[Cell]) {
    for pair in cells.windows(2) {
        let is_move = Move::ALL
            .into_iter()
            .any(|mv| problem.map().legal_move(pair[0], mv, false) == Some(pair[1]));
        assert!(is_move, "{pair:?}");
    }
    let mut sorted = cells.to_vec();
    sorted.sort();
    sorted.dedup();
    assert_eq!(sorted.len(), cells.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn plans_over_blocks_are_plans_on_the_map(
        seed: u64,
        kind in 0..6_usize,
        height in 8..70_usize,
        width in 8..70_usize,
        max_cells in 16..2000_usize,
    ) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let map = generate(Kind::ALL[kind], height, width, &mut rng);
        let components = Components::of(&map);
        let (start, goal) = reachable_pair(&map, &components, 10.0, &mut rng).unwrap();
        let snapshot = snapshot(map);
        let problem = problem(&snapshot, start, goal);
        let Some(reduction) = Reduction::new(&problem, max_cells, CELLS) else {
            return Ok(());
        };
        prop_assert!(reduction.map().geometry().cells() <= 2 * max_cells);

        // Conservative: where a value comes back, the robot can be.
        let seen = reduction.spread(&problem, &vec![1.0; reduction.map().geometry().cells()]);
        for (index, value) in seen.iter().enumerate() {
            prop_assert!(value.is_nan() || problem.is_reachable(index));
        }

        // Start and goal are connected, and whatever connects them does so on the map.
        let cells = best_plan(&problem, &reduction);
        prop_assert_eq!((cells[0], *cells.last().unwrap()), (start, goal));
        assert_legal(&problem, &cells);

        // And so does any other way through free blocks.
        let mut walk = vec![reduction.start()];
        for _ in 0..200 {
            let here = *walk.last().unwrap();
            let moves: Vec<Cell> = Move::ALL
                .into_iter()
                .filter_map(|mv| reduction.map().legal_move(here, mv, false))
                .collect();
            walk.extend(moves.choose(&mut rng));
        }
        walk.dedup();
        walk.retain(|&block| block != reduction.goal());
        let beyond = walk.windows(2).position(|pair| {
            pair[0].row.abs_diff(pair[1].row).max(pair[0].col.abs_diff(pair[1].col)) > 1
        });
        walk.truncate(beyond.map_or(walk.len(), |at| at + 1));
        let cells = reduction.expand(&problem, &walk);
        let last = walk.last().map(|&last| reduction.place(last));
        prop_assert_eq!(cells.last().copied(), last);
        assert_legal(&problem, &cells);
    }
}
