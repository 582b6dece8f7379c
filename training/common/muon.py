"""Muon: momentum whose update is made orthogonal.

Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024
(https://kellerjordan.github.io/posts/muon/); the scale by matrix shape, which lets it share AdamW's learning
rate, from Liu et al., "Muon is scalable for LLM training", 2025 (arXiv:2502.16982), equation 4.
"""
import torch

# Quintic Newton-Schulz coefficients of the first source: five rounds bring all singular values near one.
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
ROUNDS = 5


def orthogonal(matrix: torch.Tensor) -> torch.Tensor:
    """[R,C] to about the nearest [R,C] with orthonormal rows or columns, computed in bf16."""
    a, b, c = COEFFICIENTS
    x = matrix.to(torch.bfloat16)
    tall = x.shape[0] > x.shape[1]
    if tall:
        x = x.t()
    x = x / (x.float().norm() + 1e-7).to(torch.bfloat16)
    for _ in range(ROUNDS):
        gram = x @ x.t()
        x = a * x + (b * gram + c * (gram @ gram)) @ x
    return (x.t() if tall else x).float()


class Muon(torch.optim.Optimizer):
    """For the weights of hidden layers only; a convolution [O,I,kh,kw] is the matrix [O, I*kh*kw].

    Biases, norms, first and last layers belong to AdamW.
    """

    def __init__(self, parameters, lr: float, momentum: float = 0.95, weight_decay: float = 0.0):
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                velocity = self.state[p].setdefault("velocity", torch.zeros_like(p))
                velocity.lerp_(p.grad, 1 - group["momentum"])
                update = p.grad.lerp(velocity, group["momentum"]).flatten(1)  # Nesterov's look ahead
                scale = 0.2 * max(update.shape) ** 0.5  # root mean square 0.2, as AdamW's steps have
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.add_(orthogonal(update).view_as(p), alpha=-group["lr"] * scale)
