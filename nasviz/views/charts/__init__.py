"""Charts to explore: figures of plotly, filled first and then live."""
