"""What a worker answers, whatever its clients do, in whatever order: judged by its messages and its jobs alone."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from toy_source import TOY, ToySource

from pairstream.block import PairBlock
from pairstream.errors import PairstreamError, RefusedError, RenderError, WorkerUnavailableError
from pairstream.messages import Busy, Bye, Failed, Message, Open, Opened, Refused, Want
from synth_server.dispatcher import Dispatcher, OpenJob, Outbox, RenderJob
from synth_server.ledger import Ledger
from synth_server.limits import Limits
from synth_server.metrics import WorkerMetrics
from synth_server.pace import Pace
from synth_server.quota import Bounds
from synth_server.scheduler import Scheduler
from synth_server.window import Window

SPECS = [replace(TOY, seed=seed) for seed in range(3)]
SOURCES = {spec.digest: ToySource(spec) for spec in SPECS}
BLOCK = SOURCES[TOY.digest].render(0).nbytes


def a_dispatcher(bounds: Bounds | None = None, limits: Limits | None = None, pace: Pace | None = None) -> Dispatcher:
    scheduler = Scheduler(bounds=bounds)
    return Dispatcher(Window(4 * BLOCK), scheduler, Ledger(), WorkerMetrics(), limits=limits, pace=pace)


def opening(number: int = 0) -> Open:
    return Open(spec=SPECS[number].as_dict(), experiment="e")


def wanting(*indices: int, number: int = 0, experiment: str = "e") -> Want:
    return Want(digest=SPECS[number].digest, indices=indices, experiment=experiment)


def work(dispatcher: Dispatcher) -> Outbox:
    """Do one job, as a worker does."""
    job = dispatcher.next_job()
    if isinstance(job, OpenJob):
        source = SOURCES[job.spec.digest]
        return dispatcher.opened(
            job, Opened(digest=job.spec.digest, layout=source.layout, fingerprint=source.fingerprint)
        )
    return dispatcher.rendered(job, SOURCES[job.key[0]].render(job.key[1])) if job else []


def sample(dispatcher: Dispatcher, name: str) -> float:
    """A gauge or counter without labels, as Prometheus would read it."""
    (family,) = getattr(dispatcher._metrics, name).collect()
    return float(family.samples[0].value)


def test_one_message_says_all_that_is_dropped_why_and_when_to_come_back():
    pace = Pace()
    pace.note(0.5)
    dispatcher = a_dispatcher(Bounds(client_blocks=3), pace=pace)
    dispatcher.handle(b"1", opening())
    work(dispatcher)
    ((_, busy),) = dispatcher.handle(b"1", wanting(*range(10)))
    assert isinstance(busy, Busy)
    assert busy.indices == tuple(range(3, 10))
    assert busy.retry_seconds == 1.5
    assert "the most that one client may" in busy.reason
    assert dispatcher._metrics.sheds.labels("client_blocks")._value.get() == 7
    assert sample(dispatcher, "queue") == 3
    assert sample(dispatcher, "waiting") == 3 * BLOCK


def test_one_who_may_not_come_in_is_told_to_come_back_and_has_a_place_once_another_leaves():
    dispatcher = a_dispatcher(limits=Limits(clients=1))
    dispatcher.handle(b"1", opening())
    work(dispatcher)
    dispatcher.handle(b"1", wanting(0))
    ((_, busy),) = dispatcher.handle(b"2", opening())
    assert isinstance(busy, Busy)
    assert "1 clients wait for blocks here" in busy.reason
    dispatcher.handle(b"1", Bye(reason="done"))
    dispatcher.handle(b"2", opening())
    assert [(client, type(message)) for client, message in work(dispatcher)] == [(b"2", Opened)]


def test_clients_that_vanish_without_a_word_do_not_keep_others_out():
    dispatcher = a_dispatcher(limits=Limits(clients=5, streams=2))
    for number in range(100):
        dispatcher.handle(b"%d" % number, opening(number % 3))
        assert [type(message) for _, message in work(dispatcher)] == [Opened]
        assert dispatcher.clients <= 5
        assert sample(dispatcher, "streams") <= 2
    ((_, block),) = [*dispatcher.handle(b"0", wanting(7)), *work(dispatcher)]  # it had only been silent
    assert isinstance(block, PairBlock)


def test_a_stream_too_many_is_put_off_while_the_others_are_waited_for():
    dispatcher = a_dispatcher(limits=Limits(streams=2))
    for number in (0, 1):
        client = b"%d" % number
        dispatcher.handle(client, opening(number))
        work(dispatcher)
        dispatcher.handle(client, wanting(0, number=number))
    ((_, busy),) = dispatcher.handle(b"3", opening(2))
    assert isinstance(busy, Busy)
    assert "2 streams are in use" in busy.reason
    work(dispatcher)  # the block that 0 waits for, who gives way now
    dispatcher.handle(b"3", opening(2))
    assert [type(message) for _, message in work(dispatcher)] == [Opened]
    assert sample(dispatcher, "streams") == 2


def test_neither_is_opened_nor_rendered_what_nobody_waits_for_any_more():
    dispatcher = a_dispatcher()
    dispatcher.handle(b"1", opening())
    dispatcher.forget(b"1")
    assert dispatcher.next_job() is None
    dispatcher.handle(b"1", opening())
    work(dispatcher)
    dispatcher.handle(b"1", wanting(1, 2, 3))
    dispatcher.forget(b"1")
    assert dispatcher.next_job() is None
    assert sample(dispatcher, "clients") == sample(dispatcher, "queue") == sample(dispatcher, "streams") == 0


def test_asking_again_to_open_a_stream_that_is_being_opened_is_answered_once():
    dispatcher = a_dispatcher()
    for _ in range(50):
        dispatcher.handle(b"1", opening())
    assert len(work(dispatcher)) == 1


def test_a_relay_whose_workers_do_not_answer_is_busy_and_not_broken():
    dispatcher = a_dispatcher()
    dispatcher.handle(b"1", opening())
    job = dispatcher.next_job()
    assert isinstance(job, OpenJob)
    gone = WorkerUnavailableError("no worker is there")
    ((_, answer),) = dispatcher.opened(job, gone)
    assert isinstance(answer, Busy)
    dispatcher.handle(b"1", opening())
    work(dispatcher)
    dispatcher.handle(b"1", wanting(4))
    render = dispatcher.next_job()
    assert isinstance(render, RenderJob)
    ((_, answer),) = dispatcher.rendered(render, gone)
    assert isinstance(answer, Busy)
    assert (answer.indices, answer.reason) == ((4,), "no worker is there")


def test_what_is_shared_is_counted():
    dispatcher = a_dispatcher()
    for client in (b"1", b"2", b"3"):
        dispatcher.handle(client, opening())
    work(dispatcher)
    for client in (b"1", b"2"):
        dispatcher.handle(client, wanting(0))
    assert len(work(dispatcher)) == 2
    assert len(dispatcher.handle(b"3", wanting(0))) == 1
    assert sample(dispatcher, "blocks_rendered") == 1
    assert sample(dispatcher, "blocks_served") == 3
    assert sample(dispatcher, "blocks_shared") == 2


class AnyOrder(RuleBasedStateMachine):
    """Clients that come, ask, leave and vanish, while blocks are rendered or fail."""

    CLIENTS = (b"a1", b"a2", b"b1", b"b2", b"c1")
    BOUNDS = Bounds(client_blocks=4, client_bytes=3 * BLOCK + BLOCK // 2, blocks=9, bytes=8 * BLOCK)
    LIMITS = Limits(clients=4, streams=2)

    @initialize()
    def begin(self):
        self.dispatcher = a_dispatcher(self.BOUNDS, self.LIMITS)
        self.owed: set[tuple[bytes, tuple[str, int]]] = set()
        self.opens_owed: set[tuple[bytes, str]] = set()
        self.making: list[OpenJob | RenderJob] = []

    def read(self, outbox: Outbox) -> None:
        """What leaves the worker; nothing may leave it that is not owed, and each only once."""
        for client, message in outbox:
            for name in self.answered(message):
                if isinstance(name, str):
                    self.opens_owed.remove((client, name))
                else:
                    self.owed.remove((client, name))

    def answered(self, message: Message) -> list[str | tuple[str, int]]:
        if isinstance(message, Busy):
            assert message.reason
            assert 0.1 <= message.retry_seconds <= 30
            return [(message.digest, index) for index in message.indices] or [message.digest]
        if isinstance(message, Opened | Refused):
            return [message.digest]
        assert isinstance(message, PairBlock | Failed)
        return [(message.digest, message.index)]

    @rule(client=st.sampled_from(CLIENTS), number=st.integers(0, 2))
    def open(self, client: bytes, number: int):
        self.opens_owed.add((client, SPECS[number].digest))
        self.read(self.dispatcher.handle(client, opening(number)))

    @rule(
        client=st.sampled_from(CLIENTS),
        number=st.integers(0, 2),
        indices=st.lists(st.integers(0, 8), min_size=1, max_size=9, unique=True),
    )
    def want(self, client: bytes, number: int, indices: list[int]):
        self.owed |= {(client, (SPECS[number].digest, index)) for index in indices}
        asked = wanting(*indices, number=number, experiment=chr(client[0]))
        self.read(self.dispatcher.handle(client, asked))

    @rule(client=st.sampled_from(CLIENTS), politely=st.booleans())
    def leave(self, client: bytes, politely: bool):
        if politely:
            assert not self.dispatcher.handle(client, Bye(reason="done"))
        else:
            self.dispatcher.forget(client)
        self.owed = {ask for ask in self.owed if ask[0] != client}
        self.opens_owed = {ask for ask in self.opens_owed if ask[0] != client}

    @precondition(lambda self: len(self.making) < 2)
    @rule()
    def begin_a_job(self):
        job = self.dispatcher.next_job()
        if isinstance(job, OpenJob):
            assert any(digest == job.spec.digest for _, digest in self.opens_owed)
        elif job is not None:
            assert job not in self.making
            assert any(key == job.key for _, key in self.owed), "nobody waits for it"
            assert self.dispatcher._window.get(job.key) is None, "it is there already"
        else:
            assert {key for _, key in self.owed} <= {job.key for job in self.making if isinstance(job, RenderJob)}
            return
        self.making.append(job)

    @precondition(lambda self: self.making)
    @rule(trouble=st.sampled_from([None, None, None, RenderError("broken"), WorkerUnavailableError("away")]))
    def end_a_job(self, trouble: PairstreamError | None):
        job = self.making.pop(0)
        if isinstance(job, RenderJob):
            self.read(self.dispatcher.rendered(job, trouble or SOURCES[job.key[0]].render(job.key[1])))
            assert not any(key == job.key for _, key in self.owed)
        else:
            if isinstance(trouble, RenderError):
                trouble = RefusedError("too large")
            source, digest = SOURCES[job.spec.digest], job.spec.digest
            answer = Opened(digest=digest, layout=source.layout, fingerprint="toy")
            self.read(self.dispatcher.opened(job, trouble or answer))

    @invariant()
    def nothing_grows_beyond_its_bound(self):
        dispatcher = self.dispatcher
        assert len(self.owed) <= self.BOUNDS.blocks
        assert sample(dispatcher, "waiting") <= self.BOUNDS.bytes
        for client in self.CLIENTS:
            assert sum(owner == client for owner, _ in self.owed) <= self.BOUNDS.client_blocks
        assert sample(dispatcher, "queue") == len({key for _, key in self.owed})
        assert dispatcher.clients <= self.LIMITS.clients
        assert sample(dispatcher, "streams") <= self.LIMITS.streams
        assert dispatcher._window.bytes <= dispatcher._window.limit_bytes

    def teardown(self):
        """Whoever stayed has every answer in the end."""
        while self.making:
            self.end_a_job(None)
        for _ in range(len(self.owed) + len(self.opens_owed)):
            self.read(work(self.dispatcher))
        assert not self.owed
        assert not self.opens_owed


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
