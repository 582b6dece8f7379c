"""The noise estimator: a small convolutional network without padding tricks or pooling over the picture.

The idea of learning the level from the picture, by place: the noise estimation subnetwork of CBDNet, Guo et al., 2019
(arXiv:1807.04686). Here it works at a low resolution, and says how sure it is: on texture that hides noise it is not
(a Laplace distribution by place: Kendall and Gal, 2017, arXiv:1703.04977).
"""
import torch
from torch import nn

CELL = 16


class Block(nn.Module):
    """x + conv3(relu(conv3(x))); [N,C,h,w] to the same."""

    def __init__(self, channels: int, dilation: int = 1):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=dilation, dilation=dilation)
        self.relu = nn.ReLU()

    def forward(self, x):
        return x + self.conv2(self.relu(self.conv1(x)))


class Estimator(nn.Module):
    """image [N,3,H,W] (sRGB-encoded, 0..1) to level [N,2,H/16,W/16]; H and W are multiples of 16.

    level[:,0]: t = log2(1 + sigma) of the noise by cell of 16 x 16 pixels, sigma in 8-bit units.
    level[:,1]: the logarithm of the scale b of its Laplace distribution: the mean error of t that is to be expected.
    """

    def __init__(self, widths=(24, 32, 48, 64)):
        super().__init__()
        a, b, c, d = widths
        relu = nn.ReLU()
        self.net = nn.Sequential(
            nn.Conv2d(3, a, 6, stride=2, padding=2), relu,
            nn.Conv2d(a, b, 3, stride=2, padding=1), relu,
            nn.Conv2d(b, c, 3, stride=2, padding=1), Block(c), Block(c), relu,
            nn.Conv2d(c, d, 3, stride=2, padding=1), Block(d), Block(d, 2), relu,
        )
        self.head = nn.Conv2d(d, 2, 1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                nn.init.zeros_(module.bias)
            if isinstance(module, Block):
                module.conv2.weight.data.mul_(0.3)
        self.head.weight.data.mul_(0.1)
        self.head.bias.data[0] = 3.0

    def forward(self, image):
        # Noise is a matter of small differences: centred and stretched, they survive bf16 better.
        level, scale = self.head(self.net((image - 0.5) * 4)).chunk(2, 1)
        return torch.cat((level, scale.clamp(-4, 1)), 1)
