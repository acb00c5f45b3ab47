//! Map files of either format: `map_server` YAML and MovingAI `.map`.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use hrm_planner::grid::{CostRule, Costmap, load_map_with_max_cells, movingai};
use hrm_planner::{Error, Result};

/// What a file is, told from its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A MovingAI map.
    MovingAi,
    /// A model: a safetensors file.
    Model,
    /// Anything else: if it is a map, one of `map_server`.
    MapServer,
}

impl FileKind {
    /// The kind of a file.
    ///
    /// # Errors
    /// [`Error::Io`], if it cannot be read.
    pub fn of(path: &Path) -> Result<Self> {
        let io = |source| Error::Io {
            path: path.to_owned(),
            source,
        };
        let mut first = Vec::new();
        let file = File::open(path).map_err(io)?;
        file.take(16).read_to_end(&mut first).map_err(io)?;
        Ok(match first.as_slice() {
            [b't', b'y', b'p', b'e', white, ..] if white.is_ascii_whitespace() => Self::MovingAi,
            // The length of the JSON header in eight bytes, then the header.
            [_, _, _, _, _, _, 0, 0, b'{', ..] => Self::Model,
            _ if path.extension().is_some_and(|e| e == "safetensors") => Self::Model,
            _ => Self::MapServer,
        })
    }
}

/// The costs of a map of at most `max_cells` cells, of either format, not inflated.
///
/// # Errors
/// The file is no map, a broken one, or one of too many cells.
pub fn load(path: &Path, max_cells: usize) -> Result<Costmap> {
    if FileKind::of(path)? == FileKind::MovingAi {
        return movingai::read_map_with_max_cells(path, max_cells);
    }
    Ok(load_map_with_max_cells(path, max_cells)?.to_costmap(CostRule::default()))
}
