# SPDX-License-Identifier: MIT
"""What the line costs: bytes of images, and the kernel's instructions up to its end.

The counts are exact and the same at every run. The bounds are promises, above
what is reached by what another compiler may do; they hold for GCC.
"""

import json
import subprocess
from typing import Dict, NamedTuple, Optional, Tuple

import pytest

from bootlib import ROOT, Kernel, build, emulator, environment, needs_debug_console

METER = ROOT / "scripts" / "meter"


class Bound(NamedTuple):
    """What a configuration may cost."""

    name: str
    options: Tuple[str, ...] = ()
    image: Optional[int] = None         # bytes
    instructions: Optional[int] = None  # at 128 MiB and one hart
    at_64_gib: Optional[int] = None     # at 64 GiB
    debug_console: bool = False         # counted where firmware has one


BOUNDS = [
    Bound("tiny", (), 128, 24, debug_console=True),
    Bound("tiny", ("CONSOLE_SBI_LEGACY=n", "POWER_SBI_LEGACY=n"), 64, 10, debug_console=True),
    Bound("legacy", (), 96, 128),
    Bound("uart", (), None, 128),
    Bound("sv48", (), None, 3000, 3500),
    # The line through musl's stdio, on top of uart.
    Bound("musl", (), 32 << 10, 3000),
    # The standard kernel, with programs.
    Bound("", (), 96 << 10, 35000, 37000),
    Bound("base", (), 24 << 10, 20000, 21300),
    # All of memory, interrupts, time and threads.
    Bound("base", ("PAGE_ALLOC=y", "IRQ=y", "TIMERS=y", "THREADS=y", "PREEMPT=y", "VMALLOC=y",
                   "LINE_BY_THREAD=y", "ADDRESS_SPACES=y", "SIFIVE_PLIC=y", "SERIAL_8250_IRQ=y"),
          None, 30000),
]
# These may grow with the device tree and the linear map alone.
EACH_HART = 650
FROM_128_MIB_TO_64_GIB = {"base": 1300, "": 2500}


def requirements(kernel: Kernel, debug_console: bool = False) -> None:
    """Skip the test where its figures do not hold."""
    emulator()
    if kernel.has("CC_IS_CLANG"):
        pytest.skip("the bounds are for GCC")
    if debug_console:
        needs_debug_console()


def instructions(kernel: Kernel, *args: object) -> int:
    """Return the instructions to the end of the line, without the firmware's."""
    done = subprocess.run([str(METER), "--kernel", str(kernel.image), "--json",
                           *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          stdin=subprocess.DEVNULL, text=True, timeout=150, check=False,
                          env=environment())
    if done.returncode and "plugin" in done.stderr.lower():
        pytest.skip(done.stderr.strip().splitlines()[-1])
    assert done.returncode == 0, done.stderr
    counts: Dict[str, int] = json.loads(done.stdout)
    return counts["kernel"] + counts.get("user", 0)


def bound_id(bound: Bound) -> str:
    """Return a test's name."""
    return " ".join((bound.name or "defconfig",) + bound.options)


@pytest.mark.parametrize("bound", [b for b in BOUNDS if b.image], ids=bound_id)
def test_image(bound: Bound) -> None:
    """The flat image's size."""
    kernel = build(bound.name, *bound.options)
    if kernel.has("CC_IS_CLANG"):
        pytest.skip("the bounds are for GCC")
    assert bound.image and kernel.image.stat().st_size <= bound.image


@pytest.mark.parametrize("bound", BOUNDS, ids=bound_id)
def test_instructions(bound: Bound) -> None:
    """Instructions to the line, and the same number when counted again."""
    kernel = build(bound.name, *bound.options)
    requirements(kernel, bound.debug_console)
    count = instructions(kernel)
    assert bound.instructions and count <= bound.instructions
    assert instructions(kernel) == count


@pytest.mark.parametrize("bound", [b for b in BOUNDS if b.at_64_gib], ids=bound_id)
def test_memory(bound: Bound) -> None:
    """The same on a large machine."""
    kernel = build(bound.name, *bound.options)
    requirements(kernel)
    assert bound.at_64_gib and instructions(kernel, "--mem", "64G") <= bound.at_64_gib


@pytest.mark.parametrize("name", ["", "base"])
def test_growth(name: str) -> None:
    """What more memory and more harts cost."""
    kernel = build(name)
    requirements(kernel)
    base = instructions(kernel)
    assert instructions(kernel, "--mem", "64G") - base <= FROM_128_MIB_TO_64_GIB[name]
    for harts in (2, 8):
        assert instructions(kernel, "--smp", harts) - base <= EACH_HART * (harts - 1)


@pytest.mark.parametrize("name", ["tiny", "legacy", "uart", "sv39", "sv48", "sv57"])
def test_no_growth(name: str) -> None:
    """Kernels that ask no device tree cost the same on every machine."""
    kernel = build(name)
    requirements(kernel)
    base = instructions(kernel)
    assert instructions(kernel, "--mem", "64G") == base
    assert instructions(kernel, "--smp", 8) == base


def test_ladder() -> None:
    """Each rung of the ladder costs more than the one below."""
    names = ["tiny", "uart", "sv39", "sv48", "sv57", "fdt", "base", ""]
    kernels = [build(name) for name in names]
    requirements(kernels[0])
    counts = [instructions(kernel) for kernel in kernels]
    assert counts == sorted(counts), dict(zip(names, counts))
