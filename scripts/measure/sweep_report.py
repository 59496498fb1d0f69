# SPDX-License-Identifier: MIT
"""What a sweep tells: progress, a table, JSON and JUnit."""
from __future__ import annotations

import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

SCHEMA = "ahoy-sweep-1"


class Progress:
    """Tells failures at once, the rest on one line of a terminal or now and then."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.done = 0
        self.failed = 0
        self.start = time.monotonic()
        self.tty = sys.stderr.isatty()

    def say(self, text: str) -> None:
        """Print a line that stays."""
        clear = "\r\033[K" if self.tty else ""
        print(f"{clear}{text}", file=sys.stderr, flush=True)

    def add(self, result: dict[str, Any]) -> None:
        """One case is done."""
        self.done += 1
        if result["status"] == "fail":
            self.failed += 1
            self.say(f"FAIL {result['name']}: {result['step']}: {first_line(result['why'])}")
        seconds = time.monotonic() - self.start
        left = seconds / self.done * (self.total - self.done)
        text = (f"[{self.done}/{self.total}] {self.failed} failed, {seconds:.0f} s, "
                f"{left:.0f} s to go")
        if self.tty:
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
        elif self.done % max(self.total // 20, 1) == 0 or self.done == self.total:
            self.say(text)

    def end(self) -> None:
        """The last one is done."""
        if self.tty:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def first_line(text: str) -> str:
    """Return the first line of a reason."""
    return (text.splitlines() or [""])[0]


def boots_of(results: list[dict[str, Any]]) -> Counter:
    """Return how many boots went how, by machine."""
    return Counter((boot["machine"], boot["how"]) for result in results
                   for boot in result.get("boots", ()))


def skipped(result: dict[str, Any]) -> str:
    """Return why no boot of a configuration could be judged, or ""."""
    how = [boot["how"] for boot in result.get("boots", ())]
    return how[0] if how and "ok" not in how else ""


def table(report: dict[str, Any]) -> str:
    """Return the summary for people."""
    results = report["results"]
    count = Counter(result["status"] for result in results)
    lines = [f"sources {report['sources']}, {report['compiler']}"]
    lines += [f"{what}: {text}" for what, text in report["notes"].items()]
    kinds = Counter(result["kind"] for result in results)
    for kind, total in kinds.items():
        bad = sum(result["status"] == "fail" for result in results if result["kind"] == kind)
        seconds = [result["seconds"] for result in results
                   if result["kind"] == kind and not result.get("resumed")]
        mean = f", {sum(seconds) / len(seconds):.2f} s each" if seconds else ""
        lines.append(f"{kind:10} {total:6} configurations, {bad} failed{mean}")
    for (machine, how), number in sorted(boots_of(results).items()):
        lines.append(f"{machine:10} {number:6} boots {how}")
    lost = report["planned"] - len(results)
    lines.append(f"{count['ok']} of {report['planned']} configurations passed, {count['fail']} "
                 f"failed, {lost} were not done; {report['seconds']:.0f} s")
    unseen = sum(bool(skipped(result)) for result in results if result["status"] == "ok")
    if unseen:
        lines.append(f"{unseen} of them were built, and their boot could not be judged here")
    return "\n".join(lines)


def write_json(path: Path, report: dict[str, Any]) -> None:
    """Write all that is known."""
    path.write_text(json.dumps({"schema": SCHEMA, **report}, indent=1) + "\n", encoding="utf-8")


def write_junit(path: Path, report: dict[str, Any]) -> None:
    """Write the results for CI servers."""
    results = report["results"]
    failed = sum(result["status"] == "fail" for result in results)
    out = ['<?xml version="1.0" encoding="utf-8"?>\n',
           f'<testsuites><testsuite name="sweep" tests="{len(results)}" failures="{failed}" '
           f'errors="0" skipped="{sum(bool(skipped(result)) for result in results)}" '
           f'time="{report["seconds"]:.3f}">\n']
    for result in results:
        head = (f'<testcase classname="sweep.{result["kind"]}" name={quoteattr(result["name"])} '
                f'time="{result["seconds"]:.3f}"')
        if result["status"] != "fail" and skipped(result):
            out.append(f"{head}><skipped message={quoteattr(skipped(result))}/></testcase>\n")
            continue
        if result["status"] != "fail":
            out.append(head + "/>\n")
            continue
        why = clean(f"{result['why']}\n{result.get('fragment', '')}")
        message = clean(f"{result['step']}: {first_line(result['why'])}")
        out.append(f"{head}><failure message={quoteattr(message)}>{escape(why)}</failure>"
                   "</testcase>\n")
    out.append("</testsuite></testsuites>\n")
    path.write_text("".join(out), encoding="utf-8")


def clean(text: str) -> str:
    """Return a text without the characters that XML forbids: consoles print anything."""
    return "".join(c if c in "\t\n" or (ord(c) >= 32 and ord(c) not in (0xfffe, 0xffff)
                                        and not 0xd800 <= ord(c) <= 0xdfff)
                   else "?" for c in text)
