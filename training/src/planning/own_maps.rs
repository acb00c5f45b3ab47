//! The user's own maps as a source of samples.

use super::recipe::DataRecipe;
use super::sample::{Sample, cropped, draw_goal};
use crate::{Error, Result};
use hrm_planner::grid::generate::realistic::Realism;
use hrm_planner::grid::generate::{Components, Kind};
use hrm_planner::grid::{CostRule, Costmap, Moves, load_map};
use hrm_planner::judge::map_files;
use hrm_planner::search::Rules;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::path::{Path, PathBuf};

/// Maps with less free space teach nothing.
const LEAST_FREE: usize = 64;

/// The maps of a folder that can be trained on.
#[derive(Debug, Clone, Default)]
pub struct OwnMaps {
    maps: Vec<OwnMap>,
}

/// One of them.
#[derive(Debug, Clone)]
pub struct OwnMap {
    /// Its YAML file.
    pub path: PathBuf,
    /// The map, uninflated.
    pub map: Costmap,
    /// Cells of the largest region that hangs together, row-major indices.
    pub region: Vec<u32>,
}

impl OwnMaps {
    /// Reads all `map_server` YAML files of a folder and its subfolders, or one file. `left_out`
    /// hears of every file that cannot be used, with the reason.
    ///
    /// # Errors
    /// The folder cannot be read, or no map of it can be used.
    pub fn read(folder: &Path, mut left_out: impl FnMut(&Path, &str)) -> Result<Self> {
        let mut maps = Vec::new();
        for path in map_files(folder)? {
            let map = match load_map(&path) {
                Ok(grid) => grid.to_costmap(CostRule::default()),
                Err(error) => {
                    left_out(&path, &error.to_string());
                    continue;
                }
            };
            let components = Components::of(&map);
            let region = components.largest().map(|label| components.cells(label));
            match region {
                Some(region) if region.len() >= LEAST_FREE => {
                    let region = region.to_vec();
                    maps.push(OwnMap { path, map, region });
                }
                _ => left_out(&path, "it has hardly any free space"),
            }
        }
        if maps.is_empty() {
            return Err(Error::NoOwnMaps {
                folder: folder.to_owned(),
            });
        }
        Ok(Self { maps })
    }

    /// The maps.
    pub fn maps(&self) -> &[OwnMap] {
        &self.maps
    }

    /// A window of one of them as the recipe draws it once `progress` (0..1) of training is done,
    /// with a goal; `None` where too little of the window is free.
    pub(super) fn draw(
        &self,
        recipe: &DataRecipe,
        moves: Moves,
        progress: f64,
        rng: &mut ChaCha8Rng,
    ) -> Option<Sample> {
        let own = &self.maps[rng.random_range(0..self.maps.len())];
        let height = recipe.draw_side(progress, rng);
        let width = recipe.draw_side(progress, rng);
        let at = own.region[rng.random_range(0..own.region.len())];
        let at = own.map.geometry().cell(at as usize);
        let centre = (at.row as f64 + 0.5, at.col as f64 + 0.5);
        let realism = Realism::draw_recorded(height, width, rng);
        let map = cropped(&realism.window(&own.map, centre, (height, width), rng)?)?;
        let rules = Rules::new(rng.random_range(0.0..=3.0), false).ok()?;
        let goal = draw_goal(&map, rng)?;
        Sample::label(
            Kind::Office,
            map,
            goal,
            rules.with_moves(moves),
            recipe.slack,
        )
    }
}
