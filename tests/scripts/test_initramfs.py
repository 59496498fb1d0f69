# SPDX-License-Identifier: MIT
"""scripts/initramfs.py: archives that are the same each time, aligned, and read by others."""

import os
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Dict, List, NamedTuple

import pytest
from asmkernel import ROOT

INITRAMFS = ROOT / "scripts" / "initramfs.py"
PAGE = 4096
# What the packer takes for a program.
PROGRAM = b"\x7fELF" + bytes(range(256)) * 20


class Member(NamedTuple):
    """What a header says, and where the data is."""

    fields: List[int]
    at: int
    data: bytes

    @property
    def mode(self) -> int:
        """Type and permissions."""
        return self.fields[1]

    @property
    def inode(self) -> int:
        """Which file it is a name of."""
        return self.fields[0]


def members(archive: bytes) -> Dict[str, Member]:
    """Take an archive apart, by the words of the format's description."""
    found: Dict[str, Member] = {}
    at = 0
    while True:
        assert archive[at:at + 6] == b"070701", at
        fields = [int(archive[at + 6 + 8 * i:at + 14 + 8 * i], 16) for i in range(13)]
        size, namesize = fields[6], fields[11]
        assert namesize <= PAGE and archive[at + 110 + namesize - 1] == 0
        name = archive[at + 110:at + 110 + namesize].rstrip(b"\0").decode()
        start = (at + 110 + namesize + 3) & ~3
        if name == "TRAILER!!!":
            assert start == len(archive)
            return found
        assert name == "." or name not in found
        found[name] = Member(fields, start, archive[start:start + size])
        at = (start + size + 3) & ~3


def pack(source: Path, output: Path, **environment: str) -> bytes:
    """Pack a source that can be packed; return the archive."""
    done = subprocess.run([str(INITRAMFS), "-q", "-o", str(output), str(source)],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=60, check=False,
                          env={**os.environ, **environment})
    assert (done.returncode, done.stdout) == (0, "")
    return output.read_bytes()


def refused(source: Path, *words: str) -> str:
    """Pack a source that cannot be packed; return the one line that is said of it."""
    output = source.parent / "refused.cpio"
    done = subprocess.run([str(INITRAMFS), "-o", str(output), str(source), *words],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert done.returncode == 1 and not done.stdout and not output.exists()
    assert len(done.stderr.splitlines()) == 1 and done.stderr.startswith("initramfs.py: ")
    return done.stderr


def make_tree(folder: Path, reverse: bool = False) -> Path:
    """Make a folder of all kinds of files that anybody may make."""
    def file(name: str, data: bytes, mode: int) -> None:
        path = folder / name
        path.write_bytes(data)
        path.chmod(mode)

    (folder / "bin").mkdir(parents=True)
    (folder / "empty folder").mkdir()
    steps = [lambda: file("init", PROGRAM, 0o755), lambda: file("bin/ls", PROGRAM[:-1], 0o755),
             lambda: file("bin/text", b"#!/bin/sh\n", 0o755), lambda: file("empty", b"", 0o644),
             lambda: (folder / "bin/link").symlink_to("../init"),
             lambda: os.mkfifo(folder / "fifo", 0o644),
             lambda: file("secret", b"x", 0o400)]
    for step in reversed(steps) if reverse else steps:
        step()
    (folder / "bin/cp").hardlink_to(folder / "bin/ls")
    return folder


def test_reproducible(tmp_path: Path) -> None:
    """Neither times, nor order, nor who packs where shows, nor the umask."""
    first = pack(make_tree(tmp_path / "a"), tmp_path / "a.cpio", TZ="UTC")
    tree = make_tree(tmp_path / "some/where/else", reverse=True)
    for path in [*tree.rglob("*")]:
        os.utime(path, (1, 1), follow_symlinks=False)
        if not path.is_symlink():
            path.chmod(stat.S_IMODE(path.stat().st_mode) | 0o020)
    assert pack(tree, tmp_path / "b.cpio", TZ="Asia/Tokyo") == first
    assert {member.fields[5] for member in members(first).values()} == {0}
    # What would not change is left alone.
    before = (tmp_path / "b.cpio").stat()
    pack(tree, tmp_path / "b.cpio")
    assert (tmp_path / "b.cpio").stat() == before


def test_folder(tmp_path: Path) -> None:
    """What is said of each kind of file."""
    found = members(pack(make_tree(tmp_path / "a"), tmp_path / "a.cpio"))
    assert {name: (oct(member.mode), member.data) for name, member in found.items()
            if name not in (".", "bin/cp")} == {
        "bin": ("0o40755", b""), "bin/link": ("0o120777", b"../init"),
        "bin/ls": ("0o100755", PROGRAM[:-1]), "bin/text": ("0o100755", b"#!/bin/sh\n"),
        "empty": ("0o100644", b""), "empty folder": ("0o40755", b""),
        "fifo": ("0o10644", b""), "init": ("0o100755", PROGRAM), "secret": ("0o100444", b"x")}
    # Names of one file: the last has the data.
    assert found["bin/cp"].inode == found["bin/ls"].inode
    assert found["bin/cp"].data == b"" and found["bin/cp"].fields[4] == 2
    inodes = [member.inode for name, member in found.items() if name != "bin/cp"]
    assert len(set(inodes)) == len(inodes)


def test_aligned(tmp_path: Path) -> None:
    """Programs start where pages do, wherever the header before them stands."""
    tree = tmp_path / "tree"
    tree.mkdir()
    # Headers at all places of a page, also those that would not leave room for a name.
    for number in range(60):
        (tree / f"{number:02}-{'n' * (number * 3)}").write_bytes(b"\x7fELF" + bytes(number * 71))
    found = members(pack(tree, tmp_path / "a.cpio"))
    assert len(found) - ("." in found) == 60 and "." in found
    for name, member in found.items():
        assert name == "." or member.at % PAGE == 0
    (tree / "text").write_bytes(b"not a program")
    shutil.rmtree(tree)
    tree.mkdir()
    (tree / "text").write_bytes(b"not a program" * 1000)
    # Nothing is filled up without need.
    assert len(pack(tree, tmp_path / "b.cpio")) < 13000 + 300


def test_start(tmp_path: Path) -> None:
    """An archive for a place that is no page's start, which has a header before the page."""
    tree = make_tree(tmp_path / "tree")
    for start in (0, 4, 2000, 3980, 4092):
        subprocess.run([str(INITRAMFS), "-q", "--start", str(start), "-o", str(tmp_path / "a"),
                        str(tree)], check=True, timeout=60)
        found = members((tmp_path / "a").read_bytes())
        assert {(start + found[name].at) % PAGE for name in ("init", "bin/ls")} == {0}
    (tmp_path / "list").write_text("file /init tree/init 0755 0 0\n")
    subprocess.run([str(INITRAMFS), "-q", "--start", "3980", "-o", str(tmp_path / "a"),
                    str(tmp_path / "list")], check=True, timeout=60)
    assert members((tmp_path / "a").read_bytes())["init"].at == PAGE - 3980
    done = subprocess.run([str(INITRAMFS), "--start", "3", "-o", "x", str(tree)], timeout=60,
                          stderr=subprocess.PIPE, check=False)
    assert done.returncode == 2


@pytest.mark.parametrize("tool", [["cpio", "-i", "--quiet", "-d", "-m"],
                                  ["bsdtar", "-x", "-f", "-"]], ids=["cpio", "bsdtar"])
def test_others_extract(tmp_path: Path, tool: List[str]) -> None:
    """Others' programs make the same tree of it, without a word."""
    if not shutil.which(tool[0]):
        pytest.fail(f"{tool[0]} is not installed: run scripts/setup.sh")
    tree, out = make_tree(tmp_path / "tree"), tmp_path / "out"
    out.mkdir()
    archive = pack(tree, tmp_path / "a.cpio")
    done = subprocess.run(tool, cwd=out, input=archive, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, b"")
    assert sorted(str(path.relative_to(out)) for path in out.rglob("*")) == sorted(
        str(path.relative_to(tree)) for path in tree.rglob("*"))
    for path in tree.rglob("*"):
        made = out / path.relative_to(tree)
        if path.is_symlink():
            assert os.readlink(made) == os.readlink(path)
        elif path.is_file():
            assert made.read_bytes() == path.read_bytes()
            assert made.stat().st_nlink == path.stat().st_nlink


def test_cpio_lists(tmp_path: Path) -> None:
    """Debian's cpio lists every name, and no NUL of those behind it."""
    tree = make_tree(tmp_path / "tree")
    done = subprocess.run(["cpio", "-t"], input=pack(tree, tmp_path / "a.cpio"), timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True)
    names = [name for name in done.stdout.decode().splitlines() if name != "."]
    assert sorted(names) == sorted(str(path.relative_to(tree)) for path in tree.rglob("*"))


LIST = """\
# A comment, and an empty line

dir /dev 0755 0 0
nod /dev/console 0600 0 5 c 5 1
nod /dev/loop0 0660 0 6 b 7 0  # and one more
dir bin/ 1777 1 2
file /bin/hello hello.bin 4755 3 4 /bin/hi bin/hey
file /init ${WHERE}/hello.bin 0700 0 0
slink /bin/sh hello 0777 0 0
pipe /dev/fifo 0644 0 0
sock /dev/log 0666 0 0
"""


def test_list(tmp_path: Path) -> None:
    """All kinds of lines."""
    (tmp_path / "hello.bin").write_bytes(PROGRAM)
    (tmp_path / "list").write_text(LIST, encoding="ascii")
    archive = pack(tmp_path / "list", tmp_path / "a.cpio", WHERE=str(tmp_path))
    found = {name: member for name, member in members(archive).items() if name != "."}
    assert {name: (oct(member.mode), *member.fields[2:5], *member.fields[9:11])
            for name, member in found.items()} == {
        "dev": ("0o40755", 0, 0, 2, 0, 0), "dev/console": ("0o20600", 0, 5, 1, 5, 1),
        "dev/loop0": ("0o60660", 0, 6, 1, 7, 0), "bin": ("0o41777", 1, 2, 2, 0, 0),
        "bin/hello": ("0o104755", 3, 4, 3, 0, 0), "bin/hi": ("0o104755", 3, 4, 3, 0, 0),
        "bin/hey": ("0o104755", 3, 4, 3, 0, 0), "init": ("0o100700", 0, 0, 1, 0, 0),
        "bin/sh": ("0o120777", 0, 0, 1, 0, 0), "dev/fifo": ("0o10644", 0, 0, 1, 0, 0),
        "dev/log": ("0o140666", 0, 0, 1, 0, 0)}
    assert [len(found[f"bin/{name}"].data) for name in ("hello", "hi", "hey")] == \
        [0, 0, len(PROGRAM)]
    assert found["bin/sh"].data == b"hello" and found["init"].data == PROGRAM


@pytest.mark.parametrize("line,says", [
    ("fill /x hello.bin 0755 0 0", '"fill" is none of file, dir, nod, slink, pipe, sock'),
    ("file /x", "a line of this kind is: file NAME FILE MODE UID GID [OTHER NAME...]"),
    ("dir /x 0755 0", "a line of this kind is: dir NAME MODE UID GID"),
    ("dir /x 0755 0 0 0", "a line of this kind is"),
    ("dir", "a line of this kind is"),
    ("file /x missing 0755 0 0", "missing: No such file"),
    ("file /x $NOT_SET/x 0755 0 0", "the variable NOT_SET is not set"),
    ("dir /x 0788 0 0", 'mode "0788" is not an octal number up to 7777'),
    ("dir /x 10000 0 0", 'mode "10000" is not an octal number'),
    ("dir /x 0755 root 0", 'user "root" is not a number'),
    ("dir /x 0755 0 4294967296", "is not a number up to 4294967295"),
    ("nod /x 0644 0 0 d 1 1", '"d" is no type of device'),
    ("nod /x 0644 0 0 c one 1", 'major number "one"'),
    ("dir / 0755 0 0", "no name of a file below the root"),
    ("dir /a/../b 0755 0 0", "no name of a file below the root"),
    ("file /a/b hello.bin 0755 0 0", 'no line "dir a ..." before "a/b"'),
    ("file /init hello.bin 0755 0 0", '"init" is there already'),
    ("file /init/x hello.bin 0755 0 0", 'no line "dir init ..."'),
    (f"dir /{'n' * 4090} 0755 0 0", "the name is too long"),
])
def test_bad_list(tmp_path: Path, line: str, says: str) -> None:
    """The error names the list and the line."""
    (tmp_path / "hello.bin").write_bytes(PROGRAM)
    source = tmp_path / "list"
    source.write_text(f"# first\nfile /init hello.bin 0755 0 0\n{line}\n", encoding="ascii")
    said = refused(source)
    assert f"{source}:3: " in said and says in said


def test_archive(tmp_path: Path) -> None:
    """Archives of others are taken as they are."""
    tree = make_tree(tmp_path / "tree")
    names = b"\n".join(os.fsencode(path.relative_to(tree)) for path in tree.rglob("*"))
    for kind in ("newc", "crc"):
        other = tmp_path / f"{kind}.cpio"
        other.write_bytes(subprocess.run(["cpio", "-o", "--quiet", "-H", kind], cwd=tree,
                                         input=names, stdout=subprocess.PIPE, check=True).stdout)
        assert pack(other, tmp_path / "out.cpio") == other.read_bytes()
        # And one behind the other
        both = tmp_path / "both.cpio"
        both.write_bytes(other.read_bytes() + bytes(512) + other.read_bytes())
        assert pack(both, tmp_path / "out.cpio") == both.read_bytes()


def test_bad_archive(tmp_path: Path) -> None:
    """Damage is refused, with the place and the name of the entry."""
    good = pack(make_tree(tmp_path / "tree"), tmp_path / "a.cpio")
    at = good.index(b"bin/ls") - 110
    source = tmp_path / "bad.cpio"

    def says(data: bytes) -> str:
        source.write_bytes(data)
        return refused(source)

    assert "ends without a trailer" in says(good[:-124])
    assert f"entry at {at} (bin/ls): the archive ends inside the data" in \
        says(good[:at + 2 * PAGE])
    assert f"entry at {at}: the archive ends inside a header" in says(good[:at + 50])
    assert f"entry at {at}: no header" in says(good[:at] + b"x" + good[at + 1:])
    assert f"entry at {at}: a field" in says(good[:at + 9] + b"x" + good[at + 10:])
    assert f"entry at {len(good)}: " in says(good + b"more")
    crc = good.replace(b"070701", b"070702")
    assert f"entry at {at} (bin/ls): the data's sum is wrong" in says(crc)


@pytest.mark.parametrize("data,says", [
    (b"\x1f\x8b\x08\x00", "compressed (gzip)"), (b"\xfd7zXZ\x00\x00", "compressed (xz)"),
    (b"\x28\xb5\x2f\xfd\x00", "compressed (zstd)"), (b"\x7fELF\x02\x01\x01\x00", "neither a"),
    (b"\xff\xfe\xfd", "neither a"),
])
def test_no_source(tmp_path: Path, data: bytes, says: str) -> None:
    """What is none of the three kinds."""
    source = tmp_path / "x"
    source.write_bytes(data)
    assert says in refused(source)


def test_missing(tmp_path: Path) -> None:
    """A source that is not there, and an output that cannot be."""
    assert "No such file" in refused(tmp_path / "missing")
    make_tree(tmp_path / "tree")
    done = subprocess.run([str(INITRAMFS), "-o", str(tmp_path / "no/where"),
                           str(tmp_path / "tree")], stderr=subprocess.PIPE, text=True,
                          timeout=60, check=False)
    assert done.returncode == 1 and "No such file" in done.stderr


def test_readers_agree(tmp_path: Path) -> None:
    """The kernel's reader and this checker agree on which archives are good."""
    if not shutil.which("cc"):
        pytest.skip("no compiler")
    reader = tmp_path / "reader.c"
    reader.write_text(READER, encoding="ascii")
    subprocess.run(["cc", "-std=gnu11", "-fno-strict-aliasing", f"-I{ROOT}/include",
                    "-o", str(tmp_path / "reader"), str(reader), str(ROOT / "lib/cpio.c")],
                   check=True, timeout=60)
    good = pack(make_tree(tmp_path / "tree"), tmp_path / "a.cpio")
    cases = [good, good[:-124], good + bytes(100), good + good]
    cases += [good[:at] + bytes([good[at] ^ 1 << at % 7]) + good[at + 1:]
              for at in range(0, len(good), 199)]
    cases += [good[:at] for at in range(0, len(good), 1009)]
    verdicts = set()
    for number, data in enumerate(cases):
        source = tmp_path / "case.cpio"
        source.write_bytes(data)
        read = subprocess.run([str(tmp_path / "reader"), str(source)], timeout=20, check=False)
        script = subprocess.run([str(INITRAMFS), "-q", "-o", str(tmp_path / "o"), str(source)],
                                stderr=subprocess.DEVNULL, timeout=60, check=False)
        if data[:6] in (b"070701", b"070702"):
            assert read.returncode == script.returncode, number
            verdicts.add(read.returncode)
    assert verdicts == {0, 1}


READER = r"""
#include <ahoy/cpio.h>
#include <stdio.h>

static char data[1 << 20] __aligned(8);

int main(int argc, char **argv)
{
	struct cpio_entry entry;
	struct cpio cpio;
	int err;

	(void)argc;
	cpio_open(&cpio, data, fread(data, 1, sizeof(data), fopen(argv[1], "r")));
	while ((err = cpio_next(&cpio, &entry)) > 0)
		;
	return err != 0;
}
"""
