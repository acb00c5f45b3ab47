//! Means and percentiles of a handful of numbers.

/// The arithmetic mean; `None` of nothing.
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The smallest of the values that at least `share` (0..=1) of them do not exceed (the nearest
/// rank: always one of the values); `None` of nothing.
pub fn percentile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.clamp(1, sorted.len().max(1)) - 1).copied()
}

/// Which part of the items `holds`; `None` of nothing.
pub(super) fn share<T>(items: &[T], holds: impl Fn(&T) -> bool) -> Option<f64> {
    let count = items.iter().filter(|item| holds(item)).count();
    (!items.is_empty()).then(|| count as f64 / items.len() as f64)
}
