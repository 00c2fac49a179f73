#!/bin/sh
# What may not pass for a job that is well, by test/run and test/job in a tree of their own with jobs that are ill.

# root: it becomes another user
# shellcheck disable=SC2016,SC2317	# code in quotes, functions that only it() calls
set -u
cd "$(dirname "$0")" || exit 1
# shellcheck source=test/tap.sh
. ./tap.sh

mkdir -p "$work/tree/test/guest" "$work/tree/test/build/mipsel"
cp run job tell.sh debian.sh "$work/tree/test"
cd "$work/tree" || exit 1
printf 'native:\n' >Makefile
echo 'none here' >test/build/mipsel/none

# One job, which prints these lines and ends so.
ill() {	# LINES STATUS
	printf '#!/bin/sh\nprintf "%s"\nexit %s\n' "$1" "$2" >test/one.t
	chmod +x test/one.t
	status=0
	test/run one >said 2>&1 || status=$?
}

ends() {	# STATUS LAST LINES STATUS
	ill "$3" "$4"
	cat said
	[ "$(tail -n 1 said)" = "$2" ] || die "the last line is: $(tail -n 1 said)"
	[ "$status" -eq "$1" ] || die "status $status"
}

die() {
	echo "$*"
	exit 1
}

it good ends 0 '2 passed, 0 failed' 'ok 1 - a\\nok 2 - b\\n1..2\\n' 0
it failed ends 1 '1 passed, 1 failed' 'ok 1 - a\\nnot ok 2 - b: why\\n1..2\\n' 1
it failed.status_0 ends 1 '1 passed, 1 failed' 'ok 1 - a\\nnot ok 2 - b: why\\n1..2\\n' 0
it nothing ends 1 '0 passed, 1 failed' '' 0
it nothing.planned ends 1 '0 passed, 1 failed' '1..0\\n' 0
it died ends 1 '1 passed, 1 failed' 'ok 1 - a\\n1..1\\n' 9
it died.without_a_plan ends 1 '1 passed, 1 failed' 'ok 1 - a\\n' 0
it fewer ends 1 '1 passed, 1 failed' 'ok 1 - a\\n1..2\\n' 0
it more ends 1 '2 passed, 1 failed' 'ok 1 - a\\nok 2 - b\\n1..1\\n' 0
it order ends 1 '2 passed, 1 failed' 'ok 2 - a\\nok 1 - b\\n1..2\\n' 0
it twice ends 1 '2 passed, 1 failed' 'ok 1 - a\\nok 1 - b\\n1..2\\n' 0
it no_number ends 1 '1 passed, 1 failed' 'ok a\\n1..1\\n' 0
it skipped ends 0 '1 passed, 0 failed, 1 skipped' 'ok 1 - a\\nok 2 - b # SKIP none here\\n1..2\\n' 0
it skipped.for_a_reason_of_its_own ends 1 '1 passed, 1 failed' 'ok 1 - a\\nok 2 - b # SKIP I do not like it\\n1..2\\n' 0
it skipped.all ends 1 '0 passed, 0 failed, 1 skipped' 'ok 1 - b # SKIP none here\\n1..1\\n' 0

told() {
	ill 'ok 1 - a\nnot ok 2 - b: why\n#   more\n# the guest'"'"'s clock went wrong (soft lockup)\n1..2\n' 1
	for re in '^== [0-9]+ s: test/one.t starts, 1 of 1$' '^== [0-9]+ s: test/one.t ended after [0-9]+ s, 1 ok, 1 of 1 done$' \
		"^not ok 2 - b: why \(the guest's clock went wrong \(soft lockup\)\)$" '^#   more$' \
		'^== [0-9]+ s: left out: what is for mipsel: none here$'; do
		grep -qE "$re" said || { cat said; die "not told: $re"; }
	done
	grep -q '^not ok 2 - b' test/build/said/one.tap || die 'what it said is not kept'
}
it told told

# Only what failed is run again.
again() {
	printf '#!/bin/sh\necho ok 1 - a\necho 1..1\n' >test/other.t
	chmod +x test/other.t
	ill 'not ok 1 - b\n1..1\n' 1
	test/run other one >said 2>&1 || :
	test/run -f >said 2>&1 || :
	[ "$(tail -n 1 said)" = '0 passed, 1 failed' ] || { cat said; die 'another job than the one that failed'; }
	rm test/other.t
}
it again again

# What a user has to leave to root is announced, and is a failure where nothing may be left out.
left_out() {
	ill 'ok 1 - a\n1..1\n' 0
	printf '#!/bin/sh\n# root: it mounts\necho ok 1 - b\necho 1..1\n' >test/roots.t
	chmod +x test/roots.t
	chmod 755 "$work"
	chown -R 65534 .
	as_nobody='env -u CI HOME=/ setpriv --reuid 65534 --regid 65534 --clear-groups'
	$as_nobody test/run one roots >said 2>&1 || { cat said; die "status $?"; }
	[ "$(grep -c 'left out: test/roots.t: it mounts' said)" -eq 2 ] || { cat said; die 'not announced twice'; }
	[ "$(tail -n 1 said)" = '1 passed, 0 failed' ] || { cat said; die 'another last line'; }
	! $as_nobody env CI=true test/run one roots >said 2>&1 || { cat said; die 'left out in CI'; }
	[ "$(tail -n 1 said)" = '1 passed, 1 failed' ] || { cat said; die 'another last line in CI'; }
	rm test/roots.t
}
it left_out left_out

silence() {
	ill 'ok 1 - a\n1..1\n' 0
	sed -i '2i sleep 19' test/one.t
	test/run one >said 2>&1
	grep -qE '^== 1[5-9] s: at work: one 0 ok$' said || { cat said; die 'a silence of 19 s'; }
}
it silence silence

killed() {
	ill 'ok 1 - a\n1..1\n' 0
	sed -i '2i kill -KILL $PPID' test/one.t
	! test/run one >said 2>&1 || { cat said; die 'it passes'; }
	tail -n 1 said | grep -q ' 1 failed$' || { cat said; die 'nothing failed'; }
}
it killed killed
finish
