//! What the ROS 2 node adds to planning: from message in to message out, less the time that the node
//! itself says it planned or made a map ready, beside an echo node that does nothing.
//!
//! ```text
//! HRM_NODE=target/release/hrm_planner_node cargo bench --features ros2 --bench ros2
//! ```

use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use futures::executor::block_on;
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

/// Cells along each side of the map: 1 MB.
const SIDE: usize = 1000;
const MAPS: usize = 60;
const GOALS: usize = 300;
const PATIENCE: Duration = Duration::from_secs(20);

fn main() {
    let context = Context::default_from_env().expect("a sourced ROS 2");
    let executor = context.create_basic_executor();
    if std::env::args().any(|argument| argument == "--echo") {
        echo(executor);
    } else {
        measure(executor);
    }
}

/// A node that sends maps and goals back.
fn echo(mut executor: Executor) {
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

/// A program that ends with this one.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(program: &str, arguments: &[&str]) -> Ended {
    Ended(
        Command::new(program)
            .args(arguments)
            .spawn()
            .expect("it starts"),
    )
}

fn measure(mut executor: Executor) {
    let node_path = std::env::var("HRM_NODE").expect("HRM_NODE names hrm_planner_node");
    let own = std::env::current_exe().expect("this program");
    let _echo = start(own.to_str().expect("a path"), &["--echo"]);
    let parameters = [
        "autostart_node:=true",
        "publish_frequency:=1000.0",
        "diagnostics_period:=0.02",
        "map_qos_durability:=volatile",
        "source:=search",
    ];
    let mut arguments = vec!["--ros-args"];
    arguments.extend(parameters.iter().flat_map(|parameter| ["-p", parameter]));
    let begin = Instant::now();
    let _node = start(&node_path, &arguments);

    let node = executor.create_node("client").expect("a node");
    let stop = executor.commands().clone();
    let measuring = std::thread::spawn(move || {
        let client = Client::new(&node);
        client.report(begin);
        stop.halt_spinning();
    });
    executor.spin(SpinOptions::default());
    measuring.join().expect("measuring goes well");
}

struct Client {
    map: [Publisher<OccupancyGrid>; 2],
    back: [Receiver<Instant>; 2],
    goals: [ActionClient<ComputePathToPose>; 2],
    made_ms: Receiver<f64>,
    _parts: Vec<Box<dyn std::any::Any>>,
}

/// The planner and the echo node: names of their map, their costmap and their action.
const NAMES: [[&str; 3]; 2] = [
    ["map", "global_costmap/costmap", "compute_path_to_pose"],
    ["echo/map", "echo/costmap", "echo/compute_path_to_pose"],
];

impl Client {
    fn new(node: &Node) -> Self {
        let mut parts: Vec<Box<dyn std::any::Any>> = Vec::new();
        let map = NAMES.map(|[map, ..]| {
            node.create_publisher(map.keep_last(1))
                .expect("a publisher")
        });
        let back = NAMES.map(|[_, costmap, _]| {
            let (tell, told) = channel();
            let costmaps = node
                .create_subscription(costmap.keep_last(5), move |_: OccupancyGrid| {
                    let _ = tell.send(Instant::now());
                })
                .expect("a subscription");
            parts.push(Box::new(costmaps));
            told
        });
        let goals = NAMES.map(|[.., action]| {
            node.create_action_client::<ComputePathToPose>(action)
                .expect("an action client")
        });
        let (tell, made_ms) = channel();
        let diagnostics = node
            .create_subscription("/diagnostics", move |array: DiagnosticArray| {
                let values = array.status.into_iter().flat_map(|status| status.values);
                for value in values.filter(|value| value.key == "map made ready") {
                    let number = value.value.trim_end_matches(" ms").parse();
                    let _ = tell.send(number.expect("a number of milliseconds"));
                }
            })
            .expect("a subscription");
        parts.push(Box::new(diagnostics));
        Self {
            map,
            back,
            goals,
            made_ms,
            _parts: parts,
        }
    }

    fn report(&self, begin: Instant) {
        let ready = |action: &ActionClient<ComputePathToPose>| {
            while !action.server_is_available().unwrap_or(false) {
                std::thread::sleep(Duration::from_millis(2));
            }
        };
        self.goals.iter().for_each(ready);
        // Discovery of the topics takes its time too.
        let first = loop {
            self.map[0].publish(grid(0)).expect("it can be published");
            if self.back[0]
                .recv_timeout(Duration::from_millis(300))
                .is_ok()
            {
                break self.goal(0).1;
            }
        };
        println!(
            "start of the node to its first plan: {:.0} ms ({first:.1} ms of it planning)",
            begin.elapsed().as_secs_f64() * 1e3
        );
        while self.back[1]
            .recv_timeout(Duration::from_millis(300))
            .is_err()
        {
            self.map[1].publish(grid(0)).expect("it can be published");
        }

        let (mut maps, mut echoed_maps, mut made) = (Vec::new(), Vec::new(), Vec::new());
        for number in 0..MAPS {
            maps.push(self.map_ms(0, number));
            // What is told from now on is about this map.
            self.made_ms.try_iter().for_each(drop);
            made.push(self.made_ms.recv_timeout(PATIENCE).expect("diagnostics"));
            echoed_maps.push(self.map_ms(1, number));
        }
        let (mut goals, mut echoed_goals) = (Vec::new(), Vec::new());
        for _ in 0..GOALS {
            let (round_trip, planning) = self.goal(0);
            goals.push(round_trip - planning);
            echoed_goals.push(self.goal(1).0);
        }
        let made = median(made);
        row(
            "1 MB map in, costmap out",
            median(maps) - made,
            made,
            median(echoed_maps),
        );
        let planning = self.goal(0).1;
        row(
            "goal in, plan out",
            median(goals),
            planning,
            median(echoed_goals),
        );
    }

    /// From a map to its costmap.
    fn map_ms(&self, whose: usize, number: usize) -> f64 {
        self.back[whose].try_iter().for_each(drop);
        let map = grid(number);
        let begin = Instant::now();
        self.map[whose].publish(map).expect("it can be published");
        let back = self.back[whose].recv_timeout(PATIENCE).expect("a costmap");
        (back - begin).as_secs_f64() * 1e3
    }

    /// (round trip, planning time), milliseconds.
    fn goal(&self, whose: usize) -> (f64, f64) {
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
        let accepted = block_on(self.goals[whose].request_goal(goal)).expect("it is accepted");
        let (_, result) = block_on(accepted.result);
        let round_trip = begin.elapsed().as_secs_f64() * 1e3;
        assert_eq!(result.error_code, 0, "{}", result.error_msg);
        let time = &result.planning_time;
        (
            round_trip,
            f64::from(time.sec) * 1e3 + f64::from(time.nanosec) / 1e6,
        )
    }
}

fn row(what: &str, overhead: f64, own: f64, echo: f64) {
    println!(
        "{what}: {overhead:.2} ms beside {own:.2} ms of its own work; an echo node takes {echo:.2} ms \
         (ratio {:.2})",
        overhead / echo
    );
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A map of which one cell tells it from the others.
fn grid(number: usize) -> OccupancyGrid {
    let mut grid = OccupancyGrid::default();
    grid.header.frame_id = "map".into();
    (grid.info.width, grid.info.height) = (SIDE as u32, SIDE as u32);
    grid.info.resolution = 0.05;
    grid.info.origin.orientation.w = 1.0;
    let mut data = vec![0; SIDE * SIDE];
    data[500_000 + number] = 100;
    grid.data = data.into();
    grid
}
