"""The names in a list to choose from."""

from ui.kit.picker import named


def test_names_are_sorted_and_shared_ones_have_their_id_beside_them() -> None:
    options = [("squad:22222222-0", "Sam"), ("11111111-0", "sam"), ("33333333-0", "Ana"), ("44444444-0", "Sam")]
    assert named(options) == [
        ("33333333-0", "Ana"),
        ("11111111-0", "sam"),
        ("44444444-0", "Sam (44444444…)"),
        ("squad:22222222-0", "Sam (22222222…)"),
    ]
    assert named([]) == []
