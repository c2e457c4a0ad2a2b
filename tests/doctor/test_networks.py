"""Devices and scan backends: against PyTorch and the registry."""

import torch

from posecli.doctor import networks
from posecli.nn.scan import backends


def test_every_scan_backend_is_there_with_its_reason():
    found = {finding.name: finding for finding in networks.scan_backends()}
    for backend in backends():
        assert found[backend.name].status == ("ok" if backend.available else "missing")
        if backend.reason:
            assert found[backend.name].detail.startswith(backend.reason[:20])
    assert found["torch"].status == "ok"


def test_the_backend_that_was_asked_for_is_told(monkeypatch):
    monkeypatch.setenv("POSECLI_SCAN_BACKEND", "torch")
    found = {finding.name: finding for finding in networks.scan_backends()}
    assert found["on a CPU"].detail == "torch is used"


def test_devices_are_those_of_pytorch():
    names = [finding.name for finding in networks.devices() if finding.status == "ok"]
    assert names[0] == "cpu"
    assert len([name for name in names if name.startswith("cuda:")]) == torch.cuda.device_count()


def test_pytorch_is_told():
    (finding,) = networks.pytorch()
    assert torch.__version__ in finding.detail
