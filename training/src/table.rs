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
pub(crate) trait Row: Sized {
    /// The headings of the columns that every such table has.
    const HEADINGS: &'static [&'static str];

    /// A row as its fields, those under further headings at the end.
    type Fields: Serialize + DeserializeOwned;

    /// The step after which the row was measured.
    fn step(&self) -> u64;

    /// The row's fields.
    fn fields(&self) -> Self::Fields;

    /// The row of these fields; `names` are the table's further headings.
    fn of(fields: Self::Fields, names: &[&'static str]) -> Self;
}

/// A table in memory and on disk.
#[derive(Debug)]
pub(crate) struct Table<R> {
    path: PathBuf,
    file: File,
    names: Vec<&'static str>,
    rows: Vec<R>,
}

impl<R: Row> Table<R> {
    /// The table of a file with its rows up to `step`; later rows are dropped from the file, and
    /// a file that is not there is made. `names` are the headings after [`Row::HEADINGS`].
    pub(crate) fn open(path: &Path, names: Vec<&'static str>, step: u64) -> Result<Self> {
        let rows = if path.exists() {
            read(path, &names, step)?
        } else {
            Vec::new()
        };
        let heading = heading::<R>(&names);
        write_atomically(path, &text(path, &rows, Some(&heading))?)?;
        let file = OpenOptions::new()
            .append(true)
            .open(path)
            .map_err(|source| io(path, source))?;
        Ok(Self {
            path: path.to_owned(),
            file,
            names,
            rows,
        })
    }

    /// Adds rows.
    pub(crate) fn push(&mut self, rows: Vec<R>) -> Result<()> {
        let heading = heading::<R>(&self.names);
        let heading = self.rows.is_empty().then_some(&heading[..]);
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

fn heading<R: Row>(names: &[&'static str]) -> Vec<&'static str> {
    [R::HEADINGS, names].concat()
}

fn read<R: Row>(path: &Path, names: &[&'static str], step: u64) -> Result<Vec<R>> {
    let mut reader = csv::Reader::from_path(path).map_err(|e| wrong(path, &e))?;
    let found = reader.headers().map_err(|e| wrong(path, &e))?;
    let expected = heading::<R>(names);
    if !found.is_empty() && found.iter().ne(expected.iter().copied()) {
        return Err(Error::Table {
            path: path.to_owned(),
            reason: format!("its heading is not {}", expected.join(",")),
        });
    }
    let mut rows = Vec::new();
    let mut records = reader.records().peekable();
    while let Some(record) = records.next() {
        // By position: the last field takes all that is left.
        let row = record.and_then(|record| record.deserialize::<R::Fields>(None));
        match row.map(|fields| R::of(fields, names)) {
            Ok(row) if row.step() > step => break,
            Ok(row) => rows.push(row),
            // Only the last row can be one that a power cut tore.
            Err(_) if records.peek().is_none() => {}
            Err(e) => return Err(wrong(path, &e)),
        }
    }
    Ok(rows)
}

/// Rows as CSV; the heading comes with the first row.
fn text<R: Row>(path: &Path, rows: &[R], heading: Option<&[&'static str]>) -> Result<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new()
        .has_headers(false)
        .from_writer(Vec::new());
    if let (Some(heading), false) = (heading, rows.is_empty()) {
        writer.write_record(heading).map_err(|e| wrong(path, &e))?;
    }
    for row in rows {
        writer
            .serialize(row.fields())
            .map_err(|e| wrong(path, &e))?;
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
