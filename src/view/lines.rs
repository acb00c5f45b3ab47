//! Plans, drawn as anti-aliased lines with a light casing.

use super::{
    Picture,
    canvas::{Point, clip, coverage, to_segment},
    palette::{self, CASING, Rgb},
};
use crate::grid::Pose2;
use std::ops::Range;

/// How a plan is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlanStyle {
    /// Colour of the line.
    pub colour: Rgb,
    /// Width of the line over the usual width.
    pub width: f64,
    /// 0 invisible to 1 opaque.
    pub opacity: f32,
    /// Whether the line is broken into dashes, for a second plan along the first.
    pub dashed: bool,
    /// Whether a cross marks the last pose, for a plan that stops short of the goal.
    pub crossed_end: bool,
}

impl PlanStyle {
    /// A plan that reaches the goal: blue.
    pub const ARRIVED: Self = Self {
        colour: palette::PLAN,
        width: 1.0,
        opacity: 1.0,
        dashed: false,
        crossed_end: false,
    };
    /// A plan that does not reach the goal: red, with a cross where it ends.
    pub const PARTIAL: Self = Self {
        colour: palette::PARTIAL,
        crossed_end: true,
        ..Self::ARRIVED
    };
    /// A plan to compare with, such as the optimal one: thin, black and dashed.
    pub const REFERENCE: Self = Self {
        colour: palette::REFERENCE,
        width: 0.6,
        dashed: true,
        ..Self::ARRIVED
    };
    /// A plan of an earlier segment: thin and pale.
    pub const EARLIER: Self = Self {
        colour: palette::EARLIER,
        width: 0.7,
        opacity: 0.5,
        ..Self::ARRIVED
    };
}

impl Picture {
    /// Draws a plan, poses in world coordinates, as a line with a light casing. Poses that are
    /// not finite break the line; an empty plan draws nothing, a single pose a dot.
    pub fn plan(&mut self, plan: &[Pose2], style: PlanStyle) -> &mut Self {
        let width = self.line_width() * style.width;
        let casing = width + 2.0 * (0.35 * width).max(1.2);
        let stroke = Stroke::new(self, plan, casing / 2.0 + 1.0);
        let period = 4.5 * width;
        for y in stroke.rows.clone() {
            for x in stroke.columns.clone() {
                let Some((distance, along)) = stroke.at(x, y) else {
                    continue;
                };
                let mut opacity = style.opacity;
                if style.dashed {
                    let from_middle = (along.rem_euclid(period) - period / 2.0).abs();
                    opacity *= coverage(from_middle - 0.3 * period);
                }
                let cased = coverage(distance - casing / 2.0) * opacity;
                let drawn = coverage(distance - width / 2.0) * opacity;
                self.canvas.blend(x, y, CASING, cased);
                self.canvas.blend(x, y, style.colour, drawn);
            }
        }
        let last = plan.iter().rev().find(|pose| pose.is_finite());
        if let (true, Some(last)) = (style.crossed_end, last) {
            self.cross(*last, width, style.colour);
        }
        self
    }

    /// A diagonal cross on a pose.
    fn cross(&mut self, pose: Pose2, width: f64, colour: Rgb) {
        let (x, y) = self.projection.world_to_pixel(pose.x, pose.y);
        let arm = 1.7 * width;
        for (width, colour) in [(1.8 * width, CASING), (width, colour)] {
            self.canvas
                .line((x - arm, y - arm), (x + arm, y + arm), width, colour);
            self.canvas
                .line((x - arm, y + arm), (x + arm, y - arm), width, colour);
        }
    }

    /// Width of a plan's line, pixels: of the picture, and more where cells are large.
    fn line_width(&self) -> f64 {
        let longer = self.projection.width().max(self.projection.height()) as f64;
        (longer / 185.0)
            .clamp(1.5, 5.5)
            .max((0.14 * self.projection.scale()).min(9.0))
    }
}

/// The pixels near a plan: how far each is from the line, and how far along the line, pixels.
struct Stroke {
    columns: Range<usize>,
    rows: Range<usize>,
    nearest: Vec<(f64, f64)>,
}

impl Stroke {
    fn new(picture: &Picture, plan: &[Pose2], reach: f64) -> Self {
        let points: Vec<Option<Point>> = plan
            .iter()
            .map(|pose| {
                let finite = pose.is_finite();
                finite.then(|| picture.projection.world_to_pixel(pose.x, pose.y))
            })
            .collect();
        let size = (picture.projection.width(), picture.projection.height());
        let span = |of: fn(Point) -> f64, size: usize| {
            let places = points.iter().flatten().map(|&point| of(point));
            let low = places.clone().fold(f64::INFINITY, f64::min);
            let high = places.fold(f64::NEG_INFINITY, f64::max);
            clip(low - reach, high + reach, size)
        };
        let columns = span(|point| point.0, size.0);
        let rows = span(|point| point.1, size.1);
        let mut stroke = Self {
            nearest: vec![(f64::INFINITY, 0.0); columns.len() * rows.len()],
            columns,
            rows,
        };
        let mut along = 0.0;
        for (index, &point) in points.iter().enumerate() {
            let Some(from) = point else { continue };
            // A pose without a successor is a dot: the end of a line, or a line of its own.
            let to = points.get(index + 1).copied().flatten().unwrap_or(from);
            stroke.add(from, to, along, reach);
            along += (to.0 - from.0).hypot(to.1 - from.1);
        }
        stroke
    }

    fn add(&mut self, from: Point, to: Point, along: f64, reach: f64) {
        let within = |a: f64, b: f64, range: &Range<usize>| {
            let span = clip(a.min(b) - reach, a.max(b) + reach, range.end);
            span.start.max(range.start)..span.end
        };
        let columns = within(from.0, to.0, &self.columns);
        for y in within(from.1, to.1, &self.rows) {
            for x in columns.clone() {
                let (distance, foot) = to_segment((x as f64 + 0.5, y as f64 + 0.5), from, to);
                let index = (y - self.rows.start) * self.columns.len() + x - self.columns.start;
                if distance < self.nearest[index].0 {
                    self.nearest[index] = (distance, along + foot);
                }
            }
        }
    }

    /// Distance and place along the line of a pixel, or `None` if it is out of reach.
    fn at(&self, x: usize, y: usize) -> Option<(f64, f64)> {
        let index = (y - self.rows.start) * self.columns.len() + x - self.columns.start;
        let nearest = self.nearest[index];
        nearest.0.is_finite().then_some(nearest)
    }
}
