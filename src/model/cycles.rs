//! The nested recurrence, once for the whole family, with how far the gradient reaches back.
//!
//! A carry and an encoded input go in, the carry after a segment comes out. What the two modules
//! are made of is the model's own affair. HRM and the grid model have two modules; TRM (arXiv 2510.04871)
//! has one net in both places, which then tells its two tasks apart by whether e is in the sum.

use super::Carry;
use crate::Result;
use candle_core::Tensor;

/// The two modules of a recurrence. States and sums have the shape of the carry's.
pub trait Modules {
    /// The fast module L, of z_L + z_H + e.
    ///
    /// # Errors
    /// A tensor operation that fails.
    fn l(&self, x: &Tensor) -> Result<Tensor>;

    /// The slow module H, of z_H + z_L.
    ///
    /// # Errors
    /// A tensor operation that fails.
    fn h(&self, x: &Tensor) -> Result<Tensor>;
}

/// How far back in a segment a gradient flows. All before runs outside the graph, so that memory
/// does not grow with the number of cycles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GradientReach {
    /// The last update of z_L and the last of z_H: HRM's one-step gradient (arXiv 2506.21734,
    /// section 2, "Approximate gradient").
    LastUpdate,
    /// All updates of the last H cycle: TRM (arXiv 2510.04871, section 4) and the grid model.
    LastCycle,
}

/// The shape of a segment.
///
/// With e the encoded input and z_H, z_L the slow and the fast state, all of one shape,
///
/// ```text
/// repeat H_cycles times:
///     repeat L_cycles times:  z_L <- L(z_L + (z_H + e))
///     z_H <- H(z_H + z_L)
/// ```
///
/// is one segment (arXiv 2506.21734, section 2, "Hierarchical convergence": z_L settles while z_H
/// stands still, and every new z_H sets it going again).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cycles {
    /// H updates per segment.
    pub h_cycles: usize,
    /// L updates per H update.
    pub l_cycles: usize,
    /// Which of them a gradient reaches.
    pub gradient: GradientReach,
}

impl Cycles {
    /// The carry after one segment, from `carry` and the encoded input e of the same shape.
    ///
    /// `modules` do the updates that the gradient reaches, `fixed` (the same modules outside the
    /// graph) all others. The gradient flows into `modules` and e, never into `carry`.
    ///
    /// # Errors
    /// A tensor operation that fails.
    pub fn segment<M: Modules>(
        &self,
        carry: &Carry,
        e: &Tensor,
        modules: &M,
        fixed: &M,
    ) -> Result<Carry> {
        let Carry { mut z_h, mut z_l } = carry.detached();
        let e_fixed = e.detach();
        for cycle in 1..=self.h_cycles {
            let learning = match self.gradient {
                _ if cycle < self.h_cycles => 0,
                GradientReach::LastUpdate => self.l_cycles.min(1),
                GradientReach::LastCycle => self.l_cycles,
            };
            z_l = update_l(fixed, z_l, &z_h, &e_fixed, self.l_cycles - learning)?;
            z_l = update_l(modules, z_l, &z_h, e, learning)?;
            let h = if cycle < self.h_cycles {
                fixed
            } else {
                modules
            };
            z_h = h.h(&(&z_h + &z_l)?)?;
        }
        Ok(Carry { z_h, z_l })
    }
}

/// z_L after `times` updates with the same z_H and e.
fn update_l<M: Modules>(
    modules: &M,
    mut z_l: Tensor,
    z_h: &Tensor,
    e: &Tensor,
    times: usize,
) -> Result<Tensor> {
    if times > 0 {
        let slow = (z_h + e)?;
        for _ in 0..times {
            z_l = modules.l(&(&z_l + &slow)?)?;
        }
    }
    Ok(z_l)
}
