//! Training: recipes, optimisers, gradients, checkpoints, and the program as a user runs it.
//!
//! One program for all of these: each links the whole library, and that takes longer than the tests.

#[path = "../common/mod.rs"]
mod common;
#[path = "../../../tests/common/random_sequence.rs"]
mod random_sequence;
#[path = "../../../tests/common/reference.rs"]
mod reference;

mod adam_atan2;
mod cli;
mod events;
mod failures;
mod formulations;
mod gradients;
mod interruption;
mod optimiser;
mod own_maps;
mod patience;
mod published_training;
mod recipe;
mod recipe_faults;
mod recorded_mazes;
mod resume;
mod samples;
mod sequence_gradients;
mod sequence_task;
mod sparse_sign_sgd;
mod sudoku;
mod threads;
mod tied;
