#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Run the commands of the guide and write what they print into it.

A page shows a session in a block that begins with ```console: lines with "$ "
are typed into a shell in the source tree (lines with "> " go on with the one
before), lines with "(gdb) " into the gdb that "make gdb" starts, and the rest
is what they print. This script runs all
sessions of a page, in order, in a copy of the source tree without a
configuration, and replaces the rest. A command must succeed, unless its line
has "||". "make debug" is left running for the next "make gdb".

Many lines of the build, and the firmware's, are replaced by "...".

Between <!-- ladder --> and <!-- end of ladder --> a table of all named
configurations is written. With --also-qemu its instructions are counted under
a second emulator too, so that two versions of the firmware can be compared.
"""

import argparse
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, NoReturn, Optional

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"^```console\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
LADDER = re.compile(r"(<!-- ladder -->\n).*?(<!-- end of ladder -->\n)", re.DOTALL)
PROMPT = "(gdb) "
RUNGS = ("tiny", "legacy", "uart", "musl", "fdt", "sv39", "sv48", "sv57", "base", "debug", "mm",
         "irq", "threads", "preempt", "smp", "user-raw", "user", "defconfig", "posix", "ktest",
         "bench")
# The longest that a command may take, in seconds.
TIMEOUT = 300


def fail(text: str) -> NoReturn:
    """End because something in a page does not work."""
    sys.exit(f"refresh: {text}")


def copy_tree(target: Path) -> None:
    """Copy the source tree, without what builds have left in it."""
    names = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others",
                            "--exclude-standard"], stdout=subprocess.PIPE, check=True).stdout
    for name in filter(None, names.decode().split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


def free_port() -> int:
    """Return a TCP port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Session:
    """A copy of the source tree in which commands are run."""

    def __init__(self, tree: Path) -> None:
        self.tree = tree
        self.port = free_port()
        # Nothing of the caller's may change what is built or run.
        self.env = {name: os.environ[name] for name in ("PATH", "HOME", "LANG")
                    if name in os.environ}
        self.env.update(GDB_PORT=str(self.port), TERM="dumb")
        self.debug: Optional["subprocess.Popen[str]"] = None

    def start(self, command: str, **more: Any) -> "subprocess.Popen[str]":
        """Start a command in the tree."""
        return subprocess.Popen(["bash", "-c", command], cwd=self.tree, env=self.env,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                errors="replace", **more)

    def run(self, command: str, typed: Optional[str] = None) -> str:
        """Run a command; return what it prints."""
        command = re.sub(r"\n> ?", "\n", command)
        if re.match(r"make debug( |$)", command):
            # Built beforehand: gdb does not wait for that.
            self.run("make -s")
            self.debug = self.start(command, stdin=subprocess.DEVNULL)
            return ""
        with self.start(command, stdin=subprocess.PIPE) as process:
            try:
                output = process.communicate(typed, TIMEOUT)[0]
            except subprocess.TimeoutExpired:
                process.kill()
                fail(f"no end of: {command}")
        if process.returncode and "||" not in command:
            fail(f"status {process.returncode} of: {command}\n{output}")
        return self.plain(output)

    def end_debug(self) -> str:
        """Return what "make debug" printed; gdb's end was the machine's."""
        assert self.debug
        output = self.debug.communicate(timeout=TIMEOUT)[0]
        self.debug = None
        return self.plain(output)

    def plain(self, text: str) -> str:
        """Return output as a page shows it."""
        text = text.replace("\r", "").replace(f"{self.tree}/", "").replace(str(self.port), "1234")
        text = re.sub(r"^\n*(OpenSBI v.*\n)(?:.*\n)*?Boot HART MEDELEG.*\n", r"\1...\n", text,
                      flags=re.MULTILINE)
        text = re.sub(r"(?:^  [A-Z]+ +\S.*\n){7,}", "  ...\n", text, flags=re.MULTILINE)
        text = "".join(line.rstrip() + "\n" for line in text.splitlines())
        return text.strip("\n") + "\n" if text.strip() else ""


def refresh_gdb(session: Session, start: str, commands: List[str]) -> str:
    """Type commands into gdb; return the block's lines from the start of gdb on."""
    output = session.run(start, "".join(command + "\n" for command in commands))
    greeting, *answers = re.sub(r"^\(gdb\)$", "", output, flags=re.MULTILINE).split(PROMPT)
    text = f"$ {start}\n{greeting}"
    for command, answer in zip(commands, answers):
        text += f"{PROMPT}{command}\n{answer}".rstrip("\n") + "\n"
    if len(answers) < len(commands):
        fail(f"gdb ended before: {commands[len(answers)]}\n{output}")
    return text


class Block(NamedTuple):
    """The commands of a session."""

    shell: List[str]
    gdb: List[str]


def read_block(text: str) -> Block:
    """Take the commands out of a block."""
    # A command that goes on has "> " before its further lines, as in a shell.
    shell = re.findall(r"^\$ (.*(?:\n>(?: .*)?$)*)", text, re.MULTILINE)
    block = Block(shell, re.findall(rf"^{re.escape(PROMPT)}(.*)$", text, re.MULTILINE))
    if not block.shell:
        fail(f"a block has no command:\n{text}")
    return block


def refresh_sessions(text: str, session: Session) -> str:
    """Return a page with the outputs of its sessions renewed."""
    parts: List[str] = []
    place = 0
    debug_at: Optional[int] = None
    for match in BLOCK.finditer(text):
        block = read_block(match.group(1))
        parts.append(text[place:match.start()])
        place = match.end()
        *before, last = block.shell
        new = "".join(f"$ {command}\n{session.run(command)}" for command in before)
        if block.gdb:
            new += refresh_gdb(session, last, block.gdb)
            if debug_at is None:
                fail(f"there is no \"make debug\" before: {last}")
            parts[debug_at] = parts[debug_at][:-len("```\n")] + session.end_debug() + "```\n"
            debug_at = None
        else:
            new += f"$ {last}\n{session.run(last)}"
        parts.append(f"```console\n{new}```\n")
        if session.debug and debug_at is None:
            debug_at = len(parts) - 1
    return "".join(parts) + text[place:]


# ---- The ladder ------------------------------------------------------------------

def versions(qemu: str) -> str:
    """Return QEMU's and its firmware's version."""
    said = subprocess.run([*qemu.split(), "--version"], stdout=subprocess.PIPE, text=True,
                          check=True).stdout
    return re.sub(r".*version (\S+).*", r"QEMU \1", said.splitlines()[0])


def measure(session: Session, qemu: str) -> Dict[str, int]:
    """Count the instructions of what is built in the session's tree."""
    image = session.tree / "arch/riscv/boot/Image"
    said = session.run(f"scripts/meter --json --qemu '{qemu}' --kernel {image}")
    return json.loads(said)


def ladder(session: Session, emulators: List[str]) -> str:
    """Return the table of all configurations."""
    letters = [", A", ", B"] if len(emulators) > 1 else [""]
    firmware = []
    rows = []
    for name in RUNGS:
        target = name if name == "defconfig" else f"{name}_defconfig"
        session.run(f"make -s {target} all")
        image = session.tree / "arch/riscv/boot/Image"
        row = f"| [{name}](docs/{name}.md) | {image.stat().st_size:,} |"
        for qemu in emulators:
            if len(firmware) < len(emulators):
                said = session.run(f"scripts/run --qemu '{qemu}' --kernel {image}")
                found = re.search(r"^OpenSBI v\S+", said, re.MULTILINE)
                firmware.append(f"{versions(qemu)}, {found.group(0) if found else 'firmware'}")
            counts = measure(session, qemu)
            row += f" {counts['kernel']:,} | {counts['firmware']:,} |"
        rows.append(row)
    head = "| configuration | image, bytes |"
    for letter in letters:
        head += f" kernel{letter} | firmware{letter} |"
    line = "| --- | ---: |" + " ---: | ---: |" * len(emulators)
    compiler = session.run("sed -n 's/^CONFIG_CC_VERSION_TEXT=\"\\(.*\\)\"/\\1/p' .config").strip()
    stamp = "; ".join(f"{letter[2:]}: {text}".lstrip(": ")
                      for letter, text in zip(letters, firmware))
    return "\n".join([head, line, *rows, "", f"Built by {compiler}. {stamp}."]) + "\n"


def main() -> None:
    """Renew the pages that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", nargs="*", type=Path, metavar="PAGE",
                        help="README.md or a page of docs/ (all)")
    parser.add_argument("--also-qemu", metavar="COMMAND",
                        help="a second emulator for the table of the ladder")
    args = parser.parse_args()
    emulators = ["qemu-system-riscv64"] + ([args.also_qemu] if args.also_qemu else [])
    for page in args.pages or [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        text = page.read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory(prefix="ahoy-docs-") as folder:
            copy_tree(Path(folder))
            session = Session(Path(folder))
            new = refresh_sessions(text, session)
            if LADDER.search(new):
                table = ladder(session, emulators)
                new = LADDER.sub(lambda found: found.group(1) + "\n" + table + "\n"
                                 + found.group(2), new)
        if new != text:
            page.write_text(new, encoding="utf-8")
            print(f"{page}: renewed")


if __name__ == "__main__":
    main()
