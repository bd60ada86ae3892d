"""Trees grown by several workers, each with a part of the rows, on one or more machines.

The training process is the coordinator. It waits until enough workers have connected
(`rendezvous`), sends each its rows (`growth_task`), and after every tree computes the ranking of
held-back rows (`worker_group`). A worker (`worker`) reads its rows, puts them into common bins, and
grows trees with the others through LightGBM's network. Workers are started as local processes, by
hand on other machines, or as Spark tasks (`launchers`).
"""
