//! What the node adds to planning on each back end, in one run: from message in to message out, less the
//! time that the node itself says it planned or made a map ready.
//!
//! ```text
//! HRM_NODE=target/release/hrm_planner_node HRM_SERVE=target/release/hrm-planner \
//!     cargo bench --features ros2 --bench back_ends
//! ```
//!
//! Measured beside them: a ROS 2 node that only sends maps and goals back, in turns with the planner, so that
//! whatever else the machine does falls on both.

mod ros2;
mod zenoh;

use std::process::{Child, Command};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

/// Cells along each side of the map: 1 MB.
const SIDE: usize = 1000;
const MAPS: usize = 60;
const GOALS: usize = 1000;
const PATIENCE: Duration = Duration::from_secs(20);
/// Discovery takes its time: so long for one try.
const TRY: Duration = Duration::from_millis(50);

/// Parameters of both nodes: no wait but for the work.
const PARAMETERS: [&str; 5] = [
    "autostart_node:=true",
    "publish_frequency:=1000.0",
    "diagnostics_period:=0.02",
    "map_qos_durability:=volatile",
    "source:=search",
];

/// A node as its client sees it.
trait Robot {
    type Map;
    /// A map of which one cell tells it from the others.
    fn map(number: usize) -> Self::Map;
    fn send(&self, map: Self::Map);
    /// When its costmaps came back.
    fn costmaps(&self) -> &Receiver<Instant>;
    /// How long the node took to make maps ready, milliseconds, told again and again.
    fn made_ms(&self) -> Option<&Receiver<f64>>;
    /// (round trip, planning time), milliseconds.
    fn goal(&self) -> (f64, f64);
}

/// What was measured of a robot, milliseconds.
struct Measured {
    /// From the start of its process to its first plan.
    first_plan: f64,
    /// From each map to its costmap, less the node's own work.
    maps: f64,
    made: f64,
    /// From each goal to its plan, less planning.
    goals: f64,
    planning: f64,
    /// Goals one after the other, 1/s.
    rate: f64,
}

impl Measured {
    /// What is measured of robots in turns, those that began at the same time.
    fn of<R: Robot, const N: usize>(robots: &[R; N], begin: Instant) -> [Self; N] {
        let mut number = 0;
        let mut times: [Times; N] = std::array::from_fn(|_| Times::default());
        for (robot, times) in robots.iter().zip(&mut times) {
            loop {
                number += 1;
                robot.send(R::map(number));
                if robot.costmaps().recv_timeout(TRY).is_ok() {
                    break;
                }
            }
            robot.goal();
            times.first_plan = ms(begin.elapsed());
        }
        for _ in 0..MAPS {
            for (robot, times) in robots.iter().zip(&mut times) {
                number += 1;
                let map = R::map(number);
                robot.costmaps().try_iter().for_each(drop);
                let sent = Instant::now();
                robot.send(map);
                let back = robot.costmaps().recv_timeout(PATIENCE).expect("a costmap");
                let made = robot.made_ms().map_or(0.0, |told| {
                    // What is told from now on is about this map.
                    told.try_iter().for_each(drop);
                    told.recv_timeout(PATIENCE).expect("diagnostics")
                });
                times.maps.push(ms(back - sent) - made);
                times.made.push(made);
            }
        }
        for _ in 0..GOALS {
            for (robot, times) in robots.iter().zip(&mut times) {
                let (round_trip, planned) = robot.goal();
                times.goals.push(round_trip - planned);
                times.planning.push(planned);
                times.round_trips.push(round_trip);
            }
        }
        times.map(|times| Self {
            first_plan: times.first_plan,
            maps: median(times.maps),
            made: median(times.made),
            goals: median(times.goals),
            planning: median(times.planning),
            rate: GOALS as f64 / (times.round_trips.iter().sum::<f64>() / 1e3),
        })
    }
}

/// Single times, milliseconds; see [`Measured`].
#[derive(Default)]
struct Times {
    first_plan: f64,
    maps: Vec<f64>,
    made: Vec<f64>,
    goals: Vec<f64>,
    planning: Vec<f64>,
    round_trips: Vec<f64>,
}

fn main() {
    if std::env::args().any(|argument| argument == "--echo") {
        return ros2::echo();
    }
    let [dds, echo] = ros2::measure();
    let [zenoh] = zenoh::measure();
    println!("                                  Zenoh    ROS 2 (DDS)  ROS 2 echo node");
    let row = |what: &str, of: fn(&Measured) -> f64| {
        let [zenoh, dds, echo] = [&zenoh, &dds, &echo].map(of);
        let ratio = zenoh / dds;
        println!("{what:<32} {zenoh:>7.2}  {dds:>7.2}      {echo:>7.2}   Zenoh/DDS {ratio:.2}");
    };
    println!(
        "start to first plan, ms          {:>7.2}  {:>7.2}",
        zenoh.first_plan, dds.first_plan
    );
    row("1 MB map in, costmap out, ms", |m| m.maps);
    row("  beside own work of, ms", |m| m.made);
    row("goal in, plan out, ms", |m| m.goals);
    row("  beside planning of, ms", |m| m.planning);
    row("goals one by one, 1/s", |m| m.rate);
    let added = |what: &str, of: fn(&Measured) -> f64| {
        let (added, ratio) = (of(&dds) - of(&echo), of(&dds) / of(&echo));
        println!("the ROS 2 node adds to the echo node, {what}: {added:.2} ms (ratio {ratio:.2})");
    };
    added("1 MB map", |m| m.maps);
    added("goal", |m| m.goals);
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
    let started = Command::new(program).args(arguments).spawn();
    Ended(started.expect("it starts"))
}

fn program(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| panic!("{variable} names the node's program"))
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The cells of a map, of which one tells it from the others.
fn cells(number: usize) -> Vec<i8> {
    let mut data = vec![0; SIDE * SIDE];
    data[500_000 + number] = 100;
    data
}

/// The milliseconds in an entry of `/diagnostics`, if that is the one.
fn made_ms(key: &str, value: &str) -> Option<f64> {
    (key == "map made ready").then(|| {
        let number = value.trim_end_matches(" ms").parse();
        number.expect("a number of milliseconds")
    })
}
