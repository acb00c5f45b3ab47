//! The shape of a block and the layout of its packed weights.

/// Channel counts of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BlockShape {
    /// C: channels of the state.
    pub channels: usize,
    /// E: channels inside the gated unit.
    pub hidden: usize,
    /// Side of the depthwise kernel, 3 or 5.
    pub kernel: usize,
}

impl BlockShape {
    /// Length of the packed weights.
    pub fn packed_len(self) -> usize {
        let (c, e) = (self.channels, self.hidden);
        self.taps() * c + c * c + 3 * c * e
    }

    /// Taps of the depthwise kernel.
    pub fn taps(self) -> usize {
        self.kernel * self.kernel
    }

    pub(super) fn split(self, packed: &[f32]) -> Weights<'_> {
        let (c, e) = (self.channels, self.hidden);
        let (depthwise, rest) = packed.split_at(self.taps() * c);
        let (mix, rest) = rest.split_at(c * c);
        let (gate, rest) = rest.split_at(c * e);
        let (up, down) = rest.split_at(c * e);
        Weights {
            depthwise,
            mix,
            gate,
            up,
            down,
        }
    }

    pub(super) fn split_mut(self, packed: &mut [f32]) -> WeightsMut<'_> {
        let (c, e) = (self.channels, self.hidden);
        let (depthwise, rest) = packed.split_at_mut(self.taps() * c);
        let (mix, rest) = rest.split_at_mut(c * c);
        let (gate, rest) = rest.split_at_mut(c * e);
        let (up, down) = rest.split_at_mut(c * e);
        WeightsMut {
            depthwise,
            mix,
            gate,
            up,
            down,
        }
    }
}

pub(super) struct Weights<'a> {
    pub depthwise: &'a [f32],
    pub mix: &'a [f32],
    pub gate: &'a [f32],
    pub up: &'a [f32],
    pub down: &'a [f32],
}

pub(super) struct WeightsMut<'a> {
    pub depthwise: &'a mut [f32],
    pub mix: &'a mut [f32],
    pub gate: &'a mut [f32],
    pub up: &'a mut [f32],
    pub down: &'a mut [f32],
}
