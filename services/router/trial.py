"""What would follow from a policy, before anybody writes it down. Pure."""

import dataclasses

from google.protobuf import json_format

from services.router import check
from services.router.policy import Policy
from services.router.translate import Facts, translate


def problems(facts: Facts, policy: Policy) -> tuple[str, ...]:
    """Says why the snapshots of ``facts`` under ``policy`` would be refused, if they would.

    Args:
        facts: of a router, which stands for all of its jurisdiction.
        policy: of that jurisdiction, in place of what holds.
    """
    policies = {**facts.policies, facts.jurisdiction.name: policy}
    tried = dataclasses.replace(facts, policies=policies)
    try:
        return check.prove(tried, translate(tried)).problems
    except (json_format.ParseError, ValueError) as error:
        return (str(error),)
