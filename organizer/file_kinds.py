"""Kinds of files by their suffixes: those that are read, and what the others may hold."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from importlib.util import find_spec


class FileKind(IntEnum):
    """What a file of another kind than a picture's may hold; what may hold photos comes first.

    Raw photos are read by their previews, the rest is not.
    """

    VIDEO = 0
    RAW = 1
    JPEG_XL = 2
    PICTURE = 3
    ARCHIVE = 4
    UNKNOWN = 5
    OTHER = 6

    @property
    def title(self) -> str:
        """What to call it; empty where the suffix has to say it."""
        return _TITLES.get(self, "")


_TITLES = {
    FileKind.VIDEO: "video",
    FileKind.RAW: "raw photo",
    FileKind.JPEG_XL: "JPEG XL: pip install 'organizer-photos[jxl]' to read them",
    FileKind.PICTURE: "picture",
    FileKind.ARCHIVE: "archive: unpack it to read what is in it",
}

_SUFFIXES = {
    FileKind.VIDEO: (
        "3g2 3gp ari asf avi braw dav divx dv flv h264 h265 insv lrv m2ts m2v m4v mjpeg mjpg mkv "
        "mov mp mp4 mpe mpeg mpg mts mxf ogv qt r3d rm rmvb ts vob webm wmv"
    ),
    FileKind.RAW: (
        "3fr arw bay cap cr2 cr3 crw dcr dcs dng drf erf fff gpr iiq k25 kdc mdc mef "
        "mos mrw nef nrw obm orf ori pef ptx pxn raf raw rw2 rwl rwz sr2 srf srw sti x3f"
    ),
    FileKind.JPEG_XL: "jxl",
    FileKind.PICTURE: (
        "ai avifs bpg dcm dds eps exr fit fits flif heics hdr ico icns insp j2c jls jng jpc jpf "
        "jpm jxr lbm pam pcd pcx pfm pic pict psb psd qoi ras rgb rgba sgi svg svgz wbmp wdp "
        "wmf emf xbm xcf xpm"
    ),
    FileKind.ARCHIVE: "7z bz2 eip gz iso rar tar tgz xz zip zst",
    FileKind.OTHER: (
        "aae bak bat bin bup cfg conf cpi ctg csv dat db db-shm db-wal doc docx dop dsc dtd exe "
        "fseventsd gpx htm html idx ifo ind inf ini ipynb js json jsonl kml lnk lock log lua md "
        "md5 mpl nfo ods odt on1 pdf pgi plist pls pp3 pto py r rdata rds rtf sav scr sh sha1 "
        "sha256 sqlite srt sub sys thm tmp toml torrent tsv txt url vscode wav mp3 aac m4a xlsx "
        "xls xml xmp yaml yml"
    ),
}

_KINDS = {name: kind for kind, names in _SUFFIXES.items() for name in names.split()}

_PICTURES = frozenset([
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".tif", ".tiff", ".bmp", ".dib", ".webp",
    ".avif", ".heic", ".heif", ".hif", ".mpo", ".jp2", ".j2k", ".jpx", ".ppm", ".pgm", ".pbm",
    ".pnm", ".tga",
])  # fmt: skip
IMAGE_SUFFIXES = _PICTURES | {f".{name}" for name in _SUFFIXES[FileKind.RAW].split()}
"""Lower-case suffixes of the kinds that `organizer.decode` always reads; see `image_suffixes`."""

VIDEO_SUFFIXES = frozenset([
    ".3gp", ".asf", ".avi", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts",
    ".webm", ".wmv",
])  # fmt: skip
"""Those of the videos that are read where PyAV is installed."""


def file_kind(suffix: str) -> FileKind:
    """The kind of file that a lower-case suffix, with its dot, stands for."""
    name = suffix.removeprefix(".")
    if not name:
        return FileKind.OTHER
    return _KINDS.get(name, FileKind.UNKNOWN)


def by_kind(counts: Mapping[str, int]) -> dict[str, int]:
    """Counts of files by suffix, in the order of the kinds; in a kind the most numerous first."""
    ranked = sorted(counts.items(), key=lambda pair: (file_kind(pair[0]), -pair[1], pair[0]))
    return dict(ranked)


def image_suffixes() -> frozenset[str]:
    """Lower-case suffixes of the kinds that are read: also of those of installed extras."""
    jxl = {".jxl"} if find_spec("pillow_jxl") is not None else set[str]()
    return IMAGE_SUFFIXES | jxl | (VIDEO_SUFFIXES if reads_videos() else frozenset())


def reads_videos() -> bool:
    """Whether PyAV is installed, with which videos are read."""
    return find_spec("av") is not None
