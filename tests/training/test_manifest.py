"""Nothing is loaded that is not byte for byte what was written."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.manifest import ManifestBroken, read_manifest, verify_manifest, write_manifest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "v1"
    (made / "adapter").mkdir(parents=True)
    (made / "model.gguf").write_bytes(b"weights " * 1000)
    (made / "adapter" / "adapter_model.safetensors").write_bytes(b"adapter " * 1000)
    return made


def test_a_folder_as_it_was_written_passes_and_knows_where_it_comes_from(folder: Path) -> None:
    sha256 = write_manifest(folder, {"run": 7})
    manifest = verify_manifest(folder, sha256)
    assert manifest.lineage == {"run": 7}
    assert set(manifest.files) == {"model.gguf", "adapter/adapter_model.safetensors"}


@pytest.mark.parametrize("name", ["model.gguf", "adapter/adapter_model.safetensors"])
def test_one_flipped_bit_is_found_and_the_file_named(folder: Path, name: str) -> None:
    write_manifest(folder, {})
    with (folder / name).open("r+b") as file:
        file.seek(4_000)
        byte = file.read(1)[0]
        file.seek(4_000)
        file.write(bytes([byte ^ 1]))
    with pytest.raises(ManifestBroken, match=f"{name} is damaged"):
        verify_manifest(folder)


def test_a_missing_file_is_found(folder: Path) -> None:
    write_manifest(folder, {})
    (folder / "model.gguf").unlink()
    with pytest.raises(ManifestBroken, match=r"model\.gguf is missing"):
        verify_manifest(folder)


def test_a_file_that_was_put_beside_the_weights_is_found(folder: Path) -> None:
    write_manifest(folder, {})
    (folder / "other.safetensors").write_bytes(b"planted")
    with pytest.raises(ManifestBroken, match=r"other\.safetensors is not in the manifest"):
        verify_manifest(folder)


def test_a_manifest_written_anew_for_other_weights_is_not_the_recorded_one(folder: Path) -> None:
    recorded = write_manifest(folder, {})
    (folder / "model.gguf").write_bytes(b"other weights")
    write_manifest(folder, {})
    verify_manifest(folder)
    with pytest.raises(ManifestBroken, match="not the one that was recorded"):
        verify_manifest(folder, recorded)


@pytest.mark.parametrize("name", ["model.bin", "model.PT", "adapter/x.pkl", "modeling.py"])
def test_files_that_could_run_code_never_lie_with_weights(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"")
    with pytest.raises(ManifestBroken, match="could run code"):
        write_manifest(folder, {})


def test_a_link_never_lies_with_weights(folder: Path, tmp_path: Path) -> None:
    write_manifest(folder, {})
    (folder / "more.gguf").symlink_to(tmp_path)
    with pytest.raises(ManifestBroken, match="lead away"):
        verify_manifest(folder)


@pytest.mark.parametrize("text", ["", "{}", '{"files": 3, "lineage": {}}', "\x00"])
def test_a_manifest_that_is_none_is_refused(folder: Path, text: str) -> None:
    (folder / "manifest.json").write_text(text)
    with pytest.raises(ManifestBroken, match="no readable manifest"):
        read_manifest(folder)
