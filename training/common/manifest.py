"""Collects the entries the exporters left beside the models into resources/models/manifest.json.

    python3 training/common/manifest.py [folder]

Every denoise-*.json, noise*.json, encoder*.json and decoder*.json of the folder is an entry. The checksum and the size
of each model file are compared with its entry: a manifest that does not describe the files is refused.
"""
import hashlib
import json
import os
from pathlib import Path
import sys

FOLDER = Path(__file__).resolve().parent.parent.parent / "resources" / "models"
PATTERNS = ("denoise-*.json", "noise*.json", "encoder*.json", "decoder*.json")


def write_json(path: Path, value):
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
    os.replace(temporary, path)


def digest(path: Path) -> dict:
    data = path.read_bytes()
    return {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}


def collect(folder: Path = FOLDER) -> Path:
    entries = []
    for pattern in PATTERNS:
        for path in folder.glob(pattern):
            entry = json.loads(path.read_text())
            actual = digest(folder / entry["file"])
            stale = [key for key in actual if actual[key] != entry[key]]
            if stale:
                raise SystemExit(f"{path.name} does not describe {entry['file']}: {', '.join(stale)} differ")
            entries.append(entry)
    entries.sort(key=lambda entry: entry["id"])
    target = folder / "manifest.json"
    write_json(target, {"version": 1, "models": entries})
    return target


if __name__ == "__main__":
    print(collect(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER))
