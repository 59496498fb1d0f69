# SPDX-License-Identifier: MIT
"""What all commands share."""

from typing import List, Tuple

import gdb


class Command(gdb.Command):
    """A command whose name is in the class; its docstring is its help."""

    name = ""
    arguments: Tuple[str, ...] = ()

    def __init__(self) -> None:
        super().__init__(self.name, gdb.COMMAND_USER)

    def words(self, argument: str) -> List[str]:
        """Return the command's arguments, as many as it takes."""
        words = [argument.strip()] if len(self.arguments) == 1 else argument.split()
        words = [word for word in words if word]
        if len(words) != len(self.arguments):
            raise gdb.GdbError("Usage: " + " ".join((self.name,) + self.arguments))
        return words


def register(name: str) -> int:
    """Return a register of the selected hart."""
    try:
        try:
            value = gdb.parse_and_eval(f"${name}")
            return int(value) % (1 << 64)
        except gdb.error:
            # Behind a trap gdb knows the saved registers only; what commands
            # want besides is as it was.
            return int(gdb.newest_frame().read_register(name)) % (1 << 64)
    except (gdb.error, ValueError) as err:
        raise gdb.GdbError(f"Cannot read the register {name}: {err}") from err
