//! The demo as a robot has it: a node on Zenoh inside this program, fed with a map, asked for plans while
//! the map changes.

use std::io::Write;
use std::net::TcpListener;
use std::time::Duration;

use hrm_planner::Error;
use hrm_planner::grid::{DEMO_GOAL, DEMO_START, OccupancyGrid, Pose2};
use hrm_planner::middleware::zenoh::client::{Client, Publisher};
use hrm_planner::middleware::zenoh::interfaces::map_msgs::msg::OccupancyGridUpdate;
use hrm_planner::middleware::zenoh::interfaces::nav_msgs::msg::OccupancyGrid as MapMsg;
use hrm_planner::middleware::zenoh::interfaces::std_msgs::msg::Header;
use hrm_planner::middleware::zenoh::plans::{self, Told};
use hrm_planner::middleware::zenoh::session::Network;
use hrm_planner::middleware::zenoh::{Identity, Qos, Served, map_msg};
use hrm_planner::node::Settings;
use hrm_planner::planner::PlannerConfig;

use super::failure::Result;
use super::pairs::write_pairs;

/// Seconds that a plan may take here.
const PATIENCE: Duration = Duration::from_secs(60);
/// What is put into the robot's way, metres square.
const PALLET_M: f64 = 1.2;

/// Starts the node, shows it the map, and puts a pallet into the way of its plan and takes it away again.
pub fn run(
    map: &OccupancyGrid,
    config: PlannerConfig,
    model: Option<String>,
    out: &mut impl Write,
) -> Result<()> {
    let mut settings = Settings {
        planner: config,
        ..Settings::default()
    };
    settings.node.autostart_node = true;
    settings.node.model = model.unwrap_or_default();
    let endpoint = free_endpoint()?;
    let listening = Network {
        listen: vec![endpoint.clone()],
        ..Network::default()
    };
    let served = Served::start(settings, &listening, &Identity::default())?;
    let robot = Client::join("demo_robot", &Network::by(&endpoint), &Identity::default())?;
    let story = Story::begin(robot, map)?;
    let pairs = story.tell();
    served.end();
    writeln!(out, "\nThe same as a node, on Zenoh inside this program:")?;
    Ok(write_pairs(out, &pairs?)?)
}

/// An endpoint of this machine that nobody listens at.
fn free_endpoint() -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let address = listener.map_err(|source| Error::Io {
        path: "a port of this machine".into(),
        source,
    })?;
    Ok(format!("tcp/{address}"))
}

/// The robot's side: what it publishes and asks.
struct Story<'a> {
    robot: Client,
    map: &'a OccupancyGrid,
    updates: Publisher<OccupancyGridUpdate>,
    header: Header,
    // Late joiners would get the map from it.
    _maps: Publisher<MapMsg>,
}

impl<'a> Story<'a> {
    /// Publishes the map, as a map server does.
    fn begin(mut robot: Client, map: &'a OccupancyGrid) -> Result<Self> {
        let maps = robot.publisher::<MapMsg>("map", Qos::LATCHED)?;
        let updates = robot.publisher("map_updates", Qos::DEFAULT)?;
        let message = map_msg("map", map);
        let header = message.header.clone();
        maps.publish(message)?;
        Ok(Self {
            robot,
            map,
            updates,
            header,
            _maps: maps,
        })
    }

    fn tell(mut self) -> Result<Vec<(&'static str, String)>> {
        let geometry = self.map.geometry();
        let mut pairs = vec![(
            "map",
            format!(
                "{} x {} cells, on the topic `map`",
                geometry.width(),
                geometry.height()
            ),
        )];
        let first = self.plan()?;
        pairs.push(("plan", said(&first)));
        if let Some(&place) = first.poses.get(3 * first.poses.len() / 10) {
            self.put_pallet(&place, 100)?;
            pairs.push((
                "pallet",
                format!(
                    "{PALLET_M} m square at {:.1}, {:.1}, by `map_updates`",
                    place.x, place.y
                ),
            ));
            pairs.push(("plan", said(&self.plan()?)));
            self.put_pallet(&place, 0)?;
            pairs.push(("pallet", "taken away".to_owned()));
            pairs.push(("plan", said(&self.plan()?)));
        }
        self.robot.leave();
        Ok(pairs)
    }

    fn plan(&mut self) -> Result<Told> {
        let told = plans::to_pose(
            &mut self.robot,
            "map",
            Some(&DEMO_START),
            &DEMO_GOAL,
            PATIENCE,
        )?;
        Ok(told)
    }

    /// Makes the free cells around a place occupied, or those of the pallet free again.
    fn put_pallet(&self, at: &Pose2, occupancy: i8) -> Result<()> {
        let geometry = self.map.geometry();
        let (width, height) = (geometry.width(), geometry.height());
        let half = (PALLET_M / 2.0 / geometry.resolution()).round() as usize;
        let Some(cell) = geometry.world_to_cell(at.x, at.y) else {
            return Ok(());
        };
        let columns = cell.col.saturating_sub(half)..(cell.col + half + 1).min(width);
        let rows = cell.row.saturating_sub(half)..(cell.row + half + 1).min(height);
        let update = OccupancyGridUpdate {
            x: columns.start as i32,
            y: rows.start as i32,
            width: columns.len() as u32,
            height: rows.len() as u32,
            data: rows
                .flat_map(|row| columns.clone().map(move |col| row * width + col))
                .map(|index| self.map.data()[index].max(occupancy))
                .collect(),
            header: self.header.clone(),
        };
        Ok(self.updates.publish(update)?)
    }
}

fn said(told: &Told) -> String {
    match told.error {
        None => format!(
            "{:.2} m in {:.1} ms",
            told.length_m(),
            told.planning_time_s * 1000.0
        ),
        Some(error) => format!("none: {error}: {}", told.message),
    }
}
