# SPDX-License-Identifier: MIT
"""Tests of scripts/measure/builds.py: what is built, when, and where."""
from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from sourcecopy import ROOT, copy_sources


import builds  # noqa: E402
from builds import Build, Cache, Failure, Source, Unknown  # noqa: E402


@pytest.fixture(name="cache")
def fixture_cache(tmp_path: Path) -> Cache:
    """Return an empty cache."""
    return Cache(tmp_path / "cache", jobs=2)


@pytest.fixture(scope="module", name="tree")
def fixture_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the source tree, which tests may change and put right again."""
    return copy_sources(tmp_path_factory.mktemp("sources") / "tree")


def of_tree(tree: Path, name: str = "tiny_defconfig") -> Source:
    """Return a named configuration of a copied source tree."""
    return Source(name, "name", name, (tree / "configs" / name).read_text("utf-8"), tree)


def longer(text: str) -> str:
    """Return kernel/main.c with a longer line to print."""
    assert '"Hello world.' in text
    return text.replace('"Hello world.', '"Hello, hello world.')


def no_make(*args: Any) -> Any:
    """Stand in for run_make() where nothing is to be made."""
    raise AssertionError(f"make runs: {args}")


# ---- What a word stands for -----------------------------------------------------

@pytest.mark.parametrize("spec,kind,goal,name", [
    ("tiny", "name", "tiny_defconfig", "tiny"),
    ("tiny_defconfig", "name", "tiny_defconfig", "tiny"),
    ("defconfig", "name", "defconfig", "defconfig"),
])
def test_names(spec: str, kind: str, goal: str, name: str) -> None:
    """Names in configs/ are known with and without their ending."""
    source = builds.resolve(spec)
    assert (source.kind, source.goal, source.name) == (kind, goal, name)


def test_unknown_name() -> None:
    """An unknown word is refused with what there is."""
    with pytest.raises(Unknown) as err:
        builds.resolve("nosuch")
    assert "nosuch" in str(err.value)
    for name in ("tiny", "defconfig", "sv48"):
        assert name in str(err.value).split("has: ")[1].split()


def test_name_before_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder called like a configuration is meant only if written as a path."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / ".config").write_text("CONFIG_A=y\n", encoding="ascii")
    assert builds.resolve("tiny").kind == "name"
    assert builds.resolve("./tiny").kind == "folder"


@pytest.mark.parametrize("data,text", [
    (b"no kernel\n", "neither a configuration nor a kernel"),
    (b"", "neither a configuration nor a kernel"),
    (b"\xff\xfe\n", "neither a configuration nor a kernel"),
])
def test_bad_file(tmp_path: Path, data: bytes, text: str) -> None:
    """A file that is nothing of the kind is refused."""
    file = tmp_path / "file"
    file.write_bytes(data)
    with pytest.raises(Failure, match=text):
        builds.resolve(str(file))


def test_bad_folder(tmp_path: Path) -> None:
    """A folder without a configuration is no build folder."""
    with pytest.raises(Unknown, match="no .config"):
        builds.resolve(str(tmp_path))


def test_config_file(tmp_path: Path) -> None:
    """A file of options is a configuration, also one of nothing but what is off."""
    file = tmp_path / "my.config"
    file.write_text("# CONFIG_OF is not set\n", encoding="ascii")
    assert builds.resolve(str(file)).kind == "config"


def test_embedded() -> None:
    """Marks alone are no configuration."""
    text = b"CONFIG_A=y\n"
    image = b"\0IKCFG_ST\0IKCFG_STnothing\0IKCFG_ST" + text + b"IKCFG_ED\0"
    assert builds.embedded_config(image) == text.decode()
    assert builds.embedded_config(b"\0IKCFG_STIKCFG_ED\0") == ""


def test_parse_config() -> None:
    """Values come without CONFIG_ and quotes."""
    text = 'CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_S="a \\"b\\" \\\\"\nCONFIG_N=0x10\n'
    assert builds.parse_config(text) == {"A": "y", "B": "n", "S": 'a "b" \\', "N": "0x10"}


# ---- Building ------------------------------------------------------------------

def test_build(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is built is there; the second time nothing is made."""
    # What an outer make exports must not get in.
    for name in ("MAKEFLAGS", "CC", "LD", "KBUILD_OUTPUT", "srctree", "sub_make_done", "CONFIG_OF"):
        monkeypatch.setenv(name, "/nonexistent")
    first = cache.build(builds.resolve("tiny"))
    assert first.image and first.image.stat().st_size
    assert first.elf and first.elf.is_file() and first.map and first.map.is_file()
    assert first.warnings == "" and first.seconds and first.seconds > 0
    assert first.values["CC_OPTIMIZE_FOR_SIZE"] == "y" and first.values["OF"] == "n"
    monkeypatch.setattr(builds, "run_make", no_make)
    assert vars(cache.build(builds.resolve("tiny"))) == vars(first)
    # Another process knows as much.
    assert vars(Cache(cache.root).build(builds.resolve("tiny"))) == vars(first)


def test_same_configuration(cache: Cache, tmp_path: Path) -> None:
    """Files, folders and texts that say the same share a build."""
    made = cache.build(builds.resolve("tiny"))
    assert made.tree
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / ".config").write_text(made.config_text, encoding="utf-8")
    for spec in (folder, folder / ".config"):
        assert cache.build(builds.resolve(str(spec))).key == made.key
    assert cache.build(made.config_text, name="text").key == made.key
    assert cache.build(made.config_text, complete=True).key == made.key


def test_flags(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    """More flags for the compiler are another kernel."""
    made = cache.build(builds.resolve("tiny"))
    monkeypatch.setenv("KCFLAGS", "-O3")
    other = Cache(cache.root, 2).build(builds.resolve("tiny"))
    assert other.key != made.key
    assert other.image and made.image and other.image.read_bytes() != made.image.read_bytes()


def test_folder_as_it_is(cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with a kernel is taken as it is, until it is configured anew."""
    made = cache.build(builds.resolve("tiny"))
    assert made.tree
    folder = tmp_path / "folder"
    shutil.copytree(made.tree, folder)
    config = folder / ".config"
    with monkeypatch.context() as patch:
        patch.setattr(builds, "run_make", no_make)
        given = cache.build(builds.resolve(str(folder)))
        assert given.image == folder / builds.IMAGE and given.seconds is None
        # A file alone, image or ELF, too.
        for path in (folder / builds.IMAGE, folder / "ahoy"):
            assert cache.build(builds.resolve(str(path))).source.kind == "image"
    config.write_text(config.read_text("utf-8") + "CONFIG_SERIAL_8250=y\n", encoding="utf-8")
    os.utime(config)
    assert cache.build(builds.resolve(str(folder))).tree != folder


# ---- Sources that change ----------------------------------------------------------

def test_source_changes(cache: Cache, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A changed source is compiled again, and nothing else is."""
    first = cache.build(of_tree(tree))
    assert first.tree and first.image
    image = first.image.read_bytes()
    other = (first.tree / "System.map").stat().st_ino
    (tree / "docs").mkdir(exist_ok=True)
    (tree / "docs" / "new.md").write_text("no source\n", encoding="ascii")
    (tree / "kernel" / "main.o").write_bytes(b"made by a build in the source tree")
    with monkeypatch.context() as patch:
        patch.setattr(builds, "run_make", no_make)
        cache.build(of_tree(tree))
    main = tree / "kernel" / "main.c"
    text = main.read_text("utf-8")
    try:
        main.write_text(longer(text), encoding="utf-8")
        second = cache.build(of_tree(tree))
        assert second.tree == first.tree and second.sources != first.sources
        assert second.image and second.image.read_bytes() != image
        assert second.seconds == first.seconds  # that of a whole build
    finally:
        main.write_text(text, encoding="utf-8")
        (tree / "kernel" / "main.o").unlink()
    third = cache.build(of_tree(tree))
    assert third.image and third.image.read_bytes() == image
    assert (first.tree / "System.map").stat().st_ino == other  # the same folder all along


def test_failing_build(cache: Cache, tree: Path) -> None:
    """make's own words come out; once put right, it builds."""
    main = tree / "kernel" / "main.c"
    text = main.read_text("utf-8")
    try:
        main.write_text(text + "\n#error not like this\n", encoding="utf-8")
        with pytest.raises(Failure, match="not like this"):
            cache.build(of_tree(tree))
        with pytest.raises(Failure, match="not like this"):
            cache.build(of_tree(tree))
    finally:
        main.write_text(text, encoding="utf-8")
    assert cache.build(of_tree(tree)).image


def test_warnings_stay(cache: Cache, tree: Path) -> None:
    """A warning is told again after a change elsewhere, which does not cause it."""
    main, other = tree / "kernel" / "main.c", tree / "Makefile"
    text = main.read_text("utf-8")
    line = other.read_text("utf-8")
    try:
        main.write_text(text + "\n#warning look here\n", encoding="utf-8")
        os.environ["KCFLAGS"] = "-Wno-error"
        warning = Cache(cache.root, 2)
        assert "look here" in warning.build(of_tree(tree)).warnings
        other.write_text(line + "# changed\n", encoding="utf-8")
        assert "look here" in warning.build(of_tree(tree)).warnings
    finally:
        del os.environ["KCFLAGS"]
        main.write_text(text, encoding="utf-8")
        other.write_text(line, encoding="utf-8")


def test_refused_config(cache: Cache, tree: Path) -> None:
    """A configuration that Kconfig refuses is a failure with its words."""
    bad = tree / "configs" / "bad_defconfig"
    bad.write_text("CONFIG_NO_SUCH_THING=y\n", encoding="ascii")
    with pytest.raises(Failure, match="NO_SUCH_THING"):
        cache.build(of_tree(tree, bad.name))


def test_revision(tmp_path: Path) -> None:
    """REV:config is built from that revision's sources, not from those of today."""
    tree = copy_sources(tmp_path / "tree")
    git = ["git", "-C", str(tree), "-c", "user.name=A", "-c", "user.email=a@example.org"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "-qm", "first"], check=True)
    script = ("import sys; sys.path.insert(0, 'scripts/measure'); sys.dont_write_bytecode = True\n"
              "import builds\n"
              "cache = builds.Cache(jobs=2)\n"
              "for spec in sys.argv[1:]:\n"
              "    made = cache.build(builds.resolve(spec))\n"
              "    print(made.image.stat().st_size, made.name, made.source.kind)\n")

    def sizes(*specs: str) -> list[list[str]]:
        done = subprocess.run([sys.executable, "-c", script, *specs], cwd=tree, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              env={**os.environ, "AHOY_CACHE": str(tmp_path / "cache")})
        assert done.returncode == 0, done.stderr
        return [line.split() for line in done.stdout.splitlines()]

    before = sizes("tiny", "HEAD:tiny")
    assert before[0][0] == before[1][0] and before[1][1:] == ["HEAD:tiny", "revision"]
    main = tree / "kernel" / "main.c"
    main.write_text(longer(main.read_text("utf-8")), encoding="utf-8")
    today, then = sizes("tiny", "HEAD:tiny")
    assert int(today[0]) > int(then[0]) == int(before[0][0])


@pytest.mark.parametrize("spec,text", [("nosuch:tiny", 'no revision "nosuch"'),
                                       ("HEAD:nosuch", 'no configuration "nosuch"')])
def test_bad_revision(spec: str, text: str) -> None:
    """What is wrong with a revision is said."""
    if not (ROOT / ".git").exists():
        pytest.skip("no git repository")
    with pytest.raises(Unknown, match=text):
        builds.resolve(spec)


# ---- The cache ------------------------------------------------------------------

def test_at_once(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who wants the same at the same time gets the same, made once."""
    goals: list[str] = []
    run_make = builds.run_make

    def counting(root: Path, tree: Path, what: list[str], jobs: int) -> tuple[str, float]:
        goals.extend(what)
        return run_make(root, tree, what, jobs)

    monkeypatch.setattr(builds, "run_make", counting)
    made: list[Build] = []
    threads = [threading.Thread(
        target=lambda: made.append(Cache(cache.root).build(builds.resolve("uart"))))
        for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 4 and len({build.key for build in made}) == 1
    assert goals.count("all") == 1


def test_prune(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more folders than are to be kept, those not used for longest go."""
    monkeypatch.setattr(builds, "MOST_TREES", 2)
    old, kept = (cache.build(builds.resolve(name)) for name in ("tiny", "legacy"))
    assert old.tree and kept.tree
    for age, build in ((3000, old), (2000, kept)):
        os.utime(build.tree / ".stamp", (1e9 - age, 1e9 - age))
    cache.build(builds.resolve("legacy"))
    new = cache.build(builds.resolve("uart"))
    assert not old.tree.exists() and kept.tree.exists() and new.tree and new.tree.exists()
    assert cache.build(builds.resolve("tiny")).image  # it can be had again


def test_unwritable(tmp_path: Path) -> None:
    """A cache that cannot be made is said to be one, with the way out."""
    file = tmp_path / "file"
    file.write_text("", encoding="ascii")
    with pytest.raises(Failure, match="AHOY_CACHE"):
        Cache(file / "below")


def test_built_source_tree(cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A build in the source tree itself changes no source and gets into no other build."""
    tree = copy_sources(tmp_path / "tree")
    before = cache.build(of_tree(tree, "uart_defconfig"))
    for goals in (["tiny_defconfig"], ["all"]):
        subprocess.run(["make", "-s", "-j2", "-C", str(tree), *goals], check=True,
                       env=builds.environment())
    assert (tree / builds.IMAGE).is_file()
    with monkeypatch.context() as patch:
        patch.setattr(builds, "run_make", no_make)
        cache.build(of_tree(tree, "uart_defconfig"))
    fresh = Cache(tmp_path / "fresh", 2).build(of_tree(tree, "uart_defconfig"))
    assert fresh.image and before.image
    assert fresh.image.read_bytes() == before.image.read_bytes()
    # And the tree is a build folder like any other.
    assert builds.resolve(str(tree)).image == (tree / builds.IMAGE).resolve()
