//! Draws the contact sheets of docs/maps.md: `cargo run --release --example maps -- docs/maps`.
//! With `speed` in place of a folder it measures instead how many cells each generator and each
//! step makes in a second on one thread.

use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use hrm_planner::grid::generate::realistic::{
    Clutter, Scan, Turn, cluttered, narrowed, scanned, thickened, thinned, turned,
};
use hrm_planner::grid::generate::{Kind, generate, realistic};
use hrm_planner::grid::{Cost, Costmap, Inflation, Workspace, inflate};
use hrm_planner::view::{Picture, Sheet, Tile};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// The longer side of a picture, pixels.
const PICTURE: usize = 200;
/// The side of the maps that are timed, cells.
const TIMED_SIDE: usize = 160;
/// So many maps are timed, each as often as the second number says; the best time of each counts,
/// since other programs only ever slow it down.
const MAPS: u64 = 12;
const REPEATS: usize = 40;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    match std::env::args().nth(1).as_deref() {
        Some("speed") => {
            rayon::ThreadPoolBuilder::new()
                .num_threads(1)
                .build()?
                .install(speed);
            Ok(())
        }
        Some(folder) => draw(Path::new(folder)),
        None => Err("give a folder for the pictures, or: speed".into()),
    }
}

fn draw(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    for kind in Kind::EVERY {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        // Small, odd, wide and large.
        let sizes = [(32, 32), (45, 61), (64, 64), (64, 100)];
        let sizes = sizes.into_iter().chain([(100, 100); 3]).chain([(200, 200)]);
        let tiles: Vec<Tile> = sizes
            .map(|(height, width)| {
                let map = generate(kind, height, width, &mut rng);
                tile(&map, &format!("{height} x {width}"))
            })
            .collect();
        let title = format!("{kind}: seed 1, height x width in cells");
        Sheet::new(&[&title], &tiles, 4).save_png(folder.join(format!("{kind}.png")))?;
    }
    Sheet::new(&["One map, step by step"], &steps()?, 4).save_png(folder.join("steps.png"))?;

    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let tiles: Vec<Tile> = (0..3)
        .flat_map(|_| Kind::EVERY)
        .filter_map(|kind| {
            let map = realistic(kind, 192, 192, &mut rng)?;
            Some(tile(&map, kind.name()))
        })
        .collect();
    let heading = ["Realistic maps of every kind: seed 5, 192 x 192 cells"];
    Sheet::new(&heading, &tiles, 4).save_png(folder.join("realistic.png"))?;
    Ok(())
}

fn tile(map: &Costmap, line: &str) -> Tile {
    Tile {
        pictures: vec![Picture::sized(map, PICTURE)],
        lines: vec![line.to_owned()],
    }
}

/// What each step makes of the map of the step before.
fn steps() -> Result<Vec<Tile>> {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let map = generate(Kind::Office, 100, 100, &mut rng);
    let mut tiles = vec![tile(&map, "generated: office, 100 x 100")];
    let map = turned(&map, &turn(&map, 0.4, 2.0), 160, 160);
    tiles.push(tile(&map, "turned by 0.4 rad, scale 2, window 160 x 160"));
    let thick = thickened(&map);
    tiles.push(tile(&thick, "thickened by a cell; no passage closes"));
    let map = thinned(&map);
    tiles.push(tile(&map, "or thinned by a cell; no wall opens"));
    let map = narrowed(&map, 0.7, &mut rng);
    tiles.push(tile(&map, "narrowed: 70 % of the doors"));
    let map = cluttered(&map, &CLUTTER, &mut rng);
    tiles.push(tile(
        &map,
        "cluttered: 6 obstacles per 1,000 cells, speckle",
    ));
    let scan = Scan {
        range: 70.0,
        coverage: 0.75,
        ..SCAN
    };
    let map = scanned(&map, &scan, &mut rng);
    tiles.push(tile(&map, "scanned: range 70 cells, three quarters seen"));
    let inflation = Inflation::new(1.5, 9.0, 0.3)?;
    let map = inflate(&map, &inflation, &mut Workspace::default());
    tiles.push(tile(&map, "inflated: radius 1.5 cells, costs out to 9"));
    Ok(tiles)
}

const CLUTTER: Clutter = Clutter {
    per_thousand: 6.0,
    speckle: 0.1,
    clustered: 0.5,
};

const SCAN: Scan = Scan {
    range: 80.0,
    beams: 512,
    coverage: 1.0,
    thickness: 2,
    missed: 0.05,
};

fn turn(map: &Costmap, angle: f64, scale: f64) -> Turn {
    let geometry = map.geometry();
    Turn {
        angle,
        scale,
        centre: (
            geometry.height() as f64 / 2.0,
            geometry.width() as f64 / 2.0,
        ),
        outside: Cost::UNKNOWN,
    }
}

fn speed() {
    println!("{TIMED_SIDE} x {TIMED_SIDE} cells, Mcell/s on one thread");
    let side = TIMED_SIDE;
    for kind in Kind::EVERY {
        time(kind.name(), |rng| generate(kind, side, side, rng));
    }
    let map = generate(Kind::Rooms, side, side, &mut ChaCha8Rng::seed_from_u64(1));
    let turning = turn(&map, 0.5, 2.0);
    time("turned", |_| turned(&map, &turning, side, side));
    let map = turned(&map, &turning, side, side);
    time("thickened", |_| thickened(&map));
    time("thinned", |_| thinned(&map));
    time("narrowed", |rng| narrowed(&map, 0.5, rng));
    time("cluttered", |rng| cluttered(&map, &CLUTTER, rng));
    time("scanned", |rng| scanned(&map, &SCAN, rng));
    let mut workspace = Workspace::default();
    let inflation = Inflation::new(3.0, 12.0, 0.3).unwrap_or_default();
    time("inflated", |_| inflate(&map, &inflation, &mut workspace));
    for kind in Kind::EVERY {
        let name = format!("realistic {kind}");
        time(&name, |rng| realistic(kind, side, side, rng));
    }
}

fn time<T>(name: &str, mut make: impl FnMut(&mut ChaCha8Rng) -> T) {
    let mut seconds = 0.0;
    for seed in 0..MAPS {
        let once = |_| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let started = Instant::now();
            black_box(make(&mut rng));
            started.elapsed().as_secs_f64()
        };
        seconds += (0..REPEATS).map(once).fold(f64::INFINITY, f64::min);
    }
    let cells = MAPS as f64 * (TIMED_SIDE * TIMED_SIDE) as f64;
    println!("{name:20} {:7.1}", cells / seconds / 1e6);
}
