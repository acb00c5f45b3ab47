//! How a grid model is computed.

/// The same function, written in two ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Formulation {
    /// Whole segments in fused kernels. CPU only.
    #[default]
    Fused,
    /// Plain tensor operations. Any device; on the CPU many times slower.
    Plain,
}
