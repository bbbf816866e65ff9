/* shelf_data.S: the pictures that the studio offers, as data of the program: sources.c makes files of them. */

/* C's names have a prefix on macOS. */
#define JOIN(a, b) a##b
#define NAME(prefix, name) JOIN(prefix, name)
#define SYMBOL(name) NAME(__USER_LABEL_PREFIX__, name)

#ifdef __APPLE__
#define HIDDEN .private_extern
    .const
#else
#define HIDDEN .hidden
    .section .rodata
#endif
#define PICTURE(name, file) \
    .globl SYMBOL(name); \
    HIDDEN SYMBOL(name); \
SYMBOL(name): \
    .incbin file
PICTURE(nst_shelf_1, "content.jpg")
PICTURE(nst_shelf_2, "style.jpg")
PICTURE(nst_shelf_3, "pictures/scream.jpg")
PICTURE(nst_shelf_4, "pictures/shipwreck.jpg")
    .globl SYMBOL(nst_shelf_5)
    HIDDEN SYMBOL(nst_shelf_5)
SYMBOL(nst_shelf_5):

#ifndef __APPLE__
/* Nothing here is executed, as in small_data.S. */
    .section .note.GNU-stack, "", %progbits
#ifdef __CET__
#include <cet.h>
#endif
#ifdef __ARM_FEATURE_BTI_DEFAULT
    .section .note.gnu.property, "a", %note
    .balign 8
    .long 4, 16, 5           /* of the name, of what follows it, NT_GNU_PROPERTY_TYPE_0 */
    .asciz "GNU"
    .long 0xc0000000, 4, 3   /* GNU_PROPERTY_AARCH64_FEATURE_1_AND, its length, BTI and PAC */
    .long 0
#endif
#endif
