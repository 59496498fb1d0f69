# SPDX-License-Identifier: MIT
"""Configurations made of files: defconfigs, fragments, and what merge_config.sh
lays over each other."""
import os
from pathlib import Path
from typing import Dict, List

from assignments import Assignment, merge, read_config
from common import ConfError, config_path, say, source_path, write_atomic
from tree import Tree


def named_defconfig(tree: Tree, name: str) -> None:
    path = source_path(f"configs/{name}")
    if not os.path.isfile(path):
        there = sorted(p.name for p in Path(source_path("configs")).glob("*defconfig"))
        raise ConfError(f"*** There is no {path}. There are: {' '.join(there) or 'none'}")
    tree.load([], [path])
    tree.save()


def find_fragment(name: str) -> str:
    """A fragment of configs/, or a path; relative ones are also sought in the
    source tree, because make may have changed to the object tree."""
    tried = [source_path(f"configs/{name}"), name, source_path(name)]
    for path in tried:
        if os.path.isfile(path):
            return path
    there = sorted(p.name for p in Path(source_path("configs")).glob("*.config"))
    raise ConfError(f"*** There is no fragment {name}. configs/ has: {' '.join(there) or 'none'}")


def fragment(tree: Tree, name: str) -> None:
    tree.load([config_path()], [find_fragment(name)], redefined=True)
    tree.save()


def mergeconfig(tree: Tree) -> None:
    """For merge_config.sh: the first file of KCONFIG_MERGE (separated by
    newlines) is the base, the others are fragments."""
    paths = os.environ.get("KCONFIG_MERGE", "").split("\n")
    options = os.environ.get("KCONFIG_MERGE_OPTIONS", "").split()
    check_redefinitions(paths, options)
    tree.load(paths[:1], paths[1:], rest_no="allnoconfig" in options)
    tree.save()


def check_redefinitions(paths: List[str], options: List[str]) -> None:
    seen: Dict[str, Assignment] = {}
    strict: List[str] = []
    for path in paths:
        found, bad = read_config(path)
        if bad:
            raise ConfError("\n".join(bad))
        for item in found:
            old = seen.get(item.name)
            if old and old.path != path:
                text = f"{item.where}: {item.text} replaces {old.text} of {old.where}"
                if old.value != item.value:
                    strict.append(text)
                    if "quiet" not in options:
                        print(text)
                elif "redundant" in options:
                    print(f"{item.where}: {item.text} repeats {old.where}")
            seen[item.name] = item
    if strict and "strict" in options:
        raise ConfError("\n".join(["*** A fragment redefines a value:"] + strict))


def mergetext() -> None:
    """merge_config.sh -m: lay the files over each other without Kconfig."""
    paths = os.environ.get("KCONFIG_MERGE", "").split("\n")
    check_redefinitions(paths, os.environ.get("KCONFIG_MERGE_OPTIONS", "").split())
    merged = merge(read_config(path)[0] for path in paths)
    write_atomic(config_path(), "".join(
        f"# CONFIG_{item.name} is not set\n" if item.value == "n" else item.text + "\n"
        for item in merged.values()))
    say(f"Merged into {config_path()}, unchecked: run 'make olddefconfig' to complete it")
