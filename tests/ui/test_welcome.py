"""The scenes that the empty page offers are the ones that the demo line plays."""

from services.demo_line.numbers import ANYONE, behaviour_of
from ui.call.welcome import SCENES


def test_each_scene_shows_what_its_card_says() -> None:
    played = {scene: behaviour_of(number) for scene, number in SCENES.items()}
    assert played["answered"] == played["transfer"] == ANYONE
    assert played["busy"].unanswered == "customer-busy"
    assert played["nobody"].unanswered == "customer-did-not-answer"
    assert played["voicemail"].voicemail
    assert played["drops"].drops_at == 5.0


def test_the_scenes_have_numbers_of_their_own() -> None:
    """So that two of them can run at once without a question."""
    assert len(set(SCENES.values())) == len(SCENES)
