//! `plan`, `verify` and `demo`: what they print and write.

use crate::common::cli::{hrm, map, one_way, text};
use crate::common::map_folder::Folder;
use hrm_planner::grid::Move;
use serde_json::Value;

const ROOM: &str = "
    ########
    #......#
    #.##...#
    #......#
    ########";

fn keys(object: &Value) -> Vec<&str> {
    let object = object.as_object().expect("an object");
    object.keys().map(String::as_str).collect()
}

#[test]
fn json_has_the_stable_names() {
    let folder = Folder::new();
    let map = map(&folder, ROOM);
    let run = hrm([
        "plan",
        text(&map),
        "--start",
        "1.5,1.5",
        "--goal",
        "6.5,3.5,-1.57",
        "--source",
        "search",
        "--compare",
        "--json",
    ]);
    assert_eq!(run.code, 0, "{run:?}");
    let plan = run.json();
    for key in [
        "source",
        "reached",
        "error",
        "message",
        "travel_cost",
        "length_m",
        "optimal_travel_cost",
        "segments",
        "halt_reason",
        "time_ms",
        "model",
        "poses",
    ] {
        assert!(keys(&plan).contains(&key), "{key} is missing in {plan}");
    }
    assert_eq!(plan["source"], "search");
    assert_eq!(plan["reached"], true);
    assert_eq!(plan["error"], Value::Null);
    assert_eq!(plan["model"], Value::Null);
    assert_eq!(plan["poses"][0], serde_json::json!([1.5, 1.5, 0.0]));
    let poses = plan["poses"].as_array().expect("a list");
    assert_eq!(poses[poses.len() - 1], serde_json::json!([6.5, 3.5, -1.57]));
    let (cost, optimal) = (&plan["travel_cost"], &plan["optimal_travel_cost"]);
    // Shortcuts leave the grid, so the plan can be below the best path of cells.
    assert!(cost.as_f64() <= optimal.as_f64(), "{cost} {optimal}");
    assert!(plan["time_ms"]["total"].as_f64() > Some(0.0));
    assert!(keys(&plan["time_ms"]).contains(&"search"));
}

#[test]
fn json_without_a_plan_says_why() {
    let folder = Folder::new();
    let map = map(&folder, ROOM);
    let run = hrm([
        "plan",
        text(&map),
        "--start",
        "1.5,1.5",
        "--goal",
        "30,3.5",
        "--source",
        "search",
        "--json",
    ]);
    run.fails(3, &["GOAL_OUTSIDE_MAP"]);
    let plan = run.json();
    assert_eq!(plan["source"], Value::Null);
    assert_eq!(plan["reached"], false);
    assert_eq!(plan["error"], "GOAL_OUTSIDE_MAP");
    assert_eq!(plan["poses"], serde_json::json!([]));
    assert!(
        plan["message"]
            .as_str()
            .is_some_and(|text| text.contains("outside"))
    );
}

#[test]
fn negative_coordinates_are_values_not_flags() {
    let folder = Folder::new();
    map(&folder, ROOM);
    let map = folder.yaml("map.pgm", "resolution: 1.0\norigin: [-8, -2, 0]\n");
    let run = hrm([
        "plan",
        text(&map),
        "--start",
        "-6.5,-0.5",
        "--goal=-1.5,1.5,-3.1",
        "--source",
        "search",
        "--json",
    ]);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(run.json()["start"], serde_json::json!([-6.5, -0.5, 0.0]));
}

#[test]
fn a_movingai_map_can_be_planned_on() {
    let folder = Folder::new();
    let map = folder.write(
        "s.map",
        "type octile\nheight 3\nwidth 3\nmap\n..@\n@..\n...\n",
    );
    let run = hrm([
        "plan",
        text(&map),
        "--start",
        "0.5,2.5",
        "--goal",
        "2.5,0.5",
        "--source",
        "search",
        "--json",
    ]);
    assert_eq!(run.code, 0, "{run:?}");
}

#[test]
fn the_model_plans_and_is_named() {
    let folder = Folder::new();
    let map = map(&folder, ROOM);
    let model = folder.path("east.safetensors");
    one_way(Move::ALL[0]).write(&model).expect("written");
    let picture = folder.path("thinking.gif");
    let run = hrm([
        "plan",
        text(&map),
        "--start",
        "1.5,1.5",
        "--goal",
        "6.5,1.5",
        "--model",
        text(&model),
        "--picture",
        text(&picture),
        "--json",
    ]);
    assert_eq!(run.code, 0, "{run:?}");
    let plan = run.json();
    assert_eq!(plan["source"], "model");
    assert_eq!(plan["model"], "east");
    assert_eq!(plan["segments"], 2);
    assert_eq!(plan["halt_reason"], "stable");
    assert!(
        std::fs::read(&picture)
            .expect("written")
            .starts_with(b"GIF89a")
    );
}

#[test]
fn a_model_alone_that_finds_nothing_has_no_valid_path() {
    let folder = Folder::new();
    let map = map(&folder, ROOM);
    let model = folder.path("east.safetensors");
    one_way(Move::ALL[0]).write(&model).expect("written");
    let config = folder.write("planner.yaml", "max_segments: 2\n");
    let ask = |source: &str| {
        hrm([
            "plan",
            text(&map),
            "--start",
            "6.5,1.5",
            "--goal",
            "1.5,1.5",
            "--model",
            text(&model),
            "--config",
            text(&config),
            "--source",
            source,
            "--json",
        ])
    };
    ask("model").fails(3, &["NO_VALID_PATH"]);
    let behind = ask("auto");
    assert_eq!(behind.code, 0, "{behind:?}");
    assert_eq!(behind.json()["source"], "search");
}

#[test]
fn a_written_plan_is_valid_until_it_is_bent() {
    let folder = Folder::new();
    let map = map(&folder, ROOM);
    for name in ["plan.json", "plan.csv"] {
        let plan = folder.path(name);
        let run = hrm([
            "plan",
            text(&map),
            "--start",
            "1.5,1.5",
            "--goal",
            "6.5,3.5",
            "--source",
            "search",
            "--out",
            text(&plan),
        ]);
        assert_eq!(run.code, 0, "{run:?}");
        let valid = hrm(["verify", text(&map), text(&plan), "--json"]);
        assert_eq!(valid.code, 0, "{valid:?}");
        assert_eq!(
            valid.json(),
            serde_json::json!({"valid": true, "violations": []})
        );
    }

    let plan = folder.path("plan.csv");
    let straight = std::fs::read_to_string(&plan).expect("read");
    let mut lines: Vec<&str> = straight.lines().collect();
    lines[2] = "2.5,2.5,0"; // the block in the room
    let bent = folder.write("bent.csv", lines.join("\n"));
    let invalid = hrm(["verify", text(&map), text(&bent), "--json"]);
    assert_eq!(invalid.code, 3, "{invalid:?}");
    let record = invalid.json();
    assert_eq!(record["valid"], false);
    let violations = record["violations"].as_array().expect("a list");
    assert!(violations.iter().any(|v| v["kind"] == "lethal"), "{record}");
    assert_eq!(keys(&violations[0]), ["index", "kind", "x", "y"]);
}

#[test]
fn a_plan_that_stops_short_of_its_goal_is_invalid() {
    let folder = Folder::new();
    let map = map(&folder, ROOM);
    let run = hrm([
        "plan",
        text(&map),
        "--start",
        "1.5,1.5",
        "--goal",
        "6.5,3.5",
        "--source",
        "search",
        "--json",
    ]);
    let mut plan = run.json();
    plan["poses"].as_array_mut().expect("a list").pop();
    let short = folder.write("short.json", plan.to_string());
    let record = hrm(["verify", text(&map), text(&short), "--json"]).json();
    assert_eq!(record["violations"][0]["kind"], "wrong-goal");
}

#[test]
fn a_plan_cannot_excuse_itself_from_its_goal() {
    let folder = Folder::new();
    let map = map(&folder, ROOM);
    let request = ["--start", "1.5,1.5", "--goal", "6.5,3.5"];
    let run = hrm(["plan", text(&map)]
        .iter()
        .chain(&request)
        .chain(&["--source", "search", "--json"]));
    let mut plan = run.json();
    plan["poses"].as_array_mut().expect("a list").pop();
    plan["goal_distance_m"] = 100.0.into();
    let short = folder.write("short.json", plan.to_string());
    let run = hrm(["verify", text(&map), text(&short), "--json"]);
    assert_eq!(run.code, 3, "{run:?}");
    assert_eq!(run.json()["violations"][0]["kind"], "wrong-goal");
}

#[test]
fn without_a_plan_no_file_is_written_but_a_picture_is() {
    let folder = Folder::new();
    let map = map(&folder, ROOM);
    let (plan, picture) = (folder.path("plan.json"), folder.path("plan.png"));
    let run = hrm([
        "plan",
        text(&map),
        "--start",
        "1.5,1.5",
        "--goal",
        "30,3.5",
        "--source",
        "search",
        "--out",
        text(&plan),
        "--picture",
        text(&picture),
    ]);
    run.fails(3, &["GOAL_OUTSIDE_MAP"]);
    assert!(!plan.exists());
    assert!(
        std::fs::read(&picture)
            .expect("written")
            .starts_with(b"\x89PNG")
    );
}

#[test]
fn the_demo_leaves_what_its_next_commands_need() {
    let folder = Folder::new();
    let model = folder.path("east.safetensors");
    one_way(Move::ALL[0]).write(&model).expect("written");
    let out = folder.path("a demo");
    let run = hrm(["demo", "--out", text(&out), "--model", text(&model)]);
    assert_eq!(run.code, 0, "{run:?}");
    for name in ["demo.yaml", "demo.pgm", "demo.png", "demo.gif", "plan.json"] {
        assert!(out.join(name).exists(), "{name} is missing");
    }
    let suggested: Vec<&str> = run.stdout.lines().filter(|l| l.starts_with("  ")).collect();
    // The others are a node that runs on and its client: see serve.rs.
    let commands = if cfg!(feature = "zenoh") { 4 } else { 2 };
    assert_eq!(suggested.len(), commands, "{run:?}");
    for line in &suggested[..2] {
        let line = format!("HRM_MODEL='{}' {}", text(&model), line.trim());
        let shell = std::process::Command::new("sh")
            .args(["-c", &line])
            .output();
        let shell = shell.expect("a shell");
        assert!(shell.status.success(), "{line}: {shell:?}");
    }
}
