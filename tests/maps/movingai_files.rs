//! MovingAI's files are read by their rules, and our search gives the length they publish.

// Helpers may panic as the tests they help; a resolution that is read is exact.
#![allow(clippy::unwrap_used, clippy::float_cmp)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::common::{costmap, data};
use hrm_planner::Error;
use hrm_planner::grid::movingai::{Scenario, parse_map, parse_scenarios, read_map, read_scenarios};
use hrm_planner::grid::{Cell, Costmap};
use hrm_planner::search::{Field, Outcome, Rules, Search, Termination};
use rayon::prelude::*;

fn map(text: &str) -> Result<Costmap, Error> {
    parse_map(text, Path::new("some.map"))
}

fn scenarios(text: &str) -> Result<Vec<Scenario>, Error> {
    parse_scenarios(text, Path::new("some.scen"))
}

/// The file and line a message begins with.
fn place<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    let message = result.unwrap_err().to_string();
    message.split(": ").next().unwrap().to_owned()
}

#[test]
fn the_first_line_of_cells_is_the_top_row() {
    let read = map("type octile\nheight 2\nwidth 3\nmap\n..@\nTTT\n").unwrap();
    assert_eq!(read, costmap("..#\n###"));
    assert_eq!(read.geometry().resolution(), 1.0);
}

#[test]
fn ground_and_swamp_are_free_and_trees_water_and_outside_are_blocked() {
    let read = map("type octile\nheight 1\nwidth 7\nmap\n.GS@OTW\n").unwrap();
    assert_eq!(read, costmap("...####"));
}

#[test]
fn both_line_ends_and_blank_lines_at_the_end_are_read() {
    let text = "type octile\r\nheight 1\r\nwidth 2\r\nmap\r\n.@\r\n\r\n";
    assert_eq!(map(text).unwrap(), costmap(".#"));
    assert_eq!(
        map("type octile\nwidth 2\nheight 1\nmap\n.@").unwrap(),
        costmap(".#")
    );
}

#[test]
fn a_malformed_map_is_rejected_at_its_line() {
    for (line, text) in [
        (1, ""),
        (1, "type quad\nheight 1\nwidth 1\nmap\n.\n"),
        (2, "type octile\nheight -1\nwidth 1\nmap\n.\n"),
        (3, "type octile\nheight 1\nheight 1\nmap\n.\n"),
        (3, "type octile\nheight 1\nwidth one\nmap\n.\n"),
        (4, "type octile\nheight 1\nwidth 1\n.\n"),
        (5, "type octile\nheight 1\nwidth 2\nmap\n.\n"),
        (5, "type octile\nheight 1\nwidth 1\nmap\nx\n"),
        (5, "type octile\nheight 1\nwidth 1\nmap\n\u{e9}\n"),
        (6, "type octile\nheight 2\nwidth 1\nmap\n.\n"),
        (6, "type octile\nheight 1\nwidth 1\nmap\n.\n.\n"),
    ] {
        assert_eq!(place(map(text)), format!("some.map:{line}"), "{text:?}");
    }
    let empty = map("type octile\nheight 0\nwidth 1\nmap\n");
    assert!(matches!(empty, Err(Error::EmptyGrid { .. })));
    let huge = map("type octile\nheight 99999999\nwidth 99999999\nmap\n");
    assert!(matches!(huge, Err(Error::TooManyCells { .. })));
}

#[test]
fn scenario_rows_count_from_the_bottom() {
    let read = scenarios("version 1\n3\tmaps/dao/a.map\t5\t4\t1\t0\t4\t3\t7.41421\n").unwrap();
    let expected = Scenario {
        bucket: 3,
        map: "maps/dao/a.map".into(),
        start: Cell::new(3, 1),
        goal: Cell::new(0, 4),
        optimal_length: 7.41421,
    };
    assert_eq!(read, [expected]);
}

#[test]
fn spaces_blank_lines_and_windows_line_ends_are_read() {
    let text = "version 1.0\r\n0 a.map 2 2 0 0 1 1 2\r\n\r\n1 a.map 2 2 0 0 0 0 0\r\n\n";
    assert_eq!(scenarios(text).unwrap().len(), 2);
    assert_eq!(scenarios("version 1\n").unwrap(), []);
}

#[test]
fn a_malformed_scenario_is_rejected_at_its_line() {
    let row = "0 a.map 2 2 0 0 1 1 2";
    for (line, text) in [
        (1, String::new()),
        (1, row.to_owned()),
        (1, format!("version 2\n{row}\n")),
        (3, format!("version 1\n{row}\n0 a.map 2 2 0 0 1 1\n")),
        (3, format!("version 1\n\n{row} 9\n")),
        (2, "version 1\nx a.map 2 2 0 0 1 1 2\n".into()),
        (2, "version 1\n0 a.map 2 2 0 0 1 2 2\n".into()),
        (2, "version 1\n0 a.map 2 2 -1 0 1 1 2\n".into()),
        (2, "version 1\n0 a.map 2 2 0 0 1 1 nan\n".into()),
        (2, "version 1\n0 a.map 0 0 0 0 0 0 0\n".into()),
    ] {
        assert_eq!(
            place(scenarios(&text)),
            format!("some.scen:{line}"),
            "{text:?}"
        );
    }
}

#[test]
fn a_missing_file_is_named() {
    let error = read_map(Path::new("no/such.map")).unwrap_err();
    assert!(matches!(&error, Error::Io { .. }), "{error}");
    assert!(error.to_string().starts_with("no/such.map: "));
}

/// All files below a folder whose name ends so, in a fixed order.
fn files_below(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path, ending));
        } else if path.to_string_lossy().ends_with(ending) {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The map of a scenario file: beside it or one folder up, under the name its rows give.
fn map_of(scen: &Path, rows: &[Scenario]) -> PathBuf {
    let name = rows[0].map.rsplit('/').next().unwrap();
    let folders = scen.ancestors().skip(1);
    let mut candidates = folders.take(2).map(|folder| folder.join(name));
    candidates
        .find(|path| path.exists())
        .unwrap_or_else(|| panic!("no {name} near {}", scen.display()))
}

/// Within 0.001 cells, or the rounding of the files that publish six significant digits.
fn agrees(ours: f64, published: f64) -> bool {
    (ours - published).abs() <= f64::max(1e-3, 5e-6 * published)
}

/// Checks rows to one goal. One field serves several rows; a lone row is cheaper by A*.
fn check((search, field): &mut (Search, Field), map: &Costmap, goal: Cell, rows: &[&Scenario]) {
    let rules = Rules::shortest();
    if let [row] = rows {
        let outcome = search.path(map, row.start, goal, &rules, &Termination::never());
        let Ok(Outcome::Found(path)) = outcome else {
            panic!("{row:?}: {outcome:?}");
        };
        let ours = path.travel_cost;
        assert!(agrees(ours, row.optimal_length), "{row:?}: {ours}");
        assert!(agrees(path.length, row.optimal_length), "{row:?}: {path:?}");
    } else {
        search.field_into(map, goal, &rules, field).unwrap();
        for row in rows {
            let ours = field.cost_to_go(row.start);
            assert!(agrees(ours, row.optimal_length), "{row:?}: {ours}");
        }
    }
}

/// Checks every `stride`-th row of the files with many rows, and every row of the others. Returns
/// how many that were.
fn check_rows(folder: &Path, stride: usize) -> usize {
    /// Only the three mazes of 512 x 512 have more: half of all rows, most of the time.
    const MANY_ROWS: usize = 5_000;
    let mut rows_checked = 0;
    for scen in files_below(folder, ".scen") {
        let rows = read_scenarios(&scen).unwrap();
        let map = read_map(&map_of(&scen, &rows)).unwrap();
        let stride = if rows.len() > MANY_ROWS { stride } else { 1 };
        let mut by_goal: BTreeMap<Cell, Vec<&Scenario>> = BTreeMap::new();
        for row in rows.iter().step_by(stride) {
            by_goal.entry(row.goal).or_default().push(row);
            rows_checked += 1;
        }
        by_goal.par_iter().for_each_init(
            || (Search::new(), Field::default()),
            |workspace, (&goal, rows)| check(workspace, &map, goal, rows),
        );
    }
    rows_checked
}

#[test]
fn published_lengths_are_ours() {
    if let Some(folder) = data("movingai") {
        let rows = check_rows(&folder, 7);
        assert!(rows > 35_000, "only {rows} rows found");
    }
}

#[test]
#[ignore = "every row takes minutes; run it with --ignored after changing the search"]
fn every_published_length_is_ours() {
    if let Some(folder) = data("movingai") {
        let rows = check_rows(&folder, 1);
        assert!(rows > 64_000, "only {rows} rows found");
    }
}
