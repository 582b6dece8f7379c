"""The training pictures as one uint8 array, and the lists of held-out and evaluation pictures.

A picture is squashed to a square of STORE pixels (antialiased); its true aspect ratio is kept beside it so that
rotation and crop are geometrically right. Large pictures give several crops too; crops of one source never meet in
one batch, since they would be negatives of each other that show the same thing.
"""
import hashlib
import json
import os

import numpy as np
from PIL import Image, ImageOps

STORE = 192          # side of a stored picture, pixels
HELD_OUT = 12        # classes of caltech-dev never trained on: the last ones in C-locale order
NOT_A_CLASS = "BACKGROUND_Google"
EXT = (".jpg", ".jpeg", ".png", ".webp")


def read_json(path):
    with open(path) as f:
        return json.load(f)


def write_json(path, value):
    with open(path + ".tmp", "w") as f:
        json.dump(value, f, indent=2)
        f.write("\n")
    os.replace(path + ".tmp", path)


def open_rgb(path):
    """PIL RGB, EXIF-oriented, transparency on mid-grey."""
    im = ImageOps.exif_transpose(Image.open(path))
    if im.mode in ("RGBA", "LA", "P"):
        im = im.convert("RGBA")
        base = Image.new("RGBA", im.size, (128, 128, 128, 255))
        im = Image.alpha_composite(base, im)
    return im.convert("RGB")


def squash(im, size):
    """PIL RGB of any size -> size x size, aspect ignored, antialiased."""
    return im.resize((size, size), Image.LANCZOS)


def files(folder):
    out = []
    for root, dirs, names in os.walk(folder):
        dirs.sort()
        out += [os.path.join(root, n) for n in sorted(names) if n.lower().endswith(EXT)]
    return out


def classes(caltech):
    """(trained, held out) class folders, C-locale order, the background folder left out of both."""
    names = sorted(d for d in os.listdir(caltech) if os.path.isdir(os.path.join(caltech, d)) and d != NOT_A_CLASS)
    return names[:-HELD_OUT], names[-HELD_OUT:]


def training_files(data):
    caltech = os.path.join(data, "retrieval", "caltech-dev")
    out = files(os.path.join(data, "denoise-train"))
    for c in classes(caltech)[0]:
        out += files(os.path.join(caltech, c))
    return out


def crop_boxes(w, h, rng):
    """Boxes (left, top, right, bottom) of the crops that stand as pictures of their own."""
    boxes = []
    grids = [] if min(w, h) < 300 else [2] if max(w, h) < 700 else [2, 3]
    for g in grids:
        for i in range(g):
            for j in range(g):
                sx, sy = (rng.uniform(0.9, 1.2) / g for _ in range(2))
                cw, ch = int(w * sx), int(h * sy)
                x = int(min(max((j + 0.5) / g * w - cw / 2, 0), w - cw))
                y = int(min(max((i + 0.5) / g * h - ch / 2, 0), h - ch))
                boxes.append((x, y, x + cw, y + ch))
    return boxes


def load_training(data, cache=None, seed=1, limit=None):
    """-> dict: pixels uint8 [M,STORE,STORE,3], aspect float32 [M] (width / height), source int32 [M], names."""
    paths = training_files(data)
    if limit:
        paths = paths[:: max(1, len(paths) // limit)][:limit]
    key = hashlib.sha1(json.dumps([STORE, seed, paths]).encode()).hexdigest()[:12]
    if cache and os.path.exists(f := f"{cache}.{key}.npz"):
        z = np.load(f, allow_pickle=False)
        return {k: z[k] for k in z.files}
    rng = np.random.default_rng(seed)
    pixels, aspect, source = [], [], []
    for n, p in enumerate(paths):
        im = open_rgb(p)
        for part in [im] + [im.crop(b) for b in crop_boxes(*im.size, rng)]:
            pixels.append(np.asarray(squash(part, STORE)))
            aspect.append(part.width / part.height)
            source.append(n)
    out = {"pixels": np.stack(pixels), "aspect": np.float32(aspect), "source": np.int32(source),
           "names": np.array([os.path.relpath(p, data) for p in paths])}
    if cache:
        np.savez(f"{cache}.{key}.tmp.npz", **out)
        os.replace(f"{cache}.{key}.tmp.npz", f"{cache}.{key}.npz")
    return out


class Sampler:
    """Draws batches of pictures from distinct sources, sources with more crops more often."""

    def __init__(self, source, batch, seed):
        self.rng = np.random.default_rng(seed)
        self.members = [np.flatnonzero(source == s) for s in range(source.max() + 1)]
        p = np.array([len(m) ** 0.5 for m in self.members])
        self.p, self.batch = p / p.sum(), batch

    def draw(self):
        chosen = self.rng.choice(len(self.members), self.batch, replace=False, p=self.p)
        return np.array([self.rng.choice(self.members[s]) for s in chosen])
