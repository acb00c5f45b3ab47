//! The demo map is a warehouse in which a robot can get from the demo start to the demo goal.

use hrm_planner::grid::{Cell, Cost, Costmap, DEMO_GOAL, DEMO_START, Move, Pose2, demo_map};

/// Cells whose centre is at least `radius` metres from every lethal cell's centre.
fn roomy(map: &Costmap, radius: f64) -> Vec<bool> {
    let geometry = map.geometry();
    let reach = (radius / geometry.resolution()).ceil() as isize;
    let mut roomy: Vec<bool> = map.costs().iter().map(|&c| c == Cost::FREE).collect();
    let lethal = (0..geometry.cells()).filter(|&i| map.costs()[i] == Cost::LETHAL);
    for obstacle in lethal.map(|i| geometry.cell(i)) {
        for dr in -reach..=reach {
            for dc in -reach..=reach {
                let near = (dr as f64).hypot(dc as f64) * geometry.resolution() < radius;
                let row = obstacle.row.checked_add_signed(dr);
                let col = obstacle.col.checked_add_signed(dc);
                if let (true, Some(row), Some(col)) = (near, row, col)
                    && row < geometry.height()
                    && col < geometry.width()
                {
                    roomy[geometry.index(Cell::new(row, col))] = false;
                }
            }
        }
    }
    roomy
}

fn cell(map: &Costmap, pose: Pose2) -> Cell {
    let cell = map.geometry().world_to_cell(pose.x, pose.y);
    cell.expect("the pose is on the map")
}

/// Moves from the start to every cell by a flood over `open` cells; `None` where it does not come.
fn flood(map: &Costmap, open: &[bool], start: Cell) -> Vec<Option<usize>> {
    let geometry = map.geometry();
    let mut moves = vec![None; open.len()];
    moves[geometry.index(start)] = Some(0);
    let mut front = std::collections::VecDeque::from([start]);
    while let Some(from) = front.pop_front() {
        let next = moves[geometry.index(from)].map(|count| count + 1);
        for mv in Move::ALL.into_iter().filter(|mv| !mv.is_diagonal()) {
            let Some(to) = geometry.neighbour(from, mv) else {
                continue;
            };
            let index = geometry.index(to);
            if open[index] && moves[index].is_none() {
                moves[index] = next;
                front.push_back(to);
            }
        }
    }
    moves
}

#[test]
fn it_is_a_warehouse_of_20_by_15_metres() {
    let map = demo_map();
    let geometry = map.geometry();
    assert_eq!((geometry.width(), geometry.height()), (400, 300));
    assert!((geometry.resolution() - 0.05).abs() < 1e-12);
    assert_eq!(geometry.origin(), Pose2::new(-2.0, -1.5, 0.0));
}

#[test]
fn it_holds_free_lethal_and_unknown_cells_and_no_others() {
    let map = demo_map();
    let share = |cost| {
        let count = map.costs().iter().filter(|&&c| c == cost).count();
        count as f64 / map.costs().len() as f64
    };
    let (free, lethal, unknown) = (share(Cost::FREE), share(Cost::LETHAL), share(Cost::UNKNOWN));
    assert!((free + lethal + unknown - 1.0).abs() < 1e-12);
    assert!((0.6..0.85).contains(&free), "free: {free}");
    assert!((0.1..0.3).contains(&lethal), "lethal: {lethal}");
    assert!((0.02..0.1).contains(&unknown), "unknown: {unknown}");
}

#[test]
fn start_and_goal_have_half_a_metre_of_room_and_lie_far_apart() {
    let map = demo_map();
    let roomy = roomy(&map, 0.5);
    for pose in [DEMO_START, DEMO_GOAL] {
        assert!(roomy[map.geometry().index(cell(&map, pose))], "{pose:?}");
    }
    assert!(DEMO_START.distance(&DEMO_GOAL) > 12.0);
}

#[test]
fn a_robot_of_0_3_m_radius_gets_from_start_to_goal_by_a_winding_way() {
    let map = demo_map();
    let (start, goal) = (cell(&map, DEMO_START), cell(&map, DEMO_GOAL));
    let moves = flood(&map, &roomy(&map, 0.3), start)[map.geometry().index(goal)];
    let moves = moves.expect("the goal can be reached");
    let length = moves as f64 * map.geometry().resolution();
    let direct = DEMO_START.distance(&DEMO_GOAL);
    assert!(length > 1.7 * direct, "{length} m, {direct} m straight");
}

#[test]
fn a_robot_that_is_wider_than_the_office_door_stays_outside() {
    let map = demo_map();
    let goal = map.geometry().index(cell(&map, DEMO_GOAL));
    let moves = flood(&map, &roomy(&map, 0.55), cell(&map, DEMO_START));
    assert_eq!(moves[goal], None);
}
