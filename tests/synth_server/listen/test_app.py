"""What a visitor's browser gets, without a browser."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from starlette.testclient import TestClient

from pairstream import StreamSpec, connect
from pairstream.errors import ConfigError
from synth_server.cli import main
from synth_server.config import ServeSettings
from synth_server.listen.pairs import END
from synth_server.metrics import WorkerMetrics
from synth_server.renderer import Renderer
from synth_server.server import Server

PAIR = "/api/pair/3/2?seconds=0.25&block_pairs=3&delta=0.1"
SPEC = StreamSpec(block_pairs=3, seconds=0.25, delta=0.1)


def part(what: str) -> str:
    return PAIR.replace("?", f"/{what}?")


def test_the_files_are_those_that_render_writes_to_the_byte(
    visitor: TestClient, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    about = visitor.get(PAIR).json()
    flags = about["command"].removeprefix("synth-server ").split()
    assert main([*flags, "--out", str(tmp_path)]) == 0
    written = Path(capsys.readouterr().out.strip())
    names = json.loads(written.read_text())["wav"]
    for view in "ab":
        sound = visitor.get(part(f"{view}.wav"))
        assert sound.content == (tmp_path / names[view]).read_bytes()
        assert sound.headers["content-disposition"] == f'attachment; filename="{names[view]}"'
        assert sound.headers["content-type"] == "audio/wav"
    recipe = visitor.get(part("pair.json"))
    assert recipe.content == written.read_bytes()
    assert written.name in recipe.headers["content-disposition"]


def test_a_sound_is_the_very_samples_of_the_block(visitor: TestClient):
    with connect("local://", SPEC) as client:
        block = client.fetch(3)
    for view in range(2):
        samples, rate = soundfile.read(io.BytesIO(visitor.get(part(f"{'ab'[view]}.wav")).content), dtype="float32")
        assert rate == 16_000
        assert np.array_equal(samples, block.audio[2, view])


def test_what_differs_comes_in_the_order_of_how_far(visitor: TestClient):
    rows = visitor.get(PAIR).json()["differences"]
    moved = [abs(row["theta"][1] - row["theta"][0]) for row in rows]
    assert len(rows) == 78
    assert moved == sorted(moved, reverse=True)
    assert moved[0] > 0.1
    pitch = next(row for row in rows if row["name"] == "midi_f0")
    assert all(text.endswith(" Hz") for text in pitch["text"])
    assert pitch["change"].endswith(" semitones")


def test_only_a_pair_s_own_url_changes_what_is_shown(visitor: TestClient):
    again, other = visitor.get(PAIR), visitor.get(PAIR.replace("/3/2", "/3/1"))
    assert again.json() == visitor.get(PAIR).json() != other.json()
    assert again.headers["etag"] != other.headers["etag"]


def test_the_link_says_only_what_is_not_the_default(visitor: TestClient):
    about = visitor.get("/api/pair/7/1?delta=0.25&seed=18446744073709551615&synth=voice-fm").json()
    assert about["link"] == "/pair/7/1?synth=voice-fm&seed=18446744073709551615"
    assert about["stream"]["fields"]["seed"] == "18446744073709551615"
    assert visitor.get(f"/api{about['link']}").json() == about


def test_a_browser_that_has_it_is_told_so_without_a_pair_being_fetched(visitor: TestClient, open_page):
    tags = {what: visitor.get(what).headers["etag"] for what in (PAIR, part("a.wav"), part("pair.json"))}
    assert len(set(tags.values())) == 3
    nobody = open_page("zmq://127.0.0.1:1", timeout=0.2)
    for what, tag in tags.items():
        answer = nobody.get(what, headers={"if-none-match": f'"other", {tag}'})
        assert (answer.status_code, answer.content) == (304, b"")
    assert "immutable" in visitor.get(part("a.wav")).headers["cache-control"]


def test_pairs_of_a_live_worker_are_the_same(visitor: TestClient, open_page):
    settings = ServeSettings(bind="tcp://127.0.0.1:0", grpc="127.0.0.1:0", http="127.0.0.1:0", drain_seconds=2)
    with Server(settings, Renderer, WorkerMetrics()) as worker:
        remote = open_page(worker.addresses.data)
        assert remote.get(PAIR).json() == visitor.get(PAIR).json()
        assert remote.get(part("b.wav")).content == visitor.get(part("b.wav")).content
        assert remote.get("/api/start").json()["live"]


def test_the_head_is_the_trainers_and_listening_does_not_move_it(open_page):
    settings = ServeSettings(bind="tcp://127.0.0.1:0", grpc="127.0.0.1:0", http="127.0.0.1:0", drain_seconds=2)
    query = PAIR.partition("?")[2]
    with Server(settings, Renderer, WorkerMetrics()) as worker:
        visitor = open_page(worker.addresses.data)
        assert visitor.get(f"/api/head?{query}").json() == {"head": None}
        with connect(worker.addresses.data, SPEC, experiment="training", timeout=10) as client:
            client.fetch(5)
        assert visitor.get(PAIR.replace("/3/", "/4711/")).status_code == 200
        assert visitor.get(part("pair.json").replace("/3/", "/4711/")).status_code == 200
        assert visitor.get(f"/api/head?{query}").json() == {"head": 5}


@pytest.mark.parametrize(
    ("path", "status", "kind", "said"),
    [
        ("/api/pair/0/0?delta=99", 400, "not-valid", "delta=99 is out of range"),
        ("/api/pair/0/0?colour=red", 400, "not-valid", "unknown field 'colour'"),
        ("/api/pair/0/0?seed=1&seed=2", 400, "not-valid", "says seed twice"),
        ("/api/pair/0/128", 400, "not-valid", "pairs 0 to 127"),
        (f"/api/pair/{END // 128}/0", 400, "not-valid", "the page shows the blocks 0 to"),
        ("/api/pair/0/0?synth=theremin", 422, "refused", "it has voice"),
        ("/api/pair/0/0?seconds=3600", 422, "refused", "seconds=3600.0 is more"),
        ("/api/pair/0/0?synth=parametric&oscillators.sine=64", 422, "refused", "at most 24"),
        ("/api/pair/0/0/pair.json?block_pairs=1000000", 422, "refused", "at most 128 are rendered"),
        ("/api/pair/0/0/c.wav", 404, "no-such-page", "Not Found"),
        (f"/api/pair/{'9' * 5000}/0", 404, "no-such-page", "Not Found"),
        ("/api/pair/-1/0", 404, "no-such-page", "Not Found"),
        ("/api/pair/0/0/cosine", 400, "not-valid", "--checkpoint"),
        ("/static/../app.py", 404, "no-such-page", "Not Found"),
    ],
)
def test_what_cannot_be_meant_is_answered_with_a_reason(
    visitor: TestClient, path: str, status: int, kind: str, said: str
):
    answer = visitor.get(path)
    error = answer.json()["error"]
    assert (answer.status_code, error["kind"]) == (status, kind)
    assert said in error["message"]
    assert answer.headers["cache-control"] == "no-store"


def test_where_no_worker_answers_the_reason_comes_in_time(open_page):
    answer = open_page("zmq://127.0.0.1:1", timeout=0.3).get(PAIR)
    assert (answer.status_code, answer.json()["error"]["kind"]) == (503, "no-worker")
    assert "zmq://127.0.0.1:1" in answer.json()["error"]["message"]
    assert answer.headers["retry-after"] == "2"


def test_an_error_that_nobody_foresaw_is_not_shown(open_page):
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("/home/somebody/secret")

    answer = open_page(clients={"connect": broken}).get(PAIR)
    assert (answer.status_code, answer.json()["error"]["kind"]) == (500, "failed")
    assert "secret" not in answer.text
    assert "content-security-policy" in answer.headers


@pytest.mark.parametrize("path", ["/", "/pair/3/2?delta=0.1", "/static/page.js", "/healthz", "/nowhere", PAIR])
def test_every_answer_keeps_other_sites_out(visitor: TestClient, path: str):
    headers = visitor.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"


def test_the_page_needs_no_other_site_and_no_inline_script(visitor: TestClient):
    page = visitor.get("/pair/3/2").text
    assert '<script type="module" src="/static/page.js"></script>' in page
    assert page.count("<script") == 1
    assert "style=" not in page
    assert "onclick" not in page


class Ear:
    """A listener that hears the first two samples."""

    name = "runs/toy"
    spec = SPEC

    def embed(self, audio: np.ndarray, sample_rate: int) -> np.ndarray:
        if sample_rate != 16_000:
            raise ConfigError("this ear hears 16 kHz")
        assert audio.shape[0] == 2
        return np.array([[1.0, 0.0], [1.0, 1.0]], np.float32)


def test_the_cosine_is_that_of_the_encoder(open_page):
    visitor = open_page(listener=Ear())
    assert visitor.get("/api/start").json()["compares"]
    assert visitor.get(part("cosine")).json() == {"cosine": pytest.approx(0.5**0.5), "by": "runs/toy"}
    answer = visitor.get(part("cosine") + "&sample_rate=22050")
    assert (answer.status_code, answer.json()["error"]["message"]) == (400, "this ear hears 16 kHz")
