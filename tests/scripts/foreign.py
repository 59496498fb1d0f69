# SPDX-License-Identifier: MIT
"""Kernels from elsewhere: Linux from Debian's packages, with a program to run."""
from __future__ import annotations

import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Optional

import pytest
from asmkernel import ROOT, find_tool
from comparing import cache

#: Where this system's own apt gets Debian from is also where this suite is.
SUITE = "trixie"
ARCH = "riscv64"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def mirror() -> str:
    """Return the mirror of Debian that this system's apt uses, or skip the test."""
    if not shutil.which("apt-get"):
        pytest.skip("no apt")
    done = subprocess.run(["apt-get", "indextargets", "--format", "$(SITE) $(RELEASE) $(ORIGIN)"],
                          stdout=subprocess.PIPE, text=True, timeout=60, check=False,
                          env={**os.environ, "LC_ALL": "C"})
    for line in done.stdout.splitlines():
        words = line.split()
        if len(words) == 3 and words[2] == "Debian":
            return words[0]
    # Without lists nothing has an origin yet.
    for path in [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*")]:
        if path.is_file():
            match = re.search(r"\bhttps?://\S+/debian/?(?=\s|$)", path.read_text(errors="replace"))
            if match:
                return match[0]
    pytest.skip("apt's sources name no mirror of Debian")


def apt_config(folder: Path) -> Path:
    """Return a configuration of apt that leaves the system's own alone."""
    for name in ("state/lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "status").touch()
    (folder / "debian.sources").write_text(
        f"Types: deb\nURIs: {mirror()}\nSuites: {SUITE}\nComponents: main\n"
        f"Architectures: {ARCH}\nSigned-By: {KEYRING}\n", encoding="ascii")
    config = folder / "apt.conf"
    config.write_text(
        f'APT::Architecture "{ARCH}";\nAPT::Architectures {{ "{ARCH}"; }};\n'
        f'Dir::State "{folder}/state";\nDir::State::status "{folder}/status";\n'
        f'Dir::Cache "{folder}/cache";\nDir::Etc::SourceList "{folder}/debian.sources";\n'
        'Dir::Etc::SourceParts "/dev/null";\nDir::Etc::PreferencesParts "/dev/null";\n'
        'APT::Sandbox::User "";\nAcquire::Languages "none";\n', encoding="ascii")
    return config


def apt(config: Path, *words: str) -> str:
    """Run an apt command; skip the test where there is no network."""
    done = subprocess.run(words, cwd=config.parent, env={**os.environ, "APT_CONFIG": str(config)},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=600, check=False)
    if done.returncode:
        pytest.skip(f"{' '.join(words)}: {done.stdout.strip()[-300:]}")
    return done.stdout


def debian_linux() -> Path:
    """Return Debian's own Linux for this architecture, fetched once."""
    folder = cache().with_name("linux")
    image = folder / "Image"
    if image.is_file():
        return image
    folder.mkdir(parents=True, exist_ok=True)
    config = apt_config(folder)
    apt(config, "apt-get", "-q", "update")
    depends = apt(config, "apt-cache", "depends", f"linux-image-{ARCH}")
    match: Optional[re.Match[str]] = re.search(r"Depends: (linux-image-6\.\S+)", depends)
    assert match, depends
    apt(config, "apt-get", "-q", "download", match[1])
    package = next(folder.glob(f"{match[1]}_*.deb"))
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(package)],
                          stdout=subprocess.PIPE) as unpack:
        with tarfile.open(fileobj=unpack.stdout, mode="r|") as files:
            for member in files:
                if re.search(r"/boot/vmlinu[xz]-", member.name):
                    kernel = files.extractfile(member)
                    assert kernel is not None
                    made = folder / "Image.new"
                    made.write_bytes(kernel.read())
                    made.replace(image)
        unpack.kill()
    package.unlink()
    return image


def cpio_entry(name: str, mode: int, data: bytes) -> bytes:
    """Return one file of an archive in the "newc" format."""
    path = name.encode() + b"\0"
    head = b"070701" + b"".join(b"%08X" % value for value in (
        0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(path), 0)) + path
    return head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4)


def initrd(folder: Path, source: str) -> Path:
    """Return an initial file system with one program, which is assembled."""
    asm, program, archive = folder / "init.S", folder / "init", folder / "initrd"
    asm.write_text(".option norelax\n.option norvc\n.globl _start\n_start:\n" + source,
                   encoding="ascii")
    subprocess.run([find_tool("gcc"), "-nostdlib", "-static", "-no-pie", "-o", str(program),
                    str(asm)], check=True)
    archive.write_bytes(cpio_entry("init", 0o100755, program.read_bytes())
                        + cpio_entry("TRAILER!!!", 0, b""))
    return archive


#: Debian's busybox-static of the suite, 1:1.37.0-6+b9.
BUSYBOX = f"main/b/busybox/busybox-static_1.37.0-6+b9_{ARCH}.deb"
BUSYBOX_SHA256 = "4add476d2b185c5b487c285b38d790f0881a7e4a8e2ddde835f917e770eb8633"


def busybox() -> Path:
    """Return Debian's own static busybox for this architecture, fetched once."""
    folder = cache().with_name("busybox")
    program = folder / "busybox"
    if program.is_file():
        return program
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        said = ""
        # By its hash; or what the suite has by now, by Debian's signature.
        for words in (["pool", BUSYBOX, BUSYBOX_SHA256], ["binary", SUITE, "busybox-static", ARCH]):
            done = subprocess.run([str(ROOT / "scripts/debian-fetch"), *words], cwd=scratch,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, timeout=600, check=False)
            said += done.stdout
            if not done.returncode:
                break
        else:
            pytest.skip(said.strip()[-300:])
        package = next(Path(scratch).glob("*.deb"))
        subprocess.run(["dpkg-deb", "-x", str(package), scratch], check=True)
        made = next(path for path in Path(scratch).rglob("busybox") if path.is_file()
                    and path.read_bytes()[:4] == b"\x7fELF")
        made.replace(program)
    return program
