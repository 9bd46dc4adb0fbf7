"""A client of the service: the API in Python, from any machine that reaches it.

    with Client("http://127.0.0.1:8765") as client:
        for cluster in client.clusters().clusters:
            print(cluster.id, cluster.name, cluster.size)
        client.rename(3, "Red fox")

It needs neither the library nor what embeds and clusters.
"""

from organizer.client.client import Client
from organizer.client.connection import ANY_REVISION
from organizer.client.errors import ServiceError
from organizer.client.events import StreamedEvent

__all__ = ["ANY_REVISION", "Client", "ServiceError", "StreamedEvent"]
