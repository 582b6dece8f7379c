"""Labels, a few training steps, an export, on made-up pictures: `/usr/bin/python3 test_smoke.py`.

Takes some ten seconds. The comparison with ONNX Runtime is skipped, loudly, where onnxruntime-node is not installed.
"""
import json
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
    "widths": [4, 8, 8, 8], "seed": 3, "steps": 12, "batch": {"processed": 2, "white": 2, "harmless": 2}, "validationBatches": 2,
    "lr": 0.002, "warmupSteps": 4, "weightDecay": 0.0, "clip": 1.0, "ema": 0.9, "precision": "fp32",
}
DENOISER = {
    "tier": "fast", "widths": [8, 16, 16], "depths": [1, 1, 1, 1, 1], "seed": 3, "minutes": 1, "phases": [{"until": 1.0, "patch": 32, "batch": 2}],
    "lr": 0.002, "lrEnd": 0.0001, "warmupSteps": 5, "weightDecay": 0.0, "clip": 5.0, "ema": 0.9, "mseFrom": 0.6, "precision": "fp32",
    "noise": {"clean": 0.05, "realistic": 0.3, "jitter": 0.1, "rescale": 0.3, "permute": 0.2},
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
    def test_labels_train_resume_export(self):
        with tempfile.TemporaryDirectory() as temporary:
            root = Path(temporary)
            pictures(root / "data", 9)
            for name, config in (("denoiser", DENOISER), ("noise", CONFIG)):
                (root / f"{name}.json").write_text(json.dumps(config))
            run(HERE.parent / "denoiser", "train.py", "--config", root / "denoiser.json", "--data", root / "data", "--run", root / "fast",
                "--steps", 3)
            labels = root / "labels.pt"
            run(HERE, "labels.py", "--data", root / "data", "--denoiser", root / "fast" / "checkpoint.pt", "--out", labels, "--count", 16,
                "--precision", "fp32")
            made = torch.load(labels)
            self.assertEqual((made["noisy"].shape[0], made["validation"]), (16, 2))
            train = ("train.py", "--config", root / "noise.json", "--data", root / "data", "--labels", labels)
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

    def test_levels_and_cells(self):
        sigma = torch.full((1, 32, 32), 15 / 255)
        self.assertAlmostEqual(float(samples.cells(sigma)[0, 0]), 4.0, places=4)
        self.assertAlmostEqual(float(samples.from_level(samples.to_level(torch.tensor(0.1)))), 0.1, places=5)


if __name__ == "__main__":
    unittest.main()
