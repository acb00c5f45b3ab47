//! Joining separate hollows by the shortest tunnels.
//!
//! All hollows grow into the rock at the same pace; where two growths meet, the way back along
//! both is a shortest tunnel between them. The shortest of all, as in Kruskal's algorithm, join
//! the hollows.

use rand::RngExt;

use super::Dice;
use super::canvas::{Canvas, Rect};
use super::components::{Components, NO_COMPONENT, for_straight_neighbours};
use super::union::Union;

/// Two neighbouring cells where the growths of two hollows meet.
#[derive(Debug, Clone, Copy)]
struct Meeting {
    /// Rock cells to dig through.
    length: u32,
    cells: (u32, u32),
}

/// Fills hollows of up to `smallest` cells in, except the largest, and joins others to one; each
/// tunnel is dug with the probability `joined`, one or two cells wide.
pub(super) fn join_hollows(canvas: &mut Canvas, smallest: usize, joined: f64, dice: &mut Dice) {
    let (height, width) = (canvas.height(), canvas.width());
    let mut hollows = Components::default();
    hollows.label_where(height, width, |cell| !canvas.blocked()[cell]);
    let Some(largest) = hollows.largest() else {
        return;
    };
    let mut kept = Vec::new();
    let mut kept_hollows = 0;
    for label in 0..hollows.count() as u32 {
        let cells = hollows.cells(label);
        if label == largest || cells.len() > smallest {
            kept.extend_from_slice(cells);
            kept_hollows += 1;
        } else {
            for &cell in cells {
                canvas.blocked_mut()[cell as usize] = true;
            }
        }
    }

    if kept_hollows == 1 {
        return;
    }
    let growth = Growth::from(kept, &hollows, height, width);
    let mut union = Union::new(hollows.count());
    for meeting in &growth.meetings {
        let (a, b) = meeting.cells;
        let (hollow_a, hollow_b) = (growth.owners[a as usize], growth.owners[b as usize]);
        if union.join(hollow_a, hollow_b) && dice.random_bool(joined) {
            let wide = dice.random_range(1..=2);
            growth.dig(canvas, a, wide);
            growth.dig(canvas, b, wide);
        }
    }
}

/// How the hollows grew into the rock.
#[derive(Debug)]
struct Growth {
    width: usize,
    /// The hollow that reached each cell first.
    owners: Vec<u32>,
    /// The cell from which each cell was reached; a hollow's own cells are their own.
    parents: Vec<u32>,
    /// Where different hollows meet, shortest first.
    meetings: Vec<Meeting>,
}

impl Growth {
    /// From the cells of the hollows that grow.
    fn from(seeds: Vec<u32>, hollows: &Components, height: usize, width: usize) -> Self {
        let cells = height * width;
        let mut owners = vec![NO_COMPONENT; cells];
        let mut parents: Vec<u32> = (0..cells as u32).collect();
        let mut depths = vec![0_u32; cells];
        for &seed in &seeds {
            owners[seed as usize] = hollows.labels()[seed as usize];
        }
        let mut meetings = Vec::new();
        let mut queue = seeds;
        let mut next = 0;
        while next < queue.len() {
            let cell = queue[next] as usize;
            next += 1;
            for_straight_neighbours(cell, height, width, |neighbour| {
                if owners[neighbour] == NO_COMPONENT {
                    owners[neighbour] = owners[cell];
                    parents[neighbour] = cell as u32;
                    depths[neighbour] = depths[cell] + 1;
                    queue.push(neighbour as u32);
                } else if owners[neighbour] != owners[cell] {
                    meetings.push(Meeting {
                        length: depths[cell] + depths[neighbour],
                        cells: (cell as u32, neighbour as u32),
                    });
                }
            });
        }
        meetings.sort_by_key(|meeting| meeting.length);
        Self {
            width,
            owners,
            parents,
            meetings,
        }
    }

    /// Frees the way from a cell back to its hollow, `wide` cells wide.
    fn dig(&self, canvas: &mut Canvas, mut cell: u32, wide: usize) {
        loop {
            let (row, col) = (cell as usize / self.width, cell as usize % self.width);
            canvas.fill(Rect::new(row, col, wide, wide), false);
            let parent = self.parents[cell as usize];
            if parent == cell {
                return;
            }
            cell = parent;
        }
    }
}
