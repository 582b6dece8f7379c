"""The converted network does what MATLAB's would: `/usr/bin/python3 test_ffdnet.py`. Needs no published weights."""
from pathlib import Path
import sys
import tempfile
import unittest
import numpy as np
import onnx
import torch
import torch.nn.functional as F

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent / "common"))
import ffdnet  # noqa: E402
import parity  # noqa: E402


def as_published(convolutions, image, level):
    """[3,H,W] to the same, sub-pixels sorted by hand: for each colour, down the block's columns."""
    blocks = [image[c, row::2, column::2] for c in range(3) for column in range(2) for row in range(2)]
    x = torch.stack([*blocks, torch.full_like(blocks[0], level)])[None]
    for index, (weight, bias) in enumerate(convolutions):
        x = F.conv2d(x if index == 0 else F.relu(x), torch.from_numpy(weight), torch.from_numpy(bias), padding=1)
    out = torch.empty_like(image)
    channels = iter(x[0])
    for c in range(3):
        for column in range(2):
            for row in range(2):
                out[c, row::2, column::2] = next(channels)
    return out


class Test(unittest.TestCase):
    def test_the_same_as_sorted_by_hand(self):
        rng = np.random.default_rng(1)

        def convolution(outputs, inputs):
            return (rng.standard_normal((outputs, inputs, 3, 3)).astype(np.float32) / 10,
                    rng.standard_normal(outputs).astype(np.float32))

        convolutions = [convolution(8, 13), convolution(8, 8), convolution(12, 8)]
        image = torch.from_numpy(rng.random((3, 20, 14), np.float32))
        expected = as_published(convolutions, image, 0.1)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "small.onnx"
            onnx.save(ffdnet.build(convolutions), str(path))
            worst = parity.check(path, {"image": image[None].numpy(), "sigma": np.full((1, 1, 20, 14), 0.1)},
                                 {"denoised": expected[None].numpy()})
        self.assertLess(worst, 1e-5)


if __name__ == "__main__":
    unittest.main()
