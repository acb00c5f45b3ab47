//! Files made to do harm: none runs anything, none takes much memory or time, each is refused with
//! a reason.

use crate::common::torch_file::{
    archive, archive_by, call, dict, error_of, floats, global, import, int, pickle, state_dict,
    storage, text, tuple, vector, view,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use zip::CompressionMethod;

/// What importing an archive with this value says is wrong.
#[track_caller]
fn refused(value: &[u8]) -> String {
    error_of(&archive(&[
        ("data.pkl", &pickle(value)),
        ("data/0", &floats(&[1.0; 6])),
    ]))
}

#[track_caller]
fn assert_says(error: &str, said: &[&str]) {
    for said in said {
        assert!(error.contains(said), "{said:?} is missing: {error}");
    }
}

/// A state dict of one tensor, which views a storage of six elements.
fn viewing(offset: i64, shape: &[i64], strides: &[i64]) -> Vec<u8> {
    let view = view(storage("FloatStorage", "0", 6), offset, shape, strides);
    dict(&[("w", view)])
}

#[test]
fn globals_that_could_run_something_are_refused_by_name() {
    for (module, name) in [
        ("os", "system"),
        ("posix", "system"),
        ("builtins", "eval"),
        ("__builtin__", "exec"),
        ("subprocess", "Popen"),
        ("torch", "load"),
        ("torch.hub", "load"),
        ("torch._utils", "_rebuild_tensor_v3"),
        ("collections", "OrderedDict.__class__"),
        ("numpy.core.multiarray", "_reconstruct"),
    ] {
        let run = call(&global(module, name), &[text("touch /tmp/owned")]);
        let wanted = format!("`{module}.{name}`");
        assert_says(&refused(&run), &[&wanted, "nothing was run"]);
    }
    let named_on_the_stack = [&text("os")[..], &text("system"), b"\x93", b")R"].concat();
    assert_says(&refused(&named_on_the_stack), &["`os.system`"]);
}

#[test]
fn allowed_globals_do_nothing_but_what_torch_save_uses_them_for() {
    let ordered = global("collections", "OrderedDict");
    for value in [
        call(&ordered, &[text("items")]),
        call(&global("torch", "FloatStorage"), &[int(1 << 40)]),
        call(&global("torch", "Size"), &[text("x")]),
        call(&global("torch._utils", "_rebuild_parameter"), &[int(1)]),
        call(&global("torch._utils", "_rebuild_parameter"), &[]),
        call(
            &global("torch._utils", "_rebuild_tensor_v2"),
            &vec![int(1); 6],
        ),
        call(&text("a text is no function"), &[]),
        // Attributes on a class, as a way to change it.
        [&ordered[..], b"}b"].concat(),
    ] {
        assert_says(&refused(&value), &["cannot be imported"]);
    }
}

#[test]
fn instructions_that_make_objects_are_refused() {
    for instruction in [
        &b"(i"[..],
        b"o",
        b"\x81",
        b"\x92",
        b"\x82\x01",
        b"P0\n",
        b"\x8f",
        b"0",
        b"2",
    ] {
        let value = [b"N)", instruction].concat();
        assert_says(&refused(&value), &["instruction 0x"]);
    }
}

#[test]
fn lengths_beyond_the_file_are_refused_before_memory_is_set_aside() {
    for value in [
        [&b"X"[..], &u32::MAX.to_le_bytes()].concat(),
        [&b"\x8d"[..], &u64::MAX.to_le_bytes()].concat(),
        b"\x8c\xffabc".to_vec(),
        b"\x8a\xff\x01".to_vec(),
        b"cos".to_vec(),
    ] {
        assert_says(&refused(&value), &["it ends too early"]);
    }
    assert_says(
        &refused(&[&[0x8a, 200][..], &[1; 200]].concat()),
        &["too large"],
    );
}

#[test]
fn a_stack_that_runs_empty_is_refused() {
    for value in [
        &b""[..],
        b"t",
        b"u",
        b"}s",
        b"(s",
        b"R",
        b"b",
        b"Q",
        b"q\0",
        b"h\0",
        b"(.",
        b"NN",
        b"}(Nu",
        b"Na",
    ] {
        assert_says(&refused(value), &["cannot be imported"]);
    }
    // What lies below a mark is out of reach above it.
    assert_says(&refused(b"}(NNs"), &["cannot be imported"]);
}

#[test]
fn nesting_of_any_depth_is_harmless() {
    let deep = [vec![b']'; 200_000], vec![b'a'; 199_999]].concat();
    assert_says(&refused(&deep), &["does not hold a dict"]);
    let deep = [
        &vec![b'}'; 1][..],
        &vec![b'('; 100_000],
        &vec![b't'; 100_000],
    ]
    .concat();
    assert_says(&refused(&deep), &["cannot be imported"]);
}

#[test]
fn values_that_hold_themselves_are_harmless() {
    // d = {}; d["self"] = d
    let value = [b"}q\0", &text("self")[..], b"h\0s"].concat();
    assert_says(&refused(&value), &["holds no tensors", "`self`"]);
    // l = []; l.append(l); {"model": l}
    let list = b"]q\0h\0a".to_vec();
    assert_says(&refused(&dict(&[("model", list)])), &["holds no tensors"]);
    // {"state_dict": the dict itself}
    let value = [b"}q\0(", &text("state_dict")[..], b"h\0u"].concat();
    assert_says(&refused(&value), &["holds no tensors"]);
}

#[test]
fn repetition_by_the_memo_takes_no_memory() {
    // Each tuple holds the one before twice: 2^20000 leaves if it were walked.
    let mut value = b"(Nq\0".to_vec();
    for _ in 0..20_000 {
        value.extend(b"h\0h\0\x86q\0");
    }
    value.push(b't');
    assert_says(&refused(&value), &["does not hold a dict"]);
    // A memo as large as it gets.
    let puts: Vec<u8> = (0..400_000_u32)
        .flat_map(|i| [&b"r"[..], &i.to_le_bytes()].concat())
        .collect();
    let value = [b"N", &puts[..]].concat();
    assert_says(&refused(&value), &["does not hold a dict"]);
    // One huge tuple as the shape of many tensors.
    let huge = [&b"("[..], &b"K\x01".repeat(100_000), b"tq\x01"].concat();
    let shape = [
        storage("FloatStorage", "0", 6),
        int(0),
        b"h\x01".to_vec(),
        b"h\x01".to_vec(),
    ];
    let tensor = call(&global("torch._utils", "_rebuild_tensor_v2"), &shape);
    assert_says(&refused(&[huge, tensor].concat()), &["at most 8 axes"]);
}

#[test]
fn programs_without_end_are_stopped() {
    assert_says(
        &refused(&vec![b'N'; 1 << 20]),
        &["more than", "instructions"],
    );
    assert_says(&refused(&vec![b'N'; 5 << 20]), &["over the limit of"]);
    let many: Vec<u8> = [b"q\0".to_vec(), b"h\0".repeat(100)].concat();
    assert_says(
        &refused(&[b"N", &many[..]].concat()),
        &["cannot be imported"],
    );
}

#[test]
fn views_beyond_their_storage_are_refused() {
    for (offset, shape, strides) in [
        (0, &[7][..], &[1][..]),
        (1, &[6], &[1]),
        (i64::MAX, &[1], &[1]),
        (0, &[2], &[i64::MAX]),
        (6, &[2, 2], &[i64::MAX, i64::MAX]),
        (0, &[i64::MAX, i64::MAX, 4], &[0, 0, 0]),
        (0, &[1 << 32, 1 << 32], &[0, 0]),
    ] {
        let error = refused(&viewing(offset, shape, strides));
        assert_says(&error, &["reaches beyond its storage of 6 elements"]);
    }
    for (offset, shape, strides) in [
        (-1, &[1][..], &[1][..]),
        (0, &[-1], &[1]),
        (0, &[2], &[-1]),
        (0, &[1; 9], &[1; 9]),
    ] {
        assert_says(
            &refused(&viewing(offset, shape, strides)),
            &["are not counts"],
        );
    }
    assert_says(
        &refused(&viewing(0, &[6], &[1, 1])),
        &["1 axes but 2 strides"],
    );
}

#[test]
fn storages_are_as_large_as_their_files() {
    for elements in [5, 7, 1 << 40, i64::MAX] {
        let tensor = view(storage("FloatStorage", "0", elements), 0, &[1], &[1]);
        assert_says(
            &refused(&dict(&[("w", tensor)])),
            &["storage 0 has 24 bytes"],
        );
    }
    let negative = view(storage("FloatStorage", "0", -1), 0, &[1], &[1]);
    assert_says(&refused(&dict(&[("w", negative)])), &["not described"]);
    for key in ["1", "../data.pkl", "/etc/passwd", ""] {
        assert_says(
            &refused(&dict(&[("w", vector(key, 6))])),
            &["cannot be read"],
        );
    }
    let untyped = global("torch.storage", "UntypedStorage");
    assert_says(&refused(&untyped), &["`torch.storage.UntypedStorage`"]);
}

#[test]
fn few_stored_numbers_do_not_become_many() {
    let error = refused(&viewing(0, &[1 << 28], &[0]));
    assert_says(&error, &["268435456 elements, but 6 are stored"]);
    assert_says(&refused(&viewing(0, &[1 << 30], &[0])), &["has more than"]);
    // The same from many tensors of one storage.
    let names: Vec<String> = (0..2000).map(|i| format!("w{i}")).collect();
    let tensor = view(storage("FloatStorage", "0", 6), 0, &[1 << 16], &[0]);
    let entries: Vec<_> = names
        .iter()
        .map(|name| (name.as_str(), tensor.clone()))
        .collect();
    assert_says(&refused(&dict(&entries)), &["but 6 are stored"]);
    // Nor by a storage that claims to be large.
    let claims = view(storage("FloatStorage", "0", 1 << 28), 0, &[1 << 28], &[1]);
    assert_says(
        &refused(&dict(&[("w", claims)])),
        &["storage 0 has 24 bytes"],
    );
}

#[test]
fn compressed_files_are_refused() {
    let pickled = pickle(&dict(&[("w", vector("0", 1 << 24))]));
    let bomb = archive_by(
        CompressionMethod::Deflated,
        &[("data.pkl", &pickled), ("data/0", &vec![0; 1 << 26])],
    );
    assert!(bomb.len() < 1 << 20, "it is a bomb");
    assert_says(&error_of(&bomb), &["is compressed"]);
}

#[test]
fn zip_directories_that_lie_are_refused() {
    let good = state_dict(&[("w", vector("0", 6))], &[1.0; 6]);
    let find = |pattern: &[u8], nth: usize| {
        let places = good.windows(pattern.len()).enumerate();
        let mut places = places.filter(|(_, window)| *window == pattern);
        places.nth(nth).expect("found").0
    };
    let changed = |at: usize, bytes: &[u8]| {
        let mut bad = good.clone();
        bad[at..at + bytes.len()].copy_from_slice(bytes);
        error_of(&bad)
    };
    // Sizes of the storage in the central directory: nearly 4 GiB in a file of 1 kB.
    let central = find(b"PK\x01\x02", 2);
    let sizes = [0xf0, 0xff, 0xff, 0xff].repeat(2);
    assert_says(&changed(central + 20, &sizes), &["overlap"]);
    // The storage's place: that of the pickle.
    assert_says(&changed(central + 42, &[0; 4]), &["overlap"]);
    // The number of files.
    let end = find(b"PK\x05\x06", 0);
    assert_says(&changed(end + 8, &[0xff; 4]), &["cannot be imported"]);
    // A damaged number.
    let number = find(&1.0_f32.to_le_bytes(), 0);
    assert_says(&changed(number, &[7]), &["cannot be read"]);
    // A hundred thousand files.
    let entry = &good[central..end];
    let mut many = good[..find(b"PK\x01\x02", 0)].to_vec();
    let start = many.len() as u32;
    many.extend(entry.repeat(60_000));
    let size = many.len() as u32 - start;
    many.extend(b"PK\x05\x06\0\0\0\0");
    many.extend(60_000_u16.to_le_bytes().repeat(2));
    many.extend([size.to_le_bytes(), start.to_le_bytes()].concat());
    many.extend([0, 0]);
    assert_says(&error_of(&many), &["cannot be imported"]);
}

#[test]
fn every_truncation_is_refused() {
    let good = state_dict(&[("model.w", vector("0", 6))], &[1.0; 6]);
    import(&good).expect("whole, it is good");
    for length in 0..good.len() {
        error_of(&good[..length]);
    }
    // And of the pickle within a whole archive.
    let good = pickle(&dict(&[("w", vector("0", 6))]));
    for length in 0..good.len() {
        error_of(&archive(&[
            ("data.pkl", &good[..length]),
            ("data/0", &floats(&[1.0; 6])),
        ]));
    }
}

#[test]
fn random_damage_is_never_more_than_an_error() {
    let tensors = [
        (
            "model.w",
            view(storage("FloatStorage", "0", 6), 0, &[2, 3], &[3, 1]),
        ),
        (
            "model.t",
            view(storage("FloatStorage", "0", 6), 0, &[3, 2], &[1, 3]),
        ),
    ];
    let whole = state_dict(&tensors, &[1.0; 6]);
    let program = pickle(&dict(&tensors));
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let mut damage = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        for _ in 0..=random.next_u32() % 4 {
            let at = random.next_u32() as usize % bytes.len();
            bytes[at] = random.next_u32() as u8;
        }
        bytes
    };
    let mut imported = 0;
    for _ in 0..3000 {
        imported += usize::from(import(&damage(&whole)).is_ok());
        // The archive's checksum would hide damage to the pickle, so it is made anew around it.
        let files = [
            ("data.pkl", &damage(&program)[..]),
            ("data/0", &floats(&[1.0; 6])),
        ];
        imported += usize::from(import(&archive(&files)).is_ok());
    }
    assert!(
        imported < 3000,
        "{imported} of 6000 damaged files were imported"
    );
}

#[test]
fn all_of_this_takes_little_memory() {
    // The largest programs that the limits let pass.
    let puts: Vec<u8> = (0..250_000_u32)
        .flat_map(|i| [&b"]r"[..], &i.to_le_bytes()].concat())
        .collect();
    refused(&[&puts[..], &tuple(&[])].concat());
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else {
        return;
    };
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|text| text.trim().trim_end_matches(" kB").parse::<usize>().ok());
    // One bomb of 64 MiB is made by a test of this file itself.
    assert!(peak.expect("a number") < 400_000, "{peak:?} kB");
}
