//! What somebody is able to do beside a planner and its robot.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hrm_planner::Error;
use hrm_planner::grid::{Geometry, OccupancyGrid, Pose2};
use hrm_planner::middleware::zenoh::attachment::Attachment;
use hrm_planner::middleware::zenoh::client::{Client, Publisher};
use hrm_planner::middleware::zenoh::interfaces::hrm_planner_msgs::msg::PlanReport;
use hrm_planner::middleware::zenoh::interfaces::lifecycle_msgs::srv::{
    ChangeState, ChangeState_Request, GetState, GetState_Request,
};
use hrm_planner::middleware::zenoh::interfaces::nav_msgs::msg::{
    OccupancyGrid as MapMsg, Path as PathMsg,
};
use hrm_planner::middleware::zenoh::interfaces::rcl_interfaces::srv::{
    SetParameters, SetParameters_Request,
};
use hrm_planner::middleware::zenoh::interfaces::{Message, Service};
use hrm_planner::middleware::zenoh::plans::{self, Told};
use hrm_planner::middleware::zenoh::{Qos, cdr, map_msg};
use zenoh::{Session, Wait};

use super::closed_network::{Closed, LONG, Planner, SHORT, eventually, session};
use crate::common::cli::{Run, command};

/// 8 x 6 m at 0.1 m: a wall across, with a door that begins in this row. By the door in row 45 the way of
/// [`way`] is 10 m, by that in row 5 it is 5 m.
fn two_rooms(door: usize) -> MapMsg {
    let geometry = Geometry::new(80, 60, 0.1, Pose2::new(0.0, 0.0, 0.0)).expect("a map");
    let occupancy = |index: usize| {
        let (row, col) = (index / 80, index % 80);
        let is_wall = (38..42).contains(&col) && !(door..door + 12).contains(&row);
        if is_wall { 100 } else { 0 }
    };
    let map = OccupancyGrid::new(geometry, (0..80 * 60).map(occupancy).collect());
    map_msg("map", &map.expect("as many values as cells"))
}

const FAR_DOOR: usize = 45;
const NEAR_DOOR: usize = 5;

/// What the planner says about the way from one room to the other, by which its map shows.
fn way(client: &mut Client) -> Option<Told> {
    let (start, goal) = (Pose2::new(1.0, 1.0, 0.0), Pose2::new(6.0, 1.0, 0.0));
    match plans::to_pose(client, "map", Some(&start), &goal, LONG) {
        Ok(told) => Some(told),
        // It has just begun and is not active yet, or had taken the goal when the connection broke.
        Err(Error::GoalRejected { .. }) => None,
        Err(error) => panic!("the planner does not answer the robot: {error}"),
    }
}

fn is_far(way: Option<&Told>) -> bool {
    way.is_some_and(|told| told.length_m() > 9.0)
}

fn is_near(way: Option<&Told>) -> bool {
    way.is_some_and(|told| told.length_m() < 6.0 && !told.poses.is_empty())
}

/// What somebody may be able to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Can {
    SeeWhoThereIs,
    AskForAPlan,
    AskForTheState,
    ChangeTheState,
    SetParameters,
    ReadPlans,
    ReadReports,
    ReadTheCostmap,
    PublishTheMap,
    /// By a key that means maps of every type.
    PublishToAllMaps,
    PublishPlans,
    AnswerForThePlanner,
    AnnounceAServer,
}

pub const ALL: [Can; 13] = [
    Can::SeeWhoThereIs,
    Can::AskForAPlan,
    Can::AskForTheState,
    Can::ChangeTheState,
    Can::SetParameters,
    Can::ReadPlans,
    Can::ReadReports,
    Can::ReadTheCostmap,
    Can::PublishTheMap,
    Can::PublishToAllMaps,
    Can::PublishPlans,
    Can::AnswerForThePlanner,
    Can::AnnounceAServer,
];

/// Tries everything with the certificate of a name, and asserts that just this is possible.
pub fn check(closed: &Closed, name: &str, expected: &[Can]) {
    let mut trial = Trial::start(closed, name, expected);
    trial.look();
    trial.ask();
    trial.read();
    trial.publish_maps();
    trial.pass_for_the_planner();
    assert_eq!(trial.found, expected.iter().copied().collect(), "{name}");
}

/// A planner, a robot that publishes its map and gets its plans, and somebody beside them.
struct Trial<'a> {
    expected: &'a [Can],
    found: BTreeSet<Can>,
    _planner: Planner,
    robot: Client,
    robots_session: Session,
    maps: Publisher<MapMsg>,
    somebody: Client,
    session: Session,
    /// By which somebody joins.
    file: PathBuf,
}

impl<'a> Trial<'a> {
    fn start(closed: &Closed, name: &str, expected: &'a [Can]) -> Self {
        let mut robot = closed.join("robot", "robot");
        let maps = robot.publisher("map", Qos::LATCHED).expect("a topic");
        // The planner comes after the map, and has it all the same.
        maps.publish(two_rooms(FAR_DOOR)).expect("the router");
        let planner = closed.planner();
        let has_plan = eventually(LONG, || is_far(way(&mut robot).as_ref()));
        assert!(has_plan, "the robot gets a plan");
        let file = closed.client(name, &[]);
        Self {
            expected,
            found: BTreeSet::new(),
            _planner: planner,
            robot,
            robots_session: session(&closed.client("robot", &[])).expect("the robot joins"),
            maps,
            somebody: closed.join(name, "somebody"),
            session: session(&file).expect("the certificate is good"),
            file,
        }
    }

    /// How long to wait for what may be possible.
    fn patience(&self, can: Can) -> Duration {
        if self.expected.contains(&can) {
            LONG
        } else {
            SHORT
        }
    }

    fn note(&mut self, can: Can, is_so: bool) {
        if is_so {
            self.found.insert(can);
        }
    }

    fn look(&mut self) {
        let sees = eventually(self.patience(Can::SeeWhoThereIs), || {
            sees(&self.session, "@ros2_lv/0/**")
        });
        self.note(Can::SeeWhoThereIs, sees);
    }

    fn ask(&mut self) {
        let patience = self.patience(Can::AskForAPlan);
        let is_told = eventually(patience, || {
            let asked = command(["goal", "6,1", "--start", "1,1", "--domain", "0"])
                .args(["--timeout", &patience.as_secs_f64().to_string()])
                .arg("--zenoh-config")
                .arg(&self.file)
                .output();
            let asked = Run::of(asked.expect("the program starts"));
            assert!(asked.code == 0 || asked.code == 2, "{asked:?}");
            asked.code == 0
        });
        self.note(Can::AskForAPlan, is_told);

        let get = GetState_Request::default();
        self.ask_service::<GetState>(Can::AskForTheState, "get_state", &get);
        // A transition that there is not, and no parameters: that they are answered is enough.
        let mut change = ChangeState_Request::default();
        change.transition.id = 99;
        self.ask_service::<ChangeState>(Can::ChangeTheState, "change_state", &change);
        let set = SetParameters_Request::default();
        self.ask_service::<SetParameters>(Can::SetParameters, "set_parameters", &set);
    }

    fn ask_service<S: Service>(&mut self, can: Can, service: &str, request: &S::Request) {
        let patience = self.patience(can);
        let caller = self.somebody.caller::<S>(&format!("hrm_planner/{service}"));
        let answer = caller.expect("a service").call(request, patience);
        self.note(can, answer.is_ok());
    }

    /// What is published while the robot is given plans.
    fn read(&mut self) {
        let (somebody, robot) = (&mut self.somebody, &mut self.robot);
        let of_robot = heard::<PathMsg>(robot, "plan", Qos::DEFAULT);
        let of_somebody = [
            (
                Can::ReadPlans,
                heard::<PathMsg>(somebody, "plan", Qos::DEFAULT),
            ),
            (
                Can::ReadReports,
                heard::<PlanReport>(somebody, "hrm_planner/report", Qos::DEFAULT),
            ),
            (
                Can::ReadTheCostmap,
                heard::<MapMsg>(somebody, "global_costmap/costmap", Qos::LATCHED),
            ),
        ];
        for (can, heard) in of_somebody {
            let is_heard = eventually(self.patience(can), || {
                let is_far = eventually(LONG, || is_far(way(&mut self.robot).as_ref()));
                assert!(is_far, "the robot gets its plans, by its own map");
                heard.load(Ordering::SeqCst) > 0
            });
            self.note(can, is_heard);
        }
        let is_heard = eventually(LONG, || of_robot.load(Ordering::SeqCst) > 0);
        assert!(is_heard, "plans were published meanwhile");
    }

    fn publish_maps(&mut self) {
        let publisher = self.somebody.publisher::<MapMsg>("map", Qos::LATCHED);
        let publisher = publisher.expect("a topic");
        let is_taken = eventually(self.patience(Can::PublishTheMap), || {
            let published = publisher.publish(two_rooms(NEAR_DOOR));
            published.expect("the session");
            is_near(way(&mut self.robot).as_ref())
        });
        self.note(Can::PublishTheMap, is_taken);

        let is_back = eventually(LONG, || {
            self.maps.publish(two_rooms(FAR_DOOR)).expect("the router");
            is_far(way(&mut self.robot).as_ref())
        });
        assert!(is_back, "the robot's map is taken again");
        let map = cdr::encode(&two_rooms(NEAR_DOOR)).expect("a message");
        let attachment = Attachment {
            sequence: 1,
            source_ns: 1,
            gid: [1; 16],
        };
        let is_taken = eventually(self.patience(Can::PublishToAllMaps), || {
            let put = self.session.put("0/map/*/*", &map);
            let put = put.attachment(attachment.to_bytes()).wait();
            put.expect("the session");
            is_near(way(&mut self.robot).as_ref())
        });
        self.note(Can::PublishToAllMaps, is_taken);
    }

    fn pass_for_the_planner(&mut self) {
        let came = Arc::new(AtomicUsize::new(0));
        let counted = came.clone();
        let listening = self
            .robot
            .listen("plan", Qos::DEFAULT, move |plan: PathMsg| {
                counted.fetch_add(
                    usize::from(plan.header.frame_id == "forged"),
                    Ordering::SeqCst,
                );
            });
        listening.expect("a topic");
        let publisher = self.somebody.publisher::<PathMsg>("plan", Qos::DEFAULT);
        let publisher = publisher.expect("a topic");
        let mut plan = PathMsg::default();
        "forged".clone_into(&mut plan.header.frame_id);
        let is_believed = eventually(self.patience(Can::PublishPlans), || {
            publisher.publish(plan.clone()).expect("the session");
            came.load(Ordering::SeqCst) > 0
        });
        self.note(Can::PublishPlans, is_believed);

        // Of a type that the planner has not, so that it does not answer as well.
        let service = "0/hrm_planner/get_plan/type/hash";
        let serving = self.session.declare_queryable(service).complete(true);
        let serving = serving.callback(move |query| {
            query.reply(service, "forged").wait().expect("the session");
        });
        let serving = serving.wait().expect("the session");
        let is_believed = eventually(self.patience(Can::AnswerForThePlanner), || {
            let replies = self.robots_session.get(service).timeout(SHORT).wait();
            replies.expect("a query").iter().next().is_some()
        });
        self.note(Can::AnswerForThePlanner, is_believed);
        drop(serving);

        let token = "@ros2_lv/0/0/0/0/SS/%/%/forged/%forged%plan_batch/type/hash/qos";
        let announced = self.session.liveliness().declare_token(token).wait();
        let is_believed = eventually(self.patience(Can::AnnounceAServer), || {
            sees(&self.robots_session, token)
        });
        self.note(Can::AnnounceAServer, is_believed);
        drop(announced.expect("the session"));
    }
}

/// Whether a liveliness token is seen.
pub fn sees(session: &Session, token: &str) -> bool {
    let tokens = session.liveliness().get(token).timeout(SHORT).wait();
    tokens
        .expect("a query")
        .iter()
        .any(|reply| reply.result().is_ok())
}

/// How many messages of a topic somebody gets.
fn heard<T: Message>(client: &mut Client, topic: &str, qos: Qos) -> Arc<AtomicUsize> {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    let listening = client.listen(topic, qos, move |_: T| {
        counted.fetch_add(1, Ordering::SeqCst);
    });
    listening.expect("a topic");
    count
}
