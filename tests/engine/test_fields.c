/* test_fields.c: the table of settings has every field of nst.h, and each goes to text and back. */
#include "engine/settings/settings.h"
#include "../support/picture.h"
#include "../support/source.h"

#include <ctype.h>

/* settings.h's struct, read as text: each of its fields has its row, in the same order. */
START_TEST(every_setting_has_a_row)
{
    char *text, *p, *end;
    size_t bytes;
    int n, found = 0;
    const nst_field *rows = nst_settings_fields(&n);

    text = (char *)get_file(source_file("include/nst/settings.h"), &bytes);
    p = (char *)find_bytes((unsigned char *)text, bytes, "typedef struct nst_settings {", 29) + 29;
    end = (char *)find_bytes((unsigned char *)p, bytes - (size_t)(p - text), "} nst_settings;", 15);
    while (p < end) {
        char name[64];
        size_t letters = 0;

        if (!strncmp(p, "/*", 2)) {
            p = strstr(p, "*/") + 2;
            continue;
        }
        if (!strncmp(p, "double ", 7) || !strncmp(p, "char ", 5)) /* the types; what else is a word is a name */
            p += 5;
        if (!strncmp(p, "int ", 4) || !strncmp(p, "uint64_t ", 9))
            p += strcspn(p, " ");
        while (isalnum((unsigned char)p[letters]) || p[letters] == '_')
            letters++;
        if (!letters || isdigit((unsigned char)*p)) {
            p += letters ? letters : 1;
            continue;
        }
        snprintf(name, sizeof name, "%.*s", (int)letters, p);
        p += letters;
        if (!strcmp(name, "e")) /* of "double" */
            continue;
        for (int i = 0; i < n; i++)
            if (!strcmp(rows[i].name, name))
                goto next;
        ck_abort_msg("nst_settings.%s has no row in preset.c", name);
next:
        found++;
    }
    ck_assert_int_eq(found, n);
    nst_free(text);
}
END_TEST

/* A preset's, and a text that none has. */
static nst_settings *settings(const char *preset)
{
    nst_settings *s;

    ck_assert_int_eq(nst_settings_create(&s, preset, NULL), NST_OK);
    strcpy(s->style_blend, "2,1");
    return s;
}

/* Fields by name: what a binding sets is what C assigns; what cannot be set leaves everything as it was. */
START_TEST(fields_are_set_by_name)
{
    static const struct {
        const char *name, *value, *says;
    } wrong[] = {
        { "sise", "1", "no such field" },   { "size", "", "not a whole number" },  { "size", "70000", "0 to 65535" },
        { "size", "1.5", "whole number" },  { "scale_step", "1", "1.01 to 100" },
        { "tv_weight", "nan", "not a number" },
        { "tv_weight", "1x", "1x" },        { "seed", "-1", "whole number" },
        { "seed", "99999999999999999999", "whole" },
        { "simd", "longer than sixteen characters", "15 characters" },             { "device", "a\nb", "control" },
    };
    nst_settings *s = settings("nst"), before;
    nst_error e;

    ck_assert_int_eq(nst_settings_set(s, "size", "640", &e), NST_OK);
    ck_assert_int_eq(nst_settings_set(s, "style_weight", "12.5", &e), NST_OK);
    ck_assert_int_eq(nst_settings_set(s, "seed", "18446744073709551615", &e), NST_OK);
    ck_assert_int_eq(nst_settings_set(s, "simd", "avx2", &e), NST_OK);
    ck_assert_int_eq(s->size, 640);
    ck_assert(s->style_weight == 12.5 && s->seed == UINT64_MAX);
    ck_assert_str_eq(s->simd, "avx2");
    before = *s;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_assert_int_eq(nst_settings_set(s, wrong[i].name, wrong[i].value, &e), NST_EARG);
        ck_assert_msg(strstr(e.text, wrong[i].says) && !strncmp(e.text, wrong[i].name, strlen(wrong[i].name)), "%s",
                      e.text);
    }
    ck_assert_int_eq(memcmp(&before, s, sizeof before), 0);
    nst_settings_destroy(&s);
}
END_TEST

/* To text and back: the same bits, in each preset and at the ends of each range. */
START_TEST(text_and_back)
{
    int n;
    const nst_field *rows = nst_settings_fields(&n);

    for (int i = 0; nst_preset_name(i); i++)
        for (int end = 0; end < 3; end++) {
            nst_settings *s = settings(nst_preset_name(i)), back;
            char text[8192], again[8192];
            size_t bytes, more;
            nst_error e = { "" };

            for (int k = 0; k < n && end; k++) {
                double v = end == 1 ? rows[k].min : rows[k].max;
                char *place = (char *)s + rows[k].offset;

                if (rows[k].kind == NST_FIELD_INT)
                    *(int *)(void *)place = (int)v;
                else if (rows[k].kind == NST_FIELD_REAL)
                    *(double *)(void *)place = v;
                else if (rows[k].kind == NST_FIELD_BITS)
                    *(uint64_t *)(void *)place = UINT64_MAX;
            }
            memset(&back, 0x55, sizeof back);
            ck_assert_int_eq(nst_fields_write(rows, n, s, text, sizeof text, &bytes, &e), NST_OK);
            ck_assert_msg(nst_fields_read(rows, n, &back, text, bytes, "text", &e) == NST_OK, "%s", e.text);
            ck_assert_int_eq(nst_fields_write(rows, n, &back, again, sizeof again, &more, &e), NST_OK);
            ck_assert_str_eq(text, again);
            nst_settings_destroy(&s);
        }
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, every_setting_has_a_row);
    tcase_add_test(t, fields_are_set_by_name);
    tcase_add_test(t, text_and_back);
}

int main(void)
{
    return run_tests("fields", add);
}
