"""What 8-bit convolutions would cost: PSNR with weights and inputs of every convolution rounded to 8 bits.

  /usr/bin/python3 quantise_check.py --checkpoint <run>/checkpoint.pt --eval <cbsd68> [--pictures 12]

Weights: symmetric, one scale per output channel. Inputs: asymmetric, one scale per convolution, its range the 0.01 % to
99.99 % quantiles (or all of it, whichever gives the better result) over calibration pictures. Arithmetic stays float, so
this is the best case of an integer runtime.
"""
import argparse
from pathlib import Path
import torch
from torch import nn
import train
from data import load, picture_paths
from evaluate import add_noise, load_model

SIGMAS = (15, 25, 50)


def centre(path) -> torch.Tensor:
    picture = torch.from_numpy(load(path)).permute(2, 0, 1).float() / 255
    top, left = (picture.shape[1] - 192) // 2, (picture.shape[2] - 192) // 2
    return picture[:, top:top + 192, left:left + 192]


@torch.no_grad()
def measure(model, pictures) -> list:
    result = []
    for sigma in SIGMAS:
        level = torch.full((1, 1, 192, 192), sigma / 255)
        values = [train.psnr(model(add_noise(p, sigma / 255, i)[None], level)[0], p) for i, p in enumerate(pictures)]
        result.append(sum(values) / len(values))
    return result


def rounded_weights(model):
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            scale = module.weight.abs().amax((1, 2, 3), keepdim=True) / 127
            module.weight.data = (module.weight / scale).round() * scale


def observe(model, pictures, tail: float) -> dict:
    """module -> (low, high) of its inputs."""
    seen = {}

    def look(module, inputs):
        x = inputs[0].flatten()
        kept = x[:: max(1, x.numel() // 200_000)].sort().values
        cut = int(tail * len(kept))
        low, high = float(kept[cut]), float(kept[-1 - cut])
        before = seen.get(module, (0.0, 0.0))
        seen[module] = (min(before[0], low), max(before[1], high))

    hooks = [m.register_forward_pre_hook(look) for m in model.modules() if isinstance(m, nn.Conv2d)]
    measure(model, pictures)
    for hook in hooks:
        hook.remove()
    return seen


def rounded_inputs(ranges: dict) -> list:
    def hook(module, inputs):
        low, high = ranges[module]
        step = max((high - low) / 255, 1e-9)
        return (((inputs[0].clamp(low, high) - low) / step).round() * step + low,)
    return [module.register_forward_pre_hook(hook) for module in ranges]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--eval", required=True, type=Path)
    parser.add_argument("--pictures", type=int, default=12)
    args = parser.parse_args()
    torch.set_num_threads(1)
    model, _ = load_model(args.checkpoint)
    paths = picture_paths(args.eval)
    step = max(1, len(paths) // args.pictures)
    pictures, calibration = [centre(p) for p in paths[::step]], [centre(p) for p in paths[1::step * 3]]
    show = lambda name, row: print(f"{name:34s}" + "  ".join(f"{v:6.3f}" for v in row), flush=True)
    exact = measure(model, pictures)
    show("float32", exact)
    ranges = [(tail, observe(model, calibration, tail)) for tail in (0.0, 1e-4)]
    rounded_weights(model)
    show("8-bit weights", measure(model, pictures))
    for tail, seen in ranges:
        hooks = rounded_inputs(seen)
        row = measure(model, pictures)
        show(f"8-bit weights and inputs, tail {tail:g}", row)
        show("  loss", [a - b for a, b in zip(exact, row)])
        for hook in hooks:
            hook.remove()


if __name__ == "__main__":
    main()
