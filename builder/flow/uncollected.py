"""Imported first by the fork server of `trb build`: nothing that it imports is garbage, so none is looked for.

Collections among the millions of objects of torch are a fifth of the time that its import takes.
"""

import gc

gc.disable()
