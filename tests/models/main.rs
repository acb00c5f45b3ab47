//! Models: their arithmetic, files, halting and parity.
//!
//! One program for all of these: each links the whole library, and that takes longer than the tests.

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/random_sequence.rs"]
mod random_sequence;
#[path = "../common/reference.rs"]
mod reference;

mod act;
mod checkpoints;
mod focus;
mod grid_hrm;
mod grid_segment;
mod import;
mod import_hostile;
mod import_torch;
mod instruction_set;
mod patches;
mod precision;
mod published_models;
mod row_ops;
mod segment_stop;
mod sequence_config;
mod sequence_engine;
mod sequence_memory;
mod tied;
mod warm;
