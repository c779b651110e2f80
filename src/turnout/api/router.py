"""The JSON door: every call, the ones asked for most often first."""

from fastapi import APIRouter

from turnout.api import events, health, problems, registrations

router = APIRouter()
for each in (registrations.router, events.router, health.router, problems.router):
    router.include_router(each)
