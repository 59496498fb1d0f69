# SPDX-License-Identifier: MIT
"""The ledger: what each option costs, as measured from one base configuration.

A ledger ("schema": "ahoy-ledger-1") is a dictionary that JSON can hold, kept in
build/prices of the object tree. Its stamp says which base, sources, compiler,
emulator and firmware its figures are of; whoever shows a figure shows the stamp,
and says where it is no longer so. menuconfig reads ledgers while it starts:
nothing is imported here that takes time.

Values stand without CONFIG_ and quotes; an option that is not there is "n", if
it is a bool, and else has no place in a difference.
"""
from __future__ import annotations

import json
import os
import shlex
import shutil
from pathlib import Path
from typing import Any, Iterable, NamedTuple, Optional

import sources

SCHEMA = "ahoy-ledger-1"
# What a total is of, besides all that a ledger knows.
BYTES, INSTRUCTIONS = "image", "instructions"
Entry = dict[str, Any]
Values = dict[str, str]


class BadLedger(Exception):
    """A file that is there and is no ledger."""


def emulator_state() -> str:
    """Return what tells one emulator from another without asking it."""
    text = os.environ.get("QEMU") or "qemu-system-riscv64"
    try:
        program = shutil.which(shlex.split(text)[0]) or ""
        stat = os.stat(program)
        state = f"{os.path.realpath(program)} {stat.st_size} {stat.st_mtime_ns}"
    except (OSError, ValueError, IndexError):
        state = ""
    settings = [f"{name}={os.environ.get(name) or ''}" for name in (
        "MACHINE", "MEM", "SMP", "CPU", "BIOS", "APPEND", "QEMU_ARGS")]
    return " ".join([text, state, *settings])


def keys(root: Path = sources.ROOT) -> dict[str, str]:
    """Return what a ledger's figures depend on besides its base, as it is now."""
    return {"sources": sources.Sources(root).digests()[0], "compiler": sources.compiler(),
            "emulator": emulator_state()}


def file_name(base: str, text: str) -> str:
    """Return the name of the ledger of a base.

    @text: its configuration, which tells apart what is called the same
    """
    plain = all(char.isalnum() or char in "_-" for char in base)
    if plain:
        return f"{base}.json"
    last = "".join(char if char.isalnum() else "-" for char in base.rstrip("/").split("/")[-1])
    return f"{last.strip('-') or 'config'}-{sources.digest_of(text)[:8]}.json"


def default_folder() -> Path:
    """Return where ledgers are kept if nothing else is said."""
    return Path(os.environ.get("AHOY_PRICES") or sources.ROOT / "build" / "prices")


class Total(NamedTuple):
    """What a configuration costs, by the ledger.

    @figures: base and prices, summed up
    @exact:   nothing differs from the base, or only what was measured just so
    @unknown: options that differ and have no price for that
    """

    figures: dict[str, int]
    exact: bool
    unknown: list[str]


class Ledger:
    """A ledger that has been read.

    @data: as it was written
    @path: where it is
    """

    def __init__(self, data: dict[str, Any], path: Optional[Path] = None) -> None:
        self.data = data
        self.path = path
        self.stamp: dict[str, Any] = data["stamp"]
        self.base: Values = data["base"]["values"]
        self.prompts: list[str] = data["base"]["settable"]
        self.by_option: dict[str, list[Entry]] = {}
        for entry in data["prices"]:
            self.by_option.setdefault(entry["option"], []).append(entry)

    @classmethod
    def read(cls, path: Path) -> "Ledger":
        """Return the ledger in a file. Raises BadLedger, FileNotFoundError."""
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            if data["schema"] != SCHEMA:
                raise BadLedger(f'"{path}" has the form {data["schema"]}, not {SCHEMA}')
            return cls(data, path)
        except FileNotFoundError:
            raise
        except (OSError, ValueError, KeyError, TypeError) as err:
            raise BadLedger(f'"{path}" is no ledger: {err}') from err

    def write(self, path: Path) -> None:
        """Write it so that a reader sees all of it or the one before."""
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{os.getpid()}")
        part.write_text(json.dumps(self.data, indent=1) + "\n", encoding="utf-8")
        part.replace(path)

    # -- the stamp --------------------------------------------------------------

    def stamp_lines(self) -> list[str]:
        """Return what the figures are of."""
        stamp = self.stamp
        return [f"base {stamp['base']}, revision {stamp['revision'] or 'unknown'}"
                f" (sources {stamp['keys']['sources'][:12]})",
                f"{stamp['compiler']}",
                f"QEMU {stamp['qemu']}, {stamp['firmware'] or 'firmware unknown'}, "
                f"machine {stamp['machine']}"]

    def stale(self, now: dict[str, str]) -> list[str]:
        """Return what has changed since.

        @now: what keys() returns
        """
        was = self.stamp["keys"]
        names = {"sources": "the sources", "compiler": "the compiler or its flags",
                 "emulator": "the emulator or its machine"}
        return [text for key, text in names.items() if was.get(key) != now[key]]

    # -- prices -----------------------------------------------------------------

    def priced(self) -> list[Entry]:
        """Return the entries that have figures."""
        return [entry for entry in self.data["prices"] if entry["status"] == "ok"]

    def find(self, option: str, value: str) -> Optional[Entry]:
        """Return the price of a value of an option."""
        return next((entry for entry in self.by_option.get(option, ())
                     if entry["value"] == value), None)

    def switch(self, values: Values, option: str, then: str,
               chosen: str = "") -> Optional[tuple[dict[str, int], bool]]:
        """Return what it costs to give an option another value, and whether that was measured.

        None where a value has no price. What has to change with the option, and has
        changed already, costs nothing again.
        @chosen: the member of the option's choice that it replaces
        """
        for name, value in ((chosen, "y") if chosen else (option, values.get(option, "n")),
                            (option, then)):
            if value != self.base.get(name, "n"):
                entry = self.find(name, value)
                if entry is None or entry["status"] != "ok":
                    return None
        after = {**values, option: then}
        after.update({name: new for name, _, new in parts(self.find(option, then))})
        if chosen:
            after[chosen] = "n"
        old, new = self.total(values), self.total(after)
        return ({name: amount - old.figures.get(name, 0) for name, amount in new.figures.items()},
                old.exact and new.exact)

    def differences(self, values: Values) -> Values:
        """Return the options that a user sets and that are not as in the base.

        A number or a text that is not there on one side is no difference: what
        hides it is one.
        """
        found: Values = {}
        for name in self.prompts:
            old, new = self.base.get(name, "n"), values.get(name, "n")
            there = name in self.base and name in values
            if old != new and (there or {old, new} == {"y", "n"}):
                found[name] = new
        return found

    def total(self, values: Values) -> Total:
        """Estimate what a configuration costs: the base and what differs from it.

        Prices hold what had to change with an option; none of that counts twice.
        """
        left = self.differences(values)
        different = dict(left)
        figures = dict(self.data["base"]["figures"])
        used = 0

        def matched(entry: Entry) -> int:
            return sum(left.get(name) == new for name, _, new in parts(entry))

        entries = [entry for entry in self.priced()
                   if different.get(entry["option"]) == entry["value"]]
        # First those of which all changes are there, and of these the largest.
        entries.sort(key=lambda entry: (matched(entry) < len(parts(entry)), -matched(entry)))
        taken = []
        for entry in entries:
            if entry["option"] not in left:
                continue
            used += 1
            taken.append(entry["option"])
            for name, _, _ in parts(entry):
                left.pop(name, None)
            for name, amount in entry["figures"].items():
                figures[name] = figures.get(name, 0) + amount
        exact = not different or (used == 1 and not left and self.just(taken[0], different))
        self.add_interactions(figures, taken, different)
        return Total(figures, exact, sorted(left))

    def just(self, option: str, different: Values) -> bool:
        """Is what differs just what was measured as the price of one option?"""
        entry = self.find(option, different[option])
        return bool(entry) and {name: new for name, _, new in parts(entry)} == different

    def add_interactions(self, figures: dict[str, int], taken: Iterable[str],
                         values: Values) -> None:
        """Add what is known of pairs that cost together another sum."""
        there = {(name, values[name]) for name in taken}
        for pair in self.data["interactions"]["pairs"]:
            if {(name, value) for name, value in pair["options"]} <= there:
                for name, amount in pair["extra"].items():
                    figures[name] = figures.get(name, 0) + amount

    def interactions(self, option: str) -> list[dict[str, Any]]:
        """Return the pairs that an option is one of."""
        return [pair for pair in self.data["interactions"]["pairs"]
                if any(name == option for name, _ in pair["options"])]


def parts(entry: Optional[Entry]) -> list[tuple[str, str, str]]:
    """Return all that an entry changes: names, old and new values."""
    if entry is None:
        return []
    return [(entry["option"], entry["old"] or "n", entry["value"]),
            *((name, old or "n", new) for name, old, new in entry["also"])]


def nearest(folders: Iterable[Path], values: Values) -> Optional[Ledger]:
    """Return the ledger whose base is nearest to a configuration, if there is one."""
    found: list[tuple[int, Ledger]] = []
    for folder in folders:
        for path in sorted(folder.glob("*.json")):
            try:
                ledger = Ledger.read(path)
            except (BadLedger, FileNotFoundError):
                continue
            found.append((len(ledger.differences(values)), ledger))
    return min(found, key=lambda pair: pair[0])[1] if found else None
