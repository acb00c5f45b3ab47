//! The event file says what the tables say, in the format that `TensorBoard` reads, once per step.

use crate::common::{drive, start, tiny_with};
use hrm_planner::model::{Checkpoint, Compute};
use hrm_training::{Run, STATE_FILE, Score};
use std::path::Path;

/// A value of an event.
#[derive(Debug, Clone, PartialEq)]
struct Scalar {
    step: u64,
    tag: String,
    value: f32,
}

/// What an event file holds, read without the code that wrote it. Panics where a frame or a message
/// is not as it must be.
fn read(folder: &Path) -> (String, Vec<Scalar>) {
    let names = folder.read_dir().expect("a folder").map(|entry| {
        let name = entry.expect("an entry").file_name();
        name.into_string().expect("a name")
    });
    let mut names: Vec<String> = names.filter(|name| name.contains("tfevents")).collect();
    assert_eq!(names.len(), 1, "one event file: {names:?}");
    let bytes = std::fs::read(folder.join(names.remove(0))).expect("the event file");
    let mut rest = &bytes[..];
    let (mut version, mut scalars) = (String::new(), Vec::new());
    while !rest.is_empty() {
        let length = &rest[..8];
        assert_eq!(rest[8..12], masked_crc(length).to_le_bytes());
        let end = 12 + u64::from_le_bytes(length.try_into().expect("a whole event")) as usize;
        let message = &rest[12..end];
        assert_eq!(rest[end..end + 4], masked_crc(message).to_le_bytes());
        rest = &rest[end + 4..];

        let fields = fields(message);
        let bytes_of = |number| fields.iter().find(|f| f.0 == number).map(|f| f.1.clone());
        let time = f64::from_le_bytes(
            bytes_of(1)
                .expect("a whole event")
                .try_into()
                .expect("a whole event"),
        );
        assert!(time > 1.7e9, "a time of this age: {time}");
        let step = fields.iter().find(|f| f.0 == 2).map_or(0, |f| f.2);
        if let Some(text) = bytes_of(3) {
            version = String::from_utf8(text).expect("a whole event");
        }
        for (number, value, _) in bytes_of(5).map(|m| self::fields(&m)).unwrap_or_default() {
            assert_eq!(number, 1);
            let parts = self::fields(&value);
            let [(1, tag, _), (2, value, _)] = &parts[..] else {
                panic!("a tag and its value: {parts:?}");
            };
            scalars.push(Scalar {
                step,
                tag: String::from_utf8(tag.clone()).expect("a whole event"),
                value: f32::from_le_bytes(value[..].try_into().expect("a whole event")),
            });
        }
    }
    (version, scalars)
}

/// The fields of a protobuf message: number, bytes, and the value of a varint.
fn fields(mut message: &[u8]) -> Vec<(u64, Vec<u8>, u64)> {
    fn varint(message: &mut &[u8]) -> u64 {
        let length = message
            .iter()
            .position(|byte| byte & 0x80 == 0)
            .expect("a whole event")
            + 1;
        let (number, rest) = message.split_at(length);
        *message = rest;
        number
            .iter()
            .rev()
            .fold(0, |value, byte| value << 7 | u64::from(byte & 0x7f))
    }
    let mut found = Vec::new();
    while !message.is_empty() {
        let key = varint(&mut message);
        let length = match key & 7 {
            0 => {
                found.push((key >> 3, Vec::new(), varint(&mut message)));
                continue;
            }
            1 => 8,
            2 => varint(&mut message) as usize,
            5 => 4,
            wire => panic!("wire type {wire}"),
        };
        let (value, rest) = message.split_at(length);
        found.push((key >> 3, value.to_vec(), 0));
        message = rest;
    }
    found
}

/// CRC-32C bit by bit, then masked as record files have it.
fn masked_crc(bytes: &[u8]) -> u32 {
    let crc = !bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            (crc >> 1) ^ (0x82f6_3b78 & (crc & 1).wrapping_neg())
        })
    });
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

#[test]
fn the_checksum_of_this_test_is_crc_32c() {
    // The check value of the catalogue of CRCs, for the text "123456789".
    let unmasked = masked_crc(b"123456789").wrapping_sub(0xa282_ead8);
    assert_eq!(unmasked.rotate_left(15), 0xe306_9283);
}

/// Scores that differ from step to step.
fn scores(step: u64) -> Vec<Score> {
    let score = |kind: &str, reached: f64| Score {
        step,
        set: "some".to_owned(),
        kind: kind.to_owned(),
        n: 4,
        numbers: vec![
            ("reached", Some(reached)),
            ("valid", Some(reached)),
            ("optimal", Some(0.25)),
            ("cost_ratio_mean", None),
            ("segments_mean", Some(2.0)),
        ],
    };
    vec![score("maze", step as f64 / 100.0), score("cave", 1.0)]
}

fn recipe() -> String {
    tiny_with(
        60,
        &[
            ("checkpoint_every = 1000", "checkpoint_every = 30"),
            ("evaluate_every = 1000", "evaluate_every = 20"),
        ],
    )
}

/// The steps and values of a tag.
fn of<'a>(scalars: &'a [Scalar], tag: &'a str) -> Vec<(u64, f32)> {
    let of_tag = scalars.iter().filter(|scalar| scalar.tag == tag);
    of_tag.map(|scalar| (scalar.step, scalar.value)).collect()
}

/// A column of a table as the event file holds it: single precision.
fn column(path: &Path, name: &str) -> Vec<(u64, f32)> {
    let mut reader = csv::Reader::from_path(path).expect("a table");
    let place = reader
        .headers()
        .expect("a heading")
        .iter()
        .position(|h| h == name);
    let place = place.expect("the column");
    let row = |row: csv::Result<csv::StringRecord>| {
        let row = row.expect("a row");
        let value: f64 = row[place].parse().expect("a number");
        (row[0].parse().expect("a step"), value as f32)
    };
    reader.records().map(row).collect()
}

#[test]
fn the_event_file_holds_losses_rates_and_scores_of_the_tables() {
    let folder = tempfile::tempdir().unwrap();
    let mut run =
        start(&recipe(), folder.path()).with_evaluator(|_: &Checkpoint, step| Ok(scores(step)));
    drive(&mut run, 60);
    let (version, scalars) = read(folder.path());
    assert_eq!(version, "brain.Event:2");
    let metrics = folder.path().join("metrics.csv");
    for (tag, name) in [
        ("loss/moves", "moves"),
        ("loss/value", "value"),
        ("optimiser/learning rate", "rate"),
        ("optimiser/gradient norm", "gradient"),
        ("training/arrives", "arrives"),
    ] {
        let written = of(&scalars, tag);
        assert_eq!(written, column(&metrics, name), "{tag}");
        assert_eq!(written.len(), 4, "{tag}"); // steps 25, 30, 50, 60
    }
    let maze = [(20, 0.2), (40, 0.4), (60, 0.6)];
    assert_eq!(of(&scalars, "reached/some/maze"), maze);
    assert_eq!(
        of(&scalars, "reached/some/cave"),
        maze.map(|(step, _)| (step, 1.0))
    );
    assert_eq!(
        of(&scalars, "score/reached"),
        maze.map(|(step, value)| (step, f32::midpoint(value, 1.0)))
    );
    assert!(of(&scalars, "cost_ratio_mean/some/maze").is_empty());
}

#[test]
fn a_resumed_run_repeats_no_step_and_leaves_none_out() {
    let [one, two] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let mut straight =
        start(&recipe(), one.path()).with_evaluator(|_: &Checkpoint, step| Ok(scores(step)));
    drive(&mut straight, 60);

    // It dies at step 55 with the checkpoint of step 30, and a power cut tears the last event.
    let mut dying =
        start(&recipe(), two.path()).with_evaluator(|_: &Checkpoint, step| Ok(scores(step)));
    drive(&mut dying, 30);
    let at_30 = std::fs::read(two.path().join(STATE_FILE)).unwrap();
    drive(&mut dying, 25);
    drop(dying);
    std::fs::write(two.path().join(STATE_FILE), at_30).unwrap();
    let file = two.path().join("events.out.tfevents.hrm-train");
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&file, &bytes[..bytes.len() - 7]).unwrap();

    let resumed = Run::resume(two.path(), &Compute::cpu()).unwrap();
    let last = read(two.path()).1.last().map(|scalar| scalar.step);
    assert_eq!(last, Some(30));
    drive(
        &mut resumed.with_evaluator(|_: &Checkpoint, step| Ok(scores(step))),
        60,
    );

    let [one, two] = [&one, &two].map(|folder| {
        let mut scalars = read(folder.path()).1;
        // Only time differs between two runs.
        scalars.retain(|scalar| scalar.tag != "training/seconds per step");
        scalars
    });
    assert_eq!(one, two);
}

#[test]
fn resuming_at_the_last_event_leaves_the_file_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let mut run =
        start(&recipe(), folder.path()).with_evaluator(|_: &Checkpoint, step| Ok(scores(step)));
    drive(&mut run, 30);
    drop(run);
    let file = folder.path().join("events.out.tfevents.hrm-train");
    let before = std::fs::read(&file).unwrap();
    Run::resume(folder.path(), &Compute::cpu()).unwrap();
    assert_eq!(std::fs::read(&file).unwrap(), before);
}
