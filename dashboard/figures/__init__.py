"""Charts that stand still: results in, plotly figures out. No file, clock, session or random state is touched."""
