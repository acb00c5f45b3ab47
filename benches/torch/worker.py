"""Runs PyTorch for the benchmarks, which are written in Rust (benches/common/worker.rs).

Requests come in on the standard input and answers go out on the standard output, one JSON object a
line; tensors go through safetensors files. A request's `call` is

load   a case: `case` (segment, sequence, step or matmul), `mode` (eager or compile), `threads`, and
       what the case needs: `config`, `weights` and `inputs` (files), `settings`. Everything is run
       once, in the fastest way of several, and what it said is written to the file `outputs`.
       Answers `way`, the one chosen.
run    the case loaded last in `mode`, `repetitions` times. Answers `seconds` of each.

An answer with `error` says what went wrong.
"""

import gc
import json
import logging
import os
import sys
import time
from collections.abc import Callable

import tensor_files
import torch
from grid_hrm import FORMULATIONS, GridHrm, from_file, to_file
from grid_step import GridStep
from sequence_hrm import SequenceHrm

# Compiling takes from seconds to minutes: only these ways are tried, the best of both kinds.
WORTH_COMPILING = ("linear", "convolution")
ROUNDS = 5
LONG = 0.5  # seconds; what takes longer is tried less often


def fastest(ways: dict[str, Callable]) -> str:
    """The name of the way that takes least time. All have run before."""
    best = dict.fromkeys(ways, float("inf"))
    for number in range(ROUNDS if len(ways) > 1 else 0):
        for name, way in ways.items():
            if number < 2 or best[name] < LONG:
                began = time.perf_counter()
                way()
                best[name] = min(best[name], time.perf_counter() - began)
    return min(best, key=best.get)


def compiled(function: Callable, mode: str) -> Callable:
    return torch.compile(function, fullgraph=True) if mode == "compile" else function


def formulations(mode: str, among: list[str]) -> list[str]:
    return [name for name in among if mode == "eager" or name in WORTH_COMPILING]


def segment(request: dict) -> tuple[dict[str, Callable], Callable]:
    """A segment of the grid model from an initial carry of zeros."""
    tensors, metadata = tensor_files.read(request["weights"])
    config = json.loads(metadata["config"])
    weights = {name: from_file(name, tensor) for name, tensor in tensors.items()}
    planes = tensor_files.read(request["inputs"])[0]["planes"]
    models, ways = {}, {}
    for name in formulations(request["mode"], list(FORMULATIONS)):
        model = models[name] = GridHrm(config, weights, name)
        e = model.encode(planes)
        run, zeros = compiled(model.segment, request["mode"]), torch.zeros_like(e)
        ways[name] = lambda run=run, e=e, zeros=zeros: run(zeros, zeros, e)

    def outputs(name: str) -> dict[str, torch.Tensor]:
        z_h, z_l = ways[name]()
        ops = models[name].ops
        return models[name].read_out(z_h) | {"z_h": ops.cells(z_h), "z_l": ops.cells(z_l)}

    return ways, outputs


def sequence(request: dict) -> tuple[dict[str, Callable], Callable]:
    """A segment of a published model from its initial carry."""
    model = SequenceHrm(request["config"], tensor_files.read(request["weights"])[0])
    inputs, _ = tensor_files.read(request["inputs"])
    e = model.encode(inputs["tokens"], inputs["puzzles"])
    z_h, z_l = model.initial_carry(e)
    run = compiled(model.segment, request["mode"])

    def outputs(_: str) -> dict[str, torch.Tensor]:
        z_h_after, z_l_after = run(z_h, z_l, e)
        return model.read_out(z_h_after) | {"z_h": z_h_after, "z_l": z_l_after}

    return {"fused attention and norm": lambda: run(z_h, z_l, e)}, outputs


def step(request: dict) -> tuple[dict[str, Callable], Callable]:
    """A training step of the grid model."""
    tensors, metadata = tensor_files.read(request["weights"])
    config = json.loads(metadata["config"])
    weights = {name: from_file(name, tensor) for name, tensor in tensors.items()}
    batch, _ = tensor_files.read(request["inputs"])

    def fresh(name: str) -> GridStep:
        return GridStep(config, weights, name, batch, request["settings"], request["mode"])

    apart = [name for name in FORMULATIONS if not name.endswith("joined")]
    names = formulations(request["mode"], apart)
    ways = {name: fresh(name).step for name in names}

    def outputs(name: str) -> dict[str, torch.Tensor]:
        """The gradient of the first step, and the loss before each of three."""
        learner = fresh(name)
        learner.gradient()
        said = {f"gradient.{n}": to_file(n, w.grad) for n, w in learner.weights.items()}
        return said | {"loss": torch.stack([learner.step() for _ in range(3)])}

    return ways, outputs


def matmul(request: dict) -> tuple[dict[str, Callable], Callable]:
    """The product of two square matrices."""
    inputs, _ = tensor_files.read(request["inputs"])
    a, b = inputs["a"], inputs["b"]
    return {"torch.mm": lambda: torch.mm(a, b)}, lambda _: {"product": torch.mm(a, b)}


CASES = {"segment": segment, "sequence": sequence, "step": step, "matmul": matmul}


class Worker:
    def __init__(self):
        self.loaded: dict[str, Callable] = {}
        self.learns = False

    def load(self, request: dict) -> dict:
        mode = request["mode"]
        self.loaded.pop(mode, None)
        gc.collect()
        torch._dynamo.reset()
        torch.set_num_threads(request["threads"])
        torch.manual_seed(1)
        with torch.inference_mode(request["case"] != "step"):
            ways, outputs = CASES[request["case"]](request)
            for way in ways.values():
                way()
            name = fastest(ways)
            tensor_files.write(request["outputs"], outputs(name))
        self.loaded[mode] = ways[name]
        self.learns = request["case"] == "step"
        return {"way": name}

    def run(self, request: dict) -> dict:
        case, seconds = self.loaded[request["mode"]], []
        with torch.inference_mode(not self.learns):
            for _ in range(request["repetitions"]):
                began = time.perf_counter()
                case()
                seconds.append(time.perf_counter() - began)
        return {"seconds": seconds}


def main() -> None:
    # Whatever prints to the standard output must not get between the answers.
    logging.getLogger("torch.utils.flop_counter").setLevel(logging.ERROR)  # there is no Triton
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    worker = Worker()
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = getattr(worker, request["call"])(request)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
