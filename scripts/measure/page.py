# SPDX-License-Identifier: MIT
"""A comparison as a page: one file that needs nothing beside it."""
from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

import reports
from comparison import plain_name
from treemap import Node, layout

TEMPLATES = Path(__file__).resolve().parent / "templates"
# The size of the largest treemap, in rem; its width follows the window's.
WIDTH, HEIGHT, LEAST_HEIGHT = 36.0, 26.0, 1.6
# A branch's heading, and what is too small for a heading and for a name.
HEADING, ROOM_FOR_HEADING, ROOM_FOR_NAME = 1.15, (4.0, 2.6), (2.4, 0.9)

Record = dict[str, Any]


@dataclass
class Tile:
    """A box of a treemap, as the template draws it."""

    name: str
    title: str
    kind: str
    named: bool
    left: str
    top: str
    width: str
    height: str
    children: list["Tile"] = field(default_factory=list)


@dataclass
class Side:
    """One kernel's treemap."""

    name: str
    total: Optional[float]
    unit: str
    height: float = 0.0
    boxes: list[Tile] = field(default_factory=list)


def environment() -> Any:
    """Return what renders the templates; pages of other commands use it too."""
    import jinja2
    made = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True,
                              trim_blocks=True, undefined=jinja2.StrictUndefined)
    made.globals.update(number=reports.number, changed=reports.change, percent=reports.percent)
    return made


# ---- Treemaps --------------------------------------------------------------------

def image_tree(record: Record) -> list[Node]:
    """Return the bytes of an image as a tree: folders, objects, symbols."""
    if not record.get("sizes"):
        return []
    folders: dict[str, dict[str, Node]] = defaultdict(dict)
    size = record["image"]
    for row in record["symbols"]:
        if row["section"] == "bss":
            continue
        size -= row["size"]
        where = row["object"] or "other"
        node = folders[row["folder"] or "other"].setdefault(where, Node(where))
        node.children.append(Node(plain_name(row["name"]), row["size"],
                                  row["section"] if row["name"] != "other" else "other"))
    nodes = [Node(folder, children=list(objects.values())) for folder, objects in folders.items()]
    if size > 0:
        nodes.append(Node("between sections", size, "other"))
    return nodes


def boot_tree(record: Record) -> list[Node]:
    """Return the instructions of a boot as a tree: folders, functions."""
    run = record.get("run") or {}
    if "functions" not in run:
        return [Node(mode, run[mode], mode) for mode in ("kernel", "firmware", "user")
                if run.get(mode)]
    folders: dict[str, Node] = {}
    for row in run["functions"]:
        leaf = Node(plain_name(row["name"]), row["instructions"], row["mode"])
        if row["mode"] == "firmware" and not row.get("folder"):
            folders[row["name"]] = leaf
            continue
        where = row.get("folder") or f"({row['mode']})"
        folders.setdefault(where, Node(where)).children.append(leaf)
    return list(folders.values())


def tiles(nodes: list[Node], width: float, height: float, unit: str, path: str) -> list[Tile]:
    """Return nodes as the template draws them, with what is inside them.

    @width, @height: of the box around them, about, in rem
    @path: the names of the boxes around them
    """
    made = []
    for box in layout(nodes, width / height):
        size = width * box.width / 100, height * box.height / 100
        room = ROOM_FOR_HEADING if box.node.children else ROOM_FOR_NAME
        named = size[0] >= room[0] and size[1] >= room[1]
        title = f"{path}{box.node.name}"
        inner = tiles(box.node.children, size[0], size[1] - (HEADING if named else 0), unit,
                      f"{title} / ")
        made.append(Tile(
            box.node.name, f"{title}: {reports.number(box.value)} {unit}",
            box.node.kind or "other", named, f"{box.left:.3f}", f"{box.top:.3f}",
            f"{box.width:.3f}", f"{box.height:.3f}", inner))
    return made


def sides(names: list[str], trees: list[list[Node]], unit: str) -> list[Side]:
    """Return treemaps to stand side by side: equal areas are equal numbers."""
    totals = [sum(node.total() for node in tree) for tree in trees]
    most = max(totals, default=0)
    made = []
    for name, tree, total in zip(names, trees, totals):
        if not total:
            made.append(Side(name, None, unit))
            continue
        height = max(LEAST_HEIGHT, HEIGHT * total / most)
        made.append(Side(name, total, unit, round(height, 2),
                         tiles(tree, WIDTH, height, unit, "")))
    return made


# ---- The page -------------------------------------------------------------------

def render(compared: dict[str, Any], records: list[Record]) -> str:
    """Return the page."""
    columns = reports.Columns(compared)
    names = columns.names
    return environment().get_template("compare.html").render(
        compared=compared, heading=reports.heading(compared), footing=reports.footing(compared),
        names=names, base=columns.base, others=columns.others, order=columns.order,
        width=1 + len(columns.header()) if columns.beside else 2 + 2 * len(columns.others),
        bloat=reports.bloat(compared["sizes"]["symbols"], columns),
        options=reports.option_rows(compared, columns),
        image_maps=sides([names[n] for n in columns.order],
                         [image_tree(records[n]) for n in columns.order], "bytes"),
        boot_maps=sides([names[n] for n in columns.order],
                        [boot_tree(records[n]) for n in columns.order], "instructions"))
