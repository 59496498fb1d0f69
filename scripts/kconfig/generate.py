# SPDX-License-Identifier: MIT
"""Configurations that nobody wrote: all*config and randconfig."""
import os
import re
import time
from typing import Any, Dict, List, Tuple

from kconfiglib import INT, Choice, Symbol

from assignments import Assignment, contradictions, merge, read_config
from common import ConfError, say
from explain import NUMERIC, active_range, has_prompt
from fragments import find_fragment
from tree import Tree, settable_bools

DRAWS = 200


def presets(which: str) -> Dict[str, Assignment]:
    """The values that KCONFIG_ALLCONFIG's file presets."""
    setting = os.environ.get("KCONFIG_ALLCONFIG")
    if setting is None:
        return {}
    if setting in ("", "1"):
        found = [name for name in (f"all{which}.config", "all.config") if os.path.isfile(name)]
        if not found:
            raise ConfError(f"*** KCONFIG_ALLCONFIG is set, but there is neither all{which}.config"
                            " nor all.config")
        path = found[0]
    else:
        path = find_fragment(setting)
    items, errors = read_config(path)
    errors += contradictions(items)
    if errors:
        raise ConfError("\n".join(errors))
    say(f"Values of {path} are kept")
    return merge([items])


def preset(tree: Tree, items: Dict[str, Assignment]) -> Dict[str, str]:
    """Assign nothing but these."""
    errors: List[str] = []
    given = tree.assign(items, lambda item: True, errors)
    if errors:
        raise ConfError("\n".join(errors))
    return given


def unkept(tree: Tree, given: Dict[str, str]) -> List[str]:
    return [f"{item.where}: {item.text}: {reason}" for item, _, reason in tree.refused(given)]


def allconfig(tree: Tree, which: str) -> None:
    """allnoconfig, allyesconfig, alldefconfig."""
    given = preset(tree, presets(which))
    if which != "def":
        tree.set_others(given, which == "yes")
    errors = unkept(tree, given)
    if errors:
        raise ConfError("\n".join(errors))
    tree.save()


def random_seed() -> int:
    text = os.environ.get("KCONFIG_SEED", "")
    if not text:
        return time.time_ns() % (1 << 32)
    try:
        return int(text, 0)
    except ValueError:
        raise ConfError(f"*** KCONFIG_SEED={text}: not a number") from None


def yes_percent() -> int:
    """KCONFIG_PROBABILITY in Linux's three forms, as far as bools go."""
    text = os.environ.get("KCONFIG_PROBABILITY", "")
    if not text:
        return 50
    parts = text.split(":")
    if len(parts) > 3 or not all(re.fullmatch(r"[0-9]+", part) for part in parts):
        raise ConfError(f"*** KCONFIG_PROBABILITY={text}: percentages are needed, as N or N:M or"
                        " N:M:L")
    numbers = [int(part) for part in parts]
    split = {1: numbers, 2: [sum(numbers)], 3: [numbers[0], sum(numbers[1:])]}[len(parts)]
    if max(split) > 100:
        raise ConfError(f"*** KCONFIG_PROBABILITY={text}: more than 100 percent")
    return split[0]


def draw(tree: Tree, rng: Any, percent: int, given: Dict[str, str]) -> None:
    """One random configuration.

    Wishes are drawn once, in the order of the Kconfig files; then they are
    applied until nothing changes, because what is visible and which range
    holds depends on other symbols. A bool's wish waits unseen until its
    dependencies hold. What is written is what kconfiglib makes of it, which
    is valid whatever was wished.
    """
    for sym in settable_bools(tree):
        wish = 2 if rng.random() * 100 < percent else 0
        if sym.name not in given:
            sym.set_value(wish)
    orders: List[Tuple[Choice, List[Symbol]]] = []
    for choice in tree.unique_choices:
        order = rng.sample(choice.syms, len(choice.syms))
        on = rng.random() * 100 < percent
        named = [sym for sym in choice.syms if given.get(sym.name) == "y"]
        if choice.is_optional and not named:
            choice.set_value(2 if on else 0)
        excluded = [sym for sym in choice.syms if given.get(sym.name) == "n"]
        if not named:
            orders.append((choice, [sym for sym in order if sym not in excluded]))
    wishes: List[Tuple[Symbol, float, int]] = []
    for sym in tree.unique_defined_syms:
        if sym.orig_type in NUMERIC and has_prompt(sym):
            kind, place = rng.random(), rng.getrandbits(64)
            if sym.name not in given:
                wishes.append((sym, kind, place))

    for _ in range(len(tree.unique_defined_syms) + 2):
        changed = False
        for choice, order in orders:
            pick = next((sym for sym in order if sym.visibility), None)
            if pick and choice.user_selection is not pick:
                pick.set_value(2)
                changed = True
        for sym, kind, place in wishes:
            bounds = active_range(sym)
            if not bounds or bounds[0] > bounds[1]:
                continue
            low, high, _ = bounds
            # The ends are where the mistakes are.
            number = (low if kind < 0.15 else high if kind < 0.3 else
                      low + (place * (high - low + 1) >> 64))
            text = str(number) if sym.orig_type == INT else hex(number)
            if sym.user_value != text:
                sym.set_value(text)
                changed = True
        if not changed:
            break


def randconfig(tree: Tree) -> None:
    import random
    seed, percent = random_seed(), yes_percent()
    print(f"KCONFIG_SEED=0x{seed:X}", flush=True)
    rng = random.Random(seed)
    kept = presets("random")
    reasons: List[str] = []
    for _ in range(DRAWS):
        given = preset(tree, kept)
        draw(tree, rng, percent, given)
        reasons = unkept(tree, given)
        if not reasons:
            tree.save()
            return
    raise ConfError("\n".join(reasons + [
        f"*** In {DRAWS} draws this never held: set what it depends on, too."]))
