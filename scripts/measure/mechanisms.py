# SPDX-License-Identifier: MIT
"""What mechanisms of the kernel cost: its own benchmarks, counted by the meter.

A kernel with CONFIG_BENCH runs each benchmark some times between markers and
tells on the console how many intervals there were. Of each the median is what
it costs as a rule; the first round also pays for what is used for the first time.
"""
from __future__ import annotations

import os
import re
import statistics
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterable

import meter

ROOT = Path(__file__).resolve().parents[2]
IMAGE = "arch/riscv/boot/Image"
TOLD = re.compile(r"^bench: (\S+) (\d+)\r?$", re.MULTILINE)
TIMEOUT = 300


class Failure(Exception):
    """A figure cannot be had."""


@dataclass(frozen=True)
class Variant:
    """A kernel on a machine."""

    name: str
    config: str
    options: tuple[str, ...] = ()
    harts: int = 1
    memory: str = "128M"


# What changes, and nothing else: harts, memory, preemption, locks.
VARIANTS = (
    Variant("coop", "threads"),
    Variant("preempt", "preempt"),
    Variant("spaces", "preempt", ("ADDRESS_SPACES=y",)),
    *(Variant(f"smp {harts}", "smp", harts=harts) for harts in (1, 2, 4, 8)),
    *(Variant(memory, "preempt", memory=memory) for memory in ("32M", "1G", "64G")),
)
# The most that a round may take as a rule, in a kernel for one hart.
AIMS = {"thread.switch": 96, "page.alloc_free_4k": 120, "heap.kmalloc_kfree_64": 100,
        "trap.round_trip": 90}


def names_in(source: str) -> list[tuple[str, str]]:
    """Return the suites and names of the benchmarks that a source defines."""
    return re.findall(r"^BENCH\((\w+), (\w+)\)", source, re.MULTILINE)


def call(command: list[str]) -> str:
    """Run a command, which succeeds: what it printed."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, errors="replace", check=False,
                          timeout=TIMEOUT, env={**os.environ, "TERM": "dumb"})
    if done.returncode:
        raise Failure(f"{' '.join(command)}\n{(done.stdout + done.stderr)[-2000:]}")
    return done.stdout


def build(variant: Variant, folder: Path) -> Path:
    """Build a variant's kernel with the benchmarks, once; return its object tree."""
    tree = folder / "-".join(("bench", variant.config, *variant.options)).replace("=", "_")
    if not (tree / IMAGE).exists():
        tree.mkdir(parents=True, exist_ok=True)
        make = ["make", "-s", "-C", str(ROOT), f"O={tree}"]
        call([*make, f"{variant.config}_defconfig"])
        for option in ("BENCH=y", *variant.options):
            name, value = option.split("=")
            call([str(ROOT / "scripts" / "config"), "--file", str(tree / ".config"),
                  "--set-val", name, value])
        call([*make, "olddefconfig"])
        call([*make, "-j2"])
    return tree


def run(variant: Variant, tree: Path) -> dict[str, list[int]]:
    """Return what each benchmark's rounds took, in instructions of the kernel."""
    image = tree / IMAGE
    console = call([str(ROOT / "scripts" / "run"), "--kernel", str(image), "--config",
                    str(tree / ".config"), "--smp", str(variant.harts), "--mem", variant.memory])
    told = [(name, int(count)) for name, count in TOLD.findall(console)]
    try:
        found = meter.measure(meter.options(
            kernel=image, smp=str(variant.harts), mem=variant.memory, start="marker:1",
            stop="marker:2", build_dir=str(tree / ".meter"), timeout=TIMEOUT))
    except meter.Failure as err:
        raise Failure(f"{variant.name}: {err}") from err
    intervals = [interval["kernel"] for interval in found["intervals"]]
    if sum(count for _, count in told) != len(intervals) or not intervals:
        raise Failure(f"{variant.name}: {len(intervals)} intervals, but the kernel told of "
                      f"{sum(count for _, count in told)}")
    rounds = {}
    for name, count in told:
        if count:
            rounds[name], intervals = intervals[:count], intervals[count:]
    return rounds


def measure(folder: Path, variants: Iterable[Variant] = VARIANTS) -> dict[str, Any]:
    """Return of each variant what its benchmarks' rounds took: first, median, most."""
    figures: dict[str, Any] = {}
    for variant in variants:
        rounds = run(variant, build(variant, folder))
        figures[variant.name] = {name: {"first": row[0], "median": int(statistics.median(row)),
                                        "most": max(row[1:], default=row[0])}
                                 for name, row in rounds.items()}
    return figures


def table(figures: dict[str, Any]) -> str:
    """Return the medians, a line each benchmark, a column each variant."""
    names = sorted({name for rows in figures.values() for name in rows})
    lines = [f"{'instructions a round':24}" + "".join(f"{name:>9}" for name in figures)
             + f"{'first':>9}{'aim':>6}"]
    first = next(iter(figures.values()))
    for name in names:
        cells = [rows[name]["median"] if name in rows else None for rows in figures.values()]
        cells += [first[name]["first"] if name in first else None]
        lines.append(f"{name:24}" + "".join(f"{'-' if cell is None else cell:>9}"
                                            for cell in cells) + f"{AIMS.get(name, ''):>6}")
    return "\n".join(lines)
