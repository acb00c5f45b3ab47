//! Interface definition files: where they lie, and what they say.
//!
//! A definition is taken from the first sourced prefix that has it, else from `msg/`. Understood is the
//! language of `.msg`, `.srv` and `.action` files as far as interfaces of the contract use it; of
//! anything else, file and line are named.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Folders of packages in this repository. The last two are only for systems without those packages.
const FOLDERS: [&str; 3] = ["msg", "msg/system", "msg/ros"];

/// Kinds of interfaces: folder and extension, and the names of the structures in such a file.
const KINDS: [(&str, &[&str]); 3] = [
    ("msg", &[""]),
    ("srv", &["_Request", "_Response"]),
    ("action", &["_Goal", "_Result", "_Feedback"]),
];

/// A type of values that are not structures.
pub struct Primitive {
    pub ros: &'static str,
    pub rust: &'static str,
    /// Its number in a type description (`type_description_interfaces/msg/FieldType`).
    pub id: u8,
}

const fn primitive(ros: &'static str, rust: &'static str, id: u8) -> Primitive {
    Primitive { ros, rust, id }
}

static PRIMITIVES: [Primitive; 14] = [
    primitive("bool", "bool", 15),
    primitive("byte", "u8", 16),
    primitive("char", "u8", 3), // described as the number that it is
    primitive("int8", "i8", 2),
    primitive("uint8", "u8", 3),
    primitive("int16", "i16", 4),
    primitive("uint16", "u16", 5),
    primitive("int32", "i32", 6),
    primitive("uint32", "u32", 7),
    primitive("int64", "i64", 8),
    primitive("uint64", "u64", 9),
    primitive("float32", "f32", 10),
    primitive("float64", "f64", 11),
    primitive("string", "std::string::String", 17),
];

/// What one value of a field is.
pub enum Element {
    Primitive(&'static Primitive),
    /// A structure, by its full name: `nav_msgs/msg/Path`.
    Structure(String),
}

/// How many values a field has.
pub enum Count {
    One,
    Array(u32),
    AtMost(u32),
    Any,
}

/// A value that a definition gives.
pub struct Value {
    pub primitive: &'static Primitive,
    /// As Rust code; of a string, a `&str`.
    pub code: String,
}

pub struct Field {
    pub name: String,
    pub element: Element,
    pub count: Count,
    pub default: Option<Value>,
}

#[derive(Default)]
pub struct Structure {
    /// `Path`, `GetPlan_Request`.
    pub name: String,
    pub fields: Vec<Field>,
    pub constants: Vec<(String, Value)>,
}

pub struct Interface {
    pub package: String,
    /// `msg`, `srv` or `action`.
    pub kind: &'static str,
    pub name: String,
    pub structures: Vec<Structure>,
}

/// The interfaces with a definition in this repository, and those that they need.
pub fn all() -> Vec<Interface> {
    let mut wanted = named_here();
    let mut found = BTreeMap::new();
    while let Some(full_name) = wanted.pop() {
        if found.contains_key(&full_name) {
            continue;
        }
        let interface = interface(&full_name);
        for field in interface.structures.iter().flat_map(|part| &part.fields) {
            if let Element::Structure(needed) = &field.element {
                wanted.push(needed.clone());
            }
        }
        found.insert(full_name, interface);
    }
    found.into_values().collect()
}

/// Where the definition of an interface lies, such as `srv/GetPlan.srv` of `nav_msgs`.
pub fn find(package: &str, interface: &str) -> Option<PathBuf> {
    let prefixes = std::env::var_os("AMENT_PREFIX_PATH").unwrap_or_default();
    std::env::split_paths(&prefixes)
        .map(|prefix| prefix.join("share"))
        .chain(FOLDERS.map(PathBuf::from))
        .map(|folder| folder.join(package).join(interface))
        .find(|path| path.is_file())
}

/// Reads a definition; when it changes, the build is to be made again.
pub fn read(path: &Path) -> String {
    println!("cargo::rerun-if-changed={}", path.display());
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The full names of all interfaces in `msg/`.
fn named_here() -> Vec<String> {
    let mut names = Vec::new();
    for package in FOLDERS.iter().flat_map(|folder| entries(folder.as_ref())) {
        for (kind, _) in KINDS {
            let mut files = entries(&package.join(kind));
            files.retain(|file| file.extension().is_some_and(|extension| extension == kind));
            names.extend(files.iter().map(|file| {
                let [package, name] =
                    [&package, file].map(|path| path.file_stem().unwrap_or_default().display());
                format!("{package}/{kind}/{name}")
            }));
        }
    }
    names
}

/// What is in a folder; nothing where there is none.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    entries.flatten().map(|entry| entry.path()).collect()
}

fn interface(full_name: &str) -> Interface {
    let [package, kind, name] = parts(full_name);
    let known = KINDS.into_iter().find(|(known, _)| *known == kind);
    let (kind, suffixes) = known.unwrap_or_else(|| panic!("{full_name} is of no known kind"));
    let path = find(package, &format!("{kind}/{name}.{kind}"))
        .unwrap_or_else(|| panic!("{full_name} is neither installed nor in msg/"));
    let file = path.display().to_string();
    let mut structures = structures(package, &read(&path), &file);
    let (found, due) = (structures.len(), suffixes.len());
    assert!(found == due, "{file}: {found} parts, not {due}");
    for (structure, suffix) in structures.iter_mut().zip(suffixes) {
        structure.name = format!("{name}{suffix}");
    }
    Interface {
        package: package.into(),
        kind,
        name: name.into(),
        structures,
    }
}

/// Package, kind and name of `package/kind/Name`.
pub fn parts(full_name: &str) -> [&str; 3] {
    let mut parts = full_name.splitn(3, '/');
    std::array::from_fn(|_| parts.next().unwrap_or_default())
}

/// The structures of a definition, without names yet. Errors name `file`.
pub fn structures(package: &str, definition: &str, file: &str) -> Vec<Structure> {
    let mut structures = Vec::new();
    let mut structure = Structure::default();
    for (number, line) in (1..).zip(definition.lines().chain(["---"])) {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line == "---" {
            if structure.fields.is_empty() {
                // C has no structure without members, so ROS sends one.
                structure.add(package, "uint8 structure_needs_at_least_one_member", file);
            }
            structures.push(std::mem::take(&mut structure));
        } else if !line.is_empty() {
            structure.add(package, line, &format!("{file}:{number}"));
        }
    }
    structures
}

impl Structure {
    /// Adds what a line defines: `TYPE NAME`, `TYPE NAME DEFAULT` or `TYPE NAME=VALUE`.
    fn add(&mut self, package: &str, line: &str, at: &str) {
        let (field_type, rest) = line
            .split_once(char::is_whitespace)
            .unwrap_or_else(|| panic!("{at}: neither a field nor a constant: {line}"));
        let (element, count) = element_and_count(package, field_type, at);
        let rest = rest.trim();
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
        let (name, value) = (rest[..end].to_string(), rest[end..].trim());
        let parsed = |text: &str| match (&element, &count) {
            (Element::Primitive(primitive), Count::One) => Value {
                primitive,
                code: code(primitive, text, at),
            },
            _ => panic!("{at}: values of type {field_type} are not supported"),
        };
        if let Some(value) = value.strip_prefix('=') {
            self.constants.push((name, parsed(value.trim())));
        } else {
            let default = (!value.is_empty()).then(|| parsed(value));
            self.fields.push(Field {
                name,
                element,
                count,
                default,
            });
        }
    }
}

fn element_and_count(package: &str, field_type: &str, at: &str) -> (Element, Count) {
    let number = |text: &str| {
        let number = text.parse::<u32>();
        number.unwrap_or_else(|_| panic!("{at}: not a number of values: {text}"))
    };
    let in_brackets = field_type
        .strip_suffix(']')
        .and_then(|text| text.rsplit_once('['));
    let (element, count) = match in_brackets {
        None => (field_type, Count::One),
        Some((element, "")) => (element, Count::Any),
        Some((element, size)) => match size.strip_prefix("<=") {
            Some(most) => (element, Count::AtMost(number(most))),
            // As long as serde knows arrays.
            None if number(size) <= 32 => (element, Count::Array(number(size))),
            None => panic!("{at}: arrays of more than 32 values are not supported"),
        },
    };
    let primitive = PRIMITIVES.iter().find(|known| known.ros == element);
    let element = if let Some(primitive) = primitive {
        Element::Primitive(primitive)
    } else {
        let full_name = match element.split('/').count() {
            1 => format!("{package}/msg/{element}"),
            2 => element.replace('/', "/msg/"),
            _ => element.into(),
        };
        let named = parts(&full_name)[2].starts_with(|c: char| c.is_ascii_uppercase());
        assert!(named, "{at}: type {element} is not supported");
        Element::Structure(full_name)
    };
    (element, count)
}

/// A value as Rust code.
fn code(primitive: &Primitive, text: &str, at: &str) -> String {
    let without = |quote| text.strip_prefix(quote)?.strip_suffix(quote);
    let unquoted = without('"').or(without('\'')).unwrap_or(text);
    let code = match primitive.ros {
        "string" => Some(format!("{unquoted:?}")),
        "bool" => match text.to_ascii_lowercase().as_str() {
            "true" | "1" => Some("true".into()),
            "false" | "0" => Some("false".into()),
            _ => None,
        },
        "float32" | "float64" => text.parse().ok().map(|value: f64| format!("{value:?}")),
        _ => text.parse().ok().map(|value: i128| value.to_string()),
    };
    code.unwrap_or_else(|| panic!("{at}: not a value of type {}: {text}", primitive.ros))
}
