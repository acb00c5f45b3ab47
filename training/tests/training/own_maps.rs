//! The user's own maps as training data.

// Clippy's allowance for tests does not reach helpers outside of them.
#![allow(clippy::unwrap_used)]

use hrm_planner::grid::generate::{Kind, generate};
use hrm_planner::grid::{Cost, Costmap, OccupancyGrid, save_map};
use hrm_training::{Error, MapsRecipe, OwnMaps, Recipe, Source, preview_own};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::path::Path;

/// A folder with two maps, one of them in a folder of its own, and a file that is none.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut dice = ChaCha8Rng::seed_from_u64(1);
    for (name, kind) in [("hall", Kind::Office), ("below/store", Kind::Warehouse)] {
        let map = generate(kind, 90, 120, &mut dice);
        let path = folder.path().join(format!("{name}.yaml"));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        save(&map, &path);
    }
    std::fs::write(folder.path().join("notes.yaml"), "coffee: black\n").unwrap();
    folder
}

fn save(map: &Costmap, path: &Path) {
    let data = map.costs().iter().map(|&cost| match cost {
        Cost::FREE => 0,
        Cost::UNKNOWN => -1,
        _ => 100,
    });
    let grid = OccupancyGrid::new(*map.geometry(), data.collect()).unwrap();
    save_map(&grid, path).unwrap();
}

fn recipe(folder: &Path) -> Recipe {
    let (mut recipe, _) = Recipe::read(Path::new("../configs/recipes/smoke.toml")).unwrap();
    let hrm_training::TaskRecipe::Planning(planning) = &mut recipe.task else {
        panic!("smoke trains on maps");
    };
    planning.data.min_side = 16;
    planning.data.first_max_side = 40;
    planning.data.max_side = 40;
    planning.data.maps = Some(MapsRecipe {
        folder: folder.to_owned(),
        share: 1.0,
    });
    recipe
}

#[test]
fn all_maps_of_a_folder_are_found_and_others_named() {
    let folder = folder();
    let mut left_out = Vec::new();
    let maps = OwnMaps::read(folder.path(), |path, reason| {
        left_out.push((path.to_owned(), reason.to_owned()));
    })
    .unwrap();
    assert_eq!(maps.maps().len(), 2);
    assert_eq!(left_out.len(), 1);
    assert!(left_out[0].0.ends_with("notes.yaml") && !left_out[0].1.is_empty());
    for own in maps.maps() {
        let free = own.map.costs().iter().filter(|&&c| c == Cost::FREE).count();
        assert!(own.region.len() > 500 && own.region.len() <= free);
    }
}

#[test]
fn a_folder_without_maps_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("notes.yaml"), "coffee: black\n").unwrap();
    let error = OwnMaps::read(folder.path(), |_, _| ()).unwrap_err();
    assert!(matches!(error, Error::NoOwnMaps { .. }));
    assert!(error.to_string().contains(folder.path().to_str().unwrap()));
}

#[test]
fn samples_are_windows_with_costs_and_the_oracles_answers() {
    let folder = folder();
    let recipe = recipe(folder.path());
    let source = Source::open(recipe.planning().unwrap(), 1).unwrap();
    let mut with_costs = 0;
    for seed in 0..40 {
        let sample = source.draw(seed, 1.0);
        let again = source.draw(seed, 1.0);
        assert_eq!(sample.map.costs(), again.map.costs());
        let (rows, cols) = sample.size();
        assert!(
            (1..=40).contains(&rows) && (1..=40).contains(&cols),
            "{rows} x {cols}"
        );
        let costs = sample.map.costs();
        with_costs += usize::from(costs.iter().any(|c| (1..=252).contains(&c.0)));
        let labelled = sample.optimal.iter().filter(|&&set| set != 0).count();
        assert!(labelled > 0);
        // Every optimal move is legal.
        for (optimal, legal) in sample.optimal.iter().zip(&sample.legal) {
            assert_eq!(optimal & !legal, 0);
        }
    }
    assert!(with_costs > 20, "{with_costs} of 40 have costs");
}

#[test]
fn a_sheet_of_them_can_be_drawn() {
    let folder = folder();
    let sheet = preview_own(&recipe(folder.path()), folder.path(), 3).unwrap();
    let path = folder.path().join("sheet.png");
    sheet.save_png(&path).unwrap();
    assert!(std::fs::metadata(&path).unwrap().len() > 1000);
}
