from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import ValidationError

from organizer.errors import SettingsError
from organizer.settings import Settings, config_path, load_settings


def _configure(text: str | bytes) -> Path:
    file = config_path()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return file


def _one_line(error: SettingsError) -> bool:
    return "\n" not in error.message and "\n" not in error.hint


def test_without_any_setting_the_defaults_hold() -> None:
    settings = load_settings()
    assert settings.device == "auto"
    assert (settings.threads, settings.batch_size, settings.seed) == (0, 32, 0)
    assert (settings.library, settings.weights, settings.viewer) == (None, None, None)
    assert settings.executor == "threads"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere it lies elsewhere")
def test_the_file_lies_where_the_system_keeps_such_files(tmp_path: Path) -> None:
    assert config_path() == tmp_path / "no-config" / "organizer" / "config.toml"


def test_the_file_counts_more_than_the_default() -> None:
    _configure('batch_size = 5\ndevice = "cpu"\n')
    settings = load_settings()
    assert (settings.batch_size, settings.device, settings.threads) == (5, "cpu", 0)


def test_the_environment_counts_more_than_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    _configure("batch_size = 5\nthreads = 3\n")
    monkeypatch.setenv("ORGANIZER_BATCH_SIZE", "7")
    settings = load_settings()
    assert (settings.batch_size, settings.threads) == (7, 3)


def test_a_flag_counts_more_than_both(monkeypatch: pytest.MonkeyPatch) -> None:
    _configure("batch_size = 5\n")
    monkeypatch.setenv("ORGANIZER_BATCH_SIZE", "7")
    assert load_settings(batch_size=9).batch_size == 9


def test_a_flag_that_was_not_given_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORGANIZER_BATCH_SIZE", "7")
    assert load_settings(batch_size=None).batch_size == 7


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    _configure("batch_size = 5\n")
    monkeypatch.setenv("ORGANIZER_BATCH_SIZE", "")
    monkeypatch.setenv("ORGANIZER_WEIGHTS", "")
    settings = load_settings()
    assert (settings.batch_size, settings.weights) == (5, None)


def test_a_variable_of_another_program_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BATCH_SIZE", "7")
    monkeypatch.setenv("DEVICE", "tpu")
    assert load_settings() == Settings()


def test_paths_are_paths(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ORGANIZER_WEIGHTS", str(tmp_path))
    assert load_settings().weights == tmp_path


_BAD = [
    ("batch_size", "many"),
    ("batch_size", "0"),
    ("batch_size", "4097"),
    ("threads", "-1"),
    ("device", "tpu"),
    ("commit_seconds", "0"),
    ("commit_seconds", "nan"),
    ("seed", "-1"),
    ("seed", "1.5"),
    ("max_file_bytes", "0"),
]


@pytest.mark.parametrize(("name", "value"), _BAD)
def test_a_bad_variable_is_named_in_one_line(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"ORGANIZER_{name.upper()}", value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert name in caught.value.message
    assert value in caught.value.message
    assert f"ORGANIZER_{name.upper()}" in caught.value.hint
    assert _one_line(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(("name", "value"), _BAD)
def test_a_bad_flag_is_named_in_one_line(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(**{name: value})
    assert name in caught.value.message
    assert _one_line(caught.value)


def test_a_bad_value_in_the_file_names_the_file() -> None:
    file = _configure('batch_size = "many"\n')
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert "batch_size" in caught.value.message
    assert str(file) in caught.value.hint


@pytest.mark.parametrize(
    "text", ["batch_size = = 3", "[open", "batch_size", b"\xff\xfe\x00", "a = 1\na = 2"]
)
def test_a_file_that_is_no_toml_is_wrong_use(text: str | bytes) -> None:
    file = _configure(text)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert str(file) in caught.value.message + caught.value.hint
    assert _one_line(caught.value)


def test_settings_cannot_be_changed() -> None:
    settings: Any = load_settings()
    with pytest.raises(ValidationError):
        settings.batch_size = 3


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    file=st.none() | st.integers(1, 99),
    variable=st.none() | st.integers(1, 99),
    flag=st.none() | st.integers(1, 99),
)
def test_the_last_one_given_holds(file: int | None, variable: int | None, flag: int | None) -> None:
    _configure("" if file is None else f"batch_size = {file}\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ORGANIZER_BATCH_SIZE", "" if variable is None else str(variable))
        given = [value for value in (file, variable, flag) if value is not None]
        assert load_settings(batch_size=flag).batch_size == (given[-1] if given else 32)
