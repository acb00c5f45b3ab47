//! The published models: transformers over a sequence of tokens, one per cell of a puzzle.
//!
//! [`SequenceHrm`] is both of them, told apart by [`SequenceConfig`]: HRM (arXiv 2506.21734,
//! code sapientinc/HRM) with two modules and the one-step gradient, and TRM (arXiv 2510.04871,
//! code SamsungSAILMontreal/TinyRecursiveModels) with one small net in both places, attention or
//! an MLP over the tokens. Token sequences and puzzle identifiers come in; logits of the answer's
//! tokens and two halting scores come out. They are here to run published checkpoints and to
//! compare the grid model with them in the same code; planning does not need them.
//!
//! Everything is made of tensor operations that have a backward pass. Where nothing asks for a
//! gradient (all of inference, and in training the updates that no gradient reaches), the modules
//! L and H run in one pass of own kernels instead, on the CPU in f32 or, with
//! [`SequenceHrm::with_precision`], in bf16; see `inference`.
//!
//! With B problems, S tokens each, P puzzle tokens, T = P + S, D channels, N heads of d = D / N
//! channels and V words in the vocabulary, the input is embedded,
//!
//! ```text
//! e = sqrt(D) [puzzle; tokens]                                   (B, T, D)
//! ```
//!
//! (with learned positions added, `sqrt(D / 2) ([puzzle; tokens] + positions)`), and a module,
//! L or H, is a few layers of
//!
//! ```text
//! y = rms(x + mix(x))    out = rms(y + swiglu(y))                (B, T, D)
//! mix(x)    = softmax(Q K^T / sqrt(d)) V W_o^T                   heads (B, N, T, d)
//! [Q K V]   = x W_qkv^T, with Q and K turned by their place      W_qkv (3 D, D), W_o (D, D)
//! swiglu(y) = (silu(y G^T) * (y U^T)) D^T                        G, U (E, D), D (D, E)
//! rms(x)    = x / sqrt(mean(x^2) + eps)                          over channels
//! ```
//!
//! where TRM's MLP variant has `mix(x) = swiglu(x^T)^T`, normalised over tokens. E is two thirds of
//! `expansion` D, up to the next multiple of 256. After a segment (see
//! [`Cycles`](super::Cycles)) the slow state is read out,
//!
//! ```text
//! logits             = z_H[:, P..] W_lm^T                        (B, S, V)
//! q_halt, q_continue = z_H[:, 0] W_q^T + b_q                     (B) each
//! ```
//!
//! Names and shapes of all weights: [`SequenceConfig::tensors`].

mod attention;
mod config;
mod embedding;
mod inference;
mod layer;
mod linear;
mod problems;
mod rotary;
mod sequence_hrm;
mod swiglu;

pub use config::{PositionEncoding, SequenceConfig, SequenceFamily};
pub use problems::SequenceProblems;
pub use sequence_hrm::{SequenceEncoded, SequenceHrm, SequenceReadout};
