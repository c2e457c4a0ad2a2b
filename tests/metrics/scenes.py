"""Small PoseTrack sequences, spelled out once and written in both forms, or made into footage and poses."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from posecli.data.footage import Footage, FootageFrame
from posecli.data.people import Person
from posecli.skeletons import POSETRACK17, POSETRACK18
from posecli.types import Poses, Tracks

HEAD = (0, 0, 30, 40)  # diagonal 50, so a head size of 30 pixels: a joint is right within 15


@dataclass
class Someone:
    """joints: name -> (x, y), or (x, y, score) of a prediction."""

    joints: dict
    track: int | None = 1
    head: tuple | None = HEAD


@dataclass
class Moment:
    truth: list = field(default_factory=list)
    found: list = field(default_factory=list)
    ignored: list = field(default_factory=list)  # polygons: lists of (x, y)
    labelled: bool | None = None  # None: it is not said


def write_both(root: Path, form: str, sequences: dict[str, list[Moment]]) -> tuple[Path, Path]:
    """Folders of ground truth and of results, one file a sequence."""
    folders = root / f"truth{form}", root / f"found{form}"
    document = {"17": document17, "18": document18}[form]
    for folder, side in zip(folders, ("truth", "found"), strict=True):
        folder.mkdir(exist_ok=True)
        for name, moments in sequences.items():
            (folder / f"{name}.json").write_text(json.dumps(document(moments, side, name)))
    return folders


def document17(moments, side, name="clip"):
    annolist = []
    for i, moment in enumerate(moments):
        entry = {
            "image": [{"name": f"images/{name}/{i + 1:08d}.jpg"}],
            "imgnum": [i + 1],
            "annorect": [_rect17(someone) for someone in getattr(moment, side)],
        }
        if side == "truth" and moment.ignored:
            entry["ignore_regions"] = [
                {"point": [{"x": [x], "y": [y]} for x, y in polygon]} for polygon in moment.ignored
            ]
        if moment.labelled is not None:
            entry["is_labeled"] = [int(moment.labelled)]
        annolist.append(entry)
    return {"annolist": annolist}


def _rect17(someone):
    points = []
    for joint, (x, y, *score) in someone.joints.items():
        point = {"id": [POSETRACK17.index(joint)], "x": [x], "y": [y]}
        points.append(point | ({"score": score} if score and score[0] is not None else {}))
    rect = {"annopoints": [{"point": points}]}
    if someone.track is not None:
        rect["track_id"] = [someone.track]
    if someone.head is not None:
        rect |= {key: [value] for key, value in zip(("x1", "y1", "x2", "y2"), someone.head, strict=True)}
    return rect


def document18(moments, side, name="clip"):
    images, annotations = [], []
    for i, moment in enumerate(moments):
        image = {
            "id": 1000 + i,
            "file_name": f"images/val/{name}/{i:06d}.jpg",
            "frame_id": 1000 + i,
            "vid_id": name,
        }
        if side == "truth" and moment.ignored:
            image["ignore_regions_x"] = [[x for x, _ in polygon] for polygon in moment.ignored]
            image["ignore_regions_y"] = [[y for _, y in polygon] for polygon in moment.ignored]
        if moment.labelled is not None:
            image["is_labeled"] = moment.labelled
        images.append(image)
        annotations += [
            {"id": len(annotations) + j, "image_id": 1000 + i, "category_id": 1} | _annotation18(someone)
            for j, someone in enumerate(getattr(moment, side))
        ]
    categories = [{"id": 1, "name": "person", "keypoints": list(POSETRACK18.keypoints)}]
    return {"images": images, "annotations": annotations, "categories": categories}


def _annotation18(someone):
    keypoints, scores = [0] * 51, [0] * 17
    for joint, (x, y, *score) in someone.joints.items():
        slot = POSETRACK18.index(joint)
        keypoints[3 * slot : 3 * slot + 3] = [x, y, 1]
        scores[slot] = score[0] if score else None
    annotation = {"keypoints": keypoints, "bbox": [0, 0, 10, 10]}
    if any(score is not None for score in scores):
        annotation["scores"] = scores
    if someone.track is not None:
        annotation["track_id"] = someone.track
    if someone.head is not None:
        x0, y0, x1, y1 = someone.head
        annotation["bbox_head"] = [x0, y0, x1 - x0, y1 - y0]
    return annotation


def as_footage(moments, name="clip", skeleton=POSETRACK18) -> Footage:
    frames = tuple(
        FootageFrame(
            Path(f"{i}.jpg"),
            f"{i}.jpg",
            i,
            bool(moment.truth) if moment.labelled is None else moment.labelled,
        )
        for i, moment in enumerate(moments)
    )
    people = {
        i: tuple(_person(someone, skeleton) for someone in m.truth) for i, m in enumerate(moments) if m.truth
    }
    ignored = {
        i: tuple(np.array(p, np.float32) for p in m.ignored) for i, m in enumerate(moments) if m.ignored
    }
    return Footage(name, skeleton, frames, people, ignored)


def _person(someone, skeleton):
    keypoints, labelled = np.zeros((len(skeleton), 2), np.float32), np.zeros(len(skeleton), np.float32)
    for joint, (x, y, *_) in someone.joints.items():
        keypoints[skeleton.index(joint)], labelled[skeleton.index(joint)] = (x, y), 1
    head = None if someone.head is None else np.array(someone.head, np.float32)
    return Person(np.zeros(4, np.float32), keypoints, labelled, True, track_id=someone.track, head_box=head)


def as_poses(moments, skeleton=POSETRACK18) -> dict[int, Poses]:
    """The predictions, with boxes of score 1; pictures without any are left out."""
    poses = {}
    for i, moment in enumerate(moments):
        if not moment.found:
            continue
        table = np.full((len(moment.found), len(skeleton), 3), np.nan, np.float32)
        for row, someone in zip(table, moment.found, strict=True):
            for joint, (x, y, *score) in someone.joints.items():
                row[skeleton.index(joint)] = x, y, np.nan if not score or score[0] is None else score[0]
        ids = np.array([someone.track for someone in moment.found])
        ones = np.ones(len(ids), np.float32)
        tracks = Tracks(ids, np.zeros((len(ids), 4), np.float32), ones)
        poses[i] = Poses(i, i / 25, tracks, table[..., :2], table[..., 2])
    return poses
