//! Map files load as Nav2 loads them, and broken ones say what is wrong.

// What is read must be exactly what was written.
#![allow(clippy::float_cmp)]

use std::fs;
use std::path::Path;

use crate::common::map_folder::{Folder, KEYS, encoded};
use hrm_planner::Error;
use hrm_planner::grid::{
    Counts, Geometry, MapFile, MapMode, OccupancyGrid, Pose2, load_map, save_map,
};
use image::{GrayImage, ImageFormat};

// --- Real maps ---
#[test]
fn every_collected_map_has_the_cells_that_nav2_gives_it() {
    let Some(folder) = crate::common::data("ros-maps") else {
        return;
    };
    let manifest = fs::read_to_string(folder.join("manifest.json")).expect("the manifest");
    let entries: Vec<serde_json::Value> = serde_json::from_str(&manifest).expect("JSON");
    assert!(!entries.is_empty());
    let mut failures = Vec::new();
    for entry in &entries {
        let local = entry["local"].as_str().expect("a path");
        let path = folder.join(local);
        if entry["img"] == "ABSENT" {
            match load_map(&path) {
                Err(Error::MapImageMissing { image, .. })
                    if image.ends_with(entry["image"].as_str().expect("a name")) => {}
                other => failures.push(format!("{local}: image is missing, but got {other:?}")),
            }
            continue;
        }
        let expected = &entry["counts_nav2"];
        let count = |key: &str| expected[key].as_u64().expect("a count") as usize;
        let expected = Counts {
            free: count("free"),
            occupied: count("occ"),
            unknown: count("unknown"),
            other: count("other"),
        };
        let file = MapFile::read(&path).expect("readable YAML");
        let (width, height, cells) = file.cells().expect("a readable image");
        let size = [width, height].map(serde_json::Value::from);
        assert_eq!(
            entry["size_px"].as_array().expect("a size"),
            &size,
            "{local}"
        );
        let counts = Counts::of(&cells);
        if counts != expected {
            failures.push(format!("{local}: {counts:?}, expected {expected:?}"));
        }
        let origin = entry["origin"].as_array().map(|numbers| {
            let number = |i: usize| as_number(&numbers[i]);
            Pose2::new(number(0), number(1), number(2))
        });
        assert_eq!(file.origin.is_some(), origin.is_some(), "{local}");
        if let (Some(read), Some(expected)) = (file.origin, origin) {
            // serde_json may be off by a last digit.
            assert!(read.distance(&expected) < 1e-12, "{local}: {read:?}");
            assert_eq!(read.yaw, expected.yaw, "{local}");
        }
        assert_eq!(Some(file.resolution), entry["res"].as_f64(), "{local}");
        match load_map(&path) {
            Ok(grid) => assert_eq!(grid.counts(), counts, "{local}"),
            Err(Error::MapKeyMissing {
                key: "origin",
                nearest,
                ..
            }) if origin.is_none() => {
                assert_eq!(nearest.as_deref(), Some("origins"), "{local}");
            }
            Err(error) => failures.push(format!("{local}: {error}")),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// The manifest keeps what YAML 1.1 does not take for a number, such as 0.05e0, as a string.
fn as_number(value: &serde_json::Value) -> f64 {
    match value.as_str() {
        Some(text) => text.parse().expect("a number"),
        None => value.as_f64().expect("a number"),
    }
}

// --- YAML ---
fn read(yaml: &str) -> hrm_planner::Result<MapFile> {
    MapFile::read(Folder::new().write("map.yaml", yaml))
}

#[test]
fn keys_are_read_as_written() {
    let folder = Folder::new();
    let file = MapFile::read(folder.yaml("maps/m.pgm", KEYS)).expect("good YAML");
    assert_eq!(file.image, folder.path("maps/m.pgm"));
    assert_eq!(file.resolution, 0.05);
    assert_eq!(file.origin, Some(Pose2::new(1.0, -2.0, 0.5)));
    assert_eq!(file.mode, MapMode::Trinary);
    assert!(!file.negate);
    assert_eq!((file.occupied_thresh, file.free_thresh), (0.65, 0.196));
}

#[test]
fn numbers_may_be_strings() {
    let file = read("image: m.pgm\nresolution: '0.05e0'\norigin: ['0.05e0', \"-5e-2\", 1.57]\n")
        .expect("good YAML");
    assert_eq!(file.resolution, 0.05);
    assert_eq!(file.origin, Some(Pose2::new(0.05, -0.05, 1.57)));
}

#[test]
fn keys_that_older_tools_leave_out_have_defaults() {
    let file = read("image: m.pgm\nresolution: 0.1\n").expect("good YAML");
    assert_eq!((file.occupied_thresh, file.free_thresh), (0.65, 0.25));
    assert_eq!(
        (file.negate, file.mode, file.origin),
        (false, MapMode::Trinary, None)
    );
}

#[test]
fn unknown_keys_are_tolerated() {
    assert!(read("image: m.pgm\nresolution: 0.1\nmap_type: occupancy\nframe: {id: map}\n").is_ok());
}

#[test]
fn missing_keys_name_a_likely_misspelling() {
    for (yaml, missing, near) in [
        ("resolution: 0.1", "image", None),
        ("imgae: m.pgm\nresolution: 0.1", "image", None),
        ("images: m.pgm\nresolution: 0.1", "image", Some("images")),
        (
            "image: m.pgm\nresolutoin: 0.1",
            "resolution",
            Some("resolutoin"),
        ),
        (
            "image: m\nresolution: 1\nocupied_threshold: 0.9",
            "occupied_thresh",
            Some("ocupied_threshold"),
        ),
    ] {
        match read(yaml) {
            Err(Error::MapKeyMissing { key, nearest, .. }) => {
                assert_eq!((key, nearest.as_deref()), (missing, near), "{yaml}");
            }
            other => panic!("{yaml}: {other:?}"),
        }
    }
}

#[test]
fn a_map_without_origin_shows_its_cells_but_does_not_load() {
    let folder = Folder::new();
    folder.write("map.pgm", "P2 2 1 255 0 254");
    let path = folder.yaml("map.pgm", "resolution: 0.05\norigins: [0, 0, 0]\n");
    let file = MapFile::read(&path).expect("good YAML");
    assert_eq!(file.cells().expect("good cells"), (2, 1, vec![100, 0]));
    let message = load_map(&path).expect_err("no origin").to_string();
    assert!(message.contains("`origin` is missing"), "{message}");
    assert!(message.contains("`origins`"), "{message}");
}

#[test]
fn values_that_make_no_sense_name_their_key() {
    let good = "image: m.pgm\nresolution: 0.1\norigin: [0, 0, 0]\nfree_thresh: 0.1\n";
    for (from, to, key) in [
        ("0.1\norigin", "0\norigin", "resolution"),
        ("0.1\norigin", "-0.05\norigin", "resolution"),
        ("0.1\norigin", ".nan\norigin", "resolution"),
        ("0.1\norigin", ".inf\norigin", "resolution"),
        ("0.1\norigin", "NaN\norigin", "resolution"),
        ("0.1\norigin", "five\norigin", "resolution"),
        ("[0, 0, 0]", "[0, 0]", "origin"),
        ("[0, 0, 0]", "[0, 0, 0, 0]", "origin"),
        ("[0, 0, 0]", "[0, .nan, 0]", "origin"),
        ("[0, 0, 0]", "[0, 0, -.inf]", "origin"),
        ("[0, 0, 0]", "[0, 0, 1e999]", "origin"),
        ("[0, 0, 0]", "{x: 0, y: 0, yaw: 0}", "origin"),
        ("[0, 0, 0]", "", "origin"),
        ("free_thresh: 0.1", "free_thresh: .nan", "free_thresh"),
        (
            "free_thresh: 0.1",
            "occupied_thresh: [1]",
            "occupied_thresh",
        ),
        ("m.pgm", "''", "image"),
        ("m.pgm", "", "image"),
        ("m.pgm", "[a, b]", "image"),
    ] {
        let yaml = good.replacen(from, to, 1);
        match read(&yaml) {
            Err(Error::MapKey { key: named, .. }) => assert_eq!(named, key, "{yaml}"),
            other => panic!("{yaml}: {other:?}"),
        }
    }
}

#[test]
fn files_that_are_not_yaml_say_so() {
    for text in [
        "image: [",
        "- a\n- b",
        "just text",
        "a: 1\na: 2",
        "{",
        "\u{0}",
    ] {
        match read(text) {
            Err(Error::MapYaml { reason, .. }) => assert!(!reason.is_empty()),
            other => panic!("{text:?}: {other:?}"),
        }
    }
    let folder = Folder::new();
    let latin1 = folder.write("map.yaml", b"image: m\xfcller.pgm\n");
    assert!(matches!(MapFile::read(latin1), Err(Error::MapYaml { .. })));
    let empty = read("").expect_err("an empty file");
    assert!(empty.to_string().contains("map.yaml"), "{empty}");
    assert!(matches!(
        MapFile::read("no/such.yaml"),
        Err(Error::Io { .. })
    ));
}

// --- Paths ---
#[test]
fn an_image_is_no_map_and_says_what_to_pass() {
    let folder = Folder::new();
    let png = folder.write("a.png", encoded(GrayImage::new(2, 2), ImageFormat::Png));
    let pgm = folder.write("a.pgm", "P2 1 1 255 0");
    for path in [png, pgm] {
        let error = load_map(&path).expect_err("an image");
        assert!(matches!(error, Error::MapIsImage { .. }), "{error}");
        assert!(error.to_string().contains("YAML"), "{error}");
    }
}

#[test]
fn a_missing_image_is_named() {
    let folder = Folder::new();
    let error = load_map(folder.yaml("gone.pgm", KEYS)).expect_err("no image");
    assert!(
        error
            .to_string()
            .contains(&folder.path("gone.pgm").display().to_string()),
        "{error}"
    );
    let error = load_map(folder.yaml("/no/such/gone.pgm", KEYS)).expect_err("no image");
    assert!(error.to_string().contains("/no/such/gone.pgm"), "{error}");
}

#[test]
fn image_paths_may_be_absolute_or_under_home() {
    let folder = Folder::new();
    let elsewhere = Folder::new();
    let image = elsewhere.write("far.pgm", "P2 1 1 255 0");
    let grid = load_map(folder.yaml(image.to_str().expect("UTF-8"), KEYS)).expect("a good map");
    assert_eq!(grid.data(), [100]);

    let home = std::env::home_dir().expect("a home folder");
    let file = MapFile::read(folder.yaml("'~/maps/m.pgm'", KEYS)).expect("good YAML");
    assert_eq!(file.image, home.join("maps/m.pgm"));
}

#[test]
fn an_absolute_path_from_another_machine_is_looked_for_beside_the_yaml() {
    let folder = Folder::new();
    folder.write("scans.pgm", "P2 1 1 255 0");
    let path = folder.yaml("/home/robot/maps/scans.pgm", KEYS);
    assert_eq!(load_map(path).expect("a good map").data(), [100]);
    // A relative path is not guessed at.
    let path = folder.yaml("maps/scans.pgm", KEYS);
    assert!(matches!(load_map(path), Err(Error::MapImageMissing { .. })));
}

// --- Saving ---
fn saved_and_loaded(grid: &OccupancyGrid, name: &str) -> (OccupancyGrid, MapMode) {
    let folder = Folder::new();
    let path = folder.path(name);
    save_map(grid, &path).expect("saving");
    (
        load_map(&path).expect("loading"),
        MapFile::read(&path).expect("YAML").mode,
    )
}

#[test]
fn saved_maps_load_to_the_same_grid() {
    let geometry =
        Geometry::new(3, 2, 0.012_345, Pose2::new(-1e-7, 1_234.567_89, -3.1)).expect("good");
    let trinary = OccupancyGrid::new(geometry, vec![0, 100, -1, -1, 0, 0]).expect("good");
    for name in [
        "map.yaml",
        "a 'b': \"c\" #d.yaml",
        "ünïcode.yml",
        "noextension",
    ] {
        assert_eq!(
            saved_and_loaded(&trinary, name),
            (trinary.clone(), MapMode::Trinary),
            "{name}"
        );
    }
    let graded = OccupancyGrid::new(geometry, vec![0, 100, -1, 1, 50, 99]).expect("good");
    assert_eq!(
        saved_and_loaded(&graded, "map.yaml"),
        (graded.clone(), MapMode::Raw)
    );
}

#[test]
fn saving_refuses_to_write_the_image_over_the_yaml() {
    let geometry = Geometry::unit(1, 1).expect("good");
    let grid = OccupancyGrid::new(geometry, vec![0]).expect("good");
    let folder = Folder::new();
    assert!(save_map(&grid, folder.path("map.pgm")).is_err());
    assert!(matches!(
        save_map(&grid, Path::new("/no/such/map.yaml")),
        Err(Error::Io { .. })
    ));
}
