//! `bench`: rows with the stable names, the same on any number of threads.

use crate::common::cli::{Run, command, hrm, one_way, text};
use crate::common::map_folder::Folder;
use hrm_planner::grid::Move;
use serde_json::Value;

const NAMES: [&str; 22] = [
    "set",
    "kind",
    "n",
    "reached",
    "valid",
    "optimal",
    "exact",
    "token_accuracy",
    "cost_ratio_mean",
    "cost_ratio_p95",
    "evaded",
    "final_reached",
    "final_optimal",
    "final_cost_ratio_mean",
    "repaired",
    "fallback",
    "segments_mean",
    "oracle_mismatches",
    "ms_p50",
    "ms_p99",
    "oracle_ms_p50",
    "peak_mb",
];

/// A model that has an idea now and then, few segments to have it in, and a file for the rows.
struct Setting {
    folder: Folder,
    threads: &'static str,
}

impl Setting {
    fn new(threads: &'static str) -> Self {
        let folder = Folder::new();
        let model = folder.path("east.safetensors");
        one_way(Move::ALL[0]).write(&model).expect("written");
        folder.write("planner.yaml", "max_segments: 2\n");
        Self { folder, threads }
    }

    fn bench(&self, arguments: &[&str]) -> (Run, Vec<Value>) {
        let path = |name| self.folder.path(name);
        let (rows, model, config) = (
            path("rows.json"),
            path("east.safetensors"),
            path("planner.yaml"),
        );
        let output = command(["bench"].iter().chain(arguments))
            .args([
                "--json",
                text(&rows),
                "--model",
                text(&model),
                "--config",
                text(&config),
            ])
            .env("RAYON_NUM_THREADS", self.threads)
            .output();
        let run = Run::of(output.expect("the program starts"));
        assert_eq!(run.code, 0, "{run:?}");
        let rows = std::fs::read(rows).expect("rows");
        (run, serde_json::from_slice(&rows).expect("a list"))
    }
}

#[track_caller]
fn assert_names(row: &Value) {
    let mut names: Vec<&str> = row
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    names.sort_unstable();
    let mut expected = NAMES;
    expected.sort_unstable();
    assert_eq!(names, expected);
}

#[test]
fn rows_have_exactly_the_stable_names() {
    let (run, rows) = Setting::new("2").bench(&[
        "generated",
        "--limit",
        "4",
        "--sides",
        "8,12",
        "--kinds",
        "boxes,maze",
        "--seed",
        "5",
    ]);
    rows.iter().for_each(assert_names);
    let kinds: Vec<&Value> = rows.iter().map(|row| &row["kind"]).collect();
    assert_eq!(kinds, ["boxes-8", "maze-8", "boxes-12", "maze-12"]);
    for row in &rows {
        assert_eq!(row["set"], "generated");
        assert_eq!(row["n"], 4);
        assert_eq!(row["exact"], Value::Null);
        assert_eq!(row["oracle_mismatches"], Value::Null);
        assert_eq!(
            row["final_reached"], 1.0,
            "the search stands behind the model: {row}"
        );
        assert!(row["segments_mean"].as_f64() >= Some(1.0));
        let share = |name: &str| row[name].as_f64().expect("a share");
        let (fallback, repaired) = (share("fallback"), share("repaired"));
        let by_model = 1.0 - fallback - repaired;
        assert!(
            (-1e-12..=share("valid") + 1e-12).contains(&by_model),
            "each plan has one source: {row}"
        );
        assert!(row["reached"].as_f64() >= row["valid"].as_f64());
        assert!(row["valid"].as_f64() >= row["optimal"].as_f64());
        assert!(row["final_cost_ratio_mean"].as_f64() >= Some(1.0 - 1e-9));
    }
    assert!(run.stdout.contains("boxes-12"), "{}", run.stdout);
}

#[test]
fn scores_do_not_depend_on_threads() {
    let arguments = [
        "generated",
        "--limit",
        "6",
        "--sides",
        "12",
        "--kinds",
        "boxes,random",
    ];
    let scores = |threads| -> Vec<Value> {
        let (_, mut rows) = Setting::new(threads).bench(&arguments);
        for row in &mut rows {
            for measured in ["ms_p50", "ms_p99", "oracle_ms_p50", "peak_mb"] {
                row[measured] = Value::Null;
            }
        }
        rows
    };
    assert_eq!(scores("1"), scores("3"));
}

#[test]
fn published_lengths_are_held_against_the_oracle() {
    let setting = Setting::new("2");
    setting
        .folder
        .write("s.map", "type octile\nheight 2\nwidth 3\nmap\n..@\n...\n");
    setting.folder.write(
        "s.map.scen",
        "version 1\n0\ts.map\t3\t2\t0\t0\t2\t1\t3.0\n0\ts.map\t3\t2\t0\t0\t1\t1\t1.41421\n\
         0\ts.map\t3\t2\t0\t1\t2\t1\t2.5\n0\ts.map\t3\t2\t1\t1\t1\t1\t0\n",
    );
    let scenarios = setting.folder.path("s.map.scen");
    let (_, rows) = setting.bench(&["movingai", text(&scenarios)]);
    assert_eq!(rows.len(), 1);
    assert_names(&rows[0]);
    assert_eq!(rows[0]["n"], 4);
    // 0,0 to 2,1 is 1 + sqrt 2 without cutting the corner, and 2.5 is no length at all.
    assert_eq!(rows[0]["oracle_mismatches"], 2);
}

#[test]
fn every_set_gives_rows() {
    for (set, kinds) in [
        ("maze-hard", 1),
        ("planning-datasets", 1),
        ("movingai/mapf", 10),
        ("ros-maps/sea-bass__turtlebot3_behavior_demos", 1),
    ] {
        let Some(path) = crate::common::data(set) else {
            return;
        };
        let name = set.split('/').next().expect("a name");
        let (_, rows) = Setting::new("2").bench(&[name, text(&path), "--limit", "2"]);
        assert_eq!(rows.len(), kinds, "{set}");
        for row in &rows {
            assert_names(row);
            assert_eq!(row["set"], name);
            assert!(row["n"].as_u64() > Some(0));
            if name == "movingai" {
                assert_eq!(row["oracle_mismatches"], 0, "{row}");
            } else {
                assert_eq!(row["final_reached"], 1.0, "{row}");
            }
        }
    }
}

#[test]
fn arguments_of_another_set_are_warned_of() {
    let setting = Setting::new("1");
    let generated = ["generated", "folder", "--limit", "1", "--sides", "8"];
    let (run, _) = setting.bench(&[&generated[..], &["--kinds", "boxes"]].concat());
    assert!(run.stderr.contains("PATH is for other sets"), "{run:?}");

    let map = "type octile\nheight 1\nwidth 2\nmap\n..\n";
    setting.folder.write("s.map", map);
    let scenarios = "version 1\n0\ts.map\t2\t1\t0\t0\t1\t0\t1\n";
    let scenarios = setting.folder.write("s.map.scen", scenarios);
    let stray = ["--sides", "8", "--kinds", "boxes", "--radius", "1"];
    let (run, _) = setting.bench(&[&["movingai", text(&scenarios)], &stray[..]].concat());
    for argument in ["--sides", "--kinds", "--radius"] {
        let warning = format!("{argument} is for other sets");
        assert!(run.stderr.contains(&warning), "{run:?}");
    }
}

#[test]
fn without_a_model_the_search_is_judged() {
    let folder = Folder::new();
    let rows = folder.path("rows.json");
    let run = hrm([
        "bench",
        "generated",
        "--limit",
        "2",
        "--sides",
        "8",
        "--kinds",
        "cave",
        "--json",
        text(&rows),
    ]);
    assert_eq!(run.code, 0, "{run:?}");
}

#[test]
fn the_worst_plans_are_drawn_if_they_are_wanted() {
    let setting = Setting::new("2");
    let pictures = setting.folder.path("worst");
    let set = [
        "generated",
        "--limit",
        "3",
        "--sides",
        "10",
        "--kinds",
        "maze",
    ];
    let (run, _) = setting.bench(&[&set[..], &["--failures", text(&pictures)]].concat());
    // A model that only ever goes east solves hardly any maze.
    assert!(run.stdout.contains("2 of 3 not reached"), "{}", run.stdout);
    for name in ["worst.png", "worst-01.png", "worst-02.png"] {
        assert!(pictures.join(name).exists(), "{name}");
    }
    assert!(!pictures.join("worst-03.png").exists());
}
