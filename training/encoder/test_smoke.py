"""Quick checks on the CPU, without the picture sets:  /usr/bin/python3 training/encoder/test_smoke.py"""
import os
import sys
import tempfile
import unittest

import numpy as np
import torch
from PIL import Image

import data
import evaluate
import train
from damage import ALL, WORK, Damage
from model import LATENT, OUT, SIZE, Decoder, build, descriptor, folded, macs

torch.set_num_threads(1)


def scene(seed, w=240, h=180):
    """A picture with something on it."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8))
    return small.resize((w, h), Image.BICUBIC)


CONFIG = data.read_json(os.path.join(train.HERE, "config.json"))


class Model(unittest.TestCase):
    def test_size_and_shapes(self):
        e, d = build(CONFIG).eval(), Decoder().eval()
        x = torch.rand(2, 3, SIZE, SIZE)
        mean, logvar = e(x)
        self.assertEqual((mean.shape, logvar.shape), ((2, LATENT), (2, LATENT)))
        self.assertLessEqual(macs(e, x[:1]), 40e6)
        y = d(mean)
        self.assertEqual(y.shape, (2, 3, OUT, OUT))
        self.assertTrue(0 <= float(y.min()) and float(y.max()) <= 1)
        self.assertTrue(torch.allclose(descriptor(mean).norm(dim=1), torch.ones(2)))

    def test_folding_changes_nothing(self):
        e = build(CONFIG)
        for _ in range(2):
            e(torch.rand(4, 3, SIZE, SIZE))
        e.eval()
        x = torch.rand(2, 3, SIZE, SIZE)
        self.assertLess(float((e(x)[0] - folded(e)(x)[0]).abs().max()), 1e-4)


class DamageSteps(unittest.TestCase):
    def setUp(self):
        px = np.stack([np.asarray(data.squash(scene(i), data.STORE)) for i in range(6)])
        self.big = torch.from_numpy(px).permute(0, 3, 1, 2).float() / 255
        self.small = torch.nn.functional.avg_pool2d(self.big, 2)
        self.aspect = np.full(6, 4 / 3, np.float32)
        self.window = np.tile(np.float32([0, 0, 1, 1]), (6, 1))

    def views(self, damage, counts):
        return damage.views(self.big, self.small, self.aspect, self.window, counts)

    def test_no_damage_is_the_squashed_picture(self):
        x, readable = self.views(Damage(1, 4), [1.0])
        want = torch.from_numpy(np.stack([np.asarray(data.squash(scene(i), SIZE)) for i in range(6)])).permute(0, 3, 1, 2) / 255
        self.assertLess(float((x - want).abs().mean()), 0.01)
        self.assertTrue(bool(readable.all()))

    def test_every_kind_runs_alone(self):
        d = Damage(2, 4)
        plan = d.plan
        for kind in ALL:
            d.plan = lambda n, counts: {k: np.full(n, k == kind) for k in ALL}
            x, _ = self.views(d, [1.0])
            self.assertEqual(x.shape, (6, 3, SIZE, SIZE))
            self.assertTrue(0 <= float(x.min()) and float(x.max()) <= 1 and bool(torch.isfinite(x).all()), kind)
            d.plan = lambda n, counts: {k: np.zeros(n, bool) for k in ALL}
            self.assertGreater(float((x - self.views(d, [1.0])[0]).abs().mean()), 1e-3, kind)
        d.plan = plan

    def test_mirror_and_quarter_turn_are_exact(self):
        d = Damage(3, 4)
        clean, _ = self.views(d, [1.0])
        d.plan = lambda n, counts: {k: np.full(n, k == "mirror") for k in ALL}
        self.assertLess(float((self.views(d, [1.0])[0] - clean.flip(3)).abs().mean()), 1e-3)
        d.plan = lambda n, counts: {k: np.full(n, k == "rotate90") for k in ALL}
        x, _ = self.views(d, [1.0])
        turned = torch.stack([torch.rot90(clean, k, (2, 3)) for k in (1, 2, 3)])
        self.assertLess(float((turned - x).abs().mean((2, 3, 4)).min(0)[0].max()), 0.01)

    def test_jpeg_of_high_quality_changes_little(self):
        d = Damage(4, 4)
        x = torch.nn.functional.interpolate(self.big, size=(WORK, WORK), mode="bilinear", align_corners=False)
        d.u = lambda low, high, n: np.full(n, np.log(60), np.float32)
        d.rng = np.random.default_rng(0)
        self.assertLess(float((d.jpeg(x.clone(), None, 1.0) - x).abs().mean()), 0.03)

    def test_the_same_seed_gives_the_same_damage(self):
        one, two = (self.views(Damage(5, 4), [0, 0.5, 0.5])[0] for _ in range(2))
        self.assertTrue(torch.equal(one, two))


class Rest(unittest.TestCase):
    def test_nt_xent(self):
        z = torch.eye(8)
        loss, hit = train.nt_xent(z, z, 0.1)
        self.assertLess(float(loss), 0.01)
        self.assertEqual(float(hit), 1.0)
        self.assertGreater(float(train.nt_xent(z, z.roll(1, 0), 0.1)[0]), 5)

    def test_sampler_never_pairs_one_source(self):
        source = np.repeat(np.arange(20), 5).astype(np.int32)
        s = data.Sampler(source, 12, 1)
        for _ in range(20):
            self.assertEqual(len(set(source[s.draw()])), 12)

    def test_every_attack_step_runs(self):
        steps = [{"noise": {"sigma": 20}}, {"jpeg": {"quality": 10}}, {"webp": {"quality": 10}}, {"crop": {"area": 0.5}},
                 {"rotate": {"degrees": 15, "fill": "#ffffff"}}, {"mirror": {}}, {"resize": {"long": 64}}, {"stretch": {"x": 1.3, "y": 1}},
                 {"blur": {"sigma": 2}}, {"pad": {"share": 0.2, "fill": "#000000"}}, {"cover": {"share": 0.2}}, {"text": {"lines": 2, "height": 0.1}},
                 {"grey": {}}, {"linear": {"gain": 1.4, "offset": 20}}, {"channels": {"r": 1.2, "g": 1, "b": 0.8}}, {"posterise": {"levels": 4}},
                 {"screenshot": {"share": 0.6}}]
        self.assertEqual({k for s in steps for k in s}, set(evaluate.STEPS))
        for step in steps:
            self.assertEqual(evaluate.attacked(scene(1), [step], np.random.default_rng(1)).mode, "RGB")

    def test_two_steps_of_training_repeat_and_resume(self):
        with tempfile.TemporaryDirectory() as t:
            for folder, n in (("denoise-train", 10), ("retrieval/caltech-dev/a", 6), *((f"retrieval/caltech-dev/z{i:02d}", 1) for i in range(12))):
                os.makedirs(os.path.join(t, folder))
                for i in range(n):
                    scene(len(folder) * 20 + i).save(os.path.join(t, folder, f"{i}.png"))
            self.assertEqual(len(data.training_files(t)), 16)
            config = data.read_json(os.path.join(train.HERE, "config.json"))
            config.update(batch=6, decoded=4)
            data.write_json(os.path.join(t, "c.json"), config)

            def go(run, *more):
                sys.argv = ["train.py", "--data", t, "--run", os.path.join(t, run), "--config", os.path.join(t, "c.json"), "--limit", "100", *more]
                train.main()
                return torch.load(os.path.join(t, run, "final.pt"))

            a, b = go("a", "--steps", "2"), go("b", "--steps", "2")
            self.assertTrue(all(torch.equal(v, b["encoder"][k]) for k, v in a["encoder"].items()))
            self.assertEqual(go("a", "--steps", "3", "--resume")["step"], 3)
            self.assertEqual(len(go("c", "--steps", "1", "--init", os.path.join(t, "a", "final.pt"))["history"]), 2)


if __name__ == "__main__":
    unittest.main()
