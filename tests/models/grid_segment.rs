//! The fused segment is the plain segment: same states, same gradients, on maps of odd sizes.

// Clippy's allowance for tests does not reach helpers outside of them.
#![allow(clippy::unwrap_used)]

use candle_core::{Device, Tensor, Var};
use hrm_planner::model::{
    Carry, Formulation, GridHrm, GridHrmConfig, GridProblems, Image, Layout, Maps, PLANES, Reasoner,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

fn config() -> GridHrmConfig {
    GridHrmConfig {
        channels: 32,
        hidden: 48,
        ..GridHrmConfig::default()
    }
}

fn random(rng: &mut ChaCha8Rng, shape: &[usize], size: f32) -> Tensor {
    let count: usize = shape.iter().product();
    let values: Vec<f32> = (0..count).map(|_| rng.random_range(-size..size)).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

/// A model with random weights, maps with random planes and a random carry.
struct Setting {
    config: GridHrmConfig,
    weights: BTreeMap<String, Var>,
    input: Var,
    layout: Layout,
    carry: Carry,
    /// Project z_H and z_L to one number, so that all of them have a gradient.
    probes: [Tensor; 2],
}

impl Setting {
    fn new(config: GridHrmConfig, images: &[(usize, usize)], seed: u64) -> Self {
        Self::on(config, Layout::new(images.to_vec()), seed)
    }

    /// With a third of the places empty.
    fn sparse(config: GridHrmConfig, images: &[(usize, usize)], seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let images = images.iter().map(|&(rows, cols)| {
            let there: Vec<bool> = (0..rows * cols)
                .map(|place| place == 0 || rng.random_bool(0.67))
                .collect();
            Image::sparse(rows, cols, |place| there[place])
        });
        Self::on(config, Layout::of(images.collect()), seed)
    }

    fn on(config: GridHrmConfig, layout: Layout, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let weights = config.tensors().into_iter().map(|(name, shape)| {
            let tensor = random(&mut rng, &shape, 0.5);
            (name, Var::from_tensor(&tensor).unwrap())
        });
        let weights = weights.collect();
        let state = [layout.tokens(), config.channels];
        Self {
            weights,
            input: Var::from_tensor(&random(&mut rng, &[layout.tokens(), 9 * PLANES], 1.0))
                .unwrap(),
            carry: Carry {
                z_h: random(&mut rng, &state, 1.0),
                z_l: random(&mut rng, &state, 1.0),
            },
            probes: [0, 1].map(|_| random(&mut rng, &state, 1.0)),
            layout,
            config,
        }
    }

    fn after(&self, by: Formulation) -> Carry {
        let weights = self.weights.iter();
        let tensors = weights.map(|(name, var)| (name.clone(), var.as_tensor().clone()));
        let model = GridHrm::new(self.config.clone(), &tensors.collect(), by).unwrap();
        let encoded = model
            .encode(&GridProblems {
                input: self.input.as_tensor().clone(),
                tokens: self.layout.clone(),
                maps: Maps {
                    sizes: self.layout.images().iter().map(Image::size).collect(),
                    starts: vec![0; self.layout.images().len()],
                },
            })
            .unwrap();
        model.segment(&self.carry, &encoded).unwrap()
    }

    fn loss(&self, by: Formulation) -> Tensor {
        let Carry { z_h, z_l } = self.after(by);
        let [h, l] = &self.probes;
        let sum = |z: &Tensor, probe: &Tensor| (z * probe).unwrap().sum_all().unwrap();
        (sum(&z_h, h) + sum(&z_l, l)).unwrap()
    }

    /// The input and the weights that a segment reads.
    fn vars(&self) -> impl Iterator<Item = (&str, &Var)> {
        let weights = self.weights.iter().map(|(name, var)| (name.as_str(), var));
        let input = std::iter::once(("input", &self.input));
        input.chain(weights.filter(|(name, _)| !name.starts_with("head")))
    }

    fn gradients(&self, by: Formulation) -> Vec<(String, Vec<f32>)> {
        let store = self.loss(by).backward().unwrap();
        self.vars()
            .map(|(name, var)| (name.to_owned(), flat(store.get(var).unwrap())))
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
    let pairs = a.iter().zip(b);
    let difference = pairs.fold(0.0_f32, |m, (x, y)| m.max((x - y).abs()));
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

/// One block each, so that errors are those of the kernels and not what a recurrence makes of them.
fn one_pass() -> GridHrmConfig {
    GridHrmConfig {
        h_blocks: 1,
        l_blocks: 1,
        h_cycles: 1,
        l_cycles: 1,
        ..config()
    }
}

#[test]
fn a_thousand_maps_of_odd_sizes_come_out_as_from_the_plain_formulation() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut worst = 0.0_f32;
    for seed in 0..1000 {
        // Every third map is a single row or column; the long ones span several chunks.
        let side = |rng: &mut ChaCha8Rng| rng.random_range(1..24_usize);
        let size = match seed % 6 {
            0 => (1, rng.random_range(1..300)),
            3 => (rng.random_range(1..300), 1),
            _ => (side(&mut rng), side(&mut rng)),
        };
        let channels = [16, 32, 64, 80][seed as usize % 4];
        let sizes = GridHrmConfig {
            channels,
            hidden: [32, 48, 128][seed as usize % 3],
            ..one_pass()
        };
        let setting = Setting::new(sizes, &[size], seed);
        let [fused, plain] = [Formulation::Fused, Formulation::Plain].map(|by| setting.after(by));
        for (fused, plain) in [(fused.z_h, plain.z_h), (fused.z_l, plain.z_l)] {
            let error = relative_error(&flat(&fused), &flat(&plain));
            assert!(error < 1e-5, "{size:?}, {channels} channels: {error}");
            worst = worst.max(error);
        }
    }
    println!("largest relative error of 1000 maps: {worst:.1e}");
}

#[test]
fn whole_segments_come_out_as_from_the_plain_formulation() {
    for (seed, images) in SIZES.iter().enumerate() {
        for (l_cycles, h_cycles) in [(1, 1), (2, 2), (3, 1), (1, 3)] {
            let cycles = GridHrmConfig {
                l_cycles,
                h_cycles,
                ..config()
            };
            let setting = Setting::new(cycles, images, seed as u64);
            let fused = setting.after(Formulation::Fused);
            let plain = setting.after(Formulation::Plain);
            for (fused, plain) in [(fused.z_h, plain.z_h), (fused.z_l, plain.z_l)] {
                let error = relative_error(&flat(&fused), &flat(&plain));
                assert!(error < 1e-4, "{images:?}, {l_cycles} x {h_cycles}: {error}");
            }
        }
    }
}

#[test]
fn gradients_equal_those_of_the_plain_formulation() {
    for (seed, images) in SIZES.iter().enumerate() {
        for (l_cycles, blocks) in [(1, 1), (2, 2)] {
            let sizes = GridHrmConfig {
                l_cycles,
                l_blocks: blocks,
                h_blocks: blocks,
                ..config()
            };
            let setting = Setting::new(sizes, images, 100 + seed as u64);
            let fused = setting.gradients(Formulation::Fused);
            let plain = setting.gradients(Formulation::Plain);
            for ((name, fused), (_, plain)) in fused.iter().zip(&plain) {
                let error = relative_error(fused, plain);
                assert!(error < 1e-4, "{images:?}, gradient of {name}: {error}");
            }
        }
    }
}

#[test]
fn sparse_images_and_larger_kernels_come_out_as_from_the_plain_formulation() {
    for (seed, images) in SIZES.iter().enumerate() {
        for kernel in [3, 5] {
            let sizes = GridHrmConfig { kernel, ..config() };
            let setting = Setting::sparse(sizes, images, 200 + seed as u64);
            let [fused, plain] =
                [Formulation::Fused, Formulation::Plain].map(|by| setting.after(by));
            for (fused, plain) in [(fused.z_h, plain.z_h), (fused.z_l, plain.z_l)] {
                let error = relative_error(&flat(&fused), &flat(&plain));
                assert!(error < 1e-4, "{images:?}, kernel {kernel}: {error}");
            }
            let fused = setting.gradients(Formulation::Fused);
            let plain = setting.gradients(Formulation::Plain);
            for ((name, fused), (_, plain)) in fused.iter().zip(&plain) {
                let error = relative_error(fused, plain);
                assert!(
                    error < 1e-4,
                    "{images:?}, kernel {kernel}, gradient of {name}: {error}"
                );
            }
        }
    }
}

#[test]
fn gradients_equal_finite_differences() {
    // One H cycle (through those before the last no gradient flows), and not so deep that the
    // differences drown in what f32 makes of them.
    let setting = Setting::new(one_pass(), &[(5, 4), (1, 3)], 7);
    let loss = || {
        let Carry { z_h, z_l } = setting.after(Formulation::Fused);
        let products = [z_h, z_l].into_iter().zip(&setting.probes);
        let products = products.flat_map(|(z, probe)| flat(&(z * probe).unwrap()));
        products.map(f64::from).sum::<f64>()
    };
    let analytic = setting.gradients(Formulation::Fused);
    for ((name, gradient), (_, var)) in analytic.iter().zip(setting.vars()) {
        let original = flat(var);
        let set = |values: Vec<f32>| {
            let tensor = Tensor::from_vec(values, var.shape(), &Device::Cpu).unwrap();
            var.set(&tensor).unwrap();
        };
        for at in [0, original.len() / 2, original.len() - 1] {
            let h = 4e-3;
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
                error < 0.03 * numeric.abs().max(0.5),
                "{name}[{at}]: {numeric} {}",
                gradient[at]
            );
        }
    }
}

#[test]
fn maps_of_a_batch_do_not_see_each_other() {
    let both = Setting::new(config(), &[(6, 5), (4, 9)], 11);
    let together = flat(&both.after(Formulation::Fused).z_h);
    let mut alone = Setting::new(config(), &[(6, 5)], 11);
    alone.input = Var::from_tensor(&both.input.narrow(0, 0, 30).unwrap()).unwrap();
    alone.carry = Carry {
        z_h: both.carry.z_h.narrow(0, 0, 30).unwrap(),
        z_l: both.carry.z_l.narrow(0, 0, 30).unwrap(),
    };
    alone.weights = both.weights.clone();
    let alone = flat(&alone.after(Formulation::Fused).z_h);
    assert_eq!(alone, together[..alone.len()]);
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let setting = Setting::new(config(), &[(40, 37), (9, 9)], 13);
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap().install(|| {
            let Carry { z_h, z_l } = setting.after(Formulation::Fused);
            (
                flat(&z_h),
                flat(&z_l),
                setting.gradients(Formulation::Fused),
            )
        })
    };
    assert_eq!(with(1), with(3));
}

#[test]
fn a_second_backward_pass_gives_the_same_gradients() {
    let setting = Setting::new(config(), &[(6, 7)], 17);
    let loss = setting.loss(Formulation::Fused);
    let gradients = || {
        let store = loss.backward().unwrap();
        let gradients = setting.vars().map(|(_, var)| flat(store.get(var).unwrap()));
        gradients.collect::<Vec<_>>()
    };
    assert_eq!(gradients(), gradients());
}
