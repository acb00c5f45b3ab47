//! The node's settings as parameters: named, described, ranged, read from a file, checked and set.
//!
//! `configs/planner.yaml` documents each of them; that file is part of the program, and its comments
//! are the descriptions that `ros2 param describe` shows. Names are flat, with dots
//! (`obstacle_layer.enabled`), as ROS has them; the planner's own settings ([`PlannerConfig`])
//! have no prefix.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value};

use super::settings::Settings;
use crate::planner::PlannerConfig;
use crate::{Error, Result};

/// The documented file.
const DOCUMENTED: &str = include_str!("../../configs/planner.yaml");

/// Parameters that are fixed when the node starts: they name endpoints, or what is loaded.
const READ_ONLY: [&str; 20] = [
    "autostart_node",
    "bond_heartbeat_period",
    "costmap_name",
    "device",
    "diagnostics_period",
    "map_qos_depth",
    "map_qos_durability",
    "map_qos_reliability",
    "map_topic",
    "model",
    "obstacle_layer.observation_sources",
    "planner_plugins",
    "precision",
    "sensor_qos_reliability",
    "subscribe_goal_pose",
    "threads",
    "use_sim_time",
    // Of the sources:
    "data_type",
    "topic",
    "sensor_frame",
];

/// A parameter as middleware declares it.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// With dots.
    pub name: String,
    /// A truth value, an integer, a real number, a text or a list of texts.
    pub value: Value,
    /// What it is for, from `configs/planner.yaml`.
    pub description: String,
    /// The least and the greatest value of a number.
    pub range: Option<(f64, f64)>,
    /// Whether it is fixed when the node starts.
    pub read_only: bool,
}

impl Settings {
    /// The settings in a YAML file: a ROS parameter file (everything under `NODE: ros__parameters:`),
    /// or the same keys without that. Keys left out have their defaults.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::ConfigFile`] for what is no YAML, for an unknown key and for a value
    /// of the wrong type; as [`Settings::validate`].
    pub fn read(path: &Path) -> Result<Self> {
        Self::default().with_file(path)
    }

    /// As [`Settings::read`]; keys left out stay as they are.
    ///
    /// # Errors
    /// As [`Settings::read`].
    pub fn with_file(self, path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|source| Error::Io {
            path: path.to_owned(),
            source,
        })?;
        self.with_text(&text).map_err(|error| match error {
            Error::UnknownParameter { .. } | Error::ParameterValue { .. } => Error::ConfigFile {
                path: path.to_owned(),
                reason: error.to_string(),
            },
            Error::ConfigFile { reason, .. } => Error::ConfigFile {
                path: path.to_owned(),
                reason,
            },
            other => other,
        })
    }

    /// As [`Settings::read`], of a file's text.
    ///
    /// # Errors
    /// As [`Settings::read`], without the path.
    pub fn parse(text: &str) -> Result<Self> {
        Self::default().with_text(text)
    }

    fn with_text(self, text: &str) -> Result<Self> {
        let bad = |reason: String| Error::ConfigFile {
            path: "settings".into(),
            reason,
        };
        let whole: Value = serde_saphyr::from_str(text)
            .map_err(|error| bad(error.without_snippet().to_string()))?;
        let entries = match whole {
            Value::Object(entries) => entries,
            Value::Null => Map::new(),
            _ => return Err(bad("it must be a list of `key: value`".to_owned())),
        };
        let is_of_ros = |entry: &Value| entry.get("ros__parameters").is_some();
        let sections: Vec<Map<String, Value>> = if entries.values().any(is_of_ros) {
            let sections = entries.into_iter().filter_map(|(_, mut section)| {
                match section.get_mut("ros__parameters").map(Value::take) {
                    Some(Value::Object(section)) => Some(section),
                    _ => None,
                }
            });
            sections.collect()
        } else {
            vec![entries]
        };
        let mut flat = Vec::new();
        for section in sections {
            flatten("", Value::Object(section), &mut flat);
        }
        let mut settings = self;
        // The sensors' names first: they say which other names there are.
        flat.sort_by_key(|(name, _)| name != "obstacle_layer.observation_sources");
        for (name, value) in flat {
            settings.set_unchecked(&name, &value)?;
        }
        settings.validate()?;
        Ok(settings)
    }

    /// Every parameter with its present value.
    pub fn parameters(&self) -> Vec<Parameter> {
        let descriptions = descriptions(DOCUMENTED);
        let describe = |name: &str| {
            let of_any_source =
                of_sensor(name).map(|(_, key)| format!("obstacle_layer.scan.{key}"));
            let documented = descriptions
                .get(name)
                .or_else(|| descriptions.get(&of_any_source?));
            documented.cloned().unwrap_or_default()
        };
        let parameters = self.values().into_iter().map(|(name, value)| Parameter {
            description: describe(&name),
            range: range(&name),
            read_only: is_read_only(&name),
            name,
            value,
        });
        parameters.collect()
    }

    /// Names and values.
    fn values(&self) -> Vec<(String, Value)> {
        let mut flat = Vec::new();
        let as_json = |value: serde_json::Result<Value>| value.unwrap_or_default();
        flatten("", as_json(serde_json::to_value(&self.planner)), &mut flat);
        flatten("", as_json(serde_json::to_value(&self.node)), &mut flat);
        flat
    }

    /// Sets a parameter while the node runs.
    ///
    /// # Errors
    /// [`Error::UnknownParameter`]; [`Error::ParameterValue`] for another type and for one that is
    /// fixed; as [`Settings::validate`]. Nothing is changed then.
    pub fn set(&mut self, name: &str, value: &Value) -> Result<()> {
        let mut changed = self.clone();
        changed.set_unchecked(name, value)?;
        changed.validate()?;
        if is_read_only(name) && changed != *self {
            return Err(Error::ParameterValue {
                name: name.to_owned(),
                value: value.to_string(),
                reason: "it is fixed when the node starts; give it in a parameter file or on the \
                         command line"
                    .to_owned(),
            });
        }
        *self = changed;
        Ok(())
    }

    /// Sets a parameter before the node starts, of whatever range: [`Settings::validate`] follows.
    ///
    /// # Errors
    /// [`Error::UnknownParameter`], [`Error::ParameterValue`] for another type.
    pub fn set_unchecked(&mut self, name: &str, value: &Value) -> Result<()> {
        let refuse = |error: serde_json::Error| Error::ParameterValue {
            name: name.to_owned(),
            value: value.to_string(),
            reason: error.to_string(),
        };
        let unknown = || Error::UnknownParameter {
            name: name.to_owned(),
        };
        if let Some((sensor, key)) = of_sensor(name) {
            // A sensor's settings come about when one of them is set.
            let layer = &mut self.node.obstacle_layer;
            if !layer.names().any(|known| known == sensor) {
                return Err(unknown());
            }
            let mut source = serde_json::to_value(layer.source(sensor)).map_err(refuse)?;
            *source.get_mut(key).ok_or_else(unknown)? = value.clone();
            let source = serde_json::from_value(source).map_err(refuse)?;
            layer.sources.insert(sensor.to_owned(), source);
            return Ok(());
        }
        let pointer = format!("/{}", name.replace('.', "/"));
        let mut planner = serde_json::to_value(&self.planner).map_err(refuse)?;
        if let Some(place) = planner.pointer_mut(&pointer) {
            *place = value.clone();
            self.planner = serde_json::from_value(planner).map_err(refuse)?;
            return Ok(());
        }
        let mut node = serde_json::to_value(&self.node).map_err(refuse)?;
        let place = node
            .pointer_mut(&pointer)
            .filter(|place| !place.is_object());
        *place.ok_or_else(unknown)? = value.clone();
        self.node = serde_json::from_value(node).map_err(refuse)?;
        let layer = &mut self.node.obstacle_layer;
        let names: Vec<String> = layer.names().map(str::to_owned).collect();
        layer.sources.retain(|name, _| names.contains(name));
        for name in names {
            layer.sources.entry(name).or_default();
        }
        Ok(())
    }

    /// Checks that every number is within its range.
    ///
    /// # Errors
    /// [`Error::PlannerSetting`], [`Error::ParameterValue`].
    pub fn validate(&self) -> Result<()> {
        self.planner.validate()?;
        for (name, value) in self.values() {
            let (Some((least, greatest)), Some(number)) = (range(&name), value.as_f64()) else {
                continue;
            };
            if !(least..=greatest).contains(&number) {
                return Err(Error::ParameterValue {
                    name,
                    value: value.to_string(),
                    reason: format!("it must be {least} to {greatest}"),
                });
            }
        }
        Ok(())
    }
}

/// The sensor and the key of a sensor's setting, `obstacle_layer.SENSOR.KEY`.
fn of_sensor(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix("obstacle_layer.")?.rsplit_once('.')
}

fn is_read_only(name: &str) -> bool {
    READ_ONLY.contains(&name) || of_sensor(name).is_some_and(|(_, key)| READ_ONLY.contains(&key))
}

/// The range of a parameter that is a number.
fn range(name: &str) -> Option<(f64, f64)> {
    let of_node = match of_sensor(name).map_or(name, |(_, key)| key) {
        "transform_tolerance"
        | "costmap_update_timeout"
        | "observation_persistence"
        | "expected_update_rate" => Some((0.0, 3600.0)),
        "expected_planner_frequency"
        | "update_frequency"
        | "publish_frequency"
        | "obstacle_min_range"
        | "obstacle_max_range"
        | "raytrace_min_range"
        | "raytrace_max_range" => Some((0.0, 1000.0)),
        "bond_heartbeat_period" | "diagnostics_period" => Some((0.0, 60.0)),
        "map_qos_depth" => Some((1.0, 1000.0)),
        "static_layer.lethal_cost_threshold" => Some((0.0, 100.0)),
        "obstacle_layer.combination_method" => Some((0.0, 2.0)),
        "min_obstacle_height" | "max_obstacle_height" => Some((-1000.0, 1000.0)),
        _ => None,
    };
    of_node.or_else(|| PlannerConfig::range(name).map(|range| (*range.start(), *range.end())))
}

/// Leaves of nested entries, with dotted names.
fn flatten(prefix: &str, value: Value, flat: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                let name = if prefix.is_empty() {
                    key
                } else {
                    format!("{prefix}.{key}")
                };
                flatten(&name, value, flat);
            }
        }
        leaf => flat.push((prefix.to_owned(), leaf)),
    }
}

/// The comments right above each key of a ROS parameter file, by the key's dotted name.
fn descriptions(text: &str) -> BTreeMap<String, String> {
    let mut descriptions = BTreeMap::new();
    let mut comment: Vec<&str> = Vec::new();
    let mut above: Vec<(usize, &str)> = Vec::new();
    for line in text.lines() {
        let content = line.trim_start();
        let indent = line.len() - content.len();
        if let Some(words) = content.strip_prefix('#') {
            comment.push(words.trim());
            continue;
        }
        if let Some((key, _)) = content.split_once(':') {
            above.retain(|(outer, _)| *outer < indent);
            above.push((indent, key));
            let name: Vec<&str> = above
                .iter()
                .map(|(_, key)| *key)
                .filter(|key| *key != "/**" && *key != "ros__parameters")
                .collect();
            descriptions.insert(name.join("."), comment.join(" "));
        }
        comment.clear();
    }
    descriptions
}
