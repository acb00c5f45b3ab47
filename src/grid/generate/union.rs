//! Disjoint sets that are joined until enough is connected.

/// Disjoint sets of the numbers `0..len`.
#[derive(Debug, Clone)]
pub(super) struct Union {
    /// Towards the representative, which is its own parent.
    parents: Vec<u32>,
}

impl Union {
    /// Every number in a set of its own.
    pub fn new(len: usize) -> Self {
        Self {
            parents: (0..len as u32).collect(),
        }
    }

    /// Joins the sets of two numbers; false if they were one already.
    pub fn join(&mut self, a: u32, b: u32) -> bool {
        let (a, b) = (self.representative(a), self.representative(b));
        self.parents[a as usize] = b;
        a != b
    }

    fn representative(&mut self, mut number: u32) -> u32 {
        loop {
            let parent = self.parents[number as usize];
            if parent == number {
                return number;
            }
            // Halving the path keeps later look-ups short.
            let grandparent = self.parents[parent as usize];
            self.parents[number as usize] = grandparent;
            number = grandparent;
        }
    }
}
