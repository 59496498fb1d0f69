# SPDX-License-Identifier: MIT
"""Show the way of the line as a call tree, from whoever prints it to the UART.

Each KERNEL is what scripts/compare takes: a name in configs/, a .config, a build
folder, an image or ELF file, or REV:CONFIG; two of them are shown side by side.
The trace begins with the first instruction of whoever prints the line: of the
user program; else of the phase in which the line is printed, where the kernel
has labels for phases; else of the function that sends it. It ends with the
store by which the end of the line reaches the UART.

Exit status: 0, 1 if there is no trace, 2 when the request makes no sense.
"""
from __future__ import annotations

import argparse
import difflib
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Iterator, NoReturn, Optional

import calltree
import tracing
from builds import Unknown, one_of
from calltree import Frame
from tracing import Failure, Trace

LINE = "Hello world."
FORMATS = ("text", "html")
EXIT_FAILED, EXIT_USAGE = 1, 2
# How frames came about, where it is not by an ordinary call.
SIGNS = {calltree.ECALL: "ecall into", calltree.TRAP: "trap into",
         calltree.SWITCH: "switch to", calltree.USER: "enters"}


@dataclass
class Side:
    """A call, or a row of equal ones, in one of the kernels."""

    count: int = 0
    total: int = 0
    own: int = 0
    text: str = ""
    object: Optional[str] = None


@dataclass
class Node:
    """A line of the tree: the calls of one function that stand at one place."""

    name: str
    how: str
    sides: list[Optional[Side]]
    children: list["Node"] = field(default_factory=list)

    def key(self) -> tuple:
        """Return what nodes have in common that are folded into one."""
        return self.name, self.how, tuple(child.key() for child in self.children)

    def add(self, other: "Node") -> None:
        """Take the next node, which is the same but for its numbers."""
        side, more = self.sides[0], other.sides[0]
        assert side and more
        side.count += more.count
        side.total += more.total
        side.own += more.own
        side.text += more.text
        for child, twin in zip(self.children, other.children):
            child.add(twin)


@dataclass
class View:
    """What is shown of one kernel."""

    trace: Trace
    path: list[tuple[str, int]]
    before: int
    total: int
    nodes: list[Node]


# ---- From frames to lines ---------------------------------------------------------

def node_of(frame: Frame) -> Optional[Node]:
    """Return a frame and all below it, or None if nothing of it was executed."""
    children: list[Node] = []
    for child in frame.children:
        node = node_of(child)
        if not node:
            continue
        if children and children[-1].key() == node.key():
            children[-1].add(node)
        else:
            children.append(node)
    total = frame.own
    for child in children:
        assert child.sides[0]
        total += child.sides[0].total
    if not total:
        return None
    side = Side(1, total, frame.own, frame.text, frame.object)
    return Node(frame.name, frame.how, [side], children)


def view_of(trace: Trace, want: str) -> View:
    """Return the way of the line of one kernel."""
    whole = trace.tree()
    try:
        start, number = calltree.line_start(whole, want)
    except calltree.BadLog as err:
        raise Failure(f"{trace.name}: {err}") from err
    tree = trace.tree(start)
    path = [(frame.name, frame.before) for frame in tree.paths.get(number, [])[1:]
            if frame.total()]
    root = node_of(tree.harts[number].root)
    nodes = root.children if root else []
    # Frames that have done their part before are the way there, not the way of the line.
    while len(nodes) == 1 and nodes[0].sides[0] and not nodes[0].sides[0].own:
        nodes = nodes[0].children
    total = sum(node.sides[0].total for node in nodes if node.sides[0])
    before = sum(frame.before for frame in tree.frames())
    return View(trace, path, before, total, nodes)


def side_by_side(left: list[Node], right: list[Node]) -> list[Node]:
    """Return the lines of both, on one line where the same function is called."""
    merged: list[Node] = []
    matcher = difflib.SequenceMatcher(None, [node.name for node in left],
                                      [node.name for node in right], autojunk=False)
    for what, a, b, c, d in matcher.get_opcodes():
        if what == "equal":
            merged += [Node(one.name, one.how, [one.sides[0], two.sides[0]],
                            side_by_side(one.children, two.children))
                       for one, two in zip(left[a:b], right[c:d])]
            continue
        merged += [beside(node, True) for node in left[a:b]]
        merged += [beside(node, False) for node in right[c:d]]
    return merged


def beside(node: Node, left: bool) -> Node:
    """Return a node that only one of both has."""
    sides = [node.sides[0], None] if left else [None, node.sides[0]]
    return Node(node.name, node.how, sides, [beside(child, left) for child in node.children])


# ---- For people ---------------------------------------------------------------------

def printable(text: str) -> str:
    """Return characters as they are written in C."""
    return '"' + text.encode("unicode_escape").decode().replace('"', '\\"') + '"' if text else ""


def label(node: Node) -> str:
    """Return what a line says of its calls."""
    counts = {side.count for side in node.sides if side}
    times = "" if counts == {1} else "/".join(
        str(side.count) if side else "-" for side in node.sides) if len(counts) > 1 else str(
        counts.pop())
    sign = SIGNS.get(node.how)
    name = node.name.strip("()") if sign else node.name
    return (f"{times} x " if times else "") + (f"{sign} " if sign else "") + name


def rows(nodes: list[Node], stem: str = "") -> Iterator[tuple[str, Node]]:
    """Yield each line with its branches drawn."""
    for at, node in enumerate(nodes):
        last = at == len(nodes) - 1
        yield stem + ("└─ " if last else "├─ ") + label(node), node
        yield from rows(node.children, stem + ("   " if last else "│  "))


def as_text(views: list[View], nodes: list[Node]) -> str:
    """Return the tree as text."""
    out = [f"The way of the line: {', '.join(view.trace.name for view in views)}", ""]
    for view in views:
        way = " > ".join(f"{name} {before:,}" for name, before in view.path)
        out.append(f"{view.trace.name}: {view.before:,} instructions before it, "
                   f"{view.total:,} on it")
        if way:
            out.append(f"  reached by {way}")
    head = "".join(f"{'total':>9} {'self':>9}" for _ in views)
    if len(views) > 1:
        out += ["", "".join(f"{view.trace.name[:19]:>19}" for view in views)]
    else:
        out.append("")
    out.append(head)
    for text, node in rows(nodes):
        numbers = "".join(f"{side.total:>9,} {side.own:>9,}" if side else f"{'':>19}"
                          for side in node.sides)
        sent = next((side.text for side in node.sides if side and side.text), "")
        places = {side.object for side in node.sides if side and side.object}
        more = "  ".join(filter(None, [printable(sent), ", ".join(sorted(places))]))
        out.append(f"{numbers}  {text}" + (f"  {more}" if more else ""))
    out += ["", *dict.fromkeys(f"Measured with {tracing.stamp(view.trace)}." for view in views)]
    return "\n".join(out) + "\n"


def as_html(views: list[View], nodes: list[Node]) -> str:
    """Return the tree as a page."""
    import page
    return page.environment().get_template("trace.html").render(
        views=views, nodes=nodes, label=label, printable=printable,
        stamps=list(dict.fromkeys(tracing.stamp(view.trace) for view in views)))


# ---- The command -----------------------------------------------------------------------

def usage(text: str) -> NoReturn:
    """End because the request makes no sense."""
    print(f"{Path(sys.argv[0]).name}: {text}", file=sys.stderr)
    sys.exit(EXIT_USAGE)


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        usage(f"{message}; --help lists the options")


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    lines = (__doc__ or "").splitlines()
    parser = Parser(prog="trace", description=lines[0], epilog="\n".join(lines[2:]),
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kernels", nargs="*", metavar="KERNEL",
                        help="one or two (the kernel built in this folder)")
    parser.add_argument("--format", default=os.environ.get("FORMAT") or "text", metavar="FORM",
                        type=one_of(FORMATS), help=f"FORMAT: {', '.join(FORMATS)} (%(default)s)")
    parser.add_argument("--output", metavar="FILE", help="write there instead of on stdout")
    parser.add_argument("--want", default=LINE, metavar="TEXT", help="another line (%(default)s)")
    args = parser.parse_args()
    if len(args.kernels) > 2:
        usage("one kernel, or two side by side")
    args.kernels = args.kernels or ["."]
    return args


def write(text: str, output: Optional[str]) -> None:
    """Write the report where it is wanted."""
    if output:
        try:
            Path(output).write_text(text, encoding="utf-8")
        except OSError as err:
            usage(f'--output "{output}": {err.strerror}')
        return
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has seen enough; nor may Python flush at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def main() -> int:
    """Trace as asked; return the exit status."""
    args = parse_args()

    def work(traces: list[Trace]) -> str:
        views = [view_of(trace, args.want) for trace in traces]
        nodes = views[0].nodes if len(views) == 1 else side_by_side(views[0].nodes,
                                                                    views[1].nodes)
        return (as_html if args.format == "html" else as_text)(views, nodes)

    try:
        text = tracing.with_traces(args.kernels, args.want, work)
    except Unknown as err:
        usage(str(err))
    except Failure as err:
        print(f"trace: {err}", file=sys.stderr)
        return EXIT_FAILED
    write(text, args.output)
    return 0
