"""Filters by name."""

import pytest

from posecli.errors import UsageError
from posecli.smooth import FILTERS, make_chain
from posecli.smooth.butterworth import Butterworth
from posecli.smooth.fill import Fill
from posecli.smooth.savitzky_golay import SavitzkyGolay


def test_names_and_parameters():
    chain = make_chain(
        ["fill:max_gap=9,method=linear", "butterworth:cutoff=4.5", "savitzky-golay:weighted=true"]
    )
    assert chain.filters == (
        Fill(max_gap=9, method="linear"),
        Butterworth(cutoff=4.5),
        SavitzkyGolay(weighted=True),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kalman", "filter kalman: unknown; known are fill, hampel, median"),
        ("", "filter : unknown"),
        (
            "butterworth:cutof=6",
            "filter butterworth: 'cutof=6' is no parameter of it; they are cutoff=, order=",
        ),
        ("butterworth:6", "'6' is no parameter of it"),
        ("butterworth:cutoff=fast", "filter butterworth: cutoff must be a number, not 'fast'"),
        ("butterworth:cutoff=nan", "cutoff must be a finite number, not 'nan'"),
        ("butterworth:order=2.5", "order must be a whole number, not '2.5'"),
        ("median:window=3,window=5", "filter median: window is given twice"),
        ("savitzky-golay:weighted=yes", "weighted is true or false, not 'yes'"),
        ("fill:method=spline", "method is linear or pchip, not spline"),
    ],
)
def test_what_cannot_be(text, message):
    with pytest.raises(UsageError) as error:
        make_chain([text])
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_score_that_cannot_be():
    with pytest.raises(UsageError, match="min_score"):
        make_chain(["fill"], min_score=1.5)


def test_the_reach_of_a_chain():
    assert make_chain(["hampel:window=7", "median:window=5"]).reach == 5
    assert make_chain(["hampel", "butterworth"]).reach is None


@pytest.mark.parametrize("name", FILTERS)
def test_the_provenance_makes_the_same_chain(name):
    chain = make_chain([name], min_score=0.25)
    (told,) = chain.provenance()["filters"]
    values = ",".join(
        f"{k}={str(v).lower() if isinstance(v, bool) else v}" for k, v in told.items() if k != "name"
    )
    assert make_chain([f"{told['name']}:{values}"], min_score=chain.provenance()["min_score"]) == chain
