# SPDX-License-Identifier: MIT
"""Runs of scripts/meter, for its tests."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any, Dict

import pytest
from asmkernel import ROOT, qemu

METER = ROOT / "scripts" / "meter"


@pytest.fixture(scope="session", name="build_dir")
def fixture_build_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return one folder for the plugin of all tests."""
    return tmp_path_factory.mktemp("meter")


def run_meter(build_dir: Path, *args: Any, timeout: float = 120,
              **env: str) -> "subprocess.CompletedProcess[str]":
    """Run the meter."""
    qemu()
    return subprocess.run([str(METER), "--build-dir", str(build_dir), *map(str, args)],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=timeout, check=False, env={**os.environ, **env})


def measure(build_dir: Path, *args: Any, timeout: float = 120) -> Dict[str, Any]:
    """Return the meter's figures."""
    done = run_meter(build_dir, "--json", *args, timeout=timeout)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    result: Dict[str, Any] = json.loads(done.stdout)
    return result


def refused(done: "subprocess.CompletedProcess[str]", status: int, *texts: str) -> None:
    """Check that the meter gave no figures and said why."""
    assert done.returncode == status, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    for text in texts:
        assert text in done.stderr
