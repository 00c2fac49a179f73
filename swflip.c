/* swflip - bring a Sierra Wireless USB modem into its target mode, once, at early boot
 * ISC licence, see LICENSE. Manual page: swflip.8. What can be set: config.h.
 *
 * The protocol, in ten lines:
 * A TRU-Install stick (1199:0fff, class 08/06/50) becomes a modem by the vendor request
 * SetSwocMode, 40 0b 0001 0000, no data (linux: drivers/usb/storage/sierra_ms.c). It leaves the bus
 * and comes back on the same port, often with another vendor and product ID.
 * A modem reads its mode from its flash when it starts: !UDPID (the product ID) and !UDUSBCOMP (a
 * numbered composition) up to the MC73xx, !USBCOMP (a bitmask of interfaces) from the MC74xx on.
 * AT!ENTERCND="code" unlocks them until the next reset. AT!RESET makes what was written run.
 * Writing !UDPID moves !UDUSBCOMP, and the list of compositions belongs to the PID: so the PID is
 * written first, and the list is read again.
 * A modem without an AT port takes the same numbers by QMI (DMS 0x555B, 0x555C), bare or in MBIM.
 * A dual composition has two USB configurations. The host selects one: bConfigurationValue.
 *
 * Firmware takes product IDs and compositions that it does not list, and does not start with them.
 * So nothing is written that the modem does not list itself.
 * Not attempted: firmware, boot loaders, connecting, turning TRU-Install off for good (no command
 * for that is known).
 *
 * How data flows:
 *
 *	options, kernel's words, config.h ---------------> struct target     what is wanted
 *	sysfs ------------------------------ look() -----> struct modem      what is seen
 *	AT, QMI or MBIM -------------------- act_ask() --> struct answer     what the modem said
 *	what was done, and seen to happen ---------------> struct history
 *	the clock ---------------------------------------> how late it is
 *
 *	decide() makes the next step of all that: it holds the rules, and touches nothing.
 *	act takes that step: it touches the modem, and chooses nothing. Then all begins again.
 *
 * The parent process finds the modems; a child works on each of them, as any call that touches a
 * device can hang in the kernel. The parent makes none of these calls, and ends in time.
 */
#define _GNU_SOURCE
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

/* _Fork() is fork() without the steps that only threads need: 1.2 KB less of musl. uClibc, and
 * glibc before 2.34, have only fork(). */
#if !defined __GLIBC__ || __GLIBC_MINOR__ >= 34
#define fork _Fork
#endif

#define LEN(array) (sizeof(array) / sizeof *(array))
#define BIT(n)     (1u << (n))
#define PRINTF(n)  __attribute__((format(printf, (n), (n) + 1)))
#define ONE_BYTE   __attribute__((packed)) /* makes an enum one byte wide */

/* ---- types ---- */

/* What a USB function is for. MBIM, ECM and storage are known by their class, others by number. */
enum function {
	DM,    /* diagnostics */
	NMEA,  /* positions */
	AT,    /* the port that takes AT commands */
	QMI,   /* a network interface with QMI, RMNET */
	MBIM,  /* a network interface with MBIM */
	NET,   /* a network interface of Direct IP */
	ECM,   /* a network interface with CDC-ECM */
	MS,    /* mass storage */
	RNDIS, /* a network interface with RNDIS */
	AUDIO,
	FUNCTIONS,
	SPARE_AT = FUNCTIONS, /* a second port that may take AT commands; no function by itself */
	NO_FUNCTION,
} ONE_BYTE;

/* How a modem numbers its interfaces; bits, as a row of the table can hold for several. */
enum layout {
	SWI = 1, /* the MC77xx and later */
	DIRECT_IP = 2,
	GOBI = 4,
	MBIM_FIRST = 8,  /* interface 0 is MBIM: EM91xx, EM92xx, 68b1, some 90b1 */
	PCIE_USBIF = 16, /* interface 0 is AT: 90c3 */
	SINGLE = 32,     /* one vendor interface for all, of the CDMA and UMTS cards */
} ONE_BYTE;

/* Which endpoints an interface must have to be a function; bits. */
enum endpoints { BULK_PAIR = 1, INTERRUPT_IN = 2 } ONE_BYTE;

/* What the device at a port is. */
enum kind {
	ABSENT,  /* nothing is there, or nothing that can be believed */
	FOREIGN, /* not a modem of Sierra's */
	STORAGE, /* TRU-Install: a modem that shows a disk */
	MODEM,
	BOOT_LOADER,
} ONE_BYTE;

enum {
	ANY = 0x100,      /* fits any number, subclass or protocol, as no byte has this value */
	ANY_PID = 0xffff, /* any product ID */
	VENDOR_CLASS = 0xff,
	UNKNOWN = -1, /* a PID or a composition that nobody told */
};

#include "config.h"

enum {
	PORT_SIZE = 32,  /* the path of a USB port, 1-1.2 */
	NAME_SIZE = 64,  /* a name in sysfs */
	PATH_SIZE = 256, /* what a symbolic link of sysfs holds */
};

struct interface {
	uint8_t number;    /* bInterfaceNumber */
	uint8_t alternate; /* bAlternateSetting */
	uint8_t class;
	uint8_t subclass;
	uint8_t protocol;
	uint8_t endpoints; /* bNumEndpoints */
	uint8_t bulk_in;   /* bEndpointAddress, here and below; 0 = none */
	uint8_t bulk_out;
	uint8_t interrupt_in;
	uint16_t max_packet;  /* wMaxPacketSize of bulk_in */
	uint16_t max_message; /* wMaxControlMessage of an MBIM interface */
};

struct configuration {
	uint8_t value; /* bConfigurationValue */
	uint8_t interfaces;
	struct interface interface[24];
};

/* What is seen of a device. */
struct modem {
	char port[PORT_SIZE];
	enum kind kind;
	bool unauthorized; /* the kernel gives it no configuration */
	uint32_t devnum;   /* another one means that the modem started again */
	uint16_t idVendor;
	uint16_t idProduct;
	uint16_t bcdUSB;
	uint8_t active; /* bConfigurationValue, 0 = none yet */
	uint8_t configurations;
	struct configuration configuration[4];
};

/* A row of the list of compositions. No padding: rows are compared with memcmp(). */
struct row {
	uint8_t number;
	uint8_t configurations; /* 1, or 2 of a dual composition */
	uint8_t parts[2];       /* the compositions that a dual one is made of */
	uint16_t functions[2];  /* bits, of each configuration */
	uint16_t supported;     /* 0 or 1; a bool would leave a gap */
};

/* Which commands a modem answers. */
enum dialect {
	NO_DIALECT,
	DIALECT_INDEX,   /* !UDPID and !UDUSBCOMP, numbered compositions */
	DIALECT_BITMASK, /* !USBPID and !USBCOMP, a bitmask of interfaces */
	DIALECT_QMI,     /* DMS 0x555B and 0x555C, the same numbers without any text */
} ONE_BYTE;

/* What a modem answered: what it has stored, and what it offers. */
struct answer {
	enum dialect dialect;
	int pid;              /* stored; UNKNOWN where it does not say */
	uint32_t composition; /* stored: a number, or a bitmask of interfaces */
	uint8_t type;         /* !USBCOMP's configuration type, stored */
	uint32_t types;       /* on offer; bits by number */
	uint32_t bits;        /* of a bitmask, on offer */
	bool refused;         /* something was answered by an error */
	bool cut;             /* a list was longer than its room here */
	uint8_t pids;
	uint8_t rows;
	uint16_t pid_list[64]; /* on offer */
	struct row row[64];
};

/* What is wanted. */
struct target {
	char text[48];
	char port[PORT_SIZE]; /* "" = any that no other target names */
	enum mode {
		MODE_OFF,
		MODE_MODEM,  /* leave storage, no more */
		MODE_NAMES,  /* functions, by name */
		MODE_NUMBER, /* a numbered composition */
		MODE_BITMASK,
	} ONE_BYTE mode;
	int pid;               /* UNKNOWN = any */
	uint32_t value;        /* bits of functions, a composition's number, or a bitmask */
	uint8_t configuration; /* bConfigurationValue; 0 = any */
	bool without_at;       /* a composition without an AT port may be written */
	uint8_t understood;    /* so many characters of the text */
};

/* The exit status of a run, and of a child. */
enum {
	EXIT_DONE = 0,
	EXIT_NOT_DONE = 1,
	EXIT_USAGE = 2,
	EXIT_NO_MODEM = 3,
};

/* Why a modem is not in its target mode. SILENT to HELD are in an order: where several ports fail
 * for different reasons, the last one of these is reported. */
enum reason {
	NO_REASON,
	STAYS_STORAGE,
	NOT_SELECTED,
	NO_SUCH_CONFIGURATION,
	NOT_AUTHORIZED,
	STAYS_BOOT_LOADER,
	NOT_SIERRA,
	MISSING,
	NOT_CONFIGURED,
	NOTHING_TO_ASK,
	SILENT,
	NO_TUNNEL,
	NO_NODE,
	NOT_PERMITTED,
	NO_COMMANDS,
	LOCKED,
	HELD,
	NO_LIST,
	TYPE_NOT_LISTED,
	NO_BIT,
	NO_BITMASKS,
	NO_NUMBERS,
	ONLY_WITHOUT_AT,
	NOT_LISTED,
	PID_NOT_LISTED,
	PID_NOT_WRITABLE,
	READS_BACK_OTHERWISE,
	NO_RESET,
	NOT_SHOWN,
	CRASHES,
	STOPPED,
	LATE,
	LATE_TO_STAY,
	HANGS,
	NOT_STARTED,
	WORK_LOST,
	REASONS,
} ONE_BYTE;

/* What is stored in a modem. Bits, as both can be written in one run. */
enum setting { PID = 1, COMPOSITION = 2 } ONE_BYTE;

/* What was done to a modem, and what happened to it. The functions in "history" change it. */
struct history {
	/* since this start of the modem, that is, since it came to its port */
	bool asked;                  /* the answer is of this start, and of after the last write */
	bool unlocked;               /* the modem took the code */
	enum reason unreachable;     /* why it cannot be asked, or does not leave storage */
	uint8_t selections;          /* of another configuration */
	uint8_t found_configuration; /* the one before the first selection; 0 = none was */
	struct answer running;       /* the first answer: what this start runs with */
	/* since the run began */
	enum reason refused;    /* why it is on the way back */
	bool stopped;           /* by a signal */
	bool left_by_selection; /* it left its port when another configuration was selected */
	uint8_t flips;
	uint8_t resets;
	uint8_t losses;   /* each time that it left its port as a modem */
	uint8_t written;  /* enum setting */
	uint8_t restored; /* enum setting: put back */
	int pid;          /* what was written */
	uint32_t composition;
	bool read_back;      /* what was written last was read back */
	bool committed;      /* the target went in with a reset */
	struct answer found; /* the first answer of the run */
};

/* All that decide() is given. */
struct situation {
	const struct target *wanted;
	struct modem seen;
	struct answer answer; /* the last one */
	struct history history;
	int64_t age_ms;    /* since this start, or this configuration, was first seen */
	int64_t silent_ms; /* since the last sign of life */
	int64_t left_ms;   /* until the deadline */
};

enum action {
	WAIT_FOR_IT,
	FLIP,
	SELECT,
	ASK,
	UNLOCK,
	WRITE_PID,
	WRITE_COMPOSITION,
	RESET,
	DONE,
	REFUSE
} ONE_BYTE;

/* What to do next. */
struct step {
	enum action action;
	enum reason reason; /* of REFUSE; of any other step: why it is one of the way back */
	uint32_t value;     /* a bConfigurationValue, a PID, or a composition */
	bool commits;       /* of RESET: what is stored then is the target */
	int64_t ms; /* of WAIT_FOR_IT: how long at most, after that there is another decision */
};

/* A line of text that is being put together. */
struct text {
	char s[2048];
};

/* A port and the child that works on it. Both see this memory: the child may hang for good. */
struct slot {
	char port[PORT_SIZE];
	char peer[PORT_SIZE]; /* the companion of a USB 3 connector's port, or "" */
	const struct target *target;
	uint16_t idVendor;
	uint16_t idProduct;
	pid_t child;
	int status;     /* the child's exit status, 0 while there is none */
	bool begun;     /* a change is begun: it is finished or put back before the child ends */
	bool written;   /* something was written: silence no longer ends it, the deadline does */
	int64_t heard;  /* ms: the last sign of life of the modem */
	int64_t awake;  /* ms: the last one of the child */
	int64_t killed; /* ms: when the child was killed, 0 = it was not */
	struct text verdict;
	struct text doing; /* what the child waits for */
	struct text state; /* what is stored in the modem, once something was written */
};

/* What all processes of a run see. */
struct shared {
	int64_t deadline; /* ms: the end of the run */
	struct slot slots[SLOTS];
};

enum level { LEVEL_ERROR, LEVEL_VERDICT, LEVEL_WARNING, LEVEL_INFO, LEVEL_DEBUG } ONE_BYTE;

/* The run as a whole. */
static struct {
	enum level level;           /* messages above it are not given */
	bool kmsg;                  /* messages go to the kernel's log */
	bool terminal;              /* stderr is a terminal, and a person's */
	bool dry;                   /* -n */
	bool list;                  /* -l */
	bool alone;                 /* -o */
	volatile sig_atomic_t stop; /* TERM, INT, HUP or QUIT, when it came; 0 = none did */
	bool hold;                  /* what is going on must not be cut short by a stop */
	char code[16];
	int64_t begin;       /* ms on CLOCK_MONOTONIC, as all times */
	int64_t appear_ms;   /* how long to wait for a modem while nothing appears on USB */
	int64_t appeared;    /* when the last device appeared on USB */
	int64_t stopped;     /* when the stop came, 0 = it did not */
	unsigned devices;    /* on USB, at the last look */
	bool crowded;        /* there were more modems than slots */
	bool listening;      /* for uevents, if the kernel gives a socket for them */
	int uevents;         /* the socket; -1 = none */
	int lock;            /* on the directory that keeps two runs apart; -1 = none */
	bool deaf[3];        /* stdout and stderr, by number: took nothing the last time */
	int status_flags[3]; /* O_NONBLOCK and the like as they were found, by number */
	sigset_t unblocked;  /* the signal mask while waiting */
	sigset_t found_mask; /* as the caller left it */
	unsigned taken;      /* of the slots */
	struct slot *me;     /* a child's own */
	unsigned targets;
	struct target target[16];
	struct text life; /* the line of waiting, as it stands on the terminal */
	struct shared *shared;
	struct shared own; /* what shared points to as long as there is no child */
} g;

/* ---- text: words, digits and bytes of any source ---- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static char to_lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

static const char *skip_blanks(const char *s)
{
	while (is_blank(*s))
		s++;
	return s;
}

/* The number of characters up to a blank or the end. */
static size_t word_length(const char *s)
{
	size_t n = 0;
	while (s[n] && !is_blank(s[n]))
		n++;
	return n;
}

static const char *next_word(const char *s)
{
	return skip_blanks(s + word_length(s));
}

/* Are the first n characters the same, in whatever case? */
static bool same_letters(const char *a, const char *b, size_t n)
{
	while (n && to_lower(*a) == to_lower(*b)) {
		a++;
		b++;
		n--;
	}
	return n == 0;
}

static bool begins_with(const char *s, const char *word)
{
	return same_letters(s, word, strlen(word));
}

/* Are the first n characters of s exactly this word, in whatever case? */
static bool is_word(const char *s, size_t n, const char *word)
{
	return strlen(word) == n && begins_with(s, word);
}

/* Where a word begins in a text, in whatever case; NULL if it is not there. */
static const char *find_word(const char *text, const char *word)
{
	while (*text && !begins_with(text, word))
		text++;
	return *text ? text : NULL;
}

/* The value of a digit, hexadecimal ones in either case; more than any base for other
 * characters. */
static unsigned digit_value(char c)
{
	if (is_digit(c))
		return (unsigned)(c - '0');
	c = to_lower(c);
	return c >= 'a' && c <= 'z' ? (unsigned)(c - 'a' + 10) : 99;
}

/* Reads the digits at *s and moves *s behind them. False where there is none, and where the value
 * is greater than max. */
static bool read_digits(const char **s, unsigned base, uint32_t max, uint32_t *value)
{
	const char *p = *s;
	uint64_t sum = 0;
	while (digit_value(*p) < base) {
		sum = sum * base + digit_value(*p);
		if (sum > max)
			return false;
		p++;
	}
	if (p == *s)
		return false;
	*s = p;
	*value = (uint32_t)sum;
	return true;
}

/* The length of the USB port path at the start of s, as sysfs spells it: 1-1.2. 0 = there is
 * none. */
static size_t port_length(const char *s)
{
	const char *p = s;
	uint32_t number;
	if (!read_digits(&p, 10, 999, &number) || *p != '-')
		return 0;
	do {
		p++; /* the - or the . */
		if (!read_digits(&p, 10, 255, &number))
			return 0;
	} while (*p == '.');
	return p - s < PORT_SIZE ? (size_t)(p - s) : 0;
}

static void copy_port(char to[PORT_SIZE], const char *from, size_t length)
{
	memset(to, 0, PORT_SIZE);
	memcpy(to, from, length < PORT_SIZE ? length : PORT_SIZE - 1);
}

static bool has_pid(const uint16_t *table, size_t length, uint32_t pid)
{
	for (size_t i = 0; i < length; i++)
		if (table[i] == pid)
			return true;
	return false;
}

/* Everything on USB, in QMI and in MBIM is little endian, whatever this machine is. */
static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t get32(const uint8_t *p)
{
	return get16(p) | (uint32_t)get16(p + 2) << 16;
}

static void put16(uint8_t *p, unsigned value)
{
	p[0] = (uint8_t)value;
	p[1] = (uint8_t)(value >> 8);
}

static void put32(uint8_t *p, uint32_t value)
{
	put16(p, value & 0xffff);
	put16(p + 2, value >> 16);
}

/* ---- formatting ---- */

/* Writes a number and a NUL to the end of digits. Returns where it begins. */
static const char *format_number(char digits[16], unsigned value, unsigned base, bool capitals,
				 int width)
{
	const char *symbols = capitals ? "0123456789ABCDEF" : "0123456789abcdef";
	char *end = digits + 15;
	char *p = end;
	*p = '\0';
	do {
		*--p = symbols[value % base];
		value /= base;
	} while (value || end - p < width);
	return p;
}

/* Appends to a text, cut to fit: %s %c %u %x %X, and a width is filled with zeros. The C library's
 * printf costs 15 KB. */
static void append_list(struct text *t, const char *format, va_list list)
{
	char *p = t->s + strlen(t->s);
	char *end = t->s + sizeof t->s - 1;
	for (; *format && p < end; format++) {
		char buffer[16] = { *format };
		const char *piece = buffer;
		int width = 0;
		if (*format == '%') {
			format++;
			if (*format == '0')
				format++;
			if (is_digit(*format))
				width = *format++ - '0';
			if (*format == 's')
				piece = va_arg(list, const char *);
			else if (*format == 'c')
				buffer[0] = (char)va_arg(list, int);
			else if (*format == 'u')
				piece = format_number(buffer, va_arg(list, unsigned), 10, false,
						      width);
			else
				piece = format_number(buffer, va_arg(list, unsigned), 16,
						      *format == 'X', width);
		}
		while (*piece && p < end)
			*p++ = *piece++;
	}
	*p = '\0';
}

static void clear_text(struct text *t)
{
	t->s[0] = '\0';
}

PRINTF(2) static void append(struct text *t, const char *format, ...)
{
	va_list list;
	va_start(list, format);
	append_list(t, format, list);
	va_end(list);
}

/* Makes a new text. */
PRINTF(2) static void print(struct text *t, const char *format, ...)
{
	va_list list;
	clear_text(t);
	va_start(list, format);
	append_list(t, format, list);
	va_end(list);
}

/* ---- messages: to stderr, or to the kernel's log ---- */

/* Writes to stdout or stderr, which may take nothing: a pipe that nobody reads, a stopped
 * terminal. That costs lines, not the deadline. Other processes share the descriptor's flags, so
 * O_NONBLOCK is set for one write only, and then what the program found is restored. */
static void write_output(int fd, const char *s, size_t n)
{
	enum { PATIENCE_MS = 200 };
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	if (poll(&p, 1, g.deaf[fd] ? 0 : PATIENCE_MS) <= 0) {
		g.deaf[fd] = true;
		return;
	}
	g.deaf[fd] = false;
	fcntl(fd, F_SETFL, g.status_flags[fd] | O_NONBLOCK);
	(void)!write(fd, s, n);
	fcntl(fd, F_SETFL, g.status_flags[fd]);
}

static void write_text(int fd, const char *s)
{
	write_output(fd, s, strlen(s));
}

/* Characters that could do something to a terminal or a log do not belong into a message. */
static void mask_controls(char *s)
{
	for (; *s; s++)
		if (*s < ' ' || *s > '~')
			*s = '?';
}

/* Opens a file. musl's open() sets FD_CLOEXEC by a second call. */
static int open_file(const char *path, int flags)
{
	return openat(AT_FDCWD, path, flags | O_CLOEXEC);
}

/* Gives one message, in one write. The kernel limits the messages of each open of /dev/kmsg, so
 * it is opened anew for each. */
PRINTF(2) static void report(enum level level, const char *format, ...)
{
	static const char *const priority[] = {
		[LEVEL_ERROR] = "<27>", /* facility daemon, as an initramfs has no other */
		[LEVEL_VERDICT] = "<30>",
		[LEVEL_WARNING] = "<28>",
		[LEVEL_INFO] = "<30>",
	};
	enum { LONGEST = 900 }; /* the kernel's log takes no longer line */
	struct text line;
	va_list list;
	if (level > g.level || (g.kmsg && level == LEVEL_DEBUG))
		return;
	int kmsg = g.kmsg ? open_file(DEV "/kmsg", O_WRONLY | O_NONBLOCK) : -1;
	const char *clear = g.terminal ? "\r\033[K" : ""; /* the line of waiting */
	print(&line, "%s", kmsg >= 0 ? priority[level] : clear);
	char *message = line.s + strlen(line.s);
	append(&line, "swflip: ");
	if (g.me)
		append(&line, "%s: ", g.me->port);
	va_start(list, format);
	append_list(&line, format, list);
	va_end(list);
	line.s[LONGEST] = '\0';
	mask_controls(message);
	append(&line, "\n");
	if (kmsg >= 0) {
		(void)!write(kmsg, line.s, strlen(line.s));
		close(kmsg);
		return;
	}
	write_text(2, line.s);
	clear_text(&g.life); /* it is to be drawn anew */
}

/* The name of an error of a transfer or a file. */
static const char *error_name(int error)
{
	static const struct {
		int number;
		const char *name;
	} errors[] = {
		{ EPIPE, "stall" },         { ETIMEDOUT, "no answer" }, { ENODEV, "it left" },
		{ ESHUTDOWN, "it left" },   { ENOENT, "not there" },    { EACCES, "not permitted" },
		{ EPERM, "not permitted" }, { EBUSY, "busy" },
	};
	for (size_t i = 0; i < LEN(errors); i++)
		if (errors[i].number == error)
			return errors[i].name;
	return "failed";
}

/* -v: what an AT port was told and said, a line each. Control characters are escaped, and the
 * unlock code is not shown. */
static void trace(const char *arrow, const char *text)
{
	enum { LONGEST = 300 };
	while (g.level >= LEVEL_DEBUG && *text) {
		struct text line;
		char c = '\0';
		clear_text(&line);
		while (*text && c != '\n' && strlen(line.s) < LONGEST) {
			if (begins_with(text, g.code)) {
				append(&line, "****");
				text += strlen(g.code);
				continue;
			}
			c = *text++;
			if (c < ' ' || c > '~' || c == '\\')
				append(&line, "\\x%02x", (unsigned)(unsigned char)c);
			else
				append(&line, "%c", c);
		}
		report(LEVEL_DEBUG, "%s %s", arrow, line.s);
	}
}

/* ---- time: absolute deadlines on CLOCK_MONOTONIC, and the one place that waits ---- */

static int64_t now_ms(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* The modem gave a sign of life. */
static void note_life(void)
{
	g.me->heard = now_ms();
}

/* When the work on a modem ends: a modem that nothing was written to must have said something. */
static int64_t patience_end(const struct slot *s)
{
	if (s->written)
		return g.shared->deadline;
	return earlier(g.shared->deadline, s->heard + SILENCE_MS);
}

/* So many milliseconds from now, but not beyond the end of patience. */
static int64_t within(int64_t ms)
{
	return earlier(now_ms() + ms, patience_end(g.me));
}

/* How long a call into the kernel may take that is given a time-out: not beyond the end of
 * patience either, as the parent kills who is late. 0 would mean no limit. */
static unsigned kernel_timeout(int64_t ms)
{
	int64_t left = within(ms) - now_ms();
	return left > 1 ? (unsigned)left : 1;
}

enum wake {
	READY,
	NOTHING, /* the time is over; or a child has ended, for the parent to see */
	STOP,
} ONE_BYTE;

/* Waits until fd (-1: none) is ready for events, or until then. Signals are let in here alone, so
 * that none is lost between a look at the flag and the wait. STOP when the run is to stop. */
static enum wake wait_for(int fd, short events, int64_t until)
{
	struct pollfd p = { .fd = fd, .events = events };
	int64_t left = until - now_ms();
	struct timespec t = { .tv_sec = 0 };
	if (left > 0) {
		t.tv_sec = (time_t)(left / 1000);
		t.tv_nsec = (long)(left % 1000) * 1000000;
	}
	int n = ppoll(&p, 1, &t, &g.unblocked);
	if (g.me)
		g.me->awake = now_ms();
	if (g.stop && !g.hold)
		return STOP;
	return n > 0 ? READY : NOTHING;
}

/* Is the run to stop? Lets in a signal that came meanwhile: nothing may be begun after it. */
static bool is_stopped(void)
{
	return wait_for(-1, 0, 0) == STOP;
}

/* ---- sysfs: files, links and directories ---- */

#define USB_DEVICES SYS "/bus/usb/devices/"

/* The path of a file of a USB device, PORT, or of an interface, PORT:C.I. */
static void device_file(struct text *file, const char *device, const char *name)
{
	print(file, USB_DEVICES "%s/%s", device, name);
}

/* The name of an interface in sysfs, PORT:C.I. */
static void interface_name(struct text *name, const struct modem *m, const struct interface *i)
{
	print(name, "%s:%u.%u", m->port, m->active, i->number);
}

/* Reads at most size - 1 bytes of a file below a directory. Those of sysfs and /proc give all they
 * have at once. Ends them with a NUL, and returns their number, or -1. The parent, which has no
 * modem of its own (g.me), must not wait, whatever stands at that path. */
static int read_file_at(int directory, const char *file, void *buffer, size_t size)
{
	char *p = buffer;
	p[0] = '\0';
	int fd = openat(directory, file, O_RDONLY | O_CLOEXEC | (g.me ? 0 : O_NONBLOCK));
	if (fd < 0)
		return -1;
	ssize_t n = read(fd, p, size - 1);
	close(fd);
	p[n < 0 ? 0 : n] = '\0';
	return (int)n;
}

static int read_file(const char *file, void *buffer, size_t size)
{
	return read_file_at(AT_FDCWD, file, buffer, size);
}

/* Writes a text to a file. On failure errno says why. */
static bool write_file(const char *file, const char *text)
{
	size_t length = strlen(text);
	int fd = open_file(file, O_WRONLY);
	if (fd < 0)
		return false;
	bool done = write(fd, text, length) == (ssize_t)length;
	int error = errno;
	close(fd);
	errno = error;
	return done;
}

static int read_device_file(const char *device, const char *name, void *buffer, size_t size)
{
	struct text file;
	device_file(&file, device, name);
	return read_file(file.s, buffer, size);
}

/* The number that a file holds, 0 where there is none. */
static uint32_t read_number_at(int directory, const char *file, unsigned base)
{
	char digits[16];
	const char *s = digits;
	uint32_t number = 0;
	if (read_file_at(directory, file, digits, sizeof digits) > 0)
		read_digits(&s, base, UINT32_MAX, &number);
	return number;
}

static uint32_t read_number_file(const char *file, unsigned base)
{
	return read_number_at(AT_FDCWD, file, base);
}

static uint32_t read_number(const char *device, const char *name, unsigned base)
{
	struct text file;
	device_file(&file, device, name);
	return read_number_file(file.s, base);
}

/* The last name in the path that a symbolic link holds, "" where there is no link. */
static const char *read_link(const char *file, char target[PATH_SIZE])
{
	ssize_t n = readlink(file, target, PATH_SIZE - 1);
	target[n < 0 ? 0 : n] = '\0';
	const char *slash = strrchr(target, '/');
	return slash ? slash + 1 : target;
}

/* A directory that is being read. The C library's own reader allocates memory, and costs 8 KB. */
struct directory {
	int fd;
	long used;
	long at;
	_Alignas(8) char buffer[1024];
};

static void open_directory(struct directory *d, const char *path)
{
	d->fd = open_file(path, O_RDONLY | O_DIRECTORY);
	d->used = 0;
	d->at = 0;
}

/* The next name. NULL at the end, where the directory is closed, and where there is none. */
static const char *next_entry(struct directory *d)
{
	enum { D_RECLEN = 16, D_NAME = 19 }; /* offsets in struct linux_dirent64 */
	uint16_t length;
	if (d->fd < 0)
		return NULL;
	if (d->at >= d->used) {
		d->at = 0;
		d->used = syscall(SYS_getdents64, d->fd, d->buffer, sizeof d->buffer);
	}
	if (d->used <= 0) {
		close(d->fd);
		d->fd = -1;
		return NULL;
	}
	const char *entry = d->buffer + d->at;
	memcpy(&length, entry + D_RECLEN, sizeof length);
	d->at += length;
	return entry + D_NAME;
}

/* The first name in a directory that begins with prefix; usb-serial's "generic" driver does not
 * count. False where there is none. */
static bool find_entry(const char *path, const char *prefix, char name[NAME_SIZE])
{
	struct directory d;
	const char *entry;
	name[0] = '\0';
	open_directory(&d, path);
	while ((entry = next_entry(&d))) {
		bool fits =
			entry[0] != '.' && begins_with(entry, prefix) && strcmp(entry, "generic");
		if (fits && !name[0] && strlen(entry) < NAME_SIZE)
			memcpy(name, entry, strlen(entry) + 1);
	}
	return name[0];
}

/* Does a directory hold anything? */
static bool has_entry(const char *path)
{
	char name[NAME_SIZE];
	return find_entry(path, "", name);
}

/* The companion of a USB 3 connector's port: the same socket, but another path. The hub's port
 * object knows it before any device is there. "" where there is none. */
static void find_peer(const char *port, char peer[PORT_SIZE])
{
	struct text hub;
	struct text file;
	char target[PATH_SIZE];
	bool root = !find_word(port, ".");
	print(&hub, "%s", port);
	char *number = strrchr(hub.s, root ? '-' : '.');
	*number++ = '\0';
	if (root) /* 1-2 is port 2 of usb1, whose interface is 1-0:1.0 */
		print(&file, USB_DEVICES "%s-0:1.0/usb%s-port%s/peer", hub.s, hub.s, number);
	else
		print(&file, USB_DEVICES "%s:1.0/%s-port%s/peer", hub.s, hub.s, number);
	const char *name = read_link(file.s, target); /* usb2-port1 is 2-1, 2-1-port3 is 2-1.3 */
	const char *mark = find_word(name, "-port");
	peer[0] = '\0';
	if (!mark)
		return;
	root = begins_with(name, "usb");
	target[mark - target] = '\0';
	if (root)
		print(&file, "%s-%s", name + 3, mark + 5);
	else
		print(&file, "%s.%s", name, mark + 5);
	copy_port(peer, file.s, port_length(file.s));
}

/* ---- look: from descriptors to struct modem ---- */

/* The interface of a configuration with this bInterfaceNumber, or NULL. */
static const struct interface *find_number(const struct configuration *c, uint8_t number)
{
	for (unsigned i = 0; i < c->interfaces; i++)
		if (c->interface[i].number == number)
			return &c->interface[i];
	return NULL;
}

/* How the interfaces of a configuration are numbered, where the PID does not say it. */
static enum layout layout_by_shape(const struct configuration *c)
{
	enum { COMMUNICATIONS_CLASS = 0x02, MBIM_SUBCLASS = 0x0e };
	const struct interface *first = find_number(c, 0);
	const struct interface *net = find_number(c, 7);
	if (first && first->class == COMMUNICATIONS_CLASS && first->subclass == MBIM_SUBCLASS)
		return MBIM_FIRST;
	if (net && net->class == VENDOR_CLASS && net->interrupt_in && !find_number(c, 8))
		return DIRECT_IP; /* 683c (sierra.c knows it, sierra_net.c does not) */
	return SWI;
}

/* How a modem numbers its interfaces. */
static enum layout layout_of(const struct modem *m)
{
	enum { MOST_OF_ONE = 3 }; /* endpoints of one serial port; sierra.c makes ports of more */
	const struct configuration *c = &m->configuration[0];
	const struct interface *i = &c->interface[0];
	bool single = m->configurations == 1 && c->interfaces == 1;
	if (single && i->class == VENDOR_CLASS && i->endpoints > MOST_OF_ONE)
		return SINGLE;
	for (size_t n = 0; n < LEN(layouts); n++)
		if (layouts[n].idProduct == m->idProduct)
			return layouts[n].layout;
	for (unsigned n = 0; n < m->configurations; n++)
		if (layout_by_shape(&m->configuration[n]) != SWI)
			return layout_by_shape(&m->configuration[n]);
	return SWI;
}

/* The function of an interface, by config.h's table. */
static enum function function_of(const struct modem *m, const struct interface *i)
{
	enum layout layout = layout_of(m);
	unsigned endpoints = 0;
	if (i->bulk_in && i->bulk_out)
		endpoints |= BULK_PAIR;
	if (i->interrupt_in)
		endpoints |= INTERRUPT_IN;
	for (size_t n = 0; n < LEN(shapes); n++) {
		const struct shape *s = &shapes[n];
		bool number = s->number == ANY || s->number == i->number;
		bool class = s->class == i->class &&
			     (s->subclass == ANY || s->subclass == i->subclass) &&
			     (s->protocol == ANY || s->protocol == i->protocol);
		if ((s->layouts & layout) && number && class && !(s->endpoints & ~endpoints))
			return s->function;
	}
	return NO_FUNCTION;
}

/* The first interface of a configuration (NULL: of none) that has this function, or NULL. */
static const struct interface *find_function(const struct modem *m, const struct configuration *c,
					     enum function function)
{
	for (unsigned i = 0; c && i < c->interfaces; i++)
		if (function_of(m, &c->interface[i]) == function)
			return &c->interface[i];
	return NULL;
}

/* The functions of a configuration (NULL: of none), bits; SPARE_AT is one of them. */
static unsigned functions_of(const struct modem *m, const struct configuration *c)
{
	unsigned bits = 0;
	for (unsigned i = 0; c && i < c->interfaces; i++)
		bits |= BIT(function_of(m, &c->interface[i]));
	return bits & (BIT(NO_FUNCTION) - 1);
}

static unsigned functions_of_all(const struct modem *m)
{
	unsigned bits = 0;
	for (unsigned i = 0; i < m->configurations; i++)
		bits |= functions_of(m, &m->configuration[i]);
	return bits;
}

/* The configuration with this bConfigurationValue, or NULL. */
static const struct configuration *find_configuration(const struct modem *m, uint32_t value)
{
	for (unsigned i = 0; i < m->configurations; i++)
		if (m->configuration[i].value == value)
			return &m->configuration[i];
	return NULL;
}

static const struct configuration *active_configuration(const struct modem *m)
{
	return find_configuration(m, m->active);
}

/* Takes an interface descriptor. Returns the interface whose endpoints follow, or NULL: of
 * several alternate settings the first that has a bulk pair counts. */
static struct interface *read_interface(struct configuration *c, const uint8_t *descriptor)
{
	struct interface *i = c->interface;
	struct interface *end = c->interface + c->interfaces;
	while (i < end && i->number != descriptor[2])
		i++;
	if (i == c->interface + LEN(c->interface) || (i < end && i->bulk_in && i->bulk_out))
		return NULL;
	if (i == end) {
		c->interfaces++;
		memset(i, 0, sizeof *i);
	}
	*i = (struct interface){
		.number = descriptor[2],
		.alternate = descriptor[3],
		.endpoints = descriptor[4],
		.class = descriptor[5],
		.subclass = descriptor[6],
		.protocol = descriptor[7],
		.max_message = i->max_message,
	};
	return i;
}

/* Takes an endpoint descriptor. The first of each kind counts. */
static void read_endpoint(struct interface *i, const uint8_t *descriptor)
{
	enum { IN = 0x80, TYPE = 0x03, BULK = 2, INTERRUPT = 3 };
	uint8_t address = descriptor[2];
	unsigned type = descriptor[3] & TYPE;
	if (type == BULK && (address & IN) && !i->bulk_in) {
		i->bulk_in = address;
		i->max_packet = get16(descriptor + 4) & 0x7ff;
	} else if (type == BULK && !(address & IN) && !i->bulk_out) {
		i->bulk_out = address;
	} else if (type == INTERRUPT && (address & IN) && !i->interrupt_in) {
		i->interrupt_in = address;
	}
}

/* Takes the kernel's `descriptors` file, which is what the modem sent. A length that is below
 * two, or goes past the end, ends the reading. False where there is no device descriptor. */
static bool read_descriptors(struct modem *m, const uint8_t *data, size_t size)
{
	enum { DEVICE = 1, CONFIGURATION = 2, INTERFACE = 4, ENDPOINT = 5, CS_INTERFACE = 0x24 };
	enum { DEVICE_LENGTH = 18, MBIM_FUNCTIONAL = 0x1b };
	const uint8_t *end = data + size;
	struct configuration *c = NULL;
	struct interface *i = NULL;
	if (size < DEVICE_LENGTH || data[0] != DEVICE_LENGTH || data[1] != DEVICE)
		return false;
	m->bcdUSB = get16(data + 2);
	m->idVendor = get16(data + 8);
	m->idProduct = get16(data + 10);
	for (const uint8_t *p = data + DEVICE_LENGTH; end - p >= 2; p += p[0]) {
		if (p[0] < 2 || p[0] > end - p)
			break;
		if (p[1] == CONFIGURATION) {
			c = NULL;
			i = NULL;
			if (p[0] >= 9 && m->configurations < LEN(m->configuration)) {
				c = &m->configuration[m->configurations++];
				c->value = p[5];
			}
		} else if (p[1] == INTERFACE) {
			i = c && p[0] >= 9 ? read_interface(c, p) : NULL;
		} else if (p[1] == ENDPOINT && i && p[0] >= 7) {
			read_endpoint(i, p);
		} else if (p[1] == CS_INTERFACE && i && p[0] >= 7 && p[2] == MBIM_FUNCTIONAL) {
			i->max_message = get16(p + 5);
		}
	}
	return true;
}

/* What a device is by its IDs alone. STORAGE can still be a modem, see kind_of(). */
static enum kind kind_by_id(uint32_t idVendor, uint32_t idProduct)
{
	for (size_t i = 0; i < LEN(devices); i++) {
		bool product = devices[i].idProduct == ANY_PID || devices[i].idProduct == idProduct;
		if (devices[i].idVendor == idVendor && product)
			return devices[i].kind;
	}
	return FOREIGN;
}

/* What a device is, by its IDs and its interfaces. */
static enum kind kind_of(const struct modem *m)
{
	enum { HUB_CLASS = 9 };
	enum kind kind = kind_by_id(m->idVendor, m->idProduct);
	unsigned all = functions_of_all(m);
	const struct configuration *first = &m->configuration[0];
	if (kind == FOREIGN || first->interface[0].class == HUB_CLASS)
		return FOREIGN; /* 413c:81a3 is a modem, and a docking station's hub */
	if (kind == STORAGE && (all & BIT(MS))) {
		bool modem = m->active && functions_of(m, active_configuration(m)) != BIT(MS);
		return modem ? MODEM : STORAGE;
	}
	/* a crashed modem can show its boot loader under the PID that it has as a modem */
	bool single = m->configurations == 1 && first->interfaces == 1;
	bool boot_pid = has_pid(boot_pids, LEN(boot_pids), m->idProduct);
	bool no_port = layout_of(m) != SINGLE && !(all & (BIT(AT) | BIT(QMI)));
	if (single && first->interface[0].class == VENDOR_CLASS && (boot_pid || no_port))
		return BOOT_LOADER;
	return MODEM;
}

/* The active configuration stands in the names of the interfaces, PORT:C.I. The attribute itself
 * can block for seconds. 0 where there is none. */
static uint8_t find_active(const char *port)
{
	struct text directory;
	struct text prefix;
	char name[NAME_SIZE];
	uint32_t value = 0;
	device_file(&directory, port, "");
	print(&prefix, "%s:", port);
	if (!find_entry(directory.s, prefix.s, name))
		return 0;
	const char *s = name + strlen(prefix.s);
	return read_digits(&s, 10, 255, &value) ? (uint8_t)value : 0;
}

/* Looks at what is at a port. This takes the device's lock on some kernels (`descriptors` does,
 * 3.13 to 4.5 and many of 5.5 to 6.1), so the parent must not call it. */
static void look(struct modem *m, const char *port)
{
	uint8_t raw[4096];
	char authorized[2];
	memset(m, 0, sizeof *m);
	copy_port(m->port, port, strlen(port));
	int n = read_device_file(port, "descriptors", raw, sizeof raw);
	m->devnum = read_number(port, "devnum", 10);
	if (n < 0 || !read_descriptors(m, raw, (size_t)n) || !m->devnum)
		return;
	m->active = find_active(port);
	if (!m->active && read_device_file(port, "authorized", authorized, sizeof authorized) > 0)
		m->unauthorized = authorized[0] == '0';
	m->kind = kind_of(m);
}

/* Two hex digits, and four. */
static uint8_t read_hex8(const char *s)
{
	return (uint8_t)(digit_value(s[0]) << 4 | digit_value(s[1]));
}

static uint16_t read_hex16(const char *s)
{
	return (uint16_t)(read_hex8(s) << 8 | read_hex8(s + 2));
}

/* Takes an interface, PORT:C.I in the directory of its device, by the attributes that take no lock.
 * Of the endpoints there is their number: no modem of Sierra's has two that are not a bulk pair, or
 * a third that is not an interrupt endpoint. */
static void glance_at_interface(struct modem *m, int directory, const char *name)
{
	static const char form[] = "usb:v1199p68A2d0006dc00dsc00dp00ic02isc0Eip00in0C\n";
	enum { VENDOR_AT = 5, PRODUCT_AT = 10, CLASS_AT = 34, SUBCLASS_AT = 39, PROTOCOL_AT = 43 };
	enum { NUMBER_AT = 47, PAIR = 2, PAIR_AND_INTERRUPT = 3 };
	struct configuration *c = &m->configuration[0];
	struct interface *i = &c->interface[c->interfaces];
	const char *s = name + strlen(m->port) + 1;
	char modalias[sizeof form];
	struct text file;
	uint32_t configuration;
	print(&file, "%s/modalias", name);
	if (c->interfaces == LEN(c->interface) || !read_digits(&s, 10, 255, &configuration) ||
	    read_file_at(directory, file.s, modalias, sizeof modalias) != sizeof modalias - 1)
		return;
	m->idVendor = read_hex16(modalias + VENDOR_AT);
	m->idProduct = read_hex16(modalias + PRODUCT_AT);
	m->active = (uint8_t)configuration;
	i->number = read_hex8(modalias + NUMBER_AT);
	i->class = read_hex8(modalias + CLASS_AT);
	i->subclass = read_hex8(modalias + SUBCLASS_AT);
	i->protocol = read_hex8(modalias + PROTOCOL_AT);
	i->endpoints = PAIR; /* another class says enough by itself */
	if (i->class == VENDOR_CLASS) {
		print(&file, "%s/bNumEndpoints", name);
		i->endpoints = (uint8_t)read_number_at(directory, file.s, 16);
	}
	i->bulk_in = i->endpoints >= PAIR;
	i->bulk_out = i->endpoints >= PAIR;
	i->interrupt_in = i->endpoints >= PAIR_AND_INTERRUPT;
	c->interfaces++;
}

/* What the parent can see of the device at a port, as it must not wait for the device's lock: its
 * active configuration. True if there is no other. */
static bool glance(struct modem *m, const char *port)
{
	struct directory d;
	struct text directory;
	const char *name;
	size_t length = strlen(port);
	copy_port(m->port, port, length);
	device_file(&directory, port, "");
	open_directory(&d, directory.s);
	bool only = d.fd >= 0 && read_number_at(d.fd, "bNumConfigurations", 10) == 1;
	m->configurations = 1;
	while ((name = next_entry(&d)))
		if (begins_with(name, port) && name[length] == ':')
			glance_at_interface(m, d.fd, name);
	if (!m->active) {
		m->idVendor = (uint16_t)read_number(port, "idVendor", 16);
		m->idProduct = (uint16_t)read_number(port, "idProduct", 16);
	}
	m->configuration[0].value = m->active;
	m->kind = kind_of(m);
	return only;
}

/* Is this the same start of the same modem? */
static bool is_same_start(const struct modem *a, const struct modem *b)
{
	bool both = a->kind != ABSENT && b->kind != ABSENT;
	return both && a->devnum == b->devnum && !strcmp(a->port, b->port);
}

/* ---- uevents: the kernel says when to look again; what it says is looked up, not believed ---- */

/* The socket is opened when there is something to wait for. */
static void open_uevents(void)
{
	/* struct sockaddr_nl, of a header that musl-gcc does not find */
	const struct {
		sa_family_t family;
		uint16_t pad;
		uint32_t pid;
		uint32_t groups;
	} kernel = { .family = AF_NETLINK, .groups = 1 };
	enum { NETLINK_KOBJECT_UEVENT = 15 };
	int type = SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
	g.listening = true;
	g.uevents = socket(AF_NETLINK, type, NETLINK_KOBJECT_UEVENT);
	if (g.uevents < 0 || bind(g.uevents, (const struct sockaddr *)&kernel, sizeof kernel) == 0)
		return;
	close(g.uevents);
	g.uevents = -1;
}

/* Is a port, or an interface of it, one of the directories in a path? */
static bool path_has_port(const char *path, const char *port)
{
	size_t n = strlen(port);
	if (!n)
		return false;
	for (const char *p = find_word(path, port); p; p = find_word(p + 1, port)) {
		bool begins = p > path && p[-1] == '/';
		if (begins && (p[n] == '\0' || p[n] == '/' || p[n] == ':'))
			return true;
	}
	return false;
}

/* Is this the name of a USB device, a root hub too? */
static bool is_device_name(const char *name)
{
	const char *s = name + 3;
	uint32_t bus;
	if (begins_with(name, "usb") && read_digits(&s, 10, 999, &bus))
		return !*s;
	return port_length(name) && port_length(name) == strlen(name);
}

/* A message is "action@/devices/...", a NUL, and more. Is it a reason to look? A child looks at
 * its port, the parent at all devices. */
static bool is_news(const char *message)
{
	const char *slash = strrchr(message, '/');
	if (!slash)
		return false;
	if (g.me)
		return path_has_port(message, g.me->port) || path_has_port(message, g.me->peer);
	if (!is_device_name(slash + 1))
		return false;
	if (begins_with(message, "add@"))
		g.appeared = now_ms();
	return true;
}

/* Takes all messages that are there. True when one of them is a reason to look. */
static bool drain_uevents(void)
{
	bool news = false;
	if (g.uevents < 0)
		return news;
	for (;;) {
		char message[2048];
		uint32_t from[3] = { 0 }; /* struct sockaddr_nl: family, sender, groups */
		socklen_t size = sizeof from;
		ssize_t n = recvfrom(g.uevents, message, sizeof message - 1, 0,
				     (struct sockaddr *)from, &size);
		if (n < 0 && errno != ENOBUFS) /* which says that messages were lost */
			return news;
		if (n < 0) {
			news = true;
			continue;
		}
		message[n] = '\0';
		bool from_kernel = size == sizeof from && from[1] == 0;
		if (from_kernel && is_news(message))
			news = true;
	}
}

/* Waits for a reason to look again: READY. NOTHING when the time is over. Without the socket it
 * looks ten times a second; with it once, as a container's socket may say nothing. What happened
 * before the socket was there must be looked for, too. */
static enum wake watch(int64_t until)
{
	enum { BLIND_MS = 100, IDLE_MS = 1000 };
	if (!g.listening) {
		open_uevents();
		return READY;
	}
	int64_t end = now_ms() + (g.uevents < 0 ? BLIND_MS : IDLE_MS);
	for (;;) {
		enum wake wake = wait_for(g.uevents, POLLIN, earlier(until, end));
		if (wake == STOP)
			return STOP;
		if (now_ms() >= until)
			return NOTHING;
		if (wake == NOTHING || drain_uevents())
			return READY;
	}
}

/* ---- nodes: opened where they are, or made where there is room ---- */

/* The number of a node, "major:minor" in a file of sysfs; 0 where there is none. */
static dev_t read_node_number(const char *file)
{
	char text[32];
	const char *s = text;
	uint32_t major_number;
	uint32_t minor_number;
	read_file(file, text, sizeof text);
	if (!read_digits(&s, 10, 4095, &major_number) || *s != ':')
		return 0;
	s++;
	if (!read_digits(&s, 10, 0xfffff, &minor_number))
		return 0;
	return makedev(major_number, minor_number);
}

static bool is_node(const char *file, dev_t number)
{
	struct stat st;
	return stat(file, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == number;
}

/* Makes a node under a private name, opens it, and removes the name. On failure returns -1; errno
 * says whether it was not permitted. */
static int open_private_node(dev_t number, int flags)
{
	static const char *const places[] = { DEV, "/run", "/tmp" };
	int error = EROFS;
	for (size_t i = 0; i < LEN(places); i++) {
		struct text file;
		print(&file, "%s/.swflip-%u", places[i], (unsigned)getpid());
		if (mknod(file.s, S_IFCHR | 0600, number) < 0) {
			if (errno == EPERM || errno == EACCES)
				error = errno;
			continue;
		}
		int fd = open_file(file.s, flags);
		if (fd < 0)
			error = errno;
		unlink(file.s);
		if (fd >= 0)
			return fd;
	}
	errno = error;
	return -1;
}

/* Opens DEV/name, whose number stands in a file of sysfs. Numbers are given again while modems
 * come and go: so after it is open, sysfs must place that number at this device. On failure
 * returns -1, and errno says why. */
static int open_node(const char *name, const char *number_file, const char *device)
{
	enum { FLAGS = O_RDWR | O_NOCTTY | O_NONBLOCK };
	struct text file;
	char target[PATH_SIZE];
	dev_t number = read_node_number(number_file);
	print(&g.me->doing, "opening %s", name);
	errno = ENOENT;
	if (!number)
		return -1;
	print(&file, DEV "/%s", name);
	int fd = is_node(file.s, number) ? open_file(file.s, FLAGS)
					 : open_private_node(number, FLAGS);
	if (fd < 0)
		return -1;
	print(&file, SYS "/dev/char/%u:%u", major(number), minor(number));
	read_link(file.s, target);
	if (path_has_port(target, device))
		return fd;
	close(fd);
	errno = ENODEV;
	return -1;
}

/* ---- usbfs: the kernel's structures and requests, of a header that musl-gcc does not find ---- */

struct usbdevfs_ctrltransfer {
	uint8_t bRequestType;
	uint8_t bRequest;
	uint16_t wValue;
	uint16_t wIndex;
	uint16_t wLength;
	unsigned timeout; /* ms */
	void *data;
};

struct usbdevfs_bulktransfer {
	unsigned ep;
	unsigned len;
	unsigned timeout; /* ms */
	void *data;
};

struct usbdevfs_ioctl {
	int ifno;
	int ioctl_code;
	void *data;
};

struct usbdevfs_disconnect_claim {
	unsigned interface;
	unsigned flags;
	char driver[256];
};

struct usbdevfs_urb {
	uint8_t type;
	uint8_t endpoint;
	int status;
	unsigned flags;
	void *buffer;
	int buffer_length;
	int actual_length;
	int start_frame;
	int number_of_packets;
	int error_count;
	unsigned signr;
	void *usercontext;
};

#define USBDEVFS_CONTROL          _IOWR('U', 0, struct usbdevfs_ctrltransfer)
#define USBDEVFS_BULK             _IOWR('U', 2, struct usbdevfs_bulktransfer)
#define USBDEVFS_SETINTERFACE     _IOR('U', 4, unsigned[2]) /* interface, alternate setting */
#define USBDEVFS_SUBMITURB        _IOR('U', 10, struct usbdevfs_urb)
#define USBDEVFS_REAPURBNDELAY    _IOW('U', 13, void *)
#define USBDEVFS_RELEASEINTERFACE _IOR('U', 16, unsigned)
#define USBDEVFS_IOCTL            _IOWR('U', 18, struct usbdevfs_ioctl)
#define USBDEVFS_RESET            _IO('U', 20)
#define USBDEVFS_CLEAR_HALT       _IOR('U', 21, unsigned)
#define USBDEVFS_CONNECT          _IO('U', 23)
#define USBDEVFS_DISCONNECT_CLAIM _IOR('U', 27, struct usbdevfs_disconnect_claim)

/* A request is an int for musl and an unsigned long for glibc; the kernel takes 32 bits of it. */
#ifdef __GLIBC__
typedef unsigned long ioctl_request;
#else
typedef int ioctl_request;
#endif

static int usb_ioctl(int fd, unsigned long request, void *data)
{
	return ioctl(fd, (ioctl_request)request, data);
}

/* A control request: bmRequestType and bRequest. */
enum request {
	GET_SWOC_INFO = 0xc00a,
	SET_SWOC_MODE = 0x400b,
	SET_CONTROL_LINE_STATE = 0x2122,
	SEND_ENCAPSULATED_COMMAND = 0x2100,
	GET_ENCAPSULATED_RESPONSE = 0xa101,
};

static int open_usb_device(const struct modem *m)
{
	struct text name;
	struct text number_file;
	unsigned busnum = read_number(m->port, "busnum", 10);
	print(&name, "bus/usb/%03u/%03u", busnum, m->devnum);
	device_file(&number_file, m->port, "dev");
	return open_node(name.s, number_file.s, m->port);
}

/* Makes a control transfer. Returns the number of bytes moved, or -1: errno is EPIPE for a stall,
 * ENODEV or ESHUTDOWN for a modem that has left. */
static int control(int fd, enum request request, unsigned value, unsigned index, void *data,
		   size_t n)
{
	struct usbdevfs_ctrltransfer transfer = {
		.bRequestType = (uint8_t)(request >> 8),
		.bRequest = (uint8_t)request,
		.wValue = (uint16_t)value,
		.wIndex = (uint16_t)index,
		.wLength = (uint16_t)n,
		.timeout = kernel_timeout(CONTROL_MS),
		.data = data,
	};
	int r = usb_ioctl(fd, USBDEVFS_CONTROL, &transfer);
	int error = errno;
	report(LEVEL_DEBUG, "usb %04x %04x %04x %u: %s", (unsigned)request, value, index,
	       transfer.wLength, r < 0 ? error_name(error) : "ok");
	errno = error;
	return r;
}

/* ---- carriers: a tty, a cdc-wdm or usbfs takes bytes to one interface and back ---- */

enum {
	FRAME_SIZE = 4096,  /* the longest message of QMI or MBIM that is taken */
	ANSWER_SIZE = 6144, /* the longest AT answer; the longest list that was seen has 1.6 KB */
};

enum result {
	NO_RESULT,
	RESULT_OK,
	RESULT_ERROR,
	RESULT_BUSY
} ONE_BYTE; /* the last line of an AT answer */

struct link {
	const struct carrier *carrier; /* NULL = it is closed */
	int fd;
	uint8_t number;    /* bInterfaceNumber */
	bool encapsulated; /* QMI or MBIM in encapsulated commands, not AT */
	bool gone;         /* the modem left, or takes and gives no more */
	/* usbfs */
	uint8_t bulk_out;
	uint8_t stalls;
	struct usbdevfs_urb in; /* with the kernel as long as the link is open */
	/* tty */
	struct termios found;
	/* AT */
	bool unlocked;
	enum result result;
	bool overflow; /* the answer is longer than its room */
	size_t used;   /* bytes of text */
	size_t line;   /* where its last line begins */
	/* QMI and MBIM */
	bool mbim; /* QMI is inside MBIM */
	bool mbim_open;
	uint16_t max_message; /* wMaxControlMessage */
	uint8_t client;       /* of the device management service; 0 = none */
	uint8_t transaction;
	const uint8_t *tlvs; /* of the last answer, in message */
	size_t tlvs_length;
	size_t message_length;
	uint8_t received[FRAME_SIZE]; /* what came last, as it came */
	uint8_t message[FRAME_SIZE];  /* an MBIM message, put together of its fragments */
	char text[ANSWER_SIZE];       /* the last answer of an AT port */
};

struct carrier {
	const char *name;
	short events; /* what poll() says when there is something to fetch */
	/* Opens a link whose number, encapsulated and mbim are set. SILENT: there is no such
	 * way. */
	enum reason (*open)(struct link *l, const struct modem *m, const struct interface *i);
	/* Takes what has come into l->received. Returns its length, 0 = nothing yet, -1 = the
	 * modem left. */
	int (*fetch)(struct link *l);
	/* Sends bytes before a deadline. False where that fails. */
	bool (*send)(struct link *l, void *data, size_t n, int64_t until);
	/* Gives back what was taken, as it was. */
	void (*close)(struct link *l);
};

/* Why a node cannot be opened, by errno. */
static enum reason open_error(void)
{
	if (errno == EBUSY)
		return HELD;
	if (errno == EACCES || errno == EPERM)
		return NOT_PERMITTED;
	bool leaving = errno == ENOENT || errno == ENODEV || errno == ENXIO;
	return leaving ? SILENT : NO_NODE;
}

static int fetch_file(struct link *l)
{
	ssize_t n = read(l->fd, l->received, sizeof l->received);
	if (n < 0 && errno == EAGAIN)
		return 0;
	return n > 0 ? (int)n : -1;
}

static bool send_file(struct link *l, void *data, size_t n, int64_t until)
{
	if (wait_for(l->fd, POLLOUT, until) != READY)
		return false;
	return write(l->fd, data, n) == (ssize_t)n;
}

/* The tty of an interface. Some drivers make it one folder deeper. */
static bool find_tty(const char *interface, char name[NAME_SIZE])
{
	struct text directory;
	device_file(&directory, interface, "");
	if (find_entry(directory.s, "ttyUSB", name))
		return true;
	device_file(&directory, interface, "tty");
	return find_entry(directory.s, "tty", name);
}

static enum reason open_tty(struct link *l, const struct modem *m, const struct interface *i)
{
	struct text interface;
	struct text number_file;
	char name[NAME_SIZE];
	int held = 0;
	interface_name(&interface, m, i);
	if (!find_tty(interface.s, name))
		return SILENT;
	print(&number_file, SYS "/class/tty/%s/dev", name);
	l->fd = open_node(name, number_file.s, interface.s);
	if (l->fd < 0)
		return open_error();
	ioctl(l->fd, TIOCGEXCL, &held); /* TIOCEXCL does not keep root out, so root must ask */
	if (held || tcgetattr(l->fd, &l->found) < 0) {
		close(l->fd);
		return held ? HELD : SILENT;
	}
	struct termios raw = l->found;
	cfmakeraw(&raw);
	raw.c_cflag |= CLOCAL | CREAD;
	raw.c_cflag &= ~(tcflag_t)CRTSCTS;
	ioctl(l->fd, TIOCEXCL);
	tcsetattr(l->fd, TCSANOW, &raw);
	tcflush(l->fd, TCIOFLUSH);
	return NO_REASON;
}

/* Unsent bytes would make the close wait for 30 s. */
static void close_tty(struct link *l)
{
	tcflush(l->fd, TCIOFLUSH);
	tcsetattr(l->fd, TCSANOW, &l->found);
	ioctl(l->fd, TIOCNXCL);
	close(l->fd);
}

/* Does any process have this character device open? A cdc-wdm can be opened by several, but they
 * take each other's answers. */
static bool is_open_elsewhere(dev_t number)
{
	struct directory processes;
	const char *process;
	bool open_there = false;
	open_directory(&processes, PROC);
	while ((process = next_entry(&processes))) {
		struct directory files;
		struct text path;
		const char *file;
		if (!is_digit(process[0]))
			continue;
		print(&path, PROC "/%s/fd", process);
		open_directory(&files, path.s);
		while ((file = next_entry(&files))) {
			print(&path, PROC "/%s/fd/%s", process, file);
			if (is_digit(file[0]) && is_node(path.s, number))
				open_there = true;
		}
	}
	return open_there;
}

static enum reason open_cdc_wdm(struct link *l, const struct modem *m, const struct interface *i)
{
	struct text interface;
	struct text file;
	char name[NAME_SIZE];
	interface_name(&interface, m, i);
	device_file(&file, interface.s, "usbmisc");
	if (!find_entry(file.s, "cdc-wdm", name))
		return SILENT;
	print(&file, SYS "/class/usbmisc/%s/dev", name);
	if (is_open_elsewhere(read_node_number(file.s)))
		return HELD;
	l->fd = open_node(name, file.s, interface.s);
	return l->fd < 0 ? open_error() : NO_REASON;
}

static void close_file(struct link *l)
{
	close(l->fd);
}

/* Takes the interface from whatever driver holds it, but not from another user of usbfs, and
 * sets DTR and RTS as a tty would. Answers are waited for from here on, by a transfer of one
 * packet that is always pending: USBDEVFS_BULK with a short time-out loses bytes. */
static enum reason open_usbfs(struct link *l, const struct modem *m, const struct interface *i)
{
	enum { DTR = 1, RTS = 2, EXCEPT_DRIVER = 2, NOTIFICATION_SIZE = 64 };
	enum { URB_INTERRUPT = 1, URB_BULK = 3 };
	struct usbdevfs_disconnect_claim claim = {
		.interface = i->number,
		.flags = EXCEPT_DRIVER,
		.driver = "usbfs",
	};
	l->fd = open_usb_device(m);
	if (l->fd < 0)
		return open_error();
	if (usb_ioctl(l->fd, USBDEVFS_DISCONNECT_CLAIM, &claim) < 0) {
		enum reason reason = errno == EBUSY ? HELD : SILENT;
		close(l->fd);
		return reason;
	}
	if (i->alternate)
		usb_ioctl(l->fd, USBDEVFS_SETINTERFACE, (unsigned[]){ i->number, i->alternate });
	bool wants_dtr = m->bcdUSB >= 0x0201 || has_pid(dtr_pids, LEN(dtr_pids), m->idProduct);
	if (!l->encapsulated)
		control(l->fd, SET_CONTROL_LINE_STATE, DTR | RTS, i->number, NULL, 0);
	else if (!l->mbim && wants_dtr)
		control(l->fd, SET_CONTROL_LINE_STATE, DTR, i->number, NULL, 0);
	l->bulk_out = i->bulk_out;
	l->in = (struct usbdevfs_urb){
		.type = URB_BULK,
		.endpoint = i->bulk_in,
		.buffer = l->received,
		.buffer_length = i->max_packet,
	};
	if (l->encapsulated) { /* messages are announced here, and read by control transfers */
		l->in.type = URB_INTERRUPT;
		l->in.endpoint = i->interrupt_in;
		l->in.buffer_length = NOTIFICATION_SIZE;
	}
	l->gone = usb_ioctl(l->fd, USBDEVFS_SUBMITURB, &l->in) < 0;
	return NO_REASON;
}

/* Reaps the transfer and gives it back to the kernel. The kernel copies into l->received only
 * when it is reaped, so between two reaps the room is free for others. Returns its length, 0 =
 * nothing yet, -1 = there will be none. */
static int reap_transfer(struct link *l)
{
	enum { MOST_STALLS = 4 };
	void *done;
	if (usb_ioctl(l->fd, USBDEVFS_REAPURBNDELAY, (void *)&done) < 0)
		return errno == EAGAIN ? 0 : -1;
	int status = l->in.status;
	int length = l->in.actual_length;
	bool again = status == 0 || status == -EOVERFLOW;
	if (status == -EPIPE && l->stalls < MOST_STALLS) {
		l->stalls++;
		usb_ioctl(l->fd, USBDEVFS_CLEAR_HALT, (unsigned[]){ l->in.endpoint });
		again = true;
	}
	if (!again || usb_ioctl(l->fd, USBDEVFS_SUBMITURB, &l->in) < 0)
		return -1;
	return status == 0 ? length : 0;
}

/* A message of QMI or MBIM is announced by the interrupt endpoint, and read by a control
 * transfer. */
static int fetch_usbfs(struct link *l)
{
	enum { NOTIFICATION = 0xa1, RESPONSE_AVAILABLE = 1 };
	int n = reap_transfer(l);
	if (n <= 0 || !l->encapsulated)
		return n;
	if (l->received[0] != NOTIFICATION || l->received[1] != RESPONSE_AVAILABLE)
		return 0;
	n = control(l->fd, GET_ENCAPSULATED_RESPONSE, 0, l->number, l->received, FRAME_SIZE);
	return n > 0 ? n : 0;
}

/* A modem that does not take a command yet may take it later, until the deadline. */
static bool send_usbfs(struct link *l, void *data, size_t n, int64_t until)
{
	struct usbdevfs_bulktransfer bulk = { .ep = l->bulk_out, .len = (unsigned)n, .data = data };
	if (l->encapsulated)
		return control(l->fd, SEND_ENCAPSULATED_COMMAND, 0, l->number, data, n) == (int)n;
	for (;;) {
		bulk.timeout = kernel_timeout(CONTROL_MS);
		int sent = usb_ioctl(l->fd, USBDEVFS_BULK, &bulk);
		if (sent >= 0 || errno != ETIMEDOUT)
			return sent == (int)n;
		if (now_ms() >= until || is_stopped())
			return false;
	}
}

/* The release ends the pending transfer, too. The driver does not come back by itself. */
static void close_usbfs(struct link *l)
{
	struct usbdevfs_ioctl connect = { .ifno = l->number, .ioctl_code = (int)USBDEVFS_CONNECT };
	usb_ioctl(l->fd, USBDEVFS_RELEASEINTERFACE, (unsigned[]){ l->number });
	usb_ioctl(l->fd, USBDEVFS_IOCTL, &connect);
	close(l->fd);
}

static const struct carrier tty_carrier = {
	.name = "tty",
	.events = POLLIN,
	.open = open_tty,
	.fetch = fetch_file,
	.send = send_file,
	.close = close_tty,
};

static const struct carrier cdc_wdm_carrier = {
	.name = "cdc-wdm",
	.events = POLLIN,
	.open = open_cdc_wdm,
	.fetch = fetch_file,
	.send = send_file,
	.close = close_file,
};

static const struct carrier usbfs_carrier = {
	.name = "usbfs",
	.events = POLLOUT, /* a transfer can be reaped */
	.open = open_usbfs,
	.fetch = fetch_usbfs,
	.send = send_usbfs,
	.close = close_usbfs,
};

/* Waits for something to come. Returns its length, 0 for nothing until then, -1 for a modem that
 * left (gone), or when the run is to stop. */
static int receive(struct link *l, int64_t until)
{
	while (!l->gone) {
		int n = l->carrier->fetch(l);
		if (n > 0)
			return n;
		if (n < 0) {
			l->gone = true;
			break;
		}
		if (wait_for(l->fd, l->carrier->events, until) == STOP)
			break;
		if (now_ms() >= until)
			return 0;
	}
	return -1;
}

/* Throws away what is still on its way: answers to what was asked twice, or by somebody before. */
static void drain(struct link *l)
{
	enum { QUIET_FOR_MS = 2 * RETRY_MS };
	int64_t until = within(ANSWER_MS);
	while (receive(l, within(QUIET_FOR_MS)) > 0 && now_ms() < until)
		continue;
}

/* ---- AT: one command, one answer ---- */

/* The final result that a line is, with blanks behind it or not. */
static enum result result_of(const char *line)
{
	size_t n = word_length(line);
	if (begins_with(line, "+CME ERROR: 515")) /* please wait (Wavecom AT guide) */
		return RESULT_BUSY;
	if (begins_with(line, "+CME ERROR") || begins_with(line, "+CMS ERROR"))
		return RESULT_ERROR;
	if (*skip_blanks(line + n))
		return NO_RESULT;
	if (is_word(line, n, "OK"))
		return RESULT_OK;
	if (is_word(line, n, "BUSY"))
		return RESULT_BUSY;
	return is_word(line, n, "ERROR") ? RESULT_ERROR : NO_RESULT;
}

/* Skips the echo of the command at the start of a line, a doubled one too. */
static const char *skip_echo(const char *line, const char *command)
{
	size_t n = strlen(command);
	line = skip_blanks(line);
	while (n && begins_with(line, command))
		line = skip_blanks(line + n);
	return line;
}

/* Judges the last line of an answer. It stays, without the echo, unless it is a result, blank,
 * or one that a modem sends unasked (+CREG, $QCCTLD, ^MODE). */
static void take_line(struct link *l, const char *command)
{
	char *line = l->text + l->line;
	const char *s = skip_echo(line, command);
	enum result result = result_of(s);
	bool unasked = result == NO_RESULT &&
		       (*s == '\0' || *s == '$' || *s == '^' || *s == '*' || *s == '+');
	if (!unasked)
		l->result = result;
	if (unasked || result != NO_RESULT)
		s += strlen(s);
	memmove(line, s, strlen(s) + 1);
	l->line += strlen(line);
	l->used = l->line;
}

/* Takes bytes into the answer. Every line end becomes an LF, every tab a blank, and bytes that
 * are no text are left out. If there is no room left the answer starts over, and is thrown away
 * at its end. */
static void take_bytes(struct link *l, const char *command, int n)
{
	for (int i = 0; i < n; i++) {
		char c = (char)l->received[i];
		if (c == '\r')
			c = '\n';
		if (c == '\t')
			c = ' ';
		if (c != '\n' && (c < ' ' || c > '~'))
			continue;
		if (l->used == sizeof l->text - 1) {
			l->overflow = true;
			l->used = 0;
			l->line = 0;
		}
		l->text[l->used++] = c;
		l->text[l->used] = '\0';
		if (c == '\n')
			take_line(l, command);
	}
}

/* No more will come. The last line may have no end; and where all lines came as one, the last
 * word may be the result. */
static void end_answer(struct link *l, const char *command)
{
	take_line(l, command);
	char *word = l->text + l->used;
	while (word > l->text && is_blank(word[-1]))
		word--;
	while (word > l->text && !is_blank(word[-1]))
		word--;
	if (l->result == NO_RESULT) {
		l->result = result_of(word);
		if (l->result != NO_RESULT)
			*word = '\0';
	}
	if (l->overflow)
		l->text[0] = '\0';
}

static void begin_answer(struct link *l)
{
	l->text[0] = '\0';
	l->used = 0;
	l->line = 0;
	l->overflow = false;
	l->result = NO_RESULT;
}

static bool is_answered(const struct link *l)
{
	return l->result != NO_RESULT || l->text[0];
}

/* How long to go on waiting after some bytes of an answer, in ms; 0 = it is complete. After a
 * question, an OK without any text may belong to the command before. In a list, an OK may stand
 * in the middle. */
static int64_t more_answer_ms(const struct link *l, const char *command)
{
	enum { STRAY_MS = 300, LINGER_MS = 40 };
	bool complete = l->result != NO_RESULT && l->used == l->line;
	if (!complete)
		return QUIET_MS;
	if (l->result == RESULT_OK && !l->used && find_word(command, "?"))
		return STRAY_MS;
	return l->result == RESULT_OK && find_word(command, "=?") ? LINGER_MS : 0;
}

/* Sends a command. The answer is in l->text, without echo and result, which is l->result. It must
 * begin within ms, and end within twice that. */
static void send_command_within(struct link *l, const char *command, int64_t ms)
{
	int64_t until = within(ms);
	int64_t end = within(2 * ms);
	struct text line;
	int n;
	print(&g.me->doing, "waiting for the answer to %s",
	      find_word(command, "\"") ? "AT!ENTERCND" : command);
	do
		n = receive(l, 0); /* what is left of an earlier answer */
	while (n > 0 && now_ms() < until);
	print(&line, "%s\r", command);
	trace(">", command);
	begin_answer(l);
	if (n >= 0)
		n = l->carrier->send(l, line.s, strlen(line.s), until) ? receive(l, until) : 0;
	while (n > 0) {
		take_bytes(l, command, n);
		int64_t more = more_answer_ms(l, command);
		if (more == 0 || now_ms() >= end)
			break;
		n = receive(l, earlier(end, now_ms() + more));
	}
	end_answer(l, command);
	if (n < 0)
		begin_answer(l);
	trace("<", l->text);
	static const char *const names[] = { "(no final result)", "OK", "ERROR", "BUSY" };
	report(LEVEL_DEBUG, "< %s", names[l->result]);
	if (is_answered(l))
		note_life();
}

/* The same, within the usual time. */
static void send_command(struct link *l, const char *command)
{
	send_command_within(l, command, ANSWER_MS);
}

/* ---- AT dialects: from text to struct answer ---- */

/* Behind the first place where a header and a mark stand, with or without blanks between. */
static const char *find_header(const char *text, const char *header, char mark)
{
	for (const char *p = find_word(text, header); p; p = find_word(p, header)) {
		p = skip_blanks(p + strlen(header));
		if (*p == mark)
			return skip_blanks(p + 1);
	}
	return NULL;
}

/* Reads the number behind a header. A blank must follow it, else it may be cut off. */
static bool read_value(const char *text, const char *header, unsigned base, uint32_t *value)
{
	const char *p = find_header(text, header, ':');
	return p && read_digits(&p, base, UINT32_MAX, value) && is_blank(*p);
}

static bool separates_pids(char c)
{
	return is_blank(c) || c == ',';
}

/* Reads four hex digits and no more; UNKNOWN for anything else. */
static int read_pid(const char *s)
{
	const char *p = s;
	uint32_t pid;
	if (!read_digits(&p, 16, 0xffff, &pid) || p - s != 4)
		return UNKNOWN;
	return (int)pid;
}

/* !UDPID? and !USBPID? answer `!UDPID: 68A3`, or `APP : 68E2` and `BOOT: 68E0` below the header. */
static int parse_pid(const char *text)
{
	const char *p = find_header(text, "PID", ':');
	if (!p)
		return UNKNOWN;
	const char *app = find_header(p, "APP", ':');
	if (app)
		p = app;
	int pid = read_pid(p);
	return pid != UNKNOWN && separates_pids(p[4]) ? pid : UNKNOWN;
}

/* !UDPID=? and !USBPID=? answer a PID a line, or pairs. The second of a pair is the boot
 * loader's and cannot be had: what stands behind a comma, and under a heading with BOOT every
 * other one. */
static void parse_pids(struct answer *a, const char *s)
{
	bool pairs = find_word(s, "BOOT") != NULL;
	bool second = false;
	while (*s) {
		for (; separates_pids(*s); s++) {
			if (*s == ',')
				second = true;
			if (*s == '\n')
				second = false;
		}
		int pid = read_pid(s);
		if (pid != UNKNOWN && separates_pids(s[4])) {
			if (!second && a->pids < LEN(a->pid_list))
				a->pid_list[a->pids++] = (uint16_t)pid;
			else if (!second)
				a->cut = true;
			second = pairs && !second;
		}
		while (*s && !separates_pids(*s))
			s++;
	}
}

static const struct row *find_row(const struct answer *a, uint32_t number)
{
	for (unsigned i = 0; i < a->rows; i++)
		if (a->row[i].number == number)
			return &a->row[i];
	return NULL;
}

/* A row whose number came before is supported only if both are the same. */
static void add_row(struct answer *a, const struct row *new)
{
	for (unsigned i = 0; i < a->rows; i++) {
		struct row *old = &a->row[i];
		if (old->number != new->number)
			continue;
		if (memcmp(old, new, sizeof *new) != 0)
			old->supported = false;
		return;
	}
	if (a->rows < LEN(a->row))
		a->row[a->rows++] = *new;
	else
		a->cut = true;
}

/* A dual row has the functions of the two that it names, whatever their own status is. */
static void resolve_rows(struct answer *a)
{
	for (unsigned i = 0; i < a->rows; i++) {
		struct row *r = &a->row[i];
		if (r->configurations == 0)
			r->configurations = 1;
		for (unsigned c = 0; r->configurations == 2 && c < 2; c++) {
			const struct row *part = find_row(a, r->parts[c]);
			bool single = part && part->configurations < 2;
			r->functions[c] = single ? part->functions[0] : 0;
		}
	}
}

/* Takes a word of a row's description. */
static void take_row_word(struct row *r, const char *s, size_t length)
{
	uint32_t number;
	const char *p = s + strlen("comp");
	if (begins_with(s, "comp") && read_digits(&p, 10, 255, &number) && p == s + length) {
		if (r->configurations < 2)
			r->parts[r->configurations] = (uint8_t)number;
		r->configurations++;
		return;
	}
	for (size_t i = 0; i + length <= strlen("NOT"); i++) /* a line's end can cut it */
		if (same_letters(&"NOT"[i], s, length))
			r->supported = false;
	while (length && is_digit(s[length - 1])) /* RMNET1, NIC2 */
		length--;
	for (size_t i = 0; i < LEN(row_words); i++)
		if (is_word(s, length, row_words[i].word))
			r->functions[0] |= (uint16_t)BIT(row_words[i].function);
}

/* !UDUSBCOMP=? answers rows of a number, `-`, words and a status, over as many lines as may be.
 * A row ends at its status. It is not supported without one, nor with a NOT anywhere in it. */
static void parse_rows(struct answer *a, const char *s)
{
	struct row r = { 0 };
	bool open = false;
	size_t length;
	do { /* the last word is empty */
		uint32_t number = 0;
		s = skip_blanks(s);
		length = word_length(s);
		const char *dash = s;
		bool begins = read_digits(&dash, 10, 255, &number);
		dash = skip_blanks(dash);
		begins = begins && *dash == '-';
		bool ends = is_word(s, length, "SUPPORTED");
		if (open && (begins || ends || length == 0)) {
			if (!ends)
				r.supported = false;
			add_row(a, &r);
			open = false;
		}
		if (begins) {
			r = (struct row){ .number = (uint8_t)number, .supported = true };
			open = true;
			length = (size_t)(dash + 1 - s);
		} else if (open) {
			take_row_word(&r, s, length);
		}
		s += length;
	} while (length);
	resolve_rows(a);
}

/* !USBCOMP=? answers types behind `<Config Type> -`, and bits behind `<Interface bitmask> -`, up
 * to the examples and the default, which promise nothing. */
static void parse_bitmask(struct answer *a, const char *text)
{
	const char *types = find_header(text, "<Config Type>", '-');
	const char *bits = find_header(text, "<Interface bitmask>", '-');
	uint32_t value;
	if (!types || !bits)
		return;
	for (const char *p = types; p < bits; p = next_word(p)) {
		const char *s = p;
		if (read_digits(&s, 10, 31, &value) && *s == ':')
			a->types |= BIT(value);
	}
	for (const char *p = bits; *p; p = next_word(p)) {
		const char *s = p + 2;
		if (begins_with(p, "e.g.") || begins_with(p, "default"))
			break;
		if (!begins_with(p, "0x") || !read_digits(&s, 16, UINT32_MAX, &value))
			continue;
		bool one_bit = (value & (value - 1)) == 0;
		if (s - p == 10 && one_bit) /* 0x and eight digits: none is cut off */
			a->bits |= value;
	}
}

/* Sends the code. Returns RESULT_OK, RESULT_ERROR for a refusal, RESULT_BUSY for a modem that
 * must be told it later. Silence counts as OK, as it is seen then whether the modem can be read. */
static enum result unlock(struct link *l)
{
	struct text line;
	print(&line, "AT!ENTERCND=\"%s\"", g.code);
	send_command(l, line.s);
	if (l->result == NO_RESULT)
		l->result = RESULT_OK;
	l->unlocked = l->result == RESULT_OK;
	return l->result;
}

/* Asks a question, and notes whether it was refused. Returns the text of the answer. */
static const char *question(struct link *l, struct answer *a, const char *text)
{
	send_command(l, text);
	if (l->result == RESULT_ERROR || l->result == RESULT_BUSY)
		a->refused = true;
	return l->text;
}

/* Asks what is stored by !UDUSBCOMP and !UDPID, and for the lists if they are wanted. */
static bool ask_index(struct link *l, struct answer *a, bool lists)
{
	const char *text = question(l, a, "AT!UDUSBCOMP?");
	if (!read_value(text, "!UDUSBCOMP", 10, &a->composition))
		return false;
	a->refused = false;
	a->dialect = DIALECT_INDEX;
	if (lists) {
		parse_rows(a, question(l, a, "AT!UDUSBCOMP=?"));
		parse_pids(a, question(l, a, "AT!UDPID=?"));
	}
	a->pid = parse_pid(question(l, a, "AT!UDPID?"));
	return true;
}

/* The same by !USBCOMP and !USBPID. */
static bool ask_bitmask(struct link *l, struct answer *a, bool lists)
{
	uint32_t type;
	const char *text = question(l, a, "AT!USBCOMP?");
	if (!read_value(text, "Config Type", 10, &type) || type > 31)
		return false;
	if (!read_value(text, "Interface bitmask", 16, &a->composition))
		return false;
	a->refused = false;
	a->dialect = DIALECT_BITMASK;
	a->type = (uint8_t)type;
	if (lists)
		parse_bitmask(a, question(l, a, "AT!USBCOMP=?"));
	a->pid = parse_pid(question(l, a, "AT!USBPID?"));
	return true;
}

/* Asks an AT port in both dialects. The lists are asked for only if they are wanted, as only
 * another PID changes them. False where it answers neither. */
static bool ask_at(struct link *l, struct answer *a, bool lists)
{
	if (lists)
		memset(a, 0, sizeof *a);
	a->dialect = NO_DIALECT;
	a->pid = UNKNOWN;
	a->refused = false;
	bool answered = ask_index(l, a, lists) || ask_bitmask(l, a, lists);
	if (a->cut && lists)
		report(LEVEL_WARNING, "a list is too long: only its first 64 rows are known");
	return answered && !l->gone;
}

static bool write_index(struct link *l, const struct answer *a, enum setting setting,
			uint32_t value)
{
	struct text line;
	(void)a;
	print(&line, setting == PID ? "AT!UDPID=%04X" : "AT!UDUSBCOMP=%u", value);
	send_command(l, line.s);
	return l->result == RESULT_OK;
}

static bool write_bitmask(struct link *l, const struct answer *a, enum setting setting,
			  uint32_t value)
{
	struct text line;
	(void)setting;
	print(&line, "AT!USBCOMP=1,%u,%X", a->type, value);
	send_command(l, line.s);
	return l->result == RESULT_OK;
}

static void reset_by_at(struct link *l)
{
	send_command(l, "AT!RESET");
}

/* ---- QMI: the same questions in encapsulated commands, bare or inside MBIM ---- */

enum { CTL = 0, DMS = 2 }; /* services */

enum { /* messages: of CTL, then of DMS (libqmi: qmi-service-ctl.json, qmi-service-dms.json) */
       GET_CLIENT_ID = 0x22,
       RELEASE_CLIENT_ID = 0x23,
       SET_OPERATING_MODE = 0x2e,
       SWI_GET_USB_COMPOSITION = 0x555b,
       SWI_SET_USB_COMPOSITION = 0x555c,
};

/* What a message came to: an error of QMI's, or one of these. */
enum {
	QMI_REFUSED = -2,
	QMI_NO_ANSWER = -1,
	QMI_OK = 0,
	QMI_INTERNAL = 3,
	QMI_DEVICE_NOT_READY = 52
};

enum { MBIM_OPEN = 1, MBIM_CLOSE = 2, MBIM_COMMAND = 3, MBIM_HEADER = 12, MBIM_FRAGMENT = 20 };
enum { MBIM_COMMAND_HEADER = 48, MBIM_STATUS = 40 };
enum { CLOSE_MS = 1000 };     /* the answer to a good-bye is not waited for long */
#define MBIM_DONE 0x80000000u /* set in the type of every answer */

/* Of an MBIM command: one fragment, Sierra's service for QMUX frames (libmbim: mbim-uuid.c), its
 * command 1, to set. */
static const uint8_t tunnel[MBIM_COMMAND_HEADER] = {
	[12] = 1, [20] = 0xd1, 0xa3, 0x0b, 0xc2, 0xf9, 0x7a, 0x6e,     0x43,     0xbf,
	0x65,     0xc7,        0xe2, 0x4f, 0xb0, 0xf0, 0xd3, [36] = 1, [40] = 1,
};

/* The value of a TLV of the last answer, by its type; NULL where there is none. */
static const uint8_t *find_tlv(const struct link *l, uint8_t type, size_t *length)
{
	const uint8_t *p = l->tlvs;
	size_t left = l->tlvs_length;
	while (left >= 3) {
		*length = get16(p + 1);
		if (*length + 3 > left)
			return NULL;
		if (p[0] == type)
			return p + 3;
		left -= *length + 3;
		p += *length + 3;
	}
	return NULL;
}

static uint8_t next_transaction(struct link *l)
{
	l->transaction = (uint8_t)(l->transaction < 250 ? l->transaction + 1 : 1);
	return l->transaction;
}

/* Adds what came to l->message. An answer may come in fragments, each with a header of its own.
 * True when the message is whole. */
static bool take_fragment(struct link *l, size_t n)
{
	const uint8_t *p = l->received;
	size_t from = 0;
	uint32_t total = 1;
	uint32_t current = 0;
	if (n < MBIM_HEADER)
		return false;
	if (get32(p) == (MBIM_DONE | MBIM_COMMAND) && n >= MBIM_FRAGMENT) {
		total = get32(p + 12);
		current = get32(p + 16);
	}
	if (current == 0)
		l->message_length = 0;
	else
		from = MBIM_FRAGMENT;
	if (l->message_length + n - from > sizeof l->message)
		return false;
	memcpy(l->message + l->message_length, p + from, n - from);
	l->message_length += n - from;
	return current + 1 >= total;
}

/* Is l->message the good answer to an MBIM message? Transaction, service and command must be the
 * same, and the status 0. */
static int judge_mbim(struct link *l, const uint8_t *ask, size_t status)
{
	uint8_t *p = l->message;
	if (l->message_length < status + 4 || get32(p) != (MBIM_DONE | get32(ask)))
		return QMI_REFUSED; /* FUNCTION_ERROR, for one */
	if (status > MBIM_FRAGMENT)
		memcpy(p + MBIM_HEADER, ask + MBIM_HEADER, MBIM_FRAGMENT - MBIM_HEADER);
	bool good = memcmp(p + 8, ask + 8, status - 8) == 0 && get32(p + status) == 0;
	return good ? QMI_OK : QMI_REFUSED;
}

/* Sends an MBIM message of n bytes, complete but for its type, length and transaction, and waits
 * for its answer. Returns QMI_OK, QMI_REFUSED or QMI_NO_ANSWER. */
static int exchange_mbim(struct link *l, uint8_t *ask, unsigned type, size_t n, size_t status)
{
	int64_t until = within(type == MBIM_CLOSE ? CLOSE_MS : ANSWER_MS);
	put32(ask, type);
	put32(ask + 4, (uint32_t)n);
	put32(ask + 8, l->transaction);
	l->message_length = 0;
	if (!l->carrier->send(l, ask, n, until))
		return QMI_NO_ANSWER;
	for (;;) {
		int r = receive(l, until);
		if (r <= 0)
			return QMI_NO_ANSWER;
		bool answer = r >= MBIM_HEADER && (get32(l->received) & MBIM_DONE);
		bool ours = answer && get32(l->received + 8) == l->transaction;
		if (ours && take_fragment(l, (size_t)r))
			return judge_mbim(l, ask, status);
		if (now_ms() >= until)
			return QMI_NO_ANSWER;
	}
}

/* Is a QMI message of n bytes the answer to q? Its TLVs are then l->tlvs, a result among them. */
static bool is_qmi_answer(struct link *l, const uint8_t *p, size_t n, const uint8_t *q)
{
	size_t head = q[4] == CTL ? 12 : 13;
	size_t length;
	if (n < head || get16(p + 1) + 1u > n || p[0] != 1)
		return false;
	l->tlvs = p + head;
	l->tlvs_length = get16(p + head - 2);
	if (head + l->tlvs_length > get16(p + 1) + 1u)
		return false;
	if (memcmp(p + 4, q + 4, head - 6) != 0) /* service, client, kind, transaction, message */
		return false;
	return find_tlv(l, 0x02, &length) && length >= 4;
}

/* Waits for the answer to q, bare or inside MBIM. */
static int receive_qmi(struct link *l, const uint8_t *q, int64_t until)
{
	if (l->mbim) {
		const uint8_t *inner = l->message + MBIM_COMMAND_HEADER;
		if (l->message_length <= MBIM_COMMAND_HEADER)
			return QMI_REFUSED;
		bool good = is_qmi_answer(l, inner, l->message_length - MBIM_COMMAND_HEADER, q);
		return good ? QMI_OK : QMI_NO_ANSWER;
	}
	for (;;) {
		int n = receive(l, until);
		if (n <= 0)
			return QMI_NO_ANSWER;
		if (is_qmi_answer(l, l->received, (size_t)n, q))
			return QMI_OK;
		if (now_ms() >= until)
			return QMI_NO_ANSWER;
	}
}

/* Sends a message with at most one TLV, 0x01; those of the answer are l->tlvs. Returns the error
 * that the modem gives, QMI_OK, QMI_REFUSED or QMI_NO_ANSWER. */
static int exchange_qmi(struct link *l, uint8_t service, unsigned message, const uint8_t *value,
			size_t length)
{
	uint8_t ask[MBIM_COMMAND_HEADER + 32] = { 0 };
	uint8_t *q = ask + MBIM_COMMAND_HEADER;
	size_t head = service == CTL ? 12 : 13; /* CTL's transaction is one byte, others have two */
	size_t n = head + (length ? length + 3 : 0);
	int64_t until = within(message == RELEASE_CLIENT_ID ? CLOSE_MS : ANSWER_MS);
	int sent;
	memcpy(ask, tunnel, sizeof tunnel);
	put32(q - 4, (uint32_t)n);
	q[0] = 1;
	put16(q + 1, (unsigned)n - 1);
	q[4] = service;
	q[5] = service == CTL ? 0 : l->client;
	q[7] = next_transaction(l);
	put16(q + head - 4, message);
	put16(q + head - 2, (unsigned)(n - head));
	if (length) {
		q[head] = 0x01;
		put16(q + head + 1, (unsigned)length);
		memcpy(q + head + 3, value, length);
	}
	print(&g.me->doing, "waiting for the answer to QMI %04x", message);
	report(LEVEL_DEBUG, "> QMI %02x %04x, %u bytes", service, message, (unsigned)n);
	if (l->mbim)
		sent = exchange_mbim(l, ask, MBIM_COMMAND, MBIM_COMMAND_HEADER + n, MBIM_STATUS);
	else
		sent = l->carrier->send(l, q, n, until) ? QMI_OK : QMI_NO_ANSWER;
	if (sent != QMI_OK)
		return sent;
	q[6] = service == CTL ? 1 : 2; /* it is a response */
	int received = receive_qmi(l, q, until);
	if (received != QMI_OK)
		return received;
	const uint8_t *result = find_tlv(l, 0x02, &length);
	int error = get16(result) ? get16(result + 2) : QMI_OK;
	note_life();
	report(LEVEL_DEBUG, "< QMI %04x: error %u", message, (unsigned)error);
	return error;
}

/* Opens MBIM, and gets a client of the device management service. No CTL Sync is sent: it would
 * drop the clients of others. Returns the QMI error. */
static int open_qmi(struct link *l)
{
	uint8_t service = DMS;
	uint8_t ask[16];
	size_t length;
	if (l->mbim && !l->mbim_open) {
		bool usable = l->max_message && l->max_message < FRAME_SIZE;
		next_transaction(l);
		print(&g.me->doing, "waiting for MBIM to open");
		put32(ask + 12, usable ? l->max_message : FRAME_SIZE);
		l->mbim_open = exchange_mbim(l, ask, MBIM_OPEN, sizeof ask, 12) == QMI_OK;
		if (!l->mbim_open)
			return QMI_NO_ANSWER;
		note_life();
	}
	int error = exchange_qmi(l, CTL, GET_CLIENT_ID, &service, 1);
	if (error != QMI_OK)
		return error;
	const uint8_t *client = find_tlv(l, 0x01, &length);
	if (client && length >= 2 && client[0] == DMS)
		l->client = client[1];
	return l->client ? QMI_OK : QMI_NO_ANSWER;
}

static void close_qmi(struct link *l)
{
	uint8_t client[] = { DMS, l->client };
	uint8_t ask[MBIM_HEADER];
	if (l->client && !l->gone)
		exchange_qmi(l, CTL, RELEASE_CLIENT_ID, client, sizeof client);
	if (!l->mbim_open || l->gone)
		return;
	next_transaction(l);
	exchange_mbim(l, ask, MBIM_CLOSE, sizeof ask, 12);
}

/* Reads the answer to 0x555B: the composition, and the numbers on offer. There is no text:
 * config.h knows what the numbers mean. A list that lies about its length is none. */
static bool parse_qmi_composition(const struct link *l, struct answer *a)
{
	size_t length;
	const uint8_t *v = find_tlv(l, 0x10, &length);
	if (!v || length == 0)
		return false;
	*a = (struct answer){ .dialect = DIALECT_QMI, .pid = UNKNOWN, .composition = v[0] };
	v = find_tlv(l, 0x11, &length);
	if (!v || length == 0 || v[0] != length - 1)
		return true;
	for (size_t i = 1; i < length; i++) {
		struct row r = { .number = v[i], .configurations = 1, .supported = true };
		if (r.number < LEN(compositions))
			memcpy(r.functions, compositions[r.number], sizeof r.functions);
		if (r.functions[1])
			r.configurations = 2;
		add_row(a, &r);
	}
	return true;
}

/* Asks for the composition. Returns the QMI error. */
static int ask_qmi(struct link *l, struct answer *a)
{
	int error = exchange_qmi(l, DMS, SWI_GET_USB_COMPOSITION, NULL, 0);
	if (error == QMI_OK && !parse_qmi_composition(l, a))
		return QMI_NO_ANSWER;
	return error;
}

static bool read_qmi(struct link *l, struct answer *a, bool lists)
{
	(void)lists;
	int error = ask_qmi(l, a);
	if (error == QMI_NO_ANSWER && !l->gone)
		error = ask_qmi(l, a); /* one answer may be lost */
	return error == QMI_OK;
}

static bool write_qmi(struct link *l, const struct answer *a, enum setting setting, uint32_t value)
{
	uint8_t number = (uint8_t)value;
	(void)a;
	(void)setting;
	return exchange_qmi(l, DMS, SWI_SET_USB_COMPOSITION, &number, 1) == QMI_OK;
}

/* A modem resets from offline only. */
static void reset_by_qmi(struct link *l)
{
	enum { OFFLINE = 3, RESET_MODE = 4 };
	uint8_t mode = OFFLINE;
	exchange_qmi(l, DMS, SET_OPERATING_MODE, &mode, 1);
	mode = RESET_MODE;
	exchange_qmi(l, DMS, SET_OPERATING_MODE, &mode, 1);
}

/* What each dialect reads, writes and resets by. What is to be written decide() chooses. */
static const struct {
	const char *format; /* of a composition, in messages */
	bool (*read)(struct link *l, struct answer *a, bool lists);
	bool (*write)(struct link *l, const struct answer *a, enum setting setting, uint32_t value);
	void (*reset)(struct link *l);
} dialects[] = {
	[NO_DIALECT] = { "composition %u", NULL, NULL, NULL },
	[DIALECT_INDEX] = { "composition %u", ask_at, write_index, reset_by_at },
	[DIALECT_BITMASK] = { "bitmask 0x%X", ask_at, write_bitmask, reset_by_at },
	[DIALECT_QMI] = { "composition %u", read_qmi, write_qmi, reset_by_qmi },
};

/* ---- target: [PORT:][PID/]MODE[@CONFIG][!] ---- */

/* The !USBCOMP bits of functions. */
static uint32_t bitmask_of(uint32_t names)
{
	uint32_t bits = 0;
	for (unsigned f = 0; f < FUNCTIONS; f++)
		if (names & BIT(f))
			bits |= functions[f].bit;
	return bits;
}

/* Reads function names joined by `+`, and moves *s behind the last. False where one is none. */
static bool read_names(const char **s, uint32_t *names)
{
	*names = 0;
	for (;;) {
		size_t length = 0;
		unsigned f = 0;
		while ((*s)[length] >= 'a' && (*s)[length] <= 'z')
			length++;
		while (f < FUNCTIONS &&
		       (!functions[f].nameable || (!is_word(*s, length, functions[f].name) &&
						   !is_word(*s, length, functions[f].alias))))
			f++;
		if (length == 0 || f == FUNCTIONS)
			return false;
		*names |= BIT(f);
		*s += length;
		if (**s != '+')
			return true;
		++*s;
	}
}

#define MIXED "no modem has MBIM beside another network"
#define MODES "is off, modem, 0 to 255, 0xHEX, or of at dm nmea qmi mbim net ecm ms, joined by +"

/* Is there MBIM in a bitmask, and another network beside it? */
static bool mixes_mbim(uint32_t bitmask)
{
	uint32_t others = 0;
	for (size_t i = 0; i < LEN(network_families); i++)
		others |= network_families[i];
	others &= ~functions[MBIM].bit;
	return (bitmask & functions[MBIM].bit) && (bitmask & others);
}

/* Reads MODE and moves *s behind it. Returns NULL, or what is wrong with it. */
static const char *read_mode(struct target *t, const char **s)
{
	if (begins_with(*s, "off")) {
		t->mode = MODE_OFF;
		*s += strlen("off");
		return NULL;
	}
	if (begins_with(*s, "modem") && (*s)[strlen("modem")] != '+') {
		t->mode = MODE_MODEM;
		*s += strlen("modem");
		return NULL;
	}
	if (begins_with(*s, "0x")) {
		t->mode = MODE_BITMASK;
		*s += strlen("0x");
		if (!read_digits(s, 16, UINT32_MAX, &t->value) || t->value == 0)
			return "0x wants a bitmask, 0x1 to 0xFFFFFFFF";
		return mixes_mbim(t->value) ? MIXED : NULL;
	}
	if (is_digit(**s)) {
		t->mode = MODE_NUMBER;
		bool decimal = read_digits(s, 10, 255, &t->value) && digit_value(**s) >= 16;
		return decimal ? NULL : "a composition is 0 to 255, a bitmask 0xHEX, a PID XXXX/";
	}
	t->mode = MODE_NAMES;
	if (!read_names(s, &t->value))
		return "MODE " MODES;
	bool others = t->value & NETWORKS & ~BIT(MBIM);
	return (t->value & BIT(MBIM)) && others ? MIXED : NULL;
}

/* Reads the parts of a target and moves *s behind what is understood. Returns NULL, or what is
 * wrong with the rest. */
static const char *read_parts(struct target *t, const char **s)
{
	uint32_t configuration = 0;
	size_t port = port_length(*s);
	if (port && (*s)[port] == ':') {
		copy_port(t->port, *s, port);
		*s += port + 1;
	}
	if (read_pid(*s) != UNKNOWN && (*s)[4] == '/') {
		t->pid = read_pid(*s);
		*s += 5;
	}
	if (find_word(*s, ":"))
		return "a port is as in 1-1.2";
	if (find_word(*s, "/"))
		return "a PID has four hex digits";
	const char *wrong = read_mode(t, s);
	if (wrong)
		return wrong;
	if (t->pid != UNKNOWN && (t->mode == MODE_OFF || t->mode == MODE_MODEM))
		return "off and modem take no PID";
	if (**s == '@' && t->mode != MODE_OFF) {
		++*s;
		if (!read_digits(s, 10, 255, &configuration) || configuration == 0)
			return "@ wants a configuration, 1 to 255";
		t->configuration = (uint8_t)configuration;
	}
	if (**s == '!' && t->mode != MODE_OFF && t->mode != MODE_MODEM) {
		t->without_at = true;
		++*s;
	}
	return **s ? "it fits no [PORT:][PID/]MODE[@CONFIG][!]" : NULL;
}

/* Returns NULL, or what is wrong with the text behind the first t->understood characters. */
static const char *parse_target(struct target *t, const char *text)
{
	const char *s = t->text;
	memset(t, 0, sizeof *t);
	t->pid = UNKNOWN;
	if (!*text)
		return "it is empty";
	if (strlen(text) >= sizeof t->text)
		return "it is too long";
	for (size_t i = 0; text[i]; i++)
		t->text[i] = to_lower(text[i]);
	const char *wrong = read_parts(t, &s);
	t->understood = (uint8_t)(s - t->text);
	return wrong;
}

/* ---- decide: all rules of what may be done; no system call, no clock, no device ---- */

enum {
	MOST_SELECTIONS = 5, /* of a configuration, in one start of the modem */
	MOST_RESETS = 2,
};

static struct step make_step(enum action action, uint32_t value)
{
	return (struct step){ .action = action, .value = value };
}

static struct step refuse(enum reason reason)
{
	return (struct step){ .action = REFUSE, .reason = reason };
}

/* Waits so long, but not beyond a limit; when it is reached, refuses. */
static struct step wait_or_refuse(int64_t ms, int64_t limit_ms, enum reason reason)
{
	if (limit_ms <= 0)
		return refuse(reason);
	return (struct step){ .action = WAIT_FOR_IT, .ms = earlier(ms, limit_ms) };
}

/* Are both known, and not the same? */
static bool are_unlike(int pid, int other)
{
	return pid != other && pid != UNKNOWN && other != UNKNOWN;
}

/* The PID that is stored; the one that runs where nobody says, as over QMI. */
static int stored_pid(const struct situation *s)
{
	return s->answer.pid == UNKNOWN ? s->seen.idProduct : s->answer.pid;
}

/* Is something else stored in the one than in the other? */
static bool stores_otherwise(const struct answer *a, const struct answer *b)
{
	return are_unlike(a->pid, b->pid) || a->composition != b->composition || a->type != b->type;
}

/* Is a change begun that is neither finished nor put back? What went in with a reset that the
 * modem did not do stays: it takes effect when the modem is powered off and on. */
static bool is_unfinished(const struct situation *s)
{
	const struct history *h = &s->history;
	if (!h->written || h->committed)
		return false;
	if (!h->asked)
		return true;
	return stores_otherwise(&s->answer, &h->found) || stores_otherwise(&s->answer, &h->running);
}

/* The next step of the way back: what was found is stored again, first the PID, as it moves the
 * composition; then a reset, if another start than that with the found setting runs. */
static struct step go_back(const struct situation *s)
{
	const struct history *h = &s->history;
	const struct answer *a = &s->answer;
	if (h->asked && is_unfinished(s)) {
		bool pid = a->dialect == DIALECT_INDEX && are_unlike(a->pid, h->found.pid);
		bool composition =
			a->composition != h->found.composition || a->type != h->found.type;
		if (pid && !(h->restored & PID))
			return make_step(WRITE_PID, (uint32_t)h->found.pid);
		if (composition && !(h->restored & COMPOSITION))
			return make_step(WRITE_COMPOSITION, h->found.composition);
		bool restored = !stores_otherwise(a, &h->found);
		if (restored && h->resets < MOST_RESETS && h->refused != NO_RESET)
			return make_step(RESET, 0);
	}
	bool moved = h->found_configuration && h->found_configuration != s->seen.active;
	if (moved && h->selections < MOST_SELECTIONS && !h->stopped)
		return make_step(SELECT, h->found_configuration);
	return refuse(NO_REASON);
}

/* The configuration that has all these functions, or only that one if it is given. Of several the
 * preferred one. 0 = there is none. Storage alone is no modem. */
static uint8_t pick_configuration(const struct modem *m, unsigned names, uint8_t only,
				  uint8_t preferred)
{
	uint8_t picked = 0;
	for (unsigned i = 0; i < m->configurations; i++) {
		const struct configuration *c = &m->configuration[i];
		unsigned has = functions_of(m, c);
		bool serves = !(names & ~has) && (has & ~BIT(MS));
		if (serves && (!only || only == c->value) && (!picked || c->value == preferred))
			picked = c->value;
	}
	return picked;
}

/* The configuration that has all these functions, the active one if it does. */
static uint8_t find_serving(const struct modem *m, unsigned names, uint8_t only)
{
	return pick_configuration(m, names, only, m->active);
}

/* The functions of a bitmask. */
static unsigned names_of(uint32_t bitmask)
{
	unsigned names = 0;
	for (unsigned f = 0; f < FUNCTIONS; f++)
		if (bitmask & functions[f].bit)
			names |= BIT(f);
	return names;
}

/* Which functions does what is stored promise for the first or the second configuration? 0:
 * none, or nobody knows. */
static unsigned promised_functions(const struct answer *a, unsigned index)
{
	if (a->dialect == DIALECT_BITMASK)
		return index == 0 ? names_of(a->composition) : 0;
	const struct row *r = find_row(a, a->composition);
	return r ? r->functions[index] : 0;
}

/* The configuration that the target wants. Names find theirs by what is on the bus; else by what
 * the modem says of its compositions. 0 = any. */
static uint8_t wanted_configuration(const struct situation *s)
{
	const struct target *t = s->wanted;
	if (t->mode != MODE_NAMES)
		return t->configuration;
	uint8_t serving = find_serving(&s->seen, t->value, t->configuration);
	for (unsigned i = 0; !serving && s->history.asked && i < 2 && i < s->seen.configurations;
	     i++) {
		bool asked_for = !t->configuration || t->configuration == i + 1;
		if (asked_for && !(t->value & ~promised_functions(&s->answer, i)))
			serving = s->seen.configuration[i].value;
	}
	return serving ? serving : t->configuration;
}

/* Does the bus alone show that the wanted functions are there? */
static bool shows_names(const struct situation *s)
{
	const struct target *t = s->wanted;
	if (t->mode != MODE_NAMES || are_unlike(t->pid, s->seen.idProduct))
		return false;
	return find_serving(&s->seen, t->value, t->configuration) != 0;
}

/* Storage is left by selecting a configuration where there is one, the wanted one first, else by a
 * flip. */
static struct step leave_storage(const struct situation *s)
{
	uint8_t modem = pick_configuration(&s->seen, 0, 0, wanted_configuration(s));
	if (modem)
		return make_step(SELECT, modem);
	if (s->history.unreachable != NO_REASON)
		return refuse(s->history.unreachable);
	return s->history.flips < MOST_FLIPS ? make_step(FLIP, 0) : refuse(STAYS_STORAGE);
}

/* The target is stored and runs. Its configuration is still to be selected. After something was
 * written, and after a selection, the modem must stay for some time. */
static struct step settle(const struct situation *s)
{
	const struct history *h = &s->history;
	uint8_t configuration = wanted_configuration(s);
	if (!configuration)
		configuration = h->found_configuration;
	if (!configuration)
		configuration = s->seen.active;
	const struct configuration *c = find_configuration(&s->seen, configuration);
	if (!c || functions_of(&s->seen, c) == BIT(MS)) /* storage alone is no modem */
		return refuse(NO_SUCH_CONFIGURATION);
	if (configuration != s->seen.active)
		return make_step(SELECT, configuration);
	int64_t stay_ms = h->written ? STAY_MS : SETTLE_MS;
	if ((h->written || h->selections) && s->age_ms < stay_ms)
		return wait_or_refuse(stay_ms - s->age_ms, s->left_ms, LATE_TO_STAY);
	return make_step(DONE, 0);
}

/* Can everything of what is stored be seen that can be seen at all? Only serial ports look
 * alike. */
static bool is_shown(const struct situation *s)
{
	unsigned first = promised_functions(&s->answer, 0);
	unsigned second = promised_functions(&s->answer, 1);
	const struct modem *m = &s->seen;
	if (first & VISIBLE & ~functions_of(m, &m->configuration[0]))
		return false;
	if (second & VISIBLE & ~functions_of(m, &m->configuration[1]))
		return false;
	if (functions_of_all(m) & VISIBLE & ~(first | second))
		return false;
	return second || !first || m->configurations < 2;
}

/* Does the modem itself show that something else runs than what it has stored? That a function
 * is not to be seen is no sign of it, as layouts differ. Signs are: another network in its
 * place; another number of configurations; an AT port that answers though what is stored has
 * none. */
static bool runs_otherwise(const struct situation *s)
{
	const struct answer *a = &s->answer;
	unsigned first = promised_functions(a, 0);
	unsigned second = promised_functions(a, 1);
	unsigned promised = (first | second) & VISIBLE;
	unsigned seen = functions_of_all(&s->seen) & VISIBLE;
	if (!promised)
		return false;
	unsigned missing = promised & NETWORKS & ~seen;
	unsigned unexpected = seen & NETWORKS & ~promised;
	bool other_network = missing && unexpected && ((missing | unexpected) & BY_CLASS);
	bool other_count = (second != 0) != (s->seen.configurations > 1);
	bool other_at = a->dialect != DIALECT_QMI && !(promised & BIT(AT));
	return other_network || other_count || other_at;
}

/* How many interfaces of a configuration are serial ports, whatever they are for. */
static unsigned count_serial(const struct configuration *c, const struct modem *m)
{
	unsigned n = 0;
	for (unsigned i = 0; i < c->interfaces; i++) {
		enum function f = function_of(m, &c->interface[i]);
		if (c->interface[i].class == VENDOR_CLASS && f != QMI && f != NET)
			n++;
	}
	return n;
}

/* In a composition without an AT port nobody may be there to ask. Then the bus is looked at, so
 * that the next run says the same as the one that wrote it. */
static bool looks_like_target(const struct situation *s)
{
	const struct target *t = s->wanted;
	unsigned promised = 0;
	if (t->mode == MODE_BITMASK)
		promised = names_of(t->value);
	if (t->mode == MODE_NUMBER && t->value < LEN(compositions) && !compositions[t->value][1])
		promised = compositions[t->value][0];
	if (!(promised & NETWORKS) || (promised & BIT(AT)) || s->seen.configurations != 1)
		return false;
	if (are_unlike(t->pid, s->seen.idProduct))
		return false;
	/* which serial port is which cannot be seen, but how many there are */
	unsigned serial = count_serial(&s->seen.configuration[0], &s->seen);
	unsigned wanted_serial = 0;
	if (promised & BIT(DM))
		wanted_serial++;
	if (promised & BIT(NMEA))
		wanted_serial++;
	bool same = (functions_of_all(&s->seen) & VISIBLE) == (promised & VISIBLE);
	return same && serial == wanted_serial;
}

/* The configuration in which somebody can be asked, 0 = none: an AT port comes before all
 * others, be it in another configuration. Over QMI numbers mean other things than bits, and
 * nobody tells the PID. */
static uint8_t find_asking(const struct situation *s, uint8_t only)
{
	enum { AT_WAYS = 2 };
	static const enum function ways[] = { AT, SPARE_AT, MBIM, QMI };
	const struct history *h = &s->history;
	bool at_only = h->found.dialect == DIALECT_BITMASK || (h->written & PID);
	uint8_t found = 0;
	for (size_t w = 0; !found && w < (at_only ? AT_WAYS : LEN(ways)); w++)
		found = find_serving(&s->seen, BIT(ways[w]), only);
	return found;
}

/* Whoever can be asked is asked. If the target went in with a reset, and can be seen on the bus,
 * only the active configuration is asked, and needs not answer. A modem that left when another
 * configuration was selected is asked in the active one first. */
static struct step find_way(const struct situation *s)
{
	const struct history *h = &s->history;
	unsigned known = promised_functions(&s->answer, 0) | promised_functions(&s->answer, 1);
	bool proved = h->committed && h->refused == NO_REASON && (known & VISIBLE) && is_shown(s) &&
		      s->wanted->mode != MODE_NAMES &&
		      !are_unlike(s->wanted->pid, s->seen.idProduct);
	bool over = h->refused != NO_REASON || h->stopped;
	uint8_t configuration = 0;
	if (h->unreachable == NO_REASON) {
		bool active_first = proved || h->left_by_selection;
		configuration = find_asking(s, active_first ? s->seen.active : 0);
		if (!configuration && !proved)
			configuration = find_asking(s, 0);
	}
	if (configuration)
		return make_step(configuration == s->seen.active ? ASK : SELECT, configuration);
	if (!over && (proved || looks_like_target(s)))
		return settle(s);
	return refuse(h->unreachable != NO_REASON ? h->unreachable : NOTHING_TO_ASK);
}

/* What is to be stored so that the target is there. */
struct choice {
	enum {
		CANNOT, /* and why */
		STORED, /* it is stored already */
		STORE_PID,
		STORE_COMPOSITION,
		RESET_FIRST, /* the PID that was written may offer it after a reset */
	} what;
	enum reason reason;
	uint32_t value;
};

static struct choice cannot(enum reason reason)
{
	return (struct choice){ .what = CANNOT, .reason = reason };
}

static struct choice store(uint32_t value, uint32_t stored)
{
	return (struct choice){
		.what = value == stored ? STORED : STORE_COMPOSITION,
		.value = value,
	};
}

/* Does a row have what is wanted, in one configuration? */
static bool row_serves(const struct row *r, const struct target *t)
{
	if (t->mode == MODE_NUMBER)
		return r->number == t->value;
	if ((r->functions[0] | r->functions[1]) & ONLY_NAMED & ~t->value)
		return false;
	for (unsigned c = 0; c < r->configurations && c < LEN(r->functions); c++) {
		bool asked_for = !t->configuration || t->configuration == c + 1;
		if (asked_for && !(t->value & ~(unsigned)r->functions[c]))
			return true;
	}
	return false;
}

/* How much there is against a row, the least wins: no AT port, two configurations, functions that
 * nobody asked for, its number. */
static unsigned row_cost(const struct row *r, const struct target *t)
{
	unsigned all = r->functions[0] | r->functions[1];
	unsigned cost = r->number;
	for (unsigned f = 0; f < FUNCTIONS; f++)
		if (all & BIT(f) & ~t->value)
			cost += 1u << 8;
	if (r->configurations > 1)
		cost += 1u << 12;
	if (!(all & BIT(AT)))
		cost += 1u << 13;
	return cost;
}

/* The best row for the target, that of now before all others; NULL = none. One without an AT port
 * is taken only where that is allowed, or if the modem had it before anything was written. */
static const struct row *pick_row(const struct situation *s, bool without_at)
{
	const struct answer *a = &s->answer;
	const struct row *best = NULL;
	for (unsigned i = 0; i < a->rows; i++) {
		const struct row *r = &a->row[i];
		bool present = r->number == a->composition;
		bool has_at = (r->functions[0] | r->functions[1]) & BIT(AT);
		bool kept = present && !s->history.written;
		if (!r->supported || !row_serves(r, s->wanted) || (!has_at && !without_at && !kept))
			continue;
		if (present)
			return r;
		if (!best || row_cost(r, s->wanted) < row_cost(best, s->wanted))
			best = r;
	}
	return best;
}

/* Another PID for function names, by config.h's table, where the modem lists it. 0 = none. */
static uint16_t find_move(const struct situation *s)
{
	const struct answer *a = &s->answer;
	const struct target *t = s->wanted;
	if (t->mode != MODE_NAMES || t->pid != UNKNOWN || s->history.written)
		return 0;
	for (size_t i = 0; i < LEN(moves); i++) {
		bool carries = !(t->value & ~(uint32_t)moves[i].functions);
		if (moves[i].from == a->pid && carries &&
		    has_pid(a->pid_list, a->pids, moves[i].to))
			return moves[i].to;
	}
	return 0;
}

/* Numbered compositions, of !UDUSBCOMP and of QMI. */
static struct choice choose_row(const struct situation *s)
{
	const struct answer *a = &s->answer;
	const struct target *t = s->wanted;
	const struct history *h = &s->history;
	if (t->mode == MODE_BITMASK && a->dialect == DIALECT_QMI && looks_like_target(s))
		return (struct choice){ .what = STORED };
	if (t->mode == MODE_BITMASK)
		return cannot(NO_BITMASKS);
	if (are_unlike(t->pid, stored_pid(s))) {
		if (a->dialect == DIALECT_QMI)
			return cannot(PID_NOT_WRITABLE);
		if (a->pid == UNKNOWN || !a->rows)
			return cannot(NO_LIST);
		if (!has_pid(a->pid_list, a->pids, (uint32_t)t->pid))
			return cannot(PID_NOT_LISTED);
		return (struct choice){ .what = STORE_PID, .value = (uint32_t)t->pid };
	}
	/* what was stored before is right even if it is not listed; what a written PID moved
	 * must be listed */
	bool had = !h->written || h->committed;
	if (t->mode == MODE_NUMBER && t->value == a->composition && had)
		return (struct choice){ .what = STORED, .value = t->value };
	const struct row *r = pick_row(s, t->without_at);
	if (r)
		return t->configuration > r->configurations ? cannot(NO_SUCH_CONFIGURATION)
							    : store(r->number, a->composition);
	if (!a->rows)
		return cannot(NO_LIST);
	uint16_t pid = find_move(s);
	if (pid)
		return (struct choice){ .what = STORE_PID, .value = pid };
	/* if only the PID was written, and the list is another than before and has the present
	 * composition, it is the new PID's; else it may change with a reset */
	const struct row *present = find_row(a, a->composition);
	bool list_is_new =
		present && present->supported && memcmp(a->row, h->running.row, sizeof a->row) != 0;
	if (h->written == PID && !h->resets && stores_otherwise(a, &h->running) && !list_is_new)
		return (struct choice){ .what = RESET_FIRST };
	return cannot(pick_row(s, true) ? ONLY_WITHOUT_AT : NOT_LISTED);
}

/* The bitmask that function names make of the present one: what is there stays, but for other
 * networks; the names and the AT port are added. */
static uint32_t add_names(const struct situation *s, uint32_t names)
{
	uint32_t bits = bitmask_of(names);
	uint32_t mask = s->answer.composition | bits;
	for (size_t i = 0; i < LEN(network_families); i++)
		if ((names & NETWORKS) && !(bits & network_families[i]))
			mask &= ~network_families[i];
	if (!s->wanted->without_at)
		mask |= functions[AT].bit;
	return mask;
}

/* Bitmasks, of !USBCOMP. The type stays as the modem has it. */
static struct choice choose_bitmask(const struct situation *s)
{
	const struct answer *a = &s->answer;
	const struct target *t = s->wanted;
	bool number_known = t->value == 6 || t->value == 8 || t->value == 9;
	uint32_t names = t->value;
	if (t->mode == MODE_NUMBER && !number_known)
		return cannot(NO_NUMBERS);
	if (t->mode == MODE_NUMBER)
		names = compositions[t->value][0];
	if (are_unlike(t->pid, stored_pid(s)))
		return cannot(PID_NOT_WRITABLE);
	if (t->mode != MODE_BITMASK && (names & (BIT(NET) | BIT(MS))))
		return cannot(NO_BIT);
	uint32_t mask = t->mode == MODE_BITMASK ? t->value : add_names(s, names);
	if (mask == a->composition)
		return (struct choice){ .what = STORED, .value = mask };
	if (!a->bits)
		return cannot(NO_LIST);
	if (!(a->types & BIT(a->type)))
		return cannot(TYPE_NOT_LISTED);
	if (mask & ~a->composition & ~a->bits)
		return cannot(NOT_LISTED);
	if (!(mask & functions[AT].bit) && !t->without_at)
		return cannot(ONLY_WITHOUT_AT);
	if (t->configuration > 1)
		return cannot(NO_SUCH_CONFIGURATION);
	return store(mask, a->composition);
}

static struct choice (*const choosers[])(const struct situation *s) = {
	[DIALECT_INDEX] = choose_row,
	[DIALECT_BITMASK] = choose_bitmask,
	[DIALECT_QMI] = choose_row,
};

/* Is what is stored not what was written, or did anything else move? */
static bool reads_back_otherwise(const struct situation *s)
{
	const struct history *h = &s->history;
	const struct answer *a = &s->answer;
	int pid = h->written & PID ? h->pid : h->found.pid;
	if (!h->written || h->committed)
		return false;
	if (are_unlike(a->pid, pid) || a->type != h->found.type)
		return true;
	if ((h->written & PID) && a->pid == UNKNOWN)
		return true;
	return (h->written & COMPOSITION) && a->composition != h->composition;
}

/* The target is stored. It is there if it runs as well. */
static struct step finish(const struct situation *s)
{
	const struct history *h = &s->history;
	unsigned names = s->wanted->mode == MODE_NAMES ? s->wanted->value : 0;
	bool changed = stores_otherwise(&s->answer, &h->running);
	bool otherwise = runs_otherwise(s) || are_unlike(s->wanted->pid, s->seen.idProduct);
	if (changed ? h->resets < MOST_RESETS : otherwise && !h->resets)
		return (struct step){ .action = RESET, .commits = true };
	unsigned believed = s->answer.dialect == DIALECT_QMI ? 0 : BELIEVED;
	if (otherwise || (names & ~believed & ~functions_of_all(&s->seen)))
		return refuse(NOT_SHOWN);
	return settle(s);
}

/* The modem runs: ask, choose, write, reset, in this order, and as little of it as possible. */
static struct step approach(const struct situation *s)
{
	const struct history *h = &s->history;
	bool over = h->refused != NO_REASON || h->stopped;
	bool begun = is_unfinished(s);
	if (over && (h->asked || !begun))
		return refuse(STOPPED); /* or for the reason that made it go back */
	if (!over && s->wanted->mode == MODE_MODEM)
		return settle(s);
	if (!over && !begun && shows_names(s))
		return settle(s);
	if (!h->asked)
		return find_way(s);
	if (reads_back_otherwise(s))
		return refuse(READS_BACK_OTHERWISE);
	struct choice choice = choosers[s->answer.dialect](s);
	if (choice.what == STORED)
		return finish(s);
	if (choice.what == CANNOT && s->answer.refused && !h->unlocked)
		return make_step(UNLOCK, 0); /* something could not be read without the code */
	if (choice.what == CANNOT)
		return refuse(choice.reason);
	if (choice.what == RESET_FIRST)
		return make_step(RESET, 0);
	bool pid = choice.what == STORE_PID;
	bool done = pid ? h->written != 0 : h->committed || (h->written & COMPOSITION);
	if (done)
		return refuse(READS_BACK_OTHERWISE); /* nothing is written twice */
	if (s->left_ms < MARGIN_MS)
		return refuse(LATE);
	return make_step(pid ? WRITE_PID : WRITE_COMPOSITION, choice.value);
}

/* Nothing at the port can be worked on now: it may come, or become something. */
static struct step wait_for_modem(const struct situation *s)
{
	static const enum reason reasons[] = {
		[ABSENT] = MISSING,
		[FOREIGN] = NOT_SIERRA,
		[MODEM] = NOT_CONFIGURED,
		[BOOT_LOADER] = STAYS_BOOT_LOADER,
	};
	int64_t limit = s->left_ms;
	if (!s->history.written)
		limit = earlier(limit, SILENCE_MS - s->silent_ms);
	if (s->seen.kind == BOOT_LOADER || s->seen.kind == FOREIGN)
		limit = earlier(limit, BOOT_MS - s->age_ms);
	return wait_or_refuse(limit, limit, reasons[s->seen.kind]);
}

/* The next step. Every chain of steps ends in DONE or REFUSE. A step with a reason is one of the
 * way back. */
static struct step decide(const struct situation *s)
{
	const struct history *h = &s->history;
	bool ready = s->seen.kind == MODEM && s->seen.active && !s->seen.unauthorized;
	struct step next;
	if (h->losses >= MOST_LOSSES + h->resets)
		return refuse(CRASHES);
	if (s->seen.unauthorized)
		return refuse(NOT_AUTHORIZED);
	if (h->stopped && !is_unfinished(s) && !ready)
		return refuse(h->refused != NO_REASON ? h->refused : STOPPED);
	if (ready)
		next = approach(s);
	else if (s->seen.kind == STORAGE)
		next = leave_storage(s);
	else
		return wait_for_modem(s);
	if (next.action == SELECT && h->selections >= MOST_SELECTIONS)
		next = refuse(NOT_SELECTED);
	if (next.action != REFUSE)
		return next;
	enum reason reason = h->refused != NO_REASON ? h->refused : next.reason;
	if (ready)
		next = go_back(s);
	/* a modem that leaves because of a selection must not be left in the middle of that */
	int64_t settling = earlier(SETTLE_MS - s->age_ms, s->left_ms);
	if (ready && next.action == REFUSE && h->selections && settling > 0 && !h->stopped)
		next = (struct step){ .action = WAIT_FOR_IT, .ms = settling };
	next.reason = reason;
	return next;
}

/* ---- history: what steps and events make of it; pure, and used by the tests as well ---- */

/* What stands at the port now. True for another start of the modem, which has been asked
 * nothing. */
static bool observe(struct situation *s, const struct modem *now)
{
	struct history *h = &s->history;
	bool nothing = now->kind == ABSENT && s->seen.kind == ABSENT;
	bool another = !nothing && !is_same_start(now, &s->seen);
	if (another) {
		if (s->seen.kind == MODEM)
			h->losses++;
		if (h->selections && s->age_ms < SETTLE_MS)
			h->left_by_selection = true;
		if (h->refused == NO_RESET && !h->restored)
			h->refused = NO_REASON; /* it did reset, only later */
		h->asked = false;
		h->unlocked = false;
		h->unreachable = NO_REASON;
		h->selections = 0;
		h->found_configuration = 0;
		h->running.dialect = NO_DIALECT;
	}
	uint16_t idVendor = s->seen.idVendor;
	uint16_t idProduct = s->seen.idProduct;
	s->seen = *now;
	if (now->kind == ABSENT) { /* for the verdict on one that is gone */
		s->seen.idVendor = idVendor;
		s->seen.idProduct = idProduct;
	}
	return another;
}

/* From the first step with a reason on, everything is put back. */
static void note_way_back(struct history *h, enum reason reason)
{
	if (reason != NO_REASON)
		h->refused = reason;
}

static void note_flip(struct history *h)
{
	h->flips++;
	h->unreachable = STAYS_STORAGE;
}

static void note_selection(struct situation *s, bool selected)
{
	struct history *h = &s->history;
	if (!h->found_configuration && s->seen.kind == MODEM)
		h->found_configuration = s->seen.active;
	h->selections = (uint8_t)(selected ? h->selections + 1 : MOST_SELECTIONS);
}

static void note_answer(struct situation *s, const struct answer *a)
{
	struct history *h = &s->history;
	s->answer = *a;
	h->asked = true;
	h->unreachable = NO_REASON;
	if (h->running.dialect == NO_DIALECT)
		h->running = *a;
	if (!h->written)
		h->found = *a;
	h->read_back = h->written != 0;
}

/* Nobody answers, or nobody may be asked. */
static void note_silence(struct history *h, enum reason reason)
{
	h->asked = false;
	h->unreachable = reason;
}

/* A setting is about to be written. Until it is read back nobody knows what is stored. */
static void note_write(struct situation *s, const struct step *step)
{
	struct history *h = &s->history;
	enum setting setting = step->action == WRITE_PID ? PID : COMPOSITION;
	if (step->reason != NO_REASON)
		h->restored |= (uint8_t)setting;
	else
		h->written |= (uint8_t)setting;
	if (setting == PID) {
		h->pid = (int)step->value;
		s->answer.pid = h->pid;
	} else {
		h->composition = step->value;
		s->answer.composition = step->value;
	}
	h->asked = false;
	h->read_back = false;
}

/* What was read back. Over QMI a modem may tell what runs until it is reset. If it says the same
 * as before, but took the new one, that is believed. */
static void note_read_back(struct situation *s, const struct step *step, struct answer *a,
			   bool acknowledged, uint32_t before)
{
	bool unchanged = a->composition == before;
	if (a->dialect == DIALECT_QMI && acknowledged && unchanged)
		a->composition = step->value;
	s->answer = *a;
	s->history.asked = true;
	s->history.read_back = true;
}

static void note_reset(struct history *h, const struct step *step)
{
	h->resets++;
	h->committed = step->commits && h->written;
	h->asked = false;
	h->selections = 0; /* what comes now is not because of them */
}

/* It was told to reset, and stays. */
static void note_no_reset(struct history *h)
{
	h->refused = NO_RESET;
}

/* ---- act: the only part that touches a modem; which step is taken, decide() says ---- */

/* A modem, what is known of it, and the link to it. */
struct job {
	struct situation s;
	struct link link;
	int64_t since;              /* ms: when this start, or this configuration, was first seen */
	uint32_t kept_awake;        /* the devnum whose autosuspend was turned off; 0 = none */
	char awake_port[PORT_SIZE]; /* and its port */
};

/* Has the modem left its port, or started again, before until? */
static bool has_left(const struct job *j, int64_t until)
{
	struct modem m;
	for (;;) {
		look(&m, j->s.seen.port);
		if (!is_same_start(&m, &j->s.seen))
			return true;
		if (watch(until) != READY)
			break;
	}
	look(&m, j->s.seen.port);
	return !is_same_start(&m, &j->s.seen);
}

/* Gives the link back, and lets the modem sleep again. */
static void close_link(struct job *j)
{
	struct text file;
	struct link *l = &j->link;
	if (l->carrier) {
		close_qmi(l);
		l->carrier->close(l);
	}
	memset(l, 0, sizeof *l);
	if (j->kept_awake && j->kept_awake == read_number(j->awake_port, "devnum", 10)) {
		device_file(&file, j->awake_port, "power/control");
		write_file(file.s, "auto");
	}
	j->kept_awake = 0;
}

/* Turns autosuspend off while the modem is talked to. */
static void keep_awake(struct job *j)
{
	struct text file;
	char setting[8];
	device_file(&file, j->s.seen.port, "power/control");
	if (read_file(file.s, setting, sizeof setting) <= 0 || !begins_with(setting, "auto"))
		return;
	if (!write_file(file.s, "on"))
		return;
	j->kept_awake = read_number(j->s.seen.port, "devnum", 10);
	copy_port(j->awake_port, j->s.seen.port, PORT_SIZE);
}

/* Opens a link to an interface: by the file that its driver makes, which is waited for where
 * there is such a driver; else by usbfs. */
static enum reason open_link(struct job *j, const struct interface *i, bool encapsulated)
{
	const struct carrier *file_carrier = encapsulated ? &cdc_wdm_carrier : &tty_carrier;
	const char *drivers =
		encapsulated ? SYS "/bus/usb/drivers/cdc_wdm" : SYS "/bus/usb-serial/drivers";
	struct link *l = &j->link;
	const struct modem *m = &j->s.seen;
	close_link(j);
	keep_awake(j);
	l->number = i->number;
	l->encapsulated = encapsulated;
	l->mbim = encapsulated && i->class != VENDOR_CLASS;
	l->max_message = i->max_message;
	const struct carrier *carrier = file_carrier;
	bool expected = has_entry(drivers);
	enum reason reason = carrier->open(l, m, i);
	while (reason == SILENT && expected && watch(j->since + TTY_MS) == READY)
		reason = carrier->open(l, m, i);
	if (reason == SILENT) {
		carrier = &usbfs_carrier;
		reason = carrier->open(l, m, i);
	}
	if (reason == NO_REASON)
		l->carrier = carrier;
	report(LEVEL_DEBUG, "interface %u by %s: %s", i->number, carrier->name,
	       reason == NO_REASON ? "open" : "not opened");
	return reason;
}

/* Once something was written, an AT answer without the PID is none. */
static bool is_complete(const struct history *h, const struct answer *a)
{
	bool needs_pid = h->written && h->found.pid != UNKNOWN && a->dialect != DIALECT_QMI;
	return !needs_pid || a->pid != UNKNOWN;
}

/* Asks an AT port in its dialect. For some seconds after its start a modem may refuse what it takes
 * later, so it is asked again. The code goes once to who refuses to be read: only if the modem can
 * be read later, the refusal meant nothing. */
static enum reason read_at(struct job *j, struct answer *a)
{
	struct link *l = &j->link;
	bool code_refused = false;
	for (bool again = false;; again = true) {
		bool early = now_ms() < j->since + EARLY_MS;
		bool answered = ask_at(l, a, true);
		if (!answered && l->result == RESULT_ERROR && !l->unlocked && !code_refused) {
			code_refused = unlock(l) == RESULT_ERROR;
			if (l->unlocked)
				answered = ask_at(l, a, true);
		}
		bool no_list = a->refused && l->unlocked && !a->rows && !a->bits;
		if (answered && is_complete(&j->s.history, a) && !(no_list && early))
			return NO_REASON;
		if (l->gone || is_stopped())
			return SILENT;
		/* who answers, but to another question, may be out of step */
		if (((again || code_refused) && !early) || now_ms() >= patience_end(g.me))
			return code_refused ? LOCKED : NO_COMMANDS;
		drain(l);
	}
}

/* Asks one interface for AT: is there life, then what is stored. */
static enum reason talk_at(struct job *j, const struct interface *i, int64_t until,
			   struct answer *a)
{
	struct link *l = &j->link;
	enum reason reason = open_link(j, i, false);
	bool repeated = false;
	if (reason != NO_REASON)
		return reason;
	for (;;) {
		send_command_within(l, "ATI", RETRY_MS);
		if (is_answered(l))
			break;
		if (l->gone || now_ms() >= until || is_stopped())
			return SILENT;
		repeated = true;
	}
	if (repeated)
		drain(l);
	return read_at(j, a);
}

/* Asks one interface over QMI or MBIM. An answer that a modem gives which is not ready yet is no
 * refusal. */
static enum reason talk_qmi(struct job *j, const struct interface *i, int64_t until,
			    struct answer *a)
{
	enum { PAUSE_MS = 1000 };
	struct link *l = &j->link;
	enum reason reason = open_link(j, i, true);
	if (reason != NO_REASON)
		return reason;
	for (;;) {
		int error = l->client ? QMI_OK : open_qmi(l);
		if (error == QMI_OK)
			error = ask_qmi(l, a);
		if (error == QMI_OK)
			return NO_REASON;
		if (error == QMI_NO_ANSWER)
			return SILENT;
		if (error != QMI_DEVICE_NOT_READY && error != QMI_INTERNAL)
			return NO_TUNNEL;
		wait_for(-1, 0, earlier(until, now_ms() + PAUSE_MS));
		if (now_ms() >= until || is_stopped())
			return SILENT;
	}
}

/* Who may answer, in the order in which they are asked. The answer decides which is the AT port. */
enum { AT_CANDIDATES = 3, CANDIDATES = 5 };
static const enum function candidates[CANDIDATES] = { AT, SPARE_AT, NMEA, MBIM, QMI };
enum { AT_BITS = BIT(AT_CANDIDATES) - 1 }; /* of a set of candidates, bits by number */

/* The candidates that the active configuration has, and their interfaces. */
static unsigned find_candidates(const struct situation *s, const struct interface *list[CANDIDATES])
{
	const struct modem *m = &s->seen;
	unsigned set = 0;
	for (unsigned i = 0; i < CANDIDATES; i++) {
		list[i] = find_function(m, active_configuration(m), candidates[i]);
		if (list[i])
			set |= BIT(i);
	}
	/* where nothing else may be the AT port the NMEA port is none either */
	if (!list[0] && !list[1])
		set &= ~(unsigned)AT_BITS;
	/* over QMI numbers mean other things than bits */
	if (s->history.found.dialect == DIALECT_BITMASK)
		set &= AT_BITS;
	return set;
}

/* Asks the candidates in turn until one answers. AT ports share one budget; after it MBIM and QMI
 * are asked in turn with them, until the modem's time is over: each of them can be deaf for some
 * time after power-on. Where an AT port answers, AT alone decides. Returns NO_REASON, or of all
 * reasons the last in order: one that was asked late, or not at all, has less to say than one that
 * refused. */
static enum reason ask_candidates(struct job *j, struct answer *a)
{
	const struct interface *list[CANDIDATES];
	unsigned remaining = find_candidates(&j->s, list);
	int64_t end = earlier(patience_end(g.me), j->since + SILENCE_MS);
	int64_t at_end = remaining & ~(unsigned)AT_BITS ? earlier(end, now_ms() + DEAF_MS) : end;
	enum reason last = NOTHING_TO_ASK;
	while (remaining) {
		int64_t round_start = now_ms();
		bool at_only = (remaining & AT_BITS) && round_start < at_end;
		unsigned round_set = at_only ? remaining & AT_BITS : remaining;
		int64_t round_end = at_only ? at_end : end;
		for (unsigned i = 0; i < CANDIDATES; i++) {
			if (!(round_set & remaining & BIT(i)))
				continue;
			if (is_stopped())
				return last;
			bool alone = round_set == BIT(i);
			int64_t turn_end =
				alone ? round_end : earlier(round_end, now_ms() + TURN_MS);
			enum reason reason = i < AT_CANDIDATES ? talk_at(j, list[i], turn_end, a)
							       : talk_qmi(j, list[i], turn_end, a);
			if (reason == NO_REASON || reason == HELD || reason == LOCKED)
				return reason;
			if (reason > last)
				last = reason;
			if (reason == NO_COMMANDS)
				remaining &= AT_BITS;
			if (reason != SILENT)
				remaining &= ~BIT(i);
			/* a lost link is told of sooner than a lost device */
			if (has_left(j, j->link.gone ? now_ms() + RETRY_MS : 0))
				return last;
		}
		if (!remaining || now_ms() >= end ||
		    wait_for(-1, 0, earlier(end, round_start + RETRY_MS)) == STOP)
			break;
	}
	return last;
}

/* What is stored, as messages have it. */
static void append_setting(struct text *t, const struct situation *s, const struct answer *a)
{
	int pid = a->pid == UNKNOWN ? s->seen.idProduct : a->pid;
	append(t, "PID %04X ", (unsigned)pid);
	if (a->dialect == DIALECT_BITMASK)
		append(t, "type %u ", a->type);
	append(t, dialects[a->dialect].format, a->composition);
}

/* ASK, and UNLOCK: then what was not to be read without the code is read with it. */
static void act_ask(struct job *j, const struct step *step)
{
	struct answer a = { .dialect = NO_DIALECT };
	struct text t;
	enum reason reason = LOCKED;
	clear_text(&t);
	if (step->action == ASK)
		reason = ask_candidates(j, &a);
	else if (unlock(&j->link) == RESULT_OK)
		reason = read_at(j, &a);
	if (reason != NO_REASON) {
		note_silence(&j->s.history, reason);
		return;
	}
	note_answer(&j->s, &a);
	j->s.history.unlocked = j->link.unlocked;
	append_setting(&t, &j->s, &a);
	report(LEVEL_INFO, "has %s", t.s);
}

/* Tells a stick to leave storage, after a reset of its port if that is wanted. What it answers
 * does not count, only whether it leaves. GetSwocInfo is for the log: that a stick carries a
 * Linux package is no reason to stay one. */
static void set_swoc_mode(struct job *j, bool reset_port)
{
	enum { MODEM_MODE = 1, LEAST_INFO = 13 };
	uint8_t info[60] = { 0 };
	struct history *h = &j->s.history;
	int fd = open_usb_device(&j->s.seen);
	if (fd < 0) {
		note_silence(h, open_error() == NOT_PERMITTED ? NOT_PERMITTED : NO_NODE);
		return;
	}
	if (reset_port)
		usb_ioctl(fd, USBDEVFS_RESET, NULL);
	else if (control(fd, GET_SWOC_INFO, 0, 0, info, sizeof info) >= LEAST_INFO)
		report(LEVEL_INFO, "SWoC %u, SKU %04X, version %04X", info[0], get16(info + 9),
		       get16(info + 11));
	if (!is_stopped()) { /* all calls until here can take seconds */
		print(&g.me->doing, "waiting for the stick to leave storage mode");
		int r = control(fd, SET_SWOC_MODE, MODEM_MODE, 0, NULL, 0);
		if (r >= 0 || errno == EPIPE)
			note_life();
		report(LEVEL_INFO, "SetSwocMode 1: %s", r < 0 ? error_name(errno) : "accepted");
		note_silence(h, STAYS_STORAGE);
	}
	close(fd);
}

/* Does the kernel keep the stick as storage? Then it has the attribute `truinst`. */
static bool is_kept_by_kernel(const struct modem *m)
{
	const struct interface *i = find_function(m, active_configuration(m), MS);
	struct text interface;
	char text[8];
	if (!i)
		return false;
	interface_name(&interface, m, i);
	return read_device_file(interface.s, "truinst", text, sizeof text) >= 0;
}

/* Where the kernel's usb-storage is, it asks the stick at the same moment, unless it is told not
 * to (2), and first. True when the stick has left, or the run is to stop. */
static bool leave_to_kernel(const struct job *j)
{
	enum { LOOK_MS = 20, NEVER = 2 };
	int64_t until = earlier(patience_end(g.me), j->since + KERNEL_FLIP_MS);
	if (!has_entry(SYS "/bus/usb/drivers/usb-storage"))
		return false;
	if (read_number_file(SYS "/module/usb_storage/parameters/swi_tru_install", 10) == NEVER)
		return false;
	report(LEVEL_INFO, "the kernel's usb-storage sends its request first");
	for (;;) {
		if (has_left(j, earlier(until, now_ms() + LOOK_MS)) || is_stopped())
			return true;
		if (now_ms() >= until || is_kept_by_kernel(&j->s.seen))
			return false;
	}
}

/* SetSwocMode, three times at most, the last time after a reset of the port. */
static void act_flip(struct job *j, const struct step *step)
{
	enum { TRIES = 3 };
	(void)step;
	print(&g.me->doing, "waiting for the stick to leave storage mode");
	note_flip(&j->s.history);
	if (leave_to_kernel(j))
		return;
	for (unsigned try = 1; try <= TRIES && !is_stopped(); try++) {
		set_swoc_mode(j, try == TRIES);
		if (j->s.history.unreachable == NOT_PERMITTED || has_left(j, within(FLIP_MS)))
			return;
	}
}

/* Through sysfs, which unbinds the drivers itself, and blocks while others are probed. */
static void act_select(struct job *j, const struct step *step)
{
	struct text file;
	struct text value;
	close_link(j);
	if (is_stopped())
		return;
	print(&g.me->doing, "waiting for the kernel to select configuration %u", step->value);
	device_file(&file, j->s.seen.port, "bConfigurationValue");
	print(&value, "%u", step->value);
	bool selected = write_file(file.s, value.s);
	if (!selected)
		report(LEVEL_INFO, "configuration %u: %s", step->value, error_name(errno));
	note_selection(&j->s, selected);
	j->since = now_ms();
}

/* The state in which a modem is left, where the parent can read it should this child hang. */
static void describe_state(const struct job *j)
{
	const struct situation *s = &j->s;
	const struct history *h = &s->history;
	struct text *t = &g.me->state;
	uint8_t active = s->seen.active;
	print(t, "nothing was written");
	if (h->written && h->read_back && !stores_otherwise(&s->answer, &h->found)) {
		print(t, "what was found is stored");
	} else if (h->written) {
		print(t, h->read_back ? "stored is " : "written, but not read back: ");
		append_setting(t, s, &s->answer);
		append(t, " (was ");
		append_setting(t, s, &h->found);
		append(t, ")");
	}
	unsigned resets = h->refused == NO_RESET ? h->resets - 1 : h->resets;
	if (resets)
		append(t, ", it was reset%s", resets > 1 ? " twice" : "");
	bool known = h->running.dialect != NO_DIALECT;
	if (h->written && known && stores_otherwise(&s->answer, &h->running))
		append(t, ", not reset into");
	if (h->found_configuration && active && active != h->found_configuration)
		append(t, ", configuration %u is active (was %u)", active, h->found_configuration);
}

/* Writes one setting, once, and reads it back at once. A modem is unlocked before it is written
 * to. */
static void act_write(struct job *j, const struct step *step)
{
	struct situation *s = &j->s;
	struct link *l = &j->link;
	enum dialect dialect = s->answer.dialect;
	uint32_t before = s->answer.composition;
	struct answer a = s->answer;
	bool pid = step->action == WRITE_PID;
	if (dialect != DIALECT_QMI && !l->unlocked && unlock(l) != RESULT_OK) {
		note_silence(&s->history, LOCKED);
		return;
	}
	if (is_stopped())
		return;
	note_write(s, step);
	describe_state(j);
	g.hold = true;
	g.me->begun = true;
	g.me->written = true;
	a.type = s->history.found.type;
	bool acknowledged = dialects[dialect].write(l, &a, pid ? PID : COMPOSITION, step->value);
	bool answered = dialects[dialect].read(l, &a, pid);
	if (answered && is_complete(&s->history, &a))
		note_read_back(s, step, &a, acknowledged, before);
}

/* A reset is done when the modem has left the bus. */
static void act_reset(struct job *j, const struct step *step)
{
	struct history *h = &j->s.history;
	dialects[j->s.answer.dialect].reset(&j->link);
	close_link(j);
	print(&g.me->doing, "waiting for the modem to leave the bus");
	note_reset(h, step);
	bool left = has_left(j, earlier(now_ms() + LEAVE_MS, g.shared->deadline));
	if (!left && !is_stopped())
		note_no_reset(h);
}

static void act_wait(struct job *j, const struct step *step)
{
	bool there = j->s.seen.kind == MODEM && j->s.seen.active;
	print(&g.me->doing, there ? "watching whether the modem stays" : "waiting for the modem");
	watch(now_ms() + step->ms);
}

/* What a step is called, and who takes it. */
static const struct {
	const char *name; /* NULL = it is not said */
	void (*act)(struct job *j, const struct step *step);
	bool needs_link;
	bool changes; /* a dry run does not take it */
} actions[] = {
	[WAIT_FOR_IT] = { NULL, act_wait, false, false },
	[FLIP] = { "leave storage mode", act_flip, false, true },
	[SELECT] = { "select configuration %u", act_select, false, true },
	[ASK] = { NULL, act_ask, false, false },
	[UNLOCK] = { NULL, act_ask, true, false },
	[WRITE_PID] = { "write PID %04X", act_write, true, true },
	[WRITE_COMPOSITION] = { "write ", act_write, true, true }, /* and what, in its dialect */
	[RESET] = { "reset the modem", act_reset, true, true },
};

/* ---- verdicts: what is said of a modem at the end ---- */

/* Why, and what to do next. */
static const struct {
	const char *why;
	const char *next;
} reasons[REASONS] = {
	[STAYS_STORAGE] = { "it stays in TRU-Install storage mode",
			    "replug it, or try another USB port" },
	[NOT_SELECTED] = { "the kernel does not set the configuration",
			   "run it as root, or see dmesg" },
	[NO_SUCH_CONFIGURATION] = { "there is no such configuration", "choose one that is there" },
	[NOT_AUTHORIZED] = { "the device is not authorized",
			     "write 1 to its authorized file in sysfs" },
	[STAYS_BOOT_LOADER] = { "it stays in its boot loader",
				"power it off and on, else it needs the maker's firmware tool" },
	[NOT_SIERRA] = { "what came back is no Sierra modem", "see lsusb" },
	[MISSING] = { "it left and did not come back", "power it off and on" },
	[NOT_CONFIGURED] = { "it got no configuration", "see dmesg" },
	[NOTHING_TO_ASK] = { "it has nothing to ask: no AT port, MBIM or QMI", "see swflip -l" },
	[SILENT] = { "it does not answer", "power it off and on" },
	[NO_TUNNEL] = { "no AT port answers, and its MBIM or QMI takes no composition",
			"see swflip -lv" },
	[NO_NODE] = { "its device node cannot be opened", "mount devtmpfs on /dev" },
	[NOT_PERMITTED] = { "only root may talk to it", "run it as root" },
	[NO_COMMANDS] = { "its AT port answers neither !UDUSBCOMP nor !USBCOMP", "see swflip -lv" },
	[LOCKED] = { "it refuses the unlock code", "give its own (-c, swflip.code=)" },
	[HELD] = { "another process holds its port", "stop ModemManager, or whoever it is" },
	[NO_LIST] = { "it has no list that could be read", "update its firmware" },
	[TYPE_NOT_LISTED] = { "its configuration type is not in its own list",
			      "set the type by hand" },
	[NO_BIT] = { "a bitmask has no bit for that", "name another function" },
	[NO_BITMASKS] = { "it takes a composition, not a bitmask", "give names or a number" },
	[NO_NUMBERS] = { "it takes a bitmask, not this number", "give names or 0xHEX" },
	[ONLY_WITHOUT_AT] = { "only a mode without an AT port would do",
			      "end the target with ! if that is wanted" },
	[NOT_LISTED] = { "it does not offer that",
			 "choose what it offers or another of its PIDs, or update its firmware" },
	[PID_NOT_LISTED] = { "it does not list that PID", "choose one that it lists" },
	[PID_NOT_WRITABLE] = { "it has another PID, which cannot be written this way",
			       "leave the PID out of the target" },
	[READS_BACK_OTHERWISE] = { "what it reads back is not what was written", "see swflip -v" },
	[NO_RESET] = { "it does not reset", "power it off and on" },
	[NOT_SHOWN] = { "it says that it has it, but does not show it", "see swflip -lv" },
	[CRASHES] = { "it leaves the bus again and again",
		      "choose another composition when it is back" },
	[STOPPED] = { "stopped by a signal", "run swflip again" },
	[LATE] = { "there was no time left", "give it more (-w, swflip.wait=)" },
	[LATE_TO_STAY] = { "there was no time left to see whether it stays",
			   "give it more (-w, swflip.wait=)" },
	[HANGS] = { "the kernel hangs on it", "see dmesg, then replug it" },
	[NOT_STARTED] = { "no process could be started for it", "free memory, or see ulimit -u" },
	[WORK_LOST] = { "the work on it ended too early", "see swflip -v" },
};

/* The names of functions, joined. */
static void append_functions(struct text *t, unsigned bits, const char *joint)
{
	const char *between = "";
	for (unsigned f = 0; f < FUNCTIONS; f++) {
		if (!(bits & BIT(f)))
			continue;
		append(t, "%s%s", between, functions[f].name);
		between = joint;
	}
}

/* What a modem offers. Compositions with the names of their functions, or by number alone. A
 * bitmask has the names always: they fit into a line of the log. */
static void append_offer(struct text *t, const struct answer *a, bool with_words)
{
	const char *between = "PIDs ";
	for (unsigned i = 0; i < a->pids; i++) {
		append(t, "%s%04X", between, a->pid_list[i]);
		between = ",";
	}
	between = a->pids ? " " : "";
	if (a->bits) {
		append(t, "%sbits 0x%X=", between, a->bits);
		append_functions(t, names_of(a->bits), "+");
	}
	if (a->rows)
		append(t, "%scompositions ", between);
	between = "";
	for (unsigned i = 0; i < a->rows; i++) {
		const struct row *r = &a->row[i];
		if (!r->supported)
			continue;
		append(t, "%s%u", between, r->number);
		between = ",";
		for (unsigned c = 0; with_words && c < r->configurations && c < 2; c++) {
			append(t, c ? "/" : "=");
			append_functions(t, r->functions[c], "+");
		}
	}
}

/* The verdict on a modem that is not in its target mode. Returns its exit status. */
static int fail(struct slot *s, enum reason reason, const char *more)
{
	print(&s->verdict, "%04x:%04x not in mode %s: %s%s; %s; next: %s", s->idVendor,
	      s->idProduct, s->target->text, reasons[reason].why, more,
	      s->state.s[0] ? s->state.s : "nothing was written", reasons[reason].next);
	return EXIT_NOT_DONE;
}

/* The verdict of a child, with what is on offer where something else is to be chosen. */
static int fail_job(const struct job *j, enum reason reason)
{
	const struct answer *a = &j->s.answer;
	const struct modem *m = &j->s.seen;
	struct text more;
	const char *between = " configurations ";
	clear_text(&more);
	if (reason == NOT_LISTED || reason == ONLY_WITHOUT_AT || reason == PID_NOT_LISTED ||
	    reason == NO_SUCH_CONFIGURATION) {
		append(&more, "; on offer: ");
		append_offer(&more, a, false);
		for (unsigned i = 0; i < m->configurations; i++) {
			append(&more, "%s%u", between, m->configuration[i].value);
			between = ",";
		}
	}
	return fail(g.me, reason, more.s);
}

/* The name of the driver that an interface is bound to, "" for none. */
static const char *find_driver(const struct modem *m, const struct interface *i,
			       char target[PATH_SIZE])
{
	struct text interface;
	struct text file;
	interface_name(&interface, m, i);
	device_file(&file, interface.s, "driver");
	return read_link(file.s, target);
}

/* Who drives the function that matters most, or why nobody does. */
static void append_driver(struct text *t, const struct modem *m, enum function f)
{
	const struct interface *i = find_function(m, active_configuration(m), f);
	const char *module = functions[f].module;
	struct text directory;
	char target[PATH_SIZE];
	if (!i)
		return;
	const char *driver = find_driver(m, i, target);
	print(&directory, SYS "/bus/usb/drivers/%s", module);
	if (driver[0])
		append(t, "; %s driven by %s", functions[f].name, driver);
	else if (has_entry(directory.s))
		append(t, "; %s has no driver yet, though %s is there", functions[f].name, module);
	else
		append(t, "; %s has no driver: the module is %s", functions[f].name, module);
}

/* The verdict on a modem that is in its target mode. Returns its exit status. */
static int succeed(const struct situation *s, struct text *t)
{
	const struct modem *m = &s->seen;
	const struct target *wanted = s->wanted;
	unsigned now = functions_of(m, active_configuration(m));
	unsigned important = wanted->mode == MODE_NAMES ? wanted->value : now;
	bool by_at = s->history.asked && s->answer.dialect != DIALECT_QMI;
	print(t, "%04x:%04x in mode %s: ", m->idVendor, m->idProduct, wanted->text);
	append_functions(t, now, " ");
	if (important & NETWORKS)
		important &= NETWORKS;
	for (unsigned f = 0; f < FUNCTIONS; f++) {
		if (important & BIT(f)) {
			append_driver(t, m, (enum function)f);
			break;
		}
	}
	bool has_at = by_at || (functions_of_all(m) & BIT(AT));
	if (!has_at && wanted->mode != MODE_MODEM && !wanted->without_at)
		append(t, "; warning: no AT port");
	return 0;
}

/* ---- work: what the child does for one modem ---- */

/* Looks at the port, or at its companion if the modem went over there. */
static void look_again(struct job *j)
{
	struct modem m;
	struct situation *s = &j->s;
	print(&g.me->doing, "looking at it");
	look(&m, g.me->port);
	if (m.kind == ABSENT && g.me->peer[0])
		look(&m, g.me->peer);
	if (observe(s, &m)) {
		j->link.gone = true;
		close_link(j);
		j->since = now_ms();
		note_life();
	}
	g.me->idVendor = s->seen.idVendor;
	g.me->idProduct = s->seen.idProduct;
	s->history.stopped = g.stop;
	s->age_ms = now_ms() - j->since;
	s->silent_ms = now_ms() - g.me->heard;
	s->left_ms = g.shared->deadline - now_ms();
	g.hold = is_unfinished(s);
	g.me->begun = g.hold;
}

/* Says what is done, or would be. */
static void announce(const struct job *j, const struct step *step)
{
	struct text t;
	if (!actions[step->action].name)
		return;
	print(&t, actions[step->action].name, step->value);
	if (step->action == WRITE_COMPOSITION)
		append(&t, dialects[j->s.answer.dialect].format, step->value);
	if (g.dry)
		report(LEVEL_VERDICT, "would %s", t.s);
	else
		report(LEVEL_INFO, "%s%s", step->reason != NO_REASON ? "back: " : "", t.s);
}

/* A dry run ends at the first step that would change something. What follows a write is known. */
static int end_dry_run(const struct job *j, const struct step *step)
{
	if (step->action == WRITE_PID)
		report(LEVEL_VERDICT, "would read the list again, and choose from it");
	if (step->action == WRITE_PID || step->action == WRITE_COMPOSITION)
		report(LEVEL_VERDICT, "would reset the modem");
	if (step->action == SELECT) {
		struct text file;
		device_file(&file, j->s.seen.port, "bConfigurationValue");
		if (access(file.s, W_OK) < 0)
			return fail_job(j, errno == EACCES ? NOT_PERMITTED : NOT_SELECTED);
	}
	if (step->action == FLIP) {
		int fd = open_usb_device(&j->s.seen);
		if (fd < 0)
			return fail_job(j, open_error() == NOT_PERMITTED ? NOT_PERMITTED : NO_NODE);
		close(fd);
	}
	print(&g.me->verdict, "dry run: nothing stands against it%s",
	      step->action == FLIP ? " that can be seen in storage mode" : "");
	return 0;
}

/* Works on a modem until decide() says that it is over. Returns the exit status. */
static int work_on(struct job *j)
{
	for (;;) {
		look_again(j);
		struct step step = decide(&j->s);
		note_way_back(&j->s.history, step.reason);
		describe_state(j);
		if (step.action == DONE)
			return succeed(&j->s, &g.me->verdict);
		if (step.action == REFUSE)
			return fail_job(j, step.reason);
		if (actions[step.action].needs_link && !j->link.carrier) {
			note_silence(&j->s.history, NO_REASON); /* it must be asked again first */
			continue;
		}
		announce(j, &step);
		if (g.dry && actions[step.action].changes)
			return end_dry_run(j, &step);
		actions[step.action].act(j, &step);
	}
}

static int work(struct job *j)
{
	int status = work_on(j);
	close_link(j);
	return status;
}

/* ---- list: one modem, one line ---- */

static void append_column(struct text *t, const char *column)
{
	append(t, "\t%s", column[0] ? column : "-");
}

/* The functions of now, each with its driver. */
static void name_functions(struct text *t, const struct modem *m)
{
	const char *between = "";
	clear_text(t);
	for (unsigned f = 0; f < FUNCTIONS; f++) {
		const struct configuration *c = active_configuration(m);
		const struct interface *i = find_function(m, c, (enum function)f);
		char target[PATH_SIZE];
		if (!i)
			continue;
		const char *driver = find_driver(m, i, target);
		append(t, "%s%s(%s)", between, functions[f].name, driver[0] ? driver : "-");
		between = " ";
	}
}

/* The tty of the AT port, "usbfs" where it has none, "" where there is no AT port. */
static void name_at_port(struct text *t, const struct job *j)
{
	const struct modem *m = &j->s.seen;
	const struct interface *i = find_function(m, active_configuration(m), AT);
	struct text interface;
	char name[NAME_SIZE];
	clear_text(t);
	if (!i)
		i = find_function(m, active_configuration(m), SPARE_AT);
	if (!i)
		return;
	interface_name(&interface, m, i);
	print(t, "%s", find_tty(interface.s, name) ? name : "usbfs");
}

static int list_modem(struct job *j)
{
	static const char *const kinds[] = {
		[ABSENT] = "gone", [FOREIGN] = "foreign",  [STORAGE] = "storage",
		[MODEM] = "modem", [BOOT_LOADER] = "boot",
	};
	const struct modem *m = &j->s.seen;
	struct text *t = &g.me->verdict;
	struct text column;
	do
		look_again(j);
	while (m->kind == MODEM && !m->active && !m->unauthorized &&
	       watch(patience_end(g.me)) == READY);
	print(t, "%s\t%04x:%04x", m->port, m->idVendor, m->idProduct);
	append_column(t, m->unauthorized ? "unauthorized" : kinds[m->kind]);
	name_functions(&column, m);
	append_column(t, column.s);
	name_at_port(&column, j);
	append_column(t, column.s);
	if (m->kind == MODEM && m->active) {
		act_ask(j, &(struct step){ .action = ASK });
		if (j->s.history.asked && j->s.answer.refused && !j->s.history.unlocked)
			act_ask(j, &(struct step){ .action = UNLOCK });
	}
	clear_text(&column);
	if (j->s.history.asked) {
		append_setting(&column, &j->s, &j->s.answer);
		append_column(t, column.s);
		clear_text(&column);
		append_offer(&column, &j->s.answer, true);
		append_column(t, column.s);
	} else {
		enum reason reason = j->s.history.unreachable;
		append_column(t, reason != NO_REASON ? reasons[reason].why : "");
		append_column(t, "");
	}
	close_link(j);
	return 0;
}

/* ---- supervise: the parent finds modems, starts a child for each, and gives the verdicts ---- */

/* Gives the parent and its children the same memory. It comes with the first child, as a run that
 * needs none has 3 % less to do without it. The slots move: pointers to them become stale. */
static bool share_memory(void)
{
	if (g.shared != &g.own)
		return true;
	struct shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return false;
	shared->deadline = g.own.deadline;
	memcpy(shared->slots, g.own.slots, g.taken * sizeof *g.own.slots);
	g.shared = shared;
	return true;
}

static struct slot *end_of_slots(void)
{
	return g.shared->slots + g.taken;
}

/* The target for a port: its own, or its companion's, before the one for all. NULL where none is.
 * The companion is looked for where targets name ports. */
static const struct target *find_target(const char *port, char peer[PORT_SIZE])
{
	const struct target *for_all = NULL;
	peer[0] = '\0';
	for (unsigned i = 0; i < g.targets; i++) {
		const struct target *t = &g.target[i];
		if (!t->port[0]) {
			for_all = t;
			continue;
		}
		if (!peer[0])
			find_peer(port, peer);
		if (!strcmp(t->port, port) || !strcmp(t->port, peer))
			return t;
	}
	return for_all;
}

/* Gives the verdict that is in a slot. */
static void pronounce(struct slot *s, int status)
{
	s->child = 0;
	s->status = status;
	g.me = s;
	if (!g.list)
		report(status ? LEVEL_ERROR : LEVEL_VERDICT, "%s", s->verdict.s);
	g.me = NULL;
}

/* The verdict on a modem whose child cannot give one. It ends with what the child was doing. */
static void give_up(struct slot *s, enum reason reason)
{
	struct text more;
	clear_text(&more);
	if (s->doing.s[0])
		print(&more, ", %s", s->doing.s);
	pronounce(s, fail(s, reason, more.s));
}

/* Starts the child that works on a modem. */
static void start_child(struct slot *s)
{
	s->heard = now_ms();
	s->awake = s->heard;
	if (!s->peer[0])
		find_peer(s->port, s->peer); /* where the modem may come back */
	pid_t child = fork();
	if (child == 0) {
		struct job j = { .s.wanted = s->target, .since = s->heard };
		g.me = s;
		g.hold = false;
		if (g.uevents >= 0)
			close(g.uevents);
		g.listening = false; /* it opens one of its own */
		_exit(g.list ? list_modem(&j) : work(&j));
	}
	s->child = child; /* not in the child: the slot is shared */
	if (child < 0)
		give_up(s, NOT_STARTED);
}

/* Is a port, or its companion, taken already? */
static bool is_taken(const char *port)
{
	for (struct slot *s = g.shared->slots; s < end_of_slots(); s++)
		if (!strcmp(s->port, port) || !strcmp(s->peer, port))
			return true;
	return false;
}

/* Takes what is at a port for a modem to be worked on, if it is one and somebody wants it. One that
 * is in its target mode at first sight needs no child. */
static void take_port(const char *port)
{
	struct situation first = { .wanted = NULL };
	char peer[PORT_SIZE];
	if (is_taken(port))
		return;
	bool all_seen = glance(&first.seen, port);
	if (first.seen.kind == FOREIGN)
		return;
	first.wanted = find_target(port, peer);
	if (!first.wanted || first.wanted->mode == MODE_OFF)
		return;
	if (g.taken == SLOTS) {
		if (!g.crowded)
			report(LEVEL_ERROR,
			       "%s: more than %u modems; next: build it with more SLOTS", port,
			       (unsigned)SLOTS);
		g.crowded = true;
		return;
	}
	bool right = all_seen && !g.list && decide(&first).action == DONE;
	bool shared = right || share_memory();
	struct slot *s = &g.shared->slots[g.taken++];
	copy_port(s->port, port, strlen(port));
	copy_port(s->peer, peer, strlen(peer));
	s->idVendor = first.seen.idVendor;
	s->idProduct = first.seen.idProduct;
	s->target = first.wanted;
	if (right)
		pronounce(s, succeed(&first, &s->verdict));
	else if (shared)
		start_child(s);
	else
		give_up(s, NOT_STARTED);
}

/* Looks at all devices. If there are more than the last time, one has appeared. */
static void scan_devices(void)
{
	struct directory d;
	const char *name;
	unsigned count = 0;
	open_directory(&d, USB_DEVICES);
	while ((name = next_entry(&d))) {
		if (!is_device_name(name))
			continue;
		count++;
		if (port_length(name))
			take_port(name);
	}
	if (count > g.devices)
		g.appeared = now_ms();
	g.devices = count;
}

/* When a child must be killed: past its time; or, after a stop, soon, unless it has a change to
 * finish and goes on with it. */
static int64_t kill_time(const struct slot *s)
{
	enum { GRACE_MS = 400, STOP_MS = 1000, NO_SIGN_MS = 2000 };
	int64_t end = patience_end(s) + GRACE_MS;
	if (!g.stop)
		return end;
	return earlier(end, s->begun ? s->awake + NO_SIGN_MS : g.stopped + STOP_MS);
}

/* Looks after one child. Returns when to look again. */
static int64_t tend_child(struct slot *s)
{
	enum { DYING_MS = 300, STOPPING_MS = 100 };
	int status;
	int64_t now = now_ms();
	pid_t ended = waitpid(s->child, &status, WNOHANG);
	if (ended == s->child && WIFEXITED(status)) {
		pronounce(s, WEXITSTATUS(status));
	} else if (ended != 0) {
		give_up(s, s->killed ? HANGS : WORK_LOST); /* a healthy one ends by itself */
	} else if (s->killed && now >= s->killed + DYING_MS) {
		kill(s->child, SIGKILL);
		give_up(s, HANGS);
	} else if (!s->killed && now >= kill_time(s)) {
		kill(s->child, SIGKILL);
		s->killed = now;
	} else if (g.stop && !s->killed) {
		kill(s->child, g.stop); /* the caller may have TERM ignored, then we got another */
		return now + STOPPING_MS;
	}
	return s->killed ? s->killed + DYING_MS : kill_time(s);
}

/* Takes the verdicts of children that ended, and ends those that should have. Returns when to
 * look again, and in busy one that is at work still, or NULL. */
static int64_t reap_children(const struct slot **busy)
{
	int64_t next = INT64_MAX;
	*busy = NULL;
	for (struct slot *s = g.shared->slots; s < end_of_slots(); s++) {
		if (!s->child)
			continue;
		next = earlier(next, tend_child(s));
		if (s->child)
			*busy = s;
	}
	return next;
}

/* Has no modem come yet for a target that wants one? Without a port it wants any. */
static bool is_awaited(const struct target *t)
{
	if (t->mode == MODE_OFF)
		return false;
	for (const struct slot *s = g.shared->slots; s < end_of_slots(); s++)
		if (!t->port[0] || s->target == t)
			return false;
	return true;
}

static bool is_any_awaited(void)
{
	for (unsigned i = 0; i < g.targets; i++)
		if (is_awaited(&g.target[i]))
			return true;
	return false;
}

/* How long to wait for a modem that has not come. */
static int64_t appear_end(void)
{
	return earlier(g.shared->deadline, g.appeared + g.appear_ms);
}

/* One line that is drawn again when it changes, for a person at a terminal. */
static void show_life(const struct slot *busy, bool locked)
{
	enum { LIFE_MS = 2000 }; /* who waits less needs none */
	struct text line;
	int64_t now = now_ms();
	int64_t left = (busy || locked ? g.shared->deadline : appear_end()) - now + 999;
	if (!g.terminal || g.level < LEVEL_INFO || now < g.begin + LIFE_MS)
		return;
	print(&line, "\rswflip: ");
	if (busy)
		append(&line, "%s: %s", busy->port, busy->doing.s);
	else
		append(&line, "%s", locked ? "waiting for another swflip" : "waiting for a modem");
	append(&line, ", %u s left\033[K", (unsigned)(left / 1000));
	if (!strcmp(line.s, g.life.s))
		return;
	g.life = line;
	write_text(2, line.s);
}

static void clear_life(void)
{
	if (g.life.s[0])
		write_text(2, "\r\033[K");
	clear_text(&g.life);
}

/* Of two exit statuses the one that the run has. */
static int worse_status(int a, int b)
{
	static const uint8_t rank[] = {
		[EXIT_DONE] = 0,
		[EXIT_NO_MODEM] = 1,
		[EXIT_NOT_DONE] = 2,
		[EXIT_USAGE] = 3,
	};
	return rank[a] > rank[b] ? a : b;
}

/* -l: the lines of all modems. */
static void print_list(void)
{
	struct termios t;
	bool terminal = tcgetattr(1, &t) == 0;
	if (terminal && g.taken)
		write_text(1, "PORT\tID\tSTATE\tFUNCTIONS (DRIVER)\tAT PORT\tHAS\tOFFERS\n");
	for (struct slot *s = g.shared->slots; s < end_of_slots(); s++) {
		s->verdict.s[sizeof s->verdict.s - 2] = '\0'; /* room for the end of the line */
		append(&s->verdict, "\n");
		write_text(1, s->verdict.s);
	}
}

/* Why no modem came, and what to do next. */
static const char *why_no_modem(void)
{
	if (g.stop)
		return "stopped by a signal, no modem came; next: run swflip again";
	if (access(USB_DEVICES, F_OK) < 0)
		return "no modem, as there is no USB (" SYS "/bus/usb); "
		       "next: load the host controller's driver";
	return "no modem; next: see swflip -l and lsusb, or wait longer (-a, swflip.appear=)";
}

/* Says what is left to say, and returns the exit status. */
static int conclude(void)
{
	int status = g.crowded ? EXIT_NOT_DONE : EXIT_DONE;
	for (struct slot *s = g.shared->slots; s < end_of_slots(); s++) {
		if (s->child)
			give_up(s, HANGS);
		status = worse_status(status, s->status);
	}
	if (g.list)
		print_list();
	for (unsigned i = 0; i < g.targets; i++) {
		const char *port = g.target[i].port;
		if (!is_awaited(&g.target[i]))
			continue;
		report(LEVEL_ERROR, "%s%s%s", port, port[0] ? ": " : "", why_no_modem());
		status = worse_status(status, EXIT_NO_MODEM);
	}
	return g.stop ? worse_status(status, EXIT_NOT_DONE) : status;
}

/* One run at a time: the lock is on a directory of sysfs, if it is there yet. */
static bool open_lock(void)
{
	if (g.lock < 0)
		g.lock = open_file(SYS "/bus/usb", O_RDONLY | O_DIRECTORY);
	return g.lock >= 0;
}

/* False: another run has it. */
static bool lock_run(void)
{
	return !open_lock() || flock(g.lock, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
}

/* Finds modems and tends children until all is over, or the deadline has come. Signals do not
 * end it by themselves: who is stopped here waits for its children. */
static int supervise(void)
{
	enum { AGAIN_MS = 50, TAIL_MS = 900, TICK_MS = 500 };
	g.hold = true;
	for (;;) {
		const struct slot *busy = NULL;
		int64_t next = INT64_MAX;
		bool locked = !lock_run();
		if (locked && g.alone)
			return 0;
		if (g.stop && !g.stopped)
			g.stopped = now_ms();
		if (locked && (g.stop || now_ms() >= g.shared->deadline)) {
			report(LEVEL_ERROR, "another swflip is at work; next: wait for it to end");
			return EXIT_NOT_DONE;
		}
		if (!locked && !g.stop)
			scan_devices();
		if (!locked)
			next = reap_children(&busy);
		bool waiting =
			locked || busy || (!g.stop && is_any_awaited() && now_ms() < appear_end());
		if (!waiting || now_ms() >= g.shared->deadline + TAIL_MS)
			break;
		show_life(busy, locked);
		if (locked)
			next = now_ms() + AGAIN_MS;
		if (!busy)
			next = earlier(next, appear_end());
		if (g.terminal || busy)
			next = earlier(next, now_ms() + TICK_MS);
		watch(earlier(next, g.shared->deadline + TAIL_MS));
	}
	clear_life();
	if (g.lock >= 0)
		flock(g.lock, LOCK_UN); /* a child that is left behind has it, too */
	return conclude();
}

/* ---- the command line: the kernel's words, and the options over them ---- */

/* Four of config.h's defaults go in: TARGET, APPEAR, WAIT, CODE. */
static const char help[] =
	"usage: swflip [-hklnoqvV] [-a seconds] [-c code] [-w seconds] [-t target]...\n"
	"  -t TARGET   wanted mode, once for each port (default %s)\n"
	"  -a SECONDS  how long to wait for a modem while nothing appears on USB (default %u)\n"
	"  -w SECONDS  deadline for everything (default %u)\n"
	"  -c CODE     unlock code (default %s)\n"
	"  -n          dry run: say what would be done\n"
	"  -l          list the modems\n"
	"  -o          end at once where another swflip is at work\n"
	"  -k          messages to the kernel's log\n"
	"  -q          errors and verdicts only\n"
	"  -v          every AT line and USB request, too\n"
	"  -V          version\n"
	"  -h          this text\n"
	"TARGET is [PORT:][PID/]MODE[@CONFIG][!].\nMODE " MODES ":\n"
	"  -t mbim\n"
	"  -t 1-1.2:qmi -t 1-1.3:off\n"
	"  -t 68a2/19@2\n"
	"Exit status: 0 in its mode, 1 not, 2 usage, 3 no modem. More: swflip(8). Run it as "
	"root.\n";

static void print_help(void)
{
	struct text t;
	print(&t, help, STR(TARGET), APPEAR, WAIT, STR(CODE));
	write_text(1, t.s);
}

/* What can be set: by an option, and by a word on the kernel's command line. */
enum option { SET_TARGET, SET_CODE, SET_APPEAR, SET_WAIT, SET_LOG, SET_INIT, OPTIONS };

static const struct {
	char option;       /* 0 = there is none */
	const char *where; /* how messages name the option */
	const char *word;  /* and the kernel's word */
	uint32_t least;
	uint32_t most;
	const char *expected;
} options[OPTIONS] = {
	[SET_TARGET] = { 't', "-t ", "swflip.target=", 0, 0, "" },
	[SET_CODE] = { 'c', "-c ", "swflip.code=", 4, 15, "a code is 4 to 15 of 0-9A-Za-z" },
	[SET_APPEAR] = { 'a', "-a ", "swflip.appear=", 0, 86400,
			 "not a number of seconds, 0 to 86400" },
	[SET_WAIT] = { 'w', "-w ", "swflip.wait=", 1, 86400,
		       "not a number of seconds, 1 to 86400" },
	[SET_LOG] = { 0, "", "swflip.log=", 0, 2, "not 0, 1 or 2" },
	[SET_INIT] = { 0, "", "swflip.init=", 0, 0, "" },
};

/* Options that take no value: what they switch on. */
static const struct {
	char option;
	bool *flag;
} switches[] = {
	{ 'k', &g.kmsg },
	{ 'l', &g.list },
	{ 'n', &g.dry },
	{ 'o', &g.alone },
};

/* The text that was given last for each setting, and where. An option is not replaced by a word
 * of the kernel's. */
struct given {
	const char *text[OPTIONS];
	const char *where[OPTIONS];
};

/* The value of configure() and of those below it. */
enum outcome { GO_ON, NOTHING_TO_DO, BAD_USAGE };

/* Refuses what cannot be understood: where it stands, what it is, what is wrong with it. */
static enum outcome refuse_usage(const char *where, const char *what, const char *wrong)
{
	report(LEVEL_ERROR, "%s%s: %s", where, what, wrong);
	return BAD_USAGE;
}

/* Adds a target. It replaces one of the same port. */
static enum outcome add_target(const char *text, const char *where)
{
	struct target t = { .mode = MODE_OFF };
	unsigned i = 0;
	const char *wrong = parse_target(&t, text);
	if (wrong && t.understood && text[t.understood]) {
		report(LEVEL_ERROR, "%s%s: at '%s': %s", where, text, text + t.understood, wrong);
		return BAD_USAGE;
	}
	if (wrong)
		return refuse_usage(where, text[0] ? text : "''", wrong);
	while (i < g.targets && strcmp(g.target[i].port, t.port))
		i++;
	if (i == LEN(g.target))
		return refuse_usage(where, text, "there are more than 16 ports");
	g.target[i] = t;
	if (i == g.targets)
		g.targets++;
	return GO_ON;
}

/* Takes the text for a setting. Targets count at once; -l ignores them. */
static enum outcome set_option(struct given *given, enum option i, const char *text,
			       const char *where)
{
	given->text[i] = text;
	given->where[i] = where;
	if (i != SET_TARGET || (g.list && where == options[i].word))
		return GO_ON;
	return add_target(text, where);
}

/* Takes the next word from *line; quotes protect blanks, and are gone in the result. NULL = the
 * end. */
static char *take_word(char **line)
{
	char *s = *line;
	bool quoted = false;
	while (is_blank(*s))
		s++;
	char *word = s;
	char *out = s;
	if (!*word)
		return NULL;
	for (; *s && (quoted || !is_blank(*s)); s++) {
		if (*s == '"')
			quoted = !quoted;
		else
			*out++ = *s;
	}
	*line = *s ? s + 1 : s;
	*out = '\0';
	return word;
}

/* Reads the kernel's swflip. words, up to a lone --. */
static enum outcome read_kernel_words(char *line, struct given *given)
{
	for (char *word = take_word(&line); word && strcmp(word, "--"); word = take_word(&line)) {
		unsigned i = 0;
		while (i < OPTIONS && !begins_with(word, options[i].word))
			i++;
		if (i == OPTIONS) {
			if (begins_with(word, "swflip."))
				report(LEVEL_WARNING, "kernel command line: unknown word %s", word);
			continue;
		}
		bool by_option = given->where[i] == options[i].where;
		const char *text = word + strlen(options[i].word);
		if (!by_option && set_option(given, i, text, options[i].word) != GO_ON)
			return BAD_USAGE;
	}
	return GO_ON;
}

static bool is_code(const char *s)
{
	size_t n = 0;
	while (digit_value(s[n]) < 36)
		n++;
	return s[n] == '\0' && n >= options[SET_CODE].least && n <= options[SET_CODE].most;
}

/* Reads a number within the bounds of a setting; the default where none was given. */
static enum outcome read_option_number(const struct given *given, enum option i, uint32_t *value)
{
	const char *s = given->text[i];
	if (!s)
		return GO_ON;
	if (!*s)
		return refuse_usage(given->where[i], "''", "it is empty");
	if (read_digits(&s, 10, options[i].most, value) && !*s && *value >= options[i].least)
		return GO_ON;
	return refuse_usage(given->where[i], given->text[i], options[i].expected);
}

/* Makes settings of what was given. */
static enum outcome apply_options(const struct given *given)
{
	static const enum level levels[] = { LEVEL_VERDICT, LEVEL_INFO, LEVEL_DEBUG };
	uint32_t appear = g.list ? 0 : APPEAR;
	uint32_t wait = WAIT;
	uint32_t log = 1;
	const char *code = given->text[SET_CODE];
	if (!*code)
		return refuse_usage(given->where[SET_CODE], "''", "it is empty");
	if (!is_code(code)) /* it is not shown, not even a wrong one */
		return refuse_usage(given->where[SET_CODE], "****", options[SET_CODE].expected);
	if (read_option_number(given, SET_APPEAR, &appear) != GO_ON ||
	    read_option_number(given, SET_WAIT, &wait) != GO_ON ||
	    read_option_number(given, SET_LOG, &log) != GO_ON)
		return BAD_USAGE;
	memcpy(g.code, code, strlen(code) + 1);
	g.level = levels[log];
	g.appear_ms = (int64_t)appear * 1000;
	g.shared->deadline = g.begin + (int64_t)wait * 1000;
	return GO_ON;
}

/* Takes one option without a value. */
static enum outcome read_switch(char option, const char *argument, struct given *given)
{
	for (size_t i = 0; i < LEN(switches); i++) {
		if (switches[i].option == option) {
			*switches[i].flag = true;
			return GO_ON;
		}
	}
	if (option == 'q')
		return set_option(given, SET_LOG, "0", options[SET_LOG].where);
	if (option == 'v')
		return set_option(given, SET_LOG, "2", options[SET_LOG].where);
	if (option == 'h')
		print_help();
	else if (option == 'V')
		write_text(1, "swflip " VERSION "\n");
	else
		return refuse_usage("", argument, "no such option, see -h");
	return NOTHING_TO_DO;
}

/* Reads the options. The C library's getopt costs 4 KB. */
static enum outcome read_options(char **argv, struct given *given)
{
	for (; *argv; argv++) {
		const char *argument = *argv;
		if (!strcmp(argument, "--") && !argv[1])
			break;
		if (!strcmp(argument, "--help"))
			argument = "-h";
		if (!strcmp(argument, "--version"))
			argument = "-V";
		if (argument[0] != '-' || !argument[1])
			return refuse_usage("", argument,
					    "not an option; a target wants -t, see -h");
		for (const char *s = argument + 1; *s; s++) {
			unsigned i = 0;
			enum outcome outcome;
			while (i < OPTIONS && options[i].option != *s)
				i++;
			if (i == OPTIONS) {
				outcome = read_switch(*s, argument, given);
				if (outcome != GO_ON)
					return outcome;
				continue;
			}
			const char *text = s[1] ? s + 1 : *++argv;
			if (!text)
				return refuse_usage("", argument, "wants a value, see -h");
			outcome = set_option(given, i, text, options[i].where);
			if (outcome != GO_ON)
				return outcome;
			break;
		}
	}
	return GO_ON;
}

/* Reads the kernel's command line. Where it is needed it must be known, and whole. */
static enum outcome read_kernel_line(struct given *given, bool needed)
{
	enum { LONGEST = 4096 };
	static char line[LONGEST + 2]; /* the words stay in use */
	int n = read_file(PROC "/cmdline", line, sizeof line);
	const char *wrong = n < 0 ? "cannot be read; next: mount /proc, or give -t"
				  : "longer than 4096 bytes; next: give -t";
	if (n >= 0 && n <= LONGEST)
		return read_kernel_words(line, given);
	report(needed ? LEVEL_ERROR : LEVEL_WARNING, PROC "/cmdline: %s", wrong);
	return needed ? BAD_USAGE : GO_ON;
}

/* Reads all settings from all places. */
static enum outcome configure(char **argv)
{
	static char compiled[] = STR(TARGET);
	struct given given = { .text[SET_CODE] = STR(CODE), .where[SET_CODE] = "config.h: CODE" };
	enum outcome outcome = read_options(argv, &given);
	if (outcome == GO_ON)
		outcome = read_kernel_line(&given, !g.targets && !g.list);
	if (outcome == GO_ON)
		outcome = apply_options(&given);
	if (outcome != GO_ON)
		return outcome;
	if (g.list) { /* any modem, whatever is wanted of it */
		g.targets = 0;
		return add_target("modem", "");
	}
	char *words = compiled;
	for (char *word = g.targets ? NULL : take_word(&words); word; word = take_word(&words))
		if (add_target(word, "config.h: TARGET ") != GO_ON)
			return BAD_USAGE;
	if (!g.targets)
		return add_target("", "config.h: TARGET ");
	for (unsigned i = 0; i < g.targets; i++)
		if (g.target[i].mode != MODE_OFF)
			return GO_ON;
	return NOTHING_TO_DO;
}

/* A run from its arguments to its exit status. */
static int run(char **argv)
{
	struct termios t;
	enum outcome outcome = configure(argv);
	if (outcome != GO_ON)
		return outcome == BAD_USAGE ? EXIT_USAGE : EXIT_DONE;
	if (!open_lock() && access(SYS "/bus", F_OK) < 0) {
		report(LEVEL_ERROR, SYS ": not mounted; next: mount -t sysfs sysfs /sys");
		return EXIT_USAGE;
	}
	/* the line of waiting is for a person: not at boot, not in the background */
	g.terminal = !g.kmsg && tcgetattr(2, &t) == 0 && tcgetpgrp(2) == getpgrp();
	return supervise();
}

/* ---- process 1: no failure keeps the machine from booting ---- */

static const struct {
	const char *type;
	const char *place;
} mounts[] = { { "proc", PROC }, { "sysfs", SYS }, { "devtmpfs", DEV } };

enum { MOUNTS = LEN(mounts) };

/* Mounts what is missing, and remembers what it did. */
static void mount_missing(bool made[MOUNTS], bool mounted[MOUNTS])
{
	for (unsigned i = 0; i < MOUNTS; i++) {
		made[i] = mkdir(mounts[i].place, 0755) == 0;
		mounted[i] = mount(mounts[i].type, mounts[i].place, mounts[i].type, 0, NULL) == 0;
	}
}

static void unmount_own(const bool made[MOUNTS], const bool mounted[MOUNTS])
{
	for (unsigned i = MOUNTS; i-- > 0;) {
		if (mounted[i])
			umount2(mounts[i].place, MNT_DETACH);
		if (made[i])
			rmdir(mounts[i].place);
	}
}

/* Process 1 of a container is not the machine's. The first PID namespace has a number that does
 * not change (linux: include/linux/proc_ns.h, PROC_PID_INIT_INO). */
static bool is_in_container(void)
{
	const ino_t first = 0xEFFFFFFC;
	struct stat st;
	return stat(PROC "/self/ns/pid", &st) == 0 && st.st_ino != first;
}

/* Lets a child do the work, and waits for it until the deadline plus one second. */
static void work_in_child(void)
{
	enum { LONGER_MS = 1000, LOOK_MS = 100 };
	static char *no_arguments[] = { NULL };
	g.shared->deadline = g.begin + (int64_t)WAIT * 1000;
	pid_t child = share_memory() ? fork() : -1; /* the child may set another deadline */
	if (child == 0) {
		setpgid(0, 0);
		_exit(run(no_arguments));
	}
	if (child < 0) {
		report(LEVEL_ERROR, "no process could be started, the modem stays as it is");
		return;
	}
	while (waitpid(child, NULL, WNOHANG) == 0 && now_ms() < g.shared->deadline + LONGER_MS)
		wait_for(-1, 0, now_ms() + LOOK_MS);
	kill(-child, SIGKILL);
}

/* Becomes the next init that is there, and is not this program (me, where that is known). Returns
 * only if there is none. */
static void become_init(const char *named, const struct stat *me, char **argv)
{
	const char *const inits[] = { named, "/init", "/sbin/init", "/bin/sh" };
	const char *own = argv[0];
	struct stat st;
	for (size_t i = 0; i < LEN(inits); i++) {
		const char *init = inits[i];
		if (!init || !strcmp(init, own))
			continue;
		if (stat(init, &st) == 0 && st.st_ino == me->st_ino && st.st_dev == me->st_dev)
			continue;
		argv[0] = (char *)init;
		execv(init, argv);
	}
}

typedef void (*handler)(int);

/* Returns the handler that was there. */
static handler set_handler(int number, handler new)
{
	struct sigaction action = { .sa_handler = new };
	struct sigaction found = { .sa_handler = SIG_DFL };
	sigaction(number, &action, &found);
	return found.sa_handler;
}

static void restore_signals(void)
{
	set_handler(SIGPIPE, SIG_DFL);
	set_handler(SIGTTOU, SIG_DFL);
	sigprocmask(SIG_SETMASK, &g.found_mask, NULL);
}

/* Mounts what is missing, lets a child work, unmounts that again, and becomes the next init,
 * with the words that the kernel gave as arguments. */
static int be_first_process(char **argv)
{
	struct given given = { .where[SET_TARGET] = options[SET_TARGET].where }; /* the child's */
	struct stat me = { .st_ino = 0 };
	bool made[MOUNTS];
	bool mounted[MOUNTS];
	mount_missing(made, mounted);
	if (is_in_container()) {
		unmount_own(made, mounted);
		return run(argv + 1);
	}
	work_in_child();
	g.level = LEVEL_ERROR; /* the child has said it all */
	read_kernel_line(&given, false);
	if (stat(PROC "/self/exe", &me) < 0)
		stat(argv[0], &me);
	unmount_own(made, mounted);
	restore_signals();
	become_init(given.text[SET_INIT], &me, argv);
	report(LEVEL_ERROR, "init: nothing to become");
	return EXIT_USAGE;
}

/* ---- main ---- */

/* Descriptors 0 to 2 that are closed are opened: a device must not become one of them. */
static void open_standard_files(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		int flags = fcntl(fd, F_GETFL);
		g.status_flags[fd] = flags < 0 ? 0 : flags;
		if (flags < 0 && openat(AT_FDCWD, DEV "/null", O_RDWR) < 0 &&
		    openat(AT_FDCWD, "/", O_RDONLY) < 0)
			return; /* no descriptor is to be had */
	}
}

static void handle_stop(int number)
{
	g.stop = number;
}

/* A child's end interrupts a wait, no more. */
static void handle_child(int number)
{
	(void)number;
}

/* Signals are blocked, and let in where the program waits. What the caller ignores stays
 * ignored, but for SIGCHLD, without which no child can be waited for. */
static void prepare_signals(void)
{
	static const int stops[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT };
	sigset_t blocked;
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGCHLD);
	for (size_t i = 0; i < LEN(stops); i++)
		sigaddset(&blocked, stops[i]);
	sigprocmask(SIG_BLOCK, &blocked, &g.found_mask);
	g.unblocked = g.found_mask;
	sigdelset(&g.unblocked, SIGCHLD);
	set_handler(SIGCHLD, handle_child);
	for (size_t i = 0; i < LEN(stops); i++) {
		sigdelset(&g.unblocked, stops[i]);
		if (set_handler(stops[i], handle_stop) == SIG_IGN)
			set_handler(stops[i], SIG_IGN);
	}
	set_handler(SIGPIPE, SIG_IGN); /* not even a console that goes away may end a change */
	set_handler(SIGTTOU, SIG_IGN);
}

int main(int argc, char **argv)
{
	open_standard_files();
	prepare_signals();
	g.begin = now_ms();
	g.appeared = g.begin;
	g.level = LEVEL_INFO;
	g.uevents = -1;
	g.lock = -1;
	g.shared = &g.own;
	if (getpid() == 1)
		return be_first_process(argv);
	return run(argv + (argc > 0 ? 1 : 0));
}
