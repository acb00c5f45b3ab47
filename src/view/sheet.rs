//! Contact sheets: many pictures on one page, each with a few lines below it.

use super::{
    Picture,
    canvas::Canvas,
    palette::{INK, PAPER, mix},
    text::Face,
};
use crate::Result;
use image::RgbImage;
use std::path::Path;

/// Space around the page and between tiles, pixels.
const MARGIN: usize = 20;
/// Space between the pictures of a tile, and between pictures and text, pixels.
const GAP: usize = 8;

/// Pictures that belong together, side by side, with lines of text below.
#[derive(Debug, Clone)]
pub struct Tile {
    /// From left to right.
    pub pictures: Vec<Picture>,
    /// Long lines wrap.
    pub lines: Vec<String>,
}

impl Tile {
    /// Width and height of the pictures together, pixels.
    fn pictures_size(&self) -> (usize, usize) {
        let width: usize = self.pictures.iter().map(|p| p.width() as usize + GAP).sum();
        let height = self.pictures.iter().map(|p| p.height() as usize).max();
        (width.saturating_sub(GAP), height.unwrap_or(0))
    }
}

/// A page of tiles under a title.
#[derive(Debug, Clone)]
pub struct Sheet {
    canvas: Canvas,
}

impl Sheet {
    /// A page with these lines on top, the first one as a title, and the tiles in rows of
    /// `columns` (at least one), in reading order.
    pub fn new(heading: &[&str], tiles: &[Tile], columns: usize) -> Self {
        let columns = columns.clamp(1, tiles.len().max(1));
        let tile_width = tiles.iter().map(|tile| tile.pictures_size().0).max();
        let tile_width = tile_width.unwrap_or(0).max(200);
        let width = columns * (tile_width + MARGIN) + MARGIN;
        let mut canvas = Canvas::new(width, MARGIN, PAPER);

        for (index, line) in heading.iter().enumerate() {
            let face = if index == 0 { Face::Title } else { Face::Body };
            write(&mut canvas, face, MARGIN, line, width - 2 * MARGIN);
        }
        for row in tiles.chunks(columns) {
            let top = canvas.height() + GAP;
            let pictures_height = row.iter().map(|tile| tile.pictures_size().1).max();
            let text_top = top + pictures_height.unwrap_or(0) + GAP;
            let wrapped: Vec<Vec<String>> = row
                .iter()
                .map(|tile| {
                    let lines = tile.lines.iter();
                    lines.flat_map(|l| Face::Body.wrap(l, tile_width)).collect()
                })
                .collect();
            let lines = wrapped.iter().map(Vec::len).max().unwrap_or(0);
            let bottom = text_top + lines * Face::Body.line_height() + GAP;
            canvas.grow(width, bottom, PAPER);
            for (column, (tile, lines)) in row.iter().zip(&wrapped).enumerate() {
                let left = MARGIN + column * (tile_width + MARGIN);
                let mut x = left;
                for picture in &tile.pictures {
                    let (w, h) = (picture.width() as usize, picture.height() as usize);
                    // Free space is nearly as bright as the page: an edge tells them apart.
                    canvas.rectangle(x - 1, top - 1, w + 2, h + 2, mix(PAPER, INK, 0.35));
                    canvas.paste(picture.image(), x, top);
                    x += w + GAP;
                }
                for (index, line) in lines.iter().enumerate() {
                    let y = text_top + index * Face::Body.line_height();
                    Face::Body.draw(&mut canvas, left, y, line, INK);
                }
            }
        }
        canvas.grow(width, canvas.height() + MARGIN / 2, PAPER);
        Self { canvas }
    }

    /// The pixels, top row first.
    pub fn image(&self) -> &RgbImage {
        self.canvas.image()
    }

    /// Writes the page as a PNG file, replacing what is there.
    ///
    /// # Errors
    /// [`crate::Error::WritePicture`], if the file cannot be written.
    pub fn save_png(&self, path: impl AsRef<Path>) -> Result<()> {
        self.canvas.save_png(path.as_ref())
    }
}

/// Writes a line below all there is, wrapped to `width` pixels.
fn write(canvas: &mut Canvas, face: Face, x: usize, line: &str, width: usize) {
    for part in face.wrap(line, width) {
        let y = canvas.height();
        canvas.grow(canvas.width(), y + face.line_height(), PAPER);
        face.draw(canvas, x, y, &part, INK);
    }
}
