# SPDX-License-Identifier: MIT
"""make sweep: what it takes, parts of it, going on, other machines, what it leaves."""
import getpass
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Iterator, List
from xml.etree import ElementTree

import pytest

from sourcecopy import ROOT
from sweeptree import environment, sweep

sys.path.insert(0, str(ROOT / "scripts" / "measure"))

import shrink  # noqa: E402
import sweep_worker  # noqa: E402

# The quickest sweep there is: three small kernels.
QUICK = ("each", "--base", "tiny", "--option", "RISCV_IMAGE_HEADER LINE_PRINTF")
SSHD = "/usr/sbin/sshd"


@pytest.mark.parametrize("words, message", [
    (("wild",), "SWEEP=wild: there are random, pairwise, each, all"),
    (("random", "-n", "0"), "N=0: not a number from 1 on"),
    (("random", "-n", "many"), "N=many: not a number"),
    (("--shard", "3/2"), "SHARD=3/2: write K/N"),
    (("--shard", "half"), "SHARD=half: write K/N"),
    (("--time", "soon"), "TIME=soon: not a number of seconds"),
    (("--harts", "two"), "HARTS=two"),
    (("--no-such",), "unrecognized arguments: --no-such; --help lists the options"),
    (("--qemu", "no-such-qemu"), "no-such-qemu"),
    (("random", "--machines", "pdp11"), "no machine pdp11; there are: virt sifive_u spike"),
    (("each", "--base", "nothing"), "no configuration nothing; there are:"),
    (("each", "--option", "NOTHING"), "OPTION=NOTHING: no such option in Kconfig"),
    (("all", "--hosts", "no-such-host.invalid"), "host no-such-host.invalid"),
])
def test_usage(tmp_path: Path, words: List[str], message: str) -> None:
    """What makes no sense is one line and status 2."""
    done = sweep(tmp_path, *words)
    assert done.status == 2 and not done.out
    assert message in done.err and done.err.startswith("sweep: ")
    assert len(done.err.splitlines()) == 1


def test_help(tmp_path: Path) -> None:
    """--help tells what there is."""
    done = sweep(tmp_path, "--help")
    assert done.status == 0 and "pairwise" in done.out and "SWEEP_HOSTS" in done.out


def listed(folder: Path) -> dict:
    """Return the configurations that --list wrote."""
    return {path.name: path.read_text() for path in (folder / "configs").iterdir()}


def test_shards_are_a_partition(tmp_path: Path) -> None:
    """All parts together are the whole, and no configuration is in two."""
    words = ("random", "all", "-n", "10", "--list")
    assert sweep(tmp_path, *words).status == 0
    whole = listed(tmp_path)
    parts = []
    for number in (1, 2, 3):
        assert sweep(tmp_path, *words, "--shard", f"{number}/3").status == 0
        parts.append(listed(tmp_path))
    assert {name: text for part in parts for name, text in part.items()} == whole
    assert sum(map(len, parts)) == len(whole) > 20


def test_results(tmp_path: Path) -> None:
    """make sweep: a table, JSON and JUnit of the same things; booted where it was asked for."""
    done = subprocess.run(
        ["make", "-s", f"O={tmp_path}", "sweep", "SWEEP=each", "BASE=fdt",
         "OPTION=SERIAL_CRLF", "MACHINES=virt spike", "HARTS=3", "V=1"],
        cwd=ROOT, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=250, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    swept = sweep(tmp_path / "none", "--help")._replace(folder=tmp_path / "build" / "sweep")
    report = swept.report
    assert report["schema"] == "ahoy-sweep-1" and report["planned"] == 2
    assert [result["name"] for result in report["results"]] == [
        "each-fdt", "each-fdt-SERIAL_CRLF-n"]
    for result in report["results"]:
        assert result["status"] == "ok"
        assert result["boots"] == [{"machine": "virt", "harts": 3, "how": "ok"},
                                   {"machine": "spike", "harts": 3, "how": "ok"}]
    images = {result["image"] for result in report["results"]}
    assert len(images) == 2
    assert "2 of 2 configurations passed, 0 failed" in done.stdout
    suite = ElementTree.parse(swept.folder / "junit.xml").getroot()[0]
    assert suite.get("tests") == "2" and suite.get("failures") == "0"
    assert (swept.folder / "joblog").read_text().startswith("Seq")


def test_time_and_resume(tmp_path: Path) -> None:
    """What is not begun in time is told and no failure; RESUME=1 does the rest, once."""
    first = sweep(tmp_path, *QUICK, "--jobs", "1", "--time", "0.001")
    assert first.status == 0 and "were not done" in first.out
    done = sweep(tmp_path, *QUICK, "--jobs", "2", "--resume")
    assert done.status == 0, done.err
    again = sweep(tmp_path, *QUICK, "--resume")
    assert again.status == 0 and all(r.get("resumed") for r in again.report["results"])
    assert [r["image"] for r in again.report["results"]] == [
        r["image"] for r in done.report["results"]]
    other = sweep(tmp_path, *QUICK, "--resume", "--no-boot", "--list")
    assert other.status == 0


def test_interrupt(tmp_path: Path) -> None:
    """SIGTERM ends it and all that it started, and it tells what it has."""
    with subprocess.Popen([ROOT / "scripts" / "sweep", "--dir", tmp_path, "random", "-n", "40"],
                          env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while not list(tmp_path.glob("copies/*/trees/0/.config")):
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 130 and "were not done" in out
    deadline = time.monotonic() + 20
    while subprocess.run(["pgrep", "-f", f"{tmp_path}/copies"], stdout=subprocess.DEVNULL,
                         check=False).returncode == 0:
        assert time.monotonic() < deadline, "something still runs"
        time.sleep(0.2)


# ---- Other machines ---------------------------------------------------------------

@pytest.fixture()
def ssh(tmp_path: Path) -> Iterator[str]:
    """An ssh command that reaches this machine, through a server with keys of its own."""
    if not os.path.exists(SSHD):
        pytest.skip("openssh-server is not installed")
    keys = tmp_path / "keys"
    keys.mkdir(mode=0o700)
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", keys / name],
                       check=True, stdin=subprocess.DEVNULL, timeout=30)
    shutil.copy(keys / "user.pub", keys / "authorized")
    if os.getuid() == 0:
        os.makedirs("/run/sshd", exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (keys / "sshd_config").write_text(
        f"ListenAddress 127.0.0.1\nPort {port}\nHostKey {keys}/host\nPidFile none\nUsePAM no\n"
        f"AuthorizedKeysFile {keys}/authorized\nStrictModes no\nPermitRootLogin yes\n"
        "PasswordAuthentication no\n")
    (keys / "config").write_text(
        f"Host *\nPort {port}\nUser {getpass.getuser()}\nIdentityFile {keys}/user\n"
        "IdentitiesOnly yes\nStrictHostKeyChecking no\nBatchMode yes\nLogLevel ERROR\n"
        f"UserKnownHostsFile {keys}/known\n")
    with subprocess.Popen([SSHD, "-D", "-e", "-f", keys / "sshd_config"],
                          stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            deadline = time.monotonic() + 20
            command = f"ssh -F {keys}/config"
            while subprocess.run([*command.split(), "127.0.0.1", "true"], check=False, timeout=20,
                                 stdin=subprocess.DEVNULL, capture_output=True).returncode:
                assert time.monotonic() < deadline and server.poll() is None
                time.sleep(0.1)
            yield command
        finally:
            server.terminate()


def test_hosts(tmp_path: Path, ssh: str) -> None:
    """Over ssh, and here beside it: the sources are sent, the images are the same."""
    remote = tmp_path / "remote"
    done = sweep(tmp_path / "sweep", *QUICK, SWEEP_HOSTS="127.0.0.1 :", SWEEP_SSH=ssh,
                 SWEEP_REMOTE_DIR=str(remote), SWEEP_JOBS="1")
    assert done.status == 0, done.out + done.err
    assert [host["name"] for host in done.report["hosts"]] == ["127.0.0.1", ":"]
    assert all(host["cpus"] >= 1 and "QEMU" in host["qemu"] for host in done.report["hosts"])
    [copy] = [path for path in remote.iterdir() if path.is_dir()]
    assert (copy / "src" / "Makefile").exists() and list((copy / "trees").iterdir())
    hosts = {line.split("\t")[1] for line in
             (tmp_path / "sweep" / "joblog").read_text().splitlines()[1:]}
    assert any("127.0.0.1" in host for host in hosts)


# ---- Parts --------------------------------------------------------------------------

def test_minimise() -> None:
    """What is left fails, and no single change can be left out."""
    everything = [(f"O{number}", "y") for number in range(40)]
    for wanted in ({"O3"}, {"O0", "O39"}, {"O5", "O6", "O7"}, {"O1", "O13", "O22", "O38"}):
        asked = []

        def fails(some: list) -> bool:
            asked.append(some)
            return wanted <= {name for name, _ in some}

        assert {name for name, _ in shrink.minimise(everything, fails)} == wanted
        assert len(asked) < 160
    assert shrink.minimise(everything, lambda some: True) == []


BOOT = {"machine": "virt", "harts": 1, "ends": "yes", "crlf": True, "quiet": True,
        "needs_sbi2": False, "cut_off": False}
FIRMWARE = b"OpenSBI\r\nBoot HART MEDELEG         : 0x0000000000f0b509\r\n"


@pytest.mark.parametrize("out, err, status, change, message", [
    (b"Hello world.\r\n", b"", 0, {}, ""),
    (b"Hello world.\n", b"", 0, {"crlf": False}, ""),
    (b"Hello world.\r\n", sweep_worker.STOPPED.encode(), 0, {"ends": "no"}, ""),
    (b"Hello world.\r\n", sweep_worker.STOPPED.encode(), 0, {"ends": "maybe"}, ""),
    (b"Hello world.\r\n", b"", 0, {"ends": "maybe"}, ""),
    (b"[info] x\r\nHello world.\r\n", b"", 0, {"quiet": False}, ""),
    (b"Hello world.\r\n", b"", 1, {}, "status 1"),
    (b"", b"", 0, {}, "came 0 times"),
    (b"Hello world.\r\nHello world.\r\n", b"", 0, {}, "came 2 times"),
    (b"Hello world.\n", b"", 0, {}, "alone and well ended"),
    (b"Hello world.\r\n", b"", 0, {"crlf": False}, "alone and well ended"),
    (b"x Hello world.\r\n", b"", 0, {"quiet": False}, "alone and well ended"),
    (b"Hello world.\r\nbye\r\n", b"", 0, {"quiet": False}, "alone and well ended"),
    (b"[info] x\r\nHello world.\r\n", b"", 0, {}, "says more"),
    (b"Hello world.\r\n", sweep_worker.STOPPED.encode(), 0, {}, "configured end"),
    (b"Hello world.\r\n", b"", 0, {"ends": "no"}, "configured end"),
    (b"Hello world.\r\n", b"run: QEMU says: oops\n", 0, {}, "configured end"),
])
def test_check_boot(out: bytes, err: bytes, status: int, change: dict, message: str) -> None:
    """What a boot must have printed, and how it must have ended."""
    done = sweep_worker.Done(status, FIRMWARE + out, err)
    if not message:
        sweep_worker.check_boot({**BOOT, **change}, done)
        return
    with pytest.raises(sweep_worker.Failure, match=message):
        sweep_worker.check_boot({**BOOT, **change}, done)
