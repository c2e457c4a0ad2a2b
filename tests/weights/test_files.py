import hashlib
import io
import os
import pickle
import stat
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from posecli.errors import PosecliError
from posecli.weights.files import load_metadata, load_tensors, save_tensors, sha256_of

TENSORS = {"a": torch.arange(6.0).reshape(2, 3), "b.c": torch.tensor(7)}


def same(found, expected):
    return found.keys() == expected.keys() and all(torch.equal(found[name], expected[name]) for name in found)


def torch_file(value, zipped=True):
    buffer = io.BytesIO()
    torch.save(value, buffer, _use_new_zipfile_serialization=zipped)
    return buffer.getvalue()


def test_safetensors_round_trip(tmp_path):
    path = tmp_path / "a.safetensors"
    save_tensors(path, TENSORS, {"license": "Apache-2.0"})
    assert same(load_tensors(path), TENSORS)
    assert load_metadata(path) == {"license": "Apache-2.0"}
    with safe_open(path, "pt") as file:  # an ordinary file of the format, not one for us alone
        assert torch.equal(file.get_tensor("a"), TENSORS["a"])


def test_the_name_does_not_decide_the_kind(tmp_path):
    save_tensors(tmp_path / "a.pth", TENSORS)
    (tmp_path / "b.safetensors").write_bytes(torch_file(TENSORS))
    assert same(load_tensors(tmp_path / "a.pth"), TENSORS)
    assert same(load_tensors(tmp_path / "b.safetensors"), TENSORS)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize(
    "value",
    [
        TENSORS,
        {"state_dict": TENSORS, "epoch": 3, "meta": {"classes": ["person"]}},
        {"model": TENSORS, "step": 1},
    ],
)
def test_torch_files_with_and_without_a_wrapper(tmp_path, value, zipped):
    path = tmp_path / "a.pth"
    path.write_bytes(torch_file(value, zipped))
    assert same(load_tensors(path), TENSORS)


def test_parameters_come_without_their_graph(tmp_path):
    path = tmp_path / "a.pth"
    torch.save(
        torch.nn.ParameterDict({"a": torch.nn.Parameter(torch.ones(2))}).state_dict(keep_vars=True), path
    )
    assert not load_tensors(path)["a"].requires_grad


class MakeFolder:
    """Unpickled, it makes a folder: the harmless twin of what an attacker would do."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("zipped", [True, False])
def test_code_in_a_pickle_is_refused_and_does_not_run(tmp_path, zipped):
    mark = tmp_path / "ran"
    checkpoint = {"state_dict": TENSORS, "meta": MakeFolder(mark)}
    path = tmp_path / "evil.pth"
    path.write_bytes(torch_file(checkpoint, zipped))
    with pytest.raises(PosecliError, match=r"evil\.pth: refused: it holds code or objects.*mkdir"):
        load_tensors(path)
    assert not mark.exists()
    torch.load(path, weights_only=False)  # the trap works: this is what was not done
    assert mark.exists()


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_a_bare_pickle_with_code_is_refused(tmp_path, protocol):
    mark = tmp_path / "ran"
    path = tmp_path / "evil.pth"
    path.write_bytes(pickle.dumps({"a": MakeFolder(mark)}, protocol))
    with pytest.raises(PosecliError, match=r"evil\.pth: "):
        load_tensors(path)
    assert not mark.exists()


def test_a_pickled_module_is_refused(tmp_path):
    path = tmp_path / "module.pth"
    torch.save(torch.nn.Linear(2, 2), path)
    with pytest.raises(PosecliError, match=r"refused.*torch\.nn\.modules\.linear\.Linear"):
        load_tensors(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"\x80", "truncated or damaged|truncated, damaged"),
        (b"hello", "not a checkpoint"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "not a checkpoint"),
        (b"<!DOCTYPE html><html></html>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS pointer"),
        (torch_file(3), "holds no tensors by name, but int"),
        (torch_file([torch.ones(1)]), "holds no tensors by name, but list"),
        (torch_file({}), "holds no tensors"),
        (torch_file({"a": torch.ones(1), "b": 1, "c": 2}), "2 of its 3 entries are no tensors"),
    ],
)
def test_what_is_no_checkpoint_is_said_so(tmp_path, content, message):
    path = tmp_path / "a.pth"
    path.write_bytes(content)
    with pytest.raises(PosecliError, match=f"a\\.pth: .*({message})"):
        load_tensors(path)


def test_a_zip_of_something_else_is_no_checkpoint(tmp_path):
    path = tmp_path / "a.pth"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("word/document.xml", "<w/>")
    with pytest.raises(PosecliError, match="not a checkpoint of PyTorch"):
        load_tensors(path)


@pytest.mark.parametrize("kind", ["safetensors", "zip", "pickle"])
def test_every_truncation_is_one_line(tmp_path, kind):
    path = tmp_path / "a.bin"
    if kind == "safetensors":
        save_tensors(path, TENSORS)
        whole = path.read_bytes()
    else:
        whole = torch_file(TENSORS, kind == "zip")
    for length in sorted({0, 1, 4, 8, 9, 10, 60, *range(100, len(whole), 37), len(whole) - 1}):
        path.write_bytes(whole[:length])
        with pytest.raises(PosecliError, match=r"a\.bin: ") as error:
            load_tensors(path)
        assert "\n" not in str(error.value)


def test_missing_files_and_folders(tmp_path):
    for read in (load_tensors, load_metadata, sha256_of):
        with pytest.raises(PosecliError, match=r"none\.pth: no such file"):
            read(tmp_path / "none.pth")
        with pytest.raises(PosecliError, match="a folder, not a checkpoint"):
            read(tmp_path)


def test_metadata_of_another_kind_of_file(tmp_path):
    path = tmp_path / "a.pth"
    path.write_bytes(torch_file(TENSORS))
    with pytest.raises(PosecliError, match="not a whole safetensors file"):
        load_metadata(path)
    save_tensors(path, TENSORS)
    assert load_metadata(path) == {}


def test_shared_and_strided_tensors_are_saved(tmp_path):
    base = torch.arange(12.0).reshape(3, 4)
    tensors = {"base": base, "same": base, "transposed": base.mT, "column": base[:, 1]}
    save_tensors(tmp_path / "a.safetensors", tensors)
    assert same(load_tensors(tmp_path / "a.safetensors"), tensors)


def test_saving_replaces_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "a.safetensors"
    save_tensors(path, TENSORS)
    before = path.read_bytes()

    def disk_full(tensors, filename, metadata):
        Path(filename).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("posecli.weights.files.save_file", disk_full)
        with pytest.raises(PosecliError, match=r"a\.safetensors: cannot be written .*No space left"):
            save_tensors(path, {"a": torch.zeros(2)})
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
    save_tensors(path, {"a": torch.zeros(2)})
    assert same(load_tensors(path), {"a": torch.zeros(2)})
    assert list(tmp_path.iterdir()) == [path]


def test_saving_into_no_folder(tmp_path):
    with pytest.raises(PosecliError, match="cannot be written"):
        save_tensors(tmp_path / "none" / "a.safetensors", TENSORS)


@pytest.mark.skipif(os.name != "posix", reason="permission bits are POSIX's")
def test_others_may_read_what_the_umask_allows(tmp_path):
    (tmp_path / "ordinary").touch()
    save_tensors(tmp_path / "a.safetensors", TENSORS)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert len(modes) == 1


def test_sha256(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    # FIPS 180-2, appendix B.1
    assert sha256_of(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    path.write_bytes(bytes(range(256)) * 5000)
    assert sha256_of(path) == hashlib.sha256(path.read_bytes()).hexdigest()
