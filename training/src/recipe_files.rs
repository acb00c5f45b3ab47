//! Where recipes are: a path, or the name of one of the project's own.

use crate::similar::nearest;
use crate::{Error, Result};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The folder of the project's recipes, below its root.
const FOLDER: &str = "configs/recipes";

/// The file of a recipe: `name` itself if it is a file or looks like one, else
/// `configs/recipes/NAME.toml` in the current folder, one above it, or one above this program.
///
/// # Errors
/// [`Error::NoRecipe`], with the names there are.
pub fn find_recipe(name: &str) -> Result<PathBuf> {
    let path = Path::new(name);
    if path.is_file() {
        return Ok(path.to_owned());
    }
    let folders = folders();
    let plain = path.components().count() == 1 && path.extension().is_none();
    if plain {
        let mut files = folders.iter().map(|f| f.join(format!("{name}.toml")));
        if let Some(file) = files.find(|file| file.is_file()) {
            return Ok(file);
        }
    }
    let known: Vec<String> = names(&folders).into_iter().collect();
    Err(Error::NoRecipe {
        name: name.to_owned(),
        nearest: nearest(name, known.iter().map(String::as_str)).map(str::to_owned),
        known,
    })
}

fn folders() -> Vec<PathBuf> {
    let starts = [std::env::current_dir(), std::env::current_exe()];
    let starts: Vec<PathBuf> = starts.into_iter().flatten().collect();
    let ancestors = starts.iter().flat_map(|start| start.ancestors());
    let folders = ancestors.map(|ancestor| ancestor.join(FOLDER));
    folders.filter(|folder| folder.is_dir()).collect()
}

fn names(folders: &[PathBuf]) -> BTreeSet<String> {
    let files = folders.iter().filter_map(|folder| folder.read_dir().ok());
    let files = files.flatten().flatten().map(|entry| entry.path());
    files
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        })
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect()
}
