from __future__ import annotations

from lib.dataset.profile import Bar
from lib.ui.data_bars import LABELS, token_figure
from lib.ui.palette import DARK, LIGHT

BARS = (Bar(10, 20, 3, 1), Bar(20, 30, 5, 0), Bar(30, 40, 0, 2))


def test_sides_stand_on_one_another_in_their_colours() -> None:
    for colours in (LIGHT, DARK):
        training, validation = token_figure(BARS, colours).data
        assert (training.name, training.marker.color, list(training.y)) == ("Training", colours.training, [3, 5, 0])
        assert (validation.name, validation.marker.color) == ("Validation", colours.validation)
        assert training.type == "bar"


def test_without_validation_there_is_one_colour_and_no_legend() -> None:
    figure = token_figure([Bar(10, 20, 3, 0)], LIGHT)
    assert [trace.name for trace in figure.data] == ["Training"]
    assert not figure.layout.showlegend


def test_what_begins_and_ends_bars_is_written_below_and_not_too_often() -> None:
    assert list(token_figure(BARS, LIGHT).layout.xaxis.ticktext) == ["10", "20", "30", "40"]
    many = [Bar(n, n + 1, 1, 0) for n in range(50)]
    assert len(token_figure(many, LIGHT).layout.xaxis.ticktext) <= LABELS + 1


def test_the_limit_is_a_line_where_bars_reach_it_and_nowhere_else() -> None:
    [line] = token_figure(BARS, LIGHT, limit=35).layout.shapes
    assert line.x0 == line.x1 == 2.5
    assert not token_figure(BARS, LIGHT, limit=40).layout.shapes
    assert not token_figure(BARS, LIGHT, limit=5).layout.shapes
    assert not token_figure(BARS, LIGHT).layout.shapes


def test_no_example_is_no_mistake() -> None:
    assert not token_figure([], LIGHT, limit=5).data[0].y
