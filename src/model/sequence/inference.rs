//! A module in one pass over plain numbers, where nothing asks for a gradient.
//!
//! On the CPU in f32 a whole module runs in [`kernels::transformer`](crate::model::kernels), with
//! the weights where they are, or rounded to bf16 beforehand; everywhere else, and wherever the
//! state or a weight is part of candle's graph, the layers run one tensor operation after the
//! other, which is also what the pass is tested against.

use super::layer::{Layer, Mixer};
use super::rotary::Rotary;
use crate::Result;
use crate::model::host_values::with_slices;
use crate::model::kernels::half::rounded;
use crate::model::kernels::matrix::Matrix;
use crate::model::kernels::transformer::{
    BatchShape, GatedWeights, LayerWeights, MixerWeights, layers,
};
use crate::model::kernels::turns::Turns;
use candle_core::{DType, Tensor};

/// Weights of each layer in bf16, in the order of [`Layer::weights`].
pub(super) type Halves = Vec<[Vec<u32>; 4]>;

/// The weights as they are now, rounded.
pub(super) fn halves(module: &[Layer]) -> Result<Halves> {
    let half = |weight: &Tensor| -> Result<Vec<u32>> {
        let (_, inputs) = weight.dims2()?;
        let values = weight.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?;
        Ok(rounded(&values, inputs))
    };
    let layer = |layer: &Layer| {
        let [a, b, c, d] = layer.weights().map(half);
        Ok([a?, b?, c?, d?])
    };
    module.iter().map(layer).collect()
}

/// What the layers make of x, (B, T, D), or `None` where they must run as tensor operations: for
/// a gradient, on another device, in another precision, or for a state of another shape than the
/// weights', which those then report.
pub(super) fn forward(
    module: &[Layer],
    halves: Option<&Halves>,
    x: &Tensor,
    rotary: Option<&Rotary>,
) -> Result<Option<Tensor>> {
    let (problems, tokens, channels) = x.dims3()?;
    let shape = BatchShape {
        problems,
        tokens,
        channels,
    };
    let weights: Vec<&Tensor> = module.iter().flat_map(Layer::weights).collect();
    let turns = rotary.map(Rotary::tables);
    if !module.iter().all(|layer| fits(layer, shape))
        || turns.is_some_and(|[cos, _]| cos.dim(0).ok() != Some(tokens))
        || !weights
            .iter()
            .all(|weight| plain(weight) && weight.is_contiguous())
        || !plain(x)
    {
        return Ok(None);
    }
    let x = x.contiguous()?;
    let tables = turns.into_iter().flatten();
    let tensors: Vec<&Tensor> = [&x].into_iter().chain(weights).chain(tables).collect();
    let out = with_slices(&tensors, |slices| {
        let (&x, slices) = slices.split_first()?;
        let (weights, turns) = slices.split_at(4 * module.len());
        let turns = match *turns {
            [cos, sin] => Some(Turns { cos, sin }),
            _ => None,
        };
        let (weights, _) = weights.as_chunks();
        let weights = weights
            .iter()
            .map(|&slices: &[_; 4]| slices.map(Matrix::Full));
        let weights: Vec<_> = match halves {
            Some(halves) => {
                let halves = halves.iter().map(<[Vec<u32>; 4]>::each_ref);
                halves.map(|pairs| pairs.map(|p| Matrix::Half(p))).collect()
            }
            None => weights.collect(),
        };
        let module: Vec<_> = module.iter().zip(weights).map(with_weights).collect();
        Some(layers(pulp::Arch::new(), shape, &module, turns, x))
    })?;
    let out = out.map(|out| Tensor::from_vec(out, x.shape(), x.device()));
    Ok(out.transpose()?)
}

/// Whether a tensor is just numbers that the kernels can read.
fn plain(tensor: &Tensor) -> bool {
    tensor.device().is_cpu() && tensor.dtype() == DType::F32 && !tensor.track_op()
}

/// Whether a layer's weights are made for states of this shape.
fn fits(layer: &Layer, shape: BatchShape) -> bool {
    let inputs = |weight: &Tensor| weight.dim(1).ok();
    let [mixer, _, mlp, _] = layer.weights();
    let mixed = match layer.mixer {
        Mixer::Attention(_) => shape.channels,
        Mixer::Tokens(_) => shape.tokens,
    };
    inputs(mixer) == Some(mixed) && inputs(mlp) == Some(shape.channels)
}

/// A layer's numbers, in the order of [`Layer::weights`].
fn with_weights<'a>((layer, weights): (&Layer, [Matrix<'a>; 4])) -> LayerWeights<'a> {
    let [first, second, gate_up, down] = weights;
    let mixer = match &layer.mixer {
        Mixer::Attention(attention) => MixerWeights::Attention {
            qkv: first,
            out: second,
            heads: attention.heads(),
        },
        Mixer::Tokens(mlp) => MixerWeights::Tokens(GatedWeights {
            gate_up: first,
            down: second,
            hidden: mlp.hidden(),
        }),
    };
    LayerWeights {
        mixer,
        mlp: GatedWeights {
            gate_up,
            down,
            hidden: layer.mlp.hidden(),
        },
        eps: layer.eps as f32,
    }
}
