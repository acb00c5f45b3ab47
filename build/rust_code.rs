//! Interfaces as Rust code: structures that serde knows, with the traits that name them on the wire
//! (`src/middleware/zenoh/interfaces.rs`). Modules and names are those of ROS's own Rust bindings.

use crate::definitions::{Count, Element, Field, Interface, Structure, parts};
use crate::type_hash::Types;

/// From a module such as `nav_msgs::msg` to the one that includes the code.
const ROOT: &str = "super::super";

/// Those of Rust's keywords that a field could well be called.
const KEYWORDS: [&str; 22] = [
    "abstract", "as", "box", "break", "const", "continue", "do", "enum", "final", "for", "gen",
    "if", "in", "loop", "match", "mod", "move", "override", "ref", "return", "static", "type",
];

/// One module per package, and `KINDS`: what all these types are called.
pub fn generate(interfaces: &[Interface]) -> String {
    let types = Types::of(interfaces);
    let mut code = String::new();
    for package in interfaces.chunk_by(|a, b| a.package == b.package) {
        let of_kind = package.chunk_by(|a, b| a.kind == b.kind);
        let modules = of_kind.map(|interfaces| {
            let code = interfaces
                .iter()
                .map(|interface| self::interface(interface, &types));
            module(interfaces[0].kind, &code.collect::<String>())
        });
        code += &module(&package[0].package, &modules.collect::<String>());
    }
    let kinds: Vec<String> = interfaces.iter().flat_map(kinds).collect();
    code + "pub const KINDS: &[Kind] = &[" + &kinds.join(", ") + "];\n"
}

fn module(name: &str, code: &str) -> String {
    format!("pub mod {name} {{\n{code}}}\n")
}

/// The trait of a kind of interfaces, and its constants: for what of the interface each one is.
fn contract(kind: &str) -> (&'static str, &'static [(&'static str, &'static str)]) {
    match kind {
        "msg" => ("Message", &[("KIND", "")]),
        "srv" => ("Service", &[("KIND", "")]),
        _ => (
            "Action",
            &[
                ("SEND_GOAL", "_SendGoal"),
                ("GET_RESULT", "_GetResult"),
                ("FEEDBACK", "_FeedbackMessage"),
            ],
        ),
    }
}

/// Where the kinds of an interface are found.
fn kinds(interface: &Interface) -> impl Iterator<Item = String> {
    let Interface {
        package,
        kind,
        name,
        ..
    } = interface;
    let (contract, constants) = contract(kind);
    let constants = constants.iter();
    constants
        .map(move |(constant, _)| format!("<{package}::{kind}::{name} as {contract}>::{constant}"))
}

fn interface(interface: &Interface, types: &Types) -> String {
    let Interface {
        package,
        kind,
        name,
        structures,
    } = interface;
    let (contract, constants) = contract(kind);
    // A message is its structure; services and actions have several, and are none.
    let parts = structures.iter().filter_map(|structure| {
        let part = structure.name.strip_prefix(name)?.strip_prefix('_')?;
        Some(format!("type {part} = {};\n", structure.name))
    });
    let parts: String = parts.collect();
    let own = match parts.as_str() {
        "" => String::new(),
        _ => format!("#[derive(Debug, Clone, Copy)]\npub struct {name};\n"),
    };
    let constants = constants.iter().map(|(constant, part)| {
        let hash = types.hash(&format!("{package}/{kind}/{name}{part}"));
        let name = format!("{package}::{kind}::dds_::{name}{part}_");
        let value = format!("{ROOT}::Kind {{ name: \"{name}\", hash: \"{hash}\" }}");
        format!("const {constant}: {ROOT}::Kind = {value};\n")
    });
    let constants = constants.collect::<Vec<_>>().concat();
    let structures: String = structures.iter().map(structure).collect();
    format!("{structures}{own}impl {ROOT}::{contract} for {name} {{\n{parts}{constants}}}\n")
}

fn structure(structure: &Structure) -> String {
    let name = &structure.name;
    let fields: String = structure.fields.iter().map(field).collect();
    let constants = structure.constants.iter().map(|(constant, value)| {
        let rust = match value.primitive.ros {
            "string" => "&'static str",
            _ => value.primitive.rust,
        };
        format!("pub const {constant}: {rust} = {};\n", value.code)
    });
    let constants = constants.collect::<Vec<_>>().concat();
    let values: String = structure.fields.iter().map(default).collect();
    format!(
        "#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct {name} {{\n{fields}}}
#[allow(clippy::derivable_impls)]
impl Default for {name} {{\nfn default() -> Self {{\nSelf {{\n{values}}}\n}}\n}}
impl {name} {{\n{constants}}}\n"
    )
}

fn field(field: &Field) -> String {
    let element = match &field.element {
        Element::Primitive(primitive) => primitive.rust.into(),
        Element::Structure(full_name) => format!("{ROOT}::{}", parts(full_name).join("::")),
    };
    let (with, all) = match (&field.count, element.as_str()) {
        (Count::One, _) => ("", element),
        (Count::Array(size), _) => ("", format!("[{element}; {size}]")),
        (_, "u8" | "i8") => (
            "#[serde(with = \"super::super::super::bytes\")]\n",
            format!("Vec<{element}>"),
        ),
        _ => ("", format!("Vec<{element}>")),
    };
    format!("{with}pub {}: {all},\n", field_name(field))
}

fn default(field: &Field) -> String {
    let value = match &field.default {
        Some(value) if value.primitive.ros == "string" => format!("{}.into()", value.code),
        Some(value) => value.code.clone(),
        None => "Default::default()".into(),
    };
    format!("{}: {value},\n", field_name(field))
}

fn field_name(field: &Field) -> String {
    let keyword = KEYWORDS.contains(&field.name.as_str());
    format!("{}{}", field.name, if keyword { "_" } else { "" })
}
