# swflip. What can be set from outside: CC, CFLAGS, CPPFLAGS, LDFLAGS, DESTDIR, PREFIX, MANPREFIX, VERSION.
#   make                                   static, with musl-gcc where there is one
#   make CC=mipsel-linux-musl-gcc          for another machine
#   make CPPFLAGS='-DTARGET=\"mbim\"'      with another target compiled in, see config.h
.POSIX:

VERSION = 1.0
PREFIX = /usr/local
MANPREFIX = $(PREFIX)/share/man
CC = $$(command -v musl-gcc || echo cc)
CFLAGS = -Os
CPPFLAGS =
LDFLAGS = -s

# What swflip needs of a compiler stays out of CFLAGS; what only makes it smaller is asked for where it is understood.
FLAGS = -std=c11 -Wall -Wextra -DVERSION='"$(VERSION)"'
SMALL = -fno-asynchronous-unwind-tables -fno-unwind-tables -fno-stack-protector -fno-pie -ffunction-sections \
	-fdata-sections -Wl,--gc-sections -Wl,-z,noseparate-code -Wl,-z,norelro -Wl,--build-id=none

all: swflip

swflip: swflip.c config.h Makefile
	$(CC) $(FLAGS) $(CPPFLAGS) $(CFLAGS) $(SMALL) -static -o $@ swflip.c $(LDFLAGS)

test:
	test/setup
	test/run

demo:
	test/setup demo
	test/demo

clean:
	rm -f swflip

.PHONY: all test demo clean
