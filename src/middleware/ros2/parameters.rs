//! The node's settings as ROS parameters: declared with description and range, checked as a whole,
//! changed at run time where that is safe. rclrs serves the six parameter services.

use std::any::Any;
use std::sync::{Arc, OnceLock, Weak};

use rclrs::{Node as RosNode, ParameterRange, ParameterVariant};
use serde_json::Value;

use super::{Parts, refused};
use crate::Result;
use crate::node::Node;
use crate::node::parameters::Parameter;
use crate::node::settings::Settings;

/// The parameter that says which others there are.
const SENSORS: &str = "obstacle_layer.observation_sources";
/// The parameter that rclrs declares by itself, and its clock follows.
const SIMULATED: &str = "use_sim_time";

/// The node, once there is one: parameters are declared before it.
type Later = Arc<OnceLock<Weak<Node>>>;

/// All parameters, declared.
pub struct Declared {
    settings: Settings,
    parts: Parts,
    node: Later,
}

impl Declared {
    /// Declares them; values come from the command line and its files, else from the defaults.
    ///
    /// # Errors
    /// A value of the wrong type, outside its range, or that makes no sense beside the others.
    pub fn new(ros: &RosNode) -> Result<Self> {
        let mut declared = Self {
            settings: Settings::default(),
            parts: Parts::new(),
            node: Later::default(),
        };
        let is_sensors = |parameter: &Parameter| parameter.name == SENSORS;
        let first = declared.settings.parameters();
        for parameter in first.iter().filter(|parameter| is_sensors(parameter)) {
            declared.declare(ros, parameter)?;
        }
        let rest = declared.settings.parameters();
        let is_ours =
            |parameter: &&Parameter| !is_sensors(parameter) && parameter.name != SIMULATED;
        for parameter in rest.iter().filter(is_ours) {
            declared.declare(ros, parameter)?;
        }
        declared.settings.validate()?;
        Ok(declared)
    }

    /// The settings that they say.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Lets the node follow them from now on; what keeps them declared.
    pub fn follow(self, node: &Arc<Node>) -> Parts {
        // Set once: `self` is used up.
        let _ = self.node.set(Arc::downgrade(node));
        self.parts
    }

    fn declare(&mut self, ros: &RosNode, parameter: &Parameter) -> Result<()> {
        let later = self.node.clone();
        let (part, value): (Box<dyn Any>, Value) = match &parameter.value {
            Value::Bool(default) => {
                declared(ros, parameter, *default, (), later, |value| (*value).into())?
            }
            Value::Number(default) if default.is_f64() => {
                let range = ParameterRange {
                    lower: parameter.range.map(|(least, _)| least),
                    upper: parameter.range.map(|(_, greatest)| greatest),
                    step: None,
                };
                let default = default.as_f64().unwrap_or_default();
                declared(ros, parameter, default, range, later, |value| {
                    (*value).into()
                })?
            }
            Value::Number(default) => {
                let range = ParameterRange {
                    lower: parameter.range.map(|(least, _)| least as i64),
                    upper: parameter.range.map(|(_, greatest)| greatest as i64),
                    step: None,
                };
                let default = default.as_i64().unwrap_or_default();
                declared(ros, parameter, default, range, later, |value| {
                    (*value).into()
                })?
            }
            Value::Array(default) => {
                let texts = default.iter().filter_map(Value::as_str).map(Arc::from);
                let default: Arc<[Arc<str>]> = texts.collect();
                declared(
                    ros,
                    parameter,
                    default,
                    (),
                    later,
                    |value: &Arc<[Arc<str>]>| {
                        value.iter().map(|text| Value::from(&**text)).collect()
                    },
                )?
            }
            other => {
                let default: Arc<str> = other.as_str().unwrap_or_default().into();
                declared(ros, parameter, default, (), later, |value: &Arc<str>| {
                    Value::from(&**value)
                })?
            }
        };
        self.parts.push(part);
        self.settings.set_unchecked(&parameter.name, &value)
    }
}

/// One parameter, declared, and its value.
fn declared<T: ParameterVariant + Clone + 'static>(
    ros: &RosNode,
    parameter: &Parameter,
    default: T,
    range: T::Range,
    later: Later,
    value_of: fn(&T) -> Value,
) -> Result<(Box<dyn Any>, Value)> {
    let name = parameter.name.clone();
    let builder = ros
        .declare_parameter(parameter.name.as_str())
        .default(default)
        .range(range)
        .description(parameter.description.as_str());
    if parameter.read_only {
        let declared = builder.read_only().map_err(refused(name))?;
        let value = value_of(&declared.get());
        return Ok((Box::new(declared), value));
    }
    let (of_check, checked) = (later.clone(), name.clone());
    let declared = builder
        .validate(move |value| {
            let Some(node) = of_check.get().and_then(Weak::upgrade) else {
                return Ok(()); // at the start, all are checked together
            };
            let mut settings = Settings::clone(&node.settings());
            let set = settings.set(&checked, &value_of(value));
            set.map_err(|error| error.to_string())
        })
        .mandatory()
        .map_err(refused(name.clone()))?;
    let value = value_of(&declared.get());
    declared.on_change(move |value| {
        let Some(node) = later.get().and_then(Weak::upgrade) else {
            return;
        };
        let value = value_of(value);
        let text = value.to_string();
        match node.set_parameters(vec![(name.clone(), value)]) {
            Ok(()) => tracing::info!("{name} is now {text}"),
            Err(error) => tracing::error!(%error, "a parameter was set, but is not followed"),
        }
    });
    Ok((Box::new(declared), value))
}
