# SPDX-License-Identifier: MIT
"""The Kconfig files and the values of their symbols."""
import errno
import os
import re
from typing import Callable, Dict, Iterator, List, Optional, Set, TextIO, Tuple

import kconfiglib
from kconfiglib import BOOL, HEX, INT, STRING, Choice, Symbol

from assignments import SET_LINE, Assignment, contradictions, merge, read_config
from common import ConfError, by_place, config_path, say, source_path, warn, write_atomic
from explain import NUMERIC, has_prompt, refusal, took

WELL_FORMED = {
    BOOL: re.compile(r"[yn]"),
    INT: re.compile(r"-?(?:0|[1-9][0-9]*)"),
    HEX: re.compile(r"(?:0[xX])?[0-9a-fA-F]+"),
    STRING: re.compile(r'"(?:[^"\\]|\\.)*"'),
}
TYPE_WANTS = {BOOL: "y or n", INT: "a decimal number", HEX: "a hexadecimal number",
              STRING: 'a string in double quotes'}


class Tree(kconfiglib.Kconfig):
    """The parsed Kconfig files and the values assigned to their symbols."""

    def __init__(self) -> None:
        # Variables that a macro asked for and the environment did not have.
        self.env_missing: Set[str] = set()
        self.assigned: Dict[str, Assignment] = {}
        super().__init__("Kconfig", warn_to_stderr=False)
        for text in dict.fromkeys(self.warnings):
            warn(text)
        self.parse_warnings = list(self.warnings)
        self.warn = False
        self.config_header = ("#\n# Automatically generated file; DO NOT EDIT.\n"
                              f"# {self.mainmenu_text}\n#\n")

    # What kconfiglib's front ends call, made strict about where files are and
    # atomic.

    def _fn_val(self, args: List[str]) -> str:
        name = args[0]
        if not (name in self.variables or name in self._functions or name in os.environ):
            self.env_missing.add(name)
        return super()._fn_val(args)

    def _open_config(self, filename: str) -> TextIO:
        return open(filename, encoding="utf-8")

    def load_config(self, filename: Optional[str] = None, replace: bool = True,
                    verbose: None = None) -> str:
        """Called by menuconfig and guiconfig: a file of the user's, or none."""
        try:
            if filename is None:
                return self.start()
            self.load([filename], [])
        except ConfError as err:
            raise OSError(errno.EINVAL, str(err), filename) from err
        return f"Loaded {filename}"

    def start(self) -> str:
        """Load the configuration file, or what to begin with if there is none."""
        if os.path.exists(config_path()):
            self.load([config_path()], [])
            return f"Loaded {config_path()}"
        first = source_path("configs/defconfig")
        if os.path.exists(first):
            self.load([], [first])
            return f"No configuration yet: starting from {first}"
        return "No configuration yet: starting from the defaults"

    def write_config(self, filename: Optional[str] = None, header: Optional[str] = None,
                     save_old: bool = True, verbose: None = None) -> str:
        """Write all values; an unchanged file keeps its time."""
        path = filename or config_path()
        text = self._config_contents(header)
        old = None
        if os.path.isfile(path):
            with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
                old = file.read()
        if old == text:
            return f"No change to {path}"
        if old is not None and save_old:
            with open(path + ".old", "w", encoding="utf-8", errors="surrogateescape") as file:
                file.write(old)
        write_atomic(path, text)
        return f"Configuration written to {path}"

    def _write_if_changed(self, filename: str, contents: str) -> bool:
        return write_atomic(filename, contents)

    # auto.conf is read by make, to which $ and # mean something, also inside
    # double quotes.

    def _old_vals_contents(self) -> str:
        text = super()._old_vals_contents().replace("$", "$$")
        return re.sub(r"(\\*)#", lambda match: match[1] * 2 + r"\#", text)

    def _load_old_vals(self, path: str) -> None:
        for sym in self.syms.values():
            sym._old_val = None
        try:
            with open(os.path.join(path, "auto.conf"), encoding="utf-8") as file:
                lines = file.read().splitlines()
        except FileNotFoundError:
            return
        for line in lines:
            match = SET_LINE.fullmatch(line)
            if not match:
                continue
            value = re.sub(r"(\\*)\\#", lambda m: m[1][:len(m[1]) // 2] + "#", match[2])
            value = value.replace("$$", "$")
            sym = self.syms.get(match[1])
            if sym is None or not sym.nodes:
                # Gone from Kconfig: what used it is out of date.
                kconfiglib._touch_dep_file(path, match[1])
            elif sym.orig_type == STRING:
                sym._old_val = kconfiglib.unescape(value[1:-1])
            else:
                sym._old_val = value

    # Assigning values.

    def checked(self, item: Assignment, strict: bool, errors: List[str]) -> Optional[str]:
        """The value to hand to kconfiglib, or None and a message."""
        sym = self.syms.get(item.name)
        problem = ""
        if sym is None or not sym.nodes:
            problem = "no such symbol"
            if strict:
                import difflib
                names = [s.name for s in self.unique_defined_syms]
                near = difflib.get_close_matches(item.name, names, 1)
                problem += f"; did you mean CONFIG_{near[0]}?" if near else " in Kconfig"
        elif item.value in ("", "n") and sym.orig_type != BOOL and not strict:
            # A number without a default, or "is not set" of another type once.
            return None
        elif not WELL_FORMED[sym.orig_type].fullmatch(item.value):
            problem = f"{TYPE_WANTS[sym.orig_type]} is needed"
        if problem:
            self.problem(item, problem, strict, errors)
            return None
        assert sym is not None
        if sym.orig_type == STRING:
            return kconfiglib.unescape(item.value[1:-1])
        if sym.orig_type == HEX and not item.value.lower().startswith("0x"):
            return "0x" + item.value
        return item.value

    @staticmethod
    def problem(item: Assignment, text: str, strict: bool, errors: List[str]) -> None:
        if strict:
            errors.append(f"{item.where}: {item.text}: {text}")
        else:
            warn(f"{item.where}: warning: {item.text}: {text}")

    def assign(self, items: Dict[str, Assignment], strict: Callable[[Assignment], bool],
               errors: List[str]) -> Dict[str, str]:
        """Forget all user values and take these; returns those handed over."""
        self.unset_values()
        self.assigned = items
        given: Dict[str, str] = {}
        for item in items.values():
            value = self.checked(item, strict(item), errors)
            if value is not None:
                given[item.name] = value
                set_value(self.syms[item.name], value)
        return given

    def refused(self, given: Dict[str, str]) -> Iterator[Tuple[Assignment, Symbol, str]]:
        """Those of the given values that did not take."""
        for name, value in given.items():
            sym = self.syms[name]
            if not took(sym, value):
                yield self.assigned[name], sym, refusal(sym, value)

    def load(self, lenient: List[str], strict: List[str], redefined: bool = False,
             rest_no: bool = False) -> None:
        """Take the values of configuration files, later ones over earlier ones.

        @lenient: the user's own files, perhaps made for other Kconfig files:
                  symbols that are gone and values that do not take get a warning.
        @strict: defconfigs and fragments: these are errors.
        @redefined: say which values the strict files replace.
        @rest_no: bools that no file names become n.
        Raises ConfError for malformed files and strict files' errors.
        """
        errors: List[str] = []
        layers: List[List[Assignment]] = []
        for path in lenient + strict:
            found, bad = read_config(path)
            errors += bad
            for text in contradictions(found):
                if path in strict:
                    errors.append(text)
                else:
                    warn(text.replace(": ", ": warning: ", 1))
            if redefined and path in strict:
                old = merge(layers)
                for item in found:
                    was = old.get(item.name)
                    if was and was.value != item.value:
                        say(f"{item.where}: {item.text} (was {was.value})")
            layers.append(found)

        def is_strict(item: Assignment) -> bool:
            return item.path in strict

        given = self.assign(merge(layers), is_strict, errors)
        self.missing_syms = [name for name in self.assigned if name not in self.syms]
        if rest_no:
            self.set_others(given, False)
        for item, sym, reason in self.refused(given):
            if is_strict(item):
                errors.append(f"{item.where}: {item.text}: {reason}")
                continue
            if not has_prompt(sym):
                continue
            chosen = sym.choice.selection if sym.choice else None
            if chosen is sym:
                # "Not set" of what the choice now falls to was no decision.
                continue
            if chosen and chosen.name in self.assigned and is_strict(self.assigned[chosen.name]):
                continue
            warn(f"{item.where}: warning: {item.text}: {reason}")
        for name, value in given.items():
            sym = self.syms[name]
            if sym.orig_type in NUMERIC and sym.visibility and not took(sym, value):
                sym.unset_value()
        if errors:
            raise ConfError("\n".join(sorted(errors, key=by_place)))

    def set_others(self, given: Dict[str, str], yes: bool) -> None:
        """Set all bools but the given ones."""
        for sym in settable_bools(self):
            if sym.name not in given:
                sym.set_value(2 if yes or sym.is_allnoconfig_y else 0)

    # Looking at values.

    def evaluate(self) -> None:
        """Compute all values and report what Kconfig itself gets wrong, such
        as a select of a symbol whose dependencies are not met."""
        self._invalidate_all()
        self.warnings = []
        self.warn = True
        for sym in self.unique_defined_syms:
            sym.str_value
        self.warn = False
        for text in dict.fromkeys(self.warnings):
            warn(text)
        if (self.warnings or self.parse_warnings) and os.environ.get("KCONFIG_WERROR"):
            raise ConfError("*** warnings about the Kconfig files are errors (KCONFIG_WERROR)")

    def new_symbols(self) -> Iterator[Symbol]:
        """Symbols the user could set and the configuration file does not have;
        for a choice without a decision the member it falls to."""
        for node in self.node_iter(unique_syms=True):
            item = node.item
            if isinstance(item, Choice):
                names = [sym.name for sym in item.syms]
                if item.selection and not any(
                        name in self.assigned and self.assigned[name].value == "y"
                        for name in names):
                    yield item.selection
            elif isinstance(item, Symbol) and not item.choice and item.visibility:
                fixed = item.orig_type == BOOL and len(item.assignable) < 2
                if item.name not in self.assigned and not fixed:
                    yield item

    def save(self) -> None:
        self.evaluate()
        say(self.write_config())


def set_value(sym: Symbol, value: str) -> None:
    """Assign; a member of a choice switches an optional choice on."""
    if sym.choice and value == "y":
        sym.choice.set_value(2)
    sym.set_value(value)


def settable_bools(tree: Tree) -> List[Symbol]:
    return [sym for sym in tree.unique_defined_syms
            if sym.orig_type == BOOL and not sym.choice and has_prompt(sym)]
