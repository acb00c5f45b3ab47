//! The one error type of this crate. Messages say what is wrong, with the values, and what to do.

use std::path::PathBuf;

/// Everything that can go wrong in this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read or written.
    #[error("{path}: {source}; check that the file exists and may be accessed")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A grid's width or height is zero.
    #[error("the grid is {width} x {height} cells; both must be at least 1")]
    EmptyGrid {
        /// Cells along x.
        width: usize,
        /// Cells along y.
        height: usize,
    },
    /// The number of values differs from width x height.
    #[error("the grid has {actual} values, but {width} x {height} needs {expected}", expected = width * height)]
    DataLength {
        /// Cells along x.
        width: usize,
        /// Cells along y.
        height: usize,
        /// Values given.
        actual: usize,
    },
    /// The resolution is not a positive, finite number.
    #[error("the resolution is {resolution} m/cell; it must be a positive, finite number")]
    Resolution {
        /// Metres per cell.
        resolution: f64,
    },
    /// The origin is not finite.
    #[error("the origin is ({x}, {y}, {yaw}); all three must be finite")]
    Origin {
        /// Metres.
        x: f64,
        /// Metres.
        y: f64,
        /// Radians.
        yaw: f64,
    },
    /// The grid has more cells than allowed.
    #[error(
        "the grid has {cells} cells, over the limit of {max_cells}; raise max_cells or use a coarser map"
    )]
    TooManyCells {
        /// Cells of the grid.
        cells: usize,
        /// The limit.
        max_cells: usize,
    },
    /// A tensor operation failed.
    #[error("a tensor operation failed: {source}")]
    Tensor {
        /// What candle said.
        #[source]
        source: Box<candle_core::Error>,
    },
    /// A model cannot have this configuration.
    #[error("the model's `{key}` is {value}; it must be {must}")]
    ModelConfig {
        /// The key of the configuration.
        key: &'static str,
        /// Its value.
        value: usize,
        /// What is allowed.
        must: &'static str,
    },
    /// A model cannot have this configuration; the key is a real number.
    #[error("the model's `{key}` is {value}; it must be {must}")]
    ModelConfigNumber {
        /// The key of the configuration.
        key: &'static str,
        /// Its value.
        value: f64,
        /// What is allowed.
        must: &'static str,
    },
    /// A batch has too few or too many tokens for its problems.
    #[error(
        "the batch has {actual} tokens, but {problems} problems of {seq_len} tokens need {expected}; every problem must have exactly {seq_len}",
        expected = problems * seq_len
    )]
    TokenCount {
        /// Tokens given.
        actual: usize,
        /// Problems of the batch.
        problems: usize,
        /// Tokens of a problem, as the model has it.
        seq_len: usize,
    },
    /// A token is not in the model's vocabulary.
    #[error(
        "problem {problem} has token {token} at place {place}, but the model knows tokens below {vocab_size}; the data set is not the one the model was made for"
    )]
    UnknownToken {
        /// The problem, counted from 0.
        problem: usize,
        /// The token's place in it.
        place: usize,
        /// The token.
        token: u32,
        /// Tokens there are.
        vocab_size: usize,
    },
    /// A puzzle identifier has no embedding.
    #[error(
        "problem {problem} has puzzle identifier {identifier}, but the model knows identifiers below {known}; use 0 for puzzles without one"
    )]
    UnknownPuzzle {
        /// The problem, counted from 0.
        problem: usize,
        /// The identifier.
        identifier: u32,
        /// Rows of the model's table.
        known: usize,
    },
    /// A tensor is not there.
    #[error("tensor `{name}` is missing; the file does not hold this model")]
    MissingTensor {
        /// Its name.
        name: String,
    },
    /// A tensor is there that the model does not have.
    #[error("tensor `{name}` is not part of this model; the configuration does not fit the file")]
    ExtraTensor {
        /// Its name.
        name: String,
    },
    /// A tensor has another shape.
    #[error("tensor `{name}` is {actual:?}; this model needs {expected:?}")]
    TensorShape {
        /// Its name.
        name: String,
        /// As found.
        actual: Vec<usize>,
        /// As needed.
        expected: Vec<usize>,
    },
    /// A model of another family than the one that is needed.
    #[error(
        "the model is of family {family}, but this needs one of {wanted}; choose another model"
    )]
    ModelFamily {
        /// The model's family.
        family: &'static str,
        /// What is needed.
        wanted: &'static str,
    },
    /// No device has this name.
    #[error("{name:?} is no device; choose cpu, cuda or cuda:N, such as cuda:1")]
    UnknownDevice {
        /// As given.
        name: String,
    },
    /// The program was built without CUDA.
    #[error(
        "this build has no CUDA support; build with `--features cuda` (docs/cuda.md says how), or \
         use --device cpu"
    )]
    CudaNotBuilt,
    /// A CUDA device cannot be used.
    #[error(
        "no CUDA device {number} was found: {reason}; look at what `nvidia-smi` lists, or use \
         --device cpu"
    )]
    NoCudaDevice {
        /// Its number, counted from 0.
        number: usize,
        /// What the driver said.
        reason: String,
    },
    /// The program cannot begin anew with another number of threads.
    #[error(
        "the program cannot be started again with {threads} threads: {source}; start it with \
         RAYON_NUM_THREADS={threads} and CANDLE_NUM_THREADS=1 in its environment instead"
    )]
    Threads {
        /// As asked for.
        threads: usize,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A planner's model is on another device than its settings say.
    #[error(
        "the model is on {model}, but the planner's `device` is {planner}; load it with \
         Checkpoint::model_on(&device.open()?)"
    )]
    ModelDevice {
        /// Where the model is.
        model: String,
        /// What the settings say.
        planner: String,
    },
    /// A checkpoint file is not what it should be.
    #[error("{path}: {reason}; pass a model written by hrm-train")]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A file is not a checkpoint that can be imported.
    #[error("{path}: it cannot be imported: {reason}")]
    Import {
        /// The file.
        path: PathBuf,
        /// What is wrong or refused, and what to do.
        reason: String,
    },
    /// A file is not the configuration of a published model.
    #[error(
        "{path}: not the configuration of a published model: {reason}; pass the all_config.yaml that \
         lies beside the checkpoint"
    )]
    ImportConfig {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A published model of another kind than those that can be imported.
    #[error(
        "the configuration is of {name:?}; only models named hrm_act_v1@..., hrm@... and trm@... can \
         be imported"
    )]
    ImportFamily {
        /// The configuration's `arch.name`.
        name: String,
    },
    /// Neither the tensors' shapes nor a configuration tell what a model is made of.
    #[error(
        "the tensors' shapes do not tell {}; give {} in a YAML file with these keys under `arch`, \
         such as the all_config.yaml that lies beside a published checkpoint",
        list(keys),
        if keys.len() == 1 { "it" } else { "them" }
    )]
    ImportKeys {
        /// The keys of the configuration.
        keys: Vec<&'static str>,
    },
    /// The length of a model's sequences is not known.
    #[error(
        "nothing tells how many tokens a problem has, and no published data set has a vocabulary of \
         {vocabulary}; give the number (seq_len)"
    )]
    ImportLength {
        /// Rows of the token embedding.
        vocabulary: usize,
    },
    /// Tensors are not those that the configuration describes.
    #[error("{} tensors do not fit the configuration: {}", differences.len(), differences.join("; "))]
    ImportTensors {
        /// What is missing, too many or of another shape, one sentence each.
        differences: Vec<String>,
    },
    /// A value could not be written as JSON.
    #[error("a value cannot be written as JSON: {reason}")]
    Json {
        /// What serde said.
        reason: String,
    },
    /// The cost weight is outside its range.
    #[error("the cost weight is {cost_weight}; it must be within 0 to {max}")]
    CostWeight {
        /// As given.
        cost_weight: f64,
        /// The largest allowed.
        max: f64,
    },
    /// A cell is not one of the grid's.
    #[error("cell (row {row}, col {col}) is outside the grid of {width} x {height} cells")]
    CellOutside {
        /// As given.
        row: usize,
        /// As given.
        col: usize,
        /// Cells along x.
        width: usize,
        /// Cells along y.
        height: usize,
    },
    /// The goal is in a cell that may not be entered.
    #[error(
        "the goal, cell (row {row}, col {col}), has cost {cost} and is blocked; choose a free cell or, if it is unknown (255), allow unknown space"
    )]
    GoalBlocked {
        /// The goal.
        row: usize,
        /// The goal.
        col: usize,
        /// Its cost.
        cost: u8,
    },
    /// A segment of a model left off because it was time to stop.
    #[error("a segment left off: {stop}; what it would have computed is not known")]
    SegmentStopped {
        /// Why.
        stop: crate::search::Stop,
    },
    /// No kind of generated map has this name.
    #[error(
        "{name:?} is no kind of map; choose maze, random, rooms, warehouse, cave, boxes, office or \
         slices"
    )]
    UnknownMapKind {
        /// The name given.
        name: String,
    },
    /// A value outside the domain of `nav_msgs/OccupancyGrid`.
    #[error("cell {index} holds {value}; an occupancy is -1 (unknown) or 0..=100")]
    OccupancyValue {
        /// Row-major index of the cell.
        index: usize,
        /// The value.
        value: i8,
    },
    /// An update reaches outside the grid it is meant for.
    #[error(
        "the update covers columns {x}..{right} and rows {y}..{top}, but the grid has {grid_width} \
         x {grid_height} cells; it was made for another map",
        right = i64::from(*x) + i64::from(*width),
        top = i64::from(*y) + i64::from(*height)
    )]
    UpdateOutside {
        /// First column of the update.
        x: i32,
        /// First row of the update.
        y: i32,
        /// Columns of the update.
        width: u32,
        /// Rows of the update.
        height: u32,
        /// Cells of the grid along x.
        grid_width: usize,
        /// Cells of the grid along y.
        grid_height: usize,
    },
    /// A message's orientation is no rotation.
    #[error(
        "the origin's orientation ({x}, {y}, {z}, {w}) has norm {norm}; a rotation has norm 1 (no \
         turn is (0, 0, 0, 1))",
        norm = (x * x + y * y + z * z + w * w).sqrt()
    )]
    Quaternion {
        /// Component i.
        x: f64,
        /// Component j.
        y: f64,
        /// Component k.
        z: f64,
        /// Real part.
        w: f64,
    },
    /// A map's plane is not level.
    #[error("the origin is tilted by {tilt_rad} rad out of the plane; a map may only turn about z")]
    TiltedOrigin {
        /// Angle between the map's z axis and the frame's, radians.
        tilt_rad: f64,
    },
    /// A map's height above the frame is not finite.
    #[error("the origin's z is {z}; it must be finite (it is not used otherwise)")]
    OriginHeight {
        /// Metres.
        z: f64,
    },
    /// An inflation parameter is not a finite number of at least zero.
    #[error("{name} is {value}; it must be finite and at least 0")]
    Inflation {
        /// The parameter, with its unit.
        name: &'static str,
        /// Its value.
        value: f64,
    },
    /// A file is not the YAML of a map.
    #[error("{path}: not a map_server YAML file: {reason}")]
    MapYaml {
        /// The YAML file.
        path: PathBuf,
        /// What the parser said, with line and column.
        reason: String,
    },
    /// A key of a map's YAML file has a value that makes no sense.
    #[error("{path}: `{key}` is {value}; it must be {must}")]
    MapKey {
        /// The YAML file.
        path: PathBuf,
        /// The key.
        key: &'static str,
        /// Its value, as written.
        value: String,
        /// What it must be.
        must: &'static str,
    },
    /// A map's YAML file lacks a key.
    #[error(
        "{path}: `{key}` is missing{hint}",
        hint = nearest.as_ref().map_or_else(
            || "; add it".to_owned(),
            |near| format!("; is `{near}` a misspelling of it?")
        )
    )]
    MapKeyMissing {
        /// The YAML file.
        path: PathBuf,
        /// The key.
        key: &'static str,
        /// The most similar unknown key of the file, if any is similar.
        nearest: Option<String>,
    },
    /// An image was given where its YAML file is needed.
    #[error(
        "{path} is an image, which has no resolution or origin; pass the YAML file that names it"
    )]
    MapIsImage {
        /// The image.
        path: PathBuf,
    },
    /// The image that a map's YAML file names does not exist.
    #[error("{image}: no such image; `image` of {yaml} names it")]
    MapImageMissing {
        /// The image looked for.
        image: PathBuf,
        /// The YAML file.
        yaml: PathBuf,
    },
    /// An image's header or pixels break its format's rules.
    #[error("{path}: not a readable image: {reason}; accepted are PGM (P2, P5), PNG and BMP")]
    Image {
        /// The image.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// An image ends before its last pixel.
    #[error(
        "{path}: the image is cut off: its header promises {wanted} {unit} of pixels, {found} are \
         there"
    )]
    ImageTruncated {
        /// The image.
        path: PathBuf,
        /// What is counted: bytes, or numbers in a text file.
        unit: &'static str,
        /// Promised by the header.
        wanted: usize,
        /// Present in the file.
        found: usize,
    },
    /// A picture or an animation could not be written.
    #[error(
        "{path}: cannot write the picture: {source}; check that the folder exists and may be written to"
    )]
    WritePicture {
        /// The file.
        path: PathBuf,
        /// What the system or the encoder said.
        #[source]
        source: std::io::Error,
    },
    /// A frame of an animation has another size than the first one.
    #[error(
        "the frame is {width} x {height} pixels, but the animation's first frame is \
         {first_width} x {first_height}; draw all frames over one map with captions of equal height"
    )]
    FrameSize {
        /// Pixels of the frame.
        width: u32,
        /// Pixels of the frame.
        height: u32,
        /// Pixels of the first frame.
        first_width: u32,
        /// Pixels of the first frame.
        first_height: u32,
    },
    /// A line of a text file is not in its format.
    #[error(
        "{path}:{line}: expected {wanted}, found {found:?}; correct the file or fetch it again"
    )]
    Line {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What the format asks for.
        wanted: String,
        /// What the line says, shortened.
        found: String,
    },
    /// A configuration file is not what it should be.
    #[error("{path}: not a planner configuration: {reason}; configs/planner.yaml shows every key")]
    ConfigFile {
        /// The file.
        path: PathBuf,
        /// What the parser said, with line and column.
        reason: String,
    },
    /// A setting of the planner is outside its range.
    #[error("the planner's `{key}` is {value}; it must be {must}")]
    PlannerSetting {
        /// The key.
        key: &'static str,
        /// Its value.
        value: f64,
        /// What is allowed, with the unit.
        must: &'static str,
    },
    /// A robot's outline that is none.
    #[error(
        "the footprint is no outline: {reason}; give its corners in order, metres around base_link, such as \
         [[0.3, 0.2], [0.3, -0.2], [-0.3, -0.2], [-0.3, 0.2]], or [] for a round robot"
    )]
    Footprint {
        /// What is wrong.
        reason: String,
    },
    /// A generated map cannot have this side.
    #[error("a generated map has no side of {side} cells; choose {least} to {most}")]
    MapSide {
        /// As asked for, cells.
        side: usize,
        /// The shortest possible.
        least: usize,
        /// The longest possible.
        most: usize,
    },
    /// A file or folder is not the data set it should be.
    #[error("{path}: not the data set {set}: {reason}; pass the folder that holds it")]
    DataSet {
        /// The file or folder.
        path: PathBuf,
        /// The data set's name.
        set: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// A parameter of the node does not exist.
    #[error("there is no parameter `{name}`; configs/planner.yaml shows all of them")]
    UnknownParameter {
        /// As given.
        name: String,
    },
    /// A parameter of the node cannot have this value.
    #[error("the parameter `{name}` cannot be {value}: {reason}")]
    ParameterValue {
        /// The parameter.
        name: String,
        /// As given.
        value: String,
        /// What is wrong and what is allowed.
        reason: String,
    },
    /// A position is not finite.
    #[error("the position is ({x}, {y}, {z}); all three numbers must be finite")]
    Position {
        /// Metres.
        x: f64,
        /// Metres.
        y: f64,
        /// Metres.
        z: f64,
    },
    /// A transform's frames make no tree.
    #[error(
        "a transform from `{child}` to `{parent}`: both frames need a name, and not the same one"
    )]
    TransformFrames {
        /// As given.
        parent: String,
        /// As given.
        child: String,
    },
    /// There are more frames than any robot has.
    #[error("there are {frames} frames already; look for a publisher that makes up names")]
    TooManyFrames {
        /// How many are kept at most.
        frames: usize,
    },
    /// A frame that no transform speaks of.
    #[error(
        "no transform speaks of the frame `{frame}` (known: {known}); check its name, and that its \
         publisher runs"
    )]
    UnknownFrame {
        /// As asked for.
        frame: String,
        /// The frames there are.
        known: String,
    },
    /// Two frames are not parts of one tree.
    #[error(
        "no chain of transforms joins `{source_frame}` and `{target}`; check that localisation runs"
    )]
    UnconnectedFrames {
        /// Where the transform should lead to.
        target: String,
        /// Where it should come from.
        source_frame: String,
    },
    /// A transform is not known at the time asked for.
    #[error(
        "the transform from `{source_frame}` to `{target}` is known from {oldest_s:.3} to \
         {newest_s:.3} s, not at {asked_s:.3} s; check the clocks, use_sim_time and \
         transform_tolerance"
    )]
    TransformTime {
        /// Where the transform should lead to.
        target: String,
        /// Where it should come from.
        source_frame: String,
        /// Seconds of the clock in use.
        asked_s: f64,
        /// Seconds.
        oldest_s: f64,
        /// Seconds.
        newest_s: f64,
    },
    /// A robot's transform is too old to plan from.
    #[error(
        "the newest transform from `{frame}` to the map is {age_s:.3} s old, over \
         transform_tolerance = {tolerance_s} s; check that localisation runs, and the clocks"
    )]
    TransformAge {
        /// The robot's frame.
        frame: String,
        /// Seconds.
        age_s: f64,
        /// Seconds.
        tolerance_s: f64,
    },
    /// The middleware refused something.
    #[error("{what}: {reason}")]
    Middleware {
        /// What was to be done.
        what: String,
        /// What the middleware said.
        reason: String,
    },
    /// A name that ROS does not take.
    #[error(
        "`{name}` is no name of a node, topic or service; use letters, digits and `_`, with `/` between parts \
         that begin with a letter"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// The ROS domain is no number.
    #[error("ROS_DOMAIN_ID is `{text}`; it must be a number such as 0")]
    Domain {
        /// What it is.
        text: String,
    },
    /// Nobody is where a client is to connect to.
    #[error(
        "nobody is at {endpoints} ({reason}); start a planner (hrm-planner serve) or a Zenoh router there, or \
         name another place (--connect)"
    )]
    Unreachable {
        /// Where.
        endpoints: String,
        /// What Zenoh said.
        reason: String,
    },
    /// Nobody answered a request.
    #[error(
        "nobody answered `{name}`; see that a planner runs (hrm-planner serve) on the same network and \
         ROS_DOMAIN_ID, and under the same namespace"
    )]
    NoAnswer {
        /// The service that was asked.
        name: String,
    },
    /// A node did not take a goal in.
    #[error("`{name}` rejected the goal: the node is not active; activate it, then ask again")]
    GoalRejected {
        /// The service that was asked.
        name: String,
    },
    /// Bytes that are not the message they should be.
    #[error("{reason}")]
    Payload {
        /// What is wrong.
        reason: String,
    },
    /// A point cloud's bytes are not laid out as it says.
    #[error("the point cloud cannot be read: {reason}; check its driver")]
    PointCloud {
        /// What is wrong.
        reason: String,
    },
}

/// A result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// Names in a sentence.
fn list(names: &[&str]) -> String {
    format!("`{}`", names.join("`, `"))
}

impl From<candle_core::Error> for Error {
    fn from(source: candle_core::Error) -> Self {
        Error::Tensor {
            source: Box::new(source),
        }
    }
}
