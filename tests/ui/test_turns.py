"""What the page says of turns."""

from services.measures.figures import Figures
from services.measures.floor import Conversation
from services.measures.measured import Measured
from services.measures.turns import Turn
from ui.words.turns import said_turns

CUSTOMER, ASSISTANT = 0, 1
TURNS = (
    Turn(CUSTOMER, 0.5, 2.0),
    Turn(ASSISTANT, 3.2, 6.0, response_s=1.2),
    Turn(CUSTOMER, 5.0, 7.0, interrupts=True),
    Turn(ASSISTANT, 6.95, 9.0, response_s=-0.05),
    Turn(CUSTOMER, 9.8, 11.0, response_s=0.8),
    Turn(ASSISTANT, 10.4, 12.0, interrupts=True),
)


def test_what_is_said_of_each_turn() -> None:
    measured = Measured(1000.0, Figures(Conversation(until=12, turns=TURNS), missing=(), clipped_s=(0, 0)))
    said = said_turns(measured)
    assert [(turn["speaker"], turn["figure"], turn["text"], turn["short"]) for turn in said] == [
        ("customer", "", "", ""),
        ("assistant", "answered after 1.2 s", "Assistant answered after 1.2 s", "1.2 s"),
        ("customer", "interrupted the assistant", "Customer interrupted the assistant", ""),
        ("assistant", "answered at once", "", ""),
        ("customer", "answered after 0.8 s", "Customer answered after 0.8 s", "0.8 s"),
        ("assistant", "interrupted the customer", "Assistant interrupted the customer", ""),
    ]
    assert [(turn["start"], turn["wait"]) for turn in said[1:3]] == [(1_003_200, 1200), (1_005_000, None)]
    assert [turn["speaker"] for turn in said_turns(measured, since_s=10)] == ["customer", "assistant"]
