"""Small PoseTrack and JHMDB folders for the tests, in their owners' layouts."""

import json

import cv2
import numpy as np
from scipy.io import savemat

from posecli.skeletons import JHMDB, POSETRACK18


def write_picture(path, shade=0, size=(24, 32)):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((*size, 3), shade, np.uint8))


def write_json(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def person18(image_id, x, y=100, track_id=1, **fields):
    """17 slots 10 pixels apart on a diagonal from x, y; the ears are not labelled."""
    points = [[x + 10 * i, y + 10 * i, 1] for i in range(len(POSETRACK18))]
    points[3] = points[4] = [0, 0, 0]
    return {
        "id": image_id * 100 + track_id,
        "image_id": image_id,
        "track_id": track_id,
        "category_id": 1,
        "bbox": [x - 8, y - 8, 176, 176],
        "bbox_head": [x - 4, y - 6, 20, 30],
        "keypoints": [value for point in points for value in point],
    } | fields


def write_posetrack18(
    folder, annotations, *, name="000342_mpii_test", split="val", length=4, unlabelled=(), unlisted=(),
    annotation_folder="annotations", ignored=None, pictures=True,
):  # fmt: skip
    """One sequence of `length` pictures; picture i has id 10003420000 + i and shade 20 * i.

    Args:
        unlabelled: pictures with is_labeled false. unlisted: pictures only on disk.
        ignored: (x, y) lists of polygons, of picture 0.
    """
    images = []
    for i in range(length):
        file_name = f"images/{split}/{name}/{i:06d}.jpg"
        if pictures:
            write_picture(folder / file_name, 20 * i)
        image = {"id": 10003420000 + i, "file_name": file_name, "is_labeled": i not in unlabelled}
        image |= {"frame_id": 10003420000 + i, "vid_id": name[:6], "nframes": length}
        if ignored and i == 0:
            image |= {"ignore_regions_x": ignored[0], "ignore_regions_y": ignored[1]}
        if i not in unlisted:
            images.append(image)
    content = {"images": images, "annotations": annotations, "categories": []}
    write_json(folder / annotation_folder / split / f"{name}.json", content)


def person17(x, y=100, track_id=1, joints=range(15), head=True, visible=True):
    """Joint i at x + 10 i, y + 10 i, with or without a head rectangle."""
    points = [{"id": [i], "x": [x + 10 * i], "y": [y + 10 * i]} for i in joints]
    if visible:
        points = [point | {"is_visible": [1]} for point in points]
    person = {"track_id": [track_id], "annopoints": [{"point": points}] if points else []}
    sides = {"x1": [x - 4], "y1": [y - 6], "x2": [x + 16], "y2": [y + 24]}
    return person | (sides if head else {})


def write_posetrack17(
    folder, people, *, place="images/mpii_5sec/00342_mpii", split="val", length=6,
    name="00342_mpii_relpath_5sec_testsub", ignored=None, pictures=True,
):  # fmt: skip
    """One sequence of `length` pictures, of which annolist has those in `people` (place from 0 to persons)."""
    if pictures:
        for i in range(length):
            write_picture(folder / place / f"{i + 1:08d}.jpg", 20 * i)
    annolist = []
    for i, group in people.items():
        entry = {"image": [{"name": f"{place}/{i + 1:08d}.jpg"}], "imgnum": [i + 1], "annorect": group}
        if ignored:
            corners = [[{"x": [x], "y": [y]} for x, y in polygon] for polygon in ignored]
            entry["ignore_regions"] = [{"point": points} for points in corners]
        annolist.append(entry)
    write_json(folder / "annotations" / split / f"{name}.json", {"annolist": annolist})


def jhmdb_joints(length, first=(50.0, 40.0)):
    """(length, 15, 2) pixels from 0: a joint each 5 pixels to the right and 6 down, moving 2 to the right a frame."""
    points = np.array(first) + np.arange(len(JHMDB))[:, None] * [5, 6]
    return np.stack([points + np.array([2 * i, 0]) for i in range(length)])


def write_jhmdb_clip(folder, action, clip, *, length=5, labelled=None, mask=None):
    """A clip with `labelled` frames of joints; mask: (x0, y0, x1, y1) of filled pixels, both ends included."""
    for i in range(length):
        write_picture(folder / "Rename_Images" / action / clip / f"{i + 1:05d}.png", 20 * i, (240, 320))
    joints = jhmdb_joints(labelled or length)
    file = folder / "joint_positions" / action / clip / "joint_positions.mat"
    file.parent.mkdir(parents=True, exist_ok=True)
    savemat(file, {"pos_img": joints.transpose(2, 1, 0) + 1, "viewpoint": "S"})
    if mask:
        part_mask = np.zeros((240, 320, labelled or length), np.uint8)
        part_mask[mask[1] : mask[3] + 1, mask[0] : mask[2] + 1] = 1
        file = folder / "puppet_mask" / action / clip / "puppet_mask.mat"
        file.parent.mkdir(parents=True, exist_ok=True)
        savemat(file, {"part_mask": part_mask}, do_compression=True)


def write_jhmdb_split(folder, action, parts, number=1):
    """parts: clip to 1 (train) or 2 (val)."""
    file = folder / "sub_splits" / f"{action}_test_split{number}.txt"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f"{clip}.avi {part}\n" for clip, part in parts.items()))
