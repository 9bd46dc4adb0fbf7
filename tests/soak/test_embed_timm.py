"""timm's large networks."""

from __future__ import annotations

from pathlib import Path

from tests.timm_networks import compare_with_and_without_head


def test_weights_of_pictures_of_518_pixels_give_timm_s_vectors(tmp_path: Path) -> None:
    compare_with_and_without_head("vit_small_patch14_dinov2.lvd142m", tmp_path, has_head=False)
