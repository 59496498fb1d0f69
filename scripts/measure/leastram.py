# SPDX-License-Identifier: MIT
"""The least RAM with which a kernel prints the line.

That is the smallest N such that a kernel which the device tree tells of N bytes
of RAM, counted from where RAM begins and so with the firmware's part, prints
the line and touches nothing beyond them. (The machine itself keeps its RAM: no
QEMU starts with as little. The device tree's own pages do not count.)

A kernel that takes memory from the bottom upwards needs as much as it touched
with plenty; so the search begins there and mostly ends with two runs.
"""
from __future__ import annotations

import struct
from typing import Callable, Optional

PAGE = 4096
MAGIC = 0xD00DFEED
BEGIN_NODE, END_NODE, PROP, NOP = 1, 2, 3, 4

#: Boots a kernel told of so many bytes; returns how many it used, or None
#: where the line did not come.
Boot = Callable[[int], Optional[int]]


class BadTree(Exception):
    """The device tree has not the one memory node that is looked for."""


def walk(tree: bytes) -> list[tuple[str, str, int, int]]:
    """Return a flattened device tree's properties: (node, name, offset, length)."""
    try:
        magic, _, at, strings = struct.unpack_from(">4I", tree)
        if magic != MAGIC:
            raise BadTree("not a device tree")
        path: list[str] = []
        found = []
        while True:
            token = struct.unpack_from(">I", tree, at)[0]
            at += 4
            if token == BEGIN_NODE:
                end = tree.index(b"\0", at)
                path.append(tree[at:end].decode("ascii", "replace"))
                at = (end + 4) & ~3
            elif token == END_NODE:
                path.pop()
            elif token == PROP:
                length, name = struct.unpack_from(">2I", tree, at)
                start = strings + name
                text = tree[start:tree.index(b"\0", start)].decode("ascii", "replace")
                found.append(("/".join(path), text, at + 8, length))
                at = (at + 8 + length + 3) & ~3
            elif token != NOP:
                return found
    except (struct.error, ValueError, IndexError) as err:
        raise BadTree(f"broken device tree ({err})") from err


def told(tree: bytes, size: int) -> tuple[bytes, int]:
    """Return the tree with so many bytes of RAM, and where RAM begins.

    Raises BadTree unless the tree has one memory node with one bank.
    """
    rows = walk(tree)
    cells = {name: int.from_bytes(tree[at:at + 4], "big") for node, name, at, _ in rows
             if node == "" and name in ("#address-cells", "#size-cells")}
    address, length = cells.get("#address-cells", 2) * 4, cells.get("#size-cells", 1) * 4
    nodes = [node for node, name, at, size_ in rows
             if name == "device_type" and tree[at:at + size_] == b"memory\0"]
    banks = [(at, size_) for node, name, at, size_ in rows if node in nodes and name == "reg"]
    if len(banks) != 1 or banks[0][1] != address + length:
        raise BadTree("the machine has more than one bank of memory")
    at = banks[0][0]
    base = int.from_bytes(tree[at:at + address], "big")
    changed = bytearray(tree)
    changed[at + address:at + address + length] = size.to_bytes(length, "big")
    return bytes(changed), base


def search(boot: Boot, start: int, floor: int, plenty: int) -> int:
    """Return the least number of bytes that a kernel boots with.

    @boot:   what becomes of a kernel that is told so many
    @start:  what it used when it had plenty
    @floor:  surely too little
    @plenty: surely enough
    """
    def fits(size: int) -> bool:
        used = boot(size)
        return used is not None and used <= size

    start = -(-start // PAGE) * PAGE
    step = PAGE
    if fits(start):
        # Downwards in growing steps until it fails.
        enough, lacking = start, max(floor, start - step)
        while lacking > floor and fits(lacking):
            step *= 2
            enough, lacking = lacking, max(floor, lacking - step)
    else:
        enough, lacking = start + step, start
        while enough < plenty and not fits(enough):
            step *= 2
            enough, lacking = enough + step, enough
        enough = min(enough, plenty)
    while enough - lacking > PAGE:
        middle = (enough + lacking) // 2 // PAGE * PAGE
        if fits(middle):
            enough = middle
        else:
            lacking = middle
    return enough
