//! The published models: transformers over a sequence of tokens, one per cell of a puzzle.
//!
//! [`SequenceHrm`] is both of them, told apart by [`SequenceConfig`]: HRM (arXiv 2506.21734,
//! code sapientinc/HRM) with two modules and the one-step gradient, and TRM (arXiv 2510.04871,
//! code SamsungSAILMontreal/TinyRecursiveModels) with one small net in both places, attention or
//! an MLP over the tokens. Token sequences and puzzle identifiers come in; logits of the answer's
//! tokens and two halting scores come out. They are here to run published checkpoints and to
//! compare the grid model with them in the same code; planning does not need them.
//!
//! Everything is made of tensor operations that have a backward pass, so that inference and
//! training are one code. With B problems, S tokens, P puzzle tokens, T = P + S, D channels,
//! N heads of d = D / N channels and V words in the vocabulary:
//!
//! | file | what | shapes |
//! |---|---|---|
//! | `config` | hyperparameters, names and shapes of all weights | |
//! | `problems` | the input, checked | B x S tokens, B identifiers |
//! | `embedding` | e | (B, T, D) |
//! | `attention`, `rotary` | each token looks at all others | (B, T, D), heads (B, N, T, d) |
//! | `swiglu` | the gated unit, over channels or over tokens | (.., width) |
//! | `layer` | mixer and gated unit, each with a residual and a norm after it | (B, T, D) |
//! | `sequence_hrm` | the model: carry, segments, heads | logits (B, S, V), q (B) |

mod attention;
mod config;
mod embedding;
mod layer;
mod linear;
mod problems;
mod rotary;
mod sequence_hrm;
mod swiglu;

pub use config::{PositionEncoding, SequenceConfig, SequenceFamily};
pub use problems::SequenceProblems;
pub use sequence_hrm::{SequenceEncoded, SequenceHrm, SequenceReadout};
