# SPDX-License-Identifier: MIT
"""Random Kconfig trees and configurations, and this tree's: conf.py against Linux's
own conf, which Debian packages in linux-kbuild-*."""
import glob
import random
import re
import subprocess
import sys
from pathlib import Path
from typing import Dict, List, Tuple

import pytest

from kconfigtree import Tree, values
from sourcecopy import ROOT

sys.path.insert(0, str(ROOT / "scripts" / "measure"))

import model  # noqa: E402
import sweep_plan  # noqa: E402


def version(path: str) -> Tuple[int, ...]:
    """Return the version of the Linux that a conf is of."""
    return tuple(int(number) for number in re.findall(r"\d+", path.split("/")[3])[:2])


FOUND = sorted(glob.glob("/usr/lib/linux-kbuild-*/scripts/kconfig/conf"), key=version)
# Linux 6.11 changed what choices make of members that are set to n or twice;
# kconfiglib does as Linux did until then. Whole configurations mean the same.
OLD_CHOICES = bool(FOUND) and version(FOUND[0]) < (6, 11)
pytestmark = pytest.mark.skipif(not FOUND, reason="linux-kbuild (Linux's conf) is not installed")

SYMBOLS = 24
Named = List[Tuple[str, str]]


class Maker:
    """Writes a Kconfig file in which symbols read earlier ones and select
    later ones, so that there is no loop."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.lines: List[str] = []
        self.bools: List[str] = []
        self.names: Named = []
        kinds = ["bool"] * 12 + ["choice"] * 3 + ["int"] * 2 + ["hex"] * 2 + ["string"] * 2
        self.kinds = [rng.choice(kinds) for _ in range(SYMBOLS)]

    def chance(self, percent: int) -> bool:
        return self.rng.random() * 100 < percent

    def expr(self, depth: int = 2) -> str:
        if depth == 0 or self.chance(50):
            return self.rng.choice(["", "", "!"]) + self.rng.choice(self.bools)
        return f"({self.expr(depth - 1)} {self.rng.choice(['&&', '||'])} {self.expr(depth - 1)})"

    def cond(self, percent: int) -> str:
        return f" if {self.expr()}" if self.bools and self.chance(percent) else ""

    def depends(self, percent: int) -> None:
        if self.bools and self.chance(percent):
            self.lines.append(f"  depends on {self.expr()}")

    def select(self, number: int, percent: int, words: List[str]) -> None:
        later = [i for i in range(number + 1, SYMBOLS) if self.kinds[i] == "bool"]
        if later and self.chance(percent):
            word = self.rng.choice(words)
            self.lines.append(f"  {word} S{self.rng.choice(later)}{self.cond(30)}")

    def choice(self, number: int) -> None:
        members = [f"S{number}_{i}" for i in range(self.rng.randint(2, 4))]
        self.lines += ["choice", f'  prompt "c{number}"']
        self.depends(40)
        if self.chance(50):
            self.lines.append(f"  default {self.rng.choice(members)}{self.cond(50)}")
        for name in members:
            self.lines += [f"config {name}", f'  bool "{name}"{self.cond(10)}']
            self.depends(30)
            self.select(number, 20, ["select"])
            self.names.append((name, "bool"))
        self.lines.append("endchoice")
        self.bools += members

    def symbol(self, number: int) -> None:
        kind, name = self.kinds[number], f"S{number}"
        prompt = f' "{name}"{self.cond(15)}' if self.chance(80) else ""
        self.lines += [f"config {name}", f"  {kind}{prompt}"]
        self.depends(40)
        if kind == "bool":
            if self.chance(50):
                self.lines.append(f"  default {self.rng.choice('yyn')}{self.cond(40)}")
            self.select(number, 25, ["select", "select", "imply"])
            self.bools.append(name)
        elif kind == "int":
            low = self.rng.randint(-5, 5)
            high = low + self.rng.randint(0, 20)
            if self.bools and self.chance(40):
                self.lines.append(f"  range {low + 1} {high + 5} if {self.expr()}")
            if self.chance(80):
                self.lines.append(f"  range {low} {high}")
            self.lines.append(f"  default {self.rng.randint(low, high)}{self.cond(40)}")
            self.lines.append(f"  default {high}")
        elif kind == "hex":
            self.lines.append(f"  range 0x10 {self.rng.randint(0x11, 0x1000):#x}")
            self.lines.append("  default 0x10")
        else:
            self.lines.append(f'  default "{name}"{self.cond(40)}')
        self.names.append((name, kind))

    def make(self) -> Tuple[str, Named]:
        ends: List[str] = []
        for number, kind in enumerate(self.kinds):
            if self.bools and self.chance(12):
                if self.chance(50):
                    self.lines.append(f"if {self.expr()}")
                    ends.append("endif")
                else:
                    self.lines += [f'menu "m{number}"', f"  depends on {self.expr()}"]
                    ends.append("endmenu")
            if ends and self.chance(20):
                self.lines.append(ends.pop())
            (self.choice if kind == "choice" else self.symbol)(number)
        return "\n".join(self.lines + ends[::-1]) + "\n", self.names


def random_config(rng: random.Random, names: Named) -> str:
    """Anything well-formed, in any order, valid or not."""
    lines: List[str] = []
    for name, kind in names:
        if rng.random() < 0.3:
            continue
        lines.append({"bool": rng.choice([f"CONFIG_{name}=y", f"# CONFIG_{name} is not set"]),
                      "int": f"CONFIG_{name}={rng.randint(-10, 30)}",
                      "hex": f"CONFIG_{name}={rng.randint(0, 0x1100):#x}",
                      "string": f'CONFIG_{name}="changed"'}[kind])
    if rng.random() < 0.5:
        rng.shuffle(lines)
    return "\n".join(lines) + "\n"


def on(path: Path) -> Dict[str, str]:
    """What is not n: Linux's conf also writes "is not set" for some symbols
    without a prompt, which means nothing."""
    return {name: value for name, value in values(path).items() if value != "n"}


def linux(tree: Tree, config: Path, *args: str) -> None:
    done = subprocess.run([FOUND[0], *args, "Kconfig"], cwd=tree.src, stdin=subprocess.DEVNULL,
                          env=tree.env(srctree=".", KCONFIG_CONFIG=str(config)),
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not OLD_CHOICES, reason="this Linux reads choices in another way")
@pytest.mark.parametrize("seed", range(15))
def test_agrees_with_linux(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    text, names = Maker(rng).make()
    tree = Tree(tmp_path, text)
    theirs = tmp_path / "theirs"
    for _ in range(4):
        text = random_config(rng, names)
        tree.write(text)
        theirs.write_text(text)
        tree.run("olddefconfig")
        linux(tree, theirs, "--olddefconfig")
        assert on(tree.config_file) == on(theirs)
    for target in ("allnoconfig", "allyesconfig", "alldefconfig"):
        tree.run(target)
        linux(tree, theirs, f"--{target}")
        assert on(tree.config_file) == on(theirs), target
    for draw in range(4):
        tree.run("randconfig", KCONFIG_SEED=str(100 * seed + draw))
        text = tree.config_file.read_text()
        theirs.write_text(text)
        linux(tree, theirs, "--olddefconfig")
        assert on(theirs) == on(tree.config_file), "a random configuration stands"
        tree.run("savedefconfig")
        linux(tree, theirs, "--savedefconfig", str(tmp_path / "defconfig"))
        assert values(tree.obj / "defconfig") == values(tmp_path / "defconfig")
        tree.preset("again_defconfig", (tree.obj / "defconfig").read_text())
        tree.run("again_defconfig")
        assert tree.config_file.read_text() == text


@pytest.mark.parametrize("part", range(2))
def test_this_tree(tmp_path: Path, part: int) -> None:
    """Random configurations of this tree, whole and as anybody might write them: Linux's
    conf reads them as kconfiglib does."""
    ours = model.load()
    planner = sweep_plan.Planner(ours, [], [1])
    rng = random.Random(part)
    config = tmp_path / "config"
    for number in range(20):
        text = planner.random("oracle", 20 * part + number).text
        lines = text.splitlines(keepends=True)
        some = "".join(line for line in lines if rng.random() < 0.5)
        for given in (text, some) if OLD_CHOICES else (text,):
            config.write_text(given)
            done = subprocess.run([FOUND[0], "--olddefconfig", "Kconfig"], cwd=ROOT, timeout=60,
                                  env={**ours.env, "srctree": ".", "KCONFIG_CONFIG": str(config)},
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  check=False)
            assert done.returncode == 0, done.stderr
            mine = tmp_path / "mine"
            mine.write_text(ours.complete(given))
            assert on(config) == on(mine)
