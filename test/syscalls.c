/* syscalls - runs a command and holds it to the system calls that it may use: for
 * test/syscalls.t, in the guest
 *
 * usage: syscalls COMMAND [ARGUMENT]...
 *
 * Prints the set of calls of all its processes, and a line `not ok` for a call that is not in
 * the table below, for a file that is opened without O_CLOEXEC or for writing and is none of
 * those that may be, and for a program that is executed. Exits with the command's status.
 * x86_64 alone. */
#define _GNU_SOURCE
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* All that swflip may ask of a kernel. The second half is the C library's doing, at the start,
 * in fork and in signals. */
static const struct {
	long number;
	const char *name;
} allowed[] = {
#define CALL(name) { SYS_##name, #name }
	CALL(access),
	CALL(bind),
	CALL(clock_gettime),
	CALL(close),
	CALL(exit_group),
	CALL(fcntl),
	CALL(flock),
	CALL(fork),
	CALL(getdents64),
	CALL(getpid),
	CALL(ioctl),
	CALL(kill),
	CALL(mknod),
	CALL(mmap),
	CALL(open),
	CALL(openat),
	CALL(poll),
	CALL(ppoll),
	CALL(read),
	CALL(readlink),
	CALL(recvfrom),
	CALL(rt_sigaction),
	CALL(rt_sigprocmask),
	CALL(rt_sigreturn),
	CALL(socket),
	CALL(stat),
	CALL(unlink),
	CALL(wait4),
	CALL(write),
	CALL(arch_prctl),
	CALL(execve),
	CALL(gettid),
	CALL(restart_syscall),
	CALL(set_tid_address),
};

/* What may be opened for writing: the devices, their two attributes, the kernel's log, private
 * nodes. */
static const char *const writable[] = {
	"/dev/null",     "/dev/kmsg", "/dev/ttyUSB",          "/dev/ttyACM",    "/dev/cdc-wdm",
	"/dev/bus/usb/", "/.swflip-", "/bConfigurationValue", "/power/control",
};

static bool used[512];
static int broken;

static void judge_open(pid_t pid, unsigned long name, unsigned long flags)
{
	char file[256] = "";
	struct iovec local = { file, sizeof file - 1 }, remote = { (void *)name, sizeof file - 1 };
	bool fine = (flags & O_ACCMODE) == O_RDONLY;

	if (process_vm_readv(pid, &local, 1, &remote, 1, 0) < 0) {
		remote.iov_len = 4096 - name % 4096; /* the string may end a mapping */
		process_vm_readv(pid, &local, 1, &remote, 1, 0);
	}
	for (size_t i = 0; i < sizeof writable / sizeof *writable; i++)
		fine = fine || strstr(file, writable[i]);
	if (!fine || (!(flags & O_CLOEXEC) && strcmp(file, "/dev/null") && strcmp(file, "/"))) {
		printf("not ok syscalls: open %s, flags %lo\n", file, flags);
		broken = 1;
	}
}

static void judge(pid_t pid, const struct user_regs_struct *r, bool started)
{
	size_t i = 0;

	while (i < sizeof allowed / sizeof *allowed && allowed[i].number != (long)r->orig_rax)
		i++;
	if (i == sizeof allowed / sizeof *allowed || (r->orig_rax == SYS_execve && started)) {
		printf("not ok syscalls: %s %llu\n",
		       r->orig_rax == SYS_execve ? "execve is" : "a new system call,", r->orig_rax);
		broken = 1;
		return;
	}
	used[i] = true;
	if (r->orig_rax == SYS_open)
		judge_open(pid, r->rdi, r->rsi);
	if (r->orig_rax == SYS_openat)
		judge_open(pid, r->rsi, r->rdx);
}

int main(int argc, char **argv)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
			     PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC;
	pid_t first = argc > 1 ? fork() : -1, pid;
	int status, result = 127;

	if (first < 0)
		return 2;
	if (!first) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		execvp(argv[1], argv + 1);
		_exit(127);
	}
	waitpid(first, &status, 0);
	ptrace(PTRACE_SETOPTIONS, first, 0, options);
	ptrace(PTRACE_SYSCALL, first, 0, 0);
	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		int signal = WIFSTOPPED(status) ? WSTOPSIG(status) : 0;
		struct user_regs_struct r;

		if (!WIFSTOPPED(status)) {
			if (pid == first)
				result = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
			continue;
		}
		/* at the entry of a call, not at its end, rax is -ENOSYS */
		if (signal == (SIGTRAP | 0x80) && !ptrace(PTRACE_GETREGS, pid, 0, &r) &&
		    (long)r.rax == -ENOSYS)
			judge(pid, &r, true);
		if (signal == (SIGTRAP | 0x80) || signal == SIGTRAP || signal == SIGSTOP)
			signal = 0;
		ptrace(PTRACE_SYSCALL, pid, 0, signal);
	}
	for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
		if (used[i])
			printf("= %s\n", allowed[i].name);
	return broken ? 99 : result;
}
