"""In which precision a processor computes."""

from __future__ import annotations

from organizer.errors import SettingsError


def use_bfloat16(precision: str, *, supported: bool, depthwise: bool) -> bool:
    """Whether a processor computes in bfloat16.

    Args:
        precision: See `organizer.embed.engine.engine_for`.
        supported: Whether it has units for bfloat16.
        depthwise: Whether the network has depthwise convolutions.

    Raises:
        SettingsError: bfloat16 is required and not supported.
    """
    if precision == "bfloat16" and not supported:
        raise SettingsError(
            "this processor has no bfloat16 units", "use --precision auto or float32"
        )
    return supported and (precision == "bfloat16" or (precision == "auto" and not depthwise))


def has_int8() -> bool:
    """Whether the processor multiplies eight-bit integers exactly, four at once (VNNI or AMX).

    Older ones do it in sixteen bits, which overflow: the vectors would be other ones.
    """
    import torch

    return bool(torch.cpu._is_vnni_supported() or torch.cpu._is_amx_tile_supported())  # noqa: SLF001


def has_bfloat16() -> bool:
    """Whether the processor has units for bfloat16: others imitate it, slower than float32."""
    import torch

    # There is no public way to ask. OpenVINO counts what it can only imitate.
    return bool(torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported())  # noqa: SLF001
