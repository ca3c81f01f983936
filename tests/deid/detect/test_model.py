"""A model by folder as one more voice: a tiny token classifier built here, windows, bad folders, nothing downloaded."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from deid.detect.masking import treat_all
from deid.detect.model.labels import mapping_for_presidio, types_of
from deid.detect.model.onnx_tokens import OnnxTokenRecogniser
from deid.detect.model.voice import OFFLINE, Voice, fingerprint, problem_of
from deid.detect.model.wordpiece import WordPiece
from deid.detect.normalise import normalise
from deid.detect.treat import Setup, Task
from deid.errors import RecipeError
from tests.deid.factory import HEAD, Hospital, gates, table

TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "동행", "달", "##밤", "##이", "##가", "하늘", ",", "정상"]
LABELS = ["O", "B-PS", "I-PS", "B-LC"]
# What the classifier says of each token: 달밤 is a person, 하늘 a place; it knows nothing else.
SAYS = {"달": 1, "##밤": 2, "하늘": 3}


def build(folder: Path) -> Path:
    """Write a classifier whose graph is one table of logits by token, as ONNX."""
    folder.mkdir()
    logits = np.zeros((len(TOKENS), len(LABELS)), np.float32)
    for number, token in enumerate(TOKENS):
        logits[number, SAYS.get(token, 0)] = 4.0
    graph = helper.make_graph(
        [helper.make_node("Gather", ["table", "input_ids"], ["logits"], axis=0)],
        "tiny",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, [1, None])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, None, len(LABELS)])],
        [numpy_helper.from_array(logits, "table")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, str(folder / "model.onnx"))
    labels = {str(number): label for number, label in enumerate(LABELS)}
    (folder / "config.json").write_text(json.dumps({"id2label": labels, "max_position_embeddings": 100}))
    (folder / "vocab.txt").write_text("\n".join(TOKENS) + "\n", encoding="utf-8")
    return folder


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return build(tmp_path / "model")


def test_what_the_model_labels_is_found_with_offsets_into_the_unmodified_text(model: Path) -> None:
    text = "동행 달\u200b밤이가, 하늘"
    found = [(text[one.start : one.end], one.type) for one in Voice(model).find(normalise(text))]
    assert found == [("달\u200b밤", "NAME"), ("하늘", "ADDRESS")]


def test_a_text_longer_than_the_models_window_is_read_to_its_end_once(model: Path) -> None:
    text = "정상 " * 400 + "동행 달밤이, " + "정상 " * 37 + "달밤"
    found = [text[one.start : one.end] for one in OnnxTokenRecogniser(model).find(text)]
    assert found == ["달밤", "달밤"]


def test_words_are_cut_as_bert_cuts_them() -> None:
    words = WordPiece({token: number for number, token in enumerate(TOKENS)}, lower=False)
    assert [TOKENS[piece.number] for piece in words.pieces("달밤이가,모름 정상")] == [
        "달", "##밤", "##이", "##가", ",", "[UNK]", "정상",
    ]  # fmt: skip


def test_a_run_uses_the_model_of_the_recipe_and_names_its_fingerprint(clinic: Hospital) -> None:
    build(clinic.root / "tiny")
    clinic.write("notes.csv", "no,memo\n71234,동행 달밤이가 확인\n")
    recipe = """\
tables:
  notes:
    file: notes.csv
    label: {ko: 기록, en: Notes}
    subject: no
    columns:
      no: {treatment: pseudonym, domain: patient}
      memo: {treatment: free_text, model: tiny}
"""
    result = clinic.run(HEAD + gates(k=1) + recipe)
    assert table(result, "notes")["memo"].to_list() == ["동행 <이름>이가 확인"]
    assert result.manifest.lineage["models"] == {"tiny": fingerprint(clinic.root / "tiny")}
    clinic.recipe(HEAD + gates(k=1) + recipe)
    with pytest.raises(RecipeError) as caught:
        clinic.run(HEAD + gates(k=1) + recipe.replace("model: tiny", "model: absent"))
    assert caught.value.code == "deid.recipe-model"
    assert "absent" in caught.value.en


@pytest.mark.parametrize(
    ("files", "word"),
    [
        ([], "model.onnx, model.safetensors"),
        (["model.onnx"], "config.json, vocab.txt"),
        (["config.json", "model.safetensors"], "transformers"),
    ],
)
def test_a_folder_that_cannot_be_used_says_what_is_missing(tmp_path: Path, files: list[str], word: str) -> None:
    for name in files:
        (tmp_path / name).write_text("{}")
    problem = problem_of(tmp_path)
    assert problem
    assert word in problem[1]
    with pytest.raises(ValueError, match=r"model|installed"):
        Voice(tmp_path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("model.onnx", b"not a model"),
        ("model.onnx", b""),
        ("config.json", b"{"),
        ("config.json", b'{"id2label": {"0": "O", "1": "COLOUR"}}'),
        ("config.json", b"[]"),
        ("vocab.txt", b"\xff\xfe"),
        ("vocab.txt", b"word\n"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_before_the_run(model: Path, name: str, content: bytes) -> None:
    assert problem_of(model) is None
    (model / name).write_bytes(content)
    problem = problem_of(model)
    assert problem
    assert all(name in words for words in problem)
    with pytest.raises(ValueError, match=name):
        Voice(model)


def test_labels_of_usual_schemes_are_ours_and_others_mean_nothing() -> None:
    types = types_of({0: "O", 1: "B-PS", 2: "I-PER", 3: "B-OG", 4: "PHONE", 5: "B-QT", 6: "B-DT"})
    assert types == {1: ("NAME", True), 2: ("NAME", False), 3: ("ORG", True), 4: ("PHONE", False), 6: ("DATE", True)}
    assert mapping_for_presidio(["O", "B-PS", "I-PS", "B-LC"]) == {"PS": "NAME", "LC": "ADDRESS"}


def test_the_process_that_loads_a_model_is_told_that_it_is_offline(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from deid.detect import worker

    real, seen = worker.subprocess.Popen, []

    def recorded(*arguments: object, **more: object) -> object:
        seen.append(more["env"])
        return real(*arguments, **more)  # type: ignore[call-overload]

    monkeypatch.setattr(worker.subprocess, "Popen", recorded)
    ((treated,),) = treat_all([Task("동행 달밤이가 옴")], Setup(model=str(model)))
    assert [(span.type, span.by) for span in treated.spans if not span.doubt] == [("NAME", "model")]
    assert [{name: environment[name] for name in OFFLINE} for environment in seen] == [OFFLINE]
    assert {OFFLINE["HF_HUB_OFFLINE"], OFFLINE["TRANSFORMERS_OFFLINE"]} == {"1"}
