# SPDX-License-Identifier: MIT
"""Programs that test system calls: on Ahoy, on Linux, and under qemu-riscv64."""

import subprocess
from pathlib import Path
from typing import List

import pytest

import userlib
from userlib import check_ktap, known_tests, parts, system, test_names


def check_all(text: str) -> List[str]:
    """Check the tests of all programs; return those that were left out."""
    found = parts(text)
    return [line for name in test_names() for line in check_ktap(found[f"test-{name}"], name)]


@pytest.mark.parametrize("name", test_names())
def test_qemu_user(name: str, tmp_path: Path) -> None:
    """The same programs pass where somebody else wrote the system calls."""
    skipped = check_ktap(userlib.run_user(tmp_path, f"test-{name}"), name)
    assert len(skipped) < len(known_tests(name)), "nothing was tested"
