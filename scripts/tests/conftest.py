"""What several tests need of pytest itself."""

from __future__ import annotations

import os

import pytest

# What whoever runs these tests may have set for them, and hark would take for itself.
FOR_HARK = (
    "TEST_TOTAL_SHARDS",
    "TEST_SHARD_INDEX",
    "TEST_SHARD_STATUS_FILE",
    "GTEST_TOTAL_SHARDS",
    "GTEST_SHARD_INDEX",
    "JOB_COMPLETIONS",
    "JOB_COMPLETION_INDEX",
    "SLURM_ARRAY_TASK_COUNT",
    "SLURM_ARRAY_TASK_ID",
    "SLURM_ARRAY_TASK_MIN",
    "SLURM_ARRAY_TASK_STEP",
    "CI_NODE_TOTAL",
    "CI_NODE_INDEX",
    "TESTBRIDGE_TEST_ONLY",
    "XML_OUTPUT_FILE",
)


def pytest_configure() -> None:
    for name in FOR_HARK:
        os.environ.pop(name, None)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="write the golden files instead of comparing"
    )


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update-golden"))
