//! What a sequence model reads, checked against its configuration.

use super::SequenceConfig;
use crate::{Error, Result};

/// A batch of B token sequences.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SequenceProblems {
    /// B x S tokens, problem by problem.
    pub tokens: Vec<u32>,
    /// B identifiers: which puzzle each problem belongs to, as far as a data set has several; 0
    /// ("blank") otherwise. Their number says how many problems there are.
    pub puzzles: Vec<u32>,
}

impl SequenceProblems {
    /// B.
    pub fn count(&self) -> usize {
        self.puzzles.len()
    }

    /// Checks that a model of this configuration can read the problems.
    ///
    /// # Errors
    /// A wrong number of tokens, or the first token or identifier the model does not know.
    pub fn check(&self, config: &SequenceConfig) -> Result<()> {
        if self.tokens.len() != self.count() * config.seq_len {
            return Err(Error::TokenCount {
                actual: self.tokens.len(),
                problems: self.count(),
                seq_len: config.seq_len,
            });
        }
        let strange = |values: &[u32], known: usize| {
            let at = values.iter().position(|&v| v as usize >= known)?;
            Some((at, values[at]))
        };
        if let Some((at, token)) = strange(&self.tokens, config.vocab_size) {
            return Err(Error::UnknownToken {
                problem: at / config.seq_len,
                place: at % config.seq_len,
                token,
                vocab_size: config.vocab_size,
            });
        }
        let known = config.num_puzzle_identifiers;
        match strange(&self.puzzles, known) {
            Some((problem, identifier)) if config.puzzle_emb_ndim > 0 => {
                Err(Error::UnknownPuzzle {
                    problem,
                    identifier,
                    known,
                })
            }
            _ => Ok(()),
        }
    }
}
