//! From what laser scanners and depth cameras send to points: [`Measurement`]s.
//!
//! Bad rays are left out, not guessed: NaN, too near, too far. What the points mark and clear is the
//! business of [`super::obstacles`].

use super::message::{Header, Measurement};
use crate::{Error, Result};

/// `sensor_msgs/LaserScan`.
#[derive(Debug, Clone, PartialEq)]
pub struct LaserScan {
    /// The scanner's frame and the time.
    pub header: Header,
    /// The first ray's direction, radians from the frame's x axis.
    pub angle_min: f32,
    /// From ray to ray, radians.
    pub angle_increment: f32,
    /// Nearer ranges are no measurements, metres.
    pub range_min: f32,
    /// Farther ranges are no measurements, metres.
    pub range_max: f32,
    /// One per ray, metres.
    pub ranges: Vec<f32>,
}

impl LaserScan {
    /// Its points; rays of infinite length are misses at `range_max` if `inf_is_valid`.
    pub fn measurement(&self, inf_is_valid: bool) -> Measurement {
        let mut hits = Vec::with_capacity(self.ranges.len());
        let mut misses = Vec::new();
        for (ray, &range) in self.ranges.iter().enumerate() {
            let angle = self.angle_min + ray as f32 * self.angle_increment;
            let (sin, cos) = angle.sin_cos();
            let end = |length: f32| [length * cos, length * sin, 0.0];
            if range.is_finite() && range >= self.range_min && range <= self.range_max {
                hits.push(end(range));
            } else if range == f32::INFINITY && inf_is_valid && self.range_max.is_finite() {
                misses.push(end(self.range_max));
            }
        }
        Measurement {
            header: self.header.clone(),
            hits,
            misses,
        }
    }
}

/// A field of a `sensor_msgs/PointCloud2`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PointField {
    /// Such as `x`.
    pub name: String,
    /// Bytes from the point's first.
    pub offset: u32,
    /// 7 for f32, 8 for f64; others hold no coordinates here.
    pub datatype: u8,
}

/// `sensor_msgs/PointCloud2`.
#[derive(Debug, Clone, PartialEq)]
pub struct PointCloud {
    /// The sensor's frame and the time.
    pub header: Header,
    /// Rows of points.
    pub height: u32,
    /// Points in a row.
    pub width: u32,
    /// What is where in a point.
    pub fields: Vec<PointField>,
    /// Whether numbers begin with their greatest byte.
    pub is_bigendian: bool,
    /// Bytes from point to point.
    pub point_step: u32,
    /// Bytes from row to row.
    pub row_step: u32,
    /// The points.
    pub data: Vec<u8>,
}

/// How a coordinate lies in a point.
#[derive(Debug, Clone, Copy)]
struct Coordinate {
    offset: usize,
    is_double: bool,
    is_bigendian: bool,
}

impl Coordinate {
    fn size(self) -> usize {
        if self.is_double { 8 } else { 4 }
    }

    /// The number in a point's bytes, which are long enough.
    fn read(self, point: &[u8]) -> Option<f32> {
        let bytes = point.get(self.offset..self.offset + self.size())?;
        let number = match (self.is_double, self.is_bigendian) {
            (false, false) => f32::from_le_bytes(bytes.try_into().ok()?),
            (false, true) => f32::from_be_bytes(bytes.try_into().ok()?),
            (true, false) => f64::from_le_bytes(bytes.try_into().ok()?) as f32,
            (true, true) => f64::from_be_bytes(bytes.try_into().ok()?) as f32,
        };
        Some(number)
    }
}

impl PointCloud {
    /// Its finite points.
    ///
    /// # Errors
    /// [`Error::PointCloud`] for a cloud without x, y and z as real numbers, and for one whose
    /// sizes do not fit its data.
    pub fn measurement(&self) -> Result<Measurement> {
        let bad = |reason: String| Error::PointCloud { reason };
        let step = self.point_step as usize;
        let coordinate = |name: &str| {
            let field = self.fields.iter().find(|field| field.name == name);
            let field = field.ok_or_else(|| bad(format!("it has no field {name}")))?;
            let is_double = match field.datatype {
                7 => false,
                8 => true,
                other => {
                    return Err(bad(format!(
                        "its field {name} has datatype {other}, not FLOAT32 or FLOAT64"
                    )));
                }
            };
            let coordinate = Coordinate {
                offset: field.offset as usize,
                is_double,
                is_bigendian: self.is_bigendian,
            };
            if coordinate.offset + coordinate.size() > step {
                return Err(bad(format!(
                    "its field {name} lies beyond point_step = {step}"
                )));
            }
            Ok(coordinate)
        };
        let [x, y, z] = [coordinate("x")?, coordinate("y")?, coordinate("z")?];
        let (width, height) = (self.width as usize, self.height as usize);
        if width == 0 || height == 0 || step == 0 {
            return Ok(Measurement {
                header: self.header.clone(),
                hits: Vec::new(),
                misses: Vec::new(),
            });
        }
        let row_step = self.row_step as usize;
        let row_bytes = width.saturating_mul(step);
        let needed = row_step.saturating_mul(height);
        if (height > 1 && row_step < row_bytes) || self.data.len() < needed.max(row_bytes) {
            return Err(bad(format!(
                "{width} x {height} points of {step} bytes in rows of {row_step} need {needed} \
                 bytes, but it has {}",
                self.data.len()
            )));
        }
        let mut hits = Vec::new();
        for row in 0..height {
            let bytes = &self.data[row * row_step..row * row_step + row_bytes];
            for point in bytes.chunks_exact(step) {
                if let (Some(x), Some(y), Some(z)) = (x.read(point), y.read(point), z.read(point))
                    && x.is_finite()
                    && y.is_finite()
                    && z.is_finite()
                {
                    hits.push([x, y, z]);
                }
            }
        }
        Ok(Measurement {
            header: self.header.clone(),
            hits,
            misses: Vec::new(),
        })
    }
}
