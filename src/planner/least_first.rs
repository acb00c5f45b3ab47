//! A queue for searches by cost.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// Gives out first what costs least; of equal costs, the lesser thing.
#[derive(Debug)]
pub(super) struct LeastFirst<T: Ord>(BinaryHeap<Waiting<T>>);

impl<T: Ord> LeastFirst<T> {
    pub fn new() -> Self {
        Self(BinaryHeap::new())
    }

    pub fn push(&mut self, cost: f64, thing: T) {
        self.0.push(Waiting { cost, thing });
    }

    pub fn pop(&mut self) -> Option<(f64, T)> {
        let Waiting { cost, thing } = self.0.pop()?;
        Some((cost, thing))
    }
}

#[derive(Debug)]
struct Waiting<T> {
    cost: f64,
    thing: T,
}

impl<T: Ord> Ord for Waiting<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        // The heap's greatest comes first.
        let by_cost = other.cost.total_cmp(&self.cost);
        by_cost.then_with(|| other.thing.cmp(&self.thing))
    }
}

impl<T: Ord> PartialOrd for Waiting<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T: Ord> PartialEq for Waiting<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<T: Ord> Eq for Waiting<T> {}
