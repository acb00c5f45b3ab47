//! What several test files need: maps from text art, and the folder of real data.

// Each test file is a crate of its own and uses only some of these.
#![allow(dead_code)]

pub mod cli;
pub mod corridor;
pub mod map_folder;
pub mod planning;
pub mod random_model;
pub mod robot;
pub mod torch_file;
pub mod toy_model;

use std::path::{Path, PathBuf};

use hrm_planner::grid::{Cost, Costmap, Geometry};

/// A costmap of unit cells: '#' lethal, '.' free, '?' unknown; the first line is the top row.
pub fn costmap(art: &str) -> Costmap {
    let lines: Vec<&str> = art
        .lines()
        .map(str::trim)
        .filter(|l| !l.is_empty())
        .collect();
    let geometry = Geometry::unit(lines[0].len(), lines.len()).expect("art is not empty");
    let costs = lines.iter().rev().flat_map(|line| line.chars());
    let costs = costs.map(|c| match c {
        '#' => Cost::LETHAL,
        '.' => Cost::FREE,
        '?' => Cost::UNKNOWN,
        _ => panic!("text art has no '{c}'"),
    });
    Costmap::new(geometry, costs.collect()).expect("all lines of art are equally long")
}

/// The folder of real maps and data sets: `HRM_DATA`, or `../shared/data` beside this project.
pub fn data_dir() -> PathBuf {
    match std::env::var_os("HRM_DATA") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"),
    }
}

/// A folder or file of the real data; says that the test is skipped where it is absent.
pub fn data(name: &str) -> Option<PathBuf> {
    let path = data_dir().join(name);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: no {}", path.display());
    None
}
