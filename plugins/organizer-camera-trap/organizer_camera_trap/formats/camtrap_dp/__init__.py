"""Camtrap DP 1.0.2, the standard of TDWG for the exchange of camera-trap data.

https://camtrap-dp.tdwg.org

A package is a folder: ``datapackage.json`` says whose it is and where and when it was recorded,
``deployments.csv`` where cameras stood, ``media.csv`` which files there are, and
``observations.csv`` what was seen. `exporter` writes them; `project` reads what a person must say,
`taxa` what the names of clusters mean, `zones` the time zone; `seen` turns clusters and detections
into observations; `standard` is what the standard prescribes.
"""

from organizer_camera_trap.formats.camtrap_dp.exporter import CamtrapDP

__all__ = ["CamtrapDP"]
