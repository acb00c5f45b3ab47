//! An answer in words.

use std::path::Path;

use hrm_planner::planner::{Outcome, PlanSource, Source, Times};

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
    pairs.push(("length", length(&answer.outcome, optimal_travel_cost)));
    if let Some(plan) = &answer.outcome.plan {
        pairs.push(("poses", plan.poses.len().to_string()));
    }
    if let Some(model) = &report.model {
        pairs.push(("model", format!("{model}, {}", thinking(answer))));
    }
    pairs.push(("map", map_line(answer, map)));
    pairs.push(("time", times(&report.time_ms)));
    pairs
}

/// Lines for below a picture; the first is its title.
pub fn caption(answer: &Answer<'_>) -> Vec<String> {
    match (&answer.outcome.plan, answer.outcome.error) {
        (Some(_), _) => vec![verdict(answer), length(&answer.outcome, None)],
        (None, Some(error)) => vec![format!("no plan: {error}"), answer.outcome.message.clone()],
        (None, None) => vec!["no plan".to_owned(), answer.outcome.message.clone()],
    }
}

/// Who made the plan.
fn verdict(answer: &Answer<'_>) -> String {
    match (answer.outcome.report.source, answer.source) {
        (Some(Source::Model), _) => "by the model, verified".to_owned(),
        (Some(Source::Search), PlanSource::Search) => "by the search, verified".to_owned(),
        (Some(Source::Search), _) => format!(
            "by the search behind the model ({}), verified",
            answer.outcome.report.halt_reason.name()
        ),
        (None, _) => "none".to_owned(),
    }
}

fn length(outcome: &Outcome, optimal_travel_cost: Option<f64>) -> String {
    let Some(plan) = &outcome.plan else {
        return "none".to_owned();
    };
    let mut text = format!(
        "{:.2} m, travel cost {:.2} m",
        plan.length_m, plan.travel_cost
    );
    if let Some(optimal) = optimal_travel_cost {
        text += &format!(" (exact search on cells: {optimal:.2} m");
        if optimal > 0.0 {
            text += &format!(", {:+.1} %", 100.0 * (plan.travel_cost / optimal - 1.0));
        }
        text += ")";
    }
    text
}

fn thinking(answer: &Answer<'_>) -> String {
    let report = &answer.outcome.report;
    let mut text = match report.segments {
        1 => "1 segment".to_owned(),
        segments => format!("{segments} segments"),
    };
    text += &format!(" (halted: {})", report.halt_reason.name());
    if let (Some(halt), Some(go_on)) = (report.q_halt, report.q_continue) {
        text += &format!(", q_halt {halt:+.1}, q_continue {go_on:+.1}");
    }
    text
}

fn map_line(answer: &Answer<'_>, map: &Path) -> String {
    let geometry = answer.snapshot.geometry();
    let mut text = format!(
        "{}, {} x {} cells of {} m",
        map.display(),
        geometry.width(),
        geometry.height(),
        geometry.resolution()
    );
    match answer.outcome.report.reduction_factor {
        Some(factor) if factor > 1 => {
            text += &format!("; the model saw blocks of {factor} x {factor} cells");
        }
        _ => {}
    }
    text
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
