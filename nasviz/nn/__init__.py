"""Networks: operations, cells, counting. Everything in here imports torch, and nothing outside does at import."""
