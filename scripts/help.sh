#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What "make help" prints: help.sh SOURCE_TREE
set -eu

cd "$1"

cat <<'END'
The first build:
  defconfig       - the standard configuration; runs on every machine
  menuconfig      - choose options in menus
  all             - build what is marked with [*]; the default
  run             - build and boot in QEMU, console on the terminal
  debug           - the same, halted until gdb attaches
  gdb             - attach gdb to "make debug", with commands that know the kernel

Building:
* ahoy            - the kernel as an ELF file with symbols
* Image           - the flat image, arch/riscv/boot/Image
  dir/            - what is in one folder
  dir/file.o      - one object
  dir/file.s      - its assembly text
  dir/file.i      - its source after the preprocessor
  dir/file.lst    - source and machine code side by side
  compile_commands.json - for clangd and other tools, from what was built
  tags, TAGS, cscope    - indexes for editors
  kernelversion   - print the version
  kernelrelease   - print the version with CONFIG_LOCALVERSION

Configurations:
END

for file in configs/*defconfig configs/*.config; do
	[ ! -e "$file" ] || printf '%s %s\n' "$(basename "$file")" "$(sed -n '1s/^# *//p' "$file")"
done | sort | awk '{
	line = sprintf("  %-15s -", $1)
	for (i = 2; i <= NF; i++) {
		if (length(line " " $i) > 96) {
			print line
			line = sprintf("%19s", "")
		}
		line = line " " $i
	}
	print line
}'

cat <<'END'
  NAME.config     - add a fragment, from configs/ or a path, to .config

Configuring:
  oldconfig       - keep .config, ask for new options
  olddefconfig    - keep .config, new options get their defaults
  config          - ask for every option, line by line
  nconfig         - menuconfig
  guiconfig       - menus in a window (also: xconfig)
  savedefconfig   - write what differs from the defaults to ./defconfig
  listnewconfig   - list options that .config lacks; helpnewconfig: with help
  whyconfig       - SYMBOL=NAME: what set it, and why it cannot be set
  allnoconfig     - off wherever possible
  allyesconfig    - on wherever possible
  alldefconfig    - Kconfig's defaults
  randconfig      - a random valid configuration
  scripts/config, scripts/diffconfig, scripts/merge_config.sh,
  scripts/extract-ikconfig, scripts/why: see their --help

Measuring:
  compare         - CONFIGS="A B ...": what they cost, where and why; see scripts/compare --help
  prices          - what each option costs, one at a time; menuconfig shows it then
  price           - OPTION=NAME: what this one costs
  meter           - what this kernel does up to its line, by phase and function
  trace           - the way of the line as a call tree; CONFIGS="A B": two side by side
  profile         - where the instructions of a boot go; FORMAT=svg: as a flame graph

Cleaning:
  clean           - remove what was built, keep the configuration
  mrproper        - remove the configuration and everything else that was made
  distclean       - mrproper, and what editors and patch left behind

Testing:
  check           - all tests, in parallel; results for CI in build/check/check.xml
  check-slow      - all tests, also those that take minutes or fetch packages
  sweep           - many configurations built and booted: SWEEP="random pairwise each all"
  check-fresh     - set up, build, run and check in bare Debian systems (as root; slow)
  bench           - times of builds, sizes of images, instructions to the line
  bench-linux     - what programs' operations take, here and on Linux (built once)
  kconfig-lint    - check the Kconfig files
  format          - format the C sources

Variables of the build, on make's command line:
  O=DIR           - build in DIR; the source tree stays untouched
  V=1             - print commands; V=2: the reason for each
  W=1             - more warnings (2, 3: yet more; e: as errors)
  C=1             - check with sparse what is compiled; C=2: all
  LLVM=1          - clang and lld (LLVM=-19: with that suffix; LLVM=/path/: from there)
  CROSS_COMPILE=  - prefix of GCC and binutils, such as riscv64-linux-gnu-
  CCACHE=1        - compile through ccache
  KCFLAGS=        - more flags for the compiler; KAFLAGS=: for assembly
  CHECK=          - the checker instead of sparse
  KCONFIG_CONFIG= - the configuration's file instead of .config
  KCONFIG_SEED=, KCONFIG_PROBABILITY= - for randconfig: the seed, per cent of options on
  KCONFIG_ALLCONFIG=FILE - values that all*config and randconfig must keep
  KCONFIG_WERROR=1 - a warning about the configuration is an error

Variables of run and debug:
  MACHINE=        - virt, sifive_u or spike
  MEM=            - memory, such as 64M or 2G
  SMP=            - number of harts
  CPU=            - QEMU's -cpu
  QEMU=           - the emulator
  QEMU_ARGS=      - more arguments for QEMU
  BIOS=           - firmware instead of QEMU's OpenSBI
  APPEND=         - the kernel's command line
  INITRD=         - an archive of the first files (usr/initramfs.cpio, if it is to be passed)
  TIMEOUT=        - stop after so many seconds; 0: never
  UBOOT=          - start this u-boot.bin, and the kernel from it
  GDB_PORT=       - port of the gdb stub

Variables of compare (and those of run; LLVM= and CROSS_COMPILE= too):
  CONFIGS=        - names in configs/, .config files, build folders, images, REV:NAME
  BASE=           - which of them the others are compared with (the first)
  FORMAT=         - table, json, csv, md or html
  COMPARE_ARGS=   - options of scripts/compare, such as "--all --output FILE"

Variables of trace and profile (and those of run):
  CONFIGS=        - other kernels than the one configured here; trace: one or two
  FORMAT=         - trace: text or html; profile: text, svg or folded
  TRACE_ARGS=     - options of scripts/trace and scripts/profile, such as "--output FILE"
  AHOY_CACHE=     - where builds and figures are kept (build/cache)

Variables of prices and price (and those of run; LLVM= and CROSS_COMPILE= too):
  BASE=           - the configuration that prices are counted from (defconfig)
  PAIRS=, TIME=   - prices: build so many candidates for interactions, in so many seconds
  PRICE_ARGS=     - options of scripts/price, such as "--format json"

Variables of sweep (scripts/sweep --help says more):
  SWEEP=          - random, pairwise, each, all; several may be named
  N=, SEED=       - how many random configurations, and which
  BASE=, OPTION=  - each: the configurations whose options are toggled; only these options
  MACHINES=, HARTS= - where to boot (in turn), with how many harts (1 2 4, in turn)
  SHARD=K/N       - only the Kth of N parts, for machines of a CI server
  SWEEP_HOSTS=    - machines that do it, by ssh
  SWEEP_ARGS=     - options of scripts/sweep, such as "--no-boot"
  TIME=, RESUME=1 - begin no more after so many seconds; go on where the last one stopped

Variables of check:
  CHECK_ARGS=     - for pytest, such as "-k uart" or "tests/scripts"
  CHECK_JOBS=     - how many tests at a time (one a processor)
END
