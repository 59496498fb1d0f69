# SPDX-License-Identifier: MIT
"""The kernel's own tests: all of them run, in the configurations that change what they test."""

import re
import shutil
from pathlib import Path
from typing import Set

import pytest

from bootlib import (ROOT, SOURCES, Kernel, Result, boot, build, check_clean, check_panic,
                     emulator, run)

NO_SPACES = ("ADDRESS_SPACES=n", "HUGE_PAGES=n", "DEBUG_TLB=n")
TEST = re.compile(r"^KTEST\((\w+), (\w+)\)", re.MULTILINE)


def known_tests(kernel: Kernel) -> Set[str]:
    """Return the tests whose files are in a kernel, but for what an #ifdef leaves out."""
    found = set()
    for path in (*ROOT.glob("*/*_test.c"), *ROOT.glob("arch/*/*_test.c"),
                 *ROOT.glob("drivers/*/*_test.c")):
        if (kernel.tree / path.relative_to(ROOT)).with_suffix(".o").exists():
            text = path.read_text(encoding="utf-8")
            for option, body in re.findall(r"^#ifdef CONFIG_(\w+)$(.*?)^#endif", text,
                                           re.MULTILINE | re.DOTALL):
                if not kernel.has(option):
                    text = text.replace(body, "")
            found |= {".".join(names) for names in TEST.findall(text)}
    return found


def check_ktap(kernel: Kernel, result: Result) -> None:
    """Check that exactly the tests that are there ran, and that all passed."""
    check_clean(kernel, result)
    # Beside remarks, what the kernel says of an interrupt controller that is made up
    lines = [line for line in result.lines
             if not re.match(r"# |(\[ *\d+\.\d+\] )?test: interrupt \d+ ", line)]
    assert lines[0] == "KTAP version 1" and lines[1] == f"1..{len(lines) - 3}", result
    passed = [re.fullmatch(r"ok (\d+) (\S+)", line) for line in lines[2:-1]]
    assert all(passed), result
    assert [match[1] for match in passed] == [str(n) for n in range(1, len(passed) + 1)]
    assert {match[2] for match in passed} == known_tests(kernel)
    assert len(passed) >= 4


# Without what looks for mistakes, tests are as fast as the kernel that people use.
PLAIN = tuple(f"{name}=n" for name in (
    "LOCKDEP", "SOFTLOCKUP_DETECTOR", "DEADLOCK_REPORT", "DEBUG_TLB", "PAGE_POISONING",
    "HEAP_DEBUG", "FAIL_ALLOC", "SIFIVE_PLIC", "SERIAL_8250_IRQ", "CONSOLE_INPUT_TEST"))
ONE_HART = ("SMP=n", "SPINLOCK_TEST_AND_SET=n")
NO_TIMERS = (*ONE_HART, "PREEMPT_NONE=y", "TIMERS=n")
NO_THREADS = (*ONE_HART, "PREEMPT=n", "LINE_BY_THREAD=n", "THREADS=n", *NO_SPACES)


def slow(*options: str) -> object:
    """One for check-slow: others, or test_harts, have its parts."""
    return pytest.param(options, marks=pytest.mark.slow)


@pytest.mark.parametrize("options", [
    (), ("HEAP_FIRST_FIT=y",), (*ONE_HART, "UBSAN=y", "STACKPROTECTOR=y"), PLAIN,
    slow(*PLAIN, *ONE_HART),
    (*PLAIN, "PREEMPT_VOLUNTARY=y"), slow(*PLAIN, "PREEMPT_NONE=y", "HEAP_FIRST_FIT=y"),
    slow(*PLAIN, *ONE_HART, "PREEMPT_VOLUNTARY=y"), (*PLAIN, *ONE_HART, "PREEMPT_NONE=y"),
    slow(*PLAIN, *NO_TIMERS), (*PLAIN, *NO_TIMERS, "IRQ=n"), (*PLAIN, *NO_THREADS),
    (*PLAIN, "VMALLOC=n"), (*PLAIN, "KERNEL_IDENTITY=y", *NO_SPACES),
    slow(*PLAIN, "RISCV_SSTC=n"),
    (*PLAIN, *NO_THREADS, "PAGING_BARE=y", "PAGING_FALLBACK=n", "LINEAR_MAP=n", "VMALLOC=n"),
    slow(*PLAIN, "LTO=y"), slow(*PLAIN, "PAGING_SV57=y"),
    (*PLAIN, "PAGING_SV39=y", "PAGING_FALLBACK=n", *ONE_HART, "HUGE_PAGES=n", "VMALLOC=n"),
], ids=lambda options: " ".join(name for name in options if name not in PLAIN)
    + (" plain" if PLAIN[0] in options else ""))
def test_variant(options: tuple) -> None:
    """Each alternative passes the same tests."""
    kernel = build("ktest", *options)
    check_ktap(kernel, boot(kernel))


@pytest.mark.parametrize("options", [
    (), slow(*PLAIN, "SPINLOCK_TICKET=y"), slow(*PLAIN, "PREEMPT_VOLUNTARY=y"),
    (*PLAIN, "PREEMPT_NONE=y", "HEAP_FIRST_FIT=y"),
], ids=lambda options: " ".join(name for name in options if name not in PLAIN))
@pytest.mark.parametrize("harts", [2, 8])
def test_harts(options: tuple, harts: int) -> None:
    """The same on several harts."""
    kernel = build("ktest", *options)
    result = boot(kernel, "--smp", str(harts))
    check_ktap(kernel, result)
    assert f"# {harts} harts" in result.lines


@pytest.mark.parametrize("args", [
    ("--mem", "8M"), ("--mem", "3G"), ("--mem", "16G"), ("--machine", "sifive_u"),
    ("--machine", "spike"),
], ids=" ".join)
def test_machine(args: tuple) -> None:
    """Little and much memory, other machines."""
    kernel = build("ktest", *PLAIN)
    result = boot(kernel, *args)
    if args[0] == "--machine":
        assert "not ok" not in result.text and result.lines[-1] == "Hello world.", result
    else:
        check_ktap(kernel, result)


def test_svade() -> None:
    """A hart that leaves accessed and dirty bits to the kernel, with Sv39 alone."""
    if emulator() < (8, 0):
        pytest.skip("before version 8 QEMU's harts set the bits")
    kernel = build("ktest")
    check_ktap(kernel, boot(kernel, "--cpu", "rva22s64", "--smp", "2"))


@pytest.mark.slow
@pytest.mark.parametrize("harts", [1, 8])
def test_stress(harts: int) -> None:
    """A hundred times the work: 10,000 threads, 100,000 timers."""
    kernel = build("ktest")
    check_ktap(kernel, boot(kernel, "--smp", str(harts), "--append", "ktest.scale=100"))


def test_no_sstc() -> None:
    """A hart without a timer of its own asks the firmware."""
    if emulator() < (8, 0):
        pytest.skip("before version 8 QEMU's harts have no such switch")
    kernel = build("ktest")
    check_ktap(kernel, boot(kernel, "--cpu", "rv64,sstc=off"))


def test_failure(tmp_path: Path) -> None:
    """A test that fails is told by file and line, and the kernel panics when all have run."""
    tree = tmp_path / "tree"
    tree.mkdir()
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns(
                "*.o", "*.a", ".*", "generated", "config"))
        else:
            shutil.copy2(ROOT / name, tree / name)
    with open(tree / "mm/page_alloc_test.c", "a", encoding="utf-8") as file:
        file.write("\nKTEST(page_alloc, wrong)\n{\n\tKTEST_EXPECT(1 + 1 == 3);\n}\n")
    run(["make", "-s", "-j2", "-C", tree, f"O={tmp_path}/obj", "ktest_defconfig"])
    run(["make", "-s", "-j2", "-C", tree, f"O={tmp_path}/obj"])
    result = boot(Kernel(tmp_path / "obj"))
    check_panic(result, "tests failed")
    assert "1 of " in result.text
    assert re.search(r"^# \S*mm/page_alloc_test\.c:\d+: not so: 1 \+ 1 == 3$", result.text,
                     re.MULTILINE), result
    assert re.search(r"^not ok \d+ page_alloc\.wrong$", result.text, re.MULTILINE), result
    assert re.search(r"^ok \d+ wait\.results$", result.text, re.MULTILINE), result


@pytest.mark.parametrize("way, reason", [
    ("user", "store page fault at 0x10000000 (user memory)"),
    ("user-copy", "load page fault at 0xffffffffffdff000 (beyond the end of a mapping)"),
    ("user-fence", "tlb: a change was not fenced: hart 0"),
])
def test_user_memory(way: str, reason: str) -> None:
    """The kernel does not reach user memory but by copying, and no fence is left out."""
    kernel = build("ktest", "KTEST=n", "CRASH_TEST=y")
    check_panic(boot(kernel, "--append", f"crash={way}"), reason)


def test_thread_stack_overflow() -> None:
    """A thread that overflows its stack meets the page below it."""
    kernel = build("ktest", "KTEST=n", "CRASH_TEST=y")
    check_panic(boot(kernel, "--append", "crash=thread-stack"), "(stack overflow)")


WHERE = r"lockdep_crash\.c:\d+"
LOCKS = {
    "lock-order": "lock order: spin_a is wanted while spin_b is held, after the opposite\n"
                  rf"now:    spin_b \({WHERE}\), then spin_a \({WHERE}\)\n"
                  rf"before: spin_a \({WHERE}\), then spin_b \({WHERE}\)\n",
    "mutex-order": "lock order: mutex_a is wanted while mutex_c is held, after the opposite\n"
                   rf"now:    mutex_c \({WHERE}\), then mutex_a \({WHERE}\)\n"
                   rf"before: mutex_b \({WHERE}\), then mutex_c \({WHERE}\)\n"
                   rf"before: mutex_a \({WHERE}\), then mutex_b \({WHERE}\)\n",
    "lock-recursion": rf"recursive locking: spin_a \({WHERE}\) is held already\nsince {WHERE}\n",
    "mutex-recursion": rf"recursive locking: mutex_a \({WHERE}\) is held already\nsince {WHERE}\n",
    "lock-sleep": rf"sleeping with spinlock spin_a held \({WHERE}\)\nin {WHERE}\n",
    "lock-yield": rf"switching threads with spinlock spin_a held \({WHERE}\)\n",
    "masked-sleep": rf"sleeping with interrupts masked \({WHERE}\)\n",
    "lock-unmasked": rf"spinlock spin_a \({WHERE}\) is taken with interrupts on\n",
    "lock-assert": rf"spin_a must be held \({WHERE}\)\n",
    "mutex-owner": rf"thread boot gives back mutex mutex_a \({WHERE}\), which is held by owner\n",
    "mutex-ends": rf"thread careless ends and holds mutex mutex_a \({WHERE}\)\n",
    "mutex-circle": "deadlock: thread [a-z]+ waits for a mutex, and others for each other's and "
                    "its own\n"
                    rf"(thread [a-z]+ waits for right->mutex \({WHERE}\), held by [a-z]+\n){{3}}",
}


MEMORY = {
    "page-twice": r"page [0-9a-f]+: freed, and nobody has it",
    "page-order": r"page [0-9a-f]+: freed as a block of order 1, and has 2",
    "page-after": r"page (?P<page>[0-9a-f]+)000: (?P=page)060 was written after it was freed: "
                  r"0xaaaaaa01aaaaaaaa",
    "heap-behind": r"heap: [0-9a-f]+ of 100 bytes, allocated by crash_heap_behind\+\S+: "
                   r"written behind it, at [0-9a-f]+ \(offset 100\)",
    "heap-before": r"heap: .*crash_heap_before.*: written before it, .*\(offset -1\)",
    "heap-twice": r"heap: .*crash_heap_twice.*: freed twice",
    "heap-after": r"heap: .*crash_heap_after.*: written after it was freed, .*\(offset 10\)",
    "heap-stray": r"heap: [0-9a-f]+ was freed, but never allocated",
}


@pytest.mark.parametrize("way", sorted(MEMORY))
def test_memory_checker(way: str) -> None:
    """Each mistake with memory is reported, and whose memory it was."""
    kernel = build("ktest", "KTEST=n", "CRASH_TEST=y", "STACKTRACE=y", "KALLSYMS=y")
    report = check_panic(boot(kernel, "--append", f"crash={way}"))
    assert re.match(f"Kernel panic - not syncing: {MEMORY[way]}", report), report


def test_heap_report() -> None:
    """The log tells at the end who has what."""
    kernel = build("ktest", "KTEST=n", "CRASH_TEST=y", "STACKTRACE=y", "KALLSYMS=y")
    text = boot(kernel, "--append", "loglevel=8").text
    total = re.search(r"heap: (\d+) objects of (\d+) bytes in use$", text, re.MULTILINE)
    assert total, text
    rows = re.findall(r"heap: (\d+) objects of (\d+) bytes, by (\w+)\+", text)
    assert sum(int(row[0]) for row in rows) == int(total[1]) > 0
    assert sum(int(row[1]) for row in rows) == int(total[2])


@pytest.mark.parametrize("share", [1, 2, 3])
def test_failing_allocations(share: int) -> None:
    """The line comes out whatever allocations fail."""
    kernel = build("ktest", "KTEST=n", "CRASH_TEST=y", "STACKTRACE=y", "KALLSYMS=y")
    for harts in ("1", "4"):
        check_clean(kernel, boot(kernel, "--smp", harts, "--append", f"fail_alloc={share}"))


@pytest.mark.parametrize("way", sorted(LOCKS))
def test_lock_checker(way: str) -> None:
    """Each mistake with locks is reported, and where it was made."""
    kernel = build("ktest", "KTEST=n", "CRASH_TEST=y")
    report = check_panic(boot(kernel, "--append", f"crash={way}"))
    assert re.match(f"Kernel panic - not syncing: {LOCKS[way]}", report), report


@pytest.mark.parametrize("options", [(), slow(*ONE_HART, "PREEMPT_NONE=y")], ids=" ".join)
def test_hangs(options: tuple) -> None:
    """Who keeps a hart for itself is told once; so is who waits when nothing can wake anybody."""
    kernel = build("ktest", "KTEST=n", "CRASH_TEST=y", "SOFTLOCKUP_SECONDS=1", "STACKTRACE=y",
                   "KALLSYMS=y",
                   # A key might wake somebody.
                   "SIFIVE_PLIC=n", "SERIAL_8250_IRQ=n", "CONSOLE_INPUT_TEST=n", *options)
    check_panic(boot(kernel, "--append", "crash=deadlock"), "deadlock: every thread waits",
                "thread boot waits for", "thread polite waits for")
    hog = r"soft lockup: thread hog keeps hart \d from others for 1 s\n"
    result = boot(kernel, "--append", "crash=soft-lockup")
    assert result.status == 0 and len(re.findall(hog, result.text)) == 1, result
    assert re.search(r"^Call trace:\n(  .*\n)*  hog\+0x", result.text, re.MULTILINE), result
    report = check_panic(boot(kernel, "--append", "crash=soft-lockup softlockup_panic"))
    assert re.match(f"Kernel panic - not syncing: {hog}", report), report
