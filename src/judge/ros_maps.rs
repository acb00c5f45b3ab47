//! The set `ros-maps`: random requests on maps that robots made.

use std::path::Path;
use std::sync::Arc;

use super::data_file::{find, kind_name};
use super::{Case, Judge, Row};
use crate::Result;
use crate::grid::generate::{Components, reachable_pair};
use crate::grid::{CostRule, load_map_with_max_cells};
use crate::planner::Snapshot;

impl Judge<'_> {
    /// Judges `pairs` requests on every map of a folder of `map_server` YAML files (or one file),
    /// under the judge's settings, robot radius and costs included: one row per map. Start and
    /// goal are cells that this robot can get between, drawn uniformly.
    ///
    /// Maps that cannot be read, or on which this robot cannot move, have no row; the log says so.
    ///
    /// # Errors
    /// The folder cannot be read or holds no YAML file.
    pub fn ros_maps(&self, path: &Path, pairs: usize) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        for file in find(path, "yaml", "ros-maps")? {
            let map = match load_map_with_max_cells(&file, self.config.max_cells) {
                Ok(map) => map.to_costmap(CostRule::default()),
                Err(error) => {
                    tracing::warn!("left out: {error}");
                    continue;
                }
            };
            let snapshot = Arc::new(Snapshot::new(map, &self.config)?);
            let components = Components::of(snapshot.inflated());
            let kind = kind_name(path, &file);
            let mut dice = self.dice(&format!("ros-maps/{kind}"));
            let requests: Vec<_> = (0..pairs)
                .map_while(|_| reachable_pair(snapshot.inflated(), &components, 0.0, &mut dice))
                .collect();
            drop(components);
            if requests.is_empty() {
                tracing::warn!(
                    "left out: {}: no two cells reach each other",
                    file.display()
                );
                continue;
            }
            rows.push(self.row("ros-maps", &kind, requests.len(), |number| {
                let (start, goal) = requests[number];
                Ok(Case {
                    snapshot: Arc::clone(&snapshot),
                    start,
                    goal,
                    stored_length: None,
                    stored_way: None,
                })
            })?);
        }
        Ok(rows)
    }
}
