"""What a lab is made of besides its experiments: predict, claim, check; and what is made of whole labs.

=================== ==================================================================================================
`predict_number`, … questions answered before the run (`nasviz.course.questions`)
`claim`             what a run shows, on every processor; `on_your_run`: what came out this time
`check`             what is wrong with the answer to an exercise (`nasviz.course.exercises`)
`written`           an exercise that is an experiment: is it answered? `reported`: does its report say what came out?
`as_table`          a table to display
`share`             keep the answers to predictions in a file, for a histogram of the class; off unless it is called
=================== ==================================================================================================

A lab's kernel is watched for cells that run out of order or twice (`nasviz.course.cells`).

Beside them: `nasviz.course.edition` makes editions of the labs, `nasviz.course.lesson` counts what a lab asks of its
reader, `nasviz.course.roundings` tries their claims as other processors round. `nasviz.course.capstone` is the
challenge of the last lab, `nasviz.course.reporting` its sheet.
"""

from IPython import get_ipython

from .cells import watch
from .claims import as_table, claim, on_your_run
from .exercises import Checked, check, results
from .experiment import reported, written
from .histogram.answers import share
from .questions import predict_choice, predict_curve, predict_number, predict_ranking

__all__ = [
    "Checked",
    "as_table",
    "check",
    "claim",
    "on_your_run",
    "predict_choice",
    "predict_curve",
    "predict_number",
    "predict_ranking",
    "reported",
    "results",
    "share",
    "written",
]

watch(get_ipython())
