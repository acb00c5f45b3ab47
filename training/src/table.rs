//! Tables of a run as CSV files, one row per step or several, that survive interruptions.
//!
//! Every row is on disk once [`Table::push`] returns. When a run goes on from an earlier step, the
//! rows after that step are dropped, since they will be written again.

use crate::{Error, Result};
use hrm_planner::model::write_atomically;
use serde::{Serialize, de::DeserializeOwned};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// A row that belongs to a step.
pub(crate) trait Row: Serialize + DeserializeOwned {
    /// The step after which the row was measured.
    fn step(&self) -> u64;
}

/// A table in memory and on disk.
#[derive(Debug)]
pub(crate) struct Table<R> {
    path: PathBuf,
    file: File,
    rows: Vec<R>,
}

impl<R: Row> Table<R> {
    /// The table of a file with its rows up to `step`; later rows are dropped from the file, and
    /// a file that is not there is made.
    pub(crate) fn open(path: &Path, step: u64) -> Result<Self> {
        let rows = if path.exists() {
            read(path, step)?
        } else {
            Vec::new()
        };
        write_atomically(path, &text(path, &rows, true)?)?;
        let file = OpenOptions::new()
            .append(true)
            .open(path)
            .map_err(|source| io(path, source))?;
        Ok(Self {
            path: path.to_owned(),
            file,
            rows,
        })
    }

    /// Adds rows.
    pub(crate) fn push(&mut self, rows: Vec<R>) -> Result<()> {
        let heading = self.rows.is_empty();
        let text = text(&self.path, &rows, heading)?;
        // One write per call, so that a row is there whole or not at all.
        self.file
            .write_all(&text)
            .map_err(|source| io(&self.path, source))?;
        self.rows.extend(rows);
        Ok(())
    }

    /// All rows, oldest first.
    pub(crate) fn rows(&self) -> &[R] {
        &self.rows
    }
}

fn read<R: Row>(path: &Path, step: u64) -> Result<Vec<R>> {
    let mut reader = csv::Reader::from_path(path).map_err(|e| wrong(path, &e))?;
    let mut rows = Vec::new();
    let mut found = reader.deserialize::<R>().peekable();
    while let Some(row) = found.next() {
        match row {
            Ok(row) if row.step() > step => break,
            Ok(row) => rows.push(row),
            // Only the last row can be one that a power cut tore.
            Err(_) if found.peek().is_none() => {}
            Err(e) => return Err(wrong(path, &e)),
        }
    }
    Ok(rows)
}

/// Rows as CSV; a heading comes with the first row, since it follows from the row's fields.
fn text<R: Row>(path: &Path, rows: &[R], heading: bool) -> Result<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new()
        .has_headers(heading)
        .from_writer(Vec::new());
    for row in rows {
        writer.serialize(row).map_err(|e| wrong(path, &e))?;
    }
    writer.into_inner().map_err(|e| io(path, e.into_error()))
}

fn wrong(path: &Path, error: &csv::Error) -> Error {
    Error::Table {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}

fn io(path: &Path, source: std::io::Error) -> Error {
    Error::Io {
        path: path.to_owned(),
        source,
    }
}
