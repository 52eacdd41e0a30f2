"""The browser of the tests sees the faults that it is there to see. Tests of pages rely on its silence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Browser, BrowserMissingError, launch

_HEAD = '<!doctype html><html lang="en"><meta charset="utf-8"><title>page</title>'
_VIEWPORT = '<meta name="viewport" content="width=device-width">'


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    try:
        with launch(tmp_path_factory.mktemp("profile")) as one:
            yield one
    except BrowserMissingError as error:
        pytest.skip(str(error))


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Browser:
    """The browser as a page of the test finds it: a desktop's screen, light."""
    browser.resize(1200, 800)
    browser.media()
    return browser


def opened(browser: Browser, folder: Path, body: str) -> Browser:
    page = folder / "page.html"
    page.write_text(f"{_HEAD}{_VIEWPORT}<style>body {{ margin: 0 }}</style><body>{body}</body></html>")
    browser.open(page)
    return browser


def test_nothing_is_found_on_a_clean_page(show: Browser, tmp_path: Path) -> None:
    page = opened(show, tmp_path, '<svg width="30" height="20"></svg><script>console.log("fine")</script>')
    assert page.messages() == []
    assert page.requests() == []
    assert page.sticking_out() == []
    assert page.boxes("svg") == [(30.0, 20.0)]


@pytest.mark.parametrize("script", ['console.error("broken")', 'throw new Error("broken")', 'console.warn("broken")'])
def test_messages_are_seen_once_and_only_of_the_page_that_is_open(show: Browser, tmp_path: Path, script: str) -> None:
    page = opened(show, tmp_path, f"<script>{script}</script>")
    (message,) = page.messages()
    assert "broken" in message
    assert page.messages() == []
    page.run("setTimeout(() => console.error('late'))")
    assert opened(show, tmp_path, "<p>next").messages() == []


def test_requests_to_the_network_are_seen(show: Browser, tmp_path: Path) -> None:
    # Nobody listens at this port, so nothing leaves the machine.
    page = opened(show, tmp_path, '<img src="http://127.0.0.1:9/picture.png" alt="">')
    assert page.requests() == ["http://127.0.0.1:9/picture.png"]
    assert any("ERR_" in message for message in page.messages())


@pytest.mark.parametrize("phone", [False, True])
def test_what_sticks_out_of_a_narrow_screen_is_named(show: Browser, tmp_path: Path, phone: bool) -> None:
    wide = '<div style="width: 800px">wide</div>'
    page = opened(show, tmp_path, f'<p id="fits">fits</p><section id="bad">{wide}</section>')
    assert page.sticking_out() == []
    page.resize(390, 844, phone=phone)
    assert page.sticking_out() == ["div ends at 800"]
    page = opened(show, tmp_path, f'<section style="overflow-x: auto">{wide}</section>')
    assert page.sticking_out() == []


def test_schemes_and_print_are_what_the_page_is_told(show: Browser, tmp_path: Path) -> None:
    style = "@media (prefers-color-scheme: dark) { p { width: 20px } } @media print { p { height: 30px } }"
    page = opened(show, tmp_path, f"<style>p {{ width: 10px; height: 10px; margin: 0 }} {style}</style><p></p>")
    assert page.boxes("p") == [(10.0, 10.0)]
    page.media(scheme="dark")
    assert page.boxes("p") == [(20.0, 10.0)]
    page.media(scheme="light", kind="print")
    assert page.boxes("p") == [(10.0, 30.0)]


def test_keys_reach_the_element(show: Browser, tmp_path: Path) -> None:
    button = "<button onclick=\"document.title = 'pressed'\">sort</button>"
    page = opened(show, tmp_path, button)
    page.press("button", "\ue007")
    assert page.driver.title == "pressed"


def test_pictures_and_prints_show_the_whole_page(show: Browser, tmp_path: Path) -> None:
    from PIL import Image

    tall = '<div style="height: 3000px; background: linear-gradient(red, blue)"></div>'
    page = opened(show, tmp_path, tall)
    page.picture(tmp_path / "page.png")
    page.print_to(tmp_path / "page.pdf")
    with Image.open(tmp_path / "page.png") as picture:
        assert picture.size == (1200, 3000)
        assert len(picture.convert("RGB").getcolors(1 << 20) or []) > 100
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")


def test_it_ends_with_all_of_its_processes(tmp_path: Path) -> None:
    try:
        with launch(tmp_path / "profile") as one:
            process = one.driver.service.process
            assert process.poll() is None
    except BrowserMissingError as error:
        pytest.skip(str(error))
    assert process.poll() is not None


def test_without_a_browser_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("selenium", reason="the browser's tests need selenium")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BrowserMissingError, match="Chromium is not installed: make browser"), launch(tmp_path):
        pass
