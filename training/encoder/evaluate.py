"""Recall@1 of attacked copies: the 36 attacks of attacks.json, done by Pillow and numpy on the full-size pictures.

    /usr/bin/python3 training/encoder/evaluate.py --checkpoint ../runs/encoder/last.pt --attacks ../shared/attacks.json

Queries: every third picture of photos-1000. Database: all of photos-1000 and caltech-dev. None of photos-1000 is ever
trained on. This is the trainer's own yardstick; `lucidex bench copies` is the one the headline comes from.
"""
import argparse
import io
import os
import time

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from data import files, open_rgb, read_json, squash, write_json
from checkpoint import averaged
from model import OUT, SIZE, Decoder, build, descriptor

HERE = os.path.dirname(os.path.abspath(__file__))
FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf"
PHRASES = ["Look at this one", "the quick brown fox", "Holiday offer today", "never seen before", "best of the year",
           "Photograph of mine", "share it with friends", "wait for the end"]


# --- the steps: (PIL RGB, numpy generator, **arguments) -> PIL RGB ---

def noise(im, rng, sigma):
    a = np.asarray(im, np.float32)
    return Image.fromarray(np.clip(np.rint(a + rng.normal(0, sigma, a.shape)), 0, 255).astype(np.uint8))


def coded(im, form, quality):
    f = io.BytesIO()
    im.save(f, form, quality=quality)
    return Image.open(io.BytesIO(f.getvalue())).convert("RGB")


def jpeg(im, rng, quality):
    return coded(im, "JPEG", quality)


def webp(im, rng, quality):
    return coded(im, "WEBP", quality)


def crop(im, rng, area):
    w, h = (max(1, round(v * area ** 0.5)) for v in im.size)
    x, y = int(rng.integers(0, im.width - w + 1)), int(rng.integers(0, im.height - h + 1))
    return im.crop((x, y, x + w, y + h))


def rotate(im, rng, degrees, fill):
    return im.rotate(-degrees, Image.BICUBIC, expand=True, fillcolor=fill)


def mirror(im, rng):
    return im.transpose(Image.FLIP_LEFT_RIGHT)


def resize(im, rng, scale=None, long=None):
    k = scale or long / max(im.size)
    return im.resize(tuple(max(1, round(v * k)) for v in im.size), Image.BILINEAR)


def stretch(im, rng, x, y):
    return im.resize((round(im.width * x), round(im.height * y)), Image.BILINEAR)


def blur(im, rng, sigma):
    return im.filter(ImageFilter.GaussianBlur(sigma))


def pad(im, rng, share, fill):
    x, y = round(im.width * share), round(im.height * share)
    out = Image.new("RGB", (im.width + 2 * x, im.height + 2 * y), fill)
    out.paste(im, (x, y))
    return out


def cover(im, rng, share):
    w, h = (round(v * share ** 0.5) for v in im.size)
    x, y = int(rng.integers(0, im.width - w + 1)), int(rng.integers(0, im.height - h + 1))
    out = im.copy()
    out.paste(tuple(int(v) for v in rng.integers(0, 256, 3)), (x, y, x + w, y + h))
    return out


def text(im, rng, lines, height):
    out, size = im.copy(), max(6, round(im.height * height))
    d, f = ImageDraw.Draw(out), ImageFont.truetype(FONT, size)
    for i in range(lines):
        y = (i + rng.uniform(0, 0.6)) * im.height / lines
        d.text((rng.uniform(0, 0.15) * im.width, min(y, im.height - size)), str(rng.choice(PHRASES)), font=f, fill="white",
               stroke_width=max(1, size // 16), stroke_fill="black")
    return out


def grey(im, rng):
    return im.convert("L").convert("RGB")


def linear(im, rng, gain, offset):
    return im.point([min(255, max(0, round(v * gain + offset))) for v in range(256)] * 3)


def channels(im, rng, r, g, b):
    return im.point([min(255, round(v * k)) for k in (r, g, b) for v in range(256)])


def posterise(im, rng, levels):
    return im.point([round(round(v / 255 * (levels - 1)) / (levels - 1) * 255) for v in range(256)] * 3)


def screenshot(im, rng, share):
    w = round(im.width / share)
    bar, side = round(w * 0.05), round(w * 0.16)
    h = max(round(im.height * 1.3), im.height + 4 * bar) + bar
    out = Image.new("RGB", (w, h), "#f7f7f7")
    d = ImageDraw.Draw(out)
    d.rectangle((0, bar, side, h), fill="#e6e6ea")
    d.rectangle((0, 0, w, bar), fill="#d5d5da")
    for i, c in enumerate(("#ff5f57", "#febc2e", "#28c840")):
        x = bar * (0.6 + 0.7 * i)
        d.ellipse((x - bar * 0.2, bar * 0.3, x + bar * 0.2, bar * 0.7), fill=c)
    x0 = side + round((w - side - im.width) * rng.uniform(0.2, 0.8))
    y0 = bar + round((h - bar - im.height) * rng.uniform(0.2, 0.8))
    size = max(7, round(h * 0.03))
    f = ImageFont.truetype(FONT.replace("-Bold", ""), size)
    for x, right in ((side * 0.1, side * 0.9), (side + size, w - size)):
        y = bar + size
        while y < h - size:
            line = " ".join(rng.choice(PHRASES, 6))
            while line and d.textlength(line, font=f) > right - x:
                line = line[:-3]
            d.text((x, y), line, font=f, fill="#404048")
            y += size * 1.8
    out.paste(im, (x0, y0))
    return out


STEPS = {k: globals()[k] for k in ("noise", "jpeg", "webp", "crop", "rotate", "mirror", "resize", "stretch", "blur", "pad",
                                   "cover", "text", "grey", "linear", "channels", "posterise", "screenshot")}


def attacked(im, steps, rng):
    for step in steps:
        for name, arguments in step.items():
            im = STEPS[name](im, rng, **arguments)
    return im


# --- pictures -> descriptors ---

def cached(path, make):
    if path and os.path.exists(path):
        return np.load(path)
    value = make()
    if path:
        np.save(path + ".tmp.npy", value)
        os.replace(path + ".tmp.npy", path)
    return value


def squashed(paths, cache=None):
    """uint8 [N,SIZE,SIZE,3]"""
    return cached(cache, lambda: np.stack([np.asarray(squash(open_rgb(p), SIZE)) for p in paths]))


def attack_set(paths, indices, attack, number, seed, cache=None):
    """uint8 [N,SIZE,SIZE,3]: each picture under one attack, its choices seeded by (seed, picture, attack)."""
    def make():
        return np.stack([np.asarray(squash(attacked(open_rgb(p), attack["steps"], np.random.default_rng([seed, int(i), number])), SIZE))
                         for p, i in zip(paths, indices)])
    return cached(cache, make)


@torch.no_grad()
def embed(encoder, pixels, batch=128):
    """uint8 [N,SIZE,SIZE,3] -> means float32 [N,128]"""
    out = []
    for i in range(0, len(pixels), batch):
        x = torch.from_numpy(pixels[i:i + batch]).permute(0, 3, 1, 2).float().div_(255)
        out.append(encoder(x.contiguous(memory_format=torch.channels_last))[0])
    return torch.cat(out).numpy()


def unit(v):
    return v / np.linalg.norm(v, axis=1, keepdims=True)


def load_encoder(path):
    """-> (encoder in eval mode, checkpoint)"""
    c = torch.load(path)
    encoder = build(c["config"])
    encoder.load_state_dict(averaged(c, "encoder"))
    return encoder.eval().to(memory_format=torch.channels_last), c


def recalls(encoder, data, suite, stride=3, cache=None, only=None):
    """-> {attack: recall@1}, queries, database size"""
    photos = files(os.path.join(data, "retrieval", "photos-1000"))
    others = files(os.path.join(data, "retrieval", "caltech-dev"))
    c = (lambda name: os.path.join(cache, name + ".npy")) if cache else (lambda name: None)
    base = unit(embed(encoder, np.concatenate((squashed(photos, c("photos")), squashed(others, c("others"))))))
    index = np.arange(0, len(photos), stride)
    out = {}
    for number, attack in enumerate(suite["attacks"]):
        if only and attack["name"] not in only:
            continue
        q = attack_set([photos[i] for i in index], index, attack, number, suite["seed"], c(f"{attack['name']}-{stride}"))
        best = (unit(embed(encoder, q)) @ base.T).argmax(1)
        out[attack["name"]] = float((best == index).mean())
    return out, len(index), len(base)


@torch.no_grad()
def latent_report(encoder, decoder, pixels, kl_weight, reconstruction_weight, batch=100):
    """What the latent holds, on clean pictures uint8 [N,SIZE,SIZE,3] never trained on."""
    means, kls, squares, sampled_error = [], [], [], []
    parts = [pixels[i:i + batch] for i in range(0, len(pixels), batch)]
    for part in parts:
        x = torch.from_numpy(part).permute(0, 3, 1, 2).float().div_(255)
        mean, logvar = encoder(x.contiguous(memory_format=torch.channels_last))
        means.append(mean)
        kls.append(0.5 * (mean ** 2 + logvar.exp() - 1 - logvar))
        clean = F.interpolate(x, size=(OUT, OUT), mode="bilinear", antialias=True, align_corners=False)
        squares.append(((decoder(mean) - clean) ** 2).flatten(1).mean(1))
        z = mean + torch.randn(mean.shape, generator=torch.Generator().manual_seed(1)) * (0.5 * logvar).exp()
        sampled_error.append(((decoder(z) - clean) ** 2).flatten(1).mean(1))
    mean, kl, square, sampled = (torch.cat(v) for v in (means, kls, squares, sampled_error))
    norm = mean.norm(dim=1).mean()
    rescaled = []
    for i, part in enumerate(parts):
        x = torch.from_numpy(part).permute(0, 3, 1, 2).float().div_(255)
        clean = F.interpolate(x, size=(OUT, OUT), mode="bilinear", antialias=True, align_corners=False)
        rescaled.append(((decoder(descriptor(means[i]) * norm) - clean) ** 2).flatten(1).mean(1))
    variance = OUT * OUT * 3 * kl_weight / (2 * reconstruction_weight)
    nll = OUT * OUT * 3 * (sampled / (2 * variance) + 0.5 * np.log(2 * np.pi * variance))
    per = kl.mean(0)
    psnr = lambda v: round(float((-10 * torch.log10(v)).mean()), 2)
    return {"pictures": len(mean), "latentNorm": round(float(norm), 3), "klTotal": round(float(per.sum()), 2),
            "klPerDimension": [round(float(v), 3) for v in per], "alive": int((mean.var(0) > 0.01).sum()),
            "aliveMeans": "variance of the mean over pictures above 0.01", "likelihoodVariance": round(variance, 4),
            "negativeLogLikelihood": round(float(nll.mean()), 1), "elbo": round(float(-(nll + kl.sum(1)).mean()), 1),
            "psnrFromMean": psnr(square), "psnrFromDescriptor": psnr(torch.cat(rescaled)), "psnrFromSample": psnr(sampled)}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--checkpoint", required=True)
    p.add_argument("--data", default=os.environ.get("LUCIDEX_DATA", os.path.join(HERE, "../../../shared/data")))
    p.add_argument("--attacks", default=os.path.join(HERE, "../../../shared/attacks.json"))
    p.add_argument("--stride", type=int, default=3, help="every n-th photograph is a query")
    p.add_argument("--cache", help="folder for the prepared pictures")
    p.add_argument("--out", help="JSON file")
    p.add_argument("--threads", type=int, default=1)
    args = p.parse_args()
    torch.set_num_threads(args.threads)
    if args.cache:
        os.makedirs(args.cache, exist_ok=True)
    encoder, c = load_encoder(args.checkpoint)
    started = time.time()
    result, queries, size = recalls(encoder, args.data, read_json(args.attacks), args.stride, args.cache)
    mean = sum(result.values()) / len(result)
    for name, r in result.items():
        print(f"{name:28s} {r:.3f}")
    print(f"{'mean':28s} {mean:.4f}   step {c['step']}, {queries} queries among {size}, {time.time() - started:.0f} s")
    decoder = Decoder()
    decoder.load_state_dict(averaged(c, "decoder"))
    photos = files(os.path.join(args.data, "retrieval", "photos-1000"))
    pixels = squashed(photos, os.path.join(args.cache, "photos.npy") if args.cache else None)
    latent = latent_report(encoder, decoder.eval(), pixels, c["config"]["kl"], c["config"]["reconstruction"])
    print({k: v for k, v in latent.items() if k != "klPerDimension"})
    if args.out:
        write_json(args.out, {"mean": mean, "attacks": result, "queries": queries, "database": size, "step": c["step"],
                              "latent": latent})


if __name__ == "__main__":
    main()
