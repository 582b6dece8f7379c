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

STRIDE = 8  # height and width must be multiples of this


class ResidualBlock(nn.Module):
    """x + conv3(relu(conv3(x))); [N,C,h,w] to the same."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.relu = nn.ReLU()

    def forward(self, x):
        return x + self.conv2(self.relu(self.conv1(x)))


class Up(nn.Module):
    """[N,C,h,w] to [N,C',2h,2w]: 1x1 convolution to 4C' channels, then pixel shuffle."""

    def __init__(self, channels_in: int, channels_out: int):
        super().__init__()
        self.conv = nn.Conv2d(channels_in, 4 * channels_out, 1)
        self.shuffle = nn.PixelShuffle(2)

    def forward(self, x):
        return self.shuffle(self.conv(x))


def blocks(channels: int, count: int) -> nn.Sequential:
    return nn.Sequential(*[ResidualBlock(channels) for _ in range(count)])


class Denoiser(nn.Module):
    """image [N,3,H,W] (sRGB-encoded, 0..1, noise may leave that range) and
    sigma [N,1,H,W] (noise standard deviation in the same unit, that is, sigma/255)
    to denoised [N,3,H,W], not clipped. H and W are multiples of STRIDE.

    widths: channels at 1/2, 1/4 and 1/8 of the resolution.
    depths: residual blocks at (encoder 1/2, encoder 1/4, 1/8, decoder 1/4, decoder 1/2).
    """

    def __init__(self, widths=(48, 96, 192), depths=(2, 2, 2, 2, 2)):
        super().__init__()
        a, b, c = widths
        # Pixel-unshuffle by 2 followed by a 3x3 convolution, written as the one 6x6 convolution
        # of stride 2 that it equals.
        self.stem = nn.Conv2d(4, a, 6, stride=2, padding=2)
        self.enc1 = blocks(a, depths[0])
        self.down1 = nn.Conv2d(a, b, 2, stride=2)
        self.enc2 = blocks(b, depths[1])
        self.down2 = nn.Conv2d(b, c, 2, stride=2)
        self.middle = blocks(c, depths[2])
        self.up2 = Up(c, b)
        self.dec2 = blocks(b, depths[3])
        self.up1 = Up(b, a)
        self.dec1 = blocks(a, depths[4])
        self.head = nn.Conv2d(a, 12, 3, padding=1)
        self.shuffle = nn.PixelShuffle(2)
        self.reset()

    def reset(self):
        """He initialisation; residual branches start small, the head at zero (so: the identity)."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                nn.init.zeros_(module.bias)
        for module in self.modules():
            if isinstance(module, ResidualBlock):
                module.conv2.weight.data.mul_(0.3)
        nn.init.zeros_(self.head.weight)

    def residual(self, image, sigma):
        """The estimated noise, [N,3,H,W]."""
        x = self.stem(torch.cat((image, sigma), 1))
        skip1 = self.enc1(x)
        skip2 = self.enc2(self.down1(skip1))
        x = self.middle(self.down2(skip2))
        x = self.dec2(self.up2(x) + skip2)
        x = self.dec1(self.up1(x) + skip1)
        return self.shuffle(self.head(x))

    def forward(self, image, sigma):
        return image - self.residual(image, sigma)


def build(config: dict) -> Denoiser:
    return Denoiser(tuple(config["widths"]), tuple(config["depths"]))


def count_parameters(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def macs_per_pixel(model: nn.Module, size: int = 64) -> float:
    """Multiply-accumulates of all convolutions per pixel of the input, counted on a real pass."""
    total = 0

    def count(module, _inputs, output):
        nonlocal total
        kh, kw = module.kernel_size
        total += output.shape[2] * output.shape[3] * module.out_channels * module.in_channels * kh * kw

    hooks = [m.register_forward_hook(count) for m in model.modules() if isinstance(m, nn.Conv2d)]
    with torch.no_grad():
        model(torch.zeros(1, 3, size, size), torch.zeros(1, 1, size, size))
    for hook in hooks:
        hook.remove()
    return total / size / size


def receptive_radius(depths) -> int:
    """How many pixels away an input pixel can still change an output pixel.

    Measured: with every weight one, the support of an impulse is the receptive field. It depends on
    the topology alone, so a network one channel wide does.
    """
    net = Denoiser((1, 1, 1), depths).double()
    for p in net.parameters():
        p.data.zero_()
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            module.weight.data.fill_(1.0)
    size = 512
    centre = size // 2
    radius = 0
    with torch.no_grad():
        for phase in range(STRIDE):
            image = torch.zeros(1, 3, size, size, dtype=torch.double)
            image[:, :, centre + phase, centre + phase] = 1.0
            sigma = torch.zeros(1, 1, size, size, dtype=torch.double)
            hit = net.residual(image, sigma)[0].abs().sum(0).nonzero()
            assert hit.min() > 0 and hit.max() < size - 1
            radius = max(radius, int((hit - (centre + phase)).abs().max()))
    return radius


def channels_last(model: nn.Module) -> nn.Module:
    return model.to(memory_format=torch.channels_last)


def clone(model: nn.Module) -> nn.Module:
    return copy.deepcopy(model)
