//! How commands join the network: which one, and under what names.

use std::path::PathBuf;

use clap::Args;
use hrm_planner::Error;
use hrm_planner::middleware::zenoh::Identity;
use hrm_planner::middleware::zenoh::session::Network;

use super::failure::Result;

/// The network and the names on it.
#[derive(Debug, Clone, Args)]
pub struct NetworkArguments {
    /// A configuration of Zenoh (JSON5), instead of this machine alone (also:
    /// `ZENOH_SESSION_CONFIG_URI`)
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
    /// The network; `listen` where that is asked for.
    pub fn network(&self, listen: &[String]) -> Network {
        Network {
            config: self.zenoh_config.clone(),
            listen: listen.to_vec(),
            connect: self.connect.clone(),
        }
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
