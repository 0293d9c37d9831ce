"""The player without a browser: what buttons and sliders do to a search, and what one would see of it."""

import threading
import time
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
from player_toys import SPACE, Count, CountWeights, Failing, Slow, evolution, until
from toys import Elastic, Toy, Walk

from nasviz.knobs import knob
from nasviz.run import Run
from nasviz.strategies import RandomSearch
from nasviz.views import Player
from nasviz.views.stage import player, worker


@pytest.fixture
def make():
    made = []

    def _make(*args, **fields):
        made.append(Player(*args, **fields))
        return made[-1]

    yield _make
    for one in made:
        one.close()


def test_run_takes_n_steps_shows_each_and_equals_a_bare_loop(make):
    p = make(evolution())
    assert p.run(12) is p.recorded_run and len(p.stage) == len(p.steps) == 12
    assert p.stage._sent == 12  # the last one too
    p.run()
    assert p.steps == list(evolution())
    assert len(p.stage) == 30 and "finished" in repr(p) and not p.playing
    columns = p.stage.columns()
    assert columns["accuracy"][-1] == pytest.approx(p.steps[-1].evaluation.scores["accuracy"])
    assert columns["arch"][-1].argmax(1).tolist() == list(p.steps[-1].evaluation.arch)
    assert columns["parent"][0] == -1 and np.isfinite(columns["population"][-1]).sum() == 10
    assert len(p.run()) == 30  # nothing left to do


def test_step_and_pause_act_between_steps(make):
    p = make(CountWeights(SPACE))
    p.step()
    p.worker.wait()
    assert len(p.stage) == 1
    p.play()
    until(lambda: len(p.stage) > 5)
    p.pause()
    p.worker.wait()
    n = len(p.stage)
    time.sleep(0.1)
    assert len(p.stage) == n and p.stage._sent == n


def test_pause_always_shows_the_last_step(make):
    p = make(CountWeights(SPACE))
    for _ in range(20):
        p.play()
        time.sleep(0.01)
        p.pause()
        until(lambda: len(p.stage) == len(p.steps) == p.stage._sent)


@pytest.fixture
def clock(monkeypatch):
    """The clock of player and worker, [seconds]: it stands still unless a test moves it."""
    now = [1000.0]
    for module in (player, worker):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


def test_publishes_at_most_ten_times_a_second(make, clock):
    p, sent = make(CountWeights(SPACE)), []

    def new(step, new=p.worker._new):
        clock[0] += 1 / 64  # so long takes a step; exact as a binary fraction
        return new(step)

    p.worker._new = new
    p.stage.send = lambda message, buffers=None: sent.append(message["type"])
    p.run(640)  # the first that is not below 0.1 s is 7/64 s
    assert p.stage._sent == 640 and sent.count("frames") == pytest.approx(640 / 7, abs=2)


def test_between_two_pictures_nothing_is_made_of_a_step(make, clock):
    p, rows = make(CountWeights(SPACE)), []
    p._rows.row = lambda step, seconds, row=p._rows.row: rows.append(len(p.steps)) or row(step, seconds)

    def new(step, new=p.worker._new):
        clock[0] += 1 / 64
        return new(step)

    p.worker._new = new
    p.run(70)
    assert len(rows) == len(p.stage) == 70
    assert len(set(rows)) <= 12  # made in as many goes as there were pictures
    assert np.array_equal(p.stage.columns()["loss"], [step.shows["loss"] for step in p.steps])


def test_a_row_that_fails_ends_the_run_with_its_error_wherever_it_is_made(make, clock):
    for published in (0.0, clock[0]):  # a picture is due at the first step; none is due before the last
        one = make(CountWeights(SPACE))
        one._published = published

        def row(step, seconds):
            raise AttributeError("no such colour")

        one._rows.row = row
        with pytest.raises(AttributeError, match="no such colour"):
            one.run(3)
        del one._rows.row
        one.run(3)
        assert len(one.stage) == len(one.steps) and not one.error


def test_the_speed_limit_holds_and_can_be_lifted_at_once(make, clock, monkeypatch):
    p = make(CountWeights(SPACE))
    wait, waited = p.worker.changed.wait, []

    def passing(timeout=None):  # the worker's time, while it waits for a step
        if threading.current_thread() is threading.main_thread() or timeout is None:
            return wait(timeout)
        waited.append(timeout)
        clock[0] += timeout

    monkeypatch.setattr(p.worker.changed, "wait", passing)
    p.speed.value = 5
    p.run(4)
    assert waited == pytest.approx([0.2] * 3)  # between four steps
    p.worker.changed.wait, p.speed.value = wait, 1
    p.play()
    until(lambda: len(p.stage) > 4)
    p.speed.value = 0  # the clock stands still: a second never ends
    until(lambda: len(p.steps) > 100)


def test_pause_holds_a_training_between_its_batches_and_play_ends_it(make):
    estimate = Slow(SPACE)
    p = make(RandomSearch(SPACE, estimate, evaluations=3))
    p.play()
    estimate.let(5)
    until(lambda: p._fraction == 0.05)
    p.pause()
    estimate.let(95)  # one more batch is on its way, the others are not begun
    p.worker.wait()
    held = p._fraction
    time.sleep(0.1)
    assert p._fraction == held == 0.06 and (estimate.ended, len(p.stage)) == (0, 0)
    assert 'aria-valuenow="0"' in p.status.value and "width:0.00%" not in p.status.value
    p.run(1)
    assert (estimate.begun, estimate.ended, len(p.stage)) == (1, 1, 1)


def test_stop_drops_a_training_before_it_ends_and_play_begins_it_again(make):
    estimate = Slow(SPACE, batches=30)
    p = make(RandomSearch(SPACE, estimate, evaluations=4))
    estimate.let(30)
    p.run(1)
    p.play()
    estimate.let(5)
    until(lambda: p._fraction == 5 / 30)
    p.stop()
    estimate.let(1)
    until(lambda: p.worker.idle)
    assert (estimate.begun, estimate.ended) == (2, 1)
    assert len(p.recorded_run.answers) == 1 and not p.error
    estimate.let(90)
    p.run()
    assert estimate.begun == 5 and len(p.stage) == 4
    again = Slow(SPACE, 1)
    again.let(4)
    assert p.steps == list(RandomSearch(SPACE, again, evaluations=4))


def test_stop_also_works_on_a_paused_training(make):
    p = make(RandomSearch(SPACE, Slow(SPACE), evaluations=4))
    p.play()
    until(lambda: p.search.estimate.begun == 1)
    p.pause()
    p.search.estimate.let(1)
    p.worker.wait()
    p.stop()
    until(lambda: p.worker.idle)
    assert (p.search.estimate.begun, p.search.estimate.ended) == (1, 0)


def test_what_is_ordered_after_stop_happens_after_it(make):
    estimate = Slow(SPACE, batches=5)
    p = make(RandomSearch(SPACE, estimate, evaluations=2))
    p.play()
    until(lambda: estimate.begun == 1)
    p.stop()
    p.play()  # before the worker could know of either
    estimate.let(1 + 10)
    until(lambda: len(p.stage) == 2)
    assert (estimate.begun, estimate.ended) == (3, 2)


def test_a_slider_turns_the_knob_and_leaves_a_mark(make):
    p = make(evolution(60))
    p.run(30)
    p.sliders["population"].value = 4
    p.run(5)
    assert p.recorded_run.turns == [(30, {"population": 4})]
    assert p.stage.marks == [{"at": 30, "label": "population 4"}]
    assert len(p.steps[-1].shows["population"]) == 4
    p.recorded_run.turn(tournament=7)  # from code: the slider follows
    p.run(1)
    assert p.sliders["tournament"].value == 7 and len(p.recorded_run.turns) == 2


def test_sliders_are_made_of_the_knobs(make):
    @dataclass
    class Knobs(CountWeights):
        rate: float = knob(0.01, 1e-4, 0.1, log=True, help="How fast")
        whole: int = knob(3, 1, 9)

    p = make(Knobs(SPACE, steps=9))
    rate, whole = p.sliders["rate"], p.sliders["whole"]
    assert type(rate).__name__ == "FloatLogSlider" and type(whole).__name__ == "IntSlider"
    assert rate.value == pytest.approx(0.01) and "How fast" in rate.tooltip and rate.description == "rate"
    rate.value = 10**rate.max  # its end is the knob's end, rounding or not
    rate.value = 10**rate.min
    p.run(1)
    assert p.recorded_run.turns == [(0, {"rate": 1e-4})]


def test_an_exception_is_raised_in_the_cell_and_shown_whole(make):
    estimate = Failing(SPACE)
    p = make(RandomSearch(SPACE, estimate, evaluations=6))
    with pytest.raises(RuntimeError, match="luck"):
        p.run()
    assert len(p.stage) == 3 and p.stage._sent == 3 and "failed" in p.status.value
    assert "no &lt;luck&gt; today" in p.panel.value and "Traceback" in p.panel.value and p.panel.layout.display is None
    p.play()  # again, by the button: nothing to raise into
    until(lambda: p.worker.idle)
    assert isinstance(p.error, RuntimeError)
    estimate.healed = True
    p.run()
    assert len(p.stage) == 6 and p.error is None and p.panel.value == ""


def test_reset_begins_anew_with_the_sliders_and_keeps_the_record(make, tmp_path):
    path = tmp_path / "evolution.jsonl"
    p = make(evolution(), path)
    p.run(20)
    p.sliders["population"].value = 5
    record = path.read_bytes()
    p.reset()
    until(lambda: p.worker.idle)
    assert len(p.stage) == 0 and p.stage.marks == []
    assert (tmp_path / "evolution-1.jsonl").read_bytes() == record
    p.run(8)
    assert p.recorded_run.turns == [(0, {"population": 5})] and len(p.steps[-1].shows["population"]) == 5
    assert Run.load(tmp_path / "evolution-1.jsonl", evolution()).steps == list(evolution())[:20]


def test_reset_while_a_training_runs(make):
    p = make(RandomSearch(SPACE, Slow(SPACE), evaluations=4))
    p.play()
    p.search.estimate.let(3)
    until(lambda: p._fraction == 0.03)
    p.reset()
    p.search.estimate.let(1)
    until(lambda: p.worker.idle)
    assert len(p.stage) == p.search.estimate.ended == 0 and not p.error


def test_starting_one_pauses_the_others(make):
    a, b = make(CountWeights(SPACE, pause=0.001)), make(CountWeights(SPACE, pause=0.001))
    a.play()
    until(lambda: len(a.stage) > 3)
    b.play()
    until(lambda: len(b.stage) > 3)
    assert b.playing and not a.playing
    player.pause_all()
    assert not b.playing


def test_a_record_is_shown_at_once_and_gone_on_with(make, tmp_path):
    path = tmp_path / "run.jsonl"
    first = make(evolution(), path)
    first.run(10)
    first.sliders["tournament"].value = 1
    first.run(7)
    again = make(evolution(), path)  # takes the record over
    assert first.worker.idle
    assert len(again.stage) == len(again.steps) == 17
    assert again.sliders["tournament"].value == 1 and again.stage.marks == [{"at": 10, "label": "tournament 1"}]
    again.run()
    assert len(again.stage) == 30 and again.stage.marks == [{"at": 10, "label": "tournament 1"}]
    whole = Run(evolution())
    for _ in whole:
        if len(whole) == 10:
            whole.turn(tournament=1)
    assert again.steps == whole.steps
    assert "finished" in repr(make(evolution(), path))


def test_a_record_of_another_search_is_refused(make, tmp_path):
    make(evolution(), tmp_path / "run.jsonl").run(3)
    with pytest.raises(ValueError, match="evaluations"):
        Player(evolution(31), tmp_path / "run.jsonl")


def test_a_search_with_weights_goes_on_after_stop_and_from_its_record(make, tmp_path):
    for path in (None, tmp_path / "walk.jsonl"):
        p = make(Walk(SPACE), path)
        p.run(7)
        p.stop()
        p.run(10)
        p = make(Walk(SPACE), path) if path else p
        p.run()
        assert p.steps == list(Walk(SPACE)) and len(p.stage) == 30
        np.testing.assert_array_equal(p.stage.columns()["alphas"], [s.shows["alphas"] for s in Walk(SPACE)])


def test_an_interrupt_pauses_and_returns(make, monkeypatch):
    p = make(CountWeights(SPACE, pause=0.001))
    wait = p.worker.changed.wait

    def interrupted(timeout=None):
        if threading.current_thread() is threading.main_thread() and len(p.stage) > 3:
            raise KeyboardInterrupt
        return wait(timeout)

    monkeypatch.setattr(p.worker.changed, "wait", interrupted)
    assert p.run() is p.recorded_run
    assert not p.playing and len(p.stage) >= 3 and p.error is None
    monkeypatch.undo()
    n = len(p.stage)
    p.run(5)
    assert len(p.stage) >= n + 5  # the search itself was not interrupted


def test_a_space_without_a_cell_is_shown_choice_by_choice(make):
    p = make(RandomSearch(Elastic(), Toy(Elastic()), evaluations=5))
    p.run()
    assert [view["kind"] for view in p.stage.spec["views"]] == ["options", "curve"]
    shown = p.stage.columns()["arch"]
    for step, row in zip(p.steps, shown, strict=True):
        active = Elastic().active(step.evaluation.arch)
        assert row.tolist() == [o if on else -1 for o, on in zip(step.evaluation.arch, active, strict=True)]


def test_a_page_without_widgets_gets_a_picture(make):
    p = make(evolution())
    assert "image/png" not in p._repr_mimebundle_()[0]
    p.run(3)
    data, _ = p._repr_mimebundle_()
    assert data["text/plain"] == "<Player of RegularizedEvolution: 3 of 30 steps, paused>" and data["image/png"]


def test_controls_have_names_and_explanations(make):
    p = make(evolution())
    for button in p.buttons.values():
        assert button.description and len(button.tooltip) > 5
    assert all(slider.tooltip and slider.description for slider in p.sliders.values())
    assert 'role="progressbar"' in p.status.value and "0 / 30" in p.status.value


def test_commands_from_many_threads_leave_a_whole_run(make, tmp_path):
    path = tmp_path / "run.jsonl"
    p = make(evolution(), path)

    def press(seed):
        for name in np.random.default_rng(seed).choice(["play", "step", "pause", "stop", "reset"], 30):
            getattr(p, name)()

    threads = [threading.Thread(target=press, args=[seed]) for seed in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    p.run()
    assert p.steps == list(evolution()) and len(p.stage) == p.stage._sent == 30 and not p.error
    p.close()
    assert Run.load(path, evolution()).steps == p.steps


def test_a_closed_player_stays_closed(make, tmp_path):
    path = tmp_path / "run.jsonl"
    p = make(evolution(), path)
    p.run(5)
    p.close()
    for again in (p.play, p.step, p.run, p.reset):
        with pytest.raises(RuntimeError, match="closed"):
            again()
    for button in p.buttons.values():
        button.click()
    p.sliders["population"].value = 5
    p.pause()  # what stops it has nothing to do
    p.stop()
    p.close()
    assert p.worker.idle and not p.playing and len(p.steps) == 5 and p.recorded_run.value["population"] == 10
    assert sorted(tmp_path.iterdir()) == [path]  # reset would have put it aside
    later = make(evolution(), path)
    assert len(later.run()) == 30
    with pytest.raises(RuntimeError, match="closed"):
        p.run(1)


def test_a_player_that_was_closed_while_it_ran_ends_its_step_and_no_more(make):
    estimate = Slow(SPACE)
    p = make(RandomSearch(SPACE, estimate, evaluations=4))
    p.play()
    until(lambda: estimate.begun == 1)
    closing = threading.Thread(target=p.close)
    closing.start()
    until(lambda: p.worker.closed)
    estimate.let(1)
    closing.join(30)
    assert p.worker.idle and (estimate.begun, estimate.ended) == (1, 0)


def test_the_home_folder_is_meant_by_a_tilde(make, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))  # as Windows calls it
    p = make(evolution(), "~/records/run.jsonl")
    p.run(3)
    assert p.path == tmp_path / "records" / "run.jsonl" and p.path.exists()
    make(evolution(), p.path)
    assert p.worker.closed  # the same record


def test_the_run_s_old_name_warns(make):
    p = make(evolution())
    with pytest.warns(DeprecationWarning, match="recorded_run"):
        assert p.run_ is p.recorded_run


def test_run_refuses_a_negative_number(make):
    with pytest.raises(ValueError, match="-1"):
        make(evolution()).run(-1)


def test_recall_evaluates_nothing(tmp_path):
    assert Run(Count(SPACE)).recall().steps == []  # it asks nobody: nothing is ever on record
    estimate = Slow(SPACE, 1)
    estimate.let(5)
    run = Run(RandomSearch(SPACE, estimate, evaluations=5), tmp_path / "r.jsonl")
    for _ in run:
        if len(run) == 3:
            break
    again = Run(RandomSearch(SPACE, estimate, evaluations=5), tmp_path / "r.jsonl").recall()
    assert len(again.steps) == 3 and again.best and estimate.begun == 3
    assert len(list(again)) == 5 and estimate.begun == 5  # and goes on where the record ends


def test_a_picture_that_fails_ends_the_run_with_its_error(make, monkeypatch):
    one = make(evolution())

    def broken(run):
        raise AttributeError("no such colour")

    monkeypatch.setattr(one._rows, "words", broken)
    with pytest.raises(AttributeError, match="no such colour"):
        one.run(3)
    monkeypatch.undo()
    one.run(3)
    assert one.worker.idle or not one.playing
