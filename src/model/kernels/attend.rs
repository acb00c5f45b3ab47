//! Attention without its matrix of scores.
//!
//! ```text
//! out = softmax(Q^T K) V      for one head and the queries of one panel
//! ```
//!
//! Scores are taken in units of ln 2, by a factor on the queries, so that powers are powers of 2:
//! those split into an exponent and a rest without rounding, which saves a third of the work.
//!
//! Keys come panel by panel. The scores of a panel of keys are made, turned into powers against
//! the highest score so far, and summed with the values at once; where a later panel has a higher
//! score, what is summed so far is scaled down (Milakov and Gimelshein, arXiv 1805.02867; Dao et
//! al., arXiv 2205.14135). All that is ever kept is one panel of scores, 16 KiB, instead of T x T.

use super::heads::{Head, KeyPanel, Numbers};
use super::panels::{MOST_COLUMNS, Panel};
use super::scratch::carve;
use pulp::Simd;

/// Numbers of scratch that [`attend`] needs.
pub(super) const SCRATCH: usize = MOST_COLUMNS * (MOST_COLUMNS + 3);

/// Pairs of scratch that [`attend`] needs in bf16.
pub(super) const PAIRS: usize = MOST_COLUMNS * MOST_COLUMNS / 2;

/// The factor on queries of heads of d channels, `d^(-1/2) / ln 2`.
pub(super) fn query_scale(channels: usize) -> f32 {
    std::f32::consts::LOG2_E / (channels as f32).sqrt()
}

/// The head's output for the queries of `panel`, (d x width). `keys` are the panels of the same
/// problem, `qkv` the batch of all; queries are scaled and turned already.
#[inline(always)]
pub(super) fn attend<S: Simd, N: Numbers>(
    simd: S,
    head: Head,
    panel: &Panel,
    keys: &[Panel],
    qkv: &[N],
    (scratch, pairs): (&mut [f32], &mut [u32]),
    out: &mut [f32],
) {
    let width = panel.width;
    let queries = head.queries(panel, qkv);
    let [powers, highest, shrink, sums] =
        carve(scratch, [MOST_COLUMNS * width, width, width, width]);
    highest.fill(f32::NEG_INFINITY);
    sums.fill(0.0);
    out.fill(0.0);
    for panel in keys {
        let powers = &mut powers[..panel.columns * width];
        let keys = KeyPanel {
            head,
            panel,
            batch: qkv,
        };
        N::scores(simd, keys, queries, width, powers);
        raise(powers, width, highest, shrink, sums);
        for row in out.chunks_exact_mut(width) {
            for (out, shrink) in row.iter_mut().zip(&*shrink) {
                *out *= shrink;
            }
        }
        N::add_values(simd, keys, powers, width, pairs, out);
    }
    for sum in &mut *sums {
        *sum = 1.0 / *sum;
    }
    for row in out.chunks_exact_mut(width) {
        for (out, share) in row.iter_mut().zip(&*sums) {
            *out *= share;
        }
    }
}

/// Turns a panel of scores into powers against the highest so far, adds them to the sums, and
/// says by how much all that was summed before shrinks.
#[inline(always)]
fn raise(
    scores: &mut [f32],
    width: usize,
    highest: &mut [f32],
    shrink: &mut [f32],
    sums: &mut [f32],
) {
    shrink.copy_from_slice(highest);
    for row in scores.chunks_exact(width) {
        for (highest, &score) in highest.iter_mut().zip(row) {
            *highest = if score > *highest { score } else { *highest };
        }
    }
    for ((shrink, &highest), sum) in shrink.iter_mut().zip(&*highest).zip(&mut *sums) {
        *shrink = power(*shrink - highest);
        *sum *= *shrink;
    }
    for row in scores.chunks_exact_mut(width) {
        for ((score, &highest), sum) in row.iter_mut().zip(&*highest).zip(&mut *sums) {
            *score = power(*score - highest);
            *sum += *score;
        }
    }
}

/// 2^x for x <= 0, relative error below 3e-7; 2^-126 for any smaller. Branch-free, so that loops
/// over it become SIMD.
#[inline(always)]
fn power(x: f32) -> f32 {
    // Adding 1.5 * 2^23 rounds to an integer in the low bits.
    const MAGIC: f32 = 12_582_912.0;
    // (ln 2)^i / i!, i from 6 to 0: the series of 2^r, |r| <= 1/2.
    const SERIES: [f32; 7] = [
        1.540_353e-4,
        1.333_355_8e-3,
        9.618_129e-3,
        5.550_411e-2,
        2.402_265e-1,
        6.931_472e-1,
        1.0,
    ];
    let x = if x > -126.0 { x } else { -126.0 };
    let shifted = x + MAGIC;
    let r = x - (shifted - MAGIC);
    let mut p = SERIES[0];
    for c in &SERIES[1..] {
        p = p.mul_add(r, *c);
    }
    p * f32::from_bits((shifted.to_bits() << 23).wrapping_add(0x3f80_0000))
}

#[cfg(test)]
mod tests {
    use super::super::heads::round_heads;
    use super::super::panels::{Panels, gather};
    use super::super::testing::{instruction_sets, numbers};
    use super::*;
    use pulp::WithSimd;

    struct Attend<'a, N> {
        head: Head,
        panel: &'a Panel,
        keys: &'a [Panel],
        qkv: &'a [N],
        out: &'a mut [f32],
    }

    impl<N: Numbers> WithSimd for Attend<'_, N> {
        type Output = ();

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            let (mut scratch, mut pairs) = (vec![f32::NAN; SCRATCH], vec![7; PAIRS]);
            let Self {
                head,
                panel,
                keys,
                qkv,
                out,
            } = self;
            let scratch = (scratch.as_mut_slice(), pairs.as_mut_slice());
            attend(simd, head, panel, keys, qkv, scratch, out);
        }
    }

    /// One query of head `head`, in f64, from scores in units of ln 2: queries, keys and values
    /// are rows of 3 D numbers.
    fn exact(qkv: &[f32], head: usize, d: usize, channels: usize, query: usize) -> Vec<f64> {
        let rows: Vec<&[f32]> = qkv.chunks_exact(3 * channels).collect();
        let at = |row: usize, part: usize| {
            let numbers = &rows[row][part * channels + head * d..][..d];
            numbers.iter().map(|&x| f64::from(x))
        };
        let score = |key| at(query, 0).zip(at(key, 1)).map(|(q, k)| q * k).sum();
        let scores: Vec<f64> = (0..rows.len()).map(score).collect();
        let highest = scores.iter().fold(f64::NEG_INFINITY, |a, &b| a.max(b));
        let powers: Vec<f64> = scores.iter().map(|s| (s - highest).exp2()).collect();
        let sum: f64 = powers.iter().sum();
        let mut out = vec![0.0; d];
        for (key, power) in powers.iter().enumerate() {
            for (out, value) in out.iter_mut().zip(at(key, 2)) {
                *out += power / sum * value;
            }
        }
        out
    }

    #[test]
    fn powers_are_those_of_two() {
        for x in numbers(10_000, 2) {
            let x = 60.0 * (x - 1.0);
            let error = f64::from(power(x)) / f64::from(x).exp2() - 1.0;
            assert!(error.abs() < 3e-7, "2^{x}: {error:e}");
        }
        assert_eq!(power(0.0).to_bits(), 1.0_f32.to_bits());
        assert_eq!(
            power(f32::NEG_INFINITY).to_bits(),
            f32::MIN_POSITIVE.to_bits()
        );
    }

    /// Panel by panel is what all scores at once give, for scores so far apart that most powers
    /// vanish, and where the highest score comes last; in bf16 to three digits.
    #[test]
    fn attention_equals_the_textbook() {
        for (tokens, channels, heads, spread) in [
            (1, 8, 2, 1.0),
            (50, 6, 1, 1.0),
            (33, 9, 3, 1.0),
            (135, 24, 3, 4.0),
            (70, 16, 1, 30.0),
        ] {
            let mut columns = numbers(tokens * 3 * channels, 4);
            for (token, column) in columns.chunks_exact_mut(3 * channels).enumerate() {
                for value in &mut column[..2 * channels] {
                    *value *= spread * (1.0 + token as f32 / tokens as f32);
                }
            }
            let d = channels / heads;
            let panels = Panels::new(1, tokens);
            let keys = panels.all();
            let mut full = vec![0.0; panels.len(3 * channels)];
            for (panel, out) in panels.split(&mut full, 3 * channels) {
                gather(panel, tokens, &columns, 3 * channels, out);
            }
            let rows = 3 * heads * u32::rows(d);
            let mut half = vec![0; panels.len(rows)];
            for (panel, out) in panels.split(&mut half, rows) {
                let full = panel.of(&full, 3 * channels);
                round_heads(full, d, panel.width, out);
            }
            for (index, panel) in (0..heads).flat_map(|i| keys.iter().map(move |p| (i, p))) {
                for arch in instruction_sets() {
                    let mut outs = [(); 2].map(|()| vec![f32::NAN; d * panel.width]);
                    let [out, rounded] = &mut outs;
                    arch.dispatch(Attend {
                        head: Head::new(index, heads, f32::rows(d)),
                        panel,
                        keys,
                        qkv: &full,
                        out,
                    });
                    arch.dispatch(Attend {
                        head: Head::new(index, heads, u32::rows(d)),
                        panel,
                        keys,
                        qkv: &half,
                        out: rounded,
                    });
                    // What bf16 rounds is a score, and that is an exponent.
                    let rounding = if spread > 1.0 { f64::INFINITY } else { 0.03 };
                    for (out, allowed) in outs.iter().zip([5e-5 * f64::from(spread), rounding]) {
                        assert!(out.iter().all(|x| x.is_finite()), "filled up");
                        for query in 0..panel.columns {
                            let exact = exact(&columns, index, d, channels, panel.first + query);
                            for (i, exact) in exact.iter().enumerate() {
                                let error = f64::from(out[i * panel.width + query]) - exact;
                                assert!(error.abs() <= allowed, "{tokens}: {error:e}");
                            }
                        }
                    }
                }
            }
        }
    }
}
