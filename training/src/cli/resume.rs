//! `hrm-train resume`: a run from its last checkpoint.

use super::place::Place;
use super::{Outcome, train};
use hrm_training::Run;
use std::path::PathBuf;

/// Go on with a run from its last checkpoint, with the same numbers as without the interruption
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run's folder, such as runs/grid
    folder: PathBuf,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    limit: train::Limit,
}

/// Takes a run up and drives it.
pub fn execute(args: &Args) -> anyhow::Result<Outcome> {
    train::drive(Run::resume(&args.folder, &args.place.open()?)?, args.limit)
}
