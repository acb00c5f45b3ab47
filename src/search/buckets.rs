//! A circular bucket queue: constant-time pushes and pops for bounded steps (Dial, Algorithm 360,
//! 1969; Denardo and Fox, Operations Research 27, 1979).
//!
//! An item waits in the bucket of its level, the whole part of its travel cost. Buckets are reused
//! in a circle, which is sound as long as every pushed level is less than [`BucketQueue::span`]
//! above the current one. Within a bucket the order is last in, first out; what makes that exact
//! is argued where the queue is used.

/// Items (cell indices) by level.
#[derive(Debug, Default)]
pub(super) struct BucketQueue {
    /// A power of two of them, at least 64.
    buckets: Vec<Vec<u32>>,
    /// One bit per bucket that holds an item, so that empty stretches are skipped 64 at a time.
    occupied: Vec<u64>,
    /// The lowest level that may hold an item.
    level: u64,
}

impl BucketQueue {
    /// Empties the queue and makes room for steps of up to `max_step` levels above the current one.
    /// Keeps what is already allocated.
    pub(super) fn reset(&mut self, max_step: f64) {
        // A search that stopped early leaves items; only their buckets need to be looked at.
        for (word, bits) in self.occupied.iter_mut().enumerate() {
            while *bits != 0 {
                self.buckets[word * 64 + bits.trailing_zeros() as usize].clear();
                *bits &= *bits - 1;
            }
        }
        // A step that starts inside a level may end one level beyond its own whole part.
        let count = (max_step as usize + 2).next_power_of_two().max(64);
        if count > self.buckets.len() {
            self.buckets.resize_with(count, Vec::new);
        }
        self.occupied.resize(self.buckets.len() / 64, 0);
        self.level = 0;
    }

    /// Number of levels that can wait at once.
    #[cfg(test)]
    pub(super) fn span(&self) -> usize {
        self.buckets.len()
    }

    /// Adds an item at a level that is not below the current one.
    #[inline]
    pub(super) fn push(&mut self, level: u64, item: u32) {
        debug_assert!(level >= self.level && level - self.level < self.buckets.len() as u64);
        let slot = level as usize & (self.buckets.len() - 1);
        self.buckets[slot].push(item);
        self.occupied[slot / 64] |= 1 << (slot % 64);
    }

    /// Takes an item of the lowest level, with that level, which becomes the current one.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<(u64, u32)> {
        let mask = self.buckets.len() - 1;
        loop {
            let slot = self.level as usize & mask;
            if let Some(item) = self.buckets[slot].pop() {
                return Some((self.level, item));
            }
            self.occupied[slot / 64] &= !(1 << (slot % 64));
            self.level += self.distance_to_occupied(slot)? as u64;
        }
    }

    /// How many slots after `slot`, round the circle, the next occupied one is.
    fn distance_to_occupied(&self, slot: usize) -> Option<usize> {
        let words = self.occupied.len();
        let first = self.occupied[slot / 64] >> (slot % 64);
        if first != 0 {
            return Some(first.trailing_zeros() as usize);
        }
        // The last word looked at is the first one again, for the slots before `slot`.
        (1..=words).find_map(|ahead| {
            let word = self.occupied[(slot / 64 + ahead) % words];
            (word != 0).then(|| ahead * 64 - slot % 64 + word.trailing_zeros() as usize)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::BucketQueue;

    #[test]
    fn items_come_out_by_level_round_the_circle() {
        let mut queue = BucketQueue::default();
        queue.reset(100.0);
        assert_eq!(queue.span(), 128);
        queue.push(3, 30);
        queue.push(127, 40);
        assert_eq!(queue.pop(), Some((3, 30)));
        queue.push(130, 50); // the slot after the one just emptied has wrapped round
        queue.push(3, 31);
        assert_eq!(queue.pop(), Some((3, 31)));
        assert_eq!(queue.pop(), Some((127, 40)));
        assert_eq!(queue.pop(), Some((130, 50)));
        assert_eq!(queue.pop(), None);
    }

    #[test]
    fn a_reset_queue_is_empty() {
        let mut queue = BucketQueue::default();
        queue.reset(1.0);
        queue.push(1, 7);
        queue.reset(2000.0);
        assert_eq!(queue.pop(), None);
    }
}
