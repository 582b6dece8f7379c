"""Checkpoints: written whole or not at all."""
import os

import torch


def averaged(checkpoint, part):
    """The averaged weights of 'encoder' or 'decoder' in a checkpoint."""
    if "average" not in checkpoint:
        return checkpoint[part]
    return {k[len(part) + 1:]: v for k, v in checkpoint["average"].items() if k.startswith(part + ".")}


def save(path, value):
    torch.save(value, path + ".tmp")
    os.replace(path + ".tmp", path)


def history(c):
    """Steps and minutes of the runs behind a checkpoint, in order."""
    return c.get("history") or [{"steps": c["step"], "minutes": round(c["spent"] / 60, 1)}]
