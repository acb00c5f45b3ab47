"""The grid HRM of one scale in PyTorch, written for speed, in the ways a PyTorch user may write it.

The equations are those of src/model/block.rs and src/model/grid_hrm.rs, on a batch of maps of one
size. Which way is fastest depends on the size of the batch, on the processor and on the version of
PyTorch; who measures tries all of `FORMULATIONS` and takes the fastest.
"""

import torch
import torch.nn.functional as F

EPS = 1e-6


class ChannelsLast:
    """States are (B, rows, columns, C). What acts on single cells is a linear map, or a convolution
    of one cell."""

    def __init__(self, by_convolution: bool):
        self.by_convolution = by_convolution

    def state(self, x: torch.Tensor) -> torch.Tensor:
        return x

    def cells(self, state: torch.Tensor) -> torch.Tensor:
        return state

    def depthwise(self, x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        y = F.conv2d(x.permute(0, 3, 1, 2), weight, padding=1, groups=weight.shape[0])
        return y.permute(0, 2, 3, 1)

    def mix(self, x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        if self.by_convolution:
            y = F.conv2d(x.permute(0, 3, 1, 2), weight[:, :, None, None])
            return y.permute(0, 2, 3, 1)
        return F.linear(x, weight)

    def halves(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return x.chunk(2, -1)

    def rms(self, x: torch.Tensor) -> torch.Tensor:
        return F.rms_norm(x, x.shape[-1:], None, EPS)


class ChannelsFirst:
    """States are (B, C, rows, columns), PyTorch's own layout of images."""

    def state(self, x: torch.Tensor) -> torch.Tensor:
        return x.permute(0, 3, 1, 2).contiguous()

    def cells(self, state: torch.Tensor) -> torch.Tensor:
        return state.permute(0, 2, 3, 1)

    def depthwise(self, x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        return F.conv2d(x, weight, padding=1, groups=weight.shape[0])

    def mix(self, x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        return F.conv2d(x, weight[:, :, None, None])

    def halves(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return x.chunk(2, 1)

    def rms(self, x: torch.Tensor) -> torch.Tensor:
        return x * torch.rsqrt(x.square().mean(1, keepdim=True) + EPS)


# name: operations, and whether gate and up are one matrix
FORMULATIONS = {
    "linear": (ChannelsLast(by_convolution=False), False),
    "linear, joined": (ChannelsLast(by_convolution=False), True),
    "convolution": (ChannelsLast(by_convolution=True), False),
    "convolution, joined": (ChannelsLast(by_convolution=True), True),
    "channels first": (ChannelsFirst(), False),
    "channels first, joined": (ChannelsFirst(), True),
}


def from_file(name: str, tensor: torch.Tensor) -> torch.Tensor:
    """A weight of a checkpoint, (inputs, outputs), as PyTorch stores it."""
    if name.endswith("depthwise"):
        return tensor.t().reshape(-1, 1, 3, 3).contiguous()
    return tensor.t().contiguous() if tensor.dim() == 2 else tensor


def to_file(name: str, tensor: torch.Tensor) -> torch.Tensor:
    """The reverse."""
    if name.endswith("depthwise"):
        return tensor.reshape(-1, 9).t().contiguous()
    return tensor.t().contiguous() if tensor.dim() == 2 else tensor


class GridHrm:
    """A model from its configuration and its weights by name, as `from_file` gives them."""

    def __init__(self, config: dict, weights: dict[str, torch.Tensor], formulation: str):
        self.config = config
        self.weights = weights
        self.ops, self.joined = FORMULATIONS[formulation]
        self.blocks = {
            module: [self.block_weights(f"{module}.{i}.") for i in range(config[f"{module}_blocks"])]
            for module in ("h", "l")
        }

    def block_weights(self, start: str) -> dict[str, torch.Tensor]:
        mine = {name[len(start) :]: w for name, w in self.weights.items() if name.startswith(start)}
        if self.joined:
            mine["gate_up"] = torch.cat((mine.pop("gate"), mine.pop("up")))
        return mine

    def encode(self, planes: torch.Tensor) -> torch.Tensor:
        """e from the planes (B, rows, columns, 9 x planes)."""
        weights = self.weights
        return self.ops.state(F.linear(planes, weights["embed.weight"], weights["embed.bias"]))

    def segment(
        self, z_h: torch.Tensor, z_l: torch.Tensor, e: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        for _ in range(self.config["h_cycles"]):
            z_h, z_l = self.cycle(z_h, z_l, e)
        return z_h, z_l

    def cycle(
        self, z_h: torch.Tensor, z_l: torch.Tensor, e: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        slow = z_h + e
        for _ in range(self.config["l_cycles"]):
            z_l = self.through("l", z_l + slow)
        return self.through("h", z_h + z_l), z_l

    def read_out(self, z_h: torch.Tensor) -> dict[str, torch.Tensor]:
        """Per cell: moves (B, rows, columns, moves), value, q_halt and q_continue."""
        z_h, w = self.ops.cells(z_h), self.weights
        moves, value, halt = (
            F.linear(z_h, w[f"head.{head}.weight"], w[f"head.{head}.bias"])
            for head in ("moves", "value", "halt")
        )
        return {
            "moves": moves,
            "value": value[..., 0],
            "q_halt": halt[..., 0],
            "q_continue": halt[..., 1],
        }

    def through(self, module: str, x: torch.Tensor) -> torch.Tensor:
        for weights in self.blocks[module]:
            x = self.block(x, weights)
        return x

    def block(self, x: torch.Tensor, w: dict[str, torch.Tensor]) -> torch.Tensor:
        ops = self.ops
        y = ops.rms(x + ops.mix(ops.depthwise(x, w["depthwise"]), w["mix"]))
        if self.joined:
            gate, up = ops.halves(ops.mix(y, w["gate_up"]))
        else:
            gate, up = ops.mix(y, w["gate"]), ops.mix(y, w["up"])
        return ops.rms(y + ops.mix(F.silu(gate) * up, w["down"]))
