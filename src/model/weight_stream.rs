//! Weights out of a safetensors file, one tensor after the other.
//!
//! A whole file in memory beside its tensors would double what reading a model takes; here no
//! more than a small buffer is held beside them. The format: the header's length in eight bytes,
//! the header as JSON, then all tensors' bytes, back to back. Only f32 is read, and every number
//! must be finite.

use candle_core::{Device, Tensor};
use safetensors::tensor::{Dtype, Metadata, TensorInfo};
use std::collections::{BTreeMap, HashMap};
use std::io::Read;

/// Bytes of the header's length.
const LENGTH_BYTES: u64 = 8;
/// Bytes read at a time.
const BUFFER: usize = 1 << 16;

/// A file whose header has been read.
pub(super) struct WeightStream<R> {
    reader: R,
    header: Metadata,
}

impl<R: Read> WeightStream<R> {
    /// Reads the header of a file of `length` bytes.
    ///
    /// # Errors
    /// What is wrong, for the reader of a message.
    pub fn new(mut reader: R, length: u64) -> Result<Self, String> {
        let broken = |reason: String| format!("not a safetensors file ({reason})");
        let mut header_length = [0; LENGTH_BYTES as usize];
        reader
            .read_exact(&mut header_length)
            .map_err(|e| broken(e.to_string()))?;
        let header_length = u64::from_le_bytes(header_length);
        let rest = length.saturating_sub(LENGTH_BYTES);
        if header_length > rest {
            return Err(broken(format!(
                "its header is to be {header_length} bytes long, but {rest} follow"
            )));
        }
        let mut header = Vec::new();
        (&mut reader)
            .take(header_length)
            .read_to_end(&mut header)
            .map_err(|e| broken(e.to_string()))?;
        let header: Metadata =
            serde_json::from_slice(&header).map_err(|e| broken(e.to_string()))?;
        let (data, promised) = (rest - header_length, header.data_len() as u64);
        if data != promised {
            return Err(broken(format!(
                "its tensors are to be {promised} bytes long, but {data} follow the header"
            )));
        }
        Ok(Self { reader, header })
    }

    /// The file's own texts by key.
    pub fn texts(&self) -> HashMap<String, String> {
        self.header.metadata().clone().unwrap_or_default()
    }

    /// All tensors by name.
    ///
    /// # Errors
    /// The first tensor that is of another type, not finite or not there, for the reader of a
    /// message.
    pub fn tensors(mut self) -> Result<BTreeMap<String, Tensor>, String> {
        let mut tensors = BTreeMap::new();
        // In the order of their bytes.
        for name in self.header.offset_keys() {
            if let Some(info) = self.header.info(&name) {
                let tensor = tensor(&mut self.reader, info)
                    .map_err(|reason| format!("tensor `{name}` {reason}"))?;
                tensors.insert(name, tensor);
            }
        }
        Ok(tensors)
    }
}

/// The tensor that comes next.
fn tensor(reader: &mut impl Read, info: &TensorInfo) -> Result<Tensor, String> {
    if info.dtype != Dtype::F32 {
        return Err(format!("is of type {:?}; it must be F32", info.dtype));
    }
    let (start, end) = info.data_offsets;
    let mut left = end - start;
    let mut values = Vec::with_capacity(left / 4);
    let mut buffer = vec![0; BUFFER.min(left)];
    while left > 0 {
        let bytes = &mut buffer[..BUFFER.min(left)];
        let read = reader.read_exact(bytes);
        read.map_err(|e| format!("cannot be read: {e}"))?;
        let (numbers, _) = bytes.as_chunks();
        values.extend(numbers.iter().map(|&bytes| f32::from_le_bytes(bytes)));
        left -= bytes.len();
    }
    if let Some(at) = values.iter().position(|x| !x.is_finite()) {
        return Err(format!("holds {} at {at}; all must be finite", values[at]));
    }
    Tensor::from_vec(values, info.shape.as_slice(), &Device::Cpu).map_err(|e| e.to_string())
}
