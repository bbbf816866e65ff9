/* fuzz_flow.c: the reader of .flo files under libFuzzer, as fuzz_model.c says; what opens pulls a picture, is compared
 * with itself and resampled: its vectors are foreign, too. */
#include "flow/flow.h"
#include "image/image.h"

#include "fuzz_file.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void use(const nst_flow *flow)
{
    nst_image *picture = NULL, *warped = NULL;
    nst_flow_change change;
    nst_flow *other = NULL;

    if (nst_image_create(&picture, flow->width, flow->height, 3, NULL))
        return;
    if (!nst_flow_warp(&warped, picture, flow, NULL))
        nst_flow_weigh(warped, flow, flow, NULL);
    nst_flow_compare(&change, picture, picture, flow, flow, NULL);
    nst_flow_resize(&other, flow, 13, 7, NULL);
    for (size_t i = 0; warped && i < (size_t)flow->width * (size_t)flow->height; i++)
        if (!(warped->plane[3][i] >= 0 && warped->plane[3][i] <= 1))
            __builtin_trap();
    nst_flow_destroy(&other);
    nst_image_destroy(&warped);
    nst_image_destroy(&picture);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    const char *path;
    nst_flow *flow = NULL;
    nst_error e = { "" };

    path = fuzz_file(data, bytes);
    if (!path)
        return 0;
    if (!nst_flow_read(&flow, path, &e) != !!flow || (!flow && strncmp(e.text, path, strlen(path))))
        __builtin_trap(); /* a flow or a sentence */
    if (flow)
        use(flow);
    nst_flow_destroy(&flow);
    return 0;
}
