//! Rotary positions in panels: queries and keys are turned by their token's place.

use super::panels::{Panel, Panels, gather};

/// Cosines and sines by which queries and keys are turned, (T x d / 2) each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turns<'a> {
    pub cos: &'a [f32],
    pub sin: &'a [f32],
}

/// [`Turns`] in panels of one problem, (d / 2 x width) each.
pub(super) struct TurnPanels {
    cos: Vec<f32>,
    sin: Vec<f32>,
    panels: Panels,
    /// d / 2
    half: usize,
}

impl TurnPanels {
    /// The tables of T tokens.
    pub fn new(tokens: usize, turns: Turns<'_>) -> Self {
        let half = turns.cos.len() / tokens;
        let panels = Panels::new(1, tokens);
        let of = |values: &[f32]| {
            let mut out = vec![0.0; panels.len(half)];
            for (panel, out) in panels.split(&mut out, half) {
                gather(panel, tokens, values, half, out);
            }
            out
        };
        Self {
            cos: of(turns.cos),
            sin: of(turns.sin),
            half,
            panels,
        }
    }

    /// Turns the heads in these rows of a panel.
    #[inline(always)]
    pub fn turn(&self, panel: &Panel, rows: &mut [f32]) {
        let own = &self.panels.all()[panel.index];
        let (cos, sin) = (own.of(&self.cos, self.half), own.of(&self.sin, self.half));
        for head in rows.chunks_exact_mut(2 * self.half * panel.width) {
            let (first, second) = head.split_at_mut(self.half * panel.width);
            for (((a, b), &cos), &sin) in first.iter_mut().zip(second).zip(cos).zip(sin) {
                (*a, *b) = (*a * cos - *b * sin, *b * cos + *a * sin);
            }
        }
    }
}
