"""What the estimator learns from: patches as files hold them (clipped, in 8 bits) and how much noise is in them.

A level is a standard deviation in 8-bit units, told as t = log2(1 + sigma): fine near zero, relative above, and zero for
none. A target [h,w] has one t for every CELL x CELL pixels.
"""
from pathlib import Path
import sys
import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw

HERE = Path(__file__).resolve().parent
sys.path += [str(HERE.parent / "common"), str(HERE.parent / "denoiser")]
from camera import Camera, camera, gaussian_blur, jpeg  # noqa: E402
from noise import camera_deviation, correlated  # noqa: E402

PATCH = 128
CELL = 16
SIGMA_MAX = 75
HELD_OUT = 8  # of the pictures in the order of their names, every eighth is for validation


def split(paths: list, validation: bool) -> list:
    return [p for index, p in enumerate(paths) if (index % HELD_OUT == 0) == validation]


def to_level(sigma: torch.Tensor) -> torch.Tensor:
    """Units of full scale to t."""
    return torch.log2(1 + 255 * sigma)


def from_level(t: torch.Tensor) -> torch.Tensor:
    return (torch.pow(2.0, t) - 1) / 255


def cells(sigma: torch.Tensor) -> torch.Tensor:
    """[1,H,W] in units of full scale to a target [H/16,W/16]."""
    return to_level(F.avg_pool2d(sigma.pow(2)[None], CELL)[0, 0].sqrt().clamp(max=SIGMA_MAX / 255))


def resize(picture: torch.Tensor, height: int, width: int) -> torch.Tensor:
    smaller = height < picture.shape[1]
    return F.interpolate(picture[None], size=(height, width), mode="bicubic", antialias=smaller, align_corners=False)[0].clamp(0, 1)


def between(rng: np.random.Generator, low: float, high: float) -> float:
    """Log-uniform."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


class Pictures:
    """Clean patches of photographs, turned, mirrored, with colours permuted and exposure changed.

    A third as it is, a third reduced, a third made soft: reduced to less than half, then enlarged to the original's size at
    most. A picture as it is is never enlarged or blurred: its own faint grain would look like what a camera makes of noise.
    """

    def __init__(self, pictures: list, rng: np.random.Generator):
        self.pictures = pictures
        self.rng = rng

    def crop(self, size: int, soft: bool = False) -> torch.Tensor:
        """[3,size,size] in 0..1."""
        rng = self.rng
        picture = self.pictures[rng.integers(len(self.pictures))]
        draw = rng.random()
        scale = 1.0 if draw < 0.35 else between(rng, 0.5, 1)
        side = min(round(size / scale), *picture.shape[:2])
        top, left = (int(rng.integers(n - side + 1)) for n in picture.shape[:2])
        crop = torch.from_numpy(picture[top:top + side, left:left + side].copy()).permute(2, 0, 1).float() / 255
        if soft or draw > 0.65:
            smaller = round(side * rng.uniform(0.3, 0.5))
            crop = resize(crop, smaller, smaller)
        if crop.shape[1] != size:
            crop = resize(crop, size, size)
        crop = torch.rot90(crop, int(rng.integers(4)), (1, 2))
        if rng.random() < 0.5:
            crop = crop.flip(2)
        if rng.random() < 0.2:
            crop = crop[torch.from_numpy(rng.permutation(3))]
        if rng.random() < 0.1:
            crop = crop.mean(0, keepdim=True).expand(3, -1, -1)
        if rng.random() < 0.3:  # exposure
            crop = crop * between(rng, 0.3, 1)
        elif rng.random() < 0.1:
            crop = crop * between(rng, 1, 1.5)
        return crop.clamp(0, 1)


def fractal(size: int, rng: np.random.Generator) -> torch.Tensor:
    """Texture whose spectrum falls as a power of the frequency, as stone, sand and grass have it."""
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None])
    frequency[0, 0] = 1
    planes = []
    slope = rng.uniform(1.2, 2.2)
    phase = rng.standard_normal((2, *frequency.shape))
    for _ in range(3):
        own = rng.standard_normal((2, *frequency.shape)) * 0.3
        spectrum = ((phase + own)[0] + 1j * (phase + own)[1]) / frequency ** slope
        spectrum[0, 0] = 0
        plane = np.fft.irfft2(spectrum, s=(size, size))
        planes.append(plane / plane.std())
    contrast = between(rng, 0.02, 0.2)
    mean = rng.uniform(0.15, 0.85, (3, 1, 1))
    return torch.from_numpy((mean + contrast * np.stack(planes)).astype(np.float32)).clamp(0, 1)


def drawn(size: int, rng: np.random.Generator) -> torch.Tensor:
    """Flat fields, gradients, and on some of them rectangles, lines and letters."""
    colour = lambda: tuple(int(v) for v in rng.integers(0, 256, 3))
    corners = np.array([colour() for _ in range(4)], dtype=np.uint8).reshape(2, 2, 3)
    if rng.random() < 0.5:
        corners[:] = corners[0, 0] if rng.random() < 0.7 else rng.choice([0, 255])
    image = Image.fromarray(corners).resize((size, size), Image.BILINEAR)
    if rng.random() < 0.6:
        pen = ImageDraw.Draw(image)
        for _ in range(int(rng.integers(1, 40))):
            x, y = (int(v) for v in rng.integers(-10, size, 2))
            w, h = (int(v) for v in rng.integers(1, 60, 2))
            kind = rng.integers(4)
            if kind == 0:
                pen.rectangle((x, y, x + w, y + h), fill=colour())
            elif kind == 1:
                pen.line((x, y, x + w, y + h), fill=colour(), width=int(rng.integers(1, 4)))
            elif kind == 2:
                pen.ellipse((x, y, x + w, y + h), outline=colour())
            else:
                pen.text((x, y), "".join(chr(int(c)) for c in rng.integers(33, 122, 12)), fill=colour())
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255


def content(pictures: Pictures, size: int, soft: bool = False) -> torch.Tensor:
    draw = pictures.rng.random()
    if draw < 0.86:
        return pictures.crop(size, soft)
    return drawn(size, pictures.rng) if draw < 0.94 else fractal(size, pictures.rng)


def as_file(picture: torch.Tensor) -> torch.Tensor:
    """[3,H,W] to bytes."""
    return (picture.clamp(0, 1) * 255).round().byte()


def harmless(pictures: Pictures) -> torch.Tensor:
    """[3,P,P] without noise, but not as taken: what blurring, sharpening, a camera's processing and JPEG do to a picture."""
    rng = pictures.rng
    draw = rng.random()
    out = content(pictures, PATCH, soft=draw < 0.15)
    if draw < 0.15:
        out = gaussian_blur(out, between(rng, 0.4, 3))
    elif draw < 0.3:
        out = (out + rng.uniform(0.2, 1.5) * (out - gaussian_blur(out, rng.uniform(0.6, 2)))).clamp(0, 1)
    elif draw < 0.4:
        device = Camera(rng)
        device.scale = 1
        out = device.develop(device.raw(out), 0.02)
    for _ in range(int(rng.choice(3, p=(0.4, 0.5, 0.1)))):
        out = jpeg(out, int(rng.integers(25, 98)), 2 if rng.random() < 0.6 else 0)
    return out


def white(pictures: Pictures, generator: torch.Generator):
    """(bytes [3,P,P], target [h,w]): white noise, of one level or following the brightness, clipped and rounded."""
    rng = pictures.rng
    clean = content(pictures, PATCH)
    level = (rng.uniform(0, 75) if rng.random() < 0.5 else between(rng, 1, 50)) / 255
    if rng.random() < 0.65:
        sigma = torch.full((1, PATCH, PATCH), level)
        deviation = sigma
    else:
        deviation = camera_deviation(clean, 0.6 * level, rng).clamp(max=SIGMA_MAX / 255)
        sigma = deviation.pow(2).mean(0, keepdim=True).sqrt()
    noise = torch.randn(clean.shape, generator=generator)
    if rng.random() < 0.06:
        noise = noise[:1].expand(3, -1, -1)
    if rng.random() < 0.06:  # a grey picture
        clean, noise = clean.mean(0, keepdim=True).expand(3, -1, -1), noise[:1].expand(3, -1, -1)
    return as_file(clean + deviation * noise), cells(sigma)


def processed(pictures: Pictures, generator: torch.Generator):
    """(noisy, reference, deviation [1,P,P]): noise that something was done to after it arose; in units of full scale.

    How strong such noise is for a denoiser is not its deviation: `labels.py` asks the denoiser.
    """
    rng = pictures.rng
    draw = rng.random()
    if draw < 0.65:  # a larger piece, because the camera may scale
        noisy, reference, deviation = camera(pictures.crop(160), between(rng, 0.8, 20) / 255, rng, generator)
        return tuple(part[:, :PATCH, :PATCH].contiguous() for part in (noisy, reference, deviation))
    clean = pictures.crop(PATCH)
    if draw < 0.8:
        level = between(rng, 1, 30) / 255
        deviation = camera_deviation(clean, level, rng)
        noise = deviation * correlated(clean.shape, rng, generator)
        noisy, reference, deviation = clean + noise, clean, deviation.pow(2).mean(0, keepdim=True).sqrt()
    else:  # white noise, then scaled or blurred
        level = between(rng, 2, 50) / 255
        if rng.random() < 0.5:
            side = round(PATCH * between(rng, 0.6, 2))
            clean = pictures.crop(side)
            noisy = resize((clean + level * torch.randn(clean.shape, generator=generator)).clamp(0, 1), PATCH, PATCH)
            reference = resize(clean, PATCH, PATCH)
        else:
            spread = rng.uniform(0.25, 0.9) if rng.random() < 0.4 else 0
            noisy, reference = clean + level * torch.randn(clean.shape, generator=generator), clean
            if spread:
                noisy, reference = gaussian_blur(noisy.clamp(0, 1), spread), gaussian_blur(clean, spread)
        deviation = gaussian_blur((noisy - reference).pow(2).mean(0, keepdim=True), 8.0).clamp_min(1e-8).sqrt()
    if rng.random() < 0.6:
        noisy = jpeg(noisy, int(rng.integers(30, 98)), 2 if rng.random() < 0.5 else 0)
    return noisy, reference, deviation
