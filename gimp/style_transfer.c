/* style_transfer.c: Filters > Artistic > Style Transfer... of GIMP 3: paints a layer, or what is selected of it, in the
 * style of a picture file.  The painting is a new layer above; where only a part is selected, the layer's mask is the
 * selection.  Nothing is changed before the painting is done: GIMP's Cancel ends this process and leaves the image as
 * it was.  Its arguments are named after nst's options, and mean the same. */
#include <libgimp/gimp.h>
#include <libgimp/gimpui.h>
#include <math.h>

#include "nst.h"
#include "pixels.h"

#define PROCEDURE "plug-in-nst-style-transfer"
#define TOLD 500000 /* microseconds from one progress text to the next */

struct _NstPlugIn {
    GimpPlugIn parent;
};
G_DECLARE_FINAL_TYPE(NstPlugIn, nst_plug_in, NST, PLUG_IN, GimpPlugIn)
G_DEFINE_TYPE(NstPlugIn, nst_plug_in, GIMP_TYPE_PLUG_IN)

/* ---- painting ---------------------------------------------------------------------------------------------------- */

typedef struct Painting {
    nst_settings *settings;
    nst_model *model;
    nst_image *content, *style, *selected, *result;
    GeglRectangle part;  /* of the drawable, in its coordinates */
    gint64 told;
} Painting;

/* What the dialog or the caller said. */
static nst_status read_settings(GimpProcedureConfig *config, Painting *p, nst_error *e)
{
    nst_status s = nst_settings_create(&p->settings, NULL, e);

    if (s)
        return s;
    g_object_get(config, "strength", &p->settings->strength, "style-scale", &p->settings->style_scale, "size",
                 &p->settings->size, NULL);
    p->settings->size_enlarge = 0; /* a smaller layer is painted as large as it is */
    p->settings->color = gimp_procedure_config_get_choice_id(config, "color");
    return NST_OK;
}

static nst_status read_style(GimpProcedureConfig *config, Painting *p, nst_error *e)
{
    nst_fit fit = nst_settings_fit(p->settings, p->content);
    nst_status s = NST_EARG;
    GFile *file = NULL;
    gchar *path;

    g_object_get(config, "style", &file, NULL);
    path = file ? g_file_get_path(file) : NULL;
    if (path)
        s = nst_image_read_fit(&p->style, path, &fit, e);
    else
        g_snprintf(e->text, sizeof e->text, "style: %s, expected a picture file of this machine",
                   file ? "this file is elsewhere" : "there is none");
    g_free(path);
    g_clear_object(&file);
    return s;
}

static nst_status read_pictures(GimpImage *image, GimpDrawable *drawable, GimpProcedureConfig *config, Painting *p,
                                nst_error *e)
{
    GeglRectangle *r = &p->part;
    nst_status s;

    if (!gimp_drawable_mask_intersect(drawable, &r->x, &r->y, &r->width, &r->height)) {
        g_snprintf(e->text, sizeof e->text, "the selection is outside of the layer, expected a part of it");
        return NST_EARG;
    }
    s = nst_pixels_read(drawable, r, &p->content, e);
    s = s ? s : read_style(config, p, e);
    s = s ? s : nst_pixels_selection(image, drawable, r, &p->selected, e);
    if (s)
        return s;
    nst_image_allow_discard(p->content);
    return p->selected ? nst_image_set_region(p->style, p->selected, NULL, e) : NST_OK;
}

static int each_iteration(void *arg, const nst_progress *at)
{
    Painting *p = arg;
    gint64 now = g_get_monotonic_time();

    if (now - p->told < TOLD)
        return 0;
    p->told = now;
    gimp_progress_set_text_printf("Style transfer: %.0f s left", ceil(at->remaining));
    gimp_progress_update(at->elapsed / (at->elapsed + at->remaining)); /* iterations of the last scale take longest */
    return 0;
}

static nst_status paint(Painting *p, nst_error *e)
{
    const nst_image *styles[] = { p->style };
    nst_status s = nst_model_open(&p->model, "small", e);

    return s ? s : nst_transfer(p->settings, p->model, p->content, styles, 1, NULL, each_iteration, p, &p->result, e);
}

static void end(Painting *p)
{
    nst_image_destroy(&p->result);
    nst_image_destroy(&p->selected);
    nst_image_destroy(&p->style);
    nst_image_destroy(&p->content);
    nst_model_close(&p->model);
    nst_settings_destroy(&p->settings);
}

/* ---- the new layer ----------------------------------------------------------------------------------------------- */

/* A painting that is smaller than its part of the layer is made as large. */
static void fit_layer(GimpLayer *layer, GimpDrawable *drawable, const GeglRectangle *part)
{
    int x0 = 0, y0 = 0;

    if (gimp_drawable_get_width(GIMP_DRAWABLE(layer)) < part->width ||
        gimp_drawable_get_height(GIMP_DRAWABLE(layer)) < part->height) {
        gimp_context_push();
        gimp_context_set_interpolation(GIMP_INTERPOLATION_NOHALO);
        gimp_layer_scale(layer, part->width, part->height, FALSE);
        gimp_context_pop();
    }
    gimp_drawable_get_offsets(drawable, &x0, &y0);
    gimp_layer_set_offsets(layer, x0 + part->x, y0 + part->y);
}

static GimpLayer *add_layer(GimpImage *image, GimpDrawable *drawable, Painting *p)
{
    gboolean grey = gimp_image_get_base_type(image) == GIMP_GRAY;
    GimpItem *parent = gimp_item_get_parent(GIMP_ITEM(drawable));
    GimpLayer *layer = gimp_layer_new(image, "Style transfer", nst_image_width(p->result), nst_image_height(p->result),
                                      grey ? GIMP_GRAYA_IMAGE : GIMP_RGBA_IMAGE, 100,
                                      gimp_image_get_default_new_layer_mode(image));

    gimp_image_undo_group_start(image);
    gimp_image_insert_layer(image, layer, parent ? GIMP_LAYER(parent) : NULL,
                            gimp_image_get_item_position(image, GIMP_ITEM(drawable)));
    nst_pixels_write(p->result, layer);
    fit_layer(layer, drawable, &p->part);
    if (p->selected)
        gimp_layer_add_mask(layer, gimp_layer_create_mask(layer, GIMP_ADD_MASK_SELECTION));
    gimp_image_undo_group_end(image);
    gimp_displays_flush();
    return layer;
}

/* ---- the procedure ----------------------------------------------------------------------------------------------- */

static gboolean ask(GimpProcedure *procedure, GimpProcedureConfig *config)
{
    GtkWidget *dialog;
    gboolean yes;

    gimp_ui_init("nst-style-transfer");
    dialog = gimp_procedure_dialog_new(procedure, config, "Style Transfer");
    gimp_procedure_dialog_get_scale_entry(GIMP_PROCEDURE_DIALOG(dialog), "strength", 1);
    gimp_procedure_dialog_get_scale_entry(GIMP_PROCEDURE_DIALOG(dialog), "style-scale", 1);
    gimp_procedure_dialog_fill(GIMP_PROCEDURE_DIALOG(dialog), "style", "strength", "color", "style-scale", "size",
                               NULL);
    yes = gimp_procedure_dialog_run(GIMP_PROCEDURE_DIALOG(dialog));
    gtk_widget_destroy(dialog);
    return yes;
}

static GimpValueArray *failed(GimpProcedure *procedure, GimpPDBStatusType status, const nst_error *e)
{
    return gimp_procedure_new_return_values(procedure, status,
                                            g_error_new_literal(g_quark_from_static_string("nst"), 0, e->text));
}

static GimpValueArray *run(GimpProcedure *procedure, GimpRunMode mode, GimpImage *image, GimpDrawable **drawables,
                           GimpProcedureConfig *config, gpointer data)
{
    nst_error e = { "expected one layer" };
    GimpValueArray *values;
    Painting p = { 0 };

    (void)data;
    gegl_init(NULL, NULL);
    if (gimp_core_object_array_get_length((GObject **)drawables) != 1 || !GIMP_IS_LAYER(drawables[0]))
        return failed(procedure, GIMP_PDB_CALLING_ERROR, &e);
    if (mode == GIMP_RUN_INTERACTIVE && !ask(procedure, config))
        return gimp_procedure_new_return_values(procedure, GIMP_PDB_CANCEL, NULL);
    gimp_progress_init("Style transfer");
    if (read_settings(config, &p, &e) || read_pictures(image, drawables[0], config, &p, &e) || paint(&p, &e)) {
        values = failed(procedure, GIMP_PDB_EXECUTION_ERROR, &e);
    } else {
        values = gimp_procedure_new_return_values(procedure, GIMP_PDB_SUCCESS, NULL);
        GIMP_VALUES_SET_LAYER(values, 1, add_layer(image, drawables[0], &p));
    }
    end(&p);
    return values;
}

/* ---- what GIMP is told ------------------------------------------------------------------------------------------- */

/* The values of nst's default preset. */
static void add_arguments(GimpProcedure *procedure, const nst_settings *s)
{
    static const char *const colors[NST_COLOR_COUNT] = { "style", "match", "content", "match-style" };
    GimpChoice *choice = gimp_choice_new_with_values(
        colors[NST_COLOR_MATCH], NST_COLOR_MATCH, "The painting's", NULL,
        colors[NST_COLOR_STYLE], NST_COLOR_STYLE, "The painting's, loosely", NULL,
        colors[NST_COLOR_CONTENT], NST_COLOR_CONTENT, "The layer's", NULL,
        colors[NST_COLOR_MATCH_STYLE], NST_COLOR_MATCH_STYLE, "The layer's palette", NULL, NULL);

    gimp_procedure_add_file_argument(procedure, "style", "_Painting", "The picture file whose style is wanted",
                                     GIMP_FILE_CHOOSER_ACTION_OPEN, FALSE, NULL, G_PARAM_READWRITE);
    gimp_procedure_add_double_argument(procedure, "strength", "_Strength",
                                       "From nearly the layer (0) to as much style as possible (100)", 0, 100,
                                       s->strength, G_PARAM_READWRITE);
    gimp_procedure_add_choice_argument(procedure, "color", "Colors", "Whose colors the result has", choice,
                                       colors[s->color], G_PARAM_READWRITE);
    gimp_procedure_add_double_argument(procedure, "style-scale", "Size of stro_kes",
                                       "The painting's size over the layer's: the larger, the larger its strokes", .25,
                                       4, s->style_scale, G_PARAM_READWRITE);
    gimp_procedure_add_int_argument(procedure, "size", "Si_ze (pixels)",
                                    "The longest side that is painted, in pixels; a larger layer is painted at this "
                                    "size, and the result is enlarged.  Twice the size takes four times as long",
                                    64, 8192, s->size ? s->size : 512, G_PARAM_READWRITE);
    gimp_procedure_add_layer_return_value(procedure, "layer", "Layer", "The new layer", FALSE, G_PARAM_READWRITE);
}

static GimpProcedure *create_procedure(GimpPlugIn *plug_in, const gchar *name)
{
    GimpProcedure *procedure = gimp_image_procedure_new(plug_in, name, GIMP_PDB_PROC_TYPE_PLUGIN, run, NULL, NULL);
    nst_settings *s;

    gimp_procedure_set_image_types(procedure, "RGB*, GRAY*");
    gimp_procedure_set_sensitivity_mask(procedure, GIMP_PROCEDURE_SENSITIVE_DRAWABLE);
    gimp_procedure_set_menu_label(procedure, "Style _Transfer...");
    gimp_procedure_add_menu_path(procedure, "<Image>/Filters/Artistic");
    gimp_procedure_set_documentation(procedure, "Paint in the style of a painting",
                                     "Paints the layer, or what is selected of it, in the style of a picture file, by "
                                     "neural style transfer. The painting is a new layer above.", name);
    gimp_procedure_set_attribution(procedure, "The authors of nst", "The authors of nst", "2026");
    if (!nst_settings_create(&s, NULL, NULL)) {
        add_arguments(procedure, s);
        nst_settings_destroy(&s);
    }
    return procedure;
}

static GList *query_procedures(GimpPlugIn *plug_in)
{
    (void)plug_in;
    return g_list_append(NULL, g_strdup(PROCEDURE));
}

static void nst_plug_in_class_init(NstPlugInClass *class)
{
    GimpPlugInClass *plug_in = GIMP_PLUG_IN_CLASS(class);

    plug_in->query_procedures = query_procedures;
    plug_in->create_procedure = create_procedure;
    plug_in->set_i18n = NULL; /* English only */
}

static void nst_plug_in_init(NstPlugIn *plug_in)
{
    (void)plug_in;
}

GIMP_MAIN(nst_plug_in_get_type())
