//! From a request to a verified plan.

mod rollout;

pub use rollout::{Policy, Rollout};
