/* A world for the whole program, natively: swflip's own main() in a child, in a directory with a sysfs, a proc and a dev that
 * are made up here, and the other end of every wire in this process. Judged by the bytes that arrived there.
 *
 *	tty, cdc-wdm	pseudo terminals under the device numbers that the sysfs names
 *	usbfs		one, too, and the few ioctls of devio.c, played below (kernel_*), ask this process over a socket
 *	bConfigurationValue	written: the interfaces of the other configuration are there at once, as in the kernel
 *	uevents		netlink is denied, and swflip looks every 100 ms, which is a path of its own; or it is played here, too
 *
 * The times of config.h are short here; SLOWER is for who runs all this slowly. */
#ifndef SLOWER
#define SLOWER 1
#endif
#define SYS            "sys"
#define PROC           "proc"
#define DEV            "dev"
#define STAY_MS        (150 * SLOWER)
#define LEAVE_MS       (500 * SLOWER)
#define SILENCE_MS     (2500 * SLOWER)
#define BOOT_MS        (300 * SLOWER)
#define KERNEL_FLIP_MS (200 * SLOWER)
#define FLIP_MS        (200 * SLOWER)
#define TTY_MS         (100 * SLOWER)
#define ANSWER_MS      (1000 * SLOWER)
#define QUIET_MS       (150 * SLOWER)
#define RETRY_MS       200 /* less than swflip's GRACE_MS, after which a child is killed */
#define DEAF_MS        (1000 * SLOWER)
#define MARGIN_MS      (300 * SLOWER)
#define _GNU_SOURCE
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static int native_socket(int domain, int type, int protocol);
static int native_bind(int fd, const struct sockaddr *name, socklen_t size);
static ssize_t native_recvfrom(int fd, void *buf, size_t n, int flags, struct sockaddr *from,
			       socklen_t *size);
static int native_ioctl(int fd, unsigned long request, ...);
static long native_syscall(long number, ...);
static ssize_t native_write(int fd, const void *buf, size_t n);
static int native_poll(struct pollfd *p, nfds_t n, int ms);
static pid_t native_getpid(void);
static int native_mknod(const char *file, mode_t mode, dev_t dev);
static int native_mount(const char *source, const char *target, const char *type,
			unsigned long flags, const void *data);
static int native_execv(const char *file, char *const argv[]);

#ifdef COVERAGE
void __gcov_dump(void);

static _Noreturn void native_exit(
	int status) /* children end by _exit(), which would lose their counts */
{
	__gcov_dump();
	_exit(status);
}
#define _exit native_exit
#endif

/* All calls of swflip's that can fail: CALL(its name, who answers it, its arguments). test/inject.c has a CALL of its own. */
#ifndef CALL
#define CALL(name, real, ...) real(__VA_ARGS__)
#endif
#define access(...)    CALL("access", access, __VA_ARGS__)
#define bind(...)      CALL("bind", native_bind, __VA_ARGS__)
#define close(...)     CALL("close", close, __VA_ARGS__)
#define execv(...)     CALL("execv", native_execv, __VA_ARGS__)
#define flock(...)     CALL("flock", flock, __VA_ARGS__)
#define ioctl(...)     CALL("ioctl", native_ioctl, __VA_ARGS__)
#define kill(...)      CALL("kill", kill, __VA_ARGS__)
#define mkdir(...)     CALL("mkdir", mkdir, __VA_ARGS__)
#define mknod(...)     CALL("mknod", native_mknod, __VA_ARGS__)
#define mmap(...)      CALL("mmap", mmap, __VA_ARGS__)
#define mount(...)     CALL("mount", native_mount, __VA_ARGS__)
#define open(...)      CALL("open", open, __VA_ARGS__)
#define poll(...)      CALL("poll", native_poll, __VA_ARGS__)
#define read(...)      CALL("read", read, __VA_ARGS__)
#define readlink(...)  CALL("readlink", readlink, __VA_ARGS__)
#define recvfrom(...)  CALL("recvfrom", native_recvfrom, __VA_ARGS__)
#define rmdir(...)     CALL("rmdir", rmdir, __VA_ARGS__)
#define setpgid(...)   CALL("setpgid", setpgid, __VA_ARGS__)
#define signalfd(...)  CALL("signalfd", signalfd, __VA_ARGS__)
#define socket(...)    CALL("socket", native_socket, __VA_ARGS__)
#define stat(...)      CALL("stat", stat, __VA_ARGS__)
#define syscall(...)   CALL("syscall", native_syscall, __VA_ARGS__)
#define tcflush(...)   CALL("tcflush", tcflush, __VA_ARGS__)
#define tcgetattr(...) CALL("tcgetattr", tcgetattr, __VA_ARGS__)
#define tcsetattr(...) CALL("tcsetattr", tcsetattr, __VA_ARGS__)
#define umount2(...)   CALL("umount2", umount2, __VA_ARGS__)
#define unlink(...)    CALL("unlink", unlink, __VA_ARGS__)
#define waitpid(...)   CALL("waitpid", waitpid, __VA_ARGS__)
#define write(...)     CALL("write", native_write, __VA_ARGS__)
#define getpid         native_getpid
#include "native.h"
#undef CALL
#define CALL(name, real, ...) real(__VA_ARGS__) /* the world's own */
#undef bind
#undef execv
#undef getpid
#undef ioctl
#undef mknod
#undef mount
#undef poll
#undef recvfrom
#undef socket
#undef syscall
#undef write

/* ---- the sysfs, and what hangs on its wires ---- */

enum { AT_WIRE, SPARE_WIRE, WDM_WIRE, USBFS_WIRE, WIRES };

struct device {
	char port[PORT];
	bool present, unlocked, offline, swoc_back;
	unsigned devnum, vid, pid, config; /* config: 1, 2 or 0 */
	const char *configs[2];            /* "3v 8v": see parse.c */
	int master[WIRES], slave[WIRES];
	char tty[WIRES][40];      /* of the slaves: /dev/pts/N */
	char line[WIRES][300];    /* what has come of a command */
	uint8_t frames[8][FRAME]; /* QMI or MBIM answers waiting */
	size_t frame_size[8];
	unsigned frames_waiting;
	/* the modem */
	int stored_pid, running_pid;
	uint32_t stored, running;
	int64_t back_at; /* ms; 0: not on its way */
	unsigned resets, flips, writes, restarts;
};

static struct {
	char dir[64], out[8192], err[16384]; /* what swflip said */
	char log[6000];                      /* writes, resets, flips */
	char all[20000];                     /* every AT line */
	struct device device[4];
	unsigned devices;
	const char *faults, *drivers;
	int control; /* the socket that usbfs' ioctls come over */
	int64_t took;
	pid_t child;
	int term_at; /* a signal at that many AT lines, 0 = never */
	unsigned lines;
	bool blind; /* no netlink */
	bool first_process;
} world;

static bool fault(const char *word)
{
	size_t n = strlen(word);

	for (const char *p = world.faults; p && (p = strstr(p, word)); p++)
		if ((p == world.faults || p[-1] == ' ') && (!p[n] || p[n] == ' ' || p[n] == '='))
			return true;
	return false;
}

__attribute__((format(printf, 1, 2))) static void put(const char *fmt, ...)
{
	size_t n = strlen(world.log);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(world.log + n, sizeof world.log - n, fmt, ap);
	va_end(ap);
}

__attribute__((format(printf, 2, 3))) static void make(const char *text, const char *fmt, ...)
{
	char name[300], *slash;
	va_list ap;
	FILE *f;

	va_start(ap, fmt);
	vsnprintf(name, sizeof name, fmt, ap);
	va_end(ap);
	for (slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(name, 0755);
		*slash = '/';
	}
	if (!text) {
		mkdir(name, 0755);
	} else if (text[0] == '>') {
		unlink(name);
		if (symlink(text + 1, name))
			perror(name);
	} else if ((f = fopen(name, "w"))) {
		fputs(text, f);
		fclose(f);
	}
}

static void run_sh(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void run_sh(const char *fmt, ...)
{
	char command[600];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command, sizeof command, fmt, ap);
	va_end(ap);
	if (system(command))
		fprintf(stderr, "native: %s failed\n", command);
}

/* A text for make() to write; good until the next one. */
__attribute__((format(printf, 1, 2))) static const char *form(const char *fmt, ...)
{
	static char text[300];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	return text;
}

static char *dev_number(const char *tty, char text[32])
{
	struct stat st;

	if (stat(tty, &st))
		st.st_rdev = 0;
	snprintf(text, 32, "%u:%u", major(st.st_rdev), minor(st.st_rdev));
	return text;
}

/* The interfaces of a configuration appear, below a directory that may not be in its place yet. */
static void show_interfaces(const struct device *d, const char *base)
{
	const char *s = d->config ? d->configs[d->config - 1] : "";
	char number[32], where[100];

	for (; *s; s += s[2] ? 3 : 2) {
		unsigned n = (unsigned)strtoul((const char[2]){ *s, 0 }, NULL, 16);
		unsigned wire = s[1] == 'm' || n == 8 ? WDM_WIRE : n == 4 ? SPARE_WIRE : AT_WIRE;
		bool serial = strchr("vb", s[1]) && n < 7 &&
			      (n == 3 || n == 4 || (n == 2 && d->pid == 0x68a9));

		snprintf(where, sizeof where, "%s:%u.%u", d->port, d->config, n);
		make(form(">%s/%s", d->port, where), "sys/bus/usb/devices/%s", where);
		make(s[1] == 's' ? "08" : "ff", "%s/%s/bInterfaceClass", base, where);
		if (serial && strstr(world.drivers, "serial") && d->master[wire] >= 0) {
			n += 10 * (unsigned)(d - world.device);
			make(dev_number(d->tty[wire], number), "%s/%s/ttyUSB%u/tty/ttyUSB%u/dev",
			     base, where, n, n);
			make(number, "sys/class/tty/ttyUSB%u/dev", n);
			make(">../../../../bus/usb/drivers/qcserial", "%s/%s/driver", base, where);
			make(form(">%s", d->tty[wire]), "dev/ttyUSB%u", n);
			make(form(">../../devices/pci/usb1/%s/%s/ttyUSB%u/tty/ttyUSB%u", d->port,
				  where, n, n),
			     "sys/dev/char/%s", number);
		}
		if (wire == WDM_WIRE && strstr(world.drivers, "wdm") && d->master[wire] >= 0) {
			make(dev_number(d->tty[wire], number), "%s/%s/usbmisc/cdc-wdm0/dev", base,
			     where);
			make(number, "sys/class/usbmisc/cdc-wdm0/dev");
			make(form(">%s", d->tty[wire]), "dev/cdc-wdm0");
			make(form(">../../devices/pci/usb1/%s/%s/usbmisc/cdc-wdm0", d->port, where),
			     "sys/dev/char/%s", number);
		}
	}
}

static void hide_interfaces(const struct device *d)
{
	run_sh("rm -rf sys/bus/usb/devices/%s:* sys/bus/usb/devices/%s/%s:*", d->port, d->port,
	       d->port);
}

static void open_wires(struct device *d)
{
	for (unsigned w = 0; w < WIRES; w++) {
		struct termios t;

		if (openpty(&d->master[w], &d->slave[w], d->tty[w], NULL, NULL))
			abort();
		tcgetattr(d->slave[w], &t);
		if (w >= WDM_WIRE)
			cfmakeraw(&t); /* no terminals, these */
		else
			t.c_lflag &= ~(tcflag_t)(ECHO | ICANON);
		t.c_cc[VMIN] = 7; /* to be found again afterwards */
		tcsetattr(d->slave[w], TCSANOW, &t);
		fcntl(d->master[w], F_SETFL, O_NONBLOCK);
		fcntl(d->master[w], F_SETFD, FD_CLOEXEC);
		d->line[w][0] = '\0';
	}
	d->frames_waiting = 0;
}

static void close_wires(struct device *d)
{
	for (unsigned w = 0; w < WIRES; w++)
		if (d->master[w] >= 0) {
			close(d->master[w]);
			close(d->slave[w]);
			d->master[w] = d->slave[w] = -1;
		}
}

/* To whoever listens. */
static void uevent(int who, const char *action, const struct device *d)
{
	char message[200];
	glob_t listeners;

	if (!fault("uevents") || glob(form("%s/uevents.*", world.dir), 0, NULL, &listeners))
		return;
	message[0] = (char)who;
	snprintf(message + 1, sizeof message - 1, "%s@/devices/pci/usb1/%s", action, d->port);
	for (size_t i = 0; i < listeners.gl_pathc; i++) {
		struct sockaddr_un to = { .sun_family = AF_UNIX };
		int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

		snprintf(to.sun_path, sizeof to.sun_path, "%s", listeners.gl_pathv[i]);
		(void)!sendto(fd, message, strlen(message + 1) + 1, 0, (struct sockaddr *)&to,
			      sizeof to);
		close(fd);
	}
	globfree(&listeners);
}

static void unplug(struct device *d)
{
	char from[100], to[100];
	glob_t interfaces;

	if (!d->present)
		return;
	d->present = false;
	snprintf(from, sizeof from, "sys/bus/usb/devices/%s", d->port);
	snprintf(to, sizeof to, "gone.%s.%u", d->port, d->restarts);
	rename(from, to);
	if (!glob(form("sys/bus/usb/devices/%s:*", d->port), 0, NULL, &interfaces))
		for (size_t i = 0; i < interfaces.gl_pathc; i++)
			unlink(interfaces.gl_pathv[i]);
	globfree(&interfaces);
	close_wires(d);
	d->unlocked = d->offline = false;
	uevent(fault("overrun") ? 2 : 0, "remove", d);
}

/* What the modem shows for what runs. */
static void compose(struct device *d)
{
	static const struct {
		unsigned number;
		const char *direct, *one, *two;
	} modes[] = {
		{ 2, "0b 1b 2b 3v 7v 9s", "0b 2v 3v", NULL },
		{ 3, "0b 1b 2b 3v 4v 7v 9s", "0b 2v 3v", NULL },
		{ 6, "0b 2v 3v 8v", "0b 2v 3v 8v", NULL },
		{ 8, "0b 2v 3v cm", "cm 0b 2v 3v", NULL },
		{ 9, "cm", "cm", NULL },
		{ 14, "0b", "0b 2v 3v 8v", "cm" },
		{ 0x10d, "", "0b 2v 3v 8v", NULL },
		{ 0x100d, "", "cm 0b 2v 3v", NULL },
	};

	d->pid = (unsigned)d->running_pid;
	d->configs[0] = "0b 2v 3v";
	d->configs[1] = NULL;
	for (unsigned i = 0; i < LEN(modes); i++)
		if (modes[i].number == d->running) {
			d->configs[0] = d->pid == 0x68a3 || d->pid == 0x68aa ? modes[i].direct
									     : modes[i].one;
			d->configs[1] = modes[i].two;
		}
	d->config = d->configs[1] ? 2 : 1;
}

static void plug(struct device *d)
{
	char base[100], number[32], file[150];
	uint8_t raw[2000],
		*p = device_bytes(raw, (uint16_t)d->vid, (uint16_t)d->pid, d->configs[1] ? 2 : 1);
	FILE *f;

	d->devnum = d->devnum % 120 + 2;
	d->present = true;
	d->restarts++;
	open_wires(d);
	for (unsigned c = 0; c < 2 && d->configs[c]; c++)
		p = config_text(p, (uint8_t)(c + 1), d->configs[c]);
	snprintf(base, sizeof base, "new.%s", d->port);
	make("", "%s/descriptors", base);
	snprintf(file, sizeof file, "%s/descriptors", base);
	if ((f = fopen(file, "w"))) {
		fwrite(raw, (size_t)(p - raw), 1, f);
		fclose(f);
	}
	if (fault("peer"))
		make(d->port[0] == '1' ? ">../../../usb2/2-0:1.0/usb2-port1"
				       : ">../../../usb1/1-0:1.0/usb1-port1",
		     "%s/port/peer", base);
	snprintf(number, sizeof number, "%u\n", d->devnum);
	make(number, "%s/devnum", base);
	snprintf(number, sizeof number, "%d\n", atoi(d->port));
	make(number, "%s/busnum", base);
	make("auto\n", "%s/power/control", base);
	make(fault("barred") ? "0\n" : "1\n", "%s/authorized", base);
	make(d->config == 2 ? "2\n" : "1\n", "%s/bConfigurationValue", base);
	make(dev_number(d->tty[USBFS_WIRE], number), "%s/dev", base);
	make(form(">%s", d->tty[USBFS_WIRE]), "dev/bus/usb/%03u/%03u", (unsigned)atoi(d->port),
	     d->devnum);
	make(form(">../../devices/pci/usb1/%s", d->port), "sys/dev/char/%s", number);
	if (!fault("barred"))
		show_interfaces(d, base);
	rename(base, form("sys/bus/usb/devices/%s", d->port));
	if (fault("elsewhere"))
		run_sh("for f in sys/dev/char/*; do ln -sfn "
		       "../../devices/pci/usb1/1-7/1-7:1.3/ttyUSB3/tty/ttyUSB3 $f; done");
	if (fault("garbage"))
		run_sh("find sys -name dev -type f | while read f; do echo x:y >$f; done");
	uevent(1, "remove", d);
	uevent(0, "bind", d);
}

static void leave(struct device *d, int64_t ms)
{
	unplug(d);
	d->back_at = fault("gone") ? 0 : now() + ms;
}

/* ---- the modem ---- */

static const char *list_of(const struct device *d)
{
	return d->stored_pid == 0x68a3 || d->stored_pid == 0x68aa
		       ? "0 - HIP DM NMEA AT MDM1 MDM2 MDM3 MS SUPPORTED\r\n2 - HIP DM NMEA AT "
			 "NIC1 MS SUPPORTED\r\n3 - HIP DM NMEA AT MDM1 NIC1 MS SUPPORTED\r\n"
			 "6 - DM NMEA AT QMI NOT SUPPORTED\r\n"
		       : "3 - HIP DM NMEA AT MDM1 NIC1 MS NOT SUPPORTED\r\n6 - DM NMEA AT QMI "
			 "SUPPORTED\r\n8 - DM NMEA AT MBIM SUPPORTED\r\n9 - MBIM SUPPORTED\r\n"
			 "14 - Config1: comp6 Config2: comp9 SUPPORTED\r\n";
}

static void answer_on(struct device *d, unsigned wire, const char *text, size_t n)
{
	if (fault("trickle")) {
		for (size_t i = 0; i < n; i++) {
			(void)!write(d->master[wire], text + i, 1);
			usleep(50);
		}
	} else {
		(void)!write(d->master[wire], text, n);
	}
}

static void reset_modem(struct device *d)
{
	put("reset;");
	d->resets++;
	if (fault("ignored"))
		return;
	d->running = d->stored;
	d->running_pid = d->stored_pid;
	leave(d, 150 * SLOWER);
}

static void set_comp(struct device *d, uint32_t value)
{
	put("comp=%X;", value);
	d->writes++;
	if (fault("write-lost") && d->writes == 1)
		return;
	d->stored = fault("write-differs") && d->writes == 1 ? 9 : value;
}

/* A line has come, on this wire. */
static void at_line(struct device *d, unsigned wire, const char *line)
{
	char text[3000] = "", whole[4000];
	const char *result = "OK";
	unsigned value, type;
	bool mask = fault("mask");

	snprintf(world.all + strlen(world.all), sizeof world.all - strlen(world.all), "%s;", line);
	if (++world.lines == (unsigned)world.term_at)
		kill(world.child, SIGTERM);
	if (fault("silent") || (wire != SPARE_WIRE && fault("silent-at")) ||
	    (fault("deaf") && world.lines < 3) || (fault("mute-after") && d->resets))
		return;
	if (!strcasecmp(line, "ATI")) {
		strcpy(text, "Manufacturer: Sierra Wireless, Incorporated\r\nModel: X\r\n");
	} else if (!strncasecmp(line, "AT!ENTERCND=", 12)) {
		if (fault("slow"))
			poll(NULL, 0, 750 * SLOWER);
		d->unlocked = !strcmp(line, fault("code") ? "AT!ENTERCND=\"S3CRET\""
							  : "AT!ENTERCND=\"A710\"");
		if (!d->unlocked)
			result = "ERROR";
	} else if (!d->unlocked || (fault("password") && wire != SPARE_WIRE)) {
		result = "ERROR";
	} else if (mask && !strcasecmp(line, "AT!USBCOMP?")) {
		sprintf(text,
			"Config Index: 1\r\nConfig Type:  1 (Generic)\r\nInterface bitmask: %08X "
			"(diag)\r\n",
			d->stored);
	} else if (mask && !strcasecmp(line, "AT!USBCOMP=?")) {
		strcpy(text,
		       "AT!USBCOMP=<Config Index>,<Config Type>,<Interface bitmask>\r\n <Config "
		       "Type> - 1:Generic, 2:USBIF-MBIM\r\n"
		       " <Interface bitmask> - DIAG - 0x00000001,\r\n NMEA - 0x00000004,\r\n MODEM "
		       "- 0x00000008,\r\n RMNET0 - 0x00000100,\r\n MBIM - 0x00001000,\r\n");
	} else if (mask && !strcasecmp(line, "AT!USBPID?")) {
		sprintf(text, "!USBPID:\r\nAPP : %04X\r\nBOOT: 9070\r\n", (unsigned)d->stored_pid);
	} else if (mask && !strcasecmp(line, "AT!USBPID=?")) {
		strcpy(text, "APP   BOOT\r\n9071, 9070\r\n");
	} else if (mask && sscanf(line, "AT!USBCOMP=1,%u,%x", &type, &value) == 2) {
		set_comp(d, value);
	} else if (mask && (!strcasecmp(line, "AT!USBVID?") || !strcasecmp(line, "AT!USBINFO?"))) {
		strcpy(text, "!USBVID: 1199\r\n");
	} else if (!mask && !strcasecmp(line, "AT!UDUSBCOMP?")) {
		sprintf(text, "!UDUSBCOMP: %u\r\n", d->stored);
	} else if (!mask && !strcasecmp(line, "AT!UDUSBCOMP=?")) {
		strcpy(text, list_of(d));
	} else if (!mask && !strcasecmp(line, "AT!UDPID?")) {
		sprintf(text, "!UDPID: %04X\r\n", (unsigned)d->stored_pid);
	} else if (!mask && !strcasecmp(line, "AT!UDPID=?")) {
		strcpy(text, "68A3\r\n68AA\r\n68A2\r\n");
	} else if (!mask && sscanf(line, "AT!UDPID=%x", &value) == 1) {
		put("pid=%X;", value);
		d->stored_pid = (int)value;
		d->stored = value == 0x68a2 ? 6 : 3;
	} else if (!mask && sscanf(line, "AT!UDUSBCOMP=%u", &value) == 1) {
		set_comp(d, value);
		result = fault("write-error") ? "ERROR" : "OK";
	} else if (!strcasecmp(line, "AT!RESET")) {
		;
	} else {
		result = "ERROR";
	}
	if (fault("flood") && strstr(line, "=?")) {
		static char flood[20000];

		memset(flood, 'x', sizeof flood);
		for (unsigned i = 0; i < 5; i++)
			answer_on(d, wire, flood, sizeof flood);
	}
	snprintf(whole, sizeof whole,
		 fault("echo")                ? "%s\r\r\n%s\r\n%s\r\n"
		 : fault("no-final") && *text ? "%.0s\r\n%s"
		 : fault("stray")             ? "%.0s\r\nOK\r\n%s\r\n%s\r\n"
					      : "%.0s\r\n%s\r\n%s\r\n",
		 line, text, result);
	answer_on(d, wire, whole, strlen(whole));
	if (!strcasecmp(line, "AT!RESET") && strcmp(result, "ERROR"))
		reset_modem(d);
	if (fault("term-at-write") && strchr(line, '=') && !strchr(line, '?') &&
	    !strstr(line, "ENTERCND") && d->writes + (d->stored_pid != d->running_pid) == 1)
		kill(world.child, SIGTERM);
}

/* A QMUX frame in, another out. */
static size_t qmux(struct device *d, const uint8_t *p, size_t n, uint8_t *out)
{
	unsigned service = p[4], message = service ? le16(p + 9) : le16(p + 8);
	const uint8_t *value = p + (service ? 13 : 12) + 3;
	uint8_t tlvs[100], *t = tlvs, *o = out + 6;
	unsigned error = 0;

	(void)n;
	if (service == CTL && message == GET_CLIENT) {
		memcpy(t + 7, (uint8_t[]){ 1, 2, 0, 2, 7 }, 5);
		t += 5;
	} else if (service == DMS && message == GET_COMP) {
		memcpy(t + 7,
		       (uint8_t[]){ 0x10, 1, 0, (uint8_t)d->stored, 0x11, 5, 0, 4, 6, 8, 9, 14 },
		       12);
		t += 12;
	} else if (service == DMS && message == SET_COMP) {
		set_comp(d, *value);
	} else if (service == DMS && message == SET_MODE) {
		put("mode=%u;", *value);
		if (*value == 4 && !d->offline)
			error = 60;
		d->offline = true;
	} else if (service != CTL) {
		error = 71;
	}
	memcpy(tlvs, (uint8_t[]){ 2, 4, 0, error != 0, 0, (uint8_t)error, 0 }, 7);
	t += 7;
	*o++ = service ? 2 : 1;
	*o++ = p[7];
	if (service)
		*o++ = 0;
	o = put16(put16(o, message), (unsigned)(t - tlvs));
	memcpy(o, tlvs, (size_t)(t - tlvs));
	o += t - tlvs;
	memcpy(out, (uint8_t[]){ 1, 0, 0, 0x80, (uint8_t)service, service ? 7 : 0 }, 6);
	put16(out + 1, (unsigned)(o - out) - 1);
	return (size_t)(o - out);
}

/* An encapsulated command. Its answer waits to be fetched, or goes out by cdc-wdm. */
static void command(struct device *d, const uint8_t *p, size_t n, bool wdm)
{
	uint8_t *out = d->frames[d->frames_waiting];
	size_t size = 0;
	bool off = false;

	if (fault("qmi-silent") || d->frames_waiting == LEN(d->frames))
		return;
	if (d->configs[d->config - 1][1] == 'm') {
		unsigned type = le32(p);

		memcpy(out, p, 12);
		put32(out, type | MBIM_DONE);
		size = 16;
		put32(out + 12, 0);
		if (type == MBIM_COMMAND) {
			memcpy(out, p, MBIM_HEAD);
			put32(out, type | MBIM_DONE);
			put32(out + 40, fault("no-tunnel") ? 2 : 0);
			size = fault("no-tunnel")
				       ? 0
				       : qmux(d, p + MBIM_HEAD, n - MBIM_HEAD, out + MBIM_HEAD);
			put32(out + 44, (uint32_t)size);
			size += MBIM_HEAD;
			off = le16(p + MBIM_HEAD + 9) == SET_MODE && p[MBIM_HEAD + 16] == 4;
		}
		put32(out + 4, (uint32_t)size);
	} else {
		size = qmux(d, p, n, out);
		off = le16(p + 9) == SET_MODE && p[16] == 4;
	}
	if (wdm) {
		(void)!write(d->master[WDM_WIRE], out, size);
	} else {
		d->frame_size[d->frames_waiting++] = size;
		(void)!write(d->master[USBFS_WIRE], (uint8_t[]){ 0xa1, 1, 0, 0, 8, 0, 0, 0 }, 8);
	}
	if (off)
		reset_modem(d);
}

/* ---- usbfs: ioctls come as messages ---- */

struct request {
	char tty[40];
	unsigned what, type, request, value, index, length;
	uint8_t data[FRAME];
};

struct reply {
	int result, error;
	uint8_t data[FRAME];
};

enum { CLAIM, RELEASE, CONNECT, PORT_RESET, CONTROL, CONFIGURE };

static void usbfs_request(int fd)
{
	static struct request q;
	static struct reply r;
	struct device *d = world.device;

	memset(&r, 0, sizeof r);
	if (recv(fd, &q, sizeof q, 0) <= 0)
		return;
	for (; d < world.device + world.devices; d++)
		if (!strcmp(q.what == CONFIGURE ? d->port : d->tty[USBFS_WIRE], q.tty))
			break;
	r.result = -1;
	r.error = ENODEV;
	if (d < world.device + world.devices && d->present) {
		r.result = r.error = 0;
		if (q.what == CLAIM && fault("held"))
			r.result = -1, r.error = EBUSY;
		else if (q.what == CLAIM && fault("no-claim"))
			r.result = -1, r.error = ENOENT;
		else if (q.what == CLAIM)
			put("claim;");
		else if (q.what == RELEASE)
			put("release;");
		else if (q.what == CONNECT)
			put("connect;");
		else if (q.what == PORT_RESET)
			put("port-reset;");
		else if (q.what == CONFIGURE) {
			put("config=%u;", q.value);
			if (fault("config-fails")) {
				r.result = -1, r.error = EIO;
			} else {
				char base[100];

				hide_interfaces(d);
				d->config = q.value;
				snprintf(base, sizeof base, "sys/bus/usb/devices/%s", d->port);
				show_interfaces(d, base);
			}
		} else if (q.type == 0x40 && q.request == 0x0b) {
			put("swoc=%u;", q.value);
			d->flips++;
			if (fault("swoc-stall"))
				r.result = -1, r.error = EPIPE;
			if (!fault("stuck") && d->flips >= (fault("third-flip") ? 3u : 1u)) {
				d->swoc_back = true;
				leave(d, 50 * SLOWER);
			}
		} else if (q.type == 0xc0 && q.request == 0x0a) {
			r.result = fault("swocinfo-short") ? 5 : 60;
			r.data[9] = 0x21, r.data[10] = 0x21;
		} else if (q.type == 0x21 && q.request == 0x22) {
			put("dtr=%u;", q.value);
		} else if (q.type == 0x21 && q.request == 0) {
			r.result = (int)q.length;
			command(d, q.data, q.length, false);
		} else if (q.type == 0xa1 && q.request == 1) {
			if (!d->frames_waiting) {
				r.result = -1, r.error = EPIPE;
			} else {
				r.result = (int)d->frame_size[0];
				memcpy(r.data, d->frames[0], d->frame_size[0]);
				d->frames_waiting--;
				memmove(d->frames[0], d->frames[1],
					sizeof d->frames - sizeof d->frames[0]);
				memmove(d->frame_size, d->frame_size + 1,
					sizeof d->frame_size - sizeof d->frame_size[0]);
			}
		}
	}
	(void)!send(fd, &r, sizeof r, MSG_NOSIGNAL);
}

/* ---- the kernel, as swflip meets it; all of this runs in swflip's own processes ---- */

static int ask_world(struct request *q, void *data, size_t n)
{
	static struct reply r;
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	snprintf(to.sun_path, sizeof to.sun_path, "%s/control", world.dir);
	if (connect(fd, (struct sockaddr *)&to, sizeof to) || send(fd, q, sizeof *q, 0) < 0 ||
	    recv(fd, &r, sizeof r, 0) <= 0)
		r.result = -1, r.error = ENODEV;
	close(fd);
	if (r.result < 0)
		errno = r.error;
	else if (data && r.result > 0 && (size_t)r.result <= n)
		memcpy(data, r.data, (size_t)r.result);
	return r.result;
}

static struct urb *inward;

/* A command goes out at once, or not at all. */
static int kernel_bulk(int fd, const struct bulktransfer *b)
{
	if (!fault("out-stuck"))
		return (int)write(fd, b->data, b->len);
	poll(NULL, 0, (int)b->timeout);
	errno = ETIMEDOUT;
	return -1;
}

static int kernel_urb(int fd, unsigned long request, void *data)
{
	struct urb *u = data;
	ssize_t n;

	if (request == USBDEVFS_SUBMITURB) {
		if (inward || !(u->endpoint & 0x80)) {
			errno = EINVAL;
			return -1;
		}
		inward = u;
		return 0;
	}
	if (inward && fault("in-stall") && !access("stall-once", F_OK)) {
		unlink("stall-once");
		inward->status = -EPIPE;
		*(struct urb **)data = inward;
		inward = NULL;
		return 0;
	}
	if (inward && (n = read(fd, inward->buffer, (size_t)inward->buffer_length)) >= 0) {
		inward->actual_length = (int)n;
		inward->status = n ? 0 : -ESHUTDOWN;
		*(struct urb **)data = inward;
		inward = NULL;
		return 0;
	}
	if (inward && errno == EIO) { /* the master is closed: unplugged */
		inward->status = -ESHUTDOWN;
		*(struct urb **)data = inward;
		inward = NULL;
		return 0;
	}
	errno = EAGAIN;
	return -1;
}

static bool is_usbfs(int fd, char tty[40])
{
	char link[64];
	ssize_t n;

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = readlink(link, tty, 39);
	tty[n > 0 ? n : 0] = '\0';
	return n > 0;
}

static int native_ioctl(int fd, unsigned long request, ...)
{
	struct request q = { .what = CONTROL };
	va_list ap;
	void *data;

	va_start(ap, request);
	data = va_arg(ap, void *);
	va_end(ap);
	if (_IOC_TYPE(request) != 'U')
		return ioctl(fd, request, data);
	if (fd < 0) {
		errno = EBADF;
		return -1;
	}
	is_usbfs(fd, q.tty);
	if (request == USBDEVFS_BULK)
		return kernel_bulk(fd, data);
	if (request == USBDEVFS_SUBMITURB || request == USBDEVFS_REAPURBNDELAY)
		return kernel_urb(fd, request, data);
	if (request == USBDEVFS_RELEASEINTERFACE)
		inward = NULL;
	if (request == USBDEVFS_CONTROL) {
		struct ctrltransfer *c = data;

		q.type = c->bRequestType;
		q.request = c->bRequest;
		q.value = c->wValue;
		q.index = c->wIndex;
		q.length = c->wLength;
		if (!(q.type & 0x80) && c->wLength)
			memcpy(q.data, c->data, c->wLength);
		return ask_world(&q, q.type & 0x80 ? c->data : NULL, c->wLength);
	}
	if (request == USBDEVFS_SETINTERFACE || request == USBDEVFS_CLEAR_HALT)
		return 0;
	if (request == USBDEVFS_DISCONNECT_CLAIM && fault("hang"))
		for (;;)
			poll(NULL, 0, 1000);
	if (request == USBDEVFS_DISCONNECT_CLAIM && fault("oops"))
		raise(SIGKILL);
	q.what = request == USBDEVFS_DISCONNECT_CLAIM   ? CLAIM
		 : request == USBDEVFS_RELEASEINTERFACE ? RELEASE
		 : request == USBDEVFS_RESET            ? PORT_RESET
							: CONNECT;
	return ask_world(&q, NULL, 0);
}

/* ioctl may come this way, too. */
static long native_syscall(long number, ...)
{
	long a, b, c, d, e;
	va_list ap;

	va_start(ap, number);
	a = va_arg(ap, long);
	b = va_arg(ap, long);
	c = va_arg(ap, long);
	d = va_arg(ap, long);
	e = va_arg(ap, long);
	va_end(ap);
	return number == SYS_ioctl ? native_ioctl((int)a, (unsigned long)(unsigned)b, (void *)c)
				   : syscall(number, a, b, c, d, e);
}

/* A usbfs descriptor is ready for POLLOUT when a URB can be reaped. */
static int native_poll(struct pollfd *p, nfds_t n, int ms)
{
	int r;

	if (p->events != POLLOUT)
		return poll(p, n, ms);
	p->events = POLLIN;
	r = poll(p, n, ms);
	p->events = POLLOUT;
	if (r > 0)
		p->revents = (short)(POLLOUT | (p->revents & (POLLHUP | POLLERR)));
	return r;
}

static ssize_t native_write(int fd, const void *buf, size_t n)
{
	char link[64], file[200];
	ssize_t size;

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	size = readlink(link, file, sizeof file - 1);
	if (size > 20 && !memcmp(file + size - 20, "/bConfigurationValue", 20)) {
		struct request q = { .what = CONFIGURE,
				     .value = (unsigned)atoi((const char *)buf) };
		char *port;

		file[size - 20] = '\0';
		port = strrchr(file, '/') + 1;
		snprintf(q.tty, sizeof q.tty, "%s", port);
		return ask_world(&q, NULL, 0) < 0 ? -1 : (ssize_t)n;
	}
	return write(fd, buf, n);
}

static int native_socket(int domain, int type, int protocol)
{
	if (world.blind) {
		errno = EPERM;
		return -1;
	}
	return fault("uevents") ? socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)
				: socket(domain, type, protocol);
}

static int native_bind(int fd, const struct sockaddr *name, socklen_t size)
{
	struct sockaddr_un own = { .sun_family = AF_UNIX };

	if (fault("bind-fails")) {
		errno = EACCES;
		return -1;
	}
	if (!fault("uevents"))
		return bind(fd, name, size);
	snprintf(own.sun_path, sizeof own.sun_path, "%s/uevents.%d", world.dir, (int)getpid());
	return bind(fd, (struct sockaddr *)&own, sizeof own);
}

/* The first byte says who sends it: 0 the kernel, 1 a process, 2 a queue that ran over. */
static ssize_t native_recvfrom(int fd, void *buf, size_t n, int flags, struct sockaddr *from,
			       socklen_t *size)
{
	ssize_t r;
	unsigned char who;

	if (!fault("uevents"))
		return recvfrom(fd, buf, n, flags, from, size);
	if ((r = recv(fd, buf, n, flags)) <= 0)
		return r;
	who = *(unsigned char *)buf;
	memmove(buf, (char *)buf + 1, (size_t)--r);
	memset(from, 0, *size);
	if (who == 1)
		((uint32_t *)(void *)from)[1] = 4711;
	if (who == 2) {
		errno = ENOBUFS;
		return -1;
	}
	return r;
}

static pid_t native_getpid(void)
{
	return world.first_process && !g.me ? 1 : getpid();
}

/* A pseudo terminal can be opened in its own place only. */
static int native_mknod(const char *file, mode_t mode, dev_t dev)
{
	char place[32];

	(void)mode;
	snprintf(place, sizeof place, "/dev/pts/%u", minor(dev));
	return symlink(place, file);
}

static int native_mount(const char *source, const char *target, const char *type,
			unsigned long flags, const void *data)
{
	(void)source, (void)flags, (void)data;
	fprintf(stderr, "mount %s on %s\n", type, target);
	if (fault("mount"))
		return 0;
	errno = EBUSY;
	return -1;
}

static int native_execv(const char *file, char *const argv[])
{
	fprintf(stderr, "exec %s %s\n", file, argv[1] ? argv[1] : "-");
	if (fault("exec"))
		_exit(77);
	errno = ENOEXEC;
	return -1;
}

/* ---- a scenario: set the world up, run swflip in it, play the modems, look at what came of it ---- */

static void set_up(const char *cmdline, const char *faults, const char *drivers)
{
	struct sockaddr_un at_ = { .sun_family = AF_UNIX };

	memset(&world, 0, sizeof world);
	world.faults = faults;
	world.drivers = drivers;
	world.blind = true;
	strcpy(world.dir, "/tmp/swflip-native-XXXXXX");
	if (!mkdtemp(world.dir) || chdir(world.dir))
		abort();
	make(NULL, "sys/bus/usb/devices");
	make(NULL, "dev");
	make(cmdline, "proc/cmdline");
	make("", "proc/self/exe");
	make(">/dev/null", "dev/null");
	if (strstr(drivers, "serial"))
		make("", "sys/bus/usb-serial/drivers/qcserial");
	if (strstr(drivers, "wdm"))
		make("", "sys/bus/usb/drivers/cdc_wdm/module");
	if (strstr(drivers, "storage"))
		make("", "sys/bus/usb/drivers/usb-storage/module");
	if (fault("in-stall"))
		make("", "stall-once");
	snprintf(at_.sun_path, sizeof at_.sun_path, "%s/control", world.dir);
	world.control = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (bind(world.control, (struct sockaddr *)&at_, sizeof at_) || listen(world.control, 20))
		abort();
}

static struct device *add_device(const char *port, unsigned pid, uint32_t comp)
{
	struct device *d = &world.device[world.devices++];

	snprintf(d->port, sizeof d->port, "%s", port);
	for (unsigned w = 0; w < WIRES; w++)
		d->master[w] = d->slave[w] = -1;
	d->vid = 0x1199;
	d->running_pid = d->stored_pid = (int)pid;
	d->running = d->stored = comp;
	if (fault("truinstall")) {
		d->pid = 0x0fff;
		d->configs[0] = "9s";
		d->config = 1;
	} else {
		compose(d);
	}
	plug(d);
	if (fault("kernel-flips"))
		d->back_at = -(now() + 120 * SLOWER), d->swoc_back = true;
	return d;
}

/* The modem comes back as what its faults say. */
static void come_back(struct device *d)
{
	bool flipped = d->swoc_back;

	d->back_at = 0;
	d->swoc_back = false;
	compose(d);
	if (fault("back-storage") && !flipped) {
		d->pid = 0x0fff;
		d->configs[0] = "9s";
		d->configs[1] = NULL;
		d->config = 1;
	} else if (fault("back-boot")) {
		d->pid = 0x9090;
		d->configs[0] = "0b";
		d->configs[1] = NULL;
		d->config = 1;
	} else if (fault("back-foreign")) {
		d->vid = 0x0951;
	} else if (fault("back-vid")) {
		d->vid = 0x0f3d;
	}
	if (fault("peer") && !flipped) {
		strcpy(d->port, "2-1");
	}
	plug(d);
	if (fault("crash") && d->resets)
		d->back_at = -(now() + 60 * SLOWER); /* and leaves again */
}

static void play(void)
{
	struct pollfd p[4 * WIRES + 1];
	struct {
		struct device *d;
		unsigned wire;
	} of[4 * WIRES];
	nfds_t n = 1;
	char buf[5000];

	p[0] = (struct pollfd){ .fd = world.control, .events = POLLIN };
	for (struct device *d = world.device; d < world.device + world.devices; d++) {
		if (d->back_at > 0 && now() >= d->back_at)
			come_back(d);
		if (d->back_at < 0 && now() >= -d->back_at)
			leave(d, 60 * SLOWER);
		for (unsigned w = 0; w < WIRES && d->present; w++) {
			p[n] = (struct pollfd){ .fd = d->master[w], .events = POLLIN };
			of[n - 1].d = d;
			of[n - 1].wire = w;
			n++;
		}
	}
	if (poll(p, n, 5) <= 0)
		return;
	if (p[0].revents) {
		int fd = accept4(world.control, NULL, NULL, SOCK_CLOEXEC);

		if (fd >= 0) {
			usbfs_request(fd);
			close(fd);
		}
		return; /* what is on which wire may have changed */
	}
	for (nfds_t i = 1; i < n; i++) {
		struct device *d = of[i - 1].d;
		unsigned w = of[i - 1].wire;
		ssize_t r;

		if (!(p[i].revents & POLLIN) || (r = read(p[i].fd, buf, sizeof buf)) <= 0)
			continue;
		if (w == WDM_WIRE) {
			command(d, (uint8_t *)buf, (size_t)r, true);
			return;
		}
		for (ssize_t k = 0; k < r; k++) {
			size_t length = strlen(d->line[w]);

			if (buf[k] != '\r' && length + 1 < sizeof d->line[w]) {
				d->line[w][length] = buf[k];
				d->line[w][length + 1] = '\0';
			} else {
				char line[300];

				strcpy(line, d->line[w]);
				d->line[w][0] = '\0';
				at_line(d, w, line);
				return;
			}
		}
	}
}

struct outcome {
	int status;
	bool signalled, late; /* late: had to be killed */
};

/* Runs it with these arguments, divided by blanks; `|` before them: stderr is a terminal. */
static struct outcome run_swflip(const char *arguments)
{
	struct outcome o = { 0 };
	char copy[500], seconds[2][12], *argv[40] = { (char[]){ "swflip" } };
	int argc = 1, status, terminal = -1, slave = -1;
	int64_t begin = now();
	FILE *f;

	if (arguments[0] == '|') {
		if (openpty(&terminal, &slave, NULL, NULL, NULL))
			abort();
		fcntl(terminal, F_SETFL, O_NONBLOCK);
		fcntl(terminal, F_SETFD, FD_CLOEXEC);
		arguments++;
	}
	snprintf(copy, sizeof copy, "%s", arguments);
	for (char *a = strtok(copy, " "); a; a = strtok(NULL, " "), argc++) {
		const char *before = argv[argc - 1];

		argv[argc] = a;
		if ((!strcmp(before, "-a") || !strcmp(before, "-w")) && atoi(a) > 0)
			snprintf(argv[argc] = seconds[before[1] == 'w'], sizeof seconds[0], "%d",
				 atoi(a) * SLOWER);
	}
	fflush(NULL);
	if ((world.child = fork()) == 0) {
		int out = open("out", O_WRONLY | O_CREAT | O_TRUNC, 0644),
		    err = open("err", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0644);

		dup2(out, 1);
		dup2(slave >= 0 ? slave : err, 2);
		for (int fd = 3; fd < 40; fd++)
			close(fd);
		if (fault("closed"))
			close(0), close(1), close(2);
		else if (fault("closed-out"))
			close(1);
		signal(SIGPIPE, SIG_DFL);
		if (fault("broken-pipe")) {
			int pipe_[2];

			if (pipe(pipe_))
				_exit(99);
			close(pipe_[0]);
			dup2(pipe_[1], 2);
			close(pipe_[1]);
		}
		exit(swflip_main(argc, argv));
	}
	while (waitpid(world.child, &status, WNOHANG) == 0) {
		play();
		if (terminal >= 0) {
			size_t n = strlen(world.err);
			ssize_t r = read(terminal, world.err + n, sizeof world.err - n - 1);

			(void)r;
		}
		if (now() > begin + 15000 * SLOWER) {
			kill(world.child, SIGKILL);
			o.late = true;
		}
	}
	world.took = now() - begin;
	if (terminal >= 0) {
		size_t n = strlen(world.err);
		ssize_t r = read(terminal, world.err + n, sizeof world.err - n - 1);

		(void)r;
		close(terminal);
		close(slave);
	} else {
		for (unsigned i = !fault("kmsg"); i < 2; i++)
			if ((f = fopen(i ? "err" : "dev/kmsg", "r"))) {
				size_t n = strlen(world.err);

				world.err[n + fread(world.err + n, 1, sizeof world.err - n - 1,
						    f)] = '\0';
				fclose(f);
			}
	}
	if ((f = fopen("out", "r"))) {
		world.out[fread(world.out, 1, sizeof world.out - 1, f)] = '\0';
		fclose(f);
	}
	o.signalled = WIFSIGNALED(status);
	o.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	return o;
}

/* What swflip must leave as it was. NULL if it did. */
static const char *left_behind(void)
{
	char what[200], text[20] = "";
	glob_t nodes;
	FILE *f;
	int none;

	for (struct device *d = world.device; d < world.device + world.devices; d++) {
		struct termios t;
		int held = 0;

		if (!d->present || fault("hang") || fault("oops") ||
		    fault("out-stuck")) /* killed */
			continue;
		for (unsigned w = 0; w < WDM_WIRE; w++) {
			tcgetattr(d->slave[w], &t);
			if (t.c_cc[VMIN] != 7 || !(t.c_oflag & OPOST))
				return "the terminal's settings are others";
			if (!ioctl(d->slave[w], TIOCGEXCL, &held) && held && !fault("exclusive"))
				return "the terminal is held";
		}
		snprintf(what, sizeof what, "sys/bus/usb/devices/%.*s/power/control", PORT,
			 d->port);
		if ((f = fopen(what, "r"))) {
			if (!fgets(text, sizeof text, f) || strncmp(text, "auto", 4))
				strcpy(text, "on");
			fclose(f);
			if (!strcmp(text, "on"))
				return "autosuspend is off";
		}
	}
	none = glob("dev/.swflip-*", 0, NULL, &nodes);
	globfree(&nodes);
	return none ? NULL : "a private node";
}

static void tear_down(void)
{
	for (struct device *d = world.device; d < world.device + world.devices; d++)
		close_wires(d);
	close(world.control);
	if (chdir("/"))
		abort();
	if (getenv("KEEP"))
		fprintf(stderr, "%s\n", world.dir);
	else
		run_sh("rm -rf %s", world.dir);
}
