/* modem - a simulated Sierra Wireless modem, as well and as badly behaved as real ones
 *
 * usage: modem [-p port] [-c controller] [-s scale] [-l log] [-n nvfile] [-k line]... file
 *        modem -P link ... file
 *
 * A USB/IP device for the kernel's own vhci-hcd: real drivers and real usbfs stand between it and swflip.
 *
 *    swflip <-> usbfs, sierra, cdc_mbim ... <-> usbcore <-> vhci-hcd <-> socketpair <-> this program
 *
 *	-p  port of vhci, 0 to 14 high or full speed, 15 to 29 super speed (0)
 *	-c  controller vhci_hcd.N (0)
 *	-s  per cent of the real times (100)
 *	-l  append the log to this file (standard error)
 *	-n  file that keeps the stored settings while the modem has no power
 *	-k  a line of the modem file that beats the file's: every fault is one of these
 *	-P  no USB: one AT port on a pseudo terminal, with this symbolic link to it
 *
 * TERM pulls the cable and ends; USR1 takes it out and puts it in again. test/modems/330u shows and explains a modem
 * file; all its words:
 *
 * identity   name, manufacturer, product, serial TEXT; ati + lines; bcd HEX; dialect index|mask|none
 * settings   vid, pid, bootpid HEX; comp N; type N; mask HEX    as the factory left them
 * at         unlock CODE; locked writes|reads|both|none; accept [pid] [comp] [type] [mask] (unlisted values are taken);
 *            follow PID COMP (what writing a PID does to the composition); pairs (PIDs come as APP and BOOT);
 *            pids + lines; list PID... + lines (what =? answers while that PID is stored); list-lag (the running PID's);
 *            typename N TEXT; qmi-comps N... (else the supported rows of list)
 * modes      mode PID NUMBERS|*, tru VID:PID, boot VID:PID, dead, and under them
 *                config NAME[#NUMBER][:CC/SS/PP]... (or: config mask), usb N.NN, class CC/SS/PP, product, serial, vid
 *            block NAME NUMBER CC/SS/PP [bulk] [int] [at|qmi|mbim|ecm|net|ms]; extra NAME (one more beside each AT port)
 *            speed high|full|super; bulk BYTES (wMaxPacketSize, whatever the speed)
 * times, ms  drop, off (reset to off the bus, to back); flip, flipoff (the same of SetSwocMode); replug; bootoff;
 *            crash-after, crash-off; deaf (no AT after enumeration); slow (each AT answer)
 * swoc       truinstall off|once|softbypass|always; linuxsku, linuxver HEX; flips N (only the Nth is obeyed);
 *            swoc= ok|stall|silent|vanish|stay; swocinfo= ok|stall|silent|short; flipback= as back
 * resets     reset= ok|ignored|silent|error; crash COMP[:TIMES] (leaves by itself, in the end with one interface);
 *            back= modem|tru|gone|dead|boot[:MS]|vid:XXXX|fewer:N|port:P[/C]
 * writes     write-error= write-lost= SETTING; write-differs= SETTING:VALUE    (pid comp type mask *)
 * steps      pull N; hang N; at N:SHELLCMD    a step: vendor or class request (QMI too), AT line, SET_CONFIGURATION
 * at faults  echo on|off|double; eol crlf|lf|cr|crcrlf; flat; noise TEXT; stray; second; cut COLUMNS; garbage; zlp;
 *            trickle BYTES[:MS]; port IF:full|password|error|silent; answer= raw= CMD + lines;
 *            error= cme= silent= nofinal= flood= CMD; stall= IF; at-dtr (mute without DTR)
 * qmi        dtr; notunnel; qmi-order; qmi-indication; qmi-stranger; qmi-running; qmi-lost; qmi-third N; qmi-count N;
 *            mbim-fragment BYTES; qmi-error= MSGID:CODE; qmi-silent= MSGID; qmi-short= qmi-length= N; qmi-tlv=
 * net        sync stall|ok (sierra_net's); fwattr HEX
 *
 * other      like FILE (of the same folder: what this one does not say); the first line that fits wins
 *
 * A value after `=` may begin with when: `2:` the second time, `2-4:`, `3-:`, `-2:` the first two. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <sys/socket.h>

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define LEN(x) (sizeof(x) / sizeof *(x))

enum {
	MAXLINES = 4096,
	MAXITF = 24,
	MAXMSG = 4096, /* one control transfer, one encapsulated message */
	FLOOD = 1 << 20,
	KEEP = INT_MIN, /* a control request that is never answered */
};

enum speed { FULL = 2, HIGH = 3, SUPER = 5 }; /* as the attach file has them */
enum timer { DROP, PLUG, NTIMER };

struct line {
	const char *word, *value, *text;
	bool in;       /* indented: belongs to the line above */
	unsigned hits; /* times its rule was asked for */
	const char *hit;
};

struct settings { /* what the modem keeps in its flash */
	unsigned vid, pid, bootpid, comp, type, mask;
};

struct chunk { /* one transfer on its way to the host */
	struct chunk *next;
	long long due;
	size_t len, off;
	unsigned char data[];
};

struct ep {
	unsigned char addr, attr, interval;
	unsigned short mps;
	bool halted;
	struct chunk *head;
};

struct urb { /* waits for an answer */
	struct urb *next;
	uint32_t seq;
	unsigned ep; /* address, 0 for control */
	size_t len;
};

struct itf {
	unsigned num, class[3], alt;
	const char *speaks;
	bool bulk, intr;
	struct ep in, out, note;
	bool dtr;
	struct chunk *msg; /* encapsulated answers that the host has not fetched */
	char line[1024];   /* the AT command so far, */
	size_t nline;
	char echo[2200]; /* and its echo, sent with the answer */
	bool echoes;
	unsigned char scsi; /* status of the last SCSI command */
};

struct config {
	struct itf itf[MAXITF];
	size_t nitf, len;
	unsigned char desc[2048];
};

static struct {
	unsigned port, controller, scale, speed;
	const char *link, *nvfile, *file;
	int log, sock; /* sock: to the kernel, or the pty's master */
	int slave;
	struct line line[MAXLINES];
	size_t nline;
	long long start, due[NTIMER];
	struct settings stored, running;

	const struct line *mode; /* what it is now: the head of its part in the file */
	unsigned vid, pid;       /* as on the bus */
	unsigned fewer;          /* interfaces, when not all of them come back */
	long boottime;           /* ms in the boot loader, 0: for ever */
	bool plugged, enumerated;
	long long since; /* enumerated */
	struct config config[2];
	size_t nconfig;
	struct config *active;
	struct urb *urb;

	const char *why; /* of the next DROP */
	unsigned steps, flips, crashes;
	bool hung, unlocked, mbim;
	unsigned opmode;
	unsigned char client[256]; /* service of each QMI client */
	bool tunnel;               /* the QMI message came in MBIM, */
	uint32_t tid;              /* in this transaction */
	unsigned char uuid[16];
	size_t nin;
	unsigned char inbuf[1 << 18];
} m = { .scale = 100, .log = 2, .sock = -1, .slave = -1 };

static volatile sig_atomic_t term, cycle;

/* messages and the log */

static void die(const char *fmt, ...)
{
	va_list ap;

	fputs("modem: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	if (fmt[strlen(fmt) - 1] == ':')
		fprintf(stderr, " %s", strerror(errno));
	fputc('\n', stderr);
	exit(2);
}

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* One line, one write: several modems and a test may share the file, and a crash loses nothing. */
static void say(const char *fmt, ...)
{
	char s[1024];
	long long t = now() - m.start;
	int n = snprintf(s, sizeof s, "%lld.%03d ", t / 1000, (int)(t % 1000));
	va_list ap;

	va_start(ap, fmt);
	n += vsnprintf(s + n, sizeof s - (size_t)n - 1, fmt, ap);
	va_end(ap);
	if (n > (int)sizeof s - 2)
		n = sizeof s - 2;
	s[n++] = '\n';
	if (write(m.log, s, (size_t)n) < 0)
		exit(1);
}

/* Control characters in sight, at most max characters of them. */
static const char *visible(const char *s, size_t len, size_t max)
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
	m.due[t] = now() + ms;
}

/* the modem file: lines of words, -k before the file, the file before what is built in */

static const char builtin[] =
	"name AirCard\nmanufacturer Sierra Wireless, Incorporated\nproduct Sierra modem\nserial "
	"358178040000000\n"
	"bcd 0006\ndialect index\nvid 1199\npid 68a2\nbootpid 9070\ncomp 6\ntype 1\nmask "
	"10d\nunlock A710\nlocked writes\n"
	"accept pid\nfollow 68a2 6\nfollow 68a9 6\nfollow 68a3 3\nfollow 68aa 3\nspeed "
	"high\ntruinstall off\n"
	"drop 500\noff 8000\nflip 2500\nflipoff 370\nreplug 300\nbootoff 100\ncrash-after "
	"5300\ncrash-off 8000\n"
	"echo on\neol crlf\nfwattr 000d\nsync stall\nusb 2.00\nclass 00/00/00\n"
	"ati\n\tManufacturer: Sierra Wireless, Incorporated\n\tModel: Sierra modem\n"
	"block dm    0 ff/ff/ff bulk\n"
	"block hip   1 ff/ff/ff bulk\n"
	"block nmea  2 ff/00/00 bulk int\n"
	"block at    3 ff/00/00 bulk int at\n"
	"block at2   4 ff/00/00 bulk int at\n"
	"block mdm1  4 ff/ff/ff bulk int at\n"
	"block mdm2  5 ff/ff/ff bulk int\n"
	"block mdm3  6 ff/ff/ff bulk int\n"
	"block nic1  7 ff/ff/ff bulk int net\n"
	"block nic2 10 ff/ff/ff bulk int net\n"
	"block nic3 11 ff/ff/ff bulk int net\n"
	"block qmi   8 ff/ff/ff bulk int qmi\n"
	"block rmnet1 8 ff/ff/ff bulk int qmi\n"
	"block rmnet2 10 ff/ff/ff bulk int qmi\n"
	"block rmnet3 11 ff/ff/ff bulk int qmi\n"
	"block ms    9 08/06/50 bulk ms\n"
	"block mbim 12 02/0e/00 bulk int mbim\n"
	"block rndis 14 e0/01/03 bulk int\n"
	"block ecm  19 02/06/00 bulk int ecm\n"
	"block qdl   0 ff/ff/ff bulk\n"
	"tru 1199:0fff\n\tusb 1.10\n\tproduct USB MMC Storage\n\tserial SWOC22905731\n\tconfig ms\n"
	"boot 1199:9070\n\tproduct Sierra boot loader\n\tconfig qdl\n"
	"dead\n\tconfig qdl\n";

static const struct {
	unsigned bit;
	const char *block, *name;
} bits[] = {
	{ 0x1, "dm", "diag" },      { 0x4, "nmea", "nmea" },       { 0x8, "at", "modem" },
	{ 0x100, "qmi", "rmnet0" }, { 0x400, "rmnet2", "rmnet1" }, { 0x800, "rmnet3", "rmnet2" },
	{ 0x1000, "mbim", "mbim" }, { 0x4000, "rndis", "rndis" },  { 0x80000, "ecm", "ecm" },
};

/* QMI's numbers on a modem that has bits instead: what it takes to be one, what is written. */
static const struct {
	unsigned comp, need, mask;
} compbits[] = {
	{ 7, 0x400, 0xd0d },
	{ 6, 0x100, 0x10d },
	{ 8, 0x1008, 0x100d },
	{ 9, 0x1000, 0x1000 },
};

static void addline(const char *s, size_t len)
{
	struct line *l = &m.line[m.nline];
	char *text = strndup(s, len), *word = strndup(s, len);

	if (m.nline == MAXLINES || !text || !word)
		die("too many lines");
	l->in = *text == '\t' || *text == ' ';
	l->text = text + l->in;
	while (*word == '\t' || *word == ' ')
		word++;
	l->word = word;
	word += strcspn(word, " \t=");
	if (*word)
		*word++ = 0;
	l->value = word + strspn(word, " \t");
	m.nline++;
}

static void addlines(const char *s)
{
	for (size_t n; *s; s += n + !!s[n]) {
		n = strcspn(s, "\n");
		if (n && *s != '#')
			addline(s, n);
	}
}

/* A line from -k: `\n` begins an indented one. */
static void addknob(const char *s)
{
	const char *end;

	for (const char *from = s;; from = end + 2) {
		char part[1024];

		end = strstr(from, "\\n");
		snprintf(part, sizeof part, "%s%.*s", from == s ? "" : "\t",
			 end ? (int)(end - from) : (int)strlen(from), from);
		addline(part, strlen(part));
		if (!end)
			break;
	}
}

/* A file, and after it the one of the same folder that it is like. */
static void addfile(const char *name)
{
	static char s[1 << 17];
	char other[PATH_MAX];
	const char *slash = strrchr(name, '/');
	size_t first = m.nline;
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, s, sizeof s - 1);

	if (n < 0)
		die("%s:", name);
	s[n] = 0;
	close(fd);
	addlines(s);
	for (; first < m.nline; first++)
		if (!strcmp(m.line[first].word, "like") && !m.line[first].in) {
			snprintf(other, sizeof other, "%.*s%s", slash ? (int)(slash - name) + 1 : 0,
				 name, m.line[first].value);
			addfile(other);
			return;
		}
}

static struct line *find(const struct line *after, const char *word)
{
	for (struct line *l = after ? &m.line[after - m.line] + 1 : m.line; l < m.line + m.nline;
	     l++)
		if (!l->in && !strcmp(l->word, word))
			return l;
	return NULL;
}

static const char *value(const char *word)
{
	const struct line *l = find(NULL, word);

	return l ? l->value : NULL;
}

static unsigned number(const char *word, int base)
{
	const char *s = value(word);

	return s ? (unsigned)strtoul(s, NULL, base) : 0;
}

static bool is(const char *word, const char *what)
{
	const char *s = value(word);

	return s && !strcmp(s, what);
}

/* The next of the lines that belong to head. */
static const struct line *below(const struct line *head, const struct line *last)
{
	const struct line *l = (last ? last : head) + 1;

	return l < m.line + m.nline && l->in ? l : NULL;
}

/* A word of the present mode, else of the whole file. */
static const char *ofmode(const char *word)
{
	for (const struct line *l = NULL; (l = below(m.mode, l));)
		if (!strcmp(l->word, word))
			return l->value;
	return value(word);
}

static bool hasword(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *s = list; s && *s; s += strspn(s, " ,")) {
		size_t len = strcspn(s, " ,");

		if (len == n && !strncasecmp(s, word, n))
			return true;
		s += len;
	}
	return false;
}

/* Is n in `6,8-12` or `*`? */
static bool inrange(const char *s, unsigned n)
{
	char *end;

	if (*s == '*')
		return true;
	for (; *s; s = *end ? end + 1 : end) {
		unsigned long a = strtoul(s, &end, 0), b = a;

		if (end == s)
			return false;
		if (*end == '-')
			b = strtoul(end + 1, &end, 0);
		if (n >= a && n <= b)
			return true;
	}
	return false;
}

static long ms(const char *word)
{
	return (long)number(word, 10) * (long)m.scale / 100;
}

/* `2:`, `2-4:`, `3-:` or `-2:` at the start of a rule: is this the time? */
static bool itstime(const char **s, unsigned hits)
{
	const char *p = *s;
	char *end;
	unsigned long first = 1, last;

	if (*p != '-' && !isdigit((unsigned char)*p))
		return true;
	if (*p != '-') {
		first = strtoul(p, &end, 10);
		p = end;
	}
	last = first;
	if (*p == '-') {
		last = strtoul(++p, &end, 10);
		if (end == p)
			last = ULONG_MAX;
		p = end;
	}
	if (*p != ':')
		return true;
	*s = p + 1;
	return hits >= first && hits <= last;
}

/* The first rule of this word whose key is this one and whose time has come; its value is what follows the key. */
static struct line *rule(const char *word, const char *key)
{
	struct line *hit = NULL;

	for (struct line *l = find(NULL, word); l; l = find(l, word)) {
		const char *s = l->value;
		bool yes = itstime(&s, l->hits + 1);
		size_t n = key ? strlen(key) : 0, len = strcspn(s, ":");
		bool any = len && s[len - 1] == '*' && len - 1 <= n;

		if (key &&
		    (any ? strncasecmp(s, key, len - 1) : len != n || strncasecmp(s, key, n)))
			continue;
		l->hits++;
		l->hit = key ? s + len + !!s[len] : s;
		if (yes && !hit)
			hit = l;
	}
	return hit;
}

static const char *ruled(const char *word)
{
	const struct line *l = rule(word, NULL);

	return l ? l->hit : "";
}

/* The lines below one as a text; a lone dot is an empty line. */
static const char *textof(const struct line *head)
{
	static char s[16384];
	size_t n = 0;

	*s = 0;
	if (head)
		for (const struct line *l = NULL; (l = below(head, l)) && n < sizeof s - 512;)
			n += (size_t)snprintf(s + n, 512, "%s\n",
					      strcmp(l->text, ".") ? l->text : "");
	return s;
}

/* steps: everything that a host does to the modem is counted, and things can happen at each */

static void pulled(const char *why)
{
	say("unplug %s", why);
	if (m.link)
		unlink(m.link);
	exit(0);
}

/* Is it to be answered? */
static bool step(void)
{
	unsigned pull = number("pull", 10), hang = number("hang", 10);

	m.steps++;
	say("step %u", m.steps);
	for (const struct line *l = find(NULL, "at"); l; l = find(l, "at")) {
		char *cmd;

		if (strtoul(l->value, &cmd, 10) != m.steps || *cmd != ':')
			continue;
		say("run %s", cmd + 1);
		if (!fork()) {
			sigset_t none;

			sigemptyset(&none);
			sigprocmask(SIG_SETMASK, &none, NULL);
			signal(SIGCHLD, SIG_DFL);
			execl("/bin/sh", "sh", "-c", cmd + 1, (char *)NULL);
			_exit(127);
		}
	}
	if (pull && m.steps == pull)
		pulled("pull");
	if (hang && m.steps == hang) {
		say("hang");
		m.hung = true;
	}
	return !m.hung;
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
	return (unsigned *)(void *)((char *)&m.stored + keys[key].at);
}

static void nvload(void)
{
	FILE *f = m.nvfile ? fopen(m.nvfile, "re") : NULL;
	char word[16], val[16];

	for (size_t i = 0; i < LEN(keys); i++)
		*setting(i) = number(keys[i].name, keys[i].base);
	while (f && fscanf(f, "%15s %15s", word, val) == 2)
		for (size_t i = 0; i < LEN(keys); i++)
			if (!strcmp(word, keys[i].name))
				*setting(i) = (unsigned)strtoul(val, NULL, keys[i].base);
	if (f)
		fclose(f);
	m.running = m.stored;
}

static void nvsave(void)
{
	FILE *f = m.nvfile ? fopen(m.nvfile, "we") : NULL;

	for (size_t i = 0; f && i < LEN(keys); i++)
		fprintf(f, keys[i].base == 16 ? "%s %0*X\n" : "%s %0*u\n", keys[i].name,
			keys[i].digits, *setting(i));
	if (f)
		fclose(f);
}

/* Write one setting, or what the modem makes of it; NULL or the reason why not. */
static const char *store(const char *name, unsigned val)
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
		snprintf(more, sizeof more, " type %u", m.stored.type);
	say(keys[i].base == 16 ? "write %s %0*X%s" : "write %s %0*u%s", name, keys[i].digits, val,
	    more);
	*setting(i) = val;
	nvsave();
	return NULL;
}

/* bytes */

static unsigned le16(const unsigned char *p)
{
	return (unsigned)(p[0] | p[1] << 8);
}

static uint32_t le32(const unsigned char *p)
{
	return le16(p) | (uint32_t)le16(p + 2) << 16;
}

static uint32_t be32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

struct msg {
	size_t n;
	unsigned char b[MAXMSG];
};

static void put(struct msg *g, uint32_t v, int bytes)
{
	for (; bytes-- && g->n < sizeof g->b; v >>= 8)
		g->b[g->n++] = (unsigned char)v;
}

static void putbytes(struct msg *g, const void *p, size_t n)
{
	if (n > sizeof g->b - g->n)
		n = sizeof g->b - g->n;
	memcpy(g->b + g->n, p, n);
	g->n += n;
}

/* USB: transfers that wait, and what they wait for */

static void transmit(const void *p, size_t n)
{
	const char *s = p;

	while (n) {
		ssize_t w = send(m.sock, s, n, MSG_NOSIGNAL);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return; /* the reading side will notice */
		s += w;
		n -= (size_t)w;
	}
}

static void reply(uint32_t command, uint32_t seq, int status, size_t actual, const void *data,
		  size_t len)
{
	uint32_t h[12] = { htonl(command),         htonl(seq), 0, 0, 0, htonl((uint32_t)status),
			   htonl((uint32_t)actual) };

	transmit(h, sizeof h);
	transmit(data, len);
}

/* RET_SUBMIT for an IN transfer. */
static void complete(struct urb *u, int status, const void *data, size_t len)
{
	reply(3, u->seq, status, len, data, len);
	for (struct urb **p = &m.urb; *p; p = &(*p)->next)
		if (*p == u) {
			*p = u->next;
			break;
		}
	free(u);
}

static void enqueue(struct chunk **head, const void *data, size_t len, long long due)
{
	struct chunk *c = malloc(sizeof *c + len);

	if (!c)
		die("out of memory");
	*c = (struct chunk){ .due = due, .len = len };
	if (len)
		memcpy(c->data, data, len);
	while (*head)
		head = &(*head)->next;
	*head = c;
}

static void dequeue(struct chunk **head)
{
	struct chunk *c = *head;

	*head = c->next;
	free(c);
}

/* Packets of one chunk into one transfer: a short one ends it, one that does not fit is babble. */
static void fill(struct ep *e, struct urb *u)
{
	struct chunk *c = e->head;
	unsigned char *buf = malloc(u->len + 1);
	size_t n = 0;
	int status = 0;

	if (!buf)
		die("out of memory");
	do {
		size_t packet = c->len - c->off < e->mps ? c->len - c->off : e->mps;
		size_t fits = packet < u->len - n ? packet : u->len - n;

		memcpy(buf + n, c->data + c->off, fits);
		n += fits;
		c->off += packet;
		if (fits < packet)
			status = -EOVERFLOW;
	} while (!status && c->off < c->len && n < u->len);
	if (c->off == c->len)
		dequeue(&e->head);
	complete(u, status, buf, n);
	free(buf);
}

static void pump(struct ep *e)
{
	for (struct urb *u = m.urb, *next; u && !m.hung; u = next) {
		next = u->next;
		if (u->ep != e->addr)
			continue;
		if (e->halted)
			complete(u, -EPIPE, NULL, 0);
		else if (e->head && e->head->due <= now())
			fill(e, u);
	}
}

static void pumppty(struct ep *e)
{
	while (e->head && e->head->due <= now() && !m.hung) {
		struct chunk *c = e->head;
		ssize_t n = write(m.sock, c->data + c->off, c->len - c->off);

		if (n < 0)
			return;
		c->off += (size_t)n;
		if (c->off == c->len)
			dequeue(&e->head);
	}
}

static void pumpall(void)
{
	for (size_t i = 0; m.active && i < m.active->nitf; i++) {
		struct itf *t = &m.active->itf[i];

		if (m.link) {
			pumppty(&t->in);
			continue;
		}
		pump(&t->in);
		pump(&t->note);
	}
}

/* An encapsulated message is stored, the interrupt endpoint says that it is there. */
static void notify(struct itf *t, const void *data, size_t len)
{
	const unsigned char available[8] = { 0xa1, 0x01, 0, 0, (unsigned char)t->num };

	enqueue(&t->msg, data, len, 0);
	enqueue(&t->note.head, available, sizeof available, now());
}

/* descriptors */

static void raw(struct config *c, size_t n, const unsigned char *d)
{
	memcpy(c->desc + c->len, d, n);
	c->len += n;
}

static void endpoint(struct config *c, const struct ep *e)
{
	raw(c, 7,
	    (const unsigned char[]){ 7, 5, e->addr, e->attr, (unsigned char)e->mps,
				     (unsigned char)(e->mps >> 8), e->interval });
	if (m.speed == SUPER) /* its companion */
		raw(c, 6, (const unsigned char[]){ 6, 0x30, 0, 0, e->attr == 3 ? 16 : 0, 0 });
}

static void interface(struct config *c, unsigned num, unsigned alt, unsigned eps,
		      const unsigned *class)
{
	const unsigned char d[9] = { 9,
				     4,
				     (unsigned char)num,
				     (unsigned char)alt,
				     (unsigned char)eps,
				     (unsigned char)class[0],
				     (unsigned char)class[1],
				     (unsigned char)class[2],
				     0 };

	raw(c, sizeof d, d);
}

static bool speaks(const struct itf *t, const char *what)
{
	return !strcmp(t->speaks, what);
}

/* MBIM and ECM: an association, functional descriptors, and a data interface that has endpoints only in its second setting. */
static void cdc(struct config *c, struct itf *t)
{
	const unsigned char n = (unsigned char)t->num, d = (unsigned char)(n + 1);
	const bool mbim = speaks(t, "mbim");
	const unsigned data[3] = { 0x0a, 0, mbim ? 2 : 0 };

	raw(c, 8, (const unsigned char[]){ 8, 11, n, 2, 2, (unsigned char)t->class[1], 0, 0 });
	interface(c, n, 0, 1, t->class);
	raw(c, 5, (const unsigned char[]){ 5, 0x24, 0, 0x10, 0x01 });
	raw(c, 5, (const unsigned char[]){ 5, 0x24, 6, n, d });
	if (mbim)
		raw(c, 12,
		    (const unsigned char[]){ 12, 0x24, 0x1b, 0x00, 0x01, MAXMSG & 0xff, MAXMSG >> 8,
					     32, 192, 0xdc, 0x05, 0x20 });
	else
		raw(c, 13,
		    (const unsigned char[]){ 13, 0x24, 0x0f, 5, 0, 0, 0, 0, 0xea, 0x05, 0, 0, 0 });
	endpoint(c, &t->note);
	interface(c, d, 0, 0, data);
	interface(c, d, 1, 2, data);
	endpoint(c, &t->out);
	endpoint(c, &t->in);
}

static bool two(const struct itf *t)
{
	return speaks(t, "mbim") || speaks(t, "ecm");
}

/* One word of a config line: a block, perhaps with another number and class. */
static void addblock(struct config *c, const char *word)
{
	struct itf t = { .speaks = "" };
	char name[32];
	const char *num = strchr(word, '#'), *class = strchr(word, ':');

	snprintf(name, sizeof name, "%.*s", (int)strcspn(word, "#:"), word);
	for (const struct line *l = find(NULL, "block"); l; l = find(l, "block")) {
		char what[16] = "", p1[8] = "", p2[8] = "", p3[8] = "";

		if (sscanf(l->value, "%15s %u %x/%x/%x %7s %7s %7s", what, &t.num, &t.class[0],
			   &t.class[1], &t.class[2], p1, p2, p3) < 5)
			die("bad block: %s", l->value);
		if (strcmp(what, name))
			continue;
		t.bulk = strstr(l->value, " bulk");
		t.intr = strstr(l->value, " int");
		for (const char *const *s =
			     (const char *const[]){ "at", "qmi", "mbim", "ecm", "net", "ms", NULL };
		     *s; s++)
			if (!strcmp(p1, *s) || !strcmp(p2, *s) || !strcmp(p3, *s))
				t.speaks = *s;
		if (num)
			t.num = (unsigned)strtoul(num + 1, NULL, 10);
		if (class &&
		    sscanf(class + 1, "%x/%x/%x", &t.class[0], &t.class[1], &t.class[2]) != 3)
			die("bad class: %s", word);
		t.echoes = !is("echo", "off");
		if (c->nitf < MAXITF)
			c->itf[c->nitf++] = t;
		return;
	}
	die("no such block: %s", name);
}

static int bynumber(const void *a, const void *b)
{
	const struct itf *x = a, *y = b;

	return x->num < y->num ? -1 : x->num > y->num;
}

static void addblocks(struct config *c, const char *words)
{
	char word[64];
	bool at = false;

	for (int n = 0; sscanf(words, "%63s%n", word, &n) == 1; words += n) {
		if (!strcmp(word, "mask")) {
			for (size_t i = 0; i < LEN(bits); i++)
				if (m.running.mask & bits[i].bit)
					addblock(c, bits[i].block);
		} else {
			addblock(c, word);
		}
	}
	for (size_t i = 0; i < c->nitf; i++)
		at |= speaks(&c->itf[i], "at");
	if (at && value("extra"))
		addblock(c, value("extra"));
	qsort(c->itf, c->nitf, sizeof *c->itf, bynumber);
	if (m.fewer && m.fewer < c->nitf)
		c->nitf = m.fewer;
}

static void addconfig(const char *words)
{
	static const unsigned sizes[] = { [FULL] = 64, [HIGH] = 512, [SUPER] = 1024 };
	struct config *c = &m.config[m.nconfig++];
	unsigned in = 0, out = 0, bulk = number("bulk", 10), n = 0;
	unsigned char *d = c->desc;

	*c = (struct config){ .len = 9 };
	addblocks(c, words);
	for (size_t i = 0; i < c->nitf; i++) {
		struct itf *t = &c->itf[i];
		unsigned short mps = (unsigned short)(bulk ? bulk : sizes[m.speed]);

		n += two(t) ? 2 : 1;
		if (t->intr)
			t->note = (struct ep){ .addr = (unsigned char)(0x80 | ++in),
					       .attr = 3,
					       .mps = 64,
					       .interval = m.speed == FULL ? 2 : 5 };
		if (t->bulk) {
			t->out = (struct ep){ .addr = (unsigned char)++out, .attr = 2, .mps = mps };
			t->in = (struct ep){ .addr = (unsigned char)(0x80 | ++in),
					     .attr = 2,
					     .mps = mps };
		}
		if (two(t)) {
			cdc(c, t);
		} else {
			interface(c, t->num, 0, (t->bulk ? 2u : 0u) + t->intr, t->class);
			if (t->intr)
				endpoint(c, &t->note);
			if (t->bulk) {
				endpoint(c, &t->out);
				endpoint(c, &t->in);
			}
		}
		if (t->in.mps >
		    sizes[m.speed]) /* what the wire carries, whatever the descriptor says */
			t->in.mps = (unsigned short)sizes[m.speed];
	}
	memcpy(d,
	       (const unsigned char[]){ 9, 2, (unsigned char)c->len, (unsigned char)(c->len >> 8),
					(unsigned char)n, (unsigned char)m.nconfig, 1, 0xe0, 0 },
	       9);
}

static size_t devicedesc(unsigned char *d)
{
	unsigned usb[2] = { 2, 0 }, class[3] = { 0 }, bcd = number("bcd", 16);

	sscanf(ofmode("usb"), "%x.%x", &usb[0], &usb[1]);
	sscanf(ofmode("class"), "%x/%x/%x", &class[0], &class[1], &class[2]);
	if (m.speed == SUPER)
		usb[0] = 3, usb[1] = 0;
	memcpy(d,
	       (const unsigned char[]){
		       18, 1, (unsigned char)usb[1], (unsigned char)usb[0], (unsigned char)class[0],
		       (unsigned char)class[1], (unsigned char)class[2], m.speed == SUPER ? 9 : 64,
		       (unsigned char)m.vid, (unsigned char)(m.vid >> 8), (unsigned char)m.pid,
		       (unsigned char)(m.pid >> 8), (unsigned char)bcd, (unsigned char)(bcd >> 8),
		       3, 2, 4, (unsigned char)m.nconfig },
	       18);
	return 18;
}

static size_t stringdesc(unsigned char *d, unsigned index)
{
	const char *s[] = { NULL,
			    "Sierra Configuration",
			    ofmode("product"),
			    ofmode("manufacturer"),
			    ofmode("serial"),
			    "02a0c6000001" };
	size_t n = 2;

	if (!index) {
		memcpy(d, (const unsigned char[]){ 4, 3, 9, 4 }, 4);
		return 4;
	}
	if (index >= LEN(s))
		return 0;
	for (const char *p = s[index]; *p && n < 126; p++) {
		d[n++] = (unsigned char)*p;
		d[n++] = 0;
	}
	d[0] = (unsigned char)n;
	d[1] = 3;
	return n;
}

static size_t bosdesc(unsigned char *d)
{
	static const unsigned char bos[] = {
		5,  15, 22, 0, 2,    7, 16, 2,  0x02, 0, 0, 0, /* USB 2.0 extension: LPM */
		10, 16, 3,  0, 0x0e, 0, 1,  10, 0xff, 7
	}; /* super speed: full, high and super work */

	memcpy(d, bos, sizeof bos);
	return sizeof bos;
}

/* leaving the bus */

/* Over to the next life in ms, unless it is under way already. */
static void leave(const char *why, long long in)
{
	if (m.due[DROP] && strcmp(m.why, "crash"))
		return;
	m.why = why;
	arm(DROP, in);
}

static void reset(const char *who)
{
	say("reset %s", who);
	leave("reset", ms("drop"));
}

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
	long gap = pause ? strtol(pause + 1, NULL, 10) * (long)m.scale / 100 : 0;
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
			flood[i] = i % 64 == 62 ? '\r' : i % 64 == 63 ? '\n' : '#';
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

	snprintf(pid, sizeof pid, "%04X", (find(NULL, "list-lag") ? m.running : m.stored).pid);
	for (const struct line *l = find(NULL, "list"); l; l = find(l, "list"))
		if (*l->value == '*' || hasword(l->value, pid))
			return textof(l);
	return "";
}

/* Is composition n a supported row of the table? */
static bool comprow(unsigned n)
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
static bool accepts(const char *name, unsigned val, bool listed)
{
	if (listed || (!find(NULL, "strict") && hasword(value("accept"), name)))
		return true;
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
		return format("%s:\nAPP : %04X\nBOOT: %04X", name, m.stored.pid, m.stored.bootpid);
	return format("%s: %04X", name, m.stored.pid);
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

	snprintf(pid, sizeof pid, "%04X", m.stored.pid);
	if (m.stored.pid == was || find(NULL, "nofollow") || !is("dialect", "index"))
		return;
	for (const struct line *l = find(NULL, "follow"); l; l = find(l, "follow")) {
		unsigned comp;

		if (strncasecmp(l->value, pid, 4) || sscanf(l->value + 4, "%u", &comp) != 1)
			continue;
		m.stored.comp = comp;
		say("follow comp %u", comp);
		nvsave();
		return;
	}
}

static const char *setpid(const char *arg)
{
	char *end;
	unsigned pid = (unsigned)strtoul(arg, &end, 16), boot = (pid - 1) & 0xffff,
		 was = m.stored.pid;
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
		m.stored.bootpid = boot;
	followpid(was);
	return NULL;
}

static const char *askcomp(void)
{
	return format("!UDUSBCOMP: %u", m.stored.comp);
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

	snprintf(pick, sizeof pick, "%u ", m.stored.type);
	for (const struct line *l = find(NULL, "typename"); l; l = find(l, "typename"))
		if (!strncmp(l->value, pick, strlen(pick))) {
			type = l->value + strlen(pick);
			break;
		}
	for (size_t i = 0; i < LEN(bits); i++)
		if (m.stored.mask & bits[i].bit)
			snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s",
				 *names ? "," : "", bits[i].name);
	return format("Config Index: 1\nConfig Type:  %u (%s)\nInterface bitmask: %08X (%s)",
		      m.stored.type, type, m.stored.mask, names);
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
	if (type != m.stored.type && (why = store("type", type)))
		return why;
	return store("mask", mask);
}

static const char *askvid(void)
{
	return format("!USBVID: %04X", m.stored.vid);
}

static const char *askinfo(void)
{
	return format(
		"Vendor ID: %04X\nProduct ID: APP %04X, BOOT %04X\nManufacturer: %s\nProduct: %s",
		m.stored.vid, m.stored.pid, m.stored.bootpid, value("manufacturer"),
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

	return !m.unlocked && (!strcmp(what, "both") || !strcmp(what, write ? "writes" : "reads"));
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
		m.unlocked = ok;
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
		pump(&t->in);
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
	if (!step() || now() - m.since < ms("deaf") || !strcmp(port, "silent") ||
	    (find(NULL, "at-dtr") && !t->dtr && !m.link))
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

static void atbytes(struct itf *t, const unsigned char *p, size_t n)
{
	for (; n--; p++) {
		if (*p == '\r')
			doline(t);
		else if (t->nline < sizeof t->line - 1)
			t->line[t->nline++] = (char)*p;
	}
}

/* QMI: answers go out as encapsulated messages, or in the MBIM answer that belongs to them */

/* One MBIM message to the host, in fragments where the modem file wants them. */
static void mbimsend(struct itf *t, const struct msg *g)
{
	size_t max = number("mbim-fragment", 10), body = g->n > 20 ? g->n - 20 : 0,
	       piece = max > 20 ? max - 20 : body;
	unsigned total = body > piece ? (unsigned)((body + piece - 1) / piece) : 1;

	if (total == 1) {
		notify(t, g->b, g->n);
		return;
	}
	for (unsigned i = 0; i < total; i++) {
		size_t n = body - i * piece < piece ? body - i * piece : piece;
		struct msg f = { 0 };

		put(&f, le32(g->b), 4);
		put(&f, (uint32_t)n + 20, 4);
		put(&f, le32(g->b + 8), 4);
		put(&f, total, 4);
		put(&f, i, 4);
		putbytes(&f, g->b + 20 + i * piece, n);
		notify(t, f.b, f.n);
	}
}

/* COMMAND_DONE, or INDICATE_STATUS when it is not asked for. */
static void mbimdone(struct itf *t, bool asked, uint32_t cid, uint32_t status, const void *data,
		     size_t n)
{
	struct msg g = { 0 };

	put(&g, asked ? 0x80000003 : 0x80000007, 4);
	put(&g, (uint32_t)n + (asked ? 48 : 44), 4);
	put(&g, asked ? m.tid : 0, 4);
	put(&g, 1, 4);
	put(&g, 0, 4);
	putbytes(&g, m.uuid, sizeof m.uuid);
	put(&g, cid, 4);
	if (asked)
		put(&g, status, 4);
	put(&g, (uint32_t)n, 4);
	putbytes(&g, data, n);
	mbimsend(t, &g);
}

static void tlv(struct msg *g, unsigned type, size_t n, const void *data)
{
	put(g, type, 1);
	put(g, (uint32_t)n, 2);
	putbytes(g, data, n);
}

static void result(struct msg *g, unsigned error)
{
	tlv(g, 2, 4,
	    (const unsigned char[]){ error != 0, 0, (unsigned char)error,
				     (unsigned char)(error >> 8) });
}

/* TLVs last one first. */
static void reverse(struct msg *g)
{
	struct msg r = { .n = g->n };
	size_t to = g->n;

	for (size_t i = 0, n; i + 3 <= g->n; i += n) {
		n = 3 + le16(g->b + i + 1);
		if (n > g->n - i)
			return;
		to -= n;
		memcpy(r.b + to, g->b + i, n);
	}
	*g = r;
}

enum kind { RESPONSE = 2, INDICATION = 4 };

struct qmi { /* the message that is answered */
	unsigned service, client, tid, id;
	const unsigned char *tlvs;
	size_t n;
	struct msg out; /* the TLVs of the answer */
};

static void qmisend(struct itf *t, const struct qmi *q, enum kind kind, const struct msg *tlvs)
{
	struct msg g = { 0 };
	unsigned head = q->service ? 7 : 6;
	unsigned more = (unsigned)strtoul(ruled("qmi-length"), NULL, 10),
		 less = (unsigned)strtoul(ruled("qmi-short"), NULL, 10);

	put(&g, 1, 1);
	put(&g, (uint32_t)(5 + head + tlvs->n + more), 2);
	put(&g, 0x80, 1);
	put(&g, q->service, 1);
	put(&g, q->client, 1);
	put(&g, q->service ? kind : kind / 2, 1);
	put(&g, q->tid, q->service ? 2 : 1);
	put(&g, q->id, 2);
	put(&g, (uint32_t)tlvs->n, 2);
	putbytes(&g, tlvs->b, tlvs->n);
	if (less && less < g.n)
		g.n -= less;
	if (m.tunnel)
		mbimdone(t, kind == RESPONSE, 1, 0, g.b, g.n);
	else
		notify(t, g.b, g.n);
}

static const unsigned char *findtlv(const struct qmi *q, unsigned type, size_t *len)
{
	for (size_t i = 0; i + 3 <= q->n; i += 3 + *len) {
		*len = le16(q->tlvs + i + 1);
		if (*len > q->n - i - 3)
			break;
		if (q->tlvs[i] == type)
			return q->tlvs + i + 3;
	}
	*len = 0;
	return NULL;
}

/* CTL */

static unsigned ctlversion(struct qmi *q)
{
	static const unsigned char list[] = { 3, 0, 1, 0, 5, 0, 1, 1, 0, 20, 0, 2, 1, 0, 10, 0 };

	result(&q->out, 0);
	tlv(&q->out, 1, sizeof list, list);
	return 0;
}

static unsigned ctlallocate(struct qmi *q)
{
	size_t n;
	const unsigned char *p = findtlv(q, 1, &n);
	unsigned char c = 1;

	if (!p || n != 1)
		return 1;
	if (*p != 2) /* there is nothing but DMS */
		return 31;
	while (m.client[c] && c < 254)
		c++;
	m.client[c] = *p;
	result(&q->out, 0);
	tlv(&q->out, 1, 2, (const unsigned char[]){ *p, c });
	return 0;
}

static unsigned ctlrelease(struct qmi *q)
{
	size_t n;
	const unsigned char *p = findtlv(q, 1, &n);

	if (!p || n != 2)
		return 1;
	if (!p[1] || m.client[p[1]] != *p)
		return 5;
	m.client[p[1]] = 0;
	result(&q->out, 0);
	tlv(&q->out, 1, 2, p);
	return 0;
}

static unsigned ctlsync(struct qmi *q)
{
	memset(m.client, 0, sizeof m.client);
	result(&q->out, 0);
	return 0;
}

static unsigned ctlinstance(struct qmi *q)
{
	result(&q->out, 0);
	tlv(&q->out, 1, 2, "\1\0");
	return 0;
}

/* DMS */

static unsigned dmsmodel(struct qmi *q)
{
	const char *s = value(q->id == 0x22 ? "name" : "firmware");

	if (!s)
		s = "SWI9200X_03.05.29.02";
	result(&q->out, 0);
	tlv(&q->out, 1, strlen(s), s);
	return 0;
}

static unsigned dmsgetmode(struct qmi *q)
{
	result(&q->out, 0);
	tlv(&q->out, 1, 1, (const unsigned char[]){ (unsigned char)m.opmode });
	return 0;
}

static unsigned dmssetmode(struct qmi *q)
{
	size_t n;
	const unsigned char *p = findtlv(q, 1, &n);
	const char *how;

	if (!p || n != 1)
		return 1;
	if (*p == 4) {
		if (m.opmode != 3)
			return 60;
		how = ruled("reset");
		if (!strcmp(how, "error"))
			return 3;
		if (strcmp(how, "ignored"))
			reset("qmi");
		else
			say("ignored reset");
	} else {
		m.opmode = *p;
	}
	result(&q->out, 0);
	return 0;
}

/* The number that says the same as the mask. */
static unsigned compof(const struct settings *s)
{
	if (is("dialect", "index"))
		return s->comp;
	for (size_t i = 0; i < LEN(compbits); i++)
		if ((s->mask & compbits[i].need) == compbits[i].need)
			return compbits[i].comp;
	return 0;
}

static bool qmilists(unsigned comp)
{
	const char *s = value("qmi-comps");
	char n[8];

	snprintf(n, sizeof n, "%u", comp);
	return s ? hasword(s, n) : comprow(comp);
}

static unsigned dmsgetcomp(struct qmi *q)
{
	unsigned char list[256],
		cur = (unsigned char)compof(find(NULL, "qmi-running") ? &m.running : &m.stored);
	size_t n = 1;

	if (value("qmi-third") && compof(&m.stored) != compof(&m.running))
		cur = (unsigned char)number("qmi-third", 10);
	for (unsigned i = 0; i < 255; i++)
		if (qmilists(i))
			list[n++] = (unsigned char)i;
	list[0] = (unsigned char)(value("qmi-count") ? number("qmi-count", 10) : n - 1);
	result(&q->out, 0);
	tlv(&q->out, 0x10, 1, &cur);
	tlv(&q->out, 0x11, n, list);
	return 0;
}

static unsigned dmssetcomp(struct qmi *q)
{
	size_t n;
	const unsigned char *p = findtlv(q, 1, &n);
	const char *why = NULL;

	if (!p || n != 1)
		return 1;
	if (!accepts("comp", *p, qmilists(*p)))
		return 48;
	if (find(NULL, "qmi-lost")) {
		say("lost comp");
	} else if (is("dialect", "index")) {
		why = store("comp", *p);
	} else {
		for (size_t i = 0; i < LEN(compbits); i++)
			if (compbits[i].comp == *p)
				why = store("mask", compbits[i].mask);
	}
	if (why) {
		say("refuse comp %u %s", *p, why);
		return 3;
	}
	result(&q->out, 0);
	return 0;
}

static const struct {
	unsigned service, id;
	unsigned (*fn)(struct qmi *); /* an error, or 0 and the answer's TLVs */
} messages[] = {
	{ 0, 0x0020, ctlinstance }, { 0, 0x0021, ctlversion }, { 0, 0x0022, ctlallocate },
	{ 0, 0x0023, ctlrelease },  { 0, 0x0027, ctlsync },    { 2, 0x0022, dmsmodel },
	{ 2, 0x0023, dmsmodel },    { 2, 0x002d, dmsgetmode }, { 2, 0x002e, dmssetmode },
	{ 2, 0x555b, dmsgetcomp },  { 2, 0x555c, dmssetcomp },
};

static void qmianswer(struct itf *t, struct qmi *q)
{
	const struct line *l;
	struct msg *g = &q->out;
	unsigned error = 71;
	char key[8];

	snprintf(key, sizeof key, "0x%04x", q->id);
	if (rule("qmi-silent", key))
		return;
	if ((l = rule("qmi-error", key)))
		error = (unsigned)strtoul(l->hit, NULL, 10);
	else if (q->service && (!q->client || m.client[q->client] != q->service))
		error = 5;
	else
		for (size_t i = 0; i < LEN(messages); i++)
			if (messages[i].service == q->service && messages[i].id == q->id)
				error = messages[i].fn(q);
	if (error) {
		g->n = 0;
		result(g, error);
	}
	if (find(NULL, "qmi-order"))
		reverse(g);
	if (rule("qmi-tlv", NULL) && g->n > 2)
		g->b[1] = g->b[2] = 0xff;
	if (q->service && find(NULL, "qmi-indication")) {
		struct msg event = { 0 };
		struct qmi to = { .service = 2, .client = 0xff, .tid = q->tid, .id = 1 };

		tlv(&event, 0x14, 1, "\0");
		qmisend(t, &to, INDICATION, &event);
	}
	/* answers to nobody: in MBIM they can only come as indications, the transaction is answered once */
	if (q->service && find(NULL, "qmi-stranger")) {
		struct qmi client = *q, tid = *q;
		struct msg wrong = { 0 };
		enum kind kind = m.tunnel ? INDICATION : RESPONSE;

		client.client ^= 0x40;
		tid.tid ^= 0x40;
		result(&wrong, 3);
		qmisend(t, &client, kind, &wrong);
		qmisend(t, &tid, kind, &wrong);
	}
	qmisend(t, q, RESPONSE, g);
}

static void qmiframe(struct itf *t, const unsigned char *p, size_t n)
{
	struct qmi q = { 0 };
	size_t head;

	if (n < 12 || p[0] != 1 || le16(p + 1) + 1u != n) {
		say("qmi malformed");
		return;
	}
	head = 6 + (p[4] ? 7 : 6);
	q.service = p[4];
	q.client = p[5];
	q.tid = p[4] ? le16(p + 7) : p[7];
	if (n < head)
		return;
	q.id = le16(p + head - 4);
	q.tlvs = p + head;
	q.n = n - head;
	say("qmi %u %04x %u", q.service, q.id, q.client);
	if (!find(NULL, "dtr") || t->dtr || m.tunnel)
		qmianswer(t, &q);
}

/* MBIM */

static const unsigned char basic[16] = { 0xa2, 0x89, 0xcc, 0x33, 0xbc, 0xbb, 0x8b, 0x4f,
					 0xb6, 0xb0, 0x13, 0x3e, 0xc2, 0xaa, 0xe6, 0xdf },
			   sierra[16] = { 0xd1, 0xa3, 0x0b, 0xc2, 0xf9, 0x7a, 0x6e, 0x43,
					  0xbf, 0x65, 0xc7, 0xe2, 0x4f, 0xb0, 0xf0, 0xd3 };

/* Numbers first, then where each string lies, then the strings. */
static void devicecaps(struct itf *t)
{
	static const uint32_t numbers[] = { 1, 1, 1, 2, 0x3f, 3, 1, 8 };
	const char *strings[] = { "", value("serial"),
				  value("firmware") ? value("firmware") : "SWI9200X_03.05.29.02",
				  value("name") };
	struct msg g = { 0 }, text = { 0 };
	const uint32_t base = 4 * LEN(numbers) + 8 * LEN(strings);

	for (size_t i = 0; i < LEN(numbers); i++)
		put(&g, numbers[i], 4);
	for (size_t i = 0; i < LEN(strings); i++) {
		const size_t at = text.n;

		for (const char *s = strings[i]; *s; s++)
			put(&text, (unsigned char)*s, 2);
		put(&g, text.n > at ? base + (uint32_t)at : 0, 4);
		put(&g, (uint32_t)(text.n - at), 4);
		while (text.n % 4)
			put(&text, 0, 1);
	}
	putbytes(&g, text.b, text.n);
	mbimdone(t, true, 1, 0, g.b, g.n);
}

static void mbimcommand(struct itf *t, const unsigned char *p, size_t n)
{
	uint32_t cid, type, len;

	if (n < 48)
		return;
	memcpy(m.uuid, p + 20, sizeof m.uuid);
	cid = le32(p + 36);
	type = le32(p + 40);
	len = le32(p + 44);
	say("mbim COMMAND %02x%02x%02x%02x %u %u", p[20], p[21], p[22], p[23], cid, type);
	if (len > n - 48)
		return;
	if (!memcmp(m.uuid, sierra, sizeof sierra) && cid == 1 && !find(NULL, "notunnel")) {
		m.tunnel = true;
		qmiframe(t, p + 48, len);
		m.tunnel = false;
	} else if (!memcmp(m.uuid, basic, sizeof basic) && cid == 1 && type == 0) {
		devicecaps(t);
	} else if (!memcmp(m.uuid, basic, sizeof basic) &&
		   cid == 19) { /* subscribe to indications: they all stay as asked */
		mbimdone(t, true, cid, 0, p + 48, len);
	} else {
		mbimdone(t, true, cid, memcmp(m.uuid, basic, sizeof basic) ? 2 : 9, NULL, 0);
	}
}

static void mbimerror(struct itf *t, uint32_t error)
{
	struct msg g = { 0 };

	put(&g, 0x80000004, 4);
	put(&g, 16, 4);
	put(&g, m.tid, 4);
	put(&g, error, 4);
	notify(t, g.b, g.n);
}

static void mbimframe(struct itf *t, const unsigned char *p, size_t n)
{
	uint32_t type;
	struct msg g = { 0 };

	if (n < 12 || le32(p + 4) != n) {
		say("mbim malformed");
		return;
	}
	type = le32(p);
	m.tid = le32(p + 8);
	if (type == 1 || type == 2) {
		say("mbim %s", type == 1 ? "OPEN" : "CLOSE");
		m.mbim = type == 1;
		while (type == 1 && t->msg)
			dequeue(&t->msg);
		put(&g, type | 0x80000000, 4);
		put(&g, 16, 4);
		put(&g, m.tid, 4);
		put(&g, 0, 4);
		notify(t, g.b, g.n);
	} else if (!m.mbim) {
		mbimerror(t, 5);
	} else if (type == 3 && n >= 20 && le32(p + 12) == 1) {
		mbimcommand(t, p, n);
	} else {
		mbimerror(t, 2);
	}
}

/* mass storage: a card reader without a card */

static void scsi(struct itf *t, const unsigned char *p, size_t n)
{
	static const unsigned char inquiry[36] = "\0\x80\2\2\x1f\0\0\0SIERRA  TRU-Install     2.31";
	static const unsigned char sense[18] = { 0x70, 0, 2, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x3a };
	unsigned char csw[13] = "USBS";
	const unsigned char *data = NULL;
	size_t want, len = 0;

	if (n != 31 || memcmp(p, "USBC", 4))
		return;
	say("scsi %02x", p[15]);
	want = le32(p + 8);
	memcpy(csw + 4, p + 4, 4);
	if (p[15] == 0x12)
		data = inquiry, len = sizeof inquiry;
	else if (p[15] == 0x03)
		data = sense, len = sizeof sense;
	else
		csw[12] = 1;
	if (len > want)
		len = want;
	if (want && p[12] & 0x80)
		enqueue(&t->in.head, data, len, now());
	for (int i = 0; i < 4; i++)
		csw[8 + i] = (unsigned char)((want - len) >> 8 * i);
	enqueue(&t->in.head, csw, sizeof csw, now());
}

/* control requests: the length of the answer, an error, or KEEP */

struct request {
	unsigned bmRequestType, bRequest, wValue, wIndex, wLength;
	const unsigned char *data;
	unsigned char out[MAXMSG];
};

static struct itf *byinterface(unsigned num)
{
	for (size_t i = 0; m.active && i < m.active->nitf; i++)
		if (m.active->itf[i].num == num ||
		    (two(&m.active->itf[i]) && m.active->itf[i].num + 1 == num))
			return &m.active->itf[i];
	return NULL;
}

static struct ep *byaddress(unsigned addr)
{
	for (size_t i = 0; m.active && addr && i < m.active->nitf; i++) {
		struct itf *t = &m.active->itf[i];
		struct ep *e = addr == t->in.addr     ? &t->in
			       : addr == t->out.addr  ? &t->out
			       : addr == t->note.addr ? &t->note
						      : NULL;

		if (e)
			return e;
	}
	return NULL;
}

static int getdescriptor(struct request *s)
{
	unsigned type = s->wValue >> 8, i = s->wValue & 0xff;

	if (type == 1)
		return (int)devicedesc(s->out);
	if (type == 2 && i < m.nconfig) {
		memcpy(s->out, m.config[i].desc, m.config[i].len);
		return (int)m.config[i].len;
	}
	if (type == 3 && stringdesc(s->out, i))
		return (int)stringdesc(s->out, i);
	if (type == 6 && m.speed != SUPER) { /* what it would be at the other speed */
		unsigned char d[18];

		devicedesc(d);
		memcpy(s->out, d, 8);
		memcpy(s->out, (const unsigned char[]){ 10, 6 }, 2);
		s->out[8] = (unsigned char)m.nconfig;
		s->out[9] = 0;
		return 10;
	}
	if (type == 15 && devicedesc(s->out) && le16(s->out + 2) > 0x200)
		return (int)bosdesc(s->out);
	return -EPIPE;
}

static void quiet(struct config *c)
{
	for (size_t i = 0; c && i < c->nitf; i++) {
		struct itf *t = &c->itf[i];

		while (t->in.head)
			dequeue(&t->in.head);
		while (t->note.head)
			dequeue(&t->note.head);
		while (t->msg)
			dequeue(&t->msg);
		t->in.halted = t->dtr = false;
		t->alt = 0;
		t->nline = 0;
	}
}

static int setconfiguration(struct request *s)
{
	const struct line *crash = find(NULL, "crash");

	say("config %u", s->wValue);
	if (!step())
		return KEEP;
	quiet(m.active);
	if (s->wValue > m.nconfig)
		return -EPIPE;
	m.active = s->wValue ? &m.config[s->wValue - 1] : NULL;
	m.mbim = false;
	if (m.enumerated || !m.active)
		return 0;
	m.enumerated = true;
	m.since = now();
	say("enumerated");
	if (m.boottime)
		leave("boot", m.boottime);
	if (crash && !strcmp(m.mode->word, "mode") && !m.fewer &&
	    strtoul(crash->value, NULL, 0) ==
		    (is("dialect", "mask") ? m.running.mask : m.running.comp))
		leave("crash", ms("crash-after"));
	return 0;
}

static int getconfiguration(struct request *s)
{
	s->out[0] = (unsigned char)(m.active ? m.active - m.config + 1 : 0);
	return 1;
}

static int setinterface(struct request *s)
{
	struct itf *t = byinterface(s->wIndex);

	if (!t || s->wValue > (t->num != s->wIndex))
		return -EPIPE;
	t->alt = s->wValue;
	say("interface %u %u", s->wIndex, s->wValue);
	return 0;
}

static int getinterface(struct request *s)
{
	const struct itf *t = byinterface(s->wIndex);

	s->out[0] = t && t->num != s->wIndex ? (unsigned char)t->alt : 0;
	return t ? 1 : -EPIPE;
}

static int getstatus(struct request *s)
{
	const struct ep *e = byaddress(s->wIndex & 0xff);

	s->out[0] = (s->bmRequestType & 3) == 2 ? e && e->halted : s->bmRequestType & 3 ? 0 : 1;
	s->out[1] = 0;
	return 2;
}

static int clearfeature(struct request *s)
{
	struct ep *e = byaddress(s->wIndex & 0xff);

	if ((s->bmRequestType & 3) == 2 && s->bRequest == 1 && e)
		e->halted = false;
	return 0;
}

static int accept0(struct request *s)
{
	memset(s->out, 0, 8);
	return s->bmRequestType & 0x80 ? (int)s->wLength : 0;
}

/* TRU-Install */

static int swocinfo(struct request *s)
{
	const char *how = ruled("swocinfo");
	unsigned sku = number("linuxsku", 16), ver = number("linuxver", 16);

	say("swoc-info");
	if (strcmp(m.mode->word, "tru") || !strcmp(how, "stall"))
		return -EPIPE;
	if (!strcmp(how, "silent"))
		return KEEP;
	memset(s->out, 0, 60);
	s->out[0] = 1;
	s->out[9] = (unsigned char)sku, s->out[10] = (unsigned char)(sku >> 8);
	s->out[11] = (unsigned char)ver, s->out[12] = (unsigned char)(ver >> 8);
	return strcmp(how, "short") ? 60 : 8;
}

static int swocmode(struct request *s)
{
	const char *how = ruled("swoc");
	long wait = ms("flip");

	say("swoc-mode %u", s->wValue);
	if (strcmp(m.mode->word, "tru") || s->wValue != 1 || !strcmp(how, "stall"))
		return -EPIPE;
	if (!strcmp(how, "silent"))
		return KEEP;
	if (m.due[DROP] || !strcmp(how, "stay") || ++m.flips < number("flips", 10))
		return 0;
	if (!strcmp(how, "vanish")) {
		leave("flip", 0);
		return KEEP;
	}
	leave("flip",
	      wait < 60 ? 60
			: wait); /* sooner and the hub driver waits 5 s for its own enumeration */
	return 0;
}

static int fwattr(struct request *s)
{
	unsigned attr = number("fwattr", 16);

	s->out[0] = (unsigned char)attr;
	s->out[1] = (unsigned char)(attr >> 8);
	return 2;
}

/* class requests */

static int linestate(struct request *s)
{
	struct itf *t = byinterface(s->wIndex);

	say("dtr %u %u", s->wIndex, s->wValue);
	if (!t)
		return -EPIPE;
	if (t->dtr && !(s->wValue & 1) && speaks(t, "qmi"))
		memset(m.client, 0, sizeof m.client);
	t->dtr = s->wValue & 1;
	return 0;
}

static int sendencapsulated(struct request *s)
{
	struct itf *t = byinterface(s->wIndex);

	if (t && speaks(t, "qmi"))
		qmiframe(t, s->data, s->wLength);
	else if (t && speaks(t, "mbim"))
		mbimframe(t, s->data, s->wLength);
	else if (!t || !speaks(t, "net") || is("sync", "stall"))
		return -EPIPE;
	return m.hung ? KEEP : 0;
}

static int getencapsulated(struct request *s)
{
	struct itf *t = byinterface(s->wIndex);
	size_t n;

	if (!t || !t->msg)
		return -EPIPE;
	n = t->msg->len < MAXMSG ? t->msg->len : MAXMSG;
	memcpy(s->out, t->msg->data, n);
	dequeue(&t->msg);
	return (int)n;
}

static int ntbparameters(struct request *s)
{
	static const unsigned char p[28] = { 28, 0, 1, 0,    0, 0x40, 0, 0, 4, 0, 0, 0, 4,  0,
					     0,  0, 0, 0x40, 0, 0,    4, 0, 0, 0, 4, 0, 16, 0 };

	memcpy(s->out, p, sizeof p);
	return sizeof p;
}

static int maxlun(struct request *s)
{
	s->out[0] = 0;
	return 1;
}

/* Those of a type (0x60 of bmRequestType: standard, class, vendor) that are not here stall. */
static const struct {
	unsigned bmRequestType, mask, bRequest;
	int (*fn)(struct request *);
} requests[] = {
	{ 0x80, 0xff, 0x06, getdescriptor },
	{ 0x00, 0xff, 0x09, setconfiguration },
	{ 0x80, 0xff, 0x08, getconfiguration },
	{ 0x01, 0xff, 0x0b, setinterface },
	{ 0x81, 0xff, 0x0a, getinterface },
	{ 0x80, 0xfc, 0x00, getstatus },
	{ 0x00, 0xfc, 0x01, clearfeature },
	{ 0x00, 0xfc, 0x03, accept0 }, /* SET_FEATURE */
	{ 0x00, 0xff, 0x30, accept0 }, /* SET_SEL */
	{ 0x00, 0xff, 0x31, accept0 }, /* SET_ISOCH_DELAY */
	{ 0x40, 0xff, 0x00, accept0 }, /* SetPower */
	{ 0x40, 0xff, 0x07, accept0 }, /* SetNmea */
	{ 0xc0, 0xff, 0x06, fwattr },
	{ 0xc0, 0xff, 0x0a, swocinfo },
	{ 0x40, 0xff, 0x0b, swocmode },
	{ 0x21, 0xff, 0x22, linestate },
	{ 0x21, 0xff, 0x20, accept0 }, /* SET_LINE_CODING */
	{ 0x21, 0xff, 0x00, sendencapsulated },
	{ 0xa1, 0xff, 0x01, getencapsulated },
	{ 0xa1, 0xff, 0x80, ntbparameters },
	{ 0x21, 0xff, 0x43, accept0 }, /* SET_ETHERNET_PACKET_FILTER */
	{ 0x21, 0xff, 0x86, accept0 }, /* SET_NTB_INPUT_SIZE */
	{ 0xa1, 0xff, 0xfe, maxlun },
	{ 0x21, 0xff, 0xff, accept0 }, /* mass storage reset */
};

/* False if it is not answered: its UNLINK, or the end of the socket, settles it. */
static bool control(uint32_t seq, const unsigned char *setup, const unsigned char *data)
{
	struct request s = { setup[0],        setup[1],        le16(setup + 2),
			     le16(setup + 4), le16(setup + 6), .data = data };
	int r = -EPIPE;
	bool in = s.bmRequestType & 0x80;

	if (s.bmRequestType & 0x60) {
		say("ctrl %02x %02x %04x %04x %u", s.bmRequestType, s.bRequest, s.wValue, s.wIndex,
		    s.wLength);
		if (!step())
			r = KEEP;
	}
	for (size_t i = 0; r != KEEP && i < LEN(requests); i++)
		if (requests[i].bmRequestType == (s.bmRequestType & requests[i].mask) &&
		    requests[i].bRequest == s.bRequest) {
			r = m.hung ? KEEP : requests[i].fn(&s);
			break;
		}
	if (r == KEEP)
		return false;
	if (r > (int)s.wLength)
		r = (int)s.wLength;
	if (r < 0)
		reply(3, seq, r, 0, NULL, 0);
	else
		reply(3, seq, 0, in ? (size_t)r : s.wLength, s.out, in ? (size_t)r : 0);
	return true;
}

/* USB/IP */

static void waiting(uint32_t seq, unsigned ep, size_t len)
{
	struct urb *u = malloc(sizeof *u), **p = &m.urb;

	if (!u)
		die("out of memory");
	*u = (struct urb){ .seq = seq, .ep = ep, .len = len };
	while (*p)
		p = &(*p)->next;
	*p = u;
}

static void bulkout(struct itf *t, const unsigned char *p, size_t n)
{
	if (speaks(t, "at"))
		atbytes(t, p, n);
	else if (speaks(t, "ms"))
		scsi(t, p, n);
}

static void submit(const unsigned char *h, const unsigned char *data)
{
	uint32_t seq = be32(h + 4), len = be32(h + 24);
	unsigned ep = be32(h + 16) & 15;
	bool in = be32(h + 12);
	struct ep *e = byaddress(ep | (in ? 0x80 : 0));

	if (!ep) {
		if (!control(seq, h + 40, data))
			waiting(seq, 0, len);
	} else if (!e) {
		reply(3, seq, -EPIPE, 0, NULL, 0);
	} else if (in || m.hung) {
		waiting(seq, e->addr, len);
		if (in)
			pump(e);
	} else {
		reply(3, seq, 0, len, NULL, 0);
		for (size_t i = 0; m.active && i < m.active->nitf; i++)
			if (&m.active->itf[i].out == e)
				bulkout(&m.active->itf[i], data, len);
	}
}

/* One that waits is forgotten; of one that was answered the kernel knows already. */
static void forget(const unsigned char *h)
{
	uint32_t which = be32(h + 20);
	int status = 0;

	for (struct urb **p = &m.urb, *u; (u = *p); p = &u->next)
		if (u->seq == which) {
			*p = u->next;
			free(u);
			status = -ECONNRESET;
			break;
		}
	reply(4, be32(h + 4), status, 0, NULL, 0);
}

/* What came from the kernel: headers of 48 bytes, after some of them data. */
static void usbip(void)
{
	ssize_t got = recv(m.sock, m.inbuf + m.nin, sizeof m.inbuf - m.nin, MSG_DONTWAIT);
	size_t from = 0, n;

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0)
		pulled("detached");
	for (m.nin += (size_t)got; m.plugged && m.nin - from >= 48; from += n) {
		const unsigned char *h = m.inbuf + from;
		bool data = be32(h) == 1 && !be32(h + 12);

		n = 48 + (data ? be32(h + 24) : 0);
		if (n > sizeof m.inbuf)
			die("transfer of %zu bytes", n);
		if (n > m.nin - from)
			break;
		if (be32(h) == 1)
			submit(h, h + 48);
		else if (be32(h) == 2)
			forget(h);
		else
			die("USB/IP command %lu", (unsigned long)be32(h));
	}
	m.nin -= from;
	memmove(m.inbuf, m.inbuf + from, m.nin);
}

/* on and off the bus */

static unsigned fromsys(const char *name)
{
	char path[128], s[16] = "";
	int fd;

	snprintf(path, sizeof path, "/sys/devices/platform/vhci_hcd.0/%s", name);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		die("%s:", path);
	if (read(fd, s, sizeof s - 1) < 0)
		die("%s:", path);
	close(fd);
	return (unsigned)strtoul(s, NULL, 10);
}

/* The ports of all controllers are numbered through: each has as many high-speed as super-speed ones. */
static bool attach(void)
{
	char path[64], s[64];
	unsigned controllers = 0, each;
	int pair[2], fd, n;

	do
		snprintf(path, sizeof path, "/sys/devices/platform/vhci_hcd.%u", controllers);
	while (!access(path, F_OK) && ++controllers);
	if (m.controller >= controllers)
		die("no controller vhci_hcd.%u", m.controller);
	each = fromsys("nports") / controllers;
	n = snprintf(s, sizeof s, "%u",
		     m.controller * each + (m.port >= 15 ? each / 2 + m.port - 15 : m.port));
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		die("socketpair:");
	n += snprintf(s + n, sizeof s - (size_t)n, " %d %u %u", pair[1],
		      1 + m.controller * 64 + m.port, m.speed);
	if ((fd = open("/sys/devices/platform/vhci_hcd.0/attach", O_WRONLY | O_CLOEXEC)) < 0)
		die("attach:");
	m.sock = pair[0];
	if (write(fd, s, (size_t)n) != n) {
		if (errno != EBUSY)
			die("attach %s:", s);
		close(m.sock);
		m.sock = -1;
	}
	close(fd);
	close(pair[1]);
	return m.sock >= 0;
}

/* The pseudo terminal is held open at both ends, else a master whose slave nobody has open hangs up. */
static bool openpty0(void)
{
	struct termios t;
	const char *name;

	if ((m.sock = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) < 0 || grantpt(m.sock) ||
	    unlockpt(m.sock) || !(name = ptsname(m.sock)))
		die("pseudo terminal:");
	if ((m.slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC)) < 0 || tcgetattr(m.slave, &t))
		die("%s:", name);
	t.c_iflag = t.c_oflag = t.c_lflag = 0;
	tcsetattr(m.slave, TCSANOW, &t);
	fcntl(m.sock, F_SETFL, O_NONBLOCK);
	unlink(m.link);
	if (symlink(name, m.link))
		die("%s:", m.link);
	m.active = m.config;
	m.since = now();
	return true;
}

static void plug(void)
{
	static const char *const names[] = { [FULL] = "full", [HIGH] = "high", [SUPER] = "super" };

	m.speed = m.port >= 15 || is("speed", "super") ? SUPER : is("speed", "full") ? FULL : HIGH;
	m.nconfig = 0;
	if (m.link)
		addconfig("at");
	else
		for (const struct line *l = NULL; (l = below(m.mode, l));)
			if (!strcmp(l->word, "config") && m.nconfig < LEN(m.config))
				addconfig(l->value);
	if (!(m.link ? openpty0() : attach())) {
		arm(PLUG, 10); /* the port is not free yet */
		return;
	}
	m.plugged = true;
	say("plug %04x:%04x config %zu %s port %u/%u %s", m.vid, m.pid, m.nconfig, names[m.speed],
	    m.port, m.controller, strcmp(m.mode->word, "mode") ? m.mode->word : value("name"));
}

static void unplug(const char *why)
{
	say("unplug %s", why);
	for (size_t i = 0; i < m.nconfig; i++)
		quiet(&m.config[i]);
	for (struct urb *u; (u = m.urb); free(u))
		m.urb = u->next;
	if (m.sock >= 0)
		close(m.sock);
	if (m.slave >= 0)
		close(m.slave);
	if (m.link)
		unlink(m.link);
	m.sock = m.slave = -1;
	m.active = NULL;
	m.plugged = m.enumerated = m.unlocked = m.mbim = false;
	m.opmode = 0;
	m.nin = 0;
	memset(m.client, 0, sizeof m.client);
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

/* Which device it is when it comes back: one of the file's modes. */
static void become(const char *what)
{
	const char *colon = strchr(what, ':'), *arg = colon ? colon + 1 : "";
	char kind[16];

	snprintf(kind, sizeof kind, "%.*s", (int)strcspn(what, ":"), what);
	m.running = m.stored;
	m.fewer = 0;
	m.boottime = 0;
	if (!strcmp(kind, "tru") || !strcmp(kind, "boot")) {
		m.mode = find(NULL, kind);
		if (sscanf(m.mode->value, "%x:%x", &m.vid, &m.pid) != 2)
			die("bad %s: %s", kind, m.mode->value);
		m.boottime = strcmp(kind, "boot") ? 0 : strtol(arg, NULL, 10) * (long)m.scale / 100;
		return;
	}
	m.pid = m.running.pid;
	m.vid = m.running.vid;
	m.mode = !strcmp(kind, "dead")
			 ? find(NULL, "dead")
			 : modeof(m.pid, is("dialect", "mask") ? m.running.type : m.running.comp);
	for (const struct line *l = NULL; (l = below(m.mode, l));)
		if (!strcmp(l->word, "vid"))
			m.vid = (unsigned)strtoul(l->value, NULL, 16);
	if (!strcmp(kind, "vid"))
		m.vid = (unsigned)strtoul(arg, NULL, 16);
	else if (!strcmp(kind, "fewer"))
		m.fewer = (unsigned)strtoul(arg, NULL, 10);
	else if (!strcmp(kind, "port") && sscanf(arg, "%u/%u", &m.port, &m.controller) < 1)
		die("bad port: %s", what);
}

static const struct life {
	const char *why, *off, *rule;
} lives[] = {
	{ "reset", "off", "back" },  { "flip", "flipoff", "flipback" }, { "power", "replug", NULL },
	{ "boot", "bootoff", NULL }, { "crash", "crash-off", NULL },
};

/* Is it TRU-Install storage first? */
static bool truinstall(const char *why)
{
	const char *when = value("truinstall");

	if (m.link || !strcmp(when, "off"))
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

	while (strcmp(life->why, m.why))
		life++;
	if (!strcmp(life->why, "crash"))
		say("crash %u", ++m.crashes);
	if (m.plugged)
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
	if (!strcmp(life->why, "crash") && times && m.crashes >= strtoul(times + 1, NULL, 10))
		m.fewer = 1;
	arm(PLUG, ms(life->off));
}

static void (*const timers[NTIMER])(void) = { [DROP] = drop, [PLUG] = plug };

/* the loop */

static void onsignal(int sig)
{
	if (sig == SIGUSR1)
		cycle = 1;
	else
		term = 1;
}

static void runtimers(void)
{
	for (size_t i = 0; i < NTIMER; i++)
		if (m.due[i] && m.due[i] <= now()) {
			m.due[i] = 0;
			timers[i]();
		}
}

static void sooner(long long *next, long long due)
{
	if (due && (!*next || due < *next))
		*next = due;
}

/* When the next thing happens by itself, 0: never. What is due already waits for the host. */
static long long nextdue(void)
{
	long long next = 0, t = now();

	for (size_t i = 0; i < NTIMER; i++)
		sooner(&next, m.due[i]);
	for (size_t i = 0; m.active && i < m.active->nitf; i++)
		if (m.active->itf[i].in.head && m.active->itf[i].in.head->due > t)
			sooner(&next, m.active->itf[i].in.head->due);
	return next;
}

static void readpty(void)
{
	unsigned char s[512];
	ssize_t n = read(m.sock, s, sizeof s);

	if (n > 0)
		atbytes(&m.active->itf[0], s, (size_t)n);
}

static void loop(const sigset_t *open)
{
	while (!term) {
		struct pollfd p = { .fd = m.sock, .events = POLLIN };
		long long next = nextdue(), left = next - now();
		struct timespec wait = { .tv_sec = left > 0 ? left / 1000 : 0,
					 .tv_nsec = left > 0 ? left % 1000 * 1000000 : 0 };

		if (m.link && m.sock >= 0 && m.active && m.active->itf[0].in.head &&
		    m.active->itf[0].in.head->due <= now())
			p.events |= POLLOUT;
		if (ppoll(&p, 1, next ? &wait : NULL, open) > 0 && p.revents & (POLLIN | POLLHUP))
			m.link ? readpty() : usbip();
		if (cycle) {
			cycle = 0;
			m.hung = false;
			m.due[DROP] = m.due[PLUG] = 0;
			leave("power", 0);
		}
		runtimers();
		pumpall();
	}
	pulled("term");
}

static _Noreturn void usage(void)
{
	fputs("usage: modem [-p port] [-c controller] [-s scale] [-l log] [-n nvfile] [-k line]... "
	      "[-P link] file\n",
	      stderr);
	exit(2);
}

static void options(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "p:c:s:l:n:k:P:")) != -1)
		switch (c) {
		case 'p':
			m.port = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 'c':
			m.controller = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 's':
			m.scale = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 'n':
			m.nvfile = optarg;
			break;
		case 'k':
			addknob(optarg);
			break;
		case 'P':
			m.link = optarg;
			break;
		case 'l':
			if ((m.log = open(optarg, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
					  0666)) < 0)
				die("%s:", optarg);
			break;
		default:
			usage();
		}
	if (optind != argc - 1)
		usage();
	m.file = argv[optind];
	addfile(m.file);
	addlines(builtin);
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = onsignal };
	sigset_t ours, before;

	m.start = now();
	options(argc, argv);
	sigemptyset(&ours);
	for (const int *s = (const int[]){ SIGTERM, SIGINT, SIGUSR1, 0 }; *s; s++) {
		sigaddset(&ours, *s);
		sigaction(*s, &sa, NULL);
	}
	sigprocmask(SIG_BLOCK, &ours, &before);
	signal(SIGCHLD, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	say("start %lld.%03d %s", m.start / 1000, (int)(m.start % 1000), m.file);
	nvload();
	say("power-on");
	become(truinstall("first") ? "tru" : "modem");
	plug();
	loop(&before);
	return 0;
}
