/* small_data.S: the bytes of the built-in model's file, as read-only data of the library: small.c makes a model of
 * them. */
#include "base/embed.inc"

    embed_label SYMBOL(nst_small_begin)
    .incbin "small.bin"
    embed_label SYMBOL(nst_small_end)
