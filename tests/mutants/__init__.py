"""Mutation testing: small damages to code that people's rights hang on, which tests must notice.

`make mutants` runs every target of `targets.toml`; `tests/mutants.md` says why a mutant may live.
Cosmic Ray makes them, since it rewrites the file: features are decorated functions whose windows
are default arguments, which a tool that swaps functions at run time (mutmut) cannot reach.
"""
