//! What nodes and endpoints are called: ROS names, Zenoh keys, liveliness tokens.
//!
//! The keys are those of `rmw_zenoh` (Jazzy and later): a topic or service is
//! `<domain>/<name>/<type>/<hash>`; a token `@ros2_lv/<domain>/<session>/<node>/<entity>/<kind>/%/...`
//! says that an endpoint is there, and is what `ros2 topic list` reads.

use super::contract::Qos;
use super::interfaces::Kind;
use crate::node::settings::{Durability, Reliability};
use crate::{Error, Result};

/// What a node is called and what it calls others: ROS's namespace, name and remapping rules.
#[derive(Debug, Clone)]
pub struct Names {
    domain: u32,
    /// `/` or `/robot`.
    namespace: String,
    node: String,
    /// Full names, and what they are to be.
    remaps: Vec<(String, String)>,
}

impl Names {
    /// Rules are `FROM:=TO`, of which `__node` and `__ns` name the node and its namespace.
    ///
    /// # Errors
    /// [`Error::Name`] for a name that ROS would not take.
    pub fn new(domain: u32, node: &str, rules: &[(String, String)]) -> Result<Self> {
        let mut names = Self {
            domain,
            namespace: "/".to_owned(),
            node: node.to_owned(),
            remaps: Vec::new(),
        };
        for (from, to) in rules {
            match from.as_str() {
                "__node" | "__name" => to.clone_into(&mut names.node),
                "__ns" => names.namespace = format!("/{}", to.trim_matches('/')),
                _ => {}
            }
        }
        check(&names.node, false)?;
        check(&names.namespace, true)?;
        for (from, to) in rules.iter().filter(|(from, _)| !from.starts_with("__")) {
            let rule = (names.expand(from)?, names.expand(to)?);
            names.remaps.push(rule);
        }
        Ok(names)
    }

    pub fn node(&self) -> &str {
        &self.node
    }

    pub fn domain(&self) -> u32 {
        self.domain
    }

    /// The node's name with its namespace.
    pub fn full(&self) -> String {
        join(&self.namespace, &self.node)
    }

    /// The full name that a topic or service has on the graph.
    ///
    /// # Errors
    /// [`Error::Name`].
    pub fn resolve(&self, name: &str) -> Result<String> {
        let full = self.expand(name)?;
        let rule = self.remaps.iter().find(|(from, _)| *from == full);
        Ok(rule.map_or(full, |(_, to)| to.clone()))
    }

    fn expand(&self, name: &str) -> Result<String> {
        let full = match name.strip_prefix('~') {
            Some("") => self.full(),
            Some(rest) => join(&self.full(), rest.trim_start_matches('/')),
            None if name.starts_with('/') => name.to_owned(),
            None => join(&self.namespace, name),
        };
        check(&full, true)?;
        Ok(full)
    }

    /// The key of a topic or service by its full name.
    pub fn key(&self, full: &str, kind: Kind) -> String {
        let name = full.trim_start_matches('/');
        format!("{}/{name}/{}/{}", self.domain, kind.name, kind.hash)
    }

    /// The token that says that the node is there.
    pub fn node_token(&self, session: &str) -> String {
        let (namespace, node) = (mangled(&self.namespace), &self.node);
        format!(
            "@ros2_lv/{}/{session}/0/0/NN/%/{namespace}/{node}",
            self.domain
        )
    }

    /// The token that says that an endpoint is there.
    pub fn token(&self, session: &str, entity: u32, endpoint: Endpoint, of: &Offered) -> String {
        let (namespace, node) = (mangled(&self.namespace), &self.node);
        format!(
            "@ros2_lv/{}/{session}/0/{entity}/{}/%/{namespace}/{node}/{}/{}/{}/{}",
            self.domain,
            endpoint.letters(),
            mangled(&of.name),
            of.kind.name,
            of.kind.hash,
            qos_text(of.qos),
        )
    }
}

/// What an endpoint is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Endpoint {
    Publisher,
    Subscription,
    Server,
    Client,
}

impl Endpoint {
    const ALL: [Self; 4] = [
        Self::Publisher,
        Self::Subscription,
        Self::Server,
        Self::Client,
    ];

    fn letters(self) -> &'static str {
        match self {
            Self::Publisher => "MP",
            Self::Subscription => "MS",
            Self::Server => "SS",
            Self::Client => "SC",
        }
    }
}

/// An endpoint as its token tells of it.
#[derive(Debug, Clone)]
pub struct Offered {
    /// The full name of the topic or service.
    pub name: String,
    pub kind: Kind,
    pub qos: Qos,
}

/// An endpoint of somebody, as a token tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub endpoint: Endpoint,
    /// Whose it is: the node's full name.
    pub node: String,
    /// The full name of the topic or service.
    pub name: String,
    pub kind_name: String,
    pub kind_hash: String,
}

impl Seen {
    /// What a token's key says; `None` if it is not that of an endpoint.
    pub fn parse(token: &str) -> Option<Self> {
        let mut parts = token.strip_prefix("@ros2_lv/")?.split('/');
        // Domain, session, node id, entity id.
        let letters = parts.by_ref().nth(4)?;
        let endpoint = Endpoint::ALL.into_iter().find(|e| e.letters() == letters)?;
        let _enclave = parts.next()?;
        let (namespace, node) = (unmangled(parts.next()?), parts.next()?);
        Some(Self {
            endpoint,
            node: join(&namespace, node),
            name: unmangled(parts.next()?),
            kind_name: parts.next()?.to_owned(),
            kind_hash: parts.next()?.to_owned(),
        })
    }
}

/// The identity of an endpoint: XXH3-128 of its token, low half first.
pub fn gid(token: &str) -> [u8; 16] {
    xxhash_rust::xxh3::xxh3_128(token.as_bytes()).to_le_bytes()
}

fn join(namespace: &str, name: &str) -> String {
    format!("{}/{name}", namespace.trim_end_matches('/'))
}

fn mangled(name: &str) -> String {
    name.replace('/', "%")
}

fn unmangled(name: &str) -> String {
    name.replace('%', "/")
}

/// Defaults are left empty.
fn qos_text(qos: Qos) -> String {
    let reliability = match qos.reliability {
        Reliability::Reliable => "",
        Reliability::BestEffort => "2",
    };
    let durability = match qos.durability {
        Durability::Volatile => "",
        Durability::TransientLocal => "1",
    };
    format!("{reliability}:{durability}:,{}:,:,:,,", qos.depth)
}

/// Names as ROS takes them; in a key of Zenoh, others could mean many names.
fn check(name: &str, may_have_slashes: bool) -> Result<()> {
    let is_part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let is_good = if may_have_slashes {
        let parts = name.strip_prefix('/');
        name == "/" || parts.is_some_and(|parts| parts.split('/').all(is_part))
    } else {
        is_part(name)
    };
    if is_good {
        return Ok(());
    }
    Err(Error::Name {
        name: name.to_owned(),
    })
}
