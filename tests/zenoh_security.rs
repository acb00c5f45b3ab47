//! The closed network of `configs/zenoh`: whoever has no role there can do nothing.
//!
//! The shipped files are what is tested; only the port and the paths are others. What has to fail is tried
//! by the very code that has to succeed for somebody else, or where one thing in the files is opened: a
//! check that cannot fail would show nothing.
//!
//! What must work is tried again for a while: Zenoh's TLS links break now and then, and come back
//! (docs/zenoh-security.md).
#![cfg(feature = "zenoh")]

mod common;

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

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
use hrm_planner::middleware::zenoh::session::Network;
use hrm_planner::middleware::zenoh::{Identity, Qos, cdr, map_msg};
use tempfile::TempDir;
use zenoh::key_expr::OwnedKeyExpr;
use zenoh::{Config, Session, Wait};

use common::cli::{Run, command};

/// For what has to happen.
const LONG: Duration = Duration::from_secs(20);
/// For what must not happen; what is allowed takes a tenth of it.
const SHORT: Duration = Duration::from_millis(1200);

/// The script with these arguments.
fn make_certificates(folder: &Path, names: &[&str]) -> Run {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/zenoh-certificates");
    let output = Command::new(script).arg(folder).args(names).output();
    Run::of(output.expect("the script runs: it needs bash and openssl"))
}

/// A folder with the certificates of everybody here, and in `other` those of another authority; made once
/// for all tests that run at the same time.
fn certificates() -> Arc<TempDir> {
    static SHARED: Mutex<Weak<TempDir>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().expect("nobody panics with it");
    if let Some(folder) = shared.upgrade() {
        return folder;
    }
    let folder = Arc::new(tempfile::tempdir().expect("a folder"));
    let everybody = ["router=127.0.0.1", "planner", "robot", "operator", "guest"];
    let made = make_certificates(folder.path(), &everybody);
    assert_eq!(made.code, 0, "{made:?}");
    let made = make_certificates(&folder.path().join("other"), &["operator"]);
    assert_eq!(made.code, 0, "{made:?}");
    *shared = Arc::downgrade(&folder);
    folder
}

/// What is changed in a file: this text, to that.
type Change<'a> = (&'a str, &'a str);

/// A network of its own: the router of `configs/zenoh`, and configurations for who joins it.
struct Closed {
    certificates: Arc<TempDir>,
    files: TempDir,
    made: AtomicUsize,
    port: String,
    router: Session,
}

impl Closed {
    /// As it is shipped.
    fn start() -> Self {
        Self::opened(&[])
    }

    /// With these changes to the router's file.
    fn opened(changes: &[Change]) -> Self {
        let certificates = certificates();
        let text = shipped("router.json5", "0", certificates.path(), changes);
        let router = zenoh::open(config(&text)).wait().expect("a router");
        let locators = router.info().locators().wait();
        let [locator] = &locators[..] else {
            panic!("not one endpoint: {locators:?}");
        };
        let address = locator.address().as_str().to_owned();
        Self {
            certificates,
            files: tempfile::tempdir().expect("a folder"),
            made: AtomicUsize::new(0),
            port: address.rsplit(':').next().expect("a port").to_owned(),
            router,
        }
    }

    /// The file of a client with the certificate of this name, and with these changes.
    fn client(&self, name: &str, changes: &[Change]) -> PathBuf {
        let own = format!("/{name}.");
        let changes = [&[("/operator.", own.as_str())], changes].concat();
        self.file("client.json5", &changes)
    }

    fn file(&self, name: &str, changes: &[Change]) -> PathBuf {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let path = self.files.path().join(format!("{number}.json5"));
        let text = shipped(name, &self.port, self.certificates.path(), changes);
        std::fs::write(&path, text).expect("the folder is there");
        path
    }

    /// Somebody with the certificate of this name, as a node of ROS called `node`.
    fn join(&self, name: &str, node: &str) -> Client {
        let network = Network {
            config: Some(self.client(name, &[])),
            ..Network::default()
        };
        Client::join(node, &network, &Identity::default())
            .expect("the router takes the certificate")
    }

    /// The planner, in a process of its own.
    fn planner(&self) -> Planner {
        let log = self.files.path().join("planner.log");
        let child = command([
            "serve",
            "--domain",
            "0",
            "-p",
            "source:=search",
            "-p",
            "subscribe_goal_pose:=true",
            "--zenoh-config",
        ])
        .arg(self.file("planner.json5", &[]))
        .stderr(std::fs::File::create(&log).expect("the folder is there"))
        .spawn();
        Planner {
            process: child.expect("the program is there"),
            log,
        }
    }
}

/// A file of `configs/zenoh` with another port, another folder, and changes.
fn shipped(name: &str, port: &str, folder: &Path, changes: &[Change]) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("configs/zenoh")
        .join(name);
    let text = std::fs::read_to_string(path).expect("it is shipped");
    let (port, folder) = (
        format!("127.0.0.1:{port}"),
        format!("\"{}/", folder.display()),
    );
    let always = [
        ("127.0.0.1:7447", port.as_str()),
        ("\"/etc/zenoh/", &folder),
    ];
    // In this order: changes may name what is in the folder.
    always.iter().chain(changes).fold(text, |text, (from, to)| {
        assert!(text.contains(from), "{name} has no {from}");
        text.replace(from, to)
    })
}

fn config(text: &str) -> Config {
    Config::from_json5(text).expect("Zenoh knows all of it")
}

fn session(path: &Path) -> zenoh::Result<Session> {
    zenoh::open(Config::from_file(path).expect("Zenoh knows all of it")).wait()
}

struct Planner {
    process: Child,
    log: PathBuf,
}

impl Drop for Planner {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let ended = self.process.try_wait();
            let log = std::fs::read_to_string(&self.log);
            println!("the planner: {ended:?}, {}", log.unwrap_or_default());
        }
        // Fails if it has ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn eventually(patience: Duration, mut is_so: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + patience;
    loop {
        if is_so() {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

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
enum Can {
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

const ALL: [Can; 13] = [
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
fn check(closed: &Closed, name: &str, expected: &[Can]) {
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
fn sees(session: &Session, token: &str) -> bool {
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

#[test]
fn the_robot_publishes_the_map_and_has_its_plans() {
    let expected = [
        Can::SeeWhoThereIs,
        Can::AskForAPlan,
        Can::AskForTheState,
        Can::ChangeTheState,
        Can::ReadPlans,
        Can::ReadReports,
        Can::ReadTheCostmap,
        Can::PublishTheMap,
        Can::PublishToAllMaps,
    ];
    check(&Closed::start(), "robot", &expected);
}

#[test]
fn an_operator_reads_and_asks_but_publishes_no_map() {
    let expected = [
        Can::SeeWhoThereIs,
        Can::AskForAPlan,
        Can::ReadPlans,
        Can::ReadReports,
        Can::ReadTheCostmap,
        Can::AskForTheState,
    ];
    check(&Closed::start(), "operator", &expected);
}

#[test]
fn a_guest_with_a_certificate_can_do_nothing() {
    check(&Closed::start(), "guest", &[]);
}

#[test]
fn without_the_rules_a_guest_could_do_everything() {
    let is_on = "access_control: {\n    enabled: true";
    let is_off = "access_control: {\n    enabled: false";
    check(&Closed::opened(&[(is_on, is_off)]), "guest", &ALL);
}

/// The keys for which somebody may send the router messages of a kind.
fn allowed(access: &serde_json::Value, subject: &str, message: &str) -> Vec<OwnedKeyExpr> {
    let list = |value: &serde_json::Value| value.as_array().expect("a list").clone();
    let has = |value: &serde_json::Value, text: &str| list(value).iter().any(|entry| entry == text);
    let policies = list(&access["policies"]);
    let policy = policies
        .iter()
        .find(|policy| has(&policy["subjects"], subject));
    let rules = &policy.expect("the subject has a policy")["rules"];
    list(&access["rules"])
        .iter()
        .filter(|rule| has(rules, rule["id"].as_str().expect("a text")))
        .filter(|rule| has(&rule["flows"], "ingress") && has(&rule["messages"], message))
        .flat_map(|rule| list(&rule["key_exprs"]))
        .map(|key| OwnedKeyExpr::try_from(key.as_str().expect("a text")).expect("a key"))
        .collect()
}

#[test]
fn the_rules_know_every_topic_and_service_of_the_planner() {
    let closed = Closed::start();
    let text = shipped("router.json5", "0", Path::new("/"), &[]);
    let access = config(&text).get_json("access_control").expect("rules");
    let access = serde_json::from_str(&access).expect("JSON");
    let _planner = closed.planner();
    let robot = session(&closed.client("robot", &[])).expect("the robot joins");
    let of_planner = "@ros2_lv/0/*/*/*/*/%/%/hrm_planner/**";
    // The last endpoint that it opens; all others are there by then.
    assert!(eventually(LONG, || sees(
        &robot,
        &format!("{of_planner}/%hrm_planner%set_parameters_atomically/**")
    )));

    let tokens = robot.liveliness().get(of_planner).wait().expect("a query");
    let tokens: Vec<String> = tokens
        .iter()
        .filter_map(|reply| Some(reply.result().ok()?.key_expr().to_string()))
        .collect();
    let mut beyond_the_robot = BTreeSet::new();
    let mut count = 0;
    for token in &tokens {
        let parts: Vec<&str> = token.split('/').collect();
        let (of_planner, of_robot) = match parts[5] {
            "MP" => ("put", "declare_subscriber"),
            "MS" => ("declare_subscriber", "put"),
            "SS" => ("declare_queryable", "query"),
            _ => continue,
        };
        let name = parts[9].replace('%', "/");
        let key = format!("0{name}/{}/{}", parts[10], parts[11]);
        let key = OwnedKeyExpr::try_from(key).expect("a key");
        let may = |subject, message| {
            let keys = allowed(&access, subject, message);
            keys.iter().any(|allowed| allowed.includes(&key))
        };
        assert!(
            may("planner", of_planner),
            "no rule lets it {of_planner} {key}"
        );
        if !may("robot", of_robot) {
            beyond_the_robot.insert(name);
        }
        count += 1;
    }
    assert!(count > 40, "{tokens:?}");
    let parameters = ["set_parameters", "set_parameters_atomically"];
    let parameters = parameters.map(|service| format!("/hrm_planner/{service}"));
    assert_eq!(beyond_the_robot, BTreeSet::from(parameters));
}

#[test]
fn who_has_no_certificate_of_the_network_does_not_join() {
    let closed = Closed::start();
    session(&closed.client("operator", &[])).expect("with the right certificate it joins");

    let folder = certificates();
    let other = |file: &str| format!("{}/other/{file}", folder.path().display());
    let own = |file: &str| format!("{}/{file}", folder.path().display());
    let (own_ca, other_ca) = (own("ca.pem"), other("ca.pem"));
    let (own_operator, other_operator) = (own("operator."), other("operator."));
    // What they come with, and what would have to be open for them.
    let no_certificate = ("enable_mtls: true", "enable_mtls: false");
    let other_authority = (own_operator.as_str(), other_operator.as_str());
    let plain = [("\"tls/", "\"tcp/"), ("[\"tls\"]", "[\"tcp\"]")];
    let cases: [(&str, &[Change], &[Change]); 3] = [
        ("no certificate", &[no_certificate], &[no_certificate]),
        (
            "the certificate of another authority",
            &[other_authority],
            &[(&own_ca, &other_ca)],
        ),
        ("plain TCP", &plain, &plain),
    ];
    for (what, of_client, of_router) in cases {
        let refused = session(&closed.client("operator", of_client));
        assert!(refused.is_err(), "{what} was enough to join");
        let open = Closed::opened(of_router);
        let joined = session(&open.client("operator", of_client));
        assert!(
            joined.is_ok(),
            "{what} would have been refused anyway: {joined:?}"
        );
    }
}

#[test]
fn a_client_takes_nobody_else_for_the_router() {
    // With a good certificate, of a role that has one to connect with.
    let changes = [("/router.", "/operator.")];
    let impostor = Closed::opened(&changes);
    assert!(session(&impostor.client("robot", &[])).is_err());
    let closed = Closed::start();
    session(&closed.client("robot", &[])).expect("the router itself is taken");
}

#[test]
fn there_is_no_way_around_the_router() {
    let closed = Closed::start();
    for file in ["planner.json5", "client.json5"] {
        let session = session(&closed.file(file, &[])).expect("it joins");
        let locators = session.info().locators().wait();
        assert!(locators.is_empty(), "{file} listens: {locators:?}");
    }
    assert_eq!(closed.router.info().locators().wait().len(), 1);

    // Nor another way into the router: an endpoint without TLS ends it.
    let folder = certificates();
    let listen = (
        "endpoints: [\"tls/",
        "endpoints: [\"tcp/127.0.0.1:0\", \"tls/",
    );
    let text = shipped("router.json5", "0", folder.path(), &[listen]);
    assert!(zenoh::open(config(&text)).wait().is_err());
    let protocols = ("protocols: [\"tls\"]", "protocols: [\"tls\", \"tcp\"]");
    let text = shipped("router.json5", "0", folder.path(), &[listen, protocols]);
    zenoh::open(config(&text))
        .wait()
        .expect("it was that list that ended it");
}

#[test]
fn certificates_are_never_written_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path().join("zenoh");
    let made = make_certificates(&folder, &["router=localhost,127.0.0.1", "robot"]);
    assert_eq!(made.code, 0, "{made:?}");
    let mode = |name: &str| {
        let metadata = std::fs::metadata(folder.join(name)).expect("it was made");
        metadata.permissions().mode() & 0o777
    };
    for key in ["ca.key", "router.key", "robot.key"] {
        assert_eq!(mode(key), 0o600, "{key}");
    }
    let read = |name: &str| std::fs::read(folder.join(name)).expect("it is there");
    let (authority, robot) = (read("ca.pem"), read("robot.key"));

    // All or nothing: the new one beside the old one is not made either.
    let made = make_certificates(&folder, &["operator", "robot"]);
    made.fails(1, &["robot.pem", "move it away"]);
    assert!(!folder.join("operator.pem").exists());
    assert_eq!(read("robot.key"), robot);

    std::fs::remove_file(folder.join("robot.pem")).expect("it is there");
    std::fs::remove_file(folder.join("robot.key")).expect("it is there");
    let made = make_certificates(&folder, &["robot"]);
    assert_eq!(made.code, 0, "{made:?}");
    assert_ne!(read("robot.key"), robot);
    assert_eq!(read("ca.pem"), authority);

    for name in ["ca", "../x", "a b", "", "x=", "x=a b", "robot2 robot2"] {
        make_certificates(&folder, &[name]).fails(1, &["zenoh-certificates: "]);
    }
    std::fs::remove_file(folder.join("ca.key")).expect("it is there");
    make_certificates(&folder, &["late"]).fails(1, &["ca.key"]);
    let left = std::fs::read_dir(&folder).expect("it is there").count();
    assert_eq!(left, 5, "router, robot and the authority's certificate");
}
