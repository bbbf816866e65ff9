/* shelf_data.S: the pictures that the studio offers, as data of the program: sources.c makes files of them. */
#include "base/embed.inc"

    embed_label SYMBOL(nst_shelf_1)
    .incbin "content.jpg"
    embed_label SYMBOL(nst_shelf_2)
    .incbin "style.jpg"
    embed_label SYMBOL(nst_shelf_3)
    .incbin "pictures/scream.jpg"
    embed_label SYMBOL(nst_shelf_4)
    .incbin "pictures/shipwreck.jpg"
    embed_label SYMBOL(nst_shelf_5)
