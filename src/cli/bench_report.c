/* bench_report.c: what was measured as a table or as JSON. */
#include "cli/bench_parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

static double flops(const struct row *r)
{
    return 2. * 9 * r->in * r->out * (double)r->w * r->h;
}

static double peak_memory(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
#ifdef __APPLE__
    return (double)u.ru_maxrss;
#else
    return (double)u.ru_maxrss * 1024;
#endif
}

/* "2.1e-06", or "-" where nothing is measured */
static const char *error_text(double v, char *text, size_t bytes)
{
    snprintf(text, bytes, isnan(v) ? "-" : "%.1e", v);
    return text;
}

static void share_text(const struct bench *b, const struct row *r, double seconds, char *text, size_t bytes)
{
    if (b->peak > 0)
        snprintf(text, bytes, "%.0f%%", 100 * flops(r) / seconds / b->peak);
    else
        snprintf(text, bytes, "-");
}

void nst_bench_table(const struct bench *b)
{
    if (b->apart)
        printf("nst %s  %s (%s)  %dx%d  %s\n", nst_version(), b->device.device, b->device.name, b->size, b->size,
               nst_model_describe(b->model));
    else
        printf("nst %s  %s  %d thread%s  %dx%d  %s\n", nst_version(), b->cpu.k->name, b->cpu.threads,
               b->cpu.threads > 1 ? "s" : "", b->size, b->size, nst_model_describe(b->model));
    if (b->peak > 0)
        printf("FMA peak %.0f GFLOP/s", b->peak / 1e9);
    else /* what OpenCL C makes of registers there says more of the compiler than of the processor */
        printf("FMA peak unknown, a processor through OpenCL");
    printf(".  GFLOP/s are those of a direct convolution, so Winograd can pass the peak.\n\n");
    printf("layer    algorithm  forward ms GFLOP/s  peak   error | algorithm backward ms GFLOP/s  peak   error | "
           "statistics gradient ms\n");
    for (int i = 0; i < b->rows; i++) {
        const struct row *r = &b->row[i];
        char f[24], g[24], share[2][24];

        share_text(b, r, r->t.forward, share[0], sizeof share[0]);
        share_text(b, r, r->t.backward, share[1], sizeof share[1]);
        printf("%-8s %-10s %9.2f %8.0f %5s %8s | %-10s %9.2f %8.0f %5s %8s | %9.2f %9.2f\n", r->name,
               r->algorithm[0], r->t.forward * 1e3, flops(r) / r->t.forward / 1e9,
               share[0], error_text(r->error[0], f, sizeof f), r->algorithm[1],
               r->t.backward * 1e3, flops(r) / r->t.backward / 1e9, share[1],
               error_text(r->error[1], g, sizeof g), r->t.stats * 1e3, r->t.loss_gradient * 1e3);
    }
    if (b->apart)
        printf("\nan iteration starts %zu kernels and %zu products, waits %zu times, sends %.2f MB up and %.2f MB "
               "down, moves %.0f MB and computes %.1f GFLOP on the device\n", b->counts.launches, b->counts.products,
               b->counts.waits, (double)b->counts.up / 1e6, (double)b->counts.down / 1e6, (double)b->counts.moved / 1e6,
               b->counts.flop / 1e9);
    printf("\none iteration of preset opengenus: %.4g s; peak memory of the process: %.0f MB\n", b->iteration,
           peak_memory() / 1e6);
}

static void json_number(const char *name, double v)
{
    if (isfinite(v))
        printf(", \"%s\": %.6g", name, v);
    else
        printf(", \"%s\": null", name);
}

void nst_bench_json(const struct bench *b)
{
    printf("{\"version\": \"%s\", \"simd\": \"%s\", \"threads\": %d, \"size\": %d", nst_version(), b->cpu.k->name,
           b->cpu.threads, b->size);
    json_number("peak_flops", b->peak > 0 ? b->peak : NAN);
    json_number("iteration_seconds", b->iteration);
    json_number("peak_bytes", peak_memory());
    printf(", \"device\": \"%s\"", b->device.device);
    if (b->apart) {
        json_number("kernels", (double)b->counts.launches);
        json_number("products", (double)b->counts.products);
        json_number("waits", (double)b->counts.waits);
        json_number("bytes_up", (double)b->counts.up);
        json_number("bytes_down", (double)b->counts.down);
        json_number("bytes_moved", (double)b->counts.moved);
        json_number("flop", b->counts.flop);
    }
    printf(", \"layers\": [");
    for (int i = 0; i < b->rows; i++) {
        const struct row *r = &b->row[i];

        printf("%s\n  {\"name\": \"%s\", \"in\": %d, \"out\": %d, \"width\": %d, \"height\": %d, \"forward\": \"%s\", "
               "\"backward\": \"%s\"", i ? "," : "", r->name, r->in, r->out, r->w, r->h, r->algorithm[0],
               r->algorithm[1]);
        json_number("direct_flop", flops(r));
        json_number("forward_seconds", r->t.forward);
        json_number("backward_seconds", r->t.backward);
        json_number("statistics_seconds", r->t.stats);
        json_number("gradient_seconds", r->t.loss_gradient);
        json_number("forward_error", r->error[0]);
        json_number("backward_error", r->error[1]);
        putchar('}');
    }
    puts("\n]}");
}
