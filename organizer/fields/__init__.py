"""Reports of the library as JSON fields: those of the commands' ``--json``, and of the service."""
