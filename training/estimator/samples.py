"""What the estimator learns from: patches as files hold them (clipped, in 8 bits) and how much noise is in them.

A level is a standard deviation in 8-bit units, told as t = log2(1 + sigma): fine near zero, relative above, and zero for
none. A target [2,h,w] has the least and the most that t may be, for every CELL x CELL pixels.
"""
import math
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
OWN_GRAIN = 1.5 / 255  # what a photograph called clean may have of its own
HELD_OUT = 8  # of the pictures in the order of their names, every eighth is for validation


def split(paths: list, validation: bool) -> list:
    return [p for index, p in enumerate(paths) if (index % HELD_OUT == 0) == validation]


def to_level(sigma: torch.Tensor) -> torch.Tensor:
    """Units of full scale to t."""
    return torch.log2(1 + 255 * sigma)


def from_level(t: torch.Tensor) -> torch.Tensor:
    return (torch.pow(2.0, t) - 1) / 255


def cells(sigma: torch.Tensor) -> torch.Tensor:
    """[1,H,W] in units of full scale to t by cell, [H/16,W/16]."""
    return to_level(F.avg_pool2d(sigma.pow(2)[None], CELL)[0, 0].sqrt().clamp(max=SIGMA_MAX / 255))


def target(sigma: torch.Tensor, grain: float) -> torch.Tensor:
    """[1,H,W] to [2,H/16,W/16]: the least and the most that the level may be; they differ by the picture's own grain."""
    return torch.stack((cells(sigma), cells((sigma.pow(2) + grain ** 2).sqrt())))


def resize(picture: torch.Tensor, height: int, width: int) -> torch.Tensor:
    smaller = height < picture.shape[1]
    return F.interpolate(picture[None], size=(height, width), mode="bicubic", antialias=smaller, align_corners=False)[0].clamp(0, 1)


def between(rng: np.random.Generator, low: float, high: float) -> float:
    """Log-uniform."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


KINDS = ("native", "reduced", "soft")


class Pictures:
    """Clean patches of photographs, turned, mirrored, with colours permuted and exposure changed.

    native: as the file has it, with the faint grain that photographs have. reduced, to 1/3 to 4/5: free of it. soft: reduced to less
    than half and enlarged again, as large cameras see at the size of a pixel.
    """

    def __init__(self, pictures: list, rng: np.random.Generator):
        self.pictures = pictures
        self.rng = rng

    def crop(self, size: int, kind: str) -> torch.Tensor:
        """[3,size,size] in 0..1."""
        rng = self.rng
        picture = self.pictures[rng.integers(len(self.pictures))]
        scale = 1.0 if kind == "native" else between(rng, 0.35, 0.8) if kind == "reduced" else between(rng, 0.6, 1)
        side = min(round(size / scale), *picture.shape[:2])
        top, left = (int(rng.integers(n - side + 1)) for n in picture.shape[:2])
        crop = torch.from_numpy(picture[top:top + side, left:left + side].copy()).permute(2, 0, 1).float() / 255
        if kind == "soft":
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
    slope = rng.uniform(0.3, 2.2)
    apart = 0.3 if slope > 1.2 else 0  # the finest are of one colour: others would be noise
    phase = rng.standard_normal((2, *frequency.shape))
    for _ in range(3):
        own = rng.standard_normal((2, *frequency.shape)) * apart
        spectrum = ((phase + own)[0] + 1j * (phase + own)[1]) / frequency ** slope
        spectrum[0, 0] = 0
        plane = np.fft.irfft2(spectrum, s=(size, size))
        planes.append(plane / plane.std())
    contrast = between(rng, 0.02, 0.2 if slope > 1.2 else 0.12)
    mean = (rng.uniform(0.15, 0.85) + rng.normal(0, 0.1, (3, 1, 1))).clip(0.05, 0.95)  # mostly pale
    return torch.from_numpy((mean * (1 + 2 * contrast * np.stack(planes))).astype(np.float32)).clamp(0, 1)


def mesh(picture: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """[3,P,P] seen through a net or in a weave: one or two gratings of a few pixels' period, straight or a little bent."""
    size = picture.shape[1]
    y, x = torch.meshgrid(*[torch.arange(size, dtype=torch.float32)] * 2, indexing="ij")
    angle, period = rng.uniform(0, math.pi), between(rng, 2.2, 12)
    bend = rng.uniform(0, 0.1) * torch.sin(2 * math.pi * (x + y) / rng.uniform(60, 400))
    wave = torch.zeros(size, size)
    for turn in (0, rng.uniform(1.2, math.pi / 2))[: int(rng.integers(1, 3))]:
        along = x * math.cos(angle + turn) + y * math.sin(angle + turn)
        wave = wave + torch.sin(2 * math.pi * (along / period + bend * period))
    if rng.random() < 0.5:  # thin wires
        wave = (wave - 0.5).clamp_min(0) * 2
    return (picture * (1 + between(rng, 0.05, 0.5) * wave)).clamp(0, 1)


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


def content(pictures: Pictures, size: int, kinds=KINDS):
    """([3,size,size], its own grain in units of full scale, at the most): a photograph mostly."""
    rng = pictures.rng
    draw = rng.random()
    if draw < 0.86:
        kind = str(rng.choice(kinds))
        crop = pictures.crop(size, kind)
        return mesh(crop, rng) if rng.random() < 0.04 else crop, OWN_GRAIN if kind == "native" else 0.0
    return drawn(size, rng) if draw < 0.92 else fractal(size, rng), 0.0


def as_file(picture: torch.Tensor) -> torch.Tensor:
    """[3,H,W] to bytes."""
    return (picture.clamp(0, 1) * 255).round().byte()


def harmless(pictures: Pictures):
    """(bytes [3,P,P], target): without noise, but not as taken: what blurring, sharpening, a camera's processing and JPEG do to a picture."""
    rng = pictures.rng
    draw = rng.random()
    changed = draw < 0.4  # a photograph's own grain, blurred or sharpened, is noise that was processed
    out, grain = content(pictures, PATCH + CELL, ("reduced", "soft") if changed else KINDS)
    if draw < 0.15:
        out = gaussian_blur(out, between(rng, 0.4, 3))
    elif draw < 0.3:
        out = (out + rng.uniform(0.2, 1.5) * (out - gaussian_blur(out, rng.uniform(0.6, 2)))).clamp(0, 1)
    elif draw < 0.4:
        device = Camera(rng)
        device.scale = 1
        out = device.develop(device.raw(out), 0.02)
    if rng.random() < 0.3:
        out = jpeg(out, int(rng.integers(70, 99)), 2 if rng.random() < 0.6 else 0)
    [out] = cut(rng, out)
    if rng.random() < 0.55:
        out = jpeg(out, int(rng.integers(25, 98)), 2 if rng.random() < 0.6 else 0)
    return as_file(out), target(torch.zeros(1, PATCH, PATCH), grain)


def cut(rng: np.random.Generator, *pictures: torch.Tensor) -> list:
    """A patch of each at the same random place: what was saved as JPEG is cut and saved again with another grid."""
    top, left = (int(rng.integers(n - PATCH + 1)) for n in pictures[0].shape[1:])
    return [p[:, top:top + PATCH, left:left + PATCH].contiguous() for p in pictures]


def white(pictures: Pictures, generator: torch.Generator):
    """(bytes [3,P,P], target): white noise, of one level or following the brightness, clipped and rounded."""
    rng = pictures.rng
    clean, grain = content(pictures, PATCH)
    level = (rng.uniform(0, 75) if rng.random() < 0.5 else between(rng, 1, 50)) / 255
    if rng.random() < 0.65:
        sigma = torch.full((1, PATCH, PATCH), level)
        deviation = sigma
    else:
        deviation = camera_deviation(clean, 0.6 * level, rng).clamp(max=SIGMA_MAX / 255)
        sigma = deviation.pow(2).mean(0, keepdim=True).sqrt()
    noise = torch.randn(clean.shape, generator=generator)
    if rng.random() < 0.06:  # a grey picture
        clean, noise = clean.mean(0, keepdim=True).expand(3, -1, -1), noise[:1].expand(3, -1, -1)
    return as_file(clean + deviation * noise), target(sigma, grain)


def processed(pictures: Pictures, generator: torch.Generator):
    """(bytes [3,P,P], target): noise that something was done to after it arose, of the deviation that it has in the end."""
    rng = pictures.rng
    draw = rng.random()
    kind = str(rng.choice(KINDS, p=(0.25, 0.25, 0.5)))
    grain = OWN_GRAIN if kind == "native" else 0.0
    if draw < 0.65:
        clean = pictures.crop(176, kind)  # a larger piece, because the camera may scale
        noisy, reference, deviation = cut(rng, *camera(clean, between(rng, 0.8, 20) / 255, rng, generator))
    elif draw < 0.8:
        reference = pictures.crop(PATCH, kind)
        by_place = camera_deviation(reference, between(rng, 1, 30) / 255, rng)
        noisy = reference + by_place * correlated(reference.shape, rng, generator)
        deviation = by_place.pow(2).mean(0, keepdim=True).sqrt()
    else:  # white noise, then scaled or blurred
        level = between(rng, 2, 50) / 255
        side = round(PATCH * between(rng, 0.6, 2)) if rng.random() < 0.5 else PATCH
        clean = pictures.crop(side, kind)
        noisy = (clean + level * torch.randn(clean.shape, generator=generator)).clamp(0, 1)
        if side != PATCH:
            noisy, reference = resize(noisy, PATCH, PATCH), resize(clean, PATCH, PATCH)
        elif rng.random() < 0.4:
            spread = rng.uniform(0.25, 0.9)
            noisy, reference = gaussian_blur(noisy, spread), gaussian_blur(clean, spread)
        else:
            reference = clean
        deviation = local_deviation(noisy - reference)
    if rng.random() < 0.6:  # saved again, as what was sent, shown or cut has been
        noisy = jpeg(noisy, int(rng.integers(60 if draw < 0.65 else 30, 98)), 2 if rng.random() < 0.6 else 0)
    file = as_file(noisy)
    # JPEG takes faint noise away and adds errors of its own: what is left of the noise is the less of the two.
    return file, target(torch.minimum(deviation, local_deviation(file.float() / 255 - reference)), grain)


def local_deviation(noise: torch.Tensor) -> torch.Tensor:
    """[3,H,W] to [1,H,W]: root mean square around each place."""
    coarse = gaussian_blur(F.avg_pool2d(noise.pow(2).mean(0, keepdim=True), 4), 2.0)
    return F.interpolate(coarse[None], size=noise.shape[1:], mode="bilinear", align_corners=False)[0].clamp_min(0).sqrt()
