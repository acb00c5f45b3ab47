//! `serve`, `goal` and `watch`: a node without ROS, and its clients, as a user runs them.
#![cfg(feature = "zenoh")]

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::common::cli::{Run, command, free_endpoint, hrm, map, text};
use crate::common::map_folder::Folder;

const ROOMS: &str = "
    ##########
    #...#....#
    #...#....#
    #........#
    #...#....#
    ##########";

/// A node that runs on; it is killed if the test ends before it.
struct Serving {
    child: Child,
    endpoint: String,
    log: Vec<String>,
}

impl Serving {
    /// Started, and ready.
    fn new(arguments: &[&str]) -> Self {
        let endpoint = free_endpoint();
        let mut child = command(["serve", "--listen", &endpoint])
            .args(arguments)
            .env("ROS_DOMAIN_ID", "83")
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut log = Vec::new();
        let lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        for line in lines {
            log.push(line.expect("UTF-8"));
            if log.last().is_some_and(|line| line.contains("ready")) {
                break;
            }
        }
        assert!(log.iter().any(|line| line.contains("ready")), "{log:?}");
        Self {
            child,
            endpoint,
            log,
        }
    }

    /// A client's command.
    fn client(&self, arguments: &[&str]) -> Command {
        let mut command = command(arguments);
        command
            .args(["--connect", &self.endpoint])
            .env("ROS_DOMAIN_ID", "83");
        command
    }

    fn run(&self, arguments: &[&str]) -> Run {
        Run::of(self.client(arguments).output().expect("the program starts"))
    }

    /// The exit code after a signal.
    fn ended_by(mut self, signal: &str) -> Option<i32> {
        let pid = self.child.id().to_string();
        let killed = Command::new("kill").args([signal, &pid]).status();
        assert!(killed.expect("kill is there").success());
        self.child.wait().expect("it was started").code()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Fails if it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn rooms(folder: &Folder) -> PathBuf {
    map(folder, ROOMS)
}

#[test]
fn a_goal_is_answered_with_a_plan_or_with_why_there_is_none() {
    let folder = Folder::new();
    let serving = Serving::new(&["--map", text(&rooms(&folder)), "-p", "tolerance:=0.0"]);
    let run = serving.run(&["goal", "8.5,1.5,1.0", "--start", "1.5,1.5"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stdout.contains("to    8.50, 1.50, yaw 1.00"), "{run:?}");
    let run = serving.run(&["goal", "8.5,1.5", "--start", "1.5,1.5", "--json"]);
    let json = run.json();
    assert_eq!(json["path"][0], serde_json::json!([1.5, 1.5, 0.0]));
    assert!(json["length_m"].as_f64().is_some_and(|m| m > 7.0), "{json}");
    let run = serving.run(&["goal", "4.5,1.5", "--start", "1.5,1.5"]);
    run.fails(3, &["no plan: GOAL_OCCUPIED"]);
    // Without a start it begins where the robot is, and nobody has said where.
    let run = serving.run(&["goal", "8.5,1.5"]);
    run.fails(3, &["no plan: TF_ERROR", "base_link"]);
    assert_eq!(serving.ended_by("-INT"), Some(0));
}

#[test]
fn a_goal_of_a_fleet_names_who_answered() {
    let folder = Folder::new();
    let map = rooms(&folder);
    let serving = Serving::new(&["--map", text(&map), "-r", "__node:=one", "-r", "__ns:=/two"]);
    let run = serving.run(&["goal", "8.5,1.5", "--start", "1.5,1.5", "--fleet"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stdout.contains("by    /two/one"), "{run:?}");
    assert_eq!(serving.ended_by("-TERM"), Some(0));
}

#[test]
fn watch_tells_what_the_node_does() {
    let folder = Folder::new();
    let serving = Serving::new(&["--map", text(&rooms(&folder))]);
    let mut watching = serving
        .client(&["watch", "--count", "5", "--seconds", "30", "--thinking"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut lines = BufReader::new(watching.stdout.take().expect("a pipe"))
        .lines()
        .map(|line| line.expect("UTF-8"));
    // The costmap is latched and health is told every second: then it is connected.
    let mut seen: Vec<String> = lines.by_ref().take(2).collect();
    let run = serving.run(&["goal", "8.5,1.5", "--start", "1.5,1.5"]);
    assert_eq!(run.code, 0, "{run:?}");
    seen.extend(lines);
    assert!(watching.wait().expect("it was started").success());
    for word in ["costmap", "health", "segment"] {
        assert!(
            seen.iter().any(|line| line.starts_with(word)),
            "{word}: {seen:?}"
        );
    }
}

#[test]
fn a_node_that_is_to_be_managed_waits_and_rejects_goals() {
    let serving = Serving::new(&["-p", "autostart_node:=false"]);
    assert!(serving.log.iter().any(|line| line.contains("unconfigured")));
    let run = serving.run(&["goal", "1,1", "--start", "0,0"]);
    run.fails(2, &["rejected", "not active"]);
}

#[test]
fn what_is_wrong_is_named_before_anything_runs() {
    let serve = |arguments: &[&str]| hrm([&["serve"], arguments].concat());
    serve(&["-p", "robot_radius:=-1.0"]).fails(2, &["robot_radius"]);
    serve(&["-p", "robot_radios:=1.0"]).fails(2, &["robot_radios"]);
    serve(&["-p", "halt:=sometimes"]).fails(2, &["halt", "sometimes"]);
    serve(&["-p", "tolerance"]).fails(2, &["NAME:=VALUE"]);
    serve(&["-r", "__node:=two words"]).fails(2, &["two words"]);
    serve(&["-r", "map:=a*b"]).fails(2, &["a*b"]);
    serve(&["--map", "/no/such/map.yaml"]).fails(2, &["/no/such/map.yaml"]);
    serve(&["--zenoh-config", "/no/such/zenoh.json5"]).fails(2, &["/no/such/zenoh.json5"]);
    // Their reasons are in the log before them.
    for (arguments, said) in [
        (["--listen", "carrier-pigeon/roof"], "carrier-pigeon"),
        (
            ["-p", "model:=/no/such.safetensors"],
            "/no/such.safetensors",
        ),
    ] {
        let run = serve(&arguments);
        assert_eq!(run.code, 2, "{run:?}");
        assert!(run.stderr.contains(said), "{run:?}");
        let error = run.stderr.lines().last().unwrap_or_default();
        assert!(
            !error.contains(".rs:"),
            "no user needs source lines: {run:?}"
        );
    }
}

#[test]
fn where_nobody_is_a_client_says_what_to_start() {
    let goal = ["goal", "1,1", "--start", "0,0", "--timeout", "0.5"];
    let run = hrm([&goal[..], &["--connect", &free_endpoint()]].concat());
    assert_eq!(run.code, 2, "{run:?}");
    let error = run.stderr.lines().last().unwrap_or_default();
    assert!(error.contains("nobody is at tcp/"), "{run:?}");
    assert!(error.contains("hrm-planner serve"), "{run:?}");
}

#[test]
fn where_nobody_answers_a_client_says_what_to_look_at() {
    let serving = Serving::new(&[]);
    let goal = ["goal", "1,1", "--start", "0,0", "--timeout", "0.5"];
    // The same network, another domain.
    let run = serving.run(&[&goal[..], &["--domain", "84"]].concat());
    run.fails(2, &["nobody answered", "ROS_DOMAIN_ID"]);
}
