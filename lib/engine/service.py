"""The parts of a running engine, put together once and handed to the routes. Knows no route and no socket."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request

from lib.engine.answering import Answering
from lib.engine.bases import Bases
from lib.engine.conclusion import Conclusion
from lib.engine.file_shelf import FileShelf
from lib.engine.home import Home
from lib.engine.hub import Hub
from lib.engine.job_book import JobBook
from lib.engine.journal import Journal
from lib.engine.model_book import ModelBook
from lib.engine.response_shelf import ResponseShelf
from lib.engine.settings import Settings
from lib.engine.store import Store
from lib.engine.supervisor import Supervisor
from lib.engine.training_files import Examine
from lib.engine.upload_parts import UploadShelf


@dataclass(frozen=True, slots=True)
class Service:
    """What a route may use. `clock` gives seconds since 1970."""

    home: Home
    store: Store
    files: FileShelf
    uploads: UploadShelf
    responses: ResponseShelf
    jobs: JobBook
    models: ModelBook
    bases: Bases
    hub: Hub
    supervisor: Supervisor
    answering: Answering
    clock: Callable[[], float]

    @classmethod
    def open(cls, settings: Settings, clock: Callable[[], float], examine: Examine) -> Service:
        """Open the engine's folder. Raises EngineError when it cannot be used or another engine uses it."""
        home = Home(settings.home)
        store = Store(home.database)
        files = FileShelf(store, home.files, clock)
        uploads = UploadShelf(store, files, home.uploads, clock)
        jobs = JobBook(store, clock)
        models = ModelBook(store, home, settings.bases, clock)
        hub = Hub(models.added, settings.downloader, clock)
        supervisor = Supervisor(
            home,
            jobs,
            models,
            Journal(store, jobs),
            Conclusion(home, jobs, models, files),
            trainer=settings.trainer,
            examine=examine,
        )
        answering = Answering(settings.answerer, home.folder / "answer.log")
        responses = ResponseShelf(store, clock)
        return cls(
            home, store, files, uploads, responses, jobs, models, models.added, hub, supervisor, answering, clock
        )

    async def start(self) -> None:
        """Take up what an earlier engine left."""
        self.files.sweep()
        self.uploads.sweep()
        self.hub.start()
        await self.supervisor.start()

    async def stop(self) -> None:
        """End the children, then let go of the folder."""
        await self.supervisor.stop()
        await self.answering.stop()
        await self.hub.stop()
        self.store.close()
        self.home.release()


def service_of(request: Request) -> Service:
    """The service behind a request."""
    service: Service = request.app.state.service
    return service
