//! The one error type of this crate.

use std::path::PathBuf;

/// Everything that can go wrong in training.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An error of the planner library.
    #[error(transparent)]
    Planner(#[from] hrm_planner::Error),
    /// A tensor operation failed.
    #[error("a tensor operation failed: {0}")]
    Tensor(#[from] candle_core::Error),
    /// A file could not be read or written.
    #[error("{path}: {source}; check that the file exists and may be accessed")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A recipe cannot be read.
    #[error("{path}: {reason}")]
    Recipe {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the line.
        reason: String,
    },
    /// A file of recorded mazes cannot be used.
    #[error(
        "{path}: {reason}; set HRM_DATA to the folder that holds the recipe's `data.mazes.file`"
    )]
    MazeFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A folder of the user's own maps has none.
    #[error(
        "{folder}: no map in it can be trained on; `hrm-train data FOLDER` says of each file why",
        folder = folder.display()
    )]
    NoOwnMaps {
        /// The folder.
        folder: PathBuf,
    },
    /// A recipe has no maps.
    #[error(
        "recipe `{recipe}` trains on token problems, not on maps; pass a recipe of the grid family"
    )]
    NoMaps {
        /// Its name.
        recipe: String,
    },
    /// A recipe has no token problems.
    #[error(
        "recipe `{recipe}` trains on maps, not on token problems; pass a recipe of the family hrm or \
         trm"
    )]
    NoBoards {
        /// Its name.
        recipe: String,
    },
    /// A model to begin with is of another shape than the recipe's.
    #[error(
        "the model to begin with is not of the recipe's shape; give both the same [model], which \
         `hrm-planner info` shows of a file"
    )]
    OtherModel,
    /// A recipe's value is outside its range.
    #[error("the recipe's `{key}` is {value}; it must be {must}")]
    RecipeValue {
        /// Section and key.
        key: String,
        /// As given.
        value: String,
        /// What is allowed.
        must: &'static str,
    },
    /// The state of a run cannot be read.
    #[error("{path}: {reason}; start the run again with `hrm-train run`")]
    State {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The loss is no number any more.
    #[error(
        "the loss is {loss} at step {step}; the checkpoint of an earlier step is kept, lower the learning rate"
    )]
    Diverged {
        /// The optimiser step.
        step: u64,
        /// The loss.
        loss: f64,
    },
    /// The gradient is no number any more.
    #[error(
        "the gradient's norm is {norm} at step {step}; the checkpoint of an earlier step is kept, lower the learning rate"
    )]
    GradientDiverged {
        /// The optimiser step.
        step: u64,
        /// The norm.
        norm: f64,
    },
    /// A weight is no number any more.
    #[error(
        "weight `{name}` is not finite after step {step}; the checkpoint of an earlier step is kept, lower the learning rate"
    )]
    WeightsDiverged {
        /// The tensor.
        name: String,
        /// The optimiser step.
        step: u64,
    },
    /// A batch of token sequences does not fit the one under way.
    #[error(
        "the batch has {problems} problems and {labels} labels; it must have {wanted} problems, as the one under way, and {wanted_labels} labels, one per token"
    )]
    BatchLength {
        /// Problems given.
        problems: usize,
        /// Labels given.
        labels: usize,
        /// Problems needed.
        wanted: usize,
        /// Labels needed.
        wanted_labels: usize,
    },
    /// No recipe has this name.
    #[error(
        "no recipe `{name}`{}; pass the path of a TOML file or a name from configs/recipes: {known}",
        nearest.as_ref().map_or_else(String::new, |near| format!(", did you mean `{near}`?")),
        known = if known.is_empty() { "none here".to_owned() } else { known.join(", ") },
    )]
    NoRecipe {
        /// As given.
        name: String,
        /// The most similar known name, if any is similar.
        nearest: Option<String>,
        /// The names there are.
        known: Vec<String>,
    },
    /// A folder already holds a run.
    #[error(
        "{path} already holds a run; go on with `hrm-train resume {path}` or choose another folder with --out"
    )]
    RunExists {
        /// The folder.
        path: PathBuf,
    },
    /// A folder holds no run.
    #[error("{path} holds no run (no {missing}); pass a folder made by `hrm-train run`")]
    NoRun {
        /// The folder.
        path: PathBuf,
        /// The file that is missing.
        missing: &'static str,
    },
    /// A table of a run cannot be read or written.
    #[error("{path}: {reason}; move the file away to go on without its rows")]
    Table {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The gradient of rows looked up in a table has another shape than the rows.
    #[error(
        "a gradient of shape {found:?} for {ids} rows of {width}; pass the gradient of the rows looked up, ({ids}, {width})"
    )]
    RowGradient {
        /// Its shape.
        found: Vec<usize>,
        /// Rows looked up.
        ids: usize,
        /// Numbers per row.
        width: usize,
    },
    /// A table has no row of this number.
    #[error("row {id} of a table of {rows}; rows are counted from 0")]
    NoSuchRow {
        /// As given.
        id: u32,
        /// Rows of the table.
        rows: usize,
    },
    /// A text is no Sudoku board.
    #[error("a Sudoku board of {cells} cells; write its 81 cells row by row, `.` or 0 for a blank")]
    SudokuLength {
        /// Characters or tokens given.
        cells: usize,
    },
    /// A cell of a Sudoku board holds something else than a digit.
    #[error(
        "{found} in row {row}, column {column} of a Sudoku board; a cell is 1 to 9, or `.` or 0 for a blank"
    )]
    SudokuCell {
        /// The row, from 1.
        row: usize,
        /// The column, from 1.
        column: usize,
        /// What it holds.
        found: String,
    },
    /// No Sudoku board has so few or so many clues.
    #[error("{min} to {max} clues of a Sudoku; choose a range within 17 to 80")]
    SudokuClues {
        /// The fewest wanted.
        min: usize,
        /// The most wanted.
        max: usize,
    },
    /// A wanted kind of Sudoku board is too rare.
    #[error(
        "no Sudoku with at most {max_clues} clues and at least {min_backtracks} backtracks among {attempts}; allow more clues or fewer backtracks"
    )]
    SudokuRare {
        /// The most clues wanted.
        max_clues: usize,
        /// The fewest backtracks wanted.
        min_backtracks: u64,
        /// Boards that were made.
        attempts: u32,
    },
    /// The signals of the system cannot be listened to.
    #[error("Ctrl-C cannot be handled: {reason}")]
    Signals {
        /// What the system said.
        reason: String,
    },
}

impl Error {
    /// Whether what was passed in is wrong, as opposed to something that failed on the way.
    pub fn is_bad_input(&self) -> bool {
        matches!(
            self,
            Self::Recipe { .. }
                | Self::Io { .. }
                | Self::RecipeValue { .. }
                | Self::NoMaps { .. }
                | Self::NoOwnMaps { .. }
                | Self::NoBoards { .. }
                | Self::State { .. }
                | Self::NoRecipe { .. }
                | Self::RunExists { .. }
                | Self::NoRun { .. }
                | Self::Table { .. }
                | Self::SudokuLength { .. }
                | Self::SudokuCell { .. }
                | Self::SudokuClues { .. }
                | Self::SudokuRare { .. }
                | Self::Planner(
                    hrm_planner::Error::ModelConfig { .. }
                        | hrm_planner::Error::Io { .. }
                        | hrm_planner::Error::Checkpoint { .. }
                        | hrm_planner::Error::MissingTensor { .. }
                        | hrm_planner::Error::ExtraTensor { .. }
                        | hrm_planner::Error::TensorShape { .. }
                        | hrm_planner::Error::UnknownDevice { .. }
                        | hrm_planner::Error::CudaNotBuilt
                        | hrm_planner::Error::NoCudaDevice { .. }
                        | hrm_planner::Error::MapSide { .. }
                        | hrm_planner::Error::WritePicture { .. }
                )
        )
    }
}

/// A result with this crate's [`enum@Error`].
pub type Result<T> = std::result::Result<T, Error>;
