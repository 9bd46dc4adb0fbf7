"""Answers that take seconds to make, kept until something changes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class AnswerCache(Generic[T]):
    """The last few answers, by what they are of; one at a time is made.

    Args:
        kept: The number of answers.
    """

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._lock = Lock()
        self._known: OrderedDict[Hashable, T] = OrderedDict()

    def get(self, of: Hashable, make: Callable[[], T]) -> T:
        """The answer that is of something, made where it is not known.

        Args:
            of: All that decides the answer: the state of the library, and what was asked.
            make: Makes it.
        """
        with self._lock:
            if of not in self._known:
                self._known[of] = make()
                if len(self._known) > self._kept:
                    self._known.popitem(last=False)
            return self._known[of]
