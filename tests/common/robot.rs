//! A node without middleware, and what it has sent.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hrm_planner::grid::{Costmap, OccupancyMessage, Pose2, Quaternion};
use hrm_planner::node::bond::BondStatus;
use hrm_planner::node::goals::Ticket;
use hrm_planner::node::lifecycle::Edge;
use hrm_planner::node::message::{
    Answer, Ask, CostmapMessage, Header, MapMessage, Path, TransformStamped,
};
use hrm_planner::node::report::{PlanReport, ReasoningFrame};
use hrm_planner::node::{Node, Outbox, Pose, PoseStamped, Settings, SimulatedClock, Time};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// All that a node has sent.
#[derive(Default)]
pub struct Sent {
    pub plans: Mutex<Vec<Path>>,
    pub reports: Mutex<Vec<PlanReport>>,
    pub frames: Mutex<Vec<ReasoningFrame>>,
    pub costmaps: Mutex<Vec<(CostmapMessage, bool)>>,
    pub bond: Mutex<Vec<BondStatus>>,
    pub edges: Mutex<Vec<Edge>>,
    gate: Mutex<Option<Gate>>,
}

/// Where those who show their thinking are held up.
struct Gate {
    opened: Arc<Mutex<Receiver<()>>>,
    at_it: Arc<AtomicBool>,
}

impl Sent {
    /// From now on, whoever shows its thinking waits until what this returns is dropped.
    pub fn close_gate(&self) -> Sender<()> {
        let (open, opened) = channel();
        let gate = Gate {
            opened: Arc::new(Mutex::new(opened)),
            at_it: Arc::default(),
        };
        *self.gate.lock().expect("nobody panics with it") = Some(gate);
        open
    }

    /// Lets those through who come from now on.
    pub fn open_gate_for_others(&self) {
        *self.gate.lock().expect("nobody panics with it") = None;
    }

    /// Whether somebody is held up.
    pub fn is_at_gate(&self) -> bool {
        let gate = self.gate.lock().expect("nobody panics with it");
        let gate = gate.as_ref();
        gate.is_some_and(|gate| gate.at_it.load(Ordering::SeqCst))
    }

    fn wait_at_gate(&self) {
        let gate = self.gate.lock().expect("nobody panics with it");
        let held_up = gate
            .as_ref()
            .map(|gate| (gate.opened.clone(), gate.at_it.clone()));
        drop(gate);
        if let Some((opened, at_it)) = held_up {
            at_it.store(true, Ordering::SeqCst);
            // An error: the other end was dropped, which is what opens it.
            let _ = opened.lock().expect("nobody panics with it").recv();
        }
    }
}

fn keep<T>(kept: &Mutex<Vec<T>>, sent: T) {
    kept.lock()
        .expect("nobody panics while it is locked")
        .push(sent);
}

impl Outbox for Sent {
    fn plan(&self, plan: &Path) {
        keep(&self.plans, plan.clone());
    }
    fn report(&self, report: &PlanReport) {
        keep(&self.reports, report.clone());
    }
    fn is_watched(&self) -> bool {
        true
    }
    fn reasoning(&self, frame: &ReasoningFrame) {
        self.wait_at_gate();
        keep(&self.frames, frame.clone());
    }
    fn costmap(&self, costmap: CostmapMessage, is_whole: bool) {
        keep(&self.costmaps, (costmap, is_whole));
    }
    fn bond(&self, status: &BondStatus) {
        keep(&self.bond, status.clone());
    }
    fn transition(&self, edge: &Edge) {
        keep(&self.edges, *edge);
    }
}

/// A node, its clock and what it has sent.
pub struct Robot {
    pub node: Node,
    pub clock: Arc<SimulatedClock>,
    pub sent: Arc<Sent>,
}

/// The settings that a YAML text says.
pub fn settings(text: &str) -> Settings {
    Settings::parse(text).expect("the settings are valid")
}

impl Robot {
    /// An unconfigured node; it is second 100.
    pub fn new(text: &str) -> Self {
        let clock = Arc::new(SimulatedClock::default());
        clock.set(Time::from_seconds(100.0));
        let sent = Arc::new(Sent::default());
        let node = Node::new("planner", 7, settings(text), clock.clone(), sent.clone());
        let node = node.expect("the settings are valid");
        Self { node, clock, sent }
    }

    /// An active node that has a map of unit cells; see [`super::costmap`] for the art.
    pub fn active(text: &str, art: &str) -> Self {
        let robot = Self::new(text);
        robot.node.maps().put_map(map(art));
        assert!(robot.node.start());
        robot
    }

    /// Says where a frame is.
    pub fn place(&self, parent: &str, child: &str, (x, y, yaw): (f64, f64, f64), stamp_s: f64) {
        let transform = transform(parent, child, (x, y, yaw), stamp_s);
        self.node.put_transforms(&[transform], false);
    }

    /// Asks, and where the answer will come.
    pub fn ask(&self, ask: Ask) -> (Option<Ticket>, Receiver<Answer>) {
        let (tell, told) = channel();
        let reply = Box::new(move |answer| {
            let _ = tell.send(answer);
        });
        (self.node.submit(ask, reply), told)
    }

    /// The answer.
    pub fn answer(&self, ask: Ask) -> Answer {
        let (ticket, told) = self.ask(ask);
        assert!(ticket.is_some(), "the node is active");
        wait(&told)
    }
}

/// What comes.
pub fn wait(told: &Receiver<Answer>) -> Answer {
    told.recv_timeout(PATIENCE).expect("an answer comes")
}

/// Waits until something holds.
pub fn until(what: &str, holds: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < end, "this did not happen: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A transform in the plane.
pub fn transform(
    parent: &str,
    child: &str,
    (x, y, yaw): (f64, f64, f64),
    stamp_s: f64,
) -> TransformStamped {
    TransformStamped {
        header: header(parent, stamp_s),
        child: child.to_owned(),
        transform: Pose::planar(Pose2::new(x, y, yaw)),
    }
}

pub fn header(frame: &str, stamp_s: f64) -> Header {
    Header {
        stamp: Time::from_seconds(stamp_s),
        frame: frame.to_owned(),
    }
}

/// The message of a map of unit cells: '#' occupied, '.' free, '?' unknown.
pub fn map(art: &str) -> MapMessage {
    message(&super::costmap(art))
}

/// The message of a map: lethal and unknown cells, the others free.
pub fn message(map: &Costmap) -> MapMessage {
    let geometry = map.geometry();
    let origin = geometry.origin();
    let occupancy = |cost: &hrm_planner::grid::Cost| match cost.0 {
        254 => 100,
        255 => -1,
        _ => 0,
    };
    MapMessage {
        header: header("map", 1.0),
        grid: OccupancyMessage {
            width: geometry.width() as u32,
            height: geometry.height() as u32,
            resolution: geometry.resolution() as f32,
            position: [origin.x, origin.y, 0.0],
            orientation: Quaternion::from_yaw(origin.yaw),
            data: map.costs().iter().map(occupancy).collect(),
        },
    }
}

/// A pose in a frame, without a stamp.
pub fn pose(frame: &str, x: f64, y: f64) -> PoseStamped {
    PoseStamped {
        header: header(frame, 0.0),
        pose: Pose::planar(Pose2::new(x, y, 0.0)),
    }
}

/// A goal of `compute_path_to_pose` in the map's frame.
pub fn to_pose(start: Option<(f64, f64)>, goal: (f64, f64)) -> Ask {
    Ask::ToPose {
        goal: pose("map", goal.0, goal.1),
        start: start.map(|start| pose("map", start.0, start.1)),
        planner_id: String::new(),
    }
}
