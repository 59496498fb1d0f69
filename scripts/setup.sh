#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Install what building, running and testing need: Debian and Ubuntu by package
# name, elsewhere a list of what is missing. See usage() below.
#
# The functions has_NAME are called by the table's has:NAME.
# shellcheck disable=SC2317
set -u

usage()
{
	cat <<'END'
Usage: scripts/setup.sh [GROUP...]           install what is missing
       scripts/setup.sh --check [GROUP...]   say what is missing, install nothing
       scripts/setup.sh --need TOOL...       the same, for tools by name

Groups: build (compile and configure), run (boot in QEMU, gdb), measure (make compare, prices,
sweep), test (make check), extra (ccache, make guiconfig, make bench-linux). All of them if none
is named.

Exit status: 0 if nothing is missing (any more), 1 if something is, 2 for a bad call.
END
}

# What is needed, one thing a line: group, how to tell that it is there, Debian
# packages of which the first that the release has is taken, and what for.
#
#   cmd:NAME   a program in PATH        py:NAME    a module of /usr/bin/python3
#   has:NAME   the function has_NAME    any:A,B    one of several programs
#
# CLANGRT stands for the run-time libraries of the release's clang, LINUXKBUILD
# for the tools of its Linux: packages whose names have versions in them.
table()
{
	cat <<'END'
build cmd:make                make                   runs the build
build cmd:cc                  gcc                    compiles the build's own tools
build has:libc_headers        libc6-dev              headers for the build's own tools
build any:riscv64-linux-gnu-gcc,riscv64-unknown-elf-gcc,riscv64-elf-gcc gcc-riscv64-linux-gnu compiles the kernel
build any:riscv64-linux-gnu-ld,riscv64-unknown-elf-ld,riscv64-elf-ld binutils-riscv64-linux-gnu links the kernel
build has:python3             python3                configuration and the other scripts
build py:kconfiglib           python3-kconfiglib     make menuconfig and all that reads Kconfig
run   cmd:qemu-system-riscv64 qemu-system-riscv,qemu-system-misc the machine that the kernel runs on
run   has:opensbi             opensbi                its firmware
run   any:gdb-multiarch,riscv64-linux-gnu-gdb,riscv64-unknown-elf-gdb,riscv64-elf-gdb gdb-multiarch make gdb
test  py:pytest               python3-pytest         boot tests and tests of scripts
test  py:xdist                python3-pytest-xdist   tests in parallel
test  py:jsonschema           python3-jsonschema     test of make compare's JSON
measure py:elftools           python3-pyelftools     functions and sizes of a kernel's ELF file
measure py:rich               python3-rich           tables and progress of make compare
measure py:jinja2             python3-jinja2         pages of make compare
measure py:z3                 python3-z3             make sweep SWEEP=pairwise
measure cmd:parallel          parallel               make sweep
test  cmd:dtc                 device-tree-compiler   device trees for the tests
test  has:cmocka              libcmocka-dev          unit tests of lib/
test  cmd:clang               clang                  fuzzers, make LLVM=1
test  has:clang_rt            CLANGRT                libFuzzer and the sanitizers
test  cmd:ld.lld              lld                    make LLVM=1
test  cmd:llvm-ar             llvm                   make LLVM=1
test  cmd:clang-format        clang-format           style check
test  cmd:sparse              sparse                 make C=1
test  cmd:shellcheck          shellcheck             check of shell scripts
test  cmd:flake8              flake8                 check of Python scripts
test  cmd:tmux                tmux                   tests of menuconfig
test  has:u_boot              u-boot-qemu            boot tests under U-Boot
test  cmd:chromium            chromium               tests of pages
test  has:sshd                openssh-server         test of a sweep on several machines
test  cmd:ssh                 openssh-client         test of a sweep on several machines
test  has:linux_conf          LINUXKBUILD            Linux's conf, whose reading of Kconfig ours is compared with
test  cmd:cscope              cscope                 make cscope
test  cmd:ctags               universal-ctags        make tags
test  cmd:qemu-riscv64        qemu-user              programs for user space, run on the host
test  cmd:cpio                cpio                   tests of initramfs archives
test  cmd:bsdtar              libarchive-tools       tests of initramfs archives
extra cmd:ccache              ccache                 faster second builds
extra py:_tkinter             python3-tk             make guiconfig
extra cmd:flex                flex                   make bench-linux, which builds Linux
extra cmd:bison               bison                  make bench-linux
extra cmd:bc                  bc                     make bench-linux
END
}

have()
{
	command -v "$1" >/dev/null 2>&1
}

has_libc_headers()
{
	echo '#include <stdio.h>' | cc -E -x c - >/dev/null 2>&1
}

# The scripts name this one, because it is the one that sees Debian's modules.
has_python3()
{
	[ -x /usr/bin/python3 ]
}

has_cmocka()
{
	printf '%s\n' '#include <stdarg.h>' '#include <stddef.h>' '#include <stdint.h>' \
		'#include <setjmp.h>' '#include <cmocka.h>' | cc -E -x c - >/dev/null 2>&1
}

has_clang_rt()
{
	have clang || return 1
	for lib in fuzzer asan; do
		path=$(clang -print-file-name="libclang_rt.$lib-$(uname -m).a")
		[ -e "$path" ] && continue
		path=$(clang -print-file-name="libclang_rt.$lib.a")
		[ -e "$path" ] || return 1
	done
}

# Not in an ordinary user's PATH.
has_sshd()
{
	[ -x /usr/sbin/sshd ]
}

has_linux_conf()
{
	for conf in /usr/lib/linux-kbuild-*/scripts/kconfig/conf; do
		[ -x "$conf" ] && return
	done
	return 1
}

has_opensbi()
{
	for file in /usr/lib/riscv64-linux-gnu/opensbi/generic/fw_dynamic.bin \
		/usr/share/qemu/opensbi-riscv64-generic-fw_dynamic.bin \
		/usr/local/share/qemu/opensbi-riscv64-generic-fw_dynamic.bin; do
		[ -e "$file" ] && return
	done
	return 1
}

has_u_boot()
{
	[ -e /usr/lib/u-boot/qemu-riscv64_smode/u-boot.bin ]
}

# present PROBE: is the thing there?
present()
{
	what=${1#*:}
	case $1 in
	cmd:*)
		have "$what"
		;;
	any:*)
		for name in $(echo "$what" | tr , ' '); do
			have "$name" && return
		done
		return 1
		;;
	py:*)
		has_python3 && /usr/bin/python3 -c "import importlib.util as u, sys
sys.exit(u.find_spec('$what') is None)"
		;;
	has:*)
		"has_$what"
		;;
	esac
}

# probe_name PROBE: the thing's name for people
probe_name()
{
	case $1 in
	py:*) echo "Python module ${1#*:}" ;;
	has:libc_headers) echo "C library headers" ;;
	has:clang_rt) echo "clang's libFuzzer and sanitizers" ;;
	has:opensbi) echo "OpenSBI" ;;
	has:u_boot) echo "U-Boot for QEMU" ;;
	has:linux_conf) echo "Linux's conf" ;;
	has:*) echo "${1#*:}" ;;
	any:*) echo "${1#*:}" | sed 's/,/ or /g' ;;
	*) echo "${1#*:}" ;;
	esac
}

# missing GROUP...: the lines of the table for what is not there
missing()
{
	table | while read -r group probe packages purpose; do
		case " $* " in
		*" $group "*) present "$probe" || echo "$group $probe $packages $purpose" ;;
		esac
	done
}

known_package()
{
	apt-cache show --no-all-versions "$1" 2>/dev/null | grep -q '^Package:'
}

# The package with libFuzzer: Debian and newer Ubuntus have a name for the
# release's own version, others only names with the version in them.
clangrt_packages()
{
	version=$(apt-cache depends clang 2>/dev/null | sed -n 's/.*Depends: clang-\([0-9]*\)$/\1/p' |
		head -n 1)
	echo "libclang-rt-dev,libclang-rt-$version-dev,libclang-common-$version-dev"
}

linux_kbuild_packages()
{
	apt-cache search --names-only '^linux-kbuild-' | cut -d ' ' -f 1 | sort -V | paste -sd ,
}

# choose A,B,C: the first package that the release has, or nothing
choose()
{
	names=$1
	case $names in
	CLANGRT) names=$(clangrt_packages) ;;
	LINUXKBUILD) names=$(linux_kbuild_packages) ;;
	esac
	for name in $(echo "$names" | tr , ' '); do
		known_package "$name" && echo "$name" && return
	done
}

# choose_all < TABLE: one package a line, "? PACKAGES PURPOSE" where there is none
choose_all()
{
	while read -r _ _ packages purpose; do
		package=$(choose "$packages")
		echo "${package:-? $packages $purpose}"
	done
}

as_root()
{
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

apt()
{
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=120 "$@"
}

is_debian()
{
	have apt-get && have dpkg
}

# report MISSING: what is not there and what would bring it
report()
{
	echo "$1" | while read -r _ probe packages purpose; do
		name=$(probe_name "$probe")
		if is_debian && ! echo "$packages" | grep -qx '[A-Z]*\|-'; then
			echo "missing: $name ($purpose; package $(echo "$packages" | sed 's/,/ or /g'))"
		else
			echo "missing: $name ($purpose)"
		fi
	done
}

# install MISSING: by package; what is still missing is seen by the caller
install()
{
	chosen=$(echo "$1" | choose_all)
	# A fresh system has no package lists, an old one may lack a name.
	if echo "$chosen" | grep -q '^?'; then
		apt update || return
		chosen=$(echo "$1" | choose_all)
	fi
	echo "$chosen" | sed -n 's/^? \([^ ]*\) \(.*\)/setup.sh: this release has no package \1 (\2)/p' >&2
	packages=$(echo "$chosen" | grep -v '^?' | sort -u | tr '\n' ' ')
	[ -n "$packages" ] || return
	echo "setup.sh: installing $packages"
	# Package lists that have aged name versions that are gone.
	# shellcheck disable=SC2086
	apt install -y --no-install-recommends $packages || {
		apt update && apt install -y --no-install-recommends $packages
	}
}

# finish: all programs are there; what they build for others comes next
finish()
{
	case " $groups " in
	*" build "*) [ $mode != install ] || build_musl ;;
	esac
	exit 0
}

# Programs' C library: fetched and built now, so that no later build needs a network.
build_musl()
{
	for prefix in riscv64-linux-gnu- riscv64-unknown-elf- riscv64-elf-; do
		have "${prefix}gcc" && break
	done
	CC=${prefix}gcc AR=${prefix}gcc-ar "$(dirname "$0")/musl.sh" >/dev/null || {
		echo "setup.sh: without musl only configurations with USER_LIBC_NONE have programs" >&2
		exit 1
	}
}

mode=install
case ${1:-} in
-h | --help)
	usage
	exit 0
	;;
--check)
	mode=check
	shift
	;;
--need)
	mode=need
	shift
	[ $# -gt 0 ] || {
		usage >&2
		exit 2
	}
	;;
esac

groups=
if [ $mode = need ]; then
	lacking=$(for tool; do
		have "$tool" && continue
		line=$(table | grep -E "[:,]${tool}[ ,]" | head -n 1)
		echo "${line:-none cmd:$tool - not known to scripts/setup.sh}"
	done)
else
	for group; do
		case $group in
		build | run | measure | test | extra) ;;
		*)
			echo "setup.sh: no such group: $group" >&2
			usage >&2
			exit 2
			;;
		esac
	done
	groups=${*:-build run measure test extra}
	# shellcheck disable=SC2086
	lacking=$(missing $groups)
fi
[ -n "$lacking" ] || finish

if [ $mode = install ] && is_debian; then
	if [ "$(id -u)" != 0 ] && ! have sudo; then
		report "$lacking" >&2
		echo "setup.sh: installing them needs root, and there is no sudo: run this as root:" >&2
		echo "  $(cd "$(dirname "$0")" && pwd)/setup.sh${*:+ $*}" >&2
		exit 1
	fi
	install "$lacking"
	# shellcheck disable=SC2086
	lacking=$(missing $groups)
	[ -n "$lacking" ] || finish
	report "$lacking" >&2
	echo "setup.sh: still missing after the installation" >&2
	exit 1
fi

report "$lacking" >&2
if is_debian; then
	[ $mode = need ] && set --
	echo "To install: ./scripts/setup.sh${*:+ $*}" >&2
elif [ $mode = install ]; then
	echo "setup.sh: this is neither Debian nor Ubuntu: install these by hand" >&2
fi
exit 1
