/* What a modem lives through: its log, its settings, on and off the bus. */
#define _GNU_SOURCE
#include "inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* messages and the log */

long long now(void)
{
	return m->host->now();
}

void say(const char *fmt, ...)
{
	char s[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s, sizeof s, fmt, ap);
	va_end(ap);
	m->host->say(m, s);
}

/* Control characters in sight, at most max characters of them. */
const char *visible(const char *s, size_t len, size_t max)
{
	static char out[4 * 512 + 1];
	size_t n = 0;

	for (size_t i = 0; i < len && i < max && n < sizeof out - 5; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == '\r' || c == '\n')
			n += (size_t)sprintf(out + n, "\\%c", c == '\r' ? 'r' : 'n');
		else if (c < ' ' || c > '~')
			n += (size_t)sprintf(out + n, "\\x%02x", c);
		else
			out[n++] = (char)c;
	}
	out[n] = 0;
	return out;
}

static void arm(enum timer t, long long ms)
{
	m->due[t] = now() + ms;
}

/* steps: everything that a host does to the modem is counted, and things can happen at each */

static void pulled(const char *why)
{
	say("unplug %s", why);
	m->plugged = false;
	m->hung = true;
	memset(m->due, 0, sizeof m->due);
	m->host->end(m);
}

/* Is it to be answered? */
bool step(void)
{
	unsigned pull = number("pull", 10), hang = number("hang", 10);

	m->steps++;
	say("step %u", m->steps);
	for (const struct line *l = find(NULL, "at"); l; l = find(l, "at")) {
		char *cmd;

		if (strtoul(l->value, &cmd, 10) != m->steps || *cmd != ':')
			continue;
		say("run %s", cmd + 1);
		m->host->run(m, cmd + 1);
	}
	if (pull && m->steps == pull)
		pulled("pull");
	if (hang && m->steps == hang) {
		say("hang");
		m->hung = true;
	}
	return !m->hung;
}

/* stored settings */

static const struct {
	const char *name;
	size_t at;
	int base, digits;
} keys[] = {
	{ "vid", offsetof(struct settings, vid), 16, 4 },
	{ "pid", offsetof(struct settings, pid), 16, 4 },
	{ "bootpid", offsetof(struct settings, bootpid), 16, 4 },
	{ "comp", offsetof(struct settings, comp), 10, 1 },
	{ "type", offsetof(struct settings, type), 10, 1 },
	{ "mask", offsetof(struct settings, mask), 16, 1 },
};

static unsigned *setting(size_t key)
{
	return (unsigned *)&m->stored + keys[key].at / sizeof(unsigned); /* it has nothing else */
}

void nvload(void)
{
	FILE *f = m->nvfile ? fopen(m->nvfile, "re") : NULL;
	char word[16], val[16];

	for (size_t i = 0; i < LEN(keys); i++)
		*setting(i) = number(keys[i].name, keys[i].base);
	while (f && fscanf(f, "%15s %15s", word, val) == 2)
		for (size_t i = 0; i < LEN(keys); i++)
			if (!strcmp(word, keys[i].name))
				*setting(i) = (unsigned)strtoul(val, NULL, keys[i].base);
	if (f)
		fclose(f);
	m->running = m->stored;
}

void nvsave(void)
{
	FILE *f = m->nvfile ? fopen(m->nvfile, "we") : NULL;

	for (size_t i = 0; f && i < LEN(keys); i++)
		fprintf(f, keys[i].base == 16 ? "%s %0*X\n" : "%s %0*u\n", keys[i].name,
			keys[i].digits, *setting(i));
	if (f)
		fclose(f);
}

/* Write one setting, or what the modem makes of it; NULL or the reason why not. */
const char *store(const char *name, unsigned val)
{
	const struct line *l;
	size_t i = 0;
	char more[32] = "";

	while (strcmp(keys[i].name, name))
		i++;
	if (rule("write-error", name))
		return "write-error";
	if (rule("write-lost", name)) {
		say("lost %s", name);
		return NULL;
	}
	if ((l = rule("write-differs", name)))
		val = (unsigned)strtoul(l->hit, NULL, keys[i].base);
	if (!strcmp(name, "mask"))
		snprintf(more, sizeof more, " type %u", m->stored.type);
	say(keys[i].base == 16 ? "write %s %0*X%s" : "write %s %0*u%s", name, keys[i].digits, val,
	    more);
	*setting(i) = val;
	nvsave();
	return NULL;
}

/* leaving the bus */

/* Over to the next life in ms, unless it is under way already. */
void leave(const char *why, long long in)
{
	if (m->due[DROP] && strcmp(m->why, "crash"))
		return;
	m->why = why;
	arm(DROP, in);
}

void reset(const char *who)
{
	say("reset %s", who);
	leave("reset", ms("drop"));
}

/* on and off the bus */

static void plug(void)
{
	static const char *const names[] = { [FULL] = "full", [HIGH] = "high", [SUPER] = "super" };

	m->speed = m->port >= 15 || is("speed", "super") ? SUPER
		   : is("speed", "full")                 ? FULL
							 : HIGH;
	m->nconfig = 0;
	if (m->lone)
		addconfig("at");
	else
		for (const struct line *l = NULL; (l = below(m->mode, l));)
			if (!strcmp(l->word, "config") && m->nconfig < LEN(m->config))
				addconfig(l->value);
	if (!m->host->attach(m)) {
		arm(PLUG, 10); /* the port is not free yet */
		return;
	}
	m->plugged = true;
	say("plug %04x:%04x config %zu %s port %u/%u %s", m->vid, m->pid, m->nconfig,
	    names[m->speed], m->port, m->controller,
	    strcmp(m->mode->word, "mode") ? m->mode->word : value("name"));
}

static void unplug(const char *why)
{
	say("unplug %s", why);
	for (size_t i = 0; i < m->nconfig; i++)
		quiet(&m->config[i]);
	m->host->detach(m);
	m->active = NULL;
	m->plugged = m->enumerated = m->unlocked = m->mbim = false;
	m->opmode = 0;
	memset(m->client, 0, sizeof m->client);
}

static const struct line *modeof(unsigned pid, unsigned key)
{
	char s[8], what[32];
	int n;

	snprintf(s, sizeof s, "%04X", pid);
	for (const struct line *l = find(NULL, "mode"); l; l = find(l, "mode"))
		if (sscanf(l->value, "%31s %n", what, &n) == 1 &&
		    (*what == '*' || hasword(what, s)) && inrange(l->value + n, key))
			return l;
	return find(NULL, "dead");
}

/* A modem that forgets: at each of its starts these settings are the factory's again. */
static void fallback(void)
{
	for (size_t i = 0; i < LEN(keys); i++)
		if (hasword(value("forgets"), keys[i].name))
			*setting(i) = number(keys[i].name, keys[i].base);
}

/* Which device it is when it comes back: one of the file's modes. */
static void become(const char *what)
{
	const char *colon = strchr(what, ':'), *arg = colon ? colon + 1 : "";
	char kind[16];

	snprintf(kind, sizeof kind, "%.*s", (int)strcspn(what, ":"), what);
	fallback();
	m->running = m->stored;
	m->fewer = 0;
	m->boottime = 0;
	if (!strcmp(kind, "tru") || !strcmp(kind, "boot")) {
		m->mode = find(NULL, kind);
		if (sscanf(m->mode->value, "%x:%x", &m->vid, &m->pid) != 2)
			die("bad %s: %s", kind, m->mode->value);
		m->boottime =
			strcmp(kind, "boot") ? 0 : strtol(arg, NULL, 10) * (long)m->scale / 100;
		return;
	}
	m->pid = m->running.pid;
	m->vid = m->running.vid;
	m->mode = !strcmp(kind, "dead") ? find(NULL, "dead")
					: modeof(m->pid, is("dialect", "mask") ? m->running.type
									       : m->running.comp);
	for (const struct line *l = NULL; (l = below(m->mode, l));)
		if (!strcmp(l->word, "vid"))
			m->vid = (unsigned)strtoul(l->value, NULL, 16);
	if (!strcmp(kind, "vid"))
		m->vid = (unsigned)strtoul(arg, NULL, 16);
	else if (!strcmp(kind, "fewer"))
		m->fewer = (unsigned)strtoul(arg, NULL, 10);
	else if (!strcmp(kind, "port") && sscanf(arg, "%u/%u", &m->port, &m->controller) < 1)
		die("bad port: %s", what);
}

static const struct life {
	const char *why, *off, *rule;
} lives[] = {
	{ "reset", "off", "back" },      { "flip", "flipoff", "flipback" },
	{ "power", "replug", NULL },     { "boot", "bootoff", NULL },
	{ "crash", "crash-off", NULL },  { "again", "crash-off", NULL },
	{ "select", "crash-off", NULL },
};

/* Is it TRU-Install storage first? */
static bool truinstall(const char *why)
{
	const char *when = value("truinstall");

	if (m->lone || !strcmp(when, "off"))
		return false;
	if (!strcmp(why, "first"))
		return true;
	if (!strcmp(why, "power"))
		return strcmp(when, "once");
	return !strcmp(why, "reset") && !strcmp(when, "always");
}

static void drop(void)
{
	const struct life *life = lives;
	const struct line *crash = find(NULL, "crash");
	const char *what = "", *times = crash ? strchr(crash->value, ':') : NULL;

	while (strcmp(life->why, m->why))
		life++;
	if (!strcmp(life->why, "crash"))
		say("crash %u", ++m->crashes);
	m->wasreset = !strcmp(life->why, "reset");
	if (m->plugged)
		unplug(life->why);
	if (!strcmp(life->why, "power"))
		say("power-on");
	if (life->rule)
		what = ruled(life->rule);
	if (!strcmp(what, "gone")) {
		say("gone");
		return;
	}
	become(*what && strcmp(what, "modem") ? what : truinstall(life->why) ? "tru" : "modem");
	if (!strcmp(life->why, "crash") && times && m->crashes >= strtoul(times + 1, NULL, 10))
		m->fewer = 1;
	arm(PLUG, ms(life->off));
}

/* Is it still too early after its start for what this word is about? */
bool early(const char *word)
{
	return now() - m->since < ms(word);
}

static void (*const timers[NTIMER])(void) = { [DROP] = drop, [PLUG] = plug };

static void sooner(long long *next, long long due)
{
	if (due && (!*next || due < *next))
		*next = due;
}

/* What is due already waits for the host. */
long long modem_due(struct modem *which)
{
	long long next = 0, t;

	m = which;
	t = now();
	for (size_t i = 0; i < NTIMER; i++)
		sooner(&next, m->due[i]);
	for (size_t i = 0; m->active && i < m->active->nitf; i++) {
		const struct chunk *c = m->active->itf[i].in.head;

		if (c && c->due > t)
			sooner(&next, c->due);
	}
	return next;
}

void modem_tick(struct modem *which)
{
	m = which;
	for (size_t i = 0; i < NTIMER; i++)
		if (m->due[i] && m->due[i] <= now()) {
			m->due[i] = 0;
			timers[i]();
		}
}

struct modem *modem_new(const struct host *host, bool lone, unsigned port, unsigned controller,
			unsigned scale)
{
	m = calloc(1, sizeof *m);
	if (!m)
		die("out of memory");
	m->host = host;
	m->lone = lone;
	m->port = port;
	m->controller = controller;
	m->scale = scale;
	return m;
}

void modem_start(struct modem *which)
{
	m = which;
	nvload();
	say("power-on");
	become(truinstall("first") ? "tru" : "modem");
	plug();
}

void modem_replug(struct modem *which)
{
	m = which;
	m->hung = m->selected = false;
	memset(m->due, 0, sizeof m->due);
	leave("power", 0);
}

unsigned modem_port(const struct modem *which, unsigned *controller)
{
	*controller = which->controller;
	return which->port;
}

enum speed modem_speed(const struct modem *which)
{
	return which->speed;
}

static unsigned pick(const struct settings *from, const char *name)
{
	size_t i = 0;

	while (strcmp(keys[i].name, name))
		i++;
	return ((const unsigned *)from)[keys[i].at / sizeof(unsigned)];
}

unsigned modem_stored(const struct modem *which, const char *setting)
{
	return pick(&which->stored, setting);
}

unsigned modem_running(const struct modem *which, const char *setting)
{
	return pick(&which->running, setting);
}
