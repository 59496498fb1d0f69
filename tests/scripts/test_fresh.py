# SPDX-License-Identifier: MIT
"""scripts/check-fresh says at once what it lacks; .ci/run does what README says."""

import os
import re
import subprocess
from pathlib import Path
from typing import Dict

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = ("./scripts/setup.sh && make defconfig && make run", "make check")
TOOLS = ("bash", "sh", "cat", "dirname", "realpath", "git", "grep", "unshare", "sort", "head",
         "sed", "mkdir")


@pytest.fixture(name="tree")
def tree_fixture(tmp_path: Path) -> Path:
    """A repository with the script and a README."""
    (tmp_path / "tree/scripts").mkdir(parents=True)
    script = tmp_path / "tree/scripts/check-fresh"
    script.write_bytes((ROOT / "scripts/check-fresh").read_bytes())
    script.chmod(0o755)
    (tmp_path / "tree/README.md").write_text("\n".join(COMMANDS), encoding="utf-8")
    git = ["git", "-C", str(tmp_path / "tree"), "-c", "user.name=x", "-c", "user.email=x@y"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "x"], check=True)
    return tmp_path / "tree"


def check_fresh(tree: Path, *words: str, uid: int = 0, **programs: str) -> str:
    """Run it with a PATH of few programs, some of them made up: what it says, ending with 2."""
    path = tree.parent / "bin"
    path.mkdir()
    for name in TOOLS:
        place = next(Path(folder) / name for folder in os.environ["PATH"].split(":")
                     if (Path(folder) / name).exists())
        (path / name).symlink_to(place)
    texts: Dict[str, str] = {"id": f"echo {uid}", **programs}
    for name, text in texts.items():
        (path / name).unlink(missing_ok=True)
        (path / name).write_text(f"#!/bin/sh\n{text}\n", encoding="ascii")
        (path / name).chmod(0o755)
    done = subprocess.run([str(tree / "scripts/check-fresh"), *words], cwd=tree.parent,
                          env={"PATH": str(path)}, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=30,
                          check=False)
    assert done.returncode == 2, done.stdout
    assert len(done.stdout.splitlines()) == 1 or "Usage" in done.stdout
    return done.stdout


def test_not_root(tree: Path) -> None:
    """Without root it says so."""
    assert "needs root" in check_fresh(tree, uid=1000)


def test_no_debootstrap(tree: Path) -> None:
    """Without debootstrap it names the package."""
    assert "install the package debootstrap" in check_fresh(tree)


def test_no_mirror(tree: Path) -> None:
    """An apt that knows no mirror."""
    said = check_fresh(tree, debootstrap="exit 1", **{"apt-get": "exit 0"})
    assert "MIRROR=" in said


def test_readme_differs(tree: Path) -> None:
    """A README that says something else than what is tried."""
    (tree / "README.md").write_text("make check\n", encoding="utf-8")
    said = check_fresh(tree, debootstrap="exit 1")
    assert f'README.md does not say "{COMMANDS[0]}"' in said


def test_bad_option(tree: Path) -> None:
    """An unknown option."""
    assert "Usage" in check_fresh(tree, "--frobnicate")


def test_commands() -> None:
    """README, check-fresh and .ci/run name the same commands."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    fresh = (ROOT / "scripts/check-fresh").read_text(encoding="utf-8")
    for command in COMMANDS:
        assert command in readme and f"'{command}'" in fresh
    script = (ROOT / ".ci/run").read_text(encoding="utf-8")
    assert re.search(r"^set -e\n(.*\n)*\./scripts/setup\.sh\nmake check\n$", script, re.MULTILINE)
