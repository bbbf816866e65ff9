/* test_opencl_programs.c: programs that are kept, whole and damaged; devices by name; algorithms that only the CPU
 * has. */
#define _XOPEN_SOURCE 700 /* mkdtemp */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "opencl_golden.h"

/* ---- programs that are kept ------------------------------------------------------------------------------------- */

static void build(const char *folder, int built, int cached)
{
    nst_graph_options o = { .model = model, .loss_layer = { true }, .device = "opencl:0", .cache = folder,
                            .scale = { 1, 1, 1 } };
    nst_graph *g;
    nst_error e;

    nst_opencl_fault.builds = nst_opencl_fault.cached = 0;
    check_ok(nst_graph_create(&g, &o, &e), &e);
    nst_graph_destroy(&g);
    ck_assert_msg(nst_opencl_fault.builds == built && nst_opencl_fault.cached == cached,
                  "%d built, %d cached, expected "
                  "%d and %d", nst_opencl_fault.builds, nst_opencl_fault.cached, built, cached);
}

/* The one file of a folder. */
static void entry(const char *folder, char *out, size_t bytes)
{
    DIR *d = opendir(folder);
    int n = 0;

    ck_assert_ptr_nonnull(d);
    for (const struct dirent *f = readdir(d); f; f = readdir(d))
        if (f->d_name[0] != '.') {
            snprintf(out, bytes, "%s/%s", folder, f->d_name);
            n++;
        }
    closedir(d);
    ck_assert_int_eq(n, 1);
}

/* Built once, taken from the cache then; an entry that is cut, longer, changed anywhere or another's is built anew and
 * replaced; a folder that cannot be written is no failure. */
START_TEST(damaged_entries_are_rebuilt)
{
    static unsigned char text[1 << 24];
    char folder[] = "/tmp/nst-test-XXXXXX", deeper[64], file[512];
    size_t n;
    FILE *f;

    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(deeper, sizeof deeper, "%s/a/b", folder);
    build(deeper, 1, 0);
    build(deeper, 0, 1);
    entry(deeper, file, sizeof file);
    f = fopen(file, "rb");
    ck_assert_ptr_nonnull(f);
    n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    ck_assert(n > 1000 && n < sizeof text - 1);
    for (int damage = 0; damage < 9; damage++) {
        static const size_t places[] = { 0, 8, 16, 24, 40 };
        const size_t cuts[] = { 0, 20, n - 1, n + 1 };
        size_t bytes = damage < 4 ? cuts[damage] : n, place = damage < 4 ? 0 : places[damage - 4];

        f = fopen(file, "wb");
        ck_assert_ptr_nonnull(f);
        text[place] ^= damage >= 4;
        fwrite(text, 1, bytes, f);
        text[place] ^= damage >= 4;
        fclose(f);
        build(deeper, 1, 0);
        if (damage % 4 == 0) /* a build takes PoCL half a second */
            build(deeper, 0, 1);
    }
    for (size_t place = 64; place < n; place += n / 3) {
        f = fopen(file, "wb");
        ck_assert_ptr_nonnull(f);
        text[place] ^= 4;
        fwrite(text, 1, n, f);
        text[place] ^= 4;
        fclose(f);
        build(deeper, 1, 0);
    }
    build("/proc/no/such", 1, 0);
    build("", 1, 0);
    ck_assert_int_eq(remove(file), 0);
    remove(deeper);
    snprintf(deeper, sizeof deeper, "%s/a", folder);
    remove(deeper);
    ck_assert_int_eq(remove(folder), 0);
}
END_TEST

/* ---- names
 * -------------------------------------------------------------------------------------------------------- */

START_TEST(devices_by_name)
{
    nst_device_info d, first;
    char why[256], part[8];
    nst_error e;

    ck_assert(nst_device_at(0, &d) && !strcmp(d.device, "cpu") && strstr(d.driver, nst_simd_chosen()));
    ck_assert(nst_device_at(1, &first) && !strcmp(first.device, "opencl:0") && first.memory > 0 && first.largest > 0 &&
              strstr(first.precisions, "single"));
    check_ok(nst_device_find("cpu", &d, why, sizeof why, &e), &e);
    ck_assert_str_eq(d.device, "cpu");
    check_ok(nst_device_find("opencl:0", &d, why, sizeof why, &e), &e);
    ck_assert_str_eq(d.name, first.name);
    nst_opencl_fault.devices = 1;
    snprintf(part, sizeof part, "%.6s", first.name);
    check_ok(nst_device_find(part, &d, NULL, 0, &e), &e);
    ck_assert_str_eq(d.device, "opencl:0");
    ck_assert(!nst_device_at(2, &d));
    ck_assert_int_eq(nst_device_find("opencl:7", &d, NULL, 0, &e), NST_EUNSUPPORTED);
    ck_assert_int_eq(nst_device_find("opencl:x", &d, NULL, 0, &e), NST_EARG);
    ck_assert_int_eq(nst_device_find("toaster", &d, NULL, 0, &e), NST_EUNSUPPORTED);
    ck_assert(strstr(e.text, "toaster") && strstr(e.text, "nst devices"));
    nst_opencl_fault.card = true;
    check_ok(nst_device_find("auto", &d, why, sizeof why, &e), &e);
    ck_assert(!strcmp(d.device, "opencl:0") && strstr(why, "graphics card"));
    nst_opencl_fault.devices = -1;
    check_ok(nst_device_find("auto", &d, why, sizeof why, &e), &e);
    ck_assert_str_eq(d.device, "cpu");
    ck_assert_int_eq(nst_device_find("opencl", &d, NULL, 0, &e), NST_EUNSUPPORTED);
    ck_assert(!nst_device_at(1, &d));
}
END_TEST

/* An algorithm that only the CPU has. */
START_TEST(unknown_algorithms)
{
    nst_graph_options o = { .model = model, .loss_layer = { true }, .device = "opencl:0", .conv = "winograd6" };
    nst_graph *g;
    nst_error e;

    ck_assert_int_eq(nst_graph_create(&g, &o, &e), NST_EARG);
    ck_assert(g == NULL && strstr(e.text, "winograd6") && strstr(e.text, "winograd4"));
}
END_TEST

static void add(Suite *s)
{
    TCase *t = opencl_case(s, "programs", read_all, close_all);

    tcase_add_test(t, damaged_entries_are_rebuilt);
    tcase_add_test(t, devices_by_name);
    tcase_add_test(t, unknown_algorithms);
}

int main(void)
{
    return run_opencl("opencl programs", add);
}
