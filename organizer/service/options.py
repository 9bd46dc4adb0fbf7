"""What the service is started with."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from organizer.errors import SettingsError

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
"""Names of this machine that no other machine reaches."""

_EVERYWHERE = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - compared with, not bound to
_SHORTEST_TOKEN = 16


@dataclass(frozen=True, slots=True)
class ServiceOptions:
    """Who may use the service, and how much they may send.

    Attributes:
        token: What a client has to know; None where the service is reached from this machine only.
        hosts: The names that a request may be addressed to; any where empty, which needs a token.
        max_body: Bytes of a request, at most.
        max_upload: Bytes of a picture to search with, at most.
        max_body_seconds: How long a client may take to send either.
    """

    token: str | None = None
    hosts: Collection[str] = LOOPBACK
    max_body: int = 8 * 1024**2
    max_upload: int = 64 * 1024**2
    max_body_seconds: float = 60.0

    @classmethod
    def for_host(cls, host: str, *, token: str | None) -> ServiceOptions:
        """The options of a service that listens at a host's address.

        Raises:
            SettingsError: Other machines could reach it, and there is no token, or a short one.
        """
        if token is not None and len(token) < _SHORTEST_TOKEN:
            raise SettingsError(
                f"the token has {len(token)} characters",
                f"take at least {_SHORTEST_TOKEN}: python -c 'import secrets; "
                "print(secrets.token_urlsafe())'",
            )
        if host in LOOPBACK:
            return cls(token=token)
        if token is None:
            raise SettingsError(
                f"at {host} other machines reach the service, and it has no token",
                "set ORGANIZER_TOKEN or --token, or leave out --host",
            )
        hosts = frozenset() if host in _EVERYWHERE else LOOPBACK | {host}
        return cls(token=token, hosts=hosts)
