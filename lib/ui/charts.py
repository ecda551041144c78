"""The chart of a run: its curves as one plotly figure, the same colours everywhere, in light and dark.

Knows points, and how they are drawn; it knows no service and no workspace, and puts nothing on a screen itself.
Plotly is imported when a figure is built, because the app imports this module at its start.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Literal

from lib.runs.metrics import Curves
from lib.runs.series import Point, Series, downsample, smoothed
from lib.ui.palette import Palette

if TYPE_CHECKING:
    from plotly.graph_objects import Figure, Scatter

Measure = Literal["loss", "accuracy", "preference", "margin"]
PERCENT = frozenset({"accuracy", "preference"})

POINTS = 2000
EPOCH_LINES = 50
EPOCH_LABELS = 10
GAP = 3.0
FONT = "IBM Plex Sans, system-ui, sans-serif"
MARKED = 40


@dataclass(frozen=True, slots=True)
class Axis:
    """What runs to the right: a place is `step * per_step`, written with `decimals` decimals."""

    title: str
    per_step: float = 1.0
    decimals: int = 0


STEPS = Axis("Step")


@dataclass(frozen=True, slots=True)
class View:
    """How a person wants to see the curves. `smoothing` is 0 (none) to 0.99 and never touches validation."""

    measure: Measure = "loss"
    axis: Axis = STEPS
    log: bool = False
    smoothing: float = 0.0


def run_figure(
    curves: Curves,
    view: View,
    colours: Palette,
    *,
    name: str,
    best_step: int | None = None,
    best_name: str = "Best checkpoint",
    height: int = 320,
) -> Figure:
    """Training, validation and full validation of one run on one axis, at most `POINTS` places a trace.

    `best_step` gets a ring, called `best_name`. A stretch without values stays a gap; a step whose value is no number
    becomes a cross at the foot of the chart. A person's zoom is kept while points arrive, as long as `name` and the
    axes stay the same.
    """
    import plotly.graph_objects as go

    training, validation, full = measured(curves, view.measure)
    pen = _Pen(view, colours)
    figure = go.Figure([*pen.training(training), *pen.validation(validation, full)])
    broken = [point for point in (*training, *validation, *full) if not point.measured]
    if broken:
        figure.add_trace(pen.crosses(tuple(broken)))
    best = _at(best_step, full, validation, training)
    if best is not None:
        figure.add_trace(pen.ring(best, best_name))
    _lay_out(figure, curves, view, colours, name=name, height=height)
    return figure


def with_gaps(points: Series, limit: int = POINTS) -> Series:
    """The places to draw: at most `limit`, and one without a value wherever steps are missing between two points."""
    if len(points) < 3:
        return points
    pairs = list(pairwise(points))
    usual = median(after.step - before.step for before, after in pairs)
    holes = [
        Point((before.step + after.step) // 2, math.nan)
        for before, after in pairs
        if after.step - before.step > GAP * usual
    ][: limit // 4]
    return tuple(sorted([*downsample(points, limit - len(holes)), *holes], key=lambda point: point.step))


def measured(curves: Curves, measure: Measure) -> tuple[Series, Series, Series]:
    """Training, validation and full validation by this measure."""
    if measure == "accuracy":
        return curves.train_accuracy, curves.valid_accuracy, curves.full_valid_accuracy
    if measure == "preference":
        return curves.train_preference, curves.valid_preference, curves.full_valid_preference
    if measure == "margin":
        return curves.train_margin, curves.valid_margin, curves.full_valid_margin
    return curves.train_loss, curves.valid_loss, curves.full_valid_loss


@dataclass(frozen=True, slots=True)
class _Pen:
    """Draws points as traces in one view and one palette."""

    view: View
    colours: Palette

    def training(self, points: Series) -> Iterator[Scatter]:
        colour = self.colours.training
        if points and self.view.smoothing > 0:
            yield self._line(points, "Training, each step", colour, width=1.0, opacity=0.35)
            yield self._line(smoothed(points, self.view.smoothing), "Training, smoothed", colour, width=2.2)
        elif points:
            yield self._line(points, "Training", colour, width=1.8)

    def validation(self, points: Series, full: Series) -> Iterator[Scatter]:
        if points:
            yield self._line(points, "Validation", self.colours.validation, width=1.8)
        if full:
            marker = {"symbol": "diamond", "size": 10, "color": self.colours.validation}
            yield self._marks(full, "Full validation", marker)

    def ring(self, best: Point, name: str) -> Scatter:
        marker = {"symbol": "circle-open", "size": 18, "color": self.colours.best, "line": {"width": 2}}
        return self._marks((best,), name, marker)

    def crosses(self, points: Series) -> Scatter:
        trace = self._marks(
            tuple(Point(point.step, 0.02) for point in points),
            "No number",
            {"symbol": "x-thin", "size": 8, "line": {"width": 2, "color": self.colours.problem}},
        )
        trace.update(yaxis="y2", hovertemplate="reported, but not a number")
        return trace

    def _line(self, points: Series, name: str, colour: str, *, width: float, opacity: float = 1.0) -> Scatter:
        places = with_gaps(points)
        trace = self._marks(places, name, {"size": 5, "color": colour})
        trace.update(
            mode="lines+markers" if len(places) <= MARKED else "lines",
            line={"color": colour, "width": width},
            opacity=opacity,
            connectgaps=False,
            cliponaxis=True,
        )
        return trace

    def _marks(self, points: Series, name: str, marker: dict[str, object]) -> Scatter:
        import plotly.graph_objects as go

        percent = self.view.measure in PERCENT
        return go.Scatter(
            x=[point.step * self.view.axis.per_step for point in points],
            y=[point.value if point.measured else None for point in points],
            mode="markers",
            marker=marker,
            cliponaxis=False,
            name=name,
            hovertemplate="%{y:.1%}" if percent else "%{y:.4f}",
        )


def _at(step: int | None, *series: Series) -> Point | None:
    """The point of the first series that has one at this step."""
    found = (point for points in series for point in points if point.step == step and point.measured)
    return next(found, None)


def _lay_out(figure: Figure, curves: Curves, view: View, colours: Palette, *, name: str, height: int) -> None:
    percent = view.measure in PERCENT
    scale = "log" if view.log and view.measure == "loss" else "linear"
    line = {"gridcolor": colours.grid, "zeroline": False, "linecolor": colours.grid, "automargin": True}
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 24, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": FONT, "color": colours.muted, "size": 12},
        hovermode="x unified",
        hoverlabel={"bgcolor": colours.background, "bordercolor": colours.grid, "font": {"color": colours.text}},
        showlegend=True,
        legend={"orientation": "h", "x": 0, "xanchor": "left", "y": -0.2, "yanchor": "top", "itemsizing": "constant"},
        uirevision=f"{name} {view.measure} {view.axis.title} {scale}",
        xaxis={
            **line,
            "title": {"text": view.axis.title, "standoff": 4},
            "rangemode": "tozero",
            "showgrid": False,
            "unifiedhovertitle": {"text": f"{view.axis.title} %{{x:,.{view.axis.decimals}f}}"},
            "autorangeoptions": {"include": [(curves.total_steps or 0) * view.axis.per_step]},
        },
        yaxis={
            **line,
            "type": scale,
            "rangemode": "normal" if scale == "log" else "tozero",
            "tickformat": ".0%" if percent else None,
        },
        yaxis2={"overlaying": "y", "range": [0, 1], "visible": False, "fixedrange": True},
        shapes=list(_epoch_lines(curves, view, colours)),
        annotations=list(_epoch_names(curves, view, colours)),
    )


def _epoch_lines(curves: Curves, view: View, colours: Palette) -> Iterator[dict[str, object]]:
    dotted = {"color": colours.muted, "width": 1, "dash": "dot"}
    for step in curves.epoch_ends[:EPOCH_LINES]:
        place = step * view.axis.per_step
        yield {
            "type": "line",
            "yref": "paper",
            "y0": 0,
            "y1": 1,
            "x0": place,
            "x1": place,
            "line": dotted,
            "opacity": 0.5,
        }


def _epoch_names(curves: Curves, view: View, colours: Palette) -> Iterator[dict[str, object]]:
    ends = curves.epoch_ends
    every = max(1, math.ceil(len(ends) / EPOCH_LABELS))
    for number in range(every, len(ends) + 1, every):
        yield {
            "x": ends[number - 1] * view.axis.per_step,
            "y": 1,
            "yref": "paper",
            "yanchor": "bottom",
            "text": f"epoch {number}" if number == every else str(number),
            "showarrow": False,
            "font": {"size": 11, "color": colours.muted},
        }
