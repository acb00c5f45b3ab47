//! The set `maze-hard`: 30 x 30 mazes with long ways (arXiv 2506.21734).

use std::path::Path;
use std::sync::Arc;

use super::data_file::spread;
use super::{Case, Judge, Row};
use crate::Result;
use crate::grid::maze_hard::read_mazes;

impl Judge<'_> {
    /// Judges test mazes: `limit` of them, evenly spread, or all for 0. `path` is the folder with
    /// `test.csv.gz`, or such a file.
    ///
    /// The data set moves in four directions, and the planner with it if `moves` is 4 in its
    /// settings. With 8 it is judged by the oracle's octile paths, and its plans cannot be the
    /// stored answers.
    ///
    /// # Errors
    /// A file that cannot be read or is not in the format.
    pub fn maze_hard(&self, path: &Path, limit: usize) -> Result<Vec<Row>> {
        let file = if path.is_dir() {
            path.join("test.csv.gz")
        } else {
            path.to_owned()
        };
        let mazes = read_mazes(&file)?;
        let chosen = spread(mazes.len(), limit);
        let row = self.row("maze-hard", "test", chosen.len(), |number| {
            let maze = &mazes[chosen[number]];
            Ok(Case {
                snapshot: Arc::new(self.grid_snapshot(maze.map.clone())?),
                start: maze.start,
                goal: maze.goal,
                stored_length: None,
                ask: true,
            })
        })?;
        Ok(vec![row])
    }
}
