/* The modem file: lines of words, -k before the file, the file before what is built in. */
#define _GNU_SOURCE
#include "inside.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct modem *m;

_Noreturn void die(const char *fmt, ...)
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

static void addline(const char *s, size_t len)
{
	struct line *l = &m->line[m->nline];
	size_t blank = strspn(s, " \t");
	char *word = malloc(2 * len + 2), *text = word + len + 1;

	if (m->nline == MAXLINES || !word)
		die("too many lines");
	if (blank > len)
		blank = len;
	snprintf(word, len + 1, "%.*s", (int)(len - blank), s + blank);
	snprintf(text, len + 1, "%.*s", (int)len, s);
	l->in = blank > 0;
	l->text = text + l->in;
	l->word = word;
	word += strcspn(word, " \t=");
	if (*word)
		*word++ = 0;
	l->value = word + strspn(word, " \t");
	m->nline++;
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
void modem_line(struct modem *which, const char *s)
{
	const char *end;

	m = which;
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
	char other[4096];
	const char *slash = strrchr(name, '/');
	size_t first = m->nline;
	FILE *f = fopen(name, "re");

	if (!f)
		die("%s:", name);
	s[fread(s, 1, sizeof s - 1, f)] = 0;
	fclose(f);
	addlines(s);
	for (; first < m->nline; first++)
		if (!strcmp(m->line[first].word, "like") && !m->line[first].in) {
			snprintf(other, sizeof other, "%.*s%s", slash ? (int)(slash - name) + 1 : 0,
				 name, m->line[first].value);
			addfile(other);
			return;
		}
}

struct line *find(const struct line *after, const char *word)
{
	for (struct line *l = after ? &m->line[after - m->line] + 1 : m->line;
	     l < m->line + m->nline; l++)
		if (!l->in && !strcmp(l->word, word))
			return l;
	return NULL;
}

const char *value(const char *word)
{
	const struct line *l = find(NULL, word);

	return l ? l->value : NULL;
}

unsigned number(const char *word, int base)
{
	const char *s = value(word);

	return s ? (unsigned)strtoul(s, NULL, base) : 0;
}

bool is(const char *word, const char *what)
{
	const char *s = value(word);

	return s && !strcmp(s, what);
}

/* The next of the lines that belong to head. */
const struct line *below(const struct line *head, const struct line *last)
{
	const struct line *l = (last ? last : head) + 1;

	return l < m->line + m->nline && l->in ? l : NULL;
}

/* A word of the present mode, else of the whole file. */
const char *ofmode(const char *word)
{
	for (const struct line *l = NULL; (l = below(m->mode, l));)
		if (!strcmp(l->word, word))
			return l->value;
	return value(word);
}

bool hasword(const char *list, const char *word)
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
bool inrange(const char *s, unsigned n)
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

/* A time of the file in ms, in this modem's time. */
long scaled(const char *number)
{
	return strtol(number, NULL, 10) * (long)m->scale / 100;
}

long ms(const char *word)
{
	const char *s = value(word);

	return s ? scaled(s) : 0;
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

/* The first rule of this word whose key is this one and whose time has come; its value is what
 * follows the key. */
struct line *rule(const char *word, const char *key)
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

const char *ruled(const char *word)
{
	const struct line *l = rule(word, NULL);

	return l ? l->hit : "";
}

/* The lines below one as a text; a lone dot is an empty line. */
const char *textof(const struct line *head)
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

/* The description of a block: the mode's own before the file's. NULL if there is none. */
const struct line *mode_block(const char *name)
{
	size_t n = strlen(name);

	for (const struct line *l = m->mode ? below(m->mode, NULL) : NULL; l; l = below(m->mode, l))
		if (!strcmp(l->word, "block") && !strncmp(l->value, name, n) && l->value[n] == ' ')
			return l;
	for (const struct line *l = find(NULL, "block"); l; l = find(l, "block"))
		if (!strncmp(l->value, name, n) && l->value[n] == ' ')
			return l;
	return NULL;
}

void modem_file(struct modem *which, const char *name, const char *nvfile)
{
	m = which;
	m->nvfile = nvfile;
	addfile(name);
	addlines(builtin);
}

void modem_free(struct modem *which)
{
	m = which;
	for (size_t i = 0; i < m->nconfig; i++)
		quiet(&m->config[i]);
	for (size_t i = 0; i < m->nline; i++)
		free(m->line[i].word);
	free(m);
	m = NULL;
}

const char *modem_value(struct modem *which, const char *word)
{
	m = which;
	return value(word);
}
