"""The two retailers that the first start makes, so that there is something to look at."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Retailer:
    name: str
    display_name: str
    home_region: str
    jurisdiction: str

    @property
    def planner(self) -> str:
        """The e-mail address of its planner."""
        return f"planner@{self.name}.example"


RETAILERS = (
    Retailer("atelier-nord", "Atelier Nord", "eu-central-1", "EU"),
    Retailer("harbor-and-pine", "Harbor & Pine", "us-east-1", "US"),
)
