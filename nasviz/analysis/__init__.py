"""What one computes from what searches tell: statistics, fronts, diagnosis of DARTS, what a search costs."""
