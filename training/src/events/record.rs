//! `TFRecord` frames: how long a message is, the message, and a checksum of each.
//!
//! ```text
//! length u64 | checksum of the length u32 | message | checksum of the message u32
//! ```
//!
//! Little-endian. A checksum is a masked CRC-32C, see `tfrecord_writer` in `TensorFlow`'s guide
//! "`TFRecord` and `tf.train.Example`".

use crc::{CRC_32_ISCSI, Crc};

/// CRC-32C.
const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);
/// Added to a turned checksum, so that checksums of texts that hold checksums stay good ones.
const MASK: u32 = 0xa282_ead8;
/// Bytes before the message, and after it.
const HEAD: usize = 12;
const TAIL: usize = 4;

fn checksum(bytes: &[u8]) -> [u8; 4] {
    let crc = CRC.checksum(bytes);
    crc.rotate_right(15).wrapping_add(MASK).to_le_bytes()
}

/// A message in its frame.
pub(super) fn framed(message: impl AsRef<[u8]>) -> Vec<u8> {
    let message = message.as_ref();
    let length = (message.len() as u64).to_le_bytes();
    [&length[..], &checksum(&length), message, &checksum(message)].concat()
}

/// The messages of a file, up to its end or to the first frame that is damaged or torn.
pub(super) fn records(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, check) = bytes.get(..HEAD)?.split_first_chunk::<8>()?;
        let size = usize::try_from(u64::from_le_bytes(*length)).ok()?;
        let end = size.checked_add(HEAD)?;
        let message = bytes.get(HEAD..end)?;
        let tail = bytes.get(end..end.checked_add(TAIL)?)?;
        if check != checksum(length) || tail != checksum(message) {
            return None;
        }
        bytes = &bytes[end + TAIL..];
        Some(message)
    })
}
