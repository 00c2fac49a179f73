/* Every call of swflip's that can fail is made to fail once. A story runs honestly first, to see which calls are made, on what, by
 * which of its processes and how often; then again for each of them, with that one failing: the first time, one in the middle,
 * the last time. wrong_with() says what must hold then, whatever failed: the run ends by its deadline and a second; 0 means that the
 * modem is in its target mode; what is stored in it, if it is not what was found, is in the message, which claims nothing else;
 * each setting was written and put back at most once; nobody and nothing is left behind.
 *
 *	ONLY=tty test/build/t-inject	one story; with SHOW=1 a line for every run
 *
 * The arguments of a call are evaluated twice here. */
#define _GNU_SOURCE
#if defined __GNUC__ && !defined __clang__
#pragma GCC diagnostic ignored \
	"-Wmaybe-uninitialized" /* so many ways lead through every function now */
#endif
#include <stdbool.h>
#include <sys/prctl.h>

/* Where a call stands in swflip.c. All of them are in a section of their own, those that no story reaches, too. */
struct site {
	const char *call;
	unsigned long line;
};

static bool fails(const struct site *here, ...);
static long failed; /* what the call returns then */

#define CALL(name, real, ...)                                                         \
	(__extension__({                                                              \
		static const struct site here                                         \
			__attribute__((section("sites"), used)) = { name, __LINE__ }; \
		fails(&here, __VA_ARGS__);                                            \
	})                                                                            \
		 ? (__typeof__(real(__VA_ARGS__)))failed                              \
		 : real(__VA_ARGS__))
#include "world.h"

extern const struct site __start_sites[], __stop_sites[];

const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0"; /* swflip allocates nothing, and the search takes half of the time */
}

/* ---- the calls ---- */

enum { HALF = -1, END = -2 }; /* of write and read, besides errors */
enum by {
	NOTHING,
	NAMED,
	NAMED_AT,
	OPEN,
	POLLED,
	REQUEST
}; /* what a call's arguments say of it: a file's name, ..., an ioctl */

static const struct call {
	const char *name;
	long number;
	enum by by;
	int errors[3];
} calls[] = {
	{ "access", SYS_access, NAMED, { ENOENT, EACCES, ENOMEM } },
	{ "bind", SYS_bind, OPEN, { EACCES, ENOMEM, EADDRINUSE } },
	{ "close", SYS_close, OPEN, { EIO, EINTR, EIO } },
	{ "execv", SYS_execve, NAMED, { ENOEXEC, EACCES, ENOMEM } },
	{ "flock", SYS_flock, OPEN, { EINTR, EWOULDBLOCK, ENOLCK } },
	{ "fork", SYS_fork, NOTHING, { EAGAIN, ENOMEM, EAGAIN } },
	{ "getdents64", SYS_getdents64, OPEN, { EIO, ENOENT, ENOMEM } },
	{ "ioctl", SYS_ioctl, REQUEST, { ENODEV, EIO, ETIMEDOUT } },
	{ "kill", SYS_kill, NOTHING, { ESRCH, EPERM, ESRCH } },
	{ "mkdir", SYS_mkdir, NAMED, { EROFS, EACCES, ENOSPC } },
	{ "mknod", SYS_mknod, NAMED, { EROFS, EPERM, ENOSPC } },
	{ "mmap", SYS_mmap, NOTHING, { ENOMEM, ENOMEM, ENOMEM } },
	{ "mount", SYS_mount, NAMED, { EPERM, EBUSY, ENODEV } },
	{ "open", SYS_open, NAMED, { EMFILE, EIO, ENODEV } },
	{ "poll", SYS_poll, POLLED, { ENOMEM, EINTR, ENOMEM } },
	{ "read", SYS_read, OPEN, { EIO, END, EINTR } },
	{ "readlink", SYS_readlink, NAMED, { ENOENT, EIO, ENOMEM } },
	{ "recvfrom", SYS_recvfrom, OPEN, { ENOBUFS, EINTR, ENOMEM } },
	{ "rmdir", SYS_rmdir, NAMED, { EBUSY, EROFS, ENOTEMPTY } },
	{ "setpgid", SYS_setpgid, NOTHING, { EPERM, EACCES, ESRCH } },
	{ "signalfd", SYS_signalfd4, NOTHING, { EMFILE, ENOMEM, ENODEV } },
	{ "socket", SYS_socket, NOTHING, { EMFILE, EAFNOSUPPORT, ENOBUFS } },
	{ "stat", SYS_stat, NAMED, { ENOENT, EACCES, ENOMEM } },
	{ "statx", SYS_statx, NAMED_AT, { ENOENT, EACCES, ENOMEM } },
	{ "tcflush", -1, OPEN, { EIO, EINTR, ENOTTY } },
	{ "tcgetattr", -1, OPEN, { EIO, EINTR, ENOTTY } },
	{ "tcsetattr", -1, OPEN, { EIO, EINTR, ENOTTY } },
	{ "umount2", SYS_umount2, NAMED, { EBUSY, EPERM, ENOMEM } },
	{ "unlink", SYS_unlink, NAMED, { EROFS, ENOENT, EIO } },
	{ "waitpid", SYS_wait4, NOTHING, { ECHILD, EINTR, ECHILD } },
	{ "write", SYS_write, OPEN, { EIO, HALF, EAGAIN } },
	{ "syscall", -1, NOTHING, { EIO, ENOMEM, EINTR } }, /* any other */
};

enum role {
	MAIN,
	WORKER,
	CHILD,
	ROLES
}; /* the first process; the second, if the first is process 1; a modem's */

/* Calls that this test does not tell apart. */
struct moment {
	const struct site *site;
	char what[90];
	unsigned hits;
	const struct call *call;
};

/* What all processes of a run see. A role is one process, so that nobody need lock anything. */
static struct tape {
	pid_t main;
	unsigned moments[ROLES];
	struct moment moment[ROLES][500];
	struct order {
		enum role role;
		struct moment moment;
		unsigned nth;
		int error;
		bool done;
	} order;
} *tape;
static bool *reached, *broken; /* by site */

static void *map(size_t size)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

/* The last two names of a path, without numbers, as those of devices and processes are others in every run. */
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

/* Tells them apart: by process, site, file, request, and on a wire by what went out last. */
static struct moment *moment_of(const struct site *here, const struct call *c, enum role role,
				const char *file, unsigned request, const char *sent)
{
	static char last[20];
	static unsigned frames;
	struct moment *m = tape->moment[role], *end = m + tape->moments[role];
	char what[sizeof m->what], name[300];

	shorten(name,
		strncmp(file, world.dir, strlen(world.dir)) ? file : file + strlen(world.dir));
	if (sent && !strncmp(sent, "AT", 2))
		snprintf(last, sizeof last, "%.*s", (int)strcspn(sent, "\r"), sent);
	else if (sent && strstr(name, "pts/"))
		snprintf(last, sizeof last, "frame %u", ++frames);
	snprintf(what, sizeof what, "%s %.30s", c->name, name);
	if (request)
		snprintf(what + strlen(what), sizeof what - strlen(what), " %x", request);
	if (strstr(name, "pts/"))
		snprintf(what + strlen(what), sizeof what - strlen(what), " at %s", last);
	while (m < end && (m->site != here || strcmp(m->what, what)))
		m++;
	if (m == tape->moment[role] + LEN(tape->moment[role]))
		abort();
	if (m == end) {
		*m = (struct moment){ .site = here, .call = c };
		strcpy(m->what, what);
		tape->moments[role]++;
	}
	return m;
}

/* Does this call fail, now? Sees to errno, to failed, and to what half a failure does. */
static bool fails(const struct site *here, ...)
{
	struct order *o = &tape->order;
	const struct call *c = calls;
	const char *sent = NULL;
	char file[300] = "", link[40];
	int fd = -1, number = -1, before = errno;
	unsigned request = 0;
	struct moment *m;
	enum role role;
	size_t size = 0;
	void *data = NULL;
	ssize_t n;
	va_list ap;

	va_start(ap, here);
	if (!strcmp(here->call, "syscall"))
		number = va_arg(ap, int);
	while (c < calls + LEN(calls) - 1 &&
	       (number >= 0 ? c->number != number : strcmp(c->name, here->call) != 0))
		c++;
	if (c->by == NAMED_AT)
		(void)va_arg(ap, int);
	if (c->by == NAMED || c->by == NAMED_AT)
		snprintf(file, sizeof file, "%s", va_arg(ap, const char *));
	else if (c->by == POLLED)
		fd = va_arg(ap, const struct pollfd *)->fd;
	else if (c->by == OPEN || c->by == REQUEST)
		fd = va_arg(ap, int);
	if (c->by == REQUEST)
		request = va_arg(ap, unsigned);
	if (c->by == REQUEST || !strcmp(c->name, "write"))
		data = va_arg(ap, void *);
	if (!strcmp(c->name, "write"))
		sent = data, size = va_arg(ap, size_t);
	va_end(ap);
	if (request == USBDEVFS_BULK)
		sent = ((struct bulktransfer *)data)->data;
	if (request == USBDEVFS_CONTROL && ((struct ctrltransfer *)data)->bRequestType == 0x21)
		sent = ((struct ctrltransfer *)data)->data;
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	if (fd >= 0 && (n = readlink(link, file, sizeof file - 1)) >= 0)
		file[n] = '\0';
	if (!tape->main)
		tape->main = getpid();
	role = getpid() == tape->main                           ? MAIN
	       : world.first_process && getppid() == tape->main ? WORKER
								: CHILD;
	errno = before;
	reached[here - __start_sites] = true;
	broken[here - __start_sites] |= number == SYS_clock_gettime; /* which cannot fail */
	if (number == SYS_clock_gettime)
		return false;
	m = moment_of(here, c, role, file, request, sent);
	m->hits++;
	if (o->done || o->role != role || o->moment.site != here ||
	    strcmp(o->moment.what, m->what) || o->nth != m->hits)
		return false;
	o->done = broken[here - __start_sites] = true;
	failed = -1;
	errno = o->error > 0 ? o->error : EIO;
	if (o->error == END)
		failed = 0;
	if (o->error == HALF &&
	    size > 1) /* a frame is lost then: half of one would stay in the terminal, before the next */
		failed = *(const uint8_t *)data < ' ' ? (long)size / 2
						      : native_write(fd, data, size / 2);
	if (!strcmp(c->name, "close"))
		close(fd); /* is closed all the same */
	if (o->error == ETIMEDOUT && request == USBDEVFS_CONTROL) {
		native_ioctl(fd, request, data); /* the modem has heard it */
		errno = ETIMEDOUT;
	}
	return true;
}

/* ---- stories ---- */

static const struct story {
	const char *name, *arguments, *cmdline, *faults, *drivers;
	unsigned pid;
	uint32_t comp;
	unsigned to_pid; /* the target */
	uint32_t to_comp;
	unsigned config;
	int status;
	const char *log;
} stories[] = {
	/* the index dialect, PID and composition, by a tty; by usbfs; and one that is put back; the bitmask */
	{ "tty", "-w 6 -t mbim", .faults = "netlink uevents", .pid = 0x68a3, .comp = 3,
	  .to_pid = 0x68a2, .to_comp = 8, .log = "pid=68A2;comp=8;reset;" },
	{ "usbfs", "-w 6 -t mbim", .drivers = "none", .pid = 0x68a3, .comp = 3, .to_pid = 0x68a2,
	  .to_comp = 8, .log = "claim;dtr=3;pid=68A2;comp=8;reset;" },
	{ "put-back", "-w 6 -t mbim", .faults = "write-differs", .pid = 0x68a3, .comp = 3,
	  .to_pid = 0x68a2, .to_comp = 8, .status = 1, .log = "pid=68A2;comp=8;pid=68A3;" },
	{ "mask", "-w 6 -t mbim", .faults = "mask", .pid = 0x9071, .comp = 0x10d, .to_pid = 0x9071,
	  .to_comp = 0x100d, .log = "comp=100D;reset;" },
	/* no AT port, or one that is silent: QMI, bare and inside MBIM, by cdc-wdm and by usbfs */
	{ "qmi", "-w 6 -t 8", .faults = "silent", .drivers = "serial wdm", .pid = 0x68a2, .comp = 6,
	  .to_pid = 0x68a2, .to_comp = 8, .log = "comp=8;mode=3;mode=4;reset;" },
	{ "mbim", "-w 6 -t qmi", .drivers = "serial wdm", .pid = 0x68a2, .comp = 9,
	  .to_pid = 0x68a2, .to_comp = 6, .log = "comp=6;mode=3;mode=4;reset;" },
	{ "mbim-usbfs", "-w 6 -t 6", .drivers = "none", .pid = 0x68a2, .comp = 9, .to_pid = 0x68a2,
	  .to_comp = 6 },
	/* the rest: nothing of it writes a setting */
	{ "flip", "-w 6 -t modem", .faults = "truinstall", .drivers = "serial storage",
	  .pid = 0x68a3, .comp = 3, .to_pid = 0x68a3, .to_comp = 3, .log = "swoc=1;" },
	{ "dual", "-w 6 -t qmi", .pid = 0x68a2, .comp = 14, .to_pid = 0x68a2, .to_comp = 14,
	  .config = 1, .log = "config=1;" },
	{ "right", "-w 6 -t qmi", .pid = 0x68a2, .comp = 6, .to_pid = 0x68a2, .to_comp = 6,
	  .log = "" },
	{ "nodes", "-w 6 -t 6", .pid = 0x68a2, .comp = 6, .to_pid = 0x68a2, .to_comp = 6,
	  .log = "" },
	{ "list", "-w 6 -l", .pid = 0x68a2, .comp = 6, .to_pid = 0x68a2, .to_comp = 6, .log = "" },
	{ "dry", "-w 6 -n -t mbim", .pid = 0x68a2, .comp = 6, .to_pid = 0x68a2, .to_comp = 6,
	  .log = "" },
	{ "none", "|-a 3 -w 6 -t 1-9:mbim", .pid = 0x68a2, .comp = 6, .to_pid = 0x68a2,
	  .to_comp = 8, .status = 3, .log = "" },
	{ "stopped", "-w 6 -t mbim", .faults = "term", .pid = 0x68a2, .comp = 6, .to_pid = 0x68a2,
	  .to_comp = 8, .status = 1, .log = "" },
	{ "hang", "-w 1 -t 8", .faults = "hang", .drivers = "none", .pid = 0x68a2, .comp = 6,
	  .to_pid = 0x68a2, .to_comp = 8, .status = 1, .log = "" },
	{ "held", "-w 6 -t mbim", .faults = "exclusive bind-fails netlink", .pid = 0x68a2,
	  .comp = 6, .to_pid = 0x68a2, .to_comp = 8, .status = 1, .log = "" },
	{ "elsewhere", "-w 6 -t mbim", .faults = "elsewhere", .pid = 0x68a2, .comp = 6,
	  .to_pid = 0x68a2, .to_comp = 8, .status = 1, .log = "" },
	{ "kmsg", "-k -w 6 -t qmi", .faults = "kmsg", .pid = 0x68a2, .comp = 6, .to_pid = 0x68a2,
	  .to_comp = 6, .log = "" },
	{ "pid1", "", .cmdline = "swflip.target=mbim swflip.wait=6 swflip.init=/bin/true",
	  .faults = "pid1 exec mount", .pid = 0x68a2, .comp = 6, .to_pid = 0x68a2, .to_comp = 8,
	  .status = 77, .log = "comp=8;reset;" },
};

/* ---- what must hold ---- */

/* How often this was done: the beginning of a word of world.log. */
__attribute__((format(printf, 1, 0))) static unsigned times(const char *fmt, unsigned value)
{
	unsigned n = 0;
	const char *word = form(fmt, value);

	for (const char *p = world.log; (p = strstr(p, word)); p++)
		n += p == world.log || p[-1] == ';';
	return n;
}

/* Does this number stand behind this word? */
static bool named(const char *text, const char *word, unsigned base, unsigned value)
{
	const char *p = strstr(text, word);

	return p && strtoul(p + strlen(word), NULL, (int)base) == value;
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
		{ "a private node", "unlink" },
		{ "no verdict", "write /err" },
		{ "no verdict", "write dev/kmsg" },
		{ "it does not say what is stored", "write /err" },
		{ "no verdict", "waitpid" },
		{ "a process is left behind", "waitpid" },
		{ "the terminal's settings are others", "waitpid" },
		{ "it does not say what is stored",
		  "waitpid" }, /* cannot, for a child that is there */
		{ "it is not in its target mode",
		  "read proc/cmdline" }, /* an empty command line is one */
		{ "a process died", "fork" },
	};

	for (unsigned i = 0; i < LEN(excuses); i++)
		if (!strcmp(why, excuses[i].why) && strstr(what, excuses[i].what))
			return true;
	return false;
}

/* Is somebody left behind, who does not end at once? Ends them, so that they do not disturb the next run. */
static bool deserted(void)
{
	bool found = false;
	char pid[20];
	FILE *f;

	for (int64_t until = now() + 300; waitpid(-1, NULL, WNOHANG) >= 0; poll(NULL, 0, 5)) {
		found |= now() > until;
		if (found && (f = fopen("/proc/thread-self/children", "r"))) {
			while (fscanf(f, "%19s", pid) == 1)
				kill(atoi(pid), SIGKILL);
			fclose(f);
		}
	}
	return found;
}

/* NULL, or what is wrong with a run in which this failed. */
static const char *wrong_with(const struct story *s, const struct outcome *o, const char *what)
{
	const struct device *d = world.device;
	const char *err = world.err, *wait = strstr(s->arguments, "-w "), *left = left_behind();
	int limit = (wait ? atoi(wait + 3) : 6) * 1000 + 1000, status = o->status;
	bool first = s->status == 77,
	     idle = strstr(s->arguments, "-l") || strstr(s->arguments, "-n"),
	     touched = world.log[0];
	bool bad = strstr(err, " not in mode ") || strstr(world.out, " not in mode "),
	     good = !bad && strstr(err, " in mode ");
	bool there = d->present && d->pid == s->to_pid && d->stored_pid == (int)s->to_pid &&
		     d->running_pid == (int)s->to_pid && d->stored == s->to_comp &&
		     d->running == s->to_comp && (!s->config || d->config == s->config);
	/* what is stored and was not found, and what is said of it */
	bool wrote = times("pid=", 0) || times("comp=", 0),
	     told = bad || (touched && !good && !idle);
	bool pid = d->stored_pid != (int)s->pid, comp = d->stored != s->comp;
	const char *unread = strstr(err, "not read back:"),
		   *stored_is = unread ? NULL : strstr(err, "stored is"),
		   *text = unread ? unread : stored_is;
	bool comp_named = text && (named(text, " composition ", 10, d->stored) ||
				   named(text, " bitmask ", 16, d->stored));
	bool pid_named = text && named(text, " PID ", 16, (unsigned)d->stored_pid);
	const struct {
		bool wrong;
		const char *why;
	} rules[] = {
		{ o->late, "it does not end" },
		{ o->signalled, "it was killed" },
		{ world.took > limit + 500, "it ends late" }, /* this machine may be busy */
		{ strstr(err, "Sanitizer") || strstr(err, "runtime error"), "a sanitizer spoke" },
		{ deserted(), "a process is left behind" },
		{ strstr(err, "ended too early"), "a process died" },
		{ first && status != 77, "process 1 did not go on" },
		{ !first && (status < 0 || status > 3), "there is no such status" },
		{ (status == 0 || (first && good)) && !there && !idle,
		  "it is not in its target mode" },
		{ status == 1 && there && touched, "it is in its target mode" },
		{ status > 1 && !first && touched, "it was touched" },
		{ status == 0   ? !idle && !good
		  : status == 1 ? !bad
		  : first       ? touched && !good && !bad
				: !strstr(err, "swflip: "),
		  "no verdict" },
		{ told && wrote && strstr(err, "nothing was written"),
		  "it says that nothing was written" },
		{ told && (pid || comp) && strstr(err, "what was found is stored"),
		  "it says that what was found is stored" },
		{ told && (pid || comp) && !text, "it does not say what is stored" },
		{ told && !wrote && stored_is, "it says what is stored, and nothing was written" },
		{ text && pid && !pid_named, "the PID stored is not named" },
		{ stored_is && strstr(text, " PID ") && !pid_named, "another PID is named" },
		/* a composition that followed its PID is known only when it was read back */
		{ text && comp && (stored_is || times("comp=", 0)) && !comp_named,
		  "the composition stored is not named" },
		{ stored_is && (strstr(text, " composition ") || strstr(text, " bitmask ")) &&
			  !comp_named,
		  "another composition is named" },
		{ times("pid=%X;", s->to_pid) > 1 || times("pid=%X;", s->pid) > 1,
		  "a PID was written twice" },
		{ times("comp=%X;", s->to_comp) > 1 || times("comp=%X;", s->comp) > 1,
		  "a composition was written twice" },
		{ times("pid=", 0) != times("pid=%X;", s->to_pid) +
					      times("pid=%X;", s->pid) * (s->pid != s->to_pid) ||
			  times("comp=", 0) !=
				  times("comp=%X;", s->to_comp) +
					  times("comp=%X;", s->comp) * (s->comp != s->to_comp),
		  "something else was written" },
		{ times("reset;", 0) > 2, "three resets" },
		{ left, left },
	};

	for (unsigned i = 0; i < LEN(rules); i++)
		if (rules[i].wrong && !excused(rules[i].why, what))
			return rules[i].why;
	return NULL;
}

/* ---- runs ---- */

static struct outcome play_story(const struct story *s)
{
	set_up(s->cmdline ? s->cmdline : "quiet\n", s->faults ? s->faults : "",
	       s->drivers ? s->drivers : "serial");
	world.blind = !fault("netlink");
	world.first_process = fault("pid1");
	if (fault("kmsg"))
		make("", "dev/kmsg");
	if (fault("pid1"))
		run_sh("rm -r proc/self");
	add_device("1-1", s->pid, s->comp);
	if (!strcmp(s->name, "nodes"))
		run_sh("rm dev/ttyUSB*");
	if (fault("exclusive"))
		ioctl(world.device[0].slave[AT_WIRE], TIOCEXCL);
	world.term_at = fault("term") ? 4 : 0;
	return run_swflip(s->arguments);
}

enum { SAMPLES = 3, WORKERS = 8 }; /* they mostly wait */

/* Calls that no story makes fail: what -h and -V say, which needs no world; the root directory, which is opened when the null
 * device cannot be; rmdir() of what process 1 has made, as in here it finds everything. */
enum { NEVER = 4 };

/* Has an earlier story had this? */
static bool known(enum role role, const struct moment *m)
{
	static struct {
		enum role role;
		struct moment moment;
	} all[4000];
	static unsigned n;

	for (unsigned i = 0; i < n; i++)
		if (all[i].role == role && all[i].moment.site == m->site &&
		    !strcmp(all[i].moment.what, m->what))
			return true;
	if (n == LEN(all))
		abort();
	all[n].role = role;
	all[n++].moment = *m;
	return false;
}

/* The first time, one in the middle, the last, each with another error; only one of these where an earlier story had it. Returns
 * how many runs that makes. */
static unsigned make_plan(struct order *plan)
{
	static unsigned turn;
	unsigned runs = 0;

	for (unsigned role = 0; role < ROLES; role++)
		for (unsigned m = 0; m < tape->moments[role]; m++, turn++) {
			const struct moment *moment = &tape->moment[role][m];
			unsigned n = moment->hits, nth[SAMPLES] = { 1, n > 2 ? (n + 1) / 2 : n, n };
			unsigned samples = known(role, moment) ? 1 : n < SAMPLES ? n : SAMPLES;

			for (unsigned i = 0; i < samples; i++)
				plan[runs++] = (struct order){
					role, *moment, nth[samples == 1 ? turn % SAMPLES : i],
					moment->call->errors[(turn / SAMPLES + i) % SAMPLES], false
				};
		}
	return runs;
}

/* Plays every so many runs of the plan, from the first on. Prints a line for each. */
static void play_part(const struct story *s, const struct order *plan, unsigned runs, unsigned from,
		      unsigned every)
{
	tape = map(sizeof *tape);
	prctl(PR_SET_CHILD_SUBREAPER, 1); /* who is left behind is seen here */
	for (unsigned i = from; i < runs; i += every) {
		const struct order *p = &plan[i];
		struct outcome o;
		const char *why;

		memset(tape, 0, sizeof *tape);
		tape->order = *p;
		o = play_story(s);
		why = wrong_with(s, &o, p->moment.what);
		for (char *c = world.err; *c; c++)
			if (*c == '\n')
				*c = '|';
		printf("%c%s: %s in line %lu of process %d, time %u, error %d: status %d, %lld ms, "
		       "log %s, PID %X composition %u; said: %.700s\n",
		       why                 ? '!'
		       : !tape->order.done ? '-'
		       : o.status          ? '1'
					   : '0',
		       why ? why : "fine", p->moment.what, p->moment.site->line, p->role, p->nth,
		       p->error, o.status, (long long)world.took, world.log,
		       (unsigned)world.device->stored_pid, world.device->stored, world.err);
		tear_down();
	}
}

static void tell(const struct story *s)
{
	static struct order plan[ROLES * LEN(tape->moment[0]) * SAMPLES];
	FILE *out[WORKERS];
	struct outcome o;
	char line[2000], log[sizeof world.log];
	const char *why;
	unsigned runs, done = 0, well = 0;

	begin("inject.%s", s->name);
	memset(tape, 0, sizeof *tape);
	o = play_story(s);
	why = wrong_with(s, &o, "");
	strcpy(log, world.log);
	hold(!why && o.status == s->status && (!s->log || !strcmp(log, s->log)),
	     "nothing failed: %s, status %d, log %s; said: %.300s", why ? why : "right", o.status,
	     log, world.err);
	tear_down();
	runs = make_plan(plan);
	for (unsigned w = 0; w < WORKERS; w++) {
		fflush(stdout);
		if (!(out[w] = tmpfile()))
			abort();
		if (fork())
			continue;
		dup2(fileno(out[w]), 1);
		play_part(s, plan, runs, w, WORKERS);
		exit(0);
	}
	for (int status; wait(&status) > 0;)
		hold(!status, "a worker died");
	for (unsigned w = 0; w < WORKERS; w++) {
		for (rewind(out[w]); fgets(line, sizeof line, out[w]);) {
			done += line[0] != '-';
			well += line[0] == '0';
			hold(line[0] != '!', "%.500s", line + 1);
			if (line[0] == '!' || getenv("SHOW"))
				printf("# %s", line);
		}
		fclose(out[w]);
	}
	printf("# inject.%s: %u runs, %u calls failed, %u runs ended with 0\n", s->name, runs, done,
	       well);
	end();
}

int main(void)
{
	size_t sites = (size_t)(__stop_sites - __start_sites);
	unsigned missed = 0;

	signal(SIGPIPE, SIG_IGN);
	tape = map(sizeof *tape);
	reached = map(sites);
	broken = map(sites);
	for (unsigned i = 0; i < LEN(stories); i++)
		if (!getenv("ONLY") || !strcmp(getenv("ONLY"), stories[i].name))
			tell(&stories[i]);
	for (size_t i = 0; i < sites; i++)
		if (!broken[i]) {
			printf("# %s in line %lu never failed%s\n", __start_sites[i].call,
			       __start_sites[i].line, reached[i] ? "" : ", nor was it made");
			missed++;
		}
	expect(getenv("ONLY") || missed <= NEVER, "inject.calls", "%u calls never failed", missed);
	return finish();
}
