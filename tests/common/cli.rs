//! The real binary, run as a user would.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use candle_core::{Device, Tensor};
use hrm_planner::grid::Move;
use hrm_planner::model::{Checkpoint, GridHrmConfig, TrainingRecord};

use super::map_folder::Folder;

/// How a run of the program ended.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// The program with these arguments, without the user's environment.
pub fn command(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hrm-planner"));
    command.args(arguments);
    for variable in ["HRM_MODEL", "HRM_DATA", "RUST_LOG"] {
        command.env_remove(variable);
    }
    command
}

/// Runs the program.
pub fn hrm(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Run {
    Run::of(command(arguments).output().expect("the program starts"))
}

impl Run {
    pub fn of(output: Output) -> Self {
        let run = Self {
            code: output.status.code().expect("it ends by itself"),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        };
        assert!(!run.stderr.contains("panicked"), "{run:?}");
        run
    }

    /// The JSON object on standard output.
    pub fn json(&self) -> serde_json::Value {
        assert_eq!(
            self.stdout.lines().count(),
            1,
            "one object, one line: {self:?}"
        );
        serde_json::from_str(&self.stdout).expect("JSON")
    }

    /// Asserts the exit code and that standard error has, warnings apart, one line that says all
    /// of this.
    #[track_caller]
    pub fn fails(&self, code: i32, said: &[&str]) {
        assert_eq!(self.code, code, "{self:?}");
        let lines = self
            .stderr
            .lines()
            .filter(|line| !line.starts_with(" WARN"));
        let [line] = lines.collect::<Vec<_>>()[..] else {
            panic!("not one line: {self:?}");
        };
        for said in said {
            assert!(line.contains(said), "{said:?} is missing: {self:?}");
        }
    }
}

/// A path as an argument.
pub fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// Writes a map of 1 m cells, its lower left corner at (0, 0): '#' occupied, '.' free, '?' unknown,
/// the first line is the top row.
pub fn map(folder: &Folder, art: &str) -> PathBuf {
    let lines: Vec<&str> = art
        .lines()
        .map(str::trim)
        .filter(|l| !l.is_empty())
        .collect();
    let mut image = format!("P5 {} {} 255\n", lines[0].len(), lines.len()).into_bytes();
    image.extend(lines.iter().flat_map(|line| line.chars()).map(|c| match c {
        '#' => 0,
        '.' => 254,
        _ => 205,
    }));
    folder.write("map.pgm", image);
    let keys = "resolution: 1.0\norigin: [0, 0, 0]\nnegate: 0\noccupied_thresh: 0.65\n\
                free_thresh: 0.196\n";
    folder.yaml("map.pgm", keys)
}

/// The checkpoint of a model that moves in one direction wherever it can, and is sure of it.
pub fn one_way(direction: Move) -> Checkpoint {
    let config = GridHrmConfig {
        channels: 16,
        hidden: 16,
        h_blocks: 1,
        l_blocks: 1,
        h_cycles: 1,
        l_cycles: 1,
        ..GridHrmConfig::default()
    };
    let tensors: BTreeMap<String, Tensor> = config
        .tensors()
        .into_iter()
        .map(|(name, shape)| {
            let weight = |at: usize| match name.as_str() {
                "head.moves.bias" if at == direction.index() => 40.0,
                "head.halt.bias" if at == 0 => 1.0,
                _ => 0.0_f32,
            };
            let values: Vec<f32> = (0..shape.iter().product()).map(weight).collect();
            let tensor = Tensor::from_vec(values, shape, &Device::Cpu).expect("a tensor");
            (name, tensor)
        })
        .collect();
    Checkpoint {
        config: config.into(),
        training: TrainingRecord::default(),
        tensors,
    }
}

/// Where a node or a router can listen: a port of this host that nobody uses now.
pub fn free_endpoint() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    format!("tcp/{}", listener.expect("a free port"))
}
