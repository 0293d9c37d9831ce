"""The stage without a browser: what it remembers, what it sends, what it refuses, what it leaves behind."""

import base64
import io
import json
import threading
from pathlib import Path

import numpy as np
import pytest
from drawn import examples
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from toys import Toy

from nasviz.run import Run
from nasviz.spaces import NasBench201
from nasviz.strategies import RegularizedEvolution
from nasviz.views import replay, stage_of
from nasviz.views.stage.widget import MESSAGE, SCRIPTS, Stage

FOLDER = Path(replay.__file__).with_name("js")
OPS = ["none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"]
NODES, EDGES = ["0", "1", "2", "3"], [(0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3)]
DARTS = ["none", "max_pool_3x3", "avg_pool_3x3", "skip_connect"] + [
    f"{kind}_conv_{k}x{k}" for kind in ("sep", "dil") for k in (3, 5)
]


def spec():
    """Every kind of view over invented arrays."""
    cell = {"kind": "cell", "array": "alphas", "title": "Cell", "nodes": NODES, "edges": EDGES}
    swarm = {"kind": "swarm", "array": "accuracy", "parent": "parent", "population": "alive", "feasible": "allowed"}
    return {
        "arrays": {"alphas": [6, 5], "accuracy": [], "parent": [], "alive": [3], "allowed": [], "seconds": []},
        "ops": OPS,
        "views": [
            cell,
            {"kind": "traces", "array": "alphas", "labels": list("abcdef")},
            {"kind": "heat", "array": "alphas", "labels": list("abcdef")},
            {**swarm, "lines": [{"y": 0.4, "label": "all conv 3×3"}]},
            {"kind": "curve", "array": "accuracy", "x": "seconds", "best": True},
        ],
        "marks": [{"at": 3, "label": "population 20"}],
    }


def row(i):
    """Step i, of invented values that tell steps apart."""
    weights = np.random.default_rng(i).dirichlet(np.ones(5), 6)
    alive = [i, i - 1 if i else np.nan, np.nan]
    accuracy = np.nan if i == 4 else 0.5 + 0.01 * (i % 7)
    rest = {"parent": i // 2 - 1, "alive": alive, "allowed": i % 3 > 0, "seconds": i}
    return {"alphas": weights, "accuracy": accuracy} | rest


def recorded(stage):
    """Everything that ``stage`` sends from now on: a list of (message, [bytes of each buffer])."""
    sent = []
    stage.send = lambda message, buffers=(): sent.append((json.loads(json.dumps(message)), [bytes(b) for b in buffers]))
    return sent


class Front:
    """What js/stage.js does with messages, in a few lines: put, reset, ask for what is missing."""

    def __init__(self, stage, lost=()):
        self.stage, self.rows, self.run, self.marks, self.lost = stage, {}, 0, [], set(lost)
        self.heard = 0
        stage.send = self.hear
        self.ask(0)

    def ask(self, start):
        self.stage._handle_custom_msg({"type": "need", "start": start}, [])

    def hear(self, message, buffers=()):
        self.heard += 1
        if self.heard in self.lost:
            return
        self.marks = message.get("marks", self.marks)
        if message["type"] != "frames":
            return
        if message["run"] != self.run:
            self.run, self.rows = message["run"], {}
        for k, buffer in enumerate(buffers):
            values = np.frombuffer(bytes(buffer), "<f4").reshape(message["count"], -1)
            for i, value in enumerate(values):
                self.rows.setdefault(message["start"] + i, {})[k] = value

    def settle(self):
        """Ask until nothing is missing, as the front end does whenever it sees a hole."""
        while missing := set(range(len(self.stage))) - self.rows.keys():
            self.ask(min(missing))

    def columns(self):
        names = self.stage.spec["arrays"]
        return {name: [self.rows[i][k] for i in range(len(self.rows))] for k, name in enumerate(names)}


# ---------------------------------------------------------------------- steps
def test_append_sends_one_frame_of_copies():
    stage = Stage({"arrays": {"w": [2, 2], "loss": []}, "views": [{"kind": "curve", "array": "loss"}]})
    sent = recorded(stage)
    live = np.ones((2, 2))
    stage.append(w=live, loss=0.5)
    live[:] = 7
    message, buffers = sent[0]
    assert message == {"type": "frames", "run": 0, "start": 0, "count": 1}
    assert [np.frombuffer(b, "<f4").tolist() for b in buffers] == [[1, 1, 1, 1], [0.5]]
    assert stage.columns()["w"].tolist() == [[[1, 1], [1, 1]]]


def test_remember_waits_and_flush_sends_all_in_one_message():
    stage = Stage(spec())
    sent = recorded(stage)
    for i in range(200):
        stage.remember(**row(i))
    assert not sent
    assert stage.flush() == 200 and stage.flush() == 0
    assert [(m["start"], m["count"]) for m, _ in sent] == [(0, 200)]
    stage.append(**row(200))
    assert (sent[-1][0]["start"], sent[-1][0]["count"]) == (200, 1)


def test_what_was_sent_does_not_change_when_memory_grows_or_is_reset():
    stage = Stage({"arrays": {"loss": []}, "views": [{"kind": "curve", "array": "loss"}]})
    kept = []
    stage.send = lambda message, buffers=(): kept.extend(buffers)
    for i in range(300):
        stage.append(loss=i)
    stage.reset()
    for _ in range(300):
        stage.append(loss=-1)
    assert [float(np.frombuffer(b, "<f4")[0]) for b in kept[:300]] == list(range(300))


@pytest.mark.parametrize(
    "change, said",
    [
        ({"gain": 1}, "no array 'gain'"),
        ({"accuracy": "high"}, "'accuracy' must be numbers"),
        ({"alphas": np.ones((5, 6))}, r"'alphas' must have shape \(6, 5\), got \(5, 6\)"),
        ({"alive": "abc"}, "'alive' must be numbers"),
    ],
)
def test_a_step_that_does_not_fit_is_refused_whole(change, said):
    stage = Stage(spec())
    with pytest.raises(ValueError, match=said):
        stage.append(**{**row(0), **change})
    with pytest.raises(ValueError, match="lacks the array 'seconds'"):
        stage.append(**{k: v for k, v in row(0).items() if k != "seconds"})
    assert len(stage) == 0


@examples(60)
@given(st.lists(st.sampled_from(["append", "remember", "flush", "reset", "mark", "late"]), max_size=30), st.data())
def test_any_front_end_ends_with_everything(actions, data):
    """Late views, second views, reloads and lost messages: after asking for holes all see the same steps and marks."""
    stage = Stage({"arrays": {"loss": [], "w": [3]}, "views": [{"kind": "curve", "array": "loss"}]})
    front, step = Front(stage, lost=data.draw(st.sets(st.integers(2, 20)))), 0
    for action in actions:
        if action in ("append", "remember"):
            getattr(stage, action)(loss=step, w=[step] * 3)
            step += 1
        elif action == "mark":
            stage.mark(step, f"knob {step}")
        elif action == "late":
            front = Front(stage)
        else:
            getattr(stage, action)()
    front.lost = set()
    stage.flush()
    front.settle()
    front.ask(len(stage))  # as a reload does: marks come with every answer
    assert front.marks == stage.marks
    columns = stage.columns()
    assert len(front.rows) == len(stage)
    for name, values in front.columns().items():
        assert np.array_equal(np.reshape(values, columns[name].shape), columns[name])


def test_a_long_run_goes_out_in_pieces():
    stage = Stage({"arrays": {"w": [512, 64]}, "ops": [], "views": [{"kind": "traces", "array": "w"}]})
    for i in range(40):
        stage.remember(w=np.full((512, 64), i))
    front = Front(stage)
    assert front.heard > 2 and sorted(front.rows) == list(range(40))
    assert all(4 * 512 * 64 * 16 <= MESSAGE for _ in front.rows) and float(front.rows[39][0][0]) == 39


def test_steps_from_many_threads_arrive_once_each():
    stage = Stage({"arrays": {"loss": []}, "views": [{"kind": "curve", "array": "loss"}]})
    front = Front(stage)
    threads = [
        threading.Thread(target=lambda k=k: [stage.append(loss=1000 * k + i) for i in range(100)]) for k in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    got = sorted(float(front.rows[i][0][0]) for i in range(400))
    assert got == sorted(float(1000 * k + i) for k in range(4) for i in range(100))


def test_reset_forgets_steps_and_marks_and_starts_a_new_run():
    stage = Stage(spec(), (row(i) for i in range(5)))
    sent = recorded(stage)
    stage.reset()
    assert len(stage) == 0 and stage.marks == []
    assert sent == [({"type": "frames", "run": 1, "start": 0, "count": 0, "marks": []}, [])]
    stage.append(**row(0))
    assert sent[-1][0]["run"] == 1 and sent[-1][0]["start"] == 0


def test_a_mark_is_sent_and_kept_for_later_views():
    stage = Stage(spec(), [row(0)])
    sent = recorded(stage)
    stage.mark(7, "tournament 5")
    marks = [{"at": 3, "label": "population 20"}, {"at": 7, "label": "tournament 5"}]
    assert sent == [({"type": "mark", "marks": marks}, [])] and stage.marks == marks
    assert Front(stage).marks == marks


def test_picked_edges_reach_every_callback():
    stage, picked = Stage(spec()), []
    stage.on_edge(lambda edge, view: picked.append((edge, view)))
    stage.on_edge(lambda edge, view: picked.append(-edge))
    stage._handle_custom_msg({"type": "edge", "edge": 4, "view": 1}, [])
    stage._handle_custom_msg({"type": "edge", "edge": "4", "view": 1}, [])
    stage._handle_custom_msg({"type": "nonsense"}, [])
    assert picked == [(4, 1), -4]


def test_redraw_shows_another_picture_in_the_same_place_or_leaves_it():
    stage = Stage(spec(), [row(0)])
    other = {"arrays": {"loss": []}, "views": [{"kind": "curve", "array": "loss"}]}
    with pytest.raises(ValueError, match="no such kind"):
        stage.redraw({**other, "views": [{"kind": "pie"}]})
    assert stage.columns().keys() == row(0).keys()
    stage.redraw(other, [{"loss": 1.5}, {"loss": 0.5}])
    assert stage.columns()["loss"].tolist() == [1.5, 0.5] and stage.marks == []
    state = stage.get_state()
    assert list(state["spec"]["arrays"]) == ["loss"] and state["first"]["count"] == 2 and state["first"]["run"] == 1
    stage.append(loss=0.25)
    assert len(stage) == 3


def test_nodes_that_compute_need_no_array_and_are_named_by_their_operation():
    view = {"kind": "cell", "nodes": ["in", "1", "out"], "edges": [[0, 1], [1, 2]], "fixed": [0, 1]}
    view["node_ops"] = [None, "conv3x3-bn-relu", None]
    stage = Stage({"arrays": {"shown": []}, "views": [view]}, [{"shown": 1}])
    drawn = stage.spec["views"][0]
    assert [node["label"] for node in drawn["layout"]["nodes"]] == ["in", "conv 3×3", "out"]
    assert drawn["node_styles"][0] is None and drawn["node_styles"][1]["color"] == "#1a6fd4"
    assert stage.still().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="which array"):
        Stage({"arrays": {"shown": []}, "views": [view | {"fixed": [0]}]})


def test_choices_are_drawn_for_any_space():
    choices = [{"name": "depth", "options": ["1", "2"], "colors": ["#000000"] * 2}] * 2
    view = {"kind": "options", "array": "arch", "choices": choices}
    stage = Stage({"arrays": {"arch": [2]}, "views": [view]}, [{"arch": [1, -1]}])
    assert stage.still().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="2 choices"):
        Stage({"arrays": {"arch": [3]}, "views": [view]})


# ---------------------------------------------------------------------- the spec
@pytest.mark.parametrize(
    "change, said",
    [
        ({"arrays": {}}, "needs 'arrays'"),
        ({"views": []}, "needs 'views'"),
        ({"views": [{"kind": "pie", "array": "loss"}]}, "no such kind"),
        ({"views": [{"kind": "curve"}]}, "which array"),
        ({"views": [{"kind": "curve", "array": "gain"}]}, "'gain'"),
        ({"views": [{"kind": "swarm", "array": "w"}]}, "array needs an array of 0 axes"),
        ({"views": [{"kind": "heat", "array": "w"}], "ops": ["none"]}, "2 columns for 1 operations"),
        ({"views": [{"kind": "cell", "array": "w", "nodes": "ab", "edges": [(0, 1)]}], "ops": OPS[:2]}, "3 rows for 1"),
        ({"views": [{"kind": "cell", "array": "w", "nodes": "ab", "edges": [(0, 2)] * 3}], "ops": OPS[:2]}, "node 2"),
        ({"views": [{"kind": "curve", "array": "loss", "band": [{"x": 1, "lo": 0}]}]}, "band: each needs"),
        ({"views": [{"kind": "curve", "array": "loss", "others": [{"x": [1, 2], "y": [1]}]}]}, "one length"),
        ({"colors": ["#fff"]}, "one entry for each of 0 operations"),
    ],
)
def test_a_spec_that_does_not_fit_is_refused_by_name(change, said):
    good = {"arrays": {"loss": [], "w": [3, 2]}, "views": [{"kind": "curve", "array": "loss"}]}
    Stage(good)
    with pytest.raises(ValueError, match=said):
        Stage({**good, **change})


def test_the_spec_is_plain_data_and_the_callers_is_left_alone():
    given_spec = spec()
    band = {"x": np.arange(3), "lo": [0.1] * 3, "hi": [0.2] * 3, "mid": [np.nan, 0.1, 0.2], "label": "random"}
    given_spec["views"][4]["band"] = [band]
    before = repr(given_spec)
    stage = Stage(given_spec)
    text = json.dumps(stage.spec, allow_nan=False)  # what a kernel sends must be JSON, without NaN
    assert "layout" in text and repr(given_spec) == before


# ---------------------------------------------------------------------- what stays behind
def test_the_still_shows_the_last_step_and_every_view():
    stage = Stage(spec(), (row(i) for i in range(12)))
    assert Stage(spec()).still() is None
    last, first = (np.asarray(Image.open(io.BytesIO(stage.still(step))).convert("RGB"), int) for step in (-1, 0))
    assert last.shape == first.shape and len(stage.still()) <= 60_000
    assert (last != first).any(-1).mean() > 0.01
    rows = (np.abs(last - 255).sum(-1) > 60).any(1)
    blank = np.diff(np.flatnonzero(np.r_[True, rows, True])).max()
    assert blank < 0.08 * len(rows), "a view of the still is blank"
    for kind in ("cell", "traces", "heat", "swarm", "curve"):
        views = [view for view in spec()["views"] if view["kind"] == kind]
        alone = Stage({**spec(), "views": views}, (row(i) for i in range(12)))
        picture = np.asarray(Image.open(io.BytesIO(alone.still())).convert("RGB"))
        assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 8


def test_the_still_stays_small_for_a_long_run_of_many_lines():
    view = {"kind": "traces", "array": "w", "title": "Weights"}
    rng = np.random.default_rng(0)
    stage = Stage({"arrays": {"w": [14, 8]}, "ops": DARTS, "views": [view] * 2})
    for _ in range(300):
        stage.remember(w=rng.dirichlet(np.ones(8), 14))
    assert 5_000 < len(stage.still()) <= 60_000


def test_a_notebook_keeps_a_picture_and_a_text():
    data, _ = Stage(spec(), (row(i) for i in range(3)))._repr_mimebundle_()
    assert data["text/plain"].startswith("Stage: Cell") and "3 steps" in data["text/plain"]
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
    assert "application/vnd.jupyter.widget-view+json" in data
    assert "image/png" not in Stage(spec())._repr_mimebundle_()[0]


def test_notebook_and_page_draw_with_every_script(tmp_path):
    scripts = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.js")}
    assert sorted(scripts) == sorted(SCRIPTS)
    page = replay.to_html(Stage(spec(), [row(0)]), tmp_path / "run.html").read_text(encoding="utf-8")
    for text in scripts.values():
        assert text in Stage._esm and text in page


def test_a_replay_is_one_file_that_asks_for_nothing(tmp_path):
    stage = Stage(spec(), (row(i) for i in range(20)))
    stage.mark(5, "</script><b>")
    page = replay.to_html(stage, tmp_path / "run.html", "A <run> @SOURCE@").read_text(encoding="utf-8")
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "").replace('http-equiv="', "")
    assert page.count("</script>") == 1 and "<noscript>" in page and "data:image/png" in page
    assert "<title>A &lt;run&gt; @SOURCE@</title>" in page


def test_a_replay_from_columns_equals_the_stages_own(tmp_path):
    stage = Stage(spec(), (row(i) for i in range(20)))
    a = replay.to_html(stage, tmp_path / "a.html", "run").read_text(encoding="utf-8")
    b = replay.to_html((spec(), stage.columns()), tmp_path / "b.html", "run").read_text(encoding="utf-8")
    assert a == b


def test_a_replay_refuses_what_it_cannot_play(tmp_path):
    columns = Stage(spec(), (row(i) for i in range(20))).columns()
    with pytest.raises(ValueError, match="no step yet"):
        replay.to_html(Stage(spec()), tmp_path / "a.html")
    with pytest.raises(ValueError, match="one row a step"):
        replay.to_html((spec(), {**columns, "seconds": columns["seconds"][:3]}), tmp_path / "a.html")
    with pytest.raises(ValueError, match="lacks the array 'alphas'"):
        replay.to_html((spec(), {k: v for k, v in columns.items() if k != "alphas"}), tmp_path / "a.html")
    assert not list(tmp_path.iterdir())


def test_a_run_is_saved_as_a_page_with_its_turns(tmp_path):
    space = NasBench201()
    run = Run(RegularizedEvolution(space, Toy(space), population=5, tournament=2, evaluations=12))
    for step, _ in enumerate(run):
        if step == 6:
            run.turn(tournament=4)
    page = replay.to_html(stage_of(run), tmp_path / "run.html", type(run.search).__name__).read_text(encoding="utf-8")
    assert "<h1>RegularizedEvolution</h1>" in page
    assert '[{"at": 7, "label": "tournament 4"}], 12, await' in page


def test_what_a_stage_is_made_with_travels_in_its_state():
    made = Stage(spec(), [row(i) for i in range(3)])
    state = made.get_state()["first"]
    assert state["count"] == 3
    for data, column in zip(state["columns"], made.columns().values(), strict=True):
        assert data == column.tobytes()
    assert Stage(spec()).get_state()["first"] == {"run": 0, "count": 0, "columns": []}
