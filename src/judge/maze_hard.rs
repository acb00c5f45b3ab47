//! The set `maze-hard`: 30 x 30 mazes with long ways (arXiv 2506.21734).

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use flate2::read::MultiGzDecoder;

use super::data_file::{read, spread};
use super::{Case, Judge, Row};
use crate::grid::{Cell, Cost, Costmap, Geometry};
use crate::{Error, Result};

/// Cells along each side.
const SIDE: usize = 30;

impl Judge<'_> {
    /// Judges test mazes: `limit` of them, evenly spread, or all for 0. `path` is the folder with
    /// `test.csv.gz`, or such a file.
    ///
    /// The data set moves in four directions. This planner moves in eight, without cutting
    /// corners, and is judged by that: by the oracle's octile paths. Its plans therefore cannot be
    /// the stored answers, and `exact` does not apply.
    ///
    /// # Errors
    /// A file that cannot be read or is not in the format.
    pub fn maze_hard(&self, path: &Path, limit: usize) -> Result<Vec<Row>> {
        let file = if path.is_dir() {
            path.join("test.csv.gz")
        } else {
            path.to_owned()
        };
        let mut text = String::new();
        MultiGzDecoder::new(read(&file)?.as_slice())
            .read_to_string(&mut text)
            .map_err(|error| wrong(&file, format!("not gzip-compressed text ({error})")))?;
        // The first line names the columns: source, question, answer, rating.
        let lines: Vec<(usize, &str)> = text.lines().enumerate().skip(1).collect();
        let chosen = spread(lines.len(), limit);
        let row = self.row("maze-hard", "test", chosen.len(), |number| {
            let (line, text) = lines[chosen[number]];
            let question = text.split(',').nth(1).unwrap_or("");
            let (map, start, goal) = maze(question)
                .ok_or_else(|| wrong(&file, format!("line {} holds no maze", line + 1)))?;
            Ok(Case {
                snapshot: Arc::new(self.grid_snapshot(map)?),
                start,
                goal,
                stored_length: None,
                ask: true,
            })
        })?;
        Ok(vec![row])
    }
}

/// The maze, start and goal of a question: 900 characters of `# SG`, row by row from the top.
fn maze(question: &str) -> Option<(Costmap, Cell, Cell)> {
    if question.len() != SIDE * SIDE {
        return None;
    }
    let geometry = Geometry::unit(SIDE, SIDE).ok()?;
    let mut map = Costmap::filled(geometry, Cost::FREE);
    let (mut start, mut goal) = (None, None);
    for (place, character) in question.bytes().enumerate() {
        let cell = Cell::new(SIDE - 1 - place / SIDE, place % SIDE);
        match character {
            b'#' => map.set(cell, Cost::LETHAL),
            b'S' => start = Some(cell),
            b'G' => goal = Some(cell),
            b' ' => {}
            _ => return None,
        }
    }
    Some((map, start?, goal?))
}

fn wrong(path: &Path, reason: String) -> Error {
    Error::DataSet {
        path: path.to_owned(),
        set: "maze-hard",
        reason,
    }
}
