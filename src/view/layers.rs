//! Values per cell, laid over a map: fields and heat.

use super::{Picture, canvas::coverage, palette};
use crate::Result;

/// Opacity of a field, so that the map's tints still show.
const FIELD_OPACITY: f32 = 0.82;
/// Opacity and width in pixels of iso-lines: to be seen on a second look.
const ISO_OPACITY: f32 = 0.40;
const ISO_WIDTH: f64 = 1.0;
/// At most this many iso-lines from the goal to the farthest cell, at least two fifths of it.
const ISO_LINES: f64 = 25.0;
/// Opacity of a heat layer.
const HEAT_OPACITY: f32 = 0.80;

impl Picture {
    /// Lays a field over the map: one value per cell, row-major, 0 at the goal. Bright near the
    /// goal, dark far from it, with thin iso-lines; cells whose value is not finite stay as they
    /// are.
    ///
    /// # Errors
    /// [`crate::Error::DataLength`], unless there is one value per cell.
    pub fn field<T: Copy + Into<f64>>(&mut self, values: &[T]) -> Result<&mut Self> {
        let top = values
            .iter()
            .map(|&value| value.into())
            .filter(|value| value.is_finite())
            .fold(0.0, f64::max);
        self.field_up_to(values, top)
    }

    /// As [`Picture::field`], with the value that gets the darkest colour, so that several
    /// pictures share one scale. Larger values look like `top`.
    ///
    /// # Errors
    /// As [`Picture::field`].
    pub fn field_up_to<T: Copy + Into<f64>>(
        &mut self,
        values: &[T],
        top: f64,
    ) -> Result<&mut Self> {
        self.check_length(values.len())?;
        let top = if top.is_finite() && top > 0.0 {
            top
        } else {
            1.0
        };
        let pixels = self.interpolate(values);
        let (width, height) = (self.projection.width(), self.projection.height());
        let step = nice_step(top / ISO_LINES);
        let at = |x: usize, y: usize| {
            let inside = x < width && y < height;
            let value = if inside {
                pixels[y * width + x]
            } else {
                f64::NAN
            };
            value.is_finite().then_some(value)
        };
        for y in 0..height {
            for x in 0..width {
                let Some(value) = at(x, y) else { continue };
                let colour = palette::field_colour((value / top) as f32);
                self.canvas.blend(x, y, colour, FIELD_OPACITY);
                let across = at(x + 1, y).or(at(x.wrapping_sub(1), y)).unwrap_or(value);
                let down = at(x, y + 1).or(at(x, y.wrapping_sub(1))).unwrap_or(value);
                let slope = (across - value).hypot(down - value);
                let level = (value / step).round() * step;
                if slope > 0.0 && level > 0.0 {
                    let distance = (value - level).abs() / slope - ISO_WIDTH / 2.0;
                    let opacity = coverage(distance) * ISO_OPACITY;
                    self.canvas.blend(x, y, palette::INK, opacity);
                }
            }
        }
        self.field_top = Some(top);
        Ok(self)
    }

    /// Lays per-cell values (row-major) over the map: pale yellow just above 0, dark red at `top`
    /// and above. Values that are not positive are not drawn. A pixel that holds several cells
    /// shows the largest.
    ///
    /// # Errors
    /// As [`Picture::field`].
    pub fn heat(&mut self, values: &[f32], top: f32) -> Result<&mut Self> {
        self.check_length(values.len())?;
        let columns = self.projection.geometry().width();
        for py in 0..self.projection.height() {
            for px in 0..self.projection.width() {
                let largest = self
                    .projection
                    .rows(py)
                    .flat_map(|row| &values[row * columns..][self.projection.cols(px)])
                    .fold(f32::NEG_INFINITY, |most, &value| most.max(value));
                if largest > 0.0 {
                    let colour = palette::heat_colour(largest / top);
                    self.canvas.blend(px, py, colour, HEAT_OPACITY);
                }
            }
        }
        Ok(self)
    }

    /// A value for every pixel of the map part, row by row; not finite where nothing is drawn.
    fn interpolate<T: Copy + Into<f64>>(&self, values: &[T]) -> Vec<f64> {
        let zoomed = self.projection.scale() > 1.0;
        let mut pixels = Vec::with_capacity(self.projection.width() * self.projection.height());
        for py in 0..self.projection.height() {
            pixels.extend((0..self.projection.width()).map(|px| {
                if zoomed {
                    self.between_cells(values, px, py)
                } else {
                    self.mean_of_cells(values, px, py)
                }
            }));
        }
        pixels
    }

    /// The value at a pixel's centre, bilinear among the four nearest cells as far as they are
    /// finite: a field must not bend towards the infinite values of a wall. NaN if the pixel's own
    /// cell has no finite value.
    fn between_cells<T: Copy + Into<f64>>(&self, values: &[T], px: usize, py: usize) -> f64 {
        let geometry = self.projection.geometry();
        let value = |x: f64, y: f64| -> f64 {
            let col = (x.max(0.0) as usize).min(geometry.width() - 1);
            let row = (y.max(0.0) as usize).min(geometry.height() - 1);
            values[row * geometry.width() + col].into()
        };
        let (x, y) = self.projection.pixel_to_grid(px, py);
        if !value(x, y).is_finite() {
            return f64::NAN;
        }
        // From here on whole numbers are the centres of cells.
        let (x, y) = (x - 0.5, y - 0.5);
        let (left, below) = (x.floor(), y.floor());
        let (mut sum, mut weights) = (0.0, 0.0);
        for (dx, dy) in [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)] {
            let near = value(left + dx, below + dy);
            if near.is_finite() {
                let weight = (1.0 - (x - left - dx).abs()) * (1.0 - (y - below - dy).abs());
                sum += near * weight;
                weights += weight;
            }
        }
        sum / weights
    }

    /// The mean of the cells under a pixel. One that is not finite spoils it, so that a field
    /// leaves a thin wall in view.
    fn mean_of_cells<T: Copy + Into<f64>>(&self, values: &[T], px: usize, py: usize) -> f64 {
        let columns = self.projection.geometry().width();
        let (mut sum, mut cells) = (0.0, 0);
        for row in self.projection.rows(py) {
            for &value in &values[row * columns..][self.projection.cols(px)] {
                sum += value.into();
                cells += 1;
            }
        }
        sum / f64::from(cells)
    }
}

/// The next of 1, 2, 5, 10, 20, ... at or above a positive number.
pub(super) fn nice_step(at_least: f64) -> f64 {
    let decade = 10_f64.powf(at_least.log10().floor());
    [1.0, 2.0, 5.0]
        .into_iter()
        .map(|digit| digit * decade)
        .find(|&step| step >= at_least)
        .unwrap_or(10.0 * decade)
}
