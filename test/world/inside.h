/* What the pieces of the played machine know of each other. */
#ifndef WORLD_INSIDE_H
#define WORLD_INSIDE_H

#include "world.h"

#include <poll.h>
#include <signal.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/types.h>
#include <termios.h>

#define LEN(x) (sizeof(x) / sizeof *(x))

enum { URBS = 4, FDS = 48, PROCESSES = 80, DEVICES = 80, INTERFACES = 32, FOREVER = -1 };

/* ---- files ---- */

struct node;
typedef long node_write(struct node *, const char *text, size_t n);

struct node {
	struct node *parent, *child, *next;
	char name[48];
	enum { DIRECTORY, TEXT, LINK, CHARACTER } is;
	bool gone, hidden; /* removed; not mounted: nothing is to be seen in it */
	char *text;        /* contents, or a link's target */
	size_t size;
	unsigned major, minor;
	uint64_t ino;
	node_write *write;     /* NULL: what is written is there */
	struct device *device; /* whose lock reading it takes */
};

/* Names and contents: good until sixteen others are made. */
const char *format(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
struct node *files_make(const char *path, int is, const char *text);
struct node *files_find(const char *path, bool follow);
void files_remove(struct node *);
void files_reset(void);
void files_text(struct node *n, const void *text, size_t size);
const char *files_path(const struct node *);
bool files_hang(const char *path, const char *how);

/* ---- open files ---- */

struct open;
struct ops {
	long (*read)(struct open *, void *, size_t);
	long (*write)(struct open *, const void *, size_t);
	long (*ioctl)(struct open *, unsigned long, void *);
	short (*poll)(struct open *);
	void (*close)(struct open *);
};

struct urb_slot {
	void *user; /* the program's own, NULL: free */
	unsigned ep, size;
	bool done;
	int status, got;
	uint8_t data[16384];
};

struct open {
	const struct ops *ops;
	struct node *node;
	int refs, flags;
	size_t at;
	struct device *device; /* usbfs: */
	uint32_t claimed;
	struct urb_slot *urb;     /* URBS of them */
	struct line_device *line; /* tty, cdc-wdm */
	uint64_t mask;            /* signalfd */
	char *sink;               /* out, err, kmsg */
	size_t room;
	char (*queue)[512]; /* uevents */
	unsigned queued, first;
	bool overrun;
};

void open_drop(struct open *);

/* ---- processes ---- */

struct process {
	int pid, parent, group, status;
	enum { FREE, READY, BLOCKED, ZOMBIE } state;
	const char *in; /* the call that it is blocked in */
	bool killable, dying;
	bool (*awake)(struct process *);
	int64_t until;
	struct pollfd polled[8]; /* what it waits for */
	unsigned npolled;
	int waited;
	struct open *fd[FDS];
	bool cloexec[FDS];
	uint64_t pending, blocked, ignored; /* signals */
	void (*handler[64])(int);
	jmp_buf at;               /* where it goes on, */
	char *low, *stack, *data; /* and what it has then */
	size_t room;
};

extern struct machine {
	const char *drivers, *faults;
	int64_t clock, started; /* us */
	unsigned busy;          /* calls since anybody waited */
	struct process process[PROCESSES], *self;
	int first; /* pid of swflip's first process */
	int lastpid;
	struct open *lock; /* flock */
	struct outcome outcome;
	char exec[300];
	uint64_t blocked, ignored; /* signals, as swflip's first process found them */
	const char *left;          /* what its end, or what it became, found otherwise */
} world;

void process_start(int pid);
int process_run(int (*main)(int, char **), int argc, char **argv);
bool process_block(const char *in, bool (*awake)(struct process *), int64_t until, bool killable);
pid_t process_fork(void);
_Noreturn void process_exit(int status);
void process_signal(struct process *, int signal);
bool process_deliver(void); /* runs handlers of signals that have come; true: some did */
struct process *process_find(int pid);
void process_reset(void);
void process_idle(int64_t until);
int process_role(void);

/* ---- USB ---- */

struct interface {
	unsigned number, alt, class, subclass, protocol, neps;
	unsigned in, out, note;
	struct node *dir;
	const char *driver; /* NULL: none is bound */
	struct line_device *line;
	bool held;  /* by somebody's usbfs */
	bool taken; /* from its driver, which has not come back */
};

struct device {
	struct modem *modem;
	char port[24], sys[120];
	unsigned bus, devnum, config, truport, trucontroller;
	bool present, attached, started;
	/* us; 0: not, or not yet */
	int64_t start_at, enumerate_at, configure_at, drivers_at, locked_until;
	int64_t storage_at;
	unsigned storage_try;
	unsigned urb_errors; /* that its transfers have had */
	uint8_t descriptors[8192];
	size_t ndescriptors;
	struct interface interface[INTERFACES];
	unsigned ninterfaces;
	struct node *dir, *node;
	char *log;
	size_t nlog, roomlog;
};

extern struct device *usb_devices[DEVICES];
void usb_reset(void);
void usb_machine(void);
void usb_tick(void);
int64_t usb_due(void);
void usb_log(struct device *, const char *line);
void usb_bind(struct device *, struct interface *);
void usb_unbind(struct device *, struct interface *);
long usb_configure(struct device *d, unsigned value);
void usb_uevent(const char *action, const struct node *dir, const char *subsystem,
		const char *type);
bool has_driver(const char *name);
void events_tick(void);
int64_t events_due(void);
void events_line(const char *line);

/* ---- devices ---- */

/* A tty or a cdc-wdm. */
struct line_device {
	bool tty, gone, exclusive;
	struct device *device;
	struct interface *interface;
	unsigned number, opens;
	struct node *class, *dev;
	struct termios termios, found;
	char *input; /* tty: bytes; cdc-wdm: a message */
	size_t ninput;
	size_t unsent;
	unsigned errors; /* that its reads have had */
};

extern const struct ops tty_ops, wdm_ops, usbfs_ops, null_ops, sink_ops, uevent_ops, signal_ops;
struct line_device *line_new(struct device *, struct interface *, bool tty);
void line_gone(struct line_device *);
const char *line_left(void);
void lines_reset(void);
void uevents_send(const char *message, size_t n);
void uevents_listen(struct open *, bool on);

#endif
