# SPDX-License-Identifier: MIT
"""The options: which configurations there are, and which lie next to one.

A Model holds the Kconfig files as make reads them: with the same compiler, so
that what depends on the compiler has the same value. It turns any wishes into
a valid configuration, which is what kconfiglib makes of them, and finds the
least change of a configuration that sets one option differently.

What measuring needs to know of an option, and Kconfig has no word for, stands
in a comment right above it; other words there are an error:

  # sweep: machine's     the value must be that of the machine that boots
  # sweep: elf only      the option changes the ELF file, never the flat image
  # sweep: which machine the option changes which machines the kernel is for; that may be all
  # sweep: a file        the value names a file, and is left as it is
"""
from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Iterable, Iterator, Optional

ROOT = Path(__file__).resolve().parents[2]
# kconfiglib's front ends belong to the source tree that is measured.
sys.path.insert(0, str(ROOT / "scripts" / "kconfig"))

import kconfiglib  # noqa: E402
from kconfiglib import (AND, BOOL, HEX, INT, NOT, OR, STRING, Choice, Symbol,  # noqa: E402
                        expr_items, expr_value, split_expr)

from builds import environment, parse_config  # noqa: E402
from explain import NUMERIC, active_range, has_prompt  # noqa: E402
from generate import draw  # noqa: E402
from tree import Tree, set_value, settable_bools  # noqa: E402

MACHINE = "machine's"
ELF_ONLY = "elf only"
WHICH_MACHINE = "which machine"
A_FILE = "a file"
NOTES = (MACHINE, ELF_ONLY, WHICH_MACHINE, A_FILE)
NOTE_LINE = re.compile(r"#\s*sweep:\s*(.*?)\s*$")

# How many other options may have to change with one.
MOST_OTHERS = 3
# What a string is set to where something asks for one that is not empty.
SOME_TEXT = "x"
DUMP = "import json, os; print(json.dumps(dict(os.environ)))"


class ModelError(Exception):
    """The Kconfig files cannot be read, or make no sense."""


@dataclass(frozen=True)
class Toggle:
    """A configuration in which one option has another value.

    @name:  the option
    @value: its value there: "y", "n" or a number
    @old:   its value before; "" where it was not offered
    @text:  the whole configuration, as make olddefconfig would write it
    @also:  what else had to change: name, old, new; a bool that is not there is "n"
    @boots: False if the value is the machine's, so that QEMU's machines refuse it
    """

    name: str
    value: str
    old: str
    text: str
    also: list[tuple[str, str, str]] = field(default_factory=list)
    boots: bool = True


def make_environment(root: Path) -> dict[str, str]:
    """Return the environment in which make runs the configuration targets."""
    with tempfile.TemporaryDirectory(prefix="ahoy-model-") as scratch:
        try:
            done = subprocess.run(
                ["make", "-s", "-C", str(root), f"O={scratch}", "olddefconfig",
                 f"KPYTHON=/usr/bin/python3 -c '{DUMP}'"],
                env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                timeout=120, check=False)
        except subprocess.TimeoutExpired as err:
            raise ModelError(f"make olddefconfig: no end after {err.timeout:g} seconds") from err
    if done.returncode:
        raise ModelError(f"make olddefconfig: status {done.returncode}\n{done.stderr.strip()}")
    return json.loads(done.stdout)


@contextmanager
def environ(values: dict[str, str]) -> Iterator[None]:
    """Have another environment for a while: kconfiglib's macros read it."""
    saved = dict(os.environ)
    os.environ.clear()
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(saved)


def read_notes(tree: Tree, root: Path) -> dict[str, set[str]]:
    """Return the notes above the options."""
    notes: dict[str, set[str]] = {}
    files: dict[str, list[str]] = {}
    for sym in tree.unique_defined_syms:
        for node in sym.nodes:
            if node.filename not in files:
                path = root / node.filename
                files[node.filename] = path.read_text(encoding="utf-8").splitlines()
            lines = files[node.filename]
            at = node.linenr - 2
            while at >= 0 and lines[at].lstrip().startswith("#"):
                match = NOTE_LINE.fullmatch(lines[at].strip())
                if match and match[1] not in NOTES:
                    raise ModelError(f'{node.filename}:{at + 1}: "{match[1]}" is no note; there '
                                     f"are: {', '.join(NOTES)}")
                if match:
                    notes.setdefault(sym.name, set()).add(match[1])
                at -= 1
    return notes


class Model:
    """The Kconfig files, and what configurations they allow. Not for threads."""

    def __init__(self, root: Path = ROOT) -> None:
        self.root = root
        self.env = {**make_environment(root), "srctree": str(root)}
        for name in ("KCONFIG_CONFIG", "CONFIG_", "KCONFIG_ALLCONFIG", "KCONFIG_CONFIG_HEADER"):
            self.env.pop(name, None)
        try:
            with environ(self.env):
                self.tree = Tree()
        except kconfiglib.KconfigError as err:
            raise ModelError(str(err).strip()) from err
        self.symbols: list[Symbol] = list(self.tree.unique_defined_syms)
        self.by_name = {sym.name: sym for sym in self.symbols}
        self.choices: list[Choice] = list(self.tree.unique_choices)
        self.notes = read_notes(self.tree, root)

    # -- wishes and configurations ---------------------------------------------------

    def assign(self, assignments: dict[str, str]) -> None:
        """Forget all wishes and take these. Unknown names are left out."""
        self.tree.unset_values()
        for name, value in assignments.items():
            sym = self.by_name.get(name)
            if sym is None or not has_prompt(sym):
                continue
            if sym.choice and value != "y":
                continue  # which member is chosen says it all
            set_value(sym, value)

    def text(self) -> str:
        """Return the configuration that has come of the wishes."""
        return self.tree._config_contents(None)

    def values(self) -> dict[str, str]:
        """Return the values of the options that the configuration file names."""
        return {sym.name: sym.str_value for sym in self.symbols if sym.config_string}

    def config_text(self, assignments: dict[str, str]) -> str:
        """Return the configuration that these wishes lead to.

        @assignments: values without CONFIG_ and quotes; what is left out gets its default
        """
        self.assign(assignments)
        return self.text()

    def complete(self, text: str) -> str:
        """Return a configuration file as make olddefconfig would leave it."""
        return self.config_text(parse_config(text))

    def settable(self) -> list[Symbol]:
        """Return the options that a user can set, in some configuration."""
        return [sym for sym in self.symbols if has_prompt(sym)]

    def wishes(self, text: str) -> dict[str, str]:
        """Return what a configuration file wishes for, complete, prompts only."""
        self.assign(parse_config(text))
        return {sym.name: sym.str_value for sym in self.settable() if sym.visibility}

    def changed(self, base: dict[str, str], changes: dict[str, str]) -> dict[str, str]:
        """Return wishes with some of them changed; in a choice the new one wins."""
        wishes = {**base, **changes}
        for name, value in changes.items():
            choice = self.by_name[name].choice
            if choice and value == "y":
                wishes.update({sym.name: "n" for sym in choice.syms if sym.name != name})
        return wishes

    # -- neighbours -------------------------------------------------------------------

    def toggleable(self, base_text: str) -> list[Toggle]:
        """Return the configurations in which one option is different.

        Every bool that can be set, each member of a choice that is not chosen,
        each number at the ends of its range. What cannot be changed without
        more than a few others is left out, and so is what needs another
        compiler.
        """
        return [toggle for sym in self.settable() for toggle in self.toggles(base_text, sym)]

    def toggles(self, base_text: str, sym: Symbol) -> list[Toggle]:
        """Return the configurations in which this option is different."""
        base = self.wishes(base_text)
        self.assign(base)
        old = self.values()
        found = [self.toggle(base, old, sym, value) for value in self.other_values(sym, base)]
        return [toggle for toggle in found if toggle]

    def other_values(self, sym: Symbol, base: dict[str, str]) -> list[str]:
        """Return the values to try instead of the one that an option has."""
        self.assign(base)
        now = sym.str_value
        if sym.orig_type == BOOL:
            if sym.choice:
                return [] if now == "y" else ["y"]
            return ["n" if now == "y" else "y"]
        if sym.orig_type in NUMERIC and sym.visibility:
            bounds = active_range(sym)
            ends = [self.number(sym, end) for end in bounds[:2]] if bounds else []
            number = NUMERIC[sym.orig_type]
            return [end for end in dict.fromkeys(ends) if int(end, number) != int(now, number)]
        return []

    @staticmethod
    def number(sym: Symbol, value: int) -> str:
        """Return a number as Kconfig writes it."""
        return str(value) if sym.orig_type == INT else hex(value)

    def toggle(self, base: dict[str, str], old: dict[str, str], sym: Symbol,
               value: str) -> Optional[Toggle]:
        """Return the configuration nearest to base in which sym has the value."""
        for others in self.changes(base, sym, value):
            self.assign(self.changed(base, {**others, sym.name: value}))
            new = self.values()
            also = self.differences(old, new, sym)
            return Toggle(sym.name, value, old.get(sym.name, ""), self.text(), also,
                          MACHINE not in self.notes.get(sym.name, ()))
        return None

    def differences(self, old: dict[str, str], new: dict[str, str],
                    sym: Symbol) -> list[tuple[str, str, str]]:
        """Return what a user would see changed besides sym."""
        out = []
        for other in self.settable():
            name = other.name
            if other is sym:
                continue
            if other.orig_type == BOOL:
                pair = old.get(name, "n"), new.get(name, "n")
            elif name in old and name in new:
                pair = old[name], new[name]
            else:
                continue
            if pair[0] != pair[1]:
                out.append((name, *pair))
        return out

    def changes(self, base: dict[str, str], sym: Symbol, value: str) -> Iterator[dict[str, str]]:
        """Yield the best set of changes that let sym have the value, if there is one."""
        def holds(others: dict[str, str]) -> bool:
            self.assign(self.changed(base, {**others, sym.name: value}))
            return sym.str_value == value and all(
                self.by_name[name].str_value == want for name, want in others.items())

        if holds({}):
            yield {}
            return
        near = self.near(sym)
        self.assign(base)
        moves = [(other, new) for other in near for new in self.moves(other)]
        self.assign(base)
        old = self.values()
        for size in range(1, MOST_OTHERS + 1):
            fitting: list[tuple[int, dict[str, str]]] = []
            for some in itertools.combinations(moves, size):
                others = {other.name: new for other, new in some}
                if len(others) == size and holds(others):
                    fitting.append((len(self.differences(old, self.values(), sym)), others))
            if fitting:
                yield min(fitting, key=lambda pair: pair[0])[1]
                return
        needs = self.needs(base, sym, value)
        if needs and holds(needs):
            yield needs

    def needs(self, base: dict[str, str], sym: Symbol, value: str) -> Optional[dict[str, str]]:
        """Return the changes that a symbol's dependencies ask for, theirs too: not always the
        fewest, but found however many there are."""
        others: dict[str, str] = {}
        while len(others) < len(self.by_name):
            self.assign(self.changed(base, {**others, sym.name: value}))
            if sym.str_value == value:
                return others
            wanted = [(sym, "y"), *((self.by_name[name], want) for name, want in others.items())]
            more = {name: new for item, want in wanted if item.str_value != want
                    for name, new in self.lacking(item, want).items()}
            if more.items() <= others.items():
                return None
            others.update(more)
        return None

    def lacking(self, item: Any, value: str = "y") -> dict[str, str]:
        """Return what a symbol or choice waits for that can be set."""
        found: dict[str, str] = {}
        for node in item.nodes:
            for term in split_expr(node.prompt[1], AND) if node.prompt and value == "y" else ():
                if expr_value(term):
                    continue
                if isinstance(term, tuple) and term[0] == OR:
                    term = split_expr(term, OR)[0]
                negated = isinstance(term, tuple) and term[0] == NOT
                term = term[1] if negated else term
                if isinstance(term, Choice):
                    found.update(self.lacking(term))
                elif isinstance(term, Symbol):
                    if not negated and not has_prompt(term):
                        term = self.selector(term)
                    if term and has_prompt(term):
                        found[term.name] = "n" if negated else "y"
        return found

    @staticmethod
    def selector(sym: Symbol) -> Optional[Symbol]:
        """Return an option that selects one without a prompt."""
        for way in split_expr(sym.rev_dep, OR):
            first = split_expr(way, AND)[0]
            if isinstance(first, Symbol) and has_prompt(first):
                return first
        return None

    def near(self, sym: Symbol) -> list[Symbol]:
        """Return the options that may decide whether sym can be set, nearest first."""
        seen = {sym}
        queue = [sym]
        found: list[Symbol] = []
        for item in queue:
            for other in self.deciders(item):
                if other not in seen:
                    seen.add(other)
                    queue.append(other)
                    if has_prompt(other) and (not sym.choice or other.choice is not sym.choice):
                        found.append(other)
        return found

    @staticmethod
    def deciders(sym: Symbol) -> Iterable[Symbol]:
        """Return the options that the value of one depends on directly."""
        exprs: list[Any] = [sym.direct_dep, sym.rev_dep]
        exprs += [node.prompt[1] for node in sym.nodes if node.prompt]
        exprs += [part for default in sym.defaults for part in default]
        if sym.choice:
            exprs += [node.prompt[1] for node in sym.choice.nodes if node.prompt]
        items = {item for expr in exprs for item in expr_items(expr)}
        for item in sorted(items, key=lambda item: item.name or ""):
            members = item.syms if isinstance(item, Choice) else [item]
            yield from (member for member in members if member.nodes)

    def moves(self, sym: Symbol) -> list[str]:
        """Return other values that an option could get so that others can be set."""
        if A_FILE in self.notes.get(sym.name, ()):
            return []
        if sym.orig_type == BOOL:
            if sym.choice:
                return [] if sym.str_value == "y" else ["y"]
            return ["n" if sym.str_value == "y" else "y"]
        if sym.orig_type == STRING:
            return ["" if sym.str_value else SOME_TEXT]
        return []


def load(root: Path = ROOT) -> Model:
    """Return the model of a source tree, as make with this environment sees it."""
    return Model(root)


__all__ = ["A_FILE", "BOOL", "ELF_ONLY", "HEX", "INT", "MACHINE", "Model", "ModelError", "NUMERIC",
           "STRING", "Toggle", "WHICH_MACHINE", "draw", "has_prompt", "load", "settable_bools"]
