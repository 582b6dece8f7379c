"""How far must a denoiser see around a tile? Asked of the app's own bench, which runs the ONNX file.

    from margin import measure
    pixels = measure("model.onnx", stride)
"""
import json
from pathlib import Path
import subprocess

ROOT = Path(__file__).resolve().parent.parent.parent
NODE = ROOT / "node_modules" / ".bin" / "node"


def measure(onnx_path, stride: int) -> int:
    """Pixels, a multiple of the stride: the smallest margin with which tiles and whole picture agree to 1/255.

    FileNotFoundError in a checkout without its packages.
    """
    if not NODE.exists():
        raise FileNotFoundError(f"{NODE} not found: run `npm ci` in the checkout")
    command = [str(NODE), str(ROOT / "cli" / "lucidex.mjs"), "bench", "tiling",
               "--file", str(onnx_path), "--stride", str(stride), "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"bench tiling failed:\n{done.stderr}")
    (report,) = json.loads(done.stdout).values()
    return report["margin"]
