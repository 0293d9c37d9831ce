"""Charts to explore: figures of plotly that are filled at first and then updated live."""
