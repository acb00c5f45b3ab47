//! How to join the network.
//!
//! Without a configuration a node is embedded: no router is needed, and nothing outside this machine can reach
//! it. It listens where `rmw_zenoh` looks for its router (`tcp/localhost:7447`), and is one to those who come
//! there: it introduces them to each other. Where something listens there already, it joins that.
//!
//! Who is told whom to connect to, and all clients, join as Zenoh's clients: they listen nowhere, and whatever
//! they connect to carries their messages on, which peers would not do for each other.

use std::path::{Path, PathBuf};
use std::time::Duration;

use zenoh::{Config, Session, Wait};

use super::{cdr, refused};
use crate::{Error, Result};

/// Where `rmw_zenoh` looks for its router.
pub const HUB: &str = "tcp/127.0.0.1:7447";
const ANY_PORT: &str = "tcp/127.0.0.1:0";

/// The pauses after the first and later attempts to connect in vain.
const FIRST_PAUSE_MS: u64 = 50;
const LAST_PAUSE_MS: u64 = 2000;

/// How to join.
#[derive(Debug, Clone, Default)]
pub struct Network {
    /// A configuration of Zenoh (JSON5); none: embedded.
    pub config: Option<PathBuf>,
    /// Keys of the configuration and their values (JSON5) that differ from it, such as `mode` and
    /// `"client"`.
    pub overrides: Vec<(String, String)>,
    /// Where to listen, such as `tcp/0.0.0.0:7447`; empty: as the configuration says.
    pub listen: Vec<String>,
    /// What to connect to, such as `tcp/192.168.1.2:7447`; empty: as the configuration says.
    pub connect: Vec<String>,
    /// How long to wait for what is connected to; `None`: until it comes.
    pub patience: Option<Duration>,
}

impl Network {
    /// By way of what listens at an endpoint.
    pub fn by(endpoint: &str) -> Self {
        Self {
            connect: vec![endpoint.to_owned()],
            patience: Some(Duration::from_secs(10)),
            ..Self::default()
        }
    }

    /// Joins as a node.
    ///
    /// # Errors
    /// [`Error::ConfigFile`] for a configuration that is none, [`Error::Middleware`] for endpoints that
    /// cannot be opened or reached.
    pub fn open(&self) -> Result<Session> {
        if let Some(path) = &self.config {
            return self.open_configured(path);
        }
        match (self.listen.is_empty(), self.connect.is_empty()) {
            (true, false) => self.open_client(&self.connect),
            (false, _) => {
                let mut config = embedded("router")?;
                insert(&mut config, "listen/endpoints", &self.listen)?;
                insert(&mut config, "connect/endpoints", &self.connect)?;
                self.open_with(config)
            }
            (true, true) => {
                let mut config = embedded("router")?;
                insert(&mut config, "listen/endpoints", &[HUB])?;
                self.open_with(config).or_else(|_| {
                    tracing::info!(
                        "something listens at {HUB} already, a router or a node: joining it"
                    );
                    self.open_client(&[HUB.to_owned()])
                })
            }
        }
    }

    /// Joins as a client of nodes: listens nowhere.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn join(&self) -> Result<Session> {
        match &self.config {
            Some(path) => self.open_configured(path),
            None if self.connect.is_empty() => self.open_client(&[HUB.to_owned()]),
            None => self.open_client(&self.connect),
        }
    }

    fn open_client(&self, endpoints: &[String]) -> Result<Session> {
        let mut config = embedded("client")?;
        insert(&mut config, "connect/endpoints", endpoints)?;
        let timeout_ms = match self.patience {
            Some(patience) => i64::try_from(patience.as_millis()).unwrap_or(i64::MAX),
            None => -1,
        };
        insert(&mut config, "connect/timeout_ms", &timeout_ms)?;
        // Zenoh's first pause is a second, longer than a node takes to start.
        let retry = serde_json::json!({
            "period_init_ms": FIRST_PAUSE_MS,
            "period_max_ms": LAST_PAUSE_MS,
            "period_increase_factor": 2.0,
        });
        insert(&mut config, "connect/retry", &retry)?;
        let endpoints = endpoints.join(", ");
        tracing::info!("joining {endpoints}");
        self.open_with(config).map_err(|error| match error {
            Error::Middleware { reason, .. } => Error::Unreachable { endpoints, reason },
            other => other,
        })
    }

    fn open_configured(&self, path: &Path) -> Result<Session> {
        let config = Config::from_file(path);
        let mut config = config.map_err(|error| Error::ConfigFile {
            path: path.to_owned(),
            reason: error.to_string(),
        })?;
        for (key, endpoints) in [
            ("listen/endpoints", &self.listen),
            ("connect/endpoints", &self.connect),
        ] {
            if !endpoints.is_empty() {
                insert(&mut config, key, endpoints)?;
            }
        }
        stamped(&mut config)?;
        self.open_with(config)
    }

    fn open_with(&self, mut config: Config) -> Result<Session> {
        for (key, value) in &self.overrides {
            let inserted = config.insert_json5(key, value);
            inserted.map_err(refused(format!("the Zenoh setting {key}")))?;
        }
        // What is left open has Zenoh's defaults, which are all networks: then this machine only, as without a
        // configuration.
        let defaults = Config::default();
        let is_open = |config: &Config, key: &str| matches!((config.get_json(key), defaults.get_json(key)), (Ok(a), Ok(b)) if a == b);
        let is_client = config
            .get_json("mode")
            .is_ok_and(|mode| mode == "\"client\"");
        if !is_client && is_open(&config, "listen/endpoints") {
            insert(&mut config, "listen/endpoints", &[ANY_PORT])?;
        }
        if is_open(&config, "scouting/multicast/enabled") {
            insert(&mut config, "scouting/multicast/enabled", &false)?;
        }
        let session = zenoh::open(config).wait();
        session.map_err(refused("joining the Zenoh network"))
    }
}

/// The configuration without a file: this machine only.
fn embedded(mode: &str) -> Result<Config> {
    let mut config = Config::default();
    insert(&mut config, "mode", mode)?;
    insert(&mut config, "scouting/multicast/enabled", &false)?;
    // Longer ones are dropped by Zenoh, without a word; between this and our own limit we say so.
    let most_bytes = 2 * cdr::MOST_BYTES;
    insert(
        &mut config,
        "transport/link/rx/max_message_size",
        &most_bytes,
    )?;
    if mode == "client" {
        let nowhere: [&str; 0] = [];
        insert(&mut config, "listen/endpoints", &nowhere)?;
    }
    stamped(&mut config)?;
    Ok(config)
}

/// Publishers with a cache need stamps, which Zenoh leaves out by default.
fn stamped(config: &mut Config) -> Result<()> {
    insert(config, "timestamping/enabled", &true)
}

fn insert<T: serde::Serialize + ?Sized>(config: &mut Config, key: &str, value: &T) -> Result<()> {
    let value = serde_json::to_string(value).map_err(refused(key))?;
    config.insert_json5(key, &value).map_err(refused(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where others could reach a node with this configuration: what is only of this machine is left out.
    fn reachable(text: &str, listen: &[&str]) -> Vec<String> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("zenoh.json5");
        std::fs::write(&path, text).expect("the folder is there");
        let network = Network {
            config: Some(path),
            listen: listen.iter().map(|&endpoint| endpoint.to_owned()).collect(),
            ..Network::default()
        };
        let session = network.open().expect("a good configuration");
        let locators = session.info().locators().wait();
        session.close().wait().expect("it was open");
        let all = locators.iter().map(ToString::to_string);
        all.filter(|locator| !locator.contains("127.0.0.1"))
            .collect()
    }

    #[test]
    fn a_configuration_that_leaves_listening_open_is_of_this_machine_only() {
        let anywhere = ["tcp/0.0.0.0:0"];
        if reachable("{}", &anywhere).is_empty() {
            println!("skipped: this machine has no network");
            return;
        }
        assert_eq!(reachable("{}", &[]), [""; 0]);
        assert_eq!(reachable("{ mode: \"peer\" }", &[]), [""; 0]);
        assert_ne!(
            reachable("{ listen: { endpoints: [\"tcp/0.0.0.0:0\"] } }", &[]),
            [""; 0]
        );
    }

    #[test]
    fn what_a_network_does_not_know_is_named() {
        let refused = |overrides: [(&str, &str); 1]| {
            let network = Network {
                overrides: overrides
                    .map(|(key, value)| (key.to_owned(), value.to_owned()))
                    .to_vec(),
                listen: vec![ANY_PORT.to_owned()],
                ..Network::default()
            };
            network.open().expect_err("it makes no sense").to_string()
        };
        assert!(refused([("no/such/key", "1")]).contains("no/such/key"));
        assert!(refused([("mode", "\"submarine\"")]).contains("mode"));
    }
}
