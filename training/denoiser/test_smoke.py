"""A few training steps on made-up pictures, an export, a comparison: `/usr/bin/python3 test_smoke.py`.

Takes some ten seconds. The comparison with ONNX Runtime is skipped, loudly, where onnxruntime-node is not
installed.
"""
import json
from pathlib import Path
import sys
import tempfile
import unittest
import numpy as np
import torch
from PIL import Image

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "common")]
import cost  # noqa: E402
import evaluate  # noqa: E402
import export  # noqa: E402
import manifest  # noqa: E402
import model as models  # noqa: E402
import muon  # noqa: E402
import noise  # noqa: E402
import parity  # noqa: E402
import train  # noqa: E402

SMALL = {
    "tier": "fast", "widths": [8, 16, 16], "depths": [1, 1, 1, 1, 1], "seed": 3, "minutes": 1,
    "phases": [{"until": 0.5, "patch": 32, "batch": 2}, {"until": 1.0, "patch": 48, "batch": 2}],
    "lr": 0.002, "lrEnd": 0.0001, "warmupSteps": 5, "weightDecay": 0.0, "clip": 5.0, "ema": 0.9, "mseFrom": 0.6,
    "precision": "fp32",
    "noise": {"clean": 0.05, "realistic": 0.3, "jitter": 0.1, "rescale": 0.3, "permute": 0.2},
}


def pictures(folder: Path, count: int):
    folder.mkdir(parents=True)
    rng = np.random.default_rng(1)
    for i in range(count):
        coarse = rng.integers(0, 256, (5, 7, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((300, 270), Image.BICUBIC).save(folder / f"bsds-{i}.png")


class Smoke(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.root = Path(cls.temporary.name)
        torch.set_num_threads(1)
        pictures(cls.root / "data", 4)
        pictures(cls.root / "eval" / "cbsd68", 2)
        cls.config = cls.root / "config.json"
        cls.config.write_text(json.dumps(SMALL))

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def train(self, name: str, *more) -> Path:
        run = self.root / name
        train.main(["--config", str(self.config), "--data", str(self.root / "data"), "--run", str(run), *more])
        return run

    def weights(self, run: Path) -> torch.Tensor:
        state = torch.load(run / "checkpoint.pt")
        return torch.cat([v.flatten() for v in state["ema"].values()])

    def test_same_seed_same_weights(self):
        first, second = (self.weights(self.train(name, "--steps", "6")) for name in ("a", "b"))
        self.assertTrue(torch.equal(first, second))

    def test_muon_and_camera_noise_learn_and_resume(self):
        config = {**SMALL, "optimiser": "muon", "noise": {**SMALL["noise"], "camera": 0.5, "shots": 2}}
        self.config.with_name("muon.json").write_text(json.dumps(config))
        more = ["--config", str(self.config.with_name("muon.json"))]
        start, run = self.weights(self.train("m", "--steps", "1", *more)), self.train("m", "--steps", "12", "--resume", *more)
        self.assertFalse(torch.equal(start, self.weights(run)))
        self.assertTrue(bool(torch.isfinite(self.weights(run)).all()))

    def test_init_leaves_out_blocks_that_are_gone(self):
        whole = self.train("whole", "--steps", "2")
        lean = self.config.with_name("lean.json")
        lean.write_text(json.dumps({**SMALL, "depths": [0, *SMALL["depths"][1:]], "lr": 0.0, "lrEnd": 0.0}))
        run = self.train("lean", "--config", str(lean), "--steps", "1", "--init", str(whole / "checkpoint.pt"))
        before, after = (torch.load(r / "checkpoint.pt")["ema"] for r in (whole, run))
        gone = sorted(set(before) - set(after))
        self.assertTrue(gone and all(name.startswith("enc1.") for name in gone))
        self.assertTrue(all(torch.equal(before[name], after[name]) for name in after))
        self.assertEqual(json.loads((run / "log.jsonl").read_text().splitlines()[0])["leftOut"], gone)

    def test_batches_of_workers_repeat(self):
        first, second = (self.weights(self.train(name, "--steps", "4", "--workers", "2")) for name in ("w", "x"))
        self.assertTrue(torch.equal(first, second))

    def test_muon_steps_are_orthogonal(self):
        for shape in ((6, 40), (40, 6)):
            values = torch.linalg.svdvals(muon.orthogonal(torch.randn(shape) * 1e-6))
            self.assertTrue(bool(((values > 0.5) & (values < 1.3)).all()), values)

    def test_train_resume_evaluate_export(self):
        run = self.train("c", "--steps", "30", "--monitor", str(self.root / "eval" / "cbsd68"))
        self.train("c", "--steps", "40", "--resume")
        metrics = self.root / "metrics.json"
        evaluate.main(["--checkpoint", str(run / "checkpoint.pt"), "--eval", str(self.root / "eval"),
                       "--sets", "cbsd68", "--out", str(metrics)])
        self.assertEqual(json.loads(metrics.read_text())["step"], 40)
        try:
            parity.runtime()
        except FileNotFoundError as reason:
            self.skipTest(f"NOT CHECKED against ONNX Runtime: {reason}")
        out = self.root / "models"
        export.main(["--run", str(run), "--data", str(self.root / "data"), "--metrics", str(metrics),
                     "--out", str(out)])
        shipped = train.initial_weights(out / "denoise-fast.onnx")
        averaged = torch.load(run / "checkpoint.pt")["ema"]
        self.assertEqual(shipped.keys(), averaged.keys())
        self.assertTrue(all(torch.equal(shipped[name], averaged[name]) for name in averaged))
        listed = json.loads((out / "manifest.json").read_text())["models"]
        self.assertEqual([m["id"] for m in listed], ["denoise-fast"])
        self.assertLess(listed[0]["parity"]["maxAbsDiff"], export.PARITY_LIMIT)
        self.assertIn(listed[0]["tileMargin"], range(0, listed[0]["receptiveRadius"] + 8, 8))
        with open(out / "denoise-fast.onnx", "ab") as file:
            file.write(b"x")
        with self.assertRaises(SystemExit):
            manifest.collect(out)

    def test_untrained_is_identity(self):
        net = models.Denoiser((8, 16, 16), (1, 1, 1, 1, 1))
        image = torch.rand(1, 3, 32, 48)
        self.assertTrue(torch.equal(net(image, torch.zeros(1, 1, 32, 48)), image))

    def test_receptive_radius_bounds_influence(self):
        net = models.Denoiser((8, 8, 8), (1, 1, 1, 1, 1)).eval()
        torch.nn.init.normal_(net.head.weight)
        radius = models.receptive_radius({"widths": (8, 8, 8), "depths": (1, 1, 1, 1, 1)})
        image, sigma = torch.rand(1, 3, 256, 256), torch.full((1, 1, 256, 256), 0.1)
        other = image.clone()
        other[..., 128, 128] += 1
        with torch.no_grad():
            changed = (net(image, sigma) != net(other, sigma))[0].any(0).nonzero()
        self.assertLessEqual(int((changed - 128).abs().max()), radius)

    def test_budgets(self):
        for name, limit in (("best", 120e3), ("fast", 35e3)):
            net = models.build(json.loads((HERE / "configs" / f"{name}.json").read_text()))
            self.assertLess(cost.macs_per_pixel(net, (3, 1)), limit)

    def test_noise_has_the_level_it_states(self):
        rng, generator = np.random.default_rng(5), torch.Generator().manual_seed(5)
        share = {"clean": 0.1, "realistic": 0.0, "jitter": 0.0}
        clean = torch.full((3, 128, 128), 0.5)
        for _ in range(10):
            noisy, sigma, level = noise.damage(clean, share, rng, generator)
            self.assertAlmostEqual(float((noisy - clean).std()), level, delta=0.02 * level + 1e-6)
            self.assertTrue(bool((sigma - level).abs().max() < 1e-6))


if __name__ == "__main__":
    unittest.main()
