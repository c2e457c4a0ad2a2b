"""Real pictures with human labels, laid out as whole datasets: three of PoseTrack 2018 and three of sub-JHMDB.

They lie beside the project for its developers; where they are missing, tests that need them are skipped.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

FIXTURES = Path(__file__).parents[3] / "shared" / "data" / "fixtures" / "tests_data"
needs_fixtures = pytest.mark.skipif(
    not FIXTURES.is_dir(), reason="the shared pictures are not beside the project"
)


def lay_posetrack18(folder):
    """The same pictures in both splits."""
    for split in ("train", "val"):
        shutil.copytree(FIXTURES / "posetrack18" / "annotations" / "val", folder / "annotations" / split)
    shutil.copytree(FIXTURES / "posetrack18" / "images" / "val", folder / "images" / "val")


def lay_sub_jhmdb(folder, roles=(2, 2, 2)):
    """In JHMDB's own layout, clips of one frame.

    Args:
        roles: of the clips in split 1: 1 to train on, 2 to test on.
    """
    content = json.loads((FIXTURES / "jhmdb" / "test_jhmdb_sub1.json").read_text())
    people = {person["image_id"]: person for person in content["annotations"]}
    lines = []
    for image, role in zip(content["images"], roles, strict=True):
        clip, picture = image["file_name"].split("/")
        place = folder / "Rename_Images" / "catch" / clip
        place.mkdir(parents=True)
        shutil.copy(FIXTURES / "jhmdb" / clip / picture, place)
        joints = np.array(people[image["id"]]["keypoints"]).reshape(15, 3)[:, :2]
        file = folder / "joint_positions" / "catch" / clip / "joint_positions.mat"
        file.parent.mkdir(parents=True)
        savemat(file, {"pos_img": joints.T[..., None] + 1})
        lines.append(f"{clip}.avi {role}\n")
    (folder / "sub_splits").mkdir()
    (folder / "sub_splits" / "catch_test_split1.txt").write_text("".join(lines))
