"""What holds for every test: the backend is chosen as a user's command would choose it."""

import os
import tempfile

from hypothesis import settings

from composable.core.backend import choose_backend

# Compiled programs are kept for this run of the tests alone; the user's cache is left as it is.
CACHE = tempfile.TemporaryDirectory(prefix="composable-tests-")
os.environ["XDG_CACHE_HOME"] = CACHE.name
choose_backend()
settings.register_profile("shared-machine", deadline=None)  # other work may slow a single example down
settings.load_profile("shared-machine")
