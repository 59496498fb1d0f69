# SPDX-License-Identifier: MIT
"""What the kernel keeps as text: its log and its configuration."""

import re
import struct

import gdb

from .command import Command
from .memory import symbol
from .paging import read_kernel

# The marks around the configuration (kernel/ikconfig.c).
CONFIG_BEGIN = b"IKCFG_ST"
CONFIG_END = b"IKCFG_ED"
LEVELS = ("emerg", "alert", "crit", "err", "warn", "notice", "info", "debug")


class Dmesg(Command):
    """Print the log buffer: ahoy-dmesg

All messages that are still in the ring (kernel/printk.c), oldest first, each
with its level, also those that the console did not show."""

    name = "ahoy-dmesg"

    def invoke(self, argument: str, from_tty: bool) -> None:
        """Run the command."""
        self.words(argument)
        option = "a log (CONFIG_PRINTK)"
        buffer, size = symbol("log_buf", option)
        first, following = (struct.unpack("<Q", read_kernel(symbol(name, option)[0], 8))[0]
                            for name in ("log_first", "log_next"))
        if not 0 <= following - first <= size:
            raise gdb.GdbError(f"The log is damaged, or not set up yet: it begins at {first} "
                               f"and ends at {following}, with room for {size} bytes")
        if first == following:
            print("The log is empty")
            return
        ring = read_kernel(buffer, size)
        start = first % size
        text = (ring[start:] + ring[:start])[:following - first]
        lines = text.decode(errors="replace").splitlines()
        for line in lines:
            match = re.match(r"<([0-7])>(.*)", line)
            # The oldest message may be written over in part.
            level, rest = (LEVELS[int(match.group(1))], match.group(2)) if match else ("...", line)
            print(f"{level:6} {rest}")


class Config(Command):
    """Print the configuration inside the kernel: ahoy-config

Needs a kernel with CONFIG_IKCONFIG."""

    name = "ahoy-config"

    def invoke(self, argument: str, from_tty: bool) -> None:
        """Run the command."""
        self.words(argument)
        text = read_kernel(*symbol("kernel_config", "its configuration (CONFIG_IKCONFIG)"))
        begin, end = text.find(CONFIG_BEGIN), text.rfind(CONFIG_END)
        if not 0 <= begin < end:
            raise gdb.GdbError("The kernel is not in memory yet: let it start first")
        print(text[begin + len(CONFIG_BEGIN):end].decode(errors="replace"), end="")
