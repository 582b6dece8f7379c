"""A camera in small: what its sensor's noise has become when the picture is a JPEG.

A clean picture is taken back to a sensor's mosaic, gets noise that follows the light (Poisson-Gaussian: Foi et
al., 2008) and is developed: demosaicing, white balance, colour matrix, tone curve, smoothing of colours and
brightness, sharpening, scaling, JPEG. That is CBDNet's order (Guo et al., 2019, arXiv:1807.04686, section 3.1)
with the unprocessing of Brooks et al., 2019 (arXiv:1811.11127). Every step is drawn at random.
"""
import io
import math
import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

# Malvar, He and Cutler, 2004: a colour from the mosaic's neighbours, corrected by the gradient of the colour there.
_GREEN = [[0, 0, -1, 0, 0], [0, 0, 2, 0, 0], [-1, 2, 4, 2, -1], [0, 0, 2, 0, 0], [0, 0, -1, 0, 0]]
_BESIDE = [[0, 0, 0.5, 0, 0], [0, -1, 0, -1, 0], [-1, 4, 5, 4, -1], [0, -1, 0, -1, 0], [0, 0, 0.5, 0, 0]]
_ACROSS = [[0, 0, -1.5, 0, 0], [0, 2, 0, 2, 0], [-1.5, 0, 6, 0, -1.5], [0, 2, 0, 2, 0], [0, 0, -1.5, 0, 0]]
CORRECTED = torch.tensor([_GREEN, _BESIDE, [list(column) for column in zip(*_BESIDE)], _ACROSS])[:, None] / 8
BILINEAR = torch.tensor([
    [[0, 1, 0], [1, 4, 1], [0, 1, 0]], [[1, 2, 1], [2, 4, 2], [1, 2, 1]], [[1, 2, 1], [2, 4, 2], [1, 2, 1]],
])[:, None] / 4.0
LUMA = torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)


def masks(height: int, width: int) -> torch.Tensor:
    """[3,H,W]: where an RGGB mosaic sees red, green, blue."""
    mask = torch.zeros(3, height, width)
    mask[0, ::2, ::2] = 1
    mask[1, ::2, 1::2] = 1
    mask[1, 1::2, ::2] = 1
    mask[2, 1::2, 1::2] = 1
    return mask


def demosaic(raw: torch.Tensor, corrected: bool) -> torch.Tensor:
    """[H,W] RGGB to [3,H,W]."""
    height, width = raw.shape
    mask = masks(height, width)
    if not corrected:
        planes = F.pad((raw * mask[[1, 0, 2]])[None], (1, 1, 1, 1), mode="reflect")
        return F.conv2d(planes, BILINEAR, groups=3)[0][[1, 0, 2]]
    green, row, column, across = F.conv2d(F.pad(raw[None, None], (2, 2, 2, 2), mode="reflect"), CORRECTED)[0]
    red_row = torch.zeros_like(raw)  # the rows that hold red
    red_row[::2] = 1
    out = raw * mask
    out[1] += (1 - mask[1]) * green
    out[0] += mask[1] * (red_row * row + (1 - red_row) * column) + mask[2] * across
    out[2] += mask[1] * (red_row * column + (1 - red_row) * row) + mask[0] * across
    return out


def gaussian_blur(picture: torch.Tensor, spread: float) -> torch.Tensor:
    """[C,H,W] to the same; mirrored at the edges."""
    reach = max(1, math.ceil(3 * spread))
    axis = torch.arange(-reach, reach + 1, dtype=torch.float32)
    kernel = torch.exp(-axis ** 2 / (2 * spread ** 2))
    kernel = kernel / kernel.sum()
    planes = F.pad(picture[:, None], (reach,) * 4, mode="reflect")
    return F.conv2d(F.conv2d(planes, kernel.view(1, 1, 1, -1)), kernel.view(1, 1, -1, 1))[:, 0]


def jpeg(picture: torch.Tensor, quality: int, subsampling: int = 2) -> torch.Tensor:
    """[3,H,W] in 0..1 through JPEG and back; subsampling as Pillow counts it (0 is 4:4:4, 2 is 4:2:0)."""
    array = (picture.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).contiguous().numpy()
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "JPEG", quality=quality, subsampling=subsampling)
    return torch.from_numpy(np.array(Image.open(buffer))).permute(2, 0, 1).float() / 255


class Camera:
    """One camera with its settings, drawn at random."""

    def __init__(self, rng: np.random.Generator):
        self.gamma = rng.uniform(1.8, 2.4)
        self.toe = 0.003  # keeps the tone curve's slope finite at black
        self.gains = torch.tensor([rng.uniform(1.2, 2.4), 1.0, rng.uniform(1.2, 2.4)], dtype=torch.float32).view(3, 1, 1)
        self.saturation = rng.uniform(0, 0.5)
        self.shot = rng.uniform(0.3, 1.0)  # the rest of the variance does not follow the light
        self.corrected = rng.random() < 0.5
        self.chroma = rng.uniform(0.8, 5.0) if rng.random() < 0.75 else 0.0
        self.luma = rng.uniform(0.3, 1.3) if rng.random() < 0.6 else 0.0
        self.threshold = rng.uniform(1.0, 3.0) if rng.random() < 0.3 else 0.0
        self.sharpen = rng.uniform(0.2, 1.2) if rng.random() < 0.5 else 0.0
        self.scale = rng.uniform(0.82, 1.4) if rng.random() < 0.3 else 1.0

    def raw(self, picture: torch.Tensor) -> torch.Tensor:
        """[3,H,W] as displayed to the mosaic's [H,W], linear; H and W even."""
        low, high = self.toe ** (1 / self.gamma), (1 + self.toe) ** (1 / self.gamma)
        linear = (picture * (high - low) + low) ** self.gamma - self.toe
        s = self.saturation  # the inverse of the colour matrix (1 + s) I - s/3
        linear = (linear + s * linear.mean(0, keepdim=True)) / (1 + s)
        return (linear / self.gains * masks(*picture.shape[1:])).sum(0)

    def develop(self, raw: torch.Tensor, level: float) -> torch.Tensor:
        """The mosaic to [3,H,W] in 0..1; `level` is what its own noise filter takes the noise to be."""
        linear = demosaic(raw, self.corrected) * self.gains
        s = self.saturation
        linear = ((1 + s) * linear - s * linear.mean(0, keepdim=True)).clamp(0, 1)
        low, high = self.toe ** (1 / self.gamma), (1 + self.toe) ** (1 / self.gamma)
        out = ((linear + self.toe) ** (1 / self.gamma) - low) / (high - low)
        luma = (out * LUMA).sum(0, keepdim=True)
        chroma = out - luma
        if self.chroma:
            chroma = gaussian_blur(chroma, self.chroma)
        if self.luma:
            luma = gaussian_blur(luma, self.luma)
        if self.threshold:  # smooths what differs little from its surroundings, leaves edges
            apart = luma - gaussian_blur(luma, 1.2)
            luma = luma - apart * torch.exp(-((apart / (self.threshold * level)) ** 2))
        if self.sharpen:
            luma = luma + self.sharpen * (luma - gaussian_blur(luma, 1.0))
        out = luma + chroma
        if self.scale != 1:
            out = F.interpolate(out[None], scale_factor=self.scale, mode="bicubic", antialias=self.scale < 1, align_corners=False,
                                recompute_scale_factor=True)[0]
        return out.clamp(0, 1)


def camera(clean: torch.Tensor, level: float, rng: np.random.Generator, generator: torch.Generator):
    """clean [3,H,W] in 0..1, H and W even, to (noisy, reference, deviation [1,H',W']).

    reference: what the same camera makes of light without noise. The noise, noisy - reference, is of about
    `level` (root mean square, in units of full scale) before JPEG; deviation: its level by place. A camera that scales
    changes the size.
    """
    device = Camera(rng)
    raw = device.raw(clean.clamp(0, 1))
    white = (device.shot * raw + (1 - device.shot) * 0.1).clamp_min(0).sqrt() * torch.randn(raw.shape, generator=generator)
    reference = device.develop(raw, level)
    strength = level
    for _ in range(2):  # the tone curve and the filters change the level: measured, then corrected
        noisy = device.develop(raw + strength * white, level)
        found = float((noisy - reference).pow(2).mean().sqrt())
        strength *= level / max(found, 0.1 * level)
    noisy = device.develop(raw + strength * white, level)
    power = (noisy - reference).pow(2).mean(0, keepdim=True)
    deviation = gaussian_blur(power, 8.0).clamp_min(1e-8).sqrt()
    if rng.random() < 0.85:
        noisy = jpeg(noisy, int(rng.integers(75, 99)), 2 if rng.random() < 0.7 else 0)
    return noisy, reference, deviation
