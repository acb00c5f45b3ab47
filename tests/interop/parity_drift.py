"""How far PyTorch itself drifts from the reference vectors of the published models.

    parity_drift.py [FOLDER]

The vectors (FOLDER, default ../shared/reference) were recorded from the published PyTorch code in
float32 on a CPU. Here the same models, weights and inputs run in PyTorch once more: with the very
operations of the published code, on one thread and two; with one of them replaced by another that
is the same in exact arithmetic; and in float64. Printed is, for each tensor, the largest error
relative to the value (to 0.1 where the value is smaller), so that the bound of docs/parity.md, 1e-4
of a value or 1e-5, is 1e-4 here. Only what the published operations give says anything about an
implementation; what all others give is rounding, and how far the model amplifies it.
"""

import json
import pathlib
import sys

import torch

ROOT = pathlib.Path(__file__).parents[2]
sys.path.append(str(ROOT / "benches/torch"))

import tensor_files  # noqa: E402
from sequence_hrm import SequenceHrm, Ways  # noqa: E402

FILES = ("hrm-tiny", "hrm-maze", "trm-tiny", "trm-mlp-tiny")
KINDS = ("logits", "q_halt", "q_continue", "z_H", "z_L")
FLOOR = 0.1


def published_rms(x: torch.Tensor, eps: float) -> torch.Tensor:
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + eps)


def plain_attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    return (q @ k.transpose(-2, -1) * q.shape[-1] ** -0.5).softmax(-1) @ v


def linear_by_einsum(x: torch.Tensor, weight: torch.Tensor, bias=None) -> torch.Tensor:
    y = torch.einsum("oi,...i->...o", weight, x)
    return y if bias is None else y + bias


def linear_by_sums(x: torch.Tensor, weight: torch.Tensor, bias=None) -> torch.Tensor:
    """All products, then PyTorch's own sum: no matrix product at all."""
    y = (x.unsqueeze(-2) * weight).sum(-1)
    return y if bias is None else y + bias


PUBLISHED = Ways(rms=published_rms)
# title: type, threads, whether oneDNN may be used, operations
RUNS = {
    "1 thread": (torch.float32, 1, True, PUBLISHED),
    "2 threads": (torch.float32, 2, True, PUBLISHED),
    "no oneDNN": (torch.float32, 1, False, PUBLISHED),
    "rms_norm": (torch.float32, 1, True, Ways()),
    "softmax": (torch.float32, 1, True, Ways(rms=published_rms, attention=plain_attention)),
    "einsum": (torch.float32, 1, True, Ways(rms=published_rms, linear=linear_by_einsum)),
    "sums": (torch.float32, 1, True, Ways(rms=published_rms, linear=linear_by_sums)),
    "float64": (torch.float64, 1, True, PUBLISHED),
}


class Reference:
    """A file of reference vectors."""

    def __init__(self, path: pathlib.Path):
        self.tensors, metadata = tensor_files.read(path)
        self.config = json.loads(metadata["config"])["cfg"]
        start = "w.inner."
        named = self.tensors.items()
        self.weights = {name[len(start) :]: t for name, t in named if name.startswith(start)}
        self.segments = sum(name.startswith("eval.") and name.endswith(".z_H") for name, _ in named)

    def recorded(self, segment: int, kind: str) -> torch.Tensor:
        return self.tensors[f"eval.{segment}.{kind}"].double()


@torch.inference_mode()
def run(reference: Reference, dtype: torch.dtype, ways: Ways, going_on: bool) -> list[dict]:
    """What the model says after each segment, by kind."""
    model = SequenceHrm(reference.config, reference.weights, dtype, ways)
    e = model.encode(reference.tensors["in.inputs"], reference.tensors["in.puzzle_identifiers"])
    carry, said = model.initial_carry(e), []
    for segment in range(1, reference.segments + 1):
        if segment > 1 and not going_on:
            carry = [reference.recorded(segment - 1, kind).to(dtype) for kind in ("z_H", "z_L")]
        carry = model.segment(*carry, e)
        said.append(model.read_out(carry[0]) | {"z_H": carry[0], "z_L": carry[1]})
    return said


def error(said: torch.Tensor, recorded: torch.Tensor) -> float:
    return ((said.double() - recorded).abs() / recorded.abs().clamp(min=FLOOR)).max().item()


def print_table(name: str, reference: Reference, going_on: bool) -> None:
    columns = []
    for dtype, threads, onednn, ways in RUNS.values():
        torch.set_num_threads(threads)
        torch.backends.mkldnn.set_flags(onednn)
        columns.append(run(reference, dtype, ways, going_on))
    manner = "the carry going on" if going_on else "each segment from the recorded carry"
    print(f"\n{name}, {manner}")
    print(f"{'tensor':10} segment  " + "  ".join(f"{title:>9}" for title in RUNS))
    for kind in KINDS:
        for segment in range(1, reference.segments + 1):
            recorded = reference.recorded(segment, kind)
            errors = (error(said[segment - 1][kind], recorded) for said in columns)
            row = "  ".join(f"{worst:9.1e}" if worst else f"{'equal':>9}" for worst in errors)
            print(f"{kind:10} {segment:7}  {row}")


def main(folder: pathlib.Path) -> None:
    for name in FILES:
        path = folder / f"{name}.safetensors"
        if not path.exists():
            print(f"{path} is not there: skipped")
            continue
        for going_on in (True, False):
            print_table(name, Reference(path), going_on)


if __name__ == "__main__":
    default = ROOT.parent / "shared/reference"
    main(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else default)
