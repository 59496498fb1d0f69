# SPDX-License-Identifier: MIT
"""What the front ends show of prices: the ledger that "make prices" has left."""
import sys
from pathlib import Path
from typing import Any, Dict, List, Optional

from kconfiglib import BOOL, STRING, Symbol

from common import source_path
from explain import NUMERIC, has_prompt
from tree import Tree

# Last: names there may be some of Python's modules.
sys.path.append(str(Path(__file__).resolve().parents[1] / "measure"))

import pricetext  # noqa: E402
from ledger import Ledger, default_folder, keys, nearest  # noqa: E402
from sources import Failure  # noqa: E402


class Tags:
    """Prices of a tree's symbols, from the ledger whose base is nearest to its values."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.settable = [sym for sym in tree.unique_defined_syms if has_prompt(sym)]
        folders = dict.fromkeys(path.resolve() for path in (
            Path("build/prices"), default_folder(), Path(source_path("build/prices"))))
        self.ledger: Optional[Ledger] = nearest(folders, self.values())
        self.stale: List[str] = []
        if self.ledger:
            try:
                self.stale = self.ledger.stale(keys(Path(source_path(".")).resolve()))
            except Failure as err:
                self.stale = [str(err).split(":", maxsplit=1)[0]]

    def values(self) -> Dict[str, str]:
        """Return the values as the configuration file would hold them."""
        return {sym.name: sym.str_value for sym in self.settable if sym.config_string}

    def total(self) -> str:
        """Return the line that says what all costs now."""
        if not self.ledger:
            return f"No prices: {pricetext.HINT}"
        return pricetext.total_text(self.ledger.total(self.values()), self.ledger, self.stale)

    def beside(self, item: Any) -> str:
        """Return the price of giving a symbol its other value."""
        if not self.ledger or not isinstance(item, Symbol) or not item.visibility:
            return ""
        if item.orig_type in NUMERIC:
            return self.numbers(self.ledger, item)
        if item.orig_type != BOOL or item.choice and item.choice.selection is item:
            return ""
        chosen = item.choice.selection.name if item.choice and item.choice.selection else ""
        if not item.choice and len(item.assignable) < 2:
            return ""
        found = self.ledger.switch(self.values(), item.name, "n" if item.tri_value else "y",
                                   chosen)
        return self.tag(*found) if found else self.failed(self.ledger, item)

    def tag(self, figures: Dict[str, int], exact: bool) -> str:
        """Return a price; "~" says that it is an estimate."""
        return ("" if exact and not self.stale else "~") + pricetext.tag(figures)

    def failed(self, ledger: Ledger, sym: Symbol) -> str:
        """Return what is said in place of a price."""
        words = {"not built": "does not build", "not booted": "no boot here",
                 "machine": "machine's"}
        return next((words[entry["status"]] for entry in ledger.by_option.get(sym.name, ())
                     if entry["status"] in words), "")

    def numbers(self, ledger: Ledger, sym: Symbol) -> str:
        """Return the prices of a number's ends."""
        found = []
        for value in [ledger.base.get(sym.name, ""),
                      *(entry["value"] for entry in ledger.by_option.get(sym.name, ()))]:
            if value in ("", sym.str_value):
                continue
            price = ledger.switch(self.values(), sym.name, value)
            if price:
                found.append(f"{value}: {self.tag(*price)}")
        return ", ".join(found)

    def prices(self, sym: Symbol) -> List[str]:
        """Return a symbol's prices alone."""
        entries = self.ledger.by_option.get(sym.name, []) if self.ledger else []
        return [line for entry in entries for line in pricetext.price_lines(entry)]

    def story(self, sym: Symbol) -> List[str]:
        """Return all that is known of a symbol's price."""
        if not self.ledger:
            return [f"not known: {pricetext.HINT}"]
        if not has_prompt(sym) or sym.orig_type == STRING and sym.name not in (
                self.ledger.by_option):
            return ["none: what sets it has one" if not has_prompt(sym) else "none: a text"]
        return pricetext.story(self.ledger, sym.name, self.stale)
