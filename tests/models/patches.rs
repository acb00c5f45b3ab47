//! Models whose tokens are patches of cells: which tokens there are, what they read, and which cell
//! each number of their read-outs belongs to.

// Clippy's allowance for tests does not reach helpers outside of them.
#![allow(clippy::unwrap_used)]

use crate::common::random_model::random_tensors;
use candle_core::{Device, Tensor};
use hrm_planner::grid::{Cell, Cost, Costmap, Geometry};
use hrm_planner::model::{
    Carry, Formulation, GridHrm, GridHrmConfig, GridProblems, PLANES, Patches, Reasoner, encode,
};
use hrm_planner::search::Rules;

const PAIRS: Patches = Patches {
    side: 2,
    sparse: false,
};

fn open_map(rows: usize, cols: usize) -> Costmap {
    Costmap::filled(Geometry::unit(cols, rows).unwrap(), Cost::FREE)
}

fn model(patch: usize, sparse: bool) -> GridHrm {
    let config = GridHrmConfig {
        channels: 16,
        hidden: 16,
        patch,
        sparse,
        ..GridHrmConfig::default()
    };
    let tensors = random_tensors(&config, 3);
    GridHrm::new(config, &tensors, Formulation::Fused).unwrap()
}

#[test]
fn a_token_reads_its_cells_and_those_around_them() {
    let mut map = open_map(3, 5);
    map.set(Cell::new(2, 2), Cost(126));
    let rules = Rules::new(2.0, false).unwrap();
    let encoding = encode(&map, Cell::new(0, 0), &rules, PAIRS);
    assert_eq!(encoding.image.size(), (2, 3));
    assert_eq!(encoding.image.tokens(), 6);
    let taps: Vec<&[f32]> = encoding.input.chunks_exact(PLANES).collect();
    // Of the middle token of the lower row, cells (0, 2) to (1, 3), the window begins at (-1, 1).
    let window = &taps[16..32];
    assert_eq!(window[..4], [[0.0; PLANES]; 4], "below the map");
    let free = [0.0, 0.0, 1.0, 0.0, 0.0, 1.0];
    assert_eq!(window[4..12], [free; 8]);
    let costly = [1.0, 0.0, 1.0, 0.0, 0.0, 1.0];
    assert_eq!(window[12..], [free, costly, free, free]);
    // The goal's own cell is the lower left one of token 0: tap (1, 1) of its window.
    assert_eq!(taps[5], [0.0, 0.0, 1.0, 0.0, 1.0, 1.0]);
    // The upper right token has one cell inside, and knows the others as outside.
    let corner = &taps[5 * 16..];
    let inside: Vec<usize> = (0..16).filter(|&tap| corner[tap][5] > 0.5).collect();
    assert_eq!(inside, [0, 1, 4, 5]);
}

#[test]
fn patches_without_a_way_in_have_no_token() {
    let mut map = open_map(4, 4);
    for (row, col) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        map.set(Cell::new(row, col), Cost::LETHAL);
    }
    // One cell that can be entered is enough.
    for (row, col) in [(2, 2), (2, 3), (3, 2)] {
        map.set(Cell::new(row, col), Cost::INSCRIBED);
    }
    let sparse = Patches {
        sparse: true,
        ..PAIRS
    };
    let at = Cell::new(3, 3);
    let encoding = encode(&map, at, &Rules::shortest(), sparse);
    assert_eq!(encoding.image.tokens(), 3);
    // A blocked goal has one all the same: a model must not lose sight of it.
    let encoding = encode(&map, Cell::new(0, 0), &Rules::shortest(), sparse);
    assert_eq!(encoding.image.tokens(), 4);
}

/// With read-out weights that say nothing but a bias per output, each cell must have its own.
#[test]
fn read_outs_come_in_the_order_of_cells() {
    for (patch, sparse) in [(1, true), (2, false), (2, true), (3, true)] {
        let model = model(patch, sparse);
        let (rows, cols) = (5, 7);
        let mut map = open_map(rows, cols);
        let blocked = [
            (0, 3),
            (0, 4),
            (0, 5),
            (1, 3),
            (1, 4),
            (1, 5),
            (2, 3),
            (2, 4),
            (2, 5),
        ];
        for (row, col) in blocked {
            map.set(Cell::new(row, col), Cost::LETHAL);
        }
        let at = Cell::new(4, 0);
        let patches = model.config().patches();
        let problem = GridProblems::one(&map, &Rules::shortest(), at, at, patches).unwrap();
        let encoded = model.encode(&problem).unwrap();
        let tokens = encoded.tokens.tokens();
        // z of token t is t + 1 in every channel, so that outputs are in proportion to it.
        let z: Vec<f32> = (0..tokens * 16).map(|i| (i / 16 + 1) as f32).collect();
        let z = Tensor::from_vec(z, (tokens, 16), &Device::Cpu).unwrap();
        let carry = Carry {
            z_h: z.clone(),
            z_l: z,
        };
        let said = model.read_out(&carry, &encoded).unwrap();
        let value = said.value.to_vec1::<f32>().unwrap();
        assert_eq!(value.len(), rows * cols);
        let tensors = random_tensors(model.config(), 3);
        let weight = tensors["head.value.weight"].to_vec2::<f32>().unwrap();
        let bias = tensors["head.value.bias"].to_vec1::<f32>().unwrap();
        let mut token_at = std::collections::BTreeMap::new();
        let image = &encoded.tokens.images()[0];
        let wide = image.size().1;
        for row in 0..image.size().0 {
            for col in 0..wide {
                let cells = (row * patch..(row + 1) * patch)
                    .flat_map(|r| (col * patch..(col + 1) * patch).map(move |c| (r, c)));
                let open = cells
                    .filter(|&(r, c)| r < rows && c < cols)
                    .any(|(r, c)| !blocked.contains(&(r, c)));
                if open || !sparse {
                    token_at.insert((row, col), token_at.len());
                }
            }
        }
        assert_eq!(token_at.len(), tokens);
        for row in 0..rows {
            for col in 0..cols {
                let output = row % patch * patch + col % patch;
                let sum: f32 = weight.iter().map(|channel| channel[output]).sum();
                let want = token_at
                    .get(&(row / patch, col / patch))
                    .map_or(0.0, |&token| sum * (token + 1) as f32 + bias[output]);
                let said = value[row * cols + col];
                assert!(
                    (said - want).abs() < 1e-3 * want.abs().max(1.0),
                    "patch {patch}, sparse {sparse}, ({row}, {col}): {said} {want}"
                );
            }
        }
    }
}
