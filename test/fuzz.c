/* fuzz - bytes from nowhere, for everything in swflip.c that reads what it did not write
 *
 * Six targets: answers (AT), descriptors, words (kernel command line, targets), uevents, frames (QMI, MBIM), and modem, in
 * which the whole program runs, main() to exit, in a world made here: a sysfs, a clock, a tty, usbfs and a modem behind
 * them that lies, stutters, falls silent and leaves whenever the bytes say so. It is honest where they end, so that no
 * bytes at all are a good day. What must hold on any day is held to by must().
 *
 * With libFuzzer (test/fuzz) the environment's FUZZ names the target. Without, main() plays all of test/corpus again, and
 * every file of it cut short and with a bit turned over. */
#define _GNU_SOURCE
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

struct sockaddr;
static int x_open(const char *, int, ...), x_close(int), x_ioctl(int, unsigned long, ...),
	x_access(const char *, int);
static int x_poll(struct pollfd *, nfds_t, int), x_clock(clockid_t, struct timespec *);
static ssize_t x_read(int, void *, size_t), x_write(int, const void *, size_t),
	x_readlink(const char *, char *, size_t);
static ssize_t x_recvfrom(int, void *, size_t, int, struct sockaddr *, socklen_t *);
static int x_socket(int, int, int), x_mknod(const char *, mode_t, dev_t);
static long x_syscall(long, ...);
static int x_tcgetattr(int, struct termios *), x_tcsetattr(int, int, const struct termios *),
	x_kill(pid_t, int);
static pid_t x_waitpid(pid_t, int *, int);
static _Noreturn void x_exit(int);
static int x_nothing(const void *);
static jmp_buf x_forked;

/* What the world does instead of the kernel. The child of a fork runs first, to its end, on the parent's stack. */
#define open                    x_open
#define close                   x_close
#define ioctl                   x_ioctl
#define access                  x_access
#define poll                    x_poll
#define clock_gettime           x_clock
#define read                    x_read
#define write                   x_write
#define readlink                x_readlink
#define recvfrom                x_recvfrom
#define socket                  x_socket
#define bind(fd, address, size) x_nothing(address)
#define mknod                   x_mknod
#define unlink(file)            x_nothing(file)
#define x_number(number, ...)   (number)
#define syscall(...)                                                                          \
	(x_number(__VA_ARGS__, 0) == SYS_fork ? (x_fork(), setjmp(x_forked) ? x_parent() : 0) \
					      : x_syscall(__VA_ARGS__, 0))
#define tcgetattr                  x_tcgetattr
#define tcsetattr                  x_tcsetattr
#define tcflush(fd, queue)         x_nothing(&x_forked)
#define waitpid                    x_waitpid
#define kill                       x_kill
#define _exit                      x_exit
#define flock(fd, how)             x_nothing(&x_forked)
#define getpid()                   2
#define signalfd(fd, set, flags)   -1
#define sigprocmask(how, set, old) x_nothing(set)
#define mmap                       x_mmap
static pid_t x_parent(void);
static void x_fork(void), *x_mmap(void *, size_t, int, int, int, off_t);

#include "native.h"

#undef open
#undef close
#undef read
#undef write
#undef mmap
#undef _exit
#undef waitpid
#undef ioctl
#undef access
#undef kill

/* ---- the world ---- */

enum { URB_INTERRUPT = 1, URB_BULK = 3 };
enum { FDS = 64, FIRST = 10, QUEUE = 16384, SPOKEN = 1 << 17 };

static struct {
	const uint8_t *data; /* what the modem decides by */
	size_t size;
	int64_t clock;  /* ms */
	unsigned calls; /* system calls since the clock last moved by itself */

	struct file { /* an open descriptor */
		enum {
			NONE,
			TEXTFILE,
			FOLDER,
			TTYFILE,
			USBFS,
			WDMFILE,
			UEVENTS,
			SINK,
			CONFIG,
			POWER
		} is;
		uint32_t devnum; /* of the modem that it was opened for */
		size_t n, at;
		char text[6000];
	} file[FDS];

	bool present, storage, mask, drivers, usbmodules, unlocked, nodes;
	uint32_t devnum;
	uint16_t pid, running_pid, vid;
	uint32_t comp, running; /* composition or bitmask */
	uint8_t active, type;
	int64_t leaves, returns; /* when, 0: not */
	int news;                /* uevents not read yet */

	char out[QUEUE]; /* bytes on their way to the host, from when on */
	size_t queued;
	int64_t due;
	char last[QUEUE];
	size_t nlast;
	uint8_t frame[4096]; /* an encapsulated answer */
	size_t framed;
	struct urb *in; /* with the kernel */
	uint8_t claimed, in_endpoint;

	char spoken[SPOKEN]; /* all that the modem ever said */
	size_t nspoken;
	unsigned pids, comps, resets, flips, selections;
	bool dry;
	int status; /* of the child */
	bool child, zombie;
} x;

static __typeof__(g) before, at_fork;
static bool x_show; /* FUZZ_SHOW in the environment: what is said */
static _Alignas(16) char shared_memory[1 << 18];

static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "not held: %s\n", what);
	abort();
}

static unsigned choose(unsigned n)
{
	if (!x.size)
		return 0;
	x.size--;
	return *x.data++ % n;
}

static void leave(int64_t after, int64_t away)
{
	if (!x.leaves)
		x.leaves = x.clock + after + 1, x.returns = x.leaves + away + 1;
}

/* The modem's next start: what is stored runs now. */
static void come_back(void)
{
	static const uint16_t odd[] = { 0x0fff, 0x9070, 0x68a2, 0x1234 };
	unsigned how = choose(8);

	x.returns = 0;
	x.devnum++;
	x.present = true;
	x.storage = how == 1;
	x.running_pid = how == 2 ? odd[choose(4)] : x.pid;
	x.running = x.comp;
	x.unlocked = false;
	x.active = (uint8_t)(how == 3 ? 0 : 1);
	x.queued = x.framed = 0;
	x.vid = (uint16_t)(how == 4 ? 0x0f3d : 0x1199);
	x.news += 2;
	if (choose(16) == 5)
		leave(choose(256) * 40, 300);
}

static void tick(int64_t to)
{
	while ((x.leaves && x.leaves <= to) || (x.returns && x.returns <= to && !x.leaves)) {
		if (x.leaves) {
			x.clock = x.leaves > x.clock ? x.leaves : x.clock;
			x.leaves = 0;
			x.present = false;
			x.news++;
			if (choose(32) == 31)
				x.returns = 0;
		} else {
			x.clock = x.returns > x.clock ? x.returns : x.clock;
			come_back();
		}
	}
	x.clock = to > x.clock ? to : x.clock;
}

static void call(void)
{
	must(++x.calls < 3000000, "spins");
	if (!(x.calls % 256))
		tick(x.clock + 1);
	if (x.child && x.clock > g.deadline + 450) { /* its parent would have killed it by now */
		x.status = SIGKILL;
		x.child = false;
		x.zombie = true;
		longjmp(x_forked, 1);
	}
}

/* ---- its modem ---- */

static unsigned shown(unsigned config) /* function bits of a configuration */
{
	unsigned bits = 0;

	if (x.mask) {
		for (unsigned f = 0; f < FUNCTIONS; f++)
			bits |= x.running & functions[f].bit ? BIT(f) : 0;
		return bits;
	}
	return x.running < LEN(compositions) ? compositions[x.running][config - 1] : 0;
}

static size_t interface(uint8_t *p, unsigned number, unsigned class, unsigned subclass,
			unsigned protocol, unsigned bulk, unsigned interrupt)
{
	uint8_t *q = p;

	memcpy(q,
	       (uint8_t[]){ 9, 4, (uint8_t)number, 0, (uint8_t)(2 * bulk + interrupt),
			    (uint8_t)class, (uint8_t)subclass, (uint8_t)protocol, 0 },
	       9);
	q += 9;
	if (interrupt)
		memcpy(q, (uint8_t[]){ 7, 5, (uint8_t)(0x81 + number % 7), 3, 8, 0, 5 }, 7), q += 7;
	if (bulk)
		memcpy(q,
		       (uint8_t[]){ 7, 5, (uint8_t)(0x81 + number), 2, 0, 2, 0, 7, 5,
				    (uint8_t)(1 + number), 2, 0, 2, 0 },
		       14),
			q += 14;
	return (size_t)(q - p);
}

static size_t configuration(uint8_t *p, uint8_t value, unsigned bits)
{
	static const struct {
		unsigned function, number, class, subclass, protocol, bulk, interrupt;
	} rows[] = {
		{ DM, 0, 0xff, 0xff, 0xff, 1, 0 },  { NMEA, 2, 0xff, 0xff, 0xff, 1, 1 },
		{ AT, 3, 0xff, 0xff, 0xff, 1, 1 },  { QMI, 8, 0xff, 0xff, 0xff, 1, 1 },
		{ NET, 7, 0xff, 0xff, 0xff, 1, 1 }, { MBIM, 12, 2, 0x0e, 0, 0, 1 },
		{ MBIM, 13, 0x0a, 0, 2, 1, 0 },     { ECM, 19, 2, 6, 0, 0, 1 },
		{ MS, 9, 8, 6, 0x50, 1, 0 },
	};
	size_t n = 9, count = 0;

	for (size_t i = 0; i < LEN(rows); i++)
		if (bits & BIT(rows[i].function)) {
			n += interface(p + n, rows[i].number, rows[i].class, rows[i].subclass,
				       rows[i].protocol, rows[i].bulk, rows[i].interrupt);
			count++;
		}
	memcpy(p,
	       (uint8_t[]){ 9, 2, (uint8_t)n, (uint8_t)(n >> 8), (uint8_t)count, value, 0, 0xe0,
			    0 },
	       9);
	return n;
}

static size_t descriptors(uint8_t *p)
{
	uint16_t pid = x.storage ? 0x0fff : x.running_pid;
	unsigned configs = x.storage || !shown(2) ? 1 : 2;
	size_t n = 18;

	memcpy(p,
	       (uint8_t[]){ 18, 1, 0, 2, 0, 0, 0, 64, (uint8_t)x.vid, (uint8_t)(x.vid >> 8),
			    (uint8_t)pid, (uint8_t)(pid >> 8), 6, 0, 3, 2, 4, (uint8_t)configs },
	       18);
	for (uint8_t c = 1; c <= configs; c++)
		n += configuration(p + n, c, x.storage ? BIT(MS) : shown(c));
	switch (choose(24)) {
	case 21:
		p[choose((unsigned)n)] = (uint8_t)choose(256);
		break;
	case 22:
		return choose((unsigned)n);
	case 23:
		for (n = 18; x.size && n < 300; n++)
			p[n] = (uint8_t)choose(256);
	}
	return n;
}

static void remember(const void *bytes, size_t n)
{
	if (x.nspoken + n + 1 < SPOKEN) {
		memcpy(x.spoken + x.nspoken, bytes, n);
		x.nspoken += n;
	} else {
		x.nspoken = SPOKEN; /* nothing is known any more */
	}
}

static void speak(const void *bytes, size_t n)
{
	n = n < QUEUE - x.queued ? n : QUEUE - x.queued;
	if (x_show)
		fprintf(stderr, "< %.*s\n", (int)n, (const char *)bytes);
	memcpy(x.out + x.queued, bytes, n);
	x.queued += n;
	remember(bytes, n);
}

/* Has the modem ever said this? */
static bool said(const char *word)
{
	size_t n = strlen(word);

	if (x.nspoken >= SPOKEN)
		return true;
	for (size_t i = 0; i + n <= x.nspoken; i++)
		if (!strncasecmp(x.spoken + i, word, n))
			return true;
	return false;
}

static const char *table(void)
{
	return x.mask ? "AT!USBCOMP=<Config Index>,<Config Type>,<Interface bitmask>\r\n  <Config "
			"Type>       - 1:Generic, 2:USBIF-MBIM\r\n"
			"  <Interface bitmask> - DIAG     - 0x00000001,\r\n NMEA - 0x00000004,\r\n "
			"MODEM - 0x00000008,\r\n RMNET0 - 0x00000100,\r\n"
			" MBIM - 0x00001000,\r\ne.g.\r\n10D - diag\r\n\r\nOK\r\n"
	       : x.pid == 0x68a3
		       ? "0 - HIP  DM    NMEA  AT    MDM1  MDM2  MDM3  MS  SUPPORTED\r\n3 - HIP  "
			 "DM    NMEA  AT    MDM1  NIC1  MS        SUPPORTED\r\n"
			 "6 - DM   NMEA  AT    QMI                         NOT "
			 "SUPPORTED\r\n\r\nOK\r\n"
		       : "0  - HIP  DM    NMEA  AT    MDM1  MDM2  MDM3  MS  NOT SUPPORTED\r\n6  - "
			 "DM   NMEA  AT    QMI      SUPPORTED\r\n"
			 "7  - DM   NMEA  AT    RMNET1 RMNET2 RMNET3        SUPPORTED\r\n8  - DM   "
			 "NMEA  AT    MBIM     SUPPORTED\r\n"
			 "9  - MBIM                                         SUPPORTED\r\n12 - DM   "
			 "NMEA  MBIM SUPPORTED\r\n"
			 "13 - Config1: comp6    Config2: comp8             SUPPORTED\r\n19 - "
			 "Config1: comp7    Config2: comp9             SUPPORTED\r\n"
			 "\r\nOK\r\n";
}

/* A write, of the target or putting back: only what it said itself, at most twice, never in a dry run. */
static void written(unsigned *times, const char *value)
{
	must(!x.dry, "a dry run writes");
	must(++*times <= 2, "a setting is written more than once and put back");
	must(said(value), "something is written that the modem never said");
}

static void reset_asked(void)
{
	must(!x.dry, "a dry run resets");
	must(++x.resets <= 2, "a third reset");
	if (choose(8) != 1)
		leave(choose(256) * 4, 500 + choose(256) * 20);
}

/* One AT command, its answer into x.out. */
static void answer(const char *command)
{
	static const char *const never[] = { "NVRESTORE", "RMARESET", "BOOTHOLD", "SETCND",
					     "OPENCND" };
	char text[4096] = "\r\n";
	size_t n;
	unsigned type = 0, value = 0;

	for (size_t i = 0; i < LEN(never); i++)
		must(!strcasestr(command, never[i]), "a command that must never be sent");
	if (!strncmp(command, "AT!ENTERCND=", 12)) {
		must(!strcmp(command + 12, "\"A710\""), "another code");
		x.unlocked = true;
		strcat(text, "OK\r\n");
	} else if (!strcmp(command, "ATI")) {
		strcat(text, "Model: MC7710\r\n\r\nOK\r\n");
	} else if (!x.mask && !strcmp(command, "AT!UDPID=?")) {
		strcat(text, "68A3\r\n68AA\r\n68A2\r\n68A9\r\n\r\nOK\r\n");
	} else if (!x.mask && !strcmp(command, "AT!UDPID?")) {
		snprintf(text, sizeof text, "\r\n!UDPID: %04X\r\n\r\nOK\r\n", x.pid);
	} else if (!x.mask && !strcmp(command, "AT!UDUSBCOMP?")) {
		snprintf(text, sizeof text, "\r\n!UDUSBCOMP: %u\r\n\r\nOK\r\n", x.comp);
	} else if (!strcmp(command, x.mask ? "AT!USBCOMP=?" : "AT!UDUSBCOMP=?")) {
		snprintf(text, sizeof text, "\r\n%s", table());
	} else if (!x.mask && sscanf(command, "AT!UDPID=%4x", &value) == 1) {
		written(&x.pids, strchr(command, '=') + 1);
		if (choose(16) != 1)
			x.pid = (uint16_t)value, x.comp = value == 0x68a3 ? 3 : 6;
		strcat(text, "OK\r\n");
	} else if (!x.mask && sscanf(command, "AT!UDUSBCOMP=%u", &value) == 1) {
		written(&x.comps, strchr(command, '=') + 1);
		if (choose(16) != 1)
			x.comp = value;
		strcat(text, "OK\r\n");
	} else if (x.mask && !strcmp(command, "AT!USBCOMP?")) {
		snprintf(text, sizeof text,
			 "\r\nConfig Index: 1\r\nConfig Type:  %u (Generic)\r\nInterface bitmask: "
			 "%08X (diag)\r\n\r\nOK\r\n",
			 x.type, x.comp);
	} else if (x.mask && !strcmp(command, "AT!USBPID?")) {
		snprintf(text, sizeof text,
			 "\r\n!USBPID:\r\nAPP : %04X\r\nBOOT: 9070\r\n\r\nOK\r\n", x.pid);
	} else if (sscanf(command, "AT!USBCOMP=1,%u,%X", &type, &value) == 2) {
		char number[12];

		snprintf(number, sizeof number, "%u", type);
		written(&x.comps, number);
		if (choose(16) != 1)
			x.comp = value;
		strcat(text, "OK\r\n");
	} else if (!strcmp(command, "AT!RESET")) {
		reset_asked();
		strcat(text, "OK\r\n");
	} else {
		must(strchr(command, '=') == NULL || strchr(command, '?'), "an unknown write");
		strcat(text, "ERROR\r\n");
	}
	n = strlen(text);
	x.due = x.clock;
	switch (choose(20)) {
	case 1:
		return;
	case 2:
		speak("\r\nERROR\r\n", 9);
		return;
	case 3:
		for (n = choose(200); n-- && x.size;)
			speak(&(char){ (char)choose(256) }, 1);
		speak("\r\nOK\r\n", 6);
		return;
	case 4:
		speak(text, choose((unsigned)n));
		return;
	case 5:
		text[choose((unsigned)n)] = (char)choose(256);
		break;
	case 6:
		speak(text, n);
		break;
	case 7:
		leave(choose(64), 100 + choose(256) * 10);
		break;
	case 8:
		speak(command, strlen(command));
		speak("\r", 1);
		break;
	case 9:
		for (unsigned i = 0; i < 9000; i += 9)
			speak("all work ", 9);
		break;
	case 10:
		speak(x.last, x.nlast);
		break;
	case 11:
		x.due = x.clock + choose(256) * 40;
		break;
	case 12:
		speak("\r\n+CREG: 1\r\n", 12);
		break;
	case 13:
		speak("\r\nOK\r\n", 6);
		break;
	case 14:
		memset(text + n, text[choose((unsigned)n)], 300);
		n += 300;
		break;
	}
	speak(text, n);
	memcpy(x.last, text, n);
	x.nlast = n;
}

/* Bytes of a command as they come, into lines. */
static void hear(const char *bytes, size_t n)
{
	char line[512];

	must(n < sizeof line && n && bytes[n - 1] == '\r', "a command without its end");
	memcpy(line, bytes, n);
	line[n - 1] = '\0';
	must(strlen(line) == n - 1, "a NUL in a command");
	if (x_show)
		fprintf(stderr, "%lld > %s\n", (long long)x.clock, line);
	answer(line);
}

/* A QMUX frame, its answer into p; the answer's length. */
static size_t qmux(const uint8_t *q, size_t n, uint8_t *p)
{
	unsigned service = n > 5 ? q[4] : 0, head = service ? 13 : 12;
	unsigned message = n >= head ? le16(q + head - 4) : 0;
	uint8_t *t = p + head;
	char number[12];

	if (n < head)
		return 0;
	memcpy(p, q, head);
	p[3] = 0x80;
	p[6] = service ? 2 : 1;
	memcpy(t, (uint8_t[]){ 2, 4, 0, 0, 0, 0, 0 }, 7);
	t += 7;
	if (!service && message == GET_CLIENT) {
		memcpy(t, (uint8_t[]){ 1, 2, 0, 2, 10 }, 5), t += 5;
	} else if (service && message == GET_COMP) {
		remember(number, (size_t)snprintf(number, sizeof number, " %u ", x.comp));
		remember(" 5 6 7 8 9 19 ", 14);
		memcpy(t, (uint8_t[]){ 0x10, 1, 0, (uint8_t)x.comp, 0x11, 6, 0, 5, 6, 7, 8, 9, 19 },
		       13),
			t += 13;
	} else if (service && message == SET_COMP) {
		snprintf(number, sizeof number, "%u", q[n - 1]);
		written(&x.comps, number);
		if (choose(16) != 1)
			x.comp = q[n - 1];
	} else if (service && message == SET_MODE && q[n - 1] == 4) {
		reset_asked();
	} else {
		must(message == RELEASE_CLIENT || message == SET_MODE, "an unknown QMI message");
	}
	put16(p + head - 2, (unsigned)(t - p - head));
	put16(p + 1, (unsigned)(t - p - 1));
	return (size_t)(t - p);
}

/* SEND_ENCAPSULATED_COMMAND. */
static void encapsulated(const uint8_t *q, size_t n)
{
	size_t m = 0;

	if (n >= 12 && q[0] != 1 && !memcmp(q + 1, (uint8_t[]){ 0, 0, 0 }, 3) &&
	    le32(q) == MBIM_COMMAND && n >= MBIM_HEAD) {
		m = qmux(q + MBIM_HEAD, n - MBIM_HEAD, x.frame + MBIM_HEAD);
		memcpy(x.frame, q, MBIM_HEAD);
		put32(x.frame + 40, 0);
		put32(x.frame + 44, (uint32_t)m);
		m += MBIM_HEAD;
	} else if (n >= 12 && !memcmp(q + 1, (uint8_t[]){ 0, 0, 0 }, 3)) {
		memcpy(x.frame, q, 12);
		put32(x.frame + 12, 0);
		m = 16;
	} else {
		m = qmux(q, n, x.frame);
	}
	if (m >= 16 && n >= 12 && !memcmp(q + 1, (uint8_t[]){ 0, 0, 0 }, 3)) {
		x.frame[3] = 0x80;
		put32(x.frame + 4, (uint32_t)m);
	}
	switch (m ? choose(12) : 1) {
	case 1:
		m = 0;
		break;
	case 2:
		x.frame[choose((unsigned)m)] = (uint8_t)choose(256);
		x.nspoken = SPOKEN; /* which may be a number */
		break;
	case 3:
		m = choose((unsigned)m);
		break;
	case 4:
		x.nspoken = SPOKEN;
		for (m = 0; x.size && m < 200; m++)
			x.frame[m] = (uint8_t)choose(256);
		break;
	case 5:
		leave(choose(64), 100);
	}
	x.framed = m;
	x.due = x.clock;
}

/* ---- its kernel ---- */

#define SYSUSB "/sys/bus/usb/devices/1-1"

static bool alive(const struct file *f)
{
	return x.present && f->devnum == x.devnum;
}

static bool has_interface(unsigned number)
{
	unsigned bits = x.storage ? BIT(MS) : shown(x.active);

	return x.present && x.active &&
	       ((number == 3 && (bits & BIT(AT))) || (number == 8 && (bits & BIT(QMI))) ||
		(number == 12 && (bits & BIT(MBIM))) || (number == 9 && (bits & BIT(MS))));
}

/* The names in a directory, each behind a blank; false where there is none. */
/* A path without the slash at its end. */
static const char *bare(const char *file)
{
	static char copy[300];

	snprintf(copy, sizeof copy, "%s", file);
	if (strlen(copy) > 1 && copy[strlen(copy) - 1] == '/')
		copy[strlen(copy) - 1] = '\0';
	return copy;
}

static bool directory(const char *file, char *names, size_t size)
{
	unsigned c, i;
	char end;

	names[0] = '\0';
	if (!strcmp(file, "/sys/bus/usb") || !strcmp(file, "/sys/bus") || !strcmp(file, "/"))
		return true;
	if (!strcmp(file, "/sys/bus/usb/devices"))
		return snprintf(names, size, "usb1 1-0:1.0%s", x.present ? " 1-1 1-1:1.0" : ""),
		       true;
	if (!strcmp(file, SYSUSB) && x.present) {
		for (i = 0; i < 20 && x.active; i++)
			if (has_interface(i) || i == 0)
				snprintf(names + strlen(names), size - strlen(names), " 1-1:%u.%u",
					 x.active, i);
		return true;
	}
	if (!strcmp(file, "/sys/bus/usb-serial/drivers") && x.drivers)
		return snprintf(names, size, "generic qcserial"), true;
	if (!strncmp(file, "/sys/bus/usb/drivers/", 21) && x.drivers)
		return snprintf(names, size, "bind 1-1:1.8"), true;
	if (x.drivers && sscanf(file, SYSUSB ":%u.%u%c", &c, &i, &end) == 2 && c == x.active &&
	    has_interface(i))
		return snprintf(names, size,
				i == 3 ? "bAlternateSetting ttyUSB2 uevent" : "uevent"),
		       true;
	if (x.drivers && sscanf(file, SYSUSB ":%u.%u/usbmis%c", &c, &i, &end) == 3 &&
	    c == x.active && has_interface(i) && i != 3 && i != 9)
		return snprintf(names, size, "cdc-wdm0"), true;
	return false;
}

static int new_file(unsigned is)
{
	for (int i = 0; i < FDS; i++)
		if (!x.file[i].is) {
			x.file[i].is = is;
			x.file[i].devnum = x.devnum;
			x.file[i].n = x.file[i].at = 0;
			return FIRST + i;
		}
	must(false, "descriptors leak");
	return -1;
}

static struct file *of(int fd)
{
	must(fd >= FIRST && fd < FIRST + FDS && x.file[fd - FIRST].is,
	     "a descriptor that is not open");
	return &x.file[fd - FIRST];
}

static char cmdline[4200];
static size_t ncmdline;

static int x_open(const char *file, int flags, ...)
{
	int fd = -1;
	struct file *f;
	char names[600];

	call();
	if (!strcmp(file, "/dev/null") || !strcmp(file, "/dev/kmsg"))
		return new_file(SINK);
	must(flags & O_CLOEXEC || !strcmp(file, "/"), "no O_CLOEXEC");
	if (flags & O_DIRECTORY && directory(bare(file), names, sizeof names)) {
		fd = new_file(FOLDER);
		f = of(fd);
		for (char *word = strtok(names, " "); word; word = strtok(NULL, " ")) {
			size_t n = strlen(word), length = (19 + n + 1 + 7) & ~(size_t)7;

			memset(f->text + f->n, 0, length);
			f->text[f->n + 16] = (char)length;
			memcpy(f->text + f->n + 19, word, n);
			f->n += length;
		}
		return fd;
	}
	if (strstr(file, "bConfigurationValue") && x.present)
		return new_file(CONFIG);
	if (strstr(file, "power/control") && x.present && (flags & O_ACCMODE) == O_WRONLY)
		return new_file(POWER);
	if (!strcmp(file, "/dev/ttyUSB2") ||
	    (strstr(file, "/.swflip-") && !strncmp(file, "/tmp", 4))) {
		if (x.present && x.drivers && choose(16) != 1)
			return new_file(TTYFILE);
		errno = choose(2) ? EBUSY : ENODEV;
		return -1;
	}
	if (!strcmp(file, "/dev/cdc-wdm0") && x.present && x.drivers)
		return new_file(WDMFILE);
	if (!strncmp(file, "/dev/bus/usb/001/", 17) && x.present &&
	    (uint32_t)atoi(file + 17) == x.devnum)
		return new_file(USBFS);
	fd = new_file(TEXTFILE);
	f = of(fd);
	if (!strcmp(file, SYSUSB "/descriptors") && x.present)
		f->n = descriptors((uint8_t *)f->text);
	else if (!strcmp(file, SYSUSB "/devnum") && x.present)
		f->n = (size_t)snprintf(f->text, 20, "%u\n", x.devnum);
	else if (!strcmp(file, SYSUSB "/busnum") && x.present)
		f->n = (size_t)snprintf(f->text, 20, "1\n");
	else if (!strcmp(file, SYSUSB "/dev") && x.present)
		f->n = (size_t)snprintf(f->text, 20, "189:%u\n", x.devnum - 1);
	else if (!strcmp(file, SYSUSB "/authorized") && x.present)
		f->n = (size_t)snprintf(f->text, 20, "%u\n", choose(8) != 1);
	else if (!strcmp(file, SYSUSB "/power/control") && x.present)
		f->n = (size_t)snprintf(f->text, 20, "auto\n");
	else if (strstr(file, "/ttyUSB2/dev") && has_interface(3) && x.drivers)
		f->n = (size_t)snprintf(f->text, 20, "188:2\n");
	else if (strstr(file, "/cdc-wdm0/dev") && x.present && x.drivers)
		f->n = (size_t)snprintf(f->text, 20, "180:0\n");
	else if (!strcmp(file, "/proc/cmdline"))
		memcpy(f->text, cmdline, f->n = ncmdline);
	else {
		f->is = NONE;
		errno = ENOENT;
		return -1;
	}
	return fd;
}

static int x_close(int fd)
{
	struct file *f = of(fd);

	call();
	if (f->is == USBFS)
		x.in = NULL;
	f->is = NONE;
	return 0;
}

static ssize_t x_read(int fd, void *buf, size_t size)
{
	struct file *f = of(fd);
	size_t n;

	call();
	if (f->is == TEXTFILE) {
		n = f->n - f->at < size ? f->n - f->at : size;
		memcpy(buf, f->text + f->at, n);
		f->at += n;
		return (ssize_t)n;
	}
	if (!alive(f)) {
		errno = EIO;
		return choose(2) ? -1 : 0;
	}
	if (f->is == WDMFILE && x.framed && x.due <= x.clock) {
		memcpy(buf, x.frame, n = x.framed < size ? x.framed : size);
		x.framed = 0;
		return (ssize_t)n;
	}
	if (f->is == TTYFILE && x.queued && x.due <= x.clock) {
		n = choose(4) ? choose(30) + 1 : x.queued;
		n = n < x.queued ? n : x.queued;
		n = n < size ? n : size;
		memcpy(buf, x.out, n);
		memmove(x.out, x.out + n, x.queued -= n);
		return (ssize_t)n;
	}
	errno = EAGAIN;
	return -1;
}

static ssize_t x_write(int fd, const void *buf, size_t n)
{
	struct file *f;
	int value;

	call();
	if (fd == 1 || fd == 2) {
		if (x_show)
			fwrite(buf, 1, n, stderr);
		must(!x.present || !memmem(buf, n, "A710", 4), "the code is shown");
		for (size_t i = 0; i + 1 < n; i++)
			must(((const char *)buf)[i] >= ' ' ||
				     strchr("\t\n\r\033", ((const char *)buf)[i]),
			     "a control character is printed");
		return (ssize_t)n;
	}
	f = of(fd);
	switch (f->is) {
	case SINK:
		must(!memmem(buf, n, "A710", 4), "the code is shown");
		return (ssize_t)n;
	case CONFIG:
		must(!x.dry && ++x.selections < 20, "too many configurations, or a dry run's");
		value = atoi(buf);
		if (choose(8) == 1 || (value == 2 && !shown(2))) {
			errno = EINVAL;
			return -1;
		}
		x.active = (uint8_t)value;
		x.news++;
		return (ssize_t)n;
	case POWER:
		return (ssize_t)n;
	case TTYFILE:
		if (!alive(f) || choose(32) == 1) {
			errno = EIO;
			return -1;
		}
		hear(buf, n);
		return (ssize_t)n;
	case WDMFILE:
		if (!alive(f)) {
			errno = ENODEV;
			return -1;
		}
		encapsulated(buf, n);
		return (ssize_t)n;
	default:
		must(false, "a file is written that must not be");
		return -1;
	}
}

static int gone(void)
{
	static const int left_by[] = { ENODEV, ESHUTDOWN, EPROTO };

	errno = left_by[choose(3)];
	return -1;
}

static int control_request(const struct ctrltransfer *c)
{
	static const struct {
		uint8_t type, request;
	} known[] = { { 0x40, 0x0b }, { 0xc0, 0x0a }, { 0x21, 0x22 }, { 0x21, 0 }, { 0xa1, 1 } };
	size_t i = 0, n;

	while (i < LEN(known) &&
	       (known[i].type != c->bRequestType || known[i].request != c->bRequest))
		i++;
	must(i < LEN(known), "an unknown control request");
	switch (i) {
	case 0:
		must(!x.dry && c->wValue == 1 && !c->wIndex && !c->wLength,
		     "SetSwocMode other than 1, or in a dry run");
		must(++x.flips <= 3 * FLIPS, "flips without end");
		if (x.storage && choose(8) != 1) {
			x.storage = false;
			leave(choose(256) * 10, 370);
		}
		if (choose(4) == 1) {
			errno = EPIPE;
			return -1;
		}
		return 0;
	case 1:
		memset(c->data, 0, c->wLength);
		return (int)(choose(4) == 1 ? choose(c->wLength) : c->wLength);
	case 3:
		encapsulated(c->data, c->wLength);
		return c->wLength;
	case 4:
		n = x.framed < c->wLength ? x.framed : c->wLength;
		memcpy(c->data, x.frame, n);
		x.framed = 0;
		return (int)n;
	default:
		return 0;
	}
}

static int x_ioctl(int fd, unsigned long request, ...)
{
	struct file *f = fd < 0 ? NULL : of(fd);
	void *data;
	va_list ap;

	call();
	va_start(ap, request);
	data = va_arg(ap, void *);
	va_end(ap);
	if (!f) {
		errno = EBADF;
		return -1;
	}
	if (f->is == TTYFILE) {
		if (request == TIOCGEXCL)
			*(int *)data = choose(32) == 1;
		return 0;
	}
	must(f->is == USBFS, "an ioctl of something else");
	if (request == USBDEVFS_REAPURBNDELAY) {
		if (x.in && !alive(f)) {
			x.in->status = -ESHUTDOWN;
			x.in->actual_length = 0;
		} else if (x.in && x.in->type == URB_INTERRUPT && x.framed && x.due <= x.clock) {
			x.in->actual_length = 8;
			memcpy(x.in->buffer, (uint8_t[]){ 0xa1, 1, 0, 0, 8, 0, 0, 0 }, 8);
			x.in->status = 0;
		} else if (x.in && x.in->type == URB_BULK && x.queued && x.due <= x.clock) {
			size_t n = x.queued < (size_t)x.in->buffer_length
					   ? x.queued
					   : (size_t)x.in->buffer_length;

			memcpy(x.in->buffer, x.out, n);
			memmove(x.out, x.out + n, x.queued -= n);
			x.in->actual_length = (int)n;
			x.in->status = choose(32) == 1 ? -EPIPE : choose(32) == 1 ? -EOVERFLOW : 0;
		} else {
			errno = EAGAIN;
			return -1;
		}
		*(struct urb **)data = x.in;
		x.in = NULL;
		return 0;
	}
	if (request == USBDEVFS_RELEASEINTERFACE)
		x.in = NULL;
	if (!alive(f))
		return gone();
	if (request == USBDEVFS_CONTROL)
		return choose(24) == 1 ? (errno = ETIMEDOUT, -1) : control_request(data);
	if (request == USBDEVFS_SUBMITURB) {
		must(!x.in, "a second URB in");
		if (!(((struct urb *)data)->endpoint & 0x80)) { /* an interface that has none */
			errno = ENOENT;
			return -1;
		}
		x.in = data;
		return 0;
	}
	if (request == USBDEVFS_BULK) {
		const struct bulktransfer *b = data;

		must(x.in && !(b->ep & 0x80), "a command that nobody hears the answer to");
		hear(b->data, b->len);
		return (int)b->len;
	}
	if (request == USBDEVFS_DISCONNECT_CLAIM && choose(16) == 1) {
		errno = EBUSY;
		return -1;
	}
	return 0;
}

static int x_poll(struct pollfd *p, nfds_t n, int ms)
{
	int64_t until = x.clock + ms;

	must(n == 2 && p[1].fd < 0, "one descriptor, and no signals");
	call();
	for (;;) {
		const struct file *f = p->fd >= 0 ? of(p->fd) : NULL;
		int64_t next = until;
		bool pending =
			f && (f->is == TTYFILE || (f->is == USBFS && x.in && x.in->type == URB_BULK)
				      ? x.queued
				      : x.framed);

		p->revents = 0;
		if (f && f->is == UEVENTS && x.news)
			p->revents = POLLIN;
		else if (f && (f->is == TTYFILE || f->is == WDMFILE) &&
			 (!alive(f) || (pending && x.due <= x.clock)))
			p->revents = (short)(alive(f) ? POLLIN : POLLIN | POLLHUP);
		else if (f && f->is == USBFS &&
			 (!alive(f) || (x.in && pending && x.due <= x.clock)))
			p->revents = (short)(alive(f) ? POLLOUT : POLLOUT | POLLHUP);
		if (p->revents)
			return 1;
		if (x.clock >= until)
			return 0;
		if (pending && x.due > x.clock && x.due < next)
			next = x.due;
		if (x.leaves && x.leaves < next)
			next = x.leaves;
		else if (x.returns && !x.leaves && x.returns < next)
			next = x.returns;
		if (x.child && next > g.deadline + 451)
			next = g.deadline + 451;
		x.calls = 0;
		tick(next > x.clock ? next : x.clock + 1);
		call();
	}
}

static int x_clock(clockid_t clock, struct timespec *t)
{
	(void)clock;
	call();
	t->tv_sec = (time_t)(x.clock / 1000);
	t->tv_nsec = (long)(x.clock % 1000) * 1000000;
	return 0;
}

static int x_access(const char *file, int mode)
{
	char names[600];

	(void)mode;
	return directory(file, names, sizeof names) ? 0 : -1;
}

static ssize_t x_readlink(const char *file, char *buf, size_t size)
{
	char link[200] = "";

	call();
	if (!strcmp(file, "/sys/dev/char/188:2") && has_interface(3))
		snprintf(link, sizeof link,
			 "../../devices/pci/usb1/1-1/1-1:%u.3/ttyUSB2/tty/ttyUSB2", x.active);
	else if (!strcmp(file, "/sys/dev/char/180:0"))
		snprintf(link, sizeof link, "../../devices/pci/usb1/1-1/1-1:%u.%u/usbmisc/cdc-wdm0",
			 x.active, has_interface(12) ? 12 : 8);
	else if (!strncmp(file, "/sys/dev/char/189:", 18) && x.present &&
		 (uint32_t)atoi(file + 18) == x.devnum - 1)
		snprintf(link, sizeof link, "../../devices/pci/usb1/1-1");
	else if (strstr(file, "/driver") && x.drivers)
		snprintf(link, sizeof link, "../../bus/usb/drivers/qcserial");
	else if (strstr(file, "/peer"))
		for (size_t i = 0; i + 1 < sizeof link && x.size && choose(4); i++)
			link[i] = (char)(choose(255) + 1);
	if (!link[0])
		return -1;
	size = strlen(link) < size ? strlen(link) : size;
	memcpy(buf, link, size);
	return (ssize_t)size;
}

static ssize_t x_recvfrom(int fd, void *buf, size_t size, int flags, struct sockaddr *from,
			  socklen_t *length)
{
	static const char message[] = "change@/devices/pci/usb1/1-1";
	struct netlink kernel = { .family = AF_NETLINK };
	size_t n = sizeof message;

	(void)flags;
	must(of(fd)->is == UEVENTS, "not the socket");
	call();
	if (!x.news) {
		errno = EAGAIN;
		return -1;
	}
	x.news--;
	memcpy(buf, message, n);
	switch (choose(16)) {
	case 1:
		kernel.pid = 7;
		break;
	case 2:
		errno = ENOBUFS;
		return -1;
	case 3:
		for (n = 0; n < size && n < 60 && x.size; n++)
			((char *)buf)[n] = (char)choose(256);
	}
	memcpy(from, &kernel, *length < sizeof kernel ? *length : sizeof kernel);
	*length = sizeof kernel;
	return (ssize_t)n;
}

static int x_socket(int family, int type, int protocol)
{
	(void)family;
	(void)protocol;
	must(type & SOCK_CLOEXEC, "no SOCK_CLOEXEC");
	return x.usbmodules ? new_file(UEVENTS) : -1;
}

static int x_identify(const char *file, struct identity *is)
{
	memset(is, 0, sizeof *is);
	is->mode = S_IFCHR;
	if (!strcmp(file, "/dev/ttyUSB2"))
		memcpy(is->rdev, (uint32_t[]){ 188, 2 }, sizeof is->rdev);
	else if (!strcmp(file, "/dev/cdc-wdm0"))
		memcpy(is->rdev, (uint32_t[]){ 180, 0 }, sizeof is->rdev);
	else if (!strncmp(file, "/dev/bus/usb/001/", 17))
		memcpy(is->rdev, (uint32_t[]){ 189, (uint32_t)atoi(file + 17) - 1 },
		       sizeof is->rdev);
	else
		return -1;
	return x.nodes ? 0 : -1;
}

static int x_mknod(const char *file, mode_t mode, dev_t dev)
{
	must(S_ISCHR(mode) && strstr(file, "/.swflip-"), "a strange node");
	return major(dev) == 188 && !strncmp(file, "/tmp", 4) ? 0 : -1;
}

static long x_syscall(long number, ...)
{
	va_list ap;
	int fd;
	unsigned long second;
	uintptr_t third;
	struct identity *identity = NULL;
	char *buf;
	size_t n = 0;
	struct file *f;

	va_start(ap, number);
	fd = va_arg(ap, int); /* or a clock */
	second = va_arg(ap, unsigned long);
	third = va_arg(ap, uintptr_t);
	if (number == SYS_statx) {
		va_arg(ap, int);
		identity = va_arg(ap, struct identity *);
	}
	va_end(ap);
	if (number == SYS_ioctl)
		return x_ioctl(fd, (unsigned)second, (void *)third);
	if (number == SYS_clock_gettime)
		return x_clock(fd, (struct timespec *)second);
	if (number == SYS_statx)
		return x_identify((const char *)second, identity);
	must(number == SYS_getdents64, "a system call that is not expected");
	if (fd < 0)
		return -1;
	f = of(fd);
	buf = (char *)second;
	call();
	must(f->is == FOLDER, "getdents of a file");
	while (f->at < f->n && n + (uint8_t)f->text[f->at + 16] <= third) {
		size_t length = (uint8_t)f->text[f->at + 16];

		memcpy(buf + n, f->text + f->at, length);
		n += length;
		f->at += length;
	}
	return (long)n;
}

static int x_tcgetattr(int fd, struct termios *t)
{
	memset(t, 0, sizeof *t);
	return fd > 2 && of(fd)->is == TTYFILE && choose(32) != 1 ? 0 : -1;
}

static int x_tcsetattr(int fd, int when, const struct termios *t)
{
	(void)t;
	must(of(fd)->is == TTYFILE && when == TCSANOW, "TCSANOW, as the others may wait");
	return 0;
}

static _Noreturn void x_exit(int status)
{
	must(status == 0 || status == 1, "a child's status");
	x.status = status << 8;
	x.child = false;
	x.zombie = true;
	longjmp(x_forked, 1);
}

static int x_nothing(const void *argument)
{
	(void)argument;
	return 0;
}

static void x_fork(void)
{
	at_fork = g;
	x.child = true;
}

static pid_t x_parent(void)
{
	g = at_fork;
	return 77;
}

static pid_t x_waitpid(pid_t pid, int *status, int options)
{
	(void)pid;
	(void)options;
	if (!x.zombie)
		return 0;
	x.zombie = false;
	*status = x.status;
	return 77;
}

static int x_kill(pid_t pid, int signal)
{
	(void)pid;
	(void)signal;
	return 0;
}

static void *x_mmap(void *at, size_t n, int protection, int flags, int fd, off_t offset)
{
	(void)at, (void)protection, (void)flags, (void)fd, (void)offset;
	must(n <= sizeof shared_memory, "more memory than planned");
	memset(shared_memory, 0, n);
	return shared_memory;
}

/* ---- the targets ---- */

static struct world_start {
	const char *target, *options;
	bool mask, storage, drivers, nodes, netlink;
	uint16_t pid;
	uint32_t comp;
} starts[] = {
	/* target, options, mask, storage, drivers, nodes, netlink, pid, composition */
	{ "mbim", NULL, 0, 1, 1, 1, 1, 0x68a3, 3 },
	{ "mbim", NULL, 0, 0, 0, 1, 1, 0x68a3, 3 },
	{ "qmi", "-v", 0, 0, 1, 1, 0, 0x68a2, 8 },
	{ "68a3/3", NULL, 0, 0, 0, 1, 1, 0x68a2, 6 },
	{ "19@2", "-v", 0, 0, 1, 0, 1, 0x68a2, 6 },
	{ "mbim!", "-k", 0, 1, 0, 1, 0, 0x68a2, 19 },
	{ "9!", NULL, 0, 0, 1, 1, 1, 0x68a2, 8 },
	{ "at+mbim", NULL, 0, 0, 1, 1, 1, 0x68a2, 9 },
	{ "at", "-v", 0, 0, 0, 1, 1, 0x68a2, 9 },
	{ "mbim", NULL, 1, 0, 1, 1, 1, 0x9071, 0x10d },
	{ "0x10d", "-v", 1, 0, 0, 1, 1, 0x9071, 0x100d },
	{ "qmi", NULL, 1, 1, 1, 1, 1, 0x9079, 0x1009 },
	{ "mbim", "-n", 0, 0, 1, 1, 1, 0x68a3, 3 },
	{ "mbim", "-n", 0, 1, 0, 1, 1, 0x68a2, 6 },
	{ "mbim", "-l", 0, 0, 1, 1, 1, 0x68a2, 8 },
	{ "modem", NULL, 0, 1, 0, 1, 1, 0x68a3, 3 },
	{ "modem@2", NULL, 0, 0, 0, 1, 1, 0x68a2, 14 },
	{ "off", NULL, 0, 0, 0, 1, 1, 0x68a2, 14 },
};

/* The whole program against a whole modem. */
static int fuzz_modem(const uint8_t *data, size_t size)
{
	const struct world_start *s = &starts[size ? data[0] % LEN(starts) : 0];
	bool good = size <= 1;
	char *argv[] = { (char[]){ "swflip" },
			 (char[]){ "-t" },
			 (char *)s->target,
			 (char[]){ "-w" },
			 (char[]){ "60" },
			 (char *)s->options,
			 NULL };
	int64_t begin;
	int status;

	memset(&x, 0, sizeof x);
	x.data = size ? data + 1 : data;
	x.size = size ? size - 1 : 0;
	x.mask = s->mask;
	x.type = 1;
	x.storage = s->storage;
	x.drivers = s->drivers;
	x.nodes = s->nodes;
	x.usbmodules = s->netlink;
	x.pid = x.running_pid = s->pid;
	x.comp = x.running = s->comp;
	x.vid = 0x1199;
	x.devnum = 2;
	x.active = 1;
	x.present = true;
	x.clock = begin = 5000;
	x.dry = s->options && strchr("-n-l", s->options[1]) && s->options[1] != '-';
	ncmdline = 0;
	g = before;
	status = swflip_main(s->options ? 6 : 5, argv);
	must(status == 0 || status == 1 || status == 3, "the status");
	must(x.clock <= begin + 61000 + 100, "it ends by its deadline plus one second");
	must(!good || status == 0, "an honest modem is not in its target mode");
	must(!good || x.resets <= 1 || s->pid != 0x68a3, "an honest modem is reset twice");
	return 0;
}

/* What a modem may answer, in three line endings and in pieces, through all that reads answers. */
static int fuzz_answers(const uint8_t *data, size_t size)
{
	static const char *const commands[] = { "ATI",        "AT!UDUSBCOMP?", "AT!UDUSBCOMP=?",
						"AT!UDPID=?", "AT!USBCOMP=?",  "" };
	static struct link l;
	char *copy;
	struct offer o = { .pid = UNKNOWN };
	size_t n, piece = size ? data[0] % 64u + 1 : 1;
	const char *command = commands[size ? data[0] / 64u : 0];
	uint32_t value;

	memset(&l, 0, sizeof l);
	for (size_t at_ = 1; at_ < size; at_ += piece) {
		n = size - at_ < piece ? size - at_ : piece;
		memcpy(l.frame, data + at_, n);
		take(&l, command, (int)n);
		must(l.used < TEXT && l.line <= l.used && strlen(l.text) == l.used,
		     "an answer's length");
	}
	end_answer(&l, command);
	n = strlen(l.text);
	if (!(copy = malloc(n + 1))) /* with nothing behind it */
		return 0;
	memcpy(copy, l.text, n + 1);
	parse_rows(&o, copy);
	must(o.rows <= LEN(o.row), "rows");
	parse_pids(&o, copy);
	must(o.npids <= LEN(o.pids), "PIDs");
	parse_mask(&o, copy);
	must(parse_pid(copy) <= 0xffff, "a PID");
	number_after(copy, "!UDUSBCOMP", 10, &value);
	number_after(copy, "Config Type", 10, &value);
	number_after(copy, "Interface bitmask", 16, &value);
	for (unsigned i = 0; i < o.rows; i++)
		must(!o.row[i].supported || strcasestr(copy, "SUPPORTED"), "a row out of nothing");
	free(copy);
	return 0;
}

static int fuzz_descriptors(const uint8_t *data, size_t size)
{
	struct modem m;
	uint8_t *copy = malloc(size ? size : 1);

	memset(&m, 0, sizeof m);
	if (!copy)
		return 0;
	memcpy(copy, data, size);
	m.active = 1;
	if (read_descriptors(&m, copy, size)) {
		classify(&m);
		must(m.configs <= LEN(m.config), "configurations");
		for (unsigned c = 0; c < m.configs; c++) {
			must(m.config[c].interfaces <= LEN(m.config[c].interface), "interfaces");
			functions_of(&m, &m.config[c]);
			find_function(&m, &m.config[c], AT);
		}
	}
	free(copy);
	return 0;
}

/* The first byte says whether the rest is a target or the kernel's command line. */
static int fuzz_words(const uint8_t *data, size_t size)
{
	struct given given[WORDS] = { { NULL, NULL } };
	char *copy = malloc(size + 1);
	struct target t;

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	copy[size] = '\0';
	g = before;
	memset(&x, 0, sizeof x); /* no modem: what is shown here are the words themselves */
	g.limit = (int64_t *)(void *)shared_memory;
	memset(&t, 0, sizeof t);
	if (size && copy[0] == 'T') {
		if (parse_target(&t, copy + 1)) {
			must(!t.port[0] || portlen(t.port) == strlen(t.port), "a port");
			must(t.mode != NAMES || t.value, "no function");
			must(t.pid == UNKNOWN || (t.pid >= 0 && t.pid <= 0xffff), "a PID");
		}
	} else if (!read_kernel(copy, given)) {
		must(g.targets <= LEN(g.target), "targets");
		apply(given);
	}
	free(copy);
	return 0;
}

static int fuzz_uevents(const uint8_t *data, size_t size)
{
	char *copy = malloc(size + 1), peer[PORT];
	static struct slot slot = { .port = "1-1.2", .peer = "2-1.2" };

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	copy[size] = '\0';
	g = before;
	g.me = size && data[0] & 1 ? &slot : NULL;
	concerns(copy);
	g.me = NULL;
	at_port(copy, "1-1");
	memset(&x, 0, sizeof x);
	x.data = data;
	x.size = size;
	find_peer(peer, size & 1 ? "1-1" : "1-1.4");
	must(portlen(peer) == strlen(peer), "a peer");
	portlen(copy);
	free(copy);
	return 0;
}

static int fuzz_frames(const uint8_t *data, size_t size)
{
	static struct link l;
	const uint8_t *end = l.frame + size;

	if (size > FRAME)
		return 0;
	for (int i = 0; i < 4; i++) {
		uint8_t ask[MBIM_HEAD + 13] = { 0 }, *q = ask + MBIM_HEAD;
		size_t length;

		l.mbim = i & 1;
		memset(l.frame, 0xff, sizeof l.frame);
		memcpy(l.frame, data, size);
		memcpy(ask, tunnel, sizeof tunnel);
		put32(put32(ask, MBIM_COMMAND) + 4, 4);
		q[4] = i & 2 ? DMS : CTL;
		q[5] = i & 2 ? 10 : 0;
		q[6] = i & 2 ? 2 : 1;
		q[7] = 4;
		put16(q + (q[4] == CTL ? 12 : 13) - 4, i & 2 ? GET_COMP : GET_CLIENT);
		is_done(&l, size, ask, 12);
		if ((l.mbim && !is_done(&l, size, ask, 40)) || !is_answer(&l, size, q))
			continue;
		must(l.tlvs >= l.frame && l.tlvs + l.size <= end, "an answer beyond its frame");
		for (unsigned type = 0; type < 0x20; type++)
			if ((q = (uint8_t *)tlv(&l, (uint8_t)type, &length)))
				must(q >= l.tlvs && q + length <= l.tlvs + l.size,
				     "a TLV beyond its answer");
	}
	return 0;
}

static const struct {
	const char *name;
	int (*run)(const uint8_t *, size_t);
} fuzzers[] = {
	{ "answers", fuzz_answers }, { "descriptors", fuzz_descriptors }, { "words", fuzz_words },
	{ "uevents", fuzz_uevents }, { "frames", fuzz_frames },           { "modem", fuzz_modem },
};

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
static int (*chosen)(const uint8_t *, size_t);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *name = getenv("FUZZ");

	(void)argc, (void)argv;
	before = g;
	x_show = getenv("FUZZ_SHOW") != NULL;
	for (size_t i = 0; i < LEN(fuzzers); i++)
		if (name && !strcmp(name, fuzzers[i].name))
			chosen = fuzzers[i].run;
	must(chosen, "FUZZ does not name a target");
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return chosen(data, size);
}

#ifndef LIBFUZZER
#include <dirent.h>

/* One file: as it is, cut in halves down to nothing, and with some bits turned over. */
static unsigned long replay(const char *name)
{
	static uint8_t data[65536];
	FILE *f = fopen(name, "rb");
	size_t size = f ? fread(data, 1, sizeof data, f) : 0;
	unsigned long runs = 0;

	if (f)
		fclose(f);
	for (size_t n = size;; n /= 2, runs++) {
		chosen(data, n);
		if (!n)
			break;
	}
	for (size_t i = 0; i < size; i += size / 8 + 1, runs++) {
		data[i] ^= (uint8_t)(1u << (i % 8));
		chosen(data, size);
		data[i] ^= (uint8_t)(1u << (i % 8));
	}
	return runs;
}

/* Each target in a process of its own, so that one that aborts takes no other along. */
int main(int argc, char **argv)
{
	const char *corpus = argc > 1 ? argv[1] : "test/corpus";
	int failed = 0;

	before = g;
	x_show = getenv("FUZZ_SHOW") != NULL;
	for (size_t i = 0; i < LEN(fuzzers); i++) {
		char dir[200], name[500];
		int status = -1;
		pid_t pid;

		snprintf(dir, sizeof dir, "%s/%s", corpus, fuzzers[i].name);
		fflush(stdout);
		if ((pid = fork()) == 0) {
			unsigned long files = 0, runs = 0;
			DIR *d = opendir(dir);
			struct dirent *e;

			chosen = fuzzers[i].run;
			for (unsigned b = 0; b < LEN(starts); b++)
				chosen(&(uint8_t){ (uint8_t)b }, 1);
			while (d && (e = readdir(d))) {
				if (e->d_name[0] == '.')
					continue;
				snprintf(name, sizeof name, "%s/%s", dir, e->d_name);
				runs += replay(name);
				files++;
			}
			if (d)
				closedir(d);
			if (!files)
				printf("not ok fuzz.%s: no corpus in %s\n", fuzzers[i].name, dir);
			else
				printf("ok fuzz.%s # %lu files, %lu runs\n", fuzzers[i].name, files,
				       runs);
			fflush(stdout);
			exit(!files);
		}
		waitpid(pid, &status, 0);
		if (WIFSIGNALED(status) || (WIFEXITED(status) && WEXITSTATUS(status) > 1))
			printf("not ok fuzz.%s: status %x\n", fuzzers[i].name, (unsigned)status);
		failed |= status != 0;
	}
	return failed;
}
#endif
