//! `info`: maps and models described.

use crate::common::cli::{hrm, map, one_way, text};
use crate::common::map_folder::Folder;
use hrm_planner::grid::Move;
use serde_json::Value;

#[test]
fn a_map_is_counted() {
    let folder = Folder::new();
    let map = map(&folder, "#..?\n#...");
    let info = hrm(["info", text(&map), "--json"]).json();
    let expected = serde_json::json!({
        "width": 4, "height": 2, "resolution": 1.0, "origin": [0.0, 0.0, 0.0],
        "free": 5, "occupied": 2, "unknown": 1, "other": 0, "problems": [],
    });
    assert_eq!(info, expected);
}

#[test]
fn a_missing_origin_is_a_problem_not_an_end() {
    let folder = Folder::new();
    map(&folder, "#..?\n#...");
    let map = folder.yaml("map.pgm", "resolution: 1.0\norigins: [0, 0, 0]\n");
    let run = hrm(["info", text(&map), "--json"]);
    assert_eq!(run.code, 0, "{run:?}");
    let info = run.json();
    assert_eq!(info["origin"], Value::Null);
    assert_eq!(info["width"], 4);
    let problem = info["problems"][0].as_str().expect("a problem");
    assert!(problem.contains("`origins`"), "{problem}");
}

#[test]
fn a_movingai_map_is_counted() {
    let folder = Folder::new();
    let map = folder.write("s.map", "type octile\nheight 2\nwidth 3\nmap\n..@\n...\n");
    let info = hrm(["info", text(&map), "--json"]).json();
    assert_eq!(info["free"], 5);
    assert_eq!(info["occupied"], 1);
    assert_eq!(info["origin"], serde_json::json!([0.0, 0.0, 0.0]));
}

#[test]
fn a_model_tells_what_it_is_made_of() {
    let folder = Folder::new();
    // Told from the content, not from the name.
    let model = folder.path("model.bin");
    let checkpoint = one_way(Move::ALL[0]);
    checkpoint.write(&model).expect("written");
    let info = hrm(["info", text(&model), "--json"]).json();
    assert_eq!(info["family"], "grid-hrm");
    assert_eq!(info["parameters"], checkpoint.config.parameters());
    assert_eq!(info["config"]["channels"], 16);
    assert_eq!(info["training"]["steps"], 0);
}

#[test]
fn every_map_of_the_collection_has_its_counts() {
    let Some(manifest) = crate::common::data("ros-maps/manifest.json") else {
        return;
    };
    let text_of = std::fs::read_to_string(&manifest).expect("read");
    let maps: Value = serde_json::from_str(&text_of).expect("JSON");
    let mut compared = 0;
    for entry in maps.as_array().expect("a list") {
        let path = manifest.with_file_name(entry["local"].as_str().expect("a path"));
        let run = hrm(["info", text(&path), "--json"]);
        let expected = &entry["counts_nav2"];
        if expected.is_null() {
            run.fails(2, &["no such image"]);
            continue;
        }
        assert_eq!(run.code, 0, "{run:?}");
        if entry["colour_pixels"] == true {
            continue; // counts of colour images depend on the conversion to grey
        }
        let info = run.json();
        for (ours, theirs) in [
            ("free", "free"),
            ("occupied", "occ"),
            ("unknown", "unknown"),
            ("other", "other"),
        ] {
            assert_eq!(info[ours], expected[theirs], "{ours} of {}", path.display());
        }
        compared += 1;
    }
    assert!(compared > 40, "only {compared} maps were compared");
}
