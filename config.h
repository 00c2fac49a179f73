/* swflip's knobs. Edit here, or leave the file alone and say it to make: make CPPFLAGS='-DTARGET=mbim -DAPPEAR=20'.
 * The kernel's command line (swflip.target= and so on) beats what is compiled in, an option beats both.
 * Every time in milliseconds ends in _MS. Everything is rebuilt when this file changes. */

/* The words of a knob as text, so that nobody has to quote them for make and the shell. */
#define STR_(words) #words
#define STR(words)  STR_(words)

/* ---- what a site sets ---- */

/* Wanted mode, or several divided by blanks (1-1.2:mbim 1-1.3:qmi); the grammar is in swflip(8). "modem" only leaves
 * TRU-Install storage and writes nothing to a modem. An image for one kind of board sets what that board needs. */
#ifndef TARGET
#define TARGET modem
#endif

/* Unlock code of AT!ENTERCND, 4 to 15 of [0-9A-Za-z]. A710 is the common factory default; only an operator's or an
 * OEM's modem has another. Whoever can read the image can read the code. */
#ifndef CODE
#define CODE A710
#endif

/* Seconds to wait for a first modem, 0 = look once. Long enough for the host controller's driver and the modem's own
 * boot. A machine without a modem is held up by this long where the hook waits for swflip. */
#ifndef APPEAR
#define APPEAR 10
#endif

/* Seconds for everything, from the start of the program; it ends one second later at the latest. Public tools allow a
 * reset 120. Shorter than whatever else in the image gives up (dracut: rd.retry, 180). */
#ifndef WAIT
#define WAIT 120
#endif

/* ---- times: change them for a modem that was measured to need it ---- */

/* A modem to which nothing was written is given up after so long without an answer. */
#ifndef SILENCE_MS
#define SILENCE_MS 30000
#endif

/* How long a modem must stay after a composition was written: one that crashes in its composition was seen to live 5.3 s. */
#ifndef STAY_MS
#define STAY_MS 6000
#endif

/* A boot loader on the port is watched this long: it flashes by in 0.03 s, or stays for good. */
#ifndef BOOT_MS
#define BOOT_MS 10000
#endif

/* Where the usb-storage driver is present it asks a TRU-Install stick to leave by itself: the time that it is given. */
#ifndef KERNEL_FLIP_MS
#define KERNEL_FLIP_MS 4000
#endif

/* From SetSwocMode to the stick's disconnect; up to 3 s were seen. */
#ifndef FLIP_MS
#define FLIP_MS 4000
#endif

/* From the answer to a reset to the modem's disconnect. Longer means that it did not reset. */
#ifndef LEAVE_MS
#define LEAVE_MS 15000
#endif

/* A serial driver makes its tty this long after the interface, or not at all; 0.14 s were seen. */
#ifndef TTY_MS
#define TTY_MS 500
#endif

/* The longest wait for one answer, AT or QMI. Reads take milliseconds, writes to flash seconds. */
#ifndef ANSWER_MS
#define ANSWER_MS 5000
#endif

/* An answer that has begun but has no final result is over after so long without a byte. */
#ifndef QUIET_MS
#define QUIET_MS 700
#endif

/* A first question that is not answered is asked again after so long: modems are deaf in their first seconds. */
#ifndef RETRY_MS
#define RETRY_MS 500
#endif

/* An AT port that answers nothing is left for MBIM or QMI after so long, where the modem has one of them. */
#ifndef DEAF_MS
#define DEAF_MS 15000
#endif

/* No write begins with less left than this: enough to write, read back and put back. */
#ifndef MARGIN_MS
#define MARGIN_MS 5000
#endif

/* One control transfer, GetSwocInfo and SetSwocMode among them; usb_modeswitch and usbmode use the same. */
#ifndef CONTROL_MS
#define CONTROL_MS 1000
#endif

/* ---- bounds against a modem that does not settle ---- */

/* Flips in one run: a stick that is told to keep TRU-Install comes back as storage after every reset. */
#ifndef FLIPS
#define FLIPS 4
#endif

/* Times that a modem may leave the bus unasked before it is reported as crashing. */
#ifndef LOSSES
#define LOSSES 3
#endif

/* Modems watched in one run. Each costs 1 KiB of memory. */
#ifndef SLOTS
#define SLOTS 32
#endif

/* ---- paths: for tests, and for a system that mounts them elsewhere ---- */

#ifndef SYS
#define SYS "/sys"
#endif
#ifndef PROC
#define PROC "/proc"
#endif
#ifndef DEV
#define DEV "/dev"
#endif

/* ---- the words of the tables below ---- */

enum function_kind { AT, DM, NMEA, QMI, MBIM, NET, ECM, MS, FUNCTIONS, SPARE = FUNCTIONS };
enum layout {
	SWI = 1,
	DIRECT = 2,
	GOBI = 4
}; /* how interfaces are numbered: Sierra's, Direct IP's, Gobi's way */
enum needs { BULK = 1, INTERRUPT = 2 };            /* endpoints: a bulk pair, an interrupt IN */
enum kind { GONE, FOREIGN, STORAGE, MODEM, BOOT }; /* what a device is; BOOT: a boot loader */
enum {
	ANY = 0x100,
	ANY_PID = 0xffff,
	VENDOR = 0xff,
	NETS = BIT(QMI) | BIT(MBIM) | BIT(NET) | BIT(ECM),
	UNKNOWN = -1
};

/* ---- what is a modem ---- */

/* Whose USB devices are modems, the first row that fits. 1199, 0f3d (MC7700, AirCard) and 114f (MC7750) make nothing else,
 * but for the EM7345, an Intel modem with commands of its own. Of makers that sell other things under the same number (Dell,
 * HP, NETGEAR) these products only; add yours as lsusb prints it. STORAGE is TRU-Install, when there is an 08/06/50 interface. */
static const struct {
	uint16_t vid, pid, kind;
} devices[] = {
	{ 0x1199, 0xa001, FOREIGN }, { 0x1199, 0x0fff, STORAGE }, { 0x0846, 0x0fff, STORAGE },
	{ 0x1199, ANY_PID, MODEM },  { 0x0f3d, ANY_PID, MODEM },  { 0x114f, ANY_PID, MODEM },
	{ 0x413c, 0x8185, MODEM },   { 0x413c, 0x8186, MODEM },   { 0x413c, 0x8193, MODEM },
	{ 0x413c, 0x8194, MODEM },   { 0x413c, 0x81a2, MODEM },   { 0x413c, 0x81a3, MODEM },
	{ 0x413c, 0x81a4, MODEM },   { 0x413c, 0x81a6, MODEM },   { 0x413c, 0x81a8, MODEM },
	{ 0x413c, 0x81a9, MODEM },   { 0x413c, 0x81b1, MODEM },   { 0x413c, 0x81b3, MODEM },
	{ 0x413c, 0x81b5, MODEM },   { 0x413c, 0x81b6, MODEM },   { 0x413c, 0x81c2, MODEM },
	{ 0x413c, 0x81cb, MODEM },   { 0x413c, 0x81cc, MODEM },   { 0x413c, 0x81cf, MODEM },
	{ 0x413c, 0x81d0, MODEM },   { 0x413c, 0x81d1, MODEM },   { 0x413c, 0x81d2, MODEM },
	{ 0x413c, 0x81d7, MODEM },   { 0x413c, 0x81e0, MODEM },   { 0x413c, 0x8217, MODEM },
	{ 0x413c, 0x8218, MODEM },   { 0x03f0, 0x1b1d, MODEM },   { 0x03f0, 0x1e1d, MODEM },
	{ 0x03f0, 0x211d, MODEM },   { 0x03f0, 0x4e1d, MODEM },   { 0x0846, 0x68a2, MODEM },
	{ 0x0846, 0x68d3, MODEM },   { 0x0846, 0x68e0, MODEM },   { 0x0846, 0x68e1, MODEM },
	{ 0x0846, 0x68e2, MODEM },
};

/* Product IDs of boot loaders (QDL), when there is a single vendor interface. */
static const uint16_t boot[] = {
	0x68a4, 0x68a8, 0x68e0, 0x81a6, 0x81b5, 0x81cb, 0x9010, 0x9012, 0x9014, 0x9018,
	0x901e, 0x9062, 0x9070, 0x9078, 0x907a, 0x9090, 0x90b0, 0x90d2, 0x90e4, 0xc080,
};

/* ---- which interface is what ---- */

/* Modems that do not number their interfaces as the others do. */
static const struct {
	uint16_t pid;
	uint8_t layout;
} layouts[] = {
	{ 0x68a3, DIRECT }, { 0x68aa, DIRECT }, { 0x68a5, GOBI }, { 0x68a9, GOBI },
	{ 0x8186, GOBI },   { 0x8194, GOBI },   { 0x9000, GOBI }, { 0x9001, GOBI },
	{ 0x9002, GOBI },   { 0x9003, GOBI },   { 0x9004, GOBI }, { 0x9005, GOBI },
	{ 0x9006, GOBI },   { 0x9007, GOBI },   { 0x9008, GOBI }, { 0x9009, GOBI },
	{ 0x900a, GOBI },   { 0x9011, GOBI },   { 0x9013, GOBI }, { 0x9015, GOBI },
	{ 0x9019, GOBI },   { 0x901b, GOBI },
};

/* A function is known by its interface: bInterfaceNumber is fixed in every Sierra layout, or else the class is. The
 * first row that fits counts. SPARE is a second AT port, asked when the first one answers nothing of use. */
static const struct shape {
	uint16_t number, class, subclass;
	uint8_t layouts, needs, function;
} shapes[] = {
	/* number, class, subclass, layouts, needs, function */
	{ 3, 0xff, ANY, SWI | DIRECT, BULK, AT },
	{ 4, 0xff, ANY, SWI | DIRECT, BULK, SPARE },
	{ 0, 0xff, ANY, SWI | DIRECT, 0, DM },
	{ 2, 0xff, ANY, SWI | DIRECT, 0, NMEA },
	{ 8, 0xff, ANY, SWI | DIRECT, INTERRUPT, QMI },
	{ 10, 0xff, ANY, SWI, INTERRUPT, QMI },
	{ 11, 0xff, ANY, SWI, INTERRUPT, QMI },
	{ 7, 0xff, ANY, DIRECT, 0, NET },
	{ 10, 0xff, ANY, DIRECT, 0, NET },
	{ 11, 0xff, ANY, DIRECT, 0, NET },
	{ 2, 0xff, ANY, GOBI, BULK, AT },
	{ 1, 0xff, ANY, GOBI, 0, DM },
	{ 3, 0xff, ANY, GOBI, 0, NMEA },
	{ 0, 0xff, ANY, GOBI, INTERRUPT, QMI },
	{ ANY, 0x02, 0x0e, SWI | DIRECT | GOBI, 0, MBIM },
	{ ANY, 0x02, 0x06, SWI | DIRECT | GOBI, 0, ECM },
	{ ANY, 0x08, 0x06, SWI | DIRECT | GOBI, BULK, MS },
};

/* Functions: the name in targets and messages, a second name, the kernel's module, the bit in !USBCOMP (0: none). */
static const struct {
	const char *name, *alias, *module;
	uint32_t bit;
} functions[FUNCTIONS] = {
	[AT] = { "at", "modem", "qcserial, sierra or option", 0x8 },
	[DM] = { "dm", "diag", "qcserial, sierra or option", 0x1 },
	[NMEA] = { "nmea", "nmea", "qcserial, sierra or option", 0x4 },
	[QMI] = { "qmi", "rmnet", "qmi_wwan", 0x100 },
	[MBIM] = { "mbim", "mbim", "cdc_mbim", 0x1000 },
	[NET] = { "net", "net", "sierra_net", 0 },
	[ECM] = { "ecm", "ecm", "cdc_ether", 0x80000 },
	[MS] = { "ms", "ms", "usb-storage", 0 },
};

/* Words of !UDUSBCOMP rows, without the digits at their end. Other words (HIP, MDM1) stand for no function. */
static const struct {
	char word[6];
	uint8_t function;
} words[] = {
	{ "AT", AT },     { "DM", DM },   { "NMEA", NMEA }, { "QMI", QMI }, { "RMNET", QMI },
	{ "MBIM", MBIM }, { "NIC", NET }, { "ECM", ECM },   { "MS", MS },
};

/* Bits of !USBCOMP that are networks and exclude each other; each row is one family. */
static const uint32_t families[] = { 0x100 | 0x400 | 0x800, 0x1000, 0x4000, 0x80000 };

/* Compositions by number for the modems that give no text, QMI's 0x555B: what is in configuration 1 and, of a dual one, 2. */
#define SERIAL (BIT(DM) | BIT(NMEA) | BIT(AT))
static const uint16_t compositions[][2] = {
	[0] = { SERIAL | BIT(MS) },
	[1] = { SERIAL | BIT(MS) },
	[2] = { SERIAL | BIT(NET) | BIT(MS) },
	[3] = { SERIAL | BIT(NET) | BIT(MS) },
	[4] = { SERIAL | BIT(NET) | BIT(MS) },
	[5] = { SERIAL | BIT(ECM) | BIT(MS) },
	[6] = { SERIAL | BIT(QMI) },
	[7] = { SERIAL | BIT(QMI) },
	[8] = { SERIAL | BIT(MBIM) },
	[9] = { BIT(MBIM) },
	[10] = { BIT(NMEA) | BIT(MBIM) },
	[11] = { BIT(DM) | BIT(MBIM) },
	[12] = { BIT(DM) | BIT(NMEA) | BIT(MBIM) },
	[13] = { SERIAL | BIT(QMI), SERIAL | BIT(MBIM) },
	[14] = { SERIAL | BIT(QMI), BIT(MBIM) },
	[15] = { SERIAL | BIT(QMI), BIT(NMEA) | BIT(MBIM) },
	[16] = { SERIAL | BIT(QMI), BIT(DM) | BIT(MBIM) },
	[17] = { SERIAL | BIT(QMI), BIT(DM) | BIT(NMEA) | BIT(MBIM) },
	[18] = { SERIAL | BIT(QMI), SERIAL | BIT(MBIM) },
	[19] = { SERIAL | BIT(QMI), BIT(MBIM) },
	[20] = { SERIAL | BIT(QMI), BIT(NMEA) | BIT(MBIM) },
	[21] = { SERIAL | BIT(QMI), BIT(DM) | BIT(MBIM) },
	[22] = { SERIAL | BIT(QMI), BIT(DM) | BIT(NMEA) | BIT(MBIM) },
};

/* Function names may move a modem to another product ID, where the modem lists it: from, to, what is found there. */
static const struct {
	uint16_t from, to, functions;
} moves[] = {
	{ 0x68a3, 0x68a2, BIT(DM) | BIT(NMEA) | BIT(AT) | BIT(QMI) | BIT(MBIM) },
	{ 0x68aa, 0x68a2, BIT(DM) | BIT(NMEA) | BIT(AT) | BIT(QMI) | BIT(MBIM) },
};

/* Product IDs that are mute on their QMI interface until DTR is set; besides them all with bcdUSB 2.01 and up. */
static const uint16_t dtr[] = { 0x68c0, 0x9071, 0x9079, 0x907b, 0x9091, 0xc081 };

/* ---- the command line ---- */

/* The Makefile says it; here for who compiles by hand. */
#ifndef VERSION
#define VERSION "1.0"
#endif

static const char help[] =
	"usage: swflip [-hklnqvV] [-a seconds] [-c code] [-w seconds] [-t target]...\n"
	"-t [PORT:][PID/]MODE[@CONFIG][!], MODE off, modem, mbim, at+qmi, 8 or 0x100D\n"
	"-a, -w seconds to wait for a modem, and for all; -c unlock code; -n dry run; -l list\n"
	"-k to the kernel's log; -q, -v less, more; -V version\n";

/* What can be set: its option, its word on the kernel's command line, its bounds, and what is said of any other value. */
enum { A_TARGET, A_CODE, A_APPEAR, A_WAIT, A_LOG, A_INIT, WORDS };
static const struct {
	char option[4], word[15];
	uint32_t least, most;
	const char *expected;
} settings[WORDS] = {
	[A_TARGET] = { "-t ", "swflip.target=", 0, 0, "not a target" },
	[A_CODE] = { "-c ", "swflip.code=", 4, 15, "not a code, 4 to 15 of 0-9A-Za-z" },
	[A_APPEAR] = { "-a ", "swflip.appear=", 0, 86400, "not a number of seconds, 0 to 86400" },
	[A_WAIT] = { "-w ", "swflip.wait=", 1, 86400, "not a number of seconds, 1 to 86400" },
	[A_LOG] = { "", "swflip.log=", 0, 2, "not 0, 1 or 2" },
	[A_INIT] = { "", "swflip.init=", 0, 0, "" },
};

/* ---- what is said ---- */

/* Why a modem is not in its target mode, and the next thing to do. */
enum why {
	FINE,
	NO_LEAVE,
	NO_CONFIG,
	NO_SUCH_CONFIG,
	BARRED,
	IN_BOOT,
	NOT_OURS,
	MISSING,
	UNCONFIGURED,
	NO_PORT,
	NO_NODE,
	NO_TUNNEL,
	MUTE,
	HELD,
	LOCKED,
	STRANGE,
	NO_LIST,
	NO_TYPE,
	NO_BIT,
	NO_BITS,
	NO_INDEX,
	NO_AT,
	NOT_LISTED,
	PID_NOT_LISTED,
	PID_DIFFERS,
	DIFFERS,
	NO_RESET,
	NOT_SHOWN,
	CRASHES,
	STOPPED,
	LATE,
	LOST,
};

#define NEXT "\0"
static const char *const whys[] = {
	[NO_LEAVE] =
		"it stays in TRU-Install storage mode" NEXT "replug it, or try another USB port",
	[NO_CONFIG] = "the kernel does not set the configuration" NEXT "see dmesg",
	[NO_SUCH_CONFIG] = "there is no such configuration" NEXT "choose one that is there",
	[BARRED] = "the device is not authorized" NEXT "write 1 to its authorized file in sysfs",
	[IN_BOOT] = "it stays in its boot loader" NEXT
		    "power it off and on, else it needs the maker's firmware tool",
	[NOT_OURS] = "what came back is no Sierra modem" NEXT "see lsusb",
	[MISSING] = "it left and did not come back" NEXT "power it off and on",
	[UNCONFIGURED] = "it got no configuration" NEXT "see dmesg",
	[NO_PORT] = "it has nothing to ask: no AT port, MBIM or QMI" NEXT "see swflip -l",
	[NO_NODE] = "its device node cannot be opened" NEXT "mount devtmpfs on /dev",
	[NO_TUNNEL] =
		"it has no AT port, and its MBIM or QMI takes no composition" NEXT "see swflip -lv",
	[MUTE] = "it does not answer" NEXT "power it off and on",
	[HELD] = "another process holds its port" NEXT "stop ModemManager, or whoever it is",
	[LOCKED] = "it refuses the unlock code" NEXT "give its own with -c",
	[STRANGE] = "its AT port answers neither !UDUSBCOMP nor !USBCOMP" NEXT "see swflip -lv",
	[NO_LIST] = "it has no list that could be read" NEXT "update its firmware",
	[NO_TYPE] = "its configuration type is not in its own list" NEXT "set the type by hand",
	[NO_BIT] = "a bitmask has no bit for that" NEXT "name another function",
	[NO_BITS] = "it takes a composition, not a bitmask" NEXT "give names or a number",
	[NO_INDEX] = "it takes a bitmask, not this number" NEXT "give names or 0xHEX",
	[NO_AT] = "only a composition without an AT port would do" NEXT
		  "end the target with ! if that is wanted",
	[NOT_LISTED] =
		"it does not offer that" NEXT "choose what it offers, or update its firmware",
	[PID_NOT_LISTED] = "it does not list that PID" NEXT "choose one that it lists",
	[PID_DIFFERS] = "it has another PID, which cannot be written this way" NEXT
			"leave the PID out of the target",
	[DIFFERS] = "what it reads back is not what was written" NEXT "see swflip -v",
	[NO_RESET] = "it does not reset" NEXT "power it off and on",
	[NOT_SHOWN] = "it says that it has it, but does not show it" NEXT "see swflip -lv",
	[CRASHES] = "it leaves the bus again and again" NEXT
		    "choose another composition right after it came back",
	[STOPPED] = "stopped by a signal" NEXT "run swflip again",
	[LATE] = "there was no time left" NEXT "give it more with -w",
	[LOST] = "the work on it ended too early" NEXT "see swflip -v",
};

/* Errors of a transfer or a file. */
static const struct error {
	uint8_t number;
	char name[19];
} errors[] = {
	{ EPIPE, "stall" },         { ETIMEDOUT, "no answer" }, { ENODEV, "it left" },
	{ ESHUTDOWN, "it left" },   { ENOENT, "not there" },    { EACCES, "not permitted" },
	{ EPERM, "not permitted" }, { EBUSY, "busy" },
};

/* QMI result codes, as -v names them (libqmi: qmi-errors.h). */
static const struct error qmi_errors[] = {
	{ 0, "ok" },
	{ 1, "MalformedMessage" },
	{ 3, "Internal" },
	{ 25, "DeviceUnsupported" },
	{ 26, "NoEffect" },
	{ 48, "InvalidArgument" },
	{ 52, "DeviceNotReady" },
	{ 60, "InvalidTransition" },
	{ 71, "InvalidQmiCommand" },
	{ 94, "NotSupported" },
};
