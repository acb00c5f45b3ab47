//! Tells the compiler what there is to build with: a model to ship (`cfg(shipped_model)`), and which
//! fields Nav2's messages have in the sourced ROS 2, since they differ from release to release.

use std::path::{Path, PathBuf};

/// (cfg, interface of `nav2_msgs`, what it says where the cfg holds)
const NAV2: [(&str, &str, &str); 4] = [
    // Kilted and later: a list of goals is a message of its own.
    (
        "nav2_goals",
        "action/ComputePathThroughPoses.action",
        "nav_msgs/Goals",
    ),
    // Kilted and later: options of the check.
    ("nav2_max_cost", "srv/IsPathValid.srv", "max_cost"),
    // Lyrical and later: more of them, and whether the check could be made at all.
    (
        "nav2_lookahead",
        "srv/IsPathValid.srv",
        "max_lookahead_distance",
    ),
    // After Kilted: the clearing services say whether they did.
    (
        "nav2_clear_success",
        "srv/ClearEntireCostmap.srv",
        "bool success",
    ),
];

fn main() {
    println!("cargo::rustc-check-cfg=cfg(shipped_model)");
    // The folder, not the file: a file that does not exist would count as changed in every build.
    println!("cargo::rerun-if-changed=models");
    if Path::new("models/nav.safetensors").exists() {
        println!("cargo::rustc-cfg=shipped_model");
    }
    println!("cargo::rerun-if-env-changed=AMENT_PREFIX_PATH");
    for (cfg, interface, words) in NAV2 {
        println!("cargo::rustc-check-cfg=cfg({cfg})");
        let text = installed(interface).and_then(|path| {
            println!("cargo::rerun-if-changed={}", path.display());
            std::fs::read_to_string(path).ok()
        });
        if text.is_some_and(|text| text.contains(words)) {
            println!("cargo::rustc-cfg={cfg}");
        }
    }
}

/// Where an interface of `nav2_msgs` is installed: in the first prefix that has the package.
fn installed(interface: &str) -> Option<PathBuf> {
    let prefixes = std::env::var_os("AMENT_PREFIX_PATH")?;
    let mut packages =
        std::env::split_paths(&prefixes).map(|prefix| prefix.join("share/nav2_msgs"));
    packages
        .find(|package| package.exists())
        .map(|package| package.join(interface))
}
