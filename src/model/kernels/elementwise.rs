//! What is done value by value and row by row, written so that loops over it become SIMD.

/// Added to the mean square before the root.
pub(crate) const RMS_EPS: f32 = 1e-6;

/// exp(x), relative error below 3e-7 for |x| <= 87, clamped beyond. Branch-free, so that loops
/// over it become SIMD.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    // 2^n e^r with n = round(x / ln 2); adding 1.5 * 2^23 rounds to an integer in the low bits.
    const MAGIC: f32 = 12_582_912.0;
    let x = x.clamp(-87.0, 87.0);
    let shifted = x.mul_add(std::f32::consts::LOG2_E, MAGIC);
    let n = shifted - MAGIC;
    // ln 2 in two parts (Cody-Waite), so that r is exact.
    let r = n.mul_add(-0.693_145_75, x);
    let r = n.mul_add(-1.428_606_8e-6, r);
    let mut p = 1.0 / 720.0_f32;
    for c in [1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        p = p.mul_add(r, c);
    }
    let scale = f32::from_bits((shifted.to_bits() << 23).wrapping_add(0x3f80_0000));
    p * scale
}

#[inline(always)]
pub(super) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// Dot product of two rows in 16 strands, so that it becomes SIMD and is the same everywhere.
#[inline(always)]
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut strands = [0.0_f32; 16];
    for (a, b) in a.chunks_exact(16).zip(b.chunks_exact(16)) {
        for i in 0..16 {
            strands[i] = a[i].mul_add(b[i], strands[i]);
        }
    }
    for half in [8, 4, 2, 1] {
        for i in 0..half {
            strands[i] += strands[i + half];
        }
    }
    strands[0]
}

/// `h = silu(g) * u`, element by element.
#[inline(always)]
pub(super) fn gated(g: &[f32], u: &[f32], h: &mut [f32]) {
    for ((h, &g), &u) in h.iter_mut().zip(g).zip(u) {
        *h = g * sigmoid(g) * u;
    }
}

/// `h = silu(g) * u` once more, and the gradients of g and u from that of h.
#[inline(always)]
pub(super) fn gated_backward(g: &[f32], u: &[f32], dh: &[f32], [h, dg, du]: [&mut [f32]; 3]) {
    let inputs = g.iter().zip(u).zip(dh);
    let outputs = h.iter_mut().zip(dg).zip(du);
    for (((&g, &u), &dh), ((h, dg), du)) in inputs.zip(outputs) {
        let s = sigmoid(g);
        let silu = g * s;
        *h = silu * u;
        *dg = dh * u * (s + silu * (1.0 - s));
        *du = dh * silu;
    }
}

/// What a row has to be multiplied with to be normalised.
#[inline(always)]
pub(super) fn inverse_rms(row: &[f32]) -> f32 {
    1.0 / (dot(row, row) / row.len() as f32 + RMS_EPS).sqrt()
}

/// Normalises each row in place and keeps the factors.
#[inline(always)]
pub(super) fn rms(rows: &mut [f32], channels: usize, inverse: &mut [f32]) {
    for (row, inverse) in rows.chunks_exact_mut(channels).zip(inverse) {
        let scale = inverse_rms(row);
        for x in row {
            *x *= scale;
        }
        *inverse = scale;
    }
}

/// Turns the gradient of `y = rms(s)` into that of s, in place: `ds = (dy - y mean(y dy)) / rms`.
#[inline(always)]
pub(super) fn rms_backward(gradient: &mut [f32], y: &[f32], channels: usize, inverse: &[f32]) {
    let rows = gradient
        .chunks_exact_mut(channels)
        .zip(y.chunks_exact(channels));
    for ((dy, y), &scale) in rows.zip(inverse) {
        let mean = dot(dy, y) / channels as f32;
        for (dy, &y) in dy.iter_mut().zip(y) {
            *dy = (*dy - y * mean) * scale;
        }
    }
}
