//! How commands join the network: which one, and under what names.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use hrm_planner::Error;
use hrm_planner::middleware::zenoh::Identity;
use hrm_planner::middleware::zenoh::session::Network;

use super::failure::{Failure, Result};

/// The network and the names on it.
#[derive(Debug, Clone, Args)]
pub struct NetworkArguments {
    /// A configuration of Zenoh (JSON5), instead of this machine alone (also:
    /// `ZENOH_SESSION_CONFIG_URI` and `ZENOH_CONFIG_OVERRIDE`)
    #[arg(long, value_name = "FILE")]
    zenoh_config: Option<PathBuf>,
    /// Connect to this endpoint, such as tcp/192.168.1.2:7447 (more than one: repeat it)
    #[arg(long, value_name = "ENDPOINT")]
    connect: Vec<String>,
    /// The ROS domain, instead of `ROS_DOMAIN_ID` [default: 0]
    #[arg(long, value_name = "NUMBER")]
    domain: Option<u32>,
    /// Another name, as ROS remaps: TOPIC:=OTHER, __node:=NAME, __ns:=/NAMESPACE (repeat it)
    #[arg(short = 'r', long, value_name = "FROM:=TO", value_parser = assignment)]
    remap: Vec<(String, String)>,
}

impl NetworkArguments {
    /// The network, and how long to wait for it; `listen` where that is asked for.
    pub fn network(&self, listen: &[String], patience: Option<Duration>) -> Result<Network> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let config = self.zenoh_config.clone();
        let overrides = variable("ZENOH_CONFIG_OVERRIDE").unwrap_or_default();
        let overrides = overrides
            .split(';')
            .map(str::trim)
            .filter(|s| !s.is_empty());
        let overrides = overrides.map(|setting| match setting.split_once('=') {
            Some((key, value)) => Ok((key.trim().to_owned(), value.trim().to_owned())),
            None => Err(Failure::Input(format!(
                "ZENOH_CONFIG_OVERRIDE has `{setting}`; write KEY=VALUE;KEY=VALUE"
            ))),
        });
        Ok(Network {
            config: config.or_else(|| variable("ZENOH_SESSION_CONFIG_URI").map(PathBuf::from)),
            overrides: overrides.collect::<Result<_>>()?,
            listen: listen.to_vec(),
            connect: self.connect.clone(),
            patience,
        })
    }

    /// The names.
    pub fn identity(&self) -> Result<Identity> {
        let mut identity = match self.domain {
            Some(domain) => Identity {
                domain,
                ..Identity::default()
            },
            None => Identity::from_env()?,
        };
        identity.remaps.extend(self.remap.iter().cloned());
        Ok(identity)
    }

    /// The names of a client: its own one is made up, so that many may run at once.
    pub fn client_identity(&self) -> Result<Identity> {
        let mut identity = self.identity()?;
        identity.remaps.retain(|(from, _)| from != "__node");
        Ok(identity)
    }
}

/// `NAME:=VALUE`.
pub fn assignment(text: &str) -> std::result::Result<(String, String), String> {
    match text.split_once(":=") {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME:=VALUE".to_owned()),
    }
}

/// A parameter's value as YAML has it.
pub fn yaml(name: &str, text: &str) -> Result<serde_json::Value> {
    let value = serde_saphyr::from_str(text);
    Ok(value.map_err(|error| Error::ParameterValue {
        name: name.to_owned(),
        value: text.to_owned(),
        reason: error.to_string(),
    })?)
}
