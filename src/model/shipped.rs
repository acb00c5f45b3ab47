//! The model that is part of this program, so that an installed binary plans from anywhere.
//!
//! The file is `models/nav.safetensors`. Sources without it build too (`build/main.rs` sees to that),
//! and then there is no shipped model.

use super::Checkpoint;
use crate::Result;
use std::path::Path;

/// What reports call the shipped model.
pub const SHIPPED_NAME: &str = "nav";

#[cfg(shipped_model)]
const BYTES: Option<&[u8]> = Some(include_bytes!("../../models/nav.safetensors"));
#[cfg(not(shipped_model))]
const BYTES: Option<&[u8]> = None;

/// The shipped model's checkpoint; `None` if this program was built without one.
///
/// # Errors
/// As [`Checkpoint::read`], for a file that was not of this version when the program was built.
pub fn shipped() -> Result<Option<Checkpoint>> {
    BYTES
        .map(|bytes| Checkpoint::from_bytes(bytes, Path::new("models/nav.safetensors")))
        .transpose()
}
