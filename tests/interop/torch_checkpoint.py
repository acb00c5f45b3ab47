"""Writes checkpoints with the real PyTorch, for tests/models/import_torch.rs.

    torch_checkpoint.py FOLDER

FOLDER/step_39060        a state dict as the published HRM saves it: 27 M parameters, the names of a
                         compiled, wrapped model, first states in bfloat16
FOLDER/all_config.yaml   its configuration as the published program writes it
FOLDER/trm.pt            a small TRM with MLP mixing, in a dict beside other things, protocol 5
FOLDER/trm.yaml          its configuration
FOLDER/expected.json     per file and tensor: shape, sum, sum of magnitudes, and sampled values

Weights are random; names and shapes are those of the published programs.
"""

import json
import pathlib
import sys

import torch

ALL_CONFIG = """\
arch:
  H_cycles: 2
  H_layers: 4
  L_cycles: 2
  L_layers: 4
  expansion: 4
  halt_exploration_prob: 0.1
  halt_max_steps: 16
  hidden_size: 512
  loss:
    loss_type: stablemax_cross_entropy
    name: losses@ACTLossHead
  name: hrm.hrm_act_v1@HierarchicalReasoningModel_ACTV1
  num_heads: 8
  pos_encodings: rope
  puzzle_emb_ndim: 512
beta1: 0.9
beta2: 0.95
checkpoint_path: checkpoints/Maze-30x30-hard-1k ACT-torch/HRM
data_path: data/maze-30x30-hard-1k
epochs: 20000
eval_save_outputs: []
global_batch_size: 768
lr: 0.0001
puzzle_emb_lr: 0.0001
seed: 0
weight_decay: 1.0
"""

TRM_CONFIG = """\
arch:
  H_cycles: 3
  H_layers: 0
  L_cycles: 6
  L_layers: 2
  expansion: 4
  forward_dtype: bfloat16
  halt_exploration_prob: 0.1
  halt_max_steps: 16
  hidden_size: 64
  mlp_t: true
  name: recursive_reasoning.trm@TinyRecursiveReasoningModel_ACTV1
  no_ACT_continue: true
  num_heads: 4
  pos_encodings: none
  puzzle_emb_len: 16
  puzzle_emb_ndim: 64
"""


def gated_unit(width: int, expansion: int = 4) -> dict[str, tuple[int, ...]]:
    inner = -(round(expansion * width * 2 / 3) // -256) * 256
    return {"gate_up_proj.weight": (2 * inner, width), "down_proj.weight": (width, inner)}


def module(name: str, layers: int, hidden: int, mixed: int | None) -> dict[str, tuple[int, ...]]:
    shapes = {}
    for layer in range(layers):
        start = f"{name}.layers.{layer}"
        if mixed is None:
            shapes[f"{start}.self_attn.qkv_proj.weight"] = (3 * hidden, hidden)
            shapes[f"{start}.self_attn.o_proj.weight"] = (hidden, hidden)
        else:
            shapes |= {f"{start}.mlp_t.{k}": shape for k, shape in gated_unit(mixed).items()}
        shapes |= {f"{start}.mlp.{k}": shape for k, shape in gated_unit(hidden).items()}
    return shapes


def model(
    hidden: int, vocabulary: int, modules: dict[str, int], mixed: int | None = None
) -> dict[str, torch.Tensor]:
    shapes = {
        "H_init": (hidden,),
        "L_init": (hidden,),
        "embed_tokens.embedding_weight": (vocabulary, hidden),
        "lm_head.weight": (vocabulary, hidden),
        "q_head.weight": (2, hidden),
        "q_head.bias": (2,),
        "puzzle_emb.weights": (1, hidden),
    }
    for name, layers in modules.items():
        shapes |= module(name, layers, hidden, mixed)
    tensors = {name: torch.randn(shape) * 0.02 for name, shape in shapes.items()}
    for name in ("H_init", "L_init"):
        tensors[name] = tensors[name].to(torch.bfloat16)
    return tensors


def described(tensors: dict[str, torch.Tensor]) -> dict[str, dict]:
    records = {}
    for name, tensor in tensors.items():
        flat = tensor.detach().to(torch.float64).flatten()
        places = torch.linspace(0, flat.numel() - 1, min(16, flat.numel())).long().tolist()
        records[name] = {
            "shape": list(tensor.shape),
            "sum": flat.sum().item(),
            "magnitude": flat.abs().sum().item(),
            "samples": [[place, flat[place].item()] for place in places],
        }
    return records


def main(folder: pathlib.Path) -> None:
    torch.manual_seed(1)
    hrm = model(512, 6, {"H_level": 4, "L_level": 4})
    # A real module's state dict: OrderedDict with _metadata, wrapped names.
    wrapper = torch.nn.Module()
    state = wrapper.state_dict()
    state |= {f"_orig_mod.model.inner.{name}": tensor for name, tensor in hrm.items()}
    torch.save(state, folder / "step_39060")
    (folder / "all_config.yaml").write_text(ALL_CONFIG)

    trm = model(64, 11, {"L_level": 2}, mixed=81 + 16)
    # A transposed view and a shared storage, as fused or tied weights have.
    name = "L_level.layers.0.mlp.down_proj.weight"
    trm[name] = trm[name].t().contiguous().t()
    trm["lm_head.weight"] = trm["embed_tokens.embedding_weight"]
    state = {f"model.inner.{name}": torch.nn.Parameter(tensor) for name, tensor in trm.items()}
    state["model.inner.puzzle_emb.local_weights"] = torch.zeros(8, 64)
    state["model.inner.puzzle_emb.local_ids"] = torch.zeros(8, dtype=torch.int32)
    whole = {"step": 7, "shape": torch.Size([1]), "dtype": torch.bfloat16, "state_dict": state}
    torch.save(whole, folder / "trm.pt", pickle_protocol=5)
    (folder / "trm.yaml").write_text(TRM_CONFIG)

    expected = {"step_39060": described(hrm), "trm.pt": described(trm)}
    (folder / "expected.json").write_text(json.dumps(expected))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
