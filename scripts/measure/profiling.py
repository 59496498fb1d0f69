# SPDX-License-Identifier: MIT
"""Show where the instructions from a kernel's entry to the end of the line go.

KERNEL is what scripts/compare takes: a name in configs/, a .config, a build
folder, an image or ELF file, or REV:CONFIG. For each function: instructions of
its own, with all that it called, calls, and the phases of start-up in which its
own were executed. --format svg is a flame graph, --format folded its stacks, a
line each, as other tools read them.

Exit status: 0, 1 if there is no profile, 2 when the request makes no sense.
"""
from __future__ import annotations

import argparse
import os
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from typing import NoReturn

import calltree
import linetrace
import tracing
from builds import Unknown, one_of
from calltree import Frame, Tree
from tracing import Failure, Trace

FORMATS = ("text", "svg", "folded")
EXIT_FAILED, EXIT_USAGE = 1, 2


@dataclass
class Row:
    """A function."""

    name: str
    object: str
    own: int = 0
    total: int = 0
    calls: int = 0
    phases: dict[str, int] = field(default_factory=lambda: defaultdict(int))


def functions(tree: Tree) -> list[Row]:
    """Return what each function executed, most first."""
    rows: dict[tuple[str, str], Row] = {}

    def visit(frame: Frame, above: tuple[tuple[str, str], ...]) -> int:
        key = frame.name, frame.object or ""
        row = rows.setdefault(key, Row(*key))
        total = frame.own + sum(visit(child, above + (key,)) for child in frame.children)
        row.own += frame.own
        row.calls += 1
        # One that calls itself has its instructions once.
        if key not in above:
            row.total += total
        for phase, count in frame.phase.items():
            row.phases[phase] += count
        return total

    for hart in tree.harts.values():
        for child in hart.root.children:
            visit(child, ())
    return sorted(rows.values(), key=lambda row: (-row.own, row.name))


def folded(tree: Tree) -> dict[tuple[str, ...], int]:
    """Return the instructions of each call path."""
    paths: dict[tuple[str, ...], int] = defaultdict(int)

    def visit(frame: Frame, above: tuple[str, ...]) -> None:
        path = above + (frame.name,)
        if frame.own:
            paths[path] += frame.own
        for child in frame.children:
            visit(child, path)

    several = len(tree.harts) > 1
    for number, hart in sorted(tree.harts.items()):
        for child in hart.root.children:
            visit(child, (f"hart {number}",) if several else ())
    return dict(paths)


def as_text(trace: Trace, tree: Tree) -> str:
    """Return the table."""
    rows = functions(tree)
    total = tree.total()
    out = [f"{trace.name}: {total:,} instructions from the entry to the end of the line", "",
           f"{'self':>10} {'%':>6} {'total':>10} {'calls':>7}  function"]
    for row in rows:
        phases = [phase for phase, count in row.phases.items() if count and phase]
        where = ", ".join(filter(None, [row.object, "in " + ", ".join(phases) if phases else ""]))
        out.append(f"{row.own:>10,} {100 * row.own / total:>6.2f} {row.total:>10,} "
                   f"{row.calls:>7,}  {row.name}" + (f"  ({where})" if where else ""))
    out += [f"{sum(row.own for row in rows):>10,} {100:>6.2f} {'':>10} "
            f"{sum(row.calls for row in rows):>7,}  all", "",
            f"Measured with {tracing.stamp(trace)}."]
    return "\n".join(out) + "\n"


def report(trace: Trace, form: str) -> str:
    """Return the profile in the form that is asked for."""
    tree = trace.tree()
    if form == "text":
        return as_text(trace, tree)
    paths = folded(tree)
    if form == "folded":
        return "".join(f"{';'.join(path)} {count}\n" for path, count in sorted(paths.items()))
    import flame
    return flame.svg(paths, f"{trace.name}: from the entry to the end of the line",
                     f"Measured with {tracing.stamp(trace)}")


def usage(text: str) -> NoReturn:
    """End because the request makes no sense."""
    print(f"profile: {text}", file=sys.stderr)
    sys.exit(EXIT_USAGE)


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        usage(f"{message}; --help lists the options")


def main() -> int:
    """Profile as asked; return the exit status."""
    lines = (__doc__ or "").splitlines()
    parser = Parser(prog="profile", description=lines[0], epilog="\n".join(lines[2:]),
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kernel", nargs="?", default=".", metavar="KERNEL",
                        help="what to run (the kernel built in this folder)")
    parser.add_argument("--format", default=os.environ.get("FORMAT") or "text", metavar="FORM",
                        type=one_of(FORMATS), help=f"FORMAT: {', '.join(FORMATS)} (%(default)s)")
    parser.add_argument("--output", metavar="FILE", help="write there instead of on stdout")
    parser.add_argument("--want", default=linetrace.LINE, metavar="TEXT",
                        help="another line (%(default)s)")
    args = parser.parse_args()
    # Frames lie in each other as deep as the kernel's calls.
    sys.setrecursionlimit(20000)
    try:
        text = tracing.with_traces([args.kernel], args.want,
                                   lambda traces: report(traces[0], args.format))
    except Unknown as err:
        usage(str(err))
    except (Failure, calltree.BadLog) as err:
        print(f"profile: {err}", file=sys.stderr)
        return EXIT_FAILED
    linetrace.write(text, args.output)
    return 0
