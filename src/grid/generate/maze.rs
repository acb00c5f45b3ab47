//! Mazes: corridors between thin walls on a lattice of nodes, first a spanning tree, then some
//! of the remaining walls opened, so that there are trees as well as mazes with loops.
//!
//! The tree's character comes from how it is grown ([`super::tree`]); widths and leftover cells
//! are drawn so that corridors do not always lie on the same rows and columns.

use rand::RngExt;

use super::canvas::{Canvas, Rect};
use super::tree::{Lattice, Method};
use super::{Dice, choose};

/// Largest share of the walls that the tree leaves which are opened.
const MAX_OPENED: f64 = 0.2;

/// A row or column of nodes: its first cell and how many cells wide it is.
type Lane = (usize, usize);

pub(super) fn draw(height: usize, width: usize, dice: &mut Dice) -> Canvas {
    let shorter = height.min(width);
    // At least six corridors' worth of cells on the shorter side.
    let widest = (shorter / 6).clamp(1, 3);
    let corridor = choose(&[(7, 1), (2, 2), (1, 3)], dice).min(widest);
    let thick = corridor > 1 && shorter >= 24 && dice.random_bool(0.3);
    let wall = if thick { 2 } else { 1 };
    let enclosed = shorter >= 12 && dice.random_bool(0.5);
    let outer = if enclosed { wall } else { 0 };
    let rows = lanes(height, corridor, wall, outer, dice);
    let cols = lanes(width, corridor, wall, outer, dice);

    let mut lattice = Lattice::new(rows.len(), cols.len());
    let method = choose(
        &[
            (4, Method::Growing { newest: 1.0 }),
            (
                2,
                Method::Growing {
                    newest: dice.random_range(0.3..0.98),
                },
            ),
            (1, Method::Growing { newest: 0.0 }),
            (2, Method::Wilson),
            (1, Method::Kruskal),
        ],
        dice,
    );
    lattice.grow(method, dice);
    if dice.random_bool(0.6) {
        let share = dice.random_range(0.0..=MAX_OPENED);
        lattice.open_more(share, dice);
    }
    carve(&lattice, &rows, &cols, height, width)
}

/// Lays corridors and walls along a side; what is left over widens some of them.
fn lanes(side: usize, corridor: usize, wall: usize, outer: usize, dice: &mut Dice) -> Vec<Lane> {
    let count = ((side + wall - 2 * outer) / (corridor + wall)).max(1);
    let leftover = side - 2 * outer - (count * (corridor + wall) - wall);
    // Slots by turns: outer wall, corridor, wall, corridor, ..., corridor, outer wall.
    let mut slots = vec![corridor; 2 * count + 1];
    for between in slots.iter_mut().step_by(2) {
        *between = wall;
    }
    slots[0] = outer;
    slots[2 * count] = outer;
    for _ in 0..leftover {
        slots[dice.random_range(0..=2 * count)] += 1;
    }
    let mut at = 0;
    let mut lanes = Vec::with_capacity(count);
    for pair in slots.chunks_exact(2) {
        lanes.push((at + pair[0], pair[1]));
        at += pair[0] + pair[1];
    }
    lanes
}

/// Frees the nodes of a lattice and the open passages between them.
fn carve(lattice: &Lattice, rows: &[Lane], cols: &[Lane], height: usize, width: usize) -> Canvas {
    let mut canvas = Canvas::new(height, width, true);
    for (i, &(row, tall)) in rows.iter().enumerate() {
        for (j, &(col, wide)) in cols.iter().enumerate() {
            let mut node = Rect::new(row, col, tall, wide);
            canvas.fill(node, false);
            if lattice.is_open_up(i, j) {
                node.height = rows[i + 1].0 - row;
                canvas.fill(node, false);
            }
            if lattice.is_open_right(i, j) {
                canvas.fill(Rect::new(row, col, tall, cols[j + 1].0 - col), false);
            }
        }
    }
    canvas
}
