# SPDX-License-Identifier: MIT
"""Kernels built in folders of their own, and kept.

A configuration is made once into a folder of the cache, named by what the
build depends on besides the sources: the whole configuration, the compiler and
its flags, and where the sources are. When sources change, make runs again in
the same folder and does only what they ask for. So a figure after a change of
one file takes as long as compiling that file.

The cache may be used by any number of processes at once: who builds, or throws
away what was not used for long, holds the folder's lock.
"""
from __future__ import annotations

import argparse
import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Iterator, Optional, Sequence, Union

from sources import ROOT, Failure, Sources, compiler, digest_of, environment

IMAGE = "arch/riscv/boot/Image"

MOST_TREES = 400
BUILD_TIMEOUT = 600  # seconds
ATTEMPTS = 5


class Unknown(Failure):
    """What was asked for does not exist."""


@dataclass(frozen=True)
class Source:
    """Something that a kernel can be got from.

    @name:   what the caller called it
    @kind:   "name", "config", "folder", "image", "revision" or "text"
    @goal:   make's configuration target
    @text:   the configuration file, unless the goal brings its own
    @root:   the source tree
    @commit: the revision whose source tree is needed instead
    @image, @elf, @map, @tree: for a kernel that is there already
    """

    name: str
    kind: str
    goal: str = "olddefconfig"
    text: str = ""
    root: Path = ROOT
    commit: str = ""
    image: Optional[Path] = None
    elf: Optional[Path] = None
    map: Optional[Path] = None
    tree: Optional[Path] = None


@dataclass(frozen=True)
class Build:
    """A kernel, and what is known of it.

    @key:     names the configuration and compiler, or the bytes of a given image
    @image:   the flat image; None where only an ELF file was given
    @values:  the configuration without CONFIG_ and quotes; empty if unknown
    @seconds: wall time of the build from nothing; None if it was not built here
    @warnings: whatever make said
    @sources: digest of the sources; "" if it was not built here
    """

    name: str
    key: str
    tree: Optional[Path]
    image: Optional[Path]
    elf: Optional[Path]
    map: Optional[Path]
    config_text: str
    values: dict[str, str] = field(default_factory=dict)
    seconds: Optional[float] = None
    warnings: str = ""
    sources: str = ""
    source: Optional[Source] = None


def parse_config(text: str) -> dict[str, str]:
    """Return a configuration's values, without CONFIG_ and quotes; off is "n"."""
    values = dict(re.findall(r"^CONFIG_(\w+)=(.*?)\r?$", text, re.MULTILINE))
    for name, value in values.items():
        if value[:1] == '"':
            values[name] = re.sub(r"\\(.)", r"\1", value[1:-1])
    for name in re.findall(r"^# CONFIG_(\w+) is not set", text, re.MULTILINE):
        values[name] = "n"
    return values


def write_atomic(path: Path, text: str) -> None:
    """Write a file so that a reader sees all of it or the one before."""
    part = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


# ---- What is asked for -----------------------------------------------------------

def short_name(file: str) -> str:
    """Return the name of a file in configs/ as people say it."""
    return file[:-len("_defconfig")] if file.endswith("_defconfig") else file


def named_configs(files: list[str]) -> dict[str, str]:
    """Return make's targets of the files in configs/, by all their names."""
    targets: dict[str, str] = {}
    for file in sorted(files):
        if file == "defconfig" or file.endswith("_defconfig"):
            targets[file] = file
            targets.setdefault(short_name(file), file)
    return targets


def git(*words: str, root: Path = ROOT) -> str:
    """Return what git prints; raise Unknown where it has nothing to say."""
    try:
        done = subprocess.run(["git", "-C", str(root), *words], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=60, check=False)
    except (OSError, subprocess.SubprocessError) as err:
        raise Failure(f"git: {err}") from err
    if done.returncode:
        raise Unknown(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "git failed")
    return done.stdout


def resolve_revision(spec: str) -> Source:
    """REV:config: a configuration of another revision, built from its sources."""
    rev, _, name = spec.rpartition(":")
    try:
        commit = git("rev-parse", "--verify", "--quiet", f"{rev}^{{commit}}").strip()
    except Unknown:
        raise Unknown(f'"{spec}": git knows no revision "{rev}"') from None
    files = git("ls-tree", "--name-only", commit, "configs/").split()
    targets = named_configs([os.path.basename(file) for file in files])
    if name in targets:
        return Source(spec, "revision", targets[name], commit=commit,
                      text=git("show", f"{commit}:configs/{targets[name]}"))
    if os.path.isfile(name):
        return Source(spec, "revision", text=read_text(Path(name)), commit=commit)
    known = " ".join(sorted({short_name(target) for target in targets.values()}))
    raise Unknown(f'"{spec}": revision {rev} has no configuration "{name}"; it has: {known}')


def read_text(path: Path) -> str:
    """Return a configuration file's text."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise Failure(f'"{path}" is neither a configuration nor a kernel') from None
    except OSError as err:
        raise Failure(f'"{path}": {err.strerror}') from err


def resolve_folder(spec: str, path: Path) -> Source:
    """A build folder: its kernel if there is one, else what is configured there."""
    config = path / ".config"
    if not config.is_file():
        raise Unknown(f'"{spec}" is no build folder: it has no .config')
    source = Source(spec, "folder", text=read_text(config))
    image, elf = path / IMAGE, path / "ahoy"
    if not (image.is_file() and elf.is_file()):
        return source
    if config.stat().st_mtime_ns > elf.stat().st_mtime_ns and (
            not (path / "include/config/auto.conf").is_file()
            or config.stat().st_mtime_ns > (path / "include/config/auto.conf").stat().st_mtime_ns):
        return source  # configured anew, and not made since
    table = path / "ahoy.map"
    return Source(spec, "folder", text=source.text, tree=path.resolve(), image=image.resolve(),
                  elf=elf.resolve(), map=table.resolve() if table.is_file() else None)


def embedded_config(data: bytes) -> str:
    """Return the configuration that an image carries, or ""."""
    from importlib.machinery import SourceFileLoader
    from importlib.util import module_from_spec, spec_from_loader
    # A command, which has no .py at its end.
    loader = SourceFileLoader("extract_ikconfig", str(ROOT / "scripts" / "extract-ikconfig"))
    spec = spec_from_loader(loader.name, loader)
    assert spec
    extract = module_from_spec(spec)
    loader.exec_module(extract)
    for at in extract.positions(data, extract.START):
        text = extract.text_from(data, at + len(extract.START))
        if text is not None:
            return text.decode("utf-8", "replace")
    return ""


def resolve_file(spec: str, path: Path) -> Source:
    """A kernel or a configuration file."""
    try:
        data = path.read_bytes()
    except OSError as err:
        raise Failure(f'"{spec}": {err.strerror}') from err
    if re.search(rb"^(# )?CONFIG_\w", data, re.MULTILINE) and b"\0" not in data:
        return Source(spec, "config", text=read_text(path))
    if b"\0" not in data:
        raise Failure(f'"{spec}" is neither a configuration nor a kernel')
    text = embedded_config(data)
    real = path.resolve()
    if data[:4] == b"\x7fELF":
        table = real.with_name(real.name + ".map")
        return Source(spec, "image", text=text, elf=real, map=table if table.is_file() else None)
    return Source(spec, "image", text=text, image=real)


def resolve(spec: str) -> Source:
    """Return what a word of the command line stands for.

    A name in configs/ comes first; write ./name for a folder called the same.
    Raises Unknown where it stands for nothing, Failure where it cannot be read.
    """
    try:
        targets = named_configs(os.listdir(ROOT / "configs"))
    except OSError:
        targets = {}
    if spec in targets:
        return Source(short_name(targets[spec]), "name", targets[spec],
                      text=read_text(ROOT / "configs" / targets[spec]))
    path = Path(spec)
    if path.is_dir():
        return resolve_folder(spec, path)
    if path.exists():
        return resolve_file(spec, path)
    if ":" in spec:
        return resolve_revision(spec)
    known = " ".join(sorted({short_name(target) for target in targets.values()}))
    raise Unknown(f'"{spec}" is neither a configuration nor a file; configs/ has: {known}')


def one_of(known: Sequence[str]) -> Callable[[str], str]:
    """Return an argument's type: argparse checks no defaults by choices=, and the
    environment's words are defaults."""
    def checked(text: str) -> str:
        if text not in known:
            raise argparse.ArgumentTypeError(f'"{text}" is none of {", ".join(known)}')
        return text
    return checked


# ---- Running make ---------------------------------------------------------------

# Process groups of what runs, makes and meters, so that an interrupt can end all of it.
RUNNING: set[int] = set()


def stop_all() -> None:
    """End everything that other threads have started."""
    for group in list(RUNNING):
        try:
            os.killpg(group, signal.SIGTERM)
        except ProcessLookupError:
            pass


def run_make(root: Path, tree: Path, goals: list[str], jobs: int) -> tuple[str, float]:
    """Run make; return what it said, and its wall time. Raises Failure."""
    command = ["make", "-s", f"-j{jobs}", "-C", str(root), f"O={tree}", *goals]
    start = time.monotonic()
    with tempfile.TemporaryFile() as output:
        # A group of its own: a timeout or Ctrl-C ends the compilers too.
        with subprocess.Popen(command, env=environment(), stdin=subprocess.DEVNULL, stdout=output,
                              stderr=subprocess.STDOUT, start_new_session=True) as process:
            RUNNING.add(process.pid)
            try:
                status = process.wait(BUILD_TIMEOUT)
            except BaseException as err:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                if isinstance(err, subprocess.TimeoutExpired):
                    raise Failure(f"make {' '.join(goals)}: no end after {BUILD_TIMEOUT} "
                                  "seconds") from None
                raise
            finally:
                RUNNING.discard(process.pid)
        seconds = time.monotonic() - start
        output.seek(0)
        said = output.read().decode("utf-8", "replace")
    if status:
        raise Failure(f"make {' '.join(goals)} failed:\n{said.rstrip()}")
    return said, seconds


# ---- The cache ------------------------------------------------------------------

class Cache:
    """Built kernels, below one folder.

    @root: the folder; $AHOY_CACHE or build/cache in the source tree if None
    @jobs: compilers at the same time in one build
    """

    def __init__(self, root: Optional[Path] = None, jobs: int = 1) -> None:
        given = root or os.environ.get("AHOY_CACHE")
        self.root = Path(given).resolve() if given else ROOT / "build" / "cache"
        self.jobs = jobs
        self.sources: dict[Path, Sources] = {}
        self.guard = threading.Lock()
        try:
            for name in ("trees", "configs", "locks", "records", "revisions"):
                (self.root / name).mkdir(parents=True, exist_ok=True)
        except OSError as err:
            raise Failure(f'cannot make the cache "{self.root}": {err.strerror}; AHOY_CACHE names '
                          "another folder") from err
        self.compiler = compiler()

    @contextmanager
    def lock(self, name: str, wait: bool = True) -> Iterator[bool]:
        """Hold the lock of a name; False where it is held and we do not wait."""
        path = self.root / "locks" / name
        while True:
            with open(path, "w", encoding="ascii") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
                except BlockingIOError:
                    yield False
                    return
                # Whoever threw the folder away removed the lock with it.
                try:
                    same = os.stat(path).st_ino == os.fstat(file.fileno()).st_ino
                except FileNotFoundError:
                    same = False
                if same:
                    yield True
                    return

    def digests(self, root: Path) -> tuple[str, str]:
        """Return the digests of a source tree as it is now."""
        with self.guard:
            if root not in self.sources:
                self.sources[root] = Sources(root)
            return self.sources[root].digests()

    def source_root(self, source: Source) -> Path:
        """Return the source tree, extracted first if it is another revision's."""
        if not source.commit:
            return source.root
        root = self.root / "revisions" / source.commit[:16]
        with self.lock(f"rev-{source.commit[:16]}"):
            if not root.is_dir():
                part = Path(tempfile.mkdtemp(dir=root.parent))
                try:
                    archive = part / "tar"
                    git("archive", "--format=tar", "-o", str(archive), source.commit)
                    subprocess.run(["tar", "-xf", str(archive), "-C", str(part)], check=True)
                    archive.unlink()
                    part.rename(root)
                except (OSError, subprocess.SubprocessError) as err:
                    raise Failure(f"cannot extract revision {source.commit[:12]}: {err}") from err
                finally:
                    shutil.rmtree(part, ignore_errors=True)
        return root

    def configured(self, source: Source, root: Path) -> tuple[str, str]:
        """Return the whole configuration of a source, and what make said of it."""
        key = digest_of(source.goal, source.text, self.digests(root)[1], self.compiler, str(root))
        stored = self.root / "configs" / key
        try:
            text, said = json.loads(stored.read_text(encoding="utf-8"))
            os.utime(stored)
            return text, said
        except (OSError, ValueError):
            pass
        scratch = Path(tempfile.mkdtemp(prefix="config-", dir=self.root))
        try:
            if source.goal == "olddefconfig":
                (scratch / ".config").write_text(source.text, encoding="utf-8")
            said, _ = run_make(root, scratch, [source.goal], self.jobs)
            text = (scratch / ".config").read_text(encoding="utf-8")
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        write_atomic(stored, json.dumps([text, said]))
        return text, said

    def build(self, source: Union[Source, str], name: str = "", complete: bool = False) -> Build:
        """Return the kernel of a source, or of a configuration's text.

        What is there and still what the sources say is not made again.
        @complete: the text is as make olddefconfig would write it: no need to run it
        Raises Failure with make's output.
        """
        if isinstance(source, str):
            source = Source(name or digest_of(source)[:8], "text", text=source)
        if source.image or source.elf:
            return self.given(source)
        root = self.source_root(source)
        text, said = (source.text, "") if complete else self.configured(source, root)
        key = digest_of(text, self.compiler, str(root))
        tree = self.root / "trees" / key
        with self.lock(key):
            stamp = self.make(root, tree, text)
        self.prune()
        config = stamp.pop("config")
        return Build(source.name, key, tree, tree / IMAGE, tree / "ahoy", tree / "ahoy.map",
                     config, parse_config(config), stamp["seconds"],
                     said + stamp["warnings"], stamp["sources"], source)

    def make(self, root: Path, tree: Path, text: str) -> dict:
        """Bring a folder up to date; return its stamp. The lock is held."""
        stamp_file = tree / ".stamp"
        config = tree / ".config"
        stamp: dict = {}
        try:
            stamp = json.loads(stamp_file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            pass
        for _ in range(ATTEMPTS):
            sources = self.digests(root)[0]
            if stamp.get("sources") == sources and (tree / IMAGE).exists():
                os.utime(stamp_file)
                return stamp
            if not stamp or stamp["warnings"]:
                # Never finished; or what is not compiled again would not warn again.
                shutil.rmtree(tree, ignore_errors=True)
                tree.mkdir(parents=True)
                config.write_text(text, encoding="utf-8")
            stamp_file.unlink(missing_ok=True)
            said, seconds = run_make(root, tree, ["all"], self.jobs)
            stamp = {"sources": sources, "seconds": round(stamp.get("seconds", seconds), 3),
                     "warnings": said, "config": config.read_text(encoding="utf-8")}
            if self.digests(root)[0] == sources:
                write_atomic(stamp_file, json.dumps(stamp))
                return stamp
        raise Failure(f"the sources in {root} do not stand still")

    def given(self, source: Source) -> Build:
        """Return a kernel that is there already."""
        file = source.image or source.elf
        assert file
        try:
            key = digest_of(file.read_bytes(), source.text)
        except OSError as err:
            raise Failure(f'"{file}": {err.strerror}') from err
        return Build(source.name, key, source.tree, source.image, source.elf, source.map,
                     source.text, parse_config(source.text), source=source)

    def prune(self) -> None:
        """Throw away the folders that were not used for longest."""
        with self.guard:
            self.prune_folder("configs", 10 * MOST_TREES)
            self.prune_folder("records", 10 * MOST_TREES)
            trees = list((self.root / "trees").iterdir())
            if len(trees) <= MOST_TREES:
                return

            def used(tree: Path) -> float:
                try:
                    return (tree / ".stamp").stat().st_mtime
                except OSError:
                    return time.time()

            for tree in sorted(trees, key=used)[:len(trees) - MOST_TREES]:
                with self.lock(tree.name, wait=False) as held:
                    if held and (tree / ".stamp").exists():
                        shutil.rmtree(tree, ignore_errors=True)
                        (self.root / "locks" / tree.name).unlink(missing_ok=True)

    def prune_folder(self, name: str, most: int) -> None:
        """Keep so many of the files of a folder."""
        entries = list(os.scandir(self.root / name))
        if len(entries) <= most:
            return

        def used(entry: os.DirEntry) -> float:
            try:
                return entry.stat().st_mtime
            except OSError:
                return 0.0

        # A tenth more than needed, so that this is not done at every turn.
        for entry in sorted(entries, key=used)[:len(entries) - most + most // 10]:
            Path(entry.path).unlink(missing_ok=True)
