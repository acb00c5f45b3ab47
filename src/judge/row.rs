//! One line of a judgement: the scores of one kind of problem.

use serde::Serialize;

use super::OPTIMAL_WITHIN;
use super::case::{Asked, Likeness, Verdict};
use super::statistics::{mean, percentile, share};
use crate::planner::Source;

/// The scores of one kind of problem in one set. Shares are 0..=1; `None` is "does not apply".
///
/// The names are stable: other tools read them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// The set of problems.
    pub set: String,
    /// The kind of problem within the set.
    pub kind: String,
    /// Problems; the shares below are of those that the planner was asked.
    pub n: usize,
    /// Share of problems on which the model's own plan reaches the goal.
    pub reached: Option<f64>,
    /// Share on which it also passes the verifier.
    pub valid: Option<f64>,
    /// Share on which its travel cost is also within 0.01 % of the oracle's.
    pub optimal: Option<f64>,
    /// Share on which it is the stored answer of the data set.
    pub exact: Option<f64>,
    /// Mean share of a map's cells on which the model's own plan and the stored answer agree. It
    /// says little: most cells are off every way.
    pub token_accuracy: Option<f64>,
    /// Mean travel cost of the model's valid plans over the oracle's.
    pub cost_ratio_mean: Option<f64>,
    /// 95th percentile of the same.
    pub cost_ratio_p95: Option<f64>,
    /// Share of problems on which the model's own plan is valid only because its rollout evades cells
    /// that it has been in.
    pub evaded: Option<f64>,
    /// Share of problems with a published plan, whoever made it.
    pub final_reached: Option<f64>,
    /// Share on which its travel cost is within 0.01 % of the oracle's.
    pub final_optimal: Option<f64>,
    /// Mean travel cost of published plans over the oracle's.
    pub final_cost_ratio_mean: Option<f64>,
    /// Share of problems whose published plan is a repaired one of the model.
    pub repaired: Option<f64>,
    /// Share of problems whose published plan is the complete search's.
    pub fallback: Option<f64>,
    /// Mean segments of thinking.
    pub segments_mean: Option<f64>,
    /// Problems on which the oracle disagrees with the data set's stored length.
    pub oracle_mismatches: Option<usize>,
    /// Median time of a request, milliseconds.
    pub ms_p50: Option<f64>,
    /// 99th percentile of the same.
    pub ms_p99: Option<f64>,
    /// Median time of the oracle, one A* per problem, milliseconds.
    pub oracle_ms_p50: Option<f64>,
    /// The most memory in use while these problems were judged, MiB, maps and all.
    pub peak_mb: Option<f64>,
}

impl Row {
    /// The row of these verdicts.
    pub(super) fn of(set: &str, kind: &str, verdicts: &[Verdict], peak_mb: Option<f64>) -> Self {
        let asked: Vec<&Asked> = verdicts.iter().map(|v| &v.asked).collect();
        let thought: Vec<&Asked> = asked.iter().copied().filter(|a| a.has_model).collect();
        let near = |ratio: Option<f64>| ratio.is_some_and(|ratio| ratio <= 1.0 + OPTIMAL_WITHIN);
        let stored = |value: fn(&Likeness) -> f64| -> Vec<f64> {
            let stored = thought.iter().filter_map(|a| a.own.stored.as_ref());
            stored.map(value).collect()
        };
        let ratios: Vec<f64> = thought.iter().filter_map(|a| a.own.ratio).collect();
        let final_ratios: Vec<f64> = asked.iter().filter_map(|a| a.published.ratio).collect();
        let segments: Vec<f64> = thought.iter().map(|a| a.segments as f64).collect();
        let times: Vec<f64> = asked.iter().map(|a| a.ms).collect();
        let oracle_times: Vec<f64> = verdicts.iter().map(|v| v.oracle_ms).collect();
        let compared: Vec<bool> = verdicts.iter().filter_map(|v| v.mismatch).collect();
        Self {
            set: set.to_owned(),
            kind: kind.to_owned(),
            n: verdicts.len(),
            reached: share(&thought, |a| a.own.reached),
            valid: share(&thought, |a| a.own.valid),
            optimal: share(&thought, |a| near(a.own.ratio)),
            exact: mean(&stored(|likeness| f64::from(u8::from(likeness.exact)))),
            token_accuracy: mean(&stored(|likeness| likeness.tokens)),
            cost_ratio_mean: mean(&ratios),
            cost_ratio_p95: percentile(&ratios, 0.95),
            evaded: share(&thought, |a| a.own.valid && a.has_evaded),
            final_reached: share(&asked, |a| a.published.valid),
            final_optimal: share(&asked, |a| near(a.published.ratio)),
            final_cost_ratio_mean: mean(&final_ratios),
            repaired: share(&asked, |a| a.source == Some(Source::Repaired)),
            fallback: share(&asked, |a| a.source == Some(Source::Search)),
            segments_mean: mean(&segments),
            oracle_mismatches: (!compared.is_empty())
                .then(|| compared.iter().filter(|&&differs| differs).count()),
            ms_p50: percentile(&times, 0.5),
            ms_p99: percentile(&times, 0.99),
            oracle_ms_p50: percentile(&oracle_times, 0.5),
            peak_mb,
        }
    }
}
