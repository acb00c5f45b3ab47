//! A picture of one map, built layer by layer.

use super::{
    canvas::Canvas,
    palette::{self, LETHAL, Rgb},
    projection::{LONGER_SIDE, Projection},
};
use crate::grid::{Cell, Cost, Costmap};
use crate::{Error, Result};
use image::RgbImage;
use std::path::Path;

/// A picture of a map; each further layer is drawn over the ones before.
///
/// The map's longer side becomes about 900 pixels, a whole number of pixels per cell; maps whose
/// longer side is over 1600 cells are shrunk by averaging, and a pixel that holds an obstacle stays an
/// obstacle. The map's bottom left corner is that of the picture until a caption is added below.
///
/// ```no_run
/// use hrm_planner::grid::{DEMO_GOAL, DEMO_START, demo_map};
/// use hrm_planner::view::{Picture, PlanStyle};
/// # fn main() -> hrm_planner::Result<()> {
/// Picture::new(&demo_map())
///     .plan(&[DEMO_START, DEMO_GOAL], PlanStyle::PARTIAL)
///     .start(DEMO_START)
///     .goal(DEMO_GOAL)
///     .caption(&["as the crow flies"])
///     .save_png("crow.png")
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Picture {
    pub(super) canvas: Canvas,
    pub(super) projection: Projection,
    /// The largest value of the field drawn last, for the caption's colour bar.
    pub(super) field_top: Option<f64>,
}

impl Picture {
    /// A picture of the map: free space near-white, obstacles near-black, unknown space grey,
    /// inscribed and inflated cells softly tinted.
    pub fn new(map: &Costmap) -> Self {
        Self::sized(map, LONGER_SIDE)
    }

    /// As [`Picture::new`], with a longer side of about `longer_side` pixels: for many small
    /// pictures on one [`Sheet`](super::Sheet).
    pub fn sized(map: &Costmap, longer_side: usize) -> Self {
        let projection = Projection::new(map.geometry(), longer_side);
        let mut canvas = Canvas::new(projection.width(), projection.height(), palette::FREE);
        for py in 0..projection.height() {
            for px in 0..projection.width() {
                canvas.blend(px, py, block_colour(map, &projection, px, py), 1.0);
            }
        }
        Self {
            canvas,
            projection,
            field_top: None,
        }
    }

    /// Pixels across.
    pub fn width(&self) -> u32 {
        self.image().width()
    }

    /// Pixels down, caption included.
    pub fn height(&self) -> u32 {
        self.image().height()
    }

    /// The pixels drawn so far, top row first.
    pub fn image(&self) -> &RgbImage {
        self.canvas.image()
    }

    /// Where a world point (metres) is in the picture: pixels right of the left and below the top
    /// edge. Points off the map get coordinates off the picture.
    pub fn pixel_of(&self, x: f64, y: f64) -> (f64, f64) {
        self.projection.world_to_pixel(x, y)
    }

    /// Writes the picture as a PNG file, replacing what is there.
    ///
    /// # Errors
    /// [`Error::WritePicture`], if the file cannot be written.
    pub fn save_png(&self, path: impl AsRef<Path>) -> Result<()> {
        self.canvas.save_png(path.as_ref())
    }

    /// That a layer has one value per cell of the map.
    pub(super) fn check_length(&self, values: usize) -> Result<()> {
        let geometry = self.projection.geometry();
        if values == geometry.cells() {
            return Ok(());
        }
        Err(Error::DataLength {
            width: geometry.width(),
            height: geometry.height(),
            actual: values,
        })
    }
}

/// The colour of a pixel: that of its cell, or of its block of cells if the map is shrunk. There
/// an obstacle wins, since a one-cell wall that fades away misleads; other cells are averaged.
fn block_colour(map: &Costmap, projection: &Projection, px: usize, py: usize) -> Rgb {
    let mut sums = [0_usize; 3];
    let mut cells = 0;
    for row in projection.rows(py) {
        for col in projection.cols(px) {
            let cost = map.cost(Cell::new(row, col));
            if cost == Cost::LETHAL {
                return LETHAL;
            }
            let colour = palette::cost_colour(cost);
            for (sum, channel) in sums.iter_mut().zip(colour) {
                *sum += usize::from(channel);
            }
            cells += 1;
        }
    }
    sums.map(|sum| (sum / cells.max(1)) as u8)
}
