/* go_on.c: `nst resume FOLDER`: the command line that a folder of kept pictures has, once more. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cli/fail.h"
#include "cli/video/coders.h"
#include "cli/video/job.h"
#include "cli/video/video.h"

#define OWN 64 /* words of the command line that resumes */

static char video[] = "video";

/* The output lies beside the folder, wherever both were moved; a command line in a folder of somebody else's cannot
 * name another one. */
static nst_status output_of(const char *folder, char *out, size_t bytes, nst_error *e)
{
    size_t n = strlen(folder), m = sizeof NST_KEPT_SUFFIX - 1;
    char here[NST_PATH_BYTES];
    int used;

    while (n > 1 && folder[n - 1] == '/')
        n--;
    if (n <= m || strncmp(folder + n - m, NST_KEPT_SUFFIX, m))
        return fail(e, NST_EARG, "%s: the folder's name ends with %s, expected it unchanged", folder, NST_KEPT_SUFFIX);
    if (!getcwd(here, sizeof here))
        return fail(e, NST_EIO, "%s: %s", folder, strerror(errno));
    used = snprintf(out, bytes, "%s%s%.*s", *folder == '/' ? "" : here, *folder == '/' ? "" : "/", (int)(n - m),
                    folder);
    if (used > 0 && (size_t)used + 1 < bytes && !nst_coders_container(out) && !strchr(out, '%')) {
        out[used++] = '/';
        out[used] = 0;
    }
    return used > 0 && (size_t)used < bytes ? NST_OK : fail(e, NST_EARG, "%.60s...: the name is too long", folder);
}

/* Whether two paths, which may end with slashes, have the same last part. */
static bool same_name(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b);

    while (n > 1 && a[n - 1] == '/')
        n--;
    while (m > 1 && b[m - 1] == '/')
        m--;
    for (; n && m && a[n - 1] == b[m - 1] && a[n - 1] != '/'; m--)
        n--;
    return (!n || a[n - 1] == '/') && (!m || b[m - 1] == '/');
}

/* What the user says. */
static nst_status read_own(int argc, char **argv, nst_video_resumed *r, nst_error *e)
{
    static char *words[OWN];
    nst_status s;

    if (argc >= OWN)
        return fail(e, NST_EARG, "resume: too many options");
    words[0] = video;
    for (int i = 1; i < argc; i++)
        words[i] = argv[i]; /* which getopt puts into another order */
    s = nst_options_parse(argc, words, &r->own, NULL, e);
    if (s || !r->own.output || same_name(r->own.output, r->output))
        return s;
    return fail(e, NST_EARG, "resume: the output is %s, beside its folder, expected no other --output", r->output);
}

nst_status nst_video_resume(int argc, char **argv, nst_error *e)
{
    static nst_kept_words words;
    static nst_video_resumed resumed; /* lives as long as the painting */
    static char *line[NST_KEPT_WORDS + OWN];
    const char *folder = argv[1];
    int n = 0, at = 1;
    nst_status s;

    s = nst_kept_command(folder, &words, e);
    if (!s)
        s = output_of(folder, resumed.output, sizeof resumed.output, e);
    if (!s)
        s = read_own(argc, argv, &resumed, e);
    if (s)
        return s;
    line[n++] = video;
    for (; at < words.n && strcmp(words.word[at], "--"); at++)
        line[n++] = words.word[at];
    for (int i = 2; i < argc; i++) /* over the old ones, and not behind -- */
        line[n++] = argv[i];
    for (; at < words.n; at++)
        line[n++] = words.word[at];
    line[n] = NULL;
    if (chdir(words.folder))
        return fail(e, NST_EIO, "%s: %s", words.folder, strerror(errno));
    return nst_video_begin(n, line, &resumed, NULL, e);
}
