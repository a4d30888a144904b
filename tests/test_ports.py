import socket

from tests.ports import port_of_one_after_another


def test_servers_one_after_another_get_the_same_port_and_two_at_once_do_not() -> None:
    with port_of_one_after_another() as first, port_of_one_after_another() as second:
        assert first != second
    for _ in range(2):
        with port_of_one_after_another() as again:
            assert again == first


def test_a_port_that_somebody_took_in_between_is_not_given_again() -> None:
    with port_of_one_after_another() as port:
        pass
    # As servers bind: connections that an app had a moment ago are no hindrance.
    with socket.create_server(("127.0.0.1", port)), port_of_one_after_another() as other:
        assert other != port
