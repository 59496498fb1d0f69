# SPDX-License-Identifier: MIT
"""Programs that test system calls: on Ahoy, on Linux, and under qemu-riscv64."""
from __future__ import annotations

import random
import re
import struct
import subprocess
from pathlib import Path
from typing import Dict, List, Mapping, Optional, Sequence, Tuple

import pytest

import userlib
from bootlib import ROOT, Kernel, Result, boot, build
from foreign import debian_linux
from userlib import Entry, check_ktap, known_tests, parts, system, test_names

PROGRAMS = tuple(f"/test-{name}" for name in test_names())
# Those that take as long as there is memory
LONG = ("limits",)
QUICK = tuple(name for name in PROGRAMS if name[len("/test-"):] not in LONG)
# What programs need of a kernel; the archive comes from the tests.
USER = ("ADDRESS_SPACES=y", "USERSPACE=y", "LINE_BY_PROGRAM=y", "USER_LIBC_NONE=y",
        "INITRAMFS_PASSED=y")
END = re.compile(r"^# all have ended, (\d+) failed$", re.MULTILINE)


def check_all(text: str, but: Sequence[str] = ()) -> List[str]:
    """Check the tests of all programs but some; return those that were left out."""
    found = parts(text)
    return [line for name in test_names() if name not in but
            for line in check_ktap(found[f"test-{name}"], name)]


# ---- Elsewhere ------------------------------------------------------------------

@pytest.mark.parametrize("name", test_names())
def test_qemu_user(name: str, tmp_path: Path) -> None:
    """The same programs pass where somebody else wrote the system calls."""
    skipped = check_ktap(userlib.run_user(tmp_path, f"test-{name}"), name)
    assert len(skipped) < len(known_tests(name)), "nothing was tested"


def boot_linux(image: Path, folder: Path, commands: Sequence[str], harts: int, memory: str,
               timeout: int) -> str:
    """Run commands on Linux; return what came to the console."""
    initrd = folder / "initrd"
    initrd.write_bytes(system(commands, names=["test-exec"]))
    done = subprocess.run(
        ["qemu-system-riscv64", "-M", "virt", "-m", memory, "-smp", str(harts), "-nographic",
         "-no-reboot", "-kernel", str(image), "-initrd", str(initrd), "-append",
         "console=ttyS0 loglevel=3 panic=-1"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, timeout=timeout, check=False)
    return done.stdout.decode(errors="replace").replace("\r", "")


@pytest.mark.slow
@pytest.mark.parametrize("harts", [1, 4])
def test_linux(tmp_path: Path, harts: int) -> None:
    """What the programs expect is what Linux does: nothing fails, nothing is left out."""
    text = boot_linux(debian_linux(), tmp_path, PROGRAMS, harts, "512M", 900)
    assert check_all(text) == [], text


# ---- Ahoy -----------------------------------------------------------------------

def kernel(base: str, *options: str) -> Kernel:
    """Return a kernel that runs the programs of an archive beside it."""
    if not (ROOT / "usr" / "Kconfig").exists():
        pytest.skip("there is no user space yet")
    return build(base, *USER, *options)


def boot_user(ahoy: Kernel, folder: Path, commands: Sequence[str], *args: object,
              more: Optional[Mapping[str, Entry]] = None, timeout: int = 120) -> Result:
    """Run commands on Ahoy, and check that all ended, well, and then the machine."""
    initrd = folder / "initrd"
    initrd.write_bytes(system(["AHOY=1", *commands], more, names=["test-exec"]))
    result = boot(ahoy, "--initrd", initrd, "--expect", "# all have ended", *args, timeout=timeout)
    assert "anic" not in result.text, result
    ended = END.search(result.text)
    assert ended and ended[1] == "0", result
    assert result.status == 0, result
    return result


SLOW = pytest.mark.slow
# More harts than the host has processors: the next one in line for a ticket is often not running.
FAIR_TO_HOSTS = "SPINLOCK_TEST_AND_SET=y"
CHECKED = ("DEBUG_TLB=y", "LOCKDEP=y", "HEAP_DEBUG=y", "PAGE_POISONING=y")


@pytest.mark.parametrize("base", [
    ("user",), ("user", "PAGING_SV39=y", "PAGING_FALLBACK=n"),
    pytest.param(("user", "PREEMPT=y"), marks=SLOW),
    pytest.param(("user", *CHECKED), marks=SLOW),
], ids=" ".join)
def test_one_hart(base: Tuple[str, ...], tmp_path: Path) -> None:
    """All tests pass in the configurations that change what they test."""
    check_all(boot_user(kernel(*base), tmp_path, QUICK).text, LONG)


@pytest.mark.parametrize("base", [
    pytest.param(("smp", FAIR_TO_HOSTS), marks=SLOW),
    pytest.param(("smp", "PREEMPT_VOLUNTARY=y"), marks=SLOW),
    pytest.param(("smp", *CHECKED), marks=SLOW),
], ids=" ".join)
def test_four_harts(base: Tuple[str, ...], tmp_path: Path) -> None:
    """The same where processes run side by side."""
    check_all(boot_user(kernel(*base), tmp_path, QUICK, "--smp", 4).text, LONG)


@pytest.mark.parametrize("harts", [1, pytest.param(4, marks=SLOW)])
def test_limits(harts: int, tmp_path: Path) -> None:
    """What is used up comes back; with little memory it is sooner used up."""
    text = boot_user(kernel("smp", FAIR_TO_HOSTS), tmp_path, ["/test-limits"], "--smp", harts,
                     "--mem", "24M").text
    assert check_ktap(parts(text)["test-limits"], "limits") == []


def figures(text: str, pattern: str) -> Dict[str, int]:
    """Return the numbers that a program told."""
    match = re.search(pattern, text, re.MULTILINE)
    assert match, text
    return {name: int(value) for name, value in match.groupdict().items()}


# ---- Random system calls ----------------------------------------------------------

CALLS = r"^# (?P<calls>\d+) calls by (?P<processes>\d+) processes, seed \d+$"


def check_leak(text: str, harts: int = 1) -> None:
    """
    Check that the second of two runs has left nothing behind: what the first leaves is kept.

    Each hart keeps some pages, and a stack, for what comes next.
    """
    found = re.findall(r"^# (-?\d+) bytes more in use$", text, re.MULTILINE)
    assert len(found) > 1 and int(found[-1]) <= (64 << 10) * harts, text


def check_stress(text: str, calls: int, harts: int = 1) -> None:
    """Check that as many were made, and that nothing was lost."""
    assert figures(text, CALLS)["calls"] >= calls
    check_leak(text, harts)


@pytest.mark.slow
def test_random_calls_qemu_user(tmp_path: Path) -> None:
    """The program leaves alone who runs it."""
    text = userlib.run_user(tmp_path, "stress", "500", "1")
    assert figures(text, CALLS)["calls"] >= 500


@pytest.mark.parametrize("harts", [1, 4])
def test_random_calls(harts: int, tmp_path: Path) -> None:
    """Whatever a program asks for, the kernel lives on and loses nothing."""
    result = boot_user(kernel("smp", FAIR_TO_HOSTS), tmp_path, [f"/stress 25000 {harts}"] * 2,
                       "--smp", harts)
    check_stress(result.text, 25000, harts)


@pytest.mark.slow
@pytest.mark.parametrize("harts", [1, 4])
def test_million_random_calls(harts: int, tmp_path: Path) -> None:
    """The same with a million of them, some with all that looks for mistakes of the kernel."""
    commands = [f"/stress 250000 {seed}" for seed in range(10, 13)]
    boot_user(kernel("smp"), tmp_path, commands, "--smp", harts, timeout=1500)
    result = boot_user(kernel("smp", "DEBUG_TLB=y", "LOCKDEP=y", "HEAP_DEBUG=y"), tmp_path,
                       ["/stress 125000 13", "/stress 125000 13"], "--smp", harts, timeout=1500)
    check_stress(result.text, 125000, harts)


# ---- Programs with wrong bytes ------------------------------------------------------

#: Fields of the headers, as offset and size: what the kernel looks at
FIELDS = [(4, 1), (5, 1), (6, 1), (7, 1), (16, 2), (18, 2), (20, 4), (24, 8), (32, 8), (40, 8),
          (48, 4), (52, 2), (54, 2), (56, 2), (58, 2), (60, 2), (62, 2)] + [
    (64 + 56 * number + offset, size) for number in range(4)
    for offset, size in ((0, 4), (4, 4), (8, 8), (16, 8), (24, 8), (32, 8), (40, 8), (48, 8))]
VALUES = [0, 1, 2, 3, 4, 7, 8, 0x10, 0x38, 0x40, 0xff, 0xfff, 0x1000, 0x1001, 0xffff, 0x10000,
          0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x3fffffffff, 0x4000000000,
          0x7ffffffff000, 0x800000000000, 0x7fffffffffffffff, 0x8000000000000000,
          0xffffffff80000000, 0xfffffffffffff000, 0xffffffffffffffff]


def mutant(program: bytes, dice: random.Random) -> bytes:
    """Return a program in which something is wrong, mostly in its headers."""
    data = bytearray(program)
    for _ in range(dice.choice((1, 1, 1, 2, 3, 8))):
        kind = dice.randrange(10)
        if kind < 5:
            at, size = dice.choice(FIELDS)
            value = dice.choice((dice.choice(VALUES), dice.getrandbits(64)))
            data[at:at + size] = struct.pack("<Q", value)[:size]
        elif kind < 7:
            at, size = dice.choice(FIELDS)
            old = int.from_bytes(data[at:at + size], "little")
            new = old + dice.choice((-4096, -1, 1, 8, 4096, 1 << dice.randrange(64)))
            data[at:at + size] = (new % (1 << 8 * size)).to_bytes(size, "little")
        elif kind < 9:
            data[dice.randrange(64 + 56 * 4)] ^= 1 << dice.randrange(8)
        else:
            data = data[:dice.randrange(len(data))].ljust(64 + 56 * 4, b"\0")
    return bytes(data)


def mutants(count: int, seed: int) -> Dict[str, Entry]:
    """Return programs that are all different and all wrong, or nearly all."""
    dice = random.Random(seed)
    # Four segments, so that they can get into each other's way
    good = userlib.elf_segments()
    files = {"broken": Entry(userlib.FOLDER | 0o755)}
    for number in range(count):
        files[f"broken/{number}"] = Entry(userlib.REGULAR | 0o755, mutant(good, dice))
    return files


MUTANTS = (r"^# (?P<refused>\d+) refused, (?P<exited>\d+) exited, (?P<killed>\d+) killed, "
           r"(?P<stuck>\d+) stuck$")


def check_mutants(text: str, count: int) -> None:
    """Check that all were run, that some came to each end, and that nothing was lost."""
    ends = figures(text, MUTANTS)
    assert sum(ends.values()) == count and ends["stuck"] == 0, text
    assert min(ends["refused"], ends["exited"]) > count / 50 and ends["killed"], text
    check_leak(text)


def test_mutants(tmp_path: Path) -> None:
    """A program with wrong headers is refused, or ends by itself."""
    result = boot_user(kernel("user"), tmp_path, ["/mutants broken 1000"] * 2,
                       more=mutants(1000, 1))
    check_mutants(result.text, 1000)


@pytest.mark.slow
def test_ten_thousand_mutants(tmp_path: Path) -> None:
    """The same with many, on several harts."""
    result = boot_user(kernel("smp"), tmp_path, ["/mutants broken 10000", "/mutants broken 1000"],
                       "--smp", 4, "--mem", "256M", more=mutants(10000, 2), timeout=1200)
    check_mutants(result.text, 10000)


# ---- Archives with wrong bytes ------------------------------------------------------

def broken_archive(good: bytes, heads: Sequence[int], dice: random.Random) -> bytes:
    """Return an archive in which something is wrong."""
    data = bytearray(good)
    kind = dice.randrange(4)
    at = dice.choice(heads)
    if kind == 0:
        return bytes(data[:dice.randrange(len(data))])
    if kind == 1:
        # A digit of a header
        data[at + dice.randrange(110)] = dice.choice(b"0123456789abcdefABCDEF \0\xffxg")
    elif kind == 2:
        # One of its numbers
        field = at + 6 + 8 * dice.randrange(13)
        data[field:field + 8] = b"%08x" % dice.choice(
            (0, 1, 2, 0xffffffff, 0xfffffffc, 0x7fffffff, len(good), dice.getrandbits(32)))
    else:
        # A name
        data[at + 110 + dice.randrange(8)] = dice.randrange(256)
    return bytes(data)


def check_broken(result: Result) -> None:
    """Check that a machine with such an archive came to an end that somebody can read."""
    text = result.text
    assert result.status != 124 and "run: no end" not in result.notes, result
    # The programs ran all the same, or there is a reason.
    assert END.search(text) or re.search(
        r"^(\[ *\d+\.\d+\] )?(Kernel panic - not syncing: |initramfs: )\S.*", text,
        re.MULTILINE) or result.notes, result
    for word in ("page fault", "illegal instruction", "misaligned", "BUG", "assert"):
        if "Kernel panic" in text:
            assert word not in text[text.index("Kernel panic"):], result


@pytest.mark.parametrize("seed", range(3))
def test_broken_archives(seed: int, tmp_path: Path) -> None:
    """The kernel says what is wrong with an archive, or takes no notice."""
    ahoy = kernel("user")
    good = system(["AHOY=1", "/test-misc uname"])
    heads = [match.start() for match in re.finditer(rb"070701[0-9a-f]{104}", good)]
    dice = random.Random(seed)
    initrd = tmp_path / "initrd"
    for _ in range(12):
        initrd.write_bytes(broken_archive(good, heads, dice))
        check_broken(boot(ahoy, "--initrd", initrd, "--expect", "# all have ended"))
