"""The page speaks the language that its browser asks for, also in what it says later on its own; and a language is one file."""

import shutil
from pathlib import Path

from playwright.sync_api import Browser, expect

from services.support.words import FOLDER, catalogue
from tests.browser.conftest import ROOT, Earshot, Open, earshot_process
from tests.browser.tabs import Tabs

BUSY = "+12025550101"


def test_two_browsers_each_see_a_call_in_their_own_language(earshot: Earshot, open_tab: Open) -> None:
    german, english = open_tab(earshot.url, locale="de-DE"), open_tab(earshot.url, locale="en-GB")
    expect(german.locator("html")).to_have_attribute("lang", "de")
    expect(english.locator("html")).to_have_attribute("lang", "en-US")
    expect(german.get_by_test_id("dial-call")).to_have_text("Anrufen")
    expect(english.get_by_test_id("dial-call")).to_have_text("Call")
    german.get_by_test_id("dial-number").fill("+49 30 901820")
    expect(german.get_by_test_id("dial-number").locator("xpath=ancestor::section")).to_contain_text("Deutschland")
    earshot.place(BUSY)  # through REST: no page pressed anything
    expect(german.get_by_test_id("call-log")).to_contain_text("Die Leitung war besetzt", timeout=60_000)
    expect(english.get_by_test_id("call-log")).to_contain_text("The line was busy", timeout=60_000)
    for page, tag in ((german, "de"), (english, "en")):  # also what the page is refused
        page.get_by_test_id("dial-number").fill("112")
        page.get_by_test_id("dial-call").click()
        expected = catalogue(tag).faults.get("emergency_number", "emergency")
        expect(page.get_by_role("alert").filter(has_text=expected)).to_be_visible()


def test_one_new_file_is_a_new_language_of_the_page_and_the_login(tmp_path: Path, chromium: Browser, profiles: tuple[Tabs, Tabs]) -> None:
    for part in ("services", "ui", "assets", "words"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "main.py", tmp_path)
    english = (FOLDER / "en.toml").read_text()
    latin = english.replace('"English"', '"Latina"').replace('call = "Call"', 'call = "Voca"').replace('"Password"', '"Tessera"')
    (tmp_path / "words" / "la.toml").write_text(latin)
    with earshot_process(tmp_path / "main.py", EARSHOT_PASSWORD="correct horse") as earshot:
        page = profiles[0].open(chromium, earshot.url, locale="la")
        page.goto(earshot.url)
        expect(page.locator("html")).to_have_attribute("lang", "la")
        page.get_by_label("Tessera").fill("correct horse")
        page.keyboard.press("Enter")
        expect(page.get_by_test_id("dial-call")).to_have_text("Voca")
        expect(page.locator("html")).to_have_attribute("lang", "la")
        page.get_by_test_id("settings").click()
        names = page.locator("input[name=language] + span")
        expect(names).to_have_text(["English", "Deutsch", "Español", "Français", "Latina"])
        page.get_by_label("Deutsch").check()
        expect(page.get_by_test_id("dial-call")).to_have_text("Anrufen")
        page.close()
