#!/usr/bin/env python3
"""move.py: nst's src/ in folders: the first step of /work/shared/design/house.md.

    cd CHECKOUT && python3 /work/wt/move/move.py && git commit -F /work/wt/move/message

Run it in the root of a clean checkout of the final main.  It moves every file of src/ (as git mv does), rewrites every
#include to a path relative to src/, and every mention of a path or a renamed file; it installs tests/floors.sh,
tests/calls.sh and HACKING.md's table from its own folder, and stages all that.  It commits nothing.

Everything is worked out and checked first; nothing is touched when it refuses:
  * a file in src/ that the table below does not know: give it a row
  * a tree that was moved already, or that has changes
  * tests/floors.sh with rules that the new one does not have: bring them to floors.sh here, then renew floors.old
    (--ignore-floors goes on without)
Options: -n works everything out and prints the warnings, but changes nothing.
"""
import difflib
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))

# Old name in src/ -> new path in src/ (nst.h: from the root).  One folder a block.
# A name stays where another file has the better one already: cli/devices.c and cli/masks.c are why net/choose.c and
# engine/scale/regions.c keep theirs.  across.c, evaluate.c, fallback.c and windows.c keep theirs until they are split.
TABLE = """
nst.h               ../include/nst.h
libnst.map          libnst.map

base.h              base/base.h
show.h              base/show.h
status.c            base/error.c
mem.c               base/memory.c
par.c               base/threads.c
whole.c             base/atomic_file.c
sum.c               base/checksum.c
fields.c            base/fields.c
fields.h            base/fields.h
info.c              base/build_info.c

image.c             image/image.c
image.h             image/image.h
format.c            image/format.c
format.h            image/format.h
png.c               image/png.c
jpeg.c              image/jpeg.c
tiff.c              image/tiff.c
webp.c              image/webp.c
pnm.c               image/pnm.c
rows.c              image/row_reader.c
exif.c              image/exif.c
color.c             image/color.c
lab.c               image/lab.c
recolor.c           image/recolor.c
resize.c            image/resize.c
input.c             image/read.c
output.c            image/write.c

ops.h               ops/ops.h
dispatch.c          ops/dispatch.c
vector.c            ops/vector.c
conv.c              ops/conv.c
conv_io.c           ops/conv_io.c
winograd.c          ops/winograd.c
first.c             ops/conv_first.c
gram.c              ops/gram.c
guided.c            ops/gram_masked.c
optim.c             ops/optimizer.c
space.c             ops/color_space.c

loss.c              loss/style.c
w2.c                loss/wasserstein.c
w2.h                loss/wasserstein.h
tv.c                loss/tv.c

model.c             model/model.c
model.h             model/model.h
save.c              model/save.c
weights.c           model/tensors.c
weights.h           model/tensors.h
modules.c           model/modules.c
chain.c             model/chain.c
numbering.c         model/numbering.c
stored.c            model/stored.c
fold.c              model/fold.c
small.c             model/builtin/small.c
small_data.S        model/builtin/small_data.S
safetensors.c       model/formats/safetensors.c
header.c            model/formats/safetensors_header.c
header.h            model/formats/safetensors_header.h
caffe.c             model/formats/caffe.c
onnx.c              model/formats/onnx.c
onnx.h              model/formats/onnx.h
onnx_graph.c        model/formats/onnx_graph.c
wire.c              model/formats/protobuf.c
wire.h              model/formats/protobuf.h
matconvnet.c        model/formats/matconvnet.c
matfile.c           model/formats/matfile.c
matfile.h           model/formats/matfile.h
keras.c             model/formats/keras.c
torch.c             model/formats/torch.c
torchzip.c          model/formats/torch_zip.c
pickle.c            model/formats/pickle.c
pickle.h            model/formats/pickle.h
pickle_values.c     model/formats/pickle_values.c
pickle_values.h     model/formats/pickle_values.h
state_dict.c        model/formats/state_dict.c

device.h            net/device.h
graph.c             net/graph.c
graph.h             net/graph.h
arena.c             net/memory_layout.c
rectangles.c        net/tile_geometry.c
strips.c            net/row_strips.c
choose.c            net/choose.c
cpu.c               net/cpu/cpu.c
cpu.h               net/cpu/cpu.h
cpu_taps.c          net/cpu/cpu_taps.c

run.h               engine/run.h
run.c               engine/setup.c
transfer.c          engine/transfer.c
transfer.h          engine/transfer.h
fallback.c          engine/fallback.c
checkpoint.c        engine/checkpoint.c
checkpoint.h        engine/checkpoint.h
checkpoint_read.c   engine/checkpoint_read.c
preset.c            engine/settings/preset.c
balance.c           engine/settings/strength.c
scale.c             engine/settings/scale_plan.c
sizes.c             engine/settings/style_sizes.c
budget.c            engine/plan/memory_plan.c
schedule.c          engine/plan/schedule.c
speed.c             engine/plan/time_estimate.c
across.c            engine/ranks/across.c
enlarge.c           engine/ranks/upscale.c
targets.c           engine/scale/targets.c
styles.c            engine/scale/style_cache.c
regions.c           engine/scale/regions.c
margin.c            engine/scale/margin.c
start.c             engine/scale/start.c
evaluate.c          engine/scale/evaluate.c
windows.c           engine/scale/windows.c
exact.c             engine/scale/reference_eval.c

main.c              cli/main.c
nst_mpi.c           cli/nst_mpi.c
commands.c          cli/commands.c
commands.h          cli/commands.h
commands.inc        cli/commands.inc
options.c           cli/options.c
options.h           cli/options.h
arguments.c         cli/arguments.c
config.c            cli/config.c
config.h            cli/config.h
help.c              cli/help.c
docs.c              cli/docs.c
presets.inc         cli/presets.inc
fail.h              cli/fail.h
paths.c             cli/paths.c
paths.h             cli/paths.h
files.c             cli/files.c
files.h             cli/files.h
masks.c             cli/masks.c
masks.h             cli/masks.h
report.c            cli/report.c
report.h            cli/report.h
interrupt.c         cli/interrupt.c
interrupt.h         cli/interrupt.h
preview.c           cli/preview.c
preview.h           cli/preview.h
web.c               cli/web.c
web.h               cli/web.h
paint.c             cli/paint.c
paint.h             cli/paint.h
keep.c              cli/checkpoint_file.c
keep.h              cli/checkpoint_file.h
resume.c            cli/resume.c
resume.h            cli/resume.h
batch.c             cli/batch.c
batch.h             cli/batch.h
bench.c             cli/bench.c
bench.h             cli/bench.h
doctor.c            cli/doctor.c
doctor.h            cli/doctor.h
devices.c           cli/devices.c
devices.h           cli/devices.h
model_commands.c    cli/models/model_commands.c
models.c            cli/models/models.c
models.h            cli/models/models.h
places.c            cli/models/places.c
places.h            cli/models/places.h
known.c             cli/models/known.c
known.h             cli/models/known.h
guard.c             cli/models/guard.c
guard.h             cli/models/guard.h
fetch.c             cli/models/fetch.c
fetch.h             cli/models/fetch.h
sources.c           cli/models/sources.c
sources.h           cli/models/sources.h
sums.c              cli/models/sums.c
sums.h              cli/models/sums.h
obtain.c            cli/models/obtain.c
"""

# Headers that the build makes: where an #include of one is left alone.
MADE = {"web_files.inc", "kernels_cl.h", "config.h"}
# What stays as it was written, or holds no path of ours.
SKIP = re.compile(r"^(NEWS|COPYING|debian/changelog|data/web/.*|tests/(models|golden|hostile)/.*)$|\.(jpg|png|bin|safetensors)$")


def stop(text):
    sys.exit("move.py: " + text)


def git(*args):
    return subprocess.run(("git",) + args, check=True, stdout=subprocess.PIPE, text=True).stdout


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


table = dict(line.split() for line in TABLE.splitlines() if line)
place = {"src/" + old: os.path.normpath("src/" + new) for old, new in table.items()}
# What #include says: relative to src/, the public header by its name.
included = {old: "nst.h" if old == "nst.h" else new for old, new in table.items()}
# Files that get another name, which comments and documents call by the bare one.
renamed = {old: os.path.basename(new) for old, new in table.items() if os.path.basename(new) != old}


notes = []


# ---- one line or file at a time ------------------------------------------------------------------------------------------

def alternatives(names):
    return "|".join(sorted(map(re.escape, names), key=len, reverse=True))


in_path = re.compile(r"(?<!\w)src/(" + alternatives(table) + r")(?![\w])")
in_text = re.compile(r"(?<![\w/.-])(" + alternatives(renamed) + r")(?![\w])")
in_object = re.compile(r"\bsrc/((?:libnst_\w+_la|nst|nst_mpi)-)(\w+)(\.l?o)\b")


def moved_object(m):
    new = place.get("src/" + m[2] + ".c") or place.get("src/" + m[2] + ".S") or stop("which source is " + m[0] + " of?")
    return os.path.dirname(new) + "/" + m[1] + os.path.splitext(os.path.basename(new))[0] + m[3]


def mentions(line):
    """Paths and bare names; what is drawn with dashes keeps its width."""
    new = in_object.sub(moved_object, line)
    new = in_path.sub(lambda m: place["src/" + m[1]], new)
    new = in_text.sub(lambda m: renamed[m[1]], new)
    more = len(new) - len(line)
    if more and "▶" in new and "─" in new:
        runs = [m for m in re.finditer("─+(?=▶)", new)]
        # Every arrow of the line back to its column, as far as its dashes reach.
        old_at = [i for i, c in enumerate(line) if c == "▶"]
        for k in range(len(runs)):
            m = list(re.finditer("─+(?=▶)", new))[k]
            n = max(1, len(m[0]) - (m.end() - old_at[k]))
            new = new[:m.start()] + "─" * n + new[m.end():]
    m = re.search(r" (-{5,}) \*/$", new)
    if more and m:
        new = new[:m.start(1)] + "-" * max(4, len(m[1]) - more) + " */"
    return new


def include(line, path):
    m = re.match(r'( *# *include )"([^"]+)"(.*)$', line)
    if not m:
        return line
    name = m[2]
    here = os.path.dirname(path)
    in_src = path.startswith("src/")
    if not in_src and os.path.exists(os.path.join(here, name)) and not name.startswith("../src/"):
        return line  # a neighbour, or ../opencl/opencl.h
    base = re.sub(r"^(\.\./)+src/", "", name)
    if base in included:
        return m[1] + '"' + included[base] + '"' + m[3]
    if name in MADE or os.path.exists(os.path.join("src", name)):
        return line  # ../simd/kernels.h stays as it is: relative to src/
    return stop(f'{path} includes "{name}", which is nowhere') or line


def sort_includes(lines, path):
    """A row of includes: the file's own header first, the others in alphabetical order, as they were."""
    own = os.path.splitext(os.path.basename(path))[0] + ".h"
    out, row = [], []

    def is_row(l):
        return re.match(r'#include "[^"]+\.h"$', l)

    def key(l):
        name = l.split('"')[1]
        return (os.path.basename(name) != own, name)
    for l in lines + [None]:
        if l is not None and is_row(l):
            row.append(l)
            continue
        out += sorted(row, key=key)
        row = []
        if l is not None:
            out.append(l)
    return out


def sort_sources(lines):
    """A list of Makefile.am, one file a line, in alphabetical order."""
    out, row = [], []
    for l in lines + [""]:
        if re.match(r"\t(src|include)/\S+( \\)?$", l):
            row.append(l)
            continue
        if row:
            names = sorted(r.split()[0] for r in row)
            end = " \\" if row[-1].endswith("\\") else ""
            out += ["\t" + n + " \\" for n in names[:-1]] + ["\t" + names[-1] + end]
            row = []
        out.append(l)
    return out[:-1]


def reflow(lines, i):
    """Line i is a comment's and has grown past 120 columns: its last words go on to the next line.  False: it is none."""
    m = re.match(r"( *)(/\*| \*) ", lines[i])
    at = lines[i].rfind(" ", 0, 118 if lines[i].endswith("*/") else 121)
    if not m or at <= len(m[0]) or at > 120:
        return False
    more = m[1] + " * "
    rest = lines[i][at + 1:]
    ends = lines[i].endswith("*/")
    lines[i] = lines[i][:at].rstrip()
    if not ends and re.match(re.escape(more) + r"[\w(]", lines[i + 1]):
        lines[i + 1] = more + rest + " " + lines[i + 1][len(more):]
        return len(lines[i + 1]) <= 120 or reflow(lines, i + 1)
    lines.insert(i + 1, more + rest)
    return True


def once(text, old, new, path):
    if text.count(old) != 1:
        stop(f"{path} has {text.count(old)} times what it should have once: {old!r}")
    return text.replace(old, new)


def rewritten(path, new_path):
    text = read(path)
    lines = text.split("\n")
    c = re.search(r"\.(c|h|inc)$", path)
    if c:
        lines = [include(l, path) for l in lines]
    for i in range(len(lines) - 1, -1, -1):
        l = lines[i]
        if not re.match(r' *# *include "', l):
            lines[i] = mentions(l)
            if c and i == 0 and path.startswith(("src/", "opencl/", "simd/")):
                # The folder is the floor now.
                lines[0] = re.sub(r"^(/\* [\w.]+: )floor \d, ", r"\1", lines[0])
            if c and len(l) <= 120 < len(lines[i]) and not reflow(lines, i):
                notes.append(f"note: {new_path}:{i + 1} grew to {len(lines[i])} columns")
    if c and path.startswith(("src/", "tests/")):
        lines = sort_includes(lines, new_path)
    if path == "Makefile.am":
        lines = sort_sources(lines)
    text = "\n".join(lines)
    if path == "Makefile.am":
        text = text.replace("-I$(srcdir)/src ", "-I$(srcdir)/include -I$(srcdir)/src ")
        text = once(text, "\ttests/batch.sh \\\n", "\ttests/batch.sh \\\n\ttests/calls.sh \\\n", path)
    if path == "tests/cross-aarch64.sh":
        text = once(text, '-I"$src/src"', '-I"$src/include" -I"$src/src"', path)
    if path in ("tests/examples.sh", "tests/symbols.sh"):
        text = text.replace('-I"$SRCDIR/src"', '-I"$SRCDIR/include"')
    if path == ".ci/run":
        text = once(text, "outside='batch|config|", "outside='batch|calls|config|", path)
    if path == "tests/floors.sh":
        text = floors()
    if path == "HACKING.md":
        m = re.search(r"^## Floors\n.*?(?=^## )", text, re.S | re.M) or stop("HACKING.md has no section Floors")
        text = text[:m.start()] + read(HERE + "/floors.md") + text[m.end():]
        path_of_data = re.search(r"^    photo\.jpg ─.*?(?=^$)", text, re.S | re.M)
        if path_of_data and path_of_data[0] == read(HERE + "/path.md.old"):
            text = text.replace(path_of_data[0], read(HERE + "/path.md"))
        else:
            notes.append("note: HACKING.md's path of the data was changed: look whether its arrows stand in a column")
    return text


# ---- may it be done? -------------------------------------------------------------------------------------------------------

def check_tree(tracked):
    if os.path.exists("include/nst.h") and not os.path.exists("src/nst.h"):
        stop("this tree has its folders already (include/nst.h is there); nothing to do")
    if not os.path.exists("src/nst.h"):
        stop("run it in the root of a checkout of nst: there is no src/nst.h")
    if git("status", "--porcelain", "--untracked-files=no").strip():
        stop("this checkout has changes; commit or stash them first")
    news = set(place.values())
    if len(news) != len(place):
        stop("the table gives two files one name")
    unknown = [p for p in tracked if p.startswith("src/") and p not in place]
    if unknown:
        stop("the table in move.py does not know " + ", ".join(unknown) +
             ": give each a row with its folder (house.md says what stands where)")
    lying = git("ls-files", "--others", "--exclude-standard", "src").split()
    if lying:
        stop("git does not know " + ", ".join(lying) + ": add or remove them first")


# Branch `safe` has one rule more, and lets the program include show.h, which the new table has among its exceptions.
SAY = """check "lines of the program's only by nst_say, which shows what is foreign in them" sh -c \\
    '! grep -nE "fprintf\\(stderr, \\"nst[^\\"]*%s" src/*.c'

"""


def rules(text):
    """floors.sh without its list of files, and without what is brought along when it is there."""
    text = text.replace(SAY, "").replace(' && [ "${h##*/}" != show.h ]', "")
    return re.sub(r"^floor\(\) \{.*?^\}\n", "", text, flags=re.S | re.M).splitlines()


def check_changes(ignore):
    """What others changed in what is replaced as a whole."""
    diff = list(difflib.unified_diff(rules(read(HERE + "/floors.old")), rules(read("tests/floors.sh")),
                                     "floors.old", "tests/floors.sh", lineterm="", n=1))
    if diff and not ignore:
        stop("tests/floors.sh has rules that the new one does not know:\n" + "\n".join(diff) +
             f"\nBring them to {HERE}/floors.sh, copy tests/floors.sh to {HERE}/floors.old, and run this again.")
    m = re.search(r"^## Floors\n.*?(?=^## )", read("HACKING.md"), re.S | re.M)
    diff = list(difflib.unified_diff(read(HERE + "/floors.md.old").splitlines(), (m[0] if m else "").splitlines(),
                                     "floors.md.old", "HACKING.md", lineterm="", n=0))
    if diff:
        print("note: HACKING.md's Floors were changed; the new table does not have this:\n" + "\n".join(diff))


def floors():
    """floors.sh; its exceptions are those that this tree needs (other branches bring more)."""
    text = read(HERE + "/floors.sh")
    for row in re.findall(r"^src/\S+ \S+: .*\n", text, re.M):
        path, name = row.split(": ")[0].split()
        old = next((o for o, n in place.items() if n == path), "")
        said = [o for o, n in included.items() if n == name] or [name]
        if not os.path.exists(old) or f'#include "{said[0]}"' not in read(old):
            text = text.replace(row, "")
    if SAY in read("tests/floors.sh"):
        text = text.replace("one_file() {", SAY.replace("src/*.c", "src/cli/*.c src/cli/models/*.c") + "one_file() {")
    return text


def calls():
    """calls.sh; its list of circles names only files that this tree has (other branches bring more)."""
    text = read(HERE + "/calls.sh")
    start, end = text.index("<<'LIST'\n") + len("<<'LIST'\n"), text.index("\nLIST\n")
    rows = [[f for f in row.split() if os.path.exists(f"src/{f}.c") or os.path.exists(f"{f}.c")]
            for row in text[start:end].split("\n")]
    return text[:start] + "\n".join(" ".join(r) for r in rows if r) + text[end:]


def main():
    args = sys.argv[1:]
    if [a for a in args if a not in ("-n", "--ignore-floors")]:
        sys.exit(__doc__)
    tracked = git("ls-files").split("\n")[:-1]
    check_tree(tracked)
    check_changes("--ignore-floors" in args)

    todo = {}
    for path in tracked:
        if SKIP.search(path) or os.path.islink(path):
            continue
        new_path = place.get(path, path)
        try:
            read(path)
        except UnicodeDecodeError:
            continue  # no text: a picture, a model
        text = rewritten(path, new_path)
        if text != read(path):
            todo[path] = text
    todo_new = {place.get(p, p): t for p, t in todo.items()}
    for path, text in todo_new.items():
        left = re.search(r"(?<!\w)src/[\w.]+\.(c|h|S|inc)\b", text)
        if left:
            print(f"note: {path} still says {left[0]}")
    print("".join(n + "\n" for n in notes), end="")
    if "-n" in args:
        print(f"{len([p for p in tracked if p in place])} files to move, {len(todo)} to rewrite; nothing was done (-n)")
        return

    for path in tracked:
        if path in place and place[path] != path:
            os.makedirs(os.path.dirname(place[path]), exist_ok=True)
            os.rename(path, place[path])
    for path, text in todo_new.items():
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
    with open("tests/calls.sh", "w", encoding="utf-8") as f:
        f.write(calls())
    os.chmod("tests/calls.sh", 0o755)
    git("add", "--all", "src", "include")
    git("add", "tests/calls.sh", *todo_new)
    print(f"{len([p for p in tracked if p in place])} files moved, {len(todo)} rewritten, all staged.  "
          f"Now: build, make check, git commit -F {HERE}/message")


main()
