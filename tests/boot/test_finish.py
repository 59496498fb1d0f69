# SPDX-License-Identifier: MIT
"""What follows the line: power-off, reboot or rest, by each configured way alone."""

import re
import subprocess
import time

import pytest

from bootlib import BOOT_TIMEOUT, LINE, boot, build, check_clean, environment, qemu_command
from machine import Machine

WFI = bytes.fromhex("73005010")
POWER = ("SBI_SRST", "SBI_LEGACY", "SIFIVE_TEST")
LINE_END = re.escape(LINE.encode()) + rb"\r?\n"


def only(way: str) -> list:
    """Return the options that leave one way to end the machine."""
    return [f"POWER_{name}={'y' if name == way else 'n'}" for name in POWER]


@pytest.mark.parametrize("way", POWER)
@pytest.mark.parametrize("name", ["", "uart"])
def test_power_off(name: str, way: str) -> None:
    """Each way alone ends QEMU, found in the device tree or compiled in."""
    kernel = build(name, *only(way))
    check_clean(kernel, boot(kernel))


@pytest.mark.parametrize("way", ["SBI_SRST", "SIFIVE_TEST"])
@pytest.mark.parametrize("name", ["", "uart"])
def test_reboot(name: str, way: str) -> None:
    """QEMU sees one reboot and, told so, ends at it; not told so, the line comes again."""
    kernel = build(name, "FINISH_REBOOT=y", *only(way))
    check_clean(kernel, boot(kernel))
    command = [word for word in qemu_command(kernel) if word != "-no-reboot"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          env=environment()) as qemu:
        try:
            assert qemu.stdout
            output = b""
            deadline = time.monotonic() + BOOT_TIMEOUT
            while len(re.findall(LINE_END, output)) < 3 and time.monotonic() < deadline:
                data = qemu.stdout.read1(65536)
                assert data, f"QEMU ended\n{output.decode(errors='replace')}"
                output += data
        finally:
            qemu.terminate()
    assert len(re.findall(LINE_END, output)) >= 3


def test_reboot_sifive_u() -> None:
    """A machine that cannot power off can still reboot."""
    kernel = build("base", "FINISH_REBOOT=y")
    done = boot(kernel, "--machine", "sifive_u")
    check_clean(kernel, done, "sifive_u")


def rests(machine: Machine, alone: bool = True) -> None:
    """Check that nothing happens any more: no output, no work, and the boot hart waits.

    Other harts are firmware's, which may keep them busy: OpenSBI 1.1's do not sleep.
    """
    machine.wait_for(LINE_END)
    said = machine.output
    for _ in range(60):
        used = machine.cpu_seconds()
        time.sleep(0.5)
        if not alone or machine.cpu_seconds() - used < 0.2:
            break
    else:
        pytest.fail("QEMU is busy: the harts do not rest")
    first, last = (machine.kernel.symbols[name] for name in ("_start", "_etext"))
    places = machine.pcs()
    here = [pc - first for pc in places if first <= pc < last]
    assert len(here) == 1, places
    image = machine.kernel.image.read_bytes()
    assert WFI in (image[here[0] - 4:here[0]], image[here[0]:here[0] + 4]), hex(here[0])
    assert machine.output == said


@pytest.mark.parametrize("name, harts", [("", 1), ("base", 4), ("tiny", 4), ("uart", 1)])
def test_idle(name: str, harts: int) -> None:
    """With nothing left to do, the hart sleeps in the kernel."""
    kernel = build(name, "FINISH_IDLE=y")
    check_clean(kernel, boot(kernel, "--smp", harts))
    with Machine(kernel, "--smp", harts) as machine:
        rests(machine, alone=harts == 1)


@pytest.mark.parametrize("name", ["", "fdt"])
def test_no_power_off(name: str) -> None:
    """Where nothing can end the machine, the kernel rests as well."""
    with Machine(build(name, *only("SBI_SRST")), "--machine", "sifive_u") as machine:
        rests(machine, alone=False)
