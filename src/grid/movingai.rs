//! The MovingAI benchmark formats: `.map` files and the `.scen` files that go with them (Sturtevant,
//! "Benchmarks for Grid-Based Pathfinding", 2012; <https://movingai.com/benchmarks/formats.html>).
//!
//! Text goes in, a [`Costmap`] of unit cells or a list of [`Scenario`]s comes out. The files count
//! rows from the top, we from the bottom: a file's row `r` becomes row `height - 1 - r`. Water is
//! blocked, swamp is free, as in the published path lengths, which are octile lengths without
//! corner cutting.

use std::fs;
use std::path::Path;

use super::{Cell, Cost, Costmap, DEFAULT_MAX_CELLS, Geometry, Pose2};
use crate::{Error, Result};

/// One row of a `.scen` file: a request and the length of its shortest path.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// Groups requests by length.
    pub bucket: u32,
    /// The map as the file names it; may carry a path that does not exist here.
    pub map: String,
    /// Where the path begins.
    pub start: Cell,
    /// Where the path ends.
    pub goal: Cell,
    /// Octile length of the shortest path in cells, as rounded by the file.
    pub optimal_length: f64,
}

/// Reads a `.map` file.
///
/// # Errors
/// As [`read_map_with_max_cells`], with [`DEFAULT_MAX_CELLS`].
pub fn read_map(path: &Path) -> Result<Costmap> {
    read_map_with_max_cells(path, DEFAULT_MAX_CELLS)
}

/// Reads a `.map` file of at most `max_cells` cells.
///
/// # Errors
/// [`Error::Io`] if it cannot be read, otherwise as [`parse_map`].
pub fn read_map_with_max_cells(path: &Path, max_cells: usize) -> Result<Costmap> {
    parse_map_with_max_cells(&read(path)?, path, max_cells)
}

/// Reads a `.scen` file.
///
/// # Errors
/// [`Error::Io`] if it cannot be read, otherwise as [`parse_scenarios`].
pub fn read_scenarios(path: &Path) -> Result<Vec<Scenario>> {
    parse_scenarios(&read(path)?, path)
}

/// A costmap from the text of a `.map` file: free and lethal cells of 1 m, origin at zero. `path`
/// only names the file in messages.
///
/// # Errors
/// [`Error::Line`] for what is not in the format, with the line; [`Error::EmptyGrid`] and
/// [`Error::TooManyCells`] for sizes that no grid may have.
pub fn parse_map(text: &str, path: &Path) -> Result<Costmap> {
    parse_map_with_max_cells(text, path, DEFAULT_MAX_CELLS)
}

fn parse_map_with_max_cells(text: &str, path: &Path, max_cells: usize) -> Result<Costmap> {
    let mut lines = Lines::new(text, path);
    lines.expect("type octile")?;
    // Published files give the height first; the format allows either order.
    let (mut width, mut height) = (None, None);
    for _ in 0..2 {
        let line = lines.next("height and width")?;
        match line.split_once(char::is_whitespace) {
            Some(("height", number)) if height.is_none() => height = Some(lines.parse(number)?),
            Some(("width", number)) if width.is_none() => width = Some(lines.parse(number)?),
            _ => return Err(lines.error("`height N` and `width N`, once each", line)),
        }
    }
    // Both are set: two lines, each a different one.
    let (width, height) = (width.unwrap_or(0), height.unwrap_or(0));
    let geometry = Geometry::with_max_cells(width, height, 1.0, Pose2::default(), max_cells)?;
    lines.expect("map")?;

    let mut map = Costmap::filled(geometry, Cost::LETHAL);
    for row in (0..height).rev() {
        let line = lines.next("a row of the map")?;
        if line.chars().count() != width {
            return Err(lines.error(&format!("{width} cells"), line));
        }
        for (col, terrain) in line.chars().enumerate() {
            let cost = match terrain {
                '.' | 'G' | 'S' => Cost::FREE,
                '@' | 'O' | 'T' | 'W' => Cost::LETHAL,
                _ => return Err(lines.error("only . G S @ O T W", line)),
            };
            map.set(Cell::new(row, col), cost);
        }
    }
    lines.expect_end()?;
    Ok(map)
}

/// The requests of a `.scen` file, in its order. `path` only names the file in messages.
///
/// Columns are bucket, map, width, height, start x, start y, goal x, goal y, optimal length,
/// separated by tabs or spaces.
///
/// # Errors
/// [`Error::Line`] for what is not in the format, with the line.
pub fn parse_scenarios(text: &str, path: &Path) -> Result<Vec<Scenario>> {
    let mut lines = Lines::new(text, path);
    let version = lines.next("version 1")?;
    let mut words = version.split_whitespace();
    let number = words.next_back().and_then(|word| word.parse::<f64>().ok());
    if words.next() != Some("version") || number != Some(1.0) {
        return Err(lines.error("`version 1`", version));
    }
    let mut scenarios = Vec::new();
    while let Some(line) = lines.next_if_any() {
        if !line.trim().is_empty() {
            scenarios.push(parse_scenario(line, &lines)?);
        }
    }
    Ok(scenarios)
}

fn parse_scenario(line: &str, lines: &Lines) -> Result<Scenario> {
    let columns: Vec<&str> = line.split_whitespace().collect();
    let &[
        bucket,
        map,
        width,
        height,
        start_x,
        start_y,
        goal_x,
        goal_y,
        length,
    ] = columns.as_slice()
    else {
        return Err(lines.error("nine columns", line));
    };
    let (width, height): (usize, usize) = (lines.parse(width)?, lines.parse(height)?);
    let cell = |x: &str, y: &str| {
        let (x, y): (usize, usize) = (lines.parse(x)?, lines.parse(y)?);
        if x >= width || y >= height {
            let wanted = format!("cells inside {width} x {height}");
            return Err(lines.error(&wanted, line));
        }
        Ok(Cell::new(height - 1 - y, x))
    };
    let optimal_length: f64 = lines.parse(length)?;
    if !(optimal_length.is_finite() && optimal_length >= 0.0) {
        return Err(lines.error("a length of 0 or more", length));
    }
    Ok(Scenario {
        bucket: lines.parse(bucket)?,
        map: map.to_owned(),
        start: cell(start_x, start_y)?,
        goal: cell(goal_x, goal_y)?,
        optimal_length,
    })
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|source| Error::Io {
        path: path.to_owned(),
        source,
    })
}

/// The lines of a file, either line end, with the number of the latest for messages.
struct Lines<'a> {
    ahead: std::str::Lines<'a>,
    path: &'a Path,
    number: usize,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str, path: &'a Path) -> Self {
        Self {
            ahead: text.lines(),
            path,
            number: 0,
        }
    }

    fn next_if_any(&mut self) -> Option<&'a str> {
        self.number += 1;
        self.ahead.next()
    }

    /// The next line, which must exist.
    fn next(&mut self, wanted: &str) -> Result<&'a str> {
        self.next_if_any()
            .ok_or_else(|| self.error(wanted, "the end of the file"))
    }

    /// Passes a line that must hold these words and nothing else.
    fn expect(&mut self, wanted: &str) -> Result<()> {
        let line = self.next(wanted)?;
        if line.split_whitespace().eq(wanted.split_whitespace()) {
            return Ok(());
        }
        Err(self.error(&format!("`{wanted}`"), line))
    }

    /// Only blank lines may follow.
    fn expect_end(&mut self) -> Result<()> {
        while let Some(line) = self.next_if_any() {
            if !line.trim().is_empty() {
                return Err(self.error("the end of the file", line));
            }
        }
        Ok(())
    }

    /// A number of the latest line.
    fn parse<T: std::str::FromStr>(&self, word: &str) -> Result<T> {
        let word = word.trim();
        word.parse().map_err(|_| self.error("a number", word))
    }

    fn error(&self, wanted: &str, found: &str) -> Error {
        /// Enough to find the place; rows of a map can be thousands long.
        const SHOWN: usize = 60;
        let mut shown: String = found.chars().take(SHOWN).collect();
        if shown.len() < found.len() {
            shown.push_str("...");
        }
        Error::Line {
            path: self.path.to_owned(),
            line: self.number,
            wanted: wanted.to_owned(),
            found: shown,
        }
    }
}
