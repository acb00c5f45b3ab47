//! Portable greymaps: the image format that ROS tools save maps in.
//!
//! Reads plain (P2) and raw (P5) files of any maximum value, 16 bit ones included, with comments
//! wherever netpbm reads them (<https://netpbm.sourceforge.net/doc/pgm.html>); writes P5. Grey
//! comes out in 8 bits, scaled so that the file's maximum is 255, because that is what Nav2's
//! `map_server` thresholds. Sizes are checked against the caller's limit and the bytes present
//! before anything is allocated.

use std::path::Path;

use super::Geometry;
use super::map_image::{GreyImage, check_size};
use crate::{Error, Result};

/// Whether a file starts as a greymap of either kind.
pub(super) fn is_pgm(bytes: &[u8]) -> bool {
    matches!(bytes, [b'P', b'2' | b'5', after, ..] if after.is_ascii_whitespace() || *after == b'#')
}

/// The grey pixels of a greymap, top row first. `path` is only named in errors.
///
/// # Errors
/// A broken header, a zero side, more than `max_cells` pixels, fewer pixels than the header
/// promises, or a pixel over the maximum value.
pub(super) fn decode(bytes: &[u8], path: &Path, max_cells: usize) -> Result<GreyImage> {
    let mut reader = Reader {
        bytes,
        // Past the magic number, which `is_pgm` has looked at.
        position: 2,
        path,
    };
    let width = reader.header_number("width")?;
    let height = reader.header_number("height")?;
    let max_value = reader.header_number("maximum value")?;
    let pixels = check_size(width, height, max_cells)?;
    let Ok(max_value @ 1..) = u16::try_from(max_value) else {
        return Err(reader.broken(format!(
            "its maximum value is {max_value}, but must be 1..=65535"
        )));
    };
    let grey = if bytes[1] == b'2' {
        reader.plain_pixels(pixels, max_value)?
    } else {
        reader.raw_pixels(pixels, max_value)?
    };
    Ok(GreyImage {
        width,
        height,
        grey,
        alpha: None,
    })
}

/// A P5 file of 8 bit pixels, `pixels` given top row first, one per cell.
pub(super) fn encode(geometry: &Geometry, pixels: impl Iterator<Item = u8>) -> Vec<u8> {
    let header = format!("P5\n{} {}\n255\n", geometry.width(), geometry.height());
    let mut bytes = Vec::with_capacity(header.len() + geometry.cells());
    bytes.extend_from_slice(header.as_bytes());
    bytes.extend(pixels);
    bytes
}

/// Reads tokens and rasters from the bytes of a greymap.
struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
    path: &'a Path,
}

impl Reader<'_> {
    fn broken(&self, reason: String) -> Error {
        Error::Image {
            path: self.path.to_owned(),
            reason,
        }
    }

    /// The next byte. A comment reads as the newline that ends it, so that `255#max\n` is a number
    /// and a separator, as netpbm has it.
    fn next_byte(&mut self) -> Option<u8> {
        let mut byte = *self.bytes.get(self.position)?;
        self.position += 1;
        if byte == b'#' {
            while !matches!(byte, b'\n' | b'\r') {
                byte = *self.bytes.get(self.position)?;
                self.position += 1;
            }
        }
        Some(byte)
    }

    /// The next whitespace-separated number and the one byte that ends it; `None` at the end of the
    /// file. A number too large for usize reads as usize's maximum, which every caller rejects.
    fn number(&mut self, what: &str) -> Result<Option<usize>> {
        let mut byte = self.next_byte();
        while byte.is_some_and(|byte| byte.is_ascii_whitespace()) {
            byte = self.next_byte();
        }
        let Some(mut digit) = byte else {
            return Ok(None);
        };
        let mut number = 0_usize;
        loop {
            if !digit.is_ascii_digit() {
                return Err(self.broken(format!(
                    "its {what} contains '{}' at byte {}",
                    digit.escape_ascii(),
                    self.position - 1
                )));
            }
            number = number
                .saturating_mul(10)
                .saturating_add(usize::from(digit - b'0'));
            match self.next_byte() {
                Some(byte) if !byte.is_ascii_whitespace() => digit = byte,
                _ => return Ok(Some(number)),
            }
        }
    }

    fn header_number(&mut self, what: &str) -> Result<usize> {
        self.number(what)?
            .ok_or_else(|| self.broken(format!("its header ends before the {what}")))
    }

    fn plain_pixels(&mut self, pixels: usize, max_value: u16) -> Result<Vec<u8>> {
        // A pixel takes a digit and a separator, but for the last: no more memory than that.
        let present = (self.bytes.len() - self.position).div_ceil(2);
        let mut grey = Vec::with_capacity(pixels.min(present));
        while grey.len() < pixels {
            let Some(value) = self.number("raster")? else {
                return Err(self.truncated("numbers", pixels, grey.len()));
            };
            grey.push(self.scale(value, max_value, grey.len())?);
        }
        Ok(grey)
    }

    fn raw_pixels(&mut self, pixels: usize, max_value: u16) -> Result<Vec<u8>> {
        let raster = &self.bytes[self.position..];
        let bytes_per_pixel = if max_value > 255 { 2 } else { 1 };
        let wanted = pixels.saturating_mul(bytes_per_pixel);
        let Some(raster) = raster.get(..wanted) else {
            return Err(self.truncated("bytes", wanted, raster.len()));
        };
        if max_value == 255 {
            return Ok(raster.to_vec());
        }
        raster
            .chunks_exact(bytes_per_pixel)
            .enumerate()
            .map(|(index, pixel)| {
                let value = pixel
                    .iter()
                    .fold(0, |high, &low| high << 8 | usize::from(low));
                self.scale(value, max_value, index)
            })
            .collect()
    }

    /// A pixel's value in 0..=255, rounded to nearest.
    fn scale(&self, value: usize, max_value: u16, index: usize) -> Result<u8> {
        let max_value = usize::from(max_value);
        if value > max_value {
            return Err(self.broken(format!(
                "pixel {index} is {value}, over its maximum value of {max_value}"
            )));
        }
        Ok(((value * 255 + max_value / 2) / max_value) as u8)
    }

    fn truncated(&self, unit: &'static str, wanted: usize, found: usize) -> Error {
        Error::ImageTruncated {
            path: self.path.to_owned(),
            unit,
            wanted,
            found,
        }
    }
}
