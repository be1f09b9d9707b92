"""Looker queries: what they return, how they are run, and how a long result is read in pages.

``definitions`` checks what the settings ask for, ``resolve`` asks the instance what it will return,
``columns`` types the values, ``execute`` runs a query, ``keyset_paging`` reads a result to its end,
and ``activities`` is the table of Looker's own usage data. Knows nothing of Singer.
"""
