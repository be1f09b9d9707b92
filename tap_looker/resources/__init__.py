"""The REST resources of Looker API 4.0 and how they are read.

``rest_streams`` lists them, a row each: start there. ``resource`` defines what a row is, ``kinds``
and ``flat`` how each kind is read, ``composite`` and ``derived`` the few with functions of their
own, ``extraction`` what a run reads and who shares it, ``fields`` which fields are asked for. Knows
nothing of Singer.
"""
