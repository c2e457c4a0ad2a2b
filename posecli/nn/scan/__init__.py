"""The selective state space scan: one definition, several backends (see docs/scan.md)."""

from posecli.nn.scan.api import scan_routes, selective_scan
from posecli.nn.scan.registry import BackendStatus, backends, resolve

__all__ = ["BackendStatus", "backends", "resolve", "scan_routes", "selective_scan"]
