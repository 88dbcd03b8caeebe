"""The places of items in memory, against the same said in the simplest way."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hansei.feedback.labeling.model import DONE, LEASED, RELEASED, SKIPPED
from hansei.feedback.labeling.paper import Paper
from hansei.feedback.labeling.slots import Held, Slots

WHO = ["ana", "ben", "eva"]

_steps = st.lists(
    st.tuples(
        st.sampled_from(["give", "give", "done", "done", "skip", "release", "wait", "add", "remove", "want", "reload"]),
        st.sampled_from(WHO),
        st.integers(0, 6),
    ),
    max_size=60,
)


class Model:
    """Who did what with which item, and nothing kept beside it."""

    def __init__(self, places: int) -> None:
        self.places = places
        self.items: list[str] = []
        self.removed: set[str] = set()
        self.work: dict[tuple[str, str], Held] = {}

    def taken(self, item: str, now: int) -> int:
        return sum(held.holds(now) for (of, _), held in self.work.items() if of == item)

    def choose(self, who: str, now: int) -> str | None:
        free = [item for item in self.items if item not in self.removed and self.taken(item, now) < self.places]
        mine = {item: held for (item, reviewer), held in self.work.items() if reviewer == who}
        lapsed = [item for item in free if item in mine and mine[item].state == LEASED and not mine[item].holds(now)]
        if lapsed:
            return lapsed[0]
        fitting = [
            item for item in free if item not in mine or not (mine[item].holds(now) or mine[item].state == SKIPPED)
        ]
        return min(fitting, key=lambda item: (-self.taken(item, now), self.items.index(item)), default=None)


@settings(max_examples=300, deadline=None)
@given(places=st.integers(1, 3), count=st.integers(0, 5), steps=_steps)
def test_places_are_those_of_the_model(places: int, count: int, steps: list[tuple[str, str, int]]) -> None:
    """Whatever is done in whatever order, who gets what next and what is free are as the model says."""
    model, slots, now = Model(places), Slots(places), 0
    model.items = [f"i{number}" for number in range(count)]
    slots.load(model.items, [], now)

    def put(item: str, who: str, held: Held) -> None:
        model.work[item, who] = held
        slots.put(slots.number[item], who, held, now)

    for written, (act, who, number) in enumerate(steps, 1):
        slots.expire(now)
        item = f"i{number}"
        known = model.work.get((item, who))
        if act == "give":
            chosen = slots.choose(who)
            assert (None if chosen is None else slots.item_ids[chosen]) == model.choose(who, now)
            if chosen is not None:
                lease = Held(LEASED, now, now + 10, written=written, paper=Paper(revision=1))
                put(slots.item_ids[chosen], who, lease)
        elif act == "done" and known is not None and known.holds(now):
            put(item, who, known._replace(state=DONE))
        elif act == "skip" and known is not None and known.state != DONE:
            put(item, who, known._replace(state=SKIPPED))
        elif act == "release" and known is not None and known.state != DONE:
            put(item, who, known._replace(state=RELEASED))
        elif act == "wait":
            now += number
        elif act == "add":
            slots.add(item)
            model.items += [item] if item not in model.items else []
            model.removed.discard(item)
        elif act == "remove" and item in model.items:
            slots.remove(item)
            model.removed.add(item)
        elif act == "want":
            model.places = 1 + number % 3
            slots.want(model.places)
        elif act == "reload":
            slots = reloaded(model, now)
    slots.expire(now)
    check(model, slots, now)
    check(model, reloaded(model, now), now)


def reloaded(model: Model, now: int) -> Slots:
    slots = Slots(model.places)
    slots.load(model.items, [(item, who, held) for (item, who), held in model.work.items()], now)
    for item in model.removed:
        slots.remove(item)
    return slots


def check(model: Model, slots: Slots, now: int) -> None:
    taken = {item: slots.taken(slots.number[item]) for item in model.items}
    assert taken == {item: model.taken(item, now) for item in model.items}
    for who in WHO:
        chosen = slots.choose(who)
        assert (None if chosen is None else slots.item_ids[chosen]) == model.choose(who, now)
        mine: list[Any] = [held for (_, reviewer), held in model.work.items() if reviewer == who]
        assert slots.done(who) == sum(held.state == DONE for held in mine)


def test_left_is_shared_out() -> None:
    """What is free is shared out between those at work: ten items for two reviewers each, of which one did four."""
    slots = Slots(2)
    hour = 3_600_000
    slots.load(
        [f"i{number}" for number in range(10)],
        [(f"i{number}", "ana", Held(DONE, seconds=30, written=hour * 1_000_000)) for number in range(4)],
        hour,
    )
    # 16 places are free. Ana can have the six items that she has not done, Ben 16 / 2.
    assert (slots.left("ana", hour), slots.left("ben", hour)) == (6, 8)
    assert slots.left("ben", 3 * hour) == 10
    assert (slots.done("ana"), slots.pace("ana"), slots.pace("ben")) == (4, 30, 30)
    assert Slots(1).pace("ana") is None
