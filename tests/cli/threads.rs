//! One knob for threads, and it changes no plan.

use crate::common::cli::{Run, command, hrm, map, text};
use crate::common::map_folder::Folder;
use serde_json::Value;

/// A hall large enough that every kernel has work for several threads, with two walls to pass.
fn hall() -> String {
    let row = |row: usize| match row {
        0 | 39 => "#".repeat(40),
        13 => format!("#{}...#", "#".repeat(35)),
        26 => format!("#...{}#", "#".repeat(35)),
        _ => format!("#{}#", ".".repeat(38)),
    };
    (0..40).map(row).collect::<Vec<_>>().join("\n")
}

/// A plan's JSON without its times.
fn timeless(run: &Run) -> Value {
    assert_eq!(run.code, 0, "{run:?}");
    let mut plan = run.json();
    let removed = plan.as_object_mut().and_then(|plan| plan.remove("time_ms"));
    assert!(removed.is_some(), "times are called time_ms: {run:?}");
    plan
}

#[test]
fn plans_are_the_same_bytes_for_any_number_of_threads() {
    let folder = Folder::new();
    let map = map(&folder, &hall());
    let ask = |more: &[&str]| {
        let ends = ["--start", "2.5,37.5", "--goal", "36.5,2.5", "--json"];
        // Without a deadline that a slow machine could miss.
        let settings = folder.path("planner.yaml");
        let fixed = ["--source", "model", "--config", text(&settings)];
        hrm([&["plan", text(&map)], &ends[..], &fixed, more].concat())
    };
    let settings = |threads: usize| {
        let text =
            format!("max_planning_time: 600\nhalt: never\nmax_segments: 16\nthreads: {threads}\n");
        folder.write("planner.yaml", text);
    };
    settings(1);
    let one = timeless(&ask(&["--threads", "1"]));
    for threads in ["2", "3", "0"] {
        assert_eq!(timeless(&ask(&["--threads", threads])), one, "{threads}");
    }
    settings(2);
    assert_eq!(timeless(&ask(&[])), one, "as configured");
}

#[test]
fn a_number_of_threads_out_of_range_is_bad_input() {
    for threads in ["-1", "many", "1025"] {
        let run = hrm(["bench", "generated", &format!("--threads={threads}")]);
        run.fails(2, &["--threads", threads]);
    }
    let folder = Folder::new();
    folder.write("planner.yaml", "threads: 1025\n");
    let settings = folder.path("planner.yaml");
    let run = hrm(["bench", "generated", "--config", text(&settings)]);
    run.fails(2, &["`threads` is 1025", "0 to 1024"]);
}

#[test]
fn the_environment_holds_where_no_number_is_given() {
    let folder = Folder::new();
    let out = folder.path("demo");
    let mut demo = command(["demo", "--out", text(&out)]);
    demo.env("RAYON_NUM_THREADS", "1")
        .env_remove("CANDLE_NUM_THREADS");
    let run = Run::of(demo.output().expect("the program starts"));
    assert_eq!(run.code, 0, "{run:?}");
    // Begun anew, it still knows what it was called, and suggests commands that work.
    assert!(run.stdout.contains("hrm-planner plan "), "{run:?}");
}
