//! How much of anything an imported file may ask for.
//!
//! The published models have 27 million parameters and need a small part of each. All limits are
//! on what a file declares, checked before memory is set aside for it, and every structure that a
//! file can make grow is bounded by one of them.

/// Bytes of a file.
pub const FILE_BYTES: u64 = 4 << 30;
/// Bytes read to learn what a zip archive holds.
pub const DIRECTORY_BYTES: u64 = 16 << 20;
/// Files in a zip archive.
pub const ENTRIES: usize = 1 << 14;
/// Bytes of a pickle. Text, lists and the memo live within it or grow by one item per opcode.
pub const PICKLE_BYTES: u64 = 4 << 20;
/// Opcodes of a pickle; each makes at most one value, one stack entry and one memo entry.
pub const OPCODES: usize = 1 << 19;
/// Tensors of a pickle.
pub const TENSORS: usize = 1 << 14;
/// Axes of a tensor.
pub const AXES: usize = 8;
/// Elements of all tensors together.
pub const ELEMENTS: usize = 1 << 29;
/// How many times the stored elements the tensors may have together: tied weights share a storage,
/// and a storage seen with stride 0 could be repeated without end.
pub const REPETITION: usize = 4;
/// Elements that are allowed however little is stored.
pub const FREE_ELEMENTS: usize = 1 << 16;
/// Bytes of a configuration file.
pub const CONFIG_BYTES: u64 = 1 << 20;
/// Names from a file that a message lists.
pub const LISTED: usize = 8;
/// Characters of a name from a file that a message quotes.
const QUOTED: usize = 80;

/// A name from a file as a message shows it: short and without control characters.
pub fn quoted(name: &str) -> String {
    let mut text: String = name
        .chars()
        .take(QUOTED)
        .flat_map(char::escape_debug)
        .collect();
    if name.chars().nth(QUOTED).is_some() {
        text.push_str("...");
    }
    format!("`{text}`")
}
