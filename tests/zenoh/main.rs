//! The node on Zenoh: bytes, fleets, security.
//!
//! One program for all of these: each links the whole library, and that takes longer than the tests.

#![cfg(feature = "zenoh")]

#[path = "../common/mod.rs"]
mod common;

mod fleet;
mod interface_hashes;
mod lost_answers;
mod payloads;
mod security;
