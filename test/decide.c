/* decide() over its whole input space, as far as that is finite.
 *
 * cells     every combination of what was done before, of what is seen, answered and wanted: each
 *           step that comes out is held against the rules of the contract (unlawful), whether a
 *           modem could ever lead there or not
 * loops     a model of a modem obeys the steps, well or badly, and is looked at again, until the
 *           end: every modem below with every target, every fault, every pair of faults (with every
 *           third modem), TERM and the last five seconds at every step, and a second run after it.
 *           What a step makes of the history is the program's own: observe(), note_answer() ...
 * examples  the steps that the contract's own examples must take, one by one
 *
 * B1, C7 and the like are the faults by those names that were found from outside. */
#include "native.h"

/* ---- modems ---- */

#define ROWS_0_TO_5(status)                                                 \
	"0  - HIP  DM    NMEA  AT    MDM1  MDM2  MDM3  MS  " status "\n"    \
	"1  - HIP  DM    NMEA  AT    MDM1  MS              NOT SUPPORTED\n" \
	"2  - HIP  DM    NMEA  AT    NIC1  MS              " status "\n"    \
	"3  - HIP  DM    NMEA  AT    MDM1  NIC1  MS        " status "\n"    \
	"4  - HIP  DM    NMEA  AT    NIC1  NIC2  NIC3  MS  " status "\n"    \
	"5  - HIP  DM    NMEA  AT    ECM1  MS              " status "\n"
#define ROWS_6_TO_7(status)                                              \
	"6  - DM   NMEA  AT    QMI                         " status "\n" \
	"7  - DM   NMEA  AT    RMNET1 RMNET2 RMNET3        " status "\n"
#define ROWS_9_TO_12                                                    \
	"9  - MBIM                                         SUPPORTED\n" \
	"10 - NMEA MBIM                                    SUPPORTED\n" \
	"11 - DM   MBIM                                    SUPPORTED\n" \
	"12 - DM   NMEA  MBIM                              SUPPORTED\n"
#define DUAL(n, a, b) n " - Config1: comp" a "    Config2: comp" b "             SUPPORTED\n"

static const char direct[] = ROWS_0_TO_5("SUPPORTED") ROWS_6_TO_7("NOT SUPPORTED");
static const char no_ecm[] =
	"3 - HIP DM NMEA AT MDM1 NIC1 SUPPORTED\n5 - HIP DM NMEA AT ECM1 MS NOT SUPPORTED\n";
static const char qmi_only[] = ROWS_0_TO_5("NOT SUPPORTED") ROWS_6_TO_7("SUPPORTED");
static const char newer[] = ROWS_0_TO_5("NOT SUPPORTED") ROWS_6_TO_7(
	"SUPPORTED") "8  - DM   NMEA  AT    MBIM                        SUPPORTED\n" ROWS_9_TO_12
	DUAL("13", "6", "8") DUAL("14", "6", "9") DUAL("15", "6", "10") DUAL("16", "6", "11")
		DUAL("17", "6", "12") DUAL("18", "7", "8") DUAL("19", "7", "9")
			DUAL("20", "7", "10") DUAL("21", "7", "11") DUAL("22", "7", "12");
static const char win8[] = ROWS_0_TO_5("NOT SUPPORTED") ROWS_6_TO_7(
	"SUPPORTED") "8  - Win8 Std Net                                 SUPPORTED\n" ROWS_9_TO_12
		     "13 - reserved                                     SUPPORTED\n" DUAL(
			     "14", "6", "9") DUAL("15", "6", "10");
static const char reserved[] = ROWS_0_TO_5("NOT SUPPORTED")
	ROWS_6_TO_7("SUPPORTED") "8  - reserved                                     NOT SUPPORTED\n"
				 "9  - reserved                                     SUPPORTED\n";
static const char twice[] = ROWS_0_TO_5("NOT SUPPORTED") ROWS_6_TO_7(
	"SUPPORTED") "8  - DM   NMEA  AT    MBIM                        SUPPORTED\n"
		     "8  - DM   NMEA  AT    MBIM                        NOT SUPPORTED\n"
		     "12 - DM   NMEA  MBIM                              SUPPORTED\n"
		     "12 - DM   NMEA  AT MBIM                           SUPPORTED\n" DUAL("13", "6",
											  "8")
			     DUAL("13", "6", "8") DUAL("14", "6", "9") DUAL("14", "6", "12");
static const char only_bare[] = ROWS_0_TO_5("NOT SUPPORTED") ROWS_6_TO_7("SUPPORTED") ROWS_9_TO_12;
static const char only_dual[] =
	ROWS_6_TO_7("SUPPORTED") "8 - DM NMEA AT MBIM NOT SUPPORTED\n"
				 "9 - MBIM NOT SUPPORTED\n12 - DM NMEA MBIM NOT SUPPORTED\n" DUAL(
					 "14", "6", "9") DUAL("17", "6", "12") DUAL("18", "7", "8");
static const char pids[] = "68A3\n68AA\n68A2\n68A9\n",
		  pairs[] = "APP   BOOT\n68A3, 68A4\n68A2, 68A4\n";

#define MASK_HELP(types, bits)                                                                     \
	"AT!USBCOMP=<Config Index>,<Config Type>,<Interface bitmask>\n"                            \
	"  <Config Index>      - configuration index to which the composition applies, should be " \
	"1\n"                                                                                      \
	"  <Config Type>       - " types "\n"                                                      \
	"  <Interface bitmask> - DIAG     - 0x00000001,\n" bits                                    \
	"e.g.\n10D  - diag, nmea, modem, rmnet interfaces enabled\n1009 - diag, modem, mbim "      \
	"interfaces enabled\n"                                                                     \
	"The default configuration is:\nat!usbcomp=1,3,10F\n"
#define BITS_OF_74XX                                                               \
	"NMEA     - 0x00000004,\nMODEM    - 0x00000008,\nRMNET0   - 0x00000100,\n" \
	"RMNET1   - 0x00000400,\nMBIM     - 0x00001000,\n"

/* C8: a row with a network that nobody named. Made up, like the word of it in the contract. */
static const char with_ecm[] = ROWS_0_TO_5(
	"NOT SUPPORTED") "20 - DM   NMEA  AT    QMI   ECM1                  SUPPORTED\n"
			 "21 - DM   NMEA  AT    MBIM  RNDIS                 SUPPORTED\n";

/* An EM7355's own table (libmbim-devel, July 2015) begins otherwise than an MC7710's. */
static const char em7355[] =
	"1  - DM   AT                                      SUPPORTED\n" ROWS_6_TO_7(
		"SUPPORTED") "8  - DM   NMEA  AT    MBIM                        "
			     "SUPPORTED\n" ROWS_9_TO_12 DUAL("14", "6", "9") DUAL("19", "7", "9");

/* How a modem numbers its interfaces, whatever swflip takes it for. */
enum numbering {
	AS_SWI,
	AS_90B1,  /* type 1: 0/1 MBIM, 2 AT, 3 NMEA, 4 DM, 8 QMI (netdev, 17 Nov 2024) */
	AS_EM91,  /* 0/1 MBIM, 3 AT, 4 DM as ff/ff/30 (kernel mails, Oct 2022, Apr 2025) */
	AS_3NICS, /* Direct IP under a PID that nobody knows: 7, 10, 11 (B4) */
	AS_GOBI,  /* 68A9 (linux: qcserial.c) */
	NUMBERINGS,
};

enum reading {
	OPEN,
	LISTS_LOCKED, /* what is stored can be read, the lists need the code */
	ALL_LOCKED,
};

static const struct firmware {
	const char *name;
	const char *pids;   /* the list of PIDs */
	const char *direct; /* the list of compositions while 68A3 or 68AA is stored */
	const char *other;  /* and any other PID */
	enum dialect dialect;
	uint16_t pid;
	uint32_t composition;
	uint8_t type;
	const char *qmi; /* numbers that QMI offers: "" no list, NULL no QMI */
	bool storage;
	enum numbering numbering;
	enum reading reading;
} firmwares[] = {
	{ "330u", pids, direct, newer, DIALECT_INDEX, 0x68a3, 3, 0, NULL, true, AS_SWI, OPEN },
	{ "mc7710-old", pids, direct, qmi_only, DIALECT_INDEX, 0x68a3, 3, 0, NULL, false, AS_SWI,
	  OPEN },
	{ "mc7710", pids, direct, newer, DIALECT_INDEX, 0x68a2, 6, 0, "\6\7\10\11", false, AS_SWI,
	  OPEN },
	{ "mc7710-in-8", pids, direct, newer, DIALECT_INDEX, 0x68a2, 8, 0, "\6\7\10\11", false,
	  AS_SWI, OPEN },
	{ "mc7710-in-9", pids, direct, newer, DIALECT_INDEX, 0x68a2, 9, 0,
	  "\6\7\10\11\12\13\14\15\16\17\23", false, AS_SWI, OPEN },
	{ "mc7710-in-13", pids, direct, newer, DIALECT_INDEX, 0x68a2, 13, 0, "\6\7\10\11", false,
	  AS_SWI, OPEN },
	{ "mc7710-in-14", pids, direct, newer, DIALECT_INDEX, 0x68a2, 14, 0, "\6\7\10\11", false,
	  AS_SWI, OPEN },
	{ "mc7710-in-20", pids, direct, newer, DIALECT_INDEX, 0x68a2, 20, 0, NULL, false, AS_SWI,
	  OPEN },
	{ "68aa", pids, direct, newer, DIALECT_INDEX, 0x68aa, 2, 0, NULL, false, AS_SWI, OPEN },
	{ "9205", pids, direct, newer, DIALECT_INDEX, 0x9205, 6, 0, NULL, false, AS_SWI, OPEN },
	{ "68a3-in-6", pids, direct, newer, DIALECT_INDEX, 0x68a3, 6, 0, "\6\7\10", false, AS_SWI,
	  OPEN },
	{ "one-list", pids, direct, direct, DIALECT_INDEX, 0x68a3, 3, 0, NULL, false, AS_SWI,
	  OPEN },
	{ "pairs", pairs, direct, newer, DIALECT_INDEX, 0x68a3, 3, 0, NULL, false, AS_SWI, OPEN },
	{ "no-68a2", "68A3\n68AA\n", direct, newer, DIALECT_INDEX, 0x68a3, 3, 0, NULL, false,
	  AS_SWI, OPEN },
	{ "no-ecm", pids, no_ecm, newer, DIALECT_INDEX, 0x68a3, 3, 0, NULL, false, AS_SWI, OPEN },
	{ "no-list", pids, "", "", DIALECT_INDEX, 0x68a2, 6, 0, NULL, false, AS_SWI, OPEN },
	{ "no-list-68a3", pids, "", "", DIALECT_INDEX, 0x68a3, 3, 0, NULL, false, AS_SWI, OPEN },
	{ "win8", pids, direct, win8, DIALECT_INDEX, 0x68a2, 6, 0, NULL, false, AS_SWI, OPEN },
	{ "reserved", pids, direct, reserved, DIALECT_INDEX, 0x68a2, 6, 0, "\6\7\11", false, AS_SWI,
	  OPEN },
	{ "twice", pids, direct, twice, DIALECT_INDEX, 0x68a2, 6, 0, NULL, false, AS_SWI, OPEN },
	{ "only-bare", pids, direct, only_bare, DIALECT_INDEX, 0x68a3, 3, 0, NULL, true, AS_SWI,
	  OPEN },
	{ "only-dual", pids, direct, only_dual, DIALECT_INDEX, 0x68a2, 7, 0, "\6\7", false, AS_SWI,
	  OPEN },
	{ "qmi-9", NULL, NULL, NULL, DIALECT_QMI, 0x9051, 9, 0, "\6\7\10\11", false, AS_SWI, OPEN },
	{ "qmi-9-old", NULL, NULL, NULL, DIALECT_QMI, 0x9051, 9, 0, "\6\7", false, AS_SWI, OPEN },
	{ "qmi-9-no-list", NULL, NULL, NULL, DIALECT_QMI, 0x9051, 9, 0, "", false, AS_SWI, OPEN },
	{ "qmi-10-dual", NULL, NULL, NULL, DIALECT_QMI, 0x9051, 10, 0, "\6\16\23\26\27", false,
	  AS_SWI, OPEN },
	{ "mc7455", "APP   BOOT\n9071, 9070\n", NULL,
	  MASK_HELP("1:Generic, 2:USBIF-MBIM, 3:RNDIS", BITS_OF_74XX), DIALECT_BITMASK, 0x9071,
	  0x10d, 1, NULL, false, AS_SWI, OPEN },
	{ "mc7455-50d", "9071\n", NULL, MASK_HELP("1:Generic, 2:USBIF-MBIM, 3:RNDIS", BITS_OF_74XX),
	  DIALECT_BITMASK, 0x9071, 0x50d, 1, NULL, false, AS_SWI, OPEN },
	{ "mc7455-100d", "9071\n", NULL,
	  MASK_HELP("1:Generic, 2:USBIF-MBIM, 3:RNDIS", BITS_OF_74XX), DIALECT_BITMASK, 0x9071,
	  0x100d, 1, NULL, false, AS_SWI, OPEN },
	{ "em7565", "9091\n90B1\n", NULL,
	  MASK_HELP("1:MBIM USBIF, 2:PCIE USBIF, 3:Legacy-Generic, 4:RNDIS", BITS_OF_74XX),
	  DIALECT_BITMASK, 0x9091, 0x20010f, 3, NULL, false, AS_SWI, OPEN },
	{ "em9191", "90D3\n", NULL, MASK_HELP("1:Generic, 2:USBIF-MBIM, 3:RNDIS", BITS_OF_74XX),
	  DIALECT_BITMASK, 0x90d3, 0x10d, 4, NULL, false, AS_SWI, OPEN },
	{ "wp7607", "68C0\n", NULL,
	  MASK_HELP("1:Generic", BITS_OF_74XX "ECM      - 0x00080000,\nRNDIS    - 0x00004000,\n"),
	  DIALECT_BITMASK, 0x68c0, 0x10d, 1, NULL, false, AS_SWI, OPEN },
	{ "no-mbim", "9071\n", NULL,
	  MASK_HELP("1:Generic",
		    "NMEA     - 0x00000004,\nMODEM    - 0x00000008,\nRMNET0   - 0x00000100,\n"),
	  DIALECT_BITMASK, 0x9071, 0x10d, 1, NULL, false, AS_SWI, OPEN },
	{ "mask-no-list", "9071\n", NULL, "", DIALECT_BITMASK, 0x9071, 0x10d, 1, NULL, false,
	  AS_SWI, OPEN },
	/* no AT port, and nobody to be asked: judged by what is on the bus (C5, B1) */
	{ "mc7710-in-9-no-tunnel", pids, direct, newer, DIALECT_INDEX, 0x68a2, 9, 0, NULL, false,
	  AS_SWI, OPEN },
	{ "mc7455-in-1000", "9071\n", NULL, MASK_HELP("1:Generic", BITS_OF_74XX), DIALECT_BITMASK,
	  0x9071, 0x1000, 1, NULL, false, AS_SWI, OPEN },
	{ "mc7455-in-100", "9071\n", NULL, MASK_HELP("1:Generic", BITS_OF_74XX), DIALECT_BITMASK,
	  0x9071, 0x100, 1, NULL, false, AS_SWI, OPEN },
	/* C3: over QMI, where its 1 is no MC7710's */
	{ "em7355", "9041\n", NULL, em7355, DIALECT_INDEX, 0x9041, 9, 0,
	  "\1\6\7\10\11\12\13\14\16\23", false, AS_SWI, OPEN },
	{ "683c", "683C\n", NULL, direct, DIALECT_INDEX, 0x683c, 4, 0, NULL, false, AS_3NICS,
	  OPEN },
	{ "with-ecm", pids, direct, with_ecm, DIALECT_INDEX, 0x68a2, 6, 0, NULL, false, AS_SWI,
	  OPEN },
	{ "90b1", "90B1\n", NULL,
	  MASK_HELP("1:MBIM USBIF, 2:PCIE USBIF, 3:Legacy-Generic, 4:RNDIS", BITS_OF_74XX),
	  DIALECT_BITMASK, 0x90b1, 0x100d, 1, NULL, false, AS_90B1, OPEN },
	/* its list of types is made up: none was found */
	{ "em9191-1009", "90D3\n", NULL,
	  MASK_HELP("4:MBIM V2", "MODEM - 0x00000008,\nMBIM - 0x00001000,\n"), DIALECT_BITMASK,
	  0x90d3, 0x1009, 4, NULL, false, AS_EM91, ALL_LOCKED },
	/* RC7620: bits of its list as of a WP76's */
	{ "rc7620", "68C0\n", NULL, MASK_HELP("1:Generic", BITS_OF_74XX "ECM - 0x00080000,\n"),
	  DIALECT_BITMASK, 0x68c0, 0x8010d, 1, NULL, false, AS_SWI, OPEN },
	{ "lists-locked", pids, direct, newer, DIALECT_INDEX, 0x68a2, 6, 0, NULL, false, AS_SWI,
	  LISTS_LOCKED },
	{ "all-locked", pids, direct, newer, DIALECT_INDEX, 0x68a3, 3, 0, NULL, true, AS_SWI,
	  ALL_LOCKED },
	{ "mask-locked", "9071\n", NULL, MASK_HELP("1:Generic", BITS_OF_74XX), DIALECT_BITMASK,
	  0x9071, 0x10d, 1, NULL, false, AS_SWI, LISTS_LOCKED },
};

static const char *const targets[] = {
	"modem",       "modem@1",    "modem@2",    "modem@3",     "mbim",
	"qmi",         "net",        "ecm",        "ms",          "at",
	"dm",          "nmea",       "at+mbim",    "at+qmi",      "dm+nmea+at+mbim",
	"nmea+mbim",   "dm+mbim",    "dm+net",     "at+ms",       "mbim!",
	"qmi!",        "nmea+mbim!", "mbim@1",     "mbim@2",      "mbim@3",
	"qmi@1",       "qmi@2",      "at+mbim@2",  "nmea+mbim@2", "mbim@2!",
	"0",           "1",          "2",          "3",           "5",
	"6",           "7",          "8",          "9",           "9!",
	"10",          "12",         "12!",        "13",          "14",
	"14@1",        "14@2",       "17",         "19",          "19@1",
	"20",          "8@1",        "8@2",        "6@3",         "22",
	"23",          "200",        "255!",       "0x10D",       "0x100D",
	"0x50D",       "0x1009",     "0x1000",     "0x1000!",     "0x10F",
	"0x8",         "0x4009",     "0x80009",    "0x20010F",    "68A2/mbim",
	"68A3/net",    "68A3/3",     "68AA/3",     "68A9/6",      "68E2/mbim",
	"68E2/3",      "68A2/8",     "68A2/9!",    "68A2/qmi",    "68A2/net",
	"68A3/8",      "68A2/at",    "9071/qmi",   "9071/mbim",   "9091/0x100D",
	"9091/0x100F", "9051/8",     "68A4/mbim",  "qmi+ecm",     "0x8010D",
	"0x100!",      "1!",         "10!",        "11!",         "11",
	"4",           "dm+nmea+at", "at+dm+mbim", "0x1005!",
};

/* ---- what a modem shows, without any of swflip's tables: facts.md, sections 8.2 and 8.4 ---- */

static unsigned number_functions(const struct firmware *fw, uint32_t composition)
{
	static const unsigned serial = BIT(DM) | BIT(NMEA) | BIT(AT);
	static const unsigned table[] = {
		serial | BIT(MS),
		serial | BIT(MS),
		serial | BIT(NET) | BIT(MS),
		serial | BIT(NET) | BIT(MS),
		serial | BIT(NET) | BIT(MS),
		serial | BIT(ECM) | BIT(MS),
		serial | BIT(QMI),
		serial | BIT(QMI),
		serial | BIT(MBIM),
		BIT(MBIM),
		BIT(NMEA) | BIT(MBIM),
		BIT(DM) | BIT(MBIM),
		BIT(DM) | BIT(NMEA) | BIT(MBIM),
		[20] = serial | BIT(QMI) | BIT(ECM), /* only of with_ecm */
		[21] = serial | BIT(MBIM),
	};

	if (fw->other == em7355 && composition == 1)
		return BIT(DM) | BIT(AT);
	return composition < LEN(table) ? table[composition] : 0;
}

static unsigned mask_functions(uint32_t mask)
{
	static const struct {
		uint32_t bit;
		enum function function;
	} bits[] = {
		{ 0x1, DM },    { 0x4, NMEA },    { 0x8, AT },
		{ 0x100, QMI }, { 0x1000, MBIM }, { 0x80000, ECM },
	};
	unsigned functions_ = 0;

	for (size_t i = 0; i < LEN(bits); i++)
		if (mask & bits[i].bit)
			functions_ |= BIT(bits[i].function);
	return functions_;
}

static unsigned in_configuration(const struct firmware *fw, uint32_t composition, unsigned index)
{
	bool dual = composition >= 13 && composition <= 22 && fw->other != with_ecm;

	if (fw->dialect == DIALECT_BITMASK)
		return index ? 0 : mask_functions(composition);
	if (!dual) /* 14 and 15 of win8 are others, but never run here */
		return index ? 0 : number_functions(fw, composition);
	if (index)
		return number_functions(fw, (composition - 13) % 5 + 8);
	return number_functions(fw, composition < 18 ? 6 : 7);
}

/* Adds a configuration with these functions, by their numbers of a numbering. */
static void show(struct modem *m, unsigned index, unsigned bits, enum numbering numbering)
{
	enum { NEVER_ = 0xff };
	static const struct {
		enum function function;
		uint8_t number[NUMBERINGS]; /* by enum numbering; NEVER_ = it has none */
		uint8_t class;
		uint8_t subclass;
		uint8_t protocol;
		bool bulk;
		bool interrupt;
	} shown[] = {
		{ MBIM, { 12, 0, 0, NEVER_, 12 }, 0x02, 0x0e, 0x00, false, true },
		{ MBIM, { 13, 1, 1, NEVER_, 13 }, 0x0a, 0x00, 0x02, true, false },
		{ DM, { 0, 4, 4, 0, 1 }, 0xff, 0xff, 0x30, true, false },
		{ NMEA, { 2, 3, NEVER_, 2, 3 }, 0xff, 0x00, 0x00, true, true },
		{ AT, { 3, 2, 3, 3, 2 }, 0xff, 0x00, 0x00, true, true },
		{ NET, { 7, NEVER_, NEVER_, 7, NEVER_ }, 0xff, 0xff, 0xff, true, true },
		{ QMI, { 8, 8, 8, NEVER_, 0 }, 0xff, 0xff, 0xff, true, true },
		{ MS, { 9, NEVER_, NEVER_, 9, 9 }, 0x08, 0x06, 0x50, true, false },
		{ NET, { NEVER_, NEVER_, NEVER_, 10, NEVER_ }, 0xff, 0xff, 0xff, true, true },
		{ NET, { NEVER_, NEVER_, NEVER_, 11, NEVER_ }, 0xff, 0xff, 0xff, true, true },
		{ ECM, { 19, 19, 19, 19, 19 }, 0x02, 0x06, 0x00, false, true },
	};
	struct configuration *c = &m->configuration[index];

	c->value = (uint8_t)(index + 1);
	for (size_t i = 0; i < LEN(shown); i++) {
		uint8_t number = shown[i].number[numbering];

		if (!(bits & BIT(shown[i].function)) || number == NEVER_)
			continue;
		c->interface[c->interfaces++] = (struct interface){
			.number = number,
			.class = shown[i].class,
			.subclass = shown[i].subclass,
			.protocol = shown[i].protocol,
			.endpoints = (uint8_t)(shown[i].bulk * 2 + shown[i].interrupt),
			.bulk_in = shown[i].bulk ? 0x81 : 0,
			.bulk_out = shown[i].bulk ? 0x01 : 0,
			.interrupt_in = shown[i].interrupt ? 0x82 : 0,
		};
	}
	m->configurations = (uint8_t)(index + 1);
}

/* ---- a modem that obeys, more or less ---- */

enum fault {
	PID_LOST, /* the first write of each is answered by OK, and is lost, or is another */
	PID_OTHER,
	COMP_LOST,
	COMP_OTHER,
	COMP_REFUSED, /* it is answered by ERROR, and lost */
	TYPE_OTHER,   /* C6: the type moves as well */
	PUTBACK_LOST, /* so is the second */
	NO_FOLLOW,    /* the PID does not move the composition */
	PID_MOVES,    /* the composition moves the PID */
	LIST_LAGS,    /* the list is that of the running PID */
	LIST_GONE,    /* there is none */
	LIST_SHRINKS, /* there is none any more once something was written */
	PIDS_GONE,
	PID_SILENT,  /* the PID is never said */
	PID_APPEARS, /* not the first time */
	PID_FADES,   /* only the first time */
	IGNORED,     /* no reset works */
	IGNORED_ONCE,
	FORGETS,     /* a reset starts the old settings */
	LEAVES_LATE, /* 17 s after the reset */
	AS_STORAGE,  /* back as storage, each time */
	AS_STORAGE_ONCE,
	STUCK, /* flips do not work */
	AS_BOOT,
	BOOT_PASSES,
	STAYS_AWAY,
	AS_STRANGER,
	FEWER,        /* back without its AT port and its network */
	SILENT_AFTER, /* a reset */
	SILENT_ALWAYS,
	REFUSES_CODE,
	DROPS_LINE, /* read-backs are lost */
	DROPS_LINE_ONCE,
	CRASHES_AFTER, /* leaves 5.3 s after each start with a new setting */
	CRASHES_ONCE,
	RESTARTS,          /* right after the first write */
	NO_CONFIGURATIONS, /* it takes none */
	LEAVES_ON_SELECT,  /* C10: after the first selection it starts again (EM7355, 14) */
	UNAUTHORIZED,
	HIDES,   /* it shows no network */
	PENDING, /* what is stored is not what runs */
	FAULTS,
};

static const char *const fault_names[FAULTS] = {
	[PID_LOST] = "pid-lost",
	[PID_OTHER] = "pid-other",
	[COMP_LOST] = "comp-lost",
	[COMP_OTHER] = "comp-other",
	[COMP_REFUSED] = "comp-refused",
	[TYPE_OTHER] = "type-other",
	[PUTBACK_LOST] = "putback-lost",
	[NO_FOLLOW] = "no-follow",
	[PID_MOVES] = "pid-moves",
	[LIST_LAGS] = "list-lags",
	[LIST_GONE] = "list-gone",
	[LIST_SHRINKS] = "list-shrinks",
	[PIDS_GONE] = "pids-gone",
	[PID_SILENT] = "pid-silent",
	[PID_APPEARS] = "pid-appears",
	[PID_FADES] = "pid-fades",
	[IGNORED] = "ignored",
	[IGNORED_ONCE] = "ignored-once",
	[FORGETS] = "forgets",
	[LEAVES_LATE] = "leaves-late",
	[AS_STORAGE] = "as-storage",
	[AS_STORAGE_ONCE] = "as-storage-once",
	[STUCK] = "stuck",
	[AS_BOOT] = "as-boot",
	[BOOT_PASSES] = "boot-passes",
	[STAYS_AWAY] = "stays-away",
	[AS_STRANGER] = "as-stranger",
	[FEWER] = "fewer",
	[SILENT_AFTER] = "silent-after",
	[SILENT_ALWAYS] = "silent-always",
	[REFUSES_CODE] = "refuses-code",
	[DROPS_LINE] = "drops-line",
	[DROPS_LINE_ONCE] = "drops-line-once",
	[CRASHES_AFTER] = "crashes-after",
	[CRASHES_ONCE] = "crashes-once",
	[RESTARTS] = "restarts",
	[NO_CONFIGURATIONS] = "no-configurations",
	[LEAVES_ON_SELECT] = "leaves-on-select",
	[UNAUTHORIZED] = "unauthorized",
	[HIDES] = "hides",
	[PENDING] = "pending",
};

/* Times in ms; those that were seen are facts.md's. */
enum {
	AWAY_FOR = 1560,
	BOOT_FOR = 30,
	CRASHES_AT = 5300,
	LEAVES_AT_ONCE = 50,
	LEAVES_LATE_AT = 17000,
	LEAVES_SELECTED_AT = 800,
	A_STEP_TAKES = 10,
	THE_RUN_TAKES = 120000,
};

struct model {
	const struct firmware *fw;
	uint64_t faults;
	enum kind kind; /* what it is, or will be when it is back */
	bool away;
	bool unlocked;
	int pid;
	int running_pid;
	uint32_t composition;
	uint32_t running;
	uint8_t type;
	uint8_t active;
	uint32_t devnum;
	int64_t clock;
	int64_t leaves;  /* when; 0 = it does not */
	int64_t changes; /* when it is back, or its boot loader has passed; 0 = never */
	unsigned resets;
	unsigned crashes;
	unsigned selections;
	unsigned pid_writes;
	unsigned composition_writes;
	unsigned asked;
};

struct loop {
	struct model model;
	const char *wanted;
	struct target target;
	struct situation s;
	bool link;     /* to the modem as it was asked */
	bool unlocked; /* over this link */
	bool done;
	enum reason reason;
	int64_t since;
	int64_t heard;
	int64_t deadline;
	unsigned steps;
	unsigned stop_at;
	unsigned late_at;
	int first_pid;
	uint32_t first_composition;
	uint8_t first_type;
	char trace[700];
};

static bool has_fault(const struct model *model, enum fault fault)
{
	return model->faults >> fault & 1;
}

static bool is_written(const struct model *model)
{
	return model->pid_writes + model->composition_writes;
}

/* The kernel's choice: the first configuration whose first interface is not the vendor's own. */
static uint8_t kernels_choice(const struct model *model)
{
	for (unsigned c = 0; c < 2; c++) {
		unsigned f = in_configuration(model->fw, model->running, c);

		if ((f & BIT(MBIM)) && !(f & (BIT(DM) | BIT(NMEA))))
			return (uint8_t)(c + 1);
	}
	return 1;
}

static void power_up(struct model *model)
{
	bool crashes = has_fault(model, CRASHES_AFTER) ||
		       (has_fault(model, CRASHES_ONCE) && !model->crashes);

	model->devnum++;
	model->away = false;
	model->unlocked = false;
	model->running = model->composition;
	model->running_pid = model->pid;
	model->active = kernels_choice(model);
	model->leaves = 0;
	model->changes = 0;
	if (crashes && model->resets && model->kind == MODEM) {
		model->leaves = model->clock + CRASHES_AT;
		model->crashes++;
	}
	if (model->kind == BOOT_LOADER && has_fault(model, BOOT_PASSES))
		model->changes = model->clock + BOOT_FOR;
}

/* The modem leaves, and will be back as whatever its faults say. */
static void leave(struct model *model)
{
	bool storage = has_fault(model, AS_STORAGE) ||
		       (has_fault(model, AS_STORAGE_ONCE) && model->resets == 1);

	model->away = true;
	model->leaves = 0;
	model->changes = has_fault(model, STAYS_AWAY) ? 0 : model->clock + AWAY_FOR;
	model->kind = MODEM;
	if (has_fault(model, AS_STRANGER))
		model->kind = FOREIGN;
	if (has_fault(model, AS_BOOT) || has_fault(model, BOOT_PASSES))
		model->kind = BOOT_LOADER;
	if (storage)
		model->kind = STORAGE;
	if (has_fault(model, FORGETS)) {
		model->pid = model->running_pid;
		model->composition = model->running;
	}
}

/* Lets the time pass, but not beyond the next thing that happens. True when that was one. */
static bool pass_time(struct model *model, int64_t until)
{
	int64_t next = until;

	if (model->leaves && model->leaves <= next)
		next = model->leaves;
	if (model->changes && model->changes <= next)
		next = model->changes;
	if (next > model->clock)
		model->clock = next;
	if (model->leaves && model->leaves == next) {
		leave(model);
		return true;
	}
	if (model->changes && model->changes == next) {
		if (!model->away)
			model->kind = MODEM;
		power_up(model);
		return true;
	}
	return false;
}

/* What a configuration really shows. */
static unsigned shown_functions(const struct model *model, unsigned index)
{
	unsigned bits = in_configuration(model->fw, model->running, index);

	if (has_fault(model, FEWER) && model->resets)
		bits &= BIT(DM) | BIT(NMEA);
	if (has_fault(model, HIDES))
		bits &= ~(unsigned)NETWORKS;
	return bits;
}

static enum numbering numbering_of(const struct model *model)
{
	return model->running_pid == 0x68a9 ? AS_GOBI : model->fw->numbering;
}

static void look_at(const struct model *model, struct modem *m)
{
	*m = (struct modem){ .port = "1-1" };
	if (model->away)
		return;
	m->kind = model->kind;
	m->idVendor = 0x1199;
	m->idProduct = (uint16_t)model->running_pid;
	m->devnum = model->devnum;
	m->active = model->active;
	if (model->kind == STORAGE) {
		m->idProduct = 0x0fff;
		m->unauthorized = has_fault(model, UNAUTHORIZED);
		m->active = m->unauthorized ? 0 : 1;
		show(m, 0, BIT(MS), AS_SWI);
	}
	if (model->kind != MODEM)
		return;
	for (unsigned c = 0; c < 2; c++)
		if (in_configuration(model->fw, model->running, c))
			show(m, c, shown_functions(model, c), numbering_of(model));
}

static const char *list_of(const struct model *model)
{
	int pid = has_fault(model, LIST_LAGS) ? model->running_pid : model->pid;
	bool direct_ip = pid == 0x68a3 || pid == 0x68aa;

	if (has_fault(model, LIST_GONE) || (has_fault(model, LIST_SHRINKS) && is_written(model)))
		return "";
	return model->fw->direct && direct_ip ? model->fw->direct : model->fw->other;
}

/* Parsing takes its time; there are few texts. */
static const struct answer *parsed(const char *text, enum dialect dialect)
{
	static struct {
		const char *text;
		struct answer answer;
	} cache[64];
	size_t i = 0;

	while (cache[i].text && cache[i].text != text)
		i++;
	if (!cache[i].text) {
		cache[i].text = text;
		if (dialect == DIALECT_BITMASK)
			parse_bitmask(&cache[i].answer, text);
		else if (dialect == DIALECT_INDEX)
			parse_rows(&cache[i].answer, text);
		else
			parse_pids(&cache[i].answer, text);
	}
	return &cache[i].answer;
}

/* The lists of compositions or bits, and of PIDs. */
static void read_lists(struct answer *a, const char *list, const char *pid_list,
		       enum dialect dialect)
{
	const struct answer *rows = parsed(list, dialect);

	memcpy(a->row, rows->row, sizeof a->row);
	a->rows = rows->rows;
	a->types = rows->types;
	a->bits = rows->bits;
	if (dialect != DIALECT_INDEX || !pid_list)
		return;
	const struct answer *pids_ = parsed(pid_list, NO_DIALECT);
	memcpy(a->pid_list, pids_->pid_list, sizeof a->pid_list);
	a->pids = pids_->pids;
}

static void answer_by_at(const struct model *model, struct answer *a)
{
	const struct firmware *fw = model->fw;
	bool locked = fw->reading != OPEN && !model->unlocked;
	bool no_pid = has_fault(model, PID_SILENT) ||
		      (has_fault(model, PID_APPEARS) && model->asked == 1) ||
		      (has_fault(model, PID_FADES) && model->asked > 1);

	a->dialect = fw->dialect;
	a->type = model->type;
	a->refused = locked;
	if (!no_pid)
		a->pid = model->pid;
	if (!locked)
		read_lists(a, list_of(model), has_fault(model, PIDS_GONE) ? NULL : fw->pids,
			   fw->dialect);
}

static void answer_by_qmi(const struct model *model, struct answer *a)
{
	a->dialect = DIALECT_QMI;
	for (const char *s = has_fault(model, LIST_GONE) ? "" : model->fw->qmi; *s; s++) {
		struct row r = { .number = (uint8_t)*s, .supported = true, .configurations = 1 };

		if (r.number < LEN(compositions))
			memcpy(r.functions, compositions[r.number], sizeof r.functions);
		if (r.functions[1])
			r.configurations = 2;
		add_row(a, &r);
	}
}

/* Is the interface that takes AT commands among those that swflip asks? What it takes for NMEA is
 * one where there is another that it takes for AT. */
static bool is_at_asked(const struct model *model)
{
	static const uint8_t at_number[NUMBERINGS] = {
		[AS_SWI] = 3, [AS_90B1] = 2, [AS_EM91] = 3, [AS_3NICS] = 3, [AS_GOBI] = 2,
	};
	struct modem m;
	bool nmea = false;
	bool at = false;
	bool asked = false;

	look_at(model, &m);
	const struct configuration *c = active_configuration(&m);
	for (unsigned i = 0; c && i < c->interfaces; i++) {
		enum function f = function_of(&m, &c->interface[i]);
		bool true_one = c->interface[i].number == at_number[numbering_of(model)];

		if (f == AT || f == SPARE_AT) {
			at = true;
			asked = asked || true_one;
		}
		if (f == NMEA && true_one)
			nmea = true;
	}
	return asked || (at && nmea);
}

/* The modem's answers to all questions, if it gives any. */
static enum reason answer_all(struct model *model, struct answer *a)
{
	unsigned f = shown_functions(model, model->active - 1u);
	bool at = is_at_asked(model) && model->fw->dialect != DIALECT_QMI;
	bool silent = has_fault(model, SILENT_ALWAYS) ||
		      (has_fault(model, SILENT_AFTER) && model->resets);

	*a = (struct answer){ .pid = UNKNOWN, .composition = model->composition };
	if (silent)
		return SILENT;
	model->asked++;
	if (at && model->fw->reading == ALL_LOCKED && !model->unlocked) {
		if (has_fault(model, REFUSES_CODE))
			return LOCKED;
		model->unlocked = true;
	}
	if (at)
		answer_by_at(model, a);
	else if ((f & (BIT(MBIM) | BIT(QMI))) && model->fw->qmi)
		answer_by_qmi(model, a);
	else
		return NO_TUNNEL;
	return NO_REASON;
}

/* Stores a value. Returns whether the modem says that it did. */
static bool store_value(struct model *model, bool pid, uint32_t value, bool back)
{
	bool mask = model->fw->dialect == DIALECT_BITMASK;
	uint32_t other = value == 7 ? 12 : 7;
	enum fault lost = pid ? PID_LOST : COMP_LOST;

	if (mask)
		other = 0x109;
	if (pid)
		model->pid_writes++;
	else
		model->composition_writes++;
	if (!pid && !back && has_fault(model, COMP_REFUSED))
		return false;
	if (mask && !pid) /* act_write() gives the type that was found */
		model->type = !back && has_fault(model, TYPE_OTHER) ? 1 + model->fw->type % 3
								    : model->fw->type;
	if (has_fault(model, back ? PUTBACK_LOST : lost))
		return true;
	if (!back && has_fault(model, pid ? PID_OTHER : COMP_OTHER))
		value = pid ? 0x68a9 : other;
	if (pid) {
		model->pid = (int)value;
		if (!has_fault(model, NO_FOLLOW))
			model->composition = value == 0x68a3 || value == 0x68aa ? 3 : 6;
		return true;
	}
	model->composition = value;
	if (has_fault(model, PID_MOVES) && !back)
		model->pid = 0x68b1;
	return true;
}

/* ---- the rules, step by step ---- */

static bool lists_row(const struct answer *a, uint32_t number, struct row *row)
{
	bool any = false;

	for (unsigned i = 0; i < a->rows; i++) {
		if (a->row[i].number == number && a->row[i].supported) {
			any = true;
			*row = a->row[i];
		}
	}
	return any;
}

static bool lists_pid(const struct answer *a, uint32_t pid)
{
	for (unsigned i = 0; i < a->pids; i++)
		if (a->pid_list[i] == pid)
			return true;
	return false;
}

static unsigned seen_in(const struct modem *m, unsigned index)
{
	unsigned f = 0;

	for (unsigned i = 0; index < m->configurations && i < m->configuration[index].interfaces;
	     i++)
		f |= BIT(function_of(m, &m->configuration[index].interface[i]));
	return f;
}

/* Names are served by the descriptors: by which configuration, 0 = none. */
static unsigned served(const struct modem *m, const struct target *t)
{
	for (unsigned c = 0; c < m->configurations; c++)
		if (!(t->value & ~seen_in(m, c)) &&
		    (!t->configuration || t->configuration == c + 1))
			return c + 1;
	return 0;
}

static bool is_right_by_names(const struct situation *s)
{
	const struct target *t = s->wanted;

	return t->mode == MODE_NAMES && t->pid == UNKNOWN && served(&s->seen, t) &&
	       !s->history.written;
}

static unsigned families_in(uint32_t mask)
{
	unsigned n = 0;

	n += (mask & 0xd00) != 0;
	n += (mask & 0x1000) != 0;
	n += (mask & 0x4000) != 0;
	n += (mask & 0x80000) != 0;
	return n;
}

/* A PID that is not said, as by QMI, is not another one. */
static bool known_same(int a, int b)
{
	return a == b || a == UNKNOWN || b == UNKNOWN;
}

static bool same_setting(const struct answer *a, const struct answer *b)
{
	return known_same(a->pid, b->pid) && a->composition == b->composition && a->type == b->type;
}

/* What the rules ask of a situation, over and over. */
struct facts {
	bool ready;    /* a modem that can be worked on */
	bool as_found; /* stored is what was found; and so on */
	bool as_written;
	bool runs;
	bool begun; /* a change is neither finished nor put back */
	bool over;  /* it is stopped, or on its way back */
};

static struct facts facts_of(const struct situation *s)
{
	const struct history *h = &s->history;
	const struct answer *a = &s->answer;
	struct facts f = {
		.ready = s->seen.kind == MODEM && s->seen.active && !s->seen.unauthorized,
		.as_found = h->asked && same_setting(a, &h->found),
		.runs = same_setting(a, &h->running),
		.over = h->stopped || h->refused != NO_REASON,
	};
	bool pid = h->written & PID ? a->pid == h->pid : known_same(a->pid, h->found.pid);
	bool composition = !(h->written & COMPOSITION) || a->composition == h->composition;

	f.as_written = pid && composition && a->type == h->found.type;
	f.begun = h->written && !h->committed && !(f.as_found && f.runs);
	return f;
}

/* What is wrong with a step, by the rules of the contract; NULL if nothing is. */
static const char *wrong_end(const struct situation *s, const struct step *step)
{
	const struct history *h = &s->history;
	const struct modem *m = &s->seen;
	const struct target *t = s->wanted;
	struct facts f = facts_of(s);

	if (step->action == REFUSE)
		return step->reason == NO_REASON ? "refuses without a reason" : NULL;
	if (step->action == WAIT_FOR_IT) {
		if (step->ms <= 0)
			return "waits for no time: it would spin";
		if (step->ms > s->left_ms)
			return "waits beyond the deadline";
		if (m->kind == STORAGE)
			return "waits for storage to change by itself";
		return h->stopped && !f.begun ? "waits after TERM" : NULL;
	}
	if (step->action != DONE)
		return NULL;
	if (f.over)
		return "is content though it is to refuse";
	if (h->written && s->age_ms < STAY_MS)
		return "is content without having watched";
	if (h->selections && s->age_ms < SETTLE_MS && s->left_ms > 0)
		return "is content while the modem may leave (C10)";
	if (t->pid != UNKNOWN && t->pid != m->idProduct && !(h->asked && t->pid == s->answer.pid))
		return "is content with another PID";
	if (t->configuration && t->configuration != m->active)
		return "is content with another configuration";
	return NULL;
}

static const char *wrong_place(const struct situation *s, const struct step *step)
{
	const struct history *h = &s->history;
	const struct modem *m = &s->seen;
	struct facts f = facts_of(s);
	bool looks_for_way = step->action == ASK || step->action == SELECT;

	if (step->action == WAIT_FOR_IT || step->action == REFUSE)
		return NULL;
	if (h->losses >= MOST_LOSSES + h->resets)
		return "goes on with a modem that leaves again and again";
	if (m->kind != MODEM && m->kind != STORAGE)
		return "does something to what is no modem";
	if (m->kind == STORAGE && step->action != FLIP && step->action != SELECT)
		return "talks to storage";
	if (!m->active && step->action != FLIP)
		return "does something to an unconfigured modem";
	if (m->unauthorized)
		return "does something to a device that is not authorized";
	/* it must ask first to put something back */
	bool must = f.begun && !h->asked && looks_for_way;
	if (h->refused != NO_REASON && f.ready && step->reason != h->refused && !must)
		return "forgets that it refuses";
	bool back = (step->action == WRITE_PID || step->action == WRITE_COMPOSITION ||
		     step->action == RESET) &&
		    step->reason != NO_REASON;
	must = must || (f.begun && m->kind == STORAGE);
	if (h->stopped && !must && !back && step->action != DONE &&
	    !(f.begun && step->action == RESET))
		return "goes on after TERM";
	return NULL;
}

static const char *wrong_reset(const struct situation *s, const struct step *step)
{
	const struct history *h = &s->history;
	struct facts f = facts_of(s);

	if (h->resets >= 2) /* rule 4, whatever MOST_RESETS is */
		return "resets a third time";
	if (h->refused == NO_RESET)
		return "resets again what did not reset";
	if (!h->asked || h->unreachable != NO_REASON)
		return "resets without an answer";
	if (!f.as_written && !f.as_found && h->written)
		return "resets after a read-back that differs";
	if (h->stopped && !f.as_found)
		return "resets into the target after TERM";
	if (f.runs && (step->reason != NO_REASON || h->resets))
		return "resets into what runs";
	if (s->wanted->mode == MODE_MODEM && !h->written)
		return "resets for nothing";
	if (step->commits && step->reason != NO_REASON)
		return "puts the target in on its way back";
	if (!step->commits && step->reason == NO_REASON && h->written != PID)
		return "resets without the target, not for a list";
	return NULL;
}

static const char *wrong_step(const struct situation *s, const struct step *step)
{
	const struct history *h = &s->history;
	const struct modem *m = &s->seen;
	const struct target *t = s->wanted;
	struct facts f = facts_of(s);

	switch (step->action) {
	case FLIP:
		if (m->kind != STORAGE || h->flips >= MOST_FLIPS || h->unreachable != NO_REASON)
			return "flips once too often";
		for (unsigned c = 0; c < m->configurations; c++)
			if ((functions_of(m, &m->configuration[c]) & ~BIT(MS)) &&
			    (t->mode == MODE_MODEM ||
			     (t->mode == MODE_NAMES && !(t->value & ~seen_in(m, c)))))
				return "flips what needs a configuration";
		return NULL;
	case SELECT:
		if (step->value == m->active || !step->value || step->value > m->configurations)
			return "selects the active configuration, or none";
		if (h->selections >= MOST_SELECTIONS)
			return "selects a configuration after that failed, or once too often";
		return NULL;
	case ASK:
		if (!(seen_in(m, m->active - 1u) &
		      (BIT(AT) | BIT(SPARE_AT) | BIT(QMI) | BIT(MBIM))))
			return "asks where nobody can answer";
		if (h->asked || h->unreachable != NO_REASON)
			return "asks again";
		if (t->mode == MODE_MODEM && !h->written)
			return "asks a modem of which nothing is wanted";
		return is_right_by_names(s) ? "asks although the descriptors tell" : NULL;
	case UNLOCK: /* rule 1: the code goes only to who refuses to be read, or is to be written */
		if (!h->asked || !s->answer.refused || h->unlocked)
			return "sends the code to who can be read";
		if (t->mode == MODE_MODEM || f.over)
			return "sends the code for nothing";
		if (t->mode == MODE_NUMBER && s->answer.dialect == DIALECT_INDEX && !h->written &&
		    t->value == s->answer.composition &&
		    known_same(t->pid, s->answer.pid == UNKNOWN ? m->idProduct : s->answer.pid))
			return "sends the code to who is right (C2)";
		return NULL;
	case RESET:
		return wrong_reset(s, step);
	default:
		return NULL;
	}
}

static const char *wrong_way_back(const struct situation *s, const struct step *step)
{
	const struct history *h = &s->history;
	bool pid = step->action == WRITE_PID;

	if (!h->written)
		return "puts back what it did not write";
	if (h->committed) /* C7: also where it does not reset */
		return "puts back after the target went in";
	if (pid && (h->found.pid == UNKNOWN || step->value != (uint32_t)h->found.pid))
		return "puts back a PID that was not found";
	if (!pid && (step->value != h->found.composition || h->found.dialect == NO_DIALECT))
		return "puts back a composition that was not found";
	if (h->restored & (pid ? PID : COMPOSITION))
		return "puts back twice";
	return NULL;
}

static const char *wrong_pid(const struct situation *s, const struct step *step)
{
	const struct answer *a = &s->answer;
	const struct target *t = s->wanted;
	bool direct_ip = a->pid == 0x68a3 || a->pid == 0x68aa;
	bool moves_there = t->mode == MODE_NAMES && step->value == 0x68a2 && direct_ip &&
			   !(t->value & (BIT(NET) | BIT(ECM) | BIT(MS)));

	if (!lists_pid(a, step->value))
		return "writes a PID that is not listed";
	if (!a->rows)
		return "writes a PID without a list of compositions (C4)";
	if (a->pid == UNKNOWN || s->history.found.pid == UNKNOWN)
		return "writes a PID without having read the present one";
	if ((int)step->value == a->pid)
		return "writes the PID that is there";
	if (s->history.written & COMPOSITION)
		return "writes the PID after the composition";
	if (t->pid != UNKNOWN && (int)step->value != t->pid)
		return "writes another PID than the wanted";
	if (t->pid == UNKNOWN && !moves_there)
		return "writes a PID that nobody asked for";
	return NULL;
}

static const char *wrong_bitmask(const struct situation *s, const struct step *step)
{
	const uint32_t networks = 0x100 | 0x400 | 0x800 | 0x1000 | 0x4000 | 0x80000;
	const struct answer *a = &s->answer;
	const struct target *t = s->wanted;
	uint32_t value = step->value;
	unsigned wanted = t->value & (BIT(QMI) | BIT(MBIM) | BIT(ECM));

	if (!(a->types >> a->type & 1))
		return "writes a type that is not listed";
	if (value & ~a->composition & ~a->bits)
		return "adds bits that are not listed";
	if (!(value & 8) && !t->without_at)
		return "writes a bitmask without an AT port";
	if (t->mode == MODE_BITMASK)
		return value != t->value ? "writes another bitmask than the wanted" : NULL;
	if (a->composition & ~value & ~networks)
		return "takes bits away that nobody named";
	if (t->mode == MODE_NUMBER)
		return families_in(value) > 1 ? "writes two networks" : NULL;
	if (wanted && families_in(value) > (unsigned)__builtin_popcount(wanted))
		return "writes a network that nobody named";
	return t->value & ~mask_functions(value) ? "writes a bitmask that does not serve" : NULL;
}

static const char *wrong_composition(const struct situation *s, const struct step *step)
{
	const struct answer *a = &s->answer;
	const struct target *t = s->wanted;
	struct facts f = facts_of(s);
	struct row row = { 0 };
	bool first;
	bool second;

	if (step->value == a->composition)
		return "writes the composition that is there";
	if (!f.as_written)
		return "writes on after a read-back that differs";
	if (t->pid != UNKNOWN && a->pid != UNKNOWN && t->pid != a->pid)
		return "writes the composition before the PID";
	if (a->dialect == DIALECT_BITMASK)
		return wrong_bitmask(s, step);
	if (!lists_row(a, step->value, &row))
		return "writes a composition that is not listed";
	if (!((row.functions[0] | row.functions[1]) & BIT(AT)) && !t->without_at)
		return "writes a composition without an AT port";
	if (t->mode == MODE_BITMASK || (t->mode == MODE_NUMBER && step->value != t->value))
		return "writes another composition than the wanted";
	if (t->mode != MODE_NAMES)
		return NULL;
	first = !(t->value & ~(unsigned)row.functions[0]) && t->configuration < 2;
	second = !(t->value & ~(unsigned)row.functions[1]) && row.configurations == 2 &&
		 t->configuration != 1;
	if (!first && !second)
		return "writes a composition that does not serve";
	if ((row.functions[0] | row.functions[1]) & (BIT(ECM) | BIT(RNDIS) | BIT(AUDIO)) &
	    ~t->value)
		return "writes ECM, RNDIS or AUDIO that nobody named (C8)";
	return NULL;
}

static const char *wrong_write(const struct situation *s, const struct step *step)
{
	const struct history *h = &s->history;
	const struct target *t = s->wanted;
	bool pid = step->action == WRITE_PID;

	if (!pid && step->action != WRITE_COMPOSITION)
		return NULL;
	if (!h->asked || h->unreachable != NO_REASON || s->answer.dialect == NO_DIALECT)
		return "writes without having asked";
	if (pid && s->answer.dialect != DIALECT_INDEX)
		return "writes a PID where that is not written";
	if (step->reason != NO_REASON)
		return wrong_way_back(s, step);
	if (s->left_ms < MARGIN_MS)
		return "writes with too little time left";
	if (h->stopped || h->refused != NO_REASON)
		return "writes on the way out";
	if (h->written & (pid ? PID : COMPOSITION))
		return "writes twice";
	if (h->committed)
		return "writes after the reset that was to be the last";
	if (t->mode == MODE_MODEM || t->mode == MODE_OFF)
		return "writes although nothing is wanted";
	if (is_right_by_names(s))
		return "writes to a modem that is right";
	return pid ? wrong_pid(s, step) : wrong_composition(s, step);
}

static const char *unlawful(const struct situation *s, const struct step *step)
{
	static const char *(*const rules[])(const struct situation *, const struct step *) = {
		wrong_end,
		wrong_place,
		wrong_step,
		wrong_write,
	};

	for (size_t i = 0; i < LEN(rules); i++) {
		const char *wrong = rules[i](s, step);

		if (wrong)
			return wrong;
	}
	return NULL;
}

/* ---- round and round ---- */

__attribute__((format(printf, 2, 3))) static void note(struct loop *l, const char *format, ...)
{
	size_t n = strlen(l->trace);
	va_list list;

	va_start(list, format);
	vsnprintf(l->trace + n, sizeof l->trace - n, format, list);
	va_end(list);
}

#define NAMED(reason) [reason] = #reason
static const char *const reason_names[REASONS] = {
	NAMED(NO_REASON),
	NAMED(STAYS_STORAGE),
	NAMED(NOT_SELECTED),
	NAMED(NO_SUCH_CONFIGURATION),
	NAMED(NOT_AUTHORIZED),
	NAMED(STAYS_BOOT_LOADER),
	NAMED(NOT_SIERRA),
	NAMED(MISSING),
	NAMED(NOT_CONFIGURED),
	NAMED(NOTHING_TO_ASK),
	NAMED(SILENT),
	NAMED(NO_TUNNEL),
	NAMED(NO_NODE),
	NAMED(NOT_PERMITTED),
	NAMED(NO_COMMANDS),
	NAMED(LOCKED),
	NAMED(HELD),
	NAMED(NO_LIST),
	NAMED(TYPE_NOT_LISTED),
	NAMED(NO_BIT),
	NAMED(NO_BITMASKS),
	NAMED(NO_NUMBERS),
	NAMED(ONLY_WITHOUT_AT),
	NAMED(NOT_LISTED),
	NAMED(PID_NOT_LISTED),
	NAMED(PID_NOT_WRITABLE),
	NAMED(READS_BACK_OTHERWISE),
	NAMED(NO_RESET),
	NAMED(NOT_SHOWN),
	NAMED(CRASHES),
	NAMED(STOPPED),
	NAMED(LATE),
	NAMED(LATE_TO_STAY),
	NAMED(HANGS),
	NAMED(NOT_STARTED),
	NAMED(WORK_LOST),
};

static const char *name_of(enum reason reason)
{
	return reason < REASONS && reason_names[reason] ? reason_names[reason] : "?";
}

/* As look_again() does it. */
static void look_once(struct loop *l)
{
	struct situation *s = &l->s;
	struct modem m;

	l->model.clock += A_STEP_TAKES;
	pass_time(&l->model, l->model.clock);
	look_at(&l->model, &m);
	bool nothing = m.kind == ABSENT && s->seen.kind == ABSENT;
	if (!nothing && !is_same_start(&m, &s->seen)) {
		l->link = false;
		l->since = l->model.clock;
		l->heard = l->model.clock;
	}
	observe(s, &m);
	if (l->steps == l->late_at)
		l->deadline = l->model.clock + MARGIN_MS - 1;
	s->history.stopped = l->steps >= l->stop_at;
	s->age_ms = l->model.clock - l->since;
	s->silent_ms = l->model.clock - l->heard;
	s->left_ms = l->deadline - l->model.clock;
}

static void obey_ask(struct loop *l, const struct step *step)
{
	struct answer a;
	const struct history *h = &l->s.history;
	enum reason reason = answer_all(&l->model, &a);

	(void)step;
	note(l, "ask ");
	/* as read_at() has it: once something was written, an answer without the PID is none */
	if (reason == NO_REASON && a.dialect != DIALECT_QMI && a.pid == UNKNOWN && h->written &&
	    h->found.pid != UNKNOWN)
		reason = NO_COMMANDS;
	if (reason != NO_REASON) {
		note_silence(&l->s.history, reason);
		return;
	}
	l->heard = l->model.clock;
	l->link = true;
	l->unlocked = l->model.unlocked;
	note_answer(&l->s, &a);
	l->s.history.unlocked = l->unlocked;
}

/* False where the modem has another code. */
static bool unlock_model(struct loop *l)
{
	if (has_fault(&l->model, REFUSES_CODE))
		return false;
	l->model.unlocked = true;
	l->unlocked = true;
	return true;
}

static void obey_unlock(struct loop *l, const struct step *step)
{
	struct answer a;

	(void)step;
	note(l, "unlock ");
	if (!unlock_model(l)) {
		note_silence(&l->s.history, LOCKED);
		return;
	}
	if (answer_all(&l->model, &a) != NO_REASON) {
		note_silence(&l->s.history, NO_COMMANDS);
		return;
	}
	note_answer(&l->s, &a);
	l->s.history.unlocked = true;
}

static void note_written(struct loop *l, const struct step *step)
{
	const char *what = "comp";
	bool bitmask = l->s.answer.dialect == DIALECT_BITMASK;

	if (step->action == WRITE_PID)
		what = "pid";
	else if (bitmask)
		what = "mask";
	note(l, "%s%s ", step->reason != NO_REASON ? "back-" : "", what);
	note(l, step->action == WRITE_PID || bitmask ? "%X " : "%u ", step->value);
}

/* As act_write() does it. */
static void obey_write(struct loop *l, const struct step *step)
{
	struct model *model = &l->model;
	struct situation *s = &l->s;
	uint32_t before = s->answer.composition;
	enum dialect dialect = s->answer.dialect;
	bool pid = step->action == WRITE_PID;
	struct answer a;

	if (dialect != DIALECT_QMI && !l->unlocked && !unlock_model(l)) {
		note_silence(&s->history, LOCKED);
		return;
	}
	note_written(l, step);
	note_write(s, step);
	bool acknowledged = store_value(model, pid, step->value, step->reason != NO_REASON);
	bool first = model->pid_writes + model->composition_writes == 1;
	if (has_fault(model, RESTARTS) && first)
		leave(model);
	bool dropped = has_fault(model, DROPS_LINE) || (has_fault(model, DROPS_LINE_ONCE) && first);
	if (dropped || model->away || answer_all(model, &a) != NO_REASON)
		return;
	if (!pid) { /* the lists are not asked for again */
		struct answer stored = a;

		a = s->answer;
		a.dialect = stored.dialect;
		a.pid = stored.pid;
		a.composition = stored.composition;
		a.type = stored.type;
		a.refused = false;
	}
	if (dialect == DIALECT_QMI || a.pid != UNKNOWN || s->history.found.pid == UNKNOWN)
		note_read_back(s, step, &a, acknowledged, before);
}

/* As act_reset() does it: done when the modem has left. */
static void obey_reset(struct loop *l, const struct step *step)
{
	struct model *model = &l->model;
	bool ignored =
		has_fault(model, IGNORED) || (has_fault(model, IGNORED_ONCE) && model->resets == 0);
	int64_t until = earlier(model->clock + LEAVE_MS, l->deadline);

	note(l, "reset ");
	l->link = false;
	note_reset(&l->s.history, step);
	model->resets++;
	if (!ignored)
		model->leaves = model->clock +
				(has_fault(model, LEAVES_LATE) ? LEAVES_LATE_AT : LEAVES_AT_ONCE);
	if (!pass_time(model, until))
		note_no_reset(&l->s.history);
}

static void obey_select(struct loop *l, const struct step *step)
{
	struct model *model = &l->model;
	bool taken = !has_fault(model, NO_CONFIGURATIONS);

	note(l, "select %u ", step->value);
	l->link = false;
	if (taken)
		model->active = (uint8_t)step->value;
	note_selection(&l->s, taken);
	l->since = model->clock;
	model->selections++;
	if (taken && has_fault(model, LEAVES_ON_SELECT) && model->selections == 1)
		model->leaves = model->clock + LEAVES_SELECTED_AT;
}

static void obey_flip(struct loop *l, const struct step *step)
{
	struct model *model = &l->model;

	(void)step;
	note(l, "flip ");
	note_flip(&l->s.history);
	if (has_fault(model, STUCK))
		return;
	model->away = true;
	model->kind = MODEM;
	model->changes = model->clock + AWAY_FOR;
}

static void obey_wait(struct loop *l, const struct step *step)
{
	bool there = l->s.seen.kind == MODEM && l->s.seen.active;

	note(l, there ? "watch " : "wait ");
	pass_time(&l->model, l->model.clock + step->ms);
}

/* What act() does, to a model; and work() around it. False when it is over. */
static bool obey(struct loop *l, const struct step *step)
{
	static const struct {
		void (*act)(struct loop *l, const struct step *step);
		bool needs_link;
	} acts[] = {
		[WAIT_FOR_IT] = { obey_wait, false },       [FLIP] = { obey_flip, false },
		[SELECT] = { obey_select, false },          [ASK] = { obey_ask, false },
		[UNLOCK] = { obey_unlock, true },           [WRITE_PID] = { obey_write, true },
		[WRITE_COMPOSITION] = { obey_write, true }, [RESET] = { obey_reset, true },
	};

	note_way_back(&l->s.history, step->reason);
	if (step->action == DONE) {
		note(l, "done ");
		l->done = true;
		return false;
	}
	if (step->action == REFUSE) {
		note(l, "refuse %s ", name_of(step->reason));
		l->reason = step->reason;
		return false;
	}
	if (acts[step->action].needs_link && !l->link) {
		note_silence(&l->s.history, NO_REASON); /* it must be asked again first */
		return true;
	}
	acts[step->action].act(l, step);
	return true;
}

enum { NEVER = 1000, BOUND = 60 };

static unsigned long decisions;
static unsigned long loops;

static bool same_step(const struct step *a, const struct step *b)
{
	return a->action == b->action && a->value == b->value && a->reason == b->reason &&
	       a->commits == b->commits && a->ms == b->ms;
}

/* One run over a modem as it is, from the first look to the end. Every step is held against the
 * rules. */
static void drive_on(struct loop *l, const struct model *model, const char *wanted,
		     unsigned stop_at, unsigned late_at)
{
	const char *wrong = NULL;

	memset(l, 0, sizeof *l);
	l->model = *model;
	l->wanted = wanted;
	l->stop_at = stop_at;
	l->late_at = late_at;
	l->since = model->clock;
	l->heard = model->clock;
	l->deadline = model->clock + THE_RUN_TAKES;
	l->first_pid = model->pid;
	l->first_composition = model->composition;
	l->first_type = model->type;
	l->s.wanted = &l->target;
	loops++;
	if (parse_target(&l->target, wanted)) {
		hold(false, "%s: not a target", wanted);
		return;
	}
	for (; l->steps < BOUND; l->steps++) {
		look_once(l);
		struct step step = decide(&l->s);
		struct step again = decide(&l->s);
		decisions++;
		wrong = unlawful(&l->s, &step);
		if (!same_step(&step, &again))
			wrong = "is not a function of its input";
		if (wrong || !obey(l, &step))
			break;
	}
	hold(!wrong, "%s, target %s: %s; %s", model->fw->name, wanted, l->trace, wrong);
	hold(l->steps < BOUND, "%s, target %s: no end: %s", model->fw->name, wanted, l->trace);
	/* C10; who was only reset, and not written to, is not watched (rule 9) */
	if (l->done && (l->s.history.written || l->s.history.selections))
		hold(!l->model.leaves, "%s, target %s: %s while it is leaving", model->fw->name,
		     wanted, l->trace);
}

/* The same from power-on. */
static void drive(struct loop *l, const struct firmware *fw, const char *wanted, uint64_t faults,
		  unsigned stop_at, unsigned late_at)
{
	struct model model = {
		.fw = fw,
		.faults = faults,
		.pid = fw->pid,
		.composition = fw->composition,
		.type = fw->type,
		.kind = fw->storage ? STORAGE : MODEM,
	};

	power_up(&model);
	if (has_fault(&model, PENDING))
		model.composition = fw->dialect == DIALECT_BITMASK ? 0x100d : 8;
	drive_on(l, &model, wanted, stop_at, late_at);
}

/* Does the model do what the target says? */
static bool is_right(const struct loop *l)
{
	const struct model *model = &l->model;
	const struct firmware *fw = model->fw;
	const struct target *t = &l->target;
	unsigned active = in_configuration(fw, model->running, model->active - 1u);
	unsigned other = in_configuration(fw, model->running, 2u - model->active);

	if (model->away || model->kind != MODEM)
		return false;
	if (t->configuration && t->configuration != model->active)
		return false;
	if (t->pid != UNKNOWN && t->pid != model->running_pid)
		return false;
	if (t->mode == MODE_MODEM)
		return true;
	if (t->mode == MODE_NAMES)
		return !(t->value & ~active);
	if (t->mode == MODE_BITMASK && fw->dialect == DIALECT_BITMASK)
		return t->value == model->running;
	if (t->mode == MODE_BITMASK) /* C5: seen where nobody can be asked about bits */
		return mask_functions(t->value) == active && !((active | other) & BIT(AT));
	if (fw->dialect != DIALECT_BITMASK)
		return t->value == model->running;
	/* 6, 8 and 9 mean the functions of the table; without an AT port any of it is seen */
	if (!(active & BIT(AT)))
		return number_functions(fw, t->value) == active;
	return (t->value == 6 || t->value == 8 || t->value == 9) &&
	       !(number_functions(fw, t->value) & ~active);
}

/* The row that the contract chooses: has it now, with an AT port, one configuration, fewer extras,
 * lower number. */
struct rank {
	bool no_at;
	bool dual;
	unsigned extras;
	unsigned number;
};

static bool is_better(const struct rank *a, const struct rank *b)
{
	if (a->no_at != b->no_at)
		return b->no_at;
	if (a->dual != b->dual)
		return b->dual;
	if (a->extras != b->extras)
		return a->extras < b->extras;
	return a->number < b->number;
}

static bool can_serve(const struct row *r, const struct target *t)
{
	unsigned all = r->functions[0] | r->functions[1];

	if (t->mode == MODE_NUMBER)
		return r->number == t->value && (t->configuration <= r->configurations || !all);
	if (all & (BIT(ECM) | BIT(RNDIS) | BIT(AUDIO)) & ~t->value)
		return false;
	for (unsigned c = 0; c < r->configurations; c++)
		if (!(t->value & ~(unsigned)r->functions[c]) &&
		    (!t->configuration || t->configuration == c + 1))
			return true;
	return false;
}

static const struct row *best_row(const struct answer *a, const struct target *t, uint32_t now)
{
	const struct row *best = NULL;
	struct rank best_rank = { .no_at = false };

	for (unsigned i = 0; i < a->rows; i++) {
		const struct row *r = &a->row[i];
		unsigned all = r->functions[0] | r->functions[1];
		struct rank rank = {
			.no_at = !(all & BIT(AT)),
			.dual = r->configurations > 1,
			.extras = (unsigned)__builtin_popcount(all & ~t->value),
			.number = r->number,
		};

		if (!r->supported || !can_serve(r, t))
			continue;
		if (r->number == now)
			return r;
		if (rank.no_at && !t->without_at)
			continue;
		if (!best || is_better(&rank, &best_rank)) {
			best = r;
			best_rank = rank;
		}
	}
	return best;
}

/* Where an honest modem of the numbered dialects must end up: PID and composition, or nowhere. */
static bool destination(const struct firmware *fw, const struct target *t, int *pid,
			uint32_t *composition)
{
	struct model there = { .fw = fw, .pid = fw->pid, .running_pid = fw->pid };
	bool direct_ip = fw->pid == 0x68a3 || fw->pid == 0x68aa;
	struct answer a = { .rows = 0 };

	read_lists(&a, list_of(&there), fw->pids, DIALECT_INDEX);
	*pid = fw->pid;
	*composition = fw->composition;
	if (t->pid != UNKNOWN && t->pid != fw->pid) {
		if (!lists_pid(&a, (uint32_t)t->pid) || !a.rows)
			return false;
		*pid = t->pid;
		there.pid = t->pid;
		*composition = t->pid == 0x68a3 || t->pid == 0x68aa ? 3 : 6;
	}
	read_lists(&a, list_of(&there), fw->pids, DIALECT_INDEX);
	const struct row *r = best_row(&a, t, *composition);
	if (!r && t->pid == UNKNOWN && t->mode == MODE_NAMES && direct_ip && a.rows &&
	    lists_pid(&a, 0x68a2) && !(t->value & (BIT(NET) | BIT(ECM) | BIT(MS)))) {
		*pid = 0x68a2;
		there.pid = 0x68a2;
		*composition = 6;
		read_lists(&a, list_of(&there), fw->pids, DIALECT_INDEX);
		r = best_row(&a, t, *composition);
	}
	if (r)
		*composition = r->number;
	return r != NULL;
}

/* A modem without faults, as it is in a composition. */
static void view(struct modem *m, const struct firmware *fw, int pid, uint32_t composition,
		 uint8_t active)
{
	struct model model = { .fw = fw, .kind = MODEM, .pid = pid, .composition = composition };

	power_up(&model);
	if (active)
		model.active = active;
	look_at(&model, m);
}

/* Is the modem right before anything is done, as far as the contract lets swflip know? */
static bool was_right(const struct loop *l)
{
	const struct firmware *fw = l->model.fw;
	const struct target *t = &l->target;
	bool same_pid = t->pid == UNKNOWN || t->pid == fw->pid;
	struct modem m;

	view(&m, fw, fw->pid, fw->composition, 0);
	if (!same_pid || t->configuration > m.configurations)
		return false;
	if (t->mode == MODE_NUMBER)
		return fw->composition == t->value;
	return t->mode == MODE_NAMES && served(&m, t);
}

/* An honest modem: it gets there if it can be had, and is untouched if not. */
static void check_honest(const struct loop *l)
{
	const struct model *model = &l->model;
	const struct firmware *fw = model->fw;
	const struct target *t = &l->target;
	bool one_list = !strcmp(fw->name, "one-list"); /* only a reset tells what it offers */
	bool can_be_asked = in_configuration(fw, fw->composition, 0) & BIT(AT);
	uint32_t composition;
	int pid;

	/* one vendor interface, which is neither on 3 nor QMI, is as good as a boot loader (rule
	 * 8); and what stands on 3 there is taken for an AT port, which has to answer */
	bool unknowable =
		fw->numbering == AS_90B1 && (model->running == 8 || model->running == 0x1005);
	hold(l->done == is_right(l) || unknowable, "%s, target %s: %s but %X/%u runs", fw->name,
	     l->wanted, l->trace, (unsigned)model->running_pid, model->running);
	hold(model->pid == model->running_pid && model->composition == model->running,
	     "%s, target %s: %s leaves something stored", fw->name, l->wanted, l->trace);
	if (!l->done && !l->s.history.committed)
		hold(model->composition == fw->composition && model->pid == fw->pid &&
			     model->type == fw->type,
		     "%s, target %s: %s leaves %X/%u", fw->name, l->wanted, l->trace,
		     (unsigned)model->pid, model->composition);
	hold(!model->resets || is_written(model), /* B4, rule 2 */
	     "%s, target %s: %s resets a modem that it did not write to", fw->name, l->wanted,
	     l->trace);
	if (l->done)
		hold(model->resets <= 1 || one_list, "%s, target %s: %s needs but one reset",
		     fw->name, l->wanted, l->trace);
	if (fw->dialect != DIALECT_INDEX || t->mode == MODE_MODEM || t->mode == MODE_BITMASK)
		return;
	if (was_right(l)) {
		hold(l->done && !is_written(model) && !model->resets,
		     "%s, target %s: %s though it was right", fw->name, l->wanted, l->trace);
		return;
	}
	if (!can_be_asked || one_list)
		return;
	bool can = destination(fw, t, &pid, &composition);
	hold(l->done == can, "%s, target %s: %s, but it can%s be had", fw->name, l->wanted,
	     l->trace, can ? "" : "not");
	if (l->done && can)
		hold(model->running_pid == pid && model->running == composition,
		     "%s, target %s: %s ends in %X/%u, not in %X/%u", fw->name, l->wanted, l->trace,
		     (unsigned)model->running_pid, model->running, (unsigned)pid, composition);
}

/* Issue 16, point 5: what a run says, the next one says as well; and after a good one there is
 * nothing to be written, reset or flipped. */
static void check_again(const struct loop *first)
{
	static struct loop l;
	struct model model = first->model;

	model.resets = 0;
	model.pid_writes = 0;
	model.composition_writes = 0;
	model.asked = 0;
	drive_on(&l, &model, first->wanted, NEVER, NEVER);
	hold(l.done == first->done && l.reason == first->reason,
	     "%s, target %s: %sthe first time, %sthe second", model.fw->name, first->wanted,
	     first->trace, l.trace);
	if (first->done)
		hold(!is_written(&l.model) && !l.model.resets && !l.s.history.flips,
		     "%s, target %s: after %sthe second run does %s", model.fw->name, first->wanted,
		     first->trace, l.trace);
}

/* What swflip cannot know better: serial ports look alike and are believed (rule 2), and of a
 * number or a bitmask that the modem no longer says only its networks, by configuration, and its
 * PID are seen. */
static bool looks_right(const struct loop *l)
{
	const struct model *model = &l->model;
	const struct firmware *fw = model->fw;
	const struct target *t = &l->target;
	const unsigned believed = BIT(DM) | BIT(NMEA) | BIT(AT) | BIT(NET);
	const unsigned seen = NETWORKS & ~BIT(NET);
	unsigned active = in_configuration(fw, model->running, model->active - 1u);
	bool pending = has_fault(model, PENDING);
	bool known = fw->other == newer && fw->pid == 0x68a2 && fw->reading == OPEN &&
		     !has_fault(model, LIST_GONE);

	if (t->pid != UNKNOWN && t->pid != model->running_pid)
		return false;
	if (t->mode == MODE_NAMES)
		return pending && !(t->value & ~believed & ~active);
	/* stored by somebody else, not in the list, so nobody knows what it would show */
	if (t->mode == MODE_NUMBER && pending && !known)
		return true;
	if (pending && has_fault(model, HIDES))
		return true;
	for (unsigned c = 0; c < 2; c++) {
		unsigned wanted = in_configuration(fw, t->value, c);
		unsigned there = in_configuration(fw, model->running, c);

		if ((wanted & seen) != (there & seen))
			return false;
	}
	return true;
}

/* A modem with faults. DONE must be true; else, as long as it could be asked and took what was put
 * back, it must hold what was found, unless the target went in with a reset. */
static void check_faulty(const struct loop *l, bool stopped_too)
{
	static const uint64_t excused =
		1ull << PUTBACK_LOST | 1ull << SILENT_AFTER | 1ull << SILENT_ALWAYS |
		1ull << DROPS_LINE | 1ull << STAYS_AWAY | 1ull << AS_BOOT | 1ull << AS_STRANGER |
		1ull << FEWER | 1ull << AS_STORAGE | 1ull << STUCK | 1ull << CRASHES_AFTER |
		1ull << CRASHES_ONCE | 1ull << PID_SILENT | 1ull << PID_FADES |
		1ull << PID_APPEARS | 1ull << NO_CONFIGURATIONS | 1ull << UNAUTHORIZED |
		1ull << AS_STORAGE_ONCE;
	const struct model *model = &l->model;
	const struct history *h = &l->s.history;
	bool changed = model->pid != l->first_pid || model->composition != l->first_composition ||
		       model->type != l->first_type;

	if (l->done)
		hold(is_right(l) || looks_right(l), "%s, target %s: %s but %X/%u runs",
		     model->fw->name, l->wanted, l->trace, (unsigned)model->running_pid,
		     model->running);
	hold(!model->resets || is_written(model) || has_fault(model, PENDING),
	     "%s, target %s: %s resets a modem that it did not write to", model->fw->name,
	     l->wanted, l->trace);
	/* there a PID is never written, back neither */
	if (has_fault(model, PID_MOVES) && h->found.dialect != DIALECT_INDEX)
		changed = model->composition != l->first_composition;
	/* what it moved then ran before it was read; who is silent keeps what it has */
	bool nobody = h->unreachable != NO_REASON || !is_at_asked(model);
	if (has_fault(model, RESTARTS) && (has_fault(model, PID_MOVES) || nobody))
		changed = false;
	if (!h->written || (has_fault(model, PENDING) && has_fault(model, FORGETS)))
		changed = false; /* by itself */
	if (!l->done && !h->committed && !(model->faults & excused))
		hold(!changed, "%s, target %s%s: %s leaves %X/%u", model->fw->name, l->wanted,
		     stopped_too ? ", stopped" : "", l->trace, (unsigned)model->pid,
		     model->composition);
}

static const char *fault_text(uint64_t faults)
{
	static char names[100];

	names[0] = '\0';
	for (unsigned f = 0; f < FAULTS; f++)
		if (faults >> f & 1)
			snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s",
				 names[0] ? "," : "", fault_names[f]);
	return names;
}

/* TERM, and the last seconds, at every step of a run. */
static void check_interrupted(const struct firmware *fw, const char *wanted, uint64_t faults,
			      unsigned steps)
{
	static struct loop l;

	for (unsigned at = 0; at <= steps; at++) {
		drive(&l, fw, wanted, faults, at, NEVER);
		check_faulty(&l, true);
		hold(!l.done, "%s, target %s: %s: TERM at step %u, yet content", fw->name, wanted,
		     l.trace, at);
		drive(&l, fw, wanted, faults, NEVER, at);
		check_faulty(&l, false);
	}
}

static const struct firmware *end_of_firmwares(void)
{
	return firmwares + LEN(firmwares);
}

static void test_loops(void)
{
	static struct loop l;

	for (const struct firmware *fw = firmwares; fw < end_of_firmwares(); fw++) {
		begin("decide.honest.%s", fw->name);
		for (size_t t = 0; t < LEN(targets); t++) {
			drive(&l, fw, targets[t], 0, NEVER, NEVER);
			check_honest(&l);
			check_again(&l);
			check_interrupted(fw, targets[t], 0, l.steps);
		}
		end();
	}
	for (unsigned f = 0; f < FAULTS; f++) {
		begin("decide.fault.%s", fault_names[f]);
		for (const struct firmware *fw = firmwares; fw < end_of_firmwares(); fw++) {
			for (size_t t = 0; t < LEN(targets); t++) {
				drive(&l, fw, targets[t], 1ull << f, NEVER, NEVER);
				check_faulty(&l, false);
				check_interrupted(fw, targets[t], 1ull << f, l.steps);
			}
		}
		end();
	}
}

/* A third of the modems with each pair, to be quick. */
static void test_pairs(void)
{
	static struct loop l;

	for (unsigned f = 0; f < FAULTS; f++) {
		begin("decide.faults.%s", fault_names[f]);
		for (unsigned f2 = 0; f2 < f; f2++) {
			uint64_t both = 1ull << f | 1ull << f2;
			const struct firmware *fw = firmwares + (f + f2) % 3;

			for (; fw < end_of_firmwares(); fw += 3) {
				for (size_t t = 0; t < LEN(targets); t++) {
					drive(&l, fw, targets[t], both, NEVER, NEVER);
					check_faulty(&l, false);
					if (test.broken == 1 && !strchr(test.first, '{'))
						snprintf(test.first + strlen(test.first),
							 sizeof test.first - strlen(test.first),
							 " {%s}", fault_text(both));
				}
			}
		}
		end();
	}
}

/* ---- raw cells ---- */

static unsigned long cells;

static void cell(const struct situation *s, const char *where)
{
	const struct answer *a = &s->answer;
	const struct history *h = &s->history;
	struct step step = decide(s);
	const char *wrong = unlawful(s, &step);

	cells++;
	hold(!wrong,
	     "%s: step %u value %X why %u: %s (asked %u stop %u left %lld age %lld committed %u "
	     "resets %u written %u restored %u refused %u unreachable %u; stored %d/%u found %d/%u "
	     "running %d/%u)",
	     where, step.action, step.value, step.reason, wrong, h->asked, h->stopped,
	     (long long)s->left_ms, (long long)s->age_ms, h->committed, h->resets, h->written,
	     h->restored, h->refused, h->unreachable, a->pid, a->composition, h->found.pid,
	     h->found.composition, h->running.pid, h->running.composition);
}

/* What was found, what is stored, and what else may run; the target; what was written. */
struct setting_up {
	const struct answer *found;
	const struct answer *stored;
	const struct answer *third;
	const struct target *target;
	int pid;
	uint32_t composition;
	const char *where;
};

/* Takes the lowest bits of *bits away. */
static unsigned take_bits(unsigned *bits, unsigned n)
{
	unsigned value = *bits & (BIT(n) - 1);

	*bits >>= n;
	return value;
}

/* Can a modem, or the program, lead to this history? */
static bool is_possible(const struct setting_up *u, const struct history *h)
{
	bool pid_known =
		u->found->dialect == DIALECT_INDEX && u->found->pid != UNKNOWN && u->pid != UNKNOWN;

	if (h->resets > MOST_RESETS || (h->restored && !h->written))
		return false;
	if (h->asked && (h->unreachable != NO_REASON || u->stored->dialect == NO_DIALECT))
		return false;
	if ((h->committed || h->refused == NO_RESET) && !h->resets)
		return false;
	if (h->committed && !h->written)
		return false;
	if ((h->written & PID) && !pid_known)
		return false;
	if (!h->written &&
	    (u->stored->pid != u->found->pid || u->stored->composition != u->found->composition))
		return false;
	return !(u->target->mode == MODE_MODEM && h->written);
}

/* One of all histories, by its bits; and how late it is. */
static void make_history(struct situation *s, struct history *h, unsigned i)
{
	unsigned bits = i;

	h->asked = take_bits(&bits, 1);
	h->stopped = take_bits(&bits, 1);
	bool late = take_bits(&bits, 1);
	bool ignored = take_bits(&bits, 1);
	if (take_bits(&bits, 1))
		h->refused = READS_BACK_OTHERWISE;
	if (ignored)
		h->refused = NO_RESET;
	if (take_bits(&bits, 1))
		h->unreachable = SILENT;
	h->found_configuration = (uint8_t)take_bits(&bits, 1);
	h->written = (uint8_t)take_bits(&bits, 2);
	h->restored = (uint8_t)take_bits(&bits, 2);
	h->resets = (uint8_t)take_bits(&bits, 2);
	h->committed = take_bits(&bits, 1);
	bool stayed = take_bits(&bits, 1);
	h->unlocked = i % 3 == 0;
	s->age_ms = stayed ? STAY_MS : 0;
	s->silent_ms = i % 5 ? 0 : SILENCE_MS + 1;
	s->left_ms = 60000;
	if (late)
		s->left_ms = i % 11 ? MARGIN_MS - 1 : 0;
}

/* All histories of one situation. What runs is what was found, what is stored, or the third. */
static void histories(const struct modem *m, const struct setting_up *u)
{
	static const struct {
		uint8_t selections;
		uint8_t losses;
		uint8_t flips;
	} limits[] = {
		{ 0, 0, 0 },           { MOST_SELECTIONS, 0, 0 },
		{ 0, MOST_LOSSES, 0 }, { 0, MOST_LOSSES + MOST_RESETS, 0 },
		{ 0, 0, MOST_FLIPS },  { 1, 0, 1 },
	};
	enum { BITS = 16 };
	static struct situation s;

	s.seen = *m;
	s.wanted = u->target;
	for (unsigned i = 0; i < BIT(BITS); i++) {
		struct history h = { .pid = u->pid, .composition = u->composition };

		make_history(&s, &h, i);
		if (!is_possible(u, &h))
			continue;
		s.answer = *u->stored;
		s.answer.refused = i >> (BITS - 1);
		for (size_t limit = 0; limit < (i % 7 ? 1 : LEN(limits)); limit++) {
			h.selections = limits[limit].selections;
			h.losses = limits[limit].losses;
			h.flips = limits[limit].flips;
			s.history = h;
			s.history.found = *u->found;
			s.history.running = *u->stored;
			cell(&s, u->where);
			if (!h.written || h.committed)
				continue;
			s.history.running = *u->found;
			cell(&s, u->where);
			s.history.running = *u->third;
			cell(&s, u->where);
		}
	}
}

static const struct firmware *firmware(const char *name)
{
	for (const struct firmware *fw = firmwares; fw < end_of_firmwares(); fw++)
		if (!strcmp(fw->name, name))
			return fw;
	return NULL;
}

/* What was found, and what may be stored later, with the target that led there. */
struct trial {
	const char *fw;
	uint8_t active;
	const char *target;
	struct {
		int pid;
		uint32_t composition;
	} stored[5];
};

/* What the modem of a trial answers with each of the settings. Returns their number. */
static unsigned answer_trial(const struct trial *trial, struct answer answers[5])
{
	const struct firmware *fw = firmware(trial->fw);
	unsigned n = 0;

	for (; n < LEN(trial->stored) && trial->stored[n].pid; n++) {
		struct model model = {
			.fw = fw,
			.kind = MODEM,
			.pid = fw->pid,
			.composition = fw->composition,
		};

		power_up(&model);
		model.active = trial->active;
		if (model.active == 2 && fw->dialect == DIALECT_INDEX)
			model.active = 1;
		model.unlocked = true;
		model.pid = trial->stored[n].pid;
		model.composition = trial->stored[n].composition;
		answer_all(&model, &answers[n]);
	}
	return n;
}

/* Seen as found and as wanted; stored, found and written: any. */
static void try_cells(const struct trial *trial)
{
	const struct firmware *fw = firmware(trial->fw);
	struct answer answers[5];
	struct target target;
	struct modem m;
	unsigned n = answer_trial(trial, answers);
	struct setting_up u = {
		.found = &answers[0],
		.third = &answers[n - 1],
		.target = &target,
		.where = trial->target,
	};

	if (!hold(!parse_target(&target, trial->target), "not a target"))
		return;
	for (unsigned i = 0; i < n * n * 2; i++) {
		unsigned shown = i / 2 / n;
		unsigned written = i % 2 ? n - 1 : 1;
		int pid = trial->stored[shown].pid;

		u.stored = &answers[i / 2 % n];
		u.pid = trial->stored[written].pid;
		u.composition = trial->stored[written].composition;
		view(&m, fw, pid == UNKNOWN ? fw->pid : pid, trial->stored[shown].composition,
		     shown ? 0 : trial->active);
		histories(&m, &u);
	}
	/* found without a PID */
	struct answer no_pid = answers[0];
	no_pid.pid = UNKNOWN;
	u.found = &no_pid;
	u.pid = trial->stored[1].pid;
	u.composition = trial->stored[1].composition;
	view(&m, fw, fw->pid, fw->composition, trial->active);
	for (unsigned stored = 0; stored < n; stored++) {
		u.stored = &answers[stored];
		histories(&m, &u);
	}
}

static const struct trial trials[] = {
	{ "330u",
	  1,
	  "mbim",
	  { { 0x68a3, 3 }, { 0x68a2, 6 }, { 0x68a2, 8 }, { 0x68a9, 6 }, { UNKNOWN, 3 } } },
	{ "330u",
	  1,
	  "mbim!",
	  { { 0x68a3, 3 }, { 0x68a2, 6 }, { 0x68a2, 9 }, { 0x68a2, 8 }, { UNKNOWN, 8 } } },
	{ "330u", 1, "68A2/14", { { 0x68a3, 3 }, { 0x68a2, 6 }, { 0x68a2, 14 }, { 0x68a9, 14 } } },
	{ "330u", 1, "2", { { 0x68a3, 3 }, { 0x68a3, 2 }, { 0x68aa, 2 }, { 0x68a3, 4 } } },
	{ "330u", 1, "8", { { 0x68a3, 3 }, { 0x68a2, 8 }, { 0x68a2, 6 } } },
	{ "mc7710-old", 1, "mbim", { { 0x68a3, 3 }, { 0x68a2, 6 }, { 0x68a2, 7 }, { 0x68a2, 3 } } },
	{ "mc7710",
	  1,
	  "mbim",
	  { { 0x68a2, 6 }, { 0x68a2, 8 }, { 0x68a2, 7 }, { 0x68b1, 8 }, { UNKNOWN, 8 } } },
	{ "mc7710", 1, "mbim@2", { { 0x68a2, 6 }, { 0x68a2, 13 }, { 0x68a2, 14 } } },
	{ "mc7710", 1, "9!", { { 0x68a2, 6 }, { 0x68a2, 9 }, { 0x68a2, 10 } } },
	{ "mc7710", 1, "0x100D", { { 0x68a2, 6 }, { 0x68a2, 8 } } },
	{ "mc7710", 1, "modem", { { 0x68a2, 6 }, { 0x68a2, 8 } } },
	{ "mc7710-in-14", 2, "qmi", { { 0x68a2, 14 }, { 0x68a2, 6 } } },
	{ "mc7710-in-14", 2, "19@1", { { 0x68a2, 14 }, { 0x68a2, 19 }, { 0x68a2, 18 } } },
	{ "mc7710-in-14", 1, "8", { { 0x68a2, 14 }, { 0x68a2, 8 }, { 0x68a2, 7 } } },
	{ "mc7710-in-9", 1, "8", { { UNKNOWN, 9 }, { UNKNOWN, 8 }, { UNKNOWN, 6 } } },
	{ "qmi-9", 1, "qmi", { { UNKNOWN, 9 }, { UNKNOWN, 6 }, { UNKNOWN, 7 } } },
	{ "no-list", 1, "mbim", { { 0x68a2, 6 }, { 0x68a2, 8 } } },
	{ "one-list", 1, "qmi", { { 0x68a3, 3 }, { 0x68a2, 6 }, { 0x68a2, 3 } } },
	{ "twice", 1, "mbim", { { 0x68a2, 6 }, { 0x68a2, 13 } } },
	{ "win8", 1, "8!", { { 0x68a2, 6 }, { 0x68a2, 8 } } },
	{ "lists-locked", 1, "mbim", { { 0x68a2, 6 }, { 0x68a2, 8 } } },
	{ "with-ecm", 1, "mbim", { { 0x68a2, 6 }, { 0x68a2, 21 } } },
	{ "mc7455",
	  1,
	  "mbim",
	  { { 0x9071, 0x10d }, { 0x9071, 0x100d }, { 0x9071, 0x1009 }, { UNKNOWN, 0x10d } } },
	{ "mc7455", 1, "0x1009", { { 0x9071, 0x10d }, { 0x9071, 0x1009 }, { 0x9091, 0x1009 } } },
	{ "em7565", 1, "9!", { { 0x9091, 0x20010f }, { 0x9091, 0x20100f }, { 0x90b1, 0x20100f } } },
	{ "em9191", 1, "mbim", { { 0x90d3, 0x10d }, { 0x90d3, 0x100d } } },
	{ "rc7620", 1, "at", { { 0x68c0, 0x8010d }, { 0x68c0, 0x10d } } },
	{ "mask-no-list", 1, "8", { { 0x9071, 0x10d }, { 0x9071, 0x100d } } },
};

/* What is no modem, or not ready, or has no port. */
static void make_other(struct modem *m, unsigned which)
{
	*m = (struct modem){
		.port = "1-1",
		.idVendor = 0x1199,
		.idProduct = 0x68a2,
		.devnum = 3,
		.active = 1,
		.kind = which > BOOT_LOADER ? MODEM : (enum kind)which,
	};
	switch (which) {
	case STORAGE:
	case BOOT_LOADER + 4:
		m->kind = STORAGE;
		m->idProduct = 0x0fff;
		show(m, 0, BIT(MS), AS_SWI);
		if (which != STORAGE)
			show(m, 1, BIT(MBIM), AS_SWI);
		break;
	case BOOT_LOADER + 1:
		show(m, 0, BIT(NMEA) | BIT(DM), AS_SWI);
		break;
	case BOOT_LOADER + 2:
		m->active = 0;
		break;
	case BOOT_LOADER + 3:
		m->active = 0;
		m->unauthorized = true;
		break;
	default:
		break;
	}
}

static void test_cells(void)
{
	for (size_t i = 0; i < LEN(trials); i++) {
		begin("decide.cells.%s.%s", trials[i].fw, trials[i].target);
		try_cells(&trials[i]);
		end();
	}
	begin("decide.cells.others");
	for (size_t t = 0; t < LEN(targets); t += 3) {
		for (unsigned which = ABSENT; which <= BOOT_LOADER + 4; which++) {
			struct answer none = { .pid = UNKNOWN };
			struct target target;
			struct modem m;
			struct setting_up u = {
				.found = &none,
				.stored = &none,
				.third = &none,
				.target = &target,
				.pid = 0x68a2,
				.composition = 8,
				.where = targets[t],
			};

			parse_target(&target, targets[t]);
			make_other(&m, which);
			histories(&m, &u);
		}
	}
	end();
}

/* ---- examples ---- */

static const struct {
	const char *fw;
	const char *target;
	const char *steps;
	uint64_t faults;
} examples[] = {
	/* the seed's whole story */
	{ "330u", "mbim", "flip wait ask pid 68A2 comp 8 reset wait watch done", 0 },
	{ "330u", "modem", "flip wait done", 0 },
	{ "330u", "net", "flip wait done", 0 },
	{ "330u", "qmi", "flip wait ask pid 68A2 reset wait watch done", 0 },
	{ "330u", "mbim!", "flip wait ask pid 68A2 comp 8 reset wait watch done", 0 },
	{ "330u", "mbim@2", "flip wait ask pid 68A2 comp 13 reset wait select 2 watch done", 0 },
	{ "330u", "3", "flip wait ask done", 0 },
	{ "330u", "2", "flip wait ask comp 2 reset wait ask watch done", 0 },
	/* a number never changes the PID */
	{ "330u", "8", "flip wait ask refuse NOT_LISTED", 0 },
	{ "330u", "68A2/8", "flip wait ask pid 68A2 comp 8 reset wait ask watch done", 0 },
	{ "330u", "68AA/3", "flip wait ask pid 68AA reset wait ask watch done", 0 },
	{ "330u", "ecm", "flip wait ask comp 5 reset wait watch done", 0 },
	{ "330u", "68A2/9", "flip wait ask pid 68A2 back-pid 68A3 refuse ONLY_WITHOUT_AT", 0 },
	{ "330u", "68E2/mbim", "flip wait ask refuse PID_NOT_LISTED", 0 },
	/* a PID that is named stays */
	{ "330u", "68A3/mbim", "flip wait ask refuse NOT_LISTED", 0 },
	{ "330u", "68A4/mbim", "flip wait ask refuse PID_NOT_LISTED", 0 },
	{ "330u", "modem@2", "flip wait refuse NO_SUCH_CONFIGURATION", 0 },
	{ "330u", "0x100D", "flip wait ask refuse NO_BITMASKS", 0 },
	/* firmware without MBIM: the list speaks for the new PID */
	{ "mc7710-old", "mbim", "ask pid 68A2 back-pid 68A3 refuse NOT_LISTED", 0 },
	{ "mc7710-old", "mbim", "ask pid 68A2 back-pid 68A3 refuse NOT_LISTED",
	  1ull << BOOT_PASSES },
	{ "mc7710-old", "qmi", "ask pid 68A2 reset wait watch done", 0 },
	/* one list for all PIDs: only a reset tells */
	{ "one-list", "mbim",
	  "ask pid 68A2 reset wait ask back-pid 68A3 reset wait ask refuse NOT_LISTED", 0 },
	/* the list of the running PID: only a reset tells either, then both are in */
	{ "330u", "mbim", "flip wait ask pid 68A2 reset wait ask comp 8 reset wait watch done",
	  1ull << LIST_LAGS },
	{ "mc7710", "mbim", "ask comp 8 reset wait watch done", 0 },
	{ "mc7710", "mbim!", "ask comp 8 reset wait watch done", 0 },
	{ "mc7710", "mbim@2", "ask comp 13 reset wait select 2 watch done", 0 },
	{ "mc7710", "mbim@1", "ask comp 8 reset wait watch done", 0 },
	{ "mc7710", "mbim@3", "ask refuse NOT_LISTED", 0 },
	{ "mc7710", "nmea+mbim@2", "ask comp 13 reset wait select 2 watch done", 0 },
	{ "mc7710", "9", "ask refuse ONLY_WITHOUT_AT", 0 },
	{ "mc7710", "9!", "ask comp 9 reset wait ask watch done", 0 },
	{ "mc7710", "10", "ask refuse ONLY_WITHOUT_AT", 0 },
	{ "mc7710", "6", "ask done", 0 },
	{ "mc7710", "qmi", "done", 0 },
	{ "mc7710", "at+qmi", "done", 0 },
	{ "mc7710", "3", "ask refuse NOT_LISTED", 0 },
	{ "mc7710", "net", "ask refuse NOT_LISTED", 0 },
	{ "mc7710", "23", "ask refuse NOT_LISTED", 0 },
	{ "mc7710", "0x10D", "ask refuse NO_BITMASKS", 0 },
	{ "mc7710", "14", "ask comp 14 reset wait ask watch done", 0 },
	{ "mc7710", "14@1", "ask comp 14 reset wait ask select 1 watch done", 0 },
	{ "mc7710", "19@2", "ask comp 19 reset wait ask watch done", 0 },
	{ "mc7710", "68A3/net", "ask pid 68A3 reset wait watch done", 0 },
	{ "mc7710", "8@2", "ask refuse NO_SUCH_CONFIGURATION", 0 },
	{ "mc7710-in-14", "mbim", "done", 0 },
	{ "mc7710-in-14", "qmi", "select 1 watch done", 0 },
	{ "mc7710-in-14", "14", "select 1 ask select 2 watch done", 0 },
	{ "mc7710-in-14", "14@1", "select 1 ask watch done", 0 },
	{ "mc7710-in-14", "at+mbim", "select 1 ask comp 8 reset wait watch done", 0 },
	/* C10: a refused modem is left as it was found, and has settled */
	{ "mc7710-in-14", "net", "select 1 ask select 2 watch refuse NOT_LISTED", 0 },
	{ "mc7710-in-14", "qmi", "select 1 watch wait select 1 watch done",
	  1ull << LEAVES_ON_SELECT },
	{ "mc7710-in-9", "mbim", "done", 0 }, /* already serves, with a warning */
	{ "mc7710-in-9", "qmi", "ask comp 6 reset wait watch done", 0 },
	{ "mc7710-in-9", "8", "ask comp 8 reset wait ask watch done", 0 },
	{ "mc7710-in-9", "9", "ask done", 0 },
	{ "qmi-9-no-list", "8", "ask refuse NO_LIST", 0 },
	{ "qmi-9-old", "8", "ask refuse NOT_LISTED", 0 },
	{ "qmi-9", "68A2/8", "ask refuse PID_NOT_WRITABLE", 0 },
	{ "win8", "8", "ask refuse ONLY_WITHOUT_AT", 0 },
	{ "win8", "8!", "ask comp 8 reset wait ask watch done", 0 },
	{ "reserved", "9", "ask refuse ONLY_WITHOUT_AT", 0 },
	{ "reserved", "mbim", "ask refuse NOT_LISTED", 0 },
	{ "twice", "8", "ask refuse NOT_LISTED", 0 },
	{ "twice", "mbim", "ask comp 13 reset wait select 2 watch done", 0 },
	{ "only-bare", "mbim", "flip wait ask pid 68A2 back-pid 68A3 refuse ONLY_WITHOUT_AT", 0 },
	{ "only-bare", "mbim!", "flip wait ask pid 68A2 comp 9 reset wait watch done", 0 },
	{ "only-dual", "mbim", "ask comp 14 reset wait watch done", 0 },
	{ "no-list", "mbim", "ask refuse NO_LIST", 0 },
	{ "no-list", "6", "ask done", 0 },
	{ "no-list", "qmi", "done", 0 },
	/* C4: no list, no write, not even of the PID */
	{ "no-list-68a3", "mbim", "ask refuse NO_LIST", 0 },
	{ "no-list-68a3", "68A2/mbim", "ask refuse NO_LIST", 0 },
	{ "no-list-68a3", "68A2/8", "ask refuse NO_LIST", 0 },
	{ "no-68a2", "mbim", "ask refuse NOT_LISTED", 0 },
	{ "pairs", "mbim", "ask pid 68A2 comp 8 reset wait watch done", 0 },
	/* bitmasks */
	{ "mc7455", "mbim", "ask mask 100D reset wait watch done", 0 },
	{ "mc7455-50d", "mbim", "ask mask 100D reset wait watch done", 0 },
	{ "mc7455-100d", "qmi", "ask mask 10D reset wait watch done", 0 },
	{ "mc7455", "qmi", "done", 0 },
	{ "mc7455", "6", "ask done", 0 },
	{ "mc7455", "8", "ask mask 100D reset wait ask watch done", 0 },
	{ "mc7455", "9", "ask mask 100D reset wait ask watch done", 0 },
	{ "mc7455", "7", "ask refuse NO_NUMBERS", 0 },
	{ "mc7455", "net", "ask refuse NO_BIT", 0 },
	{ "mc7455", "ms", "ask refuse NO_BIT", 0 },
	{ "mc7455", "ecm", "ask refuse NOT_LISTED", 0 },
	{ "mc7455", "0x10D", "ask done", 0 },
	{ "mc7455", "0x1000", "ask refuse ONLY_WITHOUT_AT", 0 },
	{ "mc7455", "0x1000!", "ask mask 1000 reset wait watch done", 0 },
	{ "mc7455", "0x4009", "ask refuse NOT_LISTED", 0 },
	{ "mc7455", "9071/mbim", "ask mask 100D reset wait watch done", 0 },
	{ "mc7455", "68A2/mbim", "ask refuse PID_NOT_WRITABLE", 0 },
	{ "wp7607", "ecm", "ask mask 8000D reset wait watch done", 0 },
	{ "wp7607", "0x4009", "ask mask 4009 reset wait ask watch done", 0 },
	{ "em7565", "mbim", "ask mask 20100F reset wait watch done", 0 },
	{ "em9191", "mbim", "ask refuse TYPE_NOT_LISTED", 0 },
	{ "no-mbim", "mbim", "ask refuse NOT_LISTED", 0 },
	{ "mask-no-list", "mbim", "ask refuse NO_LIST", 0 },
	{ "mask-no-list", "0x10D", "ask done", 0 },
	{ "mc7455", "mbim@2", "ask refuse NO_SUCH_CONFIGURATION", 0 },
	{ "mc7455", "0x100D@2", "ask refuse NO_SUCH_CONFIGURATION", 0 },
	/* B6: what an RC7620 has by itself, and how to get there from a WP76's QMI */
	{ "rc7620", "qmi+ecm", "done", 0 },
	{ "rc7620", "qmi", "done", 0 },
	{ "rc7620", "0x8010D", "ask done", 0 },
	{ "rc7620", "0x10D", "ask mask 10D reset wait ask watch done", 0 },
	{ "wp7607", "qmi+ecm", "ask mask 8010D reset wait watch done", 0 },
	/* right already, whatever the list says */
	{ "68a3-in-6", "6", "ask done", 0 },
	{ "qmi-9-old", "9", "ask done", 0 },
	{ "qmi-9-no-list", "9", "ask done", 0 },
	/* C2: nobody needs a code to be right; and who has another keeps what is found */
	{ "lists-locked", "6", "ask done", 1ull << REFUSES_CODE },
	{ "lists-locked", "qmi", "done", 1ull << REFUSES_CODE },
	{ "mask-locked", "6", "ask done", 1ull << REFUSES_CODE },
	{ "mask-locked", "0x10D", "ask done", 1ull << REFUSES_CODE },
	{ "mc7710", "6", "ask done", 1ull << REFUSES_CODE },
	{ "lists-locked", "8", "ask unlock refuse LOCKED", 1ull << REFUSES_CODE },
	{ "mc7710", "mbim", "ask refuse LOCKED", 1ull << REFUSES_CODE },
	{ "lists-locked", "mbim", "ask unlock comp 8 reset wait watch done", 0 },
	{ "mask-locked", "mbim", "ask unlock mask 100D reset wait watch done", 0 },
	{ "all-locked", "mbim", "flip wait ask pid 68A2 comp 8 reset wait watch done", 0 },
	{ "all-locked", "mbim", "flip wait ask refuse LOCKED", 1ull << REFUSES_CODE },
	/* C3: numbers 0 to 5 name nothing over QMI */
	{ "em7355", "dm+nmea+at", "ask comp 6 reset wait watch done", 0 },
	{ "em7355", "ms", "ask refuse NOT_LISTED", 0 },
	{ "em7355", "1", "ask refuse ONLY_WITHOUT_AT", 0 },
	{ "em7355", "1!", "ask comp 1 reset wait ask watch done", 0 },
	/* C5 and B1: right without anybody to ask, today and at the next boot */
	{ "mc7455-in-1000", "0x1000!", "ask done", 0 },
	{ "mc7455-in-1000", "0x1000", "ask done", 0 },
	{ "mc7455-in-1000", "mbim", "done", 0 },
	{ "mc7455-in-1000", "12!", "ask refuse NO_TUNNEL", 0 },
	{ "mc7455-in-100", "0x100!", "ask done", 0 },
	{ "mc7455-in-100", "qmi", "done", 0 },
	{ "mc7455-in-100", "modem", "done", 0 },
	{ "mc7710-in-9-no-tunnel", "9!", "ask done", 0 },
	{ "mc7710-in-9-no-tunnel", "9", "ask done", 0 },
	{ "mc7710-in-9-no-tunnel", "11!", "ask refuse NO_TUNNEL", 0 },
	{ "mc7710-in-9-no-tunnel", "8", "ask refuse NO_TUNNEL", 0 },
	/* B4: what AT says is stored and running counts as there; no reset for a name */
	{ "683c", "net", "done", 0 },
	{ "683c", "4", "ask done", 0 },
	{ "683c", "qmi", "ask refuse NOT_LISTED", 0 },
	{ "em9191-1009", "at+dm+mbim", "done", 0 },
	{ "em9191-1009", "0x1009", "ask done", 0 },
	/* B2: 2 is the AT port, 3 is not; with MBIM and without */
	{ "90b1", "mbim", "done", 0 },
	{ "90b1", "nmea+mbim", "ask done", 0 },
	{ "90b1", "qmi", "ask mask 10D reset wait watch done", 0 },
	{ "90b1", "6", "ask mask 10D reset wait ask watch done", 0 },
	/* C8: rows with ECM or RNDIS serve only who names them */
	{ "with-ecm", "mbim", "ask refuse NOT_LISTED", 0 },
	{ "with-ecm", "ecm", "ask comp 20 reset wait watch done", 0 },
	{ "with-ecm", "21", "ask comp 21 reset wait ask watch done", 0 },
	/* faults */
	{ "330u", "ecm", "flip wait ask comp 5 reset wait watch done", 1ull << PID_APPEARS },
	{ "mc7710", "mbim", "ask comp 8 back-pid 68A2 refuse READS_BACK_OTHERWISE",
	  1ull << PID_MOVES },
	{ "mc7710", "mbim", "ask comp 8 back-comp 6 refuse READS_BACK_OTHERWISE",
	  1ull << COMP_OTHER },
	{ "mc7710", "mbim", "ask comp 8 refuse READS_BACK_OTHERWISE", 1ull << COMP_LOST },
	{ "mc7710-in-9", "8", "ask comp 8 refuse READS_BACK_OTHERWISE", 1ull << COMP_REFUSED },
	/* C6, C13: the type is read back, too, and put back */
	{ "mc7455", "mbim", "ask mask 100D back-mask 10D refuse READS_BACK_OTHERWISE",
	  1ull << TYPE_OTHER },
	{ "mc7455", "mbim", "ask mask 100D back-mask 10D refuse READS_BACK_OTHERWISE",
	  1ull << TYPE_OTHER | 1ull << COMP_LOST },
	{ "330u", "mbim", "flip wait ask pid 68A2 refuse READS_BACK_OTHERWISE", 1ull << PID_LOST },
	{ "330u", "mbim", "flip wait ask pid 68A2 back-pid 68A3 refuse READS_BACK_OTHERWISE",
	  1ull << PID_OTHER },
	{ "330u", "mbim", "flip wait ask pid 68A2 comp 8 back-pid 68A3 refuse READS_BACK_OTHERWISE",
	  1ull << COMP_OTHER },
	{ "330u", "mbim",
	  "flip wait ask pid 68A2 comp 8 back-pid 68A3 back-comp 3 refuse "
	  "READS_BACK_OTHERWISE",
	  1ull << COMP_OTHER | 1ull << NO_FOLLOW },
	{ "330u", "mbim", "flip wait ask pid 68A2 comp 8 reset wait flip wait watch done",
	  1ull << AS_STORAGE },
	{ "330u", "mbim", "flip refuse STAYS_STORAGE", 1ull << STUCK },
	/* C7: what went in and is not reset is kept */
	{ "mc7710", "mbim", "ask comp 8 reset refuse NO_RESET", 1ull << IGNORED },
	{ "330u", "mbim", "flip wait ask pid 68A2 comp 8 reset refuse NO_RESET", 1ull << IGNORED },
	/* but a PID that was to show its list is no target: it is put back */
	{ "one-list", "mbim", "ask pid 68A2 reset ask back-pid 68A3 refuse NO_RESET",
	  1ull << IGNORED },
	/* 17 s were seen */
	{ "mc7710", "mbim", "ask comp 8 reset wait watch done", 1ull << LEAVES_LATE },
	{ "mc7710", "mbim", "ask comp 8 reset wait wait refuse STAYS_BOOT_LOADER",
	  1ull << AS_BOOT },
	{ "mc7710", "mbim", "ask comp 8 reset wait wait watch done", 1ull << BOOT_PASSES },
	{ "mc7710", "mbim", "ask comp 8 reset wait refuse MISSING", 1ull << STAYS_AWAY },
	{ "mc7710", "mbim", "ask comp 8 reset wait wait refuse NOT_SIERRA", 1ull << AS_STRANGER },
	{ "mc7710", "mbim", "ask comp 8 reset wait watch wait watch wait watch refuse CRASHES",
	  1ull << CRASHES_AFTER },
	{ "mc7710", "mbim", "ask comp 8 reset wait watch wait watch done", 1ull << CRASHES_ONCE },
	{ "mc7710", "mbim", "ask comp 8 reset wait ask refuse READS_BACK_OTHERWISE",
	  1ull << FORGETS },
	{ "mc7710", "mbim", "ask refuse SILENT", 1ull << SILENT_ALWAYS },
	{ "mc7710", "8", "ask comp 8 reset wait ask watch done", 1ull << SILENT_AFTER },
	/* nobody knows what 9 shows */
	{ "reserved", "9!", "ask comp 9 reset wait ask watch done", 1ull << SILENT_AFTER },
	{ "mc7710-in-14", "qmi", "select 1 watch refuse NOT_SELECTED", 1ull << NO_CONFIGURATIONS },
	{ "330u", "modem", "refuse NOT_AUTHORIZED", 1ull << UNAUTHORIZED },
	/* somebody else stored 8: the modem says 8 and shows QMI, so something else runs */
	{ "mc7710", "mbim", "ask reset wait done", 1ull << PENDING },
	{ "mc7710-in-13", "mbim@1", "ask reset wait done", 1ull << PENDING },
	{ "mc7710-in-14", "at+mbim", "select 1 ask reset wait done", 1ull << PENDING },
	/* it shows no network at all, ever: no reset for that, and no success */
	{ "mc7710", "qmi", "ask refuse NOT_SHOWN", 1ull << HIDES },
	{ "mc7710", "6", "ask done", 1ull << HIDES },
};

/* "wait" waits for a modem that is not there, "watch" whether one stays. */
static void test_examples(void)
{
	static struct loop l;

	for (size_t i = 0; i < LEN(examples); i++) {
		char name[100];

		begin("example");
		drive(&l, firmware(examples[i].fw), examples[i].target, examples[i].faults, NEVER,
		      NEVER);
		size_t n = strlen(l.trace);
		if (n && l.trace[n - 1] == ' ')
			l.trace[n - 1] = '\0';
		snprintf(name, sizeof name, "decide.example.%s.%s%s%s", examples[i].fw,
			 examples[i].target, examples[i].faults ? "." : "",
			 fault_text(examples[i].faults));
		expect(!test.broken && !strcmp(l.trace, examples[i].steps), name,
		       "%s; expected: %s %s", l.trace, examples[i].steps,
		       test.broken ? test.first : "");
	}
}

/* ---- single decisions ---- */

/* A modem that was asked, and what it said. Its only interface is somewhere else than any function,
 * so that names are not served already. */
static void make_asked(struct situation *s, const struct target *t, const struct answer *a)
{
	*s = (struct situation){
		.wanted = t,
		.seen = { .port = "1-1",
			  .kind = MODEM,
			  .idVendor = 0x1199,
			  .idProduct = 0x68a2,
			  .devnum = 3,
			  .active = 1 },
		.left_ms = 60000,
		.age_ms = 1000,
	};
	show(&s->seen, 0, BIT(AT), AS_SWI);
	s->seen.configuration[0].interface[0].number = 4;
	note_answer(s, a);
}

static const struct {
	const char *name;
	const char *rows;
	uint32_t now;
	const char *target;
	int number; /* -1 = none */
} choices[] = {
	{ "what-it-has", "6 - AT QMI SUPPORTED\n7 - DM NMEA AT QMI MS SUPPORTED\n", 7, "qmi", 7 },
	{ "fewer-functions", "6 - DM NMEA AT MBIM SUPPORTED\n7 - AT MBIM SUPPORTED\n", 3, "mbim",
	  7 },
	{ "fewer-functions-two",
	  "6 - DM NMEA AT MBIM SUPPORTED\n7 - DM AT MBIM SUPPORTED\n8 - AT MBIM MS NMEA "
	  "SUPPORTED\n",
	  3, "mbim", 7 },
	{ "named-are-no-extras", "6 - DM NMEA AT MBIM SUPPORTED\n7 - AT MBIM MS SUPPORTED\n", 3,
	  "dm+nmea+mbim", 6 },
	{ "single-configuration",
	  "5 - Config1: comp6 Config2: comp9 SUPPORTED\n6 - AT QMI SUPPORTED\n8 - DM NMEA "
	  "AT MBIM MS SUPPORTED\n9 - MBIM SUPPORTED\n",
	  3, "mbim", 8 },
	{ "at-before-single",
	  "5 - Config1: comp6 Config2: comp9 SUPPORTED\n6 - DM AT QMI SUPPORTED\n9 - MBIM "
	  "SUPPORTED\n",
	  3, "mbim!", 5 },
	{ "lower-number", "8 - DM AT MBIM SUPPORTED\n7 - NMEA AT MBIM SUPPORTED\n", 3, "mbim", 7 },
	{ "single-before-fewer",
	  "5 - Config1: comp6 Config2: comp9 SUPPORTED\n6 - AT QMI NOT SUPPORTED\n8 - DM "
	  "NMEA AT MBIM MS SUPPORTED\n9 - MBIM SUPPORTED\n",
	  3, "mbim", 8 },
	{ "none", "6 - DM AT QMI SUPPORTED\n9 - MBIM SUPPORTED\n", 3, "mbim", -1 },
	{ "bare", "6 - DM AT QMI SUPPORTED\n9 - MBIM SUPPORTED\n", 3, "mbim!", 9 },
	{ "has-it-without-at", "6 - DM AT QMI SUPPORTED\n9 - MBIM SUPPORTED\n", 9, "9", 9 },
	{ "all-in-one-configuration",
	  "5 - Config1: comp6 Config2: comp9 SUPPORTED\n6 - AT QMI SUPPORTED\n9 - MBIM "
	  "SUPPORTED\n",
	  3, "at+mbim", -1 },
	{ "that-configuration",
	  "5 - Config1: comp6 Config2: comp9 SUPPORTED\n6 - AT QMI SUPPORTED\n9 - MBIM "
	  "SUPPORTED\n",
	  3, "mbim@2", 5 },
	{ "not-that-configuration",
	  "5 - Config1: comp6 Config2: comp9 SUPPORTED\n6 - AT QMI SUPPORTED\n9 - MBIM "
	  "SUPPORTED\n",
	  3, "qmi@2", -1 },
	{ "number", "6 - DM AT QMI SUPPORTED\n8 - Win8 Std Net AT SUPPORTED\n", 6, "8", 8 },
	{ "number-not-supported", "6 - DM AT QMI SUPPORTED\n8 - DM AT MBIM NOT SUPPORTED\n", 6, "8",
	  -1 },
	/* C8 */
	{ "ecm-unnamed", "7 - DM NMEA AT QMI ECM1 SUPPORTED\n", 3, "qmi", -1 },
	{ "rndis-unnamed", "7 - AT MBIM RNDIS SUPPORTED\n8 - DM NMEA AT MBIM SUPPORTED\n", 3,
	  "mbim", 8 },
	{ "audio-unnamed", "7 - AT MBIM AUDIO SUPPORTED\n", 3, "mbim", -1 },
	{ "ecm-in-the-other-configuration",
	  "6 - AT QMI SUPPORTED\n7 - AT ECM1 SUPPORTED\n8 - Config1: comp6 Config2: comp7 "
	  "SUPPORTED\n",
	  3, "qmi", 6 },
	{ "ecm-named", "7 - DM NMEA AT QMI ECM1 SUPPORTED\n", 3, "qmi+ecm", 7 },
	{ "ecm-by-number", "7 - DM NMEA AT QMI ECM1 SUPPORTED\n", 3, "7", 7 },
};

/* Which row is chosen, where more than one would do. */
static void test_choice(void)
{
	static struct situation s;
	struct target t;
	char name[80];

	for (size_t i = 0; i < LEN(choices); i++) {
		struct answer a = {
			.dialect = DIALECT_INDEX,
			.pid = 0x68a2,
			.composition = choices[i].now,
		};

		parse_rows(&a, choices[i].rows);
		parse_target(&t, choices[i].target);
		make_asked(&s, &t, &a);
		struct step step = decide(&s);
		int number = (int)a.composition;
		if (step.action == WRITE_COMPOSITION)
			number = (int)step.value;
		else if (step.action == REFUSE && step.reason != NOT_SHOWN)
			number = -1; /* what it has is not shown by the only interface here */
		snprintf(name, sizeof name, "decide.choice.%s", choices[i].name);
		expect(number == choices[i].number, name, "%d (step %u)", number, step.action);
	}
}

static const struct {
	const char *target;
	uint8_t active;
	unsigned second;
	uint8_t flips;
	enum action action;
} storages[] = {
	{ "mbim", 1, 0, 0, FLIP },
	{ "modem", 0, 0, 0, FLIP },
	{ "8", 1, 0, 3, FLIP },
	{ "mbim", 1, 0, MOST_FLIPS, REFUSE },
	{ "mbim", 1, BIT(MBIM), 0, SELECT },
	{ "modem", 1, BIT(MBIM), 0, SELECT },
	{ "modem@2", 1, BIT(MBIM), 0, SELECT },
	{ "mbim", 0, BIT(MBIM), 0, SELECT },
	{ "at+mbim", 1, BIT(MBIM) | BIT(AT), 0, SELECT },
	{ "mbim", 1, BIT(MS), 0, FLIP },
};

static void test_storage(void)
{
	static struct situation s;
	struct target t;
	char name[80];

	for (size_t i = 0; i < LEN(storages); i++) {
		s = (struct situation){ .wanted = &t, .left_ms = 60000 };
		make_other(&s.seen, STORAGE);
		s.seen.active = storages[i].active;
		if (storages[i].second)
			show(&s.seen, 1, storages[i].second, AS_SWI);
		s.history.flips = storages[i].flips;
		parse_target(&t, storages[i].target);
		struct step step = decide(&s);
		snprintf(name, sizeof name, "decide.storage.%s.%zu", storages[i].target, i);
		expect(step.action == storages[i].action &&
			       (step.action != SELECT || step.value == 2),
		       name, "step %u, %u", step.action, step.value);
	}
}

/* A configuration that somebody else changes back each time is selected five times, no more. */
static void test_selections(void)
{
	static struct situation s;
	struct target t;
	unsigned times = 0;

	s = (struct situation){ .wanted = &t, .left_ms = 60000 };
	make_other(&s.seen, STORAGE);
	show(&s.seen, 1, BIT(MBIM), AS_SWI);
	parse_target(&t, "mbim");
	struct step step = decide(&s);
	while (step.action == SELECT && times < 100) {
		times++;
		note_selection(&s, true);
		step = decide(&s);
	}
	expect(times == 5 && step.action == REFUSE && step.reason == NOT_SELECTED,
	       "decide.selections", "%u, then %u, %s", times, step.action, name_of(step.reason));
}

/* Of another start nothing is known, but what was done in the whole run. */
static void test_another_start(void)
{
	static struct situation s;
	static const struct history known = { .asked = true,
					      .unlocked = true,
					      .unreachable = SILENT,
					      .selections = 2,
					      .found_configuration = 1,
					      .running.dialect = DIALECT_INDEX,
					      .flips = 1,
					      .resets = 1,
					      .written = PID };
	const struct history *h = &s.history;

	for (int settled = 0; settled < 2; settled++) {
		struct modem now;

		s = (struct situation){ .history = known, .age_ms = settled ? 60000 : 100 };
		make_other(&s.seen, MODEM);
		now = s.seen;
		expect(!observe(&s, &now) && !memcmp(h, &known, sizeof known), "decide.same-start",
		       "something is forgotten");
		now.devnum++;
		expect(observe(&s, &now), "decide.another-start", "it is not seen");
		expect(!h->asked && !h->unlocked && h->unreachable == NO_REASON && !h->selections &&
			       !h->found_configuration && h->running.dialect == NO_DIALECT,
		       "decide.another-start.forgets", "it is thought to be known");
		expect(h->flips == 1 && h->resets == 1 && h->written == PID && h->losses == 1,
		       "decide.another-start.knows", "the run is forgotten");
		expect(h->left_by_selection == !settled, "decide.another-start.selection",
		       "settled %d, %d", settled, h->left_by_selection);
	}
}

/* How long is waited for what cannot be worked on: contract, rules 8 and 10. */
static void test_waits(void)
{
	static const struct {
		const char *name;
		enum kind kind;
		bool written;
		int64_t ms;
		enum reason reason;
	} waits[] = {
		{ "absent", ABSENT, false, 30000, MISSING },
		{ "absent-written", ABSENT, true, 90000, MISSING },
		{ "boot-loader", BOOT_LOADER, false, 10000, STAYS_BOOT_LOADER },
		{ "boot-loader-written", BOOT_LOADER, true, 10000, STAYS_BOOT_LOADER },
		{ "foreign", FOREIGN, false, 10000, NOT_SIERRA },
		{ "not-configured", MODEM, false, 30000, NOT_CONFIGURED },
	};
	static struct situation s;
	struct target t;
	char name[80];

	parse_target(&t, "mbim");
	for (size_t i = 0; i < LEN(waits); i++) {
		s = (struct situation){ .wanted = &t, .left_ms = 90000 };
		make_other(&s.seen, waits[i].kind);
		s.seen.active = 0;
		s.history.written = waits[i].written ? COMPOSITION : 0;
		struct step step = decide(&s);
		snprintf(name, sizeof name, "decide.waits.%s", waits[i].name);
		expect(step.action == WAIT_FOR_IT && step.ms == waits[i].ms, name,
		       "step %u, %lld ms", step.action, (long long)step.ms);
		s.age_ms = waits[i].ms;
		s.silent_ms = waits[i].ms;
		s.left_ms -= waits[i].ms;
		step = decide(&s);
		snprintf(name, sizeof name, "decide.waits.%s.no-longer", waits[i].name);
		expect(step.action == REFUSE && step.reason == waits[i].reason, name, "step %u, %s",
		       step.action, name_of(step.reason));
	}
}

/* Whether a modem shows that something else runs than what it has stored: its descriptors say
 * less than a list, so only another network in a network's place is a sign. */
static void test_runs_otherwise(void)
{
	static const struct {
		enum dialect dialect;
		uint32_t stored;
		unsigned shown;
		bool otherwise;
	} cases[] = {
		{ DIALECT_BITMASK, 0x100d, BIT(DM) | BIT(NMEA) | BIT(AT) | BIT(MBIM), false },
		{ DIALECT_BITMASK, 0x100d, BIT(DM) | BIT(NMEA) | BIT(AT), false },
		{ DIALECT_BITMASK, 0x100d, BIT(MBIM) | BIT(QMI), false },
		{ DIALECT_BITMASK, 0x100d, BIT(MBIM) | BIT(ECM),
		  false }, /* no AT port, and a network more */
		{ DIALECT_BITMASK, 0x100d, BIT(DM) | BIT(NMEA) | BIT(AT) | BIT(QMI), true },
		{ DIALECT_BITMASK, 0x100d, BIT(AT) | BIT(ECM), true },
		{ DIALECT_BITMASK, 0x10d, BIT(DM) | BIT(NMEA) | BIT(AT) | BIT(MBIM), true },
		{ DIALECT_BITMASK, 0x1009, BIT(MBIM), false },
		{ DIALECT_QMI, 9, BIT(AT), false },           /* an AT port is no network */
		{ DIALECT_BITMASK, 0x1001, BIT(MBIM), true }, /* something answered over AT */
	};
	static struct situation s;
	struct target t;

	parse_target(&t, "mbim");
	begin("decide.runs-otherwise");
	for (size_t i = 0; i < LEN(cases); i++) {
		struct answer a = {
			.dialect = cases[i].dialect,
			.pid = 0x9071,
			.composition = cases[i].stored,
			.type = 1,
		};

		if (a.dialect == DIALECT_QMI)
			parse_rows(&a, "9 - MBIM SUPPORTED\n");
		make_asked(&s, &t, &a);
		s.seen.configurations = 0;
		s.seen.configuration[0] = (struct configuration){ .value = 1 };
		show(&s.seen, 0, cases[i].shown, AS_SWI);
		hold(runs_otherwise(&s) == cases[i].otherwise, "%zu", i);
	}
	end();
}

/* A 340U that shows MBIM in its second configuration: the first is storage alone, and no modem. */
static void test_340u(void)
{
	static const struct {
		const char *target;
		enum action action;
		enum reason reason;
	} tried[] = {
		{ "modem", DONE, NO_REASON },
		{ "mbim", DONE, NO_REASON },
		{ "modem@1", REFUSE, NO_SUCH_CONFIGURATION },
		{ "ms", ASK, NO_REASON },
		{ "ms@1", ASK, NO_REASON },
	};
	static struct situation s;
	struct target t;
	char name[80];

	for (size_t i = 0; i < LEN(tried); i++) {
		s = (struct situation){ .wanted = &t, .left_ms = 60000 };
		make_other(&s.seen, STORAGE);
		show(&s.seen, 1, BIT(MBIM), AS_SWI);
		s.seen.active = 2;
		s.seen.kind = kind_of(&s.seen);
		parse_target(&t, tried[i].target);
		struct step step = decide(&s);
		snprintf(name, sizeof name, "decide.340u.%s", tried[i].target);
		expect(step.action == tried[i].action && step.reason == tried[i].reason, name,
		       "step %u, %s", step.action, name_of(step.reason));
	}
}

static const struct {
	uint32_t now;
	const char *target;
	uint32_t bitmask;
} bitmasks[] = {
	{ 0x10d, "mbim", 0x100d },      { 0x50d, "mbim", 0x100d },     { 0x100d, "qmi", 0x10d },
	{ 0x105, "mbim", 0x100d },      { 0x105, "mbim!", 0x1005 },    { 0x10f, "mbim", 0x100f },
	{ 0x20010f, "mbim", 0x20100f }, { 0x8000d, "mbim", 0x100d },   { 0x4009, "qmi", 0x109 },
	{ 0x10d, "8", 0x100d },         { 0x10d, "9", 0x100d },        { 0x100d, "6", 0x10d },
	{ 0x9, "8", 0x100d },           { 0x10d, "0x1009", 0x1009 },   { 0x101, "dm", 0x109 },
	{ 0x508, "dm+nmea", 0x50d },    { 0x10d, "qmi+ecm", 0x8010d }, /* B6 */
	{ 0x100d, "qmi+ecm", 0x8010d }, { 0x8010d, "mbim", 0x100d },   { 0x80101, "at", 0x80109 },
};

static void test_bitmasks(void)
{
	static struct situation s;
	struct target t;
	char name[80];

	for (size_t i = 0; i < LEN(bitmasks); i++) {
		struct answer a = {
			.dialect = DIALECT_BITMASK,
			.pid = 0x68a2,
			.composition = bitmasks[i].now,
			.type = 1,
			.types = BIT(1),
			.bits = UINT32_MAX,
		};

		parse_target(&t, bitmasks[i].target);
		make_asked(&s, &t, &a);
		struct step step = decide(&s);
		snprintf(name, sizeof name, "decide.bitmask.%X.%s", bitmasks[i].now,
			 bitmasks[i].target);
		expect(step.action == WRITE_COMPOSITION && step.value == bitmasks[i].bitmask, name,
		       "step %u, %X", step.action, step.value);
	}
}

static const struct {
	const char *name;
	uint16_t idVendor;
	uint16_t idProduct;
	const char *interfaces;
	const char *target;
	enum action action;
	enum reason reason;
} first_steps[] = {
	/* B1: a modem at once, no boot loader */
	{ "hs2300", 0x03f0, 0x1e1d, "0p", "modem", DONE, NO_REASON },
	{ "ac860", 0x1199, 0x6855, "0p", "modem", DONE, NO_REASON },
	{ "mc5720", 0x1199, 0x0218, "0p", "modem", DONE, NO_REASON },
	{ "mc5720", 0x1199, 0x0218, "0p", "mbim", REFUSE, NOTHING_TO_ASK },
	{ "qmi-only", 0x1199, 0x9071, "8v", "modem", DONE, NO_REASON },
	{ "qmi-only", 0x1199, 0x9071, "8v", "qmi", DONE, NO_REASON },
	{ "qmi-only", 0x1199, 0x9071, "8v", "mbim", ASK, NO_REASON },
	{ "gobi-qmi-only", 0x1199, 0x9013, "0v", "modem", DONE, NO_REASON },
	{ "qdl", 0x1199, 0x9062, "0b", "modem", WAIT_FOR_IT, NO_REASON },
	/* B2, B4 */
	{ "em9191", 0x1199, 0x90d3, "0m 3v 4d", "at+dm+mbim", DONE, NO_REASON },
	{ "68b1", 0x1199, 0x68b1, "0m", "nmea+mbim", ASK, NO_REASON },
	{ "68b1", 0x1199, 0x68b1, "0m", "mbim", DONE, NO_REASON },
	{ "90b1", 0x1199, 0x90b1, "0m 2v 3v 4v 7b 8v", "qmi", DONE, NO_REASON },
	{ "90b1", 0x1199, 0x90b1, "0m 2v 3v 4v 7b", "qmi", ASK, NO_REASON },
	{ "90c3", 0x1199, 0x90c3, "0v 1v 2v 5b", "at+nmea+dm", DONE, NO_REASON },
	{ "90c3", 0x1199, 0x90c3, "0v 1v 2v 5b", "qmi", ASK, NO_REASON },
	{ "68a2", 0x1199, 0x68a2, "3v jv", "qmi", DONE, NO_REASON },
	{ "683c", 0x1199, 0x683c, "0b 1b 2v 3v 4v 7v av bv", "net", DONE, NO_REASON },
	{ "683c", 0x1199, 0x683c, "0b 1b 2v 3v 4v 7v av bv", "qmi", ASK, NO_REASON },
	/* B6 */
	{ "rc7620", 0x1199, 0x68c0, "0b 2v 3v 8v je", "qmi+ecm", DONE, NO_REASON },
};

/* The first step for what a modem of the reports shows, descriptors and all. */
static void test_first_steps(void)
{
	for (size_t i = 0; i < LEN(first_steps); i++) {
		static struct situation s;
		uint8_t raw[1000];
		uint8_t *p =
			device_bytes(raw, first_steps[i].idVendor, first_steps[i].idProduct, 1);
		struct target t;
		struct modem m = { .port = "1-1", .devnum = 3, .active = 1 };
		char name[80];

		p = config_text(p, 1, first_steps[i].interfaces);
		read_descriptors(&m, raw, (size_t)(p - raw));
		m.active = 1;
		m.kind = kind_of(&m);
		parse_target(&t, first_steps[i].target);
		s = (struct situation){ .wanted = &t, .left_ms = 60000 };
		observe(&s, &m);
		struct step step = decide(&s);
		snprintf(name, sizeof name, "decide.first.%s.%s", first_steps[i].name,
			 first_steps[i].target);
		expect(step.action == first_steps[i].action && step.reason == first_steps[i].reason,
		       name, "step %u, %s", step.action, name_of(step.reason));
	}
}

/* Where two dialects could be mixed: a bitmask modem that only MBIM answers for (C5). */
static void test_dialects(void)
{
	static const struct {
		const char *name;
		const char *target;
		unsigned shown;
		enum action action;
		enum reason reason;
	} tried[] = {
		{ "bitmask-shown", "0x1000!", BIT(MBIM), DONE, NO_REASON },
		{ "bitmask-not-shown", "0x1005!", BIT(MBIM), REFUSE, NO_BITMASKS },
		{ "bitmask-with-at", "0x100D", BIT(MBIM), REFUSE, NO_BITMASKS },
		{ "number", "8", BIT(MBIM), WRITE_COMPOSITION, NO_REASON },
	};

	for (size_t i = 0; i < LEN(tried); i++) {
		static struct situation s;
		struct answer a = { .dialect = DIALECT_QMI, .pid = UNKNOWN, .composition = 9 };
		struct row row = {
			.number = 8,
			.configurations = 1,
			.functions = { SERIAL | BIT(MBIM) },
			.supported = true,
		};
		struct target t;
		char name[80];

		add_row(&a, &row);
		parse_target(&t, tried[i].target);
		make_asked(&s, &t, &a);
		memset(s.seen.configuration, 0, sizeof s.seen.configuration);
		show(&s.seen, 0, tried[i].shown, AS_SWI);
		struct step step = decide(&s);
		snprintf(name, sizeof name, "decide.dialects.%s", tried[i].name);
		expect(step.action == tried[i].action && step.reason == tried[i].reason, name,
		       "step %u, %s", step.action, name_of(step.reason));
	}
}

int main(void)
{
	test_choice();
	test_storage();
	test_selections();
	test_another_start();
	test_waits();
	test_runs_otherwise();
	test_340u();
	test_bitmasks();
	test_first_steps();
	test_dialects();
	test_examples();
	test_loops();
	test_pairs();
	test_cells();
	printf("# %lu cells, %lu loops of %lu decisions\n", cells, loops, decisions);
	return test_status();
}
