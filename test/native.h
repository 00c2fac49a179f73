/* What the tests of swflip.c's own functions share: swflip.c itself, every static function of it; tap.h. */
#define main swflip_main
#include "../swflip.c"
#undef main

#include "tap.h"

/* ---- descriptors ---- */

static uint8_t *config_bytes(uint8_t *p, uint8_t value, unsigned interfaces)
{
	memcpy(p, (uint8_t[]){ 9, 2, 0, 0, (uint8_t)interfaces, value, 0, 0xe0, 250 }, 9);
	return p + 9;
}

static uint8_t *interface_bytes(uint8_t *p, uint8_t number, uint8_t alt, uint8_t class,
				uint8_t subclass, uint8_t protocol, bool bulk, bool interrupt)
{
	memcpy(p,
	       (uint8_t[]){ 9, 4, number, alt, (uint8_t)(bulk * 2 + interrupt), class, subclass,
			    protocol, 0 },
	       9),
		p += 9;
	if (class == 2 && subclass == 0x0e)
		memcpy(p,
		       (uint8_t[]){ 5, 0x24, 0, 0x10, 1, 12, 0x24, 0x1b, 0, 1, 0x34, 0x12, 8, 0x80,
				    0xdc, 5, 0x20 },
		       17),
			p += 17;
	if (interrupt)
		memcpy(p, (uint8_t[]){ 7, 5, (uint8_t)(0x81 + number % 15), 3, 64, 0, 9 }, 7),
			p += 7;
	if (bulk)
		memcpy(p,
		       (uint8_t[]){ 7, 5, (uint8_t)(0x81 + number % 15), 2, 0, 2, 0, 7, 5,
				    (uint8_t)(1 + number % 15), 2, 0, 2, 0 },
		       14),
			p += 14;
	return p;
}

__attribute__((unused)) static uint8_t *device_bytes(uint8_t *p, uint16_t vid, uint16_t pid,
						     uint8_t configs)
{
	memcpy(p,
	       (uint8_t[]){ 18, 1, 0x10, 0x02, 0xef, 2, 1, 64, (uint8_t)vid, (uint8_t)(vid >> 8),
			    (uint8_t)pid, (uint8_t)(pid >> 8), 6, 0, 1, 2, 3, configs },
	       18);
	return p + 18;
}

/* A configuration by its interfaces: a number and a letter each, v vendor with bulk and interrupt, b vendor with bulk, n vendor
 * with nothing, m MBIM, e ECM, s storage, h HID. */
__attribute__((unused)) static uint8_t *config_text(uint8_t *p, uint8_t value, const char *s)
{
	static const struct {
		char letter;
		uint8_t class, subclass, protocol;
		bool bulk, interrupt;
	} kinds[] = {
		{ 'v', 0xff, 0, 0, true, true },   { 'b', 0xff, 0xff, 0xff, true, false },
		{ 'n', 0xff, 0, 0, false, false }, { 'm', 2, 0x0e, 0, false, true },
		{ 'e', 2, 6, 0, false, true },     { 's', 8, 6, 0x50, true, false },
		{ 'h', 3, 1, 1, false, true },
	};

	p = config_bytes(p, value, (unsigned)(strlen(s) + 1) / 3);
	for (; *s; s += s[2] ? 3 : 2)
		for (unsigned k = 0; k < LEN(kinds); k++)
			if (kinds[k].letter == s[1])
				p = interface_bytes(
					p, (uint8_t)strtoul((const char[2]){ *s, 0 }, NULL, 16), 0,
					kinds[k].class, kinds[k].subclass, kinds[k].protocol,
					kinds[k].bulk, kinds[k].interrupt);
	return p;
}
