//! Costmaps as Nav2 publishes them.

use super::maps::Ready;
use super::message::Window;
use crate::grid::{Cost, Costmap, published_occupancy};

/// The smallest window that holds all that differs; `None` if the grids are not the same.
pub(super) fn changed_window(before: &Ready, after: &Ready) -> Option<Window> {
    let (old, new) = (before.snapshot.inflated(), after.snapshot.inflated());
    if old.geometry() != new.geometry() || before.frame != after.frame {
        return None;
    }
    let width = new.geometry().width();
    let rows = old
        .costs()
        .chunks_exact(width)
        .zip(new.costs().chunks_exact(width));
    let mut bounds: Option<(usize, usize, usize, usize)> = None;
    for (row, (old, new)) in rows.enumerate() {
        let mut differing = old.iter().zip(new).enumerate();
        let Some((first, _)) = differing.find(|(_, (old, new))| old != new) else {
            continue;
        };
        let last = old.iter().zip(new).rposition(|(old, new)| old != new);
        let last = last.unwrap_or(first);
        bounds = Some(match bounds {
            None => (first, last, row, row),
            Some((left, right, bottom, _)) => (left.min(first), right.max(last), bottom, row),
        });
    }
    let window = bounds.map_or(
        Window {
            col: 0,
            row: 0,
            width: 0,
            height: 0,
        },
        |(left, right, bottom, top)| Window {
            col: left,
            row: bottom,
            width: right - left + 1,
            height: top - bottom + 1,
        },
    );
    Some(window)
}

/// The occupancies that a window of a costmap is published as.
pub(super) fn occupancies(map: &Costmap, window: Window) -> Vec<i8> {
    let table: [i8; 256] = std::array::from_fn(|cost| published_occupancy(Cost(cost as u8)));
    let width = map.geometry().width();
    let rows = window.row..window.row + window.height;
    let mut data = Vec::with_capacity(window.width * window.height);
    for row in rows {
        let start = row * width + window.col;
        let costs = &map.costs()[start..start + window.width];
        data.extend(costs.iter().map(|cost| table[cost.0 as usize]));
    }
    data
}
