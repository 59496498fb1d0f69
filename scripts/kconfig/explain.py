# SPDX-License-Identifier: MIT
"""Why a symbol has its value, and why it refuses another one."""
from typing import Any, List, Optional, Tuple

import kconfiglib
from kconfiglib import AND, BOOL, HEX, INT, OR, STRING, Choice, Symbol, expr_value, split_expr

from assignments import Assignment

NUMERIC = {INT: 10, HEX: 16}


def shown(item: Any, deep: bool = True) -> str:
    """A symbol with its value, for messages; one without a prompt also with
    what its value comes from."""
    if isinstance(item, Choice):
        return f"{choice_name(item)} (={item.str_value})"
    if item.is_constant:
        return kconfiglib.standard_sc_expr_str(item)
    if not item.nodes:
        number = item.name[:1].isdigit() or item.name.startswith("-")
        return item.name if number else f"{item.name} (undefined)"
    value = f'"{item.str_value}"' if item.orig_type == STRING else item.str_value
    if deep and not has_prompt(item):
        return f"{item.name} (={value}; {origin(item)})"
    return f"{item.name} (={value})"


def expr_text(expr: Any, deep: bool = True) -> str:
    return kconfiglib.expr_str(expr, lambda item: shown(item, deep))


def has_prompt(item: Any) -> bool:
    return any(node.prompt for node in item.nodes)


def choice_name(choice: Choice) -> str:
    prompts = [node.prompt[0] for node in choice.nodes if node.prompt]
    return f'choice "{prompts[0]}"' if prompts else "choice"


def selectors(sym: Symbol) -> List[str]:
    """Who selects a symbol now."""
    return [expr_text(split_expr(term, AND)[0], False) for term in split_expr(sym.rev_dep, OR)
            if expr_value(term)]


def condition(expr: Any) -> str:
    """The " if ..." after a default or a range, with values."""
    always = isinstance(expr, Symbol) and expr is expr.kconfig.y
    return "" if always else f" if {expr_text(expr, False)}"


def origin(sym: Symbol) -> str:
    """What the value of a symbol without a prompt comes from."""
    by = selectors(sym)
    if by:
        return "selected by " + ", ".join(by)
    # The second list says what is written, the first also what follows from
    # where it is written.
    for (_, holds), (value, cond) in zip(sym.defaults, sym.orig_defaults):
        if expr_value(holds):  # the first that applies, also where it is n
            return f"default {expr_text(value, False)}{condition(cond)}"
    if sym.orig_type == BOOL:
        ways = [", ".join(false_terms(term, False)) for term in split_expr(sym.rev_dep, OR)]
        ways += [", ".join(false_terms(holds, False)) for value, holds in sym.defaults
                 if value is not sym.kconfig.n]
        ways = [f"needs {way}" for way in ways if way and way != "n"]
        if ways:
            return " or ".join(ways)
    return "nothing sets it"


def false_terms(expr: Any, deep: bool = True) -> List[str]:
    """Those terms of a conjunction that are n, with values."""
    out: List[str] = []
    for term in split_expr(expr, AND):
        if expr_value(term):
            continue
        texts = unmet(term) if isinstance(term, Choice) else [expr_text(term, deep)]
        out += [text for text in texts if text not in out]
    return out


def unmet(item: Any) -> List[str]:
    """The dependencies that hide a symbol's or choice's prompt."""
    ways = [", ".join(false_terms(node.prompt[1])) for node in item.nodes if node.prompt]
    return [" or ".join(way for way in ways if way)]


def active_range(sym: Symbol) -> Optional[Tuple[int, int, str]]:
    """The bounds of a number that hold now, and their text."""
    base = NUMERIC[sym.orig_type]
    for (low, high, holds), (_, _, cond) in zip(sym.ranges, sym.orig_ranges):
        if expr_value(holds):
            text = f"{low.str_value} to {high.str_value}{condition(cond)}"
            try:
                return int(low.str_value, base), int(high.str_value, base), text
            except ValueError:
                return None
    return None


def took(sym: Symbol, value: str) -> bool:
    """Is this the symbol's value? (A string's value without the quotes.)"""
    if sym.orig_type in NUMERIC and sym.str_value and value:
        base = NUMERIC[sym.orig_type]
        return int(sym.str_value, base) == int(value, base)
    return sym.str_value == value


def refusal(sym: Symbol, value: str) -> str:
    """Why a symbol does not have the value that a file gives it."""
    if sym.orig_type == BOOL and value == "n" and not sym.choice:
        by = selectors(sym)
        if by:
            return "is y, selected by " + ", ".join(by)
    if not has_prompt(sym):
        return f"cannot be set (no prompt); {shown(sym)}"
    if not sym.visibility:
        return "depends on " + unmet(sym)[0]
    if sym.choice:
        name = choice_name(sym.choice)
        chosen = sym.choice.selection
        if value == "y":
            return f"{name} has {shown(chosen)}" if chosen else f"{name} is off"
        others = [s.name for s in sym.choice.syms if s.visibility and s is not sym]
        return f"is the member that {name} falls to; set another one to y: " + ", ".join(others)
    if sym.orig_type in NUMERIC:
        bounds = active_range(sym)
        if bounds:
            return f"out of range ({bounds[2]})"
    return f"does not take; {shown(sym)}"


def why(sym: Symbol, set_by: Optional[Assignment]) -> List[str]:
    """What set a symbol, and why it cannot be set otherwise."""
    out: List[str] = []
    if sym.visibility and sym.user_value is not None and not selectors(sym):
        out.append(f"set by {set_by.where}" if set_by else "set by the user")
    elif not sym.choice:
        out.append(origin(sym))
    if sym.choice and sym.visibility and sym.choice.selection not in (None, sym):
        out.append(f"{choice_name(sym.choice)} has {shown(sym.choice.selection)}")
    if not has_prompt(sym):
        out.append("cannot be set by hand: no prompt")
    elif not sym.visibility:
        out.append("cannot be set: depends on " + unmet(sym)[0])
    elif sym.orig_type == BOOL and not sym.choice and len(sym.assignable) == 1:
        out.append("cannot be switched off while selected")
    return out
