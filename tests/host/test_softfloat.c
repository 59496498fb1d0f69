// SPDX-License-Identifier: MIT
/*
 * lib/softfloat*.c against the host: its registers for float and double, and its compiler's
 * own helpers for binary128. Edge cases of a format in all pairs, and random bits.
 */
#include "lib.h"

#include <float.h>
#include <math.h>

#include <ahoy/softfloat.h>

#include <cmocka.h>

/* Numbers and pairs of them, of each of which every helper is asked */
#define RANDOM 100000

static uint64_t state = 88172645463325252;

static uint64_t random_bits(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state * 2685821657736338717;
}

/* Random bits, of which some are long runs, as rounding wants them. */
static uint64_t uneven_bits(void)
{
	uint64_t bits = random_bits();

	switch (random_bits() % 4) {
	case 0:
		return bits << random_bits() % 64;
	case 1:
		return ~(bits << random_bits() % 64);
	default:
		return bits;
	}
}

/* --- each format: its bits, its edges, and what is compared ---------------------------------- */

#define EDGES 66

static size_t edges_of(unsigned __int128 *edges, int bits, int exp_bits)
{
	int fraction = bits - exp_bits - 1, i;
	unsigned __int128 one = 1, sign = one << (bits - 1);
	unsigned __int128 bias = ((one << (exp_bits - 1)) - 1) << fraction;
	unsigned __int128 inf = ((one << exp_bits) - 1) << fraction;
	/* 0, the smallest, around the smallest normal number, 1, the largest, infinity, NaNs */
	const unsigned __int128 plain[] = {
		0,
		1,
		2,
		3,
		(one << fraction) - 1,
		one << fraction,
		(one << fraction) + 1,
		bias - 1,
		bias,
		bias + 1,
		bias + (one << fraction) / 2,
		bias + (one << fraction) / 3,
		inf - 1,
		inf,
		inf + 1,
		inf + (one << (fraction - 1)),
		inf + 1 + (one << (fraction - 1)),
	};
	/* Powers of two where integers end, and where a last bit is or is not seen any more. */
	const int powers[] = { 1, 31, 32, 63, 64, fraction, fraction + 1, fraction + 2 };
	size_t n = 0;

	for (i = 0; i < (int)(sizeof(plain) / sizeof(plain[0])); i++) {
		edges[n++] = plain[i];
		edges[n++] = plain[i] | sign;
	}
	for (i = 0; i < (int)(sizeof(powers) / sizeof(powers[0])); i++) {
		unsigned __int128 power = bias + ((unsigned __int128)powers[i] << fraction);

		edges[n++] = power;
		edges[n++] = power - 1;
		edges[n++] = (power + 1) | sign;
		edges[n++] = power | sign;
	}
	assert_true(n == EDGES);
	return n;
}

/*
 * Two numbers that differ in size so that the other one has a bit at half the last bit of the
 * first, and below it nothing, or one bit somewhere, that decides how the sum is rounded.
 */
static void tie_of(unsigned __int128 *a, unsigned __int128 *b, int bits, int exp_bits)
{
	int fraction = bits - exp_bits - 1, apart = 1 + (int)(random_bits() % fraction);
	unsigned __int128 one = 1, mask = (one << fraction) - 1;
	unsigned __int128 exp = (one << (exp_bits - 1)) - 1, half = one << (apart - 1);
	unsigned __int128 first = ((unsigned __int128)random_bits() << 64 | random_bits()) & mask;
	unsigned __int128 other = ((unsigned __int128)random_bits() << 64 | random_bits()) & mask;

	other = (other & ~(2 * half - 1)) | half;
	if (apart > 1 && random_bits() % 2)
		other |= one << random_bits() % (apart - 1);
	*a = exp << fraction | first | (one & random_bits()) << (bits - 1);
	*b = (exp - apart) << fraction | other | (one & random_bits()) << (bits - 1);
}

#define FORMAT(type, name, bits, exp_bits)                                                         \
	static type name##_of(unsigned __int128 number)                                            \
	{                                                                                          \
		type value;                                                                        \
                                                                                                   \
		memcpy(&value, &number, (bits) / 8);                                               \
		return value;                                                                      \
	}                                                                                          \
                                                                                                   \
	/* The same bits; @a, ours, may be any NaN that is quiet. */                               \
	static bool name##_same(type a, type b)                                                    \
	{                                                                                          \
		unsigned __int128 number = 0;                                                      \
                                                                                                   \
		memcpy(&number, &a, (bits) / 8);                                                   \
		if (a != a)                                                                        \
			return b != b && number >> ((bits) - (exp_bits)-2) & 1;                    \
		return !memcmp(&a, &b, (bits) / 8);                                                \
	}                                                                                          \
                                                                                                   \
	static type name##_random(void)                                                            \
	{                                                                                          \
		unsigned __int128 one = 1, number = (unsigned __int128)uneven_bits() << 64;        \
		unsigned int fraction = (bits) - (exp_bits)-1;                                     \
                                                                                                   \
		number |= uneven_bits();                                                           \
		/* Half of them near 1, so that they have to do with each other */                 \
		if (random_bits() % 2) {                                                           \
			number &= (one << fraction) - 1;                                           \
			number |= ((one << ((exp_bits)-1)) - 30 + random_bits() % 60) << fraction; \
			number |= (one & random_bits()) << ((bits)-1);                             \
		}                                                                                  \
		return name##_of(number);                                                          \
	}                                                                                          \
                                                                                                   \
	/* Call @fn with edges in all pairs and with random numbers. */                            \
	static void name##_pairs(void (*fn)(type a, type b))                                       \
	{                                                                                          \
		unsigned __int128 edges[EDGES];                                                    \
		size_t n = edges_of(edges, bits, exp_bits), i, j;                                  \
                                                                                                   \
		for (i = 0; i < n; i++)                                                            \
			for (j = 0; j < n; j++)                                                    \
				fn(name##_of(edges[i]), name##_of(edges[j]));                      \
		for (i = 0; i < RANDOM; i++)                                                       \
			fn(name##_random(), name##_random());                                      \
		for (i = 0; i < RANDOM / 10; i++) {                                                \
			unsigned __int128 x, y;                                                    \
                                                                                                   \
			tie_of(&x, &y, bits, exp_bits);                                            \
			fn(name##_of(x), name##_of(y));                                            \
		}                                                                                  \
	}

FORMAT(quad, quad, 128, 15)
FORMAT(double, double, 64, 11)
FORMAT(float, float, 32, 8)

/* --- what is the same in each ----------------------------------------------------------------- */

/* As C casts where that is defined, and else the nearest; NaN is the largest. */
#define TO_INTEGER(type, value, least, most)                                                       \
	((value) != (value)	       ? (type)(most)                                              \
	 : (value) >= (quad)(most) + 1 ? (type)(most)                                              \
	 : (value) <= (quad)(least)-1  ? (type)(least)                                             \
				       : (type)(value))

#define CHECKS(type, name, m)                                                                      \
	static void name##_pair(type a, type b)                                                    \
	{                                                                                          \
		bool unordered = a != a || b != b;                                                 \
                                                                                                   \
		assert_true(name##_same(ahoy___add##m##3(a, b), a + b));                           \
		assert_true(name##_same(ahoy___sub##m##3(a, b), a - b));                           \
		assert_true(name##_same(ahoy___mul##m##3(a, b), a *b));                            \
		assert_true(name##_same(ahoy___div##m##3(a, b), a / b));                           \
		assert_true((ahoy___eq##m##2(a, b) == 0) == (a == b));                             \
		assert_true((ahoy___ne##m##2(a, b) != 0) == (a != b));                             \
		assert_true((ahoy___lt##m##2(a, b) < 0) == (a < b));                               \
		assert_true((ahoy___le##m##2(a, b) <= 0) == (a <= b));                             \
		assert_true((ahoy___gt##m##2(a, b) > 0) == (a > b));                               \
		assert_true((ahoy___ge##m##2(a, b) >= 0) == (a >= b));                             \
		assert_true((ahoy___unord##m##2(a, b) != 0) == unordered);                         \
	}                                                                                          \
                                                                                                   \
	static void name##_to_integers(type a)                                                     \
	{                                                                                          \
		assert_true(ahoy___fix##m##si(a) == TO_INTEGER(int, a, INT_MIN, INT_MAX));         \
		assert_true(ahoy___fix##m##di(a) == TO_INTEGER(long, a, LONG_MIN, LONG_MAX));      \
		assert_true(ahoy___fixuns##m##si(a) == TO_INTEGER(unsigned int, a, 0, UINT_MAX));  \
		assert_true(ahoy___fixuns##m##di(a) ==                                             \
			    TO_INTEGER(unsigned long, a, 0, ULONG_MAX));                           \
	}                                                                                          \
                                                                                                   \
	static void name##_from_integers(unsigned long a)                                          \
	{                                                                                          \
		assert_true(name##_same(ahoy___floatsi##m((int)a), (type)(int)a));                 \
		assert_true(name##_same(ahoy___floatdi##m((long)a), (type)(long)a));               \
		assert_true(                                                                       \
			name##_same(ahoy___floatunsi##m((unsigned int)a), (type)(unsigned int)a)); \
		assert_true(name##_same(ahoy___floatundi##m(a), (type)a));                         \
	}                                                                                          \
                                                                                                   \
	static void name##_integers(type a, type b)                                                \
	{                                                                                          \
		name##_to_integers(a);                                                             \
		name##_from_integers(uneven_bits());                                               \
		(void)b;                                                                           \
	}                                                                                          \
                                                                                                   \
	/* Around powers of two, where integers end or lose bits, and halves between them */       \
	static void name##_whole_edges(void)                                                       \
	{                                                                                          \
		int power, off;                                                                    \
                                                                                                   \
		for (power = 0; power < 64; power++) {                                             \
			for (off = -4; off <= 4; off++) {                                          \
				unsigned long whole = (1UL << power) + (unsigned long)off;         \
				type around = (type)(1UL << power) + (type)off / 4;                \
                                                                                                   \
				name##_from_integers(whole);                                       \
				name##_from_integers(-whole);                                      \
				name##_to_integers((type)whole);                                   \
				name##_to_integers(-(type)whole);                                  \
				name##_to_integers(around);                                        \
				name##_to_integers(-around);                                       \
			}                                                                          \
		}                                                                                  \
	}                                                                                          \
                                                                                                   \
	static void test_##name(void **unused)                                                     \
	{                                                                                          \
		(void)unused;                                                                      \
		name##_pairs(name##_pair);                                                         \
		name##_pairs(name##_integers);                                                     \
		name##_whole_edges();                                                              \
	}

CHECKS(quad, quad, tf)
CHECKS(double, double, df)
CHECKS(float, float, sf)

/*
 * Quotients that are halfway but for the smallest rest, and this one half of 2^128: the dividend
 * as 128 bits, of which the last 15 are 0, is one more than a multiple of the divisor.
 */
static void test_rests(void **unused)
{
	unsigned __int128 one = 1, first;
	unsigned int divisor, inverse, i;

	(void)unused;
	for (divisor = (1 << 14) + 1; divisor < 1 << 15; divisor += 2) {
		/* Of 2^15, modulo the divisor */
		for (inverse = 1, i = 0; i < 15; i++)
			inverse = (inverse + (inverse % 2 ? divisor : 0)) / 2;
		first = one << 112 | (one * random_bits() << 47);
		first += inverse + divisor - first % divisor;
		quad_pair(quad_of((first & ((one << 112) - 1)) | (one * 16383) << 112), divisor);
	}
}

/* --- from format to format ------------------------------------------------------------------ */

static void quad_formats(quad a, quad b)
{
	assert_true(double_same(ahoy___trunctfdf2(a), (double)a));
	assert_true(float_same(ahoy___trunctfsf2(a), (float)a));
	(void)b;
}

static void double_formats(double a, double b)
{
	assert_true(quad_same(ahoy___extenddftf2(a), (quad)a));
	assert_true(float_same(ahoy___truncdfsf2(a), (float)a));
	(void)b;
}

static void float_formats(float a, float b)
{
	assert_true(quad_same(ahoy___extendsftf2(a), (quad)a));
	assert_true(double_same(ahoy___extendsfdf2(a), (double)a));
	(void)b;
}

/* Around what a smaller format can hold: its halves, its smallest and its largest numbers */
static void test_halves(void **unused)
{
	unsigned __int128 edges[EDGES];
	size_t i, n = edges_of(edges, 64, 11);

	(void)unused;
	for (i = 0; i < n; i++) {
		quad value = (quad)double_of(edges[i]), bit = value / 9007199254740992;

		quad_formats(value + bit, 0);
		quad_formats(value + bit / 2, 0);
		quad_formats(value - bit / 4, 0);
		quad_formats(value + bit + bit / 1048576 / 1048576, 0);
	}
	n = edges_of(edges, 32, 8);
	for (i = 0; i < n; i++) {
		double value = (double)float_of(edges[i]), bit = value / 16777216;

		double_formats(value + bit, 0);
		double_formats(value + bit / 2, 0);
		double_formats(value - bit / 4, 0);
	}
}

static void test_formats(void **unused)
{
	(void)unused;
	quad_pairs(quad_formats);
	double_pairs(double_formats);
	float_pairs(float_formats);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quad),   cmocka_unit_test(test_double),
		cmocka_unit_test(test_float),  cmocka_unit_test(test_formats),
		cmocka_unit_test(test_halves), cmocka_unit_test(test_rests),
	};

	return cmocka_run_group_tests_name("softfloat", tests, NULL, NULL);
}
