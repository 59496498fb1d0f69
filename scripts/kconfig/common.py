# SPDX-License-Identifier: MIT
"""What all configuration targets need: messages, errors, paths, and writing files."""
import os
import re
import sys
from typing import Tuple


class ConfError(Exception):
    """Something the user must put right; its text is the whole message."""


def by_place(text: str) -> Tuple[str, int]:
    """The order of messages that begin with FILE:LINE."""
    match = re.match(r"(.*?):([0-9]+):", text)
    return (match[1], int(match[2])) if match else (text, 0)


def say(text: str) -> None:
    """Print a message that make -s leaves out."""
    if os.environ.get("quiet") != "silent_":
        print(text)


def warn(text: str) -> None:
    print(text, file=sys.stderr)


def indented(text: str) -> str:
    return "".join(f"  {line}".rstrip() + "\n" for line in text.strip().split("\n"))


def config_path() -> str:
    return os.environ.get("KCONFIG_CONFIG") or ".config"


def source_path(name: str) -> str:
    """The path of a file of the source tree, as short as make writes it."""
    return os.path.normpath(os.path.join(os.environ["srctree"], name))


def write_atomic(path: str, text: str) -> bool:
    """Replace a file by one of this text, or keep it where it has the text.

    A reader sees the old file or the new one. A symbolic link stays one.
    Returns True if the file was written.
    """
    try:
        with open(path, encoding="utf-8", newline="") as old:
            if old.read() == text:
                return False
    except (FileNotFoundError, UnicodeDecodeError):
        pass
    real = os.path.realpath(path)
    if os.path.exists(real) and not os.path.isfile(real):
        with open(real, "w", encoding="utf-8") as device:
            device.write(text)
        return True
    tmp = f"{real}.tmp{os.getpid()}"
    try:
        with open(tmp, "w", encoding="utf-8") as new:
            new.write(text)
        os.replace(tmp, real)
    except BaseException:
        if os.path.exists(tmp):
            os.unlink(tmp)
        raise
    return True
