#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Merge configuration fragments over a base configuration and write .config,
# complete and checked: a value of a fragment that does not take is an error.

usage() {
	cat <<-END
	usage: $0 [OPTIONS] BASE [FRAGMENT ...]

	  -h      show this text
	  -m      only merge, do not check against Kconfig and complete
	  -n      what no file names becomes n (default: Kconfig's default)
	  -r      list values that a fragment only repeats
	  -s      fail if a fragment redefines a value
	  -Q      do not list the values that fragments redefine
	  -y      accepted, does nothing: there are no modules
	  -O DIR  the object tree, where .config is written (default: the current folder)

	KCONFIG_CONFIG names another file than .config.
	END
}

die() {
	echo "merge_config.sh: $*" >&2
	exit 1
}

srctree=$(cd "$(dirname "$0")/.." && pwd -P) || exit 1
output=.
only_merge=
options=
while getopts hmnrsQyO: opt; do
	case $opt in
	h) usage; exit 0 ;;
	m) only_merge=1 ;;
	n) options="$options allnoconfig" ;;
	r) options="$options redundant" ;;
	s) options="$options strict" ;;
	Q) options="$options quiet" ;;
	y) ;;
	O) output=$OPTARG ;;
	*) usage >&2; exit 1 ;;
	esac
done
shift $((OPTIND - 1))
[ $# -ge 1 ] || { usage >&2; exit 1; }
[ -d "$output" ] || die "$output: no such folder"
output=$(cd "$output" && pwd -P) || exit 1

# Absolute names, one a line: make changes the folder.
files=
for file; do
	[ -f "$file" ] || die "$file: no such file"
	case $file in
	/*) ;;
	*) file=$PWD/$file ;;
	esac
	files="${files:+$files
}$file"
done
export KCONFIG_MERGE="$files" KCONFIG_MERGE_OPTIONS="$options"

if [ -n "$only_merge" ]; then
	cd "$output" || exit 1
	exec "$srctree/scripts/kconfig/conf.py" mergetext
fi
if [ "$output" = "$srctree" ]; then
	exec make -C "$srctree" mergeconfig
fi
exec make -C "$srctree" O="$output" mergeconfig
