//! Payloads: plain CDR behind a header of four bytes (OMG DDSI-RTPS 10.2), by `cdr-encoding`.

use byteorder::{BigEndian, LittleEndian};

use super::interfaces::Payload;
use crate::{Error, Result};

/// The longest payload that is looked at, bytes: a map of the most cells that `max_cells` allows by
/// default takes a quarter of it.
pub const MOST_BYTES: usize = 256 << 20;

/// Little endian, no options.
const HEADER: [u8; 4] = [0, 1, 0, 0];
const HEADER_BIG_ENDIAN: [u8; 2] = [0, 0];

/// # Errors
/// [`Error::Payload`] for what CDR cannot say, such as a sequence of more than 2^32 entries.
pub fn encode<T: Payload>(message: &T) -> Result<Vec<u8>> {
    let mut bytes = HEADER.to_vec();
    cdr_encoding::to_writer::<T, LittleEndian, _>(&mut bytes, message)
        .map_err(|error| refused(&error))?;
    Ok(bytes)
}

/// # Errors
/// [`Error::Payload`] for bytes that are not such a message.
pub fn decode<T: Payload>(bytes: &[u8]) -> Result<T> {
    let wrong = |reason: String| Error::Payload { reason };
    if bytes.len() > MOST_BYTES {
        return Err(wrong(format!(
            "{} bytes are more than {MOST_BYTES}",
            bytes.len()
        )));
    }
    let Some((header, body)) = bytes.split_first_chunk::<4>() else {
        return Err(wrong(format!("{} bytes are too few", bytes.len())));
    };
    // What comes after the message is no error: some writers reserve more than they need, and later
    // releases may append members (DDS-XTypes 7.2.2.4).
    let (message, _) = if header[..2] == HEADER[..2] {
        cdr_encoding::from_bytes::<T, LittleEndian>(body)
    } else if header[..2] == HEADER_BIG_ENDIAN {
        cdr_encoding::from_bytes::<T, BigEndian>(body)
    } else {
        return Err(wrong(format!(
            "the encoding {header:02x?} is not plain CDR"
        )));
    }
    .map_err(|error| refused(&error))?;
    Ok(message)
}

fn refused(error: &cdr_encoding::Error) -> Error {
    Error::Payload {
        reason: error.to_string(),
    }
}
