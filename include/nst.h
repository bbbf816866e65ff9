/* nst.h: the public interface of libnst, neural style transfer by optimisation
 * (Gatys, Ecker & Bethge, CVPR 2016).  Programs include this file; its parts
 * stand in nst/, one a subject.
 *
 * The library never prints, never exits and never reads the environment.
 *
 * Failure.  A function that can fail returns nst_status and describes the
 * failure in the caller's nst_error, which may be NULL.  On failure every
 * out-parameter is NULL and nothing half-written is left on disk.  A comment
 * names the statuses that its function can return beside NST_OK.
 *
 * Ownership.  Objects come from create, open or read, and the caller gives them
 * back by destroy or close, which take the address of the pointer, accept a
 * pointer that is NULL, and leave NULL.  Strings that the library returns belong
 * to the library or to the object that was asked; nobody frees them.  Strings
 * and arrays that a caller passes are used during the call only.
 *
 * Threads.  Any number of threads may call the library at the same time, as long
 * as no thread changes, closes or destroys an object that another thread uses.
 *   - Several transfers may run at the same time.  They may share the model,
 *     the settings and the pictures, which they only read.  The exception is a
 *     picture given to nst_image_allow_discard: one transfer may use it, once.
 *   - An nst_styles, and an nst_checkpoint, serve one transfer at a time.
 *   - Each thread needs an nst_error of its own.
 *   - Callbacks come in the thread that called the transfer.  nst_progress_*
 *     may be called there only, before the callback returns.
 *   - A transfer computes with settings.threads threads, and with threads = 0
 *     and memory = 0 it plans for the whole machine.  Programs that run several
 *     should set both.
 *   - nst_model_open reads HDF5 files one at a time, because libhdf5 is usually
 *     built without locks.  A host that calls libhdf5 itself must not do so in
 *     another thread meanwhile.
 *   - The library's own threads sleep when there is nothing to do, block all
 *     signals, and stay until the process ends.
 *   - A child of fork may use the library and starts threads of its own.
 *
 * Locale.  The host's locale changes nothing: numbers in texts have a decimal
 * point.
 *
 * Texts in nst_error may hold names from files and archives.  Control characters
 * and bytes that are no UTF-8 are shown there in hexadecimal: a backslash, x and
 * two digits. */
#ifndef NST_H
#define NST_H

#include <stddef.h>
#include <stdint.h>

#include "nst/checkpoint.h" /* a run that stops and goes on later */
#include "nst/flow.h"       /* motion between frames */
#include "nst/machine.h"    /* devices, kernel sets, libraries */
#include "nst/model.h"      /* the network: built in, or a file of weights */
#include "nst/picture.h"    /* pictures in memory and in files; regions */
#include "nst/ranks.h"      /* a run by several processes */
#include "nst/settings.h"   /* what decides a result; presets */
#include "nst/status.h"     /* failure */
#include "nst/temporal.h"   /* a frame that fits the frames before it */
#include "nst/transfer.h"   /* a run, and its plan */

#endif
