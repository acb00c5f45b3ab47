//! What the grid HRM does whatever it has learned: carries, reach, graph, shapes.

// Clippy's allowance for tests does not reach helpers outside of them.
#![allow(clippy::unwrap_used)]

use crate::common::random_model::{random_tensors, small_config};
use candle_core::{Tensor, Var};
use hrm_planner::grid::{Cell, Cost, Costmap, Geometry};
use hrm_planner::model::{
    Act, Carry, Formulation, GridEncoded, GridHrm, GridHrmConfig, GridProblems, Layout, Maps,
    PLANES, Reasoner, encode, think,
};
use hrm_planner::search::Rules;

fn model(by: Formulation) -> GridHrm {
    let config = small_config();
    let tensors = random_tensors(&config, 3);
    GridHrm::new(config, &tensors, by).unwrap()
}

fn open_map(rows: usize, cols: usize) -> Costmap {
    Costmap::filled(Geometry::unit(cols, rows).unwrap(), Cost::FREE)
}

fn encoded(model: &GridHrm, map: &Costmap, goal: Cell) -> GridEncoded {
    let problems = GridProblems::one(
        map,
        &Rules::shortest(),
        goal,
        goal,
        model.config().patches(),
    );
    let problems = problems.unwrap();
    model.encode(&problems).unwrap()
}

/// Carries after each of `segments` segments on one map.
fn carries(model: &GridHrm, map: &Costmap, goal: Cell, segments: usize) -> Vec<Carry> {
    let encoded = encoded(model, map, goal);
    let mut carry = model.initial_carry(&encoded).unwrap();
    let mut carries = Vec::new();
    for _ in 0..segments {
        carry = model.segment(&carry, &encoded).unwrap().detached();
        carries.push(carry.clone());
    }
    carries
}

fn flat(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
fn the_published_shape_has_118_thousand_parameters() {
    let parameters = GridHrmConfig::default().parameters();
    assert!((117_000..122_000).contains(&parameters), "{parameters}");
    assert_eq!(GridHrmConfig::default().reach(), 12);
}

#[test]
fn read_outs_have_a_row_per_cell() {
    let model = model(Formulation::Fused);
    let carries = carries(&model, &open_map(5, 9), Cell::new(2, 2), 1);
    let encoded = encoded(&model, &open_map(5, 9), Cell::new(2, 2));
    let readout = model.read_out(&carries[0], &encoded).unwrap();
    assert_eq!(readout.moves.dims(), [45, 8]);
    for tensor in [&readout.value, &readout.q_halt, &readout.q_continue] {
        assert_eq!(tensor.dims(), [45]);
    }
}

#[test]
fn both_formulations_think_alike_for_many_segments() {
    let map = open_map(11, 7);
    let goal = Cell::new(3, 3);
    let fused = carries(&model(Formulation::Fused), &map, goal, 4);
    let plain = carries(&model(Formulation::Plain), &map, goal, 4);
    for (fused, plain) in fused.iter().zip(&plain) {
        for (a, b) in [(&fused.z_h, &plain.z_h), (&fused.z_l, &plain.z_l)] {
            let pairs = flat(a).into_iter().zip(flat(b));
            let error = pairs.fold(0.0_f32, |m, (a, b)| m.max((a - b).abs()));
            assert!(error < 1e-3, "{error}");
        }
    }
}

/// Segments hand on all they know in the carry: two in a row are the same as one, then another
/// that starts from its carry.
#[test]
fn thinking_goes_on_from_the_carry() {
    let model = model(Formulation::Fused);
    let map = open_map(6, 6);
    let goal = Cell::new(1, 4);
    let straight = carries(&model, &map, goal, 2);
    let encoded = encoded(&model, &map, goal);
    let resumed = model.segment(&straight[0], &encoded).unwrap();
    assert_eq!(flat(&resumed.z_h), flat(&straight[1].z_h));
    assert_eq!(flat(&resumed.z_l), flat(&straight[1].z_l));
}

/// Moving the goal changes nothing farther away than the reach of the segments done. The input
/// shows each cell its neighbours, which is one cell more.
#[test]
fn word_of_the_goal_travels_no_faster_than_the_reach() {
    let model = model(Formulation::Fused);
    let map = open_map(1, 60);
    let reach = model.config().reach();
    let near = carries(&model, &map, Cell::new(0, 0), 3);
    let moved = carries(&model, &map, Cell::new(0, 1), 3);
    let channels = model.config().channels;
    for (segment, (a, b)) in near.iter().zip(&moved).enumerate() {
        let (a, b) = (flat(&a.z_h), flat(&b.z_h));
        let differs = |col: usize| {
            let cell = col * channels..(col + 1) * channels;
            a[cell.clone()] != b[cell]
        };
        let farthest = (0..60).rev().find(|&col| differs(col)).unwrap();
        assert!(
            farthest <= (segment + 1) * reach + 2,
            "{segment}: {farthest}"
        );
        assert!(farthest > segment * reach, "{segment}: {farthest}");
    }
}

/// Deep supervision: a segment's loss reaches the weights, but neither the carry it began with
/// nor anything before it.
#[test]
fn no_gradient_flows_into_the_carry() {
    let config = small_config();
    let vars: Vec<(String, Var)> = random_tensors(&config, 5)
        .into_iter()
        .map(|(name, tensor)| (name, Var::from_tensor(&tensor).unwrap()))
        .collect();
    let tensors = vars
        .iter()
        .map(|(name, var)| (name.clone(), var.as_tensor().clone()))
        .collect();
    let model = GridHrm::new(config.clone(), &tensors, Formulation::Fused).unwrap();
    let noise = |seed| {
        let tensors = random_tensors(&config, seed);
        let flat = tensors["h.0.gate"].flatten_all().unwrap();
        let values = flat.narrow(0, 0, 20 * config.channels).unwrap();
        Var::from_tensor(&values.reshape((20, config.channels)).unwrap()).unwrap()
    };
    let (z_h, z_l) = (noise(6), noise(7));
    let carry = Carry {
        z_h: z_h.as_tensor().clone(),
        z_l: z_l.as_tensor().clone(),
    };
    let e = noise(8);
    let maps = Maps {
        sizes: vec![(4, 5)],
        starts: vec![0],
    };
    let tokens = Layout::new(vec![(4, 5)]);
    let encoded = GridEncoded::new(e.as_tensor().clone(), tokens, maps, 1).unwrap();
    let after = model.segment(&carry, &encoded).unwrap();
    let gradients = after.z_h.sqr().unwrap().sum_all().unwrap();
    let gradients = gradients.backward().unwrap();
    assert!(gradients.get(&z_h).is_none() && gradients.get(&z_l).is_none());
    assert!(gradients.get(&e).is_some());
    for (name, var) in vars
        .iter()
        .filter(|(name, _)| name.starts_with(['h', 'l']) && !name.starts_with("head"))
    {
        let gradient = flat(
            gradients
                .get(var)
                .unwrap_or_else(|| panic!("{name} has none")),
        );
        assert!(gradient.iter().any(|&g| g != 0.0), "{name}");
        assert!(gradient.iter().all(|g| g.is_finite()), "{name}");
    }
}

#[test]
fn the_input_tells_cost_blocked_free_unknown_goal_and_inside() {
    let mut map = open_map(2, 3);
    map.set(Cell::new(0, 1), Cost(126));
    map.set(Cell::new(1, 1), Cost::LETHAL);
    map.set(Cell::new(0, 2), Cost::UNKNOWN);
    let rules = Rules::new(2.0, true).unwrap();
    let patches = small_config().patches();
    let input = encode(&map, Cell::new(0, 0), &rules, patches).input;
    assert_eq!(input.len(), 6 * 9 * PLANES);
    let centre = |index: usize| {
        let at = index * 9 * PLANES + 4 * PLANES;
        input[at..at + PLANES].to_vec()
    };
    assert_eq!(centre(0), [0.0, 0.0, 1.0, 0.0, 1.0, 1.0], "the goal, free");
    assert_eq!(
        centre(1),
        [1.0, 0.0, 1.0, 0.0, 0.0, 1.0],
        "cost 126 at weight 2"
    );
    assert_eq!(
        centre(2),
        [0.0, 0.0, 1.0, 1.0, 0.0, 1.0],
        "unknown, allowed"
    );
    assert_eq!(centre(4), [0.0, 1.0, 0.0, 0.0, 0.0, 1.0], "lethal");
    // Below the lower left cell there is no map.
    assert_eq!(input[..PLANES], [0.0; PLANES]);
    // To its right there is the cell of cost 126.
    assert_eq!(input[5 * PLANES..6 * PLANES], centre(1));
}

/// Problems that halt leave the batch; the others go on as if they were alone.
#[test]
fn problems_of_a_batch_think_as_if_alone() {
    let model = model(Formulation::Fused);
    let maps = [open_map(5, 9), open_map(7, 3), open_map(4, 4)];
    let problems: Vec<GridProblems> = maps
        .iter()
        .map(|map| {
            let (start, goal) = (Cell::new(0, 0), Cell::new(3, 2));
            let patches = model.config().patches();
            GridProblems::one(map, &Rules::shortest(), start, goal, patches).unwrap()
        })
        .collect();
    let batch = GridProblems::cat(&problems.iter().collect::<Vec<_>>()).unwrap();
    let batched = model.encode(&batch).unwrap();
    assert_eq!(model.count(&batched), 3);
    let carry = model.initial_carry(&batched).unwrap();
    let carry = model.segment(&carry, &batched).unwrap();
    let (left, carry) = model.keep(&batched, &carry, &[2, 0]).unwrap();
    let after = model.segment(&carry, &left).unwrap();
    let act = Act {
        max_segments: 2,
        halting: false,
    };
    let together = think(&model, &batch, &act).unwrap();
    let mut row = 0;
    for problem in [2, 0] {
        let alone = carries(&model, &maps[problem], Cell::new(3, 2), 2);
        let cells = maps[problem].geometry().cells();
        let kept = after.z_h.narrow(0, row, cells).unwrap();
        row += cells;
        assert_eq!(flat(&kept), flat(&alone[1].z_h));
        let answer = model
            .read_out(&alone[1], &encoded(&model, &maps[problem], Cell::new(3, 2)))
            .unwrap();
        assert_eq!(together[problem].segments, 2);
        assert_eq!(flat(&together[problem].readout.moves), flat(&answer.moves));
    }
}
