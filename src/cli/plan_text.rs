//! An answer in words.

use std::path::Path;

use hrm_planner::planner::{HaltReason, NavError, Plan, Source, Times};

use super::plan::Answer;

/// The report of a plan: labels and values.
pub fn report(
    answer: &Answer<'_>,
    map: &Path,
    optimal_travel_cost: Option<f64>,
) -> Vec<(&'static str, String)> {
    let report = &answer.outcome.report;
    let mut pairs = vec![("plan", verdict(answer))];
    if !answer.outcome.message.is_empty() {
        pairs.push(("note", answer.outcome.message.clone()));
    }
    if let Some(plan) = &answer.outcome.plan {
        pairs.push(("length", length(plan, optimal_travel_cost)));
        pairs.push(("poses", plan.poses.len().to_string()));
        if let Some(radius) = report.tightest_turn_m {
            pairs.push(("turns", format!("the tightest of {radius:.2} m radius")));
        }
    }
    if let Some(model) = &report.model {
        pairs.push(("model", format!("{model}, {}", thinking(answer))));
    }
    pairs.push(("map", map_line(answer, map)));
    pairs.push(("time", times(&report.time_ms)));
    pairs
}

/// A title and a line for below a picture.
pub fn caption(answer: &Answer<'_>) -> [String; 2] {
    let error = answer.outcome.error.unwrap_or(NavError::Unknown);
    match &answer.outcome.plan {
        Some(plan) => [
            format!("Plan {}", verdict(answer)),
            format!(
                "{:.2} m, travel cost {:.2} m",
                plan.length_m, plan.travel_cost
            ),
        ],
        None => [format!("No plan: {error}"), answer.outcome.message.clone()],
    }
}

/// Who made the plan, and why not the model.
fn verdict(answer: &Answer<'_>) -> String {
    let report = &answer.outcome.report;
    match report.source {
        None => return "none".to_owned(),
        Some(Source::Model) => return "by the model, verified".to_owned(),
        Some(Source::Repaired) if answer.outcome.own_cells.is_some() => {
            return "by the model, shortened by a local search, verified".to_owned();
        }
        Some(Source::Repaired) => {
            return "by the model, mended by a local search, verified".to_owned();
        }
        Some(Source::Search) => {}
    }
    let why = match report.halt_reason {
        HaltReason::NoModel => "no model is loaded".to_owned(),
        HaltReason::NotReducible => "the map is too fine for the model".to_owned(),
        HaltReason::ModelFailed => "the model failed".to_owned(),
        HaltReason::Deadline => "the model ran out of time".to_owned(),
        HaltReason::MaxSegments => format!("the model found none in {} segments", report.segments),
        HaltReason::NotAsked
        | HaltReason::Cancelled
        | HaltReason::Learned
        | HaltReason::Stable
        | HaltReason::Recalled => {
            return "by the search, verified".to_owned();
        }
    };
    format!("by the search ({why}), verified")
}

/// Length and travel cost, and how it compares with an optimal path of cells, if that is known.
fn length(plan: &Plan, optimal_travel_cost: Option<f64>) -> String {
    let cost = plan.travel_cost;
    let compared =
        optimal_travel_cost
            .filter(|&optimal| optimal > 0.0)
            .map_or(String::new(), |optimal| {
                let percent = 100.0 * (cost / optimal - 1.0);
                // Shortcuts leave the grid, so a plan can be better than the best path of cells.
                let side = if percent < 0.0 { "below" } else { "above" };
                let percent = percent.abs();
                format!(": {percent:.1} % {side} the best path of cells ({optimal:.2} m)")
            });
    format!("{:.2} m, travel cost {cost:.2} m{compared}", plan.length_m)
}

fn thinking(answer: &Answer<'_>) -> String {
    let report = &answer.outcome.report;
    let plural = if report.segments == 1 { "" } else { "s" };
    let scores = match (report.q_halt, report.q_continue) {
        (Some(halt), Some(go_on)) => format!(", q_halt {halt:+.1}, q_continue {go_on:+.1}"),
        _ => String::new(),
    };
    format!(
        "{} segment{plural} (halted: {}){scores}",
        report.segments,
        report.halt_reason.name()
    )
}

fn map_line(answer: &Answer<'_>, map: &Path) -> String {
    let geometry = answer.snapshot.geometry();
    let seen = match answer.outcome.report.reduction_factor {
        Some(factor) if factor > 1 => {
            format!("; the model saw blocks of {factor} x {factor} cells")
        }
        _ => String::new(),
    };
    format!(
        "{}, {} x {} cells of {} m{seen}",
        map.display(),
        geometry.width(),
        geometry.height(),
        geometry.resolution()
    )
}

/// The total and the stages that took a noteworthy part of it, longest first.
fn times(times: &Times) -> String {
    let mut stages = [
        ("check", times.check),
        ("reduce", times.reduce),
        ("encode", times.encode),
        ("think", times.think),
        ("decode", times.decode),
        ("verify", times.verify),
        ("search", times.search),
        ("smooth", times.smooth),
    ];
    stages.sort_by(|a, b| b.1.total_cmp(&a.1));
    let noteworthy: Vec<String> = stages
        .iter()
        .filter(|(_, ms)| *ms >= 0.05 * times.total)
        .map(|(stage, ms)| format!("{stage} {ms:.1}"))
        .collect();
    format!("{:.1} ms: {}", times.total, noteworthy.join(", "))
}
