"""One process of the service on one core: its event loop, its computing thread, its rules.

It decides as the service does, by the code of the service where that has no clock of its own:
order, admission, slices and throughput. The event loop goes before the computing thread, whose
slices it interrupts. What is done in one turn of the loop:

- the requests that have come are read, tokenized, admitted and queued (long texts are tokenized by
  a thread, in pieces, during which the event loop waits for Python's lock);
- short texts are computed together, where nothing else waits (`service/scheduling/inline.py`);
- answers are sent.
"""

import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.fleet.clock import Clock
from benchmarks.fleet.costs import Costs
from benchmarks.fleet.pace import BIN
from benchmarks.fleet.request import Outcome, Reader, Request, Rules, Used
from benchmarks.fleet.warmth import Warmth
from service.answering.answerer import patience
from service.answering.tokenizing import INLINE_CHARS, PIECE_CHARS
from service.scheduling.allowance import Allowance
from service.scheduling.backlog import Backlog
from service.scheduling.inline import CREDIT, SHARE, TOGETHER
from service.scheduling.scheduler import FORESEEN_MARGIN, MARGIN
from service.scheduling.slices import plan_slice
from service.scheduling.throughput import Throughput


@dataclass
class _Turn:
    """What one turn of the event loop does; answers leave at offsets from its start."""

    arrived: list[Request] = field(default_factory=list)
    tokenized: list[Request] = field(default_factory=list)
    inline: list[Request] = field(default_factory=list)
    answers: list[Request] = field(default_factory=list)
    woken: list[Request] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.arrived or self.tokenized or self.inline or self.answers or self.woken)


class Process:
    """One process on one core.

    Args:
        clock: Of the simulation.
        costs: What it costs.
        rules: What it decides by.
        slowness: Times as long as usual the core takes for all, in each tenth of a second; after
            the last it stays as it was.
        seed: Of the stalls.
    """

    def __init__(
        self,
        clock: Clock,
        costs: Costs,
        *,
        rules: Rules | None = None,
        slowness: Sequence[float] = (1.0,),
        seed: int = 0,
    ) -> None:
        self.used = Used()
        self.inside: set[Request] = set()  # those that have come and have no answer yet
        self.dead = False
        self._clock, self._costs, self._rules = clock, costs, rules or Rules()
        self._loop_slowness = [each**costs.loop_power for each in slowness]
        self._thread_slowness = [each**costs.thread_power for each in slowness]
        self._reader = Reader(costs.planned, self._rules.sliced)
        self._random = random.Random(seed)
        self._warmth = Warmth(costs)
        self._allowance = Allowance(share=SHARE, most=CREDIT, clock=lambda: clock.now)
        self._backlog = Backlog()
        self._throughput = Throughput(threads=1)
        self._next = _Turn()
        self._inline_seconds = 0.0
        self._in_turn = False
        self._slice: list[Request] = []  # what the thread reads
        self._slice_tokens = 0
        self._slice_left = self._slice_since = self._busy_since = 0.0
        self._idle_since = 0.0  # when the core last came to have nothing to do
        self._long: deque[Request] = deque()  # texts that the tokenizer's thread reads
        self._in_piece = self._after_piece = False
        self._waits = True  # whether the thread does
        self._version = 0  # of the plan when a slice ends
        self._stalled_until = 0.0
        if costs.stalls_per_second:
            self._plan_stall()
        if costs.lent:
            self._keep_free(0.0)

    def arrive(self, request: Request) -> None:
        """Take a request that has come over its connection."""
        request.arrived = self._clock.now
        request.runner = self._reader
        self.inside.add(request)
        self._next.arrived.append(request)
        self._wake()

    def die(self) -> list[Request]:
        """Stop at once; return the requests that get no answer from here, as they came."""
        self.dead = True
        lost = sorted(self.inside, key=lambda request: request.place)
        self.inside.clear()
        for request in lost:
            request.left, request.threaded = request.tokens, False
        return lost

    def _wake(self) -> None:
        """Begin a turn of the event loop, unless it is in one."""
        if self._in_turn or self._in_piece:
            return
        self._in_turn = True
        if self._slice:
            self._interrupt_slice()
            self._turn()
            return
        waking = self._warmth.pause(self._clock.now - self._idle_since)
        self._clock.after(waking, self._turn)

    def _turn(self) -> None:
        if self.dead:
            return
        turn, self._next = self._next, _Turn()
        costs, start = self._costs, max(self._clock.now, self._stalled_until)
        slow = self._slow_loop()
        before, after = self._rules.split, 1 - self._rules.split
        usual = costs.request * (before * len(turn.arrived) + after * len(turn.answers))
        at = start + slow * (costs.turn + self._warmth.turn(costs.turn + usual))
        self.used.turns += 1
        for request in turn.arrived:
            if self._sheds(request):
                at += slow * costs.refusal
                self._end(request, Outcome.REJECTED, at=at)
                continue
            at += slow * before * costs.request
            if request.chars > INLINE_CHARS:
                self._long.append(request)
                continue
            at += slow * request.chars * costs.char
            self._admit(request)
        for request in turn.tokenized:
            at += slow * costs.handover
            self._admit(request)
        if turn.inline:
            at += self._compute_inline(turn.inline)
            self._next.answers += turn.inline
        ready = []  # when each answer is
        for request in turn.answers:
            at += slow * (after * costs.request + costs.handover * request.threaded)
            ready.append(at)
        leave = [at] * len(ready) if self._rules.together else ready
        for request, then in zip(turn.answers, leave, strict=True):
            self._end(request, Outcome.ANSWERED, at=then)
        self._next.answers += turn.woken
        self.used.loop += at - start
        self._clock.at(at, self._end_turn)

    def _end_turn(self) -> None:
        if self.dead:
            return
        if self._next:
            self._turn()
            return
        self._in_turn = False
        self._go_on()

    def _end(self, request: Request, outcome: Outcome, *, at: float) -> None:
        self.inside.discard(request)
        self.used.requests += 1
        request.outcome = outcome
        request.answered = at + self._costs.wire / 2
        self._clock.at(request.answered, request.then)

    # What the event loop decides; see service/scheduling/scheduler.py.

    def _sheds(self, request: Request) -> bool:
        """Return whether it is rejected at its connection."""
        if not self._backlog:
            return False
        return self._is_late(request, margin=FORESEEN_MARGIN, since=self._clock.now)

    def _is_late(self, request: Request, *, margin: float, since: float) -> bool:
        seconds = request.seconds_left
        there_is = since + self._patience(seconds) - self._clock.now
        due = self._due_at(seconds, there_is=there_is)
        before = self._backlog.seconds_before(due) / self._throughput.value
        return before > 0 and before + seconds > margin * there_is

    def _due_at(self, seconds: float, *, there_is: float) -> float:
        return self._clock.now + min(self._rules.stretch * seconds, there_is / 2)

    def _patience(self, seconds: float) -> float:
        return patience(seconds, usual=self._rules.deadline)

    def _admit(self, request: Request) -> None:
        seconds = request.seconds_left
        together = self._inline_seconds + seconds
        if (
            not self._backlog
            and seconds < self._rules.inline
            and together < TOGETHER
            and self._allowance.covers(together)
        ):
            self._inline_seconds = together
            self._next.inline.append(request)
            return
        if self._is_late(request, margin=MARGIN, since=request.arrived):
            self._end(request, Outcome.REJECTED, at=self._clock.now)
            return
        wait = self._patience(seconds)
        request.due = self._due_at(seconds, there_is=wait)
        request.threaded = True
        self._backlog.add([request])
        if wait < float("inf"):
            self._clock.at(request.arrived + wait, lambda: self._give_up(request))

    def _give_up(self, request: Request) -> None:
        """Answer 504 at the deadline."""
        if request not in self.inside or not request.left:
            return
        if request not in self._slice:
            self._backlog.discard(request)
        request.left = 0
        self._end(request, Outcome.LATE, at=self._clock.now)

    def _compute_inline(self, requests: list[Request]) -> float:
        self._inline_seconds = 0.0
        tokens = [request.tokens for request in requests]
        seconds = self._slow_thread() * self._costs.engine.of_batch(
            longest=max(tokens), texts=len(tokens), tokens=sum(tokens)
        )
        self._allowance.spend(seconds)
        return seconds

    def _slow_loop(self) -> float:
        return self._now(self._loop_slowness)

    def _slow_thread(self) -> float:
        return self._now(self._thread_slowness)

    def _now(self, slowness: Sequence[float]) -> float:
        return slowness[min(int(self._clock.now / BIN), len(slowness) - 1)]

    # The computing thread; see service/scheduling/scheduler.py, `_work` and `_read`.

    def _go_on(self) -> None:
        """Let a thread go on, while the event loop waits."""
        if not self._slice and (self._begin_piece() or not self._begin_slice()):
            return
        self._slice_since = max(self._clock.now, self._stalled_until)
        self._version += 1
        version = self._version
        self._clock.at(self._slice_since + self._slice_left, lambda: self._end_slice(version))

    def _begin_slice(self) -> bool:
        if not self._backlog:
            self._waits, self._idle_since = True, self._clock.now
            return False
        if self._waits:
            self._waits, self._busy_since = False, self._clock.now
        jobs, tokens = plan_slice(self._backlog.candidates())
        self._backlog.remove(jobs)
        self._slice, self._slice_tokens = jobs, tokens
        counts = [min(tokens, job.left) for job in jobs]
        whole = all(job.left == job.tokens <= tokens for job in jobs)
        own = self._costs.slice + self._costs.piece * (0 if whole else len(jobs))
        call = self._costs.engine.of_batch(longest=max(counts), texts=len(jobs), tokens=sum(counts))
        cold = self._warmth.slice(own + call)
        self._after_piece = False
        self._slice_left = self._slow_thread() * (own + call + cold)
        self.used.slices += 1
        self.used.compute += self._slice_left
        return True

    def _interrupt_slice(self) -> None:
        self._pause_slice()
        again = self._slow_thread() * self._costs.resume
        self._slice_left += again
        self.used.compute += again

    def _pause_slice(self) -> None:
        self._version += 1
        self._slice_left -= max(0.0, self._clock.now - self._slice_since)

    def _end_slice(self, version: int) -> None:
        if self.dead or version != self._version:
            return
        jobs, tokens, self._slice = self._slice, self._slice_tokens, []
        jobs = [job for job in jobs if job in self.inside]
        work = sum(job.seconds_left for job in jobs)
        for job in jobs:
            job.left -= min(tokens, job.left)
        unread = [job for job in jobs if job.left]
        work -= sum(job.seconds_left for job in unread)
        now = self._idle_since = self._clock.now
        self._throughput.add(work, seconds=now - self._busy_since)
        self._busy_since = now
        if unread:
            self._backlog.add(unread)
        if finished := [job for job in jobs if not job.left]:
            self._next.woken += finished
            if not self._backlog:
                self._wake()
                return
        self._go_on()
        if finished:  # the thread holds Python's lock until its next call of the engine
            self._clock.after(self._slow_thread() * self._costs.slice, self._wake_for_answers)

    def _wake_for_answers(self) -> None:
        if self._next and not self.dead:
            self._wake()

    # The tokenizer's thread; see service/answering/tokenizing.py. It and the other take turns.

    def _begin_piece(self) -> bool:
        if not self._long or (self._after_piece and self._backlog):
            return False
        request = self._long[0]
        chars = min(PIECE_CHARS, request.unread)
        request.unread -= chars
        seconds = self._slow_thread() * chars * self._costs.thread_char
        self.used.other += seconds
        self._in_piece = True
        self._clock.at(max(self._clock.now, self._stalled_until) + seconds, self._end_piece)
        return True

    def _end_piece(self) -> None:
        if self.dead:
            return
        self._in_piece, self._after_piece = False, True
        self._idle_since = self._clock.now
        if not self._long[0].unread:
            self._next.tokenized.append(self._long.popleft())
        if self._next:
            self._wake()
        else:
            self._go_on()

    # What else is on the machine.

    def _plan_stall(self) -> None:
        self._clock.after(self._random.expovariate(self._costs.stalls_per_second), self._stall)

    def _stall(self) -> None:
        if not self.dead:
            self._plan_stall()
            self._take_core(self._random.choice(self._costs.stalls))

    def _keep_free(self, busy: float) -> None:
        """Give the core to others at the end of a second in which they had too little of it.

        Args:
            busy: Seconds that it was busy until the second began.
        """
        now_busy = self.used.seconds
        if (short := self._costs.lent - (1.0 - (now_busy - busy))) > 0 and not self.dead:
            self._take_core(short)
        if not self.dead:
            self._clock.after(1.0, lambda: self._keep_free(now_busy))

    def _take_core(self, seconds: float) -> None:
        """Take the core away for a while; it tells in the next turn or slice."""
        self._stalled_until = max(self._stalled_until, self._clock.now) + seconds
        if self._slice and not self._in_turn:
            self._pause_slice()
            self._go_on()
