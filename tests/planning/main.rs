//! Plans: what the model proposes, what is verified, what stands behind it, and how it is judged.
//!
//! One program for all of these: each links the whole library, and that takes longer than the tests.

#[path = "../common/mod.rs"]
mod common;

mod batch;
mod checks;
mod footprint;
mod judge;
mod pipeline;
mod properties;
mod reduction;
mod repair;
mod rollout_costs;
mod rounding;
mod scales;
mod search_oracle;
mod settings;
mod shipped_model;
mod stability;
mod symmetries;
mod thinking;
mod through;
mod verifier;
mod warm_start;
