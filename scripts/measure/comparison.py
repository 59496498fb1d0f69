# SPDX-License-Identifier: MIT
"""What records of kernels have to say about each other.

comparison() makes one dictionary ("schema": "ahoy-compare-1", described in
compare-1.schema.json) out of records; every report is a form of it and adds
nothing.
"""
from __future__ import annotations

import re
from collections import defaultdict
from typing import Any, Callable, Iterable, NamedTuple, Optional

SCHEMA = "ahoy-compare-1"
SORTS = ("delta", "size", "name")
MODES = ("kernel", "firmware", "user")

Record = dict[str, Any]
Row = dict[str, Any]
Values = list[Optional[float]]


class Figure(NamedTuple):
    """A number that each kernel has."""

    id: str
    group: str
    title: str
    unit: str
    path: tuple[str, ...]
    exact: bool = True


FIGURES = (
    Figure("image", "Size", "image", "bytes", ("image",)),
    Figure("text", "Size", "text", "bytes", ("sizes", "text")),
    Figure("rodata", "Size", "rodata", "bytes", ("sizes", "rodata")),
    Figure("data", "Size", "data", "bytes", ("sizes", "data")),
    Figure("bss", "Size", "bss", "bytes", ("sizes", "bss")),
    Figure("instructions", "Instructions to the line", "all", "instructions", ("run", "total")),
    Figure("kernel", "Instructions to the line", "kernel", "instructions", ("run", "kernel")),
    Figure("firmware", "Instructions to the line", "firmware", "instructions",
           ("run", "firmware")),
    Figure("user", "Instructions to the line", "user", "instructions", ("run", "user")),
    Figure("pages", "Memory", "pages in use at the line", "pages", ("run", "pages", "total")),
    Figure("pages_kernel", "Memory", "by the kernel", "pages", ("run", "pages", "kernel")),
    Figure("pages_firmware", "Memory", "by firmware", "pages", ("run", "pages", "firmware")),
    Figure("pages_user", "Memory", "by user programs", "pages", ("run", "pages", "user")),
    Figure("least_ram", "Memory", "least RAM that boots", "bytes", ("least_ram", "bytes")),
    Figure("least_ram_beyond", "Memory", "without firmware's part", "bytes",
           ("least_ram", "beyond_firmware")),
    Figure("firmware_calls", "Crossings", "calls of firmware", "times",
           ("run", "crossings", "firmware_calls")),
    Figure("firmware_traps", "Crossings", "other traps into firmware", "times",
           ("run", "crossings", "firmware_traps")),
    Figure("system_calls", "Crossings", "system calls", "times",
           ("run", "crossings", "system_calls")),
    Figure("traps", "Crossings", "other traps into the kernel", "times",
           ("run", "crossings", "traps")),
    Figure("build_seconds", "Build", "time to build", "seconds", ("seconds",), exact=False),
)

# What compilers add to the name of a copy of a function.
COPY = re.compile(r"(\.(constprop|isra|part|cold|lto_priv|llvm)(\.\d+)*|\.\d+)+$")


def dig(record: Record, path: Iterable[str]) -> Any:
    """Return what a record has at a path, or None."""
    found: Any = record
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def deltas(values: Values, base: int) -> Values:
    """Return each value's difference to the base's."""
    first = values[base]
    return [None if value is None or first is None else round(value - first, 3)
            for value in values]


def figures(records: list[Record], base: int) -> list[Row]:
    """Return the figures that any of the kernels has."""
    rows = []
    for figure in FIGURES:
        values = [dig(record, figure.path) for record in records]
        if any(value is not None for value in values):
            rows.append({"id": figure.id, "group": figure.group, "title": figure.title,
                         "unit": figure.unit, "exact": figure.exact, "values": values,
                         "deltas": deltas(values, base)})
    return rows


# ---- Rows of sizes and instructions ---------------------------------------------------

def plain_name(name: str) -> str:
    """Return a function's name without what the compiler added."""
    return COPY.sub("", name) or name


class Selection(NamedTuple):
    """Which rows are wanted, in which order."""

    all: bool = False
    threshold: float = 0
    sort: str = "delta"


def weight(row: Row) -> float:
    """Return how much a row differs."""
    return max((abs(delta) for delta in row["deltas"] if delta), default=0)


def sorted_rows(rows: list[Row], sort: str) -> list[Row]:
    """Return rows in the order that is asked for."""
    def by_name(row: Row) -> tuple[str, ...]:
        return tuple(str(value) for value in row["key"].values())

    def by_size(row: Row) -> tuple[float, tuple[str, ...]]:
        return (-max(value or 0 for value in row["values"]), by_name(row))

    def by_delta(row: Row) -> tuple[float, float, tuple[str, ...]]:
        return (-weight(row), *by_size(row))

    keys: dict[str, Callable[[Row], Any]] = {"name": by_name, "size": by_size, "delta": by_delta}
    return sorted(rows, key=keys[sort])


def add_up(rows: Iterable[Row], count: int) -> Values:
    """Return the sums of rows; None for a kernel of which nothing is known."""
    sums: Values = [None] * count
    for row in rows:
        for index, value in enumerate(row["values"]):
            if value is not None:
                sums[index] = (sums[index] or 0) + value
    return sums


def table(parts: list[Optional[dict[tuple, float]]], keys: tuple[str, ...], base: int,
          wanted: Selection) -> dict[str, Any]:
    """Lay the parts of several wholes side by side.

    @parts: for each kernel its parts by key; None where they are not known
    @keys: what the key's members are called
    Rows that are left out are summed up in "omitted", so that what is there
    always adds up to "totals".
    """
    known = [part if part is not None else {} for part in parts]
    names = dict.fromkeys(key for part in known for key in part)
    rows = []
    for name in names:
        values: Values = [None if part is None else part.get(name, 0) for part in parts]
        rows.append({"key": dict(zip(keys, name)), "values": values,
                     "deltas": deltas(values, base)})
    kept = [row for row in rows if wanted.all or (
        weight(row) >= max(wanted.threshold, 1e-9) or (None in row["deltas"]))]
    left = [row for row in rows if row not in kept] if len(kept) < len(rows) else []
    totals = add_up(rows, len(parts))
    totals = [0 if part == {} else total for part, total in zip(parts, totals)]
    omitted = add_up(left, len(parts))
    return {"rows": sorted_rows(kept, wanted.sort), "totals": totals,
            "deltas": deltas(totals, base), "omitted": {
                "rows": len(left), "values": omitted, "deltas": deltas(omitted, base)}}


def sums(rows: Optional[list[Row]], key: Callable[[Row], tuple], value: str
         ) -> Optional[dict[tuple, float]]:
    """Add up the rows of one record by key."""
    if rows is None:
        return None
    found: dict[tuple, float] = defaultdict(int)
    for row in rows:
        found[key(row)] += row[value]
    return dict(found)


def sizes(records: list[Record], base: int, wanted: Selection) -> dict[str, Any]:
    """Return where bytes are: by section, folder, object and symbol."""
    def by(keys: tuple[str, ...], what: str, known: str,
           key: Callable[[Row], tuple]) -> dict[str, Any]:
        return table([sums(record[what] if record.get(known) else None, key, "size")
                      for record in records], keys, base, wanted)

    objects = tell_objects(records)
    return {
        "sections": by(("section", "kind"), "sections", "sizes",
                       lambda row: (row["name"], row["kind"])),
        "folders": by(("folder",), "symbols", "knows_objects",
                      lambda row: (row["folder"] or "other",)),
        "objects": by(("object",), "symbols", "knows_objects",
                      lambda row: (row["object"] or "other",)),
        "symbols": by(("symbol", "object", "section"), "symbols", "knows_symbols",
                      lambda row: (plain_name(row["name"]), row["object"] if objects else None,
                                   row["section"])),
    }


def tell_objects(records: list[Record]) -> bool:
    """Tell whether names can be told apart by their objects: those of all are known."""
    return all(record["knows_objects"] for record in records if record["knows_symbols"])


def instructions(records: list[Record], base: int, wanted: Selection) -> dict[str, Any]:
    """Return where instructions are: by folder and function, and by both in each phase."""
    objects = tell_objects(records)

    def function(row: Row) -> tuple:
        return plain_name(row["name"]), row["mode"], row.get("object") if objects else None

    runs = [record.get("run") or {} for record in records]
    keys = ("function", "mode", "object")
    # A run without symbols has no such rows.
    functions = table([sums(run.get("functions"), function, "instructions") for run in runs],
                      keys, base, wanted)
    folders = table([sums(run.get("functions"), lambda row: (
        row.get("folder") or f"({row['mode']})", row["mode"]), "instructions") for run in runs],
        ("folder", "mode"), base, wanted)
    order = phase_order([[phase["name"] for phase in run.get("phases") or []] for run in runs])
    phases = []
    for name in order:
        mine = [next((p for p in run.get("phases") or [] if p["name"] == name), None)
                for run in runs]
        values: Values = [
            None if "phases" not in run else sum(phase[mode] for mode in MODES) if phase else 0
            for run, phase in zip(runs, mine)]
        parts = [None if "functions" not in run else sums(
            phase.get("functions") or [] if phase else [], function, "instructions")
            for run, phase in zip(runs, mine)]
        phases.append({"name": name, "values": values, "deltas": deltas(values, base),
                       "modes": {mode: [phase[mode] if phase else None for phase in mine]
                                 for mode in MODES},
                       "functions": table(parts, keys, base, wanted)})
    return {"phases": phases, "folders": folders, "functions": functions}


def phase_order(lists: list[list[str]]) -> list[str]:
    """Return all names in an order that keeps each list's own as far as possible."""
    order: list[str] = []
    for names in lists:
        at = len(order)
        # From the end: what is new goes before what follows it.
        for name in reversed(names):
            if name in order:
                at = order.index(name)
            else:
                order.insert(at, name)
    return order


# ---- Options -----------------------------------------------------------------------

def with_choices(rows: list[Row]) -> dict[str, Row]:
    """Return a record's options by name, and with them its choices.

    A choice's value is the member that is picked; its members follow from it.
    """
    found: dict[str, Row] = {}
    for row in rows:
        choice = row["choice"]
        if choice:
            known = found.setdefault(choice, {
                "name": choice, "type": "choice", "prompt": None, "choice": None, "value": "",
                "because": row["because"], "why": row["why"], "from": []})
            # What hides one member need not hide the choice.
            if row["value"] == "y" or (not known["value"] and row["because"] != "depends"):
                known.update(because=row["because"], why=row["why"].removeprefix(f"{choice}: "))
            if row["value"] == "y":
                known["value"] = row["name"]
            known["from"] = sorted(set(known["from"]) | set(row["from"]))
        found[row["name"]] = row
    for row in rows:
        if row["choice"]:
            siblings = {other["name"] for other in rows if other["choice"] == row["choice"]}
            known = found[row["choice"]]
            known["from"] = [name for name in known["from"] if name not in siblings]
            found[row["name"]] = {**row, "from": [row["choice"]], "because": "choice"}
    return found


class Options:
    """The options that differ, causes before what follows from them."""

    def __init__(self, records: list[Record]) -> None:
        self.by_name = [None if record.get("options") is None else
                        with_choices(record["options"]) for record in records]
        self.names = list(dict.fromkeys(name for rows in self.by_name for name in rows or ()))
        self.different = [name for name in self.names if self.differs(name)]

    def rows_of(self, name: str) -> list[Optional[Row]]:
        """Return an option's rows in all records."""
        return [rows.get(name) if rows is not None else None for rows in self.by_name]

    def differs(self, name: str) -> bool:
        """Tell whether the known values are not all the same."""
        values = {rows[name]["value"] if name in rows else None
                  for rows in self.by_name if rows is not None}
        return len(values) > 1

    def any(self, name: str) -> Row:
        """Return an option's row where it has one."""
        return next(row for row in self.rows_of(name) if row)

    def is_set(self, name: str) -> bool:
        """Tell whether somebody chose the value in one of the configurations."""
        return any(row and row["because"] == "set" for row in self.rows_of(name))

    def causes(self, name: str) -> list[str]:
        """Return the differing options that an option may follow from, likeliest first."""
        rows = [row for row in self.rows_of(name) if row]
        found = {cause for row in rows for cause in row["from"]} & set(self.different)

        def told(cause: str) -> int:
            return sum(1 for row in rows
                       if re.search(rf"\b{re.escape(cause)}\b", row["why"] or ""))

        return sorted(found, key=lambda cause: (-told(cause), self.names.index(cause)))

    def parents(self) -> dict[str, Optional[str]]:
        """Return what each differing option follows from; None: from nothing."""
        causes = {name: self.causes(name) for name in self.different}
        found: dict[str, Optional[str]] = {
            name: None for name in self.different if self.is_set(name) or not causes[name]}
        while len(found) < len(self.different):
            rest = [name for name in self.different if name not in found]
            new = {name: causes[name][0] for name in rest if causes[name][0] in found}
            if not new:  # the likeliest ones follow from each other
                known = {name: cause for name in rest for cause in reversed(causes[name])
                         if cause in found}
                name = next(iter(known), rest[0])
                new = {name: known.get(name)}
            found.update(new)
        return found

    def row(self, name: str, parent: Optional[str], depth: int, followers: int) -> Row:
        """Return what is told of one option."""
        some = self.any(name)
        rows = self.rows_of(name)
        return {"name": name, "type": some["type"], "prompt": some["prompt"],
                "choice": some["choice"], "values": [row["value"] if row else None for row in rows],
                "why": [row["why"] if row else None for row in rows],
                "because": [row["because"] if row else None for row in rows],
                "parent": parent, "depth": depth, "followers": followers,
                "differs": name in self.different}

    def rows(self, everything: bool) -> list[Row]:
        """Return the options that differ: what was chosen first, fewest followers first."""
        parents = self.parents()
        children: dict[Optional[str], list[str]] = defaultdict(list)
        for name in self.different:
            children[parents[name]].append(name)

        def size(name: str) -> int:
            return sum(1 + size(child) for child in children[name])

        def order(name: str) -> tuple[bool, int, int]:
            return not self.is_set(name), size(name), self.names.index(name)

        found: list[Row] = []

        def add(name: str, depth: int) -> None:
            found.append(self.row(name, parents[name], depth, size(name)))
            for child in sorted(children[name], key=order):
                add(child, depth + 1)

        for name in sorted(children[None], key=order):
            add(name, 0)
        if everything:
            found += [self.row(name, None, 0, 0) for name in self.names
                      if name not in set(self.different)]
        return found


# ---- The whole ---------------------------------------------------------------------

def unique_names(records: list[Record]) -> list[str]:
    """Return names of the columns, no two the same: files go by their last name."""
    def last(record: Record) -> str:
        parts = [part for part in record["name"].split("/") if part]
        if record["kind"] == "revision" or len(parts) < 2:
            return record["name"]
        return "/".join(parts[-2:]) if parts[-1] == ".config" else parts[-1]

    shorts = [last(record) for record in records]
    names: list[str] = []
    for record, short in zip(records, shorts):
        first = short if shorts.count(short) == 1 else record["name"]
        name, count = first, 2
        while name in names:
            name = f"{first} ({count})"
            count += 1
        names.append(name)
    return names


def comparison(records: list[Record], base: int = 0, wanted: Selection = Selection(),
               made_by: Optional[dict[str, Any]] = None) -> dict[str, Any]:
    """Return all that several records say about each other.

    @base: the column that the others are compared with
    @made_by: revision and version of what was measured with
    """
    names = unique_names(records)
    # One alone differs from nothing: it is shown whole.
    rows = wanted if len(records) > 1 else wanted._replace(all=True)
    return {
        "schema": SCHEMA,
        "made_by": made_by or {},
        "base": base,
        "columns": [{"name": name, "kind": record["kind"], "key": record["key"],
                     "machine": record["machine"], "qemu": record["qemu"],
                     "firmware_version": dig(record, ("run", "firmware_version")),
                     "compiler": compiler(record), "variables": record["variables"],
                     "failure": record.get("failure") or record.get("run_failure"),
                     "notes": record["notes"]} for name, record in zip(names, records)],
        "selection": wanted._asdict(),
        "figures": figures(records, base),
        "options": Options(records).rows(wanted.all),
        "sizes": sizes(records, base, rows),
        "instructions": instructions(records, base, rows),
    }


def compiler(record: Record) -> Optional[str]:
    """Return the compiler's version, where the configuration tells it."""
    # Kconfig has it as the string that no prompt asks for and that names a compiler.
    for row in record.get("options") or ():
        if row["type"] == "string" and not row["prompt"] and re.search(
                r"\b(gcc|clang)\b.*\d+\.\d+", row["value"]):
            return row["value"].strip('"')
    return None


class Limit(NamedTuple):
    """What may not be exceeded: see --fail-over."""

    figure: str   # "" for every exact one
    amount: float
    percent: bool


def exceeded(compared: dict[str, Any], limit: Limit) -> list[str]:
    """Return what grew by more than a limit, as sentences."""
    out = []
    base = compared["base"]
    for row in compared["figures"]:
        if limit.figure != row["id"] and (limit.figure or not row["exact"]):
            continue
        first = row["values"][base]
        for column, value, delta in zip(compared["columns"], row["values"], row["deltas"]):
            name = f"{column['name']}: {row['group'].lower()}, {row['title']}"
            if value is None and first is not None:
                out.append(f"{name} is not known")
            elif delta is not None and delta > (
                    first * limit.amount / 100 if limit.percent else limit.amount):
                grown = f" (+{delta / first:.1%})" if first else ""
                out.append(f"{name} grew from {first:,} by {delta:,} {row['unit']}{grown}")
    return out
