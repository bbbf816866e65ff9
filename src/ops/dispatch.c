/* dispatch.c: which kernel sets were compiled in, which of them this machine can run, and which one runs. */
#include <string.h>

#include "ops/dispatch.h"

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#define X86 1
#endif

/* What a set may use.  A row below names every extension that the set's compiler flags turn on, those that
 * a flag implies as well: the compiler is free to use any of them anywhere in the file. */
enum {
    CPU_POPCNT = 1 << 0, /* implied by -mavx2 */
    CPU_AVX2 = 1 << 1,   /* with AVX, and YMM registers saved by the system */
    CPU_FMA = 1 << 2,
    CPU_F16C = 1 << 3, /* implied by clang's -mavx512f */
    CPU_AVX512F = 1 << 4 /* with ZMM and mask registers saved by the system */
};

/* configure.ac: avx2 is built with -mavx2 -mfma, avx512 with -mavx512f -mavx2 -mfma */
#define NEED_AVX2 (CPU_POPCNT | CPU_AVX2 | CPU_FMA)
#define NEED_AVX512 (NEED_AVX2 | CPU_F16C | CPU_AVX512F)

/* Plain to fast.  The macros are configure's: a set is compiled in when its flags worked and nobody disabled it. */
static const struct {
    const nst_kernels *k;
    unsigned need;
} sets[] = {
    { &nst_kernels_scalar, 0 },
#ifdef HAVE_AVX2
    { &nst_kernels_avx2, NEED_AVX2 },
#endif
#ifdef HAVE_AVX512
    { &nst_kernels_avx512, NEED_AVX512 },
#endif
#ifdef HAVE_NEON
    { &nst_kernels_neon, 0 }, /* every arm64 has it */
#endif
};

#ifdef X86
static bool all(uint32_t reg, uint32_t bits)
{
    return (reg & bits) == bits;
}

/* What the operating system saves when it switches tasks: without it the registers exist but must not be used. */
static uint32_t xcr0(void)
{
    uint32_t low, high;

    /* xgetbv by its bytes: the mnemonic wants -mxsave, which this file must not have */
    __asm__ volatile(".byte 0x0f, 0x01, 0xd0" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

static unsigned detect(void)
{
    const uint32_t ymm = 1u << 1 | 1u << 2;                  /* XMM, YMM */
    const uint32_t zmm = ymm | 1u << 5 | 1u << 6 | 1u << 7;  /* mask, upper halves of 0-15, 16-31 */
    uint32_t eax, ebx, ecx, edx, saved, has = 0;

    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !all(ecx, bit_OSXSAVE | bit_AVX))
        return 0;
    saved = xcr0();
    if (!all(saved, ymm))
        return 0;
    if (all(ecx, bit_POPCNT))
        has |= CPU_POPCNT;
    if (all(ecx, bit_FMA))
        has |= CPU_FMA;
    if (all(ecx, bit_F16C))
        has |= CPU_F16C;
    if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx))
        return has;
    if (all(ebx, bit_AVX2))
        has |= CPU_AVX2;
    if (all(ebx, bit_AVX512F) && all(saved, zmm))
        has |= CPU_AVX512F;
    return has;
}
#else
static unsigned detect(void)
{
    return 0;
}
#endif

const nst_kernels *nst_kernels_at(int i, bool *usable)
{
    if (i < 0 || (size_t)i >= NST_COUNT(sets))
        return NULL;
    if (usable)
        *usable = (detect() & sets[i].need) == sets[i].need;
    return sets[i].k;
}

const nst_kernels *nst_kernels_pick(const char *name)
{
    bool usable;
    const nst_kernels *k = nst_kernels_at(0, &usable), *best = NULL;

    for (int i = 0; k; k = nst_kernels_at(++i, &usable))
        if (usable && (!name || !*name || strcmp(name, k->name) == 0))
            best = k;
    return best;
}

const char *nst_simd_name(int i)
{
    const nst_kernels *k = nst_kernels_at(i, NULL);

    return k ? k->name : NULL;
}

int nst_simd_usable(int i)
{
    bool usable = false;

    return nst_kernels_at(i, &usable) && usable;
}

const char *nst_simd_chosen(void)
{
    return nst_kernels_pick(NULL)->name; /* scalar runs everywhere */
}
