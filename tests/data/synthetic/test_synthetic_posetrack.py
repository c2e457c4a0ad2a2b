import json
from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest

from posecli.data.posetrack18 import load_posetrack18
from posecli.data.synthetic import posetrack
from posecli.data.synthetic.film import FilmFrame
from posecli.data.synthetic.posetrack import label_flags, write_dataset
from posecli.data.synthetic.render import SyntheticFrame
from posecli.errors import PosecliError
from posecli.skeletons import POSETRACK18

SIZE = (128, 96)
FRAMES = 3
SMALL = {"train": 2, "val": 1, "frames": FRAMES, "size": SIZE}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "synthetic"
    write_dataset(folder, **SMALL, seed=4)
    return folder


def labels_of(folder):
    return {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("annotations/*/*.json"))}


def files_of(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def annotations_of(folder):
    return [a for content in labels_of(folder).values() for a in content["annotations"]]


def test_the_folders_are_those_of_posetrack_2018(dataset):
    pictures = [f"{i:06d}.jpg" for i in range(FRAMES)]
    for split, end, sequences in (("train", "train", ["000001", "000002"]), ("val", "test", ["500001"])):
        names = [f"{number}_mpii_{end}" for number in sequences]
        assert sorted(p.name for p in (dataset / "annotations" / split).iterdir()) == [
            f"{n}.json" for n in names
        ]
        assert sorted(p.name for p in (dataset / "images" / split).iterdir()) == names
        for name in names:
            assert sorted(p.name for p in (dataset / "images" / split / name).iterdir()) == pictures
    assert [p.name for p in dataset.parent.iterdir()] == ["synthetic"]


def test_images_are_numbered_and_named_as_posetrack_does(dataset):
    for name, content in labels_of(dataset).items():
        number = name[:6]
        for index, image in enumerate(content["images"]):
            assert image["id"] == image["frame_id"] == int("1" + number + f"{index:04d}")
            assert image["vid_id"] == number
            assert image["nframes"] == FRAMES
            assert image["is_labeled"] is True
            assert image["file_name"].split("/")[2:] == [name, f"{index:06d}.jpg"]
            assert cv2.imread(str(dataset / image["file_name"])).shape == (SIZE[1], SIZE[0], 3)
            for x, y in zip(image["ignore_regions_x"], image["ignore_regions_y"], strict=True):
                assert len(x) == len(y) >= 3
        (category,) = content["categories"]
        assert tuple(category["keypoints"]) == POSETRACK18.keypoints


def test_annotations_are_complete_and_consistent(dataset):
    annotations = annotations_of(dataset)
    assert len({a["id"] for a in annotations}) == len(annotations) > 12
    for annotation in annotations:
        keypoints = np.array(annotation["keypoints"]).reshape(17, 3)
        labelled = keypoints[:, 2] > 0
        assert annotation["num_keypoints"] == labelled.sum() >= 3
        assert "scores" not in annotation
        assert not keypoints[~labelled].any()
        assert not labelled[[POSETRACK18.index("left_ear"), POSETRACK18.index("right_ear")]].any()
        assert np.all(keypoints[labelled, :2] >= 0)
        assert np.all(keypoints[labelled, :2] <= [SIZE[0] - 1, SIZE[1] - 1])
        x, y, width, height = annotation["bbox_head"]
        for name in ("head_bottom", "head_top"):
            joint = keypoints[POSETRACK18.index(name)]
            if joint[2]:
                assert x - 0.02 <= joint[0] <= x + width + 0.02
                assert y - 0.02 <= joint[1] <= y + height + 0.02
        # Joints lie inside the body, and so in its box.
        x, y, width, height = annotation["bbox"]
        seen = keypoints[keypoints[:, 2] == 2]
        assert np.all((seen[:, :2] >= [x - 1, y - 1]) & (seen[:, :2] <= [x + width + 1, y + height + 1]))


def test_a_track_is_one_person_that_moves_on(dataset):
    for content in labels_of(dataset).values():
        tracks = {}
        for annotation in content["annotations"]:
            tracks.setdefault(annotation["track_id"], []).append(annotation)
        assert len(tracks) >= 2
        assert {a["person_id"] for a in content["annotations"]} == set(tracks)
        for track in tracks.values():
            heads = [
                (a["image_id"], np.array(a["bbox_head"][:2]) + np.array(a["bbox_head"][2:]) / 2)
                for a in track
            ]
            for (image, head), (next_image, next_head) in pairwise(heads):
                if next_image == image + 1:
                    assert np.linalg.norm(next_head - head) < 0.15 * SIZE[0]


def test_our_own_reader_reads_what_is_written(dataset):
    for split, count in (("train", 2), ("val", 1)):
        footage = load_posetrack18(dataset, split)
        assert len(footage) == count
        for sequence in footage:
            written = labels_of(dataset)[sequence.name.rpartition("/")[2]]
            assert len(sequence) == FRAMES
            assert all(frame.labelled for frame in sequence.frames)
            people = [p for index in range(FRAMES) for p in sequence.people.get(index, ())]
            assert len(people) == len(written["annotations"])
            first, told = people[0], written["annotations"][0]
            labelled = np.array(told["keypoints"]).reshape(17, 3)
            np.testing.assert_allclose(first.keypoints, labelled[:, :2], atol=1e-3)
            np.testing.assert_array_equal(first.labelled, labelled[:, 2] > 0)
            assert first.head_box is not None
            regions = sum(len(image["ignore_regions_x"]) for image in written["images"])
            assert sum(len(polygons) for polygons in sequence.ignored.values()) == regions


def frame_with(points, visible):
    """A film's frame, 100 x 80 pixels, with one person."""
    drawn = SyntheticFrame(
        np.zeros((80, 100, 3), np.uint8), np.array([points], np.float32), np.array([visible]),
        np.zeros((1, 4), np.float32), np.array([1]), np.zeros((80, 100), np.uint8), np.ones(1, np.float32),
    )  # fmt: skip
    return FilmFrame(drawn, np.zeros((1, 4), np.float32), ())


@pytest.mark.parametrize(
    ("hidden", "outside", "flags"),
    [
        ([], [], {"left_wrist": 2, "left_elbow": 2, "left_ear": 0}),
        (["left_wrist"], [], {"left_wrist": 1, "left_elbow": 2}),  # told from the elbow
        (["left_wrist", "left_elbow"], [], {"left_wrist": 0, "left_elbow": 1, "left_shoulder": 2}),
        (["left_knee"], [], {"left_knee": 1, "left_ankle": 2}),
        ([], ["left_ankle"], {"left_ankle": 0, "left_knee": 2}),
        (["left_knee"], ["left_ankle", "left_hip"], {"left_ankle": 0, "left_knee": 0, "left_hip": 0}),
    ],
)
def test_the_rule_of_what_is_labelled(hidden, outside, flags):
    points = np.full((17, 2), 40.0)
    visible = np.ones(17, bool)
    for name in (*hidden, *outside):
        visible[POSETRACK18.index(name)] = False
    for name in outside:
        points[POSETRACK18.index(name)] = (40.0, 79.5)
    got = label_flags(frame_with(points, visible))[0]
    assert {name: got[POSETRACK18.index(name)] for name in flags} == flags


def test_the_same_arguments_give_the_same_files_whatever_the_number_of_processes(dataset, tmp_path):
    write_dataset(tmp_path / "again", **SMALL, seed=4, workers=2)
    assert files_of(tmp_path / "again") == files_of(dataset)


def test_a_split_does_not_depend_on_the_other_and_another_seed_is_another_dataset(dataset, tmp_path):
    settings = SMALL | {"train": 0}
    write_dataset(tmp_path / "val", **settings, seed=4)
    write_dataset(tmp_path / "other", **settings, seed=5)
    wanted = {name: data for name, data in files_of(dataset).items() if "/val/" in name}
    assert files_of(tmp_path / "val") == wanted
    assert not set(files_of(tmp_path / "other").values()) & set(wanted.values())


def test_a_folder_with_something_in_it_is_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(PosecliError, match="not an empty folder"):
        write_dataset(tmp_path, **SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_what_was_not_finished_leaves_nothing_behind(tmp_path, monkeypatch):
    def stop(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(posetrack, "_make", stop)
    with pytest.raises(KeyboardInterrupt):
        write_dataset(tmp_path / "synthetic", **SMALL)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "wrong", [{"train": 0, "val": 0}, {"frames": 0}, {"size": (320, 20)}, {"workers": 0}, {"val": -1}]
)
def test_numbers_that_make_no_sense_are_refused(tmp_path, wrong):
    with pytest.raises(PosecliError, match="at least"):
        write_dataset(tmp_path / "synthetic", **(SMALL | wrong))


def test_too_few_labels_are_no_annotation():
    points, visible = np.full((17, 2), 40.0), np.zeros(17, bool)
    visible[POSETRACK18.index("left_wrist")] = True  # its elbow is told from it: two labels
    frame = frame_with(points, visible)
    assert list(posetrack._annotations(1, frame)) == []
    visible[POSETRACK18.index("nose")] = True
    shown = replace(frame, drawn=replace(frame.drawn, visible=np.array([visible])))
    (annotation,) = posetrack._annotations(1, shown)
    assert annotation["num_keypoints"] == 5  # and head_top and head_bottom from the nose
