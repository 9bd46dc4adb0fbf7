"""organizer: groups a folder of photos by what is in them, and keeps the groups.

The folder listing is the data flow: ``discover``, ``decode``, ``embed``, ``store``, ``cluster``,
``evaluate``. The stages meet in ``organizer.library``:

    from organizer.library import Library

    library = Library.open_or_create(Path("."))
    library.ingest([Path("photos")])
    library.recluster(k="auto")
"""
