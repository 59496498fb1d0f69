# SPDX-License-Identifier: MIT
"""Which configurations a sweep takes, and what it expects of each."""
from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Iterator, Optional

from builds import digest_of, named_configs, parse_config
from model import (A_FILE, ELF_ONLY, MACHINE, STRING, WHICH_MACHINE, Model, ModelError, Toggle,
                   draw, settable_bools)
from sweep_machines import Boot, Machines

# Per cent of the options that are wished for in a random configuration.
PERCENTS = (10, 50, 90)
# What random strings are made of: nothing that a command line would obey.
LETTERS = "abcxyz0123456789-_.+"
LONGEST = 24
# Images are compared without the configuration that they may carry.
NO_CONFIG_INSIDE = "KBUILD_IKCONFIG=/dev/null"


@dataclass
class Case:
    """A configuration to build and boot.

    @text:      the whole .config
    @drawn:     the same with other values for what is the machine's, to be built only
    @words:     more words for make
    @option:    what was toggled, as NAME=VALUE
    @reference: the case whose image must be another one
    @elf_only:  no, the image must be the same, and the ELF file another one
    @moved:     it may be the same, since the kernel is for other machines, which is what the
                option is there for
    """

    name: str
    text: str
    boots: list[Boot] = field(default_factory=list)
    drawn: str = ""
    words: list[str] = field(default_factory=list)
    option: str = ""
    reference: str = ""
    elf_only: bool = False
    moved: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return what the worker gets."""
        return {"name": self.name, "text": self.text, "drawn": self.drawn, "words": self.words,
                "boots": [boot.to_json() for boot in self.boots]}

    def key(self, sources: str) -> str:
        """Return a digest of all that the result depends on."""
        return digest_of(sources, repr(sorted(self.to_json().items())))


class Planner:
    """Makes cases."""

    def __init__(self, model: Model, machines: list[str], harts: list[int]) -> None:
        """@machines: boot on each of these that a kernel is for; on one, in turn, if empty"""
        self.model = model
        self.known = Machines(model)
        self.machines = machines
        self.harts = harts
        self.count = 0
        for machine in machines:
            if machine not in self.known.harts:
                raise ModelError(f"no machine {machine}; there are: {' '.join(self.known.harts)}")

    def boots(self, text: str) -> list[Boot]:
        """Return the boots of a configuration."""
        fitting = self.fitting(text)
        number = self.count
        self.count += 1
        harts = self.harts[number // max(len(fitting), 1) % len(self.harts)]
        if self.machines:
            return [self.known.boot(machine, harts) for machine in self.machines
                    if machine in fitting]
        if not fitting:
            raise ModelError(f"a configuration is for no machine of {self.known.path}")
        boots = [self.known.boot(fitting[number % len(fitting)], harts)]
        if boots[0].cut_off:
            # That one may not show what it printed; another one does.
            boots += [self.known.boot(machine, harts) for machine in fitting[:1]
                      if machine != boots[0].machine]
        return boots

    def case(self, name: str, text: str, **more: Any) -> Case:
        """Return a case for a configuration."""
        return Case(name, text, self.boots(text), **more)

    # -- random -----------------------------------------------------------------------

    def random(self, seed: str, number: int) -> Case:
        """Return the random configuration of a seed and a number."""
        rng = random.Random(f"{seed}/{number}")
        model = self.model
        model.tree.unset_values()
        # First what decides about choices: draw() takes those that can be seen.
        for sym in model.settable():
            if sym.orig_type == STRING and A_FILE not in model.notes.get(sym.name, ()) \
                    and rng.random() < 0.5:
                sym.set_value("".join(rng.choices(LETTERS, k=rng.randint(1, LONGEST))))
        draw(model.tree, rng, rng.choice(PERCENTS), {})
        drawn = model.text()
        wishes = {name: value for name, value in parse_config(drawn).items()
                  if MACHINE not in model.notes.get(name, ())}
        text = model.config_text(wishes)
        return self.case(f"random-{seed}-{number}", text, drawn=drawn if drawn != text else "")

    # -- all --------------------------------------------------------------------------

    def named(self) -> Iterator[tuple[str, str]]:
        """Yield the named configurations, and those that make makes by itself."""
        folder = self.model.root / "configs"
        targets = named_configs([path.name for path in folder.iterdir()])
        for target in sorted(set(targets.values())):
            yield target, self.model.complete((folder / target).read_text(encoding="utf-8"))
        for target, wish in (("allnoconfig", 0), ("allyesconfig", 2), ("alldefconfig", None)):
            self.model.tree.unset_values()
            for sym in settable_bools(self.model.tree) if wish is not None else ():
                sym.set_value(2 if wish or sym.is_allnoconfig_y else 0)
            yield target, self.model.text()

    def all(self) -> Iterator[Case]:
        """Yield the cases of all configurations that have a name."""
        for name, text in self.named():
            yield self.case(name, text)

    # -- each -------------------------------------------------------------------------

    def base(self, name: str) -> str:
        """Return the configuration that a name or a file means, complete."""
        folder = self.model.root / "configs"
        targets = named_configs([path.name for path in folder.iterdir()])
        path = folder / targets[name] if name in targets else Path(name)
        try:
            return self.model.complete(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as err:
            raise ModelError(f"no configuration {name}; there are: "
                             f"{' '.join(sorted(targets))}") from err

    def each(self, base: str, only: list[str]) -> Iterator[Case]:
        """Yield a base and the configurations in which one option is different.

        What an option does is seen against the same configuration without it,
        which is not always the base: other options may have had to change too.
        @only: toggle these options and no other ones, if any are given
        """
        text = self.base(base)
        label = f"each-{Path(base).name}"
        yield self.case(label, text, words=[NO_CONFIG_INSIDE])
        toggles = self.model.toggleable(text)
        for name in only:
            if name not in self.model.by_name:
                raise ModelError(f"OPTION={name}: no such option in Kconfig")
        yield from self.toggled(label, text, [toggle for toggle in toggles
                                              if not only or toggle.name in only])

    def elsewhere(self, names: list[str], texts: dict[str, str]) -> Iterator[Case]:
        """Yield the cases of some options toggled in other configurations, built only."""
        for label, text in texts.items():
            toggles = [toggle for name in names
                       for toggle in self.model.toggles(text, self.model.by_name[name])]
            if toggles:
                yield Case(label, text, words=[NO_CONFIG_INSIDE])
                for case in self.toggled(label, text, toggles):
                    case.boots = []
                    yield case

    def toggled(self, label: str, text: str, toggles: list[Toggle]) -> Iterator[Case]:
        """Yield the cases of a configuration's toggles, and what each is compared with."""
        known = {text: label}
        for toggle in toggles:
            name = f"{label}-{toggle.name}-{toggle.value}"
            beside = self.beside(text, toggle)
            if beside not in known:
                known[beside] = f"{name}-not"
                yield self.each_case(known[beside], beside, toggle)
            case = self.each_case(name, toggle.text, toggle)
            case.option, case.reference = f"{toggle.name}={toggle.value}", known[beside]
            case.moved = (WHICH_MACHINE in self.model.notes.get(toggle.name, ()) and
                          self.fitting(toggle.text) != self.fitting(beside))
            yield case

    def each_case(self, name: str, text: str, toggle: Toggle) -> Case:
        """Return the case of a toggled option; not booted where no machine is like that."""
        return Case(name, text, self.boots(text) if toggle.boots else [],
                    words=[NO_CONFIG_INSIDE],
                    elf_only=ELF_ONLY in self.model.notes.get(toggle.name, ()))

    def fitting(self, text: str) -> list[str]:
        """Return the machines that a configuration is for."""
        self.model.assign(parse_config(text))
        return self.known.fitting()

    def beside(self, base: str, toggle: Toggle) -> str:
        """Return a toggle's configuration with only the toggle undone, or the base."""
        model = self.model
        old = model.wishes(base)
        wishes = model.wishes(toggle.text)
        sym = model.by_name[toggle.name]
        undone: dict[str, str] = {toggle.name: toggle.old or "n"}
        if sym.choice:
            before = [member.name for member in sym.choice.syms if old.get(member.name) == "y"]
            others = [member.name for member in sym.choice.syms if member is not sym]
            undone = {name: "y" for name in (before or others)[:1]}
        model.assign(model.changed(wishes, undone))
        took = all(model.by_name[name].str_value == value for name, value in undone.items())
        text = model.text()
        return text if took and text != toggle.text else base


def shard(cases: list[Case], which: Optional[tuple[int, int]]) -> list[Case]:
    """Return a part of the cases, with those that their images are compared with."""
    if not which:
        return cases
    number, of = which
    chosen = cases[number - 1::of]
    there = {case.name for case in chosen}
    needed = {case.reference for case in chosen if case.reference} - there
    return [case for case in cases if case.name in there or case.name in needed]
