"""Camera-trap formats: Camtrap DP, and CSV for Timelapse."""

from organizer_camera_trap.formats.camtrap_dp import CamtrapDP
from organizer_camera_trap.formats.timelapse import TimelapseCsv

__all__ = ["CamtrapDP", "TimelapseCsv"]
