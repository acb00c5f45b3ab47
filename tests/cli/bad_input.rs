//! Whatever the program is given, it says in one line what is wrong, and how it ended in its exit
//! code.

use crate::common::cli::{Run, command, hrm, map, one_way, text};
use crate::common::map_folder::Folder;
use hrm_planner::grid::Move;

const ROOM: &str = "
    ######
    #....#
    #....#
    #....#
    ######";

/// `plan` by the search, from start to goal.
fn plan(map: &std::path::Path, start: &str, goal: &str) -> Run {
    let map = text(map);
    hrm([
        "plan", map, "--start", start, "--goal", goal, "--source", "search",
    ])
}

#[test]
fn a_map_that_does_not_exist_is_named() {
    let folder = Folder::new();
    plan(&folder.path("nowhere.yaml"), "1,1", "2,2").fails(2, &["nowhere.yaml", "check that"]);
}

#[test]
fn a_missing_image_is_named() {
    let folder = Folder::new();
    let map = folder.yaml("gone.pgm", crate::common::map_folder::KEYS);
    plan(&map, "1,1", "2,2").fails(2, &["gone.pgm", "no such image"]);
}

#[test]
fn a_cut_off_image_is_noticed() {
    let folder = Folder::new();
    folder.write("map.pgm", b"P5 6 6 255\nabc");
    let map = folder.yaml("map.pgm", crate::common::map_folder::KEYS);
    plan(&map, "1,1", "2,2").fails(2, &["cut off", "map.pgm"]);
}

#[test]
fn a_map_without_an_origin_is_refused() {
    let folder = Folder::new();
    map(&folder, ROOM);
    let map = folder.yaml("map.pgm", "resolution: 1.0\n");
    plan(&map, "1,1", "2,2").fails(2, &["`origin` is missing"]);
}

#[test]
fn an_image_instead_of_a_map_is_told_apart() {
    let folder = Folder::new();
    map(&folder, ROOM);
    plan(&folder.path("map.pgm"), "1,1", "2,2").fails(2, &["is an image", "pass the YAML file"]);
}

#[test]
fn a_broken_movingai_map_is_refused_with_the_line() {
    let folder = Folder::new();
    let map = folder.write("maze.map", "type octile\nheight 2\nwidth 2\nmap\n..\n.x\n");
    plan(&map, "0,0", "1,1").fails(2, &["maze.map:6", "only . G S @ O T W"]);
}

#[test]
fn on_a_map_of_one_cell_there_is_one_plan() {
    let folder = Folder::new();
    let map = map(&folder, ".");
    assert_eq!(plan(&map, "0.5,0.5", "0.5,0.5").code, 0);
    plan(&map, "0.5,0.5", "1.5,0.5").fails(3, &["GOAL_OUTSIDE_MAP"]);
}

#[test]
fn on_a_map_of_obstacles_the_start_is_occupied() {
    let folder = Folder::new();
    let map = map(&folder, "###\n###\n###");
    plan(&map, "0.5,0.5", "2.5,2.5").fails(3, &["START_OCCUPIED"]);
}

#[test]
fn a_goal_behind_walls_has_no_valid_path() {
    let folder = Folder::new();
    let map = map(&folder, "..#..\n..#..\n..#..");
    plan(&map, "0.5,0.5", "4.5,0.5").fails(3, &["NO_VALID_PATH"]);
}

#[test]
fn a_goal_in_a_wall_is_occupied() {
    let folder = Folder::new();
    let map = map(&folder, ROOM);
    plan(&map, "1.5,1.5", "0.5,2.5").fails(3, &["GOAL_OCCUPIED"]);
}

#[test]
fn where_start_is_goal_there_is_a_plan() {
    let folder = Folder::new();
    let run = plan(&map(&folder, ROOM), "2.5,2.5", "2.5,2.5");
    assert_eq!(run.code, 0, "{run:?}");
}

#[test]
fn a_start_off_the_map_is_outside() {
    let folder = Folder::new();
    plan(&map(&folder, ROOM), "-3,1", "2.5,2.5").fails(3, &["START_OUTSIDE_MAP", "enlarge"]);
}

#[test]
fn coordinates_are_finite_numbers() {
    let folder = Folder::new();
    let map = map(&folder, ROOM);
    for start in ["nan,1", "1,inf", "1", "1,2,3,4", "a,b", "", "1;2", "--goal"] {
        plan(&map, start, "2.5,2.5").fails(2, &["--start", "X,Y"]);
    }
}

#[test]
fn a_request_without_goal_is_incomplete() {
    let folder = Folder::new();
    let map = map(&folder, ROOM);
    hrm(["plan", text(&map), "--start", "1,1"]).fails(2, &["--goal", "--help"]);
}

#[test]
fn wrong_words_are_wrong_usage() {
    hrm(["plann"]).fails(2, &["plann", "plan"]);
    hrm(["bench", "mazes"]).fails(2, &["mazes", "maze-hard"]);
    hrm(["bench", "generated", "--kinds", "lake"]).fails(2, &["lake", "warehouse"]);
    hrm(["bench", "generated", "--sides", "3"]).fails(2, &["3 cells"]);
}

#[test]
fn a_radius_must_make_sense() {
    let folder = Folder::new();
    let map = map(&folder, ROOM);
    for radius in ["-1", "nan", "11"] {
        let run = hrm([
            "plan",
            text(&map),
            "--start",
            "1,1",
            "--goal",
            "2,2",
            "--radius",
            radius,
        ]);
        run.fails(2, &["robot_radius", "0 to 10 m"]);
    }
}

#[test]
fn a_configuration_must_be_one() {
    let folder = Folder::new();
    let map = map(&folder, ROOM);
    let config = folder.write("planner.yaml", "robot_radiuss: 0.3\n");
    let run = hrm([
        "plan",
        text(&map),
        "--start",
        "1,1",
        "--goal",
        "2,2",
        "--config",
        text(&config),
    ]);
    run.fails(2, &["planner.yaml", "robot_radiuss"]);
}

#[test]
fn a_model_file_must_hold_a_model() {
    let folder = Folder::new();
    let map = map(&folder, ROOM);
    let plan = |model: &std::path::Path| {
        hrm([
            "plan",
            text(&map),
            "--start",
            "1.5,1.5",
            "--goal",
            "3.5,1.5",
            "--model",
            text(model),
        ])
    };
    let noise = folder.write("noise.safetensors", b"not a model at all");
    plan(&noise).fails(2, &["noise.safetensors", "not a safetensors file"]);

    let mut headless = one_way(Move::ALL[0]);
    headless.tensors.remove("head.moves.bias");
    let path = folder.path("headless.safetensors");
    headless.write(&path).expect("written");
    plan(&path).fails(2, &["headless.safetensors", "head.moves.bias", "missing"]);

    // The metadata is JSON text in the file's header: another family of the same length.
    let path = folder.path("stranger.safetensors");
    one_way(Move::ALL[0]).write(&path).expect("written");
    let mut bytes = std::fs::read(&path).expect("read");
    let at = bytes
        .windows(8)
        .position(|w| w == b"grid-hrm")
        .expect("the family");
    bytes[at..at + 8].copy_from_slice(b"text-hrm");
    std::fs::write(&path, bytes).expect("written");
    plan(&path).fails(2, &["stranger.safetensors", "family", "text-hrm"]);

    plan(&folder.path("gone.safetensors")).fails(2, &["gone.safetensors"]);
}

#[test]
fn the_model_in_the_environment_counts() {
    let folder = Folder::new();
    let map = map(&folder, ROOM);
    let output = command([
        "plan",
        text(&map),
        "--start",
        "1.5,1.5",
        "--goal",
        "3.5,1.5",
    ])
    .env("HRM_MODEL", folder.path("gone.safetensors"))
    .output();
    Run::of(output.expect("the program starts")).fails(2, &["gone.safetensors"]);
}

#[test]
fn what_cannot_be_written_is_said() {
    let folder = Folder::new();
    let map = map(&folder, ROOM);
    let plan = |option: &str, file: &str| {
        let request = [
            "plan",
            text(&map),
            "--start",
            "1.5,1.5",
            "--goal",
            "3.5,1.5",
        ];
        hrm(request.iter().chain(&["--source", "search", option, file]))
    };
    for (option, name) in [("--out", "plan.json"), ("--picture", "plan.png")] {
        let path = folder.path("no/such/folder").join(name);
        plan(option, text(&path)).fails(2, &[name, "check that"]);
    }
    plan("--out", "plan.txt").fails(2, &["plan.txt", ".json or .csv"]);
    plan("--picture", "plan.jpg").fails(2, &["plan.jpg", ".png", ".gif"]);
    let rows = folder.path("no/such/folder/rows.json");
    hrm(["bench", "generated", "--json", text(&rows)]).fails(2, &["rows.json"]);
}

#[test]
fn a_set_that_is_not_there_is_asked_for() {
    let folder = Folder::new();
    let output = command(["bench", "maze-hard"])
        .env("HRM_DATA", folder.path("nothing"))
        .output();
    let run = Run::of(output.expect("the program starts"));
    run.fails(2, &["maze-hard", "HRM_DATA"]);
    let gone = folder.path("gone");
    hrm(["bench", "ros-maps", text(&gone)]).fails(2, &["gone", "no such"]);
}

#[test]
fn a_plan_file_must_hold_a_plan() {
    let folder = Folder::new();
    let map = map(&folder, ROOM);
    for (name, content) in [
        ("a.json", "{}"),
        ("b.json", "{\"poses\": [[1, 2]]}"),
        ("c.csv", "a,b\n1,2\n"),
        ("d.csv", "x,y,yaw\n1,2\n"),
        ("e.csv", ""),
        ("f.json", "{\"poses\": [], \"goal_distance_m\": -1}"),
        ("g.json", "{\"poses\": [], \"goal_distance_m\": 1e999}"),
    ] {
        let plan = folder.write(name, content);
        hrm(["verify", text(&map), text(&plan)]).fails(2, &[name, "not a plan"]);
    }
}

#[test]
fn whoever_stops_reading_is_not_told_off() {
    let folder = Folder::new();
    let map = map(&folder, ROOM);
    let run = unread(&plan_json(&map, "3.5,1.5"));
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
}

#[test]
fn a_bad_verdict_counts_even_if_nobody_reads_it() {
    let folder = Folder::new();
    let map = map(&folder, ROOM);
    unread(&plan_json(&map, "0.5,1.5")).fails(3, &["GOAL_OCCUPIED"]);
    let plan = folder.write("plan.csv", "x,y,yaw\n1.5,1.5,0\n0.5,1.5,0\n");
    for format in [&[][..], &["--json"]] {
        let run = unread(&[&["verify", text(&map), text(&plan)], format].concat());
        assert_eq!((run.code, run.stderr.as_str()), (3, ""), "{run:?}");
    }
}

/// The arguments of `plan --json` from (1.5, 1.5) by the search.
fn plan_json<'a>(map: &'a std::path::Path, goal: &'a str) -> [&'a str; 9] {
    [
        "plan",
        text(map),
        "--start",
        "1.5,1.5",
        "--goal",
        goal,
        "--source",
        "search",
        "--json",
    ]
}

/// Runs the program with a standard output that nobody reads.
fn unread(arguments: &[&str]) -> Run {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let output = command(arguments).stdout(writer).output();
    Run::of(output.expect("the program starts"))
}

#[test]
fn without_a_command_there_is_help() {
    let run = hrm([""; 0]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("hrm-planner demo"), "{run:?}");
    assert_eq!(hrm(["--help"]).code, 0);
    assert_eq!(hrm(["--version"]).code, 0);
}

#[test]
fn a_movingai_map_too_large_is_refused_before_it_is_read() {
    let folder = Folder::new();
    let config = folder.write("planner.yaml", "max_cells: 100\n");
    // Its rows are missing: the size alone must be enough.
    let map = folder.write("large.map", "type octile\nheight 11\nwidth 10\nmap\n");
    let request = ["--start", "0.5,0.5", "--goal", "1.5,0.5"];
    let arguments = ["plan", text(&map), "--config", text(&config)];
    hrm(arguments.iter().chain(&request)).fails(2, &["110 cells", "max_cells"]);
}

#[test]
fn a_judgement_that_fails_leaves_no_file_of_rows() {
    let folder = Folder::new();
    let rows = folder.path("rows.json");
    let bench = || {
        let arguments = ["bench", "generated", "--sides", "3", "--json", text(&rows)];
        hrm(arguments).fails(2, &["3 cells"]);
    };
    bench();
    assert!(!rows.exists(), "there are no rows");
    folder.write("rows.json", "[]");
    bench();
    assert_eq!(
        std::fs::read(&rows).expect("read"),
        b"[]",
        "earlier rows stay"
    );
}

#[test]
fn sets_without_end_need_a_limit() {
    hrm(["bench", "generated", "--limit", "0"]).fails(2, &["--limit 0", "give a number"]);
}
