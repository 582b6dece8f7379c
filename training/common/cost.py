"""What a network costs: its parameters, and its multiply-accumulates."""
import torch
import torch.nn as nn


def count_parameters(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def macs_per_pixel(model: nn.Module, channels: tuple, size: int = 128) -> float:
    """Multiply-accumulates of all convolutions per pixel of the input, counted on a real pass.

    channels: of each input in turn; all are [1, channels, size, size].
    """
    total = 0

    def count(module, _inputs, output):
        nonlocal total
        kh, kw = module.kernel_size
        total += output.shape[2] * output.shape[3] * module.out_channels * module.in_channels * kh * kw

    hooks = [m.register_forward_hook(count) for m in model.modules() if isinstance(m, nn.Conv2d)]
    with torch.no_grad():
        model(*(torch.zeros(1, planes, size, size) for planes in channels))
    for hook in hooks:
        hook.remove()
    return total / size / size
