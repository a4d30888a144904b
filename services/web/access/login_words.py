"""What the login says, in both languages. The page's own catalogue is the other face's."""

from collections.abc import Mapping

LOGIN_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "title": "Log in – Earshot",
        "label": "Password",
        "enter": "Log in",
        "over": "You have been logged out. Calls that run go on; log in to get back to them.",
        "wrong": "This is not the password.",
        "too_many": "Too many wrong passwords. Try again in {seconds} s.",
    },
    "de": {
        "title": "Anmelden – Earshot",
        "label": "Passwort",
        "enter": "Anmelden",
        "over": "Sie sind abgemeldet. Laufende Gespräche gehen weiter; melden Sie sich an, um sie wieder zu sehen.",
        "wrong": "Das ist nicht das Passwort.",
        "too_many": "Zu viele falsche Passwörter. Versuchen Sie es in {seconds} s noch einmal.",
    },
}
