"""Which language a browser gets."""

import pytest

from services.support.language import preferred_language


@pytest.mark.parametrize(
    ("accepted", "chosen", "language"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", "", "de"),
        ("en-GB,en;q=0.9,de;q=0.8", "", "en"),
        ("fr-CH, fr;q=0.9, de;q=0.7, en;q=0.3", "", "fr"),
        ("it-CH, it;q=0.9, es;q=0.7, en;q=0.3", "", "es"),
        ("es-419", "", "es"),
        ("de;q=0", "", "en"),
        ("de;q=nonsense, en;q=0.1", "", "en"),
        ("", "", "en"),
        ("*", "", "en"),
        ("en", "de", "de"),
        ("de", "en", "en"),
        ("de", "<script>", "de"),
        ("de", "../en", "de"),
    ],
)
def test_a_browser_gets_the_language_it_asks_for(accepted: str, chosen: str, language: str) -> None:
    assert preferred_language(accepted, chosen) == language
