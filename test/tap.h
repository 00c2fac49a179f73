/* The lines that prove counts: `ok 1 - NAME`, `not ok 2 - NAME: why`, and the plan at the end.
 *
 * A test either says expect(condition, name, why) once; or begin(name), any number of
 * hold(condition, why), end(). main() returns test_status(). With FIRST in the environment the
 * program ends at the first that does not hold. */
#ifndef TAP_H
#define TAP_H

#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct tests {
	unsigned number, failed;
	bool busy;
};

static struct {
	char name[100], first[600]; /* the first thing that did not hold */
	unsigned long cells, broken;
	struct tests own, *all;
} test;

static struct tests *all_tests(void)
{
	return test.all ? test.all : &test.own;
}

/* From here on the children of this process count along with it. */
__attribute__((unused)) static void share_tests(void)
{
	void *p = mmap(NULL, sizeof *test.all, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);

	if (p == MAP_FAILED)
		abort();
	test.all = p;
	setvbuf(stdout, NULL, _IOLBF, 0); /* no half of a line between those of another */
}

__attribute__((format(printf, 3, 4), unused)) static void expect(bool good, const char *name,
								 const char *why, ...)
{
	struct tests *t = all_tests();
	va_list ap;

	while (__atomic_test_and_set(&t->busy, __ATOMIC_ACQUIRE))
		sched_yield();
	printf("%sok %u - %s", good ? "" : "not ", ++t->number, name);
	if (!good) {
		t->failed++;
		printf(": ");
		va_start(ap, why);
		vprintf(why, ap);
		va_end(ap);
	}
	putchar('\n');
	fflush(stdout);
	__atomic_clear(&t->busy, __ATOMIC_RELEASE);
	if (!good && getenv("FIRST")) /* test/mutate wants to know no more */
		_exit(1);
}

__attribute__((format(printf, 1, 2), unused)) static void begin(const char *name, ...)
{
	va_list ap;

	va_start(ap, name);
	vsnprintf(test.name, sizeof test.name, name, ap);
	va_end(ap);
	test.cells = test.broken = 0;
}

__attribute__((format(printf, 2, 3), unused)) static bool hold(bool good, const char *why, ...)
{
	va_list ap;

	test.cells++;
	if (good)
		return true;
	va_start(ap, why);
	if (!test.broken++)
		vsnprintf(test.first, sizeof test.first, why, ap);
	va_end(ap);
	if (getenv("FIRST"))
		expect(false, test.name, "%s", test.first);
	return false;
}

__attribute__((unused)) static void end(void)
{
	if (test.broken)
		expect(false, test.name, "%s (the first of %lu, of %lu)", test.first, test.broken,
		       test.cells);
	else
		expect(true, test.name, "%s", "");
}

__attribute__((unused)) static int test_status(void)
{
	printf("1..%u\n", all_tests()->number);
	return all_tests()->failed != 0;
}

#endif
