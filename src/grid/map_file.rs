//! Maps as `map_server` stores them: a YAML file that names an image.
//!
//! The rules are those of Nav2 (`nav2_map_server/src/map_io.cpp`), so that a robot plans on the
//! same cells that its localisation uses: grey becomes an occupancy by the file's mode, thresholds
//! and `negate`; a pixel that is not opaque is unknown; the image's top row is the map's last row.
//! Two things are more forgiving than Nav2: keys that older tools left out have defaults, and an
//! absolute image path that came from another machine is looked for beside the YAML file.

use std::fs;
use std::path::{Path, PathBuf};

use super::map_image::{self, GreyImage};
use super::map_yaml::MapKeys;
use super::occupancy::{FREE, OCCUPIED, UNKNOWN};
use super::{DEFAULT_MAX_CELLS, Geometry, OccupancyGrid, Pose2};
use crate::{Error, Result};

/// `occupied_thresh` where a file has none: what Nav2's map saver writes.
const DEFAULT_OCCUPIED_THRESH: f64 = 0.65;
/// `free_thresh` where a file has none: what Nav2's map saver writes.
const DEFAULT_FREE_THRESH: f64 = 0.25;

/// How grey becomes an occupancy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MapMode {
    /// Occupied (100), free (0) or, between the thresholds, unknown (-1).
    #[default]
    Trinary,
    /// As trinary, but between the thresholds 0..=100 in proportion.
    Scale,
    /// The grey value itself where it is in 0..=100, else unknown.
    Raw,
}

/// What a map's YAML file says, checked. The image has not been looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct MapFile {
    /// The YAML file.
    pub path: PathBuf,
    /// The image, relative paths taken from the YAML file's folder, `~/` from the home folder.
    pub image: PathBuf,
    /// Metres per cell, positive and finite.
    pub resolution: f64,
    /// The pose of the lower left corner of the map's lower left cell; `None` where the file has
    /// no `origin`, which is a fault, but one that leaves the cells readable.
    pub origin: Option<Pose2>,
    /// How grey becomes an occupancy.
    pub mode: MapMode,
    /// Whether white is occupied and black free, instead of the reverse. Has no effect in raw mode.
    pub negate: bool,
    /// A share of darkness from which on a cell is occupied.
    pub occupied_thresh: f64,
    /// A share of darkness up to which a cell is free; not over `occupied_thresh`.
    pub free_thresh: f64,
    /// Where to look for an image whose path is absolute but leads nowhere.
    image_beside: Option<PathBuf>,
    /// The key that may have been meant as `origin`.
    origin_misspelling: Option<String>,
}

/// Reads a map: its YAML file and the image that it names.
///
/// # Errors
/// As [`load_map_with_max_cells`], with [`DEFAULT_MAX_CELLS`].
pub fn load_map(path: impl AsRef<Path>) -> Result<OccupancyGrid> {
    load_map_with_max_cells(path, DEFAULT_MAX_CELLS)
}

/// Reads a map of at most `max_cells` cells.
///
/// # Errors
/// As [`MapFile::read`] and [`MapFile::cells`]; or the YAML file has no `origin`.
pub fn load_map_with_max_cells(path: impl AsRef<Path>, max_cells: usize) -> Result<OccupancyGrid> {
    let file = MapFile::read(path)?;
    let Some(origin) = file.origin else {
        return Err(Error::MapKeyMissing {
            path: file.path,
            key: "origin",
            nearest: file.origin_misspelling,
        });
    };
    let (width, height, cells) = file.cells_with_max_cells(max_cells)?;
    let geometry = Geometry::with_max_cells(width, height, file.resolution, origin, max_cells)?;
    OccupancyGrid::new(geometry, cells)
}

impl MapFile {
    /// Reads and checks the YAML file alone.
    ///
    /// # Errors
    /// The file cannot be read, is an image or not YAML; `image` or `resolution` is missing; or a
    /// value makes no sense (a resolution that is not positive, a `free_thresh` over
    /// `occupied_thresh`, an unknown mode, a number that is not finite).
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = expand_home(path.as_ref());
        let bytes = read_file(&path)?;
        if map_image::looks_like_image(&bytes) {
            return Err(Error::MapIsImage { path });
        }
        let text = String::from_utf8(bytes).map_err(|error| Error::MapYaml {
            path: path.clone(),
            reason: error.to_string(),
        })?;
        let keys = MapKeys::parse(&text, &path)?;
        Self::from_keys(path, &keys)
    }

    fn from_keys(path: PathBuf, keys: &MapKeys) -> Result<Self> {
        let image = keys.text("image")?.ok_or_else(|| keys.missing("image"))?;
        if image.is_empty() {
            return Err(keys.wrong("image", "the path of an image"));
        }
        let image = expand_home(Path::new(&image));
        let image_beside = match image.file_name() {
            Some(name) if image.is_absolute() => Some(path.with_file_name(name)),
            _ => None,
        };
        // Joining an absolute path replaces the folder.
        let image = path.parent().unwrap_or(Path::new("")).join(image);

        let resolution = keys
            .number("resolution")?
            .ok_or_else(|| keys.missing("resolution"))?;
        if resolution <= 0.0 {
            return Err(keys.wrong("resolution", "over 0, in metres per cell"));
        }
        let mode = match keys.text("mode")?.map(|mode| mode.to_ascii_lowercase()) {
            None => MapMode::Trinary,
            Some(mode) => match mode.as_str() {
                "trinary" => MapMode::Trinary,
                "scale" => MapMode::Scale,
                "raw" => MapMode::Raw,
                _ => return Err(keys.wrong("mode", "trinary, scale or raw")),
            },
        };
        let negate = keys.or_default("negate", keys.flag("negate")?, false)?;
        let occupied_thresh = keys.or_default(
            "occupied_thresh",
            keys.number("occupied_thresh")?,
            DEFAULT_OCCUPIED_THRESH,
        )?;
        let free_thresh = keys.or_default(
            "free_thresh",
            keys.number("free_thresh")?,
            DEFAULT_FREE_THRESH,
        )?;
        if free_thresh > occupied_thresh {
            return Err(keys.wrong("free_thresh", "at most occupied_thresh"));
        }
        Ok(Self {
            image,
            image_beside,
            resolution,
            origin: keys.pose("origin")?,
            mode,
            negate,
            occupied_thresh,
            free_thresh,
            origin_misspelling: keys.misspelling_of("origin"),
            path,
        })
    }

    /// Width, height and row-major occupancies (-1 or 0..=100) of the image, row 0 at the bottom.
    ///
    /// # Errors
    /// As [`MapFile::cells_with_max_cells`], with [`DEFAULT_MAX_CELLS`].
    pub fn cells(&self) -> Result<(usize, usize, Vec<i8>)> {
        self.cells_with_max_cells(DEFAULT_MAX_CELLS)
    }

    /// As [`MapFile::cells`], for at most `max_cells` cells; larger images are refused before
    /// memory for their pixels is taken.
    ///
    /// # Errors
    /// The image does not exist or cannot be read, is of no accepted format, broken, cut off, empty
    /// or too large.
    pub fn cells_with_max_cells(&self, max_cells: usize) -> Result<(usize, usize, Vec<i8>)> {
        let path = self.find_image()?;
        let GreyImage {
            width,
            height,
            grey,
            alpha,
        } = GreyImage::decode(&read_file(&path)?, &path, max_cells)?;

        let occupancies: [i8; 256] = std::array::from_fn(|grey| self.occupancy(grey as u8));
        let mut cells = Vec::with_capacity(grey.len());
        for row in (0..height).rev() {
            let row = row * width..(row + 1) * width;
            let opaque = grey[row.clone()].iter().map(|&g| occupancies[g as usize]);
            match &alpha {
                None => cells.extend(opaque),
                Some(alpha) => cells.extend(
                    opaque
                        .zip(&alpha[row])
                        .map(|(cell, &alpha)| if alpha == 255 { cell } else { UNKNOWN }),
                ),
            }
        }
        Ok((width, height, cells))
    }

    /// The occupancy of an opaque pixel.
    ///
    /// Both thresholds belong to their sides, and free is decided last, as in Nav2: the two may be
    /// equal, and a pixel on both is free.
    fn occupancy(&self, grey: u8) -> i8 {
        if self.mode == MapMode::Raw {
            return i8::try_from(grey)
                .ok()
                .filter(|&value| value <= OCCUPIED)
                .unwrap_or(UNKNOWN);
        }
        // Dividing whole numbers last keeps greys exactly on a threshold on it.
        let darkness = f64::from(if self.negate { grey } else { 255 - grey }) / 255.0;
        if darkness <= self.free_thresh {
            FREE
        } else if darkness >= self.occupied_thresh {
            OCCUPIED
        } else if self.mode == MapMode::Scale {
            let share = (darkness - self.free_thresh) / (self.occupied_thresh - self.free_thresh);
            (share * f64::from(OCCUPIED)).round() as i8
        } else {
            UNKNOWN
        }
    }

    /// The image's path, or that of a file of the same name beside the YAML file where an absolute
    /// path leads nowhere: maps are copied between machines together with their images.
    fn find_image(&self) -> Result<PathBuf> {
        if self.image.exists() {
            return Ok(self.image.clone());
        }
        if let Some(beside) = self.image_beside.as_ref().filter(|path| path.exists()) {
            tracing::warn!(
                "{}: {} does not exist, taking {} beside the YAML file",
                self.path.display(),
                self.image.display(),
                beside.display()
            );
            return Ok(beside.clone());
        }
        Err(Error::MapImageMissing {
            image: self.image.clone(),
            yaml: self.path.clone(),
        })
    }
}

fn read_file(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|source| Error::Io {
        path: path.to_owned(),
        source,
    })
}

/// The path with a leading `~` replaced by the home folder, where there is one.
fn expand_home(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), std::env::home_dir()) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.to_owned(),
    }
}
