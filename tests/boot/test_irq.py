# SPDX-License-Identifier: MIT
"""Interrupts of devices: the 16550 driven by them, and trees that say wrong things of them."""

import random
import re
import subprocess
import zlib
from pathlib import Path
from typing import Iterator

import pytest

from bootlib import (LINE, Kernel, boot, build, check_clean, check_panic, environment,
                     qemu_command)
from placed import boot_with_tree, compile_tree
from test_ktest import check_ktap

IRQ = ("SIFIVE_PLIC=y", "SERIAL_8250_IRQ=y")
INPUT = (*IRQ, "CONSOLE_INPUT_TEST=y")


@pytest.mark.parametrize("harts", [pytest.param(1, marks=pytest.mark.slow), 8])
def test_ktest(harts: int) -> None:
    """The kernel's own tests, through the queue and under it."""
    kernel = build("ktest", *IRQ)
    check_ktap(kernel, boot(kernel, "--smp", str(harts)))


@pytest.mark.parametrize("options", [
    (), ("SMP=n", "PREEMPT_NONE=y"), ("FINISH_IDLE=y",), ("FINISH_REBOOT=y",),
    pytest.param(("BANNER=y",), marks=pytest.mark.slow),
    ("SERIAL_8250_INIT=y", "SERIAL_CRLF=n"),
    pytest.param(("RISCV_SSTC=n",), marks=pytest.mark.slow),
    ("PAGING_BARE=y", "PAGING_FALLBACK=n", "LINEAR_MAP=n", "VMALLOC=n"),
], ids=" ".join)
def test_line(options: tuple) -> None:
    """The line comes once and whole, whatever comes behind it."""
    kernel = build("smp", *IRQ, *options)
    check_clean(kernel, boot(kernel))


def test_controller_alone() -> None:
    """A controller without a device that uses it."""
    kernel = build("smp", "SIFIVE_PLIC=y")
    check_clean(kernel, boot(kernel))


@pytest.mark.parametrize("machine", ["sifive_u", "spike"])
def test_machine(machine: str) -> None:
    """Machines without such a UART, or without such a controller."""
    kernel = build("smp", *IRQ)
    check_clean(kernel, boot(kernel, "--machine", machine), machine)


@pytest.mark.parametrize("crash", ["panic", "null", "stack", "nested"])
def test_panic(crash: str) -> None:
    """Reports are polled: they are whole, and nothing that was queued before is lost."""
    kernel = build("smp", *IRQ, "CRASH_TEST=y", "BANNER=y")
    result = boot(kernel, "--append", f"crash={crash} loglevel=8")
    if crash == "nested":
        assert "another fault during the report" in result.text, result
    else:
        check_panic(result)
    assert result.text.count("Linux") == 0 and result.text.startswith("["), result


# ---- Input ------------------------------------------------------------------------

def check_input(kernel: Kernel, size: int, timeout: int) -> None:
    """Send bytes into the console; compare the checksum of what the kernel read."""
    data = random.Random(size).randbytes(size)
    command = qemu_command(kernel, "--append", f"input_check={size}")
    # The console alone: bytes that mean something to QEMU's monitor are among them.
    at = command.index("-nographic")
    command[at:at + 1] = ["-display", "none", "-monitor", "none", "-serial", "stdio"]
    with subprocess.Popen(["timeout", str(timeout), *command], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, env=environment()) as qemu:
        assert qemu.stdin and qemu.stdout
        output = b""
        for text in qemu.stdout:
            output += text
            if b"waiting for" in text:
                qemu.stdin.write(data)
                qemu.stdin.flush()
    assert f"input_check: {size} bytes, CRC-32 {zlib.crc32(data):08x}".encode() in output, output
    assert output.count(LINE.encode()) == 1 and b"lost" not in output, output


@pytest.mark.parametrize("options", [(), ("SMP=n", "PREEMPT_NONE=y")], ids=" ".join)
def test_input(options: tuple) -> None:
    """No byte is lost that comes while threads and a timer keep the hart busy."""
    check_input(build("smp", *INPUT, *options), 64 << 10, 60)


@pytest.mark.slow
def test_much_input() -> None:
    """The same for a mebibyte."""
    check_input(build("smp", *INPUT), 1 << 20, 300)


# ---- Trees ---------------------------------------------------------------------------

@pytest.fixture(scope="module", name="tree")
def qemus_tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """QEMU's own tree, as source."""
    path = tmp_path_factory.mktemp("tree") / "tree.dtb"
    command = qemu_command(build("smp", *IRQ))
    command[command.index("-machine") + 1 if "-machine" in command
            else command.index("-M") + 1] += f",dumpdtb={path}"
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, timeout=30, env=environment())
    yield subprocess.run(["dtc", "-q", "-O", "dts", path], check=True, stdout=subprocess.PIPE,
                         text=True, timeout=30).stdout


@pytest.mark.parametrize("pattern, new, message", [
    (r"riscv,ndev = <[^>]*>;", "", "riscv,ndev makes no sense"),
    (r"riscv,ndev = <[^>]*>;", "riscv,ndev = <9>;", "interrupt 10: -EINVAL; polled"),
    (r"riscv,ndev = <[^>]*>;", "riscv,ndev = <1024>;", "riscv,ndev makes no sense"),
    (r"(riscv,ndev = <[^>]*>;[^}]*)interrupts-extended = <[^>]*>;", r"\1",
     "interrupts-extended makes no sense"),
    (r"interrupts-extended = <\w+ 0x0b \w+ 0x09>;", "interrupts-extended = <1 9>;",
     "no context of hart 0 in S-mode"),
    (r"reg = <0x00 0xc000000 0x00 0x\w+>;", "reg = <0 0xc000000 0 0x1000>;",
     "registers at 0xc000000 do not work: -EINVAL"),
    (r"reg = <0x00 0xc000000 0x00 0x\w+>;", "reg = <0 0x80000000 0 0x600000>;",
     "registers at 0x80000000 do not work: -EINVAL"),
    (r"interrupts = <0x0a>;", "interrupts = <11>;", "interrupt 11 does not come; polled"),
    (r"interrupts = <0x0a>;", "interrupts = <0>;", ""),
    (r"interrupts = <0x0a>;", "", ""),
    (r"interrupts = <0x0a>;\s*interrupt-parent = <(\w+)>;",
     r"interrupts-extended = <\1 10>;", ""),
    (r"interrupt-parent = <\w+>;(?=[^}]*clock-frequency)", "interrupt-parent = <77>;",
     "interrupt 10: -ENODEV; polled"),
])
def test_tree(tree: str, pattern: str, new: str, message: str, tmp_path: Path) -> None:
    """What a tree says wrongly is told, and the line comes by polling."""
    text, count = re.subn(pattern, new, tree)
    if not count:
        pytest.skip("QEMU's tree is laid out in another way")
    # The firmware's memory, which firmware adds to its own tree.
    text = text.replace("/dts-v1/;", "/dts-v1/;\n/memreserve/ 0x80000000 0x200000;")
    result = boot_with_tree(build("smp", *IRQ), compile_tree(text), tmp_path)
    assert result.status == 0 and result.lines[-1] == LINE, result
    assert result.text.count(LINE) == 1, result
    if message:
        assert message in result.text, result
    else:
        assert result.lines == [LINE], result
