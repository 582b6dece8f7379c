"""Fits the cosines over which two pictures are called a copy, a near duplicate, or similar.

    /usr/bin/python3 training/encoder/calibrate.py --checkpoint ../runs/encoder/final.pt --attacks ../shared/attacks.json --out ../runs/encoder/relations.json

On pictures never trained on: the set is photos-1000 and the held-out classes of caltech-dev. Every third photograph is
attacked in all 36 ways (no picture of the held-out classes is: they hold true duplicates, whose matches would count as
wrong). Each attacked photograph asks twice: once with its original in the set (the top match is right or wrong), once
with the original taken out (any match is wrong). With `score` the cosine of the top match,
    copy          the smallest cosine t such that of all answers with score >= t at least 99 % are right
    nearDuplicate the same for 90 %
    similar       the 99.9th percentile of the cosines between different photographs, but below nearDuplicate;
                  reported with it: how much more often than by chance two held-out pictures over it share a class
A larger library has more chances of a high wrong cosine: at equal precision its threshold would be a little higher.
"""
import argparse
import json
import os

import numpy as np
import torch

from data import classes, files, read_json, write_json
from evaluate import HERE, attack_set, embed, load_encoder, squashed, unit


def threshold(score, right, precision):
    """Smallest score t with mean(right[score >= t]) >= precision; -> t, precision reached, share answered."""
    order = np.argsort(-score, kind="stable")
    good = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    ok = np.flatnonzero(good >= precision)
    k = ok[-1] if len(ok) else 0
    return float(score[order][k]), float(good[k]), k + 1


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--checkpoint", required=True)
    p.add_argument("--data", default=os.environ.get("LUCIDEX_DATA", os.path.join(HERE, "../../../shared/data")))
    p.add_argument("--attacks", default=os.path.join(HERE, "../../../shared/attacks.json"))
    p.add_argument("--cache", help="folder for the prepared pictures")
    p.add_argument("--out", help="JSON file")
    args = p.parse_args()
    torch.set_num_threads(1)
    if args.cache:
        os.makedirs(args.cache, exist_ok=True)
    suite = read_json(args.attacks)
    encoder, _ = load_encoder(args.checkpoint)
    photos = files(os.path.join(args.data, "retrieval", "photos-1000"))
    held = classes(os.path.join(args.data, "retrieval", "caltech-dev"))[1]
    groups = [files(os.path.join(args.data, "retrieval", "caltech-dev", c)) for c in held]
    others = [f for g in groups for f in g]
    label = np.repeat(np.arange(len(groups)), [len(g) for g in groups])
    c = (lambda name: os.path.join(args.cache, name + ".npy")) if args.cache else (lambda name: None)
    base = unit(embed(encoder, np.concatenate((squashed(photos, c("photos")), squashed(others, c("held"))))))

    score, right = [], []
    index = np.arange(0, len(photos), 3)
    rows = np.arange(len(index))
    for number, attack in enumerate(suite["attacks"]):
        q = attack_set([photos[i] for i in index], index, attack, number, suite["seed"], c(f"{attack['name']}-3"))
        s = unit(embed(encoder, q)) @ base.T
        score.append(s.max(1)), right.append(s.argmax(1) == index)
        s[rows, index] = -2                                             # once more without the original
        score.append(s.max(1)), right.append(np.zeros(len(index), bool))
    score, right = np.concatenate(score), np.concatenate(right)
    asked = len(score) // 2

    out = {}
    for name, wanted in (("copy", 0.99), ("nearDuplicate", 0.90)):
        t, precision, _ = threshold(score, right, wanted)
        t = np.ceil(t * 1e4) / 1e4
        over = score >= t
        out[name] = {"minCosine": round(float(t), 4), "precision": round(float(right[over].mean()), 4),
                     "recall": round(float(right[over].sum() / asked), 4)}
    between = (base[:len(photos)] @ base[:len(photos)].T)[np.triu_indices(len(photos), 1)]
    raw = float(np.percentile(between, 99.9))
    t = min(raw, out["nearDuplicate"]["minCosine"] - 0.02)
    h = base[len(photos):]
    pair = np.triu_indices(len(h), 1)
    cosine, same = (h @ h.T)[pair], label[pair[0]] == label[pair[1]]
    over = cosine >= t
    out["similar"] = {"minCosine": round(t, 4), "percentile999": round(raw, 4), "sameClassOver": round(float(same[over].mean()), 4),
                      "sameClassByChance": round(float(same.mean()), 4)}
    nearest = (h @ h.T - 2 * np.eye(len(h))).argmax(1)
    out["similar"]["nearestSharesClass"] = round(float((label[nearest] == label).mean()), 4)
    out["fittedOn"] = (f"photos-1000 and {len(held)} held-out classes of caltech-dev ({len(base)} pictures, none trained on); "
                       f"{asked} attacked photographs asked with and without their original; training/encoder/calibrate.py")
    print(json.dumps(out, indent=1))
    if args.out:
        write_json(args.out, out)


if __name__ == "__main__":
    main()
