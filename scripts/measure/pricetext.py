# SPDX-License-Identifier: MIT
"""Prices in words: beside an option, as its whole story, as a table, as a page.

Read by menuconfig while it starts: nothing is imported here that takes time.
"""
from __future__ import annotations

import re
from typing import Any, Iterable, Optional

from ledger import BYTES, INSTRUCTIONS, Entry, Ledger, Total

HINT = '"make prices" finds out what each option costs'
# Figures of a story: lines of a title and (figure, its name).
STORY = (("bytes", (("image", "image"), ("text", "text"), ("rodata", "rodata"), ("data", "data"),
                    ("bss", "bss"), ("embedded_config", "of it the embedded configuration"))),
         ("instructions", (("instructions", "all"), ("kernel", "kernel"),
                           ("firmware", "firmware"), ("user", "user"))),
         ("pages", (("pages", "all"), ("pages_kernel", "kernel"),
                    ("pages_firmware", "firmware"), ("pages_user", "user"))),
         ("crossings", (("firmware_calls", "calls of firmware"),
                        ("firmware_traps", "other traps into firmware"),
                        ("system_calls", "system calls"), ("traps", "other traps"))))
STATUS = {"not built": "does not build", "not booted": "does not print the line here",
          "machine": "is the machine's own: not booted here", "fixed": "cannot be changed alone"}
TABLE = ("image", "text", "rodata", "data", "bss", "instructions", "kernel", "firmware", "pages")
MARKS = re.compile(r"(<!-- prices -->\n).*?(<!-- end of prices -->\n)", re.DOTALL)


def signed(amount: int) -> str:
    """Return a difference with its sign; nothing is 0."""
    return f"{amount:+,}" if amount else "0"


def tag(figures: Optional[dict[str, int]]) -> str:
    """Return bytes and instructions, as they stand beside an option."""
    if not figures:
        return "" if figures is None else "0 B 0 i"
    found = [f"{signed(figures[name])} {unit}" if name in figures else f"? {unit}"
             for name, unit in ((BYTES, "B"), (INSTRUCTIONS, "i"))]
    return " ".join(found)


def total_text(total: Total, ledger: Ledger, stale: list[str]) -> str:
    """Return the line that says what a configuration costs."""
    base = ledger.data["base"]["figures"]
    mark = "" if total.exact and not stale else "~"
    found = []
    for name, unit in ((BYTES, "bytes"), (INSTRUCTIONS, "instructions")):
        if name in total.figures:
            found.append(f"{mark}{total.figures[name]:,} {unit} "
                         f"({signed(total.figures[name] - base[name])})")
    text = ", ".join(found) + f"; base {ledger.stamp['base']}"
    if total.unknown:
        text += f"; {len(total.unknown)} unpriced"
    if stale:
        text += "; STALE: make prices"
    return text


def headline(entry: Entry) -> str:
    """Return what is switched."""
    old = entry["old"] or "not there"
    return f"{entry['option']}: {old} to {entry['value']}" if entry["value"] else entry["option"]


def changes(entry: Entry) -> str:
    """Return what else changes."""
    def shown(value: str) -> str:
        return value if value in ("y", "n") or value[:1].isdigit() else f'"{value}"'
    return ", ".join(f"{name} {shown(old)} to {shown(new)}" for name, old, new in entry["also"])


def problem(entry: Entry) -> str:
    """Return why a price is not whole."""
    lines = entry["why"].strip().splitlines()
    # Of what make said, the line that matters.
    told = [line for line in lines if re.search(r"\berror\b|undefined reference", line)] + lines
    return STATUS[entry["status"]] + (f": {told[0].strip()}" if told else "")


def figure_lines(figures: dict[str, int]) -> list[str]:
    """Return all figures of a price, a line a kind."""
    lines = []
    for title, names in STORY:
        shown = [f"{name} {signed(figures[key])}" for key, name in names
                 if figures.get(key) or (key == names[0][0] and key in figures)]
        if any(figures.get(key) for key, _ in names):
            lines.append(f"{title}: {', '.join(shown)}")
    return lines or ["nothing that is measured changes"]


def where_lines(entry: Entry) -> list[str]:
    """Return where the difference lies."""
    lines = []
    for key, title in (("folders", "bytes by folder"), ("symbols", "bytes by symbol"),
                       ("functions", "instructions by function")):
        rows = entry.get(key)
        if rows:
            lines.append(f"{title}: " + ", ".join(f"{name} {signed(amount)}"
                                                  for name, amount in rows))
    return lines


def price_lines(entry: Entry) -> list[str]:
    """Return one price with all that is known of it."""
    lines = [headline(entry)]
    if entry["also"]:
        lines.append(f"  with it: {changes(entry)}")
    if entry["status"] != "ok":
        lines.append(f"  {problem(entry)}")
    if entry["figures"]:
        lines += [f"  {line}" for line in figure_lines(entry["figures"]) + where_lines(entry)]
    if entry.get("machine"):
        lines.append(f"  booted on another machine than the base: {entry['machine']}")
    return lines


def pair_text(pair: dict[str, Any]) -> str:
    """Return an interaction as a sentence."""
    names = " and ".join(f"{name}={value}" for name, value in pair["options"])
    extra = ", ".join(f"{signed(pair['extra'][key])} {unit}"
                      for key, unit in (("bytes", "bytes"), (INSTRUCTIONS, "instructions"))
                      if pair["extra"].get(key))
    return f"{names} together: {extra} besides the sum of their prices"


def examined_text(ledger: Ledger) -> str:
    """Return what was looked at for interactions, and what was not."""
    found = ledger.data["interactions"]
    if not found["configurations"]:
        return "Interactions were not looked for."
    return (f"Interactions: prices were held against {found['configurations']} configurations of "
            f"the pairwise set; {found['candidates']} of {found['pairs_possible']} pairs of prices "
            f"were candidates, {found['examined']} of them were built together, "
            f"{len(found['pairs'])} cost another sum. Not built: "
            f"{found['candidates'] - found['examined']} candidates"
            + (f" ({found['stopped']})" if found["stopped"] else "") + ".")


def stamp_lines(ledger: Ledger, stale: list[str]) -> list[str]:
    """Return the stamp, and whether it is out of date."""
    lines = ledger.stamp_lines()
    if stale:
        lines.append(f"STALE: {', '.join(stale)} changed since; \"make prices\" renews them")
    return lines


def story(ledger: Ledger, option: str, stale: list[str]) -> list[str]:
    """Return all that a ledger knows of an option."""
    lines: list[str] = []
    for entry in ledger.by_option.get(option, ()):
        lines += price_lines(entry)
    if not lines:
        chosen = ledger.base.get(option) == "y"
        lines.append("is chosen in the base: the others' prices are against it" if chosen
                     else "has no price in this ledger")
    lines += [pair_text(pair) for pair in ledger.interactions(option)]
    return lines + ["", "Measured from:"] + stamp_lines(ledger, stale)


def table_rows(entries: Iterable[Entry]) -> list[list[str]]:
    """Return the table of prices: names, what else changes, figures."""
    rows = []
    for entry in entries:
        figures = entry["figures"]
        rows.append([headline(entry)] + [signed(figures[name]) if name in figures else ""
                                         for name in TABLE])
    return rows


def table(ledger: Ledger, stale: list[str]) -> str:
    """Return the whole ledger as text."""
    lines = stamp_lines(ledger, stale) + [""]
    base = ledger.data["base"]["figures"]
    lines.append("base: " + ", ".join(f"{name} {base[name]:,}" for name in TABLE if name in base))
    lines.append("")
    width = max(len(headline(entry)) for entry in ledger.data["prices"])
    lines.append(f"{'':{width}}" + "".join(f"{name:>13}" for name in TABLE))
    rest = []
    for entry, row in zip(ledger.data["prices"], table_rows(ledger.data["prices"])):
        if entry["status"] == "fixed":
            rest.append(f"{entry['option']}: {entry['why']}")
            continue
        lines.append((f"{row[0]:{width}}" + "".join(f"{cell:>13}" for cell in row[1:])).rstrip())
        if entry["also"]:
            lines.append(f"  with it: {changes(entry)}")
        if entry["status"] != "ok":
            lines.append(f"  {problem(entry)}")
    if rest:
        lines += ["", "Not toggled:"] + [f"  {line}" for line in rest]
    lines += ["", examined_text(ledger)]
    lines += [f"  {pair_text(pair)}" for pair in ledger.data["interactions"]["pairs"]]
    return "\n".join(lines) + "\n"


def markdown(ledger: Ledger, stale: list[str]) -> str:
    """Return the whole ledger as it stands in a page."""
    lines = [f"- {line}" for line in stamp_lines(ledger, stale)] + [""]
    lines.append("| option | with it | " + " | ".join(TABLE) + " |")
    lines.append("| --- | --- |" + " ---: |" * len(TABLE))
    base = ledger.data["base"]["figures"]
    lines.append(f"| *{ledger.stamp['base']}* | |"
                 + "".join(f" {base[name]:,} |" if name in base else " |" for name in TABLE))
    rest = []
    for entry, row in zip(ledger.data["prices"], table_rows(ledger.data["prices"])):
        if entry["status"] == "fixed":
            rest.append(f"- {entry['option']}: {entry['why']}")
            continue
        beside = [changes(entry)] if entry["also"] else []
        beside += [f"**{problem(entry)}**"] if entry["status"] != "ok" else []
        lines.append(f"| {row[0]} | {'; '.join(beside)} | " + " | ".join(row[1:]) + " |")
    if rest:
        lines += ["", "What cannot be toggled alone, and so has no price:", "", *rest]
    lines += ["", examined_text(ledger)]
    pairs = ledger.data["interactions"]["pairs"]
    if pairs:
        lines += [""] + [f"- {pair_text(pair)}" for pair in pairs]
    return "\n".join(lines) + "\n"


def in_page(page: str, ledger: Ledger, stale: list[str]) -> Optional[str]:
    """Return a page with its part on prices renewed; None if it has no such part."""
    if not MARKS.search(page):
        return None
    text = markdown(ledger, stale)
    return MARKS.sub(lambda found: f"{found[1]}\n{text}\n{found[2]}", page)
