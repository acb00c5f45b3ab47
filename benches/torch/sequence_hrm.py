"""The published models in PyTorch, written for speed: HRM (arXiv 2506.21734) and TRM (2510.04871).

The equations are those of src/model/sequence/mod.rs; keys of the configuration and names of the
weights are the published ones. Inference only.
"""

import dataclasses
import functools
import math
from collections.abc import Callable

import torch
import torch.nn.functional as F


def fused_rms(x: torch.Tensor, eps: float) -> torch.Tensor:
    return F.rms_norm(x, x.shape[-1:], None, eps)


@dataclasses.dataclass
class Ways:
    """How the operations that can be computed in several ways are; by default the fastest one."""

    linear: Callable = F.linear
    attention: Callable = F.scaled_dot_product_attention
    rms: Callable = fused_rms


def rotary_tables(places: int, channels: int, theta: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Cosines and sines, (1, T, 1, d), computed in float32 as published."""
    exponents = torch.arange(0, channels, 2, dtype=torch.float32) / channels
    angles = torch.outer(torch.arange(places, dtype=torch.float32), 1.0 / theta**exponents)
    angles = torch.cat((angles, angles), -1)[None, :, None]
    return angles.cos(), angles.sin()


def turn(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    first, second = x.chunk(2, -1)
    return x * cos + torch.cat((-second, first), -1) * sin


class SequenceHrm:
    """A model from its configuration and its weights by name."""

    def __init__(self, config: dict, weights: dict, dtype=torch.float32, ways: Ways | None = None):
        self.config = config
        self.weights = {name: tensor.to(dtype) for name, tensor in weights.items()}
        self.ways = ways or Ways()
        self.width = config["hidden_size"]
        self.heads = config["num_heads"]
        self.eps = config.get("rms_norm_eps", 1e-5)
        # HRM has as few puzzle tokens as hold the embedding; TRM says how many.
        few = math.ceil(config["puzzle_emb_ndim"] / self.width)
        self.puzzle_tokens = config.get("puzzle_emb_len") or few
        self.rotary = None
        if config["pos_encodings"] == "rope":
            places = self.puzzle_tokens + config["seq_len"]
            theta = config.get("rope_theta", 10_000.0)
            tables = rotary_tables(places, self.width // self.heads, theta)
            self.rotary = [table.to(dtype) for table in tables]
        # TRM has one net in both places.
        self.layers_l = self.layers("L_level", config["L_layers"])
        self.layers_h = self.layers("H_level", config["H_layers"]) or self.layers_l

    def layers(self, module: str, count: int) -> list[dict[str, torch.Tensor]]:
        layers = []
        for layer in range(count):
            start = f"{module}.layers.{layer}."
            mine = [name for name in self.weights if name.startswith(start)]
            short = {name: name[len(start) :].removesuffix(".weight") for name in mine}
            layers.append({short[name]: self.weights[name] for name in mine})
        return layers

    def encode(self, tokens: torch.Tensor, puzzles: torch.Tensor) -> torch.Tensor:
        """e, (B, T, D), from tokens (B, S) and puzzle identifiers (B)."""
        x = F.embedding(tokens.long(), self.weights["embed_tokens.embedding_weight"])
        if self.puzzle_tokens:
            rows = F.embedding(puzzles.long(), self.weights["puzzle_emb.weights"])
            rows = F.pad(rows, (0, self.puzzle_tokens * self.width - rows.shape[-1]))
            x = torch.cat((rows.unflatten(-1, (self.puzzle_tokens, self.width)), x), 1)
        return x * math.sqrt(self.width)

    def initial_carry(self, e: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """z_H and z_L, (B, T, D) each."""
        names = ("H_init", "L_init")
        z_h, z_l = (self.weights[name].expand_as(e).contiguous() for name in names)
        return z_h, z_l

    def segment(
        self, z_h: torch.Tensor, z_l: torch.Tensor, e: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        for _ in range(self.config["H_cycles"]):
            slow = z_h + e
            for _ in range(self.config["L_cycles"]):
                z_l = self.through(self.layers_l, z_l + slow)
            z_h = self.through(self.layers_h, z_h + z_l)
        return z_h, z_l

    def read_out(self, z_h: torch.Tensor) -> dict[str, torch.Tensor]:
        """logits (B, S, V), q_halt and q_continue (B)."""
        linear, w = self.ways.linear, self.weights
        q = linear(z_h[:, 0], w["q_head.weight"], w["q_head.bias"])
        logits = linear(z_h[:, self.puzzle_tokens :], w["lm_head.weight"])
        return {"logits": logits, "q_halt": q[:, 0], "q_continue": q[:, 1]}

    def through(self, layers: list[dict[str, torch.Tensor]], x: torch.Tensor) -> torch.Tensor:
        return functools.reduce(self.layer, layers, x)

    def layer(self, x: torch.Tensor, w: dict[str, torch.Tensor]) -> torch.Tensor:
        if "self_attn.qkv_proj" in w:
            y = self.rms(x + self.attend(x, w))
        else:
            x = x.transpose(1, 2)
            y = self.rms(x + self.gated(x, w, "mlp_t")).transpose(1, 2)
        return self.rms(y + self.gated(y, w, "mlp"))

    def attend(self, x: torch.Tensor, w: dict[str, torch.Tensor]) -> torch.Tensor:
        linear = self.ways.linear
        qkv = linear(x, w["self_attn.qkv_proj"]).unflatten(-1, (3 * self.heads, -1))
        q, k, v = qkv.chunk(3, 2)
        if self.rotary:
            q, k = turn(q, *self.rotary), turn(k, *self.rotary)
        q, k, v = (part.transpose(1, 2) for part in (q, k, v))
        mixed = self.ways.attention(q, k, v).transpose(1, 2).flatten(2)
        return linear(mixed, w["self_attn.o_proj"])

    def gated(self, x: torch.Tensor, w: dict[str, torch.Tensor], unit: str) -> torch.Tensor:
        linear = self.ways.linear
        gate, up = linear(x, w[f"{unit}.gate_up_proj"]).chunk(2, -1)
        return linear(F.silu(gate) * up, w[f"{unit}.down_proj"])

    def rms(self, x: torch.Tensor) -> torch.Tensor:
        return self.ways.rms(x, self.eps)
