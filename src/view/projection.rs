//! How cells and world points become pixels of a picture.
//!
//! The scale is a whole number of pixels per cell, or of cells per pixel, so that all cells look
//! alike. Row 0 of the grid is the bottom row of the picture's map part.

use crate::grid::Geometry;
use std::ops::Range;

/// The usual longer side, pixels: fills a README's column without being scaled.
pub(super) const LONGER_SIDE: usize = 900;
/// Maps with a longer side than this are shrunk, cells; up to here a pixel per cell is affordable.
const SHRINK_ABOVE: usize = 1600;
/// Pixels per cell at most, so that a map of one cell is not a page.
const MAX_ZOOM: usize = 64;

/// The scale and place of a grid in a picture.
#[derive(Debug, Clone)]
pub(super) struct Projection {
    geometry: Geometry,
    /// Pixels per cell; 1 if shrunk.
    zoom: usize,
    /// Cells per pixel; 1 if zoomed.
    shrink: usize,
}

impl Projection {
    /// A projection whose longer side is about `longer_side` pixels.
    pub(super) fn new(geometry: &Geometry, longer_side: usize) -> Self {
        let longer = geometry.width().max(geometry.height());
        let (zoom, shrink) = if longer > SHRINK_ABOVE {
            (1, longer.div_ceil(SHRINK_ABOVE))
        } else {
            let nearest = (longer_side as f64 / longer as f64).round() as usize;
            (nearest.clamp(1, MAX_ZOOM), 1)
        };
        Self {
            geometry: *geometry,
            zoom,
            shrink,
        }
    }

    pub(super) fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    /// Width of the map part, pixels.
    pub(super) fn width(&self) -> usize {
        (self.geometry.width() * self.zoom).div_ceil(self.shrink)
    }

    /// Height of the map part, pixels.
    pub(super) fn height(&self) -> usize {
        (self.geometry.height() * self.zoom).div_ceil(self.shrink)
    }

    /// Pixels per cell, below 1 if shrunk.
    pub(super) fn scale(&self) -> f64 {
        self.zoom as f64 / self.shrink as f64
    }

    /// Pixels per metre.
    pub(super) fn pixels_per_metre(&self) -> f64 {
        self.scale() / self.geometry.resolution()
    }

    /// The columns of the grid that a pixel column shows.
    pub(super) fn cols(&self, px: usize) -> Range<usize> {
        self.block(px, self.geometry.width())
    }

    /// The rows of the grid that a pixel row, counted from the top, shows.
    pub(super) fn rows(&self, py: usize) -> Range<usize> {
        self.block(self.height() - 1 - py, self.geometry.height())
    }

    fn block(&self, pixel: usize, cells: usize) -> Range<usize> {
        if self.shrink > 1 {
            pixel * self.shrink..((pixel + 1) * self.shrink).min(cells)
        } else {
            pixel / self.zoom..pixel / self.zoom + 1
        }
    }

    /// Grid coordinates, in cells, of a pixel's centre: (along x, along y).
    pub(super) fn pixel_to_grid(&self, px: usize, py: usize) -> (f64, f64) {
        let from_bottom = (self.height() - 1 - py) as f64;
        (
            (px as f64 + 0.5) / self.scale(),
            (from_bottom + 0.5) / self.scale(),
        )
    }

    /// Pixel coordinates (right, down) of a world point, in or out of the picture.
    pub(super) fn world_to_pixel(&self, x: f64, y: f64) -> (f64, f64) {
        let origin = self.geometry.origin();
        let (sin, cos) = origin.yaw.sin_cos();
        let (dx, dy) = (x - origin.x, y - origin.y);
        let (along_x, along_y) = (dx * cos + dy * sin, dy * cos - dx * sin);
        let per_metre = self.pixels_per_metre();
        (
            along_x * per_metre,
            self.height() as f64 - along_y * per_metre,
        )
    }

    /// The direction of a world heading in the picture: unit vector (right, down).
    pub(super) fn heading(&self, yaw: f64) -> (f64, f64) {
        let (sin, cos) = (yaw - self.geometry.origin().yaw).sin_cos();
        (cos, -sin)
    }
}
