"""A command is found in the module that the table names, which alone is imported for it."""

import pytest
from typer.main import get_group

from cli import main

HELP = "Residency-strict retail analytics: the world on one machine, and a client for it."


def test_the_help_lists_the_table_s_commands_and_no_others() -> None:
    group = get_group(main.app())
    wanted = [command for commands in main.MODULES.values() for command in commands]
    assert sorted(group.commands) == sorted(wanted)
    assert group.help == HELP


@pytest.mark.parametrize("commands", main.MODULES.values())
def test_the_module_of_a_command_offers_what_the_table_says(commands: tuple[str, ...]) -> None:
    for command in commands:
        assert set(get_group(main.app(command)).commands) == set(commands)
