#!/bin/sh
# The parsers, and with them every byte order of USB, QMI and MBIM, on a big-endian machine, under qemu-user.

set -u
cd "$(dirname "$0")" || exit 1
# shellcheck source=test/tap.sh
. ./tap.sh

build/s390x/musl-gcc -std=c11 -O1 -static -o "$work/parse" parse.c || {
	not_ok s390x 'cannot be built'
	finish
}
others s390x. qemu-s390x-static "$work/parse"
finish
