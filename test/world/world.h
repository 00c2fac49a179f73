/* A machine that is played, for the whole program: swflip.c, compiled as it is, with its system
 * calls going to the kernel of test/world instead of the real one (test/world/build does that
 * to the object file). Nothing of it is a process, a file or a second of the real machine:
 * swflip's processes are played one at a time, in an order that is the same every time, and the
 * clock goes on only when all of them wait. Half a minute of silence takes no time.
 *
 *	processes	process.c: fork, waitpid, signals, who runs next, the clock
 *	files		files.c: the tree of /sys, /proc, /dev and what is in it
 *	USB		usb.c: ports, enumeration by descriptors, drivers, uevents
 *	devices		devices.c: tty, cdc-wdm, usbfs, as the drivers of Linux 6.1 give them
 *	calls		kernel.c
 *
 * The modems are test/modem's. A test makes a machine, plugs modems in, runs swflip, and looks
 * at what became of them. */
#ifndef WORLD_H
#define WORLD_H

#include "../modem/modem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* drivers: module names of what the kernel has (ALL_DRIVERS); faults: words that fault() knows,
 * below. */
#define ALL_DRIVERS "sierra qcserial option usb-storage qmi_wwan cdc_mbim cdc_ether sierra_net"
void world_new(const char *drivers, const char *faults, const char *cmdline);
void world_end(void);

/* Faults of the machine, as words of world_new(), most with a value:
 *	hang=FILE	opening or reading that file (a pattern) never comes back, not even by
 *			SIGKILL; hang-open=, hang-read=, hang-write= only that; several are allowed
 *	killable	but by SIGKILL they do
 *	no=FILE		that file or directory is not there (no=/dev/ttyUSB*)
 *	nonetlink nobind overrun	uevents
 *	lock		descriptors takes the device's lock, as on kernels 3.13 to 4.5
 *	held=PORT:IF	somebody's usbfs has claimed that interface
 *	exclusive=FILE	somebody has that tty by TIOCEXCL
 *	user=FILE	somebody has that file open, as /proc says
 *	barred		devices are not authorized
 *	late-config=MS	they get their configuration only so long after they are there
 *	late-drivers=MS	drivers take their interfaces so long after these are there
 *	awake		autosuspend is off
 *	latepeer	ports' own links (PORT/port) are not there
 *	unmounted	/proc, /sys and /dev are not mounted yet
 *	stdin stdout stderr = closed full broken null	terminal: stderr is one
 *	nonblock	they are O_NONBLOCK
 *	background	the terminal is another process group's
 *	nomknod readonly	no device node can be made, nothing on disk; nomknod=denied says
 *			so as a security module does, by EACCES
 *	urb-error=N	that many transfers that wait for an answer end with EPROTO
 *	elsewhere	numbers of devices are others' already: sysfs places each node at port 9-9
 *	wdm-error N	that many reads of a cdc-wdm fail with EPIPE
 *	oops		whoever claims an interface dies
 *	nosignalfd bind-fails config-fails locked (another swflip runs) container
 *	noflock		files cannot be locked
 *	user1000	not root
 *	ignore=SIGNAL	numbers of signals that are ignored when swflip starts */
bool fault(const char *word);
const char *fault_value(const char *word, unsigned nth); /* NULL: not so many */

/* A modem in a port, now or that many ms later; file: one of test/modems; knobs: lines of a
 * modem file divided by `;`, which beat the file's. */
struct device *world_plug(const char *port, const char *file, const char *knobs, int64_t ms);
struct modem *world_modem(struct device *);
const char *world_log(const struct device *); /* what the modem saw, a line each */
const char *world_story(
	const struct device *);    /* of it what changes a modem: pid=68A2;comp=8;reset; */
void world_clear(struct device *); /* forgets that log */
bool world_present(const struct device *);
bool world_bound(const struct device *, const char *driver); /* to one of its interfaces */
unsigned world_config(const struct device *);                /* the active configuration, 0: none */
const char *world_port(const struct device *);               /* where it is now */
void world_wait(int64_t ms);                                 /* time goes by while nobody runs */
void world_power(void); /* all modems lose power and get it again, then all is quiet */

/* Sends a signal to swflip: at a time after its start, or when a line of any modem's log begins
 * with this. */
void world_signal(int signal, int64_t ms, const char *line);
/* Bytes of a file that swflip can read, or NULL. */
const char *world_text(const char *file);
void world_write(const char *file, const char *text); /* makes or replaces it */

struct outcome {
	int status;           /* of exit(), or -1 */
	int signal;           /* that ended it */
	bool locked;          /* the next swflip would wait, for a child that is left behind */
	bool hung, spun;      /* it would wait for ever; it called and called without waiting */
	const char *exec;     /* as process 1: what it became, and its arguments */
	int64_t took;         /* ms */
	unsigned calls;       /* system calls of all its processes */
	unsigned forks, left; /* children; those that still are there at its end */
	char out[16384], err[65536], kmsg[16384];
};

/* Runs it. arguments: words divided by blanks. pid 1: as the machine's first process. */
const struct outcome *world_run(const char *arguments, int pid);

/* What it has to leave as it was; NULL if it did. The next one is what it became as process 1: a
 * child that hangs is no excuse there. */
const char *world_left_behind(void);
const char *world_left_to_next(void);

/* Each call asks this, where a test has set it: true makes the call fail with errno, or, where
 * *result is set, return that. where: the address that it returns to in swflip. role: 0 the
 * first process, 1 its child as process 1, 2 a child. */
struct call {
	const char *name, *file;
	unsigned long request;
	const void *data, *where;
	size_t size;
	int fd, role;
};
extern bool (*world_hook)(const struct call *, long *result);
void world_late(int64_t ms); /* for a hook: the call takes that long first, and cannot be killed */

/* What comes from a modem to a driver or to usbfs goes through this, where a test has set it;
 * returns the length. */
extern size_t (*world_garble)(uint8_t *data, size_t n);

int64_t world_now(void); /* ms */

#endif
