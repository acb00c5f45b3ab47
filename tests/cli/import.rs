//! `import`: a published checkpoint becomes a model file.

use crate::common::cli::{hrm, text};
use crate::common::map_folder::Folder;
use crate::common::torch_file::{archive, dict, floats, pickle, storage, view};
use hrm_planner::model::{SequenceConfig, SequenceFamily};

/// A published configuration, of a tiny HRM.
const CONFIG: &str = "\
arch:
  H_cycles: 2
  H_layers: 1
  L_cycles: 2
  L_layers: 2
  expansion: 4
  halt_exploration_prob: 0.1
  halt_max_steps: 16
  hidden_size: 16
  loss:
    name: losses@ACTLossHead
  name: hrm.hrm_act_v1@HierarchicalReasoningModel_ACTV1
  num_heads: 2
  pos_encodings: rope
  puzzle_emb_ndim: 16
epochs: 20000
";

/// What CONFIG describes, for Sudoku.
fn tiny() -> SequenceConfig {
    SequenceConfig {
        hidden_size: 16,
        num_heads: 2,
        h_layers: 1,
        l_layers: 2,
        puzzle_emb_ndim: 16,
        ..SequenceConfig::hrm(81, 11)
    }
}

/// A file of torch.save with these tensors, all values 0.5.
fn checkpoint(prefix: &str, tensors: &[(String, Vec<usize>)]) -> Vec<u8> {
    let largest = tensors
        .iter()
        .map(|(_, shape)| shape.iter().product::<usize>());
    let stored = largest.max().expect("tensors");
    let named: Vec<_> = tensors
        .iter()
        .map(|(name, shape)| {
            let mut strides: Vec<i64> = Vec::new();
            let mut stride = 1;
            for &side in shape.iter().rev() {
                strides.insert(0, stride);
                stride *= side as i64;
            }
            let shape: Vec<i64> = shape.iter().map(|&side| side as i64).collect();
            let storage = storage("FloatStorage", name, stored as i64);
            (
                format!("{prefix}{name}"),
                view(storage, 0, &shape, &strides),
            )
        })
        .collect();
    let entries: Vec<_> = named
        .iter()
        .map(|(name, view)| (name.as_str(), view.clone()))
        .collect();
    let pickled = pickle(&dict(&entries));
    let values = floats(&vec![0.5; stored]);
    let keys: Vec<String> = tensors
        .iter()
        .map(|(name, _)| format!("data/{name}"))
        .collect();
    let mut files = vec![("data.pkl", &pickled[..])];
    files.extend(keys.iter().map(|key| (key.as_str(), &values[..])));
    archive(&files)
}

#[test]
fn a_published_checkpoint_becomes_a_model_file() {
    let folder = Folder::new();
    let file = folder.write(
        "step_9",
        checkpoint("_orig_mod.model.inner.", &tiny().tensors()),
    );
    let config = folder.write("all_config.yaml", CONFIG);
    let out = folder.path("hrm.safetensors");
    let run = hrm([
        "import",
        text(&file),
        "--config",
        text(&config),
        "--out",
        text(&out),
    ]);
    assert_eq!(run.code, 0, "{run:?}");
    for said in [
        "PyTorch archive of 19 tensors",
        "H 1, L 2; attention of 2 heads",
        "81 tokens of 11 words, 1 for the puzzle's embedding",
        "prefix `_orig_mod.model.inner.` removed from 19 names",
        "11 words are those of Sudoku",
    ] {
        assert!(run.stdout.contains(said), "{said:?} is missing: {run:?}");
    }

    let info = hrm(["info", text(&out), "--json"]).json();
    assert_eq!(info["family"], "hrm");
    assert_eq!(info["parameters"], tiny().parameters());
    assert_eq!(info["config"]["H_layers"], 1);
    assert_eq!(info["training"]["recipe"], CONFIG);
    assert_eq!(info["training"]["imported_from"], "step_9");
    let told = hrm(["info", text(&out)]);
    assert!(
        told.stdout.contains("elsewhere; imported from step_9"),
        "{told:?}"
    );
}

#[test]
fn the_outcome_can_be_read_by_programs() {
    let folder = Folder::new();
    let config = SequenceConfig {
        family: SequenceFamily::Trm,
        mlp_t: true,
        h_layers: 0,
        puzzle_emb_len: Some(3),
        ..tiny()
    };
    let file = folder.write("trm.pt", checkpoint("", &config.tensors()));
    // The tensors tell the family, the layers and how long problems are.
    let keys = "arch: {H_cycles: 3, L_cycles: 6, expansion: 4, num_heads: 2, pos_encodings: none, \
                puzzle_emb_len: 3, halt_max_steps: 16, halt_exploration_prob: 0.1}";
    let yaml = folder.write("c.yaml", keys);
    let out = folder.path("trm.safetensors");
    let run = hrm([
        "import",
        text(&file),
        "--config",
        text(&yaml),
        "--out",
        text(&out),
        "--json",
    ]);
    let record = run.json();
    assert_eq!(record["family"], "trm");
    assert_eq!(record["config"]["seq_len"], 81);
    assert_eq!(record["config"]["mlp_t"], true);
    assert_eq!(record["config"]["L_layers"], 2);
    assert_eq!(record["written"], text(&out));
}

#[test]
fn everything_that_does_not_fit_is_said_at_once() {
    let folder = Folder::new();
    let mut tensors = tiny().tensors();
    tensors.retain(|(name, _)| name != "H_init" && name != "lm_head.weight");
    tensors.push(("decoder.weight".to_owned(), vec![2, 2]));
    for (name, shape) in &mut tensors {
        if name == "q_head.bias" {
            *shape = vec![3];
        }
    }
    let file = folder.write("step_9", checkpoint("model.", &tensors));
    let config = folder.write("all_config.yaml", CONFIG);
    let out = folder.path("hrm.safetensors");
    hrm([
        "import",
        text(&file),
        "--config",
        text(&config),
        "--out",
        text(&out),
    ])
    .fails(
        2,
        &[
            "step_9: 4 tensors do not fit",
            "`H_init` [16] is missing",
            "`lm_head.weight` [11, 16] is missing",
            "`q_head.bias` is [3], not [2]",
            "`decoder.weight` [2, 2] is not part of it",
        ],
    );
    assert!(!out.exists(), "nothing is written");
}

#[test]
fn keys_that_nothing_tells_are_all_named() {
    let folder = Folder::new();
    let file = folder.write("step_9", checkpoint("", &tiny().tensors()));
    let out = folder.path("hrm.safetensors");
    hrm(["import", text(&file), "--out", text(&out)]).fails(
        2,
        &[
            "`H_cycles`, `L_cycles`, `expansion`, `num_heads`, `pos_encodings`, `halt_max_steps`, \
             `halt_exploration_prob`",
            "all_config.yaml",
        ],
    );
    let unusual = SequenceConfig {
        vocab_size: 7,
        ..tiny()
    };
    let file = folder.write("step_9", checkpoint("", &unusual.tensors()));
    let config = folder.write("all_config.yaml", CONFIG);
    let arguments = [
        "import",
        text(&file),
        "--config",
        text(&config),
        "--out",
        text(&out),
    ];
    hrm(arguments).fails(2, &["vocabulary of 7", "seq_len"]);
    let run = hrm(arguments.into_iter().chain(["--seq-len", "25", "--json"]));
    assert_eq!(run.json()["config"]["seq_len"], 25);
}

#[test]
fn configurations_of_other_things_are_refused() {
    let folder = Folder::new();
    let file = folder.write("step_9", checkpoint("", &tiny().tensors()));
    let out = folder.path("hrm.safetensors");
    for (yaml, said) in [
        ("image: map.pgm", "`arch`"),
        ("arch: 3", "line 1"),
        ("arch: {H_cycles: many}", "line 1"),
        ("arch: [", "line 1"),
        (
            &CONFIG.replace("hrm_act_v1", "transformer"),
            "hrm.transformer@",
        ),
        (
            &CONFIG.replace("num_heads: 2", "num_heads: 3"),
            "`num_heads` is 3",
        ),
        (
            &CONFIG.replace("H_layers: 1", "H_layers: 99999999999"),
            "`H_layers`",
        ),
        (
            &CONFIG.replace("expansion: 4", "expansion: .nan"),
            "`expansion` is NaN",
        ),
        (
            &CONFIG.replace("hidden_size: 16", "hidden_size: 9999999999"),
            "`hidden_size`",
        ),
        (&" ".repeat(2 << 20), "more than 1048576 bytes"),
    ] {
        let config = folder.write("all_config.yaml", yaml);
        hrm([
            "import",
            text(&file),
            "--config",
            text(&config),
            "--out",
            text(&out),
        ])
        .fails(2, &[said]);
    }
}

#[test]
fn files_that_are_no_checkpoints_are_refused() {
    let folder = Folder::new();
    let out = folder.path("hrm.safetensors");
    let map = folder.write("map.pgm", "P5 1 1 255 x");
    hrm(["import", text(&map), "--out", text(&out)]).fails(2, &["map.pgm", "torch.save"]);
    let absent = folder.path("absent");
    hrm(["import", text(&absent), "--out", text(&out)]).fails(2, &["absent"]);
}

#[test]
fn an_imported_model_does_not_plan_and_says_so() {
    let folder = Folder::new();
    let file = folder.write("step_9", checkpoint("", &tiny().tensors()));
    let config = folder.write("all_config.yaml", CONFIG);
    let out = folder.path("hrm.safetensors");
    hrm([
        "import",
        text(&file),
        "--config",
        text(&config),
        "--out",
        text(&out),
    ]);
    let map = crate::common::cli::map(&folder, "...");
    hrm([
        "plan",
        text(&map),
        "--start",
        "0.5,0.5",
        "--goal",
        "2.5,0.5",
        "--model",
        text(&out),
    ])
    .fails(2, &["hrm.safetensors", "family hrm", "grid-hrm"]);
}
