"""Charts as SVG that needs no script: marks in a stretched plot, words beside it."""
