"""NumPy archives whose arrays lie, run code or unpack to gigabytes."""

from __future__ import annotations

import io
import random
import zipfile

import numpy as np

from benchmarks.fuzz.damage import Damage
from benchmarks.fuzz.hostile import Evil


def _claims_billions(data: bytes, rng: random.Random) -> bytes:
    """An array whose header promises more than the file holds."""
    shape = rng.choice(((10**9, 17, 2), (2**62, 2**62), (-1,), (0,), (10**10,)))
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}"
    array = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode()
    return _with_member(data, rng, array)


def _pickled(data: bytes, rng: random.Random) -> bytes:
    """An array of Python objects, which only unpickling can read: it would write a file."""
    array = io.BytesIO()
    np.save(array, np.array([Evil()], object), allow_pickle=True)
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


NPZ_HARMS: dict[str, Damage] = {
    "arrays that claim billions": _claims_billions,
    "pickled objects": _pickled,
    "zeros packed small": _packed_zeros,
}
