# SPDX-License-Identifier: MIT
"""What a build depends on besides its configuration: sources, compiler, environment."""
from __future__ import annotations

import fnmatch
import hashlib
import os
import re
import shutil
from pathlib import Path
from typing import Iterator, Union

ROOT = Path(__file__).resolve().parents[2]

# Folders of the source tree that no build reads. (A named configuration is
# read, but its text is a part of the key.)
NOT_READ = ("tests", "docs", "configs", "scripts/measure", "scripts/gdb")
# All that make gets of the caller's environment: an outer make exports much.
KEPT_VARIABLES = ("PATH", "HOME", "TMPDIR", "LLVM", "CROSS_COMPILE", "HOSTCC", "CCACHE",
                  "CCACHE_DIR", "KCFLAGS", "KAFLAGS", "AHOY_USER_CACHE", "XDG_CACHE_HOME",
                  "MUSL_TARBALL", "MUSL_VERSION")
PREFIXES = ("riscv64-linux-gnu-", "riscv64-unknown-elf-", "riscv64-elf-")


class Failure(Exception):
    """There is no kernel; the text says why, with make's own words."""


def digest_of(*parts: Union[str, bytes]) -> str:
    """Return a digest of all parts."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogateescape") if isinstance(part, str) else part
        digest.update(b"%d:" % len(data) + data)
    return digest.hexdigest()[:32]


def environment() -> dict[str, str]:
    """Return make's environment, without what an outer make has set."""
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if os.environ.get(name)}
    return {**kept, "LC_ALL": "C"}


class Sources:
    """Digests of a source tree, which may change while we run."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.known: dict[str, tuple[tuple[int, int, int], str]] = {}
        self.anchored = {"build"}
        self.names: list[str] = []
        try:
            lines = (root / ".gitignore").read_text(encoding="utf-8").splitlines()
        except OSError:
            lines = []
        # What git ignores is made, not written.
        for line in lines:
            line = line.strip()
            if line.startswith("/"):
                self.anchored.add(line.strip("/"))
            elif line and line[0] not in "!#":
                self.names.append(line.rstrip("/"))
        self.pattern = re.compile("|".join(map(fnmatch.translate, self.names)) or r"(?!)")

    def files(self) -> Iterator[str]:
        """The files that a build may read, by their path in the tree."""
        skipped = self.anchored | set(NOT_READ)
        for top, folders, files in os.walk(self.root):
            at = os.path.relpath(top, self.root)
            prefix = "" if at == "." else at + "/"

            def wanted(name: str) -> bool:
                return prefix + name not in skipped and not self.pattern.match(name)

            folders[:] = sorted(filter(wanted, folders))
            for name in sorted(filter(wanted, files)):
                yield prefix + name

    def digest_file(self, name: str) -> str:
        """Return a file's digest; it is read again only where it changed."""
        path = os.path.join(self.root, name)
        try:
            stat = os.stat(path)
            state = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            known = self.known.get(name)
            if not known or known[0] != state:
                with open(path, "rb") as file:
                    known = (state, hashlib.sha256(file.read()).hexdigest())
                self.known[name] = known
            return f"{known[1]} {stat.st_mode & 0o100:o}"
        except OSError:
            return "gone"

    def digests(self) -> tuple[str, str]:
        """Return digests of all that a build reads, and of what configuring reads."""
        everything = []
        configuring = []
        for name in self.files():
            line = f"{name} {self.digest_file(name)}"
            everything.append(line)
            base = os.path.basename(name)
            if base.startswith(("Kconfig", "Makefile")) or name.startswith("scripts/kconfig/"):
                configuring.append(line)
        return digest_of(*everything), digest_of(*configuring)


def compiler() -> str:
    """Return what tells the compiler that make will take from another one."""
    llvm = os.environ.get("LLVM") or ""
    if llvm:
        prefix = llvm if llvm.endswith("/") else ""
        suffix = llvm if llvm.startswith("-") else ""
        names = [f"{prefix}clang{suffix}"]
    else:
        given = os.environ.get("CROSS_COMPILE")
        names = [f"{prefix}gcc" for prefix in ([given] if given else PREFIXES)]
    for name in names:
        path = shutil.which(name)
        if path:
            real = os.path.realpath(path)
            stat = os.stat(real)
            parts = [name, real, str(stat.st_size), str(stat.st_mtime_ns)]
            return " ".join(parts + [f"{flag}={os.environ.get(flag) or ''}"
                                     for flag in ("KCFLAGS", "KAFLAGS", "CCACHE")])
    raise Failure(f"no compiler {names[0]}: run scripts/setup.sh, or set CROSS_COMPILE or LLVM")
