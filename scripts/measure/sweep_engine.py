# SPDX-License-Identifier: MIT
"""Many cases on many processors: GNU parallel, here and by ssh.

The sources are copied first, so that a sweep of an hour is of one state of them
whoever edits meanwhile, and so that other machines get the same. GNU parallel
deals batches of cases out and passes on what workers print, a line a case. What
was done well is remembered by all that it depends on, so that a sweep that was
interrupted goes on where it was.
"""
from __future__ import annotations

import io
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Iterator, Optional

from builds import Sources, digest_of
from sweep_plan import Case
from sweep_worker import BOOT_TIMEOUT, BUILD_TIMEOUT, Settings

PYTHON = "/usr/bin/python3"
# Cases that one start of a worker does.
BATCH = 8
# What the sweep itself needs besides what a build reads. Of it only the worker
# has a say in a result.
ALSO_NEEDED = ("configs", "scripts/measure")
DECIDES = "scripts/measure/sweep_worker.py"
# Copies of the sources that are kept, here and on other machines.
KEPT_COPIES = 3
PREFLIGHT_TIMEOUT = 120


class EngineError(Exception):
    """The sweep cannot be done."""


@dataclass
class Host:
    """A machine that takes part, and what it said of itself."""

    name: str
    cpus: int
    tools: dict[str, str] = field(default_factory=dict)


def source_files(root: Path) -> list[tuple[str, bool]]:
    """Return the files that a sweep needs, and whether a result depends on each."""
    names = set(Sources(root).files())
    decide = names | {DECIDES}
    for folder in ALSO_NEEDED:
        names.update(str(path.relative_to(root)) for path in (root / folder).rglob("*")
                     if path.is_file() and "__pycache__" not in path.parts)
    return [(name, name in decide) for name in sorted(names)]


def pack(root: Path) -> tuple[str, str, bytes]:
    """Return digests of the sources and of what decides results, and an archive of all."""
    digests = []
    deciding = []
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as archive:
        for name, decides in source_files(root):
            try:
                data = (root / name).read_bytes()
                mode = (root / name).stat().st_mode & 0o777
            except FileNotFoundError:
                continue  # an editor's file that is gone again
            digests.append(f"{name} {mode & 0o100:o} {digest_of(data)}")
            deciding += digests[-1:] if decides else []
            info = tarfile.TarInfo(name)
            info.size, info.mode, info.mtime = len(data), mode, int(time.time())
            archive.addfile(info, io.BytesIO(data))
    return digest_of(*digests)[:16], digest_of(*deciding)[:16], buffer.getvalue()


# Run by sh on each machine, with the archive as input: $1 is the folder for copies,
# $2 this copy's name. Older copies go, unless someone works in them.
UNPACK = f"""set -e
umask 077
mkdir -p "$1"; cd "$1"
if [ ! -e "$2/src" ]; then
    rm -rf "$2.part.$$"; mkdir "$2.part.$$"
    tar -xzf - -C "$2.part.$$"
    mkdir -p "$2"; mv "$2.part.$$" "$2/src" 2>/dev/null || rm -rf "$2.part.$$"
else
    cat > /dev/null
fi
touch "$2"
ls -dt -- */ | tail -n +{KEPT_COPIES + 1} | while read -r old; do
    [ -z "$(find "$old" -maxdepth 0 -mmin +1440)" ] || rm -rf "$old"
done
pwd
"""


class Engine:
    """Runs cases."""

    def __init__(self, root: Path, folder: Path, settings: Settings, jobs: int,
                 hosts: list[str], remote: str, ssh: str) -> None:
        """@folder: where results and work are; @remote: the same on other hosts, below home"""
        self.folder = folder
        self.settings = settings
        self.jobs = jobs
        self.ssh = ssh
        self.deadline: Optional[float] = None
        self.digest, self.deciding, archive = pack(root)
        self.copies = folder / "copies"
        self.stderr = ""
        copies = self.unpack(["sh", "-c", UNPACK, "sh", str(self.copies), self.digest], archive,
                             "this machine")
        self.source = Path(copies) / self.digest / "src"
        self.hosts: list[Host] = []
        self.remote = f"{remote}/{self.digest}"
        for name in hosts:
            self.add_host(name, remote, archive)

    # -- machines ---------------------------------------------------------------------

    @staticmethod
    def unpack(command: list[str], archive: bytes, where: str) -> str:
        """Copy the sources; return the folder that they are in."""
        try:
            done = subprocess.run(command, input=archive, capture_output=True, check=False,
                                  timeout=PREFLIGHT_TIMEOUT)
        except (OSError, subprocess.TimeoutExpired) as err:
            raise EngineError(f"{where}: {err}") from err
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip()
            raise EngineError(f"{where}: cannot copy the sources there: {said}")
        return done.stdout.decode().splitlines()[-1]

    def shell(self, name: str, *words: str) -> list[str]:
        """Return the command that runs words on a host."""
        text = shlex.join(words)
        if name == ":":
            return ["sh", "-c", f"cd && {text}"]
        return [*shlex.split(self.ssh), name, text]

    def add_host(self, name: str, remote: str, archive: bytes) -> None:
        """Copy the sources to a host and look at its tools."""
        self.unpack(self.shell(name, "sh", "-c", UNPACK, "sh", remote, self.digest), archive,
                    f"host {name}")
        probe = probe_command(f"{self.remote}/src", self.settings)
        try:
            done = subprocess.run(self.shell(name, *probe), stdin=subprocess.DEVNULL,
                                  capture_output=True, timeout=PREFLIGHT_TIMEOUT, text=True,
                                  check=False)
            tools = json.loads(done.stdout)
        except (OSError, subprocess.TimeoutExpired) as err:
            raise EngineError(f"host {name}: {err}") from err
        except ValueError:
            raise EngineError(f"host {name}: {done.stderr.strip()}") from None
        cpus = int(tools.pop("cpus"))
        self.hosts.append(Host(name, cpus, tools))

    def check_hosts(self, compiler: str) -> None:
        """Refuse hosts whose compiler would make other images."""
        for host in self.hosts:
            if host.tools.get("compiler") != compiler:
                raise EngineError(f"host {host.name} has another compiler: "
                                  f'"{host.tools.get("compiler")}", not "{compiler}"')

    # -- running ----------------------------------------------------------------------

    def command(self, joblog: Path, timeout: int) -> list[str]:
        """Return GNU parallel's command line."""
        words = ["parallel", "--will-cite", "--pipe", "-N1", "--recend", "\n", "--line-buffer",
                 "--joblog", str(joblog), "--timeout", str(timeout), "--termseq",
                 "TERM,2000,KILL,25"]
        if not self.hosts:
            return [*words, "--jobs", str(self.jobs), shlex.join(
                ["exec", PYTHON, f"{self.source}/scripts/sweep", "--worker"])]
        words += ["--ssh", self.ssh, "--jobs", "100%"]
        for host in self.hosts:
            words += ["--sshlogin", f"{self.jobs if self.jobs else host.cpus}/{host.name}"]
        return [*words, f'cd; exec {PYTHON} {shlex.quote(self.remote)}/src/scripts/sweep --worker']

    def processors(self) -> int:
        """Return how many cases run at a time."""
        if not self.hosts:
            return self.jobs
        return sum(self.jobs or host.cpus for host in self.hosts)

    def batches(self, cases: list[Case]) -> list[list[Case]]:
        """Return the cases as lists for one start of a worker each."""
        size = max(1, min(BATCH, len(cases) // (4 * self.processors())))
        return [cases[at:at + size] for at in range(0, len(cases), size)]

    def feed(self, pipe: Any, batches: list[list[Case]]) -> None:
        """Write the batches, until it is too late."""
        settings = asdict(self.settings)
        # Where workers find their object trees: beside the sources.
        settings["work"] = (f"~/{self.remote}/trees" if self.hosts and
                            not self.remote.startswith("/") else
                            f"{self.remote}/trees" if self.hosts else
                            str(self.source.parent / "trees"))
        try:
            for batch in batches:
                if self.deadline and time.monotonic() > self.deadline:
                    break
                pipe.write(json.dumps({"settings": settings,
                                       "cases": [case.to_json() for case in batch]}) + "\n")
                pipe.flush()
            pipe.close()
        except BrokenPipeError:
            pass

    def run(self, cases: list[Case]) -> Iterator[dict[str, Any]]:
        """Yield the results of cases as they come; some may never come."""
        if not cases:
            return
        batches = self.batches(cases)
        timeout = len(batches[0]) * (BUILD_TIMEOUT * 2 + BOOT_TIMEOUT * 2)
        with tempfile.TemporaryFile("w+") as errors:
            agent = {name: os.environ[name] for name in ("SSH_AUTH_SOCK",) if name in os.environ}
            process = subprocess.Popen(self.command(self.folder / "joblog", timeout), text=True,
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       stderr=errors, start_new_session=True,
                                       env={**self.settings.env, **agent, "SHELL": "/bin/sh"})
            feeder = threading.Thread(target=self.feed, args=(process.stdin, batches), daemon=True)
            feeder.start()
            try:
                assert process.stdout
                for line in process.stdout:
                    try:
                        yield json.loads(line)
                    except ValueError:
                        print(f"sweep: a worker says: {line.rstrip()}", file=sys.stderr)
                process.wait()
            finally:
                stop(process)
            errors.seek(0)
            self.stderr = errors.read().strip()


def stop(process: subprocess.Popen) -> None:
    """End GNU parallel and its jobs: the second signal ends those that run."""
    for signum, patience in ((signal.SIGTERM, 0.2), (signal.SIGTERM, 10), (signal.SIGKILL, 10)):
        if process.poll() is not None:
            return
        try:
            os.kill(process.pid, signum)
            process.wait(patience)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue


def probe_command(source: str, settings: Settings) -> list[str]:
    """Return the command that tells what a machine has."""
    env = [f"{name}={value}" for name, value in settings.env.items()
           if name not in ("PATH", "HOME", "TMPDIR")]
    return ["env", *env, PYTHON, f"{source}/scripts/sweep", "--probe"]


def fresh(folder: Path) -> Path:
    """Return a folder with nothing in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
