//! The closed network of `configs/zenoh`: whoever has no role there can do nothing.
//!
//! The shipped files are what is tested; only the port and the paths are others. What has to fail is tried
//! by the very code that has to succeed for somebody else, or where one thing in the files is opened: a
//! check that cannot fail would show nothing.
//!
//! What must work is tried again for a while: Zenoh's TLS links break now and then, and come back
//! (docs/zenoh-security.md).

mod closed_network;
mod trial;

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use zenoh::Wait;
use zenoh::key_expr::OwnedKeyExpr;

use self::closed_network::{
    Change, Closed, LONG, certificates, config, eventually, make_certificates, session, shipped,
};
use self::trial::{ALL, Can, check, sees};

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
