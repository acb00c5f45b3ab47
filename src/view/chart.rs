//! Charts of numbers over time: a stack of panels that share the horizontal axis.
//!
//! In go series of points; out comes a PNG. Points that cannot be drawn (not finite, or not
//! positive on a logarithmic axis) break the line. Nothing is smoothed or left out here.

use super::{
    canvas::{Canvas, Point},
    caption::short,
    layers::nice_step,
    palette::{FREE, INK, PAPER, Rgb, mix},
    text::Face,
};
use crate::Result;
use image::RgbImage;
use std::path::Path;

/// Width of a chart and height of a panel's plot, pixels.
const WIDTH: usize = 1200;
const PLOT_HEIGHT: usize = 300;
/// Space left of the plots for numbers, right of them, and around everything, pixels.
const LEFT: usize = 84;
const RIGHT: usize = 32;
const MARGIN: usize = 20;
/// Room of a line in the legend with the space after it, and space between entries, pixels.
const LEGEND_LINE: usize = 30;
const LEGEND_GAP: usize = 22;
/// Ticks aimed at on an axis.
const TICKS: f64 = 6.0;

/// How a panel's values become heights.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Axis {
    /// Even steps, from the lowest to the highest value.
    Linear,
    /// Even steps between two given values.
    Between(f64, f64),
    /// Even factors.
    Log,
}

/// One line of a panel.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// The legend's word; a series without one is not in the legend.
    pub name: Option<String>,
    /// Colour of the line.
    pub colour: Rgb,
    /// 0 invisible to 1 opaque.
    pub opacity: f32,
    /// Width of the line, pixels.
    pub width: f64,
    /// (x, value), x rising. A point without neighbours is drawn as a dot.
    pub points: Vec<(f64, f64)>,
}

/// One plot with its series.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// What is plotted, with its unit.
    pub title: String,
    /// The vertical axis.
    pub axis: Axis,
    /// Drawn in this order.
    pub series: Vec<Series>,
}

/// A picture of panels.
#[derive(Debug, Clone)]
pub struct Chart {
    canvas: Canvas,
}

impl Chart {
    /// A chart of panels, top to bottom, over one horizontal axis named `x_label`.
    pub fn new(title: &str, x_label: &str, panels: &[Panel]) -> Self {
        let mut canvas = Canvas::new(WIDTH, MARGIN + Face::Title.line_height(), PAPER);
        Face::Title.draw(&mut canvas, MARGIN, MARGIN, title, INK);
        let x = Scale::of(Axis::Linear, panels.iter().flat_map(|p| xs(&p.series)));
        for panel in panels {
            draw_panel(&mut canvas, panel, &x);
        }
        let y = canvas.height();
        canvas.grow(WIDTH, y + Face::Body.line_height() + MARGIN / 2, PAPER);
        let middle = (LEFT + WIDTH - RIGHT) / 2;
        let left = middle.saturating_sub(Face::Body.width(x_label) / 2);
        Face::Body.draw(&mut canvas, left, y, x_label, INK);
        Self { canvas }
    }

    /// The pixels, top row first.
    pub fn image(&self) -> &RgbImage {
        self.canvas.image()
    }

    /// Writes the chart as a PNG file, replacing what is there.
    ///
    /// # Errors
    /// [`crate::Error::WritePicture`], if the file cannot be written.
    pub fn save_png(&self, path: impl AsRef<Path>) -> Result<()> {
        self.canvas.save_png(path.as_ref())
    }
}

fn xs(series: &[Series]) -> impl Iterator<Item = f64> {
    series.iter().flat_map(|s| s.points.iter().map(|p| p.0))
}

fn draw_panel(canvas: &mut Canvas, panel: &Panel, x: &Scale) {
    let title = canvas.height() + MARGIN / 2;
    let (left, right) = (LEFT, WIDTH - RIGHT);
    let taken = Face::Body.width(&panel.title) + LEGEND_GAP;
    let beside_title = (right - left).saturating_sub(taken);
    let rows = legend_rows(panel, beside_title, right - left);
    let top = title + rows.len().max(1) * Face::Body.line_height() + 6;
    let bottom = top + PLOT_HEIGHT;
    let below = bottom + Face::Body.line_height() + 8;
    canvas.grow(WIDTH, below, PAPER);
    Face::Body.draw(canvas, left, title, &panel.title, INK);
    for (index, row) in rows.iter().enumerate() {
        legend(canvas, row, title + index * Face::Body.line_height(), right);
    }

    canvas.rectangle(left, top, right - left, PLOT_HEIGHT, FREE);
    let values = panel.series.iter().flat_map(|s| &s.points).map(|p| p.1);
    let y = Scale::of(panel.axis, values);
    let across = |share: f64| left as f64 + share * (right - left) as f64;
    let down = |share: f64| bottom as f64 - share * PLOT_HEIGHT as f64;
    let grid = mix(FREE, INK, 0.12);
    for (share, label) in y.ticks() {
        let at = down(share).round() as usize;
        canvas.rectangle(left, at.min(bottom - 1), right - left, 1, grid);
        let text = left.saturating_sub(Face::Body.width(&label) + 10);
        Face::Body.draw(canvas, text, at.saturating_sub(9), &label, INK);
    }
    for (share, label) in x.ticks() {
        let at = across(share).round() as usize;
        canvas.rectangle(at.min(right - 1), top, 1, PLOT_HEIGHT, grid);
        let text = at.saturating_sub(Face::Body.width(&label) / 2);
        Face::Body.draw(canvas, text, bottom + 6, &label, INK);
    }
    for series in &panel.series {
        let colour = mix(FREE, series.colour, series.opacity);
        let place = |&(at, value): &(f64, f64)| -> Option<Point> {
            Some((across(x.share(at)?), down(y.share(value)?)))
        };
        let places: Vec<Option<Point>> = series.points.iter().map(place).collect();
        for (index, here) in places.iter().enumerate() {
            let Some(here) = *here else { continue };
            let near = |index: Option<usize>| places.get(index?).copied().flatten();
            if let Some(next) = near(Some(index + 1)) {
                canvas.line(here, next, series.width, colour);
            } else if near(index.checked_sub(1)).is_none() {
                canvas.disc(here, series.width + 1.5, colour);
            }
        }
    }
}

/// A name in the legend, and the colour of its line.
type Entry<'a> = (&'a str, Rgb);

/// The names of the series in rows: the first, beside the title, is `first_room` pixels wide at
/// most, the others `room`. A first row without room stays empty.
fn legend_rows(panel: &Panel, first_room: usize, room: usize) -> Vec<Vec<Entry<'_>>> {
    let mut rows: Vec<Vec<Entry<'_>>> = vec![Vec::new()];
    let mut left = first_room;
    let named = panel.series.iter();
    for (name, colour) in named.filter_map(|s| Some((s.name.as_deref()?, s.colour))) {
        let width = Face::Body.width(name) + LEGEND_LINE + LEGEND_GAP;
        if width > left {
            rows.push(Vec::new());
            left = room;
        }
        left = left.saturating_sub(width);
        if let Some(row) = rows.last_mut() {
            row.push((name, colour));
        }
    }
    rows
}

/// A row of the legend, right-aligned.
fn legend(canvas: &mut Canvas, row: &[Entry<'_>], top: usize, right: usize) {
    let mut x = right;
    for &(name, colour) in row.iter().rev() {
        x = x.saturating_sub(Face::Body.width(name));
        Face::Body.draw(canvas, x, top, name, INK);
        x = x.saturating_sub(LEGEND_LINE);
        canvas.rectangle(x, top + 8, 22, 4, colour);
        x = x.saturating_sub(LEGEND_GAP);
    }
}

/// From a value to its place on an axis, 0 to 1.
struct Scale {
    log: bool,
    /// The ends of the axis; of their logarithms on a logarithmic one.
    low: f64,
    high: f64,
}

impl Scale {
    fn of(axis: Axis, values: impl Iterator<Item = f64>) -> Self {
        let log = axis == Axis::Log;
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        if let Axis::Between(from, to) = axis {
            (low, high) = (from, to);
        } else {
            for value in values.filter_map(|v| transform(log, v)) {
                (low, high) = (low.min(value), high.max(value));
            }
        }
        if !(low.is_finite() && high.is_finite()) {
            (low, high) = (0.0, 1.0);
        }
        if high - low < 1e-9 {
            high = low + 1.0;
        }
        if log {
            // Room above and below, so that no line lies on the frame.
            let room = 0.04 * (high - low);
            (low, high) = (low - room, high + room);
        }
        Self { log, low, high }
    }

    fn share(&self, value: f64) -> Option<f64> {
        let share = (transform(self.log, value)? - self.low) / (self.high - self.low);
        (-1e-9..=1.0 + 1e-9).contains(&share).then_some(share)
    }

    /// Places and numbers of the ticks.
    fn ticks(&self) -> Vec<(f64, String)> {
        let values: Vec<f64> = if self.log {
            // Fewer digits per decade, the more decades there are.
            let digits: &[f64] = match self.high - self.low {
                span if span > 4.0 => &[1.0],
                span if span > 2.0 => &[1.0, 3.0],
                _ => &[1.0, 2.0, 5.0],
            };
            (self.low.floor() as i32..=self.high.ceil() as i32)
                .flat_map(|decade| digits.iter().map(move |digit| digit * 10_f64.powi(decade)))
                .collect()
        } else {
            let step = nice_step((self.high - self.low) / TICKS);
            let first = (self.low / step).ceil() as i64;
            let last = (self.high / step).floor() as i64;
            (first..=last).map(|tick| tick as f64 * step).collect()
        };
        let placed = values
            .into_iter()
            .filter_map(|value| Some((self.share(value)?, short(value))));
        placed.collect()
    }
}

fn transform(log: bool, value: f64) -> Option<f64> {
    if log {
        (value > 0.0)
            .then(|| value.log10())
            .filter(|v| v.is_finite())
    } else {
        value.is_finite().then_some(value)
    }
}
