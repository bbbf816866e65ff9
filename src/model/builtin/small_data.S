/* small_data.S: the bytes of the built-in model's file, as read-only data of the library: small.c makes a model of
 * them. */

/* C's names have a prefix on macOS. */
#define JOIN(a, b) a##b
#define NAME(prefix, name) JOIN(prefix, name)
#define BEGIN NAME(__USER_LABEL_PREFIX__, nst_small_begin)
#define END NAME(__USER_LABEL_PREFIX__, nst_small_end)

#ifdef __APPLE__
#define HIDDEN .private_extern
    .const
#else
#define HIDDEN .hidden
    .section .rodata
#endif
    .globl BEGIN
    .globl END
    HIDDEN BEGIN
    HIDDEN END
BEGIN:
    .incbin "small.bin"
END:

#ifndef __APPLE__
/* Nothing here is executed.  Without these notes the linker would believe that this file needs a stack that can be
 * executed, and that its code lacks what the compiler's has (Intel's CET, BTI of ARM), and take both from the whole
 * library. */
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
