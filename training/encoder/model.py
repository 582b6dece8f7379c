"""The convolutional variational autoencoder that recognises a picture from a damaged copy of it.

Encoder: the picture's colour and light are normalised, then plain 3x3 convolutions with BatchNorm (Ioffe & Szegedy
2015) and ReLU go down to 4x4, then one linear layer gives the mean and the log-variance of a 128-d Gaussian (Kingma &
Welling 2014). Plain convolutions, because depthwise ones with GroupNorm trained several times slower on a CPU. The
descriptor is the L2-normalised mean.
Decoder: 128 -> 64x64 RGB, nearest-neighbour upsampling with 3x3 convolutions.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F

SIZE = 112      # side of the square input, pixels
LATENT = 128    # dimensions of the latent, and of the descriptor
OUT = 64        # side of the decoded picture, pixels


def block(cin, cout, stride, kernel=3):
    padding = (kernel - stride + 1) // 2 if kernel > 3 else 1
    return nn.Sequential(nn.Conv2d(cin, cout, kernel, stride, padding, bias=False), nn.BatchNorm2d(cout), nn.ReLU(True))


def normalised(image):
    """[N,3,S,S] -> the same with every channel at mean 0, deviation 1 (flat ones at 0).

    Undoes gain, offset and colour casts where they did not clip; a picture and its warm, dark or bright copy
    become one before anything is learnt.
    """
    mean = image.mean((2, 3), keepdim=True)
    centred = image - mean
    deviation = (centred * centred).mean((2, 3), keepdim=True).sqrt()
    return centred / (deviation + 0.02)


class Encoder(nn.Module):
    """image [N,3,112,112] RGB 0..1 -> mean [N,128], logvar [N,128].

    layers: (channels out, kernel, stride, times): a convolution, then times - 1 more with x + conv(x).
    light: what the first convolution sees, "raw" colours, "normalised" ones, or "both".
    pooled: False leaves the map's mean out of the head.
    """

    def __init__(self, layers, light="both", pooled=True):
        super().__init__()
        self.light, self.pooled = light, pooled
        parts, width, side = [], 6 if light == "both" else 3, SIZE
        for out, kernel, stride, times in layers:
            parts += [block(width, out, stride, kernel)] + [Residual(out) for _ in range(times - 1)]
            width, side = out, -(-side // stride)
        self.blocks = nn.Sequential(*parts)
        self.head = nn.Linear(width * (side * side + pooled), 2 * LATENT)

    def forward(self, image):
        seen = {"raw": lambda: (image - 0.5) * 4.0, "normalised": lambda: normalised(image),
                # A frame or a cover shifts what is normalised, a colour cast what is raw: each helps the other.
                "both": lambda: torch.cat(((image - 0.5) * 4.0, normalised(image)), 1)}[self.light]()
        x = self.blocks(seen)
        # Where things are (the map) and what there is (its mean): crops and turns move the first, not the second.
        features = torch.cat((x.flatten(1), x.mean((2, 3))), 1) if self.pooled else x.flatten(1)
        mean, logvar = self.head(features).float().chunk(2, dim=1)
        return mean, logvar.clamp(-8.0, 4.0)


def build(config):
    """The encoder a training config describes."""
    return Encoder(config["layers"], config.get("light", "both"), config.get("pooled", True))


class Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.body = block(channels, channels, 1)

    def forward(self, x):
        return x + self.body(x)


def descriptor(mean):
    """[N,128] -> [N,128] of length 1."""
    return F.normalize(mean, dim=1)


class Decoder(nn.Module):
    """latent [N,128] (a mean, or a descriptor rescaled by the manifest's latentNorm) -> image [N,3,64,64] 0..1."""

    def __init__(self, widths=(128, 96, 48, 24)):
        super().__init__()
        self.width = widths[0]
        self.fc = nn.Linear(LATENT, widths[0] * 4 * 4)
        self.blocks = nn.ModuleList([block(a, b, 1) for a, b in zip(widths, widths[1:])])
        self.last = nn.Conv2d(widths[-1], 3, 3, 1, 1)

    def forward(self, latent):
        x = F.relu(self.fc(latent)).view(-1, self.width, 4, 4)
        for b in self.blocks:
            x = b(F.interpolate(x, scale_factor=2.0, mode="nearest"))
        x = self.last(F.interpolate(x, scale_factor=2.0, mode="nearest"))
        return torch.sigmoid(x.float())


def macs(module, *inputs):
    """Multiply-accumulates of the convolutions and linear layers for one picture."""
    total, hooks = [0], []

    def count(m, _, out):
        w = m.weight
        total[0] += w.numel() * (out.shape[2] * out.shape[3] if out.dim() == 4 else 1)

    for m in module.modules():
        if isinstance(m, (nn.Conv2d, nn.Linear)):
            hooks.append(m.register_forward_hook(count))
    was = module.training
    module.eval()
    with torch.no_grad():
        module(*inputs)
    module.train(was)
    for h in hooks:
        h.remove()
    return total[0]


def fold(conv, bn):
    """The convolution with the BatchNorm's running statistics folded into weight and bias."""
    scale = bn.weight / torch.sqrt(bn.running_var + bn.eps)
    out = nn.Conv2d(conv.in_channels, conv.out_channels, conv.kernel_size, conv.stride, conv.padding)
    out.weight.data = (conv.weight * scale[:, None, None, None]).detach().contiguous()
    out.bias.data = (bn.bias - bn.running_mean * scale).detach()
    return out


def folded(module):
    """A float32 copy in eval mode with every BatchNorm folded."""
    import copy
    module = copy.deepcopy(module).float().eval()
    for seq in module.modules():
        if isinstance(seq, nn.Sequential) and len(seq) == 3 and isinstance(seq[1], nn.BatchNorm2d):
            seq[0], seq[1] = fold(seq[0], seq[1]), nn.Identity()
    return module.to(memory_format=torch.contiguous_format)
