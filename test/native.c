/* The whole program, natively, in many scenarios: test/world.h has the world that it runs in. */
#include "world.h"

/* One scenario, as a row of a table. */
struct scenario {
	const char *name, *arguments, *cmdline, *faults, *drivers;
	struct { const char *port; unsigned pid; uint32_t comp; } device[3];
	int status;
	const char *log;	  /* the writes, resets, flips; NULL: any */
	const char *says, *silent; /* what stderr or stdout must contain, and must not */
	int64_t least, most;	  /* ms that it may take; 0: any */
	int term_at;
};

static void play_scenario(const struct scenario *s)
{
	char name[100];
	struct outcome o;
	const char *left;

	if (getenv("ONLY") && !strstr(s->name, getenv("ONLY")))
		return;
	set_up(s->cmdline ? s->cmdline : "quiet\n", s->faults ? s->faults : "", s->drivers ? s->drivers : "serial");
	world.term_at = s->term_at;
	world.blind = !fault("netlink");
	world.first_process = fault("pid1");
	if (fault("kmsg"))
		make("", "dev/kmsg");
	if (fault("no-sys"))
		run_sh("rm -rf sys");
	if (fault("no-usb"))
		run_sh("rm -rf sys/bus/usb");
	if (fault("no-proc") || fault("pid1"))
		run_sh("rm -rf proc/self");
	if (fault("no-proc"))
		run_sh("rm -rf proc");
	if (fault("pid1-init"))
		make("", "init");
	if (fault("two")) {
		int fd = open("sys/bus/usb", O_RDONLY | O_CLOEXEC);

		flock(fd, LOCK_EX);
	}
	for (unsigned i = 0; i < 3 && s->device[i].port; i++)
		add_device(s->device[i].port, s->device[i].pid, s->device[i].comp);
	if (fault("exclusive"))
		ioctl(world.device[0].slave[AT_WIRE], TIOCEXCL);
	o = run_swflip(s->arguments);
	left = left_behind();
	snprintf(name, sizeof name, "native.%s", s->name);
	expect(!o.signalled && !o.late && o.status == s->status && (!s->log || !strcmp(world.log, s->log)) &&
	       (!s->says || strstr(world.err, s->says) || strstr(world.out, s->says)) &&
	       (!s->silent || (!strstr(world.err, s->silent) && !strstr(world.out, s->silent))) && world.took >= s->least &&
	       (!s->most || world.took <= s->most * SLOWER) && !left, name, "status %d%s, %lld ms, log %s, left %s; said: %.900s%.300s", o.status, o.late ? " (killed)" :
	       o.signalled ? " (crashed)" : "", (long long)world.took, world.log, left ? left : "nothing", world.err, world.out);
	if (getenv("SHOW"))
		fprintf(stderr, "%s\n%s%s%s\n", s->name, world.all, world.err, world.out);
	tear_down();
}

static const struct scenario scenarios[] = {
	/* the command line */
	{ .name = "help", .arguments = "-h", .says = "usage:", .faults = "no-sys no-proc" },
	{ .name = "version", .arguments = "-V", .says = "swflip ", .faults = "no-sys no-proc" },
	{ .name = "no-such-option", .arguments = "-Z", .status = 2, .says = "-Z" },
	{ .name = "not-an-option", .arguments = "mbim", .status = 2, .says = "mbim" },
	{ .name = "dash", .arguments = "-", .status = 2 },
	{ .name = "value-missing", .arguments = "-a 0 -t", .status = 2, .says = "-t" },
	{ .name = "bad-target", .arguments = "-t 9071", .status = 2, .says = "9071" },
	{ .name = "bad-target-second", .arguments = "-t mbim -t qmi+mbim", .status = 2, .says = "qmi+mbim" },
	{ .name = "bad-wait", .arguments = "-w 0 -t mbim", .status = 2, .says = "-w" },
	{ .name = "bad-appear", .arguments = "-a -1 -t mbim", .status = 2, .says = "-a" },
	{ .name = "bad-code", .arguments = "-c A71 -t mbim", .status = 2, .says = "-c" },
	{ .name = "bad-code-not-shown", .arguments = "-c A7!0secret -t mbim", .status = 2, .silent = "secret" },
	{ .name = "kernel-bad-target", .arguments = "", .cmdline = "swflip.target=0x0", .status = 2, .says = "0x0" },
	{ .name = "kernel-bad-wait", .arguments = "", .cmdline = "swflip.wait=1.5", .status = 2, .says = "1.5" },
	{ .name = "kernel-bad-appear", .arguments = "", .cmdline = "swflip.appear=x", .status = 2, .says = "swflip.appear" },
	{ .name = "kernel-bad-log", .arguments = "", .cmdline = "swflip.log=3", .status = 2, .says = "swflip.log" },
	{ .name = "kernel-bad-code", .arguments = "", .cmdline = "swflip.code=1", .status = 2, .says = "swflip.code" },
	{ .name = "kernel-overridden", .arguments = "-t off -w 5 -a 1 -c AAAA -q", .cmdline = "swflip.target=0x0 swflip.wait=x swflip.appear=x swflip.code=x swflip.log=x" },
	{ .name = "kernel-unknown", .arguments = "-t off", .cmdline = "swflip.nothing=1", .says = "swflip.nothing" },
	{ .name = "kernel-off", .arguments = "", .cmdline = "a swflip.target=off b", .faults = "no-sys" },
	{ .name = "off-with-a-modem", .arguments = "-t off", .device = { { "1-1", 0x68a2, 6 } }, .log = "", .most = 1500 },
	{ .name = "double-dash", .arguments = "-t off --" },
	{ .name = "flags-together", .arguments = "-qntoff" },
	{ .name = "empty-argument", .arguments = "-a 0", .status = 3 },
	/* what is missing */
	{ .name = "no-sys", .arguments = "-t mbim", .faults = "no-sys", .status = 2, .says = "mount" },
	{ .name = "no-usb", .arguments = "-t mbim -a 0", .faults = "no-usb", .status = 3, .says = "no USB" },
	{ .name = "no-proc", .arguments = "", .faults = "no-proc", .status = 2, .says = "proc/cmdline" },
	{ .name = "no-proc-with-target", .arguments = "-t mbim -a 0", .faults = "no-proc", .status = 3, .says = "proc/cmdline" },
	{ .name = "no-modem", .arguments = "-t mbim -a 0", .status = 3, .says = "no modem", .most = 1500 },
	{ .name = "no-modem-waited", .arguments = "-t mbim -a 1", .status = 3, .says = "no modem", .least = 950, .most = 2000 },
	{ .name = "no-modem-wait-is-less", .arguments = "-t mbim -a 9 -w 1", .status = 3, .least = 950, .most = 2000 },
	{ .name = "no-modem-netlink", .arguments = "-t mbim -a 1", .faults = "netlink", .status = 3, .least = 950, .most = 2000 },
	{ .name = "no-modem-at-the-port", .arguments = "-t 1-2:mbim -a 0", .device = { { "1-1", 0x68a2, 6 } }, .status = 3, .says = "1-2", .log = "" },
	{ .name = "list-none", .arguments = "-l", .status = 3 },
	{ .name = "closed", .arguments = "-t mbim -a 0", .faults = "closed", .status = 3 },
	{ .name = "closed-with-a-modem", .arguments = "-t mbim", .faults = "closed", .device = { { "1-1", 0x68a2, 6 } }, .log = "comp=8;reset;" },
	{ .name = "closed-out", .arguments = "-l", .faults = "closed-out", .device = { { "1-1", 0x68a2, 6 } }, .log = "" },
	{ .name = "broken-pipe", .arguments = "-t mbim", .faults = "broken-pipe", .device = { { "1-1", 0x68a2, 6 } }, .log = "comp=8;reset;" },
	/* right already */
	{ .name = "right", .arguments = "-t qmi", .device = { { "1-1", 0x68a2, 6 } }, .log = "", .says = "in mode qmi", .most = 1500 },
	{ .name = "right-modem", .arguments = "", .device = { { "1-1", 0x68a2, 6 } }, .log = "", .most = 1500 },
	{ .name = "right-number", .arguments = "-t 6", .device = { { "1-1", 0x68a2, 6 } }, .log = "" },
	{ .name = "right-no-at", .arguments = "-t mbim", .device = { { "1-1", 0x68a2, 9 } }, .log = "", .says = "no AT port" },
	{ .name = "right-quiet", .arguments = "-q -t qmi", .device = { { "1-1", 0x68a2, 6 } }, .log = "", .says = "in mode qmi" },
	/* the index dialect, over a tty */
	{ .name = "mbim", .arguments = "-t mbim", .device = { { "1-1", 0x68a2, 6 } }, .log = "comp=8;reset;", .says = "in mode mbim", .least = 140 },
	{ .name = "mbim-kernel", .arguments = "", .cmdline = "swflip.target=mbim swflip.appear=0\n", .device = { { "1-1", 0x68a2, 6 } }, .log = "comp=8;reset;" },
	{ .name = "mbim-verbose", .arguments = "-v -t mbim", .device = { { "1-1", 0x68a2, 6 } }, .log = "comp=8;reset;", .says = "****", .silent = "A710" },
	{ .name = "mbim-terminal", .arguments = "|-t mbim", .device = { { "1-1", 0x68a2, 6 } }, .log = "comp=8;reset;", .says = "in mode mbim" },
	{ .name = "mbim-direct-ip", .arguments = "-t mbim", .device = { { "1-1", 0x68a3, 3 } }, .log = "pid=68A2;comp=8;reset;" },
	{ .name = "number", .arguments = "-t 8", .device = { { "1-1", 0x68a2, 6 } }, .log = "comp=8;reset;" },
	{ .name = "number-2", .arguments = "-t 2", .device = { { "1-1", 0x68a3, 3 } }, .log = "comp=2;reset;" },
	{ .name = "bare", .arguments = "-t 9!", .device = { { "1-1", 0x68a2, 6 } }, .log = NULL, .says = "in mode 9!" },
	{ .name = "not-bare", .arguments = "-t 9", .device = { { "1-1", 0x68a2, 6 } }, .log = "", .status = 1, .says = "!" },
	{ .name = "not-listed", .arguments = "-t ecm", .device = { { "1-1", 0x68a2, 6 } }, .log = "", .status = 1, .says = "compositions 6,8,9,14" },
	{ .name = "pid-not-listed", .arguments = "-t 68E2/mbim", .device = { { "1-1", 0x68a2, 6 } }, .log = "", .status = 1, .says = "68A3,68AA,68A2" },
	{ .name = "bits-on-index", .arguments = "-t 0x100D", .device = { { "1-1", 0x68a2, 6 } }, .log = "", .status = 1 },
	{ .name = "echo", .arguments = "-t mbim", .faults = "echo", .device = { { "1-1", 0x68a2, 6 } }, .log = "comp=8;reset;" },
	{ .name = "no-final", .arguments = "-t mbim", .faults = "no-final", .device = { { "1-1", 0x68a2, 6 } }, .log = "comp=8;reset;" },
	{ .name = "stray", .arguments = "-t mbim", .faults = "stray", .device = { { "1-1", 0x68a2, 6 } }, .log = "comp=8;reset;" },
	{ .name = "trickle", .arguments = "-t mbim", .faults = "trickle", .device = { { "1-1", 0x68a2, 6 } }, .log = "comp=8;reset;" },
	{ .name = "deaf-first", .arguments = "-t mbim", .faults = "deaf", .device = { { "1-1", 0x68a2, 6 } }, .log = "comp=8;reset;" },
	{ .name = "flood", .arguments = "-t mbim", .faults = "flood", .device = { { "1-1", 0x68a2, 6 } }, .log = "", .status = 1 },
	{ .name = "code", .arguments = "-t mbim -c S3CRET -v", .faults = "code", .device = { { "1-1", 0x68a2, 6 } }, .log = "comp=8;reset;", .silent = "S3CRET" },
	{ .name = "code-refused", .arguments = "-t mbim", .faults = "code", .device = { { "1-1", 0x68a2, 6 } }, .log = "", .status = 1, .says = "unlock code" },
	{ .name = "silent", .arguments = "-t 8", .faults = "silent", .device = { { "1-1", 0x68a2, 3 } }, .log = "", .status = 1, .says = "does not answer", .most = 4000 },
	{ .name = "silent-deadline", .arguments = "-t mbim -w 1", .faults = "silent", .device = { { "1-1", 0x68a2, 3 } }, .status = 1, .most = 2100 },
	{ .name = "exclusive", .arguments = "-t mbim", .faults = "exclusive", .device = { { "1-1", 0x68a2, 6 } }, .log = "", .status = 1, .says = "another process" },
	{ .name = "write-lost", .arguments = "-t mbim", .faults = "write-lost", .device = { { "1-1", 0x68a2, 6 } }, .log = "comp=8;", .status = 1 },
	{ .name = "write-differs", .arguments = "-t mbim", .faults = "write-differs", .device = { { "1-1", 0x68a2, 6 } }, .log = "comp=8;comp=6;", .status = 1, .says = "what was found is stored" },
	{ .name = "write-error", .arguments = "-t mbim", .faults = "write-error", .device = { { "1-1", 0x68a2, 6 } }, .log = "comp=8;reset;" },
	{ .name = "ignored", .arguments = "-t mbim", .faults = "ignored", .device = { { "1-1", 0x68a2, 6 } }, .log = "comp=8;reset;comp=6;", .status = 1, .says = "does not reset" },
	{ .name = "gone", .arguments = "-t mbim -w 2", .faults = "gone", .device = { { "1-1", 0x68a2, 6 } }, .log = "comp=8;reset;", .status = 1, .says = "did not come back", .most = 3100 },
	{ .name = "back-boot", .arguments = "-t mbim", .faults = "back-boot", .device = { { "1-1", 0x68a2, 6 } }, .log = "comp=8;reset;", .status = 1, .says = "boot loader" },
	{ .name = "back-foreign", .arguments = "-t mbim", .faults = "back-foreign", .device = { { "1-1", 0x68a2, 6 } }, .log = "comp=8;reset;", .status = 1, .says = "0951" },
	{ .name = "back-vid", .arguments = "-t mbim", .faults = "back-vid", .device = { { "1-1", 0x68a2, 6 } }, .log = "comp=8;reset;", .says = "0f3d:68a2" },
	{ .name = "back-storage", .arguments = "-t mbim", .faults = "back-storage", .device = { { "1-1", 0x68a2, 6 } }, .log = "comp=8;reset;swoc=1;" },
	{ .name = "back-on-peer", .arguments = "-t mbim", .faults = "peer", .device = { { "1-1", 0x68a2, 6 } }, .log = "comp=8;reset;", .says = "in mode mbim" },
	{ .name = "peer-target", .arguments = "-t 2-1:mbim", .faults = "peer", .device = { { "1-1", 0x68a2, 6 } }, .log = "comp=8;reset;" },
	{ .name = "crash", .arguments = "-t mbim -w 8", .faults = "crash", .device = { { "1-1", 0x68a2, 6 } }, .log = "comp=8;reset;", .status = 1, .says = "again and again" },
	{ .name = "mute-after", .arguments = "-t 8", .faults = "mute-after", .device = { { "1-1", 0x68a2, 6 } }, .log = "comp=8;reset;claim;release;connect;", .says = "in mode 8" },
	{ .name = "second-port", .arguments = "-t 8", .faults = "password", .device = { { "1-1", 0x68a3, 3 } }, .log = "", .status = 1 },
	{ .name = "second-port-68a2", .arguments = "-t mbim", .faults = "password", .device = { { "1-1", 0x68a3, 3 } }, .log = "pid=68A2;comp=8;reset;" },
	{ .name = "barred", .arguments = "-t mbim", .faults = "barred", .device = { { "1-1", 0x68a2, 6 } }, .log = "", .status = 1, .says = "authorized" },
	/* stopped */
	{ .name = "term-at-write", .arguments = "-t mbim", .faults = "term-at-write", .device = { { "1-1", 0x68a3, 3 } }, .log = "pid=68A2;pid=68A3;", .status = 1, .says = "stopped" },
	{ .name = "term-early", .arguments = "-t mbim", .term_at = 1, .device = { { "1-1", 0x68a2, 6 } }, .log = "", .status = 1, .says = "stopped" },
	{ .name = "term-at-question", .arguments = "-t mbim", .term_at = 4, .device = { { "1-1", 0x68a2, 6 } }, .log = "", .status = 1 },
	{ .name = "late", .arguments = "-t mbim -w 1", .faults = "slow", .device = { { "1-1", 0x68a2, 6 } }, .log = "", .status = 1, .says = "no time left", .most = 2100 },
	/* configurations */
	{ .name = "select-1", .arguments = "-t qmi", .device = { { "1-1", 0x68a2, 14 } }, .log = "config=1;" },
	{ .name = "select-none", .arguments = "-t mbim", .device = { { "1-1", 0x68a2, 14 } }, .log = "" },
	{ .name = "select-modem-1", .arguments = "-t modem@1", .device = { { "1-1", 0x68a2, 14 } }, .log = "config=1;" },
	{ .name = "select-3", .arguments = "-t mbim@3", .device = { { "1-1", 0x68a2, 14 } }, .log = "config=1;config=2;", .status = 1, .says = "configurations 1,2" },
	{ .name = "select-fails", .arguments = "-t qmi", .faults = "config-fails", .device = { { "1-1", 0x68a2, 14 } }, .log = "config=1;", .status = 1, .says = "configuration" },
	{ .name = "select-number", .arguments = "-t 14@1", .device = { { "1-1", 0x68a2, 6 } }, .log = "comp=E;reset;claim;release;connect;config=1;" },
	{ .name = "leave-dual", .arguments = "-t 8", .device = { { "1-1", 0x68a2, 14 } }, .log = "config=1;comp=8;reset;" },
	/* TRU-Install */
	{ .name = "flip", .arguments = "", .faults = "truinstall", .device = { { "1-1", 0x68a3, 3 } }, .log = "swoc=1;", .says = "in mode modem" },
	{ .name = "flip-stall", .arguments = "", .faults = "truinstall swoc-stall", .device = { { "1-1", 0x68a3, 3 } }, .log = "swoc=1;" },
	{ .name = "flip-third", .arguments = "", .faults = "truinstall third-flip swocinfo-short", .device = { { "1-1", 0x68a3, 3 } }, .log = "swoc=1;swoc=1;port-reset;swoc=1;" },
	{ .name = "flip-stuck", .arguments = "", .faults = "truinstall stuck", .device = { { "1-1", 0x68a3, 3 } }, .log = "swoc=1;swoc=1;port-reset;swoc=1;", .status = 1, .says = "storage" },
	{ .name = "flip-by-kernel-not", .arguments = "", .faults = "truinstall", .drivers = "serial storage", .device = { { "1-1", 0x68a3, 3 } }, .log = "swoc=1;", .least = 150 },
	{ .name = "whole-story", .arguments = "-t mbim", .faults = "truinstall back-storage", .device = { { "1-1", 0x68a3, 3 } }, .log = "swoc=1;pid=68A2;comp=8;reset;swoc=1;" },
	{ .name = "flip-by-kernel", .arguments = "", .faults = "truinstall kernel-flips", .drivers = "serial storage", .device = { { "1-1", 0x68a3, 3 } }, .log = "",
	  .says = "usb-storage" },
	{ .name = "flip-open-fails", .arguments = "-w 3", .faults = "truinstall garbage", .device = { { "1-1", 0x68a3, 3 } }, .log = "", .status = 1 },
	/* numbers that are given again, nodes that are not there */
	{ .name = "elsewhere", .arguments = "-t mbim", .faults = "elsewhere", .device = { { "1-1", 0x68a2, 6 } }, .log = "", .status = 1, .silent = "has PID" },
	{ .name = "elsewhere-storage", .arguments = "", .faults = "truinstall elsewhere", .device = { { "1-1", 0x68a3, 3 } }, .log = "", .status = 1 },
	{ .name = "garbage", .arguments = "-t mbim", .faults = "garbage", .device = { { "1-1", 0x68a2, 6 } }, .log = "", .status = 1 },
	/* uevents */
	{ .name = "uevents", .arguments = "-t mbim", .faults = "uevents netlink", .device = { { "1-1", 0x68a2, 6 } }, .log = "comp=8;reset;" },
	{ .name = "uevents-overrun", .arguments = "-t mbim", .faults = "uevents netlink overrun", .device = { { "1-1", 0x68a2, 6 } }, .log = "comp=8;reset;" },
	{ .name = "uevents-no-bind", .arguments = "-t mbim", .faults = "bind-fails netlink", .device = { { "1-1", 0x68a2, 6 } }, .log = "comp=8;reset;" },
	/* children that do not end by themselves */
	{ .name = "hang", .arguments = "-t 8 -w 1", .drivers = "none", .faults = "hang", .device = { { "1-1", 0x68a2, 6 } }, .log = "", .status = 1, .least = 900, .most = 2000,
	  .says = "no time left" },
	{ .name = "hang-silence", .arguments = "-t 8 -w 9", .drivers = "none", .faults = "hang", .device = { { "1-1", 0x68a2, 6 } }, .log = "", .status = 1, .most = 4000 },
	{ .name = "oops", .arguments = "-t 8", .drivers = "none", .faults = "oops", .device = { { "1-1", 0x68a2, 6 } }, .log = "", .status = 1, .says = "too early" },
	/* usbfs */
	{ .name = "usbfs", .arguments = "-t mbim", .drivers = "none", .device = { { "1-1", 0x68a2, 6 } }, .log = "claim;dtr=3;comp=8;reset;" },
	{ .name = "usbfs-answers", .arguments = "-t 6", .drivers = "none", .device = { { "1-1", 0x68a2, 6 } }, .log = "claim;dtr=3;release;connect;" },
	{ .name = "usbfs-trickle", .arguments = "-t 6", .drivers = "none", .faults = "trickle", .device = { { "1-1", 0x68a2, 6 } }, .log = "claim;dtr=3;release;connect;" },
	{ .name = "usbfs-stall", .arguments = "-t 6", .drivers = "none", .faults = "in-stall", .device = { { "1-1", 0x68a2, 6 } }, .log = "claim;dtr=3;release;connect;" },
	{ .name = "usbfs-out-stuck", .arguments = "-t 8 -w 4", .drivers = "none", .faults = "out-stuck", .device = { { "1-1", 0x68a2, 3 } }, .status = 1, .most = 5100 },
	{ .name = "usbfs-held", .arguments = "-t 6", .drivers = "none", .faults = "held", .device = { { "1-1", 0x68a2, 6 } }, .log = "", .status = 1, .says = "another process" },
	{ .name = "usbfs-no-claim", .arguments = "-t 8", .drivers = "none", .faults = "no-claim", .device = { { "1-1", 0x68a2, 3 } }, .log = "", .status = 1 },
	{ .name = "usbfs-silent", .arguments = "-t 8 -w 3", .drivers = "none", .faults = "silent", .device = { { "1-1", 0x68a2, 3 } }, .status = 1, .most = 4100 },
	{ .name = "usbfs-gone", .arguments = "-t mbim -w 2", .drivers = "none", .faults = "gone", .device = { { "1-1", 0x68a2, 6 } }, .log = "claim;dtr=3;comp=8;reset;", .status = 1 },
	/* QMI and MBIM */
	{ .name = "mbim-wire", .arguments = "-t 8", .drivers = "none", .device = { { "1-1", 0x68a2, 9 } }, .log = NULL, .says = "in mode 8" },
	{ .name = "mbim-wire-number", .arguments = "-t 9", .drivers = "none", .device = { { "1-1", 0x68a2, 9 } }, .log = "claim;release;connect;" },
	{ .name = "mbim-wdm", .arguments = "-t qmi", .drivers = "serial wdm", .device = { { "1-1", 0x68a2, 9 } }, .log = "comp=6;mode=3;mode=4;reset;" },
	{ .name = "mbim-no-tunnel", .arguments = "-t qmi", .drivers = "serial wdm", .faults = "no-tunnel", .device = { { "1-1", 0x68a2, 9 } }, .log = "", .status = 1 },
	{ .name = "mbim-silent", .arguments = "-t qmi", .drivers = "serial wdm", .faults = "qmi-silent", .device = { { "1-1", 0x68a2, 9 } }, .log = "", .status = 1 },
	{ .name = "qmi-wire", .arguments = "-t mbim", .drivers = "none", .faults = "silent", .device = { { "1-1", 0x68a2, 6 } }, .log = NULL, .says = "in mode mbim" },
	{ .name = "qmi-wdm", .arguments = "-t 8", .drivers = "serial wdm", .faults = "silent", .device = { { "1-1", 0x68a2, 6 } }, .log = "comp=8;mode=3;mode=4;reset;" },
	{ .name = "qmi-not-offered", .arguments = "-t ecm", .drivers = "serial wdm", .faults = "silent", .device = { { "1-1", 0x68a2, 6 } }, .log = "", .status = 1 },
	/* bitmasks */
	{ .name = "mask", .arguments = "-t mbim", .faults = "mask", .device = { { "1-1", 0x9071, 0x10d } }, .log = "comp=100D;reset;" },
	{ .name = "mask-right", .arguments = "-t 0x10D", .faults = "mask", .device = { { "1-1", 0x9071, 0x10d } }, .log = "" },
	{ .name = "mask-number", .arguments = "-t 8", .faults = "mask", .device = { { "1-1", 0x9071, 0x10d } }, .log = "comp=100D;reset;" },
	{ .name = "mask-differs", .arguments = "-t 0x100D", .faults = "mask write-differs", .device = { { "1-1", 0x9071, 0x10d } }, .log = "comp=100D;comp=10D;", .status = 1 },
	{ .name = "mask-no-bit", .arguments = "-t net", .faults = "mask", .device = { { "1-1", 0x9071, 0x10d } }, .log = "", .status = 1 },
	{ .name = "mask-not-listed", .arguments = "-t ecm", .faults = "mask", .device = { { "1-1", 0x9071, 0x10d } }, .log = "", .status = 1, .says = "bits 110D" },
	/* dry runs */
	{ .name = "dry", .arguments = "-n -t mbim", .device = { { "1-1", 0x68a2, 6 } }, .log = "", .says = "composition 8" },
	{ .name = "dry-pid", .arguments = "-n -t mbim", .device = { { "1-1", 0x68a3, 3 } }, .log = "", .says = "68A2" },
	{ .name = "dry-flip", .arguments = "-n -t mbim", .faults = "truinstall", .device = { { "1-1", 0x68a3, 3 } }, .log = "", .says = "storage" },
	{ .name = "dry-select", .arguments = "-n -t qmi", .device = { { "1-1", 0x68a2, 14 } }, .log = "", .says = "configuration 1" },
	{ .name = "dry-refused", .arguments = "-n -t ecm", .device = { { "1-1", 0x68a2, 6 } }, .log = "", .status = 1 },
	{ .name = "dry-mask", .arguments = "-n -t mbim", .faults = "mask", .device = { { "1-1", 0x9071, 0x10d } }, .log = "", .says = "100D" },
	{ .name = "dry-dual", .arguments = "-n -t 8", .device = { { "1-1", 0x68a2, 14 } }, .log = "", .says = "configuration 1" },
	/* lists */
	{ .name = "list", .arguments = "-l", .device = { { "1-1", 0x68a2, 6 } }, .log = "", .says = "1-1\t1199:68a2\tmodem\tat(qcserial)" },
	{ .name = "list-offer", .arguments = "-l", .device = { { "1-1", 0x68a2, 6 } }, .log = "", .says = "ttyUSB3\tPID 68A2 composition 6\t" },
	{ .name = "list-usbfs", .arguments = "-l", .drivers = "none", .device = { { "1-1", 0x68a2, 6 } }, .says = "\tusbfs\tPID 68A2 composition 6\t" },
	{ .name = "list-mask", .arguments = "-l", .faults = "mask", .device = { { "1-1", 0x9071, 0x10d } }, .log = "", .says = "bits 10D" },
	{ .name = "list-bad-word", .arguments = "-l", .cmdline = "swflip.target=9071", .device = { { "1-1", 0x68a2, 6 } }, .log = "", .says = "\tmodem\t" },
	{ .name = "list-storage", .arguments = "-l", .faults = "truinstall", .device = { { "1-1", 0x68a3, 3 } }, .log = "", .says = "\tstorage\tms(-)\t-\t-\t-" },
	{ .name = "list-locked", .arguments = "-l", .faults = "code", .device = { { "1-1", 0x68a2, 6 } }, .log = "", .says = "unlock code" },
	{ .name = "list-barred", .arguments = "-l", .faults = "barred", .device = { { "1-1", 0x68a2, 6 } }, .log = "", .says = "unauthorized" },
	{ .name = "list-two", .arguments = "-l", .device = { { "1-1", 0x68a2, 9 }, { "1-2", 0x68a3, 3 } }, .says = "1-2\t1199:68a3" },
	/* the kernel's log */
	{ .name = "kmsg", .arguments = "-k -v -t mbim", .faults = "kmsg", .device = { { "1-1", 0x68a2, 6 } }, .log = "comp=8;reset;", .says = "<30>swflip: 1-1: 1199:68a2 in mode mbim",
	  .silent = "AT!" },
	{ .name = "kmsg-error", .arguments = "-k -a 0 -t mbim", .faults = "kmsg", .status = 3, .says = "<27>swflip: no modem" },
	{ .name = "kmsg-none", .arguments = "-k -t qmi", .device = { { "1-1", 0x68a2, 6 } }, .says = "in mode qmi" },
	/* several */
	{ .name = "two-modems", .arguments = "-t 1-1:mbim -t 1-2:off -t 1-3:6", .device = { { "1-1", 0x68a2, 6 }, { "1-2", 0x68a2, 6 }, { "1-3", 0x68a2, 6 } }, .log = "comp=8;reset;" },
	{ .name = "one-bad", .arguments = "-t 1-1:ecm -t 1-3:6", .device = { { "1-1", 0x68a2, 6 }, { "1-3", 0x68a2, 6 } }, .log = "", .status = 1, .says = "in mode 1-3:6" },
	{ .name = "later-target", .arguments = "-t 9 -t 6", .device = { { "1-1", 0x68a2, 6 } }, .log = "" },
	{ .name = "two-runs", .arguments = "-t 8 -w 1", .faults = "two", .device = { { "1-1", 0x68a2, 6 } }, .log = "", .status = 1, .says = "another swflip", .most = 2000 },
	{ .name = "terminal-waits", .arguments = "|-t 1-9:mbim -a 3", .status = 3, .says = "s left", .least = 2900, .most = 3500 },
	/* process 1 */
	{ .name = "pid1", .arguments = "splash single", .cmdline = "swflip.target=mbim swflip.appear=0 swflip.init=/bin/true", .faults = "pid1 exec", .device = { { "1-1", 0x68a2, 6 } },
	  .log = "comp=8;reset;", .status = 77, .says = "exec /bin/true splash" },
	{ .name = "pid1-refused", .arguments = "", .cmdline = "swflip.target=0x0", .faults = "pid1 exec", .status = 77, .says = "exec /" },
	{ .name = "pid1-mounts", .arguments = "", .cmdline = "swflip.target=off", .faults = "pid1 exec mount", .status = 77, .says = "mount sysfs on sys" },
	{ .name = "pid1-no-init", .arguments = "", .cmdline = "swflip.target=off", .faults = "pid1", .status = 2, .says = "exec /sbin/init" },
};

/* They mostly wait, so many go side by side. */
int main(void)
{
	enum { WORKERS = 8 };
	FILE *out[WORKERS];
	int status, failed = 0;
	char line[2000];

	signal(SIGPIPE, SIG_IGN);
	for (unsigned w = 0; w < WORKERS; w++) {
		fflush(stdout);
		if (!(out[w] = tmpfile()))
			return 1;
		if (fork())
			continue;
		dup2(fileno(out[w]), 1);
		for (unsigned i = w; i < LEN(scenarios); i += WORKERS)
			play_scenario(&scenarios[i]);
		exit(finish());
	}
	for (unsigned w = 0; w < WORKERS; w++)
		if (wait(&status) < 0 || status)
			failed = 1;
	for (unsigned w = 0; w < WORKERS; w++)
		for (rewind(out[w]); fgets(line, sizeof line, out[w]);)
			fputs(line, stdout);
	return failed;
}
