# SPDX-License-Identifier: MIT
"""Pairs of options that cost together another sum than their prices.

Prices predict what a configuration costs. Where the configurations of the
sweep's pairwise set, measured, cost something else, some pair in them (or more
than two) is the reason: pairs are ranked by how well they explain what is left
over, and the best are built and booted together with the base. A pair of which
one configuration costs what is predicted is no candidate.
"""
from __future__ import annotations

import itertools
from typing import Any, Iterable, NamedTuple, Optional

from ledger import Entry, Ledger, parts

# What is held against each other. Bytes: without the padding of sections and without the
# embedded configuration, whose compressed size has little to do with any option.
MEASURES = ("bytes", "instructions")
Figures = dict[str, int]


class Pair(NamedTuple):
    """Two prices."""

    one: Entry
    other: Entry

    @property
    def options(self) -> list[list[str]]:
        """Return their options and values."""
        return [[entry["option"], entry["value"]] for entry in self]


def net_bytes(figures: Figures) -> Optional[int]:
    """Return what counts of the bytes of a kernel or a price."""
    names = ("text", "rodata", "data", "bss")
    if not all(name in figures for name in names):
        return None
    return sum(figures[name] for name in names) - figures.get("embedded_config", 0)


def measures(figures: Figures) -> Optional[Figures]:
    """Return what is held against each other; None where something is not known."""
    size = net_bytes(figures)
    if size is None or "instructions" not in figures:
        return None
    return {"bytes": size, "instructions": figures["instructions"]}


def joint(pair: Pair) -> Optional[dict[str, str]]:
    """Return what is different where both are switched; None if they contradict."""
    values: dict[str, str] = {}
    for name, _, new in parts(pair.one) + parts(pair.other):
        if values.setdefault(name, new) != new:
            return None
    return values


def pairs_of(ledger: Ledger) -> list[Pair]:
    """Return all pairs of prices that can be switched together.

    Where one is part of what has to change with the other, there is no pair.
    """
    found = []
    for one, other in itertools.combinations(ledger.priced(), 2):
        names = [{name for name, _, _ in parts(entry)} for entry in (one, other)]
        if one["option"] in names[1] or other["option"] in names[0]:
            continue
        pair = Pair(one, other)
        if joint(pair) is not None:
            found.append(pair)
    return found


class Left(NamedTuple):
    """A measured configuration: what prices do not explain of it, and its pairs."""

    rest: Figures
    taken: set[tuple[str, str]]


def leftovers(ledger: Ledger, measured: Iterable[tuple[dict[str, str], Figures]]) -> list[Left]:
    """Return what prices do not explain of some configurations.

    @measured: values and figures of each
    """
    found = []
    for values, figures in measured:
        total = ledger.total(values)
        predicted, real = measures(total.figures), measures(figures)
        if predicted and real:
            found.append(Left({name: real[name] - predicted[name] for name in MEASURES},
                              set(ledger.differences(values).items())))
    return found


def candidates(pairs: list[Pair], lefts: list[Left]) -> list[Pair]:
    """Return the pairs that may be the reason for what is left over, the likeliest first."""
    scored = []
    for pair in pairs:
        wanted = {(name, value) for name, value in pair.options}
        there = [left for left in lefts if wanted <= left.taken]
        if any(not any(left.rest.values()) for left in there):
            continue
        # Not in the set at all: nothing is known, it comes last.
        score = 0.0
        for name in MEASURES:
            spread = sum(abs(left.rest[name]) for left in lefts) or 1
            rest = [left.rest[name] for left in there]
            # One that always comes with the same rest explains it best.
            score += (abs(sum(rest)) / spread - 0.5 * (max(rest) - min(rest)) / spread
                      if rest else 0.0)
        scored.append((score, pair))
    scored.sort(key=lambda item: -item[0])
    return [pair for _, pair in scored]


def extra(base: Figures, pair: Pair, together: Figures) -> Optional[Figures]:
    """Return what a pair costs besides the sum of its prices; figures that are not 0."""
    real, first = measures(together), measures(base)
    one, other = measures(pair.one["figures"]), measures(pair.other["figures"])
    if not (real and first and one and other):
        return None
    if not any(real[name] - first[name] - one[name] - other[name] for name in MEASURES):
        return {}
    found = {name: together[name] - base[name] - pair.one["figures"].get(name, 0)
             - pair.other["figures"].get(name, 0)
             for name in together if name in base}
    found["bytes"] = real["bytes"] - first["bytes"] - one["bytes"] - other["bytes"]
    return {name: amount for name, amount in found.items() if amount}


def found_in(ledger: Ledger,
             examined: Iterable[tuple[Pair, Optional[Figures]]]) -> list[dict[str, Any]]:
    """Return the interactions among pairs, the greatest first.

    @examined: pairs with what both cost together; None if that cannot be
    """
    found = []
    for pair, figures in examined:
        more = extra(ledger.data["base"]["figures"], pair, figures) if figures else None
        if more:
            found.append({"options": pair.options, "extra": more})
    found.sort(key=lambda row: (-abs(row["extra"].get("bytes", 0)),
                                -abs(row["extra"].get("instructions", 0))))
    return found
