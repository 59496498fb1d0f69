# SPDX-License-Identifier: MIT
"""The model of the options: valid configurations, and their neighbours."""
import sys
from pathlib import Path

import pytest

from sourcecopy import ROOT

sys.path.insert(0, str(ROOT / "scripts" / "measure"))

import builds  # noqa: E402
import model  # noqa: E402
import sweep_machines  # noqa: E402
import sweep_plan  # noqa: E402

CONFIGS = sorted(path.name for path in (ROOT / "configs").glob("*defconfig"))


@pytest.fixture(scope="module")
def ours() -> model.Model:
    """The model of this source tree."""
    return model.load()


def text_of(name: str) -> str:
    """Return a file of configs/."""
    return (ROOT / "configs" / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["defconfig", "tiny_defconfig"])
def test_same_as_make(ours: model.Model, name: str, tmp_path: Path) -> None:
    """A configuration comes out as make writes it, to the byte."""
    builds.run_make(ROOT, tmp_path, [name], 1)
    assert ours.complete(text_of(name)) == (tmp_path / ".config").read_text()


@pytest.mark.parametrize("name", [
    name if name in ("defconfig", "ktest_defconfig", "musl_defconfig", "tiny_defconfig")
    else pytest.param(name, marks=pytest.mark.slow) for name in CONFIGS])
def test_toggles(ours: model.Model, name: str) -> None:
    """Each is valid, has the value, and lists all that differs from the base."""
    base = ours.complete(text_of(name))
    old = builds.parse_config(base)
    toggles = ours.toggleable(base)
    assert len({(toggle.name, toggle.value) for toggle in toggles}) == len(toggles)
    for toggle in toggles:
        assert ours.complete(toggle.text) == toggle.text
        new = builds.parse_config(toggle.text)
        assert new.get(toggle.name, "n") == toggle.value != old.get(toggle.name, "n")
        named = {other for other, _, _ in toggle.also} | {toggle.name}
        differ = {sym.name for sym in ours.settable() if sym.orig_type == model.BOOL
                  and old.get(sym.name, "n") != new.get(sym.name, "n")}
        assert differ <= named


def test_every_bool_is_toggled(ours: model.Model) -> None:
    """From the standard configuration every bool can be reached but those that are chosen."""
    base = ours.complete(text_of("defconfig"))
    reached = {toggle.name for toggle in ours.toggleable(base)}
    for sym in ours.settable():
        chosen = sym.choice and ours.wishes(base).get(sym.name) == "y"
        if sym.orig_type == model.BOOL and not chosen:
            assert sym.name in reached


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A source tree with nothing but a Kconfig file and the machinery."""
    folder = tmp_path_factory.mktemp("small")
    (folder / "Kconfig").write_text('''
config ANIMAL
    bool "Animal"

config DOG
    bool "Dog"
    depends on ANIMAL && LEGS >= 4

config LEGS
    int "Legs"
    range 2 8
    default 4

# sweep: machine's
config PLACE
    hex "Place"
    range 0x10 0x20
    default 0x18

choice
    prompt "Colour"

config RED
    bool "Red"

config BLUE
    bool "Blue"
    depends on ANIMAL

endchoice

config KENNEL
    bool
    default DOG
''')
    return folder


@pytest.fixture()
def tiny(small: Path, monkeypatch: pytest.MonkeyPatch) -> model.Model:
    """The model of the small tree."""
    monkeypatch.setattr(model, "make_environment", lambda root: {})
    return model.Model(small)


def find(toggles: list, name: str, value: str) -> model.Toggle:
    """Return one of the toggles."""
    return next(t for t in toggles if (t.name, t.value) == (name, value))


def test_least_change(tiny: model.Model) -> None:
    """What must change with an option changes, and nothing else."""
    base = tiny.config_text({})
    toggles = tiny.toggleable(base)
    assert find(toggles, "DOG", "y").also == [("ANIMAL", "n", "y")]
    assert find(toggles, "BLUE", "y").also == [("ANIMAL", "n", "y"), ("RED", "y", "n")]
    assert find(toggles, "ANIMAL", "y").also == []
    assert {t.value for t in toggles if t.name == "LEGS"} == {"2", "8"}
    assert not find(toggles, "PLACE", "0x10").boots and find(toggles, "LEGS", "2").boots
    assert "KENNEL" not in {t.name for t in toggles}


def test_dependents_go_off(tiny: model.Model) -> None:
    """What cannot stay is named."""
    base = tiny.config_text({"ANIMAL": "y", "DOG": "y", "BLUE": "y"})
    off = find(tiny.toggleable(base), "ANIMAL", "n")
    assert sorted(off.also) == [("BLUE", "y", "n"), ("DOG", "y", "n"), ("RED", "n", "y")]
    assert find(tiny.toggleable(base), "LEGS", "2").also == [("DOG", "y", "n")]


def test_unknown_note(small: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A note that nobody knows is an error that names its place."""
    monkeypatch.setattr(model, "make_environment", lambda root: {})
    (tmp_path / "Kconfig").write_text('# sweep: sometimes\nconfig A\n bool "a"\n')
    with pytest.raises(model.ModelError, match='Kconfig:1: "sometimes" is no note'):
        model.Model(tmp_path)


@pytest.mark.parametrize("line, message", [
    ("virt boots NO_SUCH_OPTION", "no option NO_SUCH_OPTION"),
    ("virt flies OF", "MACHINE WORD EXPRESSION is needed"),
    ("virt harts many", "harts are LEAST-MOST"),
])
def test_machines_errors(ours: model.Model, tmp_path: Path, line: str, message: str) -> None:
    """What the machines' file says wrong is named with its line."""
    path = tmp_path / "machines"
    path.write_text(f"# comment\n{line}\n")
    with pytest.raises(model.ModelError, match=f":2: .*{message}"):
        sweep_machines.Machines(ours, path)


def test_every_configuration_has_a_machine(ours: model.Model) -> None:
    """Whatever is configured is for some machine; the configured one is among them."""
    planner = sweep_plan.Planner(ours, [], [1])
    for number in range(300):
        case = planner.random("machines", number)
        ours.assign(builds.parse_config(case.text))
        fitting = planner.known.fitting()
        assert case.boots[0].machine in fitting
        assert builds.parse_config(case.text)["QEMU_MACHINE"] in fitting


def test_random_is_reproducible(ours: model.Model) -> None:
    """Seed and number name a configuration, whatever was drawn before."""
    one, other = (sweep_plan.Planner(ours, [], [1]) for _ in range(2))
    assert other.random("7", 13).text == one.random("7", 13).text != one.random("7", 14).text
    assert one.random("7", 13).text == other.random("7", 13).text != one.random("8", 13).text


def test_random_is_valid_and_spread(ours: model.Model) -> None:
    """Each stands as it is; every bool that can be set is on in some and off in others."""
    planner = sweep_plan.Planner(ours, [], [1])
    texts = [planner.random("spread", number) for number in range(300)]
    for case in texts[:50]:
        assert ours.complete(case.text) == case.text
        assert not case.drawn or ours.complete(case.drawn) == case.drawn
    values = [builds.parse_config(case.text) for case in texts]
    for sym in ours.settable():
        seen = {value.get(sym.name, "n") for value in values}
        assert len(seen) > 1 or model.MACHINE in ours.notes.get(sym.name, ()), sym.name
