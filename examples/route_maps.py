"""Draws what each scanning route of GLSMamba answers to, on a person of a clip (as the paper's Fig. 3).

    posecli estimate clip.mp4 -o poses.json
    python examples/route_maps.py clip.mp4 poses.json -o maps.png --frame 40

One row a frame of the window; columns: the crop, then the sum of each route and its reverse (unified, space, time), and
their merge. Bright is where the features are strong: the norm over channels, less each map's median, on a scale
shared by a column.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from posecli.formats import read_poses
from posecli.geometry.crop import CropBox, crop_affine, warp
from posecli.nn.gsm import SpaceTimeScan
from posecli.nn.pose_model import PoseModel
from posecli.nn.routes import merge_pairs
from posecli.types import FloatArray, Image
from posecli.video import open_source
from posecli.weights.models import load_model

OPACITY = 0.6
BRIGHTEST = 99.5  # percentile that gets the brightest colour: single cells must not darken the rest


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clip", type=Path)
    parser.add_argument("poses", type=Path, help="of posecli estimate: where the person is")
    parser.add_argument("-o", "--output", type=Path, required=True, help="a .png")
    parser.add_argument("--model", default="glsmamba-t", help="a name, or a file that posecli train wrote")
    parser.add_argument("--frame", type=int, default=0, help="the middle frame of the window")
    parser.add_argument("--person", type=int, help="track id (default: the largest person of that frame)")
    parser.add_argument("--block", type=int, default=-1, help="which GSM block (default: the last)")
    arguments = parser.parse_args()
    model = load_model(arguments.model).model
    box = find_person(arguments.poses, arguments.frame, arguments.person)
    crops = crop_window(arguments.clip, arguments.frame, box, model)
    names, maps_RTHW = route_maps(model, crops, arguments.block)
    cv2.imwrite(str(arguments.output), sheet(crops, names, maps_RTHW)[..., ::-1])


def find_person(file: Path, frame: int, person: int | None) -> FloatArray:
    """The box (4,) of a person on a frame, pixels."""
    poses = next((p for p in read_poses(file).frames if p.frame_index == frame and len(p)), None)
    if poses is None:
        raise SystemExit(f"{file}: nobody on frame {frame}; choose another --frame")
    if person is None:
        return poses.tracks.xyxy[np.argmax(np.prod(poses.tracks.xyxy[:, 2:] - poses.tracks.xyxy[:, :2], 1))]
    if person not in poses.tracks.ids:
        raise SystemExit(f"{file}: person {person} is not on frame {frame}; there are {poses.tracks.ids}")
    return poses.tracks.xyxy[poses.tracks.ids.tolist().index(person)]


def crop_window(clip: Path, middle: int, box: FloatArray, model: PoseModel) -> Image:
    """(T, height, width, 3) crops of a window's frames, with the middle frame's box; ends repeat the nearest."""
    config = model.config.input
    size = (config.height, config.width)
    affine = crop_affine(CropBox.from_xyxy(box, size, config.box_scale), size)
    first = middle - config.frames // 2
    with open_source(clip) as source:
        frames = [frame.image for frame in islice(source.frames(), max(first, 0), first + config.frames)]
    frames = [frames[0]] * -min(first, 0) + frames
    frames += [frames[-1]] * (config.frames - len(frames))
    return np.stack([warp(image, affine, size) for image in frames])


@torch.inference_mode()
def route_maps(model: PoseModel, crops: Image, block: int) -> tuple[list[str], FloatArray]:
    """The routes' names and the strength of their features (routes + 1, T, H, W); the last is their merge."""
    scan = model.temporal.gsm[block].scan
    assert isinstance(scan, SpaceTimeScan)
    seen: dict[str, Tensor] = {}

    def keep(name: str) -> Callable[[nn.Module, Any, Tensor], None]:
        def hook(module: nn.Module, inputs: Any, output: Tensor) -> None:
            seen[name] = output

        return hook

    hooks = [scan.s6.register_forward_hook(keep("scans")), scan.register_forward_hook(keep("merged"))]
    model(torch.from_numpy(crops)[None])
    for hook in hooks:
        hook.remove()
    merged_THWD = seen["merged"][0]
    routes = [pair[0].reshape(merged_THWD.shape) for pair in merge_pairs(seen["scans"])]
    maps_RTHW = torch.stack([features.norm(dim=-1) for features in (*routes, merged_THWD)])
    return [*scan.config.routes, "merged"], maps_RTHW.float().numpy()


def sheet(crops: Image, names: list[str], maps_RTHW: FloatArray) -> Image:
    """A picture of all maps over their crops, with a line of titles."""
    width = crops.shape[2]
    columns = [np.concatenate(list(crops))]
    for maps_THW in maps_RTHW:
        rising = maps_THW - np.median(maps_THW, axis=(1, 2), keepdims=True)
        shares = np.clip(rising / max(float(np.percentile(rising, BRIGHTEST)), 1e-6), 0, 1)
        columns.append(
            np.concatenate([overlay(crop, share) for crop, share in zip(crops, shares, strict=True)])
        )
    titles = np.full((24, width * len(columns), 3), 255, np.uint8)
    for place, name in enumerate(["crop", *names]):
        cv2.putText(
            titles, name, (place * width + 6, 17), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1, cv2.LINE_AA
        )
    return np.concatenate([titles, np.concatenate(columns, axis=1)])


def overlay(crop: Image, share_HW: NDArray[np.float32]) -> Image:
    """A map of shares in 0..1, as colours over a crop."""
    smooth = cv2.resize(share_HW, crop.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    colors = cv2.applyColorMap((np.clip(smooth, 0, 1) * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)[
        ..., ::-1
    ]
    return (crop * (1 - OPACITY) + colors * OPACITY).astype(np.uint8)


if __name__ == "__main__":
    main()
