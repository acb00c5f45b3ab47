//! One JSON object on one line: what other programs read.

use std::io::Write;

use serde::Serialize;

use super::failure::Result;

/// Writes a record and ends the line.
pub fn write_json(record: &impl Serialize, out: &mut impl Write) -> Result<()> {
    serde_json::to_writer(&mut *out, record)?;
    Ok(writeln!(out)?)
}
