# SPDX-License-Identifier: MIT
"""A comparison as text, as Markdown and as comma-separated values.

Text and Markdown are the same tables, laid out here and drawn twice. What a
short table leaves out is one row more, so that columns always add up.
"""
from __future__ import annotations

import csv
import io
import textwrap
from dataclasses import dataclass, field
from typing import Any, Iterable, Optional

from comparison import add_up, deltas

UNKNOWN = "?"
# Rows of a table that is not asked for whole.
MOST_ROWS = 20
MOST_PHASE_ROWS = 8
# More configurations than this have a line for their differences.
BESIDE = 3

Row = dict[str, Any]
Compared = dict[str, Any]


@dataclass
class Table:
    """Cells under a title. Columns of numbers are put to the right."""

    title: str
    header: list[str]
    numbers: int = 0   # so many columns at the right end are numbers
    rows: list[list[str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    wrap: bool = False  # the last column is prose


def number(value: Optional[float], exact: bool = True) -> str:
    """Return a number as people read it."""
    if value is None:
        return UNKNOWN
    text = f"{value:,.2f}" if isinstance(value, float) and not value.is_integer() else (
        f"{int(value):,}")
    return text if exact else f"~{text}"


def change(delta: Optional[float], exact: bool = True) -> str:
    """Return a difference as people read it."""
    if delta is None:
        return UNKNOWN
    if not delta:
        return "="
    return ("+" if delta > 0 else "-") + number(abs(delta), exact).replace("~", "")


def percent(value: Optional[float], delta: Optional[float]) -> str:
    """Return a difference in per cent of the base."""
    if not value or delta is None or not delta:
        return ""
    share = 100 * delta / value
    return f"{share:+,.0f}%" if abs(share) >= 1000 else f"{share:+.1f}%"


class Columns:
    """How values and differences stand beside each other."""

    def __init__(self, compared: Compared) -> None:
        self.names = [column["name"] for column in compared["columns"]]
        self.base = compared["base"]
        self.others = [n for n in range(len(self.names)) if n != self.base]
        self.order = [self.base, *self.others]
        self.beside = len(self.names) <= BESIDE
        self.is_pair = len(self.names) == 2

    def header(self) -> list[str]:
        """Return the header over the numbers."""
        cells = [self.names[self.base]]
        for index in self.others:
            cells.append(self.names[index])
            if self.beside:
                cells.append("delta")
        return cells + (["%"] if self.is_pair else [])

    def cells(self, values: list[Optional[float]], changes: list[Optional[float]],
              exact: bool = True) -> list[list[str]]:
        """Return the cells of a row, on one line or two."""
        if not self.beside:
            first = [number(values[index], exact) for index in self.order]
            if not any(changes):
                return [first]
            return [first, ["", *(change(changes[index], exact) for index in self.others)]]
        cells = [number(values[self.base], exact)]
        for index in self.others:
            cells += [number(values[index], exact), change(changes[index], exact)]
        if self.is_pair:
            cells.append(percent(values[self.base], changes[self.others[0]]))
        return [cells]

    def add(self, table: Table, left: list[str], row: Row, exact: bool = True) -> None:
        """Put a row into a table."""
        for cells in self.cells(row["values"], row["deltas"], exact):
            table.rows.append(left + cells)
            left = [""] * len(left)


# ---- The tables -----------------------------------------------------------------

def figures_table(compared: Compared, columns: Columns) -> Table:
    """The figures, one column a configuration."""
    table = Table("", ["", *columns.header()], len(columns.header()))
    group = ""
    for row in compared["figures"]:
        if row["group"] != group:
            group = row["group"]
            table.rows.append([group])
        title = row["title"] if row["exact"] else f"{row['title']} (not exact)"
        unit = "" if row["unit"] in ("instructions", "pages", "times") else f", {row['unit']}"
        columns.add(table, [f"  {title}{unit}"], row, row["exact"])
    for column in compared["columns"]:
        table.notes += [f"{column['name']}: {note}" for note in column["notes"]]
        if column["failure"] and not column["notes"]:
            table.notes.append(f"{column['name']}: {column['failure'].splitlines()[0]}")
    return table


def reasons(row: Row, names: list[str], order: list[int]) -> str:
    """Return why an option has its values, the same reason once."""
    if len(names) == 2:
        first, second = (row["why"][index] or "no such option" for index in order)
        return first if first == second else f"{first} -> {second}"
    found: dict[str, list[str]] = {}
    for index in order:
        found.setdefault(row["why"][index] or "no such option", []).append(names[index])
    if len(found) == 1:
        return next(iter(found))
    return "; ".join(f"{', '.join(who)}: {why}" for why, who in found.items())


def option_rows(compared: Compared, columns: Columns) -> list[Row]:
    """Return the options to show, with their depth and reasons as a sentence.

    Members of a choice that differs are left out, since the choice tells as
    much; what follows from them then follows from it.
    """
    rows = [row for row in compared["options"] if not (row["choice"] and row["differs"])]
    parents = {row["name"]: row["parent"] for row in compared["options"]}
    depths: dict[Optional[str], int] = {None: -1}
    shown = []
    for row in rows:
        parent = row["parent"]
        while parent not in depths:
            parent = parents[parent]
        depths[row["name"]] = depths[parent] + 1
        shown.append({**row, "depth": depths[row["name"]],
                      "reasons": reasons(row, columns.names, columns.order)})
    return shown


def options_table(compared: Compared, columns: Columns) -> Table:
    """The options that differ and why, causes before what follows from them."""
    title = "Options that differ, and why" if not compared["selection"]["all"] else (
        "Options, and why they are what they are")
    if not columns.beside:
        return grouped_options(title, compared, columns)
    table = Table(title, ["", *(columns.names[index] for index in columns.order), "why"],
                  wrap=True)
    for row in option_rows(compared, columns):
        values = [shown(row["values"][index]) for index in columns.order]
        table.rows.append(["  " * (row["depth"] + 1) + row["name"], *values, row["reasons"]])
    return table


def shown(value: Optional[str]) -> str:
    """Return an option's value; one that is hidden has none."""
    return UNKNOWN if value is None else value or "-"


def grouped_options(title: str, compared: Compared, columns: Columns) -> Table:
    """The same for many configurations: a line for each value and reason."""
    table = Table(title, ["", "value", "in", "why"], wrap=True)
    for row in option_rows(compared, columns):
        groups: dict[tuple[str, str], list[str]] = {}
        for index in columns.order:
            why = row["why"][index] or "no such option"
            groups.setdefault((shown(row["values"][index]), why), []).append(columns.names[index])
        name = "  " * (row["depth"] + 1) + row["name"]
        for number_, ((value, why), names) in enumerate(groups.items()):
            last = number_ == len(groups) - 1
            who = "the others" if last and number_ and len(names) > 2 else ", ".join(names)
            table.rows.append([name, value, "all" if len(groups) == 1 else who, why])
            name = ""
    return table


def short(found: dict[str, Any], compared: Compared, most: int) -> tuple[list[Row], Row]:
    """Return the rows to show, and one that sums up the others."""
    rows, left = found["rows"], found["omitted"]
    if not compared["selection"]["all"] and len(rows) > most:
        rest = rows[most:]
        values = add_up([*rest, {"values": left["values"]}], len(found["totals"]))
        return rows[:most], {"rows": left["rows"] + len(rest), "values": values,
                             "deltas": deltas(values, compared["base"])}
    return rows, left


def fill(table: Table, found: dict[str, Any], compared: Compared, columns: Columns,
         most: int = MOST_ROWS) -> Table:
    """Put rows, what is left out, and the sum into a table; nothing where all is the same."""
    width = len(table.header) - len(columns.header())
    rows, left = short(found, compared, most)
    if not rows and not any(left["deltas"]):
        return table
    for row in rows:
        names = [str(value) if value is not None else "-" for value in row["key"].values()]
        columns.add(table, ["  " + names[0], *names[1:]], row)
    if left["rows"]:
        what = "the same in all" if not any(left["deltas"]) else "more"
        columns.add(table, [f"  ({left['rows']} {what})", *[""] * (width - 1)], left)
    columns.add(table, ["  sum", *[""] * (width - 1)],
                {"values": found["totals"], "deltas": found["deltas"]})
    return table


def bloat(found: dict[str, Any], columns: Columns) -> list[str]:
    """Return bloat-o-meter's first line for each kernel beside the base."""
    lines = []
    for index in columns.others:
        pairs = [(row["values"][columns.base], row["values"][index]) for row in found["rows"]]
        known = [(old, new) for old, new in pairs if old is not None and new is not None]
        if not known:
            continue
        added = sum(1 for old, new in known if not old and new)
        removed = sum(1 for old, new in known if old and not new)
        grown = sum(1 for old, new in known if old and new > old)
        shrunk = sum(1 for old, new in known if new and new < old)
        up = sum(new - old for old, new in known if new > old)
        down = sum(old - new for old, new in known if new < old)
        name = "" if columns.is_pair else f"{columns.names[index]}: "
        lines.append(f"{name}add/remove: {added}/{removed} grow/shrink: {grown}/{shrunk} "
                     f"up/down: {up:,}/{-down:,} ({up - down:,})")
    return lines


def tables(compared: Compared) -> list[Table]:
    """Return everything as tables."""
    columns = Columns(compared)
    made = [figures_table(compared, columns), options_table(compared, columns)]
    for what, title, names in (
            ("sections", "Size by section", ["section", "kind"]),
            ("folders", "Size by folder", ["folder"]),
            ("objects", "Size by object", ["object"]),
            ("symbols", "Size by symbol", ["symbol", "object", "section"])):
        found = compared["sizes"][what]
        table = Table(f"{title}, in bytes", [*names, *columns.header()], len(columns.header()))
        if what == "symbols":
            table.notes = bloat(found, columns)
        made.append(fill(table, found, compared, columns))
    instructions = compared["instructions"]
    for what, title, names in (
            ("folders", "Instructions by folder", ["folder", "mode"]),
            ("functions", "Instructions by function", ["function", "mode", "object"])):
        table = Table(title, [*names, *columns.header()], len(columns.header()))
        made.append(fill(table, instructions[what], compared, columns))
    if instructions["phases"]:
        made.append(phases_table(compared, columns))
    return [table for table in made if table.rows]


def phases_table(compared: Compared, columns: Columns) -> Table:
    """The phases of the boot, and in each the functions that differ."""
    table = Table("Instructions by phase, and in each by function",
                  ["phase", "mode", *columns.header()], len(columns.header()))
    for phase in compared["instructions"]["phases"]:
        if not compared["selection"]["all"] and not any(phase["values"]):
            continue
        columns.add(table, [f"  {phase['name']}", ""], phase)
        if columns.others and not compared["selection"]["all"] and not any(phase["deltas"]):
            continue
        rows, left = short(phase["functions"], compared, MOST_PHASE_ROWS)
        for row in rows:
            columns.add(table, ["    " + row["key"]["function"], row["key"]["mode"]], row)
        if left["rows"] and any(value for value in left["values"]):
            columns.add(table, [f"    ({left['rows']} more)", ""], left)
    return table


# ---- Drawn as text ----------------------------------------------------------------

def heading(compared: Compared) -> str:
    """Return the line over everything."""
    names = [column["name"] for column in compared["columns"]]
    base = names.pop(compared["base"])
    return f"{', '.join(names)} against {base}" if names else base


def footing(compared: Compared) -> list[str]:
    """Return what the figures were measured with."""
    lines: dict[str, list[str]] = {}
    for column in compared["columns"]:
        machine = column["machine"] or {}
        parts = []
        if machine:
            harts = f"{machine['harts']} hart{'s' if machine['harts'] != '1' else ''}"
            parts.append(f"QEMU {column['qemu']}, {machine['machine']}, "
                         f"{int(machine['memory'][:-1]) >> 10} MiB, {harts}")
        if column["firmware_version"]:
            parts.append(column["firmware_version"])
        if column["compiler"]:
            parts.append(column["compiler"])
        parts += [f"{name}={value}" for name, value in column["variables"].items()]
        if parts:
            lines.setdefault("; ".join(parts), []).append(column["name"])
    if len(lines) == 1:
        return [f"Measured with {next(iter(lines))}."]
    return [f"{', '.join(names)}: measured with {line}." for line, names in lines.items()]


def draw_text(table: Table, width: int) -> Iterable[str]:
    """Return a table's lines."""
    count = len(table.header)
    full = [row for row in [table.header, *table.rows] if len(row) == count]
    prose = 1 if table.wrap else 0
    widths = [max(len(row[n]) for row in full) for n in range(count - prose)]
    if table.title:
        yield table.title
    for note in table.notes:
        yield f"  {note}"
    for row in [table.header, *table.rows]:
        if len(row) < count:
            yield row[0]
            continue
        cells = [row[n].rjust(widths[n]) if n >= count - table.numbers else row[n].ljust(widths[n])
                 for n in range(count - prose)]
        line = "  ".join(cells)
        if not prose:
            yield line.rstrip()
            continue
        room = max(30, width - len(line) - 2)
        text = textwrap.wrap(row[-1], room, break_on_hyphens=False) or [""]
        yield f"{line}  {text[0]}".rstrip()
        for more in text[1:]:
            yield " " * (len(line) + 2) + more


def text(compared: Compared, width: int = 100) -> str:
    """Return a comparison for the terminal."""
    lines = [heading(compared)]
    for table in tables(compared):
        lines += ["", *draw_text(table, width)]
    return "\n".join([*lines, "", *footing(compared)]) + "\n"


# ---- Drawn as Markdown --------------------------------------------------------------

def markdown_cell(cell: str) -> str:
    """Return a cell's text; leading spaces show what belongs to what."""
    depth = (len(cell) - len(cell.lstrip())) // 2
    plain = cell.strip()
    for mark in "\\|*_<>`[]":
        plain = plain.replace(mark, f"\\{mark}")
    return "&emsp;" * max(0, depth - 1) + plain


def markdown(compared: Compared) -> str:
    """Return a comparison as a Markdown document."""
    lines = [f"# {markdown_cell(heading(compared))}"]
    for table in tables(compared):
        count = len(table.header)
        lines += ["", f"## {table.title or 'Figures'}", ""]
        lines += [f"{markdown_cell(note)}  " for note in table.notes] + [""] * bool(table.notes)
        lines.append("| " + " | ".join(map(markdown_cell, table.header)) + " |")
        lines.append("| " + " | ".join("---:" if n >= count - table.numbers else "---"
                                       for n in range(count)) + " |")
        for row in table.rows:
            if len(row) < count:
                row = [f"**{row[0]}**", *[""] * (count - 1)]
                lines.append("| " + " | ".join(row) + " |")
            else:
                lines.append("| " + " | ".join(map(markdown_cell, row)) + " |")
    return "\n".join([*lines, "", *map(markdown_cell, footing(compared))]) + "\n"


# ---- As comma-separated values ------------------------------------------------------

def values(compared: Compared) -> str:
    """Return a comparison as one table: what a row is, its names, values and differences."""
    names = [column["name"] for column in compared["columns"]]
    others = [n for n in range(len(names)) if n != compared["base"]]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["table", "name", "detail", "unit", *names,
                     *(f"delta {names[n]}" for n in others)])

    def write(table: str, name: str, detail: str, unit: str, row: Row) -> None:
        writer.writerow([table, name, detail, unit, *row["values"],
                         *(row["deltas"][n] for n in others)])

    for row in compared["figures"]:
        write("figure", row["id"], "" if row["exact"] else "not exact", row["unit"], row)
    for row in compared["options"]:
        writer.writerow(["option", row["name"], row["parent"] or "", "", *row["values"],
                         *("" for _ in others)])
    wholes = [(f"size by {what[:-1]}", "bytes", found) for what, found in
              compared["sizes"].items()]
    wholes += [(f"instructions by {what[:-1]}", "instructions", compared["instructions"][what])
               for what in ("folders", "functions")]
    for phase in compared["instructions"]["phases"]:
        write("instructions by phase", phase["name"], "", "instructions", phase)
        wholes.append((f"instructions in phase {phase['name']}", "instructions",
                       phase["functions"]))
    for table, unit, found in wholes:
        for row in found["rows"]:
            key = list(row["key"].values())
            write(table, key[0], " ".join(part for part in key[1:] if part), unit, row)
        if found["omitted"]["rows"]:
            write(table, "(others)", str(found["omitted"]["rows"]), unit, found["omitted"])
    return out.getvalue()
