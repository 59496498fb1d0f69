# SPDX-License-Identifier: MIT
"""Copies of the source tree, for tests that change sources."""

import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "measure"))

import builds  # noqa: E402

# What no build reads, but what builds and measures.
BESIDE = (".gitignore", "configs", "scripts/measure")


def copy_sources(target: Path) -> Path:
    """Copy the source tree, but for tests and docs, without what builds have left in it."""
    names = list(builds.Sources(ROOT).files())
    for name in BESIDE:
        path = ROOT / name
        names += [str(file.relative_to(ROOT)) for file in
                  (path.rglob("*") if path.is_dir() else [path]) if "__pycache__" not in str(file)]
    for name in names:
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    return target
