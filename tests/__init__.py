"""The tests of organizer."""

import os

# Workers of pytest-xdist take a core each: more threads in one only wait for those of the others.
# Read when numpy and torch are imported, which is after this.
if "PYTEST_XDIST_WORKER" in os.environ:
    for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(_name, "1")
