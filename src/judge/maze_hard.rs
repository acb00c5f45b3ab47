//! The set `maze-hard`: 30 x 30 mazes with long ways (arXiv 2506.21734).

use std::path::Path;
use std::sync::Arc;

use super::case::Likeness;
use super::data_file::spread;
use super::{Case, Judge, Row};
use crate::Result;
use crate::grid::Moves;
use crate::grid::maze_hard::{Maze, read_mazes};

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
        let moves = self.moves();
        let mazes = chosen_mazes(path, limit)?;
        let row = self.row("maze-hard", "test", mazes.len(), |number| {
            let maze = &mazes[number];
            Ok(Case {
                snapshot: Arc::new(self.grid_snapshot(maze.map.clone(), moves)?),
                start: maze.start,
                goal: maze.goal,
                stored_length: None,
                stored_way: (moves == Moves::Four).then(|| maze.way.clone()),
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

/// The mazes that are judged, see [`Judge::maze_hard`].
pub(super) fn chosen_mazes(path: &Path, limit: usize) -> Result<Vec<Maze>> {
    let file = if path.is_dir() {
        path.join("test.csv.gz")
    } else {
        path.to_owned()
    };
    let mazes = read_mazes(&file)?;
    let chosen = spread(mazes.len(), limit);
    Ok(chosen.into_iter().map(|n| mazes[n].clone()).collect())
}

/// How the cells of an answer compare with a stored way.
pub(super) fn likeness(own: &[bool], way: &[bool]) -> Likeness {
    let agreeing = own.iter().zip(way).filter(|(own, way)| own == way).count();
    Likeness {
        exact: agreeing == way.len(),
        tokens: agreeing as f64 / way.len().max(1) as f64,
    }
}
