"""The page in a real browser: played, turned, changed and kept, with a mouse and with keys only."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.request import urlopen

import pytest
from page_process import CHROMIUM, PageProcess
from page_visit import LONG, PAIR, Visit, until
from playwright.sync_api import expect
from worker_process import WorkerProcess

from pairstream import StreamSpec, connect

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning"),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium; on Debian, apt-get install chromium"),
]


def test_it_can_be_played_with_keys_alone(visit: Visit, server: PageProcess):
    page = visit.open(server.url + LONG)
    playing = page.locator(".view.playing")
    page.keyboard.press("l")
    page.keyboard.press("Space")
    expect(page.locator("#play")).to_contain_text("Stop")
    expect(playing).to_have_attribute("data-view", "a")
    until(page, "document.getElementById('playhead').style.getPropertyValue('--at') > 0.2")
    page.keyboard.press("x")
    expect(playing).to_have_attribute("data-view", "b")
    at = float(page.evaluate("document.getElementById('playhead').style.getPropertyValue('--at')"))
    assert 0.2 < at < 0.9
    page.keyboard.press("Space")
    expect(playing).to_have_count(0)
    page.keyboard.press("b")
    expect(playing).to_have_attribute("data-view", "b")
    assert visit.wrong == []


def test_a_is_followed_by_b_and_then_by_silence(visit: Visit, server: PageProcess):
    page = visit.open(server.url + PAIR)
    page.evaluate(
        """window.heard = []; new MutationObserver(() => {
            const view = document.querySelector(".view.playing")?.dataset.view ?? "-";
            if (heard.at(-1) !== view) heard.push(view);
        }).observe(document.getElementById("lanes"), { subtree: true, attributeFilter: ["class"] })"""
    )
    page.click("#play")
    until(page, "heard.at(-1) === '-'")
    assert page.evaluate("heard.filter(view => view !== '-')") == ["a", "b"]


def test_the_keys_are_shown_and_closed(visit: Visit, server: PageProcess):
    page = visit.open(server.url + PAIR)
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    for words in ("play a, then b", "swap", "next pair", "copy the link"):
        expect(page.locator("#keys-list")).to_contain_text(words)
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()


def test_pairs_are_turned_like_pages_and_back(visit: Visit, server: PageProcess):
    page = visit.open(server.url + PAIR)
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(server.url + PAIR.replace("/14", "/15"))
    expect(page).to_have_title(re.compile("Pair 15"))
    page.keyboard.press("n")
    expect(page).not_to_have_title(re.compile("Pair 15 of block 4,711"))
    page.go_back()
    expect(page).to_have_title(re.compile("Pair 15 of block 4,711"))
    page.click("#previous")
    expect(page).to_have_url(server.url + PAIR)
    page.goto(f"{server.url}/pair/0/0")
    visit.ready()
    expect(page.locator("#previous")).to_be_disabled()
    page.goto(f"{server.url}/pair/5/127")
    visit.ready()
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(f"{server.url}/pair/6/0")


def test_the_slider_spreads_the_pair_and_a_column_opens(visit: Visit, server: PageProcess):
    page = visit.open(server.url + LONG)
    names = page.locator("#strip .delta b")
    expect(names).to_have_text(["δ = 0", "δ = 0.05", "δ = 0.1", "δ = 0.15", "δ = 0.2"])
    page.keyboard.press("d")
    page.keyboard.press("End")
    expect(page.locator("#delta-text")).to_have_text("δ = 1")
    expect(names).to_have_text(["δ = 0", "δ = 0.25", "δ = 0.5", "δ = 0.75", "δ = 1"])
    visit.ready()
    page.click("#strip li:nth-child(3) .mini[data-view=b]")
    expect(page.locator("#strip li:nth-child(3) .mini.playing")).to_have_attribute("data-view", "b")
    page.click("#strip li:nth-child(3) .open")
    expect(page).to_have_url(server.url + LONG.replace("delta=0.1", "delta=0.5"))
    expect(page.locator("#lead")).to_contain_text("δ = 0.5")
    assert visit.wrong == []


def test_the_form_asks_for_any_stream_and_says_what_is_wrong(visit: Visit, server: PageProcess):
    page = visit.open(server.url + PAIR)
    page.fill("[name=delta]", "pitch: 0, rest: 0.2")
    page.fill("[name=pair]", "3")
    page.select_option("[name=synth]", "voice-fm")
    page.click("#form button")
    expect(page).to_have_url(f"{server.url}/pair/4711/3?synth=voice-fm&delta.pitch=0.0&delta.rest=0.2&seconds=0.5")
    expect(page.locator("[name=delta]")).to_have_value("pitch: 0.0, rest: 0.2")
    expect(page.locator("#strip .delta b").last).to_have_text("δ × 2")
    page.fill("[name=delta]", "99")
    page.click("#form button")
    expect(page.locator("#form .error")).to_contain_text("delta=99 is out of range")
    expect(page.locator("#pair")).to_be_visible()
    expect(page).to_have_title(re.compile("Pair 3 of block 4,711"))


def test_what_is_kept_is_what_is_heard(visit: Visit, server: PageProcess):
    page = visit.open(server.url + PAIR)
    with page.expect_download() as download:
        page.click("#wav-b")
    kept = Path(download.value.path()).read_bytes()
    with urlopen(f"{server.url}/api{PAIR.replace('?', '/b.wav?')}") as answer:
        assert answer.read() == kept
    assert download.value.suggested_filename.endswith("-4711-14-b.wav")
    page.keyboard.press("c")
    expect(page.locator("#notice")).to_have_text("The link is copied.")
    assert page.evaluate("navigator.clipboard.readText()") == server.url + PAIR


def test_a_wrong_link_says_so_and_shows_the_way(visit: Visit, server: PageProcess):
    page = visit.page
    page.goto(f"{server.url}/pair/1/500")
    expect(page.locator("#problem-title")).to_have_text("There is no such pair")
    expect(page.locator("#problem-message")).to_contain_text("the pairs 0 to 127")
    expect(page.locator("#pair")).to_be_hidden()
    page.click("#problem-steps a")
    expect(page).to_have_title("Pair 0 of block 0 · Pairstream")


def test_no_worker_is_a_reason_and_a_remedy_until_one_comes(visit: Visit):
    with WorkerProcess() as gone:
        port = gone.port
    with PageProcess("--stream", f"zmq://127.0.0.1:{port}", "--timeout", "1") as server:
        page = visit.page
        page.goto(server.url + PAIR)
        expect(page.locator("#problem-title")).to_have_text("No worker answers")
        expect(page.locator("#problem-steps")).to_contain_text("synth-server serve")
        expect(page.locator("#problem-wait")).to_contain_text("again by itself")
        with WorkerProcess(port) as worker:
            expect(page).to_have_title(re.compile("Pair 14"), timeout=30_000)
            expect(page.locator("#problem")).to_be_hidden()
            spec = StreamSpec(seconds=0.5, delta=0.1)
            with connect(worker.url, spec, experiment="training", timeout=20) as client:
                client.fetch(42)
            page.keyboard.press("f")
            expect(page.locator("#notice")).to_contain_text("its trainers are at block 42")
            expect(page).to_have_url(re.compile(r"/pair/42/\d+\?"))
            page.fill("[name=pair]", "7")
            with connect(worker.url, spec, experiment="training", timeout=20) as client:
                client.fetch(43)
            expect(page).to_have_url(re.compile(r"/pair/43/\d+\?"))
            expect(page.locator("[name=pair]")).to_have_value("7")  # what somebody is writing stays
            page.locator("[name=pair]").blur()
            page.keyboard.press("f")
            expect(page.locator("#follow")).to_have_attribute("aria-pressed", "false")


def test_with_a_checkpoint_it_begins_with_its_stream_and_compares(visit: Visit, tmp_path: Path):
    from tiny_training import TINY, TINY_SPEC  # as slow to load as what it trains with

    from trainer.config import FitSettings, SpecChoice
    from trainer.fit import fit

    run = tmp_path / "run"
    fit(FitSettings(run=run, stream="local://", spec=SpecChoice(**TINY_SPEC), accelerator="cpu", **TINY))
    with PageProcess("--checkpoint", str(run)) as server:
        page = visit.open(server.url)
        expect(page.locator("#lead")).to_contain_text("δ = 0.1")
        expect(page.locator("[name=block_pairs]")).to_have_value("4")
        expect(page.locator("#cosine")).to_have_text(re.compile(r"cosine −?[01]\.\d{3}"))
        expect(page.locator("#strip .alike").first).to_have_text(re.compile(r"cosine −?[01]\.\d{3}"))
        page.fill("[name=seconds]", "0.05")
        page.click("#form button")
        expect(page.locator("#cosine")).to_contain_text("samples")
