#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The configuration targets of make, on kconfiglib.

Run by scripts/kconfig/Makefile in the object tree. The environment holds
srctree (where Kconfig and configs/ are), KCONFIG_CONFIG (the configuration
file, .config by default) and whatever the Kconfig files' macros use.

kconfiglib reads the Kconfig files and computes values; reading and writing
configuration files is done here, because kconfiglib's own reader falls back to
the source tree, does not say why a value did not take, and writes in place.
"""
import argparse
import errno
import os
import re
import sys
import time
from pathlib import Path
from typing import (Any, Callable, Dict, Iterable, Iterator, List, NamedTuple, NoReturn, Optional,
                    Set, TextIO, Tuple)

EXIT_ERROR = 1

try:
    import kconfiglib
    from kconfiglib import (AND, BOOL, HEX, INT, MENU, OR, STRING, Choice, MenuNode, Symbol,
                            expr_value, split_expr)
except ImportError:
    sys.exit("*** The configuration targets need kconfiglib, which " + sys.executable +
             " does not have.\n*** Install the package python3-kconfiglib, or run"
             " ./scripts/setup.sh.")

NO_CONFIG = "*** No configuration. Run 'make defconfig' (or 'make menuconfig') first."
NUMERIC = {INT: 10, HEX: 16}
WELL_FORMED = {
    BOOL: re.compile(r"[yn]"),
    INT: re.compile(r"-?(?:0|[1-9][0-9]*)"),
    HEX: re.compile(r"(?:0[xX])?[0-9a-fA-F]+"),
    STRING: re.compile(r'"(?:[^"\\]|\\.)*"'),
}
# What a configuration file may hold at all, whatever the symbol's type is.
ANY_VALUE = re.compile(r'[ymn]|-?[0-9]+|(?:0[xX])?[0-9a-fA-F]+|"(?:[^"\\]|\\.)*"|')
TYPE_WANTS = {BOOL: "y or n", INT: "a decimal number", HEX: "a hexadecimal number",
              STRING: 'a string in double quotes'}
SET_LINE = re.compile(r"CONFIG_([A-Za-z0-9_]+)=(.*)")
UNSET_LINE = re.compile(r"# CONFIG_([A-Za-z0-9_]+) is not set")


class ConfError(Exception):
    """Something the user must put right; its text is the whole message."""


def by_place(text: str) -> Tuple[str, int]:
    """The order of messages that begin with FILE:LINE."""
    match = re.match(r"(.*?):([0-9]+):", text)
    return (match[1], int(match[2])) if match else (text, 0)


class Assignment(NamedTuple):
    """One line of a configuration file."""
    path: str
    line: int
    name: str
    value: str   # as written, "n" for "is not set"

    @property
    def where(self) -> str:
        return f"{self.path}:{self.line}"

    @property
    def text(self) -> str:
        return f"CONFIG_{self.name}={self.value}"


def say(text: str) -> None:
    """Print a message that make -s leaves out."""
    if os.environ.get("quiet") != "silent_":
        print(text)


def warn(text: str) -> None:
    print(text, file=sys.stderr)


def config_path() -> str:
    return os.environ.get("KCONFIG_CONFIG") or ".config"


def source_path(name: str) -> str:
    """The path of a file of the source tree, as short as make writes it."""
    return os.path.normpath(os.path.join(os.environ["srctree"], name))


def write_atomic(path: str, text: str) -> bool:
    """Replace a file by one of this text, or keep it where it has the text.

    A reader sees the old file or the new one. A symbolic link stays one.
    Returns True if the file was written.
    """
    try:
        with open(path, encoding="utf-8", newline="") as old:
            if old.read() == text:
                return False
    except (FileNotFoundError, UnicodeDecodeError):
        pass
    real = os.path.realpath(path)
    if os.path.exists(real) and not os.path.isfile(real):
        with open(real, "w", encoding="utf-8") as device:
            device.write(text)
        return True
    tmp = f"{real}.tmp{os.getpid()}"
    try:
        with open(tmp, "w", encoding="utf-8") as new:
            new.write(text)
        os.replace(tmp, real)
    except BaseException:
        if os.path.exists(tmp):
            os.unlink(tmp)
        raise
    return True


# -- reading configuration files ---------------------------------------------

def read_config(path: str) -> Tuple[List[Assignment], List[str]]:
    """Read a configuration file: its assignments, and what is malformed."""
    found: List[Assignment] = []
    bad: List[str] = []
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.read().split("\n")
    except UnicodeDecodeError as err:
        raise ConfError(f"{path}: not a configuration file: {err}") from err
    except OSError as err:
        raise ConfError(f"{path}: {err.strerror}") from err
    for number, line in enumerate(lines, 1):
        line = line.rstrip()
        match = SET_LINE.fullmatch(line)
        unset = UNSET_LINE.fullmatch(line)
        if match and ANY_VALUE.fullmatch(match[2]):
            found.append(Assignment(path, number, match[1], match[2]))
        elif unset:
            found.append(Assignment(path, number, unset[1], "n"))
        elif match:
            hint = "a string needs double quotes" if '"' not in match[2] else "malformed string"
            bad.append(f"{path}:{number}: {line}: malformed value ({hint})")
        elif line and not line.startswith("#"):
            bad.append(f"{path}:{number}: {line}: malformed line (neither CONFIG_NAME=value "
                       "nor a comment)")
    return found, bad


def merge(layers: Iterable[Iterable[Assignment]]) -> Dict[str, Assignment]:
    """Later assignments replace earlier ones and take the later place, which
    is what decides between two members of a choice."""
    merged: Dict[str, Assignment] = {}
    for layer in layers:
        for item in layer:
            merged.pop(item.name, None)
            merged[item.name] = item
    return merged


def contradictions(items: Iterable[Assignment]) -> Iterator[str]:
    """Symbols that one file sets to two different values."""
    first: Dict[str, Assignment] = {}
    for item in items:
        other = first.setdefault(item.name, item)
        if other.value != item.value:
            yield (f"{item.where}: {item.text}: contradicts {other.text} on line {other.line} "
                   "of the same file")


# -- why a value is what it is -------------------------------------------------

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
    elif sym.choice:
        if sym.visibility and sym.choice.selection is not sym and sym.choice.selection:
            out.append(f"{choice_name(sym.choice)} has {shown(sym.choice.selection)}")
    else:
        out.append(origin(sym))
    if not has_prompt(sym):
        out.append("cannot be set by hand: no prompt")
    elif not sym.visibility:
        out.append("cannot be set: depends on " + unmet(sym)[0])
    elif sym.orig_type == BOOL and not sym.choice and len(sym.assignable) == 1:
        out.append("cannot be switched off while selected")
    return out


# -- the Kconfig tree ------------------------------------------------------------

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


def need_config() -> None:
    if not os.path.exists(config_path()):
        raise ConfError(NO_CONFIG)


# -- the targets --------------------------------------------------------------------

def syncconfig(tree: Tree) -> None:
    """Make .config complete, and from it what the build reads."""
    tree.load([config_path()], [])
    new = list(tree.new_symbols())
    if new:
        warn(f"{config_path()} lacks symbols that Kconfig has; they take their defaults:")
    for sym in new:
        warn(f"  new symbol {sym.name} (={sym.str_value})")
    tree.evaluate()
    tree.write_config()

    os.makedirs("include/config", exist_ok=True)
    os.makedirs("include/generated", exist_ok=True)
    write_atomic("include/config/auto.conf.cmd", auto_conf_cmd(tree))
    tree.write_autoconf("include/generated/autoconf.h")
    # Last: its time says that all of this is up to date.
    tree.sync_deps("include/config")
    os.utime("include/config/auto.conf")


def make_quote(value: str) -> str:
    """A value as the right side of a make assignment."""
    value = re.sub(r"(\\*)#", lambda match: match[1] * 2 + r"\#", value.replace("$", "$$"))
    if value.endswith("\\"):
        value += "$(kconfig-none)"
    # make strips leading blanks.
    return "$(kconfig-none)" + value if value[:1].isspace() else value


def auto_conf_cmd(tree: Tree) -> str:
    """What auto.conf depends on, as a makefile: Kconfig files, which may also
    vanish, and environment variables their macros use."""
    files = [source_path(name) for name in dict.fromkeys(tree.kconfig_filenames)]
    out = ["# Automatically generated: what include/config/auto.conf depends on.\n",
           "deps_config := \\\n", *(f"\t{name} \\\n" for name in files), "\n",
           "include/config/auto.conf: $(deps_config)\n", "$(deps_config): ;\n",
           # make passes variables of its environment on unexpanded.
           "kconfig-env = $(if $(filter environment,$(origin $(1))),$(value $(1)),$($(1)))\n"]
    for name in sorted(tree.env_vars):
        value = os.environ[name]
        if "\n" not in value:
            out.append(f"\nkconfig-env-{name} := {make_quote(value)}\n"
                       f"ifneq ($(call kconfig-env,{name}),$(kconfig-env-{name}))\n"
                       "include/config/auto.conf: FORCE\nendif\n")
    for name in sorted(tree.env_missing):
        # Only these two origins reach us through the environment.
        if re.fullmatch(r"[A-Za-z_]\w*", name):
            out.append(f"\nifneq ($(filter command environment,$(origin {name})),)\n"
                       "include/config/auto.conf: FORCE\nendif\n")
    return "".join(out)


def olddefconfig(tree: Tree) -> None:
    tree.load([config_path()], [])
    tree.save()


def named_defconfig(tree: Tree, name: str) -> None:
    path = source_path(f"configs/{name}")
    if not os.path.isfile(path):
        there = sorted(p.name for p in Path(source_path("configs")).glob("*defconfig"))
        raise ConfError(f"*** There is no {path}. There are: {' '.join(there) or 'none'}")
    tree.load([], [path])
    tree.save()


def find_fragment(name: str) -> str:
    """A fragment of configs/, or a path; relative ones are also sought in the
    source tree, because make may have changed to the object tree."""
    tried = [source_path(f"configs/{name}"), name, source_path(name)]
    for path in tried:
        if os.path.isfile(path):
            return path
    there = sorted(p.name for p in Path(source_path("configs")).glob("*.config"))
    raise ConfError(f"*** There is no fragment {name}. configs/ has: {' '.join(there) or 'none'}")


def fragment(tree: Tree, name: str) -> None:
    tree.load([config_path()], [find_fragment(name)], redefined=True)
    tree.save()


def mergeconfig(tree: Tree) -> None:
    """For merge_config.sh: the first file of KCONFIG_MERGE (separated by
    newlines) is the base, the others are fragments."""
    paths = os.environ.get("KCONFIG_MERGE", "").split("\n")
    options = os.environ.get("KCONFIG_MERGE_OPTIONS", "").split()
    check_redefinitions(paths, options)
    tree.load(paths[:1], paths[1:], rest_no="allnoconfig" in options)
    tree.save()


def check_redefinitions(paths: List[str], options: List[str]) -> None:
    seen: Dict[str, Assignment] = {}
    strict: List[str] = []
    for path in paths:
        found, bad = read_config(path)
        if bad:
            raise ConfError("\n".join(bad))
        for item in found:
            old = seen.get(item.name)
            if old and old.path != path:
                text = f"{item.where}: {item.text} replaces {old.text} of {old.where}"
                if old.value != item.value:
                    strict.append(text)
                    if "quiet" not in options:
                        print(text)
                elif "redundant" in options:
                    print(f"{item.where}: {item.text} repeats {old.where}")
            seen[item.name] = item
    if strict and "strict" in options:
        raise ConfError("\n".join(["*** A fragment redefines a value:"] + strict))


def mergetext() -> None:
    """merge_config.sh -m: lay the files over each other without Kconfig."""
    paths = os.environ.get("KCONFIG_MERGE", "").split("\n")
    check_redefinitions(paths, os.environ.get("KCONFIG_MERGE_OPTIONS", "").split())
    merged = merge(read_config(path)[0] for path in paths)
    write_atomic(config_path(), "".join(
        f"# CONFIG_{item.name} is not set\n" if item.value == "n" else item.text + "\n"
        for item in merged.values()))
    say(f"Merged into {config_path()}, unchecked: run 'make olddefconfig' to complete it")


def savedefconfig(tree: Tree) -> None:
    tree.load([config_path()], [])
    tree.evaluate()
    say(tree.write_min_config("defconfig", header=""))


def listnewconfig(tree: Tree, with_help: bool) -> None:
    tree.load([config_path()], [])
    for sym in tree.new_symbols():
        print(sym.config_string, end="")
        if with_help:
            print(indented(next((n.help for n in sym.nodes if n.help), "No help text.")))


def indented(text: str) -> str:
    return "".join(f"  {line}".rstrip() + "\n" for line in text.strip().split("\n"))


def whyconfig(tree: Tree) -> None:
    """make whyconfig SYMBOL="A B": what set them, why they cannot be set."""
    names = os.environ.get("SYMBOL", "").split()
    if not names:
        raise ConfError('*** Name the symbols: make whyconfig SYMBOL="NAME ..."')
    tree.load([config_path()], [])
    for name in names:
        name = name[len("CONFIG_"):] if name.startswith("CONFIG_") else name
        sym = tree.syms.get(name)
        if sym is None or not sym.nodes:
            raise ConfError(f"*** {name}: no such symbol in Kconfig")
        places = ", ".join(f"{node.filename}:{node.linenr}" for node in sym.nodes)
        print(f"{shown(sym, False)}, defined at {places}")
        print(indented("\n".join(why(sym, tree.assigned.get(name)))), end="")


def settable_bools(tree: Tree) -> List[Symbol]:
    return [sym for sym in tree.unique_defined_syms
            if sym.orig_type == BOOL and not sym.choice and has_prompt(sym)]


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


# -- random configurations --------------------------------------------------------

DRAWS = 200


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


# -- asking ------------------------------------------------------------------------

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


# -- full screen ---------------------------------------------------------------------

def explain_in(module: Any, tree: Tree) -> None:
    """Have a front end's information screen say why a symbol is what it is."""
    plain = getattr(module, "_info_str", None)
    if plain is None:
        return

    def info(node: MenuNode) -> str:
        text = plain(node)
        if not isinstance(node.item, Symbol):
            return text
        # Values change while the front end runs: no file and line here.
        return text + "\n\nWhy this value:\n\n" + indented("\n".join(why(node.item, None)))

    module._info_str = info


def front_end(tree: Tree, name: str) -> None:
    """menuconfig or guiconfig, kconfiglib's own programs."""
    if name == "menuconfig":
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise ConfError("*** menuconfig needs a terminal; 'make oldconfig' asks line by line.")
        import curses
        import menuconfig as module
        failures: Tuple[type, ...] = (curses.error,)
    else:
        try:
            import tkinter
            import guiconfig as module
        except ImportError as err:
            raise ConfError(f"*** guiconfig needs tkinter ({err}): install the package python3-tk,"
                            " or use 'make menuconfig'.") from err
        failures = (tkinter.TclError,)
    explain_in(module, tree)
    # The program loads it again, but where nobody sees messages.
    tree.start()
    # The program takes a file name that it shows from the environment.
    os.environ["KCONFIG_CONFIG"] = config_path()
    saved, sys.stderr = sys.stderr, open(os.devnull, "w", encoding="utf-8")
    try:
        module.menuconfig(tree)
    except failures as err:
        raise ConfError(f"*** {name} cannot use this terminal or display: {err}") from err
    finally:
        sys.stderr.close()
        sys.stderr = saved


# -- command line ----------------------------------------------------------------------

TARGETS: Dict[str, Tuple[str, Callable[[Tree], None]]] = {
    "defconfig": ("configs/defconfig", lambda tree: named_defconfig(tree, "defconfig")),
    "menuconfig": ("full-screen menus on the terminal",
                   lambda tree: front_end(tree, "menuconfig")),
    "nconfig": ("menuconfig", lambda tree: front_end(tree, "menuconfig")),
    "guiconfig": ("menus in a window", lambda tree: front_end(tree, "guiconfig")),
    "xconfig": ("guiconfig", lambda tree: front_end(tree, "guiconfig")),
    "config": ("ask for every value, line by line", lambda tree: oldconfig(tree, True)),
    "oldconfig": ("keep .config, ask for new symbols", lambda tree: oldconfig(tree, False)),
    "olddefconfig": ("keep .config, new symbols get defaults", olddefconfig),
    "syncconfig": ("update .config and what the build reads (make does it)", syncconfig),
    "savedefconfig": ("write the values that are not defaults to ./defconfig", savedefconfig),
    "listnewconfig": ("list symbols that .config lacks",
                      lambda tree: listnewconfig(tree, False)),
    "helpnewconfig": ("the same with help texts", lambda tree: listnewconfig(tree, True)),
    "whyconfig": ("what set SYMBOL= and why it cannot be set", whyconfig),
    "allnoconfig": ("n wherever possible", lambda tree: allconfig(tree, "no")),
    "allyesconfig": ("y wherever possible", lambda tree: allconfig(tree, "yes")),
    "alldefconfig": ("Kconfig's defaults", lambda tree: allconfig(tree, "def")),
    "randconfig": ("a random valid configuration", randconfig),
    "mergeconfig": ("used by scripts/merge_config.sh", mergeconfig),
}

NEED_CONFIG = ("syncconfig", "oldconfig", "olddefconfig", "savedefconfig", "listnewconfig",
               "helpnewconfig", "whyconfig")


def run(target: str) -> None:
    if target == "mergetext":
        mergetext()
        return
    if target in TARGETS:
        action = TARGETS[target][1]
    elif target.endswith("_defconfig"):
        def action(tree: Tree) -> None:
            named_defconfig(tree, target)
    elif target.endswith(".config"):
        def action(tree: Tree) -> None:
            fragment(tree, target)
    else:
        raise ConfError(f"*** There is no configuration target {target}. There are:\n" +
                        "\n".join(f"  {name:15} {text}" for name, (text, _) in TARGETS.items()) +
                        "\n  NAME_defconfig  configs/NAME_defconfig"
                        "\n  NAME.config     the fragment configs/NAME.config over .config")
    # Settings of kconfiglib that would change what files mean.
    for name in ("CONFIG_", "KCONFIG_CONFIG_HEADER", "KCONFIG_AUTOHEADER_HEADER",
                 "KCONFIG_FUNCTIONS"):
        os.environ.pop(name, None)
    if target in NEED_CONFIG or target.endswith(".config"):
        need_config()
    action(Tree())


def fail(text: str) -> NoReturn:
    sys.stdout.flush()
    warn(text)
    sys.exit(EXIT_ERROR)


def main() -> None:
    parser = argparse.ArgumentParser(
        description="A configuration target of make, in the current (object) tree.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="targets:\n" + "\n".join(f"  {name:15} {text}"
                                        for name, (text, _) in TARGETS.items()))
    parser.add_argument("target", help="a target below, NAME_defconfig or NAME.config")
    args = parser.parse_args()
    os.environ["srctree"] = os.environ.get("srctree") or str(Path(__file__).resolve().parents[2])
    try:
        run(args.target)
    except ConfError as err:
        fail(str(err))
    except kconfiglib.KconfigError as err:
        fail(str(err).strip())
    except OSError as err:
        fail(f"*** {err.filename}: {err.strerror}" if err.filename else f"*** {err}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
