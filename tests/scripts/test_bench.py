# SPDX-License-Identifier: MIT
"""scripts/bench, on a copy of the tree with few configurations."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from test_kbuild import copy_tree, environment


@pytest.fixture(name="tree", scope="module")
def tree_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree with two configurations."""
    folder = copy_tree(tmp_path_factory.mktemp("bench"))
    for path in (folder / "configs").iterdir():
        if path.name not in ("tiny_defconfig", "sv39_defconfig"):
            path.unlink()
    return folder


def bench(tree: Path, out: Path) -> "subprocess.CompletedProcess[str]":
    """Run it without the times of builds."""
    return subprocess.run([str(tree / "scripts/bench"), "--kernels", str(out)], cwd=out.parent,
                          env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=120, check=False)


def test_kernels(tree: Path, tmp_path: Path) -> None:
    """Each configuration has its size and its instructions, printed and kept."""
    done = bench(tree, tmp_path / "out")
    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / "out/kernels.json").read_text("utf-8"))["figures"]
    assert list(figures) == ["sv39_defconfig", "tiny_defconfig"]
    for name, row in figures.items():
        line = next(line for line in done.stdout.splitlines() if line.startswith(name))
        keys = ("image", "kernel", "firmware", "user", "power_off")
        assert line.split()[1:] == [str(row[key]) for key in keys]
        assert row["power_off"] >= row["kernel"] + row["firmware"]
    assert 40 < figures["tiny_defconfig"]["image"] < figures["sv39_defconfig"]["image"]
    assert 5 < figures["tiny_defconfig"]["kernel"] < figures["sv39_defconfig"]["kernel"]


def test_broken_configuration(tree: Path, tmp_path: Path) -> None:
    """One that cannot be built is said, and the others are still measured."""
    broken = tree / "configs/broken_defconfig"
    broken.write_text("# Broken\nCONFIG_NO_SUCH_THING=y\n", encoding="utf-8")
    try:
        done = bench(tree, tmp_path / "out")
    finally:
        os.unlink(broken)
    assert done.returncode == 1
    assert "broken_defconfig" in done.stderr and "NO_SUCH_THING" in done.stderr
    assert "tiny_defconfig" in done.stdout and "Traceback" not in done.stderr
