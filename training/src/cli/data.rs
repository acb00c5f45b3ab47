//! `hrm-train data`: what of a folder of the user's own maps can be trained on, and how to.

use super::{Outcome, say};
use hrm_training::{Error, OwnMaps, Recipe, find_recipe, preview_own};
use std::path::PathBuf;

/// Look at your own maps as training data: what each has, what they look like in training, and the
/// lines for your recipe
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A folder of `map_server` YAML files, subfolders included, or one file
    folder: PathBuf,
    /// The recipe that would train on them: a path, or the name of one in configs/recipes
    #[arg(long, value_name = "RECIPE", default_value = "nav")]
    recipe: String,
    /// The picture of samples
    #[arg(long, value_name = "PNG", default_value = "out/data.png")]
    out: PathBuf,
    /// Samples in the picture
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u16).range(1..=300))]
    count: u16,
}

/// Lists the maps, draws the sheet and says what to add to a recipe.
pub fn execute(args: &Args) -> anyhow::Result<Outcome> {
    let (recipe, _) = Recipe::read(&find_recipe(&args.recipe)?)?;
    let maps = OwnMaps::read(&args.folder, |path, reason| {
        say::note(format_args!("left out: {}: {reason}", path.display()));
    })?;
    for own in maps.maps() {
        let geometry = own.map.geometry();
        let share = 100.0 * own.region.len() as f64 / geometry.cells() as f64;
        say::result(format_args!(
            "{}: {} x {} cells of {} m, {share:.0} % in one free region",
            own.path.display(),
            geometry.width(),
            geometry.height(),
            geometry.resolution(),
        ));
    }
    let sheet = preview_own(&recipe, &args.folder, usize::from(args.count))?;
    if let Some(folder) = args.out.parent() {
        std::fs::create_dir_all(folder).map_err(|source| Error::Io {
            path: folder.to_owned(),
            source,
        })?;
    }
    sheet.save_png(&args.out).map_err(Error::from)?;
    say::result(args.out.display());
    say::note("to train on them, add to a recipe:");
    say::note(format_args!(
        "[data.maps]\nfolder = '{}'\nshare = 0.5",
        args.folder.display()
    ));
    Ok(Outcome::Done)
}
