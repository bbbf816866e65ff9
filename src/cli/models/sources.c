/* sources.c: the table of weight files that can be fetched, or are known when they are seen.  Only published facts. */
#include "cli/models/sources.h"

#include <stddef.h>
#include <string.h>

#define VGG "CC BY 4.0, (c) the VGG team (K. Simonyan and A. Zisserman), University of Oxford"

const nst_source nst_sources[] = {
    { "vgg19", "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth", "vgg19-dcbb9e9d.pth",
      "dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44", NULL, 574673361, NULL, NULL,
      "VGG19 of torchvision" },
    { "vgg19-caffe", "https://web.eecs.umich.edu/~justincj/models/vgg19-d01eb7cb.pth", "vgg19-d01eb7cb.pth", "d01eb7cb",
      NULL, 0, "caffe", VGG, "the VGG team's VGG19, converted from Caffe's: what neural-style-pt uses" },
    { "vgg19-keras",
      "https://storage.googleapis.com/tensorflow/keras-applications/vgg19/"
      "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5",
      "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5", NULL, "253f8cb515780f3b799900260a226db6", 0, NULL, VGG,
      "the VGG team's VGG19 as Keras keeps it, the smallest download (needs HDF5 in the build)" },
    { "vgg16", "https://download.pytorch.org/models/vgg16-397923af.pth", "vgg16-397923af.pth", "397923af", NULL, 0,
      NULL, NULL, "VGG16 of torchvision" },
    { "vgg16-caffe", "https://web.eecs.umich.edu/~justincj/models/vgg16-00b39a1b.pth", "vgg16-00b39a1b.pth", "00b39a1b",
      NULL, 0, "caffe", VGG, "the VGG team's VGG16, converted from Caffe's" },
};
const int nst_source_count = (int)(sizeof nst_sources / sizeof *nst_sources);

const nst_source *nst_sources_named(const char *name)
{
    for (int i = 0; i < nst_source_count; i++)
        if (nst_sources[i].name && !strcmp(nst_sources[i].name, name))
            return &nst_sources[i];
    return NULL;
}

bool nst_sources_agree(const char *sha256, const char *expected)
{
    return !strncmp(sha256, expected, strlen(expected));
}

const nst_source *nst_sources_known(const char *sha256, const char *md5)
{
    for (int i = 0; i < nst_source_count; i++) {
        const nst_source *s = &nst_sources[i];

        if ((*sha256 && s->sha256 && nst_sources_agree(sha256, s->sha256)) || (*md5 && s->md5 && !strcmp(md5, s->md5)))
            return s;
    }
    return NULL;
}

const nst_source *nst_sources_marked(const char *file)
{
    for (int i = 0; i < nst_source_count; i++) {
        const char *mark = strrchr(nst_sources[i].file, '-');

        if (mark && strstr(file, mark))
            return &nst_sources[i];
    }
    return NULL;
}
