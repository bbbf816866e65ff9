/* jpeg_guard.c: libjpeg's failures and warnings. */
#include "image/jpeg/jpeg.h"

static void fail_jpeg(j_common_ptr info)
{
    nst_jpeg *j = (nst_jpeg *)info->err;

    info->err->format_message(info, j->text);
    longjmp(j->jump, 1);
}

/* A fault of the data.  Where what is there is wanted, the rows before the end of a file are, or all that its scans up
 * to there know; and a spoilt part between good ones is gone over. */
static void take_fault(nst_jpeg *j)
{
    bool all = jpeg_has_multiple_scans(&j->in);

    if (!j->damaged || j->in.arith_code || (j->short_file && !all))
        fail_jpeg((j_common_ptr)&j->in);
    if (!j->spoilt)
        j->spoilt = (int)j->in.output_scanline + 1;
}

/* libjpeg warns and goes on with grey where data are missing or spoilt; we do not. */
static void warn_jpeg(j_common_ptr info, int level)
{
    nst_jpeg *j = (nst_jpeg *)info->err;

    if (level >= 0)
        return;
    switch (info->err->msg_code) {
    case JWRN_JPEG_EOF: /* whatever is missing beside the end marker is told of by the next warning */
        j->short_file = !ferror(j->f);
        if (!j->short_file || j->in.arith_code) /* or not: the arithmetic decoder goes on with zeros */
            fail_jpeg(info);
        break;
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_MUST_RESYNC:
        take_fault(j);
        break;
    default: /* bytes between markers, versions, odd but whole progressions */
        break;
    }
}

static void silent(j_common_ptr info)
{
    (void)info;
}

void nst_jpeg_start(nst_jpeg *j)
{
    jpeg_std_error(&j->error);
    j->error.error_exit = fail_jpeg;
    j->error.emit_message = warn_jpeg;
    j->error.output_message = silent;
}

/* Runs steps(j) and catches the jump: false when it came.  Holds no variable of its own, so that nothing can be
 * clobbered. */
bool nst_jpeg_guarded(nst_jpeg *j, void (*steps)(nst_jpeg *))
{
    if (setjmp(j->jump))
        return false;
    steps(j);
    return true;
}

/* Ends the steps with a failure that has its sentence already. */
void nst_jpeg_give_up(nst_jpeg *j, nst_status s)
{
    j->status = s;
    longjmp(j->jump, 1);
}
