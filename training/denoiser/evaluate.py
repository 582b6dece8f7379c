"""PSNR of a trained denoiser on Gaussian noise, by the protocol of the published tables.

  /usr/bin/python3 evaluate.py --checkpoint <run>/checkpoint.pt --eval <folder with cbsd68/ and kodak24/>

White Gaussian noise of fixed seed, neither clipped nor rounded, is added to the 8-bit picture; the denoiser
is told the true level; its output is clipped and rounded to 8 bits; the PSNRs of the pictures are averaged.
"""
import argparse
import json
from pathlib import Path
import sys
import time
import numpy as np
import torch
import torch.nn.functional as F
from data import load, picture_paths
from model import build
from train import psnr

SETS = ("cbsd68", "kodak24")
SIGMAS = (15, 25, 50)
SEED = 0


def load_model(checkpoint, weights: str = "ema"):
    """(model in float32 with the averaged weights, the checkpoint's contents)."""
    state = torch.load(checkpoint, map_location="cpu")
    model = build(state["config"])
    model.load_state_dict(state[weights])
    return model.eval().to(memory_format=torch.contiguous_format), state


@torch.no_grad()
def denoise(model, noisy: torch.Tensor, sigma: float) -> torch.Tensor:
    """[3,H,W] of any size to the same; sigma in units of full scale. Edges are reflected to a whole size."""
    _, height, width = noisy.shape
    padded = F.pad(noisy[None], (0, -width % model.stride, 0, -height % model.stride), mode="reflect")
    level = torch.full((1, 1, *padded.shape[2:]), sigma)
    return model(padded, level)[0, :, :height, :width]


def add_noise(clean: torch.Tensor, sigma: float, index: int, seed: int = SEED) -> torch.Tensor:
    """clean [3,H,W] in 0..1; sigma in units of full scale."""
    noise = np.random.default_rng((seed, index)).standard_normal(tuple(clean.shape)).astype(np.float32)
    return clean + sigma * torch.from_numpy(noise)


def evaluate_set(run, folder, sigmas=SIGMAS, limit=None) -> dict:
    """run(noisy, sigma) denoises one picture. Returns {"15": {"psnr": dB}, ...}."""
    result = {}
    for sigma in sigmas:
        values = []
        for index, path in enumerate(picture_paths(folder)[:limit]):
            clean = torch.from_numpy(load(path)).permute(2, 0, 1).float() / 255
            values.append(psnr(run(add_noise(clean, sigma / 255, index), sigma / 255), clean))
        result[str(sigma)] = {"psnr": round(sum(values) / len(values), 3)}
    return result


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--eval", required=True)
    parser.add_argument("--sets", nargs="+", default=SETS)
    parser.add_argument("--limit", type=int, help="only the first pictures of each set")
    parser.add_argument("--weights", default="ema", choices=("ema", "model"))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", help="write the JSON here too")
    args = parser.parse_args(argv)
    torch.set_num_threads(args.threads)
    model, state = load_model(args.checkpoint, args.weights)
    start = time.time()
    metrics = {name: evaluate_set(lambda noisy, sigma: denoise(model, noisy, sigma), Path(args.eval) / name,
                                  limit=args.limit) for name in args.sets}
    text = json.dumps({"step": state["step"], "limit": args.limit, "metrics": metrics}, indent=2)
    print(text)
    print(f"{time.time() - start:.0f} s", file=sys.stderr)
    if args.out:
        Path(args.out).write_text(text + "\n")


if __name__ == "__main__":
    main()
