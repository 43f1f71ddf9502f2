"""What an edge tells a tenant whose data may not come here: where to go instead.

The payload is not read. The words are those of the services' own last lock.
"""

from typing import Any

from services.chassis.residency import wrong_region
from services.router.translate import jwt, replies
from services.router.translate.facts import Facts


def route(facts: Facts, home: str) -> dict[str, Any]:
    """The answer to every call of a tenant at home in ``home``."""
    name = facts.topology.jurisdiction_of(home).name
    error = wrong_region(facts.topology, name, home)
    claims = [jwt.claim(name, "jurisdiction", name), jwt.claim(name, "home_region", home)]
    return {
        "name": f"redirect/{home}",
        "match": {"prefix": "/", "dynamic_metadata": claims},
        "direct_response": {"status": 200},
        "response_headers_to_add": replies.headers(error),
    }
