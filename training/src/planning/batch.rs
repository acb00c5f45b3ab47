//! Many samples as one batch of tensors.

use super::sample::Sample;
use crate::Result;
use candle_core::{Device, Tensor};
use hrm_planner::model::Maps;

/// The labels of a batch, all (cells) or (cells, 8).
#[derive(Debug, Clone)]
pub struct Batch {
    /// The maps.
    pub maps: Maps,
    /// 0 for legal moves, a large negative number for others; (cells, 8).
    pub legal: Tensor,
    /// 0 for optimal moves, a large negative number for others; (cells, 8).
    pub optimal: Tensor,
    /// 1 / (number of labelled cells) where a label counts, else 0; (cells).
    pub weight: Tensor,
    /// ln(1 + cost-to-go), 0 where there is none; (cells).
    pub value: Tensor,
}

/// Added to logits that must not win; finite, so that no NaN arises where nothing is allowed.
const NEVER: f32 = -1e9;

impl Batch {
    /// The labels of samples, of which sample i has done `segments[i]` segments including the
    /// present one.
    ///
    /// A cell counts once word of the goal can have come to it, at `reach` cells a segment:
    /// before that there is nothing to know, and asking would teach guessing.
    ///
    /// # Errors
    /// A tensor operation that fails.
    pub fn new(
        samples: &[&Sample],
        segments: &[usize],
        reach: usize,
        device: &Device,
    ) -> Result<Self> {
        let maps = Maps {
            sizes: samples.iter().map(|s| s.size()).collect(),
            // Training asks at all cells.
            starts: vec![0; samples.len()],
        };
        let cells = maps.cells();
        let mut legal = Vec::with_capacity(cells * 8);
        let mut optimal = Vec::with_capacity(cells * 8);
        let mut weight = Vec::with_capacity(cells);
        let mut value = Vec::with_capacity(cells);
        for (sample, &segments) in samples.iter().zip(segments) {
            let horizon = (segments * reach) as f32;
            for index in 0..sample.optimal.len() {
                let cost_to_go = sample.cost_to_go[index];
                let labelled = sample.optimal[index] != 0 && cost_to_go <= horizon;
                legal.extend(penalties(sample.legal[index]));
                optimal.extend(penalties(sample.optimal[index]));
                weight.push(if labelled { 1.0 } else { 0.0 });
                value.push(if cost_to_go.is_finite() {
                    cost_to_go.ln_1p()
                } else {
                    0.0
                });
            }
        }
        let labelled = weight.iter().sum::<f32>().max(1.0);
        for w in &mut weight {
            *w /= labelled;
        }
        Ok(Self {
            maps,
            legal: Tensor::from_vec(legal, (cells, 8), device)?,
            optimal: Tensor::from_vec(optimal, (cells, 8), device)?,
            weight: Tensor::from_vec(weight, cells, device)?,
            value: Tensor::from_vec(value, cells, device)?,
        })
    }
}

fn penalties(set: u8) -> [f32; 8] {
    std::array::from_fn(|mv| if set & (1 << mv) != 0 { 0.0 } else { NEVER })
}

/// The rows of one tensor of each item, under each other.
pub(crate) fn cat<'a, T>(items: &'a [T], tensor: impl Fn(&'a T) -> &'a Tensor) -> Result<Tensor> {
    let tensors: Vec<&Tensor> = items.iter().map(tensor).collect();
    Ok(Tensor::cat(&tensors, 0)?)
}
