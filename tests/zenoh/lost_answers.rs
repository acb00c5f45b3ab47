//! Answers that are lost on their way, as when a link breaks: the client asks again, and is told what it would
//! have been told.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::common::cli::free_endpoint;
use crate::common::robot::settings;
use hrm_planner::Error;
use hrm_planner::grid::{Geometry, OccupancyGrid, Pose2};
use hrm_planner::middleware::zenoh::client::Client;
use hrm_planner::middleware::zenoh::plans::{self, Told};
use hrm_planner::middleware::zenoh::session::Network;
use hrm_planner::middleware::zenoh::{Identity, Served};
use zenoh::handlers::FifoChannelHandler;
use zenoh::query::{Query, QueryTarget, Queryable, Reply};
use zenoh::{Session, Wait};

/// Where the node is, and where its client takes it to be.
const BEYOND: u32 = 91;
const HERE: u32 = 92;
const PATIENCE: Duration = Duration::from_secs(20);

fn identity(domain: u32) -> Identity {
    Identity {
        domain,
        ..Identity::default()
    }
}

/// Hands the requests of one domain to another and the answers back, but loses the first of a kind.
fn relay(session: &Session, lost: &'static str) -> Queryable<()> {
    let beyond = session.clone();
    let is_lost = Mutex::new(false);
    let relaying = session.declare_queryable(format!("{HERE}/**"));
    let relaying = relaying.complete(true).callback(move |query: Query| {
        let key = query.key_expr().as_str().to_owned();
        let answers = ask(&beyond, &query);
        let is_first = key.contains(lost) && {
            let mut is_lost = is_lost.lock().expect("nobody panics with it");
            !std::mem::replace(&mut *is_lost, true)
        };
        // A query that ends without an answer is what a client sees of a link that broke.
        std::thread::spawn(move || {
            for answer in answers {
                if let (Ok(sample), false) = (answer.into_result(), is_first) {
                    let reply = query.reply(&key, sample.payload().clone());
                    reply.wait().expect("the session");
                }
            }
        });
    });
    relaying.wait().expect("the session")
}

fn ask(session: &Session, query: &Query) -> FifoChannelHandler<Reply> {
    let key = query.key_expr().as_str();
    let key = key.replacen(&HERE.to_string(), &BEYOND.to_string(), 1);
    let asked = session
        .get(key)
        .target(QueryTarget::AllComplete)
        .payload(query.payload().cloned().unwrap_or_default())
        .attachment(query.attachment().cloned().unwrap_or_default())
        .timeout(PATIENCE);
    asked.wait().expect("the session")
}

/// What a client is told about a way of 3 m by a node whose first answer to these requests is lost.
fn told(lost: &'static str, settings_text: &str) -> Result<Told, Error> {
    let endpoint = free_endpoint();
    let listening = Network {
        listen: vec![endpoint.clone()],
        ..Network::default()
    };
    let text = format!("source: search\nrobot_radius: 0.1\n{settings_text}");
    let settings = settings(&text);
    let mut served = Served::start(settings, &listening, &identity(BEYOND)).expect("a free port");
    let geometry = Geometry::new(40, 20, 0.1, Pose2::new(0.0, 0.0, 0.0)).expect("a map");
    let map = OccupancyGrid::new(geometry, vec![0; 40 * 20]).expect("as many values as cells");
    served.publish_map(&map).expect("the network");

    let by_it = Network::by(&endpoint);
    let session = by_it.join().expect("the node listens");
    let relaying = relay(&session, lost);
    let mut client = Client::join("client", &by_it, &identity(HERE)).expect("the node listens");
    let (start, goal) = (Pose2::new(0.5, 1.0, 0.0), Pose2::new(3.5, 1.0, 0.0));
    let begin = Instant::now();
    let told = plans::to_pose(&mut client, "map", Some(&start), &goal, PATIENCE);
    assert!(begin.elapsed() < PATIENCE, "{told:?}");
    relaying.undeclare().wait().expect("the session");
    client.leave();
    served.end();
    told
}

#[test]
fn a_goal_whose_acceptance_is_lost_brings_its_plan() {
    for lost in ["send_goal", "get_result", "nothing"] {
        let told =
            told(lost, "autostart_node: true").unwrap_or_else(|error| panic!("{lost}: {error}"));
        assert_eq!(told.error, None, "{lost}: {}", told.message);
        assert!((told.length_m() - 3.0).abs() < 0.2, "{lost}: {told:?}");
    }
}

#[test]
fn a_goal_whose_rejection_is_lost_is_rejected() {
    for lost in ["send_goal", "nothing"] {
        let told = told(lost, "autostart_node: false");
        assert!(
            matches!(told, Err(Error::GoalRejected { .. })),
            "{lost}: {told:?}"
        );
    }
}
