"""Themes and color collections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from looker_emulator.instance.values import Row, can, moment

if TYPE_CHECKING:
    from looker_emulator.instance.collections import Collections

# ------------------------------------------------------------------------------------- appearance


def themes(_: Collections) -> list[Row]:
    """Looker's default theme and those of this instance."""
    made = []
    for number, name in enumerate(("Looker", "greenhouse", "winter_sale")):
        passing = number == 2
        made.append(
            {
                "can": can(number, "update", "destroy"),
                "begin_at": moment(300) if passing else None,
                "end_at": moment(330) if passing else None,
                "id": str(number + 1),
                "name": name,
                "settings": {
                    **_THEME,
                    "background_color": ("#f6f8fa", "#f6f8f4", "#eef3fb")[number],
                    "base_font_size": None if number else "14px",
                    "color_collection_id": ("looker", "greenhouse", "greenhouse")[number],
                    "font_source": "https://fonts.greenhouse.example/sans.css" if number else None,
                },
            }
        )
    return made


_COLORS = (
    "font_color info_button_color primary_button_color text_tile_text_color tile_background_color "
    "text_tile_background_color tile_text_color title_color warn_button_color"
)
_SHOWN = (
    "show_filters_bar show_title tile_shadow show_last_updated_indicator show_reload_data_icon "
    "show_dashboard_menu show_filters_toggle show_dashboard_header center_dashboard_title "
    "show_explore_header show_explore_title show_explore_last_run show_explore_timezone "
    "show_explore_run_stop_button show_explore_actions_button show_look_header show_look_title "
    "show_look_last_run show_look_timezone show_look_run_stop_button show_look_actions_button"
)
_THEME: Row = {
    **dict.fromkeys(_COLORS.split(), "#2e7d32"),
    **dict.fromkeys(_SHOWN.split(), True),
    "font_family": "Open Sans, Helvetica, sans-serif",
    "tile_title_alignment": "left",
    "dashboard_title_font_size": "24px",
    "tile_title_font_size": "14px",
    "box_shadow": "none",
    "page_margin_top": "16px",
    "page_margin_bottom": "16px",
    "page_margin_sides": "24px",
    "column_gap_size": "8px",
    "row_gap_size": "8px",
    "border_radius": "4px",
}


def color_collections(_: Collections) -> list[Row]:
    """Palettes. One offset is not an integer, although the API document says otherwise."""
    return [
        {
            "id": name,
            "label": name.title(),
            "categoricalPalettes": [
                {
                    "id": f"{name}-categorical-0",
                    "label": "Beet & border",
                    "type": "Categorical",
                    "colors": ["#2e7d32", "#8d6e63", "#f9a825", "#6a1b9a"],
                }
            ],
            "sequentialPalettes": [_stops(f"{name}-sequential-0", None, "Sequential", 0, 100)],
            "divergingPalettes": [
                _stops(f"{name}-diverging-0", "Kühl & warm", "Diverging", 0, 50, 100),
                _stops(f"{name}-diverging-1", None, "Diverging", 0, 33.3, 100),
            ],
        }
        for name in ("looker", "greenhouse")
    ]


def active_color_collections(instance: Collections) -> list[Row]:
    """The collections that people may choose from, and the one that they start with."""
    standard, custom = instance.color_collections
    return [
        {
            "default_collection_id": custom["id"],
            "default_colors": None,
            "custom": [custom],
            "standard": [standard],
        }
    ]


def _stops(identifier: str, label: str | None, kind: str, *offsets: float) -> Row:
    colors = ("#1565c0", "#fafafa", "#c62828")
    return {
        "id": identifier,
        "label": label,
        "type": kind,
        "stops": [
            {"color": color, "offset": offset}
            for color, offset in zip(colors, offsets, strict=False)
        ],
    }
