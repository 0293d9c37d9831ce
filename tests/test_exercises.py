"""`check` survives what a student's code does, says it, and leaves the process as it was."""

import _thread
import builtins
import itertools
import os
import queue
import random
import re
import signal
import sys
import threading
import time
import warnings

import numpy as np
import pytest
import torch

from nasviz import course
from nasviz.course import bounds, exercises


@pytest.fixture(autouse=True)
def said(monkeypatch):
    out = []
    monkeypatch.setattr(course.claims, "display", lambda thing, metadata=None: out.append(thing.data))
    return out


@pytest.fixture(autouse=True)
def interrupts():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # one in the background ignores them
    yield
    assert signal.signal(signal.SIGINT, before) is signal.default_int_handler


def wrong(answer, expected=None):
    """What a check says of an answer: a function without arguments."""

    @course.check
    def exercise():
        yield answer() == expected, "the sentence of the check"

    assert course.results["exercise"] is exercise
    return exercise.wrong


class Unreadable(Exception):
    def __str__(self):
        raise ValueError("no text")

    __repr__ = __str__


class Own(BaseException):
    pass


class Odd:
    """Equal to nothing that one could say."""

    __hash__ = None

    def __init__(self, equal):
        self.equal = equal

    def __eq__(self, other):
        return self.equal()


def deep():
    return deep()


def stop():
    return next(iter(()))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (SystemExit(3), "SystemExit: 3"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (GeneratorExit("gone"), "GeneratorExit: gone"),
        (Own("mine"), "Own: mine"),
        (Unreadable(), "Unreadable: (its text cannot be read: ValueError)"),
        (BaseExceptionGroup("two", [Own(), ValueError()]), "BaseExceptionGroup: two (2 sub-exceptions)"),
        (ValueError("x" * 10**7), "ValueError: xxx"),
        (ValueError("half a letter: \ud800"), "half a letter: ?"),
        (AssertionError(), "AssertionError (in"),
    ],
)
def test_whatever_is_raised_is_told_with_its_line(error, words, said):
    def answer():
        raise error

    told = wrong(answer)
    assert words in told and re.search(r"\(in answer: raise error, line \d+\)$", told) and len(told) < 900
    assert "✗" in said[0]


def test_errors_that_python_raises_itself_are_told():
    assert "RecursionError" in (told := wrong(deep)) and "in deep: return deep()" in told
    assert "StopIteration (in stop" in wrong(stop)
    assert "MemoryError" in wrong(lambda: bytearray(2**62))
    assert "MemoryError" in wrong(lambda: np.zeros(2**58))
    assert "in <lambda>" in wrong(lambda: np.linalg.inv(np.zeros((2, 2))))  # not a line of NumPy's


def test_what_cannot_be_compared_is_wrong():
    class Unsure:
        def __bool__(self):
            raise TypeError("neither")

    assert "ZeroDivisionError" in wrong(lambda: Odd(lambda: 1 / 0))
    given = {"ndarray": lambda: np.ones(2) == 1, "Unsure": Unsure, "Tensor": lambda: torch.ones(2) > 0}
    for kind, equal in given.items():
        told = wrong(lambda equal=equal: Odd(equal))
        assert told.startswith("the sentence of the check (") and kind in told
    assert wrong(lambda: np.ones(3), 1).startswith("the sentence of the check (")
    assert wrong(lambda: np.ones(1), 1) == ""


def test_a_check_that_is_not_whole_does_not_pass():
    @course.check
    def silent():
        yield False, ""

    @course.check
    def no_generator():
        return None

    @course.check
    def listed():
        return [(True, "one"), (False, "two")]

    class Checks:
        @staticmethod
        def alone(*, wanted=2):
            yield wanted == 2, "the default is lost"

        def method(self):
            yield isinstance(self, Checks), "who am I?"

    assert course.check(Checks.alone).passed and course.check(Checks().method).passed
    assert silent.wrong == "it does not hold" and "TypeError" in no_generator.wrong and listed.wrong == "two"


def test_a_name_that_no_cell_has_defined_yet():
    @course.check
    def early():
        yield my_unwritten_function() == 1, "?"  # noqa: F821

    def answer():
        return not_there  # noqa: F821

    assert early.wrong == "my_unwritten_function is not there yet: run the cell that defines it, then this one"
    assert "NameError: name 'not_there' is not defined (in answer: return not_there" in wrong(answer)


# ---------------------------------------------------------------------------------------------------------------- time
def stubborn():
    while True:
        try:
            time.sleep(0.001)
        except BaseException:
            pass


def endless():
    while True:
        pass


def in_a_library():
    while True:
        try:
            queue.Queue().get()
        except:  # noqa: E722
            continue


def waiting():
    threading.Lock().acquire() and threading.Event().wait()


class EndlessText(Exception):
    def __str__(self):
        endless()


def raises_endless_text():
    raise EndlessText


@pytest.mark.parametrize("answer", [endless, stubborn, in_a_library, waiting, raises_endless_text])
def test_what_does_not_end_is_ended(answer, monkeypatch):
    monkeypatch.setattr(exercises, "SECONDS", 0.2)
    threads, start = threading.active_count(), time.monotonic()
    told = wrong(answer)
    assert "did not end within 0.2 seconds" in told and "line" in told
    assert time.monotonic() - start < 20 and threading.active_count() == threads
    assert wrong(lambda: 1, 1) == ""


def test_no_late_signal_comes_after_the_end(monkeypatch):
    monkeypatch.setattr(exercises, "SECONDS", 0.002)
    told = {wrong(lambda n=n: time.sleep(n / 10_000)).split(" ")[0] for n in range(40)}
    assert told <= {"", "it"} | {wrong(lambda: None).split(" ")[0]}
    time.sleep(0.01)


@pytest.mark.parametrize("caught", [False, True])
def test_an_interrupt_of_the_user_stops_the_cell(caught):
    course.results.pop("exercise", None)
    reached = []

    def answer():
        threading.Timer(0.1, _thread.interrupt_main).start()
        try:
            while True:
                time.sleep(0.01)
        except KeyboardInterrupt:
            reached.append(1)
            if not caught:
                raise

    with pytest.raises(KeyboardInterrupt):
        wrong(answer)
    assert reached and "exercise" not in course.results


def test_beside_the_main_thread_there_is_no_limit(monkeypatch):
    monkeypatch.setattr(exercises, "SECONDS", 0.01)
    told = []
    thread = threading.Thread(target=lambda: told.append(wrong(lambda: time.sleep(0.05))))
    thread.start()
    thread.join()
    assert told == [""]


# ------------------------------------------------------------------------------------------------------------ the rest
def test_a_million_lines_are_shortened(capsys):
    def answer():
        print("first")
        for number in range(200_000):
            print(number)
            sys.stderr.write("e")

    assert wrong(answer) == ""
    out, err = capsys.readouterr()
    assert out.startswith("first\n0\n1\n") and len(out) < bounds.LETTERS + 100
    assert re.search(r"… and 1,\d{3},\d{3} more letters, not shown\n$", out)
    assert len(err) < bounds.LETTERS + 100 and "180,000 more letters" in err


def test_what_an_answer_moves_of_the_process_is_put_back(tmp_path):
    def states():
        found = [read(sys.modules[name]) for name, read, _ in bounds.STATES if name in sys.modules]
        found += [warnings.filters, sys.stdout, *(vars(builtins)[name] for name in bounds.PYTHONS)]
        return [repr(sorted(one.items()) if isinstance(one, dict) else one) for one in found], [torch.rand(1).item()]

    def answer():
        sys.setrecursionlimit(123_456)
        os.chdir(tmp_path)
        os.environ["NASVIZ_OF_A_STUDENT"] = "1"
        os.environ.pop("PATH")
        random.random()
        np.random.rand(3)
        np.seterr(all="raise")
        np.set_printoptions(precision=1)
        torch.manual_seed(1)
        torch.rand(3)
        torch.set_num_threads(torch.get_num_threads() + 1)
        torch.set_grad_enabled(False)
        torch.set_default_dtype(torch.float64)
        warnings.simplefilter("error")
        sys.stdout = None
        builtins.len = builtins.str = builtins.isinstance = builtins.BaseException = None
        raise Own

    np.random.rand(), torch.manual_seed(5)  # the first of them loads numpy.random
    before = states()
    torch.manual_seed(5)
    with np.errstate(divide="ignore"):
        assert "Own" in wrong(answer)
        assert np.geterr()["divide"] == "ignore"
    assert states() == before


def test_plotly_and_matplotlib_keep_their_styles(monkeypatch):
    import plotly.io as pio

    class Matplotlib:
        rcParams = type("Params", (dict,), {})(color="blue", size=1)

    monkeypatch.setitem(sys.modules, "matplotlib", Matplotlib)
    style = pio.templates.default

    def answer():
        pio.templates.default = "plotly_dark" if style != "plotly_dark" else "plotly"
        Matplotlib.rcParams["color"] = "red"

    assert wrong(answer) == "" and pio.templates.default == style and Matplotlib.rcParams["color"] == "blue"


def test_names_of_python_mean_in_a_check_what_they_mean_in_python():
    notebook = {"check": course.check, "SAID": []}
    exec("sum = 0\nmax = len = 7\ndef mine(values):\n    return max + values[0]\n", notebook)
    exec(
        "@check\ndef exercise():\n    yield mine([1, 2]) == 8, 'its own name stays'\n"
        "    yield sum(map(len, [[1], [2, 3]])) == 3 == max([3, 1]), 'ours too'\n",
        notebook,
    )
    assert notebook["exercise"].wrong == "" and notebook["sum"] == 0


def test_an_answer_gets_copies():
    def spoil(items, mapping, *, array):
        items.append(items[0].pop())
        mapping["a"].clear()
        array[:] = 0
        return items, mapping, array

    generator = np.random.default_rng(0)

    def draw(rng):
        return rng.random()

    @course.check
    def exercise():
        items, mapping, array = [[1, 2], (3, {4})], {"a": {1: 2}}, np.arange(3)
        first = spoil(items, mapping, array=array)
        yield items == [[1, 2], (3, {4})] and mapping == {"a": {1: 2}} and array.tolist() == [0, 1, 2], "spoilt"
        yield first[0] == [[1], (3, {4}), 2] and first[2].sum() == 0, "it works on its own"
        yield draw(generator) != draw(generator), "a generator is shared: it goes on"

    assert exercise.wrong == ""


def test_a_check_may_count_in_what_is_around_it():
    count = 0

    @course.check
    def exercise():
        nonlocal count
        for count in itertools.islice(itertools.count(), 5):
            yield count < 3, f"{count} is too much"

    assert exercise.wrong == "3 is too much" and count == 3
