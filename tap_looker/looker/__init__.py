"""The Looker API over HTTP. Knows nothing of Singer, of streams or of the command line.

``client`` sends requests and follows ``auth``, ``retry`` and ``offset_paging``; ``response`` reads
bodies and says what errors mean; ``json_stream`` decodes long lists as they arrive; ``threads``
overlaps work and keeps it in order.
"""
