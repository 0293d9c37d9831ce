"""Analysis of the results of searches: statistics, fronts, diagnosis of DARTS, cost of a search."""
