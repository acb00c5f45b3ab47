//! The set `movingai`: the benchmarks' maps, requests and published lengths.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::data_file::{find, kind_name, spread};
use super::{Case, Judge, Row};
use crate::grid::Moves;
use crate::grid::movingai::{Scenario, read_map_with_max_cells, read_scenarios};
use crate::{Error, Result};

impl Judge<'_> {
    /// Judges the `.scen` files of a folder (or one file): one row per map. Of each file `limit`
    /// requests are taken, evenly spread from short to long; all of them for 0.
    ///
    /// The oracle is held against every published length. Maps that are too large for the model are
    /// pooled for it, as for any request.
    ///
    /// # Errors
    /// A file that cannot be read, or whose map is not there: maps are looked for beside the
    /// `.scen` file and one folder up, under the name that the file gives.
    pub fn movingai(&self, path: &Path, limit: usize) -> Result<Vec<Row>> {
        let mut by_map: BTreeMap<PathBuf, Vec<Scenario>> = BTreeMap::new();
        for file in find(path, "scen", "movingai")? {
            let scenarios = read_scenarios(&file)?;
            let chosen = spread(scenarios.len(), limit);
            let mut maps: BTreeMap<&str, PathBuf> = BTreeMap::new();
            for scenario in chosen.into_iter().map(|number| &scenarios[number]) {
                let map = match maps.get(scenario.map.as_str()) {
                    Some(map) => map.clone(),
                    None => find_map(&file, &scenario.map)?,
                };
                maps.insert(&scenario.map, map.clone());
                by_map.entry(map).or_default().push(scenario.clone());
            }
        }
        by_map
            .iter()
            .map(|(map, scenarios)| self.movingai_map(path, map, scenarios))
            .collect()
    }

    fn movingai_map(&self, root: &Path, map: &Path, scenarios: &[Scenario]) -> Result<Row> {
        let costs = read_map_with_max_cells(map, self.config.max_cells)?;
        let snapshot = Arc::new(self.grid_snapshot(costs, Moves::Eight)?);
        let geometry = *snapshot.geometry();
        let kind = kind_name(root, map);
        self.row("movingai", &kind, scenarios.len(), |number| {
            let scenario = &scenarios[number];
            for cell in [scenario.start, scenario.goal] {
                geometry.check_inside(cell)?;
            }
            Ok(Case {
                snapshot: Arc::clone(&snapshot),
                start: scenario.start,
                goal: scenario.goal,
                stored_length: Some(scenario.optimal_length),
                stored_way: None,
            })
        })
    }
}

/// The map that a `.scen` file names, which may carry a path of another machine.
fn find_map(scenarios: &Path, name: &str) -> Result<PathBuf> {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let folders = scenarios.ancestors().skip(1).take(2);
    folders
        .map(|folder| folder.join(name))
        .find(|map| map.exists())
        .ok_or_else(|| Error::DataSet {
            path: scenarios.to_owned(),
            set: "movingai",
            reason: format!("the map {name} is neither beside it nor one folder up"),
        })
}
