/* What the pieces of the simulated modem know of each other. */
#ifndef INSIDE_H
#define INSIDE_H

#include "modem.h"

#include <stdarg.h>

#define LEN(x) (sizeof(x) / sizeof *(x))

enum { MAXLINES = 4096, MAXITF = 24, MAXMORE = 8, FLOOD = 1 << 20 };

enum timer { DROP, PLUG, NTIMER };

struct line {
	char *word; /* begins what is allocated */
	const char *value, *text;
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

struct itf {
	unsigned num, class[3], alt;
	const char *block, *speaks;
	bool bulk, intr;
	bool numbered;  /* its endpoints are, by the file */
	unsigned nmore; /* more bulk endpoints, on which nobody speaks */
	struct ep in, out, note, more[MAXMORE];
	bool dtr;
	struct chunk *msg; /* encapsulated answers that the host has not fetched */
	char line[1024];   /* the AT command so far, */
	size_t nline;
	char echo[2200]; /* and its echo, sent with the answer */
	bool echoes;
};

struct config {
	struct itf itf[MAXITF];
	size_t nitf, len;
	unsigned char desc[2048];
};

struct modem {
	const struct host *host;
	unsigned port, controller, scale;
	enum speed speed;
	bool lone;
	const char *nvfile;
	struct line line[MAXLINES];
	size_t nline;
	long long due[NTIMER];
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

	const char *why; /* of the next DROP */
	unsigned steps, flips, crashes;
	bool hung, unlocked, mbim, wasreset, selected;
	unsigned opmode;
	unsigned char client[256]; /* service of each QMI client */
	bool tunnel;               /* the QMI message came in MBIM, */
	uint32_t tid;              /* in this transaction */
	unsigned char uuid[16];
};

extern struct modem
	*m; /* the one that is at it: every function of modem.h begins by saying which */

/* file.c */
_Noreturn void die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
const struct line *mode_block(const char *name);
struct line *find(const struct line *after, const char *word);
const char *value(const char *word);
unsigned number(const char *word, int base);
bool is(const char *word, const char *what);
const struct line *below(const struct line *head, const struct line *last);
const char *ofmode(const char *word);
bool hasword(const char *list, const char *word);
bool inrange(const char *s, unsigned n);
long ms(const char *word);
long scaled(const char *number);
struct line *rule(const char *word, const char *key);
const char *ruled(const char *word);
const char *textof(const struct line *head);

/* life.c */
long long now(void);
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
const char *visible(const char *s, size_t len, size_t max);
bool step(void);
bool early(const char *word);
void nvload(void);
const char *store(const char *name, unsigned val);
void nvsave(void);
void leave(const char *why, long long in);
void reset(const char *who);

/* usb.c */
struct msg {
	size_t n;
	unsigned char b[MAXMSG];
};
unsigned le16(const unsigned char *p);
uint32_t le32(const unsigned char *p);
void put(struct msg *g, uint32_t v, int bytes);
void putbytes(struct msg *g, const void *p, size_t n);
void enqueue(struct chunk **head, const void *data, size_t len, long long due);
void dequeue(struct chunk **head);
void notify(struct itf *t, const void *data, size_t len);
bool speaks(const struct itf *t, const char *what);
void addconfig(const char *words);
void quiet(struct config *c);

/* at.c */
struct bit {
	unsigned bit;
	const char *block, *name;
};
extern const struct bit bits[];
extern const size_t nbits;
bool comprow(unsigned n);
bool accepts(const char *name, unsigned val, bool listed);
void atbytes(struct itf *t, const unsigned char *p, size_t n);

/* qmi.c */
void qmiframe(struct itf *t, const unsigned char *p, size_t n);
void mbimframe(struct itf *t, const unsigned char *p, size_t n);

#endif
