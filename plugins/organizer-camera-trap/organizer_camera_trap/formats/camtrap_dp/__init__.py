"""Camtrap DP 1.0.2, the standard of TDWG for the exchange of camera-trap data.

https://camtrap-dp.tdwg.org

A package is a folder: ``datapackage.json`` with the project, place and period, ``deployments.csv``
with the cameras, ``media.csv`` with the files, and ``observations.csv`` with what was observed.
`exporter` writes them; `project` reads the project's metadata, `taxa` the meaning of cluster names,
`zones` the time zone; `observations` turns clusters and detections into observations, `events` sums
them by event; `standard` holds the columns and terms of the standard.
"""

from organizer_camera_trap.formats.camtrap_dp.exporter import CamtrapDP

__all__ = ["CamtrapDP"]
