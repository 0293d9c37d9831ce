"""Cells that run twice or out of order, in a shell and in a kernel of their own."""

import re
import threading
import time
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell
from toys import SPACES, Toy

from nasviz import strategies, views
from nasviz.course import cells, claims
from nasviz.paths import labs_dir


@pytest.fixture
def shell(monkeypatch):
    said = []
    monkeypatch.setattr(claims, "display", lambda thing, metadata=None: said.append(thing.data))
    made = InteractiveShell()
    cells.watch(made)
    cells.watch(made)  # a cell that imports is run twice
    made.said = said
    made.showtraceback = lambda *_, **__: said.append("the error itself")
    return made


def lab(name):
    return next(book for path, book in zip(sorted(labs_dir().glob("*.ipynb")), cells._labs(), strict=True)
                if path.stem.startswith(name))  # fmt: skip


def test_a_lab_cell_too_early_says_which_cell_to_run(shell):
    book = lab("00")
    number, cell = next((n, c) for n, c in enumerate(book) if "evolution = RegularizedEvolution(" in c["source"])
    shell.run_cell(cell["source"])
    assert shell.said[0] == "the error itself" and len(shell.said) == 2
    earlier = next(n for n, c in enumerate(book) if "import RandomSearch, RegularizedEvolution" in c["source"])
    assert "<code>RegularizedEvolution</code> is defined by" in shell.said[1]
    assert f"code cell {earlier + 1} from the top" in shell.said[1]
    assert f"<code>{book[earlier]['source'].splitlines()[0]}</code>" in shell.said[1]

    shell.push({"RegularizedEvolution": None})
    shell.run_cell(cell["source"])
    assert "<code>space</code> is defined by" in shell.said[-1] and "import NasBench201" in shell.said[-1]
    assert number > 3


def test_a_changed_cell_is_known_by_its_id(shell):
    book = lab("00")
    cell = next(c for c in book if c["source"].startswith("evolution_run = "))
    shell.run_cell("print(limit)\n" + cell["source"], cell_id=cell["id"])
    assert "<code>limit = 200_000</code>" in shell.said[-1]


def test_any_other_name_gets_a_general_hint_and_other_errors_none(shell):
    shell.run_cell("misspelt + 1")
    assert "<code>misspelt</code>: is it misspelt?" in shell.said[-1]
    before = list(shell.said)
    shell.run_cell("1 + 1")
    shell.run_cell("def f():\n    print(a)\n    a = 1\nf()")  # UnboundLocalError: no other cell helps
    shell.run_cell("1 / 0")
    assert shell.said == [*before, *["the error itself"] * 2]


def test_every_name_of_every_lab_has_its_cell():
    for book in cells._labs():
        for at, cell in enumerate(book):
            table = cells.symtable.symtable(cell["source"], "cell", "exec")
            for name in table.get_identifiers():
                if table.lookup(name).is_assigned():
                    assert cells._definer(name, book[: at + 1])[0] == at + 1


def test_a_player_cell_that_is_run_again_leaves_one_player(shell):
    shell.push({"views": views, "strategies": strategies, "space": SPACES[0], "estimate": Toy(SPACES[0])})
    code = "player = views.Player(strategies.RandomSearch(space, estimate, evaluations=5))"
    shell.run_cell(code, cell_id="one")
    shell.run_cell("other = views.Player(strategies.RandomSearch(space, estimate, evaluations=5))", cell_id="two")
    first, other = shell.user_ns["player"], shell.user_ns["other"]
    shell.run_cell("player.run(2)", cell_id="three")
    shell.run_cell("undefined; " + code, cell_id="one")  # it made none: the first stays
    assert first.comm is not None
    shell.run_cell(code, cell_id="one")
    second = shell.user_ns["player"]
    assert second is not first and first.comm is None and second.comm is not None and other.comm is not None
    assert len(second.run(3).steps) == 3


CHECKS = """
import time
from nasviz.course import check, exercises, predict_number
exercises.SECONDS = 1

def wrong(answer):
    @check
    def exercise():
        yield answer(), "false"
    print(exercise.wrong.split(" (")[0])

def endless():
    while True:
        pass

def leave():
    raise SystemExit

def interrupt():
    raise KeyboardInterrupt
"""


def test_a_kernel_as_make_lab_starts_it(monkeypatch):
    from jupyter_client.manager import start_new_kernel

    start = Path(__file__).parents[1] / "tools" / "kernel_start.py"
    assert f"/{start.relative_to(start.parents[1]).as_posix()}" in (start.parents[1] / "Makefile").read_text("utf-8")
    monkeypatch.setenv("PYTHONSTARTUP", str(start))
    manager, client = start_new_kernel(kernel_name="python3")

    def ran(code, interrupt=False):
        out, started = [], threading.Event()

        def hear(message):
            shown = message["content"].get("data", {}).get("text/html", "")
            out.append(message["content"].get("text", "") if message["msg_type"] == "stream" else shown)
            if "begun" in out[-1]:
                started.set()

        if interrupt:
            threading.Thread(target=lambda: started.wait(60) and (time.sleep(0.3), manager.interrupt_kernel())).start()
        reply = client.execute_interactive(code, output_hook=hear, timeout=120)
        return reply["content"].get("ename", "ok"), "".join(out)

    def printed(code, **more):
        ename, text = ran(code, **more)
        return ename, re.sub(r"<div.*?</div>", "", text)

    try:
        assert ran("print([name for name in dir() if name[0] != '_'])")[1].count("nasviz") == 0
        ename, text = ran("space = NasBench201()")  # before any import
        assert ename == "NameError" and "<code>NasBench201</code>: is it misspelt?" in text
        assert ran(CHECKS)[0] == "ok"
        assert printed("wrong(leave); wrong(interrupt)") == (
            "ok", "it stopped with SystemExit\nit stopped with KeyboardInterrupt\n"
        )  # fmt: skip
        assert printed("wrong(endless)") == ("ok", "it did not end within 1 seconds and was stopped\n")
        code = "exercises.SECONDS = 100\nprint('begun', flush=True)\nwrong(endless)\nprint('not reached')"
        assert printed(code, interrupt=True) == ("KeyboardInterrupt", "begun\n")
        again = "asked = predict_number('How many?', 0, 10)\nprint(asked.answer)"
        assert ran(again) == ("ok", "None\n") and ran("asked.answer = 4")[0] == "ok"
        assert ran(again) == ("ok", "4\n")
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
