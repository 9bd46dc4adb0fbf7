"""The options of an export format, and its exporter made with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from organizer import registry
from organizer.library.part_options import all_options, option_values
from organizer.protocols import Exporter
from organizer.types import PartOption, PartSpec

GROUP = "organizer.exporters"


def format_options(exporter: str) -> dict[str, PartOption]:
    """The options of a format by name as it is typed, also those that a plugin does not describe.

    Raises:
        SettingsError: There is no such format.
        PluginError: It cannot be loaded.
    """
    return all_options(GROUP, exporter)


def make_exporter(exporter: str, params: Mapping[str, Any]) -> Exporter:
    """Create the exporter of a format.

    Args:
        exporter: Name of the format.
        params: Its options; a text becomes what the option is declared to be.

    Raises:
        SettingsError: It has no such option, or one is missing, or a value is none for it.
    """
    values = option_values(
        GROUP,
        exporter,
        params,
        options=format_options(exporter),
        listing=f"organizer export {exporter} --options",
    )
    return cast(Exporter, registry.create_part(GROUP, PartSpec(exporter, values))[1])
