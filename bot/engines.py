"""Opening the engine of a version.

Here it is OpenVINO where there is a GGUF file, and transformers elsewhere; or a server answers.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bot.base_choice import base_of
from bot.inference.language_model import InferenceFailed, LanguageModel
from bot.inference.memory import MemoryTooSmall
from bot.inference.remote_server import RemoteServer
from bot.settings import ModelSettings
from storage.versions import BASE, Version
from training.base_model import BaseModel, BaseModelCorrupt, BaseModelMissing
from training.manifest import ManifestBroken, read_manifest, verify_manifest

if TYPE_CHECKING:
    from bot.inference.remote_engine import RemoteEngine

log = logging.getLogger(__name__)

Engine = Literal["auto", "openvino", "transformers", "remote"]

#: The variable that holds the key which a server asks for; it is in no file and no log.
KEY_VARIABLE = "SKREDDER_MODEL_API_KEY"


def remote_server(
    settings: ModelSettings, environment: Mapping[str, str] | None = None
) -> RemoteServer:
    """Return the server that the settings name, with its key from the environment."""
    variables = os.environ if environment is None else environment
    return RemoteServer(
        url=settings.server,
        model=settings.served_model,
        loads_adapters=settings.server_adapters,
        silence_seconds=settings.server_silence,
        answer_seconds=settings.server_whole_answer,
        key=variables.get(KEY_VARIABLE, ""),
    )


class BaseDiffers(InferenceFailed):
    """A version belongs to another base model than there is; the message says to which."""


class EngineOpener:
    """Opens versions, each on the base model that it belongs to."""

    def __init__(
        self,
        base: BaseModel,
        engine: Engine,
        *,
        server: RemoteServer | None = None,
        cache_gib: float = 1.0,
        at_once: int | None = None,
        four_bits: bool = False,
        prepare_other: Callable[[str], BaseModel] | None = None,
    ) -> None:
        """Take the base model and which engine the settings ask for.

        Args:
            base: The base model.
            engine: Which engine; `auto` takes the quickest that can load a version.
            server: Where `remote` asks.
            cache_gib: How much memory keys and values may take, in GiB.
            at_once: How many answers are worked on at once; None is what is quickest for each.
            four_bits: Whether transformers keeps the weights in four bits.
            prepare_other: Prepares another base model, by what the settings would call it;
                without it versions of other bases cannot be opened.
        """
        self._at_once = at_once
        self._four_bits = four_bits
        self._prepare_other = prepare_other
        self._base = base
        self._engine = engine
        self._server = server
        self._cache_gib = cache_gib

    def open(self, version: Version) -> LanguageModel:
        """Open a version, its files checked against its manifest first.

        Raises:
            ManifestBroken: the files are not what they were.
            BaseDiffers: the base model that the version belongs to is not there.
            InferenceFailed: no engine can load them.
        """
        base = self.base_of(version)
        self.verify(version)
        folder = None if version.folder is None else Path(version.folder)
        return self._open_on(base, version.name, folder)

    def base_of(self, version: Version) -> BaseModel:
        """Return the base model that a version belongs to, never another. Raises `BaseDiffers`."""
        wanted = version.base
        if wanted is None or not self._base.sha256 or wanted.sha256 == self._base.sha256:
            return self._base
        if self._prepare_other is None or self._engine == "remote":
            raise BaseDiffers(
                f"{version.name} belongs to the base model {wanted.name} "
                f"({wanted.sha256[:12]}), not to {self._base.name} ({self._base.sha256[:12]})."
            )
        try:
            return base_of(wanted, version.name, self._prepare_other)
        except (BaseModelMissing, BaseModelCorrupt) as error:
            raise BaseDiffers(str(error)) from error

    def verify(self, version: Version) -> None:
        """Check every byte of a version against its manifest. Raises `ManifestBroken`."""
        if version.folder is not None:
            verify_manifest(Path(version.folder), version.manifest_sha256)

    def open_files(self, name: str, folder: Path | None) -> LanguageModel:
        """Open the engine on a version's folder; None is the base.

        Raises:
            BaseDiffers: the version was made on another base model.
            InferenceFailed: no engine can load them.
        """
        if folder is not None:
            self._refuse_of_another_base(name, folder)
        return self._open_on(self._base, name, folder)

    def _refuse_of_another_base(self, name: str, folder: Path) -> None:
        """Raise `BaseDiffers` if a version's manifest says that it was made on another base."""
        try:
            made_on = read_manifest(folder).lineage
        except ManifestBroken:
            return  # whoever opens files without a version has just written or checked them
        for what, mine in (("base", self._base.name), ("base_sha256", self._base.sha256)):
            if mine and made_on.get(what, mine) != mine:
                raise BaseDiffers(
                    f"{name} was made on the base model {made_on.get('base', '?')}, and here is "
                    f"{self._base.name}."
                )

    def _open_on(self, base: BaseModel, name: str, folder: Path | None) -> LanguageModel:
        if self._engine == "remote":
            return self._open_remote(base, name, folder)
        gguf = base.gguf if folder is None else _gguf_in(folder)
        if gguf is not None and self._engine != "transformers" and not _has_gpu():
            try:
                return self._open_vino(base, gguf, name)
            except MemoryTooSmall:
                raise  # the other engine would need more, and does not know how much
            except InferenceFailed:
                if self._engine == "openvino":
                    raise
                log.exception("OpenVINO cannot load version=%s, trying transformers", name)
        if self._engine == "openvino":
            raise InferenceFailed(f"{name} has no GGUF file, which OpenVINO needs.")
        from bot.inference.transformers_engine import TransformersEngine

        adapter = None if folder is None else folder / "adapter"
        return TransformersEngine(
            base, adapter, name, at_once=self._at_once, four_bits=self._four_bits
        )

    def ask_server(self) -> str | None:
        """Return what the server that answers says it has; None where no server does.

        Raises:
            InferenceFailed: it cannot be reached, or does not serve the model.
        """
        if self._engine != "remote":
            return None
        opened = self._open_remote(self._base, BASE, None)
        try:
            names = ", ".join(model.name for model in opened.check()) or "nothing"
        finally:
            opened.close()
        return f"{opened.url} answers, and lists {names}"

    def _open_vino(self, base: BaseModel, gguf: Path, name: str) -> LanguageModel:
        from bot.inference.openvino_engine import OpenVinoEngine

        return OpenVinoEngine(
            gguf,
            base.folder,
            name,
            cache_gib=self._cache_gib,
            at_once=self._at_once,
        )

    def _open_remote(self, base: BaseModel, name: str, folder: Path | None) -> RemoteEngine:
        from bot.inference.remote_engine import RemoteEngine

        if self._server is None or not self._server.model:
            raise InferenceFailed(
                'engine = "remote" needs `served_model` under [model]: what the server calls '
                "the model."
            )
        adapter = None if folder is None else folder / "adapter"
        return RemoteEngine(
            self._server,
            name,
            adapter=adapter,
            tokenizer_folder=base.folder,
            at_once=self._at_once,
        )


def _gguf_in(folder: Path) -> Path | None:
    return next(iter(sorted(folder.glob("*.gguf"))), None)


def _has_gpu() -> bool:
    import torch

    return bool(torch.cuda.is_available())
