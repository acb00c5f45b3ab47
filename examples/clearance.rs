//! How far plans keep from obstacles, and how long and how smooth they are, under cost settings in
//! the style of Nav2's planners and our own: `cargo run --release --example clearance -- MAP.yaml ...`
//!
//! In Nav2's words, with COST 0 to 252 of the cell entered: `NavFn` counts 50 + 0.8 COST per straight
//! step (`COST_NEUTRAL`, `COST_FACTOR`), which is our `cost_weight` 4.03; Smac 2D counts its length times
//! 1 + `cost_travel_multiplier` COST / 252, which is our `cost_weight` itself.

use std::error::Error;

use hrm_planner::grid::distance::{Workspace, squared_distances};
use hrm_planner::grid::generate::{Components, reachable_pair};
use hrm_planner::grid::{Cell, Cost, CostRule, Costmap, Pose2, load_map};
use hrm_planner::judge::{mean, percentile};
use hrm_planner::model::Compute;
use hrm_planner::planner::{NamedModel, PlanSource, Planner, PlannerConfig, Request, Snapshot};
use hrm_planner::search::Termination;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Requests on each map.
const PAIRS: usize = 20;

/// The name of a setting, the cost weight, who plans, and the turning radius, metres.
const SETTINGS: [(&str, f64, PlanSource, f64); 8] = [
    ("shortest", 0.0, PlanSource::Search, 0.0),
    ("Smac 2D, multiplier 1", 1.0, PlanSource::Search, 0.0),
    ("Smac 2D, multiplier 2", 2.0, PlanSource::Search, 0.0),
    ("NavFn", 4.03, PlanSource::Search, 0.0),
    ("ours, weight 1", 1.0, PlanSource::Auto, 0.0),
    ("ours, weight 2", 2.0, PlanSource::Auto, 0.0),
    ("ours, arcs of 0.3 m", 1.0, PlanSource::Auto, 0.3),
    ("ours, arcs of 0.6 m", 1.0, PlanSource::Auto, 0.6),
];
/// A turn that is this much tighter than asked for is tighter.
const AS_WIDE: f64 = 0.999;

/// What is measured of the plans of a setting.
#[derive(Default)]
struct Measures {
    /// Length over the shortest plan's.
    lengths: Vec<f64>,
    /// Distance of each pose from the nearest obstacle, metres.
    clearances: Vec<f64>,
    /// Turning, radians per metre.
    turning: Vec<f64>,
    /// 1 for plans whose turns are all as wide as asked for.
    as_wide: Vec<f64>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let files: Vec<String> = std::env::args().skip(1).collect();
    if files.is_empty() {
        return Err("give at least one map, for example: maps/office.yaml".into());
    }
    let model = NamedModel::shipped(&Compute::cpu())?;
    let mut all: Vec<Measures> = SETTINGS.iter().map(|_| Measures::default()).collect();
    for file in &files {
        let map = load_map(file)?.to_costmap(CostRule::default());
        on_map(&map, model.as_ref(), &mut all)?;
    }
    println!("{} maps, {PAIRS} requests each", files.len());
    println!(
        "{:<24} {:>10} {:>16} {:>14} {:>16} {:>10}",
        "setting", "length", "clearance, mean", "p5", "turning, rad/m", "as wide"
    );
    for ((name, ..), measures) in SETTINGS.iter().zip(&all) {
        let number = |value: Option<f64>| value.unwrap_or(f64::NAN);
        println!(
            "{name:<24} {:>10.3} {:>14.2} m {:>12.2} m {:>16.2} {:>8.0} %",
            number(mean(&measures.lengths)),
            number(mean(&measures.clearances)),
            number(percentile(&measures.clearances, 0.05)),
            number(mean(&measures.turning)),
            100.0 * number(mean(&measures.as_wide)),
        );
    }
    Ok(())
}

fn on_map(
    map: &Costmap,
    model: Option<&NamedModel>,
    all: &mut [Measures],
) -> Result<(), Box<dyn Error>> {
    let geometry = *map.geometry();
    let (width, height) = (geometry.width(), geometry.height());
    let mut workspace = Workspace::default();
    let lethal = |index: usize| map.costs()[index] == Cost::LETHAL;
    let squared = squared_distances(width, height, lethal, u32::MAX, &mut workspace).to_vec();
    let clearance = |pose: &Pose2| {
        let cell = geometry.world_to_cell(pose.x, pose.y)?;
        Some(f64::from(squared[geometry.index(cell)]).sqrt() * geometry.resolution())
    };
    let mut shortest: Vec<f64> = Vec::new();
    for ((_, cost_weight, source, turning_radius), measures) in SETTINGS.iter().zip(all) {
        let config = PlannerConfig {
            cost_weight: *cost_weight,
            source: *source,
            turning_radius: *turning_radius,
            ..PlannerConfig::default()
        };
        let snapshot = Snapshot::new(map.clone(), &config)?;
        let mut planner = Planner::new(config, model.cloned())?;
        let components = Components::of(snapshot.inflated());
        let mut dice = ChaCha8Rng::seed_from_u64(3);
        let pose = |cell: Cell| {
            let (x, y) = geometry.cell_to_world(cell);
            Pose2::new(x, y, 0.0)
        };
        for pair in 0..PAIRS {
            let Some((start, goal)) =
                reachable_pair(snapshot.inflated(), &components, 0.0, &mut dice)
            else {
                break;
            };
            let request = Request::new(pose(start), pose(goal));
            let outcome = planner.plan(&snapshot, &request, &Termination::never(), &mut |_| {});
            let tightest = outcome.report.tightest_turn_m;
            let plan = outcome.plan.ok_or(outcome.message)?;
            if *turning_radius > 0.0 {
                let is = tightest.is_none_or(|radius| radius >= AS_WIDE * turning_radius);
                measures.as_wide.push(f64::from(u8::from(is)));
            }
            if shortest.len() <= pair {
                shortest.push(plan.length_m);
            }
            if shortest[pair] > 0.0 {
                measures.lengths.push(plan.length_m / shortest[pair]);
            }
            measures
                .clearances
                .extend(plan.poses.iter().filter_map(clearance));
            let inner = &plan.poses[1..plan.poses.len().saturating_sub(1).max(1)];
            let turns = inner.windows(2).map(|pair| {
                let turn = pair[1].yaw - pair[0].yaw;
                turn.sin().atan2(turn.cos()).abs()
            });
            if plan.length_m > 1.0 {
                measures.turning.push(turns.sum::<f64>() / plan.length_m);
            }
        }
    }
    Ok(())
}
