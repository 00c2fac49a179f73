/* Processes, one at a time, and the clock.
 *
 * All of them run on the stack of the test, from the same address down, and in the same
 * variables of swflip. Who waits is put aside: its part of the stack, its variables, its
 * registers (setjmp); who goes on is put back. What is in the world itself is the kernel's,
 * there once for all. A process is stopped only in a call, when it waits. */
#define _GNU_SOURCE
#include "inside.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { SPUN = 1000000, LIMIT = 1000 }; /* calls without a wait; seconds that a run may take */

struct machine world;

/* The variables of swflip are those between these, by the order in which test/world/build
 * links. */
extern char first_data[], last_data[], first_bss[], last_bss[];

void __asan_handle_no_return(void) __attribute__((weak));
#ifdef COVERAGE
void __gcov_dump(void);
void __gcov_reset(void);
#endif

/* A stack that is put aside must come back to where it was. ASan's fake stacks, which gcc 13 and
 * clang 15 use if nobody objects, would stay behind. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_stack_use_after_return=0";
}

static char *base; /* of the processes' stack */
static jmp_buf over;

/* memcpy() of the sanitizers would look at what lies between variables, too. */
__attribute__((noinline, no_sanitize("address"))) static void copy(void *to, const void *from,
								   size_t n)
{
	typedef unsigned long block __attribute__((vector_size(64), aligned(8), may_alias));
	block *t = to;
	const block *f = from;
	char *last;
	const char *last_from;

	for (; n >= sizeof *t; n -= sizeof *t)
		*t++ = *f++;
	last = (char *)t;
	last_from = (const char *)f;
	for (; n; n--) {
		/* NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign): whatever is there */
		*last++ = *last_from++;
		__asm__ volatile("" : : : "memory"); /* or it becomes memcpy() after all */
	}
}

static size_t data_size(void)
{
	/* cppcheck-suppress [comparePointers,subtractPointers]; both ends are edge.c's */
	return (size_t)(last_data - first_data) + (size_t)(last_bss - first_bss) + 64;
}

static void copy_data(char *aside, bool back)
{
	/* cppcheck-suppress [comparePointers,subtractPointers] */
	size_t n = (size_t)(last_data - first_data), m = (size_t)(last_bss - first_bss);
	char *bss = aside + ((n + 15) & ~(size_t)15);

	if (back) {
		copy(first_data, aside, n);
		copy(first_bss, bss, m);
	} else {
		copy(aside, first_data, n);
		copy(bss, first_bss, m);
	}
}

/* Puts aside what this process, or one that begins as its copy, goes on with. */
__attribute__((noinline)) static void save(struct process *p)
{
	size_t n;

	p->low = (char *)((uintptr_t)__builtin_frame_address(0) & ~(uintptr_t)15);
	n = (size_t)(base - p->low);
	if (n > p->room) {
		p->room = n + 16384;
		free(p->stack);
		p->stack = malloc(p->room);
	}
	if (!p->data)
		p->data = malloc(data_size());
	if (!p->stack || !p->data)
		abort();
	copy(p->stack, p->low, n);
	copy_data(p->data, false);
}

__attribute__((noinline)) static _Noreturn void put_back(struct process *p)
{
	if (__asan_handle_no_return)
		__asan_handle_no_return();
	copy(p->low, p->stack, (size_t)(base - p->low));
	copy_data(p->data, true);
	world.self = p;
	longjmp(p->at, 1);
}

/* Goes on with a process. Who puts it back must be further down the stack than all of it. */
__attribute__((noinline)) static _Noreturn void resume(struct process *p)
{
	char *here = __builtin_frame_address(0), *wanted = p->low - 8192;

	if (here > wanted) {
		volatile char *pad = __builtin_alloca((size_t)(here - wanted));

		pad[0] = 0;
	}
	put_back(p);
}

__attribute__((noinline)) static void switch_to(struct process *p)
{
	if (setjmp(world.self->at))
		return;
	save(world.self);
	resume(p);
}

/* ---- whose turn is it ---- */

static bool can_run(struct process *p)
{
	if (p->state == READY)
		return true;
	if (p->state != BLOCKED)
		return false;
	if (p->until != FOREVER && world.clock >= p->until)
		return true;
	if (p->killable && p->pending & ~p->blocked)
		return true; /* a handler is to run */
	return p->awake && p->awake(p);
}

static void sooner(int64_t *next, int64_t at)
{
	if (at && at != FOREVER && (!*next || at < *next))
		*next = at;
}

/* Lets time go by until something happens, at the latest until then. False: nothing ever will. */
static bool advance(int64_t until)
{
	int64_t next = 0;

	sooner(&next, until);
	sooner(&next, usb_due());
	sooner(&next, events_due());
	for (struct process *p = world.process; p < world.process + PROCESSES; p++)
		if (p->state == BLOCKED)
			sooner(&next, p->until);
	if (!next || next > world.started + (int64_t)LIMIT * 1000000)
		return false;
	if (next > world.clock)
		world.clock = next;
	usb_tick();
	events_tick();
	return true;
}

static struct process *choose(void)
{
	world.busy = 0;
	do {
		usb_tick();
		for (unsigned i = 1; i <= PROCESSES; i++) {
			struct process *p =
				&world.process[((size_t)(world.self - world.process) + i) %
					       PROCESSES];

			if (can_run(p))
				return p;
		}
	} while (advance(0));
	world.outcome.hung = true;
	longjmp(over, 1);
}

/* While nobody runs. */
void process_idle(int64_t until)
{
	while (world.clock < until && advance(until))
		continue;
}

/* Waits until something is so (true), or until a time (false). */
bool process_block(const char *in, bool (*awake)(struct process *), int64_t until, bool killable)
{
	struct process *me = world.self, *next;

	me->state = BLOCKED;
	me->in = in;
	me->awake = awake;
	me->until = until;
	me->killable = killable;
	next = choose();
	if (next != me)
		switch_to(next);
	me->state = READY;
	if (me->dying)
		process_exit(SIGKILL);
	return awake && awake(me);
}

/* ---- beginnings and ends ---- */

struct process *process_find(int pid)
{
	for (struct process *p = world.process; p < world.process + PROCESSES; p++)
		if (p->state != FREE && p->pid == pid)
			return p;
	return NULL;
}

static struct process *unused(void)
{
	for (struct process *p = world.process; p < world.process + PROCESSES; p++)
		if (p->state == FREE)
			return p;
	return NULL;
}

void process_start(int pid)
{
	struct process *p = unused();

	p->state = READY;
	p->pid = p->group = pid;
	p->parent = 1;
	world.self = p;
	world.first = pid;
	world.lastpid = pid;
}

pid_t process_fork(void)
{
	struct process *volatile child = unused();
	struct process old;

	if (!child) {
		errno = EAGAIN;
		return -1;
	}
#ifdef COVERAGE
	__gcov_dump();
	__gcov_reset();
#endif
	old = *child;
	*child = *world.self;
	child->stack = old.stack;
	child->data = old.data;
	child->room = old.room;
	child->pid = ++world.lastpid;
	child->parent = world.self->pid;
	child->pending = 0;
	for (unsigned fd = 0; fd < FDS; fd++)
		if (child->fd[fd])
			child->fd[fd]->refs++;
	world.outcome.forks++;
	if (setjmp(child->at))
		return 0;
	save(child);
	return child->pid;
}

static void close_all(struct process *p)
{
	for (unsigned fd = 0; fd < FDS; fd++) {
		struct open *o = p->fd[fd];

		p->fd[fd] = NULL;
		if (o)
			open_drop(o);
	}
}

static void become_zombie(struct process *p, int status)
{
	struct process *parent = process_find(p->parent);

	close_all(p);
	p->state = ZOMBIE;
	p->status = status;
	if (p->pid == world.first)
		return;
	if (!parent || parent->ignored >> SIGCHLD & 1)
		p->state = FREE;
	if (parent)
		process_signal(parent, SIGCHLD);
}

_Noreturn void process_exit(int status)
{
	struct process *me = world.self;

#ifdef COVERAGE
	__gcov_dump();
	__gcov_reset();
#endif
	me->dying = false;
	for (int fd = 1; me->pid == world.first && fd < 3; fd++)
		if (me->fd[fd] && !(me->fd[fd]->flags & O_NONBLOCK) == fault("nonblock"))
			world.left = "O_NONBLOCK is not as it was";
	become_zombie(me, status);
	world.outcome.locked = world.lock && !fault("locked");
	if (me->pid == world.first)
		longjmp(over, 1);
	resume(choose());
}

/* Whether a signal ends a process that does nothing about it. */
static bool deadly(int signal)
{
	return signal != SIGCHLD && signal != SIGURG && signal != SIGWINCH && signal != SIGCONT;
}

void process_signal(struct process *p, int signal)
{
	uint64_t bit = (uint64_t)1 << signal;

	if (p->state == ZOMBIE || p->state == FREE)
		return;
	if (signal != SIGKILL && p->ignored & bit)
		return;
	if (signal != SIGKILL && p->blocked & bit) {
		p->pending |= bit;
		return;
	}
	if (signal != SIGKILL && p->handler[signal]) {
		p->pending |= bit;
		if (p == world.self && p->state == READY)
			process_deliver();
		return;
	}
	if (!deadly(signal))
		return;
	if (p == world.self && p->state == READY)
		process_exit(signal);
	if (p->state == BLOCKED && !p->killable) {
		p->dying = true;
		return;
	}
	become_zombie(p, signal);
	if (p->pid == world.first)
		longjmp(over, 1);
}

bool process_deliver(void)
{
	struct process *me = world.self;
	bool any = false;

	for (int s = 1; s < 64; s++)
		if (me->pending & ~me->blocked & (uint64_t)1 << s) {
			me->pending &= ~((uint64_t)1 << s);
			me->handler[s](s);
			any = true;
		}
	return any;
}

/* 0 the first process, 1 its child where the first is process 1, 2 any other. */
int process_role(void)
{
	if (world.self->pid == world.first)
		return 0;
	return world.first == 1 && world.self->parent == 1 ? 1 : 2;
}

__attribute__((noinline)) static void begin(int (*main)(int, char **), int argc, char **argv)
{
	int status;

	status = main(argc, argv);
	process_exit((status & 0xff) << 8);
}

static unsigned processes_left(void)
{
	unsigned left = 0;

	for (const struct process *p = world.process; p < world.process + PROCESSES; p++)
		left += p->pid != world.first && (p->state == READY || p->state == BLOCKED);
	return left;
}

/* swflip's variables are after a run what they were before it. */
int process_run(int (*main)(int, char **), int argc, char **argv)
{
	char *fresh = malloc(data_size());
	struct process *first;

	if (!fresh)
		abort();
	copy_data(fresh, false);
	base = (char *)(((uintptr_t)__builtin_frame_address(0) + 15) & ~(uintptr_t)15);
	if (!setjmp(over))
		begin(main, argc, argv);
	copy_data(fresh, true);
	free(fresh);
	first = process_find(world.first);
	world.outcome.left = processes_left();
	return first && first->state == ZOMBIE ? first->status : 0;
}

/* Whoever is left ends with the run. */
void process_reset(void)
{
	for (struct process *p = world.process; p < world.process + PROCESSES; p++) {
		struct process empty = { .stack = p->stack, .room = p->room, .data = p->data };

		if (p->state != FREE)
			close_all(p);
		*p = empty;
	}
	world.self = world.process;
}
