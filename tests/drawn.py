"""How many examples hypothesis draws."""

from hypothesis import settings

# The same examples each time, so that no run passes or fails by luck. `make check` draws a fifth of them.
settings.register_profile("whole", deadline=None, derandomize=True, max_examples=100)
settings.register_profile("check", settings.get_profile("whole"), max_examples=20)
settings.load_profile("whole")


def examples(number):
    """For a test that needs more or fewer than the profile says: so many in a whole run."""
    return settings(max_examples=number * settings.default.max_examples // 100)
