"""What the user may choose: configuration file < environment < flag, in one frozen model."""

from __future__ import annotations

import getpass
import os
from pathlib import Path
from typing import Any, Literal

from platformdirs import user_config_path
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from organizer.arguments import refused, require_path, require_user
from organizer.errors import SettingsError

DEFAULT_EMBEDDER = "efficientnet_lite2"
"""The best of the networks whose weights are installed with pip, on photos of animals and things;
see docs/algorithms.md for the figures of each."""

DEFAULT_REDUCER = "smooth"
"""The best space over all labelled sets at hand, and on none worse than the vectors as they are;
see benchmarks/spaces.py."""


DEFAULT_EXECUTOR = "threads"
"""The only one that is built in; it decodes in processes, and the name is older than that."""


BURST_GAP = 60.0
"""Seconds between photos of one burst: what camera-trap tools take for one sequence."""

EVENT_GAP = 30 * 60.0
"""Seconds between photos of one event: what camera-trap studies take for independent visits."""


WAIT = 5.0
"""Seconds: more than any decision takes, and less than somebody waits without being told why."""


class Settings(BaseSettings):
    """Everything that can be set. An empty environment variable counts as unset.

    Attributes:
        library: The library's folder, or the folder that holds it; None searches upwards.
        weights: A weights file, or a folder with NAME.pth or NAME.safetensors.
        device: Where networks run: auto takes a GPU where there is one.
        precision: What networks compute in: auto takes half precision where that is faster and
            the vectors stay those of float32.
        executor: What reads, decodes and embeds files in an ingest; "threads" of this machine, or
            the name of a plugin's.
        threads: Processes that decode; 0 takes one for each core.
        batch_size: Images that are embedded at once.
        commit_images: Images after which an ingest commits what it has.
        commit_seconds: Seconds after which an ingest commits what it has.
        max_file_bytes: A larger file is refused before it is read.
        video_frames: Frames of a video that are embedded, at most.
        wait: Seconds for which a command that writes waits for another one, before it is refused.
        seed: Seed of everything that draws.
        with_people: Whether photos on which a detector saw a person or a vehicle are shown,
            sampled, exported and arranged like any other.
        viewer: Command that opens a picture; None takes the system's viewer.
        burst_gap: Seconds between two photos of a camera up to which they are of one burst.
        event_gap: Seconds up to which they are of one event.
        user: The name that is kept with what is decided; empty for none, and that of the system's
            user where None.
    """

    model_config = SettingsConfigDict(
        env_prefix="ORGANIZER_", env_ignore_empty=True, frozen=True, extra="ignore"
    )

    library: Path | None = None
    weights: Path | None = None
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    executor: str = Field(default=DEFAULT_EXECUTOR, min_length=1)
    threads: int = Field(default=0, ge=0, le=1024)
    batch_size: int = Field(default=32, ge=1, le=4096)
    commit_images: int = Field(default=512, ge=1)
    commit_seconds: float = Field(default=15.0, gt=0, allow_inf_nan=False)
    max_file_bytes: int = Field(default=2 * 1024**3, ge=1)
    video_frames: int = Field(default=16, ge=1, le=1024)
    wait: float = Field(default=WAIT, ge=0, allow_inf_nan=False)
    seed: int = Field(default=0, ge=0, lt=2**31)
    with_people: bool = False
    viewer: str | None = None
    burst_gap: float = Field(default=BURST_GAP, ge=0, allow_inf_nan=False)
    event_gap: float = Field(default=EVENT_GAP, ge=0, allow_inf_nan=False)
    user: str | None = None

    def __init__(self, **values: Any) -> None:
        """Settings by name; those that are not given are from the environment and the file.

        Raises:
            SettingsError: There is no such setting, a value cannot be what was given, or the file
                cannot be read.
        """
        known = type(self).model_fields
        for name in values.keys() - known.keys():
            raise SettingsError(
                f"there is no setting {name!r}", f"there are: {', '.join(sorted(known))}"
            )
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise _mistaken(error) from error
        except ValueError as error:  # a TOML file that is not TOML
            raise SettingsError(
                f"cannot read the settings: {error}", f"mend {config_path()}"
            ) from error

    @field_validator(
        "threads", "batch_size", "commit_images", "commit_seconds", "max_file_bytes", "seed",
        "video_frames", "burst_gap", "event_gap", "wait", mode="before",
    )  # fmt: skip
    @classmethod
    def _no_truth_value(cls, value: object) -> object:
        """True is no number, though Python counts with it."""
        if isinstance(value, bool):
            raise ValueError("it is a number, not true or false")  # noqa: TRY004 - pydantic's way
        return value

    @field_validator("library", "weights", mode="before")
    @classmethod
    def _a_path(cls, value: object) -> object:
        try:
            return None if value is None else require_path("a path", value)
        except SettingsError as error:
            raise ValueError(error.hint) from error

    @field_validator("user", mode="before")
    @classmethod
    def _a_user(cls, value: object) -> object:
        try:
            return None if value is None else require_user("user", value)
        except SettingsError as error:
            raise ValueError(error.hint) from error

    @property
    def user_name(self) -> str:
        """Who decides: `user`, or the name of the system's user; empty where that is not known."""
        return system_user() if self.user is None else self.user

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags first, then the environment, then the configuration file."""
        del dotenv_settings, file_secret_settings
        file = TomlConfigSettingsSource(settings_cls, config_path())
        return init_settings, env_settings, file


def load_settings(**flags: Any) -> Settings:
    """The current settings; a flag that is None was not given.

    Raises:
        SettingsError: A value cannot be what was given, or the file cannot be read.
    """
    return Settings(**{name: value for name, value in flags.items() if value is not None})


def _mistaken(error: ValidationError) -> SettingsError:
    """The first value that cannot be, and where it may be from."""
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"])
    why = first["msg"].removeprefix("Value error, ").lower()
    return SettingsError(
        f"{refused(f'setting {name!r}', first['input'], '').message}: {why}",
        f"look at ORGANIZER_{name.upper()} and at {config_path()}",
    )


def available_cores() -> int:
    """Cores that this process may use: in a container fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def system_user() -> str:
    """The name of the system's user; empty where there is none: in a container without accounts."""
    try:
        return require_user("the system's user", getpass.getuser())
    except (OSError, KeyError, ImportError, SettingsError):  # what it raises depends on the system
        return ""


def config_path() -> Path:
    """The configuration file of this user; it need not exist."""
    return user_config_path("organizer") / "config.toml"
