/* What a site or an OEM changes: swflip's knobs, and the tables of modems.
 *
 * Edit it here, or leave the file alone and say it to make, with bare words:
 *	make CPPFLAGS='-DTARGET=mbim -DAPPEAR=20'
 * The kernel's command line (swflip.target= and so on) beats what is compiled in, an option beats
 * both. Every time in milliseconds ends in _MS. Everything is rebuilt when this file changes. */

/* The words of a knob as text, so that nobody has to quote them for make and the shell. */
#define STR_(words) #words
#define STR(words)  STR_(words)

/* ---- what a site sets ---- */

/* The wanted mode, or several divided by blanks, -DTARGET="1-1.2:mbim 1-1.3:qmi"; the grammar
 * is in swflip(8). "modem" only leaves TRU-Install storage, and writes nothing to a modem. An
 * image for one kind of board sets what that board needs. */
#ifndef TARGET
#define TARGET modem
#endif

/* The unlock code of AT!ENTERCND, 4 to 15 of 0-9A-Za-z. A710 is the common factory default;
 * only an operator's or an OEM's modem has another. Whoever can read the image can read the
 * code. */
#ifndef CODE
#define CODE A710
#endif

/* Seconds to wait for a first modem while nothing appears on USB, 0 = look once. Long enough
 * for the modem's own boot. A machine without a modem is held up by this long where the hook
 * waits. */
#ifndef APPEAR
#define APPEAR 10
#endif

/* Seconds for everything, from the start of the program; it ends one second later at the
 * latest. Public tools allow a reset 120. Shorter than what else in the image gives up
 * (dracut: rd.retry, 180). */
#ifndef WAIT
#define WAIT 120
#endif

/* ---- times: change them for a modem that was measured to need it ---- */

/* A modem to which nothing was written is given up after so long without an answer. */
#ifndef SILENCE_MS
#define SILENCE_MS 30000
#endif

/* How long a modem must stay after a composition was written: one that crashes in its
 * composition was seen to live 5.3 s. */
#ifndef STAY_MS
#define STAY_MS 6000
#endif

/* How long a modem must stay after another configuration was selected: some leave then, and come
 * back (EM7355). */
#ifndef SETTLE_MS
#define SETTLE_MS 2000
#endif

/* A boot loader on the port is watched this long: it flashes by in 0.03 s, or stays for good. */
#ifndef BOOT_MS
#define BOOT_MS 10000
#endif

/* Where the usb-storage driver is, it asks a TRU-Install stick to leave by itself: its time for
 * that. */
#ifndef KERNEL_FLIP_MS
#define KERNEL_FLIP_MS 4000
#endif

/* From SetSwocMode to the stick's disconnect; up to 3 s were seen. */
#ifndef FLIP_MS
#define FLIP_MS 4000
#endif

/* From the answer to a reset to the modem's disconnect; 17 s were seen. Longer means that it did
 * not reset. */
#ifndef LEAVE_MS
#define LEAVE_MS 30000
#endif

/* A serial driver makes its tty this long after the interface, or not at all; 0.14 s were seen. */
#ifndef TTY_MS
#define TTY_MS 500
#endif

/* The longest wait for one answer, AT, QMI or MBIM. Reads take milliseconds, writes to flash
 * seconds. */
#ifndef ANSWER_MS
#define ANSWER_MS 5000
#endif

/* An answer that has begun but has no final result is over after so long without a byte. */
#ifndef QUIET_MS
#define QUIET_MS 700
#endif

/* A first question that is not answered is asked again after so long: modems are deaf in their
 * first seconds. */
#ifndef RETRY_MS
#define RETRY_MS 500
#endif

/* For so long after its start a modem may refuse what it takes later. */
#ifndef EARLY_MS
#define EARLY_MS 10000
#endif

/* AT ports that answer nothing share so long before MBIM or QMI are asked as well. */
#ifndef DEAF_MS
#define DEAF_MS 15000
#endif

/* Where there are several that may answer, each is asked for so long at a time. */
#ifndef TURN_MS
#define TURN_MS 2000
#endif

/* No write begins with less left than this: enough to write, read back and put back. */
#ifndef MARGIN_MS
#define MARGIN_MS 5000
#endif

/* One control or bulk transfer; usb_modeswitch and usbmode use the same. */
#ifndef CONTROL_MS
#define CONTROL_MS 1000
#endif

/* ---- bounds against a modem that does not settle ---- */

/* Flips in one run: some sticks come back as storage after every reset. */
#ifndef MOST_FLIPS
#define MOST_FLIPS 4
#endif

/* Times that a modem may leave the bus unasked before it is reported as crashing. */
#ifndef MOST_LOSSES
#define MOST_LOSSES 3
#endif

/* Modems in one run. */
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

/* The Makefile says it; here for who compiles by hand. */
#ifndef VERSION
#define VERSION "1.0"
#endif

/* ---- what is a modem ---- */

/* Whose USB devices are modems; the first row that fits counts. STORAGE is TRU-Install, where
 * there is an 08/06/50 interface. 1199 and 0f3d are Sierra's own numbers; what is FOREIGN under
 * them has other commands. Of makers that sell other modems under the same number (Dell, HP,
 * NETGEAR) only those stand here that are known to be Sierra's. Add yours as lsusb prints it.
 * The sources: usb.ids; "linux" is the comment at the ID in qcserial.c, sierra.c or qmi_wwan.c
 * of Linux 7.2; "mm" is ModemManager, "strings" are iManufacturer and iProduct in public logs. */
static const struct {
	uint16_t idVendor;
	uint16_t idProduct;
	enum kind kind;
} devices[] = {
	{ 0x1199, 0xa001, FOREIGN }, /* EM7345, made by Intel (mm: 77-mm-sierra.rules) */
	{ 0x1199, 0xb000, FOREIGN }, /* XM1210, a GNSS receiver (linux-usb, 27 Oct 2021) */
	{ 0x1199, 0xc001, FOREIGN }, /* HL78xx, Altair's chip, AT+KUSBCOMP (mm) */
	{ 0x1199, 0x6467, FOREIGN }, /* AirLink routers as USB gadgets (usb.ids), as the next two */
	{ 0x1199, 0x6468, FOREIGN },
	{ 0x1199, 0x6469, FOREIGN },
	{ 0x1199, 0x0fff, STORAGE }, /* linux: unusual_devs.h, sierra_ms.c */
	{ 0x0846, 0x0fff, STORAGE }, /* AirCard 779S (usb-modeswitch-data) */
	{ 0x1199, ANY_PID, MODEM },
	{ 0x0f3d, ANY_PID,
	  MODEM },                 /* AirPrime, Sierra's since 2003: MC7700, AirCard 313U (linux) */
	{ 0x114f, 0x68a2, MODEM }, /* Wavecom, Sierra's since 2009: MC7750 (linux) */
	{ 0x413c, 0x81a2, MODEM }, /* DW5806 (linux: the wording of the next ones; no log seen) */
	{ 0x413c, 0x81a3, MODEM }, /* DW5570, MC8805 (mm; strings) */
	{ 0x413c, 0x81a4, MODEM }, /* DW5570e, EM8805 (NetworkManager-ci; linux) */
	{ 0x413c, 0x81a6, MODEM }, /* DW5570 in its boot loader (linux) */
	{ 0x413c, 0x81a8, MODEM }, /* DW5808, MC7355 (mm; usb.ids) */
	{ 0x413c, 0x81a9, MODEM }, /* DW5808e, EM7355 (strings) */
	{ 0x413c, 0x81b1, MODEM }, /* DW5809e, EM7305 (0xf8.org, 2015) */
	{ 0x413c, 0x81b3, MODEM }, /* DW5809e revision 3 (linux) */
	{ 0x413c, 0x81b5, MODEM }, /* DW5811e in its boot loader (AT!USBPID=81B6,81B5) */
	{ 0x413c, 0x81b6, MODEM }, /* DW5811e, EM7455 (strings) */
	{ 0x413c, 0x81c2, MODEM }, /* DW5811e, EM7455 (linux-usb, 27 Sep 2022) */
	{ 0x413c, 0x81cb, MODEM }, /* DW5816e in its boot loader (linux) */
	{ 0x413c, 0x81cc, MODEM }, /* DW5816e, EM7430 (strings) */
	{ 0x413c, 0x81cf, MODEM }, /* DW5819, of the MC74xx (linux), as the next three */
	{ 0x413c, 0x81d0, MODEM },
	{ 0x413c, 0x81d1, MODEM }, /* DW5818 */
	{ 0x413c, 0x81d2, MODEM },
	{ 0x03f0, 0x1b1d, MODEM }, /* HP ev2200, MC5720 (linux) */
	{ 0x03f0, 0x1e1d, MODEM }, /* HP hs2300, MC8775 (linux) */
	{ 0x03f0, 0x211d, MODEM }, /* HP ev2210, MC5725 (linux; usb.ids) */
	{ 0x03f0, 0x371d, MODEM }, /* HP un2430, MC8355 (NetworkManager-ci; linux) */
	{ 0x03f0, 0x4e1d, MODEM }, /* HP lt4111, EM7355 (mm) */
	{ 0x0846, 0x68a2, MODEM }, /* AirCard of NETGEAR's, Sierra's design (linux: qmi_wwan) */
	{ 0x0846, 0x68d3, MODEM }, /* AirCard 779S (linux; sierra_bsudefs.h) */
};

/* Product IDs of boot loaders (linux: qcserial.c, "QDL"; the second number of AT!USBPID's
 * pairs). They are one where there is a single vendor interface. */
static const uint16_t boot_pids[] = {
	0x68a4, 0x68a8, 0x81a6, 0x81b5, 0x81cb, 0x9000, 0x9010, 0x9012, 0x9014,
	0x9018, 0x901e, 0x9062, 0x9070, 0x9078, 0x907a, 0x9080, 0x9090, 0x90b0,
	0x90c0, 0x90c2, 0x90d2, 0x90d8, 0x90e0, 0x90e2, 0x90e4, 0xc080,
};

/* ---- which interface is what ---- */

/* Modems that do not number their interfaces as the MC77xx and later do: Direct IP (linux:
 * sierra_net.c) and Gobi 2000 and 3000 (linux: qcserial.c, DEVICE_G2K). 90C3 is type 2, "PCIE
 * USBIF" (netdev, 17 Nov 2024). */
static const struct {
	uint16_t idProduct;
	enum layout layout;
} layouts[] = {
	{ 0x68a3, DIRECT_IP }, { 0x68aa, DIRECT_IP }, { 0x90c3, PCIE_USBIF }, { 0x371d, GOBI },
	{ 0x68a5, GOBI },      { 0x68a9, GOBI },      { 0x9001, GOBI },       { 0x9002, GOBI },
	{ 0x9003, GOBI },      { 0x9004, GOBI },      { 0x9005, GOBI },       { 0x9006, GOBI },
	{ 0x9007, GOBI },      { 0x9008, GOBI },      { 0x9009, GOBI },       { 0x900a, GOBI },
	{ 0x9011, GOBI },      { 0x9013, GOBI },      { 0x9015, GOBI },       { 0x9019, GOBI },
	{ 0x901b, GOBI },
};

/* A function is known by its interface: by bInterfaceNumber in each layout, or by its class. The
 * first row that fits counts. SPARE_AT is another interface that may be the AT port: who answers
 * is it. Sources: linux: qcserial.c, qmi_wwan.c, sierra_net.c; EM91xx: kernel mails of Oct 2022
 * and Apr 2025; 90b1 and 90c3: netdev, 17 Nov 2024; 68b1: Sierra's driver headers of 2012. */
enum { ALL_LAYOUTS = SWI | DIRECT_IP | GOBI | MBIM_FIRST | PCIE_USBIF };
static const struct shape {
	uint16_t number; /* bInterfaceNumber */
	uint16_t class;
	uint16_t subclass;
	uint16_t protocol;
	uint8_t layouts;
	uint8_t endpoints;
	enum function function;
} shapes[] = {
	{ 3, 0xff, ANY, ANY, SWI | DIRECT_IP, BULK_PAIR, AT },
	{ 4, 0xff, ANY, ANY, SWI | DIRECT_IP, BULK_PAIR, SPARE_AT },
	{ 0, 0xff, ANY, ANY, SWI | DIRECT_IP, 0, DM },
	{ 2, 0xff, ANY, ANY, SWI | DIRECT_IP, 0, NMEA },
	{ 8, 0xff, ANY, ANY, SWI | DIRECT_IP | MBIM_FIRST | PCIE_USBIF, INTERRUPT_IN, QMI },
	{ 10, 0xff, ANY, ANY, SWI, INTERRUPT_IN, QMI },
	{ 11, 0xff, ANY, ANY, SWI, INTERRUPT_IN, QMI },
	{ 19, 0xff, ANY, ANY, SWI, INTERRUPT_IN, QMI },
	{ 7, 0xff, ANY, ANY, DIRECT_IP, 0, NET },
	{ 10, 0xff, ANY, ANY, DIRECT_IP, 0, NET },
	{ 11, 0xff, ANY, ANY, DIRECT_IP, 0, NET },
	{ 3, 0xff, ANY, ANY, MBIM_FIRST, BULK_PAIR, AT },
	{ 2, 0xff, ANY, ANY, MBIM_FIRST, BULK_PAIR, SPARE_AT },
	{ 4, 0xff, 0xff, 0x30, MBIM_FIRST, 0, DM },
	{ 0, 0xff, ANY, ANY, PCIE_USBIF, BULK_PAIR, AT },
	{ 3, 0xff, ANY, ANY, PCIE_USBIF, BULK_PAIR, SPARE_AT },
	{ 1, 0xff, ANY, ANY, PCIE_USBIF, 0, NMEA },
	{ 2, 0xff, ANY, ANY, PCIE_USBIF, 0, DM },
	{ 2, 0xff, ANY, ANY, GOBI, BULK_PAIR, AT },
	{ 1, 0xff, ANY, ANY, GOBI, 0, DM },
	{ 3, 0xff, ANY, ANY, GOBI, 0, NMEA },
	{ 0, 0xff, ANY, ANY, GOBI, INTERRUPT_IN, QMI },
	{ ANY, 0x02, 0x0e, ANY, ALL_LAYOUTS, 0, MBIM },
	{ ANY, 0x02, 0x06, ANY, ALL_LAYOUTS, 0, ECM },
	{ ANY, 0x08, 0x06, 0x50, ALL_LAYOUTS, BULK_PAIR, MS },
};

/* Functions: names in targets and messages, the kernel's module, the bit in !USBCOMP (0 = there
 * is none), and whether a target can name it; the others can be had by 0xHEX only. */
static const struct {
	const char *name;
	const char *alias;
	const char *module;
	uint32_t bit;
	bool nameable;
} functions[FUNCTIONS] = {
	[DM] = { "dm", "diag", "qcserial", 0x1, true },
	[NMEA] = { "nmea", "nmea", "qcserial", 0x4, true },
	[AT] = { "at", "modem", "qcserial", 0x8, true },
	[QMI] = { "qmi", "rmnet", "qmi_wwan", 0x100, true },
	[MBIM] = { "mbim", "mbim", "cdc_mbim", 0x1000, true },
	[NET] = { "net", "net", "sierra_net", 0, true },
	[ECM] = { "ecm", "ecm", "cdc_ether", 0x80000, true },
	[MS] = { "ms", "ms", "usb-storage", 0, true },
	[RNDIS] = { "rndis", "rndis", "rndis_host", 0x4000, false },
	[AUDIO] = { "audio", "audio", "snd-usb-audio", 0x10000, false },
};

enum { NETWORKS = BIT(QMI) | BIT(MBIM) | BIT(NET) | BIT(ECM) | BIT(RNDIS) };
/* Functions that can be told apart on the bus, by class or by number. */
enum { VISIBLE = BIT(AT) | BIT(QMI) | BIT(MBIM) | BIT(NET) | BIT(ECM) };
/* Functions that are known by their class, wherever a modem has them. */
enum { BY_CLASS = BIT(MBIM) | BIT(ECM) | BIT(MS) };
/* Functions that the bus may not show: serial ports look alike, and not all layouts of Direct IP
 * are known. If an AT port says that they are stored and run, that is believed. */
enum { BELIEVED = BIT(DM) | BIT(NMEA) | BIT(AT) | BIT(NET) };
/* Functions that are chosen only if the target names them: they take the data away from others. */
enum { ONLY_NAMED = BIT(ECM) | BIT(RNDIS) | BIT(AUDIO) };

/* Words of !UDUSBCOMP rows, without digits at their end. Others (HIP, MDM1) stand for no
 * function. */
static const struct {
	char word[8];
	enum function function;
} row_words[] = {
	{ "AT", AT },       { "DM", DM },       { "NMEA", NMEA }, { "QMI", QMI },
	{ "RMNET", QMI },   { "MBIM", MBIM },   { "NIC", NET },   { "ECM", ECM },
	{ "RNDIS", RNDIS }, { "AUDIO", AUDIO }, { "MS", MS },
};

/* Bits of !USBCOMP that are networks; each row is one family (AT command reference of the
 * MC74xx). */
static const uint32_t network_families[] = { 0x100 | 0x400 | 0x800, 0x1000, 0x4000, 0x80000 };

/* Compositions by number, for modems that give no text, that is, over QMI: the functions in
 * configuration 1 and, of a dual one, 2 (libqmi: qmi-enums-dms.h). 0 to 5 mean other things on
 * other modems, so here they mean nothing. */
#define SERIAL (BIT(DM) | BIT(NMEA) | BIT(AT))
static const uint16_t compositions[][2] = {
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

/* Function names may move a modem to another PID, where the modem lists it: from, to, and what
 * is to be found there. Direct IP modems have QMI and MBIM under 68A2 alone (SWI forum 9392). */
static const struct {
	uint16_t from;
	uint16_t to;
	uint16_t functions;
} moves[] = {
	{ 0x68a3, 0x68a2, SERIAL | BIT(QMI) | BIT(MBIM) },
	{ 0x68aa, 0x68a2, SERIAL | BIT(QMI) | BIT(MBIM) },
};

/* Product IDs of 1199 whose QMI function is silent until DTR is set (linux 7.2: qmi_wwan.c,
 * QMI_QUIRK_SET_DTR); all with bcdUSB 2.01 and up are, too. */
static const uint16_t dtr_pids[] = { 0x68c0, 0x9071, 0x9079, 0x907b, 0x9091, 0xc081 };
