"""A few training steps and an export, on made-up pictures: `/usr/bin/python3 test_smoke.py`.

Takes some ten seconds. The comparison with ONNX Runtime is skipped, loudly, where onnxruntime-node is not installed.
"""
import json
import math
from pathlib import Path
import subprocess
import sys
import tempfile
import unittest
import numpy as np
import torch
from PIL import Image

HERE = Path(__file__).resolve().parent
import export  # noqa: E402
import samples  # noqa: E402
import parity  # noqa: E402
from camera import Camera, camera  # noqa: E402

CONFIG = {
    "widths": [4, 8, 8, 8], "seed": 3, "steps": 12, "batch": {"processed": 2, "white": 2, "harmless": 2}, "store": 16, "quantile": 0.6, "validationBatches": 2,
    "lr": 0.002, "warmupSteps": 4, "weightDecay": 0.0, "clip": 1.0, "ema": 0.9, "precision": "fp32",
}

def pictures(folder: Path, count: int):
    folder.mkdir(parents=True)
    rng = np.random.default_rng(1)
    for i in range(count):
        coarse = rng.integers(0, 256, (5, 7, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((320, 300), Image.BICUBIC).save(folder / f"bsds-{i}.png")


def run(folder: Path, script: str, *arguments):
    subprocess.run([sys.executable, script, *map(str, arguments)], cwd=folder, check=True, stdout=subprocess.DEVNULL)


class Smoke(unittest.TestCase):
    def test_train_resume_export(self):
        with tempfile.TemporaryDirectory() as temporary:
            root = Path(temporary)
            pictures(root / "data", 9)
            (root / "config.json").write_text(json.dumps(CONFIG))
            train = ("train.py", "--config", root / "config.json", "--data", root / "data")
            run(HERE, *train, "--run", root / "run", "--steps", 6)
            run(HERE, *train, "--run", root / "run", "--resume")
            try:
                parity.runtime()
            except FileNotFoundError as reason:
                self.skipTest(f"NOT CHECKED against ONNX Runtime: {reason}")
            export.main(["--run", str(root / "run"), "--data", str(root / "data"), "--out", str(root / "models")])
            [entry] = json.loads((root / "models" / "manifest.json").read_text())["models"]
            self.assertEqual((entry["kind"], entry["training"]["steps"]), ("estimator", 12))

    def test_camera_keeps_a_field_and_makes_the_level_asked_for(self):
        rng, generator = np.random.default_rng(1), torch.Generator().manual_seed(1)
        field = torch.tensor([0.2, 0.5, 0.8]).view(3, 1, 1).expand(3, 64, 64)
        for _ in range(5):
            device = Camera(rng)
            device.scale = 1
            self.assertLess(float((device.develop(device.raw(field), 0.01) - field).abs().max()), 0.02)
            noisy, reference, deviation = camera(field, 8 / 255, rng, generator)
            self.assertEqual(noisy.shape, reference.shape)
            self.assertAlmostEqual(float(deviation.mean()) * 255, 8, delta=2.5)

    def test_levels_and_targets(self):
        sigma = torch.full((1, 32, 32), 15 / 255)
        least, most = samples.target(sigma, 20 / 255)[:, 0, 0].tolist()
        self.assertAlmostEqual(least, 4.0, places=4)
        self.assertAlmostEqual(most, math.log2(26), places=4)
        self.assertAlmostEqual(float(samples.from_level(samples.to_level(torch.tensor(0.1)))), 0.1, places=5)

    def test_every_kind_of_sample_is_a_file_with_a_target(self):
        rng, generator = np.random.default_rng(2), torch.Generator().manual_seed(2)
        picture = np.asarray(Image.effect_noise((300, 280), 40).convert("RGB"))
        pictures_ = samples.Pictures([picture], rng)
        for _ in range(12):
            for patch, target in (samples.harmless(pictures_), samples.white(pictures_, generator), samples.processed(pictures_, generator)):
                self.assertEqual((patch.dtype, tuple(patch.shape)), (torch.uint8, (3, samples.PATCH, samples.PATCH)))
                self.assertEqual(tuple(target.shape), (2, 8, 8))
                self.assertTrue(bool((target[0] <= target[1] + 1e-6).all() and torch.isfinite(target).all()))


if __name__ == "__main__":
    unittest.main()
