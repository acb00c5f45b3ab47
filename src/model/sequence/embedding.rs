//! e, the encoded input: what is written at each place, and which puzzle it belongs to.
//!
//! ```text
//! x_0 .. x_(P-1)  the puzzle's embedding, filled up with zeros to P D values
//! x_P .. x_(T-1)  the tokens' embeddings
//! e = sqrt(D) x                       with rotary positions or none
//! e = sqrt(D) (x + position) / sqrt(2)   with learned positions
//! ```
//!
//! The factor 1 / sqrt(2) keeps the variance of a sum of two.

use super::config::{PositionEncoding, SequenceConfig};
use crate::Result;
use crate::model::named_tensors::NamedTensors;
use candle_core::Tensor;

/// The tables of embeddings.
#[derive(Debug, Clone)]
pub(super) struct Embedding {
    /// (V, D)
    tokens: Tensor,
    /// (T, D), with learned positions.
    positions: Option<Tensor>,
    /// P
    puzzle_tokens: usize,
}

impl Embedding {
    pub fn new(config: &SequenceConfig, tensors: &NamedTensors) -> Result<Self> {
        let positions = match config.pos_encodings {
            PositionEncoding::Learned => Some(tensors.get("embed_pos.embedding_weight")?),
            PositionEncoding::Rope | PositionEncoding::None => None,
        };
        Ok(Self {
            tokens: tensors.get("embed_tokens.embedding_weight")?,
            positions,
            puzzle_tokens: config.puzzle_tokens(),
        })
    }

    /// e, (B, T, D), from token indices (B, S) and the puzzles' rows (B, `puzzle_emb_ndim`).
    pub fn forward(&self, tokens: &Tensor, puzzle_rows: Option<&Tensor>) -> Result<Tensor> {
        let (batch, places) = tokens.dims2()?;
        let channels = self.tokens.dim(1)?;
        let x = look_up(&self.tokens, &tokens.flatten_all()?)?;
        let mut x = x.reshape((batch, places, channels))?;
        if let Some(rows) = puzzle_rows {
            let wanted = self.puzzle_tokens * channels;
            let fill = wanted.saturating_sub(rows.dim(1)?);
            let rows = rows.pad_with_zeros(1, 0, fill)?;
            let rows = rows.reshape((batch, self.puzzle_tokens, channels))?;
            x = Tensor::cat(&[&rows, &x], 1)?;
        }
        if let Some(positions) = &self.positions {
            x = (x.broadcast_add(positions)? * std::f64::consts::FRAC_1_SQRT_2)?;
        }
        Ok((x * (channels as f64).sqrt())?)
    }
}

/// The rows (n, D) of a table (V, D) that tokens (n) name.
///
/// Away from the CPU as a product with ones and zeros: candle's gradient of an index adds up the
/// tokens of a batch one after the other on a GPU, while a vocabulary has a dozen words.
fn look_up(table: &Tensor, tokens: &Tensor) -> Result<Tensor> {
    if tokens.device().is_cpu() {
        return Ok(table.index_select(tokens, 0)?);
    }
    by_product(table, tokens)
}

fn by_product(table: &Tensor, tokens: &Tensor) -> Result<Tensor> {
    let words = Tensor::arange(0, table.dim(0)? as u32, tokens.device())?;
    let ones = tokens.unsqueeze(1)?.broadcast_eq(&words)?;
    Ok(ones.to_dtype(table.dtype())?.matmul(table)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn a_product_looks_up_what_an_index_does() {
        let values: Vec<f32> = (0..15).map(|i| i as f32 * 0.1 - 0.7).collect();
        let table = Tensor::from_vec(values, (5, 3), &Device::Cpu).unwrap();
        let tokens = Tensor::new(&[4_u32, 0, 0, 3], &Device::Cpu).unwrap();
        let rows = |rows: Tensor| rows.to_vec2::<f32>().unwrap();
        let product = by_product(&table, &tokens).unwrap();
        assert_eq!(rows(product), rows(look_up(&table, &tokens).unwrap()));
    }
}
