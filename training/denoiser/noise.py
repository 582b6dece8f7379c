"""Noise for training. Everything is in units of full scale: sigma 25/255 is 0.098.

Three of four samples carry white Gaussian noise of known level, unclipped: the model of the published
tables. The rest imitates cameras: a standard deviation that follows the brightness (Poisson-Gaussian in
linear light: Foi et al., 2008; seen through a tone curve: CBDNet, Guo et al., 2019, arXiv:1807.04686),
noise correlated between neighbours (demosaicing, scaling, in-camera smoothing) and between channels,
and sometimes clipping, rounding and JPEG.
"""
import io
import math
import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

MAX_SIGMA = 75 / 255


def draw_sigma(rng: np.random.Generator) -> float:
    """A noise level: 70 % between 5 and 55, the rest over the whole range 0..75."""
    level = rng.uniform(5, 55) if rng.random() < 0.7 else rng.uniform(0, 75)
    return level / 255


def correlated(shape, rng: np.random.Generator, generator: torch.Generator) -> torch.Tensor:
    """[3,P,P] Gaussian noise of unit variance, correlated over a pixel or two and between channels."""
    _, height, width = shape
    if rng.random() < 0.5:  # blurred
        white = torch.randn(3, height, width, generator=generator)
        spread = rng.uniform(0.4, 1.2)
        axis = torch.arange(-3, 4, dtype=torch.float32)
        kernel = torch.exp(-axis ** 2 / (2 * spread ** 2))
        kernel = kernel / kernel.pow(2).sum().sqrt()
        noise = F.pad(white[:, None], (3, 3, 3, 3), mode="reflect")
        noise = F.conv2d(F.conv2d(noise, kernel.view(1, 1, 1, 7)), kernel.view(1, 1, 7, 1))[:, 0]
    else:  # made at a lower resolution, as by demosaicing or enlarging
        factor = rng.uniform(1.2, 2.2)
        small = torch.randn(1, 3, math.ceil(height / factor), math.ceil(width / factor), generator=generator)
        noise = F.interpolate(small, size=(height, width), mode="bicubic", align_corners=False)[0]
        fine = torch.randn(3, height, width, generator=generator)
        noise = noise + rng.uniform(0.1, 0.6) * fine
    if rng.random() < 0.6:  # shared between the channels
        grey = noise.mean(0, keepdim=True)
        share = rng.uniform(0, 0.9)
        noise = (1 - share) * noise + share * grey
    return noise / noise.std().clamp_min(1e-6)


def camera_deviation(clean: torch.Tensor, level: float, rng: np.random.Generator) -> torch.Tensor:
    """[3,P,P]: standard deviation by pixel, rising or falling with brightness, of mean square `level`^2."""
    gamma = rng.uniform(1.0, 2.4)
    linear = clean.clamp(0, 1) ** gamma
    slope = 1.0 / (gamma * clean.clamp(0.06, 1) ** (gamma - 1))  # of the tone curve that encodes it
    shot = rng.uniform(0.2, 1.0)
    deviation = (shot * linear + (1 - shot) * rng.uniform(0.02, 0.3)).sqrt() * slope
    channel = torch.from_numpy(rng.uniform(0.8, 1.25, (3, 1, 1)).astype(np.float32))
    deviation = deviation * channel
    return deviation * (level / deviation.pow(2).mean().sqrt().clamp_min(1e-6))


def jpeg(picture: torch.Tensor, quality: int) -> torch.Tensor:
    """[3,P,P] in 0..1 through JPEG and back."""
    array = (picture.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).contiguous().numpy()
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "JPEG", quality=quality)
    out = np.asarray(Image.open(buffer))
    return torch.from_numpy(out.copy()).permute(2, 0, 1).float() / 255


def misjudged(deviation: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """[1,P,P] to what is told of it: a map or its mean, and rather too much than too little.

    Correlated noise looks like texture at its own level; asked to take away more, the network learns where to stop.
    """
    told = deviation if rng.random() < 0.5 else torch.full_like(deviation, float(deviation.mean()))
    return (told * math.exp(rng.uniform(-0.2, math.log(2.5)))).clamp(max=MAX_SIGMA)


def damage(clean: torch.Tensor, config: dict, rng: np.random.Generator, generator: torch.Generator):
    """clean [3,P,P] in 0..1 to (noisy [3,P,P], sigma map [1,P,P], level).

    config["realistic"], ["clean"], ["jitter"]: shares of samples with camera-like noise, with none, and with
    a map that is somewhat wrong.
    """
    shape = clean.shape
    draw = rng.random()
    if draw < config["clean"]:
        return clean.clone(), torch.zeros(1, *shape[1:]), 0.0
    level = draw_sigma(rng)
    if draw < config["clean"] + config["realistic"]:
        level *= 0.6  # cameras stay below 45
        deviation = camera_deviation(clean, level, rng) if rng.random() < 0.8 else torch.full(shape, level)
        grain = correlated(shape, rng, generator) if rng.random() < 0.7 else torch.randn(shape, generator=generator)
        noisy = clean + deviation * grain
        if rng.random() < 0.6:
            noisy = (noisy.clamp(0, 1) * 255).round() / 255
            if rng.random() < 0.25:
                noisy = jpeg(noisy, int(rng.integers(75, 99)))
        if rng.random() < 0.5:
            sigma = deviation.pow(2).mean(0, keepdim=True).sqrt()
        else:
            sigma = torch.full((1, *shape[1:]), level)
    else:
        noisy = clean + level * torch.randn(shape, generator=generator)
        sigma = torch.full((1, *shape[1:]), level)
    if rng.random() < config["jitter"]:
        sigma = (sigma * math.exp(rng.uniform(-0.35, 0.35))).clamp(max=MAX_SIGMA)
    return noisy, sigma, level
