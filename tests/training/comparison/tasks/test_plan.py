"""The plan names every point once, and a curve is complete before the next seed."""

from training.comparison.tasks.plan import TASKS, Place, plan


def test_plan() -> None:
    places = plan(["rnn", "gru"], seeds=[1, 2])
    lags = sum(len(task.lags) for task in TASKS.values())
    assert len(places) == len(set(places)) == 2 * 2 * lags
    assert [place.seed for place in places] == sorted(place.seed for place in places)
    assert places[:2] == [Place("recall", "rnn", 10, 1), Place("recall", "gru", 10, 1)]


def test_names_are_those_of_files() -> None:
    places = plan(["rnn", "gru", "lstm"], seeds=[1, 2])
    assert Place("adding", "gru", 100, 1).name == "adding-gru-100-1"
    assert len({place.name for place in places}) == len(places)


def test_tasks_are_found_by_their_names() -> None:
    assert all(name == task.name for name, task in TASKS.items())
