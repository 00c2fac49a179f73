/* decide() over its whole input space, as far as that is finite.
 *
 * cells     every combination of what was done before, of what is seen, answered and wanted: each step that comes out is
 *           held against the rules of the contract (lawful), whether a modem could ever lead there or not
 * loops     a model of a modem obeys the steps, well or badly, and is looked at again, until the end: every modem below
 *           with every target, every fault, every pair of faults (with every third modem), TERM and the last five seconds at every
 *           step
 * examples  the steps that the contract's own examples must take, one by one */
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

static const struct firmware {
	const char *name, *pids, *direct,
		*other; /* the lists while 68A3 or 68AA is stored, and any other PID */
	enum dialect dialect;
	uint16_t pid;
	uint32_t comp;
	uint8_t type;
	const char *wire; /* numbers that QMI offers: "" no list, NULL no QMI */
	bool storage;
} firmwares[] = {
	{ "330u", pids, direct, newer, INDEX, 0x68a3, 3, 0, NULL, true },
	{ "mc7710-old", pids, direct, qmi_only, INDEX, 0x68a3, 3, 0, NULL, false },
	{ "mc7710", pids, direct, newer, INDEX, 0x68a2, 6, 0, "\6\7\10\11", false },
	{ "mc7710-in-8", pids, direct, newer, INDEX, 0x68a2, 8, 0, "\6\7\10\11", false },
	{ "mc7710-in-9", pids, direct, newer, INDEX, 0x68a2, 9, 0,
	  "\6\7\10\11\12\13\14\15\16\17\23", false },
	{ "mc7710-in-13", pids, direct, newer, INDEX, 0x68a2, 13, 0, "\6\7\10\11", false },
	{ "mc7710-in-14", pids, direct, newer, INDEX, 0x68a2, 14, 0, "\6\7\10\11", false },
	{ "mc7710-in-20", pids, direct, newer, INDEX, 0x68a2, 20, 0, NULL, false },
	{ "68aa", pids, direct, newer, INDEX, 0x68aa, 2, 0, NULL, false },
	{ "9205", pids, direct, newer, INDEX, 0x9205, 6, 0, NULL, false },
	{ "68a3-in-6", pids, direct, newer, INDEX, 0x68a3, 6, 0, "\6\7\10", false },
	{ "one-list", pids, direct, direct, INDEX, 0x68a3, 3, 0, NULL, false },
	{ "pairs", pairs, direct, newer, INDEX, 0x68a3, 3, 0, NULL, false },
	{ "no-68a2", "68A3\n68AA\n", direct, newer, INDEX, 0x68a3, 3, 0, NULL, false },
	{ "no-ecm", pids, no_ecm, newer, INDEX, 0x68a3, 3, 0, NULL, false },
	{ "no-list", pids, "", "", INDEX, 0x68a2, 6, 0, NULL, false },
	{ "no-list-68a3", pids, "", "", INDEX, 0x68a3, 3, 0, NULL, false },
	{ "win8", pids, direct, win8, INDEX, 0x68a2, 6, 0, NULL, false },
	{ "reserved", pids, direct, reserved, INDEX, 0x68a2, 6, 0, "\6\7\11", false },
	{ "twice", pids, direct, twice, INDEX, 0x68a2, 6, 0, NULL, false },
	{ "only-bare", pids, direct, only_bare, INDEX, 0x68a3, 3, 0, NULL, true },
	{ "only-dual", pids, direct, only_dual, INDEX, 0x68a2, 7, 0, "\6\7", false },
	{ "qmi-9", NULL, NULL, NULL, WIRE, 0x9051, 9, 0, "\6\7\10\11", false },
	{ "qmi-9-old", NULL, NULL, NULL, WIRE, 0x9051, 9, 0, "\6\7", false },
	{ "qmi-9-no-list", NULL, NULL, NULL, WIRE, 0x9051, 9, 0, "", false },
	{ "qmi-10-dual", NULL, NULL, NULL, WIRE, 0x9051, 10, 0, "\6\16\23\26\27", false },
	{ "mc7455", "APP   BOOT\n9071, 9070\n", NULL,
	  MASK_HELP("1:Generic, 2:USBIF-MBIM, 3:RNDIS", BITS_OF_74XX), MASK, 0x9071, 0x10d, 1, NULL,
	  false },
	{ "mc7455-50d", "9071\n", NULL, MASK_HELP("1:Generic, 2:USBIF-MBIM, 3:RNDIS", BITS_OF_74XX),
	  MASK, 0x9071, 0x50d, 1, NULL, false },
	{ "mc7455-100d", "9071\n", NULL,
	  MASK_HELP("1:Generic, 2:USBIF-MBIM, 3:RNDIS", BITS_OF_74XX), MASK, 0x9071, 0x100d, 1,
	  NULL, false },
	{ "em7565", "9091\n90B1\n", NULL,
	  MASK_HELP("1:MBIM USBIF, 2:PCIE USBIF, 3:Legacy-Generic, 4:RNDIS", BITS_OF_74XX), MASK,
	  0x9091, 0x20010f, 3, NULL, false },
	{ "em9191", "90D3\n", NULL, MASK_HELP("1:Generic, 2:USBIF-MBIM, 3:RNDIS", BITS_OF_74XX),
	  MASK, 0x90d3, 0x10d, 4, NULL, false },
	{ "wp7607", "68C0\n", NULL,
	  MASK_HELP("1:Generic", BITS_OF_74XX "ECM      - 0x00080000,\nRNDIS    - 0x00004000,\n"),
	  MASK, 0x68c0, 0x10d, 1, NULL, false },
	{ "no-mbim", "9071\n", NULL,
	  MASK_HELP("1:Generic",
		    "NMEA     - 0x00000004,\nMODEM    - 0x00000008,\nRMNET0   - 0x00000100,\n"),
	  MASK, 0x9071, 0x10d, 1, NULL, false },
	{ "mask-no-list", "9071\n", NULL, "", MASK, 0x9071, 0x10d, 1, NULL, false },
};

static const char *const targets[] = {
	"modem",       "modem@1",     "modem@2",   "modem@3",     "mbim",
	"qmi",         "net",         "ecm",       "ms",          "at",
	"dm",          "nmea",        "at+mbim",   "at+qmi",      "dm+nmea+at+mbim",
	"nmea+mbim",   "dm+mbim",     "dm+net",    "at+ms",       "mbim!",
	"qmi!",        "nmea+mbim!",  "mbim@1",    "mbim@2",      "mbim@3",
	"qmi@1",       "qmi@2",       "at+mbim@2", "nmea+mbim@2", "mbim@2!",
	"0",           "1",           "2",         "3",           "5",
	"6",           "7",           "8",         "9",           "9!",
	"10",          "10!",         "12",        "12!",         "13",
	"14",          "14@1",        "14@2",      "17",          "19",
	"19@1",        "20",          "8@1",       "8@2",         "6@3",
	"22",          "23",          "200",       "255!",        "0x10D",
	"0x100D",      "0x50D",       "0x1009",    "0x1000",      "0x1000!",
	"0x10F",       "0x8",         "0x4009",    "0x80009",     "0x20010F",
	"68A2/mbim",   "68A3/net",    "68A3/3",    "68AA/3",      "68A9/6",
	"68E2/mbim",   "68E2/3",      "68A2/8",    "68A2/9!",     "68A2/qmi",
	"68A2/net",    "68A3/8",      "68A2/at",   "9071/qmi",    "9071/mbim",
	"9091/0x100D", "9091/0x100F", "9051/8",    "68A4/mbim",
};

/* ---- what a modem shows, without any of swflip's tables: the numbers of facts.md, section 8.2 ---- */

static unsigned number_functions(uint32_t comp)
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
	};

	return comp < LEN(table) ? table[comp] : 0;
}

static unsigned mask_functions(uint32_t mask)
{
	return (mask & 1 ? BIT(DM) : 0) | (mask & 4 ? BIT(NMEA) : 0) | (mask & 8 ? BIT(AT) : 0) |
	       (mask & 0x100 ? BIT(QMI) : 0) | (mask & 0x1000 ? BIT(MBIM) : 0) |
	       (mask & 0x80000 ? BIT(ECM) : 0);
}

static unsigned in_config(const struct firmware *fw, uint32_t comp, unsigned config)
{
	if (fw->dialect == MASK)
		return config ? 0 : mask_functions(comp);
	if (comp >= 13 && comp <= 22) /* 14 and 15 of win8 are others, but never run here */
		return number_functions(config ? (comp - 13) % 5 + 8 : comp < 18 ? 6 : 7);
	return config ? 0 : number_functions(comp);
}

static void show(struct modem *m, unsigned config, unsigned bits)
{
	static const struct {
		unsigned f;
		uint8_t number, class, subclass, protocol;
		uint8_t in, out, interrupt;
	} shown[] = {
		{ MBIM, 12, 0x02, 0x0e, 0x00, 0, 0, 0x8c },
		{ MBIM, 13, 0x0a, 0x00, 0x02, 0x8d, 0x0d, 0 },
		{ DM, 0, 0xff, 0xff, 0xff, 0x81, 0x01, 0 },
		{ NMEA, 2, 0xff, 0, 0, 0x82, 0x02, 0x83 },
		{ AT, 3, 0xff, 0, 0, 0x84, 0x03, 0x85 },
		{ NET, 7, 0xff, 0xff, 0xff, 0x86, 0x04, 0x87 },
		{ QMI, 8, 0xff, 0xff, 0xff, 0x88, 0x05, 0x89 },
		{ MS, 9, 0x08, 0x06, 0x50, 0x8a, 0x06, 0 },
		{ ECM, 19, 0x02, 0x06, 0x00, 0, 0, 0x8b },
	};
	struct config *c = &m->config[config];

	c->value = (uint8_t)(config + 1);
	for (unsigned i = 0; i < LEN(shown); i++)
		if (bits & BIT(shown[i].f))
			c->interface[c->interfaces++] =
				(struct interface){ .number = shown[i].number,
						    .class = shown[i].class,
						    .subclass = shown[i].subclass,
						    .protocol = shown[i].protocol,
						    .in = shown[i].in,
						    .out = shown[i].out,
						    .interrupt = shown[i].interrupt };
	m->configs = (uint8_t)(config + 1);
}

/* ---- a modem that obeys, more or less ---- */

enum fault {
	PID_LOST,
	PID_OTHER,
	COMP_LOST,
	COMP_OTHER,   /* the first write of each answers OK */
	PUTBACK_LOST, /* the second of each does */
	NO_FOLLOW,
	PID_MOVES, /* the PID does not move the composition; or the other way round */
	LIST_LAGS,
	LIST_GONE,
	LIST_SHRINKS,
	PIDS_GONE, /* lists: of the running PID; none; none any more once written */
	PID_SILENT,
	PID_APPEARS,
	PID_FADES, /* the PID is never said; not the first time; only the first time */
	IGNORED,
	IGNORED_ONCE,
	FORGETS, /* resets: none works; the first does not; it starts the old settings */
	AS_STORAGE,
	AS_STORAGE_ONCE,
	STUCK, /* back as storage: each time; once; flips do not work */
	AS_BOOT,
	BOOT_PASSES,
	STAYS_AWAY,
	AS_STRANGER,
	FEWER, /* back in the boot loader, or through it; not at all; ... */
	SILENT_AFTER,
	SILENT_ALWAYS,
	REFUSES_CODE,
	DROPS_LINE,
	DROPS_LINE_ONCE, /* no answer: after a reset; read-backs lost */
	CRASHES_AFTER,
	CRASHES_ONCE,
	RESTARTS, /* leaves unasked: while watched; right after the first write */
	NO_CONFIGS,
	UNAUTHORIZED,
	HIDES,
	PENDING, /* takes no configuration; shows no network; stored is not what runs */
	FAULTS,
};

static const char *const fault_names[FAULTS] = {
	"pid-lost",      "pid-other",     "comp-lost",    "comp-other",      "putback-lost",
	"no-follow",     "pid-moves",     "list-lags",    "list-gone",       "list-shrinks",
	"pids-gone",     "pid-silent",    "pid-appears",  "pid-fades",       "ignored",
	"ignored-once",  "forgets",       "as-storage",   "as-storage-once", "stuck",
	"as-boot",       "boot-passes",   "stays-away",   "as-stranger",     "fewer",
	"silent-after",  "silent-always", "refuses-code", "drops-line",      "drops-line-once",
	"crashes-after", "crashes-once",  "restarts",     "no-configs",      "unauthorized",
	"hides",         "pending",
};

struct model {
	const struct firmware *fw;
	uint64_t faults;
	enum kind kind; /* what it is, or will be when it is back */
	bool away;
	int pid, running_pid;
	uint32_t comp, running;
	uint8_t config;
	uint32_t devnum;
	unsigned resets, pid_writes, comp_writes, asked, starts;
};

struct loop {
	struct model model;
	const char *wanted;
	struct target t;
	struct work w;
	bool known, link, done;
	unsigned steps, stop_at, late_at, resets;
	int first_pid;
	uint32_t first_comp;
	char trace[700];
};

#define HAS(model, fault) ((model)->faults >> (fault) & 1)

/* The kernel's choice: the first configuration whose first interface is not the vendor's own. */
static uint8_t kernels_choice(const struct model *model)
{
	for (unsigned c = 0; c < 2; c++) {
		unsigned f = in_config(model->fw, model->running, c);

		if (f & (BIT(MBIM)) && !(f & BIT(DM)) && !(f & BIT(NMEA)))
			return (uint8_t)(c + 1);
	}
	return 1;
}

static void power_up(struct model *model)
{
	model->devnum++;
	model->away = false;
	model->starts++;
	model->running = model->comp;
	model->running_pid = model->pid;
	model->config = kernels_choice(model);
}

static void look_at(const struct model *model, struct modem *m)
{
	*m = (struct modem){ .port = "1-1",
			     .vid = 0x1199,
			     .pid = (uint16_t)model->running_pid,
			     .devnum = model->devnum,
			     .active = model->config,
			     .kind = MODEM };
	if (model->away) {
		*m = (struct modem){ .port = "1-1" };
		return;
	}
	if (model->kind == STORAGE) {
		m->pid = 0x0fff;
		m->active = HAS(model, UNAUTHORIZED) ? 0 : 1;
		m->barred = HAS(model, UNAUTHORIZED);
		m->kind = STORAGE;
		show(m, 0, BIT(MS));
		return;
	}
	if (model->kind != MODEM) {
		m->kind = model->kind;
		return;
	}
	for (unsigned c = 0; c < 2; c++) {
		unsigned f = in_config(model->fw, model->running, c);
		bool any = f;

		if (HAS(model, FEWER) && model->resets)
			f &= BIT(DM) | BIT(NMEA);
		if (HAS(model, HIDES))
			f &= ~(unsigned)NETS;
		if (any)
			show(m, c, f);
	}
}

static const char *list_of(const struct model *model)
{
	int pid = HAS(model, LIST_LAGS) ? model->running_pid : model->pid;

	if (HAS(model, LIST_GONE) ||
	    (HAS(model, LIST_SHRINKS) && model->pid_writes + model->comp_writes))
		return "";
	return model->fw->direct && (pid == 0x68a3 || pid == 0x68aa) ? model->fw->direct
								     : model->fw->other;
}

/* Parsing takes its time; there are few texts. */
static void read_list(struct offer *o, const char *text, enum dialect dialect)
{
	static struct {
		const char *text;
		struct offer offer;
	} cache[64];
	unsigned i = 0;

	while (cache[i].text && cache[i].text != text)
		i++;
	if (!cache[i].text) {
		cache[i].text = text;
		if (dialect == MASK)
			parse_mask(&cache[i].offer, text);
		else if (dialect == INDEX)
			parse_rows(&cache[i].offer, text);
		else
			parse_pids(&cache[i].offer, text);
	}
	memcpy(o->row, cache[i].offer.row, sizeof o->row);
	o->rows = cache[i].offer.rows;
	if (dialect == MASK)
		o->types = cache[i].offer.types, o->bits = cache[i].offer.bits;
	if (dialect == NOBODY) {
		memcpy(o->pids, cache[i].offer.pids, sizeof o->pids);
		o->npids = cache[i].offer.npids;
	}
}

/* The modem's answers to all questions into *to, which stays as it was when it gives none, and why. */
static enum why answer(struct model *model, const struct modem *m, struct offer *to)
{
	struct offer answer = { .pid = UNKNOWN, .now = model->comp }, *o = &answer;
	unsigned f = 0;

	for (unsigned i = 0; i < m->config[m->active - 1].interfaces && m->active <= m->configs;
	     i++)
		f |= BIT(function_of(m, &m->config[m->active - 1].interface[i]));
	if (HAS(model, SILENT_ALWAYS) || (HAS(model, SILENT_AFTER) && model->resets))
		return MUTE;
	if (HAS(model, REFUSES_CODE) && (f & BIT(AT)))
		return LOCKED;
	model->asked++;
	if ((f & BIT(AT)) && model->fw->dialect != WIRE) {
		struct offer p = { 0 };

		if (!HAS(model, PIDS_GONE) && model->fw->pids)
			read_list(&p, model->fw->pids, NOBODY);
		read_list(o, list_of(model), model->fw->dialect);
		memcpy(o->pids, p.pids, sizeof o->pids);
		o->npids = model->fw->dialect == INDEX ? p.npids : 0;
		o->dialect = model->fw->dialect;
		o->type = model->fw->type;
		o->pid = HAS(model, PID_SILENT) || (HAS(model, PID_APPEARS) && model->asked == 1) ||
					 (HAS(model, PID_FADES) && model->asked > 1)
				 ? UNKNOWN
				 : model->pid;
		*to = answer;
		return FINE;
	}
	if (!(f & (BIT(MBIM) | BIT(QMI))) || !model->fw->wire)
		return MUTE;
	o->dialect = WIRE;
	for (const char *s = HAS(model, LIST_GONE) ? "" : model->fw->wire; *s; s++) {
		struct row r = { .number = (uint8_t)*s, .supported = true, .configs = 1 };

		r.functions[0] = (uint16_t)number_functions(r.number);
		if (r.number >= 13 && r.number <= 22) {
			r.configs = 2;
			for (unsigned c = 0; c < 2; c++)
				r.functions[c] = (uint16_t)in_config(model->fw, r.number, c);
		}
		o->row[o->rows++] = r;
	}
	*to = answer;
	return FINE;
}

/* Once something was written, an AT answer without the PID is none where it was known; as read_back() has it. */
static enum why ask_model(struct model *model, struct work *w)
{
	struct offer o = w->o;
	enum why why = answer(model, &w->m, &o);

	if (!why && o.pid == UNKNOWN && o.dialect != WIRE && w->p.written &&
	    w->p.found.pid != UNKNOWN)
		return STRANGE;
	w->o = o;
	return why;
}

static void store(struct model *model, bool pid, uint32_t value, bool back)
{
	uint32_t other = model->fw->dialect == MASK ? 0x109 : value == 7 ? 12 : 7;

	++*(pid ? &model->pid_writes : &model->comp_writes);
	if (HAS(model, back ? PUTBACK_LOST : pid ? PID_LOST : COMP_LOST))
		return;
	if (!back && HAS(model, pid ? PID_OTHER : COMP_OTHER))
		value = pid ? 0x68a9 : other;
	if (pid) {
		model->pid = (int)value;
		if (!HAS(model, NO_FOLLOW))
			model->comp = value == 0x68a3 || value == 0x68aa ? 3 : 6;
	} else {
		model->comp = value;
		if (HAS(model, PID_MOVES) && !back)
			model->pid = 0x68b1;
	}
}

/* ---- the rules, step by step ---- */

static bool lists_row(const struct offer *o, uint32_t number, struct row *row)
{
	bool any = false;

	for (unsigned i = 0; i < o->rows; i++)
		if (o->row[i].number == number && o->row[i].supported)
			any = true, *row = o->row[i];
	return any;
}

static bool lists_pid(const struct offer *o, uint32_t pid)
{
	for (unsigned i = 0; i < o->npids; i++)
		if (o->pids[i] == pid)
			return true;
	return false;
}

static unsigned shown_in(const struct modem *m, unsigned config)
{
	unsigned f = 0;

	for (unsigned i = 0; config < m->configs && i < m->config[config].interfaces; i++)
		f |= BIT(function_of(m, &m->config[config].interface[i]));
	return f & (BIT(FUNCTIONS) - 1);
}

/* Names are served by the descriptors: by which configuration, 0 = none. */
static unsigned served(const struct modem *m, const struct target *t)
{
	for (unsigned c = 0; c < m->configs; c++)
		if (!(t->value & ~shown_in(m, c)) && (!t->config || t->config == c + 1))
			return c + 1;
	return 0;
}

static unsigned families_in(uint32_t mask)
{
	return (unsigned)(!!(mask & 0xd00) + !!(mask & 0x1000) + !!(mask & 0x4000) +
			  !!(mask & 0x80000));
}

/* A PID that is not said, as by QMI, is not another one. */
static bool known_same(int a, int b)
{
	return a == b || a == UNKNOWN || b == UNKNOWN;
}

/* What is wrong with a step, by the rules of the contract; NULL if nothing is. */
static const char *unlawful(const struct modem *m, const struct offer *o, const struct target *t,
			    const struct past *p, const struct step *s)
{
	bool write = s->doing == WRITE_PID || s->doing == WRITE_COMP, back = write && s->why;
	bool as_found = p->asked && known_same(o->pid, p->found.pid) && o->now == p->found.now;
	bool as_written =
		(p->written & PID ? o->pid == p->pid : known_same(o->pid, p->found.pid)) &&
		(!(p->written & COMP) || o->now == p->comp);
	bool runs = known_same(o->pid, p->running.pid) && o->now == p->running.now;
	bool went_in = p->committed && p->why != NO_RESET;
	bool begun = p->written && !went_in && !(as_found && runs);
	struct row row = { 0 };

	if (s->doing == WAITING || s->doing == REFUSE) {
		if (!s->why)
			return "refuses without a reason";
	} else if (p->losses >= LOSSES + p->resets) {
		return "goes on with a modem that leaves again and again";
	} else if (m->kind != MODEM && m->kind != STORAGE) {
		return "does something to what is no modem";
	} else if (m->kind == STORAGE && s->doing != FLIP && s->doing != SELECT) {
		return "talks to storage";
	} else if (!m->active && s->doing != FLIP) {
		return "does something to an unconfigured modem";
	}
	if (s->doing == WAITING && m->kind == STORAGE)
		return "waits for storage to change by itself";
	if (p->why && s->doing != WAITING && s->doing != REFUSE && m->kind == MODEM && m->active &&
	    s->why != p->why &&
	    !(begun && !p->asked &&
	      (s->doing == ASK || s->doing == SELECT))) /* must ask first to put back */
		return "forgets that it refuses";
	if (s->doing == FLIP && (m->kind != STORAGE || p->flips >= FLIPS || p->mute))
		return "flips once too often";
	for (unsigned c = 0; s->doing == FLIP && c < m->configs; c++)
		if ((shown_in(m, c) & ~BIT(MS)) &&
		    (t->mode == LEAVE || (t->mode == NAMES && !(t->value & ~shown_in(m, c)))))
			return "flips what needs a configuration";
	if (s->doing == FLIP && m->barred)
		return "flips a device that is not authorized";
	if (s->doing == SELECT && (s->value == m->active || !s->value || s->value > m->configs))
		return "selects the active configuration, or none";
	if (s->doing == SELECT && p->selections >= SELECTIONS)
		return "selects a configuration after that failed, or once too often";
	if (p->stop && !(begun && !p->asked && (s->doing == ASK || s->doing == SELECT)) &&
	    (s->doing == FLIP || s->doing == ASK || s->doing == SELECT || s->doing == DONE ||
	     s->doing == WATCH || (write && !back)) &&
	    m->kind == MODEM)
		return "goes on after TERM";
	if (s->doing == DONE && m->kind == MODEM && (p->why || (p->committed && !p->stayed)))
		return "is content too early";
	if (s->doing == DONE && p->written && !p->stayed)
		return "is content without having watched";
	if (s->doing == DONE && t->pid != UNKNOWN && t->pid != m->pid &&
	    !(p->asked && t->pid == o->pid))
		return "is content with another PID";
	if (s->doing == DONE && t->config && t->config != m->active)
		return "is content with another configuration";
	if (s->doing == ASK && !(shown_in(m, m->active - 1u) & (BIT(AT) | BIT(QMI) | BIT(MBIM))))
		return "asks where nobody can answer";
	if (s->doing == ASK && (p->asked || p->mute))
		return "asks again";
	if (s->doing == ASK && t->mode == LEAVE)
		return "asks a modem of which nothing is wanted";
	if (s->doing == ASK && t->mode == NAMES && t->pid == UNKNOWN && served(m, t) && !p->written)
		return "asks although the descriptors tell";

	if (s->doing == RESET) {
		if (p->resets >= 2)
			return "resets a third time";
		if (p->why == NO_RESET)
			return "resets again what did not reset";
		if (!p->asked || p->mute)
			return "resets without an answer";
		if (!as_written && !as_found && p->written)
			return "resets after a read-back that differs";
		if (p->stop && !as_found)
			return "resets into the target after TERM";
		if (runs && (s->why || p->resets))
			return "resets into what runs";
		if (t->mode == LEAVE && !p->written)
			return "resets for nothing";
	}
	if (!write)
		return NULL;
	if (!p->asked || p->mute || o->dialect == NOBODY)
		return "writes without having asked";
	if (s->doing == WRITE_PID && o->dialect != INDEX)
		return "writes a PID where that is not written";
	if (back) {
		if (!p->written)
			return "puts back what it did not write";
		if (went_in)
			return "puts back after the target went in";
		if (s->doing == WRITE_PID &&
		    (p->found.pid == UNKNOWN || s->value != (uint32_t)p->found.pid))
			return "puts back a PID that was not found";
		if (s->doing == WRITE_COMP &&
		    (s->value != p->found.now || p->found.dialect == NOBODY))
			return "puts back a composition that was not found";
		if (p->restored & (s->doing == WRITE_PID ? PID : COMP))
			return "puts back twice";
		return NULL;
	}
	if (p->late)
		return "writes with too little time left";
	if (p->stop || p->why)
		return "writes on the way out";
	if (p->written & (s->doing == WRITE_PID ? PID : COMP))
		return "writes twice";
	if (p->committed)
		return "writes after the reset that was to be the last";
	if (t->mode == LEAVE || t->mode == OFF)
		return "writes although nothing is wanted";
	if (t->mode == NAMES && t->pid == UNKNOWN && served(m, t) && !p->written)
		return "writes to a modem that is right";
	if (s->doing == WRITE_PID) {
		if (!lists_pid(o, s->value))
			return "writes a PID that is not listed";
		if (o->pid == UNKNOWN || p->found.pid == UNKNOWN)
			return "writes a PID without having read the present one";
		if ((int)s->value == o->pid)
			return "writes the PID that is there";
		if (p->written & COMP)
			return "writes the PID after the composition";
		if (t->pid != UNKNOWN ? (int)s->value != t->pid
				      : t->mode != NAMES || s->value != 0x68a2 ||
						(o->pid != 0x68a3 && o->pid != 0x68aa) ||
						(t->value & (BIT(NET) | BIT(ECM) | BIT(MS))))
			return "writes a PID that nobody asked for";
		return NULL;
	}
	if (s->value == o->now)
		return "writes the composition that is there";
	if (!as_written)
		return "writes on after a read-back that differs";
	if (t->pid != UNKNOWN && o->pid != UNKNOWN && t->pid != o->pid)
		return "writes the composition before the PID";
	if (o->dialect == MASK) {
		uint32_t nets = 0x100 | 0x400 | 0x800 | 0x1000 | 0x4000 | 0x80000;

		if (!(o->types >> o->type & 1))
			return "writes a type that is not listed";
		if (s->value & ~o->now & ~o->bits)
			return "adds bits that are not listed";
		if (!(s->value & 8) && !t->bare)
			return "writes a bitmask without an AT port";
		if (families_in(s->value) > 1 && t->mode != BITS)
			return "writes two networks";
		if (t->mode == BITS ? s->value != t->value : (o->now & ~s->value & ~nets) != 0)
			return "takes bits away that nobody named";
		if (t->mode == NAMES && (t->value & ~mask_functions(s->value)))
			return "writes a bitmask that is not wanted";
		return NULL;
	}
	if (!lists_row(o, s->value, &row))
		return "writes a composition that is not listed";
	if (!((row.functions[0] | row.functions[1]) & BIT(AT)) && !t->bare)
		return "writes a composition without an AT port";
	if (t->mode == BITS || (t->mode == NUMBER && s->value != t->value))
		return "writes another composition than the wanted";
	if (t->mode == NAMES && ((t->value & ~(unsigned)row.functions[0]) || t->config > 1) &&
	    ((t->value & ~(unsigned)row.functions[1]) || row.configs < 2 || t->config == 1))
		return "writes a composition that does not serve";
	return NULL;
}

/* ---- round and round ---- */

static void note(struct loop *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void note(struct loop *l, const char *fmt, ...)
{
	size_t n = strlen(l->trace);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(l->trace + n, sizeof l->trace - n, fmt, ap);
	va_end(ap);
}

static const char *const why_names[] = {
	[FINE] = "?",
	[NO_LEAVE] = "NO_LEAVE",
	[NO_CONFIG] = "NO_CONFIG",
	[NO_SUCH_CONFIG] = "NO_SUCH_CONFIG",
	[BARRED] = "BARRED",
	[IN_BOOT] = "IN_BOOT",
	[NOT_OURS] = "NOT_OURS",
	[MISSING] = "MISSING",
	[UNCONFIGURED] = "UNCONFIGURED",
	[NO_PORT] = "NO_PORT",
	[MUTE] = "MUTE",
	[HELD] = "HELD",
	[LOCKED] = "LOCKED",
	[STRANGE] = "STRANGE",
	[NO_LIST] = "NO_LIST",
	[NO_TYPE] = "NO_TYPE",
	[NO_BIT] = "NO_BIT",
	[NO_BITS] = "NO_BITS",
	[NO_INDEX] = "NO_INDEX",
	[NO_AT] = "NO_AT",
	[NOT_LISTED] = "NOT_LISTED",
	[PID_NOT_LISTED] = "PID_NOT_LISTED",
	[PID_DIFFERS] = "PID_DIFFERS",
	[DIFFERS] = "DIFFERS",
	[NO_RESET] = "NO_RESET",
	[NOT_SHOWN] = "NOT_SHOWN",
	[CRASHES] = "CRASHES",
	[STOPPED] = "STOPPED",
	[LATE] = "LATE",
	[LOST] = "LOST",
};

/* The modem leaves, and will be back as whatever its faults say. */
static void restart(struct loop *l)
{
	struct model *model = &l->model;

	model->away = true;
	model->kind = HAS(model, AS_STORAGE) || (HAS(model, AS_STORAGE_ONCE) && model->resets == 1)
			      ? STORAGE
		      : HAS(model, AS_BOOT) || HAS(model, BOOT_PASSES) ? BOOT
		      : HAS(model, AS_STRANGER)                        ? FOREIGN
								       : MODEM;
	if (HAS(model, FORGETS)) {
		model->pid = model->running_pid;
		model->comp = model->running;
	}
}

static void see(struct loop *l)
{
	struct past *p = &l->w.p;
	struct modem m;

	look_at(&l->model, &m);
	if (m.kind == GONE ? l->w.m.kind != GONE : !same(&m, &l->w.m)) {
		if (l->w.m.kind == MODEM)
			p->losses++;
		if (p->why == NO_RESET && !p->restored)
			p->why = FINE;
		l->known = l->link = false;
		p->asked = p->stayed = false;
		p->mute = FINE;
		p->selections = p->config = 0;
	}
	l->w.m = m;
}

/* What act() does, to a model. False when the waiting is in vain. */
static bool obey(struct loop *l, const struct step *s)
{
	struct model *model = &l->model;
	struct past *p = &l->w.p;
	bool pid = s->doing == WRITE_PID, answered;
	enum why why;

	if (s->why && s->doing != WAITING)
		p->why = s->why;
	switch (s->doing) {
	case WAITING:
		note(l, "wait ");
		if (model->away && !HAS(model, STAYS_AWAY)) {
			power_up(model);
			return true;
		}
		if (!model->away && model->kind == BOOT && HAS(model, BOOT_PASSES)) {
			model->kind = MODEM;
			model->devnum++;
			return true;
		}
		note(l, "%s ", why_names[s->why]);
		return false;
	case FLIP:
		note(l, "flip ");
		p->flips++;
		if (HAS(model, STUCK)) {
			p->mute = NO_LEAVE;
		} else {
			model->away = true;
			model->kind = MODEM;
		}
		return true;
	case SELECT:
		note(l, "select %u ", s->value);
		p->selections++;
		if (!p->config)
			p->config = l->w.m.active;
		if (HAS(model, NO_CONFIGS))
			p->selections = SELECTIONS;
		else
			model->config = (uint8_t)s->value;
		l->link = false;
		return true;
	case ASK:
		note(l, "ask ");
		if ((why = ask_model(model, &l->w))) {
			p->mute = why;
			return true;
		}
		if (!l->known)
			p->running = l->w.o;
		l->known = l->link = p->asked = true;
		if (!p->written)
			p->found = l->w.o;
		return true;
	case WRITE_PID:
	case WRITE_COMP:
		if (!l->link) { /* decided to ask again first */
			p->asked = false;
			return true;
		}
		note(l, pid || model->fw->dialect == MASK ? "%s%s %X " : "%s%s %u ",
		     s->why ? "back-" : "",
		     pid                          ? "pid"
		     : model->fw->dialect == MASK ? "mask"
						  : "comp",
		     s->value);
		if (s->why)
			p->restored = (uint8_t)(p->restored | (pid ? PID : COMP));
		else
			p->written = (uint8_t)(p->written | (pid ? PID : COMP));
		if (!s->why && pid)
			p->pid = (int)s->value;
		else if (!s->why)
			p->comp = s->value;
		store(model, pid, s->value, s->why != FINE);
		if (HAS(model, RESTARTS) && model->pid_writes + model->comp_writes == 1) {
			restart(l);
			l->link = false;
		}
		answered = !HAS(model, DROPS_LINE) &&
			   !(HAS(model, DROPS_LINE_ONCE) &&
			     model->pid_writes + model->comp_writes == 1) &&
			   !ask_model(model, &l->w);
		if (!answered)
			p->asked = l->link = false;
		return true;
	case RESET:
		note(l, "reset ");
		l->link = false;
		p->resets++;
		p->committed = s->value && p->written;
		l->resets++;
		model->resets++;
		if (HAS(model, IGNORED) || (HAS(model, IGNORED_ONCE) && model->resets == 1)) {
			p->why = NO_RESET;
			return true;
		}
		restart(l);
		return true;
	case WATCH:
		note(l, "watch ");
		if (HAS(model, CRASHES_AFTER) ||
		    (HAS(model, CRASHES_ONCE) && p->losses <= p->resets))
			restart(l);
		else
			p->stayed = true;
		return true;
	case DONE:
		note(l, "done ");
		l->done = true;
		return false;
	case REFUSE:
		note(l, "refuse %s ", why_names[s->why]);
		return false;
	}
	return false;
}

enum { NEVER = 1000, BOUND = 60 };

static unsigned long decisions, loops;

/* One run, from the first look to the end. Every step is held against the rules. */
static void drive(struct loop *l, const struct firmware *fw, const char *wanted, uint64_t faults,
		  unsigned stop_at, unsigned late_at)
{
	const char *wrong = NULL;

	*l = (struct loop){ .wanted = wanted, .stop_at = stop_at, .late_at = late_at };
	l->model = (struct model){ .fw = fw,
				   .faults = faults,
				   .pid = fw->pid,
				   .comp = fw->comp,
				   .kind = fw->storage ? STORAGE : MODEM };
	loops++;
	power_up(&l->model);
	if (HAS(&l->model, PENDING))
		l->model.comp = fw->dialect == MASK ? 0x100d : 8;
	l->first_pid = l->model.pid;
	l->first_comp = l->model.comp;
	l->w.t = &l->t;
	if (!parse_target(&l->t, wanted)) {
		hold(false, "%s: not a target", wanted);
		return;
	}
	for (; l->steps < BOUND; l->steps++) {
		struct step s, again;

		see(l);
		l->w.p.stop = l->steps >= stop_at;
		l->w.p.late = l->steps >= late_at;
		s = decide(&l->w);
		again = decide(&l->w);
		decisions++;
		wrong = s.doing != again.doing || s.value != again.value || s.why != again.why
				? "is not a function of its input"
				: unlawful(&l->w.m, &l->w.o, &l->t, &l->w.p, &s);
		if (wrong || !obey(l, &s))
			break;
	}
	hold(!wrong, "%s, target %s: %s; %s", fw->name, wanted, l->trace, wrong);
	hold(l->steps < BOUND, "%s, target %s: no end: %s", fw->name, wanted, l->trace);
}

/* Does the model do what the target says? */
static bool is_right(const struct loop *l)
{
	const struct model *model = &l->model;
	const struct target *t = &l->t;
	unsigned active = in_config(model->fw, model->running, model->config - 1u);

	if (model->running_pid != 0x68a3 && model->running_pid != 0x68aa)
		active &= ~BIT(NET); /* the number of its interface says nothing there */
	if (model->away || model->kind != MODEM || (t->config && t->config != model->config))
		return false;
	if (t->pid != UNKNOWN && t->pid != model->running_pid)
		return false;
	if (t->mode == NAMES)
		return !(t->value & ~active);
	if (t->mode == BITS && model->fw->dialect != MASK)
		return false;
	if (t->mode == NUMBER &&
	    model->fw->dialect == MASK) /* 6, 8, 9 mean the functions of the table */
		return (t->value == 6 || t->value == 8 || t->value == 9) &&
		       !(number_functions(t->value) & ~active);
	return t->mode == LEAVE || t->value == model->running;
}

/* The row that the contract chooses: has it now, with an AT port, one configuration, fewer extras, lower number. */
static const struct row *best_row(const struct offer *o, const struct target *t, uint32_t now)
{
	const struct row *best = NULL;
	unsigned rank_of_best[3] = { 0 };

	for (unsigned i = 0; i < o->rows; i++) {
		const struct row *r = &o->row[i];
		unsigned all = r->functions[0] | r->functions[1];
		unsigned rank[3] = { !(all & BIT(AT)), r->configs > 1,
				     (unsigned)__builtin_popcount(all & ~t->value) };
		bool serves = t->mode == NUMBER && r->number == t->value;

		for (unsigned c = 0; t->mode == NAMES && c < r->configs; c++)
			serves = serves || (!(t->value & ~(unsigned)r->functions[c]) &&
					    (!t->config || t->config == c + 1));
		if (!r->supported || !serves ||
		    (t->mode == NUMBER && t->config > r->configs && all))
			continue;
		if (r->number == now)
			return r;
		if (rank[0] && !t->bare)
			continue;
		if (!best || rank[0] < rank_of_best[0] ||
		    (rank[0] == rank_of_best[0] &&
		     (rank[1] < rank_of_best[1] ||
		      (rank[1] == rank_of_best[1] &&
		       (rank[2] < rank_of_best[2] ||
			(rank[2] == rank_of_best[2] && r->number < best->number)))))) {
			best = r;
			memcpy(rank_of_best, rank, sizeof rank);
		}
	}
	return best;
}

/* Where an honest modem of the numbered dialects must end up: PID and composition, or nowhere. */
static bool destination(const struct firmware *fw, const struct target *t, int *pid, uint32_t *comp)
{
	struct model there = { .fw = fw, .pid = fw->pid, .running_pid = fw->pid };
	struct offer o = { 0 }, p = { 0 };
	const struct row *r;

	if (fw->pids)
		read_list(&p, fw->pids, NOBODY);
	*pid = fw->pid;
	*comp = fw->comp;
	if (t->pid != UNKNOWN && t->pid != fw->pid) {
		if (!lists_pid(&p, (uint32_t)t->pid))
			return false;
		*pid = there.pid = t->pid;
		*comp = t->pid == 0x68a3 || t->pid == 0x68aa ? 3 : 6;
	}
	read_list(&o, list_of(&there), INDEX);
	r = best_row(&o, t, *comp);
	if (!r && t->pid == UNKNOWN && t->mode == NAMES &&
	    (fw->pid == 0x68a3 || fw->pid == 0x68aa) && lists_pid(&p, 0x68a2) &&
	    !(t->value & (BIT(NET) | BIT(ECM) | BIT(MS)))) {
		*pid = there.pid = 0x68a2;
		*comp = 6;
		read_list(&o, list_of(&there), INDEX);
		r = best_row(&o, t, *comp);
	}
	if (r)
		*comp = r->number;
	return r != NULL;
}

/* A modem without faults, as it is in a composition. */
static void view(struct modem *m, const struct firmware *fw, int pid, uint32_t comp, uint8_t active)
{
	struct model model = { .fw = fw, .kind = MODEM, .pid = pid, .comp = comp };

	power_up(&model);
	if (active)
		model.config = active;
	look_at(&model, m);
}

/* An honest modem: it gets there if it can be had, and is untouched if not. */
static void check_honest(const struct loop *l)
{
	const struct model *model = &l->model;
	const struct target *t = &l->t;
	struct modem m;
	bool right, can;
	uint32_t comp;
	int pid;

	hold(l->done == is_right(l) || (l->done && t->mode == NUMBER),
	     "%s, target %s: %s but %X/%u runs", model->fw->name, l->wanted, l->trace,
	     (unsigned)model->running_pid, model->running);
	hold(model->pid == model->running_pid && model->comp == model->running,
	     "%s, target %s: %s leaves something stored", model->fw->name, l->wanted, l->trace);
	if (!l->done && !l->w.p.committed)
		hold(model->comp == model->fw->comp && model->pid == model->fw->pid,
		     "%s, target %s: %s leaves %X/%u", model->fw->name, l->wanted, l->trace,
		     (unsigned)model->pid, model->comp);
	if (l->done)
		hold(l->resets <= 1 || !strcmp(model->fw->name, "one-list"),
		     "%s, target %s: %s needs but one reset", model->fw->name, l->wanted, l->trace);
	if (model->fw->dialect != INDEX || t->mode == LEAVE || t->mode == BITS ||
	    model->fw->comp == 9 || !strcmp(model->fw->name, "one-list"))
		return;
	/* by descriptors first, then by the lists */
	view(&m, model->fw, model->fw->pid, model->fw->comp, 0);
	right = t->mode == NAMES && (t->pid == UNKNOWN || t->pid == m.pid) && served(&m, t);
	can = destination(model->fw, t, &pid, &comp);
	if (t->mode == NUMBER && model->fw->comp == t->value &&
	    (t->pid == UNKNOWN || t->pid == model->fw->pid) && t->config <= m.configs)
		right = true;
	if (right) {
		hold(l->done && !model->comp_writes && !model->pid_writes && !l->resets,
		     "%s, target %s: %s though it was right", model->fw->name, l->wanted, l->trace);
		return;
	}
	hold(l->done == can, "%s, target %s: %s, but it can%s be had", model->fw->name, l->wanted,
	     l->trace, can ? "" : "not");
	if (l->done && can)
		hold(model->running_pid == pid && model->running == comp,
		     "%s, target %s: %s ends in %X/%u, not in %X/%u", model->fw->name, l->wanted,
		     l->trace, (unsigned)model->running_pid, model->running, (unsigned)pid, comp);
}

/* A number that the modem no longer says: its AT port, its network, by configuration, and its PID are there. */
static bool looks_right(const struct loop *l)
{
	const struct model *model = &l->model;

	/* stored by somebody else, not in the list, so nobody knows what it would show */
	if (l->t.mode == NUMBER && HAS(model, PENDING) &&
	    (model->fw->other != newer || model->fw->pid != 0x68a2 || HAS(model, LIST_GONE)))
		return true;
	if ((l->t.mode != NUMBER && l->t.mode != BITS) ||
	    (l->t.pid != UNKNOWN && l->t.pid != model->running_pid))
		return false;
	for (unsigned c = 0; c < 2; c++)
		if (in_config(model->fw, l->t.value, c) & (BIT(AT) | NETS) &
		    ~in_config(model->fw, model->running, c))
			return false;
	return true;
}

/* A modem with faults. DONE must be true; else, as long as it could be asked and took what was put back, it must hold
 * what was found, unless the target went in with a reset. */
static void check_faulty(const struct loop *l, bool stopped_too)
{
	static const uint64_t excused =
		1ull << PUTBACK_LOST | 1ull << SILENT_AFTER | 1ull << SILENT_ALWAYS |
		1ull << DROPS_LINE | 1ull << STAYS_AWAY | 1ull << AS_BOOT | 1ull << AS_STRANGER |
		1ull << FEWER | 1ull << AS_STORAGE | 1ull << STUCK | 1ull << CRASHES_AFTER |
		1ull << CRASHES_ONCE | 1ull << PID_SILENT | 1ull << PID_FADES |
		1ull << PID_APPEARS | 1ull << NO_CONFIGS | 1ull << UNAUTHORIZED |
		1ull << AS_STORAGE_ONCE;
	const struct model *model = &l->model;
	bool changed = model->pid != l->first_pid || model->comp != l->first_comp;

	if (l->done)
		hold(is_right(l) || looks_right(l), "%s, target %s: %s but %X/%u runs",
		     model->fw->name, l->wanted, l->trace, (unsigned)model->running_pid,
		     model->running);
	if (HAS(model, PID_MOVES) &&
	    l->w.p.found.dialect != INDEX) /* there a PID is never written, back neither */
		changed = model->comp != l->first_comp;
	if (HAS(model, RESTARTS) && (HAS(model, PID_MOVES) || l->w.p.mute || l->w.p.why == NO_PORT))
		changed =
			false; /* what it moved then ran before it was read; where nobody answers nothing can be put back */
	if (!l->w.p.written || (HAS(model, PENDING) && HAS(model, FORGETS)))
		changed = false; /* by itself */
	if (!l->done && !l->w.p.committed && !(model->faults & excused))
		hold(!changed, "%s, target %s%s: %s leaves %X/%u", model->fw->name, l->wanted,
		     stopped_too ? ", stopped" : "", l->trace, (unsigned)model->pid, model->comp);
}

static const char *names_of(uint64_t faults)
{
	static char names[100];

	names[0] = '\0';
	for (unsigned f = 0; f < FAULTS; f++)
		if (faults >> f & 1)
			snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s",
				 names[0] ? "," : "", fault_names[f]);
	return names;
}

static void test_loops(void)
{
	static struct loop l;

	for (const struct firmware *fw = firmwares; fw < firmwares + LEN(firmwares); fw++) {
		begin("decide.honest.%s", fw->name);
		for (unsigned t = 0; t < LEN(targets); t++) {
			unsigned steps;

			drive(&l, fw, targets[t], 0, NEVER, NEVER);
			check_honest(&l);
			steps = l.steps;
			for (unsigned at = 0; at <= steps; at++) {
				drive(&l, fw, targets[t], 0, at, NEVER);
				check_faulty(&l, true);
				hold(!l.done, "%s, target %s: %s: TERM at step %u, yet content",
				     fw->name, targets[t], l.trace, at);
				drive(&l, fw, targets[t], 0, NEVER, at);
				check_faulty(&l, false);
			}
		}
		end();
	}
	for (unsigned f = 0; f < FAULTS; f++) {
		begin("decide.fault.%s", fault_names[f]);
		for (const struct firmware *fw = firmwares; fw < firmwares + LEN(firmwares); fw++)
			for (unsigned t = 0; t < LEN(targets); t++) {
				unsigned steps;

				drive(&l, fw, targets[t], 1ull << f, NEVER, NEVER);
				check_faulty(&l, false);
				steps = l.steps;
				for (unsigned at = 0; at <= steps; at++) {
					drive(&l, fw, targets[t], 1ull << f, at, NEVER);
					check_faulty(&l, true);
					drive(&l, fw, targets[t], 1ull << f, NEVER, at);
					check_faulty(&l, false);
				}
			}
		end();
	}
	for (unsigned f = 0; f < FAULTS; f++) {
		begin("decide.faults.%s", fault_names[f]);
		for (unsigned f2 = 0; f2 < f;
		     f2++) /* a third of the modems with each pair, to be quick */
			for (const struct firmware *fw = firmwares + (f + f2) % 3;
			     fw < firmwares + LEN(firmwares); fw += 3)
				for (unsigned t = 0; t < LEN(targets); t++) {
					uint64_t both = 1ull << f | 1ull << f2;

					drive(&l, fw, targets[t], both, NEVER, NEVER);
					check_faulty(&l, false);
					if (test.broken == 1 && !strchr(test.first, '{'))
						snprintf(test.first + strlen(test.first),
							 sizeof test.first - strlen(test.first),
							 " {%s}", names_of(both));
				}
		end();
	}
}

/* ---- raw cells ---- */

static unsigned long cells;

static void cell(const struct work *w, const char *where)
{
	const struct offer *o = &w->o;
	const struct past *p = &w->p;
	struct step s = decide(w);
	const char *wrong = unlawful(&w->m, o, w->t, p, &s);

	cells++;
	hold(!wrong,
	     "%s: step %u value %X why %u: %s (asked %u stop %u late %u committed %u stayed %u "
	     "resets %u written %u "
	     "restored %u why %u mute %u config %u; stored %d/%u found %d/%u running %d/%u)",
	     where, s.doing, s.value, s.why, wrong, p->asked, p->stop, p->late, p->committed,
	     p->stayed, p->resets, p->written, p->restored, p->why, p->mute, p->config, o->pid,
	     o->now, p->found.pid, p->found.now, p->running.pid, p->running.now);
}

/* All histories of one situation. What runs is what was found, what is stored, or the third. */
static void histories(const struct modem *m, const struct offer *found, const struct offer *o,
		      const struct offer *third, const struct target *t, int pid, uint32_t comp,
		      const char *where)
{
	static const enum why whys_tried[] = { FINE, DIFFERS }, mutes[] = { FINE, MUTE };
	static const struct {
		bool committed, stayed;
	} ends[] = { { false, false }, { true, false }, { true, true } };
	static const struct {
		uint8_t selections, losses, flips;
	} limits[] = {
		{ 0, 0, 0 },     { SELECTIONS, 0, 0 }, { 0, LOSSES, 0 }, { 0, LOSSES + RESETS, 0 },
		{ 0, 0, FLIPS }, { 0, 0, 1 },
	};

	static struct work w;

	w.m = *m;
	w.o = *o;
	w.t = t;
	for (unsigned i = 0; i < 1u << 15; i++) {
		unsigned bits = i, resets, end_, limit;
		bool ignored;
		struct past p = { .pid = pid, .comp = comp };

		p.asked = bits & 1, bits >>= 1;
		p.stop = bits & 1, bits >>= 1;
		p.late = bits & 1, bits >>= 1;
		ignored = bits & 1, bits >>= 1;
		p.why = ignored ? NO_RESET : whys_tried[bits & 1], bits >>= 1;
		p.mute = mutes[bits & 1], bits >>= 1;
		p.config = bits & 1, bits >>= 1;
		p.written = bits & 3, bits >>= 2;
		p.restored = bits & 3, bits >>= 2;
		resets = bits & 3, bits >>= 2;
		end_ = bits & 3;
		if (resets == 3 || end_ == 3 || (p.restored && !p.written) || (p.asked && p.mute) ||
		    ((end_ || ignored) && !resets) ||
		    ((p.written & PID) &&
		     (found->dialect != INDEX || found->pid == UNKNOWN || pid == UNKNOWN)) ||
		    (p.asked && p.written && o->pid == UNKNOWN && o->dialect != WIRE &&
		     found->pid != UNKNOWN) || /* no answer */
		    (!p.written && (o->pid != found->pid || o->now != found->now)) ||
		    (end_ && !p.written) || (t->mode == LEAVE && p.written))
			continue;
		p.resets = (uint8_t)resets;
		p.committed = ends[end_].committed;
		p.stayed = ends[end_].stayed;
		for (limit = 0; limit < (i % 7 ? 1 : LEN(limits)); limit++) {
			p.selections = limits[limit].selections;
			p.losses = limits[limit].losses;
			p.flips = limits[limit].flips;
			w.p = p;
			w.p.found = *found;
			w.p.running = *o;
			cell(&w, where);
			if (p.written && !p.committed) {
				w.p.running = *found;
				cell(&w, where);
				w.p.running = *third;
				cell(&w, where);
			}
		}
	}
}

static const struct firmware *firmware(const char *name)
{
	for (const struct firmware *fw = firmwares; fw < firmwares + LEN(firmwares); fw++)
		if (!strcmp(fw->name, name))
			return fw;
	return NULL;
}

static void test_cells(void)
{
	/* what was found, and what may be stored later, with the target that led there */
	static const struct {
		const char *fw;
		uint8_t active;
		const char *target;
		struct {
			int pid;
			uint32_t comp;
		} stored[5];
	} tried[] = {
		{ "330u",
		  1,
		  "mbim",
		  { { 0x68a3, 3 }, { 0x68a2, 6 }, { 0x68a2, 8 }, { 0x68a9, 6 }, { UNKNOWN, 3 } } },
		{ "330u",
		  1,
		  "mbim!",
		  { { 0x68a3, 3 }, { 0x68a2, 6 }, { 0x68a2, 9 }, { 0x68a2, 8 }, { UNKNOWN, 8 } } },
		{ "330u",
		  1,
		  "68A2/14",
		  { { 0x68a3, 3 }, { 0x68a2, 6 }, { 0x68a2, 14 }, { 0x68a9, 14 } } },
		{ "330u", 1, "2", { { 0x68a3, 3 }, { 0x68a3, 2 }, { 0x68aa, 2 }, { 0x68a3, 4 } } },
		{ "330u", 1, "8", { { 0x68a3, 3 }, { 0x68a2, 8 }, { 0x68a2, 6 } } },
		{ "mc7710-old",
		  1,
		  "mbim",
		  { { 0x68a3, 3 }, { 0x68a2, 6 }, { 0x68a2, 7 }, { 0x68a2, 3 } } },
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
		{ "mc7455",
		  1,
		  "mbim",
		  { { 0x9071, 0x10d },
		    { 0x9071, 0x100d },
		    { 0x9071, 0x1009 },
		    { UNKNOWN, 0x10d } } },
		{ "mc7455",
		  1,
		  "0x1009",
		  { { 0x9071, 0x10d }, { 0x9071, 0x1009 }, { 0x9091, 0x1009 } } },
		{ "em7565",
		  1,
		  "9!",
		  { { 0x9091, 0x20010f }, { 0x9091, 0x20100f }, { 0x90b1, 0x20100f } } },
		{ "em9191", 1, "mbim", { { 0x90d3, 0x10d }, { 0x90d3, 0x100d } } },
		{ "mask-no-list", 1, "8", { { 0x9071, 0x10d }, { 0x9071, 0x100d } } },
	};

	for (unsigned i = 0; i < LEN(tried); i++) {
		const struct firmware *fw = firmware(tried[i].fw);
		struct offer offers[5] = { { 0 } };
		struct target t;
		unsigned n = 0;

		begin("decide.cells.%s.%s", tried[i].fw, tried[i].target);
		if (!hold(parse_target(&t, tried[i].target), "not a target"))
			continue;
		for (; n < 5 && tried[i].stored[n].pid; n++) {
			struct model model = { .fw = fw,
					       .kind = MODEM,
					       .pid = tried[i].stored[n].pid,
					       .comp = tried[i].stored[n].comp };
			struct modem m;

			view(&m, fw, fw->pid, fw->comp, tried[i].active);
			if (m.active == 2 && fw->dialect == INDEX)
				view(&m, fw, fw->pid, fw->comp, 1);
			answer(&model, &m, &offers[n]);
			if (model.pid == UNKNOWN)
				offers[n].pid = UNKNOWN;
		}
		/* seen as found and as wanted; stored, found and written: any */
		for (unsigned shown = 0; shown < n; shown++)
			for (unsigned stored_ = 0; stored_ < n; stored_++)
				for (unsigned wrote = 0; wrote < 2; wrote++) {
					struct modem m;
					int pid = tried[i].stored[shown].pid;

					view(&m, fw, pid == UNKNOWN ? fw->pid : pid,
					     tried[i].stored[shown].comp,
					     shown ? 0 : tried[i].active);
					histories(&m, &offers[0], &offers[stored_], &offers[n - 1],
						  &t, tried[i].stored[wrote ? n - 1 : 1].pid,
						  tried[i].stored[wrote ? n - 1 : 1].comp,
						  tried[i].target);
				}
		/* found without a PID */
		{
			struct offer found = offers[0];
			struct modem m;

			found.pid = UNKNOWN;
			view(&m, fw, fw->pid, fw->comp, tried[i].active);
			for (unsigned stored_ = 0; stored_ < n; stored_++)
				histories(&m, &found, &offers[stored_], &offers[n - 1], &t,
					  tried[i].stored[1].pid, tried[i].stored[1].comp,
					  tried[i].target);
		}
		end();
	}
	/* what is no modem, or not ready, or has no port, with every target */
	begin("decide.cells.others");
	for (unsigned t = 0; t < LEN(targets); t++)
		for (unsigned kind = GONE; kind <= BOOT + 4; kind++) {
			struct modem m = { .port = "1-1",
					   .vid = 0x1199,
					   .pid = 0x68a2,
					   .devnum = 3,
					   .active = 1,
					   .kind = (enum kind)kind };
			struct offer none = { .pid = UNKNOWN };
			struct target target;

			if (kind > BOOT)
				m.kind = MODEM;
			if (kind == STORAGE || kind == BOOT + 4)
				show(&m, 0, BIT(MS)), m.kind = STORAGE, m.pid = 0x0fff;
			if (kind == BOOT + 4)
				show(&m, 1, BIT(MBIM));
			if (kind == BOOT + 1)
				show(&m, 0, BIT(NMEA) | BIT(DM));
			if (kind == BOOT + 2)
				m.active = 0, m.configs = 0;
			if (kind == BOOT + 3)
				m.active = 0, m.barred = true;
			parse_target(&target, targets[t]);
			histories(&m, &none, &none, &none, &target, 0x68a2, 8, targets[t]);
			m.barred = true, m.active = 0;
			if (m.kind == STORAGE) {
				static struct work w;

				w = (struct work){ .m = m, .o = none, .t = &target };
				cell(&w, targets[t]);
			}
		}
	end();
}

/* ---- examples ---- */

static void test_examples(void)
{
	static const struct {
		const char *fw, *target, *steps;
		uint64_t faults;
	} examples[] = {
		/* the seed's whole story */
		{ "330u", "mbim", "flip wait ask pid 68A2 comp 8 reset wait watch done", 0 },
		{ "330u", "modem", "flip wait done", 0 },
		{ "330u", "net", "flip wait done", 0 },
		{ "330u", "qmi", "flip wait ask pid 68A2 reset wait watch done", 0 },
		{ "330u", "mbim!", "flip wait ask pid 68A2 comp 8 reset wait watch done", 0 },
		{ "330u", "mbim@2", "flip wait ask pid 68A2 comp 13 reset wait select 2 watch done",
		  0 },
		{ "330u", "3", "flip wait ask done", 0 },
		{ "330u", "2", "flip wait ask comp 2 reset wait ask watch done", 0 },
		{ "330u", "8", "flip wait ask refuse NOT_LISTED",
		  0 }, /* a number never changes the PID */
		{ "330u", "68A2/8", "flip wait ask pid 68A2 comp 8 reset wait ask watch done", 0 },
		{ "330u", "68AA/3", "flip wait ask pid 68AA reset wait ask watch done", 0 },
		{ "330u", "ecm", "flip wait ask comp 5 reset wait watch done", 0 },
		{ "330u", "68A2/9", "flip wait ask pid 68A2 back-pid 68A3 refuse NO_AT", 0 },
		{ "330u", "68E2/mbim", "flip wait ask refuse PID_NOT_LISTED", 0 },
		{ "330u", "68A3/mbim", "flip wait ask refuse NOT_LISTED",
		  0 }, /* a PID that is named stays */
		{ "330u", "68A4/mbim", "flip wait ask refuse PID_NOT_LISTED", 0 },
		{ "330u", "modem@2", "flip wait refuse NO_SUCH_CONFIG", 0 },
		{ "330u", "0x100D", "flip wait ask refuse NO_BITS", 0 },
		/* firmware without MBIM: the list speaks for the new PID */
		{ "mc7710-old", "mbim", "ask pid 68A2 back-pid 68A3 refuse NOT_LISTED", 0 },
		{ "mc7710-old", "mbim", "ask pid 68A2 back-pid 68A3 refuse NOT_LISTED",
		  1ull << BOOT_PASSES },
		{ "mc7710-old", "qmi", "ask pid 68A2 reset wait watch done", 0 },
		/* one list for all PIDs: only a reset tells */
		{ "one-list", "mbim",
		  "ask pid 68A2 reset wait ask back-pid 68A3 reset wait ask refuse NOT_LISTED", 0 },
		/* the list of the running PID: only a reset tells either, then both are in */
		{ "330u", "mbim",
		  "flip wait ask pid 68A2 reset wait ask comp 8 reset wait watch done",
		  1ull << LIST_LAGS },
		{ "mc7710", "mbim", "ask comp 8 reset wait watch done", 0 },
		{ "mc7710", "mbim!", "ask comp 8 reset wait watch done", 0 },
		{ "mc7710", "mbim@2", "ask comp 13 reset wait select 2 watch done", 0 },
		{ "mc7710", "mbim@1", "ask comp 8 reset wait watch done", 0 },
		{ "mc7710", "mbim@3", "ask refuse NOT_LISTED", 0 },
		{ "mc7710", "nmea+mbim@2", "ask comp 13 reset wait select 2 watch done", 0 },
		{ "mc7710", "9", "ask refuse NO_AT", 0 },
		{ "mc7710", "9!", "ask comp 9 reset wait ask watch done", 0 },
		{ "mc7710", "10", "ask refuse NO_AT", 0 },
		{ "mc7710", "6", "ask done", 0 },
		{ "mc7710", "qmi", "done", 0 },
		{ "mc7710", "at+qmi", "done", 0 },
		{ "mc7710", "3", "ask refuse NOT_LISTED", 0 },
		{ "mc7710", "net", "ask refuse NOT_LISTED", 0 },
		{ "mc7710", "23", "ask refuse NOT_LISTED", 0 },
		{ "mc7710", "0x10D", "ask refuse NO_BITS", 0 },
		{ "mc7710", "14", "ask comp 14 reset wait ask watch done", 0 },
		{ "mc7710", "14@1", "ask comp 14 reset wait ask select 1 watch done", 0 },
		{ "mc7710", "19@2", "ask comp 19 reset wait ask watch done", 0 },
		{ "mc7710", "68A3/net", "ask pid 68A3 reset wait watch done", 0 },
		{ "mc7710", "8@2", "ask refuse NO_SUCH_CONFIG", 0 },
		{ "mc7710-in-14", "mbim", "done", 0 },
		{ "mc7710-in-14", "qmi", "select 1 done", 0 },
		{ "mc7710-in-14", "14", "select 1 ask select 2 done", 0 },
		{ "mc7710-in-14", "14@1", "select 1 ask done", 0 },
		{ "mc7710-in-14", "at+mbim", "select 1 ask comp 8 reset wait watch done", 0 },
		{ "mc7710-in-14", "net", "select 1 ask select 2 refuse NOT_LISTED", 0 },
		{ "mc7710-in-9", "mbim", "done", 0 }, /* already serves, with a warning */
		{ "mc7710-in-9", "qmi", "ask comp 6 reset wait watch done", 0 },
		{ "mc7710-in-9", "8", "ask comp 8 reset wait ask watch done", 0 },
		{ "mc7710-in-9", "9", "ask done", 0 },
		{ "qmi-9-no-list", "8", "ask refuse NO_LIST", 0 },
		{ "qmi-9-old", "8", "ask refuse NOT_LISTED", 0 },
		{ "qmi-9", "68A2/8", "ask refuse PID_DIFFERS", 0 },
		{ "win8", "8", "ask refuse NO_AT", 0 },
		{ "win8", "8!", "ask comp 8 reset wait ask watch done", 0 },
		{ "reserved", "9", "ask refuse NO_AT", 0 },
		{ "reserved", "mbim", "ask refuse NOT_LISTED", 0 },
		{ "twice", "8", "ask refuse NOT_LISTED", 0 },
		{ "twice", "mbim", "ask comp 13 reset wait select 2 watch done", 0 },
		{ "only-bare", "mbim", "flip wait ask pid 68A2 back-pid 68A3 refuse NO_AT", 0 },
		{ "only-bare", "mbim!", "flip wait ask pid 68A2 comp 9 reset wait watch done", 0 },
		{ "only-dual", "mbim", "ask comp 14 reset wait watch done", 0 },
		{ "no-list", "mbim", "ask refuse NO_LIST", 0 },
		{ "no-list", "6", "ask done", 0 },
		{ "no-list", "qmi", "done", 0 },
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
		{ "mc7455", "7", "ask refuse NO_INDEX", 0 },
		{ "mc7455", "net", "ask refuse NO_BIT", 0 },
		{ "mc7455", "ms", "ask refuse NO_BIT", 0 },
		{ "mc7455", "ecm", "ask refuse NOT_LISTED", 0 },
		{ "mc7455", "0x10D", "ask done", 0 },
		{ "mc7455", "0x1000", "ask refuse NO_AT", 0 },
		{ "mc7455", "0x1000!", "ask mask 1000 reset wait watch done", 0 },
		{ "mc7455", "0x4009", "ask refuse NOT_LISTED", 0 },
		{ "mc7455", "9071/mbim", "ask mask 100D reset wait watch done", 0 },
		{ "mc7455", "68A2/mbim", "ask refuse PID_DIFFERS", 0 },
		{ "wp7607", "ecm", "ask mask 8000D reset wait watch done", 0 },
		{ "wp7607", "0x4009", "ask mask 4009 reset wait ask watch done", 0 },
		{ "em7565", "mbim", "ask mask 20100F reset wait watch done", 0 },
		{ "em9191", "mbim", "ask refuse NO_TYPE", 0 },
		{ "no-mbim", "mbim", "ask refuse NOT_LISTED", 0 },
		{ "mask-no-list", "mbim", "ask refuse NO_LIST", 0 },
		{ "mask-no-list", "0x10D", "ask done", 0 },
		{ "mc7455", "mbim@2", "ask refuse NO_SUCH_CONFIG", 0 },
		{ "mc7455", "0x100D@2", "ask refuse NO_SUCH_CONFIG", 0 },
		/* right already, whatever the list says */
		{ "68a3-in-6", "6", "ask done", 0 },
		{ "qmi-9-old", "9", "ask done", 0 },
		{ "qmi-9-no-list", "9", "ask done", 0 },
		/* faults */
		{ "330u", "ecm", "flip wait ask comp 5 reset wait watch done",
		  1ull << PID_APPEARS },
		{ "mc7710", "mbim", "ask comp 8 back-pid 68A2 refuse DIFFERS", 1ull << PID_MOVES },
		{ "mc7710", "mbim", "ask comp 8 back-comp 6 refuse DIFFERS", 1ull << COMP_OTHER },
		{ "mc7710", "mbim", "ask comp 8 refuse DIFFERS", 1ull << COMP_LOST },
		{ "330u", "mbim", "flip wait ask pid 68A2 refuse DIFFERS", 1ull << PID_LOST },
		{ "330u", "mbim", "flip wait ask pid 68A2 back-pid 68A3 refuse DIFFERS",
		  1ull << PID_OTHER },
		{ "330u", "mbim", "flip wait ask pid 68A2 comp 8 back-pid 68A3 refuse DIFFERS",
		  1ull << COMP_OTHER },
		{ "330u", "mbim",
		  "flip wait ask pid 68A2 comp 8 back-pid 68A3 back-comp 3 refuse DIFFERS",
		  1ull << COMP_OTHER | 1ull << NO_FOLLOW },
		{ "330u", "mbim", "flip wait ask pid 68A2 comp 8 reset wait flip wait watch done",
		  1ull << AS_STORAGE },
		{ "330u", "mbim", "flip refuse NO_LEAVE", 1ull << STUCK },
		{ "mc7710", "mbim", "ask comp 8 reset ask back-comp 6 refuse NO_RESET",
		  1ull << IGNORED },
		{ "mc7710", "mbim", "ask comp 8 reset wait wait IN_BOOT", 1ull << AS_BOOT },
		{ "mc7710", "mbim", "ask comp 8 reset wait wait watch done", 1ull << BOOT_PASSES },
		{ "mc7710", "mbim", "ask comp 8 reset wait MISSING", 1ull << STAYS_AWAY },
		{ "mc7710", "mbim", "ask comp 8 reset wait wait NOT_OURS", 1ull << AS_STRANGER },
		{ "mc7710", "mbim",
		  "ask comp 8 reset wait watch wait watch wait watch refuse CRASHES",
		  1ull << CRASHES_AFTER },
		{ "mc7710", "mbim", "ask comp 8 reset wait ask refuse DIFFERS", 1ull << FORGETS },
		{ "mc7710", "mbim", "ask refuse LOCKED", 1ull << REFUSES_CODE },
		{ "mc7710", "mbim", "ask refuse MUTE", 1ull << SILENT_ALWAYS },
		{ "mc7710", "8", "ask comp 8 reset wait ask watch done", 1ull << SILENT_AFTER },
		{ "reserved", "9!", "ask comp 9 reset wait ask refuse MUTE",
		  1ull << SILENT_AFTER }, /* nobody knows what 9 shows */
		{ "mc7710-in-14", "qmi", "select 1 refuse NO_CONFIG", 1ull << NO_CONFIGS },
		{ "330u", "modem", "refuse BARRED", 1ull << UNAUTHORIZED },
	};
	static struct loop l;

	for (unsigned i = 0; i < LEN(examples); i++) {
		size_t n = strlen(examples[i].steps);
		char name[100];

		begin("example");
		drive(&l, firmware(examples[i].fw), examples[i].target, examples[i].faults, NEVER,
		      NEVER);
		while (l.trace[0] && l.trace[strlen(l.trace) - 1] == ' ')
			l.trace[strlen(l.trace) - 1] = '\0';
		snprintf(name, sizeof name, "decide.example.%s.%s%s%s", examples[i].fw,
			 examples[i].target, examples[i].faults ? "." : "",
			 names_of(examples[i].faults));
		expect(!test.broken && !strncmp(l.trace, examples[i].steps, n) &&
			       (!l.trace[n] || !strstr(examples[i].steps, "done")) &&
			       (!strstr(examples[i].steps, "refuse") || !l.trace[n]),
		       name, "%s; expected: %s %s", l.trace, examples[i].steps,
		       test.broken ? test.first : "");
	}
}

/* Which row is chosen, where more than one would do. */
static void test_choice(void)
{
	static const struct {
		const char *name, *rows;
		uint32_t now;
		const char *target;
		int number;
	} choices[] = {
		{ "what-it-has", "6 - AT QMI SUPPORTED\n7 - DM NMEA AT QMI MS SUPPORTED\n", 7,
		  "qmi", 7 },
		{ "fewer-functions", "6 - DM NMEA AT MBIM SUPPORTED\n7 - AT MBIM SUPPORTED\n", 3,
		  "mbim", 7 },
		{ "fewer-functions-two",
		  "6 - DM NMEA AT MBIM SUPPORTED\n7 - DM AT MBIM SUPPORTED\n8 - AT MBIM MS NMEA "
		  "SUPPORTED\n",
		  3, "mbim", 7 },
		{ "named-are-no-extras",
		  "6 - DM NMEA AT MBIM SUPPORTED\n7 - AT MBIM MS SUPPORTED\n", 3, "dm+nmea+mbim",
		  6 },
		{ "single-configuration",
		  "5 - Config1: comp6 Config2: comp9 SUPPORTED\n6 - AT QMI SUPPORTED\n8 - DM NMEA "
		  "AT MBIM MS SUPPORTED\n9 - MBIM SUPPORTED\n",
		  3, "mbim", 8 },
		{ "at-before-single",
		  "5 - Config1: comp6 Config2: comp9 SUPPORTED\n6 - DM AT QMI SUPPORTED\n9 - MBIM "
		  "SUPPORTED\n",
		  3, "mbim!", 5 },
		{ "lower-number", "8 - DM AT MBIM SUPPORTED\n7 - NMEA AT MBIM SUPPORTED\n", 3,
		  "mbim", 7 },
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
		{ "number-not-supported", "6 - DM AT QMI SUPPORTED\n8 - DM AT MBIM NOT SUPPORTED\n",
		  6, "8", -1 },
	};

	static const struct {
		uint32_t now;
		const char *target;
		uint32_t mask;
	} masks[] = {
		{ 0x10d, "mbim", 0x100d },      { 0x50d, "mbim", 0x100d },
		{ 0x100d, "qmi", 0x10d },       { 0x105, "mbim", 0x100d },
		{ 0x105, "mbim!", 0x1005 },     { 0x10f, "mbim", 0x100f },
		{ 0x20010f, "mbim", 0x20100f }, { 0x8000d, "mbim", 0x100d },
		{ 0x4009, "qmi", 0x109 },       { 0x10d, "8", 0x100d },
		{ 0x10d, "9", 0x100d },         { 0x100d, "6", 0x10d },
		{ 0x9, "8", 0x100d },           { 0x10d, "0x1009", 0x1009 },
		{ 0x101, "dm", 0x109 },         { 0x508, "dm+nmea", 0x50d },
	};
	static const struct {
		const char *target;
		uint8_t active;
		unsigned second;
		uint8_t flips;
		enum doing doing;
	} storages[] = {
		{ "mbim", 1, 0, 0, FLIP },
		{ "modem", 0, 0, 0, FLIP },
		{ "8", 1, 0, 3, FLIP },
		{ "mbim", 1, 0, FLIPS, REFUSE },
		{ "mbim", 1, BIT(MBIM), 0, SELECT },
		{ "modem", 1, BIT(MBIM), 0, SELECT },
		{ "modem@2", 1, BIT(MBIM), 0, SELECT },
		{ "mbim", 0, BIT(MBIM), 0, SELECT },
		{ "at+mbim", 1, BIT(MBIM) | BIT(AT), 0, SELECT },
		{ "mbim", 1, BIT(MS), 0, FLIP },
	};
	struct target t;
	static struct work w;
	char name[80];

	w = (struct work){ .t = &t,
			   .m = { .port = "1-1",
				  .kind = MODEM,
				  .vid = 0x1199,
				  .pid = 0x68a2,
				  .devnum = 3,
				  .active = 1 } };
	show(&w.m, 0, BIT(AT));
	w.m.config[0].interface[0].number =
		4; /* somewhere else, so that names are not served already */
	for (unsigned i = 0; i < LEN(choices); i++) {
		struct step s;
		int number;

		w.o = (struct offer){ .dialect = INDEX, .pid = 0x68a2, .now = choices[i].now };
		parse_rows(&w.o, choices[i].rows);
		parse_target(&t, choices[i].target);
		w.p = (struct past){ .asked = true, .found = w.o, .running = w.o };
		s = decide(&w);
		number = s.doing == WRITE_COMP ? (int)s.value
			 : s.doing == REFUSE   ? -1
					       : (int)w.o.now;
		snprintf(name, sizeof name, "decide.choice.%s", choices[i].name);
		expect(number == choices[i].number, name, "%d (step %u)", number, s.doing);
	}
	for (unsigned i = 0; i < LEN(storages); i++) {
		struct step s;

		w.m = (struct modem){ .port = "1-1",
				      .kind = STORAGE,
				      .vid = 0x1199,
				      .pid = 0x0fff,
				      .devnum = 3,
				      .active = storages[i].active };
		show(&w.m, 0, BIT(MS));
		if (storages[i].second)
			show(&w.m, 1, storages[i].second);
		w.p = (struct past){ .flips = storages[i].flips };
		parse_target(&t, storages[i].target);
		s = decide(&w);
		snprintf(name, sizeof name, "decide.storage.%s.%u", storages[i].target, i);
		expect(s.doing == storages[i].doing && (s.doing != SELECT || s.value == 2), name,
		       "step %u, %u", s.doing, s.value);
	}
	w.m = (struct modem){
		.port = "1-1", .kind = MODEM, .vid = 0x1199, .pid = 0x68a2, .devnum = 3, .active = 1
	};
	show(&w.m, 0, BIT(AT));
	w.m.config[0].interface[0].number = 4;
	for (unsigned i = 0; i < LEN(masks); i++) {
		struct step s;

		w.o = (struct offer){ .dialect = MASK,
				      .pid = 0x68a2,
				      .now = masks[i].now,
				      .type = 1,
				      .types = 2,
				      .bits = 0xffffffff };
		parse_target(&t, masks[i].target);
		w.p = (struct past){ .asked = true, .found = w.o, .running = w.o };
		s = decide(&w);
		snprintf(name, sizeof name, "decide.mask.%X.%s", masks[i].now, masks[i].target);
		expect(s.doing == WRITE_COMP && s.value == masks[i].mask, name, "step %u, %X",
		       s.doing, s.value);
	}
}

int main(void)
{
	test_choice();
	test_examples();
	test_loops();
	test_cells();
	printf("# %lu cells, %lu loops of %lu decisions\n", cells, loops, decisions);
	return finish();
}
