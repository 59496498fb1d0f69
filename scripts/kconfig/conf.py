#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The configuration targets of make, on kconfiglib.

Run by scripts/kconfig/Makefile in the object tree. The environment holds
srctree (where Kconfig and configs/ are), KCONFIG_CONFIG (the configuration
file, .config by default) and whatever the Kconfig files' macros use.

kconfiglib reads the Kconfig files and computes values; reading and writing
configuration files is done here, because kconfiglib's own reader falls back to
the source tree, does not say why a value did not take, and writes in place:

  common.py       messages, errors, paths, writing a file
  assignments.py  reading configuration files
  explain.py      why a symbol has its value and refuses another
  tree.py         class Tree: the Kconfig files, values assigned and written
  sync.py         syncconfig
  fragments.py    defconfigs, fragments, merging
  generate.py     all*config, randconfig
  ask.py          config, oldconfig
  frontend.py     menuconfig, guiconfig
  pricetags.py    what they show of prices

This folder is first on the module path: no name here may be one of Python's
modules or of kconfiglib's programs (menuconfig, genconfig, ...).
"""
import argparse
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Callable, Dict, NoReturn, Tuple

try:
    import kconfiglib
except ImportError:
    sys.exit("*** The configuration targets need kconfiglib, which " + sys.executable +
             " does not have.\n*** Install the package python3-kconfiglib, or run"
             " ./scripts/setup.sh.")

# Leave no compiled modules in the source tree.
sys.dont_write_bytecode = True
# Not there by itself with PYTHONSAFEPATH.
sys.path.insert(0, str(Path(__file__).resolve().parent))

from common import ConfError, config_path, indented, say, warn  # noqa: E402  (as said above)
from explain import shown, why  # noqa: E402
from tree import Tree  # noqa: E402

EXIT_ERROR = 1
NO_CONFIG = "*** No configuration. Run 'make defconfig' (or 'make menuconfig') first."


def olddefconfig(tree: Tree) -> None:
    tree.load([config_path()], [])
    tree.save()


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


def nearest(tree: Tree, name: str) -> str:
    """Return the symbols that may have been meant, as the end of a message."""
    import difflib
    names = [sym.name for sym in tree.unique_defined_syms]
    upper = name.upper()
    near = difflib.get_close_matches(upper, names, 3, 0.6)
    near += [other for other in names if upper and upper in other and other not in near][:3]
    return f"; did you mean {', '.join(near)}?" if near else ""


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
            raise ConfError(f"*** {name}: no such symbol in Kconfig{nearest(tree, name)}")
        places = ", ".join(f"{node.filename}:{node.linenr}" for node in sym.nodes)
        print(f"{shown(sym, False)}, defined at {places}")
        print(indented("\n".join(why(sym, tree.assigned.get(name)))), end="")


def late(module: str, function: str, *args: object) -> Callable[[Tree], None]:
    """A target in a module that is read only when it is asked for: make runs
    syncconfig often."""
    def action(tree: Tree) -> None:
        getattr(import_module(module), function)(tree, *args)
    return action


TARGETS: Dict[str, Tuple[str, Callable[[Tree], None]]] = {
    "defconfig": ("configs/defconfig", late("fragments", "named_defconfig", "defconfig")),
    "menuconfig": ("full-screen menus on the terminal",
                   late("frontend", "front_end", "menuconfig")),
    "nconfig": ("menuconfig", late("frontend", "front_end", "menuconfig")),
    "guiconfig": ("menus in a window", late("frontend", "front_end", "guiconfig")),
    "xconfig": ("guiconfig", late("frontend", "front_end", "guiconfig")),
    "config": ("ask for every value, line by line", late("ask", "oldconfig", True)),
    "oldconfig": ("keep .config, ask for new symbols", late("ask", "oldconfig", False)),
    "olddefconfig": ("keep .config, new symbols get defaults", olddefconfig),
    "syncconfig": ("update .config and what the build reads (make does it)",
                   late("sync", "syncconfig")),
    "savedefconfig": ("write the values that are not defaults to ./defconfig", savedefconfig),
    "listnewconfig": ("list symbols that .config lacks",
                      lambda tree: listnewconfig(tree, False)),
    "helpnewconfig": ("the same with help texts", lambda tree: listnewconfig(tree, True)),
    "whyconfig": ("what set SYMBOL= and why it cannot be set", whyconfig),
    "allnoconfig": ("n wherever possible", late("generate", "allconfig", "no")),
    "allyesconfig": ("y wherever possible", late("generate", "allconfig", "yes")),
    "alldefconfig": ("Kconfig's defaults", late("generate", "allconfig", "def")),
    "randconfig": ("a random valid configuration", late("generate", "randconfig")),
    "mergeconfig": ("used by scripts/merge_config.sh", late("fragments", "mergeconfig")),
}

NEED_CONFIG = ("syncconfig", "oldconfig", "olddefconfig", "savedefconfig", "listnewconfig",
               "helpnewconfig", "whyconfig")


def need_config() -> None:
    if not os.path.exists(config_path()):
        raise ConfError(NO_CONFIG)


def run(target: str) -> None:
    if target == "mergetext":
        import_module("fragments").mergetext()
        return
    if target in TARGETS:
        action = TARGETS[target][1]
    elif target.endswith("_defconfig"):
        action = late("fragments", "named_defconfig", target)
    elif target.endswith(".config"):
        action = late("fragments", "fragment", target)
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
