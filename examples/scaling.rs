//! How time and memory grow with the map: the same rooms, enlarged to 128 to 4096 cells a side, planned
//! through from one side to the other: `cargo run --release --example scaling -- [PICTURE.png]`

use std::error::Error;
use std::time::Instant;

use hrm_planner::grid::generate::{Components, Kind, generate};
use hrm_planner::grid::{Cell, Costmap, Geometry, Pose2};
use hrm_planner::judge::{peak_mib, percentile, reset_peak};
use hrm_planner::model::Compute;
use hrm_planner::planner::{NamedModel, Planner, PlannerConfig, Request, Snapshot};
use hrm_planner::search::{Search, Termination};
use hrm_planner::view::{Axis, Chart, Panel, Rgb, Series};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Cells along each side of the maps.
const SIDES: [usize; 8] = [128, 256, 384, 512, 1024, 2048, 3072, 4096];
/// Requests on each map.
const PAIRS: usize = 12;
/// The map that all are enlarged from has so many cells a side.
const DRAWN: usize = 64;
/// How far apart start and goal are at least, as a share of the side.
const APART: f64 = 0.5;
/// Metres per cell.
const RESOLUTION: f64 = 0.05;

const BLUE: Rgb = [18, 97, 222];
const ORANGE: Rgb = [240, 90, 20];
const GREY: Rgb = [98, 112, 140];

/// Medians of one map.
struct Row {
    side: f64,
    ready_ms: f64,
    plan_ms: f64,
    thinking_ms: f64,
    astar_ms: f64,
    peak_mib: f64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let model = NamedModel::shipped(&Compute::cpu())?.ok_or("this build has no model")?;
    let config = PlannerConfig {
        max_planning_time: 60.0,
        // So that the smallest map's doors are open.
        robot_radius: 0.0,
        inflation_radius: 4.0 * RESOLUTION,
        ..PlannerConfig::default()
    };
    println!(
        "{:>6} {:>10} {:>9} {:>9} {:>9} {:>9}   (medians of {PAIRS}, ms)",
        "side", "map ready", "plan", "thinking", "A*", "MiB"
    );
    let mut rows = Vec::new();
    for side in SIDES {
        let row = on_map(side, &config, &model)?;
        println!(
            "{side:>6} {:>10.1} {:>9.1} {:>9.1} {:>9.2} {:>9.0}",
            row.ready_ms, row.plan_ms, row.thinking_ms, row.astar_ms, row.peak_mib
        );
        rows.push(row);
    }
    if let Some(file) = std::env::args().nth(1) {
        chart(&rows).save_png(file)?;
    }
    Ok(())
}

fn on_map(side: usize, config: &PlannerConfig, model: &NamedModel) -> Result<Row, Box<dyn Error>> {
    let mut dice = ChaCha8Rng::seed_from_u64(7);
    let drawn = generate(Kind::Rooms, DRAWN, DRAWN, &mut dice);
    let geometry = Geometry::new(side, side, RESOLUTION, Pose2::default())?;
    let source = |cell: Cell| Cell::new(cell.row * DRAWN / side, cell.col * DRAWN / side);
    let costs = (0..geometry.cells()).map(|index| drawn.cost(source(geometry.cell(index))));
    let map = Costmap::new(geometry, costs.collect())?;
    reset_peak();
    let begin = Instant::now();
    let snapshot = Snapshot::new(map, config)?;
    let ready_ms = begin.elapsed().as_secs_f64() * 1e3;
    let mut planner = Planner::new(config.clone(), Some(model.clone()))?;
    let mut search = Search::new();
    let components = Components::of(snapshot.inflated());
    let cells = components.cells(components.largest().ok_or("no free cell")?);
    let centre = |cell: Cell| {
        let (x, y) = geometry.cell_to_world(cell);
        Pose2::new(x, y, 0.0)
    };
    let (mut plan, mut thinking, mut astar) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..PAIRS {
        let (start, goal) = loop {
            let mut cell = || geometry.cell(cells[dice.random_range(0..cells.len())] as usize);
            let (start, goal) = (cell(), cell());
            if start.octile_distance(goal) >= APART * side as f64 {
                break (start, goal);
            }
        };
        let request = Request::new(centre(start), centre(goal));
        let never = Termination::never();
        let outcome = planner.plan(&snapshot, &request, &never, &mut |_| {});
        if outcome.plan.is_none() {
            return Err(outcome.message.into());
        }
        plan.push(outcome.report.time_ms.total);
        thinking.push(outcome.report.time_ms.think);
        let begin = Instant::now();
        search.path(snapshot.inflated(), start, goal, snapshot.rules(), &never)?;
        astar.push(begin.elapsed().as_secs_f64() * 1e3);
    }
    let median = |values: &[f64]| percentile(values, 0.5).unwrap_or(f64::NAN);
    Ok(Row {
        side: side as f64,
        ready_ms,
        plan_ms: median(&plan),
        thinking_ms: median(&thinking),
        astar_ms: median(&astar),
        peak_mib: peak_mib().unwrap_or(f64::NAN),
    })
}

fn chart(rows: &[Row]) -> Chart {
    let series = |name: &str, colour, value: fn(&Row) -> f64| Series {
        name: (!name.is_empty()).then(|| name.to_owned()),
        colour,
        opacity: 1.0,
        width: 2.5,
        points: rows.iter().map(|row| (row.side, value(row))).collect(),
    };
    let panels = [
        Panel {
            title: "ms, medians".to_owned(),
            axis: Axis::Log,
            series: vec![
                series("plan", BLUE, |row| row.plan_ms),
                series("thinking", ORANGE, |row| row.thinking_ms),
                series("A*", GREY, |row| row.astar_ms),
            ],
        },
        Panel {
            title: "most memory in use, MiB, map and all".to_owned(),
            axis: Axis::Log,
            series: vec![series("", BLUE, |row| row.peak_mib)],
        },
    ];
    Chart::new(
        "Plans through the same rooms, enlarged",
        "side of the map, cells",
        &panels,
    )
}
