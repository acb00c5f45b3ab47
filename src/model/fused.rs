//! A segment of the grid model as one operation of candle's graph, on the CPU, with its own
//! backward pass: see `kernels`.

use super::cycles::{Cycles, GradientReach};
use super::host_values::{values, with_values};
use super::kernels::{self, BlockShape, ReducedWeights, SegmentShape};
use super::layout::Layout;
use super::{Carry, GridHrmConfig};
use crate::Result;
use crate::search::Termination;
use candle_core::{CpuStorage, CustomOp2, Shape, Tensor};
use std::sync::{Arc, Mutex, PoisonError};

type CandleResult<T> = candle_core::Result<T>;

/// Buffers that segments of the past kept for their backward passes, for those to come: the next
/// step of a training run needs one as large.
static SPARE: Mutex<Vec<Vec<f32>>> = Mutex::new(Vec::new());
/// How many are held at most; a training step has one graph at a time.
const SPARES: usize = 2;

/// The shape of a segment of this model.
pub(super) fn segment_shape(config: &GridHrmConfig) -> SegmentShape {
    let Cycles {
        h_cycles,
        l_cycles,
        gradient,
    } = config.cycles();
    debug_assert_eq!(gradient, GradientReach::LastCycle);
    SegmentShape {
        block: BlockShape {
            channels: config.channels,
            hidden: config.hidden,
            kernel: config.kernel,
        },
        h_blocks: config.h_blocks,
        l_blocks: config.l_blocks,
        h_cycles,
        l_cycles,
    }
}

/// The weights of L's blocks and then of H's.
#[derive(Clone, Copy)]
pub(super) struct Weights<'a> {
    /// In f32, in one vector.
    pub packed: &'a Tensor,
    /// In another precision, for where no gradient is asked for.
    pub reduced: Option<&'a Arc<ReducedWeights>>,
}

/// The carry after one segment from `carry` and e, all (cells, C). The gradient flows into e and
/// the packed weights. Once `until` says so it leaves off, and the carry means nothing.
///
/// # Errors
/// A tensor that is not on the CPU or not f32, or of another shape.
pub(super) fn segment(
    shape: &SegmentShape,
    layout: &Layout,
    Weights { packed, reduced }: Weights<'_>,
    until: &Termination,
    carry: &Carry,
    e: &Tensor,
) -> Result<Carry> {
    let learning = e.track_op() || packed.track_op();
    let kept_len = if learning {
        shape.kept_len(layout.tokens())
    } else {
        0
    };
    let op = FusedSegment {
        shape: *shape,
        layout: layout.clone(),
        reduced: reduced.filter(|_| !learning).cloned(),
        until: until.clone(),
        carry: carry.detached(),
        kept: Kept::new(kept_len),
    };
    let states = e.contiguous()?.apply_op2(packed, op)?;
    Ok(Carry {
        z_h: states.get(0)?,
        z_l: states.get(1)?,
    })
}

/// What the forward pass leaves for the backward pass; nothing where no gradient is asked for.
struct Kept(Mutex<Vec<f32>>);

impl Kept {
    fn new(len: usize) -> Self {
        if len == 0 {
            return Self(Mutex::default());
        }
        let mut spares = SPARE.lock().unwrap_or_else(PoisonError::into_inner);
        let mut buffer = spares.pop().unwrap_or_default();
        buffer.resize(len, 0.0);
        Self(Mutex::new(buffer))
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let buffer = std::mem::take(self.0.get_mut().unwrap_or_else(PoisonError::into_inner));
        let mut spares = SPARE.lock().unwrap_or_else(PoisonError::into_inner);
        if buffer.capacity() > 0 && spares.len() < SPARES {
            spares.push(buffer);
        }
    }
}

struct FusedSegment {
    shape: SegmentShape,
    layout: Layout,
    reduced: Option<Arc<ReducedWeights>>,
    until: Termination,
    carry: Carry,
    kept: Kept,
}

impl FusedSegment {
    fn check(&self, e: &Shape, packed: &Shape) -> CandleResult<()> {
        let want = [self.layout.tokens(), self.shape.block.channels];
        let states = [&self.carry.z_h, &self.carry.z_l];
        if e.dims() != want || states.iter().any(|z| z.dims() != want) {
            let z = states.map(Tensor::shape);
            candle_core::bail!("grid segment: e is {e:?}, the carry {z:?}, all must be {want:?}");
        }
        if packed.dims() != [self.shape.packed_len()] {
            let want = self.shape.packed_len();
            candle_core::bail!("grid segment: weights are {packed:?}, must be {want} packed");
        }
        Ok(())
    }
}

impl CustomOp2 for FusedSegment {
    fn name(&self) -> &'static str {
        "grid-segment"
    }

    fn cpu_fwd(
        &self,
        e: &CpuStorage,
        e_layout: &candle_core::Layout,
        packed: &CpuStorage,
        packed_layout: &candle_core::Layout,
    ) -> CandleResult<(CpuStorage, Shape)> {
        self.check(e_layout.shape(), packed_layout.shape())?;
        let (e, packed) = (values(e, e_layout)?, values(packed, packed_layout)?);
        let carry = [&self.carry.z_h.contiguous()?, &self.carry.z_l.contiguous()?];
        let mut kept = self.kept.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = (!kept.is_empty()).then(|| &mut kept[..]);
        let (shape, layout, until) = (&self.shape, &self.layout, &self.until);
        let out = with_values(carry, |carry| match &self.reduced {
            Some(weights) => kernels::forward_reduced(shape, layout, weights, until, carry, e),
            None => kernels::forward(shape, layout, packed, until, carry, e, kept),
        })?;
        let (cells, channels) = e_layout.shape().dims2()?;
        Ok((CpuStorage::F32(out), Shape::from((2, cells, channels))))
    }

    fn bwd(
        &self,
        e: &Tensor,
        packed: &Tensor,
        _out: &Tensor,
        gradient: &Tensor,
    ) -> CandleResult<(Option<Tensor>, Option<Tensor>)> {
        let kept = self.kept.0.lock().unwrap_or_else(PoisonError::into_inner);
        let gradient = gradient.contiguous()?;
        let (de, dw) = with_values([packed, &gradient], |[packed, gradient]| {
            kernels::backward(&self.shape, &self.layout, packed, &kept, gradient)
        })?;
        let de = Tensor::from_vec(de, e.shape(), e.device())?;
        let dw = Tensor::from_vec(dw, packed.shape(), packed.device())?;
        Ok((Some(de), Some(dw)))
    }
}
