#!/bin/sh
# The scenarios of test/native.c once more, under valgrind's memcheck: it knows of every bit whether somebody has set it, which
# ASan and UBSan do not. Fails if a scenario does, or if memcheck has anything to say of any process.
#
#	test/valgrind.t			ONLY=NAME in the environment: those scenarios alone

set -u
cd "$(dirname "$0")" || exit 1
: "${CC:=gcc}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

command -v valgrind >"$work/where" || { echo 'not ok valgrind: not installed, run test/setup'; exit 1; }
CC=$CC world/build "$work/native" "$PWD/native.c" -- -w || { echo 'not ok valgrind: native.c does not compile'; exit 1; }

FEWER=1 valgrind -q --error-exitcode=99 --track-origins=yes --log-file="$work/log" "$work/native" >"$work/said"
status=$?
sed 's/^\(not \)\?ok native\./\1ok valgrind./' "$work/said"
[ $status -eq 0 ] || grep -q '^not ok ' "$work/said" || [ -s "$work/log" ] || echo "not ok valgrind: exit status $status"
grep -q '^ok ' "$work/said" || echo 'not ok valgrind: no scenario was played'
if [ -s "$work/log" ]; then
	echo "not ok valgrind.memcheck: $(sed -n 's/^==[0-9]*== //p' "$work/log" | head -n 1) ($(wc -l <"$work/log") lines)"
	head -n 60 "$work/log" | sed 's/^/#   /'
	exit 1
fi
echo 'ok valgrind.memcheck'
exit $status
