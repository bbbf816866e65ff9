/* folder.c: the studio's folder.  Every name in it is made here, from a number: nothing that a page says becomes a part
 * of one.  Results and their masks lie in the folder itself, the pictures that they were made from in sources/, and
 * what the studio needs for itself in .studio/, which only the user may read. */
#include "cli/studio/studio.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/fail.h"

/* ---- names ------------------------------------------------------------------------------------------------------- */

static void source_path(int number, char out[NST_PATH_BYTES])
{
    nst_studio *s = &nst_the_studio;
    const nst_source *found;

    pthread_mutex_lock(&s->lock);
    found = nst_table_source(number);
    snprintf(out, NST_PATH_BYTES, "%s/sources/%s-%04d%s", s->start.folder, found && found->photo ? "photo" : "style",
             number, found ? found->suffix : "");
    pthread_mutex_unlock(&s->lock);
}

const char *nst_folder_path(nst_studio_file kind, int number, char out[NST_PATH_BYTES])
{
    static const char *const form[] = {
        [NST_FILE_VIEW] = "%s/.studio/view-%04d.jpg",
        [NST_FILE_THUMB] = "%s/.studio/thumb-%04d.jpg",
        [NST_FILE_MASK] = "%s/.studio/mask-%04d.png",
        [NST_FILE_RESULT] = "%s/nst-%04d.png",
        [NST_FILE_RESULT_VIEW] = "%s/.studio/painted-%04d.jpg",
        [NST_FILE_RESULT_THUMB] = "%s/.studio/small-%04d.jpg",
        [NST_FILE_JOB] = "%s/.studio/job-%04d",
        [NST_FILE_CHECKPOINT] = "%s/.studio/checkpoint-%04d",
        [NST_FILE_CHOICE] = "%s/.studio/choice",
        [NST_FILE_LOCK] = "%s/.studio/lock",
        [NST_FILE_ADDRESS] = "%s/studio.html",
    };

    if (kind == NST_FILE_SOURCE)
        source_path(number, out);
    else
        snprintf(out, NST_PATH_BYTES, form[kind], nst_the_studio.start.folder, number);
    return out;
}

const char *nst_folder_job_mask(int job, int i, char out[NST_PATH_BYTES])
{
    snprintf(out, NST_PATH_BYTES, "%s/nst-%04d-mask-%d.png", nst_the_studio.start.folder, job, i + 1);
    return out;
}

int nst_folder_open(nst_studio_file kind, int number)
{
    char path[NST_PATH_BYTES];

    return open(nst_folder_path(kind, number, path), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

static bool copy_bytes(int from, int to)
{
    char part[65536];
    off_t at = 0;
    ssize_t n;

    do {
        n = pread(from, part, sizeof part, at);
        if (n > 0 && write(to, part, (size_t)n) != n)
            return false;
        at += n;
    } while (n > 0);
    return n == 0 && fsync(to) == 0;
}

nst_status nst_folder_copy(int from, const char *to, nst_error *e)
{
    char beside[NST_PATH_BYTES + 8];
    bool good;
    int fd;

    snprintf(beside, sizeof beside, "%s.new", to);
    unlink(beside);
    fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    good = fd >= 0 && copy_bytes(from, fd);
    if (fd >= 0)
        good = close(fd) == 0 && good;
    if (good && rename(beside, to) == 0)
        return NST_OK;
    fail(e, NST_EIO, "%s: %s", to, strerror(errno));
    unlink(beside);
    return NST_EIO;
}

/* ---- the folder -------------------------------------------------------------------------------------------------- */

static nst_status make(const char *path, mode_t mode, nst_error *e)
{
    struct stat st;

    if (mkdir(path, mode) == 0 || (errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode)))
        return NST_OK;
    return fail(e, NST_EIO, "studio: %s: this folder cannot be made: %s; --folder names another", path,
                strerror(errno));
}

/* XDG_PICTURES_DIR="$HOME/Bilder" of ~/.config/user-dirs.dirs; false where it says none. */
static bool pictures_of_user(const char *home, char *out, size_t bytes)
{
    static const char key[] = "XDG_PICTURES_DIR=\"", prefix[] = "$HOME/";
    const char *config = getenv("XDG_CONFIG_HOME");
    char path[NST_PATH_BYTES], line[NST_PATH_BYTES];
    bool found = false;
    FILE *f;

    snprintf(path, sizeof path, "%s%s/user-dirs.dirs", config && *config == '/' ? config : home,
             config && *config == '/' ? "" : "/.config");
    f = fopen(path, "r");
    while (f && !found && fgets(line, sizeof line, f)) {
        char *value = line + sizeof key - 1;

        if (strncmp(line, key, sizeof key - 1) || !strrchr(value, '"'))
            continue;
        *strrchr(value, '"') = 0;
        if (!strncmp(value, prefix, sizeof prefix - 1))
            found = (size_t)snprintf(out, bytes, "%s/%s", home, value + sizeof prefix - 1) < bytes;
        else if (*value == '/')
            found = (size_t)snprintf(out, bytes, "%s", value) < bytes;
    }
    if (f)
        fclose(f);
    return found;
}

static nst_status keep_absolute(char *top, nst_error *e)
{
    char here[NST_PATH_BYTES] = "";
    size_t n = strlen(top), room = sizeof nst_the_studio.start.folder;

    while (n > 1 && top[n - 1] == '/')
        top[--n] = 0;
    if (*top != '/' && !getcwd(here, sizeof here - 1))
        return fail(e, NST_EIO, "studio: the current folder has no name: %s; --folder names one", strerror(errno));
    if (*here)
        strcat(here, "/");
    if ((size_t)snprintf(nst_the_studio.start.folder, room, "%s%s", here, top) >= room)
        return fail(e, NST_EIO, "studio: the folder's name is too long; --folder names another");
    return NST_OK;
}

/* The folder that is named, or nst in the user's pictures. */
static nst_status find(const char *named, nst_error *e)
{
    const char *home = getenv("HOME");
    char top[NST_PATH_BYTES - 512];
    nst_status s;

    if (named) {
        snprintf(top, sizeof top, "%s", named);
        s = make(top, 0777, e);
    } else {
        if (!home || *home != '/')
            return fail(e, NST_EIO, "studio: there is no home folder here; --folder says where the pictures go");
        if (!pictures_of_user(home, top, sizeof top - 8))
            snprintf(top, sizeof top - 8, "%s/Pictures", home);
        s = make(top, 0777, e);
        strcat(top, "/nst");
        s = s ? s : make(top, 0777, e);
    }
    return s ? s : keep_absolute(top, e);
}

nst_status nst_folder_begin(const char *named, bool *taken, nst_error *e)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    char path[NST_PATH_BYTES];
    nst_status s = find(named, e);
    int fd;

    *taken = false;
    snprintf(path, sizeof path, "%s/sources", nst_the_studio.start.folder);
    s = s ? s : make(path, 0777, e);
    snprintf(path, sizeof path, "%s/.studio", nst_the_studio.start.folder);
    s = s ? s : make(path, 0700, e);
    if (s)
        return s;
    fd = open(nst_folder_path(NST_FILE_LOCK, 0, path), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail(e, NST_EIO, "studio: %s: %s; --folder names another folder", path, strerror(errno));
    *taken = fcntl(fd, F_SETLK, &lock) != 0 && (errno == EACCES || errno == EAGAIN);
    return NST_OK; /* the lock lasts as long as the process */
}

/* ---- what lies there --------------------------------------------------------------------------------------------- */

static void found_source(const char *name)
{
    nst_studio *s = &nst_the_studio;
    nst_source source = { 0 };
    char kind[8], rest[8];

    if (sscanf(name, "%5[a-z]-%d%7s", kind, &source.number, rest) != 3 || *rest != '.' || source.number < 1 ||
        source.number > 99999 || s->sources == NST_SOURCES || (strcmp(kind, "photo") && strcmp(kind, "style")))
        return;
    source.photo = !strcmp(kind, "photo");
    memcpy(source.suffix, rest, sizeof source.suffix);
    s->source[s->sources++] = source;
    if (source.number > s->last_source)
        s->last_source = source.number;
}

static void found_own(const char *name)
{
    nst_studio *s = &nst_the_studio;
    char path[NST_PATH_BYTES];
    int number;

    if (sscanf(name, "mask-%d", &number) == 1 && number > s->last_mask && number < 1000000)
        s->last_mask = number;
    if (sscanf(name, "job-%d", &number) != 1 || strlen(name) != (number > 9999 ? 9 : 8) || number < 1 || number > 99999)
        return;
    if (number > s->last_job)
        s->last_job = number;
    if (s->jobs < NST_JOBS && nst_record_read(nst_folder_path(NST_FILE_JOB, number, path), &s->job[s->jobs])) {
        s->job[s->jobs].number = number;
        s->jobs++;
    }
}

/* Numbers of results are never used again, whoever put a file there. */
static void found_result(const char *name)
{
    int number;

    if (sscanf(name, "nst-%d", &number) == 1 && number > nst_the_studio.last_job && number < 99999)
        nst_the_studio.last_job = number;
}

static nst_status each(const char *folder, void (*found)(const char *name), nst_error *e)
{
    char path[NST_PATH_BYTES];
    struct dirent *entry;
    DIR *d;

    snprintf(path, sizeof path, "%s%s", nst_the_studio.start.folder, folder);
    d = opendir(path);
    if (!d)
        return fail(e, NST_EIO, "studio: %s: %s", path, strerror(errno));
    for (entry = readdir(d); entry; entry = readdir(d))
        found(entry->d_name);
    closedir(d);
    return NST_OK;
}

static int by_number(const void *a, const void *b)
{
    return ((const nst_job *)a)->number - ((const nst_job *)b)->number;
}

static int by_source(const void *a, const void *b)
{
    return ((const nst_source *)a)->number - ((const nst_source *)b)->number;
}

/* Numbers of pictures that were removed are never used again while something names them. */
static void note_named(const nst_choice *c)
{
    nst_studio *s = &nst_the_studio;

    s->last_source = c->photo > s->last_source ? c->photo : s->last_source;
    for (int i = 0; i < c->styles; i++)
        if (c->style[i].source > s->last_source)
            s->last_source = c->style[i].source;
}

/* What was painted with last comes first on the shelf. */
static void note_uses(void)
{
    nst_studio *s = &nst_the_studio;

    for (int i = 0; i < s->jobs; i++) {
        note_named(&s->job[i].choice);
        for (int k = 0; k < s->sources; k++) {
            const nst_choice *c = &s->job[i].choice;
            bool used = c->photo == s->source[k].number;

            for (int n = 0; n < c->styles; n++)
                used |= c->style[n].source == s->source[k].number;
            if (used)
                s->source[k].used = ++s->uses;
        }
    }
}

nst_status nst_folder_scan(nst_error *e)
{
    nst_studio *s = &nst_the_studio;
    char path[NST_PATH_BYTES];
    nst_job chosen;
    nst_status status;

    s->last_source = NST_SHELF;
    s->choice = nst_record_empty();
    status = each("/sources", found_source, e);
    status = status ? status : each("/.studio", found_own, e);
    status = status ? status : each("", found_result, e);
    if (status)
        return status;
    qsort(s->source, (size_t)s->sources, sizeof *s->source, by_source);
    qsort(s->job, (size_t)s->jobs, sizeof *s->job, by_number);
    note_uses();
    if (nst_record_read(nst_folder_path(NST_FILE_CHOICE, 0, path), &chosen))
        s->choice = chosen.choice;
    note_named(&s->choice);
    return NST_OK;
}
