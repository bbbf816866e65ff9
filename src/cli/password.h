/* password.h: secrets of pages, compared so that the time tells nothing of them. */
#ifndef NST_PASSWORD_H
#define NST_PASSWORD_H

#include <stdbool.h>
#include <stddef.h>

/* 32 hexadecimal digits that nobody guesses. */
bool nst_password_make(char out[33]);
/* Whether n bytes are the same.  It takes as long when they differ. */
bool nst_password_same(const char *given, const char *secret, size_t n);
/* The value of a header "Authorization: Basic ...": at most 63 bytes of password. */
void nst_password_header(const char *password, char out[128]);

#endif
