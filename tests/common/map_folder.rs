//! Maps written into a temporary folder.

use std::fs;
use std::path::PathBuf;

use hrm_planner::grid::{OccupancyGrid, load_map};
use image::{DynamicImage, ImageFormat};
use tempfile::TempDir;

/// Every key of a map but `image`.
pub const KEYS: &str = "resolution: 0.05\norigin: [1.0, -2.0, 0.5]\nnegate: 0\noccupied_thresh: 0.65\n\
                    free_thresh: 0.196\n";

/// A folder with one map in it.
pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).expect("a file in a temporary folder");
        path
    }

    pub fn yaml(&self, image: &str, keys: &str) -> PathBuf {
        self.write("map.yaml", format!("image: {image}\n{keys}"))
    }

    /// The map of an image file's bytes under `KEYS` and `more`.
    pub fn load_image(
        &self,
        bytes: impl AsRef<[u8]>,
        more: &str,
    ) -> hrm_planner::Result<OccupancyGrid> {
        self.write("map.image", bytes);
        load_map(self.yaml("map.image", &format!("{KEYS}{more}")))
    }
}

/// An image file's bytes.
pub fn encoded(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image
        .into()
        .write_to(&mut bytes, format)
        .expect("encoding to memory");
    bytes.into_inner()
}
