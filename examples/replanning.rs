//! What a warm start saves: robots drive to their goals on maps where people walk about, and plan anew
//! at every half metre, once going on from what was thought before and once from the beginning:
//! `cargo run --release --example replanning -- MAP.yaml ...`

use std::error::Error;

use hrm_planner::grid::generate::{Components, reachable_pair};
use hrm_planner::grid::{Cell, Cost, CostRule, Costmap, Geometry, Pose2, load_map};
use hrm_planner::judge::{mean, percentile};
use hrm_planner::model::Compute;
use hrm_planner::planner::{
    NamedModel, Outcome, PlanSource, Planner, PlannerConfig, Request, Snapshot,
};
use hrm_planner::search::Termination;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Robots that drive on each map, one after the other.
const ROBOTS: usize = 4;
/// Plans of each robot at most.
const PLANS: usize = 25;
/// What it drives between two plans, metres.
const STEP_M: f64 = 0.5;
/// People on each map, the radius of one, and how far one walks between two plans, metres.
const PEOPLE: usize = 20;
const RADIUS_M: f64 = 0.3;
const WALK_M: f64 = 0.5;
/// Nobody steps nearer to the robot or its goal than this, metres.
const AWAY_M: f64 = 0.8;

/// What is measured of one way of planning.
#[derive(Default)]
struct Measures {
    segments: Vec<f64>,
    thinking_ms: Vec<f64>,
    total_ms: Vec<f64>,
    /// 1 where the model's own plan holds.
    own: Vec<f64>,
    /// Published travel cost over the best.
    ratios: Vec<f64>,
    /// 1 where thinking went on from a map of before.
    warm: Vec<f64>,
}

impl Measures {
    fn note(&mut self, outcome: &Outcome, best: f64) {
        let flag = |is: bool| f64::from(u8::from(is));
        let report = &outcome.report;
        self.segments.push(report.segments as f64);
        self.thinking_ms.push(report.time_ms.think);
        self.total_ms.push(report.time_ms.total);
        self.own.push(flag(outcome.own_cells.is_some()));
        self.warm.push(flag(report.warm));
        let cost = outcome.plan.as_ref().map(|plan| plan.grid_travel_cost);
        self.ratios.extend(cost.map(|cost| cost / best));
    }

    fn print(&self, name: &str) {
        let mean = |values: &[f64]| mean(values).unwrap_or(f64::NAN);
        let p95 = |values: &[f64]| percentile(values, 0.95).unwrap_or(f64::NAN);
        println!(
            "  {name:<5} {:>5} plans, {:>5.1} segments, thinking {:>6.1} ms (p95 {:>6.1}), in all {:>6.1} ms; \
             own {:>5.1} %, ratio {:.4} (p95 {:.3}), warm {:>5.1} %",
            self.segments.len(),
            mean(&self.segments),
            mean(&self.thinking_ms),
            p95(&self.thinking_ms),
            mean(&self.total_ms),
            100.0 * mean(&self.own),
            mean(&self.ratios),
            p95(&self.ratios),
            100.0 * mean(&self.warm),
        );
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let files: Vec<String> = std::env::args().skip(1).collect();
    if files.is_empty() {
        return Err("give at least one map, for example: maps/office.yaml".into());
    }
    let model = NamedModel::shipped(&Compute::cpu())?.ok_or("this build has no model")?;
    let config = PlannerConfig {
        max_planning_time: 60.0,
        ..PlannerConfig::default()
    };
    let planner = |source, warm_start| {
        let config = PlannerConfig {
            source,
            warm_start,
            ..config.clone()
        };
        Planner::new(config, Some(model.clone()))
    };
    let mut warm = planner(PlanSource::Auto, true)?;
    let mut cold = planner(PlanSource::Auto, false)?;
    let mut search = planner(PlanSource::Search, false)?;
    let mut all = [Measures::default(), Measures::default()];
    for file in &files {
        let map = load_map(file)?.to_costmap(CostRule::default());
        println!(
            "{file}, {} x {}",
            map.geometry().width(),
            map.geometry().height()
        );
        let mut here = [Measures::default(), Measures::default()];
        for robot in 0..ROBOTS {
            let mut dice = ChaCha8Rng::seed_from_u64(robot as u64);
            let planners = [&mut warm, &mut cold, &mut search];
            drive(&map, &config, planners, &mut dice, &mut here)?;
        }
        for (name, measures) in ["warm", "cold"].iter().zip(&here) {
            measures.print(name);
        }
        for (all, here) in all.iter_mut().zip(here) {
            all.segments.extend(here.segments);
            all.thinking_ms.extend(here.thinking_ms);
            all.total_ms.extend(here.total_ms);
            all.own.extend(here.own);
            all.ratios.extend(here.ratios);
            all.warm.extend(here.warm);
        }
    }
    println!("{} maps", files.len());
    for (name, measures) in ["warm", "cold"].iter().zip(&all) {
        measures.print(name);
    }
    Ok(())
}

/// One robot's way to its goal.
fn drive(
    map: &Costmap,
    config: &PlannerConfig,
    [warm, cold, search]: [&mut Planner; 3],
    dice: &mut ChaCha8Rng,
    measures: &mut [Measures; 2],
) -> Result<(), Box<dyn Error>> {
    let empty = Snapshot::new(map.clone(), config)?;
    let geometry = *map.geometry();
    let apart = map.geometry().width().max(map.geometry().height()) as f64 / 4.0;
    let components = Components::of(empty.inflated());
    let pair = reachable_pair(empty.inflated(), &components, apart, dice);
    let Some((start, goal)) = pair else {
        return Ok(());
    };
    let centre = |cell: Cell| {
        let (x, y) = geometry.cell_to_world(cell);
        Pose2::new(x, y, 0.0)
    };
    let (mut here, goal) = (centre(start), centre(goal));
    let mut people: Vec<Pose2> = (0..PEOPLE)
        .map(|_| {
            let row = dice.random_range(0..geometry.height());
            let col = dice.random_range(0..geometry.width());
            centre(Cell::new(row, col))
        })
        .collect();
    for _ in 0..PLANS {
        let snapshot = Snapshot::new(with_people(map, &people, [&here, &goal]), config)?;
        let request = Request::new(here, goal);
        let never = Termination::never();
        let best = search.plan(&snapshot, &request, &never, &mut |_| {});
        if let Some(best) = best
            .plan
            .as_ref()
            .filter(|plan| plan.grid_travel_cost > 0.0)
        {
            // Without an earlier plan, so that the two are compared and not the plan in use.
            let outcome = warm.replan(&snapshot, &request, None, &never, &mut |_| {});
            measures[0].note(&outcome, best.grid_travel_cost);
            let outcome = cold.plan(&snapshot, &request, &never, &mut |_| {});
            measures[1].note(&outcome, best.grid_travel_cost);
            let ahead = (STEP_M / geometry.resolution()) as usize;
            let Some(&next) = best.poses.get(ahead) else {
                break; // there
            };
            here = next;
        }
        for person in &mut people {
            let heading = dice.random_range(0.0..std::f64::consts::TAU);
            person.x += WALK_M * heading.cos();
            person.y += WALK_M * heading.sin();
        }
    }
    Ok(())
}

/// The map with an obstacle where each person stands.
fn with_people(map: &Costmap, people: &[Pose2], kept_free: [&Pose2; 2]) -> Costmap {
    let mut map = map.clone();
    let geometry: Geometry = *map.geometry();
    let reach = (RADIUS_M / geometry.resolution()).ceil() as isize;
    for person in people {
        let Some(at) = geometry.world_to_cell(person.x, person.y) else {
            continue;
        };
        if kept_free.iter().any(|pose| pose.distance(person) < AWAY_M) {
            continue;
        }
        for (dr, dc) in (-reach..=reach).flat_map(|dr| (-reach..=reach).map(move |dc| (dr, dc))) {
            let row = at.row.checked_add_signed(dr);
            let col = at.col.checked_add_signed(dc);
            let Some((row, col)) = row.zip(col) else {
                continue;
            };
            let is_inside = row < geometry.height() && col < geometry.width();
            let distance = (dr as f64).hypot(dc as f64) * geometry.resolution();
            if is_inside && distance <= RADIUS_M {
                map.set(Cell::new(row, col), Cost::LETHAL);
            }
        }
    }
    map
}
