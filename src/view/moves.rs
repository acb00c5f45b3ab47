//! Sets of moves per cell, drawn as a flow.

use super::{
    Picture,
    palette::{CASING, INK, Rgb},
};
use crate::Result;
use crate::grid::Move;

/// Below this many pixels per cell strokes would run into each other, and none are drawn.
const MIN_SCALE: f64 = 4.0;
/// From this many pixels per cell on, strokes get arrowheads.
const HEADS_FROM: f64 = 10.0;
/// Length of a stroke over the side of a cell: strokes of neighbours nearly meet.
const LENGTH: f64 = 0.46;

impl Picture {
    /// Draws each cell's set of moves (bit i: the move of index i, see [`Move`]) as strokes from
    /// its centre: dark on bright and white on dark ground. Pictures with fewer than four pixels
    /// per cell stay as they are.
    ///
    /// # Errors
    /// [`crate::Error::DataLength`], unless there is one set per cell.
    pub fn moves(&mut self, sets: &[u8]) -> Result<&mut Self> {
        self.check_length(sets.len())?;
        let scale = self.projection.scale();
        if scale < MIN_SCALE {
            return Ok(self);
        }
        let geometry = *self.projection.geometry();
        let bottom = self.projection.height() as f64;
        for (index, &set) in sets.iter().enumerate() {
            let cell = geometry.cell(index);
            let centre = (
                (cell.col as f64 + 0.5) * scale,
                bottom - (cell.row as f64 + 0.5) * scale,
            );
            let colour = self.ink_at(centre);
            for mv in Move::ALL.iter().filter(|mv| set & (1 << mv.index()) != 0) {
                self.stroke(centre, *mv, scale, colour);
            }
        }
        Ok(self)
    }

    fn stroke(&mut self, centre: (f64, f64), mv: Move, scale: f64, colour: Rgb) {
        let (rows, cols) = mv.step();
        let (right, down) = (cols as f64 / mv.length(), -rows as f64 / mv.length());
        let place = |ahead: f64, aside: f64| {
            (
                centre.0 + scale * (ahead * right - aside * down),
                centre.1 + scale * (ahead * down + aside * right),
            )
        };
        let width = (0.08 * scale).clamp(0.9, 3.0);
        self.canvas
            .line(centre, place(LENGTH - 0.06, 0.0), width, colour);
        if scale >= HEADS_FROM {
            let head = [
                place(LENGTH, 0.0),
                place(LENGTH - 0.2, 0.11),
                place(LENGTH - 0.2, -0.11),
            ];
            self.canvas.triangle(head, 0.0, colour);
        }
    }

    /// The colour that shows at a pixel: white on dark ground, else dark.
    fn ink_at(&self, (x, y): (f64, f64)) -> Rgb {
        let under = self.image().get_pixel_checked(x as u32, y as u32);
        let [red, green, blue] = under.map_or(CASING, |pixel| pixel.0).map(u32::from);
        // Rec. 601 luma, in thousandths.
        if 299 * red + 587 * green + 114 * blue < 130_000 {
            CASING
        } else {
            INK
        }
    }
}
