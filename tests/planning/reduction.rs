//! What the model sees of a map is conservative, and its plans come back as plans on the map.

use crate::common::planning::{self, centre, point_robot};
use crate::common::{costmap, toy_model};
use hrm_planner::grid::generate::{Components, Kind, generate, reachable_pair};
use hrm_planner::grid::{Cell, Cost, Costmap, Move};
use hrm_planner::model::Patches;
use hrm_planner::planner::{
    HaltReason, PlannerConfig, Problem, Reduction, Request, Snapshot, Source, check,
};
use hrm_planner::search::{Field, Rules};
use proptest::prelude::*;
use rand::SeedableRng;
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
    assert_eq!(reduction.expand(&plan), expected);
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
    let path = Field::compute(reduction.map(), reduction.goal(), &Rules::shortest())
        .unwrap()
        .path_from(reduction.map(), &Rules::shortest(), reduction.start())
        .unwrap();
    let cells = reduction.expand(&path);
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

#[test]
fn finer_blocks_are_taken_where_coarse_ones_close_all_passages() {
    let snapshot = snapshot(costmap(ONE_DOOR));
    let problem = problem(&snapshot, Cell::new(0, 0), Cell::new(0, 23));
    // Only the map itself will do: twice the cells wanted, but no more than that.
    assert_eq!(Reduction::new(&problem, 60, CELLS).unwrap().factor(), 1);
    assert!(Reduction::new(&problem, 59, CELLS).is_none());
}

#[test]
fn a_map_that_cannot_be_reduced_is_planned_on_by_the_search() {
    let config = PlannerConfig {
        max_tokens: 59,
        ..point_robot()
    };
    let map = costmap(ONE_DOOR);
    let (start, goal) = (Cell::new(0, 0), Cell::new(0, 23));
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
    let full = reduction.spread(&values);
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
        let seen = reduction.spread(&vec![1.0; reduction.map().geometry().cells()]);
        for (index, value) in seen.iter().enumerate() {
            prop_assert!(value.is_nan() || problem.is_reachable(index));
        }

        // Start and goal are connected, and whatever connects them does so on the map.
        let rules = Rules::shortest();
        let field = Field::compute(reduction.map(), reduction.goal(), &rules).unwrap();
        let path = field.path_from(reduction.map(), &rules, reduction.start());
        let cells = reduction.expand(&path.unwrap());
        prop_assert_eq!((cells[0], *cells.last().unwrap()), (start, goal));
        assert_legal(&problem, &cells);
    }
}
