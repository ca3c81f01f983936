"""An enclave with a published log, for the tests of what carries its checkpoints outside."""

from __future__ import annotations

from pathlib import Path

from audit import keys
from audit.standing import standing
from enclave.settings import Settings
from tests.audit.logs import entries, publish
from tests.enclave.scene import Scene


class Place:
    """The enclave's settings, its log's key, and a published log, which grows by ten entries at each `publish`."""

    def __init__(self, scene: Scene, home: Path, **settings: object) -> None:
        self.scene, self.store = scene, scene.store
        self.settings = Settings(home=home, **settings)
        for folder in (self.settings.keys, self.settings.log):
            folder.mkdir(parents=True)
        self.signer = keys.create(self.settings.keys / "log.key", name=self.settings.log_origin)
        self.office, self.drop = home / "office", self.settings.witness
        self.size, self.edge = 0, None
        self.publish()

    def publish(self) -> None:
        self.size += 10
        self.edge = publish(self.settings.log, entries(self.size), edge=self.edge, signer=self.signer)

    def look(self) -> str:
        return standing(self.settings.log, self.settings.anchors, self.signer.vkey).look
