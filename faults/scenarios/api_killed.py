"""SIGKILL to the API in a submit: before the broker has it, or before its reply is read."""

from __future__ import annotations

from faults.attempts.steps import Step
from faults.deployment import Deployment, Needs
from faults.fault import Fault, Injection
from faults.load import TITLE
from harness.processes import kill
from harness.proxies.interrupting import Catch
from harness.wait import wait_until

_CATCH_SECONDS = 20
_NEEDS = Needs(proxied_api=True)


def _inject_when(*, is_done: bool) -> Injection:
    def inject(deployment: Deployment, step: Step) -> None:  # noqa: ARG001
        wanted = Catch(TITLE.encode(), is_done=is_done)
        deployment.proxy.catch = wanted
        wait_until(wanted.caught.is_set, seconds=_CATCH_SECONDS, what="a submit in flight")
        api = deployment.apis[0].find_family()
        deployment.note_injection(*api)
        kill(api)

    return inject


FAULTS = (
    Fault(
        "api-killed-before",
        "API killed in a submit that the broker has not got",
        (Step.QUEUED,),
        _inject_when(is_done=False),
        _NEEDS,
    ),
    Fault(
        "api-killed-after",
        "API killed in a submit that the broker has stored",
        (Step.QUEUED,),
        _inject_when(is_done=True),
        _NEEDS,
    ),
)
