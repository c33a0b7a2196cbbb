"""Opening the engine of a version: OpenVINO where there is a GGUF file, transformers elsewhere."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Literal

from bot.inference.language_model import InferenceFailed, LanguageModel
from storage.versions import Version
from training.base_model import BaseModel
from training.manifest import verify_manifest

log = logging.getLogger(__name__)

Engine = Literal["auto", "openvino", "transformers"]


class EngineOpener:
    """Opens versions of one base model."""

    def __init__(self, base: BaseModel, engine: Engine) -> None:
        """Take the base model and which engine the settings ask for."""
        self._base = base
        self._engine = engine

    def open(self, version: Version) -> LanguageModel:
        """Open a version, its files checked against its manifest first.

        Raises:
            ManifestBroken: the files are not what they were.
            InferenceFailed: no engine can load them.
        """
        self.verify(version)
        folder = None if version.folder is None else Path(version.folder)
        return self.open_files(version.name, folder)

    def verify(self, version: Version) -> None:
        """Check every byte of a version against its manifest. Raises `ManifestBroken`."""
        if version.folder is not None:
            verify_manifest(Path(version.folder), version.manifest_sha256)

    def open_files(self, name: str, folder: Path | None) -> LanguageModel:
        """Open the engine on a version's folder; None is the base.

        Raises:
            InferenceFailed: no engine can load them.
        """
        gguf = self._base.gguf if folder is None else _gguf_in(folder)
        if gguf is not None and self._engine != "transformers" and not _has_gpu():
            try:
                return self._open_vino(gguf, name)
            except InferenceFailed:
                if self._engine == "openvino":
                    raise
                log.exception("OpenVINO cannot load version=%s, trying transformers", name)
        if self._engine == "openvino":
            raise InferenceFailed(f"{name} has no GGUF file, which OpenVINO needs.")
        from bot.inference.transformers_engine import TransformersEngine

        return TransformersEngine(self._base, None if folder is None else folder / "adapter", name)

    def _open_vino(self, gguf: Path, name: str) -> LanguageModel:
        from bot.inference.openvino_engine import OpenVinoEngine

        return OpenVinoEngine(gguf, self._base.folder, name)


def _gguf_in(folder: Path) -> Path | None:
    return next(iter(sorted(folder.glob("*.gguf"))), None)


def _has_gpu() -> bool:
    import torch

    return bool(torch.cuda.is_available())
