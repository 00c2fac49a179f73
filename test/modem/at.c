/* The AT ports: what the modem lists, the commands, and what can be wrong with an answer. */
#define _GNU_SOURCE
#include "inside.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const struct bit bits[] = {
	{ 0x1, "dm", "diag" },      { 0x4, "nmea", "nmea" },       { 0x8, "at", "modem" },
	{ 0x100, "qmi", "rmnet0" }, { 0x400, "rmnet2", "rmnet1" }, { 0x800, "rmnet3", "rmnet2" },
	{ 0x1000, "mbim", "mbim" }, { 0x4000, "rndis", "rndis" },  { 0x80000, "ecm", "ecm" },
};
const size_t nbits = LEN(bits);

/* AT: answers */

static const char *eol(void)
{
	static const struct {
		const char *name, *is;
	} kinds[] = { { "lf", "\n" }, { "cr", "\r" }, { "crcrlf", "\r\r\n" } };

	for (size_t i = 0; i < LEN(kinds); i++)
		if (is("eol", kinds[i].name))
			return kinds[i].is;
	return "\r\n";
}

/* To the host, in one transfer or as a trickle. */
static void sendbytes(struct itf *t, const char *s, size_t len)
{
	const char *trickle = value("trickle"), *pause = trickle ? strchr(trickle, ':') : NULL;
	size_t piece = trickle ? strtoul(trickle, NULL, 10) : len;
	long gap = pause ? strtol(pause + 1, NULL, 10) * (long)m->scale / 100 : 0;
	long long due = now() + ms("slow");

	for (size_t n; len; s += n, len -= n, due += gap) {
		n = piece && piece < len ? piece : len;
		if (value("zlp"))
			enqueue(&t->in.head, NULL, 0, due);
		enqueue(&t->in.head, s, n, due);
	}
}

struct text {
	char s[20000];
	size_t n;
	const char *eol;
};

static void addtext(struct text *x, const char *s, size_t n)
{
	if (n > sizeof x->s - x->n)
		n = sizeof x->s - x->n;
	memcpy(x->s + x->n, s, n);
	x->n += n;
}

static void addrow(struct text *x, const char *s, size_t n)
{
	size_t cut = number("cut", 10);

	addtext(x, s, cut && n > cut ? cut : n);
	addtext(x, x->eol, strlen(x->eol));
}

/* The echo, the lines of info, the result: as the modem file wants them. */
static void answer(struct itf *t, const char *cmd, const char *info, const char *result)
{
	static struct text x;
	size_t rows = 0, row = 0, from;

	x.n = 0;
	x.eol = value("flat") ? " " : eol();
	if (value("garbage"))
		addtext(&x, "\0\0\033[0m\377\016", 8);
	addtext(&x, t->echo, strlen(t->echo));
	*t->echo = 0;
	from = x.n;
	addrow(&x, "", 0);
	if (value("stray")) {
		addrow(&x, "OK", 2);
		addrow(&x, "", 0);
	}
	if (rule("flood", cmd)) {
		static char flood[FLOOD];

		for (size_t i = 0; i < sizeof flood; i++)
			flood[i] = (char)(i % 64 == 62 ? '\r' : i % 64 == 63 ? '\n' : '#');
		sendbytes(t, flood, sizeof flood);
	}
	for (const char *s = info; s && *s; s++)
		rows += *s == '\n' || !s[1];
	for (const char *s = info; s && *s; row++) {
		size_t n = strcspn(s, "\n");

		if (value("noise") && row == rows / 2)
			addrow(&x, value("noise"), strlen(value("noise")));
		addrow(&x, s, n);
		s += n + !!s[n];
	}
	if (!rule("nofinal", cmd) && *result) {
		if (info && *info)
			addrow(&x, "", 0);
		addrow(&x, result, strlen(result));
	}
	if (value("second") && *result) {
		addrow(&x, "", 0);
		addrow(&x, "OK", 2);
	}
	say("answer %u %s", t->num, visible(x.s + from, x.n - from, 60));
	sendbytes(t, x.s, x.n);
}

/* A text whose \r, \n and \xHH are meant. */
static void rawanswer(struct itf *t, const char *s)
{
	char out[4096];
	size_t n = 0;
	unsigned c;

	for (; *s && strcmp(s, "\n") && n < sizeof out; s++) {
		if (*s == '\\' && (s[1] == 'r' || s[1] == 'n'))
			out[n++] = *++s == 'r' ? '\r' : '\n';
		else if (*s == '\\' && s[1] == 'x' && sscanf(s + 2, "%2x", &c) == 1)
			out[n++] = (char)c, s += 3;
		else
			out[n++] = *s;
	}
	say("answer %u %s", t->num, visible(out, n, 60));
	sendbytes(t, out, n);
}

/* AT: what the modem lists */

/* The =? text of the PID that counts. */
static const char *listtext(void)
{
	char pid[8];

	snprintf(pid, sizeof pid, "%04X", (find(NULL, "list-lag") ? m->running : m->stored).pid);
	for (const struct line *l = find(NULL, "list"); l; l = find(l, "list"))
		if (*l->value == '*' || hasword(l->value, pid))
			return textof(l);
	return "";
}

/* Is composition n a supported row of the table? */
bool comprow(unsigned n)
{
	for (const char *s = listtext(); *s; s += strspn(s, "\n")) {
		size_t len = strcspn(s, "\n");
		char *end;
		unsigned long i = strtoul(s, &end, 10);

		if (end != s && i == n)
			return memmem(s, len, "SUPPORTED", 9) &&
			       !memmem(s, len, "NOT SUPPORTED", 13);
		s += len;
	}
	return false;
}

/* The bits, or the types, that the help text offers. */
static unsigned helpbits(bool types)
{
	unsigned found = 0;

	for (const char *s = listtext(); *s; s += strspn(s, "\n")) {
		size_t len = strcspn(s, "\n");
		char row[512];

		snprintf(row, sizeof row, "%.*s", (int)len, s);
		s += len;
		if (types && strstr(row, "<Config Type>") && strchr(row, ':')) {
			for (const char *p = row; (p = strchr(p, ':')); p++)
				found |= 1u << (p[-1] - '0');
		} else if (!types && strstr(row, "- 0x")) {
			found |= (unsigned)strtoul(strstr(row, "- 0x") + 2, NULL, 16);
		}
	}
	return found;
}

/* One PID begins each row; in a pair it is the application's. */
static bool listedpid(unsigned pid, unsigned *boot)
{
	for (const char *s = textof(find(NULL, "pids")); *s; s += strcspn(s, "\n"), s += !!*s) {
		char *end;

		if (strtoul(s, &end, 16) != pid || end - s != 4)
			continue;
		if (*end == ',')
			*boot = (unsigned)strtoul(end + 1, NULL, 16);
		return true;
	}
	return false;
}

/* May a value that the modem does not list be written? Real firmware takes any PID. */
bool accepts(const char *name, unsigned val, bool listed)
{
	if (listed)
		return true;
	if (!find(NULL, "strict") && hasword(value("accept"), name)) {
		say("unlisted %s %X", name, val);
		return true;
	}
	say("refuse %s %X unlisted", name, val);
	return false;
}

/* AT: the commands. ask and list give text or NULL (ERROR); set gives NULL or why not. */

static const char *format(const char *fmt, ...)
{
	static char s[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s, sizeof s, fmt, ap);
	va_end(ap);
	return s;
}

static const char *askpid(void)
{
	const char *name = is("dialect", "mask") ? "!USBPID" : "!UDPID";

	if (find(NULL, "pairs"))
		return format("%s:\nAPP : %04X\nBOOT: %04X", name, m->stored.pid,
			      m->stored.bootpid);
	return format("%s: %04X", name, m->stored.pid);
}

static const char *listpids(void)
{
	const struct line *l = find(NULL, "pids");

	return l ? textof(l) : NULL;
}

/* What else moves when the PID is written. */
static void followpid(unsigned was)
{
	char pid[8];

	snprintf(pid, sizeof pid, "%04X", m->stored.pid);
	if (m->stored.pid == was || find(NULL, "nofollow") || !is("dialect", "index"))
		return;
	for (const struct line *l = find(NULL, "follow"); l; l = find(l, "follow")) {
		unsigned comp;

		if (strncasecmp(l->value, pid, 4) || sscanf(l->value + 4, "%u", &comp) != 1)
			continue;
		m->stored.comp = comp;
		say("follow comp %u", comp);
		nvsave();
		return;
	}
}

static const char *setpid(const char *arg)
{
	char *end;
	unsigned pid = (unsigned)strtoul(arg, &end, 16), boot = (pid - 1) & 0xffff,
		 was = m->stored.pid;
	const char *why;

	if (end - arg != 4 || (*end && *end != ','))
		return "syntax";
	if (!accepts("pid", pid, listedpid(pid, &boot)))
		return "unlisted";
	if (*end)
		boot = (unsigned)strtoul(end + 1, NULL, 16);
	if ((why = store("pid", pid)))
		return why;
	if (find(NULL, "pairs"))
		m->stored.bootpid = boot;
	followpid(was);
	return NULL;
}

static const char *askcomp(void)
{
	return format("!UDUSBCOMP: %u", m->stored.comp);
}

static const char *listcomps(void)
{
	const char *s = listtext();

	return *s ? s : NULL;
}

static const char *setcomp(const char *arg)
{
	char *end;
	unsigned comp = (unsigned)strtoul(arg, &end, 10);

	if (end == arg || *end)
		return "syntax";
	if (!accepts("comp", comp, comprow(comp)))
		return "unlisted";
	return store("comp", comp);
}

static const char *askmask(void)
{
	char names[128] = "", pick[8];
	const char *type = "Generic";

	snprintf(pick, sizeof pick, "%u ", m->stored.type);
	for (const struct line *l = find(NULL, "typename"); l; l = find(l, "typename"))
		if (!strncmp(l->value, pick, strlen(pick))) {
			type = l->value + strlen(pick);
			break;
		}
	for (size_t i = 0; i < nbits; i++)
		if (m->stored.mask & bits[i].bit)
			snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s",
				 *names ? "," : "", bits[i].name);
	return format("Config Index: 1\nConfig Type:  %u (%s)\nInterface bitmask: %08X (%s)",
		      m->stored.type, type, m->stored.mask, names);
}

static const char *setmask(const char *arg)
{
	unsigned index, type, mask;
	const char *why;
	int n = 0;

	if (sscanf(arg, "%u,%u,%x%n", &index, &type, &mask, &n) != 3 || arg[n] || index != 1)
		return "syntax";
	if (!accepts("type", type, type < 32 && (helpbits(true) >> type & 1)) ||
	    !accepts("mask", mask, !(mask & ~helpbits(false))))
		return "unlisted";
	if (type != m->stored.type && (why = store("type", type)))
		return why;
	why = store("mask", mask);
	if (!why && find(NULL, "mask-types"))
		m->stored.type = number("mask-types", 10);
	return why;
}

static const char *askvid(void)
{
	return format("!USBVID: %04X", m->stored.vid);
}

static const char *askinfo(void)
{
	return format(
		"Vendor ID: %04X\nProduct ID: APP %04X, BOOT %04X\nManufacturer: %s\nProduct: %s",
		m->stored.vid, m->stored.pid, m->stored.bootpid, value("manufacturer"),
		value("product"));
}

static const struct command {
	const char *name, *dialect;
	const char *(*ask)(void), *(*list)(void), *(*set)(const char *);
} commands[] = {
	{ "!UDPID", "index", askpid, listpids, setpid },
	{ "!UDUSBCOMP", "index", askcomp, listcomps, setcomp },
	{ "!USBPID", "mask", askpid, listpids, setpid },
	{ "!USBCOMP", "mask", askmask, listcomps, setmask },
	{ "!USBVID", "mask", askvid, NULL, NULL },
	{ "!USBINFO", "mask", askinfo, NULL, NULL },
};

static void doreset(struct itf *t, const char *cmd)
{
	const char *how = ruled("reset");

	if (!strcmp(how, "error")) {
		say("refuse reset error");
		answer(t, cmd, NULL, "ERROR");
		return;
	}
	if (strcmp(how, "silent"))
		answer(t, cmd, NULL, "OK");
	if (strcmp(how, "ignored"))
		reset("at");
	else
		say("ignored reset");
}

static bool locked(bool write)
{
	const char *what = value("locked");

	return !m->unlocked && (!strcmp(what, "both") || !strcmp(what, write ? "writes" : "reads"));
}

/* One of the table's: NAME?, NAME=?, NAME=VALUE. */
static void doset(struct itf *t, const char *cmd, const struct command *c, const char *tail)
{
	const char *info = NULL, *why = NULL;
	bool ask = !strcmp(tail, "?"), list = !strcmp(tail, "=?"), set = !ask && !list;

	if (locked(set)) {
		if (set)
			say("refuse %s locked", c->name);
		answer(t, cmd, NULL, "ERROR");
	} else if (set) {
		why = *tail == '=' && c->set ? c->set(tail + 1) : "syntax";
		if (why)
			say("refuse %s %s", c->name, why);
		answer(t, cmd, NULL, why ? "ERROR" : "OK");
	} else {
		info = ask ? c->ask() : c->list ? c->list() : NULL;
		answer(t, cmd, info, info ? "OK" : "ERROR");
	}
}

static void docommand(struct itf *t, const char *line, const char *port)
{
	const char *cmd = line + 2;

	if (!strncasecmp(cmd, "!ENTERCND=", 10)) {
		const char *code = cmd + 10;
		size_t n = strlen(value("unlock"));
		bool ok = *code == '"' && !strncmp(code + 1, value("unlock"), n) &&
			  !strcmp(code + 1 + n, "\"");

		say("unlock %s", ok ? "ok" : "refused");
		m->unlocked = ok;
		answer(t, line, NULL, ok ? "OK" : "ERROR");
	} else if (!strcmp(port, "error")) {
		answer(t, line, NULL, "ERROR");
	} else if (!*cmd || !strcasecmp(cmd, "E0") || !strcasecmp(cmd, "E1")) {
		if (*cmd)
			t->echoes = cmd[1] == '1';
		answer(t, line, NULL, "OK");
	} else if (!strcasecmp(cmd, "I") || !strcasecmp(cmd, "I0")) {
		answer(t, line, textof(find(NULL, "ati")), "OK");
	} else if (!strcasecmp(cmd, "!RESET") || !strcasecmp(cmd, "+CFUN=1,1")) {
		doreset(t, line);
	} else {
		for (const struct command *c = commands; c < commands + LEN(commands); c++)
			if (!strncasecmp(cmd, c->name, strlen(c->name)) &&
			    is("dialect", c->dialect) && strchr("?=", cmd[strlen(c->name)])) {
				doset(t, line, c, cmd + strlen(c->name));
				return;
			}
		answer(t, line, NULL, "ERROR");
	}
}

static const char *portkind(unsigned num)
{
	for (const struct line *l = find(NULL, "port"); l; l = find(l, "port")) {
		char *end;

		if (strtoul(l->value, &end, 10) == num && *end == ':')
			return end + 1;
	}
	return "full";
}

/* The fault rules of one command; true if it is done with. */
static bool spoilt(struct itf *t, const char *line)
{
	const struct line *l;
	const char *text;
	char key[8];

	snprintf(key, sizeof key, "%u", t->num);
	if (rule("stall", key)) {
		say("stall %u", t->num);
		t->in.halted = true;
		return true;
	}
	if (rule("silent", line)) {
		sendbytes(t, t->echo, strlen(t->echo));
		*t->echo = 0;
		return true;
	}
	if ((l = rule("raw", line))) {
		*t->echo = 0;
		rawanswer(t, textof(l));
		return true;
	}
	if ((l = rule("answer", line))) {
		text = textof(l);
		answer(t, line, text, "OK");
		return true;
	}
	if (line[2] == '!' && early("busy")) {
		answer(t, line, NULL, value("busy-says") ? value("busy-says") : "ERROR");
		return true;
	}
	if (rule("cme", line)) {
		answer(t, line, NULL, "+CME ERROR: operation not allowed");
		return true;
	}
	if (rule("error", line)) {
		answer(t, line, NULL, "ERROR");
		return true;
	}
	return false;
}

static void doline(struct itf *t)
{
	char *s = t->line;
	const char *port = portkind(t->num);
	bool at;

	t->line[t->nline] = 0;
	while (isspace((unsigned char)*s))
		s++;
	t->nline = 0;
	if (!*s)
		return;
	say("at %u %s", t->num, visible(s, strlen(s), 200));
	if (!step() || early("deaf") || !strcmp(port, "silent") ||
	    (find(NULL, "at-dtr") && !t->dtr && !m->lone))
		return;
	*t->echo = 0;
	if (t->echoes)
		snprintf(t->echo, sizeof t->echo, is("echo", "double") ? "%s\r%s%s\r" : "%s\r", s,
			 eol(), s);
	at = !strncasecmp(s, "AT", 2);
	if (!at || (!strcmp(port, "password") && strncasecmp(s, "AT!ENTERCND=", 12))) {
		sendbytes(t, t->echo, strlen(t->echo));
		*t->echo = 0;
	} else if (!spoilt(t, s)) {
		docommand(t, s, port);
	}
}

void atbytes(struct itf *t, const unsigned char *p, size_t n)
{
	for (; n--; p++) {
		if (*p == '\r')
			doline(t);
		else if (t->nline < sizeof t->line - 1)
			t->line[t->nline++] = (char)*p;
	}
}
