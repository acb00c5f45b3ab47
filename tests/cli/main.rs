//! The command line, as a user runs it.
//!
//! One program for all of these: each links the whole library, and that takes longer than the tests.

#[path = "../common/mod.rs"]
mod common;

mod bad_input;
mod bench;
mod devices;
mod import;
mod info;
mod plan;
mod serve;
mod threads;
