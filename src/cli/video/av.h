/* av.h: FFmpeg's libraries: the only file with their headers but for libswscale's, which scale.c has.  They are loaded
 * when `nst video` is first used.  libavcodec's and libavutil's functions are found through libavformat, which is
 * linked with them. */
#ifndef NST_VIDEO_AV_H
#define NST_VIDEO_AV_H

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/cpu.h>
#include <libavutil/display.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>

#include "base/lazy.h"

/* Side data of a stream moved from the stream to its parameters. */
#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(60, 30, 0)
#define NST_AV_SIDE_DATA(X) X(av_packet_side_data_get)
#else
#define NST_AV_SIDE_DATA(X) X(av_stream_get_side_data)
#endif

#define NST_AV_SYMBOLS(X)                                                                                            \
    X(av_demuxer_iterate) X(av_dict_copy) X(av_dict_free) X(av_dict_set) X(av_display_rotation_get)                  \
    X(av_find_best_stream)                                                                                           \
    X(av_frame_alloc) X(av_frame_free) X(av_frame_get_buffer) X(av_frame_make_writable) X(av_frame_unref)            \
    X(av_get_cpu_flags) X(av_guess_format) X(av_guess_frame_rate) X(av_guess_sample_aspect_ratio)                    \
    X(av_interleaved_write_frame) X(av_log_set_callback) X(av_mallocz) X(av_opt_set) X(av_packet_alloc)              \
    X(av_packet_free) X(av_packet_ref) X(av_packet_rescale_ts) X(av_packet_unref) X(av_pix_fmt_desc_get)             \
    X(av_read_frame) X(av_rescale_q) X(av_strerror) X(av_write_trailer) X(avcodec_alloc_context3)                    \
    X(avcodec_find_decoder) X(avcodec_find_encoder_by_name) X(avcodec_free_context) X(avcodec_get_name)              \
    X(avcodec_open2) X(avcodec_parameters_copy) X(avcodec_parameters_from_context) X(avcodec_parameters_to_context)  \
    X(avcodec_receive_frame) X(avcodec_receive_packet) X(avcodec_send_frame) X(avcodec_send_packet)                  \
    X(avformat_alloc_output_context2) X(avformat_close_input) X(avformat_find_stream_info) X(avformat_free_context)  \
    X(avformat_new_stream) X(avformat_open_input) X(avformat_query_codec) X(avformat_seek_file)                      \
    X(avformat_write_header) X(avio_closep) X(avio_open) NST_AV_SIDE_DATA(X)

typedef struct nst_av_table {
    NST_AV_SYMBOLS(NST_LAZY_MEMBER)
} nst_av_table;

/* Their addresses, once nst_av_load has succeeded. */
extern nst_av_table nst_av;
/* Loads them, once in a process.  NST_EUNSUPPORTED. */
nst_status nst_av_load(nst_error *e);
/* How often they complained so far: decoders make a picture of what is damaged, too, and only say so. */
long nst_av_errors(void);
/* What an error of theirs means, in text [64], which is returned. */
const char *nst_av_reason(int error, char text[64]);

#endif
