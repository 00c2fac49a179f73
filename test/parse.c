/* Every parser of foreign bytes, over recorded answers and what becomes of them on the way: other
 * line ends, echo, unsolicited lines, one long line, lines cut or broken at a terminal's edge, ends
 * missing. Whatever is done to a text, it must not offer what the whole text does not.
 *
 * It makes a sysfs and a /proc of its own in a temporary directory. */
#define SYS       "sys"
#define PROC      "proc"
#define QUIET_MS  30
#define RETRY_MS  20
#define ANSWER_MS 200
#define EARLY_MS  300
#include "native.h"

/* ---- recorded answers ---- */

static const char table_old[] = "0 - HIP  DM    NMEA  AT    MDM1  MDM2  MDM3  MS  SUPPORTED\n"
				"1 - HIP  DM    NMEA  AT    MDM1  MS              NOT SUPPORTED\n"
				"2 - HIP  DM    NMEA  AT    NIC1  MS              SUPPORTED\n"
				"3 - HIP  DM    NMEA  AT    MDM1  NIC1  MS        SUPPORTED\n"
				"4 - HIP  DM    NMEA  AT    NIC1  NIC2  NIC3  MS  SUPPORTED\n"
				"5 - HIP  DM    NMEA  AT    ECM1  MS              SUPPORTED\n"
				"6 - DM   NMEA  AT    QMI                         NOT SUPPORTED\n"
				"7 - DM   NMEA  AT    RMNET1 RMNET2 RMNET3        NOT SUPPORTED\n"
				"\n";

static const char table_new[] = "0  - HIP  DM    NMEA  AT    MDM1  MDM2  MDM3  MS  NOT SUPPORTED\n"
				"1  - HIP  DM    NMEA  AT    MDM1  MS              NOT SUPPORTED\n"
				"2  - HIP  DM    NMEA  AT    NIC1  MS              NOT SUPPORTED\n"
				"3  - HIP  DM    NMEA  AT    MDM1  NIC1  MS        NOT SUPPORTED\n"
				"4  - HIP  DM    NMEA  AT    NIC1  NIC2  NIC3  MS  NOT SUPPORTED\n"
				"5  - HIP  DM    NMEA  AT    ECM1  MS              NOT SUPPORTED\n"
				"6  - DM   NMEA  AT    QMI                         SUPPORTED\n"
				"7  - DM   NMEA  AT    RMNET1 RMNET2 RMNET3        SUPPORTED\n"
				"8  - DM   NMEA  AT    MBIM                        SUPPORTED\n"
				"9  - MBIM                                         SUPPORTED\n"
				"10 - NMEA MBIM                                    SUPPORTED\n"
				"11 - DM   MBIM                                    SUPPORTED\n"
				"12 - DM   NMEA  MBIM                              SUPPORTED\n"
				"13 - Config1: comp6    Config2: comp8             SUPPORTED\n"
				"14 - Config1: comp6    Config2: comp9             SUPPORTED\n"
				"15 - Config1: comp6    Config2: comp10            SUPPORTED\n"
				"16 - Config1: comp6    Config2: comp11            SUPPORTED\n"
				"17 - Config1: comp6    Config2: comp12            SUPPORTED\n"
				"18 - Config1: comp7    Config2: comp8             SUPPORTED\n"
				"19 - Config1: comp7    Config2: comp9             SUPPORTED\n"
				"20 - Config1: comp7    Config2: comp10            SUPPORTED\n"
				"21 - Config1: comp7    Config2: comp11            SUPPORTED\n"
				"22 - Config1: comp7    Config2: comp12            SUPPORTED\n"
				"\n";

static const char table_mc7750[] =
	"0  - reserved                                     NOT SUPPORTED\n"
	"6  - DM   NMEA  AT    QMI                         SUPPORTED\n"
	"7  - DM   NMEA  AT    RMNET1 RMNET2 RMNET3        SUPPORTED\n"
	"8  - Win8 Std Net                                 SUPPORTED\n"
	"9  - MBIM                                         SUPPORTED\n"
	"13 - Config1: comp6    Config2: comp8             SUPPORTED\n"
	"14 - Config1: comp6    Config2: comp9             NOT SUPPORTED\n"
	"\n";

static const char mask_7455[] =
	"AT!USBCOMP=<Config Index>,<Config Type>,<Interface bitmask>\n"
	"  <Config Index>      - configuration index to which the composition applies, should be "
	"1\n"
	"\n"
	"  <Config Type>       - 1:Generic, 2:USBIF-MBIM, 3:RNDIS\n"
	"                        config type 2/3 should only be used for specific Sierra PIDs: "
	"68B1, 9068\n"
	"                        customized VID/PID should use config type 1\n"
	"\n"
	"  <Interface bitmask> - DIAG     - 0x00000001,\n"
	"                        NMEA     - 0x00000004,\n"
	"                        MODEM    - 0x00000008,\n"
	"                        RMNET0   - 0x00000100,\n"
	"                        RMNET1   - 0x00000400,\n"
	"                        MBIM     - 0x00001000,\n"
	"e.g.\n"
	"10D  - diag, nmea, modem, rmnet interfaces enabled\n"
	"1009 - diag, modem, mbim interfaces enabled\n"
	"0x00080000 - ecm\n"
	"\n"
	"The default configuration is:\n"
	"at!usbcomp=1,1,0x00004000\n";

static const char pids_bare[] = "68A3\n68AA\n68A2\n68A9\n\n";
static const char pids_pairs[] = "APP   BOOT\n9071, 9070\n9079, 9078\n81B6, 81B5\n";
static const char pids_columns[] = "APP   BOOT\n68E1  68E0\n68A2  68A4\n";

/* ---- what is done to a text ---- */

enum way { LF, CRLF, ECHO_CRCRLF, FLAT, BARE_CR, TABS, WAYS };

/* The bytes as they come over the wire, with an echo before and a result behind where the way has
 * one. */
static size_t wire(char *out, size_t size, const char *text, const char *command, enum way way)
{
	size_t n = 0;

	if (way == ECHO_CRCRLF)
		n = (size_t)snprintf(out, size, "%s\r\r\n", command);
	for (const char *p = text; *p; p++) {
		const char *s = (const char[2]){ *p, 0 };

		if (*p == '\n')
			s = way == LF                                          ? "\n"
			    : way == CRLF || way == ECHO_CRCRLF || way == TABS ? "\r\n"
			    : way == FLAT                                      ? " "
									       : "\r";
		else if (*p == ' ' && way == TABS)
			s = p[1] == ' ' ? "" : "\t";
		n += (size_t)snprintf(out + n, size - n, "%s", s);
	}
	n += (size_t)snprintf(out + n, size - n, "%s", way == FLAT ? "OK\r\n" : "\r\nOK\r\n");
	return n;
}

/* As send_command_within() takes them: bytes into lines; echo, unsolicited lines and result are
 * out. */
static enum result receive_text(char text[ANSWER_SIZE], const char *bytes, size_t n,
				const char *command, size_t piece)
{
	static struct link l;
	size_t at = 0;

	begin_answer(&l);
	if (piece > FRAME_SIZE)
		piece = FRAME_SIZE;
	while (at < n) {
		size_t part = n - at < piece ? n - at : piece;

		memcpy(l.received, bytes + at, part);
		take_bytes(&l, command, (int)part);
		at += part;
	}
	end_answer(&l, command);
	memcpy(text, l.text, ANSWER_SIZE);
	return l.result;
}

static void rows_of(struct answer *o, const char *text)
{
	memset(o, 0, sizeof *o);
	parse_rows(o, text);
}

/* Everything that a offers is offered by b as the same thing. */
static bool within_offer(const struct answer *a, const struct answer *b)
{
	for (unsigned i = 0; i < a->rows; i++) {
		const struct row *r = &a->row[i], *other = find_row(b, r->number);

		/* less may be known of it */
		if (r->supported && (!other || !other->supported ||
				     (r->functions[0] & ~(unsigned)other->functions[0]) ||
				     (r->functions[1] & ~(unsigned)other->functions[1])))
			return false;
	}
	for (unsigned i = 0; i < a->pids; i++)
		if (!has_pid(b->pid_list, b->pids, a->pid_list[i]))
			return false;
	return !(a->types & ~b->types) && !(a->bits & ~b->bits);
}

static bool equal(const struct answer *a, const struct answer *b)
{
	return within_offer(a, b) && within_offer(b, a) && a->rows == b->rows &&
	       a->pids == b->pids && !memcmp(a->row, b->row, a->rows * sizeof *a->row);
}

static void parse_any(struct answer *o, const char *text, const char *command)
{
	memset(o, 0, sizeof *o);
	if (strstr(command, "COMP=?") && strstr(command, "UD"))
		parse_rows(o, text);
	else if (strstr(command, "COMP"))
		parse_bitmask(o, text);
	else
		parse_pids(o, text);
}

static const struct {
	const char *name, *command, *text;
} lists[] = {
	{ "old", "AT!UDUSBCOMP=?", table_old },       { "new", "AT!UDUSBCOMP=?", table_new },
	{ "mc7750", "AT!UDUSBCOMP=?", table_mc7750 }, { "mask", "AT!USBCOMP=?", mask_7455 },
	{ "pids", "AT!UDPID=?", pids_bare },          { "pairs", "AT!USBPID=?", pids_pairs },
	{ "columns", "AT!UDPID=?", pids_columns },
};

/* What rows mean: number, + or - for supported, words of each configuration. */
static const char *text_of_rows(const struct answer *a, unsigned from)
{
	static struct text t;

	t.s[0] = '\0';
	for (unsigned i = from; i < a->rows; i++) {
		const struct row *r = &a->row[i];

		append(&t, "%s%u%c", t.s[0] ? " " : "", r->number, r->supported ? '+' : '-');
		for (unsigned c = 0; c < r->configurations && c < 2; c++) {
			append(&t, "%c", c ? '/' : ':');
			append_functions(&t, r->functions[c], ",");
		}
	}
	return t.s;
}

static void test_exact(void)
{
	struct answer o;
	const char *got;

	rows_of(&o, table_old);
	got = text_of_rows(&o, 0);
	expect(!strcmp(got, "0+:dm,nmea,at,ms 1-:dm,nmea,at,ms 2+:dm,nmea,at,net,ms "
			    "3+:dm,nmea,at,net,ms 4+:dm,nmea,at,net,ms 5+:dm,nmea,at,ecm,ms "
			    "6-:dm,nmea,at,qmi 7-:dm,nmea,at,qmi"),
	       "parse.rows.old", "%s", got);
	rows_of(&o, table_new);
	got = text_of_rows(&o, 6);
	expect(o.rows == 23 && !strcmp(got, "6+:dm,nmea,at,qmi 7+:dm,nmea,at,qmi "
					    "8+:dm,nmea,at,mbim 9+:mbim 10+:nmea,mbim "
					    "11+:dm,mbim 12+:dm,nmea,mbim "
					    "13+:dm,nmea,at,qmi/dm,nmea,at,mbim "
					    "14+:dm,nmea,at,qmi/mbim "
					    "15+:dm,nmea,at,qmi/nmea,mbim "
					    "16+:dm,nmea,at,qmi/dm,mbim "
					    "17+:dm,nmea,at,qmi/dm,nmea,mbim "
					    "18+:dm,nmea,at,qmi/dm,nmea,at,mbim "
					    "19+:dm,nmea,at,qmi/mbim "
					    "20+:dm,nmea,at,qmi/nmea,mbim "
					    "21+:dm,nmea,at,qmi/dm,mbim "
					    "22+:dm,nmea,at,qmi/dm,nmea,mbim"),
	       "parse.rows.new", "%s", got);
	rows_of(&o, table_mc7750);
	got = text_of_rows(&o, 0);
	expect(!strcmp(got, "0-: 6+:dm,nmea,at,qmi 7+:dm,nmea,at,qmi 8+: 9+:mbim "
			    "13+:dm,nmea,at,qmi/ 14-:dm,nmea,at,qmi/mbim"),
	       "parse.rows.words-that-are-no-functions", "%s", got);

	memset(&o, 0, sizeof o);
	parse_bitmask(&o, mask_7455);
	expect(o.types == (BIT(1) | BIT(2) | BIT(3)) && o.bits == 0x150d, "parse.mask",
	       "types %x bits %x", o.types, o.bits);
	memset(&o, 0, sizeof o);
	parse_pids(&o, pids_bare);
	expect(o.pids == 4 && o.pid_list[0] == 0x68a3 && o.pid_list[3] == 0x68a9, "parse.pid_list",
	       "%u", o.pids);
	memset(&o, 0, sizeof o);
	parse_pids(&o, pids_pairs);
	expect(o.pids == 3 && o.pid_list[0] == 0x9071 && o.pid_list[1] == 0x9079 &&
		       o.pid_list[2] == 0x81b6,
	       "parse.pid_list.pairs", "%u", o.pids);
	memset(&o, 0, sizeof o);
	parse_pids(&o, pids_columns);
	expect(o.pids == 2 && o.pid_list[0] == 0x68e1 && o.pid_list[1] == 0x68a2,
	       "parse.pid_list.columns", "%u", o.pids);
	memset(&o, 0, sizeof o);
	parse_pids(&o, "68A3 68A 68A2F xyz 12345 beef,68A4\n9071,9070\n");
	expect(o.pids == 3 && o.pid_list[0] == 0x68a3 && o.pid_list[1] == 0xbeef &&
		       o.pid_list[2] == 0x9071,
	       "parse.pid_list.garbage", "%u", o.pids);
	/* C9: forty of them, and the last one counts as well */
	{
		char forty[400] = "";

		for (unsigned i = 0; i < 40; i++)
			snprintf(forty + strlen(forty), sizeof forty - strlen(forty), "%04X\n",
				 0x9000 + i);
		memset(&o, 0, sizeof o);
		parse_pids(&o, forty);
		expect(o.pids == 40 && o.pid_list[39] == 0x9027 && !o.cut, "parse.pids.forty", "%u",
		       o.pids);
	}
	memset(&o, 0, sizeof o);
	for (unsigned i = 0; i < 100; i++)
		parse_pids(&o, pids_bare);
	expect(o.pids == LEN(o.pid_list), "parse.pid_list.too-many", "%u", o.pids);
}

static const struct {
	const char *name, *text, *want;
} row_cases[] = {
	{ "no-status", "6 - DM NMEA AT QMI\n7 - DM SUPPORTED\n", "6- 7+" },
	{ "cut-status", "6 - DM NMEA AT QMI SUPPORTE\n7 - DM SUPPORTED\n", "6- 7+" },
	{ "not", "6 - DM NOT SUPPORTED\n", "6-" },
	{ "not-on-next-line", "6 - DM NOT\nSUPPORTED\n", "6-" },
	{ "not-far", "6 - NOT DM AT SUPPORTED\n", "6-" },
	{ "lower-case", "6 - dm nmea at qmi supported\n7 - dm not supported\n", "6+ 7-" },
	{ "glued-not", "6 - DM NOTSUPPORTED\n", "6-" },
	{ "more-than-supported", "6 - DM SUPPORTEDX\n", "6-" },
	{ "unsupported", "6 - DM UNSUPPORTED\n", "6-" },
	{ "broken-not", "6 - DM NO\nT SUPPORTED\n", "6-" },
	{ "broken-not-too", "6 - DM N\nOT SUPPORTED\n", "6-" },
	{ "heading", "SUPPORTED\n6 - DM SUPPORTED\nNOT SUPPORTED\n7 - AT SUPPORTED\n", "6+ 7+" },
	{ "two-on-a-line", "6 - DM SUPPORTED 7 - AT NOT SUPPORTED\n", "6+ 7-" },
	{ "twice-same", "6 - DM SUPPORTED\n6 - DM SUPPORTED\n", "6+" },
	{ "twice-other-status", "6 - DM SUPPORTED\n6 - DM NOT SUPPORTED\n", "6-" },
	{ "twice-other-status-first", "6 - DM NOT SUPPORTED\n6 - DM SUPPORTED\n", "6-" },
	{ "twice-other-words", "6 - DM SUPPORTED\n6 - DM AT SUPPORTED\n", "6-" },
	{ "three-times", "6 - DM SUPPORTED\n6 - DM AT SUPPORTED\n6 - DM AT SUPPORTED\n", "6-" },
	{ "number-too-big",
	  "256 - DM SUPPORTED\n99999999999999999999 - AT SUPPORTED\n6 - AT SUPPORTED\n", "6+" },
	{ "negative", "-6 - DM SUPPORTED\n", "" },
	{ "no-dash", "6 DM SUPPORTED\n7: DM SUPPORTED\n", "" },
	{ "padded", "06 - DM SUPPORTED\n007  -  AT SUPPORTED\n", "6+ 7+" },
	{ "no-blanks", "6-DM NMEA AT QMI SUPPORTED\n", "6+" },
	{ "dual-of-unknown", "13 - Config1: comp6    Config2: comp8  SUPPORTED\n", "13+" },
	{ "empty", "", "" },
};

/* Rows that are not what they seem. */
static void test_rows(void)
{
	struct answer o;
	static char text[40000];

	for (unsigned i = 0; i < LEN(row_cases); i++) {
		char got[300] = "", name[60];

		rows_of(&o, row_cases[i].text);
		for (unsigned r = 0; r < o.rows; r++)
			snprintf(got + strlen(got), sizeof got - strlen(got), "%s%u%s",
				 r ? " " : "", o.row[r].number, o.row[r].supported ? "+" : "-");
		snprintf(name, sizeof name, "parse.rows.%s", row_cases[i].name);
		if (!row_cases[i].want[0]) { /* nothing supported, whatever the rows */
			bool any = false;

			for (unsigned r = 0; r < o.rows; r++)
				any = any || o.row[r].supported;
			expect(!any, name, "%s", got);
		} else {
			expect(!strcmp(got, row_cases[i].want), name, "%s", got);
		}
	}
	/* dual rows: of a row that is dual itself, of itself, three parts, numbers too big */
	rows_of(&o, "6 - DM AT QMI SUPPORTED\n13 - Config1: comp6 Config2: comp13 SUPPORTED\n14 - "
		    "Config1: comp13 Config2: comp6 SUPPORTED\n"
		    "15 - Config1: comp6 Config2: comp6 Config3: comp6 SUPPORTED\n16 - Config1: "
		    "comp999 Config2: comp6 SUPPORTED\n");
	expect(find_row(&o, 13)->functions[1] == 0 && find_row(&o, 14)->functions[0] == 0 &&
		       find_row(&o, 14)->functions[1] == (BIT(DM) | BIT(AT) | BIT(QMI)),
	       "parse.rows.dual-of-dual", "%x %x %x", find_row(&o, 13)->functions[1],
	       find_row(&o, 14)->functions[0], find_row(&o, 14)->functions[1]);
	expect(!find_row(&o, 16)->supported || find_row(&o, 16)->functions[0] == 0 ||
		       find_row(&o, 16)->configurations == 1,
	       "parse.rows.dual-too-big", "%u", find_row(&o, 16)->configurations);
	/* more rows than there is room for */
	text[0] = '\0';
	for (unsigned i = 0; i < 256; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "%u - DM AT SUPPORTED\n",
			 i);
	rows_of(&o, text);
	expect(o.rows == LEN(o.row), "parse.rows.too-many", "%u", o.rows);
}

/* Each list in turn: its command, its text, and what the whole of it offers. */
static const char *list_command;
static const char *list_text;
static struct answer list_whole;

/* What a text offers after it came over the wire. */
static enum result send_list(struct answer *a, const char *s, enum way way, size_t piece)
{
	static char bytes[20000];
	char text[ANSWER_SIZE];
	size_t n = wire(bytes, sizeof bytes, s, list_command, way);
	enum result result = receive_text(text, bytes, n, list_command, piece);

	parse_any(a, text, list_command);
	return result;
}

static void test_ways(void)
{
	struct answer a;

	for (enum way way = LF; way < WAYS; way++) {
		for (size_t piece = 1; piece < 5000; piece = piece * 3 + 1) {
			enum result r = send_list(&a, list_text, way, piece);

			hold(r == RESULT_OK && equal(&a, &list_whole),
			     "way %u in pieces of %zu: result %u, %u rows, %u PIDs, bits %x", way,
			     piece, r, a.rows, a.pids, a.bits);
		}
	}
}

/* A line that nobody asked for, at the beginning of every line. */
static void test_unsolicited(void)
{
	static struct link l;
	static const char *const lines[] = {
		"+CREG: 2,1,\"1A2B\",\"01AB34CD\"\n",
		"$QCCTLD: 10\n",
		"^MODE: 17,17\n",
		"*EMRDY: 1\n",
		"\n+CGEV: ME DETACH\n\n",
	};
	static char mixed[20000];
	struct answer a;

	for (size_t i = 0; i < LEN(lines); i++) { /* is nobody's answer */
		begin_answer(&l);
		memcpy(l.received, lines[i], strlen(lines[i]));
		take_bytes(&l, "ATI", (int)strlen(lines[i]));
		hold(!is_answered(&l), "%s is taken for an answer", lines[i]);
	}
	for (size_t at = 0; at <= strlen(list_text); at++) {
		if (at && list_text[at - 1] != '\n')
			continue;
		for (size_t i = 0; i < LEN(lines); i++) {
			snprintf(mixed, sizeof mixed, "%.*s%s%s", (int)at, list_text, lines[i],
				 list_text + at);
			for (enum way way = LF; way <= ECHO_CRCRLF; way++) {
				send_list(&a, mixed, way, 64);
				hold(equal(&a, &list_whole), "%s at byte %zu", lines[i], at);
			}
			/* all in one line its words get among the row's, and which column a PID is
			 * in cannot be told any more */
			send_list(&a, mixed, FLAT, 64);
			if (list_text != pids_columns)
				hold(within_offer(&a, &list_whole), "%s at byte %zu, flat",
				     lines[i], at);
		}
	}
}

static void test_truncated(void)
{
	static char bytes[20000];
	char text[ANSWER_SIZE];
	struct answer a;

	for (enum way way = LF; way < WAYS; way++) {
		size_t size = wire(bytes, sizeof bytes, list_text, list_command, way);

		for (size_t cut = 0; cut <= size; cut++) {
			receive_text(text, bytes, cut, list_command, 100);
			parse_any(&a, text, list_command);
			hold(within_offer(&a, &list_whole), "way %u, cut after %zu bytes", way,
			     cut);
		}
	}
	for (size_t cut = 0; cut <= strlen(list_text); cut++) { /* at the other end */
		parse_any(&a, list_text + cut, list_command);
		hold(a.rows <= list_whole.rows, "without the first %zu bytes", cut);
	}
}

/* Each line cut off at a terminal's edge, or broken there and gone on with on the next line. */
static void break_lines(char *out, const char *s, unsigned columns, bool gone)
{
	size_t column = 0;

	for (; *s; s++) {
		column = *s == '\n' ? 0 : column + 1;
		if (column > columns && gone)
			continue;
		if (column > columns) {
			*out++ = '\n';
			column = 1;
		}
		*out++ = *s;
	}
	*out = '\0';
}

static void test_columns(void)
{
	static char broken[20000];
	struct answer a;

	for (unsigned columns = 40; columns < 90; columns++) {
		for (unsigned gone = 0; gone < 2; gone++) {
			break_lines(broken, list_text, columns, gone);
			send_list(&a, broken, CRLF, 100);
			hold(within_offer(&a, &list_whole), "lines %s at %u columns",
			     gone ? "cut" : "broken", columns);
		}
	}
}

/* Bytes that turned into others. */
static void test_garbled(void)
{
	static char bytes[20000];
	char text[ANSWER_SIZE];
	struct answer a;

	srand(1);
	for (unsigned i = 0; i < 4000; i++) {
		size_t size =
			wire(bytes, sizeof bytes, list_text, list_command, (enum way)(i % WAYS));

		for (unsigned k = 0; k < 1u + i % 20; k++)
			bytes[(size_t)rand() % size] = (char)rand();
		receive_text(text, bytes, size, list_command, 1 + i % 200);
		parse_any(&a, text, list_command);
		hold(a.rows <= LEN(a.row) && a.pids <= LEN(a.pid_list) &&
			     strlen(text) < ANSWER_SIZE,
		     "%u", i);
	}
}

static void test_lists(void)
{
	static const struct {
		const char *name;
		void (*test)(void);
	} tests[] = {
		{ "ways", test_ways },           { "unsolicited", test_unsolicited },
		{ "truncated", test_truncated }, { "columns", test_columns },
		{ "garbled", test_garbled },
	};

	for (size_t l = 0; l < LEN(lists); l++) {
		list_command = lists[l].command;
		list_text = lists[l].text;
		parse_any(&list_whole, list_text, list_command);
		for (size_t t = 0; t < LEN(tests); t++) {
			begin("parse.%s.%s", tests[t].name, lists[l].name);
			tests[t].test();
			end();
		}
	}
}

static const struct {
	const char *bytes, *command, *text;
	enum result result;
} answers[] = {
	{ "\r\nOK\r\n", "AT", "", RESULT_OK },
	{ "AT\r\r\nOK\r\n", "AT", "", RESULT_OK },
	{ "AT\rAT\r\r\nOK\r\n", "AT", "", RESULT_OK },
	{ "ATATOK\r\n", "AT", "", RESULT_OK }, /* the echo twice, and no line end */
	{ "\r\nERROR\r\n", "AT", "", RESULT_ERROR },
	{ "\r\n+CME ERROR: 10\r\n", "AT", "", RESULT_ERROR },
	{ "\r\n+CME ERROR: SIM not inserted\r\n", "AT", "", RESULT_ERROR },
	{ "\r\n+CMS ERROR: 500\r\n", "AT", "", RESULT_ERROR },
	{ "ok\r\n", "AT", "", RESULT_OK },
	{ "\r\n!UDPID: 68A3\r\n\r\nOK\r\n", "AT!UDPID?", "!UDPID: 68A3\n", RESULT_OK },
	{ "at!udpid?\r\n!UDPID: 68A3\r\nOK  \t\r\n", "AT!UDPID?", "!UDPID: 68A3\n", RESULT_OK },
	{ "Obsolete command - not supported\r\n", "AT!OPENCND=1",
	  "Obsolete command - not supported\n", NO_RESULT },
	{ "AT!UDPID? !UDPID: 68A3 OK", "AT!UDPID?", "!UDPID: 68A3 ", RESULT_OK },
	{ "!UDPID: 68A3 ERROR", "AT!UDPID?", "!UDPID: 68A3 ", RESULT_ERROR },
	{ "NOOK\r\n", "AT", "NOOK\n", NO_RESULT },
	{ "TERROR\r\n", "AT", "TERROR\n", NO_RESULT },
	{ "\r\nBUSY\r\n", "AT", "", RESULT_BUSY },
	{ "\r\n+CME ERROR: 515\r\n", "AT", "", RESULT_BUSY },
	{ "", "AT", "", NO_RESULT },
};

static void test_answers(void)
{
	for (unsigned i = 0; i < LEN(answers); i++) {
		char text[ANSWER_SIZE];
		char name[40];
		size_t n = strlen(answers[i].bytes);
		enum result r = receive_text(text, answers[i].bytes, n, answers[i].command, 1);

		snprintf(name, sizeof name, "parse.answer.%u", i);
		expect(r == answers[i].result && !strcmp(text, answers[i].text), name, "%u '%s'", r,
		       text);
	}
	{ /* bytes that are no text, a NUL among them, are left out */
		static const char bytes[] = "\1\377A\0B\177\r\nOK\r\n";
		char text[ANSWER_SIZE];
		enum result r = receive_text(text, bytes, sizeof bytes - 1, "AT", 1);

		expect(r == RESULT_OK && !strcmp(text, "AB\n"), "parse.answer.no-text", "%u '%s'",
		       r, text);
	}
	{ /* a megabyte: starts over and says so */
		static char flood[1 << 20];
		static struct link l;
		char text[ANSWER_SIZE];
		enum result r;

		memset(flood, 'x', sizeof flood);
		memcpy(flood + sizeof flood - 6, "\r\nOK\r\n", 6);
		r = receive_text(text, flood, sizeof flood, "AT", 1000);
		expect(r == RESULT_OK && !text[0], "parse.answer.flood", "%u %s", r, text);
		for (size_t at_ = 0; at_ < ANSWER_SIZE; at_ += 1024) {
			memset(l.received, 'x', 1024);
			take_bytes(&l, "AT", 1024);
		}
		expect(l.overflow && l.used < ANSWER_SIZE && strlen(l.text) == l.used,
		       "parse.answer.flood-over", "%u %zu", l.overflow, l.used);
	}
}

static const struct {
	const char *text;
	int pid;
} pid_answers[] = {
	{ "!UDPID: 68A3\n", 0x68a3 },
	{ "!UDPID: 68a3 \n", 0x68a3 },
	{ "!UDPID:68A3\n", 0x68a3 },
	{ "!UDPID:\n68A3\n", 0x68a3 },
	{ "!UDPID:\nAPP : 68E2\nBOOT: 68E0\n", 0x68e2 },
	{ "!USBPID:\nAPP : 90B1\nBOOT: 90B0\n", 0x90b1 },
	{ "!USBPID: APP: 9071 BOOT: 9070\n", 0x9071 },
	{ "!USBPID: 9071,9070\n", 0x9071 },
	{ "!UDPID: 68A\n", UNKNOWN },
	{ "!UDPID: 68A3", UNKNOWN },
	{ "!UDPID: 68A3F\n", UNKNOWN },
	{ "!UDPID:", UNKNOWN },
	{ "", UNKNOWN },
	{ "68A3\n", UNKNOWN },
	{ "!UDPID: \n", UNKNOWN },
	{ "!UDPID:\nAPP : \nBOOT: 68E0\n", UNKNOWN },
	{ "!UDPID:\nAPP", UNKNOWN },
};

static const struct {
	const char *text, *header;
	unsigned base;
	int64_t value;
} numbers[] = {
	{ "!UDUSBCOMP: 6\n", "!UDUSBCOMP", 10, 6 },
	{ "!UDUSBCOMP: 6", "!UDUSBCOMP", 10, -1 },
	{ "!UDUSBCOMP:6 \n", "!UDUSBCOMP", 10, 6 },
	{ "!udusbcomp: 14\n", "!UDUSBCOMP", 10, 14 },
	{ "!UDUSBCOMP: 6x\n", "!UDUSBCOMP", 10, -1 },
	{ "!UDUSBCOMP: 99999999999999999999999\n", "!UDUSBCOMP", 10, -1 },
	{ "!UDUSBCOMP: -1\n", "!UDUSBCOMP", 10, -1 },
	{ "!UDUSBCOMP:\n", "!UDUSBCOMP", 10, -1 },
	{ "junk\n!UDUSBCOMP: 3\n", "!UDUSBCOMP", 10, 3 },
	{ "Config Index: 1\nConfig Type:  1 (Generic)\nInterface bitmask: 0000100D "
	  "(diag,nmea,modem,mbim)\n",
	  "Config Type", 10, 1 },
	{ "Config Index: 1\nConfig Type:  1 (Generic)\nInterface bitmask: 0000100D "
	  "(diag,nmea,modem,mbim)\n",
	  "Interface bitmask", 16, 0x100d },
	{ "Config Type:  1 (Generic) Interface bitmask: 0000010D (diag)", "Interface bitmask", 16,
	  0x10d },
	{ "Interface bitmask: 0000010", "Interface bitmask", 16, -1 },
	{ "Interface bitmask: 1FFFFFFFF \n", "Interface bitmask", 16, -1 },
};

static void test_values(void)
{
	begin("parse.pid");
	for (unsigned i = 0; i < LEN(pid_answers); i++) {
		int pid = parse_pid(pid_answers[i].text);

		hold(pid == pid_answers[i].pid, "'%s': %d", pid_answers[i].text, pid);
		for (size_t cut = 0; cut < strlen(pid_answers[i].text); cut++) {
			char text[100] = "";

			memcpy(text, pid_answers[i].text, cut);
			pid = parse_pid(text);
			hold(pid == UNKNOWN || pid == pid_answers[i].pid, "'%s': %d", text, pid);
		}
	}
	end();
	begin("parse.number");
	for (unsigned i = 0; i < LEN(numbers); i++)
		for (size_t cut = strlen(numbers[i].text) + 1; cut--;) {
			char text[200] = "";
			uint32_t value = 0;
			bool ok;

			memcpy(text, numbers[i].text, cut);
			ok = read_value(text, numbers[i].header, numbers[i].base, &value);
			if (cut == strlen(numbers[i].text))
				hold(ok == (numbers[i].value >= 0) &&
					     (!ok || value == numbers[i].value),
				     "'%s': %u %u", text, ok, value);
			else
				hold(!ok || value == numbers[i].value, "'%s': %u", text, value);
		}
	end();
	begin("parse.digits");
	for (unsigned i = 0; i < 256; i++) {
		char text[] = { (char)i, '\0' };
		const char *s = text;
		uint32_t value;
		bool decimal = i >= '0' && i <= '9',
		     hex = decimal || (i >= 'a' && i <= 'f') || (i >= 'A' && i <= 'F');

		hold(read_digits(&s, 10, 9, &value) == decimal, "%u", i);
		s = text;
		hold(read_digits(&s, 16, 15, &value) == hex, "%u as hex", i);
	}
	end();
}

/* What a child of the program has: a slot, a deadline, a link to one end of a socket. */
static void play_child(struct slot *me)
{
	memset(me, 0, sizeof *me);
	g.shared = &g.own;
	g.shared->deadline = now_ms() + 100000;
	me->heard = now_ms();
	g.me = me;
}

/* Once something was written, an answer without the PID is none, if there was one before. */
static void test_complete(void)
{
	static const struct {
		bool written;
		int found;
		int now;
		enum dialect dialect;
		bool complete;
	} cases[] = {
		{ true, 0x68a2, UNKNOWN, DIALECT_INDEX, false },
		{ true, 0x68a2, 0x68a2, DIALECT_INDEX, true },
		{ true, 0x68a2, UNKNOWN, DIALECT_QMI, true },
		{ true, 0xff, UNKNOWN, DIALECT_BITMASK, false },
		{ true, UNKNOWN, UNKNOWN, DIALECT_BITMASK, true },
		{ false, 0x68a2, UNKNOWN, DIALECT_INDEX, true },
	};

	begin("parse.complete");
	for (size_t i = 0; i < LEN(cases); i++) {
		struct history h = { .written = cases[i].written ? COMPOSITION : 0 };
		struct answer a = { .dialect = cases[i].dialect, .pid = cases[i].now };

		h.found.pid = cases[i].found;
		hold(is_complete(&h, &a) == cases[i].complete, "%zu", i);
	}
	end();
}

static void test_copy_port(void)
{
	struct {
		char port[PORT_SIZE];
		char behind[PORT_SIZE];
	} to;

	memset(&to, '#', sizeof to);
	copy_port(to.port, "1-1.222.222.222.222.222.222.222.222.222.222", 43);
	expect(!strcmp(to.port, "1-1.222.222.222.222.222.222.222") && to.behind[0] == '#',
	       "parse.long-port", "%.63s", to.port);
}

/* A wait is not shorter than it should be. */
static void test_wait(void)
{
	int64_t begin = now_ms();

	g.me = NULL;
	sigemptyset(&g.unblocked);
	enum wake wake = wait_for(-1, 0, begin + 60);
	int64_t took = now_ms() - begin;
	expect(wake == NOTHING && took >= 60, "parse.wait", "%d, %d ms", wake, (int)took);
}

/* Why a node cannot be opened, and a node that sysfs has no number of. */
static void test_nodes(void)
{
	static struct slot me;
	static const struct {
		int error;
		enum reason reason;
	} cases[] = {
		{ EBUSY, HELD },    { EACCES, NOT_PERMITTED }, { EPERM, NOT_PERMITTED },
		{ ENOENT, SILENT }, { ENODEV, SILENT },        { ENXIO, SILENT },
		{ EROFS, NO_NODE },
	};

	begin("parse.open-error");
	for (size_t i = 0; i < LEN(cases); i++) {
		errno = cases[i].error;
		hold(open_error() == cases[i].reason, "errno %d", cases[i].error);
	}
	end();
	play_child(&me);
	int fd = open_node("ttyUSB0", "/nonexistent/dev", "1-1:1.3");
	expect(fd == -1 && errno == ENOENT, "parse.node-without-number", "%d", fd);
}

/* A modem that answers one question and not the next: nothing of the first answer is taken for the
 * second's. */
static void test_silence(void)
{
	static struct link l;
	static struct slot me;
	char text[200];
	int fd[2];

	play_child(&me);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd))
		abort();
	l = (struct link){ .carrier = &tty_carrier, .fd = fd[0] };
	if (write(fd[1], "old\r\n", 5) != 5)
		abort();
	begin("parse.silence");
	send_command_within(&l, "ATI", 20);
	hold(!l.text[0] && l.result == NO_RESULT && !l.gone, "what was there before: '%s'", l.text);
	hold(read(fd[1], text, sizeof text) == 4 && !memcmp(text, "ATI\r", 4), "the command");
	strcpy(l.text, "!UDPID: 68A3\n");
	l.result = RESULT_OK;
	l.used = strlen(l.text);
	l.line = l.used;
	send_command_within(&l, "AT!UDPID?", 20);
	hold(!l.text[0] && l.result == NO_RESULT, "an answer that is not its own: '%s'", l.text);
	close(fd[0]);
	strcpy(l.text, "!UDPID: 68A3\n");
	send_command_within(&l, "AT!UDPID?", 20);
	hold(!l.text[0] && l.result == NO_RESULT && l.gone, "gone: '%s'", l.text);
	end();
	close(fd[1]);
	g.me = NULL;
}

/* ---- an AT port that answers by a script ---- */

struct line {
	const char *command; /* what it begins with */
	const char *answer;  /* "" = none */
};

static struct {
	const struct line *lines; /* the first that fits counts; ERROR where none does */
	const struct line *later; /* from the third command on, or NULL */
	bool locked;              /* all but ENTERCND is an error until then */
	const char *code;         /* that it takes */
	char said[FRAME_SIZE];
	char heard[2000]; /* all commands, behind a blank each */
	unsigned commands;
} script;

static const char *scripted_answer(const char *command)
{
	const struct line *l = script.lines;
	char unlock_line[40];

	snprintf(unlock_line, sizeof unlock_line, "AT!ENTERCND=\"%s\"", script.code);
	if (!strncmp(command, unlock_line, strlen(unlock_line))) {
		script.locked = false;
		return "OK\r\n";
	}
	if (script.locked)
		return "ERROR\r\n";
	if (script.later && script.commands > 2)
		l = script.later;
	for (; l->command; l++)
		if (!strncmp(command, l->command, strlen(l->command)))
			return l->answer;
	return "ERROR\r\n";
}

static bool send_script(struct link *l, void *data, size_t n, int64_t until)
{
	char command[100];
	size_t used = strlen(script.heard);

	(void)l;
	(void)until;
	snprintf(command, sizeof command, "%.*s", (int)n - 1, (const char *)data);
	snprintf(script.heard + used, sizeof script.heard - used, " %s", command);
	script.commands++;
	snprintf(script.said, sizeof script.said, "%s", scripted_answer(command));
	return true;
}

static int fetch_script(struct link *l)
{
	size_t n = strlen(script.said);

	memcpy(l->received, script.said, n);
	script.said[0] = '\0';
	return (int)n;
}

static void close_script(struct link *l)
{
	(void)l;
}

static const struct carrier script_carrier = {
	.name = "script",
	.send = send_script,
	.fetch = fetch_script,
	.close = close_script,
};

static const struct line index_lines[] = {
	{ "AT!UDUSBCOMP?", "\r\n!UDUSBCOMP: 6\r\n\r\nOK\r\n" },
	{ "AT!UDUSBCOMP=?",
	  "6 - DM NMEA AT QMI SUPPORTED\r\n8 - DM NMEA AT MBIM SUPPORTED\r\nOK\r\n" },
	{ "AT!UDPID=?", "68A3\r\n68A2\r\n\r\nOK\r\n" },
	{ "AT!UDPID?", "!UDPID: 68A2\r\nOK\r\n" },
	{ NULL, NULL },
};

static const struct line bitmask_lines[] = {
	{ "AT!USBCOMP?", "Config Index: 1\r\nConfig Type:  1 (Generic)\r\n"
			 "Interface bitmask: 0000010D (diag,nmea,modem,rmnet0)\r\n\r\nOK\r\n" },
	{ "AT!USBCOMP=?",
	  "<Config Type> - 1:Generic\r\n<Interface bitmask> - DIAG - 0x00000001,\r\n"
	  "MBIM - 0x00001000,\r\nOK\r\n" },
	{ "AT!USBPID?", "!USBPID:\r\nAPP : 9071\r\nBOOT: 9070\r\nOK\r\n" },
	{ NULL, NULL },
};

/* Reads as a locked EM91xx does: what is stored can be read, the list cannot. */
static const struct line lists_refused[] = {
	{ "AT!UDUSBCOMP?", "!UDUSBCOMP: 6\r\nOK\r\n" },
	{ "AT!UDPID?", "!UDPID: 68A2\r\nOK\r\n" },
	{ NULL, NULL },
};

/* The list is not answered at all: no list, no write (C4). */
static const struct line lists_silent[] = {
	{ "AT!UDUSBCOMP?", "!UDUSBCOMP: 6\r\nOK\r\n" },
	{ "AT!UDUSBCOMP=?", "" },
	{ "AT!UDPID=?", "68A3\r\n68A2\r\n\r\nOK\r\n" },
	{ "AT!UDPID?", "!UDPID: 68A2\r\nOK\r\n" },
	{ NULL, NULL },
};

/* decide() then has the code sent, and reads again. */
static const struct line list_busy[] = {
	{ "AT!UDUSBCOMP?", "!UDUSBCOMP: 6\r\nOK\r\n" },
	{ "AT!UDPID?", "!UDPID: 68A2\r\nOK\r\n" },
	{ "AT", "BUSY\r\n" },
	{ NULL, NULL },
};

static const struct line busy[] = {
	{ "AT", "BUSY\r\n" },
	{ NULL, NULL },
};

static const struct line silent[] = {
	{ "AT", "" },
	{ NULL, NULL },
};

static const struct line no_commands[] = { { NULL, NULL } };

static const struct {
	const char *name;
	const struct line *lines;
	const struct line *later;
	bool locked;
	const char *code;
	enum reason reason;
	enum dialect dialect;
	bool refused; /* a part of it could not be read */
	bool unlocked;
	unsigned rows;
	unsigned pids;
	uint32_t bits;
} readings[] = {
	{ "index", index_lines, NULL, false, "A710", NO_REASON, DIALECT_INDEX, false, false, 2, 2,
	  0 },
	/* C2: its code is another, and it may be read without */
	{ "index-other-code", index_lines, NULL, false, "B820", NO_REASON, DIALECT_INDEX, false,
	  false, 2, 2, 0 },
	{ "bitmask", bitmask_lines, NULL, false, "A710", NO_REASON, DIALECT_BITMASK, false, false,
	  0, 0, 0x1001 },
	{ "bitmask-other-code", bitmask_lines, NULL, false, "B820", NO_REASON, DIALECT_BITMASK,
	  false, false, 0, 0, 0x1001 },
	{ "index-locked", index_lines, NULL, true, "A710", NO_REASON, DIALECT_INDEX, false, true, 2,
	  2, 0 },
	{ "bitmask-locked", bitmask_lines, NULL, true, "A710", NO_REASON, DIALECT_BITMASK, false,
	  true, 0, 0, 0x1001 },
	{ "locked-other-code", index_lines, NULL, true, "B820", LOCKED, NO_DIALECT, false, false, 0,
	  0, 0 },
	{ "lists-refused", lists_refused, NULL, false, "B820", NO_REASON, DIALECT_INDEX, true,
	  false, 0, 0, 0 },
	{ "lists-silent", lists_silent, NULL, false, "B820", NO_REASON, DIALECT_INDEX, false, false,
	  0, 2, 0 },
	/* in its first seconds a modem refuses what it takes later */
	{ "busy-at-first", busy, index_lines, false, "A710", NO_REASON, DIALECT_INDEX, false, false,
	  2, 2, 0 },
	{ "error-at-first", no_commands, index_lines, false, "A710", NO_REASON, DIALECT_INDEX,
	  false, true, 2, 2, 0 },
	{ "silent-at-first", silent, index_lines, false, "A710", NO_REASON, DIALECT_INDEX, false,
	  false, 2, 2, 0 },
	{ "busy-list-at-first", list_busy, index_lines, false, "A710", NO_REASON, DIALECT_INDEX,
	  true, false, 0, 2, 0 },
	{ "no-commands", no_commands, NULL, false, "A710", NO_COMMANDS, NO_DIALECT, true, true, 0,
	  0, 0 },
};

/* What is read, and to whom the code goes (rule 1: only to who refuses to be read). */
static void test_reading(void)
{
	static struct job j;
	static struct slot me;

	for (size_t i = 0; i < LEN(readings); i++) {
		struct answer a = { .dialect = NO_DIALECT };
		char name[60];

		play_child(&me);
		memset(&j, 0, sizeof j);
		memset(&script, 0, sizeof script);
		script.lines = readings[i].lines;
		script.later = readings[i].later;
		script.locked = readings[i].locked;
		script.code = readings[i].code;
		j.since = now_ms();
		j.link.carrier = &script_carrier;
		j.link.fd = -1;
		enum reason reason = read_at(&j, &a);
		snprintf(name, sizeof name, "parse.reading.%s", readings[i].name);
		bool good = reason == readings[i].reason &&
			    j.link.unlocked == readings[i].unlocked &&
			    !strstr(script.heard, "ENTERCND") == !readings[i].unlocked;
		if (reason == NO_REASON)
			good = good && a.dialect == readings[i].dialect &&
			       a.refused == readings[i].refused && a.rows == readings[i].rows &&
			       a.pids == readings[i].pids && a.bits == readings[i].bits;
		if (readings[i].reason == LOCKED) /* it was told, and refused */
			good = reason == LOCKED && strstr(script.heard, "ENTERCND");
		expect(good, name, "reason %u dialect %u refused %u unlocked %u rows %u:%s", reason,
		       a.dialect, a.refused, j.link.unlocked, a.rows, script.heard);
	}
	g.me = NULL;
}

/* A final result is a line of its own; what only begins like one is text. */
static void test_results(void)
{
	expect(result_of("OK") == RESULT_OK && result_of("ok \n") == RESULT_OK &&
		       result_of("ERROR\n") == RESULT_ERROR && result_of("BUSY") == RESULT_BUSY &&
		       result_of("+CME ERROR: 3") == RESULT_ERROR &&
		       result_of("OK to send") == NO_RESULT &&
		       result_of("ERROR log: 0") == NO_RESULT && result_of("OKAY") == NO_RESULT &&
		       result_of("BUSY hour 8") == NO_RESULT && result_of("") == NO_RESULT,
	       "parse.results", "%u", result_of("OK to send"));
}

/* A type that no modem is known to have: it stays as it is (8.4), so it must be read as it is. */
static void test_type(void)
{
	static const struct line lines[] = {
		{ "AT!USBCOMP?", "Config Index: 1\r\nConfig Type:  29 (Other)\r\n"
				 "Interface bitmask: 0000100D (diag,nmea,modem,mbim)\r\nOK\r\n" },
		{ "AT!USBCOMP=?", "<Config Type> - 1:Generic, 29:Other\r\n"
				  "<Interface bitmask> - DIAG - 0x00000001,\r\nOK\r\n" },
		{ NULL, NULL },
	};
	static const char *const half[] = {
		"Interface bitmask: 0000100D (diag,nmea,modem,mbim)\r\nOK\r\n",
		"Config Type:  29 (Other)\r\nOK\r\n",
		"Config Type:  32 (Other)\r\nInterface bitmask: 0000100D\r\nOK\r\n",
	};
	static struct link l;
	static struct slot me;
	struct answer a;

	play_child(&me);
	memset(&script, 0, sizeof script);
	script.lines = lines;
	script.code = "A710";
	l = (struct link){ .carrier = &script_carrier, .fd = -1 };
	expect(ask_at(&l, &a, true) && a.type == 29 && a.composition == 0x100d &&
		       a.types == (BIT(1) | BIT(29)) && a.pid == UNKNOWN,
	       "parse.reading.type", "type %u, bitmask %x, types %x", a.type, a.composition,
	       a.types);
	for (size_t i = 0; i < LEN(half); i++) {
		const struct line answer[] = { { "AT!USBCOMP?", half[i] }, { NULL, NULL } };
		script.lines = answer;
		expect(!ask_at(&l, &a, true) && a.dialect == NO_DIALECT,
		       "parse.reading.half-a-type", "it is read of: %s", half[i]);
	}
	g.me = NULL;
}

/* ---- targets ---- */

static const char *const bad_targets[] = {
	"9071",
	"10d",
	"1-2",
	"1-1:1.0:mbim",
	"0x0",
	"@0",
	"mbim!@2",
	"off!",
	"modem!",
	"off@1",
	"68a2/off",
	"68a2/modem",
	"",
	"qmi+mbim",
	"0x1108",
	"ecm+mbim",
	"0x5000",
	"0x1409", /* RMNET1 and RMNET2 are networks as well */
	"0x1809",
	"256",
	"-1",
	"1.5",
	"+",
	"mbim+",
	"+mbim",
	"mbim++at",
	"mbim@",
	"mbim@0",
	"mbim@256",
	"mbim@x",
	"mbim@1@2",
	"mbim!!",
	"mbim !",
	" mbim",
	"mbim ",
	"0x",
	"0xg",
	"0x100D,",
	"0x1ffffffff",
	"68a/mbim",
	"068a2/mbim",
	"68a2/",
	"68a2",
	"68a2//mbim",
	"/mbim",
	"1-2:",
	":mbim",
	"1-2:1-3:mbim",
	"1:mbim",
	"-2:mbim",
	"1-:mbim",
	"1-1.:mbim",
	"1-1..2:mbim",
	"1000-1:mbim",
	"1-256:mbim",
	"rndis",
	"audio",
	"adb",
	"hip",
	"mdm1",
	"mbim1",
	"mbi",
	"mbimx",
	"0x10D!!",
	"8+mbim",
	"mbim+8",
	"off+at",
	"modem@0",
	"modem@1!",
	"68a2/modem@1",
	"at+",
	"off ",
	"offf",
	"1-2:off!",
	"xmbim",
	"0X",
	"mbim\n",
	"mb\1im",
	"\377",
	("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	 "a"
	 "aaaaaaaaaaaaaaaaaa"),
	"1-1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1:mbim",
};

/* each has to be told what is wrong with it, a word of the message, and where */
static const struct {
	const char *text;
	const char *said;
	const char *rest; /* of the text, from what is wrong on */
} wrong_targets[] = {
	{ "", "empty", "" },
	{ "9071", "0 to 255", "9071" },
	{ "0x0", "bitmask", "" },
	{ "qmi+mbim", "MBIM beside another network", "" },
	{ "0x1108", "MBIM beside another network", "" },
	{ "0x81000", "MBIM beside another network", "" },
	{ "68a2/modem", "no PID", "" },
	{ "mbim@0", "1 to 255", "" },
	{ "mbim@", "1 to 255", "" },
	{ "mbim@x", "1 to 255", "x" },
	{ "mbim!@2", "fits no", "@2" },
	{ "off!", "fits no", "!" },
	{ "10d", "a bitmask 0xHEX", "d" },
	{ "8g", "fits no", "g" },
	{ "1-2", "fits no", "-2" },
	{ "68a/mbim", "a PID has four hex digits", "68a/mbim" },
	{ "1-1:68a22/mbim", "a PID has four hex digits", "68a22/mbim" },
	{ "1-1:1.0:mbim", "a port is as in 1-1.2", "1.0:mbim" },
	{ "1.2:68a2/mbim", "a port is as in 1-1.2", "1.2:68a2/mbim" },
	{ "1-1:hip", "MODE is", "hip" },
	{ "AT+FOO", "MODE is", "FOO" },
	{ "hip", "MODE is", "hip" },
	{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "too long",
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" },
};

static const struct {
	const char *text;
	const char *port;
	enum mode mode;
	int pid;
	uint32_t value;
	uint8_t configuration;
	bool without_at;
} good_targets[] = {
	{ "off", "", MODE_OFF, UNKNOWN, 0, 0, false },
	{ "1-2:off", "1-2", MODE_OFF, UNKNOWN, 0, 0, false },
	{ "OFF", "", MODE_OFF, UNKNOWN, 0, 0, false },
	{ "modem", "", MODE_MODEM, UNKNOWN, 0, 0, false },
	{ "Modem@2", "", MODE_MODEM, UNKNOWN, 0, 2, false },
	{ "1-1.2:modem", "1-1.2", MODE_MODEM, UNKNOWN, 0, 0, false },
	{ "mbim", "", MODE_NAMES, UNKNOWN, BIT(MBIM), 0, false },
	{ "MBIM", "", MODE_NAMES, UNKNOWN, BIT(MBIM), 0, false },
	{ "mbim!", "", MODE_NAMES, UNKNOWN, BIT(MBIM), 0, true },
	{ "mbim@2!", "", MODE_NAMES, UNKNOWN, BIT(MBIM), 2, true },
	{ "mbim@255", "", MODE_NAMES, UNKNOWN, BIT(MBIM), 255, false },
	{ "mbim+mbim", "", MODE_NAMES, UNKNOWN, BIT(MBIM), 0, false },
	{ "modem+mbim", "", MODE_NAMES, UNKNOWN, BIT(AT) | BIT(MBIM), 0, false },
	{ "mbim+modem", "", MODE_NAMES, UNKNOWN, BIT(AT) | BIT(MBIM), 0, false },
	{ "at+diag+nmea+rmnet", "", MODE_NAMES, UNKNOWN, BIT(AT) | BIT(DM) | BIT(NMEA) | BIT(QMI),
	  0, false },
	{ "qmi+rmnet", "", MODE_NAMES, UNKNOWN, BIT(QMI), 0, false },
	{ "net+ms", "", MODE_NAMES, UNKNOWN, BIT(NET) | BIT(MS), 0, false },
	/* B6: what an RC7620 has by itself, and a WP7702 was found with */
	{ "qmi+ecm", "", MODE_NAMES, UNKNOWN, BIT(QMI) | BIT(ECM), 0, false },
	{ "0x8010D", "", MODE_BITMASK, UNKNOWN, 0x8010d, 0, false },
	{ "ecm", "", MODE_NAMES, UNKNOWN, BIT(ECM), 0, false },
	{ "dm", "", MODE_NAMES, UNKNOWN, BIT(DM), 0, false },
	{ "0", "", MODE_NUMBER, UNKNOWN, 0, 0, false },
	{ "6", "", MODE_NUMBER, UNKNOWN, 6, 0, false },
	{ "009", "", MODE_NUMBER, UNKNOWN, 9, 0, false },
	{ "9!", "", MODE_NUMBER, UNKNOWN, 9, 0, true },
	{ "14@1", "", MODE_NUMBER, UNKNOWN, 14, 1, false },
	{ "255", "", MODE_NUMBER, UNKNOWN, 255, 0, false },
	{ "0x100D", "", MODE_BITMASK, UNKNOWN, 0x100d, 0, false },
	{ "0X100d", "", MODE_BITMASK, UNKNOWN, 0x100d, 0, false },
	{ "0x500", "", MODE_BITMASK, UNKNOWN, 0x500, 0, false },
	{ "0xFFE0A2FF", "", MODE_BITMASK, UNKNOWN, 0xffe0a2ff, 0, false },
	{ "0x8@1!", "", MODE_BITMASK, UNKNOWN, 8, 1, true },
	{ "68A2/mbim", "", MODE_NAMES, 0x68a2, BIT(MBIM), 0, false },
	{ "68a2/8", "", MODE_NUMBER, 0x68a2, 8, 0, false },
	{ "0000/8", "", MODE_NUMBER, 0, 8, 0, false },
	{ "dead/0x10d", "", MODE_BITMASK, 0xdead, 0x10d, 0, false },
	{ "1-1.2:68A2/mbim@2!", "1-1.2", MODE_NAMES, 0x68a2, BIT(MBIM), 2, true },
	{ "10-255.255.1:8", "10-255.255.1", MODE_NUMBER, UNKNOWN, 8, 0, false },
	{ "2-1:9071/9", "2-1", MODE_NUMBER, 0x9071, 9, 0, false },
};

static void test_targets(void)
{
	struct target t;

	begin("parse.target.bad");
	for (size_t i = 0; i < LEN(bad_targets); i++) {
		const char *why = parse_target(&t, bad_targets[i]);

		hold(why && *why, "%s", bad_targets[i]);
	}
	end();
	begin("parse.target.said");
	for (size_t i = 0; i < LEN(wrong_targets); i++) {
		const char *why = parse_target(&t, wrong_targets[i].text);

		const char *rest = wrong_targets[i].text + t.understood;

		hold(why && strstr(why, wrong_targets[i].said), "%s: %s", wrong_targets[i].text,
		     why ? why : "good");
		hold(!strcmp(rest, wrong_targets[i].rest), "%s: %s", wrong_targets[i].text, rest);
	}
	end();
	begin("parse.target.good");
	for (unsigned i = 0; i < LEN(good_targets); i++) {
		bool ok = !parse_target(&t, good_targets[i].text);

		hold(ok && t.mode == good_targets[i].mode && t.pid == good_targets[i].pid &&
			     t.value == good_targets[i].value &&
			     t.configuration == good_targets[i].configuration &&
			     t.without_at == good_targets[i].without_at &&
			     !strcmp(t.port, good_targets[i].port),
		     "%s: %u mode %u pid %x value %x config %u bare %u port %s",
		     good_targets[i].text, ok, t.mode, (unsigned)t.pid, t.value, t.configuration,
		     t.without_at, t.port);
	}
	end();
	/* a good one with a byte more, less or other: never a crash, never a port or a number
	 * that is not there */
	begin("parse.target.garbled");
	srand(1);
	for (unsigned i = 0; i < 200000; i++) {
		char text[64];
		size_t n;

		snprintf(text, sizeof text, "%s", good_targets[i % LEN(good_targets)].text);
		n = strlen(text);
		for (unsigned k = 0; k < 1u + i % 3; k++)
			text[(size_t)rand() % (n + 1)] =
				"0123456789abcdefxmbimqoffdetnrs:/@!+-. \n"[rand() % 40];
		text[n + 1 < sizeof text ? n + 1 : n] = '\0';
		if (!parse_target(&t, text))
			hold(strlen(t.port) < PORT_SIZE && t.pid <= 0xffff &&
				     (t.mode != MODE_NUMBER || t.value <= 255) &&
				     (t.mode != MODE_NAMES || t.value) &&
				     (t.mode != MODE_BITMASK || t.value),
			     "%s", text);
	}
	end();
}

/* ---- the kernel's words ---- */

static const struct {
	const char *line;
	enum outcome outcome;
	const char *targets; /* in this order; NULL = not looked at */
	const char *appear;
	const char *wait;
	const char *code;
	const char *log;
	const char *init;
} kernel_lines[] = {
	{ "quiet swflip.target=mbim splash\n", GO_ON, "mbim", NULL, NULL, NULL, NULL, NULL },
	{ "swflip.target=mbim swflip.appear=5 swflip.wait=60 swflip.code=ABCD swflip.log=2 "
	  "swflip.init=/sbin/x",
	  GO_ON, "mbim", "5", "60", "ABCD", "2", "/sbin/x" },
	{ "swflip.target=\"mbim\" swflip.code=\"A B\"", GO_ON, "mbim", NULL, NULL, "A B", NULL,
	  NULL },
	{ "\"swflip.target=mbim\"", GO_ON, "mbim", NULL, NULL, NULL, NULL, NULL },
	{ "swflip.tar\"get=m\"bim", GO_ON, "mbim", NULL, NULL, NULL, NULL, NULL },
	{ "swflip.target=mbim -- swflip.target=qmi", GO_ON, "mbim", NULL, NULL, NULL, NULL, NULL },
	{ "-- swflip.target=qmi", GO_ON, "", NULL, NULL, NULL, NULL, NULL },
	{ "swflip.target=mbim \"--\" swflip.target=qmi", GO_ON, NULL, NULL, NULL, NULL, NULL,
	  NULL }, /* either */
	{ "x=-- swflip.target=qmi", GO_ON, "qmi", NULL, NULL, NULL, NULL, NULL },
	{ "swflip.target=mbim swflip.target=qmi", GO_ON, "qmi", NULL, NULL, NULL, NULL, NULL },
	{ "swflip.target=mbim swflip.target=1-2:qmi swflip.target=8 swflip.target=1-2:9!", GO_ON,
	  "8 1-2:9!", NULL, NULL, NULL, NULL, NULL },
	{ "swflip.wait=1 swflip.wait=2", GO_ON, "", NULL, "2", NULL, NULL, NULL },
	{ "swflip.nothing=3 swflip. swflip.targets=x swflip.target", GO_ON, "", NULL, NULL, NULL,
	  NULL, NULL },
	{ "xswflip.target=mbim swflipxtarget=mbim swflip_target=mbim", GO_ON, "", NULL, NULL, NULL,
	  NULL, NULL },
	{ "swflip.target=", BAD_USAGE, NULL, NULL, NULL, NULL, NULL, NULL },
	{ "swflip.target=9071", BAD_USAGE, NULL, NULL, NULL, NULL, NULL, NULL },
	{ "a=\"b swflip.target=mbim", GO_ON, "", NULL, NULL, NULL, NULL, NULL },
	{ "a=\"b\" swflip.target=mbim\"", GO_ON, "mbim", NULL, NULL, NULL, NULL, NULL },
	{ "", GO_ON, "", NULL, NULL, NULL, NULL, NULL },
	{ " \t\n ", GO_ON, "", NULL, NULL, NULL, NULL, NULL },
	{ "\t swflip.target=mbim\t\tswflip.log=0\n\n", GO_ON, "mbim", NULL, NULL, NULL, "0", NULL },
};

static void test_kernel(void)
{
	for (unsigned i = 0; i < LEN(kernel_lines); i++) {
		struct given given = { .text = { NULL } };
		const char *wanted[OPTIONS] = {
			[SET_APPEAR] = kernel_lines[i].appear, [SET_WAIT] = kernel_lines[i].wait,
			[SET_CODE] = kernel_lines[i].code,     [SET_LOG] = kernel_lines[i].log,
			[SET_INIT] = kernel_lines[i].init,
		};
		char line[200];
		char targets[200] = "";
		char name[40];
		bool same_words = true;

		snprintf(line, sizeof line, "%s", kernel_lines[i].line);
		g.targets = 0;
		enum outcome outcome = read_kernel_words(line, &given);
		for (unsigned t = 0; t < g.targets; t++)
			snprintf(targets + strlen(targets), sizeof targets - strlen(targets),
				 "%s%s", t ? " " : "", g.target[t].text);
		for (unsigned w = 0; w < OPTIONS && outcome == GO_ON; w++) {
			const char *text = given.text[w];

			if (w != SET_TARGET &&
			    (!text != !wanted[w] || (text && strcmp(text, wanted[w]) != 0)))
				same_words = false;
		}
		snprintf(name, sizeof name, "parse.kernel.%u", i);
		expect(outcome == kernel_lines[i].outcome &&
			       (!kernel_lines[i].targets ||
				!strcmp(targets, kernel_lines[i].targets)) &&
			       same_words,
		       name, "'%s': %u, targets %s", kernel_lines[i].line, outcome, targets);
	}
	{ /* an option's targets are not added to, nor is its word even parsed */
		struct given given = {
			.text = { [SET_TARGET] = "-", [SET_WAIT] = "3" },
			.where = { [SET_TARGET] = options[SET_TARGET].where,
				   [SET_WAIT] = options[SET_WAIT].where },
		};
		char line[] = "swflip.target=9071 swflip.wait=x swflip.appear=y";

		g.targets = 0;
		enum outcome outcome = read_kernel_words(line, &given);
		expect(outcome == GO_ON && !g.targets && !strcmp(given.text[SET_WAIT], "3") &&
			       !strcmp(given.text[SET_APPEAR], "y"),
		       "parse.kernel.overridden", "%u", g.targets);
	}
	{ /* -l ignores targets, wrong ones as well */
		struct given given = { .text = { NULL } };
		char line[] = "swflip.target=9071 swflip.target=mbim";

		g.targets = 0;
		g.list = true;
		enum outcome outcome = read_kernel_words(line, &given);
		expect(outcome == GO_ON && !g.targets, "parse.kernel.list", "%u %u", outcome,
		       g.targets);
		g.list = false;
	}
	{ /* more targets than there is room for */
		struct given given = { .text = { NULL } };
		char line[2000] = "";

		for (unsigned i = 1; i <= LEN(g.target) + 1; i++)
			snprintf(line + strlen(line), sizeof line - strlen(line),
				 "swflip.target=1-%u:mbim ", i);
		g.targets = 0;
		enum outcome outcome = read_kernel_words(line, &given);
		expect(outcome == BAD_USAGE && g.targets == LEN(g.target), "parse.kernel.too-many",
		       "%u %u", outcome, g.targets);
	}
	begin("parse.kernel.garbled");
	for (unsigned i = 0; i < 50000; i++) {
		struct given given = { .text = { NULL } };
		char line[200];

		snprintf(line, sizeof line, "%s", kernel_lines[i % LEN(kernel_lines)].line);
		size_t n = strlen(line);
		for (unsigned k = 0; k < 3 && n; k++)
			line[(size_t)rand() % n] = "\" \t\n-=.sx\377\1"[rand() % 11];
		g.targets = 0;
		read_kernel_words(line, &given);
		hold(g.targets <= LEN(g.target), "%s", kernel_lines[i % LEN(kernel_lines)].line);
	}
	end();
}

static const struct {
	const char *name;
	size_t length; /* of the file; 0 = there is none */
	bool needed;   /* neither -t nor -l was given */
	enum outcome outcome;
	bool followed;
} kernel_files[] = {
	{ "short", 100, true, GO_ON, true },
	{ "missing", 0, true, BAD_USAGE, false },
	{ "missing-but-t", 0, false, GO_ON, false },
	{ "4096", 4096, true, GO_ON, true },
	{ "4097", 4097, true, BAD_USAGE, false },
	{ "4097-but-t", 4097, false, GO_ON, false }, /* A15 */
	{ "20000-but-l", 20000, false, GO_ON, false },
};

/* /proc/cmdline: what cannot be read, or not whole, is wrong only where it is needed (rule 14). */
static void test_kernel_line(void)
{
	mkdir("proc", 0755);
	for (size_t i = 0; i < LEN(kernel_files); i++) {
		struct given given = { .text = { NULL } };
		char name[60];
		static char text[20001];

		unlink("proc/cmdline");
		if (kernel_files[i].length) {
			FILE *f = fopen("proc/cmdline", "w");

			if (!f)
				abort();
			memset(text, ' ', sizeof text);
			memcpy(text, "swflip.wait=7", 13);
			fwrite(text, 1, kernel_files[i].length, f);
			fclose(f);
		}
		enum outcome outcome = read_kernel_line(&given, kernel_files[i].needed);
		bool followed = given.text[SET_WAIT] && !strcmp(given.text[SET_WAIT], "7");
		snprintf(name, sizeof name, "parse.cmdline.%s", kernel_files[i].name);
		expect(outcome == kernel_files[i].outcome && followed == kernel_files[i].followed,
		       name, "%u, %u", outcome, followed);
	}
}

static void test_settings(void)
{
	static const struct {
		const char *text;
		enum option setting;
		bool good;
	} tried[] = {
		{ "0", SET_APPEAR, true },     { "0", SET_WAIT, false },
		{ "1", SET_WAIT, true },       { "86400", SET_WAIT, true },
		{ "86401", SET_WAIT, false },  { "86401", SET_APPEAR, false },
		{ "1.5", SET_APPEAR, false },  { "-1", SET_APPEAR, false },
		{ "", SET_APPEAR, false },     { "1 ", SET_APPEAR, false },
		{ " 1", SET_APPEAR, false },   { "1s", SET_APPEAR, false },
		{ "0x10", SET_APPEAR, false }, { "99999999999999999999", SET_APPEAR, false },
		{ "+1", SET_APPEAR, false },   { "2", SET_LOG, true },
		{ "3", SET_LOG, false },
	};

	begin("parse.code");
	for (unsigned n = 0; n < 20; n++) {
		char code[30] = "";

		memset(code, 'A', n);
		hold(is_code(code) == (n >= 4 && n <= 15), "%u characters", n);
	}
	for (unsigned c = 1; c < 256; c++) {
		char code[] = { 'A', (char)c, '1', '0', '\0' };
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		hold(is_code(code) == (letter || (c >= '0' && c <= '9')), "character %u", c);
	}
	end();
	begin("parse.seconds");
	for (size_t i = 0; i < LEN(tried); i++) {
		enum option setting = tried[i].setting;
		struct given given = { .text = { NULL } };
		uint32_t value = 77;

		given.text[setting] = tried[i].text;
		given.where[setting] = options[setting].where;
		bool good = read_option_number(&given, setting, &value) == GO_ON;

		hold(good == tried[i].good, "'%s' of %u", tried[i].text, setting);
	}
	end();
}

/* ---- QMI and MBIM: the frames of facts.md, sections 6.3 and 6.4, byte by byte ---- */

static size_t bytes_of(uint8_t *out, const char *hex)
{
	size_t n = 0;

	for (;; hex += 2) {
		while (*hex == ' ')
			hex++;
		if (!*hex)
			return n;
		out[n++] = (uint8_t)strtoul((const char[3]){ hex[0], hex[1], 0 }, NULL, 16);
	}
}

#define TUNNEL "d1 a3 0b c2 f9 7a 6e 43 bf 65 c7 e2 4f b0 f0 d3 "
#define GET_COMP_REPLY                                                                            \
	"01 1e 00 80 02 0a 02 04 00 5b 55 12 00 02 04 00 00 00 00 00 10 01 00 06 11 04 00 03 06 " \
	"07 08"
#define DONE_HEAD(length, tid, status, size)                                               \
	"03 00 00 80 " length " 00 00 00 " tid " 00 00 00 01 00 00 00 00 00 00 00 " TUNNEL \
	"01 00 00 00 " status " 00 00 00 " size " 00 00 00 "

/* One message: what the wire must carry, what comes back, and what is made of it. */
struct talk {
	const char *name;
	uint8_t service;
	unsigned message;
	const char *value;       /* TLV 0x01 */
	const char *request;     /* on the wire */
	const char *replies[17]; /* frames that come, in this order */
	int result;              /* of exchange_qmi() */
	uint8_t tlv;             /* that the answer must have; 0 = none */
	const char *tlv_value;
	uint8_t transaction; /* the one before; 0 = whatever it is */
};

static void run_talks(struct link *l, int peer, const struct talk *talks, size_t n)
{
	for (const struct talk *t = talks; t < talks + n; t++) {
		uint8_t sent[FRAME_SIZE];
		uint8_t want[FRAME_SIZE];
		uint8_t value[16];
		uint8_t tlv_value[16];
		char name[60];
		size_t length = 0;
		size_t size = bytes_of(want, t->request);

		if (t->transaction)
			l->transaction = t->transaction;
		for (size_t i = 0; i < LEN(t->replies) && t->replies[i]; i++) {
			uint8_t reply[FRAME_SIZE];
			size_t reply_size = bytes_of(reply, t->replies[i]);

			if (write(peer, reply, reply_size) != (ssize_t)reply_size)
				abort();
		}
		int r = exchange_qmi(l, t->service, t->message, value, bytes_of(value, t->value));
		ssize_t got = recv(peer, sent, sizeof sent, MSG_DONTWAIT);
		expect(got == (ssize_t)size && !memcmp(sent, want, size), t->name, "%zd bytes",
		       got);
		bool good = r == t->result;
		if (good && t->tlv) {
			const uint8_t *v = find_tlv(l, t->tlv, &length);

			good = v && length == bytes_of(tlv_value, t->tlv_value) &&
			       !memcmp(v, tlv_value, length);
		}
		snprintf(name, sizeof name, "%s-reply", t->name);
		expect(good, name, "%d", r);
		while (recv(l->fd, sent, sizeof sent, MSG_DONTWAIT) > 0)
			continue; /* what was not taken */
	}
}

#define DMS_HEAD(kind, transaction, message) "02 0a " kind " " transaction " 00 " message " "
#define GOOD_RESULT                          "07 00 02 04 00 00 00 00 00"

static const struct talk bare_talks[] = {
	{ "parse.qmi.get-client",
	  CTL,
	  GET_CLIENT_ID,
	  "02",
	  "01 0f 00 00 00 00 00 03 22 00 04 00 01 01 00 02",
	  { "01 17 00 80 00 00 01 03 22 00 0c 00 02 04 00 00 00 00 00 01 02 00 02 0a" },
	  QMI_OK,
	  0x01,
	  "02 0a",
	  2 },
	{ "parse.qmi.get-comp",
	  DMS,
	  SWI_GET_USB_COMPOSITION,
	  "",
	  "01 0c 00 00 02 0a 00 04 00 5b 55 00 00",
	  { GET_COMP_REPLY },
	  QMI_OK,
	  0x11,
	  "03 06 07 08",
	  0 },
	{ "parse.qmi.set-comp",
	  DMS,
	  SWI_SET_USB_COMPOSITION,
	  "08",
	  "01 10 00 00 02 0a 00 05 00 5c 55 04 00 01 01 00 08",
	  { "01 13 00 80 " DMS_HEAD("02", "05", "5c 55") GOOD_RESULT },
	  QMI_OK,
	  0,
	  "",
	  0 },
	{ "parse.qmi.offline",
	  DMS,
	  SET_OPERATING_MODE,
	  "03",
	  "01 10 00 00 02 0a 00 06 00 2e 00 04 00 01 01 00 03",
	  { "01 13 00 80 " DMS_HEAD("02", "06", "2e 00") "07 00 02 04 00 01 00 3c 00" },
	  60,
	  0,
	  "",
	  0 },
	/* all but the last are no answers to it */
	{ "parse.qmi.strangers",
	  DMS,
	  SET_OPERATING_MODE,
	  "04",
	  "01 10 00 00 02 0a 00 07 00 2e 00 04 00 01 01 00 04",
	  {
		  "01 13 00 80 " DMS_HEAD("04", "07", "2e 00") GOOD_RESULT, /* an indication */
		  "01 13 00 80 02 0b 02 07 00 2e 00 " GOOD_RESULT,          /* another's client */
		  "01 13 00 80 " DMS_HEAD("02", "06", "2e 00")
			  GOOD_RESULT, /* another transaction */
		  "01 13 00 80 02 0a 02 07 01 2e 00 " GOOD_RESULT,
		  "01 13 00 80 " DMS_HEAD("02", "07", "2f 00") GOOD_RESULT, /* another message */
		  "01 13 00 80 03 0a 02 07 00 2e 00 " GOOD_RESULT,          /* another service */
		  "02 13 00 80 " DMS_HEAD("02", "07", "2e 00") GOOD_RESULT,
		  "01",
		  "01 13 00",
		  /* longer than it is; TLVs, one TLV beyond the end; no result; too short */
		  "01 14 00 80 " DMS_HEAD("02", "07", "2e 00") GOOD_RESULT,
		  "01 13 00 80 " DMS_HEAD("02", "07", "2e 00") "08 00 02 04 00 00 00 00 00",
		  "01 13 00 80 " DMS_HEAD("02", "07", "2e 00") "07 00 02 05 00 00 00 00 00",
		  "01 13 00 80 " DMS_HEAD("02", "07", "2e 00") "07 00 03 04 00 00 00 00 00",
		  "01 05 00 80 " DMS_HEAD("02", "07", "2e 00") GOOD_RESULT,
		  "01 13 00 80 " DMS_HEAD("02", "07", "2e 00") "07 00 02 04 00 01 00 1a 00",
	  },
	  26,
	  0,
	  "",
	  0 },
	{ "parse.qmi.release",
	  CTL,
	  RELEASE_CLIENT_ID,
	  "02 0a",
	  "01 10 00 00 00 00 00 08 23 00 05 00 01 02 00 02 0a",
	  { "01 13 00 80 00 00 01 08 23 00 " GOOD_RESULT,
	    "01 12 00 80 00 00 01 08 23 00 " GOOD_RESULT },
	  QMI_OK,
	  0,
	  "",
	  0 },
	/* 250 is the last number of a transaction, 1 the first */
	{ "parse.qmi.transaction-250",
	  DMS,
	  SWI_GET_USB_COMPOSITION,
	  "",
	  "01 0c 00 00 02 0a 00 fa 00 5b 55 00 00",
	  { "01 13 00 80 " DMS_HEAD("02", "fa", "5b 55") GOOD_RESULT },
	  QMI_OK,
	  0,
	  "",
	  249 },
	{ "parse.qmi.transaction-1",
	  DMS,
	  SWI_GET_USB_COMPOSITION,
	  "",
	  "01 0c 00 00 02 0a 00 01 00 5b 55 00 00",
	  { "01 13 00 80 " DMS_HEAD("02", "01", "5b 55") GOOD_RESULT },
	  QMI_OK,
	  0,
	  "",
	  0 },
};

#define ASK_HEAD(length, transaction, size)                                                        \
	"03 00 00 00 " length " 00 00 00 " transaction " 00 00 00 01 00 00 00 00 00 00 00 " TUNNEL \
	"01 00 00 00 01 00 00 00 " size " 00 00 00 "

static const struct talk mbim_talks[] = {
	{ "parse.mbim.get-client",
	  CTL,
	  GET_CLIENT_ID,
	  "02",
	  ASK_HEAD("40", "02", "10") "01 0f 00 00 00 00 00 02 22 00 04 00 01 01 00 02",
	  { "07 00 00 80 0c 00 00 00 00 00 00 00", /* an indication */
	    DONE_HEAD("48", "02", "00", "18") "01 17 00 80 00 00 01 02 22 00 0c 00 02 04 00 00 00 "
					      "00 00 01 02 00 02 0a" },
	  QMI_OK,
	  0x01,
	  "02 0a",
	  0 },
	{ "parse.mbim.get-comp",
	  DMS,
	  SWI_GET_USB_COMPOSITION,
	  "",
	  ASK_HEAD("3d", "03", "0d") "01 0c 00 00 02 0a 00 03 00 5b 55 00 00",
	  { DONE_HEAD("4f", "03", "00", "1f") "01 1e 00 80 " DMS_HEAD(
		  "02", "03",
		  "5b 55") "12 00 02 04 00 00 00 00 00 10 01 00 06 11 04 00 03 06 07 08" },
	  QMI_OK,
	  0x10,
	  "06",
	  0 },
	/* who refuses has answered, and is not to be asked again for half a minute */
	{ "parse.mbim.refused",
	  DMS,
	  SWI_SET_USB_COMPOSITION,
	  "08",
	  ASK_HEAD("41", "04", "11") "01 10 00 00 02 0a 00 04 00 5c 55 04 00 01 01 00 08",
	  { DONE_HEAD("30", "04", "02", "00") },
	  QMI_REFUSED,
	  0,
	  "",
	  0 },
	{ "parse.mbim.function-error",
	  DMS,
	  SWI_GET_USB_COMPOSITION,
	  "",
	  ASK_HEAD("3d", "05", "0d") "01 0c 00 00 02 0a 00 05 00 5b 55 00 00",
	  { "04 00 00 80 10 00 00 00 05 00 00 00 01 00 00 00" },
	  QMI_REFUSED,
	  0,
	  "",
	  0 },
	/* C12: an answer in two fragments, with one of another transaction between */
	{ "parse.mbim.fragments",
	  DMS,
	  SWI_GET_USB_COMPOSITION,
	  "",
	  ASK_HEAD("3d", "06", "0d") "01 0c 00 00 02 0a 00 06 00 5b 55 00 00",
	  { "03 00 00 80 3a 00 00 00 06 00 00 00 02 00 00 00 00 00 00 00 " TUNNEL
	    "01 00 00 00 00 00 00 00 1f 00 00 00 01 1e 00 80 02 0a 02 06 00 5b",
	    "03 00 00 80 18 00 00 00 05 00 00 00 02 00 00 00 01 00 00 00 aa bb cc dd",
	    "03 00 00 80 29 00 00 00 06 00 00 00 02 00 00 00 01 00 00 00 "
	    "55 12 00 02 04 00 00 00 00 00 10 01 00 06 11 04 00 03 06 07 08" },
	  QMI_OK,
	  0x11,
	  "03 06 07 08",
	  0 },
};

/* Frames cut, changed, lying about their lengths: what is left of a good one before it stands
 * behind each. */
static void test_cut_frames(void)
{
	static struct link l;

	begin("parse.frames.cut");
	for (unsigned mbim = 0; mbim < 2; mbim++) {
		uint8_t whole[200];
		uint8_t ask[MBIM_COMMAND_HEADER + 13] = { 0 };
		uint8_t *q = ask + MBIM_COMMAND_HEADER;
		size_t size =
			bytes_of(whole, mbim ? DONE_HEAD("4f", "04", "00", "1f") GET_COMP_REPLY
					     : GET_COMP_REPLY);

		l = (struct link){ .mbim = mbim, .client = 0x0a, .transaction = 4 };
		memcpy(ask, tunnel, sizeof tunnel);
		put32(ask, MBIM_COMMAND);
		put32(ask + 8, 4);
		bytes_of(q, "01 0c 00 00 02 0a 02 04 00 5b 55 00 00");
		for (unsigned i = 0; i < 200000; i++) {
			size_t cut = i <= size ? i : (size_t)rand() % (size + 1);
			const uint8_t *answer = l.received;
			size_t n = cut;
			bool good = true;

			memcpy(l.received, whole, size);
			for (unsigned k = 0; i > size && k < 1 + i % 4 && cut; k++)
				l.received[(size_t)rand() % cut] =
					(uint8_t)(rand() % 3 ? rand() % 48 : rand());
			if (mbim) {
				l.message_length = 0;
				good = take_fragment(&l, cut) &&
				       judge_mbim(&l, ask, MBIM_STATUS) == QMI_OK &&
				       l.message_length > MBIM_COMMAND_HEADER;
				answer = l.message + MBIM_COMMAND_HEADER;
				n = l.message_length - MBIM_COMMAND_HEADER;
			}
			good = good && is_qmi_answer(&l, answer, n, q);
			if (good) {
				hold(l.tlvs >= answer && l.tlvs + l.tlvs_length <= answer + n,
				     "an answer reaches %zu", cut);
				for (unsigned type = 0; type < 256; type += i % 7 + 1) {
					size_t length;
					const uint8_t *v = find_tlv(&l, (uint8_t)type, &length);

					hold(!v || (v >= l.tlvs &&
						    v + length <= l.tlvs + l.tlvs_length),
					     "a TLV reaches");
				}
			}
			if (i <= size)
				hold(good == (i == size), "an answer out of %zu of %zu bytes", cut,
				     size);
		}
	}
	end();
}

static const struct {
	const char *name;
	const char *tlvs;
	bool good;
	unsigned composition;
	unsigned rows;
} offers[] = {
	{ "list", "02 04 00 00 00 00 00 10 01 00 06 11 04 00 03 06 07 08", true, 6, 3 },
	{ "other-order", "11 04 00 03 06 07 08 10 01 00 06 02 04 00 00 00 00 00", true, 6, 3 },
	{ "no-list", "02 04 00 00 00 00 00 10 01 00 09", true, 9, 0 },
	{ "count-lies-up", "02 04 00 00 00 00 00 10 01 00 06 11 04 00 04 06 07 08", true, 6, 0 },
	{ "count-lies-down", "02 04 00 00 00 00 00 10 01 00 06 11 04 00 02 06 07 08", true, 6, 0 },
	{ "empty-list", "02 04 00 00 00 00 00 10 01 00 06 11 00 00", true, 6, 0 },
	{ "empty-count", "02 04 00 00 00 00 00 10 01 00 06 11 01 00 00", true, 6, 0 },
	{ "twice", "02 04 00 00 00 00 00 10 01 00 06 11 04 00 03 06 06 08", true, 6, 2 },
	{ "duals", "02 04 00 00 00 00 00 10 01 00 0e 11 05 00 04 0d 16 17 ff", true, 14, 4 },
	{ "no-current", "02 04 00 00 00 00 00 11 04 00 03 06 07 08", false, 0, 0 },
	{ "empty-current", "02 04 00 00 00 00 00 10 00 00 11 04 00 03 06 07 08", false, 0, 0 },
	{ "error", "02 04 00 01 00 5e 00 10 01 00 06", false, 0, 0 },
};

/* What 0x555B becomes. */
static void test_offers(struct link *l, int peer)
{
	uint8_t raw[FRAME_SIZE];
	struct answer a;

	for (size_t i = 0; i < LEN(offers); i++) {
		uint8_t reply[200];
		size_t size = bytes_of(reply, "01 00 00 80 02 0a 02 01 00 5b 55 00 00");
		size_t n = bytes_of(reply + size, offers[i].tlvs);
		char name[60];

		put16(reply + 11, (unsigned)n);
		put16(reply + 1, (unsigned)(size + n) - 1);
		l->transaction = 0;
		if (write(peer, reply, size + n) < 0)
			abort();
		bool good = ask_qmi(l, &a) == QMI_OK;
		snprintf(name, sizeof name, "parse.qmi.offer.%s", offers[i].name);
		expect(good == offers[i].good &&
			       (!good || (a.dialect == DIALECT_QMI && a.pid == UNKNOWN &&
					  a.composition == offers[i].composition &&
					  a.rows == offers[i].rows)),
		       name, "%u composition %u, %u rows", good, a.composition, a.rows);
		while (recv(peer, raw, sizeof raw, MSG_DONTWAIT) > 0)
			continue;
	}
}

/* Numbers that nobody knows stand for no functions; nor do 0 to 5, C3: an EM7355's 1 is DM AT
 * (libmbim-devel, July 2015). */
static void test_offered_functions(struct link *l, int peer)
{
	enum { AND_QMI = SERIAL | BIT(QMI), AND_MBIM = SERIAL | BIT(MBIM) };
	enum { TWELVE = BIT(DM) | BIT(NMEA) | BIT(MBIM) };
	static const uint16_t functions_[][2] = {
		[0] = { 0 },
		[1] = { 0 },
		[2] = { AND_MBIM },
		[3] = { BIT(MBIM) },
		[4] = { TWELVE },
		[5] = { AND_QMI, AND_MBIM },
		[6] = { AND_QMI, TWELVE },
		[7] = { AND_QMI, AND_MBIM },
		[8] = { AND_QMI, TWELVE },
		[9] = { 0 },
		[10] = { 0 },
	};
	uint8_t raw[FRAME_SIZE];
	struct answer a;
	size_t size = bytes_of(raw, "01 26 00 80 02 0a 02 01 00 5b 55 1a 00 02 04 00 00 00 00 "
				    "00 10 01 00 0e 11 0c 00 0b 01 05 08 09 0c 0d 11 12 16 17 ff");

	l->transaction = 0;
	if (write(peer, raw, size) < 0)
		abort();
	bool good = ask_qmi(l, &a) == QMI_OK && a.rows == LEN(functions_);
	for (size_t i = 0; i < LEN(functions_); i++)
		if (memcmp(a.row[i].functions, functions_[i], sizeof functions_[i]) != 0 ||
		    a.row[i].configurations != (functions_[i][1] ? 2 : 1))
			good = false;
	expect(good, "parse.qmi.offer.functions", "%u rows", a.rows);
	while (recv(peer, raw, sizeof raw, MSG_DONTWAIT) > 0)
		continue;
}

/* MBIM's own messages: `ask` is what is sent, complete but for its first twelve bytes. */
static void test_mbim(struct link *l, int peer, const char *name, unsigned type, size_t n,
		      const char *request, const char *reply)
{
	uint8_t ask[16];
	uint8_t want[16];
	uint8_t raw[FRAME_SIZE];

	if (write(peer, raw, bytes_of(raw, reply)) < 0)
		abort();
	put32(ask + 12, FRAME_SIZE);
	next_transaction(l);
	int r = exchange_mbim(l, ask, type, n, 12);
	bytes_of(want, request);
	ssize_t got = recv(peer, raw, sizeof raw, MSG_DONTWAIT);
	expect(r == QMI_OK && got == (ssize_t)n && !memcmp(raw, want, n), name, "%d", r);
}

/* Fragments without the first, and more of them than a message has room for: no answer. */
static void test_fragments_that_lie(void)
{
	static struct link l;

	begin("parse.mbim.fragments-that-lie");
	for (unsigned i = 0; i < 2; i++) {
		memset(l.received, 0xaa, sizeof l.received);
		bytes_of(l.received, "03 00 00 80 00 10 00 00 07 00 00 00 ff ff ff ff ff ff ff ff");
		l.message_length = i ? sizeof l.message - 10 : 0;
		hold(!take_fragment(&l, sizeof l.received), "the last of 4294967295 fragments");
		hold(l.message_length <= sizeof l.message, "%zu bytes", l.message_length);
	}
	end();
	/* the second of two, whose bytes behind its header of 20 just fit */
	memset(l.received, 0xaa, sizeof l.received);
	bytes_of(l.received, "03 00 00 80 78 00 00 00 07 00 00 00 02 00 00 00 01 00 00 00");
	l.message_length = sizeof l.message - 100;
	bool fits = take_fragment(&l, 120) && l.message_length == sizeof l.message;
	l.message_length = sizeof l.message - 100;
	expect(fits && !take_fragment(&l, 121), "parse.mbim.fragment-that-just-fits", "%zu bytes",
	       l.message_length);
}

static void test_qmi(void)
{
	static struct link l;
	static struct slot me;
	int fd[2];

	play_child(&me);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fd))
		abort();
	l = (struct link){ .carrier = &cdc_wdm_carrier, .fd = fd[0], .client = 0x0a };
	run_talks(&l, fd[1], bare_talks, LEN(bare_talks));
	test_offers(&l, fd[1]);
	test_offered_functions(&l, fd[1]);

	l = (struct link){ .carrier = &cdc_wdm_carrier, .fd = fd[0], .client = 0x0a, .mbim = true };
	test_mbim(&l, fd[1], "parse.mbim.open", MBIM_OPEN, 16,
		  "01 00 00 00 10 00 00 00 01 00 00 00 00 10 00 00",
		  "01 00 00 80 10 00 00 00 01 00 00 00 00 00 00 00");
	run_talks(&l, fd[1], mbim_talks, LEN(mbim_talks));
	for (size_t n = 0; n < 3; n++) {
		static const uint8_t ask[MBIM_HEADER];
		int expected = n < 2 ? QMI_REFUSED : QMI_NO_ANSWER;
		l.message_length = MBIM_COMMAND_HEADER - 1 + n;
		expect(receive_qmi(&l, ask, 0) == expected, "parse.mbim.nothing-inside",
		       "%zu bytes", l.message_length);
	}
	for (size_t n = 12; n <= 16; n += 4) { /* the status was never sent */
		uint8_t ask[16] = { 0 };
		put32(ask, MBIM_OPEN);
		memset(l.message, 0, sizeof l.message);
		put32(l.message, MBIM_DONE | MBIM_OPEN);
		l.message_length = n;
		expect(judge_mbim(&l, ask, 12) == (n == 16 ? QMI_OK : QMI_REFUSED),
		       "parse.mbim.no-status", "%zu bytes", n);
	}
	test_mbim(&l, fd[1], "parse.mbim.close", MBIM_CLOSE, 12,
		  "02 00 00 00 0c 00 00 00 07 00 00 00",
		  "02 00 00 80 10 00 00 00 07 00 00 00 00 00 00 00");
	close(fd[0]);
	close(fd[1]);
	g.me = NULL;
}

/* ---- descriptors ---- */

/* A modem with two configurations, as its descriptors come. Returns their length. */
static size_t dual_bytes(uint8_t *raw)
{
	uint8_t *p = device_bytes(raw, 0x1199, 0x68a2, 2);

	p = config_bytes(p, 1, 4);
	p = interface_bytes(p, 0, 0, 0xff, 0xff, 0xff, true, false);
	p = interface_bytes(p, 2, 0, 0xff, 0, 0, true, true);
	p = interface_bytes(p, 3, 0, 0xff, 0, 0, true, true);
	p = interface_bytes(p, 8, 0, 0xff, 0xff, 0xff, true, true);
	p = config_bytes(p, 2, 2);
	p = interface_bytes(p, 12, 0, 2, 0x0e, 0, false, true);
	p = interface_bytes(p, 13, 0, 10, 0, 2, false, false);
	p = interface_bytes(p, 13, 1, 10, 0, 2, true, false);
	return (size_t)(p - raw);
}

static void test_descriptors(void)
{
	uint8_t raw[1000];
	struct modem m = { .port = "" };
	bool good = read_descriptors(&m, raw, dual_bytes(raw));
	const struct configuration *first = &m.configuration[0];
	const struct configuration *second = &m.configuration[1];

	expect(good && m.configurations == 2 && first->interfaces == 4 && second->interfaces == 2 &&
		       m.idVendor == 0x1199 && m.idProduct == 0x68a2 && m.bcdUSB == 0x210 &&
		       second->value == 2,
	       "parse.descriptors", "%u configurations, %u %u", m.configurations, first->interfaces,
	       second->interfaces);
	expect(functions_of(&m, first) == (BIT(AT) | BIT(DM) | BIT(NMEA) | BIT(QMI)) &&
		       functions_of(&m, second) == BIT(MBIM) &&
		       second->interface[0].max_message == 0x1234 &&
		       second->interface[1].alternate == 1 && second->interface[1].bulk_in &&
		       first->interface[2].max_packet == 512,
	       "parse.descriptors.functions", "%x %x message %x", functions_of(&m, first),
	       functions_of(&m, second), second->interface[0].max_message);
	expect(functions_of_all(&m) == (BIT(AT) | BIT(DM) | BIT(NMEA) | BIT(QMI) | BIT(MBIM)),
	       "parse.descriptors.functions-of-all", "%x", functions_of_all(&m));
}

/* In memory of exactly their size, so that ASan sees who reads beyond it. */
static bool read_exactly(struct modem *m, const uint8_t *raw, size_t size)
{
	uint8_t *exact = malloc(size ? size : 1);

	if (!exact)
		abort();
	memcpy(exact, raw, size);
	memset(m, 0, sizeof *m);
	bool good = read_descriptors(m, exact, size);
	free(exact);
	return good;
}

static void test_bad_descriptors(void)
{
	uint8_t raw[1000];
	uint8_t garbled[1000];
	size_t size = dual_bytes(raw);
	struct modem whole;
	struct modem m;

	read_exactly(&whole, raw, size);
	begin("parse.descriptors.cut");
	for (size_t cut = 0; cut <= size; cut++) {
		hold(read_exactly(&m, raw, cut) == (cut >= 18), "%zu bytes", cut);
		for (unsigned c = 0; c < m.configurations; c++) {
			const struct configuration *a = &m.configuration[c];
			const struct configuration *b = &whole.configuration[c];

			hold(!(functions_of(&m, a) & ~functions_of(&whole, b)) &&
				     a->interfaces <= b->interfaces,
			     "%zu bytes show more than all of them", cut);
		}
	}
	end();
	begin("parse.descriptors.garbled");
	srand(1);
	for (unsigned i = 0; i < 100000; i++) {
		memcpy(garbled, raw, size);
		for (unsigned k = 0; k < 1 + i % 8; k++)
			garbled[(size_t)rand() % size] =
				(uint8_t)(rand() % 3 ? rand() % 10 : rand());
		read_exactly(&m, garbled, size);
		m.active = (uint8_t)rand();
		kind_of(&m);
		hold(m.configurations <= LEN(m.configuration) &&
			     m.configuration[0].interfaces <= LEN(m.configuration[0].interface),
		     "%u", i);
	}
	end();
}

/* More than there is room for; lengths of nothing; things in the wrong order. */
static void test_strange_descriptors(void)
{
	static const uint8_t homeless[] = { 9, 4, 3, 0, 2, 0xff, 0, 0, 0, 7, 5, 0x81, 2, 0, 2, 0 };
	static uint8_t raw[8192];
	struct modem m;
	uint8_t *p = device_bytes(raw, 0x1199, 0x68a2, 6);

	for (unsigned c = 1; c <= 6; c++) {
		p = config_bytes(p, (uint8_t)c, 30);
		for (unsigned i = 0; i < 30; i++)
			p = interface_bytes(p, (uint8_t)i, 0, 0xff, 0, 0, true, true);
	}
	bool good = read_exactly(&m, raw, (size_t)(p - raw));
	expect(good && m.configurations == 4 && m.configuration[3].interfaces == 24 &&
		       m.configuration[3].value == 4,
	       "parse.descriptors.too-many", "%u %u", m.configurations,
	       m.configuration[3].interfaces);
	for (unsigned length = 0; length < 2; length++) {
		p = device_bytes(raw, 0x1199, 0x68a2, 1);
		p = config_bytes(p, 1, 1);
		p[0] = (uint8_t)length;
		p[1] = 4;
		good = read_exactly(&m, raw, (size_t)(p - raw) + 9);
		expect(good && m.configurations == 1 && !m.configuration[0].interfaces,
		       length ? "parse.descriptors.length-one" : "parse.descriptors.length-zero",
		       "%u", m.configurations);
	}
	/* an interface, and then a configuration, of eight bytes, which are nine (USB 2.0, 9.6) */
	p = device_bytes(raw, 0x1199, 0x68a2, 1);
	p = config_bytes(p, 1, 1);
	p = interface_bytes(p, 3, 0, 0xff, 0, 0, false, false);
	p[-9] = 8;
	good = read_exactly(&m, raw, (size_t)(p - raw) - 1);
	expect(good && m.configurations == 1 && !m.configuration[0].interfaces,
	       "parse.descriptors.short-interface", "%u", m.configuration[0].interfaces);
	p = device_bytes(raw, 0x1199, 0x68a2, 1);
	config_bytes(p, 1, 1);
	p[0] = 8;
	good = read_exactly(&m, raw, 18 + 8);
	expect(good && !m.configurations, "parse.descriptors.short-configuration", "%u",
	       m.configurations);
	/* an endpoint of six bytes, which are seven (9.6.6) */
	p = device_bytes(raw, 0x1199, 0x68a2, 1);
	p = config_bytes(p, 1, 1);
	p = interface_bytes(p, 3, 0, 0xff, 0, 0, true, false);
	p[-7] = 6;
	good = read_exactly(&m, raw, (size_t)(p - raw) - 1);
	const struct interface *shorter = &m.configuration[0].interface[0];
	expect(good && m.configuration[0].interfaces == 1 &&
		       !(shorter->bulk_in && shorter->bulk_out),
	       "parse.descriptors.short-endpoint", "%02x %02x", shorter->bulk_in,
	       shorter->bulk_out);
	p = device_bytes(raw, 0x1199, 0x68a2, 1);
	add_bytes(p, homeless, sizeof homeless);
	good = read_exactly(&m, raw, 18 + sizeof homeless);
	expect(good && !m.configurations, "parse.descriptors.interface-before-configuration", "%u",
	       m.configurations);
	raw[0] = 17;
	expect(!read_exactly(&m, raw, 18 + sizeof homeless), "parse.descriptors.not-a-device", "%s",
	       "");
}

/* The first alternate setting with a bulk pair counts. */
static void test_alternates(void)
{
	uint8_t raw[200];
	struct modem m;
	uint8_t *p = device_bytes(raw, 0x1199, 0x68a3, 1);

	p = config_bytes(p, 1, 1);
	p = interface_bytes(p, 3, 0, 0xff, 0xff, 0xff, false, false);
	p = interface_bytes(p, 3, 1, 0xff, 0xff, 0xff, true, true);
	p = interface_bytes(p, 3, 2, 0xff, 0xff, 0xff, true, true);
	read_exactly(&m, raw, (size_t)(p - raw));
	expect(m.configuration[0].interfaces == 1 &&
		       m.configuration[0].interface[0].alternate == 1 &&
		       functions_of(&m, m.configuration) == BIT(AT),
	       "parse.descriptors.alternates", "alt %u", m.configuration[0].interface[0].alternate);
	/* half a pair in the first one does not count */
	p = device_bytes(raw, 0x1199, 0x68a3, 1);
	p = config_bytes(p, 1, 1);
	p = interface_bytes(p, 3, 0, 0xff, 0xff, 0xff, false, false);
	p = endpoint_bytes(p, 0x82, 2, 512);
	p = interface_bytes(p, 3, 1, 0xff, 0xff, 0xff, true, true);
	read_exactly(&m, raw, (size_t)(p - raw));
	expect(m.configuration[0].interfaces == 1 &&
		       m.configuration[0].interface[0].alternate == 1 &&
		       functions_of(&m, m.configuration) == BIT(AT),
	       "parse.descriptors.alternates-half", "alt %u",
	       m.configuration[0].interface[0].alternate);
}

/* The first endpoint of each kind counts, whatever else there is. */
static void test_endpoints(void)
{
	enum { ISOCHRONOUS = 1, BULK = 2, INTERRUPT = 3 };
	static const uint8_t header[] = { 9, 4, 3, 0, 9, 0xff, 0, 0, 0 };
	uint8_t raw[200];
	struct modem m;
	const struct interface *i = &m.configuration[0].interface[0];
	uint8_t *p = device_bytes(raw, 0x1199, 0x68a2, 1);

	p = config_bytes(p, 1, 1);
	p = add_bytes(p, header, sizeof header);
	p = endpoint_bytes(p, 0x81, ISOCHRONOUS, 8);
	p = endpoint_bytes(p, 0x02, INTERRUPT, 8);
	p = endpoint_bytes(p, 0x83, BULK, 512);
	p = endpoint_bytes(p, 0x84, BULK, 64);
	p = endpoint_bytes(p, 0x05, BULK, 512);
	p = endpoint_bytes(p, 0x06, BULK, 512);
	p = endpoint_bytes(p, 0x87, INTERRUPT, 16);
	p = endpoint_bytes(p, 0x88, INTERRUPT, 16);
	read_exactly(&m, raw, (size_t)(p - raw));
	expect(i->bulk_in == 0x83 && i->max_packet == 512 && i->bulk_out == 0x05 &&
		       i->interrupt_in == 0x87,
	       "parse.descriptors.endpoints", "bulk %x %x of %u, interrupt %x", i->bulk_in,
	       i->bulk_out, i->max_packet, i->interrupt_in);
}

enum { SERIAL_PORTS = BIT(DM) | BIT(NMEA) | BIT(AT) };

static const struct {
	const char *name;
	uint16_t idVendor;
	uint16_t idProduct;
	uint8_t active;
	const char *configuration[2];
	enum kind kind;
	unsigned functions[2];
} kind_cases[] = {
	{ "truinstall", 0x1199, 0x0fff, 1, { "9s", "" }, STORAGE, { BIT(MS) } },
	{ "truinstall-unconfigured", 0x1199, 0x0fff, 0, { "9s", "" }, STORAGE, { BIT(MS) } },
	{ "truinstall-netgear", 0x0846, 0x0fff, 1, { "9s", "" }, STORAGE, { BIT(MS) } },
	{ "truinstall-without-storage", 0x1199, 0x0fff, 1, { "0b", "" }, BOOT_LOADER, { BIT(DM) } },
	{ "340u", 0x1199, 0x0fff, 1, { "9s", "cm" }, STORAGE, { BIT(MS), BIT(MBIM) } },
	{ "340u-configured", 0x1199, 0x0fff, 2, { "9s", "cm" }, MODEM, { BIT(MS), BIT(MBIM) } },
	{ "mc7710", 0x1199, 0x68a2, 1, { "0b 2v 3v 8v", "" }, MODEM, { SERIAL_PORTS | BIT(QMI) } },
	{ "mc7700", 0x0f3d, 0x68a2, 1, { "0b 2v 3v 8v", "" }, MODEM, { SERIAL_PORTS | BIT(QMI) } },
	{ "mc7750", 0x114f, 0x68a2, 1, { "0b 2v 3v 8v", "" }, MODEM, { SERIAL_PORTS | BIT(QMI) } },
	{ "qmi-without-interrupt",
	  0x1199,
	  0x68a2,
	  1,
	  { "0b 3v 8b", "" },
	  MODEM,
	  { BIT(DM) | BIT(AT) } },
	{ "at-without-bulk", 0x1199, 0x68a2, 1, { "0b 3n", "" }, MODEM, { BIT(DM) } },
	{ "three-rmnets",
	  0x1199,
	  0x68a2,
	  1,
	  { "0b 2v 3v 8v av bv", "" },
	  MODEM,
	  { SERIAL_PORTS | BIT(QMI) } },
	{ "qmi-on-19", 0x1199, 0x68a2, 1, { "3v jv", "" }, MODEM, { BIT(AT) | BIT(QMI) } }, /* B4 */
	{ "direct-ip",
	  0x1199,
	  0x68a3,
	  1,
	  { "0b 1b 2b 3v 4v 7v 9s", "" },
	  MODEM,
	  { SERIAL_PORTS | BIT(NET) | BIT(MS) | BIT(SPARE_AT) } },
	{ "direct-ip-3-nics",
	  0x0f3d,
	  0x68aa,
	  1,
	  { "3v 7v av bv", "" },
	  MODEM,
	  { BIT(AT) | BIT(NET) } },
	/* B4: Direct IP under an unknown PID; 7 without an interrupt endpoint, or beside 8, is
	 * ADB */
	{ "683c",
	  0x1199,
	  0x683c,
	  1,
	  { "0b 2v 3v 4v 7v av bv", "" },
	  MODEM,
	  { SERIAL_PORTS | BIT(NET) | BIT(SPARE_AT) } },
	{ "adb-on-7", 0x1199, 0x68a2, 1, { "3v 7b", "" }, MODEM, { BIT(AT) } },
	{ "adb-on-7-with-qmi",
	  0x1199,
	  0x9091,
	  1,
	  { "3v 7v 8v", "" },
	  MODEM,
	  { BIT(AT) | BIT(QMI) } },
	{ "direct-ip-ecm",
	  0x1199,
	  0x68a3,
	  1,
	  { "0b 3v ce 9s", "" },
	  MODEM,
	  { BIT(DM) | BIT(AT) | BIT(ECM) | BIT(MS) } },
	/* C4 and RC7620: bitmask 0x8010D */
	{ "qmi-and-ecm",
	  0x1199,
	  0x68c0,
	  1,
	  { "0b 2v 3v 8v je", "" },
	  MODEM,
	  { SERIAL_PORTS | BIT(QMI) | BIT(ECM) } },
	{ "gobi", 0x1199, 0x68a9, 1, { "0v 1b 2v 3b", "" }, MODEM, { SERIAL_PORTS | BIT(QMI) } },
	{ "gobi-hp", 0x03f0, 0x371d, 1, { "0v 1b 2v 3b", "" }, MODEM, { SERIAL_PORTS | BIT(QMI) } },
	{ "mbim-only", 0x1199, 0x68a2, 1, { "cm", "" }, MODEM, { BIT(MBIM) } },
	/* 68b1 (Sierra's driver headers, 2012): 2 DIAG, 3 MODEM, 4 NMEA */
	{ "usb-if", 0x1199, 0x68b1, 1, { "0m", "" }, MODEM, { BIT(MBIM) } },
	{ "usb-if-with-ports",
	  0x1199,
	  0x68b1,
	  1,
	  { "0m 2v 3v 4v", "" },
	  MODEM,
	  { BIT(MBIM) | BIT(AT) | BIT(SPARE_AT) } },
	/* B4: DIAG of EM91xx and EM92xx is 4, ff/ff/30 (kernel mails, Oct 2022, Apr 2025) */
	{ "em9191",
	  0x1199,
	  0x90d3,
	  1,
	  { "0m 3v 4d", "" },
	  MODEM,
	  { BIT(MBIM) | BIT(AT) | BIT(DM) } },
	{ "em9191-4-is-another",
	  0x1199,
	  0x90d3,
	  1,
	  { "0m 3v 4v", "" },
	  MODEM,
	  { BIT(MBIM) | BIT(AT) } },
	/* B2: type 1, type 2 (netdev, 17 Nov 2024), and the old layout under the same PID (SWI
	 * forum 28885) */
	{ "90b1",
	  0x1199,
	  0x90b1,
	  1,
	  { "0m 2v 3v 4v 7b 8v", "" },
	  MODEM,
	  { BIT(MBIM) | BIT(AT) | BIT(QMI) | BIT(SPARE_AT) } },
	{ "90b1-as-before",
	  0x1199,
	  0x90b1,
	  1,
	  { "0b 2v 3v 8v", "" },
	  MODEM,
	  { SERIAL_PORTS | BIT(QMI) } },
	{ "90c3", 0x1199, 0x90c3, 1, { "0v 1v 2v 5b", "" }, MODEM, { SERIAL_PORTS } },
	/* QDL has two bulk endpoints */
	{ "qdl", 0x1199, 0x9090, 1, { "0b", "" }, BOOT_LOADER, { BIT(DM) } },
	{ "qdl-9062", 0x1199, 0x9062, 1, { "0b", "" }, BOOT_LOADER, { BIT(DM) } },
	{ "qdl-on-3", 0x1199, 0x9070, 1, { "3b", "" }, BOOT_LOADER, { BIT(AT) } },
	{ "one-interface", 0x1199, 0x68a3, 1, { "0b", "" }, BOOT_LOADER, { BIT(DM) } },
	{ "one-at-port", 0x1199, 0x68a2, 1, { "3v", "" }, MODEM, { BIT(AT) } },
	{ "boot-pid-with-more", 0x1199, 0x9070, 1, { "0b 2v 3v", "" }, MODEM, { SERIAL_PORTS } },
	/* B1: one interface with seven endpoints, or with QMI alone, is a modem */
	{ "hs2300", 0x03f0, 0x1e1d, 1, { "0p", "" }, MODEM, { 0 } },
	{ "ac860", 0x1199, 0x6855, 1, { "0p", "" }, MODEM, { 0 } },
	{ "mc5720", 0x1199, 0x0218, 1, { "0p", "" }, MODEM, { 0 } },
	{ "qmi-only", 0x1199, 0x9071, 1, { "8v", "" }, MODEM, { BIT(QMI) } },
	{ "qmi-only-gobi", 0x1199, 0x9013, 1, { "0v", "" }, MODEM, { BIT(QMI) } },
	{ "em7345", 0x1199, 0xa001, 1, { "0m", "" }, FOREIGN, { BIT(MBIM) } },
	{ "dell", 0x413c, 0x81b6, 1, { "0b 2v 3v 8v", "" }, MODEM, { SERIAL_PORTS | BIT(QMI) } },
	{ "dell-qdl", 0x413c, 0x81b5, 1, { "0b", "" }, BOOT_LOADER, { BIT(DM) } },
	{ "dell-keyboard", 0x413c, 0x2003, 1, { "0h", "" }, FOREIGN, { 0 } },
	/* B5: Foxconn's T77W968 and Compal's EXM-G1A, under Dell's number */
	{ "foxconn-81d7", 0x413c, 0x81d7, 1, { "cm 2v", "" }, FOREIGN, { BIT(MBIM) | BIT(NMEA) } },
	{ "foxconn-81e0", 0x413c, 0x81e0, 1, { "cm 2v", "" }, FOREIGN, { BIT(MBIM) | BIT(NMEA) } },
	{ "compal-8217", 0x413c, 0x8217, 1, { "0b 2v 3v", "" }, FOREIGN, { SERIAL_PORTS } },
	{ "compal-8218", 0x413c, 0x8218, 1, { "0b 2v 3v", "" }, FOREIGN, { SERIAL_PORTS } },
	{ "hp", 0x03f0, 0x4e1d, 1, { "0b 3v 8v", "" }, MODEM, { BIT(DM) | BIT(AT) | BIT(QMI) } },
	{ "hp-printer", 0x03f0, 0x1234, 1, { "0b 3v", "" }, FOREIGN, { BIT(DM) | BIT(AT) } },
	{ "netgear",
	  0x0846,
	  0x68a2,
	  1,
	  { "0b 3v 8v", "" },
	  MODEM,
	  { BIT(DM) | BIT(AT) | BIT(QMI) } },
	{ "netgear-other", 0x0846, 0x68e2, 1, { "0b 3v", "" }, FOREIGN, { BIT(DM) | BIT(AT) } },
	{ "flash-drive", 0x0951, 0x1666, 1, { "0s", "" }, FOREIGN, { BIT(MS) } },
	{ "flash-drive-0fff", 0x0951, 0x0fff, 1, { "0s", "" }, FOREIGN, { BIT(MS) } },
	{ "nothing", 0x1199, 0x68a2, 0, { "", "" }, MODEM, { 0 } },
	{ "dual",
	  0x1199,
	  0x68a2,
	  2,
	  { "0b 2v 3v 8v", "cm" },
	  MODEM,
	  { SERIAL_PORTS | BIT(QMI), BIT(MBIM) } },
};

static void test_kinds(void)
{

	for (size_t i = 0; i < LEN(kind_cases); i++) {
		uint8_t raw[1000];
		uint8_t *p = device_bytes(raw, kind_cases[i].idVendor, kind_cases[i].idProduct, 1);
		struct modem m = { .port = "" };
		char name[60];
		unsigned found[2];

		for (unsigned c = 0; c < 2; c++)
			if (kind_cases[i].configuration[c][0])
				p = config_text(p, (uint8_t)(c + 1),
						kind_cases[i].configuration[c]);
		read_descriptors(&m, raw, (size_t)(p - raw));
		m.active = kind_cases[i].active;
		enum kind kind = kind_of(&m);
		for (unsigned c = 0; c < 2; c++)
			found[c] = functions_of(&m, &m.configuration[c]);
		snprintf(name, sizeof name, "parse.kind.%s", kind_cases[i].name);
		expect(kind == kind_cases[i].kind && found[0] == kind_cases[i].functions[0] &&
			       found[1] == kind_cases[i].functions[1],
		       name, "kind %u, functions %x %x", kind, found[0], found[1]);
	}
}

/* ---- ports, peers, uevents ---- */

/* Makes a file with this text, or a link to it, and the directories that lead there. */
static void make(const char *directory, const char *file, const char *link_or_text, bool is_link)
{
	char name[300];

	for (const char *p = directory; (p = strchr(p, '/')); p++) {
		snprintf(name, sizeof name, "%.*s", (int)(p - directory), directory);
		mkdir(name, 0755);
	}
	mkdir(directory, 0755);
	snprintf(name, sizeof name, "%s/%s", directory, file);
	unlink(name);
	if (is_link) {
		if (symlink(link_or_text, name) < 0)
			abort();
	} else {
		FILE *f = fopen(name, "w");

		if (!f)
			abort();
		fputs(link_or_text, f);
		fclose(f);
	}
}

static const struct {
	const char *text;
	size_t n;
} ports[] = {
	{ "1-1", 3 },
	{ "1-1.2", 5 },
	{ "10-2.3.4.5.6.7", 14 },
	{ "1-1:1.0", 3 },
	{ "usb1", 0 },
	{ "1-0:1.0", 3 },
	{ "1-", 0 },
	{ "-1", 0 },
	{ "1-1.", 0 },
	{ "", 0 },
	{ "1", 0 },
	{ "1-a", 0 },
	{ "999-255.255", 11 },
	{ "1000-1", 0 },
	{ "1-256", 0 },
	{ "1-1.256", 0 },
	{ "1-1..1", 0 },
	{ "99999999999999999999-1", 0 },
	{ "1-1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1", 0 },
};

/* the hub's object of the port, which is there before any device (rule 6, A16) */
static const struct {
	const char *port;
	const char *object;
	const char *link;
	const char *peer;
} peers[] = {
	{ "1-1", "1-0:1.0/usb1-port1", "../../../usb2/2-0:1.0/usb2-port1", "2-1" },
	{ "2-3", "2-0:1.0/usb2-port3", "../../../usb1/1-0:1.0/usb1-port7", "1-7" },
	{ "10-3", "10-0:1.0/usb10-port3", "../../../usb9/9-0:1.0/usb9-port12", "9-12" },
	{ "1-1.2", "1-1:1.0/1-1-port2", "../../2-1/2-1:1.0/2-1-port4", "2-1.4" },
	{ "1-1.2.3", "1-1.2:1.0/1-1.2-port3", "../x/2-1.2-port3", "2-1.2.3" },
	{ "1-9", "1-0:1.0/usb1-port9", "../../../usb2/2-0:1.0/usbx-port1", "" },
	{ "1-10", "1-0:1.0/usb1-port10", "nonsense", "" },
	{ "1-11", "1-0:1.0/usb1-port11", "-port", "" },
	{ "1-12", "1-0:1.0/usb1-port12", "usb-port1", "" },
	{ "1-13", "1-0:1.0/usb1-port13", "usb2-port", "" },
	{ "1-14", "1-0:1.0/usb1-port14",
	  "x/1111111111111111111111111111111111111111111111111111111111111111111111-port1", "" },
	{ "1-16", "", "", "" },
};

static const struct {
	const char *message;
	const char *port; /* of a child; NULL: the parent gets it */
	const char *peer;
	bool news;
	bool appeared; /* the parent waits longer for a modem (contract 2, -a) */
} messages[] = {
	{ "add@/devices/x/usb1/1-1", "1-1", "", true, false },
	{ "remove@/devices/x/usb1/1-1/1-1:1.0", "1-1", "", true, false },
	{ "add@/devices/x/usb1/1-1/1-1:1.3/ttyUSB2/tty/ttyUSB2", "1-1", "", true, false },
	/* a hub's own: below it on the path, harmless */
	{ "add@/devices/x/usb1/1-1/1-1.2", "1-1", "", true, false },
	{ "add@/devices/x/usb1/1-1/1-1.2", "1-1.2", "", true, false },
	{ "add@/devices/x/usb1/1-11", "1-1", "", false, false },
	{ "add@/devices/x/usb1/1-11/1-11:1.0", "1-1", "", false, false },
	{ "add@/devices/x/usb11/11-1", "1-1", "", false, false },
	{ "add@/devices/x/usb2/2-1", "1-1", "2-1", true, false },
	{ "add@/devices/x/usb2/2-1", "1-1", "", false, false },
	{ "@", "1-1", "", false, false },
	{ "1-1", "1-1", "", false, false },
	{ "add@/devices/pci0000:00/0000:00:14.0/usb1/1-1", NULL, "", true, true },
	{ "add@/devices/pci0000:00/0000:00:14.0/usb1/1-1/1-1.4", NULL, "", true, true },
	{ "add@/devices/pci0000:00/0000:00:14.0/usb1", NULL, "", true, true },
	{ "bind@/devices/pci0000:00/0000:00:14.0/usb1/1-1", NULL, "", true, false },
	{ "remove@/devices/pci0000:00/0000:00:14.0/usb1/1-1", NULL, "", true, false },
	{ "add@/devices/x/usb1/1-1/1-1:1.0", NULL, "", false, false },
	{ "add@/devices/x/usb1/1-0:1.0/usb1-port1", NULL, "", false, false },
	{ "add@/bus/usb", NULL, "", false, false },
	{ "add@/devices/virtual/block/loop0", NULL, "", false, false },
	{ "add@/module/usb_storage", NULL, "", false, false },
	{ "libudev", NULL, "", false, false },
	{ "", NULL, "", false, false },
	{ "/", NULL, "", false, false },
};

static void test_ports(void)
{
	static struct slot me;

	begin("parse.ports");
	for (size_t i = 0; i < LEN(ports); i++)
		hold(port_length(ports[i].text) == ports[i].n, "%s: %zu", ports[i].text,
		     port_length(ports[i].text));
	end();
	begin("parse.peers");
	for (size_t i = 0; i < LEN(peers); i++) {
		char directory[200];
		char peer[PORT_SIZE];

		snprintf(directory, sizeof directory, "sys/bus/usb/devices/%s", peers[i].object);
		if (peers[i].object[0])
			make(directory, "peer", peers[i].link, true);
		memset(peer, 'x', sizeof peer);
		find_peer(peers[i].port, peer);
		hold(!strcmp(peer, peers[i].peer), "%s: '%s'", peers[i].port, peer);
	}
	end();
	begin("parse.uevents");
	for (size_t i = 0; i < LEN(messages); i++) {
		g.me = messages[i].port ? &me : NULL;
		g.appeared = 0;
		memset(&me, 0, sizeof me);
		if (messages[i].port) {
			strcpy(me.port, messages[i].port);
			strcpy(me.peer, messages[i].peer);
		}
		bool news = is_news(messages[i].message);
		hold(news == messages[i].news && (g.appeared != 0) == messages[i].appeared,
		     "%s of %s", messages[i].message, messages[i].port ? messages[i].port : "any");
	}
	end();
	g.me = NULL;
}

/* ---- messages ---- */

static void test_error_names(void)
{
	static const struct {
		int error;
		const char *name;
	} errors[] = {
		{ EPIPE, "stall" },         { ETIMEDOUT, "no answer" }, { ENODEV, "it left" },
		{ ESHUTDOWN, "it left" },   { ENOENT, "not there" },    { EACCES, "not permitted" },
		{ EPERM, "not permitted" }, { EBUSY, "busy" },          { EIO, "failed" },
	};

	begin("parse.errors");
	for (size_t i = 0; i < LEN(errors); i++)
		hold(!strcmp(error_name(errors[i].error), errors[i].name), "%s",
		     error_name(errors[i].error));
	end();
}

static void test_messages(void)
{
	struct text t = { "" };
	char got[2000];
	int fd[2], saved = dup(2);
	ssize_t n;

	append(&t, "%s %u %3u %X %4x %s", "a", 4294967295u, 7, 0xabcdu, 0xfu, "z");
	expect(!strcmp(t.s, "a 4294967295 007 ABCD 000f z"), "parse.format", "%s", t.s);
	for (unsigned i = 0; i < sizeof t.s / 10 + 1; i++)
		append(&t, "%s", "0123456789");
	expect(strlen(t.s) == sizeof t.s - 1, "parse.format.cut", "%zu", strlen(t.s));

	if (pipe(fd))
		abort();
	dup2(fd[1], 2);
	g.level = LEVEL_DEBUG;
	strcpy(g.code, "S3cret");
	trace(">", "AT!ENTERCND=\"S3CRET\"");
	trace("<", "AT!ENTERCND=\"s3cret\"\r\r\nx\33[2J\\OK\n");
	for (size_t pad = 270; pad < 310; pad++) {
		char text[400];

		memset(text, 'a', sizeof text);
		strcpy(text + pad, "S3cretb\n");
		trace("<", text);
		if (pad % 5 == 4) {
			n = read(fd[0], got, sizeof got - 1);
			(void)n;
		}
	}
	trace("<", "S3cret");
	g.level = LEVEL_INFO;
	dup2(saved, 2);
	close(fd[1]);
	n = read(fd[0], got, sizeof got - 1);
	got[n > 0 ? n : 0] = '\0';
	expect(!find_word(got, "s3cret") && strstr(got, "****"), "parse.code-is-never-shown", "%s",
	       got);
	close(fd[0]);

	if (pipe(fd))
		abort();
	dup2(fd[1], 2);
	g.level = LEVEL_DEBUG;
	trace("<", "AT!ENTERCND=\"s3cret\"\r\r\nx\33[2J\\OK\n");
	g.level = LEVEL_INFO;
	report(LEVEL_INFO, "evil %s", "\33[2J\nx\177");
	dup2(saved, 2);
	close(fd[1]);
	n = read(fd[0], got, sizeof got - 1);
	got[n > 0 ? n : 0] = '\0';
	expect(!strcmp(got, "swflip: < AT!ENTERCND=\"****\"\\x0d\\x0d\\x0a\nswflip: < "
			    "x\\x1b[2J\\x5cOK\\x0a\nswflip: evil ?[2J?x?\n"),
	       "parse.control-characters", "%s", got);
	close(fd[0]);

	/* of a longer line the kernel's log would make two (linux: LOG_LINE_MAX) */
	if (pipe(fd))
		abort();
	dup2(fd[1], 2);
	report(LEVEL_ERROR, "%s", t.s);
	dup2(saved, 2);
	close(fd[1]);
	n = read(fd[0], got, sizeof got - 1);
	got[n > 0 ? n : 0] = '\0';
	expect(n > 500 && n <= 976 && strchr(got, '\n') == got + n - 1, "parse.long-message", "%zd",
	       n);
	close(fd[0]);
	close(saved);
}

/* The longest name that has room, and one letter more. */
static void test_long_name(void)
{
	struct {
		char name[NAME_SIZE];
		char behind;
	} found = { .behind = 'x' };
	char file[80];

	mkdir("names", 0755);
	for (size_t length = NAME_SIZE; length >= NAME_SIZE - 1; length--) {
		snprintf(file, sizeof file, "names/%0*d", (int)length, 7);
		close(open(file, O_CREAT | O_WRONLY, 0600));
		bool fits = length < NAME_SIZE;
		expect(find_entry("names", "0", found.name) == fits && found.behind == 'x' &&
			       strlen(found.name) == (fits ? length : 0),
		       "parse.long-name", "%zu letters: %s", length, found.name);
	}
}

int main(void)
{
	const char *tmp = getenv("TMPDIR");
	char dir[300], command[400];
	int null = open("/dev/null", O_WRONLY);
	int err = dup(2);

	snprintf(dir, sizeof dir, "%s/swflip-parse-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(dir) || chdir(dir))
		return 1;
	g.shared = &g.own;
	g.uevents = -1;
	strcpy(g.code, "A710");
	g.level = LEVEL_ERROR;
	test_exact();
	test_rows();
	test_lists();
	test_answers();
	test_silence();
	test_results();
	test_reading();
	test_type();
	test_values();
	test_targets();
	dup2(null, 2);
	test_kernel();
	test_kernel_line();
	test_settings();
	dup2(err, 2);
	test_qmi();
	test_fragments_that_lie();
	test_cut_frames();
	test_descriptors();
	test_bad_descriptors();
	test_strange_descriptors();
	test_alternates();
	test_complete();
	test_copy_port();
	test_wait();
	test_nodes();
	test_long_name();
	test_endpoints();
	test_kinds();
	test_ports();
	test_error_names();
	test_messages();
	snprintf(command, sizeof command, "rm -rf %s", dir);
	return system(command) ? 1 : test_status();
}
