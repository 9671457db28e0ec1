"""A dashboard for Grafana: an overview first, then a panel for each metric of logkit."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

from logkit.metrics import METRICS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from logkit.metrics import Metric

_WIDTH, _HEIGHT, _PER_ROW = 8, 7, 3
_UNITS = {"seconds": "s", "bytes": "bytes", "ratio": "percentunit", "usd": "currencyUSD"}
_WHO = '{job="$job", instance=~"$instance"}'
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}

Panel = dict[str, Any]

_ALL_MESSAGES = f"sum(rate(bot_messages_processed_total{_WHO}[$__rate_interval]))"
_FAILED = _ALL_MESSAGES.replace("{job", '{status="error", job')
_COMMANDS = f"sum by (le) (rate(bot_command_duration_seconds_bucket{_WHO}[$__rate_interval]))"
_MEMORY = f"max(bot_memory_bytes{_WHO} / bot_memory_limit_bytes{_WHO})"

_OVERVIEW: tuple[tuple[str, str, str, float | None], ...] = (
    ("Processes that answer", f"sum(up{_WHO})", "short", None),
    ("Failed messages", f"{_FAILED} / {_ALL_MESSAGES}", "percentunit", 0.05),
    ("Commands, 95th percentile", f"histogram_quantile(0.95, {_COMMANDS})", "s", 2.5),
    (
        "Refusals (429) in 2 minutes",
        f"sum(increase(bot_rate_limited_total{_WHO}[2m]))",
        "short",
        10,
    ),
    ("Invalid requests in 10 minutes", f"sum(bot_invalid_requests_10m{_WHO})", "short", 5_000),
    ("Memory of its limit", _MEMORY, "percentunit", 0.9),
)


def dashboard() -> dict[str, Any]:
    """Return the dashboard as Grafana imports it."""
    ids = count(1)
    overview = [
        _panel(title, [(expr, "")], unit, threshold=threshold)
        for title, expr, unit, threshold in _OVERVIEW
    ]
    details = [_panel_of(metric) for metric in METRICS]
    panels = [*_placed(overview, 0)]
    row_at = _HEIGHT * (len(overview) // _PER_ROW)
    row: Panel = {"type": "row", "title": "All metrics", "collapsed": True}
    row["gridPos"] = {"x": 0, "y": row_at, "w": 24, "h": 1}
    row["panels"] = list(_placed(details, row_at + 1))
    panels.append(row)
    for panel in [*panels, *row["panels"]]:
        panel["id"] = next(ids)
    return {
        "title": "Bots",
        "uid": "logkit-bots",
        "tags": ["logkit"],
        "schemaVersion": 39,
        "time": {"from": "now-6h", "to": "now"},
        "refresh": "30s",
        "templating": {"list": [_data_source(), _variable("job"), _variable("instance")]},
        "panels": panels,
    }


def expressions(board: dict[str, Any]) -> list[str]:
    """Return every expression of PromQL in *board*, with Grafana's variables filled in."""
    panels = [inner for panel in board["panels"] for inner in (panel, *panel.get("panels", ()))]
    texts = [target["expr"] for panel in panels for target in panel.get("targets", ())]
    return [text.replace("$__rate_interval", "5m").replace("$job", "bots") for text in texts]


def _panel_of(metric: Metric) -> Panel:
    legend = " ".join(f"{{{{{label}}}}}" for label in metric.labels)
    by = f"sum by ({', '.join(metric.labels)}) " if metric.labels else "sum"
    unit = _UNITS.get(metric.unit, "short")
    if metric.kind == "gauge":
        targets = [(f"{metric.name}{_WHO}", f"{{{{instance}}}} {legend}".strip())]
    elif metric.kind == "counter":
        targets = [(f"{by}(rate({metric.name}{_WHO}[$__rate_interval]))", legend)]
    else:
        rates = f"sum by (le) (rate({metric.name}_bucket{_WHO}[$__rate_interval]))"
        targets = [(f"histogram_quantile({share}, {rates})", f"{share:.0%}") for share in _SHARES]
    title = metric.name + (" per second" if metric.kind == "counter" else "")
    return _panel(title, targets, unit, description=metric.help)


_SHARES = (0.5, 0.95, 0.99)


def _panel(
    title: str,
    targets: list[tuple[str, str]],
    unit: str,
    *,
    threshold: float | None = None,
    description: str = "",
) -> Panel:
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if threshold is not None:
        steps.append({"color": "red", "value": threshold})
    style = {"mode": "off" if threshold is None else "line"}
    return {
        "type": "timeseries",
        "title": title,
        "description": description,
        "datasource": _SOURCE,
        "targets": [
            {"refId": chr(ord("A") + place), "expr": expr, "legendFormat": legend or "__auto"}
            for place, (expr, legend) in enumerate(targets)
        ],
        "fieldConfig": {
            "defaults": {
                "unit": unit,
                "min": 0,
                "thresholds": {"mode": "absolute", "steps": steps},
                "custom": {"thresholdsStyle": style},
            },
            "overrides": [],
        },
    }


def _placed(panels: Iterable[Panel], top: int) -> Iterator[Panel]:
    for place, panel in enumerate(panels):
        row, column = divmod(place, _PER_ROW)
        position = {"x": column * _WIDTH, "y": top + row * _HEIGHT, "w": _WIDTH, "h": _HEIGHT}
        yield {**panel, "gridPos": position}


def _data_source() -> dict[str, Any]:
    return {"name": "datasource", "type": "datasource", "query": "prometheus"}


def _variable(name: str) -> dict[str, Any]:
    bots = "up" if name == "job" else 'up{job="$job"}'
    return {
        "name": name,
        "type": "query",
        "datasource": _SOURCE,
        "query": f"label_values({bots}, {name})",
        "refresh": 2,
        "includeAll": name != "job",
        "multi": name != "job",
        "current": {} if name == "job" else {"text": "All", "value": "$__all"},
    }
