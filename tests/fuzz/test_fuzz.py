# SPDX-License-Identifier: MIT
"""A bounded run of each fuzzer, and proof that one would say something."""

import os
import re
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
NAMES = re.search(r"^names := (.*)$", (HERE / "Makefile").read_text(encoding="utf-8"),
                  re.MULTILINE).group(1).split()
# Of each fuzzer; more by hand: FUZZ_SECONDS=600 make check CHECK_ARGS=tests/fuzz
SECONDS = os.environ.get("FUZZ_SECONDS") or "4"


@pytest.mark.parametrize("name", NAMES)
def test_fuzz(name: str, tmp_path: Path) -> None:
    """The fuzzer finds nothing in so many seconds, and does try inputs."""
    done = subprocess.run(["make", "-C", HERE, f"O={tmp_path}", f"names={name}",
                           f"FUZZ_SECONDS={SECONDS}", "check"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", timeout=int(SECONDS) + 200, check=False)
    assert done.returncode == 0, done.stdout[-6000:]
    inputs = re.search(r"inputs: (\d+)", done.stdout)
    assert inputs and int(inputs.group(1)) > 1000, done.stdout
