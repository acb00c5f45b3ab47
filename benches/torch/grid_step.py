"""A training step of the grid HRM in PyTorch: one segment, its losses, gradient, one AdamW step.

As training/src/planning does it: the gradient flows through the last H cycle only, the losses are
those of training/src/planning/loss.rs, gradients are clipped by their norm, biases do not decay,
and an average of the weights is kept.
"""

import torch
import torch.nn.functional as F
from grid_hrm import GridHrm
from torch.optim.swa_utils import get_ema_multi_avg_fn


def losses(said: dict[str, torch.Tensor], labels: dict[str, torch.Tensor]) -> torch.Tensor:
    """moves, value and halt, (3). Labels are (cells) or (cells, 8)."""
    moves = said["moves"].flatten(0, 2)
    value, q_halt = said["value"].flatten(), said["q_halt"].flatten()
    among_legal = (moves + labels["legal"]).logsumexp(-1)
    optimal = (moves + labels["optimal"]).logsumexp(-1)
    per_cell = (
        among_legal - optimal,
        F.huber_loss(value, labels["value"], reduction="none"),
        F.binary_cross_entropy_with_logits(q_halt, labels["good"], reduction="none"),
    )
    return torch.stack(per_cell) @ labels["weight"]


class GridStep:
    """A model in training on one batch. `settings` are the keys of a recipe's `[optimiser]`."""

    def __init__(
        self,
        config: dict,
        weights: dict[str, torch.Tensor],
        formulation: str,
        batch: dict[str, torch.Tensor],
        settings: dict,
        mode: str,
    ):
        self.weights = {name: w.clone().requires_grad_() for name, w in weights.items()}
        self.model = GridHrm(config, self.weights, formulation)
        self.batch = batch
        self.settings = settings
        ops = self.model.ops
        self.carry = [ops.state(batch[state]) for state in ("z_h", "z_l")]
        self.total = torch.compile(self.loss) if mode == "compile" else self.loss
        self.averages = [w.detach().clone() for w in self.weights.values()]
        self.average = get_ema_multi_avg_fn(settings["ema"])
        decay, still = [], []
        for name, w in self.weights.items():
            (still if name.endswith("bias") else decay).append(w)
        groups = [
            {"params": decay, "weight_decay": settings["weight_decay"]},
            {"params": still, "weight_decay": 0.0},
        ]
        rate, betas = settings["learning_rate"], tuple(settings["betas"])
        self.optimiser = torch.optim.AdamW(groups, lr=rate, betas=betas, eps=1e-8, fused=True)

    def loss(self, z_h: torch.Tensor, z_l: torch.Tensor) -> torch.Tensor:
        model = self.model
        e = model.encode(self.batch["planes"])
        with torch.no_grad():
            for _ in range(model.config["h_cycles"] - 1):
                z_h, z_l = model.cycle(z_h, z_l, e)
        z_h, _ = model.cycle(z_h, z_l, e)
        moves, value, halt = losses(model.read_out(z_h), self.batch)
        return moves + self.settings["value_loss"] * value + self.settings["halt_loss"] * halt

    def gradient(self) -> torch.Tensor:
        """The loss; gradients are left with the weights."""
        self.optimiser.zero_grad()
        loss = self.total(*self.carry)
        loss.backward()
        return loss.detach()

    def step(self) -> torch.Tensor:
        """One step; the loss before it."""
        loss = self.gradient()
        parameters = list(self.weights.values())
        torch.nn.utils.clip_grad_norm_(parameters, self.settings["clip"])
        self.optimiser.step()
        with torch.no_grad():
            self.average(self.averages, parameters, 1)
        return loss
