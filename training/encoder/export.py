"""Exports encoder.onnx and decoder.onnx, checks them against PyTorch, and writes their manifest entries and cards.

    /usr/bin/python3 training/encoder/export.py --checkpoint ../runs/encoder/final.pt \\
        --evaluation ../runs/encoder/evaluation.json --relations ../runs/encoder/relations.json

encoder.onnx  image float32 [N,3,112,112] RGB 0..1 -> mean [N,128], logvar [N,128], descriptor [N,128] (mean / |mean|)
decoder.onnx  latent float32 [N,128] -> image float32 [N,3,64,64] 0..1
BatchNorm is folded, the input's normalisation is in the graph, N is free.
"""
import argparse
import hashlib
import os
import sys
from datetime import datetime

import onnx
import torch
import torch.nn as nn

from checkpoint import averaged
from data import HELD_OUT, read_json, training_files, write_json
from model import LATENT, OUT, SIZE, Decoder, build, descriptor, folded, macs

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "training", "common"))
OPSET = 16
NAME, DECODER_NAME = "encoder-v2", "decoder-v2"  # a new number for a new design; vectors are kept apart by checksum
METRICS = "npm run -s lucidex -- bench copies --data ../shared/data/retrieval/photos-1000 --distractors ../shared/data/retrieval/caltech-dev"
SETS = {"bsds-": ("BSDS500 train and test", "research use"), "cid22-": ("Cloudinary CID22, clean photographs", "CC BY-SA 4.0"),
        "clic-": ("CLIC 2025, half size", "Unsplash licence"), "wall-": ("elementary/wallpapers", "Unsplash, CC0, Pexels, Pixabay, CC BY(-SA) per file"),
        "caltech": ("Caltech-101, 48 of the 60 classes of caltech-dev", "CC BY 4.0")}
LICENCE = "MIT (weights); part of the training pictures is for research use only: see the model card"


class Served(nn.Module):
    def __init__(self, encoder):
        super().__init__()
        self.encoder = encoder

    def forward(self, image):
        mean, logvar = self.encoder(image)
        return mean, logvar, descriptor(mean)


def write(path, model, inputs, names_in, names_out):
    dynamic = {n: {0: "n"} for n in names_in + names_out}
    torch.onnx.export(model, inputs, path + ".tmp", input_names=names_in, output_names=names_out, dynamic_axes=dynamic,
                      opset_version=OPSET, do_constant_folding=True)
    onnx.checker.check_model(onnx.load(path + ".tmp"))
    os.replace(path + ".tmp", path)


def parity(path, model, inputs, names_out):
    """Largest absolute difference ONNX Runtime - PyTorch over N = 1 and N = 5, or None without the runtime."""
    try:
        import parity as common
        worst = 0.0
        for x in inputs:
            with torch.no_grad():
                y = model(x)
            y = y if isinstance(y, tuple) else (y,)
            worst = max(worst, common.check(path, {next(iter(names_out)): x.numpy()}, dict(zip(list(names_out)[1:], [v.numpy() for v in y]))))
        return worst
    except (ImportError, FileNotFoundError) as e:
        print("parity not checked:", e)
        return None


def digest(path):
    with open(path, "rb") as f:
        raw = f.read()
    return {"sha256": hashlib.sha256(raw).hexdigest(), "bytes": len(raw)}


def sources(data):
    """The training pictures by set, counted on disk."""
    count = {k: 0 for k in SETS}
    for f in training_files(data):
        base = os.path.basename(f)
        count[next((k for k in SETS if base.startswith(k) and "caltech-dev" not in f), "caltech")] += 1
    return [{"name": SETS[k][0], "terms": SETS[k][1], "count": n} for k, n in count.items()]


def card(path, title, lines):
    with open(path + ".tmp", "w") as f:
        f.write(f"# {title}\n\n" + "\n".join(lines) + "\n")
    os.replace(path + ".tmp", path)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--checkpoint", required=True)
    p.add_argument("--data", default=os.environ.get("LUCIDEX_DATA", os.path.join(ROOT, "../shared/data")))
    p.add_argument("--evaluation", help="evaluate.py --out")
    p.add_argument("--relations", help="lucidex bench calibrate --out")
    p.add_argument("--note", help="what the command does not say about how the checkpoint came to be")
    p.add_argument("--out", default=os.path.join(ROOT, "resources", "models"))
    args = p.parse_args()
    torch.set_num_threads(1)
    c = torch.load(args.checkpoint)
    encoder, decoder = build(c["config"]), Decoder()
    encoder.load_state_dict(averaged(c, "encoder"))
    decoder.load_state_dict(averaged(c, "decoder"))
    encoder, decoder = encoder.eval(), decoder.eval()
    image = torch.rand(5, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        latent = encoder(image)[0]
    e_macs, d_macs = macs(encoder, image[:1]), macs(decoder, latent[:1])
    served, decoding = Served(folded(encoder)).eval(), folded(decoder).eval()
    with torch.no_grad():
        folding = max(float((served(image)[0] - latent).abs().max()), float((decoding(latent) - decoder(latent)).abs().max()))
    assert folding < 1e-3, folding
    os.makedirs(args.out, exist_ok=True)
    e_path, d_path = os.path.join(args.out, "encoder.onnx"), os.path.join(args.out, "decoder.onnx")
    write(e_path, served, image, ["image"], ["mean", "logvar", "descriptor"])
    write(d_path, decoding, latent, ["latent"], ["image"])
    e_diff = parity(e_path, served, [image, image[:1]], ["image", "mean", "logvar", "descriptor"])
    d_diff = parity(d_path, decoding, [latent, latent[:1]], ["latent", "image"])
    for diff in (e_diff, d_diff):
        assert diff is None or diff <= 1e-4, diff

    evaluation = read_json(args.evaluation) if args.evaluation else None
    relations = read_json(args.relations) if args.relations else None
    if evaluation and evaluation["step"] != c["step"]:
        raise SystemExit("the evaluation is of another checkpoint")
    norm = evaluation["latent"]["latentNorm"] if evaluation else round(c["norm"], 3)
    cfg, data_used = c["config"], sources(args.data)
    history = c.get("history") or [{"steps": c["step"], "minutes": round(c["spent"] / 60, 1)}]
    training = {"steps": sum(h["steps"] for h in history), "minutes": round(sum(h["minutes"] for h in history), 1), "runs": history,
                "command": "/usr/bin/python3 training/encoder/train.py --data ../shared/data --run ../runs/encoder",
                "note": args.note, "config": cfg, "seed": cfg["seed"], "commit": None, "finished": datetime.fromtimestamp(os.path.getmtime(args.checkpoint)).isoformat(timespec="minutes")}
    count = lambda m: sum(v.numel() for v in m.parameters())
    entry = {"id": NAME, "kind": "encoder", "file": "encoder.onnx", **digest(e_path),
             "input": {"image": {"shape": ["n", 3, SIZE, SIZE], "range": [0, 1], "colour": "sRGB-encoded RGB", "fit": "squash"}},
             "output": {"mean": {"shape": ["n", LATENT]}, "logvar": {"shape": ["n", LATENT]},
                        "descriptor": {"shape": ["n", LATENT], "normalised": "L2"}},
             "dimension": LATENT, "mmac": round(e_macs / 1e6, 2), "parameters": count(served), "latentNorm": norm, "relations": relations,
             "licence": LICENCE, "trainingData": data_used, "training": training,
             "metrics": {"meanRecallAt1": round(evaluation["mean"], 4), "attacks": {k: round(v, 4) for k, v in evaluation["attacks"].items()},
                         "queries": evaluation["queries"], "database": evaluation["database"],
                         "measuredBy": "training/encoder/evaluate.py", "latent": evaluation["latent"]} if evaluation else None,
             "metricsCommand": METRICS, "parity": {"maxAbsDifference": e_diff, "against": "PyTorch", "runtime": "onnxruntime-node"}}
    d_entry = {"id": DECODER_NAME, "kind": "decoder", "encoder": NAME, "file": "decoder.onnx", **digest(d_path),
               "input": {"latent": {"shape": ["n", LATENT], "meaning": "a mean, or a descriptor times latentNorm"}},
               "output": {"image": {"shape": ["n", 3, OUT, OUT], "range": [0, 1], "colour": "sRGB-encoded RGB"}},
               "dimension": LATENT, "mmac": round(d_macs / 1e6, 2), "parameters": count(decoding), "latentNorm": norm, "licence": LICENCE,
               "trainingData": data_used, "training": training,
               "metrics": {k: v for k, v in evaluation["latent"].items() if k.startswith("psnr") or k in ("pictures", "elbo", "klTotal")} if evaluation else None,
               "metricsCommand": "/usr/bin/python3 training/encoder/evaluate.py --checkpoint ../runs/encoder/final.pt",
               "parity": {"maxAbsDifference": d_diff, "against": "PyTorch", "runtime": "onnxruntime-node"}}
    for path, value in ((e_path, entry), (d_path, d_entry)):
        write_json(path.replace(".onnx", ".json"), value)
    cards(args.out, entry, d_entry, evaluation, relations)
    print(f"{entry['mmac']} MMAC, {entry['parameters']} parameters; decoder {d_entry['mmac']} MMAC; folding {folding:.1e}, parity {e_diff}, {d_diff}")


def cards(out, entry, d_entry, evaluation, relations):
    t = entry["training"]
    data = ["| pictures | count | terms |", "|---|---|---|"] + [f"| {d['name']} | {d['count']} | {d['terms']} |" for d in entry["trainingData"]]
    data += ["", f"Large pictures also give crops that stand as pictures of their own. The {HELD_OUT} classes of caltech-dev whose names come last "
             "in the alphabet, BACKGROUND_Google and photos-1000 are never trained on."]
    trained = [f"{t['steps']} steps of {t['config']['batch']} pairs, {t['minutes']} minutes on one (shared) core, seed {t['seed']}: `{t['command']}`; "
               "settings in `training/encoder/config.json`." + (f" {t['note']}" if t["note"] else "")]
    layers = "; ".join(", ".join(str(v) for v in layer) for layer in t["config"]["layers"])
    lines = ["Finds the original of a damaged copy. The L2-normalised mean of a convolutional variational autoencoder, 128 numbers.", "",
             "## Architecture", "", "112x112 RGB (the whole picture squashed), beside it the same with every channel brought to mean 0 and deviation 1; "
             f"convolutions with BatchNorm and ReLU (channels, kernel, stride, how many: {layers}; the later ones of a level are residual); the last map and "
             f"its mean, one linear layer to mean and log-variance. {entry['mmac']} MMAC, {entry['parameters']} parameters. BatchNorm is folded into the convolutions in the file.", "",
             "## Training", "", *trained, "", "Loss: NT-Xent between two damaged views of one picture (temperature "
             f"{t['config']['temperature']}, in-batch negatives) + {t['config']['spread']} x the spread-out term (minus the logarithm of the distance to the "
             f"nearest other) + {t['config']['classes']} x cross-entropy of the class of the pictures from caltech-dev + {t['config']['reconstruction']} x mean squared error of the decoded 64x64 against the clean "
             f"picture + {t['config']['kl']} x KL divergence of the latent from the unit Gaussian.", "",
             "Convolutions after the first are moved by Muon, the rest by AdamW. Damage (`training/encoder/damage.py`): crops to 27 % of the area, rotation by any angle with any fill, mirror, quarter turns, padding and "
             "frames to 0.47 on a side, a place in a screenshot, covers to 47 %, text, noise to sigma 83, blur to sigma 6.5, resizing to 18 % or 52 px, JPEG "
             "to quality 5, grey, gain and offset, channel gains, gamma, posterising, vignettes; up to three of them at once.", "", *data, ""]
    if evaluation:
        latent = evaluation["latent"]
        lines += ["## Recall@1", "", f"{evaluation['queries']} photographs of photos-1000, each attacked as `attacks.json` says, among {evaluation['database']} "
                  f"pictures. Mean {evaluation['mean']:.4f}. These are by `training/encoder/evaluate.py` (Pillow); the application's own measurement is", "",
                  f"```\n{entry['metricsCommand']}\n```", "", "| attack | recall@1 |", "|---|---|",
                  *[f"| {k} | {v:.3f} |" for k, v in evaluation["attacks"].items()], "", "## The latent", "",
                  f"On {latent['pictures']} clean pictures never trained on: {latent['alive']} of {LATENT} dimensions alive ({latent['aliveMeans']}), KL "
                  f"{latent['klTotal']} nats in all, ELBO {latent['elbo']} nats a picture under a Gaussian likelihood of variance "
                  f"{latent['likelihoodVariance']} (the one the loss weights imply). Length of a mean: {latent['latentNorm']}.", "",
                  "KL per dimension, sorted: " + ", ".join(f"{v:.1f}" for v in sorted(latent["klPerDimension"], reverse=True)), ""]
    if relations:
        lines += ["## Relations", "", "| relation | score at least | precision | recall |", "|---|---|---|---|",
                  *[f"| {k} | {relations[k]['minCosine']} | {relations[k].get('precision', '')} | {relations[k].get('recall', '')} |" for k in ("copy", "nearDuplicate", "similar")],
                  "", f"Fitted on {relations['fittedOn']}.", ""]
    lines += ["## Limits", "", "Knows copies, not meanings: pictures of one kind of thing are near each other only when they look alike. Small crops (under a third of "
              "the area), a picture small within a large frame, and strong damage on top of both are the weak cases. A flat picture (sky, wall) has little to be told by. "
              f"Trained on photographs; drawings and documents were hardly among them. Licence: {entry['licence']}."]
    card(os.path.join(out, "encoder.md"), NAME, lines)
    lines = [f"Turns a latent of {NAME} back into a 64x64 picture: shows what the index sees, scores anomalies, interpolates.", "", "## Architecture", "",
             f"A linear layer to 4x4x128, then four times nearest-neighbour upsampling and a 3x3 convolution. {d_entry['mmac']} MMAC, {d_entry['parameters']} parameters. "
             f"Input: a mean of the encoder, or a descriptor times latentNorm ({entry['latentNorm']}); a third of the training inputs were of the second kind.", "",
             "## Training", "", *trained, "", "Trained together with the encoder to decode the clean picture from damaged views of it. The latent is pressed to be the same for "
             "a picture and its mirror image or crop, so what is decoded is blurred, and of a mirrored picture the side may be wrong.", "", *data, ""]
    if evaluation:
        latent = evaluation["latent"]
        lines += ["## Numbers", "", f"PSNR against the clean 64x64 on {latent['pictures']} pictures never trained on: {latent['psnrFromMean']} dB from the mean, "
                  f"{latent['psnrFromDescriptor']} dB from the rescaled descriptor, {latent['psnrFromSample']} dB from a sample of the posterior. "
                  f"ELBO {latent['elbo']} nats a picture. Again by", "", f"```\n{d_entry['metricsCommand']}\n```", ""]
    lines += ["## Limits", "", "A sketch of colours and large shapes, not a compressed picture. " + f"Licence: {entry['licence']}."]
    card(os.path.join(out, "decoder.md"), DECODER_NAME, lines)


if __name__ == "__main__":
    main()
