"""Turns a checkpoint into what the app ships: <id>.onnx, its manifest entry <id>.json, its card <id>.md.

  /usr/bin/python3 export.py --run <run folder> --data <training folder> [--continues <earlier run folder> ...]
                             [--metrics metrics.json] [--out folder]

The averaged (EMA) weights are exported, in float32. The ONNX file is run by onnxruntime-node on real
pictures of several sizes and compared with PyTorch before anything is put in place.
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
from data import load, picture_paths
from evaluate import add_noise, load_model
from model import receptive_radius

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent / "common"))
from cost import count_parameters, macs_per_pixel  # noqa: E402
import manifest  # noqa: E402
import margin  # noqa: E402
import parity  # noqa: E402
from sources import training_data  # noqa: E402

OPSET = 17
PARITY_LIMIT = 1e-4
PUBLISHED = [  # CBSD68, sigma 15 / 25 / 50: DnCNN and FFDNet papers
    ("CBM3D", 33.52, 30.71, 27.38), ("FFDNet", 33.87, 31.21, 27.96),
]


def write_onnx(model, path: Path):
    """One file: image [N,3,H,W] and sigma [N,1,H,W] to denoised [N,3,H,W]; N, H, W free."""
    axes = {0: "n", 2: "h", 3: "w"}
    torch.onnx.export(
        model, (torch.rand(1, 3, 64, 64), torch.full((1, 1, 64, 64), 0.1)), str(path), opset_version=OPSET,
        input_names=["image", "sigma"], output_names=["denoised"],
        dynamic_axes={"image": axes, "sigma": axes, "denoised": axes})
    onnx.checker.check_model(onnx.load(str(path)), full_check=True)


def check_parity(model, path: Path, folder) -> float:
    """Largest absolute difference to PyTorch over noisy real crops, square and not, and a batch of two."""
    worst = 0.0
    pictures = picture_paths(folder)
    sizes = ((1, 64, 64), (1, 128, 200), (1, 240, 104), (2, 96, 160), (1, 256, 256))
    for index, (count, height, width) in enumerate(sizes):
        crops, levels = [], []
        for i in range(count):
            picture = torch.from_numpy(load(pictures[(index * 37 + i) % len(pictures)])).permute(2, 0, 1).float() / 255
            level = (5, 15, 25, 50, 75)[(index + i) % 5] / 255
            crops.append(add_noise(picture[:, :height, :width].contiguous(), level, index))
            levels.append(torch.full((1, height, width), level))
        image, sigma = torch.stack(crops), torch.stack(levels)
        with torch.no_grad():
            expected = model(image, sigma)
        worst = max(worst, parity.check(path, {"image": image.numpy(), "sigma": sigma.numpy()},
                                        {"denoised": expected.numpy()}))
    return worst


def curve(run: Path) -> list:
    """[(minutes, step, {"15": dB, ...})] from the log."""
    rows = []
    for line in (run / "log.jsonl").read_text().splitlines():
        entry = json.loads(line)
        if entry.get("event") in ("monitor", "end") and entry.get("psnr"):
            rows.append((entry["minutes"], entry["step"], entry["psnr"]))
    return rows


def describe_run(run: Path, state: dict) -> dict:
    """How long a run was, and the command that does as many steps again."""
    arguments = state["argv"]
    config = Path(arguments[arguments.index("--config") + 1]).name
    init = " --init <earlier run>/checkpoint.pt" if "--init" in arguments else ""
    starts = [line for line in (run / "log.jsonl").read_text().splitlines() if '"start"' in line]
    return {
        "steps": state["step"], "minutes": round(state["elapsed"] / 60, 1), "threads": state.get("threads", 1),
        "command": f"cd training/denoiser && /usr/bin/python3 train.py --config configs/{config} "
                   f"--data <denoise-train> --run <run>{init} --steps {state['step']}",
        "seed": state["seed"], "resumed": max(0, len(starts) - 1), "commit": None,
    }


def make_entry(model, state, data, metrics, worst, onnx_path: Path, training: dict) -> dict:
    config = state["config"]
    tier = config["tier"]
    free = ["h", "w"]
    return {
        "id": f"denoise-{tier}", "kind": "denoiser", "tier": tier, "file": f"denoise-{tier}.onnx",
        **manifest.digest(onnx_path),
        "input": {
            "image": {"shape": ["n", 3, *free], "range": [0, 1], "colour": "sRGB-encoded RGB"},
            "sigma": {"shape": ["n", 1, *free], "unit": "1/1 of full scale (σ/255)"},
        },
        "output": {"denoised": {"shape": ["n", 3, *free]}},
        "stride": model.stride,
        "receptiveRadius": receptive_radius(config),
        "tileMargin": margin.measure(onnx_path, model.stride),
        "kmacPerPixel": round(macs_per_pixel(model, (3, 1)) / 1000, 2),
        "parameters": count_parameters(model),
        "licence": "MIT (weights); part of the training pictures is for research use only: see the model card",
        "trainingData": data,
        "training": training,
        "metrics": metrics,
        "metricsCommand": f"npm run -s lucidex -- bench denoise --data <cbsd68|kodak24> --sigma <15|25|50> --model {tier}",
        "parity": {"maxAbsDiff": float(f"{worst:.3g}"), "against": f"onnxruntime-node {parity.version()}"},
    }


def table(header, rows) -> str:
    lines = ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows])


def make_card(entry: dict, config: dict, rows: list, finished: bool) -> str:
    tier = entry["tier"]
    names = {"cbsd68": "CBSD68", "kodak24": "Kodak24"}
    numbers = [[f"**this model, {names.get(key, key)}**"] + [f"{values[s]['psnr']:.2f}" for s in ("15", "25", "50")]
               for key, values in entry["metrics"].items()]
    numbers += [[f"{name}, CBSD68 (published)"] + [f"{value:.2f}" for value in values] for name, *values in PUBLISHED]
    noise = config["noise"]
    camera = noise.get("camera", 0)
    rest = 1 - camera
    gaussian = rest * (1 - noise["clean"] - noise["realistic"])
    w, d = config["widths"], config["depths"]
    phases = "; ".join(f"up to {p['until']:.0%} of the budget {p['batch']} crops of {p['patch']}×{p['patch']}"
                       for p in config["phases"])
    data = table(("pictures", "count", "terms"), [(s["name"], s["count"], s["terms"]) for s in entry["trainingData"]])
    curve_table = table(("minutes", "steps", "σ 15", "σ 25", "σ 50"),
                        [(f"{m:.0f}", s, *(f"{p[k]:.2f}" for k in ("15", "25", "50"))) for m, s, p in rows])
    training = entry["training"]
    begun = "".join(f"""- {stage['steps']:,} steps in {stage['minutes']:.0f} minutes by `{stage['command']}`; its averaged weights
  were then trained on as follows.
""" for stage in training.get("stages", []))
    mover = {"adamw": "AdamW", "muon": "Muon for the weights between stem and head, AdamW for the rest"}[config.get("optimiser", "adamw")]
    note = "" if finished else "\n**A snapshot of a training run that was not finished.**\n"
    return f"""# {entry['id']}

A denoiser for colour pictures: a residual U-Net convolutional autoencoder that is told the noise level.
This page is written by `training/denoiser/export.py`; its figures come from the training run and from
`evaluate.py`.
{note}
## Architecture

- Input: `image` [N,3,H,W], sRGB-encoded RGB in 0..1 (noise may leave that range), and `sigma` [N,1,H,W],
  the standard deviation of the noise in the same unit (σ/255), which may differ from place to place.
  Output: `denoised` [N,3,H,W], not clipped. H and W are multiples of {entry['stride']}.
- Pixel-unshuffle by 2 and a 3×3 convolution (written as the one 6×6 convolution of stride 2 that they equal);
  {w[0]}, {w[1]} and {w[2]} channels at 1/2, 1/4 and 1/8 of the resolution; residual blocks (conv3, ReLU, conv3)
  {d[0]}, {d[1]} on the way down, {d[2]} at the bottom, {d[3]}, {d[4]} on the way up; strided convolutions down,
  1×1 convolutions with pixel shuffle up; skips are added; the output is the picture minus the estimated noise.
- {entry['parameters']:,} parameters, {entry['kmacPerPixel']} kMAC per pixel, float32, {entry['bytes'] / 1e6:.1f} MB.
- No normalisation layers and no global pooling: an output pixel depends on inputs at most
  {entry['receptiveRadius']} pixels away. Tiles that start at multiples of {entry['stride']} and see {entry['tileMargin']} pixels around
  themselves differ from the whole picture by less than 1/255, measured on hard pictures:
  `npm run -s lucidex -- bench tiling --model {tier}`.

## Training

{data}

{begun}- {training['steps']:,} steps in {training['minutes']:.0f} minutes on {training['threads']} thread of a busy CPU ({config['precision']} arithmetic,
  float32 weights), scheduled by the clock: {phases}.
- {mover}, learning rate {config['lr']} falling to {config['lrEnd']} on a cosine; the logarithm of the absolute error by
  sample, of the squared error from {config['mseFrom']:.0%} of the budget on; averaged weights
  (decay {config['ema']}); seed {training['seed']}.
- Crops are flipped and turned; {noise['rescale']:.0%} are cut larger and scaled down (to 0.6 at the least); {noise['permute']:.0%} have their
  channels permuted.
- Noise: {gaussian:.0%} white Gaussian of σ 0..75, unclipped; {rest * noise['realistic']:.0%} camera-like (a level that follows the
  brightness through a tone curve, correlation between neighbours and channels, at times clipped, rounded, JPEG);
  {camera:.0%} developed from a noisy mosaic by a camera drawn at random (`training/common/camera.py`), the level told mostly
  too high; {rest * noise['clean']:.0%} none. In {noise['jitter']:.0%} of the noisy ones the level told is wrong by up to a factor of 1.4.

    {training['command']}

does as many steps, scheduled by their number.

## Quality

PSNR in dB. White Gaussian noise, not clipped, on the 8-bit picture; true σ given; output rounded to 8 bits; mean
over the pictures. Neither set was trained on.

{table(("", "σ 15", "σ 25", "σ 50"), numbers)}

    cd training/denoiser && /usr/bin/python3 evaluate.py --checkpoint <run>/checkpoint.pt --eval <eval>
    {entry['metricsCommand']}

ONNX Runtime against PyTorch: largest difference {entry['parity']['maxAbsDiff']} of full scale ({entry['parity']['against']}).

## Confidence

The app's confidence map asks the network about a part of the picture and about its mirror image; where the two
answers differ it is unsure. How that spread goes with the real error, measured on pictures with added noise:

![Real error beside spread](denoise-{tier}-confidence.svg)

    npm run -s lucidex -- bench confidence --data <kodak24> --write

## Quality against training time

PSNR of the averaged weights on eight 192×192 crops of CBSD68, in {config['precision']}. Watched, not used for any choice.
Not comparable with the table above: other pixels.

{curve_table}

## Limits

- Told a wrong noise level it smooths too much or leaves noise; it estimates nothing itself: `noise.onnx` does.
- Made for noise up to σ 75. Strong banding, fixed patterns, dead pixels and heavy JPEG blocks are not what it
  learnt to remove.
- Camera noise was imitated, never seen: no real noisy photograph was trained on.
- Like every denoiser that minimises an error, it renders texture that noise has drowned as smooth.
- Several training pictures are for research use or share-alike: see the table before using the weights
  commercially.
"""


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", required=True)
    parser.add_argument("--data", required=True, help="the training folder: counted for the entry, used for parity")
    parser.add_argument("--continues", nargs="+", default=[],
                        help="the runs before this one, first to last, each started from the one before (train.py --init)")
    parser.add_argument("--metrics", help="what evaluate.py --out wrote for this checkpoint")
    parser.add_argument("--out", default=str(ROOT / "resources" / "models"))
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    run, out = Path(args.run), Path(args.out)
    model, state = load_model(run / "checkpoint.pt")
    training, rows = describe_run(run, state), curve(run)
    minutes, steps, earlier_rows = 0, 0, []
    for earlier in map(Path, args.continues):
        _, stage = load_model(earlier / "checkpoint.pt")
        training.setdefault("stages", []).append(describe_run(earlier, stage))
        earlier_rows += [(minutes + m, steps + n, p) for m, n, p in curve(earlier)]
        minutes, steps = minutes + stage["elapsed"] / 60, steps + stage["step"]
    rows = earlier_rows + [(minutes + m, steps + n, p) for m, n, p in rows]
    metrics = {}
    if args.metrics:
        measured = json.loads(Path(args.metrics).read_text())
        if measured["step"] != state["step"] or measured["limit"]:
            raise SystemExit("those metrics are of another checkpoint, or of a part of the pictures")
        metrics = measured["metrics"]
    out.mkdir(parents=True, exist_ok=True)
    name = f"denoise-{state['config']['tier']}"
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / f"{name}.onnx"
        write_onnx(model, path)
        worst = check_parity(model, path, args.data)
        if not worst <= PARITY_LIMIT:
            raise SystemExit(f"ONNX Runtime differs from PyTorch by {worst}")
        entry = make_entry(model, state, training_data(picture_paths(args.data)), metrics, worst, path, training)
        card = make_card(entry, state["config"], rows, state["progress"] >= 1)
        shutil.copyfile(path, out / f"{name}.onnx.tmp")
        os.replace(out / f"{name}.onnx.tmp", out / f"{name}.onnx")
    manifest.write_json(out / f"{name}.json", entry)
    (out / f"{name}.md").write_text(card)
    manifest.collect(out)
    print(json.dumps({"model": str(out / f"{name}.onnx"), "step": state["step"], "parity": worst,
                      "kmacPerPixel": entry["kmacPerPixel"], "receptiveRadius": entry["receptiveRadius"]}))


if __name__ == "__main__":
    main()
