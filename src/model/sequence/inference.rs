//! A module in one pass over plain numbers, where nothing asks for a gradient.
//!
//! On the CPU in f32 a whole module runs in [`kernels::transformer`](crate::model::kernels), with
//! the weights where they are; everywhere else, and wherever the state or a weight is part of
//! candle's graph, the layers run one tensor operation after the other, which is also what the
//! pass is tested against.

use super::layer::{Layer, Mixer};
use super::rotary::Rotary;
use crate::Result;
use crate::model::kernels::transformer::{
    BatchShape, GatedWeights, LayerWeights, MixerWeights, Turns, layers,
};
use crate::model::row_ops::with_slices;
use candle_core::{DType, Tensor};

/// What the layers make of x, (B, T, D), or `None` where they must run as tensor operations: for
/// a gradient, on another device, in another precision, or for a state of another shape than the
/// weights', which those then report.
pub(super) fn forward(
    module: &[Layer],
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
    let tensors: Vec<&Tensor> = [&x].into_iter().chain(tables).chain(weights).collect();
    let out = with_slices(&tensors, |slices| {
        let (&x, mut rest) = slices.split_first()?;
        let mut turns = None;
        if rotary.is_some() {
            let [cos, sin, weights @ ..] = rest else {
                return None;
            };
            turns = Some(Turns { cos, sin });
            rest = weights;
        }
        let (weights, _) = rest.as_chunks();
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
fn with_weights<'a>((layer, weights): (&Layer, &[&'a [f32]; 4])) -> LayerWeights<'a> {
    let &[first, second, gate_up, down] = weights;
    let mixer = match &layer.mixer {
        Mixer::Attention(attention) => MixerWeights::Attention {
            qkv: first,
            out: second,
            heads: attention.heads(),
        },
        Mixer::Tokens(_) => MixerWeights::Tokens(GatedWeights {
            gate_up: first,
            down: second,
        }),
    };
    LayerWeights {
        mixer,
        mlp: GatedWeights { gate_up, down },
        eps: layer.eps as f32,
    }
}
