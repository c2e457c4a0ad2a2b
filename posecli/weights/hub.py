"""Checkpoints from the Hugging Face hub, kept in the hub's own cache and found there without a network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from posecli.errors import PosecliError
from posecli.weights.lock import Pin, read_pins, write_pin


@dataclass(frozen=True, kw_only=True, slots=True)
class HubFile:
    """A file on the hub, pinned by its commit, and by its hash where that is known."""

    repo_id: str
    filename: str = "model.safetensors"
    revision: str | None = None  # a commit's hash; None: whatever "main" is when it is fetched
    sha256: str | None = None


# ViTPose for COCO's 17 keypoints on 256 x 192 crops, in the spelling of transformers. Commits and hashes are what
# public projects recorded that use these files; no machine of ours has reached the hub.
# vitpose-base-simple has the simple head (768 channels before the last layer), the others the classic one (256).
VITPOSE_FILES: dict[str, HubFile] = {
    "vitpose-base-simple": HubFile(
        repo_id="usyd-community/vitpose-base-simple",
        revision="a93ac0c67e0b7e2c55287d21d4c460c8f3c54d45",
        sha256="85375373893ddd3641f3912821073e53f5435f9e966e1dca59d004454bfe4fdf",
    ),
    "vitpose-base": HubFile(
        repo_id="usyd-community/vitpose-base", revision="95be2991424e646950d656bb7fc15ec9be119700"
    ),
    "vitpose-base-coco-aic-mpii": HubFile(
        repo_id="usyd-community/vitpose-base-coco-aic-mpii",
        revision="1c97abb299207947767d028bf349c543ae06a49f",
    ),
    "vitpose-plus-small": HubFile(
        repo_id="usyd-community/vitpose-plus-small",
        revision="0c30b6534bb621af0162b481176742577264e36e",
        sha256="f7bad8ed09eeeb2a7de6b38faaa8a88d07838e23e9c06a2a782099bca7467cb9",
    ),
    "vitpose-plus-base": HubFile(
        repo_id="usyd-community/vitpose-plus-base",
        revision="92be54d7a29e42fad47b6e2ca01dd9e685a61e0d",
        sha256="640225e4a9dd544239f1da0ae36af865a6e76e21e5f33a12656aa7b77fa5a5fa",
    ),
    "vitpose-plus-large": HubFile(
        repo_id="usyd-community/vitpose-plus-large", revision="e211df377e49c89dba508ab3e83ddef13c0832b4"
    ),
    "vitpose-plus-huge": HubFile(
        repo_id="usyd-community/vitpose-plus-huge",
        revision="9f36d7aec1800d23e97f10c2e74393aee92aa53f",
        sha256="0ecb49f1ab0b18cc2f18446b8100442cec88bd99dd53779ad5a7f8c71aa08506",
    ),
}


def pull(
    repo_id: str,
    filename: str,
    revision: str | None = None,
    sha256: str | None = None,
    *,
    update: bool = False,
) -> Path:
    """The file's path in the hub's cache, downloaded if it isn't there.

    Where neither revision nor sha256 is given, the first pull records the commit and the hash that it got, and later
    ones ask for that commit and check that hash.

    Args:
        repo_id: "owner/name".
        filename: path inside the repository.
        revision: commit, tag or branch; None: what was recorded, else "main".
        sha256: what the file must hash to, in hexadecimal; None: what was recorded.
        update: record anew what "main" is now.

    Raises:
        PosecliError: huggingface_hub isn't installed, no network and not in the cache, no such repository,
            revision or file, or another hash.
    """
    if revision is not None or sha256 is not None:
        path = _fetch(repo_id, filename, revision)
        if sha256 is not None:
            _check(path, sha256)
        return path
    name = f"{repo_id}/{filename}"
    pin = None if update else read_pins().get(name)
    path = _fetch(repo_id, filename, pin.revision if pin else None)
    if pin:
        _check(path, pin.sha256)
    elif commit := _commit(path):
        from posecli.weights.files import sha256_of

        write_pin(name, Pin(commit, sha256_of(path)))
    return path


def _commit(path: Path) -> str | None:
    """The commit by which the hub's cache keeps a file: models--OWNER--NAME/snapshots/COMMIT/FILE."""
    parts = path.parts
    return parts[parts.index("snapshots") + 1] if "snapshots" in parts else None


def _fetch(repo_id: str, filename: str, revision: str | None) -> Path:
    try:
        from huggingface_hub import errors, hf_hub_download
    except ImportError:
        raise PosecliError(
            f"{repo_id}: fetching from the hub needs `pip install huggingface_hub`; or download {filename} "
            "yourself and give its path"
        ) from None
    what = f"{repo_id}/{filename}" + (f" at {revision}" if revision else "")
    try:
        return Path(hf_hub_download(repo_id, filename, revision=revision))
    except errors.LocalEntryNotFoundError:
        reason = "not in the hub's cache, and the hub cannot be reached; connect, or give the path of a file"
    except errors.GatedRepoError:
        reason = "asks for its owner's permission: accept its terms on its page, then `hf auth login`"
    except errors.RepositoryNotFoundError:
        reason = "no such repository on the hub, or a private one (`hf auth login`)"
    except errors.RevisionNotFoundError:
        reason = "the repository has no such revision"
    except errors.EntryNotFoundError:
        reason = "the repository has no such file"
    except errors.HFValidationError:
        reason = 'not the name of a repository on the hub ("owner/name")'
    except Exception as error:
        # The client lets its HTTP library's errors through, and which library that is depends on its version.
        reason = f"the download failed ({type(error).__name__}: {_first_line(error)}); try again"
    raise PosecliError(f"{what}: {reason}")


def _check(path: Path, sha256: str) -> None:
    from posecli.weights.files import sha256_of

    found = sha256_of(path)
    if found != sha256.lower():
        raise PosecliError(
            f"{path}: SHA-256 {found} instead of {sha256.lower()}: damaged or replaced; delete it and retry"
        )


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
