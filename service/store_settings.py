"""The instance store as the settings describe it, for entry points."""

from __future__ import annotations

from service.instance_store import InstanceStore
from service.settings import Settings


def open_store(settings: Settings) -> InstanceStore:
    """The store in the data folder, with the marks of the disk it lies on."""
    return InstanceStore(
        settings.instances_dir, settings.min_free_bytes, settings.disk_high_percent, settings.disk_low_percent
    )
