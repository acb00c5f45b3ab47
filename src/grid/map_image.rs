//! The image behind a map: bytes in, 8 bit grey and alpha out.
//!
//! Greymaps are decoded by `pgm`; PNG (grey, palette, RGB, with and without alpha, 8 and 16 bit)
//! and BMP by the `image` crate. The format is told from the content, never from the file's name.
//! Nothing here knows what grey means as an occupancy: `map_file` does.

use std::io::Cursor;
use std::path::Path;

use image::{DynamicImage, ImageDecoder, ImageReader, Limits};

use super::pgm;
use crate::{Error, Result};

/// Bytes of one pixel in the largest form decoded, 16 bit RGBA.
const MAX_BYTES_PER_PIXEL: u64 = 8;

/// Memory a decoder may use besides the pixels (palettes, row buffers), bytes.
const DECODER_OVERHEAD: u64 = 1 << 24;

/// An image in 8 bit grey, top row first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GreyImage {
    /// Pixels per row, at least 1.
    pub width: usize,
    /// Rows, at least 1.
    pub height: usize,
    /// 0 black, 255 white; width x height of them.
    pub grey: Vec<u8>,
    /// 255 opaque; `None` where the image has no alpha.
    pub alpha: Option<Vec<u8>>,
}

impl GreyImage {
    /// The image in a file's bytes. `path` is only named in errors.
    ///
    /// # Errors
    /// The content is of no accepted format, broken or cut off, or has more than `max_cells`
    /// pixels.
    pub(super) fn decode(bytes: &[u8], path: &Path, max_cells: usize) -> Result<Self> {
        if pgm::is_pgm(bytes) {
            return pgm::decode(bytes, path, max_cells);
        }
        let broken = |error: image::ImageError| Error::Image {
            path: path.to_owned(),
            reason: error.to_string(),
        };
        let format = image::guess_format(bytes).map_err(broken)?;
        let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
        let mut limits = Limits::no_limits();
        limits.max_alloc = Some(
            (max_cells as u64)
                .saturating_mul(MAX_BYTES_PER_PIXEL)
                .saturating_add(DECODER_OVERHEAD),
        );
        reader.limits(limits);
        let decoder = reader.into_decoder().map_err(broken)?;
        let (width, height) = decoder.dimensions();
        let (width, height) = (width as usize, height as usize);
        check_size(width, height, max_cells)?;
        let (grey, alpha) = split(DynamicImage::from_decoder(decoder).map_err(broken)?);
        Ok(Self {
            width,
            height,
            grey,
            alpha,
        })
    }
}

/// Whether bytes look like the start of an image, of an accepted format or another.
pub(super) fn looks_like_image(bytes: &[u8]) -> bool {
    pgm::is_pgm(bytes) || image::guess_format(bytes).is_ok()
}

/// The number of pixels, if neither side is zero and `max_cells` is not exceeded.
pub(super) fn check_size(width: usize, height: usize, max_cells: usize) -> Result<usize> {
    if width == 0 || height == 0 {
        return Err(Error::EmptyGrid { width, height });
    }
    let cells = width.saturating_mul(height);
    if cells > max_cells {
        return Err(Error::TooManyCells { cells, max_cells });
    }
    Ok(cells)
}

/// Grey and, where the image has it, alpha. 16 bit channels are rounded to 8 bits.
fn split(image: DynamicImage) -> (Vec<u8>, Option<Vec<u8>>) {
    use DynamicImage::{ImageLuma8, ImageLuma16, ImageLumaA8, ImageLumaA16, ImageRgb8, ImageRgb16};
    match image {
        ImageLuma8(_) | ImageLuma16(_) => (image.into_luma8().into_raw(), None),
        ImageLumaA8(_) | ImageLumaA16(_) => {
            let pixels = image.into_luma_alpha8().into_raw();
            let grey = pixels.iter().step_by(2).copied().collect();
            let alpha = pixels.iter().skip(1).step_by(2).copied().collect();
            (grey, Some(alpha))
        }
        ImageRgb8(_) | ImageRgb16(_) => {
            let pixels = image.into_rgb8().into_raw();
            (pixels.chunks_exact(3).map(luma).collect(), None)
        }
        _ => {
            let pixels = image.into_rgba8().into_raw();
            let grey = pixels.chunks_exact(4).map(luma).collect();
            let alpha = pixels.iter().skip(3).step_by(4).copied().collect();
            (grey, Some(alpha))
        }
    }
}

/// The grey of a colour whose first three values are red, green and blue.
///
/// The luma of ITU-R BT.601 (0.299, 0.587, 0.114) in 1024ths, cut to a whole
/// number: what `GraphicsMagick`, which Nav2 reads images with, computes. Equal channels give
/// themselves.
fn luma(pixel: &[u8]) -> u8 {
    let weights = [306_u32, 601, 117];
    let sum: u32 = pixel
        .iter()
        .zip(weights)
        .map(|(&channel, weight)| u32::from(channel) * weight)
        .sum();
    (sum >> 10) as u8
}
