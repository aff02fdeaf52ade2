"""The unit of work: some tokens of one text or of several, read in one call of the engine.

A long text is read slice by slice, from state to state. So a request that comes meanwhile waits
for one slice at most. Texts share a slice where that costs less than reading one after the other
(continuous batching: Yu et al., "Orca", OSDI 2022; the state of constant size takes the place of
their cache).
"""

from collections.abc import Sequence

import numpy as np

from models.golden import Probabilities
from service.engines.protocol import BatchState, initial_state
from service.engines.runner import Runner
from service.scheduling.jobs import Job, Result

SLICE_SECONDS = 0.004  # of a call; what a text that comes may have to wait for the one before
LONG_SECONDS = 0.1  # of computing ahead: a text that takes so long is read in shorter slices,
LONG_SLICE_SECONDS = 0.0015  # for it comes late anyway, and makes many wait
CALLS = 10  # times as long as the call itself, at least, or nothing but calls would be made
COMPANY = 8  # texts that a slice leaves time for; more save little
WORTH = 1.5  # times another call must be saved by beginning a text that does not come to an end
GRACE = 1.25  # times as long as needed may a slice be, so that texts a little longer are done too


def plan_slice(candidates: Sequence[Job]) -> tuple[list[Job], int]:
    """Return the jobs to read together, the first of the candidates among them, and how far.

    Args:
        candidates: Jobs of one runner, those that come first in front.
    """
    first, runner = candidates[0], candidates[0].ticket.runner
    cost, whole = runner.cost, max(1, first.ahead)
    long = cost.seconds(whole) > LONG_SECONDS
    enough = max(LONG_SLICE_SECONDS if long else SLICE_SECONDS, CALLS * cost.call)
    most = cost.tokens_within(enough, texts=COMPANY) if runner.sliced else whole
    tokens = min(whole, most)
    roof = min(most, round(tokens * GRACE))
    limit = max(enough, cost.seconds(roof))
    # A text that is only begun needs another call. Where the first goes on too they share that;
    # elsewhere what they share of this one must be worth it.
    goes_on = first.ahead > roof or tokens * cost.step >= WORTH * cost.call
    worth = runner.sliced and goes_on
    chosen, total = [first], min(first.ahead, tokens)
    for job in candidates[1:]:
        if job.ahead > roof and not worth:
            continue
        own = min(job.ahead, roof)
        longer = max(tokens, own)
        together = cost.of_batch(longest=longer, texts=len(chosen) + 1, tokens=total + own)
        if together > limit:
            continue
        without = cost.of_batch(longest=tokens, texts=len(chosen), tokens=total)
        if together - without < cost.seconds(own):
            chosen.append(job)
            tokens, total = longer, total + own
    if runner.sliced:  # there may be time for more than was expected
        room = cost.tokens_within(enough, texts=len(chosen))
        tokens = max(tokens, min(room, *(job.ahead for job in chosen)))
    return chosen, tokens


def read_slice(jobs: Sequence[Job], tokens: int) -> Probabilities:
    """Read up to so many tokens of each job on, none past its next stop.

    Returns:
        The probabilities (jobs, labels) then.
    """
    runner = jobs[0].ticket.runner
    if all(job.state is None and job.ahead <= tokens and not job.stops for job in jobs):
        whole = runner.engine.predict([job.ids for job in jobs])
        for job in jobs:
            job.finish()
        return whole
    counts = [min(tokens, job.ahead) for job in jobs]
    rows = [job.ids[job.read : job.read + n] for job, n in zip(jobs, counts, strict=True)]
    looks: Sequence[Sequence[int]] = [[count] for count in counts]
    found: Sequence[Probabilities]
    if runner.ragged:
        looks = [job.looks(count) for job, count in zip(jobs, counts, strict=True)]
        found, after = runner.ragged.look(rows, _stack_states(runner, jobs), looks)
        _keep_states(jobs, after)
    else:
        probabilities, after = runner.engine.step(rows, _stack_states(runner, jobs))
        found = list(probabilities[:, None])
        _keep_states(jobs, after)
    for job, places, each in zip(jobs, looks, found, strict=True):
        job.advance(places, each)
    return np.stack([each[-1] for each in found])


def compute_slice(jobs: Sequence[Job], tokens: int) -> list[Result]:
    """Return the probabilities of each job after a slice, or why there are none."""
    try:
        return list(read_slice(jobs, tokens))
    except Exception as error:  # whatever it is, it must not end the thread
        if len(jobs) == 1:
            return [error]
    return [compute_slice([job], tokens)[0] for job in jobs]  # so that only the culprit fails


def _keep_states(jobs: Sequence[Job], after: BatchState) -> None:
    for row, job in enumerate(jobs):
        job.state = {name: values[row] for name, values in after.items()}


def _stack_states(runner: Runner, jobs: Sequence[Job]) -> BatchState:
    """Return the states of jobs as one batch."""
    state = initial_state(runner.state, batch=len(jobs))
    for row, job in enumerate(jobs):
        if job.state is not None:
            for name, value in job.state.items():
                state[name][row] = value
    return state
