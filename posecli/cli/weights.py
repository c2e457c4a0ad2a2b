"""`posecli models info|verify|pull|import`: files of weights."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from posecli.cli.checks import check_output
from posecli.cli.models import models
from posecli.cli.options import ForceOption
from posecli.errors import PosecliError

WeightsArgument = Annotated[
    str, typer.Argument(metavar="MODEL", help="glsmamba-t or detector, which come with posecli; or a file.")
]
HashOption = Annotated[
    str | None, typer.Option("--sha256", metavar="HEX", help="What the file must hash to.")
]


@models.command("info")
def info(
    model: WeightsArgument,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what a file of weights is: for which network, how many parameters, its SHA-256.

    Example: posecli models info glsmamba-t
    """
    from posecli.weights.examine import examine

    weights = examine(model)
    found = asdict(weights) | {"path": str(weights.path)}
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    for name, value in found.items():
        typer.echo(f"{name}\t{value}")


@models.command("verify")
def verify(model: WeightsArgument, sha256: HashOption = None) -> None:
    """Check that weights are whole, fit their network and are finite. The exit code is 1 if not.

    Where a SHA256SUMS beside them names them, as for those that come with posecli, their hash must fit too.

    Example: posecli models verify vitpose-b.pth
    """
    from posecli.weights.examine import examine
    from posecli.weights.sums import stated_sha256

    found = examine(model)
    wanted = sha256 or stated_sha256(found.path)
    if wanted is not None and found.sha256 != wanted.lower():
        raise PosecliError(f"{found.path}: SHA-256 {found.sha256} instead of {wanted.lower()}")
    typer.echo(f"{found.path}: {found.kind}, {found.sha256}")


@models.command("pull")
def pull(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="One of ViTPose's names, or OWNER/NAME of the hub.")
    ],
    file: Annotated[
        str | None,
        typer.Option("--file", metavar="PATH", help="In the repository; model.safetensors unless given."),
    ] = None,
    revision: Annotated[str | None, typer.Option(metavar="COMMIT", help="Exactly these bytes.")] = None,
    sha256: HashOption = None,
    update: Annotated[
        bool, typer.Option("--update", help="What the hub has now, instead of what was first fetched.")
    ] = False,
) -> None:
    """Fetch weights from the Hugging Face hub into its cache, and print where they are.

    ViTPose's names are pinned to a commit. For others the first pull records commit and SHA-256, and later ones give
    the same bytes or fail.

    HF_ENDPOINT names a mirror, HF_HUB_OFFLINE=1 tries no connection, HF_HOME is the cache; what was begun goes on.

    Example: posecli models pull vitpose-base
    """
    from posecli.weights.hub import VITPOSE_FILES, HubFile
    from posecli.weights.hub import pull as fetch

    known = VITPOSE_FILES.get(name)
    if known is None and "/" not in name:
        raise PosecliError(f"{name}: unknown; known are {', '.join(VITPOSE_FILES)}; or give OWNER/NAME")
    wanted = known or HubFile(repo_id=name)
    if update or file or revision or sha256:  # what is asked for is not what posecli has pinned
        wanted = HubFile(
            repo_id=wanted.repo_id, filename=file or wanted.filename, revision=revision, sha256=sha256
        )
    typer.echo(fetch(wanted.repo_id, wanted.filename, wanted.revision, wanted.sha256, update=update))


@models.command("import")
def import_(
    source: Annotated[
        Path, typer.Argument(metavar="FILE", help="A ViTPose checkpoint, in any of the three spellings.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The .safetensors file to write.")
    ],
    force: ForceOption = False,
) -> None:
    """Write a ViTPose checkpoint as safetensors, which cannot hold code, in posecli's own spelling.

    Example: posecli models import vitpose-b.pth -o vitpose-b.safetensors
    """
    from posecli.weights.examine import import_vitpose

    check_output(output, source, what="weights file", force=force)
    import_vitpose(source, output)
