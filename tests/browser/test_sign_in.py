"""Signing in at a real provider in a real browser: its forms, the way back, and the way out."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.ports import free_port
from tests.process import MAIN, started
from tests.web.oidc.provider import provider, provider_environ


def sign_in(page: Page, person: str) -> None:
    """At the provider: its login form, and its question what Earshot may know."""
    page.get_by_role("link", name="Sign in at localhost").click()
    page.get_by_placeholder("Enter any login").fill(person)
    page.get_by_placeholder("and password").fill("any")
    page.get_by_role("button", name="Sign-in").click()
    page.get_by_role("button", name="Continue").click()


@pytest.fixture(scope="module")
def signing_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an Earshot beside its provider."""
    port, folder = free_port(), tmp_path_factory.mktemp("signing_in")
    with provider(f"http://127.0.0.1:{port}") as issuer, started(MAIN, cwd=folder, environ=provider_environ(issuer), port=port) as app:
        app.wait_until_served()
        yield app.url


def test_somebody_signs_in_lands_where_they_were_going_and_signs_out_everywhere(chromium: Browser, signing_in: str) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{signing_in}/?to=%2B14155552671")
    expect(page.get_by_label("Password")).to_have_count(0)
    sign_in(page, "anna")
    expect(page.get_by_test_id("dial-number")).to_have_value("+1 415-555-2671")
    kept = {cookie["name"]: cookie for cookie in context.cookies(f"{signing_in}/login")}
    assert (kept["earshot_session"]["sameSite"], kept["earshot_session"]["httpOnly"]) == ("Strict", True)
    assert "earshot_sign_in" not in kept
    page.reload()
    page.get_by_test_id("settings").click()
    page.get_by_role("button", name="Log out").click()
    page.get_by_role("button", name=re.compile("Yes, sign me out")).click()
    expect(page).to_have_url(f"{signing_in}/login")
    page.get_by_role("link", name="Sign in at localhost").click()
    expect(page.get_by_placeholder("Enter any login")).to_be_visible()  # signed out there too
    context.close()


def test_who_has_no_role_reads_what_to_do_next(chromium: Browser, signing_in: str) -> None:
    context = chromium.new_context(locale="de-DE")
    page = context.new_page()
    page.goto(f"{signing_in}/")
    page.get_by_role("link", name="Anmelden bei localhost").click()
    page.get_by_placeholder("Enter any login").fill("kim")
    page.get_by_placeholder("and password").fill("any")
    page.get_by_role("button", name="Sign-in").click()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_contain_text("haben aber keine Rolle in Earshot")
    page.get_by_role("link", name="Neu anmelden").click()
    expect(page.get_by_role("link", name="Anmelden bei localhost")).to_be_visible()
    context.close()
