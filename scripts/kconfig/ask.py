# SPDX-License-Identifier: MIT
"""config and oldconfig: questions on the terminal, line by line."""
import re
import sys
from typing import Any, Optional, Set

from kconfiglib import BOOL, HEX, MENU, STRING, Choice, MenuNode, Symbol, expr_value

from common import ConfError, config_path, indented, say
from explain import NUMERIC, active_range
from tree import TYPE_WANTS, WELL_FORMED, Tree, set_value


class Asker:
    """Asks for values on the terminal, line by line."""

    def __init__(self, tree: Tree, everything: bool) -> None:
        self.tree = tree
        self.everything = everything
        self.done: Set[Any] = set()
        self.menu: Any = tree.top_node

    def run(self) -> None:
        """Ask until answers make no further question visible."""
        asked = True
        while asked:
            asked = False
            for node in self.tree.node_iter():
                if self.wanted(node):
                    self.done.add(node.item)
                    self.ask(node)
                    asked = True

    def is_new(self, sym: Symbol) -> bool:
        return sym.name not in self.tree.assigned

    def wanted(self, node: MenuNode) -> bool:
        item = node.item
        if item in self.done or not node.prompt or not expr_value(node.prompt[1]):
            return False
        if isinstance(item, Choice):
            options = [sym for sym in item.syms if sym.visibility]
            return len(options) > 1 and (self.everything or any(map(self.is_new, options)))
        if not isinstance(item, Symbol) or item.choice:
            return False
        if item.orig_type == BOOL and len(item.assignable) < 2:
            return False
        return self.everything or self.is_new(item)

    def ask(self, node: MenuNode) -> None:
        menu = node.parent
        while menu.item != MENU:
            menu = menu.parent
        if menu is not self.menu:
            self.menu = menu
            if menu is not self.tree.top_node:
                print(f"*\n* {menu.prompt[0]}\n*")
        question = self.choice if isinstance(node.item, Choice) else self.symbol
        while not question(node):
            pass

    @staticmethod
    def answer(prompt: str, node: MenuNode) -> Optional[str]:
        """One line; None where help was asked for, and given."""
        print(prompt, end=" ", flush=True)
        line = sys.stdin.readline()
        if not line:
            print()
            raise ConfError("*** The input ended before every question was answered, nothing is "
                            "written.\n*** 'make olddefconfig' answers with the defaults.")
        if not sys.stdin.isatty():
            print(line.rstrip("\n"))
        text = line.strip()
        if text == "?":
            print("\n" + indented(node.help or "There is no help text."))
            return None
        return text

    def symbol(self, node: MenuNode) -> bool:
        sym = node.item
        new = " (NEW)" if self.is_new(sym) else ""
        if sym.orig_type == BOOL:
            options = "Y/n/?" if sym.tri_value else "N/y/?"
        else:
            options = sym.str_value
        text = self.answer(f"{node.prompt[0]} ({sym.name}) [{options}]{new}", node)
        if text is None:
            return False
        if text == "":
            set_value(sym, sym.str_value)
            return True
        if sym.orig_type == BOOL:
            text = {"yes": "y", "no": "n"}.get(text.lower(), text.lower())
        elif sym.orig_type == HEX and not text.lower().startswith("0x"):
            text = "0x" + text
        if sym.orig_type != STRING and not WELL_FORMED[sym.orig_type].fullmatch(text):
            print(f"{TYPE_WANTS[sym.orig_type]} is needed")
            return False
        if sym.orig_type in NUMERIC:
            bounds = active_range(sym)
            if bounds and not bounds[0] <= int(text, NUMERIC[sym.orig_type]) <= bounds[1]:
                print(f"out of range ({bounds[2]})")
                return False
        sym.set_value(text)
        return True

    def choice(self, node: MenuNode) -> bool:
        choice = node.item
        options = [sym for sym in choice.syms if sym.visibility]
        print(node.prompt[0])
        for number, sym in enumerate(options, 1):
            mark = ">" if sym is choice.selection else " "
            new = " (NEW)" if self.is_new(sym) else ""
            print(f"{mark} {number}. {sym.nodes[0].prompt[0]} ({sym.name}){new}")
        text = self.answer(f"choice[1-{len(options)}?]:", node)
        if text is None:
            return False
        if text == "":
            pick = choice.selection or options[0]
        elif re.fullmatch(r"[0-9]+", text) and 1 <= int(text) <= len(options):
            pick = options[int(text) - 1]
        else:
            print(f"a number from 1 to {len(options)} is needed")
            return False
        set_value(pick, "y")
        return True


def oldconfig(tree: Tree, everything: bool) -> None:
    if everything:
        say(tree.start())
    else:
        tree.load([config_path()], [])
    Asker(tree, everything).run()
    tree.save()
