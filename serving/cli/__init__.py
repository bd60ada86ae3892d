"""The command line `tidegate`: the outermost layer, which may import every package.

There is one file per group of commands; `main` registers them. A command imports what it needs when
it runs, so that `tidegate --help` is fast and a scoring process never loads MLflow.
"""
