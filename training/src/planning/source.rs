//! Where samples come from: generators, and recorded mazes or the user's own maps where the recipe
//! names them.

use super::own_maps::OwnMaps;
use super::recipe::{MazeRecipe, PlanningRecipe};
use super::sample::{Sample, draw_goal};
use crate::{Error, Result};
use hrm_planner::grid::generate::Kind;
use hrm_planner::grid::maze_hard::{Maze, read_mazes};
use hrm_planner::grid::{Cell, Cost, Costmap, Geometry};
use hrm_planner::search::Rules;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::path::PathBuf;
use std::sync::Arc;

/// The variable that names the folder of data files.
pub const DATA_VARIABLE: &str = "HRM_DATA";
/// The folder of data files where the variable is not set.
const DATA_DEFAULT: &str = "../shared/data";

/// Draws the samples of a recipe; cheap to clone.
#[derive(Debug, Clone)]
pub struct Source {
    recipe: PlanningRecipe,
    seed: u64,
    mazes: Arc<Vec<Maze>>,
    maps: Arc<OwnMaps>,
}

impl Source {
    /// The source of a recipe and the seed of all its maps, with its files read.
    ///
    /// # Errors
    /// A file that cannot be read, is not of its format, or holds nothing.
    pub fn open(recipe: &PlanningRecipe, seed: u64) -> Result<Self> {
        let mazes = match &recipe.data.mazes {
            Some(mazes) => {
                let path = data_file(&mazes.file);
                let read = read_mazes(&path).map_err(|e| Error::MazeFile {
                    path: path.clone(),
                    reason: e.to_string(),
                })?;
                if read.len() <= mazes.held_out {
                    let reason = format!(
                        "it holds {} mazes, of which {} are held out; none is left to train on",
                        read.len(),
                        mazes.held_out
                    );
                    return Err(Error::MazeFile { path, reason });
                }
                read
            }
            None => Vec::new(),
        };
        let maps = match &recipe.data.maps {
            Some(maps) => OwnMaps::read(&maps.folder, |_, _| ())?,
            None => OwnMaps::default(),
        };
        Ok(Self {
            recipe: recipe.clone(),
            seed,
            mazes: Arc::new(mazes),
            maps: Arc::new(maps),
        })
    }

    /// The recipe.
    pub fn recipe(&self) -> &PlanningRecipe {
        &self.recipe
    }

    /// The seed of all maps.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The recorded mazes that are kept for scores.
    pub fn held_out(&self) -> &[Maze] {
        &self.mazes[self.trained_on()..]
    }

    /// How many of the recorded mazes, from the first on, are trained on.
    fn trained_on(&self) -> usize {
        let held_out = self.recipe.data.mazes.as_ref().map_or(0, |m| m.held_out);
        self.mazes.len().saturating_sub(held_out)
    }

    /// The sample of this seed, as the recipe draws it once `progress` (0..1) of training is done.
    ///
    /// The same arguments give the same sample, which is how an interrupted run finds its samples
    /// again.
    pub fn draw(&self, seed: u64, progress: f64) -> Sample {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (data, moves) = (&self.recipe.data, self.recipe.model.moves);
        loop {
            let is_maze = data.mazes.as_ref().filter(|m| rng.random_bool(m.share));
            let is_own = data.maps.as_ref().filter(|m| rng.random_bool(m.share));
            let drawn = match (is_maze, is_own) {
                (Some(mazes), _) => self.recorded(mazes, progress, &mut rng),
                (None, Some(_)) => self.maps.draw(data, moves, progress, &mut rng),
                (None, None) => Sample::generated(data, moves, progress, &mut rng),
            };
            if let Some(sample) = drawn {
                return sample;
            }
        }
    }

    /// A recorded maze or a piece of one, turned and mirrored at random, with a goal at one of its
    /// own two ends or anywhere.
    fn recorded(&self, recipe: &MazeRecipe, progress: f64, rng: &mut ChaCha8Rng) -> Option<Sample> {
        let maze = &self.mazes[rng.random_range(0..self.trained_on())];
        let data = &self.recipe.data;
        let geometry = *maze.map.geometry();
        let longest = data.max_side_at(progress);
        let whole = longest >= geometry.height() && rng.random_bool(recipe.whole);
        let window = if whole {
            Window::all(&geometry)
        } else {
            Window::draw(&geometry, data.min_side, longest, rng)
        };
        let turn = Turn::draw(rng);
        let map = turn.map(&window, &maze.map)?;
        let own_goal = whole && rng.random_bool(0.5);
        let goal = if own_goal {
            let ends = [maze.start, maze.goal];
            turn.cell(&window, ends[usize::from(rng.random_bool(0.5))])
        } else {
            draw_goal(&map, rng)?
        };
        let rules = Rules::shortest().with_moves(self.recipe.model.moves);
        Sample::label(Kind::Maze, map, goal, rules, data.slack)
    }
}

/// Where a data file lies.
fn data_file(name: &str) -> PathBuf {
    let folder = std::env::var_os(DATA_VARIABLE).unwrap_or_else(|| DATA_DEFAULT.into());
    PathBuf::from(folder).join(name)
}

/// A rectangle of a map.
struct Window {
    row: usize,
    col: usize,
    height: usize,
    width: usize,
}

impl Window {
    fn all(geometry: &Geometry) -> Self {
        Self {
            row: 0,
            col: 0,
            height: geometry.height(),
            width: geometry.width(),
        }
    }

    fn draw(geometry: &Geometry, min: usize, max: usize, rng: &mut ChaCha8Rng) -> Self {
        let mut side = |of: usize| rng.random_range(min.min(of)..=max.min(of));
        let (height, width) = (side(geometry.height()), side(geometry.width()));
        Self {
            row: rng.random_range(0..=geometry.height() - height),
            col: rng.random_range(0..=geometry.width() - width),
            height,
            width,
        }
    }
}

/// One of the eight symmetries of a square.
struct Turn {
    flip_rows: bool,
    flip_cols: bool,
    transpose: bool,
}

impl Turn {
    fn draw(rng: &mut ChaCha8Rng) -> Self {
        let mut coin = || rng.random_bool(0.5);
        Self {
            flip_rows: coin(),
            flip_cols: coin(),
            transpose: coin(),
        }
    }

    /// Where a cell of the window comes to lie.
    fn cell(&self, window: &Window, cell: Cell) -> Cell {
        let (mut row, mut col) = (cell.row - window.row, cell.col - window.col);
        if self.flip_rows {
            row = window.height - 1 - row;
        }
        if self.flip_cols {
            col = window.width - 1 - col;
        }
        if self.transpose {
            Cell::new(col, row)
        } else {
            Cell::new(row, col)
        }
    }

    /// The window of a map, turned.
    fn map(&self, window: &Window, map: &Costmap) -> Option<Costmap> {
        let (height, width) = if self.transpose {
            (window.width, window.height)
        } else {
            (window.height, window.width)
        };
        let geometry = Geometry::unit(width, height).ok()?;
        let mut turned = Costmap::filled(geometry, Cost::FREE);
        for row in window.row..window.row + window.height {
            for col in window.col..window.col + window.width {
                let cell = Cell::new(row, col);
                turned.set(self.cell(window, cell), map.cost(cell));
            }
        }
        Some(turned)
    }
}
