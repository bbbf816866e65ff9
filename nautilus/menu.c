/* menu.c: "Paint in the Style of ..." in the menu that Nautilus (GNOME's Files) shows for a picture, as Dolphin has it
 * by data/org.nst.nst.servicemenu.desktop.  Nautilus looks for such a module when it starts.  What is started, and for
 * which kinds of files, says the studio's desktop entry: without it there is no item. */
#include <gio/gdesktopappinfo.h>
#include <nautilus-extension.h>

#define STUDIO "org.nst.nst.desktop"

typedef GObject NstMenu;
typedef GObjectClass NstMenuClass;
GType nst_menu_get_type(void);
static void provide(NautilusMenuProviderInterface *interface);
G_DEFINE_DYNAMIC_TYPE_EXTENDED(NstMenu, nst_menu, G_TYPE_OBJECT, 0,
                               G_IMPLEMENT_INTERFACE_DYNAMIC(NAUTILUS_TYPE_MENU_PROVIDER, provide))

static void nst_menu_init(NstMenu *menu)
{
    (void)menu;
}

static void nst_menu_class_init(NstMenuClass *class)
{
    (void)class;
}

static void nst_menu_class_finalize(NstMenuClass *class)
{
    (void)class;
}

/* The item was chosen. */
static void paint(NautilusMenuItem *item, gpointer file)
{
    GDesktopAppInfo *studio = g_desktop_app_info_new(STUDIO);
    GFile *picture = nautilus_file_info_get_location(file);
    GList files = { picture, NULL, NULL };
    GError *error = NULL;

    (void)item;
    if (studio && !g_app_info_launch(G_APP_INFO(studio), &files, NULL, &error)) {
        g_warning("nst studio does not start: %s", error->message);
        g_error_free(error);
    }
    g_clear_object(&picture);
    g_clear_object(&studio);
}

/* A file of this machine, of a kind that the studio opens. */
static gboolean paintable(NautilusFileInfo *file, GDesktopAppInfo *studio)
{
    const char **kinds = g_app_info_get_supported_types(G_APP_INFO(studio));
    GFile *picture = nautilus_file_info_get_location(file);
    gboolean found = FALSE;

    if (picture && g_file_peek_path(picture))
        for (size_t i = 0; !found && kinds && kinds[i]; i++)
            found = nautilus_file_info_is_mime_type(file, kinds[i]);
    g_clear_object(&picture);
    return found;
}

static GList *items(NautilusMenuProvider *provider, GList *files)
{
    GDesktopAppInfo *studio;
    NautilusMenuItem *item = NULL;

    (void)provider;
    if (!files || files->next) /* the studio paints one photograph at a time */
        return NULL;
    studio = g_desktop_app_info_new(STUDIO);
    if (studio && paintable(files->data, studio)) {
        item = nautilus_menu_item_new("Nst::paint", "Paint in the Style of ...",
                                      "Paint this picture in the style of a painting", NULL);
        g_signal_connect_data(item, "activate", G_CALLBACK(paint), g_object_ref(files->data),
                              (GClosureNotify)(void (*)(void))g_object_unref, 0);
    }
    g_clear_object(&studio);
    return item ? g_list_prepend(NULL, item) : NULL;
}

static void provide(NautilusMenuProviderInterface *interface)
{
    interface->get_file_items = items;
}

/* ---- what Nautilus calls ----------------------------------------------------------------------------------------- */

G_MODULE_EXPORT void nautilus_module_initialize(GTypeModule *module)
{
    nst_menu_register_type(module);
}

G_MODULE_EXPORT void nautilus_module_shutdown(void)
{
}

G_MODULE_EXPORT void nautilus_module_list_types(const GType **types, int *count)
{
    static GType type;

    type = nst_menu_get_type();
    *types = &type;
    *count = 1;
}
