//! The kernels of the grid block one by one, on one chunk of cells, for `benches/kernels.rs`.

use super::ReducedWeights;
use super::chunk::{CHUNK_TOKENS, Chunk, chunks};
use super::depthwise::{depthwise, depthwise_weights};
use super::elementwise::{gated, rms};
use super::forward::Target;
use super::matmul::{Start, View, matmul};
use super::segment::{Full, SegmentKernel};
use super::weights::BlockShape;
use crate::model::Layout;
use pulp::{Simd, WithSimd};

/// One kernel at the size at which a block runs it.
pub struct KernelCase {
    /// What it is.
    pub name: &'static str,
    /// Floating-point operations of a run, multiplications and additions.
    pub operations: f64,
    /// Runs it once, on the calling thread.
    pub run: Box<dyn FnMut()>,
}

/// The chunk: a row of cells with rows above and below it.
const ROWS: usize = 3;

/// The kernels of a block of C channels and E hidden ones, and the whole block in both precisions.
pub fn kernel_cases(channels: usize, hidden: usize) -> Vec<KernelCase> {
    let shape = BlockShape {
        channels,
        hidden,
        kernel: 3,
    };
    let (m, c, e) = (CHUNK_TOKENS as f64, channels as f64, hidden as f64);
    let stage = |name, operations, stage| {
        let mut buffers = Buffers::new(shape);
        let run = Box::new(move || {
            pulp::Arch::new().dispatch(Run {
                stage,
                buffers: &mut buffers,
            });
        });
        KernelCase {
            name,
            operations: m * operations,
            run,
        }
    };
    let block = 2.0 * (9.0 * c + c * c + 3.0 * c * e);
    let mut cases = vec![
        stage("depthwise", 18.0 * c, Stage::Depthwise),
        stage("mix product", 2.0 * c * c, Stage::Mix),
        stage("gate product", 2.0 * c * e, Stage::Gate),
        stage("down product", 2.0 * c * e, Stage::Down),
        stage("product, gradient of weights", 2.0 * c * e, Stage::Weights),
        stage(
            "depthwise, gradient of weights",
            18.0 * c,
            Stage::DepthwiseWeights,
        ),
        // By count of arithmetic instructions per value.
        stage("gated unit", 18.0 * e, Stage::Gated),
        stage("norm", 3.0 * c, Stage::Norm),
    ];
    let whole = |name, kernel: WholeBlock| {
        let buffers = Buffers::new(shape);
        let mut out = vec![0.0; CHUNK_TOKENS * channels];
        let run = Box::new(move || {
            let target = Target {
                out: Some(&mut out),
                sum: None,
                activations: None,
            };
            kernel(&buffers, target);
        });
        KernelCase {
            name,
            operations: m * block,
            run,
        }
    };
    cases.push(whole(
        "block, f32",
        Box::new(move |buffers, target| {
            let kernel = Full::new(pulp::Arch::new(), shape, &buffers.packed);
            let chunk = middle(&buffers.layout, shape);
            kernel.forward(0, &buffers.x, &chunk, target);
        }),
    ));
    let reduced = ReducedWeights::new(shape, &Buffers::new(shape).packed);
    cases.push(whole(
        "block, bf16",
        Box::new(move |buffers, target| {
            let chunk = middle(&buffers.layout, shape);
            reduced.forward(0, &buffers.x, &chunk, target);
        }),
    ));
    cases
}

/// A block for the chunk of some buffers.
type WholeBlock = Box<dyn Fn(&Buffers, Target<'_>)>;

#[derive(Clone, Copy)]
enum Stage {
    Depthwise,
    Mix,
    Gate,
    Down,
    Weights,
    DepthwiseWeights,
    Gated,
    Norm,
}

/// A chunk's cells and what a block makes of them.
struct Buffers {
    shape: BlockShape,
    layout: Layout,
    packed: Vec<f32>,
    x: Vec<f32>,
    t: Vec<f32>,
    y: Vec<f32>,
    g: Vec<f32>,
    u: Vec<f32>,
    h: Vec<f32>,
    inverse: Vec<f32>,
    dw: Vec<f32>,
}

impl Buffers {
    fn new(shape: BlockShape) -> Self {
        let layout = Layout::new(vec![(ROWS, CHUNK_TOKENS)]);
        let numbers = |count: usize| -> Vec<f32> {
            let number = |i: usize| ((i * 7919) % 251) as f32 / 125.5 - 1.0;
            (0..count).map(number).collect()
        };
        let (c, e) = (CHUNK_TOKENS * shape.channels, CHUNK_TOKENS * shape.hidden);
        Self {
            shape,
            layout,
            packed: numbers(shape.packed_len()),
            x: numbers(ROWS * c),
            t: numbers(ROWS * c),
            y: numbers(c),
            g: numbers(e),
            u: numbers(e),
            h: numbers(e),
            inverse: numbers(CHUNK_TOKENS),
            dw: vec![0.0; shape.packed_len()],
        }
    }
}

/// The chunk of the middle row.
fn middle(layout: &Layout, shape: BlockShape) -> Chunk<'_> {
    chunks(layout, shape.kernel)[1]
}

struct Run<'a> {
    stage: Stage,
    buffers: &'a mut Buffers,
}

impl WithSimd for Run<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let b = self.buffers;
        let chunk = middle(&b.layout, b.shape);
        let (m, c, e) = (chunk.len, b.shape.channels, b.shape.hidden);
        let w = b.shape.split(&b.packed);
        let (y, h) = (View::rows(&b.y, c), View::rows(&b.h, e));
        match self.stage {
            Stage::Depthwise => {
                depthwise(simd, &chunk, c, w.depthwise, &b.x, &mut b.t[..m * c], false);
            }
            Stage::Mix => matmul(simd, (m, c, c), y, w.mix, &mut b.t[..m * c], Start::Zeros),
            Stage::Gate => matmul(simd, (m, c, e), y, w.gate, &mut b.g, Start::Zeros),
            Stage::Down => matmul(simd, (m, e, c), h, w.down, &mut b.t[..m * c], Start::Zeros),
            Stage::Weights => {
                let (a, dw) = (View::transposed(&b.y, c), b.shape.split_mut(&mut b.dw));
                matmul(simd, (c, m, e), a, &b.g, dw.gate, Start::Zeros);
            }
            Stage::DepthwiseWeights => {
                let dw = b.shape.split_mut(&mut b.dw).depthwise;
                depthwise_weights(simd, &chunk, c, &b.x, &b.t, dw);
            }
            Stage::Gated => gated(&b.g, &b.u, &mut b.h),
            // Rows are normalised again and again, which changes them only once.
            Stage::Norm => rms(&mut b.y, c, &mut b.inverse),
        }
    }
}
