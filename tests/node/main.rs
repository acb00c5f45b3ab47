//! The node without any middleware, under a simulated clock.
//!
//! One program for all of these: each links the whole library, and that takes longer than the tests.

#[path = "../common/mod.rs"]
mod common;

mod goals;
mod lifecycle;
mod maps;
mod path_check;
mod requests;
mod sensors;
mod transforms;
