# SPDX-License-Identifier: MIT
"""Build and boot many configurations; find what is wrong with those that fail.

Kinds of sweeps, several of which may be named:
  random    N random valid configurations; SEED and a number name one for ever
  pairwise  as few as hold every pair of values that two options can have
  each      BASE, and every option of it toggled alone; one whose image stays the
            same is a failure: an option that does nothing
  all       the configurations of configs/ and make's own

Each is configured, built without a word, booted on a machine that it is for, and
must print the line exactly once and come to its configured end. A failing one is
tried again in a fresh folder, kept, and shrunk to the least difference from a
named configuration that works.
"""
from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn, Optional

import sweep_report as report_of
from builds import environment
from model import Model, ModelError
from sweep_engine import Engine, EngineError, fresh
from sweep_plan import Case, Planner, shard
from sweep_worker import Failure, Settings
from sweep_worker import main as worker_main

ROOT = Path(__file__).resolve().parents[2]
KINDS = ("random", "pairwise", "each", "all")
QEMU = "qemu-system-riscv64"

# In so many other configurations at once an option is toggled that did nothing yet.
ELSEWHERE = 5

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


class UsageError(Exception):
    """The request makes no sense."""


def words_of(text: str) -> list[str]:
    """Return the words of a list with blanks or commas."""
    return [word for word in re.split(r"[\s,]+", text) if word]


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        print(f"sweep: {message}; --help lists the options", file=sys.stderr)
        sys.exit(EXIT_USAGE)


def parse_args(argv: Optional[list[str]] = None) -> argparse.Namespace:
    """Read the command line; variables of the environment are its defaults."""
    env = os.environ.get
    lines = (__doc__ or "").splitlines()
    parser = Parser(description=lines[0], epilog="\n".join(lines[2:]) + (
        "\n\nThe variables in capitals are read from the environment."
        "\nExit status: 0 if all is well, 1 after a failure, 2 when the request makes no sense."),
        formatter_class=argparse.RawDescriptionHelpFormatter, prog="sweep")
    parser.add_argument("kinds", nargs="*", metavar="KIND", default=words_of(env("SWEEP") or ""),
                        help=f"SWEEP: {', '.join(KINDS)} (random)")
    parser.add_argument("-n", "--number", default=env("N") or "100", metavar="N",
                        help="N: how many random configurations (100)")
    parser.add_argument("--seed", default=env("SEED") or "1",
                        help="SEED: of random and pairwise (1)")
    parser.add_argument("--base", default=env("BASE") or "defconfig", metavar="NAME",
                        help="BASE: configurations whose options are toggled (defconfig)")
    parser.add_argument("--option", default=env("OPTION") or "", metavar="LIST",
                        help="OPTION: toggle only these options")
    parser.add_argument("--first", type=int, metavar="N",
                        help="only so many configurations of the pairwise set")
    parser.add_argument("--machines", default=env("MACHINES") or "", metavar="LIST",
                        help="MACHINES: boot on all of these that a kernel is for; all: on all "
                        "(on one, in turn)")
    parser.add_argument("--harts", default=env("HARTS") or "1 2 4", metavar="LIST",
                        help="HARTS: numbers of harts, in turn (1 2 4)")
    parser.add_argument("--shard", default=env("SHARD") or "", metavar="K/N",
                        help="SHARD: only the Kth of N parts")
    parser.add_argument("--hosts", default=env("SWEEP_HOSTS") or "", metavar="LIST",
                        help="SWEEP_HOSTS: machines to do it on, by ssh; : is this one")
    parser.add_argument("--ssh", default=env("SWEEP_SSH") or "ssh -o BatchMode=yes",
                        help="SWEEP_SSH: the ssh command (ssh -o BatchMode=yes)")
    parser.add_argument("--remote-dir", default=env("SWEEP_REMOTE_DIR") or ".cache/ahoy-sweep",
                        metavar="DIR", help="SWEEP_REMOTE_DIR: where hosts keep sources and "
                        "objects, below the home folder (.cache/ahoy-sweep)")
    parser.add_argument("--jobs", default=env("SWEEP_JOBS") or "0", metavar="N",
                        help="SWEEP_JOBS: configurations at a time on each machine "
                        "(one a processor)")
    parser.add_argument("--qemu", action="append", metavar="COMMAND",
                        help="QEMU: the emulator; given again: for kernels whose console the first "
                        "one's firmware lacks")
    parser.add_argument("--time", default=env("TIME") or "0", metavar="SECONDS",
                        help="TIME: begin no more after so long; what is not done is no failure")
    parser.add_argument("--resume", action="store_true", default=env("RESUME") == "1",
                        help="RESUME=1: leave out what the last sweep of these sources did well")
    parser.add_argument("--no-boot", action="store_true", help="build only")
    parser.add_argument("--shrink", type=int, default=5, metavar="N",
                        help="look into so many failures; 0: only keep them (5)")
    parser.add_argument("--dir", default=env("SWEEP_DIR") or str(ROOT / "build" / "sweep"),
                        help="SWEEP_DIR: where results, failures and objects are (build/sweep)")
    parser.add_argument("--list", action="store_true",
                        help="write the configurations to DIR/configs, and do no more")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--probe", action="store_true", help=argparse.SUPPRESS)
    return check_args(parser.parse_args(argv))


def check_args(args: argparse.Namespace) -> argparse.Namespace:
    """Check and convert what argparse does not."""
    def number(name: str, text: str, least: int) -> int:
        if not re.fullmatch(r"\d+", text) or int(text) < least:
            raise UsageError(f"{name}={text}: not a number from {least} on")
        return int(text)

    args.kinds = [kind for word in args.kinds for kind in words_of(word)] or ["random"]
    for kind in args.kinds:
        if kind not in KINDS:
            raise UsageError(f"SWEEP={kind}: there are {', '.join(KINDS)}")
    args.number = number("N", args.number, 1)
    args.jobs = number("SWEEP_JOBS", args.jobs, 0)
    args.harts = [number("HARTS", word, 1) for word in words_of(args.harts)]
    args.base = words_of(args.base)
    args.machines = words_of(args.machines)
    args.hosts = words_of(args.hosts)
    if not re.fullmatch(r"\d+(\.\d+)?", args.time):
        raise UsageError(f"TIME={args.time}: not a number of seconds")
    if args.shard:
        match = re.fullmatch(r"(\d+)/(\d+)", args.shard)
        if not match or not 1 <= int(match[1]) <= int(match[2]):
            raise UsageError(f"SHARD={args.shard}: write K/N, such as 2/8")
        args.shard = int(match[1]), int(match[2])
    args.qemu = args.qemu or [os.environ.get("QEMU") or QEMU]
    return args


# ---- What there is -------------------------------------------------------------

def program_line(command: str) -> str:
    """Return the first line that a program says of its version."""
    try:
        done = subprocess.run([*shlex.split(command), "--version"], capture_output=True, text=True,
                              timeout=60, check=True)
        return done.stdout.splitlines()[0]
    except (OSError, ValueError, IndexError, subprocess.SubprocessError) as err:
        raise UsageError(f"{command}: {err}") from None


def compiler_of(model: Model) -> str:
    """Return the compiler's version, as make reads it."""
    return model.env.get("CC_VERSION_TEXT", "?")


def probe() -> int:
    """Tell another machine what there is here."""
    print(json.dumps({"cpus": os.cpu_count() or 1, "compiler": compiler_of(Model()),
                      "qemu": program_line(os.environ.get("QEMU") or QEMU)}))
    return 0


def settings_of(args: argparse.Namespace) -> Settings:
    """Return how cases are treated."""
    env = environment()
    for name in ("BIOS", "QEMU"):
        if os.environ.get(name):
            env[name] = os.environ[name]
    return Settings(env, args.qemu, "", not args.no_boot)


# ---- Doing it ------------------------------------------------------------------

class Sweep:
    """A sweep: its cases, results and report."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.start = time.monotonic()
        self.folder = Path(args.dir).resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.settings = settings_of(args)
        self.versions = {} if args.no_boot or args.hosts else {
            qemu: program_line(qemu) for qemu in args.qemu}
        self.engine = Engine(ROOT, self.folder, self.settings, args.jobs or (
            0 if args.hosts else os.cpu_count() or 1), args.hosts, args.remote_dir, args.ssh)
        self.model = Model(self.engine.source)
        self.engine.check_hosts(compiler_of(self.model))
        if float(args.time):
            self.engine.deadline = self.start + float(args.time)
        if args.machines == ["all"]:
            args.machines = list(Planner(self.model, [], [1]).known.harts)
        self.planner = Planner(self.model, args.machines, args.harts)
        self.notes: dict[str, str] = {}
        self.kinds: dict[str, str] = {}
        self.cases: dict[str, Case] = {}
        self.results: list[dict[str, Any]] = []

    def plan(self) -> list[Case]:
        """Return what is to be done."""
        for kind in dict.fromkeys(self.args.kinds):
            for case in getattr(self, f"plan_{kind}")():
                assert case.name not in self.cases, case.name
                self.cases[case.name] = case
                self.kinds[case.name] = kind
        cases = shard(list(self.cases.values()), self.args.shard or None)
        self.cases = {case.name: case for case in cases}
        return cases

    def plan_random(self) -> list[Case]:
        """N random configurations."""
        self.notes["random"] = f"seed {self.args.seed}, numbers 0 to {self.args.number - 1}"
        return [self.planner.random(self.args.seed, number) for number in range(self.args.number)]

    def plan_all(self) -> list[Case]:
        """What has a name."""
        return list(self.planner.all())

    def plan_each(self) -> list[Case]:
        """Every option of each base."""
        cases = [case for base in self.args.base
                 for case in self.planner.each(base, words_of(self.args.option))]
        toggled = len({case.option.partition("=")[0] for case in cases if case.option})
        self.notes["each"] = f"{toggled} options toggled, from {', '.join(self.args.base)}"
        return cases

    def pairwise_set(self) -> Any:
        """Return the pairwise set; z3 is needed for nothing else."""
        try:
            import pairwise
        except ImportError as err:
            raise UsageError(f"{err.name} is needed for pairs: install python3-z3, or run "
                             "./scripts/setup.sh") from None
        return pairwise.find(self.model, self.args.seed, self.folder / "pairwise")

    def plan_pairwise(self) -> list[Case]:
        """The pairwise set."""
        texts = self.pairwise_set().texts[:self.args.first]
        return [self.planner.case(f"pairwise-{number}", text)
                for number, text in enumerate(texts)]

    def note_coverage(self, names: list[str]) -> None:
        """Count the pairs that the pairwise set's configurations of these names hold."""
        texts = [self.cases[name].text for name in names if self.kinds[name] == "pairwise"]
        if "pairwise" in self.args.kinds:
            import pairwise
            self.notes["pairwise"] = pairwise.coverage(self.pairwise_set(), texts).text()

    # -- results ----------------------------------------------------------------------

    def remembered(self) -> dict[str, dict[str, Any]]:
        """Return what an earlier sweep did well, by the cases' keys."""
        known: dict[str, dict[str, Any]] = {}
        try:
            lines = (self.folder / "done.jsonl").read_text(encoding="utf-8").splitlines()
        except OSError:
            return known
        for line in lines:
            try:
                entry = json.loads(line)
                known[entry["key"]] = entry["result"]
            except (ValueError, KeyError):
                continue  # the line that an interrupt cut
        return known

    def key(self, case: Case) -> str:
        """Return what a case's result is remembered by."""
        return case.key(f"{self.engine.deciding} {self.versions} {self.settings}")

    def do(self, cases: list[Case], append: bool = False) -> bool:
        """Do the cases; return False if that was interrupted."""
        append = append or self.args.resume
        known = self.remembered() if append else {}
        progress = report_of.Progress(len(cases))
        todo: list[Case] = []
        for case in cases:
            old = known.get(self.key(case))
            if old:
                self.take({**old, "name": case.name, "resumed": True}, progress)
            else:
                todo.append(case)
        try:
            with open(self.folder / "done.jsonl", "a" if append else "w",
                      encoding="utf-8") as store:
                for result in self.engine.run(todo):
                    if result["status"] == "ok":
                        key = self.key(self.cases[result["name"]])
                        store.write(json.dumps({"key": key, "result": result}) + "\n")
                        store.flush()
                    self.take(result, progress)
        except KeyboardInterrupt:
            return False
        finally:
            progress.end()
        if self.engine.stderr:
            print(f"sweep: parallel says: {self.engine.stderr}", file=sys.stderr)
        return True

    def take(self, result: dict[str, Any], progress: report_of.Progress) -> None:
        """Note a result."""
        result["kind"] = self.kinds[result["name"]]
        case = self.cases[result["name"]]
        if case.option:
            result["option"] = case.option
        self.results.append(result)
        progress.add(result)

    def check_options(self) -> None:
        """Turn toggled options that do nothing into failures.

        Where an option makes no difference to the image of any base, it is toggled
        in other configurations; it fails if it makes none there either.
        """
        suspects = self.judge_options()
        others = list(self.other_texts().items()) if suspects else []
        while suspects and others:
            print(f"sweep: no difference so far by {' '.join(suspects)}: trying elsewhere",
                  file=sys.stderr)
            cases = list(self.planner.elsewhere(suspects, dict(others[:ELSEWHERE])))
            del others[:ELSEWHERE]
            self.cases.update({case.name: case for case in cases})
            self.kinds.update({case.name: "each" for case in cases})
            finished = self.do(cases, append=True)
            suspects = self.judge_options()
            if not finished or len(self.results) < len(self.cases):
                return  # where they were not tried they may make a difference
        for result in self.results:
            if self.cases[result["name"]].option.partition("=")[0] in suspects:
                result.update(status="fail", step="compare", why=(
                    f"{result['option']} leaves the image as it is, here and in all other "
                    "configurations that were tried: an option that does nothing"))

    def other_texts(self) -> dict[str, str]:
        """Return configurations in which an option may make a difference."""
        texts = {f"with-{name}": text for name, text in self.planner.named()}
        return {**texts, **{f"with-pairwise-{number}": text
                            for number, text in enumerate(self.pairwise_set().texts)}}

    def judge_options(self) -> list[str]:
        """Return the toggled options that made no difference anywhere so far."""
        done = {result["name"]: result for result in self.results if result["status"] == "ok"}
        differs: dict[str, bool] = {}
        for result in done.values():
            case = self.cases[result["name"]]
            other = done.get(case.reference)
            if not case.reference or not other:
                continue
            name = case.option.partition("=")[0]
            same = result["image"] == other["image"]
            if not case.elf_only:
                result["same_image"] = same
                differs[name] = differs.get(name, False) or not same or case.moved
            elif not same:
                result.update(status="fail", step="compare", why=(
                    f"{case.option} changes the image, and Kconfig says that it does not "
                    f"(beside {case.reference})"))
            else:
                differs[name] = differs.get(name, False) or result["elf"] != other["elf"]
        same = sum(bool(result.get("same_image")) for result in self.results)
        if differs:
            self.notes["toggles"] = (f"{sum(differs.values())} of {len(differs)} options make a "
                                     f"difference; {same} toggles make none where they were tried")
        return [name for name, does in differs.items() if not does]

    def look_into_failures(self) -> None:
        """Confirm, keep and shrink what failed."""
        failed = [result for result in self.results if result["status"] == "fail"]
        folder = fresh(self.folder / "failed")
        if failed:
            import shrink
            self.settings.work = str(folder / "trees")
            shrink.Doctor(self.planner, self.engine.source, self.settings, folder,
                          dict(self.planner.named()), self.args.shrink
                          ).look(failed, self.cases)
            shutil.rmtree(folder / "trees", ignore_errors=True)

    def report(self) -> dict[str, Any]:
        """Return all that is known."""
        hosts = [{"name": host.name, "cpus": host.cpus, **host.tools}
                 for host in self.engine.hosts]
        return {"kinds": self.args.kinds, "sources": self.engine.digest,
                "compiler": compiler_of(self.model), "qemu": self.versions, "hosts": hosts,
                "notes": self.notes, "planned": len(self.cases),
                "seconds": round(time.monotonic() - self.start, 3), "results": self.results}

    def write(self) -> int:
        """Write and print the report; return the exit status."""
        order = {name: number for number, name in enumerate(self.cases)}
        self.results.sort(key=lambda result: order[result["name"]])
        self.note_coverage([result["name"] for result in self.results
                            if result["status"] == "ok"])
        report = self.report()
        report_of.write_json(self.folder / "results.json", report)
        report_of.write_junit(self.folder / "junit.xml", report)
        print(report_of.table(report))
        failed = [result["name"] for result in self.results if result["status"] == "fail"]
        if failed:
            print(f"failed: {' '.join(failed)}; they are in {self.folder / 'failed'}")
        lost = len(self.cases) - len(self.results)
        return EXIT_FAILED if failed or (lost and not self.engine.deadline) else 0


def list_cases(sweep: Sweep, cases: list[Case]) -> int:
    """Write the configurations of a sweep to files."""
    folder = fresh(sweep.folder / "configs")
    for case in cases:
        (folder / f"{case.name}.config").write_text(case.text, encoding="utf-8")
    sweep.note_coverage(list(sweep.cases))
    for kind, text in sweep.notes.items():
        print(f"{kind}: {text}")
    print(f"{len(cases)} configurations in {folder}")
    return 0


def on_signal(signum: int, frame: Optional[FrameType]) -> NoReturn:
    """Turn a signal into what Ctrl-C does."""
    raise KeyboardInterrupt


def run() -> int:
    """Do what is asked; return the exit status."""
    args = parse_args()
    if args.worker:
        return worker_main()
    if args.probe:
        return probe()
    if not shutil.which("parallel"):
        raise UsageError("GNU parallel is not installed: run ./scripts/setup.sh")
    signal.signal(signal.SIGTERM, on_signal)
    sweep = Sweep(args)
    cases = sweep.plan()
    if args.list:
        return list_cases(sweep, cases)
    finished = sweep.do(cases)
    if finished:
        sweep.check_options()
        sweep.look_into_failures()
    status = sweep.write()
    return status if finished else EXIT_INTERRUPTED


def main() -> int:
    """Run; tell errors in one line."""
    try:
        return run()
    except (UsageError, EngineError, ModelError) as err:
        print(f"sweep: {err}", file=sys.stderr)
        return EXIT_USAGE
    except Failure as err:
        print(f"sweep: {err}", file=sys.stderr)
        return EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
