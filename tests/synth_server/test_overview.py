"""What operators see of several workers: sums, cursors, lags and rates, from what the workers say."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from pairstream.v1 import worker_pb2
from synth_server.overview import followings, overview
from synth_server.survey import Report, Silence

DIGEST = "ab" * 32


def report(address: str, uptime: float, rendered: int, served: dict[str, tuple[int, int]], head: int = 40) -> Report:
    total = sum(count for count, _ in served.values())
    return Report(
        address=address,
        health="SERVING",
        offer=worker_pb2.DescribeResponse(),
        status=worker_pb2.StatusResponse(
            uptime_seconds=uptime,
            blocks_rendered=rendered,
            blocks_served=total,
            clients=len(served),
            streams=[worker_pb2.Stream(digest=DIGEST, blocks_rendered=rendered, blocks_served=total, head=head)],
            experiments=[
                worker_pb2.Experiment(name=name, digest=DIGEST, blocks_served=count, cursor=cursor, waiting=1)
                for name, (count, cursor) in served.items()
            ],
        ),
    )


def printed(*surveys: list[Report | Silence]) -> list[list[str]]:
    """The cells of every row."""
    out = StringIO()
    Console(file=out, width=200).print(overview(*surveys))
    return [[cell.strip() for cell in line.split("│")[1:-1]] for line in out.getvalue().splitlines() if "│" in line]


def test_an_experiment_is_followed_over_all_workers():
    one = report("one:1", 10, 10, {"fast": (9, 50), "slow": (1, 3)}, head=50)
    two = report("two:1", 10, 10, {"fast": (5, 49)}, head=49)
    fast, slow = followings([one, two])
    assert (fast.served, fast.cursor, fast.lag, fast.waiting) == (14, 50, 0, 2)
    assert (slow.served, slow.cursor, slow.lag, slow.waiting) == (1, 3, 47, 1)


def test_rates_are_those_between_two_surveys():
    before = report("one:1", 10, 10, {"a": (20, 9), "b": (10, 9)})
    after = report("one:1", 12, 14, {"a": (26, 12), "b": (12, 10)})
    rows = printed([after], [before])
    assert rows[0][-3:] == ["2.0", "4.0", "2.71"]
    assert [row[-1] for row in rows[1:]] == ["3.0", "1.0"]


def test_a_worker_that_was_started_anew_or_is_down_has_no_rate():
    before = report("one:1", 100, 10, {"a": (20, 9)})
    after = report("one:1", 2, 4, {"a": (4, 13)})
    rows = printed([after, Silence(address="two:1", reason="gone")], [before])
    assert rows[0][-3:-1] == ["–", "–"]
    assert rows[1][:2] == ["two:1", "down"]


def test_what_others_say_in_brackets_is_printed_as_it_is():
    rows = printed(
        [report("[fe80::1]:5556", 10, 10, {"run[bold]": (9, 50)}), Silence(address="[fe80::2]:5556", reason="gone")]
    )
    assert [row[0] for row in rows[:2]] == ["[fe80::1]:5556", "[fe80::2]:5556"]
    assert rows[2][1] == "run[bold]"
