"""What one sees of a search. Nothing here is needed to search: views read steps, and import no strategy.

=================== ==================================================================================================
`Player`            a search with its buttons and sliders, drawn while it runs
`CellEditor`        a cell to change by hand, to count and to train
`show`              one architecture, or a supernet's weights, as a picture (`nasviz.views.cell`)
`show_graph`        a graph that is no member of a space, such as a module that people designed
`stage_of`          a finished or recorded run, to play back
`alphas`            architecture weights, edge by edge, in time
`SideBySide`        two searches in lock-step under one player
`Mixture`           one edge of a supernet relaxed by hand: sliders are α, the validation loss answers
`Surface`, `Plane`  the loss around architecture weights; paths of descents on a function of two numbers
`policy`, `unroll`  a controller's probabilities as they sharpen; one architecture, token by token
`Space`             a space at a glance: choices, size, random members; `compare` two of them, walk by `mutations`
`Network`           a whole network: parameters and multiply-adds of its blocks, down to one operation
`Zoo`               the famous architectures: accuracy against cost
`Compound`          EfficientNet's scaling, its coefficients as sliders
`Correlation`       an estimator's ranking against the truth, live
`CostQuality`       every estimator: how well it ranks against what it costs
`Proxies`           a cheaper training, its reductions as sliders, tried on a sample
`Landscape`         a table as a place: histogram, costs, neighbours, what operations do
`Collapse`          DARTS-like searches as they turn degenerate: skips, losses, sharpness, when; `Tryout` has sliders
`Elastic`           children of an elastic supernet by hand: what each is of it, and what it inherits
`Shrinking`         the training of such a supernet: children's accuracies, stage by stage
`surrogate`         what a Bayesian search believes of its candidates, what it took, and what came out
`population`        who lives, by age, the family of the best, and the mutation of each step in the cell
`neighborhood`      local search walking on the graph of one-edit neighbours
`Bill`, `Headlines` what searches cost, one's own among them, the assumptions as sliders (`nasviz.cost`)
`Pareto`            two objectives: the front of what nothing beats in both, live (`nasviz.objectives`)
`Counted`           multiply-adds against measured milliseconds: which operations put a network off the line
`Latency`, `Devices` a network's milliseconds by operation; who wins on which device (`nasviz.hardware`)
`race`              strategies with many seeds: regret with bands, a slider through time (`nasviz.race`)
`progress`, `band_of` every evaluation and the best so far, beside random search: a chart to explore
`Stage`             what draws them all (`nasviz.views.stage`); `replay.to_html` writes it as a page
=================== ==================================================================================================
"""

# Not lazy, other than the packages that compute: who draws needs the widgets anyway, and a function that has the name
# of its file (alphas, progress) must be bound after the file is imported, once and for all.
from . import cell, replay
from .alphas import alphas
from .bill import Bill, Headlines
from .cell import show, show_graph
from .collapse import Collapse, Tryout
from .correlation import Correlation
from .cost_quality import CostQuality
from .counted import Counted
from .devices import Devices
from .editor import CellEditor
from .elastic import Elastic
from .landscape import Landscape
from .latency import Latency
from .mixture import Mixture
from .neighborhood import neighborhood
from .network import Network
from .pareto import Pareto
from .player import Player
from .policy import policy, unroll
from .population import population
from .progress import band_of, progress
from .proxies import Proxies
from .race import race
from .rows import stage_of
from .scaling import Compound
from .shrinking import Shrinking
from .side import SideBySide
from .space import Space, compare, mutations
from .stage import Stage
from .surface import Plane, Surface
from .surrogate import surrogate
from .zoo import Zoo

__all__ = [
    "Bill",
    "CellEditor",
    "Collapse",
    "Compound",
    "Correlation",
    "CostQuality",
    "Counted",
    "Devices",
    "Elastic",
    "Headlines",
    "Landscape",
    "Latency",
    "Mixture",
    "Network",
    "Pareto",
    "Plane",
    "Player",
    "Proxies",
    "Shrinking",
    "SideBySide",
    "Space",
    "Stage",
    "Tryout",
    "Surface",
    "Zoo",
    "alphas",
    "band_of",
    "cell",
    "compare",
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
