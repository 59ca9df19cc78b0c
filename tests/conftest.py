"""Settings for every test: how hard hypothesis looks.

``CI=1`` makes the examples the same in every run; a developer gets new ones each time.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

settings.register_profile(
    "local",
    deadline=None,  # a busy machine is not a bug
    max_examples=100,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("ci", settings.get_profile("local"), derandomize=True, database=None)
settings.register_profile(
    "mutate",  # tests/mutate.py: a finding is enough, nobody reads the example
    settings.get_profile("ci"),
    max_examples=60,
    phases=[Phase.explicit, Phase.generate],
)
settings.load_profile("ci" if os.environ.get("CI") else "local")
