/* What the fuzzers share: libFuzzer's entry, and a main() that plays test/corpus again without
 * it. */
#ifndef REPLAY_H
#define REPLAY_H

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct fuzzer {
	const char *name;
	int (*run)(const uint8_t *, size_t);
};
extern const struct fuzzer fuzzers[]; /* ends with one without a name */

static int (*chosen)(const uint8_t *, size_t);

__attribute__((unused)) static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "not held: %s\n", what);
	abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *name = getenv("FUZZ");

	(void)argc;
	(void)argv;
	for (const struct fuzzer *f = fuzzers; f->name; f++)
		if (name && !strcmp(name, f->name))
			chosen = f->run;
	must(chosen, "FUZZ does not name a target");
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return chosen(data, size);
}

#ifndef LIBFUZZER
#include "tap.h"

/* One file: as it is, cut in halves down to nothing, and with some bits turned over. */
static unsigned long replay_file(const char *name)
{
	static uint8_t data[65536];
	FILE *f = fopen(name, "rb");
	size_t size = f ? fread(data, 1, sizeof data, f) : 0;
	unsigned long runs = 0;

	if (f)
		fclose(f);
	for (size_t n = size;; n /= 2, runs++) {
		chosen(data, n);
		if (!n)
			break;
	}
	for (size_t i = 0; i < size; i += size / 8 + 1, runs++) {
		data[i] ^= (uint8_t)(1u << (i % 8));
		chosen(data, size);
		data[i] ^= (uint8_t)(1u << (i % 8));
	}
	return runs;
}

static unsigned long replay_folder(const char *corpus, const char *target, unsigned long *runs)
{
	char name[700];
	unsigned long files = 0;
	struct dirent *e;
	DIR *d;

	snprintf(name, sizeof name, "%s/%s", corpus, target);
	d = opendir(name);
	while (d && (e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(name, sizeof name, "%s/%s/%s", corpus, target, e->d_name);
		*runs += replay_file(name);
		files++;
	}
	if (d)
		closedir(d);
	return files;
}

static void replay(const struct fuzzer *f)
{
	char name[80];
	unsigned long runs = 0, named, learnt;

	chosen = f->run;
	named = replay_folder("test/corpus", f->name, &runs);
	learnt = replay_folder("test/build/corpus", f->name, &runs);
	snprintf(name, sizeof name, "fuzz.%s", f->name);
	expect(named && learnt, name, "%lu files with names, %lu learnt", named, learnt);
	printf("# %s: %lu files, %lu runs\n", name, named + learnt, runs);
}

/* Each target in a process of its own, so that one that aborts takes no other along. */
int main(void)
{
	share_tests();
	for (const struct fuzzer *f = fuzzers; f->name; f++) {
		int status = -1;
		pid_t pid;

		fflush(stdout);
		pid = fork();
		if (!pid) {
			replay(f);
			exit(0);
		}
		waitpid(pid, &status, 0);
		if (status)
			expect(false, f->name, "status %x", (unsigned)status);
	}
	return test_status();
}
#endif
#endif
