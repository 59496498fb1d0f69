// SPDX-License-Identifier: MIT
/* lib/chacha.c: against the vectors of RFC 8439, A.1, whose nonce is zero. */
#include "lib.h"

#include <ahoy/chacha.h>

#include <cmocka.h>

static const struct {
	u8 at, byte; /* of the key, which is zero elsewhere */
	u32 counter;
	const char *block;
} rows[] = {
	{ 0, 0, 0,
	  "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
	  "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586" },
	{ 0, 0, 1,
	  "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed"
	  "29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f" },
	{ 31, 1, 1,
	  "3aeb5224ecf849929b9d828db1ced4dd832025e8018b8160b82284f3c949aa5a"
	  "8eca00bbb4a73bdad192b5c42f73f2fd4e273644c8b36125a64addeb006c13a0" },
	{ 1, 0xff, 2,
	  "72d54dfbf12ec44b362692df94137f328fea8da73990265ec1bbbea1ae9af0ca"
	  "13b25aa26cb4a648cb9b9d1be65b2c0924a66c54d545ec1b7374f4872e99f096" },
};

static void vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		u32 key[CHACHA_KEY] = {}, block[CHACHA_BLOCK];
		const u8 *bytes = (const u8 *)block;
		char text[2 * sizeof(block) + 1];

		((u8 *)key)[rows[i].at] = rows[i].byte;
		chacha_block(key, rows[i].counter, 20, block);
		for (size_t j = 0; j < sizeof(block); j++)
			snprintf(text + 2 * j, 3, "%02x", bytes[j]);
		assert_string_equal(text, rows[i].block);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors),
	};

	return cmocka_run_group_tests_name("chacha", tests, NULL, NULL);
}
