# SPDX-License-Identifier: MIT
"""A run under the meter with its trace, for trace and profile."""
from __future__ import annotations

import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Optional

import builds
import calltree
import meter
import record
import sizes
from builds import Failure
from symbols import Symbols

TIMEOUT = 60.0


@dataclass
class Trace:
    """What was run, the meter's figures and the log."""

    name: str
    figures: dict[str, Any]
    symbols: Optional[Symbols]
    log: Path
    qemu: str
    machine: dict[str, str]
    compiler: str

    def tree(self, watch: int = 0) -> calltree.Tree:
        """Return the calls, counted from a line of the log on. Raises Failure."""
        try:
            tree = calltree.read(self.log, self.symbols, watch)
        except calltree.BadLog as err:
            raise Failure(str(err)) from err
        if tree.total() != self.figures["total"]:
            raise Failure(f"the calls sum up to {tree.total():,} instructions, and the meter has "
                          f"counted {self.figures['total']:,}")
        return tree


def run(spec: str, scratch: Path, want: str) -> Trace:
    """Build a kernel and run it. Raises Failure."""
    cache = builds.Cache()
    build = cache.build(builds.resolve(spec))
    image = build.image or build.elf
    assert image
    machine_of = record.Machine()
    machine = machine_of.described(image, build.config_text, scratch)
    symbols = None
    if build.elf:
        try:
            symbols = Symbols(build.elf, build.map)
        except sizes.BadFile:
            symbols = None
    log = scratch / f"trace-{len(list(scratch.iterdir()))}"
    asked = meter.options(kernel=str(image), want=want, trace=str(log), timeout=TIMEOUT,
                          symbols=str(build.elf) if symbols else None,
                          machine=machine["machine"], mem=machine["memory"],
                          smp=machine["harts"], initrd=machine.get("initrd"),
                          build_dir=str(cache.root / "meter"))
    try:
        figures = meter.measure(asked)
    except meter.Failure as err:
        raise Failure(f"{spec}: {err}") from err
    name = build.name
    if os.path.isdir(spec):
        folder = Path(spec).resolve()
        name = "this kernel" if folder == Path.cwd() else folder.name
    return Trace(name, figures, symbols, log, machine_of.version, machine,
                 build.values.get("CC_VERSION_TEXT", ""))


def stamp(trace: Trace) -> str:
    """Return what figures are of: they say little without it."""
    memory, harts = trace.machine["memory"], trace.machine["harts"]
    if re.fullmatch(r"\d+K", memory):
        memory = f"{int(memory[:-1]) >> 10} MiB"
    parts = [f"QEMU {trace.qemu}, {trace.machine['machine']}, {memory}, "
             f"{harts} hart{'' if harts == '1' else 's'}",
             trace.figures.get("firmware_version"), trace.compiler]
    return "; ".join(filter(None, parts))


def with_traces(specs: list[str], want: str, work: Callable[[list[Trace]], str]) -> str:
    """Run kernels, do something with their traces, and throw the logs away."""
    with tempfile.TemporaryDirectory(prefix="ahoy-trace-") as folder:
        return work([run(spec, Path(folder), want) for spec in specs])
