"""What a worker tells its clients of itself: how fast it is, and where the others are."""

from __future__ import annotations

from itertools import count

import pytest
from toy_source import TOY, ToySource, open_toy

from pairstream.errors import RenderError
from pairstream.messages import FIRST_HELD_OUT, Open, Opened, Want
from synth_server.capacity import TIMED, measure
from synth_server.dispatcher import Dispatcher, OpenJob, RenderJob
from synth_server.ledger import LATELY, Ledger
from synth_server.limits import Limits
from synth_server.metrics import WorkerMetrics
from synth_server.scheduler import Scheduler
from synth_server.sources import Sources
from synth_server.window import Window

SOURCE = ToySource(TOY)


class Worker:
    """The decisions of a worker whose renderer is a toy."""

    def __init__(self) -> None:
        self.dispatcher = Dispatcher(Window(1 << 20), Scheduler(128), Ledger(), WorkerMetrics())

    def open(self) -> Opened:
        self.dispatcher.handle(b"client", Open(spec=TOY.as_dict(), experiment="test"))
        job = self.dispatcher.next_job()
        assert isinstance(job, OpenJob)
        ((_, answer),) = self.dispatcher.opened(job, Opened(digest=TOY.digest, layout=SOURCE.layout, fingerprint="toy"))
        assert isinstance(answer, Opened)
        return answer

    def serve(self, *indices: int) -> None:
        self.dispatcher.handle(b"client", Want(digest=TOY.digest, indices=indices, experiment="test"))
        while isinstance(job := self.dispatcher.next_job(), RenderJob):
            self.dispatcher.rendered(job, SOURCE.render(job.key[1]))


def test_a_worker_says_how_fast_it_is_the_same_to_everyone():
    worker = Worker()
    worker.dispatcher.capacity = 1_500
    assert [worker.open().capacity for _ in range(2)] == [1_500, 1_500]


def test_the_capacity_is_measured_on_the_best_of_a_few_blocks():
    ticks = iter([0.0, 1.0, 2.0, 2.5, 3.0, 4.0])
    assert measure(Sources(open_toy, Limits()), lambda: next(ticks)) == 2 * TIMED.block_pairs
    assert measure(Sources(open_toy, Limits()), count(0, 1_000).__next__) == 1


def test_a_worker_that_cannot_render_has_no_capacity():
    with pytest.raises(RenderError):
        measure(Sources(lambda spec: ToySource(spec, broken=frozenset([0])), Limits()))


def test_the_head_is_the_highest_index_served_lately_and_no_held_out_one():
    ledger = Ledger()
    assert ledger.head(TOY.digest) is None
    for index in (3, 9, 4, FIRST_HELD_OUT, FIRST_HELD_OUT + 5):
        ledger.served(["test"], TOY.digest, index)
    assert ledger.head(TOY.digest) == 9
    assert ledger.head("ab" * 32) is None
    for _ in range(LATELY):
        ledger.served(["another"], TOY.digest, 5)
    assert ledger.head(TOY.digest) == 5


def test_who_opens_a_stream_learns_its_head():
    worker = Worker()
    assert worker.open().head is None
    worker.serve(7)
    assert worker.open().head == 7
