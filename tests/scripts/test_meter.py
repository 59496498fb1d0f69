# SPDX-License-Identifier: MIT
"""Tests of scripts/meter: figures against hand counts and QEMU's own trace."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
from asmkernel import LINE, ROOT, POWER_OFF, build, cost, put_string, qemu_version
from metering import fixture_build_dir, measure, refused, run_meter  # noqa: F401

TEXT = LINE + "\\n"  # as written in assembly
LENGTH = len(LINE) + 1


# ---- Hand counts ------------------------------------------------------------

@pytest.mark.parametrize("how", ["store", "poll"])
def test_line(tmp_path: Path, build_dir: Path, how: str) -> None:
    """The line alone, stored by the kernel: 66 and 105 instructions."""
    image = build(tmp_path, put_string(TEXT, how) + POWER_OFF)
    result = measure(build_dir, "--kernel", image)
    expected = {"store": 66, "poll": 105}[how]
    assert expected == cost(LINE + "\n", how)
    assert result["kernel"] == result["total"] == expected
    assert result["firmware"] == result["user"] == 0


@pytest.mark.parametrize("nops,loops", [(1, 1), (7, 3), (0, 100000)])
def test_work_before(tmp_path: Path, build_dir: Path, nops: int, loops: int) -> None:
    """Instructions before the line count one each, however often they run."""
    before = " nop\n" * nops + f" li t0, {loops}\n 1: addi t0, t0, -1\n bnez t0, 1b\n"
    image = build(tmp_path, before + put_string(TEXT, "store") + POWER_OFF)
    load = 1 if loops < 2048 else 2
    assert measure(build_dir, "--kernel", image)["total"] == (
        nops + load + 2 * loops + cost(LINE + "\n", "store"))


def test_work_after(tmp_path: Path, build_dir: Path) -> None:
    """What follows the line does not count, not even more text."""
    image = build(tmp_path, put_string(TEXT, "store") + put_string(TEXT * 3, "store"))
    assert measure(build_dir, "--kernel", image)["total"] == cost(LINE + "\n", "store")


@pytest.mark.parametrize("text", ["first line\n{}\n", "<5>{}\n", "Hello Hello world{}\n",
                                  "Hello world\n{}\n", "{} and more\n", "{}\r\n"])
def test_end_of_line(tmp_path: Path, build_dir: Path, text: str) -> None:
    """The count ends at the end of the line that holds the text."""
    text = text.format(LINE)
    escaped = text.replace("\n", "\\n").replace("\r", "\\r")
    image = build(tmp_path, put_string(escaped + "rest", "store") + POWER_OFF)
    assert measure(build_dir, "--kernel", image)["total"] == cost(text, "store")


def test_other_text(tmp_path: Path, build_dir: Path) -> None:
    """Another text may be wanted, with characters that QEMU's options treat specially."""
    text = "a=b,c: %d, \"quoted\""
    escaped = text.replace('"', '\\"') + "\\n"
    image = build(tmp_path, put_string(escaped, "store") + put_string(TEXT, "store"))
    assert measure(build_dir, "--kernel", image, "--want", text)["total"] == cost(
        text + "\n", "store")


def test_divisor_is_no_text(tmp_path: Path, build_dir: Path) -> None:
    """What goes to the same address as a divisor is no character."""
    # LCR = DLAB, DLL = 10, DLM = 0, LCR = 8N1: 10 would be a newline.
    setup = ("li t1, 0x10000000\n li t0, 0x83\n sb t0, 3(t1)\n li t0, 10\n sb t0, (t1)\n"
             "sb zero, 1(t1)\n li t0, 3\n sb t0, 3(t1)\n")
    image = build(tmp_path, put_string("Hello", "store") + setup
                  + put_string(" world.\\n", "store") + POWER_OFF)
    # The first string ends with the load and the branch that see its zero byte.
    expected = cost("Hello", "store") + 2 + 2 + 8 + cost(" world.\n", "store")
    assert measure(build_dir, "--kernel", image)["total"] == expected


def test_sifive_uart(tmp_path: Path, build_dir: Path) -> None:
    """The line counts when it is stored, also where QEMU's UART sends later."""
    image = build(tmp_path, put_string(TEXT, "sifive"))
    result = measure(build_dir, "--kernel", image, "--machine", "sifive_u")
    assert result["total"] == result["kernel"] == cost(LINE + "\n", "sifive")


def test_user_mode(tmp_path: Path, build_dir: Path) -> None:
    """Where QEMU tells the privilege, user instructions count apart."""
    if qemu_version() < (9, 0):
        pytest.skip("this QEMU does not tell plugins the privilege")
    enter = ("la t0, 5f\n csrw stvec, t0\n la t0, 6f\n csrw sepc, t0\n"  # 6
             "li t0, 0x100\n csrc sstatus, t0\n sret\n"  # 3
             "6: li t0, 50\n 1: addi t0, t0, -1\n bnez t0, 1b\n ecall\n"  # user: 102
             ".balign 4\n 5:\n")
    image = build(tmp_path, enter + put_string(TEXT, "store") + POWER_OFF)
    result = measure(build_dir, "--kernel", image)
    assert result["modes_by"] == "privilege"
    assert result["user"] == 102
    assert result["kernel"] == 9 + cost(LINE + "\n", "store")
    assert result["firmware"] == 0


# ---- Firmware, harts, functions ---------------------------------------------

@pytest.mark.parametrize("machine", ["virt", "spike", "sifive_u"])
def test_firmware(tmp_path: Path, build_dir: Path, machine: str) -> None:
    """Characters that firmware sends: its instructions count apart."""
    image = build(tmp_path, put_string(TEXT, "sbi") + POWER_OFF)
    result = measure(build_dir, "--kernel", image, "--machine", machine)
    # The last ecall counts; the kernel does not go on after it.
    assert result["kernel"] == cost(LINE + "\n", "sbi")
    assert result["firmware"] > 100 * LENGTH
    assert result["total"] == result["kernel"] + result["firmware"]


def test_repeatable(tmp_path: Path, build_dir: Path) -> None:
    """The same image gives the same figures, also with many harts."""
    image = build(tmp_path, put_string(TEXT, "sbi") + POWER_OFF)
    for harts in (1, 4):
        first = measure(build_dir, "--kernel", image, "--smp", harts)
        assert measure(build_dir, "--kernel", image, "--smp", harts) == first


def test_harts(tmp_path: Path, build_dir: Path) -> None:
    """Harts count apart: what a started one does, and the boot hart's way."""
    start = ("mv s0, a0\n li t0, 3\n sub a0, t0, s0\n la a1, 7f\n li a2, 0\n"  # 6
             "li a7, 0x48534d\n li a6, 0\n ecall\n"  # 4
             "la s1, 8f\n 1: lw t0, (s1)\n beqz t0, 1b\n j 6f\n"  # 3 + 2 for each look
             "7: la s1, 8f\n li t0, 1\n sw t0, (s1)\n 1: wfi\n j 1b\n"  # 4 and more
             ".balign 4\n 8: .word 0\n 6:\n")
    image = build(tmp_path, start + put_string(TEXT, "store") + POWER_OFF)
    result = measure(build_dir, "--kernel", image, "--smp", 4)
    harts = {hart["hart"]: hart for hart in result["harts"]}
    boot = harts[result["boot_hart"]]
    other = harts[3 - result["boot_hart"]]
    assert set(harts) <= {0, 1, 2, 3}
    looks = boot["kernel"] - cost(LINE + "\n", "store") - 6 - 4 - 3
    assert looks > 0 and looks % 2 == 0
    assert other["kernel"] >= 4 and other["firmware"] > 0
    assert result["kernel"] == sum(hart["kernel"] for hart in harts.values())


def test_functions(tmp_path: Path, build_dir: Path) -> None:
    """With symbols each function has its count."""
    pytest.importorskip("elftools")
    source = (" nop\n call spin\n" + put_string(TEXT, "sbi") + POWER_OFF + " 9: j 9b\n"
              ".type spin, @function\n spin: li t0, 20\n"
              " 1: addi t0, t0, -1\n bnez t0, 1b\n ret\n")
    image = build(tmp_path, source)
    result = measure(build_dir, "--kernel", image, "--symbols", image.with_suffix(".elf"))
    counts = {row["name"]: row["instructions"] for row in result["functions"]}
    # A call without relaxation is two instructions.
    assert counts == {"_start": 3 + cost(LINE + "\n", "sbi"), "spin": 42,
                      "(firmware)": result["firmware"]}
    text = run_meter(build_dir, "--kernel", image, "--symbols", image.with_suffix(".elf")).stdout
    assert re.search(r"^ +42  spin$", text, re.MULTILINE)


# ---- No figures -------------------------------------------------------------

def test_no_line(tmp_path: Path, build_dir: Path) -> None:
    """A kernel that ends without the line: no figures, but its last words."""
    image = build(tmp_path, put_string("Hello world\\n", "store") + POWER_OFF)
    refused(run_meter(build_dir, "--kernel", image), 1, "ended without the line", "Hello world\n")


def test_firmwares_text_does_not_count(tmp_path: Path, build_dir: Path) -> None:
    """Text from before the kernel's entry is not the line."""
    image = build(tmp_path, put_string("x\\n", "store") + POWER_OFF)
    refused(run_meter(build_dir, "--kernel", image, "--want", "OpenSBI"), 1,
            "ended without the line")


def test_timeout(tmp_path: Path, build_dir: Path) -> None:
    """A kernel that hangs is stopped."""
    image = build(tmp_path, " 1: j 1b\n")
    refused(run_meter(build_dir, "--kernel", image, "--timeout", 2), 1, "within 2 seconds")


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_ended(tmp_path: Path, build_dir: Path, signum: signal.Signals) -> None:
    """QEMU ends with the meter."""
    image = build(tmp_path, " 1: j 1b\n")
    with subprocess.Popen([str(ROOT / "scripts" / "meter"), "--kernel", str(image), "--build-dir",
                           str(build_dir)], stderr=subprocess.PIPE, text=True,
                          preexec_fn=lambda: signal.signal(signal.SIGINT,
                                                           signal.default_int_handler)) as meter:
        children = Path(f"/proc/{meter.pid}/task/{meter.pid}/children")
        emulator: list[str] = []
        end = time.monotonic() + 30
        while not emulator and time.monotonic() < end:
            time.sleep(0.1)
            emulator = [pid for pid in children.read_text("ascii").split()
                        if b"-plugin" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")]
        assert emulator
        meter.send_signal(signum)
        assert meter.communicate(timeout=30)[1] == "meter: interrupted\n"
    assert meter.returncode == 130
    assert not Path(f"/proc/{emulator[0]}").exists()


def test_entry_not_reached(tmp_path: Path, build_dir: Path) -> None:
    """A wrong entry is said."""
    image = build(tmp_path, put_string(TEXT, "store") + POWER_OFF)
    refused(run_meter(build_dir, "--kernel", image, "--entry", "0x80300000"), 1,
            "entry 0x80300000 was never reached")


def test_requests(tmp_path: Path, build_dir: Path) -> None:
    """What makes no sense is refused in words."""
    image = build(tmp_path, POWER_OFF)
    refused(run_meter(build_dir, "--kernel", tmp_path / "none"), 2, "no kernel image")
    refused(run_meter(build_dir, "--kernel", image, "--mem", "much"), 2, "not a memory size")
    refused(run_meter(build_dir, "--kernel", image, "--mem", "0"), 2, "no memory")
    refused(run_meter(build_dir, "--kernel", image, "--smp", "0"), 2, "not a number of harts")
    refused(run_meter(build_dir, "--kernel", image, "--timeout", "0"), 2, "above 0")
    # What QEMU says about it is shown.
    refused(run_meter(build_dir, "--kernel", image, "--bios", "/nonexistent"), 1, "/nonexistent")
    refused(run_meter(build_dir, "--kernel", image, "--entry", "x"), 2, "not an address")
    refused(run_meter(build_dir, "--kernel", image, "--want", ""), 2, "1 to 256 bytes")
    refused(run_meter(build_dir, "--kernel", image, "--symbols", image), 2, "ELF")
    refused(run_meter(build_dir, "--kernel", image, "--qemu", "no-such-qemu"), 2, "no-such-qemu")
    refused(run_meter(build_dir, "--kernel", image, "--machine", "none-such"), 1,
            "machine")
    refused(run_meter(tmp_path / "other", "--kernel", image, HOSTCC="no-such-cc"), 1, "no-such-cc")
