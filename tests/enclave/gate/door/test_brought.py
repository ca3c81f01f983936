from __future__ import annotations

from enclave.gate.door.brought import FREE_BYTES, Brought


def text(size: int, mark: str = "") -> str:
    return "".join(f"{mark}{number:08}" for number in range(size // (8 + len(mark)) + 1))[:size]


def test_what_was_shown_comes_back_freely() -> None:
    brought, picture = Brought(), text(5 << 20)
    brought.learn([picture])
    assert brought.admit([picture], day="a", shown=0)
    assert brought.size == 0


def test_what_is_new_is_bounded_by_what_was_shown_today() -> None:
    brought = Brought()
    assert not brought.admit([text(FREE_BYTES + 1)], day="a", shown=0)
    assert brought.admit([text(FREE_BYTES + 1)], day="a", shown=1)
    assert not brought.admit([text(2, "z")], day="a", shown=1)
    assert brought.admit([text(2, "z")], day="b", shown=0)


def test_an_output_that_grows_counts_for_its_end_only() -> None:
    brought, whole = Brought(), text(1_000_000)
    for end in range(10_000, 1_000_001, 10_000):
        assert brought.admit([whole[:end]], day="a", shown=500_000)
    # Its last piece is new each time: 4,096 characters at most for each of a hundred saves.
    assert brought.size < 1_000_000 + 100 * 4096
