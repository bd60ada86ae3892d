"""Who acts in a call is known in every thread of that call, and in no other call."""

import contextvars
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from serving.access.acting import add_audit_details, begin_acting, current_actor, identify
from serving.access.actors import SERVICE, Actor

ALPHA = Actor("account:alpha", "alpha", "alpha")
BETA = Actor("account:beta", "beta", "beta")


@pytest.fixture(autouse=True)
def _apart() -> None:
    begin_acting()


def test_a_call_acts_for_the_service_until_its_caller_is_known() -> None:
    acting = begin_acting()
    assert current_actor() is acting.actor is SERVICE

    identify(ALPHA)

    assert current_actor() is acting.actor is ALPHA


def test_what_one_thread_of_a_call_learns_all_of_it_know() -> None:
    begin_acting()
    context = contextvars.copy_context()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(context.run, identify, ALPHA).result()

    assert current_actor() is ALPHA


def test_another_call_knows_nothing_of_it() -> None:
    def call(actor: Actor) -> Actor:
        begin_acting()
        before = current_actor()
        identify(actor)
        return before

    contexts = [contextvars.copy_context() for _ in range(2)]

    assert contexts[0].run(call, ALPHA) is SERVICE
    assert contexts[1].run(call, BETA) is SERVICE
    assert contexts[0].run(current_actor) is ALPHA


def test_a_thread_of_the_service_acts_for_the_service() -> None:
    begin_acting(ALPHA)
    found: list[Actor] = []
    thread = threading.Thread(target=lambda: found.append(current_actor()))
    thread.start()
    thread.join()

    assert found == [SERVICE]


def test_what_is_told_gathers_in_its_call() -> None:
    acting = begin_acting()
    add_audit_details(vectors=2, model="m")
    add_audit_details(vectors=3)

    assert acting.details == {"vectors": 3, "model": "m"}


def test_outside_of_a_call_nothing_is_told_to_anybody() -> None:
    def tell() -> Actor:
        identify(ALPHA)
        add_audit_details(vectors=1)
        return current_actor()

    assert contextvars.Context().run(tell) is SERVICE
