/* A simulated Sierra Wireless modem, as well and as badly behaved as real ones, behind a small
 * interface: who has it is its host, and gives it bytes and the time. test/modem/main.c is one
 * (a USB/IP device for a real kernel), test/world another (a kernel that is played). Described
 * by a file of test/modems; `words` names all its words. */
#ifndef MODEM_H
#define MODEM_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	MAXMSG = 4096,        /* one control transfer, one encapsulated message */
	NEVER = INT_MIN,      /* a request that is not answered, a transfer that is not taken */
	NOTYET = INT_MIN + 1, /* nothing to be had from this endpoint now */
};

enum speed { FULL = 2, HIGH = 3, SUPER = 5 }; /* as vhci's attach file has them */

struct modem;

/* What a modem asks of its host. */
struct host {
	long long (*now)(void);                        /* ms */
	void (*say)(struct modem *, const char *line); /* for the log */
	bool (*attach)(struct modem *); /* onto the bus; false: the port is not free */
	void (*detach)(struct modem *); /* off it */
	void (*end)(struct modem *);    /* off it for good */
	void (*run)(struct modem *, const char *command); /* the shell command of a step */
};

/* A modem without power. port and controller are vhci's: ports 0 to 14 are high-speed ones, 15
 * to 29 super-speed ones. lone: one AT port, without USB. */
struct modem *modem_new(const struct host *, bool lone, unsigned port, unsigned controller,
			unsigned scale);
void modem_line(struct modem *which, const char *s); /* of a modem file, before it; \n divides */
void modem_file(struct modem *, const char *name, const char *nvfile); /* nvfile: may be NULL */
void modem_free(struct modem *);

void modem_start(struct modem *);    /* gives it power */
void modem_replug(struct modem *);   /* takes the cable out and puts it in again */
long long modem_due(struct modem *); /* when something happens by itself, 0: never */
void modem_tick(struct modem *);     /* lets it happen */

/* A control request: what setup says, data of an OUT one, room for MAXMSG bytes of an IN one's.
 * Returns how many, or -EPIPE, or NEVER. */
int modem_control(struct modem *which, const uint8_t setup[8], const uint8_t *data, uint8_t *out);
/* A bulk transfer to the modem: n, -EPIPE, or NEVER. One from it, bulk or interrupt: bytes,
 * -EPIPE, -EOVERFLOW, NOTYET. */
int modem_out(struct modem *, unsigned ep, const void *data, size_t n);
int modem_in(struct modem *which, unsigned ep, void *data, size_t room);

/* What is known from outside. */
unsigned modem_port(const struct modem *, unsigned *controller);
enum speed modem_speed(const struct modem *);
/* A setting that is stored: vid pid bootpid comp type mask. */
unsigned modem_stored(const struct modem *, const char *setting);
unsigned modem_running(const struct modem *, const char *setting); /* since its last start */
bool modem_shows(const struct modem *, const char *block);         /* now, on the bus */
bool modem_used(const struct modem *); /* it has a QMI client, or its MBIM is open */
const char *modem_value(struct modem *, const char *word); /* of its file, or NULL */

#endif
