//! Writes maps as `map_server` stores them: a YAML file and, beside it, a greymap.
//!
//! What is written reads back to the same grid, cell for cell, with this crate and with Nav2.

use std::fs;
use std::path::Path;

use super::occupancy::{FREE, OCCUPIED, UNKNOWN};
use super::{OccupancyGrid, pgm};
use crate::{Error, Result};

/// Greys of a trinary map, those of ROS's map savers.
const FREE_GREY: u8 = 254;
const UNKNOWN_GREY: u8 = 205;
const OCCUPIED_GREY: u8 = 0;

/// `free_thresh` of the files written: ROS 1's. Grey 205 is a darkness of 0.19608, just over it;
/// under Nav2's own 0.25 the unknown cells that its saver writes in trinary mode read as free.
const FREE_THRESH: f64 = 0.196;
const OCCUPIED_THRESH: f64 = 0.65;

/// Writes `path`, a YAML file, and a PGM image of the same name beside it. Both are overwritten.
///
/// A grid of only free, occupied and unknown cells is written in trinary mode. Other occupancies
/// need raw mode, where the grey is the occupancy.
///
/// # Errors
/// `path` ends in `.pgm`, where the image would overwrite the YAML file, or a file cannot be
/// written.
pub fn save_map(grid: &OccupancyGrid, path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    let image = path.with_extension("pgm");
    let Some(image_name) = image.file_name().filter(|_| image != path) else {
        return Err(Error::MapIsImage {
            path: path.to_owned(),
        });
    };
    let trinary = grid.counts().other == 0;
    let (mode, grey): (_, fn(i8) -> u8) = if trinary {
        ("trinary", trinary_grey)
    } else {
        ("raw", raw_grey)
    };
    let origin = grid.geometry().origin();
    let yaml = format!(
        "image: {image}\nmode: {mode}\nresolution: {resolution:?}\norigin: [{x:?}, {y:?}, \
         {yaw:?}]\nnegate: 0\noccupied_thresh: {OCCUPIED_THRESH}\nfree_thresh: {FREE_THRESH}\n",
        // A JSON string is a YAML string, whatever the name contains.
        image = serde_json::Value::from(image_name.to_string_lossy()),
        resolution = grid.geometry().resolution(),
        x = origin.x,
        y = origin.y,
        yaw = origin.yaw,
    );
    let rows = grid.data().chunks_exact(grid.geometry().width()).rev();
    let pixels = rows.flatten().map(|&occupancy| grey(occupancy));
    // The image first: a YAML file never names one that is not there.
    write_file(&image, &pgm::encode(grid.geometry(), pixels))?;
    write_file(path, yaml.as_bytes())
}

fn trinary_grey(occupancy: i8) -> u8 {
    match occupancy {
        FREE => FREE_GREY,
        OCCUPIED => OCCUPIED_GREY,
        _ => UNKNOWN_GREY,
    }
}

fn raw_grey(occupancy: i8) -> u8 {
    // -1 becomes 255, which raw mode reads as unknown.
    debug_assert!((UNKNOWN..=OCCUPIED).contains(&occupancy));
    occupancy as u8
}

fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).map_err(|source| Error::Io {
        path: path.to_owned(),
        source,
    })
}
