#!/bin/sh
# SPDX-License-Identifier: MIT
#
# musl, the C library of programs and, where it is chosen, of the kernel itself, from its
# release source. See usage() below.
set -u

usage()
{
	cat <<'END'
Usage: scripts/musl.sh [--fetch | --kernel]

Prints the folder that holds musl, as "make install" of its own makefile leaves it:
include/, lib/. Where it is not there yet, its release tarball is checked and built,
unmodified, with the cross compiler. --fetch only gets the tarball. --kernel is for a
libc.a without any system call, as lib/musl/README.md describes it.

Environment:
  CC=, CLANG_FLAGS=, AR=, RANLIB=  the tools (riscv64-linux-gnu-gcc and its friends)
  MUSL_TARBALL=     the tarball, instead of one from Debian's package source
  MUSL_VERSION=     1.2.3 or 1.2.5 (that of this system's Debian release, else 1.2.5)
  MUSL_CFLAGS=      for --kernel: the compiler's flags (those of programs)
  MUSL_ARCH=        for --kernel: the architecture, as musl names it (riscv64)
  MUSL_FOLDERS=     for --kernel: the folders of src/ to build (what a kernel can use)
  MIRROR=           a Debian mirror (that of this system, or deb.debian.org)
  AHOY_USER_CACHE=  where both are kept (ahoy in XDG_CACHE_HOME or ~/.cache)
Exit status: 0, 1 if it cannot be had, 2 for a bad call.
END
}

# The known releases: version, Debian release that has it, SHA-256 of the tarball.
releases()
{
	cat <<'END'
1.2.3 bookworm 7d5b0b6062521e4627e099e4c9dc8248d32a30285e959b7eecaa780cf8cfd4a4
1.2.5 trixie a9a118bbe84d8764da0ea0d28b3ab3fae8477fc7e4085d90102b8596fc7c75e4
END
}

# What programs may use of the machine; musl's own build adds its optimisation.
MACHINE_FLAGS="-march=rv64gc -mabi=lp64d"
# What of musl a kernel can use: no files, processes, networks, users, or dynamic linking.
KERNEL_FOLDERS="ctype env errno exit fenv internal locale malloc malloc/mallocng math mman
	multibyte prng sched search setjmp signal stdio stdlib string thread time unistd"
# Another number when what is built changes in other ways.
RECIPE=2

fail()
{
	for line; do
		echo "musl.sh: $line" >&2
	done
	exit 1
}

# What takes its time is named, but not under "make -s".
tell()
{
	[ "${quiet:-}" = silent_ ] || echo "$*" >&2
}

sha256()
{
	sha256sum <"$1" | cut -d ' ' -f 1
}

# The version to build, and release and hash with it.
choose_version()
{
	if [ -n "${MUSL_TARBALL:-}" ]; then
		[ -r "$MUSL_TARBALL" ] || fail "MUSL_TARBALL=$MUSL_TARBALL cannot be read"
		hash=$(sha256 "$MUSL_TARBALL")
		version=$(releases | sed -n "s/^\([^ ]*\) .* $hash\$/\1/p")
		[ -n "$version" ] || fail "MUSL_TARBALL=$MUSL_TARBALL is not the tarball of a release known here:" \
			"  its SHA-256 is $hash; known are:" "$(releases | sed 's/^\([^ ]*\) [^ ]*/  musl \1:/' |
				paste -sd ' ')"
	elif [ -n "${MUSL_VERSION:-}" ]; then
		version=$MUSL_VERSION
	else
		# shellcheck source=/dev/null
		codename=$(. /etc/os-release 2>/dev/null && echo "${VERSION_CODENAME:-}")
		version=$(releases | sed -n "s/^\([^ ]*\) ${codename:-none} .*/\1/p")
		version=${version:-1.2.5}
	fi
	release=$(releases | sed -n "s/^$version \([^ ]*\) .*/\1/p")
	hash=$(releases | sed -n "s/^$version [^ ]* //p")
	[ -n "$release" ] || fail "MUSL_VERSION=$version is not known here: $(releases |
		cut -d ' ' -f 1 | paste -sd ' ')"
}

# Have the tarball in the cache, with the right hash.
fetch()
{
	[ -e "$tarball" ] && [ "$(sha256 "$tarball")" = "$hash" ] && return
	part=$(mktemp -d "$cache/fetch.XXXXXX") || exit 1
	if [ -n "${MUSL_TARBALL:-}" ]; then
		cp "$MUSL_TARBALL" "$part/musl.orig.tar.gz" || exit 1
	else
		tell "  FETCH   musl $version, source of Debian's $release"
		(cd "$part" && {
			"$scripts/debian-fetch" source "$release" musl ||
				"$scripts/debian-fetch" pool \
					"main/m/musl/musl_$version.orig.tar.gz" "$hash"
		}) ||
			fail "musl's source could not be fetched: run scripts/setup.sh where there is a" \
				"network, or name its tarball: make MUSL_TARBALL=musl-$version.tar.gz, which is at" \
				"https://musl.libc.org/releases/ (SHA-256 $hash)"
	fi
	for file in "$part"/*.orig.tar.gz; do
		found=$(sha256 "$file")
		[ "$found" = "$hash" ] || fail "${file##*/} is not musl $version: its SHA-256 is" \
			"  $found, and should be" "  $hash" \
			"$release may have another version now; MUSL_TARBALL= names a tarball that you have"
		mv "$file" "$tarball"
	done
	rmdir "$part"
}

# The folder's name tells what it was made with.
compiler_key()
{
	{
		echo "$RECIPE $machine_flags $CC $CLANG_FLAGS"
		$CC --version
		if [ "$mode" = kernel ]; then
			echo "$arch $folders"
			cat "$scripts/../include/ahoy/libc.h"
			find "$retargeted" -name '*.[ch]' -print0 | sort -z | xargs -0 cat
		fi
	} | sha256sum | cut -c 1-12
}

# Whether the linker makes shared libraries; those for bare machines may not.
has_shared()
{
	# shellcheck disable=SC2086
	echo 'int x;' | $CC $CLANG_FLAGS $linker -nostdlib -shared -fpic -x c -o "$work/shared.so" - \
		>/dev/null 2>&1
}

step()
{
	"$@" >>"$log" 2>&1 </dev/null && return
	kept=$cache/musl-$version.log
	cp "$log" "$kept"
	tail -n 5 "$log" | sed 's/^/    /' >&2
	fail "musl $version does not build with $CC; all that was said is in $kept"
}

# Run a command with neither our makefiles' variables nor their jobs, which are none of musl's.
own_make()
{
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u CFLAGS -u LDFLAGS -u CROSS_COMPILE "$@"
}

# configure OPTIONS...: in the current folder.
configure()
{
	step own_make "$work/musl-$version/configure" --prefix=/ --syslibdir=/lib --disable-wrapper \
		CC="$CC $CLANG_FLAGS" AR="$AR" RANLIB="$RANLIB" CFLAGS="$machine_flags" "$@"
}

# For programs: all of it.
build_whole()
{
	linker=
	[ -z "$CLANG_FLAGS" ] || linker=-fuse-ld=lld
	shared=--enable-shared
	has_shared || shared=--disable-shared
	# shellcheck disable=SC2086
	libgcc=$($CC $CLANG_FLAGS $machine_flags -print-libgcc-file-name)
	[ -e "$libgcc" ] || fail "$CC has no run-time library for 64-bit RISC-V ($libgcc):" \
		"install gcc-riscv64-linux-gnu, whose library is used, or configure USER_LIBC_NONE"
	configure --target=riscv64-linux-musl $shared LDFLAGS="$linker" LIBCC="$libgcc"
	step own_make make -j "$(nproc)"
	step own_make make install DESTDIR="$work/root"
	# So that it leads to the library also from outside.
	[ $shared = --disable-shared ] || ln -sf libc.so "$work/root/lib/ld-musl-riscv64.so.1"
}

# For the kernel: musl for an architecture of its own, which has of the machine's what
# makes no system call and knows no thread pointer, and what lib/musl/ has instead.
build_retargeted()
{
	musl=$work/musl-$version
	mkdir "$musl/arch/ahoy"
	cp -r "$musl/arch/$arch/." "$musl/arch/ahoy"
	[ ! -d "$musl/src/setjmp/$arch" ] ||
		cp -r "$musl/src/setjmp/$arch" "$musl/src/setjmp/ahoy"
	cp -r "$retargeted/arch" "$retargeted/src" "$musl"
	# Nobody can be cancelled where no system call can be interrupted.
	rm "$musl/src/thread/pthread_cancel.c"
	# shellcheck disable=SC2086
	src=$(printf "$musl/src/%s " $folders)
	configure --target="$arch-linux-musl" --disable-shared LIBCC= \
		CPPFLAGS="-I$scripts/../include"
	step own_make make -j "$(nproc)" ARCH=ahoy SRC_DIRS="$src" lib/libc.a
	step own_make make ARCH=ahoy install-headers DESTDIR="$work/root"
	mkdir "$work/root/lib"
	cp lib/libc.a "$work/root/lib"
}

build()
{
	# One after the other: what is wanted is mostly the same.
	exec 9>"$cache/.lock"
	if command -v flock >/dev/null && flock 9 && [ -e "$root/lib/libc.a" ]; then
		return
	fi
	work=$(mktemp -d "$cache/build.XXXXXX") || exit 1
	trap 'rm -rf "$work"' EXIT
	log=$work/log
	fetch
	tell "  BUILD   musl $version ($CC)$what"
	step tar -xf "$tarball" -C "$work"
	mkdir "$work/obj"
	(cd "$work/obj" && $build) || exit 1
	# All at once, whoever else builds the same.
	mv -T "$work/root" "$root" 2>/dev/null || [ -e "$root/lib/libc.a" ] || fail "cannot write $root"
}

mode=build
case $# in
0) ;;
*) mode=${1#--} ;;
esac
case $mode in
build | fetch | kernel) ;;
help)
	usage
	exit 0
	;;
*)
	usage >&2
	exit 2
	;;
esac

scripts=$(cd "$(dirname "$0")" && pwd)
CC=${CC:-riscv64-linux-gnu-gcc}
CC=${CC#ccache }
CLANG_FLAGS=${CLANG_FLAGS:-}
AR=${AR:-riscv64-linux-gnu-gcc-ar}
RANLIB=${RANLIB:-$(echo "$AR" | sed 's/ar\(-[0-9]*\)\?$/ranlib\1/')}
machine_flags=$MACHINE_FLAGS
build=build_whole
what=
if [ "$mode" = kernel ]; then
	machine_flags=${MUSL_CFLAGS:-$MACHINE_FLAGS}
	arch=${MUSL_ARCH:-riscv64}
	folders=${MUSL_FOLDERS:-$KERNEL_FOLDERS}
	retargeted=$scripts/../lib/musl
	build=build_retargeted
	what=", without system calls: $machine_flags"
fi
cache=${AHOY_USER_CACHE:-${XDG_CACHE_HOME:-${HOME:-/}/.cache}/ahoy}

choose_version
tarball=$cache/musl-$version.tar.gz
mkdir -p "$cache" || fail "AHOY_USER_CACHE= names another folder to keep it in"
if [ "$mode" = fetch ]; then
	fetch
	exit
fi
compiler=${CC##* }
command -v "$compiler" >/dev/null || fail "$compiler is not installed: run scripts/setup.sh"
root=$cache/musl-$version-$(compiler_key)
[ -e "$root/lib/libc.a" ] || build
echo "$root"
