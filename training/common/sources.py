"""Where the training pictures come from, told by their file names."""
from pathlib import Path

# File name prefix in the training folder: what it is, and on what terms.
SOURCES = {
    "bsds": ("BSDS500, train and test (disjoint from CBSD68)", "research use"),
    "cid22": ("Cloudinary CID22, clean photographs", "CC BY-SA 4.0"),
    "clic": ("CLIC 2025, photographs at half size", "Unsplash licence"),
    "wall": ("elementary/wallpapers, at most 960 px", "Unsplash, CC0, Pexels, Pixabay, CC BY(-SA), by file"),
}


def training_data(paths: list) -> list:
    """[{"name", "terms", "count"}] of the pictures, for a manifest entry. Refuses those of unknown origin."""
    counts = {}
    for path in paths:
        prefix = Path(path).name.split("-")[0]
        counts[prefix] = counts.get(prefix, 0) + 1
    unknown = set(counts) - set(SOURCES)
    if unknown:
        raise SystemExit(f"pictures of unknown origin: {sorted(unknown)}")
    return [{"name": SOURCES[key][0], "terms": SOURCES[key][1], "count": counts[key]} for key in sorted(counts)]
