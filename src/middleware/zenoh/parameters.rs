//! The node's settings as ROS parameters: the six services, and what has changed on `/parameter_events`.

use std::sync::Arc;

use serde_json::Value;

use super::contract::{Qos, time_msg};
use super::graph::{Graph, Publisher};
use super::interfaces::rcl_interfaces::msg::{
    FloatingPointRange, IntegerRange, ListParametersResult, Parameter as ParameterMsg,
    ParameterDescriptor, ParameterEvent, ParameterType, ParameterValue, SetParametersResult,
};
use super::interfaces::rcl_interfaces::srv::{
    DescribeParameters, DescribeParameters_Request, DescribeParameters_Response, GetParameterTypes,
    GetParameterTypes_Request, GetParameterTypes_Response, GetParameters, GetParameters_Request,
    GetParameters_Response, ListParameters, ListParameters_Request, ListParameters_Response,
    SetParameters, SetParameters_Request, SetParameters_Response, SetParametersAtomically,
    SetParametersAtomically_Request, SetParametersAtomically_Response,
};
use crate::Result;
use crate::node::Node;
use crate::node::parameters::Parameter;

/// Names that are looked at in a request: a node has a hundredth of them.
const MOST_NAMES: usize = 10_000;

/// # Errors
/// [`crate::Error::Middleware`] where Zenoh refuses.
pub fn serve(graph: &mut Graph, node: &Arc<Node>) -> Result<()> {
    let of_get = node.clone();
    graph.serve::<GetParameters>("~/get_parameters", move |ask: GetParameters_Request| {
        let values = described(&of_get, &ask.names).map(|parameter| {
            parameter.map_or_else(ParameterValue::default, |p| value_msg(&p.value))
        });
        GetParameters_Response {
            values: values.collect(),
        }
    })?;
    let of_types = node.clone();
    graph.serve::<GetParameterTypes>(
        "~/get_parameter_types",
        move |ask: GetParameterTypes_Request| {
            let types = described(&of_types, &ask.names)
                .map(|p| p.map_or(ParameterType::PARAMETER_NOT_SET, |p| type_of(&p.value)));
            GetParameterTypes_Response {
                types: types.collect(),
            }
        },
    )?;
    let of_list = node.clone();
    graph.serve::<ListParameters>("~/list_parameters", move |ask: ListParameters_Request| {
        ListParameters_Response {
            result: list(&of_list, &ask),
        }
    })?;
    let of_describe = node.clone();
    graph.serve::<DescribeParameters>(
        "~/describe_parameters",
        move |ask: DescribeParameters_Request| DescribeParameters_Response {
            descriptors: described(&of_describe, &ask.names)
                .zip(&ask.names)
                .map(|(parameter, name)| descriptor(parameter.as_ref(), name))
                .collect(),
        },
    )?;
    let setting = Arc::new(Setting {
        node: node.clone(),
        full_name: graph.full_name(),
        events: graph.publisher("/parameter_events", Qos::reliable(1000))?,
    });
    let one_by_one = setting.clone();
    graph.serve::<SetParameters>("~/set_parameters", move |ask: SetParameters_Request| {
        let each = ask.parameters.into_iter();
        SetParameters_Response {
            results: each
                .map(|parameter| one_by_one.set(vec![parameter]))
                .collect(),
        }
    })?;
    graph.serve::<SetParametersAtomically>(
        "~/set_parameters_atomically",
        move |ask: SetParametersAtomically_Request| SetParametersAtomically_Response {
            result: setting.set(ask.parameters),
        },
    )
}

/// Sets parameters and tells of it.
struct Setting {
    node: Arc<Node>,
    full_name: String,
    events: Publisher<ParameterEvent>,
}

impl Setting {
    /// All of them or none.
    fn set(&self, parameters: Vec<ParameterMsg>) -> SetParametersResult {
        let known = self.node.settings().parameters();
        let mut values = Vec::new();
        for parameter in &parameters {
            let name = &parameter.name;
            let known = known.iter().find(|known| known.name == *name);
            // What is unknown is refused by the node.
            if let Some(known) = known
                && type_of(&known.value) != parameter.value.type_
            {
                return SetParametersResult {
                    successful: false,
                    reason: format!(
                        "{name} is {}, not {}",
                        type_name(type_of(&known.value)),
                        type_name(parameter.value.type_)
                    ),
                };
            }
            values.push((name.clone(), json(&parameter.value)));
        }
        if let Err(error) = self.node.set_parameters(values.clone()) {
            return SetParametersResult {
                successful: false,
                reason: error.to_string(),
            };
        }
        for (name, value) in values {
            tracing::info!("{name} is now {value}");
        }
        let event = ParameterEvent {
            stamp: time_msg(self.node.now()),
            node: self.full_name.clone(),
            changed_parameters: parameters,
            ..ParameterEvent::default()
        };
        if let Err(error) = self.events.publish(event) {
            tracing::error!(%error, "a parameter's change could not be published");
        }
        SetParametersResult {
            successful: true,
            reason: String::new(),
        }
    }
}

/// The parameters of these names, one each; `None` for names that there are not. Names beyond
/// [`MOST_NAMES`] have none.
fn described<'a>(
    node: &Node,
    names: &'a [String],
) -> impl Iterator<Item = Option<Parameter>> + use<'a> {
    let parameters = node.settings().parameters();
    names
        .iter()
        .take(MOST_NAMES)
        .map(move |name| parameters.iter().find(|p| p.name == *name).cloned())
}

/// Names below the prefixes (all names without one), no deeper than `depth` parts (0: as deep as they go).
fn list(node: &Node, ask: &ListParameters_Request) -> ListParametersResult {
    let is_within = |name: &str, prefix: &str| {
        name == prefix
            || name
                .strip_prefix(prefix)
                .and_then(|rest| rest.strip_prefix('.'))
                .is_some_and(|rest| is_shallow(rest, ask.depth))
    };
    let is_asked = |name: &str| {
        if ask.prefixes.is_empty() {
            is_shallow(name, ask.depth)
        } else {
            ask.prefixes.iter().any(|prefix| is_within(name, prefix))
        }
    };
    let mut result = ListParametersResult::default();
    for parameter in node.settings().parameters() {
        if is_asked(&parameter.name) {
            if let Some((prefix, _)) = parameter.name.rsplit_once('.')
                && !result.prefixes.iter().any(|known| known == prefix)
            {
                result.prefixes.push(prefix.to_owned());
            }
            result.names.push(parameter.name);
        }
    }
    result
}

fn is_shallow(name: &str, depth: u64) -> bool {
    depth == 0 || (name.split('.').count() as u64) <= depth
}

fn descriptor(parameter: Option<&Parameter>, name: &str) -> ParameterDescriptor {
    let Some(parameter) = parameter else {
        return ParameterDescriptor {
            name: name.to_owned(),
            ..ParameterDescriptor::default()
        };
    };
    let type_ = type_of(&parameter.value);
    let mut descriptor = ParameterDescriptor {
        name: parameter.name.clone(),
        type_,
        description: parameter.description.clone(),
        read_only: parameter.read_only,
        ..ParameterDescriptor::default()
    };
    match parameter.range {
        Some((from, to)) if type_ == ParameterType::PARAMETER_INTEGER => {
            descriptor.integer_range.push(IntegerRange {
                from_value: from as i64,
                to_value: to as i64,
                step: 0,
            });
        }
        Some((from_value, to_value)) => {
            descriptor.floating_point_range.push(FloatingPointRange {
                from_value,
                to_value,
                step: 0.0,
            });
        }
        None => {}
    }
    descriptor
}

/// The type of a setting's value.
fn type_of(value: &Value) -> u8 {
    match value {
        Value::Bool(_) => ParameterType::PARAMETER_BOOL,
        Value::Number(number) if number.is_f64() => ParameterType::PARAMETER_DOUBLE,
        Value::Number(_) => ParameterType::PARAMETER_INTEGER,
        Value::Array(_) => ParameterType::PARAMETER_STRING_ARRAY,
        _ => ParameterType::PARAMETER_STRING,
    }
}

fn type_name(type_: u8) -> &'static str {
    match type_ {
        ParameterType::PARAMETER_NOT_SET => "nothing",
        ParameterType::PARAMETER_BOOL => "true or false",
        ParameterType::PARAMETER_INTEGER => "an integer",
        ParameterType::PARAMETER_DOUBLE => "a real number (write 1.0, not 1)",
        ParameterType::PARAMETER_STRING => "a text",
        ParameterType::PARAMETER_STRING_ARRAY => "a list of texts",
        _ => "a list of something else",
    }
}

fn value_msg(value: &Value) -> ParameterValue {
    let mut message = ParameterValue {
        type_: type_of(value),
        ..ParameterValue::default()
    };
    match value {
        Value::Bool(value) => message.bool_value = *value,
        Value::Number(value) if value.is_f64() => {
            message.double_value = value.as_f64().unwrap_or_default();
        }
        Value::Number(value) => message.integer_value = value.as_i64().unwrap_or_default(),
        Value::Array(values) => {
            let texts = values.iter().filter_map(Value::as_str);
            message.string_array_value = texts.map(str::to_owned).collect();
        }
        other => other
            .as_str()
            .unwrap_or_default()
            .clone_into(&mut message.string_value),
    }
    message
}

/// A value as the node takes it; what no parameter of it has is null.
pub fn json(value: &ParameterValue) -> Value {
    match value.type_ {
        ParameterType::PARAMETER_BOOL => value.bool_value.into(),
        ParameterType::PARAMETER_INTEGER => value.integer_value.into(),
        ParameterType::PARAMETER_DOUBLE => value.double_value.into(),
        ParameterType::PARAMETER_STRING => value.string_value.clone().into(),
        ParameterType::PARAMETER_STRING_ARRAY => value.string_array_value.clone().into(),
        _ => Value::Null,
    }
}
