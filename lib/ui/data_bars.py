"""The chart of how long examples are: bars of training and validation, on a scale that short and long ones both fit on.

Knows bars and how they are drawn; puts nothing on a screen itself. Plotly is imported when a figure is built.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lib.dataset.profile import Bar
from lib.ui.charts import FONT
from lib.ui.palette import Palette

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

LABELS = 12


def token_figure(bars: Sequence[Bar], colours: Palette, *, limit: int | None = None, height: int = 220) -> Figure:
    """Bars of equal width, whatever they stand for; what begins and ends them is written below.

    `limit`, where an example is cut, becomes a line when it falls among the bars.
    """
    import plotly.graph_objects as go

    sides = [("Training", colours.training, [bar.training for bar in bars])]
    if any(bar.validation for bar in bars):
        sides.append(("Validation", colours.validation, [bar.validation for bar in bars]))
    spans = [_named(bar) for bar in bars]
    figure = go.Figure(
        [
            go.Bar(
                x=[at + 0.5 for at in range(len(bars))],
                y=numbers,
                name=name,
                marker={"color": colour},
                customdata=spans,
                hovertemplate="%{customdata}: %{y:,} examples",
            )
            for name, colour, numbers in sides
        ]
    )
    _lay_out(figure, bars, colours, height)
    place = None if limit is None else _place(bars, limit)
    if limit is not None and place is not None:
        figure.add_vline(
            x=place,
            # On the side where there is room for it.
            annotation_position="top right" if place < len(bars) / 2 else "top left",
            line={"color": colours.problem, "width": 1, "dash": "dot"},
            annotation={"text": f"cut at {limit:,}", "font": {"size": 11, "color": colours.problem}},
        )
    return figure


def _lay_out(figure: Figure, bars: Sequence[Bar], colours: Palette, height: int) -> None:
    edges = [*(bar.least for bar in bars), bars[-1].below] if bars else []
    every = max(1, math.ceil(len(edges) / LABELS))
    line: dict[str, Any] = {"gridcolor": colours.grid, "zeroline": False, "linecolor": colours.grid, "automargin": True}
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 20, "b": 8},
        barmode="stack",
        bargap=0.08,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": FONT, "color": colours.muted, "size": 12},
        hoverlabel={"bgcolor": colours.background, "bordercolor": colours.grid, "font": {"color": colours.text}},
        showlegend=len(figure.data) > 1,
        legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1, "yanchor": "bottom", "traceorder": "normal"},
        xaxis={
            **line,
            "title": {"text": "Tokens an example", "standoff": 4},
            "showgrid": False,
            "range": [0, len(bars)],
            "fixedrange": True,
            "tickvals": list(range(0, len(edges), every)),
            "ticktext": [f"{edge:,}" for edge in edges[::every]],
            "tickangle": 0,
        },
        yaxis={**line, "title": {"text": "Examples", "standoff": 4}, "fixedrange": True, "tickformat": ",d"},
    )


def _named(bar: Bar) -> str:
    last = bar.below - 1
    return f"{bar.least:,} tokens" if last == bar.least else f"{bar.least:,} to {last:,} tokens"


def _place(bars: Sequence[Bar], limit: int) -> float | None:
    """Where on the axis the limit is; None when no bar reaches it."""
    for at, bar in enumerate(bars):
        if bar.least <= limit < bar.below:
            return at + (limit - bar.least) / (bar.below - bar.least)
    return None
