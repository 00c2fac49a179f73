/* The lines that test/run counts: `ok NAME`, `not ok NAME: why`.
 *
 * A test either says expect(condition, name, why) once; or begin(name), any number of
 * hold(condition, why), end(). With FIRST in the environment the program ends at the first that
 * does not hold. */
#ifndef TAP_H
#define TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct {
	char name[100], first[600]; /* the first thing that did not hold */
	unsigned long cells, broken;
	int failed; /* tests, in all */
} test;

__attribute__((format(printf, 3, 4), unused)) static void expect(bool good, const char *name,
								 const char *why, ...)
{
	va_list ap;

	printf(good ? "ok %s\n" : "not ok %s: ", name);
	fflush(stdout);
	if (good)
		return;
	test.failed++;
	va_start(ap, why);
	vprintf(why, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
	if (getenv("FIRST")) /* test/mutate wants to know no more */
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
	return test.failed != 0;
}

#endif
