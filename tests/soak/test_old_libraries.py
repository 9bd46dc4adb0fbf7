"""Libraries of all former formats, their migrations killed and cut at any moment."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from organizer.store.schemas import SCHEMA_VERSION
from tests.test_old_libraries import assert_kept, cut_migrations, unpacked

FORMERS = range(1, SCHEMA_VERSION)
_OPEN = """
import sys
from pathlib import Path
from organizer.store import Store
print(flush=True)
Store.open(Path(sys.argv[1]))
"""


@pytest.mark.parametrize("schema", FORMERS)
def test_a_migration_may_be_cut_before_any_write(tmp_path: Path, schema: int) -> None:
    cut_migrations(schema, tmp_path, looked_at=25)


@pytest.mark.parametrize("schema", FORMERS)
def test_a_migration_may_be_killed(tmp_path: Path, schema: int) -> None:
    script = (
        "import sys; from organizer.store import Store; print(flush=True); Store.open(sys.argv[1])"
    )
    script = script.replace("sys.argv[1]", "__import__('pathlib').Path(sys.argv[1])")
    killed = 0
    for number in range(4):
        home = unpacked(schema, tmp_path / str(number))
        command = [sys.executable, "-c", _OPEN, str(home / ".organizer")]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(0.05 + 0.15 * number)
            process.kill()
            killed += process.wait() != 0
        assert_kept(home, schema)
    assert killed
