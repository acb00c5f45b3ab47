//! `hrm-planner serve`: the node, on Zenoh.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};

use clap::Args;
use hrm_planner::Error;
use hrm_planner::middleware::zenoh::Served;
use hrm_planner::node::Settings;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::failure::Result;
use super::network::{NetworkArguments, assignment, yaml};

/// Run the planner as a node, without ROS
///
/// It speaks to ROS 2 nodes that use `rmw_zenoh`, to other nodes like it, and to `hrm-planner goal` and
/// `watch`. Without a configuration it needs no router, and only this machine can reach it. Maps come on
/// the topic `map`, goals by the action `compute_path_to_pose`; docs/zenoh.md has the rest. Ends with
/// SIGINT (Ctrl-C) or SIGTERM.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  hrm-planner serve --map office.yaml
  hrm-planner goal 4,4 --start 0,0          (in another terminal)
  hrm-planner serve --config planner.yaml -p robot_radius:=0.3 -r __ns:=/robot1
  hrm-planner serve --connect tcp/192.168.1.2:7447")]
pub struct Arguments {
    /// The node's parameters, a YAML file; keys that it leaves out have their defaults
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A parameter, after the file's (repeat it)
    #[arg(short = 'p', long = "param", value_name = "NAME:=VALUE", value_parser = assignment)]
    parameters: Vec<(String, String)>,
    /// Publish this map, as a map server does: a ROS map's YAML file
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
    /// Listen at this endpoint, such as tcp/0.0.0.0:7447, instead of on this machine only (repeat it)
    #[arg(long, value_name = "ENDPOINT")]
    listen: Vec<String>,
    #[command(flatten)]
    network: NetworkArguments,
}

impl Arguments {
    /// The settings: of the file, then of the command line. Unlike a node that is launched for a lifecycle
    /// manager, this one begins by itself if neither says otherwise.
    pub fn settings(&self) -> Result<Settings> {
        let mut settings = Settings::default();
        settings.node.autostart_node = true;
        if let Some(path) = &self.config {
            settings = settings.with_file(path)?;
        }
        // The sensors' names first: they say which other parameters there are.
        let mut parameters: Vec<_> = self.parameters.iter().collect();
        parameters.sort_by_key(|(name, _)| name != "obstacle_layer.observation_sources");
        for (name, text) in parameters {
            settings.set_unchecked(name, &yaml(name, text)?)?;
        }
        settings.validate()?;
        Ok(settings)
    }
}

/// The end of the process, asked for by SIGINT or SIGTERM.
struct Ending {
    is_awaited: Arc<AtomicBool>,
    come: Receiver<()>,
}

impl Ending {
    fn by_signals() -> Result<Self> {
        let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(|source| Error::Io {
            path: "signals".into(),
            source,
        })?;
        let is_awaited = Arc::new(AtomicBool::new(false));
        let (tell, come) = channel();
        let of_thread = is_awaited.clone();
        std::thread::spawn(move || {
            for _ in signals.forever() {
                if tell.send(()).is_err() || !of_thread.load(Ordering::SeqCst) {
                    // It still waits for its router, or has ended: there is nothing to lose.
                    std::process::exit(0);
                }
            }
        });
        Ok(Self { is_awaited, come })
    }

    fn wait(&self) {
        self.is_awaited.store(true, Ordering::SeqCst);
        // Fails if the thread has gone, which is as good a reason.
        let _ = self.come.recv();
    }
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<()> {
    let settings = arguments.settings()?;
    let map = arguments.map.as_ref();
    let max_cells = settings.planner.max_cells;
    let map = map.map(|path| hrm_planner::grid::load_map_with_max_cells(path, max_cells));
    let map = map.transpose()?;
    let network = arguments.network.network(&arguments.listen, None)?;
    let identity = arguments.network.identity()?;
    let ending = Ending::by_signals()?;
    let mut served = Served::start(settings, &network, &identity)?;
    if let Some(map) = &map {
        served.publish_map(map)?;
    }
    if !served.node().settings().node.autostart_node {
        tracing::info!("waiting for a lifecycle manager, as autostart_node is false");
    }
    ending.wait();
    tracing::info!("ending");
    served.end();
    Ok(())
}
