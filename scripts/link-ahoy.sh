#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Link the kernel: link-ahoy.sh OUTPUT LDSCRIPT CFLAGS... -- LDFLAGS...
#
# The compiler drives the linker, so that link-time optimisation works. Of the libraries
# that KBUILD_LIBS names only what is called is linked. With
# KALLSYMS set, a table of all symbols is linked in: link without it, make the
# table, link with it, and again until the table no longer changes.
set -eu

out=$1
lds=$2
shift 2
link() # LINKFLAGS OBJECTS
{
	obj=$1
	target=$2
	shift 2
	# shellcheck disable=SC2086
	$CC ${CLANG_FLAGS:-} "$@" -Wl,-T,"$lds" -Wl,-Map="$target.map" \
		-Wl,--whole-archive built-in.a -Wl,--no-whole-archive $obj ${KBUILD_LIBS:-} -o "$target"
}

# "--" only separates the two sets of flags for the reader.
for arg; do
	shift
	[ "$arg" = -- ] || set -- "$@" "$arg"
done

rm -f "$out"
if [ -z "${KALLSYMS:-}" ]; then
	link "" "$out" "$@"
else
	tmp=.tmp_ahoy
	trap 'rm -f $tmp $tmp.map $tmp.syms.*' EXIT
	"$KALLSYMS" --empty > $tmp.syms.S
	pass=0
	while :; do
		# shellcheck disable=SC2086
		$CC ${CLANG_FLAGS:-} $KBUILD_AFLAGS -c -o $tmp.syms.o $tmp.syms.S
		link $tmp.syms.o $tmp "$@"
		"$KALLSYMS" $tmp > $tmp.syms.next.S
		if cmp -s $tmp.syms.S $tmp.syms.next.S; then
			break
		fi
		pass=$((pass + 1))
		if [ $pass -gt 5 ]; then
			echo "link-ahoy.sh: the symbol table does not stand still after $pass links" >&2
			exit 1
		fi
		mv $tmp.syms.next.S $tmp.syms.S
	done
	mv $tmp "$out"
	mv $tmp.map "$out.map"
fi
# Neither constants nor the names that GCC's LTO gives to debug information.
"$NM" -n "$out" | grep -v ' [aUwW] ' > System.map
