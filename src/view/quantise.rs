//! One palette for all frames of an animation, so that no colour flickers between frames.
//!
//! Variance-based splitting (Wan, Prusinkiewicz and Wong 1990) of a histogram with 6 bits per
//! channel: the set of colours with the largest squared deviation is split at its mean, until the
//! palette is full. No dithering: flat areas stay flat, which also compresses best.

use super::palette::Rgb;
use image::RgbImage;

/// Bits kept per channel in the histogram: finer differences are not seen.
const BITS: u32 = 6;

/// A palette and where every colour of the frames lies in it.
pub(super) struct Palette {
    colours: Vec<Rgb>,
    /// Palette index per histogram bin; 0 for bins that no pixel fell into.
    index: Vec<u8>,
}

impl Palette {
    /// The palette of at most `size` colours (1 to 256) for these frames.
    pub(super) fn of<'a>(frames: impl Iterator<Item = &'a RgbImage>, size: usize) -> Self {
        let mut sums = vec![([0_u64; 3], 0_u64); 1 << (3 * BITS)];
        for pixel in frames.flat_map(RgbImage::pixels) {
            let (sum, pixels) = &mut sums[key(pixel.0)];
            for (sum, channel) in sum.iter_mut().zip(pixel.0) {
                *sum += u64::from(channel);
            }
            *pixels += 1;
        }
        let bins = sums.iter().enumerate().filter(|(_, bin)| bin.1 > 0);
        let bins = bins.map(|(key, &(sum, pixels))| Bin {
            key,
            colour: sum.map(|sum| sum as f64 / pixels as f64),
            pixels: pixels as f64,
        });

        let mut parts = vec![Part::new(bins.collect())];
        while parts.len() < size {
            let widest = (0..parts.len())
                .filter(|&part| parts[part].bins.len() > 1)
                .max_by(|&a, &b| parts[a].deviation.total_cmp(&parts[b].deviation));
            let Some(widest) = widest else { break };
            let (low, high) = parts.swap_remove(widest).split();
            parts.extend([low, high]);
        }

        let mut index = vec![0; sums.len()];
        for (place, part) in parts.iter().enumerate() {
            for bin in &part.bins {
                index[bin.key] = place as u8;
            }
        }
        Self {
            colours: parts.iter().map(Part::colour).collect(),
            index,
        }
    }

    /// The colours one after the other: red, green, blue, red, ...
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        self.colours.iter().flatten().copied().collect()
    }

    /// The palette index of each pixel of a frame that the palette was made for.
    pub(super) fn indices(&self, frame: &RgbImage) -> Vec<u8> {
        let index = |pixel: &image::Rgb<u8>| self.index[key(pixel.0)];
        frame.pixels().map(index).collect()
    }
}

/// A bin of the histogram that holds pixels.
struct Bin {
    key: usize,
    /// The mean colour of the bin's pixels.
    colour: [f64; 3],
    pixels: f64,
}

impl Bin {
    /// What the bin counts for in a split. The square root keeps the few pixels of thin lines and
    /// letters from being outvoted by large areas.
    fn weight(&self) -> f64 {
        self.pixels.sqrt()
    }
}

/// A set of bins that share a palette colour.
struct Part {
    bins: Vec<Bin>,
    /// The channel that varies most, its weighted mean, and its weighted squared deviation.
    channel: usize,
    mean: f64,
    deviation: f64,
}

impl Part {
    fn new(bins: Vec<Bin>) -> Self {
        let weight: f64 = bins.iter().map(Bin::weight).sum();
        let spread = |channel: usize| {
            let weighted = bins.iter().map(|bin| bin.weight() * bin.colour[channel]);
            let mean = weighted.sum::<f64>() / weight.max(1.0);
            let square = |bin: &Bin| bin.weight() * (bin.colour[channel] - mean).powi(2);
            (channel, mean, bins.iter().map(square).sum::<f64>())
        };
        let widest =
            (1..3).map(spread).fold(
                spread(0),
                |widest, next| {
                    if next.2 > widest.2 { next } else { widest }
                },
            );
        let (channel, mean, deviation) = widest;
        Self {
            bins,
            channel,
            mean,
            deviation,
        }
    }

    /// The bins up to the mean and those above it.
    fn split(self) -> (Self, Self) {
        let (channel, mean) = (self.channel, self.mean);
        let (low, high) = self
            .bins
            .into_iter()
            .partition(|bin| bin.colour[channel] <= mean);
        (Self::new(low), Self::new(high))
    }

    /// The mean colour of the pixels.
    fn colour(&self) -> Rgb {
        let pixels: f64 = self.bins.iter().map(|bin| bin.pixels).sum();
        std::array::from_fn(|channel| {
            let weighted = self.bins.iter().map(|bin| bin.pixels * bin.colour[channel]);
            (weighted.sum::<f64>() / pixels.max(1.0)).round() as u8
        })
    }
}

/// The histogram bin of a colour.
fn key(colour: Rgb) -> usize {
    colour.iter().fold(0, |key, &channel| {
        (key << BITS) | usize::from(channel >> (8 - BITS))
    })
}
