# SPDX-License-Identifier: MIT
"""syncconfig: from .config to what the build reads."""
import os
import re

from common import config_path, source_path, warn, write_atomic
from tree import Tree


def syncconfig(tree: Tree) -> None:
    """Make .config complete, and from it what the build reads."""
    tree.load([config_path()], [])
    new = list(tree.new_symbols())
    if new:
        warn(f"{config_path()} lacks symbols that Kconfig has; they take their defaults:")
    for sym in new:
        warn(f"  new symbol {sym.name} (={sym.str_value})")
    tree.evaluate()
    tree.write_config()

    os.makedirs("include/config", exist_ok=True)
    os.makedirs("include/generated", exist_ok=True)
    write_atomic("include/config/auto.conf.cmd", auto_conf_cmd(tree))
    tree.write_autoconf("include/generated/autoconf.h")
    tree.sync_deps("include/config")
    # Their times say that all of this is up to date. make 4.4 looks at both.
    os.utime("include/generated/autoconf.h")
    os.utime("include/config/auto.conf")


def make_quote(value: str) -> str:
    """A value as the right side of a make assignment."""
    value = re.sub(r"(\\*)#", lambda match: match[1] * 2 + r"\#", value.replace("$", "$$"))
    if value.endswith("\\"):
        value += "$(kconfig-none)"
    # make strips leading blanks.
    return "$(kconfig-none)" + value if value[:1].isspace() else value


def auto_conf_cmd(tree: Tree) -> str:
    """What auto.conf depends on, as a makefile: Kconfig files, which may also
    vanish, and environment variables their macros use."""
    files = [source_path(name) for name in dict.fromkeys(tree.kconfig_filenames)]
    out = ["# Automatically generated: what include/config/auto.conf depends on.\n",
           "deps_config := \\\n", *(f"\t{name} \\\n" for name in files), "\n",
           "include/config/auto.conf: $(deps_config)\n", "$(deps_config): ;\n",
           # make passes variables of its environment on unexpanded.
           "kconfig-env = $(if $(filter environment,$(origin $(1))),$(value $(1)),$($(1)))\n"]
    for name in sorted(tree.env_vars):
        value = os.environ[name]
        if "\n" not in value:
            out.append(f"\nkconfig-env-{name} := {make_quote(value)}\n"
                       f"ifneq ($(call kconfig-env,{name}),$(kconfig-env-{name}))\n"
                       "include/config/auto.conf: FORCE\nendif\n")
    for name in sorted(tree.env_missing):
        # Only these two origins reach us through the environment.
        if re.fullmatch(r"[A-Za-z_]\w*", name):
            out.append(f"\nifneq ($(filter command environment,$(origin {name})),)\n"
                       "include/config/auto.conf: FORCE\nendif\n")
    return "".join(out)
