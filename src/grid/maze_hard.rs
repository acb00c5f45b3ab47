//! Files of recorded mazes, as the data set maze-30x30-hard-1k has them (arXiv 2506.21734).
//!
//! A file is gzip-compressed CSV with the columns source, question, answer, rating; each question
//! and answer is 900 characters of `# SGo` (wall, free, start, goal, way), row by row from the top.
//! Moves are the four straight ones.

use std::io::Read;
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::{Cell, Cost, Costmap, Geometry};
use crate::{Error, Result};

/// Cells along each side of a maze.
pub const SIDE: usize = 30;

/// The largest text that is read from a file: some fifty thousand mazes.
const MAX_BYTES: u64 = 100 << 20;

/// A recorded maze.
#[derive(Debug, Clone, PartialEq)]
pub struct Maze {
    /// Walls are lethal, all else is free.
    pub map: Costmap,
    /// Where its way begins.
    pub start: Cell,
    /// Where it ends.
    pub goal: Cell,
    /// The stored way as a set of cells, row-major, start and goal included; it is one of many
    /// shortest ones.
    pub way: Vec<bool>,
}

/// All mazes of a file.
///
/// # Errors
/// [`Error::Io`]; [`Error::DataSet`] for a file that is not of this format, with the line.
pub fn read_mazes(path: &Path) -> Result<Vec<Maze>> {
    let bytes = std::fs::read(path).map_err(|source| Error::Io {
        path: path.to_owned(),
        source,
    })?;
    let wrong = |reason: String| Error::DataSet {
        path: path.to_owned(),
        set: "maze-hard",
        reason,
    };
    let mut text = String::new();
    MultiGzDecoder::new(bytes.as_slice())
        .take(MAX_BYTES)
        .read_to_string(&mut text)
        .map_err(|error| wrong(format!("not gzip-compressed text ({error})")))?;
    // The first line names the columns.
    let lines = text.lines().enumerate().skip(1);
    lines
        .map(|(line, text)| {
            parse(text).ok_or_else(|| wrong(format!("line {} holds no maze", line + 1)))
        })
        .collect()
}

fn parse(line: &str) -> Option<Maze> {
    let mut columns = line.split(',').skip(1);
    let (question, answer) = (columns.next()?, columns.next()?);
    if question.len() != SIDE * SIDE || answer.len() != SIDE * SIDE {
        return None;
    }
    let geometry = Geometry::unit(SIDE, SIDE).ok()?;
    let mut map = Costmap::filled(geometry, Cost::FREE);
    let mut way = vec![false; SIDE * SIDE];
    let (mut start, mut goal) = (None, None);
    for (place, (asked, answered)) in question.bytes().zip(answer.bytes()).enumerate() {
        let cell = Cell::new(SIDE - 1 - place / SIDE, place % SIDE);
        match asked {
            b'#' => map.set(cell, Cost::LETHAL),
            b'S' => start = Some(cell),
            b'G' => goal = Some(cell),
            b' ' => {}
            _ => return None,
        }
        way[geometry.index(cell)] = matches!(answered, b'o' | b'S' | b'G');
    }
    Some(Maze {
        map,
        start: start?,
        goal: goal?,
        way,
    })
}
