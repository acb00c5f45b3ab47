//! Every step that makes a map realistic keeps what it promises, on every kind and shape.

use hrm_planner::grid::distance::{self, FAR, squared_distances};
use hrm_planner::grid::generate::realistic::{
    Clutter, LEAST_REGION, Realism, Scan, Turn, cluttered, narrowed, scanned, thickened, thinned,
    turned,
};
use hrm_planner::grid::generate::{Components, Kind, generate, realistic};
use hrm_planner::grid::{Cell, Cost, Costmap, Geometry};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Height and width.
const SIZES: [(usize, usize); 5] = [(8, 8), (9, 31), (48, 48), (33, 90), (71, 11)];
const SEEDS: std::ops::Range<u64> = 0..8;

const CLUTTER: Clutter = Clutter {
    per_thousand: 20.0,
    speckle: 0.2,
    clustered: 0.5,
};

const SCAN: Scan = Scan {
    range: 30.0,
    beams: 256,
    coverage: 1.0,
    thickness: 2,
    missed: 0.0,
};

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// A map of every kind, size and seed, with words that say which.
fn maps() -> impl Iterator<Item = (Costmap, String)> {
    Kind::EVERY.into_iter().flat_map(|kind| {
        SIZES.into_iter().flat_map(move |(height, width)| {
            SEEDS.map(move |seed| {
                let map = generate(kind, height, width, &mut rng(seed));
                (map, format!("{kind} {height} x {width}, seed {seed}"))
            })
        })
    })
}

/// '#' lethal, '.' free, '?' unknown; the first line is the top row.
fn drawn(art: &[&str]) -> Costmap {
    let geometry = Geometry::unit(art[0].len(), art.len()).expect("a line");
    let cost = |symbol| match symbol {
        '#' => Cost::LETHAL,
        '.' => Cost::FREE,
        _ => Cost::UNKNOWN,
    };
    let costs = art.iter().rev().flat_map(|line| line.chars().map(cost));
    Costmap::new(geometry, costs.collect()).expect("lines of one length")
}

fn art(map: &Costmap) -> Vec<String> {
    let symbol = |cost: &Cost| match *cost {
        Cost::LETHAL => '#',
        Cost::UNKNOWN => '?',
        _ => '.',
    };
    let rows = map.costs().chunks(map.geometry().width()).rev();
    rows.map(|row| row.iter().map(symbol).collect()).collect()
}

fn count(map: &Costmap, cost: Cost) -> usize {
    map.costs().iter().filter(|&&c| c == cost).count()
}

/// Whether two maps have as many regions, and the second one's lie within the first one's, one in
/// each.
fn has_the_same_regions(before: &Costmap, after: &Costmap) -> bool {
    let (before, after) = (Components::of(before), Components::of(after));
    let whole = |label| {
        let mut labels = after
            .cells(label)
            .iter()
            .map(|&cell| before.labels()[cell as usize]);
        let first = labels.next();
        labels.all(|label| Some(label) == first)
    };
    before.count() == after.count() && (0..after.count() as u32).all(whole)
}

#[test]
fn a_quarter_turn_is_counter_clockwise_about_the_centre_of_the_window() {
    let turn = Turn {
        angle: std::f64::consts::FRAC_PI_2,
        scale: 1.0,
        centre: (1.0, 2.0),
        outside: Cost::UNKNOWN,
    };
    let map = turned(&drawn(&["#...", "##.."]), &turn, 8, 8);
    let whole = [
        "????????", "????????", "???..???", "???..???", "???.#???", "???##???", "????????",
        "????????",
    ];
    assert_eq!(art(&map), whole);
}

#[test]
fn a_map_turned_by_nothing_stays_as_it_is_and_grows_by_whole_cells() {
    let map = generate(Kind::Rooms, 16, 24, &mut rng(1));
    let mut turn = Turn {
        angle: 0.0,
        scale: 1.0,
        centre: (8.0, 12.0),
        outside: Cost::LETHAL,
    };
    assert_eq!(turned(&map, &turn, 16, 24), map);
    turn.scale = 3.0;
    let large = turned(&map, &turn, 48, 72);
    for row in 0..48 {
        for col in 0..72 {
            let source = map.cost(Cell::new(row / 3, col / 3));
            assert_eq!(large.cost(Cell::new(row, col)), source);
        }
    }
}

#[test]
fn corridors_of_one_cell_stay_whole_when_turned_by_any_angle_at_one_and_a_half() {
    for seed in 0..40 {
        let map = generate(Kind::Maze, 24, 24, &mut rng(seed));
        let turn = Turn {
            angle: 0.1 + seed as f64 * 0.15,
            scale: 1.5,
            centre: (12.0, 12.0),
            outside: Cost::LETHAL,
        };
        let large = turned(&map, &turn, 60, 60);
        assert_eq!(Components::of(&large).count(), 1, "seed {seed}");
    }
}

#[test]
fn thicker_walls_close_no_passage() {
    for (map, which) in maps() {
        let thick = thickened(&map);
        assert!(has_the_same_regions(&map, &thick), "{which}");
        let kept = map.costs().iter().zip(thick.costs());
        assert!(
            kept.clone().all(|(before, after)| after >= before),
            "{which}"
        );
    }
    let hall = drawn(&["#######", "#.....#", "#.....#", "#.....#", "#######"]);
    let thick = ["#######", "#######", "##...##", "#######", "#######"];
    assert_eq!(art(&thickened(&hall)), thick);
}

#[test]
fn thinner_walls_open_no_passage_and_leave_something_of_obstacles_in_the_open() {
    for (map, which) in maps() {
        let thin = thinned(&map);
        let (before, after) = (Components::of(&map), Components::of(&thin));
        assert_eq!(before.count(), after.count(), "{which}");
        assert!(has_the_same_regions(&thin, &map), "{which}");
    }
    let block = drawn(&[".....", ".###.", ".###.", ".###.", "....."]);
    assert_eq!(count(&thinned(&block), Cost::LETHAL), 1);
    let wall = drawn(&["..#..", "..#..", "..#.."]);
    assert_eq!(thinned(&wall), wall);
}

#[test]
fn doors_get_narrower_and_none_closes() {
    for (map, which) in maps() {
        assert!(
            has_the_same_regions(&map, &narrowed(&map, 1.0, &mut rng(1))),
            "{which}"
        );
        assert_eq!(narrowed(&map, 0.0, &mut rng(1)), map, "{which}");
    }
    let wall = drawn(&["........", "........", "##....##", "........", "........"]);
    let shares = (0..20).map(|seed| count(&narrowed(&wall, 1.0, &mut rng(seed)), Cost::LETHAL));
    let (least, most) = shares.fold((usize::MAX, 0), |(l, m), n| (l.min(n), m.max(n)));
    assert_eq!((least, most), (5, 7), "1 to 3 of 4 cells are walled up");
    let corridor = drawn(&["##....##"; 12]);
    assert_eq!(narrowed(&corridor, 1.0, &mut rng(1)), corridor);
}

#[test]
fn clutter_leaves_every_region_whole_and_is_as_dense_as_asked() {
    for (map, which) in maps() {
        let full = cluttered(&map, &CLUTTER, &mut rng(2));
        assert!(has_the_same_regions(&map, &full), "{which}");
        assert_eq!(cluttered(&map, &Clutter::NONE, &mut rng(2)), map, "{which}");
    }
    let empty = Costmap::filled(Geometry::unit(200, 200).unwrap(), Cost::FREE);
    let sparse = Clutter {
        per_thousand: 5.0,
        speckle: 0.0,
        clustered: 0.0,
    };
    // 200 obstacles of one to four cells.
    let cells = count(&cluttered(&empty, &sparse, &mut rng(3)), Cost::LETHAL);
    assert!((300..800).contains(&cells), "{cells}");
}

#[test]
fn what_a_scan_knows_is_true_hangs_together_and_has_its_walls() {
    for (map, which) in maps() {
        let known = scanned(&map, &SCAN, &mut rng(4));
        let pairs = || map.costs().iter().zip(known.costs());
        assert!(pairs().all(|(truth, &known)| known == Cost::UNKNOWN || known == *truth));
        let region = Components::of(&known);
        assert_eq!(region.count(), 1, "{which}");
        // Everything that a robot could reach from there is seen, and with it the walls around.
        let truth = Components::of(&map);
        let first = region.cells(0)[0] as usize;
        let reachable = truth.cells(truth.labels()[first]);
        assert!(region.cells(0).len() >= reachable.len(), "{which}");
        let geometry = map.geometry();
        for &cell in region.cells(0) {
            for mv in hrm_planner::grid::Move::ALL {
                if let Some(beside) = geometry.neighbour(geometry.cell(cell as usize), mv) {
                    // A free cell beyond a corner may belong to another region.
                    let wall = map.cost(beside) == Cost::LETHAL;
                    assert!(!wall || known.cost(beside) == Cost::LETHAL, "{which}");
                }
            }
        }
    }
}

#[test]
fn walls_of_a_scan_are_as_thick_as_asked_and_unknown_behind() {
    let mut map = Costmap::filled(Geometry::unit(40, 20).unwrap(), Cost::LETHAL);
    for row in 7..13 {
        for col in 7..33 {
            map.set(Cell::new(row, col), Cost::FREE);
        }
    }
    for thickness in 1..=3 {
        let known = scanned(&map, &Scan { thickness, ..SCAN }, &mut rng(5));
        for row in 0..20_usize {
            let from_hall = 7_usize
                .saturating_sub(row)
                .max((row + 1).saturating_sub(13));
            let expected = match from_hall {
                0 => Cost::FREE,
                near if near <= thickness => Cost::LETHAL,
                _ => Cost::UNKNOWN,
            };
            assert_eq!(known.cost(Cell::new(row, 20)), expected, "row {row}");
        }
    }
}

#[test]
fn a_scan_of_half_the_map_sees_about_half_and_one_of_nothing_nothing() {
    let map = generate(Kind::Slices, 160, 160, &mut rng(1));
    let scan = Scan {
        coverage: 0.5,
        range: 12.0,
        ..SCAN
    };
    let seen = count(&scanned(&map, &scan, &mut rng(6)), Cost::FREE) as f64;
    let share = seen / count(&map, Cost::FREE) as f64;
    assert!((0.5..0.6).contains(&share), "{share}");
    let solid = Costmap::filled(Geometry::unit(9, 9).unwrap(), Cost::LETHAL);
    let known = scanned(&solid, &SCAN, &mut rng(7));
    assert_eq!(count(&known, Cost::UNKNOWN), 81);
}

#[test]
fn no_free_cell_is_left_within_the_radius_of_an_obstacle() {
    let mut inflated = 0;
    for seed in 0..60 {
        let realism = Realism::draw(64, 80, &mut rng(seed));
        let Some(inflation) = realism.inflation else {
            continue;
        };
        let Some(map) = realism.map(Kind::Boxes, 64, 80, &mut rng(seed)) else {
            continue;
        };
        // The robot may have shrunk to find room, but not below what its inscribed cells say.
        let mut workspace = distance::Workspace::default();
        let lethal = |index: usize| map.costs()[index] == Cost::LETHAL;
        let squared = squared_distances(80, 64, lethal, u32::MAX, &mut workspace);
        let touched = |&(cost, &squared): &(&Cost, &u32)| {
            *cost == Cost::INSCRIBED && squared != FAR && squared > 0
        };
        let cells = || map.costs().iter().zip(squared);
        let Some(radius) = cells().filter(touched).map(|(_, &squared)| squared).max() else {
            continue;
        };
        assert!(f64::from(radius).sqrt() <= inflation.radius_m() + 1e-9);
        let clear = |(cost, &squared): (&Cost, &u32)| squared > radius || *cost >= Cost::INSCRIBED;
        assert!(cells().all(clear), "seed {seed}");
        inflated += 1;
    }
    assert!(inflated >= 20, "{inflated} maps were inflated");
}

#[test]
fn realistic_maps_have_their_size_a_large_region_and_every_sort_of_cell() {
    let (mut none, mut drawn) = (0, 0);
    let mut seen = [0_usize; 5];
    for kind in Kind::EVERY {
        for (height, width) in SIZES {
            for seed in SEEDS {
                drawn += 1;
                let Some(map) = realistic(kind, height, width, &mut rng(seed)) else {
                    none += 1;
                    continue;
                };
                assert_eq!(*map.geometry(), Geometry::unit(width, height).unwrap());
                let components = Components::of(&map);
                let region = components.cells(components.largest().unwrap()).len();
                let least = (LEAST_REGION * (height * width) as f64).floor();
                assert!(
                    region as f64 >= least.max(8.0),
                    "{kind} {height} x {width} {seed}"
                );
                for cost in map.costs() {
                    let sort = match *cost {
                        Cost::FREE => 0,
                        Cost::INSCRIBED => 2,
                        Cost::LETHAL => 3,
                        Cost::UNKNOWN => 4,
                        _ => 1,
                    };
                    seen[sort] += 1;
                }
            }
        }
    }
    assert!(none * 100 <= drawn, "{none} of {drawn} gave no map");
    let all: usize = seen.iter().sum();
    assert!(
        seen.iter().all(|&cells| cells * 20 >= all),
        "{seen:?} of {all}"
    );
}

#[test]
fn the_same_seed_gives_the_same_realistic_map_and_another_seed_another() {
    for kind in Kind::EVERY {
        let map = |seed| realistic(kind, 40, 56, &mut rng(seed));
        assert_eq!(map(3), map(3));
        assert!((4..20).all(|seed| map(seed) != map(3)), "{kind}");
    }
}

#[test]
fn a_realistic_map_takes_the_same_part_of_the_stream_whatever_its_kind_and_size() {
    let mut streams = Kind::EVERY
        .into_iter()
        .zip(SIZES.iter().cycle())
        .map(|(kind, size)| {
            let mut rng = rng(3);
            realistic(kind, size.0, size.1, &mut rng);
            rng
        });
    let first = streams.next().unwrap();
    assert!(streams.all(|rng| rng == first));
}
