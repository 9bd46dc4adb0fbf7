"""The plugin for deep clustering: trainings that go on after a kill, and keep to decisions."""
