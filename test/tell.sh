# How a long step is told. Sourced by the scripts that a person waits for.
# shellcheck shell=sh
#
#	tell WORDS...			a line to the person, with the name of the script
#	patiently WHAT COMMAND...	says WHAT, runs the command, and every ten seconds says how long it has taken and
#					what it said last; all that it says goes to the file $said. Its status is the command's
#	announce TEXT [FILE]		of test/run and its jobs: a line to whoever started it, how many seconds since, and the file,
#					in one piece, so that two jobs do not mix
#	count NAME			theirs, too: the next number of that name
# shellcheck disable=SC2154	# $said is the script's, $results, $begun and $total are test/run's

tell() { echo "test/${0##*/}: $*" >&2; }

# Ends with the script. What sleeps holds no pipe open that somebody reads to its end.
tick() {
	seconds=10
	while sleep 10 >/dev/null 2>&1 && kill -0 $$; do
		# shellcheck disable=SC2016
		last=$(tr '\r' '\n' <"$said" | sed -n '/[^ ]/h; ${x; s/^\(.\{60\}\).*/\1.../; p;}')
		tell "    $seconds s${last:+, $last}"
		seconds=$((seconds + 10))
	done
}

patiently() {
	tell "$1"
	shift
	: >"$said"
	tick &
	ticker=$!
	status=0
	"$@" >"$said" 2>&1 </dev/null || status=$?
	kill -KILL $ticker	# TERM may come before a new process of dash can take it, and be lost
	wait $ticker 2>/dev/null || :
	return $status
}

announce() {
	{
		flock 8
		echo "== $(($(date +%s) - begun)) s: $1" >&3
		[ $# -eq 1 ] || cat "$2" >&3
		touch "$results/told"
	} 8>>"$results/lock"
}

count() {
	{
		flock 7
		n=$(($(cat "$results/$1.count" 2>/dev/null || echo 0) + 1))
		echo $n >"$results/$1.count"
		echo $n
	} 7>>"$results/$1.lock"
}
