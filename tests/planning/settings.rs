//! The settings: the documented file says what the code does, and wrong values are named.

use std::path::{Path, PathBuf};

use hrm_planner::Error;
use hrm_planner::node::Settings;
use hrm_planner::planner::{HaltRule, PlanSource, Planner, PlannerConfig};

fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("configs/planner.yaml")
}

fn read(text: &str) -> hrm_planner::Result<PlannerConfig> {
    let folder = tempfile::tempdir().expect("a folder for the file");
    let path = folder.path().join("planner.yaml");
    std::fs::write(&path, text).expect("the file can be written");
    Ok(Settings::read(&path)?.planner)
}

#[test]
fn the_shipped_file_holds_the_defaults() {
    assert_eq!(Settings::read(&shipped()).unwrap(), Settings::default());
}

#[test]
fn the_shipped_file_documents_every_parameter() {
    let text = std::fs::read_to_string(shipped()).unwrap();
    for parameter in Settings::default().parameters() {
        let name = &parameter.name;
        let key = name.rsplit('.').next().unwrap();
        assert!(text.contains(&format!(" {key}: ")), "{name} is missing");
        assert!(parameter.description.len() > 20, "{name} has no comment");
        let is_number = parameter.value.is_number() && key != "moves";
        assert_eq!(parameter.range.is_some(), is_number, "{name}");
    }
}

#[test]
fn a_ros_parameter_file_may_name_the_node_or_not_and_nest_or_dot_its_keys() {
    let expected = read("robot_radius: 0.3").unwrap();
    for text in [
        "planner_server:\n  ros__parameters:\n    robot_radius: 0.3",
        "/**:\n  ros__parameters: {robot_radius: 0.3}",
        "/**: {ros__parameters: {robot_radius: 0.1}}\nrobot: {ros__parameters: {robot_radius: 0.3}}",
    ] {
        assert_eq!(read(text).unwrap(), expected, "{text}");
    }
    let dotted = Settings::parse("static_layer.lethal_cost_threshold: 65").unwrap();
    assert_eq!(dotted.node.static_layer.lethal_cost_threshold, 65);
}

#[test]
fn sensors_have_settings_under_their_names() {
    let settings = Settings::parse(
        "obstacle_layer:\n  front: {topic: front/points, data_type: PointCloud2}\n  \
         observation_sources: [front, rear]\n  rear.obstacle_max_range: 7",
    )
    .unwrap();
    let layer = &settings.node.obstacle_layer;
    assert_eq!(layer.source("front").topic, "front/points");
    assert!((layer.source("rear").obstacle_max_range - 7.0).abs() < 1e-9);
    assert!(!layer.sources.contains_key("scan"));
    let error = Settings::parse("obstacle_layer.camera.topic: x").unwrap_err();
    assert!(
        error.to_string().contains("obstacle_layer.camera.topic"),
        "{error}"
    );
}

#[test]
fn what_is_fixed_at_the_start_cannot_be_set_later() {
    let mut settings = Settings::default();
    let before = settings.clone();
    for (name, value) in [
        ("map_topic", serde_json::Value::from("other")),
        ("obstacle_layer.scan.topic", "other".into()),
        ("robot_radius", (-1.0).into()),
        ("halt", "sometimes".into()),
        ("no_such_parameter", 1.into()),
        ("obstacle_layer", 1.into()),
    ] {
        let error = settings.set(name, &value).unwrap_err().to_string();
        assert!(error.contains(name), "{name}: {error}");
        assert_eq!(settings, before, "{name}");
    }
    settings.set("robot_radius", &0.4.into()).unwrap();
    settings
        .set("obstacle_layer.scan.marking", &false.into())
        .unwrap();
    assert!(!settings.node.obstacle_layer.source("scan").marking);
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
        ("robot_radius: .nan", "`.nan`"),
        ("inflation_radius: .inf", "`.inf`"),
        ("cost_scaling_factor: -1", "cost_scaling_factor"),
        ("cost_weight: 1001", "cost_weight"),
        ("tolerance: -1", "tolerance"),
        ("max_segments: 0", "max_segments"),
        ("max_planning_time: 0", "max_planning_time"),
        ("max_tokens: 1", "max_tokens"),
        ("max_cells: 0", "max_cells"),
    ] {
        let message = read(text).unwrap_err().to_string();
        assert!(message.contains(key), "{text}: {message}");
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
    let message = Settings::read(Path::new("no/such.yaml"))
        .unwrap_err()
        .to_string();
    assert!(message.contains("no/such.yaml"), "{message}");
}
