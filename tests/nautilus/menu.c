/* menu.c: loads a module as Nautilus does, shows it files, and writes the items that it gives.  menu.sh calls it:
 * menu MODULE show|choose FILE KIND [FILE KIND]...: a line for each item; choose activates the first. */
#include <nautilus-extension.h>
#include <stdio.h>
#include <string.h>

/* ---- a file, as Nautilus describes it ---------------------------------------------------------------------------- */

typedef struct Shown {
    GObject parent;
    const char *path, *kind;
} Shown;
typedef GObjectClass ShownClass;
GType shown_get_type(void);
static void describe(NautilusFileInfoInterface *interface);
G_DEFINE_TYPE_WITH_CODE(Shown, shown, G_TYPE_OBJECT, G_IMPLEMENT_INTERFACE(NAUTILUS_TYPE_FILE_INFO, describe))

static void shown_init(Shown *file)
{
    (void)file;
}

static void shown_class_init(ShownClass *class)
{
    (void)class;
}

static gboolean is_kind(NautilusFileInfo *file, const char *kind)
{
    return !strcmp(((Shown *)(void *)file)->kind, kind);
}

static GFile *location(NautilusFileInfo *file)
{
    return g_file_new_for_commandline_arg(((Shown *)(void *)file)->path);
}

static void describe(NautilusFileInfoInterface *interface)
{
    interface->is_mime_type = is_kind;
    interface->get_location = location;
}

/* ---- a module, as Nautilus loads it ------------------------------------------------------------------------------ */

typedef struct Loaded {
    GTypeModule parent;
    GModule *library;
    void (*initialize)(GTypeModule *module);
    void (*list)(const GType **types, int *count);
} Loaded;
typedef GTypeModuleClass LoadedClass;
GType loaded_get_type(void);
static const char *module_path;
G_DEFINE_TYPE(Loaded, loaded, G_TYPE_TYPE_MODULE)

static void loaded_init(Loaded *module)
{
    (void)module;
}

static gboolean load(GTypeModule *module)
{
    Loaded *m = (Loaded *)(void *)module;
    gpointer initialize, list, shutdown;

    m->library = g_module_open(module_path, G_MODULE_BIND_LOCAL);
    if (!m->library) {
        printf("%s\n", g_module_error());
        return FALSE;
    }
    if (!g_module_symbol(m->library, "nautilus_module_initialize", &initialize) ||
        !g_module_symbol(m->library, "nautilus_module_list_types", &list) ||
        !g_module_symbol(m->library, "nautilus_module_shutdown", &shutdown)) {
        printf("a function is missing: %s\n", g_module_error());
        return FALSE;
    }
    memcpy(&m->initialize, &initialize, sizeof initialize); /* C has no conversion from one to the other */
    memcpy(&m->list, &list, sizeof list);
    m->initialize(module);
    return TRUE;
}

static void unload(GTypeModule *module) /* Nautilus keeps its modules, too */
{
    (void)module;
}

static void loaded_class_init(LoadedClass *class)
{
    class->load = load;
    class->unload = unload;
}

int main(int argc, char **argv)
{
    GList *files = NULL, *items;
    GTypeModule *module;
    const GType *types;
    GObject *provider;
    int count;

    if (argc < 5)
        return 2;
    module_path = argv[1];
    for (int i = 3; i + 1 < argc; i += 2) {
        Shown *file = g_object_new(shown_get_type(), NULL);

        file->path = argv[i];
        file->kind = argv[i + 1];
        files = g_list_append(files, file);
    }
    module = g_object_new(loaded_get_type(), NULL);
    if (!g_type_module_use(module))
        return 1;
    ((Loaded *)(void *)module)->list(&types, &count);
    if (count != 1 || !g_type_is_a(types[0], NAUTILUS_TYPE_MENU_PROVIDER)) {
        printf("no provider of a menu\n");
        return 1;
    }
    provider = g_object_new(types[0], NULL);
    items = nautilus_menu_provider_get_file_items(NAUTILUS_MENU_PROVIDER(provider), files);
    g_list_free_full(files, g_object_unref);
    for (GList *i = items; i; i = i->next) {
        gchar *name, *label;

        g_object_get(i->data, "name", &name, "label", &label, NULL);
        printf("%s: %s\n", name, label);
        g_free(name);
        g_free(label);
    }
    if (items && !strcmp(argv[2], "choose"))
        nautilus_menu_item_activate(items->data);
    g_list_free_full(items, g_object_unref);
    g_object_unref(provider);
    return 0;
}
