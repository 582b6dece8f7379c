"""Training pictures: all decoded once into memory as bytes, then random crops.

A crop is flipped and turned (the eight symmetries), has its channels permuted sometimes, and is sometimes
cut larger and scaled down, which makes it sharper and cleaner than the file it came from.
"""
import math
import multiprocessing
from pathlib import Path
import sys
import numpy as np
import torch
from PIL import Image
from noise import damage, misjudged

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "common"))
from camera import camera  # noqa: E402

EXTENSIONS = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".ppm"}


def picture_paths(folder) -> list:
    return sorted(p for p in Path(folder).iterdir() if p.suffix.lower() in EXTENSIONS)


def load(path) -> np.ndarray:
    """[H,W,3] uint8, sRGB-encoded."""
    with Image.open(path) as image:
        return np.array(image.convert("RGB"))


class CameraShots:
    """A store of developed pictures with camera noise; one takes as long as a tenth of a training step.

    Each is cut and turned anew when drawn, and now and then one is replaced. Clean is what the same camera makes
    of light without noise, so nothing is learnt about undoing its filters.
    """

    SIDE = 208  # of what the camera is shown, pixels
    REPLACED = 0.1  # by draw

    def __init__(self, crops, count: int):
        self.crops = crops
        self.shots = [self.shoot() for _ in range(count)]

    def shoot(self):
        """(noisy [3,S,S], clean [3,S,S], deviation [1,S,S], level), S at least 176."""
        rng = self.crops.rng
        level = math.exp(rng.uniform(math.log(1.5), math.log(30))) / 255
        while True:
            clean = torch.from_numpy(self.crops.crop(self.SIDE).copy()).permute(2, 0, 1).float() / 255
            noisy, reference, deviation = camera(clean, level, rng, self.crops.generator)
            if min(noisy.shape[1:]) >= 176:
                return noisy.half(), reference.half(), deviation.half(), level

    def draw(self, patch: int):
        """(noisy [3,P,P], sigma [1,P,P], clean [3,P,P], level)."""
        rng = self.crops.rng
        index = rng.integers(len(self.shots))
        if rng.random() < self.REPLACED:
            self.shots[index] = self.shoot()
        noisy, clean, deviation, level = self.shots[index]
        top, left = rng.integers(clean.shape[1] - patch + 1), rng.integers(clean.shape[2] - patch + 1)
        turn, flip = int(rng.integers(4)), rng.random() < 0.5

        def view(picture):
            part = torch.rot90(picture[:, top:top + patch, left:left + patch], turn, (1, 2))
            return (part.flip(2) if flip else part).float()

        return view(noisy), misjudged(view(deviation), rng), view(clean), level


class Crops:
    """Endless batches: (noisy [N,3,P,P], sigma [N,1,P,P], clean [N,3,P,P], level [N]).

    config["camera"]: the share of samples from CameraShots. Their store is drawn anew when a run is resumed.
    """

    def __init__(self, folder, config: dict, seed: int):
        self.pictures = [load(p) for p in picture_paths(folder)]
        if not self.pictures:
            raise SystemExit(f"no pictures in {folder}")
        self.config = config
        self.rng = np.random.default_rng(seed)
        self.generator = torch.Generator().manual_seed(seed)
        self.shots = CameraShots(self, config["shots"]) if config.get("camera") else None

    def state(self) -> dict:
        return {"rng": self.rng.bit_generator.state, "generator": self.generator.get_state()}

    def restore(self, state: dict):
        self.rng.bit_generator.state = state["rng"]
        self.generator.set_state(state["generator"])

    def crop(self, patch: int) -> np.ndarray:
        """[P,P,3] uint8."""
        rng = self.rng
        picture = self.pictures[rng.integers(len(self.pictures))]
        height, width = picture.shape[:2]
        size = patch
        if rng.random() < self.config["rescale"]:
            size = int(patch / rng.uniform(0.6, 1.0))
        size = min(size, height, width)
        top = rng.integers(height - size + 1)
        left = rng.integers(width - size + 1)
        out = picture[top:top + size, left:left + size]
        if size != patch:
            out = np.asarray(Image.fromarray(out).resize((patch, patch), Image.LANCZOS))
        turn = rng.integers(8)
        out = np.rot90(out, turn % 4)
        if turn >= 4:
            out = out[:, ::-1]
        if rng.random() < self.config["permute"]:
            out = out[:, :, rng.permutation(3)]
        return out

    def sample(self, patch: int):
        """(noisy [3,P,P], sigma [1,P,P], clean [3,P,P], level)."""
        if self.shots and self.rng.random() < self.config["camera"]:
            return self.shots.draw(patch)
        clean = torch.from_numpy(self.crop(patch).copy()).permute(2, 0, 1).contiguous().float() / 255
        noisy, sigma, level = damage(clean, self.config, self.rng, self.generator)
        return noisy, sigma, clean, level

    def batch(self, count: int, patch: int):
        noisy, sigma, clean, level = zip(*[self.sample(patch) for _ in range(count)])
        return torch.stack(noisy), torch.stack(sigma), torch.stack(clean), torch.tensor(level, dtype=torch.float32)


def _work(folder, config, seed, orders, batches):
    torch.set_num_threads(1)
    crops = Crops(folder, config, seed)
    for count, patch in iter(orders.get, None):
        batches.put(tuple(t.numpy() for t in crops.batch(count, patch)))


class Workers:
    """The batches of Crops, made ahead of time by several processes, for a GPU that eats them faster than one makes them.

    Taken from the processes in turn, so a seed and a number of processes give the same batches again; after a change
    of size the first AHEAD batches are still of the old one. Resumed, they start with other pictures (the step is
    part of the seed).
    """

    AHEAD = 3  # by process

    def __init__(self, folder, config: dict, seed: int, count: int):
        context = multiprocessing.get_context("spawn")
        self.queues = [(context.Queue(), context.Queue()) for _ in range(count)]
        self.processes = [context.Process(target=_work, args=(folder, config, seed + 7919 * (i + 1), *queues), daemon=True)
                          for i, queues in enumerate(self.queues)]
        for process in self.processes:
            process.start()
        self.turn = 0
        self.started = False

    def batch(self, count: int, patch: int):
        if not self.started:
            self.started = True
            for orders, _ in self.queues * self.AHEAD:
                orders.put((count, patch))
        orders, batches = self.queues[self.turn]
        self.turn = (self.turn + 1) % len(self.queues)
        orders.put((count, patch))
        return tuple(torch.from_numpy(a) for a in batches.get())

    def close(self):
        for process in self.processes:
            process.terminate()
