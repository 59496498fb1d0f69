# SPDX-License-Identifier: MIT
"""Flame graphs: a box a call path, as wide as what was executed on it.

The picture is an SVG file that needs nothing beside it. Names are cut to fit;
the whole is in each box's title, which viewers show under the pointer.
"""
from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from html import escape
from typing import Iterator

WIDTH, ROW, MARGIN, HEAD, FOOT = 1200.0, 18, 10, 46, 30
# Of the font below, about.
CHARACTER = 6.6
LEAST_WIDTH = 0.1
STYLE = """
text { font: 11px ui-monospace, "DejaVu Sans Mono", monospace; fill: #16202a; }
.ground { fill: #fbfaf7; } .head { font: 600 16px system-ui, sans-serif; fill: #1d2327; }
.dim { font: 12px system-ui, sans-serif; fill: #5c666d; }
rect.box { stroke: #fbfaf7; stroke-width: .5; } g:hover > rect.box { stroke: #1d2327; }
@media (prefers-color-scheme: dark) {
  .ground { fill: #14181b; } .head { fill: #e4e8ea; } .dim { fill: #9aa6ad; }
  rect.box { stroke: #14181b; } g:hover > rect.box { stroke: #ffffff; }
}
""".strip()
# Hues of kernel, firmware and user program; names vary the lightness.
HUES = {"(firmware)": 18, "(user)": 155}
KERNEL_HUE = 210


@dataclass
class Box:
    """A call path: its last function, and what was executed there itself."""

    name: str
    own: int = 0
    children: dict[str, "Box"] = field(default_factory=dict)

    def total(self) -> int:
        """Return the instructions of the path and of all longer ones."""
        return self.own + sum(child.total() for child in self.children.values())

    def depth(self) -> int:
        """Return how many boxes stand on each other."""
        return 1 + max((child.depth() for child in self.children.values()), default=0)


def tree_of(folded: dict[tuple[str, ...], int], name: str) -> Box:
    """Return the boxes of folded stacks, below one for all."""
    root = Box(name)
    for path, count in folded.items():
        box = root
        for part in path:
            box = box.children.setdefault(part, Box(part))
        box.own += count
    return root


def color(name: str) -> str:
    """Return a function's color, always the same one."""
    light = 68 + hashlib.sha256(name.encode()).digest()[0] % 14
    return f"hsl({HUES.get(name, KERNEL_HUE)} 58% {light}%)"


def boxes(box: Box, left: float, level: int, scale: float, height: int,
          total: int) -> Iterator[str]:
    """Yield the elements of a box and of all on it, the first at the bottom."""
    count = box.total()
    width = count * scale
    if width < LEAST_WIDTH:
        return
    top = height - FOOT - (level + 1) * ROW
    room = int((width - 4) / CHARACTER)
    title = f"{box.name}: {count:,} instructions, {100 * count / total:.2f} %"
    if box.own != count:
        title += f"; {box.own:,} of its own"
    shown = box.name if len(box.name) <= room else box.name[:max(room - 1, 0)] + "…"
    yield (f'<g><title>{escape(title)}</title><rect class="box" x="{left:.2f}" y="{top}" '
           f'width="{width:.2f}" height="{ROW - 1}" rx="1" fill="{color(box.name)}"/>')
    if room >= 3:
        yield f'<text x="{left + 3:.2f}" y="{top + 12.5}">{escape(shown)}</text>'
    yield "</g>"
    for child in sorted(box.children.values(), key=lambda child: child.name):
        yield from boxes(child, left, level + 1, scale, height, total)
        left += child.total() * scale


def svg(folded: dict[tuple[str, ...], int], title: str, stamp: str) -> str:
    """Return the picture of folded stacks."""
    root = tree_of(folded, "all")
    total = max(root.total(), 1)
    height = HEAD + root.depth() * ROW + FOOT
    scale = (WIDTH - 2 * MARGIN) / total
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:.0f} {height}" '
             f'width="{WIDTH:.0f}" height="{height}" role="img">',
             f"<title>{escape(title)}</title>", f"<style>{STYLE}</style>",
             f'<rect class="ground" width="{WIDTH:.0f}" height="{height}"/>',
             f'<text class="head" x="{MARGIN}" y="26">{escape(title)}</text>',
             f'<text class="dim" x="{MARGIN}" y="{height - 10}">{total:,} instructions. '
             f"{escape(stamp)}.</text>",
             *boxes(root, MARGIN, 0, scale, height, total), "</svg>"]
    return "\n".join(parts) + "\n"
