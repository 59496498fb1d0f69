#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Pack an initramfs: a cpio archive in the newc format.

SOURCE is a folder, all of which is packed; a list; or a newc archive, which is
checked and taken as it is. The same source gives the same bytes, whoever packs
it, when and where: times are 0 and, of a folder, owners are root and modes
those of their owner (0644 or 0755, as a rule). A list that says more has these lines,
as Linux's gen_init_cpio takes them; "#" starts a comment, $NAME and ${NAME} are
variables of the environment, and files are looked for beside the list:

  file NAME FILE MODE UID GID [OTHER NAME...]
  dir NAME MODE UID GID
  nod NAME MODE UID GID b|c MAJOR MINOR
  slink NAME TARGET MODE UID GID
  pipe NAME MODE UID GID
  sock NAME MODE UID GID

What is in an ELF file starts at a multiple of the page size, so that a kernel
can map it where it is: the name before it is filled up with NULs, which
readers of archives do not mind. An archive that will not itself start where a
page does, because less is lost so, is packed for that place by --start.

Exit status: 0, 1 if something cannot be packed, 2 for a bad call.
"""
import argparse
import os
import re
import stat
import sys
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, NoReturn, Optional, Tuple

PAGE = 4096
HEADER = 110
MAGIC = b"070701"
MAGICS = (b"070701", b"070702")
TRAILER = b"TRAILER!!!"
# Linux leaves out what has a longer name, with its NULs.
NAME_MAX = 4096
SIZE_MAX = 0xffffffff
FIELDS = ("ino", "mode", "uid", "gid", "nlink", "mtime", "size", "dev_major", "dev_minor",
          "rdev_major", "rdev_minor", "namesize", "check")
COMPRESSED = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"\x28\xb5\x2f\xfd": "zstd",
              b"\x02\x21\x4c\x18": "lz4", b"\x5d\x00\x00": "lzma", b"\x89LZO": "lzop"}


class Bad(Exception):
    """What is wrong with the source, and where."""


class Entry(NamedTuple):
    """What an archive says of one name."""

    name: bytes
    mode: int
    uid: int = 0
    gid: int = 0
    data: bytes = b""
    rdev: Tuple[int, int] = (0, 0)
    # Names with the same are one file.
    file: object = None


# ---- Writing ------------------------------------------------------------------

class Writer:
    """An archive that grows."""

    def __init__(self, start: int = 0) -> None:
        self.out = bytearray()
        self.start = start

    def header(self, entry: Entry, inode: int, nlink: int, size: int, namesize: int) -> None:
        """Add a header and a name."""
        values = (inode, entry.mode, entry.uid, entry.gid, nlink, 0, size, 0, 0, *entry.rdev,
                  namesize, 0)
        self.out += MAGIC + b"".join(b"%08x" % value for value in values)
        self.out += entry.name.ljust(namesize, b"\0")
        self.align()

    def align(self) -> None:
        """Fill up with zeroes to where the next part starts."""
        self.out += bytes(-len(self.out) % 4)

    def padded(self, name: bytes) -> int:
        """Return the size of a name after which a page starts."""
        size = -(self.start + len(self.out) + HEADER) % PAGE or PAGE
        if size <= len(name):
            # It cannot be larger than a page: the folder itself is named once more, to move on.
            self.header(Entry(b".", stat.S_IFDIR | 0o755), 0, 2, 0, 2)
            return self.padded(name)
        return size

    def add(self, entry: Entry, inode: int, nlink: int) -> None:
        """Add one name with its data."""
        if entry.data[:4] == b"\x7fELF":
            namesize = self.padded(entry.name)
        else:
            namesize = len(entry.name) + 1
        self.header(entry, inode, nlink, len(entry.data), namesize)
        self.out += entry.data
        self.align()


def pack(entries: List[Entry], start: int = 0) -> bytes:
    """Return the archive. Of names of one file, the last one has the data."""
    writer = Writer(start)
    names: Dict[object, List[int]] = {}
    for number, entry in enumerate(entries):
        names.setdefault(number if entry.file is None else entry.file, []).append(number)
    inodes = {key: number for number, key in enumerate(names, 1)}
    for number, entry in enumerate(entries):
        key = number if entry.file is None else entry.file
        if number != names[key][-1]:
            entry = entry._replace(data=b"")
        nlink = 2 if stat.S_ISDIR(entry.mode) else len(names[key])
        writer.add(entry, inodes[key], nlink)
    writer.add(Entry(TRAILER, 0), 0, 1)
    return bytes(writer.out)


def read(path: Path, where: str) -> bytes:
    """Return a file's contents."""
    try:
        if path.stat().st_size > SIZE_MAX:
            raise Bad(f"{where}: {path} is too large for an archive")
        return path.read_bytes()
    except OSError as err:
        raise Bad(f"{where}: {path}: {err.strerror}") from err


# ---- Folders --------------------------------------------------------------------

def portable_mode(mode: int) -> int:
    """Return a mode that does not depend on the umask of who made the file."""
    owner = mode >> 6 & 7
    return stat.S_IFMT(mode) | mode & 0o7000 | owner << 6 | (owner & 5) * 0o11


def folder_entry(top: Path, path: Path) -> Entry:
    """Return what an archive says of something in a folder."""
    name = os.fsencode(path.relative_to(top))
    info = path.lstat()
    kind = stat.S_IFMT(info.st_mode)
    mode = portable_mode(info.st_mode)
    if kind == stat.S_IFLNK:
        return Entry(name, stat.S_IFLNK | 0o777, data=os.fsencode(os.readlink(path)))
    if kind == stat.S_IFREG:
        file = (info.st_dev, info.st_ino) if info.st_nlink > 1 else None
        return Entry(name, mode, data=read(path, str(top)), file=file)
    if kind in (stat.S_IFBLK, stat.S_IFCHR):
        return Entry(name, mode, rdev=(os.major(info.st_rdev), os.minor(info.st_rdev)))
    return Entry(name, mode)


def from_folder(top: Path) -> List[Entry]:
    """Return all that is in a folder, each folder before what is in it."""
    def refuse(err: OSError) -> NoReturn:
        raise Bad(f"{err.filename}: {err.strerror}")

    paths: List[Path] = []
    for folder, folders, files in os.walk(top, onerror=refuse):
        paths += [Path(folder, name) for name in folders + files]
    paths.sort(key=lambda path: tuple(map(os.fsencode, path.relative_to(top).parts)))
    return [folder_entry(top, path) for path in paths]


# ---- Lists ------------------------------------------------------------------------

def expand(word: str, where: str) -> str:
    """Put the environment's variables into a word."""
    def value(match: "re.Match[str]") -> str:
        name = match.group(1) or match.group(2)
        if name not in os.environ:
            raise Bad(f"{where}: the variable {name} is not set")
        return os.environ[name]
    return re.sub(r"\$(?:\{(\w+)\}|(\w+))", value, word)


def number(word: str, what: str, where: str, base: int = 10, most: int = SIZE_MAX) -> int:
    """Return a word's value."""
    digits = "[0-7]+" if base == 8 else "[0-9]+"
    if not re.fullmatch(digits, word) or int(word, base) > most:
        kind = "an octal number" if base == 8 else "a number"
        raise Bad(f'{where}: {what} "{word}" is not {kind} up to {most:o}' if base == 8 else
                  f'{where}: {what} "{word}" is not {kind} up to {most}')
    return int(word, base)


# Words after the type and the name.
LINES = {
    "file": "FILE MODE UID GID [OTHER NAME...]",
    "dir": "MODE UID GID",
    "nod": "MODE UID GID b|c MAJOR MINOR",
    "slink": "TARGET MODE UID GID",
    "pipe": "MODE UID GID",
    "sock": "MODE UID GID",
}
TYPES = {"file": stat.S_IFREG, "dir": stat.S_IFDIR, "slink": stat.S_IFLNK, "pipe": stat.S_IFIFO,
         "sock": stat.S_IFSOCK}


def archive_name(word: str, where: str) -> bytes:
    """Return a name as archives have it, relative to the root."""
    name = word.strip("/")
    if not name or any(part in ("", ".", "..") for part in name.split("/")):
        raise Bad(f'{where}: "{word}" is no name of a file below the root')
    if len(os.fsencode(name)) > NAME_MAX - HEADER - 1:
        raise Bad(f"{where}: the name is too long")
    return os.fsencode(name)


def line_entries(words: List[str], folder: Path, where: str) -> Iterator[Entry]:
    """Read one line of a list."""
    kind, values = words[0], words[2:]
    if kind not in LINES:
        raise Bad(f'{where}: "{kind}" is none of {", ".join(LINES)}')
    count = len(LINES[kind].split(" [")[0].split())
    if len(words) < 2 or len(values) < count or (len(values) > count and kind != "file"):
        raise Bad(f"{where}: a line of this kind is: {kind} NAME {LINES[kind]}")
    name, file, data, rdev = archive_name(words[1], where), None, b"", (0, 0)
    others = values[count:]
    if kind == "file":
        data = read(folder / expand(values.pop(0), where), where)
        file = where if others else None
    elif kind == "slink":
        data = os.fsencode(values.pop(0))
    mode = number(values[0], "mode", where, 8, 0o7777)
    uid, gid = number(values[1], "user", where), number(values[2], "group", where)
    if kind == "nod":
        if values[3] not in ("b", "c"):
            raise Bad(f'{where}: "{values[3]}" is no type of device: b or c')
        rdev = number(values[4], "major number", where), number(values[5], "minor number", where)
        mode |= stat.S_IFBLK if values[3] == "b" else stat.S_IFCHR
    else:
        mode |= TYPES[kind]
    for each in (name, *(archive_name(word, where) for word in others)):
        yield Entry(each, mode, uid, gid, data, rdev, file)


def from_list(path: Path, text: str) -> List[Entry]:
    """Return what a list names; each folder must come before what is in it."""
    entries: List[Entry] = []
    modes: Dict[bytes, int] = {}
    for at, line in enumerate(text.splitlines(), 1):
        words = line.split("#", 1)[0].split()
        where = f"{path}:{at}"
        for entry in line_entries(words, path.parent, where) if words else ():
            parent = entry.name.rpartition(b"/")[0]
            shown = os.fsdecode(entry.name)
            if entry.name in modes:
                raise Bad(f'{where}: "{shown}" is there already')
            if parent and not stat.S_ISDIR(modes.get(parent, 0)):
                raise Bad(f'{where}: no line "dir {os.fsdecode(parent)} ..." before "{shown}"')
            modes[entry.name] = entry.mode
            entries.append(entry)
    return entries


# ---- Archives -----------------------------------------------------------------------

def header_fields(data: bytes, at: int, where: str) -> Dict[str, int]:
    """Return the fields of the header at this place."""
    head = data[at:at + HEADER]
    if len(head) < HEADER:
        raise Bad(f"{where}: the archive ends inside a header")
    if head[:6] not in MAGICS:
        raise Bad(f"{where}: no header of a newc archive (070701 or 070702)")
    if not re.fullmatch(rb"[0-9A-Fa-f]+", head[6:]):
        raise Bad(f"{where}: a field of the header is not hexadecimal")
    return {name: int(head[6 + 8 * i:14 + 8 * i], 16) for i, name in enumerate(FIELDS)}


def check_entry(data: bytes, at: int, where: str) -> Tuple[bytes, int]:
    """Check the entry at this place; return its name and where the next one is."""
    fields = header_fields(data, at, where)
    name = data[at + HEADER:at + HEADER + fields["namesize"]]
    if not 2 <= fields["namesize"] <= NAME_MAX or len(name) < fields["namesize"] \
            or name[-1] or not name[0]:
        raise Bad(f"{where}: the name is empty, too long or does not end")
    name = name.split(b"\0")[0]
    shown = f"{where} ({os.fsdecode(name)})"
    start = (at + HEADER + fields["namesize"] + 3) & ~3
    contents = data[start:start + fields["size"]]
    if len(contents) < fields["size"]:
        raise Bad(f"{shown}: the archive ends inside the data")
    if data[at + 5:at + 6] == b"2" and stat.S_ISREG(fields["mode"]) and contents \
            and sum(contents) & SIZE_MAX != fields["check"]:
        raise Bad(f"{shown}: the data's sum is wrong")
    return name, (start + fields["size"] + 3) & ~3


def check_archive(path: Path, data: bytes) -> None:
    """Check an archive, or several, one after the other."""
    at, inside = 0, False
    while True:
        if not inside:
            rest = data[at:]
            at += (len(rest) - len(rest.lstrip(b"\0"))) & ~3
            if not data[at:].strip(b"\0"):
                return
        if at >= len(data):
            raise Bad(f"{path}: the archive ends without a trailer")
        name, at = check_entry(data, at, f"{path}: entry at {at}")
        inside = name != TRAILER


# ---- The command -----------------------------------------------------------------------

def archive(source: Path, start: int) -> bytes:
    """Return the archive of a source."""
    if source.is_dir():
        return pack(from_folder(source), start)
    data = read(source, "SOURCE")
    if data[:6] in MAGICS:
        check_archive(source, data)
        return data
    for magic, kind in COMPRESSED.items():
        if data.startswith(magic):
            raise Bad(f"{source}: this is compressed ({kind}): give what is in it")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise Bad(f"{source}: neither a folder, nor a list, nor a newc archive")
    return pack(from_list(source, text), start)


def write(path: Path, data: bytes) -> bool:
    """Write a file, if that changes it. Return whether it did."""
    try:
        if path.read_bytes() == data:
            return False
    except FileNotFoundError:
        pass
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_bytes(data)
    part.replace(path)
    return True


def main(words: Optional[List[str]] = None) -> int:
    """Pack what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE",
                        help="the archive; it is left alone where it would not change")
    parser.add_argument("--start", type=int, choices=range(0, PAGE, 4), default=0, metavar="N",
                        help="the archive will be N bytes behind the start of a page, a multiple "
                        "of 4 (0)")
    parser.add_argument("-q", "--quiet", action="store_true", help="do not say that it changed")
    parser.add_argument("source", type=Path, metavar="SOURCE")
    args = parser.parse_args(words)
    try:
        if write(args.output, archive(args.source, args.start)) and not args.quiet:
            print(f"  CPIO    {args.output}")
    except Bad as err:
        print(f"initramfs.py: {err}", file=sys.stderr)
        return 1
    except OSError as err:
        print(f"initramfs.py: {err.filename}: {err.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
