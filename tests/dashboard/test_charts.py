"""Charts: legible colours, broken lines, French formats, no outside address."""

import datetime as dt
import json
from typing import Any

import pandas as pd
import pytest

from dashboard import charts, panels, series, words
from dashboard.charts import Look

DARK, LIGHT = Look(dark=True), Look()


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted([luminance(one), luminance(other)], reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("look", [LIGHT, DARK])
def test_every_colour_is_seen_on_its_ground(look: Look) -> None:
    brands = ["SFR", "Orange", "Free", "Bouygues Telecom", "Canal+", "MAIF", "Sofinco"]
    spare = [f"Autre {at}" for at in range(9)]
    for style in charts.brand_styles([*brands, *spare], look).values():
        assert contrast(style.colour, look.ground) >= 3
    for kind in panels.KIND_COLOURS:
        assert contrast(panels.kind_colour(kind, look), look.ground) >= 3
    assert contrast(look.soft, look.ground) >= 4.5
    assert contrast(look.ink, look.ground) >= 7


def test_brands_are_told_apart_without_colour() -> None:
    styles = charts.brand_styles(["SFR", "Orange", "Free", "Bouygues Telecom"], LIGHT)
    assert len({style.marker for style in styles.values()}) == 4


def test_more_brands_than_colours_are_told_apart_by_their_form() -> None:
    styles = charts.brand_styles([f"Autre {at}" for at in range(21)], LIGHT).values()
    assert len({(style.colour, style.marker) for style in styles}) == 21


def rows_of(spec: dict[str, Any], layer: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows that a layer shows."""
    rows: list[dict[str, Any]] = spec["datasets"][layer["data"]["name"]]
    return rows


def table(states: list[str]) -> pd.DataFrame:
    rows = pd.DataFrame(
        {
            "brand": "A",
            "period": pd.date_range("2026-03-02", periods=len(states), freq="W-MON"),
            "mentions": 40.0,
            "harassment": 10.0,
            "testimonies": 5.0,
            "harassment_testimonies": 5.0,
            "coverage": 1.0,
            "state": states,
        }
    )
    missing = rows["state"] == "missing"
    rows.loc[missing, ["mentions", "harassment"]] = float("nan")
    return series.with_intervals(rows)


def drawn(rows: pd.DataFrame) -> dict[str, object]:
    style = charts.brand_styles(["A"], LIGHT)["A"]
    made: dict[str, object] = panels.brand_panel(rows, LIGHT, style, step="week").to_dict()
    return made


def test_a_gap_breaks_the_line_with_a_null() -> None:
    made = drawn(table(["settled", "missing", "settled", "provisional"]))
    sets = list(made["datasets"].values())  # type: ignore[attr-defined]
    lines = [rows for rows in sets if rows and "drawn" in rows[0]]
    assert [row["drawn"] for row in lines[0]] == [10, None, 10, None]


def test_the_provisional_end_is_dashed_from_the_last_settled_point() -> None:
    made = drawn(table(["settled", "settled", "provisional"]))
    layers = made["layer"]
    dashed = [one for one in layers if one["mark"].get("strokeDash") == [2, 3]]  # type: ignore[attr-defined]
    rows = made["datasets"][dashed[0]["data"]["name"]]  # type: ignore[index]
    assert [row["state"] for row in rows] == ["settled", "provisional"]


def test_a_lonely_point_is_seen() -> None:
    made = json.dumps(drawn(table(["missing", "settled", "missing"])))
    assert '"size": 45' in made


@pytest.mark.parametrize("language", ["fr", "en"])
def test_charts_speak_the_language_of_the_reader(language: words.Language) -> None:
    words.speak(language)
    made = drawn(table(["settled"] * 4))
    words.speak("fr")
    locale = made["config"]["locale"]  # type: ignore[index]
    assert locale["number"]["decimal"] == ("," if language == "fr" else ".")
    assert locale["time"]["months"][0] == ("janvier" if language == "fr" else "January")


def test_a_chart_asks_no_other_machine() -> None:
    made = drawn(table(["settled"] * 4))
    made.pop("$schema")
    assert "http" not in json.dumps(made)


def test_words_for_screen_readers_are_kept_apart_from_markup() -> None:
    assert charts.markdown_safe("<b> [x](y) `z` **gras** $1$ :red[a]") == (
        "\\<b\\> \\[x\\](y) \\`z\\` **gras** \\$1\\$ \\:red\\[a\\]"
    )


def test_events_stand_on_their_days() -> None:
    rows = pd.DataFrame(
        {
            "date": [pd.Timestamp(2026, 8, 11)],
            "end": [pd.NaT],
            "kind": ["law"],
            "kind_name": ["Loi"],
            "title": ["Consentement"],
            "words": ["mardi 11 août 2026"],
            "lane": [0],
            "labelled": [True],
            "side": ["left"],
        }
    )
    made = panels.event_lane(
        rows, LIGHT, dt.date(2026, 1, 1), dt.date(2026, 12, 1), step="month"
    ).to_dict()
    assert made["layer"][0]["encoding"]["x"]["scale"]["domain"][0] == {
        "year": 2026,
        "month": 1,
        "date": 1,
    }


def marks(kind: str, end: object = pd.NaT) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "date": [pd.Timestamp(2026, 3, 10)],
            "end": pd.Series([end], dtype="datetime64[ns]"),
            "kind": [kind],
            "title": ["Un fait"],
            "words": ["mardi 10 mars 2026"],
        }
    )


def panel(rows: pd.DataFrame, **more: object) -> list[dict[str, object]]:
    style = charts.brand_styles(["A"], LIGHT)["A"]
    made = panels.brand_panel(rows, LIGHT, style, step="week", **more).to_dict()  # type: ignore[arg-type]
    layers: list[dict[str, object]] = made["layer"]
    return layers


def kinds(layers: list[dict[str, object]]) -> list[str]:
    return [str(one["mark"]["type"]) for one in layers]  # type: ignore[index]


def test_incomplete_collection_is_hatched_and_not_only_grey() -> None:
    rows = table(["settled"] * 4)
    assert "rule" not in kinds(panel(rows))
    rows.loc[1, "coverage"] = 0.5
    assert kinds(panel(rows)).count("rule") == panels.HATCHES


def test_a_break_is_a_full_rule_and_cuts_the_line() -> None:
    rows = table(["settled"] * 4).assign(segment=[0, 0, 1, 1])
    layers = panel(rows, marks=marks("break"))
    rule = next(one for one in layers if one["mark"]["type"] == "rule")  # type: ignore[index]
    assert rule["mark"]["strokeDash"] == [1, 0]  # type: ignore[index]
    line = next(one for one in layers if one["mark"]["type"] == "line")  # type: ignore[index]
    assert line["encoding"]["detail"]["field"] == "segment"  # type: ignore[index]


def test_an_event_that_lasted_is_a_band() -> None:
    assert "rect" not in kinds(panel(table(["settled"] * 4), marks=marks("leak")))
    lasting = marks("leak", pd.Timestamp(2026, 3, 20))
    assert "rect" in kinds(panel(table(["settled"] * 4), marks=lasting))


def test_a_moving_average_stands_over_the_counts_it_is_made_of() -> None:
    rows = series.smoothed(table(["settled"] * 5))
    layers = panel(rows, drawn=panels.MEAN)
    columns = [one for one in layers if one["mark"].get("strokeWidth") == 2.5]  # type: ignore[attr-defined]
    assert columns[0]["encoding"]["y"]["field"] == "harassment"  # type: ignore[index]


def test_numbers_over_columns_have_room_and_their_names_do_not_touch() -> None:
    table = pd.DataFrame({"bin": [f"{n} h" for n in range(24)], "n": range(24), "allowed": True})
    drawn = charts.columns(table, charts.Look(), title="heure")
    spec = drawn if isinstance(drawn, dict) else drawn.to_dict()
    encoding = spec["layer"][0]["encoding"]
    assert encoding["y"]["scale"]["domainMax"] > 24
    assert encoding["x"]["axis"]["labelSeparation"] > 0


def test_numbers_of_a_heat_map_that_find_no_room_are_said_in_thousands() -> None:
    rows = [("A", "t", "Terme", 12_345, 20_000, 0.6, "x"), ("B", "t", "Terme", 3, 40, 0.1, "y")]
    names = ["name", "term", "title", "n", "total", "share", "said"]
    table = pd.DataFrame(rows, columns=names).assign(brand=["A", "B"])
    drawn = charts.heat_map(table, charts.Look(), terms=["Terme"])
    spec = drawn if isinstance(drawn, dict) else drawn.to_dict()
    numbers = spec["layer"][1]
    wide = f"width / 2 / {0.62 * len('12 345'):.2f}"
    assert numbers["encoding"]["text"]["condition"]["test"] == f"{wide} >= 10"
    assert numbers["encoding"]["text"]["field"] == "brief"
    assert [row["brief"] for row in rows_of(spec, numbers)] == ["12k", "3"]
    assert numbers["mark"]["fontSize"]["expr"].startswith(f"{wide} >= 10 ? min({wide}, 12)")


def test_long_names_of_rows_take_two_lines_on_a_telephone() -> None:
    rows = [("A", "t", "Numéro mobile ou local trompeur", 3, 20, 0.6, "x")]
    names = ["name", "term", "title", "n", "total", "share", "said"]
    table = pd.DataFrame(rows, columns=names).assign(brand="A")
    spec = charts.heat_map(table, charts.Look(), terms=list(table["title"])).to_dict()
    axis = spec["layer"][0]["encoding"]["y"]["axis"]
    assert '["Numéro mobile ou", "local trompeur"]' in axis["labelExpr"]
    assert axis["labelExpr"].endswith("|| datum.label")


def test_ratios_are_drawn_in_doublings_around_one_and_end_at_the_edge() -> None:
    rows = [("A", 0.3, 0.0, 1.4, False, "a", "a"), ("B", 3.0, 0.8, 30.0, False, "b", "b")]
    table = pd.DataFrame(rows, columns=["name", "value", "low", "high", "few", "text", "short"])
    styles = charts.brand_styles(["A", "B"], LIGHT)
    drawn = charts.intervals_by_name(
        table, LIGHT, styles, order=["A", "B"], title="", share=False, ratio=True
    ).to_dict()
    dot = next(layer for layer in drawn["layer"] if layer.get("name") == "dots")
    assert dot["encoding"]["x"]["scale"]["domain"] == [1 / 16, 16]
    assert dot["encoding"]["x"]["axis"]["values"] == [2.0**power for power in range(-4, 5)]
    shown = pd.DataFrame(rows_of(drawn, dot))
    assert shown["low"].tolist() == [1 / 16, 0.8]
    assert shown["high"].tolist() == [1.4, 16]
