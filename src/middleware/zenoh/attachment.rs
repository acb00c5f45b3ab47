//! What goes along with every message, request and reply: its number, when it was sent, and who sent it.

use std::sync::atomic::{AtomicI64, Ordering};

use super::graph::system_time;
use crate::{Error, Result};

/// The bytes of an attachment: two numbers, the length of the identity, the identity.
pub const LENGTH: usize = 8 + 8 + 1 + 16;

/// An attachment of `rmw_zenoh`, little endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attachment {
    /// Counts the messages of a publisher, or the requests of a client; a reply repeats its request's.
    pub sequence: i64,
    /// Nanoseconds since 1970.
    pub source_ns: i64,
    /// Of the publisher or client.
    pub gid: [u8; 16],
}

/// The attachments of a publisher or client, one after the other; from any thread.
pub(super) struct Attachments {
    gid: [u8; 16],
    sequence: AtomicI64,
}

impl Attachments {
    pub fn new(gid: [u8; 16]) -> Self {
        Self {
            gid,
            sequence: AtomicI64::new(0),
        }
    }

    /// That of what is sent now.
    pub fn next(&self) -> Attachment {
        Attachment {
            sequence: self.sequence.fetch_add(1, Ordering::Relaxed) + 1,
            source_ns: system_time().0,
            gid: self.gid,
        }
    }
}

impl Attachment {
    /// As it goes over the wire.
    pub fn to_bytes(self) -> [u8; LENGTH] {
        let mut bytes = [0; LENGTH];
        bytes[..8].copy_from_slice(&self.sequence.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.source_ns.to_le_bytes());
        bytes[16] = 16;
        bytes[17..].copy_from_slice(&self.gid);
        bytes
    }

    /// # Errors
    /// [`Error::Payload`] for bytes that are no attachment.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let refused = || Error::Payload {
            reason: format!("an attachment of {} bytes is none", bytes.len()),
        };
        let bytes: &[u8; LENGTH] = bytes.try_into().map_err(|_| refused())?;
        if bytes[16] != 16 {
            return Err(refused());
        }
        let number = |at: usize| {
            let mut number = [0; 8];
            number.copy_from_slice(&bytes[at..at + 8]);
            i64::from_le_bytes(number)
        };
        let mut gid = [0; 16];
        gid.copy_from_slice(&bytes[17..]);
        Ok(Self {
            sequence: number(0),
            source_ns: number(8),
            gid,
        })
    }
}
