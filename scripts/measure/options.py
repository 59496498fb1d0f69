# SPDX-License-Identifier: MIT
"""Each option's value and what it comes from, as JSON on stdout.

Run by make in place of scripts/kconfig/conf.py, whose place the first argument
names (make KPYTHON="python3 options.py" olddefconfig): so Kconfig's macros see
the very environment that they see in a build. Writes nothing into the tree.
"""
from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.dont_write_bytecode = True
# Only the explanations must be ours; of another revision the Kconfig files are.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "kconfig"))

import kconfiglib  # noqa: E402
from kconfiglib import (AND, BOOL, STRING, TYPE_TO_STR, Choice, Symbol, expr_items,  # noqa: E402
                        expr_value, split_expr)

import explain  # noqa: E402
from assignments import read_config  # noqa: E402
from common import ConfError, config_path  # noqa: E402
from tree import Tree  # noqa: E402


def decided(tree: Tree) -> set[str]:
    """Return the symbols whose values somebody chose: those that are not what
    they would be if nobody had said anything."""
    with tempfile.TemporaryDirectory() as scratch:
        path = os.path.join(scratch, "defconfig")
        tree.write_min_config(path, header="")
        return {item.name for item in read_config(path)[0]}


def reason(sym: Symbol, chosen: set[str]) -> tuple[str, str]:
    """Return how a symbol comes to its value, as a word and as a sentence."""
    by = explain.selectors(sym)
    if by:
        return "selected", "selected by " + ", ".join(by)
    if sym.choice:
        return choice_reason(sym, chosen)
    if explain.has_prompt(sym) and not sym.visibility:
        return "depends", hidden(sym)
    if sym.name in chosen:
        return "set", "set by the user"
    if sym.orig_type == BOOL and explain.has_prompt(sym) and sym.str_value == "n" and not any(
            expr_value(holds) for _, holds in sym.defaults):
        return "default", "default n"
    if sym.orig_type == BOOL and sym.str_value == "n" and not sym.defaults:
        return "default", "nothing selects it"
    return "default", explain.origin(sym)


def hidden(sym: Symbol) -> str:
    """Return what hides a symbol's prompt."""
    return f"depends on {unmet(sym)}"


def unmet(item: Any) -> str:
    """Return the dependencies that a symbol's or choice's prompt lacks, and no more:
    what they in turn come from has a row of its own."""
    ways = []
    for node in item.nodes:
        if node.prompt:
            terms = [term for term in split_expr(node.prompt[1], AND) if not expr_value(term)]
            ways.append(" and ".join(dict.fromkeys(
                unmet(term) if isinstance(term, Choice) else explain.expr_text(term, False)
                for term in terms)))
    return " or ".join(dict.fromkeys(way for way in ways if way))


def choice_reason(sym: Symbol, chosen: set[str]) -> tuple[str, str]:
    """The same for a member of a choice."""
    name = explain.choice_name(sym.choice)
    if not sym.visibility:
        return "depends", hidden(sym)
    picked = sym.choice.selection
    if picked is None:
        return "choice", f"{name} is off"
    kind = "set" if picked.name in chosen else "choice"
    how = "set by the user" if picked.name in chosen else "its default"
    if picked is sym:
        return kind, f"{name}: {how}"
    return kind, f"{name} has {explain.shown(picked, False)}: {how}"


def names_of(sym: Symbol) -> list[str]:
    """Return the symbols that a symbol's value may follow from."""
    found: set[Any] = set(expr_items(sym.direct_dep)) | set(expr_items(sym.rev_dep))
    for value, holds in sym.defaults:
        found |= expr_items(value) | expr_items(holds)
    for low, high, holds in sym.ranges:
        found |= {low, high} | expr_items(holds)
    for node in sym.nodes:
        if node.prompt:
            found |= expr_items(node.prompt[1])
    names = set()
    choices = [item for item in found if isinstance(item, Choice)]
    for choice in choices:
        for node in choice.nodes:
            if node.prompt:
                found |= expr_items(node.prompt[1])
    for item in found:
        members = item.syms if isinstance(item, Choice) else [item]
        names |= {member.name for member in members if member.nodes and member is not sym}
    return sorted(names)


def options(tree: Tree) -> list[dict[str, Any]]:
    """Return all symbols, in the order of the menus."""
    chosen = decided(tree)
    rows = []
    for sym in tree.unique_defined_syms:
        kind, text = reason(sym, chosen)
        value = sym.str_value
        prompts = [node.prompt[0] for node in sym.nodes if node.prompt]
        rows.append({
            "name": sym.name,
            "type": TYPE_TO_STR[sym.orig_type],
            "prompt": prompts[0] if prompts else None,
            "choice": explain.choice_name(sym.choice) if sym.choice else None,
            "value": f'"{kconfiglib.escape(value)}"' if sym.orig_type == STRING else value,
            "because": kind,
            "why": text,
            "from": names_of(sym),
        })
    return rows


def main() -> int:
    """Print the options of the configuration that make names."""
    try:
        tree = Tree()
        tree.load([config_path()], [])
        json.dump(options(tree), sys.stdout)
    except (ConfError, kconfiglib.KconfigError, OSError) as err:
        print(err, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
