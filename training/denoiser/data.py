"""Training pictures: all decoded once into memory as bytes, then random crops.

A crop is flipped and turned (the eight symmetries), has its channels permuted sometimes, and is sometimes
cut larger and scaled down, which makes it sharper and cleaner than the file it came from.
"""
from pathlib import Path
import numpy as np
import torch
from PIL import Image
from noise import damage

EXTENSIONS = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".ppm"}


def picture_paths(folder) -> list:
    return sorted(p for p in Path(folder).iterdir() if p.suffix.lower() in EXTENSIONS)


def load(path) -> np.ndarray:
    """[H,W,3] uint8, sRGB-encoded."""
    with Image.open(path) as image:
        return np.array(image.convert("RGB"))


class Crops:
    """Endless batches: (noisy [N,3,P,P], sigma [N,1,P,P], clean [N,3,P,P], level [N])."""

    def __init__(self, folder, config: dict, seed: int):
        self.pictures = [load(p) for p in picture_paths(folder)]
        if not self.pictures:
            raise SystemExit(f"no pictures in {folder}")
        self.config = config
        self.rng = np.random.default_rng(seed)
        self.generator = torch.Generator().manual_seed(seed)

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

    def batch(self, count: int, patch: int):
        crops = np.stack([self.crop(patch) for _ in range(count)])
        clean = torch.from_numpy(crops).permute(0, 3, 1, 2).contiguous().float() / 255
        noisy, sigma, level = zip(*[damage(c, self.config, self.rng, self.generator) for c in clean])
        return torch.stack(noisy), torch.stack(sigma), clean, torch.tensor(level, dtype=torch.float32)
