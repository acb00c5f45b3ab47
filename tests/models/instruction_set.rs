//! The kernels run on the vectors of the machine, not on the portable fallback, which would be slow
//! and would go unnoticed.
//!
//! `cargo test --test models instruction_set -- --nocapture` says which instruction set was chosen.

use pulp::{Arch, Simd, WithSimd};

/// The type that stands for the instruction set, and how many f32 one of its vectors holds.
struct Chosen;

impl WithSimd for Chosen {
    type Output = (&'static str, usize);

    fn with_simd<S: Simd>(self, _simd: S) -> Self::Output {
        (std::any::type_name::<S>(), S::F32_LANES)
    }
}

#[test]
fn the_vectors_of_the_machine_are_used() {
    let (name, lanes) = Arch::new().dispatch(Chosen);
    println!("chosen: {name}, {lanes} x f32");
    // Every processor of these kinds has vectors: AVX2 and more at run time, NEON always.
    #[cfg(target_arch = "aarch64")]
    let least = 4;
    #[cfg(target_arch = "x86_64")]
    let least = if std::arch::is_x86_feature_detected!("avx2") {
        8
    } else {
        1
    };
    #[cfg(not(any(target_arch = "aarch64", target_arch = "x86_64")))]
    let least = 1;
    assert!(
        lanes >= least,
        "{name} has {lanes} x f32, at least {least} are there"
    );
}
