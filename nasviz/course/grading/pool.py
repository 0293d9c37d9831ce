"""Several judges at once, each in a process of its own, which is replaced if a submission brings it down."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import Any

from . import limits as bounds
from .judge import Answer, Verdict, judge
from .limits import Limits

PATIENCE = 30.0  # seconds beyond the limit of the clock, until a judge itself is ended
BROUGHT_DOWN = "it brought the process of its judge to an end"


def _judge(pipe: Connection, seed: int, limits: Limits) -> None:
    """Be a judge: take answers, say verdicts."""
    import torch

    torch.set_num_threads(1)
    bounds.adopt_orphans()
    user = bounds.own_user()
    while True:
        try:
            answer = pipe.recv()
        except EOFError:
            return
        pipe.send(judge(answer, seed, limits, user))


@dataclass
class _Judge:
    """A judge's process, its pipe, what it is at and until when."""

    process: Any
    pipe: Connection
    task: int = -1
    until: float = 0.0


def verdicts(answers: Iterable[Answer], seed: int, limits: Limits, jobs: int) -> Iterator[tuple[int, Verdict]]:
    """The verdict on each answer, by its number, in the order in which they are reached.

    Parameters
    ----------
    answers : iterable of Answer
    seed : int
        From which second inputs are drawn.
    limits : Limits
    jobs : int
        Judges at once.
    """
    answers = list(answers)
    todo, judges = deque(range(len(answers))), [_begin(seed, limits) for _ in range(min(jobs, len(answers)))]
    try:
        while todo or any(one.task >= 0 for one in judges):
            for one in judges:
                if one.task < 0 and todo:
                    one.task, one.until = todo.popleft(), time.monotonic() + limits.wall + PATIENCE
                    one.pipe.send(answers[one.task])
            busy = [one for one in judges if one.task >= 0]
            wait([one.pipe for one in busy], max(0.0, min(one.until for one in busy) - time.monotonic()))
            for place, one in enumerate(judges):
                if one.task >= 0 and (verdict := _heard(one)):
                    yield one.task, verdict
                    one.task = -1
                    if verdict.sentence == BROUGHT_DOWN:
                        _end(one)
                        judges[place] = _begin(seed, limits)
    finally:
        for one in judges:
            _end(one)


def _heard(one: _Judge) -> Verdict | None:
    """What a judge says, if it has; that it was brought down, if it was, or has been silent for too long."""
    try:
        if one.pipe.poll():
            return one.pipe.recv()
    except (EOFError, OSError):
        return Verdict(0, BROUGHT_DOWN)
    return Verdict(0, BROUGHT_DOWN) if time.monotonic() > one.until else None


def _begin(seed: int, limits: Limits) -> _Judge:
    context: Any = get_context("fork" if bounds.FORKS else "spawn")
    mine, its = context.Pipe()
    process = context.Process(target=_judge, args=(its, seed, limits))
    process.start()
    its.close()
    return _Judge(process, mine)


def _end(one: _Judge) -> None:
    one.pipe.close()
    if one.task >= 0 and one.process.pid and bounds.LINUX:
        bounds.end_below(one.process.pid)
    elif one.task < 0:
        one.process.join(1)
    one.process.kill()
    one.process.join()
