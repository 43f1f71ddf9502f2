"""The engine on simulated seasons, where true demand is known. See docs/forecast/season.md."""
