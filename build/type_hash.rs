//! Type hashes as REP 2016 defines them: SHA-256 of the descriptions of a type and of all types that it
//! needs, as one JSON text to the letter of Python's `json.dumps`.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use crate::definitions::{Count, Element, Field, Interface, structures};

/// All types by full name: the description of each, and what structures it needs itself.
#[derive(Default)]
pub struct Types(BTreeMap<String, (String, Vec<String>)>);

impl Types {
    pub fn of(interfaces: &[Interface]) -> Self {
        let mut types = Self::default();
        for interface in interfaces {
            let folder = format!("{}/{}", interface.package, interface.kind);
            for structure in &interface.structures {
                types.add(format!("{folder}/{}", structure.name), &structure.fields);
            }
            let full_name = format!("{folder}/{}", interface.name);
            match interface.kind {
                "srv" => types.add_service(&full_name),
                "action" => types.add_action(&full_name),
                _ => {}
            }
        }
        types
    }

    /// The hash of a type, by its full name.
    pub fn hash(&self, full_name: &str) -> String {
        let mut needed = BTreeSet::new();
        let mut open = vec![full_name];
        while let Some(name) = open.pop() {
            let needs = self.get(name).1.iter().map(String::as_str);
            open.extend(needs.filter(|name| needed.insert(*name)));
        }
        let needed = needed.into_iter().map(|name| self.get(name).0.as_str());
        let json = format!(
            r#"{{"type_description": {}, "referenced_type_descriptions": [{}]}}"#,
            self.get(full_name).0,
            needed.collect::<Vec<_>>().join(", ")
        );
        format!("RIHS01_{:x}", Sha256::digest(json))
    }

    fn get(&self, full_name: &str) -> &(String, Vec<String>) {
        let found = self.0.get(full_name);
        found.unwrap_or_else(|| panic!("{full_name} is needed, but not defined"))
    }

    fn add(&mut self, full_name: String, fields: &[Field]) {
        let described = fields.iter().map(describe).collect::<Vec<_>>().join(", ");
        let json = format!(r#"{{"type_name": "{full_name}", "fields": [{described}]}}"#);
        let needs = fields.iter().filter_map(|field| match &field.element {
            Element::Structure(name) => Some(name.clone()),
            Element::Primitive(_) => None,
        });
        self.0.insert(full_name, (json, needs.collect()));
    }

    /// Adds structures that no file defines.
    fn add_derived(&mut self, name: &str, suffixes: &[&str], definition: &str) {
        for (suffix, structure) in suffixes.iter().zip(structures("", definition, name)) {
            self.add(format!("{name}{suffix}"), &structure.fields);
        }
    }

    /// A service as a type, and what introspection tells of it.
    fn add_service(&mut self, name: &str) {
        let definition = format!(
            "{name}_Request request_message
            {name}_Response response_message
            {name}_Event event_message
            ---
            service_msgs/ServiceEventInfo info
            {name}_Request[<=1] request
            {name}_Response[<=1] response"
        );
        self.add_derived(name, &["", "_Event"], &definition);
    }

    /// The services and the topic of an action that have types of their own.
    fn add_action(&mut self, name: &str) {
        let definition = format!(
            "unique_identifier_msgs/UUID goal_id
            {name}_Goal goal
            ---
            bool accepted
            builtin_interfaces/Time stamp
            ---
            unique_identifier_msgs/UUID goal_id
            ---
            int8 status
            {name}_Result result
            ---
            unique_identifier_msgs/UUID goal_id
            {name}_Feedback feedback"
        );
        let suffixes = [
            "_SendGoal_Request",
            "_SendGoal_Response",
            "_GetResult_Request",
            "_GetResult_Response",
            "_FeedbackMessage",
        ];
        self.add_derived(name, &suffixes, &definition);
        self.add_service(&format!("{name}_SendGoal"));
        self.add_service(&format!("{name}_GetResult"));
    }
}

fn describe(field: &Field) -> String {
    let (id, structure) = match &field.element {
        Element::Primitive(primitive) => (primitive.id, ""),
        Element::Structure(name) => (1, name.as_str()),
    };
    // Several values of a type have other numbers than one.
    let (id, capacity) = match field.count {
        Count::One => (id, 0),
        Count::Array(size) => (id + 48, size),
        Count::AtMost(most) => (id + 96, most),
        Count::Any => (id + 144, 0),
    };
    let sizes = format!(r#""capacity": {capacity}, "string_capacity": 0"#);
    let numbers = format!(r#""type_id": {id}, {sizes}, "nested_type_name": "{structure}""#);
    format!(r#"{{"name": "{}", "type": {{{numbers}}}}}"#, field.name)
}
