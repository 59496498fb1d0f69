/* SPDX-License-Identifier: MIT */
/*
 * Floating-point arithmetic by integers, under the names by which compilers call for it
 * where the machine has no registers for it: GCC's manual, "Soft float library routines".
 * float, double and IEEE 754's binary128, which is long double on RISC-V.
 *
 * Results are rounded to the nearest, ties to even, as IEEE 754 has it. There are no flags,
 * no other rounding, and one NaN, of either sign. Conversions to integers cut off the
 * fraction; what does not fit becomes the nearest that does, and NaN the largest, as the
 * RISC-V F extension's.
 *
 * No register of the FPU or its status is touched. Context: any.
 */
#ifndef AHOY_SOFTFLOAT_H
#define AHOY_SOFTFLOAT_H

#include <ahoy/types.h>

/* The host's long double may be another format. */
#if defined(__SIZEOF_FLOAT128__) && __LDBL_MANT_DIG__ != 113
typedef __float128 quad;
#else
typedef long double quad;
#endif

quad __addtf3(quad a, quad b);
quad __subtf3(quad a, quad b);
quad __multf3(quad a, quad b);
quad __divtf3(quad a, quad b);
double __adddf3(double a, double b);
double __subdf3(double a, double b);
double __muldf3(double a, double b);
double __divdf3(double a, double b);
float __addsf3(float a, float b);
float __subsf3(float a, float b);
float __mulsf3(float a, float b);
float __divsf3(float a, float b);

/*
 * The result compared with 0 tells how @a compares with @b, and is not what is asked for
 * if one of them is NaN: nonzero for eq and ne, above for lt and le, below for gt and ge.
 */
int __eqtf2(quad a, quad b);
int __netf2(quad a, quad b);
int __lttf2(quad a, quad b);
int __letf2(quad a, quad b);
int __gttf2(quad a, quad b);
int __getf2(quad a, quad b);
int __eqdf2(double a, double b);
int __nedf2(double a, double b);
int __ltdf2(double a, double b);
int __ledf2(double a, double b);
int __gtdf2(double a, double b);
int __gedf2(double a, double b);
int __eqsf2(float a, float b);
int __nesf2(float a, float b);
int __ltsf2(float a, float b);
int __lesf2(float a, float b);
int __gtsf2(float a, float b);
int __gesf2(float a, float b);

/* Nonzero if one of them is NaN. */
int __unordtf2(quad a, quad b);
int __unorddf2(double a, double b);
int __unordsf2(float a, float b);

/* Integers of 32 (si) and 64 (di) bits, from and to. */
int __fixtfsi(quad a);
long __fixtfdi(quad a);
unsigned int __fixunstfsi(quad a);
unsigned long __fixunstfdi(quad a);
int __fixdfsi(double a);
long __fixdfdi(double a);
unsigned int __fixunsdfsi(double a);
unsigned long __fixunsdfdi(double a);
int __fixsfsi(float a);
long __fixsfdi(float a);
unsigned int __fixunssfsi(float a);
unsigned long __fixunssfdi(float a);
quad __floatsitf(int a);
quad __floatditf(long a);
quad __floatunsitf(unsigned int a);
quad __floatunditf(unsigned long a);
double __floatsidf(int a);
double __floatdidf(long a);
double __floatunsidf(unsigned int a);
double __floatundidf(unsigned long a);
float __floatsisf(int a);
float __floatdisf(long a);
float __floatunsisf(unsigned int a);
float __floatundisf(unsigned long a);

quad __extendsftf2(float a);
quad __extenddftf2(double a);
double __extendsfdf2(float a);
double __trunctfdf2(quad a);
float __trunctfsf2(quad a);
float __truncdfsf2(double a);

#endif
