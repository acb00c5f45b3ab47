//! The picture of a run: its losses, and the shares that say how far it is, over its steps.

use crate::duration::duration;
use crate::metrics::MetricsRow;
use crate::numbers::Columns;
use crate::scores::{Score, mean_score};
use crate::standing::Standing;
use hrm_planner::view::{Axis, Chart, Panel, Rgb, Series};

/// Told apart in greys and by colour-blind readers (Okabe and Ito, 2008).
const BLUE: Rgb = [0, 114, 178];
const ORANGE: Rgb = [213, 94, 0];
const GREEN: Rgb = [0, 158, 115];
const PURPLE: Rgb = [204, 121, 167];
const BLACK: Rgb = [24, 26, 32];
/// Of lines that are many; more than these cannot be told apart.
const PALETTE: [Rgb; 7] = [
    BLUE,
    ORANGE,
    GREEN,
    PURPLE,
    [230, 159, 0],
    [86, 180, 233],
    [110, 110, 110],
];

/// A smooth line is the mean of this share of all rows around each row.
const SMOOTHING: f64 = 0.03;

/// A chart of metrics and of the shown scores of each evaluation: their means over all problems
/// with the best one marked, and the first of them by kind and by set of problems.
pub(crate) fn curves(
    name: &str,
    columns: &Columns,
    rows: &[MetricsRow],
    evaluations: &[&[Score]],
    best: Option<Standing>,
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
    share_panel.series.extend(best.map(|best| Series {
        name: Some("best".to_owned()),
        colour: BLACK,
        opacity: 1.0,
        width: 3.5,
        points: vec![(best.step as f64, 100.0 * best.means[0])],
    }));
    let mut panels = vec![loss_panel, share_panel];
    panels.extend(by_group(columns, evaluations, "kind", |score| &score.kind));
    panels.extend(by_group(columns, evaluations, "set", |score| &score.set));
    Chart::new(&title(name, rows), "step", &panels)
}

/// The first shown score of each group of problems; of many groups those with the lowest last
/// score. `None` if there is only one group, for it would say what the mean says.
fn by_group(
    columns: &Columns,
    evaluations: &[&[Score]],
    word: &str,
    group: impl Fn(&Score) -> &str,
) -> Option<Panel> {
    let shown = columns.shown_scores[0];
    let of_group = |scores: &[Score], name: &str| -> f64 {
        let of_group = scores.iter().filter(|score| group(score) == name);
        100.0 * mean_score(&of_group.cloned().collect::<Vec<_>>(), shown.column)
    };
    let last = evaluations.last()?;
    let mut names: Vec<&str> = Vec::new();
    for name in last.iter().map(&group) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let all = names.len();
    if all < 2 {
        return None;
    }
    let mut title = format!("{}, {} by {word}, %", columns.unseen, shown.label);
    if all > PALETTE.len() {
        names.sort_by(|a, b| of_group(last, a).total_cmp(&of_group(last, b)));
        names.truncate(PALETTE.len());
        title = format!("{title}: the lowest {} of {all}", names.len());
    }
    let series = names.iter().zip(PALETTE).map(|(name, colour)| Series {
        name: Some((*name).to_owned()),
        colour,
        opacity: 1.0,
        width: 2.0,
        points: evaluations
            .iter()
            .filter_map(|scores| {
                let step = scores.iter().find(|score| group(score) == *name)?.step;
                Some((step as f64, of_group(scores, name)))
            })
            .collect(),
    });
    Some(Panel {
        title,
        axis: Axis::Between(0.0, 100.0),
        series: series.collect(),
    })
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
