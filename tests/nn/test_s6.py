"""S6 against the recurrence written out step by step (eqs. 3 and 6)."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from posecli.errors import PosecliError
from posecli.nn.routes import route_orders
from posecli.nn.s6 import S6

GRID = (2, 2, 3)
CONFIG = S6.Config(dim=4, routes=4, state=3, dt_rank=2)


def recurrence(s6: S6, x_LD: torch.Tensor, route: int) -> torch.Tensor:
    """One route over a sequence that is already in the route's order."""
    config = s6.config
    if config.conv1d:
        weight, bias = s6.conv_weight_GDJ[route], s6.conv_bias_GD[route]
        taps = config.conv1d
        convolved = []
        for step in range(len(x_LD)):
            seen = range(max(0, step - taps + 1), step + 1)
            convolved.append(bias + sum(weight[:, taps - 1 - (step - k)] * x_LD[k] for k in seen))
        x_LD = F.silu(torch.stack(convolved))
    A_DN = -s6.A_log_GDN[route].exp()
    h_DN = torch.zeros_like(A_DN)
    outputs = []
    for x_D in x_LD:
        dt_R, B_N, C_N = (s6.in_weight_GPD[route] @ x_D).split([config.dt_rank, config.state, config.state])
        delta_D = F.softplus(dt_R @ s6.dt_weight_GRD[route] + s6.dt_bias_GD[route])
        h_DN = (delta_D[:, None] * A_DN).exp() * h_DN + (delta_D * x_D)[:, None] * B_N
        outputs.append(h_DN @ C_N + s6.D_GD[route] * x_D)
    return torch.stack(outputs)


@pytest.mark.parametrize("conv1d", [0, 4])
@pytest.mark.parametrize("state_init", ["s4d_real", "random"])
def test_equals_the_recurrence_along_every_route(conv1d, state_init):
    torch.manual_seed(0)
    s6 = S6(replace(CONFIG, conv1d=conv1d, state_init=state_init)).double()
    order_GL = route_orders(GRID, ("space", "time"))
    x_BLD = torch.randn(2, 12, 4, dtype=torch.double)
    y_BGLD = s6(x_BLD, order_GL)
    assert y_BGLD.shape == (2, 4, 12, 4)
    for window in range(2):
        for route, order_L in enumerate(order_GL):
            expected = recurrence(s6, x_BLD[window, order_L], route)
            torch.testing.assert_close(y_BGLD[window, route, order_L], expected)


def test_starts_as_mamba_does():
    s6 = S6(S6.Config(dim=64, routes=2))
    steps = F.softplus(s6.dt_bias_GD)
    assert steps.min() >= 1e-3 * 0.999
    assert steps.max() <= 0.1 * 1.001
    assert steps.std() > 0.01  # spread out, not one value
    torch.testing.assert_close(s6.A_log_GDN.exp()[1, 5], torch.arange(1.0, 17.0))
    assert (s6.D_GD == 1).all()
    assert s6.dt_weight_GRD.abs().max() <= 16**-0.5


def test_random_states_stay_in_the_range_of_the_others():
    decay = S6(S6.Config(dim=64, routes=1, state_init="random")).A_log_GDN.exp()
    assert decay.min() >= 1
    assert decay.max() <= 16
    assert decay[0, 0].unique().numel() == 16


def test_runs_in_float32_under_autocast():
    s6 = S6(CONFIG)
    order_GL = route_orders(GRID, ("unified", "time"))
    x_BLD = torch.randn(1, 12, 4).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        y_BGLD = s6(x_BLD, order_GL)
    assert y_BGLD.dtype == torch.float32
    assert torch.equal(y_BGLD, s6(x_BLD.float(), order_GL))


def test_offers_only_mambas_convolution():
    with pytest.raises(PosecliError, match="conv1d"):
        S6.Config(dim=4, routes=2, conv1d=3)


def test_has_the_papers_number_of_parameters():
    assert sum(p.numel() for p in S6(S6.Config(dim=256, routes=1)).parameters()) == 20_992
