/* kept.c: finished pictures as PNG files, which lose nothing of what a film gets, and a file "state" with the command
 * line, a word a line.  Each file is written beside its name, synced and renamed, so that the pictures that are there
 * are whole. */
#include "cli/video/kept.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/checkpoint_file.h"
#include "cli/fail.h"

static const char first_line[] = "nst video 1\n";

nst_status nst_kept_name(nst_kept *k, const char *output, int width, int height, nst_error *e)
{
    size_t n = strlen(output);

    k->width = width;
    k->height = height;
    while (n > 1 && output[n - 1] == '/')
        n--;
    /* room for the names in it */
    if ((size_t)snprintf(k->folder, sizeof k->folder, "%.*s" NST_KEPT_SUFFIX, (int)n, output) + 32 >= sizeof k->folder)
        return fail(e, NST_EARG, "%.60s...: the name is too long", output);
    return NST_OK;
}

/* A text in the folder, which may be somebody else's: no link is followed, and no pipe waited for. */
static int open_text(const char *path, int flags)
{
    int fd = open(path, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
    struct stat st;

    if (fd >= 0 && (fstat(fd, &st) || !S_ISREG(st.st_mode))) {
        close(fd);
        errno = ENOENT;
        return -1;
    }
    return fd;
}

/* ---- the state --------------------------------------------------------------------------------------------------- */

static void print_word(FILE *f, const char *word)
{
    for (; *word; word++) {
        if (*word == '\n' || *word == '\\')
            fputc('\\', f);
        fputc(*word == '\n' ? 'n' : *word, f);
    }
    fputc('\n', f);
}

static nst_status write_state(const nst_kept *k, uint64_t identity, int argc, char **argv, nst_error *e)
{
    char path[NST_PATH_BYTES + 16], beside[NST_PATH_BYTES + 24], folder[NST_PATH_BYTES];
    bool good;
    FILE *f;

    snprintf(path, sizeof path, "%s/state", k->folder);
    snprintf(beside, sizeof beside, "%s.new", path);
    unlink(beside); /* the folder may be somebody else's: what lies there may be a link to anywhere */
    f = fopen(beside, "wx");
    if (!f || !getcwd(folder, sizeof folder))
        return fail(e, NST_EIO, "%s: %s", path, strerror(errno));
    fprintf(f, "%s%016" PRIx64 "\n", first_line, identity);
    print_word(f, folder);
    for (int i = 0; i < argc; i++)
        print_word(f, argv[i]);
    good = fflush(f) == 0 && fsync(fileno(f)) == 0;
    good = fclose(f) == 0 && good;
    if (good && rename(beside, path) == 0)
        return NST_OK;
    fail(e, NST_EIO, "%s: %s", path, strerror(errno));
    unlink(beside);
    return NST_EIO;
}

/* Words apart, in place. */
static nst_status split(const char *folder, nst_kept_words *out, nst_error *e)
{
    char *to = out->text, *from = out->text;

    out->n = 0;
    while (*from) {
        if (out->n == NST_KEPT_WORDS)
            return fail(e, NST_EFORMAT, "%s/state: more than %d words", folder, NST_KEPT_WORDS);
        out->word[out->n++] = to;
        for (; *from && *from != '\n'; from++) {
            bool behind = *from == '\\' && from[1];

            from += behind;
            *to++ = behind && *from == 'n' ? '\n' : *from;
        }
        from += *from == '\n';
        *to++ = 0;
    }
    return NST_OK;
}

nst_status nst_kept_command(const char *folder, nst_kept_words *out, nst_error *e)
{
    char path[NST_PATH_BYTES + 16];
    nst_status s;
    ssize_t n;
    int fd;

    snprintf(path, sizeof path, "%s/state", folder);
    fd = open_text(path, O_RDONLY);
    if (fd < 0)
        return fail(e, errno == ENOENT ? NST_EFORMAT : NST_EIO, "%s: %s", folder,
                    errno == ENOENT ? "no folder of nst video's, which has a file \"state\"" : strerror(errno));
    n = read(fd, out->text, sizeof out->text - 2);
    close(fd);
    out->text[n > 0 ? n : 0] = 0;
    if (strncmp(out->text, first_line, sizeof first_line - 1))
        return fail(e, NST_EFORMAT, "%s: nothing that this version of nst wrote", path);
    s = split(folder, out, e);
    if (s)
        return s;
    if (out->n < 4 || sscanf(out->word[1], "%" SCNx64, &out->identity) != 1)
        return fail(e, NST_EFORMAT, "%s: damaged", path);
    out->folder = out->word[2];
    out->n -= 3;
    memmove(out->word, out->word + 3, (size_t)out->n * sizeof *out->word);
    out->word[out->n] = NULL;
    return NST_OK;
}

/* Nothing in it but what begins with a dot and a state that was not finished. */
static bool is_empty(const char *folder)
{
    DIR *d = opendir(folder);
    const struct dirent *entry;

    if (!d)
        return false;
    do
        entry = readdir(d);
    while (entry && (*entry->d_name == '.' || !strcmp(entry->d_name, "state.new")));
    closedir(d);
    return !entry;
}

/* Holds the folder until the process ends.  A file system without locks cannot be asked. */
static nst_status lock(nst_kept *k, int how, nst_error *e)
{
    k->lock = open(k->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (k->lock < 0) {
        k->lock = 0;
        return fail(e, NST_EIO, "%s: %s", k->folder, strerror(errno));
    }
    if (flock(k->lock, how | LOCK_NB) == 0 || errno != EWOULDBLOCK)
        return NST_OK;
    return fail(e, NST_EIO, "%s: another nst is painting there; wait for its end, or stop it", k->folder);
}

/* The folder is there: the same painting goes on in it. */
static nst_status take_up(const nst_kept *k, uint64_t identity, nst_error *e)
{
    static nst_kept_words old;
    nst_status s = nst_kept_command(k->folder, &old, e);

    if (!s && old.identity != identity)
        s = fail(e, NST_EARG, "%s: holds the pictures of another painting (other options, pictures or machine); "
                 "remove it or name another --output", k->folder);
    return s;
}

nst_status nst_kept_open(nst_kept *k, uint64_t identity, int argc, char **argv, nst_error *e)
{
    bool made = mkdir(k->folder, 0777) == 0;
    nst_status s;

    if (!made && errno != EEXIST)
        return fail(e, NST_EIO, "%s: this folder cannot be made: %s", k->folder, strerror(errno));
    s = lock(k, LOCK_EX, e);
    if (!s && !made)
        s = take_up(k, identity, e);
    if (made ? !s : s == NST_EFORMAT && is_empty(k->folder))
        s = write_state(k, identity, argc, argv, e);
    return s;
}

void nst_kept_share(const nst_kept *k)
{
    if (k->lock)
        flock(k->lock, LOCK_SH);
}

nst_status nst_kept_join(nst_kept *k, uint64_t identity, nst_error *e)
{
    nst_status s = lock(k, LOCK_SH, e);

    return s ? s : take_up(k, identity, e);
}

void nst_kept_close(nst_kept *k)
{
    if (k->lock)
        close(k->lock);
    k->lock = 0;
}

/* ---- pictures ---------------------------------------------------------------------------------------------------- */

static const char *name_of(const nst_kept *k, char kind, int pass, long number, char out[NST_PATH_BYTES])
{
    snprintf(out, NST_PATH_BYTES, "%.4000s/%c%d-%06ld.png", k->folder, kind, pass, number);
    return out;
}

bool nst_kept_has(const nst_kept *k, char kind, int pass, long number)
{
    char name[NST_PATH_BYTES];
    struct stat st;

    return lstat(name_of(k, kind, pass, number, name), &st) == 0 && S_ISREG(st.st_mode);
}

/* What is no file of its own goes first: libnst writes through a link, and a stranger's folder may have one. */
nst_status nst_kept_write(const nst_kept *k, char kind, int pass, long number, const nst_image *picture, nst_error *e)
{
    char name[NST_PATH_BYTES];
    struct stat st;

    if (lstat(name_of(k, kind, pass, number, name), &st) == 0 && !S_ISREG(st.st_mode))
        unlink(name);
    return nst_image_write(picture, name, NULL, e);
}

nst_status nst_kept_read(const nst_kept *k, char kind, int pass, long number, nst_image **out, nst_error *e)
{
    int channels = kind == 'a' ? 4 : 3;
    char name[NST_PATH_BYTES];
    nst_status s = nst_image_read(out, name_of(k, kind, pass, number, name), e);

    if (s || (nst_image_width(*out) == k->width && nst_image_height(*out) == k->height &&
              nst_image_channels(*out) == channels))
        return s;
    s = fail(e, NST_EFORMAT, "%s: is %d x %d pixels in %d channels, expected %d x %d in %d, as nst wrote it; remove it",
             name, nst_image_width(*out), nst_image_height(*out), nst_image_channels(*out), k->width, k->height,
             channels);
    nst_image_destroy(out);
    return s;
}

void nst_kept_drop(const nst_kept *k, char kind, int pass, long number)
{
    char name[NST_PATH_BYTES];

    unlink(name_of(k, kind, pass, number, name));
}

/* ---- the output -------------------------------------------------------------------------------------------------- */

static void name_note(const nst_kept *k, char out[NST_PATH_BYTES + 16])
{
    snprintf(out, NST_PATH_BYTES + 16, "%s/.made", k->folder);
}

/* Without the note `nst resume` asks before it replaces the file. */
void nst_kept_note(const nst_kept *k, const char *path)
{
    char note[NST_PATH_BYTES + 16], line[NST_CHECKPOINT_LINE];
    int fd;

    name_note(k, note);
    fd = nst_checkpoint_describe(path, line) ? open_text(note, O_WRONLY | O_CREAT | O_APPEND) : -1;
    if (fd >= 0 && write(fd, line, strlen(line)) < 0)
        unlink(note);
    if (fd >= 0)
        close(fd);
}

bool nst_kept_left(const nst_kept *k, const char *path)
{
    char note[NST_PATH_BYTES + 16], line[NST_CHECKPOINT_LINE], noted[NST_CHECKPOINT_LINE];
    struct stat st;
    bool found = lstat(path, &st) != 0;
    FILE *f;
    int fd;

    if (found || !nst_checkpoint_describe(path, line))
        return found;
    name_note(k, note);
    fd = open_text(note, O_RDONLY);
    f = fd < 0 ? NULL : fdopen(fd, "r");
    if (!f)
        return false;
    while (!found && fgets(noted, sizeof noted, f))
        found = !strcmp(noted, line);
    fclose(f);
    return found;
}

/* ---- the end ----------------------------------------------------------------------------------------------------- */

/* A name that name_of makes, or what a picture that was not finished left. */
static bool is_ours(const char *name)
{
    char kind;
    int pass, end = 0;
    long number;

    return (sscanf(name, "%c%d-%ld.png%n", &kind, &pass, &number, &end) == 3 && end > 0 && !name[end]) ||
           !strncmp(name, ".nst-", 5) || !strcmp(name, ".made");
}

void nst_kept_remove(const nst_kept *k)
{
    char path[NST_PATH_BYTES + 300];
    DIR *d = opendir(k->folder);

    if (!d)
        return;
    for (const struct dirent *entry = readdir(d); entry; entry = readdir(d))
        if (is_ours(entry->d_name)) {
            snprintf(path, sizeof path, "%s/%.255s", k->folder, entry->d_name);
            unlink(path);
        }
    closedir(d);
    snprintf(path, sizeof path, "%s/state", k->folder);
    unlink(path);
    rmdir(k->folder);
}
