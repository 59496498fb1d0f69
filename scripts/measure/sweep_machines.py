# SPDX-License-Identifier: MIT
"""What a configuration promises to do on QEMU's machines.

arch/*/machines says it as expressions over the options; here they are read and
evaluated, so that no option is known to the sweep itself.
"""
from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Optional

from model import Model, ModelError

WORDS = ("harts", "boots", "ends", "may end", "crlf", "quiet", "needs sbi2", "cut off")
LINE = re.compile(r"(\S+)\s+(" + "|".join(WORDS) + r")\s+(\S.*)")
HARTS = re.compile(r"(\d+)-(\d+)")
ANY = "*"


@dataclass(frozen=True)
class Boot:
    """A boot to do, and what must come of it.

    @ends: "yes", "no" or "maybe"
    """

    machine: str
    harts: int
    ends: str
    crlf: bool
    quiet: bool
    needs_sbi2: bool
    cut_off: bool

    def to_json(self) -> dict:
        """Return what the worker gets."""
        return asdict(self)


class Machines:
    """The machines and what they promise."""

    def __init__(self, model: Model, path: Optional[Path] = None) -> None:
        self.model = model
        found = sorted(model.root.glob("arch/*/machines"))
        self.path = path or (found[0] if found else model.root / "arch/machines")
        self.rules: dict[tuple[str, str], str] = {}
        self.harts: dict[str, tuple[int, int]] = {}
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines()
        except OSError as err:
            raise ModelError(f"{self.path}: {err.strerror}") from err
        for number, line in enumerate(lines, 1):
            if line.strip() and not line.startswith("#"):
                self.read(f"{self.path}:{number}", line.strip())

    def read(self, where: str, line: str) -> None:
        """Take one line of the file."""
        match = LINE.fullmatch(line)
        if not match:
            raise ModelError(f"{where}: MACHINE WORD EXPRESSION is needed, with one of the words "
                             f"{', '.join(WORDS)}")
        machine, word, text = match.groups()
        if word == "harts":
            bounds = HARTS.fullmatch(text)
            if not bounds:
                raise ModelError(f"{where}: harts are LEAST-MOST")
            self.harts[machine] = int(bounds[1]), int(bounds[2])
            return
        for name in re.findall(r"[A-Z]\w+", text):
            if name not in self.model.by_name:
                raise ModelError(f"{where}: Kconfig has no option {name}")
        self.rules[machine, word] = text

    def holds(self, machine: str, word: str) -> bool:
        """Tell whether something is promised by the configuration that the model has now."""
        text = self.rules.get((machine, word)) or self.rules.get((ANY, word))
        return bool(text) and self.model.tree.eval_string(text) != 0

    def fitting(self) -> list[str]:
        """Return the machines that the model's present configuration is for."""
        return [machine for machine in self.harts if self.holds(machine, "boots")]

    def boot(self, machine: str, harts: int) -> Boot:
        """Return a boot of the model's present configuration."""
        least, most = self.harts[machine]
        ends = "yes" if self.holds(machine, "ends") else (
            "maybe" if self.holds(machine, "may end") else "no")
        return Boot(machine, min(max(harts, least), most), ends, self.holds(machine, "crlf"),
                    self.holds(machine, "quiet"), self.holds(machine, "needs sbi2"),
                    self.holds(machine, "cut off"))
