//! Where models compute: the names of devices, what is said where there is none, and the way that a
//! GPU takes, run on the CPU.

use crate::common::cli::{hrm, map, text};
use crate::common::map_folder::Folder;
use crate::common::planning::{plan, snapshot};
use candle_core::Device;
use candle_core::utils::cuda_is_available;
use hrm_planner::Error;
use hrm_planner::grid::{DEMO_GOAL, DEMO_START, demo_map};
use hrm_planner::model::{Compute, DeviceChoice, Formulation, shipped};
use hrm_planner::planner::{NamedModel, PlanSource, PlannerConfig, Request};

const ROOM: &str = "
    ######
    #....#
    #....#
    ######";

/// The formulation of a GPU, on the CPU.
fn plain() -> Compute {
    Compute {
        device: Device::Cpu,
        formulation: Formulation::Plain,
    }
}

#[test]
fn devices_are_read_by_their_names_and_print_them() {
    for (name, choice, prints) in [
        ("cpu", DeviceChoice::Cpu, "cpu"),
        ("cuda", DeviceChoice::Cuda(0), "cuda:0"),
        ("cuda:0", DeviceChoice::Cuda(0), "cuda:0"),
        ("cuda:12", DeviceChoice::Cuda(12), "cuda:12"),
    ] {
        assert_eq!(name.parse::<DeviceChoice>().unwrap(), choice);
        assert_eq!(choice.to_string(), prints);
        let json = serde_json::to_string(&choice).unwrap();
        assert_eq!(serde_json::from_str::<DeviceChoice>(&json).unwrap(), choice);
    }
}

#[test]
fn what_is_no_device_is_named() {
    for name in [
        "", "tpu", "CUDA", "cuda:", "cuda:-1", "cuda:x", "cuda:1:2", "cpu:0",
    ] {
        let error = name.parse::<DeviceChoice>().unwrap_err();
        assert!(matches!(error, Error::UnknownDevice { .. }), "{name}");
        let message = error.to_string();
        assert!(
            message.contains(&format!("{name:?}")) && message.contains("cuda:N"),
            "{message}"
        );
    }
}

#[test]
fn the_cpu_is_always_there_and_computes_by_the_fused_kernels() {
    let compute = DeviceChoice::default().open().unwrap();
    assert_eq!(DeviceChoice::of(&compute.device), DeviceChoice::Cpu);
    assert_eq!(compute.formulation, Formulation::Fused);
    assert_eq!(compute.describe(), "cpu");
}

#[test]
fn every_command_that_runs_a_model_says_what_an_unknown_device_is() {
    let folder = Folder::new();
    let map = map(&folder, ROOM);
    let out = folder.path("demo");
    let said = [
        "\"tpu\" is no device",
        "--device",
        "choose cpu, cuda or cuda:N",
    ];
    let ends = ["--start", "1.5,1.5", "--goal", "4.5,2.5", "--device", "tpu"];
    hrm([&["plan", text(&map)], &ends[..]].concat()).fails(2, &said);
    hrm(["demo", "--out", text(&out), "--device", "tpu"]).fails(2, &said);
    hrm(["bench", "generated", "--limit", "1", "--device", "tpu"]).fails(2, &said);
}

/// An unplugged machine: no build of these tests has a CUDA device of this number.
const NO_DEVICE: &str = "cuda:4096";

#[test]
fn a_device_that_is_not_there_is_bad_input_that_says_what_to_do() {
    let said = if cuda_is_available() {
        ["no CUDA device 4096 was found", "--device cpu"]
    } else {
        ["this build has no CUDA support", "--features cuda"]
    };
    let folder = Folder::new();
    let map = map(&folder, ROOM);
    let ends = ["--start", "1.5,1.5", "--goal", "4.5,2.5"];
    let flag = ["--device", NO_DEVICE];
    hrm([&["plan", text(&map)], &ends[..], &flag].concat()).fails(2, &said);
    let out = folder.path("demo");
    hrm([&["demo", "--out", text(&out)], &flag[..]].concat()).fails(2, &said);
    hrm([&["bench", "generated", "--limit", "1"], &flag[..]].concat()).fails(2, &said);

    folder.write("planner.yaml", format!("device: {NO_DEVICE}\n"));
    let settings = folder.path("planner.yaml");
    let configured = ["--config", text(&settings)];
    hrm([&["plan", text(&map)], &ends[..], &configured].concat()).fails(2, &said);
    let cpu = ["--device", "cpu"];
    let run = hrm([&["plan", text(&map)], &ends[..], &configured, &cpu].concat());
    assert_eq!(run.code, 0, "the flag counts more than the file: {run:?}");
}

#[test]
fn a_device_of_the_settings_that_does_not_exist_is_named() {
    let folder = Folder::new();
    let map = map(&folder, ROOM);
    folder.write("planner.yaml", "device: tpu\n");
    let settings = folder.path("planner.yaml");
    let arguments = [
        "--start",
        "1.5,1.5",
        "--goal",
        "4.5,2.5",
        "--config",
        text(&settings),
    ];
    let run = hrm([&["plan", text(&map)], &arguments[..]].concat());
    run.fails(2, &["planner.yaml", "\"tpu\" is no device"]);
}

#[test]
fn the_shipped_model_plans_alike_by_the_formulation_of_a_gpu() {
    let Some(checkpoint) = shipped().unwrap() else {
        println!("skipped: built without a model");
        return;
    };
    let config = PlannerConfig {
        source: PlanSource::Model,
        max_planning_time: 60.0,
        ..PlannerConfig::default()
    };
    let snapshot = snapshot(demo_map(), &config);
    let request = Request::new(DEMO_START, DEMO_GOAL);
    let [fused, plain] = [Compute::cpu(), plain()].map(|compute| {
        let model = NamedModel {
            name: "grid".to_owned(),
            model: checkpoint.model_on(&compute).unwrap(),
        };
        plan(&snapshot, &config, Some(model), &request)
    });
    assert!(fused.plan.is_some());
    assert_eq!(fused.report.segments, plain.report.segments);
    let (fused, plain) = (fused.plan.unwrap(), plain.plan.unwrap());
    assert_eq!(fused.cells, plain.cells);
}
