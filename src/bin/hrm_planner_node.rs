//! `hrm_planner_node`: the planner as a ROS 2 node. Arguments are ROS's own (`--ros-args`).

use std::process::ExitCode;

fn main() -> ExitCode {
    // First of all: it may begin the program anew.
    let outcome =
        hrm_planner::threads::settle(0).and_then(|()| hrm_planner::middleware::ros2::run());
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hrm_planner_node: {error}");
            ExitCode::FAILURE
        }
    }
}
