/* measure - what a command costs, as test/bench prints it
 *
 * usage: measure [-s] RUNS COMMAND [ARGUMENT]...
 *
 * Runs COMMAND so often, one after the other, and prints one line: the medians of its time and
 * of its processor time in microseconds and, with -s, the peak memory in KiB of its largest
 * process and the system calls of all its processes, which ptrace counts; the times are then
 * ptrace's.
 *
 * Memory is what smaps_rollup says when a process ends: the counters of resident pages lag
 * behind in small ones. */
#define _GNU_SOURCE
#include <sys/ptrace.h>
#include <sys/resource.h>
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

/* Follows a command and its children to their ends; the number of their system calls. */
static long traced(char **argv, int *peak)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXIT | PTRACE_O_TRACEFORK |
			     PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE;
	pid_t pid = spawn(argv, 1);
	long stops = 0;
	int status;

	waitpid(pid, &status, 0);
	ptrace(PTRACE_SETOPTIONS, pid, 0, options);
	ptrace(PTRACE_SYSCALL, pid, 0, 0);
	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		int signal = WIFSTOPPED(status) ? WSTOPSIG(status) : 0, kib;

		if (!WIFSTOPPED(status))
			continue;
		if (status >> 16 == PTRACE_EVENT_EXIT && (kib = resident(pid)) > *peak)
			*peak = kib;
		stops += signal == (SIGTRAP | 0x80);
		if (signal == (SIGTRAP | 0x80) || signal == SIGTRAP || signal == SIGSTOP)
			signal = 0;
		ptrace(PTRACE_SYSCALL, pid, 0, signal);
	}
	return (stops + 1) / 2; /* each call stops twice, but for the last one */
}

static long long median(long long *of, int n)
{
	qsort(of, (size_t)n, sizeof *of, ascending);
	return of[n / 2];
}

int main(int argc, char **argv)
{
	int trace = argc > 1 && !strcmp(argv[1], "-s"), at = 1 + trace, peak = 0, runs;
	long long *took, *used;
	long calls = 0;

	if (argc < at + 2 || (runs = atoi(argv[at++])) < 1 ||
	    !(took = calloc(2 * (size_t)runs, sizeof *took)))
		return 2;
	used = took + runs;
	for (int i = 0; i < runs; i++) {
		long long begin = now();
		struct rusage u = { 0 };
		int status;

		if (trace)
			calls = traced(argv + at, &peak);
		else
			wait4(spawn(argv + at, 0), &status, 0, &u);
		took[i] = now() - begin;
		used[i] = (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000LL + u.ru_utime.tv_usec +
			  u.ru_stime.tv_usec;
	}
	printf("%lld %lld", median(took, runs), median(used, runs));
	if (trace)
		printf(" %d %ld", peak, calls);
	putchar('\n');
	free(took);
	return 0;
}
