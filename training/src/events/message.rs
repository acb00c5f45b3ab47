//! The protobuf messages of an event file, as far as scalars need them.
//!
//! ```text
//! Event:   1 wall_time double, 2 step int64, 3 file_version string, 5 summary Summary
//! Summary: 1 value Value, repeated
//! Value:   1 tag string, 2 simple_value float
//! ```
//!
//! From `tensorflow/core/util/event.proto` and `summary.proto`. A field is a key, its number times
//! 8 plus its wire type, and then its value.

/// Wire types of protobuf.
const VARINT: u64 = 0;
const FIXED_64: u64 = 1;
const BYTES: u64 = 2;
const FIXED_32: u64 = 5;

/// The step's field of an event.
const STEP: u64 = 2;

/// The first event of a file.
pub(super) fn version(wall_time: f64) -> Vec<u8> {
    let mut event = begin(wall_time, 0);
    put_bytes(&mut event, 3, b"brain.Event:2");
    event
}

/// An event with the values of some tags after a step.
pub(super) fn scalars(wall_time: f64, step: u64, values: &[(String, f64)]) -> Vec<u8> {
    let mut summary = Vec::new();
    for (tag, value) in values {
        let mut message = Vec::new();
        put_bytes(&mut message, 1, tag.as_bytes());
        put_key(&mut message, 2, FIXED_32);
        message.extend((*value as f32).to_le_bytes());
        put_bytes(&mut summary, 1, &message);
    }
    let mut event = begin(wall_time, step);
    put_bytes(&mut event, 5, &summary);
    event
}

/// The step of an event; 0, the default of protobuf, where it has none.
pub(super) fn step_of(event: &[u8]) -> u64 {
    let mut rest = event;
    while let Some(key) = take_varint(&mut rest) {
        let skipped = match (key / 8, key % 8) {
            (STEP, VARINT) => return take_varint(&mut rest).unwrap_or(0),
            (_, VARINT) => take_varint(&mut rest).map(|_| 0),
            (_, FIXED_64) => Some(8),
            (_, FIXED_32) => Some(4),
            (_, BYTES) => take_varint(&mut rest).map(|length| length as usize),
            _ => None,
        };
        let Some(left) = skipped.and_then(|length| rest.get(length..)) else {
            break;
        };
        rest = left;
    }
    0
}

fn begin(wall_time: f64, step: u64) -> Vec<u8> {
    let mut event = Vec::new();
    put_key(&mut event, 1, FIXED_64);
    event.extend(wall_time.to_le_bytes());
    put_key(&mut event, STEP, VARINT);
    put_varint(&mut event, step);
    event
}

fn put_key(message: &mut Vec<u8>, field: u64, wire: u64) {
    put_varint(message, 8 * field + wire);
}

fn put_bytes(message: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    put_key(message, field, BYTES);
    put_varint(message, bytes.len() as u64);
    message.extend(bytes);
}

/// Seven bits a byte, the lowest first; the top bit says that more follow.
fn put_varint(message: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        message.push(value as u8 | 0x80);
        value >>= 7;
    }
    message.push(value as u8);
}

fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for place in 0..10 {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}
