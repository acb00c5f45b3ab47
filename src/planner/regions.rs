//! Which cells reach each other: found once per map, asked by every request.
//!
//! A diagonal move needs both its side cells, so whatever is reachable is reachable by straight
//! moves: regions are the connected components of the four straight neighbours.

/// The label of cells that belong to no region.
const BLOCKED: u32 = u32::MAX;

/// Rows and columns of a rectangle of cells, all four included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bounds {
    pub bottom: usize,
    pub top: usize,
    pub left: usize,
    pub right: usize,
}

impl Bounds {
    /// One cell.
    pub fn of_cell(row: usize, col: usize) -> Self {
        Self {
            bottom: row,
            top: row,
            left: col,
            right: col,
        }
    }

    /// The smallest rectangle around both.
    #[must_use]
    pub fn around(self, other: Self) -> Self {
        Self {
            bottom: self.bottom.min(other.bottom),
            top: self.top.max(other.top),
            left: self.left.min(other.left),
            right: self.right.max(other.right),
        }
    }

    /// Cells along y.
    pub fn height(&self) -> usize {
        self.top - self.bottom + 1
    }

    /// Cells along x.
    pub fn width(&self) -> usize {
        self.right - self.left + 1
    }
}

/// The regions of a grid, numbered from 0.
#[derive(Debug, Clone)]
pub(super) struct Regions {
    labels: Vec<u32>,
    bounds: Vec<Bounds>,
}

impl Regions {
    /// The regions of the row-major cells that are `passable`.
    ///
    /// Two passes over the rows: the first gives each cell the label of its left or lower
    /// neighbour and notes which labels turn out to be one region, the second renames.
    pub fn new(width: usize, height: usize, passable: impl Fn(usize) -> bool) -> Self {
        let mut labels = vec![BLOCKED; width * height];
        // Labels that are one region, as a forest whose roots are the lowest labels.
        let mut parents: Vec<u32> = Vec::new();
        for index in 0..labels.len() {
            if !passable(index) {
                continue;
            }
            let left = match index % width {
                0 => BLOCKED,
                _ => labels[index - 1],
            };
            let below = match index.checked_sub(width) {
                None => BLOCKED,
                Some(below) => labels[below],
            };
            // BLOCKED is the highest number, so the lower one is a label if either is.
            labels[index] = left.min(below);
            if labels[index] == BLOCKED {
                labels[index] = parents.len() as u32;
                parents.push(labels[index]);
            } else if left != below && left.max(below) != BLOCKED {
                let (a, b) = (root(&mut parents, left), root(&mut parents, below));
                parents[a.max(b) as usize] = a.min(b);
            }
        }

        let mut names = vec![BLOCKED; parents.len()];
        let mut bounds: Vec<Bounds> = Vec::new();
        for (index, label) in labels.iter_mut().enumerate() {
            if *label == BLOCKED {
                continue;
            }
            let here = Bounds::of_cell(index / width, index % width);
            let root = root(&mut parents, *label) as usize;
            if names[root] == BLOCKED {
                names[root] = bounds.len() as u32;
                bounds.push(here);
            }
            *label = names[root];
            let around = &mut bounds[*label as usize];
            *around = around.around(here);
        }
        Self { labels, bounds }
    }

    /// The region of the cell at a row-major index; `None` for a cell that is not passable.
    pub fn of(&self, index: usize) -> Option<u32> {
        self.labels
            .get(index)
            .copied()
            .filter(|&label| label != BLOCKED)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.bounds.len()
    }

    /// The rectangle around a region.
    pub fn bounds(&self, region: u32) -> Bounds {
        self.bounds[region as usize]
    }
}

/// The root of a label; halves the way there for later calls.
fn root(parents: &mut [u32], mut label: u32) -> u32 {
    while parents[label as usize] != label {
        let grandparent = parents[parents[label as usize] as usize];
        parents[label as usize] = grandparent;
        label = grandparent;
    }
    label
}
