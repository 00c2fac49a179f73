#!/bin/sh
# The parsers, and with them every byte order of USB, QMI and MBIM, on a big-endian machine, under qemu-user.

cd "$(dirname "$0")" || exit
cc=build/s390x/musl-gcc
"$cc" -std=c11 -O1 -static -o build/s390x/parse parse.c || { echo 'not ok s390x: cannot be built' && exit 1; }
qemu-s390x-static build/s390x/parse | sed 's/^\(\(not \)\?ok \)/\1s390x./' >build/s390x/parse.log
cat build/s390x/parse.log
grep -q '^ok ' build/s390x/parse.log && ! grep -q '^not ok ' build/s390x/parse.log
