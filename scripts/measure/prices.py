# SPDX-License-Identifier: MIT
"""What each option costs: one at a time is switched, built and booted.

OPTION is shown from the ledger where that is still true, else measured now.
--all measures every option and writes the ledger, which menuconfig shows.
LLVM, CROSS_COMPILE, QEMU, MACHINE, MEM, SMP, CPU, BIOS and APPEND in the
environment say with what, as for make and make run.

Exit status: 0, 1 if something cannot be measured, 2 when the request makes no
sense.
"""
from __future__ import annotations

import argparse
import concurrent.futures
import difflib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Callable, Iterator, NoReturn, Optional, Sequence

import builds
import comparison
import interactions
import ledger as ledgers
import pricetext
import record
from builds import Build, Cache, Failure, Unknown, one_of
from ledger import BadLedger, Entry, Ledger
from model import Model, ModelError, Toggle, environ

EXIT_FAILED, EXIT_USAGE = 1, 2
# Not of a kernel alone, or not exact.
NO_FIGURES = ("least_ram", "least_ram_beyond", "build_seconds")
MOST_ROWS = 8
# Sources may change while they are measured; what did not is built already.
ATTEMPTS = 3
MARKS = re.compile(rb"IKCFG_ST.*?IKCFG_ED", re.DOTALL)
FORMATS = ("table", "json", "md")


def usage(text: str) -> NoReturn:
    """End because the request makes no sense."""
    print(f"price: {text}", file=sys.stderr)
    sys.exit(EXIT_USAGE)


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        usage(f"{message}; --help lists the options")


def parse_args(words: Optional[list[str]] = None) -> argparse.Namespace:
    """Read the command line."""
    env = os.environ
    lines = (__doc__ or "").splitlines()
    parser = Parser(prog="price", description=lines[0], epilog="\n".join(lines[2:]),
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("options", nargs="*", metavar="OPTION",
                        help="OPTION: with or without CONFIG_")
    parser.add_argument("--all", action="store_true", help="every option; write the ledger")
    parser.add_argument("--base", default=env.get("BASE") or "defconfig", metavar="CONFIG",
                        help="BASE: a name in configs/, a .config or a build folder (defconfig)")
    parser.add_argument("--dir", type=Path, default=ledgers.default_folder(), metavar="DIR",
                        help="where ledgers are (%(default)s)")
    parser.add_argument("--pairs", type=int, default=int(env.get("PAIRS") or 40), metavar="N",
                        help="PAIRS: build so many candidates for interactions at most, "
                        "0: look for none (%(default)s)")
    parser.add_argument("--time", type=float, default=float(env.get("TIME") or 0) or None,
                        metavar="SECONDS", help="TIME: begin no more pairs after so long")
    parser.add_argument("--format", default=env.get("FORMAT") or "table", metavar="FORM",
                        type=one_of(FORMATS), help=f"FORMAT: {', '.join(FORMATS)} (%(default)s)")
    parser.add_argument("--show", action="store_true", help="show the ledger; measure nothing")
    parser.add_argument("--page", type=Path, metavar="FILE",
                        help="put the ledger into a page, between <!-- prices --> and "
                        "<!-- end of prices -->; measure nothing")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N",
                        help="so much at the same time (%(default)s)")
    args = parser.parse_args(words)
    if args.jobs < 1 or args.pairs < 0:
        usage("--jobs: at least 1" if args.jobs < 1 else "--pairs: not below 0")
    if sum((bool(args.options), args.all, args.show, bool(args.page))) != 1:
        usage("either name options, such as: make price OPTION=NAME, or say --all, --show or "
              "--page")
    args.options = [word[len("CONFIG_"):] if word.startswith("CONFIG_") else word
                    for words in args.options for word in words.split()]
    return args


# ---- Progress --------------------------------------------------------------------

class Progress:
    """How far it is, on the terminal; nothing where stderr is none."""

    def __init__(self) -> None:
        self.wanted = sys.stderr.isatty()

    def each(self, what: str, items: Sequence[Any], do: Callable[[Any], Any],
             jobs: int, end: Optional[float] = None) -> Iterator[Any]:
        """Do something for all items, several at a time; yield results in order.

        @end: begin none after this moment; yields fewer then
        """
        def one(item: Any) -> Any:
            return None if end and time.monotonic() > end else (do(item),)

        pool = concurrent.futures.ThreadPoolExecutor(jobs)
        futures = [pool.submit(one, item) for item in items]
        try:
            for number, future in enumerate(futures):
                self.show(f"{what}: {sum(map(_done, futures))} of {len(items)}")
                result = future.result()
                if result is None:
                    return
                yield result[0]
                if number + 1 == len(items):
                    self.show("")
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            builds.stop_all()
            raise
        finally:
            pool.shutdown(cancel_futures=True)
            self.show("")

    def show(self, text: str) -> None:
        """Show a line in place of the one before."""
        if self.wanted:
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def _done(future: "concurrent.futures.Future[Any]") -> bool:
    return future.done()


# ---- Measuring -------------------------------------------------------------------

def embedded_config(image: Path) -> int:
    """Return how many bytes of an image are its configuration."""
    return sum(len(match[0]) for match in MARKS.finditer(image.read_bytes()))


def figures_of(found: dict[str, Any], image: Optional[Path]) -> dict[str, int]:
    """Return the figures of a record."""
    figures = {figure.id: comparison.dig(found, figure.path) for figure in comparison.FIGURES
               if figure.id not in NO_FIGURES}
    if image:
        figures["embedded_config"] = embedded_config(image)
    return {name: value for name, value in figures.items() if value is not None}


def greatest(old: dict[str, int], new: dict[str, int]) -> list[list[Any]]:
    """Return where the difference is greatest."""
    rows = [[name, new.get(name, 0) - old.get(name, 0)] for name in {**old, **new}]
    rows = [row for row in rows if row[1]]
    rows.sort(key=lambda row: (-abs(row[1]), row[0]))
    return rows[:MOST_ROWS]


def summed(rows: list[dict[str, Any]], key: str, amount: str) -> dict[str, int]:
    """Sum up rows of a record by one of their columns."""
    found: dict[str, int] = {}
    for row in rows:
        name = comparison.plain_name(row[key] or "(unknown)")
        found[name] = found.get(name, 0) + row[amount]
    return found


class Pricer:
    """Measures prices from one base."""

    def __init__(self, base: str, jobs: int) -> None:
        source = builds.resolve(base)
        if source.commit or source.image and not source.tree or not source.text:
            raise Unknown(f'"{base}": a base is a name in configs/, a .config or a build folder')
        self.name = source.name
        self.jobs = jobs
        self.model = Model()
        self.text = self.model.complete(source.text)
        self.cache = Cache(jobs=1)
        self.qemu = record.Machine()
        self.keys: dict[str, str] = {}
        self.progress = Progress()
        self.model_lock = threading.Lock()  # a model is not for threads
        self.base: dict[str, Any] = {}
        self.base_figures: dict[str, int] = {}

    def built(self, text: str, details: bool = True) -> tuple[Build, dict[str, Any]]:
        """Build and boot a complete configuration."""
        build = self.cache.build(text, complete=True)
        return build, record.measure(build, cache=self.cache, qemu=self.qemu, details=details)

    def measure_base(self) -> None:
        """Measure what prices are counted from."""
        build, self.base = self.built(self.text)
        if not self.base["run"]:
            raise Failure(f"{self.name}: the base does not boot: {self.base['run_failure']}")
        self.base_figures = figures_of(self.base, build.image)

    def price(self, toggle: Toggle) -> Entry:
        """Return what one toggle costs."""
        entry: Entry = {"option": toggle.name, "value": toggle.value, "old": toggle.old,
                        "also": [list(also) for also in toggle.also], "status": "ok", "why": "",
                        "figures": {}}
        try:
            build, found = self.built(toggle.text)
        except Failure as err:
            entry.update(status="not built", why=str(err))
            return entry
        new = figures_of(found, build.image)
        entry["figures"] = {name: new[name] - value for name, value in self.base_figures.items()
                            if name in new}
        for title, rows, key, amount in (("folders", "symbols", "folder", "size"),
                                         ("symbols", "symbols", "name", "size")):
            entry[title] = greatest(summed(self.base[rows], key, amount),
                                    summed(found[rows], key, amount))
        if not found["run"]:
            entry.update(status="not booted" if toggle.boots else "machine",
                         why=found["run_failure"])
            return entry
        entry["functions"] = greatest(
            summed(self.base["run"].get("functions", []), "name", "instructions"),
            summed(found["run"].get("functions", []), "name", "instructions"))
        if found["machine"] != self.base["machine"]:
            entry["machine"] = " ".join(found["machine"].values())
        return entry

    def toggles(self, names: Optional[list[str]] = None) -> list[Any]:
        """Return toggles, and entries of the options that cannot be toggled alone."""
        found: list[Any] = []
        for sym in self.model.settable():
            if names is not None and sym.name not in names:
                continue
            toggles = self.model.toggles(self.text, sym)
            found += toggles or self.fixed(sym)
        return found

    def fixed(self, sym: Any) -> list[Entry]:
        """Return the entry of an option that has no other value to try."""
        self.model.assign(self.model.wishes(self.text))
        if sym.choice and sym.str_value == "y":
            return []  # the others' prices are against it
        with environ(self.model.env):
            from explain import BOOL, NUMERIC, STRING, refusal
            if sym.orig_type == STRING:
                why = "a text, which has no other value to try"
            elif sym.orig_type in NUMERIC and sym.visibility:
                why = "has no range, so no other value to try"
            else:
                want = "n" if sym.orig_type == BOOL and sym.str_value == "y" else "y"
                why = refusal(sym, want if sym.orig_type == BOOL else sym.str_value)
        return [{"option": sym.name, "value": "", "old": sym.str_value, "also": [],
                 "status": "fixed", "why": why, "figures": {}}]

    def entries(self, names: Optional[list[str]] = None) -> list[Entry]:
        """Return the prices of some options, or of all."""
        def one(item: Any) -> Entry:
            return self.price(item) if isinstance(item, Toggle) else item

        for _ in range(ATTEMPTS):
            self.keys = ledgers.keys()
            self.progress.show("the base")
            self.measure_base()
            found = list(self.progress.each("prices", self.toggles(names), one, self.jobs))
            if self.still():
                return found
        raise Failure("the sources do not stand still: no price is of the same as another")

    def still(self) -> bool:
        """Are the figures so far all of the same sources, compiler and emulator?"""
        return ledgers.keys() == self.keys

    def stamp(self) -> dict[str, Any]:
        """Return what the figures are of."""
        try:
            revision = builds.git("describe", "--always", "--dirty", "--abbrev=12").strip()
        except Failure:
            revision = ""
        run = self.base["run"]
        return {"base": self.name, "revision": revision, "keys": self.keys,
                "compiler": compiler_text(self.cache.compiler), "qemu": self.base["qemu"],
                "firmware": run.get("firmware_version") or "",
                "machine": " ".join(self.base["machine"].values())}

    def ledger(self, prices: list[Entry]) -> Ledger:
        """Return a ledger of prices, without interactions yet."""
        return Ledger({
            "schema": ledgers.SCHEMA, "stamp": self.stamp(),
            "base": {"name": self.name, "text": self.text, "figures": self.base_figures,
                     "values": builds.parse_config(self.text),
                     "settable": [sym.name for sym in self.model.settable()]},
            "prices": prices,
            "interactions": {"configurations": 0, "pairs_possible": 0, "candidates": 0,
                             "examined": 0, "stopped": "", "pairs": []}})

    # -- interactions -------------------------------------------------------------

    def together(self, pair: interactions.Pair) -> Optional[dict[str, int]]:
        """Return the figures where two prices are paid; None if that cannot be."""
        changed = interactions.joint(pair)
        with self.model_lock:
            base = self.model.wishes(self.text)
            text = self.model.config_text(self.model.changed(base, changed or {}))
        values = builds.parse_config(text)
        if any(values.get(name, "n") != value for name, value in (changed or {}).items()):
            return None
        try:
            build, found = self.built(text, details=False)
        except Failure:
            return None
        return figures_of(found, build.image) if found["run"] else None

    def find_interactions(self, ledger: Ledger, most: int, seconds: Optional[float]) -> None:
        """Put the interactions into a ledger."""
        import pairwise
        end = time.monotonic() + seconds if seconds else None
        self.progress.show("the pairwise set")
        texts = pairwise.find(self.model, store=self.cache.root / "pairwise").texts

        def one(text: str) -> Optional[tuple[dict[str, str], dict[str, int]]]:
            try:
                build, found = self.built(text, details=False)
            except Failure:
                return None
            if not found["run"]:
                return None
            return builds.parse_config(text), figures_of(found, build.image)

        measured = [found for found in self.progress.each("pairwise set", texts, one, self.jobs,
                                                          end) if found]
        pairs = interactions.pairs_of(ledger)
        likely = interactions.candidates(pairs, interactions.leftovers(ledger, measured))
        results = list(self.progress.each("pairs", likely[:most], self.together, self.jobs, end))
        if not self.still():
            raise Failure("the sources changed while pairs were measured: there are prices, but no "
                          "interactions")
        examined = list(zip(likely, results))
        stopped = ""
        if len(results) < len(likely):
            stopped = (f"at most {most} by --pairs" if len(results) == most
                       else f"stopped after {seconds:g} seconds")
        ledger.data["interactions"] = {
            "configurations": len(measured), "pairs_possible": len(pairs),
            "candidates": len(likely), "examined": len(results), "stopped": stopped,
            "impossible": sum(result is None for result in results),
            "pairs": interactions.found_in(ledger, examined)}


def compiler_text(key: str) -> str:
    """Return what a compiler says of itself; key as of sources.compiler()."""
    name = key.split()[0]
    try:
        said = subprocess.run([name, "--version"], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=60, check=False).stdout
    except (OSError, subprocess.SubprocessError):
        return name
    return said.splitlines()[0].strip() if said else name


# ---- The command -----------------------------------------------------------------

def kept(args: argparse.Namespace) -> Optional[Ledger]:
    """Return the ledger of the base, or None."""
    source = builds.resolve(args.base)
    try:
        return Ledger.read(args.dir / ledgers.file_name(source.name, source.text))
    except FileNotFoundError:
        return None


def price_all(args: argparse.Namespace) -> int:
    """Measure all prices; write the ledger, and show it."""
    pricer = Pricer(args.base, args.jobs)
    source = builds.resolve(args.base)
    ledger = pricer.ledger(pricer.entries())
    path = args.dir / ledgers.file_name(source.name, source.text)
    # Prices first: a search for interactions may be stopped.
    ledger.write(path)
    if args.pairs:
        pricer.find_interactions(ledger, args.pairs, args.time)
        ledger.write(path)
    show(ledger, args)
    print(f"price: the ledger is {path}", file=sys.stderr)
    return 0


def show(ledger: Ledger, args: argparse.Namespace) -> None:
    """Print a ledger."""
    stale = ledger.stale(ledgers.keys())
    if args.format == "json":
        print(json.dumps({**ledger.data, "stale": stale}, indent=1))
    elif args.format == "md":
        print(pricetext.markdown(ledger, stale), end="")
    else:
        print(pricetext.table(ledger, stale), end="")


def price_some(args: argparse.Namespace) -> int:
    """Show the prices of some options."""
    ledger = kept(args)
    stale = ledger.stale(ledgers.keys()) if ledger else []
    if ledger is None or stale or any(name not in ledger.prompts for name in args.options):
        pricer = Pricer(args.base, args.jobs)
        check_names(pricer.model, args.options)
        ledger = pricer.ledger(pricer.entries(args.options))
        stale = []
    if args.format == "json":
        rows = [entry for name in args.options for entry in ledger.by_option.get(name, [])]
        print(json.dumps({"schema": ledgers.SCHEMA, "stamp": ledger.stamp, "prices": rows},
                         indent=1))
        return 0
    for name in args.options:
        print("\n".join(pricetext.story(ledger, name, stale)))
    bad = [entry for name in args.options for entry in ledger.by_option.get(name, ())
           if entry["status"] == "not built"]
    return EXIT_FAILED if bad else 0


def check_names(model: Model, names: list[str]) -> None:
    """End if there is no such option."""
    known = [sym.name for sym in model.settable()]
    for name in names:
        if name in known:
            continue
        if name in model.by_name:
            usage(f"{name} cannot be set: scripts/why {name} says what it comes from")
        near = difflib.get_close_matches(name.upper(), known, 3, 0.5)
        usage(f"{name}: no such option" + (f"; did you mean {', '.join(near)}?" if near else ""))


def write_page(args: argparse.Namespace) -> int:
    """Put the ledger into a page."""
    ledger = kept(args)
    if ledger is None:
        raise Failure(f'no prices of {args.base} in "{args.dir}": run make prices')
    try:
        page = args.page.read_text(encoding="utf-8")
        new = pricetext.in_page(page, ledger, ledger.stale(ledgers.keys()))
        if new is None:
            usage(f'"{args.page}" has no <!-- prices --> and <!-- end of prices -->')
        args.page.write_text(new, encoding="utf-8")
    except OSError as err:
        usage(f'"{args.page}": {err.strerror}')
    return 0


def interrupted(signum: int, frame: Any) -> NoReturn:
    """Turn a signal into what Ctrl-C does."""
    raise KeyboardInterrupt


def run(args: argparse.Namespace) -> int:
    """Do what is asked for."""
    if args.all:
        return price_all(args)
    if args.page:
        return write_page(args)
    if args.show:
        ledger = kept(args)
        if ledger is None:
            raise Failure(f'no prices of {args.base} in "{args.dir}": run make prices')
        show(ledger, args)
        return 0
    return price_some(args)


def main() -> int:
    """Do what is asked for; return the exit status."""
    args = parse_args()
    signal.signal(signal.SIGTERM, interrupted)
    try:
        status = run(args)
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        # The reader has seen enough; nor may Python flush at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    except Unknown as err:
        usage(str(err))
    except (Failure, BadLedger, ModelError) as err:
        print(f"price: {err}", file=sys.stderr)
        return EXIT_FAILED
    except KeyboardInterrupt:
        print("price: interrupted", file=sys.stderr)
        return 130
