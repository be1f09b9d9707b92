"""One page about a Looker instance: what is used, who sees what, what is slow and what fails.

The numbers are those of the dbt package in ``transform/``, run over what the tap has read. The tap
does not need this package, which asks for libraries of its own: the extra ``report``.
"""
