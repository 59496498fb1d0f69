# SPDX-License-Identifier: MIT
"""Treemaps: rectangles whose areas are numbers, as square as can be.

The layout is that of squarified treemaps: rows are filled along the shorter
side for as long as that makes their rectangles squarer.
"""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Iterable


@dataclass
class Node:
    """A part of a whole. Inner nodes weigh what their children do together."""

    name: str
    value: float = 0
    kind: str = ""
    children: list["Node"] = field(default_factory=list)

    def total(self) -> float:
        """Return the weight."""
        return sum(child.total() for child in self.children) if self.children else self.value


@dataclass
class Box:
    """Where a node is, in per cent of the box around it."""

    node: Node
    left: float
    top: float
    width: float
    height: float
    value: float


def worst(row: list[float], side: float) -> float:
    """Return how far from square the worst rectangle of a row is."""
    area = sum(row)
    return max(max(side * side * one / (area * area), area * area / (side * side * one))
               for one in row)


def rows(areas: list[float], width: float, height: float
         ) -> Iterable[tuple[float, float, float, float]]:
    """Return the rectangles (left, top, width, height) of areas, largest first."""
    left = top = 0.0
    at = 0
    while at < len(areas):
        side = min(width, height)
        end = at + 1
        while end < len(areas) and worst(areas[at:end + 1], side) <= worst(areas[at:end], side):
            end += 1
        depth = sum(areas[at:end]) / side
        along = 0.0
        for area in areas[at:end]:
            length = area / depth
            if width >= height:
                yield left, top + along, depth, length
            else:
                yield left + along, top, length, depth
            along += length
        if width >= height:
            left, width = left + depth, width - depth
        else:
            top, height = top + depth, height - depth
        at = end


def layout(nodes: list[Node], aspect: float) -> list[Box]:
    """Lay nodes out in a box that is so many times as wide as it is high."""
    some = sorted((node for node in nodes if node.total() > 0),
                  key=lambda node: (-node.total(), node.name))
    whole = sum(node.total() for node in some)
    if not whole:
        return []
    areas = [node.total() / whole * aspect for node in some]
    return [Box(node, 100 * left / aspect, 100 * top, 100 * width / aspect, 100 * height,
                node.total())
            for node, (left, top, width, height) in zip(some, rows(areas, aspect, 1.0))]
