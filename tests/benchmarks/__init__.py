"""How fast the store is, next to hand-written SQL and to other data layers.

    make bench         a table, in about twelve minutes
    make bench-full    the sizes of a large library; an hour or two

`python -m tests.benchmarks --help` says what else can be asked for.
"""
