# SPDX-License-Identifier: MIT
"""Reading configuration files, which are lists of assignments, and laying them
over each other. Nothing here knows the symbols."""
import re
from typing import Dict, Iterable, Iterator, List, NamedTuple, Tuple

from common import ConfError

# What a configuration file may hold at all, whatever the symbol's type is.
ANY_VALUE = re.compile(r'[ymn]|-?[0-9]+|(?:0[xX])?[0-9a-fA-F]+|"(?:[^"\\]|\\.)*"|')
SET_LINE = re.compile(r"CONFIG_([A-Za-z0-9_]+)=(.*)")
UNSET_LINE = re.compile(r"# CONFIG_([A-Za-z0-9_]+) is not set")


class Assignment(NamedTuple):
    """One line of a configuration file."""
    path: str
    line: int
    name: str
    value: str   # as written, "n" for "is not set"

    @property
    def where(self) -> str:
        return f"{self.path}:{self.line}"

    @property
    def text(self) -> str:
        return f"CONFIG_{self.name}={self.value}"


def read_config(path: str) -> Tuple[List[Assignment], List[str]]:
    """Read a configuration file: its assignments, and what is malformed."""
    found: List[Assignment] = []
    bad: List[str] = []
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.read().split("\n")
    except UnicodeDecodeError as err:
        raise ConfError(f"{path}: not a configuration file: {err}") from err
    except OSError as err:
        raise ConfError(f"{path}: {err.strerror}") from err
    for number, line in enumerate(lines, 1):
        line = line.rstrip()
        match = SET_LINE.fullmatch(line)
        unset = UNSET_LINE.fullmatch(line)
        if match and ANY_VALUE.fullmatch(match[2]):
            found.append(Assignment(path, number, match[1], match[2]))
        elif unset:
            found.append(Assignment(path, number, unset[1], "n"))
        elif match:
            hint = "a string needs double quotes" if '"' not in match[2] else "malformed string"
            bad.append(f"{path}:{number}: {line}: malformed value ({hint})")
        elif line and not line.startswith("#"):
            bad.append(f"{path}:{number}: {line}: malformed line (neither CONFIG_NAME=value "
                       "nor a comment)")
    return found, bad


def merge(layers: Iterable[Iterable[Assignment]]) -> Dict[str, Assignment]:
    """Later assignments replace earlier ones and take the later place, which
    is what decides between two members of a choice."""
    merged: Dict[str, Assignment] = {}
    for layer in layers:
        for item in layer:
            merged.pop(item.name, None)
            merged[item.name] = item
    return merged


def contradictions(items: Iterable[Assignment]) -> Iterator[str]:
    """Symbols that one file sets to two different values."""
    first: Dict[str, Assignment] = {}
    for item in items:
        other = first.setdefault(item.name, item)
        if other.value != item.value:
            yield (f"{item.where}: {item.text}: contradicts {other.text} on line {other.line} "
                   "of the same file")
