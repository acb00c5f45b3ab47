//! The learning rate of every step.

/// A rate that rises for `warmup` steps and falls to zero along a cosine by `steps`.
#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    /// The highest rate.
    pub peak: f64,
    /// Steps of rise.
    pub warmup: u64,
    /// Steps in all.
    pub steps: u64,
}

impl Schedule {
    /// The rate of a step, counted from 0.
    pub fn rate(&self, step: u64) -> f64 {
        self.rate_above(0.0, step)
    }

    /// The rate of a step, counted from 0, where the cosine ends at `min_ratio * peak` and the
    /// rate stays there.
    ///
    /// `min_ratio` is `lr_min_ratio` of the published HRM (sapientinc/HRM, `pretrain.py`). It is
    /// 1 for its Sudoku-Extreme, Maze-Hard and ARC runs: the rate rises for 2,000 steps and then
    /// keeps. The published code starts its cosine one step earlier, at the end of the rise
    /// instead of after it.
    pub fn rate_above(&self, min_ratio: f64, step: u64) -> f64 {
        if step < self.warmup {
            return self.peak * (step + 1) as f64 / self.warmup as f64;
        }
        let rest = self.steps.saturating_sub(self.warmup).max(1) as f64;
        let done = ((step - self.warmup) as f64 / rest).min(1.0);
        let cosine = 0.5 * (1.0 + (std::f64::consts::PI * done).cos());
        self.peak * (min_ratio + (1.0 - min_ratio) * cosine)
    }
}
