# SPDX-License-Identifier: MIT
"""Programs of tests/user, built with musl, and archives of them."""
from __future__ import annotations

import os
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path
from typing import Dict, Iterable, List, Mapping, NamedTuple, Optional, Tuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(ROOT / name) for name in ("tests/boot", "tests/scripts", "scripts")]

import initramfs  # noqa: E402
from bootlib import build_dir, environment, locked, run  # noqa: E402

TEXT_SIZE = 10000
PAGE = 4096
REGULAR, FOLDER, LINK, CHARACTERS = 0o100000, 0o040000, 0o120000, 0o020000
# exit(0): li a0, 0; li a7, 93; ecall
CODE = bytes.fromhex("13050000" "9308d005" "73000000")
DEVICES = {"console": (5, 1), "null": (1, 3), "zero": (1, 5), "full": (1, 7), "urandom": (1, 9)}


# ---- Building -----------------------------------------------------------------

def musl() -> Path:
    """Return the folder that musl is installed in, or skip the test."""
    named = os.environ.get("MUSL")
    if named:
        return Path(named)
    script = ROOT / "scripts" / "musl.sh"
    if not script.exists():
        pytest.skip("no musl for RISC-V: MUSL= names none")
    done = subprocess.run([str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=600, check=False, env=environment())
    if done.returncode:
        pytest.skip(f"no musl for RISC-V: {done.stderr.strip()[-300:]}")
    return Path(done.stdout.strip())


def programs() -> Path:
    """Return the folder of the programs, after building them."""
    folder = build_dir() / "user"
    with locked(build_dir() / ".locks" / "user"):
        run(["make", "-s", "-j2", "-C", HERE, f"O={folder}", f"MUSL={musl()}"])
    return folder


def test_names() -> List[str]:
    """Return the names of the programs with tests."""
    match = re.search(r"^TESTS := ((?:.*\\\n)*.*)", (HERE / "Makefile").read_text(), re.MULTILINE)
    assert match
    return match[1].replace("\\\n", " ").split()


# ---- Files --------------------------------------------------------------------

class Entry(NamedTuple):
    """A file of an archive."""

    mode: int
    data: bytes = b""
    device: Tuple[int, int] = (0, 0)


def text() -> bytes:
    """Return what data/text holds, as ktap.h says it."""
    return bytes(ord("a") + (i * 7 + i // 26) % 26 for i in range(TEXT_SIZE))


def elf(code: bytes = CODE, e: Optional[Mapping[str, int]] = None,
        p: Optional[Mapping[str, int]] = None) -> bytes:
    """Return a program of one segment; fields of its headers may be said."""
    head = {"class": 2, "data": 1, "type": 2, "machine": 243, "version": 1, "entry": 0x10078,
            "phoff": 64, "flags": 5, "ehsize": 64, "phentsize": 56, "phnum": 1, **(e or {})}
    size = 64 + 56 + len(code)
    seg = {"type": 1, "flags": 5, "offset": 0, "vaddr": 0x10000, "paddr": 0x10000,
           "filesz": size, "memsz": size, "align": PAGE, **(p or {})}
    ident = b"\x7fELF" + bytes([head["class"], head["data"], 1]) + bytes(9)
    return ident + struct.pack(
        "<HHIQQQIHHHHHH", head["type"], head["machine"], head["version"], head["entry"],
        head["phoff"], 0, head["flags"], head["ehsize"], head["phentsize"], head["phnum"],
        0, 0, 0) + struct.pack(
        "<IIQQQQQQ", seg["type"], seg["flags"], seg["offset"], seg["vaddr"], seg["paddr"],
        seg["filesz"], seg["memsz"], seg["align"]) + code


def elf_segments() -> bytes:
    """Return a program of four segments, which looks at its data, and ends well."""
    # lui a0, 0x20; ld a0, 0x120(a0); li a7, 93; ecall
    code = bytes.fromhex("37050200" "03350512" "9308d005" "73000000")
    start = 64 + 4 * 56
    size = start + len(code) + 16
    assert start == 0x120
    segments = [(1, 5, 0, 0x10000, size, size), (1, 6, 0, 0x20000, start, 0x3000),
                (1, 4, 0, 0x30000, size, size), (0x6474e551, 6, 0, 0, 0, 0)]
    # What a0 is read from is behind what the file has for the second segment: zero.
    head = elf(e={"phnum": 4, "entry": 0x10000 + start})[:64]
    return head + b"".join(struct.pack("<IIQQQQQQ", kind, flags, offset, address, address, filesz,
                                       memsz, PAGE)
                           for kind, flags, offset, address, filesz, memsz in segments
                           ) + code + bytes(16)


def elf_files() -> Dict[str, bytes]:
    """Return programs by name: "good", those that are refused, and those that cannot run."""
    huge = 1 << 62
    return {
        "good": elf(),
        "magic": b"\x7fELE" + elf()[4:], "class": elf(e={"class": 1}),
        "machine": elf(e={"machine": 8}), "relocatable": elf(e={"type": 1}),
        "core": elf(e={"type": 4}), "phentsize": elf(e={"phentsize": 32}),
        "phnum-zero": elf(e={"phnum": 0}), "phoff-far": elf(e={"phoff": 1 << 40}),
        "phoff-negative": elf(e={"phoff": (1 << 64) - 64}), "phnum-many": elf(e={"phnum": 65535}),
        "header-only": elf()[:64], "half-header": elf()[:40],
        # Linux finds these wrong when there is no way back.
        "entry-nowhere": elf(e={"entry": 0x5000000}), "entry-kernel": elf(e={"entry": huge * 3}),
        "vaddr-kernel": elf(p={"vaddr": huge * 3}), "vaddr-end": elf(p={"vaddr": (1 << 64) - PAGE}),
        "memsz-small": elf(p={"memsz": 4}), "memsz-huge": elf(p={"memsz": huge}),
        "filesz-huge": elf(p={"filesz": huge, "memsz": huge}),
        "offset-odd": elf(p={"offset": 1}), "offset-far": elf(p={"offset": 1 << 40}),
        "no-load": elf(p={"type": 4}), "no-exec": elf(p={"flags": 4}),
    }


def data_files() -> Dict[str, Entry]:
    """Return the files that the tests look at."""
    def script(line: bytes) -> Entry:
        return Entry(REGULAR | 0o755, line)

    return {
        "data": Entry(FOLDER | 0o755),
        "data/folder": Entry(FOLDER | 0o755),
        **{f"data/elf-{name}": script(data) for name, data in elf_files().items()},
        "data/text": Entry(REGULAR | 0o644, text()),
        "data/empty": Entry(REGULAR | 0o644),
        "data/link": Entry(LINK | 0o777, b"text"),
        "data/loop": Entry(LINK | 0o777, b"loop"),
        "data/dangling": Entry(LINK | 0o777, b"missing"),
        "data/folderlink": Entry(LINK | 0o777, b"folder/.."),
        "data/empty-program": script(b""),
        "data/no-program": script(b"This is not a program.\n"),
        "data/short-elf": script(b"\x7fELF"),
        "data/script": script(b"#!test-exec --report\n"),
        "data/script-spaces": script(b"#! \t test-exec  --report  \t\nignored\n"),
        "data/script-no-newline": script(b"#!test-exec --report"),
        "data/script-nothing": script(b"#!\n"),
        "data/script-blank": script(b"#!   \n"),
        "data/script-missing": script(b"#!/no/such/program\n"),
        "data/script-folder": script(b"#!data/folder\n"),
        "data/script-script": script(b"#!data/script more\n"),
        "data/script-itself": script(b"#!data/script-itself\n"),
        "data/script-long": script(b"#!/" + b"x" * 300 + b"\n"),
        "data/script-long-argument": script(b"#!test-exec --report " + b"x" * 300 + b"\n"),
        "data/script-not-executable": Entry(REGULAR | 0o644, b"#!test-exec --report\n"),
    }


def lay_out(folder: Path, files: Mapping[str, Entry]) -> None:
    """Make these files in a folder of the host."""
    for name, entry in files.items():
        path = folder / name
        if entry.mode & 0o170000 == FOLDER:
            path.mkdir(exist_ok=True)
        elif entry.mode & 0o170000 == LINK:
            path.unlink(missing_ok=True)
            path.symlink_to(entry.data.decode())
        else:
            path.write_bytes(entry.data)
        if entry.mode & 0o170000 != LINK:
            path.chmod(entry.mode & 0o7777)


def archive(files: Mapping[str, Entry]) -> bytes:
    """Return an archive of these files."""
    return initramfs.pack([initramfs.Entry(name.encode(), entry.mode, data=entry.data,
                                           rdev=entry.device) for name, entry in files.items()])


def system(commands: Iterable[str], more: Optional[Mapping[str, Entry]] = None,
           names: Iterable[str] = ()) -> bytes:
    """Return an archive whose first process runs these commands; more programs may be named."""
    folder = programs()
    commands = list(commands)
    wanted = {"init", *names, *(command.split()[0].lstrip("/") for command in commands
                                if "=" not in command)}
    files = {"dev": Entry(FOLDER | 0o755)}
    for name, device in DEVICES.items():
        files[f"dev/{name}"] = Entry(CHARACTERS | 0o666, b"", device)
    files.update(data_files())
    files["list"] = Entry(REGULAR | 0o644, "".join(f"{c}\n" for c in commands).encode())
    files.update(more or {})
    for name in sorted(wanted):
        if name not in files:
            files[name] = Entry(REGULAR | 0o755, (folder / name).read_bytes())
    return archive(files)


# ---- Running under qemu-riscv64 -------------------------------------------------

def qemu_user() -> List[str]:
    """Return the words that start qemu-riscv64, or skip the test."""
    words = (os.environ.get("QEMU_RISCV64") or "qemu-riscv64").split()
    if not shutil.which(words[0]):
        pytest.skip(f"no {words[0]} (package qemu-user)")
    return words


def run_user(folder: Path, name: str, *args: str, timeout: int = 120) -> str:
    """Run a program under qemu-riscv64 in a folder with data/; return what it printed."""
    lay_out(folder, data_files())
    shutil.copy2(programs() / name, folder / name)
    done = subprocess.run([*qemu_user(), f"./{name}", *args], cwd=folder, timeout=timeout,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False,
                          env=environment(QEMU_USER="1"))
    return done.stdout.decode(errors="replace")


# ---- What is expected -----------------------------------------------------------

def known_tests(name: str) -> List[str]:
    """Return the tests of a program, in order."""
    source = (HERE / f"{name}.c").read_text(encoding="utf-8")
    return [f"{name}.{test}" for test in re.findall(r"^TEST(?:_LIMIT)?\((\w+)", source,
                                                    re.MULTILINE)]


def check_ktap(output: str, name: str) -> List[str]:
    """Check that all tests of a program ran, none failed; return those that were left out."""
    # Beside remarks there is what the kernel says of programs that it ends.
    lines = [line for line in output.splitlines()
             if re.match(r"KTAP|\d+\.\.|ok |not ok |Bail out", line)]
    known = known_tests(name)
    assert lines[:2] == ["KTAP version 1", f"1..{len(known)}"], output
    assert len(lines) == 2 + len(known), output
    skipped = []
    for number, (line, test) in enumerate(zip(lines[2:], known), 1):
        match = re.fullmatch(rf"ok {number} {re.escape(test)}( # SKIP .*)?", line)
        assert match, output
        if match[1]:
            skipped.append(line.split(" ", 2)[2])
    return skipped


def parts(text: str) -> Dict[str, str]:
    """Return what each program of init's list printed; all must have ended."""
    found = dict(re.findall(r"^# run /?(\S+)\n(.*?)^# end /?\1 -?\d+\n", text,
                            re.MULTILINE | re.DOTALL))
    assert re.search(r"^# all have ended, \d+ failed$", text, re.MULTILINE), text
    return found
