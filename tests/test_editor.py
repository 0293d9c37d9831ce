"""The cell editor without a browser: what a click changes, what is counted, what training puts on the leaderboard."""

import time
from dataclasses import dataclass
from itertools import product

import pytest
from toys import Elastic, Toy

from nasviz.estimator import Estimator, Progress, report
from nasviz.graph import Edge, Graph
from nasviz.space import Choice, SearchSpace
from nasviz.spaces import NasBench201
from nasviz.step import Evaluation
from nasviz.views import CellEditor
from nasviz.views.stage import editor, panel

SPACE = NasBench201()
START = (3, 0, 1, 0, 0, 2)


@dataclass(frozen=True)
class Judge(Estimator):
    """Knows its sizes, and reports as a training does."""

    space: object
    seconds: float = 0.0
    fails: bool = False

    def size(self, arch):
        return {"parameters": 100.0 * sum(arch), "madds": 1000.0 * sum(arch)}

    def __call__(self, arch, *, epochs=None, seed=0):
        if self.fails:
            raise MemoryError("none <left>")
        for batch in range(20):
            time.sleep(self.seconds / 20)
            report(Progress(arch, 0, 1, batch + 1, 20, 2.0 - batch / 20))
        report(Progress(arch, 1, 1, 0, 20, 1.5, 0.8))
        return Evaluation(tuple(arch), {"accuracy": sum(arch) / 24 - seed / 100} | self.size(arch), 0.1, 1, seed)


class Ruled(NasBench201):
    name = "ruled"

    def rule(self, arch):
        return "two zeros <side by side>" if arch[:2] == (0, 0) else None


def make(space=SPACE, arch=START, **fields):
    return CellEditor(space, fields.pop("estimate", Judge(space)), arch=arch, **fields)


def shown(one):
    return tuple(one.stage.columns()["arch"][-1].argmax(1).tolist())


def test_a_click_on_an_edge_takes_the_next_operation_and_all_follows():
    one = make()
    one.stage._answer(None, {"type": "edge", "edge": 2, "view": 0}, [])  # as the browser says it
    assert one.arch == shown(one) == (3, 0, 2, 0, 0, 2) and one.menus[2].label == "conv 1×1"
    assert one.describe()["Computes"] == "conv1×1(conv1×1(conv3×3(x)))" and "conv1×1(conv1×1" in one.facts.value
    for _ in range(3):
        one.stage._answer(None, {"type": "edge", "edge": 2, "view": 0}, [])
    assert one.arch[2] == 0  # round and round


def test_a_menu_changes_the_picture():
    one = make()
    one.menus[0].value = 4
    assert one.arch == shown(one) == (4, 0, 1, 0, 0, 2)
    assert "Parameters" in one.facts.value and "700" in one.facts.value


def test_set_takes_texts_and_tuples_and_refuses_the_rest():
    one = make()
    one.set(SPACE.to_text((1, 2, 3, 4, 0, 1)))
    assert one.arch == shown(one) == (1, 2, 3, 4, 0, 1)
    one.set((0,) * 6)
    before = len(one.stage)
    for wrong in ("|none~0|", (0, 1, 2), (9,) * 6):
        with pytest.raises(ValueError):
            one.set(wrong)
    assert one.arch == (0,) * 6 and len(one.stage) == before


def test_says_how_many_strings_mean_this_network():
    counts = editor.meanings(SPACE)
    assert sum(counts.values()) == 15625 and len(counts) == 5044
    one = make()
    deadline = time.monotonic() + 20
    while one._count is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert one.describe()["Written in"] == f"{counts[SPACE.canonical(START)]:,} of 15,625 strings"
    paths = (3,), (0, 4), (1, 5), (0, 2, 5)  # from in to out, as edges
    cut = sum(all(any(a[e] == 0 for e in path) for path in paths) for a in product(range(5), repeat=6))
    one.set((0,) * 6)
    assert one.describe()["Written in"] == f"{cut} of 15,625 strings"


def test_training_fills_the_curve_and_the_leaderboard():
    one = make(limit=9_500)
    assert one.train().scores["accuracy"] == 0.25
    assert len(one.curve) == 21 and one.curve.columns()["accuracy"][-1] == pytest.approx(0.8)
    assert one.curve.columns()["loss"][-1] == pytest.approx(1.05)  # of the last batch, no mean of the epoch
    one.set((1, 1, 1, 1, 1, 1))
    one.train()
    one.set((3, 3, 3, 3, 3, 3))
    one.train()  # the most accurate, over the limit
    assert [e.arch for e in one.leaderboard] == [START, (1,) * 6, (3,) * 6]
    best, over = one.table.value.index("★ best"), one.table.value.index("over the limit")
    assert best < over and one.table.value.count("<tr") == 4
    assert "over the limit of 9,500" in one.facts.value
    assert repr(one).endswith("3 trained>")


def test_the_same_cell_again_gets_another_seed():
    one = make()
    assert [one.train().seed for _ in range(3)] == [0, 1, 2]
    assert one.train(seed=7).seed == 7
    assert [e.seed for e in one.leaderboard] == [0, 1, 2, 7]


def test_a_failed_training_ranks_last():
    one = make(estimate=Toy(SPACE), limit=None)
    one._evaluations = [Evaluation((1,) * 6, {"accuracy": a, "madds": 1.0}) for a in (float("nan"), 0.2, 0.3)]
    assert [e.scores["accuracy"] for e in one.leaderboard][:2] == [0.3, 0.2]


def test_the_button_trains_and_stops():
    one = make(estimate=Judge(SPACE, seconds=2.0))
    one.button.click()
    _until(lambda: len(one.curve) > 2)
    assert one.button.description == "Stop"
    one.button.click()
    _until(lambda: one._thread is None)
    assert len(one.curve) < 20 and one.leaderboard == [] and one.button.description == "Train it"
    _until(lambda: "stopped" in one.said.value)


def test_an_exception_of_the_training_is_shown():
    one = make(estimate=Judge(SPACE, fails=True))
    one.button.click()
    _until(lambda: "Traceback" in one.said.value)
    assert "none &lt;left&gt;" in one.said.value and one.button.description == "Train it"
    with pytest.raises(MemoryError):
        one.train()


def test_a_broken_rule_is_said_and_not_trained():
    one = make(Ruled(), (0, 1, 1, 1, 1, 1))
    assert one.wrong is None
    one.menus[1].value = 0
    assert "two zeros &lt;side by side&gt;" in one.facts.value and shown(one)[:2] == (0, 0)
    with pytest.raises(ValueError, match="side by side"):
        one.train()
    one.menus[1].value = 1
    assert one.wrong is None and "Parameters" in one.facts.value


class Sized(Toy):
    """Answers without a network, size included."""

    def size(self, arch):
        return {"parameters": 10.0, "madds": float(sum(arch))}


def test_a_space_whose_picture_changes_is_drawn_anew():
    class Growing(SearchSpace):
        name = "growing"
        choices = (Choice("depth", (1, 2)), Choice("first", ("skip_connect", "nor_conv_3x3")))

        def graph(self, arch):
            edges = (Edge(0, 1, self.choices[1].options[arch[1]], 1), Edge(0, 1, None))
            return Graph(("a", "b"), edges[: 1 + arch[0]])

    one = CellEditor(Growing(), Sized(Growing()), arch=(0, 0))
    assert len(one.stage.spec["views"][0]["edges"]) == 1
    one.menus[0].value = 1
    assert len(one.stage.spec["views"][0]["edges"]) == 2 and one.stage.spec["views"][0]["fixed"] == [1]
    one.stage._answer(None, {"type": "edge", "edge": 0, "view": 0}, [])
    assert one.arch == (1, 1)
    assert list(one.stage.columns().values())[0][0].tolist() == [[1.0]] and one.stage.spec["ops"] == ["nor_conv_3x3"]


def test_choices_beyond_the_depth_are_out_of_use_and_broken_rules_are_said():
    one = CellEditor(Elastic(), Sized(Elastic()), arch=(2, 1, 1, 1, 1))
    assert [view["kind"] for view in one.stage.spec["views"]] == ["options"]
    one.menus[0].value = 0
    assert one.arch == (0, 1, 1, 0, 0) and [menu.disabled for menu in one.menus] == [False] * 3 + [True] * 2
    one.set((1, 2, 2, 0, 0))
    one.menus[3].value = 2
    assert "three layers with kernel 7" in one.wrong and "three layers" in one.facts.value
    stored = panel.pictures()[one.model_id]["text/plain"]  # a page can be stored while a cell is against the rule
    assert stored == "<CellEditor of elastic toy: not in the space, three layers with kernel 7, 0 trained>"


def test_counts_with_the_networks_of_the_fast_recipe_by_default():
    one = CellEditor(SPACE, arch=(3, 3, 3, 3, 3, 3))
    size = one.estimate.size(one.arch)
    assert one.describe()["Parameters"] == f"{size['parameters']:,.0f}"
    assert one.describe()["Multiply-adds"] == f"{size['madds'] / 1e6:.2f} M"


def test_a_page_without_widgets_gets_a_picture():
    data, _ = make()._repr_mimebundle_()
    assert data["image/png"] and SPACE.to_text(START) in data["text/plain"]


def _until(condition, seconds=5.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.005)
