//! NumPy's archives of arrays (`.npz`): as much of the format as the data sets use, little-endian
//! floats in C order.
//!
//! Format: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>.

use std::io::{Cursor, Read};

use zip::ZipArchive;

/// More values than any array of the data sets has: a bound on memory for broken files.
const MAX_VALUES: usize = 1 << 27;

/// An array.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Array {
    /// Values per axis, the slowest first.
    pub shape: Vec<usize>,
    /// All values, the last axis running fastest.
    pub values: Vec<f64>,
}

/// The array of this name in an archive's bytes.
///
/// # Errors
/// What is wrong, for the reader of a message.
pub(super) fn array(archive: &[u8], name: &str) -> Result<Array, String> {
    let mut archive = ZipArchive::new(Cursor::new(archive))
        .map_err(|error| format!("not an .npz archive ({error})"))?;
    let file = archive
        .by_name(&format!("{name}.npy"))
        .map_err(|error| format!("no array {name} ({error})"))?;
    let mut bytes = Vec::new();
    file.take(8 * MAX_VALUES as u64 + (1 << 16))
        .read_to_end(&mut bytes)
        .map_err(|error| format!("array {name} cannot be read ({error})"))?;
    parse(&bytes).ok_or_else(|| format!("array {name} is not one of little-endian floats"))
}

/// An array from the bytes of an `.npy` file.
fn parse(bytes: &[u8]) -> Option<Array> {
    let rest = bytes.strip_prefix(b"\x93NUMPY")?;
    let (&[major, _minor], rest) = rest.split_first_chunk::<2>()?;
    let (length, rest) = if major == 1 {
        let (length, rest) = rest.split_first_chunk::<2>()?;
        (usize::from(u16::from_le_bytes(*length)), rest)
    } else {
        let (length, rest) = rest.split_first_chunk::<4>()?;
        (u32::from_le_bytes(*length) as usize, rest)
    };
    let (header, data) = rest.split_at_checked(length)?;
    let header = std::str::from_utf8(header).ok()?;
    if !value_of(header, "fortran_order")?.starts_with("False") {
        return None;
    }
    let shape = value_of(header, "shape")?.strip_prefix('(')?;
    let shape: Vec<usize> = shape[..shape.find(')')?]
        .split(',')
        .map(str::trim)
        .filter(|side| !side.is_empty())
        .map(|side| side.parse().ok())
        .collect::<Option<_>>()?;
    let count = shape
        .iter()
        .try_fold(1_usize, |product, &side| product.checked_mul(side))
        .filter(|&count| count <= MAX_VALUES)?;
    let values: Vec<f64> = match value_of(header, "descr")?.get(..5)? {
        "'<f4'" => data
            .chunks_exact(4)
            .map(|b| f64::from(f32::from_le_bytes([b[0], b[1], b[2], b[3]])))
            .collect(),
        "'<f8'" => data
            .chunks_exact(8)
            .map(|b| f64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]))
            .collect(),
        _ => return None,
    };
    (values.len() == count).then_some(Array { shape, values })
}

/// What follows a key of the header, a Python dictionary.
fn value_of<'a>(header: &'a str, key: &str) -> Option<&'a str> {
    let (_, rest) = header.split_once(&format!("'{key}':"))?;
    Some(rest.trim_start())
}
