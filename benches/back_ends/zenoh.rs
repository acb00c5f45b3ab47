//! The node on Zenoh, by this crate's own client.

use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

use hrm_planner::middleware::zenoh::client::{Actor, Client, Publisher};
use hrm_planner::middleware::zenoh::interfaces::diagnostic_msgs::msg::DiagnosticArray;
use hrm_planner::middleware::zenoh::interfaces::geometry_msgs::msg::PoseStamped;
use hrm_planner::middleware::zenoh::interfaces::nav_msgs::msg::OccupancyGrid;
use hrm_planner::middleware::zenoh::interfaces::nav2_msgs::action::{
    ComputePathToPose, ComputePathToPose_Goal as Goal,
};
use hrm_planner::middleware::zenoh::session::Network;
use hrm_planner::middleware::zenoh::{Identity, Qos};

use super::{Measured, PARAMETERS, PATIENCE, Robot, SIDE, cells, made_ms, ms, program, start};

pub(super) fn measure() -> [Measured; 1] {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let endpoint = format!("tcp/{}", port.expect("a free port"));
    let mut arguments = vec!["serve", "--listen", &endpoint];
    arguments.extend(PARAMETERS.iter().flat_map(|parameter| ["-p", parameter]));
    let begin = Instant::now();
    let _node = start(&program("HRM_SERVE"), &arguments);
    Measured::of(&[Peer::new(&endpoint)], begin)
}

struct Peer {
    map: Publisher<OccupancyGrid>,
    costmaps: Receiver<Instant>,
    goals: Actor<ComputePathToPose>,
    made_ms: Receiver<f64>,
    // Its endpoints live as long as it does.
    _client: Client,
}

impl Peer {
    fn new(endpoint: &str) -> Self {
        let identity = Identity::from_env().expect("a domain");
        let mut client =
            Client::join("client", &Network::by(endpoint), &identity).expect("the network");
        let map = client.publisher("map", Qos::reliable(1)).expect("a topic");
        let (tell, costmaps) = channel();
        client
            .listen(
                "global_costmap/costmap",
                Qos::reliable(5),
                move |_: OccupancyGrid| {
                    let _ = tell.send(Instant::now());
                },
            )
            .expect("a topic");
        let (tell, told) = channel();
        client
            .listen(
                "/diagnostics",
                Qos::DEFAULT,
                move |array: DiagnosticArray| {
                    let values = array.status.iter().flat_map(|status| &status.values);
                    for made in values.filter_map(|value| made_ms(&value.key, &value.value)) {
                        let _ = tell.send(made);
                    }
                },
            )
            .expect("a topic");
        let goals = client.actor("compute_path_to_pose").expect("an action");
        Self {
            map,
            costmaps,
            goals,
            made_ms: told,
            _client: client,
        }
    }
}

impl Robot for Peer {
    type Map = OccupancyGrid;

    fn map(number: usize) -> OccupancyGrid {
        let mut grid = OccupancyGrid::default();
        "map".clone_into(&mut grid.header.frame_id);
        (grid.info.width, grid.info.height) = (SIDE as u32, SIDE as u32);
        grid.info.resolution = 0.05;
        grid.info.origin.orientation.w = 1.0;
        grid.data = cells(number);
        grid
    }

    fn send(&self, map: OccupancyGrid) {
        self.map.publish(map).expect("it can be published");
    }

    fn costmaps(&self) -> &Receiver<Instant> {
        &self.costmaps
    }

    fn made_ms(&self) -> Option<&Receiver<f64>> {
        Some(&self.made_ms)
    }

    fn goal(&self) -> (f64, f64) {
        let pose = |x, y| {
            let mut pose = PoseStamped::default();
            "map".clone_into(&mut pose.header.frame_id);
            (pose.pose.position.x, pose.pose.position.y) = (x, y);
            pose
        };
        let goal = Goal {
            goal: pose(10.0, 10.0),
            start: pose(2.0, 2.0),
            use_start: true,
            ..Goal::default()
        };
        let begin = Instant::now();
        let (_, result) = self.goals.act(goal, PATIENCE).expect("an answer");
        let round_trip = ms(begin.elapsed());
        assert_eq!(result.error_code, 0, "{}", result.error_msg);
        let time = &result.planning_time;
        (
            round_trip,
            f64::from(time.sec) * 1e3 + f64::from(time.nanosec) / 1e6,
        )
    }
}
