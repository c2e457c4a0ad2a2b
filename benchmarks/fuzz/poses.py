"""Files of poses and boxes that are broken or hostile, in every format."""

from __future__ import annotations

import io
import json
import random
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.fuzz.damage import DAMAGES
from benchmarks.fuzz.trial import Trial
from benchmarks.fuzz.videos import CLIP, FRAMES, HEIGHT, WIDTH
from posecli.formats import FORMATS, open_writer
from posecli.formats.boxes import BoxWriter
from posecli.skeletons import COCO
from posecli.types import Boxes, Frame, Poses, Tracks, VideoInfo

VIDEO = VideoInfo(CLIP, WIDTH, HEIGHT, 25.0, "1/1000", FRAMES)
SUFFIXES = {
    "npz": ".npz",
    "deeplabcut-h5": ".h5",
    "trc": ".trc",
    "parquet": ".parquet",
    "parquet-wide": ".parquet",
}
TABLES = ("csv", "csv-wide", "deeplabcut", "trc")
JSONS = ("coco", "coco-results", "posetrack17", "posetrack18", "openpose", "alphapose", "mmpose", "boxes")
TARGETS = ("out.json", "out.csv", "out.npz", "out.trc", "out.h5", "out.parquet")

BAD_NUMBERS = (
    "NaN",
    "Infinity",
    "-Infinity",
    "1e308",
    "-1e308",
    "1e999",
    "9" * 400,
    "9" * 5000,
    "-1",
    "0.5",
    str(2**63),
)
BAD_TEXTS = (
    "../../etc/passwd", "../../secret.txt", "/etc/passwd", "a\0b", "\ud800", "",
    "\N{RIGHT-TO-LEFT OVERRIDE}x", "x" * 100_000,
    "CON", "=1+1", "<script>alert(1)</script></script>", "\x1b[2J",
)  # fmt: skip
BAD_VALUES = (None, True, {}, [], [[]], [None], {"a": 1}, [[[[[]]]]], *BAD_TEXTS)


class Literal:
    """A number as it shall stand in the file, JSON or not."""

    def __init__(self, text: str) -> None:
        self.text = text


def poses_trial(rng: random.Random, folder: Path) -> Trial:
    """Lays a harmed file of poses into the folder, and says which command is to meet it."""
    format = rng.choice((*FORMATS, "boxes"))
    harms: list[tuple[str, Callable[[bytes, random.Random], bytes]]] = [rng.choice(tuple(DAMAGES.items()))]
    if format in JSONS:
        harms += [*JSON_HARMS.items()] * 2
    elif format in TABLES:
        harms += [*TABLE_HARMS.items()]
    elif format == "npz":
        harms += [*NPZ_HARMS.items()]
    harm, damage = rng.choice(harms)
    name = _lay(damage(seed(format), rng), format, folder)
    if rng.random() < 0.04:
        harm = _link(folder / name, rng)
    command = rng.choice(("convert", "convert", "validate", "smooth", "render", "view", "eval", "estimate"))
    if format == "boxes":
        command = "estimate"
    return _command(command, name, f"{format}: {harm}", rng, folder)


def _command(command: str, name: str, harm: str, rng: random.Random, folder: Path) -> Trial:
    from benchmarks.fuzz.videos import clip

    (folder / CLIP).write_bytes(clip(".mkv"))
    if command == "validate":
        return Trial(harm, ("validate", name))
    if command == "eval":
        (folder / "truth.json").write_bytes(seed("coco"))
        metric = rng.choice(("oks", "pck", "posetrack"))
        pair = rng.choice((("truth.json", name), (name, "truth.json")))
        return Trial(harm, ("eval", "--metric", metric, "--gt", pair[0], "--pred", pair[1]))
    if command == "estimate":
        arguments = ("estimate", CLIP, "-o", "out.json", "--boxes", name, "--device", "cpu", "--threads", "1")
        return Trial(harm, arguments, "out.json")
    if command == "render":
        return Trial(harm, ("render", CLIP, name, "-o", "drawn.mp4"), "drawn.mp4")
    if command == "view":
        return Trial(harm, ("view", name, "--video", CLIP, "-o", "page.html"), "page.html")
    output = rng.choice(TARGETS)
    if command == "smooth":
        return Trial(harm, ("smooth", name, "-o", output), output)
    return Trial(harm, ("convert", name, output), output)


@cache
def seed(format: str) -> bytes:
    """A whole file of two people on a few pictures; of OpenPose's folder, the first picture's."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / f"poses{SUFFIXES.get(format, '')}"
        if format == "boxes":
            _write_boxes(path)
            return path.read_bytes()
        with open_writer(path, format, video=VIDEO, skeleton=COCO, provenance={"tool": "fuzz"}) as writer:
            for index in range(FRAMES):
                writer.write(_people(index))
        return (sorted(path.iterdir())[0] if path.is_dir() else path).read_bytes()


def _people(index: int) -> Poses:
    rng = np.random.default_rng(index)
    boxes = np.array([[2, 3, 30, 40], [20, 5, 60, 46]], np.float32)
    tracks = Tracks(np.array([1, 2]), boxes, np.array([0.9, 0.7], np.float32))
    keypoints = rng.uniform(2, 46, (2, len(COCO), 2)).astype(np.float32)
    return Poses(index, index / 25, tracks, keypoints, rng.random((2, len(COCO))).astype(np.float32))


def _write_boxes(path: Path) -> None:
    with BoxWriter(path, video=VIDEO, provenance={}) as writer:
        for index in range(FRAMES):
            tracks = _people(index).tracks
            frame = Frame(index, index / 25, np.zeros((HEIGHT, WIDTH, 3), np.uint8))
            writer.write(frame, Boxes(tracks.xyxy, tracks.scores))


def _lay(data: bytes, format: str, folder: Path) -> str:
    """The name by which the command is to call it."""
    if format == "openpose":
        (folder / "harmed").mkdir()
        (folder / "harmed" / "clip_000000000000_keypoints.json").write_bytes(data)
        return "harmed"
    suffix = SUFFIXES.get(format, ".csv" if format in TABLES else ".json")
    (folder / f"harmed{suffix}").write_bytes(data)
    return f"harmed{suffix}"


def _link(path: Path, rng: random.Random) -> str:
    if path.is_dir():
        return "a folder"
    path.unlink()
    target = rng.choice((path.name, ".", "/dev/zero", "/etc", "nowhere"))
    path.symlink_to(target)
    return f"a link to {'itself' if target == path.name else target}"


# JSON


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container of a JSON value and each of its keys."""
    for key in value if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from _places(value[key])


def _edited(data: bytes, rng: random.Random, edit: Callable[[Any, Any, random.Random], None]) -> bytes:
    document = json.loads(data)
    for _ in range(rng.choice((1, 1, 3))):
        container, key = rng.choice(list(_places(document)))
        edit(container, key, rng)
    return _dumped(document)


def _dumped(document: Any) -> bytes:
    """JSON with the literals as they are, and escapes for what UTF-8 has no bytes for."""
    literals: list[str] = []

    def keep(literal: Literal) -> str:
        literals.append(literal.text)
        return f"literal {len(literals) - 1}"

    text = json.dumps(document, default=keep)
    for i, literal in enumerate(literals):
        text = text.replace(f'"literal {i}"', literal)
    return text.encode()


def _bad_number(container: Any, key: Any, rng: random.Random) -> None:
    numbers = [(c, k) for c, k in _places(container) if type(c[k]) in (int, float)]
    container, key = rng.choice(numbers or [(container, key)])
    container[key] = Literal(rng.choice(BAD_NUMBERS))


def _bad_value(container: Any, key: Any, rng: random.Random) -> None:
    container[key] = rng.choice(BAD_VALUES)


def _bad_text(container: Any, key: Any, rng: random.Random) -> None:
    texts = [(c, k) for c, k in _places(container) if isinstance(c[k], str)]
    container, key = rng.choice(texts or [(container, key)])
    container[key] = rng.choice(BAD_TEXTS)


def _missing(container: Any, key: Any, _: random.Random) -> None:
    del container[key]


def _repeated(container: Any, key: Any, rng: random.Random) -> None:
    if isinstance(container[key], list):
        container[key] = container[key] * rng.choice((2, 100))


def _huge_index(container: Any, key: Any, rng: random.Random) -> None:
    """A frame or person whose number claims billions before it."""
    names = (
        "image_id",
        "id",
        "frame_index",
        "frame_id",
        "imgnum",
        "track_id",
        "idx",
        "width",
        "height",
        "image_name",
    )
    found = [(c, k) for c, k in _places(container) if k in names]
    container, key = rng.choice(found or [(container, key)])
    container[key] = rng.choice((10**9, 2**31, 2**53, -(10**9), "1000000000.jpg"))


def _nested(data: bytes, rng: random.Random) -> bytes:
    depth = rng.choice((500, 5000, 200_000))
    opening, closing = rng.choice((("[", "]"), ('{"a":', "}")))
    return _replaced(data, rng, opening * depth + "1" + closing * depth)


def _endless(data: bytes, rng: random.Random) -> bytes:
    """Long lists and texts, and ones that never end."""
    return _replaced(
        data, rng, rng.choice(("[" + "1," * 500_000, '"' + "x" * 2_000_000, "[" + "0," * 300_000 + "0]"))
    )


def _replaced(data: bytes, rng: random.Random, text: str) -> bytes:
    document = json.loads(data)
    container, key = rng.choice(list(_places(document)))
    container[key] = Literal(text)
    return _dumped(document)


def _twice(data: bytes, rng: random.Random) -> bytes:
    """Keys twice in one object, with another value."""
    text = data.decode()
    at = rng.choice([i for i, character in enumerate(text) if character == "{"])
    key = rng.choice(
        ("images", "annotations", "id", "image_id", "keypoints", "annolist", "people", "file_name")
    )
    return f'{text[: at + 1]}"{key}":{rng.choice(("null", "[]", "7", "[{}]"))},{text[at + 1 :]}'.encode()


def _encoded(data: bytes, rng: random.Random) -> bytes:
    text = data.decode()
    encodings = ("utf-8-sig", "utf-16", "utf-32", "utf-16-be")
    return rng.choice(
        (text.encode(rng.choice(encodings)), b"\xef\xbb\xbf" * 2 + data, data.replace(b'"', b'"\xff', 3))
    )


def _editing(edit: Callable[[Any, Any, random.Random], None]) -> Callable[[bytes, random.Random], bytes]:
    return lambda data, rng: _edited(data, rng, edit)


JSON_HARMS: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "numbers that are none": _editing(_bad_number),
    "values of another kind": _editing(_bad_value),
    "names that lead elsewhere": _editing(_bad_text),
    "values missing": _editing(_missing),
    "lists repeated": _editing(_repeated),
    "numbers that claim billions": _editing(_huge_index),
    "deep nesting": _nested,
    "endless values": _endless,
    "keys twice": _twice,
    "another encoding": _encoded,
}


# Tables and archives


def _bad_cells(data: bytes, rng: random.Random) -> bytes:
    lines = data.decode().split("\n")
    separator = "\t" if "\t" in lines[0] else ","
    for _ in range(rng.choice((1, 3, 20))):
        at = rng.randrange(len(lines))
        cells = lines[at].split(separator)
        cells[rng.randrange(len(cells))] = rng.choice((*BAD_NUMBERS, *BAD_TEXTS, '"', '"a\nb"', str(10**9)))
        lines[at] = separator.join(cells)
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def _bad_lines(data: bytes, rng: random.Random) -> bytes:
    lines = data.split(b"\n")
    at = rng.randrange(len(lines))
    line = rng.choice((b"", b"," * 500_000, b'"', lines[0], lines[at] * 3, b"\0" * 100, b"x" * 3_000_000))
    return b"\n".join([*lines[:at], line, *lines[at + rng.randrange(2) :]])


TABLE_HARMS = {
    "cells that cannot be": _bad_cells,
    "lines that cannot be": _bad_lines,
    "another encoding": _encoded,
}


def _claims_billions(data: bytes, rng: random.Random) -> bytes:
    """An array whose header promises more than the file holds."""
    shape = rng.choice(((10**9, 17, 2), (2**62, 2**62), (-1,), (0,), (10**10,)))
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}"
    array = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode()
    return _with_member(data, rng, array)


def _pickled(data: bytes, rng: random.Random) -> bytes:
    """An array of Python objects, which only unpickling can read: it would write a file."""
    array = io.BytesIO()
    np.save(array, np.array([_Evil()], object), allow_pickle=True)
    return _with_member(data, rng, array.getvalue())


def _packed_zeros(data: bytes, rng: random.Random) -> bytes:
    """A small archive of a large array."""
    array = io.BytesIO()
    np.save(array, np.zeros((20_000_000, rng.choice((1, 2)))))
    return _with_member(data, rng, array.getvalue())


def _with_member(data: bytes, rng: random.Random, array: bytes) -> bytes:
    """The archive with one of its arrays replaced."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        chosen = rng.choice(old.namelist())
        for name in old.namelist():
            new.writestr(name, array if name == chosen else old.read(name))
        new.writestr("../../secret.txt", b"written by an archive")
    return target.getvalue()


class _Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return Path.write_text, (Path("../secret.txt"), "written by a pickle")


NPZ_HARMS = {
    "arrays that claim billions": _claims_billions,
    "pickled objects": _pickled,
    "zeros packed small": _packed_zeros,
}
