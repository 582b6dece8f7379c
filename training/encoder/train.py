"""Trains encoder and decoder.

    /usr/bin/python3 training/encoder/train.py --data ../shared/data --run ../runs/encoder

Per step and picture two damaged views (the first often clean: a library holds originals, queries are damaged) and
    loss = NT-Xent(descriptors of the two views)                      Chen et al. 2020, SimCLR
         + spread * -log distance to the nearest other             Sablayrolles et al. 2019
         + classes * cross-entropy of the class of labelled pictures
         + reconstruction * MSE(decoded, clean picture at 64x64)      the two terms of the ELBO,
         + kl * KL(q(z|view) || N(0, 1))                              Kingma & Welling 2014
With a Gaussian likelihood of variance v = 64*64*3 * kl / (2 * reconstruction) the last two are kl * -ELBO.
Only views from which the picture can be told (not mirrored, not turned, half of it there) are decoded.

Checkpoints hold the weights and their exponential average, which is what is evaluated and exported.
The schedule follows the time spent (a gap of more than 5 s between two steps, e.g. while stopped, counts nothing) or,
with --steps, the number of steps. A run of fixed steps with one seed and one thread repeats exactly.
"""
import argparse
import json
import math
import os
import signal
import sys
import time
from datetime import datetime

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

import data as pictures
from checkpoint import history, save
from damage import Damage
from model import LATENT, OUT, Decoder, build, descriptor

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "common"))
from muon import Muon  # noqa: E402


def nt_xent(a, b, temperature):
    """a, b [B,D] of length 1 -> loss, share of the views whose partner is their nearest among 2B - 1."""
    z = torch.cat((a, b))
    n = len(a)
    logits = z @ z.t() / temperature
    logits.fill_diagonal_(-1e4)
    target = torch.cat((torch.arange(n, 2 * n), torch.arange(n)))
    return F.cross_entropy(logits, target), (logits.argmax(1) == target).float().mean()


def spread(z):
    """z [B,D] of length 1 -> minus the mean logarithm of the distance to the nearest other.

    The entropy estimator of Kozachenko & Leonenko as a loss: Sablayrolles et al., 2019 (arXiv:1806.03198); for copy
    detection, Pizzi et al., SSCD, 2022 (arXiv:2202.10261).
    """
    with torch.no_grad():
        cosine = z @ z.t()
        cosine.fill_diagonal_(-2)
        nearest = cosine.argmax(1)
    return -((z - z[nearest]).norm(dim=1) + 1e-4).log().mean()


class Classes(nn.Module):
    """A cosine classifier over the labelled training classes: draws pictures of one kind a little together.

    Its weights are only used in training.
    """

    SCALE = 12.0

    def __init__(self, count):
        super().__init__()
        self.centres = nn.Parameter(torch.randn(max(1, count), LATENT))

    def forward(self, z, label):
        """z [B,D] of length 1, label [B] (-1: none) -> mean cross-entropy of the labelled, share named right."""
        known = label >= 0
        if not known.any():
            return z.sum() * 0, torch.zeros(())
        logits = self.SCALE * z[known] @ descriptor(self.centres).t()
        return F.cross_entropy(logits, label[known]), (logits.argmax(1) == label[known]).float().mean()


def labels_of(names):
    """The class of each source file: the number of its folder among those of caltech-dev, -1 elsewhere; their count."""
    folders = [os.path.dirname(n) if "caltech-dev" in n else "" for n in names]
    known = sorted(set(folders) - {""})
    return np.array([known.index(f) if f else -1 for f in folders]), len(known)


def optimisers(encoder, decoder, classes, cfg):
    """AdamW; or Muon for the encoder's convolutions after the first, and AdamW for the rest. One learning rate for all."""
    hidden = []
    if cfg["optimiser"] == "muon":
        hidden = [q for q in encoder.blocks.parameters() if q.dim() == 4][1:]
    chosen = {id(q) for q in hidden}
    rest = [q for q in [*encoder.parameters(), *decoder.parameters(), *classes.parameters()] if id(q) not in chosen]
    adamw = torch.optim.AdamW([{"params": [q for q in rest if q.dim() > 1], "weight_decay": cfg["weightDecay"]},
                               {"params": [q for q in rest if q.dim() <= 1], "weight_decay": 0.0}],
                              lr=cfg["lr"], betas=(0.9, 0.98))
    return [adamw] + ([Muon(hidden, lr=cfg["lr"], weight_decay=cfg["weightDecay"])] if hidden else [])


def windows(rng, n, share):
    """[n,4] centre and half size (-1..1) of what counts as the original: all of it, or a part by chance."""
    part = rng.random(n) < share
    half = np.where(part[:, None], rng.uniform(0.62, 1, (n, 2)), 1.0)
    centre = rng.uniform(-1, 1, (n, 2)) * (1 - half)
    return np.concatenate((centre, half), 1).astype(np.float32)


def clean_targets(small, window):
    """small [B,3,S/2,S/2] -> the windows at OUT x OUT."""
    w = torch.from_numpy(window)
    theta = torch.zeros(len(w), 2, 3)
    theta[:, 0, 0], theta[:, 1, 1], theta[:, 0, 2], theta[:, 1, 2] = w[:, 2], w[:, 3], w[:, 0], w[:, 1]
    grid = F.affine_grid(theta, (len(w), 3, OUT, OUT), align_corners=False)
    return F.grid_sample(small, grid, padding_mode="border", align_corners=False)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", default=os.environ.get("LUCIDEX_DATA", os.path.join(HERE, "../../../shared/data")))
    p.add_argument("--run", required=True, help="folder for checkpoints and the log")
    p.add_argument("--pictures", help="where the prepared pictures are kept; the run's folder by default")
    p.add_argument("--config", default=os.path.join(HERE, "config.json"))
    p.add_argument("--minutes", type=float)
    p.add_argument("--until", help="HH:MM: minutes as left until then")
    p.add_argument("--steps", type=int, help="an exact number of steps instead of minutes")
    p.add_argument("--resume", action="store_true", help="go on from the run's last.pt")
    p.add_argument("--init", help="start from the weights of a checkpoint")
    p.add_argument("--lr", type=float)
    p.add_argument("--limit", type=int, help="training pictures, for smoke tests")
    p.add_argument("--batch", type=int)
    p.add_argument("--threads", type=int, default=1)
    args = p.parse_args()
    cfg, left = pictures.read_json(args.config), None
    for k in ("minutes", "lr", "batch"):
        if getattr(args, k):
            cfg[k] = getattr(args, k)
    if args.until:
        now = datetime.now()
        h, m = map(int, args.until.split(":"))
        left = (now.replace(hour=h, minute=m, second=0) - now).total_seconds() / 60
    torch.set_num_threads(args.threads)
    torch.manual_seed(cfg["seed"])
    os.makedirs(args.run, exist_ok=True)

    store = pictures.load_training(args.data, args.pictures or os.path.join(args.run, "pictures"), limit=args.limit)
    plain = np.array([v[::6, ::6].mean(2).std() < 10 for v in store["pixels"]])       # skies and walls: nothing to tell
    kept = np.flatnonzero(~plain)
    pixels, aspect, source = store["pixels"], store["aspect"], store["source"]
    _, source_kept = np.unique(source[kept], return_inverse=True)
    sampler = pictures.Sampler(source_kept, cfg["batch"], cfg["seed"])
    damage = Damage(cfg["seed"], sprites=320 if not args.limit else 8)
    encoder, decoder = build(cfg), Decoder()
    label_of_source, class_count = labels_of(store["names"])
    labels = torch.from_numpy(label_of_source[source])
    classes = Classes(class_count)
    params = [*encoder.parameters(), *decoder.parameters(), *classes.parameters()]
    steppers = optimisers(encoder, decoder, classes, cfg)
    step, spent, norm, before = 0, 0.0, 10.0, []
    last = os.path.join(args.run, "last.pt")
    if args.init or args.resume:
        c = torch.load(args.init or last)
        encoder.load_state_dict(c["encoder"])
        decoder.load_state_dict(c["decoder"])
        if "classes" in c:
            classes.load_state_dict(c["classes"])
        norm = c["norm"]
        before = c.get("history", [])[:-1] if args.resume else history(c)
        if args.resume:
            for o, state in zip(steppers, c["optimisers"]):
                o.load_state_dict(state)
            step, spent = c["step"], c["spent"]
            damage.load_state(c["damage"])
            sampler.rng.bit_generator.state = c["sampler"]
            torch.set_rng_state(c["torch"])
    if left is not None:
        cfg["minutes"] = spent / 60 + left
    both = nn.ModuleDict({"encoder": encoder, "decoder": decoder})
    mean_weights = {k: v.clone() for k, v in both.state_dict().items()}
    if args.resume and "average" in c:
        mean_weights = c["average"]
    encoder.to(memory_format=torch.channels_last)
    decoder.to(memory_format=torch.channels_last)
    log = open(os.path.join(args.run, "log.jsonl"), "a")
    print(f"{len(kept)} pictures of {source_kept.max() + 1} sources, {cfg}", flush=True)

    def checkpoint():
        save(last, {"encoder": encoder.state_dict(), "decoder": decoder.state_dict(), "classes": classes.state_dict(), "average": mean_weights,
                    "optimisers": [o.state_dict() for o in steppers], "step": step, "spent": spent, "norm": norm, "config": cfg,
                    "history": before + [{"steps": step, "minutes": round(spent / 60, 1)}], "damage": damage.state(), "sampler": sampler.rng.bit_generator.state,
                    "torch": torch.get_rng_state(), "pictures": len(kept), "sources": int(source_kept.max() + 1)})

    saved, mark, sums, n = time.time(), time.time(), {}, 0
    variance = OUT * OUT * 3 * cfg["kl"] / (2 * cfg["reconstruction"])
    stop = []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(True))
    while not stop:
        progress = step / args.steps if args.steps else spent / (cfg["minutes"] * 60)
        if progress >= 1:
            break
        warm = min(1.0, progress / cfg["warmup"] + 0.02)
        lr = cfg["lr"] * warm * max(0.005, 0.5 * (1 + math.cos(math.pi * progress)))
        for g in [g for o in steppers for g in o.param_groups]:
            g["lr"] = lr
        strength = 1.0 if args.init else min(1.0, 0.35 + 0.65 * progress / cfg["ramp"])

        i = kept[sampler.draw()]
        big = torch.from_numpy(pixels[i]).permute(0, 3, 1, 2).float().div_(255).contiguous()
        small = F.avg_pool2d(big, 2)
        window = windows(damage.rng, len(i), cfg["window"])
        a, readable_a = damage.views(big, small, aspect[i], window, cfg["countsA"], strength)
        b, readable_b = damage.views(big, small, aspect[i], window, cfg["countsB"], strength)

        encoder.train()
        decoder.train()
        with torch.autocast("cpu", torch.bfloat16):
            mean, logvar = encoder(torch.cat((a, b)).contiguous(memory_format=torch.channels_last))
        za, zb = descriptor(mean).chunk(2)
        contrast, hit = nt_xent(za, zb, cfg["temperature"])
        kl_each = 0.5 * (mean ** 2 + logvar.exp() - 1 - logvar)                       # [2B,128] nats
        kl = kl_each.sum(1).mean()

        chosen = torch.nonzero(torch.cat((readable_a, readable_b)))[:, 0]
        chosen = chosen[torch.randperm(len(chosen))[: cfg["decoded"]]]
        target = clean_targets(small, window)[chosen % len(i)]
        mu = mean[chosen]
        z = mu + torch.randn_like(mu) * (0.5 * logvar[chosen]).exp()
        length = mu.detach().norm(dim=1)
        norm += 0.02 * (float(length.mean()) - norm)
        third = torch.arange(len(mu)) % 3 == 0                   # some from the descriptor rescaled: no length, no noise
        z = torch.where(third[:, None], descriptor(mu) * norm, z)
        with torch.autocast("cpu", torch.bfloat16):
            decoded = decoder(z)
        squares = ((decoded - target) ** 2).flatten(1).mean(1)
        mse = squares.mean()
        apart = spread(za)
        kind, named = classes(torch.cat((za, zb)), labels[i].repeat(2))
        loss = contrast + cfg["spread"] * apart + cfg["classes"] * kind + cfg["reconstruction"] * mse + cfg["kl"] * kl
        for o in steppers:
            o.zero_grad(set_to_none=True)
        loss.backward()
        clip = torch.nn.utils.clip_grad_norm_(params, 5.0)
        if torch.isfinite(clip):
            for o in steppers:
                o.step()
        step += 1
        with torch.no_grad():
            for k, v in both.state_dict().items():
                mean_weights[k].lerp_(v, 1 - cfg["average"]) if v.is_floating_point() else mean_weights[k].copy_(v)
        now = time.time()
        spent += now - mark if now - mark < 5 else 0
        seconds, mark = now - mark, now
        with torch.no_grad():
            nll = OUT * OUT * 3 * (mse / (2 * variance) + 0.5 * math.log(2 * math.pi * variance))
            terms = {"loss": loss, "contrast": contrast, "hit": hit, "spread": apart, "classes": kind, "named": named, "mse": mse, "kl": kl, "elbo": -(nll + kl),
                     "positive": (za * zb).sum(1).mean(), "std": torch.cat((za, zb)).std(0).mean() * LATENT ** 0.5,
                     "norm": length.mean(), "alive": (mean.var(0) > 0.01).float().sum(), "grad": clip,
                     "seconds": torch.tensor(seconds)}
        for k, v in terms.items():
            sums[k] = sums.get(k, 0.0) + float(v)
        n += 1
        if step % 20 == 0 or step == 1:
            row = {"step": step, "minutes": round(spent / 60, 2), "lr": round(lr, 6),
                   **{k: round(v / n, 4) for k, v in sums.items()}}
            print(json.dumps(row), flush=True)
            log.write(json.dumps(row) + "\n")
            log.flush()
            sums, n = {}, 0
        if now - saved > cfg["checkpointSeconds"]:
            checkpoint()
            saved = now
    checkpoint()
    if stop:
        return
    save(os.path.join(args.run, "final.pt"), torch.load(last))
    log.close()
    print("done", step, "steps", round(spent / 60, 2), "minutes", flush=True)


if __name__ == "__main__":
    main()
