"""The long forms of tests: many kills, many seeds, every network, whole trainings.

Each has a short form in the default run, which leaves these out. To run them::

    pytest -m soak -n auto

Laws whose examples are dear take few of them by default and all of them with
``pytest --hypothesis-profile=soak``.
"""
