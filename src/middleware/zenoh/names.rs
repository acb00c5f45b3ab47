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
        if full == "/" {
            // A namespace may be this, a topic or service not.
            return Err(Error::Name {
                name: name.to_owned(),
            });
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn names(rules: &[(&str, &str)]) -> Result<Names> {
        let owned = rules
            .iter()
            .map(|(from, to)| ((*from).to_owned(), (*to).to_owned()));
        Names::new(3, "planner", &owned.collect::<Vec<_>>())
    }

    fn resolved(rules: &[(&str, &str)], name: &str) -> String {
        let resolved = names(rules).and_then(|names| names.resolve(name));
        resolved.unwrap_or_else(|error| error.to_string())
    }

    const KIND: Kind = Kind {
        name: "nav_msgs::msg::dds_::Path_",
        hash: "RIHS01_00",
    };

    #[test]
    fn names_are_resolved_as_ros_does() {
        assert_eq!(resolved(&[], "map"), "/map");
        assert_eq!(resolved(&[], "/tf"), "/tf");
        assert_eq!(resolved(&[], "~/report"), "/planner/report");
        let robot = [("__ns", "/fleet/robot1"), ("__node", "p")];
        assert_eq!(resolved(&robot, "map"), "/fleet/robot1/map");
        assert_eq!(resolved(&robot, "~/report"), "/fleet/robot1/p/report");
        assert_eq!(resolved(&robot, "/tf"), "/tf");
        assert_eq!(resolved(&[("map", "/site/map")], "map"), "/site/map");
        let both = [("__ns", "robot1"), ("/tf", "tf"), ("~/report", "reports")];
        assert_eq!(resolved(&both, "/tf"), "/robot1/tf");
        assert_eq!(resolved(&both, "~/report"), "/robot1/reports");
    }

    #[test]
    fn names_that_could_mean_many_keys_are_refused() {
        for bad in [
            "", "/", "a*b", "a/$*", "**", "a//b", "a/", "1a", "a b", "a?x", "a#", "ä", "%",
        ] {
            assert!(resolved(&[], bad).contains("is no name"), "{bad}");
            assert!(names(&[("map", bad)]).is_err(), "{bad}");
            assert!(names(&[("__node", bad)]).is_err(), "{bad}");
        }
    }

    #[test]
    fn tokens_say_who_offers_what_and_how() {
        let names = names(&[("__ns", "/robot1")]).expect("good names");
        assert_eq!(
            names.node_token("abc"),
            "@ros2_lv/3/abc/0/0/NN/%/%robot1/planner"
        );
        let offered = Offered {
            name: "/robot1/plan".to_owned(),
            kind: KIND,
            qos: Qos::DEFAULT,
        };
        let token = names.token("abc", 7, Endpoint::Publisher, &offered);
        assert_eq!(
            token,
            "@ros2_lv/3/abc/0/7/MP/%/%robot1/planner/%robot1%plan/nav_msgs::msg::dds_::Path_/RIHS01_00/\
             ::,10:,:,:,,"
        );
        let seen = Seen::parse(&token).expect("a token");
        assert_eq!(
            (seen.node.as_str(), seen.name.as_str()),
            ("/robot1/planner", "/robot1/plan")
        );
        assert_eq!(
            (seen.endpoint, seen.kind_hash.as_str()),
            (Endpoint::Publisher, "RIHS01_00")
        );
        assert_eq!(Seen::parse(&names.node_token("abc")), None);
        assert_eq!(qos_text(Qos::LATCHED), ":1:,1:,:,:,,");
        let lossy = Qos {
            reliability: Reliability::BestEffort,
            ..Qos::reliable(5)
        };
        assert_eq!(qos_text(lossy), "2::,5:,:,:,,");
    }

    #[test]
    fn keys_have_no_slash_in_front() {
        let names = names(&[]).expect("good names");
        assert_eq!(
            names.key("/robot1/plan", KIND),
            "3/robot1/plan/nav_msgs::msg::dds_::Path_/RIHS01_00"
        );
    }
}
