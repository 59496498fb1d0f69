# SPDX-License-Identifier: MIT
"""The console without a table: what takes over from a UART that stays busy."""

import pytest

from bootlib import boot, build, check_clean, needs_debug_console

# Nothing was written there: a status register that never says "empty".
BUSY_UART = "PLATFORM_UART_BASE=0x84000000"


@pytest.mark.parametrize("paging", ["PAGING_BARE=y", "PAGING_SV39=y"])
@pytest.mark.parametrize("sbi", ["CONSOLE_SBI_LEGACY", "CONSOLE_SBI_DBCN"])
def test_busy_uart(sbi: str, paging: str) -> None:
    """SBI prints the line, whole and once."""
    if sbi == "CONSOLE_SBI_DBCN":
        needs_debug_console()
    kernel = build("uart", f"{sbi}=y", BUSY_UART, paging)
    check_clean(kernel, boot(kernel), end=b"\r\n")


def test_no_tree() -> None:
    """All that defconfig has and that needs no device tree works without one."""
    kernel = build("base", "OF=n", "PLATFORM_VIRT=y", "MEMBLOCK=n", "SERIAL_SIFIVE=n")
    check_clean(kernel, boot(kernel))
