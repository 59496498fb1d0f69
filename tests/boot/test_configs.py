# SPDX-License-Identifier: MIT
"""Every configuration of configs/, and a fixed sample of random ones."""

import pytest

from bootlib import (Kernel, ROOT, boot, build, build_random, check_clean, config_names,
                     needs_debug_console)

# Few: a part of the pairwise set is built and booted as well (test_sweep_pairwise.py).
RANDOM_SEEDS = range(1, 3)


@pytest.mark.parametrize("name", config_names())
def test_config(name: str) -> None:
    """It builds without a word, prints the line once and comes to its end."""
    kernel = build(name)
    check_clean(kernel, boot(kernel))


@pytest.mark.parametrize("name", config_names())
def test_first_line(name: str) -> None:
    """The first line says what the configuration shows, in a sentence."""
    path = ROOT / "configs" / (f"{name}_defconfig" if name else "defconfig")
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith("# ") and first.endswith(".") and len(first) > 20


def only_debug_console(kernel: Kernel) -> bool:
    """Tell whether the kernel can print through SBI's debug console alone."""
    return kernel.has("CONSOLE_SBI_DBCN") and not kernel.has(
        "CONSOLE_SBI_LEGACY", "SERIAL_8250", "SERIAL_SIFIVE")


@pytest.mark.parametrize("seed", RANDOM_SEEDS)
def test_random(seed: int) -> None:
    """A random configuration works like a named one, on the machine it is for."""
    kernel = build_random(seed)
    if only_debug_console(kernel):
        needs_debug_console()
    check_clean(kernel, boot(kernel))


def test_debug_console_alone() -> None:
    """A kernel that knows SBI's debug console alone."""
    kernel = build("tiny", "CONSOLE_SBI_LEGACY=n")
    needs_debug_console()
    check_clean(kernel, boot(kernel))
