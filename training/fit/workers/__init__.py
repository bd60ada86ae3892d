"""Trees grown by several workers, each with its part of the rows: processes here or anywhere.

Whoever trains is the coordinator. It waits until enough workers have come (`meeting`), tells each
which rows are its own (`growth_task`), and says after every tree how well the rows held back are
ranked (`growers`). A worker (`worker`) reads its rows, puts them into bins that all share, and lets
LightGBM grow trees with the others. How workers are started is nobody else's matter: as processes
of this machine, by hand on others, or as tasks of Spark (`started`).
"""
