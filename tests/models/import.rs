//! Checkpoints of the published models are read as their programs wrote them.

use crate::common::torch_file::{
    self, archive, call, dict, error_of, floats, global, pickle, state_dict, storage, text, vector,
    view,
};
use candle_core::Tensor;
use hrm_planner::model::import::Imported;

fn import(bytes: &[u8]) -> Imported {
    torch_file::import(bytes).expect("imported")
}

fn values(tensor: &Tensor) -> Vec<f32> {
    let flat = tensor.flatten_all().expect("flat");
    flat.to_vec1().expect("f32")
}

#[test]
fn a_state_dict_is_read() {
    let imported = import(&state_dict(
        &[("H_init", vector("0", 3))],
        &[1.0, -2.0, 0.5],
    ));
    assert_eq!(imported.format, "PyTorch archive");
    assert_eq!(values(&imported.tensors["H_init"]), [1.0, -2.0, 0.5]);
    assert!(imported.notes.is_empty(), "{:?}", imported.notes);
}

#[test]
fn an_ordered_dict_with_version_numbers_and_parameters_is_read() {
    // OrderedDict(), its items, its attribute _metadata; a value wrapped as a parameter.
    let ordered = [&global("collections", "OrderedDict")[..], b")R"].concat();
    let parameter = call(
        &global("torch._utils", "_rebuild_parameter"),
        &[vector("0", 2), vec![0x88], ordered.clone()],
    );
    let attributes = dict(&[("_metadata", ordered.clone())]);
    let value = [
        &ordered[..],
        &text("w"),
        &parameter,
        b"s",
        &attributes,
        b"b",
    ]
    .concat();
    let imported = import(&archive(&[
        ("data.pkl", &pickle(&value)),
        ("data/0", &floats(&[3.0, 4.0])),
    ]));
    assert_eq!(values(&imported.tensors["w"]), [3.0, 4.0]);
}

#[test]
fn prefixes_of_wrappers_are_removed_and_reported() {
    let entries = [
        ("_orig_mod.model.inner.H_init", vector("0", 1)),
        ("module.lm_head.weight", vector("0", 1)),
        ("inner.model.module._orig_mod.L_init", vector("0", 1)),
        ("q_head.bias", vector("0", 1)),
    ];
    let imported = import(&state_dict(&entries, &[1.0]));
    let names: Vec<&str> = imported.tensors.keys().map(String::as_str).collect();
    assert_eq!(names, ["H_init", "L_init", "lm_head.weight", "q_head.bias"]);
    let notes = imported.notes.join("\n");
    for prefix in [
        "`_orig_mod.model.inner.`",
        "`module.`",
        "`inner.model.module._orig_mod.`",
    ] {
        let note = format!("prefix {prefix} removed from 1 names");
        assert!(notes.contains(&note), "{notes}");
    }
}

#[test]
fn two_models_in_one_file_are_told_apart_by_no_one() {
    let entries = [("model.w", vector("0", 1)), ("module.w", vector("0", 1))];
    let error = error_of(&state_dict(&entries, &[1.0]));
    assert!(
        error.contains("`w`") && error.contains("more than one model"),
        "{error}"
    );
}

#[test]
fn a_state_dict_among_other_things_is_found_and_reported() {
    for key in ["model", "state_dict", "model_state_dict"] {
        let inner = dict(&[("w", vector("0", 1))]);
        let entries = [
            ("epoch", b"K\x07".to_vec()),
            (key, inner),
            ("best", b"G\0\0\0\0\0\0\0\0".to_vec()),
        ];
        let imported = import(&state_dict(&entries, &[1.0]));
        assert_eq!(values(&imported.tensors["w"]), [1.0]);
        assert!(
            imported.notes[0].contains(&format!("`{key}`")),
            "{:?}",
            imported.notes
        );
    }
    let error = error_of(&state_dict(
        &[("weights", dict(&[("w", vector("0", 1))]))],
        &[1.0],
    ));
    assert!(error.contains("1 keys: `weights`"), "{error}");
}

#[test]
fn what_is_no_weight_is_left_out_and_reported() {
    let entries = [
        ("puzzle_emb.weights", vector("0", 2)),
        ("puzzle_emb.local_weights", vector("0", 2)),
        (
            "puzzle_emb.local_ids",
            view(storage("IntStorage", "0", 2), 0, &[2], &[1]),
        ),
        ("step", b"K\x07".to_vec()),
    ];
    let imported = import(&state_dict(&entries, &[1.0, 2.0]));
    assert_eq!(imported.tensors.len(), 1);
    let notes = imported.notes.join("\n");
    for said in [
        "`puzzle_emb.local_ids` (I32)",
        "`step` (no tensor)",
        "not needed: `puzzle_emb.local_weights`",
    ] {
        assert!(notes.contains(said), "{said:?} is missing: {notes}");
    }
}

#[test]
fn every_float_type_becomes_f32() {
    for (class, bytes) in [
        (
            "DoubleStorage",
            [1.5_f64.to_le_bytes(), (-0.25_f64).to_le_bytes()].concat(),
        ),
        ("FloatStorage", floats(&[1.5, -0.25])),
        (
            "HalfStorage",
            [0x3e00_u16.to_le_bytes(), 0xb400_u16.to_le_bytes()].concat(),
        ),
        (
            "BFloat16Storage",
            [0x3fc0_u16.to_le_bytes(), 0xbe80_u16.to_le_bytes()].concat(),
        ),
    ] {
        let tensor = view(storage(class, "0", 2), 0, &[2], &[1]);
        let files = [
            ("data.pkl", &pickle(&dict(&[("w", tensor)]))[..]),
            ("data/0", &bytes),
        ];
        let imported = import(&archive(&files));
        assert_eq!(values(&imported.tensors["w"]), [1.5, -0.25], "{class}");
    }
}

#[test]
fn views_of_one_storage_are_tensors_of_their_own() {
    let stored = || storage("FloatStorage", "0", 6);
    let entries = [
        ("rows", view(stored(), 0, &[2, 3], &[3, 1])),
        ("transposed", view(stored(), 0, &[3, 2], &[1, 3])),
        ("end", view(stored(), 4, &[2], &[1])),
        ("scalar", view(stored(), 5, &[], &[])),
        ("empty", view(stored(), 6, &[0, 3], &[3, 1])),
    ];
    let tensors = import(&state_dict(&entries, &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0])).tensors;
    assert_eq!(tensors["rows"].dims(), [2, 3]);
    assert_eq!(values(&tensors["rows"]), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    assert_eq!(tensors["transposed"].dims(), [3, 2]);
    assert_eq!(
        values(&tensors["transposed"]),
        [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]
    );
    assert_eq!(values(&tensors["end"]), [4.0, 5.0]);
    assert_eq!(values(&tensors["scalar"]), [5.0]);
    assert_eq!(tensors["empty"].dims(), [0, 3]);
}

#[test]
fn a_weight_that_is_no_number_is_named() {
    let error = error_of(&state_dict(&[("w", vector("0", 2))], &[1.0, f32::INFINITY]));
    assert!(error.contains("`w` holds inf at 1"), "{error}");
}

#[test]
fn safetensors_are_read_too() {
    let tensor = Tensor::new(&[1.0_f64, 2.0], &candle_core::Device::Cpu).expect("a tensor");
    let ids = Tensor::new(&[1_u8], &candle_core::Device::Cpu).expect("a tensor");
    let tensors = [("inner.H_init", tensor), ("ids", ids)];
    let bytes = safetensors::serialize(tensors, None).expect("bytes");
    let imported = import(&bytes);
    assert_eq!(imported.format, "safetensors");
    assert_eq!(values(&imported.tensors["H_init"]), [1.0, 2.0]);
    let notes = imported.notes.join("\n");
    assert!(notes.contains("`ids` (U8)"), "{notes}");
    for length in 9..bytes.len() {
        error_of(&bytes[..length]);
    }
}

#[test]
fn files_of_other_kinds_are_told_what_they_are() {
    // The first bytes of torch.save before 1.6: protocol 2, a magic number.
    let old = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.";
    let error = error_of(old);
    assert!(
        error.contains("before 1.6") && error.contains("save"),
        "{error}"
    );
    assert!(error_of(b"").contains("neither"));
    assert!(error_of(b"P5 1 1 255 x").contains("neither"));
    let pickled = pickle(&dict(&[("w", vector("0", 1))]));
    let script = [
        ("data.pkl", &pickled[..]),
        ("constants.pkl", b""),
        ("data/0", &[0; 4]),
    ];
    assert!(error_of(&archive(&script)).contains("TorchScript"));
    assert!(error_of(&archive(&[("version", b"3\n")])).contains("0 files named data.pkl"));
    let big = [
        ("data.pkl", &pickled[..]),
        ("byteorder", b"big"),
        ("data/0", &[0; 4]),
    ];
    assert!(error_of(&archive(&big)).contains("little-endian"));
}
