#!/bin/sh
# Line and branch coverage of swflip.c by the native tests. Fails below 95 % of the lines or 90 % of the branches.
#
#	test/coverage.t [-v]	-v: what was never run, and branches never taken
#
# The three programs include swflip.c each; their counts are added up. A branch is what gcov says it is: each outcome of each
# condition, && and || included.

set -u
cd "$(dirname "$0")" || exit 1
# shellcheck source=test/tap.sh
. ./tap.sh
source=$PWD
: "${CC:=gcc}"
cd "$work" || exit 1

for t in decide parse native; do
	mkdir $t
	(
		set -e
		cd $t
		if grep -q 'world/world.h' "$source/$t.c"; then
			CC=$CC "$source/world/build" t "$source/$t.c" -- -w -O0 --coverage -DCOVERAGE
		else
			$CC -std=c11 -w -O0 -g --coverage -o t "$source/$t.c"
		fi
		./t >said 2>&1 || { sed -n 's/^not ok/# not ok/p' said; exit 1; }
		gcov -b -c -o t.o t.o/swflip.gcno >/dev/null 2>&1 || gcov -b -c -o . t-$t.gcno >/dev/null 2>&1 ||
			gcov -b -c ./*.gcda >/dev/null
	)
	# shellcheck disable=SC2181	# in a condition the shell would ignore -e
	[ $? -eq 0 ] || {
		not_ok coverage "$t failed"
		finish
	}
done

if cat ./*/swflip.c.gcov | awk -v verbose="${1:-}" '
	/^ *[-#=0-9*]+:/ {
		split($0, part, ":")
		count = part[1]
		line = part[2] + 0
		gsub(/[ *]/, "", count)
		text[line] = $0
		sub(/^[^:]*:[^:]*:/, "", text[line])
		if (line > last)
			last = line
		branch = 0
		if (count == "-")
			next
		known[line] = 1
		if (count !~ /[#=]/)
			ran[line] += count
	}
	/^branch/ {
		key = line "," branch++
		branches[key] = line
		if ($0 !~ /never executed/ && $4 + 0 > 0)
			taken[key] = 1
	}
	END {
		for (line = 1; line <= last; line++)
			if (line in known) {
				lines++
				if (ran[line] > 0)
					hit++
				else if (verbose)
					printf "%5d never run: %s\n", line, text[line]
			}
		for (key in branches) {
			n++
			if (key in taken)
				t++
			else if (verbose)
				missed[branches[key]]++
		}
		for (line = 1; line <= last; line++)
			if (line in missed && ran[line] > 0)
				printf "%5d %d branches not taken: %s\n", line, missed[line], text[line]
		printf "# swflip.c: %d of %d lines, %.1f %%; %d of %d branches, %.1f %%\n", hit, lines, 100 * hit / lines, t, n, 100 * t / n
		good = 100 * hit >= 95 * lines && 100 * t >= 90 * n
		exit !good
	}'; then
	ok coverage
else
	not_ok coverage 'below 95 % of the lines or 90 % of the branches'
fi
finish
