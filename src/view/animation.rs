//! Pictures one after the other, written as a GIF that loops for ever.

use super::{Picture, quantise::Palette};
use crate::{Error, Result};
use gif::{DisposalMethod, EncodingError, Frame, Repeat};
use image::RgbImage;
use std::{borrow::Cow, path::Path, time::Duration};

/// How much longer than asked for the last frame stays, so that the end can be looked at.
const LAST_FRAME_EXTRA: Duration = Duration::from_secs(2);
/// The palette index of pixels that stay as they are; the other 255 are colours.
const UNCHANGED: u8 = 255;

/// An animation: frames of one size and how long each is shown.
#[derive(Debug, Clone)]
pub struct Animation {
    frames: Vec<(RgbImage, Duration)>,
}

impl Animation {
    /// An animation that opens with this picture.
    pub fn new(opening: &Picture, delay: Duration) -> Self {
        Self {
            frames: vec![(opening.image().clone(), delay)],
        }
    }

    /// Adds a frame that is shown for `delay`, in whole hundredths of a second.
    ///
    /// # Errors
    /// [`Error::FrameSize`], if the picture has another size than the first one.
    pub fn push(&mut self, picture: &Picture, delay: Duration) -> Result<()> {
        let (first, image) = (&self.frames[0].0, picture.image());
        if image.dimensions() != first.dimensions() {
            return Err(Error::FrameSize {
                width: image.width(),
                height: image.height(),
                first_width: first.width(),
                first_height: first.height(),
            });
        }
        self.frames.push((image.clone(), delay));
        Ok(())
    }

    /// The frames in order, with how long each is shown.
    pub fn frames(&self) -> &[(RgbImage, Duration)] {
        &self.frames
    }

    /// Writes a GIF file, replacing what is there. All frames share one palette, the last frame
    /// stays two seconds longer, then it starts again.
    ///
    /// # Errors
    /// [`Error::WritePicture`], if the file cannot be written.
    pub fn save_gif(&self, path: impl AsRef<Path>) -> Result<()> {
        self.encode()
            .map_err(std::io::Error::other)
            .and_then(|bytes| std::fs::write(&path, bytes))
            .map_err(|source| Error::WritePicture {
                path: path.as_ref().to_owned(),
                source,
            })
    }

    fn encode(&self) -> std::result::Result<Vec<u8>, EncodingError> {
        let (width, height) = self.frames[0].0.dimensions();
        let colours = Palette::of(self.frames.iter().map(|(image, _)| image), 255);
        let mut bytes = Vec::new();
        let side = |pixels: u32| u16::try_from(pixels).map_err(std::io::Error::other);
        let palette = colours.to_bytes();
        let mut encoder = gif::Encoder::new(&mut bytes, side(width)?, side(height)?, &palette)?;
        encoder.set_repeat(Repeat::Infinite)?;
        let mut shown: Option<Vec<u8>> = None;
        for (number, (image, delay)) in self.frames.iter().enumerate() {
            let last = number + 1 == self.frames.len();
            let extra = if last {
                LAST_FRAME_EXTRA
            } else {
                Duration::ZERO
            };
            let indices = colours.indices(image);
            let mut frame = changed_part(shown.as_deref(), &indices, width as usize);
            frame.delay = ((*delay + extra).as_millis() / 10).min(u128::from(u16::MAX)) as u16;
            frame.dispose = DisposalMethod::Keep;
            encoder.write_frame(&frame)?;
            shown = Some(indices);
        }
        drop(encoder);
        Ok(bytes)
    }
}

/// The smallest rectangle that holds all pixels that differ from what is `shown`, the others in it
/// transparent; the whole picture if nothing is shown yet. Small files come from here.
fn changed_part(shown: Option<&[u8]>, indices: &[u8], width: usize) -> Frame<'static> {
    let changed = |place: usize| shown.is_none_or(|shown| shown[place] != indices[place]);
    let places = (0..indices.len()).filter(|&place| changed(place));
    let (mut left, mut right, mut top, mut bottom) = (width, 0, indices.len(), 0);
    for place in places {
        let (x, y) = (place % width, place / width);
        (left, right) = (left.min(x), right.max(x));
        (top, bottom) = (top.min(y), bottom.max(y));
    }
    if left > right {
        // Nothing changed, but a frame holds its time only if it has a pixel.
        (left, right, top, bottom) = (0, 0, 0, 0);
    }
    let mut buffer = Vec::with_capacity((right - left + 1) * (bottom - top + 1));
    for y in top..=bottom {
        let row = y * width + left..=y * width + right;
        buffer.extend(row.map(|place| {
            if changed(place) {
                indices[place]
            } else {
                UNCHANGED
            }
        }));
    }
    Frame {
        left: left as u16,
        top: top as u16,
        width: (right - left + 1) as u16,
        height: (bottom - top + 1) as u16,
        transparent: Some(UNCHANGED),
        buffer: Cow::Owned(buffer),
        ..Frame::default()
    }
}
