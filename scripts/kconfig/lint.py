#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Check the Kconfig files against the rules and against the sources.

- Each symbol with a prompt, and each choice, has a help text of at least two
  sentences.
- Each int and hex symbol has a default: without one the build gets an empty
  value.
- Nothing in Kconfig's expressions is undefined, and kconfiglib has no warning.
- Each CONFIG_ name in sources and makefiles is a symbol.
- Each symbol is used: by a source, a makefile, a host script, or an expression
  of another symbol. Being selected is not a use; selecting, where nobody is
  asked, is one. One member of a choice may be what remains when the others are
  not chosen.

Prints FILE:LINE: message and exits with 1 if there is anything to say.
"""
import argparse
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, Iterator, List, Set, Tuple

try:
    import kconfiglib
except ImportError:
    sys.exit("*** lint.py needs kconfiglib: install the package python3-kconfiglib, or run "
             "./scripts/setup.sh")

NAME = re.compile(r"\bCONFIG_([A-Za-z0-9_]*[A-Za-z0-9])\b")
# Names that prose and makefiles use without meaning a symbol.
NO_SYMBOLS = {"X", "FOO", "BAR", "SHELL"}
SOURCE = re.compile(r".*\.[chS]|(.*/)?(Makefile|Kbuild)(\..*)?|.*\.mk")
ABBREVIATION = re.compile(r"\b(e\.g|i\.e|etc|vs|cf)\.", re.IGNORECASE)
SENTENCE_END = re.compile(r"[.!?][\"')]*(?=\s|$)")


def tree_files(srctree: Path) -> List[str]:
    """The source tree's own files: what git has or would take."""
    listed = subprocess.run(
        ["git", "-C", str(srctree), "ls-files", "-z", "--cached", "--others",
         "--exclude-standard"], capture_output=True, text=True, check=False)
    if listed.returncode == 0:
        names = [name for name in listed.stdout.split("\0") if name]
    else:
        generated = ("include/config/", "include/generated/")
        names = [str(path.relative_to(srctree)) for path in srctree.rglob("*")]
        names = [name for name in names if not name.startswith(generated)
                 and not any(part.startswith(".") for part in Path(name).parts)]
    return sorted(name for name in names if (srctree / name).is_file())


def uses(srctree: Path, names: List[str]) -> Iterator[Tuple[str, int, str]]:
    """Each CONFIG_ name in these files: file, line, name."""
    for name in names:
        text = (srctree / name).read_text(encoding="utf-8", errors="replace")
        if "CONFIG_" not in text:
            continue
        for number, line in enumerate(text.split("\n"), 1):
            for match in NAME.finditer(line):
                yield name, number, match[1]


def named_by_scripts(srctree: Path, names: List[str], defined: Set[str]) -> Iterator[str]:
    """Symbols that host scripts name, which may look them up without CONFIG_."""
    for name in names:
        text = (srctree / name).read_text(encoding="utf-8", errors="replace")
        for match in re.finditer(r"\bCONFIG_(\w+)|([\"'])(\w+)\2", text):
            symbol = match[1] or match[3]
            if symbol in defined:
                yield symbol


def sentences(text: str) -> int:
    return len(SENTENCE_END.findall(ABBREVIATION.sub("", text)))


def help_problems(kconf: Any) -> Iterator[str]:
    for node in kconf.node_iter():
        item = node.item
        if not isinstance(item, (kconfiglib.Symbol, kconfiglib.Choice)) or not node.prompt:
            continue
        if isinstance(item, kconfiglib.Symbol):
            what = f"CONFIG_{item.name}"
        else:
            what = f'choice "{node.prompt[0]}"'
        if not node.help:
            yield f"{node.filename}:{node.linenr}: {what} has no help text"
        elif sentences(node.help) < 2:
            yield f"{node.filename}:{node.linenr}: {what} has less than two sentences of help"


def default_problems(kconf: Any) -> Iterator[str]:
    for sym in kconf.unique_defined_syms:
        if sym.orig_type in (kconfiglib.INT, kconfiglib.HEX) and not sym.defaults:
            node = sym.nodes[0]
            yield f"{node.filename}:{node.linenr}: CONFIG_{sym.name} is a number without a default"


def expressions(node: Any) -> Iterator[Any]:
    """What a menu entry reads. What it selects is written, not read."""
    yield node.dep
    yield getattr(node, "visibility", None)  # menus only
    if node.prompt:
        yield node.prompt[1]
    if isinstance(node.item, (kconfiglib.Symbol, kconfiglib.Choice)):
        for default, cond in node.defaults:
            yield default
            yield cond
        for _, cond in node.selects + node.implies:
            yield cond
        for low, high, cond in node.ranges:
            yield from (low, high, cond)


def read_by_kconfig(kconf: Any) -> Set[str]:
    """Symbols that an entry other than their own reads."""
    used: Set[str] = set()
    for node in kconf.node_iter():
        own = node.item
        # A choice's default names a member, which is no use of it.
        members = own.syms if isinstance(own, kconfiglib.Choice) else []
        for expr in expressions(node):
            if expr is None:
                continue
            for item in kconfiglib.expr_items(expr):
                if isinstance(item, kconfiglib.Symbol) and item is not own \
                        and item not in members:
                    used.add(item.name)
    return used


def unused(kconf: Any, used: Set[str]) -> Iterator[str]:
    remaining: Dict[Any, int] = {}
    for sym in kconf.unique_defined_syms:
        if sym.name in used:
            continue
        if sym.choice:
            remaining[sym.choice] = remaining.get(sym.choice, 0) + 1
            if remaining[sym.choice] == 1 and len(sym.choice.syms) > 1:
                continue
        # One that nobody is asked about may be there to select another.
        if not any(node.prompt for node in sym.nodes) \
                and any(node.selects or node.implies for node in sym.nodes):
            continue
        node = sym.nodes[0]
        yield f"{node.filename}:{node.linenr}: CONFIG_{sym.name} is not used anywhere"


def lint(srctree: Path) -> List[str]:
    os.environ["srctree"] = str(srctree)
    os.environ["KCONFIG_WARN_UNDEF"] = "y"
    os.environ.pop("CONFIG_", None)
    # The rules do not depend on the compiler, the macros need a name for one.
    os.environ.setdefault("CC", "cc")
    try:
        kconf = kconfiglib.Kconfig("Kconfig", warn_to_stderr=False)
    except (kconfiglib.KconfigError, OSError) as err:
        return [str(err).strip()]
    problems = [" ".join(text.split()) for text in dict.fromkeys(kconf.warnings)]
    problems += help_problems(kconf)
    problems += default_problems(kconf)

    files = tree_files(srctree)
    sources = [name for name in files if SOURCE.fullmatch(name)]
    scripts = [name for name in files if name.startswith("scripts/") and name not in sources
               and not name.startswith("scripts/kconfig/")]
    used = read_by_kconfig(kconf)
    defined = {sym.name for sym in kconf.unique_defined_syms}
    for name, number, symbol in uses(srctree, sources):
        if symbol.endswith("_MODULE") and symbol not in defined:
            symbol = symbol[:-len("_MODULE")]
        used.add(symbol)
        if symbol not in defined and symbol not in NO_SYMBOLS:
            problems.append(f"{name}:{number}: CONFIG_{symbol} is not a symbol of Kconfig")
    used.update(named_by_scripts(srctree, scripts, defined))
    problems += unused(kconf, used)
    return problems


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("srctree", nargs="?", type=Path,
                        default=Path(__file__).resolve().parents[2],
                        help="the source tree (default: the one of this script)")
    problems = lint(parser.parse_args().srctree.resolve())
    for text in problems:
        print(text)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
