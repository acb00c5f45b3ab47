//! What the benchmarks against PyTorch share: options, the Python worker, measuring, the table.
//!
//! A [`Case`] is one piece of work that our code and PyTorch both do, with the same weights and
//! inputs. [`measure`] first compares what they say, which must agree, and then lets them run in
//! turns, so that whatever slows the machine down for a while slows all of them down.

// Each benchmark is a crate of its own and uses only some of these.
#![allow(dead_code)]

mod case;
mod options;
mod table;
mod tensors;
mod worker;

pub use case::{Case, measure};
pub use options::Options;
pub use table::Report;
pub use tensors::Files;
pub use worker::Worker;
