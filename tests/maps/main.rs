//! Maps: read, generated, drawn; grids, costs and the moves on them.
//!
//! One program for all of these: each links the whole library, and that takes longer than the tests.

#[path = "../common/mod.rs"]
mod common;

mod charts;
mod demo_map;
mod four_moves;
mod generated_maps;
mod geometry;
mod inflation;
mod map_files;
mod map_images;
mod movingai_files;
mod occupancy;
mod office_and_slices;
mod pictures;
mod realistic_maps;
