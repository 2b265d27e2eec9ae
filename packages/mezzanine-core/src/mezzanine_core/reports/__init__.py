"""Reports: one run, several side by side, or an index, each one HTML file that loads nothing.

Recipes know nothing of HTML: a report is made of ``results.json``, of the pictures among the
artifacts, and of what the recipe says in ``Results.presentation``.
"""
