//! Files of data sets: finding and reading them.

use std::fs;
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// The bytes of a file.
pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|source| Error::Io {
        path: path.to_owned(),
        source,
    })
}

/// The `map_server` YAML files of a folder and its subfolders, sorted, or one file itself.
///
/// # Errors
/// The folder cannot be read or holds no YAML file.
pub fn map_files(path: &Path) -> Result<Vec<PathBuf>> {
    find(path, "yaml", "maps")
}

/// The files with this extension in a folder and all folders in it, sorted; or the file itself,
/// if that is what `path` is.
///
/// # Errors
/// [`Error::Io`] for a folder that cannot be read, [`Error::DataSet`] if no such file is in it.
pub(super) fn find(path: &Path, extension: &str, set: &'static str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut waiting = vec![path.to_owned()];
    while let Some(path) = waiting.pop() {
        let io = |source| Error::Io {
            path: path.clone(),
            source,
        };
        if fs::metadata(&path).map_err(io)?.is_dir() {
            for entry in fs::read_dir(&path).map_err(io)? {
                let entry = entry.map_err(io)?;
                // Links are not followed: they could lead round in circles.
                let is_folder = entry.file_type().map_err(io)?.is_dir();
                let named = entry.path().extension().is_some_and(|e| e == extension);
                if is_folder || named {
                    waiting.push(entry.path());
                }
            }
        } else {
            found.push(path);
        }
    }
    if found.is_empty() {
        return Err(Error::DataSet {
            path: path.to_owned(),
            set,
            reason: format!("it holds no .{extension} file"),
        });
    }
    found.sort();
    Ok(found)
}

/// A file's path within the data set without its extension, as the name of a kind; of a set of one
/// file, the file's name.
pub(super) fn kind_name(root: &Path, file: &Path) -> String {
    let inner = match file.strip_prefix(root) {
        Ok(inner) if inner != Path::new("") => inner,
        _ => Path::new(file.file_name().unwrap_or(file.as_os_str())),
    };
    let name = inner.with_extension("");
    name.to_string_lossy().replace('\\', "/")
}

/// `limit` of `count` numbers, evenly spread and in order; all if there are no more, or for 0.
pub(super) fn spread(count: usize, limit: usize) -> Vec<usize> {
    if limit == 0 || limit >= count {
        return (0..count).collect();
    }
    (0..limit).map(|place| place * count / limit).collect()
}
