# SPDX-License-Identifier: MIT
"""Compare configurations: what they cost, where, and why.

Each KERNEL is a name in configs/, a .config, a build folder, an image or ELF
file, or REV:CONFIG, a configuration as of a git revision. What is not built yet
is built in a folder of its own and booted under the meter; what was measured
once is not measured again while sources, compiler and QEMU stay the same.
LLVM, CROSS_COMPILE, QEMU, MACHINE, MEM, SMP, CPU, BIOS and APPEND in the
environment say with what, as for make and make run.

Exit status: 0, 1 if something grew by more than --fail-over allows or could not
be built, 2 when the request makes no sense.
"""
from __future__ import annotations

import argparse
import concurrent.futures
import json
import os
import re
import shutil
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn, Optional

import builds
import comparison
from builds import Cache, Failure, Source, Unknown, one_of

FORMATS = ("table", "json", "csv", "md", "html")
EXIT_FAILED, EXIT_USAGE = 1, 2


def usage(text: str) -> NoReturn:
    """End because the request makes no sense."""
    print(f"compare: {text}", file=sys.stderr)
    sys.exit(EXIT_USAGE)


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        usage(f"{message}; --help lists the options")


def parse_limit(text: str) -> comparison.Limit:
    """Return what --fail-over says: [FIGURE=]AMOUNT[%]."""
    match = re.fullmatch(r"(?:(\w+)=)?(\d+(?:\.\d+)?)(%?)", text)
    if not match:
        raise argparse.ArgumentTypeError(f"{text}: write for example 1% or image=64")
    known = [figure.id for figure in comparison.FIGURES]
    if match[1] and match[1] not in known:
        raise argparse.ArgumentTypeError(f"{match[1]}: no such figure; there are "
                                         + ", ".join(known))
    return comparison.Limit(match[1] or "", float(match[2]), bool(match[3]))


def parse_args(words: Optional[list[str]] = None) -> argparse.Namespace:
    """Read the command line."""
    lines = (__doc__ or "").splitlines()
    parser = Parser(prog="compare", description=lines[0], epilog="\n".join(lines[2:]),
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kernels", nargs="*", metavar="KERNEL", help="what to compare")
    parser.add_argument("--base", default=os.environ.get("BASE") or None, metavar="KERNEL",
                        help="BASE: what the others are compared with (the first)")
    parser.add_argument("--format", default=os.environ.get("FORMAT") or "table", metavar="FORM",
                        type=one_of(FORMATS), help=f"FORMAT: {', '.join(FORMATS)} (%(default)s)")
    parser.add_argument("--output", metavar="FILE", help="write there instead of on stdout")
    parser.add_argument("--threshold", type=float, default=0, metavar="N",
                        help="sum up rows that differ by less than N bytes or instructions")
    parser.add_argument("--sort", default="delta", choices=comparison.SORTS,
                        help="order of rows: %(choices)s (%(default)s)")
    parser.add_argument("--all", action="store_true",
                        help="all rows, also those that do not differ")
    parser.add_argument("--fail-over", action="append", default=[], type=parse_limit,
                        metavar="[FIGURE=]N[%]",
                        help="exit with status 1 if an exact figure, or the one named, grew by "
                        "more than N or N per cent")
    parser.add_argument("--no-least-ram", action="store_true",
                        help="do not look for the least RAM that boots, which takes some boots")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N",
                        help="so much at the same time (%(default)s)")
    args = parser.parse_args(words)
    if not args.kernels:
        usage('name what to compare, such as: make compare CONFIGS="tiny defconfig", or '
              "scripts/compare tiny defconfig")
    if args.jobs < 1:
        usage("--jobs: at least 1")
    if args.threshold < 0:
        usage("--threshold: not below 0")
    return args


def sources(args: argparse.Namespace) -> tuple[list[Source], int]:
    """Return what to compare, and which of it is the base."""
    names = list(args.kernels)
    if args.base is not None and args.base not in names:
        names.insert(0, args.base)
    try:
        found = [builds.resolve(name) for name in names]
    except Unknown as err:
        usage(str(err))
    return found, names.index(args.base) if args.base is not None else 0


# ---- Measuring -------------------------------------------------------------------

class Progress:
    """What is being done, on the terminal; nothing where stderr is none."""

    def __init__(self, names: list[str]) -> None:
        self.progress: Any = None
        self.tasks: list[Any] = []
        self.names = names

    def __enter__(self) -> "Progress":
        return self

    def start(self) -> None:
        """Begin to show something: there is work to wait for."""
        if self.progress or not sys.stderr.isatty():
            return
        from rich.console import Console
        from rich.progress import Progress as Bars, SpinnerColumn, TextColumn, TimeElapsedColumn
        self.progress = Bars(SpinnerColumn(finished_text=" "), TextColumn("{task.description}"),
                             TimeElapsedColumn(), TextColumn("{task.fields[step]}"),
                             console=Console(stderr=True), transient=True)
        self.tasks = [self.progress.add_task(name, total=1, start=False, step="waits")
                      for name in self.names]
        self.progress.start()

    def step(self, index: int, text: str) -> None:
        """Say what is done for one kernel; "" when all is."""
        if not self.progress:
            return
        task = self.tasks[index]
        self.progress.start_task(task)
        self.progress.update(task, step=text or "done", completed=0 if text else 1)

    def __exit__(self, *_: Any) -> None:
        if self.progress:
            self.progress.stop()


def failed_record(source: Source, text: str) -> dict[str, Any]:
    """Return the record of a kernel that there is not."""
    return {"schema": "ahoy-record-1", "name": source.name, "kind": source.kind, "key": None,
            "options": None, "image": None, "sizes": None, "sections": [], "symbols": [],
            "knows_symbols": False, "knows_objects": False, "machine": None,
            "qemu": None, "variables": {}, "run": None, "run_failure": None,
            "least_ram": None, "seconds": None, "failure": text,
            "notes": ["there is no kernel: " + text.splitlines()[0]]}


def measure_all(found: list[Source], args: argparse.Namespace) -> list[dict[str, Any]]:
    """Build and measure, several at a time."""
    import record
    workers = min(args.jobs, len(found))
    cache = Cache(jobs=max(1, args.jobs // workers))
    qemu = record.Machine()

    def one(index: int, progress: Progress) -> dict[str, Any]:
        source = found[index]
        try:
            progress.step(index, "builds")
            build = cache.build(source)
            progress.step(index, "boots")
            return record.measure(build, not args.no_least_ram, cache, qemu)
        except Unknown:
            raise
        except Failure as err:
            return failed_record(source, str(err))
        finally:
            progress.step(index, "")

    with Progress([source.name for source in found]) as progress:
        pool = concurrent.futures.ThreadPoolExecutor(workers)
        futures = [pool.submit(one, index, progress) for index in range(len(found))]
        try:
            # What is known already comes at once: no display for that.
            if concurrent.futures.wait(futures, 0.3).not_done:
                progress.start()
            return [future.result() for future in futures]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            builds.stop_all()
            raise
        finally:
            pool.shutdown(cancel_futures=True)


def made_by() -> dict[str, Any]:
    """Return the revision of the sources that did the measuring."""
    try:
        return {"revision": builds.git("describe", "--always", "--dirty", "--abbrev=12").strip()}
    except Failure:
        return {"revision": None}


# ---- Reporting -------------------------------------------------------------------

def rendered(compared: dict[str, Any], records: list[dict[str, Any]],
             args: argparse.Namespace) -> str:
    """Return the report in the form that is asked for."""
    if args.format == "json":
        return json.dumps({**compared, "records": records}, indent=1) + "\n"
    if args.format == "html":
        import page
        return page.render(compared, records)
    import reports
    if args.format == "csv":
        return reports.values(compared)
    if args.format == "md":
        return reports.markdown(compared)
    wide = shutil.get_terminal_size((100, 0)).columns if sys.stdout.isatty() else 100
    return reports.text(compared, wide)


def write(text: str, output: Optional[str]) -> None:
    """Write the report where it is wanted."""
    if output:
        try:
            Path(output).write_text(text, encoding="utf-8")
        except OSError as err:
            usage(f'--output "{output}": {err.strerror}')
        return
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has seen enough; nor may Python flush at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def interrupted(signum: int, frame: Any) -> NoReturn:
    """Turn a signal into what Ctrl-C does."""
    raise KeyboardInterrupt


def main() -> int:
    """Compare as asked; return the exit status."""
    args = parse_args()
    signal.signal(signal.SIGTERM, interrupted)
    try:
        found, base = sources(args)
        records = measure_all(found, args)
    except Unknown as err:
        usage(str(err))
    except Failure as err:
        print(f"compare: {err}", file=sys.stderr)
        return EXIT_FAILED
    except KeyboardInterrupt:
        print("compare: interrupted", file=sys.stderr)
        return 130
    status = 0
    for record in records:
        if record.get("failure"):
            print(f"compare: {record['name']}: {record['failure']}", file=sys.stderr)
            status = EXIT_FAILED
    if all(record.get("failure") for record in records):
        return status
    compared = comparison.comparison(
        records, base, comparison.Selection(args.all, args.threshold, args.sort), made_by())
    write(rendered(compared, records, args), args.output)
    for limit in args.fail_over:
        for line in comparison.exceeded(compared, limit):
            print(f"compare: {line}", file=sys.stderr)
            status = EXIT_FAILED
    return status
