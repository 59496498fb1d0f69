# SPDX-License-Identifier: MIT
"""As few configurations as hold every pair of values that two options can have.

The Kconfig files become formulas for z3: an option's value is the user's wish
where its prompt is visible, else its default, and at least what selects it. A
configuration is built option by option, each with the value that brings most new
pairs and still leaves a solution. A pair that no configuration has is proven by z3
to have none. Each solution goes through kconfiglib and must come out as it went
in: else the formulas are wrong, which is an error.
"""
from __future__ import annotations

import json
import random
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Optional

import z3
from kconfiglib import (AND, BOOL, EQUAL, GREATER, GREATER_EQUAL, LESS, LESS_EQUAL, NOT, OR, STRING,
                        UNEQUAL, Choice, Symbol)

from builds import digest_of, parse_config
from model import A_FILE, NUMERIC, SOME_TEXT, Model, ModelError, has_prompt

# Attempts at each configuration, of which the best is taken.
TRIES = 4
NUMBERS = {LESS: lambda a, b: a < b, LESS_EQUAL: lambda a, b: a <= b,
           GREATER: lambda a, b: a > b, GREATER_EQUAL: lambda a, b: a >= b}


class Formulas:
    """A model's Kconfig files as formulas.

    @solver:  holds what is true of every configuration
    @bools:   the options' values
    @numbers: values of the numbers that expressions compare
    @texts:   and of the strings: which of the texts that they are compared with, or another
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.solver = z3.SimpleSolver()
        self.bools = {sym.name: z3.Bool(sym.name) for sym in model.symbols
                      if sym.orig_type == BOOL}
        self.numbers: dict[str, Any] = {}
        self.texts: dict[str, Any] = {}
        self.known_texts: dict[str, list[str]] = {}
        for sym in model.symbols:
            if sym.orig_type == BOOL and not sym.choice:
                self.solver.add(self.bools[sym.name] == self.value(sym))
        for choice in model.choices:
            self.add_choice(choice)
        # More of them may turn up in the defaults of those.
        done: set[str] = set()
        while done != {*self.numbers, *self.texts}:
            for name in sorted({*self.numbers, *self.texts} - done):
                self.add_compared(model.by_name[name])
                done.add(name)

    def expr(self, expr: Any) -> Any:
        """Return an expression as a formula."""
        if isinstance(expr, Choice):
            return self.visible(expr)
        if isinstance(expr, Symbol):
            if expr is self.model.tree.y:
                return z3.BoolVal(True)
            return self.bools.get(expr.name, z3.BoolVal(False)) if not expr.is_constant else (
                z3.BoolVal(False))
        if expr[0] == AND:
            return z3.And(self.expr(expr[1]), self.expr(expr[2]))
        if expr[0] == OR:
            return z3.Or(self.expr(expr[1]), self.expr(expr[2]))
        if expr[0] == NOT:
            return z3.Not(self.expr(expr[1]))
        return self.compare(*expr)

    def compare(self, relation: int, left: Symbol, right: Symbol) -> Any:
        """Return a comparison as a formula."""
        kinds = {side.orig_type for side in (left, right)
                 if not side.is_constant and side.nodes}
        if kinds and kinds <= {BOOL}:
            one, other = self.expr(left), self.expr(right)
        elif kinds and kinds <= set(NUMERIC):
            one, other = self.number(left), self.number(right)
        elif kinds == {STRING} and left.is_constant != right.is_constant:
            if left.is_constant:
                left, right = right, left
            one, other = self.text(left), self.place(left, right.str_value)
        else:
            raise ModelError(f"pairwise: cannot compare {left.name} with {right.name}")
        if relation in (EQUAL, UNEQUAL):
            return one == other if relation == EQUAL else one != other
        if not kinds <= set(NUMERIC):
            raise ModelError(f"pairwise: {left.name} and {right.name} have no order")
        return NUMBERS[relation](one, other)

    def number(self, sym: Symbol) -> Any:
        """Return a number's formula."""
        if sym.is_constant or not sym.nodes:
            return z3.IntVal(int(sym.str_value, 0))
        return self.numbers.setdefault(sym.name, z3.Int(sym.name))

    def text(self, sym: Symbol) -> Any:
        """Return a string's formula."""
        return self.texts.setdefault(sym.name, z3.Int(sym.name))

    def place(self, sym: Symbol, text: str) -> int:
        """Return the number that stands for a text as a string's value."""
        known = self.known_texts.setdefault(sym.name, [])
        if text not in known:
            known.append(text)
        return known.index(text)

    def visible(self, item: Any) -> Any:
        """Return whether an option's or a choice's prompt is there."""
        return z3.Or([self.expr(node.prompt[1]) for node in item.nodes if node.prompt])

    def default(self, sym: Symbol, value_of: Any, otherwise: Any) -> Any:
        """Return the first default that applies."""
        result = otherwise
        for value, holds in reversed(sym.defaults):
            result = z3.If(self.expr(holds), value_of(value), result)
        return result

    def value(self, sym: Symbol) -> Any:
        """Return the value of a bool that is in no choice, as a formula."""
        implied = z3.And(self.expr(sym.weak_rev_dep), self.expr(sym.direct_dep))
        unseen = z3.Or(self.default(sym, self.expr, z3.BoolVal(False)), implied)
        wish = z3.Bool(f"wish {sym.name}")
        return z3.Or(z3.If(self.visible(sym), wish, unseen) if has_prompt(sym) else unseen,
                     self.expr(sym.rev_dep))

    def add_choice(self, choice: Choice) -> None:
        """One of the members that can be seen has the value y."""
        members = [self.bools[sym.name] for sym in choice.syms]
        seen = []
        for sym, member in zip(choice.syms, members):
            seen.append(self.visible(sym))
            self.solver.add(z3.Implies(member, seen[-1]))
            if sym.rev_dep is not self.model.tree.n:
                raise ModelError(f"pairwise: a member of a choice is selected: {sym.name}")
        if len(members) > 1:
            self.solver.add(z3.AtMost(*members, 1))
        if not choice.is_optional:
            self.solver.add(z3.Implies(z3.And(self.visible(choice), z3.Or(seen)), z3.Or(members)))

    def add_compared(self, sym: Symbol) -> None:
        """Say what a number or a string can be."""
        visible = self.visible(sym) if has_prompt(sym) else z3.BoolVal(False)
        if sym.orig_type == STRING:
            default = self.default(sym, lambda value: z3.IntVal(self.place(sym, value.str_value)),
                                   z3.IntVal(self.place(sym, "")))
            value = self.texts[sym.name]
            # One more than the known texts: any other one.
            self.solver.add(value >= 0, value <= len(self.known_texts[sym.name]))
            fixed = A_FILE in self.model.notes.get(sym.name, ())
            self.solver.add(value == default if fixed else
                            z3.Implies(z3.Not(visible), value == default))
            return
        value = self.numbers[sym.name]
        bounds = z3.BoolVal(True)
        for low, high, holds in reversed(sym.ranges):
            bounds = z3.If(self.expr(holds), z3.And(value >= self.number(low),
                                                    value <= self.number(high)), bounds)
        self.solver.add(z3.Implies(visible, bounds))
        self.solver.add(z3.Implies(z3.Not(visible), value == self.default(
            sym, self.number, z3.IntVal(0))))

    def wishes(self, solution: z3.ModelRef) -> dict[str, str]:
        """Return what a user would set to get a solution."""
        wishes: dict[str, str] = {}
        for name, var in self.bools.items():
            wishes[name] = "y" if z3.is_true(solution.eval(var, True)) else "n"
        for name, var in self.numbers.items():
            number = solution.eval(var, True).as_long()
            hexadecimal = NUMERIC[self.model.by_name[name].orig_type] == 16
            wishes[name] = hex(number) if hexadecimal else str(number)
        for name, var in self.texts.items():
            number = solution.eval(var, True).as_long()
            known = self.known_texts[name]
            wishes[name] = known[number] if number < len(known) else SOME_TEXT
        return wishes


@dataclass
class Pairwise:
    """A pairwise set, and what z3 knows of the pairs.

    @options:    the options whose pairs count
    @feasible:   how many pairs of values there are in some configuration
    @infeasible: how many are proven to be in none
    @seconds:    how long it took to find
    """

    options: list[str]
    texts: list[str]
    feasible: int
    infeasible: int
    seconds: float


@dataclass
class Coverage:
    """How many pairs some configurations really hold."""

    configurations: int
    options: int
    covered: int
    feasible: int
    infeasible: int

    def text(self) -> str:
        """Return that as a line."""
        percent = 100 * self.covered / self.feasible if self.feasible else 100.0
        return (f"{self.configurations} configurations hold {self.covered} of {self.feasible} "
                f"feasible pairs of {self.options} options' values ({percent:.2f} %); "
                f"{self.infeasible} pairs are proven infeasible")


class Finder:
    """Finds a set. Literal 2*i is "option i is n", 2*i+1 is "y"."""

    def __init__(self, model: Model, seed: str) -> None:
        self.model = model
        self.formulas = Formulas(model)
        self.solver = self.formulas.solver
        self.rng = random.Random(seed)
        self.options = sorted(self.formulas.bools)
        self.literals: list[Any] = []
        for name in self.options:
            var = self.formulas.bools[name]
            self.literals += [z3.Not(var), var]
        count = len(self.literals)
        # Bit m of uncovered[n]: a configuration with both literals is still wanted.
        self.uncovered = [((1 << count) - 1) & ~(3 << (n & ~1)) for n in range(count)]
        self.infeasible = 0
        self.feasible = 0

    def pairs_left(self) -> int:
        """Return how many pairs are wanted."""
        return sum(row.bit_count() for row in self.uncovered) // 2

    def drop(self, one: int, other: int) -> None:
        """A pair is wanted no longer."""
        self.uncovered[one] &= ~(1 << other)
        self.uncovered[other] &= ~(1 << one)

    def possible(self, *literals: int) -> bool:
        """Ask z3 whether literals go together, besides what is pushed."""
        answer = self.solver.check(*(self.literals[n] for n in literals))
        if answer == z3.unknown:
            raise ModelError(f"pairwise: z3 gives up: {self.solver.reason_unknown()}")
        return answer == z3.sat

    def drop_impossible(self) -> None:
        """Prove which pairs no configuration has; a solution proves many possible."""
        count = len(self.literals)
        proven = [0] * count
        for one in range(count):
            for other in range(one + 1, count):
                if not self.uncovered[one] >> other & 1 or proven[one] >> other & 1:
                    continue
                if self.possible(one, other):
                    mask = self.mask(self.solver.model())
                    for n in range(count):
                        if mask >> n & 1:
                            proven[n] |= mask
                else:
                    self.drop(one, other)
                    self.infeasible += 1
        self.feasible = self.pairs_left()

    def mask(self, solution: z3.ModelRef) -> int:
        """Return a solution's literals as bits."""
        mask = 0
        for number, name in enumerate(self.options):
            on = z3.is_true(solution.eval(self.formulas.bools[name], True))
            mask |= 1 << (2 * number + on)
        return mask

    def first_pair(self) -> tuple[int, int]:
        """Return a wanted pair with as much as possible around it."""
        sizes = [row.bit_count() for row in self.uncovered]
        most = max(sizes)
        one = self.rng.choice([n for n, size in enumerate(sizes) if size == most])
        others = [n for n in range(len(sizes)) if self.uncovered[one] >> n & 1]
        return one, max(others, key=lambda n: (sizes[n], self.rng.random()))

    def build(self) -> tuple[int, z3.ModelRef]:
        """Return one configuration that holds many wanted pairs."""
        one, other = self.first_pair()
        self.solver.push()
        try:
            self.solver.add(self.literals[one], self.literals[other])
            if not self.possible():
                raise ModelError("pairwise: z3 contradicts itself")
            solution = self.solver.model()
            mask = self.mask(solution)
            fixed = 1 << one | 1 << other
            free = {n // 2 for n in range(len(self.literals))} - {one // 2, other // 2}
            while free:
                best = self.best(free, fixed)
                free.discard(best // 2)
                if not mask >> best & 1:
                    if self.possible(best):
                        solution = self.solver.model()
                        mask = self.mask(solution)
                    else:
                        best ^= 1
                self.solver.add(self.literals[best])
                fixed |= 1 << best
            return mask, solution
        finally:
            self.solver.pop()

    def best(self, free: set[int], fixed: int) -> int:
        """Return the literal that brings most new pairs with those that are fixed."""
        def gain(literal: int) -> tuple[int, int, float]:
            row = self.uncovered[literal]
            return (row & fixed).bit_count(), row.bit_count(), self.rng.random()
        return max((2 * n + on for n in sorted(free) for on in (0, 1)), key=gain)

    def gain(self, mask: int) -> int:
        """Return how many wanted pairs a configuration holds."""
        return sum((row & mask).bit_count() for n, row in enumerate(self.uncovered)
                   if mask >> n & 1) // 2

    def take(self, mask: int) -> None:
        """The pairs of a configuration are wanted no longer."""
        for n in range(len(self.uncovered)):
            if mask >> n & 1:
                self.uncovered[n] &= ~mask

    def text(self, solution: z3.ModelRef) -> str:
        """Return a solution as a configuration; kconfiglib must agree with it."""
        wishes = self.formulas.wishes(solution)
        text = self.model.config_text(wishes)
        for name in self.options:
            if self.model.by_name[name].str_value != wishes[name]:
                raise ModelError(f"pairwise: {name} is {wishes[name]} for z3 and "
                                 f"{self.model.by_name[name].str_value} for kconfiglib")
        return text

    def find(self) -> Pairwise:
        """Return the set."""
        start = time.monotonic()
        self.drop_impossible()
        texts: list[str] = []
        while self.pairs_left():
            mask, solution = max((self.build() for _ in range(TRIES)),
                                 key=lambda found: self.gain(found[0]))
            texts.append(self.text(solution))
            self.take(mask)
        return Pairwise(self.options, texts, self.feasible, self.infeasible,
                        round(time.monotonic() - start, 3))


def find(model: Model, seed: str = "1", store: Optional[Path] = None) -> Pairwise:
    """Return the pairwise set of a model.

    @seed:  of what is left to chance
    @store: a folder in which sets are kept, by the Kconfig files and the compiler
    """
    parts = [Path(__file__).read_bytes(), seed.encode(), model.config_text({}).encode()]
    parts += [(model.root / name).read_bytes() for name in model.tree.kconfig_filenames]
    kept = store / f"{digest_of(*parts)}.json" if store else None
    if kept and kept.exists():
        try:
            return Pairwise(**json.loads(kept.read_text(encoding="utf-8")))
        except (ValueError, TypeError):
            pass  # half written
    found = Finder(model, seed).find()
    if kept:
        kept.parent.mkdir(parents=True, exist_ok=True)
        part = kept.with_suffix(".part")
        part.write_text(json.dumps(asdict(found)), encoding="utf-8")
        part.replace(kept)
    return found


def coverage(found: Pairwise, texts: list[str]) -> Coverage:
    """Count the pairs that some configurations hold, from the files themselves."""
    pairs: set[tuple[int, int]] = set()
    for text in texts:
        values = parse_config(text)
        literals = [2 * n + (values.get(name) == "y") for n, name in enumerate(found.options)]
        pairs.update((one, other) for at, one in enumerate(literals) for other in literals[:at])
    return Coverage(len(texts), len(found.options), len(pairs), found.feasible, found.infeasible)


if __name__ == "__main__":
    the_model = Model()
    the_set = find(the_model, *sys.argv[1:2])
    print(the_set.seconds, coverage(the_set, the_set.texts).text())
