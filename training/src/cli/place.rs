//! `--device`: where a command computes.

use hrm_planner::model::{Compute, DeviceChoice};
use hrm_training::Error;

/// Where a command computes.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Place {
    /// Where to compute: cpu, cuda (the first CUDA device) or cuda:N
    #[arg(long, value_name = "DEVICE", default_value_t)]
    pub device: DeviceChoice,
}

impl Place {
    /// The device, ready for use.
    pub fn open(self) -> Result<Compute, Error> {
        Ok(self.device.open()?)
    }
}
