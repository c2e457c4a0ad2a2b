"""What a frozen encoder says of every window of a dataset, kept on disk: later epochs train without running it.

A cache is a folder of memory-mapped arrays, one row a window. Its name is a hash of all that shapes its content:
the encoder's weights, the windows and their labels, the crop. It appears whole or not at all.

Shapes: B windows of a batch, N all windows, T frames, C channels, K keypoints, k the encoder's keypoints, H and W
height and width.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from numpy.lib.format import open_memmap
from torch import Tensor
from torch.utils.data import Dataset

from posecli.data.footage import Footage
from posecli.data.mixture import Key
from posecli.data.windows import SequenceWindows, WindowSample, make_window
from posecli.errors import PosecliError
from posecli.nn.pose_model import EncodedWindows, PoseModel
from posecli.types import FloatArray

BATCH = 8
LAYOUT = 1  # to be raised when the files change, so that older caches are made anew
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class EncodedSample:
    """A window as the encoder saw it, and its labels."""

    features_TCHW: Tensor
    heatmaps_TkHW: Tensor | None
    keypoints: FloatArray  # (T, K, 2) crop pixels
    weights: FloatArray  # (T, K)


class FeatureCache(Dataset[EncodedSample]):
    """The windows of a finished cache, by Key."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        about = json.loads((folder / "about.json").read_text("utf-8"))
        self._length, self._dtype = int(about["windows"]), getattr(torch, about["dtype"])
        self._arrays: dict[str, np.ndarray] = {}

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, key: Key) -> EncodedSample:
        has_heatmaps = (self._folder / "heatmaps.npy").is_file()
        return EncodedSample(
            self._row("features", key.index).view(self._dtype),
            self._row("heatmaps", key.index).view(self._dtype) if has_heatmaps else None,
            self._row("keypoints", key.index).numpy(),
            self._row("weights", key.index).numpy(),
        )

    def _row(self, name: str, index: int) -> Tensor:
        """Opened by each worker process for itself."""
        if name not in self._arrays:
            self._arrays[name] = np.load(self._folder / f"{name}.npy", mmap_mode="r")
        return torch.from_numpy(np.array(self._arrays[name][index]))


def stack_encoded(samples: Sequence[EncodedSample]) -> dict[str, Tensor]:
    """A batch as TemporalTask.loss takes it."""
    batch = {"features_BTCHW": torch.stack([sample.features_TCHW for sample in samples])}
    heatmaps = [sample.heatmaps_TkHW for sample in samples if sample.heatmaps_TkHW is not None]
    return batch | ({"heatmaps_BTkHW": torch.stack(heatmaps)} if heatmaps else {})


def cached_features(
    model: PoseModel,
    sequences: Sequence[Footage],
    windows: SequenceWindows,
    stride: int,
    root: Path,
    bf16: bool,
    say: Say,
) -> FeatureCache:
    """The cache of these windows, made now if it is not there.

    Args:
        model: with its encoder's weights, on the device that is to encode.
        sequences: what the windows are of, in the model's skeleton.
        stride: frames from one to the next of a window.
        root: folder of caches.
        bf16: run the encoder under autocast as training does, and keep bf16; else keep fp16.
        say: told how much disk is needed, before it is used, and how far things are.

    Raises:
        PosecliError: the disk has too little room, a picture cannot be read, or fp16 cannot hold a feature.
    """
    folder = root / f"features-{_digest(model, sequences, windows, (stride, bf16))[:16]}"
    first = not dist.is_initialized() or dist.get_rank() == 0
    if first and not folder.is_dir():
        _build(model, windows, folder, bf16, say)
    if dist.is_initialized():
        dist.barrier()
    if not folder.is_dir():
        raise PosecliError(f"{folder}: not there; all processes need the same --cache folder")
    return FeatureCache(folder)


def _digest(
    model: PoseModel, sequences: Sequence[Footage], windows: SequenceWindows, settings: tuple[int, bool]
) -> str:
    config, digest = model.config, hashlib.sha256()
    shape = [config.skeleton, config.temporal.output, config.temporal.base_heatmaps]
    labels = [windows.key(index) for index in range(len(windows))]
    parts = [LAYOUT, asdict(config.encoder), asdict(config.input), shape, settings, labels]
    digest.update(json.dumps(parts).encode())
    for name, tensor in sorted(model.encoder.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    for sequence in sequences:
        _add_footage(digest, sequence)
    return digest.hexdigest()


def _add_footage(digest: hashlib._Hash, sequence: Footage) -> None:
    """Names and labels; of the pictures only the first one's size and date, for there may be very many."""
    first = sequence.frames[0].path
    status = first.stat() if first.is_file() else None
    digest.update(repr((sequence.name, first.name, status and (status.st_size, status.st_mtime_ns))).encode())
    digest.update("\n".join(frame.name for frame in sequence.frames).encode())
    for place, people in sorted(sequence.people.items()):
        for person in people:
            digest.update(repr((place, person.track_id, person.crowd)).encode())
            for array in (person.box, person.keypoints, person.labelled):
                digest.update(np.ascontiguousarray(array, np.float32).tobytes())


def _build(model: PoseModel, windows: SequenceWindows, folder: Path, bf16: bool, say: Say) -> None:
    part = folder.with_name(f"{folder.name}.{os.getpid()}.part")
    try:
        part.mkdir(parents=True)
        _fill(model, windows, part, bf16, say)
        try:
            part.rename(folder)
        except OSError:
            if not folder.is_dir():  # else another run has made the same one in the meantime
                raise
    except OSError as error:
        raise PosecliError(f"{folder}: can't be written ({error.strerror})") from None
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _fill(model: PoseModel, windows: SequenceWindows, folder: Path, bf16: bool, say: Say) -> None:
    dtype = torch.bfloat16 if bf16 else torch.float16
    writer: _Writer | None = None
    said = 0
    for start in range(0, len(windows), BATCH):
        samples = [_sample(model, windows, i) for i in range(start, min(start + BATCH, len(windows)))]
        encoded = _encode(model, samples, bf16)
        if writer is None:
            writer = _Writer(folder, len(windows), encoded, samples[0], dtype)
            writer.check_room(say)
        writer.put(start, encoded, samples)
        quarter = 4 * (start + len(samples)) // len(windows)
        if quarter > said:
            said = quarter
            say(f"features: {25 * quarter} %")
    if writer is not None:
        writer.flush()
    about = {"windows": len(windows), "dtype": str(dtype).removeprefix("torch.")}
    (folder / "about.json").write_text(json.dumps(about), "utf-8")


def _sample(model: PoseModel, windows: SequenceWindows, index: int) -> WindowSample:
    size = (model.config.input.height, model.config.input.width)
    rng = np.random.default_rng(0)  # nothing is drawn: there is one stride and no augmentation
    return make_window(windows.load(index, rng), size, rng, skeleton=model.config.joints)


@torch.no_grad()
def _encode(model: PoseModel, samples: Sequence[WindowSample], bf16: bool) -> EncodedWindows:
    device = next(model.parameters()).device
    images_BTHWC = torch.from_numpy(np.stack([sample.images for sample in samples])).to(device)
    was_training = model.training
    model.eval()
    with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
        encoded = model.encode(images_BTHWC)
    model.train(was_training)
    keeps_heatmaps = model.config.temporal.base_heatmaps == "encoder"
    return encoded if keeps_heatmaps else encoded._replace(heatmaps_BTKHW=None)


class _Writer:
    """The arrays of a cache that is being made; 16-bit floats as their bits, since numpy has no bf16."""

    def __init__(
        self, folder: Path, windows: int, encoded: EncodedWindows, sample: WindowSample, dtype: torch.dtype
    ) -> None:
        self._folder, self._dtype, self._windows = folder, dtype, windows
        self._shapes: dict[str, tuple[tuple[int, ...], type]] = {
            "features": (tuple(encoded.features_BTCHW.shape[1:]), np.int16),
            "keypoints": (sample.keypoints.shape, np.float32),
            "weights": (sample.weights.shape, np.float32),
        }
        if encoded.heatmaps_BTKHW is not None:
            self._shapes["heatmaps"] = (tuple(encoded.heatmaps_BTKHW.shape[1:]), np.int16)
        self._arrays: dict[str, np.memmap] = {}

    @property
    def bytes(self) -> int:
        one = sum(int(np.prod(shape)) * np.dtype(kind).itemsize for shape, kind in self._shapes.values())
        return one * self._windows

    def check_room(self, say: Say) -> None:
        """Say what is needed; then open the files.

        Raises:
            PosecliError: the disk has less.
        """
        free = shutil.disk_usage(self._folder).free
        need = f"{_size(self.bytes)} for the features of {self._windows:,} windows"
        if self.bytes > free:
            raise PosecliError(
                f"{self._folder.parent}: {need} are needed, {_size(free)} are free; choose another disk with "
                "--cache, or train without cache_features"
            )
        say(f"features: {need}, in {self._folder.parent}")
        for name, (shape, kind) in self._shapes.items():
            path = self._folder / f"{name}.npy"
            self._arrays[name] = open_memmap(path, "w+", kind, (self._windows, *shape))

    def put(self, start: int, encoded: EncodedWindows, samples: Sequence[WindowSample]) -> None:
        rows = slice(start, start + len(samples))
        self._arrays["features"][rows] = self._bits(encoded.features_BTCHW)
        if encoded.heatmaps_BTKHW is not None:
            self._arrays["heatmaps"][rows] = self._bits(encoded.heatmaps_BTKHW)
        self._arrays["keypoints"][rows] = np.stack([sample.keypoints for sample in samples])
        self._arrays["weights"][rows] = np.stack([sample.weights for sample in samples])

    def _bits(self, values: Tensor) -> np.ndarray:
        kept = values.to(self._dtype).cpu().contiguous()
        if not torch.isfinite(kept).all():
            raise PosecliError("the encoder's features do not fit into fp16: train with bf16 = true")
        return kept.view(torch.int16).numpy()

    def flush(self) -> None:
        for array in self._arrays.values():
            array.flush()


def _size(count: float) -> str:
    """Bytes as people read them."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"
