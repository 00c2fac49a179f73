/* Every modem of test/modems, and some with a fault, with every target, three times: at first,
 * right after that, and after the power was off. With the drivers of the kernel and without
 * any.
 *
 *	sameness	whoever was right is right, and nothing is done to it; whoever was
 *			refused is refused for the same reason
 *	truth		what the verdict says is compared with what the modem has seen:
 *			written, reset, read back, stored, shown
 *	first sight	what the parent says of interface attributes alone is what a child says
 *			of the descriptors
 *	bounds		nothing unlisted is written, two resets at most, each setting at most
 *			once and back, in time
 *
 * Which functions are there is what the modem's file says that it shows, not what swflip takes
 * for them.
 *
 *	ONLY=mc7710 test/build/t-twice	one modem; SHOW=1 prints each cell that does not hold */
#define _GNU_SOURCE
#include "tap.h"
#include "world/world.h"

#include <glob.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LEN(x) (sizeof(x) / sizeof *(x))

static const char *const targets[] = {
	"mbim",    "qmi",       "at",        "net",        "ecm",   "ms",      "dm+nmea+at",
	"at+mbim", "at+qmi",    "nmea+mbim", "mbim!",      "qmi!",  "qmi+ecm", "modem",
	"modem@1", "mbim@2",    "qmi@1",     "at+dm+mbim", "1!",    "3",       "6",
	"8",       "9!",        "14",        "19",         "0x10D", "0x100D",  "0x1000!",
	"0x8010D", "68A2/mbim", "68A2/8",    "off",
};

/* Faults that a modem file is for many modems, each put on one. */
static const struct variant {
	const char *name, *file, *knobs;
	bool changes; /* so that a second run finds another modem */
} variants[] = {
	{ "write-differs", "mc7710", "write-differs 1:comp:9", true },
	{ "no-reset", "mc7710", "reset ignored", false },
	{ "no-list", "mc7710", "silent AT!UDUSBCOMP=?", false },
	{ "no-list-pid", "68a3-6", "silent AT!UDUSBCOMP=?", false },
	{ "other-code", "mc7710", "unlock S3CRET", false },
	{ "other-code-locked", "mc7710", "unlock S3CRET;locked both", false },
	{ "write-lost", "mc7710", "write-lost comp", false },
	{ "write-error", "mc7710", "write-error comp", false },
	{ "pid-lost", "330u", "write-lost pid", false },
	{ "forgets", "mc7710", "forgets comp", false },
	{ "mask-types", "em7565", "mask-types 1", true },
	{ "mbim-deaf", "mbim9", "mbim-deaf 9000", false },
	{ "qmi-not-ready", "no-at", "qmi-not-ready 10000", false },
	{ "qmi-deaf", "no-at", "qmi-deaf 9000", false },
	{ "deaf", "mc7710", "deaf 12000", false },
	{ "busy", "mc7710", "busy 6000", false },
	{ "busy-mask", "mc7455", "busy 6000;busy-says +CME ERROR: 515", false },
	{ "deaf-candidates", "mc7710", "comp 8;extra at2;port 3:silent;port 4:silent", false },
	{ "late-leaver", "mc7710", "drop 17000", false },
	{ "twice-back", "mc7710", "again 3000", false },
	{ "slow-back", "mc7455", "off 60000", false },
	{ "flashes-by", "mc7710", "back boot:300", false },
	{ "no-tunnel", "mbim9", "notunnel", false },
	{ "fragments", "mbim9", "mbim-fragment 64", false },
	{ "dead-at", "mc7710", "port 3:silent", false },
	{ "nak", "mc7710", "nak 3", false },
	{ "stays-storage", "330u", "swoc stay", false },
	{ "stalls", "330u", "swoc stall", false },
	{ "third-flip", "330u", "flips 3", false },
	{ "always-storage", "330u", "truinstall always", false },
	{ "trickle", "mc7710", "trickle 1:1", false },
	{ "back-gone", "mc7710", "back gone", false },
	{ "back-dead", "mc7710", "back dead", false },
	{ "other-port", "mc7710", "back port:15", false },
};

struct run {
	int status;
	char verdict[600], reason[300];
	unsigned writes, resets, flips, unlisted, configs, config;
	bool signalled, hung, spun, gone;
	int64_t took;
	unsigned forks;
	const char *left;
};

/* ---- what was done, and what was said ---- */

static unsigned count(const char *log, const char *word)
{
	unsigned n = 0;
	size_t len = strlen(word);

	for (const char *p = log; p && *p; p = strchr(p, '\n'), p += p != NULL)
		n += !strncmp(p, word, len);
	return n;
}

/* The last line about this port that is a verdict. */
static void find_verdict(struct run *r, const char *err)
{
	const char *reason;

	for (const char *p = err; *p; p += strcspn(p, "\n"), p += *p == '\n') {
		size_t n = strcspn(p, "\n");
		char line[600];

		snprintf(line, sizeof line, "%.*s", (int)n, p);
		if (strstr(line, " in mode ") || strstr(line, "no modem"))
			snprintf(r->verdict, sizeof r->verdict, "%s", line);
	}
	reason = strstr(r->verdict, " not in mode ");
	reason = reason ? strstr(reason, ": ") : NULL;
	if (reason)
		snprintf(r->reason, sizeof r->reason, "%.*s", (int)strcspn(reason + 2, ";"),
			 reason + 2);
}

static void go(struct run *r, struct device *d, const char *target)
{
	char arguments[100];
	const struct outcome *o;

	memset(r, 0, sizeof *r);
	snprintf(arguments, sizeof arguments, "-t %s", target);
	world_clear(d);
	o = world_run(arguments, 100);
	r->status = o->status;
	r->signalled = o->signal;
	r->hung = o->hung;
	r->spun = o->spun;
	r->took = o->took;
	r->forks = o->forks;
	r->writes = count(world_log(d), "write ");
	r->resets = count(world_log(d), "reset ") + count(world_log(d), "ignored reset");
	r->flips = count(world_log(d), "swoc-mode ");
	r->unlisted = count(world_log(d), "unlisted ");
	r->configs = count(world_log(d), "config ");
	r->config = world_config(d);
	r->gone = !world_present(d);
	r->left = world_left_behind();
	find_verdict(r, o->err);
}

/* ---- truth ---- */

static bool shows_function(struct device *d, const char *name, size_t n)
{
	static const struct {
		const char *function, *blocks[4];
	} table[] = {
		{ "at", { "at", "at2", "modem", NULL } },
		{ "dm", { "dm", NULL } },
		{ "nmea", { "nmea", NULL } },
		{ "qmi", { "qmi", "rmnet1", NULL } },
		{ "mbim", { "mbim", NULL } },
		{ "net", { "nic1", NULL } },
		{ "ecm", { "ecm", NULL } },
		{ "ms", { "ms", NULL } },
	};

	for (size_t i = 0; i < LEN(table); i++)
		for (size_t k = 0; strlen(table[i].function) == n &&
				   !strncmp(table[i].function, name, n) && table[i].blocks[k];
		     k++)
			if (modem_shows(world_modem(d), table[i].blocks[k]))
				return true;
	return false;
}

/* Is the modem what a target of names asks for? */
static const char *not_there(struct device *d, const char *target)
{
	static char why[60];
	const char *s = strchr(target, '/') ? strchr(target, '/') + 1 : target;

	if (!strncmp(s, "modem", 5))
		return modem_shows(world_modem(d), "ms") && !modem_shows(world_modem(d), "at") &&
				       !modem_shows(world_modem(d), "mbim")
			       ? "it is storage"
			       : NULL;
	for (; *s >= 'a' && *s <= 'z'; s += *s == '+') {
		size_t n = strcspn(s, "+!@");

		if (!shows_function(d, s, n)) {
			snprintf(why, sizeof why, "%.*s is not there", (int)n, s);
			return why;
		}
		s += n;
	}
	return NULL;
}

/* Is it what a number asks for, stored and running? */
static const char *not_stored(struct device *d, const char *target)
{
	const struct modem *m = world_modem(d);
	const char *dialect = modem_value(world_modem(d), "dialect");
	const char *s = strchr(target, '/') ? strchr(target, '/') + 1 : target;
	unsigned value = (unsigned)strtoul(s, NULL, 0);
	const char *setting = !strncmp(s, "0x", 2) ? "mask" : "comp";

	if (*s < '0' || *s > '9')
		return NULL;
	if (!strcmp(dialect, "mask") && !strcmp(setting, "comp")) {
		bool mbim = value == 8 || value == 9;

		return (modem_stored(m, "mask") & (mbim ? 0x1000u : 0x100u))
			       ? NULL
			       : "another mask is stored";
	}
	/* over QMI, where no AT port tells which dialect it is, these say the same */
	if (!strcmp(dialect, "index") && !strcmp(setting, "mask") && !modem_shows(m, "at")) {
		setting = "comp";
		value = value == 0x1000 ? 9 : value == 0x100d ? 8 : 6;
	}
	if (modem_stored(m, setting) != value)
		return "something else is stored";
	return modem_running(m, setting) != value ? "something else runs" : NULL;
}

struct found {
	unsigned pid, comp, mask, type;
};

static struct found look(struct device *d)
{
	const struct modem *m = world_modem(d);

	return (struct found){ modem_stored(m, "pid"), modem_stored(m, "comp"),
			       modem_stored(m, "mask"), modem_stored(m, "type") };
}

/* "PID 68A2 composition 6" or "PID 9071 bitmask 0x10D" at the end of this word. */
static bool names(const char *verdict, const char *word, const struct found *is, bool mask)
{
	const char *p = strstr(verdict, word);
	char what[60];

	if (!p)
		return true;
	if (mask)
		snprintf(what, sizeof what, "PID %04X type %u bitmask 0x%X", is->pid, is->type,
			 is->mask);
	else
		snprintf(what, sizeof what, "PID %04X composition %u", is->pid, is->comp);
	return !strncmp(p + strlen(word) - strlen("PID "), what, strlen(what));
}

/* Was what is stored answered after the last write, by AT or QMI? */
static bool read_back(const char *log)
{
	const char *last = NULL;

	for (const char *p = log; (p = strstr(p, "\nwrite ")); p++)
		last = p;
	return last && (strstr(last, "!UDUSBCOMP: ") || strstr(last, "Interface bitmask"));
}

static const char *false_word(struct device *d, const struct run *r, const struct found *before,
			      bool mask)
{
	struct found now = look(d);
	const char *v = r->verdict, *driver = strstr(v, " driven by ");
	char name[30];

	if (r->status == 1 && (!*r->reason || !strstr(v, "next: ")))
		return "no reason, or nothing to do next";
	if (strstr(v, "nothing was written") && r->writes)
		return "something was written";
	if (r->status == 1 && r->writes && !strstr(v, "stored") && !strstr(v, "not read back"))
		return "it does not say what is stored";
	if (strstr(v, "what was found is stored") && memcmp(&now, before, sizeof now))
		return "something else is stored than was found";
	if (!names(v, "stored is PID ", &now, mask) || !names(v, "(was PID ", before, mask))
		return "what it says is stored, is not";
	if (strstr(v, "not read back") && read_back(world_log(d)))
		return "it was read back";
	if (strstr(v, "not reset") && r->resets && !strstr(v, "does not reset"))
		return "it was reset";
	if (driver && sscanf(driver, " driven by %29[^;, ]", name) == 1 && !world_bound(d, name))
		return "another driver has it";
	return NULL;
}

static const char *unbounded(const struct run *r)
{
	if (r->signalled || r->hung || r->spun)
		return r->hung ? "it hangs" : r->spun ? "it spins" : "it crashes";
	if (r->took > 121000)
		return "it ends too late";
	if (r->unlisted)
		return "something unlisted was written";
	if (r->resets > 2)
		return "more than two resets";
	if (r->writes > 4)
		return "more than four writes";
	if (r->writes && !r->resets && !r->status)
		return "written and not reset";
	return r->left;
}

/* ---- the cells ---- */

static void say_cell(const char *what, const char *name, const char *target, const char *drivers,
		     const struct run *r, unsigned nth)
{
	char why[900];

	snprintf(why, sizeof why, "%s %s, run %u%s: %s: status %d, %u writes, %u resets: %s", name,
		 target, nth, *drivers ? "" : " without drivers", what, r->status, r->writes,
		 r->resets, r->verdict);
	hold(false, "%s", why);
	if (getenv("SHOW"))
		printf("# %s\n", why);
}

/* One run, judged alone. */
static bool judge(struct device *d, const char *name, const char *target, const char *drivers,
		  struct run *r, unsigned nth)
{
	struct found before = look(d);
	const char *dialect = modem_value(world_modem(d), "dialect"), *why;

	go(r, d, target);
	why = unbounded(r);
	if (!why && *r->verdict && strstr(r->verdict, " in mode "))
		why = false_word(d, r, &before, !strcmp(dialect, "mask"));
	if (!why && !r->status && strcmp(target, "off"))
		why = not_there(d, target);
	if (!why && !r->status && strcmp(target, "off"))
		why = not_stored(d, target);
	if (why)
		say_cell(why, name, target, drivers, r, nth);
	else
		hold(true, "%s", "");
	return !why;
}

/* What a later run does that it must not, given the first. A number may have to be asked for in
 * another configuration. */
static const char *differs(const struct run *r, const struct run *first, bool power, bool number)
{
	if (power && first->status)
		return NULL;
	if (strstr(first->reason, "leaves the bus again and again"))
		return NULL; /* only who has written watches it */
	if (r->status != first->status)
		return first->gone && r->status == 3 ? NULL : "another status than at first";
	if (!first->status && (r->writes || r->resets))
		return "it was right, and is written to";
	if (power)
		return NULL;
	if (!first->status && (r->flips || (r->configs && !number)))
		return "it was right, and is not left alone";
	if (!first->status && r->config != first->config)
		return "another configuration than at first";
	return strcmp(r->reason, first->reason) != 0 ? "another reason than at first" : NULL;
}

static void play(const char *name, const char *file, const char *knobs, const char *target,
		 const char *drivers, bool changes)
{
	struct run r[3];
	struct device *d;

	world_new(drivers, "", NULL);
	d = world_plug("1-1", file, knobs, 0);
	for (unsigned i = 0; i < (changes ? 1 : LEN(r)); i++) {
		const char *why = NULL;

		if (i == 2)
			world_power();
		else if (i)
			world_wait(500);
		if (!judge(d, name, target, drivers, &r[i], i + 1))
			return;
		if (i)
			why = differs(&r[i], &r[0], i == 2, *target >= '0' && *target <= '9');
		if (why) {
			say_cell(why, name, target, drivers, &r[i], i + 1);
			if (getenv("SHOW"))
				printf("# at first: %s\n", r[0].verdict);
			return;
		}
	}
	hold(true, "%s", "");
}

/* The same modem, once for the parent, and once with an attribute missing, so that it looks at
 * nothing and starts a child. */
static void play_first_sight(const char *name, const char *file, const char *knobs,
			     const char *target)
{
	struct run parent, child;

	world_new(ALL_DRIVERS, "", NULL);
	go(&parent, world_plug("1-1", file, knobs, 0), target);
	if (parent.status || parent.forks || !strcmp(target, "off"))
		return;
	world_new(ALL_DRIVERS, "no=*/bNumConfigurations", NULL);
	go(&child, world_plug("1-1", file, knobs, 0), target);
	if (!child.forks)
		say_cell("no child", name, target, ALL_DRIVERS, &child, 1);
	else if (parent.status != child.status || strcmp(parent.verdict, child.verdict) != 0)
		say_cell(child.verdict, name, target, ALL_DRIVERS, &parent, 1);
	else
		hold(true, "%s", "");
}

static void play_all(const char *name, const char *file, const char *knobs, bool changes)
{
	if (getenv("ONLY") && strncmp(getenv("ONLY"), name, strlen(getenv("ONLY"))) != 0)
		return;
	begin("twice.%s", name);
	for (size_t t = 0; t < LEN(targets); t++) {
		play(name, file, knobs, targets[t], ALL_DRIVERS, changes);
		play(name, file, knobs, targets[t], "", changes);
		play_first_sight(name, file, knobs, targets[t]);
	}
	end();
}

/* Two at a time, as many as the machines have cores. */
int main(void)
{
	enum { WORKERS = 2 };
	glob_t files;
	int status, failed = 0;
	size_t all;

	if (glob(MODEMS "/*", 0, NULL, &files))
		return 1;
	all = files.gl_pathc + LEN(variants);
	share_tests();
	for (size_t w = 0; w < WORKERS; w++) {
		fflush(stdout);
		if (fork())
			continue;
		for (size_t i = w; i < all; i += WORKERS)
			if (i < files.gl_pathc) {
				const char *file = files.gl_pathv[i];

				play_all(strrchr(file, '/') + 1, file, "", false);
			} else {
				const struct variant *v = &variants[i - files.gl_pathc];

				play_all(v->name, v->file, v->knobs, v->changes);
			}
		world_end();
		fflush(stdout);
		_exit(0);
	}
	for (size_t w = 0; w < WORKERS; w++)
		if (wait(&status) < 0 || status)
			failed = 1;
	globfree(&files);
	return test_status() || failed;
}
