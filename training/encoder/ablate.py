"""Ablations by short runs of equal time, each with some keys of config.json changed.

    /usr/bin/python3 training/encoder/ablate.py --runs ../runs/ablations --cache ../runs/encoder/eval --minutes 5 --table training/encoder/ABLATIONS.md

Measured with evaluate.py's recall@1 on every ninth photograph. A variant whose result lies in the runs folder is not
run again. After so few minutes what learns fast leads; the table is for choosing, not for quoting.
"""
import argparse
import os
import subprocess
import sys

import torch

import data as pictures
from evaluate import load_encoder, recalls
from model import SIZE, macs

HERE = os.path.dirname(os.path.abspath(__file__))
SHOWN = ("crop-50", "crop-30", "rotate-45", "rotate-90", "cover-40", "warm", "blur-5", "combo-mirror-grey-crop", "combo-screenshot-jpeg-dark")


def measure(name, changes, args):
    run = os.path.join(args.runs, name)
    os.makedirs(run, exist_ok=True)
    config = os.path.join(run, "variant.json")
    pictures.write_json(config, {**pictures.read_json(os.path.join(HERE, "config.json")), **changes})
    subprocess.run([sys.executable, os.path.join(HERE, "train.py"), "--data", args.data, "--run", run, "--config", config,
                    "--minutes", str(args.minutes), "--pictures", os.path.join(args.runs, "pictures")], check=True, stdout=subprocess.DEVNULL)
    encoder, c = load_encoder(os.path.join(run, "final.pt"))
    result, queries, size = recalls(encoder, args.data, pictures.read_json(args.attacks), 9, args.cache)
    return {"name": name, "minutes": args.minutes, "steps": c["step"], "mmac": round(macs(encoder, torch.zeros(1, 3, SIZE, SIZE)) / 1e6, 1),
            "mean": sum(result.values()) / len(result), "attacks": result, "queries": queries, "database": size}


def table(results):
    lines = ["| variant | MMAC | steps | mean | " + " | ".join(SHOWN) + " |", "|---" * (4 + len(SHOWN)) + "|"]
    for r in results:
        lines.append(f"| {r['name']} | {r['mmac']} | {r['steps']} | {r['mean']:.3f} | " + " | ".join(f"{r['attacks'][k]:.2f}" for k in SHOWN) + " |")
    return "\n".join(lines) + "\n"


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--variants", default=os.path.join(HERE, "ablations.json"))
    p.add_argument("--data", default=os.environ.get("LUCIDEX_DATA", os.path.join(HERE, "../../../shared/data")))
    p.add_argument("--attacks", default=os.path.join(HERE, "../../../shared/attacks.json"))
    p.add_argument("--runs", required=True)
    p.add_argument("--cache", help="folder for the prepared pictures")
    p.add_argument("--minutes", type=float, default=5)
    p.add_argument("--only", nargs="+")
    p.add_argument("--table", help="write the table into this file, between its two marks")
    args = p.parse_args()
    torch.set_num_threads(1)
    results = []
    for name, changes in pictures.read_json(args.variants).items():
        path = os.path.join(args.runs, f"{name}.json")
        if not os.path.exists(path) and (not args.only or name in args.only):
            pictures.write_json(path, measure(name, changes, args))
        if os.path.exists(path):
            results.append(pictures.read_json(path))
    print(table(results))
    if args.table:
        text = open(args.table).read()
        start, end = (text.index(f"<!-- {mark} -->") for mark in ("runs", "/runs"))
        with open(args.table, "w") as f:
            f.write(text[:start] + "<!-- runs -->\n\n" + table(results) + "\n" + text[end:])


if __name__ == "__main__":
    main()
