#!/bin/sh
# The scenarios of test/native.c once more, under valgrind's memcheck: it knows of every bit whether somebody has set it, which
# ASan and UBSan do not. Fails if a scenario does, or if memcheck has anything to say of any process.
#
#	test/valgrind.t			ONLY=NAME in the environment: those scenarios alone

set -u
cd "$(dirname "$0")" || exit 1
# shellcheck source=test/tap.sh
. ./tap.sh
: "${CC:=gcc}"

give_up() {	# WHY
	not_ok valgrind "$1"
	finish
}

command -v valgrind >"$work/where" || give_up 'not installed, run test/setup'
CC=$CC world/build "$work/native" "$PWD/native.c" -- -w || give_up 'native.c does not compile'

# shellcheck disable=SC2317	# others() calls it
play() {
	FEWER=1 valgrind -q --error-exitcode=99 --track-origins=yes --log-file="$work/log" "$work/native" | sed 's/ - native\./ - /'
}
others valgrind. play
if [ -s "$work/log" ]; then
	not_ok valgrind.memcheck "$(sed -n 's/^==[0-9]*== //p' "$work/log" | head -n 1) ($(wc -l <"$work/log") lines)"
	head -n 60 "$work/log" | sed 's/^/#   /'
else
	ok valgrind.memcheck
fi
finish
