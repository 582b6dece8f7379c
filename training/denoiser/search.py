"""Compares designs of the denoiser by short runs of equal time.

  /usr/bin/python3 search.py --variants configs/search.json --data <denoise-train> --eval <cbsd68> --runs <folder>
                             [--only name ...] [--minutes 5] [--table search.md]

Each variant changes some keys of its base config and is trained for the same minutes on one thread with the same
seed, then measured: PSNR of the averaged weights on the 192x192 centre of every evaluation picture, and seconds per
megapixel of its ONNX file in onnxruntime-node. Results are kept in the runs folder; a variant already there is not
run again. The table is for choosing between designs: after so few minutes those that learn fast lead.
"""
import argparse
import json
from pathlib import Path
import sys
import numpy as np
import torch
import train
from data import load, picture_paths
from evaluate import add_noise, load_model
from export import write_onnx
from model import receptive_radius

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "common"))
from cost import count_parameters, macs_per_pixel  # noqa: E402
import parity  # noqa: E402

CROP = 192
SIGMAS = (15, 25, 50)


@torch.no_grad()
def centres_psnr(model, folder) -> dict:
    """{"15": dB, ...}: mean over the centres of the pictures in `folder`; the true sigma is told."""
    clean = []
    for path in picture_paths(folder):
        picture = torch.from_numpy(load(path)).permute(2, 0, 1).float() / 255
        top, left = (picture.shape[1] - CROP) // 2, (picture.shape[2] - CROP) // 2
        clean.append(picture[:, top:top + CROP, left:left + CROP])
    result = {}
    for sigma in SIGMAS:
        values = []
        for index, picture in enumerate(clean):
            noisy = add_noise(picture, sigma / 255, index)[None]
            values.append(train.psnr(model(noisy, torch.full((1, 1, CROP, CROP), sigma / 255))[0], picture))
        result[str(sigma)] = round(sum(values) / len(values), 3)
    return result


def seconds_per_megapixel(path: Path) -> float:
    """Fastest of six passes over 768x512 on one thread, onnxruntime-node: for comparing designs on a busy machine."""
    inputs = {"image": np.random.default_rng(1).random((1, 3, 512, 768), np.float32),
              "sigma": np.full((1, 1, 512, 768), 0.1, np.float32)}
    return parity.run(path, inputs, threads=1, repeat=6)[1] / (512 * 768 / 1e6)


def measure(name: str, config: dict, args) -> dict:
    run = args.runs / name
    run.mkdir(parents=True, exist_ok=True)
    config_file = run / "variant.json"
    config_file.write_text(json.dumps(config, indent=2))
    train.main(["--config", str(config_file), "--data", str(args.data), "--run", str(run), "--minutes", str(args.minutes),
                "--monitor-every", "100000"])
    model, state = load_model(run / "checkpoint.pt")
    onnx_path = run / "model.onnx"
    write_onnx(model, onnx_path)
    return {"name": name, "minutes": args.minutes, "steps": state["step"], "kmac": round(macs_per_pixel(model, (3, 1)) / 1e3, 1),
            "parameters": count_parameters(model), "radius": receptive_radius(config), "psnr": centres_psnr(model, args.eval),
            "secondsPerMegapixel": round(seconds_per_megapixel(onnx_path), 3)}


def table(results: list) -> str:
    lines = ["| design | kMAC/px | parameters | radius | steps | σ 15 | σ 25 | σ 50 | s/MP |", "|---|---|---|---|---|---|---|---|---|"]
    for r in results:
        psnr = " | ".join(f"{r['psnr'][str(s)]:.2f}" for s in SIGMAS)
        lines.append(f"| {r['name']} | {r['kmac']} | {r['parameters']:,} | {r['radius']} | {r['steps']:,} | {psnr} "
                     f"| {r['secondsPerMegapixel']:.2f} |")
    return "\n".join(lines) + "\n"


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variants", required=True, type=Path)
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--eval", required=True, type=Path)
    parser.add_argument("--runs", required=True, type=Path)
    parser.add_argument("--only", nargs="+")
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--table", type=Path)
    args = parser.parse_args(argv)
    variants = json.loads(args.variants.read_text())
    results = []
    for name, changes in variants.items():
        stored = args.runs / f"{name}.json"
        if not stored.exists() and (not args.only or name in args.only):
            base = json.loads((args.variants.parent / f"{changes['base']}.json").read_text())
            stored.parent.mkdir(parents=True, exist_ok=True)
            stored.write_text(json.dumps(measure(name, {**base, **changes}, args), indent=2))
        if stored.exists():
            results.append(json.loads(stored.read_text()))
    print(table(results))
    if args.table:
        args.table.write_text(table(results))


if __name__ == "__main__":
    main()
