# SPDX-License-Identifier: MIT
"""menuconfig and guiconfig: kconfiglib's own programs, made to explain values and to
show prices."""
import os
import select
import sys
from typing import Any, Tuple

from kconfiglib import Choice, MenuNode, Symbol

from common import ConfError, config_path, indented
from explain import why
from pricetags import Tags
from tree import Tree


def explain_in(module: Any, tags: Tags) -> None:
    """Have a front end's information screen say why a symbol is what it is, and
    what it costs."""
    plain = getattr(module, "_info_str", None)
    if plain is None:
        return

    def info(node: MenuNode) -> str:
        text = plain(node)
        if isinstance(node.item, Choice):
            lines = [line for sym in node.item.syms for line in tags.prices(sym)]
            return text + "\n\nPrices:\n\n" + indented("\n".join(lines)) if lines else text
        if not isinstance(node.item, Symbol):
            return text
        # Values change while the front end runs: no file and line here.
        text += "\n\nWhy this value:\n\n" + indented("\n".join(why(node.item, None)))
        return text + "\nPrice:\n\n" + indented("\n".join(tags.story(node.item)))

    module._info_str = info


def price_in(module: Any, tags: Tags) -> None:
    """Have menuconfig show a price beside each option, and what all costs."""
    plain_node, plain_draw = module._node_str, module._draw_main
    help_lines = module._MAIN_HELP_LINES

    def node_str(node: MenuNode) -> str:
        text = plain_node(node)
        price = tags.beside(node.item)
        if not price:
            return text
        # At the right edge, where it does not hide what the option is.
        return text + price.rjust(max(module._width(module._menu_win) - len(text) - 1,
                                      len(price) + 2))

    def draw_main() -> None:
        # Once a screen: every value may have changed.
        help_lines[0] = tags.total()
        plain_draw()

    help_lines.insert(0, tags.total())
    module._node_str, module._draw_main = node_str, draw_main


def end_with_terminal(module: Any) -> None:
    """Have menuconfig end when its terminal is gone, instead of asking it for ever."""
    plain = getattr(module, "_getch_compat", None)
    if plain is None:
        return

    def getch(win: Any) -> Any:
        key = plain(win)
        if key == -1:
            terminal = select.poll()
            terminal.register(sys.stdin, select.POLLIN)
            if any(event & (select.POLLHUP | select.POLLERR) for _, event in terminal.poll(0)):
                raise ConfError("*** The terminal is gone; nothing is saved.")
        return key

    module._getch_compat = getch


def front_end(tree: Tree, name: str) -> None:
    """menuconfig or guiconfig, kconfiglib's own programs."""
    if name == "menuconfig":
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise ConfError("*** menuconfig needs a terminal; 'make oldconfig' asks line by line.")
        import curses
        import menuconfig as module
        end_with_terminal(module)
        failures: Tuple[type, ...] = (curses.error,)
    else:
        try:
            import tkinter
            import guiconfig as module
        except ImportError as err:
            raise ConfError(f"*** guiconfig needs tkinter ({err}): install the package python3-tk,"
                            " or use 'make menuconfig'.") from err
        failures = (tkinter.TclError,)
    # The program loads it again, but where nobody sees messages.
    tree.start()
    tags = Tags(tree)
    explain_in(module, tags)
    if name == "menuconfig":
        price_in(module, tags)
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
