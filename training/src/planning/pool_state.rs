//! The state of a pool on disk: tickets and carries. Samples are drawn again from their tickets.

use super::pool::{HardCases, Pool, Slot, Ticket, sample_seed};
use super::sample::Sample;
use super::source::Source;
use crate::Result;
use crate::array_file::{Array, ArrayFile};
use candle_core::{Device, Tensor};
use hrm_planner::model::Carry;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// All of a pool that is no array.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PoolNote {
    drawn: u64,
    tickets: Vec<Ticket>,
    /// Runs of older versions had none.
    #[serde(default)]
    hard: HardCases,
}

/// One of the two states of a carry.
type State = fn(&Carry) -> &Tensor;

/// The two states of a carry, by the name of their array.
const CARRY: [(&str, State); 2] = [
    ("carry/z_h", |carry| &carry.z_h),
    ("carry/z_l", |carry| &carry.z_l),
];

impl Pool {
    /// What of it is no array.
    pub(super) fn note(&self) -> PoolNote {
        PoolNote {
            drawn: self.drawn,
            hard: self.hard.clone(),
            tickets: self.slots.iter().map(|slot| slot.ticket).collect(),
        }
    }

    /// Its carries, all samples' under each other; (tokens, channels) each.
    pub(super) fn arrays(&self, channels: usize) -> Result<BTreeMap<String, Array>> {
        let mut arrays = BTreeMap::new();
        for (name, state) in CARRY {
            let mut values = Vec::new();
            for slot in &self.slots {
                values.extend(state(&slot.carry).flatten_all()?.to_vec1::<f32>()?);
            }
            let shape = vec![self.tokens(), channels];
            arrays.insert(name.to_owned(), Array { shape, values });
        }
        Ok(arrays)
    }

    /// The pool that was saved, on a device.
    pub(super) fn restore(
        note: &PoolNote,
        source: &Source,
        file: &mut ArrayFile,
        device: &Device,
    ) -> Result<Self> {
        let samples: Vec<Sample> = note
            .tickets
            .par_iter()
            .map(|ticket| {
                let seed = sample_seed(source.seed(), ticket.number);
                source.draw(seed, ticket.progress)
            })
            .collect();
        let config = &source.recipe().model;
        let mut slots = Vec::with_capacity(samples.len());
        for (&ticket, sample) in note.tickets.iter().zip(samples) {
            // Its carry is from before the tokens grew for the next segment.
            let before = Ticket {
                segments: ticket.segments.saturating_sub(1),
                ..ticket
            };
            let mut slot = Slot::new(before, sample, config, device)?;
            slot.ticket = ticket;
            slots.push(slot);
        }
        let channels = config.channels;
        let tokens: usize = slots.iter().map(|slot| slot.problem.tokens.tokens()).sum();
        let [z_h, z_l] = CARRY.map(|(name, _)| file.take(name, &[tokens, channels]));
        let (z_h, z_l) = (z_h?, z_l?);
        let mut next = 0;
        for slot in &mut slots {
            let tokens = slot.problem.tokens.tokens();
            let range = next * channels..(next + tokens) * channels;
            let part = |values: &[f32]| {
                Tensor::from_slice(&values[range.clone()], (tokens, channels), device)
            };
            slot.carry = Carry {
                z_h: part(&z_h)?,
                z_l: part(&z_l)?,
            };
            next += tokens;
        }
        Ok(Self {
            slots,
            drawn: note.drawn,
            hard: note.hard.clone(),
        })
    }
}
