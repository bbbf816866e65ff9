/* handover.c: a photograph for a studio that is open already, as a file manager's menu gives it: sent as its page would
 * send it, to the address in studio.html. */
#include "cli/studio/studio.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/fail.h"

/* http://127.0.0.1:PORT/TOKEN/ */
static bool read_address(int *port, char token[33])
{
    char text[1024] = "";
    const char *at;
    int fd = nst_folder_open(NST_FILE_ADDRESS, 0);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

    if (fd >= 0)
        close(fd);
    at = n > 0 ? strstr(text, "url=http://127.0.0.1:") : NULL;
    return at && sscanf(at, "url=http://127.0.0.1:%d/%32[0-9a-f]/", port, token) == 2;
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
    ssize_t n;
    int status = 0;

    while (used + 1 < room && (n = read(from, text + used, room - 1 - used)) > 0)
        used += (size_t)n;
    text[used] = 0;
    return sscanf(text, "HTTP/1.%*d %d", &status) == 1 ? status : 0;
}

static int ask(int fd, int port, const char *token, off_t bytes, char *text, size_t room)
{
    struct sockaddr_in there = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int to = socket(AF_INET, SOCK_STREAM, 0), status = 0;
    int n = snprintf(text, room, "POST /%s/photo HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n"
                     "Content-Length: %lld\r\n\r\n", token, port, (long long)bytes);

    if (to < 0)
        return 0;
    if (connect(to, (const struct sockaddr *)&there, sizeof there) == 0 && send_all(to, text, (size_t)n)) {
        send_file(to, fd); /* a refusal comes before the end */
        status = receive(to, text, room);
    }
    close(to);
    return status;
}

nst_status nst_handover(const char *path, nst_error *e)
{
    char token[33], text[2048];
    const char *why;
    struct stat st;
    int port, status, fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode)) {
        if (fd >= 0)
            close(fd);
        return fail(e, NST_EIO, "%s: %s", path, fd < 0 ? strerror(errno) : "this is no file");
    }
    status = read_address(&port, token) ? ask(fd, port, token, st.st_size, text, sizeof text) : 0;
    close(fd);
    if (status == 200)
        return NST_OK;
    why = status ? strstr(text, "\r\n\r\n") : NULL;
    return fail(e, NST_EIO, "%s: %.*s", path, why ? (int)strcspn(why + 4, "\n") : 400,
                why ? why + 4 : "the studio that is open does not answer; close it first");
}
