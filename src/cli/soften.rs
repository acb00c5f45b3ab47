//! Softens a field that is constant in blocks, for the eye.
//!
//! On large maps the model sees blocks of cells, and its field has a step at every block's border.
//! The mean over a window as wide as a block turns the steps into slopes: linear interpolation
//! between the blocks' centres.

/// Softens row-major values of rows of `width` in blocks of `block` x `block` cells. Values that
/// are not finite stay as they are and do not count.
pub fn soften(values: &mut [f32], width: usize, block: usize) {
    if block <= 1 || width == 0 {
        return;
    }
    // Sums and counts of finite values: first along rows, then along columns.
    let pairs: Vec<[f64; 2]> = values
        .iter()
        .map(|&value| {
            if value.is_finite() {
                [f64::from(value), 1.0]
            } else {
                [0.0, 0.0]
            }
        })
        .collect();
    let height = values.len() / width;
    let along_rows = window_sums(&pairs, height, width, (width, 1), block);
    let sums = window_sums(&along_rows, width, height, (1, width), block);
    for (value, [sum, count]) in values.iter_mut().zip(sums) {
        if value.is_finite() {
            *value = (sum / count) as f32;
        }
    }
}

/// Sums over `window` values around each place on `lines` lines of `length` places; a line's step
/// and a place's step in the row-major list are `steps`.
fn window_sums(
    values: &[[f64; 2]],
    lines: usize,
    length: usize,
    steps: (usize, usize),
    window: usize,
) -> Vec<[f64; 2]> {
    let mut sums = vec![[0.0; 2]; values.len()];
    let (before, after) = (window / 2, window - window / 2);
    let mut totals = Vec::with_capacity(length + 1);
    for line in 0..lines {
        let index = |place: usize| line * steps.0 + place * steps.1;
        totals.clear();
        let mut total = [0.0; 2];
        totals.push(total);
        for place in 0..length {
            let [sum, count] = values[index(place)];
            total = [total[0] + sum, total[1] + count];
            totals.push(total);
        }
        for place in 0..length {
            let from = totals[place.saturating_sub(before)];
            let to = totals[(place + after).min(length)];
            sums[index(place)] = [to[0] - from[0], to[1] - from[1]];
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::soften;

    /// Compared as text, so that NaN equals itself.
    fn softened<const N: usize>(mut values: [f32; N], width: usize, block: usize) -> String {
        soften(&mut values, width, block);
        format!("{values:?}")
    }

    #[test]
    fn steps_become_slopes_and_walls_stay() {
        let row = [0.0, 0.0, 4.0, 4.0, f32::NAN, 9.0];
        assert_eq!(softened(row, 6, 2), "[0.0, 0.0, 2.0, 4.0, NaN, 9.0]");
    }

    #[test]
    fn columns_are_softened_like_rows() {
        let column = [0.0, 0.0, 4.0, 4.0];
        assert_eq!(softened(column, 1, 2), "[0.0, 0.0, 2.0, 4.0]");
    }

    #[test]
    fn single_cells_stay_as_they_are() {
        assert_eq!(softened([1.0, 2.0, 3.0, 4.0], 2, 1), "[1.0, 2.0, 3.0, 4.0]");
    }
}
