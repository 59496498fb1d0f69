# SPDX-License-Identifier: MIT
"""scripts/why: what set an option, and why it cannot be set."""
from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONFIG = "# CONFIG_OF is not set\nCONFIG_PAGING_SV39=y\nCONFIG_SERIAL_8250=y\n"


@pytest.fixture(name="folder")
def fixture_folder(tmp_path: Path) -> Path:
    """A folder with a configuration."""
    (tmp_path / ".config").write_text(CONFIG)
    return tmp_path


def why(folder: Path, *words: str, status: int = 0) -> str:
    """Run scripts/why in a folder; return what it says, also of errors."""
    done = subprocess.run([str(ROOT / "scripts" / "why"), *words], cwd=folder,
                          env={**os.environ, "MAKEFLAGS": "n", "SYMBOL": "nonsense"},
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                          check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout if status == 0 else done.stderr


def test_what_set_it(folder: Path) -> None:
    """With and without CONFIG_; the file is called as the caller calls it."""
    text = why(folder, "CONFIG_PAGING_SV39", "MMU")
    assert "PAGING_SV39 (=y), defined at arch/riscv/Kconfig:" in text
    assert "set by .config:2" in text
    assert "selected by PAGING_SV39 (=y)" in text and "no prompt" in text
    assert list(folder.iterdir()) == [folder / ".config"]


def test_member_that_is_off(folder: Path) -> None:
    """Of one of several it says which one is on, also where the file says that it is off."""
    has = 'choice "Page-table format" has PAGING_SV39 (=y)'
    assert has in why(folder, "PAGING_SV48")
    with open(folder / ".config", "a", encoding="utf-8") as file:
        file.write("# CONFIG_PAGING_SV48 is not set\n")
    assert has in why(folder, "PAGING_SV48")


def test_why_it_cannot_be_set(folder: Path) -> None:
    assert "cannot be set: depends on OF (=n)" in why(Path("/"), "SERIAL_SIFIVE", f"O={folder}")
    file = str(folder / ".config")
    assert f"set by {file}:1" in why(Path("/"), "--config", file, "OF")


def test_unknown_names(folder: Path) -> None:
    text = why(folder, "PAGING_SV93", status=1)
    assert text.count("\n") == 1
    assert "PAGING_SV93: no such symbol" in text and "did you mean PAGING_SV39" in text


@pytest.mark.parametrize("words,said", [
    ((), "OPTION"), (("A b",), "no name of an option"), (("$(X)",), "no name of an option"),
    (("A", "--config", "none"), 'no configuration "none"'), (("O=.",), "name an option")])
def test_requests_that_make_no_sense(folder: Path, words: tuple[str, ...], said: str) -> None:
    text = why(folder, *words, status=2)
    assert said in text and text.count("\n") == 1
