//! Tells the compiler what there is to build with: a model to ship (`cfg(shipped_model)`), which
//! fields Nav2's messages have, since they differ from release to release, and for the node on Zenoh
//! the interfaces as Rust code (`$OUT_DIR/interfaces.rs`).

mod definitions;
mod rust_code;
mod type_hash;

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
    println!("cargo::rustc-check-cfg=cfg(fuzzing)");
    println!("cargo::rustc-check-cfg=cfg(shipped_model)");
    // The folders, not the files: a file that does not exist would count as changed in every build.
    println!("cargo::rerun-if-changed=models");
    println!("cargo::rerun-if-changed=msg");
    println!("cargo::rerun-if-env-changed=AMENT_PREFIX_PATH");
    if Path::new("models/nav.safetensors").exists() {
        println!("cargo::rustc-cfg=shipped_model");
    }
    for (cfg, interface, words) in NAV2 {
        println!("cargo::rustc-check-cfg=cfg({cfg})");
        let path = definitions::find("nav2_msgs", interface)
            .unwrap_or_else(|| panic!("nav2_msgs/{interface} is neither installed nor in msg/"));
        if definitions::read(&path).contains(words) {
            println!("cargo::rustc-cfg={cfg}");
        }
    }
    if std::env::var_os("CARGO_FEATURE_ZENOH").is_some() {
        let out = std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR");
        let code = rust_code::generate(&definitions::all());
        std::fs::write(PathBuf::from(out).join("interfaces.rs"), code)
            .expect("interfaces.rs must be writable in OUT_DIR");
    }
}
