"""What a person detector is to the rest of posecli."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from posecli.types import Boxes, Image


class Detector(Protocol):
    """Finds people on pictures."""

    @property
    def name(self) -> str:
        """A short name for messages: "embedded", "yolo11n.pt"."""

    def detect(self, images: Sequence[Image]) -> list[Boxes]:
        """The people on each picture (RGB, uint8, any sizes), in pixels of that picture, best score first.

        The boxes of a picture do not depend on the pictures beside it.
        """

    def provenance(self) -> dict[str, Any]:
        """What a result file should say of the detector: its name, weights and settings. JSON values only."""
