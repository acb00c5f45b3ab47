//! Whole plans on maps of 384 and 1000 cells a side, beside our own A* and Dijkstra in the same run,
//! stage by stage; a batch of a hundred starts beside a single plan; and how soon a cancelled request ends.
//!
//! `cargo bench --bench planning -- [--config FILE] [--model FILE] [MAP.yaml ...]`. Larger maps are
//! cut to their middle 384 x 384 cells. Without maps: some of `HRM_DATA` (default `../shared/data`),
//! cut to 384 or 1000.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use hrm_planner::grid::generate::{Components, reachable_pair};
use hrm_planner::grid::{Cell, CostRule, Costmap, Geometry, Pose2, load_map};
use hrm_planner::judge::{map_files, mean, percentile};
use hrm_planner::model::{Checkpoint, shipped};
use hrm_planner::node::Settings;
use hrm_planner::planner::{
    NamedModel, Outcome, Planner, PlannerConfig, Request, Snapshot, Source, Times,
};
use hrm_planner::search::{Field, Search, Termination};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Requests on each map.
const PAIRS: usize = 40;
/// Starts of the batch.
const STARTS: usize = 100;
/// The side of a map that is given.
const SIDE: usize = 384;
/// Maps of `HRM_DATA`, under `ros-maps`, and to what side they are cut.
const MAPS: [(&str, usize); 7] = [
    ("tb3_sandbox.yaml", 384),
    ("maps/depot.yaml", 384),
    ("conestogo_office_test/map.yaml", 384),
    ("nav2_bringup/maps/warehouse.yaml", 1000),
    ("izs-campus/map.yaml", 1000),
    ("100by100_20.yaml", 1000),
    ("maps/dis.yaml", 1000),
];

fn main() -> Result<()> {
    let mut config = PlannerConfig::default();
    let mut model = None;
    let mut files: Vec<PathBuf> = Vec::new();
    let mut arguments = std::env::args().skip(1).filter(|a| a != "--bench");
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().context("a file is missing");
        match argument.as_str() {
            "--config" => config = Settings::read(Path::new(&value()?))?.planner,
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
    let mut cuts: Vec<(PathBuf, usize)> = files.into_iter().map(|file| (file, SIDE)).collect();
    if cuts.is_empty() {
        let folder = std::env::var_os("HRM_DATA").unwrap_or_else(|| "../shared/data".into());
        let folder = PathBuf::from(folder).join("ros-maps");
        let all = map_files(&folder)
            .with_context(|| format!("give maps, or HRM_DATA: no maps in {}", folder.display()))?;
        for (name, side) in MAPS {
            let file = all.iter().find(|file| file.ends_with(name));
            cuts.extend(file.map(|file| (file.clone(), side)));
        }
    }
    let mut maps: Vec<(String, Costmap)> = Vec::new();
    for (file, side) in &cuts {
        let map = load_map(file)?.to_costmap(CostRule::default());
        let cut = middle(&map, *side)?;
        let name = file.parent().and_then(Path::file_name).unwrap_or_default();
        let stem = file.file_stem().unwrap_or_default();
        let (width, height) = (cut.geometry().width(), cut.geometry().height());
        let name = format!("{}/{}", name.to_string_lossy(), stem.to_string_lossy());
        maps.push((format!("{name} {width} x {height}"), cut));
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
    println!();
    for (name, map) in &maps {
        let snapshot = Snapshot::new(map.clone(), &config)?;
        cancelled(name, &mut planner, &snapshot)?;
    }
    Ok(())
}

/// The middle of a map, as large as asked at most.
fn middle(map: &Costmap, side: usize) -> Result<Costmap> {
    let all = map.geometry();
    let (height, width) = (all.height().min(side), all.width().min(side));
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
    println!(
        "{name:<28} {:>7.1} {:>7.1} {:>8.2} {:>8.2} {:>8.0}x {:>7.4} {:>5.0} % {:>5.0} % {:>5.0} %   {}",
        p(&plans, 0.5),
        p(&plans, 0.99),
        p(&stars, 0.5),
        p(&fields, 0.5),
        p(&plans, 0.5) / p(&stars, 0.5),
        mean(&ratios).unwrap_or(f64::NAN),
        share(Source::Model),
        share(Source::Repaired),
        share(Source::Search),
        means(&stages),
    );
    Ok(())
}

/// The mean of each stage.
fn means(times: &[Times]) -> String {
    let stage = |name: &str, of: fn(&Times) -> f64| {
        let all: Vec<f64> = times.iter().map(of).collect();
        format!("{name} {:.2}", mean(&all).unwrap_or(f64::NAN))
    };
    [
        stage("reduce", |t| t.reduce),
        stage("encode", |t| t.encode),
        stage("think", |t| t.think),
        stage("decode", |t| t.decode),
        stage("verify", |t| t.verify),
        stage("repair", |t| t.repair),
        stage("search", |t| t.search),
        stage("smooth", |t| t.smooth),
    ]
    .join(", ")
}

/// How long after it was cancelled a request ends, at any moment of it.
fn cancelled(name: &str, planner: &mut Planner, snapshot: &Snapshot) -> Result<()> {
    let mut dice = ChaCha8Rng::seed_from_u64(17);
    let mut late = Vec::new();
    for (start, goal) in pairs(snapshot, PAIRS) {
        let request = Request::new(pose(snapshot, start), pose(snapshot, goal));
        let whole =
            ms(|| drop(planner.plan(snapshot, &request, &Termination::never(), &mut |_| {})));
        let flag = Arc::new(AtomicBool::new(false));
        let until = Termination::never().with_cancel(Arc::clone(&flag));
        let wait = Duration::from_secs_f64(dice.random_range(0.0..whole) / 1e3);
        let asker = std::thread::spawn(move || {
            std::thread::sleep(wait);
            flag.store(true, Ordering::Relaxed);
            Instant::now()
        });
        let outcome = planner.plan(snapshot, &request, &until, &mut |_| {});
        let end = Instant::now();
        let asked = asker.join().ok().context("the thread that cancels")?;
        // Those that were done before do not count.
        if outcome.plan.is_none() {
            late.push(end.duration_since(asked).as_secs_f64() * 1e3);
        }
    }
    let p = |share| percentile(&late, share).unwrap_or(f64::NAN);
    println!(
        "{name:<28} {} requests cancelled, ended {:.2} ms later (median; 95 % {:.2}, most {:.2})",
        late.len(),
        p(0.5),
        p(0.95),
        p(1.0),
    );
    Ok(())
}

fn batch(name: &str, planner: &mut Planner, snapshot: &Snapshot) -> Result<()> {
    let components = Components::of(snapshot.inflated());
    let cells = components.cells(components.largest().context("a free cell")?);
    let mut dice = ChaCha8Rng::seed_from_u64(13);
    let mut draw = || {
        let index = cells[dice.random_range(0..cells.len())];
        pose(snapshot, snapshot.geometry().cell(index as usize))
    };
    let goal = draw();
    let starts: Vec<Pose2> = (0..STARTS).map(|_| draw()).collect();
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
        "{name:<28} {} starts to one goal: {together:.1} ms, {:.2} times one plan ({alone:.1} ms); {} by the model, {} repaired, {} by the search; a start: {}",
        starts.len(),
        together / alone,
        count(Source::Model),
        count(Source::Repaired),
        count(Source::Search),
        means(
            &outcomes
                .iter()
                .map(|o| o.report.time_ms)
                .collect::<Vec<_>>()
        ),
    );
    Ok(())
}
