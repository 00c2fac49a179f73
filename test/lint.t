#!/bin/sh
# What programs that read programs say of the tree: both compilers with all their warnings, gcc's analyzer, clang-tidy,
# cppcheck, shellcheck, mandoc; and whether the manual and the README keep up with the program. Two minutes at most.
#
#	test/lint.t [NAME]...	only these: `test/lint.t clang-tidy`
#
# It has to be right with the tools of Debian 12 and of Debian 13.

# shellcheck disable=SC2317	# functions that only it() calls

set -u
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=test/tap.sh
. test/tap.sh
only=" $* "

for tool in gcc clang clang-tidy clang-format-19 cppcheck shellcheck mandoc; do
	command -v $tool >"$work/where" || { not_ok lint "no $tool here, run test/setup first"; exit 1; }
done

# it NAME COMMAND...: passes if the command succeeds and says nothing.
it() {
	name=$1
	shift
	case $only in "  " | *" ${name%%.*} "*) ;; *) return ;; esac
	"$@" >"$work/said" 2>&1
	status=$?
	if [ $status -eq 0 ] && [ ! -s "$work/said" ]; then
		ok "lint.$name"
	else
		not_ok "lint.$name" "$(sed -n '/[^ ]/{p;q;}' "$work/said") (status $status, $(wc -l <"$work/said") lines)"
		head -n 40 "$work/said" | sed 's/^/#   /'
	fi
}

echo '{ "write", 1 },' >"$work/sites"	# what test/world/build counts
warnings='-Wall -Wextra -Wconversion -Wshadow -Wpedantic -Werror'

# MODEMS and SITES are what test/world/build says.
compiled() {	# COMPILER FILE
	# shellcheck disable=SC2086
	"$1" -std=c11 -O2 $warnings -I. -DMODEMS='"modems"' -DSITES="\"$work/sites\"" -c -o "$work/o" "$2"
}

# gcc 14 does not see that in a formatter the format decides how often va_arg() is called and for which type; swflip.c has no
# other va_arg(), and the compilers check the formatter's callers by the attribute `format`. gcc 12 passes over the words.
analyzed() {	# FILE
	gcc -std=c11 -O2 -Wall -Werror -fanalyzer -Wno-analyzer-va-arg-type-mismatch -Wno-analyzer-va-list-exhausted -c -o "$work/o" "$1"
}

# What the checks that are left out would have: a length beside every copy (insecureAPI), no two arguments of one type
# (swappable), another name for _GNU_SOURCE (reserved, dcl37, dcl51), strcmp() compared with 0 (by its option), <bits/...>
# and <asm/...> included for what POSIX promises of <time.h> and <poll.h> (include-cleaner, since clang-tidy 17), all or no
# numbers of an enumeration written down, where one word is another name of the count (int09, since 17).
#
# Of the simulator and the played machine these are left out as well: recursion, a pointer that was a number (an ioctl's), the
# size of an array of pointers (LEN), what snprintf() and fprintf() return, numbers and lengths of this tree's own files.
tidy() {	# FILE [OTHER CHECKS]
	clang-tidy --quiet --warnings-as-errors='*' --config="{ Checks: '-*, bugprone-*, cert-*, clang-analyzer-*, misc-*,
		performance-*, portability-*, readability-misleading-indentation, readability-non-const-parameter,
		readability-redundant-*, readability-inconsistent-declaration-parameter-name, readability-suspicious-call-argument,
		-clang-analyzer-security.insecureAPI.*, -bugprone-easily-swappable-parameters, -bugprone-reserved-identifier,
		-cert-dcl37-c, -cert-dcl51-cpp, -misc-include-cleaner, -cert-int09-c, -bugprone-assignment-in-if-condition${2:-}',
		CheckOptions: [ { key: bugprone-suspicious-string-compare.WarnOnImplicitComparison, value: 'false' } ] }" \
		"$1" -- -std=c11 -I. -DMODEMS='"modems"' -DSITES="\"$work/sites\"" 2>"$work/noise" || cat "$work/noise"
}

# Since 2.11 cppcheck says that it does not follow every branch, unless it is told to. That die() does not come back, by the
# word _Noreturn, it does not know.
check() {	# FILE [OPTION...]
	exhaustive=--check-level=exhaustive
	cppcheck "$exhaustive" --version >"$work/noise" 2>&1 || exhaustive=''
	# shellcheck disable=SC2086
	cppcheck $exhaustive --quiet --std=c11 --enable=warning,performance,portability --inline-suppr --suppress=missingIncludeSystem \
		--template='{file}:{line}: {message} [{id}]' --error-exitcode=1 "$@"
}

# Every C file as .clang-format lays it out, and no line of more than 100 columns, comments and tables included.
layout() {
	while read -r f; do
		clang-format-19 --dry-run -Werror "$f"
		expand "$f" | awk -v f="$f" 'length($0) > 100 { print f ":" NR ": " length($0) " columns" }'
	done <"$work/c"
}

scripts() {
	find test hooks .ci -path test/build -prune -o -type f -print | while read -r f; do
		case $f in
		test/lib.sh | test/tap.sh | test/tell.sh | test/guest/*.sh | hooks/openwrt/files/*) echo "$f" ;;
		*) head -n 1 "$f" | grep -aqE '^#!.*/(sh|bash|ash)$' && echo "$f" ;;
		esac
	done
}

# A message that the program can give and the manual does not have.
messages() {
	tr '\n' ' ' <swflip.8 | sed 's/\\e//g; s/  */ /g' >"$work/manual"
	sed -n '/^} reasons\[REASONS\] = {/,/^};/p' swflip.c | tr -d '\n' | sed 's/{/\n/g' |
		sed -n 's/^[[:blank:]]*"\([^"]*\)".*/\1/p' | sort -u >"$work/whys"
	[ "$(wc -l <"$work/whys")" -ge 30 ] || echo 'no table reasons[]'
	while read -r why; do
		grep -qF -- "$why" "$work/manual" || echo "swflip.8 does not have: $why"
	done <"$work/whys"
}

words() {
	for o in $(sed -n 's/.*usage: swflip \[-\([a-zA-Z]*\)\].*/\1/p' swflip.c | sed 's/./& /g') a c t w; do
		grep -qE "^\.It Fl .*\<$o\>" swflip.8 || echo "swflip.8 does not have the option -$o"
	done
	for w in target appear wait code log init; do
		for f in swflip.8 README; do grep -q "swflip\.$w=" "$f" || echo "$f does not have swflip.$w="; done
	done
	sed -n 's/^\(install-[a-z-]*\):.*/\1/p' Makefile | while read -r t; do
		grep -q "make.* $t" README || echo "README does not have $t"
	done
	grep -n '.\{81\}' README | sed 's/^/README is wider than 80: /'
	grep -n '@[A-Z]*@' README
	[ "$(sed -n 's/^VERSION = //p' Makefile)" = "$(sed -n 's/^#define VERSION "\(.*\)"/\1/p' config.h)" ] || echo 'two versions'
}

# What nobody must find in here: this machine's paths, blanks at the ends of lines, other bytes than ASCII.
bytes() {
	find swflip.c config.h Makefile README swflip.8 LICENSE .ci hooks test -path test/build -prune -o -path test/corpus -prune -o \
		-type f -print >"$work/files"
	while read -r f; do
		grep -HnE '/(work|root|home)/[a-z]' "$f" | grep -v HOME=
		grep -Hn '[[:blank:]]$' "$f"
		LC_ALL=C grep -Hna '[^ -~	]' "$f"
	done <"$work/files" | grep -v '^test/lint.t:' || :
}

find swflip.c config.h test -path test/build -prune -o -name '*.[ch]' -print | sort >"$work/c"
for c in gcc clang; do
	while read -r f; do
		case $f in *.c) it "$c.$f" compiled $c "$f" ;; esac
	done <"$work/c"
done
it analyzer analyzed swflip.c
it clang-tidy tidy swflip.c
it cppcheck check swflip.c
# Not gcc's analyzer: what hangs in a list, or in a table of pointers, it takes for lost.
ours=', -misc-no-recursion, -performance-no-int-to-ptr, -bugprone-sizeof-expression, -cert-err33-c, -cert-err34-c'
ours="$ours, -clang-analyzer-optin.taint.*"
die=$(printf -- '--suppress=nullPointer%s ' RedundantCheck ArithmeticRedundantCheck OutOfMemory ArithmeticOutOfMemory OutOfResources)
for f in test/world/*.c test/modem/*.c; do
	it "clang-tidy.$f" tidy "$f" "$ours"
	# shellcheck disable=SC2086
	it "cppcheck.$f" check "$f" $die
done
scripts >"$work/scripts"
while read -r s; do
	case $s in
	test/guest/*) it "shellcheck.$s" shellcheck -e SC1091 -S warning "$s" ;;
	*) it "shellcheck.$s" shellcheck -x -e SC1091 "$s" ;;
	esac
done <"$work/scripts"
it mandoc mandoc -Tlint -Wwarning swflip.8
it messages messages
it words words
it bytes bytes
it layout layout
finish
