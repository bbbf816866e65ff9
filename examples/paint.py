"""paint.py: libnst from Python, with nothing but ctypes: python3 paint.py LIBRARY CONTENT STYLE RESULT"""
import ctypes
import sys

library, content, style, result = sys.argv[1:]
nst = ctypes.CDLL(library)
error = ctypes.create_string_buffer(512)  # nst_error: its text is all it has


def call(name, *arguments):
    """A function that returns nst_status and ends with nst_error *; pointers go as ctypes knows them."""
    if getattr(nst, name)(*arguments, error):
        sys.exit("paint.py: " + error.value.decode())


def make(name, *arguments):
    """The same, for those that put a new object into their first argument."""
    out = ctypes.c_void_p()
    call(name, ctypes.byref(out), *arguments)
    return out


def tell(_, progress):
    return 0  # anything else would end the run and keep the picture so far


progress_fn = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)(tell)
settings = make("nst_settings_create", None)
call("nst_settings_set", settings, b"size", b"128")
model = make("nst_model_open", b"small")
picture = make("nst_image_read", content.encode())
styles = (ctypes.c_void_p * 1)(make("nst_image_read", style.encode()))

painted = ctypes.c_void_p()
call("nst_transfer", settings, model, picture, styles, 1, None, progress_fn, None, ctypes.byref(painted))
call("nst_image_write", painted, result.encode(), None)

for destroy, thing in (("nst_image_destroy", painted), ("nst_image_destroy", picture),
                       ("nst_image_destroy", ctypes.c_void_p(styles[0])), ("nst_model_close", model),
                       ("nst_settings_destroy", settings)):
    getattr(nst, destroy)(ctypes.byref(thing))
