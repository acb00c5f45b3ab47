//! The demo map: a warehouse made by code, so that the first plan needs no files.
//!
//! It has what makes indoor maps hard: shelving whose rows meet the wall on one side or the other,
//! a cross aisle with things left standing in it, offices behind narrow doors, pillars, a loading
//! bay with an open dock door, and unknown space beyond the wall.

use super::{Cost, Costmap, Geometry, Pose2};

/// Cells along x and y, and metres per cell: 20 x 15 m.
const WIDTH: usize = 400;
const HEIGHT: usize = 300;
const RESOLUTION: f64 = 0.05;
/// The map frame's origin lies inside the building, as where a robot began to map it.
const ORIGIN: Pose2 = Pose2::new(-2.0, -1.5, 0.0);

/// A start pose for the demo map, in the loading bay, heading west; metres in the map frame.
pub const DEMO_START: Pose2 = Pose2::new(15.3, -0.4, std::f64::consts::PI);
/// A goal pose for the demo map, in the western office, heading west.
pub const DEMO_GOAL: Pose2 = Pose2::new(0.0, 11.9, std::f64::consts::PI);

/// Width of a shelf's bays, about, and of the uprights between them, metres.
const BAY: f64 = 0.9;
const UPRIGHT: f64 = 0.1;

/// A rectangle: left, bottom, right, top, metres from the map's lower left corner.
type Rectangle = [f64; 4];

/// Outer walls of 0.15 m, with the dock door (2.4 m) left open in the eastern one.
const OUTER_WALLS: [Rectangle; 5] = [
    [0.0, 0.0, 19.2, 0.15],
    [0.0, 14.85, 19.2, 15.0],
    [0.0, 0.0, 0.15, 15.0],
    [19.05, 0.0, 19.2, 1.0],
    [19.05, 3.4, 19.2, 15.0],
];

/// Inner walls: two offices with doors of 0.95 m, the assembly hall, the rail of the loading bay.
const INNER_WALLS: [Rectangle; 10] = [
    [0.15, 11.4, 2.6, 11.5],
    [3.55, 11.4, 6.5, 11.5],
    [7.45, 11.4, 8.6, 11.5],
    [4.4, 11.5, 4.5, 14.85],
    [8.5, 11.5, 8.6, 14.85],
    [14.0, 6.2, 14.1, 8.9],
    [14.0, 10.3, 14.1, 14.85],
    [14.0, 6.1, 19.05, 6.2],
    [13.9, 0.15, 14.0, 1.6],
    [13.9, 3.2, 14.0, 4.6],
];

/// Shelving: four rows 0.8 to 0.9 m deep, aisles of 1.4 to 1.85 m, a cross aisle of 1.8 m.
/// Of the western blocks every second one meets the wall.
const SHELVES: [Rectangle; 8] = [
    [1.8, 2.0, 6.3, 2.9],
    [8.1, 2.0, 12.2, 2.9],
    [0.15, 4.6, 6.3, 5.5],
    [8.1, 4.6, 12.4, 5.5],
    [1.7, 6.9, 6.3, 7.8],
    [8.1, 6.9, 14.0, 7.8],
    [0.15, 9.2, 4.9, 10.0],
    [6.4, 9.2, 12.4, 10.0],
];

/// Pillars of 0.4 m in the assembly hall and beside the northern aisle.
const PILLARS: [Rectangle; 6] = [
    [15.8, 8.4, 16.2, 8.8],
    [15.8, 11.9, 16.2, 12.3],
    [17.6, 8.4, 18.0, 8.8],
    [17.6, 11.9, 18.0, 12.3],
    [10.2, 12.6, 10.6, 13.0],
    [12.2, 12.6, 12.6, 13.0],
];

/// Pallets, benches, desks and cabinets.
const THINGS: [Rectangle; 19] = [
    // loading bay: pallets on their way in and out
    [14.7, 2.2, 15.9, 3.0],
    [15.2, 3.6, 16.0, 4.8],
    [17.9, 4.2, 18.7, 5.4],
    [18.0, 0.15, 19.05, 0.7],
    // aisles: a pallet in the way, a truck parked across the cross aisle
    [9.4, 0.15, 10.6, 0.95],
    [3.1, 3.9, 4.3, 4.6],
    [6.5, 6.7, 7.9, 7.7],
    [12.9, 5.2, 13.7, 5.9],
    // assembly hall: a U of conveyors, a bench
    [15.0, 9.6, 18.0, 10.2],
    [17.4, 10.2, 18.0, 10.9],
    [15.0, 13.6, 17.6, 14.3],
    // northern hall: crates along the wall
    [9.0, 14.1, 10.2, 14.85],
    [11.0, 14.1, 12.2, 14.85],
    [13.2, 11.6, 14.0, 12.8],
    // offices: desks and cabinets
    [0.15, 14.1, 1.6, 14.85],
    [3.7, 12.6, 4.4, 14.2],
    [5.6, 14.1, 7.2, 14.85],
    [4.5, 11.9, 5.0, 13.2],
    [7.9, 12.4, 8.5, 14.0],
];

/// The demo map: a warehouse of 20 x 15 m at 0.05 m, free, lethal and unknown cells only.
///
/// [`DEMO_START`] and [`DEMO_GOAL`] are at least 0.5 m from its obstacles, and a disc of 0.3 m
/// radius can go from one to the other.
pub fn demo_map() -> Costmap {
    let mut costs = vec![Cost::FREE; WIDTH * HEIGHT];
    // Outdoors was never seen, but for a little ground through the open dock door.
    paint(&mut costs, [19.2, 0.0, 20.0, 15.0], Cost::UNKNOWN);
    paint(&mut costs, [19.2, 1.2, 19.5, 3.2], Cost::FREE);
    let obstacles = OUTER_WALLS
        .iter()
        .chain(&INNER_WALLS)
        .chain(&PILLARS)
        .chain(&THINGS);
    for &rectangle in obstacles {
        paint(&mut costs, rectangle, Cost::LETHAL);
    }
    for (number, &shelf) in SHELVES.iter().enumerate() {
        paint_shelf(&mut costs, shelf, number);
    }
    Geometry::new(WIDTH, HEIGHT, RESOLUTION, ORIGIN)
        .and_then(|geometry| Costmap::new(geometry, costs))
        .unwrap_or_else(|error| unreachable!("the demo map's constants are valid: {error}"))
}

/// Gives all cells of a rectangle one cost. The rectangles' sides are multiples of the resolution.
fn paint(costs: &mut [Cost], [left, bottom, right, top]: Rectangle, cost: Cost) {
    let cells = |metres: f64| (metres / RESOLUTION).round() as usize;
    for row in cells(bottom)..cells(top) {
        costs[row * WIDTH..][cells(left)..cells(right)].fill(cost);
    }
}

/// A shelf: uprights of full depth, and between them bays whose goods end up to 0.1 m behind the
/// shelf's front, as a laser sees it.
fn paint_shelf(costs: &mut [Cost], [left, bottom, right, top]: Rectangle, number: usize) {
    let bays = ((right - left) / BAY).round().max(1.0);
    let width = (right - left) / bays;
    for bay in 0..bays as usize {
        let from = left + bay as f64 * width;
        // Strides without a common factor, so that no two shelves look alike.
        let inset = |stride: usize| ((bay * stride + number * 5) % 7 / 3) as f64 * RESOLUTION;
        let goods = [from, bottom + inset(3), from + width, top - inset(5)];
        paint(costs, goods, Cost::LETHAL);
        paint(costs, [from, bottom, from + UPRIGHT, top], Cost::LETHAL);
    }
    paint(costs, [right - UPRIGHT, bottom, right, top], Cost::LETHAL);
}
