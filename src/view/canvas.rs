//! Pixels and anti-aliased shapes.
//!
//! A shape is a signed distance in pixels, negative inside; a pixel is covered by as much as its
//! centre is inside, give or take half a pixel. Coordinates are (right, down), pixel centres lie
//! at halves. What leaves the canvas is clipped.

use super::palette::{Rgb, mix};
use crate::{Error, Result};
use image::{ExtendedColorType, ImageEncoder, RgbImage, codecs::png::PngEncoder};
use std::path::Path;

/// A point of the canvas: right, down.
pub(super) type Point = (f64, f64);

/// A picture under construction.
#[derive(Debug, Clone)]
pub(super) struct Canvas {
    image: RgbImage,
}

impl Canvas {
    pub(super) fn new(width: usize, height: usize, colour: Rgb) -> Self {
        Self {
            image: RgbImage::from_pixel(width as u32, height as u32, image::Rgb(colour)),
        }
    }

    pub(super) fn image(&self) -> &RgbImage {
        &self.image
    }

    pub(super) fn width(&self) -> usize {
        self.image.width() as usize
    }

    pub(super) fn height(&self) -> usize {
        self.image.height() as usize
    }

    /// Writes the pixels as a PNG file, replacing what is there.
    ///
    /// # Errors
    /// [`Error::WritePicture`], if the file cannot be written.
    pub(super) fn save_png(&self, path: &Path) -> Result<()> {
        let mut bytes = Vec::new();
        PngEncoder::new(&mut bytes)
            .write_image(
                self.image.as_raw(),
                self.image.width(),
                self.image.height(),
                ExtendedColorType::Rgb8,
            )
            .map_err(std::io::Error::other)
            .and_then(|()| std::fs::write(path, &bytes))
            .map_err(|source| Error::WritePicture {
                path: path.to_owned(),
                source,
            })
    }

    /// Lays another picture over this one, its top left corner at (x, y).
    pub(super) fn paste(&mut self, picture: &RgbImage, x: usize, y: usize) {
        for (right, down, pixel) in picture.enumerate_pixels() {
            self.blend(x + right as usize, y + down as usize, pixel.0, 1.0);
        }
    }

    /// Adds rows below and columns to the right, all of one colour. Never shrinks.
    pub(super) fn grow(&mut self, width: usize, height: usize, colour: Rgb) {
        let mut grown = Self::new(width.max(self.width()), height.max(self.height()), colour);
        for (x, y, &pixel) in self.image.enumerate_pixels() {
            grown.image.put_pixel(x, y, pixel);
        }
        *self = grown;
    }

    /// Lays a colour over a pixel; nothing happens outside, nor for an opacity of NaN.
    pub(super) fn blend(&mut self, x: usize, y: usize, colour: Rgb, opacity: f32) {
        if opacity > 0.0
            && let Some(pixel) = self.image.get_pixel_mut_checked(x as u32, y as u32)
        {
            pixel.0 = mix(pixel.0, colour, opacity.min(1.0));
        }
    }

    /// Fills a shape that lies within `reach` pixels of `centre`.
    pub(super) fn fill(
        &mut self,
        centre: Point,
        reach: f64,
        colour: Rgb,
        distance: impl Fn(Point) -> f64,
    ) {
        let columns = clip(centre.0 - reach, centre.0 + reach, self.width());
        for y in clip(centre.1 - reach, centre.1 + reach, self.height()) {
            for x in columns.clone() {
                let inside = distance((x as f64 + 0.5, y as f64 + 0.5));
                self.blend(x, y, colour, coverage(inside));
            }
        }
    }

    pub(super) fn disc(&mut self, centre: Point, radius: f64, colour: Rgb) {
        self.fill(centre, radius + 1.0, colour, |point| {
            (point.0 - centre.0).hypot(point.1 - centre.1) - radius
        });
    }

    /// A line with round ends.
    pub(super) fn line(&mut self, from: Point, to: Point, width: f64, colour: Rgb) {
        let centre = (f64::midpoint(from.0, to.0), f64::midpoint(from.1, to.1));
        let reach = (to.0 - from.0).hypot(to.1 - from.1) / 2.0 + width / 2.0 + 1.0;
        self.fill(centre, reach, colour, |point| {
            to_segment(point, from, to).0 - width / 2.0
        });
    }

    /// A triangle, its corners rounded by `grow` pixels on all sides. Corners in either sense.
    pub(super) fn triangle(&mut self, corners: [Point; 3], grow: f64, colour: Rgb) {
        let [a, b, c] = corners;
        let centre = ((a.0 + b.0 + c.0) / 3.0, (a.1 + b.1 + c.1) / 3.0);
        let reach = corners
            .iter()
            .map(|corner| (corner.0 - centre.0).hypot(corner.1 - centre.1))
            .fold(0.0, f64::max)
            + grow
            + 1.0;
        self.fill(centre, reach, colour, |point| {
            let edges = [(a, b), (b, c), (c, a)];
            let sides = edges.map(|(from, to)| {
                (to.0 - from.0) * (point.1 - from.1) - (to.1 - from.1) * (point.0 - from.0)
            });
            let nearest = edges
                .iter()
                .map(|&(from, to)| to_segment(point, from, to).0)
                .fold(f64::INFINITY, f64::min);
            let inside = sides.iter().all(|&s| s >= 0.0) || sides.iter().all(|&s| s <= 0.0);
            (if inside { -nearest } else { nearest }) - grow
        });
    }

    /// Fills an axis-parallel rectangle of whole pixels.
    pub(super) fn rectangle(&mut self, x: usize, y: usize, width: usize, height: usize, c: Rgb) {
        for row in y..y + height {
            for column in x..x + width {
                self.blend(column, row, c, 1.0);
            }
        }
    }
}

/// How much of a pixel is covered, from the signed distance of its centre.
pub(super) fn coverage(distance: f64) -> f32 {
    (0.5 - distance).clamp(0.0, 1.0) as f32
}

/// Whole pixels from `low` to `high` inside a side of `size` pixels. Saturates; empty for NaN.
pub(super) fn clip(low: f64, high: f64, size: usize) -> std::ops::Range<usize> {
    let first = low.floor().max(0.0) as usize;
    let end = (high.ceil().max(0.0) as usize).min(size);
    first.min(end)..end
}

/// Distance of a point to a line segment, and how far along the segment its foot is, pixels.
pub(super) fn to_segment(point: Point, from: Point, to: Point) -> (f64, f64) {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let length = dx.hypot(dy);
    let (px, py) = (point.0 - from.0, point.1 - from.1);
    if length <= f64::EPSILON {
        return (px.hypot(py), 0.0);
    }
    let along = ((px * dx + py * dy) / length).clamp(0.0, length);
    let distance = (px - along * dx / length).hypot(py - along * dy / length);
    (distance, along)
}
