"""A trained encoder as it is kept: points to features, without torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from organizer.types import Vectors
from organizer_deep_clustering.columns import Columns

KIND = "encoder"
_AT_ONCE = 4_096


@dataclass(frozen=True, slots=True)
class Encoder:
    """What an autoencoder makes of points: `Autoencoder.encode` behind `Columns`.

    Attributes:
        columns: What of a point goes into it.
        layers: Weights ``(outputs, inputs)`` and biases ``(outputs,)`` float32 of each layer.
    """

    columns: Columns
    layers: Sequence[tuple[Vectors, Vectors]]

    def __call__(self, points: Vectors) -> Vectors:
        """``(n, width)`` points to ``(n, features)`` float32."""
        made = np.empty((len(points), self.dim), dtype=np.float32)
        for start in range(0, len(points), _AT_ONCE):
            rows = slice(start, start + _AT_ONCE)
            block = self.columns(points[rows])
            for number, (weight, bias) in enumerate(self.layers):
                block = block @ weight.T + bias
                if number < len(self.layers) - 1:
                    block = np.maximum(block, 0)
            made[rows] = block
        return made

    @property
    def dim(self) -> int:
        """Number of features."""
        return len(self.layers[-1][1])

    def about(self) -> dict[str, Any]:
        """What makes it again, as JSON, besides its tensors."""
        return {
            "kind": KIND,
            "width": self.columns.width,
            "layers": [self.layers[0][0].shape[1], *(len(bias) for _, bias in self.layers)],
        }

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Its tensors by their names."""
        made = self.columns.tensors()
        for number, (weight, bias) in enumerate(self.layers):
            made |= {f"encoder.{number}.weight": weight, f"encoder.{number}.bias": bias}
        return made

    @classmethod
    def restored(cls, about: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> Self:
        """The inverse of `about` and `tensors`; other names are passed over.

        Raises:
            KeyError: Something is missing.
            ValueError: It is another kind of network, or the shapes do not fit.
        """
        if about["kind"] != KIND:
            raise ValueError(f"it is another kind of network: {about['kind']!r}")
        columns = Columns.restored(tensors, width=int(about["width"]))
        widths = [int(width) for width in about["layers"]]
        layers = []
        for number, shape in enumerate(zip(widths[1:], widths[:-1], strict=True)):
            weight = np.asarray(tensors[f"encoder.{number}.weight"], dtype=np.float32)
            bias = np.asarray(tensors[f"encoder.{number}.bias"], dtype=np.float32)
            if weight.shape != shape or bias.shape != shape[:1]:
                raise ValueError(f"layer {number + 1} of the encoder has another shape")
            layers.append((weight, bias))
        if not layers or len(columns.kept) != widths[0] or columns.kept.max() >= columns.width:
            raise ValueError("the encoder's columns do not fit its layers")
        return cls(columns, layers)
