"""Trains a denoiser.

  /usr/bin/python3 train.py --config configs/best.json --data <folder> --run <folder> [--threads 1]

The schedule (learning rate, patch size, loss) follows the share of the budget that is used up: the
config's `minutes`, or --minutes, or --until HH:MM (whichever ends first), or an exact number of --steps,
which makes a run reproducible. Time spent stopped (SIGSTOP) does not count.

The run folder gets checkpoint.pt (all state; --resume goes on from it), log.jsonl and config.json.

Loss: the mean over the batch of log(e + c * ref), where e is the sample's mean absolute error (its mean
squared error in the last part) and ref a typical error at its noise level. It weighs all noise levels
alike, as the average PSNR does, and the constant keeps flat crops from taking over.
"""
import argparse
import datetime
import json
import math
import os
from pathlib import Path
import random
import sys
import time
import numpy as np
import onnx
import onnx.numpy_helper
import torch
from data import Crops, Workers, load, picture_paths
from model import build, channels_last, clone

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "common"))
from cost import count_parameters  # noqa: E402
from muon import Muon  # noqa: E402

GAP_SECONDS = 5.0  # a longer pause between two steps is time spent stopped


def reference_mse(level: torch.Tensor) -> torch.Tensor:
    """A typical mean squared error at a noise level (in units of full scale), from published PSNRs."""
    return 4e-4 * ((level * 255 + 2) / 17) ** 1.13


def loss_of(out, clean, level, squared: bool, smooth: float = 0.5):
    error = out - clean
    reference = reference_mse(level)
    if squared:
        each = error.pow(2).mean((1, 2, 3))
    else:
        each = error.abs().mean((1, 2, 3))
        reference = 0.7 * reference.sqrt()
    return torch.log((each + smooth * reference) / (1.5 * reference)).mean()


def learning_rate(config: dict, step: int, progress: float) -> float:
    warm = min(1.0, (step + 1) / config["warmupSteps"])
    cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
    return warm * (config["lrEnd"] + (config["lr"] - config["lrEnd"]) * cosine)


def psnr(out: torch.Tensor, clean: torch.Tensor) -> float:
    """dB, after clipping and rounding `out` to 8 bits; both [3,H,W] in 0..1."""
    out = (out.clamp(0, 1) * 255).round() / 255
    return -10 * math.log10(max(1e-12, float((out.double() - clean.double()).pow(2).mean())))


class Monitor:
    """PSNR on a few crops of pictures never trained on. Watched only; nothing is chosen by it."""

    def __init__(self, folder, stride: int, crops: int = 8, size: int = 192):
        self.clean = []
        for path in (picture_paths(folder)[::8][:crops] if folder and Path(folder).is_dir() else []):
            picture = torch.from_numpy(load(path)).permute(2, 0, 1).float() / 255
            size = min(size, *(n // stride * stride for n in picture.shape[1:]))
            top, left = (picture.shape[1] - size) // 2, (picture.shape[2] - size) // 2
            self.clean.append(picture[:, top:top + size, left:left + size])

    def run(self, model, dtype) -> dict:
        if not self.clean:
            return {}
        result = {}
        device = next(model.parameters()).device
        clean = torch.stack(self.clean)
        with torch.no_grad():
            for sigma in (15, 25, 50):
                noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(sigma))
                noisy = clean + noise * sigma / 255
                level = torch.full((len(clean), 1, *clean.shape[2:]), sigma / 255)
                out = noisy - run_residual(model, noisy.to(device), level.to(device), dtype).cpu()
                result[str(sigma)] = round(sum(psnr(o, c) for o, c in zip(out, clean)) / len(clean), 3)
        return result


def run_residual(model, noisy, sigma, dtype):
    """float32 [N,3,H,W] from inputs on the model's device, computed in `dtype`."""
    noisy, sigma = noisy.to(dtype), sigma.to(dtype)
    return model.residual(noisy.contiguous(memory_format=torch.channels_last), sigma).float()


def save(path: Path, state: dict):
    """Written beside, then renamed: a checkpoint is whole or absent."""
    temporary = path.with_suffix(".tmp")
    torch.save(state, temporary)
    os.replace(temporary, path)


def initial_weights(path) -> dict:
    """The averaged weights of a checkpoint, or those of an exported ONNX file: its initialisers keep the
    parameters' names, so the shipped weights can be trained on when no checkpoint is left."""
    if not str(path).endswith(".onnx"):
        return torch.load(path, map_location="cpu")["ema"]
    graph = onnx.load(str(path)).graph
    return {t.name: torch.from_numpy(onnx.numpy_helper.to_array(t).copy()) for t in graph.initializer
            if t.name.endswith((".weight", ".bias"))}


class Optimisers:
    """AdamW; or Muon for the weights between stem and head, and AdamW for the rest. One learning rate for all."""

    def __init__(self, model, config: dict):
        hidden = []
        if config.get("optimiser", "adamw") == "muon":
            hidden = [p for name, p in model.named_parameters() if p.dim() > 1 and not name.startswith(("stem", "head"))]
        chosen = {id(p) for p in hidden}
        rest = [p for p in model.parameters() if id(p) not in chosen]
        decay = config["weightDecay"]
        self.all = [torch.optim.AdamW(rest, lr=config["lr"], betas=(0.9, 0.99), weight_decay=decay)]
        if hidden:
            self.all.append(Muon(hidden, lr=config["lr"], weight_decay=decay))

    def step(self, rate: float):
        for optimiser in self.all:
            for group in optimiser.param_groups:
                group["lr"] = rate
            optimiser.step()

    def state_dict(self) -> list:
        return [o.state_dict() for o in self.all]

    def load_state_dict(self, states: list):
        for optimiser, state in zip(self.all, states):
            optimiser.load_state_dict(state)


class Clock:
    """Seconds of work, and the share of the budget they are."""

    def __init__(self, minutes, until, elapsed=0.0):
        self.budget = minutes * 60
        self.until = None
        if until:
            hour, minute = map(int, until.split(":"))
            now = datetime.datetime.now()
            end = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
            self.until = (end if end > now else end + datetime.timedelta(days=1)).timestamp()
        self.elapsed = elapsed
        self.last = time.time()
        self.progress = 0.0

    def tick(self) -> float:
        now = time.time()
        gap = now - self.last
        self.last = now
        self.elapsed += gap if gap <= GAP_SECONDS else 0.0
        budget = self.budget
        if self.until:
            budget = min(budget, self.elapsed + max(0.0, self.until - now))
        self.progress = max(self.progress, self.elapsed / max(budget, 1e-9))
        return self.progress


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", required=True)
    parser.add_argument("--data", required=True, help="folder of clean pictures")
    parser.add_argument("--run", required=True, help="folder for checkpoint and log")
    parser.add_argument("--monitor", help="folder of pictures to watch PSNR on; never trained on")
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--until", help="HH:MM, local time")
    parser.add_argument("--steps", type=int, help="an exact number of steps in place of a time budget")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--workers", type=int, help="processes that make batches; by default none on a CPU, one by core on a GPU")
    parser.add_argument("--save-every", type=float, default=180, help="seconds")
    parser.add_argument("--monitor-every", type=float, default=600, help="seconds")
    parser.add_argument("--resume", action="store_true", help="go on from the run folder's checkpoint")
    parser.add_argument("--init", help="start from the averaged weights of this checkpoint or ONNX file; those of blocks that the config lacks are left out")
    return parser.parse_args(argv)


def main(argv=None):
    arguments = sys.argv[1:] if argv is None else argv
    args = parse(argv)
    config = json.loads(Path(args.config).read_text())
    seed = config["seed"] if args.seed is None else args.seed
    torch.set_num_threads(args.threads)
    random.seed(seed)
    np.random.seed(seed % 2 ** 32)
    torch.manual_seed(seed)
    run = Path(args.run)
    run.mkdir(parents=True, exist_ok=True)
    (run / "config.json").write_text(json.dumps({**config, "seed": seed, "argv": arguments}, indent=2) + "\n")

    dtype = torch.bfloat16 if config["precision"] == "bf16" else torch.float32
    device = torch.device(args.device)
    master = channels_last(build(config)).to(device)  # float32: what the optimiser moves
    ema = clone(master)
    optimiser = Optimisers(master, config)
    workers = args.workers if args.workers is not None else 0 if device.type == "cpu" else max(1, (os.cpu_count() or 2) - 1)
    times = 1 if device.type == "cpu" else config.get("gpuBatch", 4)  # a GPU is fed larger batches
    monitor = Monitor(args.monitor, master.stride)
    clock = Clock(args.minutes or config["minutes"], args.until)
    step, left_out = 0, []
    checkpoint = run / "checkpoint.pt"
    state = torch.load(checkpoint, map_location="cpu") if args.resume and checkpoint.exists() else None
    if workers:
        crops = Workers(args.data, config["noise"], seed + (state["step"] if state else 0), workers)
    else:
        crops = Crops(args.data, config["noise"], seed)
    if state:
        master.load_state_dict(state["model"])
        ema.load_state_dict(state["ema"])
        optimiser.load_state_dict(state["optimiser"])
        if not workers and state["data"]:
            crops.restore(state["data"])
        clock.elapsed, clock.progress, step = state["elapsed"], state["progress"], state["step"]
    elif args.init:
        weights = initial_weights(args.init)
        kept = {name: weights[name] for name in master.state_dict()}
        left_out = sorted(set(weights) - set(kept))
        master.load_state_dict(kept)
        ema.load_state_dict(kept)
    net = channels_last(clone(master).to(dtype))  # what runs forwards and backwards
    pairs = list(zip(master.parameters(), net.parameters()))

    def snapshot():
        return {"model": master.state_dict(), "ema": ema.state_dict(), "optimiser": optimiser.state_dict(),
                "data": None if workers else crops.state(), "step": step, "elapsed": clock.elapsed, "progress": progress,
                "config": config, "seed": seed, "argv": arguments, "threads": args.threads}

    log = open(run / "log.jsonl", "a", buffering=1)

    def write(**entry):
        log.write(json.dumps(entry) + "\n")

    write(event="start", step=step, parameters=count_parameters(master), pictures=len(picture_paths(args.data)),
          seed=seed, threads=args.threads, device=str(device), workers=workers, batchTimes=times, leftOut=left_out, time=time.strftime("%H:%M:%S"))
    clock.last = time.time()
    progress = step / args.steps if args.steps else clock.tick()
    sums = {"loss": 0.0, "l1": 0.0, "norm": 0.0, "n": 0, "skipped": 0}
    last_log = last_monitor = clock.elapsed
    last_save = clock.elapsed
    while progress < 1:
        phase = next(p for p in config["phases"] if progress < p["until"])
        noisy, sigma, clean, level = (t.to(device, non_blocking=True) for t in crops.batch(phase["batch"] * times, phase["patch"]))
        squared = progress >= config["mseFrom"]
        out = noisy - run_residual(net, noisy, sigma, dtype)
        loss = loss_of(out, clean, level, squared)
        loss.backward()
        for m, p in pairs:
            m.grad = p.grad.float()
            p.grad = None
        norm = float(torch.nn.utils.clip_grad_norm_(master.parameters(), config["clip"]))
        rate = learning_rate(config, step, progress)
        if math.isfinite(norm):
            optimiser.step(rate)
        else:
            sums["skipped"] += 1
        decay = min(config["ema"], (1 + step) / (10 + step))
        with torch.no_grad():
            for (m, p), e in zip(pairs, ema.parameters()):
                e.lerp_(m, 1 - decay)
                p.copy_(m)
        step += 1
        sums["loss"] += float(loss)
        sums["l1"] += float((out.detach() - clean).abs().mean()) * 255
        sums["norm"] += min(norm, 1e3) if math.isfinite(norm) else 0
        sums["n"] += 1
        elapsed = clock.tick()
        progress = step / args.steps if args.steps else elapsed
        if clock.elapsed - last_log >= 20:
            n = sums["n"]
            write(step=step, minutes=round(clock.elapsed / 60, 2), progress=round(progress, 4), lr=round(rate, 7),
                  loss=round(sums["loss"] / n, 5), l1=round(sums["l1"] / n, 4), norm=round(sums["norm"] / n, 3),
                  secondsPerStep=round((clock.elapsed - last_log) / n, 4), patch=phase["patch"],
                  squared=squared, skipped=sums["skipped"], time=time.strftime("%H:%M:%S"))
            sums = dict.fromkeys(sums, 0)
            last_log = clock.elapsed
        if clock.elapsed - last_save >= args.save_every:
            save(checkpoint, snapshot())
            last_save = clock.elapsed
        if clock.elapsed - last_monitor >= args.monitor_every:
            probe = channels_last(clone(ema).to(dtype))
            write(event="monitor", step=step, minutes=round(clock.elapsed / 60, 2), psnr=monitor.run(probe, dtype))
            last_monitor = clock.elapsed
    save(checkpoint, snapshot())
    probe = channels_last(clone(ema).to(dtype))
    write(event="end", step=step, minutes=round(clock.elapsed / 60, 2), psnr=monitor.run(probe, dtype),
          time=time.strftime("%H:%M:%S"))
    log.close()
    if workers:
        crops.close()
    print(f"{step} steps in {clock.elapsed / 60:.1f} min: {checkpoint}")


if __name__ == "__main__":
    main()
