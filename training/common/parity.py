"""Does ONNX Runtime (the one the app uses) compute what PyTorch computed?

    from parity import check, run
    worst = check("model.onnx", {"image": array, "sigma": array}, {"denoised": expected})

Arrays travel as raw little-endian float32 through a temporary folder to parity.mjs, which runs the model
with onnxruntime-node. That package is taken from the checkout's node_modules, or from the folder in the
environment variable LUCIDEX_ORT.
"""
import json
import os
from pathlib import Path
import subprocess
import tempfile
import numpy as np

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
NAMES = {np.dtype("<f4"): "float32", np.dtype("<i8"): "int64", np.dtype("u1"): "uint8"}


def runtime() -> Path:
    """The folder of onnxruntime-node; FileNotFoundError when there is none."""
    for base in (os.environ.get("LUCIDEX_ORT"), ROOT):
        if base and (Path(base) / "node_modules/onnxruntime-node/package.json").exists():
            return Path(base) / "node_modules/onnxruntime-node"
    raise FileNotFoundError("onnxruntime-node not found: run `npm install` in the checkout, or set LUCIDEX_ORT")


def run(onnx_path, inputs: dict, threads: int = 1, repeat: int = 1) -> tuple:
    """Outputs by name, and seconds of the fastest run.

    inputs: name to array; floating arrays are sent as float32, int64 and uint8 as they are.
    """
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        job = {"model": str(Path(onnx_path).resolve()), "runtime": str(runtime()), "threads": threads,
               "repeat": repeat, "inputs": []}
        for name, array in inputs.items():
            array = np.asarray(array)
            if array.dtype.newbyteorder("<") not in NAMES:
                array = array.astype("<f4")
            array = np.ascontiguousarray(array)
            array.tofile(folder / f"in-{name}.raw")
            job["inputs"].append({"name": name, "shape": list(array.shape), "type": NAMES[array.dtype]})
        (folder / "job.json").write_text(json.dumps(job))
        done = subprocess.run(["node", str(HERE / "parity.mjs"), str(folder)], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"parity.mjs failed:\n{done.stderr}")
        result = json.loads((folder / "result.json").read_text())
        outputs = {}
        for entry in result["outputs"]:
            kind = {v: k for k, v in NAMES.items()}[entry["type"]]
            outputs[entry["name"]] = np.fromfile(folder / f"out-{entry['name']}.raw", kind).reshape(entry["shape"])
        return outputs, result["seconds"]


def check(onnx_path, inputs: dict, expected: dict) -> float:
    """The largest absolute difference over all expected outputs. Shapes must agree; NaN is infinite."""
    outputs, _ = run(onnx_path, inputs)
    worst = 0.0
    for name, want in expected.items():
        got = outputs[name]
        want = np.asarray(want)
        if got.shape != want.shape:
            raise ValueError(f"{name}: shape {got.shape}, expected {want.shape}")
        difference = np.abs(got.astype(np.float64) - want.astype(np.float64)).max() if want.size else 0.0
        worst = max(worst, float("inf") if np.isnan(difference) else float(difference))
    return worst


def version() -> str:
    return json.loads((runtime() / "package.json").read_text())["version"]
