//! Whole plans on maps of 384 and 1000 cells a side, beside our own A* and Dijkstra in the same run,
//! stage by stage; and a batch of a hundred starts beside a single plan.
//!
//! `cargo bench --bench planning -- [--config FILE] [--model FILE] [MAP.yaml ...]`. Maps that are
//! larger are cut to their middle 384 x 384 cells. Without maps: the tb3, depot and office maps of
//! `HRM_DATA` (default `../shared/data`) where they are, and generated ones in any case.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use hrm_planner::grid::generate::{Components, Kind, generate, reachable_pair};
use hrm_planner::grid::{Cell, CostRule, Costmap, Geometry, Pose2, load_map};
use hrm_planner::judge::{mean, percentile};
use hrm_planner::model::{Checkpoint, shipped};
use hrm_planner::planner::{
    NamedModel, Outcome, Planner, PlannerConfig, Request, Snapshot, Source, Times,
};
use hrm_planner::search::{Field, Search, Termination};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Requests on each map.
const PAIRS: usize = 40;
/// Starts of the batch.
const STARTS: usize = 100;
/// Sides of the cut of a real map, and of the generated maps.
const SIDE: usize = 384;
const LARGE_SIDE: usize = 1000;
/// Maps of `HRM_DATA`, under `ros-maps`.
const MAPS: [&str; 3] = [
    "tb3_sandbox.yaml",
    "depot.yaml",
    "conestogo_office_test/map.yaml",
];

fn main() -> Result<()> {
    let mut config = PlannerConfig::default();
    let mut model = None;
    let mut files: Vec<PathBuf> = Vec::new();
    let mut arguments = std::env::args().skip(1).filter(|a| a != "--bench");
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().context("a file is missing");
        match argument.as_str() {
            "--config" => config = PlannerConfig::read(Path::new(&value()?))?,
            "--model" => model = Some(Checkpoint::read(Path::new(&value()?))?),
            flag if flag.starts_with('-') => bail!("{flag} is not known"),
            file => files.push(file.into()),
        }
    }
    let (checkpoint, name) = match model {
        Some(checkpoint) => (checkpoint, "given"),
        None => (shipped()?.context("this build has no model")?, "shipped"),
    };
    let model = NamedModel {
        name: name.to_owned(),
        model: checkpoint.model()?,
    };
    let mut planner = Planner::new(config.clone(), Some(model))?;
    let mut maps: Vec<(String, Costmap)> = Vec::new();
    if files.is_empty() {
        let folder = std::env::var_os("HRM_DATA").unwrap_or_else(|| "../shared/data".into());
        let all = hrm_planner::judge::map_files(&PathBuf::from(folder).join("ros-maps"));
        let wanted = |file: &PathBuf| MAPS.iter().any(|name| file.ends_with(name));
        files = all.unwrap_or_default().into_iter().filter(wanted).collect();
        let mut dice = ChaCha8Rng::seed_from_u64(7);
        for (kind, side) in [
            (Kind::Office, SIDE),
            (Kind::Warehouse, SIDE),
            (Kind::Office, LARGE_SIDE),
            (Kind::Cave, LARGE_SIDE),
        ] {
            let map = generate(kind, side, side, &mut dice);
            let geometry = Geometry::new(side, side, 0.05, Pose2::new(0.0, 0.0, 0.0))?;
            let map = Costmap::new(geometry, map.costs().to_vec())?;
            maps.push((format!("{kind} {side}"), map));
        }
    }
    for file in &files {
        let map = load_map(file)?.to_costmap(CostRule::default());
        let name = file.parent().and_then(Path::file_name).unwrap_or_default();
        let stem = file.file_stem().unwrap_or_default();
        let name = format!("{}/{}", name.to_string_lossy(), stem.to_string_lossy());
        maps.insert(0, (name, middle(&map)?));
    }
    println!(
        "one plan at a time, {} threads; ms\n",
        rayon::current_num_threads()
    );
    println!(
        "{:<28} {:>7} {:>7} {:>8} {:>8} {:>9} {:>7} {:>7} {:>7} {:>7}   stages, mean",
        "map", "p50", "p99", "A* p50", "Dijkstra", "p50/A*", "ratio", "model", "repair", "search"
    );
    for (name, map) in &maps {
        let snapshot = Snapshot::new(map.clone(), &config)?;
        on_map(name, &mut planner, &snapshot)?;
    }
    println!();
    for (name, map) in &maps {
        let snapshot = Snapshot::new(map.clone(), &config)?;
        batch(name, &mut planner, &snapshot)?;
    }
    Ok(())
}

/// The middle of a map, as large as asked at most.
fn middle(map: &Costmap) -> Result<Costmap> {
    let all = map.geometry();
    let (height, width) = (all.height().min(SIDE), all.width().min(SIDE));
    let (row, col) = ((all.height() - height) / 2, (all.width() - width) / 2);
    let origin = Pose2::new(0.0, 0.0, 0.0);
    let geometry = Geometry::new(width, height, all.resolution(), origin)?;
    let costs = (0..height).flat_map(|r| (0..width).map(move |c| Cell::new(row + r, col + c)));
    Ok(Costmap::new(
        geometry,
        costs.map(|cell| map.cost(cell)).collect(),
    )?)
}

fn pairs(snapshot: &Snapshot, n: usize) -> Vec<(Cell, Cell)> {
    let components = Components::of(snapshot.inflated());
    let mut dice = ChaCha8Rng::seed_from_u64(11);
    (0..n)
        .map_while(|_| reachable_pair(snapshot.inflated(), &components, 0.0, &mut dice))
        .collect()
}

fn pose(snapshot: &Snapshot, cell: Cell) -> Pose2 {
    let (x, y) = snapshot.geometry().cell_to_world(cell);
    Pose2::new(x, y, 0.0)
}

fn ms(work: impl FnOnce()) -> f64 {
    let begin = Instant::now();
    work();
    begin.elapsed().as_secs_f64() * 1e3
}

fn on_map(name: &str, planner: &mut Planner, snapshot: &Snapshot) -> Result<()> {
    let (mut search, mut field) = (Search::new(), Field::default());
    let (mut plans, mut stars, mut fields) = (vec![], vec![], vec![]);
    let (mut ratios, mut sources, mut stages) = (vec![], vec![], Vec::<Times>::new());
    for (start, goal) in pairs(snapshot, PAIRS) {
        let request = Request::new(pose(snapshot, start), pose(snapshot, goal));
        let never = Termination::never();
        let mut outcome: Option<Outcome> = None;
        plans.push(ms(|| {
            outcome = Some(planner.plan(snapshot, &request, &never, &mut |_| {}));
        }));
        let (map, rules) = (snapshot.inflated(), snapshot.rules());
        stars.push(ms(|| {
            let _ = search.path(map, start, goal, rules, &never);
        }));
        let mut result = Ok(());
        fields.push(ms(|| {
            result = search.field_into(map, goal, rules, &mut field);
        }));
        result?;
        let outcome = outcome.context("a plan was asked for")?;
        let plan = outcome.plan.context(outcome.message)?;
        let best = field.cost_to_go(start) * snapshot.geometry().resolution();
        ratios.push(if best > 0.0 {
            plan.grid_travel_cost / best
        } else {
            1.0
        });
        sources.push(outcome.report.source);
        stages.push(outcome.report.time_ms);
    }
    let p = |values: &[f64], share| percentile(values, share).unwrap_or(f64::NAN);
    let share = |source| {
        let count = sources.iter().filter(|&&s| s == Some(source)).count();
        100.0 * count as f64 / sources.len() as f64
    };
    let stage = |of: fn(&Times) -> f64| {
        mean(&stages.iter().map(of).collect::<Vec<_>>()).unwrap_or(f64::NAN)
    };
    println!(
        "{name:<28} {:>7.1} {:>7.1} {:>8.2} {:>8.2} {:>8.0}x {:>7.4} {:>5.0} % {:>5.0} % {:>5.0} %   \
         reduce {:.1}, encode {:.1}, think {:.1}, decode {:.1}, verify {:.1}, repair {:.1}, search {:.1}, smooth {:.1}",
        p(&plans, 0.5),
        p(&plans, 0.99),
        p(&stars, 0.5),
        p(&fields, 0.5),
        p(&plans, 0.5) / p(&stars, 0.5),
        mean(&ratios).unwrap_or(f64::NAN),
        share(Source::Model),
        share(Source::Repaired),
        share(Source::Search),
        stage(|t| t.reduce),
        stage(|t| t.encode),
        stage(|t| t.think),
        stage(|t| t.decode),
        stage(|t| t.verify),
        stage(|t| t.repair),
        stage(|t| t.search),
        stage(|t| t.smooth),
    );
    Ok(())
}

fn batch(name: &str, planner: &mut Planner, snapshot: &Snapshot) -> Result<()> {
    let pairs = pairs(snapshot, STARTS);
    let Some(&(_, goal)) = pairs.first() else {
        return Ok(());
    };
    let starts: Vec<Pose2> = pairs
        .iter()
        .map(|&(start, _)| pose(snapshot, start))
        .collect();
    let goal = pose(snapshot, goal);
    let never = Termination::never();
    // Alone, the farthest start: the one that a batch thinks for.
    let farthest = starts
        .iter()
        .max_by(|a, b| a.distance(&goal).total_cmp(&b.distance(&goal)))
        .context("a start")?;
    let request = Request::new(*farthest, goal);
    let (mut alone, mut together, mut outcomes) = (vec![], vec![], vec![]);
    for _ in 0..5 {
        alone.push(ms(|| {
            drop(planner.plan(snapshot, &request, &never, &mut |_| {}));
        }));
        together.push(ms(|| {
            let asked = (&starts[..], goal);
            outcomes = planner.plan_batch(snapshot, asked, None, &never, &mut |_| {});
        }));
    }
    let count = |source| {
        outcomes
            .iter()
            .filter(|o| o.report.source == Some(source))
            .count()
    };
    let (alone, together) = (
        percentile(&alone, 0.5).unwrap_or(f64::NAN),
        percentile(&together, 0.5).unwrap_or(f64::NAN),
    );
    println!(
        "{name:<28} {} starts to one goal: {together:.1} ms, {:.2} times one plan ({alone:.1} ms); {} by the model, {} repaired, {} by the search",
        starts.len(),
        together / alone,
        count(Source::Model),
        count(Source::Repaired),
        count(Source::Search),
    );
    Ok(())
}
