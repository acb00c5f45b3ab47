//! Lines of text on a canvas, in Noto Sans Mono from a crate that carries its glyphs as
//! anti-aliased bitmaps: no font file has to be found at run time, and captions look the same
//! everywhere. Basic Latin and Latin-1; other characters show as `?`.

use super::{canvas::Canvas, palette::Rgb};
use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};

/// The two sizes of text that pictures use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Face {
    /// 20 pixels high, bold.
    Title,
    /// 16 pixels high.
    Body,
}

impl Face {
    fn font(self) -> (FontWeight, RasterHeight) {
        match self {
            Face::Title => (FontWeight::Bold, RasterHeight::Size20),
            Face::Body => (FontWeight::Regular, RasterHeight::Size16),
        }
    }

    /// From one line to the next, pixels.
    pub(super) fn line_height(self) -> usize {
        self.font().1.val() + 4
    }

    /// Width of every character, pixels.
    pub(super) fn advance(self) -> usize {
        let (weight, height) = self.font();
        get_raster_width(weight, height)
    }

    /// Width of a line, pixels.
    pub(super) fn width(self, line: &str) -> usize {
        line.chars().count() * self.advance()
    }

    /// Draws one line with its top left corner at (x, y), pixels.
    pub(super) fn draw(self, canvas: &mut Canvas, x: usize, y: usize, line: &str, colour: Rgb) {
        let (weight, height) = self.font();
        for (index, character) in line.chars().enumerate() {
            let glyph =
                get_raster(character, weight, height).or_else(|| get_raster('?', weight, height));
            let Some(glyph) = glyph else { continue };
            let left = x + index * self.advance();
            for (down, row) in glyph.rows().enumerate() {
                for (right, &ink) in row.iter().enumerate() {
                    canvas.blend(left + right, y + down, colour, f32::from(ink) / 255.0);
                }
            }
        }
    }

    /// Breaks a line at spaces, and words that are too long anywhere, so that every part is at
    /// most `width` pixels wide. At least one character per part; an empty line is one part.
    pub(super) fn wrap(self, line: &str, width: usize) -> Vec<String> {
        let columns = (width / self.advance()).max(1);
        let mut parts = Vec::new();
        let mut part = String::new();
        let mut used = 0;
        for word in line.split_whitespace() {
            let letters: Vec<char> = word.chars().collect();
            if used > 0 && used + 1 + letters.len() > columns {
                parts.push(std::mem::take(&mut part));
                used = 0;
            }
            if used > 0 {
                part.push(' ');
                used += 1;
            }
            for letter in letters {
                if used == columns {
                    parts.push(std::mem::take(&mut part));
                    used = 0;
                }
                part.push(letter);
                used += 1;
            }
        }
        parts.push(part);
        parts
    }
}
