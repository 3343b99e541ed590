from utils.slots import travel
from utils.slots.vocabulary import Vocabulary

import pytest

QUERIES = travel.generate(24, "tests", travel.grammar("en")["cities"]["train"])


@pytest.fixture(scope="session")
def queries():
    return QUERIES


@pytest.fixture(scope="session", params=[False, True], ids=["words", "letters"])
def vocabulary(request):
    return Vocabulary.of(QUERIES, letters=request.param)
