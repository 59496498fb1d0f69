# SPDX-License-Identifier: MIT
"""musl as the kernel's C library: every rung with it, what it wants of the kernel, what it is."""

import re
import subprocess
from pathlib import Path
from typing import Tuple

import pytest

from bootlib import (ROOT, Kernel, boot, build, check_clean, check_panic, config_names, environment,
                     make)
from placed import PREFIXES
from test_ktest import NO_THREADS, ONE_HART, PLAIN, check_ktap

MUSL = "KERNEL_LIBC_MUSL=y"
MUSL_SH = ROOT / "scripts" / "musl.sh"
# What differs most: programs, harts, and next to nothing. The others are for check-slow.
QUICK = ("", "smp", "tiny")


@pytest.mark.parametrize("name", [
    name if name in QUICK else pytest.param(name, marks=pytest.mark.slow)
    for name in config_names() if name != "musl"])
def test_rung(name: str) -> None:
    """Every configuration works with it as with the kernel's own."""
    kernel = build(name, MUSL)
    assert kernel.has("KERNEL_LIBC_MUSL") and "musl_syscall" in kernel.symbols \
        or not kernel.has("LINE_PRINTF")
    check_clean(kernel, boot(kernel))


@pytest.mark.parametrize("options,harts", [
    ((), 4),
    ((*PLAIN, *ONE_HART, "PREEMPT_NONE=y", "UBSAN=y", "STACKPROTECTOR=y"), 1),
    ((*PLAIN, *NO_THREADS, "PAGING_BARE=y", "PAGING_FALLBACK=n", "LINEAR_MAP=n", "VMALLOC=n"), 1),
    pytest.param((*PLAIN, "LTO=y"), 4, marks=pytest.mark.slow),
    pytest.param((*PLAIN, "PREEMPT_VOLUNTARY=y", "SPINLOCK_TICKET=y"), 2, marks=pytest.mark.slow),
], ids=["checked", "cooperative", "alone", "lto", "voluntary"])
def test_in_the_kernel(options: Tuple[str, ...], harts: int) -> None:
    """Its functions against the kernel's own, errno and locks: the kernel's tests."""
    kernel = build("ktest", MUSL, *options)
    result = boot(kernel, "--smp", harts)
    check_ktap(kernel, result)
    assert " libc.integers\n" in result.text and " libc.floating_point\n" in result.text
    assert (" libc_thread.waiting_for_a_lock\n" in result.text) == kernel.has("THREADS")
    assert "musl:" not in result.text


def test_refusals_are_told() -> None:
    """What it wants and does not get is said once, with who wanted it; not without the option."""
    kernel = build("ktest", MUSL, *PLAIN, "MUSL_EMU_REPORT=y", "KALLSYMS=y")
    text = boot(kernel).text
    told = re.findall(r"^musl: system call (\d+) is not there, called from (\S+)$", text,
                      re.MULTILINE)
    # openat(), twice
    assert [where.split("+")[0] for number, where in told if number == "56"] == ["fopen"], text
    assert len({number for number, _ in told}) == len(told)


def test_abort() -> None:
    """abort() is a panic, which says so."""
    kernel = build("base", MUSL, "CRASH_TEST=y", "STACKTRACE=y", "KALLSYMS=y")
    report = check_panic(boot(kernel, "--append", "crash=abort"), "abort() was called")
    assert re.search(r"^  abort\+", report, re.MULTILINE), report


def test_exit() -> None:
    """exit() is the machine's end, with a status, after what was printed."""
    kernel = build("base", MUSL, "CRASH_TEST=y", "STACKTRACE=y", "KALLSYMS=y")
    result = boot(kernel, "--append", "crash=exit")
    assert result.text == "exit() with 3", result
    assert result.status == 3, result


def test_only_what_is_called() -> None:
    """The rung has printf(), and nothing that this does not call."""
    kernel = build("musl")
    assert {"printf", "vfprintf", "musl_syscall", "__addtf3"} <= set(kernel.symbols)
    assert not {"malloc", "fopen", "qsort", "strtod", "sscanf", "__divtf3",
                "__adddf3"} & set(kernel.symbols)
    names = set(build("uart").symbols)
    assert not {name for name in names if "musl" in name or "libc" in name}


def tool(name: str, *args: object) -> str:
    """Run one of the tools for RISC-V's objects."""
    for prefix in PREFIXES:
        try:
            return subprocess.run([f"{prefix}{name}", *map(str, args)], check=True, timeout=60,
                                  stdout=subprocess.PIPE, text=True, env=environment()).stdout
        except FileNotFoundError:
            continue
    pytest.skip(f"no {name} for RISC-V")
    return ""


# What a kernel's library must not do: trap to firmware, touch the FPU or other control registers,
# move or take the thread pointer.
FORBIDDEN = re.compile(r"\s(ecall|csr\w+|fr\w+|fs(?:csr|rm|flags)\w*|"
                       r"f(?:ld|sd|lw|sw|mv|cvt|add|mul)[.\w]*)\s|[\s,(]tp\b", re.MULTILINE)


def instructions(library: Path) -> str:
    """Disassemble a library, without the lines that are no instructions."""
    text = tool("objdump", "-d", "--no-show-raw-insn", library)
    return "\n".join(line.split("\t", 1)[1].split("#")[0].split("<")[0] + " "
                     for line in text.splitlines() if re.match(r" +[0-9a-f]+:\t", line))


def test_instructions() -> None:
    """The whole library has no instruction that a kernel's must not have."""
    text = instructions(build("musl").tree / "lib/musl/libc.a")
    assert len(text) > 100000
    assert not [match[0] for match in FORBIDDEN.finditer(text)]


def test_instructions_seen() -> None:
    """The same look at the library of programs finds what it looks for."""
    done = subprocess.run([str(MUSL_SH)], check=True, stdout=subprocess.PIPE, text=True,
                          timeout=300, env=environment())
    found = {match[0].split()[0]
             for match in FORBIDDEN.finditer(instructions(Path(done.stdout.strip(), "lib/libc.a")))}
    assert {"ecall", "frflags", "fsd"} <= found


def frame_of(path: Path, function: str) -> int:
    """Return how many bytes a function takes of the stack."""
    text = tool("objdump", "-d", "--no-show-raw-insn", f"--disassemble={function}", path)
    return sum(int(size) for size in re.findall(r"addi?\s+sp,sp,-(\d+)", text))


def test_stack() -> None:
    """Only floating point takes much of the stack: reports run on a small one."""
    kernel = build("musl")
    for function in ("printf_core", "vfprintf", "vsnprintf"):
        assert 0 < frame_of(kernel.tree / "lib/musl/libc.a", function) < 1024


@pytest.mark.slow
def test_stack_clang(tmp_path: Path) -> None:
    """The same by the other compiler, which is fonder of inlining."""
    make(tmp_path, "musl_defconfig", LLVM="1")
    make(tmp_path, "all", LLVM="1")
    kernel = Kernel(tmp_path)
    for function in ("printf_core", "vfprintf", "vsnprintf"):
        assert 0 < frame_of(kernel.tree / "lib/musl/libc.a", function) < 1024
    check_clean(kernel, boot(kernel))


@pytest.mark.parametrize("version", ["1.2.3", "1.2.5"])
def test_releases(version: str, tmp_path: Path) -> None:
    """The releases of both Debians, by their hashes, print the line."""
    fetched = subprocess.run([str(MUSL_SH), "--fetch"], timeout=300, check=False, text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             env={**environment(), "MUSL_VERSION": version})
    if fetched.returncode and "did not give" in fetched.stdout:
        pytest.skip(fetched.stdout)
    assert fetched.returncode == 0, fetched.stdout
    make(tmp_path, "musl_defconfig")
    make(tmp_path, "all", MUSL_VERSION=version)
    command = (tmp_path / "lib/musl/.libc.a.cmd").read_text(encoding="utf-8")
    assert f"/musl-{version}-" in command
    kernel = Kernel(tmp_path)
    check_clean(kernel, boot(kernel))
