//! Occupancy grids as they arrive in messages: checked before they become an [`OccupancyGrid`].
//!
//! The structs here have the fields of `nav_msgs/OccupancyGrid` and `map_msgs/OccupancyGridUpdate`
//! that matter to a planner, without any middleware type. A message that fails a check is rejected
//! as a whole, with the reason; a grid that an update was meant for stays as it was.

use super::occupancy::check_values;
use super::{DEFAULT_MAX_CELLS, Geometry, OccupancyGrid, Pose2};
use crate::{Error, Result};

/// How far a quaternion's squared norm may be from 1: what Nav2 allows
/// (`nav2_ros_common/validate_messages.hpp`).
const NORM_TOLERANCE: f64 = 1e-4;

/// A map may be tilted by this much, radians: 1 mm of height over a metre, well over what rounding
/// a quaternion does and well under a slope that would distort a plan.
const TILT_TOLERANCE_RAD: f64 = 1e-3;

/// A rotation as in `geometry_msgs/Quaternion`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quaternion {
    /// Component i.
    pub x: f64,
    /// Component j.
    pub y: f64,
    /// Component k.
    pub z: f64,
    /// Real part.
    pub w: f64,
}

impl Quaternion {
    /// A rotation about z by `yaw` radians.
    pub fn from_yaw(yaw: f64) -> Self {
        let (sin, cos) = (yaw / 2.0).sin_cos();
        Self {
            x: 0.0,
            y: 0.0,
            z: sin,
            w: cos,
        }
    }

    /// That it is a rotation: of unit length, as nearly as Nav2 asks for it.
    ///
    /// # Errors
    /// [`Error::Quaternion`] if it is not, or not finite.
    pub fn check_unit(self) -> Result<()> {
        let Self { x, y, z, w } = self;
        let squared_norm = x * x + y * y + z * z + w * w;
        // A NaN fails the comparison.
        let is_unit = (squared_norm - 1.0).abs() < NORM_TOLERANCE;
        if is_unit {
            Ok(())
        } else {
            Err(Error::Quaternion { x, y, z, w })
        }
    }

    /// The yaw, radians in -pi..=pi, of a rotation about z alone.
    ///
    /// # Errors
    /// The quaternion is not of unit length (or not finite), or it tilts the z axis.
    pub fn yaw(self) -> Result<f64> {
        self.check_unit()?;
        let Self { x, y, z, w } = self;
        // The rotated z axis leans by acos(1 - 2 (x^2 + y^2)); this form is exact near zero.
        let tilt_rad = 2.0 * x.hypot(y).atan2(z.hypot(w));
        if tilt_rad > TILT_TOLERANCE_RAD {
            return Err(Error::TiltedOrigin { tilt_rad });
        }
        Ok((2.0 * (w * z + x * y)).atan2(1.0 - 2.0 * (y * y + z * z)))
    }
}

/// The content of a `nav_msgs/OccupancyGrid`: `info` and `data`.
#[derive(Debug, Clone, PartialEq)]
pub struct OccupancyMessage {
    /// Cells along x.
    pub width: u32,
    /// Cells along y.
    pub height: u32,
    /// Metres per cell.
    pub resolution: f32,
    /// The origin's position (x, y, z), metres in the message's frame.
    pub position: [f64; 3],
    /// The origin's orientation.
    pub orientation: Quaternion,
    /// Occupancies, row-major from the bottom row.
    pub data: Vec<i8>,
}

impl OccupancyGrid {
    /// The grid in a message.
    ///
    /// # Errors
    /// A side of zero, more than `max_cells` cells, a resolution that is not positive and finite,
    /// an origin that is not finite, not a unit quaternion or tilted, a data length other than
    /// width x height, or a value that is neither -1 nor in 0..=100.
    pub fn try_from_message(message: OccupancyMessage, max_cells: usize) -> Result<Self> {
        let [x, y, z] = message.position;
        if !z.is_finite() {
            return Err(Error::OriginHeight { z });
        }
        let geometry = Geometry::with_max_cells(
            message.width as usize,
            message.height as usize,
            f64::from(message.resolution),
            Pose2::new(x, y, message.orientation.yaw()?),
            max_cells,
        )?;
        Self::new(geometry, message.data)
    }

    /// Overwrites the cells that an update covers.
    ///
    /// # Errors
    /// The update reaches outside the grid, its data length is not width x height, or a value is
    /// neither -1 nor in 0..=100. The grid is then unchanged.
    pub fn apply(&mut self, update: &OccupancyUpdate) -> Result<()> {
        let (grid_width, grid_height) = (self.geometry().width(), self.geometry().height());
        let columns = span(update.x, update.width, grid_width);
        let rows = span(update.y, update.height, grid_height);
        let (Some(columns), Some(rows)) = (columns, rows) else {
            return Err(Error::UpdateOutside {
                x: update.x,
                y: update.y,
                width: update.width,
                height: update.height,
                grid_width,
                grid_height,
            });
        };
        // Both sides fit the grid, so the product does not overflow.
        if update.data.len() != columns.len() * rows.len() {
            return Err(Error::DataLength {
                width: columns.len(),
                height: rows.len(),
                actual: update.data.len(),
            });
        }
        check_values(&update.data)?;
        if columns.is_empty() {
            return Ok(());
        }
        for (row, values) in rows.zip(update.data.chunks_exact(columns.len())) {
            let start = row * grid_width;
            self.data_mut()[start + columns.start..start + columns.end].copy_from_slice(values);
        }
        Ok(())
    }
}

impl TryFrom<OccupancyMessage> for OccupancyGrid {
    type Error = Error;

    /// As [`OccupancyGrid::try_from_message`] with [`DEFAULT_MAX_CELLS`].
    fn try_from(message: OccupancyMessage) -> Result<Self> {
        Self::try_from_message(message, DEFAULT_MAX_CELLS)
    }
}

/// The content of a `map_msgs/OccupancyGridUpdate`: new values for a rectangle of cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OccupancyUpdate {
    /// First column.
    pub x: i32,
    /// First row, counted from the bottom.
    pub y: i32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Occupancies, row-major from the rectangle's bottom row.
    pub data: Vec<i8>,
}

/// The range start..start + length, if it lies within 0..=limit.
fn span(start: i32, length: u32, limit: usize) -> Option<std::ops::Range<usize>> {
    let start = usize::try_from(start).ok()?;
    let end = start.checked_add(length as usize)?;
    (end <= limit).then_some(start..end)
}
