//! Files as `torch.save` writes them, byte by byte, well made or not.

use std::io::{Cursor, Write};
use std::path::Path;

use hrm_planner::model::import::{Imported, read_from};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// `X`: a text.
pub fn text(text: &str) -> Vec<u8> {
    let length = u32::try_from(text.len()).expect("short").to_le_bytes();
    [b"X", &length[..], text.as_bytes()].concat()
}

/// `LONG1`: an integer of any size up to 64 bits.
pub fn int(int: i64) -> Vec<u8> {
    [&[0x8a, 8], &int.to_le_bytes()[..]].concat()
}

/// `GLOBAL`: a name.
pub fn global(module: &str, name: &str) -> Vec<u8> {
    format!("c{module}\n{name}\n").into_bytes()
}

/// `MARK` ... `TUPLE`.
pub fn tuple(items: &[Vec<u8>]) -> Vec<u8> {
    [b"(", &items.concat()[..], b"t"].concat()
}

/// A call of a global.
pub fn call(callee: &[u8], arguments: &[Vec<u8>]) -> Vec<u8> {
    [callee, &tuple(arguments), b"R"].concat()
}

/// The storage of this key.
pub fn storage(class: &str, key: &str, elements: i64) -> Vec<u8> {
    let id = [
        text("storage"),
        global("torch", class),
        text(key),
        text("cpu"),
        int(elements),
    ];
    [&tuple(&id)[..], b"Q"].concat()
}

/// A view of a storage.
pub fn view(storage: Vec<u8>, offset: i64, shape: &[i64], strides: &[i64]) -> Vec<u8> {
    let ints = |ints: &[i64]| tuple(&ints.iter().map(|&i| int(i)).collect::<Vec<_>>());
    let arguments = [
        storage,
        int(offset),
        ints(shape),
        ints(strides),
        vec![0x89],
        [&global("collections", "OrderedDict")[..], b")R"].concat(),
    ];
    call(&global("torch._utils", "_rebuild_tensor_v2"), &arguments)
}

/// A vector of f32 that is all of a storage.
pub fn vector(key: &str, elements: i64) -> Vec<u8> {
    view(storage("FloatStorage", key, elements), 0, &[elements], &[1])
}

/// A dict.
pub fn dict(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let items: Vec<u8> = entries
        .iter()
        .flat_map(|(key, value)| [text(key), value.clone()].concat())
        .collect();
    [b"}(", &items[..], b"u"].concat()
}

/// A whole pickle of protocol 2 that leaves this.
pub fn pickle(value: &[u8]) -> Vec<u8> {
    [b"\x80\x02", value, b"."].concat()
}

/// The bytes of numbers.
pub fn floats(values: &[f32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

/// An archive of these files, in the folder `step_1`.
pub fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    archive_by(CompressionMethod::Stored, files)
}

/// As [`archive`], compressed or not.
pub fn archive_by(method: CompressionMethod, files: &[(&str, &[u8])]) -> Vec<u8> {
    let options = SimpleFileOptions::default().compression_method(method);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(format!("step_1/{name}"), options)
            .expect("a file");
        zip.write_all(bytes).expect("written");
    }
    zip.finish().expect("an archive").into_inner()
}

/// An archive of one state dict, which holds what this pickles, and storage 0.
pub fn state_dict(entries: &[(&str, Vec<u8>)], storage: &[f32]) -> Vec<u8> {
    archive(&[
        ("data.pkl", &pickle(&dict(entries))),
        ("byteorder", b"little"),
        ("data/0", &floats(storage)),
    ])
}

/// Imports a file of these bytes.
pub fn import(bytes: &[u8]) -> hrm_planner::Result<Imported> {
    read_from(Cursor::new(bytes), Path::new("step_1"))
}

/// What importing these bytes says is wrong.
#[track_caller]
pub fn error_of(bytes: &[u8]) -> String {
    match import(bytes) {
        Ok(imported) => panic!("imported: {imported:?}"),
        Err(error) => error.to_string(),
    }
}
