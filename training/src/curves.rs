//! The picture of a run: its losses, and the shares that say how far it is, over its steps.

use crate::duration::duration;
use crate::metrics::MetricsRow;
use crate::numbers::Columns;
use crate::scores::{Score, mean_score};
use hrm_planner::view::{Axis, Chart, Panel, Rgb, Series};

/// Told apart in greys and by colour-blind readers (Okabe and Ito, 2008).
const BLUE: Rgb = [0, 114, 178];
const ORANGE: Rgb = [213, 94, 0];
const GREEN: Rgb = [0, 158, 115];
const PURPLE: Rgb = [204, 121, 167];

/// A smooth line is the mean of this share of all rows around each row.
const SMOOTHING: f64 = 0.03;

/// A chart of metrics and of the shown scores of each evaluation.
pub(crate) fn curves(
    name: &str,
    columns: &Columns,
    rows: &[MetricsRow],
    evaluations: &[&[Score]],
) -> Chart {
    let mut loss_panel = Panel {
        title: format!("losses, mean over {}", columns.losses_over),
        axis: Axis::Log,
        series: Vec::new(),
    };
    for (loss, colour) in columns.losses.iter().zip([BLUE, ORANGE, GREEN, PURPLE]) {
        let lines = faint_and_smooth(rows, loss.label, colour, |row| row.mean(loss.column));
        loss_panel.series.extend(lines);
    }
    let share = columns.share;
    let in_training = |row: &MetricsRow| 100.0 * row.mean(share.column);
    let mut share_panel = Panel {
        title: format!("{}, %", share.label),
        axis: Axis::Between(0.0, 100.0),
        series: faint_and_smooth(rows, "in training", BLUE, in_training).into(),
    };
    for (shown, colour) in columns.shown_scores.iter().zip([ORANGE, GREEN]) {
        if evaluations.is_empty() {
            break;
        }
        let point = |scores: &&[Score]| {
            let step = scores.first().map_or(0, |score| score.step);
            (step as f64, 100.0 * mean_score(scores, shown.column))
        };
        share_panel.series.push(Series {
            name: Some(format!("{}, {}", columns.unseen, shown.label)),
            colour,
            opacity: 1.0,
            width: 2.5,
            points: evaluations.iter().map(point).collect(),
        });
    }
    Chart::new(&title(name, rows), "step", &[loss_panel, share_panel])
}

fn title(name: &str, rows: &[MetricsRow]) -> String {
    rows.last().map_or_else(
        || format!("{name}: no step done"),
        |row| {
            let time = duration(row.seconds);
            format!("{name}: {} steps in {time}", row.step)
        },
    )
}

/// What was measured, pale, and its running mean over it.
fn faint_and_smooth(
    rows: &[MetricsRow],
    name: &str,
    colour: Rgb,
    value: impl Fn(&MetricsRow) -> f64,
) -> [Series; 2] {
    let points = rows.iter().map(|row| (row.step as f64, value(row)));
    let points: Vec<(f64, f64)> = points.filter(|point| point.1.is_finite()).collect();
    let half = (0.5 * SMOOTHING * points.len() as f64).round() as usize;
    let smooth = (0..points.len()).map(|index| {
        // As many rows on both sides, so that a slope is not bent at the ends.
        let half = half.min(index).min(points.len() - 1 - index);
        let near = &points[index - half..=index + half];
        let mean = near.iter().map(|point| point.1).sum::<f64>() / near.len() as f64;
        (points[index].0, mean)
    });
    [
        Series {
            name: None,
            colour,
            opacity: 0.3,
            width: 1.2,
            points: points.clone(),
        },
        Series {
            name: Some(name.to_owned()),
            colour,
            opacity: 1.0,
            width: 2.5,
            points: smooth.collect(),
        },
    ]
}
