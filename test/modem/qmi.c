/* QMI: answers go out as encapsulated messages, or in the MBIM answer that belongs to them. */
#define _GNU_SOURCE
#include "inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* QMI's numbers on a modem that has bits instead: what it takes to be one, what is written. */
static const struct {
	unsigned comp, need, mask;
} compbits[] = {
	{ 7, 0x400, 0xd0d },
	{ 6, 0x100, 0x10d },
	{ 8, 0x1008, 0x100d },
	{ 9, 0x1000, 0x1000 },
};

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
	put(&g, asked ? m->tid : 0, 4);
	put(&g, 1, 4);
	put(&g, 0, 4);
	putbytes(&g, m->uuid, sizeof m->uuid);
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
	if (m->tunnel)
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
	while (c < 254 && m->client[c])
		c++;
	if (find(NULL, "qmi-noclient"))
		c = 0;
	else
		m->client[c] = *p;
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
	if (!p[1] || m->client[p[1]] != *p)
		return 5;
	m->client[p[1]] = 0;
	result(&q->out, 0);
	tlv(&q->out, 1, 2, p);
	return 0;
}

static unsigned ctlsync(struct qmi *q)
{
	memset(m->client, 0, sizeof m->client);
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
	tlv(&q->out, 1, 1, (const unsigned char[]){ (unsigned char)m->opmode });
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
		if (m->opmode != 3)
			return 60;
		how = ruled("reset");
		if (!strcmp(how, "error"))
			return 3;
		if (strcmp(how, "ignored"))
			reset("qmi");
		else
			say("ignored reset");
	} else {
		m->opmode = *p;
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
		cur = (unsigned char)compof(find(NULL, "qmi-running") ? &m->running : &m->stored);
	size_t n = 1;

	if (value("qmi-third") && compof(&m->stored) != compof(&m->running))
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
	else if (q->service && early("qmi-not-ready"))
		error = 52;
	else if (q->service && (!q->client || m->client[q->client] != q->service))
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
	/* answers to nobody: in MBIM they can only come as indications, the transaction is
	 * answered once */
	if (q->service && find(NULL, "qmi-stranger")) {
		struct qmi client = *q, tid = *q;
		struct msg wrong = { 0 };
		enum kind kind = m->tunnel ? INDICATION : RESPONSE;

		client.client ^= 0x40;
		tid.tid ^= 0x40;
		result(&wrong, 3);
		qmisend(t, &client, kind, &wrong);
		qmisend(t, &tid, kind, &wrong);
	}
	qmisend(t, q, RESPONSE, g);
}

void qmiframe(struct itf *t, const unsigned char *p, size_t n)
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
	if ((!find(NULL, "dtr") || t->dtr || m->tunnel) && !early("qmi-deaf"))
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
	memcpy(m->uuid, p + 20, sizeof m->uuid);
	cid = le32(p + 36);
	type = le32(p + 40);
	len = le32(p + 44);
	say("mbim COMMAND %02x%02x%02x%02x %u %u", p[20], p[21], p[22], p[23], cid, type);
	if (len > n - 48)
		return;
	if (!memcmp(m->uuid, sierra, sizeof sierra) && cid == 1 && !find(NULL, "notunnel")) {
		m->tunnel = true;
		qmiframe(t, p + 48, len);
		m->tunnel = false;
	} else if (!memcmp(m->uuid, basic, sizeof basic) && cid == 1 && type == 0) {
		devicecaps(t);
	} else if (!memcmp(m->uuid, basic, sizeof basic) &&
		   cid == 19) { /* subscribe to indications: they all stay as asked */
		mbimdone(t, true, cid, 0, p + 48, len);
	} else {
		mbimdone(t, true, cid, memcmp(m->uuid, basic, sizeof basic) ? 2 : 9, NULL, 0);
	}
}

static void mbimerror(struct itf *t, uint32_t error)
{
	struct msg g = { 0 };

	put(&g, 0x80000004, 4);
	put(&g, 16, 4);
	put(&g, m->tid, 4);
	put(&g, error, 4);
	notify(t, g.b, g.n);
}

void mbimframe(struct itf *t, const unsigned char *p, size_t n)
{
	uint32_t type;
	struct msg g = { 0 };

	if (n < 12 || le32(p + 4) != n) {
		say("mbim malformed");
		return;
	}
	if (early("mbim-deaf"))
		return;
	type = le32(p);
	m->tid = le32(p + 8);
	if (type == 1 || type == 2) {
		if (type == 1) /* and how long a message may be */
			say("mbim OPEN %u", n < 16 ? 0 : le32(p + 12));
		else
			say("mbim CLOSE");
		m->mbim = type == 1;
		while (type == 1 && t->msg)
			dequeue(&t->msg);
		put(&g, type | 0x80000000, 4);
		put(&g, 16, 4);
		put(&g, m->tid, 4);
		put(&g, 0, 4);
		notify(t, g.b, g.n);
	} else if (!m->mbim) {
		mbimerror(t, 5);
	} else if (type == 3 && n >= 20 && le32(p + 12) == 1) {
		mbimcommand(t, p, n);
	} else {
		mbimerror(t, 2);
	}
}
