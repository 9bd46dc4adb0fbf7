"""A power cut without a disk to cut: what a record of the system calls says was flushed.

Where no disk can be mounted, strace writes down what a command does to files. What is left is then
the least that a file system may keep: the content of a file as it was when it was last flushed,
the names in a folder as they were when the folder was. File systems keep more than that.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

_WRITES = ("write", "writev", "pwrite64", "pwritev", "pwritev2", "ftruncate", "fallocate")
_COPIES = ("copy_file_range", "sendfile")
_FLUSHES = ("fsync", "fdatasync")
_NAMES = (
    *("open", "openat", "creat", "mkdir", "mkdirat", "rmdir", "unlink", "unlinkat"),
    *("rename", "renameat", "renameat2", "link", "linkat"),
)
_CALLS = ",".join((*_WRITES, *_COPIES, *_FLUSHES, *_NAMES))

_LINE = re.compile(r"(?P<pid>\d+) +(?P<name>\w+)\((?P<args>.*)\) += (?P<result>-?\d+)(?P<rest>.*)")
_CUT_SHORT = re.compile(r"(?P<pid>\d+) +(?P<begin>\w+\(.*) <unfinished \.\.\.>$")
_RESUMED = re.compile(r"(?P<pid>\d+) +<\.\.\. \w+ resumed>(?P<end>.*)$")
_OPENED = re.compile(r"(?:^|, )\d+<([^>]*)>")
_QUOTED = re.compile(r'(?:AT_FDCWD|\d+)?(?:<([^>]*)>, )?"([^"]*)"')


def require_strace() -> None:
    """Skip the test where nothing can be recorded."""
    if shutil.which("strace") is None:
        pytest.skip("NOT TESTED: there is no strace")
    done = subprocess.run(
        ["strace", "-f", "-y", "--seccomp-bpf", "-e", "trace=fsync", "-o", os.devnull, "true"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"NOT TESTED: strace cannot be used here: {done.stderr.strip()}")


@dataclass
class _File:
    """A file, whatever its names are.

    Attributes:
        before: Its content before the command, where it was there.
        written: The number of the last call that wrote to it.
        flushed: The number of the last call that flushed it.
    """

    before: Path | None = None
    written: int = 0
    flushed: int = 0


@dataclass
class Record:
    """What a command does to the files of a folder, and what of it is flushed.

    Attributes:
        home: The folder.
        before: A copy of it as it was before the command.
        files: The files by their paths.
        kept: The names in each folder when it was last flushed, with their files; None is a folder.
    """

    home: Path
    before: Path
    files: dict[Path, _File | None] = field(default_factory=dict)
    kept: dict[Path, dict[str, _File | None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.files[self.home] = None
        for path in self.before.rglob("*"):
            at = self.home / path.relative_to(self.before)
            self.files[at] = None if path.is_dir() else _File(path)
        for at in [at for at, file in self.files.items() if file is None]:
            self._flush_folder(at)

    def read(self, trace: Path) -> None:
        """Take a record of strace."""
        for number, (began, name, args, rest) in enumerate(_calls(trace), start=1):
            if name in (*_WRITES, *_COPIES):
                target = -1 if name == "copy_file_range" else 0
                self._write(Path(_OPENED.findall(args)[target]), number)
            elif name in _FLUSHES:
                self._flush(Path(_OPENED.findall(args)[0]), began)
            else:
                paths = [Path(at or self.home, path) for at, path in _QUOTED.findall(args)]
                self._change_names(
                    name, [Path(os.path.normpath(p)) for p in paths], args + rest, number
                )

    def _write(self, path: Path, number: int) -> None:
        file = self.files.get(path)
        if file is not None:
            file.written = number

    def _flush(self, path: Path, began: int) -> None:
        file = self.files.get(path)
        if file is not None:
            file.flushed = began
        elif path in self.files:
            self._flush_folder(path)

    def _flush_folder(self, path: Path) -> None:
        self.kept[path] = {at.name: file for at, file in self.files.items() if at.parent == path}

    def _change_names(self, name: str, paths: list[Path], args: str, number: int) -> None:
        path = paths[0]
        if not any(Path(one).is_relative_to(self.home) for one in paths):
            return
        if name in ("open", "openat", "creat"):
            if path not in self.files and ("O_CREAT" in args or name == "creat"):
                self.files[path] = _File(written=number)
            elif "O_TRUNC" in args or name == "creat":
                self._write(path, number)
        elif name.startswith("mkdir"):
            self.files[path] = None
        elif name.startswith("rename"):
            for at in [at for at in self.files if at.is_relative_to(path)]:
                self.files[paths[1] / at.relative_to(path)] = self.files.pop(at)
        elif name.startswith("link"):
            self.files[paths[1]] = self.files[path]
        else:
            self.files.pop(path, None)

    def cut(self) -> list[Path]:
        """Leave in the folder only what was flushed.

        Returns:
            Files whose removal was not flushed, and whose content is not known any more.
        """
        now = {id(file): at for at, file in self.files.items() if file is not None}
        after = self.home.with_name(f"{self.home.name}.now")
        self.home.rename(after)
        unknown: list[Path] = []
        self._restore(self.home, now, after, unknown)
        shutil.rmtree(after)
        return unknown

    def _restore(
        self, folder: Path, now: dict[int, Path], after: Path, unknown: list[Path]
    ) -> None:
        folder.mkdir()
        for name, file in self.kept.get(folder, {}).items():
            to = folder / name
            if file is None:
                self._restore(to, now, after, unknown)
            elif file.written > file.flushed:
                _leave_as_before(file.before, to)
            elif id(file) in now:
                shutil.copy2(after / now[id(file)].relative_to(self.home), to)
            elif file.before is not None:
                shutil.copy2(file.before, to)
            else:
                unknown.append(to)


def _leave_as_before(before: Path | None, to: Path) -> None:
    """What is left of a file that was written and not flushed."""
    if before is None:
        to.touch()
    else:
        shutil.copy2(before, to)


def _calls(trace: Path) -> Iterator[tuple[int, str, str, str]]:
    """The calls that succeeded, in the order of their ends, each with the number it began at."""
    begun: dict[str, tuple[int, str]] = {}
    number = 0
    for line in trace.read_text(errors="replace").splitlines():
        began, whole = number + 1, line
        if found := _CUT_SHORT.match(line):
            begun[found["pid"]] = number, found["begin"]
            continue
        if found := _RESUMED.match(line):
            began, begin = begun.pop(found["pid"])
            whole = f"{found['pid']} {begin}{found['end']}"
        if (call := _LINE.match(whole)) and int(call["result"]) >= 0:
            number += 1
            yield began, call["name"], call["args"], call["rest"]


def recorded(home: Path, command: Sequence[object], scratch: Path) -> Record:
    """Run a command in a folder, and record it.

    What the folder held before counts as flushed.
    """
    before = scratch / "before"
    shutil.rmtree(before, ignore_errors=True)
    shutil.copytree(home, before)
    trace = scratch / "trace"
    strace = ["strace", "-f", "-y", "-s", "0", "--seccomp-bpf", "-e", f"trace={_CALLS}"]
    done = subprocess.run(
        [*strace, "-o", trace, *map(str, command)],
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    record = Record(home, before)
    record.read(trace)
    return record
