# The lines that prove counts, in the words of a script on the host: `ok 1 - NAME`, `not ok 2 - NAME: why`, and the plan at
# the end, `1..2`. Sourced by test/*.t before all else; test/tap.h is the same for C, test/vm does it for a guest. Not for
# scripts with -e: that a test fails must not end them.
# shellcheck shell=sh
#
#	ok NAME, not_ok NAME WHY, skip NAME WHY		one test. test/job knows the reasons for which one may be skipped
#	it NAME COMMAND...	one test: it fails if the command does, with the last line that it said. The command runs in
#				a subshell with -e; what has to be made ready for each is a function prepare()
#	others PREFIX COMMAND...	the tests of another program of this kind, under names that begin so
#	finish			the plan, and the end
#
# $group begins the name of each test of it(); $work is a folder that goes with the script.

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
tests=0 failed=0 group=$(basename "$0" .t)

ok() { echo "ok $((tests += 1)) - $1"; }

not_ok() {
	echo "not ok $((tests += 1)) - $1: $2"
	failed=1
}

skip() { ok "$1 # SKIP $2"; }

prepare() { :; }

it() {
	name=$group.$1
	shift
	prepare
	(set -e; "$@") >"$work/said" 2>&1
	# shellcheck disable=SC2181	# in a condition the shell would ignore -e
	if [ $? -eq 0 ]; then
		ok "$name"
	else
		not_ok "$name" "$(tail -n 1 "$work/said")"
		sed 's/^/#   /' "$work/said"
	fi
}

others() {
	prefix=$1
	shift
	{ "$@" || echo 'exit status'; } | {
		planned='' bad=''
		while IFS= read -r line; do
			case $line in
			1..*) planned=y ;;
			'exit status') bad=y ;;
			'ok '* | 'not ok '*)
				result=${line%%ok *}ok
				[ "$result" = ok ] || bad=y
				echo "$result $((tests += 1)) - $prefix${line#*ok * - }"
				;;
			*) printf '%s\n' "$line" ;;
			esac
		done
		[ "$planned" ] || bad=y
		echo "$tests $bad" >"$work/told"
	}
	read -r tests bad <"$work/told"
	[ -z "$bad" ] || failed=1
}

finish() {
	echo "1..$tests"
	exit $failed
}
