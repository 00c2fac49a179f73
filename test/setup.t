#!/bin/sh
# What a newcomer is told who lacks something: the network, the right to install, the right to write, a compiler, a tool.
# Everything is tried in a copy of the tree.
# root: it becomes another user

set -u
umask 022
top=$(realpath "$(dirname "$0")/..")
# shellcheck source=test/tap.sh
. "$top/test/tap.sh"
chmod 755 "$work"

mkdir "$work/tree" "$work/tree/test"
cp -R "$top/swflip.c" "$top/config.h" "$top/Makefile" "$work/tree"
cp -R "$top/test/modems" "$work/tree/test"
find "$top/test" -maxdepth 1 -type f -exec cp {} "$work/tree/test" \;
cd "$work/tree" || exit

# told NAME STATUS LINES RE COMMAND...: it ends with that status, says at most so many lines, and one that fits.
told() {
	name=$1 status=$2 lines=$3 re=$4
	shift 4
	"$@" >"$work/said" 2>&1 </dev/null
	ended=$?
	grep -v '^make' "$work/said" >"$work/own"
	if [ "$ended" -ne "$status" ]; then
		why="status $ended"
	elif [ "$(wc -l <"$work/own")" -gt "$lines" ]; then
		why="$(wc -l <"$work/own") lines"
	elif ! grep -qE -- "$re" "$work/own"; then
		why="does not say: $re"
	else
		ok "setup.$name"
		return
	fi
	not_ok "setup.$name" "$why"
	sed 's/^/#   /' "$work/said"
}

# shellcheck disable=SC2317	# told() calls it
as_nobody() { HOME=/ setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }

# without NAME...: a PATH that has everything but these.
without() {
	rm -rf "${work:?}/bin"
	mkdir "$work/bin"
	ln -s /usr/bin/* /usr/sbin/* "$work/bin" 2>/dev/null
	for p; do rm -f "$work/bin/$p"; done
	echo "PATH=$work/bin"
}

# A dpkg-query that knows of no package, and an apt-get that has no network, in apt's own words.
mkdir "$work/stub"
printf '#!/bin/sh\nexit 1\n' >"$work/stub/dpkg-query"
cat >"$work/stub/apt-get" <<'END'
#!/bin/sh
case $* in
*--print-uris*) echo "'http://mirror.example/a.deb' a.deb 12000000 SHA256:0" ;;
*update*) echo "E: Failed to fetch http://mirror.example/InRelease  Temporary failure resolving 'mirror.example'"; exit 100 ;;
*) echo "E: Failed to fetch http://mirror.example/a.deb  Temporary failure resolving 'mirror.example'"; exit 100 ;;
esac
END
chmod 755 "$work/stub/dpkg-query" "$work/stub/apt-get"

told no_network_guest 1 12 '^ *E: .*(resolving|resolve|connect|reach)' unshare --net test/setup x86_64
told no_network_install 1 12 "^ *E: .*Temporary failure resolving 'mirror.example'" env PATH="$work/stub:$PATH" test/setup demo
told what_is_installed 1 12 'with what they need 1 packages, 12 MB to download' env PATH="$work/stub:$PATH" test/setup demo
chown -R 65534 .
told user_command 1 1 'sudo apt-get install --no-install-recommends .*qemu-system-x86' \
	as_nobody env PATH="$work/stub:$PATH" test/setup demo
mkdir -p test/build
chown 0:0 test/build
told roots_folder 1 1 'test/build.* is not yours to write.*sudo make distclean' as_nobody test/setup demo
chown -R 65534 .
told not_debian 1 1 'need an amd64 Debian' env "$(without dpkg)" test/setup demo
told no_compiler 2 1 'no compiler cc here: install musl-tools or gcc' env "$(without cc musl-gcc)" make swflip
told no_lint 2 2 'no clang-tidy here, run test/setup' env "$(without clang-tidy)" make lint
told no_fuzz 2 2 'no clang here, run test/setup' env "$(without clang)" make fuzz
told fresh_user 1 1 'only root' as_nobody test/fresh trixie demo
told try_unknown 2 2 'no such modem: nonesuch' test/try nonesuch
told try_no_terminal 2 2 "no terminal here; .* test/try -c 'swflip -l' 330u" make try MODEM=330u
told try_two 2 2 'one modem at a time; not: 330u 340u' make try 'MODEM=330u 340u'
finish
