/* The whole program, fuzzed: which modem, with which target, drivers and faults, and what is
 * wrong with its bytes, whenever swflip's side of a wire has some. No bytes at all are a good
 * day. What must hold on any day is held to by must(): it ends in time, without a crash, never
 * writes what is not listed, resets twice at most, leaves nothing behind; and after a run whose
 * bytes were all honest 0 means what it says.
 *
 * FUZZ=modem test/fuzz, or test/build/t-fuzz-modem, which plays test/corpus/modem again;
 * FUZZ_SHOW=1 prints what is said. */
#define _GNU_SOURCE
#include "replay.h"
#include "world/world.h"

#include <signal.h>

#define LEN(x) (sizeof(x) / sizeof *(x))

static const char *const files[] = { "mc7710", "330u",      "mc7455",  "em7565",     "no-at",
				     "mbim9",  "340u",      "em9191",  "hs2300",     "gobi",
				     "em7355", "em7355-14", "netgear", "mc7710-old", "em7565-90b1",
				     "rc7620", "683c",      "qdl" };
static const char *const targets[] = { "mbim",   "qmi",     "8",      "6",    "9!",        "14",
				       "0x100D", "modem",   "at+qmi", "net",  "68A2/mbim", "ecm",
				       "mbim@2", "qmi+ecm", "nmea",   "0x10D" };
static const char *const knobs[] = { "",
				     "reset ignored",
				     "back gone",
				     "back boot:300",
				     "back tru",
				     "back port:15",
				     "busy 3000",
				     "deaf 9000",
				     "trickle 3:1",
				     "echo double",
				     "eol crcrlf",
				     "stray",
				     "nak 3",
				     "port 3:silent",
				     "port 3:password",
				     "forgets comp",
				     "again 3000",
				     "write-lost *",
				     "write-error *",
				     "unlock S3CRET;locked both",
				     "mbim-fragment 64",
				     "qmi-not-ready 5000",
				     "qmi-running",
				     "qmi-noclient",
				     "qmi-slow 900",
				     "slow 900",
				     "swoc stall",
				     "swocinfo silent",
				     "flips 3",
				     "truinstall always",
				     "crash 8",
				     "select-leaves 700",
				     "list-lag",
				     "flat" };
static const char *const faults[] = { "",
				      "nonetlink",
				      "overrun",
				      "lock",
				      "nosignalfd",
				      "latepeer",
				      "bind-fails",
				      "no=/dev/ttyUSB*",
				      "elsewhere",
				      "nobind",
				      "wdm-error=1",
				      "hang=/dev/bus/usb/*",
				      "hang=/dev/ttyUSB*",
				      "stderr=full",
				      "config-fails",
				      "barred" };
static const char *const drivers[] = { ALL_DRIVERS, "", "sierra qcserial", "usb-storage" };

static const uint8_t *bytes;
static size_t left;
static bool spoilt; /* some bytes were not the modem's */

static unsigned choose(size_t n)
{
	unsigned c;

	if (!left)
		return 0;
	c = *bytes++;
	left--;
	return (unsigned)(c % n);
}

/* What came from a modem, on its way to swflip. */
static size_t garble(uint8_t *data, size_t n)
{
	unsigned how = choose(8), at = n ? choose(256) % (unsigned)n : 0;

	if (how < 4 || !n)
		return n;
	spoilt = true;
	switch (how) {
	case 4: /* cut */
		return at;
	case 5:
		data[at] ^= (uint8_t)(1u << choose(8));
		break;
	case 6:
		data[at] = (uint8_t)choose(256);
		break;
	default: /* replaced, as long as there are bytes */
		for (size_t i = at; i < n && left; i++)
			data[i] = (uint8_t)choose(256);
	}
	return n;
}

static unsigned count(const char *log, const char *word)
{
	unsigned n = 0;

	for (const char *p = log; (p = strstr(p, word)); p++)
		n += p == log || p[-1] == '\n';
	return n;
}

static void judge(const struct outcome *o, struct device *d, const char *target, const char *fault_)
{
	const char *log = world_log(d), *what = world_left_behind();

	must(!o->signal, "it was killed");
	must(!o->hung, "it does not end");
	must(!o->spun, "it spins");
	must(o->took <= 46100, "it ends late");
	must(o->status >= 0 && o->status <= 3, "there is no such status");
	must(count(log, "reset ") <= 2, "three resets");
	must(count(log, "write ") <= 6, "too many writes");
	must(spoilt || !count(log, "unlisted "), "something unlisted was written");
	must(!strstr(o->err, "A710"), "the code is shown");
	if (!spoilt && !o->status && (!strcmp(target, "mbim") || !strcmp(target, "qmi")) &&
	    !*fault_)
		must(modem_shows(world_modem(d), target) ||
			     (!strcmp(target, "qmi") && modem_shows(world_modem(d), "rmnet1")),
		     "it is not there");
	if (strstr(fault_, "hang") || (what && !strcmp(what, "a process")))
		return;
	/* nobody can release a client whose number was in an answer that was spoilt or lost */
	if ((spoilt || strstr(fault_, "wdm-error")) && what && strstr(what, "QMI"))
		return;
	must(!what, what);
}

static int fuzz_modem(const uint8_t *data, size_t size)
{
	char arguments[60], both[200];
	const char *file, *target, *fault_;
	const struct outcome *o;
	struct device *d;

	bytes = data;
	left = size;
	spoilt = false;
	file = files[choose(LEN(files))];
	target = targets[choose(LEN(targets))];
	fault_ = faults[choose(LEN(faults))];
	snprintf(both, sizeof both, "%s;%s", knobs[choose(LEN(knobs))], knobs[choose(LEN(knobs))]);
	world_new(drivers[choose(LEN(drivers))], fault_, NULL);
	world_garble = NULL;
	d = world_plug("1-1", file, both, choose(4) == 3 ? 3000 : 0);
	if (choose(4) == 3)
		world_signal(SIGTERM, choose(256) * 100, NULL);
	world_garble = garble;
	snprintf(arguments, sizeof arguments, "-v -w 45 -t %s", target);
	o = world_run(arguments, 100);
	world_garble = NULL;
	if (getenv("FUZZ_SHOW"))
		fprintf(stderr, "%s, %s, %s, %s: status %d, %lld ms\n%s%s", file, both, fault_,
			target, o->status, (long long)o->took, o->err, world_log(d));
	judge(o, d, target, fault_);
	world_end();
	return 0;
}

const struct fuzzer fuzzers[] = { { "modem", fuzz_modem }, { NULL, NULL } };
