/* modem - a simulated Sierra Wireless modem, as well and as badly behaved as real ones
 *
 * usage: modem [-p port] [-c controller] [-s scale] [-l log] [-n nvfile] [-k line]... file
 *        modem -P link ... file
 *
 * A USB/IP device for the kernel's own vhci-hcd: real drivers and real usbfs stand between it
 * and swflip.
 *
 *    swflip <-> usbfs, sierra, cdc_mbim ... <-> usbcore <-> vhci-hcd <-> socketpair <-> this
 *    program
 *
 *	-p  port of vhci, 0 to 14 high or full speed, 15 to 29 super speed (0)
 *	-c  controller vhci_hcd.N (0)
 *	-s  per cent of the real times (100)
 *	-l  append the log to this file (standard error)
 *	-n  file that keeps the stored settings while the modem has no power
 *	-k  a line of the modem file that beats the file's: every fault is one of these
 *	-P  no USB: one AT port on a pseudo terminal, with this symbolic link to it
 *
 * TERM pulls the cable and ends; USR1 takes it out and puts it in again. test/modems/330u shows
 * and explains a modem file; `words` has all of them. */
#define _GNU_SOURCE
#include "inside.h"
#include "usbip.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static struct modem *modem;
static long long start;
static int out = STDERR_FILENO; /* the log */
static const char *link_name;   /* -P */
static int master = -1, slave = -1;
static volatile sig_atomic_t term, cycle;

static long long clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The modem's time stands still between two waits. If it went on, what was not due yet for the
 * host could be due by the time that the next wait's end is looked for, and be left out there. */
static long long turn;

static long long turn_ms(void)
{
	return turn;
}

/* One line, one write: several modems and a test may share the file, and a crash loses nothing. */
static void write_log(struct modem *which, const char *line)
{
	char s[4400];
	long long t = clock_ms() - start;
	int n = snprintf(s, sizeof s, "%lld.%03d %s\n", t / 1000, (int)(t % 1000), line);

	(void)which;
	if (write(out, s, (size_t)n) < 0)
		exit(1);
}

static void run_command(struct modem *which, const char *command)
{
	sigset_t none;

	(void)which;
	if (fork())
		return;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGCHLD, SIG_DFL);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

static _Noreturn void end(struct modem *which)
{
	(void)which;
	if (link_name)
		unlink(link_name);
	exit(0);
}

/* The pseudo terminal is held open at both ends, else a master whose slave nobody has open
 * hangs up. */
static bool open_terminal(struct modem *which)
{
	struct termios t;
	const char *name;

	master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (master < 0 || grantpt(master) || unlockpt(master))
		die("pseudo terminal:");
	name = ptsname(master);
	slave = name ? open(name, O_RDWR | O_NOCTTY | O_CLOEXEC) : -1;
	if (slave < 0 || tcgetattr(slave, &t))
		die("pseudo terminal:");
	t.c_iflag = t.c_oflag = t.c_lflag = 0;
	tcsetattr(slave, TCSANOW, &t);
	fcntl(master, F_SETFL, O_NONBLOCK);
	unlink(link_name);
	if (symlink(name, link_name))
		die("%s:", link_name);
	which->active = which->config;
	which->since = turn;
	return true;
}

static void close_terminal(struct modem *which)
{
	(void)which;
	close(master);
	close(slave);
	unlink(link_name);
	master = slave = -1;
}

/* False if the terminal takes no more now. */
static bool pump_terminal(void)
{
	static unsigned char s[512];
	static size_t n;

	for (;;) {
		ssize_t w;
		int got = n || !modem->active
				  ? NOTYET
				  : modem_in(modem, modem->active->itf[0].in.addr, s, sizeof s);

		if (got > 0)
			n = (size_t)got;
		if (!n)
			return true;
		w = write(master, s, n);
		if (w < 0)
			return false;
		n -= (size_t)w;
		memmove(s, s + w, n);
	}
}

static void read_terminal(void)
{
	unsigned char s[512];
	ssize_t n = read(master, s, sizeof s);

	if (n > 0)
		modem_out(modem, modem->active->itf[0].out.addr, s, (size_t)n);
}

static const struct host usb = { turn_ms, write_log, usbip_attach, usbip_detach, end, run_command };
static const struct host terminal = { turn_ms,        write_log, open_terminal,
				      close_terminal, end,       run_command };

static void on_signal(int sig)
{
	if (sig == SIGUSR1)
		cycle = 1;
	else
		term = 1;
}

static void pulled(const char *why)
{
	char line[40];

	snprintf(line, sizeof line, "unplug %s", why);
	write_log(modem, line);
	end(modem);
}

static void loop(const sigset_t *unblocked)
{
	while (!term) {
		bool room = link_name ? master < 0 || pump_terminal() : true;
		struct pollfd p = { .fd = link_name ? master : usbip_socket, .events = POLLIN };
		long long next = modem_due(modem), left = next - clock_ms();
		struct timespec wait = { .tv_sec = left > 0 ? left / 1000 : 0,
					 .tv_nsec = left > 0 ? left % 1000 * 1000000 : 0 };

		if (!room)
			p.events |= POLLOUT;
		int ready = ppoll(&p, 1, next ? &wait : NULL, unblocked);

		turn = clock_ms();
		if (ready > 0 && p.revents & (POLLIN | POLLHUP)) {
			if (link_name)
				read_terminal();
			else if (!usbip_read(modem))
				pulled("detached");
		}
		if (cycle) {
			cycle = 0;
			modem_replug(modem);
		}
		modem_tick(modem);
		if (!link_name)
			usbip_pump(modem);
	}
	pulled("term");
}

static _Noreturn void usage(void)
{
	fputs("usage: modem [-p port] [-c controller] [-s scale] [-l log] [-n nvfile] [-k line]... "
	      "[-P link] file\n",
	      stderr);
	exit(2);
}

struct options {
	unsigned port, controller, scale;
	const char *nvfile, *lines[100];
	size_t nlines;
};

static void read_option(struct options *o, int c)
{
	switch (c) {
	case 'p':
		o->port = (unsigned)strtoul(optarg, NULL, 10);
		break;
	case 'c':
		o->controller = (unsigned)strtoul(optarg, NULL, 10);
		break;
	case 's':
		o->scale = (unsigned)strtoul(optarg, NULL, 10);
		break;
	case 'n':
		o->nvfile = optarg;
		break;
	case 'k':
		if (o->nlines == LEN(o->lines))
			usage();
		o->lines[o->nlines++] = optarg;
		break;
	case 'P':
		link_name = optarg;
		break;
	case 'l':
		out = open(optarg, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
		if (out < 0)
			die("%s:", optarg);
		break;
	default:
		usage();
	}
}

static void make_modem(int argc, char **argv)
{
	static struct options o = { .scale = 100 };
	int c;

	while ((c = getopt(argc, argv, "p:c:s:l:n:k:P:")) != -1)
		read_option(&o, c);
	if (optind != argc - 1)
		usage();
	modem = modem_new(link_name ? &terminal : &usb, link_name, o.port, o.controller, o.scale);
	for (size_t i = 0; i < o.nlines; i++)
		modem_line(modem, o.lines[i]);
	modem_file(modem, argv[optind], o.nvfile);
}

int main(int argc, char **argv)
{
	static const int ours[] = { SIGTERM, SIGINT, SIGUSR1 };
	struct sigaction sa = { .sa_handler = on_signal };
	char line[4200];
	sigset_t set, before;

	start = turn = clock_ms();
	make_modem(argc, argv);
	sigemptyset(&set);
	for (size_t i = 0; i < LEN(ours); i++) {
		sigaddset(&set, ours[i]);
		sigaction(ours[i], &sa, NULL);
	}
	sigprocmask(SIG_BLOCK, &set, &before);
	signal(SIGCHLD, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	snprintf(line, sizeof line, "start %lld.%03d %s", start / 1000, (int)(start % 1000),
		 argv[argc - 1]);
	write_log(modem, line);
	modem_start(modem);
	loop(&before);
	return 0;
}
