//! The type hashes that the build works out are those that ROS 2 publishes: a peer with another hash
//! would not match.

use std::path::PathBuf;

use hrm_planner::middleware::zenoh::interfaces::{KINDS, Kind};

/// Of ROS 2 Kilted, as its packages install them.
const PUBLISHED: [(&str, &str); 17] = [
    (
        "nav_msgs/msg/OccupancyGrid",
        "RIHS01_8d348150c12913a31ee0ec170fbf25089e4745d17035792a1ba94d6f0bc0cfc7",
    ),
    (
        "nav_msgs/msg/Path",
        "RIHS01_1957a5bb3cee5da65c4e52e52b65a93df227efce4c20f8458b36e73066ca334b",
    ),
    (
        "geometry_msgs/msg/PoseStamped",
        "RIHS01_10f3786d7d40fd2b54367835614bff85d4ad3b5dab62bf8bca0cc232d73b4cd8",
    ),
    (
        "tf2_msgs/msg/TFMessage",
        "RIHS01_e369d0f05a23ae52508854b66f6aa0437f3449d652e8cbf22d5abe85d020f087",
    ),
    (
        "sensor_msgs/msg/PointCloud2",
        "RIHS01_9198cabf7da3796ae6fe19c4cb3bdd3525492988c70522628af5daa124bae2b5",
    ),
    (
        "rcl_interfaces/msg/ParameterEvent",
        "RIHS01_043e627780fcad87a22d225bc2a037361dba713fca6a6b9f4b869a5aa0393204",
    ),
    (
        "diagnostic_msgs/msg/DiagnosticArray",
        "RIHS01_5a8a36efb05fb25070fa0fb3810290c0e6cd4862b54a8fb975a1ee8dc55a333e",
    ),
    (
        "bond/msg/Status",
        "RIHS01_87eaccffa254ffffadc0b61600452e8251740f06c25659a2dbda4927fdb1f70a",
    ),
    (
        "service_msgs/msg/ServiceEventInfo",
        "RIHS01_41bcbbe07a75c9b52bc96bfd5c24d7f0fc0a08c0cb7921b3373c5732345a6f45",
    ),
    (
        "std_msgs/msg/Empty",
        "RIHS01_20b625256f32d5dbc0d04fee44f43c41e51c70d3502f84b4a08e7a9c26a96312",
    ),
    (
        "lifecycle_msgs/srv/ChangeState",
        "RIHS01_356fe34f0475a43acf54542013af4167b0e729f77ea22ffb045c6ad8e20668e5",
    ),
    (
        "lifecycle_msgs/srv/GetState",
        "RIHS01_800a0a5aae599782b02932de0caf563f6dc4e7e94b794eadde075ba2cbef9795",
    ),
    (
        "action_msgs/srv/CancelGoal",
        "RIHS01_573d8b0a534451d7bc2ac8c5ffde8ac14b8593b7001175d0cd6516dcbeb8689a",
    ),
    (
        "nav2_msgs/srv/IsPathValid",
        "RIHS01_2401d5bf42a039352d891bd166423067a5a3860e33b01e278855b98b346b544b",
    ),
    (
        "nav2_msgs/action/ComputePathToPose_SendGoal",
        "RIHS01_e800806a220935f225495784663dfdd78b509335309a5127ed1112f6ce6b9dbc",
    ),
    (
        "nav2_msgs/action/ComputePathToPose_GetResult",
        "RIHS01_386ab12c2f62a441596ef1140b3beca654a957eaac87e769c10de01b0e28208f",
    ),
    (
        "nav2_msgs/action/ComputePathToPose_FeedbackMessage",
        "RIHS01_a086c8f040554ab5883b433bded128a1d1a732d21ca57596b7fdbe7ad2d0b64a",
    ),
];

/// `nav_msgs/msg/Path` of a kind called `nav_msgs::msg::dds_::Path_`.
fn full_name(kind: &Kind) -> String {
    let name = kind.name.trim_end_matches('_');
    name.replace("::dds_", "").replace("::", "/")
}

/// The folders `share` of the sourced ROS 2; none without one.
fn shares() -> Vec<PathBuf> {
    let prefixes = std::env::var_os("AMENT_PREFIX_PATH").unwrap_or_default();
    let shares = std::env::split_paths(&prefixes).map(|prefix| prefix.join("share"));
    shares.filter(|share| share.is_dir()).collect()
}

/// The hash that the sourced ROS 2 has for a type, if it has the type.
fn installed_hash(full_name: &str) -> Option<String> {
    // What belongs to an action is described in the file of the action.
    let parts = ["_SendGoal", "_GetResult", "_FeedbackMessage"];
    let interface = parts.iter().find_map(|part| full_name.strip_suffix(part));
    let file = format!("{}.json", interface.unwrap_or(full_name));
    let mut files = shares().into_iter().map(|share| share.join(&file));
    let path = files.find(|path| path.exists())?;
    let text = std::fs::read_to_string(path).expect("an installed description can be read");
    let json: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    let hashes = json["type_hashes"].as_array().expect("it lists hashes");
    let of_type = hashes.iter().find(|hash| hash["type_name"] == full_name);
    let hash = of_type.expect("it lists the type")["hash_string"].as_str();
    hash.map(str::to_owned)
}

#[test]
fn hashes_are_those_that_kilted_publishes() {
    let kilted = std::env::var_os("ROS_DISTRO").is_some_and(|distro| distro == "kilted");
    if !shares().is_empty() && !kilted {
        eprintln!("skipped: the definitions are those of another release");
        return;
    }
    for (name, hash) in PUBLISHED {
        let kind = KINDS.iter().find(|kind| full_name(kind) == name);
        assert_eq!(kind.map(|kind| kind.hash), Some(hash), "{name}");
    }
}

#[test]
fn hashes_are_those_of_the_sourced_ros() {
    for kind in KINDS {
        let name = full_name(kind);
        if let Some(hash) = installed_hash(&name) {
            assert_eq!(kind.hash, hash, "{name}");
        }
    }
}

#[test]
fn every_type_is_called_once() {
    let mut names: Vec<_> = KINDS.iter().map(|kind| kind.name).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
}
