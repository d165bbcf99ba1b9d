"""The rules of Dagger's engine, and whether an engine keeps them."""

import pytest

# So that a rule that does not hold shows what was seen.
pytest.register_assert_rewrite("tests.conformance.rules")
