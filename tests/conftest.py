"""What holds for every test: the backend is chosen as a person's command would choose it."""

from hypothesis import settings

from composable.core.backend import choose_backend

choose_backend()
settings.register_profile("shared-machine", deadline=None)  # other work may slow a single example down
settings.load_profile("shared-machine")
