//! The complete search: the oracle, the fallback and the source of every label.
