//! The fused block is the plain block: same outputs, same gradients, on images of odd sizes.

// Clippy's allowance for tests does not reach helpers outside of them.
#![allow(clippy::unwrap_used)]

use candle_core::{Device, Tensor, Var};
use hrm_planner::model::{Block, Formulation, Layout};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const CHANNELS: usize = 32;
const HIDDEN: usize = 48;

struct Setting {
    layout: Layout,
    x: Var,
    weights: Vec<(String, Var)>,
    /// Projects the output to one number, so that all of it has a gradient.
    probe: Tensor,
}

impl Setting {
    fn new(images: &[(usize, usize)], seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut random = |shape: &[usize], size: f32| {
            let count: usize = shape.iter().product();
            let values: Vec<f32> = (0..count).map(|_| rng.random_range(-size..size)).collect();
            Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
        };
        let layout = Layout::new(images.to_vec());
        let cells = layout.cells();
        Self {
            x: Var::from_tensor(&random(&[cells, CHANNELS], 2.0)).unwrap(),
            probe: random(&[cells, CHANNELS], 1.0),
            weights: Block::tensors(CHANNELS, HIDDEN)
                .map(|(name, shape)| {
                    (
                        name.to_owned(),
                        Var::from_tensor(&random(&shape, 0.5)).unwrap(),
                    )
                })
                .to_vec(),
            layout,
        }
    }

    fn output(&self, by: Formulation) -> Tensor {
        let block = Block::new(CHANNELS, HIDDEN, |name, _| {
            let found = self.weights.iter().find(|(n, _)| n == name).unwrap();
            Ok(found.1.as_tensor().clone())
        })
        .unwrap();
        block.forward(&self.x, &self.layout, by).unwrap()
    }

    /// The gradients of x and of every weight.
    fn gradients(&self, by: Formulation) -> Vec<(String, Vec<f32>)> {
        let loss = (self.output(by) * &self.probe).unwrap().sum_all().unwrap();
        let store = loss.backward().unwrap();
        let x = [("x".to_owned(), self.x.clone())];
        x.iter()
            .chain(&self.weights)
            .map(|(name, var)| (name.clone(), flat(store.get(var).unwrap())))
            .collect()
    }
}

fn flat(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// The largest difference over the largest magnitude.
fn relative_error(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    let size = b.iter().fold(0.0_f32, |m, x| m.max(x.abs()));
    let difference = a
        .iter()
        .zip(b)
        .fold(0.0_f32, |m, (x, y)| m.max((x - y).abs()));
    difference / size
}

const SIZES: [&[(usize, usize)]; 6] = [
    &[(1, 1)],
    &[(1, 13)],
    &[(17, 1)],
    &[(7, 9), (1, 5), (12, 12)],
    &[(33, 31)],
    &[(16, 16), (8, 40), (3, 3), (2, 1)],
];

#[test]
fn fused_outputs_equal_the_plain_formulation() {
    for (seed, images) in SIZES.iter().enumerate() {
        let setting = Setting::new(images, seed as u64);
        let fused = flat(&setting.output(Formulation::Fused));
        let plain = flat(&setting.output(Formulation::Plain));
        let error = relative_error(&fused, &plain);
        assert!(error < 1e-5, "{images:?}: {error}");
    }
}

#[test]
fn fused_gradients_equal_those_of_the_plain_formulation() {
    for (seed, images) in SIZES.iter().enumerate() {
        let setting = Setting::new(images, 100 + seed as u64);
        let fused = setting.gradients(Formulation::Fused);
        let plain = setting.gradients(Formulation::Plain);
        for ((name, fused), (_, plain)) in fused.iter().zip(&plain) {
            let error = relative_error(fused, plain);
            assert!(error < 2e-5, "{images:?}, gradient of {name}: {error}");
        }
    }
}

#[test]
fn fused_gradients_equal_finite_differences() {
    let setting = Setting::new(&[(5, 4), (1, 3)], 7);
    let loss = || {
        let product = (setting.output(Formulation::Fused) * &setting.probe).unwrap();
        flat(&product).iter().map(|&x| f64::from(x)).sum::<f64>()
    };
    let analytic = setting.gradients(Formulation::Fused);
    let vars = std::iter::once(&setting.x).chain(setting.weights.iter().map(|(_, var)| var));
    for ((name, gradient), var) in analytic.iter().zip(vars) {
        let original = flat(var);
        let set = |values: Vec<f32>| {
            var.set(&Tensor::from_vec(values, var.shape(), &Device::Cpu).unwrap())
                .unwrap();
        };
        for at in [0, original.len() / 2, original.len() - 1] {
            let h = 1e-2;
            let mut moved = original.clone();
            moved[at] += h;
            set(moved.clone());
            let above = loss();
            moved[at] -= 2.0 * h;
            set(moved);
            let below = loss();
            set(original.clone());
            let numeric = (above - below) / (2.0 * f64::from(h));
            let error = (numeric - f64::from(gradient[at])).abs();
            assert!(
                error < 0.02 * numeric.abs().max(0.2),
                "{name}[{at}]: {numeric} {}",
                gradient[at]
            );
        }
    }
}

#[test]
fn images_of_a_batch_do_not_see_each_other() {
    let both = Setting::new(&[(6, 5), (4, 9)], 11);
    let together = flat(&both.output(Formulation::Fused));
    let mut alone = Setting::new(&[(6, 5)], 11);
    alone.x = Var::from_tensor(&both.x.narrow(0, 0, 30).unwrap()).unwrap();
    alone.weights = both.weights.clone();
    let alone = flat(&alone.output(Formulation::Fused));
    assert_eq!(alone, together[..alone.len()]);
}

#[test]
fn outputs_do_not_depend_on_the_number_of_threads() {
    let setting = Setting::new(&[(40, 37), (9, 9)], 13);
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            (
                flat(&setting.output(Formulation::Fused)),
                setting.gradients(Formulation::Fused),
            )
        })
    };
    assert_eq!(with(1), with(3));
}
