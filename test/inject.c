/* Every call of swflip's that can fail is made to fail once. A story runs honestly first, to
 * see which calls are made, on what, by which of its processes and how often; then again for
 * each of them, with that one failing: the first time, one in the middle, the last time. A call
 * that can wait for a device is also made to come back after the deadline only. wrong_with()
 * says what must hold then, whatever failed: the run ends by its deadline and a second; 0 means
 * that the modem is in its target mode; what is stored in it, if it is not what was found, is
 * in the message, which claims nothing else; each setting was written and put back at most
 * once; nobody and nothing is left behind.
 *
 *	ONLY=tty test/build/t-inject	one story; with SHOW=1 a line for every run */
#define _GNU_SOURCE
#include "tap.h"
#include "world/world.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <linux/usbdevice_fs.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define LEN(x) (sizeof(x) / sizeof *(x))

/* ---- the calls ---- */

enum { HALF = -1, END = -2, LATE = -3 }; /* besides errors */

static const struct kind {
	const char *name;
	int errors[3];
} kinds[] = {
	{ "access", { ENOENT, EACCES, ENOMEM } },
	{ "bind", { EACCES, ENOMEM, EADDRINUSE } },
	{ "close", { EIO, EINTR, EIO } },
	{ "execv", { ENOEXEC, EACCES, ENOMEM } },
	{ "flock", { EINTR, EWOULDBLOCK, ENOLCK } },
	{ "_Fork", { EAGAIN, ENOMEM, EAGAIN } },
	{ "fstat", { EIO, ENOMEM, EIO } },
	{ "getdents64", { EIO, ENOENT, ENOMEM } },
	{ "ioctl", { ENODEV, EIO, ETIMEDOUT } },
	{ "kill", { ESRCH, EPERM, ESRCH } },
	{ "lstat", { ENOENT, EACCES, ENOMEM } },
	{ "mkdir", { EROFS, EACCES, ENOSPC } },
	{ "mknod", { EROFS, EPERM, ENOSPC } },
	{ "mmap", { ENOMEM, ENOMEM, ENOMEM } },
	{ "mount", { EPERM, EBUSY, ENODEV } },
	{ "open", { EMFILE, EIO, ENODEV } },
	{ "openat", { EMFILE, EIO, ENODEV } },
	{ "poll", { ENOMEM, EINTR, ENOMEM } },
	{ "ppoll", { ENOMEM, EINTR, ENOMEM } },
	{ "read", { EIO, END, EINTR } },
	{ "readlink", { ENOENT, EIO, ENOMEM } },
	{ "recvfrom", { ENOBUFS, EINTR, ENOMEM } },
	{ "rmdir", { EBUSY, EROFS, ENOTEMPTY } },
	{ "setpgid", { EPERM, EACCES, ESRCH } },
	{ "signalfd", { EMFILE, ENOMEM, ENODEV } },
	{ "socket", { EMFILE, EAFNOSUPPORT, ENOBUFS } },
	{ "stat", { ENOENT, EACCES, ENOMEM } },
	{ "statx", { ENOENT, EACCES, ENOMEM } },
	{ "tcflush", { EIO, EINTR, ENOTTY } },
	{ "tcgetattr", { EIO, EINTR, ENOTTY } },
	{ "tcsetattr", { EIO, EINTR, ENOTTY } },
	{ "umount2", { EBUSY, EPERM, ENOMEM } },
	{ "unlink", { EROFS, ENOENT, EIO } },
	{ "waitpid", { ECHILD, EINTR, ECHILD } },
	{ "write", { EIO, HALF, EAGAIN } },
};

/* How often each stands in swflip.c, by test/world/build. */
static const struct {
	const char *name;
	unsigned sites;
} sites[] = {
#include SITES
};

/* Calls that this test does not tell apart. */
struct moment {
	const void *where;
	int role;
	char what[120];
	unsigned hits;
	const struct kind *kind;
	bool waits; /* for a device */
};

static struct moment moments[3000];
static unsigned nmoments;

static struct order {
	struct moment moment;
	unsigned nth;
	int error;
	bool done;
} order;

static struct site {
	const void *where;
	const char *name;
} failed[3000];
static unsigned nfailed;

/* The last two names of a path, without numbers, as those of devices and processes are others
 * in every run. */
static void shorten(char *to, const char *file)
{
	const char *p = file + strlen(file);

	for (unsigned n = 0; p > file && (p[-1] != '/' || ++n < 2);)
		p--;
	for (; *p; p++)
		if (*p < '0' || *p > '9')
			*to++ = *p;
	*to = '\0';
}

/* What went out last on a wire: an AT command, or the number of the frame. */
static const char *wire(const struct call *c)
{
	static char last[24];
	static unsigned frames;
	const char *sent = !strcmp(c->name, "write") && c->file && !strncmp(c->file, "/dev/", 5)
				   ? c->data
				   : NULL;

	if (c->request == (USBDEVFS_BULK & 0xffffffff) && !strcmp(c->name, "ioctl"))
		sent = ((const struct usbdevfs_bulktransfer *)c->data)->data;
	if (c->request == (USBDEVFS_CONTROL & 0xffffffff) && !strcmp(c->name, "ioctl") &&
	    ((const struct usbdevfs_ctrltransfer *)c->data)->bRequestType == 0x21)
		sent = "frame";
	if (!nmoments)
		frames = 0;
	if (sent && !strncmp(sent, "AT", 2))
		snprintf(last, sizeof last, "%.*s", (int)strcspn(sent, "\r"), sent);
	else if (sent)
		snprintf(last, sizeof last, "frame %u", ++frames % 100);
	return c->file && !strncmp(c->file, "/dev/", 5) ? last : "";
}

/* Calls that a device can keep: they may come back late. Those of the rest of sysfs take no
 * lock. */
static bool can_wait(const struct call *c)
{
	static const char *const files[] = { "/dev/ttyUSB*",
					     "/dev/cdc-wdm*",
					     "/dev/bus/usb/*",
					     "/sys/devices/*/descriptors",
					     "/sys/bus/usb/devices/*/descriptors",
					     "*/bConfigurationValue",
					     "*/power/control" };

	if (!c->file || !strcmp(c->name, "readlink") || !strcmp(c->name, "stat") ||
	    !strcmp(c->name, "statx") || !strcmp(c->name, "ppoll") || !strcmp(c->name, "poll"))
		return false;
	for (size_t i = 0; i < LEN(files); i++)
		if (!fnmatch(files[i], c->file, 0))
			return true;
	return false;
}

static struct moment *moment_of(const struct call *c, const struct kind *kind)
{
	char what[sizeof moments->what], name[400];
	struct moment *m = moments;

	shorten(name, c->file ? c->file : "");
	snprintf(what, sizeof what, "%s %.40s%s", c->name,
		 c->fd >= 0 && c->fd <= 2 ? "standard" : name, c->fd == 2 ? " 2" : "");
	if (!strcmp(c->name, "ioctl"))
		snprintf(what + strlen(what), sizeof what - strlen(what), " %lx", c->request);
	snprintf(what + strlen(what), sizeof what - strlen(what), " %s", wire(c));
	for (; m < moments + nmoments; m++)
		if (m->where == c->where && m->role == c->role && !strcmp(m->what, what))
			return m;
	if (nmoments == LEN(moments))
		abort();
	*m = (struct moment){
		.where = c->where, .role = c->role, .kind = kind, .waits = can_wait(c)
	};
	strcpy(m->what, what);
	nmoments++;
	return m;
}

static void note_failed(const void *where, const char *name)
{
	for (unsigned i = 0; i < nfailed; i++)
		if (failed[i].where == where)
			return;
	if (nfailed == LEN(failed))
		abort();
	failed[nfailed++] = (struct site){ where, name };
}

/* Does this call fail, now? */
static bool hook(const struct call *c, long *result)
{
	const struct kind *kind = kinds;
	struct moment *m;

	while (kind < kinds + LEN(kinds) && strcmp(kind->name, c->name) != 0)
		kind++;
	if (kind == kinds + LEN(kinds))
		return false;
	m = moment_of(c, kind);
	m->hits++;
	if (order.done || !order.moment.where || order.moment.where != c->where ||
	    order.moment.role != c->role || strcmp(order.moment.what, m->what) != 0 ||
	    order.nth != m->hits)
		return false;
	order.done = true;
	note_failed(c->where, kind->name);
	if (order.error == LATE) {
		world_late(60000);
		return false;
	}
	errno = order.error > 0 ? order.error : EIO;
	if (order.error == END)
		*result = 0;
	if (order.error == HALF && c->size > 1)
		*result = (long)c->size / 2; /* and the rest is lost */
	return true;
}

/* ---- stories ---- */

static const struct story {
	const char *name, *arguments, *file, *knobs;
	const char *faults, *cmdline;
	const char *drivers;              /* NULL: all */
	unsigned pid, comp, mask, config; /* the target */
	int status, process;
	const char *story;
} stories[] = {
	/* the index dialect, PID and composition, by a tty; by usbfs; and one that is put back;
	 * the bitmask */
	{ .name = "tty",
	  .arguments = "-w 40 -t mbim",
	  .file = "330u",
	  .knobs = "truinstall off",
	  .pid = 0x68a2,
	  .comp = 8,
	  .story = "pid=68A2;comp=8;reset;" },
	{ .name = "usbfs",
	  .arguments = "-w 40 -t mbim",
	  .file = "330u",
	  .knobs = "truinstall off",
	  .drivers = "",
	  .pid = 0x68a2,
	  .comp = 8,
	  .story = "pid=68A2;comp=8;reset;" },
	{ .name = "put-back",
	  .arguments = "-w 40 -t mbim",
	  .file = "330u",
	  .knobs = "truinstall off;write-differs 1:comp:9",
	  .pid = 0x68a2,
	  .comp = 8,
	  .status = 1 },
	{ .name = "mask",
	  .arguments = "-w 60 -t mbim",
	  .file = "mc7455",
	  .knobs = "",
	  .pid = 0x9071,
	  .mask = 0x100d,
	  .story = "mask=100D;reset;" },
	/* no AT port, or one that is silent: QMI, bare and inside MBIM, by cdc-wdm and by usbfs */
	{ .name = "qmi",
	  .arguments = "-w 40 -t 8",
	  .file = "no-at",
	  .knobs = "",
	  .pid = 0x68c0,
	  .comp = 8,
	  .story = "comp=8;reset;" },
	{ .name = "qmi-usbfs",
	  .arguments = "-w 40 -t 8",
	  .file = "no-at",
	  .knobs = "",
	  .drivers = "",
	  .pid = 0x68c0,
	  .comp = 8,
	  .story = "comp=8;reset;" },
	{ .name = "mbim",
	  .arguments = "-w 40 -t qmi",
	  .file = "mbim9",
	  .knobs = "",
	  .pid = 0x68a2,
	  .comp = 6,
	  .story = "comp=6;reset;" },
	{ .name = "mbim-usbfs",
	  .arguments = "-w 40 -t 6",
	  .file = "mbim9",
	  .knobs = "",
	  .drivers = "",
	  .pid = 0x68a2,
	  .comp = 6,
	  .story = "comp=6;reset;" },
	/* the rest: nothing of it writes a setting */
	{ .name = "flip",
	  .arguments = "-w 20 -t modem",
	  .file = "330u",
	  .knobs = "",
	  .pid = 0x68a3,
	  .comp = 3,
	  .story = "swoc=1;" },
	{ .name = "flip-alone",
	  .arguments = "-w 20 -t modem",
	  .file = "330u",
	  .knobs = "",
	  .drivers = "",
	  .pid = 0x68a3,
	  .comp = 3,
	  .story = "swoc=1;" },
	{ .name = "dual",
	  .arguments = "-w 20 -t qmi",
	  .file = "mc7710",
	  .knobs = "comp 14",
	  .pid = 0x68a2,
	  .comp = 14,
	  .config = 1,
	  .story = "config=1;" },
	{ .name = "right",
	  .arguments = "-w 20 -t qmi",
	  .file = "mc7710",
	  .knobs = "",
	  .pid = 0x68a2,
	  .comp = 6,
	  .story = "" },
	{ .name = "nodes",
	  .arguments = "-w 20 -t 6",
	  .file = "mc7710",
	  .knobs = "",
	  .faults = "no=/dev/ttyUSB*",
	  .pid = 0x68a2,
	  .comp = 6,
	  .story = "" },
	{ .name = "list",
	  .arguments = "-w 20 -l",
	  .file = "mc7710",
	  .knobs = "",
	  .pid = 0x68a2,
	  .comp = 6,
	  .story = "" },
	{ .name = "dry",
	  .arguments = "-w 20 -n -t mbim",
	  .file = "mc7710",
	  .knobs = "",
	  .pid = 0x68a2,
	  .comp = 6,
	  .story = "" },
	{ .name = "none",
	  .arguments = "-a 3 -w 6 -t 1-9:mbim",
	  .file = "mc7710",
	  .knobs = "",
	  .faults = "terminal",
	  .pid = 0x68a2,
	  .comp = 8,
	  .status = 3,
	  .story = "" },
	{ .name = "hang",
	  .arguments = "-w 3 -t 8",
	  .file = "mc7710",
	  .knobs = "",
	  .faults = "hang-open=/dev/bus/usb/*",
	  .drivers = "",
	  .pid = 0x68a2,
	  .comp = 8,
	  .status = 1,
	  .story = "" },
	{ .name = "held",
	  .arguments = "-w 20 -t mbim",
	  .file = "mc7710",
	  .knobs = "",
	  .faults = "exclusive=/dev/ttyUSB2 bind-fails",
	  .pid = 0x68a2,
	  .comp = 8,
	  .status = 1,
	  .story = "" },
	{ .name = "elsewhere",
	  .arguments = "-w 6 -t mbim",
	  .file = "mc7710",
	  .knobs = "",
	  .faults = "elsewhere",
	  .pid = 0x68a2,
	  .comp = 8,
	  .status = 1,
	  .story = "" },
	{ .name = "kmsg",
	  .arguments = "-k -w 20 -t qmi",
	  .file = "mc7710",
	  .knobs = "",
	  .pid = 0x68a2,
	  .comp = 6,
	  .story = "" },
	{ .name = "pid1",
	  .arguments = "",
	  .file = "mc7710",
	  .knobs = "",
	  .faults = "unmounted",
	  .cmdline = "swflip.target=mbim swflip.wait=40 swflip.init=/init",
	  .pid = 0x68a2,
	  .comp = 8,
	  .process = 1,
	  .story = "comp=8;reset;" },
};

/* ---- what must hold ---- */

struct settings {
	unsigned pid, comp, mask, type;
};

static struct settings look(const struct modem *m, bool running)
{
	unsigned (*get)(const struct modem *, const char *) =
		running ? modem_running : modem_stored;

	return (struct settings){ get(m, "pid"), get(m, "comp"), get(m, "mask"), get(m, "type") };
}

/* What a run ended in. */
struct end {
	struct settings found, stored, running;
	const char *err, *out, *story, *left;
	bool mask, there, wrote;
	bool good, bad; /* its verdict */
};

static unsigned times(const char *story, const char *word)
{
	unsigned n = 0;

	for (const char *p = story; (p = strstr(p, word)); p++)
		n += p == story || p[-1] == ';';
	return n;
}

/* Does any word that begins so stand there twice? */
static bool twice(const char *story, const char *setting)
{
	char word[40];

	for (const char *p = story; *p; p += strcspn(p, ";") + 1) {
		snprintf(word, sizeof word, "%.*s;", (int)strcspn(p, ";"), p);
		if (!strncmp(p, setting, strlen(setting)) && times(story, word) > 1)
			return true;
	}
	return false;
}

/* Does the message name these settings behind this word? */
static bool named(const char *text, const struct settings *s, bool mask)
{
	char what[60];

	if (mask)
		snprintf(what, sizeof what, "PID %04X type %u bitmask 0x%X", s->pid, s->type,
			 s->mask);
	else
		snprintf(what, sizeof what, "PID %04X composition %u", s->pid, s->comp);
	return strstr(text, what) != NULL;
}

static bool is_there(const struct story *s, const struct device *d, const struct end *e)
{
	bool comp = s->mask ? e->stored.mask == s->mask && e->running.mask == s->mask
			    : e->stored.comp == s->comp && e->running.comp == s->comp;

	return world_present(d) && comp && e->stored.pid == s->pid && e->running.pid == s->pid &&
	       (!s->config || world_config(d) == s->config);
}

/* Did the very call fail that was to give something back, or to say something? */
static bool excused(const char *why, const char *what)
{
	static const struct {
		const char *why, *what;
	} excuses[] = {
		{ "autosuspend is off", "power/control" },
		{ "autosuspend is off", "/devnum" }, /* only what is surely its own is put back */
		{ "the terminal's settings are others", "tcsetattr" },
		{ "the terminal is held", "540d" },
		{ "the terminal was written to, and not raw, or not taken", "540c" },
		{ "the terminal was written to, and not raw, or not taken", "tcsetattr" },
		{ "an interface is claimed", "ioctl" },
		{ "a QMI client, or MBIM open", "ioctl" }, /* its answer, or its release */
		{ "a private node", "unlink" },
		{ "something is mounted", "umount" },
		{ "no verdict", "write standard" },
		{ "no verdict", "write dev/kmsg" },
		{ "it does not say what is stored", "write standard" },
		{ "no verdict", "waitpid" },
		{ "a process", "waitpid" },
		{ "the terminal's settings are others", "waitpid" },
		{ "it does not say what is stored", "waitpid" },
		{ "it is not in its target mode", "read proc/cmdline" }, /* an empty one is one */
		{ "a process died", "_Fork" },
		{ "a process died", "waitpid" }, /* nobody knows better */
		{ "it is in its target mode", "waitpid" },
		{ "no verdict", "poll standard" },
		{ "it does not say what is stored", "poll standard" },
	};

	for (unsigned i = 0; i < LEN(excuses); i++)
		if (!strcmp(why, excuses[i].why) && strstr(what, excuses[i].what))
			return true;
	return false;
}

/* What the verdict says, against the modem. */
static const char *false_word(const struct end *e, bool told)
{
	bool moved = memcmp(&e->stored, &e->found, sizeof e->found) != 0;
	const char *unread = strstr(e->err, "not read back"),
		   *stored = strstr(e->err, "stored is ");

	if (told && e->wrote && strstr(e->err, "nothing was written"))
		return "it says that nothing was written";
	if (told && moved && strstr(e->err, "what was found is stored"))
		return "it says that what was found is stored";
	if (told && moved && !unread && !stored)
		return "it does not say what is stored";
	if (told && !e->wrote && stored)
		return "it says what is stored, and nothing was written";
	if (stored && !named(stored, &e->stored, e->mask))
		return "something else is said to be stored";
	return NULL;
}

static const char *wrong_verdict(const struct story *s, const struct outcome *o,
				 const struct end *e, bool late)
{
	bool idle = strstr(s->arguments, "-l") || strstr(s->arguments, "-n");
	bool touched = e->wrote || strstr(e->story, "reset;"), first = s->process == 1;
	bool told = e->bad || (touched && !e->good && !idle);

	if ((o->status == 0 || (first && e->good)) && !first && !e->there && !idle)
		return "it is not in its target mode";
	if (o->status == 1 && !first && e->there && touched && !late)
		return "it is in its target mode";
	if (o->status > 1 && !first && touched)
		return "it was touched";
	if (!first && o->status == 0 && !idle && !e->good)
		return "no verdict";
	if (!first && o->status == 1 && !e->bad && !strstr(o->kmsg, " not in mode ") &&
	    !strstr(e->err, "another swflip"))
		return "no verdict";
	return false_word(e, told);
}

/* NULL, or what is wrong with a run in which this failed. */
static const char *wrong_with(const struct story *s, const struct outcome *o,
			      const struct device *d, const struct end *e, bool late)
{
	const char *wait = strstr(s->arguments, "-w "), *why;
	int64_t limit = (wait ? atoi(wait + 3) : 40) * 1000 + 1100;

	(void)d;
	if (o->hung || o->spun)
		return o->hung ? "it does not end" : "it spins";
	if (o->signal)
		return "it was killed";
	if (o->took > limit)
		return "it ends late";
	if (s->process == 1 ? !o->exec : o->status < 0 || o->status > 3)
		return s->process == 1 ? "process 1 did not go on" : "there is no such status";
	if (strstr(e->err, "ended too early"))
		return "a process died";
	why = wrong_verdict(s, o, e, late);
	if (why)
		return why;
	if (twice(e->story, "pid=") || twice(e->story, "comp=") || twice(e->story, "mask="))
		return "a setting was written twice";
	if (times(e->story, "reset;") > 2)
		return "three resets";
	return late || (s->faults && strstr(s->faults, "hang")) ? NULL : e->left;
}

/* ---- runs ---- */

static const char *run(const struct story *s, char *said, size_t size)
{
	static struct outcome o;
	struct device *d;
	struct end e = { 0 };
	const char *why;

	nmoments = 0;
	world_new(s->drivers ? s->drivers : ALL_DRIVERS, s->faults, s->cmdline);
	if (s->process == 1)
		world_write("/init", "");
	d = world_plug("1-1", s->file, s->knobs, 0);
	e.found = look(world_modem(d), false);
	world_hook = hook;
	o = *world_run(s->arguments, s->process ? s->process : 100);
	world_hook = NULL;
	e.left = world_left_behind();
	world_wait(1000);
	e.stored = look(world_modem(d), false);
	e.running = look(world_modem(d), true);
	e.err = o.err;
	e.out = o.out;
	e.story = world_story(d);
	e.mask = !strcmp(modem_value(world_modem(d), "dialect"), "mask");
	e.wrote = times(e.story, "pid=") || times(e.story, "comp=") || times(e.story, "mask=");
	e.there = is_there(s, d, &e);
	e.bad = strstr(o.err, " not in mode ") || strstr(o.out, " not in mode ");
	e.good = !e.bad && (strstr(o.err, " in mode ") || strstr(o.kmsg, " in mode "));
	why = wrong_with(s, &o, d, &e, order.error == LATE);
	if (!why && !order.moment.where &&
	    (o.status != s->status || (s->story && strcmp(s->story, e.story) != 0)))
		why = "the honest run is another";
	snprintf(said, size, "status %d, %lld ms, story %s, left %s; said: %.600s%.200s", o.status,
		 (long long)o.took, e.story, e.left ? e.left : "nothing", o.err, o.kmsg);
	for (char *p = said; *p; p++)
		if (*p == '\n')
			*p = '|';
	return why;
}

/* The first time, one in the middle, the last, each with another error; and late. */
static unsigned make_plan(struct order *plan)
{
	static unsigned turn;
	unsigned runs = 0;

	for (unsigned i = 0; i < nmoments; i++, turn++) {
		const struct moment *m = &moments[i];
		unsigned n = m->hits, nth[3] = { 1, n > 2 ? (n + 1) / 2 : n, n };

		for (unsigned k = 0; k < (n < 3 ? n : 3); k++)
			plan[runs++] = (struct order){ *m, nth[k], m->kind->errors[(turn + k) % 3],
						       false };
		if (m->waits)
			plan[runs++] = (struct order){ *m, nth[turn % 3], LATE, false };
	}
	return runs;
}

static void tell(const struct story *s)
{
	static struct order plan[4 * LEN(moments)];
	char said[1200];
	const char *why;
	unsigned runs, done = 0;

	begin("inject.%s", s->name);
	memset(&order, 0, sizeof order);
	why = run(s, said, sizeof said);
	hold(!why, "nothing failed: %s: %s", why ? why : "", said);
	runs = why ? 0 : make_plan(plan);
	for (unsigned i = 0; i < runs; i++) {
		order = plan[i];
		why = run(s, said, sizeof said);
		done += order.done;
		if (why && excused(why, plan[i].moment.what))
			why = NULL;
		hold(!why, "%s: %s by process %d, time %u, error %d: %s", why ? why : "",
		     plan[i].moment.what, plan[i].moment.role, plan[i].nth, plan[i].error, said);
		if (getenv("SHOW") && (why || *getenv("SHOW") == '2'))
			printf("# %s: %s by process %d, time %u, error %d: %s\n",
			       why ? why : "fine", plan[i].moment.what, plan[i].moment.role,
			       plan[i].nth, plan[i].error, said);
	}
	printf("# inject.%s: %u runs, %u calls failed\n", s->name, runs, done);
	end();
}

/* Calls that no story makes fail: what -h and -V say, and the like. */
static void judge_sites(void)
{
	enum { UNREACHED = 14 };
	unsigned all = 0;

	for (size_t i = 0; i < LEN(sites); i++)
		for (size_t k = 0; k < LEN(kinds); k++) {
			unsigned n = 0;

			if (strcmp(sites[i].name, kinds[k].name) != 0)
				continue;
			for (unsigned f = 0; f < nfailed; f++)
				n += !strcmp(failed[f].name, kinds[k].name);
			all += sites[i].sites;
			if (n < sites[i].sites)
				printf("# %s: %u of %u never failed\n", kinds[k].name,
				       sites[i].sites - n, sites[i].sites);
		}
	expect(getenv("ONLY") || getenv("FIRST") || nfailed + UNREACHED >= all, "inject.calls",
	       "%u of %u calls never failed", all - nfailed, all);
}

int main(void)
{
	for (unsigned i = 0; i < LEN(stories); i++)
		if (!getenv("ONLY") || !strcmp(getenv("ONLY"), stories[i].name))
			tell(&stories[i]);
	judge_sites();
	world_end();
	return test_status();
}
