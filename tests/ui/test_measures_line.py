"""What the page says of a conversation's figures."""

import pytest

from services.measures.figures import Figures
from services.measures.floor import Conversation
from services.measures.turns import Turn
from ui.call.measures_line import ASSISTANT, CUSTOMER, pieces


@pytest.mark.parametrize(
    ("response_s", "over", "said"),
    [
        (-0.1, False, "Answers at once"),
        (0.04, True, "Answers at once"),
        (0.06, True, "Quick to answer: 0.1 s"),
        (0.4, False, "Answers after 0.4 s"),
        (2.0, True, "A little slow to answer: 2.0 s (usual: up to 1.5 s)"),
        (3.0, True, "Slow to answer: 3.0 s (usual: up to 1.5 s)"),
    ],
)
def test_how_soon_the_assistant_answers(response_s: float, over: bool, said: str) -> None:
    turns = (Turn(CUSTOMER, 0, 2), Turn(ASSISTANT, 2 + response_s, 8, response_s))
    figures = Figures(Conversation(until=8, turns=turns, talk_s=(2, 6 - response_s)), missing=(), clipped_s=(0, 0))
    answers = next(pieces(figures, over=over))
    assert answers.text == said
    assert answers.at == pytest.approx(2)
