//! The picture of a run: losses and arrivals over its steps.

use crate::metrics::MetricsRow;
use hrm_planner::view::{Axis, Chart, Panel, Rgb, Series};

/// Told apart in greys and by colour-blind readers (Okabe and Ito, 2008).
const BLUE: Rgb = [0, 114, 178];
const ORANGE: Rgb = [213, 94, 0];
const GREEN: Rgb = [0, 158, 115];
const PURPLE: Rgb = [204, 121, 167];

/// A smooth line is the mean of this share of all rows around each row.
const SMOOTHING: f64 = 0.03;

/// A chart of metrics and of (step, reached, optimal) from the evaluations.
pub(crate) fn curves(name: &str, rows: &[MetricsRow], scores: &[(u64, f64, f64)]) -> Chart {
    let losses: [(&str, Rgb, fn(&MetricsRow) -> f64); 4] = [
        ("moves", BLUE, |row| row.moves),
        ("cost-to-go", ORANGE, |row| row.value),
        ("halt", GREEN, |row| row.halt),
        ("continue", PURPLE, |row| row.continuing),
    ];
    let mut loss_panel = Panel {
        title: "losses, mean over labelled cells".to_owned(),
        axis: Axis::Log,
        series: Vec::new(),
    };
    for (name, colour, value) in losses {
        loss_panel
            .series
            .extend(faint_and_smooth(rows, name, colour, value));
    }
    let mut share_panel = Panel {
        title: "share of cells that arrive, %".to_owned(),
        axis: Axis::Between(0.0, 100.0),
        series: faint_and_smooth(rows, "in training", BLUE, |row| 100.0 * row.arrives).into(),
    };
    if !scores.is_empty() {
        "share that arrives, %".clone_into(&mut share_panel.title);
        let line = |name: &str, colour, share: fn(&(u64, f64, f64)) -> f64| Series {
            name: Some(name.to_owned()),
            colour,
            opacity: 1.0,
            width: 2.5,
            points: scores
                .iter()
                .map(|s| (s.0 as f64, 100.0 * share(s)))
                .collect(),
        };
        share_panel
            .series
            .push(line("unseen maps", ORANGE, |s| s.1));
        share_panel
            .series
            .push(line("unseen maps, optimal", GREEN, |s| s.2));
    }
    Chart::new(&title(name, rows), "step", &[loss_panel, share_panel])
}

fn title(name: &str, rows: &[MetricsRow]) -> String {
    rows.last().map_or_else(
        || format!("{name}: no step done"),
        |row| {
            let minutes = row.seconds / 60.0;
            format!("{name}: {} steps in {minutes:.1} minutes", row.step)
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
    let points: Vec<(f64, f64)> = rows
        .iter()
        .map(|row| (row.step as f64, value(row)))
        .collect();
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
