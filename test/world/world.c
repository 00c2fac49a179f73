/* The machine that a test makes: what it has, what goes wrong with it, a run of swflip in it. */
#define _GNU_SOURCE
#include "inside.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "calls.h"

int swflip_program(int argc, char **argv); /* swflip.c's main(): test/world/build renames it */

/* ---- faults ---- */

const char *fault_value(const char *word, unsigned nth)
{
	static char value[4][200];
	static unsigned turn;
	size_t n = strlen(word);

	for (const char *p = world.faults; p && (p = strstr(p, word)); p += n) {
		char *v = value[turn % LEN(value)];

		if ((p != world.faults && p[-1] != ' ') || (p[n] && p[n] != ' ' && p[n] != '='))
			continue;
		if (nth--)
			continue;
		turn++;
		snprintf(v, sizeof value[0], "%.*s", p[n] == '=' ? (int)strcspn(p + n + 1, " ") : 0,
			 p + n + 1);
		return v;
	}
	return NULL;
}

bool fault(const char *word)
{
	return fault_value(word, 0);
}

/* ---- what the machine has ---- */

static void make_node(const char *path, unsigned major, unsigned minor)
{
	struct node *n = files_make(path, CHARACTER, NULL);

	if (!n)
		return;
	n->major = major;
	n->minor = minor;
}

static void make_drivers(void)
{
	static const struct {
		const char *driver, *serial;
	} all[] = { { "sierra", "sierra" },  { "qcserial", "qcserial" }, { "option", "option1" },
		    { "usb-storage", NULL }, { "qmi_wwan", NULL },       { "cdc_mbim", NULL },
		    { "cdc_ether", NULL },   { "sierra_net", NULL } };
	char path[100];

	for (unsigned i = 0; i < LEN(all); i++) {
		if (!has_driver(all[i].driver))
			continue;
		snprintf(path, sizeof path, "/sys/bus/usb/drivers/%s/module", all[i].driver);
		files_make(path, LINK, "../../../../module");
		if (!all[i].serial)
			continue;
		snprintf(path, sizeof path, "/sys/bus/usb-serial/drivers/%s", all[i].serial);
		files_make(path, DIRECTORY, NULL);
	}
	if (has_driver("qmi_wwan") || has_driver("cdc_mbim"))
		files_make("/sys/bus/usb/drivers/cdc_wdm", DIRECTORY, NULL);
	if (has_driver("usb-storage"))
		files_make("/sys/module/usb_storage/parameters/swi_tru_install", TEXT, "1\n");
}

/* Other processes, and the files that they have open, as /proc shows them. */
static void make_users(void)
{
	const char *file;
	char path[60];

	files_make("/proc/1/fd/0", LINK, "/dev/null");
	for (unsigned i = 0; (file = fault_value("user", i)); i++) {
		snprintf(path, sizeof path, "/proc/%u/fd/7", 600 + i);
		files_make(path, LINK, file);
		snprintf(path, sizeof path, "/proc/%u/comm", 600 + i);
		files_make(path, TEXT, "ModemManager\n");
	}
}

static void make_proc(const char *cmdline, int pid)
{
	char path[60], number[12];

	snprintf(number, sizeof number, "%d", pid);
	files_make("/proc/cmdline", TEXT, cmdline);
	files_make("/proc/self", LINK, number);
	snprintf(path, sizeof path, "/proc/%d/exe", pid);
	files_make(path, LINK, "/sbin/swflip");
	snprintf(path, sizeof path, "/proc/%d/ns/pid", pid);
	files_make(path, TEXT, "");
	if (files_find(path, true))
		files_find(path, true)->ino = fault("container") ? 4026532841 : 0xeffffffc;
	files_make("/sbin/swflip", TEXT, "");
	files_make("/proc/mounts", TEXT, "");
}

static void hide(const char *path)
{
	struct node *n = files_find(path, true);

	if (n)
		n->hidden = true;
}

void world_new(const char *drivers, const char *faults, const char *cmdline)
{
	static char kept[2][2000];

	world_end();
	memset(&world.outcome, 0, sizeof world.outcome);
	snprintf(kept[0], sizeof kept[0], "%s", drivers ? drivers : "");
	snprintf(kept[1], sizeof kept[1], "%s", faults ? faults : "");
	world.drivers = kept[0];
	world.faults = kept[1];
	world.clock = 5000000;
	world.started = world.clock;
	world.lock = NULL;
	process_reset();
	files_reset();
	kernel_memory_reset();
	files_make("/sys/bus", DIRECTORY, NULL);
	files_make("/sys/class", DIRECTORY, NULL);
	files_make("/sys/bus/usb/devices", DIRECTORY, NULL);
	files_make("/dev", DIRECTORY, NULL);
	files_make("/run", DIRECTORY, NULL);
	files_make("/tmp", DIRECTORY, NULL);
	make_node("/dev/null", 1, 3);
	make_node("/dev/kmsg", 1, 11);
	make_node("/dev/console", 5, 1);
	if (!fault("nousb")) {
		usb_machine();
		make_drivers();
	}
	make_proc(cmdline ? cmdline : "quiet\n", 100);
	make_users();
}

void world_end(void)
{
	usb_reset();
	lines_reset();
}

struct modem *world_modem(struct device *d)
{
	return d->modem;
}

const char *world_log(const struct device *d)
{
	return d->log ? d->log : "";
}

void world_clear(struct device *d)
{
	d->nlog = 0;
	if (d->log)
		d->log[0] = '\0';
}

/* The lines of the log that change a modem, in a word each. */
const char *world_story(const struct device *d)
{
	static const struct {
		const char *line, *word;
	} words[] = { { "write pid ", "pid=" },     { "write comp ", "comp=" },
		      { "write mask ", "mask=" },   { "write type ", "type=" },
		      { "reset ", "reset" },        { "ignored reset", "reset" },
		      { "swoc-mode ", "swoc=" },    { "config ", "config=" },
		      { "unlock refused", "code" }, { "port-reset", "port" } };
	static char story[2000];
	size_t n = 0;
	bool chosen = false; /* the kernel has chosen a configuration */

	story[0] = '\0';
	for (const char *p = world_log(d); *p; p += strcspn(p, "\n") + 1) {
		chosen &= strncmp(p, "plug ", 5) != 0;
		for (size_t i = 0; i < LEN(words) && n < sizeof story - 40; i++) {
			size_t len = strlen(words[i].line);

			if (strncmp(p, words[i].line, len) != 0)
				continue;
			if (strcmp(words[i].word, "config=") || chosen)
				n += (size_t)snprintf(
					story + n, sizeof story - n, "%s%.*s;", words[i].word,
					strchr(words[i].word, '=') ? (int)strcspn(p + len, " \n")
								   : 0,
					p + len);
		}
		chosen |= !strncmp(p, "config ", 7);
	}
	return story;
}

bool world_present(const struct device *d)
{
	return d->present;
}

unsigned world_config(const struct device *d)
{
	return d->present ? d->config : 0;
}

const char *world_port(const struct device *d)
{
	return d->port;
}

int64_t world_now(void)
{
	return world.clock / 1000;
}

void world_wait(int64_t ms)
{
	int64_t until = world.clock + ms * 1000;

	world.started = world.clock;
	process_idle(until);
	world.clock = until;
}

void world_power(void)
{
	world.started = world.clock;
	for (unsigned i = 0; i < DEVICES && usb_devices[i]; i++)
		modem_replug(usb_devices[i]->modem);
	world_wait(20000);
}

/* ---- signals from outside ---- */

static struct {
	int signal;
	int64_t at; /* us; 0: by the line */
	const char *line;
} events[8];

static int64_t wanted[8]; /* ms after the start */

void world_signal(int signal, int64_t ms, const char *line)
{
	for (unsigned i = 0; i < LEN(events); i++)
		if (!events[i].signal) {
			events[i].signal = signal;
			events[i].line = line;
			wanted[i] = line ? 0 : ms;
			return;
		}
}

void events_tick(void)
{
	for (unsigned i = 0; i < LEN(events); i++)
		if (events[i].signal && events[i].at && events[i].at <= world.clock) {
			struct process *p = process_find(world.first);
			int signal = events[i].signal;

			events[i].signal = 0;
			if (p)
				process_signal(p, signal);
		}
}

int64_t events_due(void)
{
	int64_t next = 0;

	for (unsigned i = 0; i < LEN(events); i++)
		if (events[i].signal && events[i].at && (!next || events[i].at < next))
			next = events[i].at;
	return next;
}

void events_line(const char *line)
{
	for (unsigned i = 0; i < LEN(events); i++)
		if (events[i].signal && events[i].line &&
		    !strncmp(line, events[i].line, strlen(events[i].line)))
			events[i].at = world.clock;
}

/* ---- a run ---- */

static long full_write(struct open *o, const void *buf, size_t n)
{
	(void)o;
	(void)buf;
	(void)n;
	return -11; /* EAGAIN */
}

static short full_poll(struct open *o)
{
	(void)o;
	return 0;
}

static long broken_write(struct open *o, const void *buf, size_t n)
{
	(void)o;
	(void)buf;
	(void)n;
	return -32; /* EPIPE */
}

static const struct ops full_ops = { .write = full_write, .poll = full_poll };
static const struct ops broken_ops = { .write = broken_write };

static void standard_file(int fd, const char *name, char *sink, size_t room)
{
	const char *how = fault_value(name, 0);
	struct open *o = calloc(1, sizeof *o);

	if (!o)
		abort();
	if (how && !strcmp(how, "closed")) {
		free(o);
		return;
	}
	o->refs = 1;
	o->flags = (fd ? O_RDWR : O_RDONLY) | (fault("nonblock") ? O_NONBLOCK : 0);
	o->ops = !sink ? &null_ops : &sink_ops;
	o->sink = sink;
	o->room = room;
	if (how && !strcmp(how, "full"))
		o->ops = &full_ops;
	if (how && !strcmp(how, "broken"))
		o->ops = &broken_ops;
	world.self->fd[fd] = o;
}

static void inherit(int pid)
{
	const char *signal;

	process_start(pid);
	standard_file(0, "stdin", NULL, 0);
	standard_file(1, "stdout", world.outcome.out, sizeof world.outcome.out);
	standard_file(2, "stderr", world.outcome.err, sizeof world.outcome.err);
	for (unsigned i = 0; (signal = fault_value("ignore", i)); i++)
		world.self->ignored |= (uint64_t)1 << atoi(signal);
	for (unsigned i = 0; (signal = fault_value("block", i)); i++)
		world.self->blocked |= (uint64_t)1 << atoi(signal);
	world.blocked = world.self->blocked;
	world.ignored = world.self->ignored;
	world.left = NULL;
}

static void prepare(int pid)
{
	memset(&world.outcome, 0, sizeof world.outcome);
	process_reset();
	kernel_memory_reset();
	world.lock = NULL;
	world.busy = 0;
	world.started = world.clock;
	if (pid == 1)
		make_proc(world_text("/proc/cmdline") ? world_text("/proc/cmdline") : "", 1);
	if (fault("unmounted")) {
		hide("/proc");
		hide("/sys");
	}
	for (unsigned i = 0; i < LEN(events); i++)
		events[i].at =
			events[i].signal && !events[i].line ? world.clock + wanted[i] * 1000 : 0;
	if (fault("locked"))
		world.lock = (struct open *)&world; /* somebody's */
}

const struct outcome *world_run(const char *arguments, int pid)
{
	char copy[600], *argv[60] = { (char[]){ "swflip" } };
	int argc = 1, status;

	snprintf(copy, sizeof copy, "%s", arguments);
	for (char *a = strtok(copy, " "); a && argc < 59; a = strtok(NULL, " "))
		argv[argc++] = a;
	prepare(pid);
	inherit(pid);
	status = process_run(swflip_program, argc, argv);
	world.outcome.took = (world.clock - world.started) / 1000;
	world.outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	world.outcome.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	process_reset();
	memset(events, 0, sizeof events);
	return &world.outcome;
}

/* ---- afterwards ---- */

static const char *left_in(const struct device *d)
{
	char path[200];
	const char *power;

	if (!d->present)
		return NULL;
	snprintf(path, sizeof path, "%s/power/control", d->sys);
	power = world_text(path);
	if (power && !strncmp(power, "auto", 4) == fault("awake"))
		return fault("awake") ? "autosuspend is on" : "autosuspend is off";
	for (unsigned i = 0; i < d->ninterfaces; i++)
		if (d->interface[i].held && !fault("held"))
			return "an interface is claimed";
	for (unsigned i = 0; i < d->ninterfaces; i++)
		if (d->interface[i].taken)
			return "an interface without its driver";
	return modem_used(d->modem) ? "a QMI client, or MBIM open" : NULL;
}

const char *world_left_to_next(void)
{
	return world.left;
}

const char *world_left_behind(void)
{
	static const char *const places[] = { "/dev", "/run", "/tmp" };
	const char *left = world.left ? world.left : line_left();

	for (unsigned i = 0; !left && i < DEVICES && usb_devices[i]; i++)
		left = left_in(usb_devices[i]);
	for (unsigned i = 0; !left && i < LEN(places); i++) {
		const struct node *n = files_find(places[i], true);

		for (n = n ? n->child : NULL; n; n = n->next)
			if (!strncmp(n->name, ".swflip", 7))
				left = "a private node";
	}
	if (!left && world.outcome.left)
		left = "a process";
	return left;
}
