"""Trains the noise estimator.

  /usr/bin/python3 train.py --config config.json --data <folder> --run <folder>

A batch holds patches with processed noise, with white noise and without any (samples.py). The schedule follows the steps of the config; the run folder gets checkpoint.pt and log.jsonl. --resume goes on
from the checkpoint; --init starts from another's averaged weights.

Loss: the negative log-likelihood of the target under the Laplace distribution that the network states for its cell,
asymmetric (Koenker and Machado, 1999): `quantile` above one half, because noise that is overlooked stays in the
picture, while a little too much costs a clean one next to nothing.
"""
import argparse
import copy
import json
import math
import os
from pathlib import Path
import sys
import time
import numpy as np
import torch
from model import Estimator
from samples import CELL, PATCH, Pictures, harmless, processed, split, white  # also puts ../denoiser on the path
from data import load, picture_paths

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "common"))
from cost import count_parameters, macs_per_pixel  # noqa: E402
from muon import Muon  # noqa: E402

SIDE = PATCH - CELL  # patches are cut to this at any offset, so that JPEG's grid lies anywhere


def shifted(patch: torch.Tensor, target: torch.Tensor, rng: np.random.Generator):
    """bytes [3,P,P] and target [2,h,w] to (float [3,S,S], [2,h-1,w-1]), turned, mirrored, at a random offset, colours permuted."""
    y, x = (int(v) for v in rng.integers(0, CELL + 1, 2))
    picture = patch[:, y:y + SIDE, x:x + SIDE].float() / 255
    fy, fx = y / CELL, x / CELL
    rows = (1 - fy) * target[:, :-1] + fy * target[:, 1:]
    moved = (1 - fx) * rows[:, :, :-1] + fx * rows[:, :, 1:]
    turns = int(rng.integers(4))
    picture, moved = torch.rot90(picture, turns, (1, 2)), torch.rot90(moved, turns, (1, 2))
    if rng.random() < 0.5:
        picture, moved = picture.flip(2), moved.flip(2)
    if rng.random() < 0.3:
        picture = picture[torch.from_numpy(rng.permutation(3))]
    return picture, moved


class Batches:
    """(image [N,3,S,S], target [N,2,h,w]), in the order processed, white, harmless by the config's counts.

    Patches with processed noise take as long to make as half a step: they come from a store, of which one is
    replaced at every second batch. The store is made anew when a run is resumed.
    """

    def __init__(self, paths: list, validation: bool, config: dict, seed: int):
        self.rng = np.random.default_rng(seed)
        self.generator = torch.Generator().manual_seed(seed)
        self.pictures = Pictures([load(p) for p in split(paths, validation)], self.rng)
        self.counts = config["batch"]
        self.store = [processed(self.pictures, self.generator) for _ in range(config["store"] // (8 if validation else 1))]

    def next(self):
        if self.rng.random() < 0.5:
            self.store[self.rng.integers(len(self.store))] = processed(self.pictures, self.generator)
        samples = [self.store[self.rng.integers(len(self.store))] for _ in range(self.counts["processed"])]
        samples += [white(self.pictures, self.generator) for _ in range(self.counts["white"])]
        samples += [harmless(self.pictures) for _ in range(self.counts["harmless"])]
        images, targets = zip(*[shifted(patch, target, self.rng) for patch, target in samples])
        image = torch.stack(images)
        if self.rng.random() < 0.15:  # 16-bit files have values between the levels of 8 bits
            image = image + (torch.rand(image.shape, generator=self.generator) - 0.5) / 255
        return image, torch.stack(targets)


def likelihood(out: torch.Tensor, target: torch.Tensor, quantile: float) -> torch.Tensor:
    """Negative log-likelihood by sample, [N]; a level between the least and the most that it may be is no error."""
    level, scale = out.float().unbind(1)
    least, most = target.unbind(1)
    error = 2 * quantile * (least - level).clamp_min(0) + 2 * (1 - quantile) * (level - most).clamp_min(0)
    return (error * torch.exp(-scale) + scale).mean((1, 2))


def save(path: Path, state: dict):
    temporary = path.with_suffix(".tmp")
    torch.save(state, temporary)
    os.replace(temporary, path)


@torch.no_grad()
def validate(model, batches: Batches, count: int) -> dict:
    """By kind of noise, on pictures not trained on: mean absolute error of a patch's t, weighed by certainty, and its mean."""
    errors = {kind: [] for kind in batches.counts}
    for _ in range(count):
        image, target = batches.next()
        level, scale = model(image).unbind(1)
        least, most = target.unbind(1)
        weight = torch.exp(-2 * scale)
        difference = (level - most).clamp_min(0) - (least - level).clamp_min(0)
        difference = (difference * weight).sum((1, 2)) / weight.sum((1, 2))
        start = 0
        for kind, number in batches.counts.items():
            errors[kind] += difference[start:start + number].tolist()
            start += number
    return {kind: {"error": round(float(np.abs(e).mean()), 4), "bias": round(float(np.mean(e)), 4)} for kind, e in errors.items()}


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", required=True)
    parser.add_argument("--data", required=True, help="folder of clean pictures")
    parser.add_argument("--run", required=True)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--init")
    args = parser.parse_args(argv)
    config = json.loads(Path(args.config).read_text())
    steps = args.steps or config["steps"]
    torch.set_num_threads(args.threads)
    torch.manual_seed(config["seed"])
    run = Path(args.run)
    run.mkdir(parents=True, exist_ok=True)
    dtype = torch.bfloat16 if config["precision"] == "bf16" else torch.float32
    master = Estimator(tuple(config["widths"]))  # float32: what the optimiser moves
    ema = copy.deepcopy(master)
    hidden = [p for p in master.parameters() if p.dim() == 4][1:-1]  # Muon's; the rest is AdamW's
    rest = [p for p in master.parameters() if all(p is not h for h in hidden)]
    optimisers = [torch.optim.AdamW(rest, lr=config["lr"], weight_decay=config["weightDecay"]),
                  Muon(hidden, lr=config["lr"], weight_decay=config["weightDecay"])]
    paths = picture_paths(args.data)
    batches = Batches(paths, False, config, config["seed"])
    step, elapsed = 0, 0.0
    checkpoint = run / "checkpoint.pt"
    if args.resume and checkpoint.exists():
        state = torch.load(checkpoint, map_location="cpu")
        master.load_state_dict(state["model"])
        ema.load_state_dict(state["ema"])
        for optimiser, saved_state in zip(optimisers, state["optimisers"]):
            optimiser.load_state_dict(saved_state)
        step, elapsed = state["step"], state["elapsed"]
        batches.rng.bit_generator.state = state["rng"]
        batches.generator.set_state(state["generator"])
    elif args.init:
        weights = torch.load(args.init, map_location="cpu")["ema"]
        master.load_state_dict(weights)
        ema.load_state_dict(weights)
    net = copy.deepcopy(master).to(dtype).to(memory_format=torch.channels_last)
    pairs = list(zip(master.parameters(), net.parameters()))
    log = open(run / "log.jsonl", "a")

    def write(**entry):
        log.write(json.dumps(entry) + "\n")
        log.flush()

    def state() -> dict:
        return {"model": master.state_dict(), "ema": ema.state_dict(), "optimisers": [o.state_dict() for o in optimisers], "step": step,
                "elapsed": elapsed, "rng": batches.rng.bit_generator.state, "generator": batches.generator.get_state(),
                "config": config, "steps": steps, "threads": args.threads, "init": bool(args.init)}

    write(event="start", step=step, parameters=count_parameters(master), kmacPerPixel=round(macs_per_pixel(master, (3,)) / 1000, 3))
    last = time.time()
    total, saved = 0.0, elapsed
    while step < steps:
        progress = step / steps
        rate = min(1.0, (step + 1) / config["warmupSteps"]) * config["lr"] * 0.5 * (1 + math.cos(math.pi * progress))
        image, target = batches.next()
        loss = likelihood(net(image.to(dtype).contiguous(memory_format=torch.channels_last)), target, config["quantile"]).mean()
        loss.backward()
        for m, p in pairs:
            m.grad = p.grad.float()
            p.grad = None
        norm = float(torch.nn.utils.clip_grad_norm_(master.parameters(), config["clip"]))
        for group in [group for optimiser in optimisers for group in optimiser.param_groups]:
            group["lr"] = rate
        if math.isfinite(norm):
            for optimiser in optimisers:
                optimiser.step()
        decay = min(config["ema"], (1 + step) / (10 + step))
        with torch.no_grad():
            for (m, p), e in zip(pairs, ema.parameters()):
                e.lerp_(m, 1 - decay)
                p.copy_(m)
        step += 1
        total += float(loss)
        now = time.time()
        elapsed += min(now - last, 5.0)  # a longer pause is time spent stopped
        last = now
        if step % 200 == 0:
            write(step=step, minutes=round(elapsed / 60, 2), lr=round(rate, 6), loss=round(total / 200, 4))
            total = 0.0
        if elapsed - saved > 120:
            save(checkpoint, state())
            saved = elapsed
    save(checkpoint, state())
    validation = Batches(paths, True, config, config["seed"] + 1)
    write(event="end", step=step, minutes=round(elapsed / 60, 2), validation=validate(ema, validation, config["validationBatches"]))
    log.close()
    print(f"{step} steps in {elapsed / 60:.1f} min: {checkpoint}")


if __name__ == "__main__":
    main()
