//! The model that is built into the program: it plans by itself, on maps it has never seen.

use hrm_planner::grid::generate::Kind;
use hrm_planner::grid::{DEMO_GOAL, DEMO_START, demo_map};
use hrm_planner::judge::{Generated, Judge};
use hrm_planner::model::{SHIPPED_NAME, shipped};
use hrm_planner::planner::{
    Expected, HaltReason, NamedModel, Outcome, PlanSource, Planner, PlannerConfig, Request,
    Snapshot, Source, verify,
};
use hrm_planner::search::Termination;

/// The shipped model.
pub fn shipped_model() -> NamedModel {
    let checkpoint = shipped().expect("it can be read").expect("there is one");
    NamedModel {
        name: SHIPPED_NAME.to_owned(),
        model: checkpoint.model().expect("it is complete"),
    }
}

/// Settings without a clock, so that slow machines see the same plans.
fn unhurried() -> PlannerConfig {
    PlannerConfig {
        max_planning_time: 600.0,
        ..PlannerConfig::default()
    }
}

fn demo() -> (Snapshot, Outcome) {
    let snapshot = Snapshot::new(demo_map(), &unhurried()).expect("the demo map is a map");
    let mut planner = Planner::new(unhurried(), Some(shipped_model())).expect("good settings");
    let request = Request::new(DEMO_START, DEMO_GOAL);
    let outcome = planner.plan(&snapshot, &request, &Termination::never(), &mut |_| {});
    (snapshot, outcome)
}

#[test]
fn it_tells_how_it_was_trained() {
    let checkpoint = shipped().expect("it can be read").expect("there is one");
    assert!(checkpoint.config.parameters() < 1_000_000);
    assert!(checkpoint.training.recipe.contains("[optimiser]"));
    assert!(checkpoint.training.steps > 0);
    assert!(
        checkpoint.training.wall_seconds < 21600.0,
        "under six hours"
    );
}

#[test]
fn it_plans_the_demo_by_itself() {
    let (snapshot, outcome) = demo();
    let plan = outcome.plan.expect("a plan");
    // It sees blocks of the map, so that repair finds something to gain beside its plan.
    assert!(outcome.own_cells.is_some());
    assert!(matches!(
        outcome.report.source,
        Some(Source::Model | Source::Repaired)
    ));
    assert!(matches!(
        outcome.report.halt_reason,
        HaltReason::Stable | HaltReason::Learned
    ));
    let expected = Expected {
        start: Some(DEMO_START),
        goal: Some(DEMO_GOAL),
        tolerance_m: 0.0,
    };
    assert_eq!(verify(&snapshot, &plan.poses, &expected), []);
}

#[test]
fn it_plans_alike_on_any_number_of_threads() {
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.expect("a pool").install(demo).1.plan
    };
    assert_eq!(on(1), on(3));
}

/// A small sample; `scripts/judge` measures what the model card claims. One failure in twenty
/// problems of a kind is within chance for a model that reaches 99.5 %, two would not be.
#[test]
fn it_reaches_goals_on_unseen_maps_of_every_kind() {
    let judge = Judge::new(&unhurried(), Some(shipped_model()), 99).expect("good settings");
    let set = Generated {
        kinds: Kind::ALL.to_vec(),
        sides: vec![16, 32],
        n: 20,
    };
    for row in judge.generated(&set).expect("sides are in range") {
        let (reached, ratio) = (row.reached.unwrap_or(0.0), row.cost_ratio_mean);
        assert!(reached >= 0.95, "{}: reached {reached}", row.kind);
        assert!(
            ratio.is_some_and(|ratio| ratio < 1.02),
            "{}: {ratio:?}",
            row.kind
        );
        assert_eq!(row.final_reached, Some(1.0), "{}", row.kind);
    }
}

/// The score before fallback is the model's own: alone, without the search, it publishes as many.
#[test]
fn it_publishes_its_plans_without_the_search() {
    let config = PlannerConfig {
        source: PlanSource::Model,
        ..unhurried()
    };
    let judge = Judge::new(&config, Some(shipped_model()), 99).expect("good settings");
    let set = Generated {
        kinds: vec![Kind::Maze, Kind::Warehouse],
        sides: vec![24],
        n: 20,
    };
    for row in judge.generated(&set).expect("sides are in range") {
        let published = row.final_reached.unwrap_or(0.0);
        assert!(published >= 0.95, "{}: published {published}", row.kind);
        assert_eq!(row.final_reached, row.valid, "{}", row.kind);
        assert_eq!(row.fallback, Some(0.0), "{}", row.kind);
    }
}
