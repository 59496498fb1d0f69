# SPDX-License-Identifier: MIT
"""Who called whom, and what each executed: a tree made of the meter's trace log.

The log has runs of sequential instructions and what ended each. A call puts a
frame on its hart's stack, a return takes it off again; a jump into another
function is a call that returns to the caller's caller; traps and calls of the
firmware put frames there until the return from the trap. Where a return leads
to a function that is not on the stack, another thread's stack is meant: it is
looked for among those left earlier, or begun.

Every instruction of the log belongs to exactly one frame, whatever the code
does, so that the sums are the meter's.
"""
from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Iterable, Iterator, Optional

from symbols import Symbols

MODES = {"k": "kernel", "f": "firmware", "u": "user"}
#: How a frame came about.
ENTRY, CALL, TAIL, ECALL, TRAP, SWITCH, USER = (
    "entry", "call", "tail call", "ecall", "trap", "switch", "user mode")
TRAPS = (ECALL, TRAP)


class BadLog(Exception):
    """The trace log is not what it should be."""


@dataclass(eq=False)
class Frame:
    """One call of a function.

    @before, @own: instructions of the function itself, before the watched part
    and in it; without those of what it called
    @text:  what it sent to the console in the watched part
    @start: the line of the log with its first instruction
    @phase: instructions of both by phase
    """

    name: str
    mode: str
    how: str
    object: Optional[str] = None
    before: int = 0
    own: int = 0
    text: str = ""
    start: int = -1
    phase: dict[str, int] = field(default_factory=dict)
    children: list["Frame"] = field(default_factory=list)

    def total(self) -> int:
        """Return the watched instructions of the function and of all that it called."""
        return sum(frame.own for frame in self.walk())

    def total_before(self) -> int:
        """Return the same for the part before."""
        return sum(frame.before for frame in self.walk())

    def walk(self) -> Iterator["Frame"]:
        """Yield this frame and all below it."""
        todo = [self]
        while todo:
            frame = todo.pop()
            yield frame
            todo += reversed(frame.children)


@dataclass
class Stack:
    """The frames of one thread, the root of its hart first."""

    frames: list[Frame]

    @property
    def top(self) -> Frame:
        return self.frames[-1]


class Hart:
    """Where one hart is."""

    def __init__(self, number: int) -> None:
        self.root = Frame(f"hart {number}", "kernel", ENTRY)
        self.stack = Stack([self.root])
        self.left: list[Stack] = []
        self.kind = ""
        self.mode = ""


class Tree:
    """The frames of all harts. watch: the line of the log from which to count on."""

    def __init__(self, symbols: Optional[Symbols], watch: int = 0) -> None:
        self.symbols = symbols
        self.watch = watch
        self.harts: dict[int, Hart] = {}
        self.phase = "entry"  # the meter's name for what comes before labels
        #: Of each character: number of the line, hart, byte, and the stack that sent it.
        self.characters: list[tuple[int, int, int, list[Frame]]] = []
        #: Of each phase: number of the line, name.
        self.phases: list[tuple[int, str]] = []
        #: Where user mode began; -1 if it did not.
        self.user_start = -1
        #: The stack of each hart where the watched part begins.
        self.paths: dict[int, list[Frame]] = {}

    # -- reading ------------------------------------------------------------------

    def read(self, lines: Iterable[str]) -> "Tree":
        """Take a whole log."""
        for number, line in enumerate(lines):
            if number == self.watch:
                self.paths = {n: list(hart.stack.frames) for n, hart in self.harts.items()}
            words = line.split()
            try:
                if words[0] == "r":
                    self.run(number, int(words[1]), MODES[words[2]], int(words[3], 16),
                             int(words[4]), words[5])
                elif words[0] == "c":
                    hart = self.hart(int(words[1]))
                    self.characters.append((number, int(words[1]), int(words[2], 16),
                                            list(hart.stack.frames)))
                    if number >= self.watch:
                        hart.stack.top.text += chr(int(words[2], 16))
                elif words[0] == "p":
                    self.phase = line.split(maxsplit=1)[1].strip()
                    self.phases.append((number, self.phase))
                else:
                    raise BadLog(f'line {number + 1} of the trace: "{line.strip()}"')
            except (IndexError, KeyError, ValueError) as err:
                raise BadLog(f'line {number + 1} of the trace: "{line.strip()}"') from err
        return self

    def hart(self, number: int) -> Hart:
        """Return a hart, a new one at its first instruction."""
        if number not in self.harts:
            self.harts[number] = Hart(number)
        return self.harts[number]

    def where(self, mode: str, address: int) -> tuple[str, Optional[str]]:
        """Return the name and the object of what is executed there."""
        if mode != "kernel":
            return f"({mode})", None
        found = self.symbols.find(address) if self.symbols else None
        return (found.name, found.object) if found else ("(kernel)", None)

    def run(self, number: int, index: int, mode: str, address: int, count: int,
            kind: str) -> None:
        """Take a run of instructions."""
        hart = self.hart(index)
        if not count:
            # A trap right behind a store that the log was split at
            hart.kind = kind
            return
        name, owner = self.where(mode, address)
        if mode == "user" and self.user_start < 0:
            self.user_start = number
        self.arrive(hart, name, mode, owner)
        frame = hart.stack.top
        if frame.start < 0:
            frame.start = number
        if number < self.watch:
            frame.before += count
        else:
            frame.own += count
            frame.phase[self.phase] = frame.phase.get(self.phase, 0) + count
        hart.kind, hart.mode = kind, mode

    # -- from frame to frame --------------------------------------------------------

    def arrive(self, hart: Hart, name: str, mode: str, owner: Optional[str]) -> None:
        """Have the right frame on top for a run in a function."""
        top = hart.stack.top
        if top is hart.root:
            self.push(hart, name, mode, owner, ENTRY)
        elif mode != hart.mode:
            self.change_mode(hart, name, mode, owner)
        elif mode != "kernel":
            return  # what is inside of firmware and programs is not known
        elif hart.kind == "call":
            self.push(hart, name, mode, owner, CALL)
        elif hart.kind == "ret":
            self.leave(hart, name, mode, owner)
        elif hart.kind in ("ecall", "trap"):
            # To itself: how paging is switched on, and no handler.
            if name != top.name:
                self.push(hart, name, mode, owner, TRAP)
        elif hart.kind == "xret":
            self.end_trap(hart, name, mode, owner)
        elif name != top.name:
            self.jump(hart, name, mode, owner)

    def push(self, hart: Hart, name: str, mode: str, owner: Optional[str], how: str) -> None:
        """Begin a call."""
        frame = Frame(name, mode, how, owner)
        hart.stack.top.children.append(frame)
        hart.stack.frames.append(frame)

    def change_mode(self, hart: Hart, name: str, mode: str, owner: Optional[str]) -> None:
        """Cross from one privilege to another."""
        if hart.kind == "xret":
            self.end_trap(hart, name, mode, owner)
        else:
            self.push(hart, name, mode, owner, ECALL if hart.kind == "ecall" else TRAP)

    def end_trap(self, hart: Hart, name: str, mode: str, owner: Optional[str]) -> None:
        """Go back to what a trap came upon; or to user mode for the first time."""
        frames = hart.stack.frames
        for at in range(len(frames) - 1, 0, -1):
            if frames[at].how in TRAPS and frames[at - 1].mode == mode:
                del frames[at:]
                if mode == "kernel" and frames[-1].name != name:
                    self.jump(hart, name, mode, owner)
                return
        self.push(hart, name, mode, owner, USER if mode == "user" else TRAP)

    def jump(self, hart: Hart, name: str, mode: str, owner: Optional[str]) -> None:
        """Go on in another function: one that came here by jumps, or a new one."""
        frames = hart.stack.frames
        at = len(frames) - 1
        while frames[at].how == TAIL and frames[at - 1].name != name:
            at -= 1
        if frames[at].how == TAIL:
            del frames[at:]
        else:
            self.push(hart, name, mode, owner, TAIL)

    def leave(self, hart: Hart, name: str, mode: str, owner: Optional[str]) -> None:
        """Return from a function to its caller."""
        frames = hart.stack.frames
        at = len(frames) - 1
        while frames[at].how == TAIL:
            at -= 1
        if at > 1 and frames[at - 1].name == name:
            del frames[at:]
            return
        place = self.caller(frames, name)
        if place:
            del frames[place + 1:]
            return
        for stack in reversed(hart.left):
            place = self.caller(stack.frames + [hart.root], name)
            if place:
                hart.left.remove(stack)
                del stack.frames[place + 1:]
                self.change_stack(hart, stack)
                return
        if frames[-1].name != name:
            self.change_stack(hart, Stack([hart.root]))
            self.push(hart, name, mode, owner, SWITCH)

    @staticmethod
    def caller(frames: list[Frame], name: str) -> int:
        """Return the index of the innermost caller of that name, 0 if there is none."""
        return next((at for at in range(len(frames) - 2, 0, -1) if frames[at].name == name), 0)

    @staticmethod
    def change_stack(hart: Hart, stack: Stack) -> None:
        """Go on on another thread's stack."""
        if len(hart.stack.frames) > 1:
            hart.left.append(hart.stack)
        hart.stack = stack

    # -- sums ----------------------------------------------------------------------

    def frames(self) -> Iterator[Frame]:
        """Yield all frames of all harts but their roots."""
        for hart in self.harts.values():
            for child in hart.root.children:
                yield from child.walk()

    def total(self) -> int:
        """Return all instructions of the log."""
        return sum(frame.own + frame.before for frame in self.frames())


def read(log: Path, symbols: Optional[Symbols], watch: int = 0) -> Tree:
    """Return the tree of a log. Raises BadLog."""
    with open(log, encoding="ascii") as lines:
        return Tree(symbols, watch).read(lines)


def line_start(tree: Tree, want: str) -> tuple[int, int]:
    """Return where the way of the line begins in the log, and on which hart.

    It is the first instruction of whoever prints it: of the user program, where
    there is one; else of the last phase before the first character, where the
    kernel has labels; else of the innermost function that sends all of it.
    """
    sent = "".join(chr(byte) for _, _, byte, _ in tree.characters)
    at = sent.rfind(want)
    if at < 0:
        raise BadLog(f'the trace has no line "{want}"')
    first, hart, _, stack = tree.characters[at]
    if 0 <= tree.user_start < first:
        return tree.user_start, hart
    before = [number for number, _ in tree.phases if number < first]
    if before:
        return before[-1], hart
    for _, other, _, frames in tree.characters[at:]:
        if other == hart:
            common = [one for one, two in zip(stack, frames) if one is two]
            stack = stack[:len(common)]
    return max(stack[-1].start, 0), hart
