//! A fleet: three nodes behind one Zenoh router share requests and one map feed; one that is killed loses
//! none.
//!
//! The router is one inside this test, or the real `zenohd` that `HRM_ZENOHD` names; plans are made by the
//! search, or as `HRM_FLEET_SOURCE` says (`scripts/fleet` sets both).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hrm_planner::grid::{Cost, Costmap, Geometry, OccupancyGrid, Pose2};
use hrm_planner::middleware::zenoh::client::Client;
use hrm_planner::middleware::zenoh::fleet::Fleet;
use hrm_planner::middleware::zenoh::interfaces::nav_msgs::msg::OccupancyGrid as MapMsg;
use hrm_planner::middleware::zenoh::plans::{Told, of_fleet};
use hrm_planner::middleware::zenoh::session::Network;
use hrm_planner::middleware::zenoh::{Identity, Qos, map_msg};
use hrm_planner::planner::{Expected, PlannerConfig, Snapshot, verify};
use zenoh::Wait;

use crate::common::cli::{command, free_endpoint};

const REQUESTS: usize = 2000;
const NODES: usize = 3;
const CLIENTS: usize = 4;
const PATIENCE: Duration = Duration::from_secs(60);
const DOMAIN: u32 = 77;

/// Where the router listens, and what keeps it up.
struct Router {
    endpoint: String,
    _session: Option<zenoh::Session>,
    process: Option<Child>,
}

impl Router {
    fn start() -> Self {
        let endpoint = free_endpoint();
        if let Some(zenohd) = std::env::var_os("HRM_ZENOHD") {
            let process = Command::new(zenohd)
                .args([
                    "-l",
                    &endpoint,
                    "--no-multicast-scouting",
                    "--rest-http-port",
                    "None",
                ])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("zenohd starts");
            return Self {
                endpoint,
                _session: None,
                process: Some(process),
            };
        }
        let mut config = zenoh::Config::default();
        let values = [
            ("mode", "\"router\"".to_owned()),
            ("listen/endpoints", format!("[\"{endpoint}\"]")),
            ("scouting/multicast/enabled", "false".to_owned()),
        ];
        for (key, value) in values {
            config.insert_json5(key, &value).expect("Zenoh knows it");
        }
        Self {
            endpoint,
            _session: Some(zenoh::open(config).wait().expect("the port is free")),
            process: None,
        }
    }

    /// A configuration of those who only know the router.
    fn config(&self, folder: &Path) -> PathBuf {
        let path = folder.join("client.json5");
        let text = format!(
            "{{ mode: \"client\", connect: {{ endpoints: [\"{}\"], timeout_ms: 10000 }} }}",
            self.endpoint
        );
        std::fs::write(&path, text).expect("the folder is there");
        path
    }
}

impl Drop for Router {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            end(process);
        }
    }
}

fn end(process: &mut Child) {
    // Fails if it has ended.
    let _ = process.kill();
    let _ = process.wait();
}

/// A node as a process.
struct NodeProcess(Child);

impl NodeProcess {
    fn start(config: &Path, number: usize) -> Self {
        let name = format!("__node:=planner_{number}");
        let source = std::env::var("HRM_FLEET_SOURCE").unwrap_or_else(|_| "search".to_owned());
        let source = format!("source:={source}");
        let child = command([
            "serve",
            "-p",
            "max_planning_time:=20.0",
            "--threads",
            "1",
            "-p",
            &source,
        ])
        .args([
            "--domain",
            &DOMAIN.to_string(),
            "-r",
            &name,
            "--zenoh-config",
        ])
        .arg(config)
        .stderr(Stdio::null())
        .spawn();
        Self(child.expect("the program is there"))
    }
}

impl Drop for NodeProcess {
    fn drop(&mut self) {
        end(&mut self.0);
    }
}

/// 8 x 6 m at 0.1 m: a wall with a door.
fn two_rooms() -> Costmap {
    let geometry = Geometry::new(80, 60, 0.1, Pose2::new(0.0, 0.0, 0.0)).expect("a map");
    let cost = |index: usize| {
        let (row, col) = (index / 80, index % 80);
        if (39..41).contains(&col) && !(40..52).contains(&row) {
            Cost::LETHAL
        } else {
            Cost::FREE
        }
    };
    Costmap::new(geometry, (0..80 * 60).map(cost).collect()).expect("as many costs as cells")
}

fn occupancies(map: &Costmap) -> OccupancyGrid {
    let data = map
        .costs()
        .iter()
        .map(|&cost| if cost == Cost::LETHAL { 100 } else { 0 });
    OccupancyGrid::new(*map.geometry(), data.collect()).expect("as many values as cells")
}

/// From the one room into the other.
fn request(index: usize) -> (Pose2, Pose2) {
    let step = |k: usize| 0.6 + 0.1 * ((index * k) % 40) as f64;
    let (left, right) = (
        Pose2::new(0.6 + 0.1 * (index % 25) as f64, step(7), 0.0),
        Pose2::new(7.4 - 0.1 * (index % 23) as f64, step(11), 0.0),
    );
    if index.is_multiple_of(2) {
        (left, right)
    } else {
        (right, left)
    }
}

fn network(config: &Path) -> Network {
    Network {
        config: Some(config.to_owned()),
        ..Network::default()
    }
}

fn wait_for_nodes(fleet: &Fleet, count: usize) {
    let end = Instant::now() + PATIENCE;
    while fleet.nodes().len() != count {
        assert!(Instant::now() < end, "nodes: {:?}", fleet.nodes());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_node_that_is_killed_loses_no_request() {
    let folder = tempfile::tempdir().expect("a folder");
    let router = Router::start();
    let config = router.config(folder.path());
    let identity = Identity {
        domain: DOMAIN,
        ..Identity::default()
    };
    let mut nodes: Vec<_> = (1..=NODES)
        .map(|n| NodeProcess::start(&config, n))
        .collect();

    // One map feed for all, also for those who come late.
    let map = two_rooms();
    let mut feed = Client::join("map_server", &network(&config), &identity).expect("the router");
    let maps = feed
        .publisher::<MapMsg>("map", Qos::LATCHED)
        .expect("a topic");
    maps.publish(map_msg("map", &occupancies(&map)))
        .expect("the router");

    let client = Client::join("dispatcher", &network(&config), &identity).expect("the router");
    let fleet = Fleet::new(client).expect("the router");
    wait_for_nodes(&fleet, NODES);

    let (next, answered) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let told: Mutex<Vec<(usize, Told)>> = Mutex::default();
    let killed = Arc::new(Mutex::new(None));
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::SeqCst);
                    if index >= REQUESTS {
                        return;
                    }
                    let (start, goal) = request(index);
                    let answer = of_fleet(&fleet, "map", &start, &goal, PATIENCE);
                    let answer = answer.unwrap_or_else(|error| panic!("request {index}: {error}"));
                    told.lock()
                        .expect("nobody panics with it")
                        .push((index, answer));
                    answered.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        scope.spawn(|| {
            while answered.load(Ordering::SeqCst) < REQUESTS / 3 {
                std::thread::sleep(Duration::from_millis(1));
            }
            end(&mut nodes[1].0); // SIGKILL
            *killed.lock().expect("nobody panics with it") = Some(answered.load(Ordering::SeqCst));
            while answered.load(Ordering::SeqCst) < REQUESTS / 2 {
                std::thread::sleep(Duration::from_millis(1));
            }
            nodes[1] = NodeProcess::start(&config, 2);
        });
    });
    wait_for_nodes(&fleet, NODES);
    assert!(killed.lock().expect("nobody panics with it").is_some());

    // Every request was answered exactly once, with a plan that holds.
    let mut told = told.into_inner().expect("nobody panicked with it");
    told.sort_by_key(|(index, _)| *index);
    let indices: Vec<usize> = told.iter().map(|(index, _)| *index).collect();
    assert_eq!(indices, (0..REQUESTS).collect::<Vec<_>>());
    let snapshot = Snapshot::new(map, &PlannerConfig::default()).expect("a small map");
    let mut shares: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, told) in &told {
        let (start, goal) = request(*index);
        assert_eq!(told.error, None, "request {index}: {}", told.message);
        let expected = Expected {
            start: Some(start),
            goal: Some(goal),
            tolerance_m: 1e-6,
        };
        let violations = verify(&snapshot, &told.poses, &expected);
        assert!(violations.is_empty(), "request {index}: {violations:?}");
        *shares
            .entry(told.node.as_deref().unwrap_or_default())
            .or_default() += 1;
    }
    println!("answered by: {shares:?}");
    assert_eq!(shares.len(), NODES, "all have had a share: {shares:?}");
    assert!(
        shares.values().all(|&share| share > REQUESTS / 20),
        "{shares:?}"
    );
    feed.leave();
}
