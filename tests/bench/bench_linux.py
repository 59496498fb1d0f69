#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Instructions of a program's operations on Ahoy and on Linux.

The same static program (tests/user/bench.c) does each operation twenty times on
both kernels; the meter counts what every hart executes between its marks, in
the kernel, in firmware and in programs. The table has the middle one of the
twenty. Linux is Debian's, built from its linux-source package with the
configuration beside this script, once.

Exit status: 0; 1 if Ahoy needs more than half of Linux's instructions for any
of the operations; 2 if there is nothing to compare with.
"""
import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median_low
from typing import Any, Dict, List, Optional

import pytest

HERE = Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE.parent / "user"))

import userlib  # noqa: E402
from bootlib import Kernel, build, build_dir, locked  # noqa: E402
from userlib import CHARACTERS, DEVICES, FOLDER, REGULAR, ROOT, Entry  # noqa: E402

CONFIG = HERE / "linux.config"
# What operations need, and the standard kernel does without.
OPTIONS = ("PIPE=y", "VDSO=y")
ROUNDS = 20
LAST_LINE = "The operations are done."
CROSS = os.environ.get("CROSS_COMPILE") or "riscv64-linux-gnu-"


class Failure(Exception):
    """A figure cannot be had."""


def call(command: List[Any], cwd: Optional[Path] = None, timeout: int = 7200,
         **variables: str) -> str:
    """Run a command, which succeeds: what it printed."""
    done = subprocess.run([str(word) for word in command], cwd=cwd, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False,
                          timeout=timeout, env={**os.environ, **variables})
    if done.returncode:
        raise Failure(f"{' '.join(map(str, command))}\n{(done.stdout + done.stderr)[-2000:]}")
    return done.stdout


# ---- Linux --------------------------------------------------------------------

def linux_package() -> str:
    """Return the name of this release's package with Linux's source."""
    match = re.search(r"Depends: (linux-source-\S+)", call(["apt-cache", "depends",
                                                            "linux-source"]))
    if not match:
        raise Failure("this release has no package linux-source")
    return match[1]


def unpack_linux(package: str, folder: Path) -> Path:
    """Fetch Linux's source; return the folder that it is in."""
    call(["apt-get", "-q", "download", package], cwd=folder)
    deb = next(folder.glob(f"{package}_*.deb"))
    call(["dpkg-deb", "-x", deb, folder / "deb"])
    deb.unlink()
    call(["tar", "xf", next((folder / "deb" / "usr" / "src").glob("*.tar.xz"))], cwd=folder)
    shutil.rmtree(folder / "deb")
    return folder / package


def build_linux(package: str, image: Path) -> None:
    """Build Linux from its source, which takes some minutes."""
    missing = [tool for tool in ("flex", "bison", "bc", "xz") if not shutil.which(tool)]
    if missing:
        raise Failure(f"to build Linux, install {', '.join(missing)}")
    print(f"building {package} as tests/bench/linux.config says (once)", file=sys.stderr)
    with tempfile.TemporaryDirectory(dir=image.parent) as name:
        source = unpack_linux(package, Path(name))
        make = ["make", "-s", f"-j{os.cpu_count()}", "ARCH=riscv", f"CROSS_COMPILE={CROSS}"]
        # Nothing of a make around this one.
        plain = {"MAKEFLAGS": "", "MFLAGS": "", "MAKELEVEL": ""}
        call([*make, "allnoconfig"], source, KCONFIG_ALLCONFIG=str(CONFIG), **plain)
        call([*make, "Image"], source, **plain)
        shutil.copy2(source / ".config", image.with_suffix(".config"))
        shutil.copy2(source / "arch" / "riscv" / "boot" / "Image", image)


def linux() -> Path:
    """Return Linux's image, built if need be."""
    package = linux_package()
    version = call(["apt-cache", "policy", package]).split()[4]
    compiler = call([f"{CROSS}gcc", "--version"]).splitlines()[0]
    digest = hashlib.sha256(f"{version}\n{compiler}\n{CONFIG.read_text()}".encode()).hexdigest()
    folder = build_dir() / "linux-bench"
    image = folder / f"{package}-{digest[:12]}.Image"
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder / "lock"):
        if not image.exists():
            build_linux(package, image)
    return image


# ---- Measuring ----------------------------------------------------------------

def archive(path: Path) -> Path:
    """Write the archive whose first program does the operations."""
    programs = userlib.programs()
    files = {"dev": Entry(FOLDER | 0o755)}
    for name, device in DEVICES.items():
        files[f"dev/{name}"] = Entry(CHARACTERS | 0o666, b"", device)
    files["nothing"] = Entry(REGULAR | 0o755, userlib.elf())
    files["init"] = Entry(REGULAR | 0o755, (programs / "bench").read_bytes())
    path.write_bytes(userlib.archive(files))
    return path


def operations() -> List[str]:
    """Return their names, in the program's order."""
    source = (userlib.HERE / "bench.c").read_text()
    return re.findall(r'^\t\{ "([\w-]+)", \w+ \},$', source, re.MULTILINE)


def measure(image: Path, initrd: Path, more: List[str]) -> Dict[str, Dict[str, int]]:
    """Return what each operation takes: the middle one of all rounds."""
    said = call([ROOT / "scripts" / "meter", "--build-dir", build_dir() / "meter",
                 "--kernel", image, "--initrd", initrd, "--append", "console=ttyS0 quiet",
                 "--want", LAST_LINE, "--from", "marker:1", "--to", "marker:2", "--json",
                 "--timeout", 600, *more])
    intervals = json.loads(said)["intervals"]
    names = operations()
    if len(intervals) != ROUNDS * len(names):
        raise Failure(f"{image}: {len(intervals)} intervals, not {ROUNDS * len(names)}")
    found = {}
    for number, name in enumerate(names):
        rounds = intervals[number * ROUNDS:(number + 1) * ROUNDS]
        totals = [sum(row.values()) for row in rounds]
        middle = rounds[totals.index(median_low(totals))]
        found[name] = {**middle, "total": sum(middle.values())}
    return found


def table(figures: Dict[str, Dict[str, Dict[str, int]]]) -> str:
    """Return the figures for people."""
    lines = [f"{'instructions':16}{'Ahoy':>10}{'Linux':>10}{'of it':>8}"]
    for name, linux_figures in figures["linux"].items():
        mine, other = figures["ahoy"][name]["total"], linux_figures["total"]
        lines.append(f"{name:16}{mine:>10,}{other:>10,}{mine / other:>8.0%}")
    return "\n".join(lines)


def main() -> int:
    """Measure both, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--kernel", type=Path, help="an image of Ahoy (defconfig's)")
    parser.add_argument("--linux", type=Path, help="an image of Linux (built from Debian's source)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there too")
    args = parser.parse_args()
    try:
        initrd = archive(build_dir() / "bench.cpio")
        ahoy: Kernel = build("", *OPTIONS) if not args.kernel else Kernel(args.kernel)
        image = args.kernel or ahoy.image
        figures = {"ahoy": measure(image, initrd, []),
                   "linux": measure(args.linux or linux(), initrd, [])}
    except (Failure, pytest.skip.Exception, AssertionError) as failure:
        print(f"bench_linux: {failure}", file=sys.stderr)
        return 2
    if args.json:
        args.json.write_text(json.dumps(figures, indent=2) + "\n")
    print(table(figures))
    over = [name for name, row in figures["linux"].items()
            if 2 * figures["ahoy"][name]["total"] > row["total"]]
    if over:
        print(f"more than half of Linux's: {', '.join(over)}", file=sys.stderr)
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
