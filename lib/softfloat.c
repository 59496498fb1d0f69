// SPDX-License-Identifier: MIT
/*
 * double and float by way of binary128: what is computed with 113 bits and rounded to 53 or
 * 24 is what exact arithmetic would have been rounded to, as 113 is at least twice as much
 * and two more. __used: see softfloat_quad.c.
 */
#include <ahoy/compiler.h>
#include <ahoy/softfloat.h>

__used double __extendsfdf2(float a)
{
	return __trunctfdf2(__extendsftf2(a));
}

__used float __truncdfsf2(double a)
{
	return __trunctfsf2(__extenddftf2(a));
}

/* --- double ----------------------------------------------------------------------------------- */

__used double __adddf3(double a, double b)
{
	return __trunctfdf2(__addtf3(__extenddftf2(a), __extenddftf2(b)));
}

__used double __subdf3(double a, double b)
{
	return __trunctfdf2(__subtf3(__extenddftf2(a), __extenddftf2(b)));
}

__used double __muldf3(double a, double b)
{
	return __trunctfdf2(__multf3(__extenddftf2(a), __extenddftf2(b)));
}

__used double __divdf3(double a, double b)
{
	return __trunctfdf2(__divtf3(__extenddftf2(a), __extenddftf2(b)));
}

__used int __eqdf2(double a, double b)
{
	return __eqtf2(__extenddftf2(a), __extenddftf2(b));
}

__used int __nedf2(double a, double b)
{
	return __netf2(__extenddftf2(a), __extenddftf2(b));
}

__used int __ltdf2(double a, double b)
{
	return __lttf2(__extenddftf2(a), __extenddftf2(b));
}

__used int __ledf2(double a, double b)
{
	return __letf2(__extenddftf2(a), __extenddftf2(b));
}

__used int __gtdf2(double a, double b)
{
	return __gttf2(__extenddftf2(a), __extenddftf2(b));
}

__used int __gedf2(double a, double b)
{
	return __getf2(__extenddftf2(a), __extenddftf2(b));
}

__used int __unorddf2(double a, double b)
{
	return __unordtf2(__extenddftf2(a), __extenddftf2(b));
}

__used int __fixdfsi(double a)
{
	return __fixtfsi(__extenddftf2(a));
}

__used long __fixdfdi(double a)
{
	return __fixtfdi(__extenddftf2(a));
}

__used unsigned int __fixunsdfsi(double a)
{
	return __fixunstfsi(__extenddftf2(a));
}

__used unsigned long __fixunsdfdi(double a)
{
	return __fixunstfdi(__extenddftf2(a));
}

__used double __floatsidf(int a)
{
	return __trunctfdf2(__floatsitf(a));
}

__used double __floatdidf(long a)
{
	return __trunctfdf2(__floatditf(a));
}

__used double __floatunsidf(unsigned int a)
{
	return __trunctfdf2(__floatunsitf(a));
}

__used double __floatundidf(unsigned long a)
{
	return __trunctfdf2(__floatunditf(a));
}

/* --- float ------------------------------------------------------------------------------------ */

__used float __addsf3(float a, float b)
{
	return __trunctfsf2(__addtf3(__extendsftf2(a), __extendsftf2(b)));
}

__used float __subsf3(float a, float b)
{
	return __trunctfsf2(__subtf3(__extendsftf2(a), __extendsftf2(b)));
}

__used float __mulsf3(float a, float b)
{
	return __trunctfsf2(__multf3(__extendsftf2(a), __extendsftf2(b)));
}

__used float __divsf3(float a, float b)
{
	return __trunctfsf2(__divtf3(__extendsftf2(a), __extendsftf2(b)));
}

__used int __eqsf2(float a, float b)
{
	return __eqtf2(__extendsftf2(a), __extendsftf2(b));
}

__used int __nesf2(float a, float b)
{
	return __netf2(__extendsftf2(a), __extendsftf2(b));
}

__used int __ltsf2(float a, float b)
{
	return __lttf2(__extendsftf2(a), __extendsftf2(b));
}

__used int __lesf2(float a, float b)
{
	return __letf2(__extendsftf2(a), __extendsftf2(b));
}

__used int __gtsf2(float a, float b)
{
	return __gttf2(__extendsftf2(a), __extendsftf2(b));
}

__used int __gesf2(float a, float b)
{
	return __getf2(__extendsftf2(a), __extendsftf2(b));
}

__used int __unordsf2(float a, float b)
{
	return __unordtf2(__extendsftf2(a), __extendsftf2(b));
}

__used int __fixsfsi(float a)
{
	return __fixtfsi(__extendsftf2(a));
}

__used long __fixsfdi(float a)
{
	return __fixtfdi(__extendsftf2(a));
}

__used unsigned int __fixunssfsi(float a)
{
	return __fixunstfsi(__extendsftf2(a));
}

__used unsigned long __fixunssfdi(float a)
{
	return __fixunstfdi(__extendsftf2(a));
}

__used float __floatsisf(int a)
{
	return __trunctfsf2(__floatsitf(a));
}

__used float __floatdisf(long a)
{
	return __trunctfsf2(__floatditf(a));
}

__used float __floatunsisf(unsigned int a)
{
	return __trunctfsf2(__floatunsitf(a));
}

__used float __floatundisf(unsigned long a)
{
	return __trunctfsf2(__floatunditf(a));
}
