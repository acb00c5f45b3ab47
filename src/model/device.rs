//! Where models compute: on the processor, or on a CUDA device.
//!
//! A name such as `cuda:1` comes in, from a command line or a settings file. Out goes a
//! [`Compute`], which everything that loads a model or trains one takes, or an error that says
//! what to do. Nothing here computes.

use super::Formulation;
use crate::{Error, Result};
use candle_core::{Device, DeviceLocation};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

/// A device by its name: `cpu`, `cuda` or `cuda:N`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum DeviceChoice {
    /// The processor.
    #[default]
    Cpu,
    /// The CUDA device of this number, counted from 0; `cuda` is the first one.
    Cuda(usize),
}

impl DeviceChoice {
    /// Where a tensor or a model is.
    pub fn of(device: &Device) -> Self {
        match device.location() {
            DeviceLocation::Cuda { gpu_id } => Self::Cuda(gpu_id),
            DeviceLocation::Cpu | DeviceLocation::Metal { .. } => Self::Cpu,
        }
    }

    /// The device, ready for use, with the formulation that suits it. A CUDA device is opened once
    /// per process, whoever asks.
    ///
    /// # Errors
    /// [`Error::CudaNotBuilt`] in a build without the feature `cuda`; [`Error::NoCudaDevice`]
    /// where there is no such device or no driver for it.
    pub fn open(self) -> Result<Compute> {
        match self {
            Self::Cpu => Ok(Compute::cpu()),
            Self::Cuda(number) => cuda(number).map(Compute::on),
        }
    }
}

fn cuda(number: usize) -> Result<Device> {
    static OPENED: Mutex<BTreeMap<usize, Device>> = Mutex::new(BTreeMap::new());

    if !candle_core::utils::cuda_is_available() {
        return Err(Error::CudaNotBuilt);
    }
    // What a panic elsewhere left behind is whole: entries are only ever added.
    let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(device) = opened.get(&number) {
        return Ok(device.clone());
    }
    let device = Device::new_cuda(number).map_err(|error| {
        // The first line; a backtrace follows where one is asked for.
        let text = error.to_string();
        let reason = text.lines().next().unwrap_or_default().to_owned();
        Error::NoCudaDevice { number, reason }
    })?;
    opened.insert(number, device.clone());
    Ok(device)
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(number) => write!(f, "cuda:{number}"),
        }
    }
}

impl FromStr for DeviceChoice {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let unknown = || Error::UnknownDevice {
            name: text.to_owned(),
        };
        match text.split_once(':') {
            None if text == "cpu" => Ok(Self::Cpu),
            None if text == "cuda" => Ok(Self::Cuda(0)),
            Some(("cuda", number)) => number.parse().map(Self::Cuda).map_err(|_| unknown()),
            _ => Err(unknown()),
        }
    }
}

impl From<DeviceChoice> for String {
    fn from(choice: DeviceChoice) -> Self {
        choice.to_string()
    }
}

impl TryFrom<String> for DeviceChoice {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

/// Where and how models compute.
#[derive(Debug, Clone)]
pub struct Compute {
    /// Where weights, inputs and states are.
    pub device: Device,
    /// How the blocks of grid models are computed. Sequence models choose by their device.
    pub formulation: Formulation,
}

impl Compute {
    /// On the processor, by the fused kernels.
    pub fn cpu() -> Self {
        Self::on(Device::Cpu)
    }

    /// On a device, by the formulation that suits it.
    pub fn on(device: Device) -> Self {
        let formulation = if device.is_cpu() {
            Formulation::Fused
        } else {
            Formulation::Plain
        };
        Self {
            device,
            formulation,
        }
    }

    /// What a record calls the device: `cpu`, or the number and the name of the board, such as
    /// `cuda:0, NVIDIA H100`.
    pub fn describe(&self) -> String {
        let choice = DeviceChoice::of(&self.device).to_string();
        match board(&self.device) {
            Some(board) => format!("{choice}, {board}"),
            None => choice,
        }
    }
}

#[cfg(feature = "cuda")]
fn board(device: &Device) -> Option<String> {
    let device = device.as_cuda_device().ok()?;
    device.cuda_stream().context().name().ok()
}

#[cfg(not(feature = "cuda"))]
fn board(_: &Device) -> Option<String> {
    None
}
