//! Exact Euclidean distance from every cell to the nearest source cell, in linear time.
//!
//! After Meijster, Roerdink and Hesselink, "A general algorithm for computing distance transforms
//! in linear time" (2000): first the distance within each column, then per row the lower envelope
//! of the parabolas that the columns contribute. In go a size and a predicate, out come squared
//! distances between cell centres, in cells, as whole numbers: no rounding anywhere. Metres and
//! costs are the business of `inflation`.

use rayon::prelude::*;

/// The squared distance of a cell that no source is near enough to.
pub const FAR: u32 = u32::MAX;

/// The largest `reach` that is told apart from no limit, cells: its square still fits below [`FAR`].
pub const MAX_REACH: u32 = 65_535;

/// Buffers kept between calls, so that repeated transforms of grids of one size allocate nothing.
#[derive(Debug, Clone, Default)]
pub struct Workspace {
    /// First the distances within columns, then the squared distances.
    squared: Vec<u32>,
    /// One per band of rows.
    rows: Vec<RowWorkspace>,
}

/// What one row's pass needs.
#[derive(Debug, Clone, Default)]
struct RowWorkspace {
    /// The row's distances within columns.
    column_distances: Vec<u32>,
    /// The lower envelope, left to right.
    envelope: Vec<Parabola>,
}

/// The squared distances that one column's nearest source contributes to a row.
#[derive(Debug, Clone, Copy)]
struct Parabola {
    /// The column of the vertex.
    column: i64,
    /// The squared distance at the vertex.
    height: i64,
    /// The first column where this parabola is the lowest so far.
    start: i64,
}

impl Parabola {
    fn at(&self, column: i64) -> i64 {
        let offset = column - self.column;
        offset * offset + self.height
    }

    /// The first column at which `self` is lower than `left`, whose vertex lies left of its own.
    fn first_lower_than(&self, left: &Parabola) -> i64 {
        let rise =
            self.column * self.column - left.column * left.column + self.height - left.height;
        rise.div_euclid(2 * (self.column - left.column)) + 1
    }
}

/// The squared distance, in cells, from each cell of a `width` x `height` grid to the nearest cell
/// whose row-major index `is_source` accepts, row-major; [`FAR`] where that is over `reach` cells
/// (or over [`MAX_REACH`]). A small reach is cheaper: rows out of reach of any source are skipped.
pub fn squared_distances(
    width: usize,
    height: usize,
    is_source: impl Fn(usize) -> bool,
    reach: u32,
    workspace: &mut Workspace,
) -> &[u32] {
    let cells = width * height;
    workspace.squared.clear();
    workspace.squared.resize(cells, FAR);
    if cells == 0 {
        return &workspace.squared;
    }
    let reach = reach.min(MAX_REACH);
    distances_within_columns(&mut workspace.squared, width, is_source, reach);

    let bands = rayon::current_num_threads().clamp(1, height);
    let rows_per_band = height.div_ceil(bands);
    workspace.rows.resize_with(bands, RowWorkspace::default);
    workspace
        .squared
        .par_chunks_mut(rows_per_band * width)
        .zip(&mut workspace.rows)
        .for_each(|(band, buffers)| {
            for row in band.chunks_exact_mut(width) {
                distances_of_row(row, buffers, reach);
            }
        });
    &workspace.squared
}

/// Replaces every value by the distance to the nearest source above or below in the same column,
/// [`FAR`] where that is over `reach`.
fn distances_within_columns(
    distances: &mut [u32],
    width: usize,
    is_source: impl Fn(usize) -> bool,
    reach: u32,
) {
    let next = |distance: u32| if distance < reach { distance + 1 } else { FAR };
    // A window of two rows, upwards for the sources below, then downwards for those above.
    for (index, distance) in distances.iter_mut().enumerate() {
        if is_source(index) {
            *distance = 0;
        }
    }
    for index in width..distances.len() {
        distances[index] = distances[index].min(next(distances[index - width]));
    }
    for index in (width..distances.len()).rev() {
        distances[index - width] = distances[index - width].min(next(distances[index]));
    }
}

/// Turns one row's distances within columns into squared distances.
fn distances_of_row(row: &mut [u32], buffers: &mut RowWorkspace, reach: u32) {
    let RowWorkspace {
        column_distances,
        envelope,
    } = buffers;
    column_distances.clear();
    column_distances.extend_from_slice(row);
    envelope.clear();
    for (column, &distance) in column_distances.iter().enumerate() {
        if distance == FAR {
            continue;
        }
        let mut parabola = Parabola {
            column: column as i64,
            height: i64::from(distance) * i64::from(distance),
            start: 0,
        };
        // A parabola that the new one undercuts from its very start is nowhere the lowest.
        while let Some(last) = envelope.last() {
            parabola.start = parabola.first_lower_than(last);
            if parabola.start > last.start {
                break;
            }
            envelope.pop();
            parabola.start = 0;
        }
        if parabola.start < row.len() as i64 {
            envelope.push(parabola);
        }
    }

    let limit = i64::from(reach) * i64::from(reach);
    for (index, parabola) in envelope.iter().enumerate() {
        let start = parabola.start as usize;
        let end = envelope
            .get(index + 1)
            .map_or(row.len(), |right| right.start as usize);
        for (column, distance) in (start..end).zip(&mut row[start..end]) {
            let squared = parabola.at(column as i64);
            *distance = if squared <= limit {
                squared as u32
            } else {
                FAR
            };
        }
    }
}
