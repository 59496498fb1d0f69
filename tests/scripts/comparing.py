# SPDX-License-Identifier: MIT
"""Runs of scripts/compare that share what is built and measured."""
from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from sourcecopy import ROOT

COMPARE = ROOT / "scripts" / "compare"
SCHEMA = ROOT / "scripts" / "measure" / "compare-1.schema.json"
# A machine that is asked for elsewhere must not get in.
MACHINE = ("MACHINE", "MEM", "SMP", "CPU", "APPEND", "QEMU_ARGS", "BASE", "FORMAT", "KCFLAGS")


def cache() -> Path:
    """Return the folder that all these tests share, also with those of later sessions."""
    named = os.environ.get("AHOY_TEST_DIR")
    folder = Path(named).resolve() if named else ROOT / "build" / "test"
    return folder / "cache"


def environment(**more: str) -> dict[str, str]:
    """Return the environment of a run."""
    kept = {name: value for name, value in os.environ.items() if name not in MACHINE}
    return {**kept, "AHOY_CACHE": str(cache()), **more}


def run(*args: object, **more: str) -> "subprocess.CompletedProcess[str]":
    """Run scripts/compare."""
    if not shutil.which((os.environ.get("QEMU") or "qemu-system-riscv64").split()[0]):
        pytest.skip("no QEMU")
    return subprocess.run([str(COMPARE), *map(str, args)], env=environment(**more), cwd="/",
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=240, check=False)


def report(*args: object, **more: str) -> str:
    """Return what scripts/compare prints where all is well."""
    done = run(*args, **more)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


@functools.lru_cache(maxsize=None)
def compared(*args: object) -> dict[str, Any]:
    """Return a comparison as it comes in JSON."""
    found: dict[str, Any] = json.loads(report("--format", "json", *args))
    return found


def figure(found: dict[str, Any], name: str) -> list[Any]:
    """Return a figure's values."""
    rows: list[list[Any]] = [row["values"] for row in found["figures"] if row["id"] == name]
    return rows[0]
