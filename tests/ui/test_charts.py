"""What a run's chart shows, and what it must not do to the numbers."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from lib.runs.metrics import Curves
from lib.runs.series import Point, Series
from lib.ui.charts import Axis, View, run_figure, with_gaps
from lib.ui.palette import DARK, LIGHT, Palette


def series(*values: float, first: int = 1, every: int = 1) -> Series:
    return tuple(Point(first + place * every, value) for place, value in enumerate(values))


CURVES = Curves(
    train_loss=series(*(2.0 / step for step in range(1, 61))),
    valid_loss=series(1.0, 0.6, 0.5, 0.45, 0.5, 0.55, first=10, every=10),
    full_valid_loss=series(0.6, 0.45, 0.55, first=20, every=20),
    train_accuracy=series(0.5, 0.6, 0.7),
    total_steps=60,
    n_epochs=3,
)


def drawn(curves: Curves, view: View | None = None, colours: Palette = LIGHT, **more: Any) -> dict[str, Any]:
    """The figure as the browser gets it."""
    figure = run_figure(curves, view or View(), colours, name="run_1", **more)
    sent: dict[str, Any] = json.loads(figure.to_json())
    return sent


def traces(sent: dict[str, Any]) -> dict[str, Any]:
    return {trace["name"]: trace for trace in sent["data"]}


def test_training_validation_and_full_validation_share_one_axis() -> None:
    shown = traces(drawn(CURVES))
    assert list(shown) == ["Training", "Validation", "Full validation"]
    assert {trace.get("yaxis", "y") for trace in shown.values()} == {"y"}
    assert shown["Full validation"]["mode"] == "markers"
    assert shown["Full validation"]["marker"]["symbol"] == "diamond"


@pytest.mark.parametrize("colours", [LIGHT, DARK])
def test_colours_are_those_of_the_palette_and_the_ground_is_transparent(colours: Palette) -> None:
    sent = drawn(CURVES, colours=colours)
    shown = traces(sent)
    assert shown["Training"]["line"]["color"] == colours.training
    assert shown["Validation"]["line"]["color"] == colours.validation
    assert sent["layout"]["plot_bgcolor"] == sent["layout"]["paper_bgcolor"] == "rgba(0,0,0,0)"


def test_epochs_are_marked_on_top_and_few_names_stand_for_many() -> None:
    layout = drawn(CURVES)["layout"]
    assert [shape["x0"] for shape in layout["shapes"]] == [20, 40, 60]
    assert [name["text"] for name in layout["annotations"]] == ["epoch 1", "2", "3"]
    crowded = drawn(Curves(train_loss=series(1.0, 0.9), total_steps=500, n_epochs=50))["layout"]
    assert len(crowded["annotations"]) <= 10


def test_the_axis_can_count_epochs_instead_of_steps() -> None:
    sent = drawn(CURVES, View(axis=Axis("Epoch", 1 / 20, 2)))
    assert traces(sent)["Full validation"]["x"] == [1.0, 2.0, 3.0]
    assert [shape["x0"] for shape in sent["layout"]["shapes"]] == [1.0, 2.0, 3.0]


def test_the_best_checkpoint_is_ringed_at_its_full_validation() -> None:
    ring = traces(drawn(CURVES, best_step=40))["Best checkpoint"]
    assert (ring["x"], ring["y"]) == ([40], [0.45])


def test_a_best_step_without_a_value_is_not_invented() -> None:
    assert "Best checkpoint" not in traces(drawn(CURVES, best_step=999))
    assert "Best checkpoint" not in traces(drawn(CURVES, best_step=None))


def test_smoothing_leaves_the_raw_curve_visible_and_validation_alone() -> None:
    shown = traces(drawn(CURVES, View(smoothing=0.8)))
    assert shown["Training, each step"]["y"] == [2.0 / step for step in range(1, 61)]
    assert shown["Training, smoothed"]["y"] != shown["Training, each step"]["y"]
    assert shown["Validation"]["y"] == traces(drawn(CURVES))["Validation"]["y"]


def test_missing_steps_stay_a_gap() -> None:
    points = (*series(1.0, 0.9, 0.8, 0.7), *series(0.3, 0.2, first=20))
    line = traces(drawn(Curves(train_loss=points)))["Training"]
    assert None in line["y"]
    assert line["connectgaps"] is False
    assert not any(not point.measured for point in with_gaps(series(1.0, 0.6, 0.5, first=10, every=10)))


def test_a_value_that_is_no_number_is_marked_and_never_replaced() -> None:
    sent = drawn(Curves(train_loss=series(1.0, math.nan, 0.8)))
    shown = traces(sent)
    assert shown["Training"]["y"] == [1.0, None, 0.8]
    assert shown["No number"]["x"] == [2]


def test_preferences_are_percentages_and_margins_may_lie_below_zero() -> None:
    told = Curves(
        train_preference=series(0.5, 0.8), train_margin=series(-0.2, 0.4), full_valid_margin=series(0.3, first=2)
    )
    sent = drawn(told, View(measure="preference", log=True))
    assert traces(sent)["Training"]["y"] == [0.5, 0.8]
    assert sent["layout"]["yaxis"]["tickformat"] == ".0%"
    sent = drawn(told, View(measure="margin", log=True))
    assert traces(sent)["Training"]["y"] == [-0.2, 0.4]
    assert list(traces(sent)) == ["Training", "Full validation"]
    assert sent["layout"]["yaxis"]["type"] == "linear"
    assert "tickformat" not in sent["layout"]["yaxis"]


def test_accuracy_is_a_percentage_and_ignores_the_log_switch() -> None:
    sent = drawn(CURVES, View(measure="accuracy", log=True))
    assert list(traces(sent)) == ["Training"]
    assert sent["layout"]["yaxis"]["type"] == "linear"
    assert sent["layout"]["yaxis"]["tickformat"] == ".0%"
    assert drawn(CURVES, View(log=True))["layout"]["yaxis"]["type"] == "log"


def test_zoom_survives_new_points_and_not_another_axis() -> None:
    longer = Curves(train_loss=series(*([1.0] * 90)), total_steps=90, n_epochs=3)
    kept = drawn(CURVES)["layout"]["uirevision"]
    assert drawn(longer)["layout"]["uirevision"] == kept
    assert drawn(CURVES, View(axis=Axis("Epoch", 1 / 20)))["layout"]["uirevision"] != kept


def test_a_long_run_stays_small_keeps_its_peak_and_is_drawn_as_svg() -> None:
    values = [1.0] * 100_000
    values[70_000] = 9.0
    sent = drawn(Curves(train_loss=series(*values), valid_loss=series(*values)), View(smoothing=0.9))
    assert all(len(trace["x"]) <= 2000 and trace["type"] == "scatter" for trace in sent["data"])
    assert max(traces(sent)["Training, each step"]["y"]) == 9.0


def test_an_empty_run_is_an_empty_chart_and_no_error() -> None:
    assert drawn(Curves())["data"] == []
