"""Asks a denoiser how strong noise is that cameras, scaling or JPEG have changed.

  /usr/bin/python3 labels.py --data <folder> --denoiser <run>/checkpoint.pt --out labels.pt [--count 6000]

Such noise is no longer white, and a denoiser that is told its deviation leaves most of it. So every patch is denoised
with its deviation map times each of FACTORS, and the target is the map times the smallest factor whose error is within 1 %
of the best: the level that serves this denoiser. Patches of validation pictures come last.
"""
import argparse
import json
from pathlib import Path
import sys
import time
import numpy as np
import torch
from samples import CELL, HELD_OUT, PATCH, SIGMA_MAX, Pictures, as_file, cells, processed, split

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "denoiser"))  # its model, not the one beside this file
from data import load, picture_paths  # noqa: E402
from evaluate import load_model  # noqa: E402

FACTORS = (0.0, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0, 5.6, 8.0)
ENOUGH = 1.01


@torch.no_grad()
def errors(model, noisy: torch.Tensor, reference: torch.Tensor, deviation: torch.Tensor, dtype) -> torch.Tensor:
    """Mean squared error of the clipped result by factor; noisy as the file holds it, in 0..1."""
    factors = torch.tensor(FACTORS).view(-1, 1, 1, 1)
    sigma = (factors * deviation).clamp(max=SIGMA_MAX / 255)
    batch = noisy[None].expand(len(FACTORS), -1, -1, -1)
    residual = model.residual(batch.to(dtype).contiguous(memory_format=torch.channels_last), sigma.to(dtype)).float()
    out = (batch - residual).clamp(0, 1)
    out[0] = noisy  # no noise: the application leaves the picture alone
    return (out - reference).pow(2).mean((1, 2, 3))


def best_factor(error: torch.Tensor) -> float:
    """The smallest factor with an error of at most ENOUGH times the best, interpolated between the two that enclose it."""
    limit = float(error.min()) * ENOUGH
    first = int((error <= limit).nonzero()[0])
    if first == 0:
        return 0.0
    above, below = float(error[first - 1]), float(error[first])
    share = (above - limit) / (above - below)
    low, high = FACTORS[first - 1], FACTORS[first]
    return low + share * (high - low)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder of clean pictures")
    parser.add_argument("--denoiser", required=True, help="checkpoint of the fast denoiser")
    parser.add_argument("--out", required=True)
    parser.add_argument("--count", type=int, default=6000)
    parser.add_argument("--seed", type=int, default=20261121)
    parser.add_argument("--precision", choices=("bf16", "fp32"), default="bf16")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    dtype = torch.bfloat16 if args.precision == "bf16" else torch.float32
    model, state = load_model(args.denoiser)
    model = model.to(dtype).to(memory_format=torch.channels_last)
    rng = np.random.default_rng(args.seed)
    generator = torch.Generator().manual_seed(args.seed)
    paths = picture_paths(args.data)
    validation = args.count // HELD_OUT
    noisy = torch.zeros(args.count, 3, PATCH, PATCH, dtype=torch.uint8)
    target = torch.zeros(args.count, PATCH // CELL, PATCH // CELL)
    gain, factor = torch.zeros(args.count), torch.zeros(args.count)
    start = time.time()
    for held_out, begin, end in ((False, 0, args.count - validation), (True, args.count - validation, args.count)):
        pictures = Pictures([load(p) for p in split(paths, held_out)], rng)
        for index in range(begin, end):
            picture, reference, deviation = processed(pictures, generator)
            noisy[index] = as_file(picture)
            error = errors(model, noisy[index].float() / 255, reference, deviation, dtype)
            factor[index] = best_factor(error)
            target[index] = cells(factor[index] * deviation)
            gain[index] = 10 * torch.log10(error[0] / error.min())
            if index % 500 == 499:
                print(f"{index + 1}: {time.time() - start:.0f} s, median factor {factor[:index + 1].median():.2f}, "
                      f"median gain {gain[:index + 1].median():.2f} dB", flush=True)
    torch.save({"noisy": noisy, "target": target, "factor": factor, "gain": gain, "validation": validation, "seed": args.seed,
                "denoiserSteps": state["step"], "seconds": time.time() - start}, args.out)
    print(json.dumps({"count": args.count, "seconds": round(time.time() - start), "median factor": round(float(factor.median()), 3)}))


if __name__ == "__main__":
    main()
