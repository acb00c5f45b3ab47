//! The set `maze-hard` for the published sequence models, which answer a maze with a token for
//! each cell (arXiv 2506.21734): the same questions, and the same row of scores.
//!
//! The cells that an answer marks as its way are a plan if they lead from start to goal. Nothing
//! plans behind such a model, so that a row has no published plans.

use std::path::Path;
use std::time::Instant;

use super::case::{Asked, Score, Verdict};
use super::maze_hard::{chosen_mazes, likeness};
use super::{Judge, Progress, Row, memory};
use crate::Result;
use crate::grid::maze_hard::Maze;
use crate::grid::{Cell, Cost, Costmap, Geometry, Moves};
use crate::model::{Act, Answer, SequenceHrm, SequenceProblems, SequenceReadout, think};
use crate::search::{Field, Rules};

/// Tokens of the published data: 0 pads, then wall, free, start, goal, way.
const WALL: u32 = 1;
const FREE: u32 = 2;
const START: u32 = 3;
const GOAL: u32 = 4;
const WAY: u32 = 5;
/// Mazes that think together.
const BATCH: usize = 8;

impl Judge<'_> {
    /// Judges a sequence model on test mazes, as [`Judge::maze_hard`] does a grid model; `valid`
    /// answers mark one way from start to goal and nothing beside it.
    ///
    /// # Errors
    /// A file that cannot be read or is not in the format; a model that does not take these mazes.
    pub fn maze_tokens(
        &self,
        path: &Path,
        limit: usize,
        model: &SequenceHrm,
        act: &Act,
    ) -> Result<Vec<Row>> {
        let mazes = chosen_mazes(path, limit)?;
        memory::reset_peak();
        let mut verdicts = Vec::with_capacity(mazes.len());
        for batch in mazes.chunks(BATCH) {
            let begin = Instant::now();
            let answers = think(model, &problems(batch), act)?;
            let ms = begin.elapsed().as_secs_f64() * 1e3 / batch.len() as f64;
            for (maze, answer) in batch.iter().zip(&answers) {
                verdicts.push(verdict(maze, answer, ms)?);
            }
            self.progress(Progress {
                kind: "test",
                done: verdicts.len(),
                of: mazes.len(),
            });
        }
        Ok(vec![Row {
            final_reached: None,
            final_optimal: None,
            final_cost_ratio_mean: None,
            repaired: None,
            fallback: None,
            ..Row::of("maze-hard", "test", &verdicts, memory::peak_mib())
        }])
    }
}

/// The mazes as tokens, row by row from the top; none of them has an identifier of its own.
fn problems(mazes: &[Maze]) -> SequenceProblems {
    let token = |maze: &Maze, cell: Cell| match maze.map.cost(cell) {
        Cost::LETHAL => WALL,
        _ if cell == maze.start => START,
        _ if cell == maze.goal => GOAL,
        _ => FREE,
    };
    let tokens = mazes
        .iter()
        .flat_map(|maze| from_the_top(maze.map.geometry()).map(move |cell| token(maze, cell)));
    SequenceProblems {
        tokens: tokens.collect(),
        puzzles: vec![0; mazes.len()],
    }
}

/// The cells of a grid in the order of the data set.
fn from_the_top(geometry: &Geometry) -> impl Iterator<Item = Cell> + use<> {
    let (rows, cols) = (geometry.height(), geometry.width());
    (0..rows).flat_map(move |row| (0..cols).map(move |col| Cell::new(rows - 1 - row, col)))
}

fn verdict(maze: &Maze, answer: &Answer<SequenceReadout>, ms: f64) -> Result<Verdict> {
    let geometry = maze.map.geometry();
    let rules = Rules::shortest().with_moves(Moves::Four);
    let begin = Instant::now();
    let oracle_cost = Field::compute(&maze.map, maze.goal, &rules)?.cost_to_go(maze.start);
    let oracle_ms = begin.elapsed().as_secs_f64() * 1e3;

    // Where the answer says so, and where it is not asked: at start and goal.
    let mut marked = vec![false; geometry.cells()];
    for (cell, token) in from_the_top(geometry).zip(most_likely(&answer.readout)?) {
        marked[geometry.index(cell)] = token == WAY || cell == maze.start || cell == maze.goal;
    }
    let mut walked = Costmap::filled(*geometry, Cost::LETHAL);
    for (index, _) in marked.iter().enumerate().filter(|(_, marked)| **marked) {
        walked.set(geometry.cell(index), maze.map.costs()[index]);
    }
    let cost = Field::compute(&walked, maze.goal, &rules)?.cost_to_go(maze.start);
    let marks = marked.iter().filter(|&&marked| marked).count();
    let reached = cost.is_finite();
    // A way of n moves has n + 1 cells; one mark more, and it is not one way alone.
    let valid = reached && (marks as f64) < cost + 1.5;
    let score = Score {
        reached,
        valid,
        ratio: valid.then(|| cost / oracle_cost),
        stored: Some(likeness(&marked, &maze.way)),
    };
    Ok(Verdict {
        oracle_cost: Some(oracle_cost),
        oracle_ms,
        mismatch: None,
        asked: Asked {
            has_model: true,
            own: score,
            published: Score::default(),
            has_evaded: false,
            source: None,
            segments: answer.segments,
            ms,
        },
    })
}

/// The most likely token of every place.
fn most_likely(readout: &SequenceReadout) -> Result<Vec<u32>> {
    Ok(readout.logits.argmax(2)?.flatten_all()?.to_vec1()?)
}
