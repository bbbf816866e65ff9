/* other_kinds.c: files that are not read, by what they are: what to do with one is said better then. */
#include "image/format.h"

#include <string.h>

/* Behind blanks. */
static size_t skip_blanks(const uint8_t *head, size_t bytes, size_t at)
{
    while (at < bytes && head[at] && strchr(" \t\r\n", head[at]))
        at++;
    return at;
}

/* Where a text begins: behind UTF-8's mark, blanks and comments of HTML and XML. */
static size_t text_start(const uint8_t *head, size_t bytes)
{
    size_t at = skip_blanks(head, bytes, bytes >= 3 && !memcmp(head, "\xef\xbb\xbf", 3) ? 3 : 0);

    while (at + 4 <= bytes && !memcmp(head + at, "<!--", 4)) {
        for (at += 4; at < bytes && (at + 3 > bytes || memcmp(head + at, "-->", 3)); at++)
            ;
        at = skip_blanks(head, bytes, at + 3 < bytes ? at + 3 : bytes);
    }
    return at;
}

/* Whether a text begins with a word, whatever the case of its letters. */
static bool begins(const uint8_t *head, size_t bytes, const char *word)
{
    size_t n = strlen(word), at = text_start(head, bytes);

    return at + n <= bytes && nst_plain_alike((const char *)head + at, word, n);
}

static bool contains(const uint8_t *head, size_t bytes, const char *word)
{
    size_t n = strlen(word);

    for (size_t i = 0; i + n <= bytes; i++)
        if (!memcmp(head + i, word, n))
            return true;
    return false;
}

/* Files that are no picture, or one in another sense; NULL for others. */
static const char *text_kind(const uint8_t *head, size_t bytes, const char **advice)
{
    static const char *const pages[] = { "<!doctype html", "<html", "<head", "<body" };

    if (begins(head, bytes, "<svg") || (begins(head, bytes, "<?xml") && contains(head, bytes, "<svg"))) {
        *advice = "; a program for drawings, such as Inkscape, exports it as PNG";
        return "an SVG drawing";
    }
    for (size_t i = 0; i < NST_COUNT(pages); i++)
        if (begins(head, bytes, pages[i]) || (begins(head, bytes, "<?xml") && contains(head, bytes, pages[i]))) {
            *advice = "; what was downloaded is the page around the picture or a refusal";
            return "a web page";
        }
    if (begins(head, bytes, "<?xml") || begins(head, bytes, "{")) {
        *advice = "; what was downloaded is a server's answer, perhaps a refusal";
        return begins(head, bytes, "{") ? "a JSON file" : "an XML file";
    }
    if (begins(head, bytes, "version https://git-lfs")) {
        *advice = "; \"git lfs pull\" brings the picture in its place";
        return "a Git LFS pointer";
    }
    return NULL;
}

/* Other formats that people have, by what stands at `at` in their first bytes, and what to do with them. */
static const char *binary_kind(const uint8_t *head, size_t bytes, const char **advice)
{
    static const char developer[] = "; a raw developer, such as darktable or RawTherapee, makes a TIFF or JPEG of it";
    static const char tone[] = "; a program for such pictures maps its light to a PNG or JPEG";
    static const char unpack[] = "; unpack it first";
    static const char film[] = "; a program such as ffmpeg takes a picture out of it";
    static const char convert[] = "; most picture programs export it as PNG or JPEG";
    static const struct { const char *name, *advice; size_t at, n; const char *mark; } formats[] = {
        { "a JPEG 2000 file", convert, 4, 4, "jP  " },
        { "an OpenEXR file", tone, 0, 4, "v/1\1" },
        { "a Radiance HDR file", tone, 0, 10, "#?RADIANCE" },
        { "a Radiance HDR file", tone, 0, 6, "#?RGBE" },
        { "an icon", convert, 0, 4, "\0\0\1\0" },
        { "a PostScript file", convert, 0, 4, "%!PS" },
        { "a PostScript file", convert, 0, 4, "\xc5\xd0\xd3\xc6" }, /* with a preview */
        { "an archive", unpack, 0, 4, "PK\3\4" },
        { "an archive", unpack, 0, 2, "\x1f\x8b" },
        { "an archive", unpack, 0, 6, "7z\xbc\xaf\x27\x1c" },
        { "a film", film, 0, 4, "\x1a\x45\xdf\xa3" },             /* Matroska, WebM */
        { "a film", film, 8, 4, "AVI " },
        { "a film", film, 4, 8, "ftypqt  " },
        { "a film", film, 4, 7, "ftypmp4" },
        { "a film", film, 4, 7, "ftypiso" },
        { "a film", film, 4, 8, "ftypavc1" },
        { "a film", film, 4, 7, "ftypM4V" },
        { "a film", film, 4, 7, "ftyp3gp" },
        { "a PDF file", convert, 0, 4, "%PDF" },
        { "a Photoshop file", convert, 0, 4, "8BPS" },
        { "an XCF file", convert, 0, 8, "gimp xcf" },
        { "an iOS PNG file, Apple's own variant of PNG",
          "; on a Mac \"pngcrush -revert-iphone-optimizations\" makes a PNG of it", 12, 4, "CgBI" },
        { "a camera's raw file", developer, 8, 3, "CR\2" },      /* Canon */
        { "a camera's raw file", developer, 4, 7, "ftypcrx" },
        { "a camera's raw file", developer, 0, 8, "FUJIFILM" },
        { "a camera's raw file", developer, 0, 4, "IIU\0" },      /* Panasonic */
        { "a camera's raw file", developer, 0, 3, "IIR" },        /* Olympus */
        { "a camera's raw file", developer, 0, 4, "MMOR" },
        { "a camera's raw file", developer, 0, 4, "FOVb" },       /* Sigma */
        { "a camera's raw file", developer, 0, 4, "\0MRM" },      /* Minolta */
    };

    for (size_t i = 0; i < NST_COUNT(formats); i++)
        if (formats[i].at + formats[i].n <= bytes && !memcmp(head + formats[i].at, formats[i].mark, formats[i].n)) {
            *advice = formats[i].advice;
            return formats[i].name;
        }
    return NULL;
}

const char *nst_other_kind(const uint8_t *head, size_t bytes, const char **advice)
{
    const char *kind = binary_kind(head, bytes, advice);

    return kind ? kind : text_kind(head, bytes, advice);
}
