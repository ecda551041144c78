"""A trainer's process as the engine holds it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from lib.engine.trainer_process import TrainerProcess


def test_looking_often_whether_it_has_ended_leaves_nothing_behind(tmp_path: Path) -> None:
    async def look() -> None:
        trainer = await TrainerProcess.start([sys.executable, "-c", "import time; time.sleep(60)"], tmp_path)
        assert not await trainer.ended(0.001)
        tasks = len(asyncio.all_tasks())
        for _ in range(20):
            assert not await trainer.ended(0.001)
        assert len(asyncio.all_tasks()) == tasks
        await trainer.stop()
        assert await trainer.ended(0)
        assert trainer.how_it_ended() == "The trainer ended with status -15: it printed nothing"

    asyncio.run(look())
