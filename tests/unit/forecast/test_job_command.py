from uuid import UUID

import pytest

from services.forecast.job import parsed
from services.forecast.stores.shards import Part

TENANT, JOB = UUID(int=1), UUID(int=2)
WORDS = ["--tenant", str(TENANT), "--job", str(JOB)]


def test_a_shard_is_named_by_its_place_among_all() -> None:
    found = parsed([*WORDS, "--shard", "2/5"], {})
    assert (found.tenant_id, found.job_id, found.part) == (TENANT, JOB, Part(2, 5))


def test_an_array_job_names_it_by_variables() -> None:
    batch = {"AWS_BATCH_JOB_ARRAY_INDEX": "3", "AWS_BATCH_JOB_ARRAY_SIZE": "10"}
    assert parsed(WORDS, batch).part == Part(3, 10)
    assert parsed([*WORDS, "--shard", "0/2"], batch).part == Part(0, 2)


def test_without_a_place_all_shards_are_meant() -> None:
    assert parsed(WORDS, {}).part == Part(0, 1)


@pytest.mark.parametrize("shard", ["5/5", "-1/2", "1", "a/b", "", "1/2/3"])
def test_a_place_that_is_none_ends_the_process(
    shard: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parsed([*WORDS, f"--shard={shard}"], {})
    assert "must be i/n with 0 <= i < n" in capsys.readouterr().err
