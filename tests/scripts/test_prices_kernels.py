# SPDX-License-Identifier: MIT
"""Prices of real kernels: equal to what plain builds, size and the meter say."""
from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import comparing
import pytest
from sourcecopy import ROOT
from sweeptree import broken_tree, option

pytestmark = pytest.mark.skipif(
    not shutil.which((os.environ.get("QEMU") or "qemu-system-riscv64").split()[0]),
    reason="no QEMU")
# What is switched, and how by hand.
BY_HAND = {"FINISH_IDLE": ("-e", "FINISH_IDLE", "-d", "FINISH_POWEROFF"),
           "TRAPS": ("-e", "TRAPS"),
           "LINE_PRINTF": ("-e", "LINE_PRINTF", "-d", "LINE_WRITE")}


def price(*words: object, root: Path = ROOT, status: int = 0,
          **env: str) -> "subprocess.CompletedProcess[str]":
    """Run scripts/price."""
    done = subprocess.run([str(root / "scripts" / "price"), *map(str, words)],
                          env=comparing.environment(**env), stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return done


def by_hand(folder: Path, changes: tuple[str, ...]) -> dict[str, int]:
    """Build tiny with some changes; return what common tools say of it."""
    def run(*words: str) -> str:
        return subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=240, check=True, cwd=ROOT,
                              env=comparing.environment()).stdout

    make = ("make", "-s", f"O={folder}")
    run(*make, "tiny_defconfig")
    if changes:
        run("scripts/config", "--file", str(folder / ".config"), *changes)
        run(*make, "olddefconfig")
    run(*make, "all")
    rows = run("riscv64-linux-gnu-size", "-A", str(folder / "ahoy"))
    sections = {name: int(size) for name, size in
                re.findall(r"^\.(\S+)\s+(\d+)\s+\d+", rows, re.MULTILINE)}
    berkeley = run("riscv64-linux-gnu-size", str(folder / "ahoy")).splitlines()[1].split()
    image = folder / "arch/riscv/boot/Image"
    met = json.loads(run("scripts/meter", "--json", "--kernel", str(image)))
    assert sections
    # Without -A what cannot be written is all text.
    return {"text and rodata": int(berkeley[0]), "data": int(berkeley[1]),
            "bss": int(berkeley[2]), "image": image.stat().st_size,
            "kernel": met["kernel"], "firmware": met["firmware"],
            "pages": met["pages"]["total"]}


def test_three_prices_recomputed_by_hand(tmp_path: Path) -> None:
    found = json.loads(price(*BY_HAND, "--base", "tiny", "--format", "json",
                             AHOY_PRICES=str(tmp_path / "none")).stdout)
    assert found["stamp"]["base"] == "tiny" and found["stamp"]["keys"]["sources"]
    base = by_hand(tmp_path / "base", ())
    prices = {entry["option"]: entry for entry in found["prices"]}
    for name, changes in BY_HAND.items():
        real = by_hand(tmp_path / name, changes)
        told = prices[name]["figures"]
        told["text and rodata"] = told["text"] + told["rodata"]
        assert prices[name]["status"] == "ok"
        assert {key: told[key] for key in real} == {key: real[key] - base[key] for key in real}
    assert ["LINE_WRITE", "y", "n"] in prices["LINE_PRINTF"]["also"]


def test_what_fails_is_recorded_and_a_change_is_noticed(tmp_path: Path) -> None:
    """In a copy of the sources with two options that break the kernel."""
    root = broken_tree(
        tmp_path / "src", option("NEVER_BUILDS") + option("ENDS_EARLY", "select INIT_TABLE"),
        {"never_builds.c": "// SPDX-License-Identifier: MIT\n#error no\n",
         "ends_early.c": "// SPDX-License-Identifier: MIT\n#include <ahoy/init.h>\n\n"
         "static void end(void)\n{\n\t/* Shutdown, of the firmware's first calls. */\n"
         "\t__asm__ volatile(\"li a7, 8\\n\\tecall\" ::: \"a0\", \"a1\", \"a7\", \"memory\");\n}\n"
         "INIT(late, end);\n"},
        "obj-$(CONFIG_NEVER_BUILDS) += never_builds.o\n"
        "obj-$(CONFIG_ENDS_EARLY) += ends_early.o\n")
    folders = {"AHOY_CACHE": str(tmp_path / "cache"), "AHOY_PRICES": str(tmp_path / "prices")}

    def told(status: int, *names: str) -> Any:
        done = price(*names, "--base", "tiny", "--format", "json", root=root, status=status,
                     **folders)
        return json.loads(done.stdout)

    first = told(0, "NEVER_BUILDS", "ENDS_EARLY")
    builds, ends = first["prices"]
    assert builds["status"] == "not built" and "#error no" in builds["why"]
    assert ends["status"] == "not booted", ends["why"]
    assert ends["why"] and ends["figures"]["text"] > 0
    with open(root / "kernel" / "never_builds.c", "w", encoding="utf-8") as file:
        file.write("// SPDX-License-Identifier: MIT\nextern const char mended[];\n"
                   "const char mended[4] = \"abc\";\n")
    second = told(0, "NEVER_BUILDS")
    assert second["prices"][0]["status"] == "ok"
    assert second["stamp"]["keys"]["sources"] != first["stamp"]["keys"]["sources"]


@pytest.mark.slow
def test_a_whole_ledger(tmp_path: Path) -> None:
    """Every option has its entry; the ledger is then what prices are told from."""
    folders = {"AHOY_PRICES": str(tmp_path)}
    done = price("--all", "--base", "tiny", "--pairs", 4, **folders)
    ledger = json.loads((tmp_path / "tiny.json").read_text())
    named = {entry["option"] for entry in ledger["prices"]}
    chosen = {name for name, value in ledger["base"]["values"].items() if value == "y"}
    assert set(ledger["base"]["settable"]) <= named | chosen
    assert ledger["interactions"]["examined"] == 4
    assert all(entry["why"] for entry in ledger["prices"] if entry["status"] != "ok")
    assert "Interactions: prices were held against" in done.stdout
    assert "Measured from:" in price(sorted(named)[0], "--base", "tiny", **folders).stdout
