//! The kinds that are trained on but not judged: offices and drone slices.

use hrm_planner::grid::generate::{Components, Kind, SIDES, generate, problem};
use hrm_planner::grid::{Cell, Cost, Costmap, Geometry};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

const KINDS: [Kind; 2] = [Kind::Office, Kind::Slices];
/// Height and width.
const SIZES: [(usize, usize); 6] = [(8, 8), (9, 31), (16, 16), (48, 48), (33, 128), (100, 11)];
const SEEDS: std::ops::Range<u64> = 0..40;

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

fn free_share(map: &Costmap) -> f64 {
    let free = map.costs().iter().filter(|&&cost| cost == Cost::FREE);
    free.count() as f64 / map.costs().len() as f64
}

/// The share of the free cells that belong to the largest component.
fn connected_share(map: &Costmap) -> f64 {
    let components = Components::of(map);
    let largest = components
        .cells(components.largest().expect("a free cell"))
        .len();
    largest as f64 / (free_share(map) * map.costs().len() as f64)
}

#[test]
fn maps_have_the_size_asked_for_and_a_problem_for_every_seed() {
    for kind in KINDS {
        for (height, width) in SIZES {
            for seed in SEEDS {
                let map = problem(kind, height, width, &mut rng(seed)).map;
                assert_eq!(*map.geometry(), Geometry::unit(width, height).unwrap());
                let known = |cost: &Cost| *cost == Cost::FREE || *cost == Cost::LETHAL;
                assert!(map.costs().iter().all(known), "{kind} {height} x {width}");
            }
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_map_and_another_seed_another() {
    for kind in KINDS {
        let map = |seed| generate(kind, 48, 64, &mut rng(seed));
        assert_eq!(map(7), map(7));
        assert!(
            SEEDS
                .filter(|&seed| seed != 7)
                .all(|seed| map(seed) != map(7))
        );
    }
}

#[test]
fn nearly_all_free_cells_reach_each_other_also_on_large_maps() {
    for kind in KINDS {
        for side in [48, 200] {
            let connected = SEEDS
                .filter(|&seed| connected_share(&generate(kind, side, side, &mut rng(seed))) > 0.9);
            assert!(connected.count() >= 36, "{kind} of {side} cells");
        }
    }
}

#[test]
fn offices_have_long_straight_walls_and_slices_have_none_around() {
    let solid_border = |kind| {
        SEEDS
            .filter(|&seed| {
                let map = generate(kind, 64, 64, &mut rng(seed));
                (0..64).all(|col| map.cost(Cell::new(0, col)) == Cost::LETHAL)
            })
            .count()
    };
    // A fifth of the offices stand in a yard.
    assert!(solid_border(Kind::Office) >= 24);
    assert_eq!(solid_border(Kind::Slices), 0);
}

#[test]
fn all_kinds_have_names_and_only_six_are_judged() {
    let names = Kind::EVERY.map(Kind::name);
    assert_eq!(names[6..], ["office", "slices"]);
    assert_eq!(Kind::EVERY[..6], Kind::ALL);
    for kind in Kind::EVERY {
        assert_eq!(kind.name().parse::<Kind>().unwrap(), kind);
    }
    let message = "attic".parse::<Kind>().unwrap_err().to_string();
    assert!(names.iter().all(|name| message.contains(name)), "{message}");
}

#[test]
fn sides_outside_the_range_are_moved_to_its_end() {
    for kind in KINDS {
        let map = generate(kind, 0, 40, &mut rng(1));
        assert_eq!(map.geometry().height(), *SIDES.start());
    }
}
