//! How the node joins the network.
//!
//! Without a configuration it is embedded: no router is needed, and nothing outside this machine can reach
//! it. It listens where `rmw_zenoh` looks for a router (`tcp/localhost:7447`); where something listens there
//! already, it joins that and listens at a port of its own.

use std::path::{Path, PathBuf};

use zenoh::{Config, Session, Wait};

use super::{cdr, refused};
use crate::{Error, Result};

/// Where `rmw_zenoh` looks for its router.
const HUB: &str = "tcp/127.0.0.1:7447";
const ANY_PORT: &str = "tcp/127.0.0.1:0";

/// The variable that names `rmw_zenoh`'s configuration.
const CONFIG_VARIABLE: &str = "ZENOH_SESSION_CONFIG_URI";

/// How to join.
#[derive(Debug, Clone, Default)]
pub struct Network {
    /// A configuration of Zenoh (JSON5); none: that of the variable `ZENOH_SESSION_CONFIG_URI`, or
    /// embedded.
    pub config: Option<PathBuf>,
    /// Where to listen, such as `tcp/0.0.0.0:7447`; empty: as the configuration says.
    pub listen: Vec<String>,
    /// What to connect to, such as `tcp/192.168.1.2:7447`; empty: as the configuration says.
    pub connect: Vec<String>,
}

impl Network {
    /// Of this machine, by way of what listens at an endpoint.
    pub fn by(endpoint: &str) -> Self {
        Self {
            connect: vec![endpoint.to_owned()],
            ..Self::default()
        }
    }

    /// # Errors
    /// [`Error::Middleware`] for a configuration that is none, endpoints that cannot be opened.
    pub fn open(&self) -> Result<Session> {
        let named = std::env::var_os(CONFIG_VARIABLE).filter(|name| !name.is_empty());
        let config = self.config.clone().or(named.map(PathBuf::from));
        if let Some(path) = config {
            let config = read(&path)?;
            return open(self.with_endpoints(config)?);
        }
        let mut config = self.with_endpoints(embedded()?)?;
        if !self.listen.is_empty() {
            return open(config);
        }
        if !self.connect.is_empty() {
            insert(&mut config, "listen/endpoints", &[ANY_PORT])?;
            return open(config);
        }
        let mut as_hub = config.clone();
        insert(&mut as_hub, "listen/endpoints", &[HUB])?;
        open(as_hub).or_else(|error| {
            tracing::debug!(%error, "something listens at {HUB} already; it is joined");
            insert(&mut config, "listen/endpoints", &[ANY_PORT])?;
            insert(&mut config, "connect/endpoints", &[HUB])?;
            open(config)
        })
    }

    fn with_endpoints(&self, mut config: Config) -> Result<Config> {
        for (key, endpoints) in [
            ("listen/endpoints", &self.listen),
            ("connect/endpoints", &self.connect),
        ] {
            if !endpoints.is_empty() {
                insert(&mut config, key, endpoints)?;
            }
        }
        Ok(config)
    }
}

fn open(config: Config) -> Result<Session> {
    zenoh::open(config)
        .wait()
        .map_err(refused("joining the Zenoh network"))
}

fn read(path: &Path) -> Result<Config> {
    let config = Config::from_file(path);
    let mut config = config.map_err(|error| Error::ConfigFile {
        path: path.to_owned(),
        reason: error.to_string(),
    })?;
    stamped(&mut config)?;
    Ok(config)
}

/// The configuration without a file: this machine only.
fn embedded() -> Result<Config> {
    let mut config = Config::default();
    insert(&mut config, "mode", &"peer")?;
    insert(&mut config, "scouting/multicast/enabled", &false)?;
    insert(
        &mut config,
        "transport/link/rx/max_message_size",
        &(2 * cdr::MOST_BYTES),
    )?;
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
