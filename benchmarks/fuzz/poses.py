"""Files of poses and boxes that are broken or hostile, in every format."""

from __future__ import annotations

import random
from pathlib import Path

from benchmarks.fuzz.damage import DAMAGES, Damage
from benchmarks.fuzz.json_harms import JSON_HARMS
from benchmarks.fuzz.npz_harms import NPZ_HARMS
from benchmarks.fuzz.seeds import SUFFIXES, seed, smoothed_seed
from benchmarks.fuzz.table_harms import TABLE_HARMS
from benchmarks.fuzz.trial import Trial
from benchmarks.fuzz.videos import CLIP, clip
from posecli.formats import FORMATS
from posecli.formats.smoothed import keeps_raw

TABLES = ("csv", "csv-wide", "deeplabcut", "trc")
JSONS = ("coco", "coco-results", "posetrack17", "posetrack18", "openpose", "alphapose", "mmpose", "boxes")
TARGETS = ("out.json", "out.csv", "out.npz", "out.trc", "out.h5", "out.parquet")


def poses_trial(rng: random.Random, folder: Path) -> Trial:
    """Lays a harmed file of poses into the folder, and says which command is to meet it."""
    format = rng.choice((*FORMATS, "boxes"))
    harm, name = _harmed(format, seed(format), rng, folder)
    if rng.random() < 0.04:
        harm = _link(folder / name, rng)
    command = rng.choice(("convert", "convert", "validate", "smooth", "render", "view", "eval", "estimate"))
    if format == "boxes":
        command = "estimate"
    return _command(command, name, f"{format}: {harm}", rng, folder)


def smoothed_trial(rng: random.Random, folder: Path) -> Trial:
    """The same for files of smoothed poses, and the commands that read the raw keypoints in them."""
    format = rng.choice([name for name, format in FORMATS.items() if keeps_raw(format)])
    harm, name = _harmed(format, smoothed_seed(format), rng, folder)
    command = rng.choice(("convert", "validate", "smooth"))
    return _command(command, name, f"{format}: {harm}", rng, folder)


def _harmed(format: str, whole: bytes, rng: random.Random, folder: Path) -> tuple[str, str]:
    """What was done to the file, and the name by which the command is to call it."""
    harms: list[tuple[str, Damage]] = [rng.choice(tuple(DAMAGES.items()))]
    if format in JSONS:
        harms += [*JSON_HARMS.items()] * 2
    elif format in TABLES:
        harms += [*TABLE_HARMS.items()]
    elif format == "npz":
        harms += [*NPZ_HARMS.items()]
    harm, damage = rng.choice(harms)
    return harm, _lay(damage(whole, rng), format, folder)


def _command(command: str, name: str, harm: str, rng: random.Random, folder: Path) -> Trial:
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
