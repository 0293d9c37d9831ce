"""Views: pictures of a search. No search needs them: views read steps, and import no strategy.

=================== ==================================================================================================
`Player`            a search with its buttons and sliders, drawn while it runs
`CellEditor`        an editor of a cell: change it by hand, count its costs, train it
`show`              one architecture, or a supernet's weights, as a picture (`nasviz.views.stage.cell`)
`show_graph`        a graph that is no member of a space, such as a module that people designed
`stage_of`          a finished or recorded run, for playback
`alphas`            architecture weights, edge by edge, in time
`SideBySide`        two searches in lock-step under one player
`Mixture`           one edge of a supernet with sliders for α; each move shows the validation loss
`Surface`, `Plane`  the loss around architecture weights; paths of descents on a function of two numbers
`policy`, `unroll`  a controller's probabilities as they sharpen; one architecture, token by token
`Space`             a space at a glance: choices, size, random members; `compare` two of them, walk by `mutations`
`Network`           a whole network: parameters and multiply-adds of its blocks, down to one operation
`Zoo`               the famous architectures: accuracy against cost
`Compound`          EfficientNet's scaling, its coefficients as sliders
`Correlation`       an estimator's ranking against the truth, live
`CostQuality`       every estimator: how well it ranks against what it costs
`Proxies`           a cheaper training, its reductions as sliders, tried on a sample
`Landscape`         a table of results: histogram, costs, neighbours, the effect of operations
`Collapse`          DARTS-like searches that degenerate: skips, losses, sharpness, time; `Tryout` has sliders
`Elastic`           sub-networks of an elastic supernet, set by hand: their place in it, and their inherited accuracy
`Pull`              a small elastic network that one pulls at with the mouse: what the child costs and inherits
`WithinBudget`      what children inherit against what they reach alone, over all costs and at about the same cost
`Shrinking`         the training of such a supernet: accuracies of sub-networks, stage by stage
`surrogate`         the predictions of a Bayesian search for its candidates, those it chose, and their results
`population`        the members of a population by age, the family of the best, and the mutation of each step
`neighborhood`      local search on the graph of one-edit neighbours
`Findings`          findings and the truths that judge them: each cell opens its figure, interval and source
`TransformerStack`  a transformer's half-blocks, whose variants one clicks: what the network costs and loses
`harms_map`         the library of a transformer: what each variant of each half-block loses alone
`frontier`          ways to shrink a network: accuracy against cost, with intervals
`Bill`, `Headlines` costs of searches, your own among them, the assumptions as sliders (`nasviz.analysis.cost`)
`Pareto`            two objectives: the Pareto front, live (`nasviz.objectives`)
`MaddsAndTime`      multiply-adds against measured milliseconds: which operations move a network off the line
`Latency`, `Devices` a network's milliseconds by operation; the winner on each device (`nasviz.hardware`)
`race`              strategies with many seeds: regret with bands, a slider through time (`nasviz.races.race`)
`progress`, `band_of` every evaluation and the best so far, beside random search: a chart to explore
`Stage`             the widget that draws them (`nasviz.views.stage.widget`); `replay.to_html` writes it as a page
=================== ==================================================================================================
"""

# These imports are not lazy, unlike those of the packages that compute: every user of views needs the widgets, and a
# function with the name of its file (alphas, progress) must be bound after the import of that file.
from .._old_names import renamed
from .charts.bill import Bill, Headlines
from .charts.collapse import Collapse, Tryout
from .charts.correlation import Correlation
from .charts.cost_quality import CostQuality
from .charts.devices import Devices
from .charts.elastic import Elastic
from .charts.findings import Findings
from .charts.frontier import frontier
from .charts.harms_map import harms_map
from .charts.landscape import Landscape
from .charts.latency import Latency
from .charts.madds_and_time import MaddsAndTime
from .charts.network import Network
from .charts.pareto import Pareto
from .charts.proxies import Proxies
from .charts.pull import Pull
from .charts.race import race
from .charts.scaling import Compound
from .charts.shrinking import Shrinking
from .charts.surface import Plane, Surface
from .charts.surrogate import surrogate
from .charts.transformer_stack import TransformerStack
from .charts.within_budget import WithinBudget
from .charts.zoo import Zoo
from .stage import Stage, cell, replay
from .stage.alphas import alphas
from .stage.cell import show, show_graph
from .stage.editor import CellEditor
from .stage.from_search import stage_of
from .stage.mixture import Mixture
from .stage.neighborhood import neighborhood
from .stage.player import Player
from .stage.policy import policy, unroll
from .stage.population import population
from .stage.progress import band_of, progress
from .stage.side_by_side import SideBySide
from .stage.space import Space, compare, mutations

__getattr__ = renamed(__name__)  # old names

__all__ = [
    "Bill",
    "CellEditor",
    "Collapse",
    "Compound",
    "Correlation",
    "CostQuality",
    "MaddsAndTime",
    "Devices",
    "Elastic",
    "Findings",
    "Headlines",
    "Landscape",
    "Latency",
    "Mixture",
    "Network",
    "Pareto",
    "Plane",
    "Player",
    "Proxies",
    "Pull",
    "Shrinking",
    "SideBySide",
    "Space",
    "Stage",
    "TransformerStack",
    "Tryout",
    "Surface",
    "WithinBudget",
    "Zoo",
    "alphas",
    "band_of",
    "cell",
    "compare",
    "frontier",
    "harms_map",
    "mutations",
    "neighborhood",
    "policy",
    "population",
    "progress",
    "race",
    "replay",
    "show",
    "show_graph",
    "stage_of",
    "surrogate",
    "unroll",
]
