# SPDX-License-Identifier: MIT
"""From a configuration that fails to the least difference that makes it fail.

Delta debugging (Zeller and Hildebrandt, 2002) over the options that differ from the
nearest named configuration that works: every candidate is what kconfiglib makes of
that one and some of the differences, so each is valid. What remains is a fragment:
added to the named configuration it fails, and without any line of it it does not.
"""
from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Callable

from builds import parse_config
from model import Model
from sweep_engine import fresh
from sweep_plan import Case, Planner
from sweep_worker import Settings, Worker

# Builds that shrinking one of them may take.
MOST_TESTS = 200

Change = tuple[str, str]


def minimise(changes: list[Change], fails: Callable[[list[Change]], bool]) -> list[Change]:
    """Return a part of the changes that fails, and does not without any one of them.

    @fails: tells whether some of the changes, in their order, fail; all of them do
    """
    if fails([]):
        return []
    parts = 2
    while len(changes) >= 2:
        size = -(-len(changes) // parts)
        chunks = [changes[at:at + size] for at in range(0, len(changes), size)]
        for chunk in chunks:
            rest = [change for change in changes if change not in chunk]
            # Of two halves each one is the other's rest.
            if len(chunks) > 2 and fails(chunk):
                changes, parts = chunk, 2
                break
            if rest and fails(rest):
                changes, parts = rest, max(len(chunks) - 1, 2)
                break
        else:
            if size == 1:
                break
            parts = min(2 * parts, len(changes))
    return changes


class Doctor:
    """Looks into failures."""

    def __init__(self, planner: Planner, source: Path, settings: Settings, folder: Path,
                 named: dict[str, str], most: int) -> None:
        """@named: configurations to shrink towards; @most: how many failures are shrunk"""
        self.planner = planner
        self.model: Model = planner.model
        self.worker = Worker(settings, source)
        self.folder = folder
        self.named = named
        self.most = most
        self.tests = 0
        self.known: dict[str, dict[str, Any]] = {}

    def look(self, failed: list[dict[str, Any]], cases: dict[str, Case]) -> None:
        """Keep the failures; confirm and shrink the first ones."""
        for number, result in enumerate(failed):
            case = cases[result["name"]]
            folder = fresh(self.folder / case.name)
            (folder / "config").write_text(case.text, encoding="utf-8")
            (folder / "why").write_text(f"{result['step']}: {result['why']}\n", encoding="utf-8")
            if number >= self.most or result["step"] == "compare":
                continue
            print(f"sweep: looking into {case.name}", file=sys.stderr, flush=True)
            self.confirm(case, result, folder)
            if result["confirmed"]:
                self.shrink(case, result, folder)

    def confirm(self, case: Case, result: dict[str, Any], folder: Path) -> None:
        """Do a case again in an object tree that nothing else was built in."""
        again = self.worker.do(case.to_json(), fresh(folder / "tree"))
        result["confirmed"] = again["status"] == "fail"
        if result["confirmed"]:
            result.update(step=again["step"], why=again["why"])
        else:
            result["why"] = ("it failed once, and not again in a fresh folder: " + result["why"])

    # -- shrinking --------------------------------------------------------------------

    def shrink(self, case: Case, result: dict[str, Any], folder: Path) -> None:
        """Find the least difference from a named configuration that works."""
        self.tests = 0
        text = case.drawn if result["step"] == "build as drawn" else case.text
        step = "build" if result["step"] == "build as drawn" else result["step"]
        machines = [boot.machine for boot in case.boots] if step == "boot" else []
        harts = case.boots[0].harts if case.boots else 1

        def fails(candidate: str) -> bool:
            outcome = self.test(candidate, machines, harts)
            return outcome["status"] == "fail" and outcome["step"] == step

        base = self.passing(text, fails)
        if not base:
            result["fragment"] = "# every named configuration fails like this"
            return
        old = self.model.wishes(self.named[base])
        changes = self.changes(old, self.model.wishes(text))

        def part_fails(some: list[Change]) -> bool:
            return fails(self.merged(old, some))

        # What is not the same machine's configuration may not fail with all of them.
        if not part_fails(changes):
            result["fragment"] = f"# not a difference of options from {base}"
            return
        least = minimise(changes, part_fails)
        result["fragment"] = self.fragment(base, old, least, result)
        result["least"] = [f"{name}={value}" for name, value in least]
        (folder / "fragment.config").write_text(result["fragment"], encoding="utf-8")
        print(result["fragment"], file=sys.stderr, flush=True)

    def passing(self, text: str, fails: Callable[[str], bool]) -> str:
        """Return the nearest named configuration that does not fail."""
        new = self.model.wishes(text)

        def distance(name: str) -> int:
            return len(self.changes(self.model.wishes(self.named[name]), new))

        for name in sorted(self.named, key=distance):
            if not fails(self.named[name]):
                return name
        return ""

    def changes(self, old: dict[str, str], new: dict[str, str]) -> list[Change]:
        """Return what must be wished for to get from one configuration to the other."""
        by_name = self.model.by_name
        return [(name, value) for name, value in new.items()
                if old.get(name) != value and (not by_name[name].choice or value == "y")]

    def merged(self, old: dict[str, str], some: list[Change]) -> str:
        """Return a configuration with some changes."""
        return self.model.config_text(self.model.changed(old, dict(some)))

    def test(self, text: str, machines: list[str], harts: int) -> dict[str, Any]:
        """Return what becomes of a configuration."""
        if text in self.known:
            return self.known[text]
        self.tests += 1
        if self.tests > MOST_TESTS:
            return {"status": "ok", "step": ""}
        self.model.assign(parse_config(text))
        known = self.planner.known
        fitting = known.fitting()
        chosen = [machine for machine in machines if machine in fitting] or fitting[:1]
        case = Case("shrink", text, [known.boot(machine, harts) for machine in chosen])
        with self.worker.tree() as tree:
            self.known[text] = self.worker.do(case.to_json(), tree)
        return self.known[text]

    def fragment(self, base: str, old: dict[str, str], least: list[Change],
                 result: dict[str, Any]) -> str:
        """Return the changes as a file that make takes."""
        text = self.merged(old, least)
        self.model.assign(parse_config(text))
        why = result["why"].splitlines()[0]
        lines = [f"# make {base} fragment.config: {result['step']}: {why}\n"]
        lines += [self.model.by_name[name].config_string for name, _ in least]
        return "".join(lines)
