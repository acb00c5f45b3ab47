//! The ROS 2 node and an echo node beside it, by rclrs.

use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use futures::FutureExt;
use rclrs::{
    ActionClient, Context, CreateBasicExecutor, Executor, IntoPrimitiveOptions, Node, Publisher,
    RequestedGoal, SpinOptions, TerminatedGoal,
};
use ros_env::diagnostic_msgs::msg::DiagnosticArray;
use ros_env::geometry_msgs::msg::PoseStamped;
use ros_env::nav_msgs::msg::rmw::OccupancyGrid;
use ros_env::nav2_msgs::action::{
    ComputePathToPose, ComputePathToPose_Goal as Goal, ComputePathToPose_Result as Answer,
};

use super::{Measured, PARAMETERS, Robot, SIDE, cells, made_ms, ms, program, start};

fn executor() -> Executor {
    let context = Context::default_from_env().expect("a sourced ROS 2");
    context.create_basic_executor()
}

/// A node that sends maps and goals back.
pub(super) fn echo() {
    let mut executor = executor();
    let node = executor.create_node("echo").expect("a node");
    let out: Publisher<OccupancyGrid> = node
        .create_publisher("echo/costmap".keep_last(1))
        .expect("a publisher");
    let _maps = node
        .create_subscription("echo/map".keep_last(1), move |map: OccupancyGrid| {
            out.publish(map).expect("it can be published");
        })
        .expect("a subscription");
    let _goals = node
        .create_action_server::<ComputePathToPose, _>("echo/compute_path_to_pose", answer)
        .expect("an action");
    executor.spin(SpinOptions::default());
}

async fn answer(requested: RequestedGoal<ComputePathToPose>) -> TerminatedGoal {
    let mut result = Answer::default();
    let goal = requested.goal().goal.clone();
    result.path.poses = vec![goal; 170]; // as many as the planner's plan has
    requested.accept().execute().succeeded_with(result)
}

/// The planner and the echo node.
pub(super) fn measure() -> [Measured; 2] {
    let own = std::env::current_exe().expect("this program");
    let _echo = start(own.to_str().expect("a path"), &["--echo"]);
    let mut arguments = vec!["--ros-args"];
    arguments.extend(PARAMETERS.iter().flat_map(|parameter| ["-p", parameter]));
    let begin = Instant::now();
    let _node = start(&program("HRM_NODE"), &arguments);

    let mut executor = executor();
    let node = executor.create_node("client").expect("a node");
    let stop = executor.commands().clone();
    let measuring = std::thread::spawn(move || {
        let robots = NAMES.map(|names| Client::new(&node, names));
        let measured = Measured::of(&robots, begin);
        stop.halt_spinning();
        measured
    });
    executor.spin(SpinOptions::default());
    measuring.join().expect("measuring goes well")
}

/// The planner and the echo node: names of their map, their costmap and their action.
const NAMES: [[&str; 3]; 2] = [
    ["map", "global_costmap/costmap", "compute_path_to_pose"],
    ["echo/map", "echo/costmap", "echo/compute_path_to_pose"],
];

struct Client {
    map: Publisher<OccupancyGrid>,
    costmaps: Receiver<Instant>,
    goals: ActionClient<ComputePathToPose>,
    made_ms: Option<Receiver<f64>>,
    _parts: Vec<Box<dyn std::any::Any + Send>>,
}

impl Client {
    fn new(node: &Node, [map, costmap, action]: [&str; 3]) -> Self {
        let mut parts: Vec<Box<dyn std::any::Any + Send>> = Vec::new();
        let publisher = node.create_publisher(map.keep_last(1));
        let (tell, costmaps) = channel();
        let back = node.create_subscription(costmap.keep_last(5), move |_: OccupancyGrid| {
            let _ = tell.send(Instant::now());
        });
        parts.push(Box::new(back.expect("a subscription")));
        let goals = node.create_action_client::<ComputePathToPose>(action);
        let goals = goals.expect("an action client");
        while !goals.server_is_available().unwrap_or(false) {
            std::thread::sleep(Duration::from_millis(2));
        }
        let (tell, told) = channel();
        let is_planner = map == "map";
        if is_planner {
            let diagnostics =
                node.create_subscription("/diagnostics", move |array: DiagnosticArray| {
                    let values = array.status.iter().flat_map(|status| &status.values);
                    for made in values.filter_map(|value| made_ms(&value.key, &value.value)) {
                        let _ = tell.send(made);
                    }
                });
            parts.push(Box::new(diagnostics.expect("a subscription")));
        }
        Self {
            map: publisher.expect("a publisher"),
            costmaps,
            goals,
            made_ms: is_planner.then_some(told),
            _parts: parts,
        }
    }
}

/// What a future comes to, if it does within a second.
fn within<T>(mut future: impl Future<Output = T> + Unpin) -> Option<T> {
    let end = Instant::now() + Duration::from_secs(1);
    loop {
        if let Some(found) = (&mut future).now_or_never() {
            return Some(found);
        }
        if Instant::now() > end {
            println!("an answer was lost");
            return None;
        }
        std::thread::sleep(Duration::from_micros(10));
    }
}

impl Robot for Client {
    type Map = OccupancyGrid;

    fn map(number: usize) -> OccupancyGrid {
        let mut grid = OccupancyGrid::default();
        grid.header.frame_id = "map".into();
        (grid.info.width, grid.info.height) = (SIDE as u32, SIDE as u32);
        grid.info.resolution = 0.05;
        grid.info.origin.orientation.w = 1.0;
        grid.data = cells(number).as_slice().into();
        grid
    }

    fn send(&self, map: OccupancyGrid) {
        self.map.publish(map).expect("it can be published");
    }

    fn costmaps(&self) -> &Receiver<Instant> {
        &self.costmaps
    }

    fn made_ms(&self) -> Option<&Receiver<f64>> {
        self.made_ms.as_ref()
    }

    fn goal(&self) -> (f64, f64) {
        let pose = |x, y| {
            let mut pose = PoseStamped::default();
            "map".clone_into(&mut pose.header.frame_id);
            (pose.pose.position.x, pose.pose.position.y) = (x, y);
            pose.pose.orientation.w = 1.0;
            pose
        };
        let goal = Goal {
            goal: pose(10.0, 10.0),
            start: pose(2.0, 2.0),
            planner_id: String::new(),
            use_start: true,
        };
        let begin = Instant::now();
        // DDS loses an answer now and then when there are many: asked again, and the time counts.
        let result = loop {
            let Some(accepted) = within(self.goals.request_goal(goal.clone())) else {
                continue;
            };
            if let Some((_, result)) = within(accepted.expect("it is accepted").result) {
                break result;
            }
        };
        let round_trip = ms(begin.elapsed());
        assert_eq!(result.error_code, 0, "{}", result.error_msg);
        let time = &result.planning_time;
        (
            round_trip,
            f64::from(time.sec) * 1e3 + f64::from(time.nanosec) / 1e6,
        )
    }
}
