#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Make the kernel's symbol table, as assembly, from a linked kernel.

With --empty: a table without symbols, for the first link.
"""
from __future__ import annotations

import argparse
import os
import subprocess
import sys


def read_functions(elf: str) -> tuple[int, list[tuple[int, str]]]:
    """Start of the image, and address and name of each text symbol in order."""
    nm = os.environ.get("NM", "nm")
    listing = subprocess.run([nm, "-n", elf], check=True, capture_output=True, text=True).stdout
    start, end = 0, 0
    functions: dict[int, str] = {}
    for line in listing.splitlines():
        fields = line.split()
        if len(fields) != 3:
            continue
        address, kind, name = int(fields[0], 16), fields[1], fields[2]
        if name == "_start":
            start = address
        elif name == "_etext":
            end = address
        elif kind in "tT" and not name.startswith((".L", "$")):
            functions.setdefault(address, name)
    if not start or not end:
        raise SystemExit(f"kallsyms.py: {elf}: no _start or _etext")
    functions[end] = ""
    return start, sorted((a, n) for a, n in functions.items() if start <= a <= end)


def table(start: int, functions: list[tuple[int, str]]) -> str:
    """The assembly text."""
    out = ['\t.section .rodata.kallsyms, "a"', "\t.balign 8"]

    def array(name: str, lines: list[str]) -> None:
        out.extend([f"\t.globl {name}", f"{name}:", *lines])

    places, texts, place = [], [], 0
    for _, name in functions[:-1]:
        places.append(f"\t.word {place}")
        texts.append(f'\t.asciz "{name}"')
        place += len(name) + 1
    array("kallsyms_count", [f"\t.word {max(len(functions) - 1, 0)}"])
    array("kallsyms_offsets", [f"\t.word {address - start:#x}" for address, _ in functions])
    array("kallsyms_places", places)
    array("kallsyms_names", texts)
    return "\n".join(out) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("elf", nargs="?", help="the linked kernel")
    parser.add_argument("--empty", action="store_true", help="a table without symbols")
    args = parser.parse_args()
    if args.empty == bool(args.elf):
        parser.error("give either a kernel or --empty")
    if args.empty:
        sys.stdout.write(table(0, []))
    else:
        sys.stdout.write(table(*read_functions(args.elf)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
