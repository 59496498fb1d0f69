// SPDX-License-Identifier: MIT
/*
 * binary128 by integers. A number is taken apart into sign, exponent and a significand of
 * 128 bits, whose first is one; what is computed with it is exact but for its last bit,
 * which is also set if anything was lost below; rounding happens when it is put together.
 * The parts do not depend on the format, of which the other two have fewer bits. They are
 * handed on by pointer and changed in place: GCC would call memcpy to copy one.
 *
 * __used: as in string.c, the compiler's own calls appear after link-time optimisation has
 * decided what is needed.
 */
#include <ahoy/compiler.h>
#include <ahoy/softfloat.h>

/* 128 bits */
struct wide {
	u64 hi, lo;
};

enum kind {
	FINITE,
	INFINITE,
	NOT_A_NUMBER
};

/* significand / 2^127 * 2^exp; zero has no bits. */
struct number {
	struct wide sig;
	int exp;
	bool negative;
	enum kind kind;
};

struct format {
	u8 bits;     /* in all */
	u8 exp_bits; /* of the exponent */
};

static const struct format binary32 = { 32, 8 }, binary64 = { 64, 11 }, binary128 = { 128, 15 };

/* The largest exponent of a number, and what is added to it in its field. */
static int bias_of(const struct format *format)
{
	return (1 << (format->exp_bits - 1)) - 1;
}

/* --- 128 bits ------------------------------------------------------------------------------- */

/* @n: 0 to 127 */
static struct wide shift_left(struct wide a, int n)
{
	if (n >= 64)
		return (struct wide){ a.lo << (n - 64), 0 };
	if (n == 0)
		return a;
	return (struct wide){ a.hi << n | a.lo >> (64 - n), a.lo << n };
}

/* @n: from 0; the last bit is also set if one that was set has fallen off. */
static struct wide shift_right(struct wide a, int n)
{
	u64 lost;

	if (n == 0)
		return a;
	if (n >= 128)
		return (struct wide){ 0, (a.hi | a.lo) != 0 };
	if (n > 64) {
		lost = a.lo | a.hi << (128 - n);
		return (struct wide){ 0, a.hi >> (n - 64) | (lost != 0) };
	}
	if (n == 64)
		return (struct wide){ 0, a.hi | (a.lo != 0) };
	lost = a.lo << (64 - n);
	return (struct wide){ a.hi >> n, a.lo >> n | a.hi << (64 - n) | (lost != 0) };
}

static struct wide plus(struct wide a, struct wide b)
{
	u64 lo = a.lo + b.lo;

	return (struct wide){ a.hi + b.hi + (lo < a.lo), lo };
}

static struct wide minus(struct wide a, struct wide b)
{
	return (struct wide){ a.hi - b.hi - (a.lo < b.lo), a.lo - b.lo };
}

static bool is_zero(struct wide a)
{
	return !(a.hi | a.lo);
}

static bool is_below(struct wide a, struct wide b)
{
	return a.hi != b.hi ? a.hi < b.hi : a.lo < b.lo;
}

/* --- apart and together --------------------------------------------------------------------- */

/* Have the first bit be one, unless there is none. */
static void normalise(struct number *a)
{
	int step;

	if (is_zero(a->sig))
		return;
	for (step = 64; step; step /= 2) {
		if (a->sig.hi >> (64 - step) == 0) {
			a->sig = shift_left(a->sig, step);
			a->exp -= step;
		}
	}
}

/* @bits: a number of @format, whose last bit is the last of @bits. */
static void take_apart(struct number *a, struct wide bits, const struct format *format)
{
	int exp_max = (1 << format->exp_bits) - 1, field;

	bits = shift_left(bits, 128 - format->bits);
	a->kind = FINITE;
	a->negative = bits.hi >> 63;
	field = (int)(bits.hi << 1 >> (64 - format->exp_bits));
	a->sig = shift_left(bits, format->exp_bits);
	a->sig.hi = a->sig.hi << 1 >> 1;
	a->exp = field - bias_of(format);
	if (field == exp_max) {
		a->kind = is_zero(a->sig) ? INFINITE : NOT_A_NUMBER;
	} else if (field) {
		a->sig.hi |= 1UL << 63;
	} else {
		a->exp++;
		normalise(a);
	}
}

/* Without the last two bits, which tell whether the others are one more. */
static struct wide round_off(struct wide a)
{
	u64 more = (a.lo & 3) + (a.lo >> 2 & 1) > 2;

	a = (struct wide){ a.hi >> 2, a.lo >> 2 | a.hi << 62 };
	return plus(a, (struct wide){ 0, more });
}

/* @a's significand need not begin with a one. */
static struct wide put_together(struct number *a, const struct format *format)
{
	int fraction = format->bits - format->exp_bits - 1;
	int exp_max = (1 << format->exp_bits) - 1, field, below;
	struct wide bits = { 0, 0 };

	normalise(a);
	field = a->exp + bias_of(format);
	if (a->kind == NOT_A_NUMBER) {
		bits = shift_left((struct wide){ 0, 1 }, fraction - 1);
		field = exp_max;
	} else if (is_zero(a->sig) && a->kind == FINITE) {
		field = 0;
	} else if (a->kind == INFINITE || field >= exp_max) {
		field = exp_max;
	} else {
		/* The first bit makes the exponent one more, or the smallest. */
		below = field < 1 ? 1 - field : 0;
		bits = round_off(shift_right(a->sig, 127 - fraction - 2 + below));
		field = field < 1 ? 0 : field - 1;
	}
	bits = plus(bits, shift_left((struct wide){ 0, (u64)field }, fraction));
	return plus(bits, shift_left((struct wide){ 0, a->negative }, format->bits - 1));
}

/* The same for C's types; a double's and a float's bits are the low ones. */
union quad_bits {
	quad value;
	struct {
		u64 lo, hi;
	};
};

union double_bits {
	double value;
	u64 bits;
};

union float_bits {
	float value;
	u32 bits;
};

static void from_quad(struct number *a, quad value)
{
	union quad_bits bits = { .value = value };

	take_apart(a, (struct wide){ bits.hi, bits.lo }, &binary128);
}

static quad to_quad(struct number *a)
{
	struct wide wide = put_together(a, &binary128);
	union quad_bits bits = { .lo = wide.lo, .hi = wide.hi };

	return bits.value;
}

/* --- arithmetic ------------------------------------------------------------------------------ */

static struct number *not_a_number(struct number *a)
{
	a->kind = NOT_A_NUMBER;
	a->negative = false;
	return a;
}

/* Of numbers with significands that are not zero; the sum is in one of them. */
static struct number *add_finite(struct number *a, struct number *b)
{
	struct number *sum = a->exp < b->exp ? b : a, *other = a->exp < b->exp ? a : b;

	/* A bit more in front. What falls off below is far behind what is kept. */
	other->sig = shift_right(other->sig, 1 + sum->exp - other->exp);
	sum->sig = shift_right(sum->sig, 1);
	sum->exp++;
	if (sum->negative == other->negative) {
		sum->sig = plus(sum->sig, other->sig);
	} else if (is_below(sum->sig, other->sig)) {
		sum->sig = minus(other->sig, sum->sig);
		sum->negative = other->negative;
	} else {
		sum->sig = minus(sum->sig, other->sig);
		if (is_zero(sum->sig))
			sum->negative = false;
	}
	return sum;
}

/* The sum is in @a or in @b. */
static struct number *add(struct number *a, struct number *b)
{
	if (a->kind == NOT_A_NUMBER || b->kind == NOT_A_NUMBER)
		return not_a_number(a);
	if (a->kind == INFINITE && b->kind == INFINITE && a->negative != b->negative)
		return not_a_number(a);
	if (a->kind == INFINITE || b->kind == INFINITE)
		return a->kind == INFINITE ? a : b;
	if (is_zero(a->sig) && is_zero(b->sig)) {
		a->negative &= b->negative;
		return a;
	}
	if (is_zero(a->sig) || is_zero(b->sig))
		return is_zero(a->sig) ? b : a;
	return add_finite(a, b);
}

/* The upper half of a product; the last bit also stands for the lower one. */
static struct wide multiply(struct wide a, struct wide b)
{
	typedef unsigned __int128 u128;
	u128 low = (u128)a.lo * b.lo, one = (u128)a.hi * b.lo, other = (u128)a.lo * b.hi;
	u128 high = (u128)a.hi * b.hi;
	u128 middle = (low >> 64) + (u64)one + (u64)other;

	high += (one >> 64) + (other >> 64) + (middle >> 64);
	return (struct wide){ (u64)(high >> 64), (u64)high | (((u64)middle | (u64)low) != 0) };
}

/* The quotient of significands that begin with a one; the last bit also stands for a rest. */
static struct wide divide(struct wide a, struct wide b)
{
	struct wide quotient = { 0, 0 };
	bool carry = false;
	int i;

	for (i = 0; i < 128; i++) {
		quotient = shift_left(quotient, 1);
		if (carry || !is_below(a, b)) {
			a = minus(a, b);
			quotient.lo |= 1;
		}
		carry = a.hi >> 63;
		a = shift_left(a, 1);
	}
	quotient.lo |= !is_zero(a) || carry;
	return quotient;
}

static quad add_quads(quad a, quad b, bool subtract)
{
	struct number x, y;

	from_quad(&x, a);
	from_quad(&y, b);
	y.negative ^= subtract;
	return to_quad(add(&x, &y));
}

__used quad __addtf3(quad a, quad b)
{
	return add_quads(a, b, false);
}

__used quad __subtf3(quad a, quad b)
{
	return add_quads(a, b, true);
}

static bool is_nothing(const struct number *a)
{
	return a->kind == FINITE && is_zero(a->sig);
}

__used quad __multf3(quad a, quad b)
{
	struct number x, y;

	from_quad(&x, a);
	from_quad(&y, b);
	x.negative ^= y.negative;
	if (x.kind == NOT_A_NUMBER || y.kind == NOT_A_NUMBER) {
		x.kind = NOT_A_NUMBER;
	} else if (x.kind == INFINITE || y.kind == INFINITE) {
		x.kind = is_nothing(&x) || is_nothing(&y) ? NOT_A_NUMBER : INFINITE;
	} else {
		x.sig = multiply(x.sig, y.sig);
		x.exp += y.exp + 1;
	}
	return to_quad(&x);
}

__used quad __divtf3(quad a, quad b)
{
	struct number x, y;

	from_quad(&x, a);
	from_quad(&y, b);
	x.negative ^= y.negative;
	if (x.kind == NOT_A_NUMBER || y.kind == NOT_A_NUMBER ||
	    (is_nothing(&x) && is_nothing(&y)) || (x.kind == INFINITE && y.kind == INFINITE)) {
		x.kind = NOT_A_NUMBER;
	} else if (x.kind == INFINITE || is_nothing(&y)) {
		x.kind = INFINITE;
	} else if (is_nothing(&x) || y.kind == INFINITE) {
		x.sig = (struct wide){ 0, 0 };
	} else {
		x.sig = divide(x.sig, y.sig);
		x.exp -= y.exp;
	}
	return to_quad(&x);
}

/* --- comparison ------------------------------------------------------------------------------ */

/* Less than, equal to or greater than zero, as @a is to @b; @unordered if one is NaN. */
static int compare(quad a, quad b, int unordered)
{
	union quad_bits x = { .value = a }, y = { .value = b };
	bool negative = x.hi >> 63;

	if (__unordtf2(a, b))
		return unordered;
	if (!(x.hi << 1 | x.lo | y.hi << 1 | y.lo))
		return 0;
	if (x.hi >> 63 != y.hi >> 63)
		return negative ? -1 : 1;
	if (x.hi == y.hi && x.lo == y.lo)
		return 0;
	/* The bits of the smaller one are the smaller number. */
	return is_below((struct wide){ x.hi, x.lo }, (struct wide){ y.hi, y.lo }) != negative ? -1
											      : 1;
}

static bool is_nan(quad a)
{
	union quad_bits bits = { .value = a };

	return is_below((struct wide){ 0xfffe000000000000, 0 },
			(struct wide){ bits.hi << 1 | bits.lo >> 63, bits.lo << 1 });
}

__used int __unordtf2(quad a, quad b)
{
	return is_nan(a) || is_nan(b);
}

__used int __eqtf2(quad a, quad b)
{
	return compare(a, b, 1);
}

__used int __netf2(quad a, quad b)
{
	return compare(a, b, 1);
}

__used int __lttf2(quad a, quad b)
{
	return compare(a, b, 1);
}

__used int __letf2(quad a, quad b)
{
	return compare(a, b, 1);
}

__used int __gttf2(quad a, quad b)
{
	return compare(a, b, -1);
}

__used int __getf2(quad a, quad b)
{
	return compare(a, b, -1);
}

/* --- integers -------------------------------------------------------------------------------- */

/* Its magnitude without the fraction, up to @most for a positive and @least for a negative one. */
static u64 whole_part(const struct number *a, u64 most, u64 least)
{
	u64 limit = a->negative && a->kind != NOT_A_NUMBER ? least : most, value;

	if (a->kind != FINITE || a->exp > 63)
		return limit;
	if (a->exp < 0)
		return 0;
	value = a->sig.hi >> (63 - a->exp);
	return value > limit ? limit : value;
}

static long signed_part(quad a, u64 most)
{
	struct number x;
	u64 value;

	from_quad(&x, a);
	value = whole_part(&x, most, most + 1);
	return (long)(x.negative && x.kind != NOT_A_NUMBER ? -value : value);
}

static u64 unsigned_part(quad a, u64 most)
{
	struct number x;

	from_quad(&x, a);
	return whole_part(&x, most, 0);
}

__used int __fixtfsi(quad a)
{
	return (int)signed_part(a, INT_MAX);
}

__used long __fixtfdi(quad a)
{
	return signed_part(a, ~0UL >> 1);
}

__used unsigned int __fixunstfsi(quad a)
{
	return (unsigned int)unsigned_part(a, UINT_MAX);
}

__used unsigned long __fixunstfdi(quad a)
{
	return unsigned_part(a, ~0UL);
}

static quad from_integer(u64 magnitude, bool negative)
{
	struct number a = { .sig = { 0, magnitude }, .exp = 127, .negative = negative };

	return to_quad(&a);
}

__used quad __floatsitf(int a)
{
	return __floatditf(a);
}

__used quad __floatditf(long a)
{
	return from_integer(a < 0 ? -(u64)a : (u64)a, a < 0);
}

__used quad __floatunsitf(unsigned int a)
{
	return from_integer(a, false);
}

__used quad __floatunditf(unsigned long a)
{
	return from_integer(a, false);
}

/* --- other formats ---------------------------------------------------------------------------- */

/* @bits: a number of @format, a smaller one */
static quad extend(u64 bits, const struct format *format)
{
	struct number a;

	take_apart(&a, (struct wide){ 0, bits }, format);
	return to_quad(&a);
}

static u64 truncate(quad a, const struct format *format)
{
	struct number x;

	from_quad(&x, a);
	return put_together(&x, format).lo;
}

__used quad __extendsftf2(float a)
{
	union float_bits bits = { .value = a };

	return extend(bits.bits, &binary32);
}

__used quad __extenddftf2(double a)
{
	union double_bits bits = { .value = a };

	return extend(bits.bits, &binary64);
}

__used float __trunctfsf2(quad a)
{
	union float_bits bits = { .bits = (u32)truncate(a, &binary32) };

	return bits.value;
}

__used double __trunctfdf2(quad a)
{
	union double_bits bits = { .bits = truncate(a, &binary64) };

	return bits.value;
}
