//! The settings: the documented file says what the code does, and wrong values are named.

use std::path::{Path, PathBuf};

use hrm_planner::Error;
use hrm_planner::planner::{HaltRule, PlanSource, Planner, PlannerConfig};

fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("configs/planner.yaml")
}

fn read(text: &str) -> hrm_planner::Result<PlannerConfig> {
    let folder = tempfile::tempdir().expect("a folder for the file");
    let path = folder.path().join("planner.yaml");
    std::fs::write(&path, text).expect("the file can be written");
    PlannerConfig::read(&path)
}

#[test]
fn the_shipped_file_holds_the_defaults() {
    assert_eq!(
        PlannerConfig::read(&shipped()).unwrap(),
        PlannerConfig::default()
    );
}

#[test]
fn the_shipped_file_documents_every_key() {
    let text = std::fs::read_to_string(shipped()).unwrap();
    let keys = serde_json::to_value(PlannerConfig::default()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    for key in keys.as_object().unwrap().keys() {
        let place = lines
            .iter()
            .position(|line| line.starts_with(&format!("{key}: ")));
        let place = place.unwrap_or_else(|| panic!("{key} is missing"));
        assert!(lines[place - 1].starts_with('#'), "{key} has no comment");
    }
}

#[test]
fn keys_left_out_have_their_defaults() {
    let config = read("source: search\nhalt: never\n").unwrap();
    let expected = PlannerConfig {
        source: PlanSource::Search,
        halt: HaltRule::Never,
        ..PlannerConfig::default()
    };
    assert_eq!(config, expected);
}

#[test]
fn an_unknown_key_is_an_error_that_names_it() {
    let message = read("robot_radios: 0.3\n").unwrap_err().to_string();
    assert!(
        message.contains("robot_radios") && message.contains("planner.yaml"),
        "{message}"
    );
}

#[test]
fn a_value_of_the_wrong_type_is_an_error() {
    for text in [
        "max_segments: many",
        "source: oracle",
        "tolerance: [1]",
        "- 1",
    ] {
        let error = read(text).unwrap_err();
        assert!(matches!(error, Error::ConfigFile { .. }), "{text}: {error}");
    }
}

#[test]
fn a_value_outside_its_range_is_an_error_that_names_the_key() {
    for (text, key) in [
        ("robot_radius: -0.1", "robot_radius"),
        ("robot_radius: .nan", "robot_radius"),
        ("inflation_radius: .inf", "inflation_radius"),
        ("cost_scaling_factor: -1", "cost_scaling_factor"),
        ("cost_weight: 1001", "cost_weight"),
        ("tolerance: -1", "tolerance"),
        ("max_segments: 0", "max_segments"),
        ("max_planning_time: 0", "max_planning_time"),
        ("max_tokens: 1", "max_tokens"),
        ("max_cells: 0", "max_cells"),
    ] {
        match read(text).unwrap_err() {
            Error::PlannerSetting { key: named, .. } => assert_eq!(named, key),
            other => panic!("{text}: {other}"),
        }
    }
}

#[test]
fn a_planner_refuses_settings_outside_their_ranges() {
    let config = PlannerConfig {
        max_planning_time: f64::NAN,
        ..PlannerConfig::default()
    };
    assert!(Planner::new(config, None).is_err());
}

#[test]
fn a_missing_file_is_named() {
    let message = PlannerConfig::read(Path::new("no/such.yaml"))
        .unwrap_err()
        .to_string();
    assert!(message.contains("no/such.yaml"), "{message}");
}
