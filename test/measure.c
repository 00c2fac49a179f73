/* measure - what a command costs, as test/bench prints it
 *
 * usage: measure [-s | -i] RUNS COMMAND [ARGUMENT]...
 *
 * Runs COMMAND so often, one after the other, and prints one line: the median of its time in microseconds, the peak
 * memory in KiB of its largest process, and (the last run's) system calls of all its processes, - where not counted.
 *
 *	-s  counts system calls, by ptrace: the time is then ptrace's
 *	-i  prints user instructions of the first process instead of system calls, one step each: one run will do
 *
 * Memory is what smaps_rollup says when a process ends: counters of resident pages lag behind in small ones. */
#define _GNU_SOURCE
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static int ascending(const void *a, const void *b)
{
	long long x = *(const long long *)a, y = *(const long long *)b;

	return (x > y) - (x < y);
}

static pid_t spawn(char **argv, int traced)
{
	pid_t pid = fork();
	int null;

	if (pid)
		return pid;
	if ((null = open("/dev/null", O_RDWR)) >= 0)
		for (int fd = 0; fd < 3; fd++)
			dup2(null, fd);
	if (traced)
		ptrace(PTRACE_TRACEME, 0, 0, 0);
	execvp(argv[0], argv);
	_exit(127);
}

static int resident(pid_t pid)
{
	char path[64], line[128];
	int kib = 0;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
	if (!(f = fopen(path, "r")))
		return 0;
	while (fgets(line, sizeof line, f))
		if (sscanf(line, "Rss: %d", &kib) == 1)
			break;
	fclose(f);
	return kib;
}

/* Follows a command and its children to their ends. */
static long traced(char **argv, int steps, int *peak)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXIT | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE;
	pid_t first = spawn(argv, 1), pid;
	long count = 0, stops = 0;
	int status;

	waitpid(first, &status, 0);
	ptrace(PTRACE_SETOPTIONS, first, 0, options);
	ptrace(steps ? PTRACE_SINGLESTEP : PTRACE_SYSCALL, first, 0, 0);
	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		int signal = WIFSTOPPED(status) ? WSTOPSIG(status) : 0, event = status >> 16, kib;

		if (!WIFSTOPPED(status))
			continue;
		if (event == PTRACE_EVENT_EXIT && (kib = resident(pid)) > *peak)
			*peak = kib;
		if (signal == (SIGTRAP | 0x80))
			stops++;
		else if (signal == SIGTRAP && !event && pid == first)
			count++;
		if (signal == (SIGTRAP | 0x80) || signal == SIGTRAP || signal == SIGSTOP)
			signal = 0;
		ptrace(steps && pid == first ? PTRACE_SINGLESTEP : PTRACE_SYSCALL, pid, 0, signal);
	}
	return steps ? count : (stops + 1) / 2; /* each call stops twice, but for the last one */
}

int main(int argc, char **argv)
{
	int peak = 0, runs, at = 1, count = 0, steps = 0;
	long long *took;
	long counted = 0;

	if (argc > 1 && argv[1][0] == '-') {
		count = 1;
		steps = argv[1][1] == 'i';
		at++;
	}
	if (argc < at + 2 || (runs = atoi(argv[at++])) < 1 || !(took = calloc((size_t)runs, sizeof *took)))
		return 2;
	for (int i = 0; i < runs; i++) {
		long long begin = now();
		int status;

		if (count)
			counted = traced(argv + at, steps, &peak);
		else
			waitpid(spawn(argv + at, 0), &status, 0);
		took[i] = now() - begin;
	}
	qsort(took, (size_t)runs, sizeof *took, ascending);
	printf("%lld %d ", took[runs / 2], peak);
	printf(count ? "%ld\n" : "-\n", counted);
	free(took);
	return 0;
}
