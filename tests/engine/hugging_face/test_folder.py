"""Model folders as they are judged before anything is loaded: what is found good, and what is refused and why."""

from __future__ import annotations

import json
import os
import random
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lib.engine.hugging_face import architectures, safetensors_header
from lib.engine.hugging_face.folder import examine, has_chat_template
from lib.errors import EngineError
from tests.engine.hugging_face.model_folders import CONFIG, TENSORS, make, safetensors, with_header

ROOT = Path(__file__).parents[3]

Spoil = Callable[[Path], object]


def test_a_good_folder_is_measured(tmp_path: Path) -> None:
    found = examine(make(tmp_path / "model"))
    assert (found.model_type, found.architecture, found.context) == ("llama", "LlamaForCausalLM", 256)
    assert found.parameters == 32 * 8 + 8
    assert found.weight_bytes == (tmp_path / "model" / "model.safetensors").stat().st_size
    assert found.path == tmp_path / "model"


def test_whole_numbers_among_the_weights_are_no_parameters(tmp_path: Path) -> None:
    weights = safetensors({**TENSORS, "model.positions": ("I64", (256,))})
    assert examine(make(tmp_path / "model", weights=weights)).parameters == 32 * 8 + 8


@pytest.mark.parametrize(
    ("name", "text", "has"),
    [
        ("chat_template.jinja", "{{ messages }}", True),
        ("tokenizer_config.json", '{"chat_template": "{{ messages }}"}', True),
        ("tokenizer_config.json", '{"chat_template": null}', False),
        ("tokenizer_config.json", "{", False),
        ("README.md", "chat_template", False),
    ],
)
def test_a_chat_template_is_the_models_own_or_none(tmp_path: Path, name: str, text: str, has: bool) -> None:
    folder = make(tmp_path / "model")
    (folder / name).write_text(text)
    assert has_chat_template(folder) is has


def test_weights_may_lie_in_several_files(tmp_path: Path) -> None:
    folder = make(tmp_path / "model")
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")
    (folder / "model-00002-of-00002.safetensors").write_bytes(safetensors({"lm_head.weight": ("F16", (4, 4))}))
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    assert examine(folder).parameters == 32 * 8 + 8 + 16
    (folder / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(EngineError, match="1 of 2 files of weights are missing, such as model-00002"):
        examine(folder)


def test_a_snapshot_in_a_hubs_cache_may_link_to_the_blobs_beside_it(tmp_path: Path) -> None:
    repository = tmp_path / "models--org--name"
    snapshot = make(repository / "snapshots" / "0a1b")
    blobs = repository / "blobs"
    blobs.mkdir()
    for number, path in enumerate(sorted(snapshot.iterdir())):
        path.rename(blobs / str(number))
        path.symlink_to(Path("..", "..", "blobs", str(number)))
    assert examine(snapshot).parameters == 32 * 8 + 8
    other = tmp_path / "models--org--other" / "blobs"
    other.mkdir(parents=True)
    (other / "0").write_text(json.dumps(CONFIG))
    (snapshot / "config.json").unlink()
    (snapshot / "config.json").symlink_to(other / "0")
    with pytest.raises(EngineError, match="leads out"):
        examine(snapshot)


def test_a_link_to_the_whole_folder_is_followed(tmp_path: Path) -> None:
    make(tmp_path / "model")
    (tmp_path / "link").symlink_to(tmp_path / "model")
    assert examine(tmp_path / "link").path == tmp_path / "model"


def test_code_beside_a_model_that_is_known_is_not_needed(tmp_path: Path) -> None:
    folder = make(tmp_path / "model", config={**CONFIG, "auto_map": {"AutoModelForCausalLM": "own.Model"}})
    (folder / "own.py").write_text("raise SystemExit")
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04")
    assert examine(folder).architecture == "LlamaForCausalLM"


def _config(**other: object) -> Spoil:
    return lambda folder: (folder / "config.json").write_text(json.dumps({**CONFIG, **other}))


def _weights(content: bytes) -> Spoil:
    return lambda folder: (folder / "model.safetensors").write_bytes(content)


def _index(weight_map: object) -> Spoil:
    def spoil(folder: Path) -> None:
        (folder / "model.safetensors").unlink()
        (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))

    return spoil


def _instead(name: str, make_it: Callable[[Path], object]) -> Spoil:
    def spoil(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        make_it(folder / name)

    return spoil


HOSTILE: dict[str, tuple[Spoil, str]] = {
    "no config": (_instead("config.json", lambda path: None), "has no config.json"),
    "config is a list": (_instead("config.json", lambda path: path.write_text("[]")), "not a JSON object"),
    "config is no JSON": (_instead("config.json", lambda path: path.write_text("{")), "cannot be read as JSON"),
    "config is deep": (
        _instead("config.json", lambda path: path.write_text("[" * 200_000)),
        "cannot be read as JSON",
    ),
    "config has a number of 5,000 digits": (
        _instead("config.json", lambda path: path.write_text('{"a": ' + "9" * 5000 + "}")),
        "cannot be read as JSON",
    ),
    "config is no text": (_instead("config.json", lambda path: path.write_bytes(b"\xff\xfe\x00")), "as JSON"),
    "config is huge": (
        _instead("config.json", lambda path: os.truncate(_touched(path), 1 << 40)),
        "at most 64,000,000",
    ),
    "config is a folder": (_instead("config.json", lambda path: path.mkdir()), "cannot be read as JSON"),
    "config is a pipe": (_instead("config.json", os.mkfifo), "is not a file"),
    "config is a link out": (_instead("config.json", lambda path: path.symlink_to("/etc/hostname")), "leads out"),
    "config leads nowhere": (_instead("config.json", lambda path: path.symlink_to("gone")), "leads nowhere"),
    "config leads to itself": (_instead("config.json", lambda path: path.symlink_to(path)), "leads nowhere"),
    "weights are a link out": (
        _instead("model.safetensors", lambda path: path.symlink_to("/dev/zero")),
        "leads out",
    ),
    "another file is a pipe": (_instead("added_tokens.json", os.mkfifo), "is not a file"),
    "no architecture": (_config(architectures=[]), "names no model_type and architectures"),
    "an architecture that is a number": (_config(architectures=[1]), "names no model_type and architectures"),
    "a masked model": (_config(model_type="bert", architectures=["BertForMaskedLM"]), "not a causal language model"),
    "a model that transformers does not know": (_config(model_type="never"), "none that the installed transformers"),
    "a model with code": (_config(model_type="never", auto_map={"AutoConfig": "a.B"}), "never run here"),
    "quantized": (_config(quantization_config={"quant_method": "gptq"}), "quantized"),
    "no tokenizer": (_instead("tokenizer.json", lambda path: None), "has no tokenizer"),
    "no weights": (_instead("model.safetensors", lambda path: None), "no weights"),
    "pickled weights": (
        lambda folder: (folder / "model.safetensors").rename(folder / "pytorch_model.bin"),
        "only safetensors are read",
    ),
    "weights are empty": (_weights(b""), "is damaged"),
    "weights are cut": (_weights(safetensors()[:-1]), "does not|room for"),
    "weights are too long": (_weights(safetensors() + b"\x00"), "room for"),
    "a header longer than the file": (_weights(struct.pack("<Q", 1 << 62) + b"{}"), "its header would have"),
    "a header of no bytes": (_weights(struct.pack("<Q", 0)), "its header would have"),
    "a header that is no JSON": (_weights(with_header(b"{'a'}", 0)), "not JSON"),
    "a header that is a list": (_weights(with_header(b"[]", 0)), "not an object"),
    "a deep header": (_weights(with_header(b"[" * 200_000, 0)), "not JSON"),
    "a name twice": (_weights(with_header(b'{"a": 1, "a": 2}', 0)), "stands twice"),
    "no tensors": (_weights(with_header(b"{}", 0)), "no numbers that could be trained"),
    "a tensor that is a text": (_weights(with_header(b'{"a": "b"}', 0)), "not described by an object"),
    "a shape below zero": (
        _weights(with_header(b'{"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}', 4)),
        "shape",
    ),
    "a shape without end": (
        _weights(with_header(b'{"a": {"dtype": "F32", "shape": [4294967296, 4294967296], "data_offsets": [0, 4]}}', 4)),
        "numbers",
    ),
    "tensors on one another": (
        _weights(
            with_header(
                b'{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},'
                b' "b": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}',
                4,
            )
        ),
        "does not fill its place",
    ),
    "a type of eight bits": (
        _weights(with_header(b'{"a": {"dtype": "F8_E4M3", "shape": [4], "data_offsets": [0, 4]}}', 4)),
        "cannot be trained",
    ),
    "an index that leads out": (_index({"a": "../model.safetensors"}), "not a safetensors file of this folder"),
    "an index of pickles": (_index({"a": "pytorch_model.bin"}), "not a safetensors file of this folder"),
    "an index of nothing": (_index({}), "names no files"),
    "an index of numbers": (_index({"a": 7}), "names no files"),
}


def _touched(path: Path) -> Path:
    path.touch()
    return path


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_folder_is_refused_with_a_sentence(name: str, tmp_path: Path) -> None:
    spoil, said = HOSTILE[name]
    folder = make(tmp_path / "model")
    examine(folder)
    spoil(folder)
    with pytest.raises(EngineError, match=said):
        examine(folder)


@pytest.mark.parametrize("name", ["gone", "model/config.json"])
def test_what_is_no_folder_is_told_by_its_name(name: str, tmp_path: Path) -> None:
    make(tmp_path / "model")
    with pytest.raises(EngineError, match=name):
        examine(tmp_path / name)


def test_no_header_breaks_the_reader(tmp_path: Path) -> None:
    """Bytes of a good file are changed, taken out and doubled: each is read or refused, and nothing else happens."""
    good, drawn, path = safetensors(), random.Random(5), tmp_path / "model.safetensors"
    refused = 0
    for _ in range(3_000):
        content = bytearray(good)
        for _ in range(drawn.randint(1, 3)):
            place = drawn.randrange(min(len(content), 260))
            content[place : place + drawn.randint(0, 3)] = drawn.randbytes(drawn.randint(0, 3))
        path.write_bytes(content)
        try:
            safetensors_header.tensors(path)
        except EngineError:
            refused += 1
    assert refused > 2_000


def test_the_table_of_transformers_is_the_one_that_it_uses() -> None:
    known = architectures.known()
    assert known["llama"] == "LlamaForCausalLM"
    assert known["gpt2"] == "GPT2LMHeadModel"
    assert len(known) > 150
    assert "bart-large" not in known


def test_nothing_heavy_is_imported(tmp_path: Path) -> None:
    make(tmp_path / "model")
    code = (
        "import sys; from pathlib import Path; from lib.engine.hugging_face.folder import examine;"
        f"examine(Path({str(tmp_path / 'model')!r}));"
        "sys.exit(' '.join({'torch', 'transformers', 'numpy', 'tokenizers', 'safetensors'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
