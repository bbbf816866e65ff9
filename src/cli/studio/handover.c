/* handover.c: a photograph for a studio that is open already, as a file manager's menu gives it: sent as its page would
 * send it, to the address in studio.html. */
#include "cli/studio/studio.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/fail.h"
#include "cli/password.h"

struct address {
    char host[128], port[8], token[33], password[64]; /* "": none is asked for */
};

/* href="http://HOST:PORT/TOKEN/", and a password as code */
static bool read_address(struct address *a)
{
    char text[1024] = "";
    const char *at;
    int fd = nst_folder_open(NST_FILE_ADDRESS, 0);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

    if (fd >= 0)
        close(fd);
    memset(a, 0, sizeof *a);
    at = strstr(text, "<code>");
    if (n > 0 && at)
        sscanf(at, "<code>%32[0-9a-f]</code>", a->password);
    at = n > 0 ? strstr(text, "href=\"http://") : NULL;
    return at && (sscanf(at, "href=\"http://%127[^][:/]:%7[0-9]/%32[0-9a-f]/", a->host, a->port, a->token) == 3 ||
                  sscanf(at, "href=\"http://[%127[^][/]]:%7[0-9]/%32[0-9a-f]/", a->host, a->port, a->token) == 3);
}

static bool send_all(int to, const char *data, size_t bytes)
{
    while (bytes) {
        ssize_t n = write(to, data, bytes);

        if (n <= 0)
            return false;
        data += n;
        bytes -= (size_t)n;
    }
    return true;
}

static void send_file(int to, int from)
{
    char part[65536];
    ssize_t n;

    do
        n = read(from, part, sizeof part);
    while (n > 0 && send_all(to, part, (size_t)n));
}

/* The answer's status, and its sentence after the headers. */
static int receive(int from, char *text, size_t room)
{
    size_t used = 0;
    ssize_t n = 1;
    int status = 0;

    while (n > 0 && used + 1 < room) {
        n = read(from, text + used, room - 1 - used);
        used += n > 0 ? (size_t)n : 0;
    }
    text[used] = 0;
    return sscanf(text, "HTTP/1.%*d %d", &status) == 1 ? status : 0;
}

/* A socket there; -1. */
static int reach(const struct address *a)
{
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM }, *found;
    int to;

    if (getaddrinfo(a->host, a->port, &hints, &found))
        return -1;
    to = socket(found->ai_family, SOCK_STREAM, 0);
    if (to >= 0 && connect(to, found->ai_addr, found->ai_addrlen)) {
        close(to);
        to = -1;
    }
    freeaddrinfo(found);
    return to;
}

static int ask(int fd, const struct address *a, off_t bytes, char *text, size_t room)
{
    bool six = strchr(a->host, ':') != NULL;
    int to = reach(a), status = 0, n;
    char key[128] = "";

    if (to < 0)
        return 0;
    nst_password_header(a->password, key);
    n = snprintf(text, room, "POST /%s/photo HTTP/1.1\r\nHost: %s%s%s:%s\r\nConnection: close\r\n"
                 "Authorization: %s\r\nContent-Length: %lld\r\n\r\n", a->token, six ? "[" : "", a->host,
                 six ? "]" : "", a->port, key, (long long)bytes);
    if (send_all(to, text, (size_t)n)) {
        send_file(to, fd); /* a refusal comes before the end */
        status = receive(to, text, room);
    }
    close(to);
    return status;
}

nst_status nst_handover(const char *path, nst_error *e)
{
    char text[2048];
    struct address there;
    const char *why;
    struct stat st;
    int status, fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode)) {
        if (fd >= 0)
            close(fd);
        return fail(e, NST_EIO, "%s: %s", path, fd < 0 ? strerror(errno) : "this is no file");
    }
    status = read_address(&there) ? ask(fd, &there, st.st_size, text, sizeof text) : 0;
    close(fd);
    if (status == 200)
        return NST_OK;
    why = status ? strstr(text, "\r\n\r\n") : NULL;
    return fail(e, NST_EIO, "%s: %.*s", path, why ? (int)strcspn(why + 4, "\n") : 400,
                why ? why + 4 : "the studio that is open does not answer; close it first");
}
