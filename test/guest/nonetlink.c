/* nonetlink - runs a command to which the kernel has no netlink
 *
 * usage: nonetlink command [argument]...
 *
 * socket() fails with EAFNOSUPPORT, as in a kernel without CONFIG_NET, whatever the address
 * family: by a seccomp filter. */
#define _GNU_SOURCE
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

struct filter {
	uint16_t code;
	uint8_t yes, no;
	uint32_t k;
};

enum {
	LOAD = 0x20,
	EQUAL = 0x15,
	RETURN = 0x06,
	FILTER = 2,
	FAIL = 0x00050000,
	ALLOW = 0x7fff0000
};

int main(int argc, char **argv)
{
	static struct filter filter[] = {
		{ LOAD, 0, 0, 0 }, /* the number, first in struct seccomp_data */
		{ EQUAL, 0, 1, SYS_socket },
		{ RETURN, 0, 0, FAIL | EAFNOSUPPORT },
		{ RETURN, 0, 0, ALLOW },
	};
	struct {
		uint16_t length;
		struct filter *filter;
	} program = { 4, filter };

	if (argc < 2)
		return 2;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, FILTER, &program)) {
		perror("nonetlink");
		return 2;
	}
	execvp(argv[1], argv + 1);
	perror(argv[1]);
	return 2;
}
