"""Turns a checkpoint into what the app ships: noise.onnx, its manifest entry noise.json, its card noise.md.

  /usr/bin/python3 export.py --run <run folder> --data <training folder> [--note text] [--curve curve.md] [--out folder]

The averaged (EMA) weights are exported, in float32. The ONNX file is run by onnxruntime-node on real pictures with noise
and compared with PyTorch before anything is put in place. --curve: the tables that `lucidex bench noise` printed, for the card.
"""
import argparse
import json
import os
from pathlib import Path
import shutil
import sys
import tempfile
import numpy as np
import onnx
import torch
from model import Estimator
from samples import CELL, HELD_OUT, OWN_GRAIN  # also puts ../denoiser and ../common on the path
from data import load, picture_paths
from cost import count_parameters, macs_per_pixel
import manifest
import parity
from sources import training_data

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
OPSET = 17
PARITY_LIMIT = 1e-3  # of t, which goes to 6.2


def load_model(checkpoint):
    state = torch.load(checkpoint, map_location="cpu")
    model = Estimator(tuple(state["config"]["widths"]))
    model.load_state_dict(state["ema"])
    return model.eval(), state


def write_onnx(model, path: Path):
    """One file: image [N,3,H,W] to level [N,2,H/16,W/16]; N, H, W free."""
    torch.onnx.export(
        model, torch.rand(1, 3, 64, 64), str(path), opset_version=OPSET, input_names=["image"], output_names=["level"],
        dynamic_axes={"image": {0: "n", 2: "h", 3: "w"}, "level": {0: "n", 2: "h16", 3: "w16"}})
    onnx.checker.check_model(onnx.load(str(path)), full_check=True)


def check_parity(model, path: Path, paths: list) -> float:
    """Largest absolute difference to PyTorch over noisy real crops, square and not."""
    worst = 0.0
    for index, (height, width) in enumerate(((32, 32), (128, 208), (240, 112), (256, 256))):
        picture = torch.from_numpy(load(paths[index * 37 % len(paths)])).permute(2, 0, 1).float() / 255
        crop = picture[:, :height, :width]
        noise = np.random.default_rng(index).standard_normal(tuple(crop.shape)).astype(np.float32)
        image = (crop + torch.from_numpy(noise) * (0, 5, 25, 60)[index] / 255).clamp(0, 1)[None].contiguous()
        with torch.no_grad():
            expected = model(image)
        worst = max(worst, parity.check(path, {"image": image.numpy()}, {"level": expected.numpy()}))
    return worst


def make_entry(model, state: dict, validation: dict, data: list, worst: float, path: Path, note: str) -> dict:
    return {
        "id": "noise", "kind": "estimator", "file": "noise.onnx",
        **manifest.digest(path),
        "input": {"image": {"shape": ["n", 3, "h", "w"], "range": [0, 1], "colour": "sRGB-encoded RGB"}},
        "output": {"level": {"shape": ["n", 2, f"h/{CELL}", f"w/{CELL}"],
                             "planes": ["log2(1 + σ), σ in 8-bit units", "logarithm of its expected error"]}},
        "stride": CELL,
        "kmacPerPixel": round(macs_per_pixel(model, (3,)) / 1000, 2),
        "parameters": count_parameters(model),
        "licence": "MIT (weights); part of the training pictures is for research use only: see the model card",
        "trainingData": data,
        "training": {
            "steps": state["step"], "minutes": round(state["elapsed"] / 60, 1), "threads": state["threads"],
            "command": "cd training/estimator && /usr/bin/python3 train.py --config config.json --data <denoise-train> "
                       f"--run <run>{' --init <earlier run>/checkpoint.pt' if state['init'] else ''} --steps {state['step']}",
            "seed": state["config"]["seed"], "note": note, "commit": None,
        },
        "metrics": {"validation": validation},
        "metricsCommand": "npm run -s lucidex -- bench noise --data <kodak24|cbsd68>",
        "parity": {"maxAbsDiff": float(f"{worst:.3g}"), "against": f"onnxruntime-node {parity.version()}"},
    }


def table(header, rows) -> str:
    lines = ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows])


def make_card(entry: dict, state: dict, curve: str) -> str:
    training, config, widths = entry["training"], state["config"], state["config"]["widths"]
    counts = config["batch"]
    total = sum(counts.values())
    data = table(("pictures", "count", "terms"), [(s["name"], s["count"], s["terms"]) for s in entry["trainingData"]])
    kinds = {"processed": "processed noise (camera, scaling, blur, JPEG)", "white": "white noise, σ 0..75", "harmless": "no noise"}
    held = table(("noise", "mean error of t", "bias of t"),
                 [(kinds[k], v["error"], v["bias"]) for k, v in entry["metrics"]["validation"].items()])
    return f"""# noise

Tells how strong the noise of a picture is, by place. This page is written by `training/estimator/export.py`.

## Architecture

- Input: `image` [N,3,H,W], sRGB-encoded RGB in 0..1; H and W are multiples of {CELL}. Output: `level` [N,2,H/{CELL},W/{CELL}]: for
  every cell t = log2(1 + σ), σ in 8-bit units, and the logarithm of the error of t that is to be expected.
- Convolutions of stride 2 down to 1/{CELL} of the resolution ({", ".join(map(str, widths))} channels), two residual blocks each at 1/8 and
  1/16. No normalisation, no pooling over the picture. After the noise estimation subnetwork of CBDNet (arXiv:1807.04686), with
  the uncertainty of arXiv:1703.04977.
- {entry['parameters']:,} parameters, {entry['kmacPerPixel']} kMAC per pixel, float32, {entry['bytes'] / 1e6:.1f} MB.
- The app weighs the cells by their certainty and smooths over place and brightness (`core/denoise/estimate.ts`); of a picture over 1.5
  megapixels it looks at 24 tiles.

## What σ means here

The standard deviation of the noise that is in the file, over the three colours; of white noise also where clipping took part
of it away. For a picture without noise, blurred, sharpened, enlarged or saved as JPEG, 0; a photograph as it came may have
{OWN_GRAIN * 255:.1f} of its own. Unsure, it rather says too much: the {config['quantile']:.0%} quantile.

## Training

{data}

- {training['steps']:,} steps of {total} patches in {training['minutes']} minutes on {training['threads']} thread of a busy CPU ({config['precision']} arithmetic,
  float32 weights): {counts['processed']} with processed noise, {counts['white']} with white noise (two thirds of one level, the rest following the
  brightness; clipped, rounded), {counts['harmless']} without noise. Photographs as they are, reduced, and softened, some through a mesh; drawings; fractal textures.
- Muon for the convolutions between the first and the last, AdamW for the rest, learning rate {config['lr']} falling to 0 on a cosine; averaged weights (decay {config['ema']}); seed {training['seed']}.
- Processed noise: a camera in small (`../common/camera.py`: raw noise, demosaicing, tone curve, smoothing, sharpening, JPEG), correlated
  noise, scaling, blur, JPEG. Every {HELD_OUT}th picture was kept for validation. No real noisy photograph was trained on.

    {training['command']}

{training['note']}

Mean error by patch on the pictures kept for validation, as `train.py` logs it (0.1 of t is 7 % of a strong σ):

{held}

## Estimated against true σ

{curve.strip() or 'Not measured.'}

ONNX Runtime against PyTorch: largest difference of t {entry['parity']['maxAbsDiff']} ({entry['parity']['against']}).

## Limits

- Fine grain that belongs to the picture (film, sand, fabric at the size of a pixel) can be taken for noise, and strong in-camera
  smoothing for a clean picture.
- One σ for all three colours; noise of very different strength in each is told by its mean.
- Banding, fixed patterns and dead pixels are not noise to it.
- Several training pictures are for research use or share-alike: see the table before using the weights commercially.
"""


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", required=True)
    parser.add_argument("--data", required=True, help="the training folder: counted for the entry, used for parity")
    parser.add_argument("--note", default="", help="what else is to be known of the run: other weights it started from, another recipe")
    parser.add_argument("--curve", help="file with the tables printed by `lucidex bench noise`")
    parser.add_argument("--out", default=str(ROOT / "resources" / "models"))
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    run, out = Path(args.run), Path(args.out)
    model, state = load_model(run / "checkpoint.pt")
    ends = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines() if '"end"' in line]
    if not ends or ends[-1]["step"] != state["step"]:
        raise SystemExit("this run has not ended")
    paths = picture_paths(args.data)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "noise.onnx"
        write_onnx(model, path)
        worst = check_parity(model, path, paths)
        if not worst <= PARITY_LIMIT:
            raise SystemExit(f"ONNX Runtime differs from PyTorch by {worst}")
        entry = make_entry(model, state, ends[-1]["validation"], training_data(paths), worst, path, args.note)
        shutil.copyfile(path, out / "noise.onnx.tmp")
        os.replace(out / "noise.onnx.tmp", out / "noise.onnx")
    manifest.write_json(out / "noise.json", entry)
    (out / "noise.md").write_text(make_card(entry, state, Path(args.curve).read_text() if args.curve else ""))
    manifest.collect(out)
    print(json.dumps({"model": str(out / "noise.onnx"), "step": state["step"], "parity": worst, "kmacPerPixel": entry["kmacPerPixel"]}))


if __name__ == "__main__":
    main()
