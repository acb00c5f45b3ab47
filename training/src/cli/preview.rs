//! `hrm-train preview`: what a recipe trains on, as pictures.

use super::{Outcome, say};
use hrm_training::{Error, Recipe, find_recipe, kinds, preview};
use std::path::PathBuf;

/// Draw contact sheets of the maps and answers that a recipe trains on, one PNG per kind
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A recipe: the path of a TOML file, or the name of one in configs/recipes, such as `grid`
    recipe: String,
    /// The folder for the pictures [default: out/preview-NAME]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Samples per sheet, from the first sizes of training to the last
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u16).range(1..=300))]
    count: u16,
}

/// Draws the sheets and says where they are.
pub fn execute(args: &Args) -> anyhow::Result<Outcome> {
    let (recipe, _) = Recipe::read(&find_recipe(&args.recipe)?)?;
    let default = || PathBuf::from("out").join(format!("preview-{}", recipe.name));
    let folder = args.out.clone().unwrap_or_else(default);
    std::fs::create_dir_all(&folder).map_err(|source| Error::Io {
        path: folder.clone(),
        source,
    })?;
    for kind in kinds(recipe.planning()?) {
        let path = folder.join(format!("{kind}.png"));
        preview(&recipe, kind, usize::from(args.count))?
            .save_png(&path)
            .map_err(Error::from)?;
        say::result(path.display());
    }
    Ok(Outcome::Done)
}
