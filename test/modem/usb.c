/* The device: descriptors, endpoints, control requests, mass storage. */
#define _GNU_SOURCE
#include "inside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* bytes */

unsigned le16(const unsigned char *p)
{
	return (unsigned)(p[0] | p[1] << 8);
}

uint32_t le32(const unsigned char *p)
{
	return le16(p) | (uint32_t)le16(p + 2) << 16;
}

void put(struct msg *g, uint32_t v, int bytes)
{
	for (; bytes-- && g->n < sizeof g->b; v >>= 8)
		g->b[g->n++] = (unsigned char)v;
}

void putbytes(struct msg *g, const void *p, size_t n)
{
	if (n > sizeof g->b - g->n)
		n = sizeof g->b - g->n;
	if (n)
		memcpy(g->b + g->n, p, n);
	g->n += n;
}

/* USB: transfers that wait, and what they wait for */

void enqueue(struct chunk **head, const void *data, size_t len, long long due)
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

void dequeue(struct chunk **head)
{
	struct chunk *c = *head;

	*head = c->next;
	free(c);
}

/* An encapsulated message is stored, the interrupt endpoint says that it is there. */
void notify(struct itf *t, const void *data, size_t len)
{
	const unsigned char available[8] = { 0xa1, 0x01, 0, 0, (unsigned char)t->num };

	enqueue(&t->msg, data, len, 0);
	enqueue(&t->note.head, available, sizeof available, now() + ms("qmi-slow"));
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
	if (m->speed == SUPER) /* its companion */
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

bool speaks(const struct itf *t, const char *what)
{
	return !strcmp(t->speaks, what);
}

/* MBIM and ECM: an association, functional descriptors, and a data interface that has endpoints
 * only in its second setting. */
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

/* Endpoints as a real modem was seen to number them: `81i` is an interrupt one. The first of a
 * kind is what is spoken on. */
static void addaddresses(struct itf *t, const char *s)
{
	char *end;

	for (unsigned long addr; (addr = strtoul(s, &end, 16)) && end != s;
	     s = end + (*end == 'i')) {
		struct ep *e = *end == 'i'                      ? &t->note
			       : addr & 0x80 && !t->in.addr     ? &t->in
			       : !(addr & 0x80) && !t->out.addr ? &t->out
			       : t->nmore < MAXMORE             ? &t->more[t->nmore++]
								: NULL;

		if (!e)
			die("too many endpoints");
		e->addr = (unsigned char)addr;
	}
	t->numbered = true;
	t->bulk = t->in.addr && t->out.addr;
	t->intr = t->note.addr;
}

/* One word of a config line: a block, perhaps with another number and class. */
static void addblock(struct config *c, const char *word)
{
	static const char *const languages[] = { "at", "qmi", "mbim", "ecm", "net", "ms" };
	struct itf t = { .speaks = "" };
	char name[32];
	const char *num = strchr(word, '#'), *class = strchr(word, ':'), *what, *addresses;
	const struct line *l;

	snprintf(name, sizeof name, "%.*s", (int)strcspn(word, "#:"), word);
	l = mode_block(name);
	if (!l)
		die("no such block: %s", name);
	if (sscanf(l->value, "%*s %u %x/%x/%x", &t.num, &t.class[0], &t.class[1], &t.class[2]) != 4)
		die("bad block: %s", l->value);
	t.block = l->value;
	what = l->value + strcspn(l->value, "/");
	t.bulk = hasword(what, "bulk");
	t.intr = hasword(what, "int");
	addresses = strstr(what, " eps ");
	if (addresses)
		addaddresses(&t, addresses + 5);
	for (size_t i = 0; i < LEN(languages); i++)
		if (hasword(what, languages[i]))
			t.speaks = languages[i];
	if (num)
		t.num = (unsigned)strtoul(num + 1, NULL, 10);
	if (class && sscanf(class + 1, "%x/%x/%x", &t.class[0], &t.class[1], &t.class[2]) != 3)
		die("bad class: %s", word);
	t.echoes = !is("echo", "off");
	if (c->nitf < MAXITF)
		c->itf[c->nitf++] = t;
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
			for (size_t i = 0; i < nbits; i++)
				if (m->running.mask & bits[i].bit)
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
	if (m->fewer && m->fewer < c->nitf)
		c->nitf = m->fewer;
}

/* The endpoints of an interface: numbered through, where the file has no numbers. */
static void addendpoints(struct itf *t, unsigned *in, unsigned *out)
{
	static const unsigned sizes[] = { [FULL] = 64, [HIGH] = 512, [SUPER] = 1024 };
	unsigned bulk = number("bulk", 10);
	const struct ep kind = { .attr = 2,
				 .mps = (unsigned short)(bulk ? bulk : sizes[m->speed]) };
	struct ep note = { .attr = 3, .mps = 64, .interval = m->speed == FULL ? 2 : 5 };
	unsigned addr[2] = { t->in.addr, t->out.addr };

	note.addr = t->note.addr;
	if (!t->numbered && t->intr)
		note.addr = (unsigned char)(0x80 | ++*in);
	if (!t->numbered && t->bulk) {
		addr[0] = 0x80 | ++*in;
		addr[1] = ++*out;
	}
	t->note = note;
	t->in = t->out = kind;
	t->in.addr = (unsigned char)addr[0];
	t->out.addr = (unsigned char)addr[1];
	for (unsigned i = 0; i < t->nmore; i++) {
		unsigned char other = t->more[i].addr;

		t->more[i] = kind;
		t->more[i].addr = other;
	}
}

/* What the wire carries, whatever the descriptor says. */
static void fitwire(struct itf *t)
{
	static const unsigned short sizes[] = { [FULL] = 64, [HIGH] = 512, [SUPER] = 1024 };

	if (t->in.mps > sizes[m->speed])
		t->in.mps = sizes[m->speed];
}

static void addinterface(struct config *c, struct itf *t)
{
	if (speaks(t, "mbim") || speaks(t, "ecm")) {
		cdc(c, t);
		return;
	}
	interface(c, t->num, 0, (t->bulk ? 2u : 0u) + t->intr + t->nmore, t->class);
	if (t->intr)
		endpoint(c, &t->note);
	if (t->bulk) {
		endpoint(c, &t->out);
		endpoint(c, &t->in);
	}
	for (unsigned i = 0; i < t->nmore; i++)
		endpoint(c, &t->more[i]);
}

void addconfig(const char *words)
{
	struct config *c = &m->config[m->nconfig++];
	unsigned in = 0, out = 0, n = 0;

	*c = (struct config){ .len = 9 };
	addblocks(c, words);
	for (size_t i = 0; i < c->nitf; i++) {
		struct itf *t = &c->itf[i];

		n += two(t) ? 2 : 1;
		addendpoints(t, &in, &out);
		addinterface(c, t);
		fitwire(t);
	}
	memcpy(c->desc,
	       (const unsigned char[]){ 9, 2, (unsigned char)c->len, (unsigned char)(c->len >> 8),
					(unsigned char)n, (unsigned char)m->nconfig, 1, 0xe0, 0 },
	       9);
}

static size_t devicedesc(unsigned char *d)
{
	unsigned usb[2] = { 2, 0 }, class[3] = { 0 }, bcd = number("bcd", 16);

	sscanf(ofmode("usb"), "%x.%x", &usb[0], &usb[1]);
	sscanf(ofmode("class"), "%x/%x/%x", &class[0], &class[1], &class[2]);
	if (m->speed == SUPER)
		usb[0] = 3, usb[1] = 0;
	memcpy(d,
	       (const unsigned char[]){
		       18, 1, (unsigned char)usb[1], (unsigned char)usb[0], (unsigned char)class[0],
		       (unsigned char)class[1], (unsigned char)class[2], m->speed == SUPER ? 9 : 64,
		       (unsigned char)m->vid, (unsigned char)(m->vid >> 8), (unsigned char)m->pid,
		       (unsigned char)(m->pid >> 8), (unsigned char)bcd, (unsigned char)(bcd >> 8),
		       3, 2, 4, (unsigned char)m->nconfig },
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

/* control requests: the length of the answer, an error, or NEVER */

struct request {
	unsigned bmRequestType, bRequest, wValue, wIndex, wLength;
	const unsigned char *data;
	unsigned char *out; /* MAXMSG bytes */
};

static struct itf *byinterface(unsigned num)
{
	for (size_t i = 0; m->active && i < m->active->nitf; i++)
		if (m->active->itf[i].num == num ||
		    (two(&m->active->itf[i]) && m->active->itf[i].num + 1 == num))
			return &m->active->itf[i];
	return NULL;
}

static struct ep *byaddress(unsigned addr)
{
	for (size_t i = 0; m->active && addr && i < m->active->nitf; i++) {
		struct itf *t = &m->active->itf[i];
		struct ep *e = addr == t->in.addr     ? &t->in
			       : addr == t->out.addr  ? &t->out
			       : addr == t->note.addr ? &t->note
						      : NULL;

		for (unsigned k = 0; !e && k < t->nmore; k++)
			if (addr == t->more[k].addr)
				e = &t->more[k];
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
	if (type == 2 && i < m->nconfig) {
		memcpy(s->out, m->config[i].desc, m->config[i].len);
		return (int)m->config[i].len;
	}
	if (type == 3 && stringdesc(s->out, i))
		return (int)stringdesc(s->out, i);
	if (type == 6 && m->speed != SUPER) { /* what it would be at the other speed */
		unsigned char d[18];

		devicedesc(d);
		memcpy(s->out, d, 8);
		memcpy(s->out, (const unsigned char[]){ 10, 6 }, 2);
		s->out[8] = (unsigned char)m->nconfig;
		s->out[9] = 0;
		return 10;
	}
	if (type == 15 && devicedesc(s->out) && le16(s->out + 2) > 0x200)
		return (int)bosdesc(s->out);
	return -EPIPE;
}

void quiet(struct config *c)
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
		return NEVER;
	quiet(m->active);
	if (s->wValue > m->nconfig)
		return -EPIPE;
	if (m->enumerated && !m->selected && s->wValue && m->active != &m->config[s->wValue - 1] &&
	    find(NULL, "select-leaves")) {
		m->selected = true;
		leave("select", ms("select-leaves"));
	}
	m->active = s->wValue ? &m->config[s->wValue - 1] : NULL;
	m->mbim = false;
	if (m->enumerated || !m->active)
		return 0;
	m->enumerated = true;
	m->since = now();
	say("enumerated");
	if (m->boottime)
		leave("boot", m->boottime);
	if (m->wasreset && find(NULL, "again"))
		leave("again", ms("again"));
	if (crash && !strcmp(m->mode->word, "mode") && !m->fewer &&
	    strtoul(crash->value, NULL, 0) ==
		    (is("dialect", "mask") ? m->running.mask : m->running.comp))
		leave("crash", ms("crash-after"));
	return 0;
}

static int getconfiguration(struct request *s)
{
	s->out[0] = (unsigned char)(m->active ? m->active - m->config + 1 : 0);
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
	if (strcmp(m->mode->word, "tru") || !strcmp(how, "stall"))
		return -EPIPE;
	if (!strcmp(how, "silent"))
		return NEVER;
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
	if (strcmp(m->mode->word, "tru") || s->wValue != 1 || !strcmp(how, "stall"))
		return -EPIPE;
	if (!strcmp(how, "silent"))
		return NEVER;
	if (m->due[DROP] || !strcmp(how, "stay") || ++m->flips < number("flips", 10))
		return 0;
	if (!strcmp(how, "vanish")) {
		leave("flip", 0);
		return NEVER;
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
		memset(m->client, 0, sizeof m->client);
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
	return m->hung ? NEVER : 0;
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

/* NOLINTNEXTLINE(readability-non-const-parameter): what is asked for is written there */
int modem_control(struct modem *which, const uint8_t setup[8], const uint8_t *data, uint8_t *out)
{
	struct request s = { setup[0], setup[1], le16(setup + 2), le16(setup + 4), le16(setup + 6),
			     data,     out };
	int r = -EPIPE;

	m = which;
	if (s.bmRequestType & 0x60) {
		say("ctrl %02x %02x %04x %04x %u", s.bmRequestType, s.bRequest, s.wValue, s.wIndex,
		    s.wLength);
		if (!step())
			return NEVER;
	}
	for (size_t i = 0; i < LEN(requests); i++)
		if (requests[i].bmRequestType == (s.bmRequestType & requests[i].mask) &&
		    requests[i].bRequest == s.bRequest) {
			r = m->hung ? NEVER : requests[i].fn(&s);
			break;
		}
	return r > (int)s.wLength ? (int)s.wLength : r;
}

/* Does it take nothing? */
static bool naks(const struct itf *t)
{
	char key[8];

	snprintf(key, sizeof key, "%u", t->num);
	return hasword(value("nak"), key);
}

int modem_out(struct modem *which, unsigned ep, const void *data, size_t n)
{
	struct itf *t = NULL;

	m = which;
	if (!byaddress(ep))
		return -EPIPE;
	for (size_t i = 0; i < m->active->nitf; i++)
		if (m->active->itf[i].out.addr == ep)
			t = &m->active->itf[i];
	if (m->hung || (t && naks(t)))
		return NEVER;
	if (t && speaks(t, "at"))
		atbytes(t, data, n);
	else if (t && speaks(t, "ms"))
		scsi(t, data, n);
	return (int)n;
}

/* Packets of one chunk into one transfer: a short one ends it, one that does not fit is babble. */
int modem_in(struct modem *which, unsigned ep, void *data, size_t room)
{
	struct ep *e;
	struct chunk *c;
	size_t n = 0;
	bool babble = false;

	m = which;
	e = byaddress(ep);
	if (!e || e->halted)
		return -EPIPE;
	c = e->head;
	if (m->hung || !c || c->due > now())
		return NOTYET;
	do {
		size_t packet = c->len - c->off < e->mps ? c->len - c->off : e->mps;
		size_t fits = packet < room - n ? packet : room - n;

		memcpy((char *)data + n, c->data + c->off, fits);
		n += fits;
		c->off += packet;
		babble = fits < packet;
	} while (!babble && c->off < c->len && n < room);
	if (c->off == c->len)
		dequeue(&e->head);
	return babble ? -EOVERFLOW : (int)n;
}

/* Has what runs now, in the active configuration, this block? */
bool modem_used(const struct modem *which)
{
	for (size_t i = 0; i < LEN(which->client); i++)
		if (which->client[i])
			return true;
	return which->mbim;
}

bool modem_shows(const struct modem *which, const char *block)
{
	size_t n = strlen(block);

	for (size_t i = 0; which->active && i < which->active->nitf; i++) {
		const char *name = which->active->itf[i].block;

		if (!strncmp(name, block, n) && name[n] == ' ')
			return true;
	}
	return false;
}
