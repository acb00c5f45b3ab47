//! The set `maze-hard`: 30 x 30 mazes with long ways (arXiv 2506.21734).

use std::path::Path;
use std::sync::Arc;

use super::data_file::spread;
use super::{Case, Judge, Row};
use crate::Result;
use crate::grid::Moves;
use crate::grid::maze_hard::read_mazes;

impl Judge<'_> {
    /// Judges test mazes: `limit` of them, evenly spread, or all for 0. `path` is the folder with
    /// `test.csv.gz`, or such a file.
    ///
    /// The data set makes four moves. Models that were made for all eight are judged by the
    /// oracle's octile paths instead, and their plans cannot be the stored answers.
    ///
    /// # Errors
    /// A file that cannot be read or is not in the format.
    pub fn maze_hard(&self, path: &Path, limit: usize) -> Result<Vec<Row>> {
        let file = if path.is_dir() {
            path.join("test.csv.gz")
        } else {
            path.to_owned()
        };
        let moves = self.moves();
        let mazes = read_mazes(&file)?;
        let chosen = spread(mazes.len(), limit);
        let row = self.row("maze-hard", "test", chosen.len(), |number| {
            let maze = &mazes[chosen[number]];
            Ok(Case {
                snapshot: Arc::new(self.grid_snapshot(maze.map.clone(), moves)?),
                start: maze.start,
                goal: maze.goal,
                stored_length: None,
                stored_way: (moves == Moves::Four).then(|| maze.way.clone()),
                ask: true,
            })
        })?;
        Ok(vec![row])
    }

    /// The moves that the model was made for; without a model those of the data set.
    fn moves(&self) -> Moves {
        let model = self.model.as_ref();
        model.map_or(Moves::Four, |named| named.model.config().moves)
    }
}
