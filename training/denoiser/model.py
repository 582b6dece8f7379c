"""The denoiser: a residual U-Net convolutional autoencoder told how strong the noise is.

Sources of the ideas:
  U-Net: Ronneberger et al., 2015 (arXiv:1505.04597).
  Residual learning of the noise: Zhang et al., DnCNN, 2017 (arXiv:1608.03981).
  Pixel-unshuffled input with a noise-level map: Zhang et al., FFDNet, 2018 (arXiv:1710.04026).
  The U-Net of residual blocks with such a map: Zhang et al., DRUNet, 2021 (arXiv:2008.13751).

Nothing in it depends on the batch or on the picture as a whole (no normalisation over space or batch,
no global pooling), so a tile with enough margin gives exactly what the whole picture would give.
"""
import copy
import torch
from torch import nn

class ResidualBlock(nn.Module):
    """x + conv3(relu(conv3(x))); [N,C,h,w] to the same."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.relu = nn.ReLU()

    def forward(self, x):
        return x + self.conv2(self.relu(self.conv1(x)))


class GatedBlock(nn.Module):
    """x + conv1(a * b) with (a, b) the halves of conv3(x); [N,C,h,w] to the same.

    The product of two halves in place of an activation: Chen et al., NAFNet, 2022 (arXiv:2204.04676), with a
    full convolution for the depthwise one, which processors run at a tenth of the speed by operation.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 2 * channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 1)

    def forward(self, x):
        a, b = self.conv1(x).chunk(2, 1)
        return x + self.conv2(a * b)


class GatedTailBlock(nn.Module):
    """x + conv1(a * b) with (a, b) the halves of conv1(relu(conv3(x))): two thirds of a plain block's cost."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.expand = nn.Conv2d(channels, 2 * channels, 1)
        self.conv2 = nn.Conv2d(channels, channels, 1)
        self.relu = nn.ReLU()

    def forward(self, x):
        a, b = self.expand(self.relu(self.conv1(x))).chunk(2, 1)
        return x + self.conv2(a * b)


BLOCKS = {"plain": ResidualBlock, "gated": GatedBlock, "gated-tail": GatedTailBlock}


class Up(nn.Module):
    """[N,C,h,w] to [N,C',2h,2w]: 1x1 convolution to 4C' channels, then pixel shuffle."""

    def __init__(self, channels_in: int, channels_out: int):
        super().__init__()
        self.conv = nn.Conv2d(channels_in, 4 * channels_out, 1)
        self.shuffle = nn.PixelShuffle(2)

    def forward(self, x):
        return self.shuffle(self.conv(x))


def blocks(kind: str, channels: int, count: int) -> nn.Sequential:
    return nn.Sequential(*[BLOCKS[kind](channels) for _ in range(count)])


class Denoiser(nn.Module):
    """image [N,3,H,W] (sRGB-encoded, 0..1, noise may leave that range) and
    sigma [N,1,H,W] (noise standard deviation in the same unit, that is, sigma/255)
    to denoised [N,3,H,W], not clipped. H and W are multiples of `stride`.

    widths: channels at 1/2, 1/4, 1/8 ... of the resolution.
    depths: blocks per level on the way down, at the bottom, on the way up: 2 * len(widths) - 1 numbers.
    block: a name in BLOCKS.
    """

    def __init__(self, widths=(48, 96, 192), depths=(2, 2, 2, 2, 2), block="plain"):
        super().__init__()
        if len(depths) != 2 * len(widths) - 1:
            raise ValueError(f"{len(widths)} levels need {2 * len(widths) - 1} depths, got {len(depths)}")
        self.levels = len(widths) - 1  # below the first
        self.stride = 2 ** len(widths)
        first = widths[0]
        # Pixel-unshuffle by 2 followed by a 3x3 convolution, written as the one 6x6 convolution
        # of stride 2 that it equals.
        self.stem = nn.Conv2d(4, first, 6, stride=2, padding=2)
        for i in range(self.levels):
            above, below = widths[i], widths[i + 1]
            self.add_module(f"enc{i + 1}", blocks(block, above, depths[i]))
            self.add_module(f"down{i + 1}", nn.Conv2d(above, below, 2, stride=2))
            self.add_module(f"up{i + 1}", Up(below, above))
            self.add_module(f"dec{i + 1}", blocks(block, above, depths[-1 - i]))
        self.middle = blocks(block, widths[-1], depths[self.levels])
        self.head = nn.Conv2d(first, 12, 3, padding=1)
        self.shuffle = nn.PixelShuffle(2)
        self.reset()

    def reset(self):
        """He initialisation; residual branches start small (a gate squares what it is given, so those start at
        nothing), the head at zero (so: the identity)."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                nn.init.zeros_(module.bias)
        for module in self.modules():
            if isinstance(module, tuple(BLOCKS.values())):
                module.conv2.weight.data.mul_(0.3 if isinstance(module, ResidualBlock) else 0.0)
        nn.init.zeros_(self.head.weight)

    def residual(self, image, sigma):
        """The estimated noise, [N,3,H,W]."""
        x = self.stem(torch.cat((image, sigma), 1))
        skips = []
        for i in range(1, self.levels + 1):
            x = getattr(self, f"enc{i}")(x)
            skips.append(x)
            x = getattr(self, f"down{i}")(x)
        x = self.middle(x)
        for i in range(self.levels, 0, -1):
            x = getattr(self, f"dec{i}")(getattr(self, f"up{i}")(x) + skips.pop())
        return self.shuffle(self.head(x))

    def forward(self, image, sigma):
        return image - self.residual(image, sigma)


def build(config: dict) -> Denoiser:
    return Denoiser(tuple(config["widths"]), tuple(config["depths"]), config.get("block", "plain"))


def receptive_radius(config: dict) -> int:
    """How many pixels away an input pixel can still change an output pixel.

    Measured: with every weight one, the support of an impulse is the receptive field. It depends on
    the topology alone, so a network of a few channels does. (A gate's halves are products of the same support.)
    """
    levels = len(config["widths"])
    net = Denoiser((2,) * levels, tuple(config["depths"]), config.get("block", "plain")).double()
    for p in net.parameters():
        p.data.zero_()
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            module.weight.data.fill_(1.0 / module.weight[0].numel())
            module.bias.data.fill_(1e-3)
    size = 1024
    centre = size // 2
    radius = 0
    with torch.no_grad():
        sigma = torch.zeros(1, 1, size, size, dtype=torch.double)
        still = net.residual(torch.zeros(1, 3, size, size, dtype=torch.double), sigma)
        for phase in range(net.stride):
            image = torch.zeros(1, 3, size, size, dtype=torch.double)
            image[:, :, centre + phase, centre + phase] = 1e6
            hit = ((net.residual(image, sigma) - still)[0].abs().sum(0) > 0).nonzero()
            assert hit.min() > 0 and hit.max() < size - 1
            radius = max(radius, int((hit - (centre + phase)).abs().max()))
    return radius


def channels_last(model: nn.Module) -> nn.Module:
    return model.to(memory_format=torch.channels_last)


def clone(model: nn.Module) -> nn.Module:
    return copy.deepcopy(model)
