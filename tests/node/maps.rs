//! The map store: layers, snapshots, what is refused, what is published.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::common::robot::{Robot, header, map, to_pose, until};
use hrm_planner::grid::{Cell, Cost, OccupancyUpdate, Quaternion};
use hrm_planner::node::maps::Ready;
use hrm_planner::node::message::{MapMessage, MapUpdate, Measurement, Window};
use hrm_planner::node::obstacles::Region;
use hrm_planner::planner::NavError;

const POINT: &str = "
robot_radius: 0.0
inflation_radius: 0.0
source: search
tolerance: 0.0
update_frequency: 0
obstacle_layer: {scan: {obstacle_max_range: 20, raytrace_max_range: 20}}
";

const CORRIDOR: &str = "
    ##########
    ..........
    ##########";

fn current(robot: &Robot) -> Arc<Ready> {
    let ready = robot.node.maps().current(Duration::from_secs(20), || false);
    ready.expect("a map is there")
}

fn cost(robot: &Robot, row: usize, col: usize) -> Cost {
    current(robot).snapshot.inflated().cost(Cell::new(row, col))
}

fn update(x: i32, width: u32, data: &[i8]) -> MapUpdate {
    MapUpdate {
        header: header("map", 2.0),
        update: OccupancyUpdate {
            x,
            y: 1,
            width,
            height: 1,
            data: data.to_vec(),
        },
    }
}

/// A robot at the corridor's left end that looks along it.
fn looking() -> Robot {
    let robot = Robot::active(POINT, CORRIDOR);
    robot.place("map", "base_link", (1.5, 1.5, 0.0), 100.0);
    robot
}

fn see(robot: &Robot, hits: &[[f32; 3]], misses: &[[f32; 3]]) {
    robot.node.maps().put_measurement(
        "scan",
        Measurement {
            header: header("base_link", 100.0),
            hits: hits.to_vec(),
            misses: misses.to_vec(),
        },
    );
}

#[test]
fn an_update_changes_the_cells_it_covers() {
    let robot = Robot::active(POINT, CORRIDOR);
    robot.node.maps().put_update(update(4, 2, &[100, -1]));
    assert_eq!(cost(&robot, 1, 4), Cost::LETHAL);
    assert_eq!(cost(&robot, 1, 5), Cost::UNKNOWN);
    assert_eq!(cost(&robot, 1, 6), Cost::FREE);
}

#[test]
fn what_makes_no_sense_is_refused_and_the_last_good_map_stays() {
    let robot = Robot::active(POINT, CORRIDOR);
    let good = current(&robot);
    let change = |change: fn(&mut MapMessage)| {
        let mut message = map(CORRIDOR);
        change(&mut message);
        message
    };
    for (bad, words) in [
        (change(|m| m.grid.resolution = 0.0), "resolution"),
        (change(|m| m.grid.resolution = f32::NAN), "resolution"),
        (change(|m| m.grid.width = 0), "at least 1"),
        (change(|m| m.grid.width = 7), "values"),
        (change(|m| m.grid.position[0] = f64::INFINITY), "finite"),
        (
            change(|m| {
                m.grid.orientation = Quaternion {
                    x: 0.0,
                    y: 0.0,
                    z: 0.0,
                    w: 2.0,
                }
            }),
            "norm",
        ),
        (change(|m| m.grid.data[3] = 101), "101"),
        (change(|m| m.grid.width = u32::MAX), "limit"),
    ] {
        robot.node.maps().put_map(bad);
        assert!(Arc::ptr_eq(&current(&robot), &good), "{words}");
        let refusal = robot.node.maps().refusal().unwrap();
        assert!(refusal.contains(words), "{refusal}");
    }
    robot.node.maps().put_update(update(9, 2, &[0, 0]));
    assert!(Arc::ptr_eq(&current(&robot), &good));
    robot.node.maps().put_map(map(CORRIDOR));
    current(&robot);
    assert_eq!(robot.node.maps().refusal(), None, "a good map ends it");
}

#[test]
fn a_snapshot_in_use_does_not_change_with_the_map() {
    let robot = Robot::active(POINT, CORRIDOR);
    let before = current(&robot);
    robot.node.maps().put_map(map("...\n..."));
    assert_eq!(current(&robot).snapshot.geometry().width(), 3);
    assert_eq!(before.snapshot.geometry().width(), 10);
}

#[test]
fn a_parameter_that_concerns_the_map_makes_it_ready_anew() {
    let robot = Robot::active(POINT, CORRIDOR);
    assert_eq!(cost(&robot, 1, 4), Cost::FREE);
    let wider = ("robot_radius".to_owned(), 1.2.into());
    robot.node.set_parameters(vec![wider]).unwrap();
    assert_eq!(cost(&robot, 1, 4), Cost::INSCRIBED);
}

#[test]
fn a_costmap_as_map_is_not_inflated_again() {
    let text = "static_layer: {is_costmap: true}\nrobot_radius: 0.0\ninflation_radius: 5.0";
    let robot = Robot::new(text);
    let mut message = map("...");
    message.grid.data = vec![100, 99, 50];
    robot.node.maps().put_map(message);
    assert_eq!(cost(&robot, 0, 0), Cost::LETHAL);
    assert_eq!(cost(&robot, 0, 1), Cost::INSCRIBED);
    assert!((120..135).contains(&cost(&robot, 0, 2).0));
}

#[test]
fn a_scan_blocks_a_corridor_and_a_later_one_frees_it() {
    let robot = looking();
    let along = || to_pose(Some((0.5, 1.5)), (9.5, 1.5));
    assert_eq!(robot.answer(along()).error(), None);
    see(&robot, &[[4.0, 0.0, 0.5]], &[]);
    until("the scan blocks", || {
        robot.answer(along()).error() == Some(NavError::NoValidPath)
    });
    assert_eq!(cost(&robot, 1, 5), Cost::LETHAL);
    see(&robot, &[], &[[7.0, 0.0, 0.5]]);
    until("the scan frees", || robot.answer(along()).error().is_none());
    assert_eq!(cost(&robot, 0, 4), Cost::LETHAL, "walls of the map stay");
}

#[test]
fn points_outside_the_heights_and_ranges_do_not_count() {
    let robot = looking();
    see(
        &robot,
        &[[3.0, 0.0, 2.5], [4.0, 0.0, -0.1], [5.0, 0.0, 1.0]],
        &[],
    );
    until("the one that counts is marked", || {
        cost(&robot, 1, 6) == Cost::LETHAL
    });
    assert_eq!(cost(&robot, 1, 4), Cost::FREE);
    assert_eq!(cost(&robot, 1, 5), Cost::FREE);
}

#[test]
fn clearing_is_done_when_it_says_so() {
    let robot = looking();
    let mark = || {
        see(&robot, &[[4.0, 0.0, 0.5]], &[]);
        until("it is marked", || cost(&robot, 1, 5) == Cost::LETHAL);
    };
    let clear = |region| {
        let done = Arc::new(AtomicBool::new(false));
        let of_store = done.clone();
        let maps = robot.node.maps();
        maps.clear(region, move || of_store.store(true, Ordering::SeqCst));
        until("it is cleared", || done.load(Ordering::SeqCst));
        maps.present()
            .unwrap()
            .snapshot
            .inflated()
            .cost(Cell::new(1, 5))
    };
    for (region, expected) in [
        (Region::Everything, Cost::FREE),
        (Region::Around(3.0), Cost::LETHAL),
        (Region::Around(9.0), Cost::FREE),
        (Region::Except(9.0), Cost::LETHAL),
        (Region::Except(3.0), Cost::FREE),
    ] {
        mark();
        assert_eq!(clear(region), expected, "{region:?}");
        clear(Region::Everything);
    }
}

#[test]
fn a_sensor_whose_frame_is_unknown_holds_nothing_up() {
    let text = format!("{POINT}\ntransform_tolerance: 10.0");
    let robot = Robot::active(&text, CORRIDOR);
    see(&robot, &[[4.0, 0.0, 0.5]], &[]);
    robot.node.maps().put_map(map(CORRIDOR));
    let begin = std::time::Instant::now();
    current(&robot);
    robot.node.maps().put_update(update(4, 1, &[100]));
    assert_eq!(cost(&robot, 1, 4), Cost::LETHAL);
    assert!(
        begin.elapsed() < Duration::from_secs(5),
        "nobody waits for a transform"
    );
    // It counts once the transform is there.
    robot.node.maps().put_map(map(CORRIDOR));
    robot.place("map", "base_link", (1.5, 1.5, 0.0), 100.0);
    until("the measurement counts", || {
        cost(&robot, 1, 5) == Cost::LETHAL
    });
}

#[test]
fn a_refused_map_is_named_until_a_good_one_comes_whatever_sensors_see() {
    let robot = looking();
    let mut broken = map(CORRIDOR);
    broken.grid.resolution = 0.0;
    robot.node.maps().put_map(broken);
    current(&robot);
    see(&robot, &[[4.0, 0.0, 0.5]], &[]);
    until("the scan counts", || cost(&robot, 1, 5) == Cost::LETHAL);
    assert!(robot.node.maps().refusal().is_some());
}

#[test]
fn the_costmap_is_published_again_when_the_node_is_active_again() {
    let robot = Robot::active(POINT, CORRIDOR);
    let count = || robot.sent.costmaps.lock().unwrap().len();
    until("it is published", || count() == 1);
    robot.node.change_state(4, "");
    std::thread::sleep(Duration::from_millis(50));
    robot.node.change_state(3, "");
    until("it is published again", || count() == 2);
}

#[test]
fn the_costmap_is_published_when_active_and_only_then() {
    let robot = Robot::new(POINT);
    robot.node.maps().put_map(map(CORRIDOR));
    robot.node.change_state(1, "");
    current(&robot);
    assert!(robot.sent.costmaps.lock().unwrap().is_empty());
    robot.node.change_state(3, "");
    until("it is published", || {
        !robot.sent.costmaps.lock().unwrap().is_empty()
    });
    let (costmap, is_whole) = robot.sent.costmaps.lock().unwrap()[0].clone();
    assert!(is_whole);
    assert_eq!(costmap.header.frame, "map");
    assert_eq!(&costmap.data[10..14], [0; 4]);
    assert_eq!(costmap.data[0], 100);
}

#[test]
fn only_the_window_that_has_changed_is_published_where_that_is_asked_for() {
    let text = format!("{POINT}\npublish_frequency: 1000\nalways_send_full_costmap: false");
    let robot = Robot::active(&text, CORRIDOR);
    let sent = || robot.sent.costmaps.lock().unwrap().clone();
    until("all of it is published", || sent().len() == 1);
    robot.node.maps().put_update(update(4, 3, &[100, 0, 100]));
    until("the window is published", || sent().len() == 2);
    let (costmap, is_whole) = sent()[1].clone();
    assert!(!is_whole);
    assert_eq!(
        costmap.window,
        Window {
            col: 4,
            row: 1,
            width: 3,
            height: 1
        }
    );
    assert_eq!(costmap.data, [100, 0, 100]);
    robot.node.maps().put_map(map("..\n.."));
    until("another grid is published", || sent().len() == 3);
    assert!(sent()[2].1, "as a whole");
}

/// A robot whose store does nothing before the returned sender is dropped.
fn held_up() -> (Robot, std::sync::mpsc::Sender<()>) {
    let robot = Robot::active(&format!("{POINT}\nmax_cells: 30"), CORRIDOR);
    let (release, held) = std::sync::mpsc::channel::<()>();
    let (tell, begun) = std::sync::mpsc::channel();
    robot.node.maps().clear(Region::Everything, move || {
        tell.send(()).expect("it is waited for");
        // Ends with the sender.
        let _ = held.recv();
    });
    begun.recv().expect("the store clears");
    (robot, release)
}

#[test]
fn the_newest_update_of_the_same_cells_is_the_one_that_counts() {
    let (robot, release) = held_up();
    for occupancy in (0..=100).cycle().take(20_000).chain([100]) {
        robot.node.maps().put_update(update(4, 1, &[occupancy]));
    }
    drop(release);
    assert_eq!(cost(&robot, 1, 4), Cost::LETHAL);
    assert_eq!(robot.node.maps().refusal(), None);
}

#[test]
fn updates_that_would_fill_the_memory_are_dropped_and_that_is_said() {
    let (robot, release) = held_up();
    for x in 0..31 {
        robot
            .node
            .maps()
            .put_update(update(x % 10, 1 + x as u32, &[100]));
    }
    drop(release);
    current(&robot);
    let refusal = robot.node.maps().refusal().expect("it is said");
    assert!(refusal.contains("31 map updates"), "{refusal}");
    assert!(refusal.contains("send the whole map"), "{refusal}");
    assert_eq!(cost(&robot, 1, 4), Cost::FREE);

    robot.node.maps().put_map(map(CORRIDOR));
    current(&robot);
    assert_eq!(robot.node.maps().refusal(), None);
}
