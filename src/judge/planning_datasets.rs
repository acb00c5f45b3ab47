//! The set `planning-datasets`: the maps of Neural A* (Yonetani et al. 2021, the "MP" set).

use std::path::Path;
use std::sync::Arc;

use super::data_file::{find, kind_name, read, spread};
use super::npz::{self, Array};
use super::{Case, Judge, Row};
use crate::grid::generate::{Components, NO_COMPONENT};
use crate::grid::{Cell, Cost, Costmap, Geometry, Moves};
use crate::{Error, Result};
use rand::RngExt;

/// Names of the test split's arrays: maps (1 is free) and one-hot goals.
const MAPS: &str = "arr_8";
const GOALS: &str = "arr_9";

impl Judge<'_> {
    /// Judges the test maps of every `.npz` file of a folder (or of one file): one row per file,
    /// one problem per map, `limit` of them, evenly spread, or all for 0. The goal is the stored
    /// one, the start drawn uniformly from the cells that reach it: the files have none.
    ///
    /// The stored distances count every move as 1 and cut corners. This planner moves by octile
    /// lengths without cutting corners and is judged by that, so `exact` does not apply.
    ///
    /// # Errors
    /// A file that cannot be read or is not in the format.
    pub fn planning_datasets(&self, path: &Path, limit: usize) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        for file in find(path, "npz", "planning-datasets")? {
            let wrong = |reason| Error::DataSet {
                path: file.clone(),
                set: "planning-datasets",
                reason,
            };
            let archive = read(&file)?;
            let maps = npz::array(&archive, MAPS).map_err(wrong)?;
            let goals = npz::array(&archive, GOALS).map_err(wrong)?;
            drop(archive);
            let &[count, height, width] = maps.shape.as_slice() else {
                return Err(wrong(format!("{MAPS} has not three axes")));
            };
            let kind = kind_name(path, &file);
            let problems: Vec<(Costmap, Cell, Cell)> = spread(count, limit)
                .into_iter()
                .map(|number| {
                    let (map, goal) = problem(&maps, &goals, number, height, width)
                        .ok_or_else(|| wrong(format!("map {number} of {MAPS} has no goal")))?;
                    let start =
                        self.start(&map, goal, &format!("planning-datasets/{kind}/{number}"));
                    Ok(start.map(|start| (map, start, goal)))
                })
                .filter_map(Result::transpose)
                .collect::<Result<_>>()?;
            rows.push(
                self.row("planning-datasets", &kind, problems.len(), |number| {
                    let (map, start, goal) = &problems[number];
                    Ok(Case {
                        snapshot: Arc::new(self.grid_snapshot(map.clone(), Moves::Eight)?),
                        start: *start,
                        goal: *goal,
                        stored_length: None,
                        stored_way: None,
                    })
                })?,
            );
        }
        Ok(rows)
    }

    /// A start for a goal; `None` if no other cell reaches it.
    fn start(&self, map: &Costmap, goal: Cell, name: &str) -> Option<Cell> {
        let geometry = map.geometry();
        let components = Components::of(map);
        let label = *components.labels().get(geometry.index(goal))?;
        if label == NO_COMPONENT {
            return None;
        }
        let goal = geometry.index(goal) as u32;
        let peers: Vec<u32> = components.cells(label).to_vec();
        let peers: Vec<u32> = peers.into_iter().filter(|&cell| cell != goal).collect();
        if peers.is_empty() {
            return None;
        }
        let chosen = peers[self.dice(name).random_range(0..peers.len())];
        Some(geometry.cell(chosen as usize))
    }
}

/// A map and its goal. The arrays' first row is the top one.
fn problem(
    maps: &Array,
    goals: &Array,
    number: usize,
    height: usize,
    width: usize,
) -> Option<(Costmap, Cell)> {
    let cells = height * width;
    let range = number * cells..(number + 1) * cells;
    let (map, goal) = (maps.values.get(range.clone())?, goals.values.get(range)?);
    let cell = |place: usize| Cell::new(height - 1 - place / width, place % width);
    let mut costmap = Costmap::filled(Geometry::unit(width, height).ok()?, Cost::LETHAL);
    for place in (0..cells).filter(|&place| map[place] > 0.5) {
        costmap.set(cell(place), Cost::FREE);
    }
    let goal = (0..cells).find(|&place| goal[place] > 0.5)?;
    Some((costmap, cell(goal)))
}
